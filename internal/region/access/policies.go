package access

import (
	"context"
	"net/http"
	"slices"
	"sort"
	"strconv"
	"strings"

	"github.com/seed-615d3599/roost/internal/region/store"
	"github.com/seed-615d3599/roost/internal/region/wire"
)

// Policy is a managed policy as IAM's answers carry it.
type Policy struct {
	PolicyName       string
	PolicyID         string `json:"PolicyId"`
	Arn              string
	Path             string
	DefaultVersionID string `json:"DefaultVersionId"`
	AttachmentCount  int
	IsAttachable     bool
	Description      string `json:",omitempty"`
	CreateDate       wire.Time
	UpdateDate       wire.Time
	Tags             []Tag `json:",omitempty"`
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
	Tags           []Tag
}

// PolicyOutput is the output of CreatePolicy and GetPolicy.
type PolicyOutput struct{ Policy Policy }

// PolicyInput names a managed policy, and for some operations a version, a
// document or tags.
type PolicyInput struct {
	PolicyArn      string `required:"true"`
	VersionID      string `json:"VersionId"`
	PolicyDocument string
	SetAsDefault   bool
	Tags           []Tag
	TagKeys        []string
	Page
}

// PolicyVersionOutput is the output of CreatePolicyVersion and GetPolicyVersion.
type PolicyVersionOutput struct{ PolicyVersion PolicyVersion }

// PolicyVersionsOutput is the output of ListPolicyVersions.
type PolicyVersionsOutput struct {
	Versions    []PolicyVersion
	IsTruncated bool
	Marker      string `json:",omitempty"`
}

// ListPoliciesInput is the input of ListPolicies.
type ListPoliciesInput struct {
	Page
	PathPrefix        string
	Scope             string
	OnlyAttached      bool
	PolicyUsageFilter string
}

// ListPoliciesOutput is the output of ListPolicies.
type ListPoliciesOutput struct {
	Policies    []Policy
	IsTruncated bool
	Marker      string `json:",omitempty"`
}

// maxVersions is the quota of versions of one managed policy.
const maxVersions = 5

func (a *Access) policyOperations() []wire.Operation {
	on := wire.On(func(_ *wire.Call, in *PolicyInput) string { return in.PolicyArn })
	return []wire.Operation{
		wire.Op("CreatePolicy", a.createPolicy, wire.On(func(_ *wire.Call, in *CreatePolicyInput) string {
			path, _ := pathOr(in.Path)
			return a.arn("policy", path, in.PolicyName)
		})),
		wire.Op("GetPolicy", func(ctx context.Context, _ *wire.Call, in *PolicyInput) (*PolicyOutput, error) {
			p, err := a.ownManaged(ctx, in.PolicyArn)
			if err != nil {
				return nil, err
			}
			answer, err := a.policyAnswer(ctx, p)
			return &PolicyOutput{Policy: answer}, err
		}, on),
		wire.Op("DeletePolicy", a.deletePolicy, on),
		wire.Op("ListPolicies", a.listPolicies),
		wire.Op("CreatePolicyVersion", a.createPolicyVersion, on),
		wire.Op("GetPolicyVersion", a.getPolicyVersion, on),
		wire.Op("ListPolicyVersions", a.listPolicyVersions, on),
		wire.Op("DeletePolicyVersion", func(ctx context.Context, _ *wire.Call, in *PolicyInput) (*nothing, error) {
			return &nothing{}, a.changePolicy(ctx, in.PolicyArn, func(_ *store.Tx, p *managedPolicy) error {
				if in.VersionID == p.Default {
					return conflict("Cannot delete the default version of a policy.")
				}
				at := slices.IndexFunc(p.Versions, func(v policyVersion) bool { return v.ID == in.VersionID })
				if at < 0 {
					return notFound("Policy %s version %s does not exist or is not attachable.", in.PolicyArn, in.VersionID)
				}
				p.Versions = slices.Delete(p.Versions, at, at+1)
				return nil
			})
		}, on),
		wire.Op("SetDefaultPolicyVersion", func(ctx context.Context, _ *wire.Call, in *PolicyInput) (*nothing, error) {
			return &nothing{}, a.changePolicy(ctx, in.PolicyArn, func(_ *store.Tx, p *managedPolicy) error {
				if _, ok := p.version(in.VersionID); !ok {
					return notFound("Policy %s version %s does not exist or is not attachable.", in.PolicyArn, in.VersionID)
				}
				p.Default, p.Updated = in.VersionID, a.now()
				return nil
			})
		}, on),
		wire.Op("TagPolicy", a.tagPolicy, on),
		wire.Op("UntagPolicy", a.tagPolicy, on),
		wire.Op("ListPolicyTags", func(ctx context.Context, _ *wire.Call, in *PolicyInput) (*TagsOutput, error) {
			p, err := a.ownManaged(ctx, in.PolicyArn)
			if err != nil {
				return nil, err
			}
			out := &TagsOutput{}
			out.Tags, out.IsTruncated, out.Marker = cut(tagList(p.Tags), in.Page)
			return out, nil
		}, on),
		wire.Op("ListEntitiesForPolicy", a.listEntitiesForPolicy, on),
	}
}

