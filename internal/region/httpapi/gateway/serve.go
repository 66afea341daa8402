package gateway

import (
	"bytes"
	"errors"
	"net/http"
	"net/url"
	"strings"

	"github.com/seed-615d3599/roost/internal/region/http1"
	"github.com/seed-615d3599/roost/internal/region/httpapi/definition"
	"github.com/seed-615d3599/roost/internal/region/httpapi/event"
)

// serve answers one request. apiID is "" if only a custom domain can say more.
func (g *Gateway) serve(apiID string, w responder, in incoming) {
	c := g.newCall()
	c.w, c.in = w, in
	c.identify()
	c.event.Account, c.event.Region, c.event.Time = g.config.Account, g.config.Region, in.time
	c.event.Method, c.event.SourceIP = in.method, sourceIP(in.remote)
	c.event.Protocol = "HTTP/1.1"
	if in.minor == 0 {
		c.event.Protocol = "HTTP/1.0"
	}
	c.event.DomainName = hostName(string(in.host))
	if c.find(apiID) && c.admit() && c.authorize() && c.readBody() {
		c.integrate()
	}
	c.log()
	c.tell()
	g.release(c)
}

// find finds the API, the stage and the route, in that order.
func (c *call) find(apiID string) bool {
	s := c.g.snapshot.Load()
	if c.tooLong() {
		return c.fail(headersTooLarge, "the request line and the header values are longer than 10240 bytes together")
	}
	path, ok := c.decodePath()
	if !ok {
		return c.fail(badPath, "the path is not properly encoded")
	}
	if len(s.domains) > 0 {
		name := strings.ToLower(c.event.DomainName)
		if d := s.domain(name); d != nil && s.own(name, c.g.config.Region) == "" {
			return c.findMapping(s, d, path) && c.findRoute()
		}
	}
	if c.api = s.apis[apiID]; c.api == nil {
		return c.fail(http.StatusForbidden, "no API has this host name")
	}
	c.event.API = c.api.ID
	if c.api.DisableExecuteAPIEndpoint {
		return c.fail(noEndpoint, "the API's own endpoint is disabled (DisableExecuteApiEndpoint)")
	}
	return c.findStage(path) && c.findRoute()
}

// tooLong measures what the quota measures: the request line and the values.
func (c *call) tooLong() bool {
	n := len(c.in.method) + 1 + len(c.in.target) + len(" HTTP/1.1")
	for i := range c.in.fields {
		n += len(c.in.fields[i].Value)
	}
	return n > maxHeaderValues
}

// decodePath splits the target and decodes its path. HTTP APIs do so before they
// match routes, and cut at a decoded question mark (seen in captures of AWS): what
// is matched, authorized and sent to the function is one and the same path.
func (c *call) decodePath() (string, bool) {
	raw, query, _ := bytes.Cut(c.in.target, []byte("?"))
	c.query, c.event.RawQuery = query, query
	if bytes.IndexByte(raw, '%') < 0 {
		return string(raw), true
	}
	path, err := url.PathUnescape(string(raw))
	if err != nil {
		return "", false
	}
	path, _, _ = strings.Cut(path, "?")
	return path, true
}

// findStage takes the stage that the first segment names, or else $default.
func (c *call) findStage(path string) bool {
	c.event.Path = path
	first, rest, _ := strings.Cut(strings.TrimPrefix(path, "/"), "/")
	if s := c.api.stages[first]; s != nil && s != c.api.fallback {
		c.stage, c.path = s, "/"+rest
	} else if c.stage = c.api.fallback; c.stage != nil {
		c.path = path
	} else {
		return c.fail(http.StatusNotFound, "the path begins with no stage's name, and there is no $default stage")
	}
	c.event.Stage, c.event.StageVariables = c.stage.Name, c.stage.variables
	return true
}

// findMapping takes the API and stage of the mapping whose path is the longest in
// front of the request's.
func (c *call) findMapping(s *snapshot, d *definition.Domain, path string) bool {
	c.event.CustomDomain = true
	for _, m := range d.Mappings {
		rest, ok := below(m.Path, path)
		if !ok {
			continue
		}
		if c.api = s.apis[m.API]; c.api == nil {
			break
		}
		c.event.API = c.api.ID
		if c.stage = c.api.stages[m.Stage]; c.stage == nil {
			break
		}
		c.mapping, c.path = m.Path, rest
		c.event.Path, c.event.MappedPath = rest, path
		c.event.Stage, c.event.StageVariables = c.stage.Name, c.stage.variables
		return true
	}
	return c.fail(http.StatusNotFound, "the custom domain has no API mapping for this path")
}

