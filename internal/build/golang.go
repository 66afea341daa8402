package build

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// goArch returns Go's name of a Lambda architecture.
func goArch(architecture string) string {
	if architecture == "x86_64" {
		return "amd64"
	}
	return "arm64"
}

// target returns the system and processor that a function is built for.
func (b *Builder) target(f Function) (goos, goarch string) {
	if b.cfg.AWS && !f.isProgram() {
		return "linux", goArch(f.Architecture)
	}
	return runtime.GOOS, runtime.GOARCH
}

func (f Function) isProgram() bool { return f.Kind == Go && f.Out == "program" }

// buildGo compiles Go functions. Those whose programs have different names and
// the same processor go into one command, which compiles common packages once.
func (b *Builder) buildGo(ctx context.Context, jobs []*job) error {
	var errs []error
	for len(jobs) > 0 {
		batch := nextBatch(jobs)
		errs = append(errs, b.compileBatch(ctx, batch))
		jobs = without(jobs, batch)
	}
	return errors.Join(errs...)
}

var majorVersion = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^v[0-9]+$`) })

// nextBatch returns jobs that one go command can build into one folder. It
// names a program after its folder; where that is ambiguous a job goes alone.
func nextBatch(jobs []*job) []*job {
	var batch []*job
	names := map[string]bool{}
	for _, j := range jobs {
		name := path.Base(j.Entry)
		if name == "." || majorVersion().MatchString(name) {
			if len(batch) == 0 {
				return []*job{j}
			}
			continue
		}
		if !names[name] && (len(batch) == 0 || goArch(batch[0].Architecture) == goArch(j.Architecture)) {
			names[name] = true
			batch = append(batch, j)
		}
	}
	return batch
}

func without(jobs, done []*job) []*job {
	skip := map[*job]bool{}
	for _, j := range done {
		skip[j] = true
	}
	var rest []*job
	for _, j := range jobs {
		if !skip[j] {
			rest = append(rest, j)
		}
	}
	return rest
}

// compileBatch runs the compiler and, beside it, finds out what it reads.
func (b *Builder) compileBatch(ctx context.Context, batch []*job) error {
	out, err := os.MkdirTemp(b.cfg.Cache, ".go-*")
	if err != nil {
		return err
	}
	defer os.RemoveAll(out)
	began := time.Now()
	known := make(chan []goSources, 1)
	go func() { known <- b.goSources(ctx, batch, began) }()
	said, err := b.goCompile(ctx, batch, out)
	sources := <-known
	if err != nil {
		return b.goError(ctx, batch, said, err)
	}
	var errs []error
	for i, j := range batch {
		errs = append(errs, b.packGo(j, out, sources[i]))
	}
	return errors.Join(errs...)
}

// goCompile builds the batch into the folder out and returns what was said.
func (b *Builder) goCompile(ctx context.Context, batch []*job, out string) ([]byte, error) {
	target := out + string(filepath.Separator)
	if len(batch) == 1 {
		target = filepath.Join(out, "bootstrap")
	}
	args := []string{"build", "-trimpath", "-buildvcs=false", "-tags", "lambda.norpc",
		"-ldflags", "-s -w -buildid=", "-o", target}
	if b.cfg.Debug {
		args = []string{"build", "-buildvcs=false", "-tags", "lambda.norpc", "-gcflags", "all=-N -l", "-o", target}
	}
	for _, j := range batch {
		args = append(args, "./"+j.Entry)
	}
	cmd := b.goCommand(ctx, batch[0].Function, args...)
	if !slices.ContainsFunc(cmd.Env, func(v string) bool { return strings.HasPrefix(v, "GOGC=") }) {
		// A short run that reads a lot, as a link is: an eighth of its time would
		// go into collecting garbage.
		cmd.Env = append(cmd.Env, "GOGC=400")
	}
	return cmd.CombinedOutput()
}

// goCommand returns the go command for a function's target.
func (b *Builder) goCommand(ctx context.Context, f Function, args ...string) *exec.Cmd {
	goos, goarch := b.target(f)
	cmd := exec.CommandContext(ctx, "go", args...)
	cmd.Dir = b.cfg.App
	cmd.Env = append(b.cfg.Environ[:len(b.cfg.Environ):len(b.cfg.Environ)],
		"CGO_ENABLED=0", "GOOS="+goos, "GOARCH="+goarch, "PWD="+b.cfg.App)
	return cmd
}

// packGo zips one compiled program.
func (b *Builder) packGo(j *job, out string, src goSources) error {
	data, err := b.readProgram(j, out)
	if err != nil {
		return err
	}
	hash, err := b.writeZip([]entry{{name: "bootstrap", exec: true, data: data}})
	if err != nil {
		return err
	}
	return b.keep(j, &record{Hash: hash, Inputs: src.inputs, Fingerprint: src.fingerprint, Headers: src.headers})
}

// readProgram reads what the compiler has written for a job.
func (b *Builder) readProgram(j *job, out string) ([]byte, error) {
	program := filepath.Join(out, "bootstrap")
	if _, err := os.Stat(program); err != nil {
		program = filepath.Join(out, path.Base(j.Entry))
	}
	data, err := os.ReadFile(program)
	// A package that is not main is compiled to an archive, or to nothing.
	if errors.Is(err, os.ErrNotExist) || bytes.HasPrefix(data, []byte("!<arch>\n")) {
		return nil, &Error{Entry: j.Entry, Problems: []Problem{{File: j.Entry, Text: "the folder has no main package"}},
			Remedy: "begin its files with \"package main\" and give it a function main"}
	}
	return data, err
}

// goLine is a compiler's line: file, line, column where known, and words.
var goLine = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`^(\S.*?\.(?:go|mod|sum|work)):(\d+)(?::(\d+))?: (.+)$`)
})

// goError turns what the go command said into errors of the functions that it
// concerns. A package that several functions import concerns each of them, but
// is reported once.
func (b *Builder) goError(ctx context.Context, batch []*job, said []byte, cause error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if errors.Is(cause, exec.ErrNotFound) {
		return &Error{Entry: batch[0].Entry, Problems: []Problem{{Text: "there is no go command on PATH"}},
			Remedy: "install Go from https://go.dev/dl and see that go is on PATH"}
	}
	problems := b.goProblems(said)
	if len(problems) == 0 {
		problems = []Problem{{Text: cause.Error()}}
	}
	e := &Error{Entry: batch[0].Entry, Problems: problems, Remedy: goRemedy(problems)}
	for _, j := range batch {
		if strings.HasPrefix(problems[0].File, j.Entry+"/") || problems[0].File == "" && b.names(problems[0].Text, j.Entry) {
			e.Entry = j.Entry
		}
	}
	return e
}

// names reports whether words without a place are about an entry's folder, as in
// "no Go files in FOLDER" and "stat FOLDER: directory not found".
func (b *Builder) names(text, entry string) bool {
	return slices.ContainsFunc(strings.Fields(text), func(word string) bool { return strings.TrimSuffix(word, ":") == b.abs(entry) })
}

// goProblems reads the output of go build. A line without a place continues
// the one before it.
func (b *Builder) goProblems(said []byte) []Problem {
	var problems []Problem
	for line := range bytes.Lines(said) {
		text := strings.TrimRight(string(line), "\r\n")
		if text == "" || strings.HasPrefix(text, "# ") || strings.HasPrefix(text, "go: downloading ") {
			continue
		}
		if m := goLine().FindStringSubmatch(text); m != nil {
			n, _ := strconv.Atoi(m[2])
			column, _ := strconv.Atoi(m[3])
			problems = append(problems, Problem{File: b.rel(m[1]), Line: n, Column: column, Text: m[4]})
			continue
		}
		if strings.HasPrefix(text, "\t") && len(problems) > 0 {
			problems[len(problems)-1].Text += " " + strings.TrimSpace(text)
			continue
		}
		problems = append(problems, Problem{Text: strings.TrimPrefix(text, "go: ")})
	}
	return problems
}

// goRemedy knows what to do about the problems that are not typing errors.
func goRemedy(problems []Problem) string {
	for _, p := range problems {
		switch {
		case strings.Contains(p.Text, "go.mod file not found"):
			return "run \"go mod init\" in the app's folder"
		case strings.Contains(p.Text, "no required module provides package"),
			strings.Contains(p.Text, "missing go.sum entry"),
			strings.Contains(p.Text, "updates to go.mod needed"):
			return "run \"go mod tidy\" in the app's folder"
		case strings.Contains(p.Text, "$HOME are defined"), strings.Contains(p.Text, "neither GOMODCACHE nor GOPATH is set"):
			return "set HOME to your home folder: Go keeps its cache there"
		case strings.Contains(p.Text, "no Go files in "):
			return "put the function's files, with \"package main\", into that folder"
		case strings.Contains(p.Text, "no space left on device"):
			return "free some space on that disk, and save again"
		}
	}
	return "correct it and save: the build starts again by itself under \"roost start\""
}

// toolchain identifies the user's Go compiler without running it: by its file
// and by Go's variables.
func (b *Builder) toolchain() string {
	var s strings.Builder
	if name, err := exec.LookPath("go"); err == nil {
		if info, err := os.Stat(name); err == nil {
			fmt.Fprintf(&s, "%s %d %d", name, info.Size(), info.ModTime().UnixNano())
		}
	}
	for _, v := range b.cfg.Environ {
		if strings.HasPrefix(v, "GO") {
			fmt.Fprintf(&s, "\n%s", v)
		}
	}
	return s.String()
}
