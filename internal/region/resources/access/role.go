package access

import (
	"context"

	cf "github.com/seed-615d3599/roost/internal/region/resources"
)

func role() *cf.Type {
	return &cf.Type{
		Name: "AWS::IAM::Role",
		Properties: cf.Properties{
			"AssumeRolePolicyDocument": document(),
			"Description":              {Kind: cf.String},
			"ManagedPolicyArns":        cf.Strings(),
			"MaxSessionDuration":       {Kind: cf.Integer},
			"Path":                     {Kind: cf.String, Replace: true},
			"PermissionsBoundary":      {Kind: cf.String},
			"Policies":                 policies(),
			"RoleName":                 {Kind: cf.String, Replace: true},
			"Tags":                     cf.KeyValues(),
		},
		Attributes: []string{"Arn", "RoleId"},
		Create:     createRole, Update: updateRole, Delete: kind("Role").remove,
	}
}

func createRole(ctx context.Context, e *cf.Env, want map[string]any) (cf.State, error) {
	trust, err := cf.Document(want["AssumeRolePolicyDocument"])
	if err != nil {
		return cf.State{}, err
	}
	in := cf.Pick(want, "Path", "Description", "MaxSessionDuration", "PermissionsBoundary")
	name := e.OrName(cf.Text(want, "RoleName"), 64)
	in["RoleName"], in["AssumeRolePolicyDocument"] = name, trust
	if cf.Has(want, "Tags") {
		in["Tags"] = want["Tags"]
	}
	var out struct{ Role struct{ Arn, RoleId string } }
	if err := e.Call(ctx, "iam", "CreateRole", in, &out); err != nil {
		return cf.State{}, err
	}
	state := cf.State{ID: name, Attributes: map[string]any{"Arn": out.Role.Arn, "RoleId": out.Role.RoleId}}
	return state, kind("Role").bring(ctx, e, name, nil, want)
}

func updateRole(ctx context.Context, e *cf.Env, have cf.State, want map[string]any) (cf.State, error) {
	k := kind("Role")
	if !cf.Same(have.Properties, want, "AssumeRolePolicyDocument") {
		trust, err := cf.Document(want["AssumeRolePolicyDocument"])
		if err != nil {
			return have, err
		}
		in := map[string]any{"RoleName": have.ID, "PolicyDocument": trust}
		if err := e.Call(ctx, "iam", "UpdateAssumeRolePolicy", in, nil); err != nil {
			return have, err
		}
	}
	if !cf.Same(have.Properties, want, "Description", "MaxSessionDuration") {
		in := map[string]any{"RoleName": have.ID, "Description": cf.Text(want, "Description"), "MaxSessionDuration": cf.Int(want, "MaxSessionDuration", 3600)}
		if err := e.Call(ctx, "iam", "UpdateRole", in, nil); err != nil {
			return have, err
		}
	}
	if err := k.rebound(ctx, e, have.ID, have.Properties, want); err != nil {
		return have, err
	}
	if err := k.retag(ctx, e, have.ID, have.Properties, want); err != nil {
		return have, err
	}
	return have, k.bring(ctx, e, have.ID, have.Properties, want)
}