func (a *Access) policyAnswer(ctx context.Context, p *managedPolicy) (Policy, error) {
	answer := Policy{
		PolicyName: p.Name, PolicyID: p.ID, Arn: p.ARN, Path: p.Path, DefaultVersionID: p.Default,
		IsAttachable: true, Description: p.Description, CreateDate: p.Created, UpdateDate: p.Updated, Tags: tagList(p.Tags),
	}
	err := a.config.DB.View(ctx, func(tx *store.Tx) error {
		attached, _, err := attachedTo(tx, p.ARN)
		answer.AttachmentCount = len(attached)
		return err
	})
	return answer, err
}

func (a *Access) createPolicy(ctx context.Context, _ *wire.Call, in *CreatePolicyInput) (*PolicyOutput, error) {
	path, err := pathOr(in.Path)
	if err != nil {
		return nil, err
	}
	if !namePattern.MatchString(in.PolicyName) {
		return nil, invalid("The specified value for policyName is invalid. It must contain only alphanumeric characters and/or the following: +=,.@_-")
	}
	id, err := a.uniqueID("ANPA")
	if err != nil {
		return nil, err
	}
	now := a.now()
	p := &managedPolicy{
		Name: in.PolicyName, Path: path, ID: id, ARN: a.arn("policy", path, in.PolicyName), Description: in.Description,
		Created: now, Updated: now, Tags: tagMap(in.Tags),
		Versions: []policyVersion{{ID: "v1", Document: in.PolicyDocument, Created: now}}, Default: "v1", NextVersion: 2,
	}
	err = a.config.DB.Update(ctx, func(_ context.Context, tx *store.Tx) error {
		if exists, err := tx.Get(kindPolicy, p.ARN, &managedPolicy{}); err != nil {
			return err
		} else if exists {
			return exists409("A policy called %s already exists. Duplicate names are not allowed.", p.Name)
		}
		return a.putPolicy(tx, p)
	})
	if err != nil {
		return nil, err
	}
	answer, err := a.policyAnswer(ctx, p)
	return &PolicyOutput{Policy: answer}, err
}

func (a *Access) deletePolicy(ctx context.Context, _ *wire.Call, in *PolicyInput) (*nothing, error) {
	return &nothing{}, a.config.DB.Update(ctx, func(ctx context.Context, tx *store.Tx) error {
		if strings.HasPrefix(in.PolicyArn, awsARN) {
			return wire.Errorf(http.StatusForbidden, "AccessDenied", "AWS's managed policy %s cannot be deleted.", in.PolicyArn)
		}
		p, err := a.ownManaged(ctx, in.PolicyArn)
		if err != nil {
			return err
		}
		attached, bounded, err := attachedTo(tx, p.ARN)
		if err != nil {
			return err
		}
		if len(attached)+len(bounded) > 0 {
			return conflict("Cannot delete a policy attached to entities.")
		}
		if len(p.Versions) > 1 {
			return conflict("This policy has more than one version. Before you delete a policy, you must delete the policy's versions. The default version is deleted with the policy.")
		}
		tx.OnCommit(func() { a.policies.remove(p.ARN) })
		return tx.Delete(kindPolicy, p.ARN)
	})
}

