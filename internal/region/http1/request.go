package http1

import (
	"crypto/tls"
	"time"
)

// Field is one header field as it was on the wire, without the white space
// around the value (RFC 9112 section 5).
type Field struct {
	Name, Value []byte
}

// Request is one request. Its slices belong to the connection and are valid
// until the handler returns.
type Request struct {
	// Method is the method as sent; methods are case-sensitive.
	Method string
	// Target is the request target as sent. It is in origin form ("/path?query"),
	// or "*" for OPTIONS; of an absolute form only the part from the path on.
	Target []byte
	// Minor is the protocol's minor version: 1 for HTTP/1.1, 0 for HTTP/1.0.
	Minor int
	// Fields are the header fields in their order of arrival, Host included.
	Fields []Field
	// Host is the authority that the request is for: of an absolute target if
	// there is one, or else the Host field's value. Empty only in HTTP/1.0.
	Host []byte
	// ContentLength is the body's length in bytes, 0 without one and -1 for a
	// chunked body.
	ContentLength int64
	// Time is when the head had been read.
	Time time.Time

	conn       *conn
	body       body
	close      bool // the client wants no further request
	keepAlive  bool // an HTTP/1.0 client wants one
	expect     bool // 100-continue
	lengths    int  // how many Content-Length fields there were
	hosts      int  // how many Host fields
	chunked    int  // how many Transfer-Encoding fields
	hostField  []byte
	remoteName string
}

// Get returns the value of the first field of that name, which is compared
// without regard to case, and whether there is one.
func (r *Request) Get(name string) ([]byte, bool) {
	for i := range r.Fields {
		if EqualFold(r.Fields[i].Name, name) {
			return r.Fields[i].Value, true
		}
	}
	return nil, false
}

// EqualFold reports whether b is name but for the case of ASCII letters.
func EqualFold(b []byte, name string) bool {
	if len(b) != len(name) {
		return false
	}
	for i := range b {
		if lower(b[i]) != lower(name[i]) {
			return false
		}
	}
	return true
}

func lower(c byte) byte {
	if 'A' <= c && c <= 'Z' {
		return c + 'a' - 'A'
	}
	return c
}

// RemoteAddr returns the client's address as "ip:port".
func (r *Request) RemoteAddr() string {
	if r.remoteName == "" && r.conn.nc != nil {
		if a := r.conn.nc.RemoteAddr(); a != nil {
			r.remoteName = a.String()
		}
	}
	return r.remoteName
}

// TLS returns the state of the connection's TLS, or nil on a plain one.
func (r *Request) TLS() *tls.ConnectionState {
	if t, ok := r.conn.nc.(*tls.Conn); ok {
		state := t.ConnectionState()
		return &state
	}
	return nil
}
