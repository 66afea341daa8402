package gateway

import (
	"encoding/base64"
	"encoding/json"
	"net/url"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/seed-615d3599/roost/internal/need"
	"github.com/seed-615d3599/roost/internal/region/httpapi/definition"
)

// TestRecorded goes through what was recorded of REST APIs and function URLs. Each
// case is compared, as far as HTTP APIs have the same, or left out for a reason.
func TestRecorded(t *testing.T) {
	compare, leftOut := recordedCases()
	used := map[string]bool{}
	for key, recorded := range readRecorded(t) {
		test, step, _ := strings.Cut(key, "/")
		switch {
		case compare[key] != nil:
			used[key] = true
			t.Run(key, func(t *testing.T) { compare[key](t, recorded) })
		case leftOut[key] != "":
			used[key] = true
		case leftOut[test] != "":
			used[test] = true
		default:
			t.Errorf("%s is neither compared nor left out: step %s of %s", key, step, test)
		}
	}
	for key := range compare {
		if !used[key] {
			t.Errorf("%s is to be compared and was not recorded", key)
		}
	}
	for key := range leftOut {
		if !used[key] {
			t.Errorf("%s is left out and was not recorded", key)
		}
	}
}

// readRecorded returns what was recorded by "test/step".
func readRecorded(t *testing.T) map[string]json.RawMessage {
	t.Helper()
	all := map[string]json.RawMessage{}
	for _, file := range []string{"apigw_rest_lambda_proxy.json", "apigw_rest_routing.json", "lambda_invoke.json"} {
		data, err := os.ReadFile(need.Shared(t, "conformance", "recorded", file))
		if err != nil {
			t.Fatal(err)
		}
		var tests map[string]struct {
			Content map[string]json.RawMessage `json:"recorded-content"`
		}
		if err := json.Unmarshal(data, &tests); err != nil {
			t.Fatal(err)
		}
		for name, test := range tests {
			name = name[strings.LastIndex(name, "::")+2:]
			if file == "lambda_invoke.json" && !strings.Contains(name, "url") {
				continue // calls of functions, not of URLs
			}
			for step, content := range test.Content {
				all[name+"/"+step] = content
			}
		}
	}
	return all
}

type comparison func(*testing.T, json.RawMessage)

