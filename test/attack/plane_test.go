package attack

import (
	"encoding/json"
	"net/url"
	"strings"
	"testing"
	"time"
)

// TestControlPlane attacks the region's own port.
func TestControlPlane(t *testing.T) {
	g := newTarget(t)
	address := strings.TrimPrefix(g.region.Endpoint, "http://")
	const listRoles = "Action=ListRoles&Version=2010-05-08"
	sign := func(as credentials, service, target, contentType, body string, change func(*raw)) string {
		r := g.signed("POST", target, signing{as: as, service: service, host: address, body: body})
		r.set("Content-Type", contentType)
		if change != nil {
			change(&r)
		}
		return r.String()
	}
	unsigned := func(contentType, body string, lines ...string) string {
		r := raw{method: "POST", target: "/", header: append([]string{"Host: " + address, "Content-Type: " + contentType}, lines...), body: body}
		r.set("Content-Length", strings.TrimSpace(itoa(len(body))))
		return r.String()
	}
	session := g.session(g.alice)
	for _, attack := range []struct {
		name, wire string
		status     int
		says       string
	}{
		{"the administrator", sign(g.admin, "iam", "/", form, listRoles, nil), 200, "<ListRolesResult>"},
		{"alice's own identity", sign(g.alice, "sts", "/", form, "Action=GetCallerIdentity&Version=2011-06-15", nil), 200, ":user/alice"},

		{"unsigned", unsigned(form, listRoles), 403, "<Code>MissingAuthenticationToken</Code>"},
		{"without permission", sign(g.alice, "iam", "/", form, listRoles, nil), 403, "User: arn:aws:iam::123456789012:user/alice is not authorized to perform: iam:ListRoles on resource: arn:aws:iam::123456789012:role/* because no identity-based policy allows the iam:ListRoles action"},
		{"one action in the query, another in the body", sign(g.alice, "sts", "/?Action=GetCallerIdentity&Version=2011-06-15", form, "Action=GetAccessKeyInfo&Version=2011-06-15&AccessKeyId="+g.admin.AccessKeyID, nil), 403, "sts:GetAccessKeyInfo"},
		{"an action of another service than the signature's", sign(g.alice, "sts", "/", form, listRoles, nil), 400, "InvalidAction"},
		{"another service's target", sign(g.alice, "sts", "/", "application/x-amz-json-1.1", "{}", func(r *raw) { r.set("X-Amz-Target", "Roost.ListUses") }), 400, "InvalidAction"},
		{"the records of refusals", sign(g.alice, "roost", "/", "application/x-amz-json-1.1", "{}", func(r *raw) { r.set("X-Amz-Target", "Roost.Explain") }), 400, "AccessDeniedException"},
		{"the records of refusals, unsigned", unsigned("application/x-amz-json-1.1", "{}", "X-Amz-Target: Roost.Explain"), 400, "MissingAuthenticationToken"},
		{"a body changed", sign(g.admin, "iam", "/", form, listRoles, func(r *raw) { r.body = strings.Replace(r.body, "Roles", "Users", 1) }), 403, "<Code>SignatureDoesNotMatch</Code>"},
		{"an unsigned payload", sign(g.admin, "iam", "/", form, listRoles, func(r *raw) {
			r.set("X-Amz-Content-Sha256", "UNSIGNED-PAYLOAD")
			r.body = strings.Replace(r.body, "Roles", "Users", 1)
		}), 403, "<Code>SignatureDoesNotMatch</Code>"},
		{"IAM with a session of GetSessionToken", sign(session, "iam", "/", form, "Action=GetUser&Version=2010-05-08", nil), 403, "<Code>InvalidClientTokenId</Code>"},
		{"a role that is not there", sign(g.alice, "sts", "/", form, "Action=AssumeRole&Version=2011-06-15&RoleSessionName=xx&RoleArn=arn:aws:iam::123456789012:role/none", nil), 403, "is not authorized to perform: sts:AssumeRole on resource: arn:aws:iam::123456789012:role/none"},
		{"a token that nobody signed", unsigned(form, "Action=AssumeRoleWithWebIdentity&Version=2011-06-15&RoleSessionName=xx&RoleArn=arn:aws:iam::123456789012:role/none&WebIdentityToken=eyJhbGciOiJub25lIn0.e30."), 400, "<Code>InvalidIdentityToken</Code>"},
		{"a parameter that nobody knows", sign(g.admin, "iam", "/", form, listRoles+"&Sudo=1", nil), 400, "ValidationError"},
		{"parameters nested deep", sign(g.admin, "iam", "/", form, listRoles+"&"+strings.Repeat("a.", 1000)+"b=1", nil), 400, "nests too deep"},
		{"a policy with an element twice", putPolicy(g, sign, `{"Version":"2012-10-17","Statement":{"Effect":"Deny","Effect":"Allow","Action":"*","Resource":"*"}}`), 400, "<Code>MalformedPolicyDocument</Code>"},
		{"a policy with NUL", putPolicy(g, sign, "{\"Version\":\"2012-10-17\",\"Statement\":[]\x00}"), 400, "<Code>ValidationError</Code>"},
		{"a policy with invalid UTF-8", putPolicy(g, sign, "{\"Version\":\"2012-10-17\xff\",\"Statement\":[]}"), 400, "<Code>ValidationError</Code>"},
		{"a policy with more behind it", putPolicy(g, sign, `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"s3:*","Resource":"*"}}{}`), 400, "<Code>MalformedPolicyDocument</Code>"},
		{"a policy that nests deep", putPolicy(g, sign, strings.Repeat("[", 1000)), 400, "<Code>MalformedPolicyDocument</Code>"},
	} {
		t.Run(attack.name, func(t *testing.T) {
			g.t = t
			got := g.talk(address, attack.wire)
			if len(got) != 1 || got[0].status != attack.status || !strings.Contains(got[0].body, attack.says) {
				t.Errorf("the answer is %v, want %d with %q", got, attack.status, attack.says)
			}
		})
	}
}

