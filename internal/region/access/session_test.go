package access_test

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/seed-615d3599/roost/iam"
	"github.com/seed-615d3599/roost/internal/region/access"
)

const anything = "arn:aws:execute-api:us-east-1:123456789012:api/$default/GET/x"

func TestSessionLivesUntilItsEnd(t *testing.T) {
	w := newWorld(t)
	role := w.role("app", trustAccount, "execute-api:Invoke")
	c := w.assume(w.admin, role, nil)
	caller := w.caller(c.id, c.token)
	if caller.ARN != "arn:aws:sts::123456789012:assumed-role/app/test" || caller.RoleARN != role {
		t.Errorf("the caller is %+v", caller)
	}
	if got := w.outcome(caller, "execute-api:Invoke", anything); got != iam.Allowed {
		t.Errorf("what the role may do is %v", got)
	}
	if got := w.outcome(caller, "iam:CreateRole", "*"); got != iam.ImplicitDeny {
		t.Errorf("what the role may not do is %v", got)
	}
	w.now = w.now.Add(time.Hour - time.Second)
	if got := w.keyError(c.id, c.token); got != "" {
		t.Errorf("a second before its end: %v", got)
	}
	w.now = w.now.Add(time.Second)
	if got := w.keyError(c.id, c.token); got != "ExpiredToken" {
		t.Errorf("at its end: %v", got)
	}
}

func TestSessionOutlivesARestart(t *testing.T) {
	w := newWorld(t)
	c := w.assume(w.admin, w.role("app", trustAccount), nil)
	w.restart()
	secret, _, err := w.access.Key(t.Context(), c.id, c.token)
	if err != nil || secret != c.secret {
		t.Errorf("after a restart: %v", err)
	}
}

// What is not this region's token for this key is refused in the words for an
// unknown key.
func TestTokensThatAreRefused(t *testing.T) {
	w := newWorld(t)
	role := w.role("app", trustAccount)
	one, two := w.assume(w.admin, role, nil), w.assume(w.admin, role, nil)
	w.caller(one.id, one.token) // remembered
	other := newWorld(t)
	other.key = bytes.Repeat([]byte{8}, 32)
	other.restart()
	foreign := other.assume(other.admin, other.role("app", trustAccount), nil)
	flipped := []byte(two.token)
	flipped[40] ^= 1
	for name, test := range map[string]struct{ id, token string }{
		"a remembered token of another key": {two.id, one.token},
		"a token of another key":            {one.id, two.token},
		"another region's":                  {foreign.id, foreign.token},
		"changed":                           {two.id, string(flipped)},
		"cut":                               {two.id, two.token[:len(two.token)-4]},
		"longer":                            {two.id, two.token + "AAAA"},
		"with a line's end":                 {two.id, two.token + "\n"},
		"not base64":                        {two.id, "!"},
		"huge":                              {two.id, strings.Repeat("A", 1<<20)},
		"none":                              {two.id, ""},
		"with a user's key":                 {w.adminKey[0], two.token},
		"a key's prefix":                    {two.id[:19], two.token},
		"a key and more":                    {two.id + "A", two.token},
		"a user's key's prefix":             {w.adminKey[0][:19], ""},
		"a user's key in small letters":     {strings.ToLower(w.adminKey[0]), ""},
		"no key":                            {"", ""},
	} {
		if got := w.keyError(test.id, test.token); got != "InvalidClientTokenId" {
			t.Errorf("%s: %q", name, got)
		}
	}
}

func TestDeletedRoleEndsItsSessions(t *testing.T) {
	w := newWorld(t)
	c := w.assume(w.admin, w.role("app", trustAccount), nil)
	caller := w.caller(c.id, c.token)
	w.must("DeleteRole", m{"RoleName": "app"})
	if got := w.keyError(c.id, c.token); got != "InvalidClientTokenId" {
		t.Errorf("after the role is deleted: %q", got)
	}
	if got := w.outcome(caller, "sts:GetCallerIdentity", "*"); got == iam.Allowed {
		t.Error("a call under way may go on as a role that is gone")
	}
	w.role("app", trustAccount, "*")
	if got := w.keyError(c.id, c.token); got != "InvalidClientTokenId" {
		t.Errorf("after one of the same name is made: %q", got)
	}
	if got := w.outcome(caller, "iam:ListRoles", "*"); got == iam.Allowed {
		t.Error("a call under way may go on as the new role")
	}
}

