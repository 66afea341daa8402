package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/seed-615d3599/roost/iam"
	"github.com/seed-615d3599/roost/internal/region/access"
	"github.com/seed-615d3599/roost/internal/region/wire"
)

// role is a role with ten policies of ten statements, and the question that is
// decided by them: in the region, and by package iam alone with as many
// policies and with ten times as many.
type role struct {
	name, arn string
	question  access.Question
	request   iam.Request
	ten       iam.Policies
	hundred   iam.Policies
}

func (w *world) addRole(name string, document func(int) string) error {
	r := &role{name: name, arn: "arn:aws:iam::123456789012:role/" + name}
	w.roles = append(w.roles, r)
	var err10, err100 error
	r.ten.Identity, err10 = policies(10, document)
	r.hundred.Identity, err100 = policies(100, document)
	return errors.Join(err10, err100, w.createRole(name, document))
}

// ask makes the question of a session of the role.
func (w *world) ask(r *role) error {
	given, err := w.newSession(r.arn)
	if err != nil {
		return err
	}
	_, caller, err := w.access.Key(context.Background(), given.AccessKeyID, given.SessionToken)
	if err != nil {
		return err
	}
	if w.key.AccessKeyID == "" {
		w.key.AccessKeyID, w.key.SecretAccessKey, w.key.SessionToken = given.AccessKeyID, given.SecretAccessKey, given.SessionToken
	}
	r.request = iam.Request{
		Principal: iam.Principal{Kind: iam.AssumedRole, ARN: caller.ARN, RoleARN: r.arn, Account: caller.Account},
		Action:    "execute-api:Invoke", Resource: "arn:aws:execute-api:us-east-1:123456789012:api/$default/GET/items/42",
		Context: iam.Context{
			{Name: "aws:SourceIp", Value: "127.0.0.1"}, {Name: "aws:UserAgent", Value: "curl/8"},
			{Name: "aws:SecureTransport", Value: "true"}, {Name: "aws:RequestedRegion", Value: "us-east-1"},
		},
	}
	r.question = access.Question{Caller: caller, Action: r.request.Action, Resource: r.request.Resource, Context: r.request.Context[:3]}
	return nil
}

// createRole makes the role in the region, with ten managed policies.
func (w *world) createRole(name string, document func(int) string) error {
	service := w.access.IAM()
	service.Authorize = func(context.Context, *wire.Call, []wire.Target) error { return nil }
	call := func(operation string, in map[string]any) error {
		return service.Call(context.Background(), wire.Call{}, operation, in, nil)
	}
	err := call("CreateRole", map[string]any{"RoleName": name, "AssumeRolePolicyDocument": `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":{"Service":"lambda.amazonaws.com"},"Action":"sts:AssumeRole"}}`})
	for i, text := range documents(10, document) {
		policy := fmt.Sprint(name, i)
		err = errors.Join(err,
			call("CreatePolicy", map[string]any{"PolicyName": policy, "PolicyDocument": text}),
			call("AttachRolePolicy", map[string]any{"RoleName": name, "PolicyArn": "arn:aws:iam::123456789012:policy/" + policy}))
	}
	return err
}

func (w *world) newSession(roleARN string) (*access.Credentials, error) {
	return w.access.ServiceCredentials("lambda.amazonaws.com", roleARN, "bench")
}

func policies(n int, document func(int) string) ([]iam.Attached, error) {
	var list []iam.Attached
	for i, text := range documents(n, document) {
		policy, err := iam.Parse([]byte(text))
		if err != nil {
			return nil, err
		}
		list = append(list, iam.Attached{Name: fmt.Sprint("policy", i), Policy: policy})
	}
	return list, nil
}

// documents returns policies of ten statements. Only the very last statement
// allows the request, so that all that go before have to be decided.
func documents(n int, nine func(int) string) []string {
	list := make([]string, n)
	for i := range list {
		method := "DELETE"
		if i == n-1 {
			method = "GET"
		}
		list[i] = `{"Version":"2012-10-17","Statement":[` + nine(i) + `,
			{"Effect":"Allow","Action":"execute-api:Invoke","Resource":"arn:aws:execute-api:us-east-1:123456789012:api/*/` + method + `/*"}]}`
	}
	return list
}

