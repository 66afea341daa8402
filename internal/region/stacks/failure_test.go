package stacks_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/seed-615d3599/roost/internal/region/stacks"
	"github.com/seed-615d3599/roost/internal/region/wire"
)

// both runs a test for a type of each sort: one that works in the transaction
// of its record, and one that does not.
func both(t *testing.T, test func(t *testing.T, f *fixture, kind string)) {
	for _, kind := range []string{"AWS::Test::Thing", "AWS::Test::Slow"} {
		t.Run(kind, func(t *testing.T) { test(t, start(t), kind) })
	}
}

// typed is a template of resources that are of one type.
func typed(kind string, resources map[string]string) string {
	return strings.ReplaceAll(template(resources), "AWS::Test::Thing", kind)
}

func (f *fixture) wantRest(stack, want string) {
	f.t.Helper()
	if status := f.rest(stack); status != want {
		f.t.Fatalf("the stack is %s, want %s\n%s", status, want, strings.Join(f.events(stack), "\n"))
	}
}

func (f *fixture) wantEvent(stack, text string) {
	f.t.Helper()
	if events := strings.Join(f.events(stack), "\n"); !strings.Contains(events, text) {
		f.t.Errorf("no event %q in\n%s", text, events)
	}
}

func size(n int) string { return fmt.Sprintf(`"Properties": {"Size": %d}`, n) }

func TestCreateFails(t *testing.T) {
	both(t, func(t *testing.T, f *fixture, kind string) {
		f.setFail("create B", "no")
		f.must("CreateStack", map[string]any{"StackName": "s", "TemplateBody": typed(kind, map[string]string{"A": one, "B": two})}, nil)
		f.wantRest("s", "ROLLBACK_COMPLETE")
		f.wantEvent("s", "B CREATE_FAILED ")
		if diff := cmp.Diff([]string(nil), f.things(t)); diff != "" {
			t.Error(diff)
		}
		for operation, in := range map[string]map[string]any{
			"UpdateStack":     {"StackName": "s", "TemplateBody": template(map[string]string{"A": one})},
			"CreateChangeSet": {"StackName": "s", "ChangeSetName": "c", "TemplateBody": template(map[string]string{"A": one})},
		} {
			if err := f.call(operation, in, nil); err == nil || !strings.Contains(err.Error(), "is in ROLLBACK_COMPLETE state and can not be updated.") {
				t.Errorf("%s: %v", operation, err)
			}
		}
		f.must("DeleteStack", map[string]any{"StackName": "s"}, nil)
	})
}

func TestCreateFailsAndIsLeft(t *testing.T) {
	both(t, func(t *testing.T, f *fixture, kind string) {
		f.setFail("create B", "no")
		body := typed(kind, map[string]string{"A": one, "B": two})
		f.must("CreateStack", map[string]any{"StackName": "s", "TemplateBody": body, "DisableRollback": true}, nil)
		f.wantRest("s", "CREATE_FAILED")
		f.setFail("create B", "")
		f.must("UpdateStack", map[string]any{"StackName": "s", "TemplateBody": body}, nil)
		f.wantRest("s", "UPDATE_COMPLETE")
		if diff := cmp.Diff([]string{"A:<nil>=1", "B:<nil>=1"}, f.things(t)); diff != "" {
			t.Error(diff)
		}
	})
}

func TestOnFailureDelete(t *testing.T) {
	f := start(t)
	f.setFail("create A", "no")
	var made stacks.StackIDOutput
	f.must("CreateStack", map[string]any{"StackName": "s", "TemplateBody": template(map[string]string{"A": one}), "OnFailure": "DELETE"}, &made)
	f.wantRest(made.StackID, "DELETE_COMPLETE")
	f.wantEvent(made.StackID, "s DELETE_IN_PROGRESS The following resource(s) failed to create: [A]. Delete requested by user.")
}

