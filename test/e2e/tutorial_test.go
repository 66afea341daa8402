package e2e

import (
	"io"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"github.com/seed-615d3599/roost/internal/need"
)

const (
	consumerKey    = "invented-consumer-key"
	consumerSecret = "invented-consumer-secret"
)

// edits are the change that the tutorial makes to the private function.
var edits = map[string]struct{ file, text string }{
	"node": {"src/private.js", "export async function main(event) {\n  return {\n    statusCode: 200,\n    body: `Hello ${event.requestContext.authorizer.iam.cognitoIdentity.identityId}!`,\n  };\n}\n"},
	"go": {"src/private/main.go", `// Greets the caller by identity.
package main

import (
	"context"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-lambda-go/lambda"
)

func main() {
	lambda.Start(func(_ context.Context, r events.APIGatewayV2HTTPRequest) (events.APIGatewayV2HTTPResponse, error) {
		id := r.RequestContext.Authorizer.IAM.CognitoIdentity.IdentityID
		return events.APIGatewayV2HTTPResponse{StatusCode: 200, Body: "Hello " + id + "!"}, nil
	})
}
`},
}

// TestTutorial takes every step of the tutorial, in order.
func TestTutorial(t *testing.T) {
	for _, template := range []string{"go", "node"} {
		t.Run(template, func(t *testing.T) { tutorial(t, template) })
	}
}

func tutorial(t *testing.T, template string) {
	p := newPerson(t, template)
	stage := p.start()
	checkResultBlock(t, stage)

	// The public route, and the private one without a signature.
	if status, body := p.get(stage.api() + "/public"); status != 200 || body != "Hello stranger!" {
		t.Fatalf("/public: %d %s", status, body)
	}
	if status, body := p.get(stage.api() + "/private"); status != 403 || body != `{"message":"Forbidden"}` {
		t.Fatalf("/private unsigned: %d %s", status, body)
	}

	// Login with Twitter, with twurl's flow.
	authorize(t, p, "fanjiewang")
	token := twurlToken(t, p, "fanjiewang")

	// The identity and its credentials, with the tutorial's literal commands.
	id, credentials := identify(t, p, stage.outputs["IdentityPoolId"], token)

	// Signed calls.
	if body := curl(t, p, credentials, stage.api()+"/private"); body != "Hello user!" {
		t.Fatalf("curl --aws-sigv4: %s", body)
	}
	p.roost("login", "twitter", "--as", "fanjiewang", "--dir", p.app)
	if out := p.roost("curl", "--dir", p.app, "/private"); out != "Hello user!" {
		t.Fatalf("roost curl: %q", out)
	}

	// Making changes while start runs.
	edit := edits[template]
	p.write(edit.file, edit.text)
	await(t, "the edited function", func() bool {
		return curl(t, p, credentials, stage.api()+"/private") == "Hello "+id+"!"
	})
	if out := p.roost("curl", "--dir", p.app, "/private"); out != "Hello "+id+"!" {
		t.Errorf("the same person has another identity: %s, not %s", out, id)
	}

	// Another environment beside it.
	prodFile := filepath.Join(p.home, "prod.json")
	p.roost("deploy", p.app, "--stage", "prod", "--to", "local", "--outputs-file", prodFile)
	prod := readOutputs(t, prodFile)
	if prod["ApiEndpoint"] == stage.outputs["ApiEndpoint"] || prod["IdentityPoolId"] == stage.outputs["IdentityPoolId"] {
		t.Fatalf("prod shares with dev: %v", prod)
	}
	if status, body := p.get(prod["ApiEndpoint"] + "/public"); status != 200 || body != "Hello stranger!" {
		t.Errorf("prod /public: %d %s", status, body)
	}
	if status, _ := tryCurl(t, p, credentials, prod["ApiEndpoint"]+"/private"); status != "403" {
		t.Errorf("dev's credentials on prod's private route: %s", status)
	}

	// Cleaning up.
	p.roost("remove", p.app, "--stage", "prod")
	if body := curl(t, p, credentials, stage.api()+"/private"); body != "Hello "+id+"!" {
		t.Errorf("dev after the removal of prod: %s", body)
	}
	p.roost("remove", p.app)
	nothingDeployed(t, p)
	if out, status := p.try("", program, "remove", p.app); status != 1 || !strings.Contains(out, "stage dev of app is not there") {
		t.Errorf("removing a stage that is not there: exit status %d\n%s", status, out)
	}
	endpoint, api := p.region().Endpoint, stage.api()
	if status := stage.interrupt(); status != 0 {
		t.Errorf("start ended with %d\n%s", status, stage.said())
	}
	for _, address := range []string{endpoint, api} {
		if conn, err := net.Dial("tcp", strings.TrimPrefix(address, "http://")); err == nil {
			conn.Close()
			t.Errorf("%s is still open", address)
		}
	}
	nothingRuns(t, p)
}

