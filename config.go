package roost

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
)

// Config is what an app's program is given. The zero value of everything but
// Name means its default.
type Config struct {
	Name    string // of the app: letters, digits and hyphens
	Stage   string // "dev" by default
	Region  string // an AWS region, "us-east-1" by default
	Account string // 12 digits; empty: templates name AWS::AccountId instead
	Local   bool   // the app is for the embedded region
	Dir     string // the app's folder, "." by default; handlers are looked up below it
	Output  string // the folder to write to, Dir/.roost/stages/<Stage>/synth by default
}

// ConfigFromEnvironment reads the ROOST_ variables that the package comment
// lists. Name, stage and region that are absent are taken from the roost.json
// in the app's folder, if there is one.
func ConfigFromEnvironment(getenv func(string) string) (Config, error) {
	c := Config{
		Name:    getenv("ROOST_NAME"),
		Stage:   getenv("ROOST_STAGE"),
		Region:  getenv("ROOST_REGION"),
		Account: getenv("ROOST_ACCOUNT"),
		Local:   getenv("ROOST_LOCAL") == "1",
		Dir:     getenv("ROOST_DIR"),
		Output:  getenv("ROOST_OUTPUT"),
	}
	if c.Name != "" && c.Stage != "" && c.Region != "" {
		return c, nil
	}
	file := filepath.Join(c.Dir, "roost.json")
	data, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return c, nil
	}
	if err != nil {
		return c, err
	}
	var app struct{ Name, Stage, Region string }
	if err := json.Unmarshal(data, &app); err != nil {
		return c, fmt.Errorf("%s is not valid JSON: %w", file, err)
	}
	c.Name = or(c.Name, app.Name)
	c.Stage = or(c.Stage, app.Stage)
	c.Region = or(c.Region, app.Region)
	return c, nil
}

// Stack names are made of stage, app name and id, and CloudFormation allows
// letters, digits and hyphens in them, with a letter first.
// https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_CreateStack.html
const (
	stackNamePattern = `^[A-Za-z][A-Za-z0-9-]{0,127}$`
	partPattern      = `^[A-Za-z0-9-]+$`
	regionPattern    = `^[a-z]{2}(-[a-z]+)+-[0-9]$`
	accountPattern   = `^[0-9]{12}$`
)

func (c Config) withDefaults() Config {
	c.Stage = or(c.Stage, "dev")
	c.Region = or(c.Region, "us-east-1")
	c.Dir = or(c.Dir, ".")
	c.Output = or(c.Output, filepath.Join(c.Dir, ".roost", "stages", c.Stage, "synth"))
	return c
}

func (c Config) check() error {
	var all []error
	wrong := func(format string, args ...any) { all = append(all, fmt.Errorf(format, args...)) }
	switch {
	case c.Name == "":
		wrong(`the app has no name: give it one in roost.json, as in {"name": "my-app"}`)
	case !matches(partPattern, c.Name):
		wrong("the app's name %q can't be part of a stack name: use letters, digits and hyphens in roost.json", c.Name)
	}
	if !matches(stackNamePattern, c.Stage) {
		wrong("the stage %q can't be part of a stack name: use letters, digits and hyphens, with a letter first", c.Stage)
	}
	if !matches(regionPattern, c.Region) {
		wrong("%q is not the name of an AWS region: write one like us-east-1 in roost.json", c.Region)
	}
	if c.Account != "" && !matches(accountPattern, c.Account) {
		wrong("%q is not an AWS account: ROOST_ACCOUNT has 12 digits", c.Account)
	}
	return errors.Join(all...)
}

// matches compiles its pattern each time: synthesizing does so a few dozen
// times, and a package variable for each pattern would have to be global.
func matches(pattern, s string) bool {
	ok, err := regexp.MatchString(pattern, s)
	return ok && err == nil
}

func or[T comparable](value, fallback T) T {
	var zero T
	if value == zero {
		return fallback
	}
	return value
}
