package identity

import (
	"context"
	"strings"

	"github.com/seed-615d3599/roost/internal/region/store"
	"github.com/seed-615d3599/roost/internal/region/wire"
)

// The kinds of items in the store.
const (
	kindPool     = "cognito.pool"
	kindIdentity = "cognito.identity"      // by identity id
	kindMember   = "cognito.pool-identity" // by pool id and identity id; the value is the identity id
	kindLogin    = "cognito.login"         // by pool, provider and user; the value is the identity id
)

// Pool is an identity pool as it is created, described and updated.
type Pool struct {
	IdentityPoolID                 string             `json:"IdentityPoolId" required:"true"`
	IdentityPoolName               string             `required:"true"`
	AllowUnauthenticatedIdentities *bool              `required:"true"`
	AllowClassicFlow               bool               `json:",omitempty"`
	SupportedLoginProviders        map[string]string  `json:",omitempty"`
	DeveloperProviderName          string             `json:",omitempty"`
	OpenIDConnectProviderARNs      []string           `json:"OpenIdConnectProviderARNs,omitempty"`
	CognitoIdentityProviders       []UserPoolProvider `json:",omitempty"`
	SamlProviderARNs               []string           `json:",omitempty"`
	IdentityPoolTags               map[string]string  `json:",omitempty"`
}

// UserPoolProvider is a user pool's client that a pool would take. It is kept;
// signing in with it is refused by name.
type UserPoolProvider struct {
	ProviderName         string `json:",omitempty"`
	ClientID             string `json:"ClientId,omitempty"`
	ServerSideTokenCheck bool   `json:",omitempty"`
}

// CreatePoolInput is the input of CreateIdentityPool: a Pool without an id.
type CreatePoolInput struct {
	IdentityPoolName               string `required:"true"`
	AllowUnauthenticatedIdentities *bool  `required:"true"`
	AllowClassicFlow               bool
	SupportedLoginProviders        map[string]string
	DeveloperProviderName          string
	OpenIDConnectProviderARNs      []string `json:"OpenIdConnectProviderARNs"`
	CognitoIdentityProviders       []UserPoolProvider
	SamlProviderARNs               []string
	IdentityPoolTags               map[string]string
}

// PoolInput names a pool.
type PoolInput struct {
	IdentityPoolID string `json:"IdentityPoolId" required:"true"`
}

// Nothing is an empty output.
type Nothing struct{}

// ListPoolsInput asks for a page of pools.
type ListPoolsInput struct {
	MaxResults int `required:"true"` // 1 to 60
	NextToken  string
}

// ListPoolsOutput is a page of pools.
type ListPoolsOutput struct {
	IdentityPools []PoolName
	NextToken     string `json:",omitempty"`
}

// PoolName is what a list says of a pool.
type PoolName struct {
	IdentityPoolID   string `json:"IdentityPoolId"`
	IdentityPoolName string
}

// poolRecord is a pool with what other operations set.
type poolRecord struct {
	Pool
	Roles        map[string]string
	RoleMappings map[string]RoleMapping
	TagMaps      map[string]TagMap // by provider
}

func (x *Identity) createPool(ctx context.Context, _ *wire.Call, in *CreatePoolInput) (*Pool, error) {
	id, err := x.newID()
	if err != nil {
		return nil, err
	}
	record := poolRecord{Pool: Pool{
		IdentityPoolID: id, IdentityPoolName: in.IdentityPoolName,
		AllowUnauthenticatedIdentities: in.AllowUnauthenticatedIdentities, AllowClassicFlow: in.AllowClassicFlow,
		SupportedLoginProviders: in.SupportedLoginProviders, DeveloperProviderName: in.DeveloperProviderName,
		OpenIDConnectProviderARNs: in.OpenIDConnectProviderARNs, CognitoIdentityProviders: in.CognitoIdentityProviders,
		SamlProviderARNs: in.SamlProviderARNs, IdentityPoolTags: in.IdentityPoolTags,
	}}
	if err := record.Pool.validate(); err != nil {
		return nil, err
	}
	err = x.config.Store.Update(ctx, func(_ context.Context, tx *store.Tx) error {
		return tx.Put(kindPool, id, record)
	})
	return &record.Pool, err
}

func (p *Pool) validate() error {
	checks := []check{
		{name: "identityPoolName", value: p.IdentityPoolName, pattern: poolNamePattern(), max: 128},
		{name: "developerProviderName", value: p.DeveloperProviderName, pattern: developerPattern(), max: 128, optional: true},
	}
	for provider, value := range p.SupportedLoginProviders {
		checks = append(checks, check{name: "supportedLoginProviders", value: provider, max: 128})
		// The value may hold a secret, which an error must not repeat.
		if value == "" || len(value) > 128 || !valuePattern().MatchString(value) {
			return refuse("ValidationException", "1 validation error detected: Value at 'supportedLoginProviders' failed to satisfy constraint: Map value must satisfy constraint: [Member must have length between 1 and 128, Member must satisfy regular expression pattern: [\\w.;_/-]+]")
		}
	}
	if len(p.SupportedLoginProviders) > 10 {
		return refuse("ValidationException", "1 validation error detected: Value at 'supportedLoginProviders' failed to satisfy constraint: Member must have length less than or equal to 10")
	}
	return validate(checks...)
}

