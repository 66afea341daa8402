package access

import (
	"context"
	"net/http"
	"strconv"
	"time"

	"github.com/seed-615d3599/roost/iam"
	"github.com/seed-615d3599/roost/internal/region/wire"
)

// Question asks whether a caller may do something.
type Question struct {
	Caller          *wire.Caller // nil for a request without a signature
	Action          string       // "execute-api:Invoke"
	Resource        string       // ARN, or "*"
	ResourceAccount string       // who owns the resource; empty means this account
	ResourcePolicy  string       // the resource's own policy, a JSON document; empty if it has none
	Context         iam.Context  // condition keys of the request, beside those of the caller
}

// Decide answers a question. Given a trace it also says why. An error means
// that a policy cannot be read, and the answer is no.
func (a *Access) Decide(q Question, trace *iam.Trace) (iam.Decision, error) {
	request, policies, err := a.ask(q)
	if err != nil {
		return iam.Decision{}, err
	}
	return iam.Decide(request, policies, trace), nil
}

// ask gathers the policies that have a say in a question.
func (a *Access) ask(q Question) (iam.Request, iam.Policies, error) {
	request := iam.Request{Action: q.Action, Resource: q.Resource}
	policies := iam.Policies{ResourceAccount: q.ResourceAccount}
	if policies.ResourceAccount == "" {
		policies.ResourceAccount = a.config.Account
	}
	if q.ResourcePolicy != "" {
		policy, err := iam.ParseResource([]byte(q.ResourcePolicy))
		if err != nil {
			return request, policies, err
		}
		policies.Resource = iam.Attached{Name: "resource policy", Owner: q.Resource, Policy: policy}
	}
	p, _ := detail(q.Caller)
	if p == nil {
		request.Context = append(q.Context, a.requestKeys()...)
		return request, policies, nil
	}
	request.Principal = principalOf(q.Caller, p)
	request.Context = a.callerKeys(q, p)
	return request, policies, a.gather(p, &policies)
}

func detail(caller *wire.Caller) (*principal, bool) {
	if caller == nil {
		return nil, false
	}
	p, ok := caller.Detail.(*principal)
	return p, ok
}

func principalOf(caller *wire.Caller, p *principal) iam.Principal {
	principal := iam.Principal{
		Kind: iam.User, ARN: caller.ARN, Account: caller.Account,
		RoleARN: caller.RoleARN, ID: p.identity.ID,
	}
	if caller.RoleARN != "" {
		principal.Kind = iam.AssumedRole
	}
	return principal
}

// gather adds the policies of a principal.
func (a *Access) gather(p *principal, policies *iam.Policies) error {
	var err error
	if policies.Identity, err = a.identityPolicies(p.identity); err != nil {
		return err
	}
	if arn := p.identity.Boundary; arn != "" {
		boundary, err := a.managed(arn)
		if err != nil {
			return err
		}
		policies.Boundary = iam.Attached{Name: arn, Owner: p.identity.ARN, Policy: boundary.policy}
	}
	if p.session == nil {
		return nil
	}
	policies.Session, err = a.sessionPolicies(p.session)
	return err
}

// identityPolicies returns what an identity has, a user's groups included. An
// attached policy that is missing grants nothing, but might have denied: so it
// is an error.
func (a *Access) identityPolicies(x *identity) ([]iam.Attached, error) {
	if len(x.Attached) == 0 && len(x.Groups) == 0 {
		return x.inline, nil
	}
	policies := make([]iam.Attached, 0, len(x.inline)+len(x.Attached))
	policies = append(policies, x.inline...)
	for _, arn := range x.Attached {
		managed, err := a.managed(arn)
		if err != nil {
			return nil, err
		}
		policies = append(policies, iam.Attached{Name: arn, Owner: x.ARN, Policy: managed.policy})
	}
	for _, name := range x.Groups {
		group, ok := a.groups.get(name)
		if !ok {
			return nil, noSuch("group", name)
		}
		of, err := a.identityPolicies(group)
		if err != nil {
			return nil, err
		}
		policies = append(policies, of...)
	}
	return policies, nil
}

func (a *Access) sessionPolicies(s *session) ([]iam.Attached, error) {
	var policies []iam.Attached
	for i, document := range s.Policies {
		policy, err := iam.Parse([]byte(document))
		if err != nil {
			return nil, err
		}
		policies = append(policies, iam.Attached{Name: "session policy " + strconv.Itoa(i+1), Policy: policy})
	}
	for _, arn := range s.PolicyARNs {
		managed, err := a.managed(arn)
		if err != nil {
			return nil, err
		}
		policies = append(policies, iam.Attached{Name: arn, Policy: managed.policy})
	}
	return policies, nil
}

// requestKeys are the global condition keys that every request has.
func (a *Access) requestKeys() iam.Context {
	now := a.config.Now().UTC()
	return iam.Context{
		{Name: "aws:CurrentTime", Value: now.Format(time.RFC3339)},
		{Name: "aws:EpochTime", Value: strconv.FormatInt(now.Unix(), 10)},
		{Name: "aws:RequestedRegion", Value: a.config.Region},
	}
}

