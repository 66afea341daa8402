package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"github.com/seed-615d3599/roost/internal/assembly"
	"github.com/seed-615d3599/roost/internal/config"
	"github.com/seed-615d3599/roost/internal/term"
)

// A source is where an assembly comes from.
type source interface {
	// assemble makes the assembly.
	assemble(ctx context.Context) (*assembly.Assembly, error)
	// edited makes it again after files have changed, doing no more than they
	// ask for. It returns nil where they do not matter.
	edited(ctx context.Context, changed []string) (*assembly.Assembly, error)
	// roots are the folders whose files it is made from.
	roots() []string
}

// cdkFile describes an app of CDK's.
const cdkFile = "cdk.json"

// source returns the source that a folder and the flag --assembly mean: a ready
// assembly, an app of CDK's, or an app that is described in lib.
func (s *session) source(app *config.App, assemblyDir string, local, live bool) source {
	if assemblyDir != "" {
		return readyAssembly{assemblyDir}
	}
	if app.File == "" {
		return &cdkApp{app: app, env: s.env, term: s.term, local: local}
	}
	return s.newWorkshop(app, local, live)
}

// load reads the settings of the app in a folder. With a ready assembly, or in
// an app of CDK's, roost.json may be missing.
func (s *session) load(dir, stage, assemblyDir string) (*config.App, error) {
	app, err := config.Load(dir, stage)
	var e *config.Error
	if err == nil || !errors.As(err, &e) || !e.NotApp {
		return app, err
	}
	if _, missing := os.Stat(filepath.Join(dir, cdkFile)); missing != nil && assemblyDir == "" {
		return nil, err
	}
	return config.Bare(dir, stage)
}

// readyAssembly is a folder that another tool has written.
type readyAssembly struct{ dir string }

func (r readyAssembly) assemble(context.Context) (*assembly.Assembly, error) {
	return assembly.Read(r.dir)
}

func (r readyAssembly) edited(ctx context.Context, _ []string) (*assembly.Assembly, error) {
	return r.assemble(ctx)
}

func (r readyAssembly) roots() []string { return []string{r.dir} }

// cdkApp is an app that CDK's library describes: a command that writes an
// assembly, named in cdk.json.
type cdkApp struct {
	app   *config.App
	env   []string
	term  *term.Printer
	local bool
}

// cdkSettings is what we take from cdk.json.
type cdkSettings struct {
	App     string         `json:"app"`
	Build   string         `json:"build"`
	Context map[string]any `json:"context"`
}

func (c *cdkApp) roots() []string { return []string{c.app.Dir} }

func (c *cdkApp) edited(ctx context.Context, changed []string) (*assembly.Assembly, error) {
	return c.assemble(ctx)
}

// assemble runs the app's own command as CDK's does.
// https://docs.aws.amazon.com/cdk/v2/guide/cli.html
func (c *cdkApp) assemble(ctx context.Context) (*assembly.Assembly, error) {
	settings, err := c.settings()
	if err != nil {
		return nil, err
	}
	out := c.app.AssemblyDir()
	if err := os.MkdirAll(out, 0o755); err != nil {
		return nil, err
	}
	context, err := c.context(settings)
	if err != nil {
		return nil, err
	}
	env := append(slices.Clone(c.env), "CDK_OUTDIR="+out, "CDK_CONTEXT_JSON="+string(context),
		"CDK_DEFAULT_REGION="+c.app.AWSRegion)
	if c.local {
		env = append(env, "CDK_DEFAULT_ACCOUNT="+localAccount(c.app))
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
	data, err := os.ReadFile(filepath.Join(c.app.Dir, cdkFile))
	if err != nil {
		return settings, err
	}
	if err := json.Unmarshal(data, &settings); err != nil {
		return settings, fmt.Errorf("%s: %w", cdkFile, err)
	}
	if settings.App == "" {
		return settings, term.WithHint(fmt.Errorf("%s has no \"app\"", cdkFile), "name the command that synthesizes the app, as in \"app\": \"npx ts-node bin/app.ts\"")
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
	for key, value := range settings.Context {
		all[key] = value
	}
	var looked map[string]any
	data, err := os.ReadFile(filepath.Join(c.app.Dir, "cdk.context.json"))
	if err == nil {
		err = json.Unmarshal(data, &looked)
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("cdk.context.json: %w", err)
	}
	for key, value := range looked {
		all[key] = value
	}
	return json.Marshal(all)
}

func (c *cdkApp) run(ctx context.Context, command string, env []string) error {
	if command == "" {
		return nil
	}
	c.term.Print("Running " + command)
	cmd := exec.CommandContext(ctx, "sh", "-c", command)
	cmd.Dir, cmd.Env = c.app.Dir, env
	var said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &said, &said
	err := cmd.Run()
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err != nil {
		return term.WithHint(fmt.Errorf("%s: %w\n%s", command, err, strings.TrimSpace(said.String())),
			"correct what it says; the command is \"app\" in "+cdkFile)
	}
	return nil
}

// localAccount is the account of the embedded region.
func localAccount(app *config.App) string {
	if app.Account != "" {
		return app.Account
	}
	return "123456789012"
}
