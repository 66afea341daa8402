package cli

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/seed-615d3599/roost/internal/deploy"
	"github.com/seed-615d3599/roost/internal/synth"
	"github.com/seed-615d3599/roost/internal/term"
)

type diffCommand struct {
	Dir      string   `arg:"" optional:"" default:"." help:"The app's folder."`
	Stage    string   `help:"The stage; by default the one in roost.json, or dev."`
	To       string   `placeholder:"local|aws|URL" help:"Where to; by default as roost.json says for the stage, or local."`
	Assembly string   `placeholder:"DIR" help:"Compare this cloud assembly, such as cdk.out, instead of the app's own."`
	Fail     bool     `help:"Exit with 1 when there is a difference."`
	JSON     jsonFlag `help:"Print JSON objects, one to a line."`
}

// Help tells more.
func (c *diffCommand) Help() string {
	return "The region itself works it out, by a change set that is dropped again. Nothing is deployed."
}

// Run prints what a deployment would change.
func (c *diffCommand) Run(ctx context.Context, s *session) (err error) {
	app, err := synth.Load(c.Dir, c.Stage, c.Assembly)
	if err != nil {
		return err
	}
	to, err := destination(app, c.To)
	if err != nil {
		return err
	}
	made, err := s.source(app, c.Assembly, to, false).Assemble(ctx)
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
	differences, err := d.Diff(ctx, made.Stacks)
	if err != nil {
		return err
	}
	failed, differs := false, false
	for _, diff := range differences {
		s.printDifference(diff)
		failed = failed || diff.Err != nil
		differs = differs || len(diff.Changes) > 0
	}
	if failed || differs && c.Fail {
		return errReported
	}
	return nil
}

// printDifference prints the changes of one stack, those of access apart.
func (s *session) printDifference(diff deploy.Difference) {
	if s.term.IsJSON() {
		s.differenceEvents(diff)
		return
	}
	title := "Stack " + s.term.Styled(term.Bold, diff.Stack)
	switch {
	case diff.Err != nil:
		s.term.Print(title)
		s.term.Error(diff.Err)
		return
	case len(diff.Changes) == 0:
		s.term.Print(title + ": no changes")
		return
	case diff.New:
		title += " (new)"
	}
	s.term.Print(title)
	for _, access := range []bool{false, true} {
		heading := "  Resources:"
		if access {
			heading = "  Who may do what:"
		}
		for _, change := range diff.Changes {
			if change.IsAccess() != access {
				continue
			}
			if heading != "" {
				s.term.Print(heading)
				heading = ""
			}
			s.printChange(change)
		}
	}
}

func (s *session) printChange(c deploy.Change) {
	style := term.Yellow
	switch c.Action {
	case deploy.Add:
		style = term.Green
	case deploy.Replace, deploy.MayReplace, deploy.Delete:
		style = term.Red
	}
	line := "    " + s.term.Styled(style, fmt.Sprintf("%-11s", c.Action)) + " " + c.ID + " (" + c.Type + ")"
	if c.Kept {
		line += ", the old one is kept outside of the stack"
	}
	s.term.Print(line)
	for _, p := range c.Properties {
		text := "      " + strings.TrimPrefix(p.Path, "/Properties/")
		if p.Before != "" || p.After != "" {
			text += ": " + shorten(p.Before) + " → " + shorten(p.After)
		}
		if p.Replaces {
			text += " (replaces it)"
		}
		s.term.Print(term.Clean(text))
	}
}

// maxShown is how many characters of a value a line has room for.
const maxShown = 80

func shorten(value string) string {
	switch runes := []rune(value); {
	case value == "":
		return "nothing"
	case len(runes) > maxShown:
		return string(runes[:maxShown]) + "…"
	}
	return value
}

func (s *session) differenceEvents(diff deploy.Difference) {
	for _, change := range diff.Changes {
		s.term.Event("change", struct {
			Stack  string `json:"stack"`
			Access bool   `json:"access"`
			deploy.Change
		}{diff.Stack, change.IsAccess(), change})
	}
	event := map[string]any{"stack": diff.Stack, "new": diff.New, "changes": len(diff.Changes)}
	if diff.Err != nil {
		event["error"] = diff.Err.Error()
	}
	s.term.Event("difference", event)
}
