package iam_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/seed-615d3599/roost/iam"
)

// manyPolicies returns policies of ten statements. Those of the first service,
// and with one service given all, are on the service of the request: one in
// ten statements then allows it, and each of the others fails at another of
// its elements.
func manyPolicies(t testing.TB, policies int, services ...string) (iam.Request, iam.Policies) {
	statements := []string{
		`'Effect': 'Allow', 'Action': ['execute-api:Invoke', 'execute-api:ManageConnections'], 'Resource': 'arn:aws:execute-api:us-east-1:111111111111:other%d/*/GET/items/*'`,
		`'Effect': 'Allow', 'Action': 's3:Get*', 'Resource': 'arn:aws:s3:::bucket%d/${aws:username}/*'`,
		`'Effect': 'Allow', 'Action': 'execute-api:*', 'Resource': 'arn:aws:execute-api:*:*:api%d/*/POST/*'`,
		`'Effect': 'Deny', 'Action': 'execute-api:*', 'Resource': '*', 'Condition': {'NotIpAddress': {'aws:SourceIp': ['127.0.0.0/8', '10.%d.0.0/16']}}`,
		`'Effect': 'Deny', 'Action': '*', 'Resource': '*', 'Condition': {'DateLessThan': {'aws:TokenIssueTime': '20%02d-01-01T00:00:00Z'}}`,
		`'Effect': 'Allow', 'NotAction': ['iam:*', 'execute-api:*'], 'Resource': 'arn:aws:s3:::%d'`,
		`'Effect': 'Allow', 'Action': 'execute-api:Invoke', 'Resource': '*', 'Condition': {'StringEquals': {'aws:PrincipalTag/team': 'team%d'}}`,
		`'Effect': 'Allow', 'Action': 'execute-api:Invoke', 'Resource': '*', 'Condition': {'ForAnyValue:StringLike': {'cognito-identity.amazonaws.com:amr': 'graph%d.*'}}`,
		`'Effect': 'Allow', 'Action': 'dynamodb:*', 'NotResource': 'arn:aws:dynamodb:*:*:table/t%d'`,
		`'Effect': 'Allow', 'Action': 'execute-api:Invoke', 'Resource': 'arn:aws:execute-api:us-east-1:111111111111:abcdef1234/*/GET/users/${aws:userid, '%d'}/*'`,
	}
	var all iam.Policies
	for i := range policies {
		filled := make([]string, len(statements))
		for j, s := range statements {
			s = strings.ReplaceAll(s, "'%d'}", "\x01%d\x01}") // the quotes of a default value stay
			filled[j] = fmt.Sprintf(s, i%10)
		}
		service := services[i%len(services)]
		text := strings.ReplaceAll(string(document(strings.Join(filled, "}, {"))), "\x01", "'")
		text = strings.ReplaceAll(text, "execute-api:", service+":")
		all.Identity = append(all.Identity, iam.Attached{Name: fmt.Sprint("policy", i), Policy: identityPolicy(t, text)})
	}
	return apiRequest(), all
}

// apiRequest is a call of an API by a session of Cognito.
func apiRequest() iam.Request {
	return iam.Request{
		Principal: session, Action: "execute-api:Invoke",
		Resource: "arn:aws:execute-api:us-east-1:111111111111:abcdef1234/$default/GET/users/AROAROLEROLEROLEROLE:s/items",
		Context: iam.Context{
			{Name: "aws:CurrentTime", Value: "2026-11-22T12:00:00Z"}, {Name: "aws:EpochTime", Value: "1795348800"},
			{Name: "aws:PrincipalArn", Value: session.RoleARN}, {Name: "aws:PrincipalAccount", Value: here},
			{Name: "aws:PrincipalType", Value: "AssumedRole"}, {Name: "aws:userid", Value: "AROAROLEROLEROLEROLE:s"},
			{Name: "aws:TokenIssueTime", Value: "2026-11-22T11:00:00Z"}, {Name: "aws:FederatedProvider", Value: "cognito-identity.amazonaws.com"},
			{Name: "aws:SourceIp", Value: "127.0.0.1"}, {Name: "aws:UserAgent", Value: "curl/8"}, {Name: "aws:SecureTransport", Value: "false"},
			{Name: "aws:RequestedRegion", Value: "us-east-1"}, {Name: "aws:PrincipalTag/team", Value: "blue"},
			{Name: "cognito-identity.amazonaws.com:aud", Value: "us-east-1:pool"}, {Name: "cognito-identity.amazonaws.com:sub", Value: "us-east-1:id"},
			{Name: "cognito-identity.amazonaws.com:amr", Values: []string{"authenticated", "api.twitter.com", "api.twitter.com:1:2"}},
		},
	}
}

var mixed = []string{"execute-api", "sqs", "lambda"}