func itoa(n int) string {
	data, _ := json.Marshal(n) // numbers always marshal
	return string(data)
}

func putPolicy(g *target, sign func(credentials, string, string, string, string, func(*raw)) string, document string) string {
	form := url.Values{"Action": {"PutUserPolicy"}, "Version": {"2010-05-08"}, "UserName": {"alice"}, "PolicyName": {"more"}, "PolicyDocument": {document}}
	return sign(g.admin, "iam", "/", "application/x-www-form-urlencoded", form.Encode(), nil)
}

// TestPrincipalsThatLookLikeOthers makes users and roles whose names and paths
// come near to those of somebody who is trusted.
func TestPrincipalsThatLookLikeOthers(t *testing.T) {
	g := newTarget(t)
	make := func(form url.Values) (int, string) {
		form.Set("Version", "2010-05-08")
		status, body := g.send(g.admin, "iam", "POST", "/", "application/x-www-form-urlencoded", form.Encode())
		return status, string(body)
	}
	trust := `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::123456789012:user/alice"},"Action":"sts:AssumeRole"}}`
	if status, body := make(url.Values{"Action": {"CreateRole"}, "RoleName": {"hers"}, "AssumeRolePolicyDocument": {trust}}); status != 200 {
		t.Fatal(body)
	}
	for name, form := range map[string]url.Values{
		"in other letters":    {"Action": {"CreateUser"}, "UserName": {"Alice"}},
		"with a blank":        {"Action": {"CreateUser"}, "UserName": {"alice "}},
		"with a slash":        {"Action": {"CreateUser"}, "UserName": {"x/alice"}},
		"with a colon":        {"Action": {"CreateUser"}, "UserName": {"alice:x"}},
		"with a star":         {"Action": {"CreateUser"}, "UserName": {"alic*"}},
		"with a Cyrillic a":   {"Action": {"CreateUser"}, "UserName": {"\u0430lice"}},
		"with a path upwards": {"Action": {"CreateUser"}, "UserName": {"eve"}, "Path": {"alice"}},
	} {
		if status, body := make(form); status < 400 || status >= 500 {
			t.Errorf("%s: %d %s", name, status, body)
		}
	}
	assume := func(as credentials) int {
		status, _ := g.send(as, "sts", "POST", "/", "application/x-www-form-urlencoded", "Action=AssumeRole&Version=2011-06-15&RoleSessionName=xx&RoleArn=arn:aws:iam::123456789012:role/hers")
		return status
	}
	if got := assume(g.alice); got != 200 {
		t.Errorf("alice: %d", got)
	}
	for _, lookalike := range []string{"alice.", "alice-", "alic", "root"} {
		if got := assume(g.user(lookalike, "*")); got != 403 {
			t.Errorf("%s: %d", lookalike, got)
		}
	}
	if got := assume(g.bob); got != 403 {
		t.Errorf("bob: %d", got)
	}
}

