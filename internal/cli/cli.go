// Package cli is the roost command: its subcommands, their flags and texts, and
// how they exit. Everything else is done by the packages that it calls.
//
//	os.Exit(cli.Run(ctx, os.Args[1:], cli.Streams{In: os.Stdin, Out: os.Stdout, Err: os.Stderr}, os.Environ()))
//
// A run ends with 0 when what was asked for is done, with 1 when it failed, and
// with 2 when it was asked for wrongly. What a command answers goes to standard
// output; errors, with a hint for the next step, and warnings go to standard
// error. A run keeps no state in the process: several may run at once.
package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/alecthomas/kong"
	"github.com/seed-615d3599/roost/internal/cli/live"
	"github.com/seed-615d3599/roost/internal/cli/person"
	"github.com/seed-615d3599/roost/internal/cli/session"
	"github.com/seed-615d3599/roost/internal/region/lambda/isolation"
	"github.com/seed-615d3599/roost/internal/region/lambda/supervisor"
	"github.com/seed-615d3599/roost/internal/term"
)

// Exit statuses.
const (
	exitOK     = 0
	exitFailed = 1
	exitUsage  = 2
)

// Streams are the three streams of a command.
type Streams struct {
	In       io.Reader
	Out, Err io.Writer
}

// flags are those of every command.
type flags struct {
	NoColor bool `help:"Print without colours."`
}

// A command is one as kong reads it.
type command struct {
	name, help string
	arguments  any
}

// commands are all, in the order of the help.
func commands() []command {
	return []command{
		{"new", "Write the tutorial's app into a new folder, ready to start.", &newCommand{}},
		{"start", "Run the app on this machine and deploy each edit.", &live.Command{}},
		{"serve", "Run the embedded region alone.", &serveCommand{}},
		{"build", "Build the app's functions and templates.", &buildCommand{}},
		{"deploy", "Deploy the app to a region: the embedded one, AWS or an endpoint.", &deployCommand{}},
		{"remove", "Delete a stage's stacks.", &removeCommand{}},
		{"test", "Run a command, such as a test, beside the app on a region of its own.", &testCommand{}},
		{"diff", "Say what a deployment would change.", &diffCommand{}},
		{"secret", "Keep the values of secrets in the stage's region.", &secretCommand{}},
		{"check", "Say what works, what is refused and who can reach each route, without a region.", &checkCommand{}},
		{"twitter", "Sign in with Twitter as twurl does.", &person.Twitter{}},
		{"login", "Sign in to the app and keep the credentials.", &person.Login{}},
		{"credentials", "Print the credentials of the sign-in, renewed if need be.", &person.Credentials{}},
		{"curl", "Call the app's API with the credentials of the sign-in.", &person.Curl{}},
		{"logs", "Print what functions have logged.", &logsCommand{}},
		{"invoke", "Invoke a function and print its answer.", &invokeCommand{}},
		{"env", "Print what aws and every SDK need to talk to the embedded region.", &envCommand{}},
		{"explain", "Say why a request was refused.", &explainCommand{}},
		{"iam", "Policies from what was seen.", &iamCommand{}},
		{"completion", "Print a script by which a shell completes roost's commands.", &completionCommand{}},
		{"version", "Print the version.", &versionCommand{}},
	}
}

// grammar returns the command that the arguments begin with, because kong takes its
// time for each; or all, where they begin with none or with the one that tells of
// all.
func grammar(args []string) []kong.Option {
	all := commands()
	if len(args) > 0 && args[0] != "completion" {
		if i := slices.IndexFunc(all, func(c command) bool { return c.name == args[0] }); i >= 0 {
			all = all[i : i+1]
		}
	}
	var options []kong.Option
	for _, c := range all {
		options = append(options, kong.DynamicCommand(c.name, c.help, "", c.arguments))
	}
	return options
}

const description = `Write a REST API with sign-in, run it on this machine with real authentication, and deploy the same template to AWS.

Each command tells more with --help. Exit status: 0 done, 1 failed, 2 wrong usage.`

// Run runs the command with its arguments, without the program's name, and
// returns its exit status. It returns soon after ctx ends.
func Run(ctx context.Context, args []string, streams Streams, env []string) int {
	if in, ok := streams.In.(*os.File); ok && len(args) == 1 && args[0] == supervisor.Argument {
		return supervisor.Main(in)
	}
	if len(args) > 0 && args[0] == isolation.Argument {
		return isolation.Main(args[1:], streams.Err)
	}
	s := session.New(streams.In, streams.Out, streams.Err, env)
	args, s.Command = cutCommand(args)
	var every flags
	exited := false
	parser, err := kong.New(&every, append(grammar(args), kong.Name("roost"), kong.Description(description),
		kong.Writers(streams.Out, streams.Err), kong.Exit(func(int) { exited = true }),
		kong.UsageOnError(), kong.ConfigureHelp(kong.HelpOptions{Compact: true}),
		kong.BindTo(ctx, (*context.Context)(nil)), kong.Bind(s),
		kong.ValueFormatter(kong.DefaultHelpValueFormatter))...)
	if err != nil {
		s.Term.Error(err)
		return exitFailed
	}
	if len(args) == 0 {
		return noCommand(s, parser)
	}
	parsed, err := parser.Parse(args)
	if exited {
		return exitOK // help was asked for and printed
	}
	if err != nil {
		return usage(s, err)
	}
	if every.NoColor {
		s.Term.NoColor()
	}
	code := finish(ctx, s, parsed.Run())
	s.Term.Event("end", map[string]int{"status": code})
	return code
}

// noCommand prints the help where no command was given.
func noCommand(s *session.Session, parser *kong.Kong) int {
	parser.Stdout = parser.Stderr
	if _, err := parser.Parse([]string{"--help"}); err != nil {
		s.Term.Error(err)
	}
	return exitUsage
}

// usage says what is wrong with a command line.
func usage(s *session.Session, err error) int {
	hint := `run "roost --help" for the commands`
	var parse *kong.ParseError
	if errors.As(err, &parse) && parse.Context != nil && parse.Context.Command() != "" {
		name, _, _ := strings.Cut(parse.Context.Command(), " <")
		hint = fmt.Sprintf(`run "roost %s --help" for its arguments`, name)
	}
	s.Term.Error(term.WithHint(inWords(err, parse), hint))
	return exitUsage
}

// noValue is how kong says that a flag is the last word and needs a value.
var noValue = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`^(--[a-z-]+): (?:expected .* value but got "EOL" .*|missing value, .*)$`)
})

// inWords says what is wrong with a command line in a person's words. What is
// given to "roost secret set" is not said again.
func inWords(err error, parse *kong.ParseError) error {
	if found := noValue().FindStringSubmatch(err.Error()); found != nil {
		return errors.New(found[1] + " needs a value")
	}
	if parse != nil && parse.Context != nil && strings.HasPrefix(parse.Context.Command(), "secret set <name>") {
		return errors.New("a secret's value is no argument, where others could see it: it is asked for, or read from standard input")
	}
	return err
}

func finish(ctx context.Context, s *session.Session, err error) int {
	var misused session.Usage
	var status exitStatus
	switch {
	case err == nil:
		return exitOK
	case errors.Is(err, session.ErrReported):
		return exitFailed
	case errors.As(err, &status):
		return int(status)
	case errors.As(err, &misused):
		s.Term.Error(misused.Err)
		return exitUsage
	case ctx.Err() != nil && errors.Is(err, context.Canceled):
		s.Term.Note("interrupted")
		return exitFailed
	}
	s.Term.Error(err)
	return exitFailed
}
