package roosttest

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/seed-615d3599/roost/iam"
	"github.com/seed-615d3599/roost/internal/region/decisions"
)

// Allowed fails the test, with the explanation of the decision, if a response
// is a refusal: 401 or 403. What else the app answers is up to the test.
func (r *Region) Allowed(t testing.TB, resp *http.Response) {
	t.Helper()
	if refused(resp) {
		t.Errorf("%s %s was refused with %s:\n%s", resp.Request.Method, resp.Request.URL, resp.Status, r.Explain(resp))
	}
}

// Denied fails the test if a response is no refusal, or one for another reason.
// The reason is a part of the explanation, in upper or lower case: "expired",
// "no identity-based policy allows", "explicit deny".
func (r *Region) Denied(t testing.TB, resp *http.Response, reason string) {
	t.Helper()
	if !refused(resp) {
		t.Errorf("%s %s was not refused: it answered %s", resp.Request.Method, resp.Request.URL, resp.Status)
		return
	}
	explanation := r.Explain(resp)
	if !strings.Contains(strings.ToLower(explanation), strings.ToLower(reason)) {
		t.Errorf("%s %s was refused, but not because of %q:\n%s", resp.Request.Method, resp.Request.URL, reason, explanation)
	}
}

func refused(resp *http.Response) bool {
	return resp.StatusCode == http.StatusUnauthorized || resp.StatusCode == http.StatusForbidden
}

// Explain says why the region refused a request: the reason, what is wrong with
// the signature, and how each statement of the policies met the request.
func (r *Region) Explain(resp *http.Response) string {
	id := resp.Header.Get("Apigw-Requestid")
	if id == "" {
		id = resp.Header.Get("X-Amzn-Requestid")
	}
	record, err := r.tried.Region.Explain(r.t.Context(), id)
	if err != nil {
		return "no record of the request " + id + " is kept: was it the function itself that refused it?"
	}
	lines := []string{record.Reason}
	if record.Diagnosis != nil {
		lines = append(lines, record.Diagnosis.Sentence)
	}
	if record.Trace != nil {
		for _, s := range record.Trace.Statements {
			lines = append(lines, statement(s))
		}
	}
	if remedy := decisions.Remedy(record); remedy != "" {
		lines = append(lines, remedy)
	}
	return "  " + strings.ReplaceAll(strings.Join(lines, "\n"), "\n", "\n  ")
}

// statement says how one statement met the request.
func statement(s iam.StatementTrace) string {
	line := fmt.Sprintf("%s %s, statement %d of %s", s.Effect, s.Type, s.Index, s.Policy)
	switch miss := s.Mismatch; {
	case s.Matched:
		return line + ": matches"
	case miss == nil:
		return line + ": does not match"
	case miss.Key != "":
		return fmt.Sprintf("%s: %s %s is %s, the request has %s", line, miss.Operator, miss.Key, any(miss.Policy), any(miss.Request))
	default:
		return fmt.Sprintf("%s: its %s is %s, the request has %s", line, miss.Element, any(miss.Policy), any(miss.Request))
	}
}
