// Package iamapi is IAM's operations, as clients call them, over a directory.
//
//	service := iamapi.New(iamapi.Config{Directory: d, Account: account, CallerUser: userOf}).Service()
//
// Errors, quotas and shapes are those of the IAM API Reference, version
// 2010-05-08. What the embedded region cannot do is refused by name.
package iamapi

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/seed-615d3599/roost/internal/region/access/directory"
	"github.com/seed-615d3599/roost/internal/region/access/simulator"
	"github.com/seed-615d3599/roost/internal/region/wire"
)

// Config is what New needs. All fields but LastUsed must be given.
type Config struct {
	Directory *directory.Directory
	Account   string // 12 digits
	Region    string
	// CallerUser returns the name of the user who calls, or "" for a role.
	CallerUser func(*wire.Caller) string
	// LastUsed returns when the principal of an ARN last did something, or the
	// zero time; nil if nobody looks.
	LastUsed func(principalARN string) time.Time
}

// API is the service. Make it with New.
type API struct {
	people   *directory.Directory
	account  string
	region   string
	user     func(*wire.Caller) string
	lastUsed func(principalARN string) time.Time
}

// New returns the service.
func New(config Config) *API {
	a := &API{people: config.Directory, account: config.Account, region: config.Region, user: config.CallerUser, lastUsed: config.LastUsed}
	if a.lastUsed == nil {
		a.lastUsed = func(string) time.Time { return time.Time{} }
	}
	return a
}

// nothing is the input or output of an operation without one.
type nothing struct{}

// Service returns the table of operations.
func (a *API) Service() *wire.Service {
	s := &wire.Service{
		Name: "iam", Version: "2010-05-08", Protocol: wire.Query,
		Namespace: "https://iam.amazonaws.com/doc/2010-05-08/",
	}
	for _, operations := range [][]wire.Operation{
		a.userOperations(), a.keyOperations(), a.roleOperations(), a.groupOperations(),
		a.attachmentOperations(directory.User), a.attachmentOperations(directory.Role), a.attachmentOperations(directory.Group),
		a.policyOperations(), a.providerOperations(), simulator.Operations(a.people, a.account), a.accountOperations(), refusals(),
	} {
		s.Operations = append(s.Operations, operations...)
	}
	return s
}

// refusals are the operations that are known and not supported.
func refusals() []wire.Operation {
	var operations []wire.Operation
	for why, names := range map[string][]string{
		"there are no instances":                                  {"CreateInstanceProfile", "DeleteInstanceProfile", "GetInstanceProfile", "AddRoleToInstanceProfile", "RemoveRoleFromInstanceProfile", "TagInstanceProfile", "UntagInstanceProfile", "ListInstanceProfileTags"},
		"no service of the embedded region needs one":             {"CreateServiceLinkedRole", "DeleteServiceLinkedRole", "GetServiceLinkedRoleDeletionStatus"},
		"there is no console to log in to":                        {"CreateLoginProfile", "UpdateLoginProfile", "ChangePassword", "UpdateAccountPasswordPolicy", "CreateAccountAlias", "DeleteAccountAlias"},
		"SAML providers are not kept":                             {"CreateSAMLProvider", "UpdateSAMLProvider", "DeleteSAMLProvider", "GetSAMLProvider"},
		"MFA devices are not kept":                                {"CreateVirtualMFADevice", "DeleteVirtualMFADevice", "EnableMFADevice", "DeactivateMFADevice", "ResyncMFADevice"},
		"a user or a group cannot be renamed; make a new one":     {"UpdateUser", "UpdateGroup"},
		"there is no service that takes such credentials":         {"CreateServiceSpecificCredential", "UploadSSHPublicKey", "UploadSigningCertificate", "UploadServerCertificate"},
		"\"roost iam suggest\" prints what a role was seen to do": {"GenerateServiceLastAccessedDetails", "GetServiceLastAccessedDetails", "GenerateCredentialReport", "GetCredentialReport"},
		"there is no organisation":                                {"EnableOrganizationsRootSessions", "EnableOrganizationsRootCredentialsManagement", "GenerateOrganizationsAccessReport"},
	} {
		for _, name := range names {
			operations = append(operations, wire.Op(name, func(context.Context, *wire.Call, *wire.Anything) (*nothing, error) {
				return nil, wire.Errorf(http.StatusNotImplemented, "NotImplemented", "roost does not support %s: %s", name, why)
			}))
		}
	}
	return operations
}

// Named is the input of the many operations that name an identity and little
// else. Each takes the name of its own kind.
type Named struct {
	UserName  string `json:",omitempty"`
	RoleName  string `json:",omitempty"`
	GroupName string `json:",omitempty"`
}

// of returns the name for a kind; another kind's name is refused.
func (n Named) of(kind directory.Kind) (string, error) {
	names := map[directory.Kind]string{directory.User: n.UserName, directory.Role: n.RoleName, directory.Group: n.GroupName}
	for other, name := range names {
		if other != kind && name != "" {
			return "", directory.Invalid("the member %sName does not belong here", other.Title())
		}
	}
	if names[kind] == "" {
		return "", directory.Invalid("1 validation error detected: Value null at '%sName' failed to satisfy constraint: Member must not be null", kind)
	}
	return names[kind], nil
}

// target is what is asked permission for by an operation on an identity: its
// ARN with the condition keys that it brings (Service Authorization Reference,
// "Condition keys for AWS Identity and Access Management").
func (a *API) target(kind directory.Kind, name string) wire.Target {
	t := wire.Target{Resource: a.people.Target(kind, name), Context: map[string][]string{}}
	x, ok := a.people.Find(kind, name)
	if !ok {
		return t
	}
	addTags(t.Context, x.Tags)
	if x.Boundary != "" {
		t.Context["iam:PermissionsBoundary"] = []string{x.Boundary}
	}
	return t
}

func addTags(context map[string][]string, tags map[string]string) {
	for key, value := range tags {
		context["aws:ResourceTag/"+key] = []string{value}
		context["iam:ResourceTag/"+key] = []string{value}
	}
}

// requestTags adds the condition keys of tags in a request.
func requestTags(t wire.Target, set []directory.Tag, unset []string) wire.Target {
	keys := append([]string(nil), unset...)
	for _, tag := range set {
		t.Context["aws:RequestTag/"+tag.Key] = []string{tag.Value}
		keys = append(keys, tag.Key)
	}
	if len(keys) > 0 {
		t.Context["aws:TagKeys"] = keys
	}
	return t
}

// newTarget is what is asked permission for by an operation that makes
// something.
func (a *API) newTarget(kind, path, name, boundary string, tags []directory.Tag) wire.Target {
	if path == "" {
		path = "/"
	}
	t := wire.Target{Resource: a.people.ARN(kind, path, name), Context: map[string][]string{}}
	if boundary != "" {
		t.Context["iam:PermissionsBoundary"] = []string{boundary}
	}
	return requestTags(t, tags, nil)
}

// onNamed is the target of an operation whose input embeds Named.
func onNamed[In interface {
	of(directory.Kind) (string, error)
}](a *API, kind directory.Kind) wire.Option {
	return wire.Targets(func(_ *wire.Call, in *In) []wire.Target {
		name, _ := (*in).of(kind)
		return []wire.Target{a.target(kind, name)}
	})
}

// encoded is a policy document as IAM's answers carry it (RFC 3986).
func encoded(document string) string {
	return strings.ReplaceAll(url.QueryEscape(document), "+", "%20")
}
