package stacks_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/seed-615d3599/roost/internal/region/stacks"
	"github.com/seed-615d3599/roost/internal/region/store"
	"github.com/seed-615d3599/roost/internal/region/wire"
)

// stack describes a stack as the API tells it.
func (f *fixture) stack(name string) stacks.Stack {
	f.t.Helper()
	var out stacks.DescribeStacksOutput
	f.must("DescribeStacks", map[string]any{"StackName": name}, &out)
	return out.Stacks[0]
}

// What a deployment is told besides its template is told again.
func TestMembersAreTold(t *testing.T) {
	f := start(t)
	const role, topic = "arn:aws:iam::123456789012:role/deployer", "arn:aws:sns:us-east-1:123456789012:topic"
	f.roles = map[string]bool{role: true}
	f.must("CreateStack", map[string]any{
		"StackName": "s", "TemplateBody": template(map[string]string{"A": one}), "RoleARN": role, "NotificationARNs": []string{topic},
		"OnFailure": "DO_NOTHING", "TimeoutInMinutes": 5, "EnableTerminationProtection": true, "RetainExceptOnCreate": true,
		"DeploymentConfig": map[string]any{"Mode": "STANDARD"}, "ClientRequestToken": "t1",
	}, nil)
	f.wantRest("s", "CREATE_COMPLETE")
	st := f.stack("s")
	if st.RoleARN != role || len(st.NotificationARNs) != 1 || *st.TimeoutInMinutes != 5 || !st.EnableTerminationProtection ||
		!st.RetainExceptOnCreate || !st.DisableRollback || st.DeploymentConfig == nil || st.DeploymentConfig.Mode != "STANDARD" {
		t.Errorf("%+v", st)
	}
	var events stacks.EventsOutput
	f.must("DescribeStackEvents", map[string]any{"StackName": "s"}, &events)
	for _, e := range events.StackEvents {
		if e.ClientRequestToken != "t1" {
			t.Errorf("%s %s has the token %q", e.LogicalResourceID, e.ResourceStatus, e.ClientRequestToken)
		}
	}
}

// A change set keeps what its execution is to do on failure.
func TestChangeSetMembers(t *testing.T) {
	f := start(t)
	f.setFail("create A", "no")
	body := template(map[string]string{"A": one})
	set := func(stack, kind string, more map[string]any) error {
		in := map[string]any{"StackName": stack, "ChangeSetName": "c", "ChangeSetType": kind, "TemplateBody": body}
		for name, value := range more {
			in[name] = value
		}
		return f.call("CreateChangeSet", in, nil)
	}
	for _, c := range []struct {
		stack         string
		make, execute map[string]any
		want          string
	}{
		{"rolls-back", nil, nil, "ROLLBACK_COMPLETE"},
		{"told-to", map[string]any{"OnStackFailure": "ROLLBACK"}, nil, "ROLLBACK_COMPLETE"},
		{"left", map[string]any{"OnStackFailure": "DO_NOTHING"}, nil, "CREATE_FAILED"},
		{"left-too", nil, map[string]any{"DisableRollback": true}, "CREATE_FAILED"},
		{"left-also", map[string]any{"DeploymentConfig": map[string]any{"DisableRollback": true}}, nil, "CREATE_FAILED"},
		{"deleted", map[string]any{"OnStackFailure": "DELETE"}, nil, "DELETE_COMPLETE"},
	} {
		if err := set(c.stack, "CREATE", c.make); err != nil {
			t.Fatal(err)
		}
		told := f.describe(c.stack, "c")
		if want, _ := c.make["OnStackFailure"].(string); told.OnStackFailure != want {
			t.Errorf("%s: %+v", c.stack, told)
		}
		in := map[string]any{"StackName": c.stack, "ChangeSetName": "c", "ClientRequestToken": "t"}
		for name, value := range c.execute {
			in[name] = value
		}
		f.must("ExecuteChangeSet", in, nil)
		f.wantRest(told.StackID, c.want)
		if c.want == "ROLLBACK_COMPLETE" {
			f.must("ExecuteChangeSet", in, nil) // the same request again
		}
	}
	if err := set("left", "UPDATE", map[string]any{"OnStackFailure": "DELETE"}); wire.Code(err) != "ValidationError" {
		t.Errorf("OnStackFailure DELETE of an update: %v", err)
	}
	if err := set("other", "CREATE", map[string]any{"OnStackFailure": "ROLLBACK"}); err != nil {
		t.Fatal(err)
	}
	in := map[string]any{"StackName": "other", "ChangeSetName": "c", "DisableRollback": false}
	if err := f.call("ExecuteChangeSet", in, nil); err == nil || !strings.Contains(err.Error(), "DisableRollback must not be specified") {
		t.Errorf("DisableRollback beside OnStackFailure: %v", err)
	}
}

