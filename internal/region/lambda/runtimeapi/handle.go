package runtimeapi

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"regexp"
)

// tooLarge is the document that a caller gets for a response over MaxPayload,
// and truncated the one for a response that broke off.
const (
	tooLarge  = `{"errorMessage":"Response payload size exceeded maximum allowed payload size (6291556 bytes).","errorType":"Function.ResponseSizeTooLarge"}`
	truncated = `{"errorMessage":"HTTP request detected as truncated","errorType":"Runtime.TruncatedResponse"}`
)

// handle answers one request. It returns false where the connection must end.
func (s *Session) handle(c *conn, r *request) bool {
	rest, ok := bytes.CutPrefix(r.path, []byte("/2018-06-01/runtime/"))
	if !ok {
		return c.refuse(r, 404, errorBody("not found: "+printable(r.path)+
			": only the Runtime API 2018-06-01 is served here; extensions, logs and telemetry are not", "NotFound"))
	}
	switch {
	case string(rest) == "invocation/next":
		return s.handleNext(c, r)
	case string(rest) == "init/error":
		return s.handleInitError(c, r)
	}
	if rest, ok = bytes.CutPrefix(rest, []byte("invocation/")); ok && string(r.method) == "POST" {
		if id, ok := bytes.CutSuffix(rest, []byte("/response")); ok {
			return s.handleResponse(c, r, id)
		}
		if id, ok := bytes.CutSuffix(rest, []byte("/error")); ok {
			return s.handleError(c, r, id)
		}
	}
	return c.refuse(r, 404, errorBody("not found: "+printable(r.path), "NotFound"))
}

func (s *Session) handleNext(c *conn, r *request) bool {
	if string(r.method) != "GET" {
		return c.refuse(r, 405, errorBody("use GET", "MethodNotAllowed"))
	}
	if !c.discard(r) {
		return false
	}
	s.next(c)
	return true
}

func (s *Session) handleInitError(c *conn, r *request) bool {
	if string(r.method) != "POST" {
		return c.refuse(r, 405, errorBody("use POST", "MethodNotAllowed"))
	}
	kind := errorType(r.errorType, "Runtime.Unknown")
	body, err := c.body(r, MaxPayload, nil)
	if errors.Is(err, errBodyTooLarge) {
		return c.reply(413, errorBody("Exceeded maximum allowed payload size (6291556 bytes).", "RequestEntityTooLarge"))
	}
	if err != nil {
		return false
	}
	status, answer := s.initError(Outcome{Payload: body, ContentType: "application/json", Failed: true, ErrorType: kind})
	return c.reply(status, answer)
}

func (s *Session) handleResponse(c *conn, r *request, id []byte) bool {
	inv, status, answer := s.begin(id, stateResponse)
	if inv == nil {
		return c.refuse(r, status, answer)
	}
	if r.responseMode != "" && r.responseMode != "streaming" {
		s.finish(inv, Outcome{Payload: []byte(`{"errorType":"Runtime.InvalidResponseModeHeader"}`), Failed: true, ErrorType: "Runtime.InvalidResponseModeHeader"})
		return c.refuse(r, 400, errorBody("Invalid function response mode", "InvalidFunctionResponseMode"))
	}
	out := Outcome{ContentType: r.contentType}
	limit := int64(MaxPayload)
	var stream func([]byte) error
	if r.responseMode == "streaming" && inv.Stream != nil {
		out.Streamed, limit = true, MaxStream
		contentType := r.contentType
		stream = func(part []byte) error { return inv.Stream(contentType, part) }
	}
	var err error
	out.Payload, err = c.body(r, limit, stream)
	switch {
	case errors.Is(err, errBodyTooLarge):
		s.finish(inv, failure(tooLarge, "Function.ResponseSizeTooLarge", out.Streamed))
		return c.reply(413, errorBody("Exceeded maximum allowed payload size (6291556 bytes).", "RequestEntityTooLarge"))
	case err != nil:
		s.finish(inv, failure(truncated, "Runtime.TruncatedResponse", out.Streamed))
		c.reply(400, errorBody("HTTP request detected as truncated", "TruncatedHTTPRequest"))
		return false
	case c.trailerType != "":
		out = trailerFailure(c.trailerType, c.trailerBody, out.Streamed)
	}
	s.finish(inv, out)
	return c.accepted()
}

func (s *Session) handleError(c *conn, r *request, id []byte) bool {
	inv, status, answer := s.begin(id, stateErrorReponse)
	if inv == nil {
		return c.refuse(r, status, answer)
	}
	kind := errorType(r.errorType, "Function.Unknown")
	body, err := c.body(r, MaxPayload, nil)
	if errors.Is(err, errBodyTooLarge) {
		s.finish(inv, failure(tooLarge, "Function.ResponseSizeTooLarge", false))
		return c.reply(413, errorBody("Exceeded maximum allowed payload size (6291556 bytes).", "RequestEntityTooLarge"))
	}
	if err != nil {
		s.finish(inv, failure(truncated, "Runtime.TruncatedResponse", false))
		return false
	}
	s.finish(inv, Outcome{Payload: body, ContentType: "application/json", Failed: true, ErrorType: kind})
	return c.accepted()
}

func failure(document, kind string, streamed bool) Outcome {
	return Outcome{Payload: []byte(document), ContentType: "application/json", Failed: true, ErrorType: kind, Streamed: streamed}
}

// trailerFailure is an error that came after the first bytes of a response, in
// the trailers Lambda-Runtime-Function-Error-Type and -Body (base64).
func trailerFailure(kind, body string, streamed bool) Outcome {
	document, err := base64.StdEncoding.DecodeString(body)
	if err != nil || !json.Valid(document) {
		document = []byte(`{"errorType":"` + errorType(kind, "Function.Unknown") + `"}`)
	}
	return Outcome{Payload: document, ContentType: "application/json", Failed: true,
		ErrorType: errorType(kind, "Function.Unknown"), Streamed: streamed}
}

// errorType lets through what Lambda lets through of the header
// Lambda-Runtime-Function-Error-Type.
func errorType(header, otherwise string) string {
	if header == "" {
		return otherwise
	}
	if kind := regexp.MustCompile(`^(Runtime|Function)\.[A-Z][a-zA-Z]+$`).FindString(header); kind != "" {
		return kind
	}
	return otherwise
}

// printable keeps foreign bytes short and harmless in a message.
func printable(b []byte) string {
	if len(b) > 200 {
		b = b[:200]
	}
	return string(bytes.ToValidUTF8(b, []byte("?")))
}
