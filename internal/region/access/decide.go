package access

import (
	"context"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/seed-615d3599/roost/iam"
	"github.com/seed-615d3599/roost/internal/region/wire"
)

// Question asks whether a caller may do something.
type Question struct {
	Caller          *wire.Caller // nil for a request without a signature
	Action          string       // "execute-api:Invoke"
	Resource        string       // ARN, or "*"
	ResourceAccount string       // who owns the resource; empty means what its ARN says, else this account
	ResourcePolicy  string       // the resource's own policy, a JSON document; empty if it has none
	Context         iam.Context  // condition keys of the request, beside those of the caller
}

// Decide answers a question. Given a trace it also says why, and does not count
// as a use. An error means that a policy cannot be read or that the caller is
// gone, and the answer is no.
func (a *Access) Decide(q Question, trace *iam.Trace) (iam.Decision, error) {
	decision, _, err := a.decide(q, iam.Attached{}, trace)
	if trace == nil && a.config.Used != nil && q.Caller != nil {
		a.config.Used(principalARN(q.Caller), q.Action, q.Resource, err == nil && decision.Outcome == iam.Allowed)
	}
	return decision, err
}

// principalARN is by which ARN uses are counted.
func principalARN(caller *wire.Caller) string {
	if caller.RoleARN != "" {
		return caller.RoleARN
	}
	return caller.ARN
}

// decide answers a question; resource is the resource's policy where it is
// compiled already. It also returns who was found to ask.
func (a *Access) decide(q Question, resource iam.Attached, trace *iam.Trace) (iam.Decision, iam.Principal, error) {
	request := iam.Request{Action: q.Action, Resource: q.Resource}
	var policies iam.Policies
	keys := a.borrow()
	defer a.scratch.Put(keys)
	if p := detail(q.Caller); p != nil {
		p, err := a.current(p)
		if err == nil {
			err = p.err
		}
		if err != nil {
			return iam.Decision{}, request.Principal, err
		}
		request.Principal, policies = p.who, p.policies
		*keys = append(append(*keys, q.Context...), p.keys...)
	} else {
		*keys = append(*keys, q.Context...)
	}
	if q.ResourcePolicy != "" {
		policy, err := a.documents.get("resource ", q.ResourcePolicy, iam.ParseResource)
		if err != nil {
			return iam.Decision{}, request.Principal, err
		}
		resource = iam.Attached{Name: "resource policy", Owner: q.Resource, Policy: policy}
	}
	policies.Resource = resource
	policies.ResourceAccount = q.ResourceAccount
	if q.ResourceAccount == "" && !namesAccount(q.Resource) {
		policies.ResourceAccount = a.config.Account
	}
	*keys = append(*keys, a.clockKeys()...)
	request.Context = *keys
	return iam.Decide(request, policies, trace), request.Principal, nil
}

// borrow returns an empty context with room, so that deciding does not make one
// each time.
func (a *Access) borrow() *iam.Context {
	if keys, ok := a.scratch.Get().(*iam.Context); ok {
		clear(*keys)
		*keys = (*keys)[:0]
		return keys
	}
	keys := make(iam.Context, 0, 48)
	return &keys
}

// namesAccount reports whether an ARN says who owns the resource. Those of S3
// do not.
func namesAccount(arn string) bool {
	rest := arn
	for range 4 {
		_, after, ok := strings.Cut(rest, ":")
		if !ok {
			return false
		}
		rest = after
	}
	return rest != "" && rest[0] != ':'
}

// clockKeys are the condition keys that every request has, for one second.
type clockKeys struct {
	second int64
	keys   iam.Context
}

func (a *Access) clockKeys() iam.Context {
	now := a.config.Now()
	if known := a.clock.Load(); known != nil && known.second == now.Unix() {
		return known.keys
	}
	fresh := &clockKeys{second: now.Unix(), keys: iam.Context{
		{Name: "aws:CurrentTime", Value: now.UTC().Format(time.RFC3339)},
		{Name: "aws:EpochTime", Value: strconv.FormatInt(now.Unix(), 10)},
		{Name: "aws:RequestedRegion", Value: a.config.Region},
		{Name: "aws:ResourceAccount", Value: a.config.Account}, // there is no other
	}}
	a.clock.Store(fresh)
	return fresh.keys
}

