package iam_test

import (
	"strings"
	"testing"

	"github.com/seed-615d3599/roost/iam"
)

const (
	here  = "111111111111"
	there = "222222222222"
)

var (
	session = iam.Principal{Kind: iam.AssumedRole, Account: here, ID: "AROAROLEROLEROLEROLE",
		ARN: "arn:aws:sts::111111111111:assumed-role/r/s", RoleARN: "arn:aws:iam::111111111111:role/p/r"}
	root      = iam.Principal{Kind: iam.AccountRoot, Account: here, ARN: "arn:aws:iam::111111111111:root"}
	gateway   = iam.Principal{Kind: iam.Service, Name: "apigateway.amazonaws.com"}
	cognito   = iam.Principal{Kind: iam.Federated, Name: "cognito-identity.amazonaws.com"}
	anonymous = iam.Principal{}
)

// decisionCase is one request, with the policies in short: each string is the
// inside of one statement, with single quotes for double ones.
type decisionCase struct {
	name      string
	principal iam.Principal
	identity  string
	boundary  string
	session   []string
	resource  string
	trust     string
	owner     string // account of the resource; "" is the principal's
	context   iam.Context
	want      iam.Decision
	page      string
}

const (
	allowAll = `'Effect': 'Allow', 'Action': '*', 'Resource': '*'`
	denyAll  = `'Effect': 'Deny', 'Action': '*', 'Resource': '*'`
	allowEC2 = `'Effect': 'Allow', 'Action': 'ec2:*', 'Resource': '*'`
)

func grantTo(principal string) string { return allowAll + `, 'Principal': ` + principal }
func trusting(principal string) string {
	return `'Effect': 'Allow', 'Action': 'sts:AssumeRole*', 'Principal': ` + principal
}

var (
	byIdentity   = iam.Decision{Outcome: iam.Allowed, By: iam.IdentityPolicy}
	byResource   = iam.Decision{Outcome: iam.Allowed, By: iam.ResourcePolicy}
	byTrust      = iam.Decision{Outcome: iam.Allowed, By: iam.TrustPolicy}
	noIdentity   = iam.Decision{Outcome: iam.ImplicitDeny, By: iam.IdentityPolicy}
	noResource   = iam.Decision{Outcome: iam.ImplicitDeny, By: iam.ResourcePolicy}
	noTrust      = iam.Decision{Outcome: iam.ImplicitDeny, By: iam.TrustPolicy}
	noBoundary   = iam.Decision{Outcome: iam.ImplicitDeny, By: iam.PermissionsBoundary}
	noSession    = iam.Decision{Outcome: iam.ImplicitDeny, By: iam.SessionPolicy}
	denyIdentity = iam.Decision{Outcome: iam.ExplicitDeny, By: iam.IdentityPolicy}
	denyResource = iam.Decision{Outcome: iam.ExplicitDeny, By: iam.ResourcePolicy}
	denyBoundary = iam.Decision{Outcome: iam.ExplicitDeny, By: iam.PermissionsBoundary}
	denySession  = iam.Decision{Outcome: iam.ExplicitDeny, By: iam.SessionPolicy}
	denyTrust    = iam.Decision{Outcome: iam.ExplicitDeny, By: iam.TrustPolicy}
)

