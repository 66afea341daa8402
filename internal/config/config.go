// Package config reads what an app says about itself and knows where its
// files lie.
//
//	app, err := config.Load(dir, stage)  // roost.json, or sst.json
//	env, err := app.Environ(os.Environ()) // with .env and .env.<stage> below it
//	region, err := app.Region()           // the running region, from .roost/region.json
//
// Settings in roost.json:
//
//	{
//	  "name": "rest-api-auth-twitter",    letters, digits and hyphens; required
//	  "stage": "dev",                     the stage where none is named
//	  "region": "us-east-1",
//	  "account": "123456789012",          the embedded region's account
//	  "record": ["AWS::CloudWatch::Alarm"], types that the embedded region only keeps
//	  "stages": {
//	    "prod": {"to": "aws", "account": "111122223333", "region": "eu-central-1", "protected": true}
//	  }
//	}
package config

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
)

// App is an app's folder with its settings for one stage.
type App struct {
	// Dir is the app's folder, absolute.
	Dir string
	// File is the base name of the file that the settings are from:
	// roost.json, sst.json, or empty where Load was told that none is needed.
	File string
	// Name is the app's: letters, digits and hyphens.
	Name string
	// Stage is the one that was asked for, else the file's, else "dev".
	Stage string
	// AWSRegion is the stage's region, such as us-east-1.
	AWSRegion string
	// Account is the account of 12 digits that the stage is pinned to. Empty
	// means whichever the credentials are of.
	Account string
	// LocalAccount and LocalRegion are those of the app's embedded region, which
	// is one for all stages.
	LocalAccount, LocalRegion string
	// To is where the stage goes unless a flag says otherwise: "local", "aws"
	// or the URL of an endpoint.
	To string
	// Protected stops remove.
	Protected bool
	// Record names the resource types that the embedded region keeps without
	// doing anything for them.
	Record []string
}

// file is roost.json as it is written.
type file struct {
	Name    string           `json:"name"`
	Stage   string           `json:"stage"`
	Region  string           `json:"region"`
	Account string           `json:"account"`
	Record  []string         `json:"record"`
	Stages  map[string]stage `json:"stages"`
}

type stage struct {
	To        string `json:"to"`
	Region    string `json:"region"`
	Account   string `json:"account"`
	Protected bool   `json:"protected"`
}

// Error is a mistake in an app's files.
type Error struct {
	// File is the file that holds it, and Line its line from 1, or 0.
	File string
	Line int
	// Text is what is wrong.
	Text string
	// Remedy is what to do.
	Remedy string
	// NotApp says that the folder holds no app at all.
	NotApp bool
}

// Error names the place and what is wrong.
func (e *Error) Error() string {
	if e.Line > 0 {
		return fmt.Sprintf("%s:%d: %s", e.File, e.Line, e.Text)
	}
	if e.File != "" {
		return e.File + ": " + e.Text
	}
	return e.Text
}

// Hint returns the remedy.
func (e *Error) Hint() string { return e.Remedy }

// Load reads the settings of the app in dir for a stage. An empty stage means
// the one that the file names, or "dev".
func Load(dir, stageName string) (*App, error) {
	abs, err := filepath.Abs(dir)
	if err != nil {
		return nil, err
	}
	if info, err := os.Stat(abs); err != nil || !info.IsDir() {
		return nil, &Error{Text: fmt.Sprintf("there is no folder %s", abs), NotApp: true,
			Remedy: "name the app's folder, or make an app with \"roost new DIR\""}
	}
	for _, name := range []string{"roost.json", "sst.json"} {
		path := filepath.Join(abs, name)
		data, err := os.ReadFile(path)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, err
		}
		settings, err := parse(name, data)
		if err != nil {
			return nil, err
		}
		return settings.app(abs, name, stageName)
	}
	return nil, &Error{Text: fmt.Sprintf("there is no roost.json in %s", abs), NotApp: true,
		Remedy: "name the app's folder, or make an app with \"roost new DIR\""}
}

// Bare returns settings for work that needs no app, such as deploying a ready
// assembly: the folder's own where it has a roost.json, else defaults.
func Bare(dir, stageName string) (*App, error) {
	app, err := Load(dir, stageName)
	var e *Error
	if !errors.As(err, &e) || !e.NotApp {
		return app, err
	}
	abs, err := filepath.Abs(dir)
	if err != nil {
		return nil, err
	}
	return (&file{Name: "app"}).app(abs, "", stageName)
}

// byteOrderMark is what some editors put in front of a text in UTF-8.
const byteOrderMark = "\ufeff"

// parse reads a settings file. In roost.json a key that is not known is a
// mistake; sst.json holds keys of SST's own.
func parse(name string, data []byte) (*file, error) {
	var f file
	data = bytes.TrimPrefix(data, []byte(byteOrderMark))
	dec := json.NewDecoder(bytes.NewReader(data))
	if name == "roost.json" {
		dec.DisallowUnknownFields()
	}
	if err := dec.Decode(&f); err != nil {
		return nil, jsonError(name, data, err)
	}
	if dec.More() {
		return nil, &Error{File: name, Line: lineAt(data, dec.InputOffset()), Text: "something follows the settings",
			Remedy: "keep one JSON object in the file"}
	}
	return &f, nil
}

