package httpapi

import (
	"context"
	"maps"

	"github.com/seed-615d3599/roost/internal/region/store"
	"github.com/seed-615d3599/roost/internal/region/wire"
)

// putIntegration checks and stores an integration, with a new id if it has none.
func (h *HTTPAPI) putIntegration(tx *store.Tx, apiID string, i integrationDoc) (*integrationDoc, error) {
	if err := i.Check(); err != nil {
		return nil, err
	}
	i.SetDefaults()
	if _, err := i.compile(); err != nil {
		return nil, badRequest("%v", err)
	}
	if i.IntegrationID == "" {
		err := room(tx, kindIntegration, apiID+"/", quotaIntegrations, "integrations")
		if err != nil {
			return nil, err
		}
		if i.IntegrationID, err = h.id(7); err != nil {
			return nil, err
		}
	}
	return &i, tx.Put(kindIntegration, apiID+"/"+i.IntegrationID, i)
}

func (h *HTTPAPI) createIntegration(ctx context.Context, _ *wire.Call, in *createIntegration) (out *integrationDoc, err error) {
	err = h.change(ctx, in.APIID, func(tx *store.Tx, a *apiDoc) (err error) {
		out, err = h.putIntegration(tx, a.APIID, integrationDoc{IntegrationProps: in.IntegrationProps})
		return err
	})
	return out, err
}

// updateIntegration merges RequestParameters by key, where "" takes one away, and
// ResponseParameters by status, where {} does (API reference, "Integration").
func (h *HTTPAPI) updateIntegration(ctx context.Context, _ *wire.Call, in *updateIntegration) (out *integrationDoc, err error) {
	err = h.change(ctx, in.APIID, func(tx *store.Tx, a *apiDoc) error {
		i, err := get[integrationDoc](tx, kindIntegration, a.APIID+"/"+in.IntegrationID, "Integration", in.IntegrationID)
		if err != nil {
			return err
		}
		requests, responses := i.RequestParameters, i.ResponseParameters
		patch(&i.IntegrationProps, in.IntegrationProps)
		i.RequestParameters = merged(requests, in.RequestParameters, func(v string) bool { return v == "" })
		i.ResponseParameters = merged(responses, in.ResponseParameters, func(v map[string]string) bool { return len(v) == 0 })
		out, err = h.putIntegration(tx, a.APIID, *i)
		return err
	})
	return out, err
}

func merged[V any](old, change map[string]V, gone func(V) bool) map[string]V {
	out := map[string]V{}
	maps.Copy(out, old)
	maps.Copy(out, change)
	maps.DeleteFunc(out, func(_ string, v V) bool { return gone(v) })
	if len(out) == 0 {
		return nil
	}
	return out
}

func (h *HTTPAPI) getIntegration(ctx context.Context, _ *wire.Call, in *integrationRef) (*integrationDoc, error) {
	return one[integrationDoc](ctx, h, kindIntegration, in.APIID+"/"+in.IntegrationID, "Integration")
}

func (h *HTTPAPI) getIntegrations(ctx context.Context, _ *wire.Call, in *listOfAPI) (*list[integrationDoc], error) {
	return listOf[integrationDoc](ctx, h, kindIntegration, in)
}

func (h *HTTPAPI) deleteIntegration(ctx context.Context, _ *wire.Call, in *integrationRef) (*none, error) {
	return nil, h.change(ctx, in.APIID, func(tx *store.Tx, a *apiDoc) error {
		if _, err := get[integrationDoc](tx, kindIntegration, a.APIID+"/"+in.IntegrationID, "Integration", in.IntegrationID); err != nil {
			return err
		}
		routes, err := store.All[routeDoc](tx, kindRoute, a.APIID+"/")
		if err != nil {
			return err
		}
		for _, r := range routes {
			if text(r.Target) == "integrations/"+in.IntegrationID {
				return conflict("Cannot delete Integration '%s' due to it being the target of route %s", in.IntegrationID, text(r.RouteKey))
			}
		}
		return tx.Delete(kindIntegration, a.APIID+"/"+in.IntegrationID)
	})
}