// Authorize refuses a call that its caller may not make, with AWS's message.
// It is what wire.Service.Authorize wants. A refusal is a *wire.Denied.
func (a *Access) Authorize(_ context.Context, call *wire.Call, targets []wire.Target) error {
	if call.Caller != nil && call.Caller.AccessKeyID != "" && call.Caller.RoleARN == "" {
		a.people.Use(call.Caller.AccessKeyID, call.Service)
	}
	if p := detail(call.Caller); p != nil && p.session != nil && p.session.UserName != "" && call.Service == "iam" {
		return errUnknownKey // a session of GetSessionToken without MFA cannot call IAM (STS API Reference, GetSessionToken)
	}
	for _, target := range targets {
		if target.Action == "sts:GetCallerIdentity" {
			continue // always allowed, even with an explicit deny
		}
		q := Question{
			Caller: call.Caller, Action: target.Action, Resource: target.Resource,
			ResourcePolicy: target.Policy, Context: callKeys(call, target),
		}
		decision, err := a.Decide(q, nil)
		if err != nil {
			return err
		}
		if decision.Outcome != iam.Allowed {
			return a.denied(call.Service, q, iam.Attached{})
		}
	}
	return nil
}

// denied makes the refusal of a question, with the account of the decision.
func (a *Access) denied(service string, q Question, resource iam.Attached) error {
	trace := &iam.Trace{Limit: maxTrace}
	decision, who, err := a.decide(q, resource, trace)
	if err != nil {
		return err
	}
	code, status := accessDenied(service)
	message := decision.Message(iam.Request{Principal: who, Action: q.Action, Resource: q.Resource})
	return &wire.Denied{
		Err:    &wire.Error{Status: status, Code: code, Message: message},
		Action: q.Action, Resource: q.Resource, Trace: trace,
	}
}

// maxTrace is how many statements the account of a refusal has at most.
const maxTrace = 200

// accessDenied is the code by which a service says that permission is lacking,
// and its HTTP status.
func accessDenied(service string) (code string, status int) {
	switch service {
	case "iam", "sts", "cloudformation", "s3":
		return "AccessDenied", http.StatusForbidden
	case "cognito-identity", "ecr", "kms", "logs", "roost", "secretsmanager", "ssm": // JSON 1.1 services answer all errors of clients with 400
		return "AccessDeniedException", http.StatusBadRequest
	}
	return "AccessDeniedException", http.StatusForbidden
}

// callKeys are the condition keys of a call.
func callKeys(call *wire.Call, target wire.Target) iam.Context {
	keys := make(iam.Context, 0, 8+len(target.Context))
	if call.SourceIP != "" {
		keys = append(keys, iam.Key{Name: "aws:SourceIp", Value: call.SourceIP})
	}
	if call.UserAgent != "" {
		keys = append(keys, iam.Key{Name: "aws:UserAgent", Value: call.UserAgent})
	}
	if call.HTTP != nil {
		keys = append(keys,
			iam.Key{Name: "aws:SecureTransport", Value: strconv.FormatBool(wire.Secure(call.HTTP.TLS != nil, call.SourceIP))},
			iam.Key{Name: "aws:ViaAWSService", Value: "false"})
	} else {
		keys = append(keys,
			iam.Key{Name: "aws:SecureTransport", Value: "true"},
			iam.Key{Name: "aws:ViaAWSService", Value: "true"},
			iam.Key{Name: "aws:CalledViaFirst", Value: "cloudformation.amazonaws.com"},
			iam.Key{Name: "aws:CalledViaLast", Value: "cloudformation.amazonaws.com"},
			iam.Key{Name: "aws:CalledVia", Values: []string{"cloudformation.amazonaws.com"}})
	}
	for name, values := range target.Context {
		if len(values) == 1 && !multiValued(name) {
			keys = append(keys, iam.Key{Name: name, Value: values[0]})
		} else {
			keys = append(keys, iam.Key{Name: name, Values: values})
		}
	}
	return keys
}

// multiValued reports whether a key is so even with one value.
func multiValued(name string) bool {
	return strings.EqualFold(name, "aws:TagKeys") || strings.EqualFold(name, "aws:CalledVia")
}
