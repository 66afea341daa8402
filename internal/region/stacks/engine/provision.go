package engine

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"

	"github.com/seed-615d3599/roost/cfn"
	"github.com/seed-615d3599/roost/internal/region/resources"
	"github.com/seed-615d3599/roost/internal/region/stacks/plan"
	"github.com/seed-615d3599/roost/internal/region/stacks/records"
	"github.com/seed-615d3599/roost/internal/region/store"
)

// wanted is what a resource should be.
type wanted struct {
	kind   *resources.Type // nil for a record
	policy map[string]any  // CreationPolicy
	next   records.Generation
}

// provision brings one resource to what the template says. After a crash it
// goes on where the last run stopped.
func (r *run) provision(ctx context.Context, logicalID string) error {
	declared := r.declared[logicalID]
	r.mu.Lock()
	one := r.have[logicalID]
	r.mu.Unlock()
	if one == nil {
		one = &records.Resource{StackID: r.st.ID, LogicalID: logicalID, Generation: records.Generation{Type: declared.Type}}
	}
	if one.Op == r.st.Revision && strings.HasSuffix(one.Status, "_FAILED") {
		return errors.New(one.Reason) // an earlier run of this operation tried it
	}
	copied := *one
	want, err := r.want(ctx, declared)
	if one.Op == r.st.Revision && strings.HasSuffix(one.Status, "_COMPLETE") {
		return err // an earlier run of this operation did it
	}
	if err != nil {
		return r.failedToBegin(ctx, &copied, want, err)
	}
	return r.change(ctx, &copied, want)
}

// change decides whether a resource is to be made, updated, replaced or left.
func (r *run) change(ctx context.Context, one *records.Resource, want *wanted) error {
	if !one.Exists {
		return r.make(ctx, one, want, records.Created)
	}
	if one.Status == "CREATE_FAILED" {
		return r.make(ctx, one, want, records.Replaced) // it was made in part
	}
	changes := cfn.Diff(one.State.Properties, want.next.State.Properties)
	uncertain := one.Status == "UPDATE_FAILED" && want.kind != nil && want.kind.Slow
	if len(changes) == 0 && !uncertain {
		if one.Type != records.StackType {
			return r.adjust(ctx, one, want)
		}
		if stale, err := r.e.Stale(ctx, r.caller, one.State); err != nil || !stale {
			return errors.Join(err, r.adjust(ctx, one, want))
		}
	}
	if want.kind != nil && !one.Recorded {
		for _, change := range changes {
			if want.kind.Replaces(change.Path) {
				return r.make(ctx, one, want, records.Replaced)
			}
		}
	}
	return r.alter(ctx, one, want)
}

// want evaluates what a resource should be and checks it against its type.
func (r *run) want(ctx context.Context, declared *cfn.Resource) (*wanted, error) {
	want := &wanted{next: records.Generation{
		Type: declared.Type, DependsOn: r.plan.DependsOn(declared.LogicalID), Deletion: declared.DeletionPolicy, Replace: declared.UpdateReplacePolicy,
	}}
	lookup := r.lookup(context.WithoutCancel(ctx))
	result, err := r.plan.Properties(declared, lookup)
	if err != nil {
		return want, err
	}
	want.next.Secrets = result.Secrets
	props, _ := result.Value.(map[string]any)
	want.next.State.Properties = props
	if err := r.wantBeside(declared, want, lookup); err != nil {
		return want, err
	}
	kind, ok := r.e.Kind(declared.Type)
	if !ok {
		want.next.Recorded = true
		return want, nil // Prepare checked that it may be a record
	}
	if problems := kind.Check(props); len(problems) > 0 {
		return want, errors.New("Properties validation failed for resource " + declared.LogicalID + ": " + problems[0].String())
	}
	want.kind = kind
	want.next.State.Properties = plan.WithStackTags(kind, kind.Normalize(props), r.st.Tags)
	return want, nil
}

// wantBeside evaluates the attributes beside the properties.
func (r *run) wantBeside(declared *cfn.Resource, want *wanted, lookup cfn.Lookup) error {
	var err error
	if want.next.Metadata, err = plan.Metadata(r.plan, declared, lookup); err != nil || declared.CreationPolicy == nil {
		return err
	}
	result, err := r.plan.Attribute(declared.CreationPolicy, lookup)
	want.policy, _ = result.Value.(map[string]any)
	return err
}

// adjust leaves a resource as it is. Only what the template says of it besides
// its properties may have changed, which makes no event.
func (r *run) adjust(ctx context.Context, one *records.Resource, want *wanted) error {
	next := want.next
	failedBefore := strings.HasSuffix(one.Status, "_FAILED")
	if !failedBefore && slices.Equal(one.DependsOn, next.DependsOn) && one.Deletion == next.Deletion && one.Replace == next.Replace && one.Metadata == next.Metadata {
		return nil
	}
	next.State, next.Secrets, next.Recorded = one.State, one.Secrets, one.Recorded
	one.Touch(r.st, one.Token, records.Adjusted)
	one.Generation = next
	if failedBefore {
		one.Status, one.Reason = "UPDATE_COMPLETE", ""
	}
	return r.record(ctx, func(tx *store.Tx) error { return one.Put(tx) }, one)
}

// begin notes that the operation under way changes a resource, once.
func (r *run) begin(one *records.Resource, how records.Touch) error {
	if one.Op == r.st.Revision {
		return nil
	}
	token, err := r.e.UUID()
	if err != nil {
		return err
	}
	one.Touch(r.st, token, how)
	return nil
}

// make creates a resource, in place of the one that is there if how is
// Replaced.
func (r *run) make(ctx context.Context, one *records.Resource, want *wanted, how records.Touch) error {
	if err := r.begin(one, how); err != nil {
		return err
	}
	a := &act{one: one, want: want, verb: "CREATE", how: how}
	if how == records.Replaced {
		a.verb, a.reason = "UPDATE", "Requested update requires the creation of a new physical resource; hence creating one."
	}
	a.do = func(ctx context.Context) (resources.State, error) {
		if want.kind == nil || want.kind.Recorded && want.kind.Create == nil {
			return resources.State{ID: plan.PhysicalName(r.st.Name, one.LogicalID, one.Token, 255)}, nil
		}
		env := r.envOf(one, want.next.Type)
		env.CreationPolicy = want.policy
		return want.kind.Create(ctx, env, want.next.State.Properties)
	}
	return r.perform(ctx, a)
}

// alter changes a resource in place.
func (r *run) alter(ctx context.Context, one *records.Resource, want *wanted) error {
	if err := r.begin(one, records.Updated); err != nil {
		return err
	}
	have := one.State
	a := &act{one: one, want: want, verb: "UPDATE", how: records.Updated}
	a.do = func(ctx context.Context) (resources.State, error) {
		if want.kind == nil || want.kind.Recorded && want.kind.Update == nil {
			return have, nil
		}
		return want.kind.Update(ctx, r.envOf(one, want.next.Type), have, want.next.State.Properties)
	}
	return r.perform(ctx, a)
}

func sortedKeys[V any](m map[string]V) []string {
	return slices.Sorted(maps.Keys(m))
}
