package access

import (
	"context"
	"net/http"
	"regexp"
	"strings"
	"sync"

	"github.com/seed-615d3599/roost/internal/region/access/directory"
	"github.com/seed-615d3599/roost/internal/region/access/session"
	"github.com/seed-615d3599/roost/internal/region/wire"
)

// STS returns the operations of STS.
func (a *Access) STS() *wire.Service {
	refused := func(name, why string) wire.Operation {
		return wire.Op(name, func(context.Context, *wire.Call, *wire.Anything) (*struct{}, error) {
			return nil, wire.Errorf(http.StatusNotImplemented, "NotImplemented", "roost does not support %s: %s", name, why)
		}, wire.Unsigned()) // some of them are, and none gives anything away
	}
	return &wire.Service{
		Name: "sts", Version: "2011-06-15", Protocol: wire.Query,
		Namespace: "https://sts.amazonaws.com/doc/2011-06-15/",
		Operations: []wire.Operation{
			// Who may assume a role is decided with its trust policy, in the operation.
			wire.Op("AssumeRole", a.assumeRole, wire.Targets(func(*wire.Call, *AssumeRoleInput) []wire.Target { return nil })),
			wire.Op("AssumeRoleWithWebIdentity", a.assumeRoleWithWebIdentity, wire.Unsigned()),
			wire.Op("GetCallerIdentity", a.getCallerIdentity),
			// No permission is needed for it (STS API Reference, GetSessionToken).
			wire.Op("GetSessionToken", a.getSessionToken, wire.Targets(func(*wire.Call, *GetSessionTokenInput) []wire.Target { return nil })),
			wire.Op("GetAccessKeyInfo", a.getAccessKeyInfo),
			refused("AssumeRoleWithSAML", "SAML providers are not kept"),
			refused("AssumeRoot", "there is no organisation"),
			refused("DecodeAuthorizationMessage", "messages are not encoded; roost explain says why a request was refused"),
			refused("GetDelegatedAccessToken", "there are no product providers"),
			refused("GetFederationToken", "use AssumeRole or GetSessionToken"),
			refused("GetWebIdentityToken", "outbound federation is not part of the embedded region"),
		},
	}
}

// Credentials are temporary credentials.
type Credentials struct {
	AccessKeyID     string `json:"AccessKeyId"`
	SecretAccessKey string
	SessionToken    string
	Expiration      wire.Time
}

// AssumedRoleUser says which session was made.
type AssumedRoleUser struct {
	AssumedRoleID string `json:"AssumedRoleId"`
	Arn           string
}

// PolicyDescriptor names a managed policy for a session.
type PolicyDescriptor struct {
	Arn string `json:"arn"`
}

// ProvidedContext is refused: there is no identity center.
type ProvidedContext struct{ ProviderArn, ContextAssertion string }

// AssumeRoleInput is the input of AssumeRole.
type AssumeRoleInput struct {
	RoleArn           string `required:"true"`
	RoleSessionName   string `required:"true"`
	DurationSeconds   *int
	ExternalID        string `json:"ExternalId"`
	Policy            string
	PolicyArns        []PolicyDescriptor
	Tags              []directory.Tag
	TransitiveTagKeys []string
	SourceIdentity    string
	SerialNumber      string
	TokenCode         string
	ProvidedContexts  []ProvidedContext
}

// AssumeRoleOutput is the output of AssumeRole.
type AssumeRoleOutput struct {
	Credentials      Credentials
	AssumedRoleUser  AssumedRoleUser
	PackedPolicySize *int   `json:",omitempty"` // percent
	SourceIdentity   string `json:",omitempty"`
}

var (
	sessionNamePattern = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^[\w+=,.@-]*$`) })
	externalIDPattern  = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^[\w+=,.@:/-]*$`) })
)

const hour = 3600 // seconds

