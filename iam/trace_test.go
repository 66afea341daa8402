package iam_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/seed-615d3599/roost/iam"
)

// The golden file holds a policy and the trace of a request by it, in which
// every statement but the last fails at another element.
func TestTraceGolden(t *testing.T) {
	data, err := os.ReadFile(filepath.Join("testdata", "trace.golden"))
	if err != nil {
		t.Fatal(err)
	}
	policy, want, _ := strings.Cut(string(data), "\n---\n")
	compiled, err := iam.ParseResource([]byte(policy))
	if err != nil {
		t.Fatal(err)
	}
	request := iam.Request{Principal: bob, Action: "s3:GetObject", Resource: "arn:aws:s3:::b/k", Context: iam.Context{
		{Name: "aws:SourceIp", Value: "10.1.2.3"}, {Name: "x:many", Values: []string{"a", "b"}}}}
	var trace iam.Trace
	iam.Decide(request, iam.Policies{Resource: iam.Attached{Name: "bucket policy", Owner: "arn:aws:s3:::b", Policy: compiled}, ResourceAccount: here}, &trace)
	var got strings.Builder
	encoder := json.NewEncoder(&got)
	encoder.SetIndent("", "  ")
	if err := encoder.Encode(&trace); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got.String()); diff != "" {
		t.Error(diff)
	}
	var back iam.Trace
	if err := json.Unmarshal([]byte(got.String()), &back); err != nil {
		t.Fatal(err)
	}
	for i := range trace.Statements {
		trace.Statements[i].Statement = nil
	}
	if diff := cmp.Diff(trace, back); diff != "" {
		t.Errorf("read back: %s", diff)
	}
	if matched := back.Matched(); len(matched) != 1 || matched[0].Sid != "all is well" {
		t.Errorf("matched: %+v", matched)
	}
}

func TestTraceIsBounded(t *testing.T) {
	long := strings.Repeat("x", 20000)
	statement := allowAll + `, 'Condition': {'StringEquals': {'x:key': ['` + long + `', '1', '2', '3', '4', '5', '6', '7', '8', '9', '10', '11', '12']}}`
	policy := attach(t, iam.Parse, strings.Repeat("p", 64), statement+strings.Repeat(`}, {`+allowEC2, 1010))
	request := iam.Request{Principal: bob, Action: "s3:GetObject", Resource: "arn:aws:s3:::" + long, Context: many(long+"y", "a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k")}
	var trace iam.Trace
	iam.Decide(request, iam.Policies{Identity: []iam.Attached{policy}}, &trace)
	if len(trace.Statements) != 1000 || trace.Dropped != 11 {
		t.Errorf("%d statements are kept and %d dropped", len(trace.Statements), trace.Dropped)
	}
	miss := trace.Statements[0].Mismatch
	if len(miss.Policy) != 10 || len(miss.Request) != 10 || len(miss.Policy[0]) > 300 || len(miss.Request[0]) > 300 {
		t.Errorf("the mismatch is not bounded: %d and %d values", len(miss.Policy), len(miss.Request))
	}
	trace = iam.Trace{Limit: 3}
	if got := iam.Decide(request, iam.Policies{Identity: []iam.Attached{policy}}, &trace); len(trace.Statements) != 3 || got != noIdentity {
		t.Errorf("with a limit of 3: %d statements, %v", len(trace.Statements), got)
	}
}

// The messages are those of "Access denied error message examples"
// (troubleshoot_access-denied.html), with this test's names put in.
func TestMessages(t *testing.T) {
	request := iam.Request{Principal: bob, Action: "sts:AssumeRole", Resource: "arn:aws:iam::111111111111:role/r"}
	const begin = "User: arn:aws:iam::111111111111:user/bob is not authorized to perform: sts:AssumeRole on resource: arn:aws:iam::111111111111:role/r "
	for _, c := range []struct {
		decision iam.Decision
		reason   string
	}{
		{noIdentity, "because no identity-based policy allows the sts:AssumeRole action"},
		{noResource, "because no resource-based policy allows the sts:AssumeRole action"},
		{noTrust, "because no role trust policy allows the sts:AssumeRole action"},
		{noBoundary, "because no permissions boundary allows the sts:AssumeRole action"},
		{noSession, "because no session policy allows the sts:AssumeRole action"},
		{denyIdentity, "with an explicit deny in an identity-based policy"},
		{denyResource, "with an explicit deny in a resource-based policy"},
		{denyTrust, "with an explicit deny in the role trust policy"},
		{denyBoundary, "with an explicit deny in a permissions boundary"},
		{denySession, "with an explicit deny in a session policy"},
	} {
		if got := c.decision.Message(request); got != begin+c.reason {
			t.Errorf("got  %s\nwant %s", got, begin+c.reason)
		}
	}
	if got := byIdentity.Message(request); got != "" {
		t.Errorf("allowed: %q", got)
	}
	request.Principal = cognito
	if got := noTrust.Message(request); !strings.HasPrefix(got, "User: cognito-identity.amazonaws.com is not authorized") {
		t.Error(got)
	}
	request.Principal = anonymous
	if got := noTrust.Message(request); !strings.HasPrefix(got, "User: anonymous is not authorized") {
		t.Error(got)
	}
}
