package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"

	"github.com/seed-615d3599/roost/iam"
	"github.com/seed-615d3599/roost/internal/region/access"
	"github.com/seed-615d3599/roost/internal/region/store"
	"github.com/seed-615d3599/roost/internal/region/wire"
	"github.com/seed-615d3599/roost/sigv4"
)

const roleARN = "arn:aws:iam::123456789012:role/app"

// world is IAM and STS with a role, a session of it, and requests that the SDK
// has signed with the session's key.
type world struct {
	dir      string
	db       *store.DB
	access   *access.Access
	at       time.Time
	key      aws.Credentials
	caller   *wire.Caller
	verifier sigv4.Verifier
	get, put sigv4.Request
	unsigned *http.Request
	signer   *v4.Signer
	hash     string
	body     []byte
	question access.Question
	bare     iam.Request
	policies iam.Policies
	tenfold  iam.Policies
	wrong    error // what failed in a measurement, which cannot return it
}

func newWorld() (*world, error) {
	w := &world{at: time.Now().UTC(), signer: v4.NewSigner(), hash: sigv4.HashPayload(nil), body: bytes.Repeat([]byte("x"), 1<<20)}
	var err error
	if w.dir, err = os.MkdirTemp("", "roost-bench-access"); err != nil {
		return nil, err
	}
	if w.db, err = store.Open(filepath.Join(w.dir, "region.db")); err != nil {
		return nil, err
	}
	w.access, err = access.New(access.Config{
		Account: "123456789012", Region: "us-east-1", DB: w.db, MasterKey: make([]byte, 32), Now: func() time.Time { return w.at },
	})
	if err != nil {
		return nil, err
	}
	if err := errors.Join(w.makeRole(), w.makeSession(), w.signRequests(), w.makePolicies()); err != nil {
		return nil, err
	}
	w.question = access.Question{Caller: w.caller, Action: w.bare.Action, Resource: w.bare.Resource, Context: w.bare.Context}
	return w, nil
}

func (w *world) close() {
	w.db.Close()
	os.RemoveAll(w.dir)
}

// services take turns, as a role's policies are about several: one in three
// policies is about APIs.
var services = [...]string{"execute-api", "sqs", "dynamodb"}

// document is a policy of ten statements that do not allow the request, each
// failing at another of its elements; the last policy's last one allows it, so
// that every statement is looked at.
func document(n int, last bool) string {
	service, text := services[n%len(services)], ""
	for i := range 9 {
		switch {
		case i == 8:
			text += fmt.Sprintf(`{"Effect":"Deny","Action":"%s:*","Resource":"*","Condition":{"NotIpAddress":{"aws:SourceIp":["127.0.0.0/8","10.%d.0.0/16"]}}},`, service, n%200)
		case i%2 == 0:
			text += fmt.Sprintf(`{"Effect":"Allow","Action":"%s:Invoke","Resource":"arn:aws:%s:us-east-1:123456789012:other%d/*/GET/%d"},`, service, service, n, i)
		default:
			text += fmt.Sprintf(`{"Effect":"Allow","Action":["s3:Get*","%s:Send*"],"Resource":"arn:aws:s3:::bucket%d/*"},`, service, n)
		}
	}
	resource := "arn:aws:execute-api:us-east-1:123456789012:api/*/DELETE/*"
	if last {
		resource = "arn:aws:execute-api:us-east-1:123456789012:api/*/GET/*"
	}
	return `{"Version":"2012-10-17","Statement":[` + text + `{"Effect":"Allow","Action":"execute-api:Invoke","Resource":"` + resource + `"}]}`
}

// makeRole makes the role with ten managed policies.
func (w *world) makeRole() error {
	service := w.access.IAM()
	service.Authorize = func(context.Context, *wire.Call, []wire.Target) error { return nil }
	call := func(operation string, in map[string]any) error {
		return service.Call(context.Background(), wire.Call{}, operation, in, nil)
	}
	err := call("CreateRole", map[string]any{"RoleName": "app", "AssumeRolePolicyDocument": `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":{"Service":"lambda.amazonaws.com"},"Action":"sts:AssumeRole"}}`})
	for i := range 10 {
		name := fmt.Sprint("policy", i)
		err = errors.Join(err,
			call("CreatePolicy", map[string]any{"PolicyName": name, "PolicyDocument": document(i, i == 9)}),
			call("AttachRolePolicy", map[string]any{"RoleName": "app", "PolicyArn": "arn:aws:iam::123456789012:policy/" + name}))
	}
	return err
}

// newSession makes a session of the role.
func (w *world) newSession() (*access.Credentials, error) {
	return w.access.ServiceCredentials("lambda.amazonaws.com", roleARN, "bench")
}

func (w *world) makeSession() error {
	given, err := w.newSession()
	if err != nil {
		return err
	}
	w.key = aws.Credentials{AccessKeyID: given.AccessKeyID, SecretAccessKey: given.SecretAccessKey, SessionToken: given.SessionToken}
	_, w.caller, err = w.access.Key(context.Background(), given.AccessKeyID, given.SessionToken)
	return err
}

