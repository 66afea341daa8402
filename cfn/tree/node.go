// Package tree holds a CloudFormation template as data with positions: a tree
// of nodes read from JSON or YAML, in which every node knows its file, line
// and column, and which is written again as canonical JSON.
//
//	root, err := tree.Parse("template.yaml", data)
//	resources := root.Get("Resources")
//	fmt.Println(resources.Pos(), tree.Path(root, resources))
//
// The short forms of YAML tags ("!Ref Bucket") become their long forms
// ({"Ref": "Bucket"}), so that nobody downstream knows which syntax it was.
// Numbers keep the digits they were written with. What CloudFormation refuses
// in any template is refused here: duplicate keys, null values, YAML aliases
// and merges, documents over the size and depth limits.
package tree

import (
	"encoding/json"
	"slices"
	"strconv"
	"strings"
)

// Kind says which of JSON's types a Node has. There is no null: CloudFormation
// refuses it everywhere.
type Kind uint8

// The kinds of a Node.
const (
	String Kind = iota
	Number
	Bool
	List
	Map
)

// String returns the name of the kind as error texts have it.
func (k Kind) String() string {
	return [...]string{"a string", "a number", "a boolean", "a list", "an object"}[k]
}

// Position is a place in a file; Line and Column count from 1, and Column in
// bytes. The zero Position is of something that no file holds.
type Position struct {
	File         string
	Line, Column int
}

// String returns "file:line:column", or the file alone if there is no line.
func (p Position) String() string {
	if p.Line == 0 {
		return p.File
	}
	return p.File + ":" + strconv.Itoa(p.Line) + ":" + strconv.Itoa(p.Column)
}

// Node is one value of a template. Text is the string, the digits of a number
// as written in JSON's grammar, or "true" or "false". A Node that Parse
// returned is not to be changed, since several may share it; Clone first.
type Node struct {
	Kind    Kind
	Text    string
	Items   []*Node
	Members []Member
	Pos     Position
}

// Member is one key of an object with its value, in the order of the file.
type Member struct {
	Key   string
	Pos   Position
	Value *Node
}

// Str returns a string node at a position.
func Str(pos Position, s string) *Node { return &Node{Kind: String, Text: s, Pos: pos} }

// Boolean returns a boolean node at a position.
func Boolean(pos Position, b bool) *Node {
	return &Node{Kind: Bool, Text: strconv.FormatBool(b), Pos: pos}
}

// Array returns a list node at a position.
func Array(pos Position, items ...*Node) *Node {
	return &Node{Kind: List, Items: items, Pos: pos}
}

// Object returns an object node at a position; each pair is a key and its value.
func Object(pos Position, members ...Member) *Node {
	return &Node{Kind: Map, Members: members, Pos: pos}
}

// M returns a member whose key stands where its value does.
func M(key string, value *Node) Member {
	return Member{Key: key, Pos: value.Pos, Value: value}
}

// Get returns the value of a key, or nil if n is nil, no object, or lacks it.
func (n *Node) Get(key string) *Node {
	if n == nil || n.Kind != Map {
		return nil
	}
	for i := range n.Members {
		if n.Members[i].Key == key {
			return n.Members[i].Value
		}
	}
	return nil
}

// Set replaces the value of a key or adds it at the end.
func (n *Node) Set(key string, value *Node) {
	for i := range n.Members {
		if n.Members[i].Key == key {
			n.Members[i].Value = value
			return
		}
	}
	n.Members = append(n.Members, Member{Key: key, Pos: value.Pos, Value: value})
}

// Delete removes a key if it is there.
func (n *Node) Delete(key string) {
	n.Members = slices.DeleteFunc(n.Members, func(m Member) bool { return m.Key == key })
}

// IsString reports whether n is there and a string.
func (n *Node) IsString() bool { return n != nil && n.Kind == String }

// Scalar reports whether n is a string, a number or a boolean: what
// CloudFormation takes wherever it asks for a string.
func (n *Node) Scalar() bool { return n != nil && n.Kind <= Bool }

// Clone returns a deep copy.
func (n *Node) Clone() *Node {
	if n == nil {
		return nil
	}
	c := *n
	c.Items = make([]*Node, len(n.Items))
	for i, item := range n.Items {
		c.Items[i] = item.Clone()
	}
	c.Members = make([]Member, len(n.Members))
	for i, m := range n.Members {
		m.Value = m.Value.Clone()
		c.Members[i] = m
	}
	return &c
}

// Size counts the nodes of a tree.
func (n *Node) Size() int {
	if n == nil {
		return 0
	}
	size := 1
	for _, item := range n.Items {
		size += item.Size()
	}
	for _, m := range n.Members {
		size += m.Value.Size()
	}
	return size
}

// Value returns the tree as plain Go values: map[string]any, []any, string,
// json.Number and bool.
func (n *Node) Value() any {
	switch n.Kind {
	case Map:
		m := make(map[string]any, len(n.Members))
		for _, member := range n.Members {
			m[member.Key] = member.Value.Value()
		}
		return m
	case List:
		l := make([]any, len(n.Items))
		for i, item := range n.Items {
			l[i] = item.Value()
		}
		return l
	case Number:
		return json.Number(n.Text)
	case Bool:
		return n.Text == "true"
	default:
		return n.Text
	}
}

// Path returns where target stands below root, as "Resources.Fn.Properties.Tags[0]",
// or "" if it is root or is not there.
func Path(root, target *Node) string {
	if root == nil || target == nil {
		return ""
	}
	var steps []string
	if !find(root, target, &steps) {
		return ""
	}
	slices.Reverse(steps)
	return strings.TrimPrefix(strings.Join(steps, ""), ".")
}

// find collects the steps from target up to n, the last first.
func find(n, target *Node, steps *[]string) bool {
	if n == target {
		return true
	}
	for i, item := range n.Items {
		if find(item, target, steps) {
			*steps = append(*steps, "["+strconv.Itoa(i)+"]")
			return true
		}
	}
	for _, m := range n.Members {
		if find(m.Value, target, steps) {
			*steps = append(*steps, "."+m.Key)
			return true
		}
	}
	return false
}
