package event

import (
	"bytes"

	"github.com/seed-615d3599/roost/internal/region/http1"
)

// parseQuery returns the decoded parameters, sorted by name.
func (e *Encoder) parseQuery(raw []byte) []http1.Field {
	e.query, e.text = e.query[:0], e.text[:0]
	for len(raw) > 0 {
		var pair []byte
		pair, raw, _ = bytes.Cut(raw, []byte("&"))
		if len(pair) == 0 {
			continue
		}
		name, value, _ := bytes.Cut(pair, []byte("="))
		e.query = append(e.query, http1.Field{Name: e.unescape(name), Value: e.unescape(value)})
	}
	sortFields(e.query)
	return e.query
}

// unescape decodes a query component; a percent sign that encodes nothing stands for itself.
func (e *Encoder) unescape(s []byte) []byte {
	if bytes.IndexByte(s, '%') < 0 && bytes.IndexByte(s, '+') < 0 {
		return s
	}
	start := len(e.text)
	for i := 0; i < len(s); i++ {
		c := s[i]
		if c == '+' {
			c = ' '
		} else if c == '%' && i+2 < len(s) {
			if hi, lo := hexValue(s[i+1]), hexValue(s[i+2]); hi >= 0 && lo >= 0 {
				c = byte(hi<<4 | lo)
				i += 2
			}
		}
		e.text = append(e.text, c)
	}
	return e.text[start:len(e.text):len(e.text)]
}

func hexValue(c byte) int {
	switch {
	case '0' <= c && c <= '9':
		return int(c - '0')
	case 'a' <= c && c <= 'f':
		return int(c-'a') + 10
	case 'A' <= c && c <= 'F':
		return int(c-'A') + 10
	}
	return -1
}

// Query returns the decoded values of a query parameter joined with commas, as
// $request.querystring.name has them, and whether there are any.
func (e *Encoder) Query(raw []byte, name string) (string, bool) {
	return joined(e.parseQuery(raw), name)
}

// joined returns the values of one name.
func joined(fields []http1.Field, name string) (string, bool) {
	var out []byte
	found := false
	for _, f := range fields {
		if string(f.Name) != name {
			continue
		}
		if found {
			out = append(out, ',')
		}
		found = true
		out = append(out, f.Value...)
	}
	return string(out), found
}

// Header returns the values of the header with that lower-case name joined with
// commas, as $request.header.name has them, and whether there are any.
func (r *Request) Header(lower string) (string, bool) {
	return joined(r.Headers, lower)
}
