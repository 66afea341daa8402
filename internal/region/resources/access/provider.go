package access

import (
	"context"
	"maps"

	cf "github.com/seed-615d3599/roost/internal/region/resources"
)

func oidcProvider() *cf.Type {
	return &cf.Type{
		Name: "AWS::IAM::OIDCProvider",
		Properties: cf.Properties{
			"ClientIdList":   cf.Strings(),
			"Tags":           cf.KeyValues(),
			"ThumbprintList": cf.Strings(),
			"Url":            {Kind: cf.String, Required: true, Replace: true},
		},
		Attributes: []string{"Arn"},
		Create: func(ctx context.Context, e *cf.Env, want map[string]any) (cf.State, error) {
			var out struct{ OpenIDConnectProviderArn string }
			in := cf.Pick(want, "ClientIdList", "Tags", "ThumbprintList", "Url")
			if err := e.Call(ctx, "iam", "CreateOpenIDConnectProvider", in, &out); err != nil {
				return cf.State{}, err
			}
			arn := out.OpenIDConnectProviderArn
			return cf.State{ID: arn, Attributes: map[string]any{"Arn": arn}}, nil
		},
		Update: updateProvider,
		Delete: func(ctx context.Context, e *cf.Env, have cf.State) error {
			return cf.Gone(callProvider(ctx, e, "DeleteOpenIDConnectProvider", have.ID, nil))
		},
	}
}

// callProvider calls an operation on a provider.
func callProvider(ctx context.Context, e *cf.Env, operation, arn string, members map[string]any) error {
	in := map[string]any{"OpenIDConnectProviderArn": arn}
	maps.Copy(in, members)
	return e.Call(ctx, "iam", operation, in, nil)
}

func updateProvider(ctx context.Context, e *cf.Env, have cf.State, want map[string]any) (cf.State, error) {
	err := changeList(have.Properties, want, "ClientIdList",
		func(id string) error {
			return callProvider(ctx, e, "AddClientIDToOpenIDConnectProvider", have.ID, map[string]any{"ClientID": id})
		},
		func(id string) error {
			return callProvider(ctx, e, "RemoveClientIDFromOpenIDConnectProvider", have.ID, map[string]any{"ClientID": id})
		})
	if err != nil {
		return have, err
	}
	if !cf.Same(have.Properties, want, "ThumbprintList") {
		members := map[string]any{"ThumbprintList": cf.Texts(want, "ThumbprintList")}
		if err := callProvider(ctx, e, "UpdateOpenIDConnectProviderThumbprint", have.ID, members); err != nil {
			return have, err
		}
	}
	set, unset := cf.TagChanges(have.Properties["Tags"], want["Tags"])
	if len(set) > 0 {
		if err := callProvider(ctx, e, "TagOpenIDConnectProvider", have.ID, map[string]any{"Tags": cf.TagList(set)}); err != nil {
			return have, err
		}
	}
	if len(unset) > 0 {
		return have, callProvider(ctx, e, "UntagOpenIDConnectProvider", have.ID, map[string]any{"TagKeys": unset})
	}
	return have, nil
}
