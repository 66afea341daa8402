package runtimeapi

import (
	"bytes"
	"errors"
	"io"
	"net"
	"strconv"
	"sync"
)

// maxHead bounds the request line and headers in bytes. A runtime may send an
// X-Ray cause of up to 1 MiB as a header.
const maxHead = 2 << 20

// discardLimit bounds what is read and thrown away of a body that is refused,
// so that the connection can go on.
const discardLimit = 256 << 20

var (
	errMalformed    = errors.New("malformed HTTP request")
	errBodyTooLarge = errors.New("the body is larger than allowed")
	errTruncated    = errors.New("the body broke off")
	errForeign      = errors.New("a web page's request")
)

// conn is one HTTP/1.1 connection of a runtime. One goroutine reads it; answers
// may come from another.
type conn struct {
	net net.Conn

	buf        []byte // buf[start:end] is read and not yet parsed
	start, end int
	req        request

	trailerType, trailerBody string

	wmu sync.Mutex
	out []byte
}

// request is one request's head; the byte slices live until the next read.
type request struct {
	method, path []byte
	length       int64 // of the body in bytes; -1 where chunked
	close        bool
	expect       bool // Expect: 100-continue
	contentType  string
	errorType    string
	responseMode string
}

// loop reads requests and has them handled until the connection ends.
func (c *conn) loop(handle func(*conn, *request) bool) {
	c.buf = make([]byte, 4096)
	for {
		r, err := c.readHead()
		if errors.Is(err, errMalformed) {
			c.reply(400, errorBody("malformed HTTP request", "BadRequest"))
			return
		}
		if errors.Is(err, errForeign) {
			c.reply(403, errorBody("web pages are not served here", "Forbidden"))
			return
		}
		if err != nil || !handle(c, r) || r.close {
			return
		}
	}
}

// readHead reads up to the empty line and parses it in place.
func (c *conn) readHead() (*request, error) {
	scanned := 0
	for {
		window := c.buf[c.start:c.end]
		if at := bytes.Index(window[scanned:], []byte("\r\n\r\n")); at >= 0 {
			head := window[:scanned+at+2]
			c.start += scanned + at + 4
			return c.parseHead(head)
		}
		scanned = max(0, len(window)-3)
		if len(window) > maxHead {
			return nil, errMalformed
		}
		if err := c.fill(); err != nil {
			return nil, err
		}
	}
}

// fill reads more bytes behind those that are there.
func (c *conn) fill() error {
	if c.start == c.end {
		c.start, c.end = 0, 0
	}
	if c.end == len(c.buf) {
		if c.start > 0 {
			c.end = copy(c.buf, c.buf[c.start:c.end])
			c.start = 0
		} else {
			c.buf = append(c.buf, make([]byte, len(c.buf))...)
		}
	}
	n, err := c.net.Read(c.buf[c.end:])
	c.end += n
	if n > 0 {
		return nil
	}
	if err == nil {
		return io.ErrNoProgress
	}
	return err
}

// parseHead parses "METHOD target HTTP/1.x\r\n" and the header lines.
func (c *conn) parseHead(head []byte) (*request, error) {
	r := &c.req
	*r = request{}
	c.trailerType, c.trailerBody = "", ""
	line, rest, _ := bytes.Cut(head, []byte("\r\n"))
	method, target, ok := bytes.Cut(line, []byte(" "))
	if !ok {
		return nil, errMalformed
	}
	path, version, ok := bytes.Cut(target, []byte(" "))
	if !ok || !bytes.HasPrefix(version, []byte("HTTP/1.")) || len(version) != 8 {
		return nil, errMalformed
	}
	if absolute, found := bytes.CutPrefix(path, []byte("http://")); found {
		slash := bytes.IndexByte(absolute, '/')
		if slash < 0 {
			return nil, errMalformed
		}
		path = absolute[slash:]
	}
	r.method, r.path, r.close = method, path, version[7] == '0'
	seenLength := false
	for len(rest) > 0 {
		line, rest, _ = bytes.Cut(rest, []byte("\r\n"))
		name, value, ok := bytes.Cut(line, []byte(":"))
		if !ok || len(name) == 0 || name[0] == ' ' || name[0] == '\t' {
			return nil, errMalformed
		}
		if err := r.header(name, bytes.Trim(value, " \t"), &seenLength); err != nil {
			return nil, err
		}
	}
	return r, nil
}

// header takes note of one header. RFC 9112 section 6.3: a request with both a
// length and a transfer encoding, or two lengths, is refused.
func (r *request) header(name, value []byte, seenLength *bool) error {
	switch {
	case is(name, "content-length"):
		n, err := strconv.ParseUint(string(value), 10, 62)
		if err != nil || *seenLength || r.length == -1 {
			return errMalformed
		}
		r.length, *seenLength = int64(n), true
	case is(name, "transfer-encoding"):
		if !is(value, "chunked") || *seenLength || r.length == -1 {
			return errMalformed
		}
		r.length = -1
	case is(name, "connection"):
		r.close = r.close || is(value, "close")
	case is(name, "expect"):
		r.expect = is(value, "100-continue")
	case is(name, "content-type"):
		r.contentType = intern(value)
	case is(name, "lambda-runtime-function-error-type"):
		r.errorType = string(value)
	case is(name, "lambda-runtime-function-response-mode"):
		r.responseMode = intern(value)
	case is(name, "host") && !isHere(value), is(name, "origin"), is(name, "sec-fetch-site"):
		return errForeign
	}
	return nil
}

// isHere reports whether a Host is no name of a public domain: it is an address,
// or a name without a dot such as localhost. A browser may be on its way for a page
// of somebody else: one whose name has come to mean this machine could read
// invocations, and others could take them away. Those are told by Origin and
// Sec-Fetch-Site too (Fetch Metadata Request Headers, section 2), which no runtime
// sends.
func isHere(host []byte) bool {
	dots, others := 0, 0
	for _, ch := range host {
		switch {
		case ch == '[' || ch == ':':
			return dots == 0 || others == 0 // IPv6, or what follows is the port
		case ch == '.':
			dots++
		case ch < '0' || ch > '9':
			others++
		}
	}
	return dots == 0 || others == 0
}

// is compares with a lower-case ASCII name, ignoring case.
func is(b []byte, lower string) bool {
	if len(b) != len(lower) {
		return false
	}
	for i := range len(b) {
		ch := b[i]
		if 'A' <= ch && ch <= 'Z' {
			ch += 'a' - 'A'
		}
		if ch != lower[i] {
			return false
		}
	}
	return true
}

// intern saves the allocation for the values that nearly every request has.
func intern(b []byte) string {
	switch string(b) {
	case "application/json":
		return "application/json"
	case "application/octet-stream":
		return "application/octet-stream"
	case "streaming":
		return "streaming"
	}
	return string(b)
}
