package httpapi

import (
	"context"
	"strings"

	"github.com/seed-615d3599/roost/internal/region/store"
	"github.com/seed-615d3599/roost/internal/region/wire"
)

// putRoute checks and stores a route, with a new id if it has none.
func (h *HTTPAPI) putRoute(tx *store.Tx, apiID string, r routeDoc) (*routeDoc, error) {
	if r.AuthorizationType == nil {
		r.AuthorizationType = ptr("NONE")
	}
	if err := r.Check(); err != nil {
		return nil, err
	}
	if id, ok := strings.CutPrefix(text(r.Target), "integrations/"); ok {
		if _, err := get[integrationDoc](tx, kindIntegration, apiID+"/"+id, "Integration", id); err != nil {
			return nil, badRequest("route %s: its Target %s is no integration of this API", *r.RouteKey, *r.Target)
		}
	}
	others, err := store.All[routeDoc](tx, kindRoute, apiID+"/")
	if err != nil {
		return nil, err
	}
	for _, o := range others {
		if text(o.RouteKey) == *r.RouteKey && o.RouteID != r.RouteID {
			return nil, conflict("Route with key %s already exists for this API", *r.RouteKey)
		}
	}
	if r.RouteID == "" {
		if len(others) >= quotaRoutes {
			return nil, badRequest("Maximum number of routes reached: the quota is %d", quotaRoutes)
		}
		if r.RouteID, err = h.id(7); err != nil {
			return nil, err
		}
	}
	return &r, tx.Put(kindRoute, apiID+"/"+r.RouteID, r)
}

func (h *HTTPAPI) createRoute(ctx context.Context, _ *wire.Call, in *createRoute) (out *routeDoc, err error) {
	err = h.change(ctx, in.APIID, func(tx *store.Tx, a *apiDoc) (err error) {
		out, err = h.putRoute(tx, a.APIID, routeDoc{RouteProps: in.RouteProps})
		return err
	})
	return out, err
}

func (h *HTTPAPI) updateRoute(ctx context.Context, _ *wire.Call, in *updateRoute) (out *routeDoc, err error) {
	err = h.change(ctx, in.APIID, func(tx *store.Tx, a *apiDoc) error {
		r, err := get[routeDoc](tx, kindRoute, a.APIID+"/"+in.RouteID, "Route", in.RouteID)
		if err != nil {
			return err
		}
		patch(&r.RouteProps, in.RouteProps)
		out, err = h.putRoute(tx, a.APIID, *r)
		return err
	})
	return out, err
}

func (h *HTTPAPI) getRoute(ctx context.Context, _ *wire.Call, in *routeRef) (*routeDoc, error) {
	return one[routeDoc](ctx, h, kindRoute, in.APIID+"/"+in.RouteID, "Route")
}

func (h *HTTPAPI) getRoutes(ctx context.Context, _ *wire.Call, in *listOfAPI) (*list[routeDoc], error) {
	return listOf[routeDoc](ctx, h, kindRoute, in)
}

func (h *HTTPAPI) deleteRoute(ctx context.Context, _ *wire.Call, in *routeRef) (*none, error) {
	return nil, h.change(ctx, in.APIID, func(tx *store.Tx, a *apiDoc) error {
		if _, err := get[routeDoc](tx, kindRoute, a.APIID+"/"+in.RouteID, "Route", in.RouteID); err != nil {
			return err
		}
		return tx.Delete(kindRoute, a.APIID+"/"+in.RouteID)
	})
}
