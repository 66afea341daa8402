// Package trial brings an app up on a region of its own, in this process and on
// free ports, to be tried and thrown away: what roosttest and "roost test" are
// made of.
//
//	tried, err := trial.Start(ctx, trial.Config{App: app, Source: source.Assemble, State: dir, …})
//	defer tried.Close()
//	alice, err := tried.SignIn(ctx, "alice")
//
// Nothing is written but the state in its folder and what the source builds: a
// region that runs for the app at the same time does not notice.
package trial

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/seed-615d3599/roost/internal/assembly"
	"github.com/seed-615d3599/roost/internal/config"
	"github.com/seed-615d3599/roost/internal/deploy"
	"github.com/seed-615d3599/roost/internal/region"
	"github.com/seed-615d3599/roost/internal/signin"
)

// Config says what is tried. App, Source and State are required.
type Config struct {
	App *config.App
	// Source makes what is deployed.
	Source func(context.Context) (*assembly.Assembly, error)
	// State is the folder of the region's state. It is the caller's to remove.
	State string
	// Environ is where the values of secrets are looked for, before the app's
	// own files.
	Environ []string
	// Supervisor is as for the region: how this program ends functions after it
	// was killed.
	Supervisor []string
	// Now is the region's clock; nil means the system's.
	Now func() time.Time
	// Warn is told what the region warns of; nil means nobody listens.
	Warn func(string)
}

// Trial is an app on a region of its own.
type Trial struct {
	Region    *region.Region
	Results   []deploy.Result
	Resources []Resource

	config Config
}

// Resource is one that was deployed.
type Resource struct{ Logical, ID, Type string }

// Start makes the assembly, starts the region and deploys. The error of a
// failed deployment has the deployment's own lines in it.
func Start(ctx context.Context, cfg Config) (*Trial, error) {
	made, err := cfg.Source(ctx)
	if err != nil {
		return nil, err
	}
	t := &Trial{config: cfg}
	if t.Region, err = region.Start(ctx, t.regionConfig(cfg.State)); err != nil {
		return nil, err
	}
	if err := t.deploy(ctx, made); err != nil {
		return nil, errors.Join(err, t.Close())
	}
	return t, nil
}

func (t *Trial) regionConfig(state string) region.Config {
	app := t.config.App
	return region.Config{
		Dir: state, App: app.Dir, Account: app.LocalAccount, Region: app.LocalRegion, Now: t.config.Now, Warn: t.config.Warn,
		Supervisor: t.config.Supervisor, Record: func(name string) bool { return slices.Contains(app.Record, name) },
	}
}

// Fork returns another trial that begins as this one is, with its state in
// another folder and another clock.
func (t *Trial) Fork(ctx context.Context, state string, now func() time.Time, warn func(string)) (*Trial, error) {
	fork := &Trial{Results: slices.Clone(t.Results), Resources: t.Resources, config: t.config}
	fork.config.Now, fork.config.Warn = now, warn
	var err error
	if fork.Region, err = t.Region.Fork(ctx, fork.regionConfig(state)); err != nil {
		return nil, err
	}
	moved := moved(t.Region, fork.Region)
	for i := range fork.Results {
		outputs := slices.Clone(fork.Results[i].Outputs)
		for k := range outputs {
			outputs[k].Value = moved.in(outputs[k].Value)
		}
		fork.Results[i].Outputs = outputs
	}
	return fork, nil
}

// moves are the URLs of one region with those of its fork in their place, to the
// port each.
type moves map[string]string

func moved(from, to *region.Region) moves {
	m := moves{from.Endpoint: to.Endpoint, from.Twitter: to.Twitter}
	for _, urls := range [][2]map[string]string{{from.APIs(), to.APIs()}, {from.FunctionURLs(), to.FunctionURLs()}} {
		for id, url := range urls[0] {
			if there, ok := urls[1][id]; ok {
				m[strings.TrimSuffix(url, "/")] = strings.TrimSuffix(there, "/")
			}
		}
	}
	return m
}

// withPort recognizes a URL to the end of its port: that of one can begin another's.
var withPort = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`https?://[^/:\s]+:[0-9]+`) })

// in replaces the URLs that are in a text.
func (m moves) in(text string) string {
	return withPort().ReplaceAllStringFunc(text, func(url string) string {
		if there, ok := m[url]; ok {
			return there
		}
		return url
	})
}

// Close ends the region.
func (t *Trial) Close() error { return t.Region.Close() }

