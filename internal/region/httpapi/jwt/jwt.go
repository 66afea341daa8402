// Package jwt verifies the tokens of an HTTP API's JWT authorizer: the issuer's
// keys are found by OpenID Connect discovery and kept, and a token must be signed with
// one of them and make the right claims.
//
//	v := jwt.New(jwt.Config{Issuer: "https://cognito-idp.…/pool", Audience: []string{"client"}})
//	token, err := v.Verify(ctx, "Bearer eyJ…", []string{"email"})
//
// Only RS256, RS384 and RS512 are accepted, only with a key whose kid the token
// names, and only keys of type RSA: neither "none" nor a secret made of a public
// key gets through.
//
// Source: API Gateway Developer Guide, "Control access to HTTP APIs with JWT
// authorizers". The texts of errors are AWS's where a trace shows one.
package jwt

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"
	josejwt "github.com/go-jose/go-jose/v4/jwt"

	"github.com/seed-615d3599/roost/internal/region/oidc"
)

// Config is an authorizer's JwtConfiguration and what it needs of the world.
type Config struct {
	// Issuer is the issuer's URL, which must be the token's iss.
	Issuer string
	// Audience are the values of which aud (or client_id, if there is no aud) must be one.
	Audience []string
	// Transport fetches the issuer's documents; nil means http.DefaultTransport.
	Transport http.RoundTripper
	// Now is the clock; nil means time.Now.
	Now func() time.Time
}

// Verifier verifies tokens of one issuer. It can be used by several goroutines.
type Verifier struct {
	config Config
	keys   *oidc.Keys
}

// New returns a Verifier. It fetches nothing yet.
func New(c Config) *Verifier {
	if c.Now == nil {
		c.Now = time.Now
	}
	return &Verifier{config: c, keys: newKeys(c)}
}

// Token is what a verified token says.
type Token struct {
	// Claims is a JSON object whose values are strings, as in events.
	Claims []byte
	// Scopes are those of scope or scp.
	Scopes []string
	claims map[string]string
}

// Claim returns one claim as a string, and whether there is one.
func (t *Token) Claim(name string) (string, bool) {
	v, ok := t.claims[name]
	return v, ok
}

// Error says why a token is refused, in words for the client.
type Error struct {
	// Code is "invalid_token" or "insufficient_scope" (RFC 6750 section 3.1).
	Code        string
	Description string
}

func (e *Error) Error() string { return e.Description }

func invalid(format string, args ...any) *Error {
	return &Error{Code: "invalid_token", Description: fmt.Sprintf(format, args...)}
}

// Verify checks a token, with or without "Bearer " in front, in the order of the
// Developer Guide. With scopes it must have at least one of them. A refusal is an
// *Error; any other error means that the issuer could not be asked.
func (v *Verifier) Verify(ctx context.Context, token string, scopes []string) (*Token, error) {
	if len(token) > 7 && strings.EqualFold(token[:7], "bearer ") {
		token = strings.TrimSpace(token[7:])
	}
	if strings.Count(token, ".") != 2 {
		return nil, invalid("token contains an invalid number of segments")
	}
	signed, err := josejwt.ParseSigned(token, []jose.SignatureAlgorithm{jose.RS256, jose.RS384, jose.RS512})
	if err != nil || len(signed.Headers) != 1 {
		return nil, unreadable(err)
	}
	header := signed.Headers[0]
	if header.KeyID == "" {
		return nil, invalid("the token has no kid")
	}
	key, err := v.keys.Find(ctx, header.KeyID, jose.SignatureAlgorithm(header.Algorithm))
	if err != nil {
		return nil, err
	}
	if key == nil {
		return nil, invalid("the token's kid is not one of the issuer's keys")
	}
	var raw json.RawMessage
	if err := signed.Claims(key.Key, &raw); err != nil {
		return nil, invalid("the token's signature is not valid")
	}
	return v.check(raw, scopes)
}

func unreadable(err error) *Error {
	var unexpected *jose.ErrUnexpectedSignatureAlgorithm
	if errors.As(err, &unexpected) {
		return invalid("signing method is invalid: only RS256, RS384 and RS512 are supported")
	}
	return invalid("the token is malformed")
}

// check evaluates the claims.
func (v *Verifier) check(raw []byte, scopes []string) (*Token, error) {
	claims := map[string]any{}
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	if err := d.Decode(&claims); err != nil {
		return nil, invalid("the token's claims are malformed")
	}
	if iss, _ := claims["iss"].(string); iss != v.config.Issuer {
		return nil, invalid("the token does not have a valid issuer")
	}
	if !v.audience(claims) {
		return nil, invalid("the token does not have a valid audience")
	}
	if e := v.times(claims); e != nil {
		return nil, e
	}
	t := newToken(claims)
	if len(scopes) > 0 && !slices.ContainsFunc(t.Scopes, func(s string) bool { return slices.Contains(scopes, s) }) {
		return nil, &Error{Code: "insufficient_scope", Description: "the token does not have a scope that the route asks for"}
	}
	return t, nil
}

// audience looks at client_id only if there is no aud.
func (v *Verifier) audience(claims map[string]any) bool {
	aud, ok := claims["aud"]
	if !ok {
		aud = claims["client_id"]
	}
	return slices.ContainsFunc(list(aud), func(s string) bool { return slices.Contains(v.config.Audience, s) })
}

// list returns a claim that is a string or an array of strings.
func list(claim any) []string {
	switch c := claim.(type) {
	case string:
		return []string{c}
	case []any:
		var out []string
		for _, e := range c {
			if s, ok := e.(string); ok {
				out = append(out, s)
			}
		}
		return out
	}
	return nil
}

// times checks exp, which must be there, and nbf and iat, which may be.
func (v *Verifier) times(claims map[string]any) *Error {
	now := float64(v.config.Now().UnixMilli()) / 1000
	exp, ok := number(claims["exp"])
	if !ok || exp <= now {
		return invalid("the token has expired")
	}
	for _, name := range []string{"nbf", "iat"} {
		claim, there := claims[name]
		if !there {
			continue
		}
		if at, ok := number(claim); !ok || at > now {
			return invalid("the token is not valid yet (%s)", name)
		}
	}
	return nil
}

func number(claim any) (float64, bool) {
	n, ok := claim.(json.Number)
	if !ok {
		return 0, false
	}
	f, err := n.Float64()
	return f, err == nil
}

// newToken turns the claims into strings, as events have them: a list is "[a b]"
// (seen in traces) and anything deeper as Go prints it (inferred from that).
func newToken(claims map[string]any) *Token {
	t := &Token{claims: make(map[string]string, len(claims))}
	for name, claim := range claims {
		t.claims[name] = fmt.Sprint(claim)
	}
	t.Claims, _ = json.Marshal(t.claims) // a map of strings always encodes
	for _, name := range []string{"scope", "scp"} {
		for _, s := range list(claims[name]) {
			t.Scopes = append(t.Scopes, strings.Fields(s)...)
		}
	}
	return t
}
