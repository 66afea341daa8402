package httpapi

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/seed-615d3599/roost/internal/region/httpapi/gateway"
	"github.com/seed-615d3599/roost/internal/region/store"
	"github.com/seed-615d3599/roost/internal/region/wire"
)

const fn = "arn:aws:lambda:us-east-1:123456789012:function:f"

// house is a control plane with all around it.
type house struct {
	t       *testing.T
	path    string
	db      *store.DB
	gateway *gateway.Gateway
	apis    *HTTPAPI
	service *wire.Service
	open    map[string]int // ports by API
	next    int
	event   map[string]any
}

func (h *house) Open(apiID string, port int) (int, string, error) {
	if port == 0 {
		h.next++
		port = 4010 + h.next
	} else if _, served := h.gateway.LookupHost(apiID + ".localhost"); !served {
		h.t.Errorf("the port of %s, which its clients know, opens before the gateway has it", apiID)
	}
	h.open[apiID] = port
	return port, fmt.Sprintf("http://127.0.0.1:%d", port), nil
}

func (h *house) Close(apiID string) { delete(h.open, apiID) }

func (h *house) Invoke(_ context.Context, arn string, payload []byte) ([]byte, string, error) {
	h.event = nil
	json.Unmarshal(payload, &h.event)
	return []byte(`"` + arn + `"`), "", nil
}

func (h *house) MayInvoke(string, string, string) error { return nil }

func newHouse(t *testing.T) *house {
	h := &house{t: t, path: filepath.Join(t.TempDir(), "region.db"), open: map[string]int{}}
	h.start()
	t.Cleanup(h.stop)
	return h
}

func (h *house) start() {
	h.t.Helper()
	var err error
	if h.db, err = store.Open(h.path); err != nil {
		h.t.Fatal(err)
	}
	if h.gateway, err = gateway.New(gateway.Config{Account: "123456789012", Region: "us-east-1", Functions: h}); err != nil {
		h.t.Fatal(err)
	}
	h.apis, err = New(context.Background(), Config{Account: "123456789012", Region: "us-east-1", DB: h.db, Gateway: h.gateway, Ports: h})
	if err != nil {
		h.t.Fatal(err)
	}
	h.service = h.apis.Service()
	h.service.Authorize = func(_ context.Context, c *wire.Call, targets []wire.Target) error {
		for _, target := range targets {
			if !strings.HasPrefix(target.Action, "apigateway:") || strings.Contains(target.Resource, "{") {
				h.t.Errorf("%s asks for %s on %s", c.Operation, target.Action, target.Resource)
			}
		}
		return nil
	}
}

func (h *house) stop() {
	h.apis.Close()
	h.db.Close()
}

// do sends an operation over HTTP, as the edge does, and returns what comes back.
func (h *house) do(method, path string, body any) (int, map[string]any) {
	h.t.Helper()
	var raw []byte
	if body != nil {
		raw, _ = json.Marshal(body)
	}
	r := httptest.NewRequest(method, path, bytes.NewReader(raw))
	w := httptest.NewRecorder()
	in, err := h.service.Resolve(r, nil)
	if err != nil {
		h.t.Fatalf("%s %s: %v", method, path, err)
	}
	in.SetBody(raw)
	h.service.Respond(context.Background(), w, &wire.Call{Account: "123456789012", Region: "us-east-1", RequestID: "r"}, in)
	var out map[string]any
	json.Unmarshal(w.Body.Bytes(), &out)
	return w.Code, out
}

// must is do that has to succeed.
func (h *house) must(method, path string, body any) map[string]any {
	h.t.Helper()
	status, out := h.do(method, path, body)
	if status >= 300 {
		h.t.Fatalf("%s %s: %d %v", method, path, status, out)
	}
	return out
}

// get requests a path of an API and returns status and body.
func (h *house) get(apiID, target string) string {
	r := httptest.NewRequest("GET", "/", nil)
	r.RequestURI, r.Host = target, apiID+".localhost"
	if strings.Contains(apiID, ".") {
		r.Host = apiID
	}
	w := httptest.NewRecorder()
	h.gateway.ServeHTTP(w, r)
	return fmt.Sprintf("%d %s", w.Code, w.Body)
}

