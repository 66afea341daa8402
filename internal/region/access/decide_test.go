package access_test

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/seed-615d3599/roost/iam"
	"github.com/seed-615d3599/roost/internal/region/access"
	"github.com/seed-615d3599/roost/internal/region/wire"
)

// A refusal carries the account of its decision for those who explain, and the
// client sees AWS's message only.
func TestRefusalCarriesItsTrace(t *testing.T) {
	w := newWorld(t)
	u := w.user("u", "iam:GetUser")
	_, err := w.try(u, "CreateRole", m{"RoleName": "x", "AssumeRolePolicyDocument": trustAccount})
	var denied *wire.Denied
	if !errors.As(err, &denied) {
		t.Fatalf("%v", err)
	}
	if denied.Action != "iam:CreateRole" || denied.Resource != "arn:aws:iam::123456789012:role/x" {
		t.Errorf("%+v", denied)
	}
	if len(denied.Trace.Statements) != 1 || denied.Trace.Statements[0].Mismatch.Element != "Action" {
		t.Errorf("%+v", denied.Trace)
	}
	var seen *wire.Error
	want := &wire.Error{Status: 403, Code: "AccessDenied", Message: "User: arn:aws:iam::123456789012:user/u is not authorized to perform: iam:CreateRole on resource: arn:aws:iam::123456789012:role/x because no identity-based policy allows the iam:CreateRole action"}
	if !errors.As(err, &seen) {
		t.Fatal("the client sees nothing")
	}
	if diff := cmp.Diff(want, seen); diff != "" {
		t.Error(diff)
	}
}

// What a service answers where permission is lacking: query and REST services
// with 403, those of JSON 1.1 with 400.
func TestCodesOfRefusals(t *testing.T) {
	w := newWorld(t)
	u := w.user("u")
	for service, want := range map[string]wire.Error{
		"iam": {Status: 403, Code: "AccessDenied"}, "s3": {Status: 403, Code: "AccessDenied"}, "cloudformation": {Status: 403, Code: "AccessDenied"},
		"lambda": {Status: 403, Code: "AccessDeniedException"}, "apigateway": {Status: 403, Code: "AccessDeniedException"},
		"ssm": {Status: 400, Code: "AccessDeniedException"}, "cognito-identity": {Status: 400, Code: "AccessDeniedException"}, "logs": {Status: 400, Code: "AccessDeniedException"},
	} {
		err := w.access.Authorize(t.Context(), &wire.Call{Caller: u, Service: service}, []wire.Target{{Action: service + ":Do", Resource: "*"}})
		var got *wire.Error
		if !errors.As(err, &got) || got.Code != want.Code || got.Status != want.Status {
			t.Errorf("%s: %+v", service, got)
		}
	}
	if err := w.access.Authorize(t.Context(), &wire.Call{Service: "iam"}, []wire.Target{{Action: "iam:ListRoles", Resource: "*"}}); wire.Code(err) != "AccessDenied" {
		t.Errorf("nobody: %v", err)
	}
	both := []wire.Target{{Action: "iam:ListRoles", Resource: "*"}, {Action: "iam:PassRole", Resource: "*"}}
	w.must("PutUserPolicy", m{"UserName": "u", "PolicyName": "one", "PolicyDocument": policy("iam:ListRoles")})
	if err := w.access.Authorize(t.Context(), &wire.Call{Caller: u, Service: "iam"}, both); err == nil {
		t.Error("a call that needs two permissions passes with one")
	}
}

func TestUsesAreTold(t *testing.T) {
	w := newWorld(t)
	caller := w.caller(func() (string, string) {
		c := w.assume(w.admin, w.role("app", trustAccount, "s3:GetObject"), nil)
		return c.id, c.token
	}())
	w.used = nil
	w.outcome(caller, "s3:GetObject", "arn:aws:s3:::b/k")
	w.outcome(caller, "s3:PutObject", "arn:aws:s3:::b/k")
	if _, err := w.access.Decide(access.Question{Caller: caller, Action: "s3:ListBucket", Resource: "*"}, &iam.Trace{}); err != nil {
		t.Error(err) // an explanation is no use
	}
	want := []string{"arn:aws:iam::123456789012:role/app s3:GetObject yes", "arn:aws:iam::123456789012:role/app s3:PutObject no"}
	if diff := cmp.Diff(want, w.used); diff != "" {
		t.Error(diff)
	}
}

// A change of policy counts from the next request on, for callers that are
// remembered too.
func TestPolicyChangesCountAtOnce(t *testing.T) {
	w := newWorld(t)
	role := w.role("app", trustAccount)
	c := w.assume(w.admin, role, nil)
	caller := w.caller(c.id, c.token)
	decide := func() iam.Outcome { return w.outcome(caller, "s3:GetObject", "arn:aws:s3:::b/k") }
	steps := []struct {
		operation string
		in        m
		want      iam.Outcome
	}{
		{"PutRolePolicy", m{"RoleName": "app", "PolicyName": "p", "PolicyDocument": policy("s3:*")}, iam.Allowed},
		{"CreatePolicy", m{"PolicyName": "narrow", "PolicyDocument": policy("s3:Put*")}, iam.Allowed},
		{"PutRolePermissionsBoundary", m{"RoleName": "app", "PermissionsBoundary": "arn:aws:iam::123456789012:policy/narrow"}, iam.ImplicitDeny},
		{"CreatePolicyVersion", m{"PolicyArn": "arn:aws:iam::123456789012:policy/narrow", "PolicyDocument": policy("s3:Get*"), "SetAsDefault": true}, iam.Allowed},
		{"SetDefaultPolicyVersion", m{"PolicyArn": "arn:aws:iam::123456789012:policy/narrow", "VersionId": "v1"}, iam.ImplicitDeny},
		{"DeleteRolePermissionsBoundary", m{"RoleName": "app"}, iam.Allowed},
		{"DeleteRolePolicy", m{"RoleName": "app", "PolicyName": "p"}, iam.ImplicitDeny},
		{"AttachRolePolicy", m{"RoleName": "app", "PolicyArn": "arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess"}, iam.Allowed},
		{"DetachRolePolicy", m{"RoleName": "app", "PolicyArn": "arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess"}, iam.ImplicitDeny},
	}
	for _, step := range steps {
		w.must(step.operation, step.in)
		if got := decide(); got != step.want {
			t.Errorf("after %s: %v, want %v", step.operation, got, step.want)
		}
	}
}

