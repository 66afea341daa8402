package engine

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/seed-615d3599/roost/internal/region/resources"
	"github.com/seed-615d3599/roost/internal/region/stacks/records"
	"github.com/seed-615d3599/roost/internal/region/stacks/walk"
	"github.com/seed-615d3599/roost/internal/region/store"
)

// doomed is something that is to be removed: a resource, or what it was before
// it was replaced or rolled back.
type doomed struct {
	node string // names it in the walk
	id   string // logical id
	gen  records.Generation
	old  bool // it is one of Resource.Old
}

// removeAll removes every resource of a stack, and then the stack (or, after a
// failed creation, leaves its record).
func (r *run) removeAll(ctx context.Context, done, failedStatus string) error {
	var list []doomed
	for _, one := range r.have {
		list = append(list, r.doom(one)...)
	}
	failed := r.removeList(ctx, list)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	_, err := r.e.Update(ctx, r.id, func(tx *store.Tx, st *records.Stack) error {
		if len(failed) > 0 && !st.Force {
			return r.e.SetStatus(tx, st, failedStatus, "The following resource(s) failed to delete: ["+strings.Join(failed, ", ")+"]. ")
		}
		if done == "DELETE_COMPLETE" {
			st.Deleted = r.e.config.Now().UTC()
			if err := r.leave(tx, st); err != nil {
				return err
			}
		}
		return r.e.SetStatus(tx, st, done, "")
	})
	return err
}

// leave forgets what a deleted stack had, also of what it could not remove.
func (r *run) leave(tx *store.Tx, st *records.Stack) (err error) {
	for _, one := range r.have {
		if left := *one; left.Exists {
			err = errors.Join(err, r.drop(tx, &left))
		}
	}
	return errors.Join(err, st.Gone(tx))
}

// doom lists what there is to remove of one resource, the oldest first.
func (r *run) doom(one *records.Resource) []doomed {
	var list []doomed
	for i, old := range one.Old {
		list = append(list, doomed{node: fmt.Sprintf("%s#%d", one.LogicalID, i), id: one.LogicalID, gen: old, old: true})
	}
	return append(list, doomed{node: one.LogicalID, id: one.LogicalID, gen: one.Generation})
}

// removeList removes things, each before what it depends on, and those of one
// logical id one after the other. It goes on after a failure with all that
// does not stand under it, and returns the logical ids that failed, sorted.
func (r *run) removeList(ctx context.Context, list []doomed) (failed []string) {
	byNode, waits := removalOrder(list)
	bad := map[string]bool{}
	for len(waits) > 0 {
		errs, _ := walk.All(ctx, waits, r.e.config.MaxParallel, func(_ context.Context, node string) error {
			return r.remove(ctx, byNode[node]) // a failure does not cancel the others
		})
		if len(errs) == 0 || ctx.Err() != nil {
			break
		}
		for node := range errs {
			bad[byNode[node].id] = true
		}
		blocked := walk.Blocked(waits, errs)
		maps.DeleteFunc(waits, func(node string, _ []string) bool { return blocked[node] || r.gone(byNode[node]) })
	}
	return sortedKeys(bad)
}

// removalOrder says what each removal waits for.
func removalOrder(list []doomed) (byNode map[string]doomed, waits map[string][]string) {
	byNode, waits = map[string]doomed{}, map[string][]string{}
	byLogical := map[string][]string{}
	for _, d := range list {
		byNode[d.node] = d
		waits[d.node] = nil
		if earlier := byLogical[d.id]; len(earlier) > 0 {
			waits[d.node] = []string{earlier[len(earlier)-1]}
		}
		byLogical[d.id] = append(byLogical[d.id], d.node)
	}
	for _, d := range list {
		for _, on := range d.gen.DependsOn {
			for _, node := range byLogical[on] {
				waits[node] = append(waits[node], d.node)
			}
		}
	}
	return byNode, waits
}

// gone reports whether nothing is left to remove of d.
func (r *run) gone(d doomed) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	now := r.have[d.id]
	switch {
	case now == nil:
		return true
	case d.old:
		return !slices.ContainsFunc(now.Old, func(g records.Generation) bool { return r.e.same(g, d.gen) })
	}
	return !now.Exists
}

