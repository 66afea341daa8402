package clients

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"

	"github.com/seed-615d3599/roost/internal/need"
)

// TestAbsentServices has boto3 read, in each protocol, that a service is not
// there.
func TestAbsentServices(t *testing.T) {
	cli := need.Tool(t, "aws")
	r := start(t)
	for _, call := range []string{"sns list-topics", "ec2 describe-vpcs", "route53 list-hosted-zones", "dynamodb list-tables", "batch describe-job-queues"} {
		service, _, _ := strings.Cut(call, " ")
		_, errs, err := program(t, environ(r, t.TempDir()), cli, strings.Fields(call)...)
		if want := "roost has no service " + service + ": set AWS_ENDPOINT_URL_"; err == nil || !strings.Contains(errs, "(NotImplemented)") || !strings.Contains(errs, want) {
			t.Errorf("aws %s: %v %s", call, err, errs)
		}
	}
}

// TestHostPrefix has an operation that AWS has at a host of its own refused by name,
// instead of a client looking for the host stream-127.0.0.1.
func TestHostPrefix(t *testing.T) {
	cli := need.Tool(t, "aws")
	r := start(t)
	_, errs, err := program(t, environ(r, t.TempDir()), cli, "logs", "start-live-tail", "--log-group-identifiers", "arn:aws:logs:us-east-1:123456789012:log-group:g")
	if err == nil || !strings.Contains(errs, "roost does not support StartLiveTail of logs") {
		t.Errorf("%v %s", err, errs)
	}
}

// TestSignatureVersion2 says to who signs as S3 once allowed what to do.
func TestSignatureVersion2(t *testing.T) {
	r := start(t)
	for name, change := range map[string]func(*http.Request){
		"header": func(r *http.Request) { r.Header.Set("Authorization", "AWS AKIAIOSFODNN7EXAMPLE:c2lnbmF0dXJl") },
		"query":  func(r *http.Request) { r.URL.RawQuery = "AWSAccessKeyId=AKIAIOSFODNN7EXAMPLE&Expires=1&Signature=x" },
	} {
		request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, r.Endpoint+"/bucket/key", nil)
		if err != nil {
			t.Fatal(err)
		}
		change(request)
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(response.Body)
		response.Body.Close()
		if err != nil || response.StatusCode != 400 || !strings.Contains(string(body), "Please use AWS4-HMAC-SHA256.") {
			t.Errorf("%s: %d %s (%v)", name, response.StatusCode, body, err)
		}
	}
}

// unsent is a body that must not be asked for.
type unsent struct{ t *testing.T }

func (u unsent) Read([]byte) (int, error) {
	u.t.Error("the body was sent")
	return 0, errors.New("the body was asked for")
}

// TestRefusedBeforeTheBody refuses an upload of a client that waits for "100
// Continue", at once: the SDK for Java would send the body after three seconds and
// lose the answer.
func TestRefusedBeforeTheBody(t *testing.T) {
	r := start(t)
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPut, r.Endpoint+"/no-such-bucket/key", unsent{t})
	if err != nil {
		t.Fatal(err)
	}
	request.ContentLength = 5 << 20
	request.Header.Set("Expect", "100-continue")
	request.Header.Set("X-Amz-Content-Sha256", "UNSIGNED-PAYLOAD")
	credentials := aws.Credentials{AccessKeyID: r.AccessKeyID, SecretAccessKey: r.SecretAccessKey}
	if err := v4.NewSigner().SignHTTP(t.Context(), credentials, request, "UNSIGNED-PAYLOAD", "s3", "us-east-1", time.Now()); err != nil {
		t.Fatal(err)
	}
	transport := &http.Transport{ExpectContinueTimeout: time.Minute, ResponseHeaderTimeout: 20 * time.Second}
	defer transport.CloseIdleConnections()
	response, err := transport.RoundTrip(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if body, err := io.ReadAll(response.Body); err != nil || response.StatusCode != 404 || !strings.Contains(string(body), "NoSuchBucket") {
		t.Errorf("got %d %s (%v)", response.StatusCode, body, err)
	}
}
