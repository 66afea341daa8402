package http1

import (
	"net"
	"strconv"
)

// Stream is the body of an answer that is written in parts. Each Write goes
// out at once: as a chunk, or as it is when the length was given or the client
// speaks HTTP/1.0.
type Stream struct {
	w       *Response
	open    bool
	chunked bool
	left    int64 // of the length that was given, or -1
	prefix  [20]byte
}

// Stream writes the head and returns the body's writer. The length is the
// body's in bytes, or -1 if it is not known. An answer to HEAD and one that has no
// body (204, 304) takes what is written and drops it.
func (w *Response) Stream(length int64) (*Stream, error) {
	if err := w.ready(); err != nil {
		return nil, err
	}
	s := &w.stream
	*s = Stream{w: w, open: true, left: length}
	switch {
	case w.status == 204 || w.status == 304:
	case length >= 0:
		w.length(length)
	case w.minor == 0:
		w.close, w.alive = true, false
	default:
		s.chunked = true
		w.out = append(w.out, "Transfer-Encoding: chunked\r\n"...)
	}
	now := w.conn.srv.now()
	w.endHead(now)
	w.setDeadline(now)
	if w.err = w.write(nil); w.err != nil {
		return nil, w.err
	}
	return s, nil
}

// Write sends p. It does not keep p.
func (s *Stream) Write(p []byte) (int, error) {
	w := s.w
	if !s.open || w.err != nil {
		return 0, orErr(w.err, ErrSent)
	}
	if s.left >= 0 {
		if int64(len(p)) > s.left {
			w.err = refusal(500, "the answer's body is longer than its length said")
			return 0, w.err
		}
		s.left -= int64(len(p))
	}
	if len(p) == 0 || w.head || w.status == 204 || w.status == 304 {
		return len(p), nil
	}
	w.setDeadline(w.conn.srv.now())
	if !s.chunked {
		_, w.err = w.conn.nc.Write(p)
		return len(p), w.err
	}
	size := append(strconv.AppendInt(s.prefix[:0], int64(len(p)), 16), "\r\n"...)
	if len(p) <= bufferSize-len(s.prefix) {
		w.out = append(append(append(w.out[:0], size...), p...), "\r\n"...)
		_, w.err = w.conn.nc.Write(w.out)
		return len(p), w.err
	}
	buffers := net.Buffers{size, p, []byte("\r\n")}
	_, w.err = buffers.WriteTo(w.conn.nc)
	return len(p), w.err
}

// Close ends the body. A body shorter than its length ends the connection too,
// so that the client notices.
func (s *Stream) Close() error {
	w := s.w
	if !s.open {
		return w.err
	}
	s.open = false
	now := w.conn.srv.now()
	bodyless := w.head || w.status == 204 || w.status == 304
	switch {
	case w.err != nil:
	case s.left > 0 && !bodyless:
		w.err = refusal(500, "the answer's body is shorter than its length said")
	case s.chunked && !bodyless:
		w.setDeadline(now)
		_, w.err = w.conn.nc.Write([]byte("0\r\n\r\n"))
	}
	err := w.err
	w.finished(now, err)
	return err
}

// Abort ends the connection without ending the body, which tells the client
// that the answer is not whole.
func (s *Stream) Abort() {
	if s.open && s.w.err == nil {
		s.w.err = refusal(500, "the answer was broken off")
	}
	s.Close()
}

func orErr(err, otherwise error) error {
	if err != nil {
		return err
	}
	return otherwise
}
