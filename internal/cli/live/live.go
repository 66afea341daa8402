// Package live is "roost start": an app that runs on this machine, and is deployed
// again after each edit.
//
//	err := command.Run(ctx, s) // command is a *live.Command that kong has filled in
//
// A start that finds all as an earlier one has noted it serves first, and looks at
// the app's program afterwards.
package live

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"runtime/debug"
	"sync"

	"github.com/seed-615d3599/roost/internal/assembly"
	"github.com/seed-615d3599/roost/internal/cli/embedded"
	"github.com/seed-615d3599/roost/internal/cli/session"
	"github.com/seed-615d3599/roost/internal/cli/target"
	"github.com/seed-615d3599/roost/internal/config"
	"github.com/seed-615d3599/roost/internal/deploy"
	"github.com/seed-615d3599/roost/internal/region"
	"github.com/seed-615d3599/roost/internal/synth"
	"github.com/seed-615d3599/roost/internal/watch"
)

// Command is what can be asked of a start.
type Command struct {
	Dir          string       `arg:"" optional:"" default:"." help:"The app's folder."`
	Stage        string       `help:"The stage; by default the one in roost.json, or dev."`
	Port         int          `default:"4000" help:"The region's port; the Twitter stand-in takes the next one. 0 picks all ports."`
	Assembly     string       `placeholder:"DIR" help:"Serve this cloud assembly, such as cdk.out, instead of the app's own."`
	Twitter      string       `placeholder:"URL" help:"Verify tokens at this Twitter, such as https://api.twitter.com, instead of the stand-in."`
	OutputsFile  string       `placeholder:"FILE" help:"Write the outputs to a file when the stage is ready."`
	AllowReplace []string     `placeholder:"ID" help:"The logical id of a resource that may be replaced or removed although identities live in it or it is marked Retain."`
	JSON         session.JSON `help:"Print JSON objects, one to a line."`
	embedded.FunctionFlags
	debugFlags
}

// Run brings the app up and stays until it is interrupted.
func (c *Command) Run(ctx context.Context, s *session.Session) (err error) {
	s.Term.Event("timing", session.Timing{Step: "load the program", At: s.Began})
	s.Done("read the command line")
	if err := errors.Join(embedded.CheckPort("--port", c.Port), c.Check()); err != nil {
		return err
	}
	app, err := synth.Load(c.Dir, c.Stage, c.Assembly)
	if err != nil {
		return err
	}
	app.ForLocal()
	if err := errors.Join(embedded.RefuseSecond(app.RegionFile()), target.ForgetOutputs(c.OutputsFile)); err != nil {
		return err
	}
	debugged, err := c.debugging(app)
	if err != nil {
		return err
	}
	defer debugged.close()
	s.Done("read the app's settings")
	s.Term.Banner("Deploying app")
	live := &liveApp{Session: s, app: app, outputsFile: c.OutputsFile, allow: c.AllowReplace, debug: debugged}
	live.source = synth.New(synth.Config{App: app, Assembly: c.Assembly, Local: true, Live: true, Debug: debugged != nil,
		Written: absolute(c.OutputsFile), Environ: s.Env, Print: live.progress, Warn: s.Term.Warn})
	live.watch = sync.OnceValues(func() (*watch.Watcher, error) { return watch.New(watch.Config{Roots: live.source.Roots()}) })
	settings := embedded.Settings{App: app, Port: c.Port, Twitter: c.Twitter, Functions: c.FunctionFlags}
	if debugged != nil {
		settings.Debug = debugged.Debugger
	}
	return live.run(ctx, settings)
}

// absolute returns the absolute name of a file; empty stays.
func absolute(name string) string {
	if name == "" {
		return ""
	}
	if abs, err := filepath.Abs(name); err == nil {
		return abs
	}
	return name
}

// A liveApp is deployed again after each edit.
type liveApp struct {
	*session.Session
	app         *config.App
	source      synth.Source
	region      *region.Region // set when it has started
	target      *target.Target // the same
	outputsFile string
	allow       []string   // as target.Target.AllowReplace
	debug       *debugging // nil: nothing is debugged
	quiet       bool       // nobody wants to know that the assembly is being made

	// watch begins to watch the app's files, the first time that it is called. It
	// is called before they are read, so that no edit is missed; what keeps it
	// from beginning is told better by what reads the files.
	watch func() (*watch.Watcher, error)
}

