package cfn

import (
	"regexp"
	"sync"

	"github.com/seed-615d3599/roost/cfn/eval"
	"github.com/seed-615d3599/roost/cfn/tree"
)

// What evaluation takes and gives; see package eval.
type (
	// Pseudo is what the pseudo parameters give.
	Pseudo = eval.Pseudo
	// Lookup is what an evaluation asks of the world outside the template.
	Lookup = eval.Lookup
	// Result is what an evaluation came to, and which parts of it are secret.
	Result = eval.Result
	// Unknown is the value of what only a resource's creation will tell.
	Unknown = eval.Unknown
	// Secret is an attribute that Lookup.GetAtt gives and nobody may see.
	Secret = eval.Secret
	// DynamicReference is a "{{resolve:…}}" taken apart.
	DynamicReference = eval.DynamicReference
	// Change is one place where two values differ.
	Change = eval.Change
)

// KnownAfterApply is what CloudFormation shows for an Unknown.
const KnownAfterApply = eval.KnownAfterApply

// Diff returns the places where two resolved values differ, by their paths.
func Diff(before, after any) []Change { return eval.Diff(before, after) }

// Mask returns a copy of a value with "****" at the paths of its secrets.
func Mask(value any, secrets []string) any { return eval.Mask(value, secrets) }

var exportName = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^[A-Za-z0-9:-]{1,255}$`) })

// scope is the template's names and what they come to, without conditions.
func (t *Template) scope(values Values, pseudo Pseudo) *eval.Scope {
	s := &eval.Scope{Root: t.Root, Pseudo: pseudo, Mappings: t.mappings, Extended: t.extended()}
	s.Parameters = make(map[string]eval.Parameter, len(values))
	for _, v := range values {
		p := eval.Parameter{Type: t.Parameter(v.Name).typeOf(), Value: v.Text, NoEcho: v.NoEcho}
		if v.IsList {
			list := make([]any, len(v.List))
			for i, member := range v.List {
				list[i] = member
			}
			p.Value = list
		}
		s.Parameters[v.Name] = p
	}
	s.Resources = make(map[string]bool, len(t.Resources))
	for _, r := range t.Resources {
		s.Resources[r.LogicalID] = true
	}
	return s
}

// Properties evaluates a resource's properties; Value is a map[string]any. The
// error is an Errors with the position of the function at fault.
func (s *Stack) Properties(r *Resource, l Lookup) (Result, error) {
	return s.scope.Evaluate(r.Properties, l, eval.Resources)
}

// Attribute evaluates another attribute of a resource, such as r.Metadata.
func (s *Stack) Attribute(n *tree.Node, l Lookup) (Result, error) {
	return s.scope.Evaluate(n, l, eval.Resources)
}

// Output evaluates an output: its value, and the name it is exported under or "".
func (s *Stack) Output(o *Output, l Lookup) (value Result, export string, err error) {
	value, err = s.scope.Evaluate(o.Value, l, eval.Outputs)
	if err != nil {
		return value, "", err
	}
	if _, unknown := value.Value.(Unknown); !unknown {
		text, ok := eval.Text(value.Value)
		if !ok {
			return value, "", Errors{tree.At(s.t.Root, o.Value, outputNotString)}
		}
		value.Value = text
	}
	if o.ExportName == nil {
		return value, "", nil
	}
	name, err := s.scope.Evaluate(o.ExportName, l, eval.Outputs)
	if err != nil {
		return value, "", err
	}
	if _, unknown := name.Value.(Unknown); unknown {
		return value, KnownAfterApply, nil
	}
	export, ok := eval.Text(name.Value)
	if !ok || !exportName().MatchString(export) {
		return value, "", Errors{tree.At(s.t.Root, o.ExportName, exportMalformed, o.Name)}
	}
	return value, export, nil
}
