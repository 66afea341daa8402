package runtimes_test

import (
	"context"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/seed-615d3599/roost/internal/need"
	"github.com/seed-615d3599/roost/internal/region/lambda/environment"
	"github.com/seed-615d3599/roost/internal/region/lambda/runtimes"
)

type logs struct {
	mu   sync.Mutex
	text strings.Builder
}

func (l *logs) Write(_, _ string, _ time.Time, message string) {
	l.mu.Lock()
	l.text.WriteString(message)
	l.mu.Unlock()
}

// guest is a function of a few files, in one of the managed runtimes.
type guest struct {
	runtime, handler string
	files            map[string]string
	variables        map[string]string
}

// write writes the files and returns their folder.
func (g guest) write(t *testing.T) string {
	t.Helper()
	root := t.TempDir()
	for name, text := range g.files {
		path := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	return root
}

func (g guest) start(t *testing.T) (*environment.Pool, *logs) {
	t.Helper()
	need.Tool(t, map[bool]string{true: "node", false: "python3"}[strings.HasPrefix(g.runtime, "node")])
	installed, err := runtimes.Install(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	runtime, err := installed.Find(context.Background(), g.runtime)
	if err != nil {
		t.Fatal(err)
	}
	root := g.write(t)
	l := &logs{}
	m := environment.NewManager(environment.Config{Dir: t.TempDir(), Logs: l})
	t.Cleanup(m.Close)
	return m.Pool(&environment.Spec{
		FunctionName: "f", Version: "$LATEST", Region: "us-east-1", Runtime: g.runtime, Handler: g.handler,
		FunctionARN: "arn:aws:lambda:us-east-1:123456789012:function:f", Managed: true, RuntimeDir: runtime.Dir,
		Command:  runtime.Start(root, "", g.variables["AWS_LAMBDA_EXEC_WRAPPER"]),
		TaskRoot: root, MemoryMB: 512, Timeout: 20 * time.Second, Variables: g.variables, LogGroup: "/aws/lambda/f",
	}, m.NewConcurrency()), l
}

var (
	stacks = regexp.MustCompile(`(?s)("trace":)\[.*\]`)
	times  = regexp.MustCompile(`\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z`)
	report = regexp.MustCompile(`REPORT .*\n`)
	inits  = regexp.MustCompile(`INIT_START .*\n`)
)

func invoke(t *testing.T, p *environment.Pool, call environment.Call) (environment.Result, string) {
	t.Helper()
	result, err := p.Invoke(context.Background(), call)
	if err != nil {
		t.Fatal(err)
	}
	return result, strings.ReplaceAll(stacks.ReplaceAllString(string(result.Payload), "$1[…]"), result.RequestID, "<id>")
}

func TestAnswers(t *testing.T) {
	node := func(code string) guest {
		return guest{runtime: "nodejs22.x", handler: "index.handler", files: map[string]string{"index.js": code}}
	}
	module := func(name, code string) guest {
		return guest{runtime: "nodejs22.x", handler: "src/index.handler", files: map[string]string{"src/" + name: code, "package.json": `{"type":"module"}`}}
	}
	python := func(code string) guest {
		return guest{runtime: "python3.12", handler: "handler.handler", files: map[string]string{"handler.py": code}}
	}
	tests := []struct {
		name  string
		guest guest
		want  string
		fails bool
	}{
		{"async function", node(`exports.handler = async (event) => ({got: event})`), `{"got":{"a":1}}`, false},
		{"ECMAScript module", module("index.mjs", `export const handler = async (event, context) => context.functionName`), `"f"`, false},
		{"module by package.json", module("index.js", `import fs from 'node:fs'; export async function handler() { return typeof fs.readFileSync }`), `"function"`, false},
		{"callback", node(`exports.handler = (event, context, callback) => setTimeout(() => callback(null, 'later'), 5)`), `"later"`, false},
		{"callback with an error", node(`exports.handler = (event, context, callback) => callback(new TypeError('no'))`), `{"errorType":"TypeError","errorMessage":"no","trace":[…]}`, true},
		{"nothing returned", node(`exports.handler = async () => {}`), `null`, false},
		{"nothing left to do", node(`exports.handler = () => {}`), `null`, false},
		{"promise never settles", node(`exports.handler = () => new Promise(() => {})`), `null`, false},
		{"node error", node(`exports.handler = async () => { throw new Error('Error: some_error_msg') }`), `{"errorType":"Error","errorMessage":"Error: some_error_msg","trace":[…]}`, true},
		{"node string thrown", node(`exports.handler = async () => { throw 'x' }`), `{"errorType":"string","errorMessage":"x","trace":[…]}`, true},
		{"node init error", node(`throw new Error('at start')`), `{"errorType":"Error","errorMessage":"at start","trace":[…]}`, true},
		{"node handler missing", node(`exports.other = 1`), `{"errorType":"Runtime.HandlerNotFound","errorMessage":"index.handler is undefined or not exported","trace":[…]}`, true},
		{"node exit", node(`exports.handler = async () => process.exit(0)`), `{"errorType":"Runtime.ExitError","errorMessage":"RequestId: <id> Error: Runtime exited without providing a reason"}`, true},
		{"node unhandled rejection", node(`exports.handler = (e, c, cb) => { Promise.reject(new Error('lost')); setTimeout(cb, 50) }`), `{"errorType":"Runtime.UnhandledPromiseRejection","errorMessage":"Error: lost","trace":[…]}`, true},
		{"python", python("def handler(event, context):\n    return {'got': event, 'name': context.function_name}"), `{"got": {"a": 1}, "name": "f"}`, false},
		{"python nothing", python("def handler(event, context):\n    pass"), `null`, false},
		{"python error", python("def handler(event, context):\n    raise Exception('Handler fails')"), `{"errorMessage": "Handler fails", "errorType": "Exception", "requestId": "<id>", "stackTrace": ["  File \"ROOT/handler.py\", line 2, in handler\n    raise Exception('Handler fails')\n"]}`, true},
		{"python handler missing", python("x = 1"), `{"errorMessage": "Handler 'handler' missing on module 'handler'", "errorType": "Runtime.HandlerNotFound", "requestId": "", "stackTrace": []}`, true},
		{"python import", python("import nowhere"), `{"errorMessage": "Unable to import module 'handler': No module named 'nowhere'", "errorType": "Runtime.ImportModuleError", "requestId": "", "stackTrace": []}`, true},
		{"python exit", python("import sys\ndef handler(event, context):\n    sys.exit(0)"), `{"errorType":"Runtime.ExitError","errorMessage":"RequestId: <id> Error: Runtime exited without providing a reason"}`, true},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			p, _ := test.guest.start(t)
			result, got := invoke(t, p, environment.Call{Payload: []byte(`{"a":1}`)})
			want := strings.ReplaceAll(strings.ReplaceAll(test.want, "ROOT", p.Spec().TaskRoot), "\n", `\n`)
			if got != want || (result.FunctionError != "") != test.fails {
				t.Errorf("got %q %s\nwant %s", result.FunctionError, got, want)
			}
		})
	}
}

