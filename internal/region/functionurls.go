package region

import (
	"context"
	"crypto/tls"
	"log/slog"
	"net"
	"net/http"

	"github.com/seed-615d3599/roost/iam"
	"github.com/seed-615d3599/roost/internal/region/access"
	"github.com/seed-615d3599/roost/internal/region/edge"
	"github.com/seed-615d3599/roost/internal/region/httpapi/gateway"
	"github.com/seed-615d3599/roost/internal/region/lambda"
	"github.com/seed-615d3599/roost/internal/region/wire"
)

// picker chooses among the ports for APIs and function URLs.
func (r *Region) picker() picker {
	first := 0
	if r.config.Port != 0 {
		first = r.config.Port + firstAPI
	}
	return picker{first: first, fresh: r.config.original != nil}
}

// buildURLs serves function URLs. It comes after the APIs, which have asked for
// the ports that they had.
func (r *Region) buildURLs(ctx context.Context) error {
	s := &r.services
	s.urls = &ports{picker: r.picker(), purpose: "the function URL", server: func(id string) server {
		return urlServer{newServer(s.lambda.URLHandler(id)), r.authority.TLS()}
	}}
	return s.lambda.ServeURLs(ctx, s.urls, decider{s.access})
}

// DecideWith refuses where a policy cannot be read.
func (d decider) DecideWith(caller *wire.Caller, action, resource, policy string, conditions iam.Context) iam.Decision {
	decision, err := d.Access.Decide(access.Question{Caller: caller, Action: action, Resource: resource, ResourcePolicy: policy, Context: conditions}, nil)
	if err != nil {
		return iam.Decision{}
	}
	return decision
}

var _ lambda.Ports = (*ports)(nil)

// urlServer serves a function URL, plain and over TLS.
type urlServer struct {
	*http.Server
	tls *tls.Config
}

// Serve answers on a listener until the server is stopped.
func (s urlServer) Serve(listener net.Listener) error {
	return s.Server.Serve(edge.Sniff(listener, s.tls))
}

func (s urlServer) stop(ctx context.Context) {
	if s.Shutdown(ctx) != nil {
		s.Close()
	}
}

func newServer(handler http.Handler) *http.Server {
	return &http.Server{
		Handler: handler, ReadHeaderTimeout: headerTimeout, IdleTimeout: idleTimeout, MaxHeaderBytes: maxHeader,
		ErrorLog: slog.NewLogLogger(slog.Default().Handler(), slog.LevelDebug),
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
