package twitter

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/dghubble/oauth1"

	"github.com/seed-615d3599/roost/internal/region/store"
)

func TestSignInByPIN(t *testing.T) {
	s := newStandIn(t)
	token := s.signIn("Fanjie_Wang")
	status, body := s.get(s.client("oob"), token, verifyPath)
	if status != 200 || body["screen_name"] != "Fanjie_Wang" {
		t.Fatalf("verify_credentials: %d %v", status, body)
	}
	id, _ := body["id_str"].(string)
	if !strings.HasPrefix(token.Token, id+"-") || len(id) < 10 {
		t.Errorf("token %s does not begin with the user's id %q", token.Token, id)
	}
	if strings.ContainsAny(token.Token+token.TokenSecret, ":;") {
		t.Error("a token or its secret has a separator of logins in it")
	}
	status, body = s.get(s.client("oob"), token, "/2/users/me?user.fields=created_at")
	data, _ := body["data"].(map[string]any)
	if status != 200 || data["id"] != id || data["username"] != "Fanjie_Wang" || data["created_at"] == nil || data["verified"] != nil {
		t.Errorf("users/me: %d %v", status, body)
	}
	if status, body = s.get(s.client("oob"), token, "/2/users/me?user.fields=shoe_size"); status != 400 || body["title"] != "Invalid Request" {
		t.Errorf("an unknown field: %d %v", status, body)
	}
}

func TestSignInByCallback(t *testing.T) {
	s := newStandIn(t)
	config := s.client("http://localhost:1234/back?state=%20x")
	token, secret, err := config.RequestToken()
	if err != nil {
		t.Fatal(err)
	}
	resp, _ := s.submit(url.Values{"oauth_token": {token}, "screen_name": {"@alice"}})
	location := resp.Header.Get("Location")
	if resp.StatusCode != 302 || !strings.HasPrefix(location, "http://localhost:1234/back?state=%20x&oauth_token="+token+"&oauth_verifier=") {
		t.Fatalf("%d to %q", resp.StatusCode, location)
	}
	r := httptest.NewRequest("GET", location, nil)
	_, verifier, err := oauth1.ParseAuthorizationCallback(r)
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := config.AccessToken(token, secret, verifier); err != nil {
		t.Fatal(err)
	}
	if _, _, err := config.AccessToken(token, secret, verifier); err == nil {
		t.Error("the request token was exchanged twice")
	}
}

func TestCancel(t *testing.T) {
	s := newStandIn(t)
	for _, callback := range []string{"http://localhost:1234/back", "oob"} {
		config := s.client(callback)
		token, secret, err := config.RequestToken()
		if err != nil {
			t.Fatal(err)
		}
		resp, page := s.submit(url.Values{"oauth_token": {token}, "screen_name": {"alice"}, "cancel": {"Cancel"}})
		if callback == "oob" && !strings.Contains(page, "denied") {
			t.Errorf("cancelled page: %s", page)
		}
		if location := resp.Header.Get("Location"); callback != "oob" && location != callback+"?denied="+token {
			t.Errorf("cancelled to %q", location)
		}
		if _, _, err := config.AccessToken(token, secret, ""); err == nil {
			t.Error("a cancelled request token was exchanged")
		}
	}
}

func TestTheSamePersonIsTheSameUserAndNobodyElse(t *testing.T) {
	s := newStandIn(t)
	first, again, other := s.signIn("alice"), s.signIn("ALICE"), s.signIn("alice_")
	if first.Token != again.Token {
		t.Errorf("alice has the tokens %s and %s", first.Token, again.Token)
	}
	idOf := func(token *oauth1.Token) string { id, _, _ := strings.Cut(token.Token, "-"); return id }
	if idOf(first) == idOf(other) {
		t.Error("two people share an id")
	}
	if fresh := newStandIn(t).signIn("alice"); idOf(fresh) != idOf(first) {
		t.Errorf("alice is %s here and %s in another state", idOf(first), idOf(fresh))
	}
}

