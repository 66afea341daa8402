// Package runtimes knows the Lambda runtimes that run on this machine. OS-only
// runtimes (provided.*) run a function's own bootstrap. For Node.js and Python
// it brings small runtime clients, which it writes into a folder, and finds the
// interpreter. Every other runtime is refused by name.
//
//	installed, err := runtimes.Install(dir)
//	runtime, err := installed.Find(ctx, "nodejs22.x")
//	command := runtime.Start(taskRoot, optDir, wrapper)
package runtimes

import (
	"context"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
)

//go:embed node python
var clients embed.FS

// Installed is the set of runtimes of this machine. It is safe for use by
// several goroutines.
type Installed struct {
	dir string // holds node/ and python/

	mu    sync.Mutex
	found map[string]*interpreter
}

// interpreter is a program that was found on this machine.
type interpreter struct {
	path, version string
	err           error
}

// Runtime is how functions of one runtime are started.
type Runtime struct {
	Name    string // such as "nodejs22.x"
	Dir     string // in place of /var/runtime; empty for OS-only runtimes
	Managed bool   // Node.js or Python
	// Warning says, for a runtime of another version than the machine's, which
	// one serves. It is empty otherwise.
	Warning string
	command []string
	early   bool
}

// sourceMaps is the option of Node.js by which stack traces name the sources.
const sourceMaps = "--enable-source-maps"

// Install writes the runtime clients below dir, in a folder named by their
// content. It writes nothing where they are there already.
func Install(dir string) (*Installed, error) {
	hash := sha256.New()
	var files []string
	err := fs.WalkDir(clients, ".", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		data, err := clients.ReadFile(path)
		hash.Write([]byte(path))
		hash.Write(data)
		files = append(files, path)
		return err
	})
	if err != nil {
		return nil, err
	}
	target := filepath.Join(dir, hex.EncodeToString(hash.Sum(nil))[:16])
	for _, path := range files {
		if err := write(filepath.Join(target, path), path); err != nil {
			return nil, fmt.Errorf("install the runtime clients: %w", err)
		}
	}
	// Where package isolation shows the app's SDK to functions.
	if err := os.MkdirAll(filepath.Join(target, "node", "sdk", "node_modules"), 0o755); err != nil {
		return nil, fmt.Errorf("install the runtime clients: %w", err)
	}
	return &Installed{dir: target, found: map[string]*interpreter{}}, nil
}

func write(target, path string) error {
	data, err := clients.ReadFile(path)
	if err != nil {
		return err
	}
	if have, err := os.ReadFile(target); err == nil && string(have) == string(data) {
		return nil
	}
	if err := os.MkdirAll(filepath.Dir(target), 0o755); err != nil {
		return err
	}
	temporary, err := os.CreateTemp(filepath.Dir(target), ".client-")
	if err != nil {
		return err
	}
	defer os.Remove(temporary.Name())
	if _, err := temporary.Write(data); err != nil {
		return err
	}
	if err := temporary.Close(); err != nil {
		return err
	}
	return os.Rename(temporary.Name(), target)
}

// Find returns a runtime by the name that a function has. The error for a
// runtime that can't be run here names it and what to do.
func (i *Installed) Find(ctx context.Context, name string) (*Runtime, error) {
	switch {
	case name == "provided.al2023" || name == "provided.al2":
		return &Runtime{Name: name}, nil
	case strings.HasPrefix(name, "nodejs"):
		return i.node(ctx, name)
	case strings.HasPrefix(name, "python3."):
		return i.python(ctx, name)
	}
	return nil, fmt.Errorf("the runtime %q is not run here: use provided.al2023, nodejs or python3", name)
}

// Known reports whether Find answers without starting a program.
func (i *Installed) Known(name string) bool {
	key := name
	if strings.HasPrefix(name, "nodejs") {
		key = "node"
	}
	i.mu.Lock()
	defer i.mu.Unlock()
	found := i.found[key]
	return strings.HasPrefix(name, "provided.") || found != nil && found.err == nil
}

func (i *Installed) node(ctx context.Context, name string) (*Runtime, error) {
	found := i.look(ctx, []string{"node"}, "-p", "process.execPath+'\\n'+process.versions.node")
	if found.err != nil {
		return nil, fmt.Errorf("the runtime %s needs Node.js: install it and put node on PATH (%w)", name, found.err)
	}
	dir := filepath.Join(i.dir, "node")
	r := &Runtime{Name: name, Dir: dir, Managed: true, early: true, command: []string{found.path, sourceMaps, filepath.Join(dir, "bootstrap.mjs")}}
	wanted := strings.TrimSuffix(strings.TrimPrefix(name, "nodejs"), ".x")
	if major, _, _ := strings.Cut(found.version, "."); major != wanted {
		r.Warning = fmt.Sprintf("%s runs on the Node.js of this machine, %s", name, found.version)
	}
	return r, nil
}

