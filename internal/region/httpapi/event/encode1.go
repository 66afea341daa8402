package event

import (
	"bytes"
	"strconv"
	"strings"
	"time"

	"github.com/seed-615d3599/roost/internal/region/http1"
)

// V1 returns the event of payload format 1.0.
func (e *Encoder) V1(r *Request) []byte {
	b := e.begin(r)
	b = appendMember(b, "version", "1.0")
	b = e.appendRequest1(b, r)
	b = appendContext1(b, r)
	b = appendParams1(b, r)
	b = appendStageVariables1(b, r)
	if len(r.Body) == 0 {
		b = append(b, `,"body":null`...)
	}
	b = appendBody(b, r)
	e.out = append(b, '}')
	return e.out
}

// appendRequest1 appends what format 1.0 and its authorizer events share.
func (e *Encoder) appendRequest1(b []byte, r *Request) []byte {
	b = appendMember(b, "resource", r.routePath())
	b = appendMember(b, "path", r.path1())
	b = appendMember(b, "httpMethod", r.Method)
	b = append(b, `,"headers":{`...)
	b = appendLast(b, r.Headers, titleCased)
	b = append(b, `},"multiValueHeaders":{`...)
	b = appendLists(b, r.Headers, titleCased)
	b = append(b, '}')
	query := e.parseQuery(r.RawQuery)
	if len(query) == 0 {
		return append(b, `,"queryStringParameters":null,"multiValueQueryStringParameters":null`...)
	}
	b = append(b, `,"queryStringParameters":{`...)
	b = appendLast(b, query, asIs)
	b = append(b, `},"multiValueQueryStringParameters":{`...)
	b = appendLists(b, query, asIs)
	return append(b, '}')
}

func (r *Request) path1() string {
	if r.MappedPath != "" {
		return r.MappedPath
	}
	return r.Path
}

func asIs(name []byte) []byte { return name }

// appendLast appends members with the last value of each name. Fields are sorted.
func appendLast(b []byte, fields []http1.Field, spell func([]byte) []byte) []byte {
	first := true
	for i, f := range fields {
		if i+1 < len(fields) && bytes.Equal(fields[i+1].Name, f.Name) {
			continue
		}
		if !first {
			b = append(b, ',')
		}
		first = false
		b = append(appendString(b, spell(f.Name)), ':')
		b = appendString(b, f.Value)
	}
	return b
}

// appendLists appends members with all values of each name.
func appendLists(b []byte, fields []http1.Field, spell func([]byte) []byte) []byte {
	for i, f := range fields {
		switch {
		case i == 0:
			b = append(appendString(b, spell(f.Name)), ':', '[')
		case bytes.Equal(fields[i-1].Name, f.Name):
			b = append(b, ',')
		default:
			b = append(b, ']', ',')
			b = append(appendString(b, spell(f.Name)), ':', '[')
		}
		b = appendString(b, f.Value)
	}
	if len(fields) > 0 {
		b = append(b, ']')
	}
	return b
}

func appendContext1(b []byte, r *Request) []byte {
	b = append(b, `,"requestContext":{`...)
	b = appendMember(b, "accountId", r.Account)
	b = appendMember(b, "apiId", r.API)
	b = appendAuthorizer1(b, r)
	b = appendMember(b, "domainName", r.DomainName)
	b = appendMember(b, "domainPrefix", r.domainPrefix())
	b = appendMember(b, "extendedRequestId", r.ID)
	b = appendMember(b, "httpMethod", r.Method)
	b = appendIdentity1(b, r)
	b = appendMember(b, "path", r.path1())
	b = appendMember(b, "protocol", r.Protocol)
	b = appendMember(b, "requestId", r.ID)
	b = append(b, `,"requestTime":"`...)
	b = AppendTime(b, r.Time)
	b = append(b, `","requestTimeEpoch":`...)
	b = strconv.AppendInt(b, r.Time.UnixMilli(), 10)
	b = appendMember(b, "resourceId", r.RouteKey)
	b = appendMember(b, "resourcePath", r.routePath())
	b = appendMember(b, "stage", r.Stage)
	return append(b, '}')
}

func appendAuthorizer1(b []byte, r *Request) []byte {
	a := &r.Authorizer
	switch {
	case a.Claims != nil:
		b = append(b, `,"authorizer":{`...)
		b = appendRaw(b, "claims", a.Claims)
		b = appendRaw(b, "scopes", orNull(a.Scopes))
		return append(b, '}')
	case a.Lambda:
		b = append(b, `,"authorizer":{`...)
		if a.Principal != "" {
			b = appendMember(b, "principalId", a.Principal)
		}
		if members := bytes.TrimSpace(a.Context); len(members) > 2 {
			if b[len(b)-1] != '{' {
				b = append(b, ',')
			}
			b = append(b, members[1:len(members)-1]...)
		}
		return append(b, '}')
	}
	return b
}

