package region

import (
	"context"
	"crypto/tls"
	"log/slog"
	"maps"
	"net/http"
	"slices"
	"sync"

	"github.com/seed-615d3599/roost/internal/region/edge"
	"github.com/seed-615d3599/roost/internal/region/httpapi/gateway"
	"github.com/seed-615d3599/roost/internal/region/lambda"
)

// picker chooses among the ports for APIs and function URLs.
func (r *Region) picker() picker {
	first := 0
	if r.config.Port != 0 {
		first = r.config.Port + firstAPI
	}
	return picker{first: first, fresh: r.config.freshPorts}
}

// buildURLs serves function URLs. It comes after the APIs, which have asked for
// the ports that they had.
func (r *Region) buildURLs(ctx context.Context) error {
	s := &r.services
	s.urls = &urlPorts{picker: r.picker(), tls: r.authority.TLS(), handler: s.lambda.URLHandler, servers: map[string]*http.Server{}}
	return s.lambda.ServeURLs(ctx, s.urls, decider{s.access})
}

// urlPorts gives every function URL a listener of its own.
type urlPorts struct {
	picker
	tls     *tls.Config
	handler func(id string) http.Handler

	mu      sync.Mutex
	servers map[string]*http.Server // by the URL's id
	serving sync.WaitGroup
}

var _ lambda.Ports = (*urlPorts)(nil)

// Open serves a function URL on the port that it had, or on the next free one
// for 0.
func (p *urlPorts) Open(id string, port int) (actual int, url string, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	listener, err := p.listen("the function URL "+id, port)
	if err != nil {
		return 0, "", err
	}
	server := newServer(p.handler(id))
	p.servers[id] = server
	p.serving.Go(func() { server.Serve(edge.Sniff(listener, p.tls)) }) // it ends with http.ErrServerClosed
	return portOf(listener), "http://" + listener.Addr().String(), nil
}

// Close stops serving a function URL. Answers under way are finished.
func (p *urlPorts) Close(id string) {
	p.mu.Lock()
	server := p.servers[id]
	delete(p.servers, id)
	p.mu.Unlock()
	if server != nil {
		p.serving.Go(func() { shutdown(server) })
	}
}

// closeAll ends every function URL's server and waits for them.
func (p *urlPorts) closeAll() {
	p.mu.Lock()
	ids := slices.Collect(maps.Keys(p.servers))
	p.mu.Unlock()
	for _, id := range ids {
		p.Close(id)
	}
	p.serving.Wait()
}

func newServer(handler http.Handler) *http.Server {
	return &http.Server{
		Handler: handler, ReadHeaderTimeout: headerTimeout, IdleTimeout: idleTimeout, MaxHeaderBytes: maxHeader,
		ErrorLog: slog.NewLogLogger(slog.Default().Handler(), slog.LevelDebug),
	}
}

func shutdown(server *http.Server) {
	ctx, cancel := context.WithTimeout(context.Background(), closeTime)
	defer cancel()
	if server.Shutdown(ctx) != nil {
		server.Close()
	}
}

// hosts serves what has a host of its own on the region's port: HTTP APIs,
// custom domains and function URLs.
type hosts struct {
	*gateway.Gateway
	lambda *lambda.Lambda
}

var _ edge.APIs = hosts{}

// LookupHost finds what a host means.
func (h hosts) LookupHost(host string) (id string, ok bool) {
	if id, ok := h.lambda.URLHost(host); ok {
		return id, true
	}
	return h.Gateway.LookupHost(host)
}

// ServeHTTP answers for it.
func (h hosts) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if id, ok := h.lambda.URLHost(r.Host); ok {
		h.lambda.URLHandler(id).ServeHTTP(w, r)
		return
	}
	h.Gateway.ServeHTTP(w, r)
}
