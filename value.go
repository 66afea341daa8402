package roost

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
)

// Value is text that may be known only when the app is deployed, such as an
// API's address. String literals are Values, and Values can be joined with +
// and formatted with %s; other operations on them see a marker such as
// ${roost:…} and not the final text.
type Value string

// reference is what stands in a marker: exactly one of the fields beside Stack.
type reference struct {
	Stack     string          `json:"stack,omitempty"` // the stack that has it; empty: any
	Ref       string          `json:"ref,omitempty"`
	GetAtt    []string        `json:"att,omitempty"`
	Secret    string          `json:"secret,omitempty"`
	Intrinsic json.RawMessage `json:"fn,omitempty"`
}

const (
	markerStart = "${roost:"
	markerEnd   = "}"
)

func (r reference) value() Value {
	text, err := encode(r)
	if err != nil {
		// Resolving it reports the text, at the construct that uses it.
		text = []byte(err.Error())
	}
	return Value(markerStart + string(text) + markerEnd)
}

// Secret returns a value that only the person who deploys knows. The template
// has a parameter with NoEcho in its place, and whoever deploys takes the
// parameter's value from the environment variable name, or from .env.<stage>
// or .env. name has capital letters, digits and underscores.
func Secret(name string) Value { return reference{Secret: name}.value() }

// Intrinsic returns the value of a CloudFormation function, as in
// Intrinsic("Fn::ImportValue", "shared-table") or Intrinsic("Ref", "AWS::StackId").
// argument is anything that encodes to JSON and may hold Values.
func Intrinsic(function string, argument any) Value {
	text, err := encode(map[string]any{function: argument})
	if err != nil {
		text = []byte(err.Error())
	}
	return reference{Intrinsic: text}.value()
}

// pseudo returns a pseudo parameter such as AWS::Partition.
// https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/pseudo-parameter-reference.html
func pseudo(name string) Value { return reference{Ref: "AWS::" + name}.value() }

func (r reference) empty() bool {
	return r.Ref == "" && r.GetAtt == nil && r.Secret == "" && r.Intrinsic == nil
}

// part is a piece of a Value: literal text or a reference.
type part struct {
	text string
	ref  *reference
}

// parse splits a text at its markers.
func parse(s string) ([]part, error) {
	var parts []part
	for {
		before, after, found := strings.Cut(s, markerStart)
		if before != "" {
			parts = append(parts, part{text: before})
		}
		if !found {
			return parts, nil
		}
		decoder := json.NewDecoder(strings.NewReader(after))
		ref := new(reference)
		if err := decoder.Decode(ref); err != nil {
			return nil, fmt.Errorf("%q holds a value that was cut or changed: %w", s, err)
		}
		after = after[decoder.InputOffset():]
		if !strings.HasPrefix(after, markerEnd) || ref.empty() {
			return nil, fmt.Errorf("%q holds a value that was cut or changed", s)
		}
		parts = append(parts, part{ref: ref})
		s = after[len(markerEnd):]
	}
}

// encode returns JSON without the escapes that are meant for HTML, which would
// make ARNs and formats unreadable.
func encode(v any) ([]byte, error) {
	var w bytes.Buffer
	encoder := json.NewEncoder(&w)
	encoder.SetEscapeHTML(false)
	err := encoder.Encode(v)
	return bytes.TrimSpace(w.Bytes()), err
}
