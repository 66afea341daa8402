package event

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/seed-615d3599/roost/internal/region/http1"
	"github.com/seed-615d3599/roost/internal/region/httpapi/route"
)

// anything is a request with nothing left out.
func anything(e *Encoder) *Request {
	fields := []http1.Field{
		{Name: []byte("X-B"), Value: []byte("1")}, {Name: []byte("Cookie"), Value: []byte("a=1; b=2")},
		{Name: []byte("Content-Type"), Value: []byte("application/json; charset=utf-8")},
		{Name: []byte("x-b"), Value: []byte(`2"`)}, {Name: []byte("Connection"), Value: []byte("close")},
		{Name: []byte("User-Agent"), Value: []byte("curl")},
	}
	return &Request{
		Account: "123456789012", API: "abc", DomainName: "abc.execute-api.us-east-1.amazonaws.com",
		Stage: "dev", RouteKey: "POST /items/{id}", StageVariables: []byte(`{"k":"v"}`),
		Method: "POST", Path: "/dev/items/ü", RawQuery: []byte("a=1&b=x%20y&a=2&c"), Protocol: "HTTP/1.1",
		SourceIP: "127.0.0.1", Headers: e.Headers(fields), Params: []route.Param{{Name: "id", Value: "ü"}},
		Body: []byte(`{"x":"<y>"}`), ID: "id=", Time: time.UnixMilli(1583348638390),
	}
}

