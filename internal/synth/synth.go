// Package synth makes the assembly of an app, and makes it again after edits.
// What it is made from may be
//
//   - an app of Roost's: a Go program in lib that describes it, and functions,
//     which are built here;
//   - an app of CDK's: a command in cdk.json that writes an assembly;
//   - an assembly that some other tool has written already.
//
// A Source stands for any of them:
//
//	app, err := synth.Load(dir, stage, assemblyDir)
//	source := synth.New(synth.Config{App: app, Assembly: assemblyDir, Local: true, Print: print})
//	made, err := source.Assemble(ctx)
//	made, err = source.Edited(ctx, changedFiles)
//
// While Assemble or Edited fails, the last assembly stays as it was, but for an
// app of CDK's: there its own command writes the folder.
package synth

import (
	"context"
	"errors"
	"os"
	"path/filepath"

	"github.com/seed-615d3599/roost/internal/assembly"
	"github.com/seed-615d3599/roost/internal/config"
)

// A Source is where an assembly comes from.
type Source interface {
	// Assemble makes the assembly.
	Assemble(ctx context.Context) (*assembly.Assembly, error)
	// Edited makes it again after files have changed, given by their absolute
	// names, and does no more than they ask for. It returns nil where they do
	// not matter.
	Edited(ctx context.Context, changed []string) (*assembly.Assembly, error)
	// Roots are the folders whose files it is made from.
	Roots() []string
}

// Config says what the assembly is made from and for. App is required.
type Config struct {
	App *config.App
	// Assembly is the folder of a ready assembly; empty means the app's own.
	Assembly string
	// Local makes it for the embedded region: functions run on this machine.
	Local bool
	// Live says that functions will run beside their sources. Source maps then
	// name the files on this machine.
	Live bool
	// Debug builds functions for debuggers.
	Debug bool
	// Written is a file that whoever runs the Source writes, absolute: it is no
	// input although it may lie in the app's folder. May be empty.
	Written string
	// Environ is the environment of compilers and of the app's program.
	Environ []string
	// Print gets a line when something begins that takes time, and Warn what a
	// compiler or the app's program says without failing. Nil means nobody
	// listens.
	Print, Warn func(line string)
}

// cdkFile describes an app of CDK's.
const cdkFile = "cdk.json"

// New returns the source that a Config means.
func New(cfg Config) Source {
	if cfg.Print == nil {
		cfg.Print = func(string) {}
	}
	if cfg.Warn == nil {
		cfg.Warn = func(string) {}
	}
	switch {
	case cfg.Assembly != "":
		return readyAssembly{cfg.Assembly}
	case cfg.App.File == "":
		return &cdkApp{cfg}
	}
	return newLibApp(cfg)
}

// Load reads the settings of the app in a folder. With a ready assembly, or in
// an app of CDK's, roost.json may be missing.
func Load(dir, stage, assemblyDir string) (*config.App, error) {
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

// An Error is a mistake that the person can mend.
type Error struct {
	Text   string
	Remedy string
}

// Error says what is wrong.
func (e *Error) Error() string { return e.Text }

// Hint returns the remedy.
func (e *Error) Hint() string { return e.Remedy }

// readyAssembly is a folder that another tool has written.
type readyAssembly struct{ dir string }

func (r readyAssembly) Assemble(context.Context) (*assembly.Assembly, error) {
	return assembly.Read(r.dir)
}

func (r readyAssembly) Edited(ctx context.Context, _ []string) (*assembly.Assembly, error) {
	return r.Assemble(ctx)
}

func (r readyAssembly) Roots() []string { return []string{r.dir} }
