package roost

import (
	"fmt"
	"strings"
)

// App is everything that one program describes: one or more stacks of one
// stage.
type App struct {
	config   Config
	stacks   []*Stack
	failures []failure
	builds   []*Build
}

func newApp(config Config) (*App, error) {
	config = config.withDefaults()
	if err := config.check(); err != nil {
		return nil, err
	}
	return &App{config: config}, nil
}

// Name returns the app's name, from roost.json.
func (a *App) Name() string { return a.config.Name }

// Stage returns the stage that the app is synthesized for, such as "dev".
func (a *App) Stage() string { return a.config.Stage }

// Region returns the AWS region that the app is synthesized for.
func (a *App) Region() string { return a.config.Region }

// Local tells whether the app is for the embedded region. An app that is
// described differently for it is no longer the app that is deployed to AWS,
// so this is for additions such as an endpoint of a local database.
func (a *App) Local() bool { return a.config.Local }

// LogicalPrefixedName returns <stage>-<app>-<name>, the form of stack names and
// of other names that must not clash between stages.
func (a *App) LogicalPrefixedName(name string) string {
	return a.config.Stage + "-" + a.config.Name + "-" + name
}

// Fail adds an error of the app's own to those that synthesis reports, with the
// caller's file and line. remedy says what to do about it and may be empty.
func (a *App) Fail(construct, message, remedy string) {
	a.fail(construct, a.here(), message, remedy)
}

// StackProps are the optional properties of a stack. A stack has no environment
// of its own: account and region are those of the app.
type StackProps struct {
	Description           string            // at most 1,024 bytes
	Tags                  map[string]string // carried to every resource of the stack that takes tags
	TerminationProtection bool              // deleting the stack is refused until this is off
}

// Stack adds a stack. Its name is <stage>-<app>-<id>. At most one StackProps may
// be given.
func (a *App) Stack(id string, props ...StackProps) *Stack {
	s := &Stack{app: a, id: id, name: a.LogicalPrefixedName(id), at: a.here()}
	s.used = map[string]place{}
	s.logicalIDs = map[string]string{}
	if len(props) > 1 {
		a.fail(id, s.at, "a stack takes one StackProps", "put all properties into one")
	}
	if len(props) > 0 {
		s.props = props[0]
	}
	if !matches(stackNamePattern, s.name) {
		a.fail(id, s.at, fmt.Sprintf("%q is not a stack name", s.name),
			"use letters, digits and hyphens for the stack's id, 128 together with stage and app")
	}
	if len(s.props.Description) > 1024 {
		a.fail(id, s.at, "the description is longer than 1,024 bytes", "shorten it")
	}
	for _, other := range a.stacks {
		if strings.EqualFold(other.id, id) {
			a.fail(id, s.at, "there is a stack of that id already, at "+other.at.String(), "give this one another id")
		}
	}
	a.stacks = append(a.stacks, s)
	return s
}
