package cli

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"

	"github.com/seed-615d3599/roost/internal/cli/session"
	"github.com/seed-615d3599/roost/internal/cli/target"
	"github.com/seed-615d3599/roost/internal/cli/vault"
	"github.com/seed-615d3599/roost/internal/config"
	"github.com/seed-615d3599/roost/internal/term"
	xterm "golang.org/x/term"
)

// secretCommand keeps the values of secrets in the stage's region, so that who
// deploys needs no .env.
type secretCommand struct {
	Set    secretSetCommand    `cmd:"" help:"Keep a secret's value; it is read from standard input or asked for."`
	List   secretListCommand   `cmd:"" help:"Print the names of the secrets that are kept."`
	Remove secretRemoveCommand `cmd:"" help:"Forget a secret's value."`
}

// secretPlace says which stage is meant.
type secretPlace struct {
	Stage string `help:"The stage; by default the one in roost.json, or dev."`
	To    string `placeholder:"local|aws|URL" help:"Where the stage is; by default as roost.json says, or local."`
	Dir   string `default:"." help:"The app's folder."`
}

// with calls do with the place where the stage's secrets are kept.
func (p secretPlace) with(ctx context.Context, s *session.Session, do func(*vault.Vault) error) (err error) {
	app, err := config.Load(p.Dir, p.Stage)
	if err != nil {
		return err
	}
	to, err := target.Destination(app, p.To)
	if err != nil {
		return err
	}
	t, err := target.Open(ctx, s, app, to)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, t.Close()) }()
	v, err := t.Vault(ctx)
	if err != nil {
		return err
	}
	return do(v)
}

type secretSetCommand struct {
	Name string `arg:"" help:"The name by which the app calls the secret, such as TWITTER_CONSUMER_KEY."`
	secretPlace
}

// Run keeps a value.
func (c *secretSetCommand) Run(ctx context.Context, s *session.Session) error {
	if err := checkSecretName(c.Name); err != nil {
		return err
	}
	value, err := readSecret(ctx, s, c.Name)
	if err != nil {
		return err
	}
	if err := c.with(ctx, s, func(v *vault.Vault) error { return v.Set(ctx, c.Name, value) }); err != nil {
		return err
	}
	return c.tellOther(s)
}

// tellOther says where the environment has a value of its own: it wins, so that
// without a word the new one would seem to do nothing.
func (c *secretSetCommand) tellOther(s *session.Session) error {
	app, err := config.Load(c.Dir, c.Stage)
	if err != nil {
		return err
	}
	env, err := app.Environ(s.Env)
	if err != nil {
		return err
	}
	if value, found := config.Lookup(env, c.Name); found && value != "" {
		s.Term.Warn(fmt.Sprintf("%s is kept, and a deployment from here does not use it: the environment or a file .env has a value too, which comes first; take it out there", c.Name))
	}
	return nil
}

type secretListCommand struct{ secretPlace }

// Run prints names.
func (c *secretListCommand) Run(ctx context.Context, s *session.Session) error {
	return c.with(ctx, s, func(v *vault.Vault) error {
		secrets, err := v.All(ctx)
		for _, name := range slices.Sorted(maps.Keys(secrets)) {
			s.Term.Print(name)
		}
		if err == nil && len(secrets) == 0 {
			s.Term.Note("No secrets are kept for this stage; \"roost secret set NAME\" keeps one.")
		}
		return err
	})
}

type secretRemoveCommand struct {
	Name string `arg:"" help:"The secret's name."`
	secretPlace
}

// Run forgets a value.
func (c *secretRemoveCommand) Run(ctx context.Context, s *session.Session) error {
	if err := checkSecretName(c.Name); err != nil {
		return err
	}
	return c.with(ctx, s, func(v *vault.Vault) error { return v.Remove(ctx, c.Name) })
}

// checkSecretName refuses what could not be a variable of the environment.
func checkSecretName(name string) error {
	if !regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]{0,200}$`).MatchString(name) {
		return session.Usage{Err: fmt.Errorf("%q is no name of a secret: use letters, digits and underscores, as in TWITTER_CONSUMER_KEY", name)}
	}
	return nil
}

// readHidden reads a line from a terminal that does not show it. If ctx ends
// before, the terminal shows again what is typed.
func readHidden(ctx context.Context, file *os.File) (string, error) {
	fd := int(file.Fd())
	before, err := xterm.GetState(fd)
	if err != nil {
		return "", err
	}
	value, err := session.Await(ctx, func() (string, error) {
		value, err := xterm.ReadPassword(fd)
		return string(value), err
	})
	if ctx.Err() != nil {
		return "", errors.Join(err, xterm.Restore(fd, before))
	}
	return value, err
}

// maxSecret is the most bytes that a standard parameter holds ("Managing
// parameter tiers", AWS Systems Manager User Guide).
const maxSecret = 4096

// readSecret reads a value from a pipe, or asks for it without showing it.
func readSecret(ctx context.Context, s *session.Session, name string) (string, error) {
	var value string
	var err error
	if file, ok := s.In.(*os.File); ok && term.IsTerminal(file) {
		fmt.Fprintf(s.Out, "Value of %s (it is not shown): ", name)
		value, err = readHidden(ctx, file)
		fmt.Fprintln(s.Out)
	} else {
		value, err = session.ReadAll(s.Typed(ctx))
		value = strings.TrimRight(value, "\r\n")
	}
	switch {
	case err != nil:
		return "", err
	case value == "":
		return "", session.Usage{Err: errors.New("the value is empty: pipe it in, as in \"pass show key | roost secret set NAME\"")}
	case len(value) > maxSecret:
		return "", session.Usage{Err: fmt.Errorf("the value has %d bytes, and a parameter holds %d", len(value), maxSecret)}
	}
	return value, nil
}
