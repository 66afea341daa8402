package signin

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// cognito answers the two operations like Cognito; the person is the login.
type cognito struct {
	*httptest.Server
	signIns int
	expires time.Time
	refuse  string // a body to refuse with
}

func newCognito(t *testing.T) *cognito {
	c := &cognito{expires: time.Date(2026, 11, 22, 13, 0, 0, 250e6, time.UTC)}
	c.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if c.refuse != "" {
			w.WriteHeader(http.StatusBadRequest)
			io.WriteString(w, c.refuse)
			return
		}
		var in struct {
			IdentityPoolId, IdentityId string
			Logins                     map[string]string
		}
		if err := json.NewDecoder(r.Body).Decode(&in); err != nil || r.Header.Get("Content-Type") != "application/x-amz-json-1.1" {
			t.Errorf("%v, %v", err, r.Header)
		}
		switch r.Header.Get("X-Amz-Target") {
		case "AWSCognitoIdentityService.GetId":
			fmt.Fprintf(w, `{"IdentityId":"%s/%s"}`, in.IdentityPoolId, in.Logins["api.twitter.com"])
		case "AWSCognitoIdentityService.GetCredentialsForIdentity":
			c.signIns++
			fmt.Fprintf(w, `{"IdentityId":%q,"Credentials":{"AccessKeyId":"ASIA%d","SecretKey":"secret'key","SessionToken":"token","Expiration":%.3f}}`,
				in.IdentityId, c.signIns, float64(c.expires.UnixMilli())/1000)
		}
	}))
	t.Cleanup(c.Close)
	return c
}

func TestSignInAndRenewal(t *testing.T) {
	service := newCognito(t)
	now := service.expires.Add(-time.Hour)
	pool := Pool{Endpoint: service.URL, ID: "us-east-1:1", Now: func() time.Time { return now }}
	session, err := pool.SignIn(t.Context(), TwitterProvider, "alice", "token;secret")
	if err != nil {
		t.Fatal(err)
	}
	want := Session{
		PoolID: "us-east-1:1", Provider: "api.twitter.com", Username: "alice", Login: "token;secret", IdentityID: "us-east-1:1/token;secret",
		AccessKeyID: "ASIA1", SecretAccessKey: "secret'key", SessionToken: "token", Expiration: service.expires,
	}
	if diff := cmp.Diff(want, session); diff != "" {
		t.Fatalf("(-want +got):\n%s", diff)
	}
	dir := filepath.Join(t.TempDir(), "stages", "dev")
	if _, err := pool.Current(t.Context(), dir); err == nil || !strings.Contains(err.Error(), "roost login twitter") {
		t.Errorf("before the sign-in: %v", err)
	}
	if err := SaveSession(dir, session); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(filepath.Join(dir, sessionFile)); err != nil || info.Mode() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
	check := func(name, wantKey string) {
		t.Helper()
		got, err := pool.Current(t.Context(), dir)
		kept, _ := LoadSession(dir)
		if err != nil || got.AccessKeyID != wantKey || kept != got {
			t.Errorf("%s: got %+v, %v, kept %+v", name, got, err, kept)
		}
	}
	now = service.expires.Add(-5 * time.Minute)
	check("five minutes left", "ASIA1")
	now = now.Add(time.Second)
	check("less than five minutes left", "ASIA2")
	service.expires = service.expires.Add(time.Hour)
	check("still less than five minutes left", "ASIA3")
	check("an hour left", "ASIA3")
	pool.ID = "us-east-1:2"
	check("another pool", "ASIA4")
}

func TestRefusedSignIn(t *testing.T) {
	service := newCognito(t)
	service.refuse = `{"__type":"NotAuthorizedException","message":"Invalid login token."}`
	pool := Pool{Endpoint: service.URL, ID: "us-east-1:1"}
	_, err := pool.SignIn(t.Context(), TwitterProvider, "alice", "token;secret")
	var refused *ServiceError
	if !errors.As(err, &refused) || *refused != (ServiceError{"NotAuthorizedException", "Invalid login token."}) {
		t.Errorf("got %v", err)
	}
	dir := t.TempDir()
	if err := SaveSession(dir, Session{PoolID: "us-east-1:1", Username: "alice"}); err != nil {
		t.Fatal(err)
	}
	if _, err = pool.Current(t.Context(), dir); err == nil || !strings.Contains(err.Error(), "the sign-in of alice can't be renewed") {
		t.Errorf("got %v", err)
	}
	service.refuse = "<html>"
	if _, err = pool.SignIn(t.Context(), TwitterProvider, "alice", "t;s"); err == nil || !strings.Contains(err.Error(), "400 Bad Request") {
		t.Errorf("got %v", err)
	}
	service.Close()
	if _, err = pool.SignIn(t.Context(), TwitterProvider, "alice", "t;s"); err == nil || !strings.Contains(err.Error(), "roost start") {
		t.Errorf("got %v", err)
	}
}

func TestFormats(t *testing.T) {
	session := Session{
		IdentityID: "us-east-1:abc", AccessKeyID: "ASIA1", SecretAccessKey: "sec'ret", SessionToken: "tok/en==",
		Expiration: time.Date(2026, 11, 22, 13, 0, 0, 0, time.UTC),
	}
	for format, want := range map[string]string{
		"env": `export AWS_ACCESS_KEY_ID='ASIA1'
export AWS_SECRET_ACCESS_KEY='sec'\''ret'
export AWS_SESSION_TOKEN='tok/en=='
export AWS_CREDENTIAL_EXPIRATION='2026-11-22T13:00:00Z'
`,
		"json": `{
    "IdentityId": "us-east-1:abc",
    "Credentials": {
        "AccessKeyId": "ASIA1",
        "SecretKey": "sec'ret",
        "SessionToken": "tok/en==",
        "Expiration": "2026-11-22T13:00:00Z"
    }
}
`,
		"process": `{
    "Version": 1,
    "AccessKeyId": "ASIA1",
    "SecretAccessKey": "sec'ret",
    "SessionToken": "tok/en==",
    "Expiration": "2026-11-22T13:00:00Z"
}
`,
	} {
		var out bytes.Buffer
		if err := WriteCredentials(&out, format, session); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, out.String()); diff != "" {
			t.Errorf("%s (-want +got):\n%s", format, diff)
		}
		if format == "env" {
			shell, err := exec.Command("sh", "-c", out.String()+`printf %s "$AWS_SECRET_ACCESS_KEY"`).Output()
			if err != nil || string(shell) != session.SecretAccessKey {
				t.Errorf("the shell reads %q, %v", shell, err)
			}
		}
	}
	if err := WriteCredentials(io.Discard, "yaml", session); err == nil {
		t.Error("an unknown format was taken")
	}
}
