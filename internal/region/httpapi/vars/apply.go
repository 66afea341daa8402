package vars

import (
	"net/url"
	"strings"

	"github.com/seed-615d3599/roost/internal/region/http1"
)

// Fields applies one mapping to header fields. A value that is not there changes
// nothing, and one that HTTP does not allow is left out.
func (ch Change) Fields(fields []http1.Field, from Source) []http1.Field {
	var value string
	if ch.Verb != Remove {
		var ok bool
		if value, ok = ch.Value.Value(from); !ok || !http1.ValidField(ch.Name, value) {
			return fields
		}
	}
	if ch.Verb != Append {
		kept := fields[:0:0]
		for _, f := range fields {
			if !http1.EqualFold(f.Name, ch.Name) {
				kept = append(kept, f)
			}
		}
		fields = kept
	}
	if ch.Verb == Remove {
		return fields
	}
	return append(fields, http1.Field{Name: []byte(ch.Name), Value: []byte(value)})
}

// Query applies one mapping to a raw query.
func (ch Change) Query(query string, from Source) string {
	var value string
	if ch.Verb != Remove {
		var ok bool
		if value, ok = ch.Value.Value(from); !ok {
			return query
		}
	}
	var pairs []string
	for _, pair := range strings.Split(query, "&") {
		name, _, _ := strings.Cut(pair, "=")
		decoded, err := url.QueryUnescape(name)
		if pair == "" || ch.Verb != Append && err == nil && decoded == ch.Name {
			continue
		}
		pairs = append(pairs, pair)
	}
	if ch.Verb != Remove {
		pairs = append(pairs, url.QueryEscape(ch.Name)+"="+url.QueryEscape(value))
	}
	return strings.Join(pairs, "&")
}
