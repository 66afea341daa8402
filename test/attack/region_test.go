package attack

import (
	"bufio"
	"bytes"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/seed-615d3599/roost/internal/region"
	"github.com/seed-615d3599/roost/sigv4"
)

// credentials are an access key.
type credentials = sigv4.Credentials

// target is a region with an API: alice may call GET /public, bob GET /private.
type target struct {
	t       *testing.T
	region  *region.Region
	skew    atomic.Int64 // nanoseconds by which the region's clock is ahead
	api     string       // host and port of the API
	apiID   string
	backend *httptest.Server
	admin   sigv4.Credentials
	alice   sigv4.Credentials
	bob     sigv4.Credentials

	mu   sync.Mutex
	hits []string // "GET /private", what the backend got
}

func newTarget(t *testing.T) *target {
	t.Helper()
	g := &target{t: t}
	g.backend = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		g.mu.Lock()
		g.hits = append(g.hits, r.Method+" "+r.URL.Path)
		g.mu.Unlock()
		io.WriteString(w, "inside")
	}))
	var err error
	g.region, err = region.Start(t.Context(), region.Config{
		Dir: t.TempDir(), Now: func() time.Time { return time.Now().Add(time.Duration(g.skew.Load())) },
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := g.region.Close(); err != nil {
			t.Error(err)
		}
		g.backend.Close()
	})
	g.admin = sigv4.Credentials{AccessKeyID: g.region.AccessKeyID, SecretAccessKey: g.region.SecretAccessKey}
	g.makeAPI()
	g.alice = g.user("alice", "GET/public")
	g.bob = g.user("bob", "GET/private")
	return g
}

// makeAPI makes an API whose routes want signatures, but for /open.
func (g *target) makeAPI() {
	var api struct{ APIID, APIEndpoint string }
	g.rest("POST", "/v2/apis", map[string]any{"name": "target", "protocolType": "HTTP"}, &api)
	endpoint, err := url.Parse(api.APIEndpoint)
	if err != nil {
		g.t.Fatal(err)
	}
	g.api, g.apiID = endpoint.Host, api.APIID
	for _, route := range []string{"GET /private", "DELETE /private", "POST /private", "GET /public", "GET /open", "GET /admin/{proxy+}"} {
		_, path, _ := strings.Cut(route, " ")
		var integration struct{ IntegrationID string }
		g.rest("POST", "/v2/apis/"+g.apiID+"/integrations", map[string]any{
			"integrationType": "HTTP_PROXY", "integrationMethod": "ANY", "integrationUri": g.backend.URL + strings.Replace(path, "{proxy+}", "x", 1), "payloadFormatVersion": "1.0",
		}, &integration)
		authorization := "AWS_IAM"
		if path == "/open" {
			authorization = "NONE"
		}
		g.rest("POST", "/v2/apis/"+g.apiID+"/routes", map[string]any{
			"routeKey": route, "authorizationType": authorization, "target": "integrations/" + integration.IntegrationID,
		}, nil)
	}
	g.rest("POST", "/v2/apis/"+g.apiID+"/stages", map[string]any{"stageName": "$default", "autoDeploy": true}, nil)
}

// user makes a user who may call a method and path of the API.
func (g *target) user(name, methodAndPath string) sigv4.Credentials {
	g.query("iam", url.Values{"Action": {"CreateUser"}, "Version": {"2010-05-08"}, "UserName": {name}}, nil)
	g.query("iam", url.Values{"Action": {"PutUserPolicy"}, "Version": {"2010-05-08"}, "UserName": {name}, "PolicyName": {"may"}, "PolicyDocument": {
		`{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"execute-api:Invoke","Resource":"arn:aws:execute-api:us-east-1:123456789012:` + g.apiID + `/$default/` + methodAndPath + `"}}`,
	}}, nil)
	var made struct {
		ID     string `xml:"CreateAccessKeyResult>AccessKey>AccessKeyId"`
		Secret string `xml:"CreateAccessKeyResult>AccessKey>SecretAccessKey"`
	}
	g.query("iam", url.Values{"Action": {"CreateAccessKey"}, "Version": {"2010-05-08"}, "UserName": {name}}, &made)
	return sigv4.Credentials{AccessKeyID: made.ID, SecretAccessKey: made.Secret}
}

// session makes a session for a user.
func (g *target) session(of sigv4.Credentials) sigv4.Credentials {
	var made struct {
		ID     string `xml:"GetSessionTokenResult>Credentials>AccessKeyId"`
		Secret string `xml:"GetSessionTokenResult>Credentials>SecretAccessKey"`
		Token  string `xml:"GetSessionTokenResult>Credentials>SessionToken"`
	}
	status, body := g.send(of, "sts", "POST", "/", "application/x-www-form-urlencoded", "Action=GetSessionToken&Version=2011-06-15&DurationSeconds=900")
	if status != 200 {
		g.t.Fatalf("%d %s", status, body)
	}
	if err := xml.Unmarshal(body, &made); err != nil {
		g.t.Fatal(err)
	}
	return sigv4.Credentials{AccessKeyID: made.ID, SecretAccessKey: made.Secret, SessionToken: made.Token}
}

