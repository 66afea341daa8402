package access

import (
	"context"

	"github.com/seed-615d3599/roost/internal/region/wire"
)

// Boundary is a permissions boundary as IAM's answers carry it.
type Boundary struct {
	PermissionsBoundaryType string
	PermissionsBoundaryArn  string
}

func boundaryOf(arn string) *Boundary {
	if arn == "" {
		return nil
	}
	return &Boundary{PermissionsBoundaryType: "Policy", PermissionsBoundaryArn: arn}
}

// Role is a role as IAM's answers carry it.
type Role struct {
	Path                     string
	RoleName                 string
	RoleID                   string `json:"RoleId"`
	Arn                      string
	CreateDate               wire.Time
	AssumeRolePolicyDocument string
	Description              string    `json:",omitempty"`
	MaxSessionDuration       int       // seconds
	PermissionsBoundary      *Boundary `json:",omitempty"`
	Tags                     []Tag     `json:",omitempty"`
}

func roleAnswer(x *identity) Role {
	return Role{
		Path: x.Path, RoleName: x.Name, RoleID: x.ID, Arn: x.ARN, CreateDate: x.Created,
		AssumeRolePolicyDocument: encoded(x.Trust), Description: x.Description,
		MaxSessionDuration: x.MaxSession, PermissionsBoundary: boundaryOf(x.Boundary), Tags: tagList(x.Tags),
	}
}

// CreateRoleInput is the input of CreateRole.
type CreateRoleInput struct {
	RoleName                 string `required:"true"`
	Path                     string
	AssumeRolePolicyDocument string `required:"true"`
	Description              string
	MaxSessionDuration       *int
	PermissionsBoundary      string
	Tags                     []Tag
}

// RoleOutput is the output of CreateRole and GetRole.
type RoleOutput struct{ Role Role }

// UpdateRoleInput is the input of UpdateRole, UpdateRoleDescription and
// UpdateAssumeRolePolicy.
type UpdateRoleInput struct {
	RoleName           string `required:"true"`
	Description        *string
	MaxSessionDuration *int
	PolicyDocument     string
}

// ListRolesOutput is the output of ListRoles.
type ListRolesOutput struct {
	Roles       []Role
	IsTruncated bool
	Marker      string `json:",omitempty"`
}

func (a *Access) roleOperations() []wire.Operation {
	onUpdate := wire.On(func(_ *wire.Call, in *UpdateRoleInput) string { return a.target("role", in.RoleName) })
	return append([]wire.Operation{
		wire.Op("CreateRole", a.createRole, wire.Targets(func(_ *wire.Call, in *CreateRoleInput) []wire.Target {
			path, _ := pathOr(in.Path)
			target := wire.Target{Resource: a.arn("role", path, in.RoleName), Context: map[string][]string{}}
			if in.PermissionsBoundary != "" {
				target.Context["iam:PermissionsBoundary"] = []string{in.PermissionsBoundary}
			}
			return []wire.Target{target}
		})),
		wire.Op("GetRole", func(ctx context.Context, _ *wire.Call, in *Named) (*RoleOutput, error) {
			x, err := a.readNamed(ctx, "role", *in)
			if err != nil {
				return nil, err
			}
			return &RoleOutput{Role: roleAnswer(x)}, nil
		}, onNamed[Named](a, "role")),
		wire.Op("DeleteRole", func(ctx context.Context, _ *wire.Call, in *Named) (*nothing, error) {
			name, err := in.of("role")
			if err == nil {
				err = a.delete(ctx, "role", name)
			}
			return &nothing{}, err
		}, onNamed[Named](a, "role")),
		wire.Op("ListRoles", a.listRoles, wire.On(func(_ *wire.Call, in *ListInput) string { return a.arn("role", "/", "*") })),
		wire.Op("UpdateRole", a.updateRole, onUpdate),
		wire.Op("UpdateRoleDescription", a.updateRole, onUpdate),
		wire.Op("UpdateAssumeRolePolicy", a.updateTrust, onUpdate),
	}, a.boundaryAndTagOperations("role")...)
}

func (a *Access) createRole(ctx context.Context, _ *wire.Call, in *CreateRoleInput) (*RoleOutput, error) {
	duration, err := maxSession(in.MaxSessionDuration)
	if err != nil {
		return nil, err
	}
	x := &identity{
		Kind: "role", Name: in.RoleName, Path: in.Path, Trust: in.AssumeRolePolicyDocument,
		Description: in.Description, MaxSession: duration, Boundary: in.PermissionsBoundary, Tags: tagMap(in.Tags),
	}
	if err := a.create(ctx, x, "AROA"); err != nil {
		return nil, err
	}
	return &RoleOutput{Role: roleAnswer(x)}, nil
}

func maxSession(seconds *int) (int, error) {
	if seconds == nil {
		return hour, nil
	}
	if *seconds < hour || *seconds > 12*hour {
		return 0, invalid("1 validation error detected: Value '%d' at 'maxSessionDuration' failed to satisfy constraint: Member must have value between 3600 and 43200", *seconds)
	}
	return *seconds, nil
}

func (a *Access) updateRole(ctx context.Context, _ *wire.Call, in *UpdateRoleInput) (*nothing, error) {
	return &nothing{}, a.change(ctx, "role", in.RoleName, func(x *identity) error {
		if in.Description != nil {
			x.Description = *in.Description
		}
		if in.MaxSessionDuration == nil {
			return nil
		}
		duration, err := maxSession(in.MaxSessionDuration)
		x.MaxSession = duration
		return err
	})
}

func (a *Access) updateTrust(ctx context.Context, _ *wire.Call, in *UpdateRoleInput) (*nothing, error) {
	if in.PolicyDocument == "" {
		return nil, invalid("the member PolicyDocument is missing")
	}
	return &nothing{}, a.change(ctx, "role", in.RoleName, func(x *identity) error {
		x.Trust = in.PolicyDocument
		return nil
	})
}

// ListInput asks for identities below a path.
type ListInput struct {
	Page
	PathPrefix string
}

func (a *Access) listRoles(ctx context.Context, _ *wire.Call, in *ListInput) (*ListRolesOutput, error) {
	all, err := a.list(ctx, "role", in.PathPrefix)
	if err != nil {
		return nil, err
	}
	out := &ListRolesOutput{}
	page, truncated, marker := cut(all, in.Page)
	for _, x := range page {
		out.Roles = append(out.Roles, roleAnswer(x))
	}
	out.IsTruncated, out.Marker = truncated, marker
	return out, nil
}
