package synth

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"github.com/seed-615d3599/roost/internal/assembly"
)

// cdkApp is an app that CDK's library describes: a command that writes an
// assembly, named in cdk.json.
type cdkApp struct{ Config }

// cdkSettings is what we take from cdk.json.
type cdkSettings struct {
	App     string         `json:"app"`
	Build   string         `json:"build"`
	Context map[string]any `json:"context"`
}

func (c *cdkApp) Roots() []string { return []string{c.App.Dir} }

func (c *cdkApp) Edited(ctx context.Context, _ []string) (*assembly.Assembly, error) {
	return c.Assemble(ctx)
}

// Assemble runs the app's own command as CDK's does.
// https://docs.aws.amazon.com/cdk/v2/guide/cli.html
func (c *cdkApp) Assemble(ctx context.Context) (*assembly.Assembly, error) {
	settings, err := c.settings()
	if err != nil {
		return nil, err
	}
	out := c.App.AssemblyDir()
	if err := os.MkdirAll(out, 0o755); err != nil {
		return nil, err
	}
	known, err := c.context(settings)
	if err != nil {
		return nil, err
	}
	env := append(slices.Clone(c.Environ), "CDK_OUTDIR="+out, "CDK_CONTEXT_JSON="+string(known),
		"CDK_DEFAULT_REGION="+c.App.AWSRegion)
	if c.Local {
		env = append(env, "CDK_DEFAULT_ACCOUNT="+c.App.LocalAccount)
	}
	for _, command := range []string{settings.Build, settings.App} {
		if err := c.run(ctx, command, env); err != nil {
			return nil, err
		}
	}
	return assembly.Read(out)
}

func (c *cdkApp) settings() (cdkSettings, error) {
	var settings cdkSettings
	data, err := os.ReadFile(filepath.Join(c.App.Dir, cdkFile))
	if err != nil {
		return settings, err
	}
	if err := json.Unmarshal(data, &settings); err != nil {
		return settings, fmt.Errorf("%s: %w", cdkFile, err)
	}
	if settings.App == "" {
		return settings, &Error{cdkFile + " has no \"app\"", "name the command that synthesizes the app, as in \"app\": \"npx ts-node bin/app.ts\""}
	}
	return settings, nil
}

// context is what the library finds as its context: that of cdk.json and
// cdk.context.json, and the switches that CDK's command sets by default.
func (c *cdkApp) context(settings cdkSettings) ([]byte, error) {
	all := map[string]any{
		"aws:cdk:enable-path-metadata":  true,
		"aws:cdk:enable-asset-metadata": true,
		"aws:cdk:bundling-stacks":       []string{"**"},
	}
	maps.Copy(all, settings.Context)
	var looked map[string]any
	data, err := os.ReadFile(filepath.Join(c.App.Dir, "cdk.context.json"))
	if err == nil {
		err = json.Unmarshal(data, &looked)
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("cdk.context.json: %w", err)
	}
	maps.Copy(all, looked)
	return json.Marshal(all)
}

func (c *cdkApp) run(ctx context.Context, command string, env []string) error {
	if command == "" {
		return nil
	}
	c.Print("Running " + command)
	cmd := exec.CommandContext(ctx, "sh", "-c", command)
	cmd.Dir, cmd.Env = c.App.Dir, env
	var said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &said, &said
	err := cmd.Run()
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err != nil {
		return &Error{fmt.Sprintf("%s: %v\n%s", command, err, strings.TrimSpace(said.String())),
			"correct what it says; the command is that of " + cdkFile}
	}
	return nil
}
