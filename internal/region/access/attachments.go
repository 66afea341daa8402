package access

import (
	"context"

	"github.com/seed-615d3599/roost/internal/region/wire"
)

type nothing struct{}

// InlineInput names an inline policy, and for Put its document.
type InlineInput struct {
	Named
	PolicyName     string `required:"true"`
	PolicyDocument string
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
	Page
	PathPrefix string
}

// PolicyNames is a list of inline policies.
type PolicyNames struct {
	PolicyNames []string
	IsTruncated bool
	Marker      string `json:",omitempty"`
}

// AttachedPolicy names an attached managed policy.
type AttachedPolicy struct {
	PolicyName string
	PolicyArn  string
}

// AttachedPolicies is a list of attached managed policies.
type AttachedPolicies struct {
	AttachedPolicies []AttachedPolicy
	IsTruncated      bool
	Marker           string `json:",omitempty"`
}

// attachmentOperations are those that users, roles and groups have alike.
func (a *Access) attachmentOperations(kind string) []wire.Operation {
	name := title(kind)
	withPolicy := wire.Targets(func(_ *wire.Call, in *AttachInput) []wire.Target {
		of, _ := in.of(kind)
		return []wire.Target{{Resource: a.target(kind, of), Context: map[string][]string{"iam:PolicyARN": {in.PolicyArn}}}}
	})
	return []wire.Operation{
		wire.Op("Put"+name+"Policy", func(ctx context.Context, _ *wire.Call, in *InlineInput) (*nothing, error) {
			of, err := in.of(kind)
			if err == nil {
				err = a.putInline(ctx, kind, of, in.PolicyName, in.PolicyDocument)
			}
			return &nothing{}, err
		}, onNamed[InlineInput](a, kind)),
		wire.Op("Get"+name+"Policy", func(ctx context.Context, _ *wire.Call, in *InlineInput) (*InlineOutput, error) {
			of, err := in.of(kind)
			if err != nil {
				return nil, err
			}
			document, err := a.getInline(ctx, kind, of, in.PolicyName)
			return &InlineOutput{Named: in.Named, PolicyName: in.PolicyName, PolicyDocument: encoded(document)}, err
		}, onNamed[InlineInput](a, kind)),
		wire.Op("Delete"+name+"Policy", func(ctx context.Context, _ *wire.Call, in *InlineInput) (*nothing, error) {
			of, err := in.of(kind)
			if err == nil {
				err = a.deleteInline(ctx, kind, of, in.PolicyName)
			}
			return &nothing{}, err
		}, onNamed[InlineInput](a, kind)),
		wire.Op("List"+name+"Policies", func(ctx context.Context, _ *wire.Call, in *ListNamedInput) (*PolicyNames, error) {
			x, err := a.readNamed(ctx, kind, in.Named)
			if err != nil {
				return nil, err
			}
			out := &PolicyNames{}
			out.PolicyNames, out.IsTruncated, out.Marker = cut(sortedKeys(x.Inline), in.Page)
			return out, nil
		}, onNamed[ListNamedInput](a, kind)),
		wire.Op("Attach"+name+"Policy", func(ctx context.Context, _ *wire.Call, in *AttachInput) (*nothing, error) {
			of, err := in.of(kind)
			if err == nil {
				err = a.attach(ctx, kind, of, in.PolicyArn)
			}
			return &nothing{}, err
		}, withPolicy),
		wire.Op("Detach"+name+"Policy", func(ctx context.Context, _ *wire.Call, in *AttachInput) (*nothing, error) {
			of, err := in.of(kind)
			if err == nil {
				err = a.detach(ctx, kind, of, in.PolicyArn)
			}
			return &nothing{}, err
		}, withPolicy),
		wire.Op("ListAttached"+name+"Policies", func(ctx context.Context, _ *wire.Call, in *ListNamedInput) (*AttachedPolicies, error) {
			x, err := a.readNamed(ctx, kind, in.Named)
			if err != nil {
				return nil, err
			}
			return a.attachedPolicies(x, in.Page)
		}, onNamed[ListNamedInput](a, kind)),
	}
}

func (a *Access) readNamed(ctx context.Context, kind string, named Named) (*identity, error) {
	name, err := named.of(kind)
	if err != nil {
		return nil, err
	}
	return a.read(ctx, kind, name)
}

func (a *Access) attachedPolicies(x *identity, page Page) (*AttachedPolicies, error) {
	out := &AttachedPolicies{}
	for _, arn := range x.Attached {
		policy, err := a.managed(arn)
		if err != nil {
			return nil, err
		}
		out.AttachedPolicies = append(out.AttachedPolicies, AttachedPolicy{PolicyName: policy.Name, PolicyArn: arn})
	}
	out.AttachedPolicies, out.IsTruncated, out.Marker = cut(out.AttachedPolicies, page)
	return out, nil
}

// BoundaryInput names a permissions boundary for a user or a role.
type BoundaryInput struct {
	Named
	PermissionsBoundary string
}

// TagInput adds tags to a user or a role, or takes some away.
type TagInput struct {
	Named
	Tags    []Tag
	TagKeys []string
}

// TagsOutput is a list of tags.
type TagsOutput struct {
	Tags        []Tag
	IsTruncated bool
	Marker      string `json:",omitempty"`
}

// boundaryAndTagOperations are those that users and roles have alike.
func (a *Access) boundaryAndTagOperations(kind string) []wire.Operation {
	name := title(kind)
	boundary := func(ctx context.Context, in *BoundaryInput, arn string) (*nothing, error) {
		of, err := in.of(kind)
		if err == nil {
			err = a.setBoundary(ctx, kind, of, arn)
		}
		return &nothing{}, err
	}
	tag := func(ctx context.Context, _ *wire.Call, in *TagInput) (*nothing, error) {
		of, err := in.of(kind)
		if err == nil {
			err = a.tag(ctx, kind, of, in.Tags, in.TagKeys)
		}
		return &nothing{}, err
	}
	return []wire.Operation{
		wire.Op("Put"+name+"PermissionsBoundary", func(ctx context.Context, _ *wire.Call, in *BoundaryInput) (*nothing, error) {
			if in.PermissionsBoundary == "" {
				return nil, invalid("the member PermissionsBoundary is missing")
			}
			return boundary(ctx, in, in.PermissionsBoundary)
		}, onNamed[BoundaryInput](a, kind)),
		wire.Op("Delete"+name+"PermissionsBoundary", func(ctx context.Context, _ *wire.Call, in *BoundaryInput) (*nothing, error) {
			return boundary(ctx, in, "")
		}, onNamed[BoundaryInput](a, kind)),
		wire.Op("Tag"+name, tag, onNamed[TagInput](a, kind)),
		wire.Op("Untag"+name, tag, onNamed[TagInput](a, kind)),
		wire.Op("List"+name+"Tags", func(ctx context.Context, _ *wire.Call, in *ListNamedInput) (*TagsOutput, error) {
			x, err := a.readNamed(ctx, kind, in.Named)
			if err != nil {
				return nil, err
			}
			out := &TagsOutput{}
			out.Tags, out.IsTruncated, out.Marker = cut(tagList(x.Tags), in.Page)
			return out, nil
		}, onNamed[ListNamedInput](a, kind)),
	}
}
