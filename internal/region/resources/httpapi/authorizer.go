package httpapi

import (
	"context"
	"fmt"
	"strings"

	cf "github.com/seed-615d3599/roost/internal/region/resources"
)

func authorizer() *cf.Type {
	p := part{
		name: "Authorizer",
		names: []string{"AuthorizerPayloadFormatVersion", "AuthorizerResultTtlInSeconds", "AuthorizerType", "AuthorizerUri",
			"EnableSimpleResponses", "IdentitySource", "JwtConfiguration", "Name"},
		table: cf.Properties{
			"ApiId":                          ofAPI(),
			"AuthorizerCredentialsArn":       cf.Refuse("give the function a permission for apigateway.amazonaws.com instead"),
			"AuthorizerPayloadFormatVersion": {Kind: cf.String, Enum: []string{"1.0", "2.0"}},
			"AuthorizerResultTtlInSeconds":   {Kind: cf.Integer},
			"AuthorizerType":                 {Kind: cf.String, Required: true, Enum: []string{"JWT", "REQUEST"}},
			"AuthorizerUri":                  {Kind: cf.String},
			"EnableSimpleResponses":          {Kind: cf.Boolean},
			"IdentitySource":                 cf.Strings(),
			"IdentityValidationExpression":   cf.Refuse("HTTP APIs have none"),
			"JwtConfiguration": cf.Members(cf.Properties{
				"Audience": cf.Strings(),
				"Issuer":   {Kind: cf.String},
			}),
			"Name": {Kind: cf.String, Required: true},
		},
	}
	kind := p.kind()
	create, update := kind.Create, kind.Update
	kind.Create = func(ctx context.Context, e *cf.Env, want map[string]any) (cf.State, error) {
		if err := checkIssuer(want); err != nil {
			return cf.State{}, err
		}
		return create(ctx, e, want)
	}
	kind.Update = func(ctx context.Context, e *cf.Env, have cf.State, want map[string]any) (cf.State, error) {
		if err := checkIssuer(want); err != nil {
			return have, err
		}
		return update(ctx, e, have, want)
	}
	return kind
}

// checkIssuer refuses an authorizer whose tokens a user pool would have to
// issue that is only a record here.
func checkIssuer(want map[string]any) error {
	issuer := cf.Text(want, "JwtConfiguration", "Issuer")
	_, pool, _ := strings.Cut(strings.TrimPrefix(issuer, "https://cognito-idp."), ".amazonaws.com/")
	if !cf.IsRecordedPool(pool) {
		return nil
	}
	return fmt.Errorf("the user pool %s is kept as a record here and issues no tokens, so no route can be authorized by it: use an identity pool with AWS_IAM, a JWT authorizer with another issuer, or a Lambda authorizer", pool)
}
