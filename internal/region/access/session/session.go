// Package session makes and opens session tokens, as STS gives them out.
//
//	s, err := session.NewSealer(masterKey, rand.Reader)
//	keyID, err := s.NewKeyID()
//	token, err := s.Seal(&session.Session{KeyID: keyID, RoleName: "app", …})
//	opened, err := s.Open(keyID, token)    // opened.Secret is what signs
//
// A token is a sealed value: everything that a session is stands in it, and
// nothing is stored for one. The secret key derives from the key id and the
// master key, so that whoever has the master key can check both.
package session

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base32"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/seed-615d3599/roost/internal/region/wire"
)

// MaxToken is the length of a session token above which STS refuses to make
// one (PackedPolicyTooLarge).
const MaxToken = 4096

// Session is what a session token seals.
type Session struct {
	KeyID       string            `json:"k"`
	RoleName    string            `json:"r,omitempty"`
	PrincipalID string            `json:"i"`           // unique id of the role or user
	UserName    string            `json:"u,omitempty"` // of GetSessionToken
	Name        string            `json:"n,omitempty"` // role session name
	Issued      int64             `json:"t"`           // seconds since 1970
	Expires     int64             `json:"e"`
	Policies    []string          `json:"p,omitempty"` // session policies, JSON documents
	PolicyARNs  []string          `json:"a,omitempty"`
	Tags        map[string]string `json:"g,omitempty"`
	Transitive  []string          `json:"v,omitempty"` // keys of Tags that go on through role chaining
	SourceID    string            `json:"s,omitempty"` // source identity
	Provider    string            `json:"f,omitempty"` // aws:FederatedProvider
	Issuer      string            `json:"w,omitempty"` // prefix of the web identity's condition keys
	Subject     string            `json:"b,omitempty"`
	Audience    string            `json:"d,omitempty"`
	AMR         []string          `json:"m,omitempty"`
}

// Sealer makes and opens session tokens, and derives keys. It is safe for use
// by several goroutines.
type Sealer struct {
	aead   cipher.AEAD
	derive []byte
	rand   io.Reader

	// opened remembers the newest tokens, so that a client that calls again
	// costs no decryption. It is bounded, and holds nothing that the token
	// does not.
	mu     sync.RWMutex
	opened map[string]*Opened
}

// Opened is a token that was unsealed, with what follows from it alone.
type Opened struct {
	Session *Session
	Secret  string

	// Memo is for whoever opened the token to remember what follows from it. It
	// is forgotten with the token.
	Memo atomic.Value
}

// maxOpened bounds how many unsealed tokens are remembered.
const maxOpened = 1024

// NewSealer returns the sealer of a master key, which has 32 bytes.
func NewSealer(masterKey []byte, random io.Reader) (*Sealer, error) {
	if len(masterKey) != 32 {
		return nil, fmt.Errorf("the master key has %d bytes instead of 32", len(masterKey))
	}
	block, err := aes.NewCipher(mac(masterKey, "session token"))
	if err != nil {
		return nil, err
	}
	aead, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		return nil, err
	}
	return &Sealer{aead: aead, derive: mac(masterKey, "secret access key"), rand: random, opened: map[string]*Opened{}}, nil
}

func mac(key []byte, text string) []byte {
	h := hmac.New(sha256.New, key)
	io.WriteString(h, text)
	return h.Sum(nil)
}

// Secret returns the secret of a session's access key: 40 characters, as AWS's
// are.
func (s *Sealer) Secret(keyID string) string {
	return base64.StdEncoding.EncodeToString(mac(s.derive, keyID))[:40]
}

// NewKeyID makes the id of a session's access key: ASIA and 16 of base 32.
func (s *Sealer) NewKeyID() (string, error) {
	raw := make([]byte, 10)
	if _, err := io.ReadFull(s.rand, raw); err != nil {
		return "", err
	}
	return "ASIA" + base32.StdEncoding.EncodeToString(raw), nil
}

// Seal makes the token of a session. One that would be too long is refused with
// PackedPolicyTooLarge.
func (s *Sealer) Seal(v *Session) (string, error) {
	plain, err := json.Marshal(v)
	if err != nil {
		return "", err
	}
	token := base64.StdEncoding.EncodeToString(s.aead.Seal(nil, nil, plain, []byte(v.KeyID)))
	if len(token) > MaxToken {
		return "", wire.Errorf(http.StatusBadRequest, "PackedPolicyTooLarge", "Packed size of session token consumes %d%% of allotted space: shorten the session policies or the tags.", 100*len(token)/MaxToken)
	}
	return token, nil
}

// ErrToken is returned for a token that this region did not make, or not for
// this key.
var ErrToken = errors.New("no session token of this region, or not of this key")

// Open returns what a token seals. Whether the session has expired is for the
// caller to see.
func (s *Sealer) Open(keyID, token string) (*Opened, error) {
	s.mu.RLock()
	known := s.opened[token]
	s.mu.RUnlock()
	if known != nil {
		if subtle.ConstantTimeCompare([]byte(known.Session.KeyID), []byte(keyID)) != 1 {
			return nil, ErrToken
		}
		return known, nil
	}
	if len(token) > MaxToken || strings.ContainsAny(token, "\r\n") { // which decoding would pass over
		return nil, ErrToken
	}
	sealed, err := base64.StdEncoding.Strict().DecodeString(token)
	if err != nil {
		return nil, ErrToken
	}
	plain, err := s.aead.Open(nil, nil, sealed, []byte(keyID))
	if err != nil {
		return nil, ErrToken
	}
	var v Session
	if err := json.Unmarshal(plain, &v); err != nil || v.KeyID != keyID {
		return nil, ErrToken
	}
	o := &Opened{Session: &v, Secret: s.Secret(keyID)}
	s.remember(token, o)
	return o, nil
}

func (s *Sealer) remember(token string, o *Opened) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.opened) >= maxOpened {
		for old := range s.opened { // any one
			delete(s.opened, old)
			break
		}
	}
	s.opened[strings.Clone(token)] = o
}
