// Package identity is Cognito Identity: identity pools, the identities of the
// people who sign in to them, and the OpenID Connect tokens and temporary
// credentials that they get.
//
//	pools, err := identity.New(identity.Config{
//		Account: "123456789012", Region: "us-east-1", Store: db,
//		TwitterURL: "http://127.0.0.1:4001", Assume: assume,
//	})
//	service := pools.Service()           // the 23 operations
//	token, err := pools.Tokens().Verify(ctx, jwt) // for AssumeRoleWithWebIdentity
//	name, secrets := pools.Consumers(key)
//
// A login is believed only when its provider vouches for it: Twitter is asked
// with a request signed by the pool's consumer pair, OpenID Connect tokens are
// verified with their issuer's keys. No lock and no transaction is held
// meanwhile. The same person has the same identity for the pool's life, and
// never another's.
package identity

import (
	"context"
	"crypto/rand"
	"errors"
	"io"
	"net/http"
	"time"

	"github.com/google/uuid"

	"github.com/seed-615d3599/roost/internal/region/identity/providers"
	"github.com/seed-615d3599/roost/internal/region/identity/tokens"
	"github.com/seed-615d3599/roost/internal/region/store"
	"github.com/seed-615d3599/roost/internal/region/wire"
)

// Config says what an Identity works with. Account, Region, Store and Assume
// are required.
type Config struct {
	Account string // 12 digits
	Region  string // "us-east-1": pool and identity ids begin with it
	Store   *store.DB

	// Assume gives a session of a role, as STS's AssumeRoleWithWebIdentity
	// does, if the role's trust policy lets the identity have it. Its refusal
	// is a *wire.Error with a status below 500.
	Assume func(context.Context, SessionRequest) (SessionCredentials, error)
	// OIDCProvider returns the issuer's URL and the client ids of an IAM
	// OpenID Connect provider. Without it there are no such providers.
	OIDCProvider func(arn string) (issuer string, clientIDs []string, ok bool)

	// TwitterURL is where Twitter or its stand-in is, by default
	// https://api.twitter.com.
	TwitterURL string
	// Transport sends the requests to providers, by default one that keeps
	// enough connections for many sign-ins at once.
	Transport http.RoundTripper
	// Now is the clock, by default time.Now.
	Now func() time.Time
	// Rand is the source of ids and of the key that signs tokens, by default
	// crypto/rand.
	Rand io.Reader
}

// SessionRequest asks for a session of a role for an identity.
type SessionRequest struct {
	RoleARN    string
	Name       string // session name
	IdentityID string // condition key cognito-identity.amazonaws.com:sub
	PoolID     string // :aud
	AMR        []string
	Tags       map[string]string // principal tags
	Seconds    int
	Policies   []string // session policies, JSON documents
	PolicyARNs []string // managed session policies
}

// SessionCredentials are a session's credentials.
type SessionCredentials struct {
	AccessKeyID     string
	SecretAccessKey string
	SessionToken    string
	Expiration      time.Time
}

// Identity is the service. It is safe for use by several goroutines and has
// none of its own.
type Identity struct {
	config  Config
	twitter providers.Twitter
	oidc    *providers.OIDC
	tokens  *tokens.Keeper
}

// New returns the service.
func New(config Config) (*Identity, error) {
	if config.Account == "" || config.Region == "" || config.Store == nil || config.Assume == nil {
		return nil, errors.New("cognito identity needs an account, a region, a store and a way to assume roles")
	}
	if config.Now == nil {
		config.Now = time.Now
	}
	if config.Rand == nil {
		config.Rand = rand.Reader
	}
	if config.Transport == nil {
		config.Transport = &http.Transport{Proxy: http.ProxyFromEnvironment, MaxIdleConnsPerHost: 64, IdleConnTimeout: 30 * time.Second}
	}
	return &Identity{
		config:  config,
		twitter: providers.Twitter{BaseURL: config.TwitterURL, Transport: config.Transport},
		oidc:    &providers.OIDC{Transport: config.Transport, Now: config.Now},
		tokens:  &tokens.Keeper{Store: config.Store, Region: config.Region, Now: config.Now, Rand: config.Rand},
	}, nil
}

// Close lets go of connections to providers.
func (x *Identity) Close() error {
	if transport, ok := x.config.Transport.(*http.Transport); ok {
		transport.CloseIdleConnections()
	}
	return nil
}

