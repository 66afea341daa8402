package webidentity

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
	"github.com/google/go-cmp/cmp"

	"github.com/seed-615d3599/roost/internal/region/identity/providers"
	"github.com/seed-615d3599/roost/internal/region/identity/tokens"
	"github.com/seed-615d3599/roost/internal/region/store"
	"github.com/seed-615d3599/roost/internal/region/wire"
)

// issuer publishes its key by a transport.
type issuer struct {
	private *ecdsa.PrivateKey
	down    bool
}

func (i *issuer) RoundTrip(r *http.Request) (*http.Response, error) {
	if i.down {
		return nil, errors.New("connection refused")
	}
	recorder := httptest.NewRecorder()
	if r.URL.Path == "/keys" {
		set := jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: &i.private.PublicKey, KeyID: "1", Algorithm: "ES256"}}}
		err := json.NewEncoder(recorder).Encode(set)
		return recorder.Result(), err
	}
	fmt.Fprintf(recorder, `{"issuer":"https://%s","jwks_uri":"https://%s/keys"}`, r.URL.Host, r.URL.Host)
	return recorder.Result(), nil
}

func (i *issuer) token(t *testing.T, claims map[string]any) string {
	t.Helper()
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.ES256, Key: jose.JSONWebKey{Key: i.private, KeyID: "1"}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	text, err := jwt.Signed(signer).Claims(claims).Serialize()
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func newVerifier(t *testing.T, i *issuer) Verifier {
	t.Helper()
	db, err := store.Open(filepath.Join(t.TempDir(), "region.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return Verifier{
		Tokens: &tokens.Keeper{Store: db, Region: "us-east-1"}, OIDC: &providers.OIDC{Transport: i}, Account: "123456789012",
		Provider: func(arn string) (string, []string, bool) {
			return "", []string{"sts.amazonaws.com"}, arn == "arn:aws:iam::123456789012:oidc-provider/token.example"
		},
	}
}

func TestTokensOfPoolsAndOfProviders(t *testing.T) {
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	other := &issuer{private: private}
	v := newVerifier(t, other)
	own, err := v.Tokens.Sign(t.Context(), tokens.Token{IdentityID: "us-east-1:1", PoolID: "us-east-1:2", AMR: []string{"authenticated"}, PrincipalTags: map[string]string{"a": "b"}}, time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	later := time.Now().Add(time.Hour).Unix()
	for text, want := range map[string]Identity{
		own: {Provider: cognito, Issuer: cognito, Subject: "us-east-1:1", Audience: "us-east-1:2", AMR: []string{"authenticated"}, Tags: map[string]string{"a": "b"}},
		other.token(t, map[string]any{"iss": "https://token.example", "sub": "repo:x", "aud": []string{"z", "sts.amazonaws.com"}, "exp": later}): {
			Provider: "arn:aws:iam::123456789012:oidc-provider/token.example", Issuer: "token.example", Subject: "repo:x", Audience: "sts.amazonaws.com",
		},
	} {
		got, err := v.Verify(t.Context(), text)
		if diff := cmp.Diff(want, got); diff != "" || err != nil {
			t.Errorf("%v, (-want +got):\n%s", err, diff)
		}
	}
}

func TestTokensThatAreRefused(t *testing.T) {
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	other := &issuer{private: private}
	v := newVerifier(t, other)
	foreign, err := newVerifier(t, other).Tokens.Sign(t.Context(), tokens.Token{IdentityID: "us-east-1:1", PoolID: "us-east-1:2"}, time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	old, err := v.Tokens.Sign(t.Context(), tokens.Token{IdentityID: "us-east-1:1", PoolID: "us-east-1:2"}, -time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	claims := func(name string, value any) map[string]any {
		all := map[string]any{"iss": "https://token.example", "sub": "x", "aud": "sts.amazonaws.com", "exp": time.Now().Add(time.Hour).Unix()}
		all[name] = value
		return all
	}
	for name, test := range map[string]struct{ token, code, message string }{
		"no JWT":                {"x", "InvalidIdentityToken", "The ID Token provided is not a valid JWT."},
		"of another region":     {foreign, "InvalidIdentityToken", "Couldn't verify signed token."},
		"a pool's, old":         {old, "ExpiredTokenException", "Token expired: "},
		"a pool's, by another":  {other.token(t, claims("iss", tokens.Issuer)), "InvalidIdentityToken", "Not a Cognito token."},
		"an unknown issuer":     {other.token(t, claims("iss", "https://unknown.example")), "InvalidIdentityToken", "No OpenIDConnect provider found in your account for https://unknown.example"},
		"for another audience":  {other.token(t, claims("aud", "theirs")), "InvalidIdentityToken", "Incorrect token audience"},
		"a provider's, old":     {other.token(t, claims("exp", 1)), "ExpiredTokenException", "Token expired: "},
		"a provider's, of none": {other.token(t, claims("sub", "")), "InvalidIdentityToken", "Missing a required claim: sub"},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := v.Verify(t.Context(), test.token)
			var refused *wire.Error
			if !errors.As(err, &refused) || refused.Code != test.code || refused.Status != 400 || !strings.HasPrefix(refused.Message, test.message) {
				t.Errorf("got %+v, %v", got, err)
			}
		})
	}
	other.down = true
	v.OIDC = &providers.OIDC{Transport: other}
	if _, err := v.Verify(t.Context(), other.token(t, claims("x", 1))); wire.Code(err) != "IDPCommunicationError" {
		t.Errorf("a provider that is down: %v", err)
	}
}
