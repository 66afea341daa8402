package guests

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"maps"
	"mime/multipart"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// request is what a client sends.
type request struct {
	method, path string // path with the query, as on the wire
	header       http.Header
	body         []byte
}

// guestCase is a request with what every guest answers, whatever it is made with.
type guestCase struct {
	name string
	request
	status  int
	json    string            // the body; "" for any
	body    []byte            // its bytes; nil for any
	header  map[string]string // fields with several values joined by a comma and a space
	cookies map[string]string
	not     []string // guests that have no such route
}

func field(name string, values ...string) http.Header { return http.Header{name: values} }

// everyByte is what no text holds.
func everyByte() []byte {
	b := make([]byte, 256)
	for i := range b {
		b[i] = byte(i)
	}
	return b
}

// described is what guests say of an upload of all bytes.
func described(kind string) string {
	sum := sha256.Sum256(everyByte())
	return `{"type":"` + kind + `","length":256,"sha256":"` + hex.EncodeToString(sum[:]) + `"}`
}

const formType = "application/x-www-form-urlencoded"

var cases = []guestCase{
	{
		name:    "query with one value each",
		request: request{path: "/query?b=x+y&c=%26%C3%AB%3D&d="},
		status:  200, json: `{"b":["x y"],"c":["&ë="],"d":[""]}`,
	},
	{
		name:    "query with several values",
		request: request{path: "/query?a=1&b=3&a=2"},
		status:  200, json: `{"a":["1","2"],"b":["3"]}`,
	},
	{name: "no query", request: request{path: "/query"}, status: 200, json: `{}`},
	{
		name:    "cookies",
		request: request{path: "/cookies", header: field("Cookie", "theme=dark; lang=de")},
		status:  200, json: `{"theme":"dark","lang":"de"}`, cookies: map[string]string{"one": "1", "two": "2"},
	},
	{name: "no cookies", request: request{path: "/cookies"}, status: 200, json: `{}`, cookies: map[string]string{"one": "1", "two": "2"}},
	{
		name:    "upload of bytes",
		request: request{method: "POST", path: "/upload", header: field("Content-Type", "application/octet-stream"), body: everyByte()},
		status:  200, json: described("application/octet-stream"),
	},
	{
		name:    "upload of a form with a file",
		request: fileForm(),
		status:  200, json: described("bytes.bin"), not: []string{"express", "fastify", "powertools"},
	},
	{
		name:    "form",
		request: request{method: "POST", path: "/form", header: field("Content-Type", formType), body: []byte("name=Zo%C3%AB+%26+co")},
		status:  200, json: `{"name":["Zoë & co"]}`,
	},
	{
		name:    "text",
		request: request{method: "POST", path: "/text", header: field("Content-Type", "text/plain"), body: []byte("żółw \"\\\u2028\n")},
		status:  200, body: []byte("żółw \"\\\u2028\n"),
	},
	{
		name:    "download of bytes",
		request: request{path: "/download"},
		status:  200, body: everyByte(), header: map[string]string{"Content-Type": "application/octet-stream"},
	},
	{
		name:    "compressed download",
		request: request{path: "/squeezed", header: field("Accept-Encoding", "gzip")},
		status:  200, body: []byte(strings.Repeat("squeezed ", 100)), header: map[string]string{"Content-Encoding": "gzip"},
	},
	{name: "redirect", request: request{path: "/redirect"}, status: 302, header: map[string]string{"Location": "/query?from=redirect"}},
	{name: "path parameter", request: request{path: "/items/42"}, status: 200, json: `{"id":"42"}`},
	{name: "path parameter with encoded characters", request: request{path: "/items/Zo%C3%AB%20%26%20co%3B"}, status: 200, json: `{"id":"Zoë & co;"}`},
	{name: "no content", request: request{method: "DELETE", path: "/items/42"}, status: 204, body: []byte{}},
	{name: "head", request: request{method: "HEAD", path: "/head"}, status: 200, body: []byte{}, header: map[string]string{"X-Head": "yes"}},
	{name: "fresh", request: request{path: "/cached"}, status: 200, json: `"fresh"`, header: map[string]string{"ETag": `"v1"`}},
	{
		name:    "not modified",
		request: request{path: "/cached", header: field("If-None-Match", `"v1"`)},
		status:  304, body: []byte{}, header: map[string]string{"ETag": `"v1"`},
	},
	{
		name:    "field sent twice",
		request: request{path: "/tags", header: field("X-Tag", "a", "b")},
		status:  200, json: `["a","b"]`, header: map[string]string{"X-Got": "a, b"},
	},
	{name: "no such route", request: request{path: "/missing"}, status: 404},
}

