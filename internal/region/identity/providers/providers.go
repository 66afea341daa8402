// Package providers asks identity providers who a person is: Twitter by OAuth
// 1.0a, and providers that issue OpenID Connect tokens by their published keys.
// It knows nothing of identity pools.
//
//	person, err := providers.Twitter{}.Verify(ctx, consumerKey, consumerSecret, "TOKEN;SECRET")
//	person, err = oidc.Verify(ctx, "accounts.google.com", []string{clientID}, token)
//
// What a provider refuses is a *Rejected; ErrUnavailable stands for a provider
// that does not answer as it should.
package providers

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"
)

// Person is who a provider says that somebody is.
type Person struct {
	User   string         // the provider's own id of the person, which never changes
	Claims map[string]any // those of the token; none for Twitter
}

// Rejected is a login that its provider does not vouch for.
type Rejected struct {
	Reason string // in Cognito's words, such as "Couldn't verify signed token."
	// WrongApp says that the login is good, but was given to another app.
	WrongApp bool
	// Expired says that the login was good once.
	Expired bool
}

func (r *Rejected) Error() string { return r.Reason }

// ErrUnavailable says that a provider is out of reach, out of order or asks us
// to come later.
var ErrUnavailable = errors.New("the identity provider is not responding")

// patience is how long a provider may take to answer.
const patience = 5 * time.Second

// maxAnswer bounds what is read of an answer, in bytes.
const maxAnswer = 256 << 10

// answer sends a request and reads what comes back.
func answer(ctx context.Context, client *http.Client, url string) (int, []byte, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return 0, nil, err
	}
	resp, err := client.Do(r)
	if err != nil {
		return 0, nil, fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer+1))
	if err == nil && len(body) > maxAnswer {
		err = fmt.Errorf("the answer of %s is over %d bytes", r.URL.Host, maxAnswer)
	}
	if err != nil {
		return 0, nil, fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	return resp.StatusCode, body, nil
}

// noRedirects keeps signed requests from being sent elsewhere.
func noRedirects(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