type m = map[string]any

// newAPI makes an API with a route GET /a and an automatic $default stage.
func (h *house) newAPI() (api, route, integration string) {
	h.t.Helper()
	api = h.must("POST", "/v2/apis", m{"name": "n", "protocolType": "HTTP", "tags": m{"k": "v"}})["apiId"].(string)
	base := "/v2/apis/" + api
	integration = h.must("POST", base+"/integrations", m{"integrationType": "AWS_PROXY", "integrationUri": fn, "payloadFormatVersion": "2.0"})["integrationId"].(string)
	route = h.must("POST", base+"/routes", m{"routeKey": "GET /a", "target": "integrations/" + integration})["routeId"].(string)
	h.must("POST", base+"/stages", m{"stageName": "$default", "autoDeploy": true})
	return api, route, integration
}

const served, notFound = "200 " + fn, `404 {"message":"Not Found"}`

func want(t *testing.T, got, want any) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestLifeOfAnAPI(t *testing.T) {
	h := newHouse(t)
	api, route, integration := h.newAPI()
	base := "/v2/apis/" + api
	want(t, h.get(api, "/a"), served)
	got := h.must("GET", base, nil)
	delete(got, "createdDate")
	want(t, got, m{"apiEndpoint": "http://127.0.0.1:4011", "apiId": api, "name": "n", "protocolType": "HTTP", "tags": m{"k": "v"},
		"apiKeySelectionExpression": "$request.header.x-api-key", "routeSelectionExpression": "$request.method $request.path", "disableExecuteApiEndpoint": false})

	h.stop()
	h.start()
	want(t, h.get(api, "/a"), served)
	want(t, h.open, map[string]int{api: 4011})

	h.must("PATCH", base+"/routes/"+route, m{"routeKey": "GET /b"})
	want(t, h.get(api, "/a"), notFound)
	want(t, h.get(api, "/b"), served)
	status, out := h.do("DELETE", base+"/integrations/"+integration, nil)
	want(t, status, 409)
	if !strings.Contains(out["message"].(string), "GET /b") {
		t.Error(out)
	}
	h.must("DELETE", base+"/routes/"+route, nil)
	h.must("DELETE", base+"/integrations/"+integration, nil)
	want(t, h.get(api, "/b"), notFound)
	h.must("DELETE", base, nil)
	want(t, h.get(api, "/b"), `403 {"message":"Forbidden"}`)
	want(t, h.open, map[string]int{})
	status, _ = h.do("GET", base, nil)
	want(t, status, 404)
	want(t, len(h.must("GET", "/v2/apis", nil)["items"].([]any)), 0)
}

func TestDeployments(t *testing.T) {
	h := newHouse(t)
	api, route, _ := h.newAPI()
	base := "/v2/apis/" + api
	h.must("POST", base+"/stages", m{"stageName": "dev", "stageVariables": m{"v": "1"}})
	want(t, h.get(api, "/dev/a"), notFound)
	first := h.must("POST", base+"/deployments", m{"stageName": "dev"})["deploymentId"].(string)
	want(t, h.get(api, "/dev/a"), served)
	want(t, h.event["stageVariables"], any(m{"v": "1"}))
	h.must("PATCH", base+"/routes/"+route, m{"routeKey": "GET /b"})
	want(t, h.get(api, "/a"), notFound)
	want(t, h.get(api, "/dev/a"), served) // frozen
	h.must("POST", base+"/deployments", m{"stageName": "dev", "description": "second"})
	want(t, h.get(api, "/dev/b"), served)
	h.must("PATCH", base+"/stages/dev", m{"deploymentId": first})
	want(t, h.get(api, "/dev/a"), served) // rolled back
	status, _ := h.do("DELETE", base+"/deployments/"+first, nil)
	want(t, status, 400)

	h.must("PATCH", base+"/stages/$default", m{"autoDeploy": false})
	h.must("DELETE", base+"/routes/"+route, nil)
	want(t, h.get(api, "/b"), served)
	h.stop()
	h.start()
	want(t, h.get(api, "/b"), served)
	want(t, h.get(api, "/dev/a"), served)
	want(t, len(h.must("GET", base+"/deployments", nil)["items"].([]any)), 3)
}

