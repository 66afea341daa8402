package sam

import (
	"slices"
	"strings"

	"github.com/seed-615d3599/roost/cfn/tree"
)

// apiProperties are those of AWS::Serverless::HttpApi that are supported. Not
// among them are DefinitionBody and DefinitionUri: OpenAPI documents are not
// imported. FailOnWarnings speaks of such an import and so has nothing to do.
func apiProperties() []string {
	return []string{
		"Name", "Description", "StageName", "StageVariables", "Auth", "CorsConfiguration", "AccessLogSettings",
		"DefaultRouteSettings", "RouteSettings", "Tags", "PropagateTags", "Domain", "DisableExecuteApiEndpoint",
		"FailOnWarnings",
	}
}

// api is one HTTP API at hand.
type api struct {
	*resource
	implicit          bool
	authorizers       *tree.Node // by name; nil for none
	defaultAuthorizer string
	iam               bool
	routes            map[string]bool
	settings          *tree.Node // RouteSettings of the stage
	conditions        []string   // of the functions with events here; "" for a function without
}

func (x *expander) startAPI(r *resource) *api {
	a := &api{resource: r, routes: map[string]bool{}, settings: tree.Object(r.node.Pos)}
	x.check(r, apiProperties())
	if settings := r.props.Get("RouteSettings"); settings != nil {
		a.settings.Members = slices.Clone(settings.Members)
	}
	x.auth(a, r.props.Get("Auth"))
	x.apis[r.id] = a
	x.names = append(x.names, r.id)
	return a
}

// implicit is the API of events without an ApiId.
func (x *expander) implicit(e *event) *api {
	a := x.apis[implicitAPI]
	if a == nil {
		pos := e.node.Pos
		node := tree.Object(pos, tree.M("Type", tree.Str(pos, httpAPIType)))
		if p := x.implicitGlobals(); p != nil {
			node.Set("Properties", p)
		}
		a = x.startAPI(&resource{id: implicitAPI, node: node, props: properties(node)})
		a.implicit = true
	}
	return a
}

func (x *expander) implicitGlobals() *tree.Node {
	return x.out.Get("Globals").Get("HttpApi").Clone()
}

// note takes over what an event says about the API.
func (a *api) note(x *expander, e *event) {
	if condition := text(e.function.node.Get("Condition")); !slices.Contains(a.conditions, condition) {
		a.conditions = append(a.conditions, condition)
	}
	if settings := e.props.Get("RouteSettings"); settings != nil {
		b := builder{settings.Pos}
		if condition := e.function.node.Get("Condition"); condition != nil {
			settings = b.obj("Fn::If", tree.Array(b.pos, condition, settings, b.ref("AWS::NoValue")))
		}
		a.settings.Set(e.routeKey(), settings)
	}
	if !a.implicit {
		return
	}
	for _, name := range []string{"DeletionPolicy", "UpdateReplacePolicy"} {
		if policy := e.function.node.Get(name); policy != nil && text(a.node.Get(name)) != "Retain" {
			a.node.Set(name, policy)
		}
	}
	if propagate := e.function.props.Get("PropagateTags"); propagate != nil && propagate.Text == "true" {
		a.takeTags(e.function.props.Get("Tags"))
	}
}

// takeTags adds the tags of a function to the implicit API's.
func (a *api) takeTags(tags *tree.Node) {
	if tags == nil {
		return
	}
	merged := tree.Object(tags.Pos)
	if own := a.props.Get("Tags"); own != nil {
		merged.Members = slices.Clone(own.Members)
	}
	for _, m := range tags.Members {
		merged.Set(m.Key, m.Value)
	}
	a.props.Set("Tags", merged)
}

// auth reads the property Auth and makes the authorizers.
func (x *expander) auth(a *api, auth *tree.Node) {
	if auth == nil {
		return
	}
	for _, m := range auth.Members {
		if !slices.Contains([]string{"Authorizers", "DefaultAuthorizer", "EnableIamAuthorizer"}, m.Key) {
			x.fail(a.resource, m.Value, "Invalid value for 'Auth' property: %s", m.Key)
		}
	}
	x.want(a.resource, auth, tree.Bool, "EnableIamAuthorizer")
	x.want(a.resource, auth, tree.Map, "Authorizers")
	if enabled := auth.Get("EnableIamAuthorizer"); enabled != nil {
		a.iam = enabled.Text == "true"
	}
	a.authorizers = auth.Get("Authorizers")
	if d := auth.Get("DefaultAuthorizer"); d != nil && text(d.Get("Ref")) != "AWS::NoValue" {
		x.want(a.resource, auth, tree.String, "DefaultAuthorizer")
		a.defaultAuthorizer = text(d)
		if !(a.iam && a.defaultAuthorizer == "AWS_IAM") && a.authorizers.Get(a.defaultAuthorizer) == nil {
			x.fail(a.resource, d, "Unable to set DefaultAuthorizer because '%s' was not defined in 'Authorizers'.", a.defaultAuthorizer)
		}
	}
}

