package gateway

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/seed-615d3599/roost/internal/region/httpapi/definition"
)

// TestEdges holds what clients and functions do seldom and frameworks rely on.
func TestEdges(t *testing.T) {
	long := "/" + strings.Repeat("x", 9000)
	cases := []struct {
		name, formats, method, target, body string
		headers                             []string
		answer                              string
		event                               map[string]any
		status                              int
		header                              map[string]string
	}{
		{name: "OPTIONS without CORS is a request", formats: both, method: "OPTIONS", headers: []string{"Origin", "https://a.test", "Access-Control-Request-Method", "PUT"},
			event: map[string]any{"requestContext/http/method|httpMethod": "OPTIONS"}, header: map[string]string{"Access-Control-Allow-Origin": ""}},
		{name: "HEAD", formats: both, method: "HEAD", event: map[string]any{"requestContext/http/method|httpMethod": "HEAD"}},
		{name: "a method of nobody's", formats: both, method: "PURGE", event: map[string]any{"requestContext/http/method|httpMethod": "PURGE"}},
		{name: "plus", formats: "2.0", method: "GET", target: "/a+b?q=a+b&r=a%2Bb",
			event: map[string]any{"rawPath": "/a+b", "rawQueryString": "q=a+b&r=a%2Bb", "queryStringParameters": map[string]any{"q": "a b", "r": "a+b"}}},
		{name: "odd queries", formats: "2.0", method: "GET", target: "/?&a&=b&a=%zz&c=1,2&c=3",
			event: map[string]any{"rawQueryString": "&a&=b&a=%zz&c=1,2&c=3", "queryStringParameters": map[string]any{"": "b", "a": ",%zz", "c": "1,2,3"}}},
		{name: "empty query", formats: "2.0", method: "GET", target: "/?", event: map[string]any{"rawQueryString": "", "queryStringParameters": nil}},
		{name: "slash in an encoded segment", formats: "2.0", method: "GET", target: "/a%2Fb", event: map[string]any{"rawPath": "/a/b"}},
		{name: "long path", formats: both, method: "GET", target: long, event: map[string]any{"rawPath|path": long}},
		{name: "cookies in two fields", formats: "2.0", method: "GET", headers: []string{"Cookie", "a=1;b=2", "Cookie", " c=3;"},
			event: map[string]any{"cookies": []any{"a=1", "b=2", "c=3"}, "headers/cookie": nil}},
		{name: "cookies in format 1.0", formats: "1.0", method: "GET", headers: []string{"Cookie", "a=1; b=2"}, event: map[string]any{"cookies": nil, "headers/cookie": "a=1; b=2"}},
		{name: "empty body", formats: "2.0", method: "POST", headers: []string{"Content-Type", "application/octet-stream"}, event: map[string]any{"body": nil, "isBase64Encoded": false}},
		{name: "text of another charset", formats: both, method: "POST", body: "x", headers: []string{"Content-Type", "TEXT/plain; charset=latin1"}, event: map[string]any{"body": "x", "isBase64Encoded": false}},
		{name: "problem documents are not JSON", formats: both, method: "POST", body: "{}", headers: []string{"Content-Type", "application/problem+json"}, event: map[string]any{"body": "e30=", "isBase64Encoded": true}},

		{name: "multi-values of the other format", formats: "2.0", method: "GET", answer: `{"statusCode":200,"multiValueHeaders":{"a":["1","2"]}}`, header: map[string]string{"A": ""}},
		{name: "cookies of the other format", formats: "1.0", method: "GET", answer: `{"statusCode":200,"cookies":["a=1"]}`, header: map[string]string{"Set-Cookie": ""}},
		{name: "numbers in headers", formats: both, method: "GET", answer: `{"statusCode":"200","headers":{"a":1.50,"b":false,"c":null}}`, header: map[string]string{"A": "1.50", "B": "false", "C": ""}},
		{name: "body an object", formats: both, method: "GET", answer: `{"statusCode":200,"body":{"a":1}}`, status: 500},
		{name: "bad base64", formats: both, method: "GET", answer: `{"statusCode":200,"body":"?","isBase64Encoded":true}`, status: 500},
		{name: "null", formats: "2.0", method: "GET", answer: `null`, header: map[string]string{"Content-Type": "application/json"}},
		{name: "null in format 1.0", formats: "1.0", method: "GET", answer: `null`, status: 500},
		{name: "its own request id", formats: both, method: "GET", answer: `{"statusCode":200,"headers":{"apigw-requestid":"mine"}}`, header: map[string]string{"Apigw-Requestid": "MDEyMzQ1Njc4OWE="}},
	}
	for _, c := range cases {
		for _, format := range strings.Fields(c.formats) {
			t.Run(c.name+" "+format, func(t *testing.T) {
				w := &world{}
				if c.answer != "" {
					w.answer = func([]byte) ([]byte, string, error) { return []byte(c.answer), "", nil }
				}
				g := w.gateway(t)
				put(t, g, one(definition.Route{Key: "$default", Integration: lambda(format)}))
				target := c.target
				if target == "" {
					target = "/"
				}
				got := ask(g, c.method, target, c.body, c.headers...)
				if want := max(c.status, 200); got.Code != want {
					t.Errorf("got %d %s, want %d", got.Code, got.Body, want)
				}
				for name, want := range c.header {
					if v := strings.Join(got.Header()[name], "|"); v != want {
						t.Errorf("%s is %q, want %q", name, v, want)
					}
				}
				(&factCase{event: c.event}).compare(t, w, format)
			})
		}
	}
}

