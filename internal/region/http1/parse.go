package http1

import (
	"bytes"
	"fmt"
)

// Error is why a request is refused: the status to answer with, and a reason
// for the log of whoever runs the server.
type Error struct {
	Status int
	Reason string
}

func (e *Error) Error() string { return fmt.Sprintf("http1: %s (%d)", e.Reason, e.Status) }

func refusal(status int, reason string) *Error { return &Error{Status: status, Reason: reason} }

const maxFields = 256 // header fields in one request

// parseHead reads a whole head, its last empty line included, into r. The
// order of steps is RFC 9112's: request line (3), fields (5), host (3.2), length (6).
func (r *Request) parseHead(head []byte) *Error {
	line, rest, refused := cutLine(head)
	if refused != nil {
		return refused
	}
	if refused = r.parseRequestLine(line); refused != nil {
		return refused
	}
	for {
		if line, rest, refused = cutLine(rest); refused != nil {
			return refused
		}
		if len(line) == 0 {
			break
		}
		if refused = r.parseField(line); refused != nil {
			return refused
		}
	}
	if refused = r.checkHost(); refused != nil {
		return refused
	}
	return r.checkLength()
}

// cutLine splits b behind its first line end, which must be CR LF.
func cutLine(b []byte) (line, rest []byte, refused *Error) {
	i := bytes.IndexByte(b, '\n')
	if i < 1 || b[i-1] != '\r' {
		return nil, nil, refusal(400, "a line does not end with CR LF")
	}
	return b[:i-1], b[i+1:], nil
}

// parseRequestLine reads "method SP request-target SP HTTP-version" (RFC 9112 section 3).
func (r *Request) parseRequestLine(line []byte) *Error {
	sp := bytes.IndexByte(line, ' ')
	if sp < 1 {
		return refusal(400, "the request line has no method and target")
	}
	if !isToken(line[:sp]) {
		return refusal(400, "the method is not a token")
	}
	r.Method = methodName(line[:sp])
	line = line[sp+1:]
	sp = bytes.LastIndexByte(line, ' ')
	if sp < 1 {
		return refusal(400, "the request line has no version")
	}
	switch string(line[sp+1:]) {
	case "HTTP/1.1":
		r.Minor = 1
	case "HTTP/1.0":
		r.Minor = 0
	default:
		if bytes.HasPrefix(line[sp+1:], []byte("HTTP/")) {
			return refusal(505, "the version is neither HTTP/1.1 nor HTTP/1.0")
		}
		return refusal(400, "the request line does not end with a version")
	}
	return r.parseTarget(line[:sp])
}

// parseTarget takes origin form, absolute form (of which it keeps the authority
// as Host) and, for OPTIONS, asterisk form (RFC 9112 section 3.2).
func (r *Request) parseTarget(target []byte) *Error {
	for _, c := range target {
		if c <= ' ' || c == 0x7f || c == '#' {
			return refusal(400, "the request target holds a character that must be encoded")
		}
	}
	if target[0] == '/' || len(target) == 1 && target[0] == '*' && r.Method == "OPTIONS" {
		r.Target = target
		return nil
	}
	if r.Method == "CONNECT" {
		return refusal(501, "CONNECT is not served")
	}
	for _, scheme := range []string{"http://", "https://"} {
		if len(target) > len(scheme) && EqualFold(target[:len(scheme)], scheme) {
			return r.parseAbsolute(target[len(scheme):])
		}
	}
	return refusal(400, "the request target is neither a path nor an http URL")
}

func (r *Request) parseAbsolute(rest []byte) *Error {
	end := bytes.IndexAny(rest, "/?")
	if end < 0 {
		r.Host, r.Target = rest, []byte("/")
	} else {
		r.Host, r.Target = rest[:end], rest[end:]
	}
	if r.Target[0] == '?' {
		r.Target = append([]byte("/"), r.Target...)
	}
	if len(r.Host) == 0 || !isHost(r.Host) {
		return refusal(400, "the request target's authority is not a host")
	}
	return nil
}

// parseField reads "name: value" (RFC 9112 section 5) and notes what frames the message.
func (r *Request) parseField(line []byte) *Error {
	colon := bytes.IndexByte(line, ':')
	if colon < 1 || !isToken(line[:colon]) {
		return refusal(400, "a header line has no proper field name")
	}
	value := trimSpace(line[colon+1:])
	if !isFieldValue(value) {
		return refusal(400, "a header field's value holds a control character")
	}
	if len(r.Fields) == maxFields {
		return refusal(431, "there are too many header fields")
	}
	r.Fields = append(r.Fields, Field{Name: line[:colon], Value: value})
	return r.noteField(line[:colon], value)
}

