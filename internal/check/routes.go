package check

import (
	"cmp"
	"slices"
	"strings"

	"github.com/seed-615d3599/roost/internal/region/resources"
)

// Route is a way into the app with those who can take it.
type Route struct {
	ID  string `json:"id"`  // logical id of the resource that makes it
	API string `json:"api"` // logical id of the API, or of the function with a URL
	Key string `json:"route"`
	// Authorization is NONE, AWS_IAM, JWT or CUSTOM, or what the template has.
	Authorization string `json:"authorization"`
	// Open says that nobody is asked who they are.
	Open bool `json:"open"`
	// Reach are those whom it lets in; none says that nobody in the template
	// is.
	Reach []Reach `json:"reach"`
}

// Reach is one kind of caller who can use a route.
type Reach struct {
	Who  string `json:"who"`            // "signed-in users of the identity pool Auth"
	Role string `json:"role,omitempty"` // logical id of the role by which
	// Extent is All, Part or Conditional.
	Extent Extent `json:"extent"`
	// Detail names what is allowed of it where Extent is Part, and the
	// condition where it is Conditional.
	Detail string `json:"detail,omitempty"`
}

// Extent says how much of a route somebody can use.
type Extent string

// The extents.
const (
	All         Extent = "all"
	Part        Extent = "part"        // some methods, stages or paths
	Conditional Extent = "conditional" // only if a condition holds that a template does not settle
)

// Authorization types of API Gateway V2 ("AWS::ApiGatewayV2::Route",
// AuthorizationType).
const (
	authNone   = "NONE"
	authIAM    = "AWS_IAM"
	authJWT    = "JWT"
	authCustom = "CUSTOM"
)

// routes lists all ways in, the open ones first.
func (m *model) routes() []Route {
	var all []Route
	for _, one := range m.of("AWS::ApiGatewayV2::Route") {
		all = append(all, m.route(one))
	}
	for _, one := range m.of("AWS::ApiGatewayV2::Api") {
		if resources.Has(one.props, "Target") { // quick create: everything goes to one function
			key := cmp.Or(resources.Text(one.props, "RouteKey"), "$default")
			all = append(all, Route{ID: one.id, API: one.id, Key: key, Authorization: authNone, Open: true, Reach: anyone()})
		}
	}
	for _, one := range m.of("AWS::Lambda::Url") {
		all = append(all, m.functionURL(one))
	}
	slices.SortStableFunc(all, func(a, b Route) int {
		return cmp.Or(boolean(b.Open)-boolean(a.Open), cmp.Compare(a.API, b.API), cmp.Compare(a.Key, b.Key))
	})
	return all
}

func boolean(b bool) int {
	if b {
		return 1
	}
	return 0
}

func anyone() []Reach { return []Reach{{Who: "anyone", Extent: All}} }

// route says who can reach a route by its authorizer.
func (m *model) route(one made) Route {
	r := Route{
		ID: one.id, API: plain(resources.Text(one.props, "ApiId")), Key: resources.Text(one.props, "RouteKey"),
		Authorization: cmp.Or(resources.Text(one.props, "AuthorizationType"), authNone), Reach: []Reach{},
	}
	switch r.Authorization {
	case authNone:
		r.Open, r.Reach = true, anyone()
	case authIAM:
		target := target{action: "execute-api:Invoke", api: resources.Text(one.props, "ApiId"), key: r.Key}
		target.stages = m.stages(target.api)
		r.Reach = append(r.Reach, m.reach(target)...)
	case authJWT, authCustom:
		r.Reach = append(r.Reach, m.authorizer(one))
	}
	return r
}

// stages returns the names of an API's stages.
func (m *model) stages(api string) []string {
	var names []string
	for _, stage := range m.of("AWS::ApiGatewayV2::Stage") {
		if resources.Text(stage.props, "ApiId") == api {
			names = append(names, resources.Text(stage.props, "StageName"))
		}
	}
	if len(names) == 0 {
		return []string{"$default"}
	}
	return names
}

// authorizer says whom a JWT or Lambda authorizer lets through.
func (m *model) authorizer(route made) Reach {
	id := plain(resources.Text(route.props, "AuthorizerId"))
	i := slices.IndexFunc(m.made, func(one made) bool { return one.id == id })
	if i < 0 {
		return Reach{Who: "whom the authorizer " + id + " lets through, which is outside of the template", Extent: All}
	}
	props := m.made[i].props
	if jwt := resources.Child(props, "JwtConfiguration"); jwt != nil {
		who := "who has a token of " + resources.Text(jwt, "Issuer") + " for " + strings.Join(resources.Texts(jwt, "Audience"), " or ")
		if scopes := resources.Texts(route.props, "AuthorizationScopes"); len(scopes) > 0 {
			who += " with the scope " + strings.Join(scopes, " or ")
		}
		return Reach{Who: who, Extent: All}
	}
	return Reach{Who: "whom the function behind the authorizer " + id + " lets through", Extent: All}
}

// functionURL says who can reach a function's own URL.
func (m *model) functionURL(one made) Route {
	function := resources.Text(one.props, "TargetFunctionArn")
	r := Route{ID: one.id, API: plain(function[strings.LastIndex(function, ":")+1:]), Key: "function URL",
		Authorization: cmp.Or(resources.Text(one.props, "AuthType"), authNone), Reach: []Reach{}}
	if r.Authorization == authNone {
		r.Open, r.Reach = true, anyone()
		return r
	}
	if !strings.HasPrefix(function, "arn:") {
		function = "arn:aws:lambda:" + m.config.Region + ":" + m.config.Account + ":function:" + function
	}
	r.Reach = append(r.Reach, m.reach(target{action: "lambda:InvokeFunctionUrl", arn: function})...)
	return r
}

// plain takes a symbol's brackets away.
func plain(text string) string { return strings.TrimSuffix(strings.TrimPrefix(text, "<"), ">") }
