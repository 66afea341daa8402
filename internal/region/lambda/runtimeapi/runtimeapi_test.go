package runtimeapi_test

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/seed-615d3599/roost/internal/region/lambda/runtimeapi"
)

// recorder is told what a runtime does.
type recorder struct {
	ready    chan struct{}
	outcomes chan runtimeapi.Outcome
}

func (r *recorder) Ready()                                              { r.ready <- struct{}{} }
func (r *recorder) InitError(out runtimeapi.Outcome)                    { r.outcomes <- out }
func (r *recorder) Done(_ *runtimeapi.Invocation, o runtimeapi.Outcome) { r.outcomes <- o }

// client is a runtime that sends exactly the bytes it is told to.
type client struct {
	t       testing.TB
	session *runtimeapi.Session
	events  *recorder
	conn    net.Conn
	in      *bufio.Reader
}

func start(t testing.TB) *client {
	t.Helper()
	events := &recorder{ready: make(chan struct{}, 100), outcomes: make(chan runtimeapi.Outcome, 100)}
	session, err := runtimeapi.Listen(events)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(session.Close)
	c := &client{t: t, session: session, events: events}
	c.dial()
	return c
}

func (c *client) dial() {
	c.t.Helper()
	conn, err := net.Dial("tcp", c.session.Addr())
	if err != nil {
		c.t.Fatal(err)
	}
	c.t.Cleanup(func() { conn.Close() })
	if err := conn.SetDeadline(time.Now().Add(20 * time.Second)); err != nil {
		c.t.Fatal(err)
	}
	c.conn, c.in = conn, bufio.NewReader(conn)
}

func (c *client) send(text string) {
	c.t.Helper()
	if _, err := io.WriteString(c.conn, text); err != nil {
		c.t.Fatal(err)
	}
}

func (c *client) answer() (int, string, http.Header) {
	c.t.Helper()
	response, err := http.ReadResponse(c.in, nil)
	if err != nil {
		c.t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		c.t.Fatal(err)
	}
	return response.StatusCode, strings.TrimSpace(string(body)), response.Header
}

const next = "GET /2018-06-01/runtime/invocation/next HTTP/1.1\r\nHost: x\r\n\r\n"

func post(target, body string, headers ...string) string {
	return fmt.Sprintf("POST /2018-06-01/runtime/%s HTTP/1.1\r\nHost: x\r\n%sContent-Length: %d\r\n\r\n%s", target, strings.Join(headers, ""), len(body), body)
}

// running brings the client to where it works on an invocation with the id "1".
func (c *client) running(inv *runtimeapi.Invocation) {
	c.t.Helper()
	c.send(next)
	<-c.events.ready
	if inv == nil {
		inv = &runtimeapi.Invocation{RequestID: "1", InvokedFunctionARN: "arn", Deadline: time.UnixMilli(1700000000123), Payload: []byte(`{"a":1}`)}
	}
	if err := c.session.Dispatch(inv); err != nil {
		c.t.Fatal(err)
	}
	status, body, header := c.answer()
	if status != 200 || body != string(inv.Payload) || header.Get("Lambda-Runtime-Aws-Request-Id") != "1" {
		c.t.Fatalf("got %d %s %v", status, body, header)
	}
}

