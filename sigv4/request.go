package sigv4

import (
	"net/http"
	"strconv"
	"strings"
)

// Header is one header line: its name in any case, and its value, which may
// still have blanks around it or be folded over several lines.
type Header struct {
	Name, Value string
}

// Request is a request as it arrived on the wire. Nothing may have decoded,
// cleaned or reordered it: the signature covers what the client sent. The strings
// of a Signature are parts of those here.
type Request struct {
	// Method is the request method, such as "GET".
	Method string
	// Target is the path and query of the request line, still encoded.
	Target string
	// Host is the value of the Host header, or of :authority in HTTP/2. The
	// server must have refused requests with several.
	Host string
	// Header holds the other header lines in order of arrival, duplicates
	// included. A "Host" line among them is ignored.
	Header []Header
	// Body is the whole body. It is hashed unless PayloadHash is set or the
	// Verifier's S3 rules take the hash from a header.
	Body []byte
	// PayloadHash is the SHA-256 of the body in lower-case hex, for a caller
	// who has computed it already, for instance with ReadBody.
	PayloadHash string
}

// FromHTTP returns the request as net/http received it, or as it would send it.
// The body is left out: set Body or PayloadHash. net/http keeps the order of
// lines with the same name, and no other order matters to a signature.
func FromHTTP(r *http.Request) Request {
	out := Request{Method: r.Method, Target: r.RequestURI, Host: r.Host}
	if out.Method == "" {
		out.Method = http.MethodGet
	}
	if out.Target == "" {
		out.Target = r.URL.RequestURI()
	}
	if out.Host == "" {
		out.Host = r.URL.Host
	}
	out.Header = make([]Header, 0, len(r.Header)+1)
	for name, values := range r.Header {
		for _, value := range values {
			out.Header = append(out.Header, Header{name, value})
		}
	}
	if r.ContentLength > 0 && r.Header.Get("Content-Length") == "" {
		out.Header = append(out.Header, Header{"Content-Length", strconv.FormatInt(r.ContentLength, 10)})
	}
	return out
}

// pathAndQuery splits the target at its first question mark.
func (r *Request) pathAndQuery() (path, query string) {
	path, query, _ = strings.Cut(r.Target, "?")
	return path, query
}

// first returns the value of the first header line with the lower-case name.
func (r *Request) first(name string) (string, bool) {
	for i := range r.Header {
		if isNamed(r.Header[i].Name, name) {
			return r.Header[i].Value, true
		}
	}
	return "", false
}

// has reports whether there is a header line with the lower-case name.
func (r *Request) has(name string) bool {
	_, ok := r.first(name)
	return ok
}

// isNamed reports whether a header name is the given lower-case name, by ASCII
// case folding only: a Kelvin sign is not a k.
func isNamed(name, lower string) bool {
	if len(name) != len(lower) {
		return false
	}
	for i := 0; i < len(name); i++ {
		if toLower(name[i]) != lower[i] {
			return false
		}
	}
	return true
}

func toLower(c byte) byte {
	if 'A' <= c && c <= 'Z' {
		return c + ('a' - 'A')
	}
	return c
}
