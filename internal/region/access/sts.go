package access

import (
	"context"
	"errors"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/seed-615d3599/roost/iam"
	"github.com/seed-615d3599/roost/internal/region/wire"
)

// STS returns the operations of STS.
func (a *Access) STS() *wire.Service {
	return &wire.Service{
		Name: "sts", Version: "2011-06-15", Protocol: wire.Query,
		Namespace: "https://sts.amazonaws.com/doc/2011-06-15/",
		Operations: []wire.Operation{
			// Who may assume a role is decided with its trust policy, in the operation.
			wire.Op("AssumeRole", a.assumeRole, wire.Targets(func(*wire.Call, *AssumeRoleInput) []wire.Target { return nil })),
			wire.Op("AssumeRoleWithWebIdentity", a.assumeRoleWithWebIdentity, wire.Unsigned()),
			wire.Op("GetCallerIdentity", a.getCallerIdentity),
			wire.Op("GetSessionToken", a.getSessionToken),
			wire.Op("GetAccessKeyInfo", a.getAccessKeyInfo),
			refused("AssumeRoleWithSAML", "SAML providers are not kept"),
			refused("AssumeRoot", "there is no organisation"),
			refused("DecodeAuthorizationMessage", "messages are not encoded; roost explain says why a request was refused"),
			refused("GetFederationToken", "use AssumeRole or GetSessionToken"),
			refused("GetWebIdentityToken", "outbound federation is not part of the embedded region"),
		},
	}
}

