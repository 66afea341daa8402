package plan

import (
	"context"
	"maps"

	"github.com/seed-615d3599/roost/internal/region/resources"
	"github.com/seed-615d3599/roost/internal/region/stacks/limits"
	"github.com/seed-615d3599/roost/internal/region/stacks/records"
	"github.com/seed-615d3599/roost/internal/region/wire"
)

// NestedProperties are those of AWS::CloudFormation::Stack.
func NestedProperties() resources.Properties {
	return resources.Properties{
		"TemplateURL":      {Kind: resources.String, Required: true},
		"Parameters":       {Kind: resources.Map},
		"Tags":             {Kind: resources.List, Items: &resources.Property{Kind: resources.Object, Members: resources.Properties{"Key": {Kind: resources.String, Required: true}, "Value": {Kind: resources.String, Required: true}}}},
		"NotificationARNs": {Kind: resources.List, Items: &resources.Property{Kind: resources.String}},
		"TimeoutInMinutes": {Kind: resources.Integer},
	}
}

// maxDepth is how deep stacks nest; a template that nests itself ends there.
// CloudFormation names no limit [?].
const maxDepth = 20

// maxTouched is how many resources an operation on a stack and those nested in it
// may touch ("Understand CloudFormation quotas", Nested stacks). Resources that do
// not change count too.
const maxTouched = 2500

// MayTouch refuses an operation that touches so many resources.
func MayTouch(resources int) error {
	if resources > maxTouched {
		return Invalid("Limit on the number of resources in a single stack operation exceeded")
	}
	return nil
}

// PrepareNested reads and checks the template of a nested stack. want are the
// properties that its parent's template gives it.
func (l *Planner) PrepareNested(ctx context.Context, caller *wire.Caller, parent, child *records.Stack, want map[string]any) (*Prepared, error) {
	if child.Depth > maxDepth {
		return nil, Invalid("stacks nest %d deep at most", maxDepth)
	}
	body, err := l.Fetch(ctx, caller, resources.Text(want, "TemplateURL"))
	if err != nil {
		return nil, err
	}
	q := Request{Body: body, Values: map[string]string{}, Capabilities: parent.Capabilities, Tags: maps.Clone(parent.Tags), NotificationARNs: resources.Texts(want, "NotificationARNs")}
	if q.Tags == nil {
		q.Tags = map[string]string{}
	}
	for name, value := range resources.Child(want, "Parameters") {
		q.Values[name], _ = TextOf(value)
	}
	var own []limits.Tag
	for _, tag := range resources.Children(want, "Tags") {
		own = append(own, limits.Tag{Key: resources.Text(tag, "Key"), Value: resources.Text(tag, "Value")})
	}
	if err := limits.Tags(own); err != nil {
		return nil, err
	}
	for _, tag := range own {
		q.Tags[tag.Key] = tag.Value
	}
	return l.Prepare(ctx, caller, child, q)
}
