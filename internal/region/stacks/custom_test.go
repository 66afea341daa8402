package stacks_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/seed-615d3599/roost/internal/region/stacks"
	"github.com/seed-615d3599/roost/internal/region/stacks/answers"
	"github.com/seed-615d3599/roost/internal/region/wire"
)

// customRequest is what a function receives for a custom resource.
type customRequest struct {
	RequestType, ServiceToken, ResponseURL, ResourceType string
	StackID                                              string `json:"StackId"`
	RequestID                                            string `json:"RequestId"`
	LogicalResourceID                                    string `json:"LogicalResourceId"`
	PhysicalResourceID                                   string `json:"PhysicalResourceId"`
	ResourceProperties, OldResourceProperties            map[string]any
}

type invokeInput struct {
	FunctionName, InvocationType string
	Payload                      []byte
}

// lambda is a service with one function, which runs as f.function.
func (f *fixture) lambda() *wire.Service {
	invoke := func(_ context.Context, _ *wire.Call, in *invokeInput) (*struct{}, error) {
		if strings.HasSuffix(in.FunctionName, ":missing") {
			return nil, wire.Errorf(404, "ResourceNotFoundException", "Function not found: %s", in.FunctionName)
		}
		var q customRequest
		if err := json.Unmarshal(in.Payload, &q); err != nil {
			return nil, err
		}
		f.mu.Lock()
		f.asked = append(f.asked, q)
		function := f.function
		f.mu.Unlock()
		if function != nil {
			go function(q)
		}
		return &struct{}{}, nil
	}
	return &wire.Service{
		Name: "lambda", Protocol: wire.RESTJSON, Operations: []wire.Operation{wire.Op("Invoke", invoke)},
		Authorize: func(context.Context, *wire.Call, []wire.Target) error { return nil },
	}
}

// put answers under a response URL, and returns the status.
func (f *fixture) put(url, body string) int {
	r := httptest.NewRequest(http.MethodPut, url, strings.NewReader(body))
	w := httptest.NewRecorder()
	f.engine.Paths()[r.URL.Path].ServeHTTP(w, r)
	return w.Code
}

// respond makes f.function answer with what answer returns.
func (f *fixture) respond(answer func(q customRequest) map[string]any) {
	f.function = func(q customRequest) {
		a := answer(q)
		if a == nil {
			return
		}
		for name, value := range map[string]any{"Status": "SUCCESS", "StackId": q.StackID, "RequestId": q.RequestID, "LogicalResourceId": q.LogicalResourceID, "PhysicalResourceId": "p"} {
			if _, ok := a[name]; !ok {
				a[name] = value
			}
		}
		body, _ := json.Marshal(a)
		f.put(q.ResponseURL, string(body))
	}
}

func (f *fixture) takeAsked() (types []string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, q := range f.asked {
		types = append(types, q.RequestType+" "+q.PhysicalResourceID)
	}
	f.asked = nil
	return types
}

const functionARN = "arn:aws:lambda:us-east-1:123456789012:function:maker"

func customTemplate(properties, more string) string {
	return fmt.Sprintf(`{"Resources": {"C": {"Type": "Custom::Maker", "Properties": {"ServiceToken": %q, %s}}%s}}`, functionARN, properties, more)
}

func TestCustomResource(t *testing.T) {
	f := start(t)
	f.respond(func(q customRequest) map[string]any {
		return map[string]any{"PhysicalResourceId": "id-" + fmt.Sprint(q.ResourceProperties["Name"]), "Data": map[string]any{"Answer": "42"}}
	})
	thing := `, "T": {"Type": "AWS::Test::Thing", "Properties": {"Other": {"Fn::GetAtt": ["C", "Answer"]}}}`
	f.must("CreateStack", map[string]any{"StackName": "s", "TemplateBody": customTemplate(`"Name": "a", "Count": 3, "Yes": true, "List": [1, {"A": false}]`, thing)}, nil)
	if status := f.rest("s"); status != "CREATE_COMPLETE" {
		t.Fatal(status, strings.Join(f.events("s"), "\n"))
	}
	q := f.asked[0]
	want := map[string]any{"ServiceToken": functionARN, "Name": "a", "Count": "3", "Yes": "true", "List": []any{"1", map[string]any{"A": "false"}}}
	if diff := cmp.Diff(want, q.ResourceProperties); diff != "" {
		t.Errorf("properties: %s", diff)
	}
	if q.RequestType != "Create" || q.ResourceType != "Custom::Maker" || q.LogicalResourceID != "C" || q.PhysicalResourceID != "" || q.ServiceToken != functionARN {
		t.Errorf("request: %+v", q)
	}
	if code := f.put(q.ResponseURL, `{}`); code != http.StatusForbidden {
		t.Errorf("an answer after the answer: %d", code)
	}

	// A property that keeps the physical id is an update; one that changes it a
	// replacement, whose old one is deleted at the end.
	f.takeAsked()
	f.must("UpdateStack", map[string]any{"StackName": "s", "TemplateBody": customTemplate(`"Name": "a", "Count": 4`, thing)}, nil)
	f.rest("s")
	f.must("UpdateStack", map[string]any{"StackName": "s", "TemplateBody": customTemplate(`"Name": "b", "Count": 4`, thing)}, nil)
	if status := f.rest("s"); status != "UPDATE_COMPLETE" {
		t.Fatal(status, strings.Join(f.events("s"), "\n"))
	}
	f.must("DeleteStack", map[string]any{"StackName": "s"}, nil)
	f.rest(q.StackID)
	if diff := cmp.Diff([]string{"Update id-a", "Update id-a", "Delete id-a", "Delete id-b"}, f.takeAsked()); diff != "" {
		t.Error(diff)
	}
}

