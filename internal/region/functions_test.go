package region_test

import (
	"archive/zip"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"io"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"

	"github.com/seed-615d3599/roost/internal/need"
	"github.com/seed-615d3599/roost/internal/region"
	"github.com/seed-615d3599/roost/internal/region/lambda/isolation"
)

// The test's own program is also what isolates functions.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == isolation.Argument {
		os.Exit(isolation.Main(os.Args[2:], os.Stderr))
	}
	os.Exit(m.Run())
}

type object = map[string]any

// opened is a region of a test.
type opened struct {
	*region.Region
	t testing.TB
}

func open(t testing.TB, config region.Config) *opened {
	t.Helper()
	r, err := region.Start(context.Background(), config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := r.Close(); err != nil {
			t.Error(err)
		}
	})
	return &opened{Region: r, t: t}
}

func (r *opened) must(service, operation string, in, out any) {
	r.t.Helper()
	if err := r.Call(context.Background(), service, operation, in, out); err != nil {
		r.t.Fatalf("%s: %v", operation, err)
	}
}

// create makes a function "f" of one file, with a role that may do nothing.
func (r *opened) create(runtime, handler, file, source string) {
	r.t.Helper()
	trust := `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"lambda.amazonaws.com"},"Action":"sts:AssumeRole"}]}`
	var role struct{ Role struct{ Arn string } }
	r.must("iam", "CreateRole", object{"RoleName": "f", "AssumeRolePolicyDocument": trust}, &role)
	var archive bytes.Buffer
	w := zip.NewWriter(&archive)
	header := &zip.FileHeader{Name: file, Method: zip.Deflate}
	header.SetMode(0o755)
	part, err := w.CreateHeader(header)
	if err != nil {
		r.t.Fatal(err)
	}
	if _, err := io.WriteString(part, source); err != nil {
		r.t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		r.t.Fatal(err)
	}
	r.must("lambda", "CreateFunction", object{"FunctionName": "f", "Runtime": runtime, "Handler": handler, "Role": role.Role.Arn, "Timeout": 20,
		"Code": object{"ZipFile": archive.Bytes()}}, nil)
}

func (r *opened) invoke(payload string) (response, functionError string) {
	r.t.Helper()
	out, functionError, err := r.Invoke(context.Background(), "f", []byte(payload))
	if err != nil {
		r.t.Fatal(err)
	}
	return string(out), functionError
}

// shell is a custom runtime as the Lambda Developer Guide's tutorial has it: a
// shell script that speaks the Runtime API with curl.
const shell = `#!/bin/bash
set -euo pipefail
headers="$TMPDIR/headers"
api="http://$AWS_LAMBDA_RUNTIME_API/2018-06-01/runtime"
while true; do
  event=$(curl -sS -LD "$headers" "$api/invocation/next")
  id=$(grep -Fi Lambda-Runtime-Aws-Request-Id "$headers" | tr -d '[:space:]' | cut -d: -f2)
  case "$event" in
    *fail*) curl -sS -o /dev/null "$api/invocation/$id/error" -H 'Lambda-Runtime-Function-Error-Type: Function.Asked' -d '{"errorType":"Asked","errorMessage":"as asked"}';;
    *) curl -sS -o /dev/null "$api/invocation/$id/response" -d "{\"handler\":\"$_HANDLER\",\"event\":$event}";;
  esac
done
`

func TestACustomRuntime(t *testing.T) {
	need.Tool(t, "bash")
	need.Tool(t, "curl")
	r := open(t, region.Config{Dir: t.TempDir()})
	r.create("provided.al2023", "function.handler", "bootstrap", shell)
	for range 2 {
		if got, failed := r.invoke(`{"a":1}`); failed != "" || got != `{"handler":"function.handler","event":{"a":1}}` {
			t.Errorf("got %s %s", failed, got)
		}
	}
	if got, failed := r.invoke(`{"fail":1}`); failed != "Unhandled" || got != `{"errorType":"Asked","errorMessage":"as asked"}` {
		t.Errorf("got %s %s", failed, got)
	}
}

