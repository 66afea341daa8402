package httpapi

import (
	"context"

	cf "github.com/seed-615d3599/roost/internal/region/resources"
)

func stageProperties() cf.Properties {
	return cf.Properties{
		"AccessLogSettings": cf.Members(cf.Properties{
			"DestinationArn": {Kind: cf.String},
			"Format":         {Kind: cf.String},
		}),
		"ApiId":               ofAPI(),
		"AutoDeploy":          {Kind: cf.Boolean},
		"ClientCertificateId": cf.Refuse("only WebSocket APIs have client certificates"),
		"DefaultRouteSettings": cf.Members(cf.Properties{
			"DataTraceEnabled":       {Kind: cf.Boolean, Enum: []string{"false"}, Why: "HTTP APIs have no execution logs"},
			"DetailedMetricsEnabled": {Kind: cf.Boolean, Mode: cf.Recorded, Why: "no metrics are collected"},
			"LoggingLevel":           {Kind: cf.String, Enum: []string{"OFF"}, Why: "HTTP APIs have no execution logs"},
			"ThrottlingBurstLimit":   {Kind: cf.Integer},
			"ThrottlingRateLimit":    {Kind: cf.Number},
		}),
		"DeploymentId":   {Kind: cf.String},
		"Description":    {Kind: cf.String},
		"RouteSettings":  {Kind: cf.JSON},
		"StageName":      {Kind: cf.String, Required: true, Replace: true},
		"StageVariables": {Kind: cf.Map},
		"Tags":           {Kind: cf.Map},
	}
}

// stageMembers are the properties that an update can change.
func stageMembers() []string {
	return []string{"AccessLogSettings", "AutoDeploy", "DefaultRouteSettings", "DeploymentId", "Description", "RouteSettings", "StageVariables"}
}

func stage() *cf.Type {
	table := stageProperties()
	return &cf.Type{
		Name: "AWS::ApiGatewayV2::Stage", Properties: table, Attributes: []string{"Id"},
		Create: func(ctx context.Context, e *cf.Env, want map[string]any) (cf.State, error) {
			in := cf.Pick(want, append(stageMembers(), "ApiId", "StageName")...)
			in["Tags"] = e.WithStackTags(want["Tags"])
			if err := e.Call(ctx, service, "CreateStage", in, nil); err != nil {
				return cf.State{}, err
			}
			name := cf.Text(want, "StageName")
			return cf.State{ID: name, Attributes: map[string]any{"Id": name}}, nil
		},
		Update: func(ctx context.Context, e *cf.Env, have cf.State, want map[string]any) (cf.State, error) {
			return updateStage(ctx, e, have, want, table)
		},
		Delete: func(ctx context.Context, e *cf.Env, have cf.State) error {
			return cf.Gone(e.Call(ctx, service, "DeleteStage", stageRef(have), nil))
		},
	}
}

func stageRef(have cf.State) map[string]any {
	return map[string]any{"ApiId": cf.Text(have.Properties, "ApiId"), "StageName": have.ID}
}

func updateStage(ctx context.Context, e *cf.Env, have cf.State, want map[string]any, table cf.Properties) (cf.State, error) {
	delta := table.Delta(have.Properties, want, stageMembers()...)
	if _, changed := delta["AccessLogSettings"]; changed && !cf.Has(want, "AccessLogSettings") {
		delete(delta, "AccessLogSettings")
		if err := e.Call(ctx, service, "DeleteAccessLogSettings", stageRef(have), nil); err != nil {
			return have, err
		}
	}
	if _, changed := delta["RouteSettings"]; changed {
		delta["RouteSettings"] = remerge(cf.Child(have.Properties, "RouteSettings"), cf.Child(want, "RouteSettings"), nil)
	}
	if len(delta) > 0 {
		for member, value := range stageRef(have) {
			delta[member] = value
		}
		if err := e.Call(ctx, service, "UpdateStage", delta, nil); err != nil {
			return have, err
		}
	}
	return have, retag(ctx, e, "/apis/"+cf.Text(have.Properties, "ApiId")+"/stages/"+have.ID, have.Properties, want)
}

func deployment() *cf.Type {
	return part{
		name: "Deployment", names: []string{"Description", "StageName"},
		table: cf.Properties{
			"ApiId":       ofAPI(),
			"Description": {Kind: cf.String},
			"StageName":   {Kind: cf.String, Replace: true}, // AWS moves the stage in place
		},
	}.kind()
}