// Service returns the operations, in the order of the API reference. Which of
// them name a pool as their resource is from the Service Authorization
// Reference, "Actions defined by Amazon Cognito Identity".
func (x *Identity) Service() *wire.Service {
	return &wire.Service{
		Name: "cognito-identity", Version: "2014-06-30", Target: "AWSCognitoIdentityService", Protocol: wire.JSON,
		Operations: []wire.Operation{
			wire.Op("CreateIdentityPool", x.createPool),
			wire.Op("DeleteIdentities", x.deleteIdentities),
			wire.Op("DeleteIdentityPool", x.deletePool, onPool(x, func(in *PoolInput) string { return in.IdentityPoolID })),
			wire.Op("DescribeIdentity", x.describeIdentity, wire.On(x.poolOfIdentity)),
			wire.Op("DescribeIdentityPool", x.describePool, onPool(x, func(in *PoolInput) string { return in.IdentityPoolID })),
			wire.Op("GetCredentialsForIdentity", x.getCredentials, wire.Unsigned()),
			wire.Op("GetId", x.getID, wire.Unsigned()),
			wire.Op("GetIdentityPoolRoles", x.getRoles, onPool(x, func(in *PoolInput) string { return in.IdentityPoolID })),
			wire.Op("GetOpenIdToken", x.getToken, wire.Unsigned()),
			wire.Op("GetOpenIdTokenForDeveloperIdentity", x.getDeveloperToken, onPool(x, func(in *DeveloperTokenInput) string { return in.IdentityPoolID })),
			wire.Op("GetPrincipalTagAttributeMap", x.getTagMap, onPool(x, func(in *TagMapInput) string { return in.IdentityPoolID })),
			wire.Op("ListIdentities", x.listIdentities, onPool(x, func(in *ListIdentitiesInput) string { return in.IdentityPoolID })),
			wire.Op("ListIdentityPools", x.listPools),
			wire.Op("ListTagsForResource", x.listTags, wire.On(func(_ *wire.Call, in *ResourceInput) string { return in.ResourceArn })),
			wire.Op("LookupDeveloperIdentity", x.lookupDeveloper, onPool(x, func(in *LookupInput) string { return in.IdentityPoolID })),
			wire.Op("MergeDeveloperIdentities", x.mergeDevelopers, onPool(x, func(in *MergeInput) string { return in.IdentityPoolID })),
			wire.Op("SetIdentityPoolRoles", x.setRoles, onPool(x, func(in *RolesInput) string { return in.IdentityPoolID })),
			wire.Op("SetPrincipalTagAttributeMap", x.setTagMap, onPool(x, func(in *TagMap) string { return in.IdentityPoolID })),
			wire.Op("TagResource", x.tagResource, wire.On(func(_ *wire.Call, in *TagInput) string { return in.ResourceArn })),
			wire.Op("UnlinkDeveloperIdentity", x.unlinkDeveloper, onPool(x, func(in *UnlinkDeveloperInput) string { return in.IdentityPoolID })),
			wire.Op("UnlinkIdentity", x.unlinkIdentity, wire.Unsigned()),
			wire.Op("UntagResource", x.untagResource, wire.On(func(_ *wire.Call, in *UntagInput) string { return in.ResourceArn })),
			wire.Op("UpdateIdentityPool", x.updatePool, onPool(x, func(in *Pool) string { return in.IdentityPoolID })),
		},
	}
}

// onPool names the pool that an input has as the operation's resource.
func onPool[In any](x *Identity, id func(*In) string) wire.Option {
	return wire.On(func(_ *wire.Call, in *In) string { return x.poolARN(id(in)) })
}

func (x *Identity) poolARN(id string) string {
	return "arn:aws:cognito-identity:" + x.config.Region + ":" + x.config.Account + ":identitypool/" + id
}

// newID returns an id of a pool or an identity: the region and a random UUID,
// so that none is ever given twice.
func (x *Identity) newID() (string, error) {
	id, err := uuid.NewRandomFromReader(x.config.Rand)
	return x.config.Region + ":" + id.String(), err
}

// Tokens returns the keeper of the pools' OpenID Connect tokens: STS verifies
// them with it, and it serves their public key.
func (x *Identity) Tokens() *tokens.Keeper { return x.tokens }

// OIDC returns what verifies the tokens of other issuers, with its kept keys.
func (x *Identity) OIDC() *providers.OIDC { return x.oidc }
