package lambda

import (
	"context"
	"strconv"

	cf "github.com/seed-615d3599/roost/internal/region/resources"
)

// layerVersion is a version of a layer. Every change publishes a new one.
func layerVersion() *cf.Type {
	return &cf.Type{
		Name: "AWS::Lambda::LayerVersion",
		Properties: cf.Properties{
			"CompatibleArchitectures": cf.Strings(),
			"CompatibleRuntimes":      cf.Strings(),
			"Content": cf.Members(cf.Properties{
				"S3Bucket":        {Kind: cf.String, Required: true},
				"S3Key":           {Kind: cf.String, Required: true},
				"S3ObjectVersion": {Kind: cf.String},
			}).Must(),
			"Description": {Kind: cf.String},
			"LayerName":   {Kind: cf.String},
			"LicenseInfo": {Kind: cf.String},
		},
		Attributes: []string{"LayerVersionArn"},
		Create: func(ctx context.Context, e *cf.Env, want map[string]any) (cf.State, error) {
			in := cf.Pick(want, "CompatibleArchitectures", "CompatibleRuntimes", "Content", "Description", "LicenseInfo")
			in["LayerName"] = e.LogicalID
			if name := cf.Text(want, "LayerName"); name != "" {
				in["LayerName"] = name
			}
			var out struct{ LayerVersionArn string }
			err := e.Call(ctx, "lambda", "PublishLayerVersion", in, &out)
			return cf.State{ID: out.LayerVersionArn, Attributes: map[string]any{"LayerVersionArn": out.LayerVersionArn}}, err
		},
		Delete: func(ctx context.Context, e *cf.Env, have cf.State) error {
			arn, number := cut(have.ID)
			version, err := strconv.ParseInt(number, 10, 64)
			if err != nil {
				return err
			}
			return cf.Gone(e.Call(ctx, "lambda", "DeleteLayerVersion", map[string]any{"LayerName": arn, "VersionNumber": version}, nil))
		},
	}
}
