package front

import (
	"crypto/md5"
	"encoding/base64"
	"encoding/hex"
	"io"
	"net/http"
	"net/textproto"
	"strings"
	"time"

	"github.com/seed-615d3599/roost/internal/region/assets/content"
	"github.com/seed-615d3599/roost/internal/region/assets/digest"
	"github.com/seed-615d3599/roost/internal/region/assets/fault"
	"github.com/seed-615d3599/roost/internal/region/assets/objects"
	"github.com/seed-615d3599/roost/internal/region/wire"
	"github.com/seed-615d3599/roost/sigv4"
)

// Received is a body that was written down and checked, and is not yet kept.
type Received struct {
	*content.Draft
	MD5      []byte
	Checksum objects.Checksum
}

// Part is a received body as a part.
func (got *Received) Part(number int, now time.Time) objects.Part {
	return objects.Part{Number: number, Hash: got.Hash, Size: got.Size, MD5: hex.EncodeToString(got.MD5), Checksum: got.Checksum.Value, Modified: now}
}

// Claims are what a request says of its body.
type Claims struct {
	Algorithm digest.Algorithm
	kept      digest.Algorithm // whose sum is kept; "" means Algorithm's
	value     string           // base 64; "" if it comes in the trailer, or not at all
	trailer   bool
	md5       []byte // nil if not stated
}

// Receive reads the body of a request. algorithm is that of the upload which the
// body is a part of; "" lets the client choose, and S3's own choice is CRC64NVME
// (S3 User Guide, "Checking object integrity in Amazon S3").
func (a *Front) Receive(c *wire.Call, algorithm digest.Algorithm) (*Received, error) {
	claimed, err := readClaims(c.HTTP.Header, algorithm)
	if err != nil {
		return nil, err
	}
	return a.receive(c.HTTP, claimed)
}

// ReceiveAny reads the body of a request that may state a checksum of any kind,
// which is checked. The one that is kept is algorithm's.
func (a *Front) ReceiveAny(c *wire.Call, algorithm digest.Algorithm) (*Received, error) {
	claimed, err := readClaims(c.HTTP.Header, "")
	if err != nil {
		return nil, err
	}
	claimed.kept = algorithm
	return a.receive(c.HTTP, claimed)
}

func (a *Front) receive(r *http.Request, claimed Claims) (*Received, error) {
	if err := checkLength(r); err != nil {
		return nil, err
	}
	return a.Write(r.Body, claimed)
}

// Write writes a body down and checks it.
func (a *Front) Write(body io.Reader, claimed Claims) (*Received, error) {
	sum, err := digest.New(claimed.Algorithm)
	if err != nil {
		return nil, err
	}
	algorithm, kept := claimed.Algorithm, sum
	if claimed.kept != "" && claimed.kept != algorithm {
		algorithm = claimed.kept
		if kept, err = digest.New(algorithm); err != nil {
			return nil, err
		}
	}
	md := md5.New()
	hashes := io.MultiWriter(sum, md)
	if kept != sum {
		hashes = io.MultiWriter(sum, kept, md)
	}
	draft, err := a.Keeper.Files.Write(io.TeeReader(body, hashes), MaxObject)
	if err != nil {
		return nil, fault.Body(err)
	}
	got := &Received{Draft: draft, MD5: md.Sum(nil), Checksum: objects.Checksum{Algorithm: algorithm, Value: digest.Text(kept.Sum(nil)), Type: digest.FullObject}}
	if err := got.check(body, claimed, digest.Text(sum.Sum(nil))); err != nil {
		draft.Close()
		return nil, err
	}
	return got, nil
}

// checkLength wants a body to say how long it is.
func checkLength(r *http.Request) error {
	if r.ContentLength > MaxObject+MaxObject/100 { // chunks have an overhead
		return fault.TooLarge()
	}
	if r.ContentLength < 0 && r.Header.Get("x-amz-decoded-content-length") == "" {
		return wire.Errorf(http.StatusLengthRequired, "MissingContentLength", "You must provide the Content-Length HTTP header.")
	}
	return nil
}

