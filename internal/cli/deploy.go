package cli

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/seed-615d3599/roost/internal/assembly"
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
func (c *buildCommand) Run(ctx context.Context, s *session) error {
	app, err := synth.Load(c.Dir, c.Stage, "")
	if err != nil {
		return err
	}
	to, err := destination(app, c.To)
	if err != nil {
		return err
	}
	made, err := s.source(app, "", to, false).Assemble(ctx)
	if err != nil {
		return err
	}
	s.term.Printf("\nSuccessfully compiled %d %s to %s:\n", len(made.Stacks), plural(len(made.Stacks), "stack"), below(app.AssemblyDir()))
	for _, stack := range made.Stacks {
		s.term.Print("  " + stack.Name)
	}
	s.term.Print("\nRun roost deploy to deploy it.")
	return nil
}

// source is where the assembly for a destination comes from. If it is to be
// deployed, functions that run here are made as start makes them, so that one
// deployment after the other finds nothing changed.
func (s *session) source(app *config.App, assemblyDir, to string, deployed bool) synth.Source {
	local := (&target{to: to}).local()
	return synth.New(synth.Config{App: app, Assembly: assemblyDir, Local: local, Live: local && deployed,
		Environ: s.env, Print: s.term.Print, Warn: s.term.Warn})
}

func plural(n int, word string) string {
	if n == 1 {
		return word
	}
	return word + "s"
}

type deployCommand struct {
	Dir          string   `arg:"" optional:"" default:"." help:"The app's folder."`
	Stage        string   `help:"The stage; by default the one in roost.json, or dev."`
	To           string   `placeholder:"local|aws|URL" help:"Where to; by default as roost.json says for the stage, or local."`
	Assembly     string   `placeholder:"DIR" help:"Deploy this cloud assembly, such as cdk.out, instead of the app's own."`
	OutputsFile  string   `placeholder:"FILE" help:"Write the outputs to a file when the stage is ready."`
	AllowReplace []string `placeholder:"ID" help:"The logical id of a resource that may be replaced or removed although identities live in it or it is marked Retain."`
	JSON         jsonFlag `help:"Print JSON objects, one to a line."`
}

// Run deploys a stage.
func (c *deployCommand) Run(ctx context.Context, s *session) (err error) {
	s.allowReplace = c.AllowReplace
	app, err := synth.Load(c.Dir, c.Stage, c.Assembly)
	if err != nil {
		return err
	}
	to, err := destination(app, c.To)
	if err != nil {
		return err
	}
	if err := forgetOutputs(c.OutputsFile); err != nil {
		return err
	}
	made, err := s.source(app, c.Assembly, to, true).Assemble(ctx)
	if err != nil {
		return err
	}
	t, err := s.openTarget(ctx, app, to)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, t.close()) }()
	s.announce(app, t)
	return s.deploy(ctx, app, t, made, c.OutputsFile)
}

