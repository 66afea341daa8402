package cfn

import (
	"fmt"
	"slices"
	"strings"

	"github.com/seed-615d3599/roost/cfn/eval"
	"github.com/seed-615d3599/roost/cfn/tree"
)

const notInConditions = "Template format error: Unresolved dependencies [%s]. Cannot reference resources in the Conditions block of the template"

func pseudoParameters() []string {
	return []string{
		"AWS::AccountId", "AWS::NotificationARNs", "AWS::NoValue", "AWS::Partition",
		"AWS::Region", "AWS::StackId", "AWS::StackName", "AWS::URLSuffix",
	}
}

// names are logical ids that something refers to, each once, and where the
// first reference stands.
type names struct {
	list  []string
	seen  map[string]bool
	first *Node
}

// maxNames is how many an error names.
const maxNames = 50

func (n *names) add(id string, at *Node) {
	if n.seen[id] {
		return
	}
	if n.seen == nil {
		n.seen, n.first = map[string]bool{}, at
	}
	n.seen[id] = true
	n.list = append(n.list, id)
}

// String joins the names as CloudFormation does.
func (n names) String() string {
	if len(n.list) > maxNames {
		return strings.Join(n.list[:maxNames], ", ") + fmt.Sprintf(" and %d more", len(n.list)-maxNames)
	}
	return strings.Join(n.list, ", ")
}

// checker looks at every function of a template, in branches that no condition
// chooses too, and at every name they refer to.
type checker struct {
	tree.Problems
	t          *Template
	block      string
	allowed    map[eval.Kind]bool
	parameters map[string]bool // and pseudo parameters
	resources  map[string]bool
	conditions map[string]bool
	unresolved names
}

// check finds what is wrong with functions and references whatever the
// parameters are.
func (t *Template) check() error {
	c := &checker{t: t, parameters: map[string]bool{}, resources: map[string]bool{}, conditions: map[string]bool{}}
	c.Root = t.Root
	c.collect()
	c.start("Conditions", eval.ValueFunction, eval.BooleanFunction)
	for _, m := range t.conditions {
		c.walk(m.Value)
	}
	c.finish(notInConditions)
	c.start("Rules", eval.ValueFunction, eval.BooleanFunction, eval.RuleFunction)
	for _, r := range t.Rules {
		r.walk(c.walk)
	}
	c.finish("Template format error: Unresolved dependencies [%s]. Cannot reference resources in the Rules block of the template")
	c.start("Resources", eval.ValueFunction)
	for _, r := range t.Resources {
		c.resource(r)
	}
	c.finish("")
	c.start("Outputs", eval.ValueFunction)
	for _, o := range t.Outputs {
		c.condition(o.Node, o.Condition)
		c.walk(o.Value)
		if o.ExportName != nil {
			c.walk(o.ExportName)
		}
	}
	c.finish("")
	return c.Err()
}

func (c *checker) collect() {
	for _, p := range c.t.Parameters {
		c.parameters[p.Name] = true
	}
	for _, name := range pseudoParameters() {
		c.parameters[name] = true
	}
	for _, r := range c.t.Resources {
		c.resources[r.LogicalID] = true
		if c.t.Parameter(r.LogicalID) != nil {
			c.Add(r.Node, "Template format error: Duplicate name %s: a parameter and a resource cannot have the same one", r.LogicalID)
		}
	}
	for _, m := range c.t.conditions {
		c.conditions[m.Key] = true
	}
}

func (c *checker) start(block string, kinds ...eval.Kind) {
	c.block, c.unresolved = block, names{}
	c.allowed = map[eval.Kind]bool{eval.ExtensionFunction: c.t.extended()}
	for _, kind := range kinds {
		c.allowed[kind] = true
	}
}

// finish reports the names that the block refers to and that nothing has.
func (c *checker) finish(text string) {
	if len(c.unresolved.list) == 0 {
		return
	}
	if text != "" {
		c.Add(c.unresolved.first, text, c.unresolved)
		return
	}
	c.Add(c.unresolved.first, eval.UnresolvedText, c.unresolved, c.block)
}

