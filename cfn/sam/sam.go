// Package sam carries out the transform AWS::Serverless-2016-10-31 on the tree
// of a template: it makes Lambda functions, roles, permissions, HTTP APIs and
// layers of AWS::Serverless::Function, HttpApi and LayerVersion, with the
// Globals section merged in.
//
//	root, err = sam.Expand(root, scope)
//
// The logical ids are AWS SAM's own (FnRole, ServerlessHttpApi,
// ServerlessHttpApiApiGatewayDefaultStage, FnEventPermission), so that a
// template may refer to them. In one thing it differs: SAM writes an API as one
// OpenAPI document, and this package writes the routes, integrations and
// authorizers that such a document would import, as FnEventRoute,
// FnEventIntegration and <Api><Name>Authorizer.
//
// Other serverless types, events and properties are refused by name.
package sam

import (
	"slices"
	"strings"

	"github.com/seed-615d3599/roost/cfn/eval"
	"github.com/seed-615d3599/roost/cfn/tree"
)

// invalid is how CloudFormation reports what SAM refuses.
const invalid = "Transform AWS::Serverless-2016-10-31 failed with: Invalid Serverless Application Specification document. "

// The types that are expanded.
const (
	functionType = "AWS::Serverless::Function"
	httpAPIType  = "AWS::Serverless::HttpApi"
	layerType    = "AWS::Serverless::LayerVersion"
)

// Bounds of what a template may become: CloudFormation's own number of
// resources, and how many values Globals may add to them.
const (
	maxResources = 500
	maxMerged    = 50_000
)

// implicitAPI is the API of events that name none.
const implicitAPI = "ServerlessHttpApi"

// Expand returns a new tree in which no serverless resource is left. The scope
// has the parameters of the template. The error is a tree.Errors.
func Expand(root *tree.Node, scope *eval.Scope) (*tree.Node, error) {
	x := &expander{
		scope: scope, Problems: tree.Problems{Root: root}, out: root.Clone(),
		made: map[string]bool{}, renamed: map[string]string{}, apis: map[string]*api{},
	}
	resources := x.out.Get("Resources")
	if resources == nil || resources.Kind != tree.Map {
		return without(x.out, "Globals"), nil
	}
	x.Root = x.out
	x.globals(x.out.Get("Globals"), resources)
	x.resources(resources)
	if err := x.Err(); err != nil {
		return nil, err
	}
	x.out = without(x.out, "Globals")
	x.out.Set("Resources", tree.Object(resources.Pos, x.members...))
	x.addCondition()
	x.rename(x.out)
	return x.out, nil
}

// without returns an object less one of its members.
func without(n *tree.Node, key string) *tree.Node {
	n.Delete(key)
	return n
}

type expander struct {
	scope *eval.Scope
	tree.Problems
	out     *tree.Node
	members []tree.Member     // the resources made, in order
	made    map[string]bool   // their logical ids
	renamed map[string]string // what a template may call them: "Fn.Alias", a layer's id
	apis    map[string]*api
	names   []string // of apis, in the template's order
	merged  int      // values that Globals have added
}

// resource is one serverless resource at hand.
type resource struct {
	id    string
	node  *tree.Node
	props *tree.Node
}

// fail records what is wrong with a resource.
func (x *expander) fail(r *resource, at *tree.Node, format string, args ...any) {
	if at == nil {
		at = r.node
	}
	x.Add(at, invalid+"Resource with id ["+r.id+"] is invalid. "+format, args...)
}

// resources expands every resource; the APIs first, since events name them.
func (x *expander) resources(resources *tree.Node) {
	for _, m := range resources.Members {
		if text(m.Value.Get("Type")) == httpAPIType {
			x.startAPI(&resource{id: m.Key, node: m.Value, props: properties(m.Value)})
		}
	}
	for _, m := range resources.Members {
		r := &resource{id: m.Key, node: m.Value, props: properties(m.Value)}
		switch kind := text(m.Value.Get("Type")); {
		case kind == httpAPIType:
		case kind == functionType:
			x.function(r)
		case kind == layerType:
			x.layer(r)
		case strings.HasPrefix(kind, "AWS::Serverless::"):
			x.fail(r, m.Value.Get("Type"), "The type %s is not supported: only Function, HttpApi and LayerVersion are.", kind)
		default:
			x.keep(m)
		}
	}
	for _, name := range x.names {
		x.finishAPI(x.apis[name])
	}
}

// properties returns a resource's properties, an empty object if it has none.
func properties(n *tree.Node) *tree.Node {
	if p := n.Get("Properties"); p != nil && p.Kind == tree.Map {
		return p
	}
	return tree.Object(n.Pos)
}

func text(n *tree.Node) string {
	if n.IsString() {
		return n.Text
	}
	return ""
}

// keep takes over a resource that is not serverless.
func (x *expander) keep(m tree.Member) {
	if x.made[m.Key] {
		x.Add(m.Value, invalid+"Resource with id [%s] is invalid. The transform makes a resource of the same name.", m.Key)
	}
	x.made[m.Key] = true
	if len(x.members) == maxResources {
		x.Add(nil, invalid+"The template expands to more than %d resources.", maxResources)
		return
	}
	x.members = append(x.members, m)
}

