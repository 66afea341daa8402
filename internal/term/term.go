// Package term prints what the roost command says: plain, calm lines, in
// colour only where a person looks on.
//
//	p := term.New(os.Stdout, os.Stderr, os.Getenv)
//	p.Print("Preparing your app")
//	p.Stack(term.Stack{Name: "dev-app-my-stack", Status: "deployed", Outputs: outputs})
//	p.Error(err) // with its hint, on standard error
//
// Colours are left out when the output is not a terminal, when NO_COLOR is set
// to anything (https://no-color.org), and when TERM is "dumb". Nothing is ever
// printed over: every line stays. A Printer may be used by several goroutines;
// lines do not mix.
package term

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"strings"
	"sync"
	"syscall"

	"github.com/mattn/go-isatty"
)

// Printer writes to the two streams of a command.
type Printer struct {
	mu       sync.Mutex
	out, err io.Writer
	outColor bool
	errColor bool
	json     bool
}

// New returns a Printer. getenv tells NO_COLOR and TERM.
func New(out, err io.Writer, getenv func(string) string) *Printer {
	plain := getenv("NO_COLOR") != "" || getenv("TERM") == "dumb"
	return &Printer{
		out: out, err: err,
		outColor: !plain && IsTerminal(out),
		errColor: !plain && IsTerminal(err),
	}
}

// IsTerminal reports whether a stream is a terminal.
func IsTerminal(stream any) bool {
	file, ok := stream.(*os.File)
	return ok && isatty.IsTerminal(file.Fd())
}

// NoColor turns colours off, as the flag --no-color does.
func (p *Printer) NoColor() { p.outColor, p.errColor = false, false }

// Style is how a piece of text looks where colours are on.
type Style string

// The styles, as the parameters of ANSI's "select graphic rendition" (ECMA-48,
// section 8.3.117).
const (
	Bold   Style = "1"
	Dim    Style = "2"
	Red    Style = "31"
	Green  Style = "32"
	Yellow Style = "33"
)

// Styled returns text in a style, or as it is where standard output has none.
func (p *Printer) Styled(s Style, text string) string { return styled(p.outColor, s, text) }

func styled(on bool, s Style, text string) string {
	if !on || text == "" {
		return text
	}
	return "\x1b[" + string(s) + "m" + text + "\x1b[0m"
}

// Print writes a line to standard output.
func (p *Printer) Print(line string) {
	if p.json {
		p.Event("line", text{Text: line})
		return
	}
	p.write(p.out, line)
}

// Printf writes a formatted line to standard output.
func (p *Printer) Printf(format string, args ...any) { p.Print(fmt.Sprintf(format, args...)) }

// Note writes a line to standard error, for what is not the command's answer.
func (p *Printer) Note(line string) {
	if p.json {
		p.Event("note", text{Text: line})
		return
	}
	p.write(p.err, line)
}

// Warn writes a warning to standard error.
func (p *Printer) Warn(warning string) {
	if p.json {
		p.Event("warning", text{Text: warning})
		return
	}
	p.write(p.err, styled(p.errColor, Yellow, "warning: ")+Clean(warning))
}

func (p *Printer) write(w io.Writer, line string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	var b bytes.Buffer
	b.WriteString(line)
	b.WriteByte('\n')
	w.Write(b.Bytes()) //nolint:errcheck // there is nowhere left to say so
}

// Error writes an error to standard error, and below it what to do next, if
// the error has a method Hint() string that knows it.
func (p *Printer) Error(err error) {
	if p.json {
		p.Event("error", text{Text: err.Error(), Hints: Hints(err)})
		return
	}
	var b strings.Builder
	b.WriteString(styled(p.errColor, Red, "error: "))
	b.WriteString(Clean(err.Error()))
	for _, hint := range Hints(err) {
		b.WriteString("\n" + styled(p.errColor, Dim, "  → ") + Clean(hint))
	}
	p.write(p.err, b.String())
}

