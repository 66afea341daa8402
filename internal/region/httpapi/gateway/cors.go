package gateway

import (
	"strconv"
	"strings"

	"github.com/seed-615d3599/roost/internal/region/http1"
)

// cors is a compiled CORS configuration.
type cors struct {
	origins     []string // lower case
	any         bool     // "*"
	credentials bool
	expose      string
	preflight   []header // of the answer to a preflight, without the origin's
}

type header struct{ name, value string }

func compileCORS(c *CORS) *cors {
	if c == nil {
		return nil
	}
	out := &cors{credentials: c.AllowCredentials, expose: strings.ToLower(strings.Join(c.ExposeHeaders, ","))}
	for _, o := range c.AllowOrigins {
		out.any = out.any || o == "*"
		out.origins = append(out.origins, strings.ToLower(o))
	}
	add := func(name, value string) {
		if value != "" {
			out.preflight = append(out.preflight, header{name, value})
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
func (c *cors) allows(origin string) bool {
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

// headers returns what is added to the answer to a request with that origin.
func (c *cors) headers(origin string, preflight bool) []header {
	if !c.allows(origin) {
		return nil
	}
	var out []header
	if c.any && !c.credentials {
		out = append(out, header{"access-control-allow-origin", "*"})
	} else {
		out = append(out, header{"access-control-allow-origin", origin}, header{"vary", "origin"})
	}
	if c.credentials {
		out = append(out, header{"access-control-allow-credentials", "true"})
	}
	if preflight {
		return append(out, c.preflight...)
	}
	if c.expose != "" {
		out = append(out, header{"access-control-expose-headers", c.expose})
	}
	return out
}

// isCORS reports the headers of integrations that a CORS configuration replaces.
func isCORS(name []byte) bool {
	const prefix = "access-control-"
	return len(name) > len(prefix) && http1.EqualFold(name[:len(prefix)], prefix)
}
