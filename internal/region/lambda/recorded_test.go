package lambda_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"regexp"
	"slices"
	"sort"
	"strings"
	"testing"

	"github.com/seed-615d3599/roost/internal/need"
	"github.com/seed-615d3599/roost/internal/region/wire"
)

// recording is what one test of the recorded suite got from AWS.
type recording struct {
	Content object `json:"recorded-content"`
}

// The guests are written from the payloads that were recorded.
const (
	echoPython  = "def handler(event, context):\n    print(event)\n    return event\n"
	echoNode    = "exports.handler = async (event) => { console.log(event); return event }\n"
	introPython = `import os
def handler(event, context):
    ctx = {k: getattr(context, k) for k in ('aws_request_id', 'function_name', 'function_version', 'invoked_function_arn', 'log_group_name', 'log_stream_name', 'memory_limit_in_mb')}
    ctx['remaining_time_in_millis'] = context.get_remaining_time_in_millis()
    return {'environment': dict(os.environ), 'ctx': ctx, 'packages': []}
`
	introNode = `exports.handler = async (event, context) => ({environment: process.env, packages: [], ctx: {
  aws_request_id: context.awsRequestId, function_name: context.functionName, function_version: context.functionVersion,
  invoked_function_arn: context.invokedFunctionArn, log_group_name: context.logGroupName, log_stream_name: context.logStreamName,
  remaining_time_in_millis: context.getRemainingTimeInMillis()}})
`
)

func TestRecorded(t *testing.T) {
	table := cases()
	for _, file := range []string{"lambda_destinations_dlq.json", "lambda_env_and_errors.json", "lambda_invoke.json"} {
		data, err := os.ReadFile(need.Shared(t, "conformance", "recorded", file))
		if err != nil {
			t.Fatal(err)
		}
		text := strings.NewReplacer("111111111111", "123456789012", "<partition>", "aws", "<region>", "us-east-1").Replace(string(data))
		var recordings map[string]recording
		if err := json.Unmarshal([]byte(text), &recordings); err != nil {
			t.Fatal(err)
		}
		for name, rec := range recordings {
			_, name, _ = strings.Cut(name[strings.LastIndex(name, "::"):], "::")
			t.Run(name, func(t *testing.T) {
				run, reason := table.find(name)
				if run == nil && reason == "" {
					t.Fatal("it is in neither table")
				}
				if run == nil {
					t.Log("left out: " + reason)
					return
				}
				run(start(t), rec)
			})
		}
	}
}

// find looks for the longest key that a name begins with.
func (c conformance) find(name string) (func(*region, recording), string) {
	best := ""
	for key := range c.run {
		if strings.HasPrefix(name, key) && len(key) > len(best) {
			best = key
		}
	}
	for key := range c.leftOut {
		if strings.HasPrefix(name, key) && len(key) > len(best) {
			best = key
		}
	}
	return c.run[best], c.leftOut[best]
}

// placeholders stand for values that vary.
var placeholders = regexp.MustCompile(`<[^<>]*>`)

// match compares a value with a recorded one and names the differences.
func match(path string, want, got any) (differences []string) {
	switch want := want.(type) {
	case map[string]any:
		have, ok := got.(map[string]any)
		if !ok {
			return []string{fmt.Sprintf("%s: got %v", path, got)}
		}
		for key, value := range want {
			if key != "ResponseMetadata" && key != "CreateEventSourceMappingResponse" {
				differences = append(differences, match(path+"."+key, value, have[key])...)
			}
		}
		for key, value := range have {
			if _, known := want[key]; !known {
				differences = append(differences, fmt.Sprintf("%s.%s: %v is too much", path, key, value))
			}
		}
	case []any:
		have, _ := got.([]any)
		if len(have) != len(want) {
			return []string{fmt.Sprintf("%s: got %v, want %v", path, got, want)}
		}
		for i := range want {
			differences = append(differences, match(fmt.Sprintf("%s[%d]", path, i), want[i], have[i])...)
		}
	case string:
		if slices.Contains([]string{"date", "datetime", "timestamp", "code-sha256", "log-result", "function-url", "<stack-trace>"}, want) && got != nil {
			return nil
		}
		pattern := "^(?s:" + placeholders.ReplaceAllString(strings.ReplaceAll(regexp.QuoteMeta(want), "date\t", ".+\t"), ".+") + ")$"
		if !regexp.MustCompile(pattern).MatchString(fmt.Sprint(got)) {
			return []string{fmt.Sprintf("%s: got %v, want %s", path, got, want)}
		}
	default:
		if fmt.Sprint(want) != fmt.Sprint(got) {
			return []string{fmt.Sprintf("%s: got %v, want %v", path, got, want)}
		}
	}
	return differences
}

