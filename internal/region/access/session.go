package access

import (
	"context"
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
	"time"

	"github.com/seed-615d3599/roost/internal/region/wire"
)

// maxToken is the length of a session token above which STS refuses to make
// one (PackedPolicyTooLarge).
const maxToken = 4096

// session is what a session token seals.
type session struct {
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
	SourceID    string            `json:"s,omitempty"` // source identity
	Provider    string            `json:"f,omitempty"` // aws:FederatedProvider
	Issuer      string            `json:"w,omitempty"` // prefix of the web identity's condition keys
	Subject     string            `json:"b,omitempty"`
	Audience    string            `json:"d,omitempty"`
	AMR         []string          `json:"m,omitempty"`
}

// sealer makes and opens session tokens, and derives keys.
type sealer struct {
	aead   cipher.AEAD
	derive []byte
	rand   io.Reader

	// opened remembers the newest tokens, so that a client that calls again
	// costs no decryption. It is bounded, and holds nothing that the token
	// does not.
	mu     sync.RWMutex
	opened map[string]*opened
}

// opened is a token that was unsealed, with what follows from it alone.
type opened struct {
	session *session
	secret  string
}

// maxOpened bounds how many unsealed tokens are remembered.
const maxOpened = 1024

func newSealer(masterKey []byte, random io.Reader) (*sealer, error) {
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
	return &sealer{aead: aead, derive: mac(masterKey, "secret access key"), rand: random, opened: map[string]*opened{}}, nil
}

func mac(key []byte, text string) []byte {
	h := hmac.New(sha256.New, key)
	io.WriteString(h, text)
	return h.Sum(nil)
}

// secretKey returns the secret of a session's access key: 40 characters, as
// AWS's are.
func (s *sealer) secretKey(keyID string) string {
	return base64.StdEncoding.EncodeToString(mac(s.derive, keyID))[:40]
}

// newKeyID makes the id of a session's access key: ASIA and 16 of base 32.
func (s *sealer) newKeyID() (string, error) {
	raw := make([]byte, 10)
	if _, err := io.ReadFull(s.rand, raw); err != nil {
		return "", err
	}
	return "ASIA" + base32.StdEncoding.EncodeToString(raw), nil
}

// seal makes the token of a session.
func (s *sealer) seal(v *session) (string, error) {
	plain, err := json.Marshal(v)
	if err != nil {
		return "", err
	}
	token := base64.StdEncoding.EncodeToString(s.aead.Seal(nil, nil, plain, []byte(v.KeyID)))
	if len(token) > maxToken {
		return "", wire.Errorf(http.StatusBadRequest, "PackedPolicyTooLarge", "Packed size of session token %d bytes is over the limit of %d: shorten the session policy or the tags", len(token), maxToken)
	}
	return token, nil
}

var errToken = errors.New("no session token of this region, or not of this key")

// open returns what a token seals, if this region made it for this key.
func (s *sealer) open(keyID, token string) (*opened, error) {
	s.mu.RLock()
	known := s.opened[token]
	s.mu.RUnlock()
	if known != nil {
		if subtle.ConstantTimeCompare([]byte(known.session.KeyID), []byte(keyID)) != 1 {
			return nil, errToken
		}
		return known, nil
	}
	if len(token) > maxToken {
		return nil, errToken
	}
	sealed, err := base64.StdEncoding.DecodeString(token)
	if err != nil {
		return nil, errToken
	}
	plain, err := s.aead.Open(nil, nil, sealed, []byte(keyID))
	if err != nil {
		return nil, errToken
	}
	var v session
	if err := json.Unmarshal(plain, &v); err != nil || v.KeyID != keyID {
		return nil, errToken
	}
	o := &opened{session: &v, secret: s.secretKey(keyID)}
	s.remember(token, o)
	return o, nil
}

func (s *sealer) remember(token string, o *opened) {
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

// Errors that a credential meets, in AWS's words. JSON and REST services give
// the first under the code UnrecognizedClientException, query services under
// InvalidClientTokenId; the edge translates.
var (
	errUnknownKey = &wire.Error{Status: http.StatusForbidden, Code: "InvalidClientTokenId", Message: "The security token included in the request is invalid."}
	errExpired    = &wire.Error{Status: http.StatusForbidden, Code: "ExpiredToken", Message: "The security token included in the request is expired"}
)

// Key returns the secret access key for a credential as it stands in a
// request, and who it belongs to. sessionToken is empty for the key of a user.
func (a *Access) Key(_ context.Context, accessKeyID, sessionToken string) (string, *wire.Caller, error) {
	if sessionToken != "" {
		return a.sessionKey(accessKeyID, sessionToken)
	}
	key, ok := a.keys.get(accessKeyID)
	if !ok || key.Status != "Active" {
		return "", nil, errUnknownKey
	}
	user, ok := a.users.get(key.UserName)
	if !ok {
		return "", nil, errUnknownKey
	}
	return key.Secret, &wire.Caller{
		Account: a.config.Account, ARN: user.ARN, UserID: user.ID, AccessKeyID: accessKeyID,
		Detail: &principal{identity: user},
	}, nil
}

func (a *Access) sessionKey(accessKeyID, token string) (string, *wire.Caller, error) {
	o, err := a.sessions.open(accessKeyID, token)
	if err != nil {
		return "", nil, errUnknownKey
	}
	s := o.session
	if a.config.Now().Unix() >= s.Expires {
		return "", nil, errExpired
	}
	owner, ok := a.roles.get(s.RoleName)
	if s.UserName != "" {
		owner, ok = a.users.get(s.UserName)
	}
	if !ok || owner.ID != s.PrincipalID { // deleted, or made anew under the same name
		return "", nil, errUnknownKey
	}
	return o.secret, a.sessionCaller(s, owner), nil
}

func (a *Access) sessionCaller(s *session, owner *identity) *wire.Caller {
	caller := &wire.Caller{
		Account: a.config.Account, ARN: owner.ARN, UserID: owner.ID, AccessKeyID: s.KeyID,
		IssuedAt: time.Unix(s.Issued, 0).UTC(), Expires: time.Unix(s.Expires, 0).UTC(),
		Detail: &principal{identity: owner, session: s},
	}
	if s.RoleName != "" {
		caller.ARN = "arn:aws:sts::" + a.config.Account + ":assumed-role/" + owner.Name + "/" + s.Name
		caller.UserID = owner.ID + ":" + s.Name
		caller.RoleARN = owner.ARN
	}
	if s.Provider == cognitoProvider {
		caller.Cognito = &wire.CognitoIdentity{IdentityID: s.Subject, PoolID: s.Audience, AMR: s.AMR}
	}
	return caller
}

// principal is what a Caller's Detail holds.
type principal struct {
	identity *identity // the user, or the session's role
	session  *session  // nil for a user's key
}

// cognitoProvider is the name of Cognito Identity as a federated provider.
const cognitoProvider = "cognito-identity.amazonaws.com"
