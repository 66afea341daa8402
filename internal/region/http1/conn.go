package http1

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"os"
	"sync/atomic"
	"time"
)

// conn is one connection. Its goroutine reads; what has been read and not yet
// used is buf[r:w]. While a request is being handled its head is buf[:headEnd] and
// must not move.
type conn struct {
	srv  *Server
	raw  net.Conn // as accepted: what others close
	nc   net.Conn // raw, or TLS over it
	buf  []byte
	r, w int
	// headEnd is where the head of the request being handled ends in buf.
	headEnd int

	req Request
	res Response

	// since is when the connection began to wait for its client, in Unix
	// nanoseconds; 0 while a request is being handled, -1 when it may not go on.
	since atomic.Int64
	// deadline is the read deadline in force, zero for none.
	deadline time.Time
	kept     []byte // a body's buffer, for the next body
}

func newConn(s *Server, nc net.Conn) *conn {
	c := &conn{srv: s, raw: nc, nc: nc}
	c.since.Store(s.now().UnixNano())
	c.req.conn, c.res.conn = c, c
	return c
}

// claim takes a waiting connection away from its goroutine, for closing it.
func (c *conn) claim() bool {
	at := c.since.Load()
	return at > 0 && c.since.CompareAndSwap(at, -1)
}

// waits marks the beginning of a wait for the client; it reports false if the
// connection is to be closed instead.
func (c *conn) waits(now time.Time) bool {
	return c.since.CompareAndSwap(0, now.UnixNano())
}

// works marks the end of a wait.
func (c *conn) works() bool {
	at := c.since.Load()
	return at > 0 && c.since.CompareAndSwap(at, 0)
}

// serve runs the connection from its first request to its end.
func (c *conn) serve() {
	defer c.end()
	c.buf = c.srv.buffer()
	c.res.out = c.srv.buffer()[:0]
	if !c.sniff() || !c.handshake() {
		return
	}
	for c.readRequest() {
		if !c.answer() || !c.waits(c.srv.now()) {
			return
		}
		if c.srv.closing.Load() {
			return
		}
	}
}

func (c *conn) end() {
	c.nc.Close()
	c.srv.forget(c)
	c.srv.release(c.buf)
	c.srv.release(c.res.out)
	c.buf, c.res.out, c.kept = nil, nil, nil
}

// sniff waits for the first byte where both plain connections and TLS are served,
// and tells by it which this is: 22 begins a handshake record (RFC 8446 section
// 5.1) and no HTTP method.
func (c *conn) sniff() bool {
	if c.srv.TLS == nil {
		return true
	}
	c.setIdleDeadline()
	if _, err := c.fill(); err != nil {
		return false
	}
	if c.buf[0] == 22 {
		c.nc = tls.Server(&prefixed{Conn: c.raw, prefix: bytes.Clone(c.buf[:c.w])}, c.srv.TLS)
		c.w = 0
	}
	return true
}

// prefixed is a connection of which something has been read already.
type prefixed struct {
	net.Conn
	prefix []byte
}

func (p *prefixed) Read(b []byte) (int, error) {
	if len(p.prefix) > 0 {
		n := copy(b, p.prefix)
		p.prefix = p.prefix[n:]
		return n, nil
	}
	return p.Conn.Read(b)
}

// handshake does TLS's within the time for a head.
func (c *conn) handshake() bool {
	t, ok := c.nc.(*tls.Conn)
	if !ok {
		return true
	}
	ctx, cancel := context.WithTimeout(context.Background(), orDefault(c.srv.HeaderTimeout, 10*time.Second))
	defer cancel()
	return t.HandshakeContext(ctx) == nil
}

// readRequest reads and parses the next head. It reports false when the
// connection has ended or was refused.
func (c *conn) readRequest() bool {
	c.shift()
	if c.r == c.w {
		c.setIdleDeadline()
		if _, err := c.fill(); err != nil {
			return false
		}
	}
	started := c.srv.now()
	scanned, slow := 0, false
	for {
		c.skipEmptyLine()
		end := headEnd(c.buf[c.r:c.w], scanned)
		if end > c.srv.maxHeaderBytes() || end < 0 && c.w-c.r >= c.srv.maxHeaderBytes() {
			return c.refuse(refusal(431, "the head is too long"))
		}
		if end >= 0 {
			return c.parse(end, started)
		}
		if bareLineFeed(c.buf[c.r:c.w]) {
			return c.refuse(refusal(400, "a line does not end with CR LF"))
		}
		if !slow {
			slow = true
			c.setDeadline(started.Add(orDefault(c.srv.HeaderTimeout, 10*time.Second)))
		}
		scanned = max(0, c.w-c.r-3)
		if _, err := c.fill(); err != nil {
			if errors.Is(err, os.ErrDeadlineExceeded) {
				c.refuse(refusal(408, "the head did not arrive in time"))
			}
			return false
		}
	}
}

