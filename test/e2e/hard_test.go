package e2e

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/dghubble/oauth1"

	"github.com/seed-615d3599/roost/internal/need"
	"github.com/seed-615d3599/roost/sigv4"
)

// TestOriginalApp serves the tutorial's own app, as its JavaScript tools
// synthesized it, with the same sign-in.
func TestOriginalApp(t *testing.T) {
	fixture := need.Shared(t, "fixtures", "tutorial-sst-0.9.7")
	p := newPerson(t, "")
	p.app = t.TempDir()
	stage := p.start("--assembly", fixture)
	api := stage.api()
	if status, body := p.get(api + "/public"); status != 200 || body != "Hello stranger!" {
		t.Fatalf("/public: %d %s\n%s", status, body, stage.said())
	}
	key, secret := consumerOf(t, p, stage.outputs["IdentityPoolId"])
	who := signIn(t, p, stage.outputs["IdentityPoolId"], key, secret, "fanjiewang")
	if status, body := who.call(t, "GET", api+"/private", ""); status != 200 || body != "Hello user!" {
		t.Errorf("/private: %d %s", status, body)
	}
	if status := stage.interrupt(); status != 0 {
		t.Errorf("start ended with %d\n%s", status, stage.said())
	}
	nothingRuns(t, p)
}

// consumerOf reads the consumer pair that the pool was deployed with.
func consumerOf(t *testing.T, p *person, pool string) (key, secret string) {
	t.Helper()
	var out struct{ SupportedLoginProviders map[string]string }
	if text, status := p.admin().aws(&out, "cognito-identity", "describe-identity-pool", "--identity-pool-id", pool); status != 0 {
		t.Fatal(text)
	}
	key, secret, _ = strings.Cut(out.SupportedLoginProviders["api.twitter.com"], ";")
	return key, secret
}

// signedIn is somebody with an identity and credentials.
type signedIn struct {
	name, token, identity string
	credentials
	now func() time.Time
}

// signIn goes through OAuth, GetId and GetCredentialsForIdentity over HTTP.
func signIn(t *testing.T, p *person, pool, key, secret, name string) *signedIn {
	t.Helper()
	who, err := trySignIn(p.region(), pool, key, secret, name)
	if err != nil {
		t.Fatal(err)
	}
	return who
}

func trySignIn(r regionFile, pool, key, secret, name string) (*signedIn, error) {
	token, err := twitterToken(r.Twitter, key, secret, name)
	if err != nil {
		return nil, err
	}
	who := &signedIn{name: name, token: token}
	logins := map[string]string{"api.twitter.com": token}
	var id struct{ IdentityId string }
	if err := cognito(r.Endpoint, "GetId", map[string]any{"IdentityPoolId": pool, "Logins": logins}, &id); err != nil {
		return nil, err
	}
	var given struct {
		Credentials struct{ AccessKeyId, SecretKey, SessionToken string }
	}
	if err := cognito(r.Endpoint, "GetCredentialsForIdentity", map[string]any{"IdentityId": id.IdentityId, "Logins": logins}, &given); err != nil {
		return nil, err
	}
	who.identity = id.IdentityId
	who.credentials = credentials{given.Credentials.AccessKeyId, given.Credentials.SecretKey, given.Credentials.SessionToken}
	return who, nil
}

// twitterToken signs in at the stand-in with an independent OAuth client.
func twitterToken(base, key, secret, name string) (string, error) {
	config := &oauth1.Config{
		ConsumerKey: key, ConsumerSecret: secret, CallbackURL: "oob", Noncer: oauth1.HexNoncer{},
		Endpoint: oauth1.Endpoint{RequestTokenURL: base + "/oauth/request_token", AuthorizeURL: base + "/oauth/authorize", AccessTokenURL: base + "/oauth/access_token"},
	}
	request, requestSecret, err := config.RequestToken()
	if err != nil {
		return "", err
	}
	response, err := http.PostForm(base+"/oauth/authorize", url.Values{"oauth_token": {request}, "screen_name": {name}})
	if err != nil {
		return "", err
	}
	defer response.Body.Close()
	page, err := io.ReadAll(response.Body)
	if err != nil {
		return "", err
	}
	_, rest, ok := strings.Cut(string(page), `<code id="pin">`)
	pin, _, ok2 := strings.Cut(rest, "<")
	if !ok || !ok2 {
		return "", fmt.Errorf("no PIN on the page: %s", page)
	}
	token, tokenSecret, err := config.AccessToken(request, requestSecret, pin)
	return token + ";" + tokenSecret, err
}

