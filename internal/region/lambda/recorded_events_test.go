package lambda_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
)

// recordedDestination compares the record that a destination gets, here a
// function instead of a queue.
func (r *region) recordedDestination(rec recording) {
	var want map[string]any
	for _, key := range []string{"queue_destination_payload", "receive_message_result"} {
		if result, ok := rec.Content[key].(map[string]any); ok {
			want = result["Messages"].([]any)[0].(map[string]any)["Body"].(map[string]any)
		}
	}
	message := "none"
	if response, ok := want["responsePayload"].(map[string]any); ok && response["errorMessage"] != nil {
		message = response["errorMessage"].(string)
		response["stackTrace"] = []any{"<stack-trace>"} // one frame: the path is this machine's
	}
	r.python("fn", fmt.Sprintf(`def handler(event, context):
    if event:
        raise Exception(%q)
    names = ('invoked_function_arn', 'function_version', 'function_name', 'memory_limit_in_mb', 'aws_request_id', 'log_group_name', 'log_stream_name', 'client_context')
    return {'event': event, 'context': {k: getattr(context, k) for k in names}}
`, message))
	r.python("dest", "import json\ndef handler(e, c):\n    print('RECORD ' + json.dumps(e))")
	settings := object{"FunctionName": "fn", "DestinationConfig": object{"OnFailure": object{"Destination": arn("dest")}, "OnSuccess": object{"Destination": arn("dest")}}}
	if put, ok := rec.Content["put_function_event_invoke_config"].(map[string]any); ok && put["MaximumRetryAttempts"] != nil {
		settings["MaximumRetryAttempts"] = put["MaximumRetryAttempts"]
	}
	r.must("PutFunctionEventInvokeConfig", settings, nil)
	payload, err := json.Marshal(want["requestPayload"])
	if err != nil {
		r.t.Fatal(err)
	}
	r.post("fn", string(payload), "X-Amz-Invocation-Type", "Event")
	var got object
	r.recorded(&got)
	r.matches("Body", want, got)
}

// recorded waits for the record that the function dest prints, and reads it.
func (r *region) recorded(out any) {
	r.t.Helper()
	waitFor(r.t, "the record", func() bool {
		_, rest, ok := strings.Cut(r.logs.text(), "RECORD ")
		line, _, end := strings.Cut(rest, "\n")
		return ok && end && json.Unmarshal([]byte(line), out) == nil
	})
}

// recordedReserved has a function that may not run at all.
func (r *region) recordedReserved(rec recording) {
	r.python("fn", echoPython)
	r.python("dest", "import json\ndef handler(e, c):\n    print('RECORD ' + json.dumps(e))")
	var out object
	r.must("PutFunctionConcurrency", object{"FunctionName": "fn", "ReservedConcurrentExecutions": 0}, &out)
	r.matches("put_reserved", rec.Content["put_reserved"], out)
	r.matches("exc_no_cap_requestresponse", rec.Content["exc_no_cap_requestresponse"], r.post("fn", `{}`))
	r.must("PutFunctionEventInvokeConfig", object{"FunctionName": "fn", "MaximumRetryAttempts": 0, "DestinationConfig": object{"OnFailure": object{"Destination": arn("dest")}}}, nil)
	r.matches("invoke_result", rec.Content["invoke_result"], r.post("fn", `{}`, "X-Amz-Invocation-Type", "Event"))
	var got object
	r.recorded(&got)
	r.matches("msg", rec.Content["msg"].(map[string]any)["Body"], got)
}

// recordedBusy has a function whose one execution is under way.
func (r *region) recordedBusy(rec recording) {
	r.python("fn", "import os, time\ndef handler(e, c):\n    print('RUNS')\n    while not os.path.exists(e['until']):\n        time.sleep(0.01)")
	var out object
	r.must("PutFunctionConcurrency", object{"FunctionName": "fn", "ReservedConcurrentExecutions": 1}, &out)
	r.matches("put_fn_concurrency", rec.Content["put_fn_concurrency"], out)
	until := filepath.Join(r.dir, "until")
	payload, _ := json.Marshal(object{"until": until})
	r.post("fn", string(payload), "X-Amz-Invocation-Type", "Event")
	waitFor(r.t, "the execution", func() bool { return strings.Contains(r.logs.text(), "RUNS") })
	r.matches("too_many_requests_exc", rec.Content["too_many_requests_exc"], r.post("fn", string(payload)))
	if err := os.WriteFile(until, nil, 0o600); err != nil {
		r.t.Error(err)
	}
}

