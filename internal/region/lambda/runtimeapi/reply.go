package runtimeapi

import (
	"strconv"
)

// accepted is the answer to every response and error that is taken.
func (c *conn) accepted() bool { return c.write([]byte(acceptedReply)) }

const acceptedReply = "HTTP/1.1 202 Accepted\r\nContent-Type: application/json\r\nContent-Length: 16\r\n\r\n" + statusOK

// reply writes an answer with a JSON body. It returns whether that worked.
func (c *conn) reply(status int, body string) bool {
	head := "HTTP/1.1 " + strconv.Itoa(status) + " " + reason(status) +
		"\r\nContent-Type: application/json\r\nContent-Length: " + strconv.Itoa(len(body)) + "\r\n\r\n"
	return c.write([]byte(head + body))
}

// refuse discards the request's body and writes an error.
func (c *conn) refuse(r *request, status int, body string) bool {
	return c.discard(r) && c.reply(status, body)
}

func (c *conn) write(b []byte) bool {
	c.wmu.Lock()
	defer c.wmu.Unlock()
	_, err := c.net.Write(b)
	return err == nil
}

// maxJoined is up to what size a payload is copied behind its headers, so that
// both leave in one packet.
const maxJoined = 256 << 10

// writeInvocation answers GET …/next. An error is not told: a runtime that does
// not read dies of its time limit, and one that is gone is seen to be gone.
func (c *conn) writeInvocation(inv *Invocation) {
	c.wmu.Lock()
	defer c.wmu.Unlock()
	out := append(c.out[:0], "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nLambda-Runtime-Aws-Request-Id: "...)
	out = append(out, inv.RequestID...)
	out = append(out, "\r\nLambda-Runtime-Deadline-Ms: "...)
	out = strconv.AppendInt(out, inv.Deadline.UnixMilli(), 10)
	out = appendHeader(out, "\r\nLambda-Runtime-Invoked-Function-Arn: ", inv.InvokedFunctionARN)
	out = appendHeader(out, "\r\nLambda-Runtime-Trace-Id: ", inv.TraceID)
	out = appendHeader(out, "\r\nLambda-Runtime-Client-Context: ", inv.ClientContext)
	out = appendHeader(out, "\r\nLambda-Runtime-Cognito-Identity: ", inv.CognitoIdentity)
	out = append(out, "\r\nContent-Length: "...)
	out = strconv.AppendInt(out, int64(len(inv.Payload)), 10)
	out = append(out, "\r\n\r\n"...)
	if len(inv.Payload) <= maxJoined {
		out = append(out, inv.Payload...)
	}
	_, err := c.net.Write(out)
	if err == nil && len(inv.Payload) > maxJoined {
		c.net.Write(inv.Payload)
	}
	c.out = out[:0]
}

// appendHeader leaves empty headers out, as Lambda does, and keeps line breaks
// from splitting the head.
func appendHeader(out []byte, name, value string) []byte {
	if value == "" {
		return out
	}
	out = append(out, name...)
	for i := range len(value) {
		if ch := value[i]; ch != '\r' && ch != '\n' {
			out = append(out, ch)
		}
	}
	return out
}

func reason(status int) string {
	switch status {
	case 202:
		return "Accepted"
	case 400:
		return "Bad Request"
	case 403:
		return "Forbidden"
	case 404:
		return "Not Found"
	case 405:
		return "Method Not Allowed"
	case 413:
		return "Request Entity Too Large"
	}
	return "Internal Server Error"
}
