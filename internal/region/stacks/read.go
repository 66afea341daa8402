package stacks

import (
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/seed-615d3599/roost/cfn"
	"github.com/seed-615d3599/roost/internal/region/store"
	"github.com/seed-615d3599/roost/internal/region/wire"
)

// Output is an output as the API carries it.
type Output struct {
	OutputKey   string
	OutputValue string
	Description string `json:",omitempty"`
	ExportName  string `json:",omitempty"`
}

// RollbackConfiguration is always empty here.
type RollbackConfiguration struct{}

// DriftInformation is always NOT_CHECKED here.
type DriftInformation struct{ StackDriftStatus string }

// Stack is a stack as the API carries it.
type Stack struct {
	StackID                     string `json:"StackId"`
	StackName                   string
	ChangeSetID                 string `json:"ChangeSetId,omitempty"`
	Description                 string `json:",omitempty"`
	Parameters                  []Parameter
	CreationTime                wire.Time
	DeletionTime                *wire.Time `json:",omitempty"`
	LastUpdatedTime             *wire.Time `json:",omitempty"`
	RollbackConfiguration       RollbackConfiguration
	StackStatus                 string
	StackStatusReason           string `json:",omitempty"`
	DisableRollback             bool
	NotificationARNs            []string
	TimeoutInMinutes            *int `json:",omitempty"`
	Capabilities                []string
	Outputs                     []Output
	RoleARN                     string `json:",omitempty"`
	Tags                        []Tag
	EnableTerminationProtection bool
	ParentID                    string `json:"ParentId,omitempty"`
	RootID                      string `json:"RootId,omitempty"`
	DriftInformation            DriftInformation
}

