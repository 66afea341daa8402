package httpapi

import (
	"context"

	cf "github.com/seed-615d3599/roost/internal/region/resources"
)

func integrationPart() part {
	const (
		webSocket = "it is for WebSocket APIs only"
		private   = "private integrations through VPC links are not supported here; use an HTTP_PROXY integration with a URL that this machine reaches"
	)
	return part{
		name: "Integration",
		names: []string{"ConnectionType", "Description", "IntegrationMethod", "IntegrationType", "IntegrationUri",
			"PayloadFormatVersion", "TimeoutInMillis"},
		table: cf.Properties{
			"ApiId":                       ofAPI(),
			"ConnectionId":                cf.Refuse(private),
			"ConnectionType":              {Kind: cf.String, Enum: []string{"INTERNET"}, Why: private},
			"ContentHandlingStrategy":     cf.Refuse(webSocket),
			"CredentialsArn":              cf.Refuse("give the function a permission for apigateway.amazonaws.com instead"),
			"Description":                 {Kind: cf.String},
			"IntegrationMethod":           {Kind: cf.String},
			"IntegrationSubtype":          cf.Refuse("integrations with AWS services are not supported here; call the service from a function"),
			"IntegrationType":             {Kind: cf.String, Required: true, Enum: []string{"AWS_PROXY", "HTTP_PROXY"}, Why: "HTTP APIs have no other"},
			"IntegrationUri":              {Kind: cf.String},
			"PassthroughBehavior":         cf.Refuse(webSocket),
			"PayloadFormatVersion":        {Kind: cf.String},
			"RequestParameters":           {Kind: cf.Map},
			"RequestTemplates":            cf.Refuse(webSocket),
			"ResponseParameters":          {Kind: cf.Object},
			"TemplateSelectionExpression": cf.Refuse(webSocket),
			"TimeoutInMillis":             {Kind: cf.Integer},
			"TlsConfig":                   cf.Refuse(private),
		},
	}
}

func integration() *cf.Type {
	p := integrationPart()
	kind := p.kind()
	kind.Create = func(ctx context.Context, e *cf.Env, want map[string]any) (cf.State, error) {
		in := cf.Pick(want, append(p.names, "RequestParameters")...)
		if responses := responseParameters(want); len(responses) > 0 {
			in["ResponseParameters"] = responses
		}
		return p.create(ctx, e, want, in)
	}
	kind.Update = func(ctx context.Context, e *cf.Env, have cf.State, want map[string]any) (cf.State, error) {
		in := p.table.Delta(have.Properties, want, p.names...)
		if _, changed := in["TimeoutInMillis"]; changed {
			in["TimeoutInMillis"] = cf.Int(want, "TimeoutInMillis", 30000) // the default
		}
		if !cf.Same(have.Properties, want, "RequestParameters") {
			in["RequestParameters"] = remerge(cf.Child(have.Properties, "RequestParameters"), cf.Child(want, "RequestParameters"), "")
		}
		if !cf.Same(have.Properties, want, "ResponseParameters") {
			in["ResponseParameters"] = remerge(responseParameters(have.Properties), responseParameters(want), map[string]any{})
		}
		return p.update(ctx, e, have, in)
	}
	return kind
}

// responseParameters translates CloudFormation's form of response parameters,
// {"200": {"ResponseParameters": [{"Destination": …, "Source": …}]}}, to the
// API's, {"200": {destination: source}}.
func responseParameters(props map[string]any) map[string]any {
	byStatus := map[string]any{}
	for status, value := range cf.Child(props, "ResponseParameters") {
		given, _ := value.(map[string]any)
		if !cf.Has(given, "ResponseParameters") {
			byStatus[status] = value
			continue
		}
		parameters := map[string]any{}
		for _, one := range cf.Children(given, "ResponseParameters") {
			parameters[cf.Text(one, "Destination")] = one["Source"]
		}
		byStatus[status] = parameters
	}
	return byStatus
}
