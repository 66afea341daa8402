package storage

import (
	"context"

	cf "github.com/seed-615d3599/roost/internal/region/resources"
)

func parameter() *cf.Type {
	table := cf.Properties{
		"AllowedPattern": {Kind: cf.String},
		"DataType":       {Kind: cf.String, Enum: []string{"text"}, Why: "there are no machine images here"},
		"Description":    {Kind: cf.String},
		"Name":           {Kind: cf.String, Replace: true},
		"Policies":       cf.Refuse("parameters do not expire here; leave it out, for example by a condition"),
		"Tags":           {Kind: cf.Map},
		"Tier":           {Kind: cf.String, Enum: []string{"Standard", "Advanced", "Intelligent-Tiering"}},
		"Type":           {Kind: cf.String, Required: true, Enum: []string{"String", "StringList"}, Why: "CloudFormation makes no SecureString"},
		"Value":          {Kind: cf.String, Required: true},
	}
	members := []string{"AllowedPattern", "DataType", "Description", "Tier", "Type", "Value"}
	return &cf.Type{
		Name: "AWS::SSM::Parameter", Properties: table, Attributes: []string{"Type", "Value"},
		Create: func(ctx context.Context, e *cf.Env, want map[string]any) (cf.State, error) {
			in := cf.Pick(want, members...)
			in["Name"], in["Tags"] = e.OrName(cf.Text(want, "Name"), 1011), cf.TagList(cf.TagsOf(want["Tags"]))
			state := cf.State{ID: in["Name"].(string), Attributes: cf.Pick(want, "Type", "Value")}
			return state, e.Call(ctx, "ssm", "PutParameter", in, nil)
		},
		Update: func(ctx context.Context, e *cf.Env, have cf.State, want map[string]any) (cf.State, error) {
			if !cf.Same(have.Properties, want, members...) {
				in := cf.Pick(want, members...)
				in["Name"], in["Overwrite"] = have.ID, true
				in["Description"], in["AllowedPattern"] = cf.Text(want, "Description"), cf.Text(want, "AllowedPattern")
				if err := e.Call(ctx, "ssm", "PutParameter", in, nil); err != nil {
					return have, err
				}
			}
			have.Attributes = cf.Pick(want, "Type", "Value")
			return have, retagParameter(ctx, e, have, want)
		},
		Delete: func(ctx context.Context, e *cf.Env, have cf.State) error {
			return cf.Gone(e.Call(ctx, "ssm", "DeleteParameter", map[string]any{"Name": have.ID}, nil))
		},
	}
}

func retagParameter(ctx context.Context, e *cf.Env, have cf.State, want map[string]any) error {
	set, unset := cf.TagChanges(have.Properties["Tags"], want["Tags"])
	if len(set) > 0 {
		in := map[string]any{"ResourceType": "Parameter", "ResourceId": have.ID, "Tags": cf.TagList(set)}
		if err := e.Call(ctx, "ssm", "AddTagsToResource", in, nil); err != nil {
			return err
		}
	}
	if len(unset) > 0 {
		in := map[string]any{"ResourceType": "Parameter", "ResourceId": have.ID, "TagKeys": unset}
		return e.Call(ctx, "ssm", "RemoveTagsFromResource", in, nil)
	}
	return nil
}
