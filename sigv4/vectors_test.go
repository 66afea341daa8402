package sigv4_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/seed-615d3599/roost/internal/need"
	"github.com/seed-615d3599/roost/sigv4"
)

// vector is one case of AWS's signing suite.
type vector struct {
	dir     string
	Context struct {
		Credentials struct {
			ID     string `json:"access_key_id"`
			Secret string `json:"secret_access_key"`
			Token  string `json:"token"`
		} `json:"credentials"`
		Expires   int       `json:"expiration_in_seconds"`
		Normalize bool      `json:"normalize"`
		Region    string    `json:"region"`
		Service   string    `json:"service"`
		Timestamp time.Time `json:"timestamp"`
		OmitToken bool      `json:"omit_session_token"`
	}
}

func vectors(t testing.TB) []vector {
	t.Helper()
	dirs, err := filepath.Glob(filepath.Join(need.Shared(t, "conformance", "sigv4"), "*", "context.json"))
	if err != nil || len(dirs) != 38 {
		t.Fatalf("found %d cases, %v; want 38", len(dirs), err)
	}
	var out []vector
	for _, path := range dirs {
		v := vector{dir: filepath.Dir(path)}
		data, err := os.ReadFile(path)
		if err == nil {
			err = json.Unmarshal(data, &v.Context)
		}
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, v)
	}
	return out
}

func (v vector) name() string { return filepath.Base(v.dir) }

func (v vector) file(t testing.TB, name string) string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(v.dir, name))
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func (v vector) verifier() sigv4.Verifier {
	return sigv4.Verifier{
		Service: v.Context.Service, Regions: []string{v.Context.Region},
		Now:                func() time.Time { return v.Context.Timestamp },
		PathAsSent:         !v.Context.Normalize,
		UnsignedQueryToken: v.Context.OmitToken,
	}
}

func (v vector) key(id, token string) (string, error) {
	if id != v.Context.Credentials.ID || token != v.Context.Credentials.Token {
		return "", errUnknownKey
	}
	return v.Context.Credentials.Secret, nil
}

// parseRaw reads a request in the suite's form, which net/http would refuse in
// places: targets hold spaces, and header lines are folded.
func parseRaw(text string) sigv4.Request {
	head, body, _ := strings.Cut(strings.ReplaceAll(text, "\r\n", "\n"), "\n\n")
	lines := strings.Split(strings.TrimSuffix(head, "\n"), "\n")
	method, target, _ := strings.Cut(lines[0], " ")
	r := sigv4.Request{Method: method, Target: strings.TrimSuffix(target, " HTTP/1.1"), Body: []byte(body)}
	for _, line := range lines[1:] {
		if line[0] == ' ' || line[0] == '\t' {
			r.Header[len(r.Header)-1].Value += "\r\n" + line
			continue
		}
		name, value, _ := strings.Cut(line, ":")
		if strings.EqualFold(name, "Host") {
			r.Host = value
			continue
		}
		r.Header = append(r.Header, sigv4.Header{Name: name, Value: value})
	}
	return r
}

func TestSuite(t *testing.T) {
	for _, v := range vectors(t) {
		for _, kind := range []string{"header", "query"} {
			t.Run(v.name()+"/"+kind, func(t *testing.T) {
				r := parseRaw(v.file(t, kind+"-signed-request.txt"))
				verifier := v.verifier()
				sig, err := verifier.Verify(&r, v.key)
				if err != nil {
					t.Fatal(err)
				}
				want := sigv4.Signature{
					AccessKeyID: v.Context.Credentials.ID, SessionToken: v.Context.Credentials.Token,
					Date: "20150830", Region: v.Context.Region, Service: v.Context.Service,
				}
				got := sigv4.Signature{
					AccessKeyID: sig.AccessKeyID, SessionToken: sig.SessionToken,
					Date: sig.Date, Region: sig.Region, Service: sig.Service,
				}
				if diff := cmp.Diff(want, got, cmp.AllowUnexported(sigv4.Signature{})); diff != "" {
					t.Error(diff)
				}
				if sig.Presigned != (kind == "query") || sig.Presigned && sig.Expires != time.Hour {
					t.Errorf("presigned %v for %v", sig.Presigned, sig.Expires)
				}
				diagnosis := verifier.Diagnose(&r, v.key)
				if diff := cmp.Diff(v.file(t, kind+"-canonical-request.txt"), unabridged(diagnosis.CanonicalRequest, v)); diff != "" {
					t.Error(diff)
				}
				if diff := cmp.Diff(v.file(t, kind+"-string-to-sign.txt"), diagnosis.StringToSign); diff != "" {
					t.Error(diff)
				}
			})
		}
	}
}

var errUnknownKey = errors.New("unknown key")

// unabridged puts a session token back in full that Diagnose has cut short.
func unabridged(canonical string, v vector) string {
	token := v.Context.Credentials.Token
	if token == "" {
		return canonical
	}
	encoded := strings.ReplaceAll(url.QueryEscape(token), "+", "%20")
	canonical = strings.ReplaceAll(canonical, "X-Amz-Security-Token="+token[:8]+"...", "X-Amz-Security-Token="+encoded)
	return strings.ReplaceAll(canonical, token[:8]+"...", token)
}