func TestIDsThatAreTakenAreNotGivenAgain(t *testing.T) {
	s := newStandIn(t)
	alice, _, _ := strings.Cut(s.signIn("alice").Token, "-")
	err := s.db.Update(t.Context(), func(_ context.Context, tx *store.Tx) error {
		return tx.Delete(kindUser, "alice") // her id stays hers
	})
	if err != nil {
		t.Fatal(err)
	}
	var second user
	err = s.db.Update(t.Context(), func(_ context.Context, tx *store.Tx) (err error) {
		second, err = s.provider.signedInUser(tx, "alice")
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if fmt.Sprint(second.ID) == alice {
		t.Error("an id in use was given to somebody else")
	}
}

func TestEveryStepSurvivesARestart(t *testing.T) {
	s := newStandIn(t)
	config := s.client("oob")
	token, secret, err := config.RequestToken()
	if err != nil {
		t.Fatal(err)
	}
	s.restart()
	_, page := s.submit(url.Values{"oauth_token": {token}, "screen_name": {"alice"}})
	s.restart()
	access, accessSecret, err := config.AccessToken(token, secret, pinOf(t, page))
	if err != nil {
		t.Fatal(err)
	}
	s.restart()
	if status, body := s.get(config, oauth1.NewToken(access, accessSecret), verifyPath); status != 200 {
		t.Errorf("verify_credentials: %d %v", status, body)
	}
}

func TestRefusalsOfRequestTokens(t *testing.T) {
	for _, test := range []struct {
		name   string
		change func(*standIn, *oauth1.Config)
		want   string
	}{
		{"an unknown key", func(_ *standIn, c *oauth1.Config) { c.ConsumerKey = "unknown" }, `401: {"errors":[{"code":32,`},
		{"another secret", func(_ *standIn, c *oauth1.Config) { c.ConsumerSecret = "wrong" }, `401: {"errors":[{"code":32,`},
		{"another method", func(_ *standIn, c *oauth1.Config) {
			c.Signer = &oauth1.HMAC256Signer{ConsumerSecret: consumerSecret}
		}, `401: {"errors":[{"code":32,`},
		{"no callback", func(_ *standIn, c *oauth1.Config) { c.CallbackURL = "" }, `403: {"errors":[{"code":38,`},
		{"a script", func(_ *standIn, c *oauth1.Config) { c.CallbackURL = "javascript:alert(1)" }, `403: {"errors":[{"code":415,`},
		{"a relative callback", func(_ *standIn, c *oauth1.Config) { c.CallbackURL = "/back" }, `403: {"errors":[{"code":415,`},
		{"a late clock", func(s *standIn, _ *oauth1.Config) { s.advance(-6 * time.Minute) }, `401: {"errors":[{"code":135,`},
		{"an early clock", func(s *standIn, _ *oauth1.Config) { s.advance(6 * time.Minute) }, `401: {"errors":[{"code":135,`},
		{"a request sent twice", func(_ *standIn, c *oauth1.Config) {
			c.HTTPClient = &http.Client{Transport: changed(func(r *http.Request) {
				if resp, err := http.DefaultTransport.RoundTrip(r.Clone(r.Context())); err == nil {
					resp.Body.Close()
				}
			})}
		}, `401: {"errors":[{"code":32,`},
		{"a body that is too large", func(s *standIn, c *oauth1.Config) {
			c.HTTPClient = &http.Client{Transport: changed(func(r *http.Request) {
				r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
				r.Body = io.NopCloser(strings.NewReader(strings.Repeat("a", maxBody+1)))
			})}
		}, `413: {"errors":[{"code":214,`},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := newStandIn(t)
			config := s.client("oob")
			test.change(s, config)
			_, _, err := config.RequestToken()
			if err == nil || !strings.Contains(err.Error(), "invalid status "+test.want) {
				t.Errorf("got %v, want %s", err, test.want)
			}
		})
	}
}

// changed is a transport that does something to requests after they are signed.
type changed func(*http.Request)

func (c changed) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	c(r)
	return http.DefaultTransport.RoundTrip(r)
}

