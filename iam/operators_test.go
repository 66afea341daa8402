package iam_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/seed-615d3599/roost/iam"
)

// Pages of the IAM User Guide, https://docs.aws.amazon.com/IAM/latest/UserGuide/,
// on which the expectations rest.
const (
	pageOperators    = "reference_policies_elements_condition_operators.html"
	pageSets         = "reference_policies_condition-single-vs-multi-valued-context-keys.html"
	pageVariables    = "reference_policies_variables.html"
	pageLogic        = "reference_policies_evaluation-logic.html"
	pageCrossAccount = "reference_policies_evaluation-logic-cross-account.html"
	pagePrincipal    = "reference_policies_elements_principal.html"
	pageNotPrincipal = "reference_policies_elements_notprincipal.html"
	pageAction       = "reference_policies_elements_action.html"
	pageNotAction    = "reference_policies_elements_notaction.html"
	pageResource     = "reference_policies_elements_resource.html"
	pageNotResource  = "reference_policies_elements_notresource.html"
	pageGrammar      = "reference_policies_grammar.html"
	pageVersion      = "reference_policies_elements_version.html"
	pageSid          = "reference_policies_elements_sid.html"
	pageEffect       = "reference_policies_elements_effect.html"
	pageBoundaries   = "access_policies_boundaries.html"
	pageSession      = "access_policies.html#policies_session"
	pageFederation   = "reference_policies_iam-condition-keys.html#condition-keys-wif"
	pageRevoke       = "id_roles_use_revoke-sessions.html"
	pageInvoke       = "https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-control-access-using-iam-policies-to-invoke-api.html"
	pageLambda       = "https://docs.aws.amazon.com/lambda/latest/dg/access-control-resource-based.html"
	inferred         = "inferred: no page says it"
)

func identityPolicy(t testing.TB, document string) *iam.Policy {
	t.Helper()
	policy, err := iam.Parse([]byte(document))
	if err != nil {
		t.Fatalf("%v\n%.500s", err, document)
	}
	return policy
}

// conditionHolds decides a request by a policy that allows it under the one
// condition. With context nil the key is absent.
func conditionHolds(t testing.TB, operator, key, values string, context iam.Context) bool {
	t.Helper()
	policy := identityPolicy(t, fmt.Sprintf(`{"Version": "2012-10-17", "Statement": {"Effect": "Allow",
		"Action": "*", "Resource": "*", "Condition": {%q: {%q: %s}}}}`, operator, key, values))
	request := iam.Request{Principal: bob, Action: "s3:GetObject", Resource: "arn:aws:s3:::b/k", Context: context}
	decision := iam.Decide(request, iam.Policies{Identity: []iam.Attached{{Policy: policy}}}, nil)
	return decision.Outcome == iam.Allowed
}

var bob = iam.Principal{Kind: iam.User, ARN: "arn:aws:iam::111111111111:user/bob", Account: "111111111111", ID: "AIDABOBBOBBOBBOBBOBB"}

