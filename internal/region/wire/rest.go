package wire

import (
	"net/http"
	"net/url"
	"reflect"
	"strings"
)

// route is the method, path and query of a REST operation.
type route struct {
	method   string
	segments []string
	query    map[string]string // key → value that it must have; "" for any
}

func parseRoute(pattern string) *route {
	method, path, _ := strings.Cut(pattern, " ")
	path, query, _ := strings.Cut(path, "?")
	r := &route{method: method, segments: splitPath(path), query: map[string]string{}}
	for pair := range strings.SplitSeq(query, "&") {
		if key, value, _ := strings.Cut(pair, "="); key != "" {
			r.query[key] = value
		}
	}
	return r
}

func splitPath(path string) []string {
	path = strings.TrimPrefix(path, "/")
	if path == "" {
		return nil
	}
	return strings.Split(path, "/")
}

// match returns the path's parameters, or ok false. The path is the escaped
// one: an encoded slash does not end a segment.
func (r *route) match(method string, segments []string, query url.Values) (map[string]string, bool) {
	if method != r.method {
		return nil, false
	}
	for key, want := range r.query {
		got, ok := query[key]
		if !ok || want != "" && got[0] != want {
			return nil, false
		}
	}
	found := map[string]string{}
	for i, part := range r.segments {
		name, isParam := strings.CutPrefix(part, "{")
		name = strings.TrimSuffix(name, "}")
		if greedy, ok := strings.CutSuffix(name, "+"); ok && isParam {
			if i >= len(segments) || segments[i] == "" && len(segments) == i+1 {
				return nil, false
			}
			value, err := url.PathUnescape(strings.Join(segments[i:], "/"))
			found[greedy] = value
			return found, err == nil
		}
		if i >= len(segments) {
			return nil, false
		}
		value, err := url.PathUnescape(segments[i])
		if err != nil || !isParam && value != part || isParam && value == "" {
			return nil, false
		}
		if isParam {
			found[name] = value
		}
	}
	rest := segments[len(r.segments):]
	return found, len(rest) == 0 || len(rest) == 1 && rest[0] == ""
}

// rank orders routes that match the same request: more fixed parts win.
func (r *route) rank() int {
	rank := 10 * len(r.query)
	for _, part := range r.segments {
		if !strings.HasPrefix(part, "{") {
			rank += 100
		}
		if strings.HasSuffix(part, "+}") {
			rank--
		}
	}
	return rank
}

// setREST sets the members that travel outside the body.
func setREST(input reflect.Value, path map[string]string, query url.Values, header http.Header, body []byte) error {
	for member, field := range members(input) {
		tag, name := member.Tag, memberName(member)
		if tag.Get("payload") == "true" {
			field.SetBytes(body)
			continue
		}
		values := restValues(tag, path, query, header)
		if len(values) == 0 {
			continue
		}
		if field.Kind() == reflect.Slice {
			list := reflect.MakeSlice(field.Type(), len(values), len(values))
			for j, value := range values {
				if err := setScalar(list.Index(j), value, name); err != nil {
					return err
				}
			}
			field.Set(list)
			continue
		}
		if err := setScalar(field, values[0], name); err != nil {
			return err
		}
	}
	return nil
}

func restValues(tag reflect.StructTag, path map[string]string, query url.Values, header http.Header) []string {
	if name := tag.Get("uri"); name != "" {
		if value, ok := path[name]; ok {
			return []string{value}
		}
	}
	if name := tag.Get("query"); name != "" {
		return query[name]
	}
	if name := tag.Get("header"); name != "" {
		return header.Values(name)
	}
	return nil
}

// hasPayload reports whether a member takes the whole body.
func hasPayload(input reflect.Value) bool {
	for field := range members(input) {
		if field.Tag.Get("payload") == "true" {
			return true
		}
	}
	return false
}

// knownQuery reports whether the operation's input has a member for a query key.
func knownQuery(input reflect.Value, r *route, key string) bool {
	if _, ok := r.query[key]; ok {
		return true
	}
	for field := range members(input) {
		if field.Tag.Get("query") == key {
			return true
		}
	}
	return false
}
