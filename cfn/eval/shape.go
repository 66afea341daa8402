package eval

import (
	"slices"
	"strings"

	"github.com/seed-615d3599/roost/cfn/tree"
)

// SupportedFunctions is CloudFormation's own list in its error texts.
const (
	SupportedFunctions = "Fn::Base64, Fn::GetAtt, Fn::GetAZs, Fn::ImportValue, Fn::Join, Fn::Split, Fn::FindInMap, Fn::Select, Ref, " +
		"Fn::Equals, Fn::If, Fn::Not, Condition, Fn::And, Fn::Or, Fn::Contains, Fn::EachMemberEquals, Fn::EachMemberIn, " +
		"Fn::ValueOf, Fn::ValueOfAll, Fn::RefAll, Fn::Sub, Fn::Cidr"
	maxConditionOperands = 10
)

// Kind says where a function may stand.
type Kind uint8

// The kinds of functions.
const (
	NoFunction        Kind = iota
	ValueFunction          // in properties, outputs and most of the rest
	ExtensionFunction      // the same, with AWS::LanguageExtensions
	BooleanFunction        // in Conditions and Rules
	RuleFunction           // in Rules
)

// KindOf returns the kind of a function by its key.
func KindOf(name string) Kind {
	switch name {
	case "Ref", "Fn::Base64", "Fn::Cidr", "Fn::FindInMap", "Fn::GetAtt", "Fn::GetAZs", "Fn::If",
		"Fn::ImportValue", "Fn::Join", "Fn::Select", "Fn::Split", "Fn::Sub":
		return ValueFunction
	case "Fn::Length", "Fn::ToJsonString":
		return ExtensionFunction
	case "Condition", "Fn::Equals", "Fn::And", "Fn::Or", "Fn::Not":
		return BooleanFunction
	case "Fn::Contains", "Fn::EachMemberEquals", "Fn::EachMemberIn", "Fn::RefAll", "Fn::ValueOf", "Fn::ValueOfAll":
		return RuleFunction
	}
	return NoFunction
}

// Function splits an object that is a call: one key, "Ref" or "Fn::…".
func Function(n *tree.Node) (name string, arg *tree.Node, ok bool) {
	if n == nil || n.Kind != tree.Map || len(n.Members) != 1 {
		return "", nil, false
	}
	key := n.Members[0].Key
	if key == "Ref" || strings.HasPrefix(key, "Fn::") {
		return key, n.Members[0].Value, true
	}
	return "", nil, false
}

// IsCondition reports whether a node is a call that gives a boolean.
func IsCondition(n *tree.Node) bool {
	return n != nil && n.Kind == tree.Map && len(n.Members) == 1 && KindOf(n.Members[0].Key) == BooleanFunction
}

// Shape returns what is wrong with a function's argument, "" for nothing:
// CloudFormation's text. What a nested function gives is checked when it is
// evaluated.
func Shape(name string, arg *tree.Node, extended bool) string {
	switch name {
	case "Ref":
		return refuse(arg.IsString() || extended && isCall(arg), "Template error: every Ref object must have a single String value.")
	case "Condition":
		return refuse(arg.IsString(), "Template error: every Condition object must have a single String value.")
	case "Fn::Base64":
		return refuse(arg.Scalar() || isCall(arg), "Template error: every Fn::Base64 object must have a String-typed value.")
	case "Fn::GetAZs":
		return refuse(arg.Scalar() || isCall(arg), "Template error: every Fn::GetAZs object must have a String-typed value.")
	case "Fn::ImportValue":
		return refuse(arg.Scalar() || isCall(arg), "Template error: the attribute in Fn::ImportValue must be a string or a function that returns a string")
	case "Fn::GetAtt":
		return refuse(getAttShape(arg, extended), "Template error: every Fn::GetAtt object requires two non-empty parameters, the resource name and the resource attribute")
	case "Fn::If":
		return refuse(count(arg, 3, 3) && arg.Items[0].IsString(), "Template error: Fn::If requires a list argument with three elements, of which the first is the name of a condition")
	case "Fn::Length":
		return refuse(arg.Kind == tree.List || isCall(arg), badLength)
	case "Fn::ToJsonString":
		return refuse(arg.Kind >= tree.List, badToJSON)
	case "Fn::Sub":
		return subShape(arg)
	case "Fn::Equals", "Fn::And", "Fn::Or", "Fn::Not", "Fn::Contains", "Fn::EachMemberEquals", "Fn::EachMemberIn":
		return booleanShape(name, arg)
	default:
		return listShape(name, arg, extended)
	}
}

