package roost

import (
	"fmt"
	"strings"
)

// Resource is one CloudFormation resource of a stack.
type Resource struct {
	node
	logicalID      string
	kind           string // such as AWS::S3::Bucket
	properties     map[string]any
	dependsOn      []*Resource
	deletionPolicy string
	build          *Build
}

// ResourceProps describe a resource of any type, for what this package has no
// construct for.
type ResourceProps struct {
	Type       string         // such as "AWS::DynamoDB::Table"
	Properties map[string]any // as in a template; strings in it may be or contain Values
	DependsOn  []*Resource
	// What happens to it when it is removed or replaced: "Delete", which is the
	// default, "Retain", "RetainExceptOnCreate" or "Snapshot".
	DeletionPolicy string
}

// Resource adds a resource of any type. Whether the type and its properties
// exist is found at deployment, before anything is created.
func (s *Stack) Resource(id string, props ResourceProps) *Resource {
	n := s.construct(id)
	if !matches(`^(Custom::[A-Za-z0-9_@-]+|[A-Za-z0-9]+::[A-Za-z0-9]+::[A-Za-z0-9]+(::MODULE)?)$`, props.Type) {
		n.fail(fmt.Sprintf("%q is not a resource type", props.Type), `write one like "AWS::DynamoDB::Table"`)
	}
	switch props.DeletionPolicy {
	case "", "Delete", "Retain", "RetainExceptOnCreate", "Snapshot":
	default:
		n.fail(fmt.Sprintf("%q is not a deletion policy", props.DeletionPolicy), "use Delete, Retain, RetainExceptOnCreate or Snapshot")
	}
	r := n.resource(props.Type, props.Properties)
	r.dependsOn = append(r.dependsOn, props.DependsOn...)
	r.deletionPolicy = props.DeletionPolicy
	return r
}

// resource adds the construct to the template.
func (n node) resource(kind string, properties map[string]any) *Resource {
	r := &Resource{node: n, logicalID: logicalID(n.path), kind: kind, properties: properties}
	path := strings.Join(n.path, "/")
	if other, taken := n.stack.logicalIDs[r.logicalID]; taken && other != path {
		n.fail("its logical id "+r.logicalID+" is that of "+other+" too", "give one of them another id")
	}
	n.stack.logicalIDs[r.logicalID] = path
	n.stack.resources = append(n.stack.resources, r)
	return r
}

// LogicalID returns the resource's name within the template.
func (r *Resource) LogicalID() string { return r.logicalID }

// Ref returns what Ref of the resource gives: its name or id, by type.
// https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/aws-template-resource-type-ref.html
func (r *Resource) Ref() Value {
	return reference{Stack: r.stack.name, Ref: r.logicalID}.value()
}

// Att returns an attribute of the resource, such as "Arn".
func (r *Resource) Att(name string) Value {
	return reference{Stack: r.stack.name, GetAtt: []string{r.logicalID, name}}.value()
}

// cdkPath is the path that CDK's tools show for the resource.
func (r *Resource) cdkPath() string {
	return r.stack.name + "/" + strings.Join(r.path, "/")
}