func TestCodeCanBeDownloaded(t *testing.T) {
	r := open(t, region.Config{Dir: t.TempDir()})
	r.create("provided.al2023", "function.handler", "bootstrap", shell)
	var out struct {
		Configuration struct{ CodeSha256 string }
		Code          struct{ Location string }
	}
	r.must("lambda", "GetFunction", object{"FunctionName": "f"}, &out)
	status, body := r.get(out.Code.Location, "", nil)
	sum := sha256.Sum256([]byte(body))
	if status != 200 || base64.StdEncoding.EncodeToString(sum[:]) != out.Configuration.CodeSha256 {
		t.Errorf("got %d and %d bytes of another hash", status, len(body))
	}
	for _, url := range []string{strings.Replace(out.Code.Location, "expires=", "expires=9", 1), strings.Replace(out.Code.Location, "sha256=", "sha256=0", 1), r.Endpoint + "/.roost/lambda/code"} {
		if status, body := r.get(url, "", nil); status != 403 || !strings.Contains(body, "ask GetFunction for one") {
			t.Errorf("%s: got %d %s", url, status, body)
		}
	}
}

// get asks for a function URL, signed with a key unless that is nil, and by
// another host than the address unless that is empty.
func (r *opened) get(url, host string, key *aws.Credentials) (int, string) {
	r.t.Helper()
	request, err := http.NewRequest("GET", url, nil)
	if err != nil {
		r.t.Fatal(err)
	}
	if host != "" {
		request.Host = host
	}
	if key != nil {
		none := sha256.Sum256(nil)
		if err := v4.NewSigner().SignHTTP(context.Background(), *key, request, hex.EncodeToString(none[:]), "lambda", r.Name, time.Now()); err != nil {
			r.t.Fatal(err)
		}
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		r.t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		r.t.Fatal(err)
	}
	return response.StatusCode, string(body)
}

func TestFunctionURLs(t *testing.T) {
	need.Tool(t, "node")
	dir := t.TempDir()
	r := open(t, region.Config{Dir: dir})
	r.create("nodejs22.x", "index.handler", "index.js", `exports.handler = async ({ requestContext: its }) => its.apiId + ' ' + (its.authorizer?.iam.userArn ?? 'nobody')`)
	var made struct{ FunctionUrl string }
	r.must("lambda", "CreateFunctionUrlConfig", object{"FunctionName": "f", "AuthType": "AWS_IAM"}, &made)
	mine := &aws.Credentials{AccessKeyID: r.AccessKeyID, SecretAccessKey: r.SecretAccessKey}
	if status, body := r.get(made.FunctionUrl, "", nil); status != 403 || !strings.Contains(body, "Forbidden") {
		t.Errorf("unsigned: got %d %s", status, body)
	}
	if status, body := r.get(made.FunctionUrl, "", &aws.Credentials{AccessKeyID: r.AccessKeyID, SecretAccessKey: "x"}); status != 403 {
		t.Errorf("another secret: got %d %s", status, body)
	}
	status, body := r.get(made.FunctionUrl, "", mine)
	id, who, _ := strings.Cut(body, " ")
	if status != 200 || who != "arn:aws:iam::"+r.Account+":user/roost" {
		t.Fatalf("signed: got %d %s", status, body)
	}
	host, want := id+".lambda-url.us-east-1.on.aws", body
	if status, body := r.get(r.Endpoint, host, mine); status != 200 || body != want {
		t.Errorf("by AWS's host: got %d %s", status, body)
	}

	// It answers after a restart too.
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	r = open(t, region.Config{Dir: dir})
	r.must("lambda", "GetFunctionUrlConfig", object{"FunctionName": "f"}, &made)
	if status, body := r.get(made.FunctionUrl, "", mine); status != 200 || body != want {
		t.Errorf("after a restart: got %d %s", status, body)
	}
	r.must("lambda", "UpdateFunctionUrlConfig", object{"FunctionName": "f", "AuthType": "NONE"}, nil)
	r.must("lambda", "AddPermission", object{"FunctionName": "f", "StatementId": "all", "Action": "lambda:InvokeFunctionUrl", "Principal": "*", "FunctionUrlAuthType": "NONE"}, nil)
	if status, body := r.get(made.FunctionUrl, "", nil); status != 200 || body != id+" nobody" {
		t.Errorf("open: got %d %s", status, body)
	}
}