var decisionCases = []decisionCase{
	// One account.
	{name: "nothing", principal: bob, want: noIdentity, page: pageLogic},
	{name: "identity", principal: bob, identity: allowAll, want: byIdentity, page: pageLogic},
	{name: "identity deny", principal: bob, identity: allowAll + `}, {` + denyAll, want: denyIdentity, page: pageLogic},
	{name: "deny in boundary", principal: bob, identity: allowAll, boundary: allowAll + `}, {` + denyAll, want: denyBoundary, page: pageLogic},
	{name: "deny in session", principal: session, identity: allowAll, session: []string{denyAll}, want: denySession, page: pageLogic},
	{name: "deny in resource", principal: bob, identity: allowAll, resource: denyAll + `, 'Principal': '*'`, want: denyResource, page: pageLogic},
	{name: "deny for the account reaches the user", principal: bob, identity: allowAll, resource: denyAll + `, 'Principal': {'AWS': '111111111111'}`, want: denyResource, page: pagePrincipal},
	{name: "boundary limits", principal: bob, identity: allowAll, boundary: allowEC2, want: noBoundary, page: pageBoundaries},
	{name: "boundary does not grant", principal: bob, boundary: allowAll, want: noIdentity, page: pageBoundaries},
	{name: "boundary and identity", principal: bob, identity: allowAll, boundary: allowAll, want: byIdentity, page: pageBoundaries},
	{name: "session limits", principal: session, identity: allowAll, session: []string{allowEC2}, want: noSession, page: pageSession},
	{name: "session does not grant", principal: session, identity: allowEC2, session: []string{allowAll}, want: noIdentity, page: pageSession},
	{name: "one of two session policies", principal: session, identity: allowAll, session: []string{allowEC2, allowAll}, want: byIdentity, page: pageSession},
	{name: "all three", principal: session, identity: allowAll, boundary: allowAll, session: []string{allowAll}, want: byIdentity, page: pageLogic},

	// "Resource-based policies and implicit denies in other policy types (same account)".
	{name: "role ARN, boundary lacks", principal: session, boundary: allowEC2, session: []string{allowAll}, resource: grantTo(`{'AWS': 'arn:aws:iam::111111111111:role/p/r'}`), want: noBoundary, page: pageLogic},
	{name: "role ARN, session lacks", principal: session, boundary: allowAll, session: []string{allowEC2}, resource: grantTo(`{'AWS': 'arn:aws:iam::111111111111:role/p/r'}`), want: noSession, page: pageLogic},
	{name: "role ARN, identity lacks", principal: session, boundary: allowAll, session: []string{allowAll}, resource: grantTo(`{'AWS': 'arn:aws:iam::111111111111:role/p/r'}`), want: byResource, page: pageLogic},
	{name: "role id", principal: session, resource: grantTo(`{'AWS': 'AROAROLEROLEROLEROLE'}`), want: byResource, page: pagePrincipal},
	{name: "session ARN, all lack", principal: session, boundary: allowEC2, session: []string{allowEC2}, resource: grantTo(`{'AWS': 'arn:aws:sts::111111111111:assumed-role/r/s'}`), want: byResource, page: pageLogic},
	{name: "user ARN, all lack", principal: bob, boundary: allowEC2, resource: grantTo(`{'AWS': 'arn:aws:iam::111111111111:user/bob'}`), want: byResource, page: pageLogic},
	{name: "everyone, all lack", principal: session, boundary: allowEC2, session: []string{allowEC2}, resource: grantTo(`'*'`), want: byResource, page: pagePrincipal + ": boundary and session policies do not limit a wildcard"},
	{name: "everyone, but a boundary denies", principal: session, boundary: denyAll, resource: grantTo(`'*'`), want: denyBoundary, page: pagePrincipal},
	{name: "account ARN delegates", principal: bob, resource: grantTo(`{'AWS': 'arn:aws:iam::111111111111:root'}`), want: noIdentity, page: pagePrincipal + ": delegates authority to the account"},
	{name: "account number delegates", principal: bob, identity: allowAll, resource: grantTo(`{'AWS': '111111111111'}`), want: byIdentity, page: pagePrincipal},
	{name: "wildcard in condition", principal: session, session: []string{allowEC2}, resource: grantTo(`'*'`) + `, 'Condition': {'ArnEquals': {'aws:PrincipalArn': 'arn:aws:iam::111111111111:role/p/r'}}`,
		context: iam.Context{{Name: "aws:PrincipalArn", Value: session.RoleARN}}, want: byResource, page: pagePrincipal},
	{name: "service", principal: gateway, resource: grantTo(`{'Service': 'apigateway.amazonaws.com'}`), owner: here, want: byResource, page: pageLambda},
	{name: "other service", principal: gateway, resource: grantTo(`{'Service': 's3.amazonaws.com'}`), owner: here, want: noResource, page: pageLambda},
	{name: "service, source", principal: gateway, owner: here, resource: grantTo(`{'Service': 'apigateway.amazonaws.com'}`) + `, 'Condition': {'ArnLike': {'AWS:SourceArn': 'arn:aws:execute-api:us-east-1:111111111111:api/*/GET/private'}}`,
		context: iam.Context{{Name: "aws:SourceArn", Value: "arn:aws:execute-api:us-east-1:111111111111:api/$default/GET/private"}}, want: byResource, page: pageLambda},
	{name: "service, source of another", principal: gateway, owner: here, resource: grantTo(`{'Service': 'apigateway.amazonaws.com'}`) + `, 'Condition': {'ArnLike': {'AWS:SourceArn': 'arn:aws:execute-api:us-east-1:111111111111:api/*/GET/private'}}`,
		context: iam.Context{{Name: "aws:SourceArn", Value: "arn:aws:execute-api:us-east-1:222222222222:api/$default/GET/private"}}, want: noResource, page: pageLambda},
	{name: "anonymous", principal: anonymous, resource: grantTo(`'*'`), owner: here, want: byResource, page: pagePrincipal},
	{name: "anonymous by AWS *", principal: anonymous, resource: grantTo(`{'AWS': '*'}`), owner: here, want: byResource, page: pagePrincipal},
	{name: "anonymous is of no account", principal: anonymous, resource: grantTo(`{'AWS': '111111111111'}`), owner: here, want: noResource, page: pagePrincipal},
	{name: "anonymous with identity policies", principal: anonymous, identity: allowAll, want: noResource, page: pageLogic},

	// The root user.
	{name: "root", principal: root, want: iam.Decision{Outcome: iam.Allowed}, page: pageLogic + ": the root user has full access"},
	{name: "root denied", principal: root, resource: denyAll + `, 'Principal': '*'`, want: denyResource, page: pageLogic},
	{name: "root elsewhere", principal: root, owner: there, want: noResource, page: pageCrossAccount},
	{name: "root let in elsewhere", principal: root, owner: there, resource: grantTo(`{'AWS': '111111111111'}`), want: byResource, page: pageCrossAccount},

	// Across accounts both sides must allow.
	{name: "cross, identity only", principal: bob, identity: allowAll, owner: there, want: noResource, page: pageCrossAccount},
	{name: "cross, resource only", principal: bob, owner: there, resource: grantTo(`{'AWS': 'arn:aws:iam::111111111111:user/bob'}`), want: noIdentity, page: pageCrossAccount},
	{name: "cross, everyone is not enough", principal: bob, owner: there, resource: grantTo(`'*'`), want: noIdentity, page: pagePrincipal},
	{name: "cross, session ARN is not enough", principal: session, owner: there, resource: grantTo(`{'AWS': 'arn:aws:sts::111111111111:assumed-role/r/s'}`), want: noIdentity, page: pageCrossAccount},
	{name: "cross, both", principal: bob, identity: allowAll, owner: there, resource: grantTo(`{'AWS': 'arn:aws:iam::111111111111:user/bob'}`), want: byResource, page: pageCrossAccount},
	{name: "cross, account", principal: bob, identity: allowAll, owner: there, resource: grantTo(`{'AWS': '111111111111'}`), want: byResource, page: pageCrossAccount},
	{name: "cross, boundary", principal: bob, identity: allowAll, boundary: allowEC2, owner: there, resource: grantTo(`{'AWS': 'arn:aws:iam::111111111111:user/bob'}`), want: noBoundary, page: pageCrossAccount},
	{name: "cross, session", principal: session, identity: allowAll, session: []string{allowEC2}, owner: there, resource: grantTo(`'*'`), want: noSession, page: pageCrossAccount},
	{name: "cross, the owner's own account", principal: bob, identity: allowAll, owner: there, resource: grantTo(`{'AWS': '222222222222'}`), want: noResource, page: pageCrossAccount},

	// Trust policies.
	{name: "trust, not named", principal: bob, identity: allowAll, trust: trusting(`{'AWS': 'arn:aws:iam::111111111111:user/eve'}`), want: noTrust, page: pageLogic + ": trust policies must explicitly allow"},
	{name: "trust, user named", principal: bob, trust: trusting(`{'AWS': 'arn:aws:iam::111111111111:user/bob'}`), want: byTrust, page: pageLogic},
	{name: "trust, user id", principal: bob, trust: trusting(`{'AWS': 'AIDABOBBOBBOBBOBBOBB'}`), want: byTrust, page: pagePrincipal},
	{name: "trust, account", principal: bob, trust: trusting(`{'AWS': 'arn:aws:iam::111111111111:root'}`), want: noIdentity, page: pagePrincipal},
	{name: "trust, account and identity", principal: bob, identity: allowAll, trust: trusting(`{'AWS': 'arn:aws:iam::111111111111:root'}`), want: byIdentity, page: pagePrincipal},
	{name: "trust, role", principal: session, boundary: allowEC2, trust: trusting(`{'AWS': 'arn:aws:iam::111111111111:role/p/r'}`), want: noBoundary, page: pageLogic},
	{name: "trust, cross account", principal: bob, identity: allowAll, owner: there, trust: trusting(`{'AWS': '111111111111'}`), want: byTrust, page: pageCrossAccount},
	{name: "trust, cross account without identity", principal: bob, owner: there, trust: trusting(`{'AWS': 'arn:aws:iam::111111111111:user/bob'}`), want: noIdentity, page: pageCrossAccount},
	{name: "trust, deny", principal: bob, trust: trusting(`'*'`) + `}, {'Effect': 'Deny', 'Action': 'sts:*', 'Principal': {'AWS': 'arn:aws:iam::111111111111:user/bob'}`, want: denyTrust, page: pageLogic},
	{name: "trust, service", principal: iam.Principal{Kind: iam.Service, Name: "lambda.amazonaws.com"}, trust: trusting(`{'Service': ['lambda.amazonaws.com', 'edgelambda.amazonaws.com']}`), owner: here, want: byTrust, page: pagePrincipal},
	{name: "trust, Service is not AWS", principal: bob, identity: allowAll, trust: trusting(`{'Service': 'lambda.amazonaws.com'}`), want: noTrust, page: pagePrincipal},
	{name: "trust, external id", principal: bob, trust: trusting(`{'AWS': 'arn:aws:iam::111111111111:user/bob'}`) + `, 'Condition': {'StringEquals': {'sts:ExternalId': '12345'}}`,
		context: iam.Context{{Name: "sts:ExternalId", Value: "12345"}}, want: byTrust, page: "id_roles_create_for-user_externalid.html"},
	{name: "trust, no external id", principal: bob, trust: trusting(`{'AWS': 'arn:aws:iam::111111111111:user/bob'}`) + `, 'Condition': {'StringEquals': {'sts:ExternalId': '12345'}}`,
		want: noTrust, page: "id_roles_create_for-user_externalid.html"},
	{name: "trust, Cognito", principal: cognito, owner: here, trust: cognitoTrust, want: byTrust, page: pageFederation,
		context: iam.Context{{Name: "cognito-identity.amazonaws.com:aud", Value: "us-east-1:pool"}, {Name: "cognito-identity.amazonaws.com:amr", Values: []string{"authenticated", "api.twitter.com"}}}},
	{name: "trust, Cognito guest", principal: cognito, owner: here, trust: cognitoTrust, want: noTrust, page: pageFederation,
		context: iam.Context{{Name: "cognito-identity.amazonaws.com:aud", Value: "us-east-1:pool"}, {Name: "cognito-identity.amazonaws.com:amr", Values: []string{"unauthenticated"}}}},
	{name: "trust, Cognito pool of another", principal: cognito, owner: here, trust: cognitoTrust, want: noTrust, page: pageFederation,
		context: iam.Context{{Name: "cognito-identity.amazonaws.com:aud", Value: "us-east-1:other"}, {Name: "cognito-identity.amazonaws.com:amr", Values: []string{"authenticated"}}}},
	{name: "trust, Cognito without keys", principal: cognito, owner: here, trust: cognitoTrust, want: noTrust, page: pageFederation},
	{name: "trust, other provider", principal: iam.Principal{Kind: iam.Federated, Name: "accounts.google.com"}, owner: here, trust: trusting(`{'Federated': 'cognito-identity.amazonaws.com'}`), want: noTrust, page: pagePrincipal},
	{name: "trust, everyone is no provider", principal: cognito, owner: here, trust: trusting(`'*'`), want: noTrust, page: inferred},
	{name: "trust, everyone denied", principal: cognito, owner: here, trust: trusting(`{'Federated': 'cognito-identity.amazonaws.com'}`) + `}, {'Effect': 'Deny', 'Action': 'sts:*', 'Principal': '*'`, want: denyTrust, page: pagePrincipal},
	{name: "trust, a user is no provider", principal: bob, identity: allowAll, trust: trusting(`{'Federated': 'arn:aws:iam::111111111111:user/bob'}`), want: noTrust, page: pagePrincipal},

	// Principals that look like others.
	{name: "user, other case", principal: bob, resource: grantTo(`{'AWS': 'arn:aws:iam::111111111111:user/Bob'}`), want: noIdentity, page: pagePrincipal + ": case sensitive"},
	{name: "user, prefix", principal: bob, resource: grantTo(`{'AWS': 'arn:aws:iam::111111111111:user/bo'}`), want: noIdentity, page: pagePrincipal},
	{name: "user, longer", principal: bob, resource: grantTo(`{'AWS': 'arn:aws:iam::111111111111:user/bobb'}`), want: noIdentity, page: pagePrincipal},
	{name: "user, path", principal: bob, resource: grantTo(`{'AWS': 'arn:aws:iam::111111111111:user/x/bob'}`), want: noIdentity, page: pagePrincipal},
	{name: "user, other account", principal: bob, resource: grantTo(`{'AWS': 'arn:aws:iam::222222222222:user/bob'}`), want: noIdentity, page: pagePrincipal},
	{name: "user, other partition", principal: bob, resource: grantTo(`{'AWS': 'arn:aws-cn:iam::111111111111:user/bob'}`), want: noIdentity, page: pagePrincipal},
	{name: "session, other name", principal: session, resource: grantTo(`{'AWS': 'arn:aws:sts::111111111111:assumed-role/r/S'}`), want: noIdentity, page: pagePrincipal},
	{name: "role without its path", principal: session, resource: grantTo(`{'AWS': 'arn:aws:iam::111111111111:role/r'}`), want: noIdentity, page: pagePrincipal},
	{name: "user named as the role", principal: iam.Principal{Kind: iam.User, Account: here, ARN: "arn:aws:iam::111111111111:user/role/p/r"}, resource: grantTo(`{'AWS': 'arn:aws:iam::111111111111:role/p/r'}`), want: noIdentity, page: pagePrincipal},
	{name: "user with a role's ARN in RoleARN", principal: iam.Principal{Kind: iam.User, Account: here, ARN: "arn:aws:iam::111111111111:user/x", RoleARN: session.RoleARN}, resource: grantTo(`{'AWS': 'arn:aws:iam::111111111111:role/p/r'}`), want: noIdentity, page: pagePrincipal},
	{name: "empty id is nobody's", principal: iam.Principal{Kind: iam.User, Account: here}, resource: grantTo(`{'AWS': 'AIDABOBBOBBOBBOBBOBB'}`), want: noIdentity, page: pagePrincipal},
	{name: "service named as a user", principal: iam.Principal{Kind: iam.Service, Name: "arn:aws:iam::111111111111:user/bob"}, owner: here, resource: grantTo(`{'AWS': 'arn:aws:iam::111111111111:user/bob'}`), want: noResource, page: pagePrincipal},

	// NotPrincipal.
	{name: "not bob and his account", principal: bob, identity: allowAll, resource: denyAll + `, 'NotPrincipal': {'AWS': ['arn:aws:iam::111111111111:user/bob', '111111111111']}`, want: byIdentity, page: pageNotPrincipal},
	{name: "not bob", principal: bob, identity: allowAll, resource: denyAll + `, 'NotPrincipal': {'AWS': 'arn:aws:iam::111111111111:user/bob'}`, want: denyResource, page: pageNotPrincipal + ": the account must be listed"},
	{name: "not eve", principal: bob, identity: allowAll, resource: denyAll + `, 'NotPrincipal': {'AWS': ['arn:aws:iam::111111111111:user/eve', '111111111111']}`, want: denyResource, page: pageNotPrincipal},
	{name: "not bob, who has a boundary", principal: bob, identity: allowAll, boundary: allowAll, resource: denyAll + `, 'NotPrincipal': {'AWS': ['arn:aws:iam::111111111111:user/bob', '111111111111']}`, want: denyResource, page: pageNotPrincipal},
	{name: "not everyone, who has a boundary", principal: bob, identity: allowAll, boundary: allowAll, resource: denyAll + `, 'NotPrincipal': '*'`, want: denyResource, page: pageNotPrincipal + ": regardless of the values"},
	{name: "not everyone", principal: bob, identity: allowAll, resource: denyAll + `, 'NotPrincipal': {'AWS': '*'}`, want: byIdentity, page: pageNotPrincipal},
	{name: "not the session, role and account", principal: session, identity: allowAll, resource: denyAll + `, 'NotPrincipal': {'AWS': ['arn:aws:sts::111111111111:assumed-role/r/s', 'arn:aws:iam::111111111111:role/p/r', '111111111111']}`, want: byIdentity, page: pageNotPrincipal},
	{name: "not the role and account", principal: session, identity: allowAll, resource: denyAll + `, 'NotPrincipal': {'AWS': ['arn:aws:iam::111111111111:role/p/r', '111111111111']}`, want: denyResource, page: pageNotPrincipal},
	{name: "not the root user's account", principal: root, resource: denyAll + `, 'NotPrincipal': {'AWS': '111111111111'}`, want: iam.Decision{Outcome: iam.Allowed}, page: pageNotPrincipal},
	{name: "not a service", principal: gateway, owner: here, resource: grantTo(`'*'`) + `}, {` + denyAll + `, 'NotPrincipal': {'Service': 'apigateway.amazonaws.com'}`, want: byResource, page: pageNotPrincipal},
	{name: "anonymous is among the others", principal: anonymous, owner: here, resource: grantTo(`'*'`) + `}, {` + denyAll + `, 'NotPrincipal': {'AWS': '111111111111'}`, want: denyResource, page: pageNotPrincipal},

	// Sessions can be revoked.
	{name: "session older than the revocation", principal: session, identity: allowAll + `}, {` + revoke, context: iam.Context{{Name: "aws:TokenIssueTime", Value: "2026-11-22T11:59:59Z"}}, want: denyIdentity, page: pageRevoke},
	{name: "session younger than the revocation", principal: session, identity: allowAll + `}, {` + revoke, context: iam.Context{{Name: "aws:TokenIssueTime", Value: "2026-11-22T12:00:01Z"}}, want: byIdentity, page: pageRevoke},
	{name: "access key, revocation", principal: bob, identity: allowAll + `}, {` + revoke, want: byIdentity, page: pageRevoke},
}