// Each operator with a value of a policy, a value of a request that stands to
// it as the operator's name says (for a negated operator: as the name without
// Not says), and one that does not.
var everyOperator = []struct {
	operator, policy, match, other string
	negated                        bool
}{
	{"StringEquals", `"Jane"`, "Jane", "jane", false},
	{"StringNotEquals", `"Jane"`, "Jane", "jane", true},
	{"StringEqualsIgnoreCase", `"Jane"`, "jANE", "Janet", false},
	{"StringNotEqualsIgnoreCase", `"Jane"`, "jANE", "Janet", true},
	{"StringLike", `"J?n*"`, "Jane", "jane", false},
	{"StringNotLike", `"J?n*"`, "Jane", "jane", true},
	{"NumericEquals", `10`, "10.0", "11", false},
	{"NumericNotEquals", `"10"`, "10", "11", true},
	{"NumericLessThan", `10`, "9.5", "10", false},
	{"NumericLessThanEquals", `10`, "10", "10.1", false},
	{"NumericGreaterThan", `10`, "11", "10", false},
	{"NumericGreaterThanEquals", `10`, "10", "9", false},
	{"DateEquals", `"2020-01-01T00:00:00Z"`, "1577836800", "1577836801", false},
	{"DateNotEquals", `"2020-01-01T00:00:00Z"`, "2020-01-01", "2020-01-02", true},
	{"DateLessThan", `"2020-01-01T00:00:01Z"`, "2020-01-01T00:00:00Z", "2020-01-01T00:00:01Z", false},
	{"DateLessThanEquals", `"2020-01-01T00:00:01Z"`, "2020-01-01T00:00:01Z", "2020-01-01T00:00:02Z", false},
	{"DateGreaterThan", `"2020-01-01T00:00:01Z"`, "2020-01-01T00:00:02Z", "2020-01-01T00:00:01Z", false},
	{"DateGreaterThanEquals", `"2020-01-01T00:00:01Z"`, "2020-01-01T00:00:01Z", "2020-01-01T00:00:00Z", false},
	{"Bool", `true`, "true", "false", false},
	{"BinaryEquals", `"QmluYXJ5VmFsdWVJbkJhc2U2NA=="`, "QmluYXJ5VmFsdWVJbkJhc2U2NA==", "QmluYXJ5", false},
	{"IpAddress", `"203.0.113.0/24"`, "203.0.113.255", "203.0.114.0", false},
	{"NotIpAddress", `"203.0.113.0/24"`, "203.0.113.0", "203.0.112.255", true},
	{"ArnEquals", `"arn:aws:sns:*:111111111111:t?"`, "arn:aws:sns:us-east-1:111111111111:t1", "arn:aws:sns:us-east-1:111111111111:t11", false},
	{"ArnLike", `"arn:aws:sns:*:111111111111:*"`, "arn:aws:sns:us-east-1:111111111111:a:b", "arn:aws:sns:us-east-1:222222222222:t", false},
	{"ArnNotEquals", `"arn:aws:sns:*:111111111111:t?"`, "arn:aws:sns:us-east-1:111111111111:t1", "arn:aws:sns:us-east-1:111111111111:t11", true},
	{"ArnNotLike", `"arn:aws:sns:*:111111111111:*"`, "arn:aws:sns:us-east-1:111111111111:a:b", "arn:aws:sns:us-east-1:222222222222:t", true},
}

// What each modifier makes of an operator when the request has the matching
// value, the other one, no key, a multi-valued key without values, and both
// values.
var everyModifier = []struct {
	before, after                     string
	negated                           bool
	match, other, absent, empty, both bool
	page                              string
}{
	{"", "", false, true, false, false, false, true, pageOperators + "; both values: " + inferred},
	{"", "IfExists", false, true, false, true, true, true, pageOperators + "#Conditions_IfExists"},
	{"ForAllValues:", "", false, true, false, true, true, false, pageSets},
	{"ForAllValues:", "IfExists", false, true, false, true, true, false, pageSets},
	{"ForAnyValue:", "", false, true, false, false, false, true, pageSets},
	{"ForAnyValue:", "IfExists", false, true, false, true, true, true, pageSets},
	{"", "", true, false, true, true, true, false, pageOperators + "; both values: " + inferred},
	{"", "IfExists", true, false, true, true, true, false, pageOperators + "#Conditions_IfExists"},
	{"ForAllValues:", "", true, false, true, true, true, false, pageSets},
	{"ForAllValues:", "IfExists", true, false, true, true, true, false, pageSets},
	{"ForAnyValue:", "", true, false, true, false, false, true, pageSets},
	{"ForAnyValue:", "IfExists", true, false, true, true, true, true, pageSets},
}

func TestEveryOperatorWithEveryModifier(t *testing.T) {
	for _, op := range everyOperator {
		for _, modifier := range everyModifier {
			if op.negated != modifier.negated {
				continue
			}
			name := modifier.before + op.operator + modifier.after
			for _, test := range []struct {
				situation string
				context   iam.Context
				want      bool
			}{
				{"match", iam.Context{{Name: "x:key", Value: op.match}}, modifier.match},
				{"other", iam.Context{{Name: "x:key", Value: op.other}}, modifier.other},
				{"absent", nil, modifier.absent},
				{"empty", iam.Context{{Name: "x:key", Values: []string{}}}, modifier.empty},
				{"both", iam.Context{{Name: "x:key", Values: []string{op.match, op.other}}}, modifier.both},
			} {
				for _, spelled := range []string{name, strings.ToLower(name)} { // names of operators have no case
					if got := conditionHolds(t, spelled, "X:Key", op.policy, test.context); got != test.want {
						t.Errorf("%s, %s: holds is %v, by %s it is %v", spelled, test.situation, got, modifier.page, test.want)
					}
				}
			}
		}
	}
}

