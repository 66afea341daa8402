package access_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

// results are the decisions of a simulation: action, resource, decision, and
// the policies whose statements led to it.
func results(out m) [][]string {
	var list [][]string
	for _, r := range out["EvaluationResults"].([]any) {
		r := r.(m)
		row := []string{r["EvalActionName"].(string), r["EvalResourceName"].(string), r["EvalDecision"].(string)}
		for _, s := range r["MatchedStatements"].([]any) {
			row = append(row, s.(m)["SourcePolicyId"].(string)+" ("+s.(m)["SourcePolicyType"].(string)+")")
		}
		list = append(list, row)
	}
	return list
}

func TestSimulateCustomPolicy(t *testing.T) {
	w := newWorld(t)
	out := w.must("SimulateCustomPolicy", m{
		"PolicyInputList": []string{policy("s3:Get*", "s3:Put*"), `{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Action":"s3:PutObject","Resource":"*"},{"Effect":"Allow","Action":"s3:List*","Resource":"*","Condition":{"StringEquals":{"aws:username":"bob"}}}]}`},
		"ActionNames":     []string{"s3:GetObject", "s3:PutObject", "s3:ListBucket"},
	})
	want := [][]string{
		{"s3:GetObject", "*", "allowed", "PolicyInputList.1 (IAM Policy)"},
		{"s3:PutObject", "*", "explicitDeny", "PolicyInputList.2 (IAM Policy)"}, // the deny is the only entry
		{"s3:ListBucket", "*", "implicitDeny"},
	}
	if diff := cmp.Diff(want, results(out)); diff != "" {
		t.Error(diff)
	}
	first := out["EvaluationResults"].([]any)[0].(m)
	if diff := cmp.Diff([]any{"aws:username"}, first["MissingContextValues"]); diff != "" {
		t.Error(diff)
	}
	// The position of a statement that stands alone is behind its brace, as in the
	// AWS CLI's own examples.
	statement := first["MatchedStatements"].([]any)[0].(m)
	if diff := cmp.Diff(m{"Line": 1.0, "Column": 38.0}, statement["StartPosition"]); diff != "" {
		t.Error(diff)
	}
}

// Positions count lines and columns from 1. The end is behind the statement's
// brace; where a statement begins is behind the bracket or the statement before.
func TestPositionsOfMatchedStatements(t *testing.T) {
	w := newWorld(t)
	document := "{\"Version\":\"2012-10-17\",\n \"Statement\":[\n  {\"Effect\":\"Allow\",\"Action\":\"s3:*\",\"Resource\":\"*\"},\n  {\"Effect\":\"Allow\",\n   \"Action\":\"s3:Get*\",\"Resource\":\"*\"}]}"
	out := w.must("SimulateCustomPolicy", m{"PolicyInputList": []string{document}, "ActionNames": []string{"s3:GetObject"}})
	var got []any
	for _, s := range out["EvaluationResults"].([]any)[0].(m)["MatchedStatements"].([]any) {
		got = append(got, s.(m)["StartPosition"], s.(m)["EndPosition"])
	}
	at := func(line, column float64) any { return m{"Line": line, "Column": column} }
	if diff := cmp.Diff([]any{at(2, 15), at(3, 52), at(3, 52), at(5, 38)}, got); diff != "" {
		t.Error(diff)
	}
}

