package iam_test

import (
	"encoding/json"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/seed-615d3599/roost/iam"
)

// randomCase is a request with policies, all drawn from small vocabularies so
// that they often have to do with each other.
type randomCase struct {
	identity, boundary, session, resource []string
	trust                                 bool
	owner                                 string
	request                               iam.Request
}

var (
	drawAction = rapid.SampledFrom([]string{"s3:GetObject", "s3:PutObject", "S3:getobject", "sts:AssumeRole", "execute-api:Invoke", "s3", "s3:"})
	drawOnText = rapid.SampledFrom([]string{"*", "s3:*", "s3:Get*", "s3:?etObject", "S3:GETOBJECT", "execute-api:Invoke", "*:*", "s3:P*t*", "*:GetObject", "s3:*Object"})
	drawARN    = rapid.SampledFrom([]string{
		"arn:aws:s3:::b/bob/k", "arn:aws:s3:::b", "*", "arn:aws:s3:::b/${aws:username}/k", "arn:aws:s3:::b/*/k",
		"arn:aws:execute-api:us-east-1:111111111111:api/$default/GET/a:b", "arn:aws:execute-api:eu-west-1:222222222222:api/p/GET/x:111111111111:api/y",
	})
	drawOnARN = rapid.SampledFrom([]string{
		"*", "arn:aws:s3:::b/*", "arn:aws:s3:::b", "arn:aws:s3:::b/${aws:username}/*", "arn:aws:s3:::b/${aws:username, 'bob'}/k", "arn:aws:s3:::b/${*}/k",
		"arn:aws:execute-api:*:111111111111:api/*", "arn:aws:execute-api:us-*:*:*:b", "arn:aws:s3:*", "arn:*", "arn:aws:*:*:${x:account}:api/*", "arn:aws:s3:::b/b?b/k*",
	})
	drawKey   = rapid.SampledFrom([]string{"aws:username", "x:a", "x:many", "x:account", "AWS:UserName", "X:Many"})
	drawValue = rapid.SampledFrom([]string{"", "bob", "BOB", "b*b", "1", "1.0", "10", "2020", "2020-01-01T00:00:00Z", "1577836800", "true", "False",
		"10.0.0.1", "2001:db8::1", "arn:aws:s3:::b/bob", "arn:aws:s3:us-east-1:1:b:c", "111111111111", "MTA="})
	drawPrincipals = rapid.SampledFrom([]iam.Principal{bob, session, root, gateway, cognito, anonymous,
		{Kind: iam.User, ARN: "arn:aws:iam::222222222222:user/bob", Account: there, ID: "AIDAOTHEROTHEROTHER1"}})
	drawNamed = rapid.SampledFrom([]string{`"*"`, `{"AWS": "*"}`, `{"AWS": "111111111111"}`, `{"AWS": ["arn:aws:iam::222222222222:root", "111111111111"]}`,
		`{"AWS": "arn:aws:iam::111111111111:user/bob"}`, `{"AWS": ["arn:aws:iam::111111111111:user/bob", "111111111111"]}`, `{"AWS": "AIDABOBBOBBOBBOBBOBB"}`,
		`{"AWS": "arn:aws:iam::111111111111:role/p/r"}`, `{"AWS": "arn:aws:sts::111111111111:assumed-role/r/s"}`,
		`{"AWS": ["arn:aws:sts::111111111111:assumed-role/r/s", "arn:aws:iam::111111111111:role/p/r", "111111111111"]}`,
		`{"Service": "apigateway.amazonaws.com"}`, `{"Federated": "cognito-identity.amazonaws.com", "AWS": "arn:aws:iam::222222222222:user/bob"}`})
)

