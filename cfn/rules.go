package cfn

import (
	"slices"

	"github.com/seed-615d3599/roost/cfn/tree"
)

// Rule is one entry of the Rules section: if its condition holds, or it has
// none, each assertion must.
type Rule struct {
	Name       string
	Condition  *Node // nil for always
	Assertions []Assertion
	Node       *Node
}

// Assertion is one claim of a Rule, with what to say if it does not hold.
type Assertion struct {
	Assert      *Node
	Description string
}

// walk visits the values of a rule that hold functions.
func (r *Rule) walk(visit func(*Node)) {
	if r.Condition != nil {
		visit(r.Condition)
	}
	for _, a := range r.Assertions {
		visit(a.Assert)
	}
}

func (d *decoder) rules(n *Node) {
	for _, m := range d.object("Rules", n, MaxResources) {
		if !d.name("Rule", m) {
			continue
		}
		rule := &Rule{Name: m.Key, Node: m.Value, Condition: m.Value.Get("RuleCondition")}
		for _, key := range d.strangers(m.Value, []string{"RuleCondition", "Assertions"}) {
			d.Add(m.Value.Get(key), "Template format error: Rule %s is malformed: invalid property '%s'", m.Key, key)
		}
		list := m.Value.Get("Assertions")
		if list == nil || list.Kind != tree.List || len(list.Items) == 0 {
			d.Add(m.Value, "Template format error: Rule %s is malformed: it must have a list of Assertions", m.Key)
			continue
		}
		for _, item := range list.Items {
			d.assertion(rule, item)
		}
		d.t.Rules = append(d.t.Rules, rule)
	}
}

func (d *decoder) assertion(rule *Rule, item *Node) {
	description := item.Get("AssertDescription")
	strange := item.Kind == tree.Map && len(d.strangers(item, []string{"Assert", "AssertDescription"})) > 0
	if item.Get("Assert") == nil || strange || description != nil && !description.IsString() {
		d.Add(item, "Template format error: Rule %s is malformed: an assertion has an Assert and an AssertDescription, and nothing else", rule.Name)
		return
	}
	a := Assertion{Assert: item.Get("Assert")}
	if description != nil {
		a.Description = description.Text
	}
	rule.Assertions = append(rule.Assertions, a)
}

// assertRules evaluates the rules, all of them, so that one answer names every
// assertion that does not hold.
func (s *Stack) assertRules() error {
	p := &tree.Problems{Root: s.t.Root}
	e := s.evaluator(Lookup{})
	e.rules = true
	for _, rule := range s.t.Rules {
		if rule.Condition != nil {
			applies, err := e.assert(rule.Condition)
			p.Join(rule.Condition, err)
			if err != nil || !applies {
				continue
			}
		}
		for _, a := range rule.Assertions {
			holds, err := e.assert(a.Assert)
			switch {
			case err != nil:
				p.Join(a.Assert, err)
			case !holds && a.Description != "":
				p.Add(a.Assert, "Template rule %s: %s", rule.Name, a.Description)
			case !holds:
				p.Add(a.Assert, "Template rule %s: an assertion does not hold", rule.Name)
			}
		}
	}
	return p.Err()
}

// assert evaluates the functions of rules that give true or false
// ("Rule-specific intrinsic functions").
func (e *evaluator) assert(n *Node) (bool, error) {
	if n.Kind != tree.Map || len(n.Members) != 1 {
		return (&booleans{e: e}).plain(n)
	}
	name, arg := n.Members[0].Key, n.Members[0].Value
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
		return e.s.conditions[arg.Text], nil
	}
	return (&booleans{e: e}).value(n)
}

func (e *evaluator) members(name string, arg *Node) (bool, error) {
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
func (e *evaluator) texts(n *Node) ([]string, error) {
	value, err := e.value(n)
	if err != nil {
		return nil, err
	}
	if text, ok := scalarText(value); ok {
		return []string{text}, nil
	}
	list, _ := value.([]any)
	texts := make([]string, 0, len(list))
	for _, item := range list {
		text, ok := scalarText(item)
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
func (e *evaluator) ruleValue(n *Node, name string, arg *Node) (any, error) {
	if name != "Fn::RefAll" || !arg.IsString() {
		return nil, e.fail(n, "Template error: %s is not supported: it asks AWS for attributes of resources outside the stack", name)
	}
	list := []any{}
	for _, p := range e.s.t.Parameters {
		value, ok := e.s.values.Get(p.Name)
		if !ok || p.Type != arg.Text && p.Type != "List<"+arg.Text+">" {
			continue
		}
		for _, member := range splitList(value.Text) {
			list = append(list, member)
		}
	}
	return list, nil
}
