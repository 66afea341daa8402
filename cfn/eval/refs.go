package eval

import (
	"strings"

	"github.com/seed-615d3599/roost/cfn/tree"
)

// Reference is one place where a template names something.
type Reference struct {
	Kind      string     // "Ref", "Fn::GetAtt", "Fn::Sub", or "Condition" for the name in Fn::If
	ID        string     // the logical id
	Attribute string     // of GetAtt and of ${A.B} in Sub
	Node      *tree.Node // the function
}

// References visits every name that a value refers to. With taken it enters
// only the branches of Fn::If that the conditions choose.
func References(n *tree.Node, taken map[string]bool, visit func(Reference)) {
	name, arg, ok := Function(n)
	if !ok || Shape(name, arg, true) != "" {
		for _, item := range n.Items {
			References(item, taken, visit)
		}
		for _, m := range n.Members {
			References(m.Value, taken, visit)
		}
		return
	}
	switch name {
	case "Ref":
		if arg.IsString() {
			visit(Reference{Kind: "Ref", ID: arg.Text, Node: n})
		}
	case "Fn::GetAtt":
		id, attribute := getAttArguments(arg)
		if id.IsString() {
			visit(Reference{Kind: "Fn::GetAtt", ID: id.Text, Attribute: attribute.Text, Node: n})
		}
		References(attribute, taken, visit)
	case "Fn::Sub":
		subReferences(n, arg, taken, visit)
	case "Fn::If":
		visit(Reference{Kind: "Condition", ID: arg.Items[0].Text, Node: n})
		for i, branch := range arg.Items[1:] {
			if taken == nil || taken[arg.Items[0].Text] == (i == 0) {
				References(branch, taken, visit)
			}
		}
	default:
		References(arg, taken, visit)
	}
}

// getAttArguments returns the logical id and the attribute, from either form.
func getAttArguments(arg *tree.Node) (id, attribute *tree.Node) {
	if arg.Kind == tree.List {
		return arg.Items[0], arg.Items[1]
	}
	before, after, _ := strings.Cut(arg.Text, ".")
	return tree.Str(arg.Pos, before), tree.Str(arg.Pos, after)
}

func subReferences(n, arg *tree.Node, taken map[string]bool, visit func(Reference)) {
	text, variables := subArguments(arg)
	parts, _ := parseSub(text.Text)
	for _, part := range parts {
		if !part.name || variables.Get(part.text) != nil {
			continue
		}
		id, attribute, _ := strings.Cut(part.text, ".")
		visit(Reference{Kind: "Fn::Sub", ID: id, Attribute: attribute, Node: n})
	}
	if variables != nil {
		for _, m := range variables.Members {
			References(m.Value, taken, visit)
		}
	}
}