// TestSessionsEnd lets a session's time pass on the region's clock.
func TestSessionsEnd(t *testing.T) {
	g := newTarget(t)
	session := g.session(g.bob)
	call := func() int {
		answers := g.talk(g.api, g.signed("GET", "/private", signing{as: session}).String())
		if len(answers) != 1 {
			t.Fatalf("%v", answers)
		}
		return answers[0].status
	}
	if got := call(); got != 200 {
		t.Errorf("at first: %d", got)
	}
	g.skew.Store(int64(900*time.Second + time.Second))
	if got := call(); got != 403 {
		t.Errorf("a second after its end: %d", got)
	}
}

// TestRefusalsAreExplained asks the region about requests that it refused: what
// their client did not see is in the records, and no secret is.
func TestRefusalsAreExplained(t *testing.T) {
	g := newTarget(t)
	explain := func() string {
		t.Helper()
		r := g.signed("POST", "/", signing{as: g.admin, service: "roost", host: strings.TrimPrefix(g.region.Endpoint, "http://"), body: "{}"})
		r.set("Content-Type", "application/x-amz-json-1.1")
		r.set("X-Amz-Target", "Roost.Explain")
		answers := g.talk(strings.TrimPrefix(g.region.Endpoint, "http://"), r.String())
		if len(answers) != 1 || answers[0].status != 200 {
			t.Fatalf("%v", answers)
		}
		return answers[0].body
	}
	session := g.session(g.bob)
	wrong := session
	wrong.SecretAccessKey = g.alice.SecretAccessKey
	for _, test := range []struct {
		name   string
		refuse func()
		says   []string
	}{
		{"a policy of the control plane", func() { g.send(g.alice, "iam", "POST", "/", form, "Action=ListRoles&Version=2010-05-08") },
			[]string{`"operation":"ListRoles"`, `"action":"iam:ListRoles"`, `"element":"Action"`, `"caller":"arn:aws:iam::123456789012:user/alice"`, "to user alice"}},
		{"a signature of the control plane", func() { g.send(wrong, "iam", "POST", "/", form, "Action=ListRoles&Version=2010-05-08") },
			[]string{`"code":"SignatureDoesNotMatch"`, `"canonicalRequest":"POST\n/\n`, `"stringToSign":"AWS4-HMAC-SHA256\n`, session.AccessKeyID}},
		{"a policy of an API", func() { g.talk(g.api, g.signed("GET", "/private", signing{as: g.alice}).String()) },
			[]string{`"routeKey":"GET /private"`, `"action":"execute-api:Invoke"`, `"element":"Resource"`, "to user alice"}},
		{"a signature of an API", func() { g.talk(g.api, g.signed("GET", "/private", signing{as: wrong}).String()) },
			[]string{`"sentence":"`, `"canonicalRequest":"GET\n/private\n`}},
	} {
		t.Run(test.name, func(t *testing.T) {
			test.refuse()
			record := explain()
			for _, want := range test.says {
				if !strings.Contains(record, want) {
					t.Errorf("no %s in\n%s", want, record)
				}
			}
			for _, secret := range []string{session.SessionToken, session.SecretAccessKey, g.alice.SecretAccessKey} {
				if strings.Contains(record, secret) {
					t.Errorf("a secret is in\n%s", record)
				}
			}
		})
	}
}