func TestNextHeaders(t *testing.T) {
	c := start(t)
	c.send(next)
	<-c.events.ready
	err := c.session.Dispatch(&runtimeapi.Invocation{RequestID: "1", InvokedFunctionARN: "arn:f", TraceID: "Root=1", Deadline: time.UnixMilli(5),
		ClientContext: "a\r\nX: y", Payload: []byte(`{}`)})
	if err != nil {
		t.Fatal(err)
	}
	_, _, header := c.answer()
	for name, want := range map[string]string{"Lambda-Runtime-Deadline-Ms": "5", "Lambda-Runtime-Invoked-Function-Arn": "arn:f",
		"Lambda-Runtime-Trace-Id": "Root=1", "Lambda-Runtime-Client-Context": "aX: y", "Content-Type": "application/json"} {
		if got := header.Get(name); got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
	if _, there := header["Lambda-Runtime-Cognito-Identity"]; there {
		t.Error("an empty header is sent")
	}
}

func TestStatesAndErrors(t *testing.T) {
	const (
		badID = `{"errorMessage":"Invalid request ID","errorType":"InvalidRequestID"}`
		ok    = `{"status":"OK"}`
	)
	transition := func(from, to string) string {
		return `{"errorMessage":"State transition from ` + from + ` to ` + to + ` failed for runtime. Error: State transition is not allowed","errorType":"InvalidStateTransition"}`
	}
	tests := []struct {
		name   string
		during func(*client) // brings the client into the state
		send   string
		status int
		body   string
	}{
		{"response before next", nil, post("invocation/1/response", "x"), 400, badID},
		{"response", (*client).first, post("invocation/1/response", "x"), 202, ok},
		{"wrong id", (*client).first, post("invocation/2/response", "x"), 400, badID},
		{"error", (*client).first, post("invocation/1/error", "x"), 202, ok},
		{"wrong id of an error", (*client).first, post("invocation/2/error", "x"), 400, badID},
		{"second response", (*client).answered, post("invocation/1/response", "x"), 403, transition("RuntimeResponseSentState", "InvocationResponse")},
		{"error after the response", (*client).answered, post("invocation/1/error", "x"), 403, transition("RuntimeResponseSentState", "InvocationErrorResponse")},
		{"init error", nil, post("init/error", "x"), 202, ok},
		{"init error while running", (*client).first, post("init/error", "x"), 403, transition("Running", "InitError")},
		{"next again", (*client).first, next, 200, `{"a":1}`},
		{"response mode", (*client).first, post("invocation/1/response", "x", "Lambda-Runtime-Function-Response-Mode: x\r\n"), 400, `{"errorMessage":"Invalid function response mode","errorType":"InvalidFunctionResponseMode"}`},
		{"too large", (*client).first, post("invocation/1/response", strings.Repeat("x", runtimeapi.MaxPayload+1)), 413, `{"errorMessage":"Exceeded maximum allowed payload size (6291556 bytes).","errorType":"RequestEntityTooLarge"}`},
		{"other path", nil, "GET /x HTTP/1.1\r\n\r\n", 404, `{"errorMessage":"not found: /x: only the Runtime API 2018-06-01 is served here; extensions, logs and telemetry are not","errorType":"NotFound"}`},
		{"extensions", nil, post("../../2020-01-01/extension/register", "{}"), 404, `{"errorMessage":"not found: /2018-06-01/runtime/../../2020-01-01/extension/register","errorType":"NotFound"}`},
		{"method", nil, post("invocation/next", ""), 405, `{"errorMessage":"use GET","errorType":"MethodNotAllowed"}`},
		{"no HTTP", nil, "rubbish\r\n\r\n", 400, `{"errorMessage":"malformed HTTP request","errorType":"BadRequest"}`},
		{"two lengths", nil, "GET / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\nx", 400, `{"errorMessage":"malformed HTTP request","errorType":"BadRequest"}`},
		{"length and chunks", nil, "GET / HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400, `{"errorMessage":"malformed HTTP request","errorType":"BadRequest"}`},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			c := start(t)
			if test.during != nil {
				test.during(c)
			}
			c.send(test.send)
			status, body, _ := c.answer()
			if status != test.status || body != test.body {
				t.Errorf("got %d %s\nwant %d %s", status, body, test.status, test.body)
			}
		})
	}
}

func (c *client) first() { c.running(nil) }

func (c *client) answered() {
	c.running(nil)
	c.send(post("invocation/1/response", "x"))
	c.answer()
	<-c.events.outcomes
}

func TestOutcomes(t *testing.T) {
	chunked := func(body string) string {
		return "POST /2018-06-01/runtime/invocation/1/response HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n" + body
	}
	tests := []struct {
		name, send string
		want       runtimeapi.Outcome
	}{
		{"response", post("invocation/1/response", "hello", "Content-Type: text/plain\r\n"), runtimeapi.Outcome{Payload: []byte("hello"), ContentType: "text/plain"}},
		{"chunks", chunked("5\r\nhello\r\n6;x=y\r\n world\r\n0\r\n\r\n"), runtimeapi.Outcome{Payload: []byte("hello world")}},
		{"trailers", chunked("2\r\nhe\r\n0\r\nLambda-Runtime-Function-Error-Type: Function.Oops\r\nLambda-Runtime-Function-Error-Body: eyJhIjoxfQ==\r\n\r\n"),
			runtimeapi.Outcome{Payload: []byte(`{"a":1}`), ContentType: "application/json", Failed: true, ErrorType: "Function.Oops"}},
		{"error", post("invocation/1/error", "{}", "Lambda-Runtime-Function-Error-Type: Runtime.Bad\r\n"), runtimeapi.Outcome{Payload: []byte("{}"), ContentType: "application/json", Failed: true, ErrorType: "Runtime.Bad"}},
		{"odd error type", post("invocation/1/error", "{}", "Lambda-Runtime-Function-Error-Type: what ever\r\n"), runtimeapi.Outcome{Payload: []byte("{}"), ContentType: "application/json", Failed: true, ErrorType: "Function.Unknown"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			c := start(t)
			c.running(nil)
			c.send(test.send)
			if status, body, _ := c.answer(); status != 202 {
				t.Errorf("got %d %s", status, body)
			}
			got := <-c.events.outcomes
			if !bytes.Equal(got.Payload, test.want.Payload) || got.ContentType != test.want.ContentType || got.Failed != test.want.Failed || got.ErrorType != test.want.ErrorType {
				t.Errorf("got %s %+v", got.Payload, got)
			}
		})
	}
}