func (r *region) matches(what string, want, got any) {
	r.t.Helper()
	differences := match(what, want, got)
	sort.Strings(differences)
	for _, d := range differences {
		r.t.Error(d)
	}
}

// post sends an invocation as the SDKs do and returns what boto3 makes of it.
func (r *region) post(function, payload string, headers ...string) object {
	r.t.Helper()
	request, err := http.NewRequest("POST", r.endpoint+"/2015-03-31/functions/"+function+"/invocations", strings.NewReader(payload))
	if err != nil {
		r.t.Fatal(err)
	}
	for i := 0; i+1 < len(headers); i += 2 {
		request.Header.Set(headers[i], headers[i+1])
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		r.t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		r.t.Fatal(err)
	}
	out := object{"StatusCode": response.StatusCode}
	for name, header := range map[string]string{"FunctionError": "X-Amz-Function-Error", "ExecutedVersion": "X-Amz-Executed-Version", "LogResult": "X-Amz-Log-Result"} {
		if value := response.Header.Get(header); value != "" {
			out[name] = value
		}
	}
	if response.StatusCode >= 400 {
		var fields object
		if err := json.Unmarshal(body, &fields); err != nil {
			r.t.Fatal(err)
		}
		fields["Error"] = object{"Code": response.Header.Get("x-amzn-ErrorType"), "Message": firstOf(fields, "message", "Message")}
		return fields
	}
	var value any
	out["Payload"] = string(body)
	if json.Unmarshal(body, &value) == nil {
		if _, structured := value.(map[string]any); structured {
			out["Payload"] = value
		}
	}
	return out
}

func firstOf(fields object, names ...string) any {
	for _, name := range names {
		if value, there := fields[name]; there {
			return value
		}
	}
	return nil
}

// create makes the function of a recording, and compares the answer with it.
func (r *region) create(g stormGuest, rec recording) string {
	r.t.Helper()
	if !strings.HasPrefix(g.runtime, "provided") {
		need.Tool(r.t, map[bool]string{true: "node", false: "python3"}[strings.HasPrefix(g.runtime, "node")])
	}
	in := object{"FunctionName": "fn", "Runtime": g.runtime, "Handler": g.handler, "Role": role, "Timeout": 30, "Code": object{"ZipFile": zipped(r.t, g.files)}, "Environment": object{"Variables": object{}}}
	var recorded object
	for _, key := range []string{"create_function_result", "create-result", "creation_response"} {
		if value, ok := rec.Content[key].(map[string]any); ok {
			recorded = value
		}
	}
	if inner, ok := recorded["CreateFunctionResponse"].(map[string]any); ok {
		recorded = inner
	}
	delete(in, "Environment")
	for _, key := range []string{"Runtime", "Handler", "MemorySize", "Timeout", "Environment"} {
		if value, ok := recorded[key]; ok {
			in[key] = value
		}
	}
	var out object
	r.must("CreateFunction", in, &out)
	if recorded != nil {
		r.matches("CreateFunction", recorded, out)
	}
	return "fn"
}

func (r *region) recordedInvoke(rec recording, g stormGuest) {
	name := r.create(g, rec)
	for _, key := range []string{"invoke-result", "invoke", "invoke_result", "invoke_result_2"} {
		want, ok := rec.Content[key]
		if !ok {
			continue
		}
		var headers []string
		if _, tail := want.(map[string]any)["LogResult"]; tail {
			headers = []string{"X-Amz-Log-Type", "Tail"}
		}
		got := r.post(name, `{}`, headers...)
		r.matches(key, want, got)
		if text, ok := got["LogResult"].(string); ok {
			if log, err := base64.StdEncoding.DecodeString(text); err != nil || !bytes.HasPrefix(log, []byte("START RequestId: ")) {
				r.t.Errorf("the log is %s (%v)", log, err)
			}
		}
	}
	r.recordedLines(rec)
}

// recordedLines compares the log with the recorded lines.
func (r *region) recordedLines(rec recording) {
	for _, key := range []string{"logs", "log_entries"} {
		lines, ok := rec.Content[key].(map[string]any)
		if !ok {
			continue
		}
		r.logs.mu.Lock()
		got := slices.Clone(r.logs.lines)
		r.logs.mu.Unlock()
		if len(got) > 0 && strings.HasPrefix(got[0], "INIT_START") {
			got = got[1:]
		}
		for i, want := range lines["logs"].([]any) {
			line := got[i]
			if !strings.HasSuffix(want.(string), "\n") {
				line = strings.TrimRight(line, "\t\n")
			}
			r.matches(fmt.Sprintf("line %d", i), want, line)
		}
	}
}