// signedCall is what an SDK does, with nothing but Node's own modules: a call
// signed with the function's credentials at its AWS_ENDPOINT_URL.
const signedCall = `
const { createHash, createHmac } = require('node:crypto')
const sha = (data) => createHash('sha256').update(data).digest('hex')
const mac = (key, data) => createHmac('sha256', key).update(data).digest()
exports.handler = async ({ service, method, path, target }) => {
  const env = process.env
  const url = new URL(path, env['AWS_ENDPOINT_URL_' + service.toUpperCase()] ?? env.AWS_ENDPOINT_URL)
  const date = new Date().toISOString().replace(/[-:]|\.\d+/g, '')
  const body = method === 'POST' ? '{}' : ''
  const headers = { host: url.host, 'x-amz-date': date, 'x-amz-security-token': env.AWS_SESSION_TOKEN }
  if (target) headers['x-amz-target'] = target
  const names = Object.keys(headers).sort()
  const canonical = [method, url.pathname, '', ...names.map((name) => name + ':' + headers[name]), '', names.join(';'), sha(body)].join('\n')
  const scope = [date.slice(0, 8), env.AWS_REGION, service, 'aws4_request']
  const key = scope.reduce(mac, 'AWS4' + env.AWS_SECRET_ACCESS_KEY)
  const signature = mac(key, ['AWS4-HMAC-SHA256', date, scope.join('/'), sha(canonical)].join('\n')).toString('hex')
  headers.authorization = 'AWS4-HMAC-SHA256 Credential=' + env.AWS_ACCESS_KEY_ID + '/' + scope.join('/') + ', SignedHeaders=' + names.join(';') + ', Signature=' + signature
  delete headers.host
  const answer = await fetch(url, { method, headers, body: body || undefined })
  return answer.status + ' ' + (await answer.text())
}
`

func TestFunctionsCallTheRegionAsTheirRoles(t *testing.T) {
	need.Tool(t, "node")
	r := open(t, region.Config{Dir: t.TempDir()})
	r.create("nodejs22.x", "index.handler", "index.js", signedCall)
	const list = `{"service":"lambda","method":"GET","path":"/2015-03-31/functions/"}`
	got, _ := r.invoke(list)
	if !strings.HasPrefix(got, `"403 `) || !strings.Contains(got, "assumed-role/f/ff is not authorized to perform: lambda:ListFunctions") {
		t.Errorf("without a policy: got %s", got)
	}
	r.must("iam", "PutRolePolicy", object{"RoleName": "f", "PolicyName": "list",
		"PolicyDocument": `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"lambda:ListFunctions","Resource":"*"}}`}, nil)
	if got, _ = r.invoke(list); !strings.HasPrefix(got, `"200 `) || !strings.Contains(got, "function:f") {
		t.Errorf("with a policy: got %s", got)
	}
	got, _ = r.invoke(`{"service":"dynamodb","method":"POST","path":"/","target":"DynamoDB_20120810.ListTables"}`)
	if !strings.HasPrefix(got, `"501 `) || !strings.Contains(got, "AWS_ENDPOINT_URL_DYNAMODB") {
		t.Errorf("a service that is not there: got %s", got)
	}
	// The app may set it, for a service that runs elsewhere.
	r.must("lambda", "UpdateFunctionConfiguration", object{"FunctionName": "f", "Environment": object{"Variables": object{"AWS_ENDPOINT_URL_DYNAMODB": r.Twitter}}}, nil)
	if got, _ = r.invoke(`{"service":"dynamodb","method":"POST","path":"/","target":"DynamoDB_20120810.ListTables"}`); strings.Contains(got, "roost has no service") {
		t.Errorf("with a service elsewhere: got %s", got)
	}
}