func (i *Installed) python(ctx context.Context, name string) (*Runtime, error) {
	wanted := strings.TrimPrefix(name, "python")
	found := i.look(ctx, []string{name, "python3"}, "-c", "import sys,platform;print(sys.executable);print(platform.python_version())")
	if found.err != nil {
		return nil, fmt.Errorf("the runtime %s needs Python: install it and put python3 on PATH (%w)", name, found.err)
	}
	// -u: lines are logged when they are printed. -B: the code is read-only.
	dir := filepath.Join(i.dir, "python")
	r := &Runtime{Name: name, Dir: dir, Managed: true, command: []string{found.path, "-u", "-B", filepath.Join(dir, "bootstrap.py")}}
	if !strings.HasPrefix(found.version, wanted+".") {
		r.Warning = fmt.Sprintf("%s runs on the Python of this machine, %s", name, found.version)
	}
	return r, nil
}

// look finds the first of some programs that runs, and asks it for its real
// path (what is on PATH may be a slow wrapper of a version manager) and its
// version.
func (i *Installed) look(ctx context.Context, names []string, ask ...string) *interpreter {
	i.mu.Lock()
	defer i.mu.Unlock()
	key := names[0]
	if found, ok := i.found[key]; ok && found.err == nil {
		return found
	}
	found := &interpreter{err: fmt.Errorf("%s is not on PATH", names[len(names)-1])}
	for _, name := range names {
		path, err := exec.LookPath(name)
		if err != nil {
			continue
		}
		cmd := exec.CommandContext(ctx, path, ask...)
		cmd.Dir = i.dir
		out, err := cmd.Output()
		lines := strings.Split(strings.TrimSpace(string(out)), "\n")
		if err == nil && len(lines) == 2 {
			found = &interpreter{path: lines[0], version: lines[1]}
			break
		}
		found.err = fmt.Errorf("%s does not start: %v", path, err)
	}
	i.found[key] = found
	return found
}

// Start returns the command that starts the runtime; optDir is where layers
// are unpacked, or empty. The wrapper is the value
// of AWS_LAMBDA_EXEC_WRAPPER, which managed runtimes heed; paths in it below
// /var/task and /opt mean the unpacked code and layers.
func (r *Runtime) Start(taskRoot, optDir, wrapper string) []string {
	if !r.Managed {
		return []string{bootstrap(taskRoot, optDir)}
	}
	command := r.command
	if optDir != "" {
		command = append(slices.Clone(command), optDir)
	}
	if wrapper == "" {
		return command
	}
	if rest, ok := strings.CutPrefix(wrapper, "/var/task/"); ok {
		wrapper = filepath.Join(taskRoot, rest)
	}
	if rest, ok := strings.CutPrefix(wrapper, "/opt/"); ok && optDir != "" {
		wrapper = filepath.Join(optDir, rest)
	}
	return append([]string{"/bin/sh", "-c", `exec "$0" "$@"`, wrapper}, command...)
}

// Early reports whether the runtime may be started before it is known which
// function it runs: whether none of the function's own variables is one that the C
// library, Node.js or a library in it looks at only when the process starts.
func (r *Runtime) Early(variables map[string]string) bool {
	for name, value := range variables {
		if name == "NODE_OPTIONS" && value == sourceMaps {
			continue // it is started with that
		}
		for _, prefix := range []string{"AWS_LAMBDA_EXEC_WRAPPER", "NODE_", "LD_", "UV_", "OPENSSL_", "SSL_", "ICU_", "LC_", "LANG", "TZ", "MALLOC_", "GLIBC_", "NO_COLOR", "FORCE_COLOR"} {
			if strings.HasPrefix(name, prefix) {
				return false
			}
		}
	}
	return r.early
}

// bootstrap is the code's own, or else a layer's.
func bootstrap(taskRoot, optDir string) string {
	own := filepath.Join(taskRoot, "bootstrap")
	if _, err := os.Stat(own); err != nil && optDir != "" {
		if layers := filepath.Join(optDir, "bootstrap"); exists(layers) {
			return layers
		}
	}
	return own
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}
