package stacks_test

import (
	"fmt"
	"maps"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/seed-615d3599/roost/internal/region/stacks"
	"github.com/seed-615d3599/roost/internal/region/wire"
)

// parent is a template with a nested stack made from an object in S3, and a
// thing that is made after it.
func parent(key, size, after string) string {
	return fmt.Sprintf(`{"Resources": {
		"N": {"Type": "AWS::CloudFormation::Stack", "Properties": {"TemplateURL": "https://b.s3.amazonaws.com/%s", "Parameters": {"Size": %s}, "Tags": [{"Key": "k", "Value": "v"}]}},
		"T": {"Type": "AWS::Test::Thing", "DependsOn": "N", "Properties": {"Size": {"Fn::GetAtt": ["N", "Outputs.Size"]} %s}}}}`, key, size, after)
}

func nested(f *fixture) {
	parameters := `, "Parameters": {"Size": {"Type": "Number"}}, "Outputs": {"Size": {"Value": {"Fn::GetAtt": ["A", "Size"]}, "Export": {"Name": "nested"}}}`
	f.templates["one"] = template(map[string]string{"A": `"Properties": {"Size": {"Ref": "Size"}}`, "Gone": one}, parameters)
	f.templates["two"] = template(map[string]string{"A": `"Properties": {"Size": {"Ref": "Size"}, "Name": "x"}`, "New": one}, parameters)
	f.templates["bad"] = `{"Resources": {"B": {"Type": "AWS::Test::Nothing"}}}`
}

func TestNestedStack(t *testing.T) {
	f := start(t)
	nested(f)
	f.must("CreateStack", map[string]any{"StackName": "p", "TemplateBody": parent("one", "1", "")}, nil)
	if status := f.rest("p"); status != "CREATE_COMPLETE" {
		t.Fatal(status, strings.Join(f.events("p"), "\n"))
	}
	child := f.physical("p", "N")
	var out stacks.DescribeStacksOutput
	f.must("DescribeStacks", map[string]any{"StackName": child}, &out)
	of := out.Stacks[0]
	if of.StackStatus != "CREATE_COMPLETE" || !strings.HasSuffix(strings.Split(of.ParentID, "/")[1], "p") || of.RootID != of.ParentID || !strings.HasPrefix(of.StackName, "p-N-") {
		t.Errorf("the nested stack: %+v", of)
	}
	if diff := cmp.Diff([]stacks.Tag{{Key: "k", Value: "v"}}, of.Tags); diff != "" {
		t.Error(diff)
	}

	f.must("UpdateStack", map[string]any{"StackName": "p", "TemplateBody": parent("two", "2", "")}, nil)
	if status := f.rest("p"); status != "UPDATE_COMPLETE" {
		t.Fatal(status, strings.Join(f.events("p"), "\n"))
	}
	if diff := cmp.Diff([]string{"A:x=2", "New:<nil>=1", "T:<nil>=2"}, f.things(t)); diff != "" {
		t.Error(diff)
	}
	if status := f.rest(child); status != "UPDATE_COMPLETE" {
		t.Error(status)
	}

	f.must("DeleteStack", map[string]any{"StackName": "p"}, nil)
	f.rest(of.ParentID)
	if left := f.things(t); len(left) > 0 {
		t.Errorf("left over: %v", left)
	}
	if status := f.rest(child); status != "DELETE_COMPLETE" {
		t.Error(status)
	}
}