// send sends a signed request to the region's own port.
func (g *target) send(as sigv4.Credentials, service, method, path, contentType, body string) (int, []byte) {
	g.t.Helper()
	r, err := http.NewRequest(method, g.region.Endpoint+path, strings.NewReader(body))
	if err != nil {
		g.t.Fatal(err)
	}
	r.Header.Set("Content-Type", contentType)
	signer := sigv4.Signer{Credentials: as, Service: service, Region: "us-east-1", Now: g.clock}
	if err := signer.Sign(r, ""); err != nil {
		g.t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		g.t.Fatal(err)
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	if err != nil {
		g.t.Fatal(err)
	}
	return resp.StatusCode, answer
}

func (g *target) clock() time.Time { return time.Now().Add(time.Duration(g.skew.Load())) }

func (g *target) rest(method, path string, in, out any) {
	g.t.Helper()
	body, err := json.Marshal(in)
	if err != nil {
		g.t.Fatal(err)
	}
	status, answer := g.send(g.admin, "apigateway", method, path, "application/json", string(body))
	if status >= 300 {
		g.t.Fatalf("%s %s: %d %s", method, path, status, answer)
	}
	if out != nil {
		if err := json.Unmarshal(answer, out); err != nil {
			g.t.Fatal(err)
		}
	}
}

func (g *target) query(service string, form url.Values, out any) {
	g.t.Helper()
	status, answer := g.send(g.admin, service, "POST", "/", "application/x-www-form-urlencoded", form.Encode())
	if status != 200 {
		g.t.Fatalf("%s: %d %s", form.Get("Action"), status, answer)
	}
	if out != nil {
		if err := xml.Unmarshal(answer, out); err != nil {
			g.t.Fatal(err)
		}
	}
}

// seen returns what got inside since the last call.
func (g *target) seen() []string {
	g.mu.Lock()
	defer g.mu.Unlock()
	hits := g.hits
	g.hits = nil
	return hits
}

// patience is how long an answer may take on a machine that is very busy.
const patience = time.Minute

// talk writes bytes to a connection and reads all that comes back.
func (g *target) talk(address, bytesOnTheWire string) []answer {
	g.t.Helper()
	conn, err := net.DialTimeout("tcp", address, patience)
	if err != nil {
		g.t.Fatal(err)
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(patience)); err != nil {
		g.t.Fatal(err)
	}
	if _, err := io.WriteString(conn, bytesOnTheWire); err != nil {
		g.t.Fatal(err)
	}
	if address == g.api { // nothing more will come; on the region's own port that would end what runs
		conn.(*net.TCPConn).CloseWrite()
	}
	var answers []answer
	method, _, _ := strings.Cut(bytesOnTheWire, " ")
	reader := bufio.NewReader(conn)
	for {
		resp, err := http.ReadResponse(reader, &http.Request{Method: method})
		if err != nil {
			return answers
		}
		body, err := io.ReadAll(resp.Body)
		resp.Body.Close()
		if err != nil {
			return answers
		}
		answers = append(answers, answer{resp.StatusCode, string(bytes.TrimSpace(body))})
	}
}

// answer is what came back.
type answer struct {
	status int
	body   string
}

// raw is a request in parts, that an attack changes before it is written.
type raw struct {
	method, target string
	header         []string // lines, Host among them
	body           string
}

func (r raw) String() string {
	return fmt.Sprintf("%s %s HTTP/1.1\r\n%s\r\nConnection: close\r\n\r\n%s", r.method, r.target, strings.Join(r.header, "\r\n"), r.body)
}

// set replaces a header line, or adds it; "" removes it.
func (r *raw) set(name, value string) {
	var kept []string
	for _, line := range r.header {
		if have, _, _ := strings.Cut(line, ":"); !strings.EqualFold(have, name) {
			kept = append(kept, line)
		}
	}
	r.header = kept
	if value != "" {
		r.header = append(r.header, name+": "+value)
	}
}

func (r *raw) get(name string) string {
	for _, line := range r.header {
		if have, value, _ := strings.Cut(line, ": "); strings.EqualFold(have, name) {
			return value
		}
	}
	return ""
}

// replace changes text in a header's value.
func (r *raw) replace(name, old, new string) {
	r.set(name, strings.Replace(r.get(name), old, new, 1))
}

// signing says how a request is signed.
type signing struct {
	as              sigv4.Credentials
	service, region string
	ahead           time.Duration // of the clock
	host            string
	body            string
	presign         time.Duration // 0 for a header
}

// signed makes a request and signs it.
func (g *target) signed(method, path string, s signing) raw {
	g.t.Helper()
	if s.service == "" {
		s.service = "execute-api"
	}
	if s.region == "" {
		s.region = "us-east-1"
	}
	if s.host == "" {
		s.host = g.api
	}
	r, err := http.NewRequest(method, "http://"+s.host, strings.NewReader(s.body))
	if err != nil {
		g.t.Fatal(err)
	}
	if r.URL, err = url.Parse("http://" + s.host + path); err != nil {
		g.t.Fatal(err)
	}
	if r.URL.RequestURI() != path {
		g.t.Fatalf("%s would be signed as %s", path, r.URL.RequestURI())
	}
	signer := sigv4.Signer{Credentials: s.as, Service: s.service, Region: s.region, Now: func() time.Time { return g.clock().Add(s.ahead) }}
	out := raw{method: method, target: path, header: []string{"Host: " + s.host}, body: s.body}
	if s.presign != 0 {
		u, err := signer.Presign(r, sigv4.HashPayload(nil), s.presign)
		if err != nil {
			g.t.Fatal(err)
		}
		out.target = path + "?" + u.RawQuery
		return out
	}
	if err := signer.Sign(r, sigv4.HashPayload([]byte(s.body))); err != nil {
		g.t.Fatal(err)
	}
	for name, values := range r.Header {
		out.header = append(out.header, name+": "+values[0])
	}
	if s.body != "" {
		out.header = append(out.header, fmt.Sprintf("Content-Length: %d", len(s.body)))
	}
	return out
}
