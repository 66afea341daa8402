package cli

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"github.com/seed-615d3599/roost"
	"github.com/seed-615d3599/roost/internal/assembly"
	"github.com/seed-615d3599/roost/internal/build"
	"github.com/seed-615d3599/roost/internal/config"
	"github.com/seed-615d3599/roost/internal/scaffold"
	"github.com/seed-615d3599/roost/internal/term"
)

// libFolder is where the program lies that describes an app.
const libFolder = "lib"

// A workshop turns an app into an assembly, again after each edit.
type workshop struct {
	app     *config.App
	env     []string
	local   bool // for the embedded region
	builder *build.Builder
	term    *term.Printer

	builds []*roost.Build // of the last synthesis that succeeded
}

// newWorkshop returns a workshop. live says that edits will follow, for which
// source maps name the files on this machine.
func (s *session) newWorkshop(app *config.App, local, live bool) *workshop {
	return &workshop{app: app, env: s.env, local: local, term: s.term,
		builder: build.New(build.Config{App: app.Dir, Cache: app.CacheDir(), AWS: !local, Absolute: live, Environ: s.env})}
}

// assemble runs the app's program, builds its functions and writes the
// assembly. Nothing of an earlier assembly is touched before all has succeeded.
func (w *workshop) assemble(ctx context.Context) (*assembly.Assembly, error) {
	w.term.Print("Preparing your app")
	if err := w.synth(ctx); err != nil {
		return nil, err
	}
	return w.finish(ctx)
}

// synth runs the app's program, which writes templates and a list of builds.
func (w *workshop) synth(ctx context.Context) error {
	if sources, err := filepath.Glob(filepath.Join(w.app.Dir, libFolder, "*.go")); err != nil || len(sources) == 0 {
		return term.WithHint(fmt.Errorf("there is no Go program in %s", filepath.Join(w.app.Dir, libFolder)),
			"the program in lib describes the app: \"roost new DIR\" writes one, and \"--assembly DIR\" takes what other tools have synthesized")
	}
	if _, err := scaffold.SDK(w.app.Dir); err != nil {
		return fmt.Errorf("write the construct package: %w", err)
	}
	program, err := w.builder.Program(ctx, libFolder)
	if err != nil {
		return err
	}
	if err := w.runProgram(ctx, program.Path); err != nil {
		return err
	}
	list, err := assembly.ReadBuilds(w.app.SynthDir())
	if err != nil {
		return err
	}
	w.builds = list.Builds
	return nil
}

// runProgram runs the app's program with the variables that package roost names.
func (w *workshop) runProgram(ctx context.Context, path string) error {
	cmd := exec.CommandContext(ctx, path)
	cmd.Dir = w.app.Dir
	cmd.Env = append(slices.Clone(w.env),
		"ROOST_NAME="+w.app.Name, "ROOST_STAGE="+w.app.Stage, "ROOST_REGION="+w.app.AWSRegion,
		"ROOST_ACCOUNT="+w.app.Account, "ROOST_DIR="+w.app.Dir, "ROOST_OUTPUT="+w.app.SynthDir(), "ROOST_LOCAL=")
	if w.local {
		// The embedded region has an account of its own.
		cmd.Env = append(cmd.Env, "ROOST_LOCAL=1", "ROOST_ACCOUNT=")
	}
	var said bytes.Buffer
	cmd.Stderr = &said
	err := cmd.Run()
	text := strings.TrimSpace(said.String())
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case err != nil && text != "":
		return errors.New(text) // it names file, line and remedy
	case err != nil:
		return fmt.Errorf("run the program in %s: %w", libFolder, err)
	case text != "":
		w.term.Note(term.Clean(text))
	}
	return nil
}

// finish builds the functions and puts the assembly together.
func (w *workshop) finish(ctx context.Context) (*assembly.Assembly, error) {
	results, err := w.builder.Build(ctx, w.functions())
	if err != nil {
		return nil, w.declared(err)
	}
	zips := map[string]string{}
	for _, r := range results {
		zips[r.ID] = r.Path
		for _, warning := range r.Warnings {
			w.term.Warn(warning.String())
		}
	}
	return assembly.Finish(w.app.SynthDir(), w.app.AssemblyDir(), zips)
}

