package sigv4

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"strings"
)

// What S3 accepts in X-Amz-Content-Sha256 instead of a hash (S3 API Reference,
// "Signature calculations for the Authorization header").
const (
	// PayloadUnsigned leaves the body out of the signature.
	PayloadUnsigned = "UNSIGNED-PAYLOAD"
	// PayloadStreaming announces chunks that are each signed.
	PayloadStreaming = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"
	// PayloadStreamingTrailer announces signed chunks and a signed trailer.
	PayloadStreamingTrailer = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER"
	// PayloadStreamingUnsignedTrailer announces unsigned chunks and a trailer,
	// which has a checksum.
	PayloadStreamingUnsignedTrailer = "STREAMING-UNSIGNED-PAYLOAD-TRAILER"
)

// payloadHash returns the last line of the canonical request. Outside S3 it is
// always the hash of the body, whatever the request declares.
func (v *Verifier) payloadHash(r *Request, c *claim) (string, *Error) {
	if !v.S3 {
		if r.PayloadHash != "" {
			return r.PayloadHash, nil
		}
		return HashPayload(r.Body), nil
	}
	if err := checkAllSigned(r, c); err != nil {
		return "", err
	}
	switch hash := c.contentSHA256; {
	case hash == "" && c.presigned:
		return PayloadUnsigned, nil
	case hash == "":
		return "", refuse(400, CodeInvalidRequest, "Missing required header for this request: x-amz-content-sha256")
	case hash == PayloadUnsigned, hash == PayloadStreaming, hash == PayloadStreamingTrailer,
		hash == PayloadStreamingUnsignedTrailer, isHash(hash):
		return hash, nil
	case strings.HasPrefix(hash, "STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD"):
		return "", refuse(501, CodeNotImplemented, "A header you provided implies functionality that is not implemented: x-amz-content-sha256: %s", hash)
	default:
		return "", refuse(400, CodeInvalidArgument, "x-amz-content-sha256 must be UNSIGNED-PAYLOAD, STREAMING-UNSIGNED-PAYLOAD-TRAILER, STREAMING-AWS4-HMAC-SHA256-PAYLOAD, STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER, STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD, STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD-TRAILER or a valid sha256 value.")
	}
}

// checkAllSigned refuses x-amz- headers that are not signed, as S3 does. The
// payload hash needs no signature: it is in the canonical request anyway.
func checkAllSigned(r *Request, c *claim) *Error {
	for i := range r.Header {
		name := r.Header[i].Name
		if len(name) < 6 || !isNamed(name[:6], "x-amz-") || isNamed(name, "x-amz-content-sha256") {
			continue
		}
		if !lists(c.signedHeaders, strings.ToLower(name)) {
			return refuse(403, CodeAccessDenied, "There were headers present in the request which were not signed")
		}
	}
	return nil
}

func isHash(s string) bool {
	return len(s) == sha256.Size*2 && strings.Trim(s, "0123456789abcdef") == ""
}

// ErrBodyTooLarge is returned by ReadBody for a body over the limit.
var ErrBodyTooLarge = errors.New("body too large")

// ReadBody reads a body of at most limit bytes, hashing it on the way, and
// returns it with its SHA-256 in hex, for Request.Body and Request.PayloadHash.
// A longer body is an ErrBodyTooLarge; no more than one byte over the limit is
// read of it.
func ReadBody(body io.Reader, limit int64) ([]byte, string, error) {
	if body == nil {
		return nil, emptyHash, nil
	}
	digest := sha256.New()
	data, err := io.ReadAll(io.TeeReader(io.LimitReader(body, limit+1), digest))
	if err != nil {
		return nil, "", err
	}
	if int64(len(data)) > limit {
		return nil, "", fmt.Errorf("%w: more than %d bytes", ErrBodyTooLarge, limit)
	}
	return data, hex.EncodeToString(digest.Sum(nil)), nil
}
