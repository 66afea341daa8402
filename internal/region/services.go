package region

import (
	"context"
	"errors"
	"maps"
	"net/http"
	"path/filepath"
	"strings"
	"time"

	"github.com/seed-615d3599/roost/iam"
	"github.com/seed-615d3599/roost/internal/region/access"
	"github.com/seed-615d3599/roost/internal/region/assets"
	"github.com/seed-615d3599/roost/internal/region/decisions"
	"github.com/seed-615d3599/roost/internal/region/ecr"
	"github.com/seed-615d3599/roost/internal/region/edge"
	"github.com/seed-615d3599/roost/internal/region/httpapi"
	"github.com/seed-615d3599/roost/internal/region/httpapi/gateway"
	"github.com/seed-615d3599/roost/internal/region/identity"
	"github.com/seed-615d3599/roost/internal/region/identity/webidentity"
	"github.com/seed-615d3599/roost/internal/region/kms"
	"github.com/seed-615d3599/roost/internal/region/lambda"
	"github.com/seed-615d3599/roost/internal/region/lambda/cgroup"
	"github.com/seed-615d3599/roost/internal/region/lambda/environment"
	"github.com/seed-615d3599/roost/internal/region/lambda/isolation"
	"github.com/seed-615d3599/roost/internal/region/logs"
	"github.com/seed-615d3599/roost/internal/region/params"
	"github.com/seed-615d3599/roost/internal/region/resources"
	"github.com/seed-615d3599/roost/internal/region/resources/standard"
	"github.com/seed-615d3599/roost/internal/region/secrets"
	"github.com/seed-615d3599/roost/internal/region/stacks"
	"github.com/seed-615d3599/roost/internal/region/stacks/answers"
	"github.com/seed-615d3599/roost/internal/region/twitter"
	"github.com/seed-615d3599/roost/internal/region/wire"
)

// services are all that the region is made of.
type services struct {
	records *decisions.Decisions
	access  *access.Access
	logs    *logs.Logs
	assets  *assets.Assets
	params  *params.Params
	secrets *secrets.Secrets
	ecr     *ecr.ECR
	kms     *kms.KMS
	lambda  *lambda.Lambda
	gateway *gateway.Gateway
	apis    *httpapi.HTTPAPI
	ports   *ports
	urls    *ports
	pools   *identity.Identity
	twitter *twitter.Provider
	answers *answers.Answers
	types   *resources.Registry
	stacks  *stacks.Stacks
	edge    *edge.Edge
	named   map[string]*wire.Service
}

// build makes every service and hands each what it needs of the others.
func (r *Region) build(ctx context.Context) error {
	steps := []struct {
		name  string
		build func(context.Context) error
	}{
		{"IAM", r.buildAccess}, {"logs, S3, parameters and secrets", r.buildStorage}, {"Lambda", r.buildLambda},
		{"Cognito and Twitter", r.buildIdentity}, {"API Gateway", r.buildAPIs}, {"function URLs", r.buildURLs},
		{"CloudFormation", r.buildStacks},
	}
	for _, step := range steps {
		if err := step.build(ctx); err != nil {
			return err
		}
		r.config.Done("build " + step.name)
	}
	r.buildEdge()
	return nil
}

func (r *Region) buildAccess(context.Context) error {
	var err error
	c := r.config
	r.services.records = decisions.New(decisions.Config{DB: r.db, Now: c.Now})
	r.services.access, err = access.New(access.Config{
		Account: c.Account, Region: c.Region, DB: r.db, MasterKey: r.key, Now: c.Now, Rand: c.Rand,
		WebIdentity: r.webIdentity, Used: r.services.records.Used, LastUsed: r.services.records.LastUsed,
	})
	return err
}

// webIdentity verifies tokens for STS with the keys of the identity pools and
// of the account's OpenID Connect providers.
func (r *Region) webIdentity(ctx context.Context, token string) (*access.WebIdentity, error) {
	verifier := webidentity.Verifier{
		Tokens: r.services.pools.Tokens(), OIDC: r.services.pools.OIDC(),
		Account: r.config.Account, Provider: r.services.access.Provider,
	}
	who, err := verifier.Verify(ctx, token)
	if err != nil {
		return nil, err
	}
	return &access.WebIdentity{
		Provider: who.Provider, Issuer: who.Issuer, Subject: who.Subject, Audience: who.Audience, AMR: who.AMR,
		Tags: who.Tags,
	}, nil
}

