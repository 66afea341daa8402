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
	"github.com/seed-615d3599/roost/sigv4"
)

// world is IAM and STS with two roles, sessions of them, and requests that the
// SDK has signed with the first one's key.
type world struct {
	dir      string
	db       *store.DB
	access   *access.Access
	at       time.Time
	key      aws.Credentials
	verifier sigv4.Verifier
	get, put sigv4.Request
	unsigned *http.Request
	signer   *v4.Signer
	hash     string
	body     []byte
	roles    []*role
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
	if err := errors.Join(w.addRole("ordinary", ordinaryPolicy), w.addRole("worst", worstPolicy)); err != nil {
		return nil, err
	}
	for _, role := range w.roles { // now that access knows all roles
		if err := w.ask(role); err != nil {
			return nil, err
		}
	}
	return w, w.signRequests()
}

func (w *world) close() {
	w.db.Close()
	os.RemoveAll(w.dir)
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

func (w *world) decide(role *role) {
	decision, err := w.access.Decide(role.question, nil)
	w.note(err)
	w.allowed(decision)
}

func (w *world) decideBare(r iam.Request, p iam.Policies) { w.allowed(iam.Decide(r, p, nil)) }

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
	r.line("state file before and after, bytes", fmt.Sprint(fileAfter), fmt.Sprint(file), float64(fileAfter-file), 0)
	return nil
}

func (w *world) useSession() error {
	given, err := w.newSession(w.roles[0].arn)
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
