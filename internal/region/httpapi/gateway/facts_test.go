package gateway

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	josejwt "github.com/go-jose/go-jose/v4/jwt"
	"github.com/google/go-cmp/cmp"

	"github.com/seed-615d3599/roost/internal/region/httpapi/cors"
	"github.com/seed-615d3599/roost/internal/region/httpapi/definition"
	"github.com/seed-615d3599/roost/internal/region/httpapi/throttle"
	"github.com/seed-615d3599/roost/internal/region/wire"
)

// factCase is a request, what the function must see of it, and what the client
// must get, in one or both payload formats.
type factCase struct {
	facts    string // names from testdata/facts.txt
	formats  string // "2.0", "1.0" or both
	change   func(*definition.API)
	method   string // GET if empty
	target   string // "/" if empty
	body     string
	headers  []string
	signed   bool
	answer   string            // the function's
	failed   string            // its X-Amz-Function-Error
	err      error             // of Invoke
	event    map[string]any    // members by their path; nil means that there is none
	status   int               // 200 if 0
	want     string            // the body, "" for any
	header   map[string]string // "" means that there is none
	uncalled bool              // the function must not have been called
	limit    time.Duration     // that the function had
}

const both = "2.0 1.0"

// answered is the function's usual answer.
const answered = `{"statusCode":200,"headers":{"content-type":"text/plain"},"body":"hi"}`

func errorBody(text string) string { return `{"message":"` + text + `"}` }

func routes(keys ...string) func(*definition.API) {
	return func(a *definition.API) {
		template := a.Stages[0].Routes[0]
		a.Stages[0].Routes = nil
		for _, k := range keys {
			r := template
			r.Key = k
			a.Stages[0].Routes = append(a.Stages[0].Routes, r)
		}
	}
}

func named(stage string) func(*definition.API) {
	return func(a *definition.API) { a.Stages[0].Name = stage }
}

func authorized(kind string) func(*definition.API) {
	return func(a *definition.API) {
		s := &a.Stages[0]
		s.Routes[0].AuthorizationType, s.Routes[0].AuthorizerID = kind, "z"
		switch kind {
		case definition.AuthorizationJWT:
			s.Authorizers = []definition.Authorizer{{ID: "z", Type: definition.AuthorizerJWT, Issuer: issuer, Audience: []string{"app"}, IdentitySources: []string{"$request.header.Authorization"}}}
		case definition.AuthorizationCustom:
			s.Authorizers = []definition.Authorizer{{ID: "z", Type: definition.AuthorizerRequest, URI: fn + ":auth", PayloadVersion: "2.0", SimpleResponses: true, IdentitySources: []string{"$request.header.Auth"}}}
		}
	}
}

func crossOrigin(c cors.Config) func(*definition.API) {
	return func(a *definition.API) { a.Stages[0].CORS = &c }
}

func all(changes ...func(*definition.API)) func(*definition.API) {
	return func(a *definition.API) {
		for _, c := range changes {
			c(a)
		}
	}
}

const issuer = "https://issuer.test"

// issuerKey signs the tokens of the test's issuer, which is a transport.
type issuerKey struct{ *rsa.PrivateKey }

func (k issuerKey) RoundTrip(r *http.Request) (*http.Response, error) {
	var doc any = map[string]string{"issuer": issuer, "jwks_uri": issuer + "/keys"}
	if r.URL.Path == "/keys" {
		doc = jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: k.Public(), KeyID: "k", Use: "sig"}}}
	}
	data, err := json.Marshal(doc)
	return &http.Response{StatusCode: 200, Body: io.NopCloser(strings.NewReader(string(data)))}, err
}

func (k issuerKey) token(t *testing.T, w *world, claims map[string]any) string {
	t.Helper()
	s, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.RS256, Key: k.PrivateKey}, (&jose.SignerOptions{}).WithHeader("kid", "k"))
	if err != nil {
		t.Fatal(err)
	}
	full := map[string]any{"iss": issuer, "aud": "app", "exp": w.now.Unix() + 60, "n": 7}
	for name, v := range claims {
		full[name] = v
	}
	token, err := josejwt.Signed(s).Claims(full).Serialize()
	if err != nil {
		t.Fatal(err)
	}
	return token
}