// TestDoubleEncoding holds the two cases whose path has an escape in it. Their
// canonical requests are given; one of them also has a string to sign.
func TestDoubleEncoding(t *testing.T) {
	for _, name := range []string{"double-encode-path", "double-url-encode"} {
		t.Run(name, func(t *testing.T) {
			v := vector{dir: filepath.Join(need.Shared(t, "conformance", "sigv4-double-encoding"), name)}
			r := parseRaw(v.file(t, "header-signed-request.txt"))
			// The date in one of the requests is not that of its canonical form.
			for i := range r.Header {
				if strings.EqualFold(r.Header[i].Name, "X-Amz-Date") {
					r.Header[i].Value = "20210511T154045Z"
				} else if name == "double-encode-path" {
					r.Header[i].Value = strings.ReplaceAll(r.Header[i].Value, "/20150830/", "/20210511/")
				}
			}
			scope, ok := sigv4.PeekScope(&r)
			if !ok {
				t.Fatal("no scope")
			}
			verifier := sigv4.Verifier{Service: scope.Service, Regions: []string{scope.Region},
				Now: func() time.Time { return time.Date(2021, 5, 11, 15, 40, 45, 0, time.UTC) }}
			d := verifier.Diagnose(&r, func(string, string) (string, error) { return "any", nil })
			if diff := cmp.Diff(v.file(t, "header-canonical-request.txt"), d.CanonicalRequest); diff != "" {
				t.Error(diff)
			}
			if name == "double-url-encode" {
				if diff := cmp.Diff(strings.TrimSpace(v.file(t, "header-string-to-sign.txt")), d.StringToSign); diff != "" {
					t.Error(diff)
				}
			}
			// Signed again with a key of ours, over HTTP, both are accepted.
			acceptSigned(t, r, scope)
		})
	}
}

// acceptSigned signs the same method, target and host and verifies them.
func acceptSigned(t *testing.T, r sigv4.Request, scope sigv4.Scope) {
	t.Helper()
	now := func() time.Time { return time.Date(2021, 5, 11, 15, 40, 45, 0, time.UTC) }
	request, err := http.NewRequest(r.Method, "https://"+r.Host+r.Target, nil)
	if err != nil {
		t.Fatal(err)
	}
	signer := sigv4.Signer{Credentials: sigv4.Credentials{AccessKeyID: "AKID", SecretAccessKey: "secret"}, Service: scope.Service, Region: scope.Region, Now: now}
	if err := signer.Sign(request, ""); err != nil {
		t.Fatal(err)
	}
	arrived := sigv4.FromHTTP(request)
	verifier := sigv4.Verifier{Service: scope.Service, Regions: []string{scope.Region}, Now: now}
	if _, err := verifier.Verify(&arrived, func(string, string) (string, error) { return "secret", nil }); err != nil {
		t.Error(err)
	}
}

// TestSignSuite signs the suite's requests and expects the suite's signatures.
func TestSignSuite(t *testing.T) {
	for _, v := range vectors(t) {
		for _, kind := range []string{"header", "query"} {
			t.Run(v.name()+"/"+kind, func(t *testing.T) {
				plain, want := parseRaw(v.file(t, "request.txt")), strings.TrimSpace(v.file(t, kind+"-signature.txt"))
				if strings.Contains(plain.Target, " ") {
					t.Skip("net/http has no way to send a space in a path")
				}
				r := httpRequest(t, plain)
				signer := sigv4.Signer{
					Credentials: sigv4.Credentials{AccessKeyID: v.Context.Credentials.ID, SecretAccessKey: v.Context.Credentials.Secret, SessionToken: v.Context.Credentials.Token},
					Service:     v.Context.Service, Region: v.Context.Region, Now: func() time.Time { return v.Context.Timestamp },
					PathAsSent: !v.Context.Normalize, UnsignedQueryToken: v.Context.OmitToken,
				}
				var got string
				if kind == "header" {
					if strings.Contains(v.file(t, "context.json"), `"sign_body": true`) {
						r.Header.Set("X-Amz-Content-Sha256", sigv4.HashPayload(plain.Body))
					}
					if v.Context.OmitToken {
						signer.Credentials.SessionToken = ""
					}
					if err := signer.Sign(r, ""); err != nil {
						t.Fatal(err)
					}
					got = r.Header.Get("Authorization")
				} else {
					signed, err := signer.Presign(r, "", time.Duration(v.Context.Expires)*time.Second)
					if err != nil {
						t.Fatal(err)
					}
					got = signed.RawQuery
				}
				if !strings.HasSuffix(got, "Signature="+want) {
					t.Errorf("got %s\nwant signature %s", got, want)
				}
			})
		}
	}
}

func httpRequest(t *testing.T, plain sigv4.Request) *http.Request {
	t.Helper()
	r, err := http.NewRequest(plain.Method, "https://"+plain.Host, bytes.NewReader(plain.Body))
	if err != nil {
		t.Fatal(err)
	}
	path, query, _ := strings.Cut(plain.Target, "?")
	r.URL.Opaque, r.URL.RawQuery = path, query
	if strings.HasPrefix(path, "//") {
		r.URL.Opaque, r.URL.Path = "", path
	}
	for _, h := range plain.Header {
		r.Header.Add(h.Name, h.Value)
	}
	return r
}