// A verdict that says no is kept too, and a kept policy decides for each route.
func TestKeptVerdicts(t *testing.T) {
	asked := 0
	w := &world{}
	w.answer = func(payload []byte) ([]byte, string, error) {
		if !strings.Contains(string(payload), `"type":"REQUEST"`) {
			return []byte(`"hi"`), "", nil
		}
		asked++
		return []byte(`{"principalId":"me","policyDocument":{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"execute-api:*",
			"Resource":"arn:aws:execute-api:*:*:a1/*/GET/a*"},{"Effect":"Deny","Action":"*","Resource":"arn:aws:execute-api:*:*:*/GET/ab"}]}}`), "", nil
	}
	g := w.gateway(t)
	var table []definition.Route
	for _, key := range []string{"ANY /a", "GET /ab", "GET /b"} {
		table = append(table, definition.Route{Key: key, AuthorizationType: definition.AuthorizationCustom, AuthorizerID: "z", Integration: lambda("2.0")})
	}
	a := one(table...)
	a.Stages[0].Authorizers = []definition.Authorizer{{ID: "z", Type: definition.AuthorizerRequest, URI: fn + ":auth", PayloadVersion: "2.0",
		TTL: time.Minute, IdentitySources: []string{"$request.header.Auth"}}}
	put(t, g, a)
	var got []string
	for _, request := range []string{"GET /b", "GET /b", "GET /a", "POST /a", "GET /ab"} {
		method, path, _ := strings.Cut(request, " ")
		got = append(got, fmt.Sprintf("%s %d after %d", request, ask(g, method, path, "", "Auth", "x").Code, asked))
	}
	want := []string{"GET /b 403 after 1", "GET /b 403 after 1", "GET /a 200 after 1", "POST /a 403 after 1", "GET /ab 403 after 1"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// Stage variables choose where an integration leads, and mappings what it gets.
func TestProxyMappings(t *testing.T) {
	backend := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(len(r.URL.Query()["status"]) + 200)
		fmt.Fprint(w, r.Method+" "+r.RequestURI)
	}))
	defer backend.Close()
	w := &world{}
	g := w.gateway(t)
	i := &definition.Integration{Type: definition.IntegrationHTTPProxy, Method: "POST", URI: backend.URL + "/${stageVariables.part}/{id}",
		RequestParameters:  map[string]string{"append:querystring.stage": "$stageVariables.part", "overwrite:querystring.q": "$request.header.q"},
		ResponseParameters: map[string]map[string]string{"201": {"append:header.x": "created", "overwrite:statuscode": "202"}}}
	moved := *i
	moved.RequestParameters = map[string]string{"overwrite:path": "/moved/${request.path.id}"}
	a := one(definition.Route{Key: "GET /a/{id}", Integration: i}, definition.Route{Key: "GET /b/{id}", Integration: &moved})
	a.Stages[0].Variables = map[string]string{"part": "v1"}
	other := a.Stages[0]
	other.Name, other.Variables = "none", nil
	a.Stages = append(a.Stages, other)
	put(t, g, a)
	wantAnswer(t, ask(g, "GET", "/a/7?q=1", "", "Q", "x y"), 200, "POST /v1/7?stage=v1&q=x+y")
	got := ask(g, "GET", "/a/7?status=1", "")
	wantAnswer(t, got, 202, "POST /v1/7?status=1&stage=v1")
	if v := got.Header().Get("X"); v != "created" {
		t.Errorf("x is %q", v)
	}
	wantAnswer(t, ask(g, "GET", "/b/7?q=1", ""), 200, "POST /moved/7?q=1")
	wantAnswer(t, ask(g, "GET", "/none/a/7", ""), 500, `{"message":"Internal Server Error"}`)
}