func (r *Region) buildStorage(context.Context) error {
	c := r.config
	var err error
	if r.services.logs, err = logs.New(logs.Config{DB: r.db, Region: c.Region, Account: c.Account, Now: c.Now}); err != nil {
		return err
	}
	r.services.assets, err = assets.New(assets.Config{DB: r.db, Dir: filepath.Join(c.Dir, "objects"), Account: c.Account, Region: c.Region, Now: c.Now})
	if err != nil {
		return err
	}
	if r.services.params, err = params.New(params.Config{DB: r.db, Account: c.Account, Region: c.Region, MasterKey: r.key, Now: c.Now}); err != nil {
		return err
	}
	r.services.ecr = ecr.New(ecr.Config{DB: r.db, Account: c.Account, Region: c.Region, Now: c.Now})
	r.services.kms = kms.New(kms.Config{DB: r.db, Account: c.Account, Region: c.Region, Now: c.Now, Rand: c.Rand})
	r.services.secrets, err = secrets.New(secrets.Config{DB: r.db, Account: c.Account, Region: c.Region, MasterKey: r.key, Now: c.Now, Rand: c.Rand})
	return err
}

func (r *Region) buildLambda(ctx context.Context) error {
	c := r.config
	dir := filepath.Join(c.Dir, "lambda")
	if c.Isolate != nil {
		if err := isolation.Probe(ctx, c.Isolate, dir); err != nil {
			return err
		}
	}
	memory, err := cgroup.Find()
	r.MemoryLimits = "Memory limits of functions: by a memory cgroup."
	if err != nil {
		r.MemoryLimits = "Memory limits of functions: by sampling (PSS), because " + err.Error() + "."
	}
	// Functions may be waited for before there are stacks: after a restart.
	r.services.answers = answers.New(answers.Config{DB: r.db, Endpoint: func() string { return r.Endpoint }, Now: c.Now, Rand: c.Rand})
	config := lambda.Config{
		DB: r.db, Dir: dir, Region: c.Region, Account: c.Account,
		Objects: r.services.assets, Credentials: roleCredentials{r.services.access}, Logs: r.services.logs,
		EndpointURL: r.Endpoint, App: c.App, Now: c.Now, Warn: c.Warn, MaxEnvironments: c.MaxEnvironments, Ahead: c.Warm > 0,
		Isolate: c.Isolate, Memory: memory, Waiters: r.services.answers,
	}
	if c.Debug != nil {
		config.Debug = c.Debug.Start
	}
	if r.supervisor != nil {
		config.Groups = r.supervisor
	}
	if c.original != nil {
		config.Original = c.original.services.lambda
	}
	if r.services.lambda, err = lambda.New(config); err != nil {
		return err
	}
	if c.Warm > 0 {
		r.services.lambda.WarmLast(ctx, c.Warm, r.serving.Go)
	}
	if likely := r.services.lambda.Likely(); c.original != nil && likely != "" {
		r.services.lambda.WarmSoon(ctx, likely, r.serving.Go)
	}
	return nil
}

// roleCredentials gives functions the credentials of their roles. [?] The name
// of a session has two letters at least (STS API Reference, AssumeRole), that of
// a function may have one: it is doubled.
type roleCredentials struct{ access *access.Access }

var _ environment.Credentials = roleCredentials{}

func (c roleCredentials) Credentials(_ context.Context, roleARN, sessionName string) (id, secret, token string, expires time.Time, err error) {
	if len(sessionName) == 1 {
		sessionName += sessionName
	}
	given, err := c.access.ServiceCredentials("lambda.amazonaws.com", roleARN, sessionName)
	if err != nil {
		return "", "", "", time.Time{}, err
	}
	return given.AccessKeyID, given.SecretAccessKey, given.SessionToken, given.Expiration.Time, nil
}

func (r *Region) buildIdentity(context.Context) error {
	c := r.config
	var err error
	r.services.pools, err = identity.New(identity.Config{
		Account: c.Account, Region: c.Region, Store: r.db, Assume: r.assume, OIDCProvider: r.services.access.Provider,
		TwitterURL: r.Twitter, Transport: c.Transport, Now: c.Now, Rand: c.Rand,
	})
	if err != nil || c.Twitter != "" {
		return err
	}
	// Twitter is somebody else, with a clock of its own: it stays with that of
	// the OAuth library that signs for it.
	r.services.twitter, err = twitter.New(twitter.Config{Store: r.db, Consumers: r.services.pools.Consumers, Rand: c.Rand})
	return err
}

// assume gives a signed-in identity a session of its role.
func (r *Region) assume(_ context.Context, want identity.SessionRequest) (identity.SessionCredentials, error) {
	const cognito = "cognito-identity.amazonaws.com"
	given, err := r.services.access.Federate(access.FederatedSession{
		RoleARN: want.RoleARN, Name: want.Name, Seconds: want.Seconds,
		Identity:   access.WebIdentity{Provider: cognito, Issuer: cognito, Subject: want.IdentityID, Audience: want.PoolID, AMR: want.AMR},
		Policies:   want.Policies,
		PolicyARNs: want.PolicyARNs, Tags: want.Tags,
	})
	if err != nil {
		return identity.SessionCredentials{}, err
	}
	return identity.SessionCredentials{
		AccessKeyID: given.AccessKeyID, SecretAccessKey: given.SecretAccessKey, SessionToken: given.SessionToken, Expiration: given.Expiration.Time,
	}, nil
}

