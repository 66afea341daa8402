package iamapi

import (
	"context"
	"slices"
	"strings"

	"github.com/seed-615d3599/roost/internal/region/access/directory"
	"github.com/seed-615d3599/roost/internal/region/access/paging"
	"github.com/seed-615d3599/roost/internal/region/wire"
)

// Policy is a managed policy as IAM's answers carry it.
type Policy struct {
	PolicyName                    string
	PolicyID                      string `json:"PolicyId"`
	Arn                           string
	Path                          string
	DefaultVersionID              string `json:"DefaultVersionId"`
	AttachmentCount               int
	PermissionsBoundaryUsageCount int
	IsAttachable                  bool
	Description                   string `json:",omitempty"`
	CreateDate                    wire.Time
	UpdateDate                    wire.Time
	Tags                          []directory.Tag `json:",omitempty"`
}

// PolicyVersion is a version of a managed policy.
type PolicyVersion struct {
	Document         string `json:",omitempty"`
	VersionID        string `json:"VersionId"`
	IsDefaultVersion bool
	CreateDate       wire.Time
}

// CreatePolicyInput is the input of CreatePolicy.
type CreatePolicyInput struct {
	PolicyName     string `required:"true"`
	Path           string
	PolicyDocument string `required:"true"`
	Description    string
	Tags           []directory.Tag
}

// PolicyOutput is the output of CreatePolicy and GetPolicy.
type PolicyOutput struct{ Policy Policy }

// PolicyInput names a managed policy.
type PolicyInput struct {
	PolicyArn string `required:"true"`
}

// ListPolicyInput asks for a list of what a managed policy has.
type ListPolicyInput struct {
	PolicyArn string `required:"true"`
	paging.Page
}

// VersionInput names a version of a managed policy.
type VersionInput struct {
	PolicyArn string `required:"true"`
	VersionID string `json:"VersionId" required:"true"`
}

// CreateVersionInput is the input of CreatePolicyVersion.
type CreateVersionInput struct {
	PolicyArn      string `required:"true"`
	PolicyDocument string `required:"true"`
	SetAsDefault   bool
}

// TagPolicyInput is the input of TagPolicy.
type TagPolicyInput struct {
	PolicyArn string          `required:"true"`
	Tags      []directory.Tag `required:"true"`
}

// UntagPolicyInput is the input of UntagPolicy.
type UntagPolicyInput struct {
	PolicyArn string   `required:"true"`
	TagKeys   []string `required:"true"`
}

// PolicyVersionOutput is the output of CreatePolicyVersion and GetPolicyVersion.
type PolicyVersionOutput struct{ PolicyVersion PolicyVersion }

// PolicyVersionsOutput is the output of ListPolicyVersions.
type PolicyVersionsOutput struct {
	Versions []PolicyVersion
	paging.Pages
}

// ListPoliciesInput is the input of ListPolicies.
type ListPoliciesInput struct {
	paging.Page
	PathPrefix        string
	Scope             string
	OnlyAttached      bool
	PolicyUsageFilter string
}

// ListPoliciesOutput is the output of ListPolicies.
type ListPoliciesOutput struct {
	Policies []Policy
	paging.Pages
}

// onPolicy is the target of an operation on a managed policy.
func (a *API) onPolicy(arn string) wire.Target {
	t := wire.Target{Resource: arn, Context: map[string][]string{}}
	if p, err := a.people.Managed(arn); err == nil {
		addTags(t.Context, p.Tags)
	}
	return t
}

