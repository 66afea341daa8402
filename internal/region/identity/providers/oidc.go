package providers

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"

	"github.com/seed-615d3599/roost/internal/region/oidc"
)

const (
	// keysLife is how long published keys are used before they are read again.
	keysLife = time.Hour
	// keysRest is how long they are not read again for a key that they lack.
	keysRest = time.Minute
	// keysRetry is the same after a reading that failed.
	keysRetry = 10 * time.Second
	// clockSkew is how far an issuer's clock may be ahead.
	clockSkew = time.Minute
)

// OIDC verifies OpenID Connect tokens (OpenID Connect Core 1.0, section
// 3.1.3.7) with the keys that their issuer publishes. Its zero value is ready.
type OIDC struct {
	// Transport sends requests, by default http.DefaultTransport.
	Transport http.RoundTripper
	// Now is the clock, by default time.Now.
	Now func() time.Time

	mu   sync.Mutex
	keys map[string]*oidc.Keys // by provider
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
	provider = strings.TrimSuffix(provider, "/")
	// Some issuers end with a slash (Auth0's), which an IAM provider's ARN leaves out.
	if issuer := strings.TrimSuffix(strings.TrimPrefix(unsafe.Issuer, "https://"), "/"); issuer != provider {
		return Person{}, &Rejected{Reason: "Issuer doesn't match providerName"}
	}
	key, err := o.key(ctx, provider, parsed.Headers[0])
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
	case claims.NotBefore != nil && now.Add(clockSkew).Unix() < int64(*claims.NotBefore):
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

// key returns the provider's key that a token's header names.
func (o *OIDC) key(ctx context.Context, provider string, header jose.Header) (*jose.JSONWebKey, error) {
	o.mu.Lock()
	keys := o.keys[provider]
	if keys == nil {
		if o.keys == nil {
			o.keys = make(map[string]*oidc.Keys)
		}
		keys = oidc.New(oidc.Config{Issuer: "https://" + provider, Transport: o.Transport, Now: o.Now, Timeout: patience,
			MaxBytes: maxAnswer, Kept: keysLife, Rest: keysRest, Retry: keysRetry})
		o.keys[provider] = keys
	}
	o.mu.Unlock()
	key, err := keys.Find(ctx, header.KeyID, jose.SignatureAlgorithm(header.Algorithm))
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	if key == nil {
		return nil, errNotVerified
	}
	return key, nil
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
