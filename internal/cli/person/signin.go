// Package person is what somebody does with the commands to be a person for an app:
// sign in with Twitter, see the credentials, and call the app with them.
//
//	{"login", "Sign in to the app and keep the credentials.", &person.Login{}} // as kong reads it
package person

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/seed-615d3599/roost/internal/cli/embedded"
	"github.com/seed-615d3599/roost/internal/cli/session"
	"github.com/seed-615d3599/roost/internal/cli/target"
	"github.com/seed-615d3599/roost/internal/config"
	"github.com/seed-615d3599/roost/internal/control"
	"github.com/seed-615d3599/roost/internal/signin"
	"github.com/seed-615d3599/roost/internal/term"
)

// Twitter is "roost twitter".
type Twitter struct {
	Authorize authorizeCommand `cmd:"" help:"Get a person's token for a Twitter app and keep it in ~/.twurlrc."`
}

type authorizeCommand struct {
	ConsumerKey    string `required:"" placeholder:"KEY" help:"The Twitter app's consumer key."`
	ConsumerSecret string `required:"" placeholder:"SECRET" help:"The Twitter app's consumer secret."`
	As             string `placeholder:"NAME" help:"Sign in under this screen name without a browser; the stand-in only."`
	URL            string `name:"url" placeholder:"URL" help:"The Twitter to ask; by default that of the running region, else https://api.twitter.com."`
	Dir            string `default:"." help:"The app's folder."`
}

// Run goes through twurl's flow.
func (c *authorizeCommand) Run(ctx context.Context, s *session.Session) error {
	at, err := c.url()
	if err != nil {
		return err
	}
	if at == "" && c.As != "" {
		return term.WithHint(errors.New("--as signs in at the stand-in, and the embedded region does not run"),
			"run \"roost start\" in another terminal, or leave out --as to sign in at Twitter itself")
	}
	if at == "" {
		s.Term.Note("The embedded region does not run: this signs in at Twitter itself.")
	}
	twitter := signin.Twitter{BaseURL: at, ConsumerKey: c.ConsumerKey, ConsumerSecret: c.ConsumerSecret}
	var profile signin.Profile
	if c.As != "" {
		profile, err = twitter.AuthorizeAs(ctx, c.As)
	} else {
		profile, err = twitter.AuthorizeByPIN(ctx, s.Typed(ctx), s.Out)
	}
	if err != nil {
		return err
	}
	file, err := twurlrc(s)
	if err != nil {
		return err
	}
	if err := signin.SaveProfile(file, profile); err != nil {
		return err
	}
	s.Term.Print("Authorization successful")
	return nil
}

func (c *authorizeCommand) url() (string, error) {
	if c.URL != "" {
		return c.URL, nil
	}
	app, err := config.Bare(c.Dir, "")
	if err != nil {
		return "", err
	}
	running, err := app.Region()
	if err != nil || running == nil {
		return "", err // empty: Twitter's own
	}
	return running.Twitter, nil
}

// home is the person's folder, where .twurlrc lies.
func home(s *session.Session) (string, error) {
	if dir := s.Getenv("HOME"); dir != "" {
		return dir, nil
	}
	dir, err := os.UserHomeDir()
	if err != nil {
		return "", term.WithHint(errors.New("there is no home folder to look for .twurlrc in: HOME is not set"), "set HOME to your home folder")
	}
	return dir, nil
}

func twurlrc(s *session.Session) (string, error) {
	home, err := home(s)
	return filepath.Join(home, ".twurlrc"), err
}

// Login is "roost login".
type Login struct {
	Twitter loginTwitterCommand `cmd:"" help:"Sign in with Twitter."`
}

type loginTwitterCommand struct {
	Dir   string `default:"." help:"The app's folder."`
	Stage string `help:"The stage; by default the one in roost.json, or dev."`
	As    string `placeholder:"NAME" help:"The person: at the stand-in signed in without a browser, else whose token in ~/.twurlrc to take."`
}

// Run turns a Twitter token into credentials and keeps them.
func (c *loginTwitterCommand) Run(ctx context.Context, s *session.Session) error {
	app, err := stageOf(c.Dir, c.Stage)
	if err != nil {
		return err
	}
	place, err := placeOf(app)
	if err != nil {
		return err
	}
	profile, err := profile(ctx, s, place, c.As)
	if err != nil {
		return err
	}
	keys, err := place.pool.SignIn(ctx, signin.TwitterProvider, profile.Username, profile.Login())
	if err != nil {
		return fmt.Errorf("sign in to the identity pool: %w", err)
	}
	if err := signin.SaveSession(app.StageDir(), keys); err != nil {
		return err
	}
	s.Term.Printf("Signed in as %s\n  IdentityId: %s\n  Expires: %s", profile.Username, keys.IdentityID,
		keys.Expiration.Local().Format("15:04:05"))
	return nil
}

// A signInPlace is where people sign in to a stage.
type signInPlace struct {
	app    *config.App
	pool   signin.Pool
	region *config.Region // nil for AWS
}

