package build

import (
	"bytes"
	"context"
	"crypto/sha256"
	_ "embed" // the checker
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// checkPython parses the files that it is given and prints what is wrong.
//
//go:embed check.py
var checkPython string

// buildPython zips a function's root together with the packages of the nearest
// requirements.txt.
func (b *Builder) buildPython(ctx context.Context, j *job) error {
	began := time.Now()
	root := b.abs(j.Root)
	entries, err := readTree(root, ignored)
	if err != nil {
		return fmt.Errorf("read %s: %w", j.Root, err)
	}
	if err := b.checkPythonFiles(ctx, j, entries); err != nil {
		return err
	}
	in := inputs{Folders: []folder{{Path: root}}, Files: b.requirementNames(j)}
	packages, err := b.pythonPackages(ctx, j)
	if err != nil {
		return err
	}
	hash, err := b.writeZip(mergeEntries(packages, entries))
	if err != nil {
		return err
	}
	return b.keep(j, &record{Hash: hash, Inputs: in, Fingerprint: in.fingerprintSince(began)})
}

// mergeEntries puts an app's own files over those of its packages.
func mergeEntries(packages, own []entry) []entry {
	names := map[string]bool{}
	for _, e := range own {
		names[e.name] = true
	}
	merged := own
	for _, e := range packages {
		if !names[e.name] {
			merged = append(merged, e)
		}
	}
	return merged
}

// requirementNames are the places of requirements.txt, from the handler's
// folder up to the app's. The first that exists counts.
func (b *Builder) requirementNames(j *job) []string {
	var names []string
	for dir := filepath.Dir(b.abs(j.Entry)); ; dir = filepath.Dir(dir) {
		names = append(names, filepath.Join(dir, "requirements.txt"))
		if dir == b.cfg.App || dir == filepath.Dir(dir) {
			return names
		}
	}
}

// pythonPackages installs the requirements into a folder of the cache, once
// for each content of requirements.txt.
func (b *Builder) pythonPackages(ctx context.Context, j *job) ([]entry, error) {
	i := slices.IndexFunc(b.requirementNames(j), func(name string) bool {
		_, err := os.Stat(name)
		return err == nil
	})
	if i < 0 {
		return nil, nil
	}
	name := b.requirementNames(j)[i]
	wanted, err := os.ReadFile(name)
	if err != nil {
		return nil, err
	}
	if len(bytes.TrimSpace(wanted)) == 0 {
		return nil, nil
	}
	args := b.pipArgs(j.Function)
	sum := sha256.Sum256(fmt.Appendf(nil, "%s\n%q\n%s", wanted, args, b.pythonVersion(ctx)))
	dir := filepath.Join(b.cfg.Cache, "pip-"+hex.EncodeToString(sum[:12]))
	if _, err := os.Stat(dir); err != nil {
		if err := b.pipInstall(ctx, j, name, dir, args); err != nil {
			return nil, err
		}
	}
	return readTree(dir, compiled)
}

// pipArgs choose packages for the target: for AWS only wheels that run there.
func (b *Builder) pipArgs(f Function) []string {
	if !b.cfg.AWS {
		return nil
	}
	platform := "manylinux2014_aarch64"
	if f.Architecture == "x86_64" {
		platform = "manylinux2014_x86_64"
	}
	version := strings.TrimPrefix(f.Runtime, "python")
	if version == "" {
		version = "3.13"
	}
	return []string{"--platform", platform, "--only-binary=:all:", "--implementation", "cp", "--python-version", version}
}

func (b *Builder) pipInstall(ctx context.Context, j *job, requirements, dir string, args []string) error {
	tmp, err := os.MkdirTemp(b.cfg.Cache, ".pip-*")
	if err != nil {
		return err
	}
	defer os.RemoveAll(tmp)
	all := append([]string{"-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-compile",
		"--no-input", "--target", tmp, "-r", requirements}, args...)
	if said, err := b.python(ctx, all...).CombinedOutput(); err != nil {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		return &Error{Entry: j.Entry, Problems: []Problem{{File: b.rel(requirements), Text: lastLines(said, err)}},
			Remedy: "correct requirements.txt, or see that the package index can be reached"}
	}
	if err := os.Chmod(tmp, 0o755); err != nil {
		return err
	}
	return os.Rename(tmp, dir)
}

// lastLines returns the end of what a program said, which holds the reason.
func lastLines(said []byte, err error) string {
	lines := strings.Split(strings.TrimSpace(string(said)), "\n")
	if len(lines) > 3 {
		lines = lines[len(lines)-3:]
	}
	if text := strings.Join(lines, " "); text != "" {
		return text
	}
	return err.Error()
}

// python returns the command that runs the machine's Python.
func (b *Builder) python(ctx context.Context, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, "python3", args...)
	cmd.Dir = b.cfg.App
	cmd.Env = append(b.cfg.Environ[:len(b.cfg.Environ):len(b.cfg.Environ)], "PYTHONDONTWRITEBYTECODE=1")
	return cmd
}

func (b *Builder) pythonVersion(ctx context.Context) string {
	out, err := b.python(ctx, "-c", "import sys; print(sys.version)").Output()
	if err != nil {
		return ""
	}
	return string(out)
}

// pythonCheck is what check.py reads.
type pythonCheck struct {
	Handler, Export string
	Files           []string
}

// checkPythonFiles finds syntax errors and a missing export.
func (b *Builder) checkPythonFiles(ctx context.Context, j *job, entries []entry) error {
	check := pythonCheck{Handler: b.abs(j.Entry), Export: j.export()}
	for _, e := range entries {
		if path.Ext(e.name) == ".py" {
			check.Files = append(check.Files, filepath.Join(b.abs(j.Root), filepath.FromSlash(e.name)))
		}
	}
	question, err := json.Marshal(check)
	if err != nil {
		return err
	}
	cmd := b.python(ctx, "-c", checkPython)
	cmd.Stdin = bytes.NewReader(question)
	answer, err := cmd.Output()
	if errors.Is(err, exec.ErrNotFound) {
		return &Error{Entry: j.Entry, Problems: []Problem{{Text: "there is no python3 command on PATH"}},
			Remedy: "install Python 3 and see that python3 is on PATH"}
	}
	if err != nil {
		return fmt.Errorf("check the Python files of %s: %w", j.Entry, err)
	}
	var problems []Problem
	if err := json.Unmarshal(answer, &problems); err != nil {
		return fmt.Errorf("check the Python files of %s: %w", j.Entry, err)
	}
	if len(problems) == 0 {
		return nil
	}
	for i := range problems {
		problems[i].File = b.rel(problems[i].File)
	}
	return &Error{Entry: j.Entry, Problems: problems,
		Remedy: "correct it and save: the build starts again by itself under \"roost start\""}
}