func (r *Region) buildAPIs(ctx context.Context) error {
	c := r.config
	var err error
	var held func(string) bool
	if c.Debug != nil {
		held = c.Debug.HoldsFunction
	}
	r.services.gateway, err = gateway.New(gateway.Config{
		Held: held, AccountThrottle: c.APIThrottle,
		Account: c.Account, Region: c.Region, Functions: r.services.lambda, Access: decider{r.services.access},
		Logs: accessLogs{r.services.logs}, Refusals: explained{r.services.records}, Note: r.services.lambda.Note, Served: c.Served, Transport: c.Transport, Now: c.Now, Rand: c.Rand,
	})
	if err != nil {
		return err
	}
	r.services.ports = r.apiPorts()
	r.services.apis, err = httpapi.New(ctx, httpapi.Config{
		Account: c.Account, Region: c.Region, DB: r.db, Gateway: r.services.gateway, Ports: r.services.ports, Now: c.Now, Rand: c.Rand,
	})
	return err
}

// decider is access as the gateway sees it.
type decider struct{ *access.Access }

// Decide refuses where a policy cannot be read.
func (d decider) Decide(caller *wire.Caller, action, resource string, conditions iam.Context, trace *iam.Trace) iam.Decision {
	decision, err := d.Access.Decide(access.Question{Caller: caller, Action: action, Resource: resource, Context: conditions}, trace)
	if err != nil {
		return iam.Decision{}
	}
	return decision
}

// accessLogs writes access logs to the log groups that stages name.
type accessLogs struct{ logs *logs.Logs }

// Log appends a line to the stream that API Gateway would use.
func (l accessLogs) Log(groupARN string, at time.Time, line string) {
	l.logs.Write(groupName(groupARN), "access", at, line)
}

// groupName is the name in a log group's ARN, which may end in ":*".
func groupName(arn string) string {
	_, name, _ := strings.Cut(strings.TrimSuffix(arn, ":*"), ":log-group:")
	return name
}

func (r *Region) buildStacks(context.Context) error {
	c, s := r.config, &r.services
	s.named = map[string]*wire.Service{}
	for _, service := range []*wire.Service{
		s.access.IAM(), s.access.STS(), s.logs.Service(), s.assets.Service(), s.params.Service(), s.secrets.Service(), s.ecr.Service(), s.kms.Service(),
		s.lambda.Service(), s.apis.Service(), s.pools.Service(), s.records.Service(),
	} {
		s.named[service.Name] = service
	}
	if c.original != nil {
		s.types = c.original.services.types
	} else {
		s.types = standard.Registry()
	}
	s.stacks = stacks.New(stacks.Config{
		Account: c.Account, Region: c.Region, DB: r.db, Types: s.types, Services: s.named,
		Now: c.Now, Rand: c.Rand, Record: c.Record, CallerFor: s.access.CallerFor, Object: s.assets.ReadObject,
		Answers: s.answers,
		RoleCaller: func(arn string) (*wire.Caller, error) {
			return s.access.RoleCaller("cloudformation.amazonaws.com", arn)
		},
	})
	cloudformation := s.stacks.Service()
	s.named[cloudformation.Name] = cloudformation
	for _, service := range s.named {
		service.Authorize = explained{s.records}.forStacks(c.Now, s.access.Authorize)
	}
	return nil
}

func (r *Region) buildEdge() {
	c, s := r.config, &r.services
	config := edge.Config{
		Account: c.Account, Region: c.Region, Access: s.access, APIs: hosts{s.gateway, s.lambda}, Now: c.Now, Rand: c.Rand,
		Refused: explained{s.records}.controlPlane,
		Paths:   map[string]http.Handler{"/.well-known/jwks_uri": http.HandlerFunc(s.pools.Tokens().JWKS)},
	}
	maps.Copy(config.Paths, s.stacks.Paths())
	maps.Copy(config.Paths, s.lambda.Paths())
	for _, service := range s.named {
		config.Services = append(config.Services, service)
	}
	s.edge = edge.New(config)
}

// close ends the services, those first that use others.
func (s *services) close() error {
	var errs []error
	if s.stacks != nil {
		errs = append(errs, s.stacks.Close())
	}
	if s.ports != nil {
		s.ports.closeAll()
	}
	if s.urls != nil {
		s.urls.closeAll()
	}
	if s.lambda != nil {
		errs = append(errs, s.lambda.Close())
	}
	if s.pools != nil {
		errs = append(errs, s.pools.Close())
	}
	if s.logs != nil {
		errs = append(errs, s.logs.Close())
	}
	if s.records != nil {
		errs = append(errs, s.records.Close())
	}
	return errors.Join(errs...)
}

// Follow returns what functions and APIs log from now on. The channel is closed
// by stop, and by Close.
func (r *Region) Follow() (events <-chan logs.Event, stop func()) {
	return r.services.logs.Follow(nil)
}
