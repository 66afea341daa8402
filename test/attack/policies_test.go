package attack

import (
	"encoding/xml"
	"net/url"
	"strings"
	"testing"
)

const form = "application/x-www-form-urlencoded"

// iam calls IAM as the administrator.
func (g *target) iam(action string, parameters ...string) {
	g.t.Helper()
	values := url.Values{"Action": {action}, "Version": {"2010-05-08"}}
	for i := 0; i < len(parameters); i += 2 {
		values.Set(parameters[i], parameters[i+1])
	}
	g.query("iam", values, nil)
}

// assume asks for a session of a role, and returns it, or the error's code.
func (g *target) assume(as credentials, parameters ...string) (credentials, string) {
	g.t.Helper()
	values := url.Values{"Action": {"AssumeRole"}, "Version": {"2011-06-15"}, "RoleSessionName": {"session"}}
	for i := 0; i < len(parameters); i += 2 {
		values.Set(parameters[i], parameters[i+1])
	}
	var made struct {
		ID     string `xml:"AssumeRoleResult>Credentials>AccessKeyId"`
		Secret string `xml:"AssumeRoleResult>Credentials>SecretAccessKey"`
		Token  string `xml:"AssumeRoleResult>Credentials>SessionToken"`
		Code   string `xml:"Error>Code"`
	}
	_, body := g.send(as, "sts", "POST", "/", form, values.Encode())
	if err := xml.Unmarshal(body, &made); err != nil {
		g.t.Fatalf("%v: %s", err, body)
	}
	return credentials{AccessKeyID: made.ID, SecretAccessKey: made.Secret, SessionToken: made.Token}, made.Code
}

// get calls a route, and returns the status.
func (g *target) get(as credentials, path string) int {
	g.t.Helper()
	answers := g.talk(g.api, g.signed("GET", path, signing{as: as}).String())
	if len(answers) != 1 {
		g.t.Fatalf("%v", answers)
	}
	return answers[0].status
}

func roleARN(name string) string { return "arn:aws:iam::123456789012:role/" + name }

func trusts(principal, actions string) string {
	return `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":{"AWS":"` + principal + `"},"Action":` + actions + `}}`
}

func (g *target) mayInvoke(routes string) string {
	return `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"execute-api:Invoke","Resource":"arn:aws:execute-api:us-east-1:123456789012:` + g.apiID + `/$default/` + routes + `"}}`
}

// TestValuesThatCallersChoose puts wildcards and variables where a policy takes
// in what its caller has a say in: they are characters like any other.
func TestValuesThatCallersChoose(t *testing.T) {
	g := newTarget(t)
	g.iam("CreateRole", "RoleName", "team", "AssumeRolePolicyDocument", trusts("123456789012", `["sts:AssumeRole","sts:TagSession"]`))
	g.iam("PutRolePolicy", "RoleName", "team", "PolicyName", "own", "PolicyDocument", g.mayInvoke("GET/${aws:PrincipalTag/team}"))
	for tag, want := range map[string]int{ // 0: STS refuses such a value
		"public": 200, "private": 403, "PUBLIC": 403, "": 403, "public/": 403, "public/../private": 403,
		"*": 0, "p*": 0, "?ublic": 0, "${*}": 0, "${aws:username}": 0,
	} {
		session, code := g.assume(g.admin, "RoleArn", roleARN("team"), "Tags.member.1.Key", "team", "Tags.member.1.Value", tag)
		switch {
		case code == "" && want != 0:
			if got := g.get(session, "/public"); got != want {
				t.Errorf("with the tag %q: %d, want %d", tag, got, want)
			}
		case code != "ValidationError" || want != 0:
			t.Errorf("with the tag %q: %q", tag, code)
		}
	}
	untagged, _ := g.assume(g.admin, "RoleArn", roleARN("team"))
	if got := g.get(untagged, "/public"); got != 403 {
		t.Errorf("without the tag: %d", got)
	}
	// A user's name that a role's session does not have, and a session's name
	// that looks like something else.
	g.iam("PutRolePolicy", "RoleName", "team", "PolicyName", "own", "PolicyDocument", g.mayInvoke("GET/${aws:username}"))
	for _, name := range []string{"public", "alice", "CognitoIdentityCredentials"} {
		session, _ := g.assume(g.admin, "RoleArn", roleARN("team"), "RoleSessionName", name)
		if got := g.get(session, "/public"); got != 403 {
			t.Errorf("a session %s: %d", name, got)
		}
	}
	for _, name := range []string{"a/b", "a:b", "*", "a b", "..%2f", "\u0430lice", "a\x00b", "x", strings.Repeat("x", 65)} {
		if _, code := g.assume(g.admin, "RoleArn", roleARN("team"), "RoleSessionName", name); code != "ValidationError" {
			t.Errorf("a session's name %q: %q", name, code)
		}
	}
}

