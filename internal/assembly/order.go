package assembly

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// connect turns dependencies of artifacts into dependencies of stacks. An
// artifact that is an assembly stands for all stacks in it.
func (r *reader) connect(prefix string, m *manifestFile) {
	for id, a := range m.Artifacts {
		for _, dependent := range r.stacksOf(prefix + id) {
			for _, d := range a.Dependencies {
				for _, s := range r.stacksOf(prefix + d) {
					if s != dependent && !slices.Contains(dependent.Dependencies, s.ID) {
						dependent.Dependencies = append(dependent.Dependencies, s.ID)
					}
				}
			}
			slices.Sort(dependent.Dependencies)
		}
	}
}

// stacksOf returns the stack of an id, or those in the assembly of the id.
func (r *reader) stacksOf(id string) []*Stack {
	if s := r.byID[id]; s != nil {
		return []*Stack{s}
	}
	var stacks []*Stack
	for _, known := range slices.Sorted(maps.Keys(r.byID)) {
		if strings.HasPrefix(known, id+"/") {
			stacks = append(stacks, r.byID[known])
		}
	}
	return stacks
}

// inOrder returns the stacks, each after those that it depends on.
func (r *reader) inOrder() ([]*Stack, error) {
	var ordered []*Stack
	const visiting, done = 1, 2
	state := map[string]int{}
	var visit func(id string, path []string) error
	visit = func(id string, path []string) error {
		path = append(path, id)
		switch state[id] {
		case visiting:
			return fmt.Errorf("stacks depend on each other: %s", strings.Join(path, " → "))
		case done:
			return nil
		}
		state[id] = visiting
		for _, d := range r.byID[id].Dependencies {
			if err := visit(d, path); err != nil {
				return err
			}
		}
		state[id] = done
		ordered = append(ordered, r.byID[id])
		return nil
	}
	for _, id := range slices.Sorted(maps.Keys(r.byID)) {
		if err := visit(id, nil); err != nil {
			return nil, err
		}
	}
	return ordered, nil
}
