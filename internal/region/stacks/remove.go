package stacks

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/seed-615d3599/roost/internal/region/resources"
	"github.com/seed-615d3599/roost/internal/region/store"
)

// doomed is something that is to be removed: a resource, or what it was before
// it was replaced or rolled back.
type doomed struct {
	node string // names it in the walk
	one  *resource
	gen  *generation // nil for the resource itself
}

func (d doomed) dependsOn() []string {
	if d.gen != nil {
		return d.gen.DependsOn
	}
	return d.one.DependsOn
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
	_, err := r.s.update(ctx, r.id, func(tx *store.Tx, st *stack) error {
		if len(failed) > 0 {
			return r.s.setStatus(tx, st, failedStatus, "The following resource(s) failed to delete: ["+strings.Join(failed, ", ")+"]. ")
		}
		if done == "DELETE_COMPLETE" {
			st.Deleted = r.s.config.Now().UTC()
			st.Outputs = nil
			if err := removed(tx, st); err != nil {
				return err
			}
		}
		return r.s.setStatus(tx, st, done, "")
	})
	return err
}

// doom lists what there is to remove of one resource.
func (r *run) doom(one *resource) []doomed {
	list := []doomed{}
	for i := range one.Old {
		list = append(list, doomed{node: fmt.Sprintf("%s#%d", one.LogicalID, i), one: one, gen: &one.Old[i]})
	}
	return append(list, doomed{node: one.LogicalID, one: one})
}

// removeList removes things, each before what it depends on. It goes on after
// a failure with all that does not stand under it, and returns the logical ids
// that failed, sorted.
func (r *run) removeList(ctx context.Context, list []doomed) (failed []string) {
	byNode := map[string]doomed{}
	byLogical := map[string][]string{}
	for _, d := range list {
		byNode[d.node] = d
		byLogical[d.one.LogicalID] = append(byLogical[d.one.LogicalID], d.node)
	}
	waits := map[string][]string{}
	for _, d := range list {
		waits[d.node] = append(waits[d.node], []string{}...)
		for _, on := range d.dependsOn() {
			for _, node := range byLogical[on] {
				waits[node] = append(waits[node], d.node)
			}
		}
	}
	bad := map[string]bool{}
	for len(waits) > 0 {
		errs, _ := walk(ctx, waits, r.s.config.MaxParallel, func(ctx context.Context, node string) error {
			return r.remove(ctx, byNode[node])
		})
		if len(errs) == 0 || ctx.Err() != nil {
			break
		}
		for node := range errs {
			bad[byNode[node].one.LogicalID] = true
		}
		waits = r.withoutBlocked(waits, errs, byNode)
	}
	for id := range bad {
		failed = append(failed, id)
	}
	slices.Sort(failed)
	return failed
}

// withoutBlocked leaves of a walk what is still to do and does not wait for
// something that failed.
func (r *run) withoutBlocked(waits map[string][]string, errs map[string]error, byNode map[string]doomed) map[string][]string {
	blocked := map[string]bool{}
	for node := range errs {
		blocked[node] = true
	}
	for grew := true; grew; {
		grew = false
		for node, on := range waits {
			if !blocked[node] && slices.ContainsFunc(on, func(other string) bool { return blocked[other] }) {
				blocked[node], grew = true, true
			}
		}
	}
	left := map[string][]string{}
	for node, on := range waits {
		if !blocked[node] && !r.gone(byNode[node]) {
			left[node] = on
		}
	}
	return left
}

// gone reports whether nothing is left to remove of d.
func (r *run) gone(d doomed) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	now := r.have[d.one.LogicalID]
	if now == nil {
		return true
	}
	if d.gen == nil {
		return !now.Exists
	}
	return !slices.ContainsFunc(now.Old, func(g generation) bool { return g.State.ID == d.gen.State.ID })
}

// remove removes one thing, or leaves it where its policy says so.
func (r *run) remove(ctx context.Context, d doomed) error {
	r.mu.Lock()
	one := *r.have[d.one.LogicalID]
	r.mu.Unlock()
	gen := &generation{Type: one.Type, State: one.State, Recorded: one.Recorded, Retain: one.Retain}
	if d.gen != nil {
		gen = d.gen
	} else if !one.Exists {
		return r.forget(ctx, &one)
	}
	if r.retained(&one, gen) {
		return r.skip(ctx, &one, d)
	}
	kind, ok := r.s.config.Types.Lookup(gen.Type)
	act := func(ctx context.Context) error {
		if gen.Recorded || !ok || kind.Delete == nil {
			return nil
		}
		return kind.Delete(ctx, r.envOf(&one), gen.State)
	}
	if ok && kind.Slow {
		return r.removeSlowly(ctx, &one, d, gen, act)
	}
	err := r.s.config.DB.Update(ctx, func(ctx context.Context, tx *store.Tx) error {
		if err := r.removing(tx, &one, gen); err != nil {
			return err
		}
		if err := act(ctx); err != nil {
			return err
		}
		return r.removedOne(tx, &one, d, gen, "DELETE_COMPLETE")
	})
	return r.afterRemove(ctx, &one, gen, err)
}

