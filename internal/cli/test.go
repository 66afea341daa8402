package cli

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/seed-615d3599/roost/internal/cli/embedded"
	"github.com/seed-615d3599/roost/internal/cli/session"
	"github.com/seed-615d3599/roost/internal/config"
	"github.com/seed-615d3599/roost/internal/region/lambda/supervisor"
	"github.com/seed-615d3599/roost/internal/synth"
	"github.com/seed-615d3599/roost/internal/term"
	"github.com/seed-615d3599/roost/internal/trial"
)

type testCommand struct {
	Dir      string       `arg:"" optional:"" default:"." help:"The app's folder. The command to run follows after \"--\"."`
	Stage    string       `default:"test" help:"The stage."`
	As       string       `placeholder:"NAME" help:"Give the command the credentials of somebody who has signed in, instead of the region's own."`
	Assembly string       `placeholder:"DIR" help:"Deploy this cloud assembly, such as cdk.out, instead of the app's own."`
	JSON     session.JSON `help:"Print JSON objects, one to a line, what the command prints among them."`
}

// Help tells more.
func (c *testCommand) Help() string {
	return `As in: roost test -- npm test

The app is deployed to a region of its own on free ports, and the command runs with AWS_ENDPOINT_URL, credentials and ROOST_OUTPUT_<NAME> for each output in its environment. Its exit status is that of roost test. Nothing is left afterwards.`
}

// cutCommand takes what follows "--" from the arguments of roost test: the
// command that it runs.
func cutCommand(args []string) (own, command []string) {
	i := slices.Index(args, "--")
	if i < 0 || !slices.Contains(args[:i], "test") {
		return args, nil
	}
	return args[:i], args[i+1:]
}

// exitStatus ends a run with the status of a command that it ran.
type exitStatus int

func (e exitStatus) Error() string { return fmt.Sprintf("exit status %d", int(e)) }

// Run runs the command beside the app.
func (c *testCommand) Run(ctx context.Context, s *session.Session) (err error) {
	if len(s.Command) == 0 {
		return session.Usage{Err: errors.New("there is no command to run: write it after --, as in \"roost test -- npm test\"")}
	}
	app, err := synth.Load(c.Dir, c.Stage, c.Assembly)
	if err != nil {
		return err
	}
	app.ForLocal()
	state, err := os.MkdirTemp("", "roost-test-")
	if err != nil {
		return err
	}
	supervise, err := embedded.Supervisor()
	if err != nil {
		return errors.Join(err, os.RemoveAll(state))
	}
	// It ends the command and removes the state, even if this process is killed.
	keeper, err := supervisor.Start(supervise, "ROOST_TEST="+state)
	if err != nil {
		return errors.Join(err, os.RemoveAll(state))
	}
	keeper.Sweep(state)
	defer func() { err = errors.Join(err, keeper.Close()) }()
	quiet := synth.New(synth.Config{App: app, Assembly: c.Assembly, Local: true, Environ: s.Env, Warn: s.Term.Warn})
	tried, err := trial.Start(ctx, trial.Config{App: app, Source: quiet.Assemble, State: state, Environ: s.Env, Supervisor: supervise, Warn: s.Term.Warn})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, tried.Close()) }()
	env, err := c.environ(ctx, s, tried)
	if err != nil {
		return err
	}
	s.Term.Event("ready", map[string]any{"endpoint": tried.Region.Endpoint, "outputs": tried.Outputs()})
	return runBeside(ctx, s, append(env, keeper.Marker()))
}

// environ is the command's environment.
func (c *testCommand) environ(ctx context.Context, s *session.Session, t *trial.Trial) ([]string, error) {
	r := t.Region
	env := slices.DeleteFunc(slices.Clone(s.Env), func(entry string) bool {
		name, _, _ := strings.Cut(entry, "=")
		return name == "AWS_PROFILE" || name == "AWS_SESSION_TOKEN" || strings.HasPrefix(name, "AWS_ENDPOINT_URL") || strings.HasPrefix(name, "ROOST_OUTPUT_")
	})
	env = append(env, "AWS_ENDPOINT_URL="+r.Endpoint, noHostPrefix+"=true", "AWS_REGION="+r.Name, "AWS_DEFAULT_REGION="+r.Name)
	for name, value := range t.Outputs() {
		env = append(env, "ROOST_OUTPUT_"+name+"="+value)
	}
	if c.As == "" {
		return append(env, "AWS_ACCESS_KEY_ID="+r.AccessKeyID, "AWS_SECRET_ACCESS_KEY="+r.SecretAccessKey), nil
	}
	who, err := t.SignIn(ctx, c.As)
	if err != nil {
		return nil, fmt.Errorf("sign %s in: %w", c.As, err)
	}
	return append(env, "AWS_ACCESS_KEY_ID="+who.AccessKeyID, "AWS_SECRET_ACCESS_KEY="+who.SecretAccessKey,
		"AWS_SESSION_TOKEN="+who.SessionToken, "ROOST_IDENTITY_ID="+who.IdentityID), nil
}

// grace is how long a command may take to end after ctrl-C.
const grace = 10 * time.Second

// runBeside runs the command and returns its exit status as an error.
func runBeside(ctx context.Context, s *session.Session, env []string) error {
	path, err := lookPath(s.Command[0], env)
	if err != nil {
		return term.WithHint(fmt.Errorf("%s is not there", s.Command[0]), "what follows -- is a program with its arguments; a line for a shell needs: sh -c '…'")
	}
	cmd := exec.CommandContext(ctx, path, s.Command[1:]...)
	cmd.Args[0], cmd.Env, cmd.Stdin, cmd.WaitDelay = s.Command[0], env, s.In, grace
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	finished := connect(s, cmd)
	err = cmd.Run()
	finished()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		if status, ok := exit.Sys().(syscall.WaitStatus); ok && status.Signaled() {
			return exitStatus(128 + int(status.Signal()))
		}
		return exitStatus(exit.ExitCode())
	}
	return err
}

// lookPath finds a program on the PATH of the run.
func lookPath(name string, env []string) (string, error) {
	if strings.Contains(name, "/") {
		return name, nil
	}
	path, _ := config.Lookup(env, "PATH")
	for dir := range strings.SplitSeq(path, string(os.PathListSeparator)) {
		file := dir + string(os.PathSeparator) + name
		if info, err := os.Stat(file); dir != "" && err == nil && !info.IsDir() && info.Mode()&0o111 != 0 {
			return file, nil
		}
	}
	return "", exec.ErrNotFound
}

// connect gives a command the run's streams, or turns what it prints into
// objects. finished is called after its end.
func connect(s *session.Session, cmd *exec.Cmd) (finished func()) {
	if !s.Term.IsJSON() {
		cmd.Stdout, cmd.Stderr = s.Out, s.Errs
		return func() {}
	}
	var reading sync.WaitGroup
	var ends []io.Closer
	for stream, to := range map[string]*io.Writer{"stdout": &cmd.Stdout, "stderr": &cmd.Stderr} {
		r, w := io.Pipe()
		*to = w
		ends = append(ends, w)
		reading.Go(func() {
			lines := bufio.NewReader(r)
			for {
				line, err := lines.ReadString('\n')
				if line != "" {
					s.Term.Event("output", map[string]string{"stream": stream, "text": strings.TrimSuffix(line, "\n")})
				}
				if err != nil {
					return // the pipe is closed after the command's end
				}
			}
		})
	}
	return func() {
		for _, end := range ends {
			end.Close()
		}
		reading.Wait()
	}
}
