// Package control makes signed calls to the control plane of a region for which
// no SDK module is worth its weight: a call needs the name of an operation and
// a struct for its answer.
//
//	c := control.Client{Endpoint: "http://127.0.0.1:4000", Region: "us-east-1", Credentials: key}
//	err := c.JSON(ctx, control.Operation{Service: "logs", Target: "Logs_20140328.FilterLogEvents"}, in, &out)
//	answer, err := c.REST(ctx, control.Request{Service: "apigateway", Method: "GET", Path: "/v2/apis/a1b2c3"})
//
// An error that the service answers is an *Error with the service's own code
// and message.
package control

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/seed-615d3599/roost/sigv4"
)

// Client calls the services of one region.
type Client struct {
	// Endpoint is the base URL of every service, without a slash at its end.
	Endpoint string
	// Region is such as us-east-1.
	Region string
	// Credentials sign.
	Credentials sigv4.Credentials
	// Transport carries requests; nil means http.DefaultTransport.
	Transport http.RoundTripper
	// MaxAnswer bounds what is read of an answer, in bytes. 0 means 7 MiB: the
	// largest that Lambda gives fits.
	MaxAnswer int64
}

// Endpoint is the base URL in AWS of a service, by the name in its host name, in a
// region. https://docs.aws.amazon.com/general/latest/gr/rande.html
func Endpoint(service, region string) string {
	suffix := ".amazonaws.com"
	if strings.HasPrefix(region, "cn-") {
		suffix += ".cn"
	}
	return "https://" + service + "." + region + suffix
}

// Operation is one of a service that speaks JSON 1.1.
// https://smithy.io/2.0/aws/protocols/aws-json-1_1-protocol.html
type Operation struct {
	// Service is the signing name, such as "logs".
	Service string
	// Target is the value of X-Amz-Target.
	Target string
}

// Request is a call of a service that speaks REST and JSON.
// https://smithy.io/2.0/aws/protocols/aws-restjson1-protocol.html
type Request struct {
	// Service is the signing name, such as "lambda".
	Service string
	// Method is such as POST, and Path what follows the endpoint, encoded.
	Method, Path string
	// Header holds more headers; may be nil.
	Header http.Header
	// Body may be nil.
	Body []byte
}

// Answer is what a service has answered.
type Answer struct {
	Status int
	Header http.Header
	Body   []byte
}

// Error is an error that a service has answered.
type Error struct {
	Status  int
	Code    string // "ResourceNotFoundException"; may be empty
	Message string
}

// Error returns code and message.
func (e *Error) Error() string {
	if e.Code == "" {
		return fmt.Sprintf("status %d: %s", e.Status, e.Message)
	}
	return e.Code + ": " + e.Message
}

// maxAnswer is the bound where a client has none of its own.
const maxAnswer = 7 << 20

// JSON calls an operation and decodes its answer into out.
func (c Client) JSON(ctx context.Context, op Operation, in, out any) error {
	body, err := json.Marshal(in)
	if err != nil {
		return err
	}
	answer, err := c.REST(ctx, Request{Service: op.Service, Method: http.MethodPost, Path: "/", Body: body,
		Header: http.Header{"Content-Type": {"application/x-amz-json-1.1"}, "X-Amz-Target": {op.Target}}})
	if err != nil {
		return err
	}
	return json.Unmarshal(answer.Body, out)
}

// REST makes a call and returns the answer, or the service's error for a status
// of 400 or more.
func (c Client) REST(ctx context.Context, request Request) (*Answer, error) {
	r, err := http.NewRequestWithContext(ctx, request.Method, c.Endpoint+request.Path, bytes.NewReader(request.Body))
	if err != nil {
		return nil, err
	}
	for name, values := range request.Header {
		r.Header[name] = values
	}
	signer := sigv4.Signer{Service: request.Service, Region: c.Region, Credentials: c.Credentials}
	if err := signer.Sign(r, ""); err != nil {
		return nil, err
	}
	client := http.Client{Transport: c.Transport}
	resp, err := client.Do(r)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, cmp.Or(c.MaxAnswer, maxAnswer)))
	if err != nil {
		return nil, err
	}
	if resp.StatusCode >= http.StatusBadRequest {
		return nil, readError(resp, body)
	}
	return &Answer{Status: resp.StatusCode, Header: resp.Header, Body: body}, nil
}

// readError finds code and message where the two protocols put them.
func readError(resp *http.Response, body []byte) *Error {
	var wire struct {
		Type    string `json:"__type"`
		Message string `json:"message"` // also "Message": names match in any case
	}
	if json.Unmarshal(body, &wire) != nil {
		wire.Message = strings.TrimSpace(string(body[:min(len(body), 300)]))
	}
	code := resp.Header.Get("X-Amzn-Errortype")
	if code == "" {
		code = wire.Type
	}
	code, _, _ = strings.Cut(code, ":")
	return &Error{Status: resp.StatusCode, Code: code[strings.LastIndex(code, "#")+1:], Message: wire.Message}
}