func (r *region) recordedFailure(rec recording, key, source string) {
	name := r.create(stormGuest{"python3.12", "lambda_function.handler", map[string]string{"lambda_function.py": source}}, recording{Content: object{}})
	want := rec.Content[key].(map[string]any)
	got := r.post(name, `{}`)
	if payload, ok := want["Payload"].(map[string]any); ok && payload["stackTrace"] != nil {
		// Frames name files of the machine; the last one is the function's.
		have, _ := got["Payload"].(map[string]any)
		trace, _ := have["stackTrace"].([]any)
		expected := payload["stackTrace"].([]any)
		if len(trace) != len(expected) {
			r.t.Errorf("the stack trace has %d frames, not %d", len(trace), len(expected))
		}
		payload["stackTrace"] = have["stackTrace"]
	}
	r.matches(key, want, got)
}

func (r *region) recordedException(rec recording) {
	config := rec.Content["create_function_result"].(map[string]any)
	g := stormGuest{fmt.Sprint(config["Runtime"]), fmt.Sprint(config["Handler"]), map[string]string{
		"handler.py": "def handler(event, context):\n    raise Exception('Failed: ' + event['error_msg'])",
		"index.js":   "exports.handler = async (event) => { throw new Error('Error: ' + event.error_msg) }",
		"bootstrap":  providedBootstrap()}}
	name := r.create(g, rec)
	r.matches("error_result", rec.Content["error_result"], r.post(name, `{"error_msg":"some_error_msg"}`))
}

func (r *region) recordedIntrospection(rec recording) {
	config := rec.Content["create_function_result"].(map[string]any)
	name := r.create(stormGuest{fmt.Sprint(config["Runtime"]), fmt.Sprint(config["Handler"]), map[string]string{"handler.py": introPython, "index.js": introNode, "bootstrap": providedBootstrap()}}, rec)
	for key, target := range map[string]string{"invocation_result_payload": name, "invocation_result_payload_qualified": name + ":$LATEST"} {
		want := rec.Content[key].(map[string]any)
		got, _ := r.post(target, `{}`)["Payload"].(map[string]any)
		r.matches(key+".ctx", want["ctx"], got["ctx"])
		recorded, have := want["environment"].(map[string]any), got["environment"].(map[string]any)
		for variable, value := range recorded {
			switch variable {
			case "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN": // the test has no roles
			case "NODE_EXTRA_CA_CERTS", "LC_CTYPE": // of those versions of the runtimes only
			case "AWS_LAMBDA_RUNTIME_API", "AWS_XRAY_DAEMON_ADDRESS", "_AWS_XRAY_DAEMON_ADDRESS", "LAMBDA_RUNTIME_DIR", "LAMBDA_TASK_ROOT",
				"LD_LIBRARY_PATH", "NODE_PATH", "PYTHONPATH", "PATH", "PWD": // places of this machine
				if have[variable] == nil {
					r.t.Errorf("%s: %s is missing", key, variable)
				}
			default:
				r.matches(key+"."+variable, value, have[variable])
			}
		}
		for variable := range have {
			if _, known := recorded[variable]; !known && variable != "TMPDIR" && variable != "LC_CTYPE" {
				r.t.Errorf("%s: %s is too much", key, variable)
			}
		}
	}
}

func (r *region) recordedWrapper(rec recording) {
	config := rec.Content["create_function_result"].(map[string]any)
	name := r.create(stormGuest{fmt.Sprint(config["Runtime"]), fmt.Sprint(config["Handler"]), map[string]string{"handler.py": introPython, "index.js": introNode,
		"environment_wrapper": "#!/bin/bash\nexport WRAPPER_VAR=test_value\nexec \"$@\"\n"}}, rec)
	got := r.post(name, `{}`)["Payload"].(map[string]any)["environment"].(map[string]any)
	if got["WRAPPER_VAR"] != "test_value" {
		r.t.Errorf("got %v", got)
	}
}

func (r *region) recordedNoWrapper(rec recording) {
	r.must("CreateFunction", object{"FunctionName": "fn", "Runtime": "python3.12", "Handler": "handler.handler", "Role": role,
		"Code":        object{"ZipFile": zipped(r.t, map[string]string{"handler.py": echoPython})},
		"Environment": object{"Variables": object{"AWS_LAMBDA_EXEC_WRAPPER": "/idontexist.sh"}}}, nil)
	r.matches("invocation_error", rec.Content["invocation_error"], r.post("fn", `{}`))
}

