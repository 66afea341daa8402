package providers

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"

	"github.com/dghubble/oauth1"
)

// Twitter asks Twitter, or what stands in for it.
type Twitter struct {
	// BaseURL is by default https://api.twitter.com.
	BaseURL string
	// Transport sends requests, by default http.DefaultTransport.
	Transport http.RoundTripper
}

// Verify asks whom an access token speaks for, with a request signed by the
// token's and the app's secrets. login is "TOKEN;SECRET", as AWS's own SDKs
// send it; "TOKEN:SECRET" is taken too, as neither has such a character in it.
// The user is the numeric id.
func (t Twitter) Verify(ctx context.Context, consumerKey, consumerSecret, login string) (Person, error) {
	token, secret, ok := strings.Cut(login, ";")
	if !ok {
		token, secret, ok = strings.Cut(login, ":")
	}
	if !ok || token == "" || secret == "" {
		return Person{}, &Rejected{Reason: "It is not of the form TOKEN;SECRET."}
	}
	base := strings.TrimSuffix(t.BaseURL, "/")
	if base == "" {
		base = "https://api.twitter.com"
	}
	// The library writes to its configuration: each use has one of its own.
	config := &oauth1.Config{ConsumerKey: consumerKey, ConsumerSecret: consumerSecret, Noncer: oauth1.HexNoncer{}}
	plain := &http.Client{Transport: t.Transport}
	client := oauth1.NewClient(context.WithValue(ctx, oauth1.HTTPClient, plain), config, oauth1.NewToken(token, secret))
	client.CheckRedirect = noRedirects
	status, body, err := answer(ctx, client, base+"/1.1/account/verify_credentials.json?include_entities=false&skip_status=true")
	if err != nil {
		return Person{}, err
	}
	switch status {
	case http.StatusOK:
	case http.StatusBadRequest, http.StatusUnauthorized, http.StatusForbidden:
		return Person{}, &Rejected{Reason: "Twitter refuses it."}
	default: // 429 among them
		return Person{}, fmt.Errorf("%w: status %d", ErrUnavailable, status)
	}
	var account struct {
		ID string `json:"id_str"`
	}
	if err := json.Unmarshal(body, &account); err != nil || account.ID == "" {
		return Person{}, fmt.Errorf("%w: it named no user", ErrUnavailable)
	}
	return Person{User: account.ID}, nil
}