// below returns the path below a mapping's.
func below(mapping, path string) (string, bool) {
	if mapping == "" {
		return path, true
	}
	rest, ok := strings.CutPrefix(path, "/"+mapping)
	switch {
	case ok && rest == "":
		return "/", true
	case ok && rest[0] == '/':
		return rest, true
	}
	return "", false
}

// findRoute answers a preflight, or matches the route.
func (c *call) findRoute() bool {
	if c.stage.cors != nil {
		if origin, ok := c.field("Origin"); ok {
			c.origin = string(origin)
			if _, asks := c.field("Access-Control-Request-Method"); asks && c.in.method == http.MethodOptions {
				c.added = append(c.added, c.stage.cors.Headers(c.origin, true)...)
				c.send(http.StatusNoContent, nil)
				return false
			}
			c.added = append(c.added, c.stage.cors.Headers(c.origin, false)...)
		}
	}
	i, params, ok := c.stage.table.Match(c.in.method, c.path, c.params[:0])
	if !ok {
		return c.fail(http.StatusNotFound, "no route matches "+c.in.method+" "+c.path)
	}
	c.params, c.event.Params = params, params
	c.route = c.stage.routes[i]
	c.event.RouteKey = c.route.Key
	return true
}

// admit throttles, and prepares what authorizers and integrations see.
func (c *call) admit() bool {
	if !c.g.account.Take() {
		return c.fail(http.StatusTooManyRequests, "the account's throttle, for all APIs together, has no token left")
	}
	if !c.route.throttle.Take() {
		return c.fail(http.StatusTooManyRequests, "the route's or stage's throttle has no token left")
	}
	c.event.Headers = c.headers()
	return true
}

// headers are the request's and those that API Gateway adds.
func (c *call) headers() []http1.Field {
	proto, port := "http", "80"
	if c.in.tls {
		proto, port = "https", "443"
	}
	own := append(c.own[:0],
		event.Own{Name: "x-forwarded-for", Value: c.forwardedFor()},
		event.Own{Name: "x-forwarded-proto", Value: c.value(proto)})
	if i := bytes.LastIndexByte(c.in.host, ':'); i >= 0 && c.in.host[len(c.in.host)-1] != ']' {
		own = append(own, event.Own{Name: "x-forwarded-port", Value: c.in.host[i+1:]})
	} else {
		own = append(own, event.Own{Name: "x-forwarded-port", Value: c.value(port)})
	}
	if trace, ok := c.field("X-Amzn-Trace-Id"); !ok || !bytes.Contains(trace, []byte("Root=")) {
		start := len(c.text)
		c.text = c.traceID(c.text)
		own = append(own, event.Own{Name: "x-amzn-trace-id", Value: c.text[start:len(c.text):len(c.text)]})
	}
	if _, ok := c.field("Host"); !ok {
		own = append(own, event.Own{Name: "host", Value: c.in.host})
	}
	own = append(own, event.Own{Name: "content-length", Value: c.value("0")}) // set once the body is there
	return c.enc.Headers(c.in.fields, own...)
}

// forwardedFor is whom proxies before this one forwarded for, and then the client.
func (c *call) forwardedFor() []byte {
	start := len(c.text)
	if forwarded, ok := c.field("X-Forwarded-For"); ok {
		c.text = append(append(c.text, forwarded...), ", "...)
	}
	c.text = append(c.text, c.event.SourceIP...)
	return c.text[start:len(c.text):len(c.text)]
}

// value keeps a text among those that the event's fields point to.
func (c *call) value(text string) []byte {
	start := len(c.text)
	c.text = append(c.text, text...)
	return c.text[start:len(c.text):len(c.text)]
}

// failBody answers for a body that could not be read.
func (c *call) failBody(err error) {
	status := http.StatusBadRequest
	var e *http1.Error
	if errors.As(err, &e) {
		status = e.Status
	}
	if closer, ok := c.w.(interface{ CloseAfter() }); ok {
		closer.CloseAfter() // what is left of the body would be read as a request
	}
	c.fail(status, err.Error())
}