func TestDecideAllocatesNothing(t *testing.T) {
	request, policies := manyPolicies(t, 10, mixed...)
	policies.Boundary = iam.Attached{Policy: policies.Identity[0].Policy}
	policies.Session = policies.Identity
	policies.Resource = attach(t, iam.ParseResource, "resource", grantTo(`{'AWS': ['arn:aws:iam::111111111111:user/bob', 'arn:aws:iam::111111111111:root']}`))
	if got := iam.Decide(request, policies, nil); got != byIdentity {
		t.Fatalf("the request that is measured should be allowed, but is %v", got)
	}
	var sink iam.Decision
	if n := testing.AllocsPerRun(100, func() { sink = iam.Decide(request, policies, nil) }); n != 0 {
		t.Errorf("%v allocations for a decision (%v)", n, sink)
	}
}

// Each condition operator on its own allocates nothing either, even for a
// value of the wrong type, save where the standard library makes an error.
func TestOperatorsAllocateNothing(t *testing.T) {
	for _, op := range everyOperator {
		policy := identityPolicy(t, `{"Statement": {"Effect": "Allow", "Action": "*", "Resource": "*", "Condition": {"`+op.operator+`": {"x:key": `+op.policy+`}}}}`)
		policies := iam.Policies{Identity: []iam.Attached{{Policy: policy}}}
		for _, value := range []string{op.match, op.other} {
			request := iam.Request{Principal: bob, Action: "s3:GetObject", Resource: "*", Context: one(value)}
			if n := testing.AllocsPerRun(10, func() { iam.Decide(request, policies, nil) }); n != 0 {
				t.Errorf("%v allocations for %s of %q", n, op.operator, value)
			}
		}
	}
}

// Ten times the statements cost about ten times, and not a hundred. The ratio
// is of the fastest of several rounds, and has room for a machine whose caches
// others use too; the exact one is what the benchmarks print.
func TestDecideIsLinear(t *testing.T) {
	fastest := func(policies int) time.Duration {
		request, all := manyPolicies(t, policies, mixed...)
		best := time.Hour
		for range 50 {
			start := time.Now()
			for range 10 {
				iam.Decide(request, all, nil)
			}
			best = min(best, time.Since(start))
		}
		return best
	}
	small, large := fastest(10), fastest(100)
	if ratio := float64(large) / float64(small); ratio > 30 {
		t.Errorf("ten times the statements cost %.1f times", ratio)
	}
}

// BenchmarkDecide has policies as a role has them, for several services.
func BenchmarkDecide(b *testing.B) { benchmarkDecide(b, mixed...) }

// BenchmarkDecideOneService has a role whose every statement is on the service
// of the request, so that each is looked at to the end.
func BenchmarkDecideOneService(b *testing.B) { benchmarkDecide(b, "execute-api") }

// BenchmarkDecideAddresses has the most to do: every statement is on the service
// of the request, three in ten compare addresses, and only the last one allows.
func BenchmarkDecideAddresses(b *testing.B) {
	const allow = `{'Effect': 'Allow', 'Action': 'execute-api:Invoke', 'Resource': 'arn:aws:execute-api:us-east-1:111111111111:other%d/*/GET/*'}`
	const deny = `{'Effect': 'Deny', 'Action': 'execute-api:*', 'Resource': '*', 'Condition': {'NotIpAddress': {'aws:SourceIp': ['10.%d.0.0/16', '127.0.0.0/8']}}}`
	nine := strings.Join([]string{allow, deny, allow, allow, deny, allow, allow, deny, allow}, ",\n")
	for _, policies := range []int{1, 10, 100} {
		var all iam.Policies
		for i := range policies {
			last := allow
			if i == policies-1 {
				last = `{'Effect': 'Allow', 'Action': 'execute-api:Invoke', 'Resource': '*'}`
			}
			text := `{'Statement': [` + strings.ReplaceAll(nine+", "+last, "%d", fmt.Sprint(i)) + `]}`
			all.Identity = append(all.Identity, iam.Attached{Policy: identityPolicy(b, strings.ReplaceAll(text, "'", `"`))})
		}
		benchmarkRequest(b, policies, apiRequest(), all)
	}
}

func benchmarkDecide(b *testing.B, services ...string) {
	for _, policies := range []int{1, 10, 100} {
		request, all := manyPolicies(b, policies, services...)
		benchmarkRequest(b, policies, request, all)
	}
}

func benchmarkRequest(b *testing.B, policies int, request iam.Request, all iam.Policies) {
	b.Run(fmt.Sprintf("%dx10", policies), func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if iam.Decide(request, all, nil).Outcome != iam.Allowed {
				b.Fatal("the request that is measured should be allowed")
			}
		}
	})
}

func BenchmarkDecideTraced(b *testing.B) {
	request, all := manyPolicies(b, 10, mixed...)
	b.ReportAllocs()
	for b.Loop() {
		var trace iam.Trace
		iam.Decide(request, all, &trace)
	}
}

func BenchmarkParse(b *testing.B) {
	text := document(allowAll + `, 'Condition': {'ForAnyValue:StringLike': {'x:y': ['a*', '${aws:username}']}}`)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := iam.Parse(text); err != nil {
			b.Fatal(err)
		}
	}
}
