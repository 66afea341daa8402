// Package oidc reads the keys that OpenID Connect issuers publish (OpenID Connect
// Discovery 1.0, section 4), and keeps them.
//
//	keys := oidc.New(oidc.Config{Issuer: "https://accounts.google.com", Kept: time.Hour, Rest: time.Minute})
//	key, err := keys.Find(ctx, kid, jose.RS256) // nil where the issuer has no such key
//
// Keys are read again when they are old or a token names one that is not among
// them, as issuers change theirs, but not with every wrong token: at least Rest
// lies between two readings, or Retry after one that failed. What comes is bounded, redirects are not followed,
// and what an issuer at an https URL says must be at https URLs too.
package oidc

import (
	"context"
	"crypto/ecdsa"
	"crypto/rsa"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/go-jose/go-jose/v4"
	"golang.org/x/sync/singleflight"
)

// Config is what New needs. Only Issuer must be given.
type Config struct {
	Issuer    string            // a URL; one slash at the end more or less makes no difference
	Transport http.RoundTripper // nil means http.DefaultTransport
	Now       func() time.Time  // nil means time.Now
	Timeout   time.Duration     // of a reading, two requests; 0 means 5 seconds
	MaxBytes  int64             // of an answer; 0 means 256 KiB
	Kept      time.Duration     // how long keys are used before they are read again
	Rest      time.Duration     // the least time between two readings
	Retry     time.Duration     // the same where the former failed; 0 means Rest
	Bridge    time.Duration     // how much longer keys are used while they cannot be read
}

// Keys are the keys of one issuer. Make them with New. They can be used by
// several goroutines, of which one at a time reads.
type Keys struct {
	config  Config
	client  *http.Client
	reading singleflight.Group

	mu      sync.Mutex
	set     jose.JSONWebKeySet
	fetched time.Time // when the set came
	asked   time.Time // when it was last asked for
	err     error     // of that
}

// New returns the keys of an issuer. It reads nothing yet.
func New(config Config) *Keys {
	if config.Now == nil {
		config.Now = time.Now
	}
	if config.Timeout == 0 {
		config.Timeout = 5 * time.Second
	}
	if config.Retry == 0 {
		config.Retry = config.Rest
	}
	if config.MaxBytes == 0 {
		config.MaxBytes = 256 << 10
	}
	return &Keys{config: config, client: &http.Client{
		Transport:     config.Transport,
		Timeout:       config.Timeout,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// Find returns the issuer's key with an id for signatures by an algorithm, nil if it
// has none. An error means that the issuer does not answer as it should.
func (k *Keys) Find(ctx context.Context, id string, by jose.SignatureAlgorithm) (*jose.JSONWebKey, error) {
	if key, _ := k.known(id, by, k.config.Kept); key != nil {
		return key, nil
	}
	_, _, _ = k.reading.Do("", func() (any, error) {
		k.read(context.WithoutCancel(ctx)) // others wait for it too
		return nil, nil
	})
	key, err := k.known(id, by, k.config.Kept+k.config.Bridge)
	if key != nil {
		return key, nil
	}
	return nil, err
}

// known looks among keys that are not older than that, and returns the error of
// the last reading.
func (k *Keys) known(id string, by jose.SignatureAlgorithm, age time.Duration) (*jose.JSONWebKey, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.config.Now().Sub(k.fetched) >= age {
		return nil, k.err
	}
	for _, key := range k.set.Key(id) {
		if verifies(&key, by) {
			return &key, k.err
		}
	}
	return nil, k.err
}

// verifies reports whether a key is for signatures by an algorithm: several may
// bear one id, for other uses or of other types (RFC 7517, sections 4.1 to 4.5).
func verifies(key *jose.JSONWebKey, by jose.SignatureAlgorithm) bool {
	if key.Use != "" && key.Use != "sig" || key.Algorithm != "" && key.Algorithm != string(by) {
		return false
	}
	switch by {
	case jose.RS256, jose.RS384, jose.RS512:
		_, fits := key.Key.(*rsa.PublicKey)
		return fits
	case jose.ES256, jose.ES384, jose.ES512:
		_, fits := key.Key.(*ecdsa.PublicKey)
		return fits
	}
	return false
}

// read brings the keys up to date, unless they were asked for a moment ago.
func (k *Keys) read(ctx context.Context) {
	now := k.config.Now()
	k.mu.Lock()
	least := k.config.Rest
	if k.err != nil {
		least = k.config.Retry
	}
	rest := !k.asked.IsZero() && now.Sub(k.asked) < least
	if !rest {
		k.asked = now
	}
	k.mu.Unlock()
	if rest {
		return
	}
	set, err := k.fetch(ctx)
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.err = err; err == nil {
		k.set, k.fetched = set, now
	}
}

func (k *Keys) fetch(ctx context.Context) (set jose.JSONWebKeySet, err error) {
	ctx, cancel := context.WithTimeout(ctx, k.config.Timeout)
	defer cancel()
	issuer := strings.TrimSuffix(k.config.Issuer, "/")
	var discovered struct {
		Issuer string `json:"issuer"`
		URI    string `json:"jwks_uri"`
	}
	if err := k.get(ctx, issuer+"/.well-known/openid-configuration", &discovered); err != nil {
		return set, fmt.Errorf("the issuer's discovery document cannot be had: %w", err)
	}
	if strings.TrimSuffix(discovered.Issuer, "/") != issuer {
		return set, fmt.Errorf("the discovery document of %s says that its issuer is %.200q", k.config.Issuer, discovered.Issuer)
	}
	if strings.HasPrefix(issuer, "https://") && !strings.HasPrefix(discovered.URI, "https://") {
		return set, fmt.Errorf("the keys of %s are not at an https URL but at %.200q", k.config.Issuer, discovered.URI)
	}
	if err := k.get(ctx, discovered.URI, &set); err != nil {
		return set, fmt.Errorf("the issuer's keys cannot be had: %w", err)
	}
	return set, nil
}

func (k *Keys) get(ctx context.Context, url string, v any) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	response, err := k.client.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("%s answers %s", url, response.Status)
	}
	body, err := io.ReadAll(io.LimitReader(response.Body, k.config.MaxBytes+1))
	if err != nil {
		return fmt.Errorf("%s: %w", url, err)
	}
	if int64(len(body)) > k.config.MaxBytes {
		return fmt.Errorf("%s is longer than %d bytes", url, k.config.MaxBytes)
	}
	if err := json.Unmarshal(body, v); err != nil {
		return fmt.Errorf("%s is not what it should be: %w", url, err)
	}
	return nil
}
