package gateway

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"

	"github.com/seed-615d3599/roost/internal/region/http1"
)

// proxy forwards the request to an HTTP_PROXY integration's URL and reads the
// answer. The path that a mapping sets takes the place of the URL's.
func (c *call) proxy(i *integration) bool {
	path := c.event.Path
	if len(i.request) > 0 {
		c.changeRequest(i.request)
	}
	target, err := url.Parse(c.targetURL(i))
	if err != nil {
		c.integrationError = "the integration's URL cannot be used: " + err.Error()
		return c.fail(http.StatusInternalServerError, c.integrationError)
	}
	if c.event.Path != path {
		target.Path, target.RawPath = c.event.Path, ""
	}
	ctx, cancel := context.WithTimeout(context.Background(), i.Timeout)
	defer cancel()
	req, err := c.proxied(ctx, i, target)
	if err != nil {
		return c.fail(http.StatusInternalServerError, err.Error())
	}
	res, err := c.g.client.Do(req)
	if err != nil {
		return c.failProxy(ctx, err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(io.LimitReader(res.Body, MaxBody+1))
	switch {
	case err != nil:
		return c.failProxy(ctx, err)
	case len(body) > MaxBody:
		return c.failProxy(ctx, errors.New("the answer is longer than 10 MB"))
	}
	c.fromProxy(res, body)
	return true
}

// proxied builds the request to the target: the client's headers without Host, and
// those that the gateway adds.
func (c *call) proxied(ctx context.Context, i *integration, target *url.URL) (*http.Request, error) {
	method := i.Method
	if method == "" || method == "ANY" {
		method = c.in.method
	}
	req, err := http.NewRequestWithContext(ctx, method, target.String(), bytes.NewReader(c.body))
	if err != nil {
		return nil, err
	}
	for _, f := range c.event.Headers {
		switch string(f.Name) {
		case "host", "content-length", "x-forwarded-for", "x-forwarded-port", "x-forwarded-proto":
		default:
			req.Header.Add(string(f.Name), string(f.Value))
		}
	}
	if _, ok := req.Header["User-Agent"]; !ok {
		req.Header.Set("User-Agent", "AmazonAPIGateway_"+c.api.ID)
	}
	proto := "http"
	if c.in.tls {
		proto = "https"
	}
	req.Header.Set("Forwarded", "by="+req.URL.Hostname()+";for="+c.event.SourceIP+";host="+string(c.in.host)+";proto="+proto)
	if len(c.body) == 0 {
		req.Body, req.ContentLength = http.NoBody, 0
	}
	return req, nil
}

func (c *call) failProxy(ctx context.Context, err error) bool {
	c.integrationError = err.Error()
	if ctx.Err() == context.DeadlineExceeded {
		return c.fail(http.StatusServiceUnavailable, "the integration did not answer within its time limit")
	}
	return c.fail(http.StatusServiceUnavailable, "the integration's server could not be asked: "+err.Error())
}

// fromProxy takes over the server's answer, without what belonged to the connection.
func (c *call) fromProxy(res *http.Response, body []byte) {
	c.res.Reset()
	c.res.Status, c.res.Body = res.StatusCode, body
	c.integrationStatus, c.functionStatus = res.StatusCode, res.StatusCode
	if c.integrationID = res.Header.Get("X-Amzn-RequestId"); c.integrationID == "" {
		c.integrationID = res.Header.Get("X-Amz-Request-Id")
	}
	c.integrationID2 = res.Header.Get("X-Amz-Id-2")
	for name, values := range res.Header {
		if http1.IsFraming(name) {
			continue
		}
		for _, v := range values {
			c.res.Fields = append(c.res.Fields, http1.Field{Name: []byte(name), Value: []byte(v)})
		}
	}
	if c.res.Status < 200 || c.res.Status > 599 {
		c.res.Status = http.StatusBadGateway
	}
}
