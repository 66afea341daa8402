package httpapi

import (
	"context"
	"reflect"
	"slices"
	"strings"

	"github.com/seed-615d3599/roost/internal/region/wire"
)

// Service returns the table of the API's operations. Their actions are API
// Gateway's: apigateway:POST and so on, on the path of the resource.
func (h *HTTPAPI) Service() *wire.Service {
	return &wire.Service{
		Name: "apigateway", Protocol: wire.RESTJSON, Version: "2018-11-29",
		Operations: slices.Concat(h.apiOperations(), h.partOperations(), h.stageOperations(), h.domainOperations(), h.refusedOperations()),
	}
}

// op describes an operation by its method, path and status.
func op[In, Out any](name, pattern string, status int, f func(context.Context, *wire.Call, *In) (*Out, error)) wire.Operation {
	method, path, _ := strings.Cut(pattern, " ")
	path, _, _ = strings.Cut(strings.TrimPrefix(path, "/v2"), "?")
	return wire.Op(name, f, wire.HTTP(pattern, status), wire.Action("apigateway:"+method),
		wire.On(func(c *wire.Call, in *In) string {
			return "arn:aws:apigateway:" + c.Region + "::" + fill(path, reflect.ValueOf(in).Elem())
		}))
}

// fill puts the members that travel in a path into it; "*" stands for one that the
// input does not have.
func fill(path string, in reflect.Value) string {
	values := map[string]string{}
	for _, f := range reflect.VisibleFields(in.Type()) {
		if name := f.Tag.Get("uri"); name != "" && f.Type.Kind() == reflect.String {
			values["{"+name+"}"] = in.FieldByIndex(f.Index).String()
		}
	}
	segments := strings.Split(path, "/")
	for i, s := range segments {
		if strings.HasPrefix(s, "{") {
			segments[i] = "*"
			if v, ok := values[strings.Replace(s, "+}", "}", 1)]; ok {
				segments[i] = v
			}
		}
	}
	return strings.Join(segments, "/")
}

const (
	pathAPIs    = "/v2/apis"
	pathAPI     = "/v2/apis/{apiId}"
	pathDomains = "/v2/domainnames"
	pathDomain  = "/v2/domainnames/{domainName}"
	pathTags    = "/v2/tags/{resource-arn+}"
)

func (h *HTTPAPI) apiOperations() []wire.Operation {
	return []wire.Operation{
		op("CreateApi", "POST "+pathAPIs, 201, h.createAPI),
		op("GetApi", "GET "+pathAPI, 200, h.getAPI),
		op("GetApis", "GET "+pathAPIs, 200, h.getAPIs),
		op("UpdateApi", "PATCH "+pathAPI, 200, h.updateAPI),
		op("DeleteApi", "DELETE "+pathAPI, 204, h.deleteAPI),
		op("DeleteCorsConfiguration", "DELETE "+pathAPI+"/cors", 204, h.deleteCORS),
		op("TagResource", "POST "+pathTags, 201, h.tagResource),
		op("UntagResource", "DELETE "+pathTags, 204, h.untagResource),
		op("GetTags", "GET "+pathTags, 200, h.getTags),
	}
}

func (h *HTTPAPI) partOperations() []wire.Operation {
	const (
		routes, route               = pathAPI + "/routes", pathAPI + "/routes/{routeId}"
		integrations, integration   = pathAPI + "/integrations", pathAPI + "/integrations/{integrationId}"
		authorizers, authorizerPath = pathAPI + "/authorizers", pathAPI + "/authorizers/{authorizerId}"
	)
	return []wire.Operation{
		op("CreateRoute", "POST "+routes, 201, h.createRoute),
		op("GetRoute", "GET "+route, 200, h.getRoute),
		op("GetRoutes", "GET "+routes, 200, h.getRoutes),
		op("UpdateRoute", "PATCH "+route, 200, h.updateRoute),
		op("DeleteRoute", "DELETE "+route, 204, h.deleteRoute),
		op("CreateIntegration", "POST "+integrations, 201, h.createIntegration),
		op("GetIntegration", "GET "+integration, 200, h.getIntegration),
		op("GetIntegrations", "GET "+integrations, 200, h.getIntegrations),
		op("UpdateIntegration", "PATCH "+integration, 200, h.updateIntegration),
		op("DeleteIntegration", "DELETE "+integration, 204, h.deleteIntegration),
		op("CreateAuthorizer", "POST "+authorizers, 201, h.createAuthorizer),
		op("GetAuthorizer", "GET "+authorizerPath, 200, h.getAuthorizer),
		op("GetAuthorizers", "GET "+authorizers, 200, h.getAuthorizers),
		op("UpdateAuthorizer", "PATCH "+authorizerPath, 200, h.updateAuthorizer),
		op("DeleteAuthorizer", "DELETE "+authorizerPath, 204, h.deleteAuthorizer),
	}
}

