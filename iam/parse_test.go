package iam_test

import (
	"errors"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/seed-615d3599/roost/iam"
)

// refusals are documents that AWS does not take either, with the position and
// the sentence of the answer, and a part of the detail. Where no page is
// given the rule is in the grammar of the policy language (pageGrammar).
var refusals = []struct {
	name, document string
	at             string // what stands at the position: its last place in the document
	message        string
	detail         string
}{
	{"empty", ``, "", "This policy contains invalid Json", "ends too early"},
	{"cut", `{"Version": "2012-10-17"`, "", "This policy contains invalid Json", "ends too early"},
	{"no JSON", "{\n  Version: 1}", `Version: 1}`, "This policy contains invalid Json", "invalid character 'V'"},
	{"trailing comma", `{"Version": "2012-10-17",}`, `}`, "This policy contains invalid Json", "invalid character '}'"},
	{"two documents", `{"Statement": []} {}`, `{}`, "This policy contains invalid Json", "follows the end"},
	{"byte order mark", "\ufeff{}", "\ufeff{}", "This policy contains invalid Json", "invalid character"},
	{"NUL", "{\"Id\": \"a\x00\"}", "\"a\x00\"}", "This policy contains invalid Json", "invalid character"},
	{"escaped NUL", `{"Id": "a\u0000b"}`, `"a\u0000b"}`, "Syntax errors in policy.", "U+0000"},
	{"half a surrogate pair", `{"Id": "\ud800"}`, `"\ud800"}`, "Syntax errors in policy.", "U+FFFD"},
	{"invalid UTF-8", "{\"Id\":\n \"ä\xff\"}", "\xff\"}", "This policy contains invalid Json", "not valid UTF-8"},
	{"overlong UTF-8", "{\"Id\": \"\xc0\xaf\"}", "\xc0\xaf\"}", "This policy contains invalid Json", "not valid UTF-8"},
	{"too long", `{"Id": "` + strings.Repeat("a", 131072) + `"}`, `{"Id": "aaaaaa`, "Syntax errors in policy.", "longer than"},
	{"too deep", strings.Repeat("[", 5000), strings.Repeat("[", 4989), "Syntax errors in policy.", "nested"},
	{"no object", `[]`, `[]`, "Syntax errors in policy.", "JSON object"},
	{"no statement", `{"Version": "2012-10-17"}`, `{"Version": "2`, "Syntax errors in policy.", "no Statement"},
	{"empty statements", `{"Statement": []}`, `[]}`, "Syntax errors in policy.", "at least one"},
	{"statement is a string", `{"Statement": ["Allow"]}`, `"Allow"]}`, "Syntax errors in policy.", "a statement is a JSON object"},
	{"version", `{"Version": "2012-10-18", "Statement": {}}`, `"2012-10-18", `, "The policy must contain a valid version string", "2012-10-18"},
	{"version is a number", `{"Version": 2012, "Statement": {}}`, `2012, "Stateme`, "Syntax errors in policy.", "Version is a string"},
	{"unknown element", `{"Statement": {}, "Foo": 1}`, `"Foo": 1}`, "Syntax errors in policy.", `unknown element "Foo"`},
	{"element in other case", "{\"Statement\": {\n\"effect\": \"Allow\"}}", `"effect": "All`, "Syntax errors in policy.", `write "Effect"`},
	{"duplicate element", `{"Statement": {"Effect": "Deny", "Action": "*", "Resource": "*", "Effect": "Allow"}}`, `"Effect": "All`, "Syntax errors in policy.", `"Effect" stands twice`},
	{"duplicate in disguise", `{"Statement": {"Effect": "Deny", "Action": "*", "Resource": "*", "\u0045ffect": "Allow"}}`, `"\u0045ffect":`, "Syntax errors in policy.", `"Effect" stands twice`},
	{"duplicate Statement", `{"Statement": {"Effect": "Deny"}, "Statement": {}}`, `"Statement": {`, "Syntax errors in policy.", "stands twice"},
	{"duplicate operator", underCondition(`"Bool": {"a:b": true}, "bool": {"A:B": false}`), `"A:B": false}}`, "Syntax errors in policy.", "stands twice"},
	{"duplicate key", underCondition(`"Bool": {"a:b": true, "a:b": false}`), `"a:b": false}}`, "Syntax errors in policy.", "stands twice"},
	{"duplicate key in other case", underCondition(`"Bool": {"a:b": true, "A:b": false}`), `"A:b": false}}`, "Syntax errors in policy.", "stands twice"},
	{"no effect", `{"Statement": {"Action": "*", "Resource": "*"}}`, `{"Action": "*"`, "Missing required field Effect", "Allow or Deny"},
	{"effect", `{"Statement": {"Effect": "allow", "Action": "*", "Resource": "*"}}`, `"allow", "Acti`, "Invalid effect: allow", "in these letters"},
	{"no action", `{"Statement": {"Effect": "Allow", "Resource": "*"}}`, `{"Effect": "Al`, "Policy statement must contain actions.", ""},
	{"empty actions", `{"Statement": {"Effect": "Allow", "Action": [], "Resource": "*"}}`, `[], "Resource"`, "Policy statement must contain actions.", "empty list"},
	{"action and not", `{"Statement": {"Effect": "Allow", "Action": "*", "NotAction": "*", "Resource": "*"}}`, `"NotAction": "`, "Syntax errors in policy.", "both Action and NotAction"},
	{"action without service", `{"Statement": {"Effect": "Allow", "Action": "GetObject", "Resource": "*"}}`, `"GetObject", "`, "Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc.", "GetObject"},
	{"action with two colons", `{"Statement": {"Effect": "Allow", "Action": "s3:Get:Object", "Resource": "*"}}`, `"s3:Get:Object`, "Actions/Conditions can contain only one colon.", ""},
	{"action of a strange service", `{"Statement": {"Effect": "Allow", "Action": "s*3:Get", "Resource": "*"}}`, `"s*3:Get", "Re`, "Vendor s*3 is not valid", ""},
	{"action is a number", `{"Statement": {"Effect": "Allow", "Action": [5], "Resource": "*"}}`, `5], "Resource"`, "Syntax errors in policy.", "a value of Action is a string"},
	{"action is nested", `{"Statement": {"Effect": "Allow", "Action": [["*"]], "Resource": "*"}}`, `["*"]], "Resou`, "Syntax errors in policy.", "a value of Action is a string"},
	{"no resource", `{"Statement": {"Effect": "Allow", "Action": "*"}}`, `{"Effect": "Al`, "Policy statement must contain resources.", ""},
	{"empty resources", `{"Statement": {"Effect": "Allow", "Action": "*", "NotResource": []}}`, `[]}}`, "Policy statement must contain resources.", "empty list"},
	{"resource is null", `{"Statement": {"Effect": "Allow", "Action": "*", "Resource": null}}`, `null}}`, "Syntax errors in policy.", "a string"},
	{"resource is no ARN", `{"Statement": {"Effect": "Allow", "Action": "*", "Resource": "bucket"}}`, `"bucket"}}`, `Resource bucket must be in ARN format or "*".`, "six parts"},
	{"resource of five parts", `{"Statement": {"Effect": "Allow", "Action": "*", "Resource": "arn:aws:s3::b"}}`, `"arn:aws:s3::b`, `Resource arn:aws:s3::b must be in ARN format or "*".`, "six parts"},
	{"principal", `{"Statement": {"Effect": "Allow", "Action": "*", "Resource": "*", "Principal": "*"}}`, `"Principal": "`, "Policy document should not specify a principal.", ""},
	{"sid", `{"Statement": {"Sid": "a-b", "Effect": "Allow", "Action": "*", "Resource": "*"}}`, `"a-b", "Effect`, "Statement IDs (SID) must be alpha-numeric. Check that your input satisfies the regular expression [0-9A-Za-z]*", "a-b"},
	{"same sid", `{"Statement": [{"Sid": "a", "Effect": "Allow", "Action": "*", "Resource": "*"}, {"Sid": "a", "Effect": "Deny", "Action": "*", "Resource": "*"}]}`, `{"Sid": "a", "`, "Statement IDs (SID) in a single policy must be unique.", ""},
	{"variable without end", `{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "*", "Resource": "arn:aws:s3:::b/${aws:username"}}`, `"arn:aws:s3:::`, "Syntax errors in policy.", "no closing brace"},
	{"variable without name", `{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "*", "Resource": "arn:aws:s3:::b/${}"}}`, `"arn:aws:s3:::`, "Syntax errors in policy.", "no name"},
	{"variable's default", `{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "*", "Resource": "arn:aws:s3:::b/${a:b, c}"}}`, `"arn:aws:s3:::`, "Syntax errors in policy.", "default value"},

	{"condition is a list", `{"Statement": {"Effect": "Allow", "Action": "*", "Resource": "*", "Condition": []}}`, `[]}}`, "Syntax errors in policy.", "Condition is an object"},
	{"operator", underCondition(`"StringIs": {"a:b": "c"}`), `"StringIs": {"`, "Syntax errors in policy.", `unknown condition operator "StringIs"`},
	{"set operator alone", underCondition(`"ForAllValues:": {"a:b": "c"}`), `"ForAllValues:`, "Syntax errors in policy.", "unknown condition operator"},
	{"two set operators", underCondition(`"ForAllValues:ForAnyValue:StringLike": {"a:b": "c"}`), `"ForAllValues:`, "Syntax errors in policy.", "unknown condition operator"},
	{"IfExists twice", underCondition(`"StringLikeIfExistsIfExists": {"a:b": "c"}`), `"StringLikeIfE`, "Syntax errors in policy.", "unknown condition operator"},
	{"NullIfExists", underCondition(`"NullIfExists": {"a:b": "true"}`), `"NullIfExists"`, "Syntax errors in policy.", "takes no IfExists"},
	{"Null over a set", underCondition(`"ForAnyValue:Null": {"a:b": "true"}`), `"ForAnyValue:N`, "Syntax errors in policy.", "takes no IfExists"},
	{"operator without keys", underCondition(`"StringLike": "a"`), `"a"}}}`, "Syntax errors in policy.", "object of condition keys"},
	{"key without service", underCondition(`"StringLike": {"username": "a"}`), `"username": "a`, "Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc.", "username"},
	{"value is an object", underCondition(`"StringLike": {"a:b": {}}`), `{}}}}}`, "Syntax errors in policy.", "a string, a number or a boolean"},
	{"value is null", underCondition(`"StringLike": {"a:b": [null]}`), `null]}}}}`, "Syntax errors in policy.", "a string, a number or a boolean"},
	{"number", underCondition(`"NumericEquals": {"a:b": "ten"}`), `"ten"}}}}`, "Syntax errors in policy.", `"ten" is not a number`},
	{"date", underCondition(`"DateEquals": {"a:b": "2020-*"}`), `"2020-*"}}}}`, "Syntax errors in policy.", "is not a date"},
	{"bool", underCondition(`"Bool": {"a:b": "yes"}`), `"yes"}}}}`, "Syntax errors in policy.", "is not true or false"},
	{"null", underCondition(`"Null": {"a:b": "maybe"}`), `"maybe"}}}}`, "Syntax errors in policy.", "is not true or false"},
	{"binary", underCondition(`"BinaryEquals": {"a:b": "?"}`), `"?"}}}}`, "Syntax errors in policy.", "is not base64"},
	{"address", underCondition(`"IpAddress": {"a:b": "10.0.0.0/33"}`), `"10.0.0.0/33"}`, "Syntax errors in policy.", "CIDR"},
	{"ARN", underCondition(`"ArnLike": {"a:b": "bucket"}`), `"bucket"}}}}`, "Syntax errors in policy.", "is not an ARN"},
}

