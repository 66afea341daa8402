package httpapi

import (
	"context"
	"errors"
	"testing"

	"github.com/seed-615d3599/roost/internal/region/store"
	"github.com/seed-615d3599/roost/internal/region/wire"
)

// What a transaction that is undone has made, as a stack's that rolls back, leaves no
// port open, and no API unserved that was changed before.
func TestUndone(t *testing.T) {
	h := newHouse(t)
	api, _, integration := h.newAPI()
	refused := errors.New("refused")
	call := func(ctx context.Context, operation string, in, out any) {
		t.Helper()
		if err := h.service.Call(ctx, wire.Call{Account: "123456789012", Region: "us-east-1"}, operation, in, out); err != nil {
			t.Fatal(err)
		}
	}
	route := func(ctx context.Context, key string) {
		call(ctx, "CreateRoute", m{"ApiId": api, "RouteKey": key, "Target": "integrations/" + integration}, nil)
	}
	undone := func(ctx context.Context) error {
		return h.db.Update(ctx, func(ctx context.Context, _ *store.Tx) error {
			var made struct{ ApiEndpoint string }
			call(ctx, "CreateApi", m{"Name": "other", "ProtocolType": "HTTP"}, &made)
			if len(h.open) != 2 || made.ApiEndpoint == "" {
				t.Errorf("ports %v, endpoint %q", h.open, made.ApiEndpoint)
			}
			route(ctx, "GET /undone")
			return refused
		})
	}
	err := h.db.Update(t.Context(), func(ctx context.Context, _ *store.Tx) error {
		route(ctx, "GET /kept")
		if err := undone(ctx); !errors.Is(err, refused) {
			t.Error(err)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, still := h.open[api]; !still || len(h.open) != 1 {
		t.Errorf("the open ports are %v", h.open)
	}
	if got := h.get(api, "/kept"); got != "200 "+fn {
		t.Errorf("the route that was kept answers %s", got)
	}
	if got := h.get(api, "/undone"); got != `404 {"message":"Not Found"}` {
		t.Errorf("the route that was undone answers %s", got)
	}
}
