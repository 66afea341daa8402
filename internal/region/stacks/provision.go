package stacks

import (
	"context"
	"crypto/sha256"
	"encoding/base32"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/seed-615d3599/roost/cfn"
	"github.com/seed-615d3599/roost/internal/region/resources"
	"github.com/seed-615d3599/roost/internal/region/store"
	"github.com/seed-615d3599/roost/internal/region/wire"
)

// wanted is what a resource should be.
type wanted struct {
	declared *cfn.Resource
	kind     *resources.Type // nil for a record
	props    map[string]any
	secrets  []string
}

// provision brings one resource to what the template says. After a crash it
// goes on where the last run stopped.
func (r *run) provision(ctx context.Context, logicalID string) error {
	declared := r.plan.Resource(logicalID)
	r.mu.Lock()
	one := r.have[logicalID]
	r.mu.Unlock()
	if one == nil {
		one = &resource{StackID: r.st.ID, LogicalID: logicalID, Type: declared.Type}
	}
	want, err := r.want(ctx, declared)
	if one.touched(r.st) != "" && strings.HasSuffix(one.Status, "_COMPLETE") {
		return err // an earlier run of this operation did it
	}
	if err != nil {
		return r.failed(ctx, one, want, err)
	}
	next := *one
	next.DependsOn = r.plan.DependsOn(logicalID)
	next.Retain = declared.DeletionPolicy == "Retain" || declared.DeletionPolicy == "RetainExceptOnCreate"
	next.RetainOld = declared.UpdateReplacePolicy == "Retain"
	return r.change(ctx, one, &next, want)
}

// change decides whether a resource is to be made, updated, replaced or left.
func (r *run) change(ctx context.Context, one, next *resource, want *wanted) error {
	if !one.Exists {
		return r.make(ctx, next, want, "created")
	}
	if one.Type != want.declared.Type {
		return r.make(ctx, next, want, "replaced")
	}
	changes := cfn.Diff(one.State.Properties, want.props)
	if len(changes) == 0 {
		return r.keep(ctx, one, next)
	}
	if want.kind != nil && !one.Recorded {
		for _, change := range changes {
			if want.kind.Replaces(change.Path) {
				return r.make(ctx, next, want, "replaced")
			}
		}
	}
	return r.alter(ctx, next, want)
}

// want evaluates what a resource should be and checks it against its type.
func (r *run) want(ctx context.Context, declared *cfn.Resource) (*wanted, error) {
	want := &wanted{declared: declared}
	result, err := r.plan.Properties(declared, r.lookup(ctx))
	if err != nil {
		return want, err
	}
	want.props, _ = result.Value.(map[string]any)
	want.secrets = result.Secrets
	kind, ok := r.s.config.Types.Lookup(declared.Type)
	if !ok {
		return want, nil // New checked that it may be a record
	}
	if problems := kind.Check(want.props); len(problems) > 0 {
		return want, errors.New("Properties validation failed for resource " + declared.LogicalID + ": " + problems[0].String())
	}
	want.kind = kind
	want.props = withStackTags(kind, kind.Normalize(want.props), r.st.Tags)
	return want, nil
}

// withStackTags adds the stack's tags to a resource that can have tags. Its own
// win.
func withStackTags(kind *resources.Type, props map[string]any, tags map[string]string) map[string]any {
	property, ok := kind.Properties["Tags"]
	if !ok || len(tags) == 0 {
		return props
	}
	props = maps.Clone(props)
	if property.Kind != resources.List {
		merged := map[string]any{}
		for key, value := range tags {
			merged[key] = value
		}
		own, _ := props["Tags"].(map[string]any)
		maps.Copy(merged, own)
		props["Tags"] = merged
		return props
	}
	list, _ := props["Tags"].([]any)
	list = slices.Clone(list)
	for _, key := range sortedKeys(tags) {
		if !hasTag(list, key) {
			list = append(list, map[string]any{"Key": key, "Value": tags[key]})
		}
	}
	props["Tags"] = list
	return props
}

func hasTag(list []any, key string) bool {
	return slices.ContainsFunc(list, func(item any) bool {
		tag, _ := item.(map[string]any)
		return tag["Key"] == key
	})
}

