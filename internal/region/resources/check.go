package resources

import (
	"encoding/json"
	"fmt"
	"slices"
	"sort"
	"strconv"
	"strings"
)

// Problem is one thing that is wrong with a resource's properties.
type Problem struct {
	Path string // "Cors.AllowOrigins[0]"
	Text string
}

func (p Problem) String() string {
	if p.Path == "" {
		return p.Text
	}
	return p.Path + ": " + p.Text
}

// Check compares resolved properties with the type's table. Values that only a
// deployment will tell (of a type that is none of JSON's) pass.
func (t *Type) Check(properties map[string]any) []Problem {
	if t.Refused != "" {
		return []Problem{{Text: "roost refuses this type: " + t.Refused}}
	}
	if t.Properties == nil {
		return nil
	}
	if t.Open {
		known := map[string]any{}
		for name, value := range properties {
			if _, ok := t.Properties[name]; ok {
				known[name] = value
			}
		}
		properties = known
	}
	var problems []Problem
	checkMembers(&problems, "", t.Properties, properties)
	return problems
}

func checkMembers(problems *[]Problem, path string, table Properties, values map[string]any) {
	for _, name := range keys(values) {
		at := join(path, name)
		property, ok := table[name]
		switch {
		case !ok:
			*problems = append(*problems, Problem{at, "roost does not support this property"})
		case property.Mode == Refused:
			*problems = append(*problems, Problem{at, "roost refuses this property: " + property.Why})
		default:
			checkValue(problems, at, property, values[name])
		}
	}
	for _, name := range keys(table) {
		if _, ok := values[name]; table[name].Required && !ok {
			*problems = append(*problems, Problem{join(path, name), "this property is required"})
		}
	}
}

func checkValue(problems *[]Problem, path string, p Property, value any) {
	wrong := func(want string) {
		*problems = append(*problems, Problem{path, "expected " + want})
	}
	switch v := value.(type) {
	case map[string]any:
		switch p.Kind {
		case Object:
			if p.Members != nil {
				checkMembers(problems, path, p.Members, v)
			}
		case Any, Map, JSON:
		default:
			wrong(p.Kind.String())
		}
	case []any:
		if p.Kind == Any || p.Kind == JSON {
			return
		}
		if p.Kind != List {
			wrong(p.Kind.String())
			return
		}
		for i, item := range v {
			if p.Items != nil {
				checkValue(problems, fmt.Sprintf("%s[%d]", path, i), *p.Items, item)
			}
		}
	case string, json.Number, bool:
		if text, ok := scalar(p, fmt.Sprint(v)); !ok {
			wrong(text)
		}
	}
}

// scalar reports whether a text can stand for a property, or what it should be.
func scalar(p Property, text string) (want string, ok bool) {
	if want, ok = scalarOf(p.Kind, text); !ok || len(p.Enum) == 0 || slices.Contains(p.Enum, text) {
		return want, ok
	}
	want = strings.Join(p.Enum, ", ")
	if len(p.Enum) > 1 {
		want = "one of " + want
	}
	if p.Why != "" {
		want += ": " + p.Why
	}
	return want, false
}

func scalarOf(kind Kind, text string) (want string, ok bool) {
	switch kind {
	case Integer:
		_, err := strconv.ParseInt(text, 10, 64)
		return "a whole number", err == nil
	case Number:
		_, err := strconv.ParseFloat(text, 64)
		return "a number", err == nil
	case Boolean:
		return "true or false", text == "true" || text == "false"
	case String:
		return "", true
	case JSON:
		return "a JSON document", json.Valid([]byte(text))
	case Any:
		return "", true
	}
	return kind.String(), false
}

// String names a kind as an error text has it.
func (k Kind) String() string {
	return [...]string{"a value", "a string", "a whole number", "a number", "true or false", "a list", "an object", "a map", "a JSON document"}[k]
}

// Replaces reports whether a change at a path ("Code.S3Key") replaces the
// resource.
func (t *Type) Replaces(path string) bool {
	if t.Update == nil {
		return true
	}
	table := t.Properties
	for part := range strings.SplitSeq(path, ".") {
		name, _, _ := strings.Cut(part, "[")
		property, ok := table[name]
		if !ok {
			return false
		}
		if property.Replace {
			return true
		}
		table = property.Members
		if property.Items != nil {
			table = property.Items.Members
		}
	}
	return false
}

// HasAttribute reports whether Fn::GetAtt knows an attribute.
func (t *Type) HasAttribute(name string) bool {
	return slices.ContainsFunc(t.Attributes, func(have string) bool {
		if prefix, ok := strings.CutSuffix(have, "*"); ok {
			return strings.HasPrefix(name, prefix)
		}
		return have == name
	})
}

func join(path, name string) string {
	if path == "" {
		return name
	}
	return path + "." + name
}

func keys[V any](m map[string]V) []string {
	names := make([]string, 0, len(m))
	for name := range m {
		names = append(names, name)
	}
	sort.Strings(names)
	return names
}
