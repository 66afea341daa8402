package lambda_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/seed-615d3599/roost/internal/region/lambda"
	"github.com/seed-615d3599/roost/internal/region/store"
	"github.com/seed-615d3599/roost/internal/region/wire"
)

// openURL makes a function URL that everybody may call, and a server for it.
func (r *region) openURL(name string, settings object) string {
	r.t.Helper()
	in := object{"FunctionName": name, "AuthType": "NONE"}
	for key, value := range settings {
		in[key] = value
	}
	var out struct{ FunctionUrl string }
	r.must("CreateFunctionUrlConfig", in, &out)
	r.must("AddPermission", object{"FunctionName": name, "StatementId": "urlPermission", "Action": "lambda:InvokeFunctionUrl", "Principal": "*", "FunctionUrlAuthType": "NONE"}, nil)
	id, _, _ := strings.Cut(strings.TrimPrefix(out.FunctionUrl, "https://"), ".")
	server := httptest.NewServer(r.URLHandler(id))
	r.t.Cleanup(server.Close)
	return server.URL
}

func fetch(t *testing.T, request *http.Request) (int, string, http.Header) {
	t.Helper()
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, string(body), response.Header
}

func get(t *testing.T, url string, headers ...string) (int, string, http.Header) {
	t.Helper()
	request, err := http.NewRequest("GET", url, nil)
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i+1 < len(headers); i += 2 {
		request.Header.Set(headers[i], headers[i+1])
	}
	return fetch(t, request)
}

// The bodies and lengths are those that were recorded against AWS.
func TestURLAnswers(t *testing.T) {
	r := start(t)
	for i, test := range []struct {
		value, body, contentType string
		status                   int
	}{
		{"{'hello': 'world'}", `{"hello":"world"}`, "application/json", 200},
		{"{'statusCode': 200, 'body': 'body123'}", "body123", "application/json", 200},
		{"{'statusCode': 200, 'body': '{\"hello\": \"world\"}'}", `{"hello": "world"}`, "application/json", 200},
		{"['hello', 3, True]", `["hello",3,true]`, "application/json", 200},
		{"'hello'", "hello", "application/json", 200},
		{"3", "3", "application/json", 200},
		{"3.1", "3.1", "application/json", 200},
		{"True", "true", "application/json", 200},
		{"{'statusCode': 201, 'headers': {'content-type': 'text/x', 'x-a': 'b'}, 'body': 'aGk=', 'isBase64Encoded': True}", "hi", "text/x", 201},
		{"1/0", "Internal Server Error", "text/plain;charset=utf-8", 502},
	} {
		name := "f" + string(rune('a'+i))
		r.python(name, "def handler(e, c):\n    return "+test.value)
		status, body, header := get(t, r.openURL(name, nil))
		if status != test.status || body != test.body || header.Get("Content-Type") != test.contentType {
			t.Errorf("%s: got %d %s %s", test.value, status, header.Get("Content-Type"), body)
		}
	}
}

func TestURLEvent(t *testing.T) {
	r := start(t)
	r.python("echo", "def handler(e, c):\n    return e")
	request, err := http.NewRequest("POST", r.openURL("echo", nil)+"/a%2Fb/c?x=1&x=2&y=%26", strings.NewReader(`{"foo":"bar"}`))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("Cookie", "a=1; b=2")
	request.Header.Set("X-Caps", "WeiRd")
	_, body, _ := fetch(t, request)
	var event struct {
		Version, RawPath, RawQueryString, Body string
		IsBase64Encoded                        bool
		Cookies                                []string
		Headers, QueryStringParameters         map[string]string
		RequestContext                         struct {
			AccountID, Stage, RouteKey string
			HTTP                       struct{ Method, Path string }
		}
	}
	if err := json.Unmarshal([]byte(body), &event); err != nil {
		t.Fatal(err)
	}
	if event.Version != "2.0" || event.RawPath != "/a%2Fb/c" || event.RawQueryString != "x=1&x=2&y=%26" || event.Body != `{"foo":"bar"}` || event.IsBase64Encoded ||
		strings.Join(event.Cookies, "|") != "a=1|b=2" || event.Headers["x-caps"] != "WeiRd" || event.QueryStringParameters["x"] != "1,2" ||
		event.RequestContext.AccountID != "anonymous" || event.RequestContext.HTTP.Method != "POST" || event.RequestContext.Stage != "$default" {
		t.Errorf("got %s", body)
	}
}

func TestURLRefusals(t *testing.T) {
	r := start(t)
	r.python("f", "def handler(e, c):\n    return 1")
	const forbidden = `{"Message":"Forbidden. For troubleshooting Function URL authorization issues, see: https://docs.aws.amazon.com/lambda/latest/dg/urls-auth.html"}`
	url := r.openURL("f", nil)
	r.must("RemovePermission", object{"FunctionName": "f", "StatementId": "urlPermission"}, nil)
	if status, body, header := get(t, url); status != 403 || body != forbidden || header.Get("x-amzn-ErrorType") != "AccessDeniedException" {
		t.Errorf("without a permission: got %d %s", status, body)
	}
	r.must("UpdateFunctionUrlConfig", object{"FunctionName": "f", "AuthType": "AWS_IAM"}, nil)
	if status, body, _ := get(t, url); status != 403 || body != forbidden {
		t.Errorf("unsigned: got %d %s", status, body)
	}
	r.must("DeleteFunctionUrlConfig", object{"FunctionName": "f"}, nil)
	if status, body, _ := get(t, url); status != 403 || body != forbidden {
		t.Errorf("deleted: got %d %s", status, body)
	}
}

