package iam

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"sort"
	"strings"
	"unicode/utf8"
)

// Bounds of a document. AWS takes at most 131,072 characters for a policy in
// any request of IAM; a policy's own elements nest seven deep.
const (
	maxDocument = 131072
	maxDepth    = 10
)

// Sentences of AWS for a document that is not what it should be at all.
const (
	syntaxErrors = "Syntax errors in policy."
	invalidJSON  = "This policy contains invalid Json"
)

// node is a JSON value with its place in the document.
type node struct {
	kind    nodeKind
	text    string // of a string, a number or a boolean
	members []member
	items   []node
	start   int // offset of the first byte
	end     int // offset after the last byte
}

type nodeKind uint8

const (
	scalarNode nodeKind = iota // number or boolean
	stringNode
	objectNode
	listNode
	nullNode
)

type member struct {
	name  string
	start int // offset of the name
	value node
}

// reader reads a document into nodes. The standard library's decoder does the
// JSON; what the reader adds is places, a bound on the depth, and that no
// name may come twice in an object.
type reader struct {
	data    []byte
	lines   []int // offsets at which lines begin
	decoder *json.Decoder
}

func readDocument(data []byte) (*reader, node, error) {
	r := &reader{data: data, lines: []int{0}, decoder: json.NewDecoder(bytes.NewReader(data))}
	r.decoder.UseNumber()
	for i, b := range data {
		if b == '\n' {
			r.lines = append(r.lines, i+1)
		}
	}
	if len(data) > maxDocument {
		return r, node{}, r.errorAt(0, syntaxErrors, "the document is longer than %d bytes", maxDocument)
	}
	if bad := invalidUTF8(data); bad >= 0 {
		return r, node{}, r.errorAt(bad, invalidJSON, "the document is not valid UTF-8 here")
	}
	root, err := r.value(0)
	if err != nil {
		return r, node{}, err
	}
	if offset := r.nextOffset(); offset < len(data) {
		return r, node{}, r.errorAt(offset, invalidJSON, "something follows the end of the document")
	}
	return r, root, nil
}

func invalidUTF8(data []byte) int {
	for i := 0; i < len(data); {
		r, n := utf8.DecodeRune(data[i:])
		if r == utf8.RuneError && n == 1 {
			return i
		}
		i += n
	}
	return -1
}

// nextOffset returns where the next token starts.
func (r *reader) nextOffset() int {
	offset := int(r.decoder.InputOffset())
	for offset < len(r.data) && strings.IndexByte(" \t\r\n,:", r.data[offset]) >= 0 {
		offset++
	}
	return offset
}

func (r *reader) token() (json.Token, int, error) {
	start := r.nextOffset()
	t, err := r.decoder.Token()
	if err == nil {
		return t, start, nil
	}
	var syntax *json.SyntaxError
	switch {
	case errors.As(err, &syntax):
		start = max(start, int(syntax.Offset)-1)
		return nil, 0, r.errorAt(min(start, len(r.data)), invalidJSON, "%s", syntax.Error())
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return nil, 0, r.errorAt(len(r.data), invalidJSON, "the document ends too early")
	}
	return nil, 0, r.errorAt(start, invalidJSON, "%s", err)
}

func (r *reader) value(depth int) (node, error) {
	t, start, err := r.token()
	if err != nil {
		return node{}, err
	}
	if depth > maxDepth {
		return node{}, r.errorAt(start, syntaxErrors, "nothing in a policy is nested so deeply")
	}
	n := node{start: start}
	switch t := t.(type) {
	case json.Delim:
		if t == '{' {
			n.kind = objectNode
			err = r.object(&n, depth)
		} else {
			n.kind = listNode
			err = r.list(&n, depth)
		}
	case string:
		n.kind, n.text = stringNode, t
		err = r.checkText(t, start)
	case json.Number:
		n.text = t.String()
	case bool:
		n.text = fmt.Sprint(t)
	case nil:
		n.kind = nullNode
	}
	n.end = int(r.decoder.InputOffset())
	return n, err
}

func (r *reader) object(n *node, depth int) error {
	names := map[string]bool{}
	for r.decoder.More() {
		t, start, err := r.token()
		if err != nil {
			return err
		}
		name, _ := t.(string) // the decoder takes nothing else as a name
		if err := r.checkText(name, start); err != nil {
			return err
		}
		if names[name] {
			return r.errorAt(start, syntaxErrors, "%q stands twice in the same object", clip(name))
		}
		names[name] = true
		value, err := r.value(depth + 1)
		if err != nil {
			return err
		}
		n.members = append(n.members, member{name: name, start: start, value: value})
	}
	_, _, err := r.token()
	return err
}

func (r *reader) list(n *node, depth int) error {
	for r.decoder.More() {
		item, err := r.value(depth + 1)
		if err != nil {
			return err
		}
		n.items = append(n.items, item)
	}
	_, _, err := r.token()
	return err
}

// checkText refuses control characters, and what the decoder puts in place of
// half of a surrogate pair: both make one text look like another.
func (r *reader) checkText(s string, offset int) error {
	for _, c := range s {
		if c < ' ' && c != '\t' && c != '\n' && c != '\r' || c == 0x7f || c == utf8.RuneError {
			return r.errorAt(offset, syntaxErrors, "a policy cannot contain the character %U", c)
		}
	}
	return nil
}

func (r *reader) errorAt(offset int, message, format string, args ...any) *Error {
	return &Error{Code: "MalformedPolicyDocument", Message: message, Detail: fmt.Sprintf(format, args...), Position: r.position(offset)}
}

func (r *reader) position(offset int) Position {
	line := sort.SearchInts(r.lines, offset+1) - 1
	return Position{Line: line + 1, Column: utf8.RuneCount(r.data[r.lines[line]:offset]) + 1}
}
