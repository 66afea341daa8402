package gateway

import (
	"bytes"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/seed-615d3599/roost/internal/region/httpapi/definition"
	"github.com/seed-615d3599/roost/sigv4"
)

// sign signs a request to a1 and returns its headers.
func sign(t testing.TB, w *world, method, target, body string) []string {
	t.Helper()
	r, err := http.NewRequest(method, "http://a1.execute-api.us-east-1.amazonaws.com"+target, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	s := sigv4.Signer{Credentials: sigv4.Credentials{AccessKeyID: "AKIDEXAMPLE", SecretAccessKey: "secret"},
		Service: "execute-api", Region: "us-east-1", Now: func() time.Time { return w.now }}
	if err := s.Sign(r, ""); err != nil {
		t.Fatal(err)
	}
	var out []string
	for name := range r.Header {
		out = append(out, name, r.Header.Get(name))
	}
	return out
}

func TestIAM(t *testing.T) {
	const resource = "arn:aws:execute-api:us-east-1:123456789012:a1/$default/GET/private/x"
	w := &world{policy: `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"execute-api:Invoke","Resource":"` + resource + `"}]}`}
	g := w.gateway(t)
	put(t, g, one(definition.Route{Key: "ANY /{p+}", AuthorizationType: definition.AuthorizationIAM, Integration: lambda("2.0")},
		definition.Route{Key: "GET /one/{p+}", AuthorizationType: definition.AuthorizationIAM, Integration: lambda("1.0")}))
	const forbidden = `{"message":"Forbidden"}`
	wantAnswer(t, ask(g, "GET", "/private/x", "", sign(t, w, "GET", "/private/x", "")...), 200, "hi")
	iamPart := at(w.decoded(t), "requestContext", "authorizer", "iam")
	if diff := cmp.Diff(map[string]any{
		"accessKey": "AKIDEXAMPLE", "accountId": "123456789012", "callerId": "AROA:CognitoIdentityCredentials",
		"cognitoIdentity": map[string]any{"amr": []any{"authenticated", "api.twitter.com", "api.twitter.com:us-east-1:p:9"}, "identityId": "us-east-1:i", "identityPoolId": "us-east-1:p"},
		"principalOrgId":  nil, "userArn": "arn:aws:sts::123456789012:assumed-role/r/CognitoIdentityCredentials", "userId": "AROA:CognitoIdentityCredentials",
	}, iamPart); diff != "" {
		t.Error(diff)
	}
	refused := []struct {
		name            string
		method, target  string
		headers         []string
		reason, explain string
	}{
		{"unsigned", "GET", "/private/x", nil, "MissingAuthenticationToken", ""},
		{"another path", "GET", "/private/y", sign(t, w, "GET", "/private/x", ""), "SignatureDoesNotMatch", ""},
		{"no policy", "GET", "/private/y", sign(t, w, "GET", "/private/y", ""), "because no identity-based policy allows", "identity"},
		{"another method", "POST", "/private/x", sign(t, w, "POST", "/private/x", ""), "because no identity-based policy allows", "identity"},
		{"not for REST payloads either", "GET", "/one/x", sign(t, w, "GET", "/one/x", ""), "because no identity-based policy allows", "identity"},
	}
	for _, c := range refused {
		t.Run(c.name, func(t *testing.T) {
			w.refusals, w.calls = nil, 0
			wantAnswer(t, ask(g, c.method, c.target, "", c.headers...), 403, forbidden)
			if w.calls != 0 {
				t.Error("the function was called")
			}
			if len(w.refusals) != 1 || !strings.Contains(w.refusals[0].Reason, c.reason) || c.explain != "" && w.refusals[0].Trace == nil {
				t.Errorf("recorded %+v", w.refusals)
			}
		})
	}
	old := sign(t, w, "GET", "/private/x", "")
	w.now = w.now.Add(6 * time.Minute)
	wantAnswer(t, ask(g, "GET", "/private/x", "", old...), 403, forbidden)
}

// As at the region's own door: requests that never leave the machine count as secure.
func TestPoliciesThatWantSecureTransport(t *testing.T) {
	w := &world{policy: `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*","Condition":{"Bool":{"aws:SecureTransport":"true"}}}]}`}
	g := w.gateway(t)
	put(t, g, one(definition.Route{Key: "GET /x", AuthorizationType: definition.AuthorizationIAM, Integration: lambda("2.0")}))
	for from, status := range map[string]int{"127.0.0.1:999": 200, "[::1]:999": 200, "192.0.2.7:999": 403} {
		r := httptest.NewRequest("GET", "/x", nil)
		r.Host, r.RemoteAddr = "a1.execute-api.us-east-1.amazonaws.com", from
		headers := sign(t, w, "GET", "/x", "")
		for i := 0; i < len(headers); i += 2 {
			r.Header.Set(headers[i], headers[i+1])
		}
		answer := httptest.NewRecorder()
		g.ServeHTTP(answer, r)
		if answer.Code != status {
			t.Errorf("from %s: %d %s", from, answer.Code, answer.Body)
		}
	}
}

func TestLambdaAuthorizer(t *testing.T) {
	const arn = "arn:aws:execute-api:us-east-1:123456789012:a1/$default/GET/x"
	policy := func(effect, resource string) string {
		return fmt.Sprintf(`{"principalId":"me","policyDocument":{"Version":"2012-10-17","Statement":[{"Effect":%q,"Action":"execute-api:Invoke","Resource":%q}]},"context":{"k":"v","n":1}}`, effect, resource)
	}
	cases := []struct {
		name    string
		version string
		simple  bool
		answer  string
		failed  string
		status  int
	}{
		{"simple yes", "2.0", true, `{"isAuthorized":true,"context":{"k":"v","n":1}}`, "", 200},
		{"simple no", "2.0", true, `{"isAuthorized":false}`, "", 403},
		{"simple without word", "2.0", true, `{}`, "", 500},
		{"simple of another type", "2.0", true, `{"isAuthorized":"true"}`, "", 500},
		{"context no object", "2.0", true, `{"isAuthorized":true,"context":[]}`, "", 500},
		{"policy allows", "2.0", false, policy("Allow", arn), "", 200},
		{"policy of format 1.0", "1.0", false, policy("Allow", arn), "", 200},
		{"policy denies", "2.0", false, policy("Deny", arn), "", 403},
		{"policy for another", "1.0", false, policy("Allow", arn+"y"), "", 403},
		{"simple where a policy is wanted", "2.0", false, `{"isAuthorized":true}`, "", 500},
		{"malformed policy", "2.0", false, `{"principalId":"me","policyDocument":{"Statement":7}}`, "", 500},
		{"crash", "2.0", true, `{"errorType":"x"}`, "Unhandled", 500},
		{"no JSON", "2.0", true, `yes`, "", 500},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			w := &world{}
			g := w.gateway(t)
			a := one(definition.Route{Key: "GET /x", AuthorizationType: definition.AuthorizationCustom, AuthorizerID: "z", Integration: lambda("2.0")})
			a.Stages[0].Authorizers = []definition.Authorizer{{ID: "z", Type: definition.AuthorizerRequest, URI: fn + ":auth", PayloadVersion: c.version, SimpleResponses: c.simple}}
			put(t, g, a)
			w.answer = func(payload []byte) ([]byte, string, error) {
				if bytes.Contains(payload, []byte(`"type":"REQUEST"`)) {
					if !bytes.Contains(payload, []byte(`Arn":"`+arn+`"`)) {
						t.Errorf("authorizer's event %s", payload)
					}
					return []byte(c.answer), c.failed, nil
				}
				return []byte(`"hi"`), "", nil
			}
			if got := ask(g, "GET", "/x", ""); got.Code != c.status {
				t.Errorf("got %d %s", got.Code, got.Body)
			}
			if want := "arn:aws:execute-api:us-east-1:123456789012:a1/authorizers/z"; w.asked[0] != want {
				t.Errorf("asked for %s", w.asked)
			}
			if c.status == 200 && at(w.decoded(t), "requestContext", "authorizer", "lambda", "n") != 1.0 {
				t.Errorf("event %s", w.event)
			}
		})
	}
}

