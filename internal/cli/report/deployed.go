package report

import (
	"fmt"
	"strings"

	"github.com/seed-615d3599/roost/internal/deploy"
	"github.com/seed-615d3599/roost/internal/term"
)

// Difference prints the changes of one stack, those of access apart.
func (p Printer) Difference(diff deploy.Difference) {
	if p.IsJSON() {
		p.differenceEvents(diff)
		return
	}
	title := "Stack " + p.Styled(term.Bold, diff.Stack)
	switch {
	case diff.Err != nil:
		p.Print(title)
		p.Error(diff.Err)
		return
	case len(diff.Changes) == 0:
		p.Print(title + ": no changes")
		return
	case diff.New:
		title += " (new)"
	}
	p.Print(title)
	for _, access := range []bool{false, true} {
		heading := "  Resources:"
		if access {
			heading = "  Who may do what:"
		}
		for _, change := range diff.Changes {
			if change.IsAccess() != access {
				continue
			}
			if heading != "" {
				p.Print(heading)
				heading = ""
			}
			p.printChange(change)
		}
	}
}

func (p Printer) printChange(c deploy.Change) {
	style := term.Yellow
	switch c.Action {
	case deploy.Add:
		style = term.Green
	case deploy.Replace, deploy.MayReplace, deploy.Delete:
		style = term.Red
	}
	line := "    " + p.Styled(style, fmt.Sprintf("%-11s", c.Action)) + " " + c.ID + " (" + c.Type + ")"
	if c.Kept {
		line += ", the old one is kept outside of the stack"
	}
	p.Print(line)
	for _, one := range c.Properties {
		text := "      " + strings.TrimPrefix(one.Path, "/Properties/")
		if one.Before != "" || one.After != "" {
			text += ": " + shorten(one.Before) + " → " + shorten(one.After)
		}
		if one.Replaces {
			text += " (replaces it)"
		}
		p.Print(term.Clean(text))
	}
}

// maxShown is how many characters of a value a line has room for.
const maxShown = 80

func shorten(value string) string {
	switch runes := []rune(value); {
	case value == "":
		return "nothing"
	case len(runes) > maxShown:
		return string(runes[:maxShown]) + "…"
	}
	return value
}

func (p Printer) differenceEvents(diff deploy.Difference) {
	for _, change := range diff.Changes {
		p.Event("change", struct {
			Stack  string `json:"stack"`
			Access bool   `json:"access"`
			deploy.Change
		}{diff.Stack, change.IsAccess(), change})
	}
	event := map[string]any{"stack": diff.Stack, "new": diff.New, "changes": len(diff.Changes)}
	if diff.Err != nil {
		event["error"] = diff.Err.Error()
	}
	p.Event("difference", event)
}

// Result prints a stack's block. local are URLs beside its outputs.
func (p Printer) Result(r deploy.Result, local []term.Pair) {
	block := term.Stack{Name: r.Stack, Status: string(r.Status), Local: local}
	if r.Err != nil {
		block.Error = r.Err.Error()
	}
	for _, o := range r.Outputs {
		block.Outputs = append(block.Outputs, term.Pair(o))
	}
	for _, e := range r.Exports {
		block.Exports = append(block.Exports, term.Pair(e))
	}
	p.Stack(block)
	for _, hint := range term.Hints(r.Err) {
		p.Note("  → " + hint)
	}
}