func (a *API) policyOperations() []wire.Operation {
	onVersion := wire.Targets(func(_ *wire.Call, in *VersionInput) []wire.Target { return []wire.Target{a.onPolicy(in.PolicyArn)} })
	onList := wire.Targets(func(_ *wire.Call, in *ListPolicyInput) []wire.Target { return []wire.Target{a.onPolicy(in.PolicyArn)} })
	onPolicy := wire.Targets(func(_ *wire.Call, in *PolicyInput) []wire.Target { return []wire.Target{a.onPolicy(in.PolicyArn)} })
	return append(a.policyTagOperations(),
		wire.Op("CreatePolicy", a.createPolicy, wire.Targets(func(_ *wire.Call, in *CreatePolicyInput) []wire.Target {
			return []wire.Target{a.newTarget("policy", in.Path, in.PolicyName, "", in.Tags)}
		})),
		wire.Op("GetPolicy", func(ctx context.Context, _ *wire.Call, in *PolicyInput) (*PolicyOutput, error) {
			p, err := a.people.ReadPolicy(ctx, in.PolicyArn)
			if err != nil {
				return nil, err
			}
			answer, err := a.policyAnswer(ctx, p)
			return &PolicyOutput{Policy: answer}, err
		}, onPolicy),
		wire.Op("DeletePolicy", func(ctx context.Context, _ *wire.Call, in *PolicyInput) (*nothing, error) {
			return &nothing{}, a.people.DeletePolicy(ctx, in.PolicyArn)
		}, onPolicy),
		wire.Op("ListPolicies", a.listPolicies),
		wire.Op("CreatePolicyVersion", func(ctx context.Context, _ *wire.Call, in *CreateVersionInput) (*PolicyVersionOutput, error) {
			v, err := a.people.AddVersion(ctx, in.PolicyArn, in.PolicyDocument, in.SetAsDefault)
			return &PolicyVersionOutput{PolicyVersion: PolicyVersion{VersionID: v.ID, IsDefaultVersion: in.SetAsDefault, CreateDate: v.Created}}, err
		}, wire.Targets(func(_ *wire.Call, in *CreateVersionInput) []wire.Target {
			return []wire.Target{a.onPolicy(in.PolicyArn)}
		})),
		wire.Op("GetPolicyVersion", a.getPolicyVersion, onVersion),
		wire.Op("ListPolicyVersions", a.listPolicyVersions, onList),
		wire.Op("DeletePolicyVersion", func(ctx context.Context, _ *wire.Call, in *VersionInput) (*nothing, error) {
			return &nothing{}, a.people.DeleteVersion(ctx, in.PolicyArn, in.VersionID)
		}, onVersion),
		wire.Op("SetDefaultPolicyVersion", func(ctx context.Context, _ *wire.Call, in *VersionInput) (*nothing, error) {
			return &nothing{}, a.people.SetDefaultVersion(ctx, in.PolicyArn, in.VersionID)
		}, onVersion),
		wire.Op("ListEntitiesForPolicy", a.listEntitiesForPolicy, wire.Targets(func(_ *wire.Call, in *EntitiesInput) []wire.Target {
			return []wire.Target{a.onPolicy(in.PolicyArn)}
		})),
	)
}

func (a *API) policyTagOperations() []wire.Operation {
	return []wire.Operation{
		wire.Op("TagPolicy", func(ctx context.Context, _ *wire.Call, in *TagPolicyInput) (*nothing, error) {
			return &nothing{}, a.people.TagPolicy(ctx, in.PolicyArn, in.Tags, nil)
		}, wire.Targets(func(_ *wire.Call, in *TagPolicyInput) []wire.Target {
			return []wire.Target{requestTags(a.onPolicy(in.PolicyArn), in.Tags, nil)}
		})),
		wire.Op("UntagPolicy", func(ctx context.Context, _ *wire.Call, in *UntagPolicyInput) (*nothing, error) {
			return &nothing{}, a.people.TagPolicy(ctx, in.PolicyArn, nil, in.TagKeys)
		}, wire.Targets(func(_ *wire.Call, in *UntagPolicyInput) []wire.Target {
			return []wire.Target{requestTags(a.onPolicy(in.PolicyArn), nil, in.TagKeys)}
		})),
		wire.Op("ListPolicyTags", func(ctx context.Context, _ *wire.Call, in *ListPolicyInput) (*TagsOutput, error) {
			p, err := a.people.ReadPolicy(ctx, in.PolicyArn)
			if err != nil {
				return nil, err
			}
			out := &TagsOutput{}
			out.Tags, out.Pages, err = paging.Cut(directory.TagList(p.Tags), in.Page)
			return out, err
		}, wire.Targets(func(_ *wire.Call, in *ListPolicyInput) []wire.Target {
			return []wire.Target{a.onPolicy(in.PolicyArn)}
		})),
	}
}

func (a *API) policyAnswer(ctx context.Context, p *directory.ManagedPolicy) (Policy, error) {
	attached, bounded, err := a.people.Holders(ctx, p.ARN)
	return Policy{
		PolicyName: p.Name, PolicyID: p.ID, Arn: p.ARN, Path: p.Path, DefaultVersionID: p.Default,
		AttachmentCount: len(attached), PermissionsBoundaryUsageCount: len(bounded),
		IsAttachable: true, Description: p.Description, CreateDate: p.Created, UpdateDate: p.Updated, Tags: directory.TagList(p.Tags),
	}, err
}

func (a *API) createPolicy(ctx context.Context, _ *wire.Call, in *CreatePolicyInput) (*PolicyOutput, error) {
	tags, err := directory.TagMap(in.Tags)
	if err != nil {
		return nil, err
	}
	p := &directory.ManagedPolicy{Name: in.PolicyName, Path: in.Path, Description: in.Description, Tags: tags}
	if err := a.people.CreatePolicy(ctx, p, in.PolicyDocument); err != nil {
		return nil, err
	}
	answer, err := a.policyAnswer(ctx, p)
	return &PolicyOutput{Policy: answer}, err
}

