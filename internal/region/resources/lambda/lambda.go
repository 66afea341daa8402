// Package lambda holds CloudFormation's resource types of AWS Lambda.
package lambda

import (
	"context"
	"maps"

	cf "github.com/seed-615d3599/roost/internal/region/resources"
)

// Types returns the types of AWS::Lambda.
func Types() []*cf.Type {
	return []*cf.Type{
		function(), permission(), version(), alias(), url(), layerVersion(), layerVersionPermission(), eventInvokeConfig(),
		cf.RefusedType("AWS::Lambda::EventSourceMapping", "there are no queues, streams or topics here to read from; invoke the function by its API, or keep the mapping out of this stage by a condition"),
		cf.RefusedType("AWS::Lambda::CodeSigningConfig", "signatures of code are not verified here; keep it out of this stage by a condition"),
		cf.RefusedType("AWS::Lambda::CapacityProvider", "functions run on this machine; keep it out of this stage by a condition"),
	}
}

// call calls an operation that names a function, with further members.
func call(ctx context.Context, e *cf.Env, operation, function string, members map[string]any, out any) error {
	in := map[string]any{"FunctionName": function}
	maps.Copy(in, members)
	return e.Call(ctx, "lambda", operation, in, out)
}

// provision sets, changes or takes away the provisioned concurrency of a
// version or an alias.
func provision(ctx context.Context, e *cf.Env, function, qualifier string, have, want map[string]any) error {
	const property = "ProvisionedConcurrencyConfig"
	if cf.Same(have, want, property) {
		return nil
	}
	in := map[string]any{"Qualifier": qualifier}
	if !cf.Has(want, property) {
		return cf.Gone(call(ctx, e, "DeleteProvisionedConcurrencyConfig", function, in, nil))
	}
	in["ProvisionedConcurrentExecutions"] = cf.Int(cf.Child(want, property), "ProvisionedConcurrentExecutions", 0)
	return call(ctx, e, "PutProvisionedConcurrencyConfig", function, in, nil)
}

// provisioned is the property that provision serves.
func provisioned() cf.Property {
	return cf.Members(cf.Properties{"ProvisionedConcurrentExecutions": {Kind: cf.Integer, Required: true}})
}
