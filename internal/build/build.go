// Package build turns the functions of an app into zips that Lambda takes.
//
// A Builder is made once for an app and a target and is asked again after each
// edit:
//
//	b := build.New(build.Config{App: dir, Cache: filepath.Join(dir, ".roost", "cache")})
//	results, err := b.Build(ctx, functions)
//	…
//	b.Affected(functions, []string{"src/private.ts"}) // the ones to build again
//
// Go functions are compiled with the user's own toolchain, module and cache,
// JavaScript and TypeScript are bundled in process, and Python folders are
// zipped together with what their requirements.txt asks for. The same inputs
// give the same zip, bit for bit: entries are sorted, times are fixed, and
// nothing of the machine's paths is written into it. What has not changed
// since the last time, in this process or an earlier one, is not built again.
//
// A build that fails returns an *Error, which holds file, line, column and the
// compiler's own words. Several failing builds are joined by errors.Join.
package build

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"runtime"
	"strings"
	"sync"

	"golang.org/x/sync/errgroup"
)

// Function is one function to build.
type Function struct {
	// ID is the caller's name for it, handed back in the Result.
	ID string
	// Handler is a folder with a Go main package ("src/private") or a file
	// and what it exports ("src/private.main" for src/private.ts, .js or .py),
	// below the app's folder, with forward slashes.
	Handler string
	// Runtime is Lambda's name of the runtime: provided.al2023, nodejs22.x,
	// python3.13. Empty means that the files decide.
	Runtime string
	// Architecture is Lambda's: arm64 (the default) or x86_64. It counts only
	// where the target is AWS.
	Architecture string
	// External lists modules that a JavaScript bundle leaves out, because a
	// layer brings them.
	External []string
	// Format is "cjs" or "esm" for a JavaScript bundle. Empty means cjs, and
	// esm for a handler in an .mjs or .mts file.
	Format string
}

// Result is a function that has been built.
type Result struct {
	// ID is the function's.
	ID string
	// Hash is the zip's SHA-256 in lower-case hexadecimal.
	Hash string
	// Path is where the zip lies. It stays there until Prune.
	Path string
	// Cached says that nothing had to be built.
	Cached bool
	// Warnings are what a compiler said without failing.
	Warnings []Problem
}

// Config says where an app is and whom it is built for. App is required.
type Config struct {
	// App is the app's folder.
	App string
	// Cache is the folder for zips and for what is known about them.
	// Empty means App/.roost/cache.
	Cache string
	// AWS builds for Lambda in AWS (Linux and the function's architecture)
	// rather than for this machine.
	AWS bool
	// Environ is the environment of compilers. Nil means this process's.
	Environ []string
	// Parallel bounds how many functions are built at once. 0 means one for
	// each processor.
	Parallel int
}

// A Builder builds functions and remembers what they were built from. Its
// methods may be called from several goroutines.
type Builder struct {
	cfg Config

	mu    sync.Mutex
	built map[string]*record // by key; a function that failed last is not here
}

// New returns a Builder. Nothing is read or written before the first Build.
func New(cfg Config) *Builder {
	if abs, err := filepath.Abs(cfg.App); err == nil {
		cfg.App = abs
	}
	// Compilers name files by their real path; so must we, to compare.
	if real, err := filepath.EvalSymlinks(cfg.App); err == nil {
		cfg.App = real
	}
	if cfg.Cache == "" {
		cfg.Cache = filepath.Join(cfg.App, ".roost", "cache")
	}
	if cfg.Environ == nil {
		cfg.Environ = os.Environ()
	}
	if cfg.Parallel <= 0 {
		cfg.Parallel = runtime.NumCPU()
	}
	return &Builder{cfg: cfg, built: map[string]*record{}}
}

// Build builds the functions and returns their results in the same order.
// Functions that several entries name with the same settings are built once.
func (b *Builder) Build(ctx context.Context, functions []Function) ([]Result, error) {
	jobs, byKey, err := b.plan(functions)
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(b.cfg.Cache, 0o755); err != nil {
		return nil, fmt.Errorf("make the build cache: %w", err)
	}
	if err := b.run(ctx, jobs); err != nil {
		return nil, err
	}
	results := make([]Result, len(functions))
	for i, f := range functions {
		j := byKey[b.key(f)]
		results[i] = Result{ID: f.ID, Hash: j.rec.Hash, Path: b.zipPath(j.rec.Hash), Cached: j.cached, Warnings: j.rec.Warnings}
	}
	return results, nil
}

// Affected returns those of the functions that an edit of the given files can
// change. A function that was never built, or whose last build failed, always
// counts. Paths may be absolute or below the app's folder.
func (b *Builder) Affected(functions []Function, changed []string) []Function {
	paths := make([]string, len(changed))
	for i, p := range changed {
		paths[i] = b.abs(p)
	}
	var affected []Function
	for _, f := range functions {
		b.mu.Lock()
		rec := b.built[b.key(f)]
		b.mu.Unlock()
		if rec == nil || rec.Inputs.touchedBy(paths) {
			affected = append(affected, f)
		}
	}
	return affected
}

// A job is one build that several functions may share.
type job struct {
	Function
	kind   kind
	key    string
	file   string // the handler's file or folder, absolute
	export string // what the file must export; empty for Go
	rec    *record
	cached bool
}

