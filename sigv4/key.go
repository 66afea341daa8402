package sigv4

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"time"
)

// Algorithm is the only signing algorithm that this package knows. The
// asymmetric AWS4-ECDSA-P256-SHA256 (SigV4a) is refused by name.
const Algorithm = "AWS4-HMAC-SHA256"

const (
	terminator = "aws4_request"
	// emptyHash is the SHA-256 of nothing.
	emptyHash = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
	// isoBasic is the time format of X-Amz-Date.
	isoBasic = "20060102T150405Z"
)

// HashPayload returns the SHA-256 of a body in lower-case hex.
func HashPayload(body []byte) string {
	if len(body) == 0 {
		return emptyHash
	}
	sum := sha256.Sum256(body)
	return hex.EncodeToString(sum[:])
}

// scope is a credential scope: what a signing key is good for.
type scope struct {
	date, region, service string
}

func (s scope) append(dst []byte) []byte {
	dst = append(dst, s.date...)
	dst = append(dst, '/')
	dst = append(dst, s.region...)
	dst = append(dst, '/')
	dst = append(dst, s.service...)
	dst = append(dst, '/')
	return append(dst, terminator...)
}

// signingKey derives the key for a scope (IAM User Guide, "Create a signed AWS
// API request", step 4).
func signingKey(secret string, s scope) [32]byte {
	var buf [128]byte
	seed := append(append(buf[:0], "AWS4"...), secret...)
	var message [128]byte
	key := hmacSHA256(seed, append(message[:0], s.date...))
	key = hmacSHA256(key[:], append(message[:0], s.region...))
	key = hmacSHA256(key[:], append(message[:0], s.service...))
	return hmacSHA256(key[:], append(message[:0], terminator...))
}

// stringToSign appends what the signature is made over (step 3 there).
func stringToSign(dst []byte, at time.Time, s scope, canonicalRequest []byte) []byte {
	dst = append(dst, Algorithm...)
	dst = append(dst, '\n')
	dst = at.AppendFormat(dst, isoBasic)
	dst = append(dst, '\n')
	dst = s.append(dst)
	dst = append(dst, '\n')
	sum := sha256.Sum256(canonicalRequest)
	return hex.AppendEncode(dst, sum[:])
}

// signature is a signature as it is sent: 64 lower-case hex digits.
type signature [64]byte

// equals compares in a time that does not depend on how much of sent is right.
func (s *signature) equals(sent string) bool {
	var got signature
	copy(got[:], sent)
	return len(sent) == len(s) && subtle.ConstantTimeCompare(got[:], s[:]) == 1
}

func sign(key [32]byte, stringToSign []byte) signature {
	sum := hmacSHA256(key[:], stringToSign)
	var out signature
	hex.Encode(out[:], sum[:])
	return out
}

// hmacSHA256 is HMAC (RFC 2104) over SHA-256. crypto/hmac allocates its state
// five times for each signature, more than all the rest of a verification; with
// messages this short, hashing a buffer on the stack does not.
func hmacSHA256(key, message []byte) [32]byte {
	var pad [64]byte
	if len(key) > len(pad) {
		sum := sha256.Sum256(key)
		copy(pad[:], sum[:])
	} else {
		copy(pad[:], key)
	}
	for i := range pad {
		pad[i] ^= 0x36
	}
	var buf [512]byte
	inner := sha256.Sum256(append(append(buf[:0], pad[:]...), message...))
	for i := range pad {
		pad[i] ^= 0x36 ^ 0x5c
	}
	return sha256.Sum256(append(append(buf[:0], pad[:]...), inner[:]...))
}
