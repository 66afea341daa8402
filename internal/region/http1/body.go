package http1

import (
	"bytes"
	"errors"
	"io"
	"os"
	"time"
)

// body is the rest of the request: Content-Length bytes or chunks.
type body struct {
	conn      *conn
	left      int64 // of the whole body, or of the chunk
	chunked   bool
	first     bool // no chunk has been read
	continues bool // 100 (Continue) has yet to be sent
	waited    bool // its deadline is set
	ended     bool
	err       error
}

const maxChunkLine = 256 // a chunk's size and extensions, or a trailer field, in bytes (window permitting)
const maxTrailers = 32

func (b *body) begin(r *Request) {
	*b = body{conn: r.conn, left: r.ContentLength, continues: r.expect && r.Minor == 1}
	switch {
	case r.ContentLength < 0:
		b.left, b.chunked, b.first = 0, true, true
	case r.ContentLength == 0:
		b.ended, b.continues = true, false
	}
}

// Read reads the body, for handlers that want it in parts. It returns io.EOF at
// the body's end and an *Error if it is malformed, late or cut short.
func (r *Request) Read(p []byte) (int, error) { return r.body.Read(p) }

// ReadBody reads the whole body. One of more than limit bytes is an *Error
// with status 413. The slice is valid until the handler returns.
func (r *Request) ReadBody(limit int64) ([]byte, error) {
	b := &r.body
	switch {
	case b.ended:
		return nil, nil
	case b.err != nil:
		return nil, b.err
	case r.ContentLength > limit:
		return nil, refusal(413, "the body is too large")
	case !b.chunked:
		return b.readLength()
	}
	return b.readChunks(limit)
}

// readLength reads a body of known length: out of the connection's buffer if it is there already.
func (b *body) readLength() ([]byte, error) {
	c := b.conn
	if int64(c.w-c.r) >= b.left {
		p := c.buf[c.r : c.r+int(b.left)]
		c.r += int(b.left)
		b.left, b.ended, b.continues = 0, true, false
		return p, nil
	}
	if b.left > keptBody {
		return b.readLong()
	}
	n := int(b.left)
	if cap(c.kept) < n {
		c.kept = make([]byte, n)
	}
	_, err := io.ReadFull(b, c.kept[:n])
	return c.kept[:n], err
}

// readLong makes room only for what has arrived, so that a length that is
// merely announced costs nothing.
func (b *body) readLong() ([]byte, error) {
	p := make([]byte, 0, keptBody)
	for !b.ended {
		if len(p) == cap(p) {
			grown := make([]byte, len(p), min(2*int64(cap(p)), int64(len(p))+b.left))
			copy(grown, p)
			p = grown
		}
		n, err := b.Read(p[len(p):cap(p)])
		p = p[:len(p)+n]
		if err != nil {
			return nil, err
		}
	}
	return p, nil
}

func (b *body) readChunks(limit int64) ([]byte, error) {
	c := b.conn
	p := c.kept[:0]
	for {
		if len(p) == cap(p) {
			p = append(p, 0)[:len(p)]
		}
		n, err := b.Read(p[len(p):cap(p)])
		p = p[:len(p)+n]
		if int64(len(p)) > limit {
			return nil, refusal(413, "the body is too large")
		}
		if err != nil {
			if cap(p) <= keptBody {
				c.kept = p
			}
			if err == io.EOF {
				err = nil
			}
			return p, err
		}
	}
}

func (b *body) Read(p []byte) (int, error) {
	if b.err != nil {
		return 0, b.err
	}
	if b.ended {
		return 0, io.EOF
	}
	if len(p) == 0 {
		return 0, nil
	}
	n, err := b.read(p)
	if err != nil && err != io.EOF {
		err = b.explain(err)
		b.err = err
	}
	return n, err
}

func (b *body) read(p []byte) (int, error) {
	if b.chunked && b.left == 0 {
		if err := b.nextChunk(); err != nil {
			return 0, err
		}
		if b.ended {
			return 0, io.EOF
		}
	}
	if int64(len(p)) > b.left {
		p = p[:b.left]
	}
	n, err := b.take(p)
	b.left -= int64(n)
	if !b.chunked && b.left == 0 {
		b.ended = true
	}
	return n, err
}

