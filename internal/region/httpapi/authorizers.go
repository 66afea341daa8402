package httpapi

import (
	"context"

	"github.com/seed-615d3599/roost/internal/region/store"
	"github.com/seed-615d3599/roost/internal/region/wire"
)

// putAuthorizer checks and stores an authorizer, with a new id if it has none. What
// could not be enforced is refused here: the gateway compiles it with the API.
func (h *HTTPAPI) putAuthorizer(tx *store.Tx, apiID string, a authorizerDoc) (*authorizerDoc, error) {
	if err := a.Check(); err != nil {
		return nil, err
	}
	others, err := store.All[authorizerDoc](tx, kindAuthorizer, apiID+"/")
	if err != nil {
		return nil, err
	}
	for _, o := range others {
		if text(o.Name) == *a.Name && o.AuthorizerID != a.AuthorizerID {
			return nil, badRequest("Authorizer name must be unique. Authorizer %s already exists in this API.", *a.Name)
		}
	}
	if a.AuthorizerID == "" {
		if len(others) >= quotaAuthorizers {
			return nil, badRequest("Maximum number of authorizers reached: the quota is %d", quotaAuthorizers)
		}
		if a.AuthorizerID, err = h.id(6); err != nil {
			return nil, err
		}
	}
	if err := h.config.Gateway.CheckAuthorizer(a.Definition(a.AuthorizerID)); err != nil {
		return nil, badRequest("authorizer %s: %v", *a.Name, err)
	}
	return &a, tx.Put(kindAuthorizer, apiID+"/"+a.AuthorizerID, a)
}

func (h *HTTPAPI) createAuthorizer(ctx context.Context, _ *wire.Call, in *createAuthorizer) (out *authorizerDoc, err error) {
	err = h.change(ctx, in.APIID, func(tx *store.Tx, a *apiDoc) (err error) {
		out, err = h.putAuthorizer(tx, a.APIID, authorizerDoc{AuthorizerProps: in.AuthorizerProps})
		return err
	})
	return out, err
}

func (h *HTTPAPI) updateAuthorizer(ctx context.Context, _ *wire.Call, in *updateAuthorizer) (out *authorizerDoc, err error) {
	err = h.change(ctx, in.APIID, func(tx *store.Tx, a *apiDoc) error {
		doc, err := get[authorizerDoc](tx, kindAuthorizer, a.APIID+"/"+in.AuthorizerID, "Authorizer", in.AuthorizerID)
		if err != nil {
			return err
		}
		patch(&doc.AuthorizerProps, in.AuthorizerProps)
		out, err = h.putAuthorizer(tx, a.APIID, *doc)
		return err
	})
	return out, err
}

func (h *HTTPAPI) getAuthorizer(ctx context.Context, _ *wire.Call, in *authorizerRef) (*authorizerDoc, error) {
	return one[authorizerDoc](ctx, h, kindAuthorizer, in.APIID+"/"+in.AuthorizerID, "Authorizer")
}

func (h *HTTPAPI) getAuthorizers(ctx context.Context, _ *wire.Call, in *listOfAPI) (*list[authorizerDoc], error) {
	return listOf[authorizerDoc](ctx, h, kindAuthorizer, in)
}

// deleteAuthorizer refuses to while a route relies on it: a dropped authorizer
// would be an open or a broken route.
func (h *HTTPAPI) deleteAuthorizer(ctx context.Context, _ *wire.Call, in *authorizerRef) (*none, error) {
	return nil, h.change(ctx, in.APIID, func(tx *store.Tx, a *apiDoc) error {
		if _, err := get[authorizerDoc](tx, kindAuthorizer, a.APIID+"/"+in.AuthorizerID, "Authorizer", in.AuthorizerID); err != nil {
			return err
		}
		routes, err := store.All[routeDoc](tx, kindRoute, a.APIID+"/")
		if err != nil {
			return err
		}
		for _, r := range routes {
			if text(r.AuthorizerID) == in.AuthorizerID {
				return conflict("Cannot delete authorizer '%s', is referenced in route: %s", in.AuthorizerID, text(r.RouteKey))
			}
		}
		return tx.Delete(kindAuthorizer, a.APIID+"/"+in.AuthorizerID)
	})
}
