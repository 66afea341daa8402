package lambda

import (
	"context"
	"slices"
	"strings"

	cf "github.com/seed-615d3599/roost/internal/region/resources"
	"github.com/seed-615d3599/roost/internal/region/wire"
)

// version is a published version of a function.
func version() *cf.Type {
	return &cf.Type{
		Name: "AWS::Lambda::Version",
		Properties: cf.Properties{
			"CodeSha256":                   {Kind: cf.String, Replace: true},
			"Description":                  {Kind: cf.String, Replace: true},
			"FunctionName":                 {Kind: cf.String, Required: true, Replace: true},
			"FunctionScalingConfig":        cf.Refuse("functions run on this machine; leave it out"),
			"ProvisionedConcurrencyConfig": provisioned().Replacing(),
			"RuntimePolicy":                cf.Record("the runtime is the one that this machine has").Replacing(),
		},
		Attributes: []string{"FunctionArn", "Version"},
		Create:     publish,
		Delete: func(ctx context.Context, e *cf.Env, have cf.State) error {
			name, qualifier := cut(have.ID)
			return cf.Gone(e.Call(ctx, "lambda", "DeleteFunction", onFunction(name, map[string]any{"Qualifier": qualifier}), nil))
		},
	}
}

// publish makes a version. Lambda answers with the newest one where nothing has
// changed since; that one may belong to another resource, so CloudFormation
// refuses it.
func publish(ctx context.Context, e *cf.Env, want map[string]any) (cf.State, error) {
	function := cf.Text(want, "FunctionName")
	var before struct{ Versions []struct{ Version string } }
	if err := e.Call(ctx, "lambda", "ListVersionsByFunction", onFunction(function, nil), &before); err != nil {
		return cf.State{}, err
	}
	var out struct{ FunctionArn, Version string }
	if err := e.Call(ctx, "lambda", "PublishVersion", onFunction(function, cf.Pick(want, "CodeSha256", "Description")), &out); err != nil {
		return cf.State{}, err
	}
	if slices.ContainsFunc(before.Versions, func(v struct{ Version string }) bool { return v.Version == out.Version }) {
		return cf.State{}, wire.Errorf(409, "AlreadyExists", "A version for this Lambda function exists ( %s ). Modify the function to create a new version.", out.Version)
	}
	arn := out.FunctionArn
	if !strings.HasSuffix(arn, ":"+out.Version) {
		arn += ":" + out.Version
	}
	state := cf.State{ID: arn, Attributes: map[string]any{"FunctionArn": arn, "Version": out.Version}}
	return state, provision(ctx, e, onFunction(function, map[string]any{"Qualifier": out.Version}), nil, want)
}

// cut parts the ARN of a version or an alias.
func cut(arn string) (function, qualifier string) {
	i := strings.LastIndex(arn, ":")
	return arn[:max(i, 0)], arn[i+1:]
}

func alias() *cf.Type {
	return &cf.Type{
		Name: "AWS::Lambda::Alias",
		Properties: cf.Properties{
			"Description":                  {Kind: cf.String},
			"FunctionName":                 {Kind: cf.String, Required: true, Replace: true},
			"FunctionVersion":              {Kind: cf.String, Required: true},
			"Name":                         {Kind: cf.String, Required: true, Replace: true},
			"ProvisionedConcurrencyConfig": provisioned(),
			"RoutingConfig": cf.Members(cf.Properties{"AdditionalVersionWeights": cf.Objects(cf.Properties{
				"FunctionVersion": {Kind: cf.String, Required: true},
				"FunctionWeight":  {Kind: cf.Number, Required: true},
			})}),
		},
		Attributes: []string{"AliasArn"},
		Create: func(ctx context.Context, e *cf.Env, want map[string]any) (cf.State, error) {
			in := cf.Pick(want, "Description", "FunctionVersion", "Name")
			in["RoutingConfig"] = routing(want)
			var out struct{ AliasArn string }
			if err := e.Call(ctx, "lambda", "CreateAlias", onFunction(cf.Text(want, "FunctionName"), in), &out); err != nil {
				return cf.State{}, err
			}
			state := cf.State{ID: out.AliasArn, Attributes: map[string]any{"AliasArn": out.AliasArn}}
			return state, provision(ctx, e, onFunction(cf.Text(want, "FunctionName"), map[string]any{"Qualifier": cf.Text(want, "Name")}), nil, want)
		},
		Update: func(ctx context.Context, e *cf.Env, have cf.State, want map[string]any) (cf.State, error) {
			function := cf.Text(want, "FunctionName")
			if !cf.Same(have.Properties, want, "Description", "FunctionVersion", "RoutingConfig") {
				in := cf.Pick(want, "FunctionVersion", "Name")
				in["Description"], in["RoutingConfig"] = cf.Text(want, "Description"), routing(want)
				if err := e.Call(ctx, "lambda", "UpdateAlias", onFunction(function, in), nil); err != nil {
					return have, err
				}
			}
			return have, provision(ctx, e, onFunction(function, map[string]any{"Qualifier": cf.Text(want, "Name")}), have.Properties, want)
		},
		Delete: func(ctx context.Context, e *cf.Env, have cf.State) error {
			name, qualifier := cut(have.ID)
			return cf.Gone(e.Call(ctx, "lambda", "DeleteAlias", onFunction(name, map[string]any{"Name": qualifier}), nil))
		},
	}
}

// routing is the list of weights of a template as the map that Lambda takes.
// An empty one takes weights away.
func routing(want map[string]any) map[string]any {
	weights := map[string]any{}
	for _, one := range cf.Children(cf.Child(want, "RoutingConfig"), "AdditionalVersionWeights") {
		weights[cf.Text(one, "FunctionVersion")] = one["FunctionWeight"]
	}
	return map[string]any{"AdditionalVersionWeights": weights}
}