// pool reads a pool.
func (x *Identity) pool(ctx context.Context, id string) (record poolRecord, err error) {
	if err := validate(poolID(id)); err != nil {
		return poolRecord{}, err
	}
	err = x.config.Store.View(ctx, func(tx *store.Tx) error {
		record, err = getPool(tx, id)
		return err
	})
	return record, err
}

func getPool(tx *store.Tx, id string) (poolRecord, error) {
	var record poolRecord
	ok, err := tx.Get(kindPool, id, &record)
	if err == nil && !ok {
		err = noPool(id)
	}
	return record, err
}

// changePool lets f change a pool.
func (x *Identity) changePool(ctx context.Context, id string, f func(*poolRecord) error) error {
	if err := validate(poolID(id)); err != nil {
		return err
	}
	return x.config.Store.Update(ctx, func(_ context.Context, tx *store.Tx) error {
		record, err := getPool(tx, id)
		if err != nil {
			return err
		}
		if err := f(&record); err != nil {
			return err
		}
		return tx.Put(kindPool, id, record)
	})
}

func (x *Identity) describePool(ctx context.Context, _ *wire.Call, in *PoolInput) (*Pool, error) {
	record, err := x.pool(ctx, in.IdentityPoolID)
	return &record.Pool, err
}

// updatePool replaces all that a pool is made of: what the input leaves out is
// gone, as in Cognito.
func (x *Identity) updatePool(ctx context.Context, _ *wire.Call, in *Pool) (*Pool, error) {
	if err := in.validate(); err != nil {
		return nil, err
	}
	return in, x.changePool(ctx, in.IdentityPoolID, func(record *poolRecord) error {
		if old := record.DeveloperProviderName; old != "" && in.DeveloperProviderName != old {
			return invalidParameter("DeveloperProviderName cannot be changed once it is set.") // the API reference has the rule, not the text
		}
		record.Pool = *in
		return nil
	})
}

func (x *Identity) deletePool(ctx context.Context, _ *wire.Call, in *PoolInput) (*Nothing, error) {
	if err := validate(poolID(in.IdentityPoolID)); err != nil {
		return nil, err
	}
	return &Nothing{}, x.config.Store.Update(ctx, func(_ context.Context, tx *store.Tx) error {
		id := in.IdentityPoolID
		if _, err := getPool(tx, id); err != nil {
			return err
		}
		members, err := store.All[string](tx, kindMember, id+"/")
		if err != nil {
			return err
		}
		for _, member := range members {
			if err := tx.Delete(kindIdentity, member); err != nil {
				return err
			}
		}
		for _, kind := range []string{kindMember, kindLogin} {
			if err := tx.DeletePrefix(kind, id+"/"); err != nil {
				return err
			}
		}
		return tx.Delete(kindPool, id)
	})
}

func (x *Identity) listPools(ctx context.Context, _ *wire.Call, in *ListPoolsInput) (*ListPoolsOutput, error) {
	if err := validateLimit(in.MaxResults); err != nil {
		return nil, err
	}
	out := &ListPoolsOutput{IdentityPools: []PoolName{}}
	return out, x.config.Store.View(ctx, func(tx *store.Tx) error {
		pools, err := store.All[poolRecord](tx, kindPool, "")
		if err != nil {
			return err
		}
		for _, pool := range pools {
			switch {
			case pool.IdentityPoolID <= in.NextToken:
			case len(out.IdentityPools) == in.MaxResults:
				out.NextToken = out.IdentityPools[in.MaxResults-1].IdentityPoolID
				return nil
			default:
				out.IdentityPools = append(out.IdentityPools, PoolName{pool.IdentityPoolID, pool.IdentityPoolName})
			}
		}
		return nil
	})
}

// twitterProvider is Twitter's name in pools.
const twitterProvider = "api.twitter.com"

// consumer returns the consumer key and secret of a pool's Twitter app.
func (p *Pool) consumer() (key, secret string, ok bool) {
	return strings.Cut(p.SupportedLoginProviders[twitterProvider], ";")
}

// Consumers returns the name of the pool that has a Twitter consumer key, and
// the secrets that pools have with it. The Twitter stand-in asks it.
func (x *Identity) Consumers(consumerKey string) (name string, secrets []string) {
	_ = x.config.Store.View(context.Background(), func(tx *store.Tx) error {
		pools, err := store.All[poolRecord](tx, kindPool, "")
		for _, pool := range pools {
			if key, secret, ok := pool.consumer(); ok && key == consumerKey {
				name = pool.IdentityPoolName
				secrets = append(secrets, secret)
			}
		}
		return err // what can't be read is no consumer
	})
	return name, secrets
}
