package stacks

import (
	"context"
	"strings"

	"github.com/seed-615d3599/roost/cfn"
	"github.com/seed-615d3599/roost/internal/region/stacks/limits"
	"github.com/seed-615d3599/roost/internal/region/stacks/plan"
	"github.com/seed-615d3599/roost/internal/region/stacks/records"
	"github.com/seed-615d3599/roost/internal/region/wire"
)

// Parameter is a parameter's value as the API carries it.
type Parameter struct {
	ParameterKey     string
	ParameterValue   string `json:",omitempty"`
	UsePreviousValue bool   `json:",omitempty"`
	ResolvedValue    string `json:",omitempty"`
}

// Tag is a key and a value.
type Tag = limits.Tag

// Definition is what CreateStack, UpdateStack and CreateChangeSet have alike.
type Definition struct {
	StackName             string `required:"true"`
	TemplateBody          string
	TemplateURL           string
	UsePreviousTemplate   bool
	Parameters            []Parameter
	Capabilities          []string
	ResourceTypes         []string
	Tags                  []Tag
	NotificationARNs      []string
	RoleARN               string
	RollbackConfiguration limits.RollbackConfiguration
	DeploymentConfig      *records.DeploymentConfig
	DisableValidation     bool
}

// maxNotifications is how many topics a stack can have ("CreateStack").
const maxNotifications = 5

// check refuses what a definition cannot have, whatever its template.
func (d Definition) check() error {
	if err := d.RollbackConfiguration.Refuse(); err != nil {
		return err
	}
	if err := limits.Deployment(d.DeploymentConfig); err != nil {
		return err
	}
	if d.DisableValidation {
		return limits.Unsupported("DisableValidation", "a template is always checked before anything is made")
	}
	for _, capability := range d.Capabilities {
		if err := limits.Enum("capabilities", capability, cfn.CapabilityAutoExpand, cfn.CapabilityIAM, cfn.CapabilityNamedIAM); err != nil {
			return err
		}
	}
	if len(d.NotificationARNs) > maxNotifications {
		return plan.Invalid("1 validation error detected: Value at 'notificationARNs' failed to satisfy constraint: Member must have length less than or equal to %d", maxNotifications)
	}
	return limits.Tags(d.Tags)
}

// body returns the text of the template that a definition means.
func (s *Stacks) body(ctx context.Context, caller *wire.Caller, d Definition, st *records.Stack) (string, error) {
	given := 0
	for _, present := range []bool{d.TemplateBody != "", d.TemplateURL != "", d.UsePreviousTemplate} {
		if present {
			given++
		}
	}
	switch {
	case given != 1:
		return "", plan.Invalid("Either Template URL or Template Body must be specified.")
	case len(d.TemplateBody) > cfn.MaxBodyBytes:
		return "", plan.Invalid("1 validation error detected: Value at 'templateBody' failed to satisfy constraint: Member must have length less than or equal to %d", cfn.MaxBodyBytes)
	case d.TemplateBody != "":
		return d.TemplateBody, nil
	case d.TemplateURL != "":
		return s.engine.Fetch(ctx, caller, d.TemplateURL)
	case st == nil || st.Revision == 0:
		return "", plan.Invalid("a stack that does not exist has no previous template")
	}
	return s.engine.Template(ctx, st)
}

// prepare checks a definition for a stack.
func (s *Stacks) prepare(ctx context.Context, caller *wire.Caller, d Definition, st *records.Stack, changeSet bool) (*plan.Prepared, error) {
	if err := d.check(); err != nil {
		return nil, err
	}
	body, err := s.body(ctx, caller, d, st)
	if err != nil {
		return nil, err
	}
	q := plan.Request{
		Body: body, Values: map[string]string{}, Capabilities: d.Capabilities, ResourceTypes: d.ResourceTypes,
		NotificationARNs: d.NotificationARNs, ChangeSet: changeSet,
	}
	for _, p := range d.Parameters {
		if p.UsePreviousValue {
			q.UsePrevious = append(q.UsePrevious, p.ParameterKey)
		} else {
			q.Values[p.ParameterKey] = p.ParameterValue
		}
	}
	if d.Tags != nil {
		q.Tags = make(map[string]string, len(d.Tags))
		for _, tag := range d.Tags {
			q.Tags[tag.Key] = tag.Value
		}
	}
	return s.engine.Prepare(ctx, caller, st, q)
}

// targets are what a deployment needs permission for: the stack, and to pass
// the role.
func (s *Stacks) targets(d Definition) []wire.Target {
	targets := []wire.Target{{Resource: s.arnFor(d.StackName), Context: map[string][]string{}}}
	if d.RoleARN != "" {
		targets[0].Context["cloudformation:RoleArn"] = []string{d.RoleARN}
		targets = append(targets, wire.Target{Action: "iam:PassRole", Resource: d.RoleARN,
			Context: map[string][]string{"iam:PassedToService": {"cloudformation.amazonaws.com"}}})
	}
	return targets
}

// arnFor is the ARN of a stack for authorization; the id's last part is not
// known before there is one.
func (s *Stacks) arnFor(name string) string {
	if strings.HasPrefix(name, "arn:") {
		return name
	}
	if st, err := s.engine.Find(context.Background(), name); err == nil {
		return st.ID
	}
	return s.engine.StackARN(name, "*")
}
