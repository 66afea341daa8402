package cfn

import (
	"slices"
	"strings"

	"github.com/seed-615d3599/roost/cfn/eval"
	"github.com/seed-615d3599/roost/cfn/tree"
)

// Stack is a template with its parameters, conditions and references settled:
// what is to be made, and in which order. It does not change after New, so that
// several goroutines may evaluate with it at once.
type Stack struct {
	// Resources are those whose condition holds, each after all that it
	// depends on and otherwise in the template's order.
	Resources []*Resource
	// Outputs are those whose condition holds, in the template's order.
	Outputs []*Output

	t      *Template
	values Values
	scope  *eval.Scope
	needs  map[string][]string
}

// New settles a template: it evaluates the conditions, asserts the rules,
// checks every function, reference and dependency, and orders the resources.
// The template must have no transforms left. The error is an Errors.
func New(t *Template, values Values, pseudo Pseudo) (*Stack, error) {
	if len(t.Transforms) > 0 {
		return nil, Errors{tree.At(t.Root, t.Root.Get("Transform"), "the transforms [%s] are not expanded yet", strings.Join(t.Transforms, ", "))}
	}
	s := &Stack{t: t, values: values, scope: t.scope(values, pseudo)}
	if err := t.check(); err != nil {
		return nil, err
	}
	if err := s.scope.EvaluateConditions(t.conditions); err != nil {
		return nil, err
	}
	if err := s.assertRules(); err != nil {
		return nil, err
	}
	s.takeOutputs()
	if err := s.order(); err != nil {
		return nil, err
	}
	if err := s.rehearse(); err != nil {
		return nil, err
	}
	return s, nil
}

// rehearse evaluates everything as far as it can be before anything exists, so
// that a wrong type or a missing mapping is found before anything is created.
func (s *Stack) rehearse() error {
	p := &tree.Problems{Root: s.t.Root}
	for _, r := range s.Resources {
		for _, n := range r.nodes() {
			if p.Full() {
				return p.Err()
			}
			_, err := s.scope.Rehearse(n, eval.Resources)
			p.Join(n, err)
		}
	}
	for _, o := range s.Outputs {
		if p.Full() {
			break
		}
		_, err := s.scope.Rehearse(o.Value, eval.Outputs)
		p.Join(o.Value, err)
	}
	return p.Err()
}

// Template returns what the stack was made from.
func (s *Stack) Template() *Template { return s.t }

// Values returns the parameters' values.
func (s *Stack) Values() Values { return s.values }

// Conditions returns what each condition came to.
func (s *Stack) Conditions() map[string]bool { return s.scope.Conditions }

// Resource returns a resource that is to be made, or nil.
func (s *Stack) Resource(logicalID string) *Resource {
	for _, r := range s.Resources {
		if r.LogicalID == logicalID {
			return r
		}
	}
	return nil
}

// DependsOn returns the logical ids that a resource must wait for, sorted:
// those its functions name and those of its DependsOn.
func (s *Stack) DependsOn(logicalID string) []string { return s.needs[logicalID] }

func (s *Stack) holds(condition string) bool {
	return condition == "" || s.scope.Conditions[condition]
}

func (s *Stack) takeOutputs() {
	for _, o := range s.t.Outputs {
		if s.holds(o.Condition) {
			s.Outputs = append(s.Outputs, o)
		}
	}
}

// order finds each resource's dependencies within the branches that the
// conditions choose, refuses references to what will not be made, and sorts.
func (s *Stack) order() error {
	p := &tree.Problems{Root: s.t.Root}
	made := map[string]bool{}
	for _, r := range s.t.Resources {
		made[r.LogicalID] = s.holds(r.Condition)
	}
	s.needs = map[string][]string{}
	var left names
	for _, r := range s.t.Resources {
		if made[r.LogicalID] {
			s.needs[r.LogicalID] = s.needsOf(r, made, &left)
		}
	}
	left.report(p, "Resources")
	left = names{}
	for _, o := range s.Outputs {
		eval.References(o.Node, s.scope.Conditions, func(ref eval.Reference) { left.note(ref, made) })
	}
	left.report(p, "Outputs")
	if err := p.Err(); err != nil {
		return err
	}
	return s.sort()
}

