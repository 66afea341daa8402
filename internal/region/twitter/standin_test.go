package twitter

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/dghubble/oauth1"

	"github.com/seed-615d3599/roost/internal/region/store"
)

const (
	consumerKey    = "gyMbPOiwefr6x63SjIW8NN0d1"
	consumerSecret = "not-a-real-secret"
	otherKey       = "anotherAppsConsumerKey000"
	otherSecret    = "another-invented-secret"
)

func tlsState() *tls.ConnectionState { return &tls.ConnectionState{} }

// standIn is a provider behind a server, with a clock that the test moves.
type standIn struct {
	t      *testing.T
	server *httptest.Server
	path   string // of the state file

	mu       sync.Mutex
	provider *Provider
	db       *store.DB
	ahead    time.Duration
	apps     map[string][]string
}

func newStandIn(t *testing.T) *standIn {
	s := &standIn{
		t: t, path: filepath.Join(t.TempDir(), "region.db"),
		apps: map[string][]string{consumerKey: {consumerSecret}, otherKey: {otherSecret}},
	}
	s.start()
	s.server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		provider := s.provider
		s.mu.Unlock()
		provider.ServeHTTP(w, r)
	}))
	t.Cleanup(func() {
		s.server.Close()
		s.db.Close()
	})
	return s
}

func (s *standIn) start() {
	db, err := store.Open(s.path)
	if err != nil {
		s.t.Fatal(err)
	}
	provider, err := New(Config{
		Store:     db,
		Consumers: func(key string) (string, []string) { return "app of <" + key + ">", s.apps[key] },
		Now: func() time.Time {
			s.mu.Lock()
			defer s.mu.Unlock()
			return time.Now().Add(s.ahead)
		},
	})
	if err != nil {
		s.t.Fatal(err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.db, s.provider = db, provider
}

// restart forgets all that is not in the state file.
func (s *standIn) restart() {
	s.db.Close()
	s.start()
}

func (s *standIn) advance(d time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ahead += d
}

func (s *standIn) client(callback string) *oauth1.Config {
	return &oauth1.Config{
		ConsumerKey: consumerKey, ConsumerSecret: consumerSecret, CallbackURL: callback,
		Endpoint: oauth1.Endpoint{
			RequestTokenURL: s.server.URL + "/oauth/request_token",
			AuthorizeURL:    s.server.URL + "/oauth/authorize",
			AccessTokenURL:  s.server.URL + "/oauth/access_token",
		},
		Noncer: oauth1.HexNoncer{}, HTTPClient: s.server.Client(),
	}
}

// submit sends the page's form.
func (s *standIn) submit(form url.Values, header ...string) (*http.Response, string) {
	s.t.Helper()
	r, _ := http.NewRequest("POST", s.server.URL+"/oauth/authorize", strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	resp, err := s.server.Client().Transport.RoundTrip(r)
	if err != nil {
		s.t.Fatal(err)
	}
	return resp, readAll(s.t, resp)
}

func readAll(t *testing.T, resp *http.Response) string {
	t.Helper()
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}

func pinOf(t *testing.T, page string) string {
	t.Helper()
	_, rest, ok := strings.Cut(page, `<code id="pin">`)
	pin, _, _ := strings.Cut(rest, "</code>")
	if !ok || len(pin) != 7 {
		t.Fatalf("no PIN of seven digits in the page:\n%s", page)
	}
	return pin
}

// signIn goes the whole way as one person and returns the access token.
func (s *standIn) signIn(screenName string) *oauth1.Token {
	s.t.Helper()
	config := s.client("oob")
	token, secret, err := config.RequestToken()
	if err != nil {
		s.t.Fatal(err)
	}
	_, page := s.submit(url.Values{"oauth_token": {token}, "screen_name": {screenName}})
	access, accessSecret, err := config.AccessToken(token, secret, pinOf(s.t, page))
	if err != nil {
		s.t.Fatal(err)
	}
	return oauth1.NewToken(access, accessSecret)
}

// get sends a GET signed with a token, and decodes the answer.
func (s *standIn) get(config *oauth1.Config, token *oauth1.Token, path string) (int, map[string]any) {
	s.t.Helper()
	resp, err := config.Client(context.WithValue(context.Background(), oauth1.HTTPClient, s.server.Client()), token).Get(s.server.URL + path)
	if err != nil {
		s.t.Fatal(err)
	}
	var body map[string]any
	text := readAll(s.t, resp)
	if err := json.Unmarshal([]byte(text), &body); err != nil {
		s.t.Fatalf("%s: %v in %s", path, err, text)
	}
	return resp.StatusCode, body
}

const verifyPath = "/1.1/account/verify_credentials.json?include_entities=false&skip_status=true"
