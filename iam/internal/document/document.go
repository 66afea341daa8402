// Package document reads JSON into nodes that know their place. It takes what
// a policy can be made of and nothing else: UTF-8, without control characters
// in texts, no name twice in an object, of bounded size and depth.
//
//	r, root, err := document.Read(data)
//	r.Position(root.Members[0].Start)
package document

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
	maxBytes = 131072
	maxDepth = 10
)

// Sentences of AWS for a document that is not what it should be at all.
const (
	SyntaxErrors = "Syntax errors in policy."
	InvalidJSON  = "This policy contains invalid Json"
)

// Node is a JSON value with its place in the document.
type Node struct {
	Kind    Kind
	Text    string // of a string, a number or a boolean
	Members []Member
	Items   []Node
	Start   int // offset of the first byte
	End     int // offset after the last byte
}

// Kind is what kind of JSON value a node is.
type Kind uint8

// The kinds of nodes.
const (
	Scalar Kind = iota // number or boolean
	String
	Object
	List
	Null
)

// Member is a name of an object with its value.
type Member struct {
	Name  string
	Start int // offset of the name
	Value Node
}

// Reader reads a document into nodes. The standard library's decoder does the
// JSON; what the Reader adds is places, a bound on the depth, and that no
// name may come twice in an object.
type Reader struct {
	data    []byte
	lines   []int // offsets at which lines begin
	decoder *json.Decoder
}

// Read reads a whole document. The error is a *Fault. The reader it returns
// knows the places of the document's offsets.
func Read(data []byte) (*Reader, Node, error) {
	r := &Reader{data: data, lines: []int{0}, decoder: json.NewDecoder(bytes.NewReader(data))}
	r.decoder.UseNumber()
	for i, b := range data {
		if b == '\n' {
			r.lines = append(r.lines, i+1)
		}
	}
	if len(data) > maxBytes {
		return r, Node{}, r.ErrorAt(0, SyntaxErrors, "the document is longer than %d bytes", maxBytes)
	}
	if bad := invalidUTF8(data); bad >= 0 {
		return r, Node{}, r.ErrorAt(bad, InvalidJSON, "the document is not valid UTF-8 here")
	}
	root, err := r.value(0)
	if err != nil {
		return r, Node{}, err
	}
	if offset := r.nextOffset(); offset < len(data) {
		return r, Node{}, r.ErrorAt(offset, InvalidJSON, "something follows the end of the document")
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
func (r *Reader) nextOffset() int {
	offset := int(r.decoder.InputOffset())
	for offset < len(r.data) && strings.IndexByte(" \t\r\n,:", r.data[offset]) >= 0 {
		offset++
	}
	return offset
}

func (r *Reader) token() (json.Token, int, error) {
	start := r.nextOffset()
	t, err := r.decoder.Token()
	if err == nil {
		return t, start, nil
	}
	var syntax *json.SyntaxError
	switch {
	case errors.As(err, &syntax):
		start = max(start, int(syntax.Offset)-1)
		return nil, 0, r.ErrorAt(min(start, len(r.data)), InvalidJSON, "%s", syntax.Error())
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return nil, 0, r.ErrorAt(len(r.data), InvalidJSON, "the document ends too early")
	}
	return nil, 0, r.ErrorAt(start, InvalidJSON, "%s", err)
}

func (r *Reader) value(depth int) (Node, error) {
	t, start, err := r.token()
	if err != nil {
		return Node{}, err
	}
	if depth > maxDepth {
		return Node{}, r.ErrorAt(start, SyntaxErrors, "nothing in a policy is nested so deeply")
	}
	n := Node{Start: start}
	switch t := t.(type) {
	case json.Delim:
		if t == '{' {
			n.Kind = Object
			err = r.object(&n, depth)
		} else {
			n.Kind = List
			err = r.list(&n, depth)
		}
	case string:
		n.Kind, n.Text = String, t
		err = r.checkText(t, start)
	case json.Number:
		n.Text = t.String()
	case bool:
		n.Text = fmt.Sprint(t)
	case nil:
		n.Kind = Null
	}
	n.End = int(r.decoder.InputOffset())
	return n, err
}

func (r *Reader) object(n *Node, depth int) error {
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
			return r.ErrorAt(start, SyntaxErrors, "%.200q stands twice in the same object", name)
		}
		names[name] = true
		value, err := r.value(depth + 1)
		if err != nil {
			return err
		}
		n.Members = append(n.Members, Member{Name: name, Start: start, Value: value})
	}
	_, _, err := r.token()
	return err
}

func (r *Reader) list(n *Node, depth int) error {
	for r.decoder.More() {
		item, err := r.value(depth + 1)
		if err != nil {
			return err
		}
		n.Items = append(n.Items, item)
	}
	_, _, err := r.token()
	return err
}

// checkText refuses control characters, and what the decoder puts in place of
// half of a surrogate pair: both make one text look like another.
func (r *Reader) checkText(s string, offset int) error {
	for _, c := range s {
		if c < ' ' && c != '\t' && c != '\n' && c != '\r' || c == 0x7f || c == utf8.RuneError {
			return r.ErrorAt(offset, SyntaxErrors, "a policy cannot contain the character %U", c)
		}
	}
	return nil
}

// Fault is what is wrong with a document, and where.
type Fault struct {
	Message      string // the sentence of AWS for this kind of fault
	Detail       string // what exactly is wrong
	Line, Column int    // from 1, columns in characters
}

// Error returns message, place and detail in one line.
func (f *Fault) Error() string {
	return fmt.Sprintf("%s (line %d, column %d: %s)", f.Message, f.Line, f.Column, f.Detail)
}

// ErrorAt returns a fault at an offset, its detail formatted as by fmt.Sprintf.
func (r *Reader) ErrorAt(offset int, message, format string, args ...any) error {
	f := &Fault{Message: message, Detail: fmt.Sprintf(format, args...)}
	f.Line, f.Column = r.Position(offset)
	return f
}

// Position returns line and column of an offset, both from 1, the column in
// characters.
func (r *Reader) Position(offset int) (line, column int) {
	line = sort.SearchInts(r.lines, offset+1)
	return line, utf8.RuneCount(r.data[r.lines[line-1]:offset]) + 1
}

// Clip shortens what an error or a trace quotes.
func Clip(s string) string {
	const most = 200
	if len(s) <= most {
		return s
	}
	return strings.ToValidUTF8(s[:most], "") + "…"
}
