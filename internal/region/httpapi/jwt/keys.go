package jwt

import (
	"context"
	"crypto/rsa"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/go-jose/go-jose/v4"
)

// Limits of AWS (API Gateway quotas, "HTTP API quotas") and of our own.
const (
	fetchTime  = 1500 * time.Millisecond
	fetchBytes = 150_000
	keptFor    = 2 * time.Hour    // how long keys are good without asking again
	askAgain   = 10 * time.Second // not sooner, whatever kids the tokens name
)

// keySet is the issuer's keys. One goroutine at a time fetches them.
type keySet struct {
	issuer string
	client *http.Client
	now    func() time.Time

	mu      sync.Mutex
	keys    map[string]*jose.JSONWebKey
	fetched time.Time // when keys came
	asked   time.Time // when they were last asked for
	err     error     // of that
}

func newKeySet(c Config) keySet {
	return keySet{
		issuer: c.Issuer,
		now:    c.Now,
		client: &http.Client{
			Transport: c.Transport,
			Timeout:   fetchTime,
			CheckRedirect: func(*http.Request, []*http.Request) error {
				return http.ErrUseLastResponse
			},
		},
	}
}

// get returns the key of that id, nil if the issuer has none. Keys are asked for
// again when they are old or the id is new, so that a rotation is noticed, but
// not with every wrong token.
func (s *keySet) get(ctx context.Context, kid string) (*jose.JSONWebKey, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.now()
	key := s.keys[kid]
	stale := now.Sub(s.fetched) >= keptFor
	if key != nil && !stale {
		return key, nil
	}
	if s.asked.IsZero() || now.Sub(s.asked) >= askAgain {
		s.asked = now
		s.refresh(ctx, now)
	}
	if key = s.keys[kid]; key != nil && now.Sub(s.fetched) < 2*keptFor {
		return key, nil // old keys bridge an issuer's outage
	}
	return nil, s.err
}

func (s *keySet) refresh(ctx context.Context, now time.Time) {
	keys, err := s.fetch(ctx)
	if s.err = err; err == nil {
		s.keys, s.fetched = keys, now
	}
}

// fetch follows OpenID Connect Discovery 1.0 section 4 to the issuer's keys.
func (s *keySet) fetch(ctx context.Context) (map[string]*jose.JSONWebKey, error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), fetchTime)
	defer cancel()
	var found struct {
		Issuer string `json:"issuer"`
		URI    string `json:"jwks_uri"`
	}
	if err := s.getJSON(ctx, strings.TrimSuffix(s.issuer, "/")+"/.well-known/openid-configuration", &found); err != nil {
		return nil, fmt.Errorf("the issuer's discovery document cannot be had: %w", err)
	}
	if found.Issuer != s.issuer {
		return nil, fmt.Errorf("the discovery document of %s says that its issuer is %q", s.issuer, found.Issuer)
	}
	var set jose.JSONWebKeySet
	if err := s.getJSON(ctx, found.URI, &set); err != nil {
		return nil, fmt.Errorf("the issuer's keys cannot be had: %w", err)
	}
	keys := map[string]*jose.JSONWebKey{}
	for i := range set.Keys {
		k := &set.Keys[i]
		if _, isRSA := k.Key.(*rsa.PublicKey); isRSA && k.KeyID != "" && (k.Use == "" || k.Use == "sig") {
			keys[k.KeyID] = k
		}
	}
	return keys, nil
}

func (s *keySet) getJSON(ctx context.Context, url string, v any) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	res, err := s.client.Do(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		return fmt.Errorf("%s answers %s", url, res.Status)
	}
	body, err := io.ReadAll(io.LimitReader(res.Body, fetchBytes+1))
	if err != nil {
		return err
	}
	if len(body) > fetchBytes {
		return fmt.Errorf("%s is longer than %d bytes", url, fetchBytes)
	}
	if err := json.Unmarshal(body, v); err != nil {
		return fmt.Errorf("%s is not what it should be: %w", url, err)
	}
	return nil
}