// functions are the builds that the app's program has listed.
func (w *workshop) functions() []build.Function {
	var all []build.Function
	for _, b := range w.builds {
		f := build.Function{ID: b.Placeholder, Kind: build.Kind(b.Kind), Entry: b.Entry, Root: b.Root,
			Handler: b.Handler, Out: b.Out, Runtime: b.Runtime, Architecture: b.Architecture}
		if o := b.Bundle; o != nil {
			f.Bundle = &build.Bundle{Format: o.Format, External: o.External, Minify: o.Minify,
				SourceMap: o.SourceMap, Loader: o.Loader, Define: o.Define}
		}
		all = append(all, f)
	}
	return all
}

// declared adds to a build error whose entry is not there where the app asks
// for it.
func (w *workshop) declared(err error) error {
	var e *build.Error
	if !errors.As(err, &e) || !e.Missing {
		return err
	}
	for _, b := range w.builds {
		if b.Entry == e.Entry && b.Declared != "" {
			return fmt.Errorf("%s: %w", b.Declared, err)
		}
	}
	return err
}

func (w *workshop) roots() []string { return []string{w.app.Dir} }

// edited brings an edit into the assembly. Settings are read again where they
// may have changed.
func (w *workshop) edited(ctx context.Context, changed []string) (*assembly.Assembly, error) {
	synth, builds := w.affected(changed)
	if !synth && !builds {
		return nil, nil
	}
	w.term.Printf("Edited %s", w.names(changed))
	if synth {
		app, err := config.Load(w.app.Dir, w.app.Stage)
		if err != nil {
			return nil, err
		}
		*w.app = *app
		if err := w.synth(ctx); err != nil {
			return nil, err
		}
	}
	return w.finish(ctx)
}

// names returns changed files for a person.
func (w *workshop) names(changed []string) string {
	first := changed[0]
	if rel, err := filepath.Rel(w.app.Dir, first); err == nil {
		first = rel
	}
	if len(changed) == 1 {
		return first
	}
	return fmt.Sprintf("%s and %d more", first, len(changed)-1)
}

// affected reports what an edit of files asks for: a synthesis, which settings,
// the program in lib and new or removed handlers need, or else only builds.
func (w *workshop) affected(changed []string) (synth, builds bool) {
	if _, err := os.Stat(filepath.Join(w.app.SynthDir(), "builds.json")); err != nil {
		return true, true // the stage was removed meanwhile
	}
	settings := append(w.app.EnvFiles(), filepath.Join(w.app.Dir, "roost.json"), filepath.Join(w.app.Dir, "sst.json"))
	for _, name := range changed {
		if slices.Contains(settings, name) || name == w.app.Dir {
			return true, true
		}
	}
	if len(w.builder.Affected([]build.Function{build.ProgramFunction(libFolder)}, changed)) > 0 {
		return true, true
	}
	// A handler's file that comes or goes may change what a handler means.
	for _, b := range w.builds {
		if _, err := os.Stat(filepath.Join(w.app.Dir, filepath.FromSlash(b.Entry))); err != nil {
			return true, true
		}
		for _, name := range changed {
			if sameStem(w.app.Dir, b.Entry, name) {
				return true, true
			}
		}
	}
	return false, len(w.builder.Affected(w.functions(), changed)) > 0
}

// sameStem reports whether a changed file differs from an entry in its ending
// only, as private.ts from private.js, so that a handler may now mean it.
func sameStem(dir, entry, changed string) bool {
	file := filepath.Join(dir, filepath.FromSlash(entry))
	stem := strings.TrimSuffix(file, filepath.Ext(file))
	return changed != file && strings.TrimSuffix(changed, filepath.Ext(changed)) == stem
}
