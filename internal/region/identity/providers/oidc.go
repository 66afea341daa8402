package providers

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
	"golang.org/x/sync/singleflight"
)

const (
	// keysLife is how long published keys are used before they are read again.
	keysLife = time.Hour
	// keysRest is how long they are not read again for a key that they lack.
	keysRest = time.Minute
)

// OIDC verifies OpenID Connect tokens (OpenID Connect Core 1.0, section
// 3.1.3.7) with the keys that their issuer publishes. Its zero value is ready.
type OIDC struct {
	// Transport sends requests, by default http.DefaultTransport.
	Transport http.RoundTripper
	// Now is the clock, by default time.Now.
	Now func() time.Time

	fetches singleflight.Group
	mu      sync.Mutex
	keys    map[string]published // by provider
}

type published struct {
	set jose.JSONWebKeySet
	at  time.Time
}

// Algorithms are those that a token may be signed with: all of them have a
// public key, and a token can't choose another.
func Algorithms() []jose.SignatureAlgorithm {
	return []jose.SignatureAlgorithm{jose.RS256, jose.RS384, jose.RS512, jose.ES256, jose.ES384, jose.ES512}
}

// Verify checks a token of a provider, which is named by its issuer without
// "https://". The token must have been given to one of the audiences (client
// ids). The user is the claim sub.
func (o *OIDC) Verify(ctx context.Context, provider string, audiences []string, token string) (Person, error) {
	parsed, err := jwt.ParseSigned(token, Algorithms())
	if err != nil || len(parsed.Headers) != 1 {
		return Person{}, errNotVerified
	}
	var unsafe jwt.Claims
	if err := parsed.UnsafeClaimsWithoutVerification(&unsafe); err != nil {
		return Person{}, errNotVerified
	}
	if unsafe.Issuer != "https://"+provider && unsafe.Issuer != provider {
		return Person{}, &Rejected{Reason: "Issuer doesn't match providerName"}
	}
	key, err := o.key(ctx, provider, parsed.Headers[0].KeyID)
	if err != nil {
		return Person{}, err
	}
	var claims jwt.Claims
	all := make(map[string]any)
	if err := parsed.Claims(key, &claims, &all); err != nil {
		return Person{}, errNotVerified
	}
	if err := o.check(claims, audiences); err != nil {
		return Person{}, err
	}
	return Person{User: claims.Subject, Claims: all}, nil
}

var errNotVerified = &Rejected{Reason: "Couldn't verify signed token."}

// check checks the claims of a token whose signature holds. The texts are
// Cognito's.
func (o *OIDC) check(claims jwt.Claims, audiences []string) error {
	now := o.now()
	switch {
	case claims.Subject == "":
		return &Rejected{Reason: "Missing a required claim: sub"}
	case claims.Expiry == nil:
		return &Rejected{Reason: "Missing a required claim: exp"}
	case now.Unix() >= int64(*claims.Expiry):
		return &Rejected{Reason: fmt.Sprintf("Token expired: %d >= %d", now.Unix(), *claims.Expiry), Expired: true}
	case claims.NotBefore != nil && now.Add(keysRest).Unix() < int64(*claims.NotBefore):
		return &Rejected{Reason: "Token is not yet valid"}
	case len(claims.Audience) == 0:
		return &Rejected{Reason: "Missing a required claim: aud"}
	}
	for _, audience := range claims.Audience {
		if slices.Contains(audiences, audience) {
			return nil
		}
	}
	return &Rejected{Reason: "Incorrect token audience.", WrongApp: true}
}

func (o *OIDC) now() time.Time {
	if o.Now == nil {
		return time.Now()
	}
	return o.Now()
}

// key returns the provider's key with an id. Keys are kept; a key that is not
// among them is looked for once a minute, as providers change theirs.
func (o *OIDC) key(ctx context.Context, provider, id string) (*jose.JSONWebKey, error) {
	o.mu.Lock()
	known, ok := o.keys[provider]
	o.mu.Unlock()
	age := o.now().Sub(known.at)
	if found := known.set.Key(id); ok && len(found) > 0 && age < keysLife {
		return &found[0], nil
	}
	if ok && age < keysRest {
		return nil, errNotVerified
	}
	set, err, _ := o.fetches.Do(provider, func() (any, error) { return o.fetch(context.WithoutCancel(ctx), provider) })
	if err != nil {
		return nil, err
	}
	fresh := set.(published)
	found := fresh.set.Key(id)
	if len(found) == 0 {
		return nil, errNotVerified
	}
	return &found[0], nil
}

// fetch reads the provider's keys by OpenID Connect Discovery 1.0.
func (o *OIDC) fetch(ctx context.Context, provider string) (published, error) {
	var discovered struct {
		JWKSURI string `json:"jwks_uri"`
	}
	if err := o.read(ctx, "https://"+provider+"/.well-known/openid-configuration", &discovered); err != nil {
		return published{}, err
	}
	fresh := published{at: o.now()}
	if err := o.read(ctx, discovered.JWKSURI, &fresh.set); err != nil {
		return published{}, err
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.keys == nil {
		o.keys = make(map[string]published)
	}
	o.keys[provider] = fresh
	return fresh, nil
}

func (o *OIDC) read(ctx context.Context, url string, v any) error {
	if !strings.HasPrefix(url, "https://") {
		return fmt.Errorf("%w: its keys are not at an https URL but at %.200q", ErrUnavailable, url)
	}
	status, body, err := answer(ctx, &http.Client{Transport: o.Transport}, url)
	if err == nil && status != http.StatusOK {
		err = fmt.Errorf("%s answers with status %d", url, status)
	}
	if err == nil {
		err = json.Unmarshal(body, v)
	}
	if err != nil && !errors.Is(err, ErrUnavailable) {
		err = fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	return err
}

// Texts returns the texts that a claim holds: one, or those of a list.
func Texts(claim any) []string {
	switch claim := claim.(type) {
	case string:
		return []string{claim}
	case []any:
		var all []string
		for _, item := range claim {
			if text, ok := item.(string); ok {
				all = append(all, text)
			}
		}
		return all
	}
	return nil
}
