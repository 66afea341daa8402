package sigv4_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/seed-615d3599/roost/sigv4"
)

// signedGET is the request of the figures: a GET with a session token and a
// query, signed by aws-sdk-go-v2.
type signedGET struct {
	credentials aws.Credentials
	at          time.Time
	verifier    sigv4.Verifier
	received    sigv4.Request
}

const benchSecret = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"

func newSignedGET(t testing.TB) signedGET {
	t.Helper()
	g := signedGET{
		credentials: aws.Credentials{AccessKeyID: "ASIAIOSFODNN7EXAMPLE", SecretAccessKey: benchSecret, SessionToken: strings.Repeat("FwoGZXIvYXdzEJr", 50)},
		at:          time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC),
	}
	g.verifier = sigv4.Verifier{Service: "execute-api", Regions: []string{"us-east-1"}, Now: func() time.Time { return g.at }}
	r := newGET(t)
	g.sign(t, v4.NewSigner(), r)
	g.received = sigv4.FromHTTP(r)
	return g
}

func newGET(t testing.TB) *http.Request {
	t.Helper()
	r, err := http.NewRequest("GET", "https://abc123.execute-api.us-east-1.amazonaws.com/prod/items/42?limit=10&after=2026-01-01", nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Accept", "application/json")
	return r
}

func (g signedGET) sign(t testing.TB, signer *v4.Signer, r *http.Request) {
	t.Helper()
	if err := signer.SignHTTP(context.Background(), g.credentials, r, sigv4.HashPayload(nil), "execute-api", "us-east-1", g.at); err != nil {
		t.Fatal(err)
	}
}

func (g signedGET) key(id, token string) (string, error) { return benchSecret, nil }

func (g signedGET) verify(t testing.TB) {
	if _, err := g.verifier.Verify(&g.received, g.key); err != nil {
		t.Fatal(err)
	}
}

// BenchmarkVerifyGET is to be no slower than BenchmarkSDKSignGET.
func BenchmarkVerifyGET(b *testing.B) {
	g := newSignedGET(b)
	b.ReportAllocs()
	for b.Loop() {
		g.verify(b)
	}
}

// BenchmarkVerifyHTTPGET takes in the conversion from *http.Request.
func BenchmarkVerifyHTTPGET(b *testing.B) {
	g, r := newSignedGET(b), newGET(b)
	g.sign(b, v4.NewSigner(), r)
	b.ReportAllocs()
	for b.Loop() {
		g.received = sigv4.FromHTTP(r)
		g.verify(b)
	}
}

// BenchmarkSDKSignGET is aws-sdk-go-v2's signer, whose signing keys are cached.
func BenchmarkSDKSignGET(b *testing.B) {
	g, r, signer := newSignedGET(b), newGET(b), v4.NewSigner()
	b.ReportAllocs()
	for b.Loop() {
		g.sign(b, signer, r)
	}
}

// BenchmarkVerify1MiB is to cost what BenchmarkSHA256Of1MiB costs.
func BenchmarkVerify1MiB(b *testing.B) {
	g, r := newSignedGET(b), newGET(b)
	body := bytes.Repeat([]byte("x"), 1<<20)
	if err := v4.NewSigner().SignHTTP(context.Background(), g.credentials, r, sigv4.HashPayload(body), "execute-api", "us-east-1", g.at); err != nil {
		b.Fatal(err)
	}
	g.received = sigv4.FromHTTP(r)
	g.received.Body = body
	b.SetBytes(1 << 20)
	b.ReportAllocs()
	for b.Loop() {
		g.verify(b)
	}
}

func BenchmarkSHA256Of1MiB(b *testing.B) {
	body := bytes.Repeat([]byte("x"), 1<<20)
	b.SetBytes(1 << 20)
	for b.Loop() {
		sha256.Sum256(body)
	}
}

// TestAllocations holds the limit of 12 for one GET, with and without net/http.
func TestAllocations(t *testing.T) {
	g, r := newSignedGET(t), newGET(t)
	if n := testing.AllocsPerRun(100, func() { g.verify(t) }); n > 12 {
		t.Errorf("Verify allocates %v times, want at most 12", n)
	}
	g.sign(t, v4.NewSigner(), r)
	if n := testing.AllocsPerRun(100, func() { g.received = sigv4.FromHTTP(r); g.verify(t) }); n > 12 {
		t.Errorf("FromHTTP and Verify allocate %v times, want at most 12", n)
	}
}
