package tree

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"
	"sync"

	"go.yaml.in/yaml/v3"
)

// jsonNumber is the grammar of numbers that stay numbers. Octal, hexadecimal
// and the like stay the strings they look like, so that an account id with a
// leading zero survives.
var jsonNumber = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?$`) })

var yamlLine = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`line ([0-9]+)`) })

func parseYAML(file string, data []byte) (*Node, error) {
	dec := yaml.NewDecoder(bytes.NewReader(data))
	var doc, more yaml.Node
	if err := dec.Decode(&doc); err != nil {
		if errors.Is(err, io.EOF) {
			return nil, Errors{{Pos: Position{File: file, Line: 1, Column: 1}, Text: "Template format error: unsupported structure."}}
		}
		return nil, yamlSyntax(file, data, err)
	}
	if err := dec.Decode(&more); err == nil {
		return nil, Errors{{Pos: Position{File: file, Line: more.Line, Column: more.Column}, Text: "Template format error: YAML not well-formed: a template is one document, and a second begins here"}}
	} else if !errors.Is(err, io.EOF) {
		return nil, yamlSyntax(file, data, err)
	}
	r := &yamlReader{file: file}
	root, err := r.value(doc.Content[0], 0, "")
	if err != nil {
		return nil, Errors{err}
	}
	return root, r.check.err()
}

func yamlSyntax(file string, data []byte, err error) error {
	pos := Position{File: file, Line: 1, Column: 1}
	if m := yamlLine().FindStringSubmatch(err.Error()); m != nil {
		pos.Line, _ = strconv.Atoi(m[1])
	}
	if lines := bytes.SplitN(data, []byte("\n"), pos.Line+1); pos.Line <= len(lines) && tabbed(lines[pos.Line-1]) {
		err = fmt.Errorf("%w; the line is indented by a tab, and YAML takes blanks only", err)
	}
	return Errors{notWellFormed("YAML", pos, err)}
}

// tabbed reports whether a line has a tab before its first word.
func tabbed(line []byte) bool {
	return bytes.ContainsRune(line[:len(line)-len(bytes.TrimLeft(line, " \t"))], '\t')
}

type yamlReader struct {
	file  string
	check checks
}

func (r *yamlReader) pos(n *yaml.Node) Position {
	return Position{File: r.file, Line: n.Line, Column: n.Column}
}

func (r *yamlReader) value(y *yaml.Node, depth int, path string) (*Node, *Error) {
	if depth > MaxDepth {
		return nil, tooDeep(r.pos(y))
	}
	if name, isShort := shortForm(y); isShort {
		return r.function(y, name, depth, path)
	}
	switch y.Kind {
	case yaml.MappingNode:
		return r.object(y, depth, path)
	case yaml.SequenceNode:
		return r.list(y, depth, path)
	case yaml.ScalarNode:
		return r.scalar(y, path), nil
	default:
		return nil, &Error{Pos: r.pos(y), Text: "Template format error: YAML aliases are not allowed in CloudFormation templates"}
	}
}

// shortForm returns the tag of a function's short form without its "!".
func shortForm(y *yaml.Node) (string, bool) {
	if strings.HasPrefix(y.Tag, "!!") || !strings.HasPrefix(y.Tag, "!") || y.Tag == "!" {
		return "", false
	}
	return y.Tag[1:], true
}

// function turns a short form into its long form. "!GetAtt A.B.C" becomes a
// list of the logical id and the attribute, which may have dots itself.
func (r *yamlReader) function(y *yaml.Node, tag string, depth int, path string) (*Node, *Error) {
	key := "Fn::" + tag
	if tag == "Ref" || tag == "Condition" {
		key = tag
	}
	plain := *y
	plain.Tag = map[yaml.Kind]string{yaml.MappingNode: "!!map", yaml.SequenceNode: "!!seq", yaml.ScalarNode: "!!str"}[y.Kind]
	arg, err := r.value(&plain, depth+1, path)
	if err != nil {
		return nil, err
	}
	if tag == "GetAtt" && arg.Kind == String {
		id, attribute, _ := strings.Cut(arg.Text, ".")
		arg = Array(arg.Pos, Str(arg.Pos, id), Str(arg.Pos, attribute))
	}
	return Object(r.pos(y), Member{Key: key, Pos: r.pos(y), Value: arg}), nil
}

func (r *yamlReader) object(y *yaml.Node, depth int, path string) (*Node, *Error) {
	if !r.plainTag(y, path) {
		return Object(r.pos(y)), nil
	}
	n := Object(r.pos(y))
	seen := map[string]bool{}
	for i := 0; i+1 < len(y.Content); i += 2 {
		key := y.Content[i]
		if key.Kind != yaml.ScalarNode {
			return nil, &Error{Pos: r.pos(key), Text: "Template format error: YAML not well-formed: a key must be a string"}
		}
		if key.Tag == "!!merge" {
			return nil, &Error{Pos: r.pos(key), Text: "Template format error: YAML merges (<<) are not allowed in CloudFormation templates"}
		}
		if seen[key.Value] {
			r.check.duplicate(r.pos(key), path, key.Value)
		}
		seen[key.Value] = true
		value, err := r.value(y.Content[i+1], depth+1, path+"/"+key.Value)
		if err != nil {
			return nil, err
		}
		n.Members = append(n.Members, Member{Key: key.Value, Pos: r.pos(key), Value: value})
	}
	return n, nil
}

func (r *yamlReader) list(y *yaml.Node, depth int, path string) (*Node, *Error) {
	n := Array(r.pos(y))
	if !r.plainTag(y, path) {
		return n, nil
	}
	for _, item := range y.Content {
		value, err := r.value(item, depth+1, path)
		if err != nil {
			return nil, err
		}
		n.Items = append(n.Items, value)
	}
	return n, nil
}

// plainTag refuses YAML's own tags that CloudFormation does not know.
func (r *yamlReader) plainTag(y *yaml.Node, path string) bool {
	switch y.Tag {
	case "!!map", "!!seq", "!!str", "!!int", "!!float", "!!bool", "!!null", "!!timestamp", "!!merge", "":
		return true
	}
	r.check.add(r.pos(y), "Template format error: [%s] the YAML tag %s is not allowed in CloudFormation templates", path, y.Tag)
	return false
}

func (r *yamlReader) scalar(y *yaml.Node, path string) *Node {
	pos := r.pos(y)
	if y.Style&(yaml.SingleQuotedStyle|yaml.DoubleQuotedStyle|yaml.LiteralStyle|yaml.FoldedStyle) != 0 {
		r.plainTag(y, path)
		return Str(pos, y.Value)
	}
	switch {
	case y.Tag == "!!null":
		r.check.null(pos, path)
	case (y.Tag == "!!int" || y.Tag == "!!float") && jsonNumber().MatchString(y.Value):
		return &Node{Kind: Number, Text: y.Value, Pos: pos}
	case y.Tag == "!!str" && y.Style&yaml.TaggedStyle != 0:
		return Str(pos, y.Value)
	default:
		r.plainTag(y, path)
		if b, ok := boolean(y); ok {
			return Boolean(pos, b)
		}
	}
	return Str(pos, y.Value)
}

// boolean knows the words that are booleans. YAML 1.1, which CloudFormation
// says it reads, also counts "yes", "no", "on" and "off" among them; they stay
// strings, since published templates of AWS compare a parameter's value "Yes"
// with an unquoted Yes. No recording settles it; this is the one place.
func boolean(y *yaml.Node) (value, ok bool) {
	switch y.Value {
	case "true", "True", "TRUE":
		return true, true
	case "false", "False", "FALSE":
		return false, true
	}
	return false, false
}
