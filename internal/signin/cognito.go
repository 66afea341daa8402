package signin

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"
	"strings"
	"time"
)

// TwitterProvider is the name under which identity pools know Twitter.
const TwitterProvider = "api.twitter.com"

// Pool is a Cognito identity pool and where it is.
type Pool struct {
	// Endpoint is the URL of Cognito Identity: that of a region, or
	// https://cognito-identity.us-east-1.amazonaws.com.
	Endpoint string
	// ID is the pool's id, such as us-east-1:abc36c64-….
	ID string
	// Transport sends requests, by default http.DefaultTransport.
	Transport http.RoundTripper
	// Now is the clock, by default time.Now.
	Now func() time.Time
}

// Session is a person's sign-in at a pool: what it was made of and the
// credentials that came of it.
type Session struct {
	PoolID     string
	Provider   string // "api.twitter.com"
	Username   string // the screen name
	Login      string // the provider's token, with which the session is renewed
	IdentityID string

	AccessKeyID     string
	SecretAccessKey string
	SessionToken    string
	Expiration      time.Time
}

// renewBefore is how much life credentials need for not to be renewed.
const renewBefore = 5 * time.Minute

// ServiceError is an error that Cognito answered.
type ServiceError struct {
	Code    string // "NotAuthorizedException"
	Message string
}

func (e *ServiceError) Error() string { return e.Code + ": " + e.Message }

// SignIn signs in with a provider's token: GetId and then
// GetCredentialsForIdentity, Cognito's enhanced flow. A refusal is a
// *ServiceError.
func (p Pool) SignIn(ctx context.Context, provider, username, login string) (Session, error) {
	session, err := p.enter(ctx, map[string]string{provider: login})
	session.Provider, session.Username, session.Login = provider, username, login
	return session, err
}

// Guest enters as a new identity that has not signed in, where the pool allows
// it. A refusal is a *ServiceError.
func (p Pool) Guest(ctx context.Context) (Session, error) { return p.enter(ctx, nil) }

// enter gets an identity and its credentials.
func (p Pool) enter(ctx context.Context, logins map[string]string) (Session, error) {
	var identity struct{ IdentityId string }
	if err := p.call(ctx, "GetId", map[string]any{"IdentityPoolId": p.ID, "Logins": logins}, &identity); err != nil {
		return Session{}, err
	}
	var answer struct {
		Credentials struct {
			AccessKeyId, SecretKey, SessionToken string
			Expiration                           float64
		}
	}
	if err := p.call(ctx, "GetCredentialsForIdentity", map[string]any{"IdentityId": identity.IdentityId, "Logins": logins}, &answer); err != nil {
		return Session{}, err
	}
	given := answer.Credentials
	if identity.IdentityId == "" || given.AccessKeyId == "" || given.SecretKey == "" {
		return Session{}, fmt.Errorf("%s gave no credentials", p.Endpoint)
	}
	return Session{
		PoolID: p.ID, IdentityID: identity.IdentityId,
		AccessKeyID: given.AccessKeyId, SecretAccessKey: given.SecretKey, SessionToken: given.SessionToken,
		Expiration: time.UnixMilli(int64(math.Round(given.Expiration * 1000))).UTC(),
	}, nil
}

// Current returns the session kept in dir. Where it has less than five minutes
// left, or is of another pool, it is renewed with the person's token and kept.
func (p Pool) Current(ctx context.Context, dir string) (Session, error) {
	session, err := LoadSession(dir)
	if err != nil {
		return Session{}, err
	}
	now := time.Now
	if p.Now != nil {
		now = p.Now
	}
	if session.PoolID == p.ID && session.Expiration.Sub(now()) >= renewBefore {
		return session, nil
	}
	renewed, err := p.SignIn(ctx, session.Provider, session.Username, session.Login)
	if err != nil {
		var refused *ServiceError
		if errors.As(err, &refused) {
			return Session{}, fmt.Errorf("the sign-in of %s can't be renewed: %w: run roost login twitter again", session.Username, err)
		}
		return Session{}, err
	}
	return renewed, SaveSession(dir, renewed)
}

// call calls an operation that needs no signature, by the JSON 1.1 protocol.
func (p Pool) call(ctx context.Context, operation string, in, out any) error {
	body, err := json.Marshal(in)
	if err != nil {
		return err
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, strings.TrimSuffix(p.Endpoint, "/")+"/", bytes.NewReader(body))
	if err != nil {
		return err
	}
	r.Header.Set("Content-Type", "application/x-amz-json-1.1")
	r.Header.Set("X-Amz-Target", "AWSCognitoIdentityService."+operation)
	resp, err := boundedClient(ctx, p.Transport).Do(r)
	if err != nil {
		return fmt.Errorf("%s can't be asked (does the region run? roost start begins it): %w", operation, err)
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	if err != nil {
		return fmt.Errorf("%s: %w", operation, err)
	}
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("%s: %w", operation, serviceError(resp, answer))
	}
	if err := json.Unmarshal(answer, out); err != nil {
		return fmt.Errorf("%s: %s does not answer as Cognito does: %w", operation, p.Endpoint, err)
	}
	return nil
}

func serviceError(resp *http.Response, answer []byte) error {
	var body struct {
		Type    string `json:"__type"`
		Message string `json:"message"`
	}
	if json.Unmarshal(answer, &body) != nil || body.Type == "" {
		return fmt.Errorf("status %s, %.300q", resp.Status, answer)
	}
	// Some AWS services put a name space before the code: "com.amazonaws.x#Code".
	code := body.Type[strings.LastIndex(body.Type, "#")+1:]
	return &ServiceError{Code: code, Message: body.Message}
}
