package oidc

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
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
		set := jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: &key.PublicKey, KeyID: i.kid}}}
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
		key, err := keys.Find(t.Context(), kid)
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
			key, err := New(Config{Issuer: "https://a.test/pool", Transport: i, MaxBytes: 1000, Kept: time.Hour}).Find(t.Context(), "1")
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
	if key, err := keys.Find(t.Context(), "1"); key == nil {
		t.Fatal(err)
	}
	i.gate, i.waiting = make(chan struct{}), make(chan struct{}, 2)
	var unknown sync.WaitGroup
	unknown.Go(func() {
		if key, err := keys.Find(t.Context(), "2"); key != nil || err != nil {
			t.Errorf("an unknown key: %v, %v", key, err)
		}
	})
	<-i.waiting
	if key, err := keys.Find(t.Context(), "1"); key == nil {
		t.Error(err)
	}
	close(i.gate)
	unknown.Wait()
}