// remove removes one thing, or leaves it where its policy says so.
func (r *run) remove(ctx context.Context, d doomed) error {
	r.mu.Lock()
	copied := *r.have[d.id]
	r.mu.Unlock()
	one := &copied
	if !d.old && !one.Exists {
		one.Status = "DELETE_COMPLETE"
		return r.record(ctx, func(tx *store.Tx) error { return r.drop(tx, one) }, one)
	}
	if r.retained(one, d) {
		err := r.e.config.DB.Update(ctx, func(_ context.Context, tx *store.Tx) error { return r.removed(tx, one, d, "DELETE_SKIPPED") })
		return r.afterRemove(ctx, one, d, err)
	}
	kind, ok := r.e.Kind(d.gen.Type)
	act := func(ctx context.Context) error {
		if d.gen.Recorded || !ok || kind.Delete == nil {
			return nil
		}
		return kind.Delete(ctx, r.envOf(one, d.gen.Type), d.gen.State)
	}
	if ok && kind.Slow {
		return r.removeSlowly(ctx, one, d, act)
	}
	before := *one
	err := r.e.config.DB.Update(ctx, func(ctx context.Context, tx *store.Tx) error {
		if err := r.removing(tx, one, d); err != nil {
			return err
		}
		if err := act(ctx); err != nil {
			return err
		}
		return r.removed(tx, one, d, "DELETE_COMPLETE")
	})
	if err != nil {
		*one = before
	}
	return r.afterRemove(ctx, one, d, err)
}

func (r *run) removeSlowly(ctx context.Context, one *records.Resource, d doomed, act func(context.Context) error) error {
	if one.Removing != d.gen.State.ID { // not begun by an earlier run
		token, err := r.e.UUID()
		if err != nil {
			return err
		}
		one.Removing, one.Token, one.Progress = d.gen.State.ID, token, nil
		err = r.e.config.DB.Update(ctx, func(_ context.Context, tx *store.Tx) error { return r.removing(tx, one, d) })
		if err != nil {
			return err
		}
	}
	err := act(ctx)
	if err == nil {
		err = r.e.config.DB.Update(context.WithoutCancel(ctx), func(_ context.Context, tx *store.Tx) error {
			return r.removed(tx, one, d, "DELETE_COMPLETE")
		})
	}
	return r.afterRemove(ctx, one, d, err)
}

// retained reports whether a policy keeps something from being removed.
func (r *run) retained(one *records.Resource, d doomed) bool {
	switch {
	case d.old:
		return d.gen.Replace == "Retain"
	case r.st.Status == "DELETE_IN_PROGRESS" && slices.Contains(r.st.Retain, one.LogicalID):
		return true
	case d.gen.Deletion == "Retain" && !r.st.NewRetained:
		return true
	}
	// RetainExceptOnCreate: what an operation made goes with its rollback.
	rollback := r.st.Status == "ROLLBACK_IN_PROGRESS" || r.st.Status == "UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS"
	return strings.HasPrefix(d.gen.Deletion, "Retain") && !rollback
}

// removing writes that a removal begins.
func (r *run) removing(tx *store.Tx, one *records.Resource, d doomed) error {
	if !d.old {
		one.Status, one.Reason, one.Updated = "DELETE_IN_PROGRESS", "", r.e.config.Now().UTC()
	}
	if err := one.Put(tx); err != nil {
		return err
	}
	return r.e.putEvent(tx, r.st, d.event("DELETE_IN_PROGRESS", ""))
}

func (d doomed) event(status, reason string) records.Event {
	return records.Event{LogicalID: d.id, PhysicalID: d.gen.State.ID, Type: d.gen.Type, Status: status, Reason: reason}
}

// removed writes that a removal is done, or was skipped.
func (r *run) removed(tx *store.Tx, one *records.Resource, d doomed, status string) error {
	if err := r.e.putEvent(tx, r.st, d.event(status, "")); err != nil {
		return err
	}
	one.Removing, one.Progress = "", nil
	if d.old {
		one.Old = r.e.without(one.Old, d.gen)
		return one.Put(tx)
	}
	one.Exists, one.Status, one.Updated = false, status, r.e.config.Now().UTC()
	return r.drop(tx, one)
}

