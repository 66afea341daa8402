package identity

import (
	"bytes"
	"compress/gzip"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
	"github.com/google/go-cmp/cmp"

	"github.com/seed-615d3599/roost/internal/need"
	"github.com/seed-615d3599/roost/internal/region/identity/tokens"
	"github.com/seed-615d3599/roost/internal/region/wire"
)

// issuer is an OpenID Connect provider, reached by a transport.
type issuer struct {
	t       *testing.T
	private *ecdsa.PrivateKey
	keyID   string
	down    atomic.Bool
	reads   atomic.Int32
}

func newIssuer(t *testing.T) *issuer {
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return &issuer{t: t, private: private, keyID: "1"}
}

func (i *issuer) RoundTrip(r *http.Request) (*http.Response, error) {
	i.reads.Add(1)
	recorder := httptest.NewRecorder()
	path, discovery := strings.CutSuffix(r.URL.Path, "/.well-known/openid-configuration")
	switch {
	case i.down.Load():
		recorder.WriteHeader(http.StatusBadGateway)
	case discovery:
		fmt.Fprintf(recorder, `{"issuer":"https://%s%s/","jwks_uri":"https://%s/keys"}`, r.URL.Host, path, r.URL.Host)
	case r.URL.Path == "/keys":
		set := jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: &i.private.PublicKey, KeyID: i.keyID, Algorithm: "ES256", Use: "sig"}}}
		if err := json.NewEncoder(recorder).Encode(set); err != nil {
			i.t.Error(err)
		}
	}
	return recorder.Result(), nil
}

func (i *issuer) token(claims object) string {
	i.t.Helper()
	all := object{"iss": "https://accounts.google.com", "sub": "108", "aud": "client", "exp": time.Now().Add(time.Hour).Unix()}
	for name, value := range claims {
		all[name] = value
		if value == nil {
			delete(all, name)
		}
	}
	key := jose.SigningKey{Algorithm: jose.ES256, Key: jose.JSONWebKey{Key: i.private, KeyID: i.keyID}}
	signer, err := jose.NewSigner(key, nil)
	if err != nil {
		i.t.Fatal(err)
	}
	text, err := jwt.Signed(signer).Claims(all).Serialize()
	if err != nil {
		i.t.Fatal(err)
	}
	return text
}

// newOIDCWorld has a pool that takes Google and a provider of IAM's.
func newOIDCWorld(t *testing.T) (*world, *issuer, string) {
	w := newWorld(t)
	google := newIssuer(t)
	w.config.Transport = google
	w.config.OIDCProvider = func(arn string) (string, []string, bool) {
		return "https://issuer.example/a", []string{"mine"}, strings.HasSuffix(arn, "/issuer.example/a")
	}
	w.restart()
	return w, google, w.newPool(object{
		"SupportedLoginProviders":   object{"accounts.google.com": "first;client"},
		"OpenIdConnectProviderARNs": []string{"arn:aws:iam::123456789012:oidc-provider/issuer.example/a", "arn:aws:iam::123456789012:oidc-provider/gone.example"},
	})
}

func googleLogin(token string) object { return object{"accounts.google.com": token} }

func TestOpenIDConnectLogins(t *testing.T) {
	w, google, pool := newOIDCWorld(t)
	person := w.getID(pool, googleLogin(google.token(nil)))
	if again := w.getID(pool, googleLogin(google.token(object{"iss": "accounts.google.com", "aud": []string{"first"}}))); again != person {
		t.Error("the same person has two identities")
	}
	if other := w.getID(pool, googleLogin(google.token(object{"sub": "109"}))); other == person {
		t.Error("two people share an identity")
	}
	if n := google.reads.Load(); n != 2 {
		t.Errorf("the keys were read in %d requests, want 2", n)
	}
	iam := w.getID(pool, object{"issuer.example/a": google.token(object{"iss": "https://issuer.example/a", "aud": "mine"})})
	if slashed := w.getID(pool, object{"issuer.example/a": google.token(object{"iss": "https://issuer.example/a/", "aud": "mine"})}); slashed != iam {
		t.Error("an issuer that ends with a slash is another")
	}
	if iam == person {
		t.Error("two providers' people share an identity")
	}
	w.do("GetCredentialsForIdentity", object{"IdentityId": person, "Logins": googleLogin(google.token(nil))})
	if diff := cmp.Diff([]string{"authenticated", "accounts.google.com", "accounts.google.com:" + pool + ":108"}, w.lastAssumed().AMR); diff != "" {
		t.Errorf("amr (-want +got):\n%s", diff)
	}
}

