package iam

import (
	"strings"

	"github.com/seed-615d3599/roost/iam/internal/glob"
)

// element is the part of a statement that a request did not match.
type element uint8

const (
	matched element = iota
	principalElement
	actionElement
	resourceElement
	conditionElement
)

// evaluation is one request on its way through the policies.
type evaluation struct {
	request   *Request
	variables glob.Variables // of the request's context
	boundary  bool           // the principal has a permissions boundary
	trace     *Trace
}

// verdict is what the policies of one type say.
type verdict struct {
	denied  bool
	granted grant // noGrant: no statement allows the request
}

// Decide answers a request by the policies that have a say in it. If trace is
// not nil, every statement is looked at and written down there; the decision
// is the same.
func Decide(request Request, policies Policies, trace *Trace) Decision {
	e := evaluation{request: &request, variables: request.Context.variable, boundary: policies.Boundary.Policy != nil, trace: trace}
	var v verdicts
	v.resource = e.policy(resourceType(&policies), &policies.Resource, noGrant)
	v.identity = e.policies(IdentityPolicy, policies.Identity)
	v.boundary = e.policy(PermissionsBoundary, &policies.Boundary, noGrant)
	v.session = e.policies(SessionPolicy, policies.Session)
	decision := v.decide(&request, &policies)
	if trace != nil {
		trace.Decision = decision
	}
	return decision
}

type verdicts struct {
	resource, identity, boundary, session verdict
}

// decide follows the order of "Policy evaluation logic": explicit denies
// first, then resource-based, identity-based, boundary and session policies.
// Which of several denies AWS names in its message is not documented; here it
// is the first in that order.
func (v *verdicts) decide(r *Request, p *Policies) Decision {
	resource := resourceType(p)
	switch {
	case v.resource.denied:
		return Decision{ExplicitDeny, resource}
	case v.identity.denied:
		return Decision{ExplicitDeny, IdentityPolicy}
	case v.boundary.denied:
		return Decision{ExplicitDeny, PermissionsBoundary}
	case v.session.denied:
		return Decision{ExplicitDeny, SessionPolicy}
	}
	switch r.Principal.Kind {
	case User, AssumedRole, AccountRoot:
	default: // has no identity-based policies: only the resource can let it in
		return allowedIf(v.resource.granted != noGrant, resource)
	}
	if sameAccount(r, p) {
		return v.withinAccount(r, p)
	}
	if missing := v.missingOfPrincipal(r, p); missing != NoPolicy {
		return Decision{ImplicitDeny, missing}
	}
	return allowedIf(v.resource.granted != noGrant, resource)
}

// withinAccount decides for a resource of the principal's own account. There
// either side can grant, except that the trust policy of a role must always
// name who assumes it.
func (v *verdicts) withinAccount(r *Request, p *Policies) Decision {
	resource := resourceType(p)
	if resource == TrustPolicy && v.resource.granted == noGrant {
		return Decision{ImplicitDeny, TrustPolicy}
	}
	switch {
	case v.resource.granted == directGrant:
		return Decision{Allowed, resource}
	case v.resource.granted == roleGrant:
		v.identity.granted = max(v.identity.granted, roleGrant)
	}
	if missing := v.missingOfPrincipal(r, p); missing != NoPolicy {
		return Decision{ImplicitDeny, missing}
	}
	switch {
	case r.Principal.Kind == AccountRoot:
		return Decision{Allowed, NoPolicy}
	case v.resource.granted == roleGrant:
		return Decision{Allowed, resource}
	}
	return Decision{Allowed, IdentityPolicy}
}

// missingOfPrincipal returns the first type of policy on the principal's side
// that does not allow the request, or NoPolicy. The root user needs none.
func (v *verdicts) missingOfPrincipal(r *Request, p *Policies) PolicyType {
	switch {
	case r.Principal.Kind == AccountRoot:
		return NoPolicy
	case v.identity.granted == noGrant:
		return IdentityPolicy
	case p.Boundary.Policy != nil && v.boundary.granted == noGrant:
		return PermissionsBoundary
	case len(p.Session) > 0 && v.session.granted == noGrant:
		return SessionPolicy
	}
	return NoPolicy
}

func allowedIf(ok bool, by PolicyType) Decision {
	if ok {
		return Decision{Allowed, by}
	}
	return Decision{ImplicitDeny, by}
}

func resourceType(p *Policies) PolicyType {
	if p.Resource.Policy != nil && p.Resource.Policy.Type == TrustPolicy {
		return TrustPolicy
	}
	return ResourcePolicy
}

func sameAccount(r *Request, p *Policies) bool {
	owner := p.ResourceAccount
	if owner == "" {
		owner = accountInARN(r.Resource)
	}
	return owner == "" || owner == r.Principal.Account
}

// accountInARN returns the fifth part of an ARN, or "".
func accountInARN(arn string) string {
	for range 4 {
		_, rest, found := strings.Cut(arn, ":")
		if !found {
			return ""
		}
		arn = rest
	}
	account, _, _ := strings.Cut(arn, ":")
	return account
}

func (e *evaluation) policies(kind PolicyType, attached []Attached) verdict {
	var all verdict
	for i := range attached {
		v := e.policy(kind, &attached[i], all.granted)
		all.denied = all.denied || v.denied
		all.granted = max(all.granted, v.granted)
	}
	return all
}

// policy looks at the statements of one policy. have is what others of the same
// type have granted: where that is all there is to grant, only statements that
// deny are looked at, unless a trace is wanted.
func (e *evaluation) policy(kind PolicyType, attached *Attached, have grant) verdict {
	v := verdict{granted: have}
	if attached.Policy == nil {
		return v
	}
	statements := attached.Policy.Statements
	for i := range statements {
		s := &statements[i]
		if e.trace == nil && s.Effect == Allow && v.granted == directGrant {
			continue
		}
		granted, failed, index := e.statement(s)
		if e.trace != nil {
			e.trace.add(kind, attached, s, e.explain(s, failed, index))
		}
		if failed != matched {
			continue
		}
		if s.Effect == Deny {
			v.denied = true
			continue
		}
		v.granted = max(v.granted, granted)
	}
	return v
}

// statement compares a statement with the request. It returns how the
// principal is named, the first element that does not match, and for a
// condition its index.
func (e *evaluation) statement(s *Statement) (grant, element, int) {
	granted := directGrant
	if s.principals != nil {
		granted = s.principals.covers(&e.request.Principal, s.Effect, e.boundary)
		if granted == noGrant {
			return noGrant, principalElement, 0
		}
	}
	if !s.actions.match(e.request.Action, e.variables) {
		return noGrant, actionElement, 0
	}
	if s.resourced && !s.resources.match(e.request.Resource, e.variables) {
		return noGrant, resourceElement, 0
	}
	for i := range s.conditions {
		if !s.conditions[i].holds(e.request.Context) {
			return noGrant, conditionElement, i
		}
	}
	return granted, matched, 0
}
