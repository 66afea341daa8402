// Package vars reads the small languages in which an HTTP API's settings speak of
// a request: selection expressions ($request.header.name), parameter mappings
// (append:header.name), and access log formats with $context variables.
//
// Everything is parsed once, when the API is configured, and fails there if
// it means nothing. Values come from a Source when a request is served.
//
// Source: API Gateway Developer Guide, "Transform API requests and responses for
// HTTP APIs", "Customize HTTP API access logs", and API reference, "Selection expressions".
package vars

import (
	"fmt"
	"strings"
)

// Root says which part of a request an expression selects from.
type Root string

// The roots of selection expressions.
const (
	Header         Root = "request.header"      // name in lower case
	Query          Root = "request.querystring" // name as it is
	Body           Root = "request.body"        // name is a JSON path without its first dot
	Path           Root = "request.path"        // name is a path variable, or "" for the path
	Context        Root = "context"
	StageVariable  Root = "stageVariables"
	ResponseHeader Root = "response.header"
	ResponseBody   Root = "response.body"
)

// Source gives the values of one request. A value that is not there is ("", false).
type Source interface {
	Value(root Root, name string) (string, bool)
}

// Selection is a parsed expression.
type Selection struct {
	Root Root
	Name string
}

// ParseSelection reads an expression such as "$request.header.Authorization".
// Only the roots given are allowed.
func ParseSelection(text string, allowed ...Root) (Selection, error) {
	expr, ok := strings.CutPrefix(text, "$")
	if !ok {
		return Selection{}, fmt.Errorf("%q is no selection expression: it does not begin with $", text)
	}
	for _, root := range allowed {
		if expr == string(root) && root == Path {
			return Selection{Root: root}, nil
		}
		name, ok := strings.CutPrefix(expr, string(root)+".")
		if !ok || name == "" {
			continue
		}
		return newSelection(text, root, name)
	}
	return Selection{}, fmt.Errorf("the selection expression %q is not supported here", text)
}

func newSelection(text string, root Root, name string) (Selection, error) {
	switch root {
	case Header, ResponseHeader:
		name = strings.ToLower(name)
	case Context:
		if !Known(name) {
			return Selection{}, fmt.Errorf("%q names no context variable of HTTP APIs", text)
		}
	case Body, ResponseBody:
		if _, err := parsePath(name); err != nil {
			return Selection{}, fmt.Errorf("%q: %w", text, err)
		}
	}
	return Selection{Root: root, Name: name}, nil
}

// Value returns what is selected.
func (s Selection) Value(from Source) (string, bool) { return from.Value(s.Root, s.Name) }

// part is a piece of a text: literal, or selected if Root is set.
type part struct {
	literal string
	sel     Selection
}

// Template is a text with expressions in it.
type Template struct {
	parts []part
}

// ParseTemplate reads a mapping's value: an expression ("$request.path"), or a text
// with expressions in braces ("item-${request.path.id}").
func ParseTemplate(text string, allowed ...Root) (*Template, error) {
	if strings.HasPrefix(text, "$") && !strings.HasPrefix(text, "${") {
		s, err := ParseSelection(text, allowed...)
		return &Template{parts: []part{{sel: s}}}, err
	}
	t := &Template{}
	for rest := text; rest != ""; {
		before, after, found := strings.Cut(rest, "${")
		if before != "" {
			t.parts = append(t.parts, part{literal: before})
		}
		if !found {
			break
		}
		expr, behind, closed := strings.Cut(after, "}")
		if !closed {
			return nil, fmt.Errorf("%q has no } for its ${", text)
		}
		s, err := ParseSelection("$"+expr, allowed...)
		if err != nil {
			return nil, err
		}
		t.parts = append(t.parts, part{sel: s})
		rest = behind
	}
	return t, nil
}

// Value returns the text. It is ("", false) if nothing of a template of
// expressions alone is there.
func (t *Template) Value(from Source) (string, bool) {
	var b strings.Builder
	some := len(t.parts) == 0
	for _, p := range t.parts {
		if p.sel.Root == "" {
			b.WriteString(p.literal)
			some = true
			continue
		}
		v, ok := p.sel.Value(from)
		b.WriteString(v)
		some = some || ok
	}
	return b.String(), some
}
