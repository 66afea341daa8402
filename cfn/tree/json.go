package tree

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"sort"
)

// jsonReader reads one JSON document token by token. encoding/json would
// accept duplicate keys and forget positions, so the tree is built here.
type jsonReader struct {
	file  string
	data  []byte
	dec   *json.Decoder
	end   int   // offset after the last token
	lines []int // offset at which each line begins
	check checks
}

func parseJSON(file string, data []byte) (*Node, error) {
	r := &jsonReader{file: file, data: data, dec: json.NewDecoder(bytes.NewReader(data)), lines: lineStarts(data)}
	r.dec.UseNumber()
	root, err := r.value(0, "")
	if err != nil {
		return nil, r.syntax(err)
	}
	if _, err := r.dec.Token(); !errors.Is(err, io.EOF) {
		return nil, r.syntax(errors.New("something follows the document"))
	}
	return root, r.check.err()
}

func lineStarts(data []byte) []int {
	starts := []int{0}
	for i, c := range data {
		if c == '\n' {
			starts = append(starts, i+1)
		}
	}
	return starts
}

func (r *jsonReader) position(offset int) Position {
	line := sort.SearchInts(r.lines, offset+1)
	return Position{File: r.file, Line: line, Column: offset - r.lines[line-1] + 1}
}

// token returns the next token and where it begins.
func (r *jsonReader) token() (json.Token, Position, error) {
	start := r.end
	for start < len(r.data) && bytes.IndexByte([]byte(" \t\r\n,:"), r.data[start]) >= 0 {
		start++
	}
	tok, err := r.dec.Token()
	if err == nil {
		r.end = int(r.dec.InputOffset())
	}
	return tok, r.position(min(start, len(r.data))), err
}

func (r *jsonReader) value(depth int, path string) (*Node, error) {
	tok, pos, err := r.token()
	if err != nil {
		return nil, err
	}
	if depth > MaxDepth {
		return nil, tooDeep(pos)
	}
	switch v := tok.(type) {
	case json.Delim:
		if v == '{' {
			return r.object(pos, depth, path)
		}
		return r.list(pos, depth, path)
	case string:
		return Str(pos, v), nil
	case json.Number:
		return &Node{Kind: Number, Text: v.String(), Pos: pos}, nil
	case bool:
		return Boolean(pos, v), nil
	default:
		r.check.null(pos, path)
		return Str(pos, ""), nil
	}
}

func (r *jsonReader) object(pos Position, depth int, path string) (*Node, error) {
	n := Object(pos)
	seen := map[string]bool{}
	for r.dec.More() {
		key, at, err := r.token()
		if err != nil {
			return nil, err
		}
		name, _ := key.(string)
		if seen[name] {
			r.check.duplicate(at, path, name)
		}
		seen[name] = true
		value, err := r.value(depth+1, path+"/"+name)
		if err != nil {
			return nil, err
		}
		n.Members = append(n.Members, Member{Key: name, Pos: at, Value: value})
	}
	_, _, err := r.token()
	return n, err
}

func (r *jsonReader) list(pos Position, depth int, path string) (*Node, error) {
	n := Array(pos)
	for r.dec.More() {
		value, err := r.value(depth+1, path)
		if err != nil {
			return nil, err
		}
		n.Items = append(n.Items, value)
	}
	_, _, err := r.token()
	return n, err
}

// syntax words an error of the decoder as CloudFormation does, with the position.
func (r *jsonReader) syntax(err error) error {
	var known *Error
	if errors.As(err, &known) {
		return Errors{known}
	}
	offset := min(int(r.dec.InputOffset()), len(r.data))
	var bad *json.SyntaxError
	if errors.As(err, &bad) {
		offset = min(max(int(bad.Offset)-1, 0), len(r.data))
	}
	pos := r.position(offset)
	return Errors{notWellFormed("JSON", pos, err)}
}
