package http1

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"
)

// Handler answers one request. It must call Send on w; if it does not the
// client gets an empty 500. It is called by the
// goroutine of the connection, so that two requests on one connection are never
// handled at the same time.
type Handler func(w *Response, r *Request)

// Server serves HTTP/1.1 on connections. Only Handler is required. A Server
// must not be copied or changed once it serves.
type Server struct {
	// Handler answers the requests.
	Handler Handler
	// TLS, if given, serves connections that begin with a TLS handshake over TLS
	// and all others plain. Without it connections are served as they are, which
	// may be TLS too.
	TLS *tls.Config
	// MaxHeaderBytes bounds the request line and the header fields together,
	// in bytes; default 64 KiB. A longer head is answered with 431.
	MaxHeaderBytes int
	// MaxConns bounds the open connections; default 1024. At the bound a new
	// connection takes the place of the one that has waited longest for (the
	// rest of) a request; if none waits the new one is closed.
	MaxConns int
	// HeaderTimeout bounds the time from the first byte of a head to its last
	// (and a TLS handshake); default 10 s.
	HeaderTimeout time.Duration
	// BodyTimeout bounds the time in which a whole body must arrive, from the
	// first wait for it; default 30 s, negative for no bound.
	BodyTimeout time.Duration
	// IdleTimeout bounds the wait for a request; default 60 s, negative for no
	// bound.
	IdleTimeout time.Duration
	// WriteTimeout bounds each write of an answer; default 30 s.
	WriteTimeout time.Duration
	// Now is the clock; default time.Now.
	Now func() time.Time
	// Logf is told about a handler that panicked, with its stack. Default: no
	// one is. The connection is closed either way.
	Logf func(format string, args ...any)

	mu        sync.Mutex
	conns     map[*conn]struct{}
	listeners map[net.Listener]struct{}
	closing   atomic.Bool
	done      sync.WaitGroup // one for each connection
	buffers   sync.Pool      // *[]byte of bufferSize
	date      atomic.Pointer[dateLine]
}

// ErrServerClosed is what Serve returns after Close.
var ErrServerClosed = errors.New("http1: server closed")

const (
	bufferSize    = 4 << 10  // what a connection starts with, for reading and for writing each
	keptBuffer    = 16 << 10 // a buffer that grew beyond this is not kept
	keptBody      = 64 << 10 // nor a body's beyond this
	bodyWindow    = 512      // room behind the head in which a body's framing is read
	drainedBytes  = 256 << 10
	lingerBytes   = 16 << 20
	lingerTime    = 2 * time.Second
	acceptBackoff = 5 * time.Millisecond
)

// Serve accepts connections from l until l fails or Close is called, when it
// returns ErrServerClosed. It closes l.
func (s *Server) Serve(l net.Listener) error {
	defer l.Close()
	if !s.trackListener(l) {
		return ErrServerClosed
	}
	defer s.forgetListener(l)
	for {
		nc, err := l.Accept()
		if s.closing.Load() {
			if err == nil {
				nc.Close()
			}
			return ErrServerClosed
		}
		var ne net.Error
		switch {
		case err == nil:
			if c := s.admit(nc); c != nil {
				go c.serve()
			}
		case errors.As(err, &ne) && ne.Timeout() || isTemporary(err):
			<-time.After(acceptBackoff) // out of descriptors: others must end first
		default:
			return err
		}
	}
}

// ServeConn serves one connection that was accepted elsewhere and returns when
// it has ended. It closes nc.
func (s *Server) ServeConn(nc net.Conn) {
	if c := s.admit(nc); c != nil {
		c.serve()
	}
}

// Close stops accepting, closes the connections that wait for a request, and
// waits for the requests being answered until ctx ends; then it closes those
// connections too and returns ctx's error. It returns only when every handler has
// returned or ctx has ended.
func (s *Server) Close(ctx context.Context) error {
	s.closing.Store(true)
	s.closeConns(true)
	ended := make(chan struct{})
	go func() { s.done.Wait(); close(ended) }()
	select {
	case <-ended:
		return nil
	case <-ctx.Done():
		s.closeConns(false)
		return ctx.Err()
	}
}

// Conns returns the number of open connections.
func (s *Server) Conns() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.conns)
}

func (s *Server) closeConns(onlyWaiting bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for l := range s.listeners {
		l.Close()
	}
	for c := range s.conns {
		if !onlyWaiting || c.claim() {
			c.raw.Close()
		}
	}
}

func (s *Server) trackListener(l net.Listener) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closing.Load() {
		return false
	}
	if s.listeners == nil {
		s.listeners = map[net.Listener]struct{}{}
	}
	s.listeners[l] = struct{}{}
	return true
}

func (s *Server) forgetListener(l net.Listener) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.listeners, l)
}

// admit makes room for nc and registers it, or closes it and returns nil.
func (s *Server) admit(nc net.Conn) *conn {
	c := newConn(s, nc)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closing.Load() || len(s.conns) >= s.maxConns() && !s.evict() {
		nc.Close()
		return nil
	}
	if s.conns == nil {
		s.conns = map[*conn]struct{}{}
	}
	s.conns[c] = struct{}{}
	s.done.Add(1)
	return c
}

// evict closes the connection that has waited longest for its client. s.mu is held.
func (s *Server) evict() bool {
	var oldest *conn
	var since int64
	for c := range s.conns {
		if at := c.since.Load(); at > 0 && (oldest == nil || at < since) {
			oldest, since = c, at
		}
	}
	if oldest == nil || !oldest.claim() {
		return false
	}
	delete(s.conns, oldest)
	oldest.raw.Close()
	return true
}

func (s *Server) forget(c *conn) {
	s.mu.Lock()
	delete(s.conns, c)
	s.mu.Unlock()
	s.done.Done()
}

// recovered tells of a handler's panic, so that a mistake in one answer does
// not end the region. It is the only place that recovers.
func (s *Server) recovered(v any) {
	if s.Logf != nil {
		s.Logf("http1: a handler panicked: %v\n%s", v, debug.Stack())
	}
}

func (s *Server) now() time.Time {
	if s.Now != nil {
		return s.Now()
	}
	return time.Now()
}

func (s *Server) maxHeaderBytes() int {
	if s.MaxHeaderBytes > 0 {
		return s.MaxHeaderBytes
	}
	return 64 << 10
}

func (s *Server) maxConns() int {
	if s.MaxConns > 0 {
		return s.MaxConns
	}
	return 1024
}

func orDefault(d, otherwise time.Duration) time.Duration {
	if d == 0 {
		return otherwise
	}
	return d
}

func (s *Server) buffer() []byte {
	if b, ok := s.buffers.Get().(*[]byte); ok {
		return *b
	}
	return make([]byte, bufferSize)
}

func (s *Server) release(b []byte) {
	if cap(b) < bufferSize || cap(b) > keptBuffer {
		return
	}
	b = b[:cap(b)]
	s.buffers.Put(&b)
}

// isTemporary reports errors of accept(2) that pass by themselves.
func isTemporary(err error) bool {
	var t interface{ Temporary() bool }
	return errors.As(err, &t) && t.Temporary()
}

// dateLine is the Date field of one second.
type dateLine struct {
	second int64
	text   string
}

// dateField returns "Date: …\r\n" for now, formatted once a second.
func (s *Server) dateField(now time.Time) string {
	second := now.Unix()
	if d := s.date.Load(); d != nil && d.second == second {
		return d.text
	}
	d := &dateLine{second, now.UTC().Format("Date: Mon, 02 Jan 2006 15:04:05 GMT\r\n")}
	s.date.Store(d)
	return d.text
}