// TestEveryOperatorIsInTheTable puts together names in the ways in which the
// page puts together its own: what Parse takes is in the table, and all that is
// in the table is put together so.
func TestEveryOperatorIsInTheTable(t *testing.T) {
	values := map[string]string{"Null": `"true"`}
	for _, op := range everyOperator {
		values[op.operator] = op.policy
	}
	found := map[string]bool{}
	for _, kind := range []string{"String", "Numeric", "Date", "Bool", "Binary", "IpAddress", "Arn", "Null", "Time", "Number", "Exists", ""} {
		for _, not := range []string{"", "Not"} {
			for _, relation := range []string{"", "Equals", "EqualsIgnoreCase", "Like", "LikeIgnoreCase", "LessThan", "LessThanEquals", "GreaterThan", "GreaterThanEquals", "Matches", "In"} {
				for _, name := range []string{kind + not + relation, not + kind + relation} {
					value, listed := values[name]
					if !listed {
						value = `[]` // of every type
					}
					_, err := iam.Parse([]byte(`{"Statement": {"Effect": "Allow", "Action": "*", "Resource": "*", "Condition": {"` + name + `": {"x:key": ` + value + `}}}}`))
					if listed != (err == nil) {
						t.Errorf("%q is in the table: %v, and Parse says %v", name, listed, err)
					}
					found[name] = listed
				}
			}
		}
	}
	for name := range values {
		if !found[name] {
			t.Errorf("%q was not tried", name)
		}
	}
	for _, modified := range []string{"ForAllValues:Null", "ForAnyValue:Null", "NullIfExists", "ForEachValue:StringEquals", "StringEqualsIfExistsIfExists", "ForAllValues:ForAnyValue:StringEquals"} {
		if _, err := iam.Parse([]byte(`{"Statement": {"Effect": "Allow", "Action": "*", "Resource": "*", "Condition": {"` + modified + `": {"x:key": []}}}}`)); err == nil {
			t.Errorf("%q is taken", modified)
		}
	}
}

func one(value string) iam.Context      { return iam.Context{{Name: "x:key", Value: value}} }
func many(values ...string) iam.Context { return iam.Context{{Name: "x:key", Values: values}} }

func noValues() iam.Context { return iam.Context{{Name: "x:key", Values: []string{}}} }