// plan finds the handlers' files and what was built earlier.
func (b *Builder) plan(functions []Function) ([]*job, map[string]*job, error) {
	var jobs []*job
	var problems []error
	byKey := map[string]*job{}
	for _, f := range functions {
		key := b.key(f)
		if byKey[key] != nil {
			continue
		}
		j := &job{Function: f, key: key}
		byKey[key] = j
		if err := b.locate(j); err != nil {
			b.forget(key)
			problems = append(problems, err)
			continue
		}
		jobs = append(jobs, j)
	}
	return jobs, byKey, errors.Join(problems...)
}

// run builds what is not up to date: the Go functions together, because one go
// command shares the work on their common packages, and the others one by one,
// a bounded number at a time.
func (b *Builder) run(ctx context.Context, jobs []*job) error {
	var goJobs []*job
	errs := make([]error, len(jobs)+1)
	group := new(errgroup.Group)
	group.SetLimit(b.cfg.Parallel + 1)
	for i, j := range jobs {
		if j.rec = b.upToDate(j); j.rec != nil {
			j.cached = true
			b.remember(j.key, j.rec)
			continue
		}
		b.forget(j.key)
		if j.kind == kindGo {
			goJobs = append(goJobs, j)
			continue
		}
		group.Go(func() error {
			errs[i] = b.buildOne(ctx, j)
			return nil
		})
	}
	group.Go(func() error {
		errs[len(jobs)] = b.buildGo(ctx, goJobs)
		return nil
	})
	group.Wait() //nolint:errcheck // the functions keep their errors in errs
	return errors.Join(errs...)
}

func (b *Builder) buildOne(ctx context.Context, j *job) error {
	if j.kind == kindPython {
		return b.buildPython(ctx, j)
	}
	return b.buildJavaScript(j)
}

// abs returns a path below the app's folder as an absolute one.
func (b *Builder) abs(name string) string {
	if filepath.IsAbs(name) {
		return filepath.Clean(name)
	}
	return filepath.Join(b.cfg.App, filepath.FromSlash(name))
}

// rel returns a path as people read it: below the app's folder if it is.
func (b *Builder) rel(name string) string {
	if r, err := filepath.Rel(b.cfg.App, b.abs(name)); err == nil && !strings.HasPrefix(r, "..") {
		return filepath.ToSlash(r)
	}
	return name
}

// kind is how a function is built.
type kind string

const (
	kindGo         kind = "go"
	kindJavaScript kind = "javascript"
	kindPython     kind = "python"
)

// sources returns the extensions of a kind's handler files. The first that
// exists is taken, so that TypeScript comes before the JavaScript it may
// compile to.
func sources(k kind) []string {
	switch k {
	case kindJavaScript:
		return []string{".ts", ".tsx", ".mts", ".cts", ".js", ".jsx", ".mjs", ".cjs"}
	case kindPython:
		return []string{".py"}
	}
	return nil
}

// kindOfRuntime returns the kind for Lambda's name of a runtime.
func kindOfRuntime(name string) (kind, error) {
	switch {
	case name == "":
		return "", nil
	case strings.HasPrefix(name, "provided."):
		return kindGo, nil
	case strings.HasPrefix(name, "nodejs"):
		return kindJavaScript, nil
	case strings.HasPrefix(name, "python"):
		return kindPython, nil
	}
	return "", fmt.Errorf("the runtime %s cannot be built: use provided.al2023 (Go), nodejs22.x or python3.13", name)
}

// locate finds the file or folder that a handler means.
func (b *Builder) locate(j *job) error {
	k, err := kindOfRuntime(j.Runtime)
	if err != nil {
		return &Error{Handler: j.Handler, Problems: []Problem{{Text: err.Error()}}}
	}
	clean := path.Clean(j.Handler)
	if j.Handler == "" || path.IsAbs(clean) || clean == ".." || strings.HasPrefix(clean, "../") {
		return &Error{Handler: j.Handler, Problems: []Problem{{Text: "a handler lies inside the app's folder"}},
			Remedy: `write it as "src/private" (a Go folder) or "src/private.main" (a file and its export)`}
	}
	if k == "" || k == kindGo {
		if info, err := os.Stat(b.abs(clean)); err == nil && info.IsDir() {
			j.kind, j.file = kindGo, b.abs(clean)
			return nil
		}
	}
	if k == kindGo {
		return missing(j, fmt.Sprintf("there is no folder %s", clean), "make it a folder with a Go main package")
	}
	return b.locateFile(j, k, clean)
}

// locateFile finds the handler's file by the extensions of its kind.
func (b *Builder) locateFile(j *job, want kind, handler string) error {
	ext := path.Ext(handler)
	stem := strings.TrimSuffix(handler, ext)
	if ext == "" || ext == "." {
		return missing(j, fmt.Sprintf("there is no folder %s, and the name has no export", handler),
			fmt.Sprintf("make the folder with a Go main package, or name a file and its export, as in %q", handler+".main"))
	}
	var tried []string
	for _, k := range []kind{kindJavaScript, kindPython} {
		if want != "" && k != want {
			continue
		}
		for _, e := range sources(k) {
			file := b.abs(stem + e)
			if info, err := os.Stat(file); err == nil && info.Mode().IsRegular() {
				j.kind, j.file, j.export = k, file, ext[1:]
				return nil
			}
			tried = append(tried, e)
		}
	}
	return missing(j, fmt.Sprintf("there is no file %s with one of %s", stem, strings.Join(tried, " ")),
		"make the file, or correct the handler in the app")
}

func missing(j *job, text, remedy string) error {
	return &Error{Handler: j.Handler, Problems: []Problem{{Text: text}}, Remedy: remedy, Missing: true}
}
