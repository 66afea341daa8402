package resources

import (
	"context"
	"maps"
)

// Refuse is a property that is refused; why gives the reason and the remedy.
func Refuse(why string) Property { return Property{Mode: Refused, Why: why} }

// Record is a property of any form that is kept without effect; why says what
// does not happen.
func Record(why string) Property { return Property{Mode: Recorded, Why: why} }

// Strings is a list of strings.
func Strings() Property { return ListOf(Property{Kind: String}) }

// ListOf is a list of items.
func ListOf(item Property) Property { return Property{Kind: List, Items: &item} }

// Members is an object with the given members.
func Members(members Properties) Property { return Property{Kind: Object, Members: members} }

// Objects is a list of objects with the given members.
func Objects(members Properties) Property { return ListOf(Members(members)) }

// KeyValues is a list of Tag: what most types have as their tags.
func KeyValues() Property {
	return Objects(Properties{"Key": {Kind: String, Required: true}, "Value": {Kind: String}})
}

// Must returns the property as one that has to be there.
func (p Property) Must() Property {
	p.Required = true
	return p
}

// Replacing returns the property as one whose change replaces the resource.
func (p Property) Replacing() Property {
	p.Replace = true
	return p
}

// RefusedType is a type that no template may use; why gives the reason and the
// remedy. Any property passes, so that the one message says it all.
func RefusedType(name, why string) *Type { return &Type{Name: name, Refused: why} }

// Records is a table of properties that are kept without effect.
func Records(why string, names ...string) Properties {
	table := Properties{}
	for _, name := range names {
		table[name] = Record(why)
	}
	return table
}

// With returns the table with the properties of another; those win.
func (p Properties) With(other Properties) Properties {
	all := maps.Clone(p)
	maps.Copy(all, other)
	return all
}

// RecordType is a type that is kept and shown and does nothing. identify gives
// a new one its physical id and its attributes; an update keeps them.
func RecordType(name string, table Properties, identify func(*Env, map[string]any) State, attributes ...string) *Type {
	return &Type{
		Name: name, Recorded: true, Properties: table, Attributes: attributes, Update: Keep,
		Create: func(_ context.Context, e *Env, want map[string]any) (State, error) { return identify(e, want), nil },
	}
}