func TestSimulationWithContextBoundaryAndResource(t *testing.T) {
	w := newWorld(t)
	conditional := `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"s3:GetObject","Resource":"arn:aws:s3:::b/*","Condition":{"NumericLessThan":{"s3:max-keys":"10"},"IpAddress":{"aws:SourceIp":"10.0.0.0/8"}}}}`
	entry := func(name, kind string, values ...string) m {
		return m{"ContextKeyName": name, "ContextKeyType": kind, "ContextKeyValues": values}
	}
	in := m{"PolicyInputList": []string{conditional}, "ActionNames": []string{"s3:GetObject"}, "ResourceArns": []string{"arn:aws:s3:::b/k"}}
	with := func(more m) m {
		all := m{}
		for _, part := range []m{in, more} {
			for name, value := range part {
				all[name] = value
			}
		}
		return all
	}
	specific := func(out m) m {
		return out["EvaluationResults"].([]any)[0].(m)["ResourceSpecificResults"].([]any)[0].(m)
	}
	if r := specific(w.must("SimulateCustomPolicy", in)); r["EvalResourceDecision"] != "implicitDeny" || len(r["MissingContextValues"].([]any)) != 2 {
		t.Errorf("without keys: %v", r)
	}
	keys := []m{entry("S3:Max-Keys", "numeric", "9"), entry("aws:SourceIp", "ip", "10.1.2.3")}
	if r := specific(w.must("SimulateCustomPolicy", with(m{"ContextEntries": keys}))); r["EvalResourceDecision"] != "allowed" || r["MissingContextValues"] != nil && len(r["MissingContextValues"].([]any)) != 0 {
		t.Errorf("with keys: %v", r)
	}
	bounded := specific(w.must("SimulateCustomPolicy", with(m{"ContextEntries": keys, "PermissionsBoundaryPolicyInputList": []string{policy("s3:Put*")}})))
	if bounded["EvalResourceDecision"] != "implicitDeny" || bounded["PermissionsBoundaryDecisionDetail"].(m)["AllowedByPermissionsBoundary"] != false {
		t.Errorf("with a boundary: %v", bounded)
	}
	resource := `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::210987654321:user/eve"},"Action":"s3:*","Resource":"*"}}`
	across := specific(w.must("SimulateCustomPolicy", with(m{
		"ContextEntries": keys, "ResourcePolicy": resource, "CallerArn": "arn:aws:iam::210987654321:user/eve", "ResourceOwner": "arn:aws:iam::123456789012:root",
	})))
	if diff := cmp.Diff(m{"IAM Policy": "allowed", "Resource Policy": "allowed"}, across["EvalDecisionDetails"]); diff != "" || across["EvalResourceDecision"] != "allowed" {
		t.Errorf("across accounts: %v\n%s", across["EvalResourceDecision"], diff)
	}
	for _, test := range []struct {
		more m
		want string
	}{
		{m{"ActionNames": []string{"GetObject"}}, "InvalidInput: Invalid action"},
		{m{"PolicyInputList": []string{"{}"}}, "InvalidInput: PolicyInputList.1: "},
		{m{"PermissionsBoundaryPolicyInputList": []string{policy("a:b"), policy("a:b")}}, "only one permissions boundary"},
		{m{"ResourcePolicy": resource}, "CallerArn is required"},
		{m{"CallerArn": "arn:aws:iam::123456789012:role/r"}, "ARN of an IAM user"},
		{m{"ResourceOwner": "123456789012"}, "is not the ARN of an account"},
		{m{"ContextEntries": []m{entry("a:b", "text", "x")}}, "unknown"},
		{m{"ContextEntries": []m{entry("a:b", "string", "x", "y")}}, "one value belongs to the type string"},
		{m{"OrderedOrganizationPolicyInputList": []string{}}, "roost does not support the member"},
		{m{"PolicySourceArn": "arn:aws:iam::123456789012:user/x"}, "ValidationError"},
	} {
		w.fails(w.admin, "SimulateCustomPolicy", with(test.more), test.want)
	}
}

func TestSimulatePrincipalPolicy(t *testing.T) {
	w := newWorld(t)
	w.user("alice", "s3:GetObject")
	w.must("CreateGroup", m{"GroupName": "team"})
	w.must("AddUserToGroup", m{"GroupName": "team", "UserName": "alice"})
	w.must("PutGroupPolicy", m{"GroupName": "team", "PolicyName": "put", "PolicyDocument": policy("s3:PutObject")})
	w.must("AttachUserPolicy", m{"UserName": "alice", "PolicyArn": "arn:aws:iam::aws:policy/AmazonSSMReadOnlyAccess"})
	actions := []string{"s3:GetObject", "s3:PutObject", "ssm:GetParameter", "iam:ListRoles"}
	out := w.must("SimulatePrincipalPolicy", m{"PolicySourceArn": "arn:aws:iam::123456789012:user/alice", "ActionNames": actions, "PolicyInputList": []string{policy("x:y")}})
	want := [][]string{
		{"s3:GetObject", "*", "allowed", "user_alice_may (IAM Policy)"},
		{"s3:PutObject", "*", "allowed", "group_team_put (IAM Policy)"},
		{"ssm:GetParameter", "*", "allowed", "AmazonSSMReadOnlyAccess (IAM Policy)"},
		{"iam:ListRoles", "*", "implicitDeny"},
	}
	if diff := cmp.Diff(want, results(out)); diff != "" {
		t.Error(diff)
	}
	page := w.must("SimulatePrincipalPolicy", m{"PolicySourceArn": "arn:aws:iam::123456789012:user/alice", "ActionNames": actions, "MaxItems": 3})
	if page["IsTruncated"] != true || len(page["EvaluationResults"].([]any)) != 3 {
		t.Errorf("%v", page)
	}
	w.must("SimulatePrincipalPolicy", m{"PolicySourceArn": w.role("r", trustAccount, "s3:*"), "ActionNames": actions})
	w.fails(w.admin, "SimulatePrincipalPolicy", m{"PolicySourceArn": "arn:aws:iam::123456789012:user/none", "ActionNames": actions}, "NoSuchEntity")
	w.fails(w.admin, "SimulatePrincipalPolicy", m{"PolicySourceArn": "nobody", "ActionNames": actions}, "InvalidInput")
	names := w.must("GetContextKeysForPrincipalPolicy", m{"PolicySourceArn": "arn:aws:iam::123456789012:user/alice", "PolicyInputList": []string{
		`{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"a:b","Resource":"arn:aws:s3:::b/${aws:username}","Condition":{"Bool":{"aws:SecureTransport":"true"}}}}`}})
	if got, _ := names["ContextKeyNames"].([]any); len(got) != 2 {
		t.Errorf("%v", got)
	}
	w.must("GetContextKeysForCustomPolicy", m{"PolicyInputList": []string{policy("a:b")}})
}