func TestLambdaAuthorizerCache(t *testing.T) {
	w := &world{answer: func(payload []byte) ([]byte, string, error) { return []byte(`{"isAuthorized":true}`), "", nil }}
	g := w.gateway(t)
	a := one(definition.Route{Key: "GET /x", AuthorizationType: definition.AuthorizationCustom, AuthorizerID: "z", Integration: lambda("2.0")},
		definition.Route{Key: "GET /y", AuthorizationType: definition.AuthorizationCustom, AuthorizerID: "z", Integration: lambda("2.0")})
	a.Stages[0].Authorizers = []definition.Authorizer{{ID: "z", Type: definition.AuthorizerRequest, URI: fn, PayloadVersion: "2.0", SimpleResponses: true,
		TTL: time.Minute, IdentitySources: []string{"$request.header.Auth", "$request.querystring.q"}}}
	put(t, g, a)
	try := func(calls int, target string, headers ...string) {
		t.Helper()
		w.calls = 0
		if got := ask(g, "GET", target, "", headers...); got.Code != 200 || w.calls != calls {
			t.Errorf("%d, %d calls, want %d", got.Code, w.calls, calls)
		}
	}
	try(2, "/x?q=1", "Auth", "a")
	try(1, "/x?q=1", "Auth", "a")
	try(1, "/y?q=1", "Auth", "a") // for all routes of the authorizer
	try(2, "/x?q=2", "Auth", "a")
	try(2, "/x?q=1", "Auth", "1:a")
	w.now = w.now.Add(time.Minute)
	try(2, "/x?q=1", "Auth", "a")
	w.calls = 0
	got := ask(g, "GET", "/x?q=1", "")
	wantAnswer(t, got, 401, `{"message":"Unauthorized"}`)
	if w.calls != 0 || got.Header().Get("Www-Authenticate") != "" {
		t.Errorf("%d calls, %v", w.calls, got.Header())
	}
}

func TestJWTChallenges(t *testing.T) {
	w := &world{}
	g := w.gateway(t)
	a := one(definition.Route{Key: "GET /x", AuthorizationType: definition.AuthorizationJWT, AuthorizerID: "j", Integration: lambda("2.0")})
	a.Stages[0].Authorizers = []definition.Authorizer{{ID: "j", Type: definition.AuthorizerJWT, IdentitySources: []string{"$request.header.Authorization"},
		Issuer: "https://issuer.test", Audience: []string{"app"}}}
	put(t, g, a)
	got := ask(g, "GET", "/x", "")
	wantAnswer(t, got, 401, `{"message":"Unauthorized"}`)
	if v := got.Header().Get("Www-Authenticate"); v != "Bearer" {
		t.Errorf("challenge %s", v)
	}
	got = ask(g, "GET", "/x", "", "Authorization", "Bearer x")
	wantAnswer(t, got, 401, `{"message":"Unauthorized"}`)
	if v := got.Header().Get("Www-Authenticate"); v != `Bearer scope="" error="invalid_token" error_description="token contains an invalid number of segments"` {
		t.Errorf("challenge %s", v)
	}
}
