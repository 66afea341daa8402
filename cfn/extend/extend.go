// Package extend carries out the transform AWS::LanguageExtensions on the tree
// of a template: it unrolls Fn::ForEach, and evaluates the functions that the
// transform allows where CloudFormation itself wants a string (in Ref and
// Fn::GetAtt, DeletionPolicy and UpdateReplacePolicy).
//
//	root, err = extend.Expand(root, scope)
//
// Fn::Length, Fn::ToJsonString and the default of Fn::FindInMap stay as they
// are: package eval knows them.
package extend

import (
	"strings"

	"github.com/seed-615d3599/roost/cfn/eval"
	"github.com/seed-615d3599/roost/cfn/tree"
)

// Bounds of loops: the depth is CloudFormation's ("Fn::ForEach"), the nodes ours.
const (
	maxDepth = 5
	maxNodes = 200_000
	maxBytes = 4 << 20 // of text that replacing makes
)

const (
	failed    = "Transform AWS::LanguageExtensions failed with: "
	noSecrets = "the value of a NoEcho parameter would become part of the template"
)

// Expand returns a new tree without loops. The scope has the parameters and
// mappings of the template. The error is a tree.Errors.
func Expand(root *tree.Node, scope *eval.Scope) (*tree.Node, error) {
	x := &expander{scope: *scope, Problems: tree.Problems{Root: root}}
	x.scope.Extended = true
	out := *root
	out.Members = nil
	for _, m := range root.Members {
		switch m.Key {
		case "Conditions", "Resources", "Outputs":
			m.Value = x.node(m.Value, 0)
		}
		out.Members = append(out.Members, m)
	}
	if err := x.Err(); err != nil {
		return nil, err
	}
	x.scope.Root, x.Root = &out, &out
	if conditions := out.Get("Conditions"); conditions != nil {
		if err := x.scope.EvaluateConditions(conditions.Members); err != nil {
			return nil, err
		}
	}
	for _, section := range []string{"Resources", "Outputs"} {
		if n := out.Get(section); n != nil {
			x.literals(n)
		}
	}
	x.policies(out.Get("Resources"))
	if err := x.Err(); err != nil {
		return nil, err
	}
	return &out, nil
}

type expander struct {
	scope eval.Scope
	nodes int
	bytes int
	tree.Problems
}

// node copies a value with its loops unrolled.
func (x *expander) node(n *tree.Node, depth int) *tree.Node {
	x.nodes++
	c := *n
	c.Items, c.Members = nil, nil
	for _, item := range n.Items {
		c.Items = append(c.Items, x.node(item, depth))
	}
	for _, m := range n.Members {
		if strings.HasPrefix(m.Key, "Fn::ForEach::") {
			c.Members = append(c.Members, x.loop(m, depth+1)...)
			continue
		}
		m.Value = x.node(m.Value, depth)
		c.Members = append(c.Members, m)
	}
	x.duplicates(&c)
	return &c
}

// duplicates refuses two members of the same name, which only loops can make here.
func (x *expander) duplicates(n *tree.Node) {
	seen := make(map[string]bool, len(n.Members))
	for _, m := range n.Members {
		if seen[m.Key] {
			x.Problems.Root = n // the member has no path in the template as written
			x.Add(m.Value, failed+"Fn::ForEach makes the key %q twice", m.Key)
		}
		seen[m.Key] = true
	}
}

// loop unrolls one Fn::ForEach: [identifier, collection, {key: value}].
func (x *expander) loop(m tree.Member, depth int) []tree.Member {
	arg := m.Value
	if arg.Kind != tree.List || len(arg.Items) != 3 || !arg.Items[0].IsString() || arg.Items[0].Text == "" ||
		arg.Items[1].Kind < tree.List || arg.Items[2].Kind != tree.Map {
		x.Add(arg, failed+"Fn::ForEach layout is incorrect")
		return nil
	}
	if depth > maxDepth {
		x.Add(arg, failed+"Fn::ForEach can be nested %d deep at most", maxDepth)
		return nil
	}
	identifier, body := arg.Items[0].Text, arg.Items[2]
	values, ok := x.collection(arg.Items[1])
	if !ok {
		return nil
	}
	if x.nodes += len(values) * body.Size(); x.nodes > maxNodes {
		x.Add(arg, failed+"the loops make more than %d values", maxNodes)
		return nil
	}
	var made []tree.Member
	for _, value := range values {
		if x.bytes > maxBytes {
			x.Add(arg, failed+"the loops make more than %d bytes", maxBytes)
			return nil
		}
		r := replacer{x: x, identifier: identifier, value: value}
		for _, inner := range body.Members {
			inner.Key = r.text(inner.Key)
			inner.Value = r.node(inner.Value)
			if strings.HasPrefix(inner.Key, "Fn::ForEach::") {
				made = append(made, x.loop(inner, depth+1)...)
				continue
			}
			inner.Value = x.node(inner.Value, depth)
			made = append(made, inner)
		}
	}
	return made
}

