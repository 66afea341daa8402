package httpapi

import (
	"context"
	"reflect"
	"strconv"
	"strings"

	"github.com/seed-615d3599/roost/internal/region/store"
)

// patch sets in to what from has: an update leaves out what is not to change. An
// empty string takes a property away.
func patch[T any](to *T, from T) {
	dst, src := reflect.ValueOf(to).Elem(), reflect.ValueOf(from)
	for i := range src.NumField() {
		v := src.Field(i)
		switch {
		case v.IsNil():
		case v.Kind() == reflect.Pointer && v.Elem().Kind() == reflect.String && v.Elem().Len() == 0:
			dst.Field(i).SetZero()
		default:
			dst.Field(i).Set(v)
		}
	}
}

// get reads an item or says that there is none.
func get[T any](tx *store.Tx, kind, key, what, id string) (*T, error) {
	var doc T
	found, err := tx.Get(kind, key, &doc)
	if err != nil {
		return nil, err
	}
	if !found {
		return nil, missing(what, id)
	}
	return &doc, nil
}

// view runs f with an API that must be there.
func (h *HTTPAPI) view(ctx context.Context, apiID string, f func(*store.Tx, *apiDoc) error) error {
	return h.config.DB.View(ctx, func(tx *store.Tx) error {
		a, err := get[apiDoc](tx, kindAPI, apiID, "API", apiID)
		if err != nil {
			return err
		}
		return f(tx, a)
	})
}

// change runs f in a transaction, deploys what is deployed automatically, checks
// that the API can be served as it then is, and serves it once it is durable.
func (h *HTTPAPI) change(ctx context.Context, apiID string, f func(*store.Tx, *apiDoc) error) error {
	return h.config.DB.Update(ctx, func(_ context.Context, tx *store.Tx) error {
		a, err := get[apiDoc](tx, kindAPI, apiID, "API", apiID)
		if err != nil {
			return err
		}
		if err := f(tx, a); err != nil {
			return err
		}
		if err := h.autoDeploy(tx, apiID); err != nil {
			return err
		}
		return h.publish(tx, a)
	})
}

// publish checks the API as it is in tx, and serves it after the commit unless a
// later change has been made by then.
func (h *HTTPAPI) publish(tx *store.Tx, a *apiDoc) error {
	built, err := h.build(tx, a)
	if err != nil {
		return err
	}
	if err := h.config.Gateway.Check(built); err != nil {
		return badRequest("%v", err)
	}
	h.mu.Lock()
	h.version[a.APIID]++
	version := h.version[a.APIID]
	h.mu.Unlock()
	tx.OnUndo(func() { // what was built before is the newest again
		h.mu.Lock()
		defer h.mu.Unlock()
		h.version[a.APIID]--
	})
	tx.OnCommit(func() {
		h.mu.Lock()
		newest := h.version[a.APIID] == version
		h.mu.Unlock()
		if newest {
			h.config.Gateway.Put(built) // Check has said that it can be
		}
	})
	return nil
}

// paginate cuts a list by MaxResults and NextToken, which is an index.
func paginate[T any](items []T, p page) (*list[T], error) {
	first, most := 0, len(items)
	var err error
	if p.NextToken != nil {
		if first, err = strconv.Atoi(*p.NextToken); err != nil || first < 0 || first > len(items) {
			return nil, badRequest("Invalid NextToken")
		}
	}
	if p.MaxResults != nil {
		if most, err = strconv.Atoi(*p.MaxResults); err != nil || most < 1 {
			return nil, badRequest("Invalid MaxResults: it must be a number above 0")
		}
	}
	end := min(first+most, len(items))
	out := &list[T]{Items: append([]T{}, items[first:end]...)}
	if end < len(items) {
		out.NextToken = ptr(strconv.Itoa(end))
	}
	return out, nil
}

// listOf lists the items of a kind that belong to an API.
func listOf[T any](ctx context.Context, h *HTTPAPI, kind string, in *listOfAPI) (out *list[T], err error) {
	err = h.view(ctx, in.APIID, func(tx *store.Tx, _ *apiDoc) error {
		items, err := store.All[T](tx, kind, in.APIID+"/")
		if err == nil {
			out, err = paginate(items, in.page)
		}
		return err
	})
	return out, err
}

// one reads an item that belongs to an API. Its key is the ids of both.
func one[T any](ctx context.Context, h *HTTPAPI, kind, key, what string) (doc *T, err error) {
	apiID, id, _ := strings.Cut(key, "/")
	err = h.view(ctx, apiID, func(tx *store.Tx, _ *apiDoc) (err error) {
		doc, err = get[T](tx, kind, key, what, id)
		return err
	})
	return doc, err
}

// room refuses one item more than a quota allows.
func room(tx *store.Tx, kind, prefix string, quota int, what string) error {
	items, err := tx.List(kind, prefix)
	if err == nil && len(items) >= quota {
		err = badRequest("Maximum number of %s reached: the quota is %d", what, quota)
	}
	return err
}

// Quotas (API Gateway quotas, "HTTP API quotas").
const (
	quotaRoutes       = 300
	quotaIntegrations = 300
	quotaStages       = 10
	quotaAuthorizers  = 10
	quotaMappings     = 200
)
