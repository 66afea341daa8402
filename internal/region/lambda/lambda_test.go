package lambda_test

import (
	"archive/zip"
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/seed-615d3599/roost/internal/need"
	"github.com/seed-615d3599/roost/internal/region/lambda"
	"github.com/seed-615d3599/roost/internal/region/store"
	"github.com/seed-615d3599/roost/internal/region/wire"
)

// region is a Lambda with a store of its own, behind an HTTP server.
type region struct {
	*lambda.Lambda
	t        testing.TB
	dir      string
	endpoint string
	logs     logs
	change   func(*lambda.Config) // before the start; nil: nothing
	stop     func()
}

type logs struct {
	mu    sync.Mutex
	lines []string
}

func (l *logs) Write(_, _ string, _ time.Time, message string) {
	l.mu.Lock()
	l.lines = append(l.lines, message)
	l.mu.Unlock()
}

func (l *logs) text() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Join(l.lines, "")
}

func start(t testing.TB) *region { return startWith(t, nil) }

func startWith(t testing.TB, change func(*lambda.Config)) *region {
	t.Helper()
	r := &region{t: t, dir: t.TempDir(), change: change}
	r.open()
	return r
}

// open starts the service on the region's folder, where an earlier one may
// have left its state.
func (r *region) open() {
	r.t.Helper()
	db, err := store.Open(filepath.Join(r.dir, "region.db"))
	if err != nil {
		r.t.Fatal(err)
	}
	config := lambda.Config{DB: db, Dir: filepath.Join(r.dir, "lambda"), Region: "us-east-1", Account: "123456789012",
		Logs:       &r.logs,
		RetryDelay: func(int) time.Duration { return time.Millisecond }}
	if r.change != nil {
		r.change(&config)
	}
	r.Lambda, err = lambda.New(config)
	if err != nil {
		r.t.Fatal(err)
	}
	r.Service().Authorize = func(context.Context, *wire.Call, []wire.Target) error { return nil }
	server := httptest.NewServer(http.HandlerFunc(r.serve))
	r.endpoint = server.URL
	r.stop = sync.OnceFunc(func() {
		server.Close()
		if err := r.Close(); err != nil {
			r.t.Error(err)
		}
		if n := r.Environments(); n != 0 {
			r.t.Errorf("%d environments are left", n)
		}
		if err := db.Close(); err != nil {
			r.t.Error(err)
		}
	})
	r.t.Cleanup(r.stop)
}

func (r *region) serve(w http.ResponseWriter, request *http.Request) {
	call := &wire.Call{RequestID: fmt.Sprintf("00000000-0000-4000-8000-%012d", time.Now().UnixNano()%1e12), Region: "us-east-1", Account: "123456789012"}
	body, err := io.ReadAll(request.Body)
	if err != nil {
		r.t.Error(err)
	}
	in, err := r.Service().Resolve(request, body)
	if err != nil {
		r.Service().WriteError(w, call.RequestID, err)
		return
	}
	in.SetBody(body)
	_ = r.Service().Respond(request.Context(), w, call, in)
}

// call calls an operation in the process.
func (r *region) call(operation string, in, out any) error {
	return r.Service().Call(context.Background(), wire.Call{Region: "us-east-1", Account: "123456789012"}, operation, in, out)
}

func (r *region) must(operation string, in, out any) {
	r.t.Helper()
	if err := r.call(operation, in, out); err != nil {
		r.t.Fatalf("%s: %v", operation, err)
	}
}

type object = map[string]any

