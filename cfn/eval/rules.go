package eval

import (
	"maps"
	"slices"

	"github.com/seed-615d3599/roost/cfn/tree"
)

// Assert evaluates a condition or an assertion of the Rules section, with the
// functions that only rules have.
func (s *Scope) Assert(n *tree.Node) (bool, error) {
	e := s.evaluator(Lookup{})
	e.rules = true
	return e.assert(n)
}

// assert evaluates the functions of rules that give true or false
// ("Rule-specific intrinsic functions").
func (e *evaluator) assert(n *tree.Node) (bool, error) {
	if n.Kind != tree.Map || len(n.Members) != 1 {
		return (&booleans{e: e}).plain(n)
	}
	name, arg := n.Members[0].Key, n.Members[0].Value
	if text := Shape(name, arg, e.s.Extended); text != "" {
		return false, e.fail(n, "%s", text)
	}
	switch name {
	case "Fn::Contains", "Fn::EachMemberEquals", "Fn::EachMemberIn":
		return e.members(name, arg)
	case "Fn::Not":
		value, err := e.assert(arg.Items[0])
		return !value, err
	case "Fn::And", "Fn::Or":
		for _, item := range arg.Items {
			value, err := e.assert(item)
			if err != nil || value != (name == "Fn::And") {
				return value, err
			}
		}
		return name == "Fn::And", nil
	case "Condition":
		return e.s.Conditions[arg.Text], nil
	}
	return (&booleans{e: e}).value(n)
}

func (e *evaluator) members(name string, arg *tree.Node) (bool, error) {
	list, err := e.texts(arg.Items[0])
	if err != nil {
		return false, err
	}
	second, err := e.texts(arg.Items[1])
	if err != nil {
		return false, err
	}
	if name == "Fn::EachMemberIn" {
		return !slices.ContainsFunc(list, func(s string) bool { return !slices.Contains(second, s) }), nil
	}
	if len(second) != 1 {
		return false, e.fail(arg, "Template error: the second parameter of %s must be one string", name)
	}
	if name == "Fn::Contains" {
		return slices.Contains(list, second[0]), nil
	}
	return !slices.ContainsFunc(list, func(s string) bool { return s != second[0] }), nil
}

// texts evaluates a value to a list of strings; one string is a list of one.
func (e *evaluator) texts(n *tree.Node) ([]string, error) {
	value, err := e.value(n)
	if err != nil {
		return nil, err
	}
	if text, ok := Text(value); ok {
		return []string{text}, nil
	}
	list, _ := value.([]any)
	texts := make([]string, 0, len(list))
	for _, item := range list {
		text, ok := Text(item)
		if !ok {
			return nil, e.fail(n, "Template error: the functions of rules take lists of strings")
		}
		texts = append(texts, text)
	}
	return texts, nil
}

// ruleValue evaluates Fn::RefAll, Fn::ValueOf and Fn::ValueOfAll. RefAll gives
// the values of all parameters of an AWS-specific type. The other two ask AWS
// for attributes of what a parameter names (a VPC's tags), which exists
// nowhere here, and are refused by name.
func (e *evaluator) ruleValue(n *tree.Node, name string, arg *tree.Node) (any, error) {
	if name != "Fn::RefAll" || !arg.IsString() {
		return nil, e.fail(n, "Template error: %s is not supported: it asks AWS for attributes of resources outside the stack", name)
	}
	list := []any{}
	for _, name := range slices.Sorted(maps.Keys(e.s.Parameters)) {
		p := e.s.Parameters[name]
		switch value := p.Value.(type) {
		case string:
			if p.Type == arg.Text {
				list = append(list, value)
			}
		case []any:
			if p.Type == "List<"+arg.Text+">" {
				list = append(list, value...)
			}
		}
	}
	return list, nil
}