func (a *Access) listPolicies(ctx context.Context, _ *wire.Call, in *ListPoliciesInput) (*ListPoliciesOutput, error) {
	var all []*managedPolicy
	if in.Scope != "AWS" {
		err := a.config.DB.View(ctx, func(tx *store.Tx) (err error) {
			all, err = store.All[*managedPolicy](tx, kindPolicy, "")
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	if in.Scope != "Local" {
		known, err := a.allAWSManaged()
		if err != nil {
			return nil, err
		}
		all = append(all, known...)
	}
	out := &ListPoliciesOutput{}
	var list []Policy
	for _, p := range all {
		answer, err := a.policyAnswer(ctx, p)
		if err != nil {
			return nil, err
		}
		if strings.HasPrefix(p.Path, in.PathPrefix) && (!in.OnlyAttached || answer.AttachmentCount > 0) {
			answer.Tags = nil
			list = append(list, answer)
		}
	}
	out.Policies, out.IsTruncated, out.Marker = cut(list, in.Page)
	return out, nil
}

// allAWSManaged returns the AWS managed policies that are kept.
func (a *Access) allAWSManaged() ([]*managedPolicy, error) {
	files, err := awsManaged.ReadDir("managed")
	if err != nil {
		return nil, err
	}
	var all []*managedPolicy
	for _, file := range files {
		name := strings.ReplaceAll(strings.TrimSuffix(file.Name(), ".json"), "--", "/")
		p, err := a.managed(awsARN + name)
		if err != nil {
			return nil, err
		}
		all = append(all, p)
	}
	sort.Slice(all, func(i, j int) bool { return all[i].Name < all[j].Name })
	return all, nil
}

func (a *Access) createPolicyVersion(ctx context.Context, _ *wire.Call, in *PolicyInput) (*PolicyVersionOutput, error) {
	out := &PolicyVersionOutput{}
	err := a.changePolicy(ctx, in.PolicyArn, func(_ *store.Tx, p *managedPolicy) error {
		if len(p.Versions) >= maxVersions {
			return limitExceeded("A managed policy can have up to %d versions. Before you create a new version, you must delete an existing version.", maxVersions)
		}
		v := policyVersion{ID: "v" + strconv.Itoa(p.NextVersion), Document: in.PolicyDocument, Created: a.now()}
		p.NextVersion++
		p.Versions = append(p.Versions, v)
		if in.SetAsDefault {
			p.Default = v.ID
		}
		p.Updated = v.Created
		out.PolicyVersion = PolicyVersion{VersionID: v.ID, IsDefaultVersion: in.SetAsDefault, CreateDate: v.Created}
		return nil
	})
	return out, err
}

func (a *Access) getPolicyVersion(ctx context.Context, _ *wire.Call, in *PolicyInput) (*PolicyVersionOutput, error) {
	p, err := a.ownManaged(ctx, in.PolicyArn)
	if err != nil {
		return nil, err
	}
	v, ok := p.version(in.VersionID)
	if !ok {
		return nil, notFound("Policy %s version %s does not exist or is not attachable.", in.PolicyArn, in.VersionID)
	}
	return &PolicyVersionOutput{PolicyVersion: PolicyVersion{Document: encoded(v.Document), VersionID: v.ID, IsDefaultVersion: v.ID == p.Default, CreateDate: v.Created}}, nil
}

func (a *Access) listPolicyVersions(ctx context.Context, _ *wire.Call, in *PolicyInput) (*PolicyVersionsOutput, error) {
	p, err := a.ownManaged(ctx, in.PolicyArn)
	if err != nil {
		return nil, err
	}
	out := &PolicyVersionsOutput{}
	for i := range p.Versions {
		v := p.Versions[len(p.Versions)-1-i] // newest first
		out.Versions = append(out.Versions, PolicyVersion{VersionID: v.ID, IsDefaultVersion: v.ID == p.Default, CreateDate: v.Created})
	}
	return out, nil
}

func (a *Access) tagPolicy(ctx context.Context, _ *wire.Call, in *PolicyInput) (*nothing, error) {
	return &nothing{}, a.changePolicy(ctx, in.PolicyArn, func(_ *store.Tx, p *managedPolicy) error {
		if p.Tags == nil {
			p.Tags = map[string]string{}
		}
		for _, tag := range in.Tags {
			p.Tags[tag.Key] = tag.Value
		}
		for _, key := range in.TagKeys {
			delete(p.Tags, key)
		}
		return nil
	})
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
	IsTruncated  bool
}

func (a *Access) listEntitiesForPolicy(ctx context.Context, _ *wire.Call, in *PolicyInput) (*EntitiesOutput, error) {
	if _, err := a.ownManaged(ctx, in.PolicyArn); err != nil {
		return nil, err
	}
	out := &EntitiesOutput{}
	err := a.config.DB.View(ctx, func(tx *store.Tx) error {
		attached, _, err := attachedTo(tx, in.PolicyArn)
		for _, x := range attached {
			switch x.Kind {
			case "user":
				out.PolicyUsers = append(out.PolicyUsers, PolicyEntity{UserName: x.Name, UserID: x.ID})
			case "role":
				out.PolicyRoles = append(out.PolicyRoles, PolicyEntity{RoleName: x.Name, RoleID: x.ID})
			default:
				out.PolicyGroups = append(out.PolicyGroups, PolicyEntity{GroupName: x.Name, GroupID: x.ID})
			}
		}
		return err
	})
	return out, err
}
