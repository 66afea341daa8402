package urls

import (
	"encoding/base64"
	"net"
	"net/http"
	"net/url"
	"sort"
	"strings"
	"unicode/utf8"
)

// event is payload format 2.0 as function URLs send it (Lambda Developer Guide,
// "Request and response payloads").
type event struct {
	Version        string            `json:"version"`
	RouteKey       string            `json:"routeKey"`
	RawPath        string            `json:"rawPath"`
	RawQueryString string            `json:"rawQueryString"`
	Cookies        []string          `json:"cookies,omitempty"`
	Headers        map[string]string `json:"headers"`
	Query          map[string]string `json:"queryStringParameters,omitempty"`
	Context        requestContext    `json:"requestContext"`
	Body           string            `json:"body,omitempty"`
	Base64         bool              `json:"isBase64Encoded"`
}

type requestContext struct {
	AccountID    string      `json:"accountId"`
	APIID        string      `json:"apiId"`
	Authorizer   *authorizer `json:"authorizer,omitempty"`
	DomainName   string      `json:"domainName"`
	DomainPrefix string      `json:"domainPrefix"`
	HTTP         httpContext `json:"http"`
	RequestID    string      `json:"requestId"`
	RouteKey     string      `json:"routeKey"`
	Stage        string      `json:"stage"`
	Time         string      `json:"time"`
	TimeEpoch    int64       `json:"timeEpoch"`
}

type httpContext struct {
	Method    string `json:"method"`
	Path      string `json:"path"`
	Protocol  string `json:"protocol"`
	SourceIP  string `json:"sourceIp"`
	UserAgent string `json:"userAgent,omitempty"`
}

type authorizer struct {
	IAM iamContext `json:"iam"`
}

type iamContext struct {
	AccessKey       string `json:"accessKey"`
	AccountID       string `json:"accountId"`
	CallerID        string `json:"callerId"`
	CognitoIdentity any    `json:"cognitoIdentity"`
	PrincipalOrgID  any    `json:"principalOrgId"`
	UserARN         string `json:"userArn"`
	UserID          string `json:"userId"`
}

func (c *call) event() event {
	r, now := c.r, c.h.now().UTC()
	path, query, _ := strings.Cut(r.RequestURI, "?")
	source := c.source()
	e := event{Version: "2.0", RouteKey: "$default", RawPath: path, RawQueryString: query,
		Headers: headers(r, source), Cookies: cookies(r), Query: parameters(query),
		Context: requestContext{AccountID: "anonymous", APIID: c.id, DomainName: r.Host, DomainPrefix: c.id, RequestID: c.reqID,
			RouteKey: "$default", Stage: "$default", Time: now.Format("02/Jan/2006:15:04:05 +0000"), TimeEpoch: now.UnixMilli(),
			HTTP: httpContext{Method: r.Method, Path: path, Protocol: r.Proto, SourceIP: source, UserAgent: r.UserAgent()}}}
	if c.caller != nil {
		e.Context.AccountID = c.caller.Account
		e.Context.Authorizer = &authorizer{IAM: iamContext{AccessKey: c.caller.AccessKeyID, AccountID: c.caller.Account,
			CallerID: c.caller.UserID, UserARN: c.caller.ARN, UserID: c.caller.UserID}}
	}
	if len(c.body) > 0 {
		e.Body, e.Base64 = body(c.body, r.Header.Get("Content-Type"))
	}
	return e
}

// headers are in lower case, repeated ones joined, without cookies.
func headers(r *http.Request, source string) map[string]string {
	all := map[string]string{"host": r.Host, "x-forwarded-for": source, "x-forwarded-proto": "http", "x-forwarded-port": "80"}
	if _, port, err := net.SplitHostPort(r.Host); err == nil {
		all["x-forwarded-port"] = port
	}
	if r.TLS != nil {
		all["x-forwarded-proto"] = "https"
	}
	for name, values := range r.Header {
		if name != "Cookie" {
			all[strings.ToLower(name)] = strings.Join(values, ",")
		}
	}
	return all
}

func cookies(r *http.Request) (list []string) {
	for _, line := range r.Header.Values("Cookie") {
		for part := range strings.SplitSeq(line, ";") {
			if part = strings.TrimSpace(part); part != "" {
				list = append(list, part)
			}
		}
	}
	return list
}

// parameters decodes a query; repeated ones are joined with commas in order.
func parameters(query string) map[string]string {
	values, _ := url.ParseQuery(query) // what can be read of a broken one
	if len(values) == 0 {
		return nil
	}
	all := map[string]string{}
	for name, list := range values {
		all[name] = strings.Join(list, ",")
	}
	return all
}

// body is text for the types that are, and base64 for all others.
func body(data []byte, contentType string) (text string, encoded bool) {
	kind, _, _ := strings.Cut(contentType, ";")
	kind = strings.ToLower(strings.TrimSpace(kind))
	types := []string{"application/javascript", "application/json", "application/xml"}
	at := sort.SearchStrings(types, kind)
	known := at < len(types) && types[at] == kind
	if (known || strings.HasPrefix(kind, "text/")) && utf8.Valid(data) {
		return string(data), false
	}
	return base64.StdEncoding.EncodeToString(data), true
}
