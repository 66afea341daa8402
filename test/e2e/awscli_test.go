package e2e

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/seed-615d3599/roost/internal/need"
)

// TestAWSCLI deploys a template with the AWS CLI, looks at it, changes it by a
// change set and takes it away.
func TestAWSCLI(t *testing.T) {
	aws := need.Tool(t, "aws")
	p := withRegion(t, "package")
	stack := []string{"--stack-name", "demo"}
	cloudformation := func(operation string, args ...string) string {
		t.Helper()
		return p.run(aws, append([]string{"cloudformation", operation}, args...)...)
	}

	p.run(aws, "s3", "mb", "s3://artifacts")
	cloudformation("package", "--template-file", "template.yaml", "--s3-bucket", "artifacts", "--output-template-file", "packaged.yaml")
	p.says(p.read("packaged.yaml"), "S3Bucket: artifacts")
	cloudformation("validate-template", "--template-body", "file://packaged.yaml")
	deploy := append([]string{"--template-file", "packaged.yaml", "--capabilities", "CAPABILITY_IAM"}, stack...)
	p.says(cloudformation("deploy", deploy...), "Successfully created/updated stack - demo")
	p.says(cloudformation("deploy", append(deploy, "--no-fail-on-empty-changeset")...), "No changes to deploy. Stack demo is up to date")
	checkFunction(p, "says one")

	cloudformation("create-change-set", append([]string{
		"--change-set-name", "words", "--use-previous-template", "--capabilities", "CAPABILITY_IAM", "--parameters", "ParameterKey=Word,ParameterValue=two",
	}, stack...)...)
	set := append([]string{"--change-set-name", "words"}, stack...)
	cloudformation("wait", append([]string{"change-set-create-complete"}, set...)...)
	checkChangeSet(p, cloudformation("describe-change-set", append(set, "--output", "json")...))
	checkFunction(p, "says one")
	cloudformation("execute-change-set", set...)
	cloudformation("wait", append([]string{"stack-update-complete"}, stack...)...)
	checkFunction(p, "says two")

	events := cloudformation("describe-stack-events", append(stack, "--query", "reverse(StackEvents[].join(' ', [LogicalResourceId, ResourceStatus]))", "--output", "text")...)
	want := "demo REVIEW_IN_PROGRESS\tdemo CREATE_IN_PROGRESS\t" + made("Role") + made("Function") + "demo CREATE_COMPLETE\t" +
		"demo UPDATE_IN_PROGRESS\tFunction UPDATE_IN_PROGRESS\tFunction UPDATE_COMPLETE\tdemo UPDATE_COMPLETE_CLEANUP_IN_PROGRESS\tdemo UPDATE_COMPLETE"
	if strings.TrimSpace(events) != want {
		t.Errorf("the events are\n%s, not\n%s", events, want)
	}

	cloudformation("delete-stack", stack...)
	cloudformation("wait", append([]string{"stack-delete-complete"}, stack...)...)
	out, status := p.try("", aws, append([]string{"cloudformation", "describe-stacks"}, stack...)...)
	if p.says(out, "(ValidationError)", "Stack with id demo does not exist"); status == 0 {
		t.Error("a deleted stack is described")
	}
}

// made are the events of a resource's creation.
func made(logicalID string) string {
	return logicalID + " CREATE_IN_PROGRESS\t" + logicalID + " CREATE_IN_PROGRESS\t" + logicalID + " CREATE_COMPLETE\t"
}

func checkChangeSet(p *person, described string) {
	p.t.Helper()
	var set struct {
		Status, ExecutionStatus string
		Changes                 []struct {
			ResourceChange struct{ Action, LogicalResourceId, Replacement string }
		}
	}
	if err := json.Unmarshal([]byte(described), &set); err != nil {
		p.t.Fatal(err)
	}
	if set.Status != "CREATE_COMPLETE" || set.ExecutionStatus != "AVAILABLE" || len(set.Changes) != 1 {
		p.t.Fatalf("%s", described)
	}
	if change := set.Changes[0].ResourceChange; change.Action != "Modify" || change.LogicalResourceId != "Function" || change.Replacement != "False" {
		p.t.Errorf("%s", described)
	}
}

// checkFunction calls the stack's function.
func checkFunction(p *person, want string) {
	p.t.Helper()
	name := p.awsSigned("cloudformation", "describe-stacks", "--stack-name", "demo", "--query", "Stacks[0].Outputs[0].OutputValue", "--output", "text")
	file := filepath.Join(p.home, "answer.json")
	p.awsSigned("lambda", "invoke", "--function-name", strings.TrimSpace(name), file)
	if answer, err := os.ReadFile(file); err != nil || string(answer) != `"`+want+`"` {
		p.t.Errorf("the function answers %s (%v), not %q", answer, err, want)
	}
}
