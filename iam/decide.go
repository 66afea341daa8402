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
	service   string         // prefix of the request's action, in lower case
	variables glob.Variables // of the request's context
	facts     facts
	boundary  bool // the principal has a permissions boundary
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
	e := evaluation{
		request: &request, service: servicePrefix(request.Action), variables: request.Context.variable,
		facts: facts{context: request.Context}, boundary: policies.Boundary.Policy != nil, trace: trace,
	}
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

// policy looks at the statements of one policy that can be about the request.
// have is what others of the same type have granted.
func (e *evaluation) policy(kind PolicyType, attached *Attached, have grant) verdict {
	v := verdict{granted: have}
	switch {
	case attached.Policy == nil:
	case e.trace != nil:
		e.everyStatement(kind, attached, &v)
	default:
		index := &attached.Policy.index
		e.rules(&index.general, &v)
		if of := index.services[e.service]; of != nil {
			e.rules(of, &v)
		}
	}
	return v
}

// rules stops where no further statement could change the verdict.
func (e *evaluation) rules(r *rules, v *verdict) {
	for i := 0; i < len(r.denies) && !v.denied; i++ {
		v.denied = e.rule(&r.denies[i]) != noGrant
	}
	for i := 0; i < len(r.allows) && v.granted != directGrant && !v.denied; i++ {
		v.granted = max(v.granted, e.rule(&r.allows[i]))
	}
}

// rule compares a statement with a request of its service, what is cheapest
// first. It returns how the principal is named, or noGrant if an element does
// not match.
func (e *evaluation) rule(r *rule) grant {
	if !strings.HasPrefix(e.request.Resource, r.prefix) ||
		!r.everyAction && !r.actions.match(e.request.Action, e.variables) ||
		!r.everyResource && !r.resources.match(e.request.Resource, e.variables) ||
		e.failing(r.conditions) >= 0 {
		return noGrant
	}
	return e.named(r.principals, r.effect)
}

// everyStatement looks at all statements, as policy does at some, and writes
// each into the trace.
func (e *evaluation) everyStatement(kind PolicyType, attached *Attached, v *verdict) {
	for i := range attached.Policy.Statements {
		s := &attached.Policy.Statements[i]
		granted, failed, index := e.statement(s)
		e.trace.add(kind, attached, s, e.explain(s, failed, index))
		switch {
		case failed != matched:
		case s.Effect == Deny:
			v.denied = true
		default:
			v.granted = max(v.granted, granted)
		}
	}
}

// statement compares a statement with the request, element by element in the
// order in which a trace speaks of them. It returns how the principal is
// named, the first element that does not match, and for a condition its index.
func (e *evaluation) statement(s *Statement) (grant, element, int) {
	granted := e.named(s.principals, s.Effect)
	failing := e.failing(s.conditions)
	switch {
	case granted == noGrant:
		return noGrant, principalElement, 0
	case !s.actions.match(e.request.Action, e.variables):
		return noGrant, actionElement, 0
	case s.resourced && !s.resources.match(e.request.Resource, e.variables):
		return noGrant, resourceElement, 0
	case failing >= 0:
		return noGrant, conditionElement, failing
	}
	return granted, matched, 0
}

// named returns how a statement reaches the principal. One without a Principal
// is about whom it is attached to.
func (e *evaluation) named(ps *principals, effect Effect) grant {
	if ps == nil {
		return directGrant
	}
	return ps.covers(&e.request.Principal, effect, e.boundary)
}

// failing returns the place of the first condition that does not hold, or -1.
func (e *evaluation) failing(conditions []condition) int {
	for i := range conditions {
		if !conditions[i].holds(&e.facts) {
			return i
		}
	}
	return -1
}
