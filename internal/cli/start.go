package cli

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"path/filepath"
	"runtime/debug"
	"sync"

	"github.com/seed-615d3599/roost/internal/assembly"
	"github.com/seed-615d3599/roost/internal/config"
	"github.com/seed-615d3599/roost/internal/deploy"
	"github.com/seed-615d3599/roost/internal/region"
	"github.com/seed-615d3599/roost/internal/synth"
	"github.com/seed-615d3599/roost/internal/term"
	"github.com/seed-615d3599/roost/internal/watch"
)

// regionSettings say how the embedded region is to be started.
type regionSettings struct {
	app     *config.App
	state   string // the folder of its state; empty means the app's
	port    int    // 0 picks
	twitter string // base URL of another Twitter than the stand-in
	// temporary says that the region lives for one command only, which wants
	// no lines of requests.
	temporary bool
	functions functionFlags
	debug     *debugging // nil: nothing is debugged
}

// functionFlags say how the embedded region runs functions.
type functionFlags struct {
	MaxEnvironments int  `placeholder:"N" help:"How many processes of functions may run at once; by default by cores and memory."`
	Isolate         bool `help:"Show functions Lambda's own paths, such as a /tmp of their own, by namespaces of Linux."`
}

func (f functionFlags) check() error {
	if f.MaxEnvironments < 0 {
		return usageError{fmt.Errorf("--max-environments %d: a number of processes is 1 or more", f.MaxEnvironments)}
	}
	return nil
}

// startedRegion is a region that runs in this process.
type startedRegion struct {
	*region.Region
	info  *config.Region
	close func() error
}

type startCommand struct {
	Dir          string   `arg:"" optional:"" default:"." help:"The app's folder."`
	Stage        string   `help:"The stage; by default the one in roost.json, or dev."`
	Port         int      `default:"4000" help:"The region's port; the Twitter stand-in takes the next one. 0 picks all ports."`
	Assembly     string   `placeholder:"DIR" help:"Serve this cloud assembly, such as cdk.out, instead of the app's own."`
	Twitter      string   `placeholder:"URL" help:"Verify tokens at this Twitter, such as https://api.twitter.com, instead of the stand-in."`
	OutputsFile  string   `placeholder:"FILE" help:"Write the outputs to a file when the stage is ready."`
	AllowReplace []string `placeholder:"ID" help:"The logical id of a resource that may be replaced or removed although identities live in it or it is marked Retain."`
	JSON         jsonFlag `help:"Print JSON objects, one to a line."`
	functionFlags
	debugFlags
}

// Run brings the app up and stays until it is interrupted.
func (c *startCommand) Run(ctx context.Context, s *session) (err error) {
	s.allowReplace = c.AllowReplace
	s.term.Event("timing", timing{"load the program", s.began})
	s.done("read the command line")
	if err := errors.Join(checkPort("--port", c.Port), c.check()); err != nil {
		return err
	}
	app, err := synth.Load(c.Dir, c.Stage, c.Assembly)
	if err != nil {
		return err
	}
	app.ForLocal()
	if err := errors.Join(s.refuseSecond(app.RegionFile()), forgetOutputs(c.OutputsFile)); err != nil {
		return err
	}
	debugged, err := c.debugging(app)
	if err != nil {
		return err
	}
	defer debugged.close()
	s.done("read the app's settings")
	s.term.Banner("Deploying app")
	live := &liveApp{session: s, app: app, outputsFile: c.OutputsFile, debug: debugged}
	live.source = synth.New(synth.Config{App: app, Assembly: c.Assembly, Local: true, Live: true, Debug: debugged != nil,
		Written: absolute(c.OutputsFile), Environ: s.env, Print: live.progress, Warn: s.term.Warn})
	live.watch = sync.OnceValues(func() (*watch.Watcher, error) { return watch.New(watch.Config{Roots: live.source.Roots()}) })
	return live.run(ctx, regionSettings{app: app, port: c.Port, twitter: c.Twitter, functions: c.functionFlags, debug: debugged})
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

func checkPort(flag string, port int) error {
	if port < 0 || port > 65535 {
		return usageError{fmt.Errorf("%s %d: a port is a number from 0 to 65535", flag, port)}
	}
	return nil
}

// refuseSecond ends a second region on the same state before it begins.
func (s *session) refuseSecond(regionFile string) error {
	running, err := config.ReadRegion(regionFile)
	if err != nil || running == nil {
		return err
	}
	port := running.Endpoint
	if u, err := url.Parse(running.Endpoint); err == nil {
		port = u.Port()
	}
	return term.WithHint(fmt.Errorf("the region of this app runs already: process %d, port %s", running.PID, port),
		fmt.Sprintf("use it with \"roost deploy\", or end it with ctrl-C in its terminal or \"kill %d\"", running.PID))
}

// A liveApp is deployed again after each edit.
type liveApp struct {
	*session
	app         *config.App
	source      synth.Source
	region      *region.Region // set when it has started
	target      *target        // the same
	outputsFile string
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
		l.term.Print(line)
	}
}

