package lambda

import (
	"context"

	cf "github.com/seed-615d3599/roost/internal/region/resources"
)

func functionProperties() cf.Properties {
	const image = "container images are not run here; use a zip file"
	return cf.Properties{
		"Architectures":          cf.Strings(),
		"CapacityProviderConfig": cf.Refuse("functions run on this machine; leave it out"),
		"Code": cf.Members(cf.Properties{
			"ImageUri":            cf.Refuse(image),
			"S3Bucket":            {Kind: cf.String},
			"S3Key":               {Kind: cf.String},
			"S3ObjectStorageMode": {Kind: cf.String, Mode: cf.Recorded, Why: "code is always copied"},
			"S3ObjectVersion":     {Kind: cf.String},
			"SourceKMSKeyArn":     cf.Refuse("code is not decrypted here; upload it plain"),
			"ZipFile":             {Kind: cf.String},
		}).Must(),
		"CodeSigningConfigArn":  cf.Refuse("signatures of code are not verified here; leave it out, for example by a condition"),
		"DeadLetterConfig":      cf.Refuse("there are no queues or topics here; use AWS::Lambda::EventInvokeConfig with a function as OnFailure destination"),
		"Description":           {Kind: cf.String},
		"DurableConfig":         cf.Refuse("durable functions are not run here"),
		"Environment":           cf.Members(cf.Properties{"Variables": {Kind: cf.Map}}),
		"EphemeralStorage":      cf.Members(cf.Properties{"Size": {Kind: cf.Integer, Required: true}}),
		"FileSystemConfigs":     cf.Refuse("there are no EFS file systems here; use a folder of this machine in development"),
		"FunctionName":          {Kind: cf.String, Replace: true},
		"FunctionScalingConfig": cf.Refuse("functions run on this machine; leave it out"),
		"Handler":               {Kind: cf.String},
		"ImageConfig":           cf.Refuse(image),
		"KmsKeyArn":             cf.Refuse("there is no KMS here: environment variables are kept in the region's state file, which only its owner reads; leave it out, for example by a condition"),
		"Layers":                cf.Strings(),
		"LoggingConfig": cf.Members(cf.Properties{
			"ApplicationLogLevel": {Kind: cf.String, Enum: []string{"TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL"}},
			"LogFormat":           {Kind: cf.String, Enum: []string{"Text", "JSON"}},
			"LogGroup":            {Kind: cf.String},
			"SystemLogLevel":      {Kind: cf.String, Enum: []string{"DEBUG", "INFO", "WARN"}},
		}),
		"MemorySize":                   {Kind: cf.Integer},
		"PackageType":                  {Kind: cf.String, Replace: true, Enum: []string{"Zip"}, Why: image},
		"PublishToLatestPublished":     cf.Refuse("publish a version with AWS::Lambda::Version instead"),
		"RecursiveLoop":                {Kind: cf.String, Mode: cf.Recorded, Why: "loops of invocations are not detected"},
		"ReservedConcurrentExecutions": {Kind: cf.Integer},
		"Role":                         {Kind: cf.String, Required: true},
		"Runtime":                      {Kind: cf.String},
		"RuntimeManagementConfig":      cf.Record("the runtime is the one that this machine has"),
		"SnapStart":                    cf.Record("functions start without snapshots"),
		"Tags":                         cf.KeyValues(),
		"TenancyConfig":                cf.Refuse("environments are not isolated by tenant here"),
		"Timeout":                      {Kind: cf.Integer},
		"TracingConfig":                cf.Members(cf.Properties{"Mode": {Kind: cf.String, Enum: []string{"Active", "PassThrough"}}}),
		"VpcConfig":                    cf.Refuse("there are no VPCs here: functions run on this machine's network; leave it out, for example by a condition"),
	}
}

// settings are the properties that UpdateFunctionConfiguration can change.
func settings() []string {
	return []string{"Description", "Environment", "EphemeralStorage", "Handler", "Layers", "LoggingConfig", "MemorySize",
		"Role", "Runtime", "Timeout", "TracingConfig"}
}

