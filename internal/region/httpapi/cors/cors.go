// Package cors answers for cross-origin requests as an HTTP API with a CORS
// configuration does (API Gateway Developer Guide, "Configure CORS for HTTP APIs").
//
//	policy := cors.Compile(&cors.Config{AllowOrigins: []string{"https://example.com"}})
//	for _, h := range policy.Headers(origin, preflight) { … }
package cors

import (
	"strconv"
	"strings"

	"github.com/seed-615d3599/roost/internal/region/http1"
)

// Config is an API's CORS configuration.
type Config struct {
	AllowOrigins, AllowMethods, AllowHeaders, ExposeHeaders []string
	AllowCredentials                                        bool
	MaxAge                                                  *int // seconds
}

// Policy is a compiled Config.
type Policy struct {
	origins     []string // lower case
	any         bool     // "*"
	credentials bool
	expose      string
	preflight   []Header // of the answer to a preflight, without the origin's
}

// Header is one header of an answer.
type Header struct{ Name, Value string }

// Compile prepares a configuration. Without one the policy is nil.
func Compile(c *Config) *Policy {
	if c == nil {
		return nil
	}
	out := &Policy{credentials: c.AllowCredentials, expose: strings.ToLower(strings.Join(c.ExposeHeaders, ","))}
	for _, o := range c.AllowOrigins {
		out.any = out.any || o == "*"
		out.origins = append(out.origins, strings.ToLower(o))
	}
	add := func(name, value string) {
		if value != "" {
			out.preflight = append(out.preflight, Header{name, value})
		}
	}
	add("access-control-allow-methods", strings.Join(c.AllowMethods, ","))
	add("access-control-allow-headers", strings.ToLower(strings.Join(c.AllowHeaders, ",")))
	if c.MaxAge != nil {
		add("access-control-max-age", strconv.Itoa(*c.MaxAge))
	}
	return out
}

// allows reports whether an origin is one of the configured: exactly, or by "*",
// "https://*" or "http://*".
func (c *Policy) allows(origin string) bool {
	if c.any {
		return true
	}
	origin = strings.ToLower(origin)
	for _, o := range c.origins {
		if o == origin || (o == "https://*" || o == "http://*") && strings.HasPrefix(origin, o[:len(o)-1]) {
			return true
		}
	}
	return false
}

// Headers returns what is added to the answer to a request with that origin.
func (c *Policy) Headers(origin string, preflight bool) []Header {
	if !c.allows(origin) {
		return nil
	}
	var out []Header
	if c.any && !c.credentials {
		out = append(out, Header{"access-control-allow-origin", "*"})
	} else {
		out = append(out, Header{"access-control-allow-origin", origin}, Header{"vary", "origin"})
	}
	if c.credentials {
		out = append(out, Header{"access-control-allow-credentials", "true"})
	}
	if preflight {
		return append(out, c.preflight...)
	}
	if c.expose != "" {
		out = append(out, Header{"access-control-expose-headers", c.expose})
	}
	return out
}

// Replaces reports the headers of integrations that a CORS configuration replaces.
func Replaces(name []byte) bool {
	const prefix = "access-control-"
	return len(name) > len(prefix) && http1.EqualFold(name[:len(prefix)], prefix)
}
