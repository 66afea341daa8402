package decisions

import (
	"strings"

	"github.com/seed-615d3599/roost/iam"
)

// Remedy says what to do so that a refused request would pass, "" if that does
// not follow from the record.
func Remedy(r *Refusal) string {
	if r.AccessKeyID == "" && r.Trace == nil && r.Diagnosis != nil {
		return "sign the request: \"roost curl\" does, and so does every AWS SDK"
	}
	if r.Trace == nil || r.Action == "" {
		return ""
	}
	switch r.Trace.Decision.Outcome {
	case iam.ExplicitDeny:
		return denyRemedy(r)
	case iam.ImplicitDeny:
		return allowRemedy(r)
	}
	return ""
}

func denyRemedy(r *Refusal) string {
	for _, s := range r.Trace.Matched() {
		if s.Effect == iam.Deny {
			return "no policy can allow it as long as " + statementName(s) + " denies it: remove or narrow that statement"
		}
	}
	return ""
}

func statementName(s iam.StatementTrace) string {
	name := "a statement"
	if s.Sid != "" {
		name = "the statement " + s.Sid
	}
	return name + " of " + s.Type.String() + " " + s.Policy
}

// allowRemedy names the policy that lacks an allow.
func allowRemedy(r *Refusal) string {
	what := "`" + r.Action + "` on `" + r.Resource + "`"
	if s := nearly(r.Trace); s != nil {
		return nearlyRemedy(r, s)
	}
	switch r.Trace.Decision.By {
	case iam.PermissionsBoundary:
		return "add " + what + " to the permissions boundary of " + holder(r)
	case iam.SessionPolicy:
		return "let the session policy that was passed when the session was made allow " + what + "; for a guest of an identity pool it is the pool's scope-down, and the caller has to sign in"
	case iam.TrustPolicy:
		return "let the trust policy of " + nameOf(r.Resource) + " allow `" + r.Action + "` to the caller"
	case iam.ResourcePolicy:
		return "let the policy of `" + r.Resource + "` allow `" + r.Action + "` to the caller"
	}
	return "add " + what + " to " + holder(r)
}

// nearly finds a statement that would have allowed the request but for a
// condition.
func nearly(trace *iam.Trace) *iam.StatementTrace {
	for i, s := range trace.Statements {
		if s.Effect == iam.Allow && !s.Matched && s.Mismatch != nil && s.Mismatch.Element == "Condition" && s.Type == trace.Decision.By {
			return &trace.Statements[i]
		}
	}
	return nil
}

func nearlyRemedy(r *Refusal, s *iam.StatementTrace) string {
	m := s.Mismatch
	text := "only the condition " + m.Operator + " on " + m.Key + " of " + statementName(*s) + " keeps it from allowing `" + r.Action + "`: "
	if m.Absent {
		return text + "the request has no such key"
	}
	return text + "it wants " + strings.Join(m.Policy, " or ") + ", and the request has " + strings.Join(m.Request, ", ")
}

// holder names the user or role to which a policy has to be added.
func holder(r *Refusal) string {
	if r.RoleARN != "" {
		return "role " + nameOf(r.RoleARN)
	}
	if _, session, ok := strings.Cut(r.Caller, ":assumed-role/"); ok {
		name, _, _ := strings.Cut(session, "/")
		return "role " + name
	}
	if strings.Contains(r.Caller, ":user/") {
		return "user " + nameOf(r.Caller)
	}
	return "the caller"
}

func nameOf(arn string) string { return arn[strings.LastIndexByte(arn, '/')+1:] }
