// Package sealed encrypts what the embedded region keeps secret at rest.
//
//	box, err := sealed.New(masterKey, "ssm-parameters", rand.Reader)
//	text, err := box.Seal("secret value", "arn:…:parameter/name")
//	value, err := box.Open(text, "arn:…:parameter/name")
//
// Each purpose has a key of its own, derived from the region's master key with
// HKDF (RFC 5869). Values are sealed with AES-256-GCM; the context, such as the
// name under which a value is kept, is authenticated with it, so that a value
// cannot be moved to another name. Config is what services that do so have in
// common.
//
// Keys of AWS KMS are records in the region: nothing is encrypted with them, but
// their use is authorized, see Keys.
package sealed

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"io"
)

// minKey is how many bytes a master key has at least.
const minKey = 16

// Box seals and opens values for one purpose.
type Box struct {
	aead cipher.AEAD
	rand io.Reader
}

// New returns the box of a purpose. The master key has at least 16 bytes; nonces
// are read from rand.
func New(masterKey []byte, purpose string, rand io.Reader) (*Box, error) {
	if len(masterKey) < minKey {
		return nil, errors.New("the master key is too short: it needs 16 bytes or more")
	}
	key, err := hkdf.Key(sha256.New, masterKey, nil, "roost "+purpose, 32)
	if err != nil {
		return nil, err
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	aead, err := cipher.NewGCM(block)
	return &Box{aead: aead, rand: rand}, err
}

// Seal encrypts a value. The result is base 64.
func (b *Box) Seal(value, context string) (string, error) {
	nonce := make([]byte, b.aead.NonceSize())
	if _, err := io.ReadFull(b.rand, nonce); err != nil {
		return "", err
	}
	return base64.StdEncoding.EncodeToString(b.aead.Seal(nonce, nonce, []byte(value), []byte(context))), nil
}

// Open decrypts what Seal made with the same context. The error never holds
// anything of the value.
func (b *Box) Open(text, context string) (string, error) {
	data, err := base64.StdEncoding.DecodeString(text)
	if err != nil || len(data) < b.aead.NonceSize() {
		return "", errDamaged()
	}
	nonce, sealed := data[:b.aead.NonceSize()], data[b.aead.NonceSize():]
	value, err := b.aead.Open(nil, nonce, sealed, []byte(context))
	if err != nil {
		return "", errDamaged()
	}
	return string(value), nil
}

func errDamaged() error {
	return errors.New("a sealed value cannot be opened: it is damaged, or the region's master key is another than when it was written")
}
