package cfn

import (
	"slices"
	"strings"

	"github.com/seed-615d3599/roost/cfn/tree"
)

// The functions by where they may stand. Those of AWS::LanguageExtensions are
// known only in templates that declare it.
const (
	supportedFunctions = "Fn::Base64, Fn::GetAtt, Fn::GetAZs, Fn::ImportValue, Fn::Join, Fn::Split, Fn::FindInMap, Fn::Select, Ref, " +
		"Fn::Equals, Fn::If, Fn::Not, Condition, Fn::And, Fn::Or, Fn::Contains, Fn::EachMemberEquals, Fn::EachMemberIn, " +
		"Fn::ValueOf, Fn::ValueOfAll, Fn::RefAll, Fn::Sub, Fn::Cidr"
	maxConditionOperands = 10
)

var (
	valueFunctions     = []string{"Ref", "Fn::Base64", "Fn::Cidr", "Fn::FindInMap", "Fn::GetAtt", "Fn::GetAZs", "Fn::If", "Fn::ImportValue", "Fn::Join", "Fn::Select", "Fn::Split", "Fn::Sub"}
	extensionFunctions = []string{"Fn::Length", "Fn::ToJsonString"}
	booleanFunctions   = []string{"Condition", "Fn::Equals", "Fn::And", "Fn::Or", "Fn::Not"}
	ruleFunctions      = []string{"Fn::Contains", "Fn::EachMemberEquals", "Fn::EachMemberIn"}
	ruleValues         = []string{"Fn::RefAll", "Fn::ValueOf", "Fn::ValueOfAll"}
)

// function splits an object that is a call: one key, "Ref" or "Fn::…".
func function(n *Node) (name string, arg *Node, ok bool) {
	if n == nil || n.Kind != tree.Map || len(n.Members) != 1 {
		return "", nil, false
	}
	key := n.Members[0].Key
	if key == "Ref" || strings.HasPrefix(key, "Fn::") {
		return key, n.Members[0].Value, true
	}
	return "", nil, false
}

// conditionFunction reports whether a node is a call that gives a boolean.
func conditionFunction(n *Node) bool {
	return n != nil && n.Kind == tree.Map && len(n.Members) == 1 && slices.Contains(booleanFunctions, n.Members[0].Key)
}

// shape returns what is wrong with a function's argument, "" for nothing:
// CloudFormation's text. What a nested function gives is checked when it is
// evaluated.
func shape(name string, arg *Node, extended bool) string {
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
		return refuse(arg.Kind == tree.List || isCall(arg), "Template error: every Fn::Length object must have a list or a function that returns a list.")
	case "Fn::ToJsonString":
		return refuse(arg.Kind >= tree.List, "Template error: every Fn::ToJsonString object must have an object or a list.")
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

func isCall(n *Node) bool {
	_, _, ok := function(n)
	return ok
}

func count(n *Node, least, most int) bool {
	return n.Kind == tree.List && len(n.Items) >= least && len(n.Items) <= most
}

func getAttShape(arg *Node, extended bool) bool {
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
func listShape(name string, arg *Node, extended bool) string {
	switch name {
	case "Fn::Join":
		return refuse(count(arg, 2, 2) && arg.Items[0].Scalar() && listLike(arg.Items[1]),
			"Template error: every Fn::Join object requires two parameters, (1) a string delimiter and (2) a list of strings to be joined or a function that returns a list of strings (such as Fn::GetAZs) to be joined.")
	case "Fn::Split":
		return refuse(count(arg, 2, 2) && arg.Items[0].Scalar() && (arg.Items[1].Scalar() || isCall(arg.Items[1])),
			"Template error: every Fn::Split object requires two parameters, (1) a string delimiter and (2) a string to be split or a function that returns a string to be split.")
	case "Fn::Select":
		return refuse(count(arg, 2, 2) && (arg.Items[0].Scalar() || isCall(arg.Items[0])) && listLike(arg.Items[1]),
			"Template error: Fn::Select requires a list argument with two elements: an integer index and a list")
	case "Fn::FindInMap":
		return refuse(findInMapShape(arg, extended), "Template error: every Fn::FindInMap object requires three parameters, the map name, map key and the attribute for return value")
	case "Fn::Cidr":
		return refuse(count(arg, 2, 3) && !slices.ContainsFunc(arg.Items, func(i *Node) bool { return !i.Scalar() && !isCall(i) }),
			"Template error: every Fn::Cidr object requires two or three parameters: a CIDR block, the number of blocks to make and the bits of each")
	}
	return ""
}

func listLike(n *Node) bool { return n.Kind == tree.List || isCall(n) }

func findInMapShape(arg *Node, extended bool) bool {
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

const badSub = "Template error: One or more Fn::Sub intrinsic functions don't specify expected arguments. Specify a string as first argument, and an optional second argument to specify a mapping of values to replace in the string"

func subShape(arg *Node) string {
	if arg.Kind == tree.List {
		return refuse(count(arg, 2, 2) && arg.Items[0].IsString() && arg.Items[1].Kind == tree.Map, badSub)
	}
	return refuse(arg.IsString(), badSub)
}

func booleanShape(name string, arg *Node) string {
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
