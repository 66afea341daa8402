package iam_test

import (
	"testing"

	"github.com/seed-615d3599/roost/iam"
)

const api = "arn:aws:execute-api:us-east-1:111111111111:abcdef1234"

// elementCases are statements that allow, with a request that they cover or not.
var elementCases = []struct {
	statement, action, resource string
	context                     iam.Context
	want                        bool
	page                        string
}{
	// Action.
	{`'Action': 's3:GetObject', 'Resource': '*'`, "s3:GetObject", "arn:aws:s3:::b/k", nil, true, pageAction},
	{`'Action': 'S3:getobject', 'Resource': '*'`, "s3:GetObject", "arn:aws:s3:::b/k", nil, true, pageAction + ": prefix and name have no case"},
	{`'Action': 's3:Get*', 'Resource': '*'`, "s3:PutObject", "arn:aws:s3:::b/k", nil, false, pageAction},
	{`'Action': 's3:Get?bject', 'Resource': '*'`, "s3:GetObject", "arn:aws:s3:::b/k", nil, true, pageAction},
	{`'Action': 's3:*Object', 'Resource': '*'`, "s3:GetObjectAcl", "arn:aws:s3:::b/k", nil, false, pageAction},
	{`'Action': ['ec2:*', 's3:*'], 'Resource': '*'`, "s3:GetObject", "arn:aws:s3:::b/k", nil, true, pageAction},
	{`'Action': 's3:GetObject', 'Resource': '*'`, "s3:GetObjectVersion", "arn:aws:s3:::b/k", nil, false, pageAction},
	{`'Action': 's3:GetObject', 'Resource': '*'`, "s3-outposts:GetObject", "arn:aws:s3:::b/k", nil, false, pageAction},
	{`'Action': '*:*', 'Resource': '*'`, "s3:GetObject", "arn:aws:s3:::b/k", nil, true, inferred},
	{`'Action': 's3:${x}', 'Resource': '*'`, "s3:GetObject", "arn:aws:s3:::b/k", iam.Context{{Name: "x", Value: "GetObject"}}, false, pageVariables + ": not in actions"},
	{`'NotAction': 'iam:*', 'Resource': '*'`, "s3:GetObject", "arn:aws:s3:::b/k", nil, true, pageNotAction},
	{`'NotAction': 'iam:*', 'Resource': '*'`, "iam:GetUser", "arn:aws:iam::111111111111:user/x", nil, false, pageNotAction},
	{`'NotAction': ['iam:*', 's3:*'], 'Resource': '*'`, "S3:GetObject", "arn:aws:s3:::b/k", nil, false, pageNotAction},

	// Resource.
	{`'Action': '*', 'Resource': 'arn:aws:s3:::b/*'`, "s3:GetObject", "arn:aws:s3:::b/k/l", nil, true, pageResource},
	{`'Action': '*', 'Resource': 'arn:aws:s3:::b'`, "s3:GetObject", "arn:aws:s3:::b/k", nil, false, pageResource},
	{`'Action': '*', 'Resource': 'arn:aws:s3:::B/k'`, "s3:GetObject", "arn:aws:s3:::b/k", nil, false, pageResource},
	{`'Action': '*', 'Resource': 'arn:aws:sqs:*:*:q'`, "sqs:SendMessage", "arn:aws:sqs:us-east-1:111111111111:q", nil, true, pageResource},
	{`'Action': '*', 'Resource': 'arn:aws:sqs:us-?ast-1:111111111111:q'`, "sqs:SendMessage", "arn:aws:sqs:us-east-1:111111111111:q", nil, true, pageResource},
	{`'Action': '*', 'Resource': 'arn:aws:s3:*'`, "s3:GetObject", "arn:aws:s3:::b/k", nil, true, inferred},
	{`'Action': '*', 'Resource': 'arn:*'`, "s3:GetObject", "arn:aws:s3:::b/k", nil, true, inferred},
	{`'Action': '*', 'Resource': '*'`, "s3:ListAllMyBuckets", "*", nil, true, pageResource + ": actions without resources"},
	{`'Action': '*', 'Resource': 'arn:aws:s3:::*'`, "s3:ListAllMyBuckets", "*", nil, false, pageResource},
	{`'Action': '*', 'NotResource': 'arn:aws:s3:::b/*'`, "s3:GetObject", "arn:aws:s3:::b/k", nil, false, pageNotResource},
	{`'Action': '*', 'NotResource': ['arn:aws:s3:::b/*', 'arn:aws:s3:::c/*']`, "s3:GetObject", "arn:aws:s3:::d/k", nil, true, pageNotResource},
	{`'Action': '*', 'Resource': 'arn:aws:lambda:us-east-1:111111111111:function:f'`, "lambda:InvokeFunction", "arn:aws:lambda:us-east-1:111111111111:function:f:1", nil, false, pageResource},
	{`'Action': '*', 'Resource': 'arn:aws:lambda:us-east-1:111111111111:function:f*'`, "lambda:InvokeFunction", "arn:aws:lambda:us-east-1:111111111111:function:f:1", nil, true, pageResource},

	// Variables in resources.
	{`'Action': '*', 'Resource': 'arn:aws:s3:::b/${aws:username}/*'`, "s3:GetObject", "arn:aws:s3:::b/bob/k", iam.Context{{Name: "aws:username", Value: "bob"}}, true, pageVariables},
	{`'Action': '*', 'Resource': 'arn:aws:s3:::b/${aws:username}/*'`, "s3:GetObject", "arn:aws:s3:::b/eve/k", iam.Context{{Name: "aws:username", Value: "bob"}}, false, pageVariables},
	{`'Action': '*', 'Resource': 'arn:aws:s3:::b/${aws:username}/*'`, "s3:GetObject", "arn:aws:s3:::b//k", nil, false, pageVariables},
	{`'Action': '*', 'Resource': 'arn:aws:s3:::b/${aws:username}/*'`, "s3:GetObject", "arn:aws:s3:::b/eve/k", iam.Context{{Name: "aws:username", Value: "*"}}, false, inferred},
	{`'Action': '*', 'NotResource': 'arn:aws:s3:::b/${aws:username}/*'`, "s3:GetObject", "arn:aws:s3:::c/k", nil, false, pageVariables + ": the statement is invalid"},
	{`'Action': '*', 'Resource': 'arn:aws:s3:::${cognito-identity.amazonaws.com:sub}/*'`, "s3:GetObject", "arn:aws:s3:::us-east-1:1-2/k", iam.Context{{Name: "cognito-identity.amazonaws.com:sub", Value: "us-east-1:1-2"}}, true, "reference_policies_examples_s3_cognito-bucket.html"},

	// execute-api.
	{`'Action': 'execute-api:Invoke', 'Resource': '` + api + `/*'`, "execute-api:Invoke", api + "/$default/GET/private", nil, true, pageInvoke},
	{`'Action': 'execute-api:Invoke', 'Resource': '` + api + `/$default/GET/private'`, "execute-api:Invoke", api + "/$default/GET/private", nil, true, pageInvoke},
	{`'Action': 'execute-api:Invoke', 'Resource': '` + api + `/$default/GET/private'`, "execute-api:Invoke", api + "/$default/POST/private", nil, false, pageInvoke},
	{`'Action': 'execute-api:Invoke', 'Resource': '` + api + `/*/GET/*'`, "execute-api:Invoke", api + "/prod/POST/x/GET/y", nil, true, pageInvoke + ": * is any run of characters, slashes among them"},
	{`'Action': 'execute-api:*', 'Resource': 'arn:aws:execute-api:*:*:*'`, "execute-api:Invoke", api + "/$default/GET/", nil, true, pageInvoke},
	{`'Action': 'execute-api:*', 'Resource': 'arn:aws:execute-api:us-east-1:*:abcdef1234/*/GET/public/*'`, "execute-api:Invoke", api + "/$default/GET/private", nil, false, pageInvoke},
	{`'Action': 'execute-api:ManageConnections', 'Resource': '*'`, "execute-api:Invoke", api + "/$default/GET/private", nil, false, pageInvoke},

	// Cognito: rows of one's own.
	{`'Action': 'dynamodb:GetItem', 'Resource': '*', 'Condition': {'ForAllValues:StringEquals': {'dynamodb:LeadingKeys': ['${cognito-identity.amazonaws.com:sub}']}}`, "dynamodb:GetItem", "arn:aws:dynamodb:us-east-1:111111111111:table/t",
		iam.Context{{Name: "cognito-identity.amazonaws.com:sub", Value: "us-east-1:1-2"}, {Name: "dynamodb:LeadingKeys", Values: []string{"us-east-1:1-2"}}}, true, "reference_policies_examples_dynamodb_rows.html"},
	{`'Action': 'dynamodb:GetItem', 'Resource': '*', 'Condition': {'ForAllValues:StringEquals': {'dynamodb:LeadingKeys': ['${cognito-identity.amazonaws.com:sub}']}}`, "dynamodb:GetItem", "arn:aws:dynamodb:us-east-1:111111111111:table/t",
		iam.Context{{Name: "cognito-identity.amazonaws.com:sub", Value: "us-east-1:1-2"}, {Name: "dynamodb:LeadingKeys", Values: []string{"us-east-1:1-2", "us-east-1:3-4"}}}, false, "reference_policies_examples_dynamodb_rows.html"},

	// What the path of a URL could be made to look like. AWS answers each with
	// 403, as the policy does not cover it.
	{`'Action': 'execute-api:Invoke', 'Resource': 'arn:aws:execute-api:*:111111111111:mine/*'`, "execute-api:Invoke", "arn:aws:execute-api:us-east-1:111111111111:other/$default/GET/a:111111111111:mine/b", nil, false, pageOperators + "#Conditions_ARN"},
	{`'Action': 'execute-api:Invoke', 'Resource': 'arn:aws:execute-api:*:*:mine/*'`, "execute-api:Invoke", "arn:aws:execute-api:us-east-1:111111111111:other/:mine/b", nil, false, pageOperators + "#Conditions_ARN"},
	{`'Action': 'execute-api:Invoke', 'Resource': '` + api + `/*/GET/public'`, "execute-api:Invoke", api + "/$default/GET//public", nil, false, pageInvoke},
	{`'Action': 'execute-api:Invoke', 'Resource': '` + api + `/$default/GET/public'`, "execute-api:Invoke", api + "/$default/GET//public", nil, false, pageInvoke},
	{`'Action': 'execute-api:Invoke', 'Resource': '` + api + `/$default/GET/public'`, "execute-api:Invoke", api + "/$default/GET/public/", nil, false, pageInvoke},
	{`'Action': 'execute-api:Invoke', 'Resource': '` + api + `/$default/GET/public'`, "execute-api:Invoke", api + "/$default/GET/PUBLIC", nil, false, pageInvoke},
	{`'Action': 'execute-api:Invoke', 'Resource': '` + api + `/$default/GET/public'`, "execute-api:Invoke", api + "/$default/GET/public\x00", nil, false, pageInvoke},
	{`'Action': 'execute-api:Invoke', 'Resource': '` + api + `/$default/GET/public'`, "execute-api:Invoke", api + "/$default/GET/public\n", nil, false, pageInvoke},
	{`'Action': 'execute-api:Invoke', 'Resource': '` + api + `/$default/GET/caf\u00e9'`, "execute-api:Invoke", api + "/$default/GET/cafe\u0301", nil, false, pageInvoke},
	{`'Action': 'execute-api:Invoke', 'Resource': '` + api + `/$default/GET/k'`, "execute-api:Invoke", api + "/$default/GET/\u212a", nil, false, pageInvoke},
	{`'Action': 'execute-api:Invoke', 'Resource': '*'`, "execute-api:Invoke:x", api, nil, false, pageAction},
	{`'Action': 'execute-api:Invoke', 'Resource': '*'`, "", api, nil, false, pageAction},
	{`'Action': 'execute-api:*', 'Resource': '` + api + `/*'`, "execute-api:Invoke", "", nil, false, pageResource},
	{`'Action': 'execute-api:*', 'Resource': '` + api + `/?*'`, "execute-api:Invoke", api + "/\xff\xfe", nil, true, pageResource + ": a byte that is not UTF-8 is one character"},
	{`'Action': '*', 'Resource': '*', 'Condition': {'StringEquals': {'aws:username': 'bob'}}`, "s3:GetObject", "*", iam.Context{{Name: "aws:username", Value: "eve"}, {Name: "AWS:UserName", Value: "bob"}}, false, inferred + ": the first of two keys counts"},
	{`'Action': '*', 'Resource': '*', 'Condition': {'StringEquals': {'aws:username': 'bob'}}`, "s3:GetObject", "*", iam.Context{{Name: "aws:username ", Value: "bob"}}, false, pageOperators},
}

