package functions

import (
	"context"

	"github.com/seed-615d3599/roost/internal/region/lambda/model"
	"github.com/seed-615d3599/roost/internal/region/wire"
)

// Operations is the functions' part of the table of operations.
func (l *Functions) Operations() []wire.Operation {
	return append(append(l.functionOperations(), l.aliasOperations()...), l.refusedOperations()...)
}

func (l *Functions) functionOperations() []wire.Operation {
	const base = "/2015-03-31/functions"
	one := base + "/{FunctionName}"
	return []wire.Operation{
		wire.Op("CreateFunction", l.createFunction, wire.HTTP("POST "+base, 201), l.creating()),
		wire.Op("GetFunction", l.getFunction, wire.HTTP("GET "+one, 200), model.OnFunction[model.Ref](l.Names)),
		wire.Op("GetFunctionConfiguration", l.getFunctionConfiguration, wire.HTTP("GET "+one+"/configuration", 200), model.OnFunction[model.Ref](l.Names)),
		wire.Op("UpdateFunctionCode", l.updateFunctionCode, wire.HTTP("PUT "+one+"/code", 200), model.OnFunction[updateFunctionCodeInput](l.Names)),
		wire.Op("UpdateFunctionConfiguration", l.updateFunctionConfiguration, wire.HTTP("PUT "+one+"/configuration", 200), l.reconfiguring()),
		wire.Op("DeleteFunction", l.deleteFunction, wire.HTTP("DELETE "+one, 204), model.OnFunction[model.Ref](l.Names)),
		wire.Op("ListFunctions", l.listFunctions, wire.HTTP("GET "+base, 200)),
		wire.Op("PublishVersion", l.publishVersionOp, wire.HTTP("POST "+one+"/versions", 201), model.OnFunction[publishVersionInput](l.Names)),
		wire.Op("ListVersionsByFunction", l.listVersions, wire.HTTP("GET "+one+"/versions", 200), model.OnFunction[model.ListInput](l.Names)),
		wire.Op("TagResource", l.tagResource, wire.HTTP("POST /2017-03-31/tags/{Resource}", 204), onResource(func(in *tagInput) string { return in.Resource })),
		wire.Op("UntagResource", l.untagResource, wire.HTTP("DELETE /2017-03-31/tags/{Resource}", 204), onResource(func(in *untagInput) string { return in.Resource })),
		wire.Op("ListTags", l.listTags, wire.HTTP("GET /2017-03-31/tags/{Resource}", 200), onResource(func(in *listTagsInput) string { return in.Resource })),
	}
}

func (l *Functions) aliasOperations() []wire.Operation {
	const base = "/2015-03-31/functions/{FunctionName}/aliases"
	return []wire.Operation{
		wire.Op("CreateAlias", l.createAlias, wire.HTTP("POST "+base, 201), model.OnFunction[createAliasInput](l.Names)),
		wire.Op("GetAlias", l.getAlias, wire.HTTP("GET "+base+"/{Name}", 200), model.OnFunction[aliasRef](l.Names)),
		wire.Op("UpdateAlias", l.updateAlias, wire.HTTP("PUT "+base+"/{Name}", 200), model.OnFunction[updateAliasInput](l.Names)),
		wire.Op("DeleteAlias", l.deleteAlias, wire.HTTP("DELETE "+base+"/{Name}", 204), model.OnFunction[aliasRef](l.Names)),
		wire.Op("ListAliases", l.listAliases, wire.HTTP("GET "+base, 200), model.OnFunction[listAliasesInput](l.Names)),
	}
}

// creating also asks whether the caller may pass the role to Lambda.
func (l *Functions) creating() wire.Option {
	return wire.Targets(func(_ *wire.Call, in *createFunctionInput) []wire.Target {
		name, _, err := l.Resolve(in.FunctionName, "")
		if err != nil {
			name = "*"
		}
		return append([]wire.Target{{Resource: l.ARN(name, "")}}, passRole(in.Role)...)
	})
}

func (l *Functions) reconfiguring() wire.Option {
	return wire.Targets(func(_ *wire.Call, in *updateFunctionConfigurationInput) []wire.Target {
		name, _, err := l.Resolve(in.FunctionName, "")
		if err != nil {
			name = "*"
		}
		return append([]wire.Target{{Resource: l.ARN(name, "")}}, passRole(in.Role)...)
	})
}

func passRole(role string) []wire.Target {
	if role == "" {
		return nil
	}
	return []wire.Target{{Action: "iam:PassRole", Resource: role, Context: map[string][]string{"iam:PassedToService": {"lambda.amazonaws.com"}}}}
}

func onResource[T any](arn func(*T) string) wire.Option {
	return wire.On(func(_ *wire.Call, in *T) string { return arn(in) })
}

// refusedOperations answer by saying what is not supported, where a tool is
// known to ask.
func (l *Functions) refusedOperations() []wire.Operation {
	return []wire.Operation{
		wire.Op("GetFunctionCodeSigningConfig", l.codeSigning, wire.HTTP("GET /2020-06-30/functions/{FunctionName}/code-signing-config", 200), model.OnFunction[model.NameRef](l.Names)),
		wire.Op("PutFunctionCodeSigningConfig", l.refuseCodeSigning, wire.HTTP("PUT /2020-06-30/functions/{FunctionName}/code-signing-config", 200), model.OnFunction[codeSigningInput](l.Names)),
	}
}

type codeSigningInput struct {
	model.NameRef
	CodeSigningConfigArn string
}

type codeSigningOutput struct {
	CodeSigningConfigArn string `json:",omitempty"`
	FunctionName         string
}

// codeSigning says that a function has no code signing config.
func (l *Functions) codeSigning(ctx context.Context, _ *wire.Call, in *model.NameRef) (*codeSigningOutput, error) {
	name, _, err := l.Resolve(in.FunctionName, "")
	if err != nil {
		return nil, err
	}
	_, err = l.Read(ctx, name)
	return &codeSigningOutput{FunctionName: name}, err
}

func (l *Functions) refuseCodeSigning(context.Context, *wire.Call, *codeSigningInput) (*codeSigningOutput, error) {
	return nil, model.Invalid("code signing configs are not supported here")
}
