// Package access is IAM and STS of the embedded region: users, roles, groups,
// policies, identity providers, the sessions that roles give, and the decision
// whether a caller may do something.
//
//	a, err := access.New(access.Config{Account: "123456789012", Region: "us-east-1", DB: db, MasterKey: key})
//	secret, caller, err := a.Key(ctx, accessKeyID, sessionToken)   // for the signature
//	decision := a.Decide(access.Question{Caller: caller, Action: "execute-api:Invoke", Resource: arn})
//	edge.Serve(a.IAM(), a.STS())
//
// Sessions are stateless: the token is a sealed value that says who, as which
// role, with which session policy and until when, and the secret key derives
// from the key id and the master key. Nothing is stored for one; that the role
// still exists, and what it may do, is looked up at each decision.
package access

import (
	"context"
	"crypto/rand"
	"encoding/base32"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

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
}

// WebIdentity is what a verified OpenID Connect token says.
type WebIdentity struct {
	Provider string // "cognito-identity.amazonaws.com", or the ARN of an OIDC provider
	Issuer   string // the name that prefixes condition keys: "cognito-identity.amazonaws.com", "accounts.google.com"
	Subject  string
	Audience string
	AMR      []string
}

// Access is the service. Make it with New.
type Access struct {
	config   Config
	sessions *sealer

	users     index[*identity] // by name
	roles     index[*identity] // by name
	groups    index[*identity] // by name
	policies  index[*managedPolicy]
	keys      index[*accessKey]        // by access key id
	providers index[*identityProvider] // by ARN
}

// New reads the state and returns the service.
func New(config Config) (*Access, error) {
	if config.Now == nil {
		config.Now = time.Now
	}
	if config.Rand == nil {
		config.Rand = rand.Reader
	}
	sessions, err := newSealer(config.MasterKey, config.Rand)
	if err != nil {
		return nil, err
	}
	a := &Access{config: config, sessions: sessions}
	if err := a.load(); err != nil {
		return nil, err
	}
	return a, nil
}

// index is what the request path reads without a lock: the committed state of
// one kind of thing.
type index[T any] struct{ m sync.Map }

func (x *index[T]) get(key string) (T, bool) {
	v, ok := x.m.Load(key)
	if !ok {
		var none T
		return none, false
	}
	return v.(T), true
}

func (x *index[T]) set(key string, v T) { x.m.Store(key, v) }
func (x *index[T]) remove(key string)   { x.m.Delete(key) }
func (x *index[T]) all() (list []T) {
	x.m.Range(func(_, v any) bool {
		list = append(list, v.(T))
		return true
	})
	return list
}

// The kinds under which things are stored.
const (
	kindUser     = "iam-user"
	kindRole     = "iam-role"
	kindGroup    = "iam-group"
	kindPolicy   = "iam-policy"
	kindKey      = "iam-access-key"
	kindProvider = "iam-oidc-provider"
)

func (a *Access) load() error {
	return a.config.DB.View(context.Background(), func(tx *store.Tx) error {
		return errors.Join(
			loadIdentities(tx, kindUser, &a.users),
			loadIdentities(tx, kindRole, &a.roles),
			loadIdentities(tx, kindGroup, &a.groups),
			loadPolicies(tx, &a.policies),
			loadAll(tx, kindKey, &a.keys, func(k *accessKey) string { return k.ID }),
			loadAll(tx, kindProvider, &a.providers, func(p *identityProvider) string { return p.ARN }),
		)
	})
}

func loadAll[T any](tx *store.Tx, kind string, into *index[T], key func(T) string) error {
	all, err := store.All[T](tx, kind, "")
	for _, v := range all {
		into.set(key(v), v)
	}
	return err
}

func loadIdentities(tx *store.Tx, kind string, into *index[*identity]) error {
	all, err := store.All[*identity](tx, kind, "")
	if err != nil {
		return err
	}
	for _, v := range all {
		if err := v.compile(); err != nil {
			return fmt.Errorf("%s %s: %w", kind, v.Name, err)
		}
		into.set(v.Name, v)
	}
	return nil
}

// uniqueID makes an identifier of AWS's form: four letters that tell the kind
// and 17 of base 32.
func (a *Access) uniqueID(prefix string) (string, error) {
	raw := make([]byte, 11)
	if _, err := io.ReadFull(a.config.Rand, raw); err != nil {
		return "", err
	}
	return prefix + base32.StdEncoding.EncodeToString(raw)[:17], nil
}

func (a *Access) arn(kind, path, name string) string {
	return "arn:aws:iam::" + a.config.Account + ":" + kind + path + name
}

func (a *Access) now() wire.Time { return wire.Time{Time: a.config.Now().UTC().Truncate(time.Second)} }
