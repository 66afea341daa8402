package engine

import (
	"context"
	"net/http"

	"github.com/seed-615d3599/roost/internal/region/resources"
	"github.com/seed-615d3599/roost/internal/region/stacks/plan"
	"github.com/seed-615d3599/roost/internal/region/stacks/records"
	"github.com/seed-615d3599/roost/internal/region/stacks/rights"
	"github.com/seed-615d3599/roost/internal/region/store"
	"github.com/seed-615d3599/roost/internal/region/wire"
)

// nestedType is AWS::CloudFormation::Stack. A nested stack is made, updated and
// deleted like any other, with the rights of its parent. After an update it
// does not clean up before its parent does, so that it can be rolled back with
// it.
func (e *Engine) nestedType() *resources.Type {
	return &resources.Type{
		Name:       records.StackType,
		Slow:       true,
		Properties: plan.NestedProperties(),
		Attributes: []string{"Outputs.*"},
		Create:     e.createNested,
		Update:     e.updateNested,
		Delete:     e.deleteNested,
	}
}

// createNested begins the stack, unless an earlier attempt did, and waits for
// it.
func (e *Engine) createNested(ctx context.Context, env *resources.Env, want map[string]any) (resources.State, error) {
	parent, err := e.Find(context.WithoutCancel(ctx), env.StackID)
	if err != nil {
		return resources.State{}, err
	}
	name := env.Name(128)
	child, err := e.Find(context.WithoutCancel(ctx), name)
	if err != nil {
		if child, err = e.beginNested(ctx, env, parent, name, want); err != nil {
			return resources.State{}, err
		}
	}
	child, err = e.waitNested(ctx, child)
	if err != nil {
		return resources.State{ID: child.ID}, err
	}
	if child.Status != "CREATE_COMPLETE" {
		return resources.State{ID: child.ID}, nestedFailed(child, "created")
	}
	return nestedState(child), nil
}

func (e *Engine) beginNested(ctx context.Context, env *resources.Env, parent *records.Stack, name string, want map[string]any) (*records.Stack, error) {
	id, err := e.UUID()
	if err != nil {
		return nil, err
	}
	child := &records.Stack{
		ID: e.StackARN(name, id), Name: name, Created: e.config.Now().UTC(),
		OnFailure: "DO_NOTHING", Token: env.Token, ParentID: parent.ID, RootID: parent.Root(), Depth: parent.Depth + 1,
		TimeoutMinutes: resources.Int(want, "TimeoutInMinutes", 0), Protected: parent.Protected,
	}
	rights.Inherit(parent, child)
	caller, err := e.config.Rights.Of(parent, nil)
	if err != nil {
		return nil, err
	}
	p, err := e.PrepareNested(ctx, caller, parent, child, want)
	if err != nil {
		return nil, err
	}
	err = e.config.DB.Update(ctx, func(_ context.Context, tx *store.Tx) error {
		if err := e.touch(tx, child, p); err != nil {
			return err
		}
		return e.Begin(tx, child, p, "CREATE_IN_PROGRESS")
	})
	if err != nil {
		return nil, err
	}
	e.Launch(child.ID, caller, &Hint{Prepared: p})
	return child, nil
}

// touch counts the resources of a nested stack that is made or updated for the
// operation that this is part of: that of its uppermost ancestor with one under way.
func (e *Engine) touch(tx *store.Tx, nested *records.Stack, p *plan.Prepared) error {
	top, err := nested.Top(tx)
	if err != nil {
		return err
	}
	top.Touched += len(p.Plan.Resources)
	if err := plan.MayTouch(top.Touched); err != nil {
		return err
	}
	return top.Put(tx)
}

