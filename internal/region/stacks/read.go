package stacks

import (
	"context"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/seed-615d3599/roost/internal/region/stacks/plan"
	"github.com/seed-615d3599/roost/internal/region/stacks/records"
	"github.com/seed-615d3599/roost/internal/region/store"
	"github.com/seed-615d3599/roost/internal/region/wire"
)

func (s *Stacks) readOperations() []wire.Operation {
	onStack := wire.On(func(_ *wire.Call, in *PagedInput) string { return s.arnOrAny(in.StackName) })
	onResource := wire.On(func(_ *wire.Call, in *ResourceInput) string { return s.arnOrAny(in.StackName) })
	return []wire.Operation{
		wire.Op("DescribeStacks", s.describeStacks, onStack),
		wire.Op("ListStacks", s.listStacks),
		wire.Op("DescribeStackEvents", s.describeStackEvents, onStack),
		wire.Op("DescribeEvents", s.describeEvents, wire.On(func(_ *wire.Call, in *OperationEventsInput) string { return s.asked(in.StackName, in.ChangeSetName) })),
		wire.Op("DescribeStackResource", s.describeStackResource, onResource),
		wire.Op("DescribeStackResources", s.describeStackResources, onResource),
		wire.Op("ListStackResources", s.listStackResources, onStack),
		wire.Op("GetTemplate", s.getTemplate, wire.On(func(_ *wire.Call, in *TemplateInput) string { return s.asked(in.StackName, in.ChangeSetName) })),
		wire.Op("GetTemplateSummary", s.getTemplateSummary, wire.On(func(_ *wire.Call, in *SummaryInput) string { return s.arnOrAny(in.StackName) })),
		wire.Op("ValidateTemplate", s.validateTemplate),
		wire.Op("ListExports", s.listExports),
		wire.Op("ListImports", s.listImports),
	}
}

func (s *Stacks) arnOrAny(name string) string {
	if name == "" {
		return "*"
	}
	return s.arnFor(name)
}

// asked is the stack that a question is about: that of the change set, if it
// names one, whatever stack it names beside.
func (s *Stacks) asked(stack, changeSet string) string {
	if changeSet == "" {
		return s.arnOrAny(stack)
	}
	return s.changeSetStack(&ChangeSetInput{StackName: stack, ChangeSetName: changeSet})
}

func answer(st *records.Stack) Stack {
	a := Stack{
		StackID: st.ID, StackName: st.Name, ChangeSetID: st.ChangeSetID, Description: st.Description,
		Parameters: shownParameters(st.Parameters), CreationTime: wire.Time{Time: st.Created},
		DeletionTime: moment(st.Deleted), LastUpdatedTime: moment(st.Updated),
		StackStatus: st.Status, StackStatusReason: st.Reason, DisableRollback: st.DisableRollback,
		NotificationARNs: st.NotificationARNs, Capabilities: st.Capabilities, RoleARN: st.RoleARN, Tags: tagList(st.Tags),
		EnableTerminationProtection: st.Protected, ParentID: st.ParentID, RootID: st.RootID,
		RetainExceptOnCreate: st.NewRetained, DeploymentConfig: st.Deployment,
		DriftInformation: DriftInformation{StackDriftStatus: "NOT_CHECKED"},
	}
	if st.Force {
		a.DeletionMode = forceDelete
	}
	if st.TimeoutMinutes > 0 {
		a.TimeoutInMinutes = &st.TimeoutMinutes
	}
	for _, o := range st.Outputs {
		a.Outputs = append(a.Outputs, Output{OutputKey: o.Key, OutputValue: o.Value, Description: o.Description, ExportName: o.Export})
	}
	return a
}

func moment(t time.Time) *wire.Time {
	if t.IsZero() {
		return nil
	}
	return &wire.Time{Time: t}
}

func tagList(m map[string]string) []Tag {
	tags := make([]Tag, 0, len(m))
	for _, key := range sortedKeys(m) {
		tags = append(tags, Tag{Key: key, Value: m[key]})
	}
	return tags
}

func shownParameters(parameters []records.Parameter) []Parameter {
	list := make([]Parameter, 0, len(parameters))
	for _, p := range parameters {
		value := p.Value
		if p.NoEcho {
			value = "****"
		}
		list = append(list, Parameter{ParameterKey: p.Key, ParameterValue: value, ResolvedValue: p.Resolved})
	}
	return list
}

