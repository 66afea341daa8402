package stacks

import (
	"context"
	"encoding/json"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/seed-615d3599/roost/cfn"
	"github.com/seed-615d3599/roost/internal/region/store"
	"github.com/seed-615d3599/roost/internal/region/wire"
)

// changeSet is a change set as it is stored.
type changeSet struct {
	ID             string
	Name           string
	StackID        string
	StackName      string
	Type           string // CREATE or UPDATE
	Description    string
	Status         string
	Reason         string
	Execution      string // execution status
	Created        time.Time
	Body           string
	Parameters     []parameter
	Capabilities   []string
	Definition     Definition // without template and parameters
	Changes        []Change
	Revision       int // of the stack when it was made
	OnStackFailure string
	IncludeValues  bool
}

// Change is one entry of a change set.
type Change struct {
	Type           string
	ResourceChange ResourceChange
}

// ResourceChange says what will happen to a resource.
type ResourceChange struct {
	PolicyAction       string `json:",omitempty"`
	Action             string // Add, Modify or Remove
	LogicalResourceID  string `json:"LogicalResourceId"`
	PhysicalResourceID string `json:"PhysicalResourceId,omitempty"`
	ResourceType       string
	Replacement        string `json:",omitempty"` // True, False or Conditional
	Scope              []string
	Details            []ChangeDetail
	BeforeContext      string `json:",omitempty"` // JSON
	AfterContext       string `json:",omitempty"` // JSON
}

// ChangeDetail says which property changes.
type ChangeDetail struct {
	Target       ChangeTarget
	Evaluation   string // Static or Dynamic
	ChangeSource string
}

// ChangeTarget names the property and its values.
type ChangeTarget struct {
	Attribute           string
	Name                string `json:",omitempty"`
	Path                string `json:",omitempty"`
	RequiresRecreation  string // Always, Never or Conditionally
	BeforeValue         string `json:",omitempty"`
	AfterValue          string `json:",omitempty"`
	AttributeChangeType string `json:",omitempty"`
}

// CreateChangeSetInput is the input of CreateChangeSet.
type CreateChangeSetInput struct {
	Definition
	ChangeSetName           string `required:"true"`
	ChangeSetType           string
	Description             string
	ClientToken             string
	IncludeNestedStacks     bool
	IncludePropertyValues   bool
	OnStackFailure          string
	ImportExistingResources bool
}

// CreateChangeSetOutput is the output of CreateChangeSet.
type CreateChangeSetOutput struct {
	ID      string `json:"Id"`
	StackID string `json:"StackId"`
}

// ChangeSetInput names a change set.
type ChangeSetInput struct {
	ChangeSetName         string `required:"true"`
	StackName             string
	NextToken             string
	IncludePropertyValues bool
	ClientRequestToken    string
	DisableRollback       bool
	RetainExceptOnCreate  bool
}

// DescribeChangeSetOutput is the output of DescribeChangeSet.
type DescribeChangeSetOutput struct {
	ChangeSetName   string
	ChangeSetID     string `json:"ChangeSetId"`
	StackID         string `json:"StackId"`
	StackName       string
	Description     string `json:",omitempty"`
	Parameters      []Parameter
	CreationTime    wire.Time
	ExecutionStatus string
	Status          string
	StatusReason    string `json:",omitempty"`
	Capabilities    []string
	Tags            []Tag
	Changes         []Change
	OnStackFailure  string `json:",omitempty"`
}

// ChangeSetSummary is an entry of ListChangeSets.
type ChangeSetSummary struct {
	StackID         string `json:"StackId"`
	StackName       string
	ChangeSetID     string `json:"ChangeSetId"`
	ChangeSetName   string
	ExecutionStatus string
	Status          string
	StatusReason    string `json:",omitempty"`
	CreationTime    wire.Time
	Description     string `json:",omitempty"`
}

// ListChangeSetsOutput is the output of ListChangeSets.
type ListChangeSetsOutput struct{ Summaries []ChangeSetSummary }

// nothingToChange is what CloudFormation says of a change set without changes;
// tools look for its beginning.
const nothingToChange = "The submitted information didn't contain changes. Submit different information to create a change set."