// forgetOutputs removes the outputs file of an earlier time: it appears when
// the stage is ready.
func forgetOutputs(name string) error {
	if name == "" {
		return nil
	}
	if err := os.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// announce says where the stage goes, before anything is sent, where that is
// not this machine.
func (s *session) announce(app *config.App, t *target) {
	switch t.to {
	case toLocal:
	case toAWS:
		s.term.Printf("Account %s, region %s, stage %s", t.account, t.aws.Region, app.Stage)
	default:
		s.term.Printf("Endpoint %s, account %s, region %s, stage %s", t.to, t.account, t.aws.Region, app.Stage)
	}
}

// deploy deploys an assembly, prints the result blocks and keeps the outputs.
func (s *session) deploy(ctx context.Context, app *config.App, t *target, made *assembly.Assembly, outputsFile string) error {
	d, err := s.deployer(ctx, t, app)
	if err != nil {
		return err
	}
	s.announceStacks(len(made.Stacks))
	results, err := d.Deploy(ctx, made.Stacks)
	if err != nil {
		return err
	}
	s.term.Print("")
	for _, r := range results {
		local, err := localURLs(ctx, t, d, r)
		if err != nil {
			s.term.Warn("the local URLs of " + r.Stack + " are not known: " + err.Error())
		}
		s.report().Result(r, local)
	}
	if !deploy.OK(results) {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		return errReported
	}
	return s.keepOutputs(app, t, results, outputsFile)
}

func (s *session) announceStacks(n int) { s.term.Print("Deploying " + plural(n, "stack")) }

// keepOutputs writes down what the other commands need to know of the stage,
// and last the file that tells others that it is ready.
func (s *session) keepOutputs(app *config.App, t *target, results []deploy.Result, outputsFile string) error {
	outputs := config.Outputs{}
	for _, r := range results {
		outputs[r.Stack] = map[string]string{}
		for _, o := range r.Outputs {
			outputs[r.Stack][o.Name] = o.Value
		}
	}
	if err := writeDeployed(app, t); err != nil {
		return err
	}
	if err := config.WriteOutputs(app.OutputsFile(), outputs); err != nil {
		return err
	}
	if outputsFile == "" {
		return nil
	}
	return config.WriteOutputs(outputsFile, outputs)
}

type removeCommand struct {
	Dir      string   `arg:"" optional:"" default:"." help:"The app's folder."`
	Stage    string   `help:"The stage; by default the one in roost.json, or dev."`
	To       string   `placeholder:"local|aws|URL" help:"Where from; by default as roost.json says for the stage, or local."`
	Assembly string   `placeholder:"DIR" help:"Remove the stacks of this cloud assembly."`
	Yes      bool     `help:"Do not ask before removing from AWS."`
	JSON     jsonFlag `help:"Print JSON objects, one to a line."`
}

// Run deletes a stage's stacks.
func (c *removeCommand) Run(ctx context.Context, s *session) (err error) {
	app, err := synth.Load(c.Dir, c.Stage, c.Assembly)
	if err != nil {
		return err
	}
	if app.Protected {
		return term.WithHint(fmt.Errorf("stage %s is protected", app.Stage),
			"take \"protected\" from the stage in "+app.File+" if it is to be removed")
	}
	to, err := destination(app, c.To)
	if err != nil {
		return err
	}
	t, err := s.openTarget(ctx, app, to)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, t.close()) }()
	s.announce(app, t)
	d, err := s.deployer(ctx, t, app)
	if err != nil {
		return err
	}
	stacks, err := s.stageStacks(ctx, app, d, c.Assembly)
	if err != nil {
		return err
	}
	if len(stacks) == 0 {
		return term.WithHint(fmt.Errorf("stage %s of %s is not there: nothing was removed", app.Stage, app.Name),
			"--stage and --to say which stage is meant, and where")
	}
	if t.to == toAWS && !c.Yes {
		if err := s.confirm(ctx, app, t, stacks); err != nil {
			return err
		}
	}
	return s.remove(ctx, app, t, d, stacks)
}

// stageStacks returns the stacks of a stage that are there: those of its last
// assembly on this machine, and those that the region's bucket has notes of.
func (s *session) stageStacks(ctx context.Context, app *config.App, d *deploy.Deployer, dir string) ([]*assembly.Stack, error) {
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
func (s *session) confirm(ctx context.Context, app *config.App, t *target, stacks []*assembly.Stack) error {
	s.term.Print("This deletes:")
	for _, stack := range stacks {
		s.term.Print("  " + stack.Name)
	}
	fmt.Fprintf(s.out, "Remove stage %s from account %s? Type the stage's name: ", app.Stage, t.account)
	answer, err := readLine(s.typed(ctx))
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err != nil || answer != app.Stage {
		return term.WithHint(errors.New("nothing was removed"), "pass --yes to remove without being asked")
	}
	return nil
}

func (s *session) remove(ctx context.Context, app *config.App, t *target, d *deploy.Deployer, stacks []*assembly.Stack) error {
	s.term.Print("Removing " + plural(len(stacks), "stack"))
	results, err := d.Remove(ctx, stacks)
	s.term.Print("")
	for _, r := range results {
		s.report().Result(r, nil)
	}
	if err != nil {
		return err
	}
	if !deploy.OK(results) {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		return errReported
	}
	// A session of the stage is worth nothing any more.
	return os.RemoveAll(app.StageDir())
}
