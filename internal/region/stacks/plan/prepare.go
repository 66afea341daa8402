package plan

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/seed-615d3599/roost/cfn"
	"github.com/seed-615d3599/roost/internal/region/resources"
	"github.com/seed-615d3599/roost/internal/region/stacks/records"
	"github.com/seed-615d3599/roost/internal/region/wire"
)

// Request is what a deployment asks for.
type Request struct {
	Body             string // the template
	Values           map[string]string
	UsePrevious      []string // parameters that keep the value that the stack has
	Capabilities     []string
	ResourceTypes    []string          // what the template may have; nil allows all
	Tags             map[string]string // nil keeps those that the stack has
	NotificationARNs []string          // nil keeps those that the stack has
	// ChangeSet is set where a person sees what macros made before anything is
	// deployed: CAPABILITY_AUTO_EXPAND is not asked for then.
	ChangeSet bool
}

// Prepared is a request that was checked as far as that is possible before
// anything is made.
type Prepared struct {
	Body             string
	Plan             *cfn.Stack
	Parameters       []records.Parameter
	Capabilities     []string
	Tags             map[string]string
	NotificationARNs []string

	Revision int // of the stack that it was begun as; 0 before that
}

// Prepare checks a request for a stack, which is an update if the stack has a
// template. The error is a *wire.Error for the client.
func (l *Planner) Prepare(ctx context.Context, caller *wire.Caller, st *records.Stack, q Request) (*Prepared, error) {
	given := cfn.Given{Values: q.Values, UsePrevious: q.UsePrevious, SSM: func(name string) (string, bool, error) {
		return l.parameterValue(ctx, caller, name)
	}}
	if st.Revision > 0 {
		given.Previous = map[string]string{}
		for _, p := range st.Parameters {
			given.Previous[p.Key] = p.Value
		}
	}
	source, err := cfn.Parse("template", []byte(q.Body))
	if err != nil {
		return nil, Validation(err)
	}
	summary := source.Summary()
	plan, values, err := l.settle(st, source, given)
	if err != nil {
		return nil, Validation(err)
	}
	if err := capable(summary, plan.Template().Summary(), q); err != nil {
		return nil, err
	}
	if err := allowed(plan, q.ResourceTypes); err != nil {
		return nil, err
	}
	p := &Prepared{Body: q.Body, Plan: plan, Capabilities: q.Capabilities, Tags: q.Tags, NotificationARNs: q.NotificationARNs}
	for _, v := range values {
		kept := records.Parameter{Key: v.Name, Value: v.Raw, NoEcho: v.NoEcho}
		if v.SSM {
			kept.Resolved = v.Text
		}
		p.Parameters = append(p.Parameters, kept)
	}
	return p, nil
}

// capable asks for the acknowledgements that a template needs, as it is
// written and as its transforms leave it.
func capable(source, expanded cfn.Summary, q Request) error {
	var missing []string
	for _, capability := range slices.Concat(source.Capabilities, expanded.Capabilities) {
		ok := slices.Contains(q.Capabilities, capability) ||
			capability == cfn.CapabilityIAM && slices.Contains(q.Capabilities, cfn.CapabilityNamedIAM) ||
			capability == cfn.CapabilityAutoExpand && q.ChangeSet
		if !ok && !slices.Contains(missing, capability) {
			missing = append(missing, capability)
		}
	}
	if len(missing) > 0 {
		return wire.Errorf(http.StatusBadRequest, "InsufficientCapabilitiesException", "Requires capabilities : [%s]", strings.Join(missing, ", "))
	}
	return nil
}

// allowed refuses a template with resources that ResourceTypes does not name
// ("CreateStack", ResourceTypes).
func allowed(plan *cfn.Stack, types []string) error {
	if types == nil {
		return nil
	}
	matches := func(name string) bool {
		return slices.ContainsFunc(types, func(t string) bool {
			prefix, any := strings.CutSuffix(t, "*")
			return t == name || any && strings.HasPrefix(name, prefix)
		})
	}
	for _, declared := range plan.Template().Resources {
		if !matches(declared.Type) {
			return Invalid("Resource type %s is not allowed by parameter ResourceTypes %v", declared.Type, types)
		}
	}
	return nil
}

// Retype refuses a template that gives a resource another type, which
// CloudFormation does not do.
func (p *Prepared) Retype(have []*records.Resource) error {
	var changed []string
	for _, one := range have {
		if declared := p.Plan.Resource(one.LogicalID); declared != nil && one.Exists && declared.Type != one.Type {
			changed = append(changed, one.LogicalID)
		}
	}
	if len(changed) > 0 {
		return Invalid("Update of resource type is not permitted. The new template modifies resource type of the following resources: [%s]", strings.Join(changed, ", "))
	}
	return nil
}

// Again settles once more what a stack or a change set has stored.
func (l *Planner) Again(ctx context.Context, caller *wire.Caller, st *records.Stack, body string, parameters []records.Parameter) (*cfn.Stack, error) {
	source, err := cfn.Parse("template", []byte(body))
	if err != nil {
		return nil, err
	}
	given := cfn.Given{Values: map[string]string{}, SSM: func(name string) (string, bool, error) {
		for _, p := range parameters {
			if p.Value == name && p.Resolved != "" {
				return p.Resolved, true, nil
			}
		}
		return l.parameterValue(ctx, caller, name)
	}}
	for _, p := range parameters {
		given.Values[p.Key] = p.Value
	}
	plan, _, err := l.settle(st, source, given)
	return plan, err
}

