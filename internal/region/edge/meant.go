package edge

import (
	"net/http"
	"net/url"
	"strings"

	"github.com/seed-615d3599/roost/internal/region/wire"
)

// meant finds the service that a request is for: from the credential scope;
// without one, from X-Amz-Target, the Action parameter, or the path.
func (e *Edge) meant(c *conversation) (*wire.Service, error) {
	if c.claim.Service != "" {
		service, ok := e.byName[c.claim.Service]
		if !ok {
			return nil, absent(c.claim.Service)
		}
		return service, nil
	}
	if target := c.r.Header.Get("X-Amz-Target"); target != "" {
		for _, service := range e.config.Services {
			if service.Protocol == wire.JSON && strings.HasPrefix(target, service.Target+".") {
				return service, nil
			}
		}
		return nil, absent(target)
	}
	if service, err := e.byAction(c); service != nil || err != nil {
		return service, err
	}
	for _, service := range e.config.Services {
		if service.Protocol == wire.RESTJSON {
			if _, err := service.Resolve(c.r, nil); err == nil {
				return service, nil
			}
		}
	}
	if service, ok := e.byName["s3"]; ok {
		return service, nil
	}
	return nil, wire.Errorf(http.StatusForbidden, "MissingAuthenticationToken", "Missing Authentication Token")
}

// byAction finds a query service by the Action parameter of an unsigned
// request.
func (e *Edge) byAction(c *conversation) (*wire.Service, error) {
	action := c.r.URL.Query().Get("Action")
	if strings.HasPrefix(c.r.Header.Get("Content-Type"), "application/x-www-form-urlencoded") && c.r.URL.Path == "/" {
		if err := c.readBody(); err != nil {
			return nil, err
		}
		if form, err := url.ParseQuery(string(c.body)); err == nil && form.Get("Action") != "" {
			action = form.Get("Action")
		}
		c.r.Body = http.NoBody
	}
	if action == "" {
		return nil, nil
	}
	for _, service := range e.config.Services {
		if service.Protocol == wire.Query && service.Has(action) {
			return service, nil
		}
	}
	return nil, wire.Errorf(http.StatusBadRequest, "InvalidAction", "roost has no operation %s", action)
}

// protocol is the one that a client of an absent service most likely speaks, so
// that its error can be read there.
func (c *conversation) protocol() wire.Protocol {
	switch {
	case strings.HasPrefix(c.r.Header.Get("Content-Type"), "application/x-www-form-urlencoded"):
		return wire.Query
	case c.r.Header.Get("X-Amz-Target") != "":
		return wire.JSON
	}
	switch c.claim.Service {
	case "cloudfront", "route53":
		return wire.RESTXML
	}
	return wire.RESTJSON
}

// absent is the error for a service that the region does not have. It names
// the variable with which a client is sent elsewhere.
func absent(service string) *wire.Error {
	variable := "AWS_ENDPOINT_URL_" + strings.ToUpper(strings.NewReplacer("-", "_", " ", "_").Replace(service))
	return wire.Errorf(http.StatusNotImplemented, "NotImplemented",
		"roost has no service %s: set %s to the address of one that runs elsewhere", service, variable)
}
