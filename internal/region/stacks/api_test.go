package stacks_test

import (
	"context"
	"encoding/json"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/seed-615d3599/roost/internal/region/resources"
	"github.com/seed-615d3599/roost/internal/region/stacks"
	"github.com/seed-615d3599/roost/internal/region/wire"
)

// roleType is a role that nobody can assume: for what templates with one need.
func roleType() *resources.Type {
	return &resources.Type{
		Name: "AWS::IAM::Role", Properties: resources.Properties{"RoleName": {Kind: resources.String, Replace: true}},
		Create: func(_ context.Context, e *resources.Env, want map[string]any) (resources.State, error) {
			return resources.State{ID: e.OrName(resources.Text(want, "RoleName"), 64)}, nil
		},
	}
}

func (f *fixture) refuses(operation string, in map[string]any, want string) {
	f.t.Helper()
	if err := f.call(operation, in, nil); err == nil || !strings.Contains(err.Error(), want) {
		f.t.Errorf("%s: %v\ndoes not say %q", operation, err, want)
	}
}

// What was never made has a physical id all the same: none.
func TestThePhysicalIDOfWhatWasNeverMade(t *testing.T) {
	f := start(t)
	f.setFail("create A", "no")
	f.must("CreateStack", map[string]any{"StackName": "s", "TemplateBody": template(map[string]string{"A": one}), "OnFailure": "DO_NOTHING"}, nil)
	f.wantRest("s", "CREATE_FAILED")
	for _, operation := range []string{"DescribeStackResources", "ListStackResources"} {
		var out json.RawMessage
		f.must(operation, map[string]any{"StackName": "s"}, &out)
		if !strings.Contains(string(out), `"PhysicalResourceId":""`) {
			t.Errorf("%s: %s", operation, out)
		}
	}
}

func TestTerminationProtection(t *testing.T) {
	f := start(t)
	nested(f)
	f.must("CreateStack", map[string]any{"StackName": "p", "TemplateBody": parent("one", "1", ""), "EnableTerminationProtection": true}, nil)
	f.wantRest("p", "CREATE_COMPLETE")
	child := f.physical("p", "N")
	f.refuses("DeleteStack", map[string]any{"StackName": "p"}, "Stack [p] cannot be deleted while TerminationProtection is enabled")
	f.refuses("DeleteStack", map[string]any{"StackName": child}, "cannot be deleted while TerminationProtection is enabled")
	f.refuses("UpdateTerminationProtection", map[string]any{"StackName": child, "EnableTerminationProtection": false}, "its root stack has the termination protection")
	f.must("UpdateTerminationProtection", map[string]any{"StackName": "p", "EnableTerminationProtection": false}, nil)
	id := f.stack("p").StackID
	f.must("DeleteStack", map[string]any{"StackName": "p"}, nil)
	f.wantRest(id, "DELETE_COMPLETE")
}

func TestCapabilities(t *testing.T) {
	f := start(t)
	role := func(props string) string {
		return `{"Resources": {"R": {"Type": "AWS::IAM::Role", "Properties": {` + props + `}}}}`
	}
	const transformed = `{"Transform": "AWS::LanguageExtensions", "Resources": {"A": {"Type": "AWS::Test::Thing"}}}`
	for _, c := range []struct {
		body string
		have []string
		want string
	}{
		{role(""), nil, "Requires capabilities : [CAPABILITY_IAM]"},
		{role(`"RoleName": "r"`), []string{"CAPABILITY_IAM"}, "Requires capabilities : [CAPABILITY_NAMED_IAM]"},
		{transformed, []string{"CAPABILITY_IAM"}, "Requires capabilities : [CAPABILITY_AUTO_EXPAND]"},
		{role(""), []string{"CAPABILITY_ALL"}, "Member must satisfy enum value set"},
	} {
		f.refuses("CreateStack", map[string]any{"StackName": "s", "TemplateBody": c.body, "Capabilities": c.have}, c.want)
	}
	f.must("CreateStack", map[string]any{"StackName": "s", "TemplateBody": role(""), "Capabilities": []string{"CAPABILITY_NAMED_IAM"}}, nil)
	f.wantRest("s", "CREATE_COMPLETE")
	f.must("CreateChangeSet", map[string]any{"StackName": "t", "ChangeSetName": "c", "ChangeSetType": "CREATE", "TemplateBody": transformed}, nil)
}

