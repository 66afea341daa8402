package event

import (
	"bytes"
	"encoding/base64"
	"slices"
	"strconv"

	"github.com/seed-615d3599/roost/internal/region/http1"
)

// Encoder writes events. Its zero value is ready; what it returns is valid
// until it is used again. It is for one goroutine at a time.
type Encoder struct {
	out    []byte
	names  []byte        // lower-case header names
	fields []http1.Field // sorted headers
	query  []http1.Field // decoded query parameters
	text   []byte        // what query points to
}

const keptEvent = 256 << 10 // a buffer that grew beyond is given back

// Own is a header field that the gateway adds. Its name is in lower case.
type Own struct {
	Name  string
	Value []byte
}

// Headers returns the fields for Request.Headers: names in lower case and
// sorted, values of one name in order of arrival, those that belong to the
// connection left out, and the gateway's own in place of those of the same name.
func (e *Encoder) Headers(fields []http1.Field, own ...Own) []http1.Field {
	e.fields, e.names = e.fields[:0], e.names[:0]
	for _, f := range fields {
		start := len(e.names)
		for _, c := range f.Name {
			if 'A' <= c && c <= 'Z' {
				c += 'a' - 'A'
			}
			e.names = append(e.names, c)
		}
		name := e.names[start:len(e.names):len(e.names)]
		if !ofConnection(name) && !has(own, name) {
			e.fields = append(e.fields, http1.Field{Name: name, Value: f.Value})
		}
	}
	for _, f := range own {
		start := len(e.names)
		e.names = append(e.names, f.Name...)
		e.fields = append(e.fields, http1.Field{Name: e.names[start:len(e.names):len(e.names)], Value: f.Value})
	}
	sortFields(e.fields)
	return e.fields
}

func has(own []Own, name []byte) bool {
	for i := range own {
		if own[i].Name == string(name) {
			return true
		}
	}
	return false
}

// ofConnection reports fields that end at the gateway.
func ofConnection(lower []byte) bool {
	switch len(lower) {
	case 2, 6, 7, 10, 14, 16, 17: // the lengths of those names: most fields have others
		return http1.IsFraming(string(lower)) || string(lower) == "expect"
	}
	return false
}

// sortFields sorts by name and keeps the order of equal ones.
func sortFields(fields []http1.Field) {
	if len(fields) <= 24 { // an insertion sort is quickest for what is usual
		for i := 1; i < len(fields); i++ {
			for j := i; j > 0 && bytes.Compare(fields[j].Name, fields[j-1].Name) < 0; j-- {
				fields[j], fields[j-1] = fields[j-1], fields[j]
			}
		}
		return
	}
	slices.SortStableFunc(fields, func(a, b http1.Field) int { return bytes.Compare(a.Name, b.Name) })
}

func (e *Encoder) begin(r *Request) []byte {
	if cap(e.out) > keptEvent {
		e.out = nil
	}
	if need := len(r.Body) + 2048; cap(e.out) < need {
		e.out = make([]byte, 0, need)
	}
	return append(e.out[:0], '{')
}

// V2 returns the event of payload format 2.0.
func (e *Encoder) V2(r *Request) []byte {
	b := e.begin(r)
	b = appendMember(b, "version", "2.0")
	b = appendMember(b, "routeKey", r.RouteKey)
	b = e.appendRequest2(b, r)
	b = appendContext2(b, r)
	if len(r.Params) > 0 {
		b = appendParams(b, r)
	}
	b = appendBody(b, r)
	if len(r.StageVariables) > 2 {
		b = appendRaw(b, "stageVariables", r.StageVariables)
	}
	e.out = append(b, '}')
	return e.out
}

// appendRequest2 appends what format 2.0 and its authorizer events share.
func (e *Encoder) appendRequest2(b []byte, r *Request) []byte {
	b = appendMember(b, "rawPath", r.Path)
	b = appendMember(b, "rawQueryString", r.RawQuery)
	b = appendCookies(b, r.Headers)
	b = append(b, `,"headers":{`...)
	b = appendJoined(b, r.Headers, "cookie")
	b = append(b, '}')
	if query := e.parseQuery(r.RawQuery); len(query) > 0 {
		b = append(b, `,"queryStringParameters":{`...)
		b = appendJoined(b, query, "")
		b = append(b, '}')
	}
	return b
}

// appendJoined appends members whose repeated names are joined with commas,
// but for one name. Fields are sorted.
func appendJoined(b []byte, fields []http1.Field, except string) []byte {
	first := true
	for i := 0; i < len(fields); {
		name, end := fields[i].Name, i+1
		for end < len(fields) && bytes.Equal(fields[end].Name, name) {
			end++
		}
		if except == "" || string(name) != except {
			if !first {
				b = append(b, ',')
			}
			first = false
			b = append(appendString(b, name), ':', '"')
			for j, f := range fields[i:end] {
				if j > 0 {
					b = append(b, ',')
				}
				b = appendEscaped(b, f.Value)
			}
			b = append(b, '"')
		}
		i = end
	}
	return b
}

