// Package deploy brings an assembly to a region, and takes its stacks away
// again, with CloudFormation's and S3's own calls. The region may be AWS or the
// embedded one: only the endpoint in the aws.Config differs.
//
//	d := deploy.New(deploy.Config{AWS: awsConfig, Account: "123456789012", Print: fmt.Println})
//	results, err := d.Deploy(ctx, a.Stacks)
//
// Assets go to the bucket of CDK's bootstrapping where the account has one, and
// otherwise to a private bucket of Roost's own, roost-assets-<account>-<region>.
// What lies there already is not sent again. In a bucket of its own Roost keeps
// under roost/stacks/ a note of each stack, by which Remove knows what can go.
//
// Each stack is deployed by a change set, after the stacks that it depends on
// and beside those that it does not. Events are printed while they come:
//
//	dev-app-my-stack: deploying...
//	dev-app-my-stack | CREATE_COMPLETE | AWS::IAM::Role | Role1ABFFA55
//
// Deploy returns a Result for each stack, and an error only where the work as a
// whole could not be done. Whether a stack failed is in its Result.
package deploy

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/seed-615d3599/roost/internal/assembly"
)

// Config says where to. AWS, Account and Print are required.
type Config struct {
	// AWS holds region, credentials and, for everything but AWS itself,
	// BaseEndpoint.
	AWS aws.Config
	// Account is the account of the credentials, 12 digits.
	Account string
	// Print gets each line of progress. It is called by one goroutine at a time.
	Print func(line string)
	// Secret returns the value of an environment variable that a secret
	// parameter stands for. Nil means that there are none.
	Secret func(variable string) (value string, found bool)
	// Owner names app and stage, as in "my-app/dev", in what Roost notes about
	// the stacks; by it Noted finds them.
	Owner string
	// AllowReplace names, by their logical ids, resources that may be replaced or
	// removed although identities live in them or they are marked Retain.
	AllowReplace []string
	// Event gets each event of a stack; then Print does not. It is called by one
	// goroutine at a time. Nil means that Print gets them as lines.
	Event func(StackEvent)
	// Quick is how soon to look at the region again at first: 10 milliseconds
	// for an endpoint on this machine. 0 means a second, as AWS likes it.
	Quick time.Duration
	// Now and Sleep are the clock. Nil means the system's.
	Now   func() time.Time
	Sleep func(ctx context.Context, d time.Duration) error
}

// Deployer deploys and removes stacks.
type Deployer struct {
	cfg   Config
	cfn   *cloudformation.Client
	s3    *s3.Client
	print func(format string, args ...any)
	event func(StackEvent)
}

// New returns a Deployer. Nothing is sent before the first call.
func New(cfg Config) *Deployer {
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Sleep == nil {
		cfg.Sleep = sleep
	}
	if cfg.Secret == nil {
		cfg.Secret = func(string) (string, bool) { return "", false }
	}
	local := cfg.AWS.BaseEndpoint != nil
	if cfg.AWS.Retryer == nil && !local {
		// AWS throttles CloudFormation's calls; the original retried for ever.
		cfg.AWS.Retryer = func() aws.Retryer {
			return retry.NewStandard(func(o *retry.StandardOptions) { o.MaxAttempts = 10 })
		}
	}
	d := &Deployer{cfg: cfg, cfn: cloudformation.NewFromConfig(cfg.AWS)}
	d.s3 = s3.NewFromConfig(cfg.AWS, func(o *s3.Options) {
		o.UsePathStyle = local
		o.DisableLogOutputChecksumValidationSkipped = true
	})
	lines := make(chan struct{}, 1)
	d.print = func(format string, args ...any) {
		lines <- struct{}{}
		defer func() { <-lines }()
		cfg.Print(fmt.Sprintf(format, args...))
	}
	d.event = func(e StackEvent) {
		lines <- struct{}{}
		defer func() { <-lines }()
		cfg.Event(e)
	}
	return d
}

func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}

// Status is how the work on a stack ended, in words for a person.
type Status string

// What becomes of stacks.
const (
	Deployed    Status = "deployed"
	NoChanges   Status = "no changes"
	Failed      Status = "failed"
	NotDeployed Status = "not deployed" // because one that it depends on failed
	Removed     Status = "removed"
	NotRemoved  Status = "not removed" // because one that depends on it failed
	NotThere    Status = "not there"
)

// Result is how the work on one stack ended.
type Result struct {
	// Stack is its name.
	Stack  string
	Status Status
	// Err is the first cause of a failure.
	Err error
	// Outputs and Exports are sorted by name.
	Outputs []Pair
	Exports []Pair
}

// Pair is the name and the value of an output.
type Pair struct{ Name, Value string }

// OK reports whether all stacks are as they should be.
func OK(results []Result) bool {
	for _, r := range results {
		if r.Status == Failed || r.Status == NotDeployed || r.Status == NotRemoved {
			return false
		}
	}
	return true
}

// An Error is a mistake that the person can mend.
type Error struct {
	Text   string
	Remedy string
}

// Error says what is wrong.
func (e *Error) Error() string { return e.Text }

// Hint returns the remedy.
func (e *Error) Hint() string { return e.Remedy }

