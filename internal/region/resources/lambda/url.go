package lambda

import (
	"context"

	cf "github.com/seed-615d3599/roost/internal/region/resources"
)

func url() *cf.Type {
	return &cf.Type{
		Name: "AWS::Lambda::Url",
		Properties: cf.Properties{
			"AuthType": {Kind: cf.String, Required: true, Enum: []string{"AWS_IAM", "NONE"}},
			"Cors": cf.Members(cf.Properties{
				"AllowCredentials": {Kind: cf.Boolean},
				"AllowHeaders":     cf.Strings(),
				"AllowMethods":     cf.Strings(),
				"AllowOrigins":     cf.Strings(),
				"ExposeHeaders":    cf.Strings(),
				"MaxAge":           {Kind: cf.Integer},
			}),
			"InvokeMode":        {Kind: cf.String, Enum: []string{"BUFFERED", "RESPONSE_STREAM"}},
			"Qualifier":         {Kind: cf.String, Replace: true},
			"TargetFunctionArn": {Kind: cf.String, Required: true, Replace: true},
		},
		Attributes: []string{"FunctionArn", "FunctionUrl"},
		Create: func(ctx context.Context, e *cf.Env, want map[string]any) (cf.State, error) {
			in := cf.Pick(want, "AuthType", "Cors", "InvokeMode", "Qualifier")
			var out struct{ FunctionArn, FunctionUrl string }
			err := e.Call(ctx, "lambda", "CreateFunctionUrlConfig", onFunction(cf.Text(want, "TargetFunctionArn"), in), &out)
			return cf.State{ID: out.FunctionArn, Attributes: map[string]any{"FunctionArn": out.FunctionArn, "FunctionUrl": out.FunctionUrl}}, err
		},
		Update: func(ctx context.Context, e *cf.Env, have cf.State, want map[string]any) (cf.State, error) {
			in := cf.Pick(want, "AuthType", "Qualifier")
			in["Cors"], in["InvokeMode"] = map[string]any{}, "BUFFERED"
			for member, value := range cf.Pick(want, "Cors", "InvokeMode") {
				in[member] = value
			}
			return have, e.Call(ctx, "lambda", "UpdateFunctionUrlConfig", onFunction(cf.Text(want, "TargetFunctionArn"), in), nil)
		},
		Delete: func(ctx context.Context, e *cf.Env, have cf.State) error {
			in := cf.Pick(have.Properties, "Qualifier")
			return cf.Gone(e.Call(ctx, "lambda", "DeleteFunctionUrlConfig", onFunction(cf.Text(have.Properties, "TargetFunctionArn"), in), nil))
		},
	}
}

func eventInvokeConfig() *cf.Type {
	destination := func() cf.Property {
		return cf.Members(cf.Properties{"Destination": {Kind: cf.String, Required: true}})
	}
	put := func(ctx context.Context, e *cf.Env, want map[string]any) error {
		in := cf.Pick(want, "DestinationConfig", "MaximumEventAgeInSeconds", "MaximumRetryAttempts", "Qualifier")
		return e.Call(ctx, "lambda", "PutFunctionEventInvokeConfig", onFunction(cf.Text(want, "FunctionName"), in), nil)
	}
	return &cf.Type{
		Name: "AWS::Lambda::EventInvokeConfig",
		Properties: cf.Properties{
			"DestinationConfig":        cf.Members(cf.Properties{"OnFailure": destination(), "OnSuccess": destination()}),
			"FunctionName":             {Kind: cf.String, Required: true, Replace: true},
			"MaximumEventAgeInSeconds": {Kind: cf.Integer},
			"MaximumRetryAttempts":     {Kind: cf.Integer},
			"Qualifier":                {Kind: cf.String, Required: true, Replace: true},
		},
		Create: func(ctx context.Context, e *cf.Env, want map[string]any) (cf.State, error) {
			function, qualifier := cf.Text(want, "FunctionName"), cf.Pick(want, "Qualifier")
			err := e.Free(function, e.Call(ctx, "lambda", "GetFunctionEventInvokeConfig", onFunction(function, qualifier), nil))
			if err != nil {
				return cf.State{}, err
			}
			return cf.State{ID: e.Name(128)}, put(ctx, e, want)
		},
		Update: func(ctx context.Context, e *cf.Env, have cf.State, want map[string]any) (cf.State, error) {
			return have, put(ctx, e, want)
		},
		Delete: func(ctx context.Context, e *cf.Env, have cf.State) error {
			in := cf.Pick(have.Properties, "Qualifier")
			return cf.Gone(e.Call(ctx, "lambda", "DeleteFunctionEventInvokeConfig", onFunction(cf.Text(have.Properties, "FunctionName"), in), nil))
		},
	}
}
