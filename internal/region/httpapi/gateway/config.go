package gateway

import (
	"context"
	"io"
	"net/http"
	"time"

	"github.com/seed-615d3599/roost/iam"
	"github.com/seed-615d3599/roost/internal/region/httpapi/throttle"
	"github.com/seed-615d3599/roost/internal/region/wire"
	"github.com/seed-615d3599/roost/sigv4"
)

// Config is what a Gateway needs. Account, Region and Functions must be given.
type Config struct {
	Account   string // 12 digits
	Region    string
	Functions Functions
	// Access checks signatures and decides. Without it routes with IAM
	// authorization answer 403.
	Access Access
	// Logs takes access log lines; nil drops them.
	Logs Logs
	// Refusals is told of every request that the gateway itself turns down; may be nil.
	Refusals Refusals
	// Note, if given, writes a line into a function's log: what was wrong with an
	// answer of the function that could not be used.
	Note func(functionARN, line string)
	// Served, if given, is told of every request once it is answered. It must not block.
	Served func(Served)
	// AccountThrottle bounds the requests to all APIs together. A nil part of it is
	// an account's: 10,000 requests a second and a burst of 5,000 (API Gateway quotas).
	AccountThrottle throttle.Limit
	// Transport carries HTTP_PROXY integrations and the fetching of issuers'
	// keys; nil means http.DefaultTransport.
	Transport http.RoundTripper
	// Held says whether a debugger holds a function, whose answer is then waited
	// for on. It must not block. Nil means that none is debugged.
	Held func(functionARN string) bool
	Now  func() time.Time // nil means time.Now
	Rand io.Reader        // nil means crypto/rand
}

// Functions is Lambda, as the gateway sees it.
type Functions interface {
	// Invoke runs a function and returns its answer; functionError is Lambda's
	// X-Amz-Function-Error ("Unhandled"), or "". A throttled call is a
	// *wire.Error with status 429. payload is not kept.
	Invoke(ctx context.Context, functionARN string, payload []byte) (response []byte, functionError string, err error)
	// MayInvoke asks the function's own policy whether a service may invoke it
	// for sourceARN.
	MayInvoke(functionARN, servicePrincipal, sourceARN string) error
}

// Access is IAM and STS, as the gateway sees them.
type Access interface {
	// Key returns the secret of an access key, and whose it is. sessionToken is
	// "" if the request has none.
	Key(ctx context.Context, accessKeyID, sessionToken string) (secret string, caller *wire.Caller, err error)
	// Decide decides by the caller's policies. conditions are the keys of the
	// request; those of the caller are added. trace may be nil.
	Decide(caller *wire.Caller, action, resource string, conditions iam.Context, trace *iam.Trace) iam.Decision
}

// Logs is CloudWatch Logs, as the gateway sees it.
type Logs interface {
	// Log appends a line, without its end, to a log group. It must not block.
	Log(groupARN string, at time.Time, line string)
}

// Served is one request and its answer, for whoever watches the region.
type Served struct {
	Time      time.Time // of its arrival
	RequestID string
	API       string // "" if no API was meant
	Stage     string
	RouteKey  string // "" if none matched
	Method    string
	Path      string // decoded, with the stage
	Status    int
	Took      time.Duration // from arrival to the answer's last byte
	Reason    string        // why the gateway itself answered, and not the integration; "" if it did not
}

// Refusals collects what "roost explain" tells. It must not block.
type Refusals interface {
	Refused(Refusal)
}

// Refusal is one request that the gateway turned down, and why. Nothing in it is
// secret.
type Refusal struct {
	Time      time.Time
	RequestID string
	API       string
	Stage     string
	RouteKey  string
	Method    string
	Path      string
	SourceIP  string
	Status    int
	// Reason is what failed, in words.
	Reason string
	// Diagnosis is what is probably wrong with a signature; nil for another
	// reason, or when the gateway was busy with another diagnosis.
	Diagnosis *sigv4.Diagnosis
	// AccessKeyID and Caller are who signed, as far as that is known.
	AccessKeyID, Caller string
	// Resource is the ARN that was asked for, for a refusal by policy, and Trace
	// how the decision was made.
	Resource string
	Trace    *iam.Trace
}
