package identity

import (
	"context"
	"net/url"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"

	"github.com/seed-615d3599/roost/internal/region/identity/providers"
	"github.com/seed-615d3599/roost/internal/region/store"
)

// person is a login that its provider vouches for.
type person struct {
	Provider string
	User     string
	claims   map[string]any
	mapping  string // under which name role mappings and tag maps know the provider
}

// verifyLogins asks the providers about logins, all at once. It is called with
// no lock held and in no transaction.
func (x *Identity) verifyLogins(ctx context.Context, pool *poolRecord, logins map[string]string) ([]person, error) {
	if err := validateLogins(logins); err != nil {
		return nil, err
	}
	if len(logins) > 0 && !pool.hasProviders() {
		return nil, loginsDontMatch()
	}
	people := make([]person, len(logins))
	group, ctx := errgroup.WithContext(ctx)
	i := 0
	for provider, login := range logins {
		verified := &people[i]
		i++
		group.Go(func() (err error) {
			*verified, err = x.verifyLogin(ctx, pool, provider, login)
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	slices.SortFunc(people, func(a, b person) int { return strings.Compare(a.Provider, b.Provider) })
	return people, nil
}

// verifyLogin asks a provider that the pool takes about one login.
func (x *Identity) verifyLogin(ctx context.Context, pool *poolRecord, provider, login string) (person, error) {
	var who providers.Person
	var err error
	mapping := provider
	app, supported := pool.SupportedLoginProviders[provider]
	switch {
	case provider == twitterProvider && supported:
		key, secret, ok := pool.consumer()
		if !ok {
			return person{}, refuse("InvalidIdentityPoolConfigurationException", "Invalid identity pool configuration. The value of %s must be CONSUMER_KEY;CONSUMER_SECRET.", twitterProvider)
		}
		who, err = x.twitter.Verify(ctx, key, secret, login)
	case supported && issuesTokens(provider):
		who, err = x.oidc.Verify(ctx, provider, strings.Split(app, ";"), login)
	case supported:
		return person{}, notSupported(provider)
	case strings.HasPrefix(provider, "cognito-idp.") && pool.hasUserPool(provider):
		return person{}, notSupported(provider)
	case slices.Contains(pool.SamlProviderARNs, provider):
		return person{}, notSupported(provider)
	default:
		arn, clients, ok := x.oidcProvider(pool, provider)
		if !ok {
			return person{}, unsupportedProvider()
		}
		mapping = arn
		who, err = x.oidc.Verify(ctx, provider, clients, login)
	}
	if err != nil {
		return person{}, loginError(provider, err)
	}
	return person{Provider: provider, User: who.User, claims: who.Claims, mapping: mapping}, nil
}

// issuesTokens reports whether a public provider signs people in with OpenID
// Connect tokens. (Facebook's and Amazon's are not of that kind.)
func issuesTokens(provider string) bool {
	return provider == "accounts.google.com" || provider == "appleid.apple.com"
}

// notSupported refuses by name a provider that the pool takes and we can't ask.
func notSupported(provider string) error {
	return notAuthorized("roost does not support signing in with %s yet: it would have to believe the token unread", provider)
}

func (p *Pool) hasUserPool(provider string) bool {
	return slices.ContainsFunc(p.CognitoIdentityProviders, func(u UserPoolProvider) bool { return u.ProviderName == provider })
}

// hasProviders reports whether anybody can sign in to a pool.
func (p *Pool) hasProviders() bool {
	return len(p.SupportedLoginProviders)+len(p.OpenIDConnectProviderARNs)+len(p.CognitoIdentityProviders)+len(p.SamlProviderARNs) > 0 ||
		p.DeveloperProviderName != ""
}

// oidcProvider finds the pool's IAM OpenID Connect provider by its issuer.
func (x *Identity) oidcProvider(pool *poolRecord, provider string) (arn string, clients []string, ok bool) {
	for _, arn := range pool.OpenIDConnectProviderARNs {
		if _, issuer, found := strings.Cut(arn, ":oidc-provider/"); !found || issuer != provider || x.config.OIDCProvider == nil {
			continue
		}
		_, clients, ok := x.config.OIDCProvider(arn)
		return arn, clients, ok
	}
	return "", nil, false
}

// loginKey is where the identity of a person in a pool is found.
func loginKey(pool string, who person) string {
	return pool + "/" + url.PathEscape(who.Provider) + "/" + url.PathEscape(who.User)
}

// ownerOf returns the id of the identity that a login belongs to, or "".
func ownerOf(tx *store.Tx, pool string, who person) (id string, err error) {
	_, err = tx.Get(kindLogin, loginKey(pool, who), &id)
	return id, err
}

// link gives an identity the logins that it does not have yet.
func (x *Identity) link(tx *store.Tx, record *identityRecord, people []person) error {
	changed := false
	for _, who := range people {
		owner, err := ownerOf(tx, record.PoolID, who)
		switch {
		case err != nil:
			return err
		case owner == record.ID:
			continue
		case owner != "":
			return loginTaken()
		case record.has(who.Provider):
			return loginTaken() // another person of the same provider
		}
		record.Logins = append(record.Logins, login{who.Provider, who.User})
		if err := tx.Put(kindLogin, loginKey(record.PoolID, who), record.ID); err != nil {
			return err
		}
		changed = true
	}
	if !changed {
		return nil
	}
	return x.putIdentity(tx, record)
}

// amr returns the authentication methods of people that signed in: what they
// are, and for each the provider, and the provider's name of the user.
func amr(pool string, people []person) []string {
	if len(people) == 0 {
		return []string{"unauthenticated"}
	}
	methods := []string{"authenticated"}
	for _, who := range people {
		methods = append(methods, who.Provider, who.Provider+":"+pool+":"+who.User)
	}
	return methods
}