func TestV2(t *testing.T) {
	var e Encoder
	got := string(e.V2(anything(&e)))
	want := `{"version":"2.0","routeKey":"POST /items/{id}","rawPath":"/dev/items/ü","rawQueryString":"a=1&b=x%20y&a=2&c",` +
		`"cookies":["a=1","b=2"],"headers":{"content-type":"application/json; charset=utf-8","user-agent":"curl","x-b":"1,2\""},` +
		`"queryStringParameters":{"a":"1,2","b":"x y","c":""},"requestContext":{"accountId":"123456789012","apiId":"abc",` +
		`"domainName":"abc.execute-api.us-east-1.amazonaws.com","domainPrefix":"abc",` +
		`"http":{"method":"POST","path":"/dev/items/ü","protocol":"HTTP/1.1","sourceIp":"127.0.0.1","userAgent":"curl"},` +
		`"requestId":"id=","routeKey":"POST /items/{id}","stage":"dev","time":"04/Mar/2020:19:03:58 +0000","timeEpoch":1583348638390},` +
		`"pathParameters":{"id":"ü"},"body":"{\"x\":\"<y>\"}","isBase64Encoded":false,"stageVariables":{"k":"v"}}`
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestV1(t *testing.T) {
	var e Encoder
	got := string(e.V1(anything(&e)))
	want := `{"version":"1.0","resource":"/items/{id}","path":"/dev/items/ü","httpMethod":"POST",` +
		`"headers":{"Content-Type":"application/json; charset=utf-8","cookie":"a=1; b=2","User-Agent":"curl","x-b":"2\""},` +
		`"multiValueHeaders":{"Content-Type":["application/json; charset=utf-8"],"cookie":["a=1; b=2"],"User-Agent":["curl"],"x-b":["1","2\""]},` +
		`"queryStringParameters":{"a":"2","b":"x y","c":""},"multiValueQueryStringParameters":{"a":["1","2"],"b":["x y"],"c":[""]},` +
		`"requestContext":{"accountId":"123456789012","apiId":"abc","domainName":"abc.execute-api.us-east-1.amazonaws.com","domainPrefix":"abc",` +
		`"extendedRequestId":"id=","httpMethod":"POST","identity":{"accessKey":null,"accountId":null,"caller":null,"cognitoAmr":null,` +
		`"cognitoAuthenticationProvider":null,"cognitoAuthenticationType":null,"cognitoIdentityId":null,"cognitoIdentityPoolId":null,` +
		`"principalOrgId":null,"sourceIp":"127.0.0.1","user":null,"userAgent":"curl","userArn":null},` +
		`"path":"/dev/items/ü","protocol":"HTTP/1.1","requestId":"id=","requestTime":"04/Mar/2020:19:03:58 +0000","requestTimeEpoch":1583348638390,` +
		`"resourceId":"POST /items/{id}","resourcePath":"/items/{id}","stage":"dev"},"pathParameters":{"id":"ü"},"stageVariables":{"k":"v"},` +
		`"body":"{\"x\":\"<y>\"}","isBase64Encoded":false}`
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// TestEventsFitAWSsOwnTypes decodes into the types of aws-lambda-go, with
// everything that they do not know being an error.
func TestEventsFitAWSsOwnTypes(t *testing.T) {
	var e Encoder
	id := &Identity{AccessKey: "ASIA", Account: "123456789012", Caller: "AROA:CognitoIdentityCredentials",
		UserARN: "arn:aws:sts::123456789012:assumed-role/r/CognitoIdentityCredentials", User: "AROA:CognitoIdentityCredentials",
		CognitoIdentity: "us-east-1:1", CognitoPool: "us-east-1:2", AMR: []string{"authenticated", "api.twitter.com", "api.twitter.com:p:u"}}
	variants := map[string]func(*Request){
		"public": func(*Request) {},
		"jwt": func(r *Request) {
			r.Authorizer = Authorizer{Claims: []byte(`{"sub":"me"}`), Scopes: []byte(`["a"]`)}
		},
		"lambda": func(r *Request) { r.Authorizer = Authorizer{Lambda: true, Context: []byte(`{"n":1}`), Principal: "p"} },
		"iam":    func(r *Request) { r.Identity = id },
		"binary": func(r *Request) { r.Body, r.Headers = []byte{0, 255}, nil },
	}
	for name, vary := range variants {
		t.Run(name, func(t *testing.T) {
			r := anything(&e)
			vary(r)
			var two events.APIGatewayV2HTTPRequest
			payload := e.V2(r)
			strict(t, payload, &two)
			again, _ := json.Marshal(two)
			sameJSON(t, payload, again)
			var one events.APIGatewayProxyRequest
			if err := json.Unmarshal(e.V1(r), &one); err != nil {
				t.Error(err)
			}
			var auth events.APIGatewayV2CustomAuthorizerV2Request
			strict(t, e.AuthorizerV2(r, "arn", []string{"x"}), &auth)
			var auth1 events.APIGatewayV2CustomAuthorizerV1Request
			if err := json.Unmarshal(e.AuthorizerV1(r, "arn", []string{"x"}), &auth1); err != nil {
				t.Error(err)
			}
		})
	}
}

func strict(t *testing.T, payload []byte, v any) {
	t.Helper()
	d := json.NewDecoder(strings.NewReader(string(payload)))
	d.DisallowUnknownFields()
	if err := d.Decode(v); err != nil {
		t.Errorf("%v in %s", err, payload)
	}
}

// sameJSON compares what both have; the Go types add nulls and empty members.
func sameJSON(t *testing.T, ours, theirs []byte) {
	t.Helper()
	var a, b map[string]any
	if err := json.Unmarshal(ours, &a); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(theirs, &b); err != nil {
		t.Fatal(err)
	}
	for k, v := range a {
		if _, nested := v.(map[string]any); nested || v == nil {
			continue
		}
		if diff := cmp.Diff(v, b[k]); diff != "" {
			t.Errorf("%s: %s", k, diff)
		}
	}
}

func TestDecode(t *testing.T) {
	const plain = "text/plain; charset=utf-8"
	cases := []struct {
		name, answer string
		decode       func([]byte, *Response) error
		want         Response
		wrong        string
	}{
		{"inferred object", `{"a":1}`, DecodeV2, Response{Status: 200, Body: []byte(`{"a":1}`), ContentType: "application/json"}, ""},
		{"inferred string", `"Hello\n"`, DecodeV2, Response{Status: 200, Body: []byte("Hello\n"), ContentType: "application/json"}, ""},
		{"inferred number", `3`, DecodeV2, Response{Status: 200, Body: []byte("3"), ContentType: "application/json"}, ""},
		{"inferred list", `["hello",3,true]`, DecodeV2, Response{Status: 200, Body: []byte(`["hello",3,true]`), ContentType: "application/json"}, ""},
		{"inferred with odd members", `{"headers":7,"body":{}}`, DecodeV2, Response{Status: 200, Body: []byte(`{"headers":7,"body":{}}`), ContentType: "application/json"}, ""},
		{"status only", `{"statusCode":201}`, DecodeV2, Response{Status: 201, ContentType: plain}, ""},
		{"status as string", `{"statusCode":"201"}`, DecodeV1, Response{Status: 201, ContentType: plain}, ""},
		{"no content", `{"statusCode":204}`, DecodeV2, Response{Status: 204}, ""},
		{"not modified", `{"statusCode":304}`, DecodeV2, Response{Status: 304}, ""},
		{"body and type", `{"statusCode":200,"headers":{"Content-Type":"text/html"},"body":"x"}`, DecodeV2,
			Response{Status: 200, Fields: fields("Content-Type", "text/html"), Body: []byte("x")}, ""},
		{"headers of other types", `{"statusCode":200,"headers":{"a":1,"b":true,"c":null}}`, DecodeV1,
			Response{Status: 200, Fields: fields("a", "1", "b", "true"), ContentType: plain}, ""},
		{"those of the connection", `{"statusCode":200,"headers":{"Connection":"close","content-length":"9","Transfer-Encoding":"chunked","a":"b"}}`, DecodeV2,
			Response{Status: 200, Fields: fields("a", "b"), ContentType: plain}, ""},
		{"cookies", `{"statusCode":200,"cookies":["a=1","b=2"]}`, DecodeV2,
			Response{Status: 200, Cookies: [][]byte{[]byte("a=1"), []byte("b=2")}, ContentType: plain}, ""},
		{"multi-values", `{"statusCode":200,"headers":{"a":"0","B":"1","c":"3"},"multiValueHeaders":{"A":["1","2"],"C":["3"]}}`, DecodeV1,
			Response{Status: 200, Fields: fields("A", "1", "A", "2", "C", "3", "a", "0", "B", "1"), ContentType: plain}, ""},
		{"base64", `{"statusCode":200,"body":"AP8=","isBase64Encoded":true}`, DecodeV2,
			Response{Status: 200, Body: []byte{0, 255}, ContentType: plain}, ""},
		{"base64 without padding", `{"statusCode":200,"body":"AP8","isBase64Encoded":true}`, DecodeV1,
			Response{Status: 200, Body: []byte{0, 255}, ContentType: plain}, ""},

		{"not JSON", `hello`, DecodeV2, Response{}, "not valid JSON"},
		{"empty", ``, DecodeV2, Response{}, "not valid JSON"},
		{"more than one value", `{} {}`, DecodeV2, Response{}, "not valid JSON"},
		{"1.0 infers nothing", `"hello"`, DecodeV1, Response{}, "no"},
		{"1.0 without status", `{"body":"x"}`, DecodeV1, Response{}, "no statusCode"},
		{"status of words", `{"statusCode":"OK"}`, DecodeV2, Response{}, "whole number"},
		{"status in halves", `{"statusCode":200.5}`, DecodeV2, Response{}, "whole number"},
		{"status out of range", `{"statusCode":99}`, DecodeV2, Response{}, "no final status"},
		{"body no string", `{"statusCode":200,"body":{}}`, DecodeV1, Response{}, "body of"},
		{"headers no object", `{"statusCode":200,"headers":[]}`, DecodeV2, Response{}, "headers of"},
		{"header no scalar", `{"statusCode":200,"headers":{"a":[]}}`, DecodeV2, Response{}, "headers of"},
		{"header breaks the line", `{"statusCode":200,"headers":{"a":"b\r\nc: d"}}`, DecodeV2, Response{}, `header "a"`},
		{"cookie breaks the line", `{"statusCode":200,"cookies":["a\n"]}`, DecodeV2, Response{}, "cookie"},
		{"cookies no strings", `{"statusCode":200,"cookies":[1]}`, DecodeV2, Response{}, "cookies of"},
		{"bad base64", `{"statusCode":200,"body":"?","isBase64Encoded":true}`, DecodeV2, Response{}, "base64"},
		{"base64 no boolean", `{"statusCode":200,"isBase64Encoded":"yes"}`, DecodeV2, Response{}, "isBase64Encoded"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			var got Response
			err := c.decode([]byte(c.answer), &got)
			if c.wrong != "" {
				if err == nil || !strings.Contains(err.Error(), c.wrong) {
					t.Errorf("got %v, want an error with %q", err, c.wrong)
				}
				return
			}
			if len(got.Fields) == 0 {
				got.Fields = nil
			}
			if diff := cmp.Diff(c.want, got, cmp.Comparer(func(a, b []byte) bool { return string(a) == string(b) })); err != nil || diff != "" {
				t.Errorf("%v %s", err, diff)
			}
		})
	}
}

func fields(pairs ...string) (list []http1.Field) {
	for i := 0; i < len(pairs); i += 2 {
		list = append(list, http1.Field{Name: []byte(pairs[i]), Value: []byte(pairs[i+1])})
	}
	return list
}

func TestIsText(t *testing.T) {
	for _, yes := range []string{"text/plain", "Text/HTML; charset=x", "application/json", "application/json;v=1", "application/xml", "application/javascript"} {
		if !IsText([]byte(yes)) {
			t.Errorf("%s is text", yes)
		}
	}
	for _, no := range []string{"", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "application/octet-stream", "application/ld+json", "image/svg+xml"} {
		if IsText([]byte(no)) {
			t.Errorf("%s is not text", no)
		}
	}
}

func TestTimesAgreeWithFormat(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		at := time.Unix(rapid.Int64Range(0, 253402300799).Draw(t, "seconds"), 0).In(time.FixedZone("", 3600))
		if got, want := string(AppendTime(nil, at)), at.UTC().Format("02/Jan/2006:15:04:05 +0000"); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	})
}

