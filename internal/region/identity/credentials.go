package identity

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/seed-615d3599/roost/internal/region/identity/providers"
	"github.com/seed-615d3599/roost/internal/region/identity/tokens"
	"github.com/seed-615d3599/roost/internal/region/wire"
)

// ownProvider is the name under which a token that a pool gave is a login.
const ownProvider = "cognito-identity.amazonaws.com"

// tokenLife is how long a token of GetOpenIdToken is good for.
const tokenLife = 10 * time.Minute

// TokenInput is the input of GetOpenIdToken.
type TokenInput struct {
	IdentityID string `json:"IdentityId" required:"true"`
	Logins     map[string]string
}

// TokenOutput is an OpenID Connect token for an identity.
type TokenOutput struct {
	IdentityID string `json:"IdentityId"`
	Token      string
}

// getToken is the first half of the basic flow; the client calls
// AssumeRoleWithWebIdentity itself.
func (x *Identity) getToken(ctx context.Context, _ *wire.Call, in *TokenInput) (*TokenOutput, error) {
	signedIn, err := x.resolve(ctx, in.IdentityID, in.Logins)
	if err != nil {
		return nil, err
	}
	if !signedIn.pool.AllowClassicFlow {
		return nil, invalidParameter("Basic (classic) flow is not enabled, please use enhanced flow.")
	}
	token, err := x.tokens.Sign(ctx, signedIn.token, tokenLife)
	return &TokenOutput{in.IdentityID, token}, err
}

// CredentialsInput is the input of GetCredentialsForIdentity.
type CredentialsInput struct {
	IdentityID    string `json:"IdentityId" required:"true"`
	Logins        map[string]string
	CustomRoleArn string
}

// CredentialsOutput is the output of GetCredentialsForIdentity.
type CredentialsOutput struct {
	IdentityID  string `json:"IdentityId"`
	Credentials Credentials
}

// Credentials are temporary credentials, with Cognito's names.
type Credentials struct {
	AccessKeyID  string `json:"AccessKeyId"`
	SecretKey    string
	SessionToken string
	Expiration   wire.Time
}

// Of the enhanced flow.
const (
	sessionName    = "CognitoIdentityCredentials"
	sessionSeconds = 3600
)

// getCredentials is the enhanced flow: the role is chosen by the pool.
func (x *Identity) getCredentials(ctx context.Context, _ *wire.Call, in *CredentialsInput) (*CredentialsOutput, error) {
	signedIn, err := x.resolve(ctx, in.IdentityID, in.Logins)
	if err != nil {
		return nil, err
	}
	role, err := signedIn.role(in.CustomRoleArn)
	if err != nil {
		return nil, err
	}
	request := SessionRequest{
		RoleARN: role, Name: sessionName, Seconds: sessionSeconds,
		IdentityID: in.IdentityID, PoolID: signedIn.token.PoolID, AMR: signedIn.token.AMR,
		Tags: signedIn.token.PrincipalTags,
	}
	if signedIn.guest() {
		request.Policies, request.PolicyARNs = []string{guestPolicy}, []string{guestPolicyARN}
	}
	given, err := x.config.Assume(ctx, request)
	if err != nil {
		var refused *wire.Error
		if errors.As(err, &refused) && refused.Status < http.StatusInternalServerError {
			return nil, explained(err) // the role is gone, or does not trust the pool
		}
		return nil, err
	}
	return &CredentialsOutput{in.IdentityID, Credentials{
		AccessKeyID: given.AccessKeyID, SecretKey: given.SecretAccessKey,
		SessionToken: given.SessionToken, Expiration: wire.Time{Time: given.Expiration},
	}}, nil
}

// explained is the error that the client sees, with the account of the role's
// refusal for whoever explains it.
func explained(cause error) error {
	var denied *wire.Denied
	if !errors.As(cause, &denied) {
		return badConfiguration()
	}
	seen := *denied
	seen.Err = badConfiguration()
	return &seen
}

// signedIn is somebody who may act as an identity.
type signedIn struct {
	pool   poolRecord
	people []person // none for guests, and for who came with a developer's token
	token  tokens.Token
}

func (s *signedIn) guest() bool { return !slices.Contains(s.token.AMR, "authenticated") }

// resolve checks who asks for an identity: people with logins, a guest, or who
// has a token that GetOpenIdTokenForDeveloperIdentity gave.
func (x *Identity) resolve(ctx context.Context, id string, logins map[string]string) (*signedIn, error) {
	if own, ok := logins[ownProvider]; ok {
		return x.resolveToken(ctx, id, own, len(logins))
	}
	pool, people, err := x.signIn(ctx, id, logins)
	if err != nil {
		return nil, err
	}
	return &signedIn{pool: pool, people: people, token: tokens.Token{
		IdentityID: id, PoolID: pool.IdentityPoolID, PoolARN: x.poolARN(pool.IdentityPoolID),
		AMR: amr(pool.IdentityPoolID, people), PrincipalTags: pool.tagsOf(people),
	}}, nil
}

