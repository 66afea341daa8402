// Package roosttest runs an app in a test: the whole embedded region in the
// test's own process, with real sign-ins, signatures and policies, on free
// ports and without a network.
//
//	func TestPrivate(t *testing.T) {
//		region := roosttest.Start(t, roosttest.Config{Dir: "."})
//		alice := region.SignIn("alice")
//		resp, err := alice.Get(region.API("Api") + "/private")
//		…
//		region.Allowed(t, resp)
//	}
//
// Start builds and deploys the app, which takes as long as a deployment does.
// Fork gives a test a region of its own in a few milliseconds: the state is
// copied, the functions' code is shared. Hundreds may run in parallel:
//
//	t.Run(name, func(t *testing.T) {
//		t.Parallel()
//		region := region.Fork(t)
//		region.Advance(2 * time.Hour)
//		…
//
// All ends with the test that it was made for. What goes wrong within the
// region's own work is fatal to that test; what the app answers is the test's
// to judge. Methods without an error may be called by the test's own goroutine
// only, as t.Fatal.
//
// The package needs the whole module, not only the construct package that an
// app's folder holds: a test that imports it belongs to a Go module that
// requires Roost's.
package roosttest

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"github.com/seed-615d3599/roost/internal/assembly"
	"github.com/seed-615d3599/roost/internal/config"
	"github.com/seed-615d3599/roost/internal/synth"
	"github.com/seed-615d3599/roost/internal/trial"
)

// Config says what is deployed: an app's folder, or a template, or a cloud
// assembly. One of them must be given.
type Config struct {
	// Dir is the folder of an app, with a roost.json or a cdk.json.
	Dir string
	// Template is a file with a CloudFormation template that needs no uploads.
	Template string
	// Assembly is a folder such as cdk.out.
	Assembly string

	// Stage is by default "test".
	Stage string
	// Env has the values of secrets and of what the app's program and its build
	// read, before those of the process and of the app's .env.
	Env map[string]string
}

// Region is a running region with an app deployed to it.
type Region struct {
	t     testing.TB
	tried *trial.Trial
	clock *clock
}

// clock is the system's, ahead by what a test says.
type clock struct{ ahead atomic.Int64 }

func (c *clock) now() time.Time { return time.Now().Add(time.Duration(c.ahead.Load())) }

// Start brings a region up, builds the app and deploys it. The region ends with
// the test.
func Start(t testing.TB, cfg Config) *Region {
	t.Helper()
	r, err := start(t, cfg)
	if err != nil {
		t.Fatalf("roosttest: %v", withHints(err))
	}
	return r
}

func start(t testing.TB, cfg Config) (*Region, error) {
	app, source, err := cfg.source(t)
	if err != nil {
		return nil, err
	}
	r := &Region{t: t, clock: &clock{}}
	r.tried, err = trial.Start(t.Context(), trial.Config{App: app, Source: source, State: stateDir(t), Environ: cfg.environ(),
		Now: r.clock.now, Warn: warn(t)})
	if err != nil {
		return nil, err
	}
	t.Cleanup(r.close)
	return r, nil
}

// stateDir is a folder for a region's state. It is not the test's own one,
// whose name can be too long for a socket's.
func stateDir(t testing.TB) string {
	dir, err := os.MkdirTemp("", "roost")
	if err != nil {
		t.Fatalf("roosttest: %v", err)
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(dir); err != nil {
			t.Errorf("roosttest: %v", err)
		}
	})
	return dir
}

func warn(t testing.TB) func(string) {
	return func(text string) {
		if t.Context().Err() == nil { // a test that has ended takes no words
			t.Log("roost: " + text)
		}
	}
}

func (r *Region) close() {
	if err := r.tried.Close(); err != nil {
		r.t.Errorf("roosttest: end the region: %v", err)
	}
}

// source returns what makes the assembly that a Config means.
func (c Config) source(t testing.TB) (*config.App, func(context.Context) (*assembly.Assembly, error), error) {
	stage := c.Stage
	if stage == "" {
		stage = "test"
	}
	if c.Template != "" {
		app, err := config.Bare(filepath.Dir(c.Template), stage)
		return app, func(context.Context) (*assembly.Assembly, error) {
			return assembly.FromTemplate(c.Template, stage+"-stack")
		}, err
	}
	dir := c.Dir
	if dir == "" && c.Assembly == "" {
		return nil, nil, errors.New("the Config names no Dir, Template or Assembly")
	}
	if dir == "" {
		dir = filepath.Dir(filepath.Clean(c.Assembly))
	}
	app, err := synth.Load(dir, stage, c.Assembly)
	if err != nil {
		return nil, nil, err
	}
	app.ForLocal()
	source := synth.New(synth.Config{App: app, Assembly: c.Assembly, Local: true, Environ: c.environ(), Warn: warn(t)})
	return app, source.Assemble, nil
}

// environ is the process's environment with that of the Config.
func (c Config) environ() []string {
	env := os.Environ()
	for name, value := range c.Env {
		env = append(env, name+"="+value)
	}
	return env
}

// Fork gives t a region of its own that begins as this one is now: deployed,
// with everybody who has signed in, at the same time. What happens to the one
// does not touch the other, and credentials of the one work at the other, which
// has other URLs. Outputs are told with these, but a function whose variables
// hold a URL still knows the original's. An asynchronous call that is not over yet
// happens in both. t has to end before the original's test, as its subtests do:
// functions' code lies with the original.
func (r *Region) Fork(t testing.TB) *Region {
	t.Helper()
	fork := &Region{t: t, clock: &clock{}}
	fork.clock.ahead.Store(r.clock.ahead.Load())
	var err error
	if fork.tried, err = r.tried.Fork(t.Context(), stateDir(t), fork.clock.now, warn(t)); err != nil {
		t.Fatalf("roosttest: fork the region: %v", err)
	}
	t.Cleanup(fork.close)
	return fork
}

// Advance moves the region's clock ahead, and with it the expiry of all
// credentials. Requests that clients of this package sign are signed by it.
// Timers of processes, such as a function's own, do not notice.
func (r *Region) Advance(d time.Duration) { r.clock.ahead.Add(int64(d)) }

// Now is the time of the region's clock.
func (r *Region) Now() time.Time { return r.clock.now() }

// Endpoint is the URL of every AWS service of the region, for
// AWS_ENDPOINT_URL.
func (r *Region) Endpoint() string { return r.tried.Region.Endpoint }

// Administrator returns the key of the user who administers the region.
func (r *Region) Administrator() (accessKeyID, secretAccessKey string) {
	return r.tried.Region.AccessKeyID, r.tried.Region.SecretAccessKey
}
