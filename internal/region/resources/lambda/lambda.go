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

// onFunction is the input of an operation that names a function, with further
// members.
func onFunction(function string, members map[string]any) map[string]any {
	in := map[string]any{"FunctionName": function}
	maps.Copy(in, members)
	return in
}

// provision sets, changes or takes away the provisioned concurrency of a
// version or an alias, which in names.
func provision(ctx context.Context, e *cf.Env, in, have, want map[string]any) error {
	const property = "ProvisionedConcurrencyConfig"
	if cf.Same(have, want, property) {
		return nil
	}
	if !cf.Has(want, property) {
		return cf.Gone(e.Call(ctx, "lambda", "DeleteProvisionedConcurrencyConfig", in, nil))
	}
	in["ProvisionedConcurrentExecutions"] = cf.Int(cf.Child(want, property), "ProvisionedConcurrentExecutions", 0)
	return e.Call(ctx, "lambda", "PutProvisionedConcurrencyConfig", in, nil)
}

// provisioned is the property that provision serves.
func provisioned() cf.Property {
	return cf.Members(cf.Properties{"ProvisionedConcurrentExecutions": {Kind: cf.Integer, Required: true}})
}
