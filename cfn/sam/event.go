package sam

import (
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/seed-615d3599/roost/cfn/tree"
)

// event is one HttpApi event of a function.
type event struct {
	function *resource
	id       string
	node     *tree.Node
	props    *tree.Node
	api      *api
	path     string // "$default" for the route of that name
	method   string // in capitals, ANY for all
}

// events makes the routes of a function. With alias "" they call the function
// itself.
func (x *expander) events(r *resource, alias string) {
	section := r.props.Get("Events")
	if section == nil {
		return
	}
	if section.Kind != tree.Map {
		x.fail(r, section, "Property 'Events' should be a map.")
		return
	}
	if len(section.Members) > maxResources {
		x.fail(r, section, "It has more than %d events.", maxResources)
		return
	}
	var list []*event
	for _, m := range section.Members {
		if e := x.event(r, m); e != nil {
			list = append(list, e)
		}
	}
	for _, e := range list {
		covered := slices.ContainsFunc(list, func(o *event) bool { return o != e && o.api == e.api && o.path == "$default" })
		x.route(e, alias, covered && e.path != "$default")
	}
}

// failEvent records what is wrong with an event.
func (x *expander) failEvent(e *event, at *tree.Node, format string, args ...any) {
	x.fail(e.function, at, "Event with id ["+e.id+"] is invalid. "+format, args...)
}

func (x *expander) event(r *resource, m tree.Member) *event {
	e := &event{function: r, id: m.Key, node: m.Value, props: properties(m.Value)}
	if kind := text(m.Value.Get("Type")); kind != "HttpApi" {
		x.failEvent(e, m.Value, "The event type '%s' is not supported: only HttpApi is.", kind)
		return nil
	}
	for _, p := range e.props.Members {
		if !slices.Contains([]string{"ApiId", "Path", "Method", "Auth", "TimeoutInMillis", "PayloadFormatVersion", "RouteSettings"}, p.Key) {
			x.failEvent(e, p.Value, "property %s not defined for event of type HttpApi, or not supported", p.Key)
		}
	}
	x.want(r, m.Value, tree.Map, "Properties")
	x.want(r, e.props, tree.Map, "Auth")
	x.want(r, e.props.Get("Auth"), tree.String, "Authorizer")
	x.want(r, e.props.Get("Auth"), tree.List, "AuthorizationScopes")
	path, method := e.props.Get("Path"), e.props.Get("Method")
	switch {
	case path == nil && method == nil:
		e.path, e.method = "$default", "ANY"
	case path == nil:
		x.failEvent(e, m.Value, "Event is missing key 'Path'.")
		return nil
	case method == nil:
		x.failEvent(e, m.Value, "Event is missing key 'Method'.")
		return nil
	case !path.IsString() || !method.IsString():
		x.failEvent(e, m.Value, "Api Event must have a String specified for 'Path' and 'Method'.")
		return nil
	default:
		e.path, e.method = path.Text, strings.ToUpper(method.Text)
	}
	if e.method == "X-AMAZON-APIGATEWAY-ANY-METHOD" {
		e.method = "ANY"
	}
	if e.api = x.apiOf(e); e.api == nil {
		return nil
	}
	return e
}

// apiOf finds the API that an event belongs to, and starts the implicit one
// for the first event that names none.
func (x *expander) apiOf(e *event) *api {
	named := e.props.Get("ApiId")
	if named == nil {
		return x.implicit(e)
	}
	id := text(named)
	if ref := named.Get("Ref"); ref != nil {
		id = text(ref)
	}
	a := x.apis[id]
	if a == nil {
		x.failEvent(e, named, "ApiId must be a valid reference to an 'AWS::Serverless::HttpApi' resource in same template.")
	}
	return a
}

// routeKey is the key of the route: "GET /path", "ANY /path" or "$default".
func (e *event) routeKey() string {
	if e.path == "$default" {
		return "$default"
	}
	return e.method + " " + e.path
}

