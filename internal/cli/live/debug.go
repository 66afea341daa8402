package live

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/seed-615d3599/roost/internal/assembly"
	"github.com/seed-615d3599/roost/internal/cli/embedded"
	"github.com/seed-615d3599/roost/internal/cli/functions"
	"github.com/seed-615d3599/roost/internal/cli/session"
	"github.com/seed-615d3599/roost/internal/config"
	"github.com/seed-615d3599/roost/internal/region/lambda/debugger"
	"github.com/seed-615d3599/roost/internal/term"
)

// debugFlags say which function runs under a debugger.
type debugFlags struct {
	Debug     string `placeholder:"FUNCTION" help:"Run a function, by its name or a part of it, under its language's debugger."`
	DebugPort int    `placeholder:"PORT" help:"Where the debugger listens; by default a free port."`
	VSCode    bool   `name:"vscode" help:"Write .vscode/launch.json, by which Visual Studio Code attaches."`
}

// debugging is a debugger and where its function runs.
type debugging struct {
	*debugger.Debugger
	name   string // of the function, or a part of it
	app    *config.App
	vscode bool
	region *embedded.Started // set when it has started
}

// debugging returns what the flags ask for, or nil.
func (f debugFlags) debugging(app *config.App) (*debugging, error) {
	if f.Debug == "" {
		if f.VSCode || f.DebugPort != 0 {
			return nil, session.Usage{Err: errors.New("--vscode and --debug-port go with --debug FUNCTION")}
		}
		return nil, nil
	}
	if err := embedded.CheckPort("--debug-port", f.DebugPort); err != nil {
		return nil, err
	}
	d, err := debugger.Listen(debugger.Config{Function: f.Debug, Port: f.DebugPort, Dir: filepath.Join(app.RoostDir(), "debug")})
	if err != nil {
		return nil, term.WithHint(fmt.Errorf("the debugger's port: %w", err), "choose another one with --debug-port, or leave it to be chosen")
	}
	return &debugging{Debugger: d, name: f.Debug, app: app, vscode: f.VSCode}, nil
}

// close ends the debugger's connections, if there is one.
func (d *debugging) close() {
	if d != nil {
		_ = d.Close()
	}
}

// ready starts the function after a deployment, and the first time tells how to
// attach.
func (d *debugging) ready(ctx context.Context, s *session.Session, first bool) error {
	f, kind, err := d.function(ctx)
	if err != nil {
		return err
	}
	name := f.FunctionName
	if err := d.region.Warm(ctx, name); err != nil {
		return fmt.Errorf("start %s for the debugger: %w", name, err)
	}
	if !first {
		return nil
	}
	s.Term.Printf("\n%s runs under a debugger. Attach with:\n  %s", name, d.attach(kind))
	s.Term.Event("debug", map[string]any{"function": name, "language": kind, "address": d.Addr()})
	if !d.vscode {
		return nil
	}
	return d.writeLaunch(s, f, kind)
}

// debugged is a function as GetFunctionConfiguration shows it.
type debugged struct{ FunctionName, Runtime, Handler string }

// function finds the one that is meant.
func (d *debugging) function(ctx context.Context) (f debugged, kind debugger.Kind, err error) {
	groups, err := functions.Groups(ctx, embedded.Client(d.region.Info))
	if err != nil {
		return f, "", err
	}
	name, err := functions.Pick(groups, d.name)
	if err != nil {
		return f, "", err
	}
	if err := d.region.Call(ctx, "lambda", "GetFunctionConfiguration", map[string]string{"FunctionName": name}, &f); err != nil {
		return f, "", err
	}
	if kind = debugger.KindOf(f.Runtime); kind == "" {
		return f, "", fmt.Errorf("there is no debugger for the runtime %s of %s", f.Runtime, name)
	}
	return f, kind, nil
}

// root is the folder, in the app's, whose files a Python function is made of.
func (d *debugging) root(f debugged) string {
	list, err := assembly.ReadBuilds(d.app.SynthDir())
	if err != nil {
		return "" // not an app that Roost has built
	}
	for _, b := range list.Builds {
		if b.Handler == f.Handler && b.Root != "" && b.Root != "." {
			return "/" + b.Root
		}
	}
	return ""
}

// attach is the line with which a debugger attaches.
func (d *debugging) attach(kind debugger.Kind) string {
	switch kind {
	case debugger.Go:
		return "dlv connect " + d.Addr()
	case debugger.Node:
		return "node inspect " + d.Addr()
	}
	return "an editor that speaks debugpy's protocol, at " + d.Addr() + " (roost start --vscode sets Visual Studio Code up)"
}

// launchName begins the names of the configurations that are Roost's own.
const launchName = "Roost: "

// writeLaunch puts the configuration into .vscode/launch.json. Others in it are
// kept; a file with comments, which JSON has not, is left alone.
func (d *debugging) writeLaunch(s *session.Session, f debugged, kind debugger.Kind) error {
	file := filepath.Join(d.app.Dir, ".vscode", "launch.json")
	launch := map[string]any{"version": "0.2.0"}
	data, err := os.ReadFile(file)
	if err == nil {
		err = json.Unmarshal(data, &launch)
	}
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		own, _ := json.Marshal(d.configuration(f, kind))
		return term.WithHint(fmt.Errorf("%s is no plain JSON, and was left as it is: %w", session.Below(file), err), "add this to its configurations: "+string(own))
	}
	var kept []any
	old, _ := launch["configurations"].([]any)
	for _, one := range old {
		members, _ := one.(map[string]any)
		if text, _ := members["name"].(string); !strings.HasPrefix(text, launchName) {
			kept = append(kept, one)
		}
	}
	if launch == nil {
		launch = map[string]any{} // the file holds null
	}
	launch["configurations"] = append(kept, d.configuration(f, kind))
	if data, err = json.MarshalIndent(launch, "", "  "); err != nil {
		return err
	}
	s.Term.Print("  or in Visual Studio Code, by " + session.Below(file))
	return config.WriteFile(file, append(data, '\n'))
}

// configuration attaches Visual Studio Code to the function.
// https://code.visualstudio.com/docs/debugtest/debugging-configuration
func (d *debugging) configuration(f debugged, kind debugger.Kind) map[string]any {
	c := map[string]any{"name": launchName + f.FunctionName, "request": "attach"}
	switch kind {
	case debugger.Go:
		c["type"], c["mode"], c["host"], c["port"] = "go", "remote", "127.0.0.1", d.Port()
	case debugger.Node:
		c["type"], c["address"], c["port"] = "node", "127.0.0.1", d.Port()
		c["restart"], c["sourceMaps"] = true, true
		// The maps name the sources by their own paths, and lie beside the code.
		c["outFiles"] = []string{"${workspaceFolder}/.roost/state/lambda/code/**/*.js", "${workspaceFolder}/.roost/state/lambda/code/**/*.mjs"}
		c["resolveSourceMapLocations"] = []string{"**"}
	case debugger.Python:
		c["type"], c["connect"] = "debugpy", map[string]any{"host": "127.0.0.1", "port": d.Port()}
		c["justMyCode"] = false
		c["pathMappings"] = []map[string]string{{"localRoot": "${workspaceFolder}" + d.root(f), "remoteRoot": d.Folder(f.FunctionName)}}
	}
	return c
}
