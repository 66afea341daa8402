package gateway

import (
	"context"
	"testing"
	"time"

	"github.com/seed-615d3599/roost/iam"
	"github.com/seed-615d3599/roost/internal/region/http1"
	"github.com/seed-615d3599/roost/internal/region/httpapi/definition"
	"github.com/seed-615d3599/roost/internal/region/httpapi/throttle"
	"github.com/seed-615d3599/roost/internal/region/wire"
)

// BenchmarkServe is what the gateway itself does for one request: without the
// connection, the function and the storing of logs.
func BenchmarkServe(b *testing.B) {
	w := &quick{caller: &wire.Caller{Account: "123456789012", UserID: "AROA:CognitoIdentityCredentials", AccessKeyID: "AKIDEXAMPLE",
		ARN: "arn:aws:sts::123456789012:assumed-role/r/CognitoIdentityCredentials"}}
	rate := 1e9
	g, err := New(Config{Account: "123456789012", Region: "us-east-1", Functions: w, Access: w, Logs: w,
		AccountThrottle: throttle.Limit{Rate: &rate}})
	if err != nil {
		b.Fatal(err)
	}
	a := one(definition.Route{Key: "GET /public/{id}", Integration: lambda("2.0")},
		definition.Route{Key: "GET /private/{id}", AuthorizationType: definition.AuthorizationIAM, Integration: lambda("2.0")})
	a.Stages[0].AccessLogGroup = "arn:aws:logs:us-east-1:123456789012:log-group:/g"
	a.Stages[0].AccessLogFormat = `$context.identity.sourceIp [$context.requestTime] "$context.routeKey $context.protocol" $context.status $context.responseLength $context.requestId`
	if err := g.Put(a); err != nil {
		b.Fatal(err)
	}
	for _, path := range []string{"/public/42", "/private/42"} {
		b.Run(path[1:len(path)-3], func(b *testing.B) {
			const host = "a1.execute-api.us-east-1.amazonaws.com"
			in := incoming{method: "GET", target: []byte(path), host: []byte(host), minor: 1, remote: "127.0.0.1:51234", time: time.Now(), body: noBody{}}
			for _, h := range [][2]string{{"Host", host}, {"User-Agent", "bench"}, {"Accept", "*/*"}} {
				in.fields = append(in.fields, http1.Field{Name: []byte(h[0]), Value: []byte(h[1])})
			}
			if path == "/private/42" {
				signed := sign(b, &world{now: in.time}, "GET", path, "")
				for i := 0; i < len(signed); i += 2 {
					in.fields = append(in.fields, http1.Field{Name: []byte(signed[i]), Value: []byte(signed[i+1])})
				}
			}
			var out discard
			b.ReportAllocs()
			for b.Loop() {
				g.serve("a1", &out, in)
			}
			if out.status != 200 {
				b.Fatalf("the answer is %d", out.status)
			}
		})
	}
}

// quick is a world that does nothing but what it must.
type quick struct{ caller *wire.Caller }

func (*quick) Invoke(context.Context, string, []byte) ([]byte, string, error) {
	return []byte(`{"statusCode":200,"headers":{"Content-Type":"application/json"},"multiValueHeaders":null,"body":"{\"path\":\"/r7/42\"}","cookies":null}`), "", nil
}

func (*quick) MayInvoke(string, string, string) error { return nil }

func (w *quick) Key(context.Context, string, string) (string, *wire.Caller, error) {
	return "secret", w.caller, nil
}

func (*quick) Decide(*wire.Caller, string, string, iam.Context, *iam.Trace) iam.Decision {
	return iam.Decision{Outcome: iam.Allowed}
}

func (*quick) Log(string, time.Time, string) {}

type noBody struct{}

func (noBody) ReadBody(int64) ([]byte, error) { return nil, nil }

// discard is a responder that keeps the status.
type discard struct{ status int }

func (d *discard) Begin(status int)          { d.status = status }
func (*discard) Header(string, string) error { return nil }
func (*discard) Field([]byte, []byte) error  { return nil }
func (*discard) Send([]byte) error           { return nil }