func TestRollbackFailsAndIsContinued(t *testing.T) {
	both(t, func(t *testing.T, f *fixture, kind string) {
		f.must("CreateStack", map[string]any{"StackName": "s", "TemplateBody": typed(kind, map[string]string{"A": one, "B": two})}, nil)
		f.wantRest("s", "CREATE_COMPLETE")
		update := func() {
			t.Helper()
			f.must("UpdateStack", map[string]any{"StackName": "s", "TemplateBody": typed(kind, map[string]string{"A": size(2), "B": two, "C": `"DependsOn": "A"`})}, nil)
		}
		// A is updated, C fails, and then A's way back fails too.
		f.setFail("create C", "no")
		hang := make(chan struct{})
		f.change(func() { f.hang["create C"] = hang })
		if kind == "AWS::Test::Thing" {
			f.failAfter("update A", 1)
		}
		update()
		if kind == "AWS::Test::Slow" {
			for len(f.things(t)) < 3 {
				f.must("DescribeStacks", map[string]any{"StackName": "s"}, nil)
			}
			f.setFail("update A", "not back")
			close(hang)
		}
		f.wantRest("s", "UPDATE_ROLLBACK_FAILED")
		f.wantEvent("s", "A UPDATE_FAILED ")
		if err := f.call("UpdateStack", map[string]any{"StackName": "s", "TemplateBody": template(map[string]string{"A": one})}, nil); err == nil {
			t.Error("an update of a stack whose rollback failed")
		}
		f.setFail("update A", "")
		f.must("ContinueUpdateRollback", map[string]any{"StackName": "s"}, nil)
		f.wantRest("s", "UPDATE_ROLLBACK_COMPLETE")
		if diff := cmp.Diff([]string{"A:<nil>=1", "B:<nil>=1"}, f.things(t)); diff != "" {
			t.Error(diff)
		}
	})
}

func TestRollbackGoesOnWithoutWhatIsSkipped(t *testing.T) {
	f := start(t)
	f.must("CreateStack", map[string]any{"StackName": "s", "TemplateBody": template(map[string]string{"A": one})}, nil)
	f.wantRest("s", "CREATE_COMPLETE")
	f.setFail("create C", "no")
	f.failAfter("update A", 1)
	f.must("UpdateStack", map[string]any{"StackName": "s", "TemplateBody": template(map[string]string{"A": size(2), "C": `"DependsOn": "A"`})}, nil)
	f.wantRest("s", "UPDATE_ROLLBACK_FAILED")
	if err := f.call("ContinueUpdateRollback", map[string]any{"StackName": "s", "ResourcesToSkip": []string{"X"}}, nil); wire.Code(err) != "ValidationError" {
		t.Errorf("skipping what is not there: %v", err)
	}
	f.must("ContinueUpdateRollback", map[string]any{"StackName": "s", "ResourcesToSkip": []string{"A"}}, nil)
	f.wantRest("s", "UPDATE_ROLLBACK_COMPLETE")
	f.wantEvent("s", "A UPDATE_COMPLETE Resource skipped during UpdateRollback")
	f.wantThings("A:<nil>=2")
}

// Without the rights of its role a stack comes to rest all the same, and goes on
// with those of another.
func TestRoleThatCannotBeAssumed(t *testing.T) {
	f := start(t)
	const bad, good = "arn:aws:iam::123456789012:role/bad", "arn:aws:iam::123456789012:role/good"
	f.roles = map[string]bool{good: true}
	f.must("CreateStack", map[string]any{"StackName": "none", "TemplateBody": template(map[string]string{"A": one}), "RoleARN": bad}, nil)
	f.wantRest("none", "CREATE_FAILED")

	f.must("CreateStack", map[string]any{"StackName": "s", "TemplateBody": template(map[string]string{"A": one})}, nil)
	f.wantRest("s", "CREATE_COMPLETE")
	f.update("s", template(map[string]string{"A": size(2)}), map[string]any{"RoleARN": bad})
	f.wantRest("s", "UPDATE_ROLLBACK_FAILED")
	f.wantEvent("s", "s UPDATE_ROLLBACK_FAILED Role "+bad+" is invalid or cannot be assumed")
	f.must("ContinueUpdateRollback", map[string]any{"StackName": "s", "RoleARN": good}, nil)
	f.wantRest("s", "UPDATE_ROLLBACK_COMPLETE")
	f.update("s", template(map[string]string{"A": size(2)}), map[string]any{"RoleARN": bad, "DisableRollback": true})
	f.wantRest("s", "UPDATE_FAILED")
	f.must("DeleteStack", map[string]any{"StackName": "s", "RoleARN": bad}, nil)
	f.wantRest("s", "DELETE_FAILED")
	f.wantThings("A:<nil>=1")
}