// Stale reports whether the template of a nested stack, or of one within it, is
// not what lies under its URL any more: CloudFormation updates it then with its
// parent. A template that cannot be read has not changed.
func (e *Engine) Stale(ctx context.Context, caller *wire.Caller, nested resources.State) (bool, error) {
	child, err := e.Find(ctx, nested.ID)
	if err != nil {
		return false, nil // deleted behind the parent's back
	}
	have, err := e.Template(ctx, child)
	if err != nil {
		return false, err
	}
	if body, err := e.Fetch(ctx, caller, resources.Text(nested.Properties, "TemplateURL")); err == nil && body != have {
		return true, nil
	}
	all, err := e.Resources(ctx, child.ID)
	if err != nil {
		return false, err
	}
	for _, one := range all {
		if one.Type == records.StackType && one.Exists {
			if stale, err := e.Stale(ctx, caller, one.State); stale || err != nil {
				return stale, err
			}
		}
	}
	return false, nil
}

// updateNested begins an update, unless an earlier attempt did, and waits for
// it.
func (e *Engine) updateNested(ctx context.Context, env *resources.Env, have resources.State, want map[string]any) (resources.State, error) {
	child, err := e.Find(ctx, have.ID)
	if err != nil {
		return have, err
	}
	if child.Token != env.Token {
		if child, err = e.beginNestedUpdate(ctx, env, child, want); err != nil {
			return have, err
		}
	}
	child, err = e.waitNested(ctx, child)
	if err != nil {
		return have, err
	}
	if child.Status != "UPDATE_COMPLETE" && !child.Parked() {
		return have, nestedFailed(child, "updated")
	}
	return nestedState(child), nil
}

func (e *Engine) beginNestedUpdate(ctx context.Context, env *resources.Env, child *records.Stack, want map[string]any) (*records.Stack, error) {
	parent, err := e.Find(ctx, env.StackID)
	if err != nil {
		return nil, err
	}
	caller, err := e.config.Rights.Of(parent, nil)
	if err != nil {
		return nil, err
	}
	p, err := e.PrepareNested(ctx, caller, parent, child, want)
	if err != nil {
		return nil, err
	}
	have, err := e.Resources(ctx, child.ID)
	if err != nil {
		return nil, err
	}
	if err := p.Retype(have); err != nil {
		return nil, err
	}
	child, err = e.Update(ctx, child.ID, func(tx *store.Tx, st *records.Stack) error {
		if !st.Updatable() {
			return plan.Invalid("Stack:%s is in %s state and can not be updated.", st.ID, st.Status)
		}
		if err := e.touch(tx, st, p); err != nil {
			return err
		}
		if err := e.Begin(tx, st, p, "UPDATE_IN_PROGRESS"); err != nil {
			return err
		}
		st.Held, st.Token, st.DisableRollback = true, env.Token, parent.DisableRollback
		rights.Inherit(parent, st)
		return nil
	})
	if err == nil {
		e.Launch(child.ID, caller, &Hint{Prepared: p})
	}
	return child, err
}

// waitNested waits for a nested stack. When the parent does not wait any more
// because something else of it failed, what the nested stack does is cancelled.
func (e *Engine) waitNested(ctx context.Context, child *records.Stack) (*records.Stack, error) {
	at, err := e.Wait(ctx, child.ID)
	if ctx.Err() != nil && e.ctx.Err() == nil {
		e.mu.Lock()
		e.halted[child.ID] = true // also if it has not begun to make anything yet
		if stop := e.stops[child.ID]; stop != nil {
			stop()
		}
		e.mu.Unlock()
		at, _ = e.Wait(e.ctx, child.ID)
		e.mu.Lock()
		delete(e.halted, child.ID)
		e.mu.Unlock()
	}
	if at == nil {
		at = child
	}
	return at, err
}

func nestedFailed(child *records.Stack, what string) error {
	if what == "updated" {
		return wire.Errorf(http.StatusBadRequest, "NotStabilized", "Embedded stack %s was not successfully updated. Currently in %s with reason: %s", child.ID, child.Status, child.Reason)
	}
	return wire.Errorf(http.StatusBadRequest, "NotStabilized", "Embedded stack %s was not successfully %s: %s", child.ID, what, child.Reason)
}