func (a *API) listPolicies(ctx context.Context, _ *wire.Call, in *ListPoliciesInput) (*ListPoliciesOutput, error) {
	if !slices.Contains([]string{"", "All", "AWS", "Local"}, in.Scope) {
		return nil, directory.Invalid("1 validation error detected: Value '%s' at 'scope' failed to satisfy constraint: Member must satisfy enum value set: [All, AWS, Local]", in.Scope)
	}
	var all []*directory.ManagedPolicy
	var err error
	if in.Scope != "AWS" {
		if all, err = a.people.OwnPolicies(ctx); err != nil {
			return nil, err
		}
	}
	if in.Scope != "Local" {
		known, err := a.people.AWSPolicies()
		if err != nil {
			return nil, err
		}
		all = append(all, known...)
	}
	var list []Policy
	for _, p := range all {
		answer, err := a.policyAnswer(ctx, p)
		if err != nil {
			return nil, err
		}
		if strings.HasPrefix(p.Path, in.PathPrefix) && used(answer, in) {
			answer.Tags, answer.Description = nil, "" // as ListPolicies leaves them out
			list = append(list, answer)
		}
	}
	out := &ListPoliciesOutput{}
	out.Policies, out.Pages, err = paging.Cut(list, in.Page)
	return out, err
}

// used applies the filters by use of ListPolicies.
func used(p Policy, in *ListPoliciesInput) bool {
	switch {
	case in.OnlyAttached && p.AttachmentCount == 0:
		return false
	case in.PolicyUsageFilter == "PermissionsPolicy":
		return p.AttachmentCount > 0
	case in.PolicyUsageFilter == "PermissionsBoundary":
		return p.PermissionsBoundaryUsageCount > 0
	}
	return true
}

func (a *API) getPolicyVersion(ctx context.Context, _ *wire.Call, in *VersionInput) (*PolicyVersionOutput, error) {
	p, err := a.people.ReadPolicy(ctx, in.PolicyArn)
	if err != nil {
		return nil, err
	}
	v, err := p.Version(in.VersionID)
	return &PolicyVersionOutput{PolicyVersion: versionAnswer(p, v, true)}, err
}

func versionAnswer(p *directory.ManagedPolicy, v directory.PolicyVersion, withDocument bool) PolicyVersion {
	answer := PolicyVersion{VersionID: v.ID, IsDefaultVersion: v.ID == p.Default, CreateDate: v.Created}
	if withDocument {
		answer.Document = encoded(v.Document)
	}
	return answer
}

func (a *API) listPolicyVersions(ctx context.Context, _ *wire.Call, in *ListPolicyInput) (*PolicyVersionsOutput, error) {
	p, err := a.people.ReadPolicy(ctx, in.PolicyArn)
	if err != nil {
		return nil, err
	}
	var list []PolicyVersion
	for _, v := range slices.Backward(p.Versions) { // newest first
		list = append(list, versionAnswer(p, v, false))
	}
	out := &PolicyVersionsOutput{}
	out.Versions, out.Pages, err = paging.Cut(list, in.Page)
	return out, err
}

// EntitiesInput is the input of ListEntitiesForPolicy.
type EntitiesInput struct {
	PolicyArn         string `required:"true"`
	EntityFilter      string
	PathPrefix        string
	PolicyUsageFilter string
	paging.Page
}

// PolicyEntity names an identity that has a policy.
type PolicyEntity struct {
	GroupName string `json:",omitempty"`
	GroupID   string `json:"GroupId,omitempty"`
	UserName  string `json:",omitempty"`
	UserID    string `json:"UserId,omitempty"`
	RoleName  string `json:",omitempty"`
	RoleID    string `json:"RoleId,omitempty"`
}

// EntitiesOutput is the output of ListEntitiesForPolicy.
type EntitiesOutput struct {
	PolicyGroups []PolicyEntity
	PolicyUsers  []PolicyEntity
	PolicyRoles  []PolicyEntity
	paging.Pages
}

func (a *API) listEntitiesForPolicy(ctx context.Context, _ *wire.Call, in *EntitiesInput) (*EntitiesOutput, error) {
	if _, err := a.people.ReadPolicy(ctx, in.PolicyArn); err != nil {
		return nil, err
	}
	attached, bounded, err := a.people.Holders(ctx, in.PolicyArn)
	if err != nil {
		return nil, err
	}
	holders := attached
	switch in.PolicyUsageFilter {
	case "PermissionsBoundary":
		holders = bounded
	case "":
		holders = append(holders, bounded...)
	}
	holders = slices.DeleteFunc(holders, func(x *directory.Identity) bool {
		return !strings.HasPrefix(x.Path, in.PathPrefix) || in.EntityFilter != "" && in.EntityFilter != x.Kind.Title()
	})
	page, pages, err := paging.Cut(holders, in.Page)
	out := &EntitiesOutput{Pages: pages}
	for _, x := range page {
		switch x.Kind {
		case directory.User:
			out.PolicyUsers = append(out.PolicyUsers, PolicyEntity{UserName: x.Name, UserID: x.ID})
		case directory.Role:
			out.PolicyRoles = append(out.PolicyRoles, PolicyEntity{RoleName: x.Name, RoleID: x.ID})
		default:
			out.PolicyGroups = append(out.PolicyGroups, PolicyEntity{GroupName: x.Name, GroupID: x.ID})
		}
	}
	return out, err
}
