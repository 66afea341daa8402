// Package route selects the route of an HTTP API that answers a request.
//
//	table, err := route.Compile([]string{"GET /pets/{id}", "ANY /{proxy+}", "$default"})
//	i, params, ok := table.Match("GET", "/pets/6", nil) // 0, id=6
//
// A Table is compiled once and never changed. Finding a route costs by the
// depth of the path and not by the number of routes.
//
// The order of preference is that of the API Gateway Developer Guide, "Create
// routes for HTTP APIs", "Routing API requests": a full match of path and method, then
// a match with a greedy path variable, then $default; and a method before ANY.
package route

import (
	"fmt"
	"strings"
)

// Default is the key of the route that takes what no other does.
const Default = "$default"

// Param is a path variable with its value, decoded.
type Param struct {
	Name, Value string
}

// Table is a compiled set of routes.
type Table struct {
	root     node
	fallback int // index of $default, or -1
	names    [][]string
}

// node is a place in the tree of path segments.
type node struct {
	literal map[string]*node
	param   *node // {name}
	full    methods
	greedy  methods // {name+} behind this node
}

// methods holds a route's index for each method, -1 for none.
type methods struct {
	any  int
	each map[string]int
}

func newNode() *node {
	return &node{full: methods{any: -1}, greedy: methods{any: -1}}
}

func (m *methods) find(method string) int {
	if i, ok := m.each[method]; ok {
		return i
	}
	return m.any
}

func (m *methods) add(method string, index int) bool {
	if method == "ANY" {
		free := m.any < 0
		m.any = index
		return free
	}
	if _, taken := m.each[method]; taken {
		return false
	}
	if m.each == nil {
		m.each = map[string]int{}
	}
	m.each[method] = index
	return true
}

// Compile builds the table of route keys: "METHOD /path" or "$default". Match
// answers with indexes of keys. It fails for a key that is malformed and for two
// that match the same requests.
func Compile(keys []string) (*Table, error) {
	t := &Table{root: *newNode(), fallback: -1, names: make([][]string, len(keys))}
	for i, key := range keys {
		if key == Default {
			if t.fallback >= 0 {
				return nil, fmt.Errorf("route %s is there twice", key)
			}
			t.fallback = i
			continue
		}
		if err := t.add(i, key); err != nil {
			return nil, err
		}
	}
	return t, nil
}

// add puts one key with a path into the tree.
func (t *Table) add(index int, key string) error {
	k, err := Parse(key)
	if err != nil {
		return err
	}
	n := &t.root
	for i, segment := range k.Segments {
		name, kind := variable(segment)
		if kind != literal {
			t.names[index] = append(t.names[index], name)
		}
		if kind == greedy {
			if i != len(k.Segments)-1 {
				return fmt.Errorf("route key %q: {%s+} may only be the last segment", key, name)
			}
			return conflict(key, n.greedy.add(k.Method, index))
		}
		n = n.child(segment, kind)
	}
	return conflict(key, n.full.add(k.Method, index))
}

func conflict(key string, free bool) error {
	if !free {
		return fmt.Errorf("route key %q matches the same requests as another route", key)
	}
	return nil
}

// child returns the node below n for a segment, made if need be.
func (n *node) child(segment string, k kind) *node {
	if k == single {
		if n.param == nil {
			n.param = newNode()
		}
		return n.param
	}
	if n.literal == nil {
		n.literal = map[string]*node{}
	}
	next := n.literal[segment]
	if next == nil {
		next = newNode()
		n.literal[segment] = next
	}
	return next
}

// Match returns the index of the route for a method and a path (decoded, without
// query and stage), and the path's variables appended to params. Without a
// match ok is false.
func (t *Table) Match(method, path string, params []Param) (index int, _ []Param, ok bool) {
	if len(path) == 0 || path[0] != '/' {
		return t.orDefault(params)
	}
	m := match{method: method, params: params, first: len(params)}
	i := m.full(&t.root, path[1:])
	if i < 0 {
		m.params = m.params[:m.first]
		i = m.greedy(&t.root, path[1:])
	}
	if i < 0 {
		return t.orDefault(params)
	}
	for n, name := range t.names[i] {
		m.params[m.first+n].Name = name
	}
	return i, m.params, true
}

func (t *Table) orDefault(params []Param) (int, []Param, bool) {
	return t.fallback, params, t.fallback >= 0
}

// match is one search. Values are collected in order; the route knows the names.
type match struct {
	method string
	params []Param
	first  int
}

// full looks for a route that matches every segment of rest, literals first.
func (m *match) full(n *node, rest string) int {
	segment, after, more := strings.Cut(rest, "/")
	if next := n.literal[segment]; next != nil {
		if i := m.below(next, after, more); i >= 0 {
			return i
		}
	}
	if n.param == nil || segment == "" {
		return -1
	}
	depth := len(m.params)
	m.params = append(m.params, Param{Value: segment})
	if i := m.below(n.param, after, more); i >= 0 {
		return i
	}
	m.params = m.params[:depth]
	return -1
}

func (m *match) below(n *node, rest string, more bool) int {
	if more {
		return m.full(n, rest)
	}
	return n.full.find(m.method)
}

// greedy looks for the route with the most segments before its greedy variable,
// which must have a value.
func (m *match) greedy(n *node, rest string) int {
	depth := len(m.params)
	if segment, after, more := strings.Cut(rest, "/"); more {
		if next := n.literal[segment]; next != nil {
			if i := m.greedy(next, after); i >= 0 {
				return i
			}
		}
		if n.param != nil && segment != "" {
			m.params = append(m.params[:depth], Param{Value: segment})
			if i := m.greedy(n.param, after); i >= 0 {
				return i
			}
		}
	}
	m.params = m.params[:depth]
	if rest == "" {
		return -1
	}
	i := n.greedy.find(m.method)
	if i >= 0 {
		m.params = append(m.params, Param{Value: rest})
	}
	return i
}
