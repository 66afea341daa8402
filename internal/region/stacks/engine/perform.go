package engine

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/seed-615d3599/roost/cfn"
	"github.com/seed-615d3599/roost/internal/region/resources"
	"github.com/seed-615d3599/roost/internal/region/stacks/plan"
	"github.com/seed-615d3599/roost/internal/region/stacks/records"
	"github.com/seed-615d3599/roost/internal/region/store"
	"github.com/seed-615d3599/roost/internal/region/wire"
)

// act is one creation or change of one resource.
type act struct {
	one      *records.Resource
	want     *wanted
	verb     string // CREATE or UPDATE
	how      records.Touch
	reason   string // of the first event
	restored bool   // it brings back what was before
	do       func(context.Context) (resources.State, error)
}

// perform does an act and records what came of it: in one transaction, or for
// a slow type with a transaction before and one after.
func (r *run) perform(ctx context.Context, a *act) error {
	var err error
	if a.want.kind != nil && a.want.kind.Slow {
		err = r.performSlowly(ctx, a)
	} else {
		before := *a.one
		err = r.e.config.DB.Update(context.WithoutCancel(ctx), func(ctx context.Context, tx *store.Tx) error {
			if err := r.started(tx, a); err != nil {
				return err
			}
			state, err := a.do(ctx)
			if err != nil {
				return err
			}
			return r.done(tx, a, state)
		})
		if err != nil {
			*a.one = before
		}
	}
	if err != nil {
		return r.failed(ctx, a, err)
	}
	r.show(a.one)
	return nil
}

func (r *run) performSlowly(ctx context.Context, a *act) error {
	if !a.resumed() { // by an earlier run
		begin := func(_ context.Context, tx *store.Tx) error { return r.started(tx, a) }
		if err := r.e.config.DB.Update(ctx, begin); err != nil {
			return err
		}
	}
	state, err := a.do(ctx)
	if err != nil {
		if state.ID != "" {
			madeInPart(a, state)
		}
		return err
	}
	return r.e.config.DB.Update(context.WithoutCancel(ctx), func(_ context.Context, tx *store.Tx) error { return r.done(tx, a, state) })
}

// madeInPart keeps what a slow creation left behind, so that it is removed.
func madeInPart(a *act, state resources.State) {
	switch {
	case a.how == records.Replaced && state.ID != a.one.State.ID:
		part := a.want.next
		part.State.ID, part.State.Attributes, part.State.Data = state.ID, state.Attributes, state.Data
		a.one.Old = append(a.one.Old, part)
	case a.how == records.Created && !a.one.Exists:
		props := a.want.next.State.Properties
		a.one.Generation, a.one.Exists = a.want.next, true
		a.one.State = state
		a.one.State.Properties = props
	}
}

// started writes that an act begins.
func (r *run) started(tx *store.Tx, a *act) error {
	one := a.one
	one.Status, one.Reason, one.Updated = a.verb+"_IN_PROGRESS", a.reason, r.e.config.Now().UTC()
	if err := one.Put(tx); err != nil {
		return err
	}
	return r.e.putEvent(tx, r.st, a.event())
}

// resumed reports whether an earlier run, which a crash ended, began the act.
func (a *act) resumed() bool { return a.one.Status == a.verb+"_IN_PROGRESS" }

// done writes that an act succeeded.
func (r *run) done(tx *store.Tx, a *act, state resources.State) error {
	one := a.one
	previous, had := one.Generation, one.Exists
	one.Generation, one.Exists, one.Progress = a.want.next, true, nil
	one.State = state
	one.State.Properties = a.want.next.State.Properties
	another := had && !r.e.same(previous, one.Generation)
	if another {
		r.superseded(a, previous)
	} else if a.how == records.Replaced && one.Touched == records.Replaced {
		one.Touched = records.Updated // made anew in place: there is nothing to swap back to
	}
	one.Restored = a.restored
	if a.verb == "CREATE" || another {
		initiated := a.event()
		initiated.Reason = "Resource creation Initiated"
		if err := r.e.putEvent(tx, r.st, initiated); err != nil {
			return err
		}
	}
	one.Status, one.Reason, one.Updated = a.verb+"_COMPLETE", "", r.e.config.Now().UTC()
	if err := one.Put(tx); err != nil {
		return err
	}
	return r.e.putEvent(tx, r.st, a.event())
}

