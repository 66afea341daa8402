package httpapi

import (
	"context"

	cf "github.com/seed-615d3599/roost/internal/region/resources"
)

func corsConfiguration() cf.Property {
	return cf.Members(cf.Properties{
		"AllowCredentials": {Kind: cf.Boolean},
		"AllowHeaders":     cf.Strings(),
		"AllowMethods":     cf.Strings(),
		"AllowOrigins":     cf.Strings(),
		"ExposeHeaders":    cf.Strings(),
		"MaxAge":           {Kind: cf.Integer},
	})
}

func apiProperties() cf.Properties {
	const openAPI = "OpenAPI documents are not imported here; describe routes and integrations as resources, as AWS SAM's transform does here"
	return cf.Properties{
		"ApiKeySelectionExpression": {Kind: cf.String, Mode: cf.Recorded, Why: "HTTP APIs have no API keys"},
		"BasePath":                  cf.Refuse(openAPI),
		"Body":                      cf.Refuse(openAPI),
		"BodyS3Location":            cf.Refuse(openAPI),
		"CorsConfiguration":         corsConfiguration(),
		"CredentialsArn":            cf.Refuse("give the function a permission for apigateway.amazonaws.com instead"),
		"Description":               {Kind: cf.String},
		"DisableExecuteApiEndpoint": {Kind: cf.Boolean},
		"DisableSchemaValidation":   {Kind: cf.Boolean, Mode: cf.Recorded, Why: "only WebSocket APIs have schemas"},
		"FailOnWarnings":            cf.Refuse(openAPI),
		"IpAddressType":             {Kind: cf.String, Enum: []string{"ipv4", "dualstack"}},
		"Name":                      {Kind: cf.String, Required: true},
		"ProtocolType":              {Kind: cf.String, Required: true, Replace: true, Enum: []string{"HTTP"}, Why: "WebSocket APIs are not served here"},
		"RouteKey":                  {Kind: cf.String, Replace: true}, // AWS changes it in place; here quick create happens once
		"RouteSelectionExpression":  {Kind: cf.String},
		"Tags":                      {Kind: cf.Map},
		"Target":                    {Kind: cf.String, Replace: true}, // as RouteKey
		"Version":                   {Kind: cf.String},
	}
}

// apiMembers are the properties that an update can change.
func apiMembers() []string {
	return []string{"CorsConfiguration", "Description", "DisableExecuteApiEndpoint", "IpAddressType", "Name", "RouteSelectionExpression", "Version"}
}

func api() *cf.Type {
	table := apiProperties()
	return &cf.Type{
		Name: "AWS::ApiGatewayV2::Api", Properties: table, Attributes: []string{"ApiEndpoint", "ApiId"},
		Create: createAPI,
		Update: func(ctx context.Context, e *cf.Env, have cf.State, want map[string]any) (cf.State, error) {
			return updateAPI(ctx, e, have, want, table)
		},
		Delete: func(ctx context.Context, e *cf.Env, have cf.State) error {
			return cf.Gone(e.Call(ctx, service, "DeleteApi", map[string]any{"ApiId": have.ID}, nil))
		},
	}
}

func createAPI(ctx context.Context, e *cf.Env, want map[string]any) (cf.State, error) {
	in := cf.Pick(want, append(apiMembers(), "ProtocolType", "RouteKey", "Target")...)
	in["Tags"] = e.WithStackTags(want["Tags"])
	var out struct{ ApiId, ApiEndpoint string }
	if err := e.Call(ctx, service, "CreateApi", in, &out); err != nil {
		return cf.State{}, err
	}
	return cf.State{ID: out.ApiId, Attributes: map[string]any{"ApiId": out.ApiId, "ApiEndpoint": out.ApiEndpoint}}, nil
}

func updateAPI(ctx context.Context, e *cf.Env, have cf.State, want map[string]any, table cf.Properties) (cf.State, error) {
	delta := table.Delta(have.Properties, want, apiMembers()...)
	if _, changed := delta["CorsConfiguration"]; changed && !cf.Has(want, "CorsConfiguration") {
		delete(delta, "CorsConfiguration")
		if err := e.Call(ctx, service, "DeleteCorsConfiguration", map[string]any{"ApiId": have.ID}, nil); err != nil {
			return have, err
		}
	}
	if len(delta) > 0 {
		delta["ApiId"] = have.ID
		if err := e.Call(ctx, service, "UpdateApi", delta, nil); err != nil {
			return have, err
		}
	}
	return have, retag(ctx, e, "/apis/"+have.ID, have.Properties, want)
}