func answer(st *stack) Stack {
	a := Stack{
		StackID: st.ID, StackName: st.Name, ChangeSetID: st.ChangeSetID, Description: st.Description,
		Parameters: shownParameters(st.Parameters), CreationTime: wire.Time{Time: st.Created},
		DeletionTime: moment(st.Deleted), LastUpdatedTime: moment(st.Updated),
		StackStatus: st.Status, StackStatusReason: st.Reason, DisableRollback: st.DisableRollback,
		NotificationARNs: st.NotificationARNs, Capabilities: st.Capabilities, RoleARN: st.RoleARN, Tags: tagList(st.Tags),
		EnableTerminationProtection: st.Protected, ParentID: st.ParentID, RootID: st.RootID,
		DriftInformation: DriftInformation{StackDriftStatus: "NOT_CHECKED"},
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

func shownParameters(parameters []parameter) []Parameter {
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

// PagedInput names a stack and a page.
type PagedInput struct {
	StackName string
	NextToken string
}

// DescribeStacksOutput is the output of DescribeStacks.
type DescribeStacksOutput struct{ Stacks []Stack }

// ListStacksInput is the input of ListStacks.
type ListStacksInput struct {
	StackStatusFilter []string
	NextToken         string
}

// ListStacksOutput is the output of ListStacks.
type ListStacksOutput struct{ StackSummaries []StackSummary }

// StackSummary is an entry of ListStacks.
type StackSummary struct {
	StackID             string `json:"StackId"`
	StackName           string
	TemplateDescription string `json:",omitempty"`
	CreationTime        wire.Time
	LastUpdatedTime     *wire.Time `json:",omitempty"`
	DeletionTime        *wire.Time `json:",omitempty"`
	StackStatus         string
	StackStatusReason   string `json:",omitempty"`
	ParentID            string `json:"ParentId,omitempty"`
	RootID              string `json:"RootId,omitempty"`
	DriftInformation    DriftInformation
}

// StackEvent is an event as the API carries it.
type StackEvent struct {
	StackID              string `json:"StackId"`
	EventID              string `json:"EventId"`
	StackName            string
	LogicalResourceID    string `json:"LogicalResourceId"`
	PhysicalResourceID   string `json:"PhysicalResourceId"`
	ResourceType         string
	Timestamp            wire.Time
	ResourceStatus       string
	ResourceStatusReason string `json:",omitempty"`
	ResourceProperties   string `json:",omitempty"`
	ClientRequestToken   string `json:",omitempty"`
}

// EventsOutput is the output of DescribeStackEvents, newest first.
type EventsOutput struct {
	StackEvents []StackEvent
	NextToken   string `json:",omitempty"`
}

// ResourceInput names one resource of a stack, or a physical one.
type ResourceInput struct {
	StackName          string
	LogicalResourceID  string `json:"LogicalResourceId"`
	PhysicalResourceID string `json:"PhysicalResourceId"`
	NextToken          string
}

// StackResource is a resource as the API carries it.
type StackResource struct {
	StackName            string `json:",omitempty"`
	StackID              string `json:"StackId,omitempty"`
	LogicalResourceID    string `json:"LogicalResourceId"`
	PhysicalResourceID   string `json:"PhysicalResourceId,omitempty"`
	ResourceType         string
	Timestamp            *wire.Time `json:",omitempty"`
	LastUpdatedTimestamp *wire.Time `json:",omitempty"`
	ResourceStatus       string
	ResourceStatusReason string `json:",omitempty"`
	Metadata             string `json:",omitempty"`
	DriftInformation     ResourceDrift
}

// ResourceDrift is always NOT_CHECKED here.
type ResourceDrift struct{ StackResourceDriftStatus string }

// ResourcesOutput is the output of DescribeStackResources.
type ResourcesOutput struct{ StackResources []StackResource }

// ResourceOutput is the output of DescribeStackResource.
type ResourceOutput struct{ StackResourceDetail StackResource }

// ResourceSummaries is the output of ListStackResources.
type ResourceSummaries struct{ StackResourceSummaries []StackResource }

// TemplateInput asks for a template.
type TemplateInput struct {
	StackName     string
	ChangeSetName string
	TemplateStage string
}

// TemplateOutput is the output of GetTemplate.
type TemplateOutput struct {
	TemplateBody    string
	StagesAvailable []string
}

// SummaryInput is the input of GetTemplateSummary and ValidateTemplate.
type SummaryInput struct {
	StackName    string
	TemplateBody string
	TemplateURL  string
}

// SummaryOutput is the output of GetTemplateSummary.
type SummaryOutput struct {
	Parameters         []ParameterDeclaration
	Description        string `json:",omitempty"`
	Capabilities       []string
	CapabilitiesReason string `json:",omitempty"`
	ResourceTypes      []string
	Version            string
	Metadata           string `json:",omitempty"`
	DeclaredTransforms []string
}

// ParameterDeclaration is a parameter as a template declares it.
type ParameterDeclaration struct {
	ParameterKey         string
	DefaultValue         *string `json:",omitempty"`
	ParameterType        string
	NoEcho               bool
	Description          string `json:",omitempty"`
	ParameterConstraints ParameterConstraints
}

// ParameterConstraints lists the allowed values of a parameter.
type ParameterConstraints struct {
	AllowedValues []string `json:",omitempty"`
}

// ValidateOutput is the output of ValidateTemplate.
type ValidateOutput struct {
	Parameters         []ParameterDeclaration
	Description        string `json:",omitempty"`
	Capabilities       []string
	CapabilitiesReason string `json:",omitempty"`
	DeclaredTransforms []string
}

// ExportsOutput is the output of ListExports.
type ExportsOutput struct{ Exports []Export }

// Export is an entry of ListExports.
type Export struct {
	ExportingStackID string `json:"ExportingStackId"`
	Name             string
	Value            string
}

// ImportsInput is the input of ListImports.
type ImportsInput struct {
	ExportName string `required:"true"`
	NextToken  string
}

// ImportsOutput is the output of ListImports.
type ImportsOutput struct{ Imports []string }

func (s *Stacks) readOperations() []wire.Operation {
	onStack := wire.On(func(_ *wire.Call, in *PagedInput) string { return s.arnOrAny(in.StackName) })
	onResource := wire.On(func(_ *wire.Call, in *ResourceInput) string { return s.arnOrAny(in.StackName) })
	return []wire.Operation{
		wire.Op("DescribeStacks", s.describeStacks, onStack),
		wire.Op("ListStacks", s.listStacks),
		wire.Op("DescribeStackEvents", s.describeStackEvents, onStack),
		wire.Op("DescribeStackResource", s.describeStackResource, onResource),
		wire.Op("DescribeStackResources", s.describeStackResources, onResource),
		wire.Op("ListStackResources", s.listStackResources, onStack),
		wire.Op("GetTemplate", s.getTemplate, wire.On(func(_ *wire.Call, in *TemplateInput) string { return s.arnOrAny(in.StackName) })),
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

func (s *Stacks) describeStacks(ctx context.Context, _ *wire.Call, in *PagedInput) (*DescribeStacksOutput, error) {
	if in.StackName != "" {
		st, err := s.find(ctx, in.StackName)
		if err != nil {
			return nil, err
		}
		return &DescribeStacksOutput{Stacks: []Stack{answer(st)}}, nil
	}
	all, err := s.all(ctx)
	if err != nil {
		return nil, err
	}
	out := &DescribeStacksOutput{}
	for _, st := range all {
		if st.Status != "DELETE_COMPLETE" {
			out.Stacks = append(out.Stacks, answer(st))
		}
	}
	return out, nil
}

// all returns every stack, the newest first.
func (s *Stacks) all(ctx context.Context) (all []*stack, err error) {
	err = s.config.DB.View(ctx, func(tx *store.Tx) error {
		all, err = store.All[*stack](tx, kindStack, "")
		return err
	})
	slices.SortFunc(all, func(a, b *stack) int { return b.Created.Compare(a.Created) })
	return all, err
}

func (s *Stacks) listStacks(ctx context.Context, _ *wire.Call, in *ListStacksInput) (*ListStacksOutput, error) {
	all, err := s.all(ctx)
	if err != nil {
		return nil, err
	}
	out := &ListStacksOutput{}
	for _, st := range all {
		if len(in.StackStatusFilter) > 0 && !slices.Contains(in.StackStatusFilter, st.Status) {
			continue
		}
		out.StackSummaries = append(out.StackSummaries, StackSummary{
			StackID: st.ID, StackName: st.Name, TemplateDescription: st.Description, CreationTime: wire.Time{Time: st.Created},
			LastUpdatedTime: moment(st.Updated), DeletionTime: moment(st.Deleted), StackStatus: st.Status, StackStatusReason: st.Reason,
			ParentID: st.ParentID, RootID: st.RootID, DriftInformation: DriftInformation{StackDriftStatus: "NOT_CHECKED"},
		})
	}
	return out, nil
}

// eventsPerPage is how many events one answer holds.
const eventsPerPage = 100

func (s *Stacks) describeStackEvents(ctx context.Context, _ *wire.Call, in *PagedInput) (*EventsOutput, error) {
	st, err := s.find(ctx, in.StackName)
	if err != nil {
		return nil, err
	}
	prefix := st.ID + "/"
	before := prefix + "~"
	if in.NextToken != "" {
		before = prefix + in.NextToken
	}
	out := &EventsOutput{}
	err = s.config.DB.View(ctx, func(tx *store.Tx) error {
		items, err := tx.Range(kindEvent, prefix, before, -eventsPerPage)
		if err != nil {
			return err
		}
		for _, item := range items {
			var e event
			if err := json.Unmarshal(item.Value, &e); err != nil {
				return err
			}
			out.StackEvents = append(out.StackEvents, eventAnswer(e))
		}
		if len(items) == eventsPerPage {
			out.NextToken = strings.TrimPrefix(items[len(items)-1].Key, prefix)
		}
		return nil
	})
	return out, err
}

func eventAnswer(e event) StackEvent {
	return StackEvent{
		StackID: e.StackID, EventID: e.ID, StackName: e.StackName, LogicalResourceID: e.LogicalID, PhysicalResourceID: e.PhysicalID,
		ResourceType: e.Type, Timestamp: wire.Time{Time: e.Time}, ResourceStatus: e.Status, ResourceStatusReason: e.Reason,
		ResourceProperties: e.Properties, ClientRequestToken: e.Token,
	}
}

// listed returns the resources of a stack that are, or were lately.
func (s *Stacks) listed(ctx context.Context, name string) (*stack, []*resource, error) {
	st, err := s.find(ctx, name)
	if err != nil {
		return nil, nil, err
	}
	all, err := s.resources(ctx, st.ID)
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
	return nil, invalid("Resource %s does not exist for stack %s", in.LogicalResourceID, in.StackName)
}

func resourceAnswer(one *resource) StackResource {
	return StackResource{
		LogicalResourceID: one.LogicalID, PhysicalResourceID: one.State.ID, ResourceType: one.Type, Timestamp: moment(one.Updated),
		ResourceStatus: one.Status, ResourceStatusReason: shownReason(one), DriftInformation: ResourceDrift{StackResourceDriftStatus: "NOT_CHECKED"},
	}
}

func shownReason(one *resource) string {
	if one.Reason == broughtBack {
		return ""
	}
	return one.Reason
}

func (s *Stacks) describeStackResources(ctx context.Context, _ *wire.Call, in *ResourceInput) (*ResourcesOutput, error) {
	out := &ResourcesOutput{}
	names := []string{in.StackName}
	if in.StackName == "" {
		all, err := s.all(ctx)
		if err != nil {
			return nil, err
		}
		names = nil
		for _, st := range all {
			names = append(names, st.ID)
		}
	}
	for _, name := range names {
		st, all, err := s.listed(ctx, name)
		if err != nil {
			return nil, err
		}
		for _, one := range all {
			if in.LogicalResourceID != "" && one.LogicalID != in.LogicalResourceID || in.PhysicalResourceID != "" && one.State.ID != in.PhysicalResourceID {
				continue
			}
			answer := resourceAnswer(one)
			answer.StackName, answer.StackID = st.Name, st.ID
			out.StackResources = append(out.StackResources, answer)
		}
	}
	return out, nil
}

func (s *Stacks) listStackResources(ctx context.Context, _ *wire.Call, in *PagedInput) (*ResourceSummaries, error) {
	_, all, err := s.listed(ctx, in.StackName)
	if err != nil {
		return nil, err
	}
	out := &ResourceSummaries{}
	for _, one := range all {
		answer := resourceAnswer(one)
		answer.LastUpdatedTimestamp, answer.Timestamp = answer.Timestamp, nil
		out.StackResourceSummaries = append(out.StackResourceSummaries, answer)
	}
	return out, nil
}

func (s *Stacks) getTemplate(ctx context.Context, c *wire.Call, in *TemplateInput) (*TemplateOutput, error) {
	out := &TemplateOutput{StagesAvailable: []string{"Original", "Processed"}}
	var st *stack
	var parameters []parameter
	var err error
	if in.ChangeSetName != "" {
		cs, err := s.findChangeSet(ctx, &ChangeSetInput{ChangeSetName: in.ChangeSetName, StackName: in.StackName})
		if err != nil {
			return nil, err
		}
		out.TemplateBody, parameters = cs.Body, cs.Parameters
		if st, err = s.find(ctx, cs.StackID); err != nil {
			return nil, err
		}
	} else {
		if st, err = s.find(ctx, in.StackName); err != nil {
			return nil, err
		}
		parameters = st.Parameters
		if out.TemplateBody, err = s.template(ctx, st.ID, st.Revision); err != nil {
			return nil, err
		}
	}
	if in.TemplateStage != "Processed" {
		return out, nil
	}
	given := s.givenAgain(ctx, c.Caller, &changeSet{Parameters: parameters})
	plan, _, err := s.settle(st, out.TemplateBody, given)
	if err != nil {
		return nil, validation(err)
	}
	if len(plan.Template().Transforms) == 0 && plan.Template().Root != nil {
		out.TemplateBody = string(plan.Template().Root.AppendJSON(nil))
	}
	return out, nil
}

// parsed reads the template that an input means.
func (s *Stacks) parsed(ctx context.Context, c *wire.Call, in *SummaryInput) (*cfn.Template, error) {
	var body string
	var err error
	if in.StackName != "" {
		st, findErr := s.find(ctx, in.StackName)
		if findErr != nil {
			return nil, findErr
		}
		body, err = s.template(ctx, st.ID, st.Revision)
	} else {
		body, err = s.body(ctx, c.Caller, Definition{TemplateBody: in.TemplateBody, TemplateURL: in.TemplateURL}, nil)
	}
	if err != nil {
		return nil, err
	}
	template, err := cfn.Parse("template", []byte(body))
	if err != nil {
		return nil, validation(err)
	}
	return template, nil
}

func declarations(template *cfn.Template) []ParameterDeclaration {
	list := []ParameterDeclaration{}
	for _, p := range template.Parameters {
		list = append(list, ParameterDeclaration{
			ParameterKey: p.Name, DefaultValue: p.Default, ParameterType: p.Type, NoEcho: p.NoEcho, Description: p.Description,
			ParameterConstraints: ParameterConstraints{AllowedValues: p.AllowedValues},
		})
	}
	return list
}

func (s *Stacks) getTemplateSummary(ctx context.Context, c *wire.Call, in *SummaryInput) (*SummaryOutput, error) {
	template, err := s.parsed(ctx, c, in)
	if err != nil {
		return nil, err
	}
	summary := template.Summary()
	out := &SummaryOutput{
		Parameters: declarations(template), Description: template.Description, Version: "2010-09-09",
		Capabilities: summary.Capabilities, CapabilitiesReason: summary.CapabilitiesReason,
		ResourceTypes: summary.ResourceTypes, DeclaredTransforms: summary.Transforms,
	}
	if template.Metadata != nil {
		out.Metadata = string(template.Metadata.AppendJSON(nil))
	}
	return out, nil
}

func (s *Stacks) validateTemplate(ctx context.Context, c *wire.Call, in *SummaryInput) (*ValidateOutput, error) {
	template, err := s.parsed(ctx, c, in)
	if err != nil {
		return nil, err
	}
	summary := template.Summary()
	return &ValidateOutput{
		Parameters: declarations(template), Description: template.Description, Capabilities: summary.Capabilities,
		CapabilitiesReason: summary.CapabilitiesReason, DeclaredTransforms: summary.Transforms,
	}, nil
}

func (s *Stacks) listExports(ctx context.Context, _ *wire.Call, _ *PagedInput) (*ExportsOutput, error) {
	out := &ExportsOutput{}
	err := s.config.DB.View(ctx, func(tx *store.Tx) error {
		all, err := store.All[export](tx, kindExport, "")
		for _, e := range all {
			out.Exports = append(out.Exports, Export{ExportingStackID: e.StackID, Name: e.Name, Value: e.Value})
		}
		return err
	})
	return out, err
}

func (s *Stacks) listImports(ctx context.Context, _ *wire.Call, in *ImportsInput) (*ImportsOutput, error) {
	out := &ImportsOutput{}
	err := s.config.DB.View(ctx, func(tx *store.Tx) (err error) {
		out.Imports, err = importers(tx, in.ExportName)
		return err
	})
	if err == nil && len(out.Imports) == 0 {
		err = wire.Errorf(http.StatusBadRequest, "ValidationError", "Export '%s' is not imported by any stack.", in.ExportName)
	}
	return out, err
}