func TestURLCORS(t *testing.T) {
	r := start(t)
	r.python("f", "def handler(e, c):\n    return 1")
	url := r.openURL("f", object{"Cors": object{"AllowOrigins": []string{"https://a.example"}, "AllowMethods": []string{"GET"}, "MaxAge": 5}})
	_, _, header := get(t, url, "Origin", "https://a.example")
	if header.Get("Access-Control-Allow-Origin") != "https://a.example" {
		t.Errorf("got %v", header)
	}
	if _, _, header = get(t, url, "Origin", "https://b.example"); header.Get("Access-Control-Allow-Origin") != "" {
		t.Errorf("another origin: got %v", header)
	}
	request, err := http.NewRequest("OPTIONS", url, nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Origin", "https://a.example")
	request.Header.Set("Access-Control-Request-Method", "GET")
	if status, _, header := fetch(t, request); status != 200 || header.Get("Access-Control-Allow-Methods") != "GET" || header.Get("Access-Control-Max-Age") != "5" {
		t.Errorf("preflight: got %d %v", status, header)
	}
}

func TestURLStreams(t *testing.T) {
	r := start(t)
	guest := stormGuests(t)[2]
	r.must("CreateFunction", object{"FunctionName": "s", "Runtime": guest.runtime, "Handler": guest.handler, "Role": role, "Timeout": 9, "Code": object{"ZipFile": zipped(t, map[string]string{"index.js": `
exports.handler = awslambda.streamifyResponse(async (event, stream) => {
  stream = awslambda.HttpResponseStream.from(stream, {statusCode: 201, headers: {'x-a': 'b'}})
  stream.write('Hello, ')
  stream.end('world!')
})`})}}, nil)
	status, body, header := get(t, r.openURL("s", object{"InvokeMode": "RESPONSE_STREAM"}))
	if status != 201 || body != "Hello, world!" || header.Get("x-a") != "b" {
		t.Errorf("got %d %q %v", status, body, header)
	}
}

// What an alias had does not wait for the next alias of its name.
func TestAnAliasTakesItsURLAlong(t *testing.T) {
	r := start(t)
	r.must("CreateFunction", shellFunction(t, "f"), nil)
	r.must("PublishVersion", object{"FunctionName": "f"}, nil)
	alias := object{"FunctionName": "f", "Name": "live", "FunctionVersion": "1"}
	r.must("CreateAlias", alias, nil)
	r.must("CreateFunctionUrlConfig", object{"FunctionName": "f", "Qualifier": "live", "AuthType": "NONE"}, nil)
	r.must("PutFunctionEventInvokeConfig", object{"FunctionName": "f", "Qualifier": "live", "MaximumRetryAttempts": 0}, nil)
	r.must("DeleteAlias", object{"FunctionName": "f", "Name": "live"}, nil)
	r.must("CreateAlias", alias, nil)
	for _, operation := range []string{"GetFunctionUrlConfig", "GetFunctionEventInvokeConfig"} {
		if err := r.call(operation, object{"FunctionName": "f", "Qualifier": "live"}, nil); wire.Code(err) != "ResourceNotFoundException" {
			t.Errorf("%s of the next alias: %v", operation, err)
		}
	}
}

// An empty CORS configuration is none: preflights go to the function.
func TestURLLosesItsCORS(t *testing.T) {
	r := start(t)
	r.must("CreateFunction", shellFunction(t, "f"), nil)
	r.openURL("f", object{"Cors": object{"AllowOrigins": []string{"*"}}})
	r.must("UpdateFunctionUrlConfig", object{"FunctionName": "f", "Cors": object{}}, nil)
	var out struct{ Cors object }
	r.must("GetFunctionUrlConfig", object{"FunctionName": "f"}, &out)
	if out.Cors != nil {
		t.Errorf("it still has %v", out.Cors)
	}
}

// shellFunction is the input that makes a function which is not called.
func shellFunction(t *testing.T, name string) object {
	return object{"FunctionName": name, "Runtime": "provided.al2023", "Handler": "h", "Role": role,
		"Code": object{"ZipFile": zipped(t, map[string]string{"bootstrap": "#!/bin/sh"})}}
}

// opened are ports that only remember.
type opened map[string]bool

func (o opened) Open(id string, _ int) (int, string, error) {
	o[id] = true
	return 4011, "http://127.0.0.1:4011", nil
}

func (o opened) Close(id string) { delete(o, id) }

func TestURLIsClosedWhenItIsUndone(t *testing.T) {
	var db *store.DB
	r := startWith(t, func(config *lambda.Config) { db = config.DB })
	ports := opened{}
	if err := r.ServeURLs(t.Context(), ports, nil); err != nil {
		t.Fatal(err)
	}
	r.must("CreateFunction", shellFunction(t, "f"), nil)
	undone := errors.New("undone")
	in := object{"FunctionName": "f", "AuthType": "NONE"}
	err := db.Update(t.Context(), func(ctx context.Context, _ *store.Tx) error {
		err := r.Service().Call(ctx, wire.Call{Region: "us-east-1", Account: "123456789012"}, "CreateFunctionUrlConfig", in, nil)
		if err != nil || len(ports) != 1 {
			t.Errorf("within: %v, open are %v", err, ports)
		}
		return undone
	})
	if err != undone || len(ports) != 0 {
		t.Errorf("undone: %v, open are %v", err, ports)
	}
	r.must("CreateFunctionUrlConfig", in, nil)
	if err := r.call("CreateFunctionUrlConfig", in, nil); wire.Code(err) != "ResourceConflictException" || len(ports) != 1 {
		t.Errorf("a second one: %v, open are %v", err, ports)
	}
}
