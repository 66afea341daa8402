package sigv4

import (
	"bytes"
	"slices"
	"strings"
)

// form says how the parts of a canonical request are written. Verify uses the
// one that the service prescribes; Diagnose tries others.
type form struct {
	path          pathForm
	query         queryForm
	signedHeaders string // sorted, joined with ";"
	payloadHash   string
	presigned     bool // X-Amz-Signature is not part of the query
	omitToken     bool // nor is X-Amz-Security-Token
}

// pathForm is a way of writing the canonical path.
type pathForm int

const (
	pathTwice    pathForm = iota // normalised, then encoded again: every service but S3
	pathOnce                     // decoded and encoded, as it stands: S3
	pathTwiceRaw                 // encoded again without being normalised
	pathOnceTidy                 // normalised, and encoded once
	pathVerbatim                 // as sent
)

// queryForm is a way of writing the canonical query.
type queryForm int

const (
	querySorted   queryForm = iota // encoded and sorted, as prescribed
	queryInOrder                   // encoded, in order of arrival
	queryVerbatim                  // as sent
	queryNone                      // left out
)

// appendCanonicalRequest appends the canonical request of r (IAM User Guide,
// "Create a signed AWS API request", step 1). It reports false when a signed
// header is not in the request.
func appendCanonicalRequest(dst []byte, r *Request, f *form) ([]byte, bool) {
	path, query := r.pathAndQuery()
	dst = append(dst, r.Method...)
	dst = append(dst, '\n')
	dst = appendPath(dst, path, f.path)
	dst = append(dst, '\n')
	dst = appendQuery(dst, query, f)
	dst = append(dst, '\n')
	dst, complete := appendHeaders(dst, r, f.signedHeaders)
	dst = append(dst, '\n')
	dst = append(dst, f.signedHeaders...)
	dst = append(dst, '\n')
	return append(dst, f.payloadHash...), complete
}

func appendPath(dst []byte, path string, form pathForm) []byte {
	if path == "" {
		path = "/"
	}
	if form == pathTwice || form == pathOnceTidy {
		path = normalize(path)
	}
	switch form {
	case pathTwice, pathTwiceRaw:
		for i := 0; i < len(path); i++ {
			dst = appendEncoded(dst, path[i], true)
		}
		return dst
	case pathOnce, pathOnceTidy:
		return appendReencoded(dst, path, true)
	default:
		return append(dst, path...)
	}
}

// normalize removes dot segments (RFC 3986, 5.2.4) and doubled slashes, and
// keeps a slash at the end. A path that needs neither comes back as it is.
func normalize(path string) string {
	if !strings.Contains(path, "/.") && !strings.Contains(path, "//") {
		return path
	}
	segments := make([]string, 0, strings.Count(path, "/")+1)
	trailing := false
	for segment := range strings.SplitSeq(path, "/") {
		trailing = segment == "" || segment == "." || segment == ".."
		switch {
		case segment == "" || segment == ".":
		case segment != "..":
			segments = append(segments, segment)
		case len(segments) > 0:
			segments = segments[:len(segments)-1]
		}
	}
	if len(segments) == 0 {
		return "/"
	}
	path = "/" + strings.Join(segments, "/")
	if trailing {
		path += "/"
	}
	return path
}

// aboveRoot reports whether the path's ".." segments lead out of the root.
func aboveRoot(path string) bool {
	if !strings.Contains(path, "/..") {
		return false
	}
	depth := 0
	for segment := range strings.SplitSeq(path, "/") {
		switch segment {
		case "", ".":
		case "..":
			if depth--; depth < 0 {
				return true
			}
		default:
			depth++
		}
	}
	return false
}

// span marks a query parameter in a buffer: its encoded key is
// buf[start:equals], its encoded value buf[equals+1:end].
type span struct{ start, equals, end int }

func (s span) compare(buf []byte, other span) int {
	if c := bytes.Compare(buf[s.start:s.equals], buf[other.start:other.equals]); c != 0 {
		return c
	}
	return bytes.Compare(buf[s.equals+1:s.end], buf[other.equals+1:other.end])
}