func nestedState(child *records.Stack) resources.State {
	outputs := map[string]any{}
	for _, o := range child.Outputs {
		outputs[o.Key] = o.Value
	}
	return resources.State{ID: child.ID, Attributes: map[string]any{"Outputs": outputs}}
}

// deleteNested deletes the stack, also one that is still being made because
// its parent does not wait for it any more.
func (e *Engine) deleteNested(ctx context.Context, env *resources.Env, have resources.State) error {
	parent, err := e.Find(ctx, env.StackID)
	if err != nil {
		return err
	}
	for {
		child, err := e.Wait(ctx, have.ID)
		if wire.Code(err) == "ValidationError" || err == nil && child.Status == "DELETE_COMPLETE" {
			return nil
		}
		if err != nil {
			return err
		}
		if child.Status == "DELETE_FAILED" && child.Token == env.Token {
			return nestedFailed(child, "deleted")
		}
		_, err = e.Update(ctx, have.ID, func(tx *store.Tx, st *records.Stack) error {
			if err := st.ExportsUnused(tx); err != nil {
				return err
			}
			st.Token, st.Held, st.Retain = env.Token, false, nil
			rights.Inherit(parent, st)
			return e.SetStatus(tx, st, "DELETE_IN_PROGRESS", "User Initiated")
		})
		if err != nil {
			return err
		}
		e.Launch(have.ID, nil, nil)
	}
}

// bringBackStack rolls a nested stack back with its parent. One that failed
// did so itself already; where it could not, it tries again.
func (r *run) bringBackStack(ctx context.Context, one *records.Resource, kind *resources.Type) error {
	a := &act{one: one, want: &wanted{kind: kind, next: *one.Before}, verb: "UPDATE", how: records.Updated, restored: true}
	a.do = func(ctx context.Context) (resources.State, error) {
		if one.State.ID != one.Before.State.ID {
			return one.Before.State, nil
		}
		return one.Before.State, r.e.rollBackNested(ctx, r.st, one.State.ID)
	}
	return r.perform(ctx, a)
}

func (e *Engine) rollBackNested(ctx context.Context, parent *records.Stack, id string) error {
	child, err := e.Wait(ctx, id)
	if err != nil {
		return err
	}
	if child.Parked() || child.Status == "UPDATE_FAILED" || child.Status == "UPDATE_ROLLBACK_FAILED" {
		_, err = e.Update(ctx, id, func(tx *store.Tx, st *records.Stack) error {
			st.Held = false
			rights.Inherit(parent, st)
			return e.SetStatus(tx, st, "UPDATE_ROLLBACK_IN_PROGRESS", "")
		})
		if err != nil {
			return err
		}
		e.Launch(id, nil, nil)
		if child, err = e.Wait(ctx, id); err != nil {
			return err
		}
	}
	if child.Status == "UPDATE_ROLLBACK_FAILED" {
		return nestedFailed(child, "updated")
	}
	return nil
}

// releaseNested lets the nested stacks clean up, now that their parent does, and
// waits for them: also for those that an earlier run let go.
func (r *run) releaseNested(ctx context.Context) error {
	for _, one := range r.have {
		if one.Type != records.StackType || !one.Exists {
			continue
		}
		child, err := r.e.Find(ctx, one.State.ID)
		if err != nil || !records.Active(child.Status) {
			continue // deleted behind the parent's back, or not updated
		}
		if child.Parked() {
			if _, err := r.e.Update(ctx, child.ID, func(_ *store.Tx, st *records.Stack) error {
				st.Held = false
				return nil
			}); err != nil {
				return err
			}
			r.e.Launch(child.ID, nil, nil)
		}
		if _, err := r.e.Wait(ctx, child.ID); err != nil {
			return err
		}
	}
	return nil
}
