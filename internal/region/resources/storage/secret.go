package storage

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	cf "github.com/seed-615d3599/roost/internal/region/resources"
)

func secretProperties() cf.Properties {
	return cf.Properties{
		"Description": {Kind: cf.String},
		"GenerateSecretString": cf.Members(cf.Properties{
			"ExcludeCharacters":       {Kind: cf.String},
			"ExcludeLowercase":        {Kind: cf.Boolean},
			"ExcludeNumbers":          {Kind: cf.Boolean},
			"ExcludePunctuation":      {Kind: cf.Boolean},
			"ExcludeUppercase":        {Kind: cf.Boolean},
			"GenerateStringKey":       {Kind: cf.String},
			"IncludeSpace":            {Kind: cf.Boolean},
			"PasswordLength":          {Kind: cf.Integer},
			"RequireEachIncludedType": {Kind: cf.Boolean},
			"SecretStringTemplate":    {Kind: cf.String},
		}),
		"KmsKeyId":       {Kind: cf.String, Mode: cf.Recorded, Why: "the region encrypts secrets with its own key"},
		"Name":           {Kind: cf.String, Replace: true},
		"ReplicaRegions": cf.Record("there is one region"),
		"SecretString":   {Kind: cf.String},
		"Tags":           cf.KeyValues(),
		"Type":           {Kind: cf.String, Mode: cf.Recorded, Why: "there are no managed external secrets"},
	}
}

func secret() *cf.Type {
	return &cf.Type{
		Name: "AWS::SecretsManager::Secret", Properties: secretProperties(), Attributes: []string{"Id"},
		Create: func(ctx context.Context, e *cf.Env, want map[string]any) (cf.State, error) {
			text, err := secretText(ctx, e, want)
			if err != nil {
				return cf.State{}, err
			}
			in := cf.Pick(want, "Description")
			in["Name"], in["SecretString"], in["Tags"] = e.OrName(cf.Text(want, "Name"), 512), text, cf.TagList(e.WithStackTags(want["Tags"]))
			var out struct{ ARN string }
			err = e.Call(ctx, "secretsmanager", "CreateSecret", in, &out)
			return cf.State{ID: out.ARN, Attributes: map[string]any{"Id": out.ARN}}, err
		},
		Update: updateSecret,
		Delete: func(ctx context.Context, e *cf.Env, have cf.State) error {
			in := map[string]any{"SecretId": have.ID, "ForceDeleteWithoutRecovery": true}
			return cf.Gone(e.Call(ctx, "secretsmanager", "DeleteSecret", in, nil))
		},
	}
}

// updateSecret makes a new value only where what the template says of it has
// changed: a generated one stays.
func updateSecret(ctx context.Context, e *cf.Env, have cf.State, want map[string]any) (cf.State, error) {
	in := map[string]any{"SecretId": have.ID}
	if !cf.Same(have.Properties, want, "SecretString", "GenerateSecretString") {
		text, err := secretText(ctx, e, want)
		if err != nil {
			return have, err
		}
		in["SecretString"] = text
	}
	if !cf.Same(have.Properties, want, "Description") {
		in["Description"] = cf.Text(want, "Description")
	}
	if len(in) > 1 {
		if err := e.Call(ctx, "secretsmanager", "UpdateSecret", in, nil); err != nil {
			return have, err
		}
	}
	set, unset := cf.TagChanges(have.Properties["Tags"], want["Tags"])
	if len(set) > 0 {
		in := map[string]any{"SecretId": have.ID, "Tags": cf.TagList(set)}
		if err := e.Call(ctx, "secretsmanager", "TagResource", in, nil); err != nil {
			return have, err
		}
	}
	if len(unset) > 0 {
		return have, e.Call(ctx, "secretsmanager", "UntagResource", map[string]any{"SecretId": have.ID, "TagKeys": unset}, nil)
	}
	return have, nil
}

// secretText is the value of a secret: the template's own or a generated one.
// With neither, CloudFormation generates one by the defaults.
func secretText(ctx context.Context, e *cf.Env, want map[string]any) (string, error) {
	generate := cf.Child(want, "GenerateSecretString")
	switch {
	case cf.Has(want, "SecretString") && generate != nil:
		return "", errors.New("give either SecretString or GenerateSecretString, not both")
	case cf.Has(want, "SecretString"):
		return cf.Text(want, "SecretString"), nil
	}
	template, key := cf.Text(generate, "SecretStringTemplate"), cf.Text(generate, "GenerateStringKey")
	if (template == "") != (key == "") {
		return "", errors.New("GenerateSecretString needs SecretStringTemplate and GenerateStringKey together, or neither")
	}
	in := cf.Pick(generate, "ExcludeCharacters", "ExcludeLowercase", "ExcludeNumbers", "ExcludePunctuation", "ExcludeUppercase",
		"IncludeSpace", "PasswordLength", "RequireEachIncludedType")
	var out struct{ RandomPassword string }
	if err := e.Call(ctx, "secretsmanager", "GetRandomPassword", in, &out); err != nil {
		return "", err
	}
	if template == "" {
		return out.RandomPassword, nil
	}
	members := map[string]any{}
	if err := json.Unmarshal([]byte(template), &members); err != nil {
		return "", fmt.Errorf("SecretStringTemplate is no JSON object: %w", err)
	}
	members[key] = out.RandomPassword
	return cf.Document(members)
}

// secretPolicy is the resource policy of a secret.
func secretPolicy() *cf.Type {
	put := func(ctx context.Context, e *cf.Env, want map[string]any) (cf.State, error) {
		text, err := cf.Document(want["ResourcePolicy"])
		if err != nil {
			return cf.State{}, err
		}
		in := cf.Pick(want, "BlockPublicPolicy", "SecretId")
		in["ResourcePolicy"] = text
		id := cf.Text(want, "SecretId")
		return cf.State{ID: id, Attributes: map[string]any{"Id": id}}, e.Call(ctx, "secretsmanager", "PutResourcePolicy", in, nil)
	}
	return &cf.Type{
		Name: "AWS::SecretsManager::ResourcePolicy", Attributes: []string{"Id"},
		Properties: cf.Properties{
			"BlockPublicPolicy": {Kind: cf.Boolean},
			"ResourcePolicy":    {Kind: cf.JSON, Required: true},
			"SecretId":          {Kind: cf.String, Required: true, Replace: true},
		},
		Create: func(ctx context.Context, e *cf.Env, want map[string]any) (cf.State, error) {
			var have struct{ ResourcePolicy string }
			id := cf.Text(want, "SecretId")
			err := e.Call(ctx, "secretsmanager", "GetResourcePolicy", map[string]any{"SecretId": id}, &have)
			if err == nil && have.ResourcePolicy != "" {
				err = e.Free(id, nil)
			}
			if err != nil {
				return cf.State{}, err
			}
			return put(ctx, e, want)
		},
		Update: func(ctx context.Context, e *cf.Env, _ cf.State, want map[string]any) (cf.State, error) {
			return put(ctx, e, want)
		},
		Delete: func(ctx context.Context, e *cf.Env, have cf.State) error {
			return cf.Gone(e.Call(ctx, "secretsmanager", "DeleteResourcePolicy", map[string]any{"SecretId": have.ID}, nil))
		},
	}
}