// progress prints what a person waits for.
func (l *liveApp) progress(line string) {
	if !l.quiet {
		l.Term.Print(line)
	}
}

// startGC is the garbage collector's percentage while the region starts: what
// is allocated then mostly stays.
const startGC = 800

// run starts the region, brings the app to it and follows edits.
func (l *liveApp) run(ctx context.Context, settings embedded.Settings) (err error) {
	usual := debug.SetGCPercent(startGC)
	b, err := l.begin(ctx, settings)
	debug.SetGCPercent(usual)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, b.region.Close()) }()
	if b.standing != nil {
		return l.resume(ctx, b)
	}
	watcher, err := l.watch()
	if err != nil {
		return fmt.Errorf("watch the app's files: %w", err)
	}
	defer watcher.Close()
	if err := l.target.Deploy(ctx, b.made, l.outputsFile); err != nil {
		return err
	}
	if l.debug != nil {
		if err := l.debug.ready(ctx, l.Session, true); err != nil {
			return err
		}
	}
	if err := l.note(ctx, b.made); err != nil {
		l.Term.Warn("the next start will take its full time: " + err.Error())
	}
	open, signed := routes(b.made)
	printNext(l.Session, l.app, b.region.Info, open, signed)
	return l.follow(ctx, watcher)
}

// begun is what a start has when the region runs: an assembly, or else the note
// by which the stage stands already, with the results of its deployment.
type begun struct {
	region   *embedded.Started
	made     *assembly.Assembly
	standing *standing
	results  []deploy.Result
}

// begin starts the region and, at the same time, sees that nothing has changed
// or makes the assembly.
func (l *liveApp) begin(ctx context.Context, settings embedded.Settings) (b begun, err error) {
	var failed error
	var both sync.WaitGroup
	both.Go(func() {
		if b.standing = l.unchanged(); b.standing == nil {
			b.made, err = l.assemble(ctx)
		}
		l.Done("look at the app's files")
	})
	b.region, failed = embedded.Start(ctx, l.Session, settings) // not beside: it is what a start waits for
	both.Wait()
	if failed == nil {
		l.region, l.target = b.region.Region, target.Of(l.Session, l.app, b.region.Info)
		l.target.AllowReplace = l.allow
		if l.debug != nil {
			l.debug.region = b.region
		}
	}
	if err == nil && failed == nil && b.standing != nil {
		var stands bool
		if b.results, stands = l.stands(ctx, b.standing); !stands {
			b.standing = nil
			b.made, err = l.assemble(ctx)
		}
	}
	if err == nil && failed == nil {
		return b, nil
	}
	if failed == nil {
		failed = b.region.Close()
	}
	return begun{}, errors.Join(err, failed)
}

// assemble makes the assembly of files that are being watched.
func (l *liveApp) assemble(ctx context.Context) (*assembly.Assembly, error) {
	_, _ = l.watch() // whoever follows edits looks at the error
	return l.source.Assemble(ctx)
}

// follow deploys edits until ctx ends, which is how a start ends well. An edit
// that fails is told, and what was deployed goes on.
func (l *liveApp) follow(ctx context.Context, watcher *watch.Watcher) error {
	for {
		select {
		case <-ctx.Done():
			l.Term.Print("\nStopping")
			return nil
		case changed, open := <-watcher.Changes():
			if !open {
				return errors.New("the watching of the app's files has ended")
			}
			l.tellEdit(ctx, l.edit(ctx, changed))
		}
	}
}

// tellEdit tells of an edit that failed.
func (l *liveApp) tellEdit(ctx context.Context, err error) {
	if err == nil || ctx.Err() != nil {
		return
	}
	if !errors.Is(err, session.ErrReported) {
		l.Term.Error(err)
	}
	l.Term.Note("The app goes on as it was before this edit.")
}

// edit brings changed files to the region.
func (l *liveApp) edit(ctx context.Context, changed []string) error {
	made, err := l.source.Edited(ctx, changed)
	if err != nil || made == nil {
		return err
	}
	if err := l.target.Deploy(ctx, made, l.outputsFile); err != nil || l.debug == nil {
		return err
	}
	return l.debug.ready(ctx, l.Session, false)
}