// Revoking is a policy on aws:TokenIssueTime (IAM User Guide, "Revoke IAM role
// temporary security credentials").
func TestRevokedSessions(t *testing.T) {
	w := newWorld(t)
	role := w.role("app", trustAccount, "execute-api:Invoke")
	old := w.assume(w.admin, role, nil)
	oldCaller := w.caller(old.id, old.token)
	w.now = w.now.Add(time.Minute)
	w.must("PutRolePolicy", m{"RoleName": "app", "PolicyName": "AWSRevokeOlderSessions", "PolicyDocument": `{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Action":["*"],"Resource":["*"],
		"Condition":{"DateLessThan":{"aws:TokenIssueTime":"` + w.now.Format(time.RFC3339) + `"}}}]}`})
	fresh := w.assume(w.admin, role, nil)
	if got := w.outcome(oldCaller, "execute-api:Invoke", anything); got != iam.ExplicitDeny {
		t.Errorf("the old session: %v", got)
	}
	if got := w.outcome(w.caller(fresh.id, fresh.token), "execute-api:Invoke", anything); got != iam.Allowed {
		t.Errorf("the new session: %v", got)
	}
	if got := w.outcome(w.admin, "execute-api:Invoke", anything); got != iam.Allowed {
		t.Errorf("somebody else: %v", got)
	}
}

func TestInactiveAndDeletedKeys(t *testing.T) {
	w := newWorld(t)
	alice := w.user("alice", "sts:*")
	session := given(w.mustAs(alice, "GetSessionToken", nil))
	w.must("UpdateAccessKey", m{"UserName": "alice", "AccessKeyId": alice.AccessKeyID, "Status": "Inactive"})
	if got := w.keyError(alice.AccessKeyID, ""); got != "InvalidClientTokenId" {
		t.Errorf("inactive: %q", got)
	}
	w.must("UpdateAccessKey", m{"UserName": "alice", "AccessKeyId": alice.AccessKeyID, "Status": "Active"})
	w.caller(alice.AccessKeyID, "")
	w.must("DeleteAccessKey", m{"UserName": "alice", "AccessKeyId": alice.AccessKeyID})
	if got := w.keyError(alice.AccessKeyID, ""); got != "InvalidClientTokenId" {
		t.Errorf("deleted: %q", got)
	}
	caller := w.caller(session.id, session.token)
	if caller.ARN != alice.ARN || caller.RoleARN != "" {
		t.Errorf("the session of a user is %+v", caller)
	}
	w.fails(caller, "GetUser", m{"UserName": "alice"}, "InvalidClientTokenId")
	w.fails(caller, "GetSessionToken", nil, "Cannot call GetSessionToken with session credentials")
	w.must("DeleteUserPolicy", m{"UserName": "alice", "PolicyName": "may"})
	w.must("DeleteUser", m{"UserName": "alice"})
	w.must("CreateUser", m{"UserName": "alice"})
	if got := w.keyError(session.id, session.token); got != "InvalidClientTokenId" {
		t.Errorf("the session of a user who was made anew: %q", got)
	}
}