func (x *Identity) resolveToken(ctx context.Context, id, token string, logins int) (*signedIn, error) {
	record, pool, err := x.identity(ctx, id)
	if err != nil {
		return nil, err
	}
	verified, err := x.tokens.Verify(ctx, token)
	if err != nil {
		var invalid *tokens.Invalid
		if errors.As(err, &invalid) {
			return nil, notAuthorized("Invalid login token. %s", invalid.Reason)
		}
		return nil, err
	}
	if verified.IdentityID != id || verified.PoolID != record.PoolID || logins > 1 || record.disabled() {
		return nil, loginsDontMatch()
	}
	return &signedIn{pool: pool, token: verified}, nil
}

// role chooses the role (Developer Guide, "Role-based access control"): by the
// provider's mapping, and else the pool's for who is signed in or not.
func (s *signedIn) role(custom string) (string, error) {
	kind := "authenticated"
	if s.guest() {
		kind = "unauthenticated"
	}
	role := s.pool.Roles[kind]
	for _, who := range s.people {
		mapping, ok := s.pool.RoleMappings[who.mapping]
		if !ok {
			continue
		}
		chosen, err := mapping.choose(who.claims, custom)
		if err != nil {
			return "", err
		}
		if chosen != "" {
			return chosen, nil
		}
	}
	if custom != "" {
		return "", notAuthorized("CustomRoleArn is not among the roles of the login's token.") // no text was found
	}
	if role == "" {
		return "", badConfiguration()
	}
	return role, nil
}

// choose returns the role by a mapping, or "" for the pool's authenticated
// role.
func (m RoleMapping) choose(claims map[string]any, custom string) (string, error) {
	if m.Type == "Token" {
		roles := providers.Texts(claims["cognito:roles"])
		switch preferred := providers.Texts(claims["cognito:preferred_role"]); {
		case custom != "" && slices.Contains(roles, custom):
			return custom, nil
		case custom != "":
			return "", nil
		case len(preferred) == 1:
			return preferred[0], nil
		case len(roles) == 1:
			return roles[0], nil
		}
	} else if m.RulesConfiguration != nil {
		for _, rule := range m.RulesConfiguration.Rules {
			if rule.matches(providers.Texts(claims[rule.Claim])) && (custom == "" || custom == rule.RoleARN) {
				return rule.RoleARN, nil
			}
		}
	}
	if m.AmbiguousRoleResolution == "Deny" {
		return "", badConfiguration()
	}
	return "", nil
}

func (r Rule) matches(values []string) bool {
	switch r.MatchType {
	case "Equals":
		return slices.Contains(values, r.Value)
	case "NotEqual":
		return len(values) > 0 && !slices.Contains(values, r.Value)
	case "StartsWith":
		return slices.ContainsFunc(values, func(v string) bool { return strings.HasPrefix(v, r.Value) })
	case "Contains":
		return slices.ContainsFunc(values, func(v string) bool { return strings.Contains(v, r.Value) })
	}
	return false
}

// tagsOf returns the principal tags that the pool's maps make of claims.
func (p *poolRecord) tagsOf(people []person) map[string]string {
	tags := make(map[string]string)
	for _, who := range people {
		chosen, ok := p.TagMaps[who.mapping]
		if !ok {
			continue
		}
		claimOf := chosen.PrincipalTags
		if chosen.UseDefaults {
			claimOf = map[string]string{"username": "sub", "client": "aud"}
		}
		for tag, claim := range claimOf {
			if values := providers.Texts(who.claims[claim]); len(values) == 1 && len(tags) < maxTags {
				tags[tag] = values[0]
			}
		}
	}
	return tags
}

// guestPolicy and guestPolicyARN bound what guests may do in the enhanced
// flow, whatever their role allows (Developer Guide, "IAM roles", "Access
// policies for unauthenticated identities").
const guestPolicyARN = "arn:aws:iam::aws:policy/AmazonCognitoUnAuthedIdentitiesSessionPolicy"

var guestPolicy = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["` + strings.Join([]string{
	"cloudwatch:*", "logs:*", "dynamodb:*", "kinesis:*", "mobileanalytics:*", "s3:*", "ses:*", "sns:*", "sqs:*",
	"lambda:*", "machinelearning:*", "execute-api:*", "iot:*", "gamelift:*", "cognito-identity:*", "cognito-idp:*",
	"lex:*", "polly:*", "comprehend:*", "translate:*", "transcribe:*", "rekognition:*", "mobiletargeting:*",
	"firehose:*", "appsync:*", "personalize:*", "sagemaker:InvokeEndpoint", "cognito-sync:*", "codewhisperer:*",
	"textract:DetectDocumentText", "textract:AnalyzeDocument", "sdb:*",
}, `","`) + `"],"Resource":"*"}]}`
