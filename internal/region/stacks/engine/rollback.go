package engine

import (
	"context"
	"slices"
	"strings"

	"github.com/seed-615d3599/roost/cfn"
	"github.com/seed-615d3599/roost/internal/region/resources"
	"github.com/seed-615d3599/roost/internal/region/stacks/plan"
	"github.com/seed-615d3599/roost/internal/region/stacks/records"
	"github.com/seed-615d3599/roost/internal/region/stacks/walk"
	"github.com/seed-615d3599/roost/internal/region/store"
)

// rollBackUpdate brings back what the stack was when it was stable.
func (r *run) rollBackUpdate(ctx context.Context) error {
	waits := map[string][]string{}
	for id, one := range r.have {
		if one.TouchedSince(r.st) && one.Before != nil {
			waits[id] = one.Before.DependsOn
		}
	}
	errs, _ := walk.All(ctx, waits, r.e.config.MaxParallel, func(_ context.Context, id string) error {
		return r.bringBack(ctx, id) // a failure does not cancel the others
	})
	if ctx.Err() != nil {
		return ctx.Err()
	}
	_, err := r.e.Update(ctx, r.id, func(tx *store.Tx, st *records.Stack) error {
		if len(errs) > 0 {
			return r.e.SetStatus(tx, st, "UPDATE_ROLLBACK_FAILED", "The following resource(s) failed to update: ["+strings.Join(sortedKeys(errs), ", ")+"]. ")
		}
		if err := st.SetExports(tx, st.Earlier.Outputs); err != nil {
			return r.e.SetStatus(tx, st, "UPDATE_ROLLBACK_FAILED", plan.Message(err))
		}
		st.Revision, st.Kept = st.Before, st.Earlier
		return r.e.SetStatus(tx, st, "UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS", "")
	})
	return err
}

// bringBack makes a resource what it was when the stack was stable.
func (r *run) bringBack(ctx context.Context, logicalID string) error {
	r.mu.Lock()
	one := *r.have[logicalID]
	r.mu.Unlock()
	kind, _ := r.e.Kind(one.Before.Type)
	switch {
	case one.Restored:
		return nil // an earlier run did it
	case one.Touched == records.Adjusted:
		one.Generation, one.Restored = *one.Before, true
		return r.record(ctx, func(tx *store.Tx) error { return one.Put(tx) }, &one)
	case one.Type == records.StackType:
		return r.bringBackStack(ctx, &one, kind)
	case one.Touched == records.Replaced && !one.Dirty, r.untouched(&one, kind):
		return r.swapBack(ctx, &one)
	case one.Touched == records.Replaced:
		dirty := r.swap(&one)
		return r.updateBack(ctx, &one, kind, dirty)
	}
	return r.updateBack(ctx, &one, kind, one.State)
}

// untouched reports whether a change failed in such a way that nothing of it
// was done: its transaction was undone.
func (r *run) untouched(one *records.Resource, kind *resources.Type) bool {
	slow := kind != nil && kind.Slow
	return one.Status == "UPDATE_FAILED" && !slow && one.State.ID == one.Before.State.ID &&
		len(cfn.Diff(one.State.Properties, one.Before.State.Properties)) == 0
}

// updateBack updates a resource in place to what it was.
func (r *run) updateBack(ctx context.Context, one *records.Resource, kind *resources.Type, now resources.State) error {
	before := one.Before
	if one.Removing != rollingBack { // not begun by an earlier run
		token, err := r.e.UUID()
		if err != nil {
			return err
		}
		one.Token, one.Removing, one.Progress = token, rollingBack, nil
	}
	a := &act{one: one, want: &wanted{kind: kind, next: *before}, verb: "UPDATE", how: records.Updated, restored: true}
	a.do = func(ctx context.Context) (resources.State, error) {
		if kind == nil || before.Recorded || kind.Update == nil {
			return before.State, nil
		}
		return kind.Update(ctx, r.envOf(one, before.Type), now, before.State.Properties)
	}
	return r.perform(ctx, a)
}

// rollingBack stands in Resource.Removing while Token is that of a rollback.
const rollingBack = "rolling back"

// swapBack takes the resource that was replaced back into service, and leaves
// its replacement to the cleanup.
func (r *run) swapBack(ctx context.Context, one *records.Resource) error {
	r.swap(one)
	one.Restored = true
	return r.record(ctx, func(tx *store.Tx) error {
		for _, status := range []string{"UPDATE_IN_PROGRESS", "UPDATE_COMPLETE"} {
			one.Status, one.Reason, one.Updated = status, "", r.e.config.Now().UTC()
			if err := r.e.Tell(tx, r.st, one); err != nil {
				return err
			}
		}
		return one.Put(tx)
	}, one)
}

// swap puts the resource that was replaced in the place of its replacement,
// which becomes one of those to be removed. It returns what the resource was
// when it was replaced.
func (r *run) swap(one *records.Resource) resources.State {
	before := *one.Before
	left := before.State
	if !r.e.same(one.Generation, before) {
		for _, old := range one.Old {
			if r.e.same(old, before) {
				left = old.State
			}
		}
		replacement := one.Generation
		replacement.Replace = ""
		one.Old = append(r.e.without(one.Old, before), replacement)
	}
	one.Generation, one.Exists = before, true
	return left
}

// same reports whether two generations are one physical resource. The physical
// id alone does not tell: the stage $default of one API is not that of another.
func (e *Engine) same(a, b records.Generation) bool {
	if a.State.ID != b.State.ID {
		return false
	}
	kind, known := e.Kind(a.Type)
	if !known || a.Recorded {
		return true
	}
	return !slices.ContainsFunc(cfn.Diff(a.State.Properties, b.State.Properties), func(c cfn.Change) bool { return kind.Replaces(c.Path) })
}

// without returns a list without the generations that are the same as one.
func (e *Engine) without(list []records.Generation, one records.Generation) []records.Generation {
	return slices.DeleteFunc(slices.Clone(list), func(other records.Generation) bool { return e.same(other, one) })
}
