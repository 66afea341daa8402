package edge_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/seed-615d3599/roost/internal/region/edge"
	"github.com/seed-615d3599/roost/internal/region/wire"
)

// called is a door to one operation each of services of every protocol.
func called() *edge.Edge {
	type nothing struct{}
	op := func(name string, options ...wire.Option) []wire.Operation {
		return []wire.Operation{wire.Op(name, func(context.Context, *wire.Call, *nothing) (*nothing, error) { return &nothing{}, nil }, append(options, wire.Unsigned())...)}
	}
	return edge.New(edge.Config{Region: "us-east-1", Account: "123456789012", Services: []*wire.Service{
		{Name: "s3", Protocol: wire.RESTXML, Operations: op("PutObject", wire.HTTP("PUT /{Bucket}/{Key+}", 200))},
		{Name: "apigateway", Protocol: wire.RESTJSON, Operations: op("GetApis", wire.HTTP("GET /v2/apis", 200))},
		{Name: "lambda", Protocol: wire.RESTJSON, Operations: op("Invoke", wire.HTTP("POST /2015-03-31/functions/{FunctionName}/invocations", 200))},
		{Name: "cognito-identity", Protocol: wire.JSON, Target: "AWSCognitoIdentityService", Operations: op("GetId")},
		{Name: "sts", Version: "2011-06-15", Protocol: wire.Query, Operations: op("AssumeRoleWithWebIdentity")},
	}})
}

func TestPreflight(t *testing.T) {
	for _, c := range []struct {
		method, path string
		allowed      bool
	}{
		{"POST", "/", true}, // the query and the JSON protocols
		{"POST", "/2015-03-31/functions/f/invocations", true},
		{"DELETE", "/2015-03-31/functions/f/invocations", false},
		{"GET", "/v2/apis", false},
		{"GET", "/", false}, // S3: ListBuckets
		{"PUT", "/bucket/key", false},
	} {
		r := httptest.NewRequest("OPTIONS", c.path, nil)
		r.Header.Set("Origin", "https://app.example")
		r.Header.Set("Access-Control-Request-Method", c.method)
		r.Header.Set("Access-Control-Request-Headers", "amz-sdk-request,authorization,x-amz-date")
		recorder := httptest.NewRecorder()
		called().ServeHTTP(recorder, r)
		header := recorder.Header()
		if !c.allowed {
			if got := header.Get("Access-Control-Allow-Origin"); got != "" || recorder.Code < 400 {
				t.Errorf("%s %s: %d for the origin %q", c.method, c.path, recorder.Code, got)
			}
			continue
		}
		if recorder.Code != http.StatusOK || header.Get("Access-Control-Allow-Origin") != "*" || header.Get("Access-Control-Allow-Methods") != c.method ||
			header.Get("Access-Control-Allow-Headers") != "amz-sdk-request,authorization,x-amz-date" {
			t.Errorf("%s %s: %d with %v", c.method, c.path, recorder.Code, header)
		}
	}
}

// Pages may read the answers, errors too.
func TestAnswersToPages(t *testing.T) {
	for _, c := range []struct{ method, path, target, body, exposed string }{
		{"POST", "/", "AWSCognitoIdentityService.GetId", "{}", "x-amzn-RequestId,x-amzn-ErrorType,x-amzn-ErrorMessage,Date"},
		{"POST", "/", "AWSCognitoIdentityService.Unknown", "{}", "x-amzn-RequestId,x-amzn-ErrorType,x-amzn-ErrorMessage,Date"},
		{"POST", "/", "", "Action=AssumeRoleWithWebIdentity&Version=2011-06-15", "x-amzn-RequestId,x-amzn-ErrorType,x-amzn-ErrorMessage,Date"},
		{"POST", "/2015-03-31/functions/f/invocations", "", "{}", "x-amzn-RequestId,x-amzn-ErrorType,x-amzn-ErrorMessage,Date,x-amz-function-error,x-amz-log-result,x-amz-executed-version"},
		{"GET", "/v2/apis", "", "", ""},
	} {
		r := httptest.NewRequest(c.method, c.path, strings.NewReader(c.body))
		r.Header.Set("Origin", "https://app.example")
		if c.target != "" {
			r.Header.Set("X-Amz-Target", c.target)
		} else if strings.Contains(c.body, "Action=") {
			r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		}
		recorder := httptest.NewRecorder()
		called().ServeHTTP(recorder, r)
		header := recorder.Header()
		if got := header.Get("Access-Control-Allow-Origin"); got != map[bool]string{true: "*"}[c.exposed != ""] || header.Get("Access-Control-Expose-Headers") != c.exposed {
			t.Errorf("%s %s %s: origin %q, exposed %q", c.method, c.path, c.target, got, header.Get("Access-Control-Expose-Headers"))
		}
	}
}