func (h *HTTPAPI) stageOperations() []wire.Operation {
	const (
		stages, stage           = pathAPI + "/stages", pathAPI + "/stages/{stageName}"
		deployments, deployment = pathAPI + "/deployments", pathAPI + "/deployments/{deploymentId}"
	)
	return []wire.Operation{
		op("CreateStage", "POST "+stages, 201, h.createStage),
		op("GetStage", "GET "+stage, 200, h.getStage),
		op("GetStages", "GET "+stages, 200, h.getStages),
		op("UpdateStage", "PATCH "+stage, 200, h.updateStage),
		op("DeleteStage", "DELETE "+stage, 204, h.deleteStage),
		op("DeleteAccessLogSettings", "DELETE "+stage+"/accesslogsettings", 204, h.deleteAccessLog),
		op("DeleteRouteSettings", "DELETE "+stage+"/routesettings/{routeKey}", 204, h.deleteRouteSettings),
		op("ResetAuthorizersCache", "DELETE "+stage+"/cache/authorizers", 204, h.resetCache),
		op("CreateDeployment", "POST "+deployments, 201, h.createDeployment),
		op("GetDeployment", "GET "+deployment, 200, h.getDeployment),
		op("GetDeployments", "GET "+deployments, 200, h.getDeployments),
		op("UpdateDeployment", "PATCH "+deployment, 200, h.updateDeployment),
		op("DeleteDeployment", "DELETE "+deployment, 204, h.deleteDeployment),
	}
}

func (h *HTTPAPI) domainOperations() []wire.Operation {
	const mappings, mapping = pathDomain + "/apimappings", pathDomain + "/apimappings/{apiMappingId}"
	return []wire.Operation{
		op("CreateDomainName", "POST "+pathDomains, 201, h.createDomain),
		op("GetDomainName", "GET "+pathDomain, 200, h.getDomain),
		op("GetDomainNames", "GET "+pathDomains, 200, h.getDomains),
		op("UpdateDomainName", "PATCH "+pathDomain, 200, h.updateDomain),
		op("DeleteDomainName", "DELETE "+pathDomain, 204, h.deleteDomain),
		op("CreateApiMapping", "POST "+mappings, 201, h.createMapping),
		op("GetApiMapping", "GET "+mapping, 200, h.getMapping),
		op("GetApiMappings", "GET "+mappings, 200, h.getMappings),
		op("UpdateApiMapping", "PATCH "+mapping, 200, h.updateMapping),
		op("DeleteApiMapping", "DELETE "+mapping, 204, h.deleteMapping),
	}
}

// refused is the input of an operation that is refused whatever it says.
type refused struct {
	Body []byte `json:"body" payload:"true"`
}

// refusedOperations say by name what is not supported.
func (h *HTTPAPI) refusedOperations() []wire.Operation {
	const (
		openAPI   = "importing and exporting OpenAPI is not supported here: describe the API in a template"
		models    = "models are for WebSocket APIs only, which are not supported here"
		responses = "route and integration responses are for WebSocket APIs only, which are not supported here"
		vpc       = "VPC links are not supported here"
		rules     = "routing rules are not supported here: use API mappings"
		portals   = "portals are not supported here"
	)
	table := []struct{ name, pattern, why string }{
		{"ImportApi", "PUT " + pathAPIs, openAPI},
		{"ReimportApi", "PUT " + pathAPI, openAPI},
		{"ExportApi", "GET " + pathAPI + "/exports/{specification}", openAPI},
		{"CreateModel", "POST " + pathAPI + "/models", models},
		{"GetModels", "GET " + pathAPI + "/models", models},
		{"CreateRouteResponse", "POST " + pathAPI + "/routes/{routeId}/routeresponses", responses},
		{"GetRouteResponses", "GET " + pathAPI + "/routes/{routeId}/routeresponses", responses},
		{"DeleteRouteRequestParameter", "DELETE " + pathAPI + "/routes/{routeId}/requestparameters/{requestParameterKey}", responses},
		{"CreateIntegrationResponse", "POST " + pathAPI + "/integrations/{integrationId}/integrationresponses", responses},
		{"GetIntegrationResponses", "GET " + pathAPI + "/integrations/{integrationId}/integrationresponses", responses},
		{"CreateVpcLink", "POST /v2/vpclinks", vpc},
		{"GetVpcLinks", "GET /v2/vpclinks", vpc},
		{"CreateRoutingRule", "POST " + pathDomain + "/routingrules", rules},
		{"ListRoutingRules", "GET " + pathDomain + "/routingrules", rules},
		{"CreatePortal", "POST /v2/portals", portals},
		{"ListPortals", "GET /v2/portals", portals},
		{"CreatePortalProduct", "POST /v2/portalproducts", portals},
		{"ListPortalProducts", "GET /v2/portalproducts", portals},
	}
	var ops []wire.Operation
	for _, t := range table {
		ops = append(ops, op(t.name, t.pattern, 200, func(context.Context, *wire.Call, *refused) (*none, error) {
			return nil, badRequest("%s: %s", t.name, t.why)
		}))
	}
	return ops
}
