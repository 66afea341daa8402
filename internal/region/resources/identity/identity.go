// Package identity holds CloudFormation's resource types of Amazon Cognito:
// identity pools, which sign people in, and user pools, which are kept as
// records until signing in with them is supported.
package identity

import (
	"context"
	"maps"
	"strings"

	cf "github.com/seed-615d3599/roost/internal/region/resources"
)

// service is Cognito Identity's name.
const service = "cognito-identity"

// Types returns the types of AWS::Cognito.
func Types() []*cf.Type {
	return append([]*cf.Type{identityPool(), roleAttachment(), principalTag()}, userPoolTypes()...)
}

func poolProperties() cf.Properties {
	const sync = "Cognito Sync is not here"
	return cf.Properties{
		"AllowClassicFlow":               {Kind: cf.Boolean},
		"AllowUnauthenticatedIdentities": {Kind: cf.Boolean, Required: true},
		"CognitoEvents":                  cf.Record(sync),
		"CognitoIdentityProviders": cf.Objects(cf.Properties{
			"ClientId":             {Kind: cf.String, Required: true},
			"ProviderName":         {Kind: cf.String, Required: true},
			"ServerSideTokenCheck": {Kind: cf.Boolean},
		}),
		"CognitoStreams":            cf.Record(sync),
		"DeveloperProviderName":     {Kind: cf.String},
		"IdentityPoolName":          {Kind: cf.String},
		"IdentityPoolTags":          cf.KeyValues(),
		"OpenIdConnectProviderARNs": cf.Strings(),
		"PushSync":                  cf.Record(sync),
		"SamlProviderARNs":          cf.Strings(),
		"SupportedLoginProviders":   {Kind: cf.Map},
	}
}

func identityPool() *cf.Type {
	return &cf.Type{
		Name: "AWS::Cognito::IdentityPool", Properties: poolProperties(), Attributes: []string{"Id", "Name"},
		Create: func(ctx context.Context, e *cf.Env, want map[string]any) (cf.State, error) {
			return setPool(ctx, e, "CreateIdentityPool", poolMembers(e, want, e.OrName(cf.Text(want, "IdentityPoolName"), 128)))
		},
		Update: func(ctx context.Context, e *cf.Env, have cf.State, want map[string]any) (cf.State, error) {
			name := cf.Text(want, "IdentityPoolName")
			if name == "" {
				name = cf.Text(have.Attributes, "Name")
			}
			in := poolMembers(e, want, name)
			in["IdentityPoolId"] = have.ID
			return setPool(ctx, e, "UpdateIdentityPool", in)
		},
		Delete: func(ctx context.Context, e *cf.Env, have cf.State) error {
			return cf.Gone(e.Call(ctx, service, "DeleteIdentityPool", map[string]any{"IdentityPoolId": have.ID}, nil))
		},
	}
}

// poolMembers is all that a pool is made of: an update replaces everything.
func poolMembers(e *cf.Env, want map[string]any, name string) map[string]any {
	in := cf.Pick(want, "AllowClassicFlow", "AllowUnauthenticatedIdentities", "CognitoIdentityProviders", "DeveloperProviderName",
		"OpenIdConnectProviderARNs", "SamlProviderARNs", "SupportedLoginProviders")
	tags := maps.Clone(e.Tags)
	maps.DeleteFunc(tags, func(key, _ string) bool { return strings.HasPrefix(key, "aws:") })
	if tags == nil {
		tags = map[string]string{}
	}
	maps.Copy(tags, cf.TagsOf(want["IdentityPoolTags"]))
	in["IdentityPoolName"], in["IdentityPoolTags"] = name, tags
	return in
}

func setPool(ctx context.Context, e *cf.Env, operation string, in map[string]any) (cf.State, error) {
	var out struct{ IdentityPoolId, IdentityPoolName string }
	err := e.Call(ctx, service, operation, in, &out)
	id := out.IdentityPoolId
	return cf.State{ID: id, Attributes: map[string]any{"Id": id, "Name": out.IdentityPoolName}}, err
}

