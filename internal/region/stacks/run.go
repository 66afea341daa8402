package stacks

import (
	"context"
	"fmt"
	"log/slog"
	"sort"
	"strings"
	"sync"

	"github.com/seed-615d3599/roost/cfn"
	"github.com/seed-615d3599/roost/internal/region/resources"
	"github.com/seed-615d3599/roost/internal/region/store"
	"github.com/seed-615d3599/roost/internal/region/wire"
)

// run is one operation on one stack.
type run struct {
	s      *Stacks
	id     string
	caller *wire.Caller

	st   *stack
	plan *cfn.Stack // of the template that the stack goes to; nil where none is needed

	mu   sync.Mutex
	have map[string]*resource // by logical id
	// imported are the names of the exports that were used.
	imported map[string]bool
}

// Resume goes on with every operation that a stop of the region interrupted.
func (s *Stacks) Resume() error {
	var interrupted []*stack
	err := s.config.DB.View(s.ctx, func(tx *store.Tx) error {
		all, err := store.All[*stack](tx, kindStack, "")
		for _, st := range all {
			if active(st.Status) {
				interrupted = append(interrupted, st)
			}
		}
		return err
	})
	for _, st := range interrupted {
		s.launch(st, nil)
	}
	return err
}

// launch runs what a stack's status says is under way. Without a caller the
// rights are those of the one who began it.
func (s *Stacks) launch(st *stack, caller *wire.Caller) {
	s.start(func(ctx context.Context) {
		r := &run{s: s, id: st.ID}
		if err := r.all(ctx, caller); err != nil && ctx.Err() == nil {
			slog.Error("a stack operation stopped", "stack", st.Name, "err", err)
		}
	})
}

