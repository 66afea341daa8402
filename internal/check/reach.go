package check

import (
	"cmp"
	"slices"
	"strings"

	"github.com/seed-615d3599/roost/iam"
	"github.com/seed-615d3599/roost/internal/region/resources"
)

// An assumption is one kind of caller who can have the rights of a role.
type assumption struct {
	who     string
	context iam.Context // what a session then knows of the caller
}

// reach lists who can use a target by the policies of the template.
func (m *model) reach(t target) []Reach {
	var all []Reach
	for _, h := range m.holders {
		switch h.typeName {
		case "AWS::IAM::User":
			all = m.addReach(all, h, assumption{who: "the IAM user " + h.id}, t)
		case "AWS::IAM::Role":
			for _, a := range m.assumptions(h) {
				all = m.addReach(all, h, a, t)
			}
		}
	}
	slices.SortStableFunc(all, func(a, b Reach) int { return cmp.Compare(a.Who, b.Who) })
	return slices.Compact(all)
}

// addReach asks the policies of a holder about a target.
func (m *model) addReach(all []Reach, h *holder, a assumption, t target) []Reach {
	r := Reach{Who: a.who}
	if h.typeName == "AWS::IAM::Role" {
		r.Role = h.id
	}
	samples := t.samples(m.config)
	var allowed []string
	var condition string
	for _, arn := range samples {
		ok, unless := m.decide(h, a, t.action, arn)
		if ok {
			allowed = append(allowed, arn)
		}
		condition = cmp.Or(condition, unless)
	}
	switch {
	case len(allowed) == len(samples):
		r.Extent = All
		return append(all, r)
	case len(allowed) == 0:
		allowed = m.exact(h, a, t)
	}
	switch {
	case len(allowed) > 0:
		r.Extent, r.Detail = Part, strings.Join(m.shorten(allowed, t), ", ")
	case condition != "":
		r.Extent, r.Detail = Conditional, condition
	case len(h.unknown) > 0:
		r.Extent, r.Detail = Conditional, "by what is not known here: "+strings.Join(h.unknown, ", ")
	default:
		return all
	}
	return append(all, r)
}

// exact returns what the policies name that lies behind the target.
func (m *model) exact(h *holder, a assumption, t target) []string {
	var allowed []string
	for _, pattern := range h.patterns {
		arn, ok := t.fitting(substitute(pattern, a.context), m.config)
		if !ok || slices.Contains(allowed, arn) {
			continue
		}
		if yes, _ := m.decide(h, a, t.action, arn); yes {
			allowed = append(allowed, arn)
		}
	}
	return allowed
}

// substitute puts a session's values in the place of policy variables.
func substitute(pattern string, context iam.Context) string {
	for _, key := range context {
		pattern = strings.ReplaceAll(pattern, "${"+key.Name+"}", key.Value)
	}
	return pattern
}

// shorten takes from ARNs what all of a target's have.
func (m *model) shorten(arns []string, t target) []string {
	var short []string
	for _, arn := range arns {
		short = append(short, strings.TrimPrefix(arn, t.prefix(m.config)))
	}
	return short
}

// decide asks the policies of a holder. Where nothing but a condition stands
// against it, that is told.
func (m *model) decide(h *holder, a assumption, action, resource string) (allowed bool, condition string) {
	principal := iam.Principal{Kind: iam.User, ARN: h.arn, Account: m.config.Account}
	if h.typeName == "AWS::IAM::Role" {
		principal.Kind, principal.RoleARN = iam.AssumedRole, h.arn
		principal.ARN = "arn:aws:sts::" + m.config.Account + ":assumed-role/" + h.name + "/session"
	}
	var trace iam.Trace
	request := iam.Request{Principal: principal, Action: action, Resource: resource, Context: a.context}
	decision := iam.Decide(request, iam.Policies{Identity: h.policies, Boundary: h.boundary}, &trace)
	if decision.Outcome == iam.Allowed {
		return true, ""
	}
	if decision.Outcome == iam.ExplicitDeny {
		return false, ""
	}
	for _, s := range trace.Statements {
		if miss := s.Mismatch; s.Effect == iam.Allow && miss != nil && miss.Element == "Condition" {
			return false, "if " + miss.Operator + " " + miss.Key + " " + strings.Join(miss.Policy, ", ")
		}
	}
	return false, ""
}

// assumptions lists who can have a role's rights, by its trust policy.
func (m *model) assumptions(h *holder) []assumption {
	if h.trust == nil {
		return nil
	}
	all := m.poolIdentities(h)
	document, _ := h.props["AssumeRolePolicyDocument"].(map[string]any)
	for _, statement := range list(document["Statement"]) {
		members, _ := statement.(map[string]any)
		if resources.Text(members, "Effect") != "Allow" {
			continue
		}
		principals, ok := members["Principal"].(map[string]any)
		if !ok && members["Principal"] == "*" {
			principals = map[string]any{"AWS": "*"}
		}
		for kind, named := range principals {
			for _, name := range list(named) {
				if text, ok := name.(string); ok {
					all = append(all, m.trusted(h, kind, text)...)
				}
			}
		}
	}
	return all
}

// trusted says in words whom a principal of a trust policy means.
func (m *model) trusted(h *holder, kind, name string) []assumption {
	switch {
	case kind == "Service":
		return m.functions(h, name)
	case kind == "Federated" && name == cognito:
		return nil // poolIdentities has them
	case kind == "Federated":
		return []assumption{{who: "who signs in through " + name}}
	case name == "*":
		return []assumption{{who: "anyone with AWS credentials, of any account, who meets the conditions of the role's trust"}}
	case strings.HasSuffix(name, ":root"), !strings.Contains(name, ":"):
		return []assumption{{who: "whoever in the account " + account(name) + " may assume the role"}}
	}
	return []assumption{{who: name}}
}

func account(principal string) string {
	if parts := strings.Split(principal, ":"); len(parts) > 4 {
		return parts[4]
	}
	return principal
}

// functions returns the functions that run with a role, where the principal is
// Lambda, and otherwise the service.
func (m *model) functions(h *holder, service string) []assumption {
	if service != "lambda.amazonaws.com" {
		return []assumption{{who: "the service " + service}}
	}
	var all []assumption
	for _, f := range m.of("AWS::Lambda::Function") {
		if role := resources.Text(f.props, "Role"); role == h.arn || strings.HasSuffix(role, "/"+h.name) {
			all = append(all, assumption{who: "the function " + f.id})
		}
	}
	return all
}
