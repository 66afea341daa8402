package stacks

import (
	"github.com/seed-615d3599/roost/internal/region/stacks/limits"
	"github.com/seed-615d3599/roost/internal/region/stacks/records"
	"github.com/seed-615d3599/roost/internal/region/wire"
)

// Output is an output as the API carries it.
type Output struct {
	OutputKey   string
	OutputValue string
	Description string `json:",omitempty"`
	ExportName  string `json:",omitempty"`
}

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
	RollbackConfiguration       limits.RollbackConfiguration
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
	RetainExceptOnCreate        bool                      `json:",omitempty"`
	DeletionMode                string                    `json:",omitempty"`
	DeploymentConfig            *records.DeploymentConfig `json:",omitempty"`
	ParentID                    string                    `json:"ParentId,omitempty"`
	RootID                      string                    `json:"RootId,omitempty"`
	DriftInformation            DriftInformation
}

// PagedInput names a stack and a page.
type PagedInput struct {
	StackName string
	NextToken string
}

// DescribeStacksOutput is the output of DescribeStacks.
type DescribeStacksOutput struct {
	Stacks    []Stack
	NextToken string `json:",omitempty"`
}

// ListStacksInput is the input of ListStacks.
type ListStacksInput struct {
	StackStatusFilter []string
	NextToken         string
}

// ListStacksOutput is the output of ListStacks.
type ListStacksOutput struct {
	StackSummaries []StackSummary
	NextToken      string `json:",omitempty"`
}

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
	PhysicalResourceID   string `json:"PhysicalResourceId"` // "" for one that was never made
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
type ResourceSummaries struct {
	StackResourceSummaries []StackResource
	NextToken              string `json:",omitempty"`
}

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

// SummaryInput is the input of GetTemplateSummary.
type SummaryInput struct {
	StackName    string
	TemplateBody string
	TemplateURL  string
}

// ValidateInput is the input of ValidateTemplate.
type ValidateInput struct {
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
type ExportsOutput struct {
	Exports   []Export
	NextToken string `json:",omitempty"`
}

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
type ImportsOutput struct {
	Imports   []string
	NextToken string `json:",omitempty"`
}
