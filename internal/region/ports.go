package region

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net"
	"slices"
	"strconv"
	"sync"
	"syscall"

	"github.com/seed-615d3599/roost/internal/region/http1"
	"github.com/seed-615d3599/roost/internal/region/httpapi/gateway"
)

// firstAPI is how far the ports of APIs begin above the region's own.
const firstAPI = 10

// PortError says that a port is taken.
type PortError struct {
	Port    int
	Purpose string // "the region", "the Twitter stand-in", "the API a1b2c3d4e5"
	Holder  string // the process that has it, where the system tells; may be empty
}

func (e *PortError) Error() string {
	holder := "another process"
	if e.Holder != "" {
		holder = e.Holder
	}
	return fmt.Sprintf("port %d, for %s, is taken by %s", e.Port, e.Purpose, holder)
}

// bind opens a port on the loopback interface; 0 picks one.
func bind(port int) (net.Listener, error) {
	return net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
}

// listen is bind for a port that has to be had: the error names who has it, which
// takes a while to find out.
func listen(port int, purpose string) (net.Listener, error) {
	listener, err := bind(port)
	if errors.Is(err, syscall.EADDRINUSE) {
		return nil, &PortError{Port: port, Purpose: purpose, Holder: holder(port)}
	}
	return listener, err
}

func portOf(listener net.Listener) int {
	return listener.Addr().(*net.TCPAddr).Port
}

// ports gives each HTTP API, or each function URL, a listener of its own and
// serves it there.
type ports struct {
	picker
	purpose string // "the API"
	server  func(id string) server

	mu      sync.Mutex
	servers map[string]server // by id
	serving sync.WaitGroup
}

// server serves a listener until it is stopped.
type server interface {
	Serve(net.Listener) error
	// stop ends Serve. Answers under way are finished until the context ends.
	stop(context.Context)
}

// Open serves what has the id on the port that it had, or on the next free one
// for 0.
func (p *ports) Open(id string, port int) (actual int, url string, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	listener, err := p.listen(p.purpose+" "+id, port)
	if err != nil {
		return 0, "", err
	}
	s := p.server(id)
	if p.servers == nil {
		p.servers = map[string]server{}
	}
	p.servers[id] = s
	p.serving.Go(func() { s.Serve(listener) }) // it ends with an error that says that it was stopped
	return portOf(listener), "http://" + listener.Addr().String(), nil
}

// Close stops serving it. Answers under way are finished.
func (p *ports) Close(id string) {
	p.mu.Lock()
	s := p.servers[id]
	delete(p.servers, id)
	p.mu.Unlock()
	if s != nil {
		p.serving.Go(func() {
			ctx, cancel := context.WithTimeout(context.Background(), closeTime)
			defer cancel()
			s.stop(ctx)
		})
	}
}

// closeAll ends every server and waits for them.
func (p *ports) closeAll() {
	p.mu.Lock()
	ids := slices.Collect(maps.Keys(p.servers))
	p.mu.Unlock()
	for _, id := range ids {
		p.Close(id)
	}
	p.serving.Wait()
}

// apiServer serves an HTTP API.
type apiServer struct{ *http1.Server }

func (s apiServer) stop(ctx context.Context) { s.Close(ctx) }

// apiPorts are the ports of HTTP APIs.
func (r *Region) apiPorts() *ports {
	return &ports{picker: r.picker(), purpose: "the API", server: func(id string) server {
		return apiServer{&http1.Server{Handler: r.services.gateway.HandlerFor(id), MaxHeaderBytes: gateway.MaxHeaderBytes, TLS: r.authority.TLS()}}
	}}
}

// picker chooses the ports of what is made while the region runs.
type picker struct {
	first int  // 0: whatever the system picks
	fresh bool // the ports that were had before are not asked for
}

// listen opens the port that was had before, or for 0 the next free one. Where
// the system picks the ports a kept one is only a wish.
func (p picker) listen(purpose string, kept int) (net.Listener, error) {
	if kept != 0 && !p.fresh {
		if p.first != 0 {
			return listen(kept, purpose)
		}
		if listener, err := bind(kept); err == nil {
			return listener, nil
		}
	}
	if p.first == 0 {
		return bind(0)
	}
	for port := p.first; port <= 65535; port++ {
		listener, err := bind(port)
		if !errors.Is(err, syscall.EADDRINUSE) {
			return listener, err
		}
	}
	return nil, fmt.Errorf("no port from %d on is free for %s: give another --port", p.first, purpose)
}