// Two updates fail and are left so; a third one, which may be rolled back, is
// undone together with them.
func TestUpdatesThatFailedAreUndoneTogether(t *testing.T) {
	both(t, func(t *testing.T, f *fixture, kind string) {
		f.must("CreateStack", map[string]any{"StackName": "s", "TemplateBody": typed(kind, map[string]string{"A": one, "B": size(5), "Z": one})}, nil)
		f.wantRest("s", "CREATE_COMPLETE")
		before := f.things(t)
		f.setFail("update B", "no")
		f.setFail("create C", "no")
		bodies := []map[string]string{
			{"A": size(2), "B": `"DependsOn": "A", "Properties": {"Size": 6}`, "Z": one},
			{"A": `"Properties": {"Size": 3, "Name": "other"}`, "B": size(5), "C": `"DependsOn": "A"`, "Z": one},
			{"A": `"Properties": {"Size": 4, "Name": "third"}`, "B": size(5), "C": `"DependsOn": "A"`},
		}
		for i, body := range bodies {
			f.must("UpdateStack", map[string]any{"StackName": "s", "TemplateBody": typed(kind, body), "DisableRollback": i < 2}, nil)
			if i < 2 {
				f.wantRest("s", "UPDATE_FAILED")
			}
		}
		f.setFail("update B", "")
		f.wantRest("s", "UPDATE_ROLLBACK_COMPLETE")
		if diff := cmp.Diff(before, f.things(t)); diff != "" {
			t.Error(diff, strings.Join(f.events("s"), "\n"))
		}
		f.must("UpdateStack", map[string]any{"StackName": "s", "TemplateBody": typed(kind, map[string]string{"A": size(9)})}, nil)
		f.wantRest("s", "UPDATE_COMPLETE")
		if diff := cmp.Diff([]string{"A:<nil>=9"}, f.things(t)); diff != "" {
			t.Error(diff)
		}
	})
}

func TestDeleteFails(t *testing.T) {
	both(t, func(t *testing.T, f *fixture, kind string) {
		var made stacks.StackIDOutput
		f.must("CreateStack", map[string]any{"StackName": "s", "TemplateBody": typed(kind, map[string]string{"A": one, "B": two})}, &made)
		f.wantRest("s", "CREATE_COMPLETE")
		f.setFail("delete A", "in use")
		f.must("DeleteStack", map[string]any{"StackName": "s"}, nil)
		f.wantRest("s", "DELETE_FAILED")
		f.wantEvent("s", "s DELETE_FAILED The following resource(s) failed to delete: [A].")
		f.must("DeleteStack", map[string]any{"StackName": "s", "RetainResources": []string{"A"}}, nil)
		f.wantRest(made.StackID, "DELETE_COMPLETE")
		f.wantEvent(made.StackID, "A DELETE_SKIPPED")
	})
}

func TestCleanupFails(t *testing.T) {
	f := start(t)
	f.must("CreateStack", map[string]any{"StackName": "s", "TemplateBody": template(map[string]string{"A": one, "Gone": one})}, nil)
	f.wantRest("s", "CREATE_COMPLETE")
	f.setFail("delete Gone", "in use")
	f.must("UpdateStack", map[string]any{"StackName": "s", "TemplateBody": template(map[string]string{"A": one})}, nil)
	f.wantRest("s", "UPDATE_COMPLETE")
	f.wantEvent("s", "s UPDATE_COMPLETE Update successful. One or more resources could not be deleted.")
	var out stacks.ResourcesOutput
	f.must("DescribeStackResources", map[string]any{"StackName": "s"}, &out)
	if len(out.StackResources) != 1 {
		t.Errorf("resources: %+v", out.StackResources)
	}
}