func (s *Stacks) changeSetOperations() []wire.Operation {
	on := wire.Targets(func(_ *wire.Call, in *ChangeSetInput) []wire.Target {
		return []wire.Target{{Resource: s.changeSetStack(in), Context: map[string][]string{"cloudformation:ChangeSetName": {in.ChangeSetName}}}}
	})
	return []wire.Operation{
		wire.Op("CreateChangeSet", s.createChangeSet, wire.Targets(func(_ *wire.Call, in *CreateChangeSetInput) []wire.Target {
			targets := s.targets(in.Definition)
			targets[0].Context["cloudformation:ChangeSetName"] = []string{in.ChangeSetName}
			return targets
		})),
		wire.Op("DescribeChangeSet", s.describeChangeSet, on),
		wire.Op("ExecuteChangeSet", s.executeChangeSet, on),
		wire.Op("DeleteChangeSet", s.deleteChangeSet, on),
		wire.Op("ListChangeSets", s.listChangeSets, wire.On(func(_ *wire.Call, in *StackNameInput) string { return s.arnFor(in.StackName) })),
	}
}

func (s *Stacks) changeSetStack(in *ChangeSetInput) string {
	cs, err := s.findChangeSet(s.ctx, in)
	if err != nil {
		return s.arnFor(in.StackName)
	}
	return cs.StackID
}

func (s *Stacks) findChangeSet(ctx context.Context, in *ChangeSetInput) (found *changeSet, err error) {
	err = s.config.DB.View(ctx, func(tx *store.Tx) error {
		all, err := store.All[*changeSet](tx, kindChangeSet, "")
		for _, cs := range all {
			if cs.ID == in.ChangeSetName || cs.Name == in.ChangeSetName && in.StackName != "" && (cs.StackName == in.StackName || cs.StackID == in.StackName) {
				found = cs
			}
		}
		return err
	})
	if err == nil && found == nil {
		err = wire.Errorf(http.StatusNotFound, "ChangeSetNotFound", "ChangeSet [%s] does not exist", in.ChangeSetName)
	}
	return found, err
}

func (s *Stacks) createChangeSet(ctx context.Context, c *wire.Call, in *CreateChangeSetInput) (*CreateChangeSetOutput, error) {
	if in.ChangeSetType == "IMPORT" || in.ImportExistingResources {
		return nil, wire.Errorf(http.StatusNotImplemented, "NotImplemented", "roost does not support importing resources into a stack: let the stack create them")
	}
	if !regexp.MustCompile(`^[a-zA-Z][-a-zA-Z0-9]{0,127}$`).MatchString(in.ChangeSetName) {
		return nil, invalid("1 validation error detected: Value '%s' at 'changeSetName' failed to satisfy constraint: Member must satisfy regular expression pattern: [a-zA-Z][-a-zA-Z0-9]*", in.ChangeSetName)
	}
	st, before, err := s.changeSetTarget(ctx, c, in)
	if err != nil {
		return nil, err
	}
	id, err := s.uuid()
	if err != nil {
		return nil, err
	}
	cs := &changeSet{
		ID:   "arn:aws:cloudformation:" + s.config.Region + ":" + s.config.Account + ":changeSet/" + in.ChangeSetName + "/" + id,
		Name: in.ChangeSetName, StackID: st.ID, StackName: st.Name, Type: "UPDATE", Description: in.Description,
		Created: s.config.Now().UTC(), Definition: in.Definition, Capabilities: in.Capabilities, Revision: st.Revision,
		OnStackFailure: in.OnStackFailure, Status: "CREATE_COMPLETE", Execution: "AVAILABLE",
	}
	if before == nil {
		cs.Type = "CREATE"
	}
	cs.Definition.TemplateBody, cs.Definition.Parameters = "", nil
	if err := s.fill(ctx, c, cs, in, st, before); err != nil {
		return nil, err
	}
	err = s.config.DB.Update(ctx, func(_ context.Context, tx *store.Tx) error {
		if st.Status == "" {
			if err := s.setStatus(tx, st, "REVIEW_IN_PROGRESS", "User Initiated"); err != nil {
				return err
			}
			if err := tx.Put(kindStack, st.ID, st); err != nil {
				return err
			}
		}
		all, err := store.All[*changeSet](tx, kindChangeSet, "")
		if err != nil {
			return err
		}
		for _, other := range all {
			if other.StackID == cs.StackID && other.Name == cs.Name {
				return wire.Errorf(http.StatusBadRequest, "AlreadyExistsException", "ChangeSet %s already exists", cs.ID)
			}
		}
		return tx.Put(kindChangeSet, cs.ID, cs)
	})
	return &CreateChangeSetOutput{ID: cs.ID, StackID: st.ID}, err
}