// superseded leaves the physical resource that another took the place of to
// the cleanup.
func (r *run) superseded(a *act, previous records.Generation) {
	one := a.one
	if a.restored && one.Before != nil && r.e.same(one.Generation, *one.Before) {
		one.Old = r.e.without(one.Old, one.Generation)
	}
	one.Old = append(r.e.without(one.Old, previous), previous)
	if one.Touched == records.Updated {
		// The type gave it a new physical id by itself: AWS takes that for a
		// replacement (custom resources).
		one.Touched = records.Replaced
	}
}

// failed records why a resource could not be brought to what it should be.
func (r *run) failed(ctx context.Context, a *act, cause error) error {
	if r.e.ctx.Err() != nil {
		return cause // the region stops; the next start goes on
	}
	one := a.one
	reason := failure(a, cause)
	err := r.e.config.DB.Update(context.WithoutCancel(ctx), func(_ context.Context, tx *store.Tx) error {
		if one.Status != a.verb+"_IN_PROGRESS" {
			if err := r.started(tx, a); err != nil {
				return err
			}
		}
		one.Status, one.Reason, one.Updated, one.Progress = a.verb+"_FAILED", reason, r.e.config.Now().UTC(), nil
		if err := one.Put(tx); err != nil {
			return err
		}
		return r.e.putEvent(tx, r.st, a.event())
	})
	r.show(one)
	return errors.Join(cause, err)
}

// failedToBegin records that it is not even known what a resource should be.
func (r *run) failedToBegin(ctx context.Context, one *records.Resource, want *wanted, cause error) error {
	a := &act{one: one, want: want, verb: "CREATE", how: records.Created}
	if one.Exists {
		a.verb, a.how = "UPDATE", records.Updated
	}
	if err := r.begin(one, a.how); err != nil {
		return err
	}
	return r.failed(ctx, a, cause)
}

// record runs f in a transaction and then shows the resource to those that
// depend on it.
func (r *run) record(ctx context.Context, f func(*store.Tx) error, one *records.Resource) error {
	err := r.e.config.DB.Update(ctx, func(_ context.Context, tx *store.Tx) error { return f(tx) })
	if err == nil {
		r.show(one)
	}
	return err
}

func (r *run) show(one *records.Resource) {
	r.mu.Lock()
	r.have[one.LogicalID] = one
	r.mu.Unlock()
}

// failure is the reason that the event of a failed resource gives, in
// CloudFormation's words.
func failure(a *act, cause error) string {
	if errors.Is(cause, context.DeadlineExceeded) || errors.Is(cause, context.Canceled) {
		if a.verb == "UPDATE" {
			return "Resource update cancelled"
		}
		return "Resource creation cancelled"
	}
	var known *wire.Error
	if !errors.As(cause, &known) {
		return plan.Message(cause)
	}
	code := plan.HandlerCode(known)
	if code == "AlreadyExists" && a.how == records.Replaced {
		if name, ok := a.customName(); ok {
			return "CloudFormation cannot update a stack when a custom-named resource requires replacing. Rename " + name + " and update the stack again."
		}
	}
	return fmt.Sprintf("Resource handler returned message: %q (RequestToken: %s, HandlerErrorCode: %s)", known.Message, a.one.Token, code)
}

// customName is the name that the template gives a resource and that the one
// in its place would have to take over.
func (a *act) customName() (name string, ok bool) {
	for _, value := range a.want.next.State.Properties {
		name, ok = value.(string)
		if ok && name != "" && (a.one.State.ID == name || strings.HasSuffix(a.one.State.ID, "/"+name)) {
			return name, true
		}
	}
	return "", false
}

// event is what became of the resource just now.
func (a *act) event() records.Event {
	one := a.one
	event := records.Event{LogicalID: one.LogicalID, PhysicalID: one.State.ID, Type: a.want.next.Type, Status: one.Status, Reason: one.Reason}
	if props := a.want.next.State.Properties; props != nil {
		if data, err := json.Marshal(cfn.Mask(props, a.want.next.Secrets)); err == nil {
			event.Properties = string(data)
		}
	}
	return event
}
