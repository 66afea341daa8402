package roost

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Routes that an HTTP API can have.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-quotas.html
const maxRoutes = 300

func (a *API) addRoutes(props APIProps) {
	switch {
	case props.Routes == nil:
		a.fail("the API has no Routes", `set Routes, as in roost.Routes{"GET /": {Handler: "src/home"}}`)
	case len(props.Routes) == 0:
		a.fail("at least one route is required", `add one to Routes, as in "GET /": {Handler: "src/home"}`)
	case len(props.Routes) > maxRoutes:
		a.fail(fmt.Sprintf("there are %d routes, and an HTTP API has %d at most", len(props.Routes), maxRoutes), "split the API, or use a {proxy+} route")
	}
	given := map[string]string{}
	for _, raw := range slices.Sorted(maps.Keys(props.Routes)) {
		key := normalizeRouteKey(raw)
		if message, remedy := checkRouteKey(raw, key); message != "" {
			a.fail(message, remedy)
			continue
		}
		if other, twice := given[key]; twice {
			a.fail(fmt.Sprintf("the routes %q and %q are the same", other, raw), "remove one of them")
			continue
		}
		given[key] = raw
		a.addRoute(key, props.Routes[raw], props)
	}
}

func (a *API) addRoute(key string, route Route, props APIProps) {
	f := a.routeFunction(key, route, props)
	a.routes[key] = f
	at := a.child("Route_" + strings.ReplaceAll(key, " ", "_"))
	properties := map[string]any{
		"ApiId":    a.id,
		"RouteKey": key,
		"Target":   "integrations/" + a.integration(f).Ref(),
	}
	a.setAuthorization(key, properties, route, props)
	_, path, _ := strings.Cut(key, " ")
	at.child(uniqueID(at)+"-Permission").resource("AWS::Lambda::Permission", map[string]any{
		"Action":       "lambda:InvokeFunction",
		"FunctionName": f.ARN(),
		"Principal":    "apigateway.amazonaws.com",
		"SourceArn":    a.stack.ARN("execute-api", a.id+"/*/*"+Value(path)),
	})
	at.child("Resource").resource("AWS::ApiGatewayV2::Route", properties)
}

// uniqueID is the logical id of a path that begins with the stack's name, which
// CDK uses for the ids of permissions.
func uniqueID(n node) string {
	return logicalID(append([]string{n.stack.name}, n.path...))
}

func (a *API) routeFunction(key string, route Route, props APIProps) *Function {
	if route.Function != nil {
		if route.Handler != "" || !isZero(route.Props) {
			a.fail(fmt.Sprintf("the route %q has both a Function and a function of its own", key), "leave out Function, or Handler and Props")
		}
		if !isZero(props.DefaultFunctionProps) {
			a.fail(fmt.Sprintf("DefaultFunctionProps can't apply to the existing function of the route %q", key),
				"set the properties where the function is made, and leave out DefaultFunctionProps or give the route a Handler")
		}
		return route.Function
	}
	own := route.Props
	if route.Handler != "" {
		if own.Handler != "" && own.Handler != route.Handler {
			a.fail(fmt.Sprintf("the route %q has two handlers", key), "set Handler or Props.Handler")
		}
		own.Handler = route.Handler
	}
	return newFunction(a.child("Lambda_"+strings.ReplaceAll(key, " ", "_")), own.over(props.DefaultFunctionProps))
}

func normalizeRouteKey(key string) string { return strings.Join(strings.Fields(key), " ") }

func methods() []string {
	return []string{"GET", "PUT", "POST", "HEAD", "PATCH", "DELETE", "OPTIONS", "ANY"}
}

// checkRouteKey returns what is wrong with a route key, or "".
// https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-routes.html
func checkRouteKey(raw, key string) (message, remedy string) {
	if key == "$default" {
		return "", ""
	}
	fields := strings.Fields(key)
	if len(fields) != 2 {
		return fmt.Sprintf("invalid route %q", raw), `write a method and a path, as in "GET /notes/{id}"`
	}
	if !slices.Contains(methods(), fields[0]) {
		return fmt.Sprintf("invalid method defined for %q", raw), "use one of " + strings.Join(methods(), ", ")
	}
	if !strings.HasPrefix(fields[1], "/") {
		return fmt.Sprintf("invalid path defined for %q", raw), fmt.Sprintf("begin it with a slash: %q", fields[0]+" /"+fields[1])
	}
	parts := strings.Split(fields[1][1:], "/")
	seen := map[string]bool{}
	for i, p := range parts {
		switch {
		case !strings.ContainsAny(p, "{}"):
			continue
		case !matches(`^\{[A-Za-z0-9._:-]+\+?\}$`, p):
			return fmt.Sprintf("invalid path defined for %q: %q is not a path parameter", raw, p), "write {name}, or {name+} at the end, as a whole segment"
		case strings.HasSuffix(p, "+}") && i != len(parts)-1:
			return fmt.Sprintf("invalid path defined for %q: %q is not the last segment", raw, p), "put {name+} at the end"
		case seen[strings.Trim(p, "{+}")]:
			return fmt.Sprintf("invalid path defined for %q: the parameter %q is there twice", raw, p), "give each parameter its own name"
		}
		seen[strings.Trim(p, "{+}")] = true
	}
	return "", ""
}

// wildcards replaces the parameters of a path as policies see them.
func wildcards(path string) string {
	parts := strings.Split(path, "/")
	for i, p := range parts {
		if strings.HasPrefix(p, "{") {
			parts[i] = "*"
		}
	}
	return strings.Join(parts, "/")
}
