package tree

import (
	"fmt"
	"strings"
)

// Error is one thing wrong with a template. Text is worded as CloudFormation
// words it wherever its text is known.
type Error struct {
	Pos  Position
	Path string // as Path returns it, "" for the whole template
	Text string
}

// Error returns "file:line:column: path: text".
func (e *Error) Error() string {
	var b strings.Builder
	if at := e.Pos.String(); at != "" {
		b.WriteString(at + ": ")
	}
	if e.Path != "" {
		b.WriteString(e.Path + ": ")
	}
	b.WriteString(e.Text)
	return b.String()
}

// Errors is everything found wrong at once, in the order in which it was
// found; it is never empty as an error value.
type Errors []*Error

// maxErrors bounds the list: who reads that many problems fixes them before
// asking for more.
const maxErrors = 25

// Error returns one line for each problem.
func (e Errors) Error() string {
	lines := make([]string, len(e))
	for i, one := range e {
		lines[i] = one.Error()
	}
	return strings.Join(lines, "\n")
}

// Unwrap gives errors.Is and errors.As each problem.
func (e Errors) Unwrap() []error {
	list := make([]error, len(e))
	for i, one := range e {
		list[i] = one
	}
	return list
}

// Message returns the texts alone, without positions, one per line: what
// CloudFormation's API would answer.
func (e Errors) Message() string {
	lines := make([]string, len(e))
	for i, one := range e {
		lines[i] = one.Text
	}
	return strings.Join(lines, "\n")
}

// Problems collects errors about one tree. Its zero value with Root set is
// ready. Past twenty-five it drops them.
type Problems struct {
	Root *Node
	list Errors
	seen map[string]bool
}

// Add records a problem at a node; nil stands for the whole template.
func (p *Problems) Add(at *Node, format string, args ...any) {
	if p.Full() {
		return
	}
	e := At(p.Root, at, format, args...)
	key := e.Error()
	if p.seen[key] {
		return
	}
	if p.seen == nil {
		p.seen = map[string]bool{}
	}
	p.seen[key] = true
	p.list = append(p.list, e)
}

// Join takes over the problems that err holds; anything else than an Error or
// Errors is recorded as it words itself.
func (p *Problems) Join(at *Node, err error) {
	switch e := err.(type) {
	case nil:
	case Errors:
		for _, one := range e {
			p.Join(at, one)
		}
	case *Error:
		if len(p.list) < maxErrors {
			p.list = append(p.list, e)
		}
	default:
		p.Add(at, "%v", err)
	}
}

// Full reports whether no further problem would be kept.
func (p *Problems) Full() bool { return len(p.list) >= maxErrors }

// Err returns what was collected, or nil.
func (p *Problems) Err() error {
	if len(p.list) == 0 {
		return nil
	}
	return p.list
}

// At returns one Error about a node of the tree below root.
func At(root, at *Node, format string, args ...any) *Error {
	e := &Error{Text: fmt.Sprintf(format, args...)}
	if root != nil {
		e.Pos.File = root.Pos.File
	}
	if at != nil {
		e.Pos, e.Path = at.Pos, Path(root, at)
	}
	return e
}