// refused is an operation that is known and not supported.
func refused(name, why string) wire.Operation {
	return wire.Op(name, func(context.Context, *wire.Call, *struct{}) (*struct{}, error) {
		return nil, wire.Errorf(http.StatusNotImplemented, "NotImplemented", "roost does not support %s: %s", name, why)
	})
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

// AssumeRoleInput is the input of AssumeRole.
type AssumeRoleInput struct {
	RoleArn           string `required:"true"`
	RoleSessionName   string `required:"true"`
	DurationSeconds   *int
	ExternalID        string `json:"ExternalId"`
	Policy            string
	PolicyArns        []PolicyDescriptor
	Tags              []Tag
	TransitiveTagKeys []string
	SourceIdentity    string
}

// AssumeRoleOutput is the output of AssumeRole.
type AssumeRoleOutput struct {
	Credentials      Credentials
	AssumedRoleUser  AssumedRoleUser
	PackedPolicySize int
	SourceIdentity   string `json:",omitempty"`
}

var sessionNamePattern = regexp.MustCompile(`^[\w+=,.@-]*$`)

const hour = 3600

// assumption is what makes a session of a role, however it was asked for.
type assumption struct {
	roleARN  string
	name     string
	duration int // seconds; 0 means an hour
	chained  bool
	policies []string
	arns     []PolicyDescriptor
	session  session // what else the session carries
}

func (a *Access) assumeRole(_ context.Context, c *wire.Call, in *AssumeRoleInput) (*AssumeRoleOutput, error) {
	if c.Caller == nil {
		return nil, denied("anonymous is not authorized to perform: sts:AssumeRole")
	}
	p, _ := detail(c.Caller)
	role, err := a.roleByARN(in.RoleArn)
	if err == nil {
		err = a.mayAssume(c, p, role, in)
	}
	if err != nil {
		return nil, err
	}
	want := assumption{
		roleARN: in.RoleArn, name: in.RoleSessionName, arns: in.PolicyArns,
		chained: p != nil && p.session != nil,
		session: session{Tags: tagMap(in.Tags), SourceID: in.SourceIdentity},
	}
	if in.DurationSeconds != nil {
		want.duration = *in.DurationSeconds
	}
	if in.Policy != "" {
		want.policies = []string{in.Policy}
	}
	if want.session.SourceID == "" && want.chained {
		want.session.SourceID = p.session.SourceID // source identity persists through role chaining
	}
	credentials, user, size, err := a.assume(role, want)
	if err != nil {
		return nil, err
	}
	return &AssumeRoleOutput{Credentials: *credentials, AssumedRoleUser: user, PackedPolicySize: size, SourceIdentity: want.session.SourceID}, nil
}

// mayAssume decides AssumeRole by the role's trust policy and the caller's own.
func (a *Access) mayAssume(c *wire.Call, p *principal, role *identity, in *AssumeRoleInput) error {
	actions := []string{"sts:AssumeRole"}
	if len(in.Tags) > 0 {
		actions = append(actions, "sts:TagSession")
	}
	if in.SourceIdentity != "" {
		actions = append(actions, "sts:SetSourceIdentity")
	}
	keys := callKeys(c, wire.Target{})
	keys = append(keys, iam.Key{Name: "sts:RoleSessionName", Value: in.RoleSessionName})
	if in.ExternalID != "" {
		keys = append(keys, iam.Key{Name: "sts:ExternalId", Value: in.ExternalID})
	}
	if in.SourceIdentity != "" {
		keys = append(keys, iam.Key{Name: "sts:SourceIdentity", Value: in.SourceIdentity})
	}
	keys = append(keys, tagKeys(in.Tags, in.TransitiveTagKeys)...)
	for _, action := range actions {
		q := Question{Caller: c.Caller, Action: action, Resource: role.ARN, Context: keys}
		request, policies, err := a.ask(q)
		if err != nil {
			return err
		}
		policies.Resource = iam.Attached{Name: "trust policy", Owner: role.ARN, Policy: role.trust}
		decision := iam.Decide(request, policies, nil)
		if decision.Outcome != iam.Allowed {
			return denied("User: %s is not authorized to perform: %s on resource: %s", c.Caller.ARN, action, role.ARN)
		}
	}
	return nil
}

func tagKeys(tags []Tag, transitive []string) iam.Context {
	var keys iam.Context
	names := []string{}
	for _, tag := range tags {
		keys = append(keys, iam.Key{Name: "aws:RequestTag/" + tag.Key, Value: tag.Value})
		names = append(names, tag.Key)
	}
	if len(names) > 0 {
		keys = append(keys, iam.Key{Name: "aws:TagKeys", Values: names})
	}
	if len(transitive) > 0 {
		keys = append(keys, iam.Key{Name: "sts:TransitiveTagKeys", Values: transitive})
	}
	return keys
}

// roleByARN finds a role. What does not exist is refused in the same words as
// what is not allowed, as STS does.
func (a *Access) roleByARN(arn string) (*identity, error) {
	if len(arn) < 20 || !strings.HasPrefix(arn, "arn:") {
		return nil, invalid("%s is invalid", arn)
	}
	name := arn[strings.LastIndexByte(arn, '/')+1:]
	role, ok := a.roles.get(name)
	if !ok || role.ARN != arn {
		return nil, denied("Not authorized to perform sts:AssumeRole on resource: %s (there is no such role)", arn)
	}
	return role, nil
}

func denied(format string, args ...any) *wire.Error {
	return wire.Errorf(http.StatusForbidden, "AccessDenied", format, args...)
}

// assume makes the credentials of a session. That it may be made is decided
// before.
func (a *Access) assume(role *identity, want assumption) (*Credentials, AssumedRoleUser, int, error) {
	user := AssumedRoleUser{
		AssumedRoleID: role.ID + ":" + want.name,
		Arn:           "arn:aws:sts::" + a.config.Account + ":assumed-role/" + role.Name + "/" + want.name,
	}
	duration, err := checkAssumption(role, want)
	if err != nil {
		return nil, user, 0, err
	}
	for _, document := range want.policies {
		if _, err := iam.Parse([]byte(document)); err != nil {
			return nil, user, 0, malformed(err)
		}
	}
	s := want.session
	s.RoleName, s.PrincipalID, s.Name, s.Policies = role.Name, role.ID, want.name, want.policies
	for _, p := range want.arns {
		if _, err := a.managed(p.Arn); err != nil {
			return nil, user, 0, err
		}
		s.PolicyARNs = append(s.PolicyARNs, p.Arn)
	}
	credentials, err := a.issue(&s, duration)
	size := 0
	if err == nil && (len(s.Policies) > 0 || len(s.PolicyARNs) > 0 || len(s.Tags) > 0) {
		size = max(1, 100*len(credentials.SessionToken)/maxToken)
	}
	return credentials, user, size, err
}

func checkAssumption(role *identity, want assumption) (time.Duration, error) {
	if !sessionNamePattern.MatchString(want.name) {
		return 0, invalid("1 validation error detected: Value '%s' at 'roleSessionName' failed to satisfy constraint: Member must satisfy regular expression pattern: [\\w+=,.@-]*", want.name)
	}
	if len(want.name) < 2 || len(want.name) > 64 {
		return 0, invalid("1 validation error detected: Value '%s' at 'roleSessionName' failed to satisfy constraint: Member must have length between 2 and 64", want.name)
	}
	seconds := want.duration
	if seconds == 0 {
		seconds = hour
	}
	longest := role.MaxSession
	if longest == 0 {
		longest = hour
	}
	switch {
	case seconds < 900:
		return 0, invalid("1 validation error detected: Value '%d' at 'durationSeconds' failed to satisfy constraint: Member must have value greater than or equal to 900", seconds)
	case want.chained && seconds > hour:
		return 0, invalid("The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining")
	case seconds > longest:
		return 0, invalid("The requested DurationSeconds exceeds the MaxSessionDuration set for this role.")
	}
	return time.Duration(seconds) * time.Second, nil
}

// issue completes a session and returns its credentials.
func (a *Access) issue(s *session, life time.Duration) (*Credentials, error) {
	keyID, err := a.sessions.newKeyID()
	if err != nil {
		return nil, err
	}
	now := a.config.Now().UTC().Truncate(time.Second)
	s.KeyID, s.Issued, s.Expires = keyID, now.Unix(), now.Add(life).Unix()
	token, err := a.sessions.seal(s)
	if err != nil {
		return nil, err
	}
	return &Credentials{AccessKeyID: keyID, SecretAccessKey: a.sessions.secretKey(keyID), SessionToken: token, Expiration: wire.Time{Time: now.Add(life)}}, nil
}

// AssumeRoleWithWebIdentityInput is the input of AssumeRoleWithWebIdentity.
type AssumeRoleWithWebIdentityInput struct {
	RoleArn          string `required:"true"`
	RoleSessionName  string `required:"true"`
	WebIdentityToken string `required:"true"`
	DurationSeconds  *int
	Policy           string
	PolicyArns       []PolicyDescriptor
	ProviderID       string `json:"ProviderId"`
}

// AssumeRoleWithWebIdentityOutput is the output of AssumeRoleWithWebIdentity.
type AssumeRoleWithWebIdentityOutput struct {
	Credentials                 Credentials
	SubjectFromWebIdentityToken string
	AssumedRoleUser             AssumedRoleUser
	PackedPolicySize            int
	Provider                    string
	Audience                    string
}

func (a *Access) assumeRoleWithWebIdentity(ctx context.Context, _ *wire.Call, in *AssumeRoleWithWebIdentityInput) (*AssumeRoleWithWebIdentityOutput, error) {
	if in.ProviderID != "" {
		return nil, wire.Errorf(http.StatusBadRequest, "InvalidIdentityToken", "ProviderId is for OAuth 2.0 access tokens of Amazon and Facebook, which roost does not support; leave it out")
	}
	if a.config.WebIdentity == nil {
		return nil, wire.Errorf(http.StatusBadRequest, "InvalidIdentityToken", "No OpenIDConnect provider found in your account")
	}
	who, err := a.config.WebIdentity(ctx, in.WebIdentityToken)
	if err != nil {
		var known *wire.Error
		if errors.As(err, &known) {
			return nil, known
		}
		return nil, wire.Errorf(http.StatusBadRequest, "InvalidIdentityToken", "%v", err)
	}
	want := FederatedSession{
		RoleARN: in.RoleArn, Name: in.RoleSessionName, Identity: *who,
	}
	if in.DurationSeconds != nil {
		want.Seconds = *in.DurationSeconds
	}
	if in.Policy != "" {
		want.Policies = []string{in.Policy}
	}
	for _, p := range in.PolicyArns {
		want.PolicyARNs = append(want.PolicyARNs, p.Arn)
	}
	credentials, user, size, err := a.federate(want)
	if err != nil {
		return nil, err
	}
	return &AssumeRoleWithWebIdentityOutput{
		Credentials: *credentials, AssumedRoleUser: user, PackedPolicySize: size,
		SubjectFromWebIdentityToken: who.Subject, Audience: who.Audience, Provider: who.Provider,
	}, nil
}

// FederatedSession asks for the session of a verified web identity.
type FederatedSession struct {
	RoleARN    string
	Name       string // session name
	Identity   WebIdentity
	Seconds    int // 0 means an hour
	Policies   []string
	PolicyARNs []string
	Tags       map[string]string
}

// Federate gives a verified web identity a session of a role, if the role's
// trust policy lets it. Cognito Identity's enhanced flow uses it.
func (a *Access) Federate(want FederatedSession) (*Credentials, error) {
	credentials, _, _, err := a.federate(want)
	return credentials, err
}

func (a *Access) federate(want FederatedSession) (*Credentials, AssumedRoleUser, int, error) {
	name := want.RoleARN[strings.LastIndexByte(want.RoleARN, '/')+1:]
	role, ok := a.roles.get(name)
	if !ok || role.ARN != want.RoleARN || !a.trusts(role, want) {
		return nil, AssumedRoleUser{}, 0, denied("Not authorized to perform sts:AssumeRoleWithWebIdentity")
	}
	who := want.Identity
	request := assumption{
		roleARN: want.RoleARN, name: want.Name, duration: want.Seconds, policies: want.Policies,
		session: session{
			Provider: who.Provider, Issuer: who.Issuer, Subject: who.Subject,
			Audience: who.Audience, AMR: who.AMR, Tags: want.Tags,
		},
	}
	for _, arn := range want.PolicyARNs {
		request.arns = append(request.arns, PolicyDescriptor{Arn: arn})
	}
	return a.assume(role, request)
}

// trusts asks a role's trust policy about a web identity. No identity-based
// policy has a say: the caller is nobody yet.
func (a *Access) trusts(role *identity, want FederatedSession) bool {
	who := want.Identity
	keys := append(a.requestKeys(), webIdentityKeys(who.Issuer, who.Subject, who.Audience, who.AMR)...)
	keys = append(keys, iam.Key{Name: "sts:RoleSessionName", Value: want.Name},
		iam.Key{Name: "aws:FederatedProvider", Value: who.Provider})
	keys = append(keys, tagKeys(tagList(want.Tags), nil)...)
	actions := []string{"sts:AssumeRoleWithWebIdentity"}
	if len(want.Tags) > 0 {
		actions = append(actions, "sts:TagSession")
	}
	return !slices.ContainsFunc(actions, func(action string) bool {
		decision := iam.Decide(iam.Request{
			Principal: iam.Principal{Kind: iam.Federated, Name: who.Provider},
			Action:    action, Resource: role.ARN, Context: keys,
		}, iam.Policies{
			Resource:        iam.Attached{Name: "trust policy", Owner: role.ARN, Policy: role.trust},
			ResourceAccount: a.config.Account,
		}, nil)
		return decision.Outcome != iam.Allowed
	})
}

// ServiceCredentials gives an AWS service (lambda.amazonaws.com) a session of
// a role that trusts it.
func (a *Access) ServiceCredentials(service, roleARN, sessionName string) (*Credentials, error) {
	role, err := a.roleByARN(roleARN)
	if err != nil {
		return nil, err
	}
	decision := iam.Decide(iam.Request{
		Principal: iam.Principal{Kind: iam.Service, Name: service},
		Action:    "sts:AssumeRole", Resource: role.ARN, Context: a.requestKeys(),
	}, iam.Policies{
		Resource:        iam.Attached{Name: "trust policy", Owner: role.ARN, Policy: role.trust},
		ResourceAccount: a.config.Account,
	}, nil)
	if decision.Outcome != iam.Allowed {
		return nil, denied("The role %s does not trust %s: let its trust policy allow sts:AssumeRole to that service", roleARN, service)
	}
	credentials, _, _, err := a.assume(role, assumption{roleARN: roleARN, name: sessionName})
	return credentials, err
}

// CallerIdentity is the output of GetCallerIdentity.
type CallerIdentity struct {
	UserID  string `json:"UserId"`
	Account string
	Arn     string
}

func (a *Access) getCallerIdentity(_ context.Context, c *wire.Call, _ *struct{}) (*CallerIdentity, error) {
	return &CallerIdentity{UserID: c.Caller.UserID, Account: c.Caller.Account, Arn: c.Caller.ARN}, nil
}

// GetSessionTokenInput is the input of GetSessionToken.
type GetSessionTokenInput struct {
	DurationSeconds *int
}

// GetSessionTokenOutput is the output of GetSessionToken.
type GetSessionTokenOutput struct{ Credentials Credentials }

func (a *Access) getSessionToken(_ context.Context, c *wire.Call, in *GetSessionTokenInput) (*GetSessionTokenOutput, error) {
	p, ok := detail(c.Caller)
	if !ok || p.session != nil {
		return nil, denied("Cannot call GetSessionToken with session credentials")
	}
	seconds := 12 * hour
	if in.DurationSeconds != nil {
		seconds = *in.DurationSeconds
	}
	if seconds < 900 || seconds > 36*hour {
		return nil, invalid("1 validation error detected: Value '%d' at 'durationSeconds' failed to satisfy constraint: Member must have value between 900 and 129600", seconds)
	}
	credentials, err := a.issue(&session{UserName: p.identity.Name, PrincipalID: p.identity.ID}, time.Duration(seconds)*time.Second)
	if err != nil {
		return nil, err
	}
	return &GetSessionTokenOutput{Credentials: *credentials}, nil
}

// GetAccessKeyInfoInput is the input of GetAccessKeyInfo.
type GetAccessKeyInfoInput struct {
	AccessKeyID string `json:"AccessKeyId" required:"true"`
}

// GetAccessKeyInfoOutput is the output of GetAccessKeyInfo.
type GetAccessKeyInfoOutput struct{ Account string }

func (a *Access) getAccessKeyInfo(_ context.Context, _ *wire.Call, _ *GetAccessKeyInfoInput) (*GetAccessKeyInfoOutput, error) {
	return &GetAccessKeyInfoOutput{Account: a.config.Account}, nil
}