func (a *Access) assumeRole(_ context.Context, c *wire.Call, in *AssumeRoleInput) (*AssumeRoleOutput, error) {
	if c.Caller == nil {
		return nil, denied("Anonymous is not authorized to perform: sts:AssumeRole on resource: %s", in.RoleArn)
	}
	if err := checkAssumeRole(in); err != nil {
		return nil, err
	}
	want, err := a.chain(c, in)
	if err != nil {
		return nil, err
	}
	role, err := a.roleByARN(in.RoleArn)
	if err == nil {
		err = a.mayAssume(c, role, in, want)
	}
	if err != nil {
		return nil, err
	}
	given, err := a.assume(role, want)
	if err != nil {
		return nil, err
	}
	return &AssumeRoleOutput{
		Credentials: given.credentials, AssumedRoleUser: given.user, PackedPolicySize: given.packed, SourceIdentity: want.session.SourceID,
	}, nil
}

// checkAssumeRole checks the members that belong to AssumeRole alone.
func checkAssumeRole(in *AssumeRoleInput) error {
	switch {
	case in.SerialNumber != "" || in.TokenCode != "":
		return denied("MultiFactorAuthentication failed: roost keeps no MFA devices; leave SerialNumber and TokenCode out")
	case len(in.ProvidedContexts) > 0:
		return directory.Invalid("roost does not support the member ProvidedContexts")
	case in.ExternalID != "" && (!externalIDPattern().MatchString(in.ExternalID) || len(in.ExternalID) < 2 || len(in.ExternalID) > 1224):
		return pattern("externalId", in.ExternalID, `[\w+=,.@:\/-]*`)
	case in.SourceIdentity != "" && (!sessionNamePattern().MatchString(in.SourceIdentity) || len(in.SourceIdentity) < 2 || len(in.SourceIdentity) > 64):
		return pattern("sourceIdentity", in.SourceIdentity, `[\w+=,.@-]*`)
	case strings.HasPrefix(strings.ToLower(in.SourceIdentity), "aws:"):
		return directory.Invalid("A source identity cannot begin with aws:")
	}
	return nil
}

func pattern(member, value, expression string) error {
	return directory.Invalid("1 validation error detected: Value '%s' at '%s' failed to satisfy constraint: Member must satisfy regular expression pattern: %s", value, member, expression)
}

// chain is what the session is to be, with what goes on from the caller's own
// session: transitive tags and the source identity (IAM User Guide, "Pass
// session tags in AWS STS" and "Monitor and control actions taken with assumed
// roles").
func (a *Access) chain(c *wire.Call, in *AssumeRoleInput) (assumption, error) {
	tags, err := directory.TagMap(in.Tags)
	if err != nil {
		return assumption{}, err
	}
	want := assumption{
		name: in.RoleSessionName, arns: in.PolicyArns,
		session: session.Session{Tags: tags, Transitive: in.TransitiveTagKeys, SourceID: in.SourceIdentity},
	}
	if in.DurationSeconds != nil {
		want.duration = *in.DurationSeconds
	}
	if in.Policy != "" {
		want.policies = []string{in.Policy}
	}
	for _, key := range in.TransitiveTagKeys {
		if !hasTag(tags, key) {
			return want, directory.Invalid("The transitive tag key %s is not among the tags of the request.", key)
		}
	}
	p := detail(c.Caller)
	if p == nil || p.session == nil || p.session.UserName != "" {
		return want, nil
	}
	want.chained = true
	if from := p.session.SourceID; from != "" {
		if in.SourceIdentity != "" && in.SourceIdentity != from {
			return want, denied("The source identity of the session is %s and cannot be changed", from)
		}
		want.session.SourceID = from
	}
	return want, inherit(&want.session, p.session)
}

// inherit carries the transitive tags of a session into the next.
func inherit(to, from *session.Session) error {
	for _, key := range from.Transitive {
		if hasTag(to.Tags, key) {
			return directory.Invalid("One of the specified transitive tag keys can't be set because it conflicts with a transitive tag key from the calling session.")
		}
		for have, value := range from.Tags {
			if strings.EqualFold(have, key) {
				if to.Tags == nil {
					to.Tags = map[string]string{}
				}
				to.Tags[have] = value
				to.Transitive = append(to.Transitive, have)
			}
		}
	}
	return nil
}

