package lambda

import (
	"encoding/json"

	"github.com/seed-615d3599/roost/internal/region/lambda/callers"
	"github.com/seed-615d3599/roost/internal/region/lambda/functions"
	"github.com/seed-615d3599/roost/internal/region/lambda/layers"
	"github.com/seed-615d3599/roost/internal/region/wire"
)

// operations is the table of the service: every operation with its method,
// path, status and resource. Each room below has its part.
func (l *Lambda) operations() *wire.Service {
	docs := l.docs
	layered := &layers.Layers{Documents: docs, Archives: layers.Archives{Code: l.code, Objects: l.config.Objects}, Location: l.downloads.Location}
	kept := &functions.Functions{Documents: docs, Layers: layered, Runtimes: l.runtimes, Location: l.downloads.Location, Warn: l.warnOnce}
	called := &callers.Callers{Documents: docs, URLs: l}
	var all []wire.Operation
	for _, part := range [][]wire.Operation{kept.Operations(), called.Operations(), layered.Operations(), l.invokeOperations()} {
		all = append(all, part...)
	}
	return &wire.Service{Name: "lambda", Protocol: wire.RESTJSON, Operations: all}
}

func (l *Lambda) invokeOperations() []wire.Operation {
	return []wire.Operation{
		wire.Op("Invoke", l.invokeOp, wire.HTTP("POST /2015-03-31/functions/{FunctionName}/invocations", 200), l.invoking()),
		wire.Op("InvokeWithResponseStream", l.invokeStreamOp, wire.HTTP("POST /2021-11-15/functions/{FunctionName}/response-streaming-invocations", 200), l.invoking()),
	}
}

// invoking declares what a call of a function needs: the caller's policies and
// the function's own are asked.
func (l *Lambda) invoking() wire.Option {
	return wire.Targets(func(_ *wire.Call, in *invokeInput) []wire.Target {
		name, qualifier, err := l.Resolve(in.FunctionName, in.Qualifier)
		if err != nil {
			name, qualifier = "*", ""
		}
		return []wire.Target{{Action: "lambda:InvokeFunction", Resource: l.ARN(name, qualifier), Policy: l.policyText(name, qualifier)}}
	})
}

// policyText is the resource policy that has a say in a call of the function,
// or empty.
func (l *Lambda) policyText(name, qualifier string) string {
	e := l.snapshot.Load().functions[name]
	if e == nil {
		return ""
	}
	p, ok := e.function.Policies[qualifier]
	if !ok {
		return ""
	}
	text, err := json.Marshal(p.Document())
	if err != nil {
		return ""
	}
	return string(text)
}