var conditionCases = []struct {
	operator, policy string
	context          iam.Context
	want             bool
	page             string
}{
	// Null.
	{"Null", `"true"`, nil, true, pageOperators + "#Conditions_Null"},
	{"Null", `true`, one("v"), false, pageOperators + "#Conditions_Null"},
	{"Null", `"false"`, nil, false, pageOperators + "#Conditions_Null"},
	{"Null", `false`, one("v"), true, pageOperators + "#Conditions_Null"},
	{"null", `["true", "false"]`, one("v"), true, pageOperators},
	{"Null", `"true"`, noValues(), true, inferred},
	{"Null", `"false"`, one(""), true, inferred},

	// Strings.
	{"StringEquals", `["a", "b"]`, one("b"), true, pageOperators + ": several values are alternatives"},
	{"StringEquals", `"a*"`, one("abc"), false, pageOperators + ": no wildcards but in Like"},
	{"StringEquals", `"a*"`, one("a*"), true, pageOperators},
	{"StringEquals", `""`, one(""), true, pageOperators + ": the s3:prefix example"},
	{"StringEquals", `[]`, one("a"), false, inferred},
	{"StringEquals", `5`, one("5"), true, pageGrammar + ": quotation marks are optional for numbers"},
	{"StringEquals", `true`, one("true"), true, pageGrammar},
	{"StringNotEquals", `["a", "b"]`, one("b"), false, pageOperators + ": negated values are joined by NOR"},
	{"StringNotEquals", `["a", "b"]`, one("c"), true, pageOperators},
	{"StringEqualsIgnoreCase", `"STRASSE"`, one("strasse"), true, pageOperators},
	{"StringEqualsIgnoreCase", `"ÄÖ"`, one("äö"), true, pageOperators},
	{"StringEqualsIgnoreCase", `"ab"`, one("abc"), false, pageOperators},
	{"StringEqualsIgnoreCase", `"abc"`, one("ab"), false, pageOperators},
	{"StringLike", `"*"`, one(""), true, pageOperators},
	{"StringLike", `"?"`, one(""), false, pageOperators},
	{"StringLike", `"?"`, one("ä"), true, pageOperators + ": a single character"},
	{"StringLike", `"home/*/x"`, one("home/a/b/x"), true, pageOperators},
	{"StringLike", `"*ab*ab"`, one("ababab"), true, pageOperators},
	{"StringLike", `"*ab*ac"`, one("ababab"), false, pageOperators},
	{"StringLike", `"a**b"`, one("ab"), true, pageOperators},
	{"StringLike", `"a\nb*"`, one("a\nbc"), true, pageOperators},
	{"StringLike", `"arn:aws:someservice:*:111122223333:finance/*"`, one("arn:aws:someservice:us-east-2:999999999999:store/abc:111122223333:finance/document.txt"), true, pageOperators + "#Conditions_ARN"},

	// ARNs.
	{"ArnLike", `"arn:aws:someservice:*:111122223333:finance/*"`, one("arn:aws:someservice:us-east-2:999999999999:store/abc:111122223333:finance/document.txt"), false, pageOperators + "#Conditions_ARN"},
	{"ArnEquals", `"arn:aws:iam::111122223333:role/*"`, one("arn:aws:iam::111122223333:role/a/b"), true, pageOperators + "#Conditions_ARN"},
	{"ArnLike", `"arn:aws:iam::111122223333:role/A"`, one("arn:aws:iam::111122223333:role/a"), false, pageOperators + ": case-sensitive"},
	{"ArnLike", `"arn:aws:sns:us-*-1:1:t"`, one("arn:aws:sns:us-east-1:1:t"), true, pageOperators},
	{"ArnLike", `"arn:aws:sns:*"`, one("arn:aws:sns:us-east-1:1:t"), true, inferred},
	{"ArnLike", `"*"`, one("not an arn"), false, inferred},
	{"ArnNotLike", `"*"`, one("not an arn"), true, inferred},

	// Numbers.
	{"NumericEquals", `"10"`, one("1e1"), true, pageOperators + "#Conditions_Numeric"},
	{"NumericEquals", `-0.5`, one("-.5"), true, pageOperators},
	{"NumericEquals", `[1, 2]`, one("2"), true, pageOperators},
	{"NumericLessThanEquals", `"10"`, one("9.999"), true, pageOperators},
	{"NumericLessThanEquals", `"10"`, one("inf"), false, inferred},
	{"NumericGreaterThan", `"10"`, one("NaN"), false, inferred},
	{"NumericGreaterThan", `"10"`, one("0x20"), false, inferred},
	{"NumericNotEquals", `"10"`, one("ten"), true, inferred},

	// Dates.
	{"DateEquals", `"2020"`, one("2020-01-01T00:00:00Z"), true, pageOperators + "#Conditions_Date, W3C note on dates"},
	{"DateEquals", `"2020-03"`, one("2020-03-01"), true, pageOperators},
	{"DateEquals", `"2020-03-01T12:30Z"`, one("2020-03-01T12:30:00.000Z"), true, pageOperators},
	{"DateEquals", `"2020-03-01T12:30:00+02:00"`, one("2020-03-01T10:30:00Z"), true, pageOperators},
	{"DateGreaterThan", `"2020-01-01T00:00:00.5Z"`, one("2020-01-01T00:00:00.6Z"), true, pageOperators},
	{"DateLessThan", `1577836800`, one("2019-12-31T23:59:59Z"), true, pageOperators},
	{"DateLessThan", `"2020-01-01T00:00:00Z"`, one("20191231T235959Z"), true, inferred},
	{"DateLessThan", `"2020-01-01T00:00:00Z"`, one("yesterday"), false, inferred},
	{"DateNotEquals", `"2020-01-01T00:00:00Z"`, one("yesterday"), true, inferred},

	// Booleans.
	{"Bool", `"TRUE"`, one("true"), true, inferred},
	{"Bool", `"false"`, one("yes"), false, inferred},
	{"Bool", `["true", "false"]`, one("false"), true, pageOperators},

	// IP addresses.
	{"IpAddress", `"203.0.113.7"`, one("203.0.113.7"), true, pageOperators + "#Conditions_IPAddress: /32 without a prefix"},
	{"IpAddress", `"203.0.113.7"`, one("203.0.113.8"), false, pageOperators},
	{"IpAddress", `["203.0.113.0/24", "2001:DB8:1234:5678::/64"]`, one("2001:db8:1234:5678::1"), true, pageOperators},
	{"IpAddress", `"2001:DB8:1234:5678::/64"`, one("2001:db8:1234:5679::1"), false, pageOperators},
	{"IpAddress", `"0.0.0.0/0"`, one("::1"), false, pageOperators},
	{"IpAddress", `"127.0.0.0/8"`, one("::ffff:127.0.0.1"), true, inferred},
	{"IpAddress", `"203.0.113.9/24"`, one("203.0.113.1"), true, inferred},
	{"IpAddress", `"0.0.0.0/0"`, one("203.0.113.1, 10.0.0.1"), false, inferred},
	{"NotIpAddress", `"203.0.113.0/24"`, one("203.0.113.1, 10.0.0.1"), true, inferred},

	// Sets.
	{"ForAllValues:StringEquals", `["PostDateTime", "Message", "Tags"]`, many("PostDateTime", "Message"), true, pageSets},
	{"ForAllValues:StringEquals", `["PostDateTime", "Message", "Tags"]`, many("PostDateTime", "UserName"), false, pageSets},
	{"ForAnyValue:StringEquals", `["ID", "PostDateTime"]`, many("UserName", "Message", "PostDateTime"), true, pageSets},
	{"ForAnyValue:StringEquals", `["ID", "PostDateTime"]`, many("UserName"), false, pageSets},
	{"ForAllValues:StringEquals", `"a"`, one(""), true, pageSets + ": an empty string is an empty data set"},
	{"ForAllValues:StringEquals", `"a"`, many(""), true, pageSets},
	{"ForAllValues:StringEquals", `"a"`, many("", "b"), false, pageSets},
	{"ForAnyValue:StringEquals", `""`, one(""), false, pageSets},
	{"ForAnyValue:StringNotEquals", `["a", "b"]`, many("a", "b"), false, pageSets},
	{"ForAnyValue:StringNotEquals", `["a", "b"]`, many("a", "c"), true, pageSets},
	{"ForAllValues:StringNotEquals", `["a", "b"]`, many("c", "d"), true, pageSets},
	{"ForAnyValue:StringLike", `"authenticated"`, many("authenticated", "api.twitter.com"), true, pageFederation},
	{"ForAnyValue:StringLike", `"authenticated"`, many("unauthenticated"), false, pageFederation},
}