// appendQuery appends the canonical query: each parameter decoded and encoded
// again, sorted by encoded key and then by encoded value.
func appendQuery(dst []byte, query string, f *form) []byte {
	if query == "" || f.query == queryNone {
		return dst
	}
	if f.query == queryVerbatim {
		return append(dst, query...)
	}
	var bufArray [1024]byte
	var spanArray [24]span
	buf, spans := bufArray[:0], spanArray[:0]
	signatureSeen := !f.presigned
	for len(query) > 0 {
		var pair string
		pair, query, _ = strings.Cut(query, "&")
		if pair == "" {
			continue
		}
		key, value, _ := strings.Cut(pair, "=")
		s := span{start: len(buf)}
		buf = appendReencoded(buf, key, false)
		s.equals = len(buf)
		// Only the first signature is left out: a second one is a parameter
		// like any other, which nobody has signed.
		if name := buf[s.start:]; !signatureSeen && string(name) == "X-Amz-Signature" {
			signatureSeen = true
			buf = buf[:s.start]
			continue
		} else if f.omitToken && string(name) == "X-Amz-Security-Token" {
			buf = buf[:s.start]
			continue
		}
		buf = append(buf, '=')
		buf = appendReencoded(buf, value, false)
		s.end = len(buf)
		spans = append(spans, s)
	}
	if f.query == querySorted {
		slices.SortFunc(spans, func(a, b span) int { return a.compare(buf, b) })
	}
	for i, s := range spans {
		if i > 0 {
			dst = append(dst, '&')
		}
		dst = append(dst, buf[s.start:s.end]...)
	}
	return dst
}

// appendHeaders appends a line for each signed header and reports whether the
// request has all of them.
func appendHeaders(dst []byte, r *Request, signedHeaders string) ([]byte, bool) {
	complete := true
	for signedHeaders != "" {
		var name string
		name, signedHeaders, _ = strings.Cut(signedHeaders, ";")
		dst = append(dst, name...)
		dst = append(dst, ':')
		if name == "host" || name == ":authority" {
			dst = appendCollapsed(dst, r.Host)
		} else {
			start := len(dst)
			dst = appendValues(dst, r.Header, name)
			complete = complete && len(dst) > start
			if len(dst) > start {
				dst = dst[:len(dst)-1] // the comma after the last value
			}
		}
		dst = append(dst, '\n')
	}
	return dst, complete
}

// appendValues appends the values of all lines with a name, each followed by a
// comma.
func appendValues(dst []byte, headers []Header, name string) []byte {
	for i := range headers {
		if isNamed(headers[i].Name, name) {
			dst = appendCollapsed(dst, headers[i].Value)
			dst = append(dst, ',')
		}
	}
	return dst
}

// appendCollapsed appends a header value without blanks at its ends, and with
// one space for each run of blanks or line folds inside (RFC 9112, 5.2).
func appendCollapsed(dst []byte, value string) []byte {
	value = trim(value)
	if !strings.Contains(value, "  ") && strings.IndexByte(value, '\t') < 0 && strings.IndexByte(value, '\n') < 0 && strings.IndexByte(value, '\r') < 0 {
		return append(dst, value...) // as nearly all are: tokens are long
	}
	start := len(dst)
	for word := range strings.FieldsFuncSeq(value, func(r rune) bool { return r == ' ' || r == '\t' || r == '\r' || r == '\n' }) {
		if len(dst) > start {
			dst = append(dst, ' ')
		}
		dst = append(dst, word...)
	}
	return dst
}

const upperHex = "0123456789ABCDEF"

// appendEncoded appends one byte, percent-encoded unless RFC 3986 calls it
// unreserved.
func appendEncoded(dst []byte, c byte, slash bool) []byte {
	if isUnreserved(c) || slash && c == '/' {
		return append(dst, c)
	}
	return append(dst, '%', upperHex[c>>4], upperHex[c&15])
}

// appendReencoded decodes s and encodes it again, so that every way of writing
// the same bytes ends in one. A plus sign means itself in a path and
// a space in a query.
func appendReencoded(dst []byte, s string, path bool) []byte {
	for i := 0; i < len(s); i++ {
		c, width := decode(s[i:], !path)
		i += width - 1
		// A slash that was sent encoded is part of a segment and stays so.
		dst = appendEncoded(dst, c, path && width == 1)
	}
	return dst
}

// decode returns the first byte of s, unescaped, and how many bytes it takes up.
func decode(s string, plusIsSpace bool) (c byte, width int) {
	switch {
	case s[0] == '%' && len(s) > 2 && isHex(s[1]) && isHex(s[2]):
		return unhex(s[1])<<4 | unhex(s[2]), 3
	case s[0] == '+' && plusIsSpace:
		return ' ', 1
	}
	return s[0], 1
}

// wellFormed reports whether every percent sign starts an escape.
func wellFormed(s string) bool {
	for i := 0; i < len(s); i++ {
		if s[i] == '%' && (i+2 >= len(s) || !isHex(s[i+1]) || !isHex(s[i+2])) {
			return false
		}
	}
	return true
}

func isUnreserved(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' ||
		c == '-' || c == '_' || c == '.' || c == '~'
}

func isHex(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c && c <= 'f' || 'A' <= c && c <= 'F'
}

func unhex(c byte) byte {
	switch {
	case c <= '9':
		return c - '0'
	case c <= 'F':
		return c - 'A' + 10
	default:
		return c - 'a' + 10
	}
}
