package jwt

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	josejwt "github.com/go-jose/go-jose/v4/jwt"
)

const issuer = "https://issuer.test/pool"

// provider is an issuer behind a transport.
type provider struct {
	keys    map[string]*rsa.PrivateKey
	asked   int
	fail    error
	says    string // the discovery document's issuer, if not the right one
	padding int
}

func (p *provider) RoundTrip(r *http.Request) (*http.Response, error) {
	if p.fail != nil {
		return nil, p.fail
	}
	var body any
	switch r.URL.Path {
	case "/pool/.well-known/openid-configuration":
		says := issuer
		if p.says != "" {
			says = p.says
		}
		body = map[string]string{"issuer": says, "jwks_uri": issuer + "/keys", "pad": strings.Repeat("x", p.padding)}
	case "/pool/keys":
		p.asked++
		var set jose.JSONWebKeySet
		for kid, k := range p.keys {
			set.Keys = append(set.Keys, jose.JSONWebKey{Key: k.Public(), KeyID: kid, Use: "sig"})
		}
		body = set
	}
	data, _ := json.Marshal(body)
	return &http.Response{StatusCode: 200, Body: io.NopCloser(strings.NewReader(string(data)))}, nil
}

func newKey(t *testing.T) *rsa.PrivateKey {
	t.Helper()
	k, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func sign(t *testing.T, alg jose.SignatureAlgorithm, key any, kid string, claims map[string]any) string {
	t.Helper()
	s, err := jose.NewSigner(jose.SigningKey{Algorithm: alg, Key: key}, (&jose.SignerOptions{}).WithHeader("kid", kid))
	if err != nil {
		t.Fatal(err)
	}
	token, err := josejwt.Signed(s).Claims(claims).Serialize()
	if err != nil {
		t.Fatal(err)
	}
	return token
}

func TestVerify(t *testing.T) {
	key, other := newKey(t), newKey(t)
	p := &provider{keys: map[string]*rsa.PrivateKey{"k1": key}}
	now := time.Unix(1_700_000_000, 0)
	v := New(Config{Issuer: issuer, Audience: []string{"app", "app2"}, Transport: p, Now: func() time.Time { return now }})
	claims := func(change ...any) map[string]any {
		m := map[string]any{"iss": issuer, "aud": "app", "exp": now.Unix() + 10, "iat": now.Unix() - 1, "sub": "me", "scope": "email profile"}
		for i := 0; i < len(change); i += 2 {
			if m[change[i].(string)] = change[i+1]; change[i+1] == nil {
				delete(m, change[i].(string))
			}
		}
		return m
	}
	good := sign(t, jose.RS256, key, "k1", claims())
	public := base64.StdEncoding.EncodeToString(key.PublicKey.N.Bytes())
	none := base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"none","kid":"k1"}`)) + "." + strings.Split(good, ".")[1] + "."
	cases := []struct {
		name, token string
		scopes      []string
		wrong       string
	}{
		{"good", good, nil, ""},
		{"Bearer", "Bearer " + good, nil, ""},
		{"RS512", sign(t, jose.RS512, key, "k1", claims()), nil, ""},
		{"audience list", sign(t, jose.RS256, key, "k1", claims("aud", []string{"x", "app2"})), nil, ""},
		{"client_id", sign(t, jose.RS256, key, "k1", claims("aud", nil, "client_id", "app")), nil, ""},
		{"scope", good, []string{"admin", "email"}, ""},
		{"scp", sign(t, jose.RS256, key, "k1", claims("scope", nil, "scp", []string{"admin"})), []string{"admin"}, ""},

		{"empty", "", nil, "token contains an invalid number of segments"},
		{"two segments", "a.b", nil, "token contains an invalid number of segments"},
		{"garbage", "a.b.c", nil, "malformed"},
		{"none", none, nil, "signing method"},
		{"HS256 with the public key", sign(t, jose.HS256, []byte(public), "k1", claims()), nil, "signing method"},
		{"PS256", sign(t, jose.PS256, key, "k1", claims()), nil, "signing method"},
		{"another key", sign(t, jose.RS256, other, "k1", claims()), nil, "signature"},
		{"unknown kid", sign(t, jose.RS256, key, "k9", claims()), nil, "kid"},
		{"no kid", sign(t, jose.RS256, key, "", claims()), nil, "kid"},
		{"issuer", sign(t, jose.RS256, key, "k1", claims("iss", issuer+"/")), nil, "issuer"},
		{"audience", sign(t, jose.RS256, key, "k1", claims("aud", "x")), nil, "the token does not have a valid audience"},
		{"client_id beside aud", sign(t, jose.RS256, key, "k1", claims("aud", "x", "client_id", "app")), nil, "audience"},
		{"no audience", sign(t, jose.RS256, key, "k1", claims("aud", nil)), nil, "audience"},
		{"expired", sign(t, jose.RS256, key, "k1", claims("exp", now.Unix())), nil, "expired"},
		{"no exp", sign(t, jose.RS256, key, "k1", claims("exp", nil)), nil, "expired"},
		{"exp no number", sign(t, jose.RS256, key, "k1", claims("exp", "tomorrow")), nil, "expired"},
		{"nbf", sign(t, jose.RS256, key, "k1", claims("nbf", now.Unix()+1)), nil, "nbf"},
		{"iat", sign(t, jose.RS256, key, "k1", claims("iat", now.Unix()+1)), nil, "iat"},
		{"scope missing", good, []string{"admin"}, "scope"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			token, err := v.Verify(context.Background(), c.token, c.scopes)
			var refused *Error
			switch {
			case c.wrong == "" && err != nil:
				t.Fatal(err)
			case c.wrong == "":
				if sub, _ := token.Claim("sub"); sub != "me" {
					t.Errorf("sub is %q", sub)
				}
			case !errors.As(err, &refused) || !strings.Contains(refused.Description, c.wrong):
				t.Errorf("got %v, want %q", err, c.wrong)
			}
		})
	}
}

func TestClaimsAreStrings(t *testing.T) {
	key := newKey(t)
	v := New(Config{Issuer: issuer, Audience: []string{"app"}, Transport: &provider{keys: map[string]*rsa.PrivateKey{"k": key}}})
	exp := time.Now().Unix() + 100
	token, err := v.Verify(context.Background(), sign(t, jose.RS256, key, "k", map[string]any{
		"iss": issuer, "aud": "app", "exp": exp, "cognito:groups": []string{"a", "b"}, "ok": true}), nil)
	if err != nil {
		t.Fatal(err)
	}
	var got map[string]string
	if err := json.Unmarshal(token.Claims, &got); err != nil {
		t.Fatal(err)
	}
	if got["cognito:groups"] != "[a b]" || got["ok"] != "true" || len(got["exp"]) != 10 {
		t.Errorf("got %v", got)
	}
}

func TestKeysAreKeptRotatedAndBounded(t *testing.T) {
	key, next := newKey(t), newKey(t)
	p := &provider{keys: map[string]*rsa.PrivateKey{"k1": key}}
	now := time.Unix(1_700_000_000, 0)
	v := New(Config{Issuer: issuer, Audience: []string{"app"}, Transport: p, Now: func() time.Time { return now }})
	claims := map[string]any{"iss": issuer, "aud": "app", "exp": now.Unix() + 1_000_000}
	old, fresh := sign(t, jose.RS256, key, "k1", claims), sign(t, jose.RS256, next, "k2", claims)
	try := func(token string, ok bool, asked int) {
		t.Helper()
		_, err := v.Verify(context.Background(), token, nil)
		if (err == nil) != ok || p.asked != asked {
			t.Errorf("error %v, asked %d times, want ok %v and %d", err, p.asked, ok, asked)
		}
	}
	try(old, true, 1)
	try(old, true, 1)
	p.keys = map[string]*rsa.PrivateKey{"k2": next}
	try(fresh, false, 1) // asked a moment ago
	now = now.Add(askAgain)
	try(fresh, true, 2)
	try(old, false, 2)
	now = now.Add(keptFor)
	p.fail = errors.New("down")
	try(fresh, true, 2) // an outage is bridged
	now = now.Add(keptFor)
	try(fresh, false, 2) // but not for ever
}

func TestIssuerThatCannotBeTrusted(t *testing.T) {
	key := newKey(t)
	token := sign(t, jose.RS256, key, "k", map[string]any{"iss": issuer, "aud": "app", "exp": 1 << 40})
	for name, p := range map[string]*provider{
		"down":           {fail: errors.New("no route to host")},
		"another issuer": {says: "https://evil.test"},
		"endless":        {padding: fetchBytes},
	} {
		p.keys = map[string]*rsa.PrivateKey{"k": key}
		_, err := New(Config{Issuer: issuer, Audience: []string{"app"}, Transport: p}).Verify(context.Background(), token, nil)
		var refused *Error
		if err == nil || errors.As(err, &refused) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func FuzzVerify(f *testing.F) {
	f.Add("Bearer a.b.c")
	f.Add("eyJhbGciOiJub25lIn0.e30.")
	v := New(Config{Issuer: issuer, Transport: &provider{}})
	f.Fuzz(func(t *testing.T, token string) {
		if _, err := v.Verify(context.Background(), token, nil); err == nil {
			t.Errorf("%q was accepted", token)
		}
	})
}