func TestSessionPolicyNarrows(t *testing.T) {
	w := newWorld(t)
	role := w.role("app", trustAccount, "execute-api:Invoke", "s3:GetObject")
	inline := w.assume(w.admin, role, m{"Policy": policy("s3:*", "iam:*")})
	managed := w.assume(w.admin, role, m{"PolicyArns": []m{{"arn": "arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess"}}})
	for name, c := range map[string]credentials{"inline": inline, "managed": managed} {
		caller := w.caller(c.id, c.token)
		for action, want := range map[string]iam.Outcome{"s3:GetObject": iam.Allowed, "execute-api:Invoke": iam.ImplicitDeny, "iam:ListRoles": iam.ImplicitDeny} {
			if got := w.outcome(caller, action, "arn:aws:s3:::bucket/key"); got != want {
				t.Errorf("%s, %s: %v", name, action, got)
			}
		}
	}
	long := m{"RoleArn": role, "RoleSessionName": "test", "Policy": `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"s3:*","Resource":"` + strings.Repeat("a", 2000) + `"}}`}
	w.fails(w.admin, "AssumeRole", long, "less than or equal to 2048")
	tags := []m{}
	for i := range 50 {
		tags = append(tags, m{"Key": strings.Repeat("k", 100) + string(rune('A'+i%26)) + string(rune('A'+i/26)), "Value": strings.Repeat("v", 200)})
	}
	w.fails(w.admin, "AssumeRole", m{"RoleArn": role, "RoleSessionName": "test", "Tags": tags}, "PackedPolicyTooLarge")
	w.fails(w.admin, "AssumeRole", m{"RoleArn": role, "RoleSessionName": "test", "Policy": "{}"}, "MalformedPolicyDocument")
}

// Tags, source identity and the hour of role chaining (IAM User Guide, "Pass
// session tags in AWS STS", "Roles terms and concepts").
func TestRoleChaining(t *testing.T) {
	w := newWorld(t)
	first := w.role("first", trustAccount, "sts:*")
	w.must("UpdateRole", m{"RoleName": "first", "MaxSessionDuration": 43200})
	second := w.role("second", trustAccount)
	w.must("UpdateRole", m{"RoleName": "second", "MaxSessionDuration": 43200})
	c := w.assume(w.admin, first, m{
		"DurationSeconds": 43200, "SourceIdentity": "alice",
		"Tags": []m{{"Key": "Team", "Value": "red"}, {"Key": "Color", "Value": "blue"}}, "TransitiveTagKeys": []string{"Team"},
	})
	caller := w.caller(c.id, c.token)
	w.fails(caller, "AssumeRole", m{"RoleArn": second, "RoleSessionName": "test", "DurationSeconds": 3601}, "1 hour session limit for roles assumed by role chaining")
	w.fails(caller, "AssumeRole", m{"RoleArn": second, "RoleSessionName": "test", "SourceIdentity": "bob"}, "AccessDenied")
	w.fails(caller, "AssumeRole", m{"RoleArn": second, "RoleSessionName": "test", "Tags": []m{{"Key": "team", "Value": "green"}}}, "conflicts with a transitive tag key")
	chained := w.assume(caller, second, nil)
	w.must("PutRolePolicy", m{"RoleName": "second", "PolicyName": "by-tag", "PolicyDocument": `{"Version":"2012-10-17","Statement":[
		{"Effect":"Allow","Action":"a:Team","Resource":"*","Condition":{"StringEquals":{"aws:PrincipalTag/team":"red"}}},
		{"Effect":"Allow","Action":"a:Color","Resource":"*","Condition":{"Null":{"aws:PrincipalTag/Color":"false"}}},
		{"Effect":"Allow","Action":"a:Source","Resource":"*","Condition":{"StringEquals":{"aws:SourceIdentity":"alice"}}}]}`})
	for action, want := range map[string]iam.Outcome{"a:Team": iam.Allowed, "a:Color": iam.ImplicitDeny, "a:Source": iam.Allowed} {
		if got := w.outcome(w.caller(chained.id, chained.token), action, "*"); got != want {
			t.Errorf("%s: %v", action, got)
		}
	}
	w.must("UpdateAssumeRolePolicy", m{"RoleName": "second", "PolicyDocument": strings.ReplaceAll(trustAccount, `,"sts:TagSession"`, "")})
	w.fails(caller, "AssumeRole", m{"RoleArn": second, "RoleSessionName": "test"}, "not authorized to perform: sts:TagSession")
	w.must("UpdateAssumeRolePolicy", m{"RoleName": "second", "PolicyDocument": strings.ReplaceAll(trustAccount, `,"sts:SetSourceIdentity"`, "")})
	w.fails(caller, "AssumeRole", m{"RoleArn": second, "RoleSessionName": "test"}, "not authorized to perform: sts:SetSourceIdentity")
}