const cognitoTrust = `'Effect': 'Allow', 'Principal': {'Federated': 'cognito-identity.amazonaws.com'}, 'Action': 'sts:AssumeRoleWithWebIdentity',
	'Condition': {'StringEquals': {'cognito-identity.amazonaws.com:aud': 'us-east-1:pool'},
		'ForAnyValue:StringLike': {'cognito-identity.amazonaws.com:amr': 'authenticated'}}`

const revoke = denyAll + `, 'Condition': {'DateLessThan': {'aws:TokenIssueTime': '2026-11-22T12:00:00.000Z'}}`

func document(statements string) []byte {
	return []byte(strings.ReplaceAll(`{'Version': '2012-10-17', 'Statement': [{`+statements+`}]}`, "'", `"`))
}

type parseFunc func([]byte) (*iam.Policy, error)

func attach(t *testing.T, parse parseFunc, name, statements string) iam.Attached {
	t.Helper()
	if statements == "" {
		return iam.Attached{}
	}
	policy, err := parse(document(statements))
	if err != nil {
		t.Fatalf("%v\n%.500s", err, document(statements))
	}
	return iam.Attached{Name: name, Policy: policy}
}

func (c *decisionCase) policies(t *testing.T) (iam.Request, iam.Policies) {
	request := iam.Request{Principal: c.principal, Action: "s3:GetObject", Resource: "arn:aws:s3:::b/k", Context: c.context}
	policies := iam.Policies{
		Boundary:        attach(t, iam.Parse, "boundary", c.boundary),
		Resource:        attach(t, iam.ParseResource, "resource", c.resource),
		ResourceAccount: c.owner,
	}
	if c.identity != "" {
		policies.Identity = []iam.Attached{attach(t, iam.Parse, "identity", c.identity)}
	}
	for _, s := range c.session {
		policies.Session = append(policies.Session, attach(t, iam.Parse, "session", s))
	}
	if c.trust != "" {
		request.Action, request.Resource = "sts:AssumeRole", "arn:aws:iam::"+here+":role/target"
		if c.principal.Kind == iam.Federated {
			request.Action = "sts:AssumeRoleWithWebIdentity"
		}
		policies.Resource = attach(t, iam.ParseTrust, "trust", c.trust)
	}
	return request, policies
}

