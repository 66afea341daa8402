package storage

import (
	"context"
	"maps"

	cf "github.com/seed-615d3599/roost/internal/region/resources"
	"github.com/seed-615d3599/roost/internal/region/wire"
)

func keyProperties() cf.Properties {
	const (
		material = "there is no key material here; leave it out, for example by a condition"
		plain    = "nothing is encrypted with it"
	)
	return cf.Properties{
		"BypassPolicyLockoutSafetyCheck": cf.Record("whoever deploys is not locked out of a record"),
		"Description":                    {Kind: cf.String},
		"EnableKeyRotation":              {Kind: cf.Boolean, Mode: cf.Recorded, Why: plain},
		"Enabled":                        {Kind: cf.Boolean},
		"KeyPolicy":                      {Kind: cf.JSON},
		"KeySpec":                        {Kind: cf.String, Replace: true, Enum: []string{"SYMMETRIC_DEFAULT"}, Why: material},
		"KeyUsage":                       {Kind: cf.String, Replace: true, Enum: []string{"ENCRYPT_DECRYPT"}, Why: material},
		"MultiRegion":                    {Kind: cf.Boolean, Replace: true, Enum: []string{"false"}, Why: "there is one region"},
		"Origin":                         {Kind: cf.String, Replace: true, Enum: []string{"AWS_KMS"}, Why: material},
		"PendingWindowInDays":            {Kind: cf.Integer},
		"RotationPeriodInDays":           {Kind: cf.Integer, Mode: cf.Recorded, Why: plain},
		"Tags":                           cf.KeyValues(),
	}
}

func callKey(ctx context.Context, e *cf.Env, operation, id string, members map[string]any) error {
	in := map[string]any{"KeyId": id}
	maps.Copy(in, members)
	return e.Call(ctx, "kms", operation, in, nil)
}

// key is a key that can be described, named and deleted, and that nothing is
// encrypted with.
func key() *cf.Type {
	return &cf.Type{
		Name: "AWS::KMS::Key", Properties: keyProperties(), Attributes: []string{"Arn", "KeyId"},
		Create: createKey, Update: updateKey,
		Delete: func(ctx context.Context, e *cf.Env, have cf.State) error {
			err := callKey(ctx, e, "ScheduleKeyDeletion", have.ID, cf.Pick(have.Properties, "PendingWindowInDays"))
			if wire.Code(err) == "KMSInvalidStateException" {
				return nil // its deletion is pending already
			}
			return cf.Gone(err)
		},
	}
}

func createKey(ctx context.Context, e *cf.Env, want map[string]any) (cf.State, error) {
	in := cf.Pick(want, "Description", "KeySpec", "KeyUsage", "Origin")
	in["Tags"] = keyTags(cf.TagsOf(want["Tags"]))
	if cf.Has(want, "KeyPolicy") {
		text, err := cf.Document(want["KeyPolicy"])
		if err != nil {
			return cf.State{}, err
		}
		in["Policy"] = text
	}
	var out struct{ KeyMetadata struct{ Arn, KeyId string } }
	if err := e.Call(ctx, "kms", "CreateKey", in, &out); err != nil {
		return cf.State{}, err
	}
	made := out.KeyMetadata
	state := cf.State{ID: made.KeyId, Attributes: map[string]any{"Arn": made.Arn, "KeyId": made.KeyId}}
	if cf.Has(want, "Enabled") && !cf.Flag(want, "Enabled") {
		return state, callKey(ctx, e, "DisableKey", state.ID, nil)
	}
	return state, nil
}

// keyTags are tags in KMS's words.
func keyTags(tags map[string]string) []map[string]string {
	list := cf.TagList(tags)
	for i, tag := range list {
		list[i] = map[string]string{"TagKey": tag["Key"], "TagValue": tag["Value"]}
	}
	return list
}

func updateKey(ctx context.Context, e *cf.Env, have cf.State, want map[string]any) (cf.State, error) {
	if !cf.Same(have.Properties, want, "Description") {
		if err := callKey(ctx, e, "UpdateKeyDescription", have.ID, map[string]any{"Description": cf.Text(want, "Description")}); err != nil {
			return have, err
		}
	}
	if !cf.Same(have.Properties, want, "KeyPolicy") && cf.Has(want, "KeyPolicy") {
		text, err := cf.Document(want["KeyPolicy"])
		if err != nil {
			return have, err
		}
		if err := callKey(ctx, e, "PutKeyPolicy", have.ID, map[string]any{"Policy": text}); err != nil {
			return have, err
		}
	}
	if !cf.Same(have.Properties, want, "Enabled") {
		operation := "EnableKey"
		if cf.Has(want, "Enabled") && !cf.Flag(want, "Enabled") {
			operation = "DisableKey"
		}
		if err := callKey(ctx, e, operation, have.ID, nil); err != nil {
			return have, err
		}
	}
	set, unset := cf.TagChanges(have.Properties["Tags"], want["Tags"])
	if len(set) > 0 {
		if err := callKey(ctx, e, "TagResource", have.ID, map[string]any{"Tags": keyTags(set)}); err != nil {
			return have, err
		}
	}
	if len(unset) > 0 {
		return have, callKey(ctx, e, "UntagResource", have.ID, map[string]any{"TagKeys": unset})
	}
	return have, nil
}

func keyAlias() *cf.Type {
	return &cf.Type{
		Name: "AWS::KMS::Alias",
		Properties: cf.Properties{
			"AliasName":   {Kind: cf.String, Required: true, Replace: true},
			"TargetKeyId": {Kind: cf.String, Required: true},
		},
		Create: func(ctx context.Context, e *cf.Env, want map[string]any) (cf.State, error) {
			return cf.State{ID: cf.Text(want, "AliasName")}, e.Call(ctx, "kms", "CreateAlias", cf.Pick(want, "AliasName", "TargetKeyId"), nil)
		},
		Update: func(ctx context.Context, e *cf.Env, have cf.State, want map[string]any) (cf.State, error) {
			return have, e.Call(ctx, "kms", "UpdateAlias", cf.Pick(want, "AliasName", "TargetKeyId"), nil)
		},
		Delete: func(ctx context.Context, e *cf.Env, have cf.State) error {
			return cf.Gone(e.Call(ctx, "kms", "DeleteAlias", map[string]any{"AliasName": have.ID}, nil))
		},
	}
}
