package gateway

import (
	"crypto/rand"
	"errors"
	"maps"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/seed-615d3599/roost/internal/region/http1"
	"github.com/seed-615d3599/roost/internal/region/httpapi/definition"
	"github.com/seed-615d3599/roost/internal/region/httpapi/throttle"
	"github.com/seed-615d3599/roost/sigv4"
)

// Gateway serves HTTP APIs. Make it with New. All its methods may be called by
// several goroutines.
type Gateway struct {
	config   Config
	verifier sigv4.Verifier
	client   *http.Client // of HTTP_PROXY integrations
	account  *throttle.Bucket
	snapshot atomic.Pointer[snapshot]
	change   sync.Mutex // held while a new snapshot is made
	calls    sync.Pool  // *call

	randomness sync.Mutex // held while reading config.Rand
	diagnosing sync.Mutex // held while a signature is being explained
}

// snapshot is everything that is served. It is never changed.
type snapshot struct {
	apis    map[string]*api
	domains map[string]*definition.Domain
}

// domain returns the custom domain of a host name in lower case: that of the name
// itself, or the wildcard above it.
func (s *snapshot) domain(name string) *definition.Domain {
	if d := s.domains[name]; d != nil || len(s.domains) == 0 {
		return d
	}
	_, above, _ := strings.Cut(name, ".")
	return s.domains["*."+above]
}

// New returns a Gateway without APIs.
func New(c Config) (*Gateway, error) {
	if c.Account == "" || c.Region == "" || c.Functions == nil {
		return nil, errors.New("the gateway needs an account, a region and functions")
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Rand == nil {
		c.Rand = rand.Reader
	}
	if c.Transport == nil {
		c.Transport = http.DefaultTransport
	}
	g := &Gateway{config: c, account: throttle.NewAccount(c.AccountThrottle, c.Now)}
	g.verifier = sigv4.Verifier{Service: "execute-api", Regions: []string{c.Region}, Now: c.Now}
	g.client = &http.Client{
		Transport:     c.Transport,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	g.snapshot.Store(&snapshot{})
	return g, nil
}

// Check says what is wrong with an API's settings, without serving it.
func (g *Gateway) Check(a definition.API) error {
	_, err := g.compile(a)
	return err
}

// Put serves an API, in place of what it was before. Calls for one API must not
// overlap.
func (g *Gateway) Put(a definition.API) error {
	compiled, err := g.compile(a)
	if err != nil {
		return err
	}
	compiled.takeOver(g.snapshot.Load().apis[a.ID])
	g.update(func(s *snapshot) { s.apis[a.ID] = compiled })
	return nil
}

// Remove stops serving an API.
func (g *Gateway) Remove(apiID string) {
	g.update(func(s *snapshot) { delete(s.apis, apiID) })
}

// PutDomain serves a custom domain. Its name is compared without regard to case.
func (g *Gateway) PutDomain(d definition.Domain) {
	d.Name = strings.ToLower(d.Name)
	d.Mappings = slices.Clone(d.Mappings)
	slices.SortFunc(d.Mappings, func(a, b definition.Mapping) int { return len(b.Path) - len(a.Path) }) // longest first
	g.update(func(s *snapshot) { s.domains[d.Name] = &d })
}

// RemoveDomain stops serving a custom domain.
func (g *Gateway) RemoveDomain(name string) {
	g.update(func(s *snapshot) { delete(s.domains, strings.ToLower(name)) })
}

func (g *Gateway) update(change func(*snapshot)) {
	g.change.Lock()
	defer g.change.Unlock()
	old := g.snapshot.Load()
	next := &snapshot{apis: map[string]*api{}, domains: map[string]*definition.Domain{}}
	maps.Copy(next.apis, old.apis)
	maps.Copy(next.domains, old.domains)
	change(next)
	g.snapshot.Store(next)
}

// LookupHost reports whether a Host value (with or without port) means an API:
// "<apiId>.execute-api.<region>.amazonaws.com", the same with ".localhost" in place
// of ".amazonaws.com", "<apiId>.localhost", or a custom domain. apiID is "" for
// custom domains, where the path decides. None takes an API's own name over.
func (g *Gateway) LookupHost(host string) (apiID string, ok bool) {
	name := strings.ToLower(hostName(host))
	s := g.snapshot.Load()
	if id := s.own(name, g.config.Region); id != "" {
		return id, true
	}
	return "", s.domain(name) != nil
}

// own returns the API of which a host name in lower case is an endpoint, or "".
func (s *snapshot) own(name, region string) string {
	id, rest, _ := strings.Cut(name, ".")
	if _, known := s.apis[id]; !known {
		return ""
	}
	where, ours := strings.CutPrefix(rest, "execute-api.")
	if where == "localhost" || ours && (where == region+".amazonaws.com" || where == region+".localhost") {
		return id
	}
	return ""
}

func hostName(host string) string {
	if name, _, err := net.SplitHostPort(host); err == nil {
		return name
	}
	return strings.Trim(host, "[]")
}

// HandlerFor returns the handler of the listener that belongs to one API, whatever
// Host says, but that a custom domain is honoured there too.
func (g *Gateway) HandlerFor(apiID string) http1.Handler {
	return func(w *http1.Response, r *http1.Request) { g.ServeAPI(apiID, w, r) }
}

// ServeAPI answers a request on an API's own endpoint.
func (g *Gateway) ServeAPI(apiID string, w *http1.Response, r *http1.Request) {
	g.serve(apiID, w, incoming{
		method: r.Method, target: r.Target, host: r.Host, fields: r.Fields, minor: r.Minor,
		remote: r.RemoteAddr(), tls: r.TLS() != nil, time: r.Time, body: r,
	})
}

// Serve answers a request by its Host. One that means no API gets 403.
func (g *Gateway) Serve(w *http1.Response, r *http1.Request) {
	id, _ := g.LookupHost(string(r.Host))
	g.ServeAPI(id, w, r)
}