func TestStringsAgreeWithEncodingJSON(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := rapid.OneOf(rapid.String(), rapid.Map(rapid.SliceOf(rapid.Byte()), func(b []byte) string { return string(b) })).Draw(t, "s")
		var got string
		if err := json.Unmarshal(appendString(nil, s), &got); err != nil {
			t.Fatal(err)
		}
		if want := strings.ToValidUTF8(s, "\uFFFD"); got != want && strings.Count(got, "\uFFFD") < strings.Count(want, "\uFFFD") {
			t.Errorf("%q became %q", s, got)
		}
	})
}

func FuzzScanner(f *testing.F) {
	for _, s := range []string{`{"a":[1,-2.5e+7,"\u00e4\ud83d\ude00",null,true,{}]}`, `"\ud800"`, `01`, `{"a":1,}`, "[\t]"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		s := scanner{data: data}
		_, err := s.value(0)
		if err == nil {
			err = s.end()
		}
		if (err == nil) != json.Valid(data) && strings.Count(string(data), "[")+strings.Count(string(data), "{") < maxDepth {
			t.Fatalf("%q: %v, encoding/json says %v", data, err, json.Valid(data))
		}
		var want string
		if err == nil && json.Unmarshal(data, &want) == nil && want != "" {
			again := scanner{data: data}
			if got, _ := again.str(); strings.ToValidUTF8(string(got), "\uFFFD") != strings.ToValidUTF8(want, "\uFFFD") &&
				!strings.Contains(want, "\uFFFD") {
				t.Fatalf("%q: %q, want %q", data, got, want)
			}
		}
	})
}

