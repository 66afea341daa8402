package engine

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"

	"github.com/seed-615d3599/roost/cfn"
	"github.com/seed-615d3599/roost/internal/region/stacks/plan"
	"github.com/seed-615d3599/roost/internal/region/stacks/records"
	"github.com/seed-615d3599/roost/internal/region/stacks/walk"
	"github.com/seed-615d3599/roost/internal/region/store"
	"github.com/seed-615d3599/roost/internal/region/wire"
)

// run is one operation on one stack.
type run struct {
	e      *Engine
	id     string
	hint   *Hint
	caller *wire.Caller

	st       *records.Stack
	plan     *cfn.Stack // of the template that the stack goes to; nil where none is needed
	planned  int        // the revision of plan
	declared map[string]*cfn.Resource

	mu       sync.Mutex
	have     map[string]*records.Resource // by logical id; nil until they are read
	imported map[string]bool              // the exports that were used
}

// all performs one phase after the other until the stack is at rest.
func (r *run) all(ctx context.Context, caller *wire.Caller) error {
	for {
		st, err := r.e.Find(ctx, r.id)
		if err != nil {
			return err
		}
		if !records.Active(st.Status) || st.Parked() {
			if r.have != nil && (st.Status == "CREATE_COMPLETE" || st.Status == "UPDATE_COMPLETE") {
				r.e.rest.Keep(st, r.have)
			}
			return nil
		}
		r.st = st
		if r.caller, err = r.e.config.Rights.Of(st, caller); err != nil {
			err = r.giveUp(ctx, err)
		} else {
			err = r.phase(ctx)
		}
		if err != nil {
			return err
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
	}
}

// giveUp ends a phase that cannot even begin. What follows it may end so too. Nested
// stacks that wait for their parent's cleanup do not wait for one that never comes.
func (r *run) giveUp(ctx context.Context, cause error) error {
	if r.st.Status == "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS" {
		if err := r.load(ctx); err != nil {
			return err
		}
		if err := r.releaseNested(ctx); err != nil {
			return err
		}
	}
	_, err := r.e.Update(ctx, r.id, func(tx *store.Tx, st *records.Stack) error {
		failed := map[string]string{
			"CREATE_IN_PROGRESS": "CREATE_FAILED", "UPDATE_IN_PROGRESS": "UPDATE_ROLLBACK_IN_PROGRESS",
			"DELETE_IN_PROGRESS": "DELETE_FAILED", "ROLLBACK_IN_PROGRESS": "ROLLBACK_FAILED",
			"UPDATE_COMPLETE_CLEANUP_IN_PROGRESS": "UPDATE_COMPLETE",
		}[st.Status]
		switch {
		case st.Status == "UPDATE_IN_PROGRESS" && st.DisableRollback:
			failed = "UPDATE_FAILED"
		case failed == "":
			failed = "UPDATE_ROLLBACK_FAILED"
		}
		return r.e.SetStatus(tx, st, failed, plan.Message(cause))
	})
	return err
}

func (r *run) phase(ctx context.Context) error {
	if err := r.load(ctx); err != nil {
		return err
	}
	switch r.st.Status {
	case "CREATE_IN_PROGRESS":
		return r.create(ctx)
	case "UPDATE_IN_PROGRESS":
		return r.update(ctx)
	case "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS":
		return r.cleanup(ctx, "UPDATE_COMPLETE")
	case "UPDATE_ROLLBACK_IN_PROGRESS":
		return r.rollBackUpdate(ctx)
	case "UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS":
		return r.cleanup(ctx, "UPDATE_ROLLBACK_COMPLETE")
	case "ROLLBACK_IN_PROGRESS":
		return r.removeAll(ctx, "ROLLBACK_COMPLETE", "ROLLBACK_FAILED")
	case "DELETE_IN_PROGRESS":
		return r.removeAll(ctx, "DELETE_COMPLETE", "DELETE_FAILED")
	}
	return fmt.Errorf("the status %s is not known", r.st.Status)
}

// load reads the stack's resources; later phases of a run know them already.
func (r *run) load(ctx context.Context) error {
	if r.have != nil {
		return nil
	}
	var all []*records.Resource
	if r.hinted() {
		all = r.hint.Have
	}
	if all == nil {
		var err error
		if all, err = r.e.Resources(ctx, r.id); err != nil {
			return err
		}
	}
	r.have, r.imported = make(map[string]*records.Resource, len(all)), map[string]bool{}
	for _, one := range all {
		r.have[one.LogicalID] = one
	}
	return nil
}

// hinted reports whether the hint is about the operation under way.
func (r *run) hinted() bool {
	return r.hint != nil && r.hint.Prepared != nil && r.hint.Prepared.Revision == r.st.Revision
}

// create makes all resources of a new stack.
func (r *run) create(ctx context.Context) error {
	failed, err := r.provisionAll(ctx)
	if err != nil || ctx.Err() != nil {
		return err
	}
	if failed == "" {
		if failed = r.complete(ctx, "CREATE_COMPLETE"); failed == "" {
			return nil
		}
	}
	_, err = r.e.Update(ctx, r.id, func(tx *store.Tx, st *records.Stack) error {
		switch st.OnFailure {
		case "DO_NOTHING":
			return r.e.SetStatus(tx, st, "CREATE_FAILED", failed)
		case "DELETE":
			return r.e.SetStatus(tx, st, "DELETE_IN_PROGRESS", failed+"Delete requested by user.")
		}
		return r.e.SetStatus(tx, st, "ROLLBACK_IN_PROGRESS", failed+"Rollback requested by user.")
	})
	return err
}

// update brings a stack to its new template.
func (r *run) update(ctx context.Context) error {
	failed, err := r.provisionAll(ctx)
	if err != nil || ctx.Err() != nil {
		return err
	}
	if failed == "" {
		if failed = r.complete(ctx, "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS"); failed == "" {
			return nil
		}
	}
	_, err = r.e.Update(ctx, r.id, func(tx *store.Tx, st *records.Stack) error {
		if st.DisableRollback {
			return r.e.SetStatus(tx, st, "UPDATE_FAILED", failed)
		}
		return r.e.SetStatus(tx, st, "UPDATE_ROLLBACK_IN_PROGRESS", failed)
	})
	return err
}

// provisionAll brings every resource of the template to what it should be. It
// returns why that failed, as the stack's event says it, and an error only
// for what stops the run.
func (r *run) provisionAll(ctx context.Context) (failed string, err error) {
	if err := r.settle(ctx); err != nil {
		return plan.Message(err) + " ", ctx.Err()
	}
	working, stop := r.working(ctx)
	defer stop()
	errs, left := walk.All(working, r.waits(), r.e.config.MaxParallel, r.provision)
	if ctx.Err() != nil {
		return "", ctx.Err()
	}
	r.abandon(errs, left)
	switch {
	case len(errs)+len(left) == 0:
		return "", nil
	case errors.Is(working.Err(), context.DeadlineExceeded):
		return "Stack creation time exceeded the specified timeout. ", nil
	}
	return r.whatFailed(sortedKeys(errs), left), nil
}

// abandon has those slow resources end that an earlier run began and this one
// does not come to, because something else failed: what they left behind is to
// be known to the rollback.
func (r *run) abandon(errs map[string]error, left []string) {
	stopped, stop := context.WithCancel(r.e.ctx)
	stop()
	for _, id := range left {
		if one := r.have[id]; one != nil && one.Op == r.st.Revision && strings.HasSuffix(one.Status, "_IN_PROGRESS") {
			if err := r.provision(stopped, id); err != nil {
				errs[id] = err
			}
		}
	}
}

// whatFailed lists what could not be created or updated.
func (r *run) whatFailed(failed, left []string) string {
	if len(failed) == 0 {
		failed = left // nothing was under way when the run was stopped
	}
	lists := map[string][]string{}
	for _, id := range failed {
		verb := "update"
		if one := r.have[id]; one == nil || one.Status == "CREATE_FAILED" {
			verb = "create"
		}
		lists[verb] = append(lists[verb], id)
	}
	reason := ""
	for _, verb := range sortedKeys(lists) {
		reason += "The following resource(s) failed to " + verb + ": [" + strings.Join(lists[verb], ", ") + "]. "
	}
	return reason
}

// working is the context in which resources are made: until the stack's
// timeout, or until the parent gives up.
func (r *run) working(ctx context.Context) (context.Context, context.CancelFunc) {
	var cancel context.CancelFunc
	if r.st.Deadline.IsZero() {
		ctx, cancel = context.WithCancel(ctx)
	} else {
		ctx, cancel = context.WithTimeout(ctx, r.st.Deadline.Sub(r.e.config.Now()))
	}
	r.e.mu.Lock()
	r.e.stops[r.id] = cancel
	if r.e.halted[r.id] {
		cancel()
	}
	r.e.mu.Unlock()
	return ctx, func() {
		r.e.mu.Lock()
		delete(r.e.stops, r.id)
		r.e.mu.Unlock()
		cancel()
	}
}

// waits lists what is to be looked at, each with what it waits for.
func (r *run) waits() map[string][]string {
	var touch map[string]bool
	if r.hinted() {
		touch = r.hint.Touch
	}
	waits := map[string][]string{}
	for _, one := range r.plan.Resources {
		if touch == nil || touch[one.LogicalID] {
			waits[one.LogicalID] = r.plan.DependsOn(one.LogicalID)
		}
	}
	if touch != nil {
		for _, name := range r.hint.Imports {
			r.imported[name] = true
		}
	}
	return waits
}

// settle makes sure that the run has the plan of the stack's revision.
func (r *run) settle(ctx context.Context) error {
	if r.plan != nil && r.planned == r.st.Revision {
		return nil
	}
	if r.hinted() {
		r.plan = r.hint.Prepared.Plan
	} else {
		body, err := r.e.Template(ctx, r.st)
		if err != nil {
			return err
		}
		if r.plan, err = r.e.Again(ctx, r.caller, r.st, body, r.st.Parameters); err != nil {
			return err
		}
	}
	r.planned = r.st.Revision
	r.declared = make(map[string]*cfn.Resource, len(r.plan.Resources))
	for _, one := range r.plan.Resources {
		r.declared[one.LogicalID] = one
	}
	return nil
}

// complete evaluates the outputs and ends the phase well. It returns why it
// could not.
func (r *run) complete(ctx context.Context, status string) (reason string) {
	var outputs []records.Output
	for _, o := range r.plan.Outputs {
		value, name, err := r.plan.Output(o, r.lookup(ctx))
		if err != nil {
			return plan.Message(err) + " "
		}
		text, ok := plan.TextOf(value.Value)
		if !ok {
			return "Template format error: Output " + o.Name + " is malformed. The Value field of every Outputs member must evaluate to a String. "
		}
		outputs = append(outputs, records.Output{Key: o.Name, Value: text, Description: o.Description, Export: name})
	}
	imports := sortedKeys(r.imported)
	_, err := r.e.Update(ctx, r.id, func(tx *store.Tx, st *records.Stack) error {
		if err := st.SetExports(tx, outputs); err != nil {
			return err
		}
		st.Outputs, st.Imports = outputs, imports
		return r.e.SetStatus(tx, st, status, "")
	})
	if err != nil {
		return plan.Message(err) + ". "
	}
	return ""
}
