package report

import (
	"fmt"
	"strings"
	"time"

	"github.com/seed-615d3599/roost/iam"
	"github.com/seed-615d3599/roost/internal/region/decisions"
	"github.com/seed-615d3599/roost/internal/term"
)

// Refusal prints why a request was refused; remedy, which may be empty, is what
// would have let it pass.
func (p Printer) Refusal(r *decisions.Refusal, remedy string) {
	if p.IsJSON() {
		p.Event("refusal", struct {
			*decisions.Refusal
			Remedy string `json:"remedy,omitempty"`
		}{r, remedy})
		return
	}
	for _, line := range explanation(r, remedy) {
		p.Print(term.Clean(line)) // paths and headers are the caller's
	}
}

// explanation is a record for a person: the answer first, then how it was come
// to, then what would help.
func explanation(r *decisions.Refusal, remedy string) []string {
	lines := []string{fmt.Sprintf("%d: %s", r.Status, r.Reason)}
	lines = append(lines, "  "+where(r))
	if who := who(r); who != "" {
		lines = append(lines, "  "+who)
	}
	if r.Diagnosis != nil {
		lines = append(lines, diagnosisLines(r.Diagnosis)...)
	}
	if r.Trace != nil {
		lines = append(lines, "")
		for _, st := range r.Trace.Statements {
			lines = append(lines, "  "+statementLine(st))
		}
		if len(r.Trace.Statements) == 0 {
			lines = append(lines, "  There is no policy that has a say in it.")
		}
		if r.Trace.Dropped > 0 {
			lines = append(lines, fmt.Sprintf("  (and %d more statements that did not match)", r.Trace.Dropped))
		}
	}
	if remedy != "" {
		lines = append(lines, "", "To let it pass, "+remedy+".")
	}
	return lines
}

func where(r *decisions.Refusal) string {
	what := r.Method + " " + r.Path
	switch {
	case r.API != "":
		what += " of API " + r.API
		if r.RouteKey != "" {
			what += ", route " + r.RouteKey
		}
		if r.Stage != "" {
			what += ", stage " + r.Stage
		}
	case r.Operation != "":
		what = r.Service + ":" + r.Operation
	case r.Service != "":
		what += " of " + r.Service
	}
	return what + ", request " + r.RequestID + ", " + r.Time.UTC().Format(time.RFC3339) + " from " + r.SourceIP
}

func who(r *decisions.Refusal) string {
	switch {
	case r.Caller != "":
		return "as " + r.Caller + withKey(r.AccessKeyID)
	case r.AccessKeyID != "":
		return "with the key " + r.AccessKeyID + ", whose owner was not found out"
	}
	return ""
}

// withKey names the key of a request. What CloudFormation does as a stack's role
// has none.
func withKey(id string) string {
	if id == "" {
		return ""
	}
	return ", with the key " + id
}

func diagnosisLines(d *decisions.Diagnosis) []string {
	lines := []string{"", "  " + d.Sentence}
	for _, part := range []struct{ title, text string }{
		{"The canonical request, as the region reads it:", d.CanonicalRequest},
		{"The string to sign:", d.StringToSign},
	} {
		if part.text == "" {
			continue
		}
		lines = append(lines, "", "  "+part.title)
		for line := range strings.SplitSeq(part.text, "\n") {
			lines = append(lines, "    "+line)
		}
	}
	return lines
}

// statementLine is one statement: ✓ for one that matched, ✗ and the reason for
// one that did not.
func statementLine(st iam.StatementTrace) string {
	name := fmt.Sprintf("statement %d", st.Index+1)
	if st.Sid != "" {
		name = "statement " + st.Sid
	}
	policy := st.Type.String() + " " + st.Policy
	if st.Policy == st.Type.String() {
		policy = st.Policy // such as a role's only trust policy
	}
	if st.Owner != "" {
		policy += " of " + st.Owner
	}
	place := fmt.Sprintf("%s, %s (line %d)", policy, name, st.Start.Line)
	if st.Matched {
		verb := map[iam.Effect]string{iam.Allow: "allows", iam.Deny: "denies"}[st.Effect]
		return "✓ " + place + " " + verb + " it"
	}
	return "✗ " + place + " does not " + strings.ToLower(st.Effect.String()) + " it: " + mismatchText(st.Mismatch)
}

func mismatchText(m *iam.Mismatch) string {
	if m == nil {
		return "it does not match"
	}
	wants := strings.Join(m.Policy, " or ")
	switch {
	case len(m.Unresolved) > 0:
		return "the request has no value for " + strings.Join(m.Unresolved, ", ")
	case m.Element == "Condition" && m.Absent:
		return fmt.Sprintf("condition %s wants %s to be %s, and the request has no such key", m.Operator, m.Key, wants)
	case m.Element == "Condition":
		return fmt.Sprintf("condition %s wants %s to be %s, and it is %s", m.Operator, m.Key, wants, strings.Join(m.Request, ", "))
	case strings.HasPrefix(m.Element, "Not"):
		return fmt.Sprintf("%s excludes %s", m.Element, strings.Join(m.Request, ", "))
	}
	return fmt.Sprintf("%s is %s, not %s", m.Element, wants, strings.Join(m.Request, ", "))
}
