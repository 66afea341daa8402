package sam

import (
	"slices"
	"strings"

	"github.com/seed-615d3599/roost/cfn/tree"
)

// authorizer makes one entry of Auth.Authorizers: with JwtConfiguration one of
// JSON web tokens, otherwise one that is a function.
func (x *expander) authorizer(a *api, m tree.Member) {
	b := builder{m.Value.Pos}
	if m.Value.Kind != tree.Map {
		x.fail(a.resource, m.Value, "Property 'Auth.Authorizers.%s' should be a map.", m.Key)
		return
	}
	x.want(a.resource, m.Value, tree.Map, "JwtConfiguration", "Identity")
	x.want(a.resource, m.Value, tree.List, "AuthorizationScopes")
	x.want(a.resource, m.Value, tree.Bool, "EnableFunctionDefaultPermissions", "EnableSimpleResponses")
	x.want(a.resource, m.Value.Get("Identity"), tree.List, "Headers", "QueryStrings", "StageVariables", "Context")
	props := b.obj("ApiId", b.ref(a.id), "Name", m.Key)
	if m.Value.Get("JwtConfiguration") != nil {
		x.jwt(a, m, props)
	} else {
		x.lambdaAuthorizer(a, m, props)
	}
	x.add(a.resource, a.id+m.Key+"Authorizer", "AWS::ApiGatewayV2::Authorizer", props)
}

func (x *expander) only(a *api, m tree.Member, known ...string) {
	for _, p := range m.Value.Members {
		if !slices.Contains(known, p.Key) {
			x.fail(a.resource, p.Value, "%s is not supported for the authorizer %s.", p.Key, m.Key)
		}
	}
}

func (x *expander) jwt(a *api, m tree.Member, props *tree.Node) {
	b := builder{m.Value.Pos}
	x.only(a, m, "JwtConfiguration", "IdentitySource", "AuthorizationScopes")
	source := m.Value.Get("IdentitySource")
	if source == nil {
		x.fail(a.resource, m.Value, "%s OAuth2 Authorizer must define 'IdentitySource'.", m.Key)
		return
	}
	if source.Kind != tree.List {
		source = tree.Array(source.Pos, source)
	}
	configuration := b.obj()
	for _, p := range m.Value.Get("JwtConfiguration").Members { // SAM takes the keys in any case
		switch strings.ToLower(p.Key) {
		case "issuer":
			configuration.Set("Issuer", p.Value)
		case "audience":
			configuration.Set("Audience", p.Value)
		default:
			x.fail(a.resource, p.Value, "JwtConfiguration has no property %s.", p.Key)
		}
	}
	props.Set("AuthorizerType", b.str("JWT"))
	props.Set("IdentitySource", source)
	props.Set("JwtConfiguration", configuration)
}

func (x *expander) lambdaAuthorizer(a *api, m tree.Member, props *tree.Node) {
	b := builder{m.Value.Pos}
	x.only(a, m, "FunctionArn", "FunctionInvokeRole", "Identity", "AuthorizerPayloadFormatVersion", "EnableSimpleResponses", "EnableFunctionDefaultPermissions")
	function, version := m.Value.Get("FunctionArn"), m.Value.Get("AuthorizerPayloadFormatVersion")
	if function == nil || version == nil {
		x.fail(a.resource, m.Value, "%s Lambda Authorizer must define 'FunctionArn' and 'AuthorizerPayloadFormatVersion'.", m.Key)
		return
	}
	props.Set("AuthorizerType", b.str("REQUEST"))
	props.Set("AuthorizerUri", b.sub("arn:"+x.partition()+":apigateway:${AWS::Region}:lambda:path/2015-03-31/functions/${__FunctionArn__}/invocations", b.obj("__FunctionArn__", function)))
	props.Set("AuthorizerPayloadFormatVersion", b.str(version.Text))
	if simple := m.Value.Get("EnableSimpleResponses"); simple != nil {
		props.Set("EnableSimpleResponses", simple)
	}
	if role := m.Value.Get("FunctionInvokeRole"); role != nil && text(role) != "NONE" {
		props.Set("AuthorizerCredentialsArn", role)
	}
	if identity := m.Value.Get("Identity"); identity != nil {
		x.identity(a, m, identity, props)
	}
	if allow := m.Value.Get("EnableFunctionDefaultPermissions"); allow != nil && allow.Text == "true" {
		x.add(a.resource, a.id+m.Key+"AuthorizerPermission", "AWS::Lambda::Permission", b.obj(
			"Action", "lambda:InvokeFunction", "FunctionName", function, "Principal", "apigateway.amazonaws.com",
			"SourceArn", b.sub("arn:${AWS::Partition}:execute-api:${AWS::Region}:${AWS::AccountId}:${__ApiId__}/authorizers/*", b.obj("__ApiId__", b.ref(a.id)))))
	}
}