func TestDecide(t *testing.T) {
	for _, c := range decisionCases {
		t.Run(c.name, func(t *testing.T) {
			request, policies := c.policies(t)
			if got := iam.Decide(request, policies, nil); got != c.want {
				t.Errorf("%v by the %v; by %s it is %v by the %v", got.Outcome, got.By, c.page, c.want.Outcome, c.want.By)
			}
			var trace iam.Trace
			if got := iam.Decide(request, policies, &trace); got != c.want || trace.Decision != got {
				t.Errorf("with a trace: %v, and %v in the trace", got, trace.Decision)
			}
		})
	}
}

func TestResourceAccountComesFromTheARN(t *testing.T) {
	policies := iam.Policies{Identity: []iam.Attached{attach(t, iam.Parse, "identity", allowAll)}}
	request := iam.Request{Principal: bob, Action: "execute-api:Invoke", Resource: "arn:aws:execute-api:us-east-1:" + there + ":api/$default/GET/"}
	if got := iam.Decide(request, policies, nil); got != noResource {
		t.Errorf("another account's API: %v", got)
	}
	request.Resource = "arn:aws:execute-api:us-east-1:" + here + ":api/$default/GET/"
	if got := iam.Decide(request, policies, nil); got != byIdentity {
		t.Errorf("the own account's API: %v", got)
	}
}