func refuse(ok bool, text string) string {
	if ok {
		return ""
	}
	return text
}

func isCall(n *tree.Node) bool {
	_, _, ok := Function(n)
	return ok
}

func count(n *tree.Node, least, most int) bool {
	return n.Kind == tree.List && len(n.Items) >= least && len(n.Items) <= most
}

func getAttShape(arg *tree.Node, extended bool) bool {
	if arg.IsString() {
		id, attribute, ok := strings.Cut(arg.Text, ".")
		return ok && id != "" && attribute != ""
	}
	if !count(arg, 2, 2) {
		return false
	}
	id, attribute := arg.Items[0], arg.Items[1]
	return (id.IsString() && id.Text != "" || extended && isCall(id)) && (attribute.IsString() && attribute.Text != "" || isCall(attribute))
}

// listShape checks the functions of several arguments.
func listShape(name string, arg *tree.Node, extended bool) string {
	switch name {
	case "Fn::Join":
		return refuse(count(arg, 2, 2) && arg.Items[0].Scalar() && listLike(arg.Items[1]),
			badJoin)
	case "Fn::Split":
		return refuse(count(arg, 2, 2) && arg.Items[0].Scalar() && (arg.Items[1].Scalar() || isCall(arg.Items[1])),
			"Template error: every Fn::Split object requires two parameters, (1) a string delimiter and (2) a string to be split or a function that returns a string to be split.")
	case "Fn::Select":
		return refuse(count(arg, 2, 2) && (arg.Items[0].Scalar() || isCall(arg.Items[0])) && listLike(arg.Items[1]),
			badSelect)
	case "Fn::FindInMap":
		return refuse(findInMapShape(arg, extended), "Template error: every Fn::FindInMap object requires three parameters, the map name, map key and the attribute for return value")
	case "Fn::Cidr":
		return refuse(count(arg, 2, 3) && !slices.ContainsFunc(arg.Items, func(i *tree.Node) bool { return !i.Scalar() && !isCall(i) }),
			"Template error: every Fn::Cidr object requires two or three parameters: a CIDR block, the number of blocks to make and the bits of each")
	}
	return ""
}

func listLike(n *tree.Node) bool { return n.Kind == tree.List || isCall(n) }

func findInMapShape(arg *tree.Node, extended bool) bool {
	most := 3
	if extended {
		most = 4
	}
	if !count(arg, 3, most) {
		return false
	}
	for _, item := range arg.Items[:3] {
		if !item.Scalar() && !isCall(item) {
			return false
		}
	}
	if len(arg.Items) == 4 {
		return len(arg.Items[3].Members) == 1 && arg.Items[3].Get("DefaultValue") != nil
	}
	return true
}

// Texts that both the shape and the evaluation of a function need.
const (
	badJoin   = "Template error: every Fn::Join object requires two parameters, (1) a string delimiter and (2) a list of strings to be joined or a function that returns a list of strings (such as Fn::GetAZs) to be joined."
	badSelect = "Template error: Fn::Select requires a list argument with two elements: an integer index and a list"
	badLength = "Template error: every Fn::Length object must have a list or a function that returns a list."
	badToJSON = "Template error: every Fn::ToJsonString object must have an object or a list."
)

const badSub = "Template error: One or more Fn::Sub intrinsic functions don't specify expected arguments. Specify a string as first argument, and an optional second argument to specify a mapping of values to replace in the string"

func subShape(arg *tree.Node) string {
	if arg.Kind == tree.List {
		return refuse(count(arg, 2, 2) && arg.Items[0].IsString() && arg.Items[1].Kind == tree.Map, badSub)
	}
	return refuse(arg.IsString(), badSub)
}

func booleanShape(name string, arg *tree.Node) string {
	switch name {
	case "Fn::Equals":
		return refuse(count(arg, 2, 2), "Template error: every Fn::Equals object requires a list of 2 string parameters.")
	case "Fn::Not":
		return refuse(count(arg, 1, 1), "Template error: every Fn::Not object requires one boolean parameter.")
	case "Fn::And", "Fn::Or":
		return refuse(count(arg, 2, maxConditionOperands), "Template error: every "+name+" object requires a list of at least 2 and at most 10 boolean parameters.")
	default:
		return refuse(count(arg, 2, 2), "Template error: every "+name+" object requires two parameters, of which the first is a list of strings.")
	}
}

// What CloudFormation says of names that nothing has; the second argument is the block.
const (
	UnresolvedText      = "Template format error: Unresolved resource dependencies [%s] in the %s block of the template"
	UnresolvedCondition = "Template format error: Unresolved condition dependency %s in the %s block of the template"
)