// fileForm uploads all bytes as browsers do.
func fileForm() request {
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	file, _ := form.CreateFormFile("file", "bytes.bin") // a buffer takes all
	file.Write(everyByte())
	form.Close()
	return request{method: "POST", path: "/file", header: field("Content-Type", form.FormDataContentType()), body: body.Bytes()}
}

// send sends it and follows no redirects.
func (r request) send(t *testing.T, endpoint string) (*http.Response, []byte) {
	t.Helper()
	sent, err := http.NewRequestWithContext(t.Context(), r.method, endpoint+r.path, bytes.NewReader(r.body))
	if err != nil {
		t.Fatal(err)
	}
	sent.Header = http.Header{"User-Agent": {"guests"}}
	maps.Copy(sent.Header, r.header)
	client := http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	got, err := client.Do(sent)
	if err != nil {
		t.Fatal(err)
	}
	defer got.Body.Close()
	var content io.Reader = got.Body
	if got.Header.Get("Content-Encoding") == "gzip" {
		if content, err = gzip.NewReader(got.Body); err != nil {
			t.Fatal(err)
		}
	}
	body, err := io.ReadAll(content)
	if err != nil {
		t.Fatal(err)
	}
	return got, body
}

func (c guestCase) run(t *testing.T, endpoint string) {
	got, body := c.send(t, endpoint)
	if got.StatusCode != c.status {
		t.Fatalf("status %d, want %d\n%s", got.StatusCode, c.status, body)
	}
	if c.json != "" {
		if diff := cmp.Diff(value(t, []byte(c.json)), value(t, body)); diff != "" {
			t.Errorf("body (-want +got)\n%s", diff)
		}
	}
	if c.body != nil && !bytes.Equal(body, c.body) {
		t.Errorf("body %q, want %q", body, c.body)
	}
	for name, want := range c.header {
		if joined := strings.Join(got.Header.Values(name), ", "); strings.ReplaceAll(joined, ", ", ",") != strings.ReplaceAll(want, ", ", ",") {
			t.Errorf("%s: %q, want %q", name, joined, want)
		}
	}
	if c.cookies != nil {
		c.checkCookies(t, got)
	}
	if got.Header.Get("Apigw-Requestid") == "" {
		t.Error("the answer has no apigw-requestid")
	}
}

// checkCookies also looks for an attribute that one of them has.
func (c guestCase) checkCookies(t *testing.T, got *http.Response) {
	t.Helper()
	set := map[string]string{}
	for _, one := range got.Cookies() {
		set[one.Name] = one.Value
		if one.HttpOnly != (one.Name == "two") {
			t.Errorf("cookie %s: HttpOnly is %t", one.Name, one.HttpOnly)
		}
	}
	if diff := cmp.Diff(c.cookies, set); diff != "" {
		t.Errorf("cookies (-want +got)\n%s", diff)
	}
}

// value decodes JSON.
func value(t *testing.T, data []byte) any {
	t.Helper()
	var v any
	if err := json.Unmarshal(data, &v); err != nil {
		t.Fatalf("%v\n%s", err, data)
	}
	return v
}

// event is what guests tell about the event that they got.
type event struct {
	Format, Account, API, Stage, Route, RequestID, Method, Path, Protocol, IP, UserAgent string

	Time int64
}

// checkEvent compares what a framework shows of the event's requestContext.
func checkEvent(t *testing.T, endpoint, format string) {
	answer, body := request{path: "/event?a=b"}.send(t, endpoint)
	var got event
	if err := json.Unmarshal(body, &got); err != nil {
		t.Fatalf("%v\n%s", err, body)
	}
	if age := time.Since(time.UnixMilli(got.Time)); age < -time.Second || age > time.Minute {
		t.Errorf("the time is off by %v", age)
	}
	if got.API == "" {
		t.Error("the event has no API")
	}
	got.API, got.Time = "", 0
	want := event{Format: format, Account: "123456789012", Stage: "$default", Route: "$default", Method: "GET", Path: "/event",
		Protocol: "HTTP/1.1", IP: "127.0.0.1", UserAgent: "guests", RequestID: answer.Header.Get("Apigw-Requestid")}
	if format == "1.0" {
		want.Route = "ANY /{proxy+}"
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("event (-want +got)\n%s", diff)
	}
}

// knowsStages reports whether a framework takes the name of a stage off the
// path by itself. The others have to be told, on AWS as here.
func knowsStages(guest, format string) bool {
	switch guest + " " + format {
	case "express 1.0", "fastify 1.0", "powertools 2.0":
		return true
	}
	return false
}

// checkStage calls through a stage with a name, which is part of the path.
func checkStage(t *testing.T, endpoint string, known bool) {
	c := guestCase{request: request{path: "/prod/query?a=1"}, status: 404}
	if known {
		c.status, c.json = 200, `{"a":["1"]}`
	}
	c.run(t, endpoint)
}
