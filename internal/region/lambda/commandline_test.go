package lambda_test

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/seed-615d3599/roost/internal/need"
)

// aws runs the real command line tool against the region.
func (r *region) aws(args ...string) (string, error) {
	r.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, need.Tool(r.t, "aws"), append([]string{"--endpoint-url", r.endpoint, "--region", "us-east-1", "--output", "json", "lambda"}, args...)...)
	cmd.Env = append(os.Environ(), "AWS_ACCESS_KEY_ID=AKID", "AWS_SECRET_ACCESS_KEY=secret", "AWS_PAGER=", "AWS_EC2_METADATA_DISABLED=true")
	out, err := cmd.Output()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return string(out), errors.New(strings.TrimSpace(string(exit.Stderr)))
	}
	return string(out), err
}

func TestWithTheCommandLineTool(t *testing.T) {
	r := start(t)
	need.Tool(t, "python3")
	archive := filepath.Join(t.TempDir(), "f.zip")
	if err := os.WriteFile(archive, zipped(t, map[string]string{"handler.py": "def handler(e, c):\n    print('printed')\n    return e"}), 0o600); err != nil {
		t.Fatal(err)
	}
	payload := filepath.Join(t.TempDir(), "out.json")
	steps := []struct {
		args []string
		want string
	}{
		{[]string{"create-function", "--function-name", "f", "--runtime", "python3.12", "--handler", "handler.handler", "--role", role, "--zip-file", "fileb://" + archive, "--environment", "Variables={GREETING=hi}"}, `"State": "Pending"`},
		{[]string{"invoke", "--function-name", "f", "--payload", `{"a":1}`, "--log-type", "Tail", payload}, `"StatusCode": 200`},
		{[]string{"get-function", "--function-name", "f"}, `"GREETING": "hi"`},
		{[]string{"list-functions"}, `"FunctionName": "f"`},
		{[]string{"add-permission", "--function-name", "f", "--statement-id", "s", "--action", "lambda:InvokeFunction", "--principal", "apigateway.amazonaws.com"}, `apigateway.amazonaws.com`},
		{[]string{"get-policy", "--function-name", "f"}, `apigateway.amazonaws.com`},
		{[]string{"put-function-concurrency", "--function-name", "f", "--reserved-concurrent-executions", "3"}, `3`},
		{[]string{"create-function-url-config", "--function-name", "f", "--auth-type", "NONE"}, `lambda-url`},
		{[]string{"publish-layer-version", "--layer-name", "l", "--zip-file", "fileb://" + archive}, `layer:l:1`},
		{[]string{"update-function-configuration", "--function-name", "f", "--layers", "arn:aws:lambda:us-east-1:123456789012:layer:l:1", "--timeout", "9"}, `"Timeout": 9`},
		{[]string{"tag-resource", "--resource", arn("f"), "--tags", "a=b"}, ``},
		{[]string{"list-tags", "--resource", arn("f")}, `"a": "b"`},
		{[]string{"get-account-settings"}, `"FunctionCount": 1`},
		{[]string{"delete-function", "--function-name", "f"}, ``},
	}
	for _, step := range steps {
		out, err := r.aws(step.args...)
		if err != nil || !strings.Contains(out, step.want) {
			t.Fatalf("aws lambda %s: %v\n%s", strings.Join(step.args, " "), err, out)
		}
	}
	if got, err := os.ReadFile(payload); err != nil || string(got) != `{"a": 1}` {
		t.Errorf("got %s (%v)", got, err)
	}
	if _, err := r.aws("get-function", "--function-name", "f"); err == nil || !strings.Contains(err.Error(), "(ResourceNotFoundException)") || !strings.Contains(err.Error(), "Function not found: "+arn("f")) {
		t.Errorf("got %v", err)
	}
}
