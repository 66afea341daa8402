package eval

import (
	"strings"

	"github.com/seed-615d3599/roost/cfn/tree"
)

// subPart is a piece of the text of Fn::Sub: a literal, or the name between "${" and "}".
type subPart struct {
	text string
	name bool
}

// parseSub splits the text of Fn::Sub. "${!Literal}" gives "${Literal}", and a
// "${" that no "}" closes stands for itself. What is between the braces and is
// no name ("${a b}") is an error.
func parseSub(text string) (parts []subPart, bad string) {
	for {
		start := strings.Index(text, "${")
		if start < 0 {
			break
		}
		length := strings.IndexByte(text[start:], '}')
		if length < 0 {
			break
		}
		name := text[start+2 : start+length]
		parts = append(parts, subPart{text: text[:start]})
		switch {
		case strings.HasPrefix(name, "!"):
			parts = append(parts, subPart{text: "${" + name[1:] + "}"})
		case !subName(strings.TrimSpace(name)):
			return nil, name
		default:
			parts = append(parts, subPart{text: strings.TrimSpace(name), name: true})
		}
		text = text[start+length+1:]
	}
	return append(parts, subPart{text: text}), ""
}

// BadSubName is what CloudFormation says of a "${…}" that holds no name.
const BadSubName = "Template error: variable names in Fn::Sub syntax must contain only alphanumeric characters, underscores, periods, and colons"

func subName(s string) bool {
	return s != "" && strings.Trim(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.:-") == ""
}

// SubWellFormed reports whether the text of a Fn::Sub whose Shape is right
// holds nothing but names between its braces.
func SubWellFormed(arg *tree.Node) bool {
	text, _ := subArguments(arg)
	_, bad := parseSub(text.Text)
	return bad == ""
}

// subArguments returns the text of Fn::Sub and the object of its own variables, or nil.
func subArguments(arg *tree.Node) (text, variables *tree.Node) {
	if arg.Kind == tree.List {
		return arg.Items[0], arg.Items[1]
	}
	return arg, nil
}