func TestPythonInitError(t *testing.T) {
	g := guest{runtime: "python3.12", handler: "handler.handler", files: map[string]string{"handler.py": "raise Exception('Runtime startup fails')"}}
	p, _ := g.start(t)
	_, got := invoke(t, p, environment.Call{Payload: []byte(`{}`)})
	if !strings.HasPrefix(got, `{"errorMessage": "Runtime startup fails", "errorType": "Exception", "requestId": "", "stackTrace": ["  File \"`) ||
		!strings.Contains(got, `importlib/__init__.py\"`) || !strings.HasSuffix(got, `line 1, in <module>\n    raise Exception('Runtime startup fails')\n"]}`) {
		t.Errorf("got %s", got)
	}
}

func TestLogFormats(t *testing.T) {
	tests := []struct {
		name  string
		guest guest
		want  string
	}{
		{"node", guest{runtime: "nodejs22.x", handler: "index.handler", files: map[string]string{"index.js": `exports.handler = async (e) => { console.log('a %s', 'b\nc'); console.error({x: 1}); process.stdout.write('plain') }`}},
			"START RequestId: <id> Version: $LATEST\n<time>\t<id>\tINFO\ta b\nc\n<time>\t<id>\tERROR\t{ x: 1 }\nplainEND RequestId: <id>\n"},
		{"python", guest{runtime: "python3.12", handler: "handler.handler", files: map[string]string{"handler.py": "import logging\nlogging.getLogger().setLevel(logging.INFO)\ndef handler(e, c):\n    print({})\n    logging.info('RequestId log %s', 'message')\n"}},
			"START RequestId: <id> Version: $LATEST\n{}\n[INFO]\t<time>\t<id>\tRequestId log message\nEND RequestId: <id>\n"},
		{"python error", guest{runtime: "python3.12", handler: "handler.handler", files: map[string]string{"handler.py": "class CustomException(Exception): pass\ndef handler(e, c):\n    raise CustomException(\"some error occurred\")"}},
			"START RequestId: <id> Version: $LATEST\n[ERROR] CustomException: some error occurred\nTraceback (most recent call last):\n\u00a0\u00a0File \"ROOT/handler.py\", line 3, in handler\n\u00a0\u00a0\u00a0\u00a0raise CustomException(\"some error occurred\")END RequestId: <id>\n"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			p, l := test.guest.start(t)
			result, _ := invoke(t, p, environment.Call{Payload: []byte(`{}`)})
			got := inits.ReplaceAllString(report.ReplaceAllString(times.ReplaceAllString(l.text.String(), "<time>"), ""), "")
			got = strings.ReplaceAll(strings.ReplaceAll(got, result.RequestID, "<id>"), p.Spec().TaskRoot, "ROOT")
			if got != test.want {
				t.Errorf("got  %q\nwant %q", got, test.want)
			}
		})
	}
}