// placeOf finds the stage's identity pool and the service that has it.
func placeOf(app *config.App) (*signInPlace, error) {
	pool, err := output(app, config.PoolOutput)
	if err != nil {
		return nil, err
	}
	last, err := target.Last(app)
	if err != nil {
		return nil, err
	}
	place := &signInPlace{app: app, pool: signin.Pool{ID: pool}}
	switch last.To {
	case target.AWS:
		place.pool.Endpoint = control.Endpoint("cognito-identity", last.Region)
	case target.Local:
		if place.region, err = embedded.Running(app); err != nil {
			return nil, err
		}
		place.pool.Endpoint = place.region.Endpoint
	default:
		place.pool.Endpoint = last.To
	}
	return place, nil
}

// stageOf returns settings for work with what was deployed from a folder: that of
// an app, or one from which a template or an assembly was.
func stageOf(dir, stage string) (*config.App, error) {
	app, err := config.Bare(dir, stage)
	if err != nil || app.File != "" {
		return app, err
	}
	for _, name := range []string{"cdk.json", ".roost"} {
		if _, err := os.Stat(filepath.Join(app.Dir, name)); err == nil {
			return app, nil
		}
	}
	return nil, term.WithHint(fmt.Errorf("there is no roost.json or cdk.json in %s", app.Dir), "change to the app's folder, or name that one")
}

// output returns the stage's output of that name, of whichever stack.
func output(app *config.App, name string) (string, error) {
	outputs, err := app.Outputs()
	if err != nil {
		return "", err
	}
	if outputs == nil {
		return "", term.WithHint(fmt.Errorf("stage %s is not deployed", app.Stage), "run \"roost start\" or \"roost deploy\" first, or name the stage with --stage")
	}
	values := outputs.Named(name)
	switch len(values) {
	case 0:
		return "", term.WithHint(fmt.Errorf("stage %s has no output %s", app.Stage, name), "give the stack one of that name, as in stack.Output(\""+name+"\", …)")
	case 1:
		return values[0], nil
	}
	return "", fmt.Errorf("stage %s has several outputs %s: %s", app.Stage, name, strings.Join(values, ", "))
}

// profile returns the person's token: from the stand-in with a name, else from
// ~/.twurlrc, else by a browser.
func profile(ctx context.Context, s *session.Session, place *signInPlace, as string) (signin.Profile, error) {
	file, err := twurlrc(s)
	if err != nil {
		return signin.Profile{}, err
	}
	if place.region == nil {
		profile, err := signin.LoadProfile(file, as, "")
		if err != nil {
			return profile, term.WithHint(err, "run \"roost twitter authorize\" with the Twitter app's keys first")
		}
		return profile, nil
	}
	twitter := signin.Twitter{BaseURL: place.region.Twitter}
	if twitter.ConsumerKey, twitter.ConsumerSecret, err = consumer(ctx, place); err != nil {
		return signin.Profile{}, err
	}
	if as != "" && target.OnThisMachine(twitter.BaseURL) {
		return twitter.AuthorizeAs(ctx, as)
	}
	if profile, err := signin.LoadProfile(file, as, twitter.ConsumerKey); err == nil {
		return profile, nil
	}
	return twitter.AuthorizeByCallback(ctx, func(page string) error {
		s.Term.Print("Open this page in a browser to sign in:\n  " + page)
		return nil
	})
}

// consumer asks the region for the consumer pair of the pool's Twitter app.
func consumer(ctx context.Context, place *signInPlace) (key, secret string, err error) {
	var answer struct{ SupportedLoginProviders map[string]string }
	err = embedded.Client(place.region).JSON(ctx, control.Operation{Service: "cognito-identity", Target: "AWSCognitoIdentityService.DescribeIdentityPool"},
		map[string]string{"IdentityPoolId": place.pool.ID}, &answer)
	if err != nil {
		return "", "", term.WithHint(fmt.Errorf("look at the identity pool %s: %w", place.pool.ID, err), "deploy the stage again")
	}
	key, secret, found := strings.Cut(answer.SupportedLoginProviders[signin.TwitterProvider], ";")
	if !found {
		return "", "", term.WithHint(fmt.Errorf("the identity pool %s does not take sign-ins with Twitter", place.pool.ID),
			"give the app's Auth a Twitter provider")
	}
	return key, secret, nil
}

// Credentials is "roost credentials".
type Credentials struct {
	Dir    string `arg:"" optional:"" default:"." help:"The app's folder."`
	Stage  string `help:"The stage; by default the one in roost.json, or dev."`
	Format string `default:"env" enum:"env,json,process" help:"env: export lines; json: as aws cognito-identity prints them; process: for credential_process in an AWS profile."`
}

// Run prints the credentials.
func (c *Credentials) Run(ctx context.Context, s *session.Session) error {
	app, err := stageOf(c.Dir, c.Stage)
	if err != nil {
		return err
	}
	keys, err := current(ctx, app)
	if err != nil {
		return err
	}
	return signin.WriteCredentials(s.Out, c.Format, keys)
}

// current returns the stage's session, renewed if need be.
func current(ctx context.Context, app *config.App) (signin.Session, error) {
	if _, err := signin.LoadSession(app.StageDir()); err != nil {
		return signin.Session{}, err
	}
	place, err := placeOf(app)
	if err != nil {
		return signin.Session{}, err
	}
	return place.pool.Current(ctx, app.StageDir())
}
