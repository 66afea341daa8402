package iamapi

import (
	"context"
	"slices"

	"github.com/seed-615d3599/roost/internal/region/access/directory"
	"github.com/seed-615d3599/roost/internal/region/access/paging"
	"github.com/seed-615d3599/roost/internal/region/wire"
)

// AuthorizationInput is the input of GetAccountAuthorizationDetails.
type AuthorizationInput struct {
	Filter []string
	paging.Page
}

// AuthorizationOutput is all that the account has.
type AuthorizationOutput struct {
	UserDetailList  []Detail
	GroupDetailList []Detail
	RoleDetailList  []Detail
	Policies        []PolicyDetail
	paging.Pages
}

// Detail is a user, group or role with everything that it has; only the members
// of its kind are set.
type Detail struct {
	Path                     string
	UserName                 string `json:",omitempty"`
	UserID                   string `json:"UserId,omitempty"`
	GroupName                string `json:",omitempty"`
	GroupID                  string `json:"GroupId,omitempty"`
	RoleName                 string `json:",omitempty"`
	RoleID                   string `json:"RoleId,omitempty"`
	Arn                      string
	CreateDate               wire.Time
	AssumeRolePolicyDocument string         `json:",omitempty"`
	UserPolicyList           []InlineDetail `json:",omitempty"`
	GroupPolicyList          []InlineDetail `json:",omitempty"`
	RolePolicyList           []InlineDetail `json:",omitempty"`
	GroupList                []string       `json:",omitempty"`
	AttachedManagedPolicies  []AttachedPolicy
	PermissionsBoundary      *Boundary       `json:",omitempty"`
	Tags                     []directory.Tag `json:",omitempty"`
}

// InlineDetail is an inline policy.
type InlineDetail struct{ PolicyName, PolicyDocument string }

// PolicyDetail is a managed policy with its versions.
type PolicyDetail struct {
	Policy
	PolicyVersionList []PolicyVersion
}

// SummaryOutput is the output of GetAccountSummary.
type SummaryOutput struct{ SummaryMap map[string]int }

// AliasesOutput is the output of ListAccountAliases.
type AliasesOutput struct {
	AccountAliases []string
	paging.Pages
}

func (a *API) accountOperations() []wire.Operation {
	operations := []wire.Operation{
		wire.Op("GetAccountAuthorizationDetails", a.getAuthorizationDetails),
		wire.Op("GetAccountSummary", a.getAccountSummary),
		wire.Op("ListAccountAliases", func(context.Context, *wire.Call, *paging.Page) (*AliasesOutput, error) {
			return &AliasesOutput{}, nil
		}),
	}
	for name, what := range map[string]string{
		"GetAccountPasswordPolicy":    "The Password Policy with domain name %s cannot be found.",
		"GetLoginProfile":             "Login Profile for User in account %s cannot be found.",
		"DeleteLoginProfile":          "Login Profile for User in account %s cannot be found.",
		"DeleteAccountPasswordPolicy": "The account policy with name PasswordPolicy cannot be found in account %s.",
	} {
		operations = append(operations, wire.Op(name, func(context.Context, *wire.Call, *wire.Anything) (*nothing, error) {
			return nil, directory.NotFound(what, a.account)
		}))
	}
	return append(operations, a.emptyLists()...)
}

// NamedPage is the input of lists of what a user or role cannot have here.
type NamedPage struct {
	Named
	paging.Page
	PathPrefix, ServiceName, AssignmentStatus string
}

// emptyLists answers truly that there is none of what the region does not
// keep: tools ask before they delete a user or a role.
func (a *API) emptyLists() []wire.Operation {
	return []wire.Operation{
		emptyList[struct {
			InstanceProfiles []string
			paging.Pages
		}](a, "ListInstanceProfiles"),
		emptyList[struct {
			InstanceProfiles []string
			paging.Pages
		}](a, "ListInstanceProfilesForRole"),
		emptyList[struct {
			MFADevices []string
			paging.Pages
		}](a, "ListMFADevices"),
		emptyList[struct {
			VirtualMFADevices []string
			paging.Pages
		}](a, "ListVirtualMFADevices"),
		emptyList[struct {
			SSHPublicKeys []string
			paging.Pages
		}](a, "ListSSHPublicKeys"),
		emptyList[struct {
			Certificates []string
			paging.Pages
		}](a, "ListSigningCertificates"),
		emptyList[struct {
			ServerCertificateMetadataList []string
			paging.Pages
		}](a, "ListServerCertificates"),
		emptyList[struct{ ServiceSpecificCredentials []string }](a, "ListServiceSpecificCredentials"),
		emptyList[struct{ SAMLProviderList []string }](a, "ListSAMLProviders"),
	}
}

func emptyList[Out any](a *API, name string) wire.Operation {
	return wire.Op(name, func(ctx context.Context, _ *wire.Call, in *NamedPage) (*Out, error) {
		var err error
		switch {
		case in.UserName != "":
			_, err = a.people.Read(ctx, directory.User, in.UserName)
		case in.RoleName != "":
			_, err = a.people.Read(ctx, directory.Role, in.RoleName)
		}
		return new(Out), err
	}, wire.Targets(func(_ *wire.Call, in *NamedPage) []wire.Target {
		switch {
		case in.UserName != "":
			return []wire.Target{a.target(directory.User, in.UserName)}
		case in.RoleName != "":
			return []wire.Target{a.target(directory.Role, in.RoleName)}
		}
		return []wire.Target{{}}
	}))
}