func (r *region) recordedReservation(rec recording) {
	r.must("CreateFunction", object{"FunctionName": "fn", "Runtime": "python3.12", "Handler": "handler.handler", "Role": role, "Timeout": 30,
		"Environment": object{"Variables": object{}}, "Code": object{"ZipFile": zipped(r.t, map[string]string{"handler.py": echoPython})}}, nil)
	r.steps(rec, []step{
		{"put_function_concurrency", "PutFunctionConcurrency", object{"ReservedConcurrentExecutions": 3}},
		{"get_function_concurrency_updated", "GetFunctionConcurrency", object{}},
		{"get_function_concurrency_info", "GetFunction", object{}},
		{"", "DeleteFunctionConcurrency", object{}},
		{"get_function_concurrency_deleted", "GetFunctionConcurrency", object{}},
	})
}

// recordedProvisioned compares what is said of the setting; it is ready at once.
func (r *region) recordedProvisioned(rec recording) {
	r.python("fn", echoPython)
	r.must("PublishVersion", object{"FunctionName": "fn"}, nil)
	want := rec.Content["get_provisioned_postwait"].(map[string]any)
	var put, got object
	r.must("PutProvisionedConcurrencyConfig", object{"FunctionName": "fn", "Qualifier": "1", "ProvisionedConcurrentExecutions": want["RequestedProvisionedConcurrentExecutions"]}, &put)
	if recorded := rec.Content["put_provisioned_5"]; recorded != nil {
		r.matches("put_provisioned_5", recorded, put)
	}
	r.must("GetProvisionedConcurrencyConfig", object{"FunctionName": "fn", "Qualifier": "1"}, &got)
	r.matches("get_provisioned_postwait", want, got)
}

// retried makes an asynchronous call that fails twice, and waits for both.
func (r *region) retried(source string) (answer object) {
	r.python("fn", source)
	r.must("PutFunctionEventInvokeConfig", object{"FunctionName": "fn", "MaximumRetryAttempts": 1}, nil)
	answer = r.post("fn", `{}`, "X-Amz-Invocation-Type", "Event")
	waitFor(r.t, "the second attempt", func() bool { return strings.Count(r.logs.text(), "REPORT ") == 2 })
	return answer
}

func (r *region) recordedRequestIDs(rec recording) {
	answer := r.retried("def handler(e, c):\n    raise Exception('as asked')")
	r.matches("invoke_result", rec.Content["invoke_result"], answer)
	ends := regexp.MustCompile(`END RequestId: \S+`).FindAllString(r.logs.text(), -1)
	if want := rec.Content["end_messages"].([]any); len(ends) != len(want) || ends[0] != ends[1] {
		r.t.Errorf("got %v, want %v", ends, want)
	}
}

func (r *region) recordedEventError(rec recording) {
	answer := r.retried("class CustomException(Exception):\n    pass\n\n\ndef handler(event, context):\n    raise CustomException(\"some error occurred\")\n")
	r.matches("invocation_response", rec.Content["invocation_response"], answer)
	r.logs.mu.Lock()
	got := append([]string(nil), r.logs.lines...)
	r.logs.mu.Unlock()
	events := rec.Content["log_events"].([]any)
	if len(got) != len(events) {
		r.t.Fatalf("got %d lines, want %d: %q", len(got), len(events), got)
	}
	varies := strings.NewReplacer("3.01", "<ms>", "2.90", "<ms>", "110.10", "<ms>", "4 ms", "<ms> ms", "3 ms", "<ms> ms", "36", "<mb>", "/var/task", "<root>", "python:3.10.v11", "python:<version>")
	for i, event := range events {
		r.matches(fmt.Sprintf("line %d", i), varies.Replace(event.(map[string]any)["message"].(string)), got[i])
	}
}
