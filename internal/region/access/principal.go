package access

import (
	"context"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/seed-615d3599/roost/iam"
	"github.com/seed-615d3599/roost/internal/region/access/directory"
	"github.com/seed-615d3599/roost/internal/region/access/session"
	"github.com/seed-615d3599/roost/internal/region/wire"
)

// Errors that a credential meets, in AWS's words. JSON and REST services give
// the first under the code UnrecognizedClientException, query services under
// InvalidClientTokenId; the edge translates.
var (
	errUnknownKey = &wire.Error{Status: http.StatusForbidden, Code: "InvalidClientTokenId", Message: "The security token included in the request is invalid."}
	errExpired    = &wire.Error{Status: http.StatusForbidden, Code: "ExpiredToken", Message: "The security token included in the request is expired"}
)

// principal is what a Caller's Detail holds: who it is, and what follows from
// that for decisions as long as the directory stays as it is.
type principal struct {
	identity   *directory.Identity // the user, or the session's role
	session    *session.Session    // nil for a user's key
	generation uint64              // of the directory

	caller   wire.Caller
	who      iam.Principal
	policies iam.Policies // without a resource's
	err      error        // why the policies cannot be read
	keys     iam.Context  // condition keys of the caller
}

func detail(caller *wire.Caller) *principal {
	if caller == nil {
		return nil
	}
	p, _ := caller.Detail.(*principal)
	return p
}

// Key returns the secret access key for a credential as it stands in a
// request, and who it belongs to. sessionToken is empty for the key of a user.
func (a *Access) Key(_ context.Context, accessKeyID, sessionToken string) (string, *wire.Caller, error) {
	if sessionToken != "" {
		return a.sessionKey(accessKeyID, sessionToken)
	}
	key, ok := a.people.Key(accessKeyID)
	if !ok {
		a.users.Delete(accessKeyID)
	}
	if !ok || key.Status != directory.Active {
		return "", nil, errUnknownKey
	}
	if known, ok := a.users.Load(accessKeyID); ok {
		if p := known.(*principal); p.generation == a.people.Generation() {
			return key.Secret, &p.caller, nil
		}
	}
	user, ok := a.people.Find(directory.User, key.UserName)
	if !ok {
		return "", nil, errUnknownKey
	}
	p := a.principalOf(user, nil)
	p.caller.AccessKeyID = accessKeyID
	a.users.Store(accessKeyID, p)
	return key.Secret, &p.caller, nil
}

func (a *Access) sessionKey(accessKeyID, token string) (string, *wire.Caller, error) {
	o, err := a.sessions.Open(accessKeyID, token)
	if err != nil {
		return "", nil, errUnknownKey
	}
	if a.config.Now().Unix() >= o.Session.Expires {
		return "", nil, errExpired
	}
	if p, ok := o.Memo.Load().(*principal); ok && p.generation == a.people.Generation() {
		return o.Secret, &p.caller, nil
	}
	owner, err := a.owner(o.Session)
	if err != nil {
		return "", nil, err
	}
	p := a.principalOf(owner, o.Session)
	o.Memo.Store(p)
	return o.Secret, &p.caller, nil
}

// owner finds whose a session is. One whose role or user was deleted, or made
// anew under the same name, has ended.
func (a *Access) owner(s *session.Session) (*directory.Identity, error) {
	kind, name := directory.Role, s.RoleName
	if s.UserName != "" {
		kind, name = directory.User, s.UserName
	}
	owner, ok := a.people.Find(kind, name)
	if !ok || owner.ID != s.PrincipalID {
		return nil, errUnknownKey
	}
	return owner, nil
}

// principalOf gathers what decisions need of a user, or of a session of a user
// or role.
func (a *Access) principalOf(owner *directory.Identity, s *session.Session) *principal {
	p := &principal{identity: owner, session: s, generation: a.people.Generation()}
	p.caller = wire.Caller{Account: a.config.Account, ARN: owner.ARN, UserID: owner.ID, Detail: p}
	p.who = iam.Principal{Kind: iam.User, ARN: owner.ARN, Account: a.config.Account, ID: owner.ID}
	if s != nil {
		a.addSession(p, s)
	}
	p.keys = callerKeys(p)
	p.policies, p.err = a.policiesOf(p)
	return p
}

func (a *Access) addSession(p *principal, s *session.Session) {
	p.caller.AccessKeyID = s.KeyID
	p.caller.IssuedAt, p.caller.Expires = time.Unix(s.Issued, 0).UTC(), time.Unix(s.Expires, 0).UTC()
	if s.RoleName != "" {
		p.caller.ARN = a.sessionARN(p.identity, s.Name)
		p.caller.UserID = p.identity.ID + ":" + s.Name
		p.caller.RoleARN = p.identity.ARN
		p.who.Kind, p.who.ARN, p.who.RoleARN = iam.AssumedRole, p.caller.ARN, p.identity.ARN
	}
	if s.Provider == cognitoProvider {
		p.caller.Cognito = &wire.CognitoIdentity{IdentityID: s.Subject, PoolID: s.Audience, AMR: s.AMR}
	}
}

