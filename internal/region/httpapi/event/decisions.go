package event

import "bytes"

// What no document and no trace settles, or what only a trace does. Each is
// one constant or function, so that a recording can change it.

// withoutContext is authorizer.lambda for an authorizer that returned no context
// (inferred).
const withoutContext = "null"

// defaultContentType is the content type of an answer that has a statusCode and
// names none (seen in traces of HTTP APIs; function URLs say application/json).
const defaultContentType = "text/plain; charset=utf-8"

// IsText reports whether a body with that Content-Type goes into the event as
// text. Everything else, a missing type and form data included, becomes base64
// (seen in tests against AWS).
func IsText(contentType []byte) bool {
	t, _, _ := bytes.Cut(contentType, []byte(";"))
	t = bytes.TrimSpace(t)
	if len(t) >= len("text/") && equalFold(t[:len("text/")], "text/") {
		return true
	}
	return equalFold(t, "application/json") || equalFold(t, "application/xml") || equalFold(t, "application/javascript")
}

// titleCased returns the spelling that a header name has in format 1.0: eight are
// in title case and all others in lower case (seen in two independent traces).
func titleCased(lower []byte) []byte {
	switch string(lower) {
	case "content-length":
		return []byte("Content-Length")
	case "content-type":
		return []byte("Content-Type")
	case "host":
		return []byte("Host")
	case "user-agent":
		return []byte("User-Agent")
	case "x-amzn-trace-id":
		return []byte("X-Amzn-Trace-Id")
	case "x-forwarded-for":
		return []byte("X-Forwarded-For")
	case "x-forwarded-port":
		return []byte("X-Forwarded-Port")
	case "x-forwarded-proto":
		return []byte("X-Forwarded-Proto")
	}
	return lower
}