func TestStackTimeout(t *testing.T) {
	f := start(t)
	f.hang["create A"] = make(chan struct{})
	f.must("CreateStack", map[string]any{"StackName": "s", "TemplateBody": typed("AWS::Test::Slow", map[string]string{"A": one}), "TimeoutInMinutes": 1}, nil)
	for len(f.things(t)) < 1 {
		f.must("DescribeStacks", map[string]any{"StackName": "s"}, nil)
	}
	f.skip(2 * 60)
	f.engine.Close()
	f.db.Close()
	f.open()
	if err := f.engine.Resume(); err != nil {
		t.Fatal(err)
	}
	f.wantRest("s", "ROLLBACK_COMPLETE")
	f.wantEvent("s", "s ROLLBACK_IN_PROGRESS Stack creation time exceeded the specified timeout. Rollback requested by user.")
	if left := f.things(t); len(left) > 0 {
		t.Errorf("left over: %v", left)
	}
}

func TestPolicies(t *testing.T) {
	f := start(t)
	kept := `"DeletionPolicy": "Retain", ` + one
	except := `"DeletionPolicy": "RetainExceptOnCreate", ` + one
	f.setFail("create F", "no")
	f.must("CreateStack", map[string]any{"StackName": "s", "TemplateBody": template(map[string]string{"K": kept, "E": except, "F": `"DependsOn": ["K", "E"]`})}, nil)
	f.wantRest("s", "ROLLBACK_COMPLETE")
	f.wantEvent("s", "K DELETE_SKIPPED")
	if diff := cmp.Diff([]string{"K:<nil>=1"}, f.things(t)); diff != "" {
		t.Error(diff)
	}
	var made stacks.StackIDOutput
	f.must("CreateStack", map[string]any{"StackName": "t", "TemplateBody": template(map[string]string{"L": kept, "E": except, "R": `"UpdateReplacePolicy": "Retain", ` + one})}, &made)
	f.wantRest("t", "CREATE_COMPLETE")
	f.must("UpdateStack", map[string]any{"StackName": "t", "TemplateBody": template(map[string]string{"L": kept, "E": except, "R": `"UpdateReplacePolicy": "Retain", "Properties": {"Size": 1, "Name": "n"}`})}, nil)
	f.wantRest("t", "UPDATE_COMPLETE")
	f.must("DeleteStack", map[string]any{"StackName": "t"}, nil)
	f.wantRest(made.StackID, "DELETE_COMPLETE")
	if diff := cmp.Diff([]string{"E:<nil>=1", "K:<nil>=1", "L:<nil>=1", "R:<nil>=1"}, f.things(t)); diff != "" {
		t.Error(diff)
	}
}