func (r *run) removeSlowly(ctx context.Context, one *resource, d doomed, gen *generation, act func(context.Context) error) error {
	err := r.s.config.DB.Update(ctx, func(_ context.Context, tx *store.Tx) error { return r.removing(tx, one, gen) })
	if err == nil {
		err = act(ctx)
	}
	if err == nil {
		err = r.s.config.DB.Update(ctx, func(_ context.Context, tx *store.Tx) error {
			return r.removedOne(tx, one, d, gen, "DELETE_COMPLETE")
		})
	}
	return r.afterRemove(ctx, one, gen, err)
}

// retained reports whether a policy keeps something from being removed.
func (r *run) retained(one *resource, gen *generation) bool {
	if r.st.Status == "DELETE_IN_PROGRESS" && slices.Contains(r.st.Retain, one.LogicalID) {
		return true
	}
	return gen.Retain
}

// removing writes that a removal begins.
func (r *run) removing(tx *store.Tx, one *resource, gen *generation) error {
	return r.s.putEvent(tx, r.st, event{LogicalID: one.LogicalID, PhysicalID: gen.State.ID, Type: gen.Type, Status: "DELETE_IN_PROGRESS"})
}

// removedOne writes that a removal is done, or was skipped.
func (r *run) removedOne(tx *store.Tx, one *resource, d doomed, gen *generation, status string) error {
	err := r.s.putEvent(tx, r.st, event{LogicalID: one.LogicalID, PhysicalID: gen.State.ID, Type: gen.Type, Status: status})
	if err != nil {
		return err
	}
	if d.gen != nil {
		one.Old = slices.DeleteFunc(slices.Clone(one.Old), func(g generation) bool { return g.State.ID == gen.State.ID })
		return putResource(tx, one)
	}
	one.Exists, one.Status, one.Updated = false, status, r.s.config.Now().UTC()
	return r.drop(tx, one)
}

func (r *run) skip(ctx context.Context, one *resource, d doomed) error {
	gen := d.gen
	if gen == nil {
		gen = &generation{Type: one.Type, State: one.State}
	}
	err := r.s.config.DB.Update(ctx, func(_ context.Context, tx *store.Tx) error {
		return r.removedOne(tx, one, d, gen, "DELETE_SKIPPED")
	})
	return r.afterRemove(ctx, one, gen, err)
}

// forget is for a resource that was never made: there is nothing to remove.
func (r *run) forget(ctx context.Context, one *resource) error {
	one.Status = "DELETE_COMPLETE"
	return r.record(ctx, func(tx *store.Tx) error { return r.drop(tx, one) }, one)
}

// drop keeps the record of a removed resource while the whole stack goes, as
// CloudFormation shows it, and else deletes it.
func (r *run) drop(tx *store.Tx, one *resource) error {
	if r.st.Status == "DELETE_IN_PROGRESS" || r.st.Status == "ROLLBACK_IN_PROGRESS" {
		return putResource(tx, one)
	}
	return tx.Delete(kindResource, one.StackID+"/"+one.LogicalID)
}

// afterRemove shows the outcome of a removal, and records a failed one.
func (r *run) afterRemove(ctx context.Context, one *resource, gen *generation, cause error) error {
	if cause == nil {
		r.show(one)
		return nil
	}
	if r.s.ctx.Err() != nil {
		return cause
	}
	err := r.s.config.DB.Update(context.WithoutCancel(ctx), func(_ context.Context, tx *store.Tx) error {
		one.Status, one.Reason = "DELETE_FAILED", failure(one, cause)
		if err := putResource(tx, one); err != nil {
			return err
		}
		return r.s.putEvent(tx, r.st, event{LogicalID: one.LogicalID, PhysicalID: gen.State.ID, Type: gen.Type, Status: "DELETE_FAILED", Reason: one.Reason})
	})
	r.show(one)
	return errors.Join(cause, err)
}