// underCondition is an identity-based policy with a condition.
func underCondition(condition string) string {
	return `{"Statement":{"Effect":"Allow","Action":"*","Resource":"*","Condition":{` + condition + `}}}`
}

func TestRefusals(t *testing.T) {
	for _, c := range refusals {
		t.Run(c.name, func(t *testing.T) { refuse(t, iam.Parse, c.document, c.at, c.message, c.detail) })
	}
}

func refuse(t *testing.T, parse parseFunc, document, at, message, detail string) {
	t.Helper()
	before := document[:strings.LastIndex(document, at)]
	line := before[strings.LastIndex(before, "\n")+1:]
	want := iam.Position{Line: strings.Count(before, "\n") + 1, Column: utf8.RuneCountInString(line) + 1}
	policy, err := parse([]byte(document))
	var e *iam.Error
	if !errors.As(err, &e) {
		t.Fatalf("%v, %v", policy, err)
	}
	if e.Code != "MalformedPolicyDocument" || e.Message != message || e.Position != want || !strings.Contains(e.Detail, detail) {
		t.Errorf("got  %v\nwant %s at %v, with %q", err, message, want, detail)
	}
}

var principalRefusals = []struct {
	name      string
	parse     parseFunc
	statement string
	at        string
	message   string
	detail    string
}{
	{"no principal", iam.ParseResource, `'Effect': 'Allow', 'Action': '*', 'Resource': '*'`, `{"Effect": "Al`, "Missing required field Principal", "resource-based"},
	{"no principal in trust", iam.ParseTrust, `'Effect': 'Allow', 'Action': 'sts:AssumeRole'`, `{"Effect": "Al`, "Missing required field Principal", "role trust policy"},
	{"string", iam.ParseResource, grantTo(`'123456789012'`), `"123456789012"`, "Invalid principal in policy", ""},
	{"empty", iam.ParseResource, grantTo(`{}`), `{}}]}`, "Invalid principal in policy", ""},
	{"empty list", iam.ParseResource, grantTo(`{'AWS': []}`), `[]}}]}`, "Invalid principal in policy", "empty list"},
	{"wildcard in name", iam.ParseResource, grantTo(`{'AWS': 'arn:aws:iam::111111111111:user/*'}`), `"arn:aws:iam::`, `Invalid principal in policy: "AWS":"arn:aws:iam::111111111111:user/*"`, "wildcard"},
	{"wildcard as session", iam.ParseResource, grantTo(`{'AWS': 'arn:aws:sts::111111111111:assumed-role/r/*'}`), `"arn:aws:sts::`, `Invalid principal in policy: "AWS":"arn:aws:sts::111111111111:assumed-role/r/*"`, "wildcard"},
	{"group", iam.ParseResource, grantTo(`{'AWS': 'arn:aws:iam::111111111111:group/g'}`), `"arn:aws:iam::`, `Invalid principal in policy: "AWS":"arn:aws:iam::111111111111:group/g"`, ""},
	{"short account", iam.ParseResource, grantTo(`{'AWS': '11111111111'}`), `"11111111111"}`, `Invalid principal in policy: "AWS":"11111111111"`, ""},
	{"name", iam.ParseResource, grantTo(`{'AWS': 'bob'}`), `"bob"}}]}`, `Invalid principal in policy: "AWS":"bob"`, ""},
	{"every service", iam.ParseResource, grantTo(`{'Service': '*'}`), `"*"}}]}`, `Invalid principal in policy: "SERVICE":"*"`, ""},
	{"every provider", iam.ParseTrust, trusting(`{'Federated': '*'}`), `"*"}}]}`, `Invalid principal in policy: "FEDERATED":"*"`, ""},
	{"aws", iam.ParseResource, grantTo(`{'aws': '*'}`), `"aws": "*"}}]}`, "Syntax errors in policy.", `write "AWS"`},
	{"canonical user", iam.ParseResource, grantTo(`{'CanonicalUser': '79a5'}`), `"CanonicalUser`, "Invalid principal in policy", "not supported"},
	{"NotPrincipal allows", iam.ParseResource, allowAll + `, 'NotPrincipal': '*'`, `"NotPrincipal"`, "Syntax errors in policy.", "not supported"},
	{"both", iam.ParseResource, grantTo(`'*'`) + `, 'NotPrincipal': '*'`, `"NotPrincipal"`, "Syntax errors in policy.", "both"},
	{"NotPrincipal in trust", iam.ParseTrust, `'Effect': 'Deny', 'Action': 'sts:AssumeRole', 'NotPrincipal': '*'`, `"NotPrincipal"`, "Has prohibited field NotPrincipal", ""},
	{"resource in trust", iam.ParseTrust, trusting(`'*'`) + `, 'Resource': '*'`, `"Resource": "*`, "Has prohibited field Resource", ""},
	{"other action in trust", iam.ParseTrust, `'Effect': 'Allow', 'Principal': '*', 'Action': 's3:GetObject'`, `"s3:GetObject"`, "AssumeRole policy may only specify STS AssumeRole actions.", "s3:GetObject"},
	{"every action in trust", iam.ParseTrust, `'Effect': 'Allow', 'Principal': '*', 'Action': '*'`, `"*"}]}`, "AssumeRole policy may only specify STS AssumeRole actions.", ""},
}