func TestABrokenResponseIsAnError(t *testing.T) {
	c := start(t)
	c.running(nil)
	c.send("POST /2018-06-01/runtime/invocation/1/response HTTP/1.1\r\nContent-Length: 100\r\n\r\nhalf")
	c.conn.Close()
	if got := <-c.events.outcomes; !got.Failed || got.ErrorType != "Runtime.TruncatedResponse" {
		t.Errorf("got %+v", got)
	}
}

func TestStreamingPassesPartsOn(t *testing.T) {
	c := start(t)
	parts := make(chan string, 10)
	c.running(&runtimeapi.Invocation{RequestID: "1", Payload: []byte("{}"), Stream: func(_ string, part []byte) error {
		parts <- string(part)
		return nil
	}})
	c.send("POST /2018-06-01/runtime/invocation/1/response HTTP/1.1\r\nTransfer-Encoding: chunked\r\nLambda-Runtime-Function-Response-Mode: streaming\r\n\r\n3\r\none\r\n")
	if got := <-parts; got != "one" { // while the response goes on
		t.Errorf("got %s", got)
	}
	c.send("3\r\ntwo\r\n0\r\n\r\n")
	c.answer()
	if out := <-c.events.outcomes; !out.Streamed || len(out.Payload) != 0 || <-parts != "two" {
		t.Errorf("got %+v", out)
	}
}

func TestPipelinedAndSplitRequests(t *testing.T) {
	c := start(t)
	c.running(nil)
	for _, piece := range strings.SplitAfter(post("invocation/1/response", "hello")+next, "") {
		c.send(piece)
	}
	c.answer()
	if out := <-c.events.outcomes; string(out.Payload) != "hello" {
		t.Errorf("got %s", out.Payload)
	}
	<-c.events.ready
}

func TestDispatchToNobody(t *testing.T) {
	c := start(t)
	if err := c.session.Dispatch(&runtimeapi.Invocation{}); err != runtimeapi.ErrNotReady {
		t.Errorf("got %v", err)
	}
}

// A browser that is sent here by some page gets no invocation, and takes none away.
func TestWebPages(t *testing.T) {
	for name, headers := range map[string]string{
		"a name that has come to mean this machine": "Host: evil.example:4000\r\n",
		"one that looks like an address":            "Host: 127.0.0.1.evil.example\r\n",
		"a script of another site":                  "Host: 127.0.0.1\r\nOrigin: http://evil.example\r\n",
		"a picture of another site":                 "Host: localhost:1\r\nSec-Fetch-Site: cross-site\r\n",
	} {
		t.Run(name, func(t *testing.T) {
			c := start(t)
			c.send("GET /2018-06-01/runtime/invocation/next HTTP/1.1\r\n" + headers + "\r\n")
			if status, body, _ := c.answer(); status != 403 || !strings.Contains(body, "Forbidden") {
				t.Errorf("got %d %s", status, body)
			}
			if len(c.events.ready) > 0 {
				t.Error("it counts as the runtime")
			}
		})
	}
	for _, host := range []string{"127.0.0.1:4000", "[::1]:4000", "LOCALHOST:4000", "10.0.0.1", "machine", ""} {
		c := start(t)
		c.send("GET /2018-06-01/runtime/invocation/next HTTP/1.1\r\nHost: " + host + "\r\nSec-Fetch-Mode: cors\r\n\r\n")
		<-c.events.ready
	}
}
