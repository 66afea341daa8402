package edge

import (
	"bufio"
	"container/list"
	"crypto/tls"
	"errors"
	"net"
	"sync"
	"time"
)

// sniffTime bounds how long a connection may take to send its first byte.
const sniffTime = 30 * time.Second

// maxSniffing bounds how many connections may be without their first byte. When
// there are more, the one that has been silent for longest is let go, so that
// many silent clients cannot keep others out.
const maxSniffing = 1024

// Sniff returns a listener whose connections are TLS or plain, as the first
// byte of each tells. Connections that are TLS are *tls.Conn.
func Sniff(listener net.Listener, config *tls.Config) net.Listener {
	s := &sniffer{Listener: listener, tls: config, ready: make(chan net.Conn), gone: make(chan struct{})}
	go s.accept()
	return s
}

type sniffer struct {
	net.Listener
	tls   *tls.Config
	ready chan net.Conn
	once  sync.Once
	gone  chan struct{} // closed when no connection will come any more
	err   error         // set before gone is closed

	mu     sync.Mutex
	silent list.List // of net.Conn, the longest silent first
}

// Accept waits for the next connection that has said something.
func (s *sniffer) Accept() (net.Conn, error) {
	select {
	case conn := <-s.ready:
		return conn, nil
	case <-s.gone:
		return nil, s.err
	}
}

// Close stops listening and lets go of connections that said nothing.
func (s *sniffer) Close() error {
	err := s.Listener.Close()
	s.end(net.ErrClosed)
	return err
}

// end ends the listener and every wait for a first byte.
func (s *sniffer) end(err error) {
	s.once.Do(func() {
		s.err = err
		close(s.gone)
	})
	s.mu.Lock()
	defer s.mu.Unlock()
	for e := s.silent.Front(); e != nil; e = e.Next() {
		e.Value.(net.Conn).Close()
	}
}

func (s *sniffer) accept() {
	for {
		conn, err := s.Listener.Accept()
		if err != nil {
			var temporary interface{ Temporary() bool }
			if errors.As(err, &temporary) && temporary.Temporary() {
				time.Sleep(5 * time.Millisecond) // out of file descriptors, say
				continue
			}
			s.end(err)
			return
		}
		go s.sniff(conn, s.enter(conn))
	}
}

// enter counts a connection among the silent ones.
func (s *sniffer) enter(conn net.Conn) *list.Element {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.silent.Len() >= maxSniffing {
		s.silent.Front().Value.(net.Conn).Close() // its sniff ends and leaves
	}
	return s.silent.PushBack(conn)
}

func (s *sniffer) leave(place *list.Element) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.silent.Remove(place)
}

func (s *sniffer) sniff(conn net.Conn, place *list.Element) {
	conn.SetReadDeadline(time.Now().Add(sniffTime))
	peeked := &peekedConn{Conn: conn, reader: bufio.NewReaderSize(conn, 512)}
	first, err := peeked.reader.Peek(1)
	s.leave(place)
	if err != nil {
		conn.Close()
		return
	}
	conn.SetReadDeadline(time.Time{})
	var ready net.Conn = peeked
	if first[0] == 0x16 { // a TLS handshake record (RFC 8446, 5.1)
		ready = tls.Server(peeked, s.tls)
	}
	select {
	case s.ready <- ready:
	case <-s.gone:
		conn.Close()
	}
}

// peekedConn is a connection of which the first bytes were read already.
type peekedConn struct {
	net.Conn
	reader *bufio.Reader
}

func (c *peekedConn) Read(p []byte) (int, error) {
	if c.reader != nil {
		if c.reader.Buffered() > 0 {
			return c.reader.Read(p)
		}
		c.reader = nil // nothing is kept back any more
	}
	return c.Conn.Read(p)
}