func (c *checker) resource(r *Resource) {
	c.condition(r.Node, r.Condition)
	for _, n := range r.nodes() {
		c.walk(n)
	}
	for _, id := range r.DependsOn {
		if !c.resources[id] {
			c.unresolved.add(id, r.Node.Get("DependsOn"))
		}
	}
	if slices.Contains(r.DependsOn, r.LogicalID) {
		c.Add(r.Node, "Circular dependency between resources: [%s]", r.LogicalID)
	}
}

func (c *checker) condition(at *Node, name string) {
	if name != "" && !c.conditions[name] {
		c.Add(at, eval.UnresolvedCondition, name, c.block)
	}
}

// walk checks a value: the shape of each function, then the names.
func (c *checker) walk(n *Node) {
	if c.shapes(n) {
		eval.References(n, nil, c.reference)
	}
}

// shapes reports whether every function below a node is known and well formed.
func (c *checker) shapes(n *Node) bool {
	ok := true
	if name, arg, call := c.call(n); call {
		switch {
		case !c.allowed[eval.KindOf(name)]:
			c.unsupported(n, name)
			return false
		default:
			if text := eval.Shape(name, arg, c.t.extended()); text != "" {
				c.Add(n, "%s", text)
				return false
			}
		}
		ok = c.details(n, name, arg)
	}
	for _, item := range n.Items {
		ok = c.shapes(item) && ok
	}
	for _, m := range n.Members {
		if len(n.Members) > 1 && strings.HasPrefix(m.Key, "Fn::") {
			c.beside(m)
			ok = false
		}
		ok = c.shapes(m.Value) && ok
	}
	return ok
}

// call is function, and where booleans may stand {"Condition": "name"} too.
func (c *checker) call(n *Node) (string, *Node, bool) {
	if eval.IsCondition(n) && c.allowed[eval.BooleanFunction] {
		return n.Members[0].Key, n.Members[0].Value, true
	}
	return eval.Function(n)
}

// beside refuses a function that has other keys beside it.
func (c *checker) beside(m tree.Member) {
	if eval.KindOf(m.Key) == eval.NoFunction {
		c.unsupported(m.Value, m.Key)
		return
	}
	c.Add(m.Value, "Template error: %s must be the only key of its object", m.Key)
}

func (c *checker) unsupported(n *Node, name string) {
	switch kind := eval.KindOf(name); {
	case kind == eval.ExtensionFunction || strings.HasPrefix(name, "Fn::ForEach::"):
		c.Add(n, "Template error: %s needs the transform %s", name, LanguageExtensions)
	case name == "Fn::Transform":
		c.Add(n, noMacros)
	case kind != eval.NoFunction:
		c.Add(n, "Template error: %s cannot be used in the %s block of the template", name, c.block)
	default:
		c.Add(n, "Template error: Encountered unsupported function: %s Supported functions are: [%s]", name, eval.SupportedFunctions)
	}
}

// details checks what needs the template's names.
func (c *checker) details(n *Node, name string, arg *Node) bool {
	switch name {
	case "Fn::Sub":
		if !eval.SubWellFormed(arg) {
			c.Add(n, eval.BadSubName)
			return false
		}
	case "Condition":
		c.condition(n, arg.Text)
	case "Fn::GetAtt", "Fn::GetAZs", "Fn::ImportValue", "Fn::If":
		if c.block == "Conditions" || c.block == "Rules" {
			c.Add(n, "Template error: %s cannot be used in the %s block of the template", name, c.block)
			return false
		}
	}
	return true
}

func (c *checker) reference(ref eval.Reference) {
	switch {
	case ref.Kind == "Condition":
		c.condition(ref.Node, ref.ID)
	case c.block == "Conditions" || c.block == "Rules":
		if !c.parameters[ref.ID] || ref.Attribute != "" {
			c.unresolved.add(ref.ID, ref.Node)
		}
	case ref.Kind == "Fn::GetAtt" && !c.resources[ref.ID]:
		c.Add(ref.Node, "Template error: instance of Fn::GetAtt references undefined resource %s", ref.ID)
	case ref.Kind == "Fn::Sub" && ref.Attribute != "" && !c.resources[ref.ID]:
		c.Add(ref.Node, "Template error: instance of Fn::Sub references invalid resource attribute %s.%s", ref.ID, ref.Attribute)
	case !c.parameters[ref.ID] && !c.resources[ref.ID]:
		c.unresolved.add(ref.ID, ref.Node)
	}
}
