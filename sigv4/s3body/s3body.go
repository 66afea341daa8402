// Package s3body reads the payload of a request to S3 and checks it against the
// request's signature while it is read.
//
//	sig, err := verifier.Verify(&r, key) // with S3 set
//	body := s3body.New(&sig, httpRequest.Body)
//	_, err = io.Copy(file, body)
//
// A wrong payload ends in a *sigv4.Error instead of io.EOF, so nothing that was
// read may be used before io.EOF. Payloads in chunks ("aws-chunked"), as the SDKs
// send them, are taken apart on the way; lines after the last chunk, which hold a
// checksum, are in Trailer.
package s3body

import (
	"crypto/sha256"
	"encoding/hex"
	"hash"
	"io"
	"strings"

	"github.com/seed-615d3599/roost/sigv4"
)

// New returns a reader of the payload. sig is from a sigv4.Verifier with S3 set,
// and body is what follows the headers on the wire. The length of a payload in
// chunks is the one declared in X-Amz-Decoded-Content-Length.
func New(sig *sigv4.Signature, body io.Reader) *Body {
	b := &Body{reader: body}
	switch {
	case strings.HasPrefix(sig.PayloadHash, "STREAMING-") && sig.DecodedLength < 0:
		b.err = refuse(411, sigv4.CodeMissingContentLength, "You must provide the Content-Length HTTP header.")
	case strings.HasPrefix(sig.PayloadHash, "STREAMING-"):
		b.chunks = newChunkReader(sig, body)
		b.reader = b.chunks
	case sig.PayloadHash != sigv4.PayloadUnsigned:
		b.reader = &hashReader{reader: body, digest: sha256.New(), want: sig.PayloadHash}
	}
	return b
}

// Body reads a payload and checks it.
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
// verified if the request's payload is sigv4.PayloadStreamingTrailer; comparing a
// checksum with the payload is the caller's business.
func (b *Body) Trailer() []sigv4.Header {
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
		err = refuse(400, sigv4.CodeXAmzContentSHA256Mismatch, "The provided 'x-amz-content-sha256' header does not match what was computed.")
	}
	return n, err
}

func refuse(status int, code, message string) *sigv4.Error {
	return &sigv4.Error{Status: status, Code: code, Message: message}
}
