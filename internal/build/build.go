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
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"

	"github.com/evanw/esbuild/pkg/api"
	"golang.org/x/sync/errgroup"
)

// Kind is how a function is built.
type Kind string

// The kinds of functions.
const (
	Go     Kind = "go"
	Node   Kind = "node"
	Python Kind = "python"
)

// Function is one function to build. Paths are below the app's folder and have
// forward slashes.
type Function struct {
	// ID is the caller's name for it, handed back in the Result.
	ID string
	// Kind is required.
	Kind Kind
	// Entry is the folder of a Go main package, or the source file.
	Entry string
	// Root is the folder whose content becomes the root of the zip: for Python
	// required, for Node only where nothing is bundled, for Go empty.
	Root string
	// Handler is as Lambda gets it, "private.main". What follows the last dot
	// must be exported by the file.
	Handler string
	// Out is the main file's path in the zip: "bootstrap", "private.js".
	Out string
	// Runtime is Lambda's name of the runtime: provided.al2023, nodejs22.x,
	// python3.13.
	Runtime string
	// Architecture is Lambda's: arm64 (the default) or x86_64. It counts only
	// where the target is AWS.
	Architecture string
	// Bundle is how Node code is bundled; nil means not at all.
	Bundle *Bundle
}

// Bundle is how JavaScript and TypeScript are put into one file.
type Bundle struct {
	// Format is "cjs" (the default) or "esm".
	Format string
	// External lists modules that stay outside, because a layer brings them.
	External []string
	// Minify shortens names and leaves out white space.
	Minify bool
	// SourceMap puts beside the file the map by which stack traces name the
	// sources.
	SourceMap bool
	// Loader is esbuild's loader by file ending, as in {".html": "text"}.
	Loader map[string]string
	// Define replaces expressions, as in {"DEBUG": "false"}.
	Define map[string]string
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
	// Debug builds for debuggers: Go without optimizations and with its symbols,
	// JavaScript with source maps and not minified.
	Debug bool
	// Absolute makes source maps name the sources by their path on this
	// machine, so that stack traces and debuggers lead to them. Zips are then
	// the same only for the same folder.
	Absolute bool
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
	if err := b.settle(ctx, jobs); err != nil {
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
// counts. Paths may be absolute or below the app's folder, and lead over links.
func (b *Builder) Affected(functions []Function, changed []string) []Function {
	var paths []string
	for _, p := range changed {
		p = b.abs(p)
		paths = append(paths, p)
		if real, err := filepath.EvalSymlinks(filepath.Dir(p)); err == nil && real != filepath.Dir(p) {
			paths = append(paths, filepath.Join(real, filepath.Base(p)))
		}
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
	key    string
	rec    *record
	cached bool
}

// plan sees that the entries are there, and what is to be built only once.
func (b *Builder) plan(functions []Function) ([]*job, map[string]*job, error) {
	var jobs []*job
	var problems []error
	byKey := map[string]*job{}
	for _, f := range functions {
		key := b.key(f)
		if byKey[key] != nil {
			continue
		}
		f.Entry, f.Root = path.Clean(f.Entry), path.Clean(f.Root)
		j := &job{Function: f, key: key}
		byKey[key] = j
		if err := b.check(j); err != nil {
			b.forget(key)
			problems = append(problems, err)
			continue
		}
		jobs = append(jobs, j)
	}
	return jobs, byKey, errors.Join(problems...)
}

// maxUnsettled is how often a build is done again because its inputs were
// written meanwhile.
const maxUnsettled = 5

// settle runs the jobs, and again those whose inputs were written while they
// ran: what they have built may be half of one version and half of another.
func (b *Builder) settle(ctx context.Context, jobs []*job) error {
	for range maxUnsettled {
		if err := b.run(ctx, jobs); err != nil {
			return err
		}
		jobs = slices.DeleteFunc(slices.Clone(jobs), func(j *job) bool { return j.rec.Fingerprint != unsettled })
		if len(jobs) == 0 {
			break
		}
	}
	return nil
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
		if j.Kind == Go {
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
	switch {
	case j.Kind == Python:
		return b.buildPython(ctx, j)
	case j.Bundle == nil:
		return b.zipNode(j)
	}
	return b.buildNode(j)
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

// check sees that a function's entry lies in the app and is there.
func (b *Builder) check(j *job) error {
	fail := func(text, remedy string) error {
		return &Error{Entry: j.Entry, Problems: []Problem{{Text: text}}, Remedy: remedy, Missing: true}
	}
	if j.Kind != Go && j.Kind != Node && j.Kind != Python {
		return fail(fmt.Sprintf("functions of the kind %q can't be built", j.Kind), "use Go, JavaScript, TypeScript or Python")
	}
	if !fs.ValidPath(j.Entry) || !fs.ValidPath(j.Root) {
		return fail("it lies outside the app's folder", "write a path below the app's folder, without ..")
	}
	if j.Bundle != nil {
		for ending, name := range j.Bundle.Loader {
			if loader(name) == api.LoaderNone {
				return fail(fmt.Sprintf("esbuild has no loader %q for %s", name, ending), "use one of https://esbuild.github.io/content-types")
			}
		}
	}
	info, err := os.Stat(b.abs(j.Entry))
	switch {
	case j.Kind == Go && (err != nil || !info.IsDir()):
		return fail("there is no such folder", "make it, with a Go main package, or correct the handler in the app")
	case j.Kind != Go && (err != nil || !info.Mode().IsRegular()):
		return fail("there is no such file", "make it, or correct the handler in the app")
	}
	return nil
}

// export is what the entry's file must export.
func (f Function) export() string {
	return f.Handler[strings.LastIndex(f.Handler, ".")+1:]
}
