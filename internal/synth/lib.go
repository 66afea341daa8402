package synth

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/seed-615d3599/roost"
	"github.com/seed-615d3599/roost/internal/assembly"
	"github.com/seed-615d3599/roost/internal/build"
	"github.com/seed-615d3599/roost/internal/config"
	"github.com/seed-615d3599/roost/internal/scaffold"
)

// libFolder is where the program lies that describes an app.
const libFolder = "lib"

// Preparing is the line at the beginning of making an app's assembly.
const Preparing = "Preparing your app"

// libApp is an app that a Go program describes.
type libApp struct {
	Config
	builder *build.Builder
	builds  []*roost.Build // of the last synthesis that succeeded
	before  string         // inside, when the last Assemble began; empty where that is not known
}

func newLibApp(cfg Config) *libApp {
	return &libApp{Config: cfg, builder: build.New(build.Config{
		App: cfg.App.Dir, Cache: cfg.App.CacheDir(), AWS: !cfg.Local, Absolute: cfg.Live, Debug: cfg.Debug, Environ: cfg.Environ})}
}

// Assemble runs the app's program, builds its functions and writes the
// assembly. Nothing of an earlier assembly is touched before all has succeeded.
func (l *libApp) Assemble(ctx context.Context) (*assembly.Assembly, error) {
	l.Print(Preparing)
	l.before = ""
	if l.Live {
		l.before, _ = l.inside() // an error leaves it unknown
	}
	if err := l.synth(ctx); err != nil {
		return nil, err
	}
	made, err := l.finish(ctx)
	if err == nil {
		err = l.builder.Prune(time.Now().Add(-cacheTime))
	}
	return made, err
}

// cacheTime is how long the builds of earlier edits are kept.
const cacheTime = 7 * 24 * time.Hour

// synth runs the app's program, which writes templates and a list of builds.
func (l *libApp) synth(ctx context.Context) error {
	if sources, err := fs.Glob(os.DirFS(filepath.Join(l.App.Dir, libFolder)), "*.go"); err != nil || len(sources) == 0 {
		return &Error{"there is no Go program in " + filepath.Join(l.App.Dir, libFolder),
			"the program in lib describes the app: \"roost new DIR\" writes one, and \"--assembly DIR\" takes what other tools have synthesized"}
	}
	if _, err := scaffold.SDK(l.App.Dir); err != nil {
		return fmt.Errorf("write the construct package: %w", err)
	}
	program, err := l.builder.Program(ctx, libFolder)
	if err != nil {
		return err
	}
	if err := l.runProgram(ctx, program.Path); err != nil {
		return err
	}
	list, err := assembly.ReadBuilds(l.App.SynthDir())
	if err != nil {
		return err
	}
	l.builds = list.Builds
	return nil
}

// runProgram runs the app's program with the variables that package roost names.
func (l *libApp) runProgram(ctx context.Context, path string) error {
	cmd := exec.CommandContext(ctx, path)
	cmd.Dir = l.App.Dir
	cmd.Env = append(slices.Clone(l.Environ),
		"ROOST_NAME="+l.App.Name, "ROOST_STAGE="+l.App.Stage, "ROOST_REGION="+l.App.AWSRegion,
		"ROOST_ACCOUNT="+l.App.Account, "ROOST_DIR="+l.App.Dir, "ROOST_OUTPUT="+l.App.SynthDir(), "ROOST_LOCAL=")
	if l.Local {
		cmd.Env = append(cmd.Env, "ROOST_LOCAL=1")
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
		l.Warn(text)
	}
	return nil
}

// finish builds the functions and puts the assembly together.
func (l *libApp) finish(ctx context.Context) (*assembly.Assembly, error) {
	results, err := l.builder.Build(ctx, l.functions())
	if err != nil {
		return nil, l.declared(err)
	}
	zips := map[string]assembly.Zip{}
	for _, r := range results {
		zips[r.ID] = assembly.Zip{Path: r.Path, SHA256: r.Hash}
		for _, warning := range r.Warnings {
			l.Warn(warning.String())
		}
	}
	return assembly.Finish(l.App.SynthDir(), l.App.AssemblyDir(), zips)
}

// functions are the builds that the app's program has listed.
func (l *libApp) functions() []build.Function {
	var all []build.Function
	for _, b := range l.builds {
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
func (l *libApp) declared(err error) error {
	var e *build.Error
	if !errors.As(err, &e) || !e.Missing {
		return err
	}
	for _, b := range l.builds {
		if b.Entry == e.Entry && b.Declared != "" {
			return fmt.Errorf("%s: %w", b.Declared, err)
		}
	}
	return err
}

func (l *libApp) Roots() []string { return []string{l.App.Dir} }

// Edited brings an edit into the assembly. Settings are read again where they
// may have changed.
func (l *libApp) Edited(ctx context.Context, changed []string) (*assembly.Assembly, error) {
	synth, builds := l.affected(changed)
	if !synth && !builds {
		return nil, nil
	}
	l.Print("Edited " + l.names(changed))
	if synth {
		app, err := config.Load(l.App.Dir, l.App.Stage)
		if err != nil {
			return nil, err
		}
		if l.Local {
			app.ForLocal()
		}
		*l.App = *app
		if err := l.synth(ctx); err != nil {
			return nil, err
		}
	}
	return l.finish(ctx)
}

// names returns changed files for a person.
func (l *libApp) names(changed []string) string {
	first := changed[0]
	if rel, err := filepath.Rel(l.App.Dir, first); err == nil {
		first = rel
	}
	if len(changed) == 1 {
		return first
	}
	return fmt.Sprintf("%s and %d more", first, len(changed)-1)
}

// affected reports what an edit of files asks for: a synthesis, which settings,
// the program in lib and new or removed handlers need, or else only builds.
func (l *libApp) affected(changed []string) (synth, builds bool) {
	if _, err := os.Stat(filepath.Join(l.App.SynthDir(), "builds.json")); err != nil {
		return true, true // the stage was removed meanwhile
	}
	settings := append(l.App.EnvFiles(), filepath.Join(l.App.Dir, "roost.json"), filepath.Join(l.App.Dir, "sst.json"))
	for _, name := range changed {
		if slices.Contains(settings, name) || name == l.App.Dir {
			return true, true
		}
	}
	if len(l.builder.Affected([]build.Function{build.ProgramFunction(libFolder)}, changed)) > 0 {
		return true, true
	}
	// A handler's file that comes or goes may change what a handler means.
	for _, b := range l.builds {
		if _, err := os.Stat(filepath.Join(l.App.Dir, filepath.FromSlash(b.Entry))); err != nil {
			return true, true
		}
		for _, name := range changed {
			if sameStem(l.App.Dir, b.Entry, name) {
				return true, true
			}
		}
	}
	return false, len(l.builder.Affected(l.functions(), changed)) > 0
}

// sameStem reports whether a changed file differs from an entry in its ending
// only, as private.ts from private.js, so that a handler may now mean it.
func sameStem(dir, entry, changed string) bool {
	file := filepath.Join(dir, filepath.FromSlash(entry))
	stem := strings.TrimSuffix(file, filepath.Ext(file))
	return changed != file && strings.TrimSuffix(changed, filepath.Ext(changed)) == stem
}
