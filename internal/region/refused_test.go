package region_test

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/seed-615d3599/roost/internal/region"
)

const cloudFormationTrust = `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":{"Service":"cloudformation.amazonaws.com"},"Action":"sts:AssumeRole"}}`

// role makes a role that CloudFormation may assume, and that may do what is said.
func (r *opened) role(name, actions string) string {
	r.t.Helper()
	var made struct{ Role struct{ Arn string } }
	r.must("iam", "CreateRole", object{"RoleName": name, "AssumeRolePolicyDocument": cloudFormationTrust}, &made)
	r.must("iam", "PutRolePolicy", object{"RoleName": name, "PolicyName": "p", "PolicyDocument": `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":` + actions + `,"Resource":"*"}}`}, nil)
	return made.Role.Arn
}

// failed waits for a stack that fails, and returns why its resource did.
func (r *opened) failed(stack, resource string) string {
	r.t.Helper()
	status := r.rest(stack)
	var out struct {
		StackEvents []struct{ LogicalResourceId, ResourceStatus, ResourceStatusReason string }
	}
	r.must("cloudformation", "DescribeStackEvents", object{"StackName": stack}, &out)
	for _, e := range out.StackEvents {
		if e.LogicalResourceId == resource && e.ResourceStatus == "CREATE_FAILED" {
			return e.ResourceStatusReason
		}
	}
	r.t.Fatalf("%s did not fail: the stack is %s", resource, status)
	return ""
}

// What CloudFormation is refused on behalf of a stack has a record under the
// token that the stack's events show.
func TestRefusalsOfStacksAreRecorded(t *testing.T) {
	r := open(t, region.Config{Dir: t.TempDir()})
	role := r.role("deployer", `"logs:*"`)
	const template = `{"Resources":{"Secret":{"Type":"AWS::SSM::Parameter","Properties":{"Type":"String","Name":"/x","Value":"v"}}}}`
	r.must("cloudformation", "CreateStack", object{"StackName": "s", "TemplateBody": template, "RoleARN": role}, nil)
	reason := r.failed("s", "Secret")
	_, rest, _ := strings.Cut(reason, "RequestToken: ")
	token, code, _ := strings.Cut(rest, ", ")
	if !strings.HasPrefix(code, "HandlerErrorCode: AccessDenied") {
		t.Fatalf("the stack failed with %s", reason)
	}
	record, err := r.Explain(context.Background(), token)
	if err != nil {
		t.Fatalf("%v, for %s", err, reason)
	}
	if record.Action != "ssm:PutParameter" || record.Resource != "arn:aws:ssm:us-east-1:123456789012:parameter/x" || record.RoleARN != role || record.Operation != "PutParameter" || len(record.Trace.Statements) != 1 {
		data, _ := json.Marshal(record) // texts and numbers
		t.Errorf("the record is %s", data)
	}
	if !strings.Contains(reason, "is not authorized to perform: ssm:PutParameter") || !strings.Contains(record.Reason, "is not authorized to perform: ssm:PutParameter") {
		t.Errorf("the event says %s, the record %s", reason, record.Reason)
	}
}

// GetRole tells when a role was last used, and not what one of the same name did
// that is gone.
func TestRoleLastUsed(t *testing.T) {
	start := time.Date(2026, 11, 22, 12, 0, 30, 0, time.UTC)
	var passed atomic.Int64 // seconds
	r := open(t, region.Config{Dir: t.TempDir(), Now: func() time.Time { return start.Add(time.Duration(passed.Load()) * time.Second) }})
	arn := r.role("used", `"logs:*"`)
	use := func(stack string) {
		t.Helper()
		r.must("cloudformation", "CreateStack", object{"StackName": stack, "RoleARN": arn,
			"TemplateBody": `{"Resources":{"Secret":{"Type":"AWS::SSM::Parameter","Properties":{"Type":"String","Name":"/x","Value":"v"}}}}`}, nil)
		r.failed(stack, "Secret")
	}
	lastUsed := func() string {
		t.Helper()
		var out struct {
			Role struct {
				RoleLastUsed struct {
					LastUsedDate float64
					Region       string
				}
			}
		}
		r.must("iam", "GetRole", object{"RoleName": "used"}, &out)
		used := out.Role.RoleLastUsed
		return strings.TrimSpace(fmt.Sprint(int64(used.LastUsedDate), " ", used.Region))
	}
	if got := lastUsed(); got != "0" {
		t.Errorf("before it was used: %s", got)
	}
	use("first")
	if got, want := lastUsed(), fmt.Sprint(start.Unix(), " us-east-1"); got != want {
		t.Errorf("used at %s, want %s", got, want)
	}
	passed.Store(10)
	r.must("iam", "DeleteRolePolicy", object{"RoleName": "used", "PolicyName": "p"}, nil)
	r.must("iam", "DeleteRole", object{"RoleName": "used"}, nil)
	r.role("used", `"logs:*"`)
	if got := lastUsed(); got != "0" {
		t.Errorf("the new role of the same name: %s", got)
	}
	passed.Store(70)
	use("second")
	if got, want := lastUsed(), fmt.Sprint(start.Unix()+70, " us-east-1"); got != want {
		t.Errorf("the new role was used at %s, want %s", got, want)
	}
}