// changeSetTarget finds the stack that a change set is for; before is nil if
// it is to be created.
func (s *Stacks) changeSetTarget(ctx context.Context, c *wire.Call, in *CreateChangeSetInput) (st, before *stack, err error) {
	st, err = s.find(ctx, in.StackName)
	switch {
	case err != nil && in.ChangeSetType != "CREATE":
		return nil, nil, err
	case err != nil:
		st, err = s.newStack(c, in.Definition)
		return st, nil, err
	case st.Status == "REVIEW_IN_PROGRESS":
		return st, nil, nil
	case in.ChangeSetType == "CREATE":
		return nil, nil, invalid("Stack [%s] already exists and cannot be created again with the changeSet [%s].", st.Name, in.ChangeSetName)
	case active(st.Status):
		return nil, nil, invalid("Stack:%s is in %s state and can not be updated.", st.ID, st.Status)
	}
	return st, st, nil
}

// fill checks what the change set asks for and lists the changes. A template
// that cannot be deployed makes a failed change set, as on AWS, but one whose
// fault is known at once is an error of the call.
func (s *Stacks) fill(ctx context.Context, c *wire.Call, cs *changeSet, in *CreateChangeSetInput, st, before *stack) error {
	p, err := s.prepare(ctx, c, in.Definition, st, before)
	if err != nil {
		return err
	}
	cs.Body, cs.Parameters = p.body, p.parameters
	next := *st
	next.adopt(in.Definition)
	if cs.Changes, err = s.changes(ctx, c.Caller, before, &next, p); err != nil {
		return validation(err)
	}
	if before == nil {
		return nil
	}
	same, err := s.nothingChanges(ctx, c.Caller, before, &next, p)
	if err != nil {
		return err
	}
	if same {
		cs.Status, cs.Execution, cs.Reason = "FAILED", "UNAVAILABLE", nothingToChange
	}
	return nil
}

// changes lists what deploying would do to each resource.
func (s *Stacks) changes(ctx context.Context, caller *wire.Caller, before, next *stack, p *prepared) ([]Change, error) {
	have := map[string]*resource{}
	if before != nil {
		all, err := s.resources(ctx, before.ID)
		if err != nil {
			return nil, err
		}
		for _, one := range all {
			have[one.LogicalID] = one
		}
	}
	f := &foresight{s: s, ctx: ctx, caller: caller, stack: next, plan: p.plan, have: have, replaced: map[string]bool{}, modified: map[string]bool{}}
	var list []Change
	for _, declared := range p.plan.Resources {
		change, err := f.of(declared)
		if err != nil {
			return nil, err
		}
		if change != nil {
			list = append(list, Change{Type: "Resource", ResourceChange: *change})
		}
	}
	for _, id := range sortedKeys(have) {
		if one := have[id]; p.plan.Resource(id) == nil && one.Exists {
			list = append(list, Change{Type: "Resource", ResourceChange: removal(one)})
		}
	}
	return list, nil
}

func removal(one *resource) ResourceChange {
	policy := "Delete"
	if one.Retain {
		policy = "Retain"
	}
	return ResourceChange{
		Action: "Remove", PolicyAction: policy, LogicalResourceID: one.LogicalID, PhysicalResourceID: one.State.ID, ResourceType: one.Type,
		BeforeContext: contextJSON(cfn.Mask(one.State.Properties, one.Secrets)),
	}
}

// foresight tells, resource after resource, what a deployment would do.
type foresight struct {
	s        *Stacks
	ctx      context.Context
	caller   *wire.Caller
	stack    *stack
	plan     *cfn.Stack
	have     map[string]*resource
	replaced map[string]bool // logical ids whose id and attributes will change
	modified map[string]bool // those whose attributes may
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
			if value, ok := attributeOf(one.State.Attributes, attribute); ok {
				return value, nil
			}
			return cfn.Unknown{}, nil
		},
		ImportValue:       func(name string) (any, error) { return f.s.importValue(f.ctx, name) },
		AvailabilityZones: availabilityZones,
		Dynamic:           func(d cfn.DynamicReference) (string, error) { return f.s.dynamic(f.ctx, f.caller, d) },
	}
}