// startGC is the garbage collector's percentage while the region starts: what
// is allocated then mostly stays.
const startGC = 800

// run starts the region, brings the app to it and follows edits.
func (l *liveApp) run(ctx context.Context, settings regionSettings) (err error) {
	usual := debug.SetGCPercent(startGC)
	b, err := l.begin(ctx, settings)
	debug.SetGCPercent(usual)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, b.region.close()) }()
	if b.standing != nil {
		return l.resume(ctx, b)
	}
	watcher, err := l.watch()
	if err != nil {
		return fmt.Errorf("watch the app's files: %w", err)
	}
	defer watcher.Close()
	if err := l.deploy(ctx, l.app, l.target, b.made, l.outputsFile); err != nil {
		return err
	}
	if l.debug != nil {
		if err := l.debug.ready(ctx, l.session, true); err != nil {
			return err
		}
	}
	if err := l.note(ctx, b.made); err != nil {
		l.term.Warn("the next start will take its full time: " + err.Error())
	}
	open, signed := routes(b.made)
	l.printNext(l.app, b.region.info, open, signed)
	return l.follow(ctx, watcher)
}

// begun is what a start has when the region runs: an assembly, or else the note
// by which the stage stands already, with the results of its deployment.
type begun struct {
	region   *startedRegion
	made     *assembly.Assembly
	standing *standing
	results  []deploy.Result
}

// begin starts the region and, at the same time, sees that nothing has changed
// or makes the assembly.
func (l *liveApp) begin(ctx context.Context, settings regionSettings) (b begun, err error) {
	var failed error
	var both sync.WaitGroup
	both.Go(func() {
		if b.standing = l.unchanged(); b.standing == nil {
			b.made, err = l.assemble(ctx)
		}
		l.done("look at the app's files")
	})
	b.region, failed = l.startRegion(ctx, settings) // not beside: it is what a start waits for
	both.Wait()
	if failed == nil {
		l.region, l.target = b.region.Region, localTarget(b.region.info, nil)
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
		failed = b.region.close()
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
			l.term.Print("\nStopping")
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
	if !errors.Is(err, errReported) {
		l.term.Error(err)
	}
	l.term.Note("The app goes on as it was before this edit.")
}

// edit brings changed files to the region.
func (l *liveApp) edit(ctx context.Context, changed []string) error {
	made, err := l.source.Edited(ctx, changed)
	if err != nil || made == nil {
		return err
	}
	if err := l.deploy(ctx, l.app, l.target, made, l.outputsFile); err != nil || l.debug == nil {
		return err
	}
	return l.debug.ready(ctx, l.session, false)
}

type serveCommand struct {
	Port    int    `default:"4000" help:"The region's port; the Twitter stand-in takes the next one. 0 picks all ports."`
	State   string `placeholder:"DIR" help:"The folder of the region's state; by default .roost/state."`
	Twitter string `placeholder:"URL" help:"Verify tokens at this Twitter instead of the stand-in."`
	functionFlags
}

// Run runs the region until it is interrupted.
func (c *serveCommand) Run(ctx context.Context, s *session) (err error) {
	if err := errors.Join(checkPort("--port", c.Port), c.check()); err != nil {
		return err
	}
	app, err := config.Bare(".", "")
	if err != nil {
		return err
	}
	app.ForLocal()
	if err := s.refuseSecond(app.RegionFile()); err != nil {
		return err
	}
	started, err := s.startRegion(ctx, regionSettings{app: app, state: c.State, port: c.Port, twitter: c.Twitter, functions: c.functionFlags})
	if err != nil {
		return err
	}
	s.term.Printf("The region answers at %s, and Twitter at %s.", started.info.Endpoint, started.info.Twitter)
	s.term.Print("\"roost env\" prints what aws and the SDKs need; ctrl-C ends it.")
	<-ctx.Done()
	s.term.Print("\nStopping")
	return started.close()
}
