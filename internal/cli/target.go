package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsconfig "github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go/logging"
	"github.com/seed-615d3599/roost/internal/config"
	"github.com/seed-615d3599/roost/internal/deploy"
	"github.com/seed-615d3599/roost/internal/term"
)

// A target is a region that stacks go to.
type target struct {
	aws     aws.Config
	account string
	// to is what was asked for: local, aws or a URL.
	to string
	// region is the embedded region where to is local, else nil.
	region *config.Region
	// close ends a region that was started for this command only.
	close func() error
}

const (
	toLocal = "local"
	toAWS   = "aws"
)

// local reports whether functions have to run on this machine.
func (t *target) local() bool {
	if t.to == toLocal {
		return true
	}
	u, err := url.Parse(t.to)
	return err == nil && (u.Hostname() == "127.0.0.1" || u.Hostname() == "localhost" || u.Hostname() == "::1")
}

// destination returns where a stage goes: by the flag, or by its settings,
// which become those of the embedded region if it goes there.
func destination(app *config.App, flag string) (string, error) {
	to := app.To
	if flag != "" {
		to = flag
	}
	if to == toLocal {
		app.ForLocal()
		return to, nil
	}
	if to == toAWS || strings.HasPrefix(to, "http://") || strings.HasPrefix(to, "https://") {
		return strings.TrimSuffix(to, "/"), nil
	}
	return "", usageError{fmt.Errorf("--to %s: it is local, aws or the URL of an endpoint", to)}
}

const setCredentials = "set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY; \"aws sts get-caller-identity\" tests them"

// openTarget finds the region, or starts the embedded one in this process until
// close is called.
func (s *session) openTarget(ctx context.Context, app *config.App, to string) (*target, error) {
	if to == toLocal {
		return s.openLocal(ctx, app)
	}
	cfg, err := awsconfig.LoadDefaultConfig(ctx, awsconfig.WithRegion(app.AWSRegion), awsconfig.WithLogger(logging.Nop{})) // errors tell
	if err != nil {
		return nil, err
	}
	if _, err := cfg.Credentials.Retrieve(ctx); err != nil {
		return nil, term.WithHint(fmt.Errorf("there are no credentials for %s: %w", to, err), setCredentials)
	}
	if to != toAWS {
		cfg.BaseEndpoint = aws.String(to)
	}
	t := &target{aws: cfg, to: to, close: func() error { return nil }}
	who, err := sts.NewFromConfig(cfg).GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{})
	if err != nil {
		return nil, term.WithHint(fmt.Errorf("ask %s whose the credentials are: %w", to, err),
			setCredentials)
	}
	t.account = aws.ToString(who.Account)
	if app.Account != "" && app.Account != t.account {
		return nil, term.WithHint(fmt.Errorf("stage %s belongs into the account %s, and the credentials are of %s", app.Stage, app.Account, t.account),
			"use other credentials, or correct \"account\" in "+app.File)
	}
	return t, nil
}

// openLocal finds the running region of the app, or starts one on its state.
func (s *session) openLocal(ctx context.Context, app *config.App) (*target, error) {
	found, err := app.Region()
	if err != nil {
		return nil, err
	}
	if found != nil {
		return localTarget(found, func() error { return nil }), nil
	}
	started, err := s.startRegion(ctx, regionSettings{app: app, port: 0, temporary: true})
	if err != nil {
		return nil, err
	}
	return localTarget(started.info, started.close), nil
}

func localTarget(r *config.Region, closeRegion func() error) *target {
	return &target{
		aws:     deploy.Endpoint(r.Endpoint, r.Region, r.AccessKeyID, r.SecretAccessKey),
		account: r.Account, to: toLocal, region: r, close: closeRegion,
	}
}

// quickLook is how soon to look again at a region on this machine.
const quickLook = 10 * time.Millisecond

// deployer returns what deploys an app to the target.
func (s *session) deployer(ctx context.Context, t *target, app *config.App) (*deploy.Deployer, error) {
	env, err := app.Environ(s.env)
	if err != nil {
		return nil, err
	}
	cfg := deploy.Config{
		AWS: t.aws, Account: t.account, Owner: app.Name + "/" + app.Stage,
		Secret: s.secrets(ctx, t, app, env), AllowReplace: s.allowReplace,
		Print: func(line string) { s.term.Print(term.Clean(line)) }, // an event's reason may be a function's
	}
	if s.term.IsJSON() {
		cfg.Event = func(e deploy.StackEvent) { s.term.Event("event", e) }
	}
	if t.local() {
		cfg.Quick = quickLook
	}
	return deploy.New(cfg), nil
}

// deployed is what a stage's folder keeps about its last deployment.
type deployed struct {
	To      string `json:"to"` // local, aws or a URL
	Region  string `json:"region"`
	Account string `json:"account"`
}

func deployedFile(app *config.App) string { return filepath.Join(app.StageDir(), "deployed.json") }

func writeDeployed(app *config.App, t *target) error {
	data, err := json.MarshalIndent(deployed{To: t.to, Region: t.aws.Region, Account: t.account}, "", "  ")
	if err != nil {
		return err
	}
	return config.WriteFile(deployedFile(app), append(data, '\n'))
}

// readDeployed returns where the stage was deployed to last. A stage that was
// not is taken to go where its settings say.
func readDeployed(app *config.App) (deployed, error) {
	d := deployed{To: app.To, Region: app.AWSRegion, Account: app.Account}
	data, err := os.ReadFile(deployedFile(app))
	if errors.Is(err, fs.ErrNotExist) {
		return d, nil
	}
	if err != nil {
		return d, err
	}
	if err := json.Unmarshal(data, &d); err != nil {
		return d, term.WithHint(fmt.Errorf("%s: %w", deployedFile(app), err), "deploy the stage again")
	}
	return d, nil
}
