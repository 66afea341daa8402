// Package webidentity verifies the OpenID Connect tokens that STS's
// AssumeRoleWithWebIdentity takes: those of this region's identity pools, and
// those of the IAM OpenID Connect providers of the account.
//
//	verifier := webidentity.Verifier{Tokens: pools.Tokens(), OIDC: pools.OIDC(), Account: account, Provider: access.Provider}
//	who, err := verifier.Verify(ctx, token)
package webidentity

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/go-jose/go-jose/v4/jwt"

	"github.com/seed-615d3599/roost/internal/region/identity/providers"
	"github.com/seed-615d3599/roost/internal/region/identity/tokens"
	"github.com/seed-615d3599/roost/internal/region/wire"
)

// Verifier verifies tokens. All fields are required.
type Verifier struct {
	Tokens  *tokens.Keeper
	OIDC    *providers.OIDC
	Account string // 12 digits
	// Provider returns the issuer's URL and the client ids of an IAM OpenID
	// Connect provider.
	Provider func(arn string) (issuer string, clientIDs []string, ok bool)
}

// Identity is what a verified token says.
type Identity struct {
	Provider string // the trust policy's principal: "cognito-identity.amazonaws.com", or the ARN of the provider
	Issuer   string // what condition keys begin with: the issuer without "https://"
	Subject  string
	Audience string
	AMR      []string
	Tags     map[string]string // principal tags, of an identity pool's token
}

// cognito is the name of identity pools as a provider.
const cognito = "cognito-identity.amazonaws.com"

// Verify checks a token. Its refusals are *wire.Errors with STS's codes; the
// texts are those that people have got from STS.
func (v Verifier) Verify(ctx context.Context, token string) (Identity, error) {
	issuer, err := issuerOf(token)
	if err != nil {
		return Identity{}, err
	}
	if issuer == tokens.Issuer {
		return v.verifyOwn(ctx, token)
	}
	name := strings.TrimPrefix(issuer, "https://")
	arn := "arn:aws:iam::" + v.Account + ":oidc-provider/" + strings.TrimSuffix(name, "/")
	_, clients, ok := v.Provider(arn)
	if !ok {
		return Identity{}, invalid("No OpenIDConnect provider found in your account for %.500s", issuer)
	}
	person, err := v.OIDC.Verify(ctx, name, clients, token)
	if err != nil {
		return Identity{}, refusal(err)
	}
	return Identity{
		Provider: arn, Issuer: strings.TrimSuffix(name, "/"), Subject: person.User,
		Audience: audience(person.Claims["aud"], clients), AMR: providers.Texts(person.Claims["amr"]),
	}, nil
}

func (v Verifier) verifyOwn(ctx context.Context, token string) (Identity, error) {
	verified, err := v.Tokens.Verify(ctx, token)
	var bad *tokens.Invalid
	switch {
	case errors.As(err, &bad) && bad.Expired:
		return Identity{}, expired(bad.Reason)
	case errors.As(err, &bad):
		return Identity{}, invalid("%s", bad.Reason)
	case err != nil:
		return Identity{}, err
	}
	return Identity{
		Provider: cognito, Issuer: cognito, Subject: verified.IdentityID, Audience: verified.PoolID,
		AMR: verified.AMR, Tags: verified.PrincipalTags,
	}, nil
}

// issuerOf reads who a token says that it is from, to find who can verify it.
func issuerOf(token string) (string, error) {
	parsed, err := jwt.ParseSigned(token, providers.Algorithms())
	var claims jwt.Claims
	if err == nil {
		err = parsed.UnsafeClaimsWithoutVerification(&claims)
	}
	if err != nil || claims.Issuer == "" {
		return "", invalid("The ID Token provided is not a valid JWT. (You may see this error if you sent an Access Token)")
	}
	return claims.Issuer, nil
}

// refusal turns a provider's error into one of STS.
func refusal(err error) error {
	var rejected *providers.Rejected
	switch {
	case errors.Is(err, providers.ErrUnavailable):
		return wire.Errorf(http.StatusBadRequest, "IDPCommunicationError", "Couldn't retrieve verification key from your identity provider, please reference AssumeRoleWithWebIdentity documentation for requirements")
	case errors.As(err, &rejected) && rejected.Expired:
		return expired(rejected.Reason)
	case errors.As(err, &rejected) && rejected.WrongApp:
		return invalid("Incorrect token audience")
	case errors.As(err, &rejected):
		return invalid("%s", rejected.Reason)
	}
	return err
}

func invalid(format string, args ...any) error {
	return &wire.Error{Status: http.StatusBadRequest, Code: "InvalidIdentityToken", Message: fmt.Sprintf(format, args...)}
}

func expired(reason string) error {
	return wire.Errorf(http.StatusBadRequest, "ExpiredTokenException", "%s", reason)
}

// audience returns the audience by which a token was taken.
func audience(claim any, clients []string) string {
	for _, value := range providers.Texts(claim) {
		if slices.Contains(clients, value) {
			return value
		}
	}
	return ""
}