// parse turns the head of that length into c.req.
func (c *conn) parse(end int, started time.Time) bool {
	if !c.works() {
		return false
	}
	c.makeWindow(end)
	fields := c.req.Fields[:0]
	c.req = Request{conn: c, Time: started, Fields: fields, remoteName: c.req.remoteName}
	if refused := c.req.parseHead(c.buf[c.r : c.r+end]); refused != nil {
		return c.refuse(refused)
	}
	c.r += end
	c.headEnd = c.r
	c.req.body.begin(&c.req)
	return true
}

// makeWindow sees to it that behind the head there is room to read a body's framing.
func (c *conn) makeWindow(end int) {
	if len(c.buf)-(c.r+end) < bodyWindow {
		c.grow(len(c.buf) + bodyWindow)
	}
}

// headEnd returns the length of the head that data begins with, or -1.
// Everything before scanned has been searched.
func headEnd(data []byte, scanned int) int {
	if i := bytes.Index(data[scanned:], []byte("\r\n\r\n")); i >= 0 {
		return scanned + i + 4
	}
	return -1
}

func bareLineFeed(data []byte) bool {
	for i := 0; ; i++ {
		n := bytes.IndexByte(data[i:], '\n')
		if n < 0 {
			return false
		}
		i += n
		if i == 0 || data[i-1] != '\r' {
			return true
		}
	}
}

// skipEmptyLine drops one CR LF before a request line (RFC 9112 section 2.2).
func (c *conn) skipEmptyLine() {
	if c.r == 0 && c.w >= 2 && c.buf[0] == '\r' && c.buf[1] == '\n' {
		c.r = 2
	}
}

// answer calls the handler and reports whether the connection can serve another request.
func (c *conn) answer() bool {
	c.res.reset(&c.req)
	if !c.handle() {
		return false
	}
	if !c.res.finish() {
		return false
	}
	if c.res.close {
		c.linger()
		return false
	}
	return c.drain()
}

func (c *conn) handle() (ok bool) {
	defer func() {
		if v := recover(); v != nil {
			c.srv.recovered(v)
			ok = false
		}
	}()
	c.srv.Handler(&c.res, &c.req)
	return true
}

// drain reads what the handler left of a body, if it is little.
func (c *conn) drain() bool {
	b := &c.req.body
	if b.ended {
		return true
	}
	if b.err != nil || b.continues || b.left > drainedBytes {
		c.linger()
		return false
	}
	n, err := io.Copy(io.Discard, io.LimitReader(b, drainedBytes+1))
	return err == nil && n <= drainedBytes
}

// refuse answers a request that could not be read, and ends the connection.
func (c *conn) refuse(e *Error) bool {
	if c.since.Load() != 0 && !c.works() {
		return false
	}
	c.req = Request{conn: c, close: true, Minor: 1, Time: c.srv.now()}
	c.res.reset(&c.req)
	c.res.Refuse(e)
	c.linger()
	return false
}

// linger lets the client read the answer before the connection is reset for
// what it still sends (RFC 9112 section 9.6).
func (c *conn) linger() {
	half, ok := c.nc.(interface{ CloseWrite() error })
	if !ok || half.CloseWrite() != nil {
		return
	}
	if !c.waits(c.srv.now()) {
		return
	}
	c.setDeadline(c.srv.now().Add(lingerTime))
	buf := c.buf
	for n := 0; n < lingerBytes; {
		m, err := c.nc.Read(buf)
		if err != nil {
			return
		}
		n += m
	}
}

// fill reads once from the connection behind buf[:w].
func (c *conn) fill() (int, error) {
	if c.w == len(c.buf) {
		c.grow(2 * len(c.buf))
	}
	n, err := c.nc.Read(c.buf[c.w:])
	c.w += n
	if n > 0 {
		return n, nil
	}
	if err == nil {
		err = io.ErrNoProgress
	}
	return 0, err
}

func (c *conn) grow(size int) {
	b := make([]byte, size)
	copy(b, c.buf[:c.w])
	c.srv.release(c.buf)
	c.buf = b
}

// shift moves what is left of the input to the front of the buffer.
func (c *conn) shift() {
	if c.r == 0 {
		return
	}
	c.w = copy(c.buf, c.buf[c.r:c.w])
	c.r = 0
	if len(c.buf) > keptBuffer && c.w <= bufferSize {
		b := c.srv.buffer()
		copy(b, c.buf[:c.w])
		c.buf = b
	}
}

// setIdleDeadline bounds the wait for a request. A deadline that is a little
// early is as good, so that a busy connection seldom moves it.
func (c *conn) setIdleDeadline() {
	idle := orDefault(c.srv.IdleTimeout, time.Minute)
	if idle < 0 {
		if !c.deadline.IsZero() {
			c.setDeadline(time.Time{})
		}
		return
	}
	at := c.srv.now().Add(idle)
	if c.deadline.IsZero() || c.deadline.Before(at.Add(-idle/8)) || c.deadline.After(at) {
		c.setDeadline(at)
	}
}

func (c *conn) setDeadline(at time.Time) {
	c.deadline = at
	c.nc.SetReadDeadline(at)
}