func TestAutomaticDeploymentsDoNotPileUp(t *testing.T) {
	h := newHouse(t)
	api, route, _ := h.newAPI()
	for i := range 5 {
		h.must("PATCH", "/v2/apis/"+api+"/routes/"+route, m{"operationName": fmt.Sprint("o", i)})
	}
	items := h.must("GET", "/v2/apis/"+api+"/deployments", nil)["items"].([]any)
	want(t, len(items), 1)
	want(t, items[0].(m)["autoDeployed"], any(true))
	want(t, h.must("GET", "/v2/apis/"+api+"/stages/$default", nil)["deploymentId"], items[0].(m)["deploymentId"])
}

func TestQuickCreate(t *testing.T) {
	h := newHouse(t)
	api := h.must("POST", "/v2/apis", m{"name": "q", "protocolType": "HTTP", "target": fn})["apiId"].(string)
	want(t, h.get(api, "/anything"), served)
	routes := h.must("GET", "/v2/apis/"+api+"/routes", nil)["items"].([]any)
	want(t, routes[0].(m)["apiGatewayManaged"], any(true))
	status, _ := h.do("POST", "/v2/apis", m{"name": "q", "protocolType": "HTTP", "target": "nonsense"})
	want(t, status, 400)
	want(t, len(h.open), 1) // the port of what failed is closed
}

func TestDomains(t *testing.T) {
	h := newHouse(t)
	api, _, _ := h.newAPI()
	configuration := []any{m{"certificateArn": "arn:aws:acm:us-east-1:123456789012:certificate/c"}}
	d := h.must("POST", "/v2/domainnames", m{"domainName": "api.example.com", "domainNameConfigurations": configuration})
	if c := d["domainNameConfigurations"].([]any)[0].(m); c["domainNameStatus"] != "AVAILABLE" || c["endpointType"] != "REGIONAL" || c["apiGatewayDomainName"] == nil {
		t.Error(d)
	}
	want(t, h.get("api.example.com", "/v1/a"), notFound)
	id := h.must("POST", "/v2/domainnames/api.example.com/apimappings", m{"apiId": api, "stage": "$default", "apiMappingKey": "v1"})["apiMappingId"].(string)
	want(t, h.get("api.example.com", "/v1/a"), served)
	h.stop()
	h.start()
	want(t, h.get("api.example.com", "/v1/a"), served)
	h.must("PATCH", "/v2/domainnames/api.example.com/apimappings/"+id, m{"apiId": api, "apiMappingKey": "v2"})
	want(t, h.get("api.example.com", "/v2/a"), served)
	status, _ := h.do("DELETE", "/v2/apis/"+api, nil)
	want(t, status, 400)
	h.must("DELETE", "/v2/domainnames/api.example.com/apimappings/"+id, nil)
	want(t, h.get("api.example.com", "/v2/a"), notFound)
	h.must("DELETE", "/v2/domainnames/api.example.com", nil)
	want(t, h.get("api.example.com", "/v2/a"), `403 {"message":"Forbidden"}`)
	h.must("POST", "/v2/domainnames", m{"domainName": "*.example.com", "domainNameConfigurations": configuration})
	h.must("POST", "/v2/domainnames/*.example.com/apimappings", m{"apiId": api, "stage": "$default"})
	want(t, h.get("any.example.com", "/a"), served)
	status, _ = h.do("POST", "/v2/domainnames", m{"domainName": api + ".localhost", "domainNameConfigurations": configuration})
	want(t, status, 409)
	h.must("POST", "/v2/domainnames", m{"domainName": "shop.localhost", "domainNameConfigurations": configuration})
}

func TestTags(t *testing.T) {
	h := newHouse(t)
	api, _, _ := h.newAPI()
	path := "/v2/tags/arn%3Aaws%3Aapigateway%3Aus-east-1%3A%3A%2Fapis%2F" + api
	h.must("POST", path, m{"tags": m{"a": "b"}})
	want(t, h.must("GET", path, nil), m{"tags": m{"k": "v", "a": "b"}})
	h.must("DELETE", path+"?tagKeys=k", nil)
	want(t, h.must("GET", "/v2/apis/"+api, nil)["tags"], any(m{"a": "b"}))
	stage := path + "%2Fstages%2F$default"
	h.must("POST", stage, m{"tags": m{"s": "t"}})
	want(t, h.must("GET", stage, nil), m{"tags": m{"s": "t"}})
}