// Values of policies by the kind of operator that takes them.
var drawConditionValue = map[string]*rapid.Generator[string]{
	"String":  rapid.SampledFrom([]string{"", "bob", "BOB", "b*b", "b?b", "*", "${aws:username}", "${x:many}", "${x:a, 'bob'}", "${*}", "b${*}b", "1"}),
	"Arn":     rapid.SampledFrom([]string{"*", "arn:aws:s3:::b/bob", "arn:aws:s3:*:*:b", "arn:aws:s3:::*", "arn:aws:s3:::b/${aws:username}", "arn:aws:s3:*"}),
	"Numeric": rapid.SampledFrom([]string{"1", "1.0", "10", "2020", "1577836800", "-5"}),
	"Date":    rapid.SampledFrom([]string{"2020", "2020-01-01", "2020-01-01T00:00:00Z", "1577836800", "2019-12-31T23:59:59.5Z", "10"}),
	"Bool":    rapid.SampledFrom([]string{"true", "false", "TRUE"}),
	"Binary":  rapid.SampledFrom([]string{"MTA=", "", "Ym9i"}),
	"Ip":      rapid.SampledFrom([]string{"10.0.0.0/8", "10.0.0.1", "2001:db8::/32", "0.0.0.0/0"}),
	"Null":    rapid.SampledFrom([]string{"true", "false"}),
}

func drawOperator(t *rapid.T) (name, kind string) {
	op := rapid.SampledFrom(append(everyOperator, everyOperator[0])).Draw(t, "operator").operator
	if rapid.IntRange(0, 20).Draw(t, "null") == 0 {
		return "Null", "Null"
	}
	for kind = range drawConditionValue {
		if strings.HasPrefix(strings.TrimPrefix(op, "Not"), kind) {
			break
		}
	}
	before := rapid.SampledFrom([]string{"", "", "ForAllValues:", "ForAnyValue:"}).Draw(t, "before")
	after := rapid.SampledFrom([]string{"", "", "IfExists"}).Draw(t, "after")
	return before + op + after, kind
}

func drawStatement(t *rapid.T, parse string) map[string]any {
	s := map[string]any{"Effect": rapid.SampledFrom([]string{"Allow", "Allow", "Allow", "Deny"}).Draw(t, "effect")}
	maybeNot := func(element string) string {
		return rapid.SampledFrom([]string{element, element, element, "Not" + element}).Draw(t, "not")
	}
	s[maybeNot("Action")] = rapid.SliceOfN(drawOnText, 1, 2).Draw(t, "actions")
	if parse == "trust" {
		for _, name := range []string{"Action", "NotAction"} {
			if _, ok := s[name]; ok {
				s[name] = rapid.SampledFrom([]string{"sts:*", "sts:AssumeRole", "sts:Tag*"}).Draw(t, "action")
			}
		}
	} else {
		s[maybeNot("Resource")] = rapid.SliceOfN(drawOnARN, 1, 2).Draw(t, "resources")
	}
	if parse != "identity" {
		element := "Principal"
		if s["Effect"] == "Deny" && parse == "resource" {
			element = maybeNot(element)
		}
		s[element] = json.RawMessage(drawNamed.Draw(t, "principal"))
	}
	if n := rapid.IntRange(0, 2).Draw(t, "conditions"); n > 0 {
		conditions := map[string]any{}
		for range n {
			name, kind := drawOperator(t)
			key := drawKey.Draw(t, "key")
			conditions[name] = map[string]any{key: rapid.SliceOfN(drawConditionValue[kind], 0, 2).Draw(t, "values")}
		}
		s["Condition"] = conditions
	}
	return s
}

func drawDocuments(t *rapid.T, kind string, least, most int) []string {
	var documents []string
	for range rapid.IntRange(least, most).Draw(t, kind) {
		var statements []map[string]any
		for range rapid.IntRange(1, 3).Draw(t, "statements") {
			statements = append(statements, drawStatement(t, kind))
		}
		text, err := json.Marshal(map[string]any{
			"Version":   rapid.SampledFrom([]string{"2012-10-17", "2012-10-17", "2008-10-17"}).Draw(t, "version"),
			"Statement": statements,
		})
		if err != nil {
			t.Fatal(err)
		}
		documents = append(documents, string(text))
	}
	return documents
}