func TestOpenIDConnectTokensThatAreRefused(t *testing.T) {
	w, google, pool := newOIDCWorld(t)
	stranger := newIssuer(t)
	late := time.Now().Add(-time.Hour).Unix()
	good := google.token(nil)
	header, rest, _ := strings.Cut(good, ".")
	unsigned := strings.ReplaceAll(`eyJhbGciOiJub25lIn0.`, "\n", "") + strings.Split(rest, ".")[0] + "."
	for name, test := range map[string]struct{ token, message string }{
		"no JWT":              {"x", "Invalid login token. Couldn't verify signed token."},
		"another key":         {stranger.token(nil), "Invalid login token. Couldn't verify signed token."},
		"a changed signature": {good[:len(good)-8] + "AAAAAAAA", "Invalid login token. Couldn't verify signed token."},
		"no signature":        {unsigned, "Invalid login token. Couldn't verify signed token."},
		"header only":         {header, "Invalid login token. Couldn't verify signed token."},
		"another issuer":      {google.token(object{"iss": "https://evil.example"}), "Invalid login token. Issuer doesn't match providerName"},
		"another app":         {google.token(object{"aud": "theirs"}), "Token is not from a supported provider of this identity pool."},
		"no audience":         {google.token(object{"aud": nil}), "Invalid login token. Missing a required claim: aud"},
		"nobody":              {google.token(object{"sub": nil}), "Invalid login token. Missing a required claim: sub"},
		"for ever":            {google.token(object{"exp": nil}), "Invalid login token. Missing a required claim: exp"},
		"not yet":             {google.token(object{"nbf": time.Now().Add(time.Hour).Unix()}), "Invalid login token. Token is not yet valid"},
	} {
		t.Run(name, func(t *testing.T) {
			w.t = t
			w.refused("GetId", object{"IdentityPoolId": pool, "Logins": googleLogin(test.token)}, "NotAuthorizedException", test.message)
		})
	}
	_, out := w.post("GetId", object{"IdentityPoolId": pool, "Logins": googleLogin(google.token(object{"exp": late}))}, false)
	if message := out["message"].(string); !strings.HasPrefix(message, "Invalid login token. Token expired: ") || !strings.HasSuffix(message, fmt.Sprint(" >= ", late)) {
		t.Errorf("expired: %s", message)
	}
	w.refused("GetId", object{"IdentityPoolId": pool, "Logins": object{"gone.example": google.token(object{"iss": "https://gone.example"})}}, "NotAuthorizedException", unsupportedProvider().Message)
}

func TestKeysThatChange(t *testing.T) {
	w, google, pool := newOIDCWorld(t)
	old := google.token(nil)
	w.getID(pool, googleLogin(old))
	google.keyID = "2"
	fresh := google.token(nil)
	w.refused("GetId", object{"IdentityPoolId": pool, "Logins": googleLogin(fresh)}, "NotAuthorizedException", "Invalid login token. Couldn't verify signed token.")
	w.ahead = 2 * time.Minute
	w.getID(pool, googleLogin(fresh))
	google.down.Store(true)
	w.getID(pool, googleLogin(fresh)) // the keys are known
	w.refused("GetId", object{"IdentityPoolId": pool, "Logins": object{"issuer.example/a": google.token(object{"iss": "https://issuer.example/a"})}},
		"ExternalServiceException", "issuer.example/a is not responding. Try again later.")
}

