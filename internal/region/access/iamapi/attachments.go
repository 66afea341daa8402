package iamapi

import (
	"context"
	"strings"

	"github.com/seed-615d3599/roost/internal/region/access/directory"
	"github.com/seed-615d3599/roost/internal/region/access/paging"
	"github.com/seed-615d3599/roost/internal/region/wire"
)

// InlineInput names an inline policy.
type InlineInput struct {
	Named
	PolicyName string `required:"true"`
}

// PutInlineInput sets an inline policy.
type PutInlineInput struct {
	Named
	PolicyName     string `required:"true"`
	PolicyDocument string `required:"true"`
}

// InlineOutput is an inline policy.
type InlineOutput struct {
	Named
	PolicyName     string
	PolicyDocument string
}

// AttachInput names a managed policy to attach or detach.
type AttachInput struct {
	Named
	PolicyArn string `required:"true"`
}

// ListNamedInput asks for a list of what an identity has.
type ListNamedInput struct {
	Named
	paging.Page
}

// ListAttachedInput asks for the managed policies of an identity.
type ListAttachedInput struct {
	Named
	paging.Page
	PathPrefix string
}

// PolicyNames is a list of inline policies.
type PolicyNames struct {
	PolicyNames []string
	paging.Pages
}

// AttachedPolicy names an attached managed policy.
type AttachedPolicy struct {
	PolicyName string
	PolicyArn  string
}

// AttachedPolicies is a list of attached managed policies.
type AttachedPolicies struct {
	AttachedPolicies []AttachedPolicy
	paging.Pages
}

// attachmentOperations are those that users, roles and groups have alike.
func (a *API) attachmentOperations(kind directory.Kind) []wire.Operation {
	name := kind.Title()
	withPolicy := wire.Targets(func(_ *wire.Call, in *AttachInput) []wire.Target {
		of, _ := in.of(kind)
		t := a.target(kind, of)
		t.Context["iam:PolicyARN"] = []string{in.PolicyArn}
		return []wire.Target{t}
	})
	attach := func(change func(context.Context, directory.Kind, string, string) error) func(context.Context, *wire.Call, *AttachInput) (*nothing, error) {
		return func(ctx context.Context, _ *wire.Call, in *AttachInput) (*nothing, error) {
			of, err := in.of(kind)
			if err == nil {
				err = change(ctx, kind, of, in.PolicyArn)
			}
			return &nothing{}, err
		}
	}
	return append(a.inlineOperations(kind),
		wire.Op("Attach"+name+"Policy", attach(a.people.Attach), withPolicy),
		wire.Op("Detach"+name+"Policy", attach(a.people.Detach), withPolicy),
		wire.Op("ListAttached"+name+"Policies", func(ctx context.Context, _ *wire.Call, in *ListAttachedInput) (*AttachedPolicies, error) {
			x, err := a.readNamed(ctx, kind, in.Named)
			if err != nil {
				return nil, err
			}
			all, err := a.attached(ctx, x, in.PathPrefix)
			if err != nil {
				return nil, err
			}
			out := &AttachedPolicies{}
			out.AttachedPolicies, out.Pages, err = paging.Cut(all, in.Page)
			return out, err
		}, onNamed[ListAttachedInput](a, kind)),
	)
}

func (a *API) inlineOperations(kind directory.Kind) []wire.Operation {
	name := kind.Title()
	return []wire.Operation{
		wire.Op("Put"+name+"Policy", func(ctx context.Context, _ *wire.Call, in *PutInlineInput) (*nothing, error) {
			of, err := in.of(kind)
			if err == nil {
				err = a.people.PutInline(ctx, kind, of, in.PolicyName, in.PolicyDocument)
			}
			return &nothing{}, err
		}, onNamed[PutInlineInput](a, kind)),
		wire.Op("Get"+name+"Policy", func(ctx context.Context, _ *wire.Call, in *InlineInput) (*InlineOutput, error) {
			x, err := a.readNamed(ctx, kind, in.Named)
			if err != nil {
				return nil, err
			}
			document, ok := x.Inline[in.PolicyName]
			if !ok {
				return nil, directory.NoSuchInline(kind, in.PolicyName)
			}
			return &InlineOutput{Named: in.Named, PolicyName: in.PolicyName, PolicyDocument: encoded(document)}, nil
		}, onNamed[InlineInput](a, kind)),
		wire.Op("Delete"+name+"Policy", func(ctx context.Context, _ *wire.Call, in *InlineInput) (*nothing, error) {
			of, err := in.of(kind)
			if err == nil {
				err = a.people.DeleteInline(ctx, kind, of, in.PolicyName)
			}
			return &nothing{}, err
		}, onNamed[InlineInput](a, kind)),
		wire.Op("List"+name+"Policies", func(ctx context.Context, _ *wire.Call, in *ListNamedInput) (*PolicyNames, error) {
			x, err := a.readNamed(ctx, kind, in.Named)
			if err != nil {
				return nil, err
			}
			out := &PolicyNames{}
			out.PolicyNames, out.Pages, err = paging.Cut(directory.SortedKeys(x.Inline), in.Page)
			return out, err
		}, onNamed[ListNamedInput](a, kind)),
	}
}

