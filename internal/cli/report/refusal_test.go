package report

import (
	"io"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/seed-615d3599/roost/iam"
	"github.com/seed-615d3599/roost/internal/region/decisions"
	"github.com/seed-615d3599/roost/internal/term"
)

func TestExplanation(t *testing.T) {
	at := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	statement := func(effect iam.Effect, mismatch *iam.Mismatch) iam.StatementTrace {
		return iam.StatementTrace{Type: iam.IdentityPolicy, Policy: "p", Effect: effect, Start: iam.Position{Line: 3}, Matched: mismatch == nil, Mismatch: mismatch}
	}
	r := &decisions.Refusal{
		Time: at, RequestID: "id", Status: 403, Reason: "no", Service: "iam", Operation: "ListRoles", SourceIP: "127.0.0.1",
		AccessKeyID: "AKIA", Caller: "arn:u", Trace: &iam.Trace{Dropped: 2, Statements: []iam.StatementTrace{
			statement(iam.Allow, nil),
			statement(iam.Deny, nil),
			statement(iam.Allow, &iam.Mismatch{Element: "Action", Policy: []string{"a:b", "a:c"}, Request: []string{"a:d"}}),
			statement(iam.Deny, &iam.Mismatch{Element: "NotAction", Policy: []string{"a:*"}, Request: []string{"a:d"}}),
			statement(iam.Allow, &iam.Mismatch{Element: "Condition", Operator: "Bool", Key: "k", Policy: []string{"true"}, Absent: true}),
			statement(iam.Allow, &iam.Mismatch{Element: "Condition", Operator: "Bool", Key: "k", Policy: []string{"true"}, Request: []string{"false"}}),
			statement(iam.Allow, &iam.Mismatch{Element: "Resource", Unresolved: []string{"aws:username"}}),
		}},
	}
	want := `403: no
  iam:ListRoles, request id, 2026-11-22T12:00:00Z from 127.0.0.1
  as arn:u, with the key AKIA

  ✓ identity-based policy p, statement 1 (line 3) allows it
  ✓ identity-based policy p, statement 1 (line 3) denies it
  ✗ identity-based policy p, statement 1 (line 3) does not allow it: Action is a:b or a:c, not a:d
  ✗ identity-based policy p, statement 1 (line 3) does not deny it: NotAction excludes a:d
  ✗ identity-based policy p, statement 1 (line 3) does not allow it: condition Bool wants k to be true, and the request has no such key
  ✗ identity-based policy p, statement 1 (line 3) does not allow it: condition Bool wants k to be true, and it is false
  ✗ identity-based policy p, statement 1 (line 3) does not allow it: the request has no value for aws:username
  (and 2 more statements that did not match)

To let it pass, do this.`
	if diff := cmp.Diff(want, strings.Join(explanation(r, "do this"), "\n")); diff != "" {
		t.Error(diff)
	}
}

// What a caller has sent drives no terminal.
func TestRefusalIsClean(t *testing.T) {
	var out strings.Builder
	p := Printer{term.New(&out, io.Discard, func(string) string { return "" })}
	p.Refusal(&decisions.Refusal{Method: "GET", Path: "/\x1b[2J", Diagnosis: &decisions.Diagnosis{CanonicalRequest: "GET\nuser-agent:\u009b2J"}}, "")
	if got := out.String(); strings.ContainsAny(got, "\x1b\u009b") || !strings.Contains(got, "/\uFFFD[2J") || !strings.Contains(got, "user-agent:\uFFFD2J") {
		t.Errorf("it prints %q", got)
	}
}