func recordedCases() (compare map[string]comparison, leftOut map[string]string) {
	const rest, format = "test_lambda_aws_proxy_integration/invocation-payload-", "test_aws_proxy_response_payload_format_validation/invoke-api-"
	const slash = "REST APIs drop slashes at the ends of a greedy variable; of HTTP APIs that is not known"
	const transforms = "HTTP APIs have no integrations that transform with templates"
	const validators = "HTTP APIs have no request validators and models"
	const ofURL = "about function URLs as a resource, which package lambda compares"
	compare = map[string]comparison{
		rest + "without-trailing-slash":                  restEvent(""),
		rest + "with-double-slash":                       restEvent(""),
		rest + "without-trailing-slash-and-query-params": restEvent("urlparam=test"),
		rest + "with-params-encoding": restEvent("dateTimeOffset=2023-06-12T18:05:10.123456+00:00&email=test%2Balias@gmail.com" +
			"&plus=test+alias@gmail.com&url=https://www.google.com/&whitespace=foo%20bar&zhash=abort/"),
		rest + "with-params-encoding-multi": restEvent("category=electronics&category=books&price=10&price=20&price=30"),
		"test_lambda_aws_proxy_integration_request_data_mapping/http-proxy-invocation-data-mapping": func(t *testing.T, recorded json.RawMessage) {
			var outer struct{ Content json.RawMessage }
			decode(t, recorded, &outer)
			restEvent("testQueryString=foo&testVar=bar")(t, outer.Content)
		},
		format + "no-body":                                              restAnswer(`{"statusCode":200}`),
		format + "with-headers":                                         restAnswer(`{"statusCode":200,"headers":{"test-header":"value","header-bool":true}}`),
		format + "with-headers-null":                                    restAnswer(`{"statusCode":200,"headers":null}`),
		format + "empty-response":                                       restAnswer(`{}`),
		format + "b64-encoded-false":                                    restAnswer(`{"statusCode":200,"body":"dGVzdC1kYXRh"}`),
		format + "multi-headers-valid":                                  restAnswer(`{"statusCode":200,"multiValueHeaders":{"test-multi":["value1","value2"]}}`),
		format + "multi-headers-overwrite":                              restAnswer(`{"statusCode":200,"multiValueHeaders":{"test-multi":["value-multi"]},"headers":{"test-multi":"value-solo"}}`),
		format + "multi-headers-overwrite-casing":                       restAnswer(`{"statusCode":200,"multiValueHeaders":{"tesT-Multi":["value-multi"]},"headers":{"test-multi":"value-solo"}}`),
		format + "multi-headers-invalid":                                restAnswer(`{"statusCode":200,"multiValueHeaders":{"test-multi-invalid":"value1"}}`),
		format + "invalid-status-code":                                  restAnswer(`{"statusCode":"test"}`),
		format + "status-code-str":                                      restAnswer(`{"statusCode":"201"}`),
		format + "just-string":                                          restAnswer(`"justAString"`),
		"test_routing_not_found/working-route":                          restWorks,
		"test_lambda_url_echo_http_fixture_default/url_response":        urlEvent("q=query&multiQuery=foo&multiQuery=%2Fbar"),
		"test_lambda_url_echo_http_fixture_trim_x_headers/url_response": urlEvent("q=query"),
		"test_lambda_url_form_payload/url_response":                     urlEvent(""),
	}
	leftOut = map[string]string{
		rest + "with-trailing-slash":                                    slash,
		rest + "with-trailing-slash-and-query-params":                   slash,
		rest + "with-prepended-slash":                                   slash,
		"test_lambda_aws_proxy_integration/invocation-hardcoded":        slash,
		rest + "with-prepended-slash-to-stage":                          "REST APIs find a stage behind two slashes; of HTTP APIs that is not known",
		rest + "with-path-encoded-email":                                "REST APIs leave the path encoded, HTTP APIs decode it",
		"test_lambda_aws_proxy_integration_request_data_mapping/api_id": "no answer of an API",
		"test_lambda_aws_proxy_integration_non_post_method":             "HTTP APIs call functions with POST, whatever IntegrationMethod is",
		format + "wrong-format":                                         "REST APIs refuse members that they do not know; of HTTP APIs that is not known",
		format + "b64-encoded-true":                                     "REST APIs decode by their binary media types, HTTP APIs always",
		format + "only-headers":                                         "REST APIs take a missing statusCode for 200, HTTP APIs' format 1.0 requires it",
		"test_routing_not_found/not-found":                              "REST APIs answer 403, HTTP APIs 404 (TestDocumentedRoutes, TestErrors)",
		"test_routing_not_found/wrong-method":                           "REST APIs answer 403, HTTP APIs 404 (TestDocumentedRoutes, TestErrors)",
		"test_put_integration_aws_proxy_uri":                            "HTTP APIs take a function's ARN by itself, which REST APIs refuse",
		"test_lambda_aws_integration":                                   transforms,
		"test_lambda_aws_integration_with_request_template":             transforms,
		"test_lambda_aws_integration_response_with_mapping_templates":   transforms,
		"test_lambda_selection_patterns":                                transforms,
		"test_api_gateway_request_validator":                            validators,
		"test_api_gateway_request_validator_with_ref_models":            validators,
		"test_api_gateway_request_validator_with_ref_one_ofmodels":      validators,
		"test_lambda_url_invocation_exception":                          ofURL,
		"test_lambda_url_echo_invoke[RESPONSE_STREAM]":                  ofURL,
		"test_lambda_url_echo_invoke[BUFFERED]":                         ofURL,
		"test_lambda_url_echo_invoke[None]":                             ofURL,
		"test_lambda_url_invalid_invoke_mode":                           ofURL,
		"test_lambda_update_function_url_config":                        ofURL,
		"test_lambda_url_persists_after_alias_delete":                   ofURL,
		"test_request_id_invoke_url":                                    ofURL,
		"test_function_url_with_response_streaming":                     "HTTP APIs do not stream",
	}
	for _, name := range []string{"dict", "http-response", "http-response-json", "list-mixed", "string", "integer", "float", "boolean"} {
		compare["test_lambda_url_invocation["+name+"]/lambda_url_invocation"] = urlAnswer(name)
		for _, step := range []string{"create_lambda_url_config", "add_permission"} {
			leftOut["test_lambda_url_invocation["+name+"]/"+step] = ofURL
		}
	}
	return compare, leftOut
}

