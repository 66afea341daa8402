package plan_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/seed-615d3599/roost/internal/region/resources"
	"github.com/seed-615d3599/roost/internal/region/stacks/plan"
)

// A change of a stack's tags reaches every type that has tags, under whatever
// name.
func TestStackTags(t *testing.T) {
	tag := func(key, value string) any { return map[string]any{"Key": key, "Value": value} }
	tags := map[string]string{"team": "a", "stage": "dev"}
	for _, c := range []struct {
		property  string
		kind      resources.Kind
		own, want any
	}{
		{"Tags", resources.List, []any{tag("team", "own")}, []any{tag("team", "own"), tag("stage", "dev")}},
		{"IdentityPoolTags", resources.List, nil, []any{tag("stage", "dev"), tag("team", "a")}},
		{"Tags", resources.Map, map[string]any{"team": "own"}, map[string]any{"team": "own", "stage": "dev"}},
		{"Labels", resources.List, nil, nil},
	} {
		kind := &resources.Type{Properties: resources.Properties{c.property: {Kind: c.kind}}}
		props := map[string]any{}
		if c.own != nil {
			props[c.property] = c.own
		}
		if diff := cmp.Diff(c.want, plan.WithStackTags(kind, props, tags)[c.property]); diff != "" {
			t.Errorf("%s: %s", c.property, diff)
		}
	}
}
