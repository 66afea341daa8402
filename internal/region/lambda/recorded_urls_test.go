package lambda_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// functionURL makes a function URL that everybody may call, compares what the
// operations answer with a recording, and serves it.
func (r *region) functionURL(rec recording, qualifier string) string {
	r.t.Helper()
	in := object{"FunctionName": "fn", "AuthType": "NONE"}
	if qualifier != "" {
		in["Qualifier"] = qualifier
	}
	recorded, _ := rec.Content["create_lambda_url_config"].(map[string]any)
	if mode, ok := recorded["InvokeMode"]; ok {
		in["InvokeMode"] = mode
	}
	var out object
	r.must("CreateFunctionUrlConfig", in, &out)
	if recorded != nil {
		r.matches("create_lambda_url_config", recorded, out)
	}
	permission := object{"FunctionName": "fn", "StatementId": "urlPermission", "Action": "lambda:InvokeFunctionUrl", "Principal": "*", "FunctionUrlAuthType": "NONE"}
	if qualifier != "" {
		permission["Qualifier"] = qualifier
	}
	var added struct{ Statement string }
	r.must("AddPermission", permission, &added)
	if want, ok := rec.Content["add_permission"].(map[string]any); ok {
		var statement object
		if err := json.Unmarshal([]byte(added.Statement), &statement); err != nil {
			r.t.Error(err)
		}
		r.matches("add_permission", want["Statement"], statement)
	}
	id, _, _ := strings.Cut(strings.TrimPrefix(out["FunctionUrl"].(string), "https://"), ".")
	server := httptest.NewServer(r.URLHandler(id))
	r.t.Cleanup(server.Close)
	return server.URL
}

// recordedURLSettings has recordings of how a URL is made only.
func (r *region) recordedURLSettings(rec recording) {
	r.python("fn", echoPython)
	r.functionURL(rec, "")
}

func (r *region) recordedURLRequestID(rec recording) {
	r.python("fn", "def handler(e, c):\n    return 'hi'")
	want := rec.Content["lambda_url_invocation"].(map[string]any)
	status, body, header := get(r.t.(*testing.T), r.functionURL(rec, ""))
	id := header.Get("x-amzn-RequestId")
	if status != 200 || body != want["content"] || !strings.Contains(r.logs.text(), "END RequestId: "+id+"\n") {
		r.t.Errorf("got %d %s, request %s, and logged is %s", status, body, id, r.logs.text())
	}
}

func (r *region) recordedURLUpdate(rec recording) {
	r.python("fn", echoPython)
	r.steps(rec, []step{
		{"create_lambda_url_config", "CreateFunctionUrlConfig", object{"AuthType": "NONE", "InvokeMode": "BUFFERED"}},
		{"get_url_config", "GetFunctionUrlConfig", object{}},
		{"modify_lambda_url_config", "UpdateFunctionUrlConfig", object{"InvokeMode": "RESPONSE_STREAM"}},
		{"get_url_config_2", "GetFunctionUrlConfig", object{}},
		{"modify_lambda_url_config_none", "UpdateFunctionUrlConfig", object{}},
		{"get_url_config_3", "GetFunctionUrlConfig", object{}},
	})
}

func (r *region) recordedURLStream(rec recording) {
	r.create(stormGuest{"nodejs22.x", "index.handler", map[string]string{"index.js": "exports.handler = awslambda.streamifyResponse(async (event, stream) => {\n  stream.write('Hello, ')\n  stream.end('world!')\n})\n"}}, recording{})
	status, body, _ := get(r.t.(*testing.T), r.functionURL(recording{Content: object{"create_lambda_url_config": object{
		"InvokeMode": "RESPONSE_STREAM", "AuthType": "NONE", "FunctionUrl": "function-url", "CreationTime": "date", "FunctionArn": "<arn>"}}}, ""))
	r.matches("answer", object{"response_status": status, "response_data": body}, rec.Content)
}

// urlEcho tells what it sees of a request, as the recorded guest does; the
// headers of AWS's TLS front are left out.
const urlEcho = `import json
def handler(event, context):
    http, body = event['requestContext']['http'], event.get('body')
    if not event['isBase64Encoded']:
        body = json.loads(body)
    return {'args': event.get('queryStringParameters', {}), 'data': body, 'domain': event['requestContext']['domainName'],
            'headers': {k: v for k, v in event['headers'].items() if not k.startswith('x-')},
            'method': http['method'], 'origin': http['sourceIp'], 'path': event['rawPath']}
`

func (r *region) recordedURLEcho(rec recording) {
	r.python("fn", urlEcho)
	want := rec.Content["url_response"].(map[string]any)
	target, payload := "/path/1?q=query", `{"foo": "bar"}`
	if want["path"] == "/test/value" {
		target = "/test/value"
		payload = "\r\n--4efd159eae0c4f4e125a5a509e073d85\r\nContent-Disposition: form-data; name=\"formfield\"\r\n\r\nnot a file, just a field" +
			"\r\n--4efd159eae0c4f4e125a5a509e073d85\r\nContent-Disposition: form-data; name=\"foo\"; filename=\"foo\"\r\nContent-Type: text/plain;\r\n\r\nbar\r\n" +
			"\r\n--4efd159eae0c4f4e125a5a509e073d85--\r\n"
	}
	request, err := http.NewRequest("POST", r.functionURL(rec, "")+target, strings.NewReader(payload))
	if err != nil {
		r.t.Fatal(err)
	}
	for name, value := range want["headers"].(map[string]any) {
		if name != "host" && name != "content-length" {
			request.Header.Set(name, value.(string))
		}
	}
	_, body, _ := fetch(r.t.(*testing.T), request)
	var got object
	if err := json.Unmarshal([]byte(body), &got); err != nil {
		r.t.Fatalf("%v: %s", err, body)
	}
	r.matches("url_response", want, got)
}

func (r *region) recordedURLAfterAlias(rec recording) {
	r.python("fn", "def handler(e, c):\n    return {'statusCode': 200}")
	r.must("PublishVersion", object{"FunctionName": "fn"}, nil)
	r.must("CreateAlias", object{"FunctionName": "fn", "Name": "live", "FunctionVersion": "1"}, nil)
	url := r.functionURL(rec, "live")
	if status, body, _ := get(r.t.(*testing.T), url); status != 200 {
		r.t.Errorf("got %d %s", status, body)
	}
	r.must("DeleteAlias", object{"FunctionName": "fn", "Name": "live"}, nil)
	status, body, header := get(r.t.(*testing.T), url)
	var content object
	if err := json.Unmarshal([]byte(body), &content); err != nil {
		r.t.Error(err)
	}
	r.matches("invoke_deleted_alias_url_response_delayed", rec.Content["invoke_deleted_alias_url_response_delayed"],
		object{"status_code": status, "content": content, "headers": object{"x-amzn-ErrorType": header.Get("x-amzn-ErrorType")}})
}