func TestRolesByRulesAndTagsByClaims(t *testing.T) {
	w, google, pool := newOIDCWorld(t)
	role := func(name string) string { return "arn:aws:iam::123456789012:role/" + name }
	rule := func(claim, match, value, to string) object {
		return object{"Claim": claim, "MatchType": match, "Value": value, "RoleARN": role(to)}
	}
	w.do("SetIdentityPoolRoles", object{"IdentityPoolId": pool, "Roles": object{"authenticated": role("auth")}, "RoleMappings": object{
		"accounts.google.com": object{"Type": "Rules", "AmbiguousRoleResolution": "AuthenticatedRole", "RulesConfiguration": object{"Rules": []object{
			rule("hd", "Equals", "example.com", "staff"), rule("email", "StartsWith", "root@", "root"),
			rule("groups", "Contains", "min", "admins"), rule("plan", "NotEqual", "free", "paying"),
		}}},
		"arn:aws:iam::123456789012:oidc-provider/issuer.example/a": object{"Type": "Token", "AmbiguousRoleResolution": "Deny"},
	}})
	w.do("SetPrincipalTagAttributeMap", object{"IdentityPoolId": pool, "IdentityProviderName": "accounts.google.com", "PrincipalTags": object{"team": "hd", "none": "nothing"}})
	for _, test := range []struct {
		claims object
		want   string
	}{
		{object{"hd": "example.com", "email": "root@x"}, "staff"},
		{object{"email": "root@x"}, "root"},
		{object{"groups": []string{"users", "admins"}}, "admins"},
		{object{"plan": "gold"}, "paying"},
		{object{"plan": "free"}, "auth"},
		{nil, "auth"},
	} {
		login := googleLogin(google.token(test.claims))
		w.do("GetCredentialsForIdentity", object{"IdentityId": w.getID(pool, login), "Logins": login})
		if got := w.lastAssumed().RoleARN; got != role(test.want) {
			t.Errorf("%v: %s, want %s", test.claims, got, test.want)
		}
		wantTags := map[string]string{}
		if hd, ok := test.claims["hd"]; ok {
			wantTags["team"] = hd.(string)
		}
		if diff := cmp.Diff(wantTags, w.lastAssumed().Tags); diff != "" {
			t.Errorf("%v: tags (-want +got):\n%s", test.claims, diff)
		}
	}
	login := func(claims object) object {
		claims["iss"], claims["aud"] = "https://issuer.example/a", "mine"
		return object{"issuer.example/a": google.token(claims)}
	}
	roles := object{"cognito:roles": []string{role("a"), role("b")}}
	id := w.getID(pool, login(roles))
	w.refused("GetCredentialsForIdentity", object{"IdentityId": id, "Logins": login(roles)}, "InvalidIdentityPoolConfigurationException", badConfiguration().Message)
	w.do("GetCredentialsForIdentity", object{"IdentityId": id, "Logins": login(roles), "CustomRoleArn": role("b")})
	if got := w.lastAssumed().RoleARN; got != role("b") {
		t.Errorf("the chosen role is %s", got)
	}
	roles["cognito:preferred_role"] = role("a")
	w.do("GetCredentialsForIdentity", object{"IdentityId": id, "Logins": login(roles)})
	if got := w.lastAssumed().RoleARN; got != role("a") {
		t.Errorf("the preferred role is %s", got)
	}
}