func TestNestedStackGoesBackWithItsParent(t *testing.T) {
	f := start(t)
	nested(f)
	f.must("CreateStack", map[string]any{"StackName": "p", "TemplateBody": parent("one", "1", "")}, nil)
	f.rest("p")
	before := f.things(t)
	child := f.physical("p", "N")
	tests := []struct{ name, body, fail string }{
		{"after the nested stack was updated", parent("two", "2", `, "Other": "x"`), "update T"},
		{"because the nested stack failed", parent("two", "2", ""), "create New"},
		{"because the nested template is wrong", parent("bad", "2", ""), ""},
		{"because there is no template", parent("none", "2", ""), ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			f.change(func() { f.fail = map[string]string{test.fail: "no"} })
			f.must("UpdateStack", map[string]any{"StackName": "p", "TemplateBody": test.body}, nil)
			if status := f.rest("p"); status != "UPDATE_ROLLBACK_COMPLETE" {
				t.Fatal(status, strings.Join(f.events("p"), "\n"))
			}
			if diff := cmp.Diff(before, f.things(t)); diff != "" {
				t.Error(diff)
			}
			var out stacks.DescribeStacksOutput
			f.must("DescribeStacks", map[string]any{"StackName": child}, &out)
			if diff := cmp.Diff([]stacks.Output{{OutputKey: "Size", OutputValue: "1", ExportName: "nested"}}, out.Stacks[0].Outputs); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestFailedNestedStackIsRemoved(t *testing.T) {
	f := start(t)
	nested(f)
	f.setFail("create Gone", "no room")
	f.must("CreateStack", map[string]any{"StackName": "p", "TemplateBody": parent("one", "1", "")}, nil)
	if status := f.rest("p"); status != "ROLLBACK_COMPLETE" {
		t.Fatal(status)
	}
	events := strings.Join(f.events("p"), "\n")
	if !strings.Contains(events, "N CREATE_FAILED") || !strings.Contains(events, "was not successfully created: The following resource(s) failed to create: [Gone") {
		t.Error(events)
	}
	if left := f.things(t); len(left) > 0 {
		t.Errorf("left over: %v", left)
	}
}

// The rollback of a nested stack that failed goes on with that of its parent, also
// without what is skipped.
func TestNestedRollbackIsContinued(t *testing.T) {
	f := start(t)
	nested(f)
	f.must("CreateStack", map[string]any{"StackName": "other", "TemplateBody": template(map[string]string{"O": one})}, nil)
	f.wantRest("other", "CREATE_COMPLETE")
	f.must("CreateStack", map[string]any{"StackName": "p", "TemplateBody": parent("one", "1", "")}, nil)
	f.wantRest("p", "CREATE_COMPLETE")
	before, child := f.things(t), f.physical("p", "N")
	f.setFail("update T", "no")
	fails := func() {
		t.Helper()
		f.failAfter("update A", 1)
		f.update("p", parent("one", "2", ""), nil)
		f.wantRest("p", "UPDATE_ROLLBACK_FAILED")
		f.wantRest(child, "UPDATE_ROLLBACK_FAILED")
		f.wantEvent("p", "p UPDATE_ROLLBACK_FAILED The following resource(s) failed to update: [N].")
	}
	continues := func(more map[string]any) {
		t.Helper()
		in := map[string]any{"StackName": "p"}
		maps.Copy(in, more)
		f.must("ContinueUpdateRollback", in, nil)
		f.wantRest("p", "UPDATE_ROLLBACK_COMPLETE")
		f.wantRest(child, "UPDATE_ROLLBACK_COMPLETE")
	}
	fails()
	f.setFail("update A", "")
	continues(nil)
	if diff := cmp.Diff(before, f.things(t)); diff != "" {
		t.Error(diff)
	}

	fails()
	f.refuses("ContinueUpdateRollback", map[string]any{"StackName": "p", "ResourcesToSkip": []string{"other.O"}}, "stack [other] is not nested in stack")
	f.refuses("ContinueUpdateRollback", map[string]any{"StackName": "p", "ResourcesToSkip": []string{"none.A"}}, "Stack with id none does not exist")
	continues(map[string]any{"ResourcesToSkip": []string{f.stack(child).StackName + ".A"}})
	f.wantEvent(child, "A UPDATE_COMPLETE Resource skipped during UpdateRollback")
	f.wantThings("A:<nil>=2", "Gone:<nil>=1", "O:<nil>=1", "T:<nil>=1")
}

// A nested stack is deleted with the rights of who deletes its parent, whoever
// made it, and not while its exports are used.
func TestNestedStackIsDeletedWithItsParent(t *testing.T) {
	f := start(t)
	nested(f)
	const role = "arn:aws:iam::123456789012:role/deployer"
	f.roles = map[string]bool{role: true}
	f.must("CreateStack", map[string]any{"StackName": "p", "TemplateBody": parent("one", "1", "")}, nil)
	f.wantRest("p", "CREATE_COMPLETE")
	id, child := f.stack("p").StackID, f.physical("p", "N")
	f.must("CreateStack", map[string]any{"StackName": "user", "TemplateBody": template(map[string]string{"B": `"Properties": {"Other": {"Fn::ImportValue": "nested"}}`})}, nil)
	f.wantRest("user", "CREATE_COMPLETE")
	f.must("DeleteStack", map[string]any{"StackName": "p", "RoleARN": role}, nil)
	f.wantRest("p", "DELETE_FAILED")
	f.wantEvent("p", "Export nested cannot be deleted as it is in use by user")

	user := f.stack("user").StackID
	f.must("DeleteStack", map[string]any{"StackName": "user"}, nil)
	f.wantRest(user, "DELETE_COMPLETE")
	f.must("DeleteStack", map[string]any{"StackName": "p"}, nil)
	f.wantRest(id, "DELETE_COMPLETE")
	if st := f.stack(child); st.StackStatus != "DELETE_COMPLETE" || st.RoleARN != role {
		t.Errorf("the nested stack is %s, with the rights of %q", st.StackStatus, st.RoleARN)
	}
}

// A nested stack does not wait for the cleanup of a parent that has lost the rights
// to it.
func TestNestedStackIsReleased(t *testing.T) {
	f := start(t)
	nested(f)
	const role = "arn:aws:iam::123456789012:role/deployer"
	f.roles = map[string]bool{role: true}
	f.must("CreateStack", map[string]any{"StackName": "p", "TemplateBody": parent("one", "1", ""), "RoleARN": role}, nil)
	f.wantRest("p", "CREATE_COMPLETE")
	child := f.physical("p", "N")
	f.change(func() { f.distrust = "update T" }) // the last thing before the cleanup
	f.update("p", parent("two", "2", ""), nil)
	f.wantRest("p", "UPDATE_COMPLETE")
	f.wantEvent("p", "p UPDATE_COMPLETE Role "+role+" is invalid or cannot be assumed")
	f.wantRest(child, "UPDATE_COMPLETE")

	f.change(func() { f.roles, f.distrust = map[string]bool{role: true}, "" })
	f.update("p", parent("two", "3", ""), nil)
	f.wantRest("p", "UPDATE_COMPLETE")
	f.wantRest(child, "UPDATE_COMPLETE")
	f.wantThings("A:x=3", "New:<nil>=1", "T:<nil>=3") // what the first update left goes with the second
}

// A nested stack is created while its neighbour fails: what it does is
// cancelled, and it is removed.
func TestNestedStackIsCancelled(t *testing.T) {
	f := start(t)
	hang := make(chan struct{})
	defer close(hang)
	f.hang["create S"] = hang
	f.templates["slow"] = `{"Resources": {"S": {"Type": "AWS::Test::Slow"}}}`
	f.hang["create F"] = make(chan struct{})
	f.must("CreateStack", map[string]any{"StackName": "p", "TemplateBody": `{"Resources": {
		"N": {"Type": "AWS::CloudFormation::Stack", "Properties": {"TemplateURL": "https://b.s3.amazonaws.com/slow"}},
		"F": {"Type": "AWS::Test::Slow"}}}`}, nil)
	f.setFail("create F", "no")
	for len(f.things(t)) < 2 {
		f.must("DescribeStacks", map[string]any{"StackName": "p"}, nil)
	}
	close(f.hang["create F"])
	if status := f.rest("p"); status != "ROLLBACK_COMPLETE" {
		t.Fatal(status, strings.Join(f.events("p"), "\n"))
	}
	if left := f.things(t); len(left) > 0 {
		t.Errorf("left over: %v", left)
	}
}

// changeSet makes a change set and describes it.
func (f *fixture) changeSet(stack, name, kind string, more map[string]any) stacks.DescribeChangeSetOutput {
	f.t.Helper()
	in := map[string]any{"StackName": stack, "ChangeSetName": name, "ChangeSetType": kind, "IncludeNestedStacks": true}
	for member, value := range more {
		in[member] = value
	}
	f.must("CreateChangeSet", in, nil)
	return f.describe(stack, name)
}

func (f *fixture) describe(stack, name string) (out stacks.DescribeChangeSetOutput) {
	f.t.Helper()
	f.must("DescribeChangeSet", map[string]any{"StackName": stack, "ChangeSetName": name}, &out)
	return out
}

// changed lists "ACTION LOGICAL SOURCE…" of a change set.
func changed(out stacks.DescribeChangeSetOutput) (list []string) {
	for _, c := range out.Changes {
		text := c.ResourceChange.Action + " " + c.ResourceChange.LogicalResourceID
		for _, d := range c.ResourceChange.Details {
			text += " " + d.ChangeSource
		}
		list = append(list, text)
	}
	return list
}

// IncludeNestedStacks: the nested stacks have change sets of their own, which
// are executed and deleted with the one of their root.
func TestNestedChangeSets(t *testing.T) {
	f := start(t)
	nested(f)
	f.templates["middle"] = `{"Resources": {"M": {"Type": "AWS::CloudFormation::Stack", "Properties": {"TemplateURL": "https://b.s3.amazonaws.com/one", "Parameters": {"Size": 1}}}}}`
	body := map[string]any{"TemplateBody": `{"Resources": {"N": {"Type": "AWS::CloudFormation::Stack", "Properties": {"TemplateURL": "https://b.s3.amazonaws.com/middle"}}}}`}
	root := f.changeSet("p", "first", "CREATE", body)
	middle := f.describe("", root.Changes[0].ResourceChange.ChangeSetID)
	inner := f.describe("", middle.Changes[0].ResourceChange.ChangeSetID)
	if diff := cmp.Diff([]string{"Add A", "Add Gone"}, changed(inner)); diff != "" {
		t.Error(diff)
	}
	if inner.ParentChangeSetID != middle.ChangeSetID || inner.RootChangeSetID != root.ChangeSetID || !strings.HasPrefix(inner.StackName, middle.StackName+"-M-") {
		t.Errorf("the innermost one: %+v", inner)
	}
	if err := f.call("ExecuteChangeSet", map[string]any{"ChangeSetName": inner.ChangeSetID}, nil); wire.Code(err) != "InvalidChangeSetStatus" {
		t.Errorf("a nested change set was executed: %v", err)
	}
	f.must("ExecuteChangeSet", map[string]any{"ChangeSetName": root.ChangeSetID}, nil)
	f.wantRest("p", "CREATE_COMPLETE")
	if inner = f.describe("", inner.ChangeSetID); inner.ExecutionStatus != "EXECUTE_COMPLETE" {
		t.Errorf("the innermost one is %s", inner.ExecutionStatus)
	}

	if same := f.changeSet("p", "same", "UPDATE", body); same.Status != "FAILED" || len(same.Changes) > 0 {
		t.Errorf("nothing has changed: %+v", same)
	}
	f.change(func() { f.templates["one"] = f.templates["two"] }) // under the same URL
	root = f.changeSet("p", "second", "UPDATE", body)
	if diff := cmp.Diff([]string{"Modify N Automatic"}, changed(root)); diff != "" {
		t.Error(diff)
	}
	middle = f.describe("", root.Changes[0].ResourceChange.ChangeSetID)
	inner = f.describe("", middle.Changes[0].ResourceChange.ChangeSetID)
	if diff := cmp.Diff([]string{"Modify A DirectModification", "Add New", "Remove Gone"}, changed(inner)); diff != "" {
		t.Error(diff)
	}
	f.must("DeleteChangeSet", map[string]any{"ChangeSetName": root.ChangeSetID}, nil)
	if err := f.call("DescribeChangeSet", map[string]any{"ChangeSetName": inner.ChangeSetID}, nil); wire.Code(err) != "ChangeSetNotFound" {
		t.Errorf("it outlives its root: %v", err)
	}
	f.update("p", body["TemplateBody"].(string), nil)
	f.wantRest("p", "UPDATE_COMPLETE")
	f.wantThings("A:x=1", "New:<nil>=1")
}

// What is wrong with a nested template is known before anything is made.
func TestNestedChangeSetIsRefused(t *testing.T) {
	f := start(t)
	nested(f)
	f.templates["self"] = `{"Resources": {"N": {"Type": "AWS::CloudFormation::Stack", "Properties": {"TemplateURL": "https://b.s3.amazonaws.com/self"}}}}`
	for key, want := range map[string]string{
		"bad":  "Nested stack N: Template format error: roost cannot deploy this template:",
		"none": "Nested stack N: S3 error: ",
		"self": "stacks nest 20 deep at most",
	} {
		in := map[string]any{"StackName": "p", "ChangeSetName": "c", "ChangeSetType": "CREATE", "IncludeNestedStacks": true,
			"TemplateBody": strings.ReplaceAll(f.templates["self"], "self", key)}
		if err := f.call("CreateChangeSet", in, nil); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", key, err)
		}
	}
	f.must("CreateStack", map[string]any{"StackName": "s", "TemplateBody": f.templates["self"]}, nil)
	f.wantRest("s", "ROLLBACK_COMPLETE")
}

// The tags that a template gives a nested stack are held to the same limits as
// those of a request.
func TestTagsOfANestedStack(t *testing.T) {
	f := start(t)
	nested(f)
	body := strings.ReplaceAll(parent("one", "1", ""), `{"Key": "k", "Value": "v"}`, `{"Key": "aws:cloudformation:stack-name", "Value": "another"}`)
	f.must("CreateStack", map[string]any{"StackName": "p", "TemplateBody": body}, nil)
	f.wantRest("p", "ROLLBACK_COMPLETE")
	f.wantEvent("p", "Tag key aws:cloudformation:stack-name cannot begin with aws:")
}

// A template that nests itself twice ends long before stacks are nested too deep:
// one operation touches only so many resources.
func TestNestedStacksAreBounded(t *testing.T) {
	f := start(t)
	f.record = func(string) bool { return true }
	twice := `{"Resources": {`
	for i := range 498 {
		twice += fmt.Sprintf(`"R%d": {"Type": "AWS::Test::Recorded"}, `, i)
	}
	f.templates["twice"] = twice + `
		"N": {"Type": "AWS::CloudFormation::Stack", "Properties": {"TemplateURL": "https://b.s3.amazonaws.com/twice"}},
		"M": {"Type": "AWS::CloudFormation::Stack", "Properties": {"TemplateURL": "https://b.s3.amazonaws.com/twice"}}}}`
	const want = "Limit on the number of resources in a single stack operation exceeded"
	f.refuses("CreateChangeSet", map[string]any{"StackName": "c", "ChangeSetName": "c", "ChangeSetType": "CREATE", "IncludeNestedStacks": true, "TemplateBody": f.templates["twice"]}, want)
	f.must("CreateStack", map[string]any{"StackName": "s", "TemplateBody": f.templates["twice"]}, nil)
	f.wantRest("s", "ROLLBACK_COMPLETE")
	var made stacks.ListStacksOutput
	f.must("ListStacks", map[string]any{}, &made)
	var events []string
	for _, st := range made.StackSummaries {
		events = append(events, f.events(st.StackID)...)
	}
	told := strings.Contains(strings.Join(events, "\n"), want)
	if n := len(made.StackSummaries); n > 5 || !told {
		t.Errorf("%d stacks were made; an event tells of the limit: %v", n, told)
	}

	// Each operation may touch as many.
	f.change(func() { f.templates["twice"] = twice + `"A": {"Type": "AWS::Test::Thing"}}}` })
	body := strings.ReplaceAll(`{"Resources": {"A": {"Type": "AWS::Test::Thing", "Properties": {"Size": SIZE}}, "N": {"Type": "AWS::CloudFormation::Stack", "Properties": {"TemplateURL": "https://b.s3.amazonaws.com/twice", "Tags": [{"Key": "k", "Value": "SIZE"}]}}}}`, "SIZE", "0")
	f.must("CreateStack", map[string]any{"StackName": "again", "TemplateBody": body}, nil)
	f.wantRest("again", "CREATE_COMPLETE")
	for i := range 5 {
		f.update("again", strings.ReplaceAll(body, "0", fmt.Sprint(i+1)), nil)
		f.wantRest("again", "UPDATE_COMPLETE")
	}
}