func (a *API) readNamed(ctx context.Context, kind directory.Kind, named Named) (*directory.Identity, error) {
	name, err := named.of(kind)
	if err != nil {
		return nil, err
	}
	return a.people.Read(ctx, kind, name)
}

// attached names the managed policies of an identity below a path.
func (a *API) attached(ctx context.Context, x *directory.Identity, prefix string) ([]AttachedPolicy, error) {
	list := []AttachedPolicy{}
	for _, arn := range x.Attached {
		policy, err := a.people.ReadPolicy(ctx, arn)
		if err != nil {
			return nil, err
		}
		if strings.HasPrefix(policy.Path, prefix) {
			list = append(list, AttachedPolicy{PolicyName: policy.Name, PolicyArn: arn})
		}
	}
	return list, nil
}

// BoundaryInput names a permissions boundary for a user or a role.
type BoundaryInput struct {
	Named
	PermissionsBoundary string `required:"true"`
}

// TagInput adds tags to a user or a role.
type TagInput struct {
	Named
	Tags []directory.Tag `required:"true"`
}

// UntagInput takes tags away from a user or a role.
type UntagInput struct {
	Named
	TagKeys []string `required:"true"`
}

// TagsOutput is a list of tags.
type TagsOutput struct {
	Tags []directory.Tag
	paging.Pages
}

// boundaryAndTagOperations are those that users and roles have alike.
func (a *API) boundaryAndTagOperations(kind directory.Kind) []wire.Operation {
	return append(a.boundaryOperations(kind), a.tagOperations(kind)...)
}

func (a *API) boundaryOperations(kind directory.Kind) []wire.Operation {
	name := kind.Title()
	return []wire.Operation{
		wire.Op("Put"+name+"PermissionsBoundary", func(ctx context.Context, _ *wire.Call, in *BoundaryInput) (*nothing, error) {
			of, err := in.of(kind)
			if err == nil {
				err = a.people.SetBoundary(ctx, kind, of, in.PermissionsBoundary)
			}
			return &nothing{}, err
		}, wire.Targets(func(_ *wire.Call, in *BoundaryInput) []wire.Target {
			of, _ := in.of(kind)
			t := a.target(kind, of)
			t.Context["iam:PermissionsBoundary"] = []string{in.PermissionsBoundary}
			return []wire.Target{t}
		})),
		wire.Op("Delete"+name+"PermissionsBoundary", func(ctx context.Context, _ *wire.Call, in *Named) (*nothing, error) {
			of, err := in.of(kind)
			if err == nil {
				err = a.people.SetBoundary(ctx, kind, of, "")
			}
			return &nothing{}, err
		}, onNamed[Named](a, kind)),
	}
}

func (a *API) tagOperations(kind directory.Kind) []wire.Operation {
	name := kind.Title()
	return []wire.Operation{
		wire.Op("Tag"+name, func(ctx context.Context, _ *wire.Call, in *TagInput) (*nothing, error) {
			of, err := in.of(kind)
			if err == nil {
				err = a.people.Tag(ctx, kind, of, in.Tags, nil)
			}
			return &nothing{}, err
		}, wire.Targets(func(_ *wire.Call, in *TagInput) []wire.Target {
			of, _ := in.of(kind)
			return []wire.Target{requestTags(a.target(kind, of), in.Tags, nil)}
		})),
		wire.Op("Untag"+name, func(ctx context.Context, _ *wire.Call, in *UntagInput) (*nothing, error) {
			of, err := in.of(kind)
			if err == nil {
				err = a.people.Tag(ctx, kind, of, nil, in.TagKeys)
			}
			return &nothing{}, err
		}, wire.Targets(func(_ *wire.Call, in *UntagInput) []wire.Target {
			of, _ := in.of(kind)
			return []wire.Target{requestTags(a.target(kind, of), nil, in.TagKeys)}
		})),
		wire.Op("List"+name+"Tags", func(ctx context.Context, _ *wire.Call, in *ListNamedInput) (*TagsOutput, error) {
			x, err := a.readNamed(ctx, kind, in.Named)
			if err != nil {
				return nil, err
			}
			out := &TagsOutput{}
			out.Tags, out.Pages, err = paging.Cut(directory.TagList(x.Tags), in.Page)
			return out, err
		}, onNamed[ListNamedInput](a, kind)),
	}
}
