package resources

import (
	"encoding/json"
	"fmt"
)

// Normalize returns properties with each value of the type that the table
// names: CloudFormation takes "3" for 3 and true for "true". The properties
// must have passed Check.
func (t *Type) Normalize(properties map[string]any) map[string]any {
	return normalizeMembers(t.Properties, properties)
}

func normalizeMembers(table Properties, values map[string]any) map[string]any {
	normal := make(map[string]any, len(values))
	for name, value := range values {
		normal[name] = normalizeValue(table[name], value)
	}
	return normal
}

func normalizeValue(p Property, value any) any {
	switch v := value.(type) {
	case map[string]any:
		switch {
		case p.Kind == Object && p.Members != nil:
			return normalizeMembers(p.Members, v)
		case p.Kind == Map:
			return normalizeMap(v)
		}
		return v
	case []any:
		if p.Kind != List || p.Items == nil {
			return v
		}
		list := make([]any, len(v))
		for i, item := range v {
			list[i] = normalizeValue(*p.Items, item)
		}
		return list
	case string, json.Number, bool:
		return normalizeScalar(p.Kind, v)
	}
	return value
}

func normalizeMap(values map[string]any) map[string]any {
	normal := make(map[string]any, len(values))
	for key, value := range values {
		normal[key] = normalizeScalar(String, value)
	}
	return normal
}

func normalizeScalar(kind Kind, value any) any {
	text, isText := value.(string)
	switch kind {
	case String:
		switch value.(type) {
		case json.Number, bool:
			return fmt.Sprint(value)
		}
	case Integer, Number:
		if isText {
			return json.Number(text)
		}
	case Boolean:
		if isText {
			return text == "true"
		}
	case JSON:
		if isText {
			var document any
			if json.Unmarshal([]byte(text), &document) == nil {
				return document
			}
		}
	}
	return value
}
