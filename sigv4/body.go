package sigv4

import (
	"crypto/sha256"
	"encoding/hex"
	"hash"
	"io"
	"strconv"
	"strings"
)

// Body returns a reader of the request's payload that checks it against the
// signature on the way, for requests verified with S3 set. body is what follows
// the headers on the wire. The reader answers a wrong payload with an *Error
// instead of io.EOF: nothing that was read may be used before io.EOF.
//
// If the payload comes in chunks ("aws-chunked"), the reader takes them apart
// and the number of bytes is the one declared in X-Amz-Decoded-Content-Length.
func (s *Signature) Body(body io.Reader) *Body {
	b := &Body{}
	switch {
	case strings.HasPrefix(s.PayloadHash, "STREAMING-"):
		length, err := strconv.ParseInt(s.decodedLength, 10, 64)
		if err != nil || length < 0 {
			b.err = refuse(411, CodeMissingContentLength, "You must provide the Content-Length HTTP header.")
			return b
		}
		b.chunks = newChunkReader(s, body, length)
		b.reader = b.chunks
	case s.PayloadHash == PayloadUnsigned:
		b.reader = body
	default:
		b.reader = &hashReader{reader: body, digest: sha256.New(), want: s.PayloadHash}
	}
	return b
}

// Body reads a payload and checks it. Signature.Body makes one.
type Body struct {
	reader io.Reader
	chunks *chunkReader
	err    error
}

// Read implements io.Reader.
func (b *Body) Read(p []byte) (int, error) {
	if b.err != nil {
		return 0, b.err
	}
	n, err := b.reader.Read(p)
	b.err = err
	return n, err
}

// Trailer returns the header lines that came after the last chunk, such as
// x-amz-checksum-crc32, once Read has returned io.EOF. Their signature has been
// verified if the request's payload is PayloadStreamingTrailer; comparing a
// checksum with the payload is the caller's business.
func (b *Body) Trailer() []Header {
	if b.chunks == nil || b.err != io.EOF {
		return nil
	}
	return b.chunks.trailer
}

// hashReader passes bytes on, and at the end compares their hash.
type hashReader struct {
	reader io.Reader
	digest hash.Hash
	want   string
}

func (h *hashReader) Read(p []byte) (int, error) {
	n, err := h.reader.Read(p)
	h.digest.Write(p[:n])
	if err == io.EOF && hex.EncodeToString(h.digest.Sum(nil)) != h.want {
		err = refuse(400, CodeXAmzContentSHA256Mismatch, "The provided 'x-amz-content-sha256' header does not match what was computed.")
	}
	return n, err
}
