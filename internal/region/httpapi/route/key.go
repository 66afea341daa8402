package route

import (
	"fmt"
	"strings"
)

// Key is a route key taken apart.
type Key struct {
	Method   string // as HTTP has it, or "ANY"
	Path     string // with its leading slash
	Segments []string
}

type kind int

const (
	literal kind = iota
	single       // {name}
	greedy       // {name+}
)

// Parse reads "METHOD /path". It does not take "$default", which has neither.
// The rules are those of the API Gateway Developer Guide, "Create routes for HTTP APIs".
func Parse(key string) (Key, error) {
	method, path, ok := strings.Cut(key, " ")
	if !ok || !strings.HasPrefix(path, "/") {
		return Key{}, fmt.Errorf("route key %q is neither $default nor a method and a path, such as \"GET /pets\"", key)
	}
	switch method {
	case "ANY", "GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS":
	default:
		return Key{}, fmt.Errorf("route key %q: the method is not one of ANY, DELETE, GET, HEAD, OPTIONS, PATCH, POST, PUT", key)
	}
	k := Key{Method: method, Path: path, Segments: strings.Split(path[1:], "/")}
	seen := map[string]bool{}
	for i, segment := range k.Segments {
		name, kind := variable(segment)
		switch {
		case kind == literal && strings.ContainsAny(segment, "{} ?#"):
			return Key{}, fmt.Errorf("route key %q: %q is not a segment; a path variable is a whole one, such as {id}", key, segment)
		case kind == literal:
			continue
		case name == "" || strings.ContainsAny(name, "{}+ "):
			return Key{}, fmt.Errorf("route key %q: %q has no proper name", key, segment)
		case seen[name]:
			return Key{}, fmt.Errorf("route key %q: the path variable %s is there twice", key, name)
		case kind == greedy && i != len(k.Segments)-1:
			return Key{}, fmt.Errorf("route key %q: {%s+} may only be the last segment", key, name)
		}
		seen[name] = true
	}
	return k, nil
}

// variable returns the name and kind of a segment.
func variable(segment string) (string, kind) {
	if len(segment) < 2 || segment[0] != '{' || segment[len(segment)-1] != '}' {
		return segment, literal
	}
	if name, ok := strings.CutSuffix(segment[1:len(segment)-1], "+"); ok {
		return name, greedy
	}
	return segment[1 : len(segment)-1], single
}
