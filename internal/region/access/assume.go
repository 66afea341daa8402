package access

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/seed-615d3599/roost/iam"
	"github.com/seed-615d3599/roost/internal/region/access/directory"
	"github.com/seed-615d3599/roost/internal/region/access/session"
	"github.com/seed-615d3599/roost/internal/region/wire"
)

// assumption is what makes a session of a role, however it was asked for.
type assumption struct {
	name     string
	duration int // seconds; 0 means an hour
	chained  bool
	policies []string
	arns     []PolicyDescriptor
	session  session.Session // what else the session carries
}

// given is a session that was made.
type given struct {
	credentials Credentials
	user        AssumedRoleUser
	packed      *int
}

// roleByARN finds a role. What does not exist is refused in the same words as
// what is not allowed, as STS does.
func (a *Access) roleByARN(arn string) (*directory.Identity, error) {
	if len(arn) < 20 || len(arn) > 2048 || !strings.HasPrefix(arn, "arn:aws:iam::") || !strings.Contains(arn, ":role/") {
		return nil, directory.Invalid("%s is invalid", arn)
	}
	role, ok := a.people.Find(directory.Role, arn[strings.LastIndexByte(arn, '/')+1:])
	if !ok || role.ARN != arn {
		return nil, nil
	}
	return role, nil
}

// mayAssume decides AssumeRole by the role's trust policy and the caller's own.
func (a *Access) mayAssume(c *wire.Call, role *directory.Identity, in *AssumeRoleInput, want assumption) error {
	if role == nil {
		return denied("User: %s is not authorized to perform: sts:AssumeRole on resource: %s", c.Caller.ARN, in.RoleArn)
	}
	actions := []string{"sts:AssumeRole"}
	if len(want.session.Tags) > 0 {
		actions = append(actions, "sts:TagSession") // for inherited ones too
	}
	if want.session.SourceID != "" {
		actions = append(actions, "sts:SetSourceIdentity")
	}
	keys := append(callKeys(c, wire.Target{}), assumptionKeys(want)...)
	if in.ExternalID != "" {
		keys = append(keys, iam.Key{Name: "sts:ExternalId", Value: in.ExternalID})
	}
	for _, action := range actions {
		q := Question{Caller: c.Caller, Action: action, Resource: role.ARN, Context: keys}
		decision, who, err := a.decide(q, role.TrustPolicy(), nil)
		if err != nil {
			return err
		}
		if decision.Outcome == iam.Allowed {
			continue
		}
		err = a.denied("sts", q, role.TrustPolicy())
		if refused, ok := err.(*wire.Denied); ok { // STS does not say why
			refused.Err.Message = "User: " + who.ARN + " is not authorized to perform: " + action + " on resource: " + role.ARN
		}
		return err
	}
	return nil
}

// assumptionKeys are the condition keys of the act of making a session (IAM
// User Guide, "Condition keys available for AWS STS").
func assumptionKeys(want assumption) iam.Context {
	seconds := want.duration
	if seconds == 0 {
		seconds = hour
	}
	keys := iam.Context{
		{Name: "sts:RoleSessionName", Value: want.name},
		{Name: "sts:DurationSeconds", Value: strconv.Itoa(seconds)},
	}
	if want.session.SourceID != "" {
		keys = append(keys, iam.Key{Name: "sts:SourceIdentity", Value: want.session.SourceID})
	}
	names := directory.SortedKeys(want.session.Tags)
	for _, name := range names {
		keys = append(keys, iam.Key{Name: "aws:RequestTag/" + name, Value: want.session.Tags[name]})
	}
	if len(names) > 0 {
		keys = append(keys, iam.Key{Name: "aws:TagKeys", Values: names})
	}
	if len(want.session.Transitive) > 0 {
		keys = append(keys, iam.Key{Name: "sts:TransitiveTagKeys", Values: want.session.Transitive})
	}
	return keys
}

// assume makes the credentials of a session. That it may be made is decided
// before.
func (a *Access) assume(role *directory.Identity, want assumption) (given, error) {
	out := given{user: AssumedRoleUser{AssumedRoleID: role.ID + ":" + want.name, Arn: a.sessionARN(role, want.name)}}
	seconds, err := checkAssumption(role, want)
	if err != nil {
		return out, err
	}
	s := want.session
	s.RoleName, s.PrincipalID, s.Name, s.Policies = role.Name, role.ID, want.name, want.policies
	for _, p := range want.arns {
		if _, err := a.people.Managed(p.Arn); err != nil {
			return out, err
		}
		s.PolicyARNs = append(s.PolicyARNs, p.Arn)
	}
	if out.credentials, err = a.issue(&s, seconds); err != nil {
		return out, err
	}
	if len(s.Policies) > 0 || len(s.PolicyARNs) > 0 || len(s.Tags) > 0 {
		percent := max(1, 100*len(out.credentials.SessionToken)/session.MaxToken)
		out.packed = &percent
	}
	return out, nil
}