func (a *Access) sessionARN(role *directory.Identity, name string) string {
	return "arn:aws:sts::" + a.config.Account + ":assumed-role/" + role.Name + "/" + name
}

// cognitoProvider is the name of Cognito Identity as a federated provider.
const cognitoProvider = "cognito-identity.amazonaws.com"

// current returns the principal as the directory knows it now: a call may take
// long, and a stack's operation may delete the very role it runs as.
func (a *Access) current(p *principal) (*principal, error) {
	if p.generation == a.people.Generation() {
		return p, nil
	}
	owner, ok := a.people.Find(p.identity.Kind, p.identity.Name)
	if !ok || owner.ID != p.identity.ID {
		return nil, errUnknownKey
	}
	return a.principalOf(owner, p.session), nil
}

// policiesOf gathers the policies of a principal.
func (a *Access) policiesOf(p *principal) (iam.Policies, error) {
	var policies iam.Policies
	var err error
	if policies.Identity, err = a.people.Grants(p.identity); err != nil {
		return policies, err
	}
	if policies.Boundary, err = a.people.BoundaryOf(p.identity); err != nil || p.session == nil {
		return policies, err
	}
	for i, document := range p.session.Policies {
		policy, err := a.documents.get("session ", document, iam.Parse)
		if err != nil {
			return policies, err
		}
		policies.Session = append(policies.Session, iam.Attached{Name: "session policy " + strconv.Itoa(i+1), Policy: policy})
	}
	for _, arn := range p.session.PolicyARNs {
		managed, err := a.people.Managed(arn)
		if err != nil {
			return policies, err
		}
		policies.Session = append(policies.Session, iam.Attached{Name: arn, Policy: managed.Policy()})
	}
	return policies, nil
}

// callerKeys are the condition keys of a principal (IAM User Guide, "AWS global
// condition context keys").
func callerKeys(p *principal) iam.Context {
	keys := iam.Context{
		{Name: "aws:PrincipalArn", Value: p.identity.ARN},
		{Name: "aws:PrincipalAccount", Value: p.caller.Account},
		{Name: "aws:userid", Value: p.caller.UserID},
		{Name: "aws:PrincipalIsAWSService", Value: "false"},
	}
	if p.who.Kind == iam.AssumedRole {
		keys = append(keys, iam.Key{Name: "aws:PrincipalType", Value: "AssumedRole"})
	} else {
		keys = append(keys, iam.Key{Name: "aws:PrincipalType", Value: "User"}, iam.Key{Name: "aws:username", Value: p.identity.Name})
	}
	if p.session != nil {
		keys = append(keys, sessionKeys(p.session)...)
	}
	for _, key := range directory.SortedKeys(p.identity.Tags) {
		if p.session == nil || !hasTag(p.session.Tags, key) {
			keys = append(keys, iam.Key{Name: "aws:PrincipalTag/" + key, Value: p.identity.Tags[key]})
		}
	}
	return keys
}

// hasTag reports whether there is a tag with a key, in whatever case: a
// session's tags override those of its role so (IAM User Guide, "Pass session
// tags in AWS STS").
func hasTag(tags map[string]string, key string) bool {
	for have := range tags {
		if strings.EqualFold(have, key) {
			return true
		}
	}
	return false
}

func sessionKeys(s *session.Session) iam.Context {
	keys := iam.Context{
		{Name: "aws:TokenIssueTime", Value: time.Unix(s.Issued, 0).UTC().Format(time.RFC3339)},
	}
	if s.SourceID != "" {
		keys = append(keys, iam.Key{Name: "aws:SourceIdentity", Value: s.SourceID})
	}
	for _, key := range directory.SortedKeys(s.Tags) {
		keys = append(keys, iam.Key{Name: "aws:PrincipalTag/" + key, Value: s.Tags[key]})
	}
	if s.Provider == "" {
		// Of temporary credentials that were not got with MFA the key is false; of
		// those that a web identity got it is absent ([?]: the User Guide says so
		// of users only).
		return append(keys, iam.Key{Name: "aws:MultiFactorAuthPresent", Value: "false"})
	}
	keys = append(keys, iam.Key{Name: "aws:FederatedProvider", Value: s.Provider})
	// Of the keys of web identities only Cognito's survive into the session
	// (IAM User Guide, "Available keys for AWS OIDC federation").
	if s.Provider == cognitoProvider {
		keys = append(keys, webIdentityKeys(s.Issuer, s.Subject, s.Audience, s.AMR)...)
	}
	return keys
}

// webIdentityKeys are the condition keys that a web identity sets.
func webIdentityKeys(issuer, subject, audience string, amr []string) iam.Context {
	keys := iam.Context{
		{Name: issuer + ":aud", Value: audience},
		{Name: issuer + ":sub", Value: subject},
	}
	if len(amr) > 0 {
		keys = append(keys, iam.Key{Name: issuer + ":amr", Values: amr})
	}
	return keys
}