func TestRefusedRequests(t *testing.T) {
	f := start(t)
	body := template(map[string]string{"A": one})
	f.must("CreateStack", map[string]any{"StackName": "there", "TemplateBody": body, "ClientRequestToken": "t1"}, nil)
	f.wantRest("there", "CREATE_COMPLETE")
	tags := make([]map[string]string, 51)
	for i := range tags {
		tags[i] = map[string]string{"Key": fmt.Sprint(i), "Value": "v"}
	}
	tests := []struct {
		operation string
		in        map[string]any
		want      string
	}{
		{"CreateStack", map[string]any{"StackName": "there"}, "AlreadyExistsException: Stack [there] already exists"},
		{"CreateStack", map[string]any{"StackName": "1x"}, "Member must satisfy regular expression pattern"},
		{"CreateStack", map[string]any{"StackName": strings.Repeat("x", 129)}, "Member must have length less than or equal to 128"},
		{"CreateStack", map[string]any{"StackPolicyBody": "{}"}, "NotImplemented: roost does not support StackPolicyBody"},
		{"CreateStack", map[string]any{"RollbackConfiguration": map[string]any{"RollbackTriggers": []map[string]string{{"Arn": "a", "Type": "t"}}}}, "NotImplemented: roost does not support RollbackTriggers"},
		{"CreateStack", map[string]any{"Tags": tags}, "'tags' failed to satisfy constraint"},
		{"CreateStack", map[string]any{"Tags": []map[string]string{{"Key": "aws:x", "Value": "v"}}}, "cannot begin with aws:"},
		{"CreateStack", map[string]any{"ResourceTypes": []string{"AWS::IAM::*"}}, "Resource type AWS::Test::Thing is not allowed by parameter ResourceTypes"},
		{"CreateStack", map[string]any{"OnFailure": "DELETE", "DisableRollback": true}, "Either DisableRollback or OnFailure can be specified, not both."},
		{"CreateStack", map[string]any{"OnFailure": "X"}, "Member must satisfy enum value set"},
		{"CreateStack", map[string]any{"TemplateBody": ""}, "Either Template URL or Template Body must be specified."},
		{"CreateStack", map[string]any{"TemplateBody": strings.Repeat(" ", 51_201)}, "'templateBody' failed to satisfy constraint"},
		{"CreateStack", map[string]any{"TemplateBody": template(map[string]string{"A": `"UpdatePolicy": {}`})}, "roost does not support UpdatePolicy"},
		{"CreateStack", map[string]any{"TemplateBody": template(map[string]string{"A": `"CreationPolicy": {}`})}, "roost does not support a CreationPolicy on this type"},
		{"CreateStack", map[string]any{"TemplateBody": template(map[string]string{"A": `"DeletionPolicy": "Snapshot"`})}, "does not support deletion policy Snapshot"},
		{"CreateStack", map[string]any{"TemplateBody": template(map[string]string{"A": one, "B": `"Properties": {"Other": {"Fn::GetAtt": ["A", "Nope"]}}`})}, "resource A does not support attribute type Nope in Fn::GetAtt"},
		{"UpdateStack", map[string]any{"StackName": "nowhere"}, "Stack with id nowhere does not exist"},
		{"UpdateStack", map[string]any{"StackName": "there", "TemplateBody": typed("AWS::Test::Slow", map[string]string{"A": one})}, "Update of resource type is not permitted. The new template modifies resource type of the following resources: [A]"},
		{"UpdateStack", map[string]any{"StackName": "there", "StackPolicyDuringUpdateBody": "{}"}, "NotImplemented: roost does not support StackPolicyDuringUpdateBody"},
		{"CreateChangeSet", map[string]any{"StackName": "there", "ChangeSetName": "c", "ChangeSetType": "IMPORT"}, "NotImplemented: roost does not support importing resources"},
		{"CreateChangeSet", map[string]any{"StackName": "there", "ChangeSetName": "c", "ChangeSetType": "CREATE"}, "Stack [there] already exists and cannot be created again with the changeSet [c]."},
		{"CreateChangeSet", map[string]any{"StackName": "nowhere", "ChangeSetName": "c"}, "Stack with id nowhere does not exist"},
		{"DescribeChangeSet", map[string]any{"StackName": "there", "ChangeSetName": "c"}, "ChangeSetNotFound: ChangeSet [c] does not exist"},
		{"DeleteStack", map[string]any{"StackName": "there", "RetainResources": []string{"A"}}, "RetainResources can only be specified for stacks in DELETE_FAILED state."},
		{"RollbackStack", map[string]any{"StackName": "there"}, "NotImplemented: roost does not support RollbackStack"},
		{"ListStacks", map[string]any{"NextToken": "x"}, "The NextToken is not one that was given out"},
	}
	for _, test := range tests {
		in := map[string]any{}
		if strings.HasPrefix(test.operation, "Create") || test.operation == "UpdateStack" {
			in = map[string]any{"StackName": "s", "TemplateBody": body}
		}
		for name, value := range test.in {
			in[name] = value
		}
		if err := f.call(test.operation, in, nil); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s %v: %v\ndoes not say %q", test.operation, test.in, err, test.want)
		}
	}
}