// keep leaves a resource as it is. Only what the template says of its
// deletion and its dependencies may have changed.
func (r *run) keep(ctx context.Context, one, next *resource) error {
	if slices.Equal(one.DependsOn, next.DependsOn) && one.Retain == next.Retain && one.RetainOld == next.RetainOld {
		return nil
	}
	return r.record(ctx, func(tx *store.Tx) error { return putResource(tx, next) }, next)
}

// record runs f in a transaction and then shows the resource to those that
// depend on it.
func (r *run) record(ctx context.Context, f func(*store.Tx) error, one *resource) error {
	err := r.s.config.DB.Update(ctx, func(_ context.Context, tx *store.Tx) error { return f(tx) })
	if err == nil {
		r.show(one)
	}
	return err
}

func (r *run) show(one *resource) {
	r.mu.Lock()
	r.have[one.LogicalID] = one
	r.mu.Unlock()
}

// make creates a resource, in place of the one that is there if how is
// "replaced".
func (r *run) make(ctx context.Context, next *resource, want *wanted, how string) error {
	verb := "CREATE"
	if how == "replaced" {
		verb = "UPDATE"
	}
	if next.touched(r.st) == "" {
		token, err := r.s.uuid()
		if err != nil {
			return err
		}
		if how == "replaced" {
			next.Before = next.generation()
		}
		next.touch(r.st, token, how)
		next.Type = want.declared.Type
	}
	next.Secrets, next.Recorded = want.secrets, want.kind == nil
	reason := ""
	if verb == "UPDATE" {
		reason = "Requested update requires the creation of a new physical resource; hence creating one."
	}
	err := r.perform(ctx, next, want, verb, reason, func(ctx context.Context) (resources.State, error) {
		if want.kind == nil || want.kind.Recorded && want.kind.Create == nil {
			return resources.State{ID: physicalName(r.st.Name, next.LogicalID, next.Token, 255)}, nil
		}
		return want.kind.Create(ctx, r.envOf(next), want.props)
	})
	if err != nil {
		return r.failed(ctx, next, want, err)
	}
	return nil
}

// alter changes a resource in place.
func (r *run) alter(ctx context.Context, next *resource, want *wanted) error {
	if next.touched(r.st) == "" {
		token, err := r.s.uuid()
		if err != nil {
			return err
		}
		next.Before = next.generation()
		next.touch(r.st, token, "updated")
	}
	have := next.State
	next.Secrets = want.secrets
	err := r.perform(ctx, next, want, "UPDATE", "", func(ctx context.Context) (resources.State, error) {
		if want.kind == nil || want.kind.Recorded && want.kind.Update == nil {
			return have, nil
		}
		return want.kind.Update(ctx, r.envOf(next), have, want.props)
	})
	if err != nil {
		return r.failed(ctx, next, want, err)
	}
	return nil
}

// perform runs act and records what came of it: in one transaction, or for a
// slow type with a transaction before and one after.
func (r *run) perform(ctx context.Context, next *resource, want *wanted, verb, reason string, act func(context.Context) (resources.State, error)) error {
	begin := func(tx *store.Tx) error {
		next.Status, next.Reason, next.Updated = verb+"_IN_PROGRESS", reason, r.s.config.Now().UTC()
		if err := putResource(tx, next); err != nil {
			return err
		}
		return r.s.putEvent(tx, r.st, resourceEvent(next, want))
	}
	end := func(tx *store.Tx, state resources.State) error {
		if next.Touched == "replaced" && next.Before != nil {
			next.Old = append(next.Old, *next.Before)
		}
		next.State, next.Exists, next.Progress = state, true, nil
		next.State.Properties = want.props
		if verb == "CREATE" {
			initiated := resourceEvent(next, want)
			initiated.Status, initiated.Reason = "CREATE_IN_PROGRESS", "Resource creation Initiated"
			if err := r.s.putEvent(tx, r.st, initiated); err != nil {
				return err
			}
		}
		next.Status, next.Reason, next.Updated = verb+"_COMPLETE", "", r.s.config.Now().UTC()
		if err := putResource(tx, next); err != nil {
			return err
		}
		return r.s.putEvent(tx, r.st, resourceEvent(next, want))
	}
	if want.kind != nil && want.kind.Slow {
		return r.performSlowly(ctx, next, begin, act, end)
	}
	work := *next
	err := r.s.config.DB.Update(ctx, func(ctx context.Context, tx *store.Tx) error {
		*next = work // a retried batch begins anew
		if err := begin(tx); err != nil {
			return err
		}
		state, err := act(ctx)
		if err != nil {
			return err
		}
		return end(tx, state)
	})
	if err == nil {
		r.show(next)
	}
	return err
}