func TestConditions(t *testing.T) {
	for _, test := range conditionCases {
		if got := conditionHolds(t, test.operator, "x:key", test.policy, test.context); got != test.want {
			t.Errorf("%s %s with %v: holds is %v, by %s it is %v", test.operator, test.policy, test.context, got, test.page, test.want)
		}
	}
}

func TestSeveralKeysAndOperatorsMustAllHold(t *testing.T) { // reference_policies_elements_condition.html
	policy := identityPolicy(t, `{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "*", "Resource": "*",
		"Condition": {"StringEquals": {"x:a": "1", "x:b": ["2", "3"]}, "Bool": {"aws:SecureTransport": "true"}}}}`)
	for _, test := range []struct {
		a, b, secure string
		want         iam.Outcome
	}{
		{"1", "2", "true", iam.Allowed},
		{"1", "3", "true", iam.Allowed},
		{"1", "4", "true", iam.ImplicitDeny},
		{"2", "2", "true", iam.ImplicitDeny},
		{"1", "2", "false", iam.ImplicitDeny},
	} {
		request := iam.Request{Principal: bob, Action: "s3:GetObject", Resource: "*", Context: iam.Context{
			{Name: "x:a", Value: test.a}, {Name: "X:B", Value: test.b}, {Name: "AWS:securetransport", Value: test.secure}}}
		if got := iam.Decide(request, iam.Policies{Identity: []iam.Attached{{Policy: policy}}}, nil); got.Outcome != test.want {
			t.Errorf("%+v: %v", test, got)
		}
	}
}