// all performs one phase after the other until the stack is at rest.
func (r *run) all(ctx context.Context, caller *wire.Caller) error {
	for {
		st, err := r.s.find(ctx, r.id)
		if err != nil {
			return err
		}
		if !active(st.Status) {
			return nil
		}
		r.st = st
		if r.caller, err = r.s.rights(st, caller); err != nil {
			return r.giveUp(ctx, err)
		}
		if err := r.phase(ctx); err != nil {
			return err
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
	}
}

// rights returns the caller with whose rights a stack's resources are made.
func (s *Stacks) rights(st *stack, caller *wire.Caller) (*wire.Caller, error) {
	switch {
	case st.RoleARN != "":
		return s.config.RoleCaller(st.RoleARN)
	case caller != nil:
		return caller, nil
	}
	return s.config.CallerFor(st.OwnerARN)
}

// giveUp ends an operation that cannot even begin.
func (r *run) giveUp(ctx context.Context, cause error) error {
	_, err := r.s.update(ctx, r.id, func(tx *store.Tx, st *stack) error {
		failed := map[string]string{
			"CREATE_IN_PROGRESS": "CREATE_FAILED", "UPDATE_IN_PROGRESS": "UPDATE_FAILED",
			"DELETE_IN_PROGRESS": "DELETE_FAILED", "ROLLBACK_IN_PROGRESS": "ROLLBACK_FAILED",
		}[st.Status]
		if failed == "" {
			failed = "UPDATE_ROLLBACK_FAILED"
		}
		return r.s.setStatus(tx, st, failed, cause.Error())
	})
	return err
}

func (r *run) phase(ctx context.Context) error {
	all, err := r.s.resources(ctx, r.id)
	if err != nil {
		return err
	}
	r.have, r.imported = make(map[string]*resource, len(all)), map[string]bool{}
	for _, one := range all {
		r.have[one.LogicalID] = one
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
	} else {
		failed = "The following resource(s) failed to create: [" + failed + "]. "
	}
	_, err = r.s.update(ctx, r.id, func(tx *store.Tx, st *stack) error {
		switch st.OnFailure {
		case "DO_NOTHING":
			return r.s.setStatus(tx, st, "CREATE_FAILED", failed)
		case "DELETE":
			return r.s.setStatus(tx, st, "DELETE_IN_PROGRESS", failed+"Delete requested by user.")
		}
		return r.s.setStatus(tx, st, "ROLLBACK_IN_PROGRESS", failed+"Rollback requested by user.")
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
	} else {
		failed = "The following resource(s) failed to update: [" + failed + "]. "
	}
	_, err = r.s.update(ctx, r.id, func(tx *store.Tx, st *stack) error {
		if st.DisableRollback {
			return r.s.setStatus(tx, st, "UPDATE_FAILED", failed)
		}
		return r.s.setStatus(tx, st, "UPDATE_ROLLBACK_IN_PROGRESS", failed)
	})
	return err
}

// provisionAll brings every resource of the template to what it should be. It
// returns the logical ids of those that failed, joined, and an error only for
// what is no resource's fault.
func (r *run) provisionAll(ctx context.Context) (failed string, err error) {
	if r.plan, err = r.s.planOf(ctx, r.st, r.st.Revision, r.st.Parameters, r.caller); err != nil {
		return "", r.giveUp(ctx, err)
	}
	if !r.st.Deadline.IsZero() {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, r.st.Deadline.Sub(r.s.config.Now()))
		defer cancel()
	}
	waits := make(map[string][]string, len(r.plan.Resources))
	for _, one := range r.plan.Resources {
		waits[one.LogicalID] = r.plan.DependsOn(one.LogicalID)
	}
	errs, left := walk(ctx, waits, r.s.config.MaxParallel, r.provision)
	if len(errs) == 0 && len(left) > 0 {
		return strings.Join(left, ", "), nil // the time ran out
	}
	return strings.Join(sortedNames(errs), ", "), nil
}

func sortedNames(m map[string]error) []string {
	names := make([]string, 0, len(m))
	for name := range m {
		names = append(names, name)
	}
	sort.Strings(names)
	return names
}

// lookup answers what properties refer to, from what is made already.
func (r *run) lookup(ctx context.Context) cfn.Lookup {
	return cfn.Lookup{
		Ref: func(id string) (any, error) {
			one, err := r.made(id)
			if err != nil {
				return nil, err
			}
			return one.State.ID, nil
		},
		GetAtt: func(id, attribute string) (any, error) {
			one, err := r.made(id)
			if err != nil {
				return nil, err
			}
			value, ok := attributeOf(one.State.Attributes, attribute)
			if !ok && !one.Recorded {
				return nil, fmt.Errorf("Requested attribute %s does not exist in schema for %s", attribute, one.Type)
			}
			if !ok {
				return one.State.ID + "." + attribute, nil // a record has no attributes of its own
			}
			return value, nil
		},
		ImportValue: func(name string) (any, error) {
			r.mu.Lock()
			r.imported[name] = true
			r.mu.Unlock()
			return r.s.importValue(ctx, name)
		},
		AvailabilityZones: availabilityZones,
		Dynamic:           func(d cfn.DynamicReference) (string, error) { return r.s.dynamic(ctx, r.caller, d) },
	}
}

func (r *run) made(id string) (*resource, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	one := r.have[id]
	if one == nil || !one.Exists {
		return nil, fmt.Errorf("the resource %s is not there", id)
	}
	return one, nil
}

// attributeOf finds an attribute by its name, or by its way through objects.
func attributeOf(attributes map[string]any, name string) (any, bool) {
	if value, ok := attributes[name]; ok {
		return value, true
	}
	head, rest, nested := strings.Cut(name, ".")
	inner, ok := attributes[head].(map[string]any)
	if !nested || !ok {
		return nil, false
	}
	return attributeOf(inner, rest)
}

func availabilityZones(region string) ([]string, error) {
	return []string{region + "a", region + "b", region + "c"}, nil
}

// complete evaluates the outputs and ends the phase well. It returns why it
// could not.
func (r *run) complete(ctx context.Context, status string) (reason string) {
	var outputs []output
	for _, o := range r.plan.Outputs {
		value, name, err := r.plan.Output(o, r.lookup(ctx))
		if err != nil {
			return message(err)
		}
		text, ok := textOf(value.Value)
		if !ok {
			return "Template format error: Output " + o.Name + " is malformed. The Value field of every Outputs member must evaluate to a String."
		}
		outputs = append(outputs, output{Key: o.Name, Value: text, Description: o.Description, Export: name})
	}
	_, err := r.s.update(ctx, r.id, func(tx *store.Tx, st *stack) error {
		if err := setExports(tx, st, outputs); err != nil {
			return err
		}
		st.Outputs = outputs
		st.Imports = sortedKeys(r.imported)
		if strings.HasPrefix(status, "UPDATE") {
			st.Updated = r.s.config.Now().UTC()
		}
		return r.s.setStatus(tx, st, status, "")
	})
	if err != nil {
		return err.Error()
	}
	return ""
}

// message is what an event or an answer says of an error.
func message(err error) string {
	switch e := err.(type) {
	case cfn.Errors:
		return e.Message()
	case *wire.Error:
		return e.Message
	}
	return err.Error()
}

// setExports brings the exports of a stack to its outputs.
func setExports(tx *store.Tx, st *stack, outputs []output) error {
	all, err := store.All[export](tx, kindExport, "")
	if err != nil {
		return err
	}
	want := map[string]string{}
	for _, o := range outputs {
		if o.Export != "" {
			want[o.Export] = o.Value
		}
	}
	for _, e := range all {
		value, kept := want[e.Name]
		if e.StackID != st.ID {
			if kept {
				return wire.Errorf(400, "ValidationError", "Export with name %s is already exported by stack %s", e.Name, stackName(e.StackID))
			}
			continue
		}
		if kept && value == e.Value {
			continue
		}
		if users, err := importers(tx, e.Name); err != nil {
			return err
		} else if len(users) > 0 {
			verb := "deleted"
			if kept {
				verb = "updated"
			}
			return wire.Errorf(400, "ValidationError", "Export %s cannot be %s as it is in use by %s", e.Name, verb, strings.Join(users, ", "))
		}
		if !kept {
			if err := tx.Delete(kindExport, e.Name); err != nil {
				return err
			}
		}
	}
	for name, value := range want {
		if err := tx.Put(kindExport, name, export{Name: name, Value: value, StackID: st.ID}); err != nil {
			return err
		}
	}
	return nil
}

// stackName is the name in a stack's ARN.
func stackName(id string) string {
	parts := strings.Split(id, "/")
	if len(parts) < 2 {
		return id
	}
	return parts[1]
}

// envOf is what a type's functions work with.
func (r *run) envOf(one *resource) *resources.Env {
	return &resources.Env{
		Call: func(ctx context.Context, service, operation string, in, out any) error {
			return r.s.call(ctx, r.caller, service, operation, in, out)
		},
		Account: r.s.config.Account, Region: r.s.config.Region,
		StackID: r.st.ID, StackName: r.st.Name, LogicalID: one.LogicalID, Token: one.Token,
		Tags:     systemTags(r.st, one.LogicalID),
		Name:     func(max int) string { return physicalName(r.st.Name, one.LogicalID, one.Token, max) },
		Progress: one.Progress,
		SaveProgress: func(ctx context.Context, progress map[string]any) error {
			return r.s.config.DB.Update(ctx, func(_ context.Context, tx *store.Tx) error {
				one.Progress = progress
				return putResource(tx, one)
			})
		},
	}
}

// call calls an operation of a service as CloudFormation does for a stack.
func (s *Stacks) call(ctx context.Context, caller *wire.Caller, service, operation string, in, out any) error {
	target, ok := s.config.Services[service]
	if !ok {
		return wire.Errorf(400, "ValidationError", "roost has no service %s", service)
	}
	return target.Call(ctx, wire.Call{
		Caller: caller, Region: s.config.Region, Account: s.config.Account, UserAgent: "cloudformation.amazonaws.com",
	}, operation, in, out)
}

func systemTags(st *stack, logicalID string) map[string]string {
	tags := map[string]string{
		"aws:cloudformation:stack-name": st.Name,
		"aws:cloudformation:stack-id":   st.ID,
		"aws:cloudformation:logical-id": logicalID,
	}
	for key, value := range st.Tags {
		tags[key] = value
	}
	return tags
}
