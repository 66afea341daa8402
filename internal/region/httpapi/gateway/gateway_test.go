package gateway

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/seed-615d3599/roost/iam"
	"github.com/seed-615d3599/roost/internal/region/httpapi/cors"
	"github.com/seed-615d3599/roost/internal/region/httpapi/throttle"
	"github.com/seed-615d3599/roost/internal/region/wire"
	"github.com/seed-615d3599/roost/sigv4"
)

const fn = "arn:aws:lambda:us-east-1:123456789012:function:f"

// world is everything around a gateway, in a test.
type world struct {
	mu       sync.Mutex
	answer   func(payload []byte) ([]byte, string, error)
	event    []byte   // the last payload
	asked    []string // source ARNs that MayInvoke was asked about
	deny     string   // a source ARN that is not permitted
	calls    int
	lines    []string
	refusals []Refusal
	policy   string
	now      time.Time
	limit    time.Duration // that the last call had
}

func (w *world) Invoke(ctx context.Context, arn string, payload []byte) ([]byte, string, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if at, ok := ctx.Deadline(); ok {
		w.limit = time.Until(at)
	}
	w.calls++
	w.event = bytes.Clone(payload)
	if w.answer == nil {
		return []byte(`{"statusCode":200,"headers":{"content-type":"text/plain"},"body":"hi"}`), "", nil
	}
	return w.answer(payload)
}

func (w *world) MayInvoke(arn, principal, source string) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.asked = append(w.asked, source)
	if principal != "apigateway.amazonaws.com" || source == w.deny {
		return errors.New("no statement allows it")
	}
	return nil
}

func (w *world) Key(_ context.Context, id, token string) (string, *wire.Caller, error) {
	if id != "AKIDEXAMPLE" {
		return "", nil, wire.Errorf(403, "UnrecognizedClientException", "The security token included in the request is invalid.")
	}
	return "secret", &wire.Caller{
		Account: "123456789012", ARN: "arn:aws:sts::123456789012:assumed-role/r/CognitoIdentityCredentials",
		UserID: "AROA:CognitoIdentityCredentials", AccessKeyID: id, RoleARN: "arn:aws:iam::123456789012:role/r",
		Cognito: &wire.CognitoIdentity{IdentityID: "us-east-1:i", PoolID: "us-east-1:p", AMR: []string{"authenticated", "api.twitter.com", "api.twitter.com:us-east-1:p:9"}},
	}, nil
}

func (w *world) Decide(c *wire.Caller, action, resource string, conditions iam.Context, trace *iam.Trace) iam.Decision {
	policy, err := iam.Parse([]byte(w.policy))
	if err != nil {
		return iam.Decision{}
	}
	return iam.Decide(iam.Request{
		Principal: iam.Principal{Kind: iam.AssumedRole, ARN: c.ARN, RoleARN: c.RoleARN, Account: c.Account},
		Action:    action, Resource: resource, Context: conditions,
	}, iam.Policies{Identity: []iam.Attached{{Name: "p", Policy: policy}}}, trace)
}

func (w *world) Log(group string, _ time.Time, line string) {
	w.lines = append(w.lines, group+" "+line)
}

func (w *world) Refused(r Refusal) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.refusals = append(w.refusals, r)
}

// gateway returns a gateway in that world.
func (w *world) gateway(t testing.TB) *Gateway {
	t.Helper()
	w.now = time.UnixMilli(1583348638390)
	g, err := New(Config{
		Account: "123456789012", Region: "us-east-1", Functions: w, Access: w, Logs: w, Refusals: w,
		Now:  func() time.Time { return w.now },
		Rand: strings.NewReader(strings.Repeat("0123456789abcdef", 1<<16)),
	})
	if err != nil {
		t.Fatal(err)
	}
	return g
}

// lambda is an integration with the test's function.
func lambda(version string) *Integration {
	return &Integration{Type: IntegrationAWSProxy, URI: fn, PayloadVersion: version}
}

// one is an API with the $default stage of those routes.
func one(routes ...Route) API {
	return API{ID: "a1", Stages: []Stage{{Name: "$default", Routes: routes}}}
}

