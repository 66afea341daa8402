package lambda_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/seed-615d3599/roost/internal/need"
)

// TestRuntimesOwnClients has AWS's own clients for Python and Node.js as guests,
// started by a bootstrap. Its client for Go is the guest of TestStorm.
func TestRuntimesOwnClients(t *testing.T) {
	tests := []struct {
		name      string
		bootstrap func(*testing.T) string
		files     map[string]string
		fails     string // the errorType of an exception
	}{
		{"awslambdaric", awslambdaric, map[string]string{"app.py": "def handler(event, context):\n    if event.get('fail'):\n        raise ValueError('as asked')\n    return {'id': context.aws_request_id, 'event': event}\n"}, "ValueError"},
		{"aws-lambda-ric", awsLambdaRIC, map[string]string{"app.mjs": "export const handler = async (event, context) => {\n  if (event.fail) throw new RangeError('as asked')\n  return {id: context.awsRequestId, event}\n}\n"}, "RangeError"},
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
		need.Missing(t, "the Python package awslambdaric is not installed beside "+python)
	}
	return "#!/bin/sh\nexport PYTHONPATH=$LAMBDA_TASK_ROOT\nexec " + python + " -m awslambdaric $_HANDLER\n"
}

// awsLambdaRIC is AWS's client for Node.js, which is compiled where it is installed.
func awsLambdaRIC(t *testing.T) string {
	node := need.Tool(t, "node")
	client := filepath.Join(need.Tools(t), "ric", "node_modules", "aws-lambda-ric")
	if _, err := os.Stat(filepath.Join(client, "dist", "rapid-client.node")); err != nil {
		need.Missing(t, "aws-lambda-ric, which needs a compiler, cmake, autotools and Node's headers, is not installed: run make tools")
	}
	return "#!/bin/sh\ncd $LAMBDA_TASK_ROOT\nexec " + node + " " + filepath.Join(client, "bin", "index.mjs") + " $_HANDLER\n"
}