func TestAuthorizers(t *testing.T) {
	h := newHouse(t)
	api, route, _ := h.newAPI()
	base := "/v2/apis/" + api
	id := h.must("POST", base+"/authorizers", m{"name": "j", "authorizerType": "JWT", "identitySource": []string{"$request.header.Authorization"},
		"jwtConfiguration": m{"issuer": "https://issuer.test", "audience": []string{"a"}}})["authorizerId"].(string)
	h.must("PATCH", base+"/routes/"+route, m{"authorizationType": "JWT", "authorizerId": id, "authorizationScopes": []string{"s"}})
	want(t, h.get(api, "/a"), `401 {"message":"Unauthorized"}`)
	status, out := h.do("DELETE", base+"/authorizers/"+id, nil)
	want(t, status, 409)
	want(t, out["message"], any("Cannot delete authorizer '"+id+"', is referenced in route: GET /a"))
	status, _ = h.do("PATCH", base+"/authorizers/"+id, m{"jwtConfiguration": m{"issuer": "https://issuer.test"}})
	want(t, status, 400) // no audience: nobody could pass
	h.must("PATCH", base+"/routes/"+route, m{"authorizationType": "NONE", "authorizerId": "", "authorizationScopes": []string{}})
	want(t, h.get(api, "/a"), served)
	h.must("DELETE", base+"/authorizers/"+id, nil)
	h.must("PATCH", base+"/routes/"+route, m{"authorizationType": "AWS_IAM"})
	want(t, h.get(api, "/a"), `403 {"message":"Forbidden"}`)
}

func TestIntegrationParametersAreMerged(t *testing.T) {
	h := newHouse(t)
	api, _, id := h.newAPI()
	path := "/v2/apis/" + api + "/integrations/" + id
	h.must("PATCH", path, m{"requestParameters": m{"append:header.a": "1", "append:header.b": "2"}})
	out := h.must("PATCH", path, m{"requestParameters": m{"append:header.a": "", "append:header.c": "3"}})
	want(t, out["requestParameters"], any(m{"append:header.b": "2", "append:header.c": "3"}))
	h.get(api, "/a")
	headers := h.event["headers"].(m)
	want(t, []any{headers["a"], headers["b"], headers["c"]}, []any{nil, "2", "3"})
}

func TestPagination(t *testing.T) {
	h := newHouse(t)
	api, _, integration := h.newAPI()
	base := "/v2/apis/" + api + "/routes"
	for i := range 4 {
		h.must("POST", base, m{"routeKey": fmt.Sprint("GET /r", i), "target": "integrations/" + integration})
	}
	token, seen := "", 0
	for range 3 {
		page := h.must("GET", base+"?maxResults=2"+token, nil)
		seen += len(page["items"].([]any))
		next, _ := page["nextToken"].(string)
		token = "&nextToken=" + next
	}
	want(t, seen, 5)
	want(t, token, "&nextToken=")
}

