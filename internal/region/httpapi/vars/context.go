package vars

import (
	"net/http"
	"strings"
)

// Known reports whether HTTP APIs have a $context variable of that name.
func Known(name string) bool {
	if strings.HasPrefix(name, "authorizer.") {
		return len(name) > len("authorizer.") // whatever an authorizer returns
	}
	switch name {
	case "accountId", "apiId", "awsEndpointRequestId", "awsEndpointRequestId2",
		"customDomain.basePathMatched", "dataProcessed", "domainName", "domainPrefix",
		"error.message", "error.messageString", "error.responseType", "extendedRequestId",
		"httpMethod",
		"identity.accountId", "identity.caller", "identity.cognitoAuthenticationProvider",
		"identity.cognitoAuthenticationType", "identity.cognitoIdentityId",
		"identity.cognitoIdentityPoolId", "identity.principalOrgId",
		"identity.clientCert.clientCertPem", "identity.clientCert.subjectDN",
		"identity.clientCert.issuerDN", "identity.clientCert.serialNumber",
		"identity.clientCert.validity.notBefore", "identity.clientCert.validity.notAfter",
		"identity.sourceIp", "identity.user", "identity.userAgent", "identity.userArn",
		"integration.error", "integration.integrationStatus", "integration.latency",
		"integration.requestId", "integration.status", "integrationErrorMessage",
		"integrationLatency", "integrationStatus",
		"path", "protocol", "requestId", "requestTime", "requestTimeEpoch",
		"responseLatency", "responseLength", "routeKey", "stage", "status":
		return true
	}
	return false
}

// Format is a parsed access log format.
type Format struct {
	parts []part
}

// Absent stands in access logs for a variable without a value.
const Absent = "-"

// ParseFormat reads an access log format: a text with $context variables. A name
// that HTTP APIs do not have is logged as Absent, as on AWS.
func ParseFormat(text string) *Format {
	f := &Format{}
	for rest := text; rest != ""; {
		before, after, found := strings.Cut(rest, "$context.")
		if before != "" {
			f.parts = append(f.parts, part{literal: before})
		}
		if !found {
			break
		}
		end := 0
		for end < len(after) && nameChar(after[end]) {
			end++
		}
		name := strings.TrimRight(after[:end], ".")
		f.parts = append(f.parts, part{sel: Selection{Root: Context, Name: name}})
		rest = after[len(name):]
	}
	return f
}

func nameChar(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '_' || c == '.'
}

// Append appends the line for one request. Quotes, backslashes and control
// characters in values are escaped as JSON has it, so that a client can neither end
// the line nor a value.
func (f *Format) Append(dst []byte, from Source) []byte {
	for _, p := range f.parts {
		if p.sel.Root == "" {
			dst = append(dst, p.literal...)
			continue
		}
		v, ok := p.sel.Value(from)
		switch {
		case !ok:
			dst = append(dst, Absent...)
		case p.sel.Name == "error.messageString":
			dst = append(escape(append(dst, '"'), v), '"')
		default:
			dst = escape(dst, v)
		}
	}
	return dst
}

func escape(dst []byte, s string) []byte {
	const digits = "0123456789abcdef"
	plain := 0 // where what needs no escape begins
	for i := range len(s) {
		c := s[i]
		if c >= ' ' && c != '"' && c != '\\' {
			continue
		}
		dst = append(dst, s[plain:i]...)
		plain = i + 1
		if c < ' ' {
			dst = append(dst, '\\', 'u', '0', '0', digits[c>>4], digits[c&15])
		} else {
			dst = append(dst, '\\', c)
		}
	}
	return append(dst, s[plain:]...)
}

// ResponseType is $context.error.responseType. HTTP APIs have no list of their own;
// these are the names of REST APIs' gateway responses.
func ResponseType(status int) string {
	switch status {
	case http.StatusUnauthorized:
		return "UNAUTHORIZED"
	case http.StatusForbidden:
		return "ACCESS_DENIED"
	case http.StatusNotFound:
		return "NOT_FOUND"
	case http.StatusRequestEntityTooLarge, http.StatusRequestHeaderFieldsTooLarge:
		return "REQUEST_TOO_LARGE"
	case http.StatusTooManyRequests:
		return "THROTTLED"
	case http.StatusServiceUnavailable:
		return "INTEGRATION_TIMEOUT"
	case http.StatusInternalServerError:
		return "INTEGRATION_FAILURE"
	}
	return "BAD_REQUEST_PARAMETERS"
}
