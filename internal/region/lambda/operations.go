package lambda

import (
	"context"
	"strconv"
	"strings"

	"github.com/seed-615d3599/roost/internal/region/wire"
)

// targeter is an input that names a function.
type targeter[T any] interface {
	*T
	target() (name, qualifier string)
}

// onFunction declares that an operation acts on the function that its input
// names.
func onFunction[T any, P targeter[T]](l *Lambda) wire.Option {
	return wire.On(func(_ *wire.Call, in *T) string {
		name, qualifier, err := l.resolve(P(in).target())
		if err != nil {
			return l.arn("*", "") // the operation itself refuses the name
		}
		return l.arn(name, qualifier)
	})
}

// invoking declares what a call of a function needs: the caller's policies and
// the function's own are asked.
func invoking(l *Lambda) wire.Option {
	return wire.Targets(func(_ *wire.Call, in *invokeInput) []wire.Target {
		name, qualifier, err := l.resolve(in.FunctionName, in.Qualifier)
		if err != nil {
			name, qualifier = "*", ""
		}
		return []wire.Target{{Action: "lambda:InvokeFunction", Resource: l.arn(name, qualifier), Policy: l.policyText(name, qualifier)}}
	})
}

// creating also asks whether the caller may pass the role to Lambda.
func creating(l *Lambda) wire.Option {
	return wire.Targets(func(_ *wire.Call, in *createFunctionInput) []wire.Target {
		name, _, err := l.resolve(in.FunctionName, "")
		if err != nil {
			name = "*"
		}
		return append([]wire.Target{{Resource: l.arn(name, "")}}, passRole(in.Role)...)
	})
}

