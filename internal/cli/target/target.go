// Package target is where a stage's stacks go: the embedded region, AWS or another
// endpoint. It deploys there, and keeps beside the app what later commands need to
// know of it.
//
//	to, err := target.Destination(app, "aws")   // of the flag --to and the stage's settings
//	t, err := target.Open(ctx, s, app, to)      // until t.Close
//	err = t.Deploy(ctx, assembly, "outputs.json")
//	last, err := target.Last(app)               // where the stage was deployed to
package target

import (
	"context"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsconfig "github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go/logging"
	"github.com/seed-615d3599/roost/internal/cli/embedded"
	"github.com/seed-615d3599/roost/internal/cli/session"
	"github.com/seed-615d3599/roost/internal/config"
	"github.com/seed-615d3599/roost/internal/deploy"
	"github.com/seed-615d3599/roost/internal/term"
)

// Target is a region that a stage's stacks go to. Make it with Open, or with Of for
// an embedded region that runs.
type Target struct {
	AWS     aws.Config
	Account string // 12 digits
	// To is what was asked for: Local, AWS or a URL.
	To string
	// Region is the embedded region where To is Local, else nil.
	Region *config.Region
	// AllowReplace names resources that a deployment may replace or remove
	// although identities live in them, or they are to be retained.
	AllowReplace []string

	session *session.Session
	app     *config.App
	close   func() error
}

// Close ends a region that was started for this command only.
func (t *Target) Close() error { return t.close() }

// What may be asked for besides a URL.
const (
	Local = "local"
	AWS   = "aws"
)

// OnThisMachine reports whether a region is here, so that functions have to run on
// this machine.
func OnThisMachine(to string) bool {
	if to == Local {
		return true
	}
	u, err := url.Parse(to)
	return err == nil && (u.Hostname() == "127.0.0.1" || u.Hostname() == "localhost" || u.Hostname() == "::1")
}

// Destination returns where a stage goes: by the flag, or by its settings,
// which become those of the embedded region if it goes there.
func Destination(app *config.App, flag string) (string, error) {
	to := app.To
	if flag != "" {
		to = flag
	}
	if to == Local {
		app.ForLocal()
		return to, nil
	}
	if to == AWS || strings.HasPrefix(to, "http://") || strings.HasPrefix(to, "https://") {
		return strings.TrimSuffix(to, "/"), nil
	}
	return "", session.Usage{Err: fmt.Errorf("--to %s: it is local, aws or the URL of an endpoint", to)}
}

const setCredentials = "set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY; \"aws sts get-caller-identity\" tests them"

// Open finds the region, or starts the embedded one in this process until
// Close is called.
func Open(ctx context.Context, s *session.Session, app *config.App, to string) (*Target, error) {
	if to == Local {
		return openLocal(ctx, s, app)
	}
	cfg, err := awsconfig.LoadDefaultConfig(ctx, awsconfig.WithRegion(app.AWSRegion), awsconfig.WithLogger(logging.Nop{})) // errors tell
	if err != nil {
		return nil, err
	}
	if _, err := cfg.Credentials.Retrieve(ctx); err != nil {
		return nil, term.WithHint(fmt.Errorf("there are no credentials for %s: %w", to, err), setCredentials)
	}
	if to != AWS {
		cfg.BaseEndpoint = aws.String(to)
	}
	t := &Target{AWS: cfg, To: to, session: s, app: app, close: func() error { return nil }}
	who, err := sts.NewFromConfig(cfg).GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{})
	if err != nil {
		return nil, term.WithHint(fmt.Errorf("ask %s whose the credentials are: %w", to, err),
			setCredentials)
	}
	t.Account = aws.ToString(who.Account)
	if app.Account != "" && app.Account != t.Account {
		return nil, term.WithHint(fmt.Errorf("stage %s belongs into the account %s, and the credentials are of %s", app.Stage, app.Account, t.Account),
			"use other credentials, or correct \"account\" in "+app.File)
	}
	return t, nil
}

// openLocal finds the running region of the app, or starts one on its state.
func openLocal(ctx context.Context, s *session.Session, app *config.App) (*Target, error) {
	found, err := app.Region()
	if err != nil {
		return nil, err
	}
	if found != nil {
		return Of(s, app, found), nil
	}
	started, err := embedded.Start(ctx, s, embedded.Settings{App: app, Port: 0, Temporary: true})
	if err != nil {
		return nil, err
	}
	t := Of(s, app, started.Info)
	t.close = started.Close
	return t, nil
}

// Of returns the target for an embedded region that runs.
func Of(s *session.Session, app *config.App, r *config.Region) *Target {
	return &Target{
		AWS:     deploy.Endpoint(r.Endpoint, r.Region, r.AccessKeyID, r.SecretAccessKey),
		Account: r.Account, To: Local, Region: r, session: s, app: app, close: func() error { return nil },
	}
}

// quickLook is how soon to look again at a region on this machine.
const quickLook = 10 * time.Millisecond

// Deployer returns what deploys the app to the target.
func (t *Target) Deployer(ctx context.Context) (*deploy.Deployer, error) {
	s, app := t.session, t.app
	env, err := app.Environ(s.Env)
	if err != nil {
		return nil, err
	}
	cfg := deploy.Config{
		AWS: t.AWS, Account: t.Account, Owner: app.Name + "/" + app.Stage,
		Secret: t.secrets(ctx, env), AllowReplace: t.AllowReplace,
		Print: func(line string) { s.Term.Print(term.Clean(line)) }, // an event's reason may be a function's
	}
	if s.Term.IsJSON() {
		cfg.Event = func(e deploy.StackEvent) { s.Term.Event("event", e) }
	}
	if OnThisMachine(t.To) {
		cfg.Quick = quickLook
	}
	return deploy.New(cfg), nil
}