func function() *cf.Type {
	return &cf.Type{
		Name: "AWS::Lambda::Function", Properties: functionProperties(),
		Attributes: []string{"Arn", "SnapStartResponse", "SnapStartResponse.ApplyOn", "SnapStartResponse.OptimizationStatus"},
		Create:     createFunction, Update: updateFunction,
		Delete: func(ctx context.Context, e *cf.Env, have cf.State) error {
			return cf.Gone(e.Call(ctx, "lambda", "DeleteFunction", onFunction(have.ID, nil), nil))
		},
	}
}

func createFunction(ctx context.Context, e *cf.Env, want map[string]any) (cf.State, error) {
	code, err := codeOf(want)
	if err != nil {
		return cf.State{}, err
	}
	name := e.OrName(cf.Text(want, "FunctionName"), 64)
	in := cf.Pick(want, append(settings(), "Architectures", "PackageType")...)
	in["Code"], in["Tags"] = code, e.WithStackTags(want["Tags"])
	var out struct{ FunctionArn string }
	if err := e.Call(ctx, "lambda", "CreateFunction", onFunction(name, in), &out); err != nil {
		return cf.State{}, err
	}
	state := cf.State{ID: name, Attributes: map[string]any{
		"Arn":               out.FunctionArn,
		"SnapStartResponse": map[string]any{"ApplyOn": "None", "OptimizationStatus": "Off"},
	}}
	return state, reserve(ctx, e, name, nil, want)
}

// updateFunction changes the configuration before the code: what code has to
// look like depends on the runtime.
func updateFunction(ctx context.Context, e *cf.Env, have cf.State, want map[string]any) (cf.State, error) {
	if !cf.Same(have.Properties, want, settings()...) {
		if err := e.Call(ctx, "lambda", "UpdateFunctionConfiguration", onFunction(have.ID, configuration(have.ID, want)), nil); err != nil {
			return have, err
		}
	}
	if !cf.Same(have.Properties, want, "Code", "Architectures") {
		in, err := codeOf(want)
		if err != nil {
			return have, err
		}
		in["Architectures"] = []string{"x86_64"}
		if architectures := cf.Texts(want, "Architectures"); len(architectures) > 0 {
			in["Architectures"] = architectures
		}
		if err := e.Call(ctx, "lambda", "UpdateFunctionCode", onFunction(have.ID, in), nil); err != nil {
			return have, err
		}
	}
	if err := reserve(ctx, e, have.ID, have.Properties, want); err != nil {
		return have, err
	}
	return have, retag(ctx, e, cf.Text(have.Attributes, "Arn"), have.Properties, want)
}

// configuration is a whole configuration: what the template does not say gets
// Lambda's default.
func configuration(name string, want map[string]any) map[string]any {
	in := map[string]any{
		"Description": "", "Environment": map[string]any{"Variables": map[string]any{}}, "EphemeralStorage": map[string]any{"Size": 512},
		"Layers": []any{}, "MemorySize": 128, "Timeout": 3, "TracingConfig": map[string]any{"Mode": "PassThrough"},
	}
	for member, value := range cf.Pick(want, settings()...) {
		in[member] = value
	}
	logging := map[string]any{"LogFormat": "Text", "LogGroup": "/aws/lambda/" + name}
	for member, value := range cf.Child(want, "LoggingConfig") {
		logging[member] = value
	}
	in["LoggingConfig"] = logging
	return in
}

// reserve sets, changes or takes away reserved concurrency.
func reserve(ctx context.Context, e *cf.Env, name string, have, want map[string]any) error {
	const property = "ReservedConcurrentExecutions"
	switch {
	case cf.Same(have, want, property):
		return nil
	case cf.Has(want, property):
		return e.Call(ctx, "lambda", "PutFunctionConcurrency", onFunction(name, cf.Pick(want, property)), nil)
	}
	return e.Call(ctx, "lambda", "DeleteFunctionConcurrency", onFunction(name, nil), nil)
}

func retag(ctx context.Context, e *cf.Env, arn string, have, want map[string]any) error {
	set, unset := cf.TagChanges(have["Tags"], want["Tags"])
	if len(set) > 0 {
		if err := e.Call(ctx, "lambda", "TagResource", map[string]any{"Resource": arn, "Tags": set}, nil); err != nil {
			return err
		}
	}
	if len(unset) > 0 {
		return e.Call(ctx, "lambda", "UntagResource", map[string]any{"Resource": arn, "TagKeys": unset}, nil)
	}
	return nil
}
