package cfn

import (
	"strings"

	"github.com/seed-615d3599/roost/cfn/tree"
)

// reference is one place where a template names something.
type reference struct {
	kind      string // "Ref", "Fn::GetAtt", "Fn::Sub", "Condition" or "Fn::FindInMap"
	id        string
	attribute string // of GetAtt and of ${A.B} in Sub
	node      *Node
}

// references visits every name that a value refers to. With taken it enters
// only the branches of Fn::If that the conditions choose.
func references(n *Node, taken map[string]bool, visit func(reference)) {
	name, arg, ok := function(n)
	if !ok || shape(name, arg, true) != "" {
		for _, item := range n.Items {
			references(item, taken, visit)
		}
		for _, m := range n.Members {
			references(m.Value, taken, visit)
		}
		return
	}
	switch name {
	case "Ref":
		if arg.IsString() {
			visit(reference{kind: "Ref", id: arg.Text, node: n})
		}
	case "Fn::GetAtt":
		id, attribute := getAttArguments(arg)
		if id.IsString() {
			visit(reference{kind: "Fn::GetAtt", id: id.Text, attribute: attribute.Text, node: n})
		}
		references(attribute, taken, visit)
	case "Fn::Sub":
		subReferences(n, arg, taken, visit)
	case "Fn::If":
		visit(reference{kind: "Condition", id: arg.Items[0].Text, node: n})
		for i, branch := range arg.Items[1:] {
			if taken == nil || taken[arg.Items[0].Text] == (i == 0) {
				references(branch, taken, visit)
			}
		}
	default:
		references(arg, taken, visit)
	}
}

// getAttArguments returns the logical id and the attribute, from either form.
func getAttArguments(arg *Node) (id, attribute *Node) {
	if arg.Kind == tree.List {
		return arg.Items[0], arg.Items[1]
	}
	before, after, _ := strings.Cut(arg.Text, ".")
	return tree.Str(arg.Pos, before), tree.Str(arg.Pos, after)
}

func subReferences(n, arg *Node, taken map[string]bool, visit func(reference)) {
	text, variables := subArguments(arg)
	parts, _ := parseSub(text.Text)
	for _, part := range parts {
		if !part.name || variables.Get(part.text) != nil {
			continue
		}
		id, attribute, _ := strings.Cut(part.text, ".")
		visit(reference{kind: "Fn::Sub", id: id, attribute: attribute, node: n})
	}
	if variables != nil {
		for _, m := range variables.Members {
			references(m.Value, taken, visit)
		}
	}
}