// roleAttachment gives an identity pool its roles.
func roleAttachment() *cf.Type {
	set := func(ctx context.Context, e *cf.Env, want map[string]any) error {
		roles := map[string]any{}
		maps.Copy(roles, cf.Child(want, "Roles"))
		in := map[string]any{"IdentityPoolId": cf.Text(want, "IdentityPoolId"), "Roles": roles}
		if mappings := roleMappings(want); len(mappings) > 0 {
			in["RoleMappings"] = mappings
		}
		return e.Call(ctx, service, "SetIdentityPoolRoles", in, nil)
	}
	return &cf.Type{
		Name: "AWS::Cognito::IdentityPoolRoleAttachment",
		Properties: cf.Properties{
			"IdentityPoolId": {Kind: cf.String, Required: true, Replace: true},
			"RoleMappings":   {Kind: cf.Object},
			"Roles":          {Kind: cf.Map},
		},
		Attributes: []string{"Id"},
		Create: func(ctx context.Context, e *cf.Env, want map[string]any) (cf.State, error) {
			id := e.Name(128)
			var have struct{ Roles, RoleMappings map[string]any }
			err := e.Call(ctx, service, "GetIdentityPoolRoles", cf.Pick(want, "IdentityPoolId"), &have)
			if err == nil && len(have.Roles)+len(have.RoleMappings) > 0 {
				err = e.Free(cf.Text(want, "IdentityPoolId"), nil)
			}
			if err != nil {
				return cf.State{}, err
			}
			return cf.State{ID: id, Attributes: map[string]any{"Id": id}}, set(ctx, e, want)
		},
		Update: func(ctx context.Context, e *cf.Env, have cf.State, want map[string]any) (cf.State, error) {
			return have, set(ctx, e, want)
		},
		Delete: func(ctx context.Context, e *cf.Env, have cf.State) error {
			return cf.Gone(set(ctx, e, cf.Pick(have.Properties, "IdentityPoolId")))
		},
	}
}

// roleMappings are the rules by provider. In a template their keys may be any
// names: then each says itself which provider it is for.
func roleMappings(want map[string]any) map[string]any {
	byProvider := map[string]any{}
	for provider, value := range cf.Child(want, "RoleMappings") {
		mapping, ok := value.(map[string]any)
		if !ok {
			byProvider[provider] = value // the service says what is wrong
			continue
		}
		mapping = maps.Clone(mapping)
		if named := cf.Text(mapping, "IdentityProvider"); named != "" {
			provider = named
		}
		delete(mapping, "IdentityProvider")
		byProvider[provider] = mapping
	}
	return byProvider
}

// principalTag maps claims of a provider to principal tags of sessions.
func principalTag() *cf.Type {
	set := func(ctx context.Context, e *cf.Env, want map[string]any) error {
		in := cf.Pick(want, "IdentityPoolId", "IdentityProviderName", "PrincipalTags", "UseDefaults")
		return e.Call(ctx, service, "SetPrincipalTagAttributeMap", in, nil)
	}
	return &cf.Type{
		Name: "AWS::Cognito::IdentityPoolPrincipalTag",
		Properties: cf.Properties{
			"IdentityPoolId":       {Kind: cf.String, Required: true, Replace: true},
			"IdentityProviderName": {Kind: cf.String, Required: true, Replace: true},
			"PrincipalTags":        {Kind: cf.Map},
			"UseDefaults":          {Kind: cf.Boolean},
		},
		Create: func(ctx context.Context, e *cf.Env, want map[string]any) (cf.State, error) {
			id := cf.Text(want, "IdentityPoolId") + "|" + cf.Text(want, "IdentityProviderName")
			var have struct {
				PrincipalTags map[string]any
				UseDefaults   bool
			}
			err := e.Call(ctx, service, "GetPrincipalTagAttributeMap", cf.Pick(want, "IdentityPoolId", "IdentityProviderName"), &have)
			if err == nil && (len(have.PrincipalTags) > 0 || have.UseDefaults) {
				err = e.Free(id, nil)
			}
			if err != nil {
				return cf.State{}, err
			}
			return cf.State{ID: id}, set(ctx, e, want)
		},
		Update: func(ctx context.Context, e *cf.Env, have cf.State, want map[string]any) (cf.State, error) {
			return have, set(ctx, e, want)
		},
		Delete: func(ctx context.Context, e *cf.Env, have cf.State) error {
			return cf.Gone(set(ctx, e, cf.Pick(have.Properties, "IdentityPoolId", "IdentityProviderName")))
		},
	}
}