// finishAPI makes the API, its authorizers, its stage and its domain.
func (x *expander) finishAPI(a *api) {
	b := builder{a.node.Pos}
	if a.implicit {
		x.condition(a)
	}
	tags := tree.Object(b.pos)
	if own := a.props.Get("Tags"); own != nil {
		tags.Members = slices.Clone(own.Members)
	}
	tags.Set("httpapi:createdBy", b.str("SAM"))
	name := a.props.Get("Name")
	if name == nil {
		name = b.ref("AWS::StackName")
	}
	x.add(a.resource, a.id, "AWS::ApiGatewayV2::Api", b.obj(
		"Name", name, "ProtocolType", "HTTP", "Description", a.props.Get("Description"),
		"CorsConfiguration", x.cors(a), "DisableExecuteApiEndpoint", a.props.Get("DisableExecuteApiEndpoint"), "Tags", tags), own(a.resource)...)
	if a.authorizers != nil {
		for _, m := range a.authorizers.Members {
			x.authorizer(a, m)
		}
	}
	stage := x.stage(a, tags)
	x.domain(a, stage, tags)
}

func (x *expander) cors(a *api) *tree.Node {
	cors := a.props.Get("CorsConfiguration")
	if cors == nil {
		return nil
	}
	cors = x.parameter(cors)
	b := builder{cors.Pos}
	switch {
	case cors.Kind == tree.Bool || cors.IsString():
		if strings.EqualFold(cors.Text, "true") {
			return b.obj("AllowOrigins", b.strs("*"))
		}
		return nil
	case cors.Kind != tree.Map:
		x.fail(a.resource, cors, "Invalid value for 'Cors' property.")
		return nil
	}
	for _, m := range cors.Members {
		known := []string{"AllowMethods", "AllowHeaders", "AllowOrigins", "MaxAge", "ExposeHeaders", "AllowCredentials"}
		if !slices.Contains(known, m.Key) && !strings.HasPrefix(m.Key, "Fn::") {
			x.fail(a.resource, m.Value, "Invalid key '%s' for 'Cors' property.", m.Key)
		}
	}
	return cors
}

// stage makes the stage, and returns its logical id.
func (x *expander) stage(a *api, tags *tree.Node) string {
	b := builder{a.node.Pos}
	name := a.props.Get("StageName")
	if name == nil {
		name = b.str("$default")
	}
	id := a.id + "Stage"
	switch s := text(name); {
	case isAlphanumeric(s):
		id = a.id + s + "Stage"
	case s == "$default":
		id = a.id + "ApiGatewayDefaultStage"
	case s != "":
		id = a.id + "Stage" + hash(name)
	}
	props := b.obj("ApiId", b.ref(a.id), "StageName", name, "StageVariables", a.props.Get("StageVariables"),
		"AccessLogSettings", a.props.Get("AccessLogSettings"), "DefaultRouteSettings", a.props.Get("DefaultRouteSettings"),
		"AutoDeploy", tree.Boolean(b.pos, true), "Tags", tags)
	if len(a.settings.Members) > 0 {
		props.Set("RouteSettings", a.settings)
	}
	x.add(a.resource, id, "AWS::ApiGatewayV2::Stage", props)
	x.renamed[a.id+".Stage"] = id
	return id
}

// condition gives the implicit API the condition of the functions it serves,
// if each has one.
func (x *expander) condition(a *api) {
	if len(a.conditions) == 0 || slices.Contains(a.conditions, "") {
		return
	}
	if len(a.conditions) > 10 {
		x.fail(a.resource, nil, "More than ten conditions of functions behind the implicit API are not supported; declare an AWS::Serverless::HttpApi.")
		return
	}
	name := a.conditions[0]
	if len(a.conditions) > 1 {
		name = implicitAPI + "Condition"
	}
	a.node.Set("Condition", tree.Str(a.node.Pos, name))
}

// addCondition adds the condition under which the implicit API exists, where
// it is one of several.
func (x *expander) addCondition() {
	a := x.apis[implicitAPI]
	if a == nil || text(a.node.Get("Condition")) != implicitAPI+"Condition" {
		return
	}
	b := builder{a.node.Pos}
	list := tree.Array(b.pos)
	slices.Sort(a.conditions)
	for _, name := range a.conditions {
		list.Items = append(list.Items, b.obj("Condition", name))
	}
	conditions := x.out.Get("Conditions")
	if conditions == nil {
		conditions = tree.Object(b.pos)
		x.out.Set("Conditions", conditions)
	}
	conditions.Set(implicitAPI+"Condition", b.obj("Fn::Or", list))
}
