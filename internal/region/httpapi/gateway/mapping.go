package gateway

import (
	"bytes"
	"net/url"
	"strings"

	"github.com/seed-615d3599/roost/internal/region/http1"
	"github.com/seed-615d3599/roost/internal/region/httpapi/event"
	"github.com/seed-615d3599/roost/internal/region/httpapi/vars"
)

// changeRequest applies an integration's RequestParameters to the event.
func (c *call) changeRequest(changes []vars.Change) {
	from := source{c}
	fields := append([]http1.Field(nil), c.event.Headers...)
	query := string(c.event.RawQuery)
	for _, ch := range changes {
		switch ch.Place {
		case vars.AtHeader:
			fields = change(fields, ch, from)
		case vars.AtQuery:
			query = changeQuery(query, ch, from)
		case vars.AtPath:
			if v, ok := ch.Value.Value(from); ok {
				c.event.Path, c.event.MappedPath = v, ""
			}
		}
	}
	c.event.RawQuery = []byte(query)
	var own []http1.Field // content-length, which Headers would leave out
	for _, f := range fields {
		if string(f.Name) == "content-length" {
			own = append(own, f)
		}
	}
	var fresh event.Encoder // c.enc holds the names that fields point to
	c.event.Headers = fresh.Headers(fields, own...)
}

// change applies one mapping to header fields. A value that is not there changes
// nothing, and one that HTTP does not allow is left out.
func change(fields []http1.Field, ch vars.Change, from vars.Source) []http1.Field {
	var value string
	if ch.Verb != vars.Remove {
		var ok bool
		if value, ok = ch.Value.Value(from); !ok || !http1.ValidField(ch.Name, value) {
			return fields
		}
	}
	if ch.Verb != vars.Append {
		kept := fields[:0:0]
		for _, f := range fields {
			if !http1.EqualFold(f.Name, ch.Name) {
				kept = append(kept, f)
			}
		}
		fields = kept
	}
	if ch.Verb == vars.Remove {
		return fields
	}
	return append(fields, http1.Field{Name: []byte(ch.Name), Value: []byte(value)})
}

// changeQuery applies one mapping to a raw query.
func changeQuery(query string, ch vars.Change, from vars.Source) string {
	var value string
	if ch.Verb != vars.Remove {
		var ok bool
		if value, ok = ch.Value.Value(from); !ok {
			return query
		}
	}
	var pairs []string
	for _, pair := range strings.Split(query, "&") {
		name, _, _ := strings.Cut(pair, "=")
		decoded, err := url.QueryUnescape(name)
		if pair == "" || ch.Verb != vars.Append && err == nil && decoded == ch.Name {
			continue
		}
		pairs = append(pairs, pair)
	}
	if ch.Verb != vars.Remove {
		pairs = append(pairs, url.QueryEscape(ch.Name)+"="+url.QueryEscape(value))
	}
	return strings.Join(pairs, "&")
}

// targetURL fills the path variables into a proxy's URL and appends the query.
func (c *call) targetURL(i *integration) string {
	var b strings.Builder
	for _, s := range i.target {
		if s.variable == "" {
			b.WriteString(s.literal)
			continue
		}
		for _, p := range c.params {
			if p.Name == s.variable {
				b.WriteString(escapePath(p.Value))
			}
		}
	}
	if q := c.event.RawQuery; len(q) > 0 {
		separator := byte('?')
		if strings.Contains(b.String(), "?") {
			separator = '&'
		}
		b.WriteByte(separator)
		b.Write(bytes.TrimPrefix(q, []byte("&")))
	}
	return b.String()
}

// escapePath encodes a path variable's value, but keeps the slashes of a greedy one.
// Dot segments are encoded too, so that a value cannot climb out of the target's path.
func escapePath(value string) string {
	segments := strings.Split(value, "/")
	for i, s := range segments {
		if segments[i] = url.PathEscape(s); s == "." || s == ".." {
			segments[i] = strings.ReplaceAll(s, ".", "%2E")
		}
	}
	return strings.Join(segments, "/")
}