func TestRepeatedRequestsGetTheSameAnswer(t *testing.T) {
	f := start(t)
	in := map[string]any{"StackName": "s", "TemplateBody": template(map[string]string{"A": one}), "ClientRequestToken": "t1"}
	var first, second stacks.StackIDOutput
	f.must("CreateStack", in, &first)
	f.must("CreateStack", in, &second)
	f.wantRest("s", "CREATE_COMPLETE")
	if first != second || len(f.takeLog()) != 1 {
		t.Errorf("%v, %v", first, second)
	}
	update := map[string]any{"StackName": "s", "TemplateBody": template(map[string]string{"A": size(2)}), "ClientRequestToken": "t2"}
	f.must("UpdateStack", update, nil)
	f.must("UpdateStack", update, nil)
	f.wantRest("s", "UPDATE_COMPLETE")
	if log := f.takeLog(); len(log) != 1 {
		t.Errorf("log %v", log)
	}
}

func TestOneOperationAtATime(t *testing.T) {
	f := start(t)
	hang := make(chan struct{})
	f.hang["create A"] = hang
	body := typed("AWS::Test::Slow", map[string]string{"A": one})
	f.must("CreateStack", map[string]any{"StackName": "s", "TemplateBody": body}, nil)
	for operation, want := range map[string]string{"UpdateStack": "is in CREATE_IN_PROGRESS state and can not be updated.", "DeleteStack": "cannot be deleted while in status CREATE_IN_PROGRESS"} {
		in := map[string]any{"StackName": "s"}
		if operation == "UpdateStack" {
			in["TemplateBody"] = body
		}
		if err := f.call(operation, in, nil); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", operation, err)
		}
	}
	close(hang)
	f.wantRest("s", "CREATE_COMPLETE")
}

// A deleted stack is still there for those who ask by its id.
func TestDeletedStackIsShownByID(t *testing.T) {
	f := start(t)
	var made stacks.StackIDOutput
	body := template(map[string]string{"A": one, "Kept": `"DeletionPolicy": "Retain", "Properties": {"Other": {"Ref": "Secret"}}`},
		`, "Parameters": {"Secret": {"Type": "String", "NoEcho": true, "Default": "hunter2"}}`)
	f.must("CreateStack", map[string]any{"StackName": "s", "TemplateBody": body}, &made)
	f.wantRest("s", "CREATE_COMPLETE")
	f.must("DeleteStack", map[string]any{"StackName": "s"}, nil)
	f.wantRest(made.StackID, "DELETE_COMPLETE")
	f.must("CreateStack", map[string]any{"StackName": "s", "TemplateBody": template(map[string]string{"A": size(2)})}, nil)
	f.wantRest("s", "CREATE_COMPLETE")

	f.wantEvent(made.StackID, "s DELETE_COMPLETE")
	var list stacks.ResourceSummaries
	f.must("ListStackResources", map[string]any{"StackName": made.StackID}, &list)
	var got []string
	for _, one := range list.StackResourceSummaries {
		got = append(got, one.LogicalResourceID+" "+one.PhysicalResourceID+" "+one.ResourceStatus)
	}
	if diff := cmp.Diff([]string{"A A:<nil> DELETE_COMPLETE", "Kept Kept:<nil> DELETE_SKIPPED"}, got); diff != "" {
		t.Error(diff)
	}
	var all stacks.ResourcesOutput
	f.must("DescribeStackResources", map[string]any{"PhysicalResourceId": "A:<nil>"}, &all)
	if len(all.StackResources) != 1 || all.StackResources[0].StackID == made.StackID {
		t.Errorf("by the physical id: %+v", all.StackResources)
	}
	f.keepsNo(made.StackID, "hunter2")
	f.skip(91 * 24 * 60 * 60)
	f.close()
	f.open()
	if err := f.engine.Resume(); err != nil {
		t.Fatal(err)
	}
	if err := f.call("DescribeStacks", map[string]any{"StackName": made.StackID}, nil); err == nil {
		t.Error("it is there after 90 days")
	}
}

