package build

import (
	"fmt"
	"strings"
)

// A Problem is one thing that a compiler has said.
type Problem struct {
	// File is below the app's folder if it lies there; empty if the problem
	// has no place.
	File string `json:",omitempty"`
	// Line and Column count from 1; 0 means unknown.
	Line   int `json:",omitempty"`
	Column int `json:",omitempty"`
	// Text is the compiler's own.
	Text string
}

// String returns the problem in the form that editors jump to.
func (p Problem) String() string {
	switch {
	case p.File == "":
		return p.Text
	case p.Line == 0:
		return fmt.Sprintf("%s: %s", p.File, p.Text)
	case p.Column == 0:
		return fmt.Sprintf("%s:%d: %s", p.File, p.Line, p.Text)
	}
	return fmt.Sprintf("%s:%d:%d: %s", p.File, p.Line, p.Column, p.Text)
}

// An Error is a function that could not be built.
type Error struct {
	// Entry is the function's.
	Entry string
	// Problems holds at least one.
	Problems []Problem
	// Remedy is what to do next; it may be empty.
	Remedy string
	// Missing says that the entry is not there.
	Missing bool
}

// maxProblems bounds how many problems one error prints.
const maxProblems = 10

// Error names the entry and, a line each, the problems.
func (e *Error) Error() string {
	if len(e.Problems) == 1 {
		if p := e.Problems[0]; p.File == e.Entry && p.Line == 0 {
			return fmt.Sprintf("build %s: %s", e.Entry, p.Text) // its name is said
		}
		return fmt.Sprintf("build %s: %s", e.Entry, e.Problems[0])
	}
	var s strings.Builder
	fmt.Fprintf(&s, "build %s:", e.Entry)
	for i, p := range e.Problems {
		if i == maxProblems {
			fmt.Fprintf(&s, "\n  and %d more", len(e.Problems)-i)
			break
		}
		fmt.Fprintf(&s, "\n  %s", p)
	}
	return s.String()
}

// Hint returns the remedy.
func (e *Error) Hint() string { return e.Remedy }