// take reads from the buffer or else straight from the connection.
func (b *body) take(p []byte) (int, error) {
	c := b.conn
	if c.r < c.w {
		n := copy(p, c.buf[c.r:c.w])
		c.r += n
		return n, nil
	}
	if err := b.await(); err != nil {
		return 0, err
	}
	defer c.works()
	n, err := c.nc.Read(p)
	if n > 0 {
		return n, nil
	}
	return 0, early(err)
}

// early keeps the connection's end apart from the body's.
func early(err error) error {
	if err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return err
}

// await prepares for a read that may block: the client is told to go on, the
// deadline is set, and the connection counts as waiting.
func (b *body) await() error {
	c := b.conn
	if b.continues {
		b.continues = false
		if err := c.res.writeContinue(); err != nil {
			return err
		}
	}
	now := c.srv.now()
	if d := orDefault(c.srv.BodyTimeout, 30*time.Second); !b.waited && d > 0 {
		b.waited = true
		c.setDeadline(now.Add(d))
	} else if d < 0 && !c.deadline.IsZero() {
		c.setDeadline(time.Time{})
	}
	if !c.waits(now) {
		return io.ErrUnexpectedEOF
	}
	return nil
}

// nextChunk reads a chunk's size line, or at the end the trailer section (RFC 9112 section 7.1).
func (b *body) nextChunk() error {
	if !b.first {
		if line, err := b.line(); err != nil || len(line) != 0 {
			return orMalformed(err, "a chunk is not as long as it says")
		}
	}
	b.first = false
	line, err := b.line()
	if err != nil {
		return err
	}
	size, refused := chunkSize(line)
	if refused != nil {
		return refused
	}
	b.left = size
	if size == 0 {
		return b.trailers()
	}
	return nil
}

func orMalformed(err error, reason string) error {
	if err != nil {
		return err
	}
	return refusal(400, reason)
}

// trailers reads trailer fields and drops them.
func (b *body) trailers() error {
	for range maxTrailers {
		line, err := b.line()
		if err != nil {
			return err
		}
		if len(line) == 0 {
			b.ended = true
			return nil
		}
		colon := bytes.IndexByte(line, ':')
		if colon < 1 || !isToken(line[:colon]) || !isFieldValue(line[colon+1:]) {
			return refusal(400, "a trailer line is not a field")
		}
	}
	return refusal(431, "there are too many trailer fields")
}

// chunkSize reads hexadecimal digits, and checks extensions only for their characters.
func chunkSize(line []byte) (int64, *Error) {
	size, extension, _ := bytes.Cut(line, []byte(";"))
	size = trimSpace(size)
	if len(size) == 0 || len(size) > 15 || !isFieldValue(extension) {
		return 0, refusal(400, "a chunk has no proper size")
	}
	var n int64
	for _, c := range size {
		digit := bytes.IndexByte([]byte("0123456789abcdef"), lower(c))
		if digit < 0 {
			return 0, refusal(400, "a chunk has no proper size")
		}
		n = n<<4 | int64(digit)
	}
	return n, nil
}

// line reads one line of the framing from the window behind the head.
func (b *body) line() ([]byte, error) {
	c := b.conn
	for {
		data := c.buf[c.r:c.w]
		if i := bytes.IndexByte(data, '\n'); i >= 0 {
			if i == 0 || data[i-1] != '\r' {
				return nil, refusal(400, "a line does not end with CR LF")
			}
			c.r += i + 1
			return data[:i-1], nil
		}
		if len(data) >= maxChunkLine {
			return nil, refusal(400, "a line of the chunked coding is too long")
		}
		if len(c.buf)-c.w < 1 || len(data) == 0 {
			b.rewind()
		}
		if err := b.await(); err != nil {
			return nil, err
		}
		n, err := c.nc.Read(c.buf[c.w:])
		c.works()
		c.w += n
		if n == 0 && err != nil {
			return nil, early(err)
		}
	}
}

// rewind moves the unread input back to the end of the head, so that the
// window has room.
func (b *body) rewind() {
	c := b.conn
	at := c.headEnd
	c.w = at + copy(c.buf[at:], c.buf[c.r:c.w])
	c.r = at
}

// explain turns a read error into what the handler can answer.
func (b *body) explain(err error) error {
	var refused *Error
	switch {
	case errors.As(err, &refused):
		return refused
	case errors.Is(err, os.ErrDeadlineExceeded):
		return refusal(408, "the body did not arrive in time")
	case errors.Is(err, io.ErrUnexpectedEOF):
		return refusal(400, "the body ended early")
	}
	return refusal(400, "the body could not be read: "+err.Error())
}
