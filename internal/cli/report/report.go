// Package report prints what commands have found or done, for a person or as
// objects of docs/json.md: what a check says of a template, what a deployment
// would change, how it ended, and why a request was refused.
//
//	p := report.Printer{Printer: term.New(…)}
//	p.Checked(report, false)
//	p.Difference(difference)
//	p.Result(result, nil)
//	p.Refusal(refusal, remedy)
package report

import "github.com/seed-615d3599/roost/internal/term"

// Printer prints on a terminal, or objects where the terminal's printer does.
type Printer struct{ *term.Printer }

// Plural returns a word as it goes with a number: "stack" or "stacks".
func Plural(n int, word string) string {
	if n == 1 {
		return word
	}
	return word + "s"
}
