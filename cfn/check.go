package cfn

import (
	"slices"
	"strings"

	"github.com/seed-615d3599/roost/cfn/eval"
	"github.com/seed-615d3599/roost/cfn/tree"
)

const notInConditions = "Template format error: Unresolved dependencies [%s]. Cannot reference resources in the Conditions block of the template"

var pseudoParameters = []string{
	"AWS::AccountId", "AWS::NotificationARNs", "AWS::NoValue", "AWS::Partition",
	"AWS::Region", "AWS::StackId", "AWS::StackName", "AWS::URLSuffix",
}

// checker looks at every function of a template, in branches that no condition
// chooses too, and at every name they refer to.
type checker struct {
	tree.Problems
	t          *Template
	block      string
	allowed    map[eval.Kind]bool
	names      map[string]bool // parameters and pseudo parameters
	resources  map[string]bool
	conditions map[string]bool
	unresolved []string
	first      *Node // where the first of them stands
}

// check finds what is wrong with functions and references whatever the
// parameters are.
func (t *Template) check() error {
	c := &checker{t: t, names: map[string]bool{}, resources: map[string]bool{}, conditions: map[string]bool{}}
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
		c.names[p.Name] = true
	}
	for _, name := range pseudoParameters {
		c.names[name] = true
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
	c.block, c.unresolved, c.first = block, nil, nil
	c.allowed = map[eval.Kind]bool{eval.ExtensionFunction: c.t.extended()}
	for _, kind := range kinds {
		c.allowed[kind] = true
	}
}

// finish reports the names that the block refers to and that nothing has.
func (c *checker) finish(text string) {
	if len(c.unresolved) == 0 {
		return
	}
	names := strings.Join(c.unresolved, ", ")
	if text != "" {
		c.Add(c.first, text, names)
		return
	}
	c.Add(c.first, eval.UnresolvedText, names, c.block)
}

func (c *checker) resource(r *Resource) {
	c.condition(r.Node, r.Condition)
	for _, n := range r.nodes() {
		c.walk(n)
	}
	for _, id := range r.DependsOn {
		if !c.resources[id] {
			c.missing(r.Node.Get("DependsOn"), id)
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

func (c *checker) missing(at *Node, id string) {
	if c.first == nil {
		c.first = at
	}
	if !slices.Contains(c.unresolved, id) {
		c.unresolved = append(c.unresolved, id)
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
			c.Add(m.Value, "Template error: %s must be the only key of its object", m.Key)
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

func (c *checker) unsupported(n *Node, name string) {
	switch kind := eval.KindOf(name); {
	case kind == eval.ExtensionFunction || strings.HasPrefix(name, "Fn::ForEach::"):
		c.Add(n, "Template error: %s needs the transform %s", name, LanguageExtensions)
	case name == "Fn::Transform":
		c.Add(n, "Template error: Fn::Transform is not supported: macros and AWS::Include cannot be used")
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
		if !c.names[ref.ID] || ref.Attribute != "" {
			c.missing(ref.Node, ref.ID)
		}
	case ref.Kind == "Fn::GetAtt" && !c.resources[ref.ID]:
		c.Add(ref.Node, "Template error: instance of Fn::GetAtt references undefined resource %s", ref.ID)
	case ref.Kind == "Fn::Sub" && ref.Attribute != "" && !c.resources[ref.ID]:
		c.Add(ref.Node, "Template error: instance of Fn::Sub references invalid resource attribute %s.%s", ref.ID, ref.Attribute)
	case !c.names[ref.ID] && !c.resources[ref.ID]:
		c.missing(ref.Node, ref.ID)
	}
}