func reconfiguring(l *Lambda) wire.Option {
	return wire.Targets(func(_ *wire.Call, in *updateFunctionConfigurationInput) []wire.Target {
		name, _, err := l.resolve(in.FunctionName, "")
		if err != nil {
			name = "*"
		}
		return append([]wire.Target{{Resource: l.arn(name, "")}}, passRole(in.Role)...)
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

// operations is the table of the service: every operation with its method,
// path, status and resource.
func (l *Lambda) operations() *wire.Service {
	return &wire.Service{Name: "lambda", Protocol: wire.RESTJSON, Operations: concat(
		l.functionOperations(), l.aliasOperations(), l.concurrencyOperations(), l.urlOperations(), l.layerOperations(), l.refusedOperations())}
}

func concat(lists ...[]wire.Operation) (all []wire.Operation) {
	for _, list := range lists {
		all = append(all, list...)
	}
	return all
}

func (l *Lambda) functionOperations() []wire.Operation {
	const base = "/2015-03-31/functions"
	one := base + "/{FunctionName}"
	return []wire.Operation{
		wire.Op("CreateFunction", l.createFunction, wire.HTTP("POST "+base, 201), creating(l)),
		wire.Op("GetFunction", l.getFunction, wire.HTTP("GET "+one, 200), onFunction[ref](l)),
		wire.Op("GetFunctionConfiguration", l.getFunctionConfiguration, wire.HTTP("GET "+one+"/configuration", 200), onFunction[ref](l)),
		wire.Op("UpdateFunctionCode", l.updateFunctionCode, wire.HTTP("PUT "+one+"/code", 200), onFunction[updateFunctionCodeInput](l)),
		wire.Op("UpdateFunctionConfiguration", l.updateFunctionConfiguration, wire.HTTP("PUT "+one+"/configuration", 200), reconfiguring(l)),
		wire.Op("DeleteFunction", l.deleteFunction, wire.HTTP("DELETE "+one, 204), onFunction[ref](l)),
		wire.Op("ListFunctions", l.listFunctions, wire.HTTP("GET "+base, 200)),
		wire.Op("PublishVersion", l.publishVersionOp, wire.HTTP("POST "+one+"/versions", 201), onFunction[publishVersionInput](l)),
		wire.Op("ListVersionsByFunction", l.listVersions, wire.HTTP("GET "+one+"/versions", 200), onFunction[listByFunctionInput](l)),
		wire.Op("Invoke", l.invokeOp, wire.HTTP("POST "+one+"/invocations", 200), invoking(l)),
		wire.Op("InvokeWithResponseStream", l.invokeStreamOp, wire.HTTP("POST /2021-11-15/functions/{FunctionName}/response-streaming-invocations", 200), invoking(l)),
		wire.Op("AddPermission", l.addPermission, wire.HTTP("POST "+one+"/policy", 201), onFunction[addPermissionInput](l)),
		wire.Op("RemovePermission", l.removePermission, wire.HTTP("DELETE "+one+"/policy/{StatementId}", 204), onFunction[removePermissionInput](l)),
		wire.Op("GetPolicy", l.getPolicy, wire.HTTP("GET "+one+"/policy", 200), onFunction[ref](l)),
		wire.Op("TagResource", l.tagResource, wire.HTTP("POST /2017-03-31/tags/{Resource}", 204), onResource(func(in *tagInput) string { return in.Resource })),
		wire.Op("UntagResource", l.untagResource, wire.HTTP("DELETE /2017-03-31/tags/{Resource}", 204), onResource(func(in *untagInput) string { return in.Resource })),
		wire.Op("ListTags", l.listTags, wire.HTTP("GET /2017-03-31/tags/{Resource}", 200), onResource(func(in *listTagsInput) string { return in.Resource })),
		wire.Op("GetAccountSettings", l.accountSettings, wire.HTTP("GET /2016-08-19/account-settings", 200)),
	}
}

func (l *Lambda) aliasOperations() []wire.Operation {
	const base = "/2015-03-31/functions/{FunctionName}/aliases"
	return []wire.Operation{
		wire.Op("CreateAlias", l.createAlias, wire.HTTP("POST "+base, 201), onFunction[createAliasInput](l)),
		wire.Op("GetAlias", l.getAlias, wire.HTTP("GET "+base+"/{Name}", 200), onFunction[aliasRef](l)),
		wire.Op("UpdateAlias", l.updateAlias, wire.HTTP("PUT "+base+"/{Name}", 200), onFunction[updateAliasInput](l)),
		wire.Op("DeleteAlias", l.deleteAlias, wire.HTTP("DELETE "+base+"/{Name}", 204), onFunction[aliasRef](l)),
		wire.Op("ListAliases", l.listAliases, wire.HTTP("GET "+base, 200), onFunction[listAliasesInput](l)),
	}
}

func (l *Lambda) concurrencyOperations() []wire.Operation {
	const (
		reserved    = "/2017-10-31/functions/{FunctionName}/concurrency"
		provisioned = "/2019-09-30/functions/{FunctionName}/provisioned-concurrency"
		events      = "/2019-09-25/functions/{FunctionName}/event-invoke-config"
	)
	return []wire.Operation{
		wire.Op("PutFunctionConcurrency", l.putConcurrency, wire.HTTP("PUT "+reserved, 200), onFunction[putConcurrencyInput](l)),
		wire.Op("GetFunctionConcurrency", l.getConcurrency, wire.HTTP("GET /2019-09-30/functions/{FunctionName}/concurrency", 200), onFunction[nameRef](l)),
		wire.Op("DeleteFunctionConcurrency", l.deleteConcurrency, wire.HTTP("DELETE "+reserved, 204), onFunction[nameRef](l)),
		wire.Op("PutProvisionedConcurrencyConfig", l.putProvisioned, wire.HTTP("PUT "+provisioned, 202), onFunction[putProvisionedInput](l)),
		wire.Op("GetProvisionedConcurrencyConfig", l.getProvisioned, wire.HTTP("GET "+provisioned, 200), onFunction[ref](l)),
		wire.Op("DeleteProvisionedConcurrencyConfig", l.deleteProvisioned, wire.HTTP("DELETE "+provisioned, 204), onFunction[ref](l)),
		wire.Op("ListProvisionedConcurrencyConfigs", l.listProvisioned, wire.HTTP("GET "+provisioned+"?List=ALL", 200), onFunction[listByFunctionInput](l)),
		wire.Op("PutFunctionEventInvokeConfig", l.putEventInvoke, wire.HTTP("PUT "+events, 200), onFunction[putEventInvokeInput](l)),
		wire.Op("UpdateFunctionEventInvokeConfig", l.updateEventInvoke, wire.HTTP("POST "+events, 200), onFunction[putEventInvokeInput](l)),
		wire.Op("GetFunctionEventInvokeConfig", l.getEventInvoke, wire.HTTP("GET "+events, 200), onFunction[ref](l)),
		wire.Op("DeleteFunctionEventInvokeConfig", l.deleteEventInvoke, wire.HTTP("DELETE "+events, 204), onFunction[ref](l)),
		wire.Op("ListFunctionEventInvokeConfigs", l.listEventInvoke, wire.HTTP("GET "+events+"/list", 200), onFunction[listByFunctionInput](l)),
	}
}

func (l *Lambda) urlOperations() []wire.Operation {
	const one = "/2021-10-31/functions/{FunctionName}/url"
	return []wire.Operation{
		wire.Op("CreateFunctionUrlConfig", l.createURL, wire.HTTP("POST "+one, 201), onFunction[createURLInput](l)),
		wire.Op("GetFunctionUrlConfig", l.getURL, wire.HTTP("GET "+one, 200), onFunction[ref](l)),
		wire.Op("UpdateFunctionUrlConfig", l.updateURL, wire.HTTP("PUT "+one, 200), onFunction[updateURLInput](l)),
		wire.Op("DeleteFunctionUrlConfig", l.deleteURL, wire.HTTP("DELETE "+one, 204), onFunction[ref](l)),
		wire.Op("ListFunctionUrlConfigs", l.listURLs, wire.HTTP("GET "+one+"s", 200), onFunction[listByFunctionInput](l)),
	}
}

func (l *Lambda) layerOperations() []wire.Operation {
	const (
		base     = "/2018-10-31/layers"
		versions = base + "/{LayerName}/versions"
	)
	arn := func(name string) string { return l.layerARN(strings.TrimPrefix(name, l.layerARN(""))) }
	onVersion := wire.On(func(_ *wire.Call, in *layerVersionRef) string {
		return arn(in.LayerName) + ":" + strconv.FormatInt(in.VersionNumber, 10)
	})
	return []wire.Operation{
		wire.Op("PublishLayerVersion", l.publishLayer, wire.HTTP("POST "+versions, 201), onResource(func(in *publishLayerInput) string { return arn(in.LayerName) })),
		wire.Op("GetLayerVersion", l.getLayer, wire.HTTP("GET "+versions+"/{VersionNumber}", 200), onVersion),
		wire.Op("GetLayerVersionByArn", l.getLayerByARN, wire.HTTP("GET "+base+"?find=LayerVersion", 200), wire.Action("lambda:GetLayerVersion"), onResource(func(in *layerByARNInput) string { return in.Arn })),
		wire.Op("DeleteLayerVersion", l.deleteLayer, wire.HTTP("DELETE "+versions+"/{VersionNumber}", 204), onVersion),
		wire.Op("ListLayers", l.listLayers, wire.HTTP("GET "+base, 200)),
		wire.Op("ListLayerVersions", l.listLayerVersions, wire.HTTP("GET "+versions, 200)),
	}
}

// refusedOperations answer by saying what is not supported, where a tool is
// known to ask.
func (l *Lambda) refusedOperations() []wire.Operation {
	return []wire.Operation{
		wire.Op("GetFunctionCodeSigningConfig", l.codeSigning, wire.HTTP("GET /2020-06-30/functions/{FunctionName}/code-signing-config", 200), onFunction[nameRef](l)),
		wire.Op("PutFunctionCodeSigningConfig", l.refuseCodeSigning, wire.HTTP("PUT /2020-06-30/functions/{FunctionName}/code-signing-config", 200), onFunction[codeSigningInput](l)),
	}
}

type codeSigningInput struct {
	nameRef
	CodeSigningConfigArn string
}

type codeSigningOutput struct {
	CodeSigningConfigArn string `json:",omitempty"`
	FunctionName         string
}

// codeSigning says that a function has no code signing config.
func (l *Lambda) codeSigning(ctx context.Context, _ *wire.Call, in *nameRef) (*codeSigningOutput, error) {
	name, _, err := l.resolve(in.FunctionName, "")
	if err != nil {
		return nil, err
	}
	_, err = l.read(ctx, name)
	return &codeSigningOutput{FunctionName: name}, err
}

func (l *Lambda) refuseCodeSigning(context.Context, *wire.Call, *codeSigningInput) (*codeSigningOutput, error) {
	return nil, invalid("code signing configs are not supported here")
}
