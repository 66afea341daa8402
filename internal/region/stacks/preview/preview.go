// Package preview tells what deploying a template would do to each resource of
// a stack, in the words of change sets, and does nothing.
//
//	p, err := preview.Of(ctx, e, preview.Question{Caller: caller, Stack: st, Prepared: prepared})
//	p.Changes    // for a person
//	p.Hint       // for the engine, so that it looks at no more than it must
package preview

import (
	"context"
	"encoding/json"
	"maps"
	"slices"
	"strings"

	"github.com/seed-615d3599/roost/cfn"
	"github.com/seed-615d3599/roost/internal/region/stacks/engine"
	"github.com/seed-615d3599/roost/internal/region/stacks/plan"
	"github.com/seed-615d3599/roost/internal/region/stacks/records"
	"github.com/seed-615d3599/roost/internal/region/wire"
)

// Question is what would be deployed, and where.
type Question struct {
	Caller   *wire.Caller
	Stack    *records.Stack // as it is
	Have     []*records.Resource
	Prepared *plan.Prepared
}

// Answer is what would become of it.
type Answer struct {
	Changes []Change
	Nested  []Nested // of the changes, those of nested stacks
	Hint    *engine.Hint
	lookup  cfn.Lookup // what outputs would refer to
}

// Nothing reports whether an update would do nothing. One after a failure is
// never nothing.
func (a *Answer) Nothing(before *records.Stack, p *plan.Prepared) bool {
	sameTags := p.Tags == nil || maps.Equal(before.Tags, p.Tags)
	sameTopics := p.NotificationARNs == nil || slices.Equal(before.NotificationARNs, p.NotificationARNs)
	return len(a.Changes) == 0 && sameTags && sameTopics && a.sameOutputs(before, p) && !strings.HasSuffix(before.Status, "_FAILED")
}

// sameOutputs reports whether the outputs of a template are those that the
// stack has, as far as that is known.
func (a *Answer) sameOutputs(st *records.Stack, p *plan.Prepared) bool {
	if len(st.Outputs) != len(p.Plan.Outputs) {
		return false
	}
	for i, o := range p.Plan.Outputs {
		have := st.Outputs[i]
		if have.Key != o.Name || have.Description != o.Description || (have.Export == "") != (o.ExportName == nil) {
			return false
		}
		result, export, err := p.Plan.Output(o, a.lookup)
		text, known := plan.TextOf(result.Value)
		if err == nil && known && (text != have.Value || export != have.Export) {
			return false
		}
	}
	return true
}

// Of looks at each resource. The error is one of the template's functions.
func Of(ctx context.Context, e *engine.Engine, q Question) (*Answer, error) {
	f := &foresight{
		e: e, ctx: ctx, q: q, plan: q.Prepared.Plan, have: map[string]*records.Resource{}, tags: q.Stack.Tags,
		replaced: map[string]bool{}, touch: map[string]bool{}, imports: map[string]bool{}, nested: map[string]map[string]any{},
	}
	if q.Prepared.Tags != nil {
		f.tags = q.Prepared.Tags
	}
	for _, one := range q.Have {
		f.have[one.LogicalID] = one
	}
	answer := &Answer{lookup: f.lookup()}
	for _, declared := range f.plan.Resources {
		change, err := f.of(declared)
		if err != nil {
			return nil, err
		}
		if change == nil {
			continue
		}
		if change.ResourceType == records.StackType {
			answer.Nested = append(answer.Nested, Nested{Index: len(answer.Changes), Properties: f.nested[declared.LogicalID]})
		}
		answer.Changes = append(answer.Changes, Change{Type: "Resource", ResourceChange: *change})
	}
	for _, one := range q.Have {
		if f.plan.Resource(one.LogicalID) == nil && one.Exists {
			answer.Changes = append(answer.Changes, Change{Type: "Resource", ResourceChange: removal(one)})
		}
	}
	answer.Hint = &engine.Hint{Prepared: q.Prepared, Touch: f.touch, Have: q.Have, Imports: slices.Sorted(maps.Keys(f.imports))}
	return answer, nil
}