func readClaims(header http.Header, algorithm digest.Algorithm) (Claims, error) {
	claimed := Claims{Algorithm: algorithm}
	stated := ChecksumHeaders(header)
	for name := range strings.SplitSeq(header.Get("x-amz-trailer"), ",") {
		if name, ok := strings.CutPrefix(strings.ToLower(strings.TrimSpace(name)), "x-amz-checksum-"); ok {
			in, err := digest.Parse(name)
			if err != nil {
				return claimed, fault.InvalidRequest("The value specified in the x-amz-trailer header is not supported")
			}
			stated[in], claimed.trailer = "", true
		}
	}
	if len(stated) > 1 {
		return claimed, fault.InvalidRequest("Expecting a single x-amz-checksum- header. Multiple checksum Types are not allowed.")
	}
	for in, value := range stated {
		if algorithm != "" && in != algorithm {
			return claimed, fault.InvalidRequest("Checksum Type mismatch occurred, expected checksum Type: %s, actual checksum Type: %s", strings.ToLower(string(algorithm)), strings.ToLower(string(in)))
		}
		if !claimed.trailer && !in.Valid(value) {
			return claimed, fault.InvalidRequest("Value for %s header is invalid.", in.Header())
		}
		claimed.Algorithm, claimed.value = in, value
	}
	if named := header.Get("x-amz-sdk-checksum-algorithm"); named != "" && len(stated) == 0 {
		return claimed, fault.InvalidRequest("x-amz-sdk-checksum-algorithm specified, but no corresponding x-amz-checksum-* or x-amz-trailer headers were found.")
	}
	if claimed.Algorithm == "" {
		claimed.Algorithm = digest.CRC64NVME
	}
	if text := header.Get("Content-MD5"); text != "" {
		sum, err := base64.StdEncoding.DecodeString(text)
		if err != nil || len(sum) != md5.Size {
			return claimed, wire.Errorf(http.StatusBadRequest, "InvalidDigest", "The Content-MD5 you specified was invalid.")
		}
		claimed.md5 = sum
	}
	return claimed, nil
}

// ChecksumHeaders returns the checksums that a request's headers state.
func ChecksumHeaders(header http.Header) map[digest.Algorithm]string {
	stated := map[digest.Algorithm]string{}
	for _, algorithm := range digest.All() {
		if value := header.Get(textproto.CanonicalMIMEHeaderKey(algorithm.Header())); value != "" {
			stated[algorithm] = value
		}
	}
	return stated
}

// check compares what came, and its sum by the claimed algorithm, with what was
// claimed.
func (got *Received) check(body io.Reader, claimed Claims, sum string) error {
	if claimed.trailer {
		value, err := trailerValue(body, claimed.Algorithm.Header())
		if err != nil {
			return err
		}
		claimed.value = value
	}
	if claimed.value != "" && claimed.value != sum {
		return BadDigest(string(claimed.Algorithm))
	}
	if claimed.md5 != nil && string(claimed.md5) != string(got.MD5) {
		return wire.Errorf(http.StatusBadRequest, "BadDigest", "The Content-MD5 you specified did not match what we received.")
	}
	return nil
}

// BadDigest says that a checksum is not that of the bytes.
func BadDigest(what string) error {
	return wire.Errorf(http.StatusBadRequest, "BadDigest", "The %s you specified did not match the calculated checksum.", what)
}

// trailerValue returns a header that came after the body.
func trailerValue(body io.Reader, name string) (string, error) {
	if trailer, ok := body.(interface{ Trailer() []sigv4.Header }); ok {
		for _, header := range trailer.Trailer() {
			if strings.EqualFold(header.Name, name) {
				return header.Value, nil
			}
		}
	}
	return "", wire.Errorf(http.StatusBadRequest, "MalformedTrailerError", "The request contained trailing data that was not well-formed or did not conform to our published schema.")
}

// checkBody compares the body of a request that is no object with the checksums
// in the header.
func checkBody(header http.Header, body []byte) error {
	claimed, err := readClaims(header, "")
	if err != nil {
		return err
	}
	sum, err := digest.New(claimed.Algorithm)
	if err != nil {
		return err
	}
	sum.Write(body)
	md := md5.Sum(body)
	return (&Received{MD5: md[:]}).check(nil, claimed, digest.Text(sum.Sum(nil)))
}
