// Package access is IAM and STS of the embedded region: whose a credential is,
// the sessions that roles give, and the decision whether a caller may do
// something.
//
//	a, err := access.New(access.Config{Account: "123456789012", Region: "us-east-1", DB: db, MasterKey: key})
//	secret, caller, err := a.Key(ctx, accessKeyID, sessionToken)   // for the signature
//	decision, err := a.Decide(access.Question{Caller: caller, Action: "execute-api:Invoke", Resource: arn}, nil)
//	services := []*wire.Service{a.IAM(), a.STS()}
//
// Sessions are stateless: the token is a sealed value that says who, as which
// role, with which session policy and until when, and the secret key derives
// from the key id and the master key. Nothing is stored for one; that the role
// still exists, and what it may do, is looked up at each decision.
//
// What IAM knows is kept by package directory; IAM's operations are in package
// iamapi, the policy simulator in package simulator, session tokens in package
// session. This package decides, and has STS.
package access

import (
	"context"
	"crypto/rand"
	"io"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/seed-615d3599/roost/iam"
	"github.com/seed-615d3599/roost/internal/region/access/directory"
	"github.com/seed-615d3599/roost/internal/region/access/iamapi"
	"github.com/seed-615d3599/roost/internal/region/access/managed"
	"github.com/seed-615d3599/roost/internal/region/access/session"
	"github.com/seed-615d3599/roost/internal/region/store"
	"github.com/seed-615d3599/roost/internal/region/wire"
)

// Config is what New needs. Account, DB and MasterKey must be given.
type Config struct {
	Account   string // 12 digits
	Region    string
	DB        *store.DB
	MasterKey []byte           // 32 bytes, secret; sessions outlive a restart only with the same key
	Now       func() time.Time // nil means time.Now
	Rand      io.Reader        // nil means crypto/rand

	// WebIdentity verifies the OpenID Connect tokens that Cognito Identity and
	// the providers of the account issue. Without it they are refused.
	WebIdentity func(ctx context.Context, token string) (*WebIdentity, error)

	// Used is told of each decision about a user or a role, by the principal's
	// ARN (of a session: the role's). It must not block; nil for nobody.
	Used func(principalARN, action, resource string, allowed bool)
	// LastUsed returns when a principal was last seen to do something, or the
	// zero time; nil for never. GetRole shows it.
	LastUsed func(principalARN string) time.Time
}

// WebIdentity is what a verified OpenID Connect token says.
type WebIdentity struct {
	Provider string // "cognito-identity.amazonaws.com", or the ARN of an OIDC provider
	Issuer   string // the name that prefixes condition keys: "cognito-identity.amazonaws.com", "accounts.google.com"
	Subject  string
	Audience string
	AMR      []string
	Tags     map[string]string // principal tags; they need sts:TagSession
}

// Access is the service. Make it with New.
type Access struct {
	config   Config
	people   *directory.Directory
	sessions *session.Sealer

	users     sync.Map // access key id → *principal: what follows from a user's key
	documents documents
	clock     atomic.Pointer[clockKeys]
	scratch   sync.Pool // of *[]iam.Key
}

// New reads the state and returns the service.
func New(config Config) (*Access, error) {
	if config.Now == nil {
		config.Now = time.Now
	}
	if config.Rand == nil {
		config.Rand = rand.Reader
	}
	sessions, err := session.NewSealer(config.MasterKey, config.Rand)
	if err != nil {
		return nil, err
	}
	people, err := directory.Open(directory.Config{Account: config.Account, DB: config.DB, Now: config.Now, Rand: config.Rand})
	if err != nil {
		return nil, err
	}
	return &Access{config: config, people: people, sessions: sessions}, nil
}

// IAM returns the operations of IAM.
func (a *Access) IAM() *wire.Service {
	return iamapi.New(iamapi.Config{Directory: a.people, Account: a.config.Account, Region: a.config.Region, CallerUser: callerUser, LastUsed: a.config.LastUsed}).Service()
}

