package target

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/seed-615d3599/roost/internal/assembly"
	"github.com/seed-615d3599/roost/internal/cli/report"
	"github.com/seed-615d3599/roost/internal/cli/session"
	"github.com/seed-615d3599/roost/internal/config"
	"github.com/seed-615d3599/roost/internal/deploy"
	"github.com/seed-615d3599/roost/internal/term"
)

// Announce says where the stage goes, before anything is sent, where that is
// not this machine.
func (t *Target) Announce() {
	switch t.To {
	case Local:
	case AWS:
		t.session.Term.Printf("Account %s, region %s, stage %s", t.Account, t.AWS.Region, t.app.Stage)
	default:
		t.session.Term.Printf("Endpoint %s, account %s, region %s, stage %s", t.To, t.Account, t.AWS.Region, t.app.Stage)
	}
}

// Deploy deploys an assembly, prints the result blocks and keeps the outputs.
func (t *Target) Deploy(ctx context.Context, made *assembly.Assembly, outputsFile string) error {
	d, err := t.Deployer(ctx)
	if err != nil {
		return err
	}
	t.AnnounceStacks(len(made.Stacks))
	results, err := d.Deploy(ctx, made.Stacks)
	if err != nil {
		return err
	}
	t.session.Term.Print("")
	for _, r := range results {
		local, err := t.localURLs(ctx, d, r)
		if err != nil {
			t.session.Term.Warn("the local URLs of " + r.Stack + " are not known: " + err.Error())
		}
		t.session.Report().Result(r, local)
	}
	if !deploy.OK(results) {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		return session.ErrReported
	}
	return t.KeepOutputs(results, outputsFile)
}

// AnnounceStacks says that so many are being deployed.
func (t *Target) AnnounceStacks(n int) {
	t.session.Term.Print("Deploying " + report.Plural(n, "stack"))
}

// KeepOutputs writes down what the other commands need to know of the stage,
// and last the file that tells others that it is ready.
func (t *Target) KeepOutputs(results []deploy.Result, outputsFile string) error {
	outputs := config.Outputs{}
	for _, r := range results {
		outputs[r.Stack] = map[string]string{}
		for _, o := range r.Outputs {
			outputs[r.Stack][o.Name] = o.Value
		}
	}
	if err := writeDeployed(t.app, t); err != nil {
		return err
	}
	if err := config.WriteOutputs(t.app.OutputsFile(), outputs); err != nil {
		return err
	}
	if outputsFile == "" {
		return nil
	}
	return config.WriteOutputs(outputsFile, outputs)
}

// ForgetOutputs removes the outputs file of an earlier time: it appears when
// the stage is ready.
func ForgetOutputs(name string) error {
	if name == "" {
		return nil
	}
	if err := os.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// Deployed is what a stage's folder keeps about its last deployment.
type Deployed struct {
	To      string `json:"to"` // local, aws or a URL
	Region  string `json:"region"`
	Account string `json:"account"`
}

func deployedFile(app *config.App) string { return filepath.Join(app.StageDir(), "deployed.json") }

func writeDeployed(app *config.App, t *Target) error {
	data, err := json.MarshalIndent(Deployed{To: t.To, Region: t.AWS.Region, Account: t.Account}, "", "  ")
	if err != nil {
		return err
	}
	return config.WriteFile(deployedFile(app), append(data, '\n'))
}

// Last returns where the stage was deployed to last. A stage that was
// not is taken to go where its settings say.
func Last(app *config.App) (Deployed, error) {
	d := Deployed{To: app.To, Region: app.AWSRegion, Account: app.Account}
	data, err := os.ReadFile(deployedFile(app))
	if errors.Is(err, fs.ErrNotExist) {
		return d, nil
	}
	if err != nil {
		return d, err
	}
	if err := json.Unmarshal(data, &d); err != nil {
		return d, term.WithHint(fmt.Errorf("%s: %w", deployedFile(app), err), "deploy the stage again")
	}
	return d, nil
}
