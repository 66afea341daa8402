package sigv4

import (
	"slices"
	"strconv"
	"strings"
	"time"
)

// KeyFunc returns the secret access key of an access key id. The session token
// is empty if the request has none; the function must refuse a token that does
// not belong to the key, and a key that needs a token and has none. Its error is
// what Verify returns.
type KeyFunc func(accessKeyID, sessionToken string) (secretAccessKey string, err error)

// Verifier verifies requests to one service. It can be used by several
// goroutines at once.
type Verifier struct {
	// Service is the signing name in the credential scope, such as
	// "execute-api". It is required.
	Service string
	// Regions are the regions that the scope may name. Without any, every
	// region is accepted.
	Regions []string
	// Now is the clock; nil means time.Now.
	Now func() time.Time
	// Window is how far the request's time may differ from the clock's, either
	// way. Zero means 5 minutes, or 15 for S3. A presigned request that has
	// X-Amz-Expires is good for that long instead.
	Window time.Duration
	// S3 turns on S3's rules: PathAsSent, the body's hash taken from
	// X-Amz-Content-Sha256 and checked by package s3body, unsigned and
	// streaming payloads, all x-amz- headers signed, and S3's errors. Without
	// it the payload is always hashed, whatever a header declares.
	S3 bool
	// PathAsSent leaves dot segments and doubled slashes in the path and
	// encodes it once. Other services normalise it and encode it twice.
	PathAsSent bool
	// UnsignedQueryToken accepts a presigned request whose session token was
	// added after signing, as AWS IoT Core wants it.
	UnsignedQueryToken bool
}

// Signature is a signature that was found correct, and what it says.
type Signature struct {
	// AccessKeyID is the key that signed.
	AccessKeyID string
	// SessionToken is the token that came with it, or "".
	SessionToken string
	// Date, Region and Service are the credential scope; Date is YYYYMMDD.
	Date, Region, Service string
	// Time is when the request says it was signed, in UTC, to the second.
	Time time.Time
	// SignedHeaders are the lower-case names of the signed headers, sorted and
	// joined by semicolons.
	SignedHeaders string
	// Presigned tells that the signature was in the query.
	Presigned bool
	// Expires is the life that a presigned request states, else 0.
	Expires time.Duration
	// PayloadHash is the body's SHA-256 in hex, or with S3 also one of the
	// Payload markers.
	PayloadHash string

	// DecodedLength is X-Amz-Decoded-Content-Length, the length of a payload in
	// chunks in bytes, or -1.
	DecodedLength int64

	sent signature
	key  [32]byte
}

// Signs reports whether the header with a lower-case name is signed.
func (s *Signature) Signs(name string) bool { return lists(s.SignedHeaders, name) }

// maxExpires is the longest life of a presigned request.
const maxExpires = 7 * 24 * time.Hour

// Verify checks the signature of a request. It returns an *Error for a refusal,
// or the error of key. With S3 the body is not yet checked: see package s3body.
func (v *Verifier) Verify(r *Request, key KeyFunc) (Signature, error) {
	var c claim
	if err := v.readClaim(r, &c); err != nil { // 1 to 9
		return Signature{}, err
	}
	expires, err := v.checkTime(&c) // 10, 11
	if err != nil {
		return Signature{}, err
	}
	if err := v.checkScope(&c); err != nil { // 12, 13
		return Signature{}, err
	}
	payloadHash, err := v.payloadHash(r, &c)
	if err != nil {
		return Signature{}, err
	}
	secret, keyErr := key(c.accessKeyID, c.token) // 14, 15
	if keyErr != nil {
		return Signature{}, keyErr
	}
	signingKey := signingKey(secret, c.scope)
	f := v.form(&c, payloadHash)
	if !v.matches(r, &c, &f, signingKey) { // 16
		return Signature{}, v.errMismatch()
	}
	s := Signature{
		AccessKeyID: c.accessKeyID, SessionToken: c.token,
		Date: c.scope.date, Region: c.region, Service: c.service,
		Time: c.time, SignedHeaders: c.signedHeaders,
		Presigned: c.presigned, Expires: expires, PayloadHash: payloadHash,
		DecodedLength: -1, key: signingKey,
	}
	copy(s.sent[:], c.signature)
	if length, ok := r.first("x-amz-decoded-content-length"); ok {
		if n, err := strconv.ParseUint(trim(length), 10, 63); err == nil {
			s.DecodedLength = int64(n)
		}
	}
	return s, nil
}