func FuzzDecode(f *testing.F) {
	f.Add([]byte(`{"statusCode":200,"headers":{"a":"b"},"cookies":["c"],"body":"AA==","isBase64Encoded":true}`))
	f.Add([]byte(`{"statusCode":"200","multiValueHeaders":{"a":["b"]}}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		for _, decode := range []func([]byte, *Response) error{DecodeV2, DecodeV1} {
			var r Response
			if decode(data, &r) != nil {
				continue
			}
			if r.Status < 200 || r.Status > 599 {
				t.Errorf("status %d", r.Status)
			}
			for _, f := range r.Fields {
				if !http1.ValidField(string(f.Name), string(f.Value)) {
					t.Errorf("field %q: %q", f.Name, f.Value)
				}
			}
		}
	})
}

func FuzzEncode(f *testing.F) {
	f.Add("/a", "b=c&d", "X-H", "value", []byte("body"))
	f.Fuzz(func(t *testing.T, path, query, name, value string, body []byte) {
		var e Encoder
		r := anything(&e)
		r.Path, r.RawQuery, r.Body = path, []byte(query), body
		r.Headers = e.Headers([]http1.Field{{Name: []byte(name), Value: []byte(value)}, {Name: []byte("cookie"), Value: []byte(value)}})
		for name, encode := range map[string]func() []byte{
			"2.0": func() []byte { return e.V2(r) }, "1.0": func() []byte { return e.V1(r) },
			"authorizer 2.0": func() []byte { return e.AuthorizerV2(r, "arn", nil) },
			"authorizer 1.0": func() []byte { return e.AuthorizerV1(r, "arn", nil) },
		} {
			if payload := encode(); !json.Valid(payload) {
				t.Fatalf("%s is not JSON: %s", name, payload)
			}
		}
	})
}

func BenchmarkV2(b *testing.B) {
	var e Encoder
	r := anything(&e)
	raw := []http1.Field{{Name: []byte("Host"), Value: []byte("x")}, {Name: []byte("User-Agent"), Value: []byte("Go-http-client/1.1")}, {Name: []byte("Accept-Encoding"), Value: []byte("gzip")}}
	b.ReportAllocs()
	for b.Loop() {
		r.Headers = e.Headers(raw)
		e.V2(r)
	}
}

func BenchmarkDecodeV2(b *testing.B) {
	answer := []byte(`{"statusCode":200,"headers":{"Content-Type":"application/json"},"multiValueHeaders":null,"body":"{\"hello\":\"world\"}","cookies":null}`)
	var r Response
	b.ReportAllocs()
	for b.Loop() {
		DecodeV2(answer, &r)
	}
}