func TestTheBasicFlowsToken(t *testing.T) {
	w := newWorld(t)
	pool := w.newPool(object{"AllowClassicFlow": true})
	alice := w.getID(pool, as("alice"))
	text := w.do("GetOpenIdToken", object{"IdentityId": alice, "Logins": as("alice")})["Token"].(string)

	// An independent reader: the public key as it is published.
	recorder := httptest.NewRecorder()
	w.pools.Tokens().JWKS(recorder, httptest.NewRequest("GET", "/.well-known/jwks_uri", nil))
	var set jose.JSONWebKeySet
	if err := json.Unmarshal([]byte(readAll(t, recorder.Result().Body)), &set); err != nil || len(set.Keys) != 1 || !set.Keys[0].IsPublic() {
		t.Fatalf("keys %v, %v", set, err)
	}
	parsed, err := jwt.ParseSigned(text, []jose.SignatureAlgorithm{jose.RS512})
	if err != nil {
		t.Fatal(err)
	}
	if header := parsed.Headers[0]; header.ExtraHeaders["typ"] != "JWS" || header.KeyID != set.Keys[0].KeyID {
		t.Errorf("header %+v", header)
	}
	var claims object
	if err := parsed.Claims(set.Keys[0], &claims); err != nil {
		t.Fatal(err)
	}
	if life := claims["exp"].(float64) - claims["iat"].(float64); life != 600 {
		t.Errorf("the token lives %v seconds", life)
	}
	delete(claims, "exp")
	delete(claims, "iat")
	amr := []any{"authenticated", "api.twitter.com", "api.twitter.com:" + pool + ":id-alice"}
	want := object{"iss": "https://cognito-identity.amazonaws.com", "sub": alice, "aud": pool, "amr": amr,
		"https://cognito-identity.amazonaws.com/identity-pool-arn": "arn:aws:cognito-identity:us-east-1:123456789012:identitypool/" + pool}
	if diff := cmp.Diff(want, claims); diff != "" {
		t.Errorf("claims (-want +got):\n%s", diff)
	}

	w.restart()
	if token, err := w.pools.Tokens().Verify(t.Context(), text); err != nil || token.IdentityID != alice || token.PoolID != pool {
		t.Errorf("after a restart: %+v, %v", token, err)
	}
	if _, err := newWorld(t).pools.Tokens().Verify(t.Context(), text); err == nil || err.Error() != "Couldn't verify signed token." {
		t.Errorf("another region took the token: %v", err)
	}
	w.ahead = 10 * time.Minute
	if _, err := w.pools.Tokens().Verify(t.Context(), text); err == nil || !strings.HasPrefix(err.Error(), "Token expired: ") {
		t.Errorf("an old token: %v", err)
	}
}

func TestDeveloperIdentities(t *testing.T) {
	w := newWorld(t)
	pool := w.newPool(object{"DeveloperProviderName": "login.example"})
	ask := func(more object) object {
		in := object{"IdentityPoolId": pool, "Logins": object{"login.example": "ann"}}
		for name, value := range more {
			in[name] = value
		}
		return in
	}
	first := w.do("GetOpenIdTokenForDeveloperIdentity", ask(object{"PrincipalTags": object{"team": "blue"}, "TokenDuration": 60}))
	ann := first["IdentityId"].(string)
	token, err := w.pools.Tokens().Verify(t.Context(), first["Token"].(string))
	want := tokens.Token{IdentityID: ann, PoolID: pool, PoolARN: w.pools.poolARN(pool), PrincipalTags: map[string]string{"team": "blue"},
		AMR: []string{"authenticated", "login.example", "login.example:" + pool + ":ann"}}
	if diff := cmp.Diff(want, token); diff != "" || err != nil {
		t.Errorf("%v, (-want +got):\n%s", err, diff)
	}
	own := object{"cognito-identity.amazonaws.com": first["Token"]}
	w.do("GetCredentialsForIdentity", object{"IdentityId": ann, "Logins": own})
	if got := w.lastAssumed(); cmp.Diff(want.AMR, got.AMR) != "" || got.Tags["team"] != "blue" || got.RoleARN != "arn:aws:iam::123456789012:role/auth" {
		t.Errorf("session %+v", got)
	}
	alice := w.getID(pool, as("alice"))
	w.refused("GetCredentialsForIdentity", object{"IdentityId": alice, "Logins": own}, "NotAuthorizedException", loginsDontMatch().Message)
	w.refused("GetCredentialsForIdentity", object{"IdentityId": ann, "Logins": object{"cognito-identity.amazonaws.com": "x"}}, "NotAuthorizedException", "Invalid login token. Not a Cognito token.")
	w.refused("GetId", object{"IdentityPoolId": pool, "Logins": object{"login.example": "ann"}}, "NotAuthorizedException", unsupportedProvider().Message)
	if recorder, _ := w.post("GetOpenIdTokenForDeveloperIdentity", ask(nil), false); recorder.Code != 403 {
		t.Errorf("an unsigned caller got %d", recorder.Code)
	}

	second := w.do("GetOpenIdTokenForDeveloperIdentity", ask(object{"IdentityId": alice, "Logins": object{"login.example": "al"}}))
	if second["IdentityId"] != alice {
		t.Errorf("got %v", second)
	}
	w.refused("GetOpenIdTokenForDeveloperIdentity", ask(object{"IdentityId": alice}), "DeveloperUserAlreadyRegisteredException", "The developer user is already registered with another identity.")
	lookup := w.do("LookupDeveloperIdentity", object{"IdentityPoolId": pool, "DeveloperUserIdentifier": "al"})
	if diff := cmp.Diff(object{"IdentityId": alice, "DeveloperUserIdentifierList": []any{"al"}}, lookup); diff != "" {
		t.Errorf("look-up (-want +got):\n%s", diff)
	}
	merged := w.do("MergeDeveloperIdentities", object{"IdentityPoolId": pool, "DeveloperProviderName": "login.example", "SourceUserIdentifier": "ann", "DestinationUserIdentifier": "al"})
	if merged["IdentityId"] != alice {
		t.Errorf("merged into %v", merged)
	}
	lookup = w.do("LookupDeveloperIdentity", object{"IdentityPoolId": pool, "IdentityId": alice, "MaxResults": 1})
	if diff := cmp.Diff(object{"IdentityId": alice, "DeveloperUserIdentifierList": []any{"al"}, "NextToken": "al"}, lookup); diff != "" {
		t.Errorf("look-up (-want +got):\n%s", diff)
	}
	w.refused("GetCredentialsForIdentity", object{"IdentityId": ann, "Logins": own}, "ResourceNotFoundException", "Identity '"+ann+"' not found.")
	w.do("UnlinkDeveloperIdentity", object{"IdentityPoolId": pool, "IdentityId": alice, "DeveloperProviderName": "login.example", "DeveloperUserIdentifier": "ann"})
	w.refused("LookupDeveloperIdentity", object{"IdentityPoolId": pool, "DeveloperUserIdentifier": "ann"}, "ResourceNotFoundException", "Developer user 'ann' not found.")
}