func TestWhatIsChangedAfterSigningIsRefused(t *testing.T) {
	s := newStandIn(t)
	token := s.signIn("alice")
	authorization := func(r *http.Request, old, new string) {
		header := r.Header.Get("Authorization")
		if !strings.Contains(header, old) {
			t.Errorf("no %s in %s", old, header)
		}
		r.Header.Set("Authorization", strings.Replace(header, old, new, 1))
	}
	for name, change := range map[string]changed{
		"a parameter more":      func(r *http.Request) { r.URL.RawQuery += "&include_email=true" },
		"a parameter less":      func(r *http.Request) { r.URL.RawQuery = "" },
		"another path":          func(r *http.Request) { r.URL.Path = "/2/users/me" },
		"another host":          func(r *http.Request) { r.Host = "api.twitter.com" },
		"a body":                func(r *http.Request) { setForm(r, "a=b") },
		"parameters twice":      func(r *http.Request) { r.URL.RawQuery += "&oauth_token=" + token.Token },
		"no signature":          func(r *http.Request) { authorization(r, "oauth_signature=", "x=") },
		"another nonce":         func(r *http.Request) { authorization(r, `oauth_nonce="`, `oauth_nonce="0`) },
		"another version":       func(r *http.Request) { authorization(r, `oauth_version="1.0"`, `oauth_version="2.0"`) },
		"another consumer":      func(r *http.Request) { authorization(r, consumerKey, otherKey) },
		"a second header":       func(r *http.Request) { r.Header.Add("Authorization", r.Header.Get("Authorization")) },
		"a malformed header":    func(r *http.Request) { authorization(r, `oauth_nonce="`, `oauth_nonce=`) },
		"a malformed parameter": func(r *http.Request) { r.URL.RawQuery = "a=%zz" },
	} {
		t.Run(name, func(t *testing.T) {
			ctx := context.WithValue(t.Context(), oauth1.HTTPClient, &http.Client{Transport: change})
			resp, err := s.client("oob").Client(ctx, token).Get(s.server.URL + verifyPath)
			if err != nil {
				t.Fatal(err)
			}
			if body := readAll(t, resp); resp.StatusCode < 400 || resp.StatusCode > 401 {
				t.Errorf("%d %s", resp.StatusCode, body)
			}
		})
	}
}

func setForm(r *http.Request, body string) {
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Body, r.ContentLength = io.NopCloser(strings.NewReader(body)), int64(len(body))
}

func TestBothSecretsOfASharedKeyAreTaken(t *testing.T) {
	s := newStandIn(t)
	s.apps[consumerKey] = []string{"an older one", consumerSecret}
	if _, _, err := s.client("oob").RequestToken(); err != nil {
		t.Error(err)
	}
}

func TestRefusalsOfAccessTokens(t *testing.T) {
	s := newStandIn(t)
	token := s.signIn("alice")
	other := s.client("oob")
	other.ConsumerKey, other.ConsumerSecret = otherKey, otherSecret
	for _, test := range []struct {
		name   string
		config *oauth1.Config
		token  *oauth1.Token
		status int
		code   float64
	}{
		{"an invented token", s.client("oob"), oauth1.NewToken("1-invented", "secret"), 401, 89},
		{"another app's token", other, token, 401, 89},
		{"another secret", s.client("oob"), oauth1.NewToken(token.Token, "wrong"), 401, 32},
	} {
		t.Run(test.name, func(t *testing.T) {
			status, body := s.get(test.config, test.token, verifyPath)
			errors, _ := body["errors"].([]any)
			if status != test.status || len(errors) != 1 || errors[0].(map[string]any)["code"] != test.code {
				t.Errorf("got %d %v, want %d and code %v", status, body, test.status, test.code)
			}
		})
	}
	if status, body := s.get(s.client("oob"), oauth1.NewToken("x", "y"), "/2/users/me"); status != 401 || body["title"] != "Unauthorized" {
		t.Errorf("users/me with an invented token: %d %v", status, body)
	}
}

