package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/seed-615d3599/roost/bench/figure/guest"
	"github.com/seed-615d3599/roost/internal/region"
	"github.com/seed-615d3599/roost/internal/region/httpapi/throttle"
	"github.com/seed-615d3599/roost/sigv4"
)

// deployment is what the bench needs to know of a region that it set up.
type deployment struct {
	Few     string // URL of the API with ten routes, everything on
	Many    string // and of the one with 300
	KeyID   string
	Secret  string
	Private string // path of a route with IAM authorization
}

// caller calls a region's services as its administrator, over the network.
type caller struct {
	region *region.Region
}

// call sends one signed POST request and decodes a JSON answer.
func (c caller) call(service, path string, header http.Header, body []byte, out any) error {
	r, err := http.NewRequest(http.MethodPost, c.region.Endpoint+path, bytes.NewReader(body))
	if err != nil {
		return err
	}
	for name, values := range header {
		r.Header[name] = values
	}
	signer := sigv4.Signer{Service: service, Region: c.region.Name,
		Credentials: sigv4.Credentials{AccessKeyID: c.region.AccessKeyID, SecretAccessKey: c.region.SecretAccessKey}}
	if err := signer.Sign(r, ""); err != nil {
		return err
	}
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	answer, err := io.ReadAll(res.Body)
	if err != nil {
		return err
	}
	if res.StatusCode >= 300 {
		return fmt.Errorf("%s %s: %s %s", service, path, res.Status, answer)
	}
	if out == nil {
		return nil
	}
	return json.Unmarshal(answer, out)
}

func (c caller) json(service, path string, in map[string]any, out any) error {
	body, err := json.Marshal(in)
	if err != nil {
		return err
	}
	return c.call(service, path, http.Header{"Content-Type": {"application/json"}}, body, out)
}

// startRoost runs a region with the function behind two APIs, until stop.
func startRoost(ctx context.Context, function string, environments int) (d deployment, stop func(), err error) {
	dir, err := os.MkdirTemp("", "roost-bench-")
	if err != nil {
		return d, nil, err
	}
	rate := 1e6 // more than an account has, so that what is measured is the gateway and not its throttle
	r, err := region.Start(ctx, region.Config{Dir: dir, MaxEnvironments: environments, APIThrottle: throttle.Limit{Rate: &rate}})
	if err != nil {
		os.RemoveAll(dir)
		return d, nil, err
	}
	stop = func() {
		r.Close()
		os.RemoveAll(dir)
	}
	if d, err = (caller{r}).deploy(function); err != nil {
		stop()
		return d, nil, err
	}
	return d, stop, nil
}

// deploy creates the function and the APIs.
func (c caller) deploy(function string) (deployment, error) {
	d := deployment{KeyID: c.region.AccessKeyID, Secret: c.region.SecretAccessKey, Private: "/private/42"}
	role, err := c.role()
	if err != nil {
		return d, err
	}
	if err := c.function(function, role); err != nil {
		return d, err
	}
	if d.Few, err = c.api("few", 10); err != nil {
		return d, err
	}
	d.Many, err = c.api("many", 300)
	return d, err
}

func (c caller) role() (string, error) {
	form := url.Values{"Action": {"CreateRole"}, "Version": {"2010-05-08"}, "RoleName": {"bench"},
		"AssumeRolePolicyDocument": {`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"lambda.amazonaws.com"},"Action":"sts:AssumeRole"}]}`}}
	header := http.Header{"Content-Type": {"application/x-www-form-urlencoded"}}
	err := c.call("iam", "/", header, []byte(form.Encode()), nil)
	return "arn:aws:iam::" + c.region.Account + ":role/bench", err
}

