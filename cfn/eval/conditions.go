package eval

import (
	"maps"
	"slices"

	"github.com/seed-615d3599/roost/cfn/tree"
)

// EvaluateConditions gives every condition its value, in Scope.Conditions. A
// condition may name another; a circle is refused. The error is a tree.Errors.
func (s *Scope) EvaluateConditions(conditions []tree.Member) error {
	s.Conditions = map[string]bool{}
	p := &tree.Problems{Root: s.Root}
	b := &booleans{e: s.evaluator(Lookup{}), running: map[string]bool{}, byName: map[string]*tree.Node{}}
	for _, m := range conditions {
		b.byName[m.Key] = m.Value
	}
	for _, m := range conditions {
		if p.Full() {
			break
		}
		if _, err := b.named(m.Value, m.Key); err != nil {
			p.Join(m.Value, err)
		}
	}
	return p.Err()
}

// booleans evaluates the functions that give true or false.
type booleans struct {
	e       *evaluator
	byName  map[string]*tree.Node
	running map[string]bool
}

// named evaluates a condition once.
func (b *booleans) named(at *tree.Node, name string) (bool, error) {
	if value, done := b.e.s.Conditions[name]; done {
		return value, nil
	}
	n, ok := b.byName[name]
	switch {
	case !ok:
		return false, b.e.fail(at, UnresolvedCondition, name, "Conditions")
	case b.running[name]:
		return false, b.e.fail(at, "Template format error: Circular dependency between conditions: [%s]", name)
	}
	b.running[name] = true
	value, err := b.value(n)
	if err != nil {
		return false, err
	}
	b.e.s.Conditions[name] = value
	return value, nil
}

func (b *booleans) value(n *tree.Node) (bool, error) {
	if n.Kind == tree.Map && len(n.Members) == 1 {
		name, arg := n.Members[0].Key, n.Members[0].Value
		if text := Shape(name, arg, b.e.s.Extended); text != "" {
			return false, b.e.fail(n, "%s", text)
		}
		switch name {
		case "Condition":
			return b.named(n, arg.Text)
		case "Fn::Not":
			value, err := b.value(arg.Items[0])
			return !value, err
		case "Fn::And":
			return b.all(arg.Items, true)
		case "Fn::Or":
			return b.all(arg.Items, false)
		case "Fn::Equals":
			return b.equals(arg)
		}
	}
	return b.plain(n)
}

// all is And (until the first false) and Or (until the first true).
func (b *booleans) all(items []*tree.Node, and bool) (bool, error) {
	for _, item := range items {
		value, err := b.value(item)
		if err != nil || value != and {
			return value, err
		}
	}
	return and, nil
}

func (b *booleans) equals(arg *tree.Node) (bool, error) {
	left, err := b.e.value(arg.Items[0])
	if err != nil {
		return false, err
	}
	right, err := b.e.value(arg.Items[1])
	if err != nil {
		return false, err
	}
	return same(left, right), nil
}

// plain accepts what evaluates to the words true and false.
func (b *booleans) plain(n *tree.Node) (bool, error) {
	value, err := b.e.value(n)
	if err != nil {
		return false, err
	}
	if text, ok := Text(value); ok && (text == "true" || text == "false") {
		return text == "true", nil
	}
	return false, b.e.fail(n, "Template format error: Conditions can only be boolean operations on parameters and other conditions")
}

// same compares as Fn::Equals does: scalars by their text, lists and objects
// member by member.
func same(a, b any) bool {
	left, ok1 := Text(a)
	right, ok2 := Text(b)
	if ok1 || ok2 {
		return ok1 && ok2 && left == right
	}
	return sameMembers(a, b)
}

func sameMembers(a, b any) bool {
	switch a := a.(type) {
	case []any:
		b, ok := b.([]any)
		return ok && slices.EqualFunc(a, b, same)
	case map[string]any:
		b, ok := b.(map[string]any)
		return ok && maps.EqualFunc(a, b, same)
	}
	return false
}