// An export that is used neither goes nor changes, and nobody else takes its
// name.
func TestExportsInUse(t *testing.T) {
	f := start(t)
	giver := func(value, name string) string {
		return template(map[string]string{"A": one}, `, "Outputs": {"O": {"Value": "`+value+`", "Export": {"Name": "`+name+`"}}}`)
	}
	f.must("CreateStack", map[string]any{"StackName": "giver", "TemplateBody": giver("v", "shared")}, nil)
	f.wantRest("giver", "CREATE_COMPLETE")
	f.must("CreateStack", map[string]any{"StackName": "user", "TemplateBody": template(map[string]string{"B": `"Properties": {"Other": {"Fn::ImportValue": "shared"}}`})}, nil)
	f.wantRest("user", "CREATE_COMPLETE")
	for body, reason := range map[string]string{
		giver("w", "shared"):                      "Export shared cannot be updated as it is in use by user",
		giver("v", "other"):                       "Export shared cannot be deleted as it is in use by user",
		template(map[string]string{"A": size(2)}): "Export shared cannot be deleted as it is in use by user",
	} {
		f.update("giver", body, nil)
		f.wantRest("giver", "UPDATE_ROLLBACK_COMPLETE")
		f.wantEvent("giver", "giver UPDATE_ROLLBACK_IN_PROGRESS "+reason)
		if out := f.stack("giver").Outputs; len(out) != 1 || out[0].OutputValue != "v" || out[0].ExportName != "shared" {
			t.Errorf("the outputs are %+v", out)
		}
	}
	f.must("CreateStack", map[string]any{"StackName": "thief", "TemplateBody": strings.ReplaceAll(giver("x", "shared"), `"A"`, `"T"`)}, nil)
	f.wantRest("thief", "ROLLBACK_COMPLETE")
	f.wantEvent("thief", "Export with name shared is already exported by stack giver")
	f.must("DeleteStack", map[string]any{"StackName": "user"}, nil)
	f.refuses("ListImports", map[string]any{"ExportName": "nobody"}, "Export 'nobody' is not imported by any stack.")
}

// A change of the stack's tags reaches the resources that can have tags.
func TestTagsReachResources(t *testing.T) {
	f := start(t)
	body := template(map[string]string{"A": one})
	f.must("CreateStack", map[string]any{"StackName": "s", "TemplateBody": body}, nil)
	f.wantRest("s", "CREATE_COMPLETE")
	f.takeLog()
	f.update("s", body, map[string]any{"Tags": []map[string]string{{"Key": "team", "Value": "a"}}})
	f.wantRest("s", "UPDATE_COMPLETE")
	if diff := cmp.Diff([]string{"update A"}, f.takeLog()); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]stacks.Tag{{Key: "team", Value: "a"}}, f.stack("s").Tags); diff != "" {
		t.Error(diff)
	}
}

// What a stack's template and resources are can be asked, in both stages.
func TestTemplatesAreTold(t *testing.T) {
	f := start(t)
	const body = `{"Transform": "AWS::LanguageExtensions", "Description": "of things", "Metadata": {"m": 1},
		"Parameters": {"P": {"Type": "String", "Default": "d", "AllowedValues": ["d"], "Description": "a parameter"}},
		"Resources": {"Fn::ForEach::All": ["Id", ["A", "B"], {"T${Id}": {"Type": "AWS::Test::Thing", "Metadata": {"of": {"Ref": "P"}}}}]}}`
	f.must("CreateStack", map[string]any{"StackName": "s", "TemplateBody": body, "Capabilities": []string{"CAPABILITY_AUTO_EXPAND"}}, nil)
	f.wantRest("s", "CREATE_COMPLETE")
	for stage, want := range map[string]string{"Original": body, "Processed": `"TA":{"Type":"AWS::Test::Thing"`} {
		var out stacks.TemplateOutput
		f.must("GetTemplate", map[string]any{"StackName": "s", "TemplateStage": stage}, &out)
		if !strings.Contains(out.TemplateBody, want) {
			t.Errorf("%s: %s", stage, out.TemplateBody)
		}
	}
	var summary stacks.SummaryOutput
	f.must("GetTemplateSummary", map[string]any{"StackName": "s"}, &summary)
	if summary.Description != "of things" || summary.Metadata != `{"m":1}` || len(summary.Parameters) != 1 || summary.Parameters[0].ParameterConstraints.AllowedValues[0] != "d" {
		t.Errorf("%+v", summary)
	}
	var valid stacks.ValidateOutput
	f.must("ValidateTemplate", map[string]any{"TemplateBody": body}, &valid)
	if diff := cmp.Diff([]string{"AWS::LanguageExtensions"}, valid.DeclaredTransforms); diff != "" {
		t.Error(diff)
	}
	f.refuses("GetTemplateSummary", map[string]any{"StackName": "s", "TemplateBody": body}, "You must specify only one of the following parameters: StackName, TemplateBody, TemplateURL.")
	f.refuses("GetTemplateSummary", map[string]any{"TemplateURL": "https://b.s3.amazonaws.com/x", "TemplateBody": body}, "Either Template URL or Template Body must be specified.")
	f.refuses("ValidateTemplate", map[string]any{"StackName": "s"}, "does not support the member \"StackName\"")
	var one stacks.ResourceOutput
	f.must("DescribeStackResource", map[string]any{"StackName": "s", "LogicalResourceId": "TB"}, &one)
	if detail := one.StackResourceDetail; detail.Metadata != `{"of":"d"}` || detail.ResourceStatus != "CREATE_COMPLETE" {
		t.Errorf("%+v", detail)
	}
	f.refuses("DescribeStackResource", map[string]any{"StackName": "s", "LogicalResourceId": "No"}, "Resource No does not exist for stack s")
	f.refuses("DescribeStackResources", map[string]any{}, "Either StackName or PhysicalResourceId must be specified")
	f.refuses("DescribeStackResources", map[string]any{"PhysicalResourceId": "x"}, "Stack for x does not exist")
}