// function creates the function and lets API Gateway invoke it.
func (c caller) function(binary, role string) error {
	code, err := guest.Zipped(binary)
	if err != nil {
		return err
	}
	err = c.json("lambda", "/2015-03-31/functions", map[string]any{
		"FunctionName": "bench", "Role": role, "Runtime": "provided.al2023", "Handler": "bootstrap",
		"Code": map[string]any{"ZipFile": code}}, nil)
	if err != nil {
		return err
	}
	return c.json("lambda", "/2015-03-31/functions/bench/policy", map[string]any{
		"StatementId": "gateway", "Action": "lambda:InvokeFunction", "Principal": "apigateway.amazonaws.com",
		"SourceArn": "arn:aws:execute-api:" + c.region.Name + ":" + c.region.Account + ":*/*/*/*"}, nil)
}

const apis = "/v2/apis"

// api makes an API with that many routes, a throttle, CORS and an access log.
func (c caller) api(name string, routes int) (string, error) {
	var api struct{ APIID, APIEndpoint string }
	err := c.json("apigateway", apis, map[string]any{"name": name, "protocolType": "HTTP",
		"corsConfiguration": map[string]any{"allowOrigins": []string{"*"}}}, &api)
	if err != nil {
		return "", err
	}
	base := apis + "/" + api.APIID
	if err := c.routes(base, routes); err != nil {
		return "", err
	}
	return api.APIEndpoint, c.stage(base, "/bench/"+name)
}

// routes makes the routes: the first one private, the others public.
func (c caller) routes(base string, routes int) error {
	var integration struct{ IntegrationID string }
	err := c.json("apigateway", base+"/integrations", map[string]any{"integrationType": "AWS_PROXY", "payloadFormatVersion": "2.0",
		"integrationUri": "arn:aws:lambda:" + c.region.Name + ":" + c.region.Account + ":function:bench"}, &integration)
	if err != nil {
		return err
	}
	for i := range routes {
		key, authorization := fmt.Sprintf("GET /r%d/{id}", i), "NONE"
		if i == 0 {
			key, authorization = "GET /private/{id}", "AWS_IAM"
		}
		err := c.json("apigateway", base+"/routes", map[string]any{"routeKey": key, "authorizationType": authorization,
			"target": "integrations/" + integration.IntegrationID}, nil)
		if err != nil {
			return err
		}
	}
	return nil
}

// stage makes the log group and the $default stage.
func (c caller) stage(base, group string) error {
	header := http.Header{"X-Amz-Target": {"Logs_20140328.CreateLogGroup"}, "Content-Type": {"application/x-amz-json-1.1"}}
	if err := c.call("logs", "/", header, []byte(`{"logGroupName":"`+group+`"}`), nil); err != nil {
		return err
	}
	const format = `$context.identity.sourceIp [$context.requestTime] "$context.routeKey $context.protocol" $context.status $context.responseLength $context.requestId`
	return c.json("apigateway", base+"/stages", map[string]any{"stageName": "$default", "autoDeploy": true,
		"defaultRouteSettings": map[string]any{"throttlingRateLimit": 1e6, "throttlingBurstLimit": 1000000},
		"accessLogSettings": map[string]any{"format": format,
			"destinationArn": "arn:aws:logs:" + c.region.Name + ":" + c.region.Account + ":log-group:" + group}}, nil)
}

// signed returns the bytes of a signed GET request to an API.
func (d *deployment) signed(base, path string) ([]byte, error) {
	r, err := http.NewRequest("GET", base+path, nil)
	if err != nil {
		return nil, err
	}
	signer := sigv4.Signer{Service: "execute-api", Region: "us-east-1", Now: time.Now,
		Credentials: sigv4.Credentials{AccessKeyID: d.KeyID, SecretAccessKey: d.Secret}}
	if err := signer.Sign(r, ""); err != nil {
		return nil, err
	}
	var b strings.Builder
	fmt.Fprintf(&b, "GET %s HTTP/1.1\r\nHost: %s\r\nUser-Agent: bench\r\nAccept: */*\r\n", path, r.URL.Host)
	for name := range r.Header {
		fmt.Fprintf(&b, "%s: %s\r\n", name, r.Header.Get(name))
	}
	return []byte(b.String() + "\r\n"), nil
}