func factCases() []factCase {
	late := 50 * time.Millisecond
	short := func(a *definition.API) { a.Stages[0].Routes[0].Integration.Timeout = late }
	none := 0
	credentials := cors.Config{AllowOrigins: []string{"https://a.test"}, AllowCredentials: true}
	return []factCase{
		{facts: "stage-first rawpath-named-stage", formats: both, change: named("dev"), target: "/dev/x",
			event: map[string]any{"rawPath|path": "/dev/x", "requestContext/http/path|requestContext/path": "/dev/x", "requestContext/stage": "dev"}},
		{facts: "stage-default rawpath-default-stage", formats: both, target: "/dev/x",
			event: map[string]any{"rawPath|path": "/dev/x", "requestContext/stage": "$default"}},
		{facts: "stage-none error-form", formats: both, change: named("dev"), target: "/x", status: 404, want: errorBody("Not Found"), uncalled: true,
			header: map[string]string{"Content-Type": "application/json", "X-Amzn-Errortype": ""}},
		{facts: "route-full", formats: both, change: routes("GET /{p+}", "GET /a/{b}", "$default"), target: "/a/1", event: map[string]any{"routeKey|requestContext/resourceId": "GET /a/{b}"}},
		{facts: "route-greedy", formats: both, change: routes("GET /{p+}", "GET /a/{b}", "$default"), target: "/a/1/2",
			event: map[string]any{"routeKey|requestContext/resourceId": "GET /{p+}", "pathParameters/p": "a/1/2"}},
		{facts: "route-default", formats: both, change: routes("POST /a", "$default"), target: "/a", event: map[string]any{"routeKey|resource": "$default"}},
		{facts: "route-method", formats: both, change: routes("ANY /a", "GET /a"), target: "/a", event: map[string]any{"routeKey|requestContext/resourceId": "GET /a"}},
		{facts: "route-none", formats: both, change: routes("POST /a"), target: "/a", status: 404, want: errorBody("Not Found"), uncalled: true},
		{facts: "rawpath-mapping", formats: "2.0", target: "//api.example.com/v1/x", event: map[string]any{"rawPath": "/x", "requestContext/domainName": "api.example.com"}},
		{facts: "rawpath-mapping", formats: "1.0", target: "//api.example.com/v1/x", event: map[string]any{"path": "/v1/x", "requestContext/path": "/v1/x"}},
		{facts: "path-decoded query-encoded", formats: "2.0", change: routes("GET /{id}"), target: "/a%20b?q=%20x",
			event: map[string]any{"rawPath": "/a b", "pathParameters/id": "a b", "rawQueryString": "q=%20x", "queryStringParameters/q": " x"}},
		{facts: "path-decoded", formats: "1.0", change: routes("GET /{id}"), target: "/a%20b", event: map[string]any{"path": "/a b", "pathParameters/id": "a b"}},
		{facts: "header-lower-case header-joined", formats: "2.0", headers: []string{"X-A", "1", "X-A", "2"}, event: map[string]any{"headers/x-a": "1,2", "headers/X-A": nil}},
		{facts: "header-title-case multi-values", formats: "1.0", headers: []string{"X-A", "1", "X-A", "2", "user-agent", "curl"}, target: "/?a=1&a=2",
			event: map[string]any{"headers/x-a": "2", "headers/User-Agent": "curl", "headers/Host": "a1.execute-api.us-east-1.amazonaws.com", "headers/X-Forwarded-For": "192.0.2.7",
				"headers/X-Forwarded-Port": "80", "headers/X-Forwarded-Proto": "http", "headers/Content-Length": "0",
				"multiValueHeaders/x-a": []any{"1", "2"}, "queryStringParameters/a": "2", "multiValueQueryStringParameters/a": []any{"1", "2"}}},
		{facts: "query-joined", formats: "2.0", target: "/?a=1&b=&a=2", event: map[string]any{"queryStringParameters/a": "1,2", "queryStringParameters/b": ""}},
		{facts: "query-null resource-id identity-null time-format", formats: "1.0", change: routes("GET /a"), target: "/a",
			event: map[string]any{"queryStringParameters": nil, "multiValueQueryStringParameters": nil, "requestContext/resourceId": "GET /a", "resource": "/a",
				"requestContext/requestId": "MDEyMzQ1Njc4OWE=", "requestContext/extendedRequestId": "MDEyMzQ1Njc4OWE=",
				"requestContext/identity/accessKey": nil, "requestContext/identity/userArn": nil, "requestContext/identity/sourceIp": "192.0.2.7",
				"requestContext/requestTime": "04/Mar/2020:19:03:58 +0000", "requestContext/requestTimeEpoch": 1583348638390.0, "body": nil}},
		{facts: "cookies-apart", formats: "2.0", headers: []string{"Cookie", "a=1; b=2"}, event: map[string]any{"cookies": []any{"a=1", "b=2"}, "headers/cookie": nil}},
		{facts: "optionals-omitted time-format", formats: "2.0", event: map[string]any{"body": nil, "cookies": nil, "queryStringParameters": nil, "pathParameters": nil, "stageVariables": nil,
			"requestContext/authorizer": nil, "requestContext/authentication": nil, "requestContext/time": "04/Mar/2020:19:03:58 +0000", "requestContext/timeEpoch": 1583348638390.0}},
		{facts: "stage-variables", formats: both, change: func(a *definition.API) { a.Stages[0].Variables = map[string]string{"v": "1"} }, event: map[string]any{"stageVariables": map[string]any{"v": "1"}}},
		{facts: "body-text", formats: both, method: "POST", body: `{}`, headers: []string{"Content-Type", "application/json"}, event: map[string]any{"body": "{}", "isBase64Encoded": false}},
		{facts: "body-text", formats: both, method: "POST", body: `x`, headers: []string{"Content-Type", "text/csv"}, event: map[string]any{"body": "x", "isBase64Encoded": false}},
		{facts: "body-base64", formats: both, method: "POST", body: "a=1", headers: []string{"Content-Type", "application/x-www-form-urlencoded"}, event: map[string]any{"body": "YT0x", "isBase64Encoded": true}},
		{facts: "body-base64", formats: both, method: "POST", body: "a=1", event: map[string]any{"body": "YT0x", "isBase64Encoded": true}},

		{facts: "authorizer-jwt", formats: "2.0", change: authorized(definition.AuthorizationJWT), headers: []string{"Authorization", "token"},
			event: map[string]any{"requestContext/authorizer/jwt/claims/n": "7", "requestContext/authorizer/jwt/claims/aud": "app", "requestContext/authorizer/jwt/scopes": nil}},
		{facts: "authorizer-jwt", formats: "1.0", change: authorized(definition.AuthorizationJWT), headers: []string{"Authorization", "Bearer token"}, event: map[string]any{"requestContext/authorizer/claims/n": "7"}},
		{facts: "authorizer-lambda", formats: "2.0", change: authorized(definition.AuthorizationCustom), headers: []string{"Auth", "yes"}, event: map[string]any{"requestContext/authorizer/lambda/k": "v"}},
		{facts: "authorizer-lambda", formats: "1.0", change: authorized(definition.AuthorizationCustom), headers: []string{"Auth", "yes"}, event: map[string]any{"requestContext/authorizer/k": "v"}},
		{facts: "authorizer-iam authorizer-cognito iam-arn", formats: "2.0", change: authorized(definition.AuthorizationIAM), target: "/allowed", signed: true,
			event: map[string]any{"requestContext/authorizer/iam/accessKey": "AKIDEXAMPLE", "requestContext/authorizer/iam/accountId": "123456789012",
				"requestContext/authorizer/iam/callerId": "AROA:CognitoIdentityCredentials", "requestContext/authorizer/iam/userId": "AROA:CognitoIdentityCredentials",
				"requestContext/authorizer/iam/userArn":                        "arn:aws:sts::123456789012:assumed-role/r/CognitoIdentityCredentials",
				"requestContext/authorizer/iam/principalOrgId":                 nil,
				"requestContext/authorizer/iam/cognitoIdentity/identityId":     "us-east-1:i",
				"requestContext/authorizer/iam/cognitoIdentity/identityPoolId": "us-east-1:p",
				"requestContext/authorizer/iam/cognitoIdentity/amr":            []any{"authenticated", "api.twitter.com", "api.twitter.com:us-east-1:p:9"}}},
		{facts: "authorizer-cognito", formats: "1.0", change: authorized(definition.AuthorizationIAM), target: "/allowed", signed: true,
			event: map[string]any{"requestContext/identity/cognitoIdentityId": "us-east-1:i", "requestContext/identity/cognitoAuthenticationType": "authenticated",
				"requestContext/identity/cognitoAmr": []any{"authenticated", "api.twitter.com", "api.twitter.com:us-east-1:p:9"}}},
		{facts: "iam-arn", formats: both, change: authorized(definition.AuthorizationIAM), target: "/denied", signed: true, status: 403, want: errorBody("Forbidden"), uncalled: true},
		{facts: "iam-unsigned error-form", formats: both, change: authorized(definition.AuthorizationIAM), target: "/allowed", status: 403, want: errorBody("Forbidden"), uncalled: true,
			header: map[string]string{"Content-Type": "application/json", "X-Amzn-Errortype": "", "Www-Authenticate": ""}},

		{facts: "answer-inferred", formats: "2.0", answer: `{"a": 1}`, want: `{"a": 1}`, header: map[string]string{"Content-Type": "application/json"}},
		{facts: "answer-string", formats: "2.0", answer: `"Hello"`, want: "Hello", header: map[string]string{"Content-Type": "application/json"}},
		{facts: "answer-text-plain", formats: both, answer: `{"statusCode":200,"body":"x"}`, want: "x", header: map[string]string{"Content-Type": "text/plain; charset=utf-8"}},
		{facts: "answer-204", formats: both, answer: `{"statusCode":204}`, status: 204, header: map[string]string{"Content-Type": ""}},
		{facts: "answer-cookies", formats: "2.0", answer: `{"statusCode":200,"cookies":["a=1","b=2"]}`, header: map[string]string{"Set-Cookie": "a=1|b=2"}},
		{facts: "answer-base64", formats: both, answer: `{"statusCode":200,"body":"aGk=","isBase64Encoded":true}`, want: "hi"},
		{facts: "answer-object", formats: "1.0", answer: `"Hello"`, status: 500, want: errorBody("Internal Server Error")},
		{facts: "answer-multi", formats: "1.0", answer: `{"statusCode":200,"multiValueHeaders":{"set-cookie":["a=1","b=2"]}}`, header: map[string]string{"Set-Cookie": "a=1|b=2"}},
		{facts: "answer-connection", formats: both, answer: `{"statusCode":200,"headers":{"connection":"close","transfer-encoding":"chunked","content-length":"99"},"body":"x"}`,
			want: "x", header: map[string]string{"Connection": "", "Transfer-Encoding": "", "Content-Length": ""}},

		{facts: "error-lambda", formats: both, answer: `{"errorMessage":"x"}`, failed: "Unhandled", status: 500, want: errorBody("Internal Server Error")},
		{facts: "error-malformed error-form", formats: both, answer: `{"statusCode":"x"}`, status: 500, want: errorBody("Internal Server Error"),
			header: map[string]string{"Content-Type": "application/json", "Apigw-Requestid": "MDEyMzQ1Njc4OWE=", "X-Amzn-Errortype": ""}},
		{facts: "error-permission", formats: both, target: "/unpermitted", change: routes("GET /unpermitted"), status: 500, want: errorBody("Internal Server Error"), uncalled: true},
		{facts: "error-late", formats: both, change: short, err: context.DeadlineExceeded, status: 503, want: errorBody("Service Unavailable")},
		{facts: "integration-limit", formats: both, change: func(a *definition.API) { a.Stages[0].Routes[0].Integration.Timeout = time.Hour }, limit: 30 * time.Second},
		{facts: "integration-limit", formats: both, change: short, limit: late},
		{facts: "error-throttled-function", formats: both, err: wire.Errorf(429, "TooManyRequestsException", "Rate Exceeded."), status: 503, want: errorBody("Service Unavailable")},
		{facts: "error-host", formats: both, target: "//nobody.test/", status: 403, want: errorBody("Forbidden"), uncalled: true},
		{facts: "jwt-missing", formats: both, change: authorized(definition.AuthorizationJWT), status: 401, want: errorBody("Unauthorized"), uncalled: true, header: map[string]string{"Www-Authenticate": "Bearer"}},
		{facts: "jwt-missing cors-errors", formats: both, change: all(authorized(definition.AuthorizationJWT), crossOrigin(credentials)), headers: []string{"Origin", "https://a.test"}, status: 401, uncalled: true,
			header: map[string]string{"Www-Authenticate": "Bearer", "Access-Control-Allow-Origin": "https://a.test", "Vary": "origin"}},
		{facts: "jwt-bad", formats: both, change: authorized(definition.AuthorizationJWT), headers: []string{"Authorization", "stranger"}, status: 401, want: errorBody("Unauthorized"), uncalled: true,
			header: map[string]string{"Www-Authenticate": `Bearer scope="" error="invalid_token" error_description="the token does not have a valid audience"`}},
		{facts: "jwt-scope", formats: both, change: all(authorized(definition.AuthorizationJWT), func(a *definition.API) { a.Stages[0].Routes[0].Scopes = []string{"s"} }), headers: []string{"Authorization", "token"},
			status: 403, want: errorBody("Forbidden"), uncalled: true,
			header: map[string]string{"Www-Authenticate": `Bearer scope="s" error="insufficient_scope" error_description="the token does not have a scope that the route asks for"`}},
		{facts: "request-source-missing", formats: both, change: authorized(definition.AuthorizationCustom), status: 401, want: errorBody("Unauthorized"), uncalled: true, header: map[string]string{"Www-Authenticate": ""}},
		{facts: "request-denied", formats: both, change: authorized(definition.AuthorizationCustom), headers: []string{"Auth", "no"}, status: 403, want: errorBody("Forbidden"), uncalled: true},
		{facts: "request-crash", formats: both, change: authorized(definition.AuthorizationCustom), headers: []string{"Auth", "crash"}, status: 500, want: errorBody("Internal Server Error"), uncalled: true},
		{facts: "throttle", formats: both, change: func(a *definition.API) { a.Stages[0].DefaultThrottle = throttle.Limit{Burst: &none} }, status: 429, want: errorBody("Too Many Requests"), uncalled: true},
		{facts: "body-limit", formats: both, method: "POST", body: strings.Repeat("x", MaxBody+1), status: 413, want: errorBody("Request Entity Too Large"), uncalled: true},
		{facts: "header-limit", formats: both, headers: []string{"X", strings.Repeat("x", 10240)}, status: headersTooLarge, uncalled: true},

		{facts: "cors-preflight", formats: both, change: all(routes("GET /a"), crossOrigin(credentials)), method: "OPTIONS", target: "/a", uncalled: true, status: 204,
			headers: []string{"Origin", "https://a.test", "Access-Control-Request-Method", "GET"}, header: map[string]string{"Access-Control-Allow-Origin": "https://a.test"}},
		{facts: "cors-preflight-both", formats: both, change: all(routes("GET /a"), crossOrigin(credentials)), method: "OPTIONS", target: "/a", uncalled: true, status: 404, headers: []string{"Origin", "https://a.test"}},
		{facts: "cors-added cors-dropped cors-echo", formats: both, change: crossOrigin(credentials), headers: []string{"Origin", "https://a.test"},
			answer: `{"statusCode":200,"headers":{"access-control-allow-origin":"https://evil.test"}}`,
			header: map[string]string{"Access-Control-Allow-Origin": "https://a.test", "Vary": "origin", "Access-Control-Allow-Credentials": "true"}},
		{facts: "cors-origin", formats: both, change: crossOrigin(credentials), header: map[string]string{"Access-Control-Allow-Origin": "", "Vary": ""}},
		{facts: "cors-wildcards", formats: both, change: crossOrigin(cors.Config{AllowOrigins: []string{"*"}}), headers: []string{"Origin", "https://b.test"}, header: map[string]string{"Access-Control-Allow-Origin": "*"}},
		{facts: "cors-wildcards", formats: both, change: crossOrigin(cors.Config{AllowOrigins: []string{"https://*"}}), headers: []string{"Origin", "http://b.test"}, header: map[string]string{"Access-Control-Allow-Origin": ""}},
	}
}