func put(t testing.TB, g *Gateway, a API) {
	t.Helper()
	if err := g.Put(a); err != nil {
		t.Fatal(err)
	}
}

// ask sends a request to the API a1, unless the target names a host of its own.
func ask(g *Gateway, method, target string, body string, headers ...string) *httptest.ResponseRecorder {
	host := "a1.execute-api.us-east-1.amazonaws.com"
	if rest, ok := strings.CutPrefix(target, "//"); ok {
		host, target, _ = strings.Cut(rest, "/")
		target = "/" + target
	}
	r := httptest.NewRequest(method, "/", strings.NewReader(body))
	r.RequestURI, r.Host, r.RemoteAddr = target, host, "192.0.2.7:999"
	if body != "" {
		r.Header.Set("Content-Length", strconv.Itoa(len(body)))
	}
	for i := 0; i < len(headers); i += 2 {
		r.Header.Add(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	g.ServeHTTP(w, r)
	return w
}

func (w *world) decoded(t testing.TB) map[string]any {
	t.Helper()
	var m map[string]any
	if err := json.Unmarshal(w.event, &m); err != nil {
		t.Fatalf("%v in %s", err, w.event)
	}
	return m
}

// at follows a path of members.
func at(m any, path ...string) any {
	for _, p := range path {
		members, _ := m.(map[string]any)
		m = members[p]
	}
	return m
}

func wantAnswer(t *testing.T, got *httptest.ResponseRecorder, status int, body string) {
	t.Helper()
	if got.Code != status || got.Body.String() != body {
		t.Errorf("got %d %s, want %d %s", got.Code, got.Body, status, body)
	}
}

func TestStagesAndPaths(t *testing.T) {
	w := &world{}
	g := w.gateway(t)
	routes := []Route{{Key: "GET /items/{id}", Integration: lambda("2.0")}, {Key: "$default", Integration: lambda("2.0")}}
	put(t, g, API{ID: "a1", Stages: []Stage{
		{Name: "$default", Routes: routes}, {Name: "dev", Routes: routes, Variables: map[string]string{"v": "1"}}}})
	put(t, g, API{ID: "a2", Stages: []Stage{{Name: "only", Routes: routes}}})
	g.PutDomain(Domain{Name: "Api.Example.com", Mappings: []Mapping{{"", "a1", "$default"}, {"v1/shop", "a1", "dev"}}})
	cases := []struct {
		target, stage, routeKey, rawPath, id, source string
	}{
		{"/items/7", "$default", "GET /items/{id}", "/items/7", "7", "a1/$default/GET/items/{id}"},
		{"/dev/items/7", "dev", "GET /items/{id}", "/dev/items/7", "7", "a1/dev/GET/items/{id}"},
		{"/dev", "dev", "$default", "/dev", "", "a1/dev/$default"},
		{"/device/1", "$default", "$default", "/device/1", "", "a1/$default/$default"},
		{"/$default/items/7", "$default", "$default", "/$default/items/7", "", "a1/$default/$default"},
		{"/items/a%20b%C3%BC", "$default", "GET /items/{id}", "/items/a bü", "a bü", "a1/$default/GET/items/{id}"},
		{"/items/a%2Fb", "$default", "$default", "/items/a/b", "", "a1/$default/$default"},
		{"/items/7%3Fx", "$default", "GET /items/{id}", "/items/7", "7", "a1/$default/GET/items/{id}"},
		{"//api.example.com/items/7", "$default", "GET /items/{id}", "/items/7", "7", "a1/$default/GET/items/{id}"},
		{"//api.example.com/v1/shop/items/7", "dev", "GET /items/{id}", "/items/7", "7", "a1/dev/GET/items/{id}"},
		{"//api.example.com/v1/shop", "dev", "$default", "/", "", "a1/dev/$default"},
		{"//api.example.com/v1/shopping", "$default", "$default", "/v1/shopping", "", "a1/$default/$default"},
		{"//a2.localhost:4000/only/items/7", "only", "GET /items/{id}", "/only/items/7", "7", "a2/only/GET/items/{id}"},
	}
	for _, c := range cases {
		t.Run(c.target, func(t *testing.T) {
			w.asked = nil
			wantAnswer(t, ask(g, "GET", c.target, ""), 200, "hi")
			e := w.decoded(t)
			got := []any{at(e, "requestContext", "stage"), e["routeKey"], e["rawPath"], at(e, "requestContext", "http", "path"), at(e, "pathParameters", "id")}
			want := []any{c.stage, c.routeKey, c.rawPath, c.rawPath, nil}
			if c.id != "" {
				want[4] = c.id
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Error(diff)
			}
			if len(w.asked) != 1 || w.asked[0] != "arn:aws:execute-api:us-east-1:123456789012:"+c.source {
				t.Errorf("source ARN %v", w.asked)
			}
		})
	}
	if v := at(w.decoded(t), "stageVariables"); v != nil {
		t.Errorf("stage variables %v", v)
	}
	ask(g, "GET", "/dev/items/7", "")
	if v := at(w.decoded(t), "stageVariables", "v"); v != "1" {
		t.Errorf("stage variable %v", v)
	}
	for _, target := range []string{"//a2.localhost/", "//a2.localhost/items/7"} {
		wantAnswer(t, ask(g, "GET", target, ""), 404, `{"message":"Not Found"}`)
	}
	for _, target := range []string{"//nobody.example.com/", "//a9.execute-api.us-east-1.amazonaws.com/", "//a1.execute-api.eu-west-1.amazonaws.com/"} {
		wantAnswer(t, ask(g, "GET", target, ""), 403, `{"message":"Forbidden"}`)
	}
	wantAnswer(t, ask(g, "GET", "/%zz", ""), 400, `{"message":"Bad Request"}`)
}

func TestMappedPathOfFormat1(t *testing.T) {
	w := &world{}
	g := w.gateway(t)
	put(t, g, one(Route{Key: "GET /items", Integration: lambda("1.0")}))
	g.PutDomain(Domain{Name: "api.example.com", Mappings: []Mapping{{"v1", "a1", "$default"}}})
	ask(g, "GET", "//api.example.com/v1/items", "")
	e := w.decoded(t)
	if e["path"] != "/v1/items" || at(e, "requestContext", "path") != "/v1/items" || e["resource"] != "/items" {
		t.Errorf("got %s", w.event)
	}
	if at(e, "requestContext", "domainName") != "api.example.com" || at(e, "requestContext", "domainPrefix") != "api" {
		t.Errorf("got %s", w.event)
	}
}

func TestEventHeaders(t *testing.T) {
	w := &world{}
	g := w.gateway(t)
	put(t, g, one(Route{Key: "POST /", Integration: lambda("2.0")}))
	ask(g, "POST", "/?a=1&a=2", "x=1", "Content-Type", "application/x-www-form-urlencoded", "X-Forwarded-For", "1.2.3.4",
		"X-Forwarded-Proto", "gopher", "Connection", "keep-alive", "X-A", "1", "X-A", "2", "Cookie", "c=1; d=2")
	e := w.decoded(t)
	want := map[string]any{
		"content-length": "3", "content-type": "application/x-www-form-urlencoded", "x-a": "1,2",
		"host": "a1.execute-api.us-east-1.amazonaws.com", "x-forwarded-for": "1.2.3.4, 192.0.2.7",
		"x-forwarded-port": "80", "x-forwarded-proto": "http",
		"x-amzn-trace-id": "Root=1-5e5ffb9e-626364656630313233343536",
	}
	if diff := cmp.Diff(want, e["headers"]); diff != "" {
		t.Error(diff)
	}
	if e["body"] != "eD0x" || e["isBase64Encoded"] != true {
		t.Errorf("form data is %v %v", e["body"], e["isBase64Encoded"])
	}
	if diff := cmp.Diff([]any{"c=1", "d=2"}, e["cookies"]); diff != "" {
		t.Error(diff)
	}
	ask(g, "POST", "/", "", "X-Amzn-Trace-Id", "Root=1-5759e988-bd862e3fe1be46a994272793")
	if v := at(w.decoded(t), "headers", "x-amzn-trace-id"); v != "Root=1-5759e988-bd862e3fe1be46a994272793" {
		t.Errorf("trace id %v", v)
	}
	if v := at(w.decoded(t), "headers", "content-length"); v != "0" {
		t.Errorf("content-length %v", v)
	}
}

func TestErrors(t *testing.T) {
	const internal, unavailable = `{"message":"Internal Server Error"}`, `{"message":"Service Unavailable"}`
	cases := []struct {
		name   string
		answer func([]byte) ([]byte, string, error)
		deny   bool
		status int
		body   string
		reason string
	}{
		{"function error", func([]byte) ([]byte, string, error) { return []byte(`{"errorType":"x"}`), "Unhandled", nil }, false, 500, internal, "failed"},
		{"malformed answer", func([]byte) ([]byte, string, error) { return []byte(`{"statusCode":"x"}`), "", nil }, false, 500, internal, "statusCode"},
		{"no permission", nil, true, 500, internal, "AWS::Lambda::Permission"},
		{"no such function", func([]byte) ([]byte, string, error) {
			return nil, "", wire.Errorf(404, "ResourceNotFoundException", "Function not found")
		}, false, 500, internal, "Function not found"},
		{"throttled function", func([]byte) ([]byte, string, error) {
			return nil, "", wire.Errorf(429, "TooManyRequestsException", "Rate Exceeded.")
		}, false, 503, unavailable, "throttled"},
		{"late function", func([]byte) ([]byte, string, error) { return nil, "", context.DeadlineExceeded }, false, 503, unavailable, "time limit"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			w := &world{answer: c.answer}
			g := w.gateway(t)
			if c.deny {
				w.deny = "arn:aws:execute-api:us-east-1:123456789012:a1/$default/GET/x"
			}
			put(t, g, one(Route{Key: "ANY /x", Integration: lambda("2.0")}))
			got := ask(g, "GET", "/x", "")
			wantAnswer(t, got, c.status, c.body)
			if h := got.Header(); h.Get("Content-Type") != "application/json" || len(h.Get("Apigw-Requestid")) != 16 || h.Get("X-Amzn-Errortype") != "" {
				t.Errorf("headers %v", h)
			}
			if len(w.refusals) != 1 || !strings.Contains(w.refusals[0].Reason, c.reason) || w.refusals[0].RequestID != got.Header().Get("Apigw-Requestid") {
				t.Errorf("recorded %+v", w.refusals)
			}
		})
	}
}

func TestLimits(t *testing.T) {
	w := &world{}
	g := w.gateway(t)
	put(t, g, one(Route{Key: "$default", Integration: lambda("2.0")}))
	wantAnswer(t, ask(g, "POST", "/", strings.Repeat("x", MaxBody+1)), 413, `{"message":"Request Entity Too Large"}`)
	if got := ask(g, "POST", "/", strings.Repeat("x", MaxBody)); got.Code != 200 {
		t.Errorf("10 MB: %d", got.Code)
	}
	wantAnswer(t, ask(g, "GET", "/", "", "X-Long", strings.Repeat("x", maxHeaderValues)), 431, `{"message":"Request Header Fields Too Large"}`)
	if got := ask(g, "GET", "/", "", "X-Long", strings.Repeat("x", maxHeaderValues-200)); got.Code != 200 {
		t.Errorf("under the header limit: %d", got.Code)
	}
}

func TestThrottle(t *testing.T) {
	w := &world{}
	g := w.gateway(t)
	rate, burst, none := 2.0, 3, 0
	a := one(Route{Key: "GET /a", Integration: lambda("2.0")}, Route{Key: "GET /b", Integration: lambda("2.0")}, Route{Key: "GET /c", Integration: lambda("2.0")})
	a.Stages[0].DefaultThrottle = throttle.Limit{Rate: &rate, Burst: &burst}
	a.Stages[0].Throttles = map[string]throttle.Limit{"GET /c": {Burst: &none}}
	put(t, g, a)
	for i, want := range []int{200, 200, 200, 429} {
		if got := ask(g, "GET", []string{"/a", "/b"}[i%2], ""); got.Code != want {
			t.Errorf("request %d: %d", i, got.Code)
		}
	}
	wantAnswer(t, ask(g, "GET", "/a", ""), 429, `{"message":"Too Many Requests"}`)
	w.now = w.now.Add(500 * time.Millisecond)
	if got := ask(g, "GET", "/a", ""); got.Code != 200 {
		t.Errorf("a token later: %d", got.Code)
	}
	if got := ask(g, "GET", "/c", ""); got.Code != 429 {
		t.Errorf("a burst of none: %d", got.Code)
	}
}

func TestCORS(t *testing.T) {
	w := &world{answer: func([]byte) ([]byte, string, error) {
		return []byte(`{"statusCode":200,"headers":{"Access-Control-Allow-Origin":"https://evil.test","x":"y"}}`), "", nil
	}}
	g := w.gateway(t)
	age := 300
	a := one(Route{Key: "GET /", Integration: lambda("2.0")})
	a.Stages[0].CORS = &cors.Config{AllowOrigins: []string{"https://A.test", "http://*"}, AllowMethods: []string{"GET", "POST"},
		AllowHeaders: []string{"Authorization", "*"}, ExposeHeaders: []string{"Date", "X-Api-Id"}, AllowCredentials: true, MaxAge: &age}
	put(t, g, a)
	a.ID, a.Stages[0].CORS = "a2", &cors.Config{AllowOrigins: []string{"*"}}
	put(t, g, a)
	const allow, methods, credentials = "Access-Control-Allow-Origin", "Access-Control-Allow-Methods", "Access-Control-Allow-Credentials"
	cases := []struct {
		name, method, target string
		headers              []string
		status               int
		want                 map[string]string
	}{
		{"preflight without a route", "OPTIONS", "/any", []string{"Origin", "https://a.test", "Access-Control-Request-Method", "POST"}, 204,
			map[string]string{allow: "https://a.test", methods: "GET,POST", "Access-Control-Allow-Headers": "authorization,*", "Access-Control-Max-Age": "300", credentials: "true", "Vary": "origin", "Access-Control-Expose-Headers": "", "Content-Type": ""}},
		{"preflight of a stranger", "OPTIONS", "/", []string{"Origin", "https://b.test", "Access-Control-Request-Method", "POST"}, 204, map[string]string{allow: "", methods: ""}},
		{"OPTIONS without method is no preflight", "OPTIONS", "/", []string{"Origin", "https://a.test"}, 404, map[string]string{allow: "https://a.test", methods: ""}},
		{"OPTIONS without origin is no preflight", "OPTIONS", "/", []string{"Access-Control-Request-Method", "GET"}, 404, map[string]string{allow: ""}},
		{"request", "GET", "/", []string{"Origin", "https://a.test"}, 200,
			map[string]string{allow: "https://a.test", "Access-Control-Expose-Headers": "date,x-api-id", credentials: "true", "Vary": "origin", "X": "y", methods: ""}},
		{"scheme wildcard", "GET", "/", []string{"Origin", "http://b.test"}, 200, map[string]string{allow: "http://b.test"}},
		{"request of a stranger", "GET", "/", []string{"Origin", "https://b.test"}, 200, map[string]string{allow: ""}},
		{"no origin", "GET", "/", nil, 200, map[string]string{allow: "", "Vary": ""}},
		{"error", "GET", "/none", []string{"Origin", "https://a.test"}, 404, map[string]string{allow: "https://a.test"}},
		{"any origin", "GET", "//a2.localhost/", []string{"Origin", "https://b.test"}, 200, map[string]string{allow: "*", "Vary": "", credentials: ""}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			got := ask(g, c.method, c.target, "", c.headers...)
			if got.Code != c.status {
				t.Errorf("status %d, want %d", got.Code, c.status)
			}
			for name, want := range c.want {
				if v := got.Header().Get(name); v != want {
					t.Errorf("%s is %q, want %q", name, v, want)
				}
			}
		})
	}
}

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
	put(t, g, one(Route{Key: "ANY /{p+}", AuthorizationType: AuthorizationIAM, Integration: lambda("2.0")},
		Route{Key: "GET /one/{p+}", AuthorizationType: AuthorizationIAM, Integration: lambda("1.0")}))
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
			a := one(Route{Key: "GET /x", AuthorizationType: AuthorizationCustom, AuthorizerID: "z", Integration: lambda("2.0")})
			a.Stages[0].Authorizers = []Authorizer{{ID: "z", Type: AuthorizerRequest, URI: fn + ":auth", PayloadVersion: c.version, SimpleResponses: c.simple}}
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
	a := one(Route{Key: "GET /x", AuthorizationType: AuthorizationCustom, AuthorizerID: "z", Integration: lambda("2.0")},
		Route{Key: "GET /y", AuthorizationType: AuthorizationCustom, AuthorizerID: "z", Integration: lambda("2.0")})
	a.Stages[0].Authorizers = []Authorizer{{ID: "z", Type: AuthorizerRequest, URI: fn, PayloadVersion: "2.0", SimpleResponses: true,
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
	a := one(Route{Key: "GET /x", AuthorizationType: AuthorizationJWT, AuthorizerID: "j", Integration: lambda("2.0")})
	a.Stages[0].Authorizers = []Authorizer{{ID: "j", Type: AuthorizerJWT, IdentitySources: []string{"$request.header.Authorization"},
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

func TestProxy(t *testing.T) {
	backend := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Add("Set-Cookie", "a=1")
		w.Header().Add("Set-Cookie", "b=2")
		w.Header().Set("X-Amzn-RequestId", "backend-id")
		w.WriteHeader(418)
		fmt.Fprintf(w, "%s %s m=%s gone=%q for=%q", r.Method, r.RequestURI, r.Header.Get("Mapped"), r.Header.Get("Gone"), r.Header.Get("Forwarded"))
	}))
	defer backend.Close()
	w := &world{}
	g := w.gateway(t)
	put(t, g, one(Route{Key: "ANY /files/{proxy+}", Integration: &Integration{
		Type: IntegrationHTTPProxy, Method: "ANY", URI: backend.URL + "/base/{proxy}",
		RequestParameters: map[string]string{"overwrite:header.mapped": "x-${request.path.proxy}", "remove:header.gone": "''",
			"append:querystring.id": "$context.requestId", "remove:querystring.q": "''"},
		ResponseParameters: map[string]map[string]string{"418": {"overwrite:statuscode": "200", "append:header.tea": "$response.header.x-amzn-requestid"}},
	}}))
	got := ask(g, "PUT", "/files/a/../b%20c?q=1&r=2", "body", "Gone", "x")
	want := `PUT /base/a/%2E%2E/b%20c?r=2&id=MDEyMzQ1Njc4OWE%3D m=x-a/../b c gone="" for="by=127.0.0.1;for=192.0.2.7;host=a1.execute-api.us-east-1.amazonaws.com;proto=http"`
	wantAnswer(t, got, 200, want)
	if got.Header().Get("Tea") != "backend-id" || len(got.Header()["Set-Cookie"]) != 2 {
		t.Errorf("headers %v", got.Header())
	}
	backend.Close()
	wantAnswer(t, ask(g, "GET", "/files/a", ""), 503, `{"message":"Service Unavailable"}`)
}

func TestAccessLog(t *testing.T) {
	w := &world{policy: `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}`}
	g := w.gateway(t)
	a := one(Route{Key: "POST /x", AuthorizationType: AuthorizationIAM, Integration: lambda("2.0")})
	a.Stages[0].AccessLogGroup = "arn:logs"
	names := []string{"accountId", "apiId", "dataProcessed", "domainName", "domainPrefix", "error.message", "error.messageString",
		"error.responseType", "extendedRequestId", "httpMethod", "identity.accountId", "identity.caller", "identity.cognitoAuthenticationProvider",
		"identity.cognitoAuthenticationType", "identity.cognitoIdentityId", "identity.cognitoIdentityPoolId", "identity.principalOrgId",
		"identity.sourceIp", "identity.user", "identity.userAgent", "identity.userArn", "integration.error", "integration.integrationStatus",
		"integration.latency", "integration.status", "integrationErrorMessage", "integrationLatency", "integrationStatus", "path", "protocol",
		"requestId", "requestTime", "requestTimeEpoch", "responseLatency", "responseLength", "routeKey", "stage", "status", "customDomain.basePathMatched"}
	a.Stages[0].AccessLogFormat = "$context." + strings.Join(names, " $context.")
	put(t, g, a)
	ask(g, "POST", "/x", "{}", append(sign(t, w, "POST", "/x", "{}"), "User-Agent", "curl")...)
	want := "arn:logs 123456789012 a1 4 a1.execute-api.us-east-1.amazonaws.com a1 - - - MDEyMzQ1Njc4OWE= POST 123456789012 AROA:CognitoIdentityCredentials " +
		"api.twitter.com,api.twitter.com:us-east-1:p:9 authenticated us-east-1:i us-east-1:p - 192.0.2.7 AROA:CognitoIdentityCredentials curl " +
		"arn:aws:sts::123456789012:assumed-role/r/CognitoIdentityCredentials - 200 0 200 - 0 200 /x HTTP/1.1 MDEyMzQ1Njc4OWE= " +
		"04/Mar/2020:19:03:58 +0000 1583348638390 0 2 POST /x $default 200 -"
	if diff := cmp.Diff([]string{want}, w.lines); diff != "" {
		t.Error(diff)
	}
	w.lines = nil
	ask(g, "GET", "/y", "")
	if len(w.lines) != 1 || !strings.Contains(w.lines[0], ` Not Found "Not Found" NOT_FOUND `) || !strings.HasSuffix(w.lines[0], " - $default 404 -") {
		t.Errorf("logged %q", w.lines)
	}
}

func TestPutRefuses(t *testing.T) {
	g := (&world{}).gateway(t)
	auth := func(a Authorizer) API {
		api := one(Route{Key: "GET /", Integration: lambda("2.0")})
		a.ID = "z"
		api.Stages[0].Authorizers = []Authorizer{a}
		return api
	}
	jwtOf := Authorizer{Type: AuthorizerJWT, IdentitySources: []string{"$request.header.Authorization"}, Issuer: "https://x.test", Audience: []string{"a"}}
	with := func(change func(*Authorizer)) API { a := jwtOf; change(&a); return auth(a) }
	cases := map[string]API{
		"route twice":           one(Route{Key: "GET /a"}, Route{Key: "GET /a"}),
		"unknown authorization": one(Route{Key: "GET /a", AuthorizationType: "OPEN"}),
		"authorizer missing":    one(Route{Key: "GET /a", AuthorizationType: AuthorizationJWT, AuthorizerID: "none"}),
		"no function":           one(Route{Key: "GET /a", Integration: &Integration{Type: IntegrationAWSProxy, URI: "x", PayloadVersion: "2.0"}}),
		"payload version":       one(Route{Key: "GET /a", Integration: lambda("3.0")}),
		"integration type":      one(Route{Key: "GET /a", Integration: &Integration{Type: "MOCK"}}),
		"no URL":                one(Route{Key: "GET /a", Integration: &Integration{Type: IntegrationHTTPProxy, URI: "ftp://x"}}),
		"mapping":               one(Route{Key: "GET /a", Integration: &Integration{Type: IntegrationAWSProxy, URI: fn, PayloadVersion: "2.0", RequestParameters: map[string]string{"append:header.authorization": "x"}}}),
		"issuer in the clear":   with(func(a *Authorizer) { a.Issuer = "http://x.test" }),
		"no audience":           with(func(a *Authorizer) { a.Audience = nil }),
		"no identity source":    with(func(a *Authorizer) { a.IdentitySources = nil }),
		"authorizer type":       with(func(a *Authorizer) { a.Type = "TOKEN" }),
		"authorizer function":   auth(Authorizer{Type: AuthorizerRequest, URI: "x", PayloadVersion: "2.0"}),
		"simple in 1.0":         auth(Authorizer{Type: AuthorizerRequest, URI: fn, PayloadVersion: "1.0", SimpleResponses: true}),
		"cache without source":  auth(Authorizer{Type: AuthorizerRequest, URI: fn, PayloadVersion: "2.0", TTL: time.Second}),
	}
	for name, a := range cases {
		if err := g.Put(a); err == nil {
			t.Errorf("%s was taken", name)
		}
	}
	if err := g.Put(auth(jwtOf)); err != nil {
		t.Error(err)
	}
}
