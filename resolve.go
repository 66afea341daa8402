package roost

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
)

// resolve returns v as it stands in the stack's template: JSON with each marker
// in a string replaced by a CloudFormation function.
func (s *Stack) resolve(v any) (any, error) {
	text, err := encode(v)
	if err != nil {
		return nil, fmt.Errorf("a property can't be written as JSON: %w", err)
	}
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	var tree any
	if err := decoder.Decode(&tree); err != nil {
		return nil, err
	}
	return s.resolveTree(tree)
}

func (s *Stack) resolveTree(tree any) (any, error) {
	var err error
	switch t := tree.(type) {
	case map[string]any:
		for key, value := range t {
			if strings.Contains(key, markerStart) {
				return nil, fmt.Errorf("a key can't be a value that is known only at deployment: %s", key)
			}
			if t[key], err = s.resolveTree(value); err != nil {
				return nil, err
			}
		}
	case []any:
		for i, value := range t {
			if t[i], err = s.resolveTree(value); err != nil {
				return nil, err
			}
		}
	case string:
		return s.resolveString(t)
	}
	return tree, nil
}

func (s *Stack) resolveString(text string) (any, error) {
	if !strings.Contains(text, markerStart) {
		return text, nil
	}
	parts, err := parse(text)
	if err != nil {
		return nil, err
	}
	list := make([]any, len(parts))
	for i, p := range parts {
		if p.ref == nil {
			list[i] = p.text
		} else if list[i], err = s.resolveReference(*p.ref); err != nil {
			return nil, err
		}
	}
	if len(list) == 1 {
		return list[0], nil
	}
	return map[string]any{"Fn::Join": []any{"", list}}, nil
}

func (s *Stack) resolveReference(r reference) (any, error) {
	switch {
	case r.Secret != "":
		return s.secret(r.Secret)
	case r.Intrinsic != nil:
		return s.resolve(r.Intrinsic)
	case r.Stack != "" && r.Stack != s.name:
		return s.importValue(r)
	}
	return r.intrinsic(), nil
}

// intrinsic returns Ref or Fn::GetAtt.
func (r reference) intrinsic() map[string]any {
	if r.Ref != "" {
		return map[string]any{"Ref": r.Ref}
	}
	return map[string]any{"Fn::GetAtt": r.GetAtt}
}

// importValue makes the stack that has the value export it, by the names that
// CDK gives exports, and this stack wait for it.
func (s *Stack) importValue(r reference) (any, error) {
	var producer *Stack
	for _, other := range s.app.stacks {
		if other.name == r.Stack {
			producer = other
		}
	}
	if producer == nil {
		return nil, fmt.Errorf("a value of the stack %s is used, which is not part of this app", r.Stack)
	}
	s.waitFor(producer)
	text, err := encode(r.intrinsic())
	if err != nil {
		return nil, err
	}
	id := logicalID([]string{"Exports", "Output" + string(text)})
	name := producer.name + ":" + id
	for _, known := range producer.exports {
		if known.name == id {
			return map[string]any{"Fn::ImportValue": name}, nil
		}
	}
	producer.exports = append(producer.exports, &output{
		name: id, at: producer.at, value: r.value(), props: OutputProps{ExportName: Value(name)},
	})
	return map[string]any{"Fn::ImportValue": name}, nil
}

// parameter is a secret's parameter in a template.
type parameter struct {
	Type        string
	NoEcho      bool
	Description string
	variable    string
}

// secret returns a reference to the parameter of an environment variable.
func (s *Stack) secret(name string) (any, error) {
	if !matches(`^[A-Z][A-Z0-9_]*$`, name) {
		return nil, fmt.Errorf("%q can't be the name of a secret: use capital letters, digits and underscores", name)
	}
	id := "Secret"
	for word := range strings.SplitSeq(name, "_") {
		if word != "" {
			id += word[:1] + strings.ToLower(word[1:])
		}
	}
	if s.parameters == nil {
		s.parameters = map[string]*parameter{}
	}
	if known := s.parameters[id]; known != nil && known.variable != name {
		return nil, fmt.Errorf("the secrets %s and %s get the same parameter name %s: rename one of them", known.variable, name, id)
	}
	if _, taken := s.logicalIDs[id]; taken {
		return nil, fmt.Errorf("the secret %s gets the parameter name %s, which is that of a resource: rename one of them", name, id)
	}
	s.parameters[id] = &parameter{
		Type: "String", NoEcho: true, variable: name,
		Description: "The value of " + name + " where the app is deployed from",
	}
	return map[string]any{"Ref": id}, nil
}
