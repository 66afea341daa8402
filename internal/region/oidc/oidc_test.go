package oidc

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
)

// issuer is an issuer behind a transport.
type issuer struct {
	t    *testing.T
	says string // the document that it shows
	kid  string
	more []jose.JSONWebKey // that it publishes before its own
	down bool

	mu      sync.Mutex
	asked   []string
	gate    chan struct{} // closed when requests may be answered; nil means at once
	waiting chan struct{} // gets one for each request that comes to the gate
}

func (i *issuer) RoundTrip(r *http.Request) (*http.Response, error) {
	i.mu.Lock()
	i.asked = append(i.asked, r.URL.String())
	i.mu.Unlock()
	if i.gate != nil {
		i.waiting <- struct{}{}
		<-i.gate
	}
	if i.down {
		return nil, errors.New("no route to host")
	}
	recorder := httptest.NewRecorder()
	switch r.URL.Path {
	case "/pool/.well-known/openid-configuration":
		recorder.WriteString(i.says)
	case "/moved":
		recorder.Header().Set("Location", "/keys")
		recorder.WriteHeader(http.StatusFound)
	case "/keys":
		key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			i.t.Error(err)
			break
		}
		set := jose.JSONWebKeySet{Keys: append(i.more, jose.JSONWebKey{Key: &key.PublicKey, KeyID: i.kid})}
		if err := json.NewEncoder(recorder).Encode(set); err != nil {
			i.t.Error(err)
		}
	default:
		recorder.WriteHeader(http.StatusNotFound)
	}
	return recorder.Result(), nil
}

const good = `{"issuer":"https://a.test/pool","jwks_uri":"https://keys.test/keys"}`

func TestKeysAreKeptAndReadAgain(t *testing.T) {
	i := &issuer{t: t, says: good, kid: "1"}
	now := time.Unix(1_700_000_000, 0)
	keys := New(Config{Issuer: "https://a.test/pool/", Transport: i, Now: func() time.Time { return now },
		Kept: time.Hour, Rest: time.Minute, Bridge: 2 * time.Hour})
	find := func(when, kid string, there bool, requests int) {
		t.Helper()
		key, err := keys.Find(t.Context(), kid, jose.ES256)
		if (key != nil) != there || err != nil != (i.down && !there) || len(i.asked) != requests {
			t.Errorf("%s: %v, %v after %d requests, want %d", when, key, err, len(i.asked), requests)
		}
	}
	find("first", "1", true, 2)
	find("again", "1", true, 2)
	i.kid = "2"
	find("a new key, at once", "2", false, 2)
	now = now.Add(time.Minute)
	find("a new key, later", "2", true, 4)
	find("the old key", "1", false, 4)
	now = now.Add(time.Hour)
	find("an hour later", "2", true, 6)
	now, i.down = now.Add(time.Hour), true
	find("an outage", "2", true, 7)
	find("an outage, at once", "2", true, 7)
	now = now.Add(2 * time.Hour)
	find("a long outage", "2", false, 8)
}

func TestAfterAFailureKeysAreReadAgainSooner(t *testing.T) {
	i := &issuer{t: t, says: good, kid: "1", down: true}
	now := time.Unix(1_700_000_000, 0)
	keys := New(Config{Issuer: "https://a.test/pool", Transport: i, Now: func() time.Time { return now },
		Kept: time.Hour, Rest: time.Minute, Retry: 10 * time.Second})
	find := func(when, kid string, there bool, requests int) {
		t.Helper()
		if key, _ := keys.Find(t.Context(), kid, jose.ES256); (key != nil) != there || len(i.asked) != requests {
			t.Errorf("%s: %v after %d requests, want %d", when, key, len(i.asked), requests)
		}
	}
	find("an outage", "1", false, 1)
	i.down = false
	now = now.Add(9 * time.Second)
	find("nine seconds later", "1", false, 1)
	now = now.Add(time.Second)
	find("ten seconds later", "1", true, 3)
	now = now.Add(10 * time.Second)
	find("an unknown key", "2", false, 3)
}

