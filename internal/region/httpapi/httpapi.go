// Package httpapi is Amazon API Gateway's HTTP APIs in the embedded region: the
// control plane (the API "apigatewayv2") over a data plane, which is the package
// gateway below this one.
//
//	g, err := gateway.New(gateway.Config{…})
//	apis, err := httpapi.New(httpapi.Config{Account: "123456789012", Region: "us-east-1", DB: db, Gateway: g, Ports: ports})
//	edge.Serve(apis.Service())
//
// What is created is kept in the region's state file. Each change is compiled and
// checked before it is stored, and swapped into the gateway once it is durable, so
// that requests meet either the old API or the new one. New puts all APIs that the
// state file has back into the gateway, each on the port that it had.
//
// WebSocket APIs, OpenAPI import and export, VPC links, models, integration and
// route responses, portals and routing rules are refused by name.
package httpapi

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"maps"
	"sync"
	"time"

	"github.com/seed-615d3599/roost/internal/region/httpapi/definition"
	"github.com/seed-615d3599/roost/internal/region/httpapi/gateway"
	"github.com/seed-615d3599/roost/internal/region/store"
	"github.com/seed-615d3599/roost/internal/region/wire"
)

// Config is what New needs. All but Now and Rand must be given.
type Config struct {
	Account string // 12 digits
	Region  string
	DB      *store.DB
	Gateway *gateway.Gateway
	Ports   Ports
	Now     func() time.Time // nil means time.Now
	Rand    io.Reader        // nil means crypto/rand
}

// Ports gives each API a listener of its own.
type Ports interface {
	// Open listens for an API and serves it by the gateway's HandlerFor. port is
	// the one that the API had, or 0 for any. It returns the port and the
	// base URL of the API, such as "http://127.0.0.1:4010".
	Open(apiID string, port int) (actual int, url string, err error)
	// Close stops listening for an API.
	Close(apiID string)
}

// HTTPAPI is the control plane. Make it with New.
type HTTPAPI struct {
	config Config

	mu      sync.Mutex
	version map[string]int    // of each API's snapshot: only the newest is compiled
	urls    map[string]string // base URL by API
}

// The kinds of items in the state file. Keys are ids joined with slashes.
const (
	kindAPI         = "httpapi.api"
	kindRoute       = "httpapi.route"
	kindIntegration = "httpapi.integration"
	kindAuthorizer  = "httpapi.authorizer"
	kindStage       = "httpapi.stage"
	kindDeployment  = "httpapi.deployment"
	kindDomain      = "httpapi.domain"
	kindMapping     = "httpapi.mapping"
)

// New reads the state file, opens every API's port and fills the gateway.
func New(ctx context.Context, c Config) (*HTTPAPI, error) {
	if c.Account == "" || c.Region == "" || c.DB == nil || c.Gateway == nil || c.Ports == nil {
		return nil, errors.New("HTTP APIs need an account, a region, a state file, a gateway and ports")
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Rand == nil {
		c.Rand = rand.Reader
	}
	h := &HTTPAPI{config: c, version: map[string]int{}, urls: map[string]string{}}
	return h, h.restore(ctx)
}

// restore brings back what was there before a restart. Ports are opened last: who
// knows one may be asking already.
func (h *HTTPAPI) restore(ctx context.Context) error {
	var apis []apiDoc
	err := h.config.DB.View(ctx, func(tx *store.Tx) (err error) {
		if apis, err = store.All[apiDoc](tx, kindAPI, ""); err != nil {
			return err
		}
		for i := range apis {
			if err := h.serve(tx, &apis[i]); err != nil {
				return fmt.Errorf("the HTTP API %s (%s): %w", apis[i].APIID, apis[i].name(), err)
			}
		}
		domains, err := store.All[domainDoc](tx, kindDomain, "")
		for i := 0; i < len(domains) && err == nil; i++ {
			var d definition.Domain
			if d, err = buildDomain(tx, domains[i].DomainName); err == nil {
				h.config.Gateway.PutDomain(d)
			}
		}
		return err
	})
	if err != nil {
		return err
	}
	for i := range apis {
		if err := h.reopen(ctx, &apis[i]); err != nil {
			return fmt.Errorf("the HTTP API %s (%s): %w", apis[i].APIID, apis[i].name(), err)
		}
	}
	return nil
}

// serve hands an API to the gateway.
func (h *HTTPAPI) serve(tx *store.Tx, a *apiDoc) error {
	built, err := h.build(tx, a)
	if err != nil {
		return err
	}
	return h.config.Gateway.Put(built)
}

// reopen opens one API's port again; if it got another one that is kept.
func (h *HTTPAPI) reopen(ctx context.Context, a *apiDoc) error {
	port, url, err := h.config.Ports.Open(a.APIID, a.Port)
	if err != nil {
		return err
	}
	h.setURL(a.APIID, url)
	if port == a.Port {
		return nil
	}
	a.Port = port
	return h.config.DB.Update(ctx, func(_ context.Context, tx *store.Tx) error { return tx.Put(kindAPI, a.APIID, a) })
}

// Close closes the APIs' ports.
func (h *HTTPAPI) Close() error {
	h.mu.Lock()
	defer h.mu.Unlock()
	for id := range h.urls {
		h.config.Ports.Close(id)
	}
	clear(h.urls)
	return nil
}

// Endpoint returns the base URL at which an API answers, without a slash at its
// end, or "" for an unknown API.
func (h *HTTPAPI) Endpoint(apiID string) string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.urls[apiID]
}

// URLs returns the base URL at which each API answers, by its id.
func (h *HTTPAPI) URLs() map[string]string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return maps.Clone(h.urls)
}

func (h *HTTPAPI) setURL(apiID, url string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.urls[apiID] = url
}

// id returns n characters of the alphabet of API Gateway's ids.
func (h *HTTPAPI) id(n int) (string, error) {
	const alphabet = "abcdefghijklmnopqrstuvwxyz0123456789"
	b := make([]byte, n)
	h.mu.Lock()
	_, err := io.ReadFull(h.config.Rand, b)
	h.mu.Unlock()
	if err != nil {
		return "", err
	}
	for i := range b {
		b[i] = alphabet[int(b[i])%len(alphabet)]
	}
	return string(b), nil
}

func (h *HTTPAPI) now() *wire.ISOTime {
	return &wire.ISOTime{Time: h.config.Now().UTC().Truncate(time.Second)}
}

func badRequest(format string, args ...any) error {
	return wire.Errorf(400, "BadRequestException", format, args...)
}

func conflict(format string, args ...any) error {
	return wire.Errorf(409, "ConflictException", format, args...)
}

// missing is the error for an id that there is not, in AWS's words.
func missing(what, id string) error {
	return wire.Errorf(404, "NotFoundException", "Invalid %s identifier specified %s", what, id)
}