// Deploy deploys the stacks, each after those that it depends on. What has to
// be known before anything is created, such as the values of all secrets, is
// found out first.
func (d *Deployer) Deploy(ctx context.Context, stacks []*assembly.Stack) ([]Result, error) {
	if err := d.checkEnvironments(stacks); err != nil {
		return nil, err
	}
	plans := make([]*plan, len(stacks))
	var missing []error
	for i, s := range stacks {
		p, err := d.plan(s)
		missing = append(missing, err)
		plans[i] = p
	}
	if err := errors.Join(missing...); err != nil {
		return nil, err
	}
	work := order(plans)
	bucket, err := d.findBucket(ctx, stacks)
	if err != nil {
		return nil, err
	}
	defer func() {
		for _, p := range plans {
			d.dismiss(ctx, p)
		}
	}()
	if err := d.guardAll(ctx, plans, bucket); err != nil {
		return nil, err
	}
	sent, err := d.upload(ctx, bucket, stacks)
	defer sent()
	if err != nil {
		return nil, err
	}
	for _, p := range plans {
		p.sent = sent
	}
	return work.run(NotDeployed, func(i int) Result { return d.deployStack(ctx, plans[i], bucket) }), nil
}

// Unchanged prints for a stack that is known to need nothing what Deploy does.
func Unchanged(print func(line string), stack string) {
	print(stack + deploying)
	print(finished(stack, false))
}

// The lines before and after the work on a stack.
const deploying = ": deploying..."

func finished(stack string, changed bool) string {
	note := ""
	if !changed {
		note = " (no changes)"
	}
	return "\n ✅  " + stack + note + "\n"
}

// checkEnvironments refuses stacks that are made for another account or region.
func (d *Deployer) checkEnvironments(stacks []*assembly.Stack) error {
	for _, s := range stacks {
		if s.Region != "" && s.Region != d.cfg.AWS.Region {
			return &Error{Text: fmt.Sprintf("stack %s is for %s, not for %s", s.Name, s.Region, d.cfg.AWS.Region),
				Remedy: "set \"region\" in roost.json to the stack's region"}
		}
		if s.Account != "" && s.Account != d.cfg.Account {
			return &Error{Text: fmt.Sprintf("stack %s is for the account %s, and the credentials are of %s", s.Name, s.Account, d.cfg.Account),
				Remedy: "use credentials of that account, or set \"account\" in roost.json"}
		}
	}
	return nil
}

// graph is work on stacks, some of which have to wait for others.
type graph struct {
	names  []string
	before [][]int // by stack: those that come first
}

// order is the work on plans, which learn after which others they come.
func order(plans []*plan) graph {
	work := graph{names: make([]string, len(plans)), before: make([][]int, len(plans))}
	for i, p := range plans {
		work.names[i] = p.Name
		for _, id := range p.Dependencies {
			for k, other := range plans {
				if other.ID == id {
					work.before[i] = append(work.before[i], k)
					p.after = append(p.after, other)
				}
			}
		}
	}
	return work
}

// run does the work on each stack when the ones before it are done, in
// parallel where it can. After a failure those that wait get the status skipped.
func (g graph) run(skipped Status, do func(i int) Result) []Result {
	results := make([]Result, len(g.names))
	done := make([]chan struct{}, len(g.names))
	for i := range done {
		done[i] = make(chan struct{})
	}
	for i := range g.names {
		go func() {
			defer close(done[i])
			for _, k := range g.before[i] {
				<-done[k]
				if !OK(results[k : k+1]) {
					results[i] = Result{Stack: g.names[i], Status: skipped,
						Err: fmt.Errorf("%s has failed", g.names[k])}
				}
			}
			if results[i].Status == "" {
				results[i] = do(i)
			}
		}()
	}
	for i := range done {
		<-done[i]
	}
	return results
}

// describeError turns an SDK's error into words for a person. The SDK's own
// begin with the operation and carry ids of the request.
func describeError(doing string, err error) error {
	var api interface {
		ErrorCode() string
		ErrorMessage() string
	}
	switch {
	case err == nil:
		return nil
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return err
	case errors.As(err, &api):
		return fmt.Errorf("%s: %s: %s", doing, api.ErrorCode(), api.ErrorMessage())
	}
	return fmt.Errorf("%s: %w", doing, err)
}

// hasCode reports whether an SDK's error has one of the codes.
func hasCode(err error, codes ...string) bool {
	var api interface{ ErrorCode() string }
	if !errors.As(err, &api) {
		return false
	}
	for _, code := range codes {
		if api.ErrorCode() == code {
			return true
		}
	}
	return false
}

// hasStatus reports whether an SDK's error is an answer with the status.
func hasStatus(err error, status int) bool {
	var answer interface{ HTTPStatusCode() int }
	return errors.As(err, &answer) && answer.HTTPStatusCode() == status
}

// notThere reports whether CloudFormation's error says that a stack is absent.
// It has no code of its own for it: DescribeStacks answers ValidationError.
func notThere(err error) bool {
	return hasCode(err, "ValidationError", "StackNotFoundException") && strings.Contains(err.Error(), "does not exist")
}

func absent(err error) bool {
	return hasCode(err, "NotFound", "NoSuchBucket", "NoSuchKey") || hasStatus(err, http.StatusNotFound)
}

// Endpoint returns the Config.AWS of an endpoint, such as the embedded region's,
// with an access key.
func Endpoint(url, region, accessKeyID, secretAccessKey string) aws.Config {
	return aws.Config{Region: region, BaseEndpoint: &url, Credentials: credentials.NewStaticCredentialsProvider(accessKeyID, secretAccessKey, "")}
}
