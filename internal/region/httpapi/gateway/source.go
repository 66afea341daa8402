package gateway

import (
	"strconv"
	"strings"

	"github.com/seed-615d3599/roost/internal/region/httpapi/event"
	"github.com/seed-615d3599/roost/internal/region/httpapi/vars"
)

// source gives selection expressions and access logs the values of a call.
type source struct{ c *call }

// Value implements vars.Source.
func (s source) Value(root vars.Root, name string) (string, bool) {
	c := s.c
	switch root {
	case vars.Header:
		if name == "host" {
			return string(c.in.host), true
		}
		return c.event.Header(name)
	case vars.Query:
		var e event.Encoder
		return e.Query(c.query, name)
	case vars.Body:
		return vars.FromBody(c.body, name)
	case vars.Path:
		if name == "" {
			return c.path, true
		}
		for _, p := range c.params {
			if p.Name == name {
				return p.Value, true
			}
		}
		return "", false
	case vars.StageVariable:
		v, ok := c.stage.Variables[name]
		return v, ok
	case vars.ResponseHeader:
		return c.responseHeader(name)
	case vars.ResponseBody:
		return vars.FromBody(c.res.Body, name)
	}
	v := c.context(name)
	return v, v != ""
}

func (c *call) responseHeader(lower string) (string, bool) {
	var values []string
	for _, f := range c.res.Fields {
		if strings.EqualFold(string(f.Name), lower) {
			values = append(values, string(f.Value))
		}
	}
	return strings.Join(values, ","), len(values) > 0
}

// context is the table of $context variables (Developer Guide, "Customize HTTP
// API access logs"). It returns "" for what the request does not have.
func (c *call) context(name string) string {
	if property, ok := strings.CutPrefix(name, "authorizer."); ok {
		return c.authorizerVariable(property)
	}
	if property, ok := strings.CutPrefix(name, "identity."); ok {
		return c.identityVariable(property)
	}
	switch name {
	case "accountId":
		return c.event.Account
	case "apiId":
		return c.event.API
	case "awsEndpointRequestId", "integration.requestId":
		return c.integrationID
	case "awsEndpointRequestId2":
		return c.integrationID2
	case "customDomain.basePathMatched":
		return c.mapping
	case "dataProcessed":
		return strconv.Itoa(len(c.body) + c.length)
	case "domainName":
		return c.event.DomainName
	case "domainPrefix":
		prefix, _, _ := strings.Cut(c.event.DomainName, ".")
		return prefix
	case "error.message", "error.messageString":
		return c.errorText
	case "error.responseType":
		if c.errorText == "" {
			return ""
		}
		return vars.ResponseType(c.status)
	case "extendedRequestId", "requestId":
		return c.event.ID
	case "httpMethod":
		return c.in.method
	case "integration.error", "integrationErrorMessage":
		return c.integrationError
	case "integration.integrationStatus", "integrationStatus":
		return positive(c.integrationStatus)
	case "integration.status":
		return positive(c.functionStatus)
	case "integration.latency", "integrationLatency":
		if c.integrationStatus == 0 && c.integrationError == "" {
			return ""
		}
		return strconv.FormatInt(c.integrationLatency.Milliseconds(), 10)
	}
	return c.requestVariable(name)
}

func (c *call) requestVariable(name string) string {
	switch name {
	case "path":
		return c.event.Path
	case "protocol":
		return c.event.Protocol
	case "requestTime":
		return string(event.AppendTime(make([]byte, 0, len("02/Jan/2006:15:04:05 +0000")), c.in.time))
	case "requestTimeEpoch":
		return strconv.FormatInt(c.in.time.UnixMilli(), 10)
	case "responseLatency":
		return strconv.FormatInt(c.g.config.Now().Sub(c.in.time).Milliseconds(), 10)
	case "responseLength":
		return strconv.Itoa(c.length)
	case "routeKey":
		return c.event.RouteKey
	case "stage":
		return c.event.Stage
	case "status":
		return positive(c.status)
	}
	return ""
}

func positive(n int) string {
	if n == 0 {
		return ""
	}
	return strconv.Itoa(n)
}

func (c *call) authorizerVariable(name string) string {
	if name == "error" {
		return c.authorizerError
	}
	if claim, ok := strings.CutPrefix(name, "claims."); ok && c.claims != nil {
		v, _ := c.claims.Claim(claim)
		return v
	}
	a := &c.event.Authorizer
	if name == "principalId" && a.Principal != "" {
		return a.Principal
	}
	if a.Context == nil {
		return ""
	}
	v, _ := vars.FromBody(a.Context, name)
	return v
}

// identityVariable knows no client certificates: mutual TLS is not served.
func (c *call) identityVariable(name string) string {
	switch name {
	case "sourceIp":
		return c.event.SourceIP
	case "userAgent":
		agent, _ := c.field("User-Agent")
		return string(agent)
	}
	id := c.event.Identity
	if id == nil {
		return ""
	}
	kind, provider := id.CognitoAuthentication()
	switch name {
	case "accountId":
		return id.Account
	case "caller":
		return id.Caller
	case "user":
		return id.User
	case "userArn":
		return id.UserARN
	case "cognitoAuthenticationProvider":
		return provider
	case "cognitoAuthenticationType":
		return kind
	case "cognitoIdentityId":
		return id.CognitoIdentity
	case "cognitoIdentityPoolId":
		return id.CognitoPool
	}
	return ""
}
