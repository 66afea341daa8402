package gateway

import (
	"testing"
	"time"

	"github.com/seed-615d3599/roost/internal/region/httpapi/definition"
	"github.com/seed-615d3599/roost/internal/region/httpapi/throttle"
)

// An API that is changed elsewhere keeps its throttles' tokens and its authorizers' verdicts.
func TestTakeOver(t *testing.T) {
	w := &world{answer: func([]byte) ([]byte, string, error) { return []byte(`{"isAuthorized":true}`), "", nil }}
	g := w.gateway(t)
	rate, burst, fewer := 1.0, 2, 1
	api := func(extra ...definition.Route) definition.API {
		a := one(append(extra, definition.Route{Key: "GET /all", Integration: lambda("2.0")}, definition.Route{Key: "GET /own", Integration: lambda("2.0")},
			definition.Route{Key: "GET /x", AuthorizationType: definition.AuthorizationCustom, AuthorizerID: "z", Integration: lambda("2.0")})...)
		a.Stages[0].DefaultThrottle = throttle.Limit{Rate: &rate, Burst: &burst}
		a.Stages[0].Throttles = map[string]throttle.Limit{"GET /own": {Rate: &rate, Burst: &burst}, "GET /x": {}}
		a.Stages[0].Authorizers = []definition.Authorizer{{ID: "z", Type: definition.AuthorizerRequest, URI: fn, PayloadVersion: "2.0", SimpleResponses: true,
			TTL: time.Minute, IdentitySources: []string{"$request.header.Auth"}}}
		return a
	}
	another := definition.Route{Key: "GET /another", Integration: lambda("2.0")}
	calls := func(want int) {
		t.Helper()
		w.calls = 0
		if got := ask(g, "GET", "/x", "", "Auth", "a"); got.Code != 200 || w.calls != want {
			t.Errorf("%d after %d calls, want %d", got.Code, w.calls, want)
		}
	}
	take := func(path string, want ...int) {
		t.Helper()
		for _, status := range want {
			if got := ask(g, "GET", path, ""); got.Code != status {
				t.Errorf("%s answers %d, want %d", path, got.Code, status)
			}
		}
	}
	put(t, g, api())
	calls(2)
	take("/all", 200, 200, 429)
	take("/own", 200, 200, 429)

	put(t, g, api(another)) // a route more
	calls(1)
	take("/all", 429)
	take("/another", 429)
	take("/own", 429)

	changed := api(another)
	changed.Stages[0].DefaultThrottle.Burst = &fewer
	changed.Stages[0].Throttles["GET /own"] = throttle.Limit{Rate: &rate, Burst: &fewer}
	changed.Stages[0].Authorizers[0].TTL = time.Hour
	put(t, g, changed)
	calls(2)
	take("/all", 200, 429)
	take("/own", 200, 429)

	calls(1)
	g.ForgetVerdicts("a1", "none")
	calls(1)
	g.ForgetVerdicts("a1", "$default")
	calls(2)
}