// The condition keys of callers (IAM User Guide, "AWS global condition context
// keys").
func TestKeysOfCallers(t *testing.T) {
	w := newWorld(t)
	w.must("CreateUser", m{"UserName": "u", "Tags": []m{{"Key": "team", "Value": "red"}}})
	key := w.must("CreateAccessKey", m{"UserName": "u"})["AccessKey"].(m)
	user := w.caller(key["AccessKeyId"].(string), "")
	role := w.role("app", trustAccount)
	w.must("TagRole", m{"RoleName": "app", "Tags": []m{{"Key": "team", "Value": "blue"}, {"Key": "only", "Value": "role"}}})
	c := w.assume(w.admin, role, m{"Tags": []m{{"Key": "Team", "Value": ""}}})
	session := w.caller(c.id, c.token)
	for _, test := range []struct {
		caller         *wire.Caller
		operator, key  string
		value          string
		holdsForCaller bool
	}{
		{user, "StringEquals", "aws:username", "u", true},
		{user, "StringEquals", "aws:PrincipalTag/Team", "red", true},
		{user, "StringEquals", "aws:PrincipalType", "User", true},
		{user, "StringEquals", "aws:PrincipalAccount", account, true},
		{user, "ArnEquals", "aws:PrincipalArn", "arn:aws:iam::123456789012:user/u", true},
		{user, "Null", "aws:TokenIssueTime", "true", true},
		{user, "Null", "aws:MultiFactorAuthPresent", "true", true},
		{session, "Null", "aws:username", "true", true},
		{session, "StringEquals", "aws:PrincipalTag/team", "", true}, // the session's, though empty
		{session, "StringEquals", "aws:PrincipalTag/only", "role", true},
		{session, "ArnEquals", "aws:PrincipalArn", "arn:aws:iam::123456789012:role/app", true},
		{session, "StringLike", "aws:userid", "AROA*:test", true},
		{session, "StringEquals", "aws:PrincipalType", "AssumedRole", true},
		{session, "DateEquals", "aws:TokenIssueTime", "2026-11-22T12:00:00Z", true},
		{session, "Bool", "aws:MultiFactorAuthPresent", "false", true},
		{session, "StringEquals", "aws:RequestedRegion", "us-east-1", true},
		{session, "DateEquals", "aws:CurrentTime", "2026-11-22T12:00:00Z", true},
		{session, "NumericEquals", "aws:EpochTime", "1795348800", true},
	} {
		document := `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"x:y","Resource":"*","Condition":{"` + test.operator + `":{"` + test.key + `":"` + test.value + `"}}}}`
		if test.caller == user {
			w.must("PutUserPolicy", m{"UserName": "u", "PolicyName": "p", "PolicyDocument": document})
		} else {
			w.must("PutRolePolicy", m{"RoleName": "app", "PolicyName": "p", "PolicyDocument": document})
		}
		if got := w.outcome(test.caller, "x:y", "*"); (got == iam.Allowed) != test.holdsForCaller {
			t.Errorf("%s %s %q: %v", test.operator, test.key, test.value, got)
		}
	}
}

// A resource's own policy lets in whom no policy of the caller's allows, within
// the account; one that denies wins.
func TestResourcePolicies(t *testing.T) {
	w := newWorld(t)
	u := w.user("u")
	ask := func(caller *wire.Caller, effect string) iam.Outcome {
		decision, err := w.access.Decide(access.Question{Caller: caller, Action: "lambda:InvokeFunction", Resource: "arn:aws:lambda:us-east-1:123456789012:function:f",
			ResourcePolicy: `{"Version":"2012-10-17","Statement":{"Effect":"` + effect + `","Principal":{"AWS":"arn:aws:iam::123456789012:user/u"},"Action":"lambda:InvokeFunction","Resource":"*"}}`}, nil)
		if err != nil {
			t.Fatal(err)
		}
		return decision.Outcome
	}
	if got := ask(u, "Allow"); got != iam.Allowed {
		t.Errorf("allowed by the resource: %v", got)
	}
	w.must("PutUserPolicy", m{"UserName": "u", "PolicyName": "p", "PolicyDocument": policy("lambda:*")})
	if got := ask(u, "Deny"); got != iam.ExplicitDeny {
		t.Errorf("denied by the resource: %v", got)
	}
	if got := ask(nil, "Allow"); got != iam.ImplicitDeny {
		t.Errorf("nobody: %v", got)
	}
	if _, err := w.access.Decide(access.Question{Caller: u, Action: "a:b", Resource: "*", ResourcePolicy: "{"}, nil); err == nil {
		t.Error("a policy that cannot be read is passed over")
	}
}