// identity flattens the parts of a request that the authorizer needs.
func (x *expander) identity(a *api, m tree.Member, identity, props *tree.Node) {
	b := builder{identity.Pos}
	prefixes := map[string]string{"Headers": "$request.header.", "QueryStrings": "$request.querystring.", "StageVariables": "$stageVariables.", "Context": "$context."}
	for _, p := range identity.Members {
		if prefixes[p.Key] == "" && p.Key != "ReauthorizeEvery" {
			x.fail(a.resource, p.Value, "Identity of the authorizer %s has no property %s.", m.Key, p.Key)
		}
	}
	source := tree.Array(b.pos)
	for _, name := range []string{"Headers", "QueryStrings", "StageVariables", "Context"} {
		list := identity.Get(name)
		if list == nil {
			continue
		}
		for _, item := range list.Items {
			source.Items = append(source.Items, b.str(prefixes[name]+item.Text))
		}
	}
	props.Set("IdentitySource", source)
	if ttl := identity.Get("ReauthorizeEvery"); ttl != nil {
		props.Set("AuthorizerResultTtlInSeconds", ttl)
	}
}

// domain makes the custom domain and the mappings of its paths to the stage.
func (x *expander) domain(a *api, stage string, tags *tree.Node) {
	d := a.props.Get("Domain")
	if d == nil {
		return
	}
	d = x.parameters(d)
	b := builder{d.Pos}
	for _, m := range d.Members {
		if !slices.Contains([]string{"DomainName", "CertificateArn", "BasePath", "EndpointConfiguration", "SecurityPolicy", "OwnershipVerificationCertificateArn", "MutualTlsAuthentication"}, m.Key) {
			x.fail(a.resource, m.Value, "Domain.%s is not supported.", m.Key)
		}
	}
	name, certificate := d.Get("DomainName"), d.Get("CertificateArn")
	if name == nil || certificate == nil {
		x.fail(a.resource, d, "Custom Domains only works if both DomainName and CertificateArn are provided.")
		return
	}
	if e := d.Get("EndpointConfiguration"); e != nil && text(e) != "REGIONAL" {
		x.fail(a.resource, e, "EndpointConfiguration for Custom Domains must be one of ['REGIONAL'].")
	}
	id := "ApiGatewayDomainNameV2" + hash(name)
	configuration := b.obj("CertificateArn", certificate, "EndpointType", "REGIONAL",
		"OwnershipVerificationCertificateArn", d.Get("OwnershipVerificationCertificateArn"), "SecurityPolicy", d.Get("SecurityPolicy"))
	if !x.made[id] { // several APIs may share a domain
		x.add(a.resource, id, "AWS::ApiGatewayV2::DomainName", b.obj(
			"DomainName", name, "DomainNameConfigurations", tree.Array(b.pos, configuration),
			"MutualTlsAuthentication", d.Get("MutualTlsAuthentication"), "Tags", tags))
	}
	paths := []*tree.Node{nil}
	switch base := d.Get("BasePath"); {
	case base.IsString():
		paths = []*tree.Node{base}
	case base != nil:
		x.want(a.resource, d, tree.List, "BasePath")
		paths = base.Items
	}
	for _, path := range paths {
		mapping := b.obj("DomainName", b.ref(id), "ApiId", b.ref(a.id), "Stage", b.ref(stage))
		suffix := ""
		if path != nil {
			suffix = strings.NewReplacer("-", "", "_", "", "/", "").Replace(path.Text)
			mapping.Set("ApiMappingKey", b.str(strings.Trim(path.Text, "/")))
		}
		x.add(a.resource, a.id+suffix+"ApiMapping", "AWS::ApiGatewayV2::ApiMapping", mapping)
	}
}