func jsonError(name string, data []byte, err error) error {
	e := &Error{File: name, Text: "is not valid JSON: " + err.Error(), Remedy: "correct the file; it begins as in {\"name\": \"my-app\"}"}
	var syntax *json.SyntaxError
	var kind *json.UnmarshalTypeError
	switch {
	case errors.As(err, &syntax):
		e.Line = lineAt(data, syntax.Offset)
	case errors.As(err, &kind) && kind.Field == "":
		e.Text = "it must hold one JSON object, and this is another value: " + kind.Value
	case errors.As(err, &kind):
		e.Line = lineAt(data, kind.Offset)
		e.Text = fmt.Sprintf("%q is a %s and must be a %s", kind.Field, kind.Value, kind.Type)
	case strings.HasPrefix(err.Error(), "json: unknown field "):
		field := strings.TrimPrefix(err.Error(), "json: unknown field ")
		e.Text = "there is no setting " + field
		e.Line = lineAt(data, int64(bytes.Index(data, []byte(field))))
		e.Remedy = "known are name, stage, region, account, record and stages"
	}
	return e
}

// lineAt returns the line, from 1, of an offset.
func lineAt(data []byte, offset int64) int {
	offset = max(0, min(offset, int64(len(data))))
	return 1 + bytes.Count(data[:offset], []byte("\n"))
}

var (
	namePattern    = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^[A-Za-z0-9-]+$`) })
	stagePattern   = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^[A-Za-z][A-Za-z0-9-]*$`) })
	accountPattern = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^[0-9]{12}$`) })
	regionPattern  = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^[a-z]{2}(-[a-z]+)+-[0-9]+$`) })
)

// app applies a stage's settings and the defaults, and checks the result.
func (f *file) app(dir, name, stageName string) (*App, error) {
	app := &App{Dir: dir, File: name, Name: f.Name, Stage: or(stageName, f.Stage, "dev"), Record: f.Record}
	s := f.Stages[app.Stage]
	app.LocalRegion = or(f.Region, "us-east-1")
	app.AWSRegion = or(s.Region, app.LocalRegion)
	app.LocalAccount = or(f.Account, "123456789012")
	app.Account = s.Account
	app.To = or(s.To, "local")
	app.Protected = s.Protected
	wrong := func(text, remedy string) (*App, error) {
		return nil, &Error{File: name, Text: text, Remedy: remedy}
	}
	switch {
	case app.Name == "":
		return wrong("the app has no name", `give it one, as in {"name": "my-app"}`)
	case !namePattern().MatchString(app.Name):
		return wrong(fmt.Sprintf("%q can't be part of a stack's name", app.Name), "use letters, digits and hyphens for the app's name")
	case !stagePattern().MatchString(app.Stage):
		return nil, &Error{Text: fmt.Sprintf("%q can't be part of a stack's name", app.Stage),
			Remedy: "use letters, digits and hyphens for the stage, with a letter first"}
	}
	for _, region := range []string{app.AWSRegion, app.LocalRegion} {
		if !regionPattern().MatchString(region) {
			return wrong(fmt.Sprintf("%q is not the name of an AWS region", region), "write one like us-east-1")
		}
	}
	for _, account := range []string{app.Account, app.LocalAccount} {
		if account != "" && !accountPattern().MatchString(account) {
			return wrong(fmt.Sprintf("%q is not an AWS account", account), "an account has 12 digits; write it in quotes")
		}
	}
	if app.To != "local" && app.To != "aws" && !strings.HasPrefix(app.To, "http://") && !strings.HasPrefix(app.To, "https://") {
		return wrong(fmt.Sprintf("the stage goes to %q", app.To), "write local, aws or the URL of an endpoint")
	}
	return app, nil
}

func or(values ...string) string {
	for _, v := range values {
		if v != "" {
			return v
		}
	}
	return ""
}

// ForLocal makes the settings those of the stage on the embedded region, where
// region and account are the region's.
func (a *App) ForLocal() { a.AWSRegion, a.Account = a.LocalRegion, "" }

// RoostDir is the folder that holds all that Roost writes, .roost.
func (a *App) RoostDir() string { return filepath.Join(a.Dir, ".roost") }

// StateDir is the folder of the embedded region's state.
func (a *App) StateDir() string { return filepath.Join(a.RoostDir(), "state") }

// CacheDir is the folder of built functions.
func (a *App) CacheDir() string { return filepath.Join(a.RoostDir(), "cache") }

// StageDir is the folder of what belongs to the stage.
func (a *App) StageDir() string { return filepath.Join(a.RoostDir(), "stages", a.Stage) }

// SynthDir is where the app's program writes.
func (a *App) SynthDir() string { return filepath.Join(a.StageDir(), "synth") }

// AssemblyDir is where the finished assembly lies.
func (a *App) AssemblyDir() string { return filepath.Join(a.StageDir(), "assembly") }

// OutputsFile is where the stage's outputs are kept for the other commands, in
// the form of --outputs-file.
func (a *App) OutputsFile() string { return filepath.Join(a.StageDir(), "outputs.json") }

// RegionFile is where the embedded region says where it is.
func (a *App) RegionFile() string { return filepath.Join(a.RoostDir(), "region.json") }