func drawCase(t *rapid.T) *randomCase {
	c := &randomCase{
		identity: drawDocuments(t, "identity", 0, 2),
		boundary: drawDocuments(t, "identity", 0, 1),
		session:  drawDocuments(t, "identity", 0, 2),
		trust:    rapid.Bool().Draw(t, "trust"),
		owner:    rapid.SampledFrom([]string{here, here, there}).Draw(t, "owner"),
	}
	kind := "resource"
	least := 0
	if c.trust {
		kind, least = "trust", 1
	}
	c.resource = drawDocuments(t, kind, least, 1)
	c.request = iam.Request{Principal: drawPrincipals.Draw(t, "principal"), Action: drawAction.Draw(t, "action"), Resource: drawARN.Draw(t, "resource")}
	for _, name := range []string{"aws:username", "x:a", "x:account"} {
		if rapid.IntRange(0, 2).Draw(t, "present") > 0 {
			c.request.Context = append(c.request.Context, iam.Key{Name: name, Value: drawValue.Draw(t, "value")})
		}
	}
	if rapid.Bool().Draw(t, "present") {
		values := append([]string{}, rapid.SliceOfN(drawValue, 0, 3).Draw(t, "values")...)
		c.request.Context = append(c.request.Context, iam.Key{Name: "X:many", Values: values})
	}
	return c
}

func (c *randomCase) policies(t *rapid.T) iam.Policies {
	attach := func(parse parseFunc, documents []string) []iam.Attached {
		var all []iam.Attached
		for _, text := range documents {
			policy, err := parse([]byte(text))
			if err != nil {
				t.Fatalf("%v\n%s", err, text)
			}
			all = append(all, iam.Attached{Policy: policy})
		}
		return all
	}
	p := iam.Policies{Identity: attach(iam.Parse, c.identity), Session: attach(iam.Parse, c.session), ResourceAccount: c.owner}
	for _, b := range attach(iam.Parse, c.boundary) {
		p.Boundary = b
	}
	parse := iam.ParseResource
	if c.trust {
		parse = iam.ParseTrust
	}
	for _, r := range attach(parse, c.resource) {
		p.Resource = r
	}
	return p
}

func (c *randomCase) naive() *naiveRequest {
	r := &naiveRequest{principal: c.request.Principal, action: c.request.Action, resource: c.request.Resource,
		single: map[string]string{}, multi: map[string][]string{}, boundary: len(c.boundary) > 0}
	for _, key := range c.request.Context {
		if key.Values != nil {
			r.multi[strings.ToLower(key.Name)] = key.Values
		} else {
			r.single[strings.ToLower(key.Name)] = key.Value
		}
	}
	return r
}

func TestDecideAgreesWithTheNaiveEvaluator(t *testing.T) {
	counts := map[string]int{}
	rapid.Check(t, func(t *rapid.T) {
		c := drawCase(t)
		policies := c.policies(t)
		got := iam.Decide(c.request, policies, nil)
		want := naiveDecide(c.naive(), c)
		counts[want]++
		if got.Outcome.String() != want {
			t.Fatalf("decided %v by the %v, the naive evaluator says %s", got.Outcome, got.By, want)
		}
		var trace iam.Trace
		if with := iam.Decide(c.request, policies, &trace); with != got {
			t.Fatalf("with a trace %v, without %v", with, got)
		}
		checkTrace(t, &trace)
	})
	if !t.Failed() && (counts["allowed"] == 0 || counts["explicitDeny"] == 0 || counts["implicitDeny"] == 0) {
		t.Errorf("the random cases do not reach every outcome: %v", counts)
	}
}

// checkTrace holds a trace to what must be true of every one: it is JSON, a
// statement either matched or says why not, and it accounts for the outcome.
func checkTrace(t *rapid.T, trace *iam.Trace) {
	if _, err := json.Marshal(trace); err != nil {
		t.Fatal(err)
	}
	denied, allowed := false, false
	for _, s := range trace.Statements {
		if s.Matched != (s.Mismatch == nil) {
			t.Fatalf("statement %d of %q matched is %v, with %+v", s.Index, s.Policy, s.Matched, s.Mismatch)
		}
		denied = denied || s.Matched && s.Effect == iam.Deny
		allowed = allowed || s.Matched && s.Effect == iam.Allow
	}
	if denied != (trace.Decision.Outcome == iam.ExplicitDeny) {
		t.Fatalf("a statement denies is %v, but the decision is %v", denied, trace.Decision)
	}
	if !allowed && trace.Decision.Outcome == iam.Allowed && trace.Decision.By != iam.NoPolicy {
		t.Fatalf("no statement allows, but the decision is %v", trace.Decision)
	}
}
