package lambda

import (
	"archive/zip"
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/seed-615d3599/roost/internal/need"
)

// unpack writes what zipInline made into a folder.
func unpack(t *testing.T, runtime, code string) string {
	data, err := zipInline(runtime, code)
	if err != nil {
		t.Fatal(err)
	}
	again, err := zipInline(runtime, code)
	if err != nil || !bytes.Equal(data, again) {
		t.Fatal("the same code gives another package", err)
	}
	archive, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	for _, file := range archive.File {
		r, err := file.Open()
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		if file.Mode().Perm() != 0o644 {
			t.Errorf("%s has the mode %v", file.Name, file.Mode())
		}
		if err := os.WriteFile(filepath.Join(dir, file.Name), text, file.Mode().Perm()); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// TestResponseModules has inline code answer a custom resource's request with
// the module that CloudFormation puts beside it.
func TestResponseModules(t *testing.T) {
	for _, c := range []struct{ runtime, tool, code, call string }{
		{"nodejs22.x", "node",
			`const response = require("cfn-response"); exports.handler = (event, context) => response.send(event, context, response.SUCCESS, { Answer: 42 }, "id-1");`,
			`require("./index.js").handler(JSON.parse(process.argv[1]), { logStreamName: "stream", done() {} })`},
		{"python3.12", "python3",
			"import cfnresponse\ndef handler(event, context):\n    cfnresponse.send(event, context, cfnresponse.SUCCESS, {'Answer': 42}, 'id-1')\n",
			"import sys, json, types, index; index.handler(json.loads(sys.argv[1]), types.SimpleNamespace(log_stream_name='stream'))"},
	} {
		t.Run(c.tool, func(t *testing.T) {
			program := need.Tool(t, c.tool)
			dir := unpack(t, c.runtime, c.code)
			var got map[string]any
			server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
				body, err := io.ReadAll(r.Body)
				if err == nil && r.Method == http.MethodPut {
					err = json.Unmarshal(body, &got)
				}
				if err != nil {
					t.Error(err)
				}
			}))
			defer server.Close()
			event := `{"ResponseURL": "` + server.URL + `/answer", "StackId": "s", "RequestId": "r", "LogicalResourceId": "l"}`
			flag := map[string]string{"node": "-e", "python3": "-c"}[c.tool]
			command := exec.Command(program, flag, c.call, event)
			command.Dir = dir
			// Lambda looks for modules in the folder of the code.
			command.Env = append(os.Environ(), "NODE_PATH="+dir, "PYTHONDONTWRITEBYTECODE=1")
			if out, err := command.CombinedOutput(); err != nil {
				t.Fatalf("%v: %s", err, out)
			}
			want := map[string]any{
				"Status": "SUCCESS", "Reason": "See the details in CloudWatch Log Stream: stream", "PhysicalResourceId": "id-1",
				"StackId": "s", "RequestId": "r", "LogicalResourceId": "l", "NoEcho": false, "Data": map[string]any{"Answer": 42.0},
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}