// cleanup removes what an update, or its rollback, left over. What cannot be
// removed is left, as CloudFormation leaves it.
func (r *run) cleanup(ctx context.Context, done string) error {
	plan, err := r.s.planOf(ctx, r.st, r.st.Revision, r.st.Parameters, r.caller)
	if err != nil {
		return r.giveUp(ctx, err)
	}
	var list []doomed
	for _, one := range r.have {
		all := r.doom(one)
		if r.stays(plan.Resource(one.LogicalID) != nil, one) {
			all = all[:len(all)-1] // only its older generations
		}
		list = append(list, all...)
	}
	if len(list) > 0 {
		r.removeList(ctx, list)
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	_, err = r.s.update(ctx, r.id, func(tx *store.Tx, st *stack) error { return r.s.setStatus(tx, st, done, "") })
	return err
}

// stays reports whether a resource belongs to the stack after the operation.
func (r *run) stays(inTemplate bool, one *resource) bool {
	if r.st.Status == "UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS" {
		// The record was brought back, or was made by the update that failed.
		return one.Touched != "created" || one.Op != r.st.Tried
	}
	return inTemplate
}

// rollBackUpdate brings back what an update changed.
func (r *run) rollBackUpdate(ctx context.Context) error {
	waits := map[string][]string{}
	for id, one := range r.have {
		if how := one.touched(r.st); how == "updated" || how == "replaced" {
			waits[id] = nil
			for _, on := range one.Before.DependsOn {
				waits[id] = append(waits[id], on)
			}
		}
	}
	errs, _ := walk(ctx, waits, r.s.config.MaxParallel, r.bringBack)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	_, err := r.s.update(ctx, r.id, func(tx *store.Tx, st *stack) error {
		if len(errs) > 0 {
			return r.s.setStatus(tx, st, "UPDATE_ROLLBACK_FAILED", "The following resource(s) failed to update: ["+strings.Join(sortedNames(errs), ", ")+"]. ")
		}
		st.Revision, st.Parameters, st.Tags = st.Before, st.ParametersBefore, st.TagsBefore
		return r.s.setStatus(tx, st, "UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS", "")
	})
	return err
}

// bringBack makes a resource what it was before the update.
func (r *run) bringBack(ctx context.Context, logicalID string) error {
	r.mu.Lock()
	next := *r.have[logicalID]
	r.mu.Unlock()
	if next.Status == "UPDATE_COMPLETE" && next.Reason == broughtBack {
		return nil // an earlier run did it
	}
	before := next.Before
	kind, ok := r.s.config.Types.Lookup(before.Type)
	unchanged := next.Status == "UPDATE_FAILED" && (!ok || !kind.Slow) // its transaction was undone
	if next.Touched == "replaced" || unchanged {
		return r.swapBack(ctx, &next)
	}
	want := &wanted{kind: kind, props: before.State.Properties, secrets: before.Secrets}
	failedInPlace := next.State
	act := func(ctx context.Context) (resources.State, error) {
		if before.Recorded || !ok || kind.Update == nil {
			return before.State, nil
		}
		return kind.Update(ctx, r.envOf(&next), failedInPlace, before.State.Properties)
	}
	token, err := r.s.uuid()
	if err != nil {
		return err
	}
	next.Token, next.Secrets = token, before.Secrets
	if err := r.perform(ctx, &next, want, "UPDATE", "", act); err != nil {
		return r.failed(ctx, &next, want, err)
	}
	next.Reason, next.DependsOn = broughtBack, before.DependsOn
	return r.record(ctx, func(tx *store.Tx) error { return putResource(tx, &next) }, &next)
}

// broughtBack marks a resource that a rollback has already brought back.
const broughtBack = "brought back"

// swapBack takes the resource that was replaced back into service, and leaves
// its replacement to the cleanup.
func (r *run) swapBack(ctx context.Context, next *resource) error {
	before := next.Before
	made := next.State.ID != before.State.ID
	if made {
		next.Old = slices.DeleteFunc(slices.Clone(next.Old), func(g generation) bool { return g.State.ID == before.State.ID })
		replacement := generation{Type: next.Type, State: next.State, Recorded: next.Recorded, DependsOn: next.DependsOn}
		next.Old = append(next.Old, replacement)
	}
	next.Type, next.State, next.Secrets, next.Recorded = before.Type, before.State, before.Secrets, before.Recorded
	next.DependsOn, next.Exists, next.Status, next.Reason = before.DependsOn, true, "UPDATE_COMPLETE", broughtBack
	return r.record(ctx, func(tx *store.Tx) error {
		if err := putResource(tx, next); err != nil {
			return err
		}
		return r.s.putEvent(tx, r.st, event{LogicalID: next.LogicalID, PhysicalID: next.State.ID, Type: next.Type, Status: "UPDATE_COMPLETE"})
	}, next)
}
