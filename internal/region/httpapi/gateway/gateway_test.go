package gateway

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/seed-615d3599/roost/internal/region/httpapi/cors"
	"github.com/seed-615d3599/roost/internal/region/httpapi/definition"
	"github.com/seed-615d3599/roost/internal/region/httpapi/throttle"
	"github.com/seed-615d3599/roost/internal/region/wire"
)

func TestStagesAndPaths(t *testing.T) {
	w := &world{}
	g := w.gateway(t)
	routes := []definition.Route{{Key: "GET /items/{id}", Integration: lambda("2.0")}, {Key: "$default", Integration: lambda("2.0")}}
	put(t, g, definition.API{ID: "a1", Stages: []definition.Stage{
		{Name: "$default", Routes: routes}, {Name: "dev", Routes: routes, Variables: map[string]string{"v": "1"}}}})
	put(t, g, definition.API{ID: "a2", Stages: []definition.Stage{{Name: "only", Routes: routes}}})
	g.PutDomain(definition.Domain{Name: "Api.Example.com", Mappings: []definition.Mapping{{Path: "", API: "a1", Stage: "$default"}, {Path: "v1/shop", API: "a1", Stage: "dev"}}})
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

// Domains that were made before an API, or were let in by older rules, do not take its names over.
func TestDomainsTakeNoAPIOver(t *testing.T) {
	w := &world{}
	g := w.gateway(t)
	put(t, g, one(definition.Route{Key: "GET /items", Integration: lambda("2.0")}))
	names := []string{"a1.localhost", "a1.execute-api.localhost", "a1.execute-api.us-east-1.localhost", "a1.execute-api.us-east-1.amazonaws.com"}
	for _, name := range append(names, "*.localhost", "b.localhost") {
		g.PutDomain(definition.Domain{Name: name, Mappings: []definition.Mapping{{API: "evil", Stage: "$default"}}})
	}
	for _, name := range names {
		if id, found := g.LookupHost(name + ":4000"); id != "a1" || !found {
			t.Errorf("%s is %q, %v", name, id, found)
		}
		wantAnswer(t, ask(g, "GET", "//"+name+"/items", ""), 200, "hi")
	}
	if id, found := g.LookupHost("b.localhost"); id != "" || !found {
		t.Errorf("another name is %q, %v", id, found)
	}
}

func TestMappedPathOfFormat1(t *testing.T) {
	w := &world{}
	g := w.gateway(t)
	put(t, g, one(definition.Route{Key: "GET /items", Integration: lambda("1.0")}))
	g.PutDomain(definition.Domain{Name: "api.example.com", Mappings: []definition.Mapping{{Path: "v1", API: "a1", Stage: "$default"}}})
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
	put(t, g, one(definition.Route{Key: "POST /", Integration: lambda("2.0")}))
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
		{"function error", func([]byte) ([]byte, string, error) {
			return []byte(`{"errorType":"Function.TooLarge"}`), "Unhandled", nil
		}, false, 500, internal, "failed (Function.TooLarge)"},
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
			put(t, g, one(definition.Route{Key: "ANY /x", Integration: lambda("2.0")}))
			got := ask(g, "GET", "/x", "")
			wantAnswer(t, got, c.status, c.body)
			if h := got.Header(); h.Get("Content-Type") != "application/json" || len(h.Get("Apigw-Requestid")) != 16 || h.Get("X-Amzn-Errortype") != "" {
				t.Errorf("headers %v", h)
			}
			if len(w.refusals) != 1 || !strings.Contains(w.refusals[0].Reason, c.reason) || w.refusals[0].RequestID != got.Header().Get("Apigw-Requestid") {
				t.Errorf("recorded %+v", w.refusals)
			}
			var notes []string
			if c.name == "malformed answer" { // of which the function itself cannot know
				notes = []string{fn + " API Gateway answered the request " + got.Header().Get("Apigw-Requestid") +
					" to ANY /x with 500: statusCode of the function's answer cannot be used: it is not a whole number: x"}
			}
			if diff := cmp.Diff(notes, w.notes); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// A debugger that holds a function stops the clock of who waits for it.
func TestTimeStandsStillUnderADebugger(t *testing.T) {
	const limit = 20 * time.Millisecond
	asked, free := make(chan struct{}), make(chan struct{})
	held := func(arn string) bool {
		select {
		case asked <- struct{}{}:
		case <-free:
		}
		select {
		case <-free:
			return false
		default:
			return arn == fn
		}
	}
	integration := lambda("2.0")
	integration.Timeout = limit
	functions := &heldFunctions{free: make(chan struct{})}
	g := new(world).gateway(t, func(c *Config) { c.Held, c.Functions = held, functions })
	put(t, g, one(definition.Route{Key: "GET /", Integration: integration}))

	answer := make(chan *httptest.ResponseRecorder)
	go func() { answer <- ask(g, "GET", "/", "") }()
	for range 3 { // the limit is over, again and again
		<-asked
	}
	close(functions.free)
	wantAnswer(t, <-answer, 200, "late")

	functions.free = nil
	go func() { answer <- ask(g, "GET", "/", "") }()
	<-asked
	close(free)
	wantAnswer(t, <-answer, 503, `{"message":"Service Unavailable"}`)
}

// heldFunctions answer when they are let free.
type heldFunctions struct{ free chan struct{} }

func (f *heldFunctions) Invoke(ctx context.Context, _ string, _ []byte) ([]byte, string, error) {
	select {
	case <-f.free:
		return []byte(`"late"`), "", nil
	case <-ctx.Done():
		return nil, "", ctx.Err()
	}
}

func (f *heldFunctions) MayInvoke(string, string, string) error { return nil }

func TestLimits(t *testing.T) {
	w := &world{}
	g := w.gateway(t)
	put(t, g, one(definition.Route{Key: "$default", Integration: lambda("2.0")}))
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
	a := one(definition.Route{Key: "GET /a", Integration: lambda("2.0")}, definition.Route{Key: "GET /b", Integration: lambda("2.0")}, definition.Route{Key: "GET /c", Integration: lambda("2.0")})
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

func TestAccountThrottle(t *testing.T) {
	w := &world{}
	rate, burst := 2.0, 3
	g := w.gateway(t, func(c *Config) { c.AccountThrottle = throttle.Limit{Rate: &rate, Burst: &burst} })
	put(t, g, one(definition.Route{Key: "GET /a", Integration: lambda("2.0")}, definition.Route{Key: "GET /b", Integration: lambda("2.0")}))
	for i, path := range []string{"/a", "/b", "/a", "/b"} {
		want := 200
		if i == burst {
			want = 429
		}
		if got := ask(g, "GET", path, ""); got.Code != want {
			t.Errorf("request %d got %d, want %d", i, got.Code, want)
		}
	}
	w.now = w.now.Add(500 * time.Millisecond)
	for _, want := range []int{200, 429} {
		if got := ask(g, "GET", "/a", ""); got.Code != want {
			t.Errorf("half a second later got %d, want %d", got.Code, want)
		}
	}
}

func TestServed(t *testing.T) {
	var got []Served
	w := &world{}
	w.answer = func([]byte) ([]byte, string, error) {
		w.now = w.now.Add(12 * time.Millisecond)
		return []byte(`{"statusCode":201}`), "", nil
	}
	g := w.gateway(t, func(c *Config) { c.Served = func(s Served) { got = append(got, s) } })
	put(t, g, one(definition.Route{Key: "GET /a/{id}", Integration: lambda("2.0")}))
	at := w.now
	var ids []string
	for _, target := range []string{"/a/1%20?q=2", "/b", "//nobody.test/c?d"} {
		ids = append(ids, ask(g, "GET", target, "").Header().Get("Apigw-Requestid"))
	}
	later := at.Add(12 * time.Millisecond)
	want := []Served{
		{Time: at, RequestID: ids[0], API: "a1", Stage: "$default", RouteKey: "GET /a/{id}", Method: "GET", Path: "/a/1 ", Status: 201, Took: 12 * time.Millisecond},
		{Time: later, RequestID: ids[1], API: "a1", Stage: "$default", Method: "GET", Path: "/b", Status: 404, Reason: "no route matches GET /b"},
		{Time: later, RequestID: ids[2], Method: "GET", Path: "/c", Status: 403, Reason: "no API has this host name"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestCORS(t *testing.T) {
	w := &world{answer: func([]byte) ([]byte, string, error) {
		return []byte(`{"statusCode":200,"headers":{"Access-Control-Allow-Origin":"https://evil.test","x":"y"}}`), "", nil
	}}
	g := w.gateway(t)
	age := 300
	a := one(definition.Route{Key: "GET /", Integration: lambda("2.0")})
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
	put(t, g, one(definition.Route{Key: "ANY /files/{proxy+}", Integration: &definition.Integration{
		Type: definition.IntegrationHTTPProxy, Method: "ANY", URI: backend.URL + "/base/{proxy}",
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
	a := one(definition.Route{Key: "POST /x", AuthorizationType: definition.AuthorizationIAM, Integration: lambda("2.0")})
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
	auth := func(a definition.Authorizer) definition.API {
		api := one(definition.Route{Key: "GET /", Integration: lambda("2.0")})
		a.ID = "z"
		api.Stages[0].Authorizers = []definition.Authorizer{a}
		return api
	}
	jwtOf := definition.Authorizer{Type: definition.AuthorizerJWT, IdentitySources: []string{"$request.header.Authorization"}, Issuer: "https://x.test", Audience: []string{"a"}}
	with := func(change func(*definition.Authorizer)) definition.API { a := jwtOf; change(&a); return auth(a) }
	cases := map[string]definition.API{
		"route twice":           one(definition.Route{Key: "GET /a"}, definition.Route{Key: "GET /a"}),
		"unknown authorization": one(definition.Route{Key: "GET /a", AuthorizationType: "OPEN"}),
		"authorizer missing":    one(definition.Route{Key: "GET /a", AuthorizationType: definition.AuthorizationJWT, AuthorizerID: "none"}),
		"no function":           one(definition.Route{Key: "GET /a", Integration: &definition.Integration{Type: definition.IntegrationAWSProxy, URI: "x", PayloadVersion: "2.0"}}),
		"payload version":       one(definition.Route{Key: "GET /a", Integration: lambda("3.0")}),
		"integration type":      one(definition.Route{Key: "GET /a", Integration: &definition.Integration{Type: "MOCK"}}),
		"no URL":                one(definition.Route{Key: "GET /a", Integration: &definition.Integration{Type: definition.IntegrationHTTPProxy, URI: "ftp://x"}}),
		"mapping":               one(definition.Route{Key: "GET /a", Integration: &definition.Integration{Type: definition.IntegrationAWSProxy, URI: fn, PayloadVersion: "2.0", RequestParameters: map[string]string{"append:header.authorization": "x"}}}),
		"issuer in the clear":   with(func(a *definition.Authorizer) { a.Issuer = "http://x.test" }),
		"no audience":           with(func(a *definition.Authorizer) { a.Audience = nil }),
		"no identity source":    with(func(a *definition.Authorizer) { a.IdentitySources = nil }),
		"authorizer type":       with(func(a *definition.Authorizer) { a.Type = "TOKEN" }),
		"authorizer function":   auth(definition.Authorizer{Type: definition.AuthorizerRequest, URI: "x", PayloadVersion: "2.0"}),
		"simple in 1.0":         auth(definition.Authorizer{Type: definition.AuthorizerRequest, URI: fn, PayloadVersion: "1.0", SimpleResponses: true}),
		"cache without source":  auth(definition.Authorizer{Type: definition.AuthorizerRequest, URI: fn, PayloadVersion: "2.0", TTL: time.Second}),
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