func TestAssumeRoleIsRefused(t *testing.T) {
	w := newWorld(t)
	bob := w.user("bob", "sts:*")
	nobody := w.user("nobody")
	role := w.role("app", trustAccount)
	external := w.role("external", `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":{"AWS":"`+account+`"},"Action":"sts:AssumeRole","Condition":{"StringEquals":{"sts:ExternalId":"secret/1"}}}}`)
	in := func(more m) m {
		all := m{"RoleArn": role, "RoleSessionName": "test"}
		for name, value := range more {
			all[name] = value
		}
		return all
	}
	w.mustAs(bob, "AssumeRole", in(nil))
	w.mustAs(bob, "AssumeRole", in(m{"RoleArn": external, "ExternalId": "secret/1"}))
	const notAuthorized = "AccessDenied: User: arn:aws:iam::123456789012:user/bob is not authorized to perform: sts:AssumeRole on resource: "
	for name, test := range map[string]struct {
		in   m
		want string
	}{
		"no such role":           {in(m{"RoleArn": "arn:aws:iam::123456789012:role/none"}), notAuthorized + "arn:aws:iam::123456789012:role/none"},
		"another path":           {in(m{"RoleArn": "arn:aws:iam::123456789012:role/x/app"}), notAuthorized},
		"another account":        {in(m{"RoleArn": "arn:aws:iam::210987654321:role/app"}), notAuthorized},
		"no external id":         {in(m{"RoleArn": external}), notAuthorized + external},
		"another external id":    {in(m{"RoleArn": external, "ExternalId": "secret/2"}), notAuthorized},
		"a bad external id":      {in(m{"RoleArn": external, "ExternalId": "se cret"}), "'externalId' failed to satisfy constraint"},
		"no ARN":                 {in(m{"RoleArn": "role/app/role/app/role/app"}), "ValidationError: role/app/role/app/role/app is invalid"},
		"a session name's sign":  {in(m{"RoleSessionName": "Session1:2"}), `1 validation error detected: Value 'Session1:2' at 'roleSessionName' failed to satisfy constraint: Member must satisfy regular expression pattern: [\w+=,.@-]*`},
		"a short session name":   {in(m{"RoleSessionName": "x"}), "length between 2 and 64"},
		"too short a life":       {in(m{"DurationSeconds": 899}), "greater than or equal to 900"},
		"too long a life":        {in(m{"DurationSeconds": 43201}), "less than or equal to 43200"},
		"longer than the role's": {in(m{"DurationSeconds": 3601}), "exceeds the MaxSessionDuration set for this role"},
		"no such managed policy": {in(m{"PolicyArns": []m{{"arn": "arn:aws:iam::aws:policy/None"}}}), "NoSuchEntity"},
		"a tag of AWS":           {in(m{"Tags": []m{{"Key": "aws:x", "Value": "1"}}}), "aws: prefixed tag key names"},
		"duplicate tags":         {in(m{"Tags": []m{{"Key": "x", "Value": "1"}, {"Key": "X", "Value": "2"}}}), "Duplicate tag keys found"},
		"transitive without tag": {in(m{"TransitiveTagKeys": []string{"x"}}), "is not among the tags"},
		"MFA":                    {in(m{"SerialNumber": "arn:aws:iam::123456789012:mfa/bob", "TokenCode": "123456"}), "MultiFactorAuthentication failed"},
		"a foreign context":      {in(m{"ProvidedContexts": []m{{"ProviderArn": "x", "ContextAssertion": "y"}}}), "ProvidedContexts"},
	} {
		t.Run(name, func(t *testing.T) { w.t = t; w.fails(bob, "AssumeRole", test.in, test.want) })
	}
	w.t = t
	w.fails(nobody, "AssumeRole", in(nil), "AccessDenied: User: arn:aws:iam::123456789012:user/nobody is not authorized to perform: sts:AssumeRole")
	w.fails(nil, "AssumeRole", in(nil), "AccessDenied")
	for _, operation := range []string{"GetFederationToken", "DecodeAuthorizationMessage", "AssumeRoleWithSAML", "AssumeRoot"} {
		w.fails(w.admin, operation, m{"Name": "x", "PolicyArns": []m{{"arn": "y"}}}, "NotImplemented: roost does not support "+operation)
	}
}

