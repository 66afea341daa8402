package roosttest

import (
	"bytes"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/seed-615d3599/roost/internal/signin"
	"github.com/seed-615d3599/roost/sigv4"
)

// A Caller is somebody with credentials. Its client signs each request with
// them, by Signature Version 4 and by the region's clock, and does not renew
// them: after [Region.Advance] they may have expired, as they would anywhere.
type Caller struct {
	*http.Client
	// IdentityID is the identity in the pool ("us-east-1:…"), empty for a role
	// that was assumed.
	IdentityID string
	// The credentials, for other clients.
	AccessKeyID, SecretAccessKey, SessionToken string
	Expiration                                 time.Time
}

// signing signs requests on their way.
type signing struct {
	signer sigv4.Signer
}

// RoundTrip signs a copy of the request and sends it.
func (s *signing) RoundTrip(r *http.Request) (*http.Response, error) {
	signed := r.Clone(r.Context())
	if r.Body != nil {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return nil, err
		}
		if err := r.Body.Close(); err != nil {
			return nil, err
		}
		signed.Body = io.NopCloser(bytes.NewReader(body))
		signed.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(body)), nil }
	}
	if err := s.signer.Sign(signed, ""); err != nil {
		return nil, err
	}
	return http.DefaultTransport.RoundTrip(signed)
}

// caller makes a Caller of credentials.
func (r *Region) caller(key sigv4.Credentials, expires time.Time) *Caller {
	return &Caller{
		Client: &http.Client{Transport: &signing{signer: sigv4.Signer{
			Service: "execute-api", Region: r.tried.Region.Name, Credentials: key, Now: r.clock.now}}},
		AccessKeyID: key.AccessKeyID, SecretAccessKey: key.SecretAccessKey, SessionToken: key.SessionToken, Expiration: expires,
	}
}

// SignIn signs a person in with Twitter at the app's identity pool: OAuth 1.0a
// at the region's stand-in, whose users are whatever name comes, then the
// identity and its credentials. Who signs in twice has the same identity.
func (r *Region) SignIn(screenName string) *Caller {
	r.t.Helper()
	session, err := r.tried.SignIn(r.t.Context(), screenName)
	if err != nil {
		r.t.Fatalf("roosttest: sign %s in: %v", screenName, withHints(err))
	}
	return r.session(session)
}

// Guest gets the credentials of an identity that has not signed in, a new one
// each time. The pool has to allow it.
func (r *Region) Guest() *Caller {
	r.t.Helper()
	pool, err := r.tried.Pool()
	if err != nil {
		r.t.Fatalf("roosttest: %v", err)
	}
	session, err := pool.Guest(r.t.Context())
	if err != nil {
		r.t.Fatalf("roosttest: enter as a guest: %v", err)
	}
	return r.session(session)
}

func (r *Region) session(s signin.Session) *Caller {
	key := sigv4.Credentials{AccessKeyID: s.AccessKeyID, SecretAccessKey: s.SecretAccessKey, SessionToken: s.SessionToken}
	c := r.caller(key, s.Expiration)
	c.IdentityID = s.IdentityID
	return c
}

// Assume returns somebody with the rights of a role, by its name, its ARN or
// its logical id as in [Region.API]. The role's trust policy has to name
// either the account's administrator, who assumes it, or Lambda, as that of a
// function does.
func (r *Region) Assume(role string) *Caller {
	r.t.Helper()
	arn := role
	if !strings.HasPrefix(role, "arn:") {
		arn = r.roleARN(r.find("AWS::IAM::Role", role))
	}
	key, expires, err := r.assume(r.t.Context(), arn)
	if err != nil {
		r.t.Fatalf("roosttest: assume the role %s: %v", role, err)
	}
	return r.caller(key, expires)
}

// With returns a client that signs with the caller's key and the session token
// of somebody else, as who has got hold of one would.
func (c *Caller) With(sessionToken string) *http.Client {
	transport := *c.Client.Transport.(*signing)
	transport.signer.Credentials.SessionToken = sessionToken
	return &http.Client{Transport: &transport}
}

// Holding returns a caller with the credentials of another region's, who signs
// by this region's clock: after a fork, those of the original.
func (r *Region) Holding(other *Caller) *Caller {
	c := r.caller(sigv4.Credentials{AccessKeyID: other.AccessKeyID, SecretAccessKey: other.SecretAccessKey, SessionToken: other.SessionToken}, other.Expiration)
	c.IdentityID = other.IdentityID
	return c
}