// route makes a route, its integration and the permission to invoke.
func (x *expander) route(e *event, alias string, covered bool) {
	b := builder{e.node.Pos}
	r, name := e.function, e.function.id+e.id
	if x.made[name+"Route"] || e.api.routes[e.routeKey()] {
		x.failEvent(e, nil, "API method '%s' defined multiple times for path '%s'.", strings.ToLower(e.method), e.path)
		return
	}
	e.api.routes[e.routeKey()] = true
	e.api.note(x, e)
	arn, invoked := b.getAtt(r.id, "Arn"), b.ref(r.id)
	if alias != "" {
		arn, invoked = b.ref(alias), b.ref(alias)
	}
	version := e.props.Get("PayloadFormatVersion")
	if version == nil {
		version = b.str("2.0")
	}
	x.add(r, name+"Integration", "AWS::ApiGatewayV2::Integration", b.obj(
		"ApiId", b.ref(e.api.id), "IntegrationType", "AWS_PROXY", "IntegrationUri", arn,
		"IntegrationMethod", "POST", "PayloadFormatVersion", version, "TimeoutInMillis", e.props.Get("TimeoutInMillis")))
	route := b.obj("ApiId", b.ref(e.api.id), "RouteKey", e.routeKey(),
		"Target", b.obj("Fn::Join", tree.Array(b.pos, b.str("/"), tree.Array(b.pos, b.str("integrations"), b.ref(name+"Integration")))))
	x.authorize(e, route)
	x.add(r, name+"Route", "AWS::ApiGatewayV2::Route", route)
	if !covered {
		x.add(r, name+"Permission", "AWS::Lambda::Permission", b.obj(
			"Action", "lambda:InvokeFunction", "FunctionName", invoked, "Principal", "apigateway.amazonaws.com",
			"SourceArn", b.sub(e.sourceARN(), b.obj("__ApiId__", b.ref(e.api.id), "__Stage__", "*"))))
	}
}

var pathParameter = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`\{([a-zA-Z0-9._-]+\+?)\}`) })

// sourceARN is what may invoke the function: the route in any stage.
func (e *event) sourceARN() string {
	path := ""
	if e.path != "$default" {
		path = pathParameter().ReplaceAllString(e.path, "*")
		if len(path) > 1 {
			path = strings.TrimSuffix(path, "/")
		}
	}
	method := e.method
	if method == "ANY" {
		method = "*"
	}
	return "arn:${AWS::Partition}:execute-api:${AWS::Region}:${AWS::AccountId}:${__ApiId__}/${__Stage__}/" + method + path
}

// authorize sets who may call a route: the event's authorizer, or the API's
// default but for OPTIONS, which browsers send without credentials.
func (x *expander) authorize(e *event, route *tree.Node) {
	b := builder{e.node.Pos}
	auth := e.props.Get("Auth")
	name, scopes := "", (*tree.Node)(nil)
	if auth != nil {
		for _, m := range auth.Members {
			if m.Key != "Authorizer" && m.Key != "AuthorizationScopes" {
				x.failEvent(e, m.Value, "'Auth' has no property %s, or it is not supported.", m.Key)
			}
		}
		name, scopes = text(auth.Get("Authorizer")), auth.Get("AuthorizationScopes")
	}
	switch {
	case name == "" && auth != nil && e.api.defaultAuthorizer == "":
		x.failEvent(e, auth, "'Auth' section requires either an explicit 'Authorizer' set or a 'DefaultAuthorizer' configured on the HttpApi.")
	case name == "" && (auth != nil || e.method != "OPTIONS"):
		name = e.api.defaultAuthorizer
	case name == "NONE" && e.api.defaultAuthorizer == "":
		x.failEvent(e, auth, "Unable to set Authorizer on API method [%s] for path [%s] because 'NONE' is only a valid value when a DefaultAuthorizer on the API is specified.", strings.ToLower(e.method), e.path)
	}
	switch {
	case name == "" || name == "NONE":
		route.Set("AuthorizationType", b.str("NONE"))
	case name == "AWS_IAM" && e.api.iam:
		if scopes != nil {
			x.failEvent(e, scopes, "'AuthorizationScopes' go with JWT authorizers alone.")
		}
		route.Set("AuthorizationType", b.str("AWS_IAM"))
	default:
		x.useAuthorizer(e, route, name, scopes)
	}
}

func (x *expander) useAuthorizer(e *event, route *tree.Node, name string, scopes *tree.Node) {
	authorizer := e.api.authorizers.Get(name)
	if authorizer == nil {
		x.failEvent(e, e.props.Get("Auth"), "Unable to set Authorizer [%s] on API method [%s] for path [%s] because it wasn't defined in the API's Authorizers.", name, strings.ToLower(e.method), e.path)
		return
	}
	b := builder{e.node.Pos}
	route.Set("AuthorizerId", b.ref(e.api.id+name+"Authorizer"))
	if authorizer.Get("JwtConfiguration") == nil {
		if scopes != nil {
			x.failEvent(e, scopes, "'AuthorizationScopes' go with JWT authorizers alone.")
		}
		route.Set("AuthorizationType", b.str("CUSTOM"))
		return
	}
	route.Set("AuthorizationType", b.str("JWT"))
	if scopes == nil {
		scopes = authorizer.Get("AuthorizationScopes")
	}
	if scopes != nil {
		route.Set("AuthorizationScopes", scopes)
	}
}