// request is a GET or a PUT with a query, signed by the SDK.
func (w *world) request(method, hash string) (*http.Request, error) {
	r, err := http.NewRequest(method, "https://api.execute-api.us-east-1.amazonaws.com/prod/items/42?limit=10&after=2026-01-01", nil)
	if err != nil {
		return nil, err
	}
	r.Header.Set("Accept", "application/json")
	return r, w.signer.SignHTTP(context.Background(), w.key, r, hash, "execute-api", "us-east-1", w.at)
}

func (w *world) signRequests() error {
	w.verifier = sigv4.Verifier{Service: "execute-api", Regions: []string{"us-east-1"}, Now: func() time.Time { return w.at }}
	get, err := w.request("GET", w.hash)
	if err != nil {
		return err
	}
	put, err := w.request("PUT", sigv4.HashPayload(w.body))
	if err != nil {
		return err
	}
	w.get, w.put, w.unsigned = sigv4.FromHTTP(get), sigv4.FromHTTP(put), get.Clone(context.Background())
	w.put.Body = w.body
	return nil
}

func (w *world) makePolicies() error {
	w.bare = iam.Request{
		Principal: iam.Principal{Kind: iam.AssumedRole, ARN: w.caller.ARN, RoleARN: roleARN, Account: w.caller.Account},
		Action:    "execute-api:Invoke", Resource: "arn:aws:execute-api:us-east-1:123456789012:api/$default/GET/items/42",
		Context: iam.Context{{Name: "aws:SourceIp", Value: "127.0.0.1"}, {Name: "aws:UserAgent", Value: "curl/8"}, {Name: "aws:SecureTransport", Value: "false"}},
	}
	var err error
	if w.policies.Identity, err = policies(10); err != nil {
		return err
	}
	w.tenfold.Identity, err = policies(100)
	return err
}

func policies(n int) ([]iam.Attached, error) {
	var list []iam.Attached
	for i := range n {
		policy, err := iam.Parse([]byte(document(i, i == n-1)))
		if err != nil {
			return nil, err
		}
		list = append(list, iam.Attached{Name: fmt.Sprint("policy", i), Policy: policy})
	}
	return list, nil
}

func (w *world) sign() {
	w.note(w.signer.SignHTTP(context.Background(), w.key, w.unsigned, w.hash, "execute-api", "us-east-1", w.at))
}

func (w *world) secret(id, token string) (string, error) {
	secret, _, err := w.access.Key(context.Background(), id, token)
	return secret, err
}

func (w *world) verify() {
	_, err := w.verifier.Verify(&w.get, w.secret)
	w.note(err)
}

func (w *world) verifyBody() {
	_, err := w.verifier.Verify(&w.put, w.secret)
	w.note(err)
}

func (w *world) hashBody() { sha256.Sum256(w.body) }

func (w *world) decide() {
	decision, err := w.access.Decide(w.question, nil)
	w.note(err)
	w.allowed(decision)
}

func (w *world) decideBare()    { w.allowed(iam.Decide(w.bare, w.policies, nil)) }
func (w *world) decideTenfold() { w.allowed(iam.Decide(w.bare, w.tenfold, nil)) }

func (w *world) allowed(decision iam.Decision) {
	if decision.Outcome != iam.Allowed {
		w.note(fmt.Errorf("the decision is %v", decision.Outcome))
	}
}

func (w *world) note(err error) {
	if err != nil && w.wrong == nil {
		w.wrong = err
	}
}

// live makes sessions and uses each, and compares memory and state file before
// and after.
func (w *world) live(r *report, sessions int) error {
	if w.wrong != nil {
		return w.wrong
	}
	for range 2000 { // fill what is remembered
		if err := w.useSession(); err != nil {
			return err
		}
	}
	heap, file := w.weight()
	for range sessions {
		if err := w.useSession(); err != nil {
			return err
		}
	}
	heapAfter, fileAfter := w.weight()
	r.line(fmt.Sprintf("memory before and after %d sessions, MB", sessions), fmt.Sprintf("%.1f", heapAfter), fmt.Sprintf("%.1f", heap), heapAfter-heap, sessionGrowth)
	r.line("state file before and after, bytes", fileAfter, file, float64(fileAfter-file), 0)
	return nil
}

func (w *world) useSession() error {
	given, err := w.newSession()
	if err != nil {
		return err
	}
	_, _, err = w.access.Key(context.Background(), given.AccessKeyID, given.SessionToken)
	return err
}

// weight is the heap in MB and the bytes of the state's files.
func (w *world) weight() (heap float64, file int64) {
	runtime.GC()
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	entries, _ := os.ReadDir(w.dir)
	for _, entry := range entries {
		if info, err := entry.Info(); err == nil {
			file += info.Size()
		}
	}
	return float64(stats.HeapAlloc) / 1e6, file
}
