package gateway

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/seed-615d3599/roost/iam"
	"github.com/seed-615d3599/roost/internal/region/httpapi/definition"
	"github.com/seed-615d3599/roost/internal/region/wire"
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
	notes    []string
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
func (w *world) gateway(t testing.TB, change ...func(*Config)) *Gateway {
	t.Helper()
	w.now = time.UnixMilli(1583348638390)
	c := Config{
		Account: "123456789012", Region: "us-east-1", Functions: w, Access: w, Logs: w, Refusals: w,
		Note: func(arn, line string) { w.notes = append(w.notes, arn+" "+line) },
		Now:  func() time.Time { return w.now },
		Rand: strings.NewReader(strings.Repeat("0123456789abcdef", 1<<16)),
	}
	for _, f := range change {
		f(&c)
	}
	g, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	return g
}

// lambda is an integration with the test's function.
func lambda(version string) *definition.Integration {
	return &definition.Integration{Type: definition.IntegrationAWSProxy, URI: fn, PayloadVersion: version}
}

// one is an API with the $default stage of those routes.
func one(routes ...definition.Route) definition.API {
	return definition.API{ID: "a1", Stages: []definition.Stage{{Name: "$default", Routes: routes}}}
}

func put(t testing.TB, g *Gateway, a definition.API) {
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
