package lambda

import (
	"context"

	cf "github.com/seed-615d3599/roost/internal/region/resources"
)

// permission is a statement of a function's policy. Every change replaces it.
func permission() *cf.Type {
	return &cf.Type{
		Name: "AWS::Lambda::Permission",
		Properties: cf.Properties{
			"Action":                {Kind: cf.String, Required: true},
			"EventSourceToken":      cf.Refuse("Alexa's skills do not reach this machine"),
			"FunctionName":          {Kind: cf.String, Required: true},
			"FunctionUrlAuthType":   {Kind: cf.String, Enum: []string{"AWS_IAM", "NONE"}},
			"InvokedViaFunctionUrl": {Kind: cf.Boolean},
			"Principal":             {Kind: cf.String, Required: true},
			"PrincipalOrgID":        {Kind: cf.String},
			"SourceAccount":         {Kind: cf.String},
			"SourceArn":             {Kind: cf.String},
		},
		Attributes: []string{"Id"},
		Create: func(ctx context.Context, e *cf.Env, want map[string]any) (cf.State, error) {
			id := e.Name(100)
			in := cf.Pick(want, "Action", "FunctionUrlAuthType", "InvokedViaFunctionUrl", "Principal", "PrincipalOrgID", "SourceAccount", "SourceArn")
			in["StatementId"] = id
			err := e.Call(ctx, "lambda", "AddPermission", onFunction(cf.Text(want, "FunctionName"), in), nil)
			return cf.State{ID: id, Attributes: map[string]any{"Id": id}}, err
		},
		Delete: func(ctx context.Context, e *cf.Env, have cf.State) error {
			in := map[string]any{"StatementId": have.ID}
			return cf.Gone(e.Call(ctx, "lambda", "RemovePermission", onFunction(cf.Text(have.Properties, "FunctionName"), in), nil))
		},
	}
}

// layerVersionPermission would let other accounts use a layer. There is one
// account here, so what it allows has no effect.
func layerVersionPermission() *cf.Type {
	const why = "the region has one account, which may use its layers by its IAM policies"
	table := cf.Properties{
		"Action":          cf.Record(why).Must().Replacing(),
		"LayerVersionArn": cf.Record(why).Must().Replacing(),
		"OrganizationId":  cf.Record(why).Replacing(),
		"Principal":       cf.Record(why).Must().Replacing(),
	}
	return cf.RecordType("AWS::Lambda::LayerVersionPermission", table, func(e *cf.Env, want map[string]any) cf.State {
		id := cf.Text(want, "LayerVersionArn") + "#" + e.UUID()
		return cf.State{ID: id, Attributes: map[string]any{"Id": id}}
	}, "Id")
}