// checkResultBlock compares what start prints with the tutorial's block.
func checkResultBlock(t *testing.T, stage *running) {
	t.Helper()
	name := "dev-" + filepath.Base(stage.p.app) + "-my-stack"
	want := regexp.MustCompile(`(?m)^Stack ` + name + `\n  Status: deployed\n  Outputs:\n    ApiEndpoint: http://127\.0\.0\.1:\d+\n    IdentityPoolId: us-east-1:[0-9a-f-]{36}\n`)
	await(t, "the result block", func() bool { return strings.Contains(stage.said(), "IdentityPoolId: ") })
	if !want.MatchString(stage.said()) {
		t.Errorf("the result block is not the tutorial's:\n%s", stage.said())
	}
}

// authorize runs "roost twitter authorize" and signs in on the page that it
// names, as a browser does.
func authorize(t *testing.T, p *person, name string) {
	t.Helper()
	command := exec.Command(program, "twitter", "authorize", "--consumer-key", consumerKey, "--consumer-secret", consumerSecret, "--url", p.region().Twitter)
	command.Dir, command.Env = p.home, p.env
	stdin, err := command.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := command.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	command.Stderr = os.Stderr
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	prompt := regexp.MustCompile(`Go to (\S+) and paste in the supplied PIN`)
	said := ""
	buffer := make([]byte, 4096)
	for !prompt.MatchString(said) {
		n, err := stdout.Read(buffer)
		said += string(buffer[:n])
		if err != nil {
			t.Fatalf("no URL to go to: %q", said)
		}
	}
	io.WriteString(stdin, pin(t, prompt.FindStringSubmatch(said)[1], name)+"\n")
	rest, err := io.ReadAll(stdout)
	if err != nil {
		t.Fatal(err)
	}
	if err := command.Wait(); err != nil || !strings.Contains(string(rest), "Authorization successful") {
		t.Fatalf("%v: %s", err, rest)
	}
}

// pin fills the sign-in page's form in and returns the PIN that it shows.
func pin(t *testing.T, page, name string) string {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	client := &http.Client{Jar: jar}
	response, err := client.Get(page)
	if err != nil {
		t.Fatal(err)
	}
	body, _ := io.ReadAll(response.Body)
	response.Body.Close()
	form := url.Values{"screen_name": {name}}
	for _, hidden := range regexp.MustCompile(`<input type="hidden" name="([^"]+)" value="([^"]*)"`).FindAllStringSubmatch(string(body), -1) {
		form.Set(hidden[1], hidden[2])
	}
	action := regexp.MustCompile(`<form[^>]*action="([^"]*)"`).FindStringSubmatch(string(body))
	target := response.Request.URL
	if action != nil && action[1] != "" {
		if target, err = target.Parse(strings.ReplaceAll(action[1], "&amp;", "&")); err != nil {
			t.Fatal(err)
		}
	}
	response, err = client.PostForm(target.String(), form)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, _ = io.ReadAll(response.Body)
	found := regexp.MustCompile(`<code id="pin">(\d+)</code>`).FindSubmatch(body)
	if found == nil {
		t.Fatalf("no PIN on the page:\n%s", body)
	}
	return string(found[1])
}

// twurlToken reads TOKEN:SECRET from ~/.twurlrc as twurl writes it.
func twurlToken(t *testing.T, p *person, name string) string {
	t.Helper()
	file := filepath.Join(p.home, ".twurlrc")
	info, err := os.Stat(file)
	if err != nil {
		t.Fatal(err)
	}
	if info.Mode().Perm() != 0o600 {
		t.Errorf("%s has mode %o", file, info.Mode().Perm())
	}
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var content struct {
		Profiles      map[string]map[string]map[string]string
		Configuration map[string][]string
	}
	if err := yaml.Unmarshal(data, &content); err != nil {
		t.Fatal(err)
	}
	profile := content.Profiles[name][consumerKey]
	if profile["username"] != name || profile["consumer_secret"] != consumerSecret {
		t.Fatalf("%s:\n%s", file, data)
	}
	return profile["token"] + ":" + profile["secret"]
}

