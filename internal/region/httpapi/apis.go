package httpapi

import (
	"context"
	"strings"

	"github.com/seed-615d3599/roost/internal/region/httpapi/shape"
	"github.com/seed-615d3599/roost/internal/region/store"
	"github.com/seed-615d3599/roost/internal/region/wire"
)

func (h *HTTPAPI) createAPI(ctx context.Context, _ *wire.Call, in *createAPI) (*apiOut, error) {
	if in.ProtocolType == "WEBSOCKET" {
		return nil, badRequest("WebSocket APIs are not supported here: only ProtocolType HTTP is")
	}
	if in.ProtocolType != "HTTP" {
		return nil, badRequest("Invalid ProtocolType %s: it must be HTTP", in.ProtocolType)
	}
	if err := in.APIProps.Check(); err != nil {
		return nil, err
	}
	if in.quickCreate.Target == nil && (in.RouteKey != nil || in.CredentialsArn != nil) {
		return nil, badRequest("RouteKey and CredentialsArn of an API need a Target")
	}
	id, err := h.id(10)
	if err != nil {
		return nil, err
	}
	a := &apiDoc{APIProps: in.APIProps, APIID: id, CreatedDate: h.now(), Tags: in.Tags}
	a.SetDefaults()
	err = h.config.DB.Update(ctx, func(ctx context.Context, tx *store.Tx) error {
		port, url, err := h.config.Ports.Open(id, 0) // now, because the answer has the URL
		if err != nil {
			return err
		}
		tx.OnUndo(func() { h.drop(id) })
		h.setURL(id, url)
		a.Port = port
		if err := tx.Put(kindAPI, id, a); err != nil {
			return err
		}
		if in.quickCreate.Target != nil {
			return h.quick(ctx, tx, a, in.quickCreate)
		}
		return h.publish(tx, a)
	})
	if err != nil {
		return nil, err
	}
	return h.apiOut(a), nil
}

// drop ends serving an API.
func (h *HTTPAPI) drop(apiID string) {
	h.config.Gateway.Remove(apiID)
	h.config.Ports.Close(apiID)
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.urls, apiID)
	h.version[apiID]++
}

// quick makes the integration, route and stage of "quick create".
func (h *HTTPAPI) quick(ctx context.Context, tx *store.Tx, a *apiDoc, q quickCreate) error {
	if q.CredentialsArn != nil {
		return badRequest("CredentialsArn is not supported here: give the function a permission for apigateway.amazonaws.com")
	}
	p := shape.IntegrationProps{IntegrationURI: q.Target, IntegrationType: ptr("AWS_PROXY"), PayloadFormatVersion: ptr("2.0")}
	if strings.HasPrefix(*q.Target, "http") {
		p = shape.IntegrationProps{IntegrationURI: q.Target, IntegrationType: ptr("HTTP_PROXY"), IntegrationMethod: ptr("ANY"), PayloadFormatVersion: ptr("1.0")}
	}
	i, err := h.putIntegration(tx, a.APIID, integrationDoc{IntegrationProps: p, APIGatewayManaged: true})
	if err != nil {
		return err
	}
	key := q.RouteKey
	if key == nil {
		key = ptr("$default")
	}
	r := routeDoc{APIGatewayManaged: true, RouteProps: shape.RouteProps{RouteKey: key, Target: ptr("integrations/" + i.IntegrationID)}}
	if _, err := h.putRoute(tx, a.APIID, r); err != nil {
		return err
	}
	_, err = h.newStage(ctx, a.APIID, &stageDoc{StageName: "$default", APIGatewayManaged: true, StageProps: shape.StageProps{AutoDeploy: ptr(true)}})
	return err
}

func (h *HTTPAPI) apiOut(a *apiDoc) *apiOut {
	out := &apiOut{APIProps: a.APIProps, APIID: a.APIID, CreatedDate: a.CreatedDate, ProtocolType: "HTTP",
		APIEndpoint: h.Endpoint(a.APIID), Tags: a.Tags}
	if out.Tags == nil {
		out.Tags = map[string]string{}
	}
	return out
}

func (h *HTTPAPI) getAPI(ctx context.Context, _ *wire.Call, in *apiRef) (out *apiOut, err error) {
	err = h.view(ctx, in.APIID, func(_ *store.Tx, a *apiDoc) error { out = h.apiOut(a); return nil })
	return out, err
}

func (h *HTTPAPI) getAPIs(ctx context.Context, _ *wire.Call, in *page) (out *list[*apiOut], err error) {
	err = h.config.DB.View(ctx, func(tx *store.Tx) error {
		docs, err := store.All[apiDoc](tx, kindAPI, "")
		if err != nil {
			return err
		}
		all := make([]*apiOut, len(docs))
		for i := range docs {
			all[i] = h.apiOut(&docs[i])
		}
		out, err = paginate(all, *in)
		return err
	})
	return out, err
}

func (h *HTTPAPI) updateAPI(ctx context.Context, _ *wire.Call, in *updateAPI) (out *apiOut, err error) {
	if in.RouteKey != nil || in.CredentialsArn != nil || in.quickCreate.Target != nil {
		return nil, badRequest("RouteKey, Target and CredentialsArn of an existing API cannot be changed here: change its route and integration")
	}
	err = h.change(ctx, in.APIID, func(tx *store.Tx, a *apiDoc) error {
		patch(&a.APIProps, in.APIProps)
		if err := a.Check(); err != nil {
			return err
		}
		out = h.apiOut(a)
		return tx.Put(kindAPI, a.APIID, a)
	})
	return out, err
}

func (h *HTTPAPI) deleteCORS(ctx context.Context, _ *wire.Call, in *apiRef) (*none, error) {
	return nil, h.change(ctx, in.APIID, func(tx *store.Tx, a *apiDoc) error {
		a.CorsConfiguration = nil
		return tx.Put(kindAPI, a.APIID, a)
	})
}

func (h *HTTPAPI) deleteAPI(ctx context.Context, _ *wire.Call, in *apiRef) (*none, error) {
	return nil, h.config.DB.Update(ctx, func(_ context.Context, tx *store.Tx) error {
		if _, err := get[apiDoc](tx, kindAPI, in.APIID, "API", in.APIID); err != nil {
			return err
		}
		mappings, err := store.All[mappingDoc](tx, kindMapping, "")
		if err != nil {
			return err
		}
		for _, m := range mappings {
			if m.APIID == in.APIID {
				return badRequest("Unable to delete the API %s: the domain name %s has an API mapping to it", in.APIID, m.Domain)
			}
		}
		for _, kind := range []string{kindRoute, kindIntegration, kindAuthorizer, kindStage, kindDeployment} {
			if err := tx.DeletePrefix(kind, in.APIID+"/"); err != nil {
				return err
			}
		}
		tx.OnCommit(func() { h.drop(in.APIID) })
		return tx.Delete(kindAPI, in.APIID)
	})
}