func (r *region) recordedTypes(rec recording) {
	want := rec.Content["invoke-result"].(map[string]any)
	source := echoPython
	if want["Payload"] == "null" {
		source = "def handler(event, context):\n    pass"
	}
	name := r.create(stormGuest{"python3.12", "handler.handler", map[string]string{"handler.py": source}}, recording{Content: object{}})
	kind := map[string]string{"200": "RequestResponse", "202": "Event", "204": "DryRun"}[fmt.Sprint(want["StatusCode"])]
	r.matches("invoke-result", want, r.post(name, `{}`, "X-Amz-Invocation-Type", kind))
}

func (r *region) recordedMissing(rec recording) {
	want := rec.Content["invoke_function_doesnotexist"].(map[string]any)
	if !strings.HasSuffix(fmt.Sprint(want["Message"]), "$LATEST") {
		return // the same, as it was recorded in 2023
	}
	r.matches("doesnotexist", want, r.post("doesnotexist", `{}`))
}

func (r *region) recordedBadPayload(rec recording) {
	name := r.create(stormGuest{"python3.12", "handler.handler", map[string]string{"handler.py": echoPython}}, recording{Content: object{}})
	for key, want := range rec.Content {
		payload := "n\x87r\x9e\xe9\xb5\xd7I\xee\x9bmt"
		if strings.HasSuffix(key, "message") {
			payload = "\x99\xeb,j\x07\xa1zYh"
		}
		r.matches(key, want, r.post(name, payload))
	}
}

func (r *region) recordedConcurrency(rec recording) {
	r.create(stormGuest{"python3.12", "handler.handler", map[string]string{"handler.py": echoPython}}, recording{Content: object{}})
	r.steps(rec, []step{
		{"get_function_concurrency_default", "GetFunctionConcurrency", object{}},
		{"put_function_concurrency", "PutFunctionConcurrency", object{"ReservedConcurrentExecutions": 0}},
		{"get_function_concurrency_updated", "GetFunctionConcurrency", object{}},
		{"", "DeleteFunctionConcurrency", object{}},
		{"get_function_concurrency_deleted", "GetFunctionConcurrency", object{}},
	})
}

// step is an operation on the function fn, and where its answer is recorded; ""
// where it is not.
type step struct {
	key, operation string
	in             object
}

// steps calls operations, one after the other, and compares their answers.
func (r *region) steps(rec recording, all []step) {
	r.t.Helper()
	for _, s := range all {
		s.in["FunctionName"] = "fn"
		var out object
		r.must(s.operation, s.in, &out)
		if s.key != "" {
			r.matches(s.key, rec.Content[s.key], out)
		}
	}
}

func (r *region) recordedURLMode(rec recording) {
	r.create(stormGuest{"python3.12", "handler.handler", map[string]string{"handler.py": echoPython}}, recording{Content: object{}})
	err := r.call("CreateFunctionUrlConfig", object{"FunctionName": "fn", "AuthType": "NONE", "InvokeMode": "UNKNOWN"}, nil)
	want := rec.Content["invoke_function_invalid_invoke_type"].(map[string]any)["Error"].(map[string]any)
	if wire.Code(err) != want["Code"] || !strings.HasSuffix(err.Error(), fmt.Sprint(want["Message"])) {
		r.t.Errorf("got %v, want %v", err, want)
	}
}

// recordedURL has a guest that returns what the recording's name says.
func (r *region) recordedURL(rec recording) {
	want := rec.Content["lambda_url_invocation"].(map[string]any)
	headers := want["headers"].(map[string]any)
	value := map[string]string{"dict": "{'hello': 'world'}", "http-response": "{'statusCode': 200, 'body': 'body123'}",
		"http-response-json": "{'statusCode': 200, 'body': '{\"hello\": \"world\"}'}", "list-mixed": "['hello', 3, True]",
		"string": "'hello'", "integer": "3", "float": "3.1", "boolean": "True"}[insideBrackets(r.t.(*testing.T).Name())]
	r.python("fn", "def handler(e, c):\n    return "+value)
	status, body, header := get(r.t.(*testing.T), r.openURL("fn", nil))
	content, structured := want["content"].(map[string]any)
	var parsed object
	if structured && json.Unmarshal([]byte(body), &parsed) == nil {
		r.matches("content", content, parsed)
	} else if body != want["content"] {
		r.t.Errorf("got %s, want %v", body, want["content"])
	}
	if fmt.Sprint(want["statuscode"]) != fmt.Sprint(status) || header.Get("Content-Type") != headers["Content-Type"] || header.Get("Content-Length") != headers["Content-Length"] {
		r.t.Errorf("got %d %v, want %v", status, header, want)
	}
}

func insideBrackets(name string) string {
	_, rest, _ := strings.Cut(name, "[")
	inside, _, _ := strings.Cut(rest, "]")
	return inside
}
