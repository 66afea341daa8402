package http1

import (
	"errors"
	"net"
	"net/http"
	"strconv"
	"time"
)

// Response writes the answer to one request. Its methods are for the handler's
// goroutine, until the handler returns.
type Response struct {
	conn   *conn
	out    []byte // the head, and a small body
	head   bool   // answers HEAD: no body goes out
	minor  int
	status int
	began  bool
	sent   bool // the whole answer is out
	dated  bool
	close  bool // the connection ends with this answer
	alive  bool // an HTTP/1.0 client is told that the connection stays
	err    error

	deadline time.Time // for writing
}

// ErrSent is returned for an answer that has been sent already.
var ErrSent = errors.New("http1: the request has been answered")

func (w *Response) reset(r *Request) {
	w.head, w.minor = r.Method == "HEAD", r.Minor
	w.alive = r.Minor == 0 && r.keepAlive
	w.close = r.close || r.Minor == 0 && !r.keepAlive
	w.began, w.sent, w.dated, w.err = false, false, false, nil
	w.out = w.out[:0]
	if cap(w.out) > keptBuffer {
		w.out = w.conn.srv.buffer()[:0]
	}
}

// Begin starts the answer's head with a status of three digits, and drops a head
// that was begun before but not sent.
func (w *Response) Begin(status int) {
	if w.sent {
		w.err = ErrSent
		return
	}
	if status < 200 || status > 999 {
		status = 500
	}
	w.began, w.dated, w.status = true, false, status
	w.out = append(w.out[:0], "HTTP/1.1 "...)
	w.out = strconv.AppendInt(w.out, int64(status), 10)
	w.out = append(w.out, ' ')
	w.out = append(w.out, http.StatusText(status)...)
	w.out = append(w.out, "\r\n"...)
}

// Header adds a field to the head. Fields that the server itself sets
// (Content-Length, Transfer-Encoding, Connection) and those that would break the
// head are left out, with an error that says so.
func (w *Response) Header(name, value string) error {
	if !ValidField(name, value) {
		return refusal(500, "a header field of the answer has a bad name or value")
	}
	switch len(name) {
	case len("Date"):
		w.dated = w.dated || EqualFold([]byte(name), "Date")
	case len("Connection"), len("Content-Length"), len("Transfer-Encoding"):
		if IsFraming(name) {
			return refusal(500, "the server itself sets "+name)
		}
	}
	w.out = append(w.out, name...)
	w.out = append(w.out, ": "...)
	w.out = append(w.out, value...)
	w.out = append(w.out, "\r\n"...)
	return nil
}

// Field is Header for a name and value in bytes, such as those of a Request's Fields.
func (w *Response) Field(name, value []byte) error {
	if !isToken(name) || !isFieldValue(value) {
		return refusal(500, "a header field of the answer has a bad name or value")
	}
	switch len(name) {
	case len("Date"):
		w.dated = w.dated || EqualFold(name, "Date")
	case len("Connection"), len("Content-Length"), len("Transfer-Encoding"):
		if IsFraming(string(name)) {
			return refusal(500, "the server itself sets "+string(name))
		}
	}
	w.out = append(w.out, name...)
	w.out = append(w.out, ": "...)
	w.out = append(w.out, value...)
	w.out = append(w.out, "\r\n"...)
	return nil
}

// IsFraming reports whether a field belongs to the connection and not to the
// answer: Connection, Content-Length, Transfer-Encoding, Keep-Alive, Upgrade,
// Trailer, TE, Proxy-Connection (RFC 9110 section 7.6.1).
func IsFraming(name string) bool {
	for _, f := range [...]string{"connection", "content-length", "transfer-encoding", "keep-alive",
		"upgrade", "trailer", "te", "proxy-connection"} {
		if len(f) == len(name) && EqualFold([]byte(name), f) {
			return true
		}
	}
	return false
}

// CloseAfter ends the connection once the answer is out.
func (w *Response) CloseAfter() { w.close = true }

// Status returns the status that Begin was given, or 0.
func (w *Response) Status() int { return w.status }

// Refuse answers with what e (an *Error, or anything for a 500) says, in the JSON that
// both API Gateway and the Runtime API's clients can read, and closes the connection.
func (w *Response) Refuse(e error) error {
	status := 500
	var refused *Error
	if errors.As(e, &refused) {
		status = refused.Status
	}
	w.Begin(status)
	w.Header("Content-Type", "application/json")
	w.CloseAfter()
	return w.Send([]byte(`{"message":"` + http.StatusText(status) + `"}`))
}

// Send ends the answer with a body, which may be nil, and writes all of it to the
// connection. It does not keep body.
func (w *Response) Send(body []byte) error {
	if err := w.ready(); err != nil {
		return err
	}
	now := w.conn.srv.now()
	bodyless := w.status == 204 || w.status == 304
	if !bodyless && !(w.head && len(body) == 0) {
		w.length(int64(len(body)))
	}
	w.endHead(now)
	if bodyless || w.head {
		body = nil
	}
	w.setDeadline(now)
	w.sent = true
	w.err = w.write(body)
	return w.err
}

// ready says whether an answer can be ended now, and begins one if none was.
func (w *Response) ready() error {
	if w.err == nil && w.sent {
		return ErrSent
	}
	if w.err == nil && !w.began {
		w.Begin(200)
	}
	return w.err
}

func (w *Response) length(n int64) {
	w.out = append(w.out, "Content-Length: "...)
	w.out = strconv.AppendInt(w.out, n, 10)
	w.out = append(w.out, "\r\n"...)
}

func (w *Response) endHead(now time.Time) {
	if !w.dated {
		w.out = append(w.out, w.conn.srv.dateField(now)...)
	}
	if w.close = w.close || w.conn.srv.closing.Load(); w.close {
		w.out = append(w.out, "Connection: close\r\n"...)
	} else if w.alive {
		w.out = append(w.out, "Connection: keep-alive\r\n"...)
	}
	w.out = append(w.out, "\r\n"...)
}

// write puts out the head and the body: in one buffer if they are small, or
// else with one writev(2).
func (w *Response) write(body []byte) error {
	nc := w.conn.nc
	if len(w.out)+len(body) <= keptBuffer {
		w.out = append(w.out, body...)
		_, err := nc.Write(w.out)
		return err
	}
	buffers := net.Buffers{w.out, body}
	_, err := buffers.WriteTo(nc)
	return err
}

// setDeadline bounds the write that follows. As for reading, a little early is as good.
func (w *Response) setDeadline(now time.Time) {
	d := orDefault(w.conn.srv.WriteTimeout, 30*time.Second)
	if w.deadline.Before(now.Add(d - d/8)) {
		w.deadline = now.Add(d)
		w.conn.nc.SetWriteDeadline(w.deadline)
	}
}

// finish answers in the handler's place if it did not. It reports whether the
// answer is out.
func (w *Response) finish() bool {
	if !w.sent && w.err == nil {
		w.Begin(500)
		w.Send(nil)
	}
	return w.err == nil
}

// writeContinue tells the client to send its body (RFC 9110 section 10.1.1).
func (w *Response) writeContinue() error {
	if w.sent {
		return ErrSent
	}
	w.setDeadline(w.conn.srv.now())
	_, err := w.conn.nc.Write([]byte("HTTP/1.1 100 Continue\r\n\r\n"))
	return err
}
