package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/seed-615d3599/roost/internal/assembly"
	"github.com/seed-615d3599/roost/internal/cli/report"
	"github.com/seed-615d3599/roost/internal/cli/session"
	"github.com/seed-615d3599/roost/internal/cli/target"
	"github.com/seed-615d3599/roost/internal/config"
	"github.com/seed-615d3599/roost/internal/deploy"
	"github.com/seed-615d3599/roost/internal/synth"
	"github.com/seed-615d3599/roost/internal/term"
)

type buildCommand struct {
	Dir   string `arg:"" optional:"" default:"." help:"The app's folder."`
	Stage string `help:"The stage; by default the one in roost.json, or dev."`
	To    string `placeholder:"local|aws|URL" help:"What the functions are built for; by default where the stage goes."`
}

// Run builds the app.
func (c *buildCommand) Run(ctx context.Context, s *session.Session) error {
	app, err := synth.Load(c.Dir, c.Stage, "")
	if err != nil {
		return err
	}
	to, err := target.Destination(app, c.To)
	if err != nil {
		return err
	}
	made, err := source(s, app, "", to, false).Assemble(ctx)
	if err != nil {
		return err
	}
	s.Term.Printf("\nSuccessfully compiled %d %s to %s:\n", len(made.Stacks), report.Plural(len(made.Stacks), "stack"), session.Below(app.AssemblyDir()))
	for _, stack := range made.Stacks {
		s.Term.Print("  " + stack.Name)
	}
	s.Term.Print("\nRun roost deploy to deploy it.")
	return nil
}

// source is where the assembly for a destination comes from. If it is to be
// deployed, functions that run here are made as start makes them, so that one
// deployment after the other finds nothing changed.
func source(s *session.Session, app *config.App, assemblyDir, to string, deployed bool) synth.Source {
	local := target.OnThisMachine(to)
	return synth.New(synth.Config{App: app, Assembly: assemblyDir, Local: local, Live: local && deployed,
		Environ: s.Env, Print: s.Term.Print, Warn: s.Term.Warn})
}

type deployCommand struct {
	Dir          string       `arg:"" optional:"" default:"." help:"The app's folder."`
	Stage        string       `help:"The stage; by default the one in roost.json, or dev."`
	To           string       `placeholder:"local|aws|URL" help:"Where to; by default as roost.json says for the stage, or local."`
	Assembly     string       `placeholder:"DIR" help:"Deploy this cloud assembly, such as cdk.out, instead of the app's own."`
	OutputsFile  string       `placeholder:"FILE" help:"Write the outputs to a file when the stage is ready."`
	AllowReplace []string     `placeholder:"ID" help:"The logical id of a resource that may be replaced or removed although identities live in it or it is marked Retain."`
	JSON         session.JSON `help:"Print JSON objects, one to a line."`
}

// Run deploys a stage.
func (c *deployCommand) Run(ctx context.Context, s *session.Session) (err error) {
	app, err := synth.Load(c.Dir, c.Stage, c.Assembly)
	if err != nil {
		return err
	}
	to, err := target.Destination(app, c.To)
	if err != nil {
		return err
	}
	if err := target.ForgetOutputs(c.OutputsFile); err != nil {
		return err
	}
	made, err := source(s, app, c.Assembly, to, true).Assemble(ctx)
	if err != nil {
		return err
	}
	t, err := target.Open(ctx, s, app, to)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, t.Close()) }()
	t.AllowReplace = c.AllowReplace
	t.Announce()
	return t.Deploy(ctx, made, c.OutputsFile)
}

type removeCommand struct {
	Dir      string       `arg:"" optional:"" default:"." help:"The app's folder."`
	Stage    string       `help:"The stage; by default the one in roost.json, or dev."`
	To       string       `placeholder:"local|aws|URL" help:"Where from; by default as roost.json says for the stage, or local."`
	Assembly string       `placeholder:"DIR" help:"Remove the stacks of this cloud assembly."`
	Yes      bool         `help:"Do not ask before removing from AWS."`
	JSON     session.JSON `help:"Print JSON objects, one to a line."`
}

// Run deletes a stage's stacks.
func (c *removeCommand) Run(ctx context.Context, s *session.Session) (err error) {
	app, err := synth.Load(c.Dir, c.Stage, c.Assembly)
	if err != nil {
		return err
	}
	if app.Protected {
		return term.WithHint(fmt.Errorf("stage %s is protected", app.Stage),
			"take \"protected\" from the stage in "+app.File+" if it is to be removed")
	}
	to, err := target.Destination(app, c.To)
	if err != nil {
		return err
	}
	t, err := target.Open(ctx, s, app, to)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, t.Close()) }()
	t.Announce()
	d, err := t.Deployer(ctx)
	if err != nil {
		return err
	}
	stacks, err := stageStacks(ctx, app, d, c.Assembly)
	if err != nil {
		return err
	}
	if len(stacks) == 0 {
		return term.WithHint(fmt.Errorf("stage %s of %s is not there: nothing was removed", app.Stage, app.Name),
			"--stage and --to say which stage is meant, and where")
	}
	if t.To == target.AWS && !c.Yes {
		if err := confirm(ctx, s, app, t, stacks); err != nil {
			return err
		}
	}
	return remove(ctx, s, app, d, stacks)
}

// stageStacks returns the stacks of a stage that are there: those of its last
// assembly on this machine, and those that the region's bucket has notes of.
func stageStacks(ctx context.Context, app *config.App, d *deploy.Deployer, dir string) ([]*assembly.Stack, error) {
	var known []*assembly.Stack
	if dir == "" {
		dir = app.AssemblyDir()
		if _, err := os.Stat(filepath.Join(dir, "manifest.json")); err != nil {
			dir = ""
		}
	}
	if dir != "" {
		made, err := assembly.Read(dir)
		if err != nil {
			return nil, err
		}
		known = made.Stacks
	}
	noted, err := d.Noted(ctx)
	if err != nil {
		return nil, err
	}
	names := map[string]bool{}
	for _, stack := range known {
		names[stack.Name] = true
	}
	for _, stack := range noted {
		if !names[stack.Name] {
			known = append(known, stack)
		}
	}
	return d.There(ctx, known)
}

// confirm asks before anything is removed from AWS. Without an answer nothing is.
func confirm(ctx context.Context, s *session.Session, app *config.App, t *target.Target, stacks []*assembly.Stack) error {
	s.Term.Print("This deletes:")
	for _, stack := range stacks {
		s.Term.Print("  " + stack.Name)
	}
	fmt.Fprintf(s.Out, "Remove stage %s from account %s? Type the stage's name: ", app.Stage, t.Account)
	answer, err := session.ReadLine(s.Typed(ctx))
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err != nil || answer != app.Stage {
		return term.WithHint(errors.New("nothing was removed"), "pass --yes to remove without being asked")
	}
	return nil
}

func remove(ctx context.Context, s *session.Session, app *config.App, d *deploy.Deployer, stacks []*assembly.Stack) error {
	s.Term.Print("Removing " + report.Plural(len(stacks), "stack"))
	results, err := d.Remove(ctx, stacks)
	s.Term.Print("")
	for _, r := range results {
		s.Report().Result(r, nil)
	}
	if err != nil {
		return err
	}
	if !deploy.OK(results) {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		return session.ErrReported
	}
	// A session of the stage is worth nothing any more.
	return os.RemoveAll(app.StageDir())
}