// cognito calls an unsigned operation of Cognito Identity.
func cognito(endpoint, operation string, in, out any) error {
	body, err := json.Marshal(in)
	if err != nil {
		return err
	}
	request, err := http.NewRequest("POST", endpoint, bytes.NewReader(body))
	if err != nil {
		return err
	}
	request.Header.Set("Content-Type", "application/x-amz-json-1.1")
	request.Header.Set("X-Amz-Target", "AWSCognitoIdentityService."+operation)
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	if err != nil {
		return err
	}
	if response.StatusCode != 200 {
		return fmt.Errorf("%s: %d %s", operation, response.StatusCode, answer)
	}
	return json.Unmarshal(answer, out)
}

// sign makes a signed request to an API.
func (s *signedIn) sign(t *testing.T, method, address, body string) *http.Request {
	t.Helper()
	request, err := http.NewRequest(method, address, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	hash := sha256.Sum256([]byte(body))
	signer := sigv4.Signer{
		Credentials: sigv4.Credentials{AccessKeyID: s.AccessKeyID, SecretAccessKey: s.SecretKey, SessionToken: s.SessionToken},
		Service:     "execute-api", Region: "us-east-1", Now: s.now,
	}
	if err := signer.Sign(request, hex.EncodeToString(hash[:])); err != nil {
		t.Fatal(err)
	}
	return request
}

func send(t *testing.T, request *http.Request) (status int, body string) {
	t.Helper()
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	data, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, string(data)
}

func (s *signedIn) call(t *testing.T, method, address, body string) (int, string) {
	t.Helper()
	return send(t, s.sign(t, method, address, body))
}

// TestRefusals sends what must be refused.
func TestRefusals(t *testing.T) {
	p := newPerson(t, "node")
	stage := p.start()
	pool, api := stage.outputs["IdentityPoolId"], stage.api()
	alice := signIn(t, p, pool, consumerKey, consumerSecret, "alice")
	if status, body := alice.call(t, "GET", api+"/private", ""); status != 200 {
		t.Fatalf("what is right is refused: %d %s", status, body)
	}
	other := newPerson(t, "node")
	other.write("../app/.env", "TWITTER_CONSUMER_KEY=another-key\nTWITTER_CONSUMER_SECRET=another-secret\n")
	elsewhere := other.start()
	stranger := signIn(t, other, elsewhere.outputs["IdentityPoolId"], "another-key", "another-secret", "alice")

	tests := map[string]func() (int, string){
		"an invented token":   func() (int, string) { return refusedLogin(t, p, pool, "12345-invented;secret") },
		"another app's token": func() (int, string) { return refusedLogin(t, p, pool, stranger.token) },
		"half a token":        func() (int, string) { return refusedLogin(t, p, pool, strings.Split(alice.token, ";")[0]) },
		"a tampered signature": func() (int, string) {
			request := alice.sign(t, "GET", api+"/private", "")
			value := request.Header.Get("Authorization")
			last := "0"
			if strings.HasSuffix(value, "0") {
				last = "1"
			}
			request.Header.Set("Authorization", value[:len(value)-1]+last)
			return send(t, request)
		},
		"a tampered body": func() (int, string) {
			request := alice.sign(t, "GET", api+"/private", "one")
			request.Body, request.GetBody = io.NopCloser(strings.NewReader("two")), nil
			return send(t, request)
		},
		"a tampered path": func() (int, string) {
			request := alice.sign(t, "GET", api+"/public", "")
			request.URL.Path = "/private"
			return send(t, request)
		},
		"a tampered query": func() (int, string) {
			request := alice.sign(t, "GET", api+"/private?a=1", "")
			request.URL.RawQuery = "a=2"
			return send(t, request)
		},
		"a tampered header": func() (int, string) {
			request := alice.sign(t, "GET", api+"/private", "")
			request.Header.Set("X-Amz-Date", time.Now().UTC().Add(-time.Minute).Format("20060102T150405Z"))
			return send(t, request)
		},
		"a signature of ten minutes ago": func() (int, string) {
			late := *alice
			late.now = func() time.Time { return time.Now().Add(-10 * time.Minute) }
			return late.call(t, "GET", api+"/private", "")
		},
		"the token of another state": func() (int, string) { return stranger.call(t, "GET", api+"/private", "") },
		"one's key with another's token": func() (int, string) {
			mixed := *alice
			mixed.SessionToken = signIn(t, p, pool, consumerKey, consumerSecret, "bob").SessionToken
			return mixed.call(t, "GET", api+"/private", "")
		},
		"without the token": func() (int, string) {
			bare := *alice
			bare.SessionToken = ""
			return bare.call(t, "GET", api+"/private", "")
		},
	}
	for name, attempt := range tests {
		t.Run(name, func(t *testing.T) {
			if status, body := attempt(); status != 403 && status != 400 || strings.Contains(body, "Hello") {
				t.Errorf("%d %s", status, body)
			}
		})
	}

	t.Run("a pool whose role does not allow the call", func(t *testing.T) {
		role := roleOfPool(t, p, pool)
		deny := `{"Version":"2012-10-17","Statement":{"Effect":"Deny","Action":"execute-api:Invoke","Resource":"*"}}`
		if out, status := p.admin().aws(nil, "iam", "put-role-policy", "--role-name", role, "--policy-name", "no", "--policy-document", deny); status != 0 {
			t.Fatal(out)
		}
		if status, body := alice.call(t, "GET", api+"/private", ""); status != 403 || body != `{"message":"Forbidden"}` {
			t.Errorf("%d %s", status, body)
		}
		p.admin().aws(nil, "iam", "delete-role-policy", "--role-name", role, "--policy-name", "no")
		if status, _ := alice.call(t, "GET", api+"/private", ""); status != 200 {
			t.Errorf("after the denial is taken back: %d", status)
		}
	})
}

// refusedLogin tries to sign in and gives the status that a refusal has.
func refusedLogin(t *testing.T, p *person, pool, token string) (int, string) {
	t.Helper()
	err := cognito(p.region().Endpoint, "GetId", map[string]any{"IdentityPoolId": pool, "Logins": map[string]string{"api.twitter.com": token}}, &struct{}{})
	if err == nil {
		return 200, "an identity was given"
	}
	if !strings.Contains(err.Error(), "NotAuthorizedException") {
		t.Errorf("refused for another reason: %v", err)
	}
	return 400, err.Error()
}

func roleOfPool(t *testing.T, p *person, pool string) string {
	t.Helper()
	var out struct{ Roles map[string]string }
	if text, status := p.admin().aws(&out, "cognito-identity", "get-identity-pool-roles", "--identity-pool-id", pool); status != 0 {
		t.Fatal(text)
	}
	return filepath.Base(out.Roles["authenticated"])
}

// TestKilledBetweenSteps kills the region between any two steps of the
// tutorial and goes on.
func TestKilledBetweenSteps(t *testing.T) {
	p := newPerson(t, "node")
	stage := p.start()
	first := stage.outputs
	again := func() {
		t.Helper()
		stage.kill()
		nothingRuns(t, p)
		stage = p.start()
		if stage.outputs["ApiEndpoint"] != first["ApiEndpoint"] || stage.outputs["IdentityPoolId"] != first["IdentityPoolId"] {
			t.Fatalf("after the kill: %v, before: %v", stage.outputs, first)
		}
	}
	again()
	if _, body := p.get(stage.api() + "/public"); body != "Hello stranger!" {
		t.Fatalf("/public: %s", body)
	}
	again()
	authorize(t, p, "fanjiewang")
	again()
	id, issued := identify(t, p, first["IdentityPoolId"], twurlToken(t, p, "fanjiewang"))
	again()
	if body := curl(t, p, issued, stage.api()+"/private"); body != "Hello user!" {
		t.Fatalf("credentials of before the kill: %s", body)
	}
	again()
	edit := edits["node"]
	p.write(edit.file, edit.text)
	await(t, "the edited function", func() bool { return curl(t, p, issued, stage.api()+"/private") == "Hello "+id+"!" })
	again()
	if body := curl(t, p, issued, stage.api()+"/private"); body != "Hello "+id+"!" {
		t.Fatalf("after all: %s", body)
	}
	p.roost("remove", p.app)
	nothingDeployed(t, p)
}

// TestTwoHundredPeople sign in and call at once.
func TestTwoHundredPeople(t *testing.T) {
	p := newPerson(t, "node")
	edit := edits["node"]
	p.write(edit.file, edit.text)
	stage := p.start()
	region, pool, api := p.region(), stage.outputs["IdentityPoolId"], stage.api()
	const people = 200
	ids := make([]string, people)
	var crowd sync.WaitGroup
	for i := range people {
		crowd.Go(func() {
			who, err := trySignIn(region, pool, consumerKey, consumerSecret, fmt.Sprintf("person_%d", i))
			if err != nil {
				t.Errorf("person %d: %v", i, err)
				return
			}
			ids[i] = who.identity
			if status, body := who.call(t, "GET", api+"/private", ""); status != 200 || body != "Hello "+who.identity+"!" {
				t.Errorf("person %d: %d %s, want %s", i, status, body, who.identity)
			}
		})
	}
	crowd.Wait()
	seen := map[string]int{}
	for i, id := range ids {
		if before, ok := seen[id]; ok {
			t.Errorf("people %d and %d share the identity %s", before, i, id)
		}
		seen[id] = i
	}
	if status := stage.interrupt(); status != 0 {
		t.Errorf("start ended with %d\n%s", status, stage.said())
	}
	nothingRuns(t, p)
}

// TestMistakes makes each mistake while the app runs: one message, and the
// stage goes on.
func TestMistakes(t *testing.T) {
	p := newPerson(t, "node")
	stage := p.start()
	tests := []struct {
		name, file, text string
		want             []string
	}{
		{"syntax error in src", "src/private.js", "export async function main( {\n", []string{"src/private.js:2:1", "expected identifier"}},
		{"syntax error in lib", "lib/main.go", "package main\n\nfunc main() {\n", []string{"lib/main.go:4:1: syntax error"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			original := p.read(test.file)
			before := len(stage.said())
			p.write(test.file, test.text)
			await(t, "the message", func() bool { return strings.Contains(stage.said()[before:], "goes on") })
			said := stage.said()[before:]
			for _, want := range test.want {
				if !strings.Contains(strings.ToLower(said), strings.ToLower(want)) {
					t.Errorf("no %q in\n%s", want, said)
				}
			}
			if status, body := p.get(stage.api() + "/public"); status != 200 || body != "Hello stranger!" {
				t.Errorf("the stage does not go on: %d %s", status, body)
			}
			before = len(stage.said())
			p.write(test.file, original)
			await(t, "the repair", func() bool { return strings.Contains(stage.said()[before:], "Status: ") })
		})
	}
	t.Run("a second start", func(t *testing.T) {
		out, status := p.try("", program, "start", p.app)
		if status != 1 || !strings.Contains(out, fmt.Sprint(p.region().PID)) || !strings.Contains(out, strings.Split(p.region().Endpoint, ":")[2]) {
			t.Errorf("exit status %d\n%s", status, out)
		}
	})
}