func TestFacts(t *testing.T) {
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	known := readFacts(t)
	named := map[string]bool{}
	for _, c := range factCases() {
		for _, fact := range strings.Fields(c.facts) {
			if named[fact] = true; !slices.Contains(known, fact) {
				t.Errorf("testdata/facts.txt has no fact %q", fact)
			}
		}
		for _, format := range strings.Fields(c.formats) {
			t.Run(strings.ReplaceAll(c.facts, " ", "+")+" "+format, func(t *testing.T) { c.run(t, format, issuerKey{rsaKey}) })
		}
	}
	for _, fact := range known {
		if !named[fact] {
			t.Errorf("no case names the fact %q", fact)
		}
	}
}

func readFacts(t *testing.T) (names []string) {
	t.Helper()
	text, err := os.ReadFile("testdata/facts.txt")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		if name, _, ok := strings.Cut(line, " "); ok && name != "#" {
			names = append(names, name)
		}
	}
	return names
}

func (c *factCase) run(t *testing.T, format string, key issuerKey) {
	w := &world{
		policy: `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"execute-api:Invoke","Resource":"arn:aws:execute-api:us-east-1:123456789012:a1/$default/GET/allowed"}]}`,
		deny:   "arn:aws:execute-api:us-east-1:123456789012:a1/$default/GET/unpermitted",
	}
	g := w.gateway(t)
	g.config.Transport = key
	called := false
	w.answer = func(payload []byte) ([]byte, string, error) {
		if strings.Contains(string(payload), `"type":"REQUEST"`) {
			return c.authorizer(payload)
		}
		called = true
		answer := c.answer
		if answer == "" {
			answer = answered
		}
		return []byte(answer), c.failed, c.err
	}
	a := one(definition.Route{Key: "$default", Integration: lambda(format)})
	if c.change != nil {
		c.change(&a)
	}
	put(t, g, a)
	g.PutDomain(definition.Domain{Name: "api.example.com", Mappings: []definition.Mapping{{Path: "v1", API: "a1", Stage: "$default"}}})
	got := c.ask(t, w, g, key)
	if c.status == 0 {
		c.status = 200
	}
	if got.Code != c.status || c.want != "" && got.Body.String() != c.want {
		t.Errorf("got %d %.200s, want %d %s", got.Code, got.Body, c.status, c.want)
	}
	if called == c.uncalled {
		t.Errorf("the function was called: %v", called)
	}
	for name, want := range c.header {
		if v := strings.Join(got.Header()[name], "|"); v != want {
			t.Errorf("%s is %q, want %q", name, v, want)
		}
	}
	if c.limit != 0 && (w.limit > c.limit || w.limit < c.limit-time.Second) {
		t.Errorf("the function had %v, want %v", w.limit, c.limit)
	}
	if called {
		c.compare(t, w, format)
	}
}