func (r *run) performSlowly(ctx context.Context, next *resource, begin func(*store.Tx) error, act func(context.Context) (resources.State, error), end func(*store.Tx, resources.State) error) error {
	if err := r.s.config.DB.Update(ctx, func(_ context.Context, tx *store.Tx) error { return begin(tx) }); err != nil {
		return err
	}
	state, err := act(ctx)
	if err != nil {
		if state.ID != "" && !next.Exists { // made in part: to be removed by the rollback
			next.State, next.Exists = state, true
		}
		return err
	}
	return r.record(ctx, func(tx *store.Tx) error { return end(tx, state) }, next)
}

// failed records why a resource could not be brought to what it should be.
func (r *run) failed(ctx context.Context, one *resource, want *wanted, cause error) error {
	if r.s.ctx.Err() != nil {
		return cause // the region stops; the next start goes on
	}
	verb := "CREATE"
	if one.Exists {
		verb = "UPDATE"
	}
	reason := failure(one, cause)
	ctx = context.WithoutCancel(ctx)
	err := r.s.config.DB.Update(ctx, func(_ context.Context, tx *store.Tx) error {
		if one.Status != verb+"_IN_PROGRESS" || want.kind == nil || !want.kind.Slow {
			one.Status, one.Reason = verb+"_IN_PROGRESS", ""
			if err := r.s.putEvent(tx, r.st, resourceEvent(one, want)); err != nil {
				return err
			}
		}
		one.Status, one.Reason, one.Updated = verb+"_FAILED", reason, r.s.config.Now().UTC()
		if err := putResource(tx, one); err != nil {
			return err
		}
		return r.s.putEvent(tx, r.st, resourceEvent(one, want))
	})
	r.show(one)
	return errors.Join(cause, err)
}

// failure is the reason that the event of a failed resource gives, in
// CloudFormation's words.
func failure(one *resource, cause error) string {
	if errors.Is(cause, context.DeadlineExceeded) || errors.Is(cause, context.Canceled) {
		return "Resource creation cancelled"
	}
	var known *wire.Error
	if !errors.As(cause, &known) {
		return message(cause)
	}
	return fmt.Sprintf("Resource handler returned message: %q (RequestToken: %s, HandlerErrorCode: %s)", known.Message, one.Token, handlerCode(known))
}

// handlerCode translates a service's error to CloudFormation's codes for
// resource handlers ("Handler error codes" of the CLI's user guide).
func handlerCode(e *wire.Error) string {
	switch {
	case strings.Contains(e.Code, "AccessDenied"):
		return "AccessDenied"
	case strings.Contains(e.Code, "AlreadyExists"), strings.Contains(e.Code, "Conflict"):
		return "AlreadyExists"
	case e.Status == 404, strings.Contains(e.Code, "NotFound"), strings.Contains(e.Code, "NoSuch"):
		return "NotFound"
	case strings.Contains(e.Code, "Limit"), strings.Contains(e.Code, "TooMany"):
		return "ServiceLimitExceeded"
	case e.Status >= 500:
		return "ServiceInternalError"
	}
	return "InvalidRequest"
}

func resourceEvent(one *resource, want *wanted) event {
	e := event{LogicalID: one.LogicalID, PhysicalID: one.State.ID, Type: one.Type, Status: one.Status, Reason: one.Reason}
	if want != nil && want.props != nil {
		data, err := json.Marshal(cfn.Mask(want.props, want.secrets))
		if err == nil {
			e.Properties = string(data)
		}
	}
	return e
}

// physicalName is the name that CloudFormation gives a resource: the stack's,
// the logical id and twelve characters, shortened from within to fit.
func physicalName(stack, logicalID, token string, max int) string {
	sum := sha256.Sum256([]byte(token + "/" + logicalID))
	random := base32.StdEncoding.EncodeToString(sum[:8])[:12]
	room := max - len(random) - 2
	if over := len(stack) + len(logicalID) - room; over > 0 {
		half := room / 2
		stack = stack[:min(len(stack), room-min(len(logicalID), half))]
		logicalID = logicalID[:min(len(logicalID), room-len(stack))]
	}
	return stack + "-" + logicalID + "-" + random
}

func sortedKeys[V any](m map[string]V) []string {
	return slices.Sorted(maps.Keys(m))
}
