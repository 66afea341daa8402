package runtimeapi

import (
	"bytes"
	"strconv"
)

// body reads a request's body of at most limit bytes. Where stream is set each
// part goes to it as it arrives and the result is empty; its first error makes
// the rest be discarded. A larger body is read to its end, discarded and told
// as errBodyTooLarge, so that the connection stays usable.
func (c *conn) body(r *request, limit int64, stream func([]byte) error) ([]byte, error) {
	if r.expect && r.length != 0 {
		if !c.write([]byte("HTTP/1.1 100 Continue\r\n\r\n")) {
			return nil, errTruncated
		}
	}
	sink := &sink{limit: limit, stream: stream}
	if r.length >= 0 {
		if stream == nil && r.length <= limit {
			return c.fixed(r.length)
		}
		if err := c.copy(sink, r.length); err != nil {
			return nil, err
		}
		return sink.result()
	}
	if err := c.chunked(sink); err != nil {
		return nil, err
	}
	return sink.result()
}

// discard reads a body that nobody wants. It returns false where it is too long
// or breaks off.
func (c *conn) discard(r *request) bool {
	if r.length == 0 {
		return true
	}
	_, err := c.body(r, 0, nil)
	return err == nil || err == errBodyTooLarge
}

// fixed reads a body of a known length with one allocation.
func (c *conn) fixed(length int64) ([]byte, error) {
	body := make([]byte, length)
	have := copy(body, c.buf[c.start:c.end])
	c.start += have
	for have < len(body) {
		n, err := c.net.Read(body[have:])
		have += n
		if err != nil && have < len(body) {
			return nil, errTruncated
		}
	}
	return body, nil
}

// copy moves length bytes into the sink.
func (c *conn) copy(s *sink, length int64) error {
	for length > 0 {
		if c.start == c.end {
			if err := c.fill(); err != nil {
				return errTruncated
			}
		}
		part := c.buf[c.start:c.end]
		part = part[:min(int64(len(part)), length)]
		c.start += len(part)
		length -= int64(len(part))
		if err := s.add(part); err != nil {
			return err
		}
	}
	return nil
}

// chunked reads a body in RFC 9112 section 7.1's chunks, and its trailers.
func (c *conn) chunked(s *sink) error {
	for {
		line, err := c.line()
		if err != nil {
			return err
		}
		size, _, _ := bytes.Cut(line, []byte(";"))
		n, err := strconv.ParseUint(string(bytes.Trim(size, " \t")), 16, 62)
		if err != nil {
			return errTruncated
		}
		if n == 0 {
			return c.trailers()
		}
		if err := c.copy(s, int64(n)); err != nil {
			return err
		}
		if line, err = c.line(); err != nil || len(line) != 0 {
			return errTruncated
		}
	}
}

// trailers reads the trailer section; two of its fields tell of an error that
// came after the first bytes of the response.
func (c *conn) trailers() error {
	for total := 0; total < maxHead; {
		line, err := c.line()
		if err != nil {
			return err
		}
		if len(line) == 0 {
			return nil
		}
		total += len(line)
		name, value, _ := bytes.Cut(line, []byte(":"))
		value = bytes.Trim(value, " \t")
		switch {
		case is(name, "lambda-runtime-function-error-type"):
			c.trailerType = string(value)
		case is(name, "lambda-runtime-function-error-body"):
			c.trailerBody = string(value)
		}
	}
	return errTruncated
}

// line reads up to CRLF; the result lives until the next read.
func (c *conn) line() ([]byte, error) {
	for {
		window := c.buf[c.start:c.end]
		if at := bytes.Index(window, []byte("\r\n")); at >= 0 {
			c.start += at + 2
			return window[:at], nil
		}
		if len(window) > maxHead {
			return nil, errTruncated
		}
		if err := c.fill(); err != nil {
			return nil, errTruncated
		}
	}
}

// sink collects a body, or streams it, and knows when it is too large.
type sink struct {
	limit  int64
	stream func([]byte) error
	total  int64
	data   []byte
	broken bool // the receiver of the stream went away
}

func (s *sink) add(part []byte) error {
	s.total += int64(len(part))
	if s.total > discardLimit {
		return errTruncated
	}
	switch {
	case s.total > s.limit:
		s.data = nil
	case s.stream == nil:
		s.data = append(s.data, part...)
	case !s.broken:
		s.broken = s.stream(part) != nil
	}
	return nil
}

func (s *sink) result() ([]byte, error) {
	if s.total > s.limit {
		return nil, errBodyTooLarge
	}
	if s.data == nil && s.stream == nil {
		s.data = []byte{}
	}
	return s.data, nil
}
