package check

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/seed-615d3599/roost/cfn"
	"github.com/seed-615d3599/roost/internal/region/resources"
)

// checkResource compares a resource with the table of its type.
func checkResource(plan *cfn.Stack, declared *cfn.Resource, config Config) Resource {
	r := Resource{ID: declared.LogicalID, Type: declared.Type, Position: fmt.Sprint(declared.Node.Pos), Verdict: Works, Properties: []Property{}}
	kind, known := config.Types.Lookup(declared.Type)
	switch {
	case !known && config.Record(declared.Type):
		r.Verdict, r.Why = Recorded, "roost.json names the type under \"record\""
		return r
	case !known:
		r.Verdict, r.Why = Refused, "roost does not support the type "+declared.Type+
			"; one that neither routes, authorizes nor runs code can be kept as a record: name it under \"record\" in roost.json"
		return r
	case kind.Refused != "":
		r.Verdict, r.Why = Refused, kind.Refused
		return r
	case kind.Recorded:
		r.Verdict, r.Why = Recorded, "the type is kept and does nothing here"
	}
	result, err := plan.Properties(declared, unknowns())
	if err != nil {
		r.Verdict, r.Why = Refused, err.Error()
		return r
	}
	props, _ := result.Value.(map[string]any)
	listProperties(&r.Properties, "", kind.Properties, props)
	if r.Verdict == Recorded {
		for i := range r.Properties {
			r.Properties[i].Verdict = Recorded
		}
	}
	r.apply(declared, kind.Check(props))
	return r
}

// apply marks what a type's own check refuses.
func (r *Resource) apply(declared *cfn.Resource, problems []resources.Problem) {
	for _, problem := range problems {
		r.Verdict, r.Why = Refused, ""
		i := slices.IndexFunc(r.Properties, func(p Property) bool { return p.Path == problem.Path })
		if i < 0 {
			r.Properties = append(r.Properties, Property{Path: problem.Path})
			i = len(r.Properties) - 1
		}
		r.Properties[i].Verdict, r.Properties[i].Why = Refused, problem.Text
		r.Properties[i].Position = position(declared, problem.Path)
	}
}

// position is where the property stands that a path leads through.
func position(declared *cfn.Resource, path string) string {
	name, _, _ := strings.Cut(path, ".")
	name, _, _ = strings.Cut(name, "[")
	if node := declared.Properties.Get(name); node != nil {
		return fmt.Sprint(node.Pos)
	}
	return fmt.Sprint(declared.Node.Pos)
}

// listProperties lists properties and the members of objects. Of an object that
// works only its members are listed, of one that does not the whole.
func listProperties(list *[]Property, path string, table resources.Properties, values map[string]any) {
	for _, name := range slices.Sorted(maps.Keys(values)) {
		at := strings.TrimPrefix(path+"."+name, ".")
		listProperty(list, at, table[name], values[name])
	}
}

func listProperty(list *[]Property, at string, p resources.Property, value any) {
	if p.Mode == resources.Recorded {
		*list = append(*list, Property{Path: at, Verdict: Recorded, Why: p.Why})
		return
	}
	switch v := value.(type) {
	case map[string]any:
		if p.Members != nil && len(v) > 0 {
			listProperties(list, at, p.Members, v)
			return
		}
	case []any:
		if p.Items != nil && p.Items.Members != nil && len(v) > 0 {
			for i, item := range v {
				listProperty(list, fmt.Sprintf("%s[%d]", at, i), *p.Items, item)
			}
			return
		}
	}
	*list = append(*list, Property{Path: at, Verdict: Works})
}