// drop keeps the record of a removed resource, without what it had, while the
// whole stack goes, as CloudFormation shows it, and else deletes it.
func (r *run) drop(tx *store.Tx, one *records.Resource) error {
	if r.st.Status == "DELETE_IN_PROGRESS" || r.st.Status == "ROLLBACK_IN_PROGRESS" {
		one.State, one.Secrets, one.Before = resources.State{ID: one.State.ID}, nil, nil
		return one.Put(tx)
	}
	return one.Delete(tx)
}

// afterRemove shows the outcome of a removal, and records a failed one.
func (r *run) afterRemove(ctx context.Context, one *records.Resource, d doomed, cause error) error {
	if cause == nil {
		r.show(one)
		return nil
	}
	if r.e.ctx.Err() != nil {
		return cause
	}
	reason := failure(&act{one: one, verb: "DELETE"}, cause)
	err := r.e.config.DB.Update(context.WithoutCancel(ctx), func(_ context.Context, tx *store.Tx) error {
		one.Removing, one.Progress = "", nil
		if !d.old {
			one.Status, one.Reason = "DELETE_FAILED", reason
		}
		if err := one.Put(tx); err != nil {
			return err
		}
		return r.e.putEvent(tx, r.st, d.event("DELETE_FAILED", reason))
	})
	r.show(one)
	return errors.Join(cause, err)
}

// cleanupAttempts is how often the cleanup after an update tries to remove
// something ("Update behaviors", stack status UPDATE_COMPLETE_CLEANUP_IN_PROGRESS).
const cleanupAttempts = 3

// cleanup removes what an update, or its rollback, left over. What cannot be
// removed does not belong to the stack any more, as on AWS.
func (r *run) cleanup(ctx context.Context, done string) error {
	if r.st.Status == "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS" {
		if err := r.settle(ctx); err != nil {
			return r.giveUp(ctx, err)
		}
		if err := r.releaseNested(ctx); err != nil {
			return err
		}
	}
	for attempt := 1; ; attempt++ {
		list := r.leftovers()
		if len(list) == 0 {
			break
		}
		failed := r.removeList(ctx, list)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if len(failed) > 0 && attempt == cleanupAttempts {
			return r.endCleanup(ctx, done, "Update successful. One or more resources could not be deleted.")
		}
	}
	return r.endCleanup(ctx, done, "")
}

// leftovers lists what does not belong to the stack after the operation.
func (r *run) leftovers() []doomed {
	var list []doomed
	for _, one := range r.have {
		all := r.doom(one)
		if r.stays(one) {
			all = all[:len(all)-1] // only its older generations
		}
		for _, d := range all {
			if !r.gone(d) || !d.old && one.Status != "DELETE_COMPLETE" && one.Status != "DELETE_SKIPPED" {
				list = append(list, d)
			}
		}
	}
	return list
}

// stays reports whether a resource belongs to the stack after the operation.
func (r *run) stays(one *records.Resource) bool {
	if r.st.Status == "UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS" {
		// The record was brought back, or was made by the update that failed.
		return one.Touched != records.Created || !one.TouchedSince(r.st)
	}
	return r.declared[one.LogicalID] != nil
}

// endCleanup forgets what is left over, and ends the operation.
func (r *run) endCleanup(ctx context.Context, done, reason string) error {
	left := r.leftovers()
	_, err := r.e.Update(ctx, r.id, func(tx *store.Tx, st *records.Stack) error {
		for _, d := range left {
			one := *r.have[d.id]
			one.Old = nil
			write := one.Put
			if !r.stays(&one) {
				write = one.Delete
			}
			if err := write(tx); err != nil {
				return err
			}
		}
		st.Held = false
		return r.e.SetStatus(tx, st, done, reason)
	})
	if len(left) > 0 {
		r.have = nil // not what is stored any more
	}
	return err
}