func TestKeysAreForSignaturesByTheAlgorithm(t *testing.T) {
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	ecKey, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	key := func(public any, use, algorithm string) jose.JSONWebKey {
		return jose.JSONWebKey{Key: public, KeyID: "1", Use: use, Algorithm: algorithm}
	}
	i := &issuer{t: t, says: good, kid: "other", more: []jose.JSONWebKey{
		key(&rsaKey.PublicKey, "enc", ""), key([]byte("a secret"), "sig", ""), key(&rsaKey.PublicKey, "sig", "RS512"), key(&ecKey.PublicKey, "", ""), key(&rsaKey.PublicKey, "sig", ""),
	}}
	keys := New(Config{Issuer: "https://a.test/pool", Transport: i, Kept: time.Hour, Rest: time.Hour})
	for by, want := range map[jose.SignatureAlgorithm]jose.JSONWebKey{jose.RS512: i.more[2], jose.ES256: i.more[3], jose.RS256: i.more[4]} {
		found, err := keys.Find(t.Context(), "1", by)
		if err != nil || found == nil {
			t.Errorf("%s: %v", by, err)
		} else if _, isRSA := found.Key.(*rsa.PublicKey); isRSA != (by != jose.ES256) || found.Use != want.Use || found.Algorithm != want.Algorithm {
			t.Errorf("%s: found %+v", by, found)
		}
	}
	for _, by := range []jose.SignatureAlgorithm{jose.HS256, jose.EdDSA, "none"} {
		if found, _ := keys.Find(t.Context(), "1", by); found != nil {
			t.Errorf("%s: found %+v", by, found)
		}
	}
}

func TestWhatAnIssuerMustNotSay(t *testing.T) {
	for name, test := range map[string]struct {
		says, want string
		requests   int
	}{
		"another issuer":   {`{"issuer":"https://evil.test","jwks_uri":"https://a.test/keys"}`, "its issuer is", 1},
		"keys over HTTP":   {`{"issuer":"https://a.test/pool","jwks_uri":"http://a.test/keys"}`, "not at an https URL", 1},
		"keys in a file":   {`{"issuer":"https://a.test/pool","jwks_uri":"file:///keys"}`, "not at an https URL", 1},
		"keys elsewhere":   {`{"issuer":"https://a.test/pool","jwks_uri":"https://a.test/moved"}`, "302", 2},
		"no keys":          {`{"issuer":"https://a.test/pool","jwks_uri":"https://a.test/nothing"}`, "404", 2},
		"something else":   {`<html>`, "not what it should be", 1},
		"without an end":   {good + strings.Repeat(" ", 1000), "longer than 1000 bytes", 1},
		"no keys' address": {`{"issuer":"https://a.test/pool"}`, "not at an https URL", 1},
	} {
		t.Run(name, func(t *testing.T) {
			i := &issuer{t: t, says: test.says, kid: "1"}
			key, err := New(Config{Issuer: "https://a.test/pool", Transport: i, MaxBytes: 1000, Kept: time.Hour}).Find(t.Context(), "1", jose.ES256)
			if key != nil || err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("%v, %v, want an error that says %s", key, err, test.want)
			}
			if len(i.asked) != test.requests {
				t.Errorf("it was asked for %q", i.asked)
			}
		})
	}
}

// TestKnownKeysDoNotWait holds that who names a known key need not wait for the
// reading that an unknown one has begun.
func TestKnownKeysDoNotWait(t *testing.T) {
	i := &issuer{t: t, says: good, kid: "1"}
	keys := New(Config{Issuer: "https://a.test/pool", Transport: i, Kept: time.Hour})
	if key, err := keys.Find(t.Context(), "1", jose.ES256); key == nil {
		t.Fatal(err)
	}
	i.gate, i.waiting = make(chan struct{}), make(chan struct{}, 2)
	var unknown sync.WaitGroup
	unknown.Go(func() {
		if key, err := keys.Find(t.Context(), "2", jose.ES256); key != nil || err != nil {
			t.Errorf("an unknown key: %v, %v", key, err)
		}
	})
	<-i.waiting
	if key, err := keys.Find(t.Context(), "1", jose.ES256); key == nil {
		t.Error(err)
	}
	close(i.gate)
	unknown.Wait()
}