// of foresees one resource; nil means that nothing happens to it.
func (f *foresight) of(declared *cfn.Resource) (*ResourceChange, error) {
	result, err := f.plan.Properties(declared, f.lookup())
	if err != nil {
		return nil, err
	}
	props, _ := result.Value.(map[string]any)
	kind, known := f.s.config.Types.Lookup(declared.Type)
	if known {
		props = withStackTags(kind, kind.Normalize(props), f.stack.Tags)
	}
	one := f.have[declared.LogicalID]
	change := &ResourceChange{LogicalResourceID: declared.LogicalID, ResourceType: declared.Type, AfterContext: contextJSON(cfn.Mask(props, result.Secrets))}
	if one == nil || !one.Exists {
		change.Action = "Add"
		f.replaced[declared.LogicalID] = true
		return change, nil
	}
	change.Action, change.PhysicalResourceID = "Modify", one.State.ID
	change.BeforeContext = contextJSON(cfn.Mask(one.State.Properties, one.Secrets))
	if one.Type != declared.Type {
		change.Replacement, change.Scope = "True", []string{"Properties"}
		f.replaced[declared.LogicalID] = true
		return change, nil
	}
	differences := cfn.Diff(one.State.Properties, props)
	if len(differences) == 0 {
		return nil, nil
	}
	change.Replacement, change.Scope = "False", []string{"Properties"}
	masked := slices.Concat(one.Secrets, result.Secrets)
	for _, difference := range differences {
		detail := detailOf(difference, masked)
		if known && kind.Replaces(difference.Path) {
			detail.Target.RequiresRecreation = "Always"
			change.Replacement = "True"
			if _, unknown := difference.After.(cfn.Unknown); unknown {
				detail.Target.RequiresRecreation, detail.Evaluation = "Conditionally", "Dynamic"
			}
		}
		change.Details = append(change.Details, detail)
	}
	if change.Replacement == "True" {
		change.PolicyAction = "ReplaceAndDelete"
		if one.RetainOld {
			change.PolicyAction = "ReplaceAndRetain"
		}
		f.replaced[declared.LogicalID] = true
	}
	return change, nil
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
	if text, ok := textOf(value); ok {
		return text
	}
	data, _ := json.Marshal(value)
	return string(data)
}

func contextJSON(properties any) string {
	data, err := json.Marshal(map[string]any{"Properties": properties})
	if err != nil {
		return ""
	}
	return string(data)
}

func (s *Stacks) describeChangeSet(ctx context.Context, _ *wire.Call, in *ChangeSetInput) (*DescribeChangeSetOutput, error) {
	cs, err := s.findChangeSet(ctx, in)
	if err != nil {
		return nil, err
	}
	out := &DescribeChangeSetOutput{
		ChangeSetName: cs.Name, ChangeSetID: cs.ID, StackID: cs.StackID, StackName: cs.StackName, Description: cs.Description,
		CreationTime: wire.Time{Time: cs.Created}, ExecutionStatus: cs.Execution, Status: cs.Status, StatusReason: cs.Reason,
		Capabilities: cs.Capabilities, Tags: cs.Definition.Tags, Parameters: shownParameters(cs.Parameters),
		Changes: slices.Clone(cs.Changes), OnStackFailure: cs.OnStackFailure,
	}
	if in.IncludePropertyValues {
		return out, nil
	}
	for i := range out.Changes {
		change := &out.Changes[i].ResourceChange
		change.BeforeContext, change.AfterContext = "", ""
		change.Details = slices.Clone(change.Details)
		for j := range change.Details {
			change.Details[j].Target.BeforeValue, change.Details[j].Target.AfterValue = "", ""
		}
	}
	return out, nil
}