func TestCustomResourceFailures(t *testing.T) {
	tests := []struct {
		name, properties string
		answer           func(q customRequest) map[string]any
		want             string
		asked            []string
	}{
		{"failed", `"A": 1`, func(q customRequest) map[string]any {
			if q.RequestType == "Delete" {
				return map[string]any{}
			}
			return map[string]any{"Status": "FAILED", "Reason": "no luck", "PhysicalResourceId": "half"}
		}, "Received response status [FAILED] from custom resource. Message returned: no luck (RequestId: ", []string{"Create ", "Delete half"}},
		{"no answer", `"ServiceTimeout": 1`, func(q customRequest) map[string]any {
			if q.RequestType == "Delete" {
				return map[string]any{}
			}
			return nil
		}, "CloudFormation did not receive a response from your Custom Resource. Please check your logs for requestId [", nil},
		{"no physical id", `"A": 1`, func(customRequest) map[string]any { return map[string]any{"PhysicalResourceId": ""} }, "Invalid PhysicalResourceId", nil},
		{"another request", `"A": 1`, func(q customRequest) map[string]any {
			if q.RequestType == "Delete" {
				return map[string]any{}
			}
			return map[string]any{"RequestId": "other"}
		}, "Invalid Response object: StackId, RequestId and LogicalResourceId must be those of the request", nil},
		{"too long", `"A": 1`, func(q customRequest) map[string]any {
			if q.RequestType == "Delete" {
				return map[string]any{}
			}
			return map[string]any{"Data": map[string]any{"A": strings.Repeat("x", 4096)}}
		}, "Response object is too long.", nil},
		{"no such function", `"ServiceToken": "arn:aws:lambda:us-east-1:123456789012:function:missing"`, nil, "Function not found: arn:aws:lambda:us-east-1:123456789012:function:missing", []string{}},
		{"SNS", `"ServiceToken": "arn:aws:sns:us-east-1:123456789012:topic"`, nil, "roost does not support custom resources behind SNS topics", []string{}},
		{"no token", `"ServiceToken": "x"`, nil, "Invalid service token", []string{}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			f := start(t)
			if test.answer != nil {
				f.respond(test.answer)
			}
			properties := test.properties
			if !strings.Contains(properties, "ServiceToken") {
				properties += fmt.Sprintf(`, "ServiceToken": %q`, functionARN)
			}
			f.must("CreateStack", map[string]any{"StackName": "s", "TemplateBody": `{"Resources": {"C": {"Type": "AWS::CloudFormation::CustomResource", "Properties": {` + properties + `}}}}`}, nil)
			if status := f.rest("s"); status != "ROLLBACK_COMPLETE" {
				t.Error(status)
			}
			if events := strings.Join(f.events("s"), "\n"); !strings.Contains(events, "C CREATE_FAILED ") || !strings.Contains(events, test.want) {
				t.Errorf("no %q in\n%s", test.want, events)
			}
			if test.asked != nil {
				if diff := cmp.Diff(test.asked, append([]string{}, f.takeAsked()...)); diff != "" {
					t.Error(diff)
				}
			}
		})
	}
}

func TestCustomResourceGoesOnAfterARestart(t *testing.T) {
	f := start(t)
	asked := make(chan customRequest, 10)
	f.function = func(q customRequest) { asked <- q }
	f.must("CreateStack", map[string]any{"StackName": "s", "TemplateBody": customTemplate(`"Name": "a"`, "")}, nil)
	first := <-asked
	f.close()
	f.open()
	if err := f.engine.Resume(); err != nil {
		t.Fatal(err)
	}
	second := <-asked
	if first.RequestID != second.RequestID || first.ResponseURL != second.ResponseURL {
		t.Error("asked again as another request")
	}
	f.respond(func(customRequest) map[string]any { return map[string]any{} })
	f.function(first)
	if status := f.rest("s"); status != "CREATE_COMPLETE" {
		t.Fatal(status, strings.Join(f.events("s"), "\n"))
	}
}

