// Package twitter is the stand-in for Twitter: an OAuth 1.0a provider (RFC 5849,
// HMAC-SHA1) with Twitter's paths, its sign-in page and the two API calls that
// tell who has signed in. Identity pools and OAuth clients cannot tell it from
// api.twitter.com, except that nobody has a password: whoever reaches the page
// signs in under any screen name, and is the same user ever after.
//
//	provider, err := twitter.New(twitter.Config{Store: db, Consumers: pools.Consumers})
//	http.Serve(listener, provider)
//
// The paths are /oauth/request_token, /oauth/authorize, /oauth/authenticate,
// /oauth/access_token, /1.1/oauth/invalidate_token, /1.1/account/verify_credentials.json
// and /2/users/me. Refusals have Twitter's bodies and statuses; the header
// Roost-Reason says in plain words what was wrong.
package twitter

import (
	"crypto/rand"
	"errors"
	"html/template"
	"io"
	"net/http"
	"sync"
	"time"

	"github.com/seed-615d3599/roost/internal/region/store"
)

// Config says what a Provider works with. Store and Consumers are required.
type Config struct {
	// Store keeps users and tokens, so that they outlive the process.
	Store *store.DB
	// Consumers returns the name of the app that has a consumer key, and the
	// key's secrets: none for an unknown key, and several where apps that share
	// a key differ in its secret (two stages of one app, one of them updated).
	Consumers func(consumerKey string) (appName string, secrets []string)
	// Now is the clock, by default time.Now.
	Now func() time.Time
	// Rand is the source of tokens and secrets, by default crypto/rand.
	Rand io.Reader
}

// Provider answers requests as Twitter does. It is safe for use by several
// goroutines, and has none of its own.
type Provider struct {
	config Config
	page   *template.Template
	mux    *http.ServeMux
	nonces *nonces

	mu    sync.Mutex
	swept time.Time // when expired request tokens were last removed
}

// maxBody bounds a request body, in bytes.
const maxBody = 64 << 10

// New returns a Provider.
func New(config Config) (*Provider, error) {
	if config.Store == nil || config.Consumers == nil {
		return nil, errors.New("the Twitter stand-in needs a store and the consumers")
	}
	if config.Now == nil {
		config.Now = time.Now
	}
	if config.Rand == nil {
		config.Rand = rand.Reader
	}
	page, err := template.New("page.html").Parse(pageHTML)
	if err != nil {
		return nil, err
	}
	p := &Provider{config: config, page: page, mux: http.NewServeMux(), nonces: newNonces(maxNonces)}
	p.routes()
	return p, nil
}

// handler answers a request, or returns the error to write.
type handler func(http.ResponseWriter, *http.Request) error

func (p *Provider) routes() {
	type methods map[string]handler
	for path, byMethod := range map[string]methods{
		"/oauth/request_token":                 {"POST": p.requestToken, "GET": p.requestToken},
		"/oauth/access_token":                  {"POST": p.accessToken, "GET": p.accessToken},
		"/oauth/authorize":                     {"GET": p.showPage, "POST": p.decide},
		"/oauth/authenticate":                  {"GET": p.showPage, "POST": p.decide},
		"/1.1/oauth/invalidate_token":          {"POST": p.invalidateToken},
		"/1.1/oauth/invalidate_token.json":     {"POST": p.invalidateToken},
		"/1.1/account/verify_credentials.json": {"GET": p.verifyCredentials},
		"/2/users/me":                          {"GET": p.usersMe},
	} {
		p.mux.HandleFunc(path, func(w http.ResponseWriter, r *http.Request) {
			handle, ok := byMethod[r.Method]
			if !ok {
				handle = func(http.ResponseWriter, *http.Request) error { return methodNotSupported(r.Method) }
			}
			if err := handle(w, r); err != nil {
				writeError(w, r, err)
			}
		})
	}
	p.mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) { writeError(w, r, pageNotFound()) })
}

// ServeHTTP answers one request.
func (p *Provider) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, maxBody)
	w.Header().Set("Cache-Control", "no-cache, no-store, must-revalidate, pre-check=0, post-check=0")
	w.Header().Set("Date", p.config.Now().UTC().Format(http.TimeFormat))
	p.mux.ServeHTTP(w, r)
}