func (a *API) getAuthorizationDetails(ctx context.Context, _ *wire.Call, in *AuthorizationInput) (*AuthorizationOutput, error) {
	wants := func(filter string) bool { return len(in.Filter) == 0 || slices.Contains(in.Filter, filter) }
	var all []any
	for _, kind := range []directory.Kind{directory.User, directory.Group, directory.Role} {
		if !wants(kind.Title()) {
			continue
		}
		identities, err := a.people.List(ctx, kind, "")
		if err != nil {
			return nil, err
		}
		for _, x := range identities {
			all = append(all, x)
		}
	}
	policies, err := a.policiesFor(ctx, wants("LocalManagedPolicy"), wants("AWSManagedPolicy"))
	if err != nil {
		return nil, err
	}
	for _, p := range policies {
		all = append(all, p)
	}
	page, pages, err := paging.Cut(all, in.Page)
	out := &AuthorizationOutput{Pages: pages}
	for _, item := range page {
		if err := a.addDetail(ctx, out, item); err != nil {
			return nil, err
		}
	}
	return out, err
}

// policiesFor returns the account's managed policies, and those of AWS that are
// attached to somebody.
func (a *API) policiesFor(ctx context.Context, own, aws bool) (list []*directory.ManagedPolicy, err error) {
	if own {
		if list, err = a.people.OwnPolicies(ctx); err != nil {
			return nil, err
		}
	}
	if !aws {
		return list, nil
	}
	known, err := a.people.AWSPolicies()
	if err != nil {
		return nil, err
	}
	for _, p := range known {
		attached, bounded, err := a.people.Holders(ctx, p.ARN)
		if err != nil {
			return nil, err
		}
		if len(attached)+len(bounded) > 0 {
			list = append(list, p)
		}
	}
	return list, nil
}

func (a *API) addDetail(ctx context.Context, out *AuthorizationOutput, item any) error {
	if p, ok := item.(*directory.ManagedPolicy); ok {
		answer, err := a.policyAnswer(ctx, p)
		detail := PolicyDetail{Policy: answer}
		detail.Tags = nil
		for _, v := range slices.Backward(p.Versions) {
			detail.PolicyVersionList = append(detail.PolicyVersionList, versionAnswer(p, v, true))
		}
		out.Policies = append(out.Policies, detail)
		return err
	}
	x := item.(*directory.Identity)
	attached, err := a.attached(ctx, x, "")
	if err != nil {
		return err
	}
	d := Detail{
		Path: x.Path, Arn: x.ARN, CreateDate: x.Created, AttachedManagedPolicies: attached,
		PermissionsBoundary: boundaryOf(x.Boundary), Tags: directory.TagList(x.Tags), GroupList: x.Groups,
	}
	var inline []InlineDetail
	for _, name := range directory.SortedKeys(x.Inline) {
		inline = append(inline, InlineDetail{name, encoded(x.Inline[name])})
	}
	switch x.Kind {
	case directory.User:
		d.UserName, d.UserID, d.UserPolicyList = x.Name, x.ID, inline
		out.UserDetailList = append(out.UserDetailList, d)
	case directory.Group:
		d.GroupName, d.GroupID, d.GroupPolicyList = x.Name, x.ID, inline
		out.GroupDetailList = append(out.GroupDetailList, d)
	default:
		trust, err := a.people.ShownTrust(ctx, x)
		if err != nil {
			return err
		}
		d.RoleName, d.RoleID, d.RolePolicyList, d.AssumeRolePolicyDocument = x.Name, x.ID, inline, encoded(trust)
		out.RoleDetailList = append(out.RoleDetailList, d)
	}
	return nil
}

// getAccountSummary counts what there is and names the quotas.
func (a *API) getAccountSummary(ctx context.Context, _ *wire.Call, _ *nothing) (*SummaryOutput, error) {
	summary := directory.Quotas()
	for kind, name := range map[directory.Kind]string{directory.User: "Users", directory.Group: "Groups", directory.Role: "Roles"} {
		all, err := a.people.List(ctx, kind, "")
		if err != nil {
			return nil, err
		}
		summary[name] = len(all)
	}
	policies, err := a.people.OwnPolicies(ctx)
	if err != nil {
		return nil, err
	}
	providers, err := a.people.Providers(ctx)
	if err != nil {
		return nil, err
	}
	summary["Policies"], summary["Providers"] = len(policies), len(providers)
	for _, p := range policies {
		summary["PolicyVersionsInUse"] += len(p.Versions)
	}
	for _, none := range []string{"MFADevices", "MFADevicesInUse", "AccountMFAEnabled", "AccountAccessKeysPresent", "AccountPasswordPresent", "AccountSigningCertificatesPresent", "InstanceProfiles", "ServerCertificates"} {
		summary[none] = 0
	}
	return &SummaryOutput{SummaryMap: summary}, nil
}