// noteField keeps what the fields say that concern the connection itself.
func (r *Request) noteField(name, value []byte) *Error {
	switch len(name) { // lengths first: nearly every field is none of these
	case len("Host"):
		if EqualFold(name, "Host") {
			r.hosts++
			r.hostField = value
		}
	case len("Expect"):
		if EqualFold(name, "Expect") {
			if !EqualFold(value, "100-continue") {
				return refusal(417, "only 100-continue can be expected")
			}
			r.expect = true
		}
	case len("Connection"):
		if EqualFold(name, "Connection") {
			r.close = r.close || hasElement(value, "close")
			r.keepAlive = r.keepAlive || hasElement(value, "keep-alive")
		}
	case len("Content-Length"):
		if EqualFold(name, "Content-Length") {
			r.lengths++
			return r.parseLength(value)
		}
	case len("Transfer-Encoding"):
		if EqualFold(name, "Transfer-Encoding") {
			r.chunked++
			if !EqualFold(value, "chunked") {
				return refusal(501, "the only transfer coding is chunked")
			}
		}
	}
	return nil
}

func (r *Request) parseLength(value []byte) *Error {
	if len(value) == 0 || len(value) > 18 {
		return refusal(400, "Content-Length is not a length")
	}
	for _, c := range value {
		if c < '0' || c > '9' {
			return refusal(400, "Content-Length is not a length")
		}
		r.ContentLength = r.ContentLength*10 + int64(c-'0')
	}
	return nil
}

// checkHost demands one Host field in HTTP/1.1 (RFC 9112 section 3.2).
func (r *Request) checkHost() *Error {
	if r.hosts > 1 || r.hosts == 0 && r.Minor == 1 {
		return refusal(400, "there is not exactly one Host field")
	}
	if !isHost(r.hostField) {
		return refusal(400, "the Host field is not a host")
	}
	if r.Host == nil {
		r.Host = r.hostField
	}
	return nil
}

// checkLength decides how the body is framed (RFC 9112 section 6.3), and refuses
// what two readers could frame in two ways.
func (r *Request) checkLength() *Error {
	switch {
	case r.lengths > 1:
		return refusal(400, "Content-Length is repeated")
	case r.chunked > 1:
		return refusal(400, "Transfer-Encoding is repeated")
	case r.chunked == 1 && r.lengths == 1:
		return refusal(400, "both Content-Length and Transfer-Encoding are there")
	case r.chunked == 1 && r.Minor == 0:
		return refusal(400, "HTTP/1.0 has no Transfer-Encoding")
	case r.chunked == 1:
		r.ContentLength = -1
	}
	return nil
}

// hasElement reports whether the comma-separated list has the element.
func hasElement(list []byte, element string) bool {
	for len(list) > 0 {
		var one []byte
		one, list, _ = bytes.Cut(list, []byte(","))
		if EqualFold(trimSpace(one), element) {
			return true
		}
	}
	return false
}

// methodName returns the method without allocating for those in use.
func methodName(b []byte) string {
	switch string(b) {
	case "GET":
		return "GET"
	case "POST":
		return "POST"
	case "PUT":
		return "PUT"
	case "PATCH":
		return "PATCH"
	case "DELETE":
		return "DELETE"
	case "HEAD":
		return "HEAD"
	case "OPTIONS":
		return "OPTIONS"
	}
	return string(b)
}

func trimSpace(b []byte) []byte {
	for len(b) > 0 && (b[0] == ' ' || b[0] == '\t') {
		b = b[1:]
	}
	for len(b) > 0 && (b[len(b)-1] == ' ' || b[len(b)-1] == '\t') {
		b = b[:len(b)-1]
	}
	return b
}

// isTokenChar is tchar of RFC 9110 section 5.6.2.
func isTokenChar(c byte) bool {
	switch {
	case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9':
		return true
	}
	switch c {
	case '!', '#', '$', '%', '&', '\'', '*', '+', '-', '.', '^', '_', '`', '|', '~':
		return true
	}
	return false
}

func isToken[T ~string | ~[]byte](b T) bool {
	for i := range len(b) {
		if !isTokenChar(b[i]) {
			return false
		}
	}
	return len(b) > 0
}

// isFieldValue is field-content of RFC 9110 section 5.5, obs-text included.
func isFieldValue[T ~string | ~[]byte](b T) bool {
	for i := range len(b) {
		if c := b[i]; c < ' ' && c != '\t' || c == 0x7f {
			return false
		}
	}
	return true
}

// isHost allows the characters of uri-host and port (RFC 3986 section 3.2.2).
func isHost(b []byte) bool {
	for _, c := range b {
		switch {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9':
		case c == '.' || c == '-' || c == '_' || c == ':' || c == '[' || c == ']' || c == '~' || c == '%':
		default:
			return false
		}
	}
	return true
}

// ValidField reports whether a field may go into an answer: its name is a
// token and its value has no control character (RFC 9110 section 5).
func ValidField[T ~string | ~[]byte](name, value T) bool {
	return isToken(name) && isFieldValue(value)
}