// ordinary are statements as policies of applications have them: many services,
// several actions each, conditions in some, and the denies that administrators
// put on everything.
var ordinary = [...]string{
	`"Allow","Action":["logs:CreateLogGroup","logs:CreateLogStream","logs:PutLogEvents"],"Resource":"arn:aws:logs:us-east-1:123456789012:log-group:/aws/lambda/app#:*"`,
	`"Allow","Action":["s3:GetObject","s3:PutObject","s3:DeleteObject"],"Resource":"arn:aws:s3:::app#-uploads/${aws:PrincipalTag/team}/*"`,
	`"Allow","Action":"s3:ListBucket","Resource":"arn:aws:s3:::app#-uploads","Condition":{"StringLike":{"s3:prefix":["","public/*"]}}`,
	`"Allow","Action":["dynamodb:GetItem","dynamodb:PutItem","dynamodb:UpdateItem","dynamodb:Query"],"Resource":["arn:aws:dynamodb:*:*:table/app#","arn:aws:dynamodb:*:*:table/app#/index/*"]`,
	`"Allow","Action":"dynamodb:*","Resource":"arn:aws:dynamodb:*:*:table/users#","Condition":{"ForAllValues:StringEquals":{"dynamodb:LeadingKeys":["${cognito-identity.amazonaws.com:sub}"]}}`,
	`"Deny","NotAction":["iam:*","sts:*","cloudfront:*","route53:*","support:*"],"Resource":"*","Condition":{"StringNotEquals":{"aws:RequestedRegion":["us-east-1","us-west-#"]}}`,
	`"Allow","Action":["sqs:SendMessage","sqs:ReceiveMessage","sqs:DeleteMessage"],"Resource":"arn:aws:sqs:us-east-1:123456789012:app#"`,
	`"Allow","Action":["ssm:GetParameter","ssm:GetParametersByPath"],"Resource":"arn:aws:ssm:us-east-1:123456789012:parameter/app#/*"`,
	`"Allow","Action":"kms:Decrypt","Resource":"*","Condition":{"StringEquals":{"kms:ViaService":"ssm.us-east-1.amazonaws.com"}}`,
	`"Allow","Action":"execute-api:Invoke","Resource":["arn:aws:execute-api:us-east-1:123456789012:other#/*/GET/*","arn:aws:execute-api:us-east-1:123456789012:other#/*/POST/*"]`,
	`"Allow","Action":["secretsmanager:GetSecretValue","secretsmanager:DescribeSecret"],"Resource":"arn:aws:secretsmanager:us-east-1:123456789012:secret:app#-*"`,
	`"Deny","Action":"*","Resource":"*","Condition":{"Bool":{"aws:SecureTransport":"false"}}`,
	`"Allow","Action":["lambda:InvokeFunction"],"Resource":"arn:aws:lambda:us-east-1:123456789012:function:app#-*"`,
	`"Allow","Action":["xray:PutTraceSegments","xray:PutTelemetryRecords","cloudwatch:PutMetricData"],"Resource":"*"`,
	`"Deny","Action":"*","Resource":"*","Condition":{"NotIpAddress":{"aws:SourceIp":["127.0.0.0/8","10.#.0.0/16"]},"Bool":{"aws:ViaAWSService":"false"}}`,
	`"Allow","Action":["sns:Publish","sns:Subscribe"],"Resource":"arn:aws:sns:us-east-1:123456789012:app#","Condition":{"StringEquals":{"aws:ResourceTag/team":"${aws:PrincipalTag/team}"}}`,
	`"Allow","Action":["events:PutEvents","states:StartExecution"],"Resource":["arn:aws:events:*:*:event-bus/app#","arn:aws:states:*:*:stateMachine:app#"]`,
	`"Allow","Action":["ec2:Describe*","ec2:CreateNetworkInterface","ec2:DeleteNetworkInterface"],"Resource":"*"`,
	`"Allow","Action":"execute-api:*","Resource":"arn:aws:execute-api:*:*:admin#/*","Condition":{"DateLessThan":{"aws:CurrentTime":"2020-01-01T00:00:00Z"}}`,
	`"Deny","Action":["s3:DeleteBucket","dynamodb:DeleteTable","cloudformation:DeleteStack"],"Resource":"*","Condition":{"NumericGreaterThan":{"aws:MultiFactorAuthAge":"3600"}}`,
}

func ordinaryPolicy(n int) string {
	nine := make([]string, 9)
	for i := range nine {
		nine[i] = ordinary[(9*n+i)%len(ordinary)]
	}
	return statements(n, nine...)
}

// worstPolicy has nothing that can be told from the request without a look at
// resources or conditions, and three statements that compare addresses.
func worstPolicy(n int) string {
	allow := `"Allow","Action":"execute-api:Invoke","Resource":"arn:aws:execute-api:us-east-1:123456789012:other#/*/GET/*"`
	deny := `"Deny","Action":"execute-api:*","Resource":"*","Condition":{"NotIpAddress":{"aws:SourceIp":["10.#.0.0/16","127.0.0.0/8"]}}`
	return statements(n, allow, deny, allow, allow, deny, allow, allow, deny, allow)
}

func statements(n int, each ...string) string {
	text := `{"Effect":` + strings.Join(each, "},\n{\"Effect\":") + "}"
	return strings.ReplaceAll(text, "#", fmt.Sprint(n%200))
}