// callerUser is the name of the user who calls, with a key or a session of
// GetSessionToken, or "".
func callerUser(caller *wire.Caller) string {
	if p := detail(caller); p != nil && p.identity.Kind == directory.User {
		return p.identity.Name
	}
	return ""
}

// Provider returns what the account knows of an OpenID Connect provider: its
// issuer's URL and the client ids that may use it.
func (a *Access) Provider(arn string) (issuer string, clientIDs []string, ok bool) {
	p, ok := a.people.FindProvider(arn)
	if !ok {
		return "", nil, false
	}
	return "https://" + p.URL, p.ClientIDs, true
}

// EnsureUser makes a user with AdministratorAccess and an access key if it is
// not there, and returns its key. The region calls it for the user "roost",
// who administers it.
func (a *Access) EnsureUser(ctx context.Context, name string) (accessKeyID, secret string, err error) {
	const policy = managed.ARN + "AdministratorAccess"
	user, ok := a.people.Find(directory.User, name)
	if !ok {
		if err := a.people.Create(ctx, &directory.Identity{Kind: directory.User, Name: name}); err != nil {
			return "", "", err
		}
	}
	if !ok || !slices.Contains(user.Attached, policy) {
		if err := a.people.Attach(ctx, directory.User, name, policy); err != nil {
			return "", "", err
		}
	}
	keys, err := a.people.KeysOf(ctx, name)
	if err != nil {
		return "", "", err
	}
	for _, k := range keys {
		if k.Status == directory.Active {
			return k.ID, k.Secret, nil
		}
	}
	k, err := a.people.CreateKey(ctx, name)
	if err != nil {
		return "", "", err
	}
	return k.ID, k.Secret, nil
}

// CallerFor returns the user or role of an ARN as the caller of operations
// within the process: a role as a session without a session policy.
func (a *Access) CallerFor(arn string) (*wire.Caller, error) {
	name := arn[strings.LastIndexByte(arn, '/')+1:]
	if user, ok := a.people.Find(directory.User, name); ok && user.ARN == arn {
		return &a.principalOf(user, nil).caller, nil
	}
	role, ok := a.people.Find(directory.Role, name)
	if !ok || role.ARN != arn {
		return nil, directory.NotFound("there is no user or role %s any more", arn)
	}
	now := a.config.Now().Unix()
	return &a.principalOf(role, &session.Session{
		RoleName: role.Name, PrincipalID: role.ID, Name: "AWSCloudFormation", Issued: now, Expires: now + hour,
	}).caller, nil
}

// RoleCaller is CallerFor for a role that an AWS service is to act as: the role
// must trust the service.
func (a *Access) RoleCaller(service, roleARN string) (*wire.Caller, error) {
	if _, err := a.trusting(service, roleARN); err != nil {
		return nil, wire.Errorf(400, "ValidationError", "Role %s is invalid or cannot be assumed", roleARN)
	}
	return a.CallerFor(roleARN)
}

// documents remembers compiled policy documents that come as text with each
// request: those of resources, and of sessions. It is bounded.
type documents struct {
	mu       sync.RWMutex
	compiled map[string]*iam.Policy
}

const maxDocuments = 256

// get returns a document compiled by parse, which is told from other parsers'
// by kind.
func (d *documents) get(kind, text string, parse func([]byte) (*iam.Policy, error)) (*iam.Policy, error) {
	key := kind + text
	d.mu.RLock()
	policy := d.compiled[key]
	d.mu.RUnlock()
	if policy != nil {
		return policy, nil
	}
	policy, err := parse([]byte(text))
	if err != nil {
		return nil, err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if len(d.compiled) >= maxDocuments || d.compiled == nil {
		d.compiled = map[string]*iam.Policy{}
	}
	d.compiled[key] = policy
	return policy, nil
}