func (v *Verifier) now() time.Time {
	if v.Now == nil {
		return time.Now().UTC()
	}
	return v.Now().UTC()
}

// checkTime checks that the request is neither too old nor from the future, and
// returns the life that a presigned request states.
func (v *Verifier) checkTime(c *claim) (time.Duration, *Error) {
	window := v.Window
	if window == 0 {
		window = 5 * time.Minute
		if v.S3 {
			window = 15 * time.Minute
		}
	}
	age, expires := window, time.Duration(0)
	if c.presigned && (c.expires != "" || v.S3) {
		var err *Error
		if expires, err = v.readExpires(c.expires); err != nil {
			return 0, err
		}
		age = expires
	}
	now := v.now()
	if c.time.Before(now.Add(-age).Truncate(time.Second)) {
		return 0, v.errTooOld(c, now, age)
	}
	if c.time.After(now.Add(window)) {
		return 0, v.errTooNew(c, now, window)
	}
	return expires, nil
}

func (v *Verifier) readExpires(s string) (time.Duration, *Error) {
	seconds, err := strconv.ParseUint(s, 10, 32)
	switch {
	case s == "":
		return 0, v.errMissing(&claim{presigned: true})
	case err != nil:
		return 0, v.errExpires("X-Amz-Expires should be a number")
	case seconds == 0:
		return 0, v.errExpires("X-Amz-Expires must be at least 1 second")
	case time.Duration(seconds)*time.Second > maxExpires:
		return 0, v.errExpires("X-Amz-Expires must be less than a week (in seconds); that is, the given X-Amz-Expires must be less than 604800 seconds")
	}
	return time.Duration(seconds) * time.Second, nil
}

// checkScope takes the credential apart and checks that it is for this service,
// here and on that day.
func (v *Verifier) checkScope(c *claim) *Error {
	if !c.split() {
		return v.errCredential(c)
	}
	var day [8]byte
	c.time.AppendFormat(day[:0], "20060102")
	if !v.regionMatches(c.region) || c.service != v.Service || c.terminator != terminator || c.scope.date != string(day[:]) {
		return v.errScope(c)
	}
	return nil
}

func (v *Verifier) regionMatches(region string) bool {
	return slices.Contains(v.Regions, region) || len(v.Regions) == 0 && region != ""
}

// form is how the service's canonical requests are written.
func (v *Verifier) form(c *claim, payloadHash string) form {
	f := form{signedHeaders: c.signedHeaders, payloadHash: payloadHash, presigned: c.presigned}
	if v.S3 || v.PathAsSent {
		f.path = pathOnce
	}
	return f
}

// matches computes the signature and compares it with the one sent, in a time
// that does not depend on how much of it is right.
func (v *Verifier) matches(r *Request, c *claim, f *form, key [32]byte) bool {
	// Each signed header is in the request; a longer list names one twice or
	// one that is not there. This also bounds the work.
	if strings.Count(f.signedHeaders, ";") > len(r.Header) {
		return false
	}
	if want, ok := computeSignature(r, c, f, key); ok && want.equals(c.signature) {
		return true
	}
	if !v.UnsignedQueryToken || !c.presigned {
		return false
	}
	f.omitToken = true
	want, ok := computeSignature(r, c, f, key)
	return ok && want.equals(c.signature)
}

// computeSignature returns the signature that the request should have, and false
// if it lacks one of its signed headers.
func computeSignature(r *Request, c *claim, f *form, key [32]byte) (signature, bool) {
	var requestArray [4096]byte
	var stringArray [256]byte
	canonical, ok := appendCanonicalRequest(requestArray[:0], r, f)
	return sign(key, stringToSign(stringArray[:0], c.time, c.scope, canonical)), ok
}