func removal(one *records.Resource) ResourceChange {
	policy := "Delete"
	if strings.HasPrefix(one.Deletion, "Retain") {
		policy = "Retain"
	}
	return ResourceChange{
		Action: "Remove", PolicyAction: policy, LogicalResourceID: one.LogicalID, PhysicalResourceID: one.State.ID, ResourceType: one.Type,
		BeforeContext: contextJSON(cfn.Mask(one.State.Properties, one.Secrets)),
	}
}

// foresight tells, resource after resource, what a deployment would do.
type foresight struct {
	e        *engine.Engine
	ctx      context.Context
	q        Question
	plan     *cfn.Stack
	tags     map[string]string
	have     map[string]*records.Resource
	replaced map[string]bool // logical ids whose id and attributes will change
	touch    map[string]bool // those of which anything may change
	imports  map[string]bool
	nested   map[string]map[string]any // the properties that nested stacks would have
}

func (f *foresight) lookup() cfn.Lookup {
	return cfn.Lookup{
		Ref: func(id string) (any, error) {
			one := f.have[id]
			if one == nil || !one.Exists || f.replaced[id] {
				return cfn.Unknown{}, nil
			}
			return one.State.ID, nil
		},
		GetAtt: func(id, attribute string) (any, error) {
			one := f.have[id]
			if one == nil || !one.Exists || f.replaced[id] {
				return cfn.Unknown{}, nil
			}
			if value, err := plan.Attribute(one, attribute); err == nil {
				return value, nil
			}
			return cfn.Unknown{}, nil
		},
		ImportValue: func(name string) (any, error) {
			f.imports[name] = true
			return f.e.ImportValue(f.ctx, name)
		},
		AvailabilityZones: plan.Zones,
		Dynamic:           func(d cfn.DynamicReference) (string, error) { return f.e.Dynamic(f.ctx, f.q.Caller, d) },
	}
}

// foreseen is what one resource would be.
type foreseen struct {
	declared *cfn.Resource
	props    map[string]any
	secrets  []string
	metadata string
}

func (f *foresight) evaluate(declared *cfn.Resource) (*foreseen, error) {
	lookup := f.lookup()
	result, err := f.plan.Properties(declared, lookup)
	if err != nil {
		return nil, err
	}
	next := &foreseen{declared: declared, secrets: result.Secrets}
	next.props, _ = result.Value.(map[string]any)
	if kind, known := f.e.Kind(declared.Type); known {
		next.props = plan.WithStackTags(kind, kind.Normalize(next.props), f.tags)
	}
	next.metadata, err = plan.Metadata(f.plan, declared, lookup)
	return next, err
}

// of foresees one resource; nil means that nothing happens to it.
func (f *foresight) of(declared *cfn.Resource) (*ResourceChange, error) {
	next, err := f.evaluate(declared)
	if err != nil {
		return nil, err
	}
	id := declared.LogicalID
	if declared.Type == records.StackType {
		f.nested[id] = next.props
	}
	needs := f.plan.DependsOn(id)
	one := f.have[id]
	if one == nil || !one.Exists {
		f.touch[id], f.replaced[id] = true, true
		return &ResourceChange{
			Action: "Add", LogicalResourceID: id, ResourceType: declared.Type, AfterContext: contextJSON(cfn.Mask(next.props, next.secrets)),
		}, nil
	}
	f.touch[id] = strings.HasSuffix(one.Status, "_FAILED") || one.Metadata != next.metadata || !slices.Equal(one.DependsOn, needs) ||
		one.Deletion != declared.DeletionPolicy || one.Replace != declared.UpdateReplacePolicy ||
		slices.ContainsFunc(needs, func(need string) bool { return f.touch[need] })
	change := f.modification(one, next)
	if change == nil && one.Type == records.StackType {
		return f.renewal(one)
	}
	return change, nil
}

