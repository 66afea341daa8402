package cli

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/seed-615d3599/roost/internal/config"
	"github.com/seed-615d3599/roost/internal/signin"
	"github.com/seed-615d3599/roost/sigv4"
)

// run runs a command in an app's folder.
func run(t *testing.T, in string, args ...string) (code int, out, errs string) {
	t.Helper()
	var stdout, stderr strings.Builder
	env := []string{"HOME=" + t.TempDir(), "PATH=" + os.Getenv("PATH")}
	code = Run(t.Context(), args, Streams{strings.NewReader(in), &stdout, &stderr}, env)
	return code, stdout.String(), stderr.String()
}

// signedIn makes an app's folder of which a stage is deployed and somebody is
// signed in to it. The API echoes what it gets, if the signature is good.
func signedIn(t *testing.T) (dir string) {
	t.Helper()
	api := httptest.NewServer(http.HandlerFunc(echo))
	t.Cleanup(api.Close)
	dir = t.TempDir()
	write := func(name, text string) {
		t.Helper()
		if err := config.WriteSecret(filepath.Join(dir, name), []byte(text)); err != nil {
			t.Fatal(err)
		}
	}
	write("roost.json", `{"name": "app"}`)
	write(".roost/stages/dev/outputs.json", fmt.Sprintf(`{"dev-app-s": {"ApiEndpoint": %q, "IdentityPoolId": "us-east-1:pool"}}`, api.URL))
	write(".roost/stages/dev/deployed.json", `{"to": "local", "region": "us-east-1", "account": "123456789012"}`)
	region := config.Region{Endpoint: api.URL, Twitter: api.URL, PID: os.Getpid(), Account: "123456789012", Region: "us-east-1",
		AccessKeyID: "AKIAROOST", SecretAccessKey: "it's secret"}
	if err := config.WriteRegion(filepath.Join(dir, ".roost/region.json"), &region); err != nil {
		t.Fatal(err)
	}
	err := signin.SaveSession(filepath.Join(dir, ".roost/stages/dev"), signin.Session{
		PoolID: "us-east-1:pool", Provider: signin.TwitterProvider, Username: "someone", Login: "token;secret", IdentityID: "us-east-1:id",
		AccessKeyID: "ASIA", SecretAccessKey: "secret", SessionToken: "session", Expiration: time.Now().Add(time.Hour),
	})
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

func echo(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	signed := sigv4.FromHTTP(r)
	signed.Body = body
	verifier := sigv4.Verifier{Service: "execute-api", Regions: []string{"us-east-1"}}
	_, err = verifier.Verify(&signed, func(id, token string) (string, error) {
		if id != "ASIA" || token != "session" {
			return "", fmt.Errorf("a key %s", id)
		}
		return "secret", nil
	})
	if err != nil {
		http.Error(w, err.Error(), http.StatusForbidden)
		return
	}
	w.Header().Set("X-Answer", "yes")
	if r.URL.Path == "/missing" {
		w.WriteHeader(http.StatusNotFound)
	}
	fmt.Fprintf(w, "%s %s [%s] [%s] [%s]", r.Method, r.URL.RequestURI(), r.Header.Get("X-Custom"), r.Header.Get("Content-Type"), body)
}

func TestCurl(t *testing.T) {
	dir := signedIn(t)
	file := filepath.Join(t.TempDir(), "body")
	if err := os.WriteFile(file, []byte("from a file"), 0o600); err != nil {
		t.Fatal(err)
	}
	const form = "application/x-www-form-urlencoded"
	for _, test := range []struct {
		name string
		args []string
		want string
		code int
	}{
		{"path", []string{"/private"}, "GET /private [] [] []", 0},
		{"path without a slash", []string{"private?a=b&c=d%20e"}, "GET /private?a=b&c=d%20e [] [] []", 0},
		{"method", []string{"-X", "DELETE", "/x"}, "DELETE /x [] [] []", 0},
		{"body", []string{"/x", "-d", "a=b"}, "POST /x [] [" + form + "] [a=b]", 0},
		{"empty body", []string{"/x", "-d", ""}, "POST /x [] [" + form + "] []", 0},
		{"JSON", []string{"/x", "-X", "PUT", "-d", `{"a":1}`}, `PUT /x [] [application/json] [{"a":1}]`, 0},
		{"body from a file", []string{"/x", "-d", "@" + file}, "POST /x [] [" + form + "] [from a file]", 0},
		{"body from standard input", []string{"/x", "-d", "@-"}, "POST /x [] [" + form + "] [typed]", 0},
		{"headers", []string{"/x", "-d", "x", "-H", "X-Custom: a, b", "-H", "content-type: text/plain"}, "POST /x [a, b] [text/plain] [x]", 0},
		{"an error is an answer", []string{"/missing"}, "GET /missing [] [] []", 0},
		{"but a failure with -f", []string{"-f", "/missing"}, "GET /missing [] [] []", 1},
		{"a header without a colon", []string{"/x", "-H", "nonsense"}, "", 2},
		{"a method that is none", []string{"/x", "-X", "A B"}, "", 2},
	} {
		t.Run(test.name, func(t *testing.T) {
			code, out, errs := run(t, "typed", append([]string{"curl", "--dir", dir}, test.args...)...)
			if diff := cmp.Diff(test.want, out); diff != "" || code != test.code {
				t.Errorf("%s status %d\n%s", diff, code, errs)
			}
		})
	}
	t.Run("status and headers", func(t *testing.T) {
		_, out, _ := run(t, "", "curl", "--dir", dir, "-i", "/private")
		if !strings.HasPrefix(out, "HTTP/1.1 200 OK\n") || !strings.Contains(out, "\nx-answer: yes\n") || !strings.HasSuffix(out, "\n\nGET /private [] [] []") {
			t.Errorf("it prints %q", out)
		}
	})
}

func TestCredentials(t *testing.T) {
	dir := signedIn(t)
	_, out, errs := run(t, "", "credentials", dir)
	if !strings.HasPrefix(out, "export AWS_ACCESS_KEY_ID='ASIA'\nexport AWS_SECRET_ACCESS_KEY='secret'\nexport AWS_SESSION_TOKEN='session'\n") {
		t.Errorf("it prints %q %s", out, errs)
	}
	_, out, _ = run(t, "", "credentials", dir, "--format", "process")
	var process struct {
		Version     int
		AccessKeyId string
	}
	if err := json.Unmarshal([]byte(out), &process); err != nil || process.Version != 1 || process.AccessKeyId != "ASIA" {
		t.Errorf("for a profile it prints %q, %v", out, err)
	}
	if code, _, errs := run(t, "", "credentials", dir, "--stage", "prod"); code != 1 || !strings.Contains(errs, "nobody is signed in") {
		t.Errorf("for another stage: %d %s", code, errs)
	}
}

func TestEnv(t *testing.T) {
	dir := signedIn(t)
	bin := t.TempDir()
	var stdout, stderr strings.Builder
	for version, warned := range map[string]bool{
		"aws-cli/1.16.300 Python/3.6": true, "aws-cli/1.29.0 Python/3.8": false,
		"aws-cli/2.12.9 Python/3.11": true, "aws-cli/2.13.0 Python/3.11": false, "aws-cli/2.34.1": false, "nonsense": false,
	} {
		script := "#!/bin/sh\necho '" + version + "'\n"
		if err := os.WriteFile(filepath.Join(bin, "aws"), []byte(script), 0o755); err != nil {
			t.Fatal(err)
		}
		stdout.Reset()
		stderr.Reset()
		t.Setenv("PATH", bin+":"+os.Getenv("PATH"))
		code := Run(t.Context(), []string{"env", dir}, Streams{strings.NewReader(""), &stdout, &stderr}, append(os.Environ(), "AWS_SESSION_TOKEN=x"))
		if code != 0 || strings.Contains(stderr.String(), "does not heed AWS_ENDPOINT_URL") != warned {
			t.Errorf("%s: %d %s", version, code, stderr.String())
		}
	}
	for _, want := range []string{"export AWS_ENDPOINT_URL='http://127.0.0.1:", "export AWS_REGION='us-east-1'\n", "export AWS_DISABLE_HOST_PREFIX_INJECTION='true'\n",
		"export AWS_ACCESS_KEY_ID='AKIAROOST'\n", `export AWS_SECRET_ACCESS_KEY='it'\''s secret'` + "\n", "export AWS_SESSION_TOKEN=''\n"} {
		if !strings.Contains(stdout.String(), want) {
			t.Errorf("%q is missing in\n%s", want, stdout.String())
		}
	}
}

// A second region on the same state is refused with the first one's place.
func TestSecondStart(t *testing.T) {
	dir := signedIn(t)
	code, _, errs := run(t, "", "start", dir)
	if code != 1 || !strings.Contains(errs, fmt.Sprintf("runs already: process %d, port ", os.Getpid())) {
		t.Errorf("%d %s", code, errs)
	}
}