// quickLook is how soon to look whether a deployment is done.
const quickLook = time.Millisecond

func (t *Trial) deploy(ctx context.Context, made *assembly.Assembly) error {
	env, err := t.config.App.Environ(t.config.Environ)
	if err != nil {
		return err
	}
	var said []string
	d := deploy.New(deploy.Config{
		AWS: deploy.Endpoint(t.Region.Endpoint, t.Region.Name, t.Region.AccessKeyID, t.Region.SecretAccessKey), Account: t.Region.Account, Owner: t.config.App.Name + "/" + t.config.App.Stage, Quick: quickLook,
		Print:  func(line string) { said = append(said, line) },
		Secret: func(name string) (string, bool) { return config.Lookup(env, name) },
	})
	if t.Results, err = d.Deploy(ctx, made.Stacks); err != nil {
		return err
	}
	if deploy.OK(t.Results) {
		return t.list(ctx)
	}
	for _, result := range t.Results {
		if result.Err != nil {
			err = errors.Join(err, fmt.Errorf("stack %s: %w", result.Stack, result.Err))
		}
	}
	return fmt.Errorf("%w\n%s", err, strings.Join(said, "\n"))
}

// Outputs returns the outputs of all stacks by their names; of two with one
// name the later stack's.
func (t *Trial) Outputs() map[string]string {
	all := map[string]string{}
	for _, result := range t.Results {
		for _, o := range result.Outputs {
			all[o.Name] = o.Value
		}
	}
	return all
}

// list reads what was deployed.
func (t *Trial) list(ctx context.Context) error {
	for _, result := range t.Results {
		var out struct {
			StackResourceSummaries []struct{ LogicalResourceID, PhysicalResourceID, ResourceType string }
		}
		err := t.Region.Call(ctx, "cloudformation", "ListStackResources", map[string]string{"StackName": result.Stack}, &out)
		if err != nil {
			return fmt.Errorf("list the resources of %s: %w", result.Stack, err)
		}
		for _, one := range out.StackResourceSummaries {
			t.Resources = append(t.Resources, Resource{one.LogicalResourceID, one.PhysicalResourceID, one.ResourceType})
		}
	}
	return nil
}

// hashed recognizes what constructs add to a name to make a logical id.
var hashed = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^[0-9A-F]{8}$`) })

// Find returns the id of the one resource of a type that a name means: a
// logical id, an id, or the name from which a construct made the logical id.
// An empty name means the only one.
func (t *Trial) Find(typeName, name string) (string, error) {
	var exact, called []string
	for _, one := range t.Resources {
		rest, prefixed := strings.CutPrefix(one.Logical, name)
		switch {
		case one.Type != typeName:
		case one.Logical == name || one.ID == name:
			exact = append(exact, one.ID)
		case name == "" || prefixed && hashed().MatchString(rest):
			called = append(called, one.ID)
		}
	}
	if len(exact) == 0 {
		exact = called
	}
	if len(exact) != 1 {
		return "", fmt.Errorf("the app has %d resources of type %s that are called %q", len(exact), typeName, name)
	}
	return exact[0], nil
}

// Pool is the app's identity pool.
func (t *Trial) Pool() (signin.Pool, error) {
	id, err := t.Find("AWS::Cognito::IdentityPool", "")
	return signin.Pool{Endpoint: t.Region.Endpoint, ID: id, Now: t.config.Now}, err
}

// SignIn signs a person in with Twitter's stand-in at the app's identity pool.
func (t *Trial) SignIn(ctx context.Context, screenName string) (signin.Session, error) {
	pool, err := t.Pool()
	if err != nil {
		return signin.Session{}, err
	}
	var described struct{ SupportedLoginProviders map[string]string }
	err = t.Region.Call(ctx, "cognito-identity", "DescribeIdentityPool", map[string]string{"IdentityPoolId": pool.ID}, &described)
	if err != nil {
		return signin.Session{}, err
	}
	twitter := signin.Twitter{BaseURL: t.Region.Twitter}
	var found bool
	twitter.ConsumerKey, twitter.ConsumerSecret, found = strings.Cut(described.SupportedLoginProviders[signin.TwitterProvider], ";")
	if !found {
		return signin.Session{}, fmt.Errorf("the identity pool %s does not take sign-ins with Twitter", pool.ID)
	}
	profile, err := twitter.AuthorizeAs(ctx, screenName)
	if err != nil {
		return signin.Session{}, err
	}
	return pool.SignIn(ctx, signin.TwitterProvider, profile.Username, profile.Login())
}
