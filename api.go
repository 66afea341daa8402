package roost

import (
	"crypto/md5" //nolint:gosec // a name, as CDK makes it, not a protection
	"encoding/hex"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// APIProps are the properties of an HTTP API. Routes is required.
type APIProps struct {
	Routes Routes
	// DefaultAuthorization is who may call routes that do not say so
	// themselves: None, the default, AWSIAM, or an authorizer.
	DefaultAuthorization Authorization
	// DefaultAuthorizationScopes are what a token needs one of, for routes with
	// a JWT authorizer that name none.
	DefaultAuthorizationScopes []string
	// DefaultFunctionProps hold for every function of a route; what the route
	// says wins. Environment variables of both are put together.
	DefaultFunctionProps FunctionProps
	CORS                 *CORS      // which web pages may call; nil: all, without credentials
	DisableCORS          bool       // browsers are told nothing, so that only pages of the API itself may call
	AccessLog            *AccessLog // nil: the default format, kept for 30 days
	DisableAccessLog     bool
	CustomDomain         *CustomDomain
	Throttle             *Throttle // nil: the account's limits
	Description          string
	// HTTPAPI is the id of an existing HTTP API to add the routes to. Its CORS
	// rules, access log, limits and domain are where it was made.
	HTTPAPI Value
}

// Routes are the routes of an API by route key: a method (or ANY), a space and
// a path, as in "GET /notes/{id}" or "ANY /{proxy+}"; or "$default" for all
// requests that match no other.
type Routes map[string]Route

// Route is what answers a request: a function of its own, given by Handler or by
// Props, or an existing Function.
type Route struct {
	Handler       string        // short for Props.Handler
	Props         FunctionProps // of the route's own function
	Function      *Function     // an existing function
	Authorization Authorization // nil: the API's default
	Scopes        []string      // what a token needs one of, with a JWT authorizer
}

// CORS says what browsers let other sites' pages do with the API.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-cors.html
type CORS struct {
	AllowOrigins     []string // such as "https://example.com", or "*"
	AllowMethods     []string
	AllowHeaders     []string
	ExposeHeaders    []string
	AllowCredentials bool          // not together with the origin "*"
	MaxAge           time.Duration // whole seconds that browsers may keep the answer for
}

// AccessLog says what is written for each request, and for how long it is kept.
type AccessLog struct {
	// Format is text with $context variables; by default JSON of fourteen keys.
	// https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-logging-variables.html
	Format    string
	Retention int   // days; 30 by default
	LogGroup  Value // ARN of an existing log group to write to
}

// Throttle limits how often an API is called; what is above gets status 429.
type Throttle struct {
	Rate  float64 // requests per second
	Burst int     // requests at once
}

// API is an HTTP API of API Gateway.
type API struct {
	node
	id        Value
	api       *Resource // nil where it was made elsewhere
	stage     *Resource
	logGroup  *Resource
	authorize map[Authorization]*Resource
	routes    map[string]*Function
	integrate map[string]*Resource // hash of its configuration → integration
}

// The access log's default: the fourteen keys of SST's API.
const accessLogFormat = `{"requestTime":"$context.requestTime","requestId":"$context.requestId","httpMethod":"$context.httpMethod",` +
	`"path":"$context.path","routeKey":"$context.routeKey","status":"$context.status","responseLatency":"$context.responseLatency",` +
	`"integrationRequestId":"$context.integration.requestId","integrationStatus":"$context.integration.status",` +
	`"integrationLatency":"$context.integration.latency","integrationServiceStatus":"$context.integration.integrationStatus",` +
	`"ip":"$context.identity.sourceIp","userAgent":"$context.identity.userAgent","cognitoIdentityId":"$context.identity.cognitoIdentityId"}`

// API adds an HTTP API with a function for each route.
func (s *Stack) API(id string, props APIProps) *API {
	a := &API{
		node:      s.construct(id),
		routes:    map[string]*Function{},
		authorize: map[Authorization]*Resource{},
		integrate: map[string]*Resource{},
	}
	if props.HTTPAPI == "" {
		a.create(id, props)
	} else {
		a.reuse(props)
	}
	a.addRoutes(props)
	return a
}

func (a *API) create(id string, props APIProps) {
	properties := map[string]any{
		"Name":         a.stack.app.LogicalPrefixedName(id),
		"ProtocolType": "HTTP",
	}
	if cors := a.cors(props); cors != nil {
		properties["CorsConfiguration"] = cors
	}
	if props.Description != "" {
		properties["Description"] = props.Description
	}
	a.api = a.child("Api", "Resource").resource("AWS::ApiGatewayV2::Api", properties)
	a.id = a.api.Ref()
	stage := map[string]any{"ApiId": a.id, "StageName": "$default", "AutoDeploy": true}
	if log := a.accessLog(props); log != nil {
		stage["AccessLogSettings"] = log
	}
	if t := props.Throttle; t != nil {
		if t.Rate <= 0 || t.Burst <= 0 {
			a.fail("Throttle needs a Rate and a Burst above 0", "set both")
		}
		stage["DefaultRouteSettings"] = map[string]any{"ThrottlingRateLimit": t.Rate, "ThrottlingBurstLimit": t.Burst}
	}
	a.stage = a.child("Api", "DefaultStage", "Resource").resource("AWS::ApiGatewayV2::Stage", stage)
	if props.CustomDomain != nil {
		a.addDomain(*props.CustomDomain)
	}
}

func (a *API) reuse(props APIProps) {
	a.id = props.HTTPAPI
	conflicts := []struct {
		name string
		set  bool
	}{
		{"CORS", props.CORS != nil || props.DisableCORS},
		{"AccessLog", props.AccessLog != nil || props.DisableAccessLog},
		{"CustomDomain", props.CustomDomain != nil},
		{"Throttle", props.Throttle != nil},
		{"Description", props.Description != ""},
	}
	for _, c := range conflicts {
		if c.set {
			a.fail("both "+c.name+" and HTTPAPI are set", "set "+c.name+" where the existing API is made, or leave out HTTPAPI")
		}
	}
}

func (a *API) cors(props APIProps) map[string]any {
	c := props.CORS
	if props.DisableCORS {
		if c != nil {
			a.fail("both CORS and DisableCORS are set", "leave out one of them")
		}
		return nil
	}
	if c == nil {
		c = &CORS{
			AllowOrigins: []string{"*"}, AllowHeaders: []string{"*"},
			AllowMethods: []string{"GET", "PUT", "POST", "HEAD", "PATCH", "DELETE", "OPTIONS"},
		}
	}
	if c.AllowCredentials && slices.Contains(c.AllowOrigins, "*") {
		a.fail(`CORS allows credentials to the origin "*", which API Gateway refuses`, "name the origins")
	}
	if len(c.AllowOrigins) == 0 {
		a.fail("CORS allows no origin", `set AllowOrigins, or DisableCORS: true`)
	}
	if c.MaxAge%time.Second != 0 || c.MaxAge < 0 || c.MaxAge > 24*time.Hour {
		a.fail(fmt.Sprintf("the MaxAge of CORS is %v", c.MaxAge), "use whole seconds, a day at most")
	}
	out := map[string]any{}
	setList(out, "AllowOrigins", c.AllowOrigins)
	setList(out, "AllowMethods", c.AllowMethods)
	setList(out, "AllowHeaders", c.AllowHeaders)
	setList(out, "ExposeHeaders", c.ExposeHeaders)
	if c.AllowCredentials {
		out["AllowCredentials"] = true
	}
	if c.MaxAge != 0 {
		out["MaxAge"] = int(c.MaxAge / time.Second)
	}
	return out
}

func setList(out map[string]any, key string, list []string) {
	if len(list) > 0 {
		out[key] = list
	}
}

func (a *API) accessLog(props APIProps) map[string]any {
	if props.DisableAccessLog {
		if props.AccessLog != nil {
			a.fail("both AccessLog and DisableAccessLog are set", "leave out one of them")
		}
		return nil
	}
	log := AccessLog{}
	if props.AccessLog != nil {
		log = *props.AccessLog
	}
	checkRetention(a.node, log.Retention)
	destination := log.LogGroup
	if destination == "" {
		a.logGroup = a.child("LogGroup", "Resource").resource("AWS::Logs::LogGroup",
			map[string]any{"RetentionInDays": or(log.Retention, defaultRetention)})
		destination = a.logGroup.Att("Arn")
	} else if log.Retention != 0 {
		a.fail("both Retention and LogGroup of AccessLog are set", "set the retention where the log group is made")
	}
	return map[string]any{"DestinationArn": destination, "Format": or(log.Format, accessLogFormat)}
}

// integration returns the integration of a function, one for each function. Its
// id is a hash of its configuration, as in CDK 1.89.
func (a *API) integration(f *Function) *Resource {
	uri, err := a.stack.resolve(f.ARN())
	if err != nil {
		a.fail(err.Error(), "")
	}
	text, err := encode(struct {
		Type    string            `json:"type"`
		URI     any               `json:"uri"`
		Payload map[string]string `json:"payloadFormatVersion"`
	}{"AWS_PROXY", uri, map[string]string{"version": "2.0"}})
	if err != nil {
		a.fail(err.Error(), "")
	}
	sum := md5.Sum(text)
	hash := hex.EncodeToString(sum[:])
	if known := a.integrate[hash]; known != nil {
		return known
	}
	r := a.child("Api", "HttpIntegration-"+hash, "Resource").resource("AWS::ApiGatewayV2::Integration", map[string]any{
		"ApiId": a.id, "IntegrationType": "AWS_PROXY", "IntegrationUri": f.ARN(), "PayloadFormatVersion": "2.0",
	})
	a.integrate[hash] = r
	return r
}

// ID returns the API's id.
func (a *API) ID() Value { return a.id }

// Endpoint returns the API's address, https://<id>.execute-api.<region>.<suffix>,
// without a slash at the end.
func (a *API) Endpoint() Value {
	if a.api != nil {
		return a.api.Att("ApiEndpoint")
	}
	return "https://" + a.id + ".execute-api." + a.stack.Region() + "." + a.stack.URLSuffix()
}

// ExecuteARN returns the ARN with which policies name requests to the API. path
// is <stage>/<METHOD>/<path> with a slash before it, each part of which can be
// "*"; "/*" names all requests, "/*/GET/notes" one route's.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-control-access-using-iam-policies-to-invoke-api.html
func (a *API) ExecuteARN(path string) Value {
	if !strings.HasPrefix(path, "/") {
		a.failHere(fmt.Sprintf("%q is not a path of ExecuteARN", path), `write "/*" for all requests, or one like "/*/GET/notes"`)
	}
	return a.stack.ARN("execute-api", a.id+Value(path))
}

// GrantInvoke permits calling a route of the API, as in "GET /notes", or all of
// them with "*".
func (a *API) GrantInvoke(routeKey string) Permission {
	if routeKey == "*" {
		return Allow("execute-api:Invoke", a.ExecuteARN("/*"))
	}
	key := normalizeRouteKey(routeKey)
	method, path, found := strings.Cut(key, " ")
	switch {
	case a.routes[key] == nil:
		a.unknownRoute(routeKey)
	case !found: // policies see the method and path of a request and not its route
		a.failHere("the route $default answers requests of every method and path, so that it can't be permitted alone", `use "*", or roost.Allow with the paths, as in api.ExecuteARN("/*/GET/notes")`)
	}
	if method == "ANY" {
		method = "*"
	}
	return Allow("execute-api:Invoke", a.ExecuteARN("/*/"+method+wildcards(path)))
}

// LogGroup returns the access log's group, or nil where the API has none of its
// own.
func (a *API) LogGroup() *Resource { return a.logGroup }

// Resource returns the API's resource in the template, or nil where the API was
// made elsewhere.
func (a *API) Resource() *Resource { return a.api }

// Function returns the function of a route. A route that the API has not is an
// error.
func (a *API) Function(routeKey string) *Function {
	f := a.routes[normalizeRouteKey(routeKey)]
	if f == nil {
		a.unknownRoute(routeKey)
		// What the program then does with it has no effect: its error is told.
		return &Function{node: a.child("unknown"), policy: nil, resource: &Resource{node: a.child("unknown"), properties: map[string]any{}}}
	}
	return f
}

func (a *API) unknownRoute(routeKey string) {
	remedy := "use one of " + strings.Join(slices.Sorted(maps.Keys(a.routes)), ", ")
	if len(a.routes) == 0 {
		remedy = "the API has none"
	}
	a.failHere(fmt.Sprintf("there is no route %q", routeKey), remedy)
}

// AttachPermissions adds permissions to the roles of all functions of the API.
func (a *API) AttachPermissions(permissions ...Permission) {
	seen := map[*Function]bool{}
	for _, key := range slices.Sorted(maps.Keys(a.routes)) {
		if f := a.routes[key]; !seen[f] {
			seen[f] = true
			f.AttachPermissions(permissions...)
		}
	}
}

// AttachPermissionsToRoute adds permissions to the role of one route's function.
func (a *API) AttachPermissionsToRoute(routeKey string, permissions ...Permission) {
	if a.routes[normalizeRouteKey(routeKey)] == nil {
		a.unknownRoute(routeKey)
		return
	}
	a.Function(routeKey).AttachPermissions(permissions...)
}