func decode(t *testing.T, data []byte, v any) {
	t.Helper()
	if err := json.Unmarshal(data, v); err != nil {
		t.Fatalf("%v in %s", err, data)
	}
}

// restEvent sends the recorded request with a query as it was sent, and compares
// the members that a REST API's event and format 1.0 have in common.
func restEvent(query string) comparison {
	return func(t *testing.T, recorded json.RawMessage) {
		var want map[string]any
		decode(t, recorded, &want)
		method, body := want["httpMethod"].(string), ""
		if want["body"] != nil { // recorded as what it means
			text, _ := json.Marshal(want["body"])
			body, want["body"] = string(text), string(text)
		}
		stage := at(want, "requestContext", "stage").(string)
		w := &world{}
		g := w.gateway(t)
		api := one(definition.Route{Key: "ANY " + want["resource"].(string), Integration: lambda("1.0")})
		api.Stages[0].Name = stage
		put(t, g, api)
		headers := map[string]any{}
		var sent []string
		for name, values := range want["multiValueHeaders"].(map[string]any) {
			if list, ok := values.([]any); ok && !ofAWS(name) {
				headers[strings.ToLower(name)] = list
				sent = append(sent, name, list[0].(string))
			}
		}
		if got := ask(g, method, "/"+stage+want["path"].(string)+"?"+query, body, sent...); got.Code != 200 {
			t.Fatalf("the answer is %d %s", got.Code, got.Body)
		}
		event := w.decoded(t)
		for _, member := range []string{"httpMethod", "body", "isBase64Encoded", "queryStringParameters", "multiValueQueryStringParameters",
			"pathParameters", "stageVariables", "resource"} {
			if diff := cmp.Diff(want[member], event[member]); diff != "" {
				t.Errorf("%s: %s", member, diff)
			}
		}
		for _, member := range []string{"httpMethod", "path", "protocol", "resourcePath", "stage"} {
			if diff := cmp.Diff(at(want, "requestContext", member), at(event, "requestContext", member)); diff != "" {
				t.Errorf("requestContext.%s: %s", member, diff)
			}
		}
		for member, value := range at(want, "requestContext", "identity").(map[string]any) {
			if got, there := at(event, "requestContext", "identity").(map[string]any)[member]; !there || member != "sourceIp" && got != value {
				t.Errorf("identity.%s is %v, want %v", member, got, value)
			}
		}
		got := map[string]any{}
		for name, values := range event["multiValueHeaders"].(map[string]any) {
			if _, was := headers[strings.ToLower(name)]; was {
				got[strings.ToLower(name)] = values
			}
		}
		if diff := cmp.Diff(headers, got); diff != "" {
			t.Errorf("headers: %s", diff)
		}
	}
}

// ofAWS reports headers that the way through AWS added, and Host.
func ofAWS(name string) bool {
	for _, prefix := range []string{"CloudFront-", "X-Amz", "X-Forwarded-", "Via", "Host", "x-amz", "x-forwarded-", "host"} {
		if strings.HasPrefix(name, prefix) {
			return true
		}
	}
	return false
}

// restAnswer compares what becomes of a function's answer in format 1.0: content and
// headers. The content type that is added where there is none differs by design.
func restAnswer(answer string) comparison {
	return func(t *testing.T, recorded json.RawMessage) {
		var want struct {
			Content any
			Headers map[string]string
		}
		decode(t, recorded, &want)
		w := &world{answer: func([]byte) ([]byte, string, error) { return []byte(answer), "", nil }}
		g := w.gateway(t)
		put(t, g, one(definition.Route{Key: "$default", Integration: lambda("1.0")}))
		got := ask(g, "GET", "/", "")
		if message, failed := want.Content.(map[string]any); failed { // 502 there, and with small letters
			if got.Code != 500 || !strings.EqualFold(got.Body.String(), `{"message":"`+message["message"].(string)+`"}`) {
				t.Errorf("got %d %s, recorded %s", got.Code, got.Body, recorded)
			}
			return
		}
		if got.Code >= 300 || got.Body.String() != want.Content {
			t.Errorf("got %d %s, recorded %s", got.Code, got.Body, recorded)
		}
		for name, value := range want.Headers {
			if lower := strings.ToLower(name); strings.HasPrefix(lower, "test-") || strings.HasPrefix(lower, "header-") {
				if v := strings.Join(got.Header().Values(name), ", "); v != value {
					t.Errorf("%s is %q, recorded %q", name, v, value)
				}
			}
		}
	}
}