func TestStreaming(t *testing.T) {
	g := guest{runtime: "nodejs22.x", handler: "index.handler", files: map[string]string{"index.js": `
exports.handler = awslambda.streamifyResponse(async (event, stream) => {
  stream = awslambda.HttpResponseStream.from(stream, {statusCode: 201})
  stream.write('Hello, ')
  await new Promise((r) => setTimeout(r, 5))
  if (event.fail) throw new Error('half way')
  stream.end('world!')
})`}}
	p, _ := g.start(t)
	var parts []string
	var kind string
	stream := func(contentType string, part []byte) error {
		kind = contentType
		parts = append(parts, string(part))
		return nil
	}
	result, _ := invoke(t, p, environment.Call{Payload: []byte(`{}`), Stream: stream})
	if got := strings.Join(parts, ""); got != "{\"statusCode\":201}\x00\x00\x00\x00\x00\x00\x00\x00Hello, world!" || !result.Streamed || len(parts) < 2 {
		t.Errorf("got %q", parts)
	}
	if kind != "application/vnd.awslambda.http-integration-response" {
		t.Errorf("the content type is %s", kind)
	}
	result, got := invoke(t, p, environment.Call{Payload: []byte(`{"fail":true}`), Stream: stream})
	if result.FunctionError != "Unhandled" || !strings.Contains(got, `"errorMessage":"half way"`) {
		t.Errorf("got %q %s", result.FunctionError, got)
	}
	if _, got = invoke(t, p, environment.Call{Payload: []byte(`{}`)}); !strings.HasSuffix(got, "Hello, world!") {
		t.Errorf("without a stream: got %q", got)
	}
}

func TestExecWrapper(t *testing.T) {
	g := guest{runtime: "python3.12", handler: "handler.handler", variables: map[string]string{"AWS_LAMBDA_EXEC_WRAPPER": "/var/task/wrapper"},
		files: map[string]string{"handler.py": "import os\ndef handler(e, c):\n    return os.environ['WRAPPED']", "wrapper": "#!/bin/sh\nexport WRAPPED=yes\nexec \"$@\"\n"}}
	p, _ := g.start(t)
	if _, got := invoke(t, p, environment.Call{Payload: []byte(`{}`)}); got != `"yes"` {
		t.Errorf("got %s", got)
	}
	g.variables = map[string]string{"AWS_LAMBDA_EXEC_WRAPPER": "/idontexist"}
	p, _ = g.start(t)
	if _, got := invoke(t, p, environment.Call{Payload: []byte(`{}`)}); got != `{"errorType":"Runtime.ExitError","errorMessage":"RequestId: <id> Error: Runtime exited with error: exit status 127"}` {
		t.Errorf("got %s", got)
	}
}

func TestOtherRuntimesAreRefusedByName(t *testing.T) {
	installed, err := runtimes.Install(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"java21", "dotnet8", "ruby3.3", "go1.x", "python2.7"} {
		if _, err := installed.Find(context.Background(), name); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: got %v", name, err)
		}
	}
}