func TestRefusals(t *testing.T) {
	h := newHouse(t)
	api, _, integration := h.newAPI()
	base := "/v2/apis/" + api
	cases := []struct {
		name, method, path string
		body               m
		status             int
		says               string
	}{
		{"WebSocket", "POST", "/v2/apis", m{"name": "w", "protocolType": "WEBSOCKET"}, 400, "WebSocket"},
		{"no name", "POST", "/v2/apis", m{"protocolType": "HTTP"}, 400, "Name"},
		{"unknown member", "POST", "/v2/apis", m{"name": "w", "protocolType": "HTTP", "colour": "red"}, 0, "colour"},
		{"credentials for any origin", "PATCH", base, m{"corsConfiguration": m{"allowOrigins": []string{"*"}, "allowCredentials": true}}, 400, "allow-credentials is not supported if 'allow-origin' is *"},
		{"OpenAPI", "PUT", "/v2/apis", m{"body": "{}"}, 400, "OpenAPI"},
		{"export", "GET", base + "/exports/OAS30", nil, 400, "OpenAPI"},
		{"models", "POST", base + "/models", m{"name": "x"}, 400, "models"},
		{"integration responses", "POST", base + "/integrations/x/integrationresponses", m{}, 400, "responses"},
		{"VPC link", "POST", "/v2/vpclinks", m{}, 400, "VPC links"},
		{"route twice", "POST", base + "/routes", m{"routeKey": "GET /a"}, 409, "already exists"},
		{"route that matches the same", "POST", base + "/routes", m{"routeKey": "GET a"}, 400, "route key"},
		{"target missing", "POST", base + "/routes", m{"routeKey": "GET /c", "target": "integrations/none"}, 400, "no integration"},
		{"authorizer missing", "POST", base + "/routes", m{"routeKey": "GET /c", "authorizationType": "CUSTOM", "authorizerId": "none"}, 400, "no authorizer"},
		{"API key", "POST", base + "/routes", m{"routeKey": "GET /c", "apiKeyRequired": true}, 400, "ApiKeyRequired"},
		{"AWS service", "POST", base + "/integrations", m{"integrationType": "AWS_PROXY", "integrationSubtype": "SQS-SendMessage", "payloadFormatVersion": "1.0"}, 400, "SQS-SendMessage"},
		{"private integration", "POST", base + "/integrations", m{"integrationType": "HTTP_PROXY", "connectionType": "VPC_LINK", "connectionId": "x", "integrationUri": "http://x", "integrationMethod": "GET"}, 400, "VPC links"},
		{"timeout", "PATCH", base + "/integrations/" + integration, m{"timeoutInMillis": 30001}, 400, "30000"},
		{"reserved header", "PATCH", base + "/integrations/" + integration, m{"requestParameters": m{"append:header.authorization": "x"}}, 400, "reserved"},
		{"authorizer without audience", "POST", base + "/authorizers", m{"name": "z", "authorizerType": "JWT", "identitySource": []string{"$request.header.Authorization"}, "jwtConfiguration": m{"issuer": "https://x.test"}}, 400, "audience"},
		{"stage name", "POST", base + "/stages", m{"stageName": "a b"}, 400, "Stage name"},
		{"stage twice", "POST", base + "/stages", m{"stageName": "$default"}, 409, "already exists"},
		{"log destination", "POST", base + "/stages", m{"stageName": "l", "accessLogSettings": m{"destinationArn": "arn:aws:firehose:us-east-1:1:deliverystream/x", "format": "x"}}, 400, "CloudWatch Logs"},
		{"execution logs", "POST", base + "/stages", m{"stageName": "l", "defaultRouteSettings": m{"loggingLevel": "INFO"}}, 400, "Execution logs"},
		{"mutual TLS", "POST", "/v2/domainnames", m{"domainName": "x.test", "mutualTlsAuthentication": m{"truststoreUri": "s3://x"}}, 400, "MutualTlsAuthentication"},
		{"unknown API", "GET", "/v2/apis/none/routes", nil, 404, "none"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			var body any
			if c.body != nil {
				body = c.body
			}
			status, out := h.do(c.method, c.path, body)
			if c.status != 0 && status != c.status || status < 400 || !strings.Contains(fmt.Sprint(out["message"]), c.says) {
				t.Errorf("%d %v, want %d with %q", status, out, c.status, c.says)
			}
		})
	}
	want(t, h.get(api, "/a"), served)
}

func TestQuotaOfRoutes(t *testing.T) {
	h := newHouse(t)
	api, _, integration := h.newAPI()
	err := h.db.Update(context.Background(), func(ctx context.Context, _ *store.Tx) error {
		for i := 1; i < quotaRoutes; i++ {
			in := m{"apiId": api, "routeKey": fmt.Sprintf("GET /r%d", i), "target": "integrations/" + integration}
			if err := h.service.Call(ctx, wire.Call{Region: "us-east-1"}, "CreateRoute", in, nil); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	status, out := h.do("POST", "/v2/apis/"+api+"/routes", m{"routeKey": "GET /more"})
	if status != 400 || !strings.Contains(out["message"].(string), "300") {
		t.Error(status, out)
	}
	want(t, h.get(api, "/r299"), served)
}

var _ http.Handler = (*gateway.Gateway)(nil)