func TestARevokedTokenIsRefused(t *testing.T) {
	s := newStandIn(t)
	token := s.signIn("alice")
	resp, err := s.client("oob").Client(t.Context(), token).Post(s.server.URL+"/1.1/oauth/invalidate_token", "", nil)
	if err != nil || resp.StatusCode != 200 {
		t.Fatal(resp, err)
	}
	resp.Body.Close()
	if status, _ := s.get(s.client("oob"), token, verifyPath); status != 401 {
		t.Errorf("a revoked token gets %d", status)
	}
	if again := s.signIn("alice"); again.Token == token.Token {
		t.Error("the revoked token came back")
	}
}

func TestUnsignedRequests(t *testing.T) {
	s := newStandIn(t)
	for path, want := range map[string]string{
		verifyPath:         `400 {"errors":[{"code":215,"message":"Bad Authentication data."}]}`,
		"/1.1/nothing":     `404 {"errors":[{"code":34,"message":"Sorry, that page does not exist."}]}`,
		"/2/users/me":      `400 {"detail":"Bad Request","status":400,"title":"Bad Request","type":"about:blank"}`,
		"/oauth/authorize": "403 <!DOCTYPE html>",
	} {
		resp, err := http.Get(s.server.URL + path)
		if err != nil {
			t.Fatal(err)
		}
		body := readAll(t, resp)
		if got := fmt.Sprint(resp.StatusCode, " ", body); !strings.HasPrefix(got, want) {
			t.Errorf("%s: %s, want %s", path, got, want)
		}
		if resp.Header.Get("Roost-Reason") == "" {
			t.Errorf("%s: no reason", path)
		}
	}
	resp, err := http.Post(s.server.URL+verifyPath, "", nil)
	if err != nil || resp.StatusCode != 405 {
		t.Errorf("POST: %v %v", resp, err)
	}
	resp.Body.Close()
}

func TestAPINIsGuessedFiveTimesOnly(t *testing.T) {
	s := newStandIn(t)
	config := s.client("oob")
	token, secret, err := config.RequestToken()
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := config.AccessToken(token, secret, "1234567"); err == nil {
		t.Fatal("a PIN was taken before anybody signed in")
	}
	_, page := s.submit(url.Values{"oauth_token": {token}, "screen_name": {"alice"}})
	for i := range maxGuesses {
		_, _, err := config.AccessToken(token, secret, fmt.Sprint("wrong", i))
		if err == nil || !strings.Contains(err.Error(), "401: Error processing your OAuth request: Invalid oauth_verifier parameter") {
			t.Fatalf("guess %d: %v", i, err)
		}
	}
	if _, _, err := config.AccessToken(token, secret, pinOf(t, page)); err == nil || !strings.Contains(err.Error(), `"code":89`) {
		t.Errorf("the right PIN after %d wrong ones: %v", maxGuesses, err)
	}
}

