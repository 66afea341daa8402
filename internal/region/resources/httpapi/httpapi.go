// Package httpapi holds CloudFormation's resource types of Amazon API Gateway's
// HTTP APIs (AWS::ApiGatewayV2).
//
// Properties have the names of the service's members, which are matched
// without regard to case: they are handed on as the template has them.
package httpapi

import (
	"context"
	"maps"
	"strings"

	cf "github.com/seed-615d3599/roost/internal/region/resources"
)

// service is the name under which the engine knows the control plane.
const service = "apigateway"

// Types returns the types of AWS::ApiGatewayV2.
func Types() []*cf.Type {
	const webSocket = "it is for WebSocket APIs, which are not served here; use an HTTP API"
	return []*cf.Type{
		api(), stage(), route(), integration(), authorizer(), deployment(), domainName(), apiMapping(),
		cf.RefusedType("AWS::ApiGatewayV2::Model", webSocket),
		cf.RefusedType("AWS::ApiGatewayV2::RouteResponse", webSocket),
		cf.RefusedType("AWS::ApiGatewayV2::IntegrationResponse", webSocket),
		cf.RefusedType("AWS::ApiGatewayV2::VpcLink", "there are no VPCs here; use an HTTP_PROXY integration with a URL that this machine reaches"),
		cf.RefusedType("AWS::ApiGatewayV2::RoutingRule", "use AWS::ApiGatewayV2::ApiMapping"),
		cf.RefusedType("AWS::ApiGatewayV2::ApiGatewayManagedOverrides", "describe the route, integration and stage as resources of their own instead of by the API's Target"),
	}
}

// A part is a resource that belongs to an API and has an id of its own.
type part struct {
	name  string   // "Route", as operations and members have it
	names []string // the properties that are handed on
	table cf.Properties
}

// create makes a part of an API.
func (p part) create(ctx context.Context, e *cf.Env, want map[string]any, in map[string]any) (cf.State, error) {
	in["ApiId"] = cf.Text(want, "ApiId")
	out := map[string]any{}
	if err := e.Call(ctx, service, "Create"+p.name, in, &out); err != nil {
		return cf.State{}, err
	}
	id := cf.Text(out, p.outID())
	return cf.State{ID: id, Attributes: map[string]any{p.idName(): id}}, nil
}

func (p part) idName() string { return p.name + "Id" }

// outID is the id's name in answers: "routeId".
func (p part) outID() string { return strings.ToLower(p.name[:1]) + p.name[1:] + "Id" }

// update changes a part in place, if there is anything to change.
func (p part) update(ctx context.Context, e *cf.Env, have cf.State, in map[string]any) (cf.State, error) {
	if len(in) == 0 {
		return have, nil
	}
	in["ApiId"], in[p.idName()] = cf.Text(have.Properties, "ApiId"), have.ID
	return have, e.Call(ctx, service, "Update"+p.name, in, nil)
}

func (p part) delete(ctx context.Context, e *cf.Env, have cf.State) error {
	in := map[string]any{"ApiId": cf.Text(have.Properties, "ApiId"), p.idName(): have.ID}
	return cf.Gone(e.Call(ctx, service, "Delete"+p.name, in, nil))
}

// kind makes the type of a part whose members are all handed on as they are.
func (p part) kind() *cf.Type {
	return &cf.Type{
		Name: "AWS::ApiGatewayV2::" + p.name, Properties: p.table, Attributes: []string{p.idName()},
		Create: func(ctx context.Context, e *cf.Env, want map[string]any) (cf.State, error) {
			return p.create(ctx, e, want, cf.Pick(want, p.names...))
		},
		Update: func(ctx context.Context, e *cf.Env, have cf.State, want map[string]any) (cf.State, error) {
			return p.update(ctx, e, have, p.table.Delta(have.Properties, want, p.names...))
		},
		Delete: p.delete,
	}
}

// ofAPI is the property that names the API of a part.
func ofAPI() cf.Property { return cf.Property{Kind: cf.String, Required: true, Replace: true} }

// retag brings the tags of a resource up to date. arn is what follows
// "arn:aws:apigateway:REGION::".
func retag(ctx context.Context, e *cf.Env, arn string, have, want map[string]any) error {
	set, unset := cf.TagChanges(have["Tags"], want["Tags"])
	arn = "arn:aws:apigateway:" + e.Region + "::" + arn
	if len(set) > 0 {
		if err := e.Call(ctx, service, "TagResource", map[string]any{"ResourceArn": arn, "Tags": set}, nil); err != nil {
			return err
		}
	}
	if len(unset) > 0 {
		return e.Call(ctx, service, "UntagResource", map[string]any{"ResourceArn": arn, "TagKeys": unset}, nil)
	}
	return nil
}

// remerge is what an update that merges maps by key is to be told: the new
// entries, and gone for each that is no more.
func remerge(have, want map[string]any, gone any) map[string]any {
	merged := map[string]any{}
	for key := range have {
		merged[key] = gone
	}
	maps.Copy(merged, want)
	return merged
}