func appendIdentity1(b []byte, r *Request) []byte {
	id := r.Identity
	if id == nil {
		id = &Identity{}
	}
	kind, provider := id.cognitoAuthentication()
	b = append(b, `,"identity":{`...)
	b = appendOptional(b, "accessKey", id.AccessKey)
	b = appendOptional(b, "accountId", id.Account)
	b = appendOptional(b, "caller", id.Caller)
	if id.CognitoIdentity == "" {
		b = appendRaw(b, "cognitoAmr", "null")
	} else {
		b = appendStrings(append(b, `,"cognitoAmr":`...), id.AMR)
	}
	b = appendOptional(b, "cognitoAuthenticationProvider", provider)
	b = appendOptional(b, "cognitoAuthenticationType", kind)
	b = appendOptional(b, "cognitoIdentityId", id.CognitoIdentity)
	b = appendOptional(b, "cognitoIdentityPoolId", id.CognitoPool)
	b = appendRaw(b, "principalOrgId", "null")
	b = appendMember(b, "sourceIp", r.SourceIP)
	b = appendOptional(b, "user", id.User)
	b = appendMember(b, "userAgent", r.header("user-agent"))
	b = appendOptional(b, "userArn", id.UserARN)
	return append(b, '}')
}

// cognitoAuthentication returns what the context variables of those names say:
// "authenticated" or "unauthenticated", and the providers joined with commas.
func (id *Identity) cognitoAuthentication() (kind, provider string) {
	if id == nil || len(id.AMR) == 0 {
		return "", ""
	}
	return id.AMR[0], strings.Join(id.AMR[1:], ",")
}

// CognitoAuthentication returns $context.identity.cognitoAuthenticationType and
// $context.identity.cognitoAuthenticationProvider; both are "" for other callers.
func (id *Identity) CognitoAuthentication() (kind, provider string) {
	return id.cognitoAuthentication()
}

func appendParams1(b []byte, r *Request) []byte {
	if len(r.Params) == 0 {
		return append(b, `,"pathParameters":null`...)
	}
	return appendParams(b, r)
}

func appendStageVariables1(b []byte, r *Request) []byte {
	if len(r.StageVariables) <= 2 {
		return append(b, `,"stageVariables":null`...)
	}
	return appendRaw(b, "stageVariables", r.StageVariables)
}

// AppendTime appends t as $context.requestTime has it, in UTC: the common log
// format, such as 12/Mar/2020:19:03:58 +0000. Every event and log line has one, so
// that it is written without time's general formatting.
func AppendTime(b []byte, t time.Time) []byte {
	t = t.UTC()
	year, month, day := t.Date()
	hour, minute, second := t.Clock()
	b = append(appendTwo(b, day), '/')
	b = append(append(b, month.String()[:3]...), '/')
	b = append(appendTwo(appendTwo(b, year/100), year%100), ':')
	b = append(appendTwo(b, hour), ':')
	b = append(appendTwo(b, minute), ':')
	return append(appendTwo(b, second), " +0000"...)
}

func appendTwo(b []byte, n int) []byte {
	return append(b, byte('0'+n/10%10), byte('0'+n%10))
}

// AuthorizerV2 returns the event for a Lambda authorizer of payload format
// 2.0. Without identity sources identitySource is null.
func (e *Encoder) AuthorizerV2(r *Request, routeARN string, sources []string) []byte {
	b := e.begin(r)
	b = appendMember(b, "version", "2.0")
	b = appendMember(b, "type", "REQUEST")
	b = appendMember(b, "routeArn", routeARN)
	if len(sources) == 0 {
		b = appendRaw(b, "identitySource", "null")
	} else {
		b = appendStrings(append(b, `,"identitySource":`...), sources)
	}
	b = appendMember(b, "routeKey", r.RouteKey)
	b = e.appendRequest2(b, r)
	b = appendContext2(b, r)
	if len(r.Params) > 0 {
		b = appendParams(b, r)
	}
	if len(r.StageVariables) > 2 {
		b = appendRaw(b, "stageVariables", r.StageVariables)
	}
	e.out = append(b, '}')
	return e.out
}

// AuthorizerV1 returns the event for a Lambda authorizer of payload format 1.0.
func (e *Encoder) AuthorizerV1(r *Request, methodARN string, sources []string) []byte {
	b := e.begin(r)
	b = appendMember(b, "version", "1.0")
	b = appendMember(b, "type", "REQUEST")
	b = appendMember(b, "methodArn", methodARN)
	if len(sources) == 0 {
		b = append(b, `,"identitySource":null,"authorizationToken":null`...)
	} else {
		joined := strings.Join(sources, ",")
		b = appendMember(b, "identitySource", joined)
		b = appendMember(b, "authorizationToken", joined)
	}
	b = e.appendRequest1(b, r)
	b = appendContext1(b, r)
	b = appendParams1(b, r)
	b = appendStageVariables1(b, r)
	e.out = append(b, '}')
	return e.out
}