// A trust policy that names a user is bound to that user, not to its name (IAM
// User Guide, "AWS JSON policy elements: Principal").
func TestTrustedPrincipalsAreBoundToTheirIds(t *testing.T) {
	w := newWorld(t)
	bob := w.user("bob")
	trust := `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":["arn:aws:iam::123456789012:user/bob","123456789012"]},` +
		`"Action":"sts:AssumeRole","Condition":{"StringEquals":{"aws:PrincipalArn":"arn:aws:iam::123456789012:user/bob"}}}]}`
	role := w.role("app", trust)
	w.assume(bob, role, nil) // named in person, so that no policy of the user's is needed
	shown := func() string {
		return unescape(t, w.must("GetRole", m{"RoleName": "app"})["Role"].(m)["AssumeRolePolicyDocument"].(string))
	}
	if want := strings.ReplaceAll(trust, `"123456789012"`, `"arn:aws:iam::123456789012:root"`); shown() != want {
		t.Errorf("shown as\n%s, want\n%s", shown(), want)
	}
	w.must("DeleteAccessKey", m{"UserName": "bob", "AccessKeyId": bob.AccessKeyID})
	w.must("DeleteUser", m{"UserName": "bob"})
	if strings.Contains(shown(), `AWS":["arn:aws:iam::123456789012:user/bob"`) || !strings.Contains(shown(), "AIDA") {
		t.Errorf("after the user is deleted the policy is shown as %s", shown())
	}
	again := w.user("bob")
	w.fails(again, "AssumeRole", m{"RoleArn": role, "RoleSessionName": "test"}, "AccessDenied")
	w.fails(w.admin, "CreateRole", m{"RoleName": "x", "AssumeRolePolicyDocument": strings.ReplaceAll(trust, "user/bob", "user/none")},
		`MalformedPolicyDocument: Invalid principal in policy: "AWS":"arn:aws:iam::123456789012:user/none"`)
}

func TestCallerIdentityIsAlwaysTold(t *testing.T) {
	w := newWorld(t)
	w.must("CreateUser", m{"UserName": "eve"})
	w.must("PutUserPolicy", m{"UserName": "eve", "PolicyName": "none", "PolicyDocument": `{"Version":"2012-10-17","Statement":{"Effect":"Deny","Action":"*","Resource":"*"}}`})
	key := w.must("CreateAccessKey", m{"UserName": "eve"})["AccessKey"].(m)
	eve := w.caller(key["AccessKeyId"].(string), "")
	out := w.mustAs(eve, "GetCallerIdentity", nil)
	if out["Arn"] != "arn:aws:iam::123456789012:user/eve" || out["Account"] != account || out["UserId"] != eve.UserID {
		t.Errorf("%v", out)
	}
	w.fails(eve, "GetAccessKeyInfo", m{"AccessKeyId": w.adminKey[0]}, "AccessDenied: User: arn:aws:iam::123456789012:user/eve is not authorized to perform: sts:GetAccessKeyInfo on resource: * with an explicit deny in an identity-based policy")
	w.fails(nil, "GetCallerIdentity", nil, "MissingAuthenticationToken")
	w.must("GetAccessKeyInfo", m{"AccessKeyId": w.adminKey[0]})
	w.fails(w.admin, "GetAccessKeyInfo", m{"AccessKeyId": "AKIAAAAAAAAAAAAAAAAA"}, "not of this account")
}

const trustCognito = `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":{"Federated":"cognito-identity.amazonaws.com"},"Action":"sts:AssumeRoleWithWebIdentity",
	"Condition":{"StringEquals":{"cognito-identity.amazonaws.com:aud":"us-east-1:pool"},"ForAnyValue:StringLike":{"cognito-identity.amazonaws.com:amr":"authenticated"}}}}`