// callerKeys are the condition keys of a request by a principal (IAM User
// Guide, "AWS global condition context keys").
func (a *Access) callerKeys(q Question, p *principal) iam.Context {
	keys := make(iam.Context, 0, len(q.Context)+20)
	keys = append(keys, q.Context...)
	keys = append(keys, a.requestKeys()...)
	keys = append(keys,
		iam.Key{Name: "aws:userid", Value: q.Caller.UserID},
		iam.Key{Name: "aws:PrincipalAccount", Value: q.Caller.Account},
		iam.Key{Name: "aws:PrincipalIsAWSService", Value: "false"},
	)
	tags := p.identity.Tags
	if p.session == nil {
		keys = append(keys,
			iam.Key{Name: "aws:username", Value: p.identity.Name},
			iam.Key{Name: "aws:PrincipalArn", Value: p.identity.ARN},
			iam.Key{Name: "aws:PrincipalType", Value: "User"})
	} else {
		keys = append(keys, sessionKeys(p)...)
	}
	for key, value := range tags {
		if p.session == nil || p.session.Tags[key] == "" {
			keys = append(keys, iam.Key{Name: "aws:PrincipalTag/" + key, Value: value})
		}
	}
	return keys
}

func sessionKeys(p *principal) iam.Context {
	s := p.session
	keys := iam.Context{
		{Name: "aws:PrincipalArn", Value: p.identity.ARN},
		{Name: "aws:TokenIssueTime", Value: time.Unix(s.Issued, 0).UTC().Format(time.RFC3339)},
	}
	if s.UserName != "" {
		keys = append(keys, iam.Key{Name: "aws:username", Value: s.UserName}, iam.Key{Name: "aws:PrincipalType", Value: "User"})
	} else {
		keys = append(keys, iam.Key{Name: "aws:PrincipalType", Value: "AssumedRole"})
	}
	if s.SourceID != "" {
		keys = append(keys, iam.Key{Name: "aws:SourceIdentity", Value: s.SourceID})
	}
	for _, key := range sortedKeys(s.Tags) {
		keys = append(keys, iam.Key{Name: "aws:PrincipalTag/" + key, Value: s.Tags[key]})
	}
	if s.Provider != "" {
		keys = append(keys, iam.Key{Name: "aws:FederatedProvider", Value: s.Provider})
	}
	// Of the keys of web identities only Cognito's survive into the session
	// (IAM User Guide, "Available keys for AWS OIDC federation").
	if s.Provider == cognitoProvider {
		keys = append(keys, webIdentityKeys(s.Issuer, s.Subject, s.Audience, s.AMR)...)
	}
	return keys
}

// webIdentityKeys are the condition keys that a web identity sets.
func webIdentityKeys(issuer, subject, audience string, amr []string) iam.Context {
	keys := iam.Context{
		{Name: issuer + ":aud", Value: audience},
		{Name: issuer + ":sub", Value: subject},
	}
	if len(amr) > 0 {
		keys = append(keys, iam.Key{Name: issuer + ":amr", Values: amr})
	}
	return keys
}

// Authorize refuses a call that its caller may not make, with AWS's message.
// It is what wire.Service.Authorize wants.
func (a *Access) Authorize(_ context.Context, call *wire.Call, targets []wire.Target) error {
	for _, target := range targets {
		if target.Action == "sts:GetCallerIdentity" {
			continue // always allowed, even with an explicit deny
		}
		q := Question{
			Caller: call.Caller, Action: target.Action, Resource: target.Resource,
			ResourcePolicy: target.Policy, Context: callKeys(call, target),
		}
		request, policies, err := a.ask(q)
		if err != nil {
			return err
		}
		decision := iam.Decide(request, policies, nil)
		if decision.Outcome != iam.Allowed {
			return &wire.Error{Status: http.StatusForbidden, Code: accessDenied(call.Service), Message: decision.Message(request)}
		}
	}
	return nil
}

// accessDenied is the code by which a service says that permission is lacking.
func accessDenied(service string) string {
	switch service {
	case "iam", "sts", "cloudformation", "s3":
		return "AccessDenied"
	}
	return "AccessDeniedException"
}

func callKeys(call *wire.Call, target wire.Target) iam.Context {
	keys := iam.Context{}
	if call.SourceIP != "" {
		keys = append(keys, iam.Key{Name: "aws:SourceIp", Value: call.SourceIP})
	}
	if call.UserAgent != "" {
		keys = append(keys, iam.Key{Name: "aws:UserAgent", Value: call.UserAgent})
	}
	if call.HTTP != nil {
		keys = append(keys, iam.Key{Name: "aws:SecureTransport", Value: strconv.FormatBool(call.HTTP.TLS != nil)})
	} else {
		keys = append(keys, iam.Key{Name: "aws:CalledViaFirst", Value: "cloudformation.amazonaws.com"},
			iam.Key{Name: "aws:CalledVia", Values: []string{"cloudformation.amazonaws.com"}})
	}
	for _, name := range sortedKeys(target.Context) {
		values := target.Context[name]
		if len(values) == 1 {
			keys = append(keys, iam.Key{Name: name, Value: values[0]})
		} else {
			keys = append(keys, iam.Key{Name: name, Values: values})
		}
	}
	return keys
}
