// Package digest knows the checksums of S3: how each is computed, what its
// header is called, and how the checksums of parts make that of an object.
//
//	sum, err := digest.New(digest.CRC32C)
//	io.Copy(sum, body)
//	value := digest.Text(sum.Sum(nil)) // as in x-amz-checksum-crc32c
//
// (S3 User Guide, "Checking object integrity in Amazon S3".)
package digest

import (
	"crypto/sha1"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"hash"
	"hash/crc32"
	"hash/crc64"
	"strings"
)

// Algorithm is a checksum's name as S3 writes it.
type Algorithm string

// The algorithms. S3 computes CRC64NVME where the client asks for none.
const (
	CRC32     Algorithm = "CRC32"
	CRC32C    Algorithm = "CRC32C"
	CRC64NVME Algorithm = "CRC64NVME"
	SHA1      Algorithm = "SHA1"
	SHA256    Algorithm = "SHA256"
)

// All returns the algorithms.
func All() []Algorithm { return []Algorithm{CRC32, CRC32C, CRC64NVME, SHA1, SHA256} }

// How a checksum of an object of several parts comes about.
const (
	FullObject = "FULL_OBJECT" // over the bytes of the object
	Composite  = "COMPOSITE"   // over the parts' checksums, with "-" and their number behind it
)

// nvme is the reversed polynomial of CRC-64/NVME (NVM Command Set
// Specification 1.0, 5.2.1.3.4).
const nvme = 0x9A6C9329AC4BC9B5

// Parse returns the algorithm of a name in any case.
func Parse(name string) (Algorithm, error) {
	for _, a := range All() {
		if strings.EqualFold(name, string(a)) {
			return a, nil
		}
	}
	return "", fmt.Errorf("there is no checksum algorithm %q", name)
}

// Header returns the name of the header that carries the checksum.
func (a Algorithm) Header() string { return "x-amz-checksum-" + strings.ToLower(string(a)) }

// Linear reports whether the checksum of a whole follows from those of its
// parts, so that parts can have a FullObject checksum.
func (a Algorithm) Linear() bool { return a == CRC32 || a == CRC32C || a == CRC64NVME }

// New returns a hash of the algorithm.
func New(a Algorithm) (hash.Hash, error) {
	switch a {
	case CRC32:
		return crc32.NewIEEE(), nil
	case CRC32C:
		return crc32.New(crc32.MakeTable(crc32.Castagnoli)), nil
	case CRC64NVME:
		return crc64.New(crc64.MakeTable(nvme)), nil
	case SHA1:
		return sha1.New(), nil
	case SHA256:
		return sha256.New(), nil
	}
	return nil, fmt.Errorf("there is no checksum algorithm %q", a)
}

// Text is a checksum as headers carry it: base 64.
func Text(sum []byte) string { return base64.StdEncoding.EncodeToString(sum) }

// Valid reports whether text can be a checksum of the algorithm.
func (a Algorithm) Valid(text string) bool {
	sum, err := New(a)
	if err != nil {
		return false
	}
	raw, err := base64.StdEncoding.DecodeString(text)
	return err == nil && len(raw) == sum.Size()
}

// Part is the checksum of a part.
type Part struct {
	Sum  string // base 64
	Size int64  // in bytes
}

// OfParts returns the checksum of an object made of parts: kind is Composite, or
// FullObject for a linear algorithm.
func OfParts(a Algorithm, kind string, parts []Part) (string, error) {
	if kind == FullObject && !a.Linear() {
		return "", fmt.Errorf("a checksum of the algorithm %s cannot be of the type %s", a, kind)
	}
	if kind == FullObject {
		return a.combine(parts)
	}
	sum, err := New(a)
	if err != nil {
		return "", err
	}
	for _, part := range parts {
		raw, err := base64.StdEncoding.DecodeString(part.Sum)
		if err != nil {
			return "", err
		}
		sum.Write(raw)
	}
	return fmt.Sprintf("%s-%d", Text(sum.Sum(nil)), len(parts)), nil
}

func (a Algorithm) combine(parts []Part) (string, error) {
	width, polynomial := 32, uint64(crc32.IEEE)
	switch a {
	case CRC32C:
		polynomial = crc32.Castagnoli
	case CRC64NVME:
		width, polynomial = 64, nvme
	}
	var whole uint64
	for _, part := range parts {
		raw, err := base64.StdEncoding.DecodeString(part.Sum)
		if err != nil || len(raw) != width/8 {
			return "", fmt.Errorf("%q is not a %s checksum", part.Sum, a)
		}
		padded := append(make([]byte, 8-len(raw)), raw...)
		whole = shift(whole, polynomial, width, part.Size) ^ binary.BigEndian.Uint64(padded)
	}
	raw := binary.BigEndian.AppendUint64(nil, whole)
	return Text(raw[8-width/8:]), nil
}

// shift returns what a CRC becomes when size zero bytes follow: it is multiplied
// by x^(8·size) modulo the polynomial. All values are reversed: the highest bit
// is the coefficient of x^0.
func shift(crc, polynomial uint64, width int, size int64) uint64 {
	power := uint64(1) << (width - 1) >> 1 // x^1
	for range 3 {
		power = multiply(power, power, polynomial, width) // x^8
	}
	for n := uint64(size); n > 0; n >>= 1 {
		if n&1 == 1 {
			crc = multiply(crc, power, polynomial, width)
		}
		power = multiply(power, power, polynomial, width)
	}
	return crc
}

// multiply multiplies two reversed polynomials modulo a third.
func multiply(a, b, polynomial uint64, width int) uint64 {
	var product uint64
	for bit := uint64(1) << (width - 1); bit != 0; bit >>= 1 {
		if a&bit != 0 {
			product ^= b
		}
		if b&1 == 1 {
			b = b>>1 ^ polynomial
		} else {
			b >>= 1
		}
	}
	return product
}
