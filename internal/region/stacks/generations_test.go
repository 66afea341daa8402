package stacks_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/seed-615d3599/roost/internal/region/resources"
	"github.com/seed-615d3599/roost/internal/region/store"
	"github.com/seed-615d3599/roost/internal/region/wire"
)

// partType is a part of something, as a stage is of an API: its physical id is
// its name, which parts of other things may have too. A name that is taken is
// refused, and an update changes only what differs.
func (w *world) partType() *resources.Type {
	put := func(ctx context.Context, of, name, size string, fresh bool) error {
		return w.db.Update(ctx, func(_ context.Context, tx *store.Tx) error {
			key := of + "/" + name
			if found, err := tx.Get("thing", key, &thing{}); err != nil || found && fresh {
				return wire.Errorf(409, "PartAlreadyExists", "the part %s is there", key)
			}
			return tx.Put("thing", key, thing{Name: key, Size: size})
		})
	}
	text := resources.Text
	return &resources.Type{
		Name: "AWS::Test::Part",
		Properties: resources.Properties{
			"Of": {Kind: resources.String, Replace: true}, "Name": {Kind: resources.String, Replace: true},
			"Fixed": {Kind: resources.String, Replace: true}, "Size": {Kind: resources.Integer},
		},
		Create: func(ctx context.Context, _ *resources.Env, want map[string]any) (resources.State, error) {
			name := text(want, "Name")
			return resources.State{ID: name}, put(ctx, text(want, "Of"), name, text(want, "Size"), true)
		},
		Update: func(ctx context.Context, e *resources.Env, have resources.State, want map[string]any) (resources.State, error) {
			if resources.Same(have.Properties, want, "Size") {
				return have, nil
			}
			return have, put(ctx, text(want, "Of"), have.ID, text(want, "Size"), false)
		},
		Delete: func(ctx context.Context, _ *resources.Env, have resources.State) error {
			key := text(have.Properties, "Of") + "/" + have.ID
			return w.db.Update(ctx, func(_ context.Context, tx *store.Tx) error { return tx.Delete("thing", key) })
		},
	}
}

// withPart is a template of a part, and of something that is made after it.
func withPart(of, fixed string, size int) string {
	return fmt.Sprintf(`{"Resources": {
		"P": {"Type": "AWS::Test::Part", "Properties": {"Of": %q, "Name": "$default", "Fixed": %q, "Size": %d}},
		"Z": {"Type": "AWS::Test::Thing", "DependsOn": "P", "Properties": {"Size": %d, "Other": "%s"}}}}`, of, fixed, size, size, of)
}

func (f *fixture) update(stack, body string, more map[string]any) {
	f.t.Helper()
	in := map[string]any{"StackName": stack, "TemplateBody": body}
	for name, value := range more {
		in[name] = value
	}
	f.must("UpdateStack", in, nil)
}

func (f *fixture) wantThings(want ...string) {
	f.t.Helper()
	if diff := cmp.Diff(want, f.things(f.t)); diff != "" {
		f.t.Errorf("(-want +got)\n%s", diff)
	}
}

// A resource is replaced by one that has the same physical id elsewhere.
func TestReplacementWithTheSamePhysicalID(t *testing.T) {
	f := start(t)
	f.must("CreateStack", map[string]any{"StackName": "s", "TemplateBody": withPart("a", "", 1)}, nil)
	f.wantRest("s", "CREATE_COMPLETE")

	f.setFail("update Z", "no")
	f.update("s", withPart("b", "", 1), nil)
	f.wantRest("s", "UPDATE_ROLLBACK_COMPLETE")
	f.wantThings("Z:<nil>=1", "a/$default=1")

	// It was updated in place before it was replaced, and both are undone.
	f.update("s", withPart("a", "", 2), map[string]any{"DisableRollback": true})
	f.wantRest("s", "UPDATE_FAILED")
	f.update("s", withPart("b", "", 3), nil)
	f.wantRest("s", "UPDATE_ROLLBACK_COMPLETE")
	f.wantThings("Z:<nil>=1", "a/$default=1")

	f.setFail("update Z", "")
	f.update("s", withPart("b", "", 4), nil)
	f.wantRest("s", "UPDATE_COMPLETE")
	f.wantThings("Z:<nil>=4", "b/$default=4")
	f.must("DeleteStack", map[string]any{"StackName": "s"}, nil)
}

func TestCustomNamedResourceIsNotReplaced(t *testing.T) {
	f := start(t)
	f.must("CreateStack", map[string]any{"StackName": "s", "TemplateBody": withPart("a", "", 1)}, nil)
	f.wantRest("s", "CREATE_COMPLETE")
	f.update("s", withPart("a", "other", 2), nil)
	f.wantRest("s", "UPDATE_ROLLBACK_COMPLETE")
	f.wantEvent("s", "P UPDATE_FAILED CloudFormation cannot update a stack when a custom-named resource requires replacing. Rename $default and update the stack again.")
	f.wantThings("Z:<nil>=1", "a/$default=1")
}

// What has the name already is somebody else's: it is neither taken over nor
// removed.
func TestNameThatIsTaken(t *testing.T) {
	f := start(t)
	f.must("CreateStack", map[string]any{"StackName": "first", "TemplateBody": withPart("a", "", 1)}, nil)
	f.wantRest("first", "CREATE_COMPLETE")
	f.must("CreateStack", map[string]any{"StackName": "second", "TemplateBody": strings.ReplaceAll(withPart("a", "", 2), `"Z"`, `"Y"`)}, nil)
	f.wantRest("second", "ROLLBACK_COMPLETE")
	f.wantEvent("second", "HandlerErrorCode: AlreadyExists)")
	f.wantThings("Z:<nil>=1", "a/$default=1")
}