func TestPrincipalRefusals(t *testing.T) {
	for _, c := range principalRefusals {
		t.Run(c.name, func(t *testing.T) {
			refuse(t, c.parse, string(document(c.statement)), c.at, c.message, c.detail)
		})
	}
}

// The positions of the AWS CLI's own examples of simulate-custom-policy and
// simulate-principal-policy, whose answers AWS recorded.
func TestPositions(t *testing.T) {
	policy := identityPolicy(t, `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"dynamodb:*","Resource":"*","Condition":{"DateGreaterThan":{"aws:CurrentTime":"2018-08-16T12:00:00Z"}}}}`)
	s := policy.Statements[0]
	if s.Start != (iam.Position{Line: 1, Column: 37}) || s.SimulatorStart != (iam.Position{Line: 1, Column: 38}) || s.End != (iam.Position{Line: 1, Column: 167}) {
		t.Errorf("one line: %v %v %v", s.Start, s.SimulatorStart, s.End)
	}
	policy = identityPolicy(t, `{
    "Version": "2012-10-17",
    "Statement": [
        {
            "Sid": "VisualEditor0",
            "Effect": "Allow",
            "Action": "codecommit:ListRepositories",
            "Resource": "*"
        },
        {"Effect": "Deny", "Action": "*", "Resource": "arn:aws:s3:::é"}
    ]
}`)
	first, second := policy.Statements[0], policy.Statements[1]
	if first.Start != (iam.Position{Line: 4, Column: 9}) || first.SimulatorStart != (iam.Position{Line: 3, Column: 19}) || first.End != (iam.Position{Line: 9, Column: 10}) {
		t.Errorf("first: %v %v %v", first.Start, first.SimulatorStart, first.End)
	}
	if second.Start != (iam.Position{Line: 10, Column: 9}) || second.SimulatorStart != first.End || second.End != (iam.Position{Line: 10, Column: 72}) {
		t.Errorf("second: %v %v %v", second.Start, second.SimulatorStart, second.End)
	}
}

// The answer of the AWS CLI's example of get-context-keys-for-custom-policy.
func TestContextKeys(t *testing.T) {
	policy := identityPolicy(t, `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"dynamodb:*","Resource":"arn:aws:dynamodb:us-west-2:123456789012:table/${aws:username}","Condition":{"DateGreaterThan":{"aws:CurrentTime":"2015-08-16T12:00:00Z"}}}}`)
	other := identityPolicy(t, `{"Version":"2012-10-17","Statement":{"Effect":"Deny","Action":"*","Resource":"*","Condition":{"StringLike":{"AWS:UserName":["${x:y}*", "${*}"]}}}}`)
	if diff := cmp.Diff([]string{"aws:username", "aws:CurrentTime", "x:y"}, iam.ContextKeys(policy, other)); diff != "" {
		t.Error(diff)
	}
}