func TestAnotherVersionIsToldOnce(t *testing.T) {
	node := need.Tool(t, "node")
	out, err := exec.Command(node, "-p", "process.versions.node").Output()
	if err != nil {
		t.Fatal(err)
	}
	version := strings.TrimSpace(string(out))
	other := "nodejs20.x"
	if strings.HasPrefix(version, "20.") {
		other = "nodejs22.x"
	}
	var mu sync.Mutex
	var told []string
	r := open(t, region.Config{Dir: t.TempDir(), Warn: func(message string) {
		mu.Lock()
		defer mu.Unlock()
		told = append(told, message)
	}})
	r.create(other, "index.handler", "index.js", "exports.handler = async () => process.versions.node")
	for timeout := range 3 {
		if got, failed := r.invoke(`{}`); failed != "" || got != `"`+version+`"` {
			t.Errorf("got %s %s", failed, got)
		}
		r.must("lambda", "UpdateFunctionConfiguration", object{"FunctionName": "f", "Timeout": 20 + timeout}, nil)
	}
	mu.Lock()
	defer mu.Unlock()
	if len(told) != 1 || !strings.Contains(told[0], other) || !strings.Contains(told[0], version) {
		t.Errorf("told was %q", told)
	}
}

// where answers what a function sees of its paths.
const where = `
const fs = require('node:fs')
exports.handler = async (event) => {
  const { LAMBDA_TASK_ROOT, LAMBDA_RUNTIME_DIR, TMPDIR, LD_LIBRARY_PATH } = process.env
  const before = fs.readdirSync('/tmp')
  fs.writeFileSync('/tmp/mine', 'x')
  let written = true
  try { fs.writeFileSync('/var/task/index.js', '') } catch (error) { written = error.code }
  if (event.exit) process.exit(event.exit)
  if (event.hang) await new Promise(() => setInterval(() => {}, 1000))
  return [LAMBDA_TASK_ROOT, LAMBDA_RUNTIME_DIR, TMPDIR ?? '-', LD_LIBRARY_PATH, __filename, process.cwd(), before.join(), written, process.pid].join(' ')
}
`

func TestIsolatedFunctions(t *testing.T) {
	need.Tool(t, "node")
	executable, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	helper := []string{executable, isolation.Argument}
	if err := isolation.Probe(context.Background(), helper, t.TempDir()); err != nil {
		t.Skip(err) // not a tool that can be installed, but a permission of the kernel
	}
	r := open(t, region.Config{Dir: t.TempDir(), Isolate: helper})
	r.create("nodejs22.x", "index.handler", "index.js", where)
	const seen = `"/var/task /var/runtime - /var/task:/var/task/lib /var/task/index.js /var/task  EROFS 1"`
	if got, failed := r.invoke(`{}`); failed != "" || got != seen {
		t.Errorf("got %s %s", failed, got)
	}
	if got, _ := r.invoke(`{"exit":3}`); !strings.Contains(got, "Runtime exited with error: exit status 3") {
		t.Errorf("an exit: got %s", got)
	}
	if got, failed := r.invoke(`{}`); failed != "" || got != seen {
		t.Errorf("after an exit: got %s %s", failed, got)
	}
	r.must("lambda", "UpdateFunctionConfiguration", object{"FunctionName": "f", "Timeout": 1}, nil)
	if got, _ := r.invoke(`{"hang":true}`); !strings.Contains(got, "Task timed out after 1.00 seconds") {
		t.Errorf("a timeout: got %s", got)
	}
	r.must("lambda", "UpdateFunctionConfiguration", object{"FunctionName": "f", "Runtime": "provided.al2023", "Timeout": 5}, nil)
	if got, _ := r.invoke(`{}`); !strings.Contains(got, "fork/exec /var/task/bootstrap: no such file or directory") {
		t.Errorf("no bootstrap: got %s", got)
	}
	if _, err := os.Stat("/tmp/mine"); err == nil {
		t.Error("the function wrote to this machine's /tmp")
	}
}

func TestIsolationThatIsNotPossibleIsRefused(t *testing.T) {
	r, err := region.Start(context.Background(), region.Config{Dir: t.TempDir(), Isolate: []string{"/nowhere"}})
	if err == nil {
		r.Close()
		t.Fatal("it starts")
	}
	if !strings.Contains(err.Error(), "tart without --isolate") {
		t.Errorf("got %v", err)
	}
}
