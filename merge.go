package roost

import (
	"maps"
	"reflect"
)

// over returns the properties with the defaults where they have the zero value.
// Environment variables and raw properties of both are put together.
func (p FunctionProps) over(defaults FunctionProps) FunctionProps {
	merged := defaults
	own, out := reflect.ValueOf(p), reflect.ValueOf(&merged).Elem()
	for i := range own.NumField() {
		if !own.Field(i).IsZero() {
			out.Field(i).Set(own.Field(i))
		}
	}
	merged.Environment = union(defaults.Environment, p.Environment)
	merged.Properties = union(defaults.Properties, p.Properties)
	return merged
}

func union[V any](defaults, own map[string]V) map[string]V {
	if len(defaults)+len(own) == 0 {
		return nil
	}
	out := map[string]V{}
	maps.Copy(out, defaults)
	maps.Copy(out, own)
	return out
}

func isZero(p FunctionProps) bool { return reflect.ValueOf(p).IsZero() }
