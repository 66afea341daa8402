package cli

import (
	"context"
	"errors"

	"github.com/seed-615d3599/roost/internal/cli/session"
	"github.com/seed-615d3599/roost/internal/cli/target"
	"github.com/seed-615d3599/roost/internal/synth"
)

type diffCommand struct {
	Dir      string       `arg:"" optional:"" default:"." help:"The app's folder."`
	Stage    string       `help:"The stage; by default the one in roost.json, or dev."`
	To       string       `placeholder:"local|aws|URL" help:"Where to; by default as roost.json says for the stage, or local."`
	Assembly string       `placeholder:"DIR" help:"Compare this cloud assembly, such as cdk.out, instead of the app's own."`
	Fail     bool         `help:"Exit with 1 when there is a difference."`
	JSON     session.JSON `help:"Print JSON objects, one to a line."`
}

// Help tells more.
func (c *diffCommand) Help() string {
	return "The region itself works it out, by a change set that is dropped again. Nothing is deployed."
}

// Run prints what a deployment would change.
func (c *diffCommand) Run(ctx context.Context, s *session.Session) (err error) {
	app, err := synth.Load(c.Dir, c.Stage, c.Assembly)
	if err != nil {
		return err
	}
	to, err := target.Destination(app, c.To)
	if err != nil {
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
	t.Announce()
	d, err := t.Deployer(ctx)
	if err != nil {
		return err
	}
	differences, err := d.Diff(ctx, made.Stacks)
	if err != nil {
		return err
	}
	failed, differs := false, false
	for _, diff := range differences {
		s.Report().Difference(diff)
		failed = failed || diff.Err != nil
		differs = differs || len(diff.Changes) > 0
	}
	if failed || differs && c.Fail {
		return session.ErrReported
	}
	return nil
}
