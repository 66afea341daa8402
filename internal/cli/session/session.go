// Package session is one run of the roost command, as its subcommands see it: its
// streams, its environment and its terminal, what is typed, and how it ends.
//
//	s := session.New(os.Stdin, os.Stdout, os.Stderr, os.Environ())
//	s.Term.Print("Preparing")
//	line, err := session.ReadLine(s.Typed(ctx))
//	return session.Usage{Err: errors.New("--port 0x1: a port is a number")} // a mistake in the arguments
package session

import (
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/seed-615d3599/roost/internal/cli/report"
	"github.com/seed-615d3599/roost/internal/config"
	"github.com/seed-615d3599/roost/internal/term"
)

// Session is one run. Make it with New.
type Session struct {
	In   io.Reader
	Out  io.Writer
	Errs io.Writer
	Env  []string // "NAME=value"; of several the last counts, as for processes
	Term *term.Printer
	// Command is what follows "--" in "roost test".
	Command []string
	Began   time.Time // when the run did
}

// New begins a run.
func New(in io.Reader, out, errs io.Writer, env []string) *Session {
	s := &Session{In: in, Out: out, Errs: errs, Env: env, Began: time.Now()}
	s.Term = term.New(out, errs, s.Getenv)
	return s
}

// Report prints what a command has found or done.
func (s *Session) Report() report.Printer { return report.Printer{Printer: s.Term} }

// Getenv returns a variable of the run's environment.
func (s *Session) Getenv(name string) string {
	value, _ := config.Lookup(s.Env, name)
	return value
}

// JSON is the flag --json. Where it is given, a command prints objects instead of
// words: docs/json.md.
type JSON bool

// AfterApply is called by kong before the command runs.
func (j JSON) AfterApply(s *Session) error {
	if j {
		s.Term.JSON()
	}
	return nil
}

// Timing says when a step of a start was done.
type Timing struct {
	Step string    `json:"step"`
	At   time.Time `json:"at"`
}

// Done tells a program that reads along that a step of a start is done.
func (s *Session) Done(step string) { s.Term.Event("timing", Timing{step, time.Now()}) }

// Below returns a path as people read it: relative where that is shorter.
func Below(path string) string {
	wd, err := os.Getwd()
	if err != nil {
		return path
	}
	if rel, err := filepath.Rel(wd, path); err == nil && !strings.HasPrefix(rel, "..") {
		return rel
	}
	return path
}