// restWorks is a route that is there.
func restWorks(t *testing.T, recorded json.RawMessage) {
	var want struct {
		Message    string
		StatusCode int
	}
	decode(t, recorded, &want)
	w := &world{answer: func([]byte) ([]byte, string, error) {
		return []byte(`{"statusCode":200,"body":"` + want.Message + `"}`), "", nil
	}}
	g := w.gateway(t)
	put(t, g, one(definition.Route{Key: "GET /existing", Integration: lambda("1.0")}))
	wantAnswer(t, ask(g, "GET", "/existing", ""), want.StatusCode, want.Message)
}

// urlEvent sends what a function URL's guest said that it had got, and compares the
// event of format 2.0, which both have in common.
func urlEvent(query string) comparison {
	return func(t *testing.T, recorded json.RawMessage) {
		var want struct {
			Args    map[string]any
			Data    any
			Headers map[string]string
			Method  string
		}
		decode(t, recorded, &want)
		text, isText := want.Data.(string)
		var body []byte
		if isText {
			body, _ = base64.StdEncoding.DecodeString(text)
		} else {
			body, _ = json.Marshal(want.Data)
			text = string(body)
		}
		w := &world{}
		g := w.gateway(t)
		put(t, g, one(definition.Route{Key: "$default", Integration: lambda("2.0")}))
		var sent []string
		headers := map[string]any{}
		for name, value := range want.Headers {
			if !ofAWS(name) && name != "content-length" {
				sent = append(sent, strings.ToUpper(name), value)
				headers[name] = value
			}
		}
		ask(g, want.Method, "/path/1?"+query, string(body), sent...)
		event := w.decoded(t)
		if event["body"] != text || event["isBase64Encoded"] != isText {
			t.Errorf("the body is %v (base64: %v), recorded %q", event["body"], event["isBase64Encoded"], text)
		}
		args, _ := event["queryStringParameters"].(map[string]any)
		if diff := cmp.Diff(want.Args, args); diff != "" && len(want.Args)+len(args) > 0 {
			t.Error(diff)
		}
		for name, value := range headers {
			if got := at(event, "headers", name); got != value {
				t.Errorf("%s is %v, recorded %v", name, got, value)
			}
		}
		if sent, _ := url.ParseQuery(query); len(sent) != len(args) {
			t.Errorf("%d parameters were sent and %d arrived", len(sent), len(args))
		}
	}
}

// urlAnswer compares what becomes of a function's answer in format 2.0. The content
// type of an answer with a statusCode differs by design.
func urlAnswer(name string) comparison {
	return func(t *testing.T, recorded json.RawMessage) {
		var want struct {
			Content any
			Headers map[string]string
			Status  int `json:"statuscode"`
		}
		decode(t, recorded, &want)
		text, isText := want.Content.(string)
		if !isText {
			content, _ := json.Marshal(want.Content)
			text = string(content)
		}
		answer := text
		switch name {
		case "string":
			answer = `"` + text + `"`
		case "http-response", "http-response-json":
			quoted, _ := json.Marshal(text)
			answer = `{"statusCode":200,"body":` + string(quoted) + `}`
		}
		w := &world{answer: func([]byte) ([]byte, string, error) { return []byte(answer), "", nil }}
		g := w.gateway(t)
		put(t, g, one(definition.Route{Key: "$default", Integration: lambda("2.0")}))
		got := ask(g, "GET", "/", "")
		wantAnswer(t, got, want.Status, text)
		if kind := got.Header().Get("Content-Type"); kind != want.Headers["Content-Type"] && !strings.HasPrefix(name, "http-response") {
			t.Errorf("the content type is %s, recorded %s", kind, want.Headers["Content-Type"])
		}
	}
}
