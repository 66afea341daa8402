package httpapi

import (
	cf "github.com/seed-615d3599/roost/internal/region/resources"
)

func route() *cf.Type {
	const webSocket = "it is for WebSocket APIs only"
	return part{
		name:  "Route",
		names: []string{"AuthorizationScopes", "AuthorizationType", "AuthorizerId", "OperationName", "RouteKey", "Target"},
		table: cf.Properties{
			"ApiId":                            ofAPI(),
			"ApiKeyRequired":                   {Kind: cf.Boolean, Enum: []string{"false"}, Why: "HTTP APIs have no API keys; use an authorizer"},
			"AuthorizationScopes":              cf.Strings(),
			"AuthorizationType":                {Kind: cf.String, Enum: []string{"NONE", "AWS_IAM", "JWT", "CUSTOM"}},
			"AuthorizerId":                     {Kind: cf.String},
			"ModelSelectionExpression":         cf.Refuse(webSocket),
			"OperationName":                    {Kind: cf.String},
			"RequestModels":                    cf.Refuse(webSocket),
			"RequestParameters":                cf.Refuse(webSocket),
			"RouteKey":                         {Kind: cf.String, Required: true},
			"RouteResponseSelectionExpression": cf.Refuse(webSocket),
			"Target":                           {Kind: cf.String},
		},
	}.kind()
}