// CallerIdentity is the output of GetCallerIdentity.
type CallerIdentity struct {
	UserID  string `json:"UserId"`
	Account string
	Arn     string
}

func (a *Access) getCallerIdentity(_ context.Context, c *wire.Call, _ *struct{}) (*CallerIdentity, error) {
	if c.Caller == nil {
		return nil, wire.Errorf(http.StatusForbidden, "MissingAuthenticationToken", "Request is missing Authentication Token")
	}
	return &CallerIdentity{UserID: c.Caller.UserID, Account: c.Caller.Account, Arn: c.Caller.ARN}, nil
}

// GetSessionTokenInput is the input of GetSessionToken.
type GetSessionTokenInput struct {
	DurationSeconds *int
	SerialNumber    string
	TokenCode       string
}

// GetSessionTokenOutput is the output of GetSessionToken.
type GetSessionTokenOutput struct{ Credentials Credentials }

func (a *Access) getSessionToken(_ context.Context, c *wire.Call, in *GetSessionTokenInput) (*GetSessionTokenOutput, error) {
	p := detail(c.Caller)
	if p == nil || p.session != nil {
		return nil, denied("Cannot call GetSessionToken with session credentials")
	}
	if in.SerialNumber != "" || in.TokenCode != "" {
		return nil, denied("MultiFactorAuthentication failed: roost keeps no MFA devices; leave SerialNumber and TokenCode out")
	}
	seconds := 12 * hour
	if in.DurationSeconds != nil {
		seconds = *in.DurationSeconds
	}
	if err := between("durationSeconds", seconds, 900, 36*hour); err != nil {
		return nil, err
	}
	credentials, err := a.issue(&session.Session{UserName: p.identity.Name, PrincipalID: p.identity.ID}, seconds)
	if err != nil {
		return nil, err
	}
	return &GetSessionTokenOutput{Credentials: credentials}, nil
}

func between(member string, value, least, most int) error {
	switch {
	case value < least:
		return directory.Invalid("1 validation error detected: Value '%d' at '%s' failed to satisfy constraint: Member must have value greater than or equal to %d", value, member, least)
	case value > most:
		return directory.Invalid("1 validation error detected: Value '%d' at '%s' failed to satisfy constraint: Member must have value less than or equal to %d", value, member, most)
	}
	return nil
}

// GetAccessKeyInfoInput is the input of GetAccessKeyInfo.
type GetAccessKeyInfoInput struct {
	AccessKeyID string `json:"AccessKeyId" required:"true"`
}

// GetAccessKeyInfoOutput is the output of GetAccessKeyInfo.
type GetAccessKeyInfoOutput struct{ Account string }

var keyIDPattern = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^\w{16,128}$`) })

// getAccessKeyInfo says that the region's account has a key. AWS reads the
// account out of the key's id; an id of here tells nothing, so that of a
// session is taken to be one of here.
func (a *Access) getAccessKeyInfo(_ context.Context, _ *wire.Call, in *GetAccessKeyInfoInput) (*GetAccessKeyInfoOutput, error) {
	if !keyIDPattern().MatchString(in.AccessKeyID) {
		return nil, pattern("accessKeyId", in.AccessKeyID, `[\w]*`)
	}
	if _, ok := a.people.Key(in.AccessKeyID); !ok && !strings.HasPrefix(in.AccessKeyID, "ASIA") {
		return nil, directory.Invalid("the access key %s is not of this account", in.AccessKeyID)
	}
	return &GetAccessKeyInfoOutput{Account: a.config.Account}, nil
}

func denied(format string, args ...any) *wire.Error {
	return wire.Errorf(http.StatusForbidden, "AccessDenied", format, args...)
}
