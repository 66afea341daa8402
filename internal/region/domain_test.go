package region_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"testing"

	"github.com/seed-615d3599/roost/internal/need"
	"github.com/seed-615d3599/roost/internal/region"
)

// TestDomainOverTLS has a client that trusts the region's authority ask a custom
// domain by its name: the certificate is for that name, and the mapping finds the API, whose
// functions see no key of the mapping in rawPath.
func TestDomainOverTLS(t *testing.T) {
	need.Tool(t, "node")
	dir := t.TempDir()
	r := open(t, region.Config{Dir: dir})
	r.create("nodejs22.x", "index.handler", "index.js", `exports.handler = async (event) => event.requestContext.domainName + ' ' + event.rawPath`)
	var api struct{ APIID string }
	r.must("apigateway", "CreateApi", object{"name": "a", "protocolType": "HTTP", "target": "arn:aws:lambda:us-east-1:123456789012:function:f"}, &api)
	r.must("lambda", "AddPermission", object{"FunctionName": "f", "StatementId": "all", "Action": "lambda:InvokeFunction", "Principal": "apigateway.amazonaws.com"}, nil)
	r.must("apigateway", "CreateDomainName", object{"domainName": "api.example.com", "domainNameConfigurations": []any{object{"certificateArn": "arn:aws:acm:us-east-1:123456789012:certificate/1"}}}, nil)
	r.must("apigateway", "CreateApiMapping", object{"domainName": "api.example.com", "apiId": api.APIID, "stage": "$default", "apiMappingKey": "v1"}, nil)

	pem, err := os.ReadFile(filepath.Join(dir, "ca.pem"))
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(pem)
	endpoint, err := url.Parse(r.Endpoint)
	if err != nil {
		t.Fatal(err)
	}
	client := &http.Client{Transport: &http.Transport{
		TLSClientConfig:   &tls.Config{RootCAs: roots},
		DisableKeepAlives: true,
		DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, network, endpoint.Host)
		},
	}}
	for page, want := range map[string]string{
		"https://api.example.com/v1/pets": "200 OK api.example.com /pets",
		"https://api.example.com/v2/pets": `404 Not Found {"message":"Not Found"}`,
	} {
		response, err := client.Get(page)
		if err != nil {
			t.Errorf("%s: %v", page, err)
			continue
		}
		body, err := io.ReadAll(response.Body)
		if got := response.Status + " " + string(body); err != nil || got != want {
			t.Errorf("%s: %s, %v, want %s", page, got, err, want)
		}
		response.Body.Close()
	}
}