func TestWebIdentities(t *testing.T) {
	w := newWorld(t)
	role := w.role("auth", trustCognito)
	w.must("PutRolePolicy", m{"RoleName": "auth", "PolicyName": "own", "PolicyDocument": `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"s3:GetObject","Resource":"arn:aws:s3:::b/${cognito-identity.amazonaws.com:sub}/*"}}`})
	in := m{"RoleArn": role, "RoleSessionName": "web", "WebIdentityToken": "token"}
	w.fails(nil, "AssumeRoleWithWebIdentity", in, "InvalidIdentityToken: not a token")
	const cognito = "cognito-identity.amazonaws.com"
	w.identity = &access.WebIdentity{Provider: cognito, Issuer: cognito, Subject: "us-east-1:me", Audience: "us-east-1:pool", AMR: []string{"authenticated", "api.twitter.com"}}
	out, err := w.try(nil, "AssumeRoleWithWebIdentity", in)
	if err != nil {
		t.Fatal(err)
	}
	c := given(out)
	caller := w.caller(c.id, c.token)
	if caller.Cognito == nil || caller.Cognito.IdentityID != "us-east-1:me" || caller.Cognito.PoolID != "us-east-1:pool" {
		t.Errorf("%+v", caller.Cognito)
	}
	for key, want := range map[string]iam.Outcome{"arn:aws:s3:::b/us-east-1:me/x": iam.Allowed, "arn:aws:s3:::b/us-east-1:you/x": iam.ImplicitDeny} {
		if got := w.outcome(caller, "s3:GetObject", key); got != want {
			t.Errorf("%s: %v", key, got)
		}
	}
	for name, change := range map[string]func(*access.WebIdentity){
		"another pool":     func(i *access.WebIdentity) { i.Audience = "us-east-1:other" },
		"a guest":          func(i *access.WebIdentity) { i.AMR = []string{"unauthenticated"} },
		"another provider": func(i *access.WebIdentity) { i.Provider = "arn:aws:iam::123456789012:oidc-provider/x" },
		"tags":             func(i *access.WebIdentity) { i.Tags = map[string]string{"a": "b"} }, // without sts:TagSession
	} {
		changed := *w.identity
		w.identity = &changed
		before := changed
		change(&changed)
		w.fails(nil, "AssumeRoleWithWebIdentity", in, "AccessDenied: Not authorized to perform sts:")
		w.identity = &before
		_ = name
	}
	w.fails(nil, "AssumeRoleWithWebIdentity", m{"RoleArn": "arn:aws:iam::123456789012:role/none", "RoleSessionName": "web", "WebIdentityToken": "token"}, "AccessDenied: Not authorized to perform sts:AssumeRoleWithWebIdentity")
	w.fails(nil, "AssumeRoleWithWebIdentity", m{"RoleArn": role, "RoleSessionName": "web", "WebIdentityToken": "token", "ProviderId": "www.amazon.com"}, "ProviderId")
	w.fails(w.admin, "AssumeRole", m{"RoleArn": role, "RoleSessionName": "web"}, "AccessDenied")
}

func TestServicesGetRolesThatTrustThem(t *testing.T) {
	w := newWorld(t)
	role := w.role("fn", `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":{"Service":"lambda.amazonaws.com"},"Action":"sts:AssumeRole"}}`)
	given, err := w.access.ServiceCredentials("lambda.amazonaws.com", role, "fn")
	if err != nil {
		t.Fatal(err)
	}
	if caller := w.caller(given.AccessKeyID, given.SessionToken); caller.ARN != "arn:aws:sts::123456789012:assumed-role/fn/fn" {
		t.Errorf("%+v", caller)
	}
	if _, err := w.access.ServiceCredentials("cloudformation.amazonaws.com", role, "cfn"); err == nil || !strings.Contains(err.Error(), "does not trust cloudformation.amazonaws.com") {
		t.Errorf("a service that is not trusted: %v", err)
	}
	if _, err := w.access.RoleCaller("cloudformation.amazonaws.com", role); err == nil {
		t.Error("a stack may act as a role that does not trust CloudFormation")
	}
	w.fails(w.admin, "AssumeRole", m{"RoleArn": role, "RoleSessionName": "me"}, "AccessDenied")
	if _, err := w.access.CallerFor(role); err != nil {
		t.Error(err)
	}
	if _, err := w.access.CallerFor("arn:aws:iam::123456789012:role/none"); err == nil {
		t.Error("a role that is not there is a caller")
	}
}