// TestNamesOfRoles asks for roles by what is nearly their ARN.
func TestNamesOfRoles(t *testing.T) {
	g := newTarget(t)
	g.iam("CreateRole", "RoleName", "Hers", "Path", "/team/", "AssumeRolePolicyDocument", trusts("arn:aws:iam::123456789012:user/alice", `"sts:AssumeRole"`))
	if _, code := g.assume(g.alice, "RoleArn", roleARN("team/Hers")); code != "" {
		t.Fatalf("alice: %s", code)
	}
	for _, arn := range []string{
		"arn:aws:iam::123456789012:role/team/hers", "arn:aws:iam::123456789012:role/TEAM/Hers", "arn:aws:iam::123456789012:role/Hers",
		"arn:aws:iam::123456789012:role//team/Hers", "arn:aws:iam::123456789012:role/team/../team/Hers", "arn:aws:iam::123456789012:role/team/*",
		"arn:aws:iam::123456789012:role/team/Hers ", "arn:aws:iam:::role/team/Hers", "arn:aws:iam::210987654321:role/team/Hers",
		"arn:aws-cn:iam::123456789012:role/team/Hers", "arn:aws:sts::123456789012:role/team/Hers", "arn:aws:iam:us-east-1:123456789012:role/team/Hers",
		"arn:aws:iam::123456789012:user/team/Hers", "arn:aws:iam::123456789012:role/team/Hers\x00", "ARN:AWS:IAM::123456789012:role/team/Hers",
		"arn:aws:iam::123456789012:role/te\u0430m/Hers", "arn:aws:sts::123456789012:assumed-role/Hers/session",
	} {
		if _, code := g.assume(g.alice, "RoleArn", arn); code != "AccessDenied" && code != "ValidationError" {
			t.Errorf("%q: %q", arn, code)
		}
	}
}

