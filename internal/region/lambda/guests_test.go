package lambda_test

import (
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/seed-615d3599/roost/internal/need"
)

// TestRuntimesOwnClients has AWS's own client for Python as a guest, started by a
// bootstrap. Its client for Go is the guest of TestStorm; the one for Node.js is
// left out, because installing it compiles curl.
func TestRuntimesOwnClients(t *testing.T) {
	tests := []struct {
		name      string
		bootstrap func(*testing.T) string
		files     map[string]string
		fails     string // the errorType of an exception
	}{
		{"awslambdaric", awslambdaric, map[string]string{"app.py": "def handler(event, context):\n    if event.get('fail'):\n        raise ValueError('as asked')\n    return {'id': context.aws_request_id, 'event': event}\n"}, "ValueError"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			start := start(t)
			test.files["bootstrap"] = test.bootstrap(t)
			start.must("CreateFunction", object{"FunctionName": "f", "Runtime": "provided.al2023", "Handler": "app.handler", "Role": role, "Timeout": 30,
				"Code": object{"ZipFile": zipped(t, test.files)}}, nil)
			for i := range 3 {
				want := fmt.Sprintf(`"event":{"n":%d}`, i)
				if got, failed := start.invoke(arn("f"), fmt.Sprintf(`{"n":%d}`, i)); failed != "" || !strings.Contains(strings.ReplaceAll(got, " ", ""), want) {
					t.Errorf("got %s %s", failed, got)
				}
			}
			if got, failed := start.invoke(arn("f"), `{"fail":true}`); failed != "Unhandled" || !strings.Contains(got, test.fails) || !strings.Contains(got, "as asked") {
				t.Errorf("got %s %s", failed, got)
			}
		})
	}
}

// awslambdaric is AWS's client for Python.
func awslambdaric(t *testing.T) string {
	python := need.Tool(t, "python3")
	if err := exec.Command(python, "-c", "import awslambdaric").Run(); err != nil {
		lacks(t, "the Python package awslambdaric is not installed beside "+python)
	}
	return "#!/bin/sh\nexport PYTHONPATH=$LAMBDA_TASK_ROOT\nexec " + python + " -m awslambdaric $_HANDLER\n"
}

// lacks skips a test, or fails it where nothing may be missing.
func lacks(t *testing.T, why string) {
	t.Helper()
	if os.Getenv("ROOST_TEST_ALL") != "" {
		t.Fatal(why)
	}
	t.Skip(why)
}