// The service model that comes with the AWS CLI is the oracle for operations,
// which of them are unsigned, and the members of their inputs.
func TestTheServiceModelIsCovered(t *testing.T) {
	pattern := filepath.Join(need.Tools(t), "venv", "lib", "python*", "site-packages", "botocore", "data", "cognito-identity", "2014-06-30", "service-2.json.gz")
	found, err := filepath.Glob(pattern)
	if err != nil || len(found) == 0 {
		need.Missing(t, "botocore is not installed: run make tools")
	}
	data, err := os.ReadFile(found[0])
	if err != nil {
		t.Fatal(err)
	}
	reader, err := gzip.NewReader(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	var model struct {
		Operations map[string]struct {
			Authtype string
			Input    struct{ Shape string }
		}
		Shapes map[string]struct {
			Members  map[string]any
			Required []string
		}
	}
	if err := json.NewDecoder(reader).Decode(&model); err != nil {
		t.Fatal(err)
	}
	w := newWorld(t)
	if len(w.service.Operations) != len(model.Operations) {
		t.Errorf("there are %d operations, want %d", len(w.service.Operations), len(model.Operations))
	}
	for name, operation := range model.Operations {
		r := httptest.NewRequest("POST", "/", nil)
		r.Header.Set("X-Amz-Target", "AWSCognitoIdentityService."+name)
		incoming, err := w.service.Resolve(r, nil)
		if err != nil {
			t.Error(err)
			continue
		}
		if want := operation.Authtype == "none"; incoming.Unsigned() != want {
			t.Errorf("%s: unsigned is %v, want %v", name, incoming.Unsigned(), want)
		}
		members := object{}
		for member := range model.Shapes[operation.Input.Shape].Members {
			members[member] = nil
		}
		_, out := w.post(name, members, true)
		if message := fmt.Sprint(out["message"]); strings.Contains(message, "does not support") || out["__type"] != "ValidationException" {
			t.Errorf("%s: with all members null it says %v", name, out)
		}
		for _, member := range model.Shapes[operation.Input.Shape].Required {
			if err := w.service.Call(t.Context(), wire.Call{Caller: &wire.Caller{}}, name, object{}, nil); err == nil {
				t.Errorf("%s was done without its required member %s", name, member)
			}
		}
	}
}
