package storage

import (
	"context"
	"maps"
	"strings"

	cf "github.com/seed-615d3599/roost/internal/region/resources"
)

func repositoryProperties() cf.Properties {
	const images = "there are no images here"
	return cf.Properties{
		"EmptyOnDelete": {Kind: cf.Boolean, Mode: cf.Recorded, Why: images},
		"EncryptionConfiguration": cf.Members(cf.Properties{
			"EncryptionType": {Kind: cf.String, Required: true},
			"KmsKey":         {Kind: cf.String},
		}).Replacing(),
		"ImageScanningConfiguration":         cf.Members(cf.Properties{"ScanOnPush": {Kind: cf.Boolean}}),
		"ImageTagMutability":                 {Kind: cf.String, Enum: []string{"MUTABLE", "IMMUTABLE"}, Why: images},
		"ImageTagMutabilityExclusionFilters": cf.Refuse(images + "; use the same mutability for all tags"),
		"LifecyclePolicy": cf.Members(cf.Properties{
			"LifecyclePolicyText": {Kind: cf.String},
			"RegistryId":          {Kind: cf.String},
		}),
		"RepositoryName":       {Kind: cf.String, Replace: true},
		"RepositoryPolicyText": {Kind: cf.JSON},
		"Tags":                 cf.KeyValues(),
	}
}

func callRepository(ctx context.Context, e *cf.Env, operation, name string, members map[string]any) error {
	in := map[string]any{"RepositoryName": name}
	maps.Copy(in, members)
	return e.Call(ctx, "ecr", operation, in, nil)
}

// repository is a repository that can be described and deleted, and that no
// image is pushed to.
func repository() *cf.Type {
	return &cf.Type{
		Name: "AWS::ECR::Repository", Properties: repositoryProperties(), Attributes: []string{"Arn", "RepositoryUri"},
		Create: func(ctx context.Context, e *cf.Env, want map[string]any) (cf.State, error) {
			name := cf.Text(want, "RepositoryName")
			if name == "" {
				name = strings.ToLower(e.Name(256))
			}
			in := cf.Pick(want, "EncryptionConfiguration", "ImageScanningConfiguration", "ImageTagMutability")
			in["RepositoryName"], in["Tags"] = name, cf.TagList(e.WithStackTags(want["Tags"]))
			var out struct {
				Repository struct{ RepositoryArn, RepositoryUri string }
			}
			if err := e.Call(ctx, "ecr", "CreateRepository", in, &out); err != nil {
				return cf.State{}, err
			}
			state := cf.State{ID: name, Attributes: map[string]any{"Arn": out.Repository.RepositoryArn, "RepositoryUri": out.Repository.RepositoryUri}}
			return state, setRepositoryTexts(ctx, e, name, nil, want)
		},
		Update: updateRepository,
		Delete: func(ctx context.Context, e *cf.Env, have cf.State) error {
			return cf.Gone(callRepository(ctx, e, "DeleteRepository", have.ID, nil))
		},
	}
}

func updateRepository(ctx context.Context, e *cf.Env, have cf.State, want map[string]any) (cf.State, error) {
	if !cf.Same(have.Properties, want, "ImageTagMutability") {
		mutability := map[string]any{"ImageTagMutability": "MUTABLE"}
		maps.Copy(mutability, cf.Pick(want, "ImageTagMutability"))
		if err := callRepository(ctx, e, "PutImageTagMutability", have.ID, mutability); err != nil {
			return have, err
		}
	}
	if !cf.Same(have.Properties, want, "ImageScanningConfiguration") {
		scanning := map[string]any{"ImageScanningConfiguration": map[string]any{}}
		maps.Copy(scanning, cf.Pick(want, "ImageScanningConfiguration"))
		if err := callRepository(ctx, e, "PutImageScanningConfiguration", have.ID, scanning); err != nil {
			return have, err
		}
	}
	if err := setRepositoryTexts(ctx, e, have.ID, have.Properties, want); err != nil {
		return have, err
	}
	set, unset := cf.TagChanges(have.Properties["Tags"], want["Tags"])
	arn := cf.Text(have.Attributes, "Arn")
	if len(set) > 0 {
		if err := e.Call(ctx, "ecr", "TagResource", map[string]any{"ResourceArn": arn, "Tags": cf.TagList(set)}, nil); err != nil {
			return have, err
		}
	}
	if len(unset) > 0 {
		return have, e.Call(ctx, "ecr", "UntagResource", map[string]any{"ResourceArn": arn, "TagKeys": unset}, nil)
	}
	return have, nil
}

// setRepositoryTexts brings the policy and the life cycle of a repository up to
// date.
func setRepositoryTexts(ctx context.Context, e *cf.Env, name string, have, want map[string]any) error {
	if !cf.Same(have, want, "RepositoryPolicyText") {
		operation, in := "DeleteRepositoryPolicy", map[string]any(nil)
		if cf.Has(want, "RepositoryPolicyText") {
			text, err := cf.Document(want["RepositoryPolicyText"])
			if err != nil {
				return err
			}
			operation, in = "SetRepositoryPolicy", map[string]any{"PolicyText": text}
		}
		if err := callRepository(ctx, e, operation, name, in); err != nil {
			return err
		}
	}
	if cf.Same(have, want, "LifecyclePolicy") {
		return nil
	}
	if text := cf.Text(want, "LifecyclePolicy", "LifecyclePolicyText"); text != "" {
		return callRepository(ctx, e, "PutLifecyclePolicy", name, map[string]any{"LifecyclePolicyText": text})
	}
	return callRepository(ctx, e, "DeleteLifecyclePolicy", name, nil)
}