// Each member of the five operations that deploy works or is refused by its
// name; the API's reference lists them.
func TestNoMemberIsDropped(t *testing.T) {
	f := start(t)
	common := "StackName TemplateBody TemplateURL Parameters Capabilities ResourceTypes RoleARN RollbackConfiguration Tags NotificationARNs DeploymentConfig DisableValidation"
	for operation, members := range map[string]string{
		"CreateStack":      common + " ClientRequestToken DisableRollback EnableTerminationProtection OnFailure RetainExceptOnCreate StackPolicyBody StackPolicyURL TimeoutInMinutes",
		"UpdateStack":      common + " ClientRequestToken DisableRollback RetainExceptOnCreate StackPolicyBody StackPolicyDuringUpdateBody StackPolicyDuringUpdateURL StackPolicyURL UsePreviousTemplate",
		"CreateChangeSet":  common + " ChangeSetName ChangeSetType ClientToken DeploymentMode Description ImportExistingResources IncludeNestedStacks OnStackFailure ResourcesToImport UsePreviousTemplate",
		"ExecuteChangeSet": "ChangeSetName StackName ClientRequestToken DisableRollback RetainExceptOnCreate",
		"DeleteStack":      "StackName ClientRequestToken DeletionMode DeploymentConfig RetainResources RoleARN",
	} {
		for member := range strings.FieldsSeq(members + " Bogus") {
			in, err := json.Marshal(map[string]any{member: nil})
			if err != nil {
				t.Fatal(err)
			}
			err = f.call(operation, json.RawMessage(in), nil)
			if known := err == nil || !strings.Contains(err.Error(), "does not support the member"); known != (member != "Bogus") {
				t.Errorf("%s with %s: %v", operation, member, err)
			}
		}
	}
	for _, c := range []struct {
		operation, member string
		value             any
		want              string
	}{
		{"CreateStack", "DeploymentConfig", map[string]any{"Mode": "EXPRESS"}, "DeploymentConfig with Mode EXPRESS"},
		{"CreateStack", "DisableValidation", true, "DisableValidation"},
		{"UpdateStack", "StackPolicyURL", "https://x", "StackPolicyURL"},
		{"CreateStack", "RollbackConfiguration", map[string]any{"MonitoringTimeInMinutes": 1}, "MonitoringTimeInMinutes"},
		{"CreateChangeSet", "DeploymentMode", "REVERT_DRIFT", "DeploymentMode REVERT_DRIFT"},
		{"CreateChangeSet", "ResourcesToImport", []any{map[string]any{"ResourceType": "T"}}, "importing resources"},
		{"DeleteStack", "DeploymentConfig", map[string]any{"Mode": "EXPRESS"}, "DeploymentConfig with Mode EXPRESS"},
	} {
		in := map[string]any{"StackName": "s", c.member: c.value}
		if c.operation != "DeleteStack" {
			in["TemplateBody"] = template(map[string]string{"A": one})
		}
		if c.operation == "CreateChangeSet" {
			in["ChangeSetName"], in["ChangeSetType"] = "c", "CREATE"
		}
		if err := f.call(c.operation, in, nil); wire.Code(err) != "NotImplemented" || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s with %s: %v", c.operation, c.member, err)
		}
	}
}

// keepsNo looks for a secret in what is kept of a stack's resources.
func (f *fixture) keepsNo(stackID, secret string) {
	f.t.Helper()
	err := f.db.View(f.t.Context(), func(tx *store.Tx) error {
		items, err := tx.List("cfn-resource", stackID)
		for _, item := range items {
			if strings.Contains(string(item.Value), secret) {
				f.t.Errorf("%s keeps a secret", item.Key)
			}
		}
		if len(items) == 0 {
			f.t.Error("nothing is kept")
		}
		return err
	})
	if err != nil {
		f.t.Fatal(err)
	}
}
