package cfn

import (
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

// ruleBroken is how a rule that does not hold is reported. CloudFormation's own
// words are not recorded anywhere; this is the one place to put them.
const ruleBroken = "Template rule %s: %s"

// assertRules evaluates the rules, all of them, so that one answer names every
// assertion that does not hold.
func (s *Stack) assertRules() error {
	p := &tree.Problems{Root: s.t.Root}
	for _, rule := range s.t.Rules {
		if rule.Condition != nil {
			applies, err := s.scope.Assert(rule.Condition)
			p.Join(rule.Condition, err)
			if err != nil || !applies {
				continue
			}
		}
		for _, a := range rule.Assertions {
			holds, err := s.scope.Assert(a.Assert)
			switch {
			case err != nil:
				p.Join(a.Assert, err)
			case !holds && a.Description != "":
				p.Add(a.Assert, ruleBroken, rule.Name, a.Description)
			case !holds:
				p.Add(a.Assert, ruleBroken, rule.Name, "an assertion does not hold")
			}
		}
	}
	return p.Err()
}
