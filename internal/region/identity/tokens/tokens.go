// Package tokens makes and verifies the OpenID Connect tokens that identity
// pools give, which STS takes for AssumeRoleWithWebIdentity. They are signed
// with RS512 by a key that is made once for a state and kept in its store.
//
//	keeper := &tokens.Keeper{Store: db, Region: "us-east-1"}
//	jwt, err := keeper.Sign(ctx, tokens.Token{IdentityID: id, PoolID: pool, AMR: amr}, 10*time.Minute)
//	token, err := keeper.Verify(ctx, jwt)
package tokens

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"sync"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"

	"github.com/seed-615d3599/roost/internal/region/store"
)

// Issuer is the issuer of the tokens that pools give.
const Issuer = "https://cognito-identity.amazonaws.com"

// kindKey is the kind under which the key is stored.
const kindKey = "cognito.signing-key"

// Keeper keeps the key and works with it. Store and Region are required. It is
// safe for use by several goroutines.
type Keeper struct {
	Store  *store.DB
	Region string           // the key's id begins with it
	Now    func() time.Time // by default time.Now
	Rand   io.Reader        // by default crypto/rand

	mu  sync.Mutex
	key *signingKey // made or read at first use
}

// Token is what an OpenID Connect token of a pool says.
type Token struct {
	IdentityID    string            // claim sub
	PoolID        string            // aud
	PoolARN       string            // https://cognito-identity.amazonaws.com/identity-pool-arn
	AMR           []string          // amr
	PrincipalTags map[string]string // https://aws.amazon.com/tags
}

// claims are a token's claims, as Cognito writes them: the audience is a text.
type claims struct {
	Issuer   string      `json:"iss"`
	Subject  string      `json:"sub"`
	Audience string      `json:"aud"`
	AMR      []string    `json:"amr"`
	PoolARN  string      `json:"https://cognito-identity.amazonaws.com/identity-pool-arn,omitempty"`
	Tags     *tagsClaims `json:"https://aws.amazon.com/tags,omitempty"`
	IssuedAt int64       `json:"iat"` // Unix seconds
	Expiry   int64       `json:"exp"`
}

// tagsClaims are session tags in a token (IAM User Guide, "Pass session tags
// in AWS STS", AssumeRoleWithWebIdentity).
type tagsClaims struct {
	PrincipalTags     map[string][]string `json:"principal_tags"`
	TransitiveTagKeys []string            `json:"transitive_tag_keys,omitempty"`
}

// signingKey is the key of the region's tokens.
type signingKey struct {
	private *rsa.PrivateKey
	id      string
	signer  jose.Signer
}

// Sign makes a token that is good for life.
func (k *Keeper) Sign(ctx context.Context, token Token, life time.Duration) (string, error) {
	key, err := k.signing(ctx)
	if err != nil {
		return "", err
	}
	now := k.now()
	content := claims{
		Issuer: Issuer, Subject: token.IdentityID, Audience: token.PoolID,
		AMR: token.AMR, PoolARN: token.PoolARN,
		IssuedAt: now.Unix(), Expiry: now.Add(life).Unix(),
	}
	if len(token.PrincipalTags) > 0 {
		content.Tags = &tagsClaims{PrincipalTags: make(map[string][]string)}
		for name, value := range token.PrincipalTags {
			content.Tags.PrincipalTags[name] = []string{value}
		}
	}
	return jwt.Signed(key.signer).Claims(content).Serialize()
}

// Verify checks that Sign made a token and that it is still good, and else
// returns an *Invalid with Cognito's text.
func (k *Keeper) Verify(ctx context.Context, token string) (Token, error) {
	key, err := k.signing(ctx)
	if err != nil {
		return Token{}, err
	}
	parsed, err := jwt.ParseSigned(token, []jose.SignatureAlgorithm{jose.RS512})
	if err != nil {
		return Token{}, errNotCognito
	}
	var said claims
	if err := parsed.Claims(&key.private.PublicKey, &said); err != nil {
		return Token{}, &Invalid{Reason: "Couldn't verify signed token."}
	}
	switch now := k.now(); {
	case said.Issuer != Issuer || said.Subject == "" || said.Audience == "":
		return Token{}, errNotCognito
	case now.Unix() >= said.Expiry:
		return Token{}, &Invalid{Reason: fmt.Sprintf("Token expired: %d >= %d", now.Unix(), said.Expiry), Expired: true}
	}
	verified := Token{IdentityID: said.Subject, PoolID: said.Audience, AMR: said.AMR, PoolARN: said.PoolARN}
	if said.Tags != nil {
		verified.PrincipalTags = make(map[string]string)
		for name, values := range said.Tags.PrincipalTags {
			if len(values) == 1 {
				verified.PrincipalTags[name] = values[0]
			}
		}
	}
	return verified, nil
}

// Invalid is a token that Verify does not take.
type Invalid struct {
	Reason  string
	Expired bool // it was good once
}

func (e *Invalid) Error() string { return e.Reason }

var errNotCognito = &Invalid{Reason: "Not a Cognito token."}

// JWKS serves the public key of the tokens, as
// https://cognito-identity.amazonaws.com/.well-known/jwks_uri does.
func (k *Keeper) JWKS(w http.ResponseWriter, r *http.Request) {
	key, err := k.signing(r.Context())
	if err != nil {
		http.Error(w, "the key can't be read", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Access-Control-Allow-Origin", "*")
	_ = json.NewEncoder(w).Encode(jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{
		Key: &key.private.PublicKey, KeyID: key.id, Algorithm: string(jose.RS512), Use: "sig",
	}}})
}

// signing returns the key, which is made once for a state and kept in it.
func (k *Keeper) signing(ctx context.Context) (*signingKey, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.key != nil {
		return k.key, nil
	}
	private, err := k.privateKey(context.WithoutCancel(ctx))
	if err != nil {
		return nil, err
	}
	id := k.Region + "1" // Cognito's look like ap-northeast-15
	options := (&jose.SignerOptions{}).WithHeader(jose.HeaderKey("kid"), id).WithType("JWS")
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.RS512, Key: private}, options)
	if err != nil {
		return nil, err
	}
	k.key = &signingKey{private, id, signer}
	return k.key, nil
}

// privateKey reads the key from the store, or makes it.
func (k *Keeper) privateKey(ctx context.Context) (*rsa.PrivateKey, error) {
	var der []byte
	err := k.Store.View(ctx, func(tx *store.Tx) error {
		_, err := tx.Get(kindKey, "current", &der)
		return err
	})
	if err != nil {
		return nil, err
	}
	if der != nil {
		return x509.ParsePKCS1PrivateKey(der)
	}
	source := k.Rand
	if source == nil {
		source = rand.Reader
	}
	private, err := rsa.GenerateKey(source, 2048)
	if err != nil {
		return nil, err
	}
	return private, k.Store.Update(ctx, func(_ context.Context, tx *store.Tx) error {
		return tx.Put(kindKey, "current", x509.MarshalPKCS1PrivateKey(private))
	})
}

func (k *Keeper) now() time.Time {
	if k.Now == nil {
		return time.Now()
	}
	return k.Now()
}