func (l *Planner) pseudo(st *records.Stack) cfn.Pseudo {
	return cfn.Pseudo{
		AccountID: l.config.Account, Region: l.config.Region,
		StackID: st.ID, StackName: st.Name, NotificationARNs: st.NotificationARNs,
	}
}

// settle settles a template for a stack.
func (l *Planner) settle(st *records.Stack, template *cfn.Template, given cfn.Given) (*cfn.Stack, cfn.Values, error) {
	values, err := template.Resolve(given)
	if err != nil {
		return nil, nil, err
	}
	if template, err = template.Expand(values, l.pseudo(st)); err != nil {
		return nil, values, err
	}
	plan, err := cfn.New(template, values, l.pseudo(st))
	if err != nil {
		return nil, values, err
	}
	return plan, values, l.supported(plan)
}

// supported refuses a template that has what the region does not: every type
// and property at once.
func (l *Planner) supported(plan *cfn.Stack) error {
	var problems []string
	hint := ""
	for _, declared := range plan.Resources {
		kind, ok := l.Kind(declared.Type)
		if !ok {
			if l.config.Record == nil || !l.config.Record(declared.Type) {
				hint = recordHint
				problems = append(problems, fmt.Sprintf("%s: %s: roost does not support the type %s", declared.Node.Pos, declared.LogicalID, declared.Type))
			}
			continue
		}
		for _, problem := range l.check(plan, kind, declared) {
			problems = append(problems, fmt.Sprintf("%s: %s (%s): %s", declared.Node.Pos, declared.LogicalID, declared.Type, problem))
		}
	}
	if len(problems) == 0 {
		return nil
	}
	return Invalid("Template format error: roost cannot deploy this template:\n  %s%s", strings.Join(problems, "\n  "), hint)
}

// recordHint is the remedy for types that are not known.
const recordHint = "\nA type that neither routes, authorizes nor runs code can be kept as a record: name it under \"record\" in roost.json."

// check compares what is known of a resource's properties with its type.
func (l *Planner) check(plan *cfn.Stack, kind *resources.Type, declared *cfn.Resource) []resources.Problem {
	unknown := func(string) (any, error) { return cfn.Unknown{}, nil }
	secure := false
	result, err := plan.Properties(declared, cfn.Lookup{
		GetAtt:      func(id, attribute string) (any, error) { return cfn.Unknown{}, l.hasAttribute(plan, id, attribute) },
		ImportValue: unknown, AvailabilityZones: Zones,
		Dynamic: func(d cfn.DynamicReference) (string, error) {
			secure = secure || d.Service == "ssm-secure"
			return d.Text, nil
		},
	})
	if err != nil {
		return []resources.Problem{{Text: Message(err)}}
	}
	props, _ := result.Value.(map[string]any)
	problems := append(attributesRefused(declared), kind.Check(props)...)
	if secure {
		problems = append(problems, secureRefused(declared.Type, props)...)
	}
	return problems
}

// secureRefused refuses ssm-secure references: CloudFormation takes them in a
// few properties only ("Resources that support dynamic parameter patterns for
// secure strings"), all of types that the region does not know.
func secureRefused(kind string, props map[string]any) []resources.Problem {
	var problems []resources.Problem
	for _, name := range slices.Sorted(maps.Keys(props)) {
		if text, err := resources.Document(props[name]); err == nil && strings.Contains(text, "{{resolve:ssm-secure:") {
			problems = append(problems, resources.Problem{Text: "SSM Secure reference is not supported in: [" + kind + "/Properties/" + name + "]"})
		}
	}
	return problems
}

// hasAttribute refuses Fn::GetAtt of what a type does not give.
func (l *Planner) hasAttribute(plan *cfn.Stack, logicalID, attribute string) error {
	declared := plan.Resource(logicalID)
	if declared == nil {
		return nil
	}
	kind, ok := l.Kind(declared.Type)
	if ok && !kind.HasAttribute(attribute) {
		return fmt.Errorf("Template error: resource %s does not support attribute type %s in Fn::GetAtt", logicalID, attribute)
	}
	return nil
}

// waitCondition is the one type here for which a CreationPolicy means something.
const waitCondition = "AWS::CloudFormation::WaitCondition"

// attributesRefused refuses what the attributes beside the properties ask for
// and nothing here does.
func attributesRefused(declared *cfn.Resource) []resources.Problem {
	var problems []resources.Problem
	if declared.DeletionPolicy == "Snapshot" || declared.UpdateReplacePolicy == "Snapshot" {
		problems = append(problems, resources.Problem{Text: "Template error: resource type " + declared.Type + " does not support deletion policy Snapshot"})
	}
	if declared.CreationPolicy != nil && declared.Type != waitCondition {
		problems = append(problems, resources.Problem{Text: "roost does not support a CreationPolicy on this type"})
	}
	if declared.UpdatePolicy != nil {
		problems = append(problems, resources.Problem{Text: "roost does not support UpdatePolicy"})
	}
	return problems
}

// Invalid is the ValidationError with which CloudFormation refuses a request.
func Invalid(format string, args ...any) *wire.Error {
	return wire.Errorf(http.StatusBadRequest, "ValidationError", format, args...)
}