// perPage is how many entries one answer holds.
const perPage = 100

// page returns a page of a list: the first, or the one that a token names.
func page[T any](all []T, token string) (some []T, next string, err error) {
	from := 0
	if token != "" {
		if from, err = strconv.Atoi(token); err != nil || from < 0 {
			return nil, "", plan.Invalid("The NextToken is not one that was given out: %s", token)
		}
	}
	from = min(from, len(all))
	to := min(from+perPage, len(all))
	if to < len(all) {
		next = strconv.Itoa(to)
	}
	return all[from:to], next, nil
}

func (s *Stacks) describeStacks(ctx context.Context, _ *wire.Call, in *PagedInput) (*DescribeStacksOutput, error) {
	if in.StackName != "" {
		st, err := s.engine.Find(ctx, in.StackName)
		if err != nil {
			return nil, err
		}
		return &DescribeStacksOutput{Stacks: []Stack{answer(st)}}, nil
	}
	all, err := s.all(ctx)
	if err != nil {
		return nil, err
	}
	all = slices.DeleteFunc(all, func(st *records.Stack) bool { return st.Status == "DELETE_COMPLETE" })
	out := &DescribeStacksOutput{}
	all, out.NextToken, err = page(all, in.NextToken)
	for _, st := range all {
		out.Stacks = append(out.Stacks, answer(st))
	}
	return out, err
}

// all returns every stack, the newest first.
func (s *Stacks) all(ctx context.Context) (all []*records.Stack, err error) {
	err = s.config.DB.View(ctx, func(tx *store.Tx) error {
		all, err = records.All(tx)
		return err
	})
	slices.SortFunc(all, func(a, b *records.Stack) int { return b.Created.Compare(a.Created) })
	return all, err
}

func (s *Stacks) listStacks(ctx context.Context, _ *wire.Call, in *ListStacksInput) (*ListStacksOutput, error) {
	all, err := s.all(ctx)
	if err != nil {
		return nil, err
	}
	if len(in.StackStatusFilter) > 0 {
		all = slices.DeleteFunc(all, func(st *records.Stack) bool { return !slices.Contains(in.StackStatusFilter, st.Status) })
	}
	out := &ListStacksOutput{}
	all, out.NextToken, err = page(all, in.NextToken)
	for _, st := range all {
		out.StackSummaries = append(out.StackSummaries, StackSummary{
			StackID: st.ID, StackName: st.Name, TemplateDescription: st.Description, CreationTime: wire.Time{Time: st.Created},
			LastUpdatedTime: moment(st.Updated), DeletionTime: moment(st.Deleted), StackStatus: st.Status, StackStatusReason: st.Reason,
			ParentID: st.ParentID, RootID: st.RootID, DriftInformation: DriftInformation{StackDriftStatus: "NOT_CHECKED"},
		})
	}
	return out, err
}

func (s *Stacks) describeStackEvents(ctx context.Context, _ *wire.Call, in *PagedInput) (*EventsOutput, error) {
	st, err := s.engine.Find(ctx, in.StackName)
	if err != nil {
		return nil, err
	}
	out := &EventsOutput{}
	err = s.config.DB.View(ctx, func(tx *store.Tx) error {
		events, next, err := records.Events(tx, st.ID, in.NextToken, perPage)
		for _, e := range events {
			out.StackEvents = append(out.StackEvents, eventAnswer(e))
		}
		out.NextToken = next
		return err
	})
	return out, err
}

func eventAnswer(e records.Event) StackEvent {
	return StackEvent{
		StackID: e.StackID, EventID: e.ID, StackName: e.StackName, LogicalResourceID: e.LogicalID, PhysicalResourceID: e.PhysicalID,
		ResourceType: e.Type, Timestamp: wire.Time{Time: e.Time}, ResourceStatus: e.Status, ResourceStatusReason: e.Reason,
		ResourceProperties: e.Properties, ClientRequestToken: e.Token,
	}
}

// listed returns a stack and its resources.
func (s *Stacks) listed(ctx context.Context, name string) (*records.Stack, []*records.Resource, error) {
	st, err := s.engine.Find(ctx, name)
	if err != nil {
		return nil, nil, err
	}
	all, err := s.engine.Resources(ctx, st.ID)
	return st, all, err
}