var variableCases = []struct {
	operator, policy string
	value            string
	context          iam.Context
	want             bool
	page             string
}{
	{"StringEquals", "${aws:username}", "bob", iam.Context{{Name: "aws:username", Value: "bob"}}, true, pageVariables},
	{"StringEquals", "${AWS:UserName}", "bob", iam.Context{{Name: "aws:username", Value: "bob"}}, true, pageVariables + ": key names have no case"},
	{"StringLike", "home/${aws:username}/*", "home/bob/x", iam.Context{{Name: "aws:username", Value: "bob"}}, true, pageVariables},
	{"StringLike", "home/${aws:username}/*", "home/bobby/x", iam.Context{{Name: "aws:username", Value: "bob"}}, false, pageVariables},
	{"StringLike", "home/${aws:username}/*", "home/eve/x", iam.Context{{Name: "aws:username", Value: "*"}}, false, inferred},
	{"StringEquals", "${aws:username, 'anonymous'}", "anonymous", nil, true, pageVariables + "#policy-vars-default-values"},
	{"StringEquals", "${aws:username, 'anonymous'}", "anonymous", iam.Context{{Name: "aws:username", Value: "bob"}}, false, pageVariables},
	{"StringEquals", "${aws:username,'a}b'}", "a}b", nil, true, pageVariables},
	{"StringEquals", "${aws:username}", "", nil, false, pageVariables + ": not present, any attempt to match fails"},
	{"StringEquals", "${aws:username}", "${aws:username}", nil, false, pageVariables},
	{"StringNotEquals", "${aws:username}", "x", nil, false, pageVariables + ": the statement is invalid"},
	{"StringNotLike", "${aws:username}*", "x", nil, false, pageVariables},
	{"StringNotEquals", "${aws:username}", "x", iam.Context{{Name: "aws:username", Value: "bob"}}, true, pageVariables},
	{"StringEquals", "${x:many}", "a", iam.Context{{Name: "x:many", Values: []string{"a"}}}, false, pageVariables + ": single-valued keys only"},
	{"StringEquals", "${x:many, 'd'}", "d", iam.Context{{Name: "x:many", Values: []string{"a"}}}, true, inferred},
	{"StringLike", "a${*}", "a*", nil, true, pageVariables + "#policy-vars-specialchars"},
	{"StringLike", "a${*}", "ab", nil, false, pageVariables},
	{"StringLike", "a${?}", "a?", nil, true, pageVariables},
	{"StringLike", "a${?}", "ab", nil, false, pageVariables},
	{"StringEquals", "${$}{aws:username}", "${aws:username}", nil, true, pageVariables},
	{"StringEquals", "$5", "$5", nil, true, pageVariables},
	{"ArnEquals", "arn:aws:iam::1:user/${aws:username}", "arn:aws:iam::1:user/bob", iam.Context{{Name: "aws:username", Value: "bob"}}, true, pageVariables},
	{"ArnLike", "arn:aws:iam::${x:account}:user/bob", "arn:aws:iam::1:2:user/bob", iam.Context{{Name: "x:account", Value: "1:2"}}, false, inferred},
	{"ArnNotLike", "arn:aws:iam::1:user/${aws:username}", "arn:aws:iam::1:user/bob", nil, false, pageVariables},
	{"Bool", "${x:flag}", "true", iam.Context{{Name: "x:flag", Value: "true"}}, true, pageOperators + "#Conditions_Boolean"},
}

func TestVariables(t *testing.T) {
	for _, test := range variableCases {
		context := append(one(test.value), test.context...)
		if got := conditionHolds(t, test.operator, "x:key", fmt.Sprintf("%q", test.policy), context); got != test.want {
			t.Errorf("%s %s with %v: holds is %v, by %s it is %v", test.operator, test.policy, context, got, test.page, test.want)
		}
	}
}
