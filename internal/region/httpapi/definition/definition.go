// Package definition is what the data plane of HTTP APIs knows of an API: its
// stages, routes, integrations and authorizers, and the custom domains that lead to
// it. The control plane writes it, and the gateway compiles it:
//
//	definition.API{ID: "a1b2c3d4e5", Stages: []definition.Stage{{Name: "$default", Routes: …}}}
package definition

import (
	"time"

	"github.com/seed-615d3599/roost/internal/region/httpapi/cors"
	"github.com/seed-615d3599/roost/internal/region/httpapi/throttle"
)

// API is what the data plane knows of one API.
type API struct {
	ID   string
	Name string
	// DisableExecuteAPIEndpoint leaves only custom domains.
	DisableExecuteAPIEndpoint bool
	Stages                    []Stage
}

// Stage is one stage with what is deployed to it.
type Stage struct {
	Name      string // or "$default"
	Variables map[string]string
	// AccessLogGroup is a log group's ARN, "" for no access log.
	AccessLogGroup  string
	AccessLogFormat string
	DefaultThrottle throttle.Limit
	Throttles       map[string]throttle.Limit // by route key
	CORS            *cors.Config
	Routes          []Route
	Authorizers     []Authorizer
}

// Route is a route with its integration.
type Route struct {
	Key               string
	AuthorizationType string
	AuthorizerID      string
	Scopes            []string
	// Integration is nil for a route that has none, which answers 500.
	Integration *Integration
}

// Integration is where a route's requests go.
type Integration struct {
	Type   string
	Method string // of HTTP_PROXY; "ANY" for the request's own
	// URI is a function's ARN (or the one of its invocations), or a URL. It may have
	// stage variables as ${stageVariables.name} and a URL path variables as {name}.
	URI                string
	PayloadVersion     string // "1.0" or "2.0"
	Timeout            time.Duration
	RequestParameters  map[string]string
	ResponseParameters map[string]map[string]string // by status
}

// Authorizer is a JWT or Lambda authorizer.
type Authorizer struct {
	ID, Name        string
	Type            string
	IdentitySources []string
	// Of JWT.
	Issuer   string
	Audience []string
	// Of REQUEST.
	URI             string
	PayloadVersion  string // "1.0" or "2.0"
	SimpleResponses bool
	TTL             time.Duration
}

// Domain is a custom domain name with its API mappings.
type Domain struct {
	Name     string
	Mappings []Mapping
}

// Mapping says which API and stage answer below a path of a domain.
type Mapping struct {
	Path  string // "v1/orders", or "" for the root
	API   string
	Stage string
}

// Authorization types of routes.
const (
	AuthorizationNone   = "NONE"
	AuthorizationIAM    = "AWS_IAM"
	AuthorizationJWT    = "JWT"
	AuthorizationCustom = "CUSTOM"
)

// Integration types.
const (
	IntegrationAWSProxy  = "AWS_PROXY"
	IntegrationHTTPProxy = "HTTP_PROXY"
)

// Authorizer types.
const (
	AuthorizerJWT     = "JWT"
	AuthorizerRequest = "REQUEST"
)
