package http1

import (
	"io"
	"net/http"
	"net/url"
	"strconv"
)

// Adapt makes a Handler of one for net/http, for paths that are not hot. The
// request's context ends with the client's connection if the request has no body. The
// ResponseWriter is also an http.Flusher; it is not an http.Hijacker.
func Adapt(h http.Handler) Handler {
	return func(w *Response, r *Request) {
		req, err := r.netHTTP()
		if err != nil {
			w.Refuse(refusal(400, err.Error()))
			return
		}
		rw := &responseWriter{w: w, header: http.Header{}}
		h.ServeHTTP(rw, req)
		rw.end()
	}
}

// netHTTP copies the request into one of net/http.
func (r *Request) netHTTP() (*http.Request, error) {
	target := string(r.Target)
	u, err := url.ParseRequestURI(target)
	if err != nil {
		return nil, err
	}
	header := make(http.Header, len(r.Fields))
	for _, f := range r.Fields {
		if !EqualFold(f.Name, "Host") {
			header.Add(string(f.Name), string(f.Value))
		}
	}
	req := &http.Request{
		Method: r.Method, URL: u, RequestURI: target,
		Proto: "HTTP/1." + strconv.Itoa(r.Minor), ProtoMajor: 1, ProtoMinor: r.Minor,
		Header: header, Host: string(r.Host),
		Body: http.NoBody, ContentLength: r.ContentLength,
		RemoteAddr: r.RemoteAddr(), TLS: r.TLS(), Close: r.close,
	}
	if r.ContentLength != 0 {
		req.Body = io.NopCloser(r)
	}
	if r.ContentLength < 0 {
		req.TransferEncoding = []string{"chunked"}
	}
	return req.WithContext(r.Context()), nil
}

// responseWriter keeps a short body back to send it with its length.
type responseWriter struct {
	w      *Response
	header http.Header // the handler's
	sent   http.Header // what it was at WriteHeader
	status int
	body   []byte
	stream *Stream
	err    error
}

const heldBack = 64 << 10

func (rw *responseWriter) Header() http.Header { return rw.header }

func (rw *responseWriter) WriteHeader(status int) {
	if rw.status != 0 || status < 200 {
		return
	}
	rw.status = status
	rw.sent = rw.header.Clone() // what the handler changes from now on has no effect
}

func (rw *responseWriter) Write(p []byte) (int, error) {
	rw.WriteHeader(http.StatusOK)
	if rw.status == 204 || rw.status == 304 {
		return 0, http.ErrBodyNotAllowed
	}
	if rw.stream == nil && len(rw.body)+len(p) <= heldBack {
		rw.body = append(rw.body, p...)
		return len(p), nil
	}
	rw.Flush()
	if rw.err != nil {
		return 0, rw.err
	}
	return rw.stream.Write(p)
}

// Flush sends what has been held back.
func (rw *responseWriter) Flush() {
	rw.WriteHeader(http.StatusOK)
	if rw.stream == nil && rw.err == nil {
		rw.begin(rw.body)
		length := int64(-1)
		if n, err := strconv.ParseInt(rw.sent.Get("Content-Length"), 10, 64); err == nil && n >= 0 {
			length = n
		}
		rw.stream, rw.err = rw.w.Stream(length)
	}
	if rw.err == nil && len(rw.body) > 0 {
		_, rw.err = rw.stream.Write(rw.body)
		rw.body = nil
	}
}

// begin writes the head, with the content type sniffed from the body as net/http does.
func (rw *responseWriter) begin(body []byte) {
	rw.w.Begin(rw.status)
	if _, ok := rw.sent["Content-Type"]; !ok && len(body) > 0 {
		rw.w.Header("Content-Type", http.DetectContentType(body))
	}
	for name, values := range rw.sent {
		for _, v := range values {
			if name == "Connection" && v == "close" {
				rw.w.CloseAfter()
			}
			rw.w.Header(name, v) // what belongs to the connection is refused, and rightly so
		}
	}
}

func (rw *responseWriter) end() {
	rw.WriteHeader(http.StatusOK)
	switch {
	case rw.stream != nil:
		rw.stream.Close()
	case rw.w.head && rw.sent.Get("Content-Length") != "":
		rw.Flush()
		if rw.stream != nil {
			rw.stream.Close()
		}
	default:
		rw.begin(rw.body)
		rw.w.Send(rw.body)
	}
}
