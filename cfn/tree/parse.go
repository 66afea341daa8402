package tree

import (
	"bytes"
	"fmt"
	"unicode/utf8"
)

// Limits of a template. MaxBytes is CloudFormation's for a template in S3
// ("AWS CloudFormation quotas"); MaxDepth is ours, far above what any template
// needs, and bounds every recursion over a tree.
const (
	MaxBytes = 1_000_000
	MaxDepth = 100
)

func tooDeep(at Position) *Error {
	return &Error{Pos: at, Text: fmt.Sprintf("Template format error: the template nests deeper than %d levels.", MaxDepth)}
}

// Parse reads a template in JSON or YAML; name stands in positions. A text
// whose first character is "{" is JSON, as CloudFormation decides it. The
// error is an Errors.
func Parse(name string, data []byte) (*Node, error) {
	file := Position{File: name}
	if len(data) > MaxBytes {
		return nil, Errors{{Pos: file, Text: fmt.Sprintf("Template may not exceed %d bytes in size.", MaxBytes)}}
	}
	if !utf8.Valid(data) {
		return nil, Errors{{Pos: file, Text: "Template format error: the template is not encoded in UTF-8."}}
	}
	data = bytes.TrimPrefix(data, []byte("\ufeff"))
	parse := parseYAML
	if first := bytes.TrimLeft(data, " \t\r\n"); len(first) > 0 && first[0] == '{' {
		parse = parseJSON
	}
	root, err := parse(name, data)
	if err != nil {
		return nil, err
	}
	if root.Kind != Map {
		return nil, Errors{{Pos: root.Pos, Text: "Template format error: unsupported structure."}}
	}
	return root, nil
}

// checks collects what is well-formed and yet refused.
type checks struct{ list Errors }

func (c *checks) add(pos Position, format string, args ...any) {
	if len(c.list) < maxErrors {
		c.list = append(c.list, &Error{Pos: pos, Text: fmt.Sprintf(format, args...)})
	}
}

func (c *checks) null(pos Position, path string) {
	c.add(pos, "Template format error: [%s] 'null' values are not allowed in templates", path)
}

func (c *checks) duplicate(pos Position, path, key string) {
	c.add(pos, "Template format error: [%s] the key %q stands here twice", path, key)
}

func (c *checks) err() error {
	if len(c.list) == 0 {
		return nil
	}
	return c.list
}

func notWellFormed(syntax string, pos Position, why error) *Error {
	return &Error{Pos: pos, Text: fmt.Sprintf("Template format error: %s not well-formed. (line %d, column %d): %v", syntax, pos.Line, pos.Column, why)}
}