func TestRequestTokensExpireAndAreRemoved(t *testing.T) {
	s := newStandIn(t)
	config := s.client("oob")
	token, _, err := config.RequestToken()
	if err != nil {
		t.Fatal(err)
	}
	s.advance(requestTokenLife + time.Second)
	resp, _ := s.submit(url.Values{"oauth_token": {token}, "screen_name": {"alice"}})
	if resp.StatusCode != 403 {
		t.Errorf("an expired request token was authorized: %d", resp.StatusCode)
	}
	err = s.db.Update(t.Context(), func(_ context.Context, tx *store.Tx) error { return s.provider.sweep(tx) })
	if err != nil {
		t.Fatal(err)
	}
	err = s.db.View(t.Context(), func(tx *store.Tx) error {
		if items, err := tx.List(kindRequest, ""); len(items) != 0 || err != nil {
			t.Errorf("left: %v, %v", items, err)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestPage(t *testing.T) {
	s := newStandIn(t)
	token, _, err := s.client("oob").RequestToken()
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.Get(s.server.URL + "/oauth/authenticate?force_login=true&screen_name=%22%3E%3Cscript%3E&oauth_token=" + token)
	if err != nil {
		t.Fatal(err)
	}
	page := readAll(t, resp)
	for _, want := range []string{"app of &lt;" + consumerKey + "&gt;", `value="&#34;&gt;&lt;script&gt;"`, `name="screen_name"`, "Authorize app", `name="cancel"`, `value="` + token + `"`} {
		if !strings.Contains(page, want) {
			t.Errorf("the page lacks %s:\n%s", want, page)
		}
	}
	if !strings.Contains(resp.Header.Get("Content-Security-Policy"), "frame-ancestors 'none'") {
		t.Error("the page can be framed")
	}
	for _, name := range []string{"", "with space", "<b>", strings.Repeat("x", 33), "ä"} {
		resp, page := s.submit(url.Values{"oauth_token": {token}, "screen_name": {name}})
		if resp.StatusCode != 400 || !strings.Contains(page, "A screen name has") {
			t.Errorf("%q: %d %s", name, resp.StatusCode, page)
		}
	}
}

func TestAFormFromAnotherSiteIsRefused(t *testing.T) {
	s := newStandIn(t)
	token, _, err := s.client("oob").RequestToken()
	if err != nil {
		t.Fatal(err)
	}
	form := url.Values{"oauth_token": {token}, "screen_name": {"alice"}}
	for _, header := range [][]string{{"Origin", "http://evil.example"}, {"Sec-Fetch-Site", "cross-site"}, {"Sec-Fetch-Site", "same-site"}} {
		if resp, page := s.submit(form, header...); resp.StatusCode != 403 || strings.Contains(page, "pin") && strings.Contains(page, `<code`) {
			t.Errorf("%v: %d %s", header, resp.StatusCode, page)
		}
	}
	if resp, _ := s.submit(form, "Origin", s.server.URL, "Sec-Fetch-Site", "same-origin"); resp.StatusCode != 200 {
		t.Errorf("our own form is refused: %d", resp.StatusCode)
	}
	if resp, _ := s.submit(form); resp.StatusCode != 403 {
		t.Errorf("the request token was authorized twice: %d", resp.StatusCode)
	}
}

func TestTLSIsSignedAsHTTPS(t *testing.T) {
	s := newStandIn(t)
	server := httptest.NewTLSServer(s.provider)
	defer server.Close()
	config := s.client("oob")
	config.Endpoint.RequestTokenURL = server.URL + "/oauth/request_token"
	config.HTTPClient = server.Client()
	if _, _, err := config.RequestToken(); err != nil {
		t.Error(err)
	}
}

func TestNoncesAreBoundedAndForgotten(t *testing.T) {
	n := newNonces(3)
	at := time.Unix(1000, 0)
	for i := range 3 {
		if err := n.use(1000, at, "key", "token", fmt.Sprint(i)); err != nil {
			t.Fatal(err)
		}
	}
	if err := n.use(1000, at, "key", "token", "0"); err != errNonceUsed {
		t.Errorf("a used nonce: %v", err)
	}
	if err := n.use(1001, at, "key", "token", "new"); err != errNoncesFull {
		t.Errorf("over the bound: %v", err)
	}
	if err := n.use(1001, time.Unix(1001, 0), "key", "token", "new"); err != nil {
		t.Errorf("after the old ones are too old: %v", err)
	}
	if n.size != 1 {
		t.Errorf("%d nonces are kept, want 1", n.size)
	}
}

func TestManyPeopleAtOnce(t *testing.T) {
	s := newStandIn(t)
	var wait sync.WaitGroup
	tokens := make([]string, 50)
	for i := range tokens {
		wait.Go(func() { tokens[i] = s.signIn(fmt.Sprint("person_", i)).Token })
	}
	wait.Wait()
	seen := make(map[string]bool)
	for _, token := range tokens {
		id, _, _ := strings.Cut(token, "-")
		if seen[id] {
			t.Errorf("the id %s is given twice", id)
		}
		seen[id] = true
	}
}