// appendCookies appends the parts of the Cookie fields, if there are any.
func appendCookies(b []byte, headers []http1.Field) []byte {
	some := false
	for _, f := range headers {
		if string(f.Name) != "cookie" {
			continue
		}
		for rest := f.Value; len(rest) > 0; {
			var one []byte
			one, rest, _ = bytes.Cut(rest, []byte(";"))
			if one = bytes.TrimSpace(one); len(one) == 0 {
				continue
			}
			if !some {
				b = append(b, `,"cookies":[`...)
			} else {
				b = append(b, ',')
			}
			some = true
			b = appendString(b, one)
		}
	}
	if some {
		b = append(b, ']')
	}
	return b
}

func appendContext2(b []byte, r *Request) []byte {
	b = append(b, `,"requestContext":{`...)
	b = appendMember(b, "accountId", r.Account)
	b = appendMember(b, "apiId", r.API)
	b = appendAuthorizer2(b, r)
	b = appendMember(b, "domainName", r.DomainName)
	b = appendMember(b, "domainPrefix", r.domainPrefix())
	b = append(b, `,"http":{`...)
	b = appendMember(b, "method", r.Method)
	b = appendMember(b, "path", r.Path)
	b = appendMember(b, "protocol", r.Protocol)
	b = appendMember(b, "sourceIp", r.SourceIP)
	b = appendMember(b, "userAgent", r.header("user-agent"))
	b = append(b, '}')
	b = appendMember(b, "requestId", r.ID)
	b = appendMember(b, "routeKey", r.RouteKey)
	b = appendMember(b, "stage", r.Stage)
	b = append(b, `,"time":"`...)
	b = AppendTime(b, r.Time)
	b = append(b, `","timeEpoch":`...)
	b = strconv.AppendInt(b, r.Time.UnixMilli(), 10)
	return append(b, '}')
}

func appendAuthorizer2(b []byte, r *Request) []byte {
	a := &r.Authorizer
	switch {
	case a.Claims != nil:
		b = append(b, `,"authorizer":{"jwt":{`...)
		b = appendRaw(b, "claims", a.Claims)
		b = appendRaw(b, "scopes", orNull(a.Scopes))
		return append(b, "}}"...)
	case a.Lambda:
		b = append(b, `,"authorizer":{`...)
		if a.Context == nil {
			b = appendRaw(b, "lambda", withoutContext)
		} else {
			b = appendRaw(b, "lambda", a.Context)
		}
		return append(b, '}')
	case r.Identity != nil:
		return appendIAM(b, r.Identity)
	}
	return b
}

// appendIAM appends authorizer.iam as a trace of AWS shows it.
func appendIAM(b []byte, id *Identity) []byte {
	b = append(b, `,"authorizer":{"iam":{`...)
	b = appendMember(b, "accessKey", id.AccessKey)
	b = appendMember(b, "accountId", id.Account)
	b = appendMember(b, "callerId", id.Caller)
	if id.CognitoIdentity == "" {
		b = append(b, `,"cognitoIdentity":null`...)
	} else {
		b = append(b, `,"cognitoIdentity":{"amr":`...)
		b = appendStrings(b, id.AMR)
		b = appendMember(b, "identityId", id.CognitoIdentity)
		b = appendMember(b, "identityPoolId", id.CognitoPool)
		b = append(b, '}')
	}
	b = append(b, `,"principalOrgId":null`...)
	b = appendMember(b, "userArn", id.UserARN)
	b = appendMember(b, "userId", id.User)
	return append(b, "}}"...)
}

func appendStrings(b []byte, list []string) []byte {
	b = append(b, '[')
	for i, s := range list {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendString(b, s)
	}
	return append(b, ']')
}

func orNull(json []byte) []byte {
	if json == nil {
		return []byte("null")
	}
	return json
}

func appendParams(b []byte, r *Request) []byte {
	b = append(b, `,"pathParameters":{`...)
	for i, p := range r.Params {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(appendString(b, p.Name), ':')
		b = appendString(b, p.Value)
	}
	return append(b, '}')
}

// appendBody appends body, if there is one, and isBase64Encoded.
func appendBody(b []byte, r *Request) []byte {
	switch {
	case len(r.Body) == 0:
		return append(b, `,"isBase64Encoded":false`...)
	case IsText(r.header("content-type")):
		b = appendMember(b, "body", r.Body)
		return append(b, `,"isBase64Encoded":false`...)
	}
	b = append(b, `,"body":"`...)
	b = base64.StdEncoding.AppendEncode(b, r.Body)
	return append(b, `","isBase64Encoded":true`...)
}