// Limits of session policies and tags (STS API Reference, AssumeRole).
const (
	maxSessionPolicy = 2048 // characters
	maxPolicyARNs    = 10
	maxSessionTags   = 50
)

// checkAssumption checks what a session is to be, and returns its life in
// seconds.
func checkAssumption(role *directory.Identity, want assumption) (int, error) {
	switch {
	case !sessionNamePattern().MatchString(want.name):
		return 0, pattern("roleSessionName", want.name, `[\w+=,.@-]*`)
	case len(want.name) < 2 || len(want.name) > 64:
		return 0, directory.Invalid("1 validation error detected: Value '%s' at 'roleSessionName' failed to satisfy constraint: Member must have length between 2 and 64", want.name)
	case len(want.arns) > maxPolicyARNs:
		return 0, directory.Invalid("1 validation error detected: Value at 'policyArns' failed to satisfy constraint: Member must have length less than or equal to %d", maxPolicyARNs)
	case len(want.session.Tags) > maxSessionTags:
		return 0, directory.Invalid("1 validation error detected: Value at 'tags' failed to satisfy constraint: Member must have length less than or equal to %d", maxSessionTags)
	}
	if err := directory.CheckTags("Session", want.session.Tags); err != nil {
		return 0, err
	}
	for _, document := range want.policies {
		if utf8.RuneCountInString(document) > maxSessionPolicy {
			return 0, directory.Invalid("1 validation error detected: Value at 'policy' failed to satisfy constraint: Member must have length less than or equal to %d", maxSessionPolicy)
		}
		if _, err := iam.Parse([]byte(document)); err != nil {
			return 0, wire.Errorf(http.StatusBadRequest, "MalformedPolicyDocument", "%v", err)
		}
	}
	return lifetime(role, want)
}

func lifetime(role *directory.Identity, want assumption) (int, error) {
	seconds, longest := want.duration, role.MaxSession
	if seconds == 0 {
		seconds = hour
	}
	if longest == 0 {
		longest = hour
	}
	if err := between("durationSeconds", seconds, 900, 12*hour); err != nil {
		return 0, err
	}
	switch {
	case want.chained && seconds > hour:
		return 0, directory.Invalid("The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining")
	case seconds > longest:
		return 0, directory.Invalid("The requested DurationSeconds exceeds the MaxSessionDuration set for this role.")
	}
	return seconds, nil
}

// issue completes a session and returns its credentials.
func (a *Access) issue(s *session.Session, seconds int) (Credentials, error) {
	keyID, err := a.sessions.NewKeyID()
	if err != nil {
		return Credentials{}, err
	}
	now := a.config.Now().UTC().Truncate(time.Second)
	end := now.Add(time.Duration(seconds) * time.Second)
	s.KeyID, s.Issued, s.Expires = keyID, now.Unix(), end.Unix()
	token, err := a.sessions.Seal(s)
	if err != nil {
		return Credentials{}, err
	}
	return Credentials{AccessKeyID: keyID, SecretAccessKey: a.sessions.Secret(keyID), SessionToken: token, Expiration: wire.Time{Time: end}}, nil
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
	PackedPolicySize            *int `json:",omitempty"` // percent
	Provider                    string
	Audience                    string
}

func (a *Access) assumeRoleWithWebIdentity(ctx context.Context, _ *wire.Call, in *AssumeRoleWithWebIdentityInput) (*AssumeRoleWithWebIdentityOutput, error) {
	who, err := a.verify(ctx, in)
	if err != nil {
		return nil, err
	}
	want := FederatedSession{RoleARN: in.RoleArn, Name: in.RoleSessionName, Identity: *who, Tags: who.Tags}
	if in.DurationSeconds != nil {
		if err := between("durationSeconds", *in.DurationSeconds, 900, 12*hour); err != nil {
			return nil, err
		}
		want.Seconds = *in.DurationSeconds
	}
	if in.Policy != "" {
		want.Policies = []string{in.Policy}
	}
	for _, p := range in.PolicyArns {
		want.PolicyARNs = append(want.PolicyARNs, p.Arn)
	}
	out, err := a.federate(want)
	if err != nil {
		return nil, err
	}
	return &AssumeRoleWithWebIdentityOutput{
		Credentials: out.credentials, AssumedRoleUser: out.user, PackedPolicySize: out.packed,
		SubjectFromWebIdentityToken: who.Subject, Audience: who.Audience, Provider: who.Provider,
	}, nil
}

