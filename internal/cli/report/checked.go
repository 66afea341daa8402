package report

import (
	"fmt"
	"strings"

	"github.com/seed-615d3599/roost/internal/check"
	"github.com/seed-615d3599/roost/internal/term"
)

// Checked prints what a check has found in a stack; all also names the properties
// that work.
func (p Printer) Checked(report *check.Report, all bool) {
	if p.IsJSON() {
		p.reportEvents(report)
		return
	}
	p.Print("Stack " + p.Styled(term.Bold, report.Stack))
	p.Print("  Resources:")
	for _, r := range report.Resources {
		p.printResource(r, all)
	}
	if len(report.Routes) > 0 {
		p.Print("  Routes, and who can reach them by this template:")
	}
	for _, route := range report.Routes {
		p.printRoute(route)
	}
	if len(report.Inferred) > 0 {
		p.Print("  Rests on behaviour of AWS that is only inferred:")
	}
	for _, inferred := range report.Inferred {
		p.Print("    " + inferred.What + p.Styled(term.Dim, " ("+strings.Join(inferred.Because, ", ")+")"))
	}
	if len(report.Assumed) > 0 {
		p.Print("  Values were made up for the parameters " + strings.Join(report.Assumed, ", ") + ".")
	}
}

func (p Printer) printResource(r check.Resource, all bool) {
	line := "    " + p.verdict(r.Verdict) + " " + r.ID + " (" + r.Type + ")"
	if r.Why != "" {
		line += ", " + r.Position + ": " + r.Why
	}
	p.Print(line)
	for _, one := range r.Properties {
		switch {
		case one.Verdict == check.Refused:
			p.Print("      " + p.verdict(one.Verdict) + " " + one.Path + ", " + one.Position + ": " + one.Why)
		case one.Verdict == check.Recorded && r.Verdict != check.Recorded, all:
			p.Print("      " + strings.TrimSuffix(p.verdict(one.Verdict)+" "+one.Path+": "+one.Why, ": "))
		}
	}
}

// verdict is a verdict in a column of its own.
func (p Printer) verdict(v check.Verdict) string {
	style := term.Green
	switch v {
	case check.Recorded:
		style = term.Yellow
	case check.Refused:
		style = term.Red
	}
	return p.Styled(style, fmt.Sprintf("%-8s", v))
}

func (p Printer) printRoute(route check.Route) {
	style, word := term.Green, route.Authorization
	if route.Open {
		style, word = term.Yellow, "OPEN"
	}
	p.Print("    " + p.Styled(style, fmt.Sprintf("%-8s", word)) + " " + route.Key + " of " + route.API)
	if len(route.Reach) == 0 {
		p.Print("        nobody in this template")
	}
	for _, r := range route.Reach {
		line := "        " + r.Who
		if r.Role != "" {
			line += ", by the role " + r.Role
		}
		if r.Extent == check.Part {
			line += ", only " + r.Detail
		} else if r.Detail != "" {
			line += ", " + r.Detail
		}
		p.Print(line)
	}
}

// reportEvents writes a report as objects.
func (p Printer) reportEvents(report *check.Report) {
	type in struct {
		Stack string `json:"stack"`
	}
	of := in{report.Stack}
	for _, r := range report.Resources {
		p.Event("resource", struct {
			in
			check.Resource
		}{of, r})
	}
	for _, r := range report.Routes {
		p.Event("route", struct {
			in
			check.Route
		}{of, r})
	}
	for _, i := range report.Inferred {
		p.Event("inferred", struct {
			in
			check.Inference
		}{of, i})
	}
	p.Event("checked", struct {
		in
		Refused bool     `json:"refused"`
		Assumed []string `json:"assumedParameters"`
	}{of, report.Refused(), append([]string{}, report.Assumed...)})
}