// TestChangesBehindASession changes what a session rests on.
func TestChangesBehindASession(t *testing.T) {
	g := newTarget(t)
	makeRole := func() {
		g.iam("CreateRole", "RoleName", "app", "AssumeRolePolicyDocument", trusts("arn:aws:iam::123456789012:user/alice", `"sts:AssumeRole"`))
		g.iam("PutRolePolicy", "RoleName", "app", "PolicyName", "p", "PolicyDocument", g.mayInvoke("GET/private"))
	}
	makeRole()
	session, code := g.assume(g.alice, "RoleArn", roleARN("app"))
	if got := g.get(session, "/private"); code != "" || got != 200 {
		t.Fatalf("%s, %d", code, got)
	}

	// Whom a role trusts counts when it is assumed, not later.
	g.iam("UpdateAssumeRolePolicy", "RoleName", "app", "PolicyDocument", trusts("arn:aws:iam::123456789012:user/bob", `"sts:AssumeRole"`))
	if got := g.get(session, "/private"); got != 200 {
		t.Errorf("after the role ceased to trust alice: %d", got)
	}
	if _, code := g.assume(g.alice, "RoleArn", roleARN("app")); code != "AccessDenied" {
		t.Errorf("alice again: %q", code)
	}
	// What a role may do counts at each request, and so does its boundary.
	g.iam("PutRolePermissionsBoundary", "RoleName", "app", "PermissionsBoundary", "arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess")
	if got := g.get(session, "/private"); got != 403 {
		t.Errorf("behind a boundary: %d", got)
	}
	g.iam("DeleteRolePermissionsBoundary", "RoleName", "app")
	g.iam("PutRolePolicy", "RoleName", "app", "PolicyName", "p", "PolicyDocument", g.mayInvoke("GET/public"))
	if got := g.get(session, "/private"); got != 403 {
		t.Errorf("after its policy changed: %d", got)
	}
	// A role that is made anew under its name is another one.
	g.iam("DeleteRolePolicy", "RoleName", "app", "PolicyName", "p")
	g.iam("DeleteRole", "RoleName", "app")
	makeRole()
	if got := g.get(session, "/private"); got != 403 {
		t.Errorf("after the role was made anew: %d", got)
	}

	// So is a user: the role goes on trusting the one that is gone.
	mine, code := g.assume(g.alice, "RoleArn", roleARN("app"))
	if code != "" {
		t.Fatal(code)
	}
	g.iam("DeleteAccessKey", "UserName", "alice", "AccessKeyId", g.alice.AccessKeyID)
	g.iam("DeleteUserPolicy", "UserName", "alice", "PolicyName", "may")
	g.iam("DeleteUser", "UserName", "alice")
	if got := g.get(g.alice, "/public"); got != 403 {
		t.Errorf("with a deleted user's key: %d", got)
	}
	if got := g.get(mine, "/private"); got != 200 { // a role's sessions outlive who assumed it
		t.Errorf("a session that a deleted user began: %d", got)
	}
	again := g.user("alice", "GET/public")
	if _, code := g.assume(again, "RoleArn", roleARN("app")); code != "AccessDenied" {
		t.Errorf("another alice: %q", code)
	}
}

// TestSessionsGainNothing lets sessions ask for more than those who began them.
func TestSessionsGainNothing(t *testing.T) {
	g := newTarget(t)
	g.iam("CreateRole", "RoleName", "narrow", "AssumeRolePolicyDocument", trusts("arn:aws:iam::123456789012:user/alice", `"sts:AssumeRole"`))
	g.iam("PutRolePolicy", "RoleName", "narrow", "PolicyName", "p", "PolicyDocument", g.mayInvoke("GET/public"))
	g.iam("CreateRole", "RoleName", "wide", "AssumeRolePolicyDocument", trusts("arn:aws:iam::123456789012:user/bob", `"sts:AssumeRole"`))
	everything := `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}`
	session, code := g.assume(g.alice, "RoleArn", roleARN("narrow"), "Policy", everything)
	if code != "" {
		t.Fatal(code)
	}
	if public, private := g.get(session, "/public"), g.get(session, "/private"); public != 200 || private != 403 {
		t.Errorf("with a session policy that allows all: %d and %d", public, private)
	}
	nothing, _ := g.assume(g.alice, "RoleArn", roleARN("narrow"), "Policy", strings.Replace(everything, "Allow", "Deny", 1))
	if got := g.get(nothing, "/public"); got != 403 {
		t.Errorf("with a session policy that denies all: %d", got)
	}
	for name, call := range map[string]string{
		"the next role":         "Action=AssumeRole&Version=2011-06-15&RoleSessionName=xx&RoleArn=" + url.QueryEscape(roleARN("wide")),
		"its own role":          "Action=AssumeRole&Version=2011-06-15&RoleSessionName=xx&RoleArn=" + url.QueryEscape(roleARN("narrow")),
		"a session of a user":   "Action=GetSessionToken&Version=2011-06-15",
		"a federation token":    "Action=GetFederationToken&Version=2011-06-15&Name=root",
		"the account's session": "Action=AssumeRoot&Version=2011-06-15&TargetPrincipal=123456789012",
	} {
		if status, body := g.send(session, "sts", "POST", "/", form, call); status < 400 {
			t.Errorf("%s: %d %s", name, status, body)
		}
	}
}