func TestElements(t *testing.T) {
	for _, c := range elementCases {
		policy := attach(t, iam.Parse, "p", `'Effect': 'Allow', `+c.statement)
		request := iam.Request{Principal: bob, Action: c.action, Resource: c.resource, Context: c.context}
		got := iam.Decide(request, iam.Policies{Identity: []iam.Attached{policy}, ResourceAccount: here}, nil)
		if (got.Outcome == iam.Allowed) != c.want {
			t.Errorf("%s on %q by {%s}: %v, against %s", c.action, c.resource, c.statement, got.Outcome, c.page)
		}
	}
}

// In version 2008-10-17, which is also that of a document without Version,
// ${...} is ordinary text (reference_policies_elements_version.html).
func TestVersionsAndVariables(t *testing.T) {
	context := iam.Context{{Name: "aws:username", Value: "bob"}}
	for _, c := range []struct {
		version, resource string
		want              bool
	}{
		{`"Version": "2012-10-17", `, "arn:aws:s3:::b/bob", true},
		{`"Version": "2012-10-17", `, "arn:aws:s3:::b/${aws:username}", false},
		{`"Version": "2008-10-17", `, "arn:aws:s3:::b/bob", false},
		{`"Version": "2008-10-17", `, "arn:aws:s3:::b/${aws:username}", true},
		{``, "arn:aws:s3:::b/bob", false},
		{``, "arn:aws:s3:::b/${aws:username}", true},
	} {
		policy := identityPolicy(t, `{`+c.version+`"Statement": {"Effect": "Allow", "Action": "*", "Resource": "arn:aws:s3:::b/${aws:username}"}}`)
		request := iam.Request{Principal: bob, Action: "s3:GetObject", Resource: c.resource, Context: context}
		got := iam.Decide(request, iam.Policies{Identity: []iam.Attached{{Policy: policy}}}, nil)
		if (got.Outcome == iam.Allowed) != c.want {
			t.Errorf("%s%s: %v, against %s", c.version, c.resource, got.Outcome, pageVersion)
		}
	}
}

func TestMatch(t *testing.T) {
	for _, c := range []struct {
		text, pattern string
		match, arn    bool
	}{
		{"arn:aws:s3:::b/k", "arn:aws:s3:::b/*", true, true},
		{"arn:aws:s3:us-east-1:1:b", "arn:*:b", true, false},
		{"arn:aws:s3:us-east-1:1:b", "arn:aws:s3:*", true, true},
		{"arn:aws:s3", "arn:aws:*", true, false},
		{"b", "?", true, false},
	} {
		if got := iam.Match(c.text, c.pattern); got != c.match {
			t.Errorf("Match(%q, %q) is %v", c.text, c.pattern, got)
		}
		if got := iam.MatchARN(c.text, c.pattern); got != c.arn {
			t.Errorf("MatchARN(%q, %q) is %v", c.text, c.pattern, got)
		}
	}
}