// verify checks the token.
func (a *Access) verify(ctx context.Context, in *AssumeRoleWithWebIdentityInput) (*WebIdentity, error) {
	invalid := func(format string, args ...any) error {
		return wire.Errorf(http.StatusBadRequest, "InvalidIdentityToken", format, args...)
	}
	if in.ProviderID != "" {
		return nil, invalid("ProviderId is for OAuth 2.0 access tokens of Amazon and Facebook, which roost does not support; leave it out")
	}
	if a.config.WebIdentity == nil {
		return nil, invalid("No OpenIDConnect provider found in your account")
	}
	who, err := a.config.WebIdentity(ctx, in.WebIdentityToken)
	var known *wire.Error
	if err != nil && !errors.As(err, &known) {
		return nil, invalid("%v", err)
	}
	return who, err
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
// trust policy lets it. Cognito Identity's enhanced flow uses it. A refusal by
// the trust policy is a *wire.Denied.
func (a *Access) Federate(want FederatedSession) (*Credentials, error) {
	out, err := a.federate(want)
	if err != nil {
		return nil, err
	}
	return &out.credentials, nil
}

func (a *Access) federate(want FederatedSession) (given, error) {
	role, err := a.roleByARN(want.RoleARN)
	if err != nil {
		return given{}, err
	}
	who := want.Identity
	request := assumption{
		name: want.Name, duration: want.Seconds, policies: want.Policies,
		session: session.Session{
			Provider: who.Provider, Issuer: who.Issuer, Subject: who.Subject,
			Audience: who.Audience, AMR: who.AMR, Tags: want.Tags,
		},
	}
	for _, arn := range want.PolicyARNs {
		request.arns = append(request.arns, PolicyDescriptor{Arn: arn})
	}
	if role == nil {
		return given{}, denied("Not authorized to perform sts:AssumeRoleWithWebIdentity")
	}
	if err := a.trusts(role, who, request); err != nil {
		return given{}, err
	}
	return a.assume(role, request)
}

// trusts asks a role's trust policy about a web identity. No identity-based
// policy has a say: the caller is nobody yet.
func (a *Access) trusts(role *directory.Identity, who WebIdentity, want assumption) error {
	keys := append(slices.Clone(a.clockKeys()), webIdentityKeys(who.Issuer, who.Subject, who.Audience, who.AMR)...)
	keys = append(append(keys, assumptionKeys(want)...), iam.Key{Name: "aws:FederatedProvider", Value: who.Provider})
	actions := []string{"sts:AssumeRoleWithWebIdentity"}
	if len(want.session.Tags) > 0 {
		actions = append(actions, "sts:TagSession")
	}
	for _, action := range actions {
		trace := &iam.Trace{Limit: maxTrace}
		decision := iam.Decide(iam.Request{
			Principal: iam.Principal{Kind: iam.Federated, Name: who.Provider},
			Action:    action, Resource: role.ARN, Context: keys,
		}, iam.Policies{Resource: role.TrustPolicy(), ResourceAccount: a.config.Account}, trace)
		if decision.Outcome != iam.Allowed {
			return &wire.Denied{Err: denied("Not authorized to perform %s", action), Action: action, Resource: role.ARN, Trace: trace}
		}
	}
	return nil
}

// ServiceCredentials gives an AWS service (lambda.amazonaws.com) a session of
// a role that trusts it.
func (a *Access) ServiceCredentials(service, roleARN, sessionName string) (*Credentials, error) {
	role, err := a.trusting(service, roleARN)
	if err != nil {
		return nil, err
	}
	out, err := a.assume(role, assumption{name: sessionName})
	return &out.credentials, err
}

// trusting returns a role if it trusts a service.
func (a *Access) trusting(service, roleARN string) (*directory.Identity, error) {
	role, err := a.roleByARN(roleARN)
	if err != nil {
		return nil, err
	}
	if role == nil {
		return nil, denied("There is no role %s", roleARN)
	}
	decision := iam.Decide(iam.Request{
		Principal: iam.Principal{Kind: iam.Service, Name: service},
		Action:    "sts:AssumeRole", Resource: role.ARN, Context: a.clockKeys(),
	}, iam.Policies{Resource: role.TrustPolicy(), ResourceAccount: a.config.Account}, nil)
	if decision.Outcome != iam.Allowed {
		return nil, denied("The role %s does not trust %s: let its trust policy allow sts:AssumeRole to that service", roleARN, service)
	}
	return role, nil
}