// renewal says that a nested stack changes because its template did, whatever
// its parent says.
func (f *foresight) renewal(one *records.Resource) (*ResourceChange, error) {
	stale, err := f.e.Stale(f.ctx, f.q.Caller, one.State)
	if err != nil || !stale {
		return nil, err
	}
	f.touch[one.LogicalID] = true
	return &ResourceChange{
		Action: "Modify", LogicalResourceID: one.LogicalID, PhysicalResourceID: one.State.ID, ResourceType: one.Type,
		Replacement: "False", Scope: []string{"Properties"},
		Details: []ChangeDetail{{
			Target: ChangeTarget{Attribute: "Properties", RequiresRecreation: "Never"}, Evaluation: "Dynamic", ChangeSource: "Automatic",
		}},
	}, nil
}

// modification says how a resource that is there would change.
func (f *foresight) modification(one *records.Resource, next *foreseen) *ResourceChange {
	differences := cfn.Diff(one.State.Properties, next.props)
	sameMetadata := one.Metadata == next.metadata
	if len(differences) == 0 && sameMetadata {
		return nil
	}
	change := &ResourceChange{
		Action: "Modify", LogicalResourceID: one.LogicalID, PhysicalResourceID: one.State.ID, ResourceType: one.Type, Replacement: "False",
		BeforeContext: contextJSON(cfn.Mask(one.State.Properties, one.Secrets)), AfterContext: contextJSON(cfn.Mask(next.props, next.secrets)),
	}
	f.touch[one.LogicalID] = true
	if !sameMetadata {
		change.Scope = []string{"Metadata"}
		change.Details = []ChangeDetail{{Target: ChangeTarget{Attribute: "Metadata", RequiresRecreation: "Never"}, Evaluation: "Static", ChangeSource: "DirectModification"}}
	}
	if len(differences) == 0 {
		return change
	}
	change.Scope = append(change.Scope, "Properties")
	kind, known := f.e.Kind(one.Type)
	masked := slices.Concat(one.Secrets, next.secrets)
	for _, difference := range differences {
		detail := detailOf(difference, masked)
		if known && !one.Recorded && kind.Replaces(difference.Path) {
			detail.Target.RequiresRecreation = "Always"
			change.Replacement = "True"
		}
		change.Details = append(change.Details, detail)
	}
	if change.Replacement == "True" {
		change.PolicyAction = "ReplaceAndDelete"
		if next.declared.UpdateReplacePolicy == "Retain" {
			change.PolicyAction = "ReplaceAndRetain"
		}
		f.replaced[one.LogicalID] = true
	}
	return change
}

func detailOf(d cfn.Change, secrets []string) ChangeDetail {
	name, _, _ := strings.Cut(d.Path, ".")
	name, _, _ = strings.Cut(name, "[")
	target := ChangeTarget{
		Attribute: "Properties", Name: name, RequiresRecreation: "Never",
		Path:        "/Properties/" + strings.NewReplacer(".", "/", "[", "/", "]", "").Replace(d.Path),
		BeforeValue: shown(d.Before), AfterValue: shown(d.After), AttributeChangeType: "Modify",
	}
	switch {
	case d.Before == nil:
		target.AttributeChangeType = "Add"
	case d.After == nil:
		target.AttributeChangeType = "Remove"
	}
	for _, secret := range secrets {
		if d.Path == secret || strings.HasPrefix(secret, d.Path+".") || strings.HasPrefix(secret, d.Path+"[") || strings.HasPrefix(d.Path, secret) {
			target.BeforeValue, target.AfterValue = "****", "****"
		}
	}
	detail := ChangeDetail{Target: target, Evaluation: "Static", ChangeSource: "DirectModification"}
	if _, unknown := d.After.(cfn.Unknown); unknown {
		detail.Evaluation = "Dynamic"
	}
	return detail
}

// shown is how a change set writes a value.
func shown(value any) string {
	if value == nil {
		return ""
	}
	if _, unknown := value.(cfn.Unknown); unknown {
		return cfn.KnownAfterApply
	}
	if text, ok := plan.TextOf(value); ok {
		return text
	}
	data, err := json.Marshal(value)
	if err != nil {
		return ""
	}
	return string(data)
}

func contextJSON(properties any) string {
	data, err := json.Marshal(map[string]any{"Properties": properties})
	if err != nil {
		return ""
	}
	return string(data)
}