// Who names a stack beside the ARN of another one's change set needs the rights
// to that other one.
func TestChangeSetsOfOthersAreNotTold(t *testing.T) {
	f := start(t)
	body := template(map[string]string{"A": one})
	var theirs stacks.CreateChangeSetOutput
	f.must("CreateChangeSet", map[string]any{"StackName": "mine", "ChangeSetName": "c", "ChangeSetType": "CREATE", "TemplateBody": body}, nil)
	f.must("CreateChangeSet", map[string]any{"StackName": "theirs", "ChangeSetName": "c", "ChangeSetType": "CREATE", "TemplateBody": body}, &theirs)
	f.service.Authorize = func(_ context.Context, _ *wire.Call, targets []wire.Target) error {
		for _, target := range targets {
			if !strings.Contains(target.Resource, ":stack/mine/") {
				return wire.Errorf(403, "AccessDenied", "no right to %s", target.Resource)
			}
		}
		return nil
	}
	for _, operation := range []string{"GetTemplate", "DescribeEvents", "DescribeChangeSet", "ExecuteChangeSet"} {
		if err := f.call(operation, map[string]any{"StackName": "mine", "ChangeSetName": theirs.ID}, nil); wire.Code(err) != "AccessDenied" {
			t.Errorf("%s of another stack's change set: %v", operation, err)
		}
		if err := f.call(operation, map[string]any{"StackName": "mine", "ChangeSetName": "c"}, nil); err != nil {
			t.Errorf("%s of one's own: %v", operation, err)
		}
	}
}

// A change set whose stack another request makes after it was looked at is refused:
// it was not executed.
func TestChangeSetIsOvertaken(t *testing.T) {
	f := start(t)
	var meanwhile atomic.Bool
	f.record = func(string) bool { // asked as a change set's template is settled, after the stack was read
		if meanwhile.CompareAndSwap(true, false) {
			f.must("ExecuteChangeSet", map[string]any{"StackName": "s", "ChangeSetName": "first"}, nil)
			f.wantRest("s", "CREATE_COMPLETE")
		}
		return true
	}
	for _, name := range []string{"first", "second"} {
		f.must("CreateChangeSet", map[string]any{"StackName": "s", "ChangeSetName": name, "ChangeSetType": "CREATE", "TemplateBody": `{"Resources": {"R": {"Type": "AWS::Test::Recorded", "Properties": {"Of": "` + name + `"}}}}`}, nil)
	}
	meanwhile.Store(true)
	f.refuses("ExecuteChangeSet", map[string]any{"StackName": "s", "ChangeSetName": "second"}, "was updated by another request meanwhile.")
	if got, want := f.stack("s").ChangeSetID, ":changeSet/first/"; !strings.Contains(got, want) {
		t.Errorf("the stack was made by %s, want %s", got, want)
	}
}