func (s *Stacks) executeChangeSet(ctx context.Context, c *wire.Call, in *ChangeSetInput) (*nothing, error) {
	cs, err := s.findChangeSet(ctx, in)
	if err != nil {
		return nil, err
	}
	if cs.Execution != "AVAILABLE" {
		return nil, wire.Errorf(http.StatusBadRequest, "InvalidChangeSetStatus", "ChangeSet [%s] cannot be executed in its current status of [%s]", cs.ID, cs.Status)
	}
	current, err := s.find(ctx, cs.StackID)
	if err != nil {
		return nil, err
	}
	plan, _, err := s.settle(current, cs.Body, s.givenAgain(ctx, c.Caller, cs))
	if err != nil {
		return nil, validation(err)
	}
	p := &prepared{body: cs.Body, plan: plan, parameters: cs.Parameters, capabilities: cs.Capabilities}
	st, err := s.update(ctx, cs.StackID, func(tx *store.Tx, st *stack) error {
		status := "UPDATE_IN_PROGRESS"
		if st.Status == "REVIEW_IN_PROGRESS" {
			status = "CREATE_IN_PROGRESS"
		} else if err := updatable(st); err != nil {
			return err
		}
		if st.Revision != cs.Revision {
			return wire.Errorf(http.StatusBadRequest, "InvalidChangeSetStatus", "ChangeSet [%s] cannot be executed: the stack was updated after it was made", cs.ID)
		}
		st.OwnerARN, st.Token, st.ChangeSetID = owner(c.Caller), in.ClientRequestToken, cs.ID
		st.DisableRollback = in.DisableRollback
		st.OnFailure = cs.OnStackFailure
		if in.DisableRollback {
			st.OnFailure = "DO_NOTHING"
		}
		st.adopt(cs.Definition)
		if err := s.dropChangeSets(tx, st.ID, cs.ID); err != nil {
			return err
		}
		return s.begin(tx, st, p, status)
	})
	if err != nil {
		return nil, err
	}
	s.launch(st, c.Caller)
	return &nothing{}, nil
}

// givenAgain gives a change set's parameters as they were settled.
func (s *Stacks) givenAgain(ctx context.Context, caller *wire.Caller, cs *changeSet) cfn.Given {
	given := cfn.Given{Values: map[string]string{}, SSM: func(name string) (string, bool, error) {
		return s.parameterValue(ctx, caller, name)
	}}
	for _, p := range cs.Parameters {
		given.Values[p.Key] = p.Value
	}
	return given
}

// dropChangeSets marks the executed change set and removes the others, which
// do not fit the stack any more.
func (s *Stacks) dropChangeSets(tx *store.Tx, stackID, executed string) error {
	all, err := store.All[*changeSet](tx, kindChangeSet, "")
	if err != nil {
		return err
	}
	for _, cs := range all {
		if cs.StackID != stackID {
			continue
		}
		if cs.ID != executed {
			if err := tx.Delete(kindChangeSet, cs.ID); err != nil {
				return err
			}
			continue
		}
		cs.Execution = "EXECUTE_COMPLETE"
		if err := tx.Put(kindChangeSet, cs.ID, cs); err != nil {
			return err
		}
	}
	return nil
}

func (s *Stacks) deleteChangeSet(ctx context.Context, _ *wire.Call, in *ChangeSetInput) (*nothing, error) {
	cs, err := s.findChangeSet(ctx, in)
	if wire.Code(err) == "ChangeSetNotFound" {
		return &nothing{}, nil
	}
	if err != nil {
		return nil, err
	}
	return &nothing{}, s.config.DB.Update(ctx, func(_ context.Context, tx *store.Tx) error { return tx.Delete(kindChangeSet, cs.ID) })
}

func (s *Stacks) listChangeSets(ctx context.Context, _ *wire.Call, in *StackNameInput) (*ListChangeSetsOutput, error) {
	st, err := s.find(ctx, in.StackName)
	if err != nil {
		return nil, err
	}
	out := &ListChangeSetsOutput{}
	err = s.config.DB.View(ctx, func(tx *store.Tx) error {
		all, err := store.All[*changeSet](tx, kindChangeSet, "")
		for _, cs := range all {
			if cs.StackID == st.ID {
				out.Summaries = append(out.Summaries, ChangeSetSummary{
					StackID: cs.StackID, StackName: cs.StackName, ChangeSetID: cs.ID, ChangeSetName: cs.Name,
					ExecutionStatus: cs.Execution, Status: cs.Status, StatusReason: cs.Reason,
					CreationTime: wire.Time{Time: cs.Created}, Description: cs.Description,
				})
			}
		}
		return err
	})
	return out, err
}