// note collects references to resources whose condition does not hold.
func (n *names) note(ref eval.Reference, made map[string]bool) {
	if exists, isResource := made[ref.ID]; ref.Kind != "Condition" && isResource && !exists {
		n.add(ref.ID, ref.Node)
	}
}

func (n *names) report(p *tree.Problems, block string) {
	if len(n.list) > 0 {
		p.Add(n.first, eval.UnresolvedText, *n, block)
	}
}

func (s *Stack) needsOf(r *Resource, made map[string]bool, left *names) []string {
	needs := map[string]bool{}
	for _, n := range r.nodes() {
		eval.References(n, s.scope.Conditions, func(ref eval.Reference) {
			left.note(ref, made)
			if ref.Kind != "Condition" && made[ref.ID] {
				needs[ref.ID] = true
			}
		})
	}
	for _, id := range r.DependsOn {
		if made[id] { // CloudFormation ignores a DependsOn whose condition does not hold
			needs[id] = true
		}
	}
	list := make([]string, 0, len(needs))
	for id := range needs {
		list = append(list, id)
	}
	slices.Sort(list)
	return list
}

// nodes returns the attributes in which functions may stand.
func (r *Resource) nodes() []*Node {
	var list []*Node
	for _, n := range []*Node{r.Properties, r.CreationPolicy, r.UpdatePolicy, r.Metadata} {
		if n != nil {
			list = append(list, n)
		}
	}
	return list
}

// sort orders the resources, each after its needs (Kahn's algorithm, taking
// the template's order among those that are ready).
func (s *Stack) sort() error {
	waiting := map[string]int{}
	wanted := map[string][]string{}
	for id, needs := range s.needs {
		waiting[id] = len(needs)
		for _, need := range needs {
			wanted[need] = append(wanted[need], id)
		}
	}
	position := map[string]int{}
	var ready []*Resource
	for i, r := range s.t.Resources {
		position[r.LogicalID] = i
		if n, made := waiting[r.LogicalID]; made && n == 0 {
			ready = append(ready, r)
		}
	}
	for len(ready) > 0 {
		r := ready[0]
		ready = ready[1:]
		s.Resources = append(s.Resources, r)
		var freed []*Resource
		for _, id := range wanted[r.LogicalID] {
			if waiting[id]--; waiting[id] == 0 {
				freed = append(freed, s.t.Resources[position[id]])
			}
		}
		slices.SortFunc(freed, func(a, b *Resource) int { return position[a.LogicalID] - position[b.LogicalID] })
		ready = append(ready, freed...)
	}
	if len(s.Resources) < len(s.needs) {
		return s.circular(waiting)
	}
	return nil
}

// circular names the resources that wait for one another.
func (s *Stack) circular(waiting map[string]int) error {
	left := map[string]bool{}
	for id, n := range waiting {
		if n > 0 {
			left[id] = true
		}
	}
	for again := true; again; { // drop what only waits for the circle
		again = false
		for id := range left {
			if !s.wantedBy(id, left) {
				delete(left, id)
				again = true
			}
		}
	}
	var names []string
	var at *Node
	for _, r := range s.t.Resources {
		if left[r.LogicalID] {
			names = append(names, r.LogicalID)
			if at == nil {
				at = r.Node
			}
		}
	}
	return Errors{tree.At(s.t.Root, at, "Circular dependency between resources: [%s]", strings.Join(names, ", "))}
}

func (s *Stack) wantedBy(id string, left map[string]bool) bool {
	for other := range left {
		if slices.Contains(s.needs[other], id) {
			return true
		}
	}
	return false
}