// Hints returns the distinct hints of an error and of those that it wraps or
// joins, in their order. Of an error and its cause only the outer hint counts.
func Hints(err error) []string {
	if err == nil {
		return nil
	}
	if h, ok := err.(interface{ Hint() string }); ok && h.Hint() != "" {
		return []string{h.Hint()}
	}
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		var all []string
		for _, one := range joined.Unwrap() {
			for _, hint := range Hints(one) {
				if !slices.Contains(all, hint) {
					all = append(all, hint)
				}
			}
		}
		return all
	}
	switch err.(type) {
	case *fs.PathError, *os.LinkError:
		if hint := fileHint(err); hint != "" {
			return []string{hint}
		}
	}
	return Hints(errors.Unwrap(err))
}

// fileHint knows what to do about some errors that the system has for a file.
func fileHint(err error) string {
	switch {
	case errors.Is(err, syscall.ENOSPC):
		return "free some space on that disk, and try again"
	case errors.Is(err, syscall.EROFS), errors.Is(err, fs.ErrPermission):
		return "see that you may read and write there: roost keeps what it makes below .roost in the app's folder"
	case errors.Is(err, syscall.EMFILE):
		return "allow more open files, as by \"ulimit -n 8192\""
	}
	return ""
}

// WithHint returns err with a hint for the next step.
func WithHint(err error, hint string) error { return &hinted{err, hint} }

type hinted struct {
	error
	hint string
}

func (h *hinted) Unwrap() error { return h.error }
func (h *hinted) Hint() string  { return h.hint }

// Clean makes foreign text fit to print: control characters other than line
// breaks and tabs are replaced, so that no log line can drive the terminal, and
// so are those that turn the direction of writing (Unicode UAX #9, 2.1 and 2.2).
func Clean(text string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\n' || r == '\t':
			return r
		case r < 0x20 || r >= 0x7f && r < 0xa0, r >= 0x202a && r <= 0x202e, r >= 0x2066 && r <= 0x2069:
			return '\uFFFD'
		}
		return r
	}, text)
}

// Banner writes a title framed by lines of "=".
func (p *Printer) Banner(title string) {
	if p.json {
		p.Print(title)
		return
	}
	rule := strings.Repeat("=", len(title)+2)
	p.Print(rule + "\n " + p.Styled(Bold, title) + "\n" + rule + "\n")
}

// Stack is what is known about a stack when the work on it is over.
type Stack struct {
	Name string
	// Status is a word for a person: deployed, no changes, failed, removed.
	Status string
	// Error is the first cause of a failure, empty otherwise.
	Error string
	// Outputs and Exports are printed in this order.
	Outputs []Pair
	Exports []Pair
	// Local are URLs that the embedded region adds: where each API answers.
	Local []Pair
}

// Pair is a name and a value.
type Pair struct{ Name, Value string }

// Stack writes a result block:
//
//	Stack dev-rest-api-auth-twitter-my-stack
//	  Status: deployed
//	  Outputs:
//	    ApiEndpoint: http://127.0.0.1:4010
func (p *Printer) Stack(s Stack) {
	if p.json {
		p.stackEvent(s)
		return
	}
	color := Green
	if s.Error != "" || s.Status == "failed" {
		color = Red
	}
	var b strings.Builder
	fmt.Fprintf(&b, "Stack %s\n  Status: %s", p.Styled(Bold, s.Name), p.Styled(color, s.Status))
	if s.Error != "" {
		fmt.Fprintf(&b, "\n  Error: %s", Clean(s.Error))
	}
	writePairs(&b, "Outputs", s.Outputs)
	writePairs(&b, "Exports", s.Exports)
	writePairs(&b, "Local", s.Local)
	p.Print(b.String())
}

func writePairs(b *strings.Builder, title string, pairs []Pair) {
	if len(pairs) == 0 {
		return
	}
	fmt.Fprintf(b, "\n  %s:", title)
	for _, pair := range pairs {
		fmt.Fprintf(b, "\n    %s: %s", pair.Name, Clean(pair.Value))
	}
}
