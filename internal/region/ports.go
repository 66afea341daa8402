package region

import (
	"context"
	"crypto/tls"
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

// listen opens a port on the loopback interface; 0 picks one.
func listen(port int, purpose string) (net.Listener, error) {
	listener, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
	if errors.Is(err, syscall.EADDRINUSE) {
		return nil, &PortError{Port: port, Purpose: purpose, Holder: holder(port)}
	}
	return listener, err
}

func portOf(listener net.Listener) int {
	return listener.Addr().(*net.TCPAddr).Port
}

// ports gives every API a listener of its own and serves it there. It is what
// the control plane of HTTP APIs asks for.
type ports struct {
	picker
	tls     *tls.Config
	handler func(apiID string) http1.Handler

	mu      sync.Mutex
	servers map[string]*http1.Server // by API id
	serving sync.WaitGroup
}

// Open serves an API on the port that it had, or on the next free one for 0.
func (p *ports) Open(apiID string, port int) (actual int, url string, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	listener, err := p.listen("the API "+apiID, port)
	if err != nil {
		return 0, "", err
	}
	server := &http1.Server{Handler: p.handler(apiID), MaxHeaderBytes: gateway.MaxHeaderBytes, TLS: p.tls}
	p.servers[apiID] = server
	p.serving.Go(func() { server.Serve(listener) }) // it ends with http1.ErrServerClosed
	return portOf(listener), "http://" + listener.Addr().String(), nil
}

// Close stops serving an API. Answers under way are finished.
func (p *ports) Close(apiID string) {
	p.mu.Lock()
	server := p.servers[apiID]
	delete(p.servers, apiID)
	p.mu.Unlock()
	if server != nil {
		p.serving.Go(func() { stop(server) })
	}
}

// closeAll ends every API's server and waits for them.
func (p *ports) closeAll() {
	p.mu.Lock()
	ids := slices.Collect(maps.Keys(p.servers))
	p.mu.Unlock()
	for _, id := range ids {
		p.Close(id)
	}
	p.serving.Wait()
}

func stop(server *http1.Server) {
	ctx, cancel := context.WithTimeout(context.Background(), closeTime)
	defer cancel()
	server.Close(ctx)
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
		listener, err := listen(kept, purpose)
		if err == nil || p.first != 0 {
			return listener, err
		}
	}
	if p.first == 0 {
		return listen(0, purpose)
	}
	for port := p.first; port <= 65535; port++ {
		listener, err := listen(port, purpose)
		var taken *PortError
		if errors.As(err, &taken) {
			continue
		}
		return listener, err
	}
	return nil, fmt.Errorf("no port from %d on is free for %s: give another --port", p.first, purpose)
}