// collection evaluates what a loop runs over to strings. Lists in it are
// taken member by member, so that a list may name a parameter that is one.
func (x *expander) collection(n *tree.Node) ([]string, bool) {
	result, err := x.scope.Evaluate(n, eval.Lookup{}, eval.Plain)
	if err != nil {
		x.Join(n, err)
		return nil, false
	}
	if len(result.Secrets) > 0 {
		x.Add(n, failed+noSecrets)
		return nil, false
	}
	var list []string
	add := func(value any) bool {
		text, ok := eval.Text(value)
		list = append(list, text)
		return ok
	}
	items, ok := result.Value.([]any)
	for _, item := range items {
		inner, nested := item.([]any)
		if !nested {
			inner = []any{item}
		}
		for _, value := range inner {
			ok = add(value) && ok
		}
	}
	if !ok {
		x.Add(n, failed+"Fn::ForEach could not resolve the collection to a list of strings")
	}
	return list, ok
}

// replacer puts a loop's value where its identifier stands.
type replacer struct {
	x                 *expander
	identifier, value string
}

// text replaces "${Identifier}" with the value and "&{Identifier}" with its
// letters and digits, for logical ids.
func (r replacer) text(s string) string {
	if !strings.Contains(s, "{"+r.identifier+"}") {
		return s
	}
	r.x.bytes += strings.Count(s, "{"+r.identifier+"}") * len(r.value)
	if r.x.bytes > maxBytes {
		return s
	}
	s = strings.ReplaceAll(s, "${"+r.identifier+"}", r.value)
	return strings.ReplaceAll(s, "&{"+r.identifier+"}", alphanumeric(r.value))
}

func alphanumeric(s string) string {
	return strings.Map(func(c rune) rune {
		if c >= '0' && c <= '9' || c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z' {
			return c
		}
		return -1
	}, s)
}

func (r replacer) node(n *tree.Node) *tree.Node {
	if name, arg, ok := eval.Function(n); ok && name == "Ref" && arg.IsString() && arg.Text == r.identifier {
		return tree.Str(n.Pos, r.value)
	}
	c := *n
	c.Items, c.Members = nil, nil
	if n.Kind == tree.String {
		c.Text = r.text(n.Text)
	}
	for _, item := range n.Items {
		c.Items = append(c.Items, r.node(item))
	}
	for _, m := range n.Members {
		m.Key, m.Value = r.text(m.Key), r.node(m.Value)
		c.Members = append(c.Members, m)
	}
	return &c
}

// literals evaluates the functions in Ref and in the logical id of Fn::GetAtt,
// in the tree that Expand has copied.
func (x *expander) literals(n *tree.Node) {
	for _, item := range n.Items {
		x.literals(item)
	}
	for _, m := range n.Members {
		x.literals(m.Value)
	}
	switch name, arg, _ := eval.Function(n); {
	case name == "Ref" && arg.Kind == tree.Map:
		n.Members[0].Value = x.literal(arg)
	case name == "Fn::GetAtt" && arg.Kind == tree.List:
		for i, item := range arg.Items {
			if item.Kind == tree.Map {
				arg.Items[i] = x.literal(item)
			}
		}
	}
}

// policies evaluates the functions in DeletionPolicy and UpdateReplacePolicy.
func (x *expander) policies(resources *tree.Node) {
	if resources == nil {
		return
	}
	for _, r := range resources.Members {
		for i, a := range r.Value.Members {
			if (a.Key == "DeletionPolicy" || a.Key == "UpdateReplacePolicy") && a.Value.Kind == tree.Map {
				r.Value.Members[i].Value = x.literal(a.Value)
			}
		}
	}
}

// literal evaluates a function to the string that must stand in its place.
func (x *expander) literal(n *tree.Node) *tree.Node {
	result, err := x.scope.Evaluate(n, eval.Lookup{}, eval.Plain)
	if err != nil {
		x.Join(n, err)
		return n
	}
	if len(result.Secrets) > 0 {
		x.Add(n, failed+noSecrets)
		return n
	}
	text, ok := eval.Text(result.Value)
	if !ok {
		x.Add(n, failed+"a string is needed here that does not depend on any resource")
		return n
	}
	return tree.Str(n.Pos, text)
}