// add makes a resource: of the attributes of the serverless one those that SAM
// passes on (Condition, DeletionPolicy, UpdateReplacePolicy), and extra.
func (x *expander) add(r *resource, id, kind string, props *tree.Node, extra ...tree.Member) {
	pos := r.node.Pos
	n := tree.Object(pos, tree.M("Type", tree.Str(pos, kind)), tree.M("Properties", props))
	for _, name := range []string{"Condition", "DeletionPolicy", "UpdateReplacePolicy"} {
		if a := r.node.Get(name); a != nil {
			n.Set(name, a)
		}
	}
	for _, m := range extra {
		n.Set(m.Key, m.Value)
	}
	x.keep(tree.Member{Key: id, Pos: pos, Value: n})
}

// own returns the attributes that stay on the main resource alone.
func own(r *resource) []tree.Member {
	var list []tree.Member
	for _, name := range []string{"DependsOn", "Metadata", "UpdatePolicy"} {
		if a := r.node.Get(name); a != nil {
			list = append(list, tree.M(name, a))
		}
	}
	return list
}

// check refuses properties and attributes that are not among those known.
func (x *expander) check(r *resource, known []string) {
	x.want(r, r.node, tree.Map, "Properties")
	x.want(r, r.props, tree.Map, "Tags", "Events", "Auth", "Domain", "FunctionUrlConfig", "DeadLetterQueue", "RouteSettings")
	for _, m := range r.props.Members {
		if !slices.Contains(known, m.Key) {
			x.fail(r, m.Value, "property %s not defined for resource of type %s, or not supported", m.Key, text(r.node.Get("Type")))
		}
	}
	attributes := []string{"Type", "Properties", "DependsOn", "Condition", "DeletionPolicy", "UpdateReplacePolicy", "Metadata", "UpdatePolicy"}
	for _, m := range r.node.Members {
		if !slices.Contains(attributes, m.Key) {
			x.fail(r, m.Value, "The attribute %s is not supported", m.Key)
		}
	}
}

// want refuses members of an object that are there and not of the kind that
// the transform reads. Functions are refused too: what they come to is not
// known here.
func (x *expander) want(r *resource, of *tree.Node, kind tree.Kind, names ...string) {
	for _, name := range names {
		n := of.Get(name)
		if n == nil {
			continue
		}
		if _, _, call := eval.Function(n); call || n.Kind != kind {
			x.fail(r, n, "Type of property '%s' is invalid: it must be %s, and no function.", name, kind)
		}
	}
}

// parameter resolves a reference to a parameter, as SAM does where it must
// know a value; anything else is returned as it is. What is NoEcho stays a
// reference: its value must not get into a template.
func (x *expander) parameter(n *tree.Node) *tree.Node {
	name, arg, ok := eval.Function(n)
	if !ok || name != "Ref" || !arg.IsString() {
		return n
	}
	switch arg.Text {
	case "AWS::Region":
		return tree.Str(n.Pos, x.scope.Pseudo.Region)
	case "AWS::Partition":
		return tree.Str(n.Pos, x.partition())
	}
	if p, ok := x.scope.Parameters[arg.Text]; ok && !p.NoEcho {
		if value, ok := p.Value.(string); ok {
			return tree.Str(n.Pos, value)
		}
	}
	return n
}

// parameters resolves every reference to a parameter below a node, in a copy.
func (x *expander) parameters(n *tree.Node) *tree.Node {
	if resolved := x.parameter(n); resolved != n {
		return resolved
	}
	c := *n
	c.Items, c.Members = nil, nil
	for _, item := range n.Items {
		c.Items = append(c.Items, x.parameters(item))
	}
	for _, m := range n.Members {
		m.Value = x.parameters(m.Value)
		c.Members = append(c.Members, m)
	}
	return &c
}

func (x *expander) partition() string {
	if p := x.scope.Pseudo.Partition; p != "" {
		return p
	}
	return "aws"
}

// rename puts the logical ids that were made where the template uses SAM's
// names for them: Ref and Sub of "Fn.Alias", "Fn.Version" and "Api.Stage", and
// every reference to a layer, whose id has a hash of its content.
func (x *expander) rename(n *tree.Node) {
	for _, item := range n.Items {
		x.rename(item)
	}
	for _, m := range n.Members {
		if m.Key == "DependsOn" {
			for _, item := range append([]*tree.Node{m.Value}, m.Value.Items...) {
				if id, ok := x.renamed[text(item)]; ok {
					item.Text = id
				}
			}
		}
		x.rename(m.Value)
	}
	switch name, arg, _ := eval.Function(n); name {
	case "Ref":
		if id, ok := x.renamed[text(arg)]; ok {
			n.Members[0].Value = tree.Str(arg.Pos, id)
		}
	case "Fn::GetAtt":
		if arg.Kind == tree.List && len(arg.Items) > 0 {
			if id, ok := x.renamed[text(arg.Items[0])]; ok {
				arg.Items[0] = tree.Str(arg.Items[0].Pos, id)
			}
		}
	case "Fn::Sub":
		if arg.Kind == tree.List && len(arg.Items) > 0 {
			arg = arg.Items[0]
		}
		for from, to := range x.renamed {
			arg.Text = strings.ReplaceAll(arg.Text, "${"+from+"}", "${"+to+"}")
		}
	}
}