func TestCustomResourceSecrets(t *testing.T) {
	f := start(t)
	f.respond(func(customRequest) map[string]any {
		return map[string]any{"NoEcho": true, "Data": map[string]any{"Key": "hunter2"}}
	})
	thing := `, "T": {"Type": "AWS::Test::Thing", "Properties": {"Other": {"Fn::Sub": "x-${C.Key}"}, "Size": %d}}`
	f.must("CreateStack", map[string]any{"StackName": "s", "TemplateBody": customTemplate(`"A": 1`, fmt.Sprintf(thing, 1))}, nil)
	if status := f.rest("s"); status != "CREATE_COMPLETE" {
		t.Fatal(status, strings.Join(f.events("s"), "\n"))
	}
	f.must("CreateChangeSet", map[string]any{"StackName": "s", "ChangeSetName": "c", "TemplateBody": customTemplate(`"A": 1`, fmt.Sprintf(thing, 2))}, nil)
	for operation, in := range map[string]map[string]any{
		"DescribeStackEvents": {"StackName": "s"}, "DescribeStackResources": {"StackName": "s"},
		"DescribeChangeSet": {"StackName": "s", "ChangeSetName": "c", "IncludePropertyValues": true},
	} {
		var out json.RawMessage
		f.must(operation, in, &out)
		if strings.Contains(string(out), "hunter") {
			t.Errorf("%s shows the secret: %s", operation, out)
		}
	}
}

func TestWaitConditions(t *testing.T) {
	body := `{"Resources": {
		"H": {"Type": "AWS::CloudFormation::WaitConditionHandle"},
		"W": {"Type": "AWS::CloudFormation::WaitCondition", "Properties": {"Handle": {"Ref": "H"}, "Timeout": "%d", "Count": 2}}},
		"Outputs": {"D": {"Value": {"Fn::GetAtt": ["W", "Data"]}}, "U": {"Value": {"Ref": "H"}}}}`
	success := func(id string) string {
		return fmt.Sprintf(`{"Status": "SUCCESS", "UniqueId": %q, "Data": "d-%s", "Reason": "r"}`, id, id)
	}
	tests := []struct {
		name    string
		timeout int
		signals []string
		status  string
		want    string
	}{
		{"enough", 3600, []string{success("a"), success("a"), "no signal", success("b")}, "CREATE_COMPLETE", `{"a":"d-a","b":"d-b"}`},
		{"failure", 3600, []string{success("a"), `{"Status": "FAILURE", "UniqueId": "x", "Reason": "broken"}`}, "ROLLBACK_COMPLETE", "WaitCondition received failed message: 'broken' for uniqueId: x"},
		{"timeout", 0, []string{success("a")}, "ROLLBACK_COMPLETE", "WaitCondition timed out. Received "},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			f := start(t)
			f.must("CreateStack", map[string]any{"StackName": "s", "TemplateBody": fmt.Sprintf(body, test.timeout)}, nil)
			url := f.physical("s", "H")
			for _, signal := range test.signals {
				f.put(url, signal)
			}
			if status := f.rest("s"); status != test.status {
				t.Error(status)
			}
			var out stacks.DescribeStacksOutput
			f.must("DescribeStacks", map[string]any{"StackName": "s"}, &out)
			if all := fmt.Sprint(out.Stacks[0].Outputs, strings.Join(f.events("s"), "\n")); !strings.Contains(all, test.want) {
				t.Errorf("no %q in %s", test.want, all)
			}
		})
	}
}

// physical waits until a resource is there and returns its physical id.
func (f *fixture) physical(stack, id string) string {
	f.t.Helper()
	for range 10_000 {
		var out stacks.ResourcesOutput
		f.must("DescribeStackResources", map[string]any{"StackName": stack, "LogicalResourceId": id}, &out)
		if len(out.StackResources) > 0 && out.StackResources[0].PhysicalResourceID != "" {
			return out.StackResources[0].PhysicalResourceID
		}
	}
	f.t.Fatalf("%s does not come", id)
	return ""
}

func TestSignalResource(t *testing.T) {
	f := start(t)
	f.must("CreateStack", map[string]any{"StackName": "s", "TemplateBody": `{"Resources": {"W": {"Type": "AWS::CloudFormation::WaitCondition",
		"CreationPolicy": {"ResourceSignal": {"Count": "2", "Timeout": "PT1H"}}}}}`}, nil)
	for _, id := range []string{"a", "b"} {
		for f.call("SignalResource", map[string]any{"StackName": "s", "LogicalResourceId": "W", "UniqueId": id, "Status": "SUCCESS"}, nil) != nil {
			f.must("DescribeStacks", map[string]any{"StackName": "s"}, nil)
		}
	}
	if status := f.rest("s"); status != "CREATE_COMPLETE" {
		t.Error(status, f.events("s"))
	}
	if err := f.call("SignalResource", map[string]any{"StackName": "s", "LogicalResourceId": "X", "UniqueId": "a", "Status": "SUCCESS"}, nil); wire.Code(err) != "ValidationError" {
		t.Errorf("a signal to nobody: %v", err)
	}
}

func TestAnswersAreTakenFromWhoHasTheURL(t *testing.T) {
	f := start(t)
	if code := f.put("http://127.0.0.1:4000"+answers.Path+"?key=guess", "{}"); code != http.StatusForbidden {
		t.Errorf("a guessed key: %d", code)
	}
	w := httptest.NewRecorder()
	f.engine.Paths()[answers.Path].ServeHTTP(w, httptest.NewRequest(http.MethodGet, answers.Path, nil))
	if w.Code != http.StatusMethodNotAllowed {
		t.Errorf("GET: %d", w.Code)
	}
}