type credentials struct{ AccessKeyID, SecretKey, SessionToken string }

// identify takes the tutorial's two steps with the AWS CLI.
func identify(t *testing.T, p *person, pool, token string) (string, credentials) {
	t.Helper()
	var identity struct{ IdentityId string }
	if out, status := p.aws(&identity, "cognito-identity", "get-id", "--identity-pool-id", pool, "--logins", "api.twitter.com="+token); status != 0 {
		t.Fatalf("get-id: %s", out)
	}
	var given struct {
		Credentials struct{ AccessKeyId, SecretKey, SessionToken string }
	}
	if out, status := p.aws(&given, "cognito-identity", "get-credentials-for-identity", "--identity-id", identity.IdentityId, "--logins", "api.twitter.com="+token); status != 0 {
		t.Fatalf("get-credentials-for-identity: %s", out)
	}
	return identity.IdentityId, credentials{given.Credentials.AccessKeyId, given.Credentials.SecretKey, given.Credentials.SessionToken}
}

// tryCurl sends a request that curl signs, and returns status and body.
func tryCurl(t *testing.T, p *person, c credentials, address string, more ...string) (status, body string) {
	t.Helper()
	args := append([]string{
		"--silent", "--aws-sigv4", "aws:amz:us-east-1:execute-api", "--user", c.AccessKeyID + ":" + c.SecretKey,
		"--header", "x-amz-security-token: " + c.SessionToken, "--write-out", "\n%{http_code}", address,
	}, more...)
	out, exit := p.try("", need.Tool(t, "curl"), args...)
	if exit != 0 {
		t.Fatalf("curl ended with %d: %s", exit, out)
	}
	body, status, _ = cutLast(out, "\n")
	return status, body
}

func cutLast(text, separator string) (before, after string, found bool) {
	i := strings.LastIndex(text, separator)
	if i < 0 {
		return text, "", false
	}
	return text[:i], text[i+len(separator):], true
}

func curl(t *testing.T, p *person, c credentials, address string) string {
	t.Helper()
	_, body := tryCurl(t, p, c, address)
	return body
}

// admin has the AWS CLI act as the user who administers the region.
func (p *person) admin() *person {
	r := p.region()
	admin := *p
	admin.env = append(admin.env[:len(admin.env):len(admin.env)], "AWS_ACCESS_KEY_ID="+r.AccessKeyID, "AWS_SECRET_ACCESS_KEY="+r.SecretAccessKey)
	return &admin
}

// nothingDeployed looks with the AWS CLI for what a removal must not leave.
func nothingDeployed(t *testing.T, p *person) {
	t.Helper()
	for _, check := range []struct{ query, service, operation string }{
		{"length(Stacks)", "cloudformation", "describe-stacks"},
		{"length(Roles)", "iam", "list-roles"},
		{"length(Functions)", "lambda", "list-functions"},
		{"length(Items)", "apigatewayv2", "get-apis"},
		{"length(logGroups)", "logs", "describe-log-groups"},
	} {
		out, status := p.admin().aws(nil, check.service, check.operation, "--query", check.query)
		if status != 0 || strings.TrimSpace(out) != "0" {
			t.Errorf("%s %s after the removal: %s", check.service, check.operation, out)
		}
	}
	out, status := p.admin().aws(nil, "cognito-identity", "list-identity-pools", "--max-results", "10", "--query", "length(IdentityPools)")
	if status != 0 || strings.TrimSpace(out) != "0" {
		t.Errorf("identity pools after the removal: %s", out)
	}
}

// nothingRuns looks for processes that a region left.
func nothingRuns(t *testing.T, p *person) {
	t.Helper()
	await(t, "the end of every process", func() bool {
		out, err := exec.Command("ps", "-eo", "pid,args").Output()
		if err != nil {
			t.Fatal(err)
		}
		return !strings.Contains(string(out), p.app)
	})
}
