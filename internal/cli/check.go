package cli

import (
	"context"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/seed-615d3599/roost/internal/assembly"
	"github.com/seed-615d3599/roost/internal/check"
	"github.com/seed-615d3599/roost/internal/cli/session"
	"github.com/seed-615d3599/roost/internal/cli/target"
	"github.com/seed-615d3599/roost/internal/config"
	"github.com/seed-615d3599/roost/internal/region/access/managed"
	"github.com/seed-615d3599/roost/internal/region/resources/standard"
	"github.com/seed-615d3599/roost/internal/synth"
	"github.com/seed-615d3599/roost/internal/term"
)

type checkCommand struct {
	What       string            `arg:"" optional:"" default:"." name:"dir|template|cdk.out" help:"The app's folder, a template, or a cloud assembly."`
	Stage      string            `help:"The stage; by default the one in roost.json, or dev."`
	Parameters map[string]string `name:"parameter" placeholder:"NAME=VALUE" mapsep:"none" help:"The value of a template's parameter; may be given several times."`
	All        bool              `help:"Name the properties that work too."`
	JSON       session.JSON      `help:"Print JSON objects, one to a line."`
}

// Help tells more.
func (c *checkCommand) Help() string {
	return "Nothing is deployed and nothing is asked of any region. Exit status 1 says that something would be refused."
}

// Run checks every stack.
func (c *checkCommand) Run(ctx context.Context, s *session.Session) error {
	app, stacks, err := c.stacks(ctx, s)
	if err != nil {
		return err
	}
	types := standard.Registry()
	var reports []*check.Report
	for _, stack := range stacks {
		text, err := stack.Template()
		if err != nil {
			return err
		}
		report, err := check.Template(session.Below(stack.TemplateFile), text, check.Config{
			Types: types, Record: func(name string) bool { return slices.Contains(app.Record, name) },
			Managed: managedDocument, Region: app.AWSRegion, Account: app.LocalAccount,
			StackName: stack.Name, Values: c.values(stack),
		})
		if err != nil {
			return term.WithHint(err, "correct the template, or give the parameter a value with --parameter NAME=VALUE")
		}
		reports = append(reports, report)
	}
	if err := c.misnamed(reports); err != nil {
		return err
	}
	refused := false
	for _, report := range reports {
		s.Report().Checked(report, c.All)
		refused = refused || report.Refused()
	}
	if refused {
		return session.ErrReported
	}
	return nil
}

// misnamed returns an error for a value of a parameter that no template has: it
// would count for nothing.
func (c *checkCommand) misnamed(reports []*check.Report) error {
	var all []string
	for _, report := range reports {
		all = append(all, report.Parameters...)
	}
	slices.Sort(all)
	for _, name := range slices.Sorted(maps.Keys(c.Parameters)) {
		if slices.Contains(all, name) {
			continue
		}
		hint := "no template has any"
		if len(all) > 0 {
			hint = "there are: " + strings.Join(slices.Compact(all), ", ")
		}
		return session.Usage{Err: term.WithHint(fmt.Errorf("--parameter: there is no parameter %s", name), hint)}
	}
	return nil
}

// stacks reads what is to be checked.
func (c *checkCommand) stacks(ctx context.Context, s *session.Session) (*config.App, []*assembly.Stack, error) {
	info, err := os.Stat(c.What)
	if err != nil {
		return nil, nil, session.Usage{Err: fmt.Errorf("there is no folder or template %s", c.What)}
	}
	if !info.IsDir() {
		app, err := config.Bare(filepath.Dir(c.What), c.Stage)
		if err != nil {
			return nil, nil, err
		}
		made, err := assembly.FromTemplate(c.What, stackName(c.What))
		if err != nil {
			return nil, nil, err
		}
		return app, made.Stacks, nil
	}
	if _, err := os.Stat(filepath.Join(c.What, "manifest.json")); err == nil {
		app, err := config.Bare(filepath.Dir(filepath.Clean(c.What)), c.Stage)
		if err != nil {
			return nil, nil, err
		}
		made, err := assembly.Read(c.What)
		if err != nil {
			return nil, nil, err
		}
		return app, made.Stacks, nil
	}
	app, err := synth.Load(c.What, c.Stage, "")
	if err != nil {
		return nil, nil, err
	}
	app.ForLocal()
	made, err := source(s, app, "", target.Local, false).Assemble(ctx)
	if err != nil {
		return nil, nil, err
	}
	return app, made.Stacks, nil
}

// stackName makes a stack's name of a template's file name.
func stackName(file string) string {
	name, _, _ := strings.Cut(filepath.Base(file), ".")
	return strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' {
			return r
		}
		return '-'
	}, name)
}

// values are those of a stack's parameters that are known before a deployment.
func (c *checkCommand) values(stack *assembly.Stack) map[string]string {
	all := map[string]string{}
	maps.Copy(all, stack.Parameters)
	for _, secret := range stack.Secrets {
		all[secret.Parameter] = "<" + secret.Variable + ">"
	}
	for _, asset := range stack.Assets {
		if asset.Parameters != nil {
			_, key := asset.Location("", "")
			maps.Copy(all, asset.Parameters.Values(asset, "<assets>", key))
		}
	}
	maps.Copy(all, c.Parameters)
	return all
}

func managedDocument(arn string) (string, bool) {
	policy, known := managed.Find(arn)
	return policy.Document, known
}