func (s *Stacks) describeStackResource(ctx context.Context, _ *wire.Call, in *ResourceInput) (*ResourceOutput, error) {
	st, all, err := s.listed(ctx, in.StackName)
	if err != nil {
		return nil, err
	}
	for _, one := range all {
		if one.LogicalID == in.LogicalResourceID {
			detail := resourceAnswer(one)
			detail.StackName, detail.StackID, detail.Metadata = st.Name, st.ID, one.Metadata
			detail.LastUpdatedTimestamp, detail.Timestamp = detail.Timestamp, nil
			return &ResourceOutput{StackResourceDetail: detail}, nil
		}
	}
	return nil, plan.Invalid("Resource %s does not exist for stack %s", in.LogicalResourceID, in.StackName)
}

func resourceAnswer(one *records.Resource) StackResource {
	return StackResource{
		LogicalResourceID: one.LogicalID, PhysicalResourceID: one.State.ID, ResourceType: one.Type, Timestamp: moment(one.Updated),
		ResourceStatus: one.Status, ResourceStatusReason: one.Reason, DriftInformation: ResourceDrift{StackResourceDriftStatus: "NOT_CHECKED"},
	}
}

func (s *Stacks) describeStackResources(ctx context.Context, _ *wire.Call, in *ResourceInput) (*ResourcesOutput, error) {
	names := []string{in.StackName}
	switch {
	case in.StackName == "" && in.PhysicalResourceID == "":
		return nil, plan.Invalid("Either StackName or PhysicalResourceId must be specified")
	case in.StackName == "":
		all, err := s.all(ctx)
		if err != nil {
			return nil, err
		}
		names = nil
		for _, st := range all {
			if st.Status != "DELETE_COMPLETE" {
				names = append(names, st.ID)
			}
		}
	}
	out := &ResourcesOutput{}
	found := in.PhysicalResourceID == ""
	for _, name := range names {
		st, all, err := s.listed(ctx, name)
		if err != nil {
			return nil, err
		}
		// A physical id means all resources of the stack that it belongs to.
		if in.PhysicalResourceID != "" && !slices.ContainsFunc(all, func(one *records.Resource) bool { return one.State.ID == in.PhysicalResourceID }) {
			continue
		}
		found = true
		for _, one := range all {
			if in.LogicalResourceID == "" || one.LogicalID == in.LogicalResourceID {
				answer := resourceAnswer(one)
				answer.StackName, answer.StackID = st.Name, st.ID
				out.StackResources = append(out.StackResources, answer)
			}
		}
	}
	if !found {
		return nil, plan.Invalid("Stack for %s does not exist", in.PhysicalResourceID)
	}
	return out, nil
}

func (s *Stacks) listStackResources(ctx context.Context, _ *wire.Call, in *PagedInput) (*ResourceSummaries, error) {
	_, all, err := s.listed(ctx, in.StackName)
	if err != nil {
		return nil, err
	}
	out := &ResourceSummaries{}
	all, out.NextToken, err = page(all, in.NextToken)
	for _, one := range all {
		answer := resourceAnswer(one)
		answer.LastUpdatedTimestamp, answer.Timestamp = answer.Timestamp, nil
		out.StackResourceSummaries = append(out.StackResourceSummaries, answer)
	}
	return out, err
}

func (s *Stacks) listExports(ctx context.Context, _ *wire.Call, in *PagedInput) (*ExportsOutput, error) {
	var all []records.Export
	err := s.config.DB.View(ctx, func(tx *store.Tx) (err error) {
		all, err = records.Exports(tx)
		return err
	})
	if err != nil {
		return nil, err
	}
	out := &ExportsOutput{}
	all, out.NextToken, err = page(all, in.NextToken)
	for _, e := range all {
		out.Exports = append(out.Exports, Export{ExportingStackID: e.StackID, Name: e.Name, Value: e.Value})
	}
	return out, err
}

func (s *Stacks) listImports(ctx context.Context, _ *wire.Call, in *ImportsInput) (*ImportsOutput, error) {
	var all []string
	err := s.config.DB.View(ctx, func(tx *store.Tx) (err error) {
		all, err = records.Importers(tx, in.ExportName)
		return err
	})
	if err == nil && len(all) == 0 {
		err = wire.Errorf(http.StatusBadRequest, "ValidationError", "Export '%s' is not imported by any stack.", in.ExportName)
	}
	if err != nil {
		return nil, err
	}
	out := &ImportsOutput{}
	out.Imports, out.NextToken, err = page(all, in.NextToken)
	return out, err
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