// authorizer answers for the Lambda authorizer by the identity source.
func (c *factCase) authorizer(payload []byte) ([]byte, string, error) {
	switch {
	case strings.Contains(string(payload), `"identitySource":["yes"]`):
		return []byte(`{"isAuthorized":true,"context":{"k":"v"}}`), "", nil
	case strings.Contains(string(payload), `"identitySource":["no"]`):
		return []byte(`{"isAuthorized":false}`), "", nil
	}
	return nil, "", errors.New("the authorizer crashed")
}

func (c *factCase) ask(t *testing.T, w *world, g *Gateway, key issuerKey) *httptest.ResponseRecorder {
	method, target := c.method, c.target
	if method == "" {
		method = "GET"
	}
	if target == "" {
		target = "/"
	}
	headers := slices.Clone(c.headers)
	if c.signed {
		headers = append(headers, sign(t, w, method, target, c.body)...)
	}
	for i, v := range headers {
		switch {
		case strings.HasSuffix(v, "token"):
			headers[i] = strings.TrimSuffix(v, "token") + key.token(t, w, nil)
		case v == "stranger":
			headers[i] = key.token(t, w, map[string]any{"aud": "another"})
		}
	}
	return ask(g, method, target, c.body, headers...)
}

// compare looks up what the case says of the event. "a|b" is a in format 2.0 and b in 1.0.
func (c *factCase) compare(t *testing.T, w *world, format string) {
	t.Helper()
	e := w.decoded(t)
	if e["version"] != format {
		t.Errorf("version %v", e["version"])
	}
	for path, want := range c.event {
		if two, one, ok := strings.Cut(path, "|"); ok {
			if path = two; format == "1.0" {
				path = one
			}
		}
		if diff := cmp.Diff(want, at(e, strings.Split(path, "/")...)); diff != "" {
			t.Errorf("%s: %s", path, diff)
		}
	}
}
