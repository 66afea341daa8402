package callers

import (
	"github.com/seed-615d3599/roost/internal/region/lambda/model"
	"github.com/seed-615d3599/roost/internal/region/wire"
)

// Operations is the callers' part of the table of operations.
func (l *Callers) Operations() []wire.Operation {
	return append(append(l.permissionOperations(), l.concurrencyOperations()...), l.urlOperations()...)
}

func (l *Callers) permissionOperations() []wire.Operation {
	const one = "/2015-03-31/functions/{FunctionName}"
	return []wire.Operation{
		wire.Op("AddPermission", l.addPermission, wire.HTTP("POST "+one+"/policy", 201), model.OnFunction[addPermissionInput](l.Names)),
		wire.Op("RemovePermission", l.removePermission, wire.HTTP("DELETE "+one+"/policy/{StatementId}", 204), model.OnFunction[removePermissionInput](l.Names)),
		wire.Op("GetPolicy", l.getPolicy, wire.HTTP("GET "+one+"/policy", 200), model.OnFunction[model.Ref](l.Names)),
		wire.Op("GetAccountSettings", l.accountSettings, wire.HTTP("GET /2016-08-19/account-settings", 200)),
	}
}

func (l *Callers) concurrencyOperations() []wire.Operation {
	const (
		reserved    = "/2017-10-31/functions/{FunctionName}/concurrency"
		provisioned = "/2019-09-30/functions/{FunctionName}/provisioned-concurrency"
		events      = "/2019-09-25/functions/{FunctionName}/event-invoke-config"
	)
	return []wire.Operation{
		wire.Op("PutFunctionConcurrency", l.putConcurrency, wire.HTTP("PUT "+reserved, 200), model.OnFunction[putConcurrencyInput](l.Names)),
		wire.Op("GetFunctionConcurrency", l.getConcurrency, wire.HTTP("GET /2019-09-30/functions/{FunctionName}/concurrency", 200), model.OnFunction[model.NameRef](l.Names)),
		wire.Op("DeleteFunctionConcurrency", l.deleteConcurrency, wire.HTTP("DELETE "+reserved, 204), model.OnFunction[model.NameRef](l.Names)),
		wire.Op("PutProvisionedConcurrencyConfig", l.putProvisioned, wire.HTTP("PUT "+provisioned, 202), model.OnFunction[putProvisionedInput](l.Names)),
		wire.Op("GetProvisionedConcurrencyConfig", l.getProvisioned, wire.HTTP("GET "+provisioned, 200), model.OnFunction[model.Ref](l.Names)),
		wire.Op("DeleteProvisionedConcurrencyConfig", l.deleteProvisioned, wire.HTTP("DELETE "+provisioned, 204), model.OnFunction[model.Ref](l.Names)),
		wire.Op("ListProvisionedConcurrencyConfigs", l.listProvisioned, wire.HTTP("GET "+provisioned+"?List=ALL", 200), model.OnFunction[model.ListInput](l.Names)),
		wire.Op("PutFunctionEventInvokeConfig", l.putEventInvoke, wire.HTTP("PUT "+events, 200), model.OnFunction[putEventInvokeInput](l.Names)),
		wire.Op("UpdateFunctionEventInvokeConfig", l.updateEventInvoke, wire.HTTP("POST "+events, 200), model.OnFunction[putEventInvokeInput](l.Names)),
		wire.Op("GetFunctionEventInvokeConfig", l.getEventInvoke, wire.HTTP("GET "+events, 200), model.OnFunction[model.Ref](l.Names)),
		wire.Op("DeleteFunctionEventInvokeConfig", l.deleteEventInvoke, wire.HTTP("DELETE "+events, 204), model.OnFunction[model.Ref](l.Names)),
		wire.Op("ListFunctionEventInvokeConfigs", l.listEventInvoke, wire.HTTP("GET "+events+"/list", 200), model.OnFunction[model.ListInput](l.Names)),
	}
}

func (l *Callers) urlOperations() []wire.Operation {
	const one = "/2021-10-31/functions/{FunctionName}/url"
	return []wire.Operation{
		wire.Op("CreateFunctionUrlConfig", l.createURL, wire.HTTP("POST "+one, 201), model.OnFunction[createURLInput](l.Names)),
		wire.Op("GetFunctionUrlConfig", l.getURL, wire.HTTP("GET "+one, 200), model.OnFunction[model.Ref](l.Names)),
		wire.Op("UpdateFunctionUrlConfig", l.updateURL, wire.HTTP("PUT "+one, 200), model.OnFunction[updateURLInput](l.Names)),
		wire.Op("DeleteFunctionUrlConfig", l.deleteURL, wire.HTTP("DELETE "+one, 204), model.OnFunction[model.Ref](l.Names)),
		wire.Op("ListFunctionUrlConfigs", l.listURLs, wire.HTTP("GET "+one+"s", 200), model.OnFunction[model.ListInput](l.Names)),
	}
}
