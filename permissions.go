package roost

import (
	"fmt"
	"strings"
)

// Permission is a statement of an IAM policy: what it is attached to may do
// Actions on Resources. The functions of this package make the usual ones; a
// literal makes any other.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements.html
type Permission struct {
	SID          string
	Effect       string // "Allow", which is the default, or "Deny"
	Actions      []string
	NotActions   []string
	Resources    []Value
	NotResources []Value
	// Operator → key → values, as in {"StringEquals": {"aws:RequestedRegion": {"us-east-1"}}}.
	Conditions map[string]map[string][]Value
}

// Allow permits an action, such as "execute-api:Invoke", on resources, which are
// ARNs or "*".
func Allow(action string, resources ...Value) Permission {
	return Permission{Actions: []string{action}, Resources: resources}
}

// Deny forbids an action on resources, whatever else permits it.
func Deny(action string, resources ...Value) Permission {
	return Permission{Effect: "Deny", Actions: []string{action}, Resources: resources}
}

// AllowAll permits everything on everything.
func AllowAll() Permission { return Allow("*", "*") }

// AllowServices permits every action of services, such as "s3", on everything.
func AllowServices(services ...string) Permission {
	p := Permission{Resources: []Value{"*"}}
	for _, service := range services {
		p.Actions = append(p.Actions, service+":*")
	}
	return p
}

// AllowResource permits every action on a table, topic, queue, bucket, function
// or state machine, and on what is in it.
func AllowResource(r *Resource) Permission {
	switch r.kind {
	case "AWS::DynamoDB::Table":
		return Allow("dynamodb:*", r.Att("Arn"), r.Att("Arn")+"/*")
	case "AWS::S3::Bucket":
		return Allow("s3:*", r.Att("Arn"), r.Att("Arn")+"/*")
	case "AWS::SQS::Queue":
		return Allow("sqs:*", r.Att("Arn"))
	case "AWS::SNS::Topic":
		return Allow("sns:*", r.Ref())
	case "AWS::Lambda::Function":
		return Allow("lambda:*", r.Att("Arn"), r.Att("Arn")+":*")
	case "AWS::StepFunctions::StateMachine":
		return Allow("states:*", r.Ref())
	}
	r.failHere("AllowResource does not know what permits everything on an "+r.kind,
		"use roost.Allow with the actions and the ARN")
	return Permission{}
}

// check returns what is wrong with the statement, or "".
func (p Permission) check() (message, remedy string) {
	switch {
	case p.Effect != "" && p.Effect != "Allow" && p.Effect != "Deny":
		return fmt.Sprintf("a permission has the effect %q", p.Effect), `use "Allow" or "Deny"`
	case (len(p.Actions) == 0) == (len(p.NotActions) == 0):
		return "a permission needs either Actions or NotActions", `name what it permits, as in roost.Allow("execute-api:Invoke", api.ExecuteARN("/*"))`
	case (len(p.Resources) == 0) == (len(p.NotResources) == 0):
		return "a permission for " + strings.Join(append(p.Actions, p.NotActions...), ", ") + " needs either Resources or NotResources",
			`name the ARNs that it is for, or "*" for all`
	}
	for _, action := range append(append([]string(nil), p.Actions...), p.NotActions...) {
		if action != "*" && !matches(`^[A-Za-z0-9-]+:[A-Za-z0-9*?]+$`, action) {
			return fmt.Sprintf("%q is not an action", action), `write service and action, as in "s3:GetObject", or "*" for all`
		}
	}
	for _, resource := range append(append([]Value(nil), p.Resources...), p.NotResources...) {
		if !isARN(resource) {
			return fmt.Sprintf("%q is not the ARN of a resource", resource), `write one like "arn:aws:s3:::my-bucket/*", or "*" for all`
		}
	}
	return "", ""
}

// isARN is lenient where parts are known only at deployment.
func isARN(v Value) bool {
	s := string(v)
	return s == "*" || strings.HasPrefix(s, markerStart) || strings.HasPrefix(s, "arn:")
}

// statement returns the policy statement as a template has it. A list of one
// is written as the one, as CDK does.
func (p Permission) statement() map[string]any {
	out := map[string]any{"Effect": or(p.Effect, "Allow")}
	if p.SID != "" {
		out["Sid"] = p.SID
	}
	set(out, "Action", p.Actions)
	set(out, "NotAction", p.NotActions)
	set(out, "Resource", p.Resources)
	set(out, "NotResource", p.NotResources)
	if len(p.Conditions) > 0 {
		conditions := map[string]any{}
		for operator, keys := range p.Conditions {
			values := map[string]any{}
			for key, list := range keys {
				set(values, key, list)
			}
			conditions[operator] = values
		}
		out["Condition"] = conditions
	}
	return out
}

func set[T any](out map[string]any, key string, list []T) {
	switch len(list) {
	case 0:
	case 1:
		out[key] = list[0]
	default:
		out[key] = list
	}
}

// policy is a list of statements that becomes an AWS::IAM::Policy on a role when
// it has any.
type policy struct {
	role       *Resource
	resource   *Resource
	statements []any
}

// attach adds permissions to the role; who is the construct that asked.
func (p *policy) attach(who node, permissions []Permission) {
	for _, permission := range permissions {
		if message, remedy := permission.check(); message != "" {
			who.stack.app.fail(who.String(), who.stack.app.here(), message, remedy)
			continue
		}
		p.statements = append(p.statements, permission.statement())
	}
	if len(p.statements) == 0 {
		return
	}
	if p.resource == nil {
		n := node{stack: p.role.stack, path: p.role.path[:len(p.role.path)-1], at: p.role.at}
		p.resource = n.child("DefaultPolicy", "Resource").resource("AWS::IAM::Policy", nil)
	}
	p.resource.properties = map[string]any{
		"PolicyDocument": policyDocument(p.statements...),
		"PolicyName":     p.resource.logicalID,
		"Roles":          []Value{p.role.Ref()},
	}
}

func policyDocument(statements ...any) map[string]any {
	return map[string]any{"Version": "2012-10-17", "Statement": statements}
}