// What a forced deletion could not remove stays, and the stack knows no more of
// it than its id.
func TestForcedDeletion(t *testing.T) {
	f := start(t)
	var made stacks.StackIDOutput
	body := template(map[string]string{"A": `"Properties": {"Other": {"Ref": "Secret"}}`}, `, "Parameters": {"Secret": {"Type": "String", "NoEcho": true, "Default": "hunter2"}}`)
	f.must("CreateStack", map[string]any{"StackName": "s", "TemplateBody": body}, &made)
	f.wantRest("s", "CREATE_COMPLETE")
	force := map[string]any{"StackName": "s", "DeletionMode": "FORCE_DELETE_STACK"}
	f.refuses("DeleteStack", force, "FORCE_DELETE_STACK can only be specified for stacks in DELETE_FAILED state.")
	f.setFail("delete A", "in use")
	f.must("DeleteStack", map[string]any{"StackName": "s"}, nil)
	f.wantRest("s", "DELETE_FAILED")
	f.must("DeleteStack", force, nil)
	f.wantRest(made.StackID, "DELETE_COMPLETE")
	f.wantThings("A:<nil>=<nil>")
	if mode := f.stack(made.StackID).DeletionMode; mode != "FORCE_DELETE_STACK" {
		t.Errorf("the mode is %q", mode)
	}
	f.keepsNo(made.StackID, "hunter2")
}

// Long answers come in pages, and no two events of a stack at one moment:
// tools order them by it.
func TestPages(t *testing.T) {
	f := start(t)
	many := map[string]string{}
	outputs := map[string]string{}
	for i := range 120 {
		id := fmt.Sprintf("R%03d", i)
		many[id] = one
		outputs[id] = fmt.Sprintf(`%q: {"Value": "v", "Export": {"Name": %q}}`, id, id)
	}
	body := template(many, `, "Outputs": {`+strings.Join(slices.Sorted(maps.Values(outputs)), ", ")+"}")
	f.must("CreateStack", map[string]any{"StackName": "s", "TemplateBody": body}, nil)
	f.wantRest("s", "CREATE_COMPLETE")
	small := template(map[string]string{"A": one})
	for i := range 104 {
		for _, stack := range []string{fmt.Sprintf("t%03d", i), "t"} {
			f.must("CreateChangeSet", map[string]any{"StackName": stack, "ChangeSetName": fmt.Sprintf("c%03d", i), "ChangeSetType": "CREATE", "TemplateBody": small}, nil)
		}
	}
	for operation, want := range map[string]int{
		"DescribeStackEvents": 2 + 3*120, "ListStackResources": 120, "ListExports": 120, "ListChangeSets": 104, "ListStacks": 106, "DescribeStacks": 106,
	} {
		in := map[string]any{}
		switch operation {
		case "ListStackResources", "DescribeStackEvents":
			in["StackName"] = "s"
		case "ListChangeSets":
			in["StackName"] = "t"
		}
		if got := len(f.pages(operation, in)); got != want {
			t.Errorf("%s: %d entries, want %d", operation, got, want)
		}
	}
	var last string
	for _, event := range slices.Backward(f.pages("DescribeStackEvents", map[string]any{"StackName": "s"})) {
		var at struct{ Timestamp wire.Time }
		if err := json.Unmarshal(event, &at); err != nil {
			t.Fatal(err)
		}
		text, err := at.Timestamp.MarshalText()
		if err != nil || string(text) <= last {
			t.Fatalf("an event at %s follows one at %s", text, last)
		}
		last = string(text)
	}
}

// pages returns the entries of all pages, of which none is longer than 100.
func (f *fixture) pages(operation string, in map[string]any) (all []json.RawMessage) {
	f.t.Helper()
	for {
		var out map[string]json.RawMessage
		f.must(operation, in, &out)
		for name, value := range out {
			var list []json.RawMessage
			if name == "NextToken" || json.Unmarshal(value, &list) != nil {
				continue
			}
			if len(list) > 100 {
				f.t.Errorf("%s: a page of %d", operation, len(list))
			}
			all = append(all, list...)
		}
		token, ok := out["NextToken"]
		if !ok {
			return all
		}
		var next string
		if err := json.Unmarshal(token, &next); err != nil {
			f.t.Fatal(err)
		}
		in["NextToken"] = next
	}
}