func zipped(t testing.TB, files map[string]string) []byte {
	t.Helper()
	var out bytes.Buffer
	w := zip.NewWriter(&out)
	for name, content := range files {
		header := &zip.FileHeader{Name: name, Method: zip.Deflate}
		header.SetMode(0o755)
		f, err := w.CreateHeader(header)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(f, content); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

const role = "arn:aws:iam::123456789012:role/r"

func arn(name string) string { return "arn:aws:lambda:us-east-1:123456789012:function:" + name }

// python creates a function of one Python file.
func (r *region) python(name, source string) {
	r.t.Helper()
	need.Tool(r.t, "python3")
	r.must("CreateFunction", object{"FunctionName": name, "Runtime": "python3.12", "Handler": "handler.handler", "Role": role,
		"Timeout": 20, "Code": object{"ZipFile": zipped(r.t, map[string]string{"handler.py": source})}}, nil)
}

func (r *region) invoke(functionARN, payload string) (string, string) {
	r.t.Helper()
	response, functionError, err := r.Invoke(context.Background(), functionARN, []byte(payload))
	if err != nil {
		r.t.Fatal(err)
	}
	return string(response), functionError
}

func TestLifeOfAFunction(t *testing.T) {
	r := start(t)
	r.python("f", "def handler(e, c):\n    return 'one'")
	if got, _ := r.invoke(arn("f"), `{}`); got != `"one"` {
		t.Errorf("got %s", got)
	}
	var v struct{ Version, FunctionArn string }
	r.must("PublishVersion", object{"FunctionName": "f"}, &v)
	if v.Version != "1" || v.FunctionArn != arn("f")+":1" {
		t.Errorf("published %+v", v)
	}
	r.must("CreateAlias", object{"FunctionName": "f", "Name": "live", "FunctionVersion": "1"}, nil)
	r.must("UpdateFunctionCode", object{"FunctionName": "f", "ZipFile": zipped(t, map[string]string{"handler.py": "def handler(e, c):\n    return c.invoked_function_arn"})}, nil)
	for qualifier, want := range map[string]string{"": arn("f"), ":1": "one", ":live": "one", ":$LATEST": arn("f") + ":$LATEST"} {
		if got, _ := r.invoke(arn("f")+qualifier, `{}`); got != `"`+want+`"` {
			t.Errorf("%s: got %s, want %s", qualifier, got, want)
		}
	}
	r.must("DeleteFunction", object{"FunctionName": "f"}, nil)
	_, _, err := r.Invoke(context.Background(), arn("f"), []byte(`{}`))
	if wire.Code(err) != "ResourceNotFoundException" || !strings.HasSuffix(err.Error(), "Function not found: "+arn("f")+":$LATEST") {
		t.Errorf("got %v", err)
	}
}

func TestARestartContinues(t *testing.T) {
	r := &region{t: t, dir: t.TempDir()}
	r.open()
	r.python("f", "def handler(e, c):\n    return 'still here'")
	r.stop()
	r.open()
	if got, _ := r.invoke(arn("f"), `{}`); got != `"still here"` {
		t.Errorf("got %s", got)
	}
}

func TestLayers(t *testing.T) {
	r := start(t)
	need.Tool(t, "node")
	need.Tool(t, "python3")
	var one, two struct{ LayerVersionArn string }
	r.must("PublishLayerVersion", object{"LayerName": "l", "Content": object{"ZipFile": zipped(t, map[string]string{
		"python/shared.py": "value = 'first'", "nodejs/node_modules/shared/index.js": "exports.value = 'first'", "bin/tool": "#!/bin/sh\necho tool"})}}, &one)
	r.must("PublishLayerVersion", object{"LayerName": "l", "Content": object{"ZipFile": zipped(t, map[string]string{"python/shared.py": "value = 'second'"})}}, &two)
	if two.LayerVersionArn != "arn:aws:lambda:us-east-1:123456789012:layer:l:2" {
		t.Errorf("got %s", two.LayerVersionArn)
	}
	layers := []string{one.LayerVersionArn, two.LayerVersionArn} // the later wins
	r.must("CreateFunction", object{"FunctionName": "p", "Runtime": "python3.12", "Handler": "handler.handler", "Role": role, "Timeout": 20, "Layers": layers,
		"Code": object{"ZipFile": zipped(t, map[string]string{"handler.py": "import shared, subprocess\ndef handler(e, c):\n    return [shared.value, subprocess.check_output(['tool']).decode()]"})}}, nil)
	if got, _ := r.invoke(arn("p"), `{}`); got != `["second", "tool\n"]` {
		t.Errorf("got %s", got)
	}
	r.must("CreateFunction", object{"FunctionName": "n", "Runtime": "nodejs22.x", "Handler": "index.handler", "Role": role, "Timeout": 20, "Layers": layers,
		"Code": object{"ZipFile": zipped(t, map[string]string{"index.js": "exports.handler = async () => require('shared').value"})}}, nil)
	if got, _ := r.invoke(arn("n"), `{}`); got != `"first"` {
		t.Errorf("got %s", got)
	}
	if err := r.call("UpdateFunctionConfiguration", object{"FunctionName": "p", "Layers": []string{"arn:aws:lambda:us-east-1:123456789012:layer:l:9"}}, nil); err == nil || !strings.Contains(err.Error(), "layer:l:9 does not exist") {
		t.Errorf("got %v", err)
	}
}

func TestAliasesAndTheirWeights(t *testing.T) {
	r := start(t)
	r.python("f", "def handler(e, c):\n    return 'one'")
	r.must("PublishVersion", object{"FunctionName": "f"}, nil)
	r.must("UpdateFunctionCode", object{"FunctionName": "f", "Publish": true, "ZipFile": zipped(t, map[string]string{"handler.py": "def handler(e, c):\n    return 'two'"})}, nil)
	r.must("CreateAlias", object{"FunctionName": "f", "Name": "live", "FunctionVersion": "1"}, nil)
	for weight, want := range map[float64]string{0: `"one"`, 1: `"two"`} {
		r.must("UpdateAlias", object{"FunctionName": "f", "Name": "live", "RoutingConfig": object{"AdditionalVersionWeights": object{"2": weight}}}, nil)
		if got, _ := r.invoke(arn("f")+":live", `{}`); got != want {
			t.Errorf("with the weight %v: got %s", weight, got)
		}
	}
	for _, test := range []struct {
		operation string
		in        object
		want      string
	}{
		{"CreateAlias", object{"FunctionName": "f", "Name": "live", "FunctionVersion": "1"}, "ResourceConflictException"},
		{"CreateAlias", object{"FunctionName": "f", "Name": "7", "FunctionVersion": "1"}, "ValidationException"},
		{"CreateAlias", object{"FunctionName": "f", "Name": "x", "FunctionVersion": "9"}, "ResourceNotFoundException"},
		{"UpdateAlias", object{"FunctionName": "f", "Name": "live", "RevisionId": "stale"}, "PreconditionFailedException"},
		{"DeleteFunction", object{"FunctionName": "f", "Qualifier": "1"}, "ResourceConflictException"},
		{"GetAlias", object{"FunctionName": "f", "Name": "x"}, "ResourceNotFoundException"},
		{"PutProvisionedConcurrencyConfig", object{"FunctionName": "f", "Qualifier": "$LATEST", "ProvisionedConcurrentExecutions": 1}, "InvalidParameterValueException"},
		{"GetProvisionedConcurrencyConfig", object{"FunctionName": "f", "Qualifier": "live"}, "ProvisionedConcurrencyConfigNotFoundException"},
		{"PutFunctionConcurrency", object{"FunctionName": "f", "ReservedConcurrentExecutions": 950}, "UnreservedConcurrentExecution below its minimum value of [100]"},
		{"PutFunctionEventInvokeConfig", object{"FunctionName": "f", "MaximumRetryAttempts": 3}, "ValidationException"},
		{"PutFunctionEventInvokeConfig", object{"FunctionName": "f", "DestinationConfig": object{"OnFailure": object{"Destination": "arn:aws:sqs:us-east-1:1:q"}}}, "arn:aws:sqs:us-east-1:1:q is not supported here"},
		{"AddPermission", object{"FunctionName": "f", "StatementId": "s", "Action": "lambda:InvokeFunction", "Principal": "nobody"}, "The provided principal was invalid"},
		{"AddPermission", object{"FunctionName": "f", "StatementId": "s", "Action": "lambda:InvokeFunction", "Principal": "alexa-appkit.amazon.com", "EventSourceToken": "t"}, "InvalidParameterValueException"},
		{"AddPermission", object{"FunctionName": "f", "StatementId": "s", "Action": "lambda:InvokeFunction", "Principal": "s3.amazonaws.com", "SourceArn": "not an ARN"}, "cannot be part of a policy"},
		{"GetPolicy", object{"FunctionName": "f"}, "The resource you requested does not exist."},
		{"GetFunction", object{"FunctionName": "f:live", "Qualifier": "other"}, "derived qualifier"},
	} {
		if err := r.call(test.operation, test.in, nil); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s %v: got %v, want %s", test.operation, test.in, err, test.want)
		}
	}
}

func TestEventsReachTheirDestination(t *testing.T) {
	const fails, answers = "def handler(e, c):\n    raise Exception('intentional failure')", "def handler(e, c):\n    return {'errorMessage': 'none'}"
	for _, test := range []struct {
		name, source string
		settings     object
		retry        time.Duration
		condition    string
		count        int
		message      string
	}{
		{"retries", fails, object{}, time.Millisecond, "RetriesExhausted", 3, "intentional failure"},
		{"fewer retries", fails, object{"MaximumRetryAttempts": 0}, time.Millisecond, "RetriesExhausted", 1, "intentional failure"},
		{"too old for a retry", fails, object{"MaximumEventAgeInSeconds": 60}, 61 * time.Second, "EventAgeExceeded", 1, "intentional failure"},
		{"success", answers, object{}, time.Millisecond, "Success", 1, "none"},
	} {
		t.Run(test.name, func(t *testing.T) {
			r := startWith(t, func(config *lambda.Config) { config.RetryDelay = func(int) time.Duration { return test.retry } })
			r.python("worker", test.source)
			r.python("dest", "import json\ndef handler(e, c):\n    print('RECORD ' + json.dumps(e))")
			destination := object{"Destination": arn("dest")}
			test.settings["FunctionName"], test.settings["DestinationConfig"] = "worker", object{"OnFailure": destination, "OnSuccess": destination}
			r.must("PutFunctionEventInvokeConfig", test.settings, nil)
			r.must("Invoke", object{"FunctionName": "worker", "InvocationType": "Event", "Payload": []byte(`{"a":1}`)}, nil)
			record := r.destinationRecord()
			c := record.RequestContext
			if c.Condition != test.condition || c.ApproximateInvokeCount != test.count || c.FunctionArn != arn("worker")+":$LATEST" ||
				record.RequestPayload["a"] != 1.0 || record.ResponsePayload.ErrorMessage != test.message {
				t.Errorf("got %+v", record)
			}
		})
	}
}

// waiter is told of calls that fail. Those of the error type are hopeless.
type waiter struct {
	hopeless string
	told     chan string
}

func (w waiter) Hopeless(_ []byte, errorType string) bool { return errorType == w.hopeless }

func (w waiter) GivenUp(_ context.Context, payload []byte, attempts int, errorType, message string) error {
	w.told <- fmt.Sprint(string(payload), " ", attempts, " ", errorType, " ", message)
	return nil
}

func TestWhoWaitsIsToldOfCallsThatAreGivenUp(t *testing.T) {
	for _, test := range []struct{ name, source, hopeless, want string }{
		{"after the retries", "def handler(e, c):\n    raise Exception('no')", "Other", `{"a":1} 3 Function.Unknown Exception: no`},
		{"without retries", "def handler(e, c):\n    raise Exception('no')", "Function.Unknown", `{"a":1} 1 Function.Unknown Exception: no`},
		{"not loaded", "import nowhere", "Runtime.ImportModuleError", `{"a":1} 1 Runtime.ImportModuleError Runtime.ImportModuleError: Unable to import module`},
	} {
		t.Run(test.name, func(t *testing.T) {
			told := make(chan string, 1)
			r := startWith(t, func(config *lambda.Config) {
				config.RetryDelay = func(int) time.Duration { return time.Millisecond }
				config.Waiters = waiter{test.hopeless, told}
			})
			r.python("worker", test.source)
			r.must("Invoke", object{"FunctionName": "worker", "InvocationType": "Event", "Payload": []byte(`{"a":1}`)}, nil)
			if got := <-told; !strings.HasPrefix(got, test.want) {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}

// An event that waited for too long while the region was not there is not run.
func TestEventsGetTooOldWhileNothingRuns(t *testing.T) {
	r := startWith(t, func(config *lambda.Config) { config.RetryDelay = func(int) time.Duration { return time.Hour } })
	r.python("worker", "def handler(e, c):\n    print('RAN')\n    raise Exception('once')")
	r.python("dest", "import json\ndef handler(e, c):\n    print('RECORD ' + json.dumps(e))")
	r.must("PutFunctionEventInvokeConfig", object{"FunctionName": "worker", "DestinationConfig": object{"OnFailure": object{"Destination": arn("dest")}}}, nil)
	r.must("Invoke", object{"FunctionName": "worker", "InvocationType": "Event", "Payload": []byte(`{"a":1}`)}, nil)
	waitFor(t, "the first attempt", func() bool { return strings.Contains(r.logs.text(), "REPORT ") })
	r.stop()
	r.change = func(config *lambda.Config) { config.Now = func() time.Time { return time.Now().Add(7 * time.Hour) } }
	r.open()
	if c := r.destinationRecord().RequestContext; c.Condition != "EventAgeExceeded" {
		t.Errorf("got %+v", c)
	}
	if n := strings.Count(r.logs.text(), "RAN"); n != 1 {
		t.Errorf("it ran %d times, want once", n)
	}
}

// destinationRecord is what an asynchronous call's destination was told.
type destinationRecord struct {
	RequestContext struct {
		FunctionArn, Condition string
		ApproximateInvokeCount int
	}
	RequestPayload  object
	ResponsePayload struct{ ErrorMessage string }
}

// destinationRecord waits for the record that the function dest prints.
func (r *region) destinationRecord() (record destinationRecord) {
	r.t.Helper()
	r.recorded(&record)
	return record
}

// started hands over the processes that begin.
type started chan int

func (s started) Add(pgid int)   { s <- pgid }
func (s started) Remove(int)     {}
func (s started) Marker() string { return "STARTED=1" }

// Where a function runs, its new code runs before it is called.
func TestNewCodeStartsAheadOfItsFirstCall(t *testing.T) {
	begun := make(started, 10)
	r := startWith(t, func(config *lambda.Config) { config.Ahead, config.Groups = true, begun })
	r.python("f", "def handler(e, c):\n    return 'old'")
	r.invoke(arn("f"), `{}`)
	<-begun
	code := zipped(t, map[string]string{"handler.py": "import os\ndef handler(e, c):\n    return os.getpid()"})
	r.must("UpdateFunctionCode", object{"FunctionName": "f", "ZipFile": code}, nil)
	want := fmt.Sprint(<-begun)
	if got, failed := r.invoke(arn("f"), `{}`); got != want || failed != "" {
		t.Errorf("%s %s answered, want process %s", got, failed, want)
	}
}

// waitFor asks again until something is so, and fails after a while.
func waitFor(t testing.TB, what string, is func() bool) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); !is(); {
		if time.Now().After(deadline) {
			t.Fatalf("%s does not come", what)
		}
		pause := time.NewTimer(5 * time.Millisecond)
		<-pause.C
	}
}

func TestRefusals(t *testing.T) {
	r := start(t)
	code := object{"ZipFile": zipped(t, map[string]string{"bootstrap": "#!/bin/sh\n"})}
	base := func(change object) object {
		in := object{"FunctionName": "f", "Runtime": "provided.al2023", "Handler": "bootstrap", "Role": role, "Code": code}
		for name, value := range change {
			in[name] = value
		}
		return in
	}
	tests := []struct {
		name string
		in   object
		want string
	}{
		{"image", object{"FunctionName": "f", "PackageType": "Image", "Role": role, "Code": object{"ImageUri": "x"}}, "container images are not run here"},
		{"runtime", base(object{"Runtime": "java21"}), `the runtime "java21" is not run here`},
		{"dead letter queue", base(object{"DeadLetterConfig": object{"TargetArn": "arn:aws:sqs:us-east-1:1:q"}}), "arn:aws:sqs:us-east-1:1:q is a target that is not supported"},
		{"network", base(object{"VpcConfig": object{"SubnetIds": []string{"s"}}}), "VpcConfig is not supported"},
		{"signing", base(object{"CodeSigningConfigArn": "arn"}), "code signing"},
		{"reserved variable", base(object{"Environment": object{"Variables": object{"AWS_REGION": "x"}}}), "Reserved keys used in this request: AWS_REGION"},
		{"timeout", base(object{"Timeout": 901}), "less than or equal to 900"},
		{"no archive", base(object{"Code": object{"ZipFile": []byte("rubbish")}}), "Could not unzip uploaded file"},
		{"another system", base(object{"Code": object{"ZipFile": zipped(t, map[string]string{"bootstrap": "\xcf\xfa\xed\xfe rubbish"})}}), "its bootstrap is"},
		{"unknown member", base(object{"CapacityProviderConfig": object{}}), "CapacityProviderConfig"},
	}
	for _, test := range tests {
		if err := r.call("CreateFunction", test.in, nil); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: got %v, want %s", test.name, err, test.want)
		}
	}
}
