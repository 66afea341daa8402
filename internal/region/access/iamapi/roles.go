package iamapi

import (
	"context"
	"time"

	"github.com/seed-615d3599/roost/internal/region/access/directory"
	"github.com/seed-615d3599/roost/internal/region/access/paging"
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
	Description              string          `json:",omitempty"`
	MaxSessionDuration       int             `json:",omitempty"` // seconds
	PermissionsBoundary      *Boundary       `json:",omitempty"`
	Tags                     []directory.Tag `json:",omitempty"`
	RoleLastUsed             *RoleLastUsed   `json:",omitempty"`
}

// RoleLastUsed is when and where a role was last used; empty if it was not.
type RoleLastUsed struct {
	LastUsedDate *wire.Time `json:",omitempty"`
	Region       string     `json:",omitempty"`
}

// roleAnswer is a role as GetRole shows it.
func (a *API) roleAnswer(ctx context.Context, x *directory.Identity) (Role, error) {
	trust, err := a.people.ShownTrust(ctx, x)
	return Role{
		Path: x.Path, RoleName: x.Name, RoleID: x.ID, Arn: x.ARN, CreateDate: x.Created,
		AssumeRolePolicyDocument: encoded(trust), Description: x.Description,
		MaxSessionDuration: x.MaxSession, PermissionsBoundary: boundaryOf(x.Boundary), Tags: directory.TagList(x.Tags),
	}, err
}

// roleLastUsed is what GetRole shows, and lists do not (IAM API Reference,
// RoleLastUsed). A role of the same name that is gone has no part in it: where
// the new one goes on with what that one did, its use is told up to a minute
// late. In AWS it takes hours.
func (a *API) roleLastUsed(role *directory.Identity) *RoleLastUsed {
	at := a.lastUsed(role.ARN)
	if at.IsZero() || at.Before(role.Created.Truncate(time.Second)) {
		return &RoleLastUsed{}
	}
	return &RoleLastUsed{LastUsedDate: &wire.Time{Time: at}, Region: a.region}
}

// CreateRoleInput is the input of CreateRole.
type CreateRoleInput struct {
	RoleName                 string `required:"true"`
	Path                     string
	AssumeRolePolicyDocument string `required:"true"`
	Description              string
	MaxSessionDuration       *int
	PermissionsBoundary      string
	Tags                     []directory.Tag
}

// RoleOutput is the output of CreateRole and GetRole.
type RoleOutput struct{ Role Role }

// UpdateRoleInput is the input of UpdateRole.
type UpdateRoleInput struct {
	RoleName           string `required:"true"`
	Description        *string
	MaxSessionDuration *int
}

// UpdateDescriptionInput is the input of UpdateRoleDescription.
type UpdateDescriptionInput struct {
	RoleName    string  `required:"true"`
	Description *string `required:"true"`
}

// UpdateTrustInput is the input of UpdateAssumeRolePolicy.
type UpdateTrustInput struct {
	RoleName       string `required:"true"`
	PolicyDocument string `required:"true"`
}

// ListRolesOutput is the output of ListRoles.
type ListRolesOutput struct {
	Roles []Role
	paging.Pages
}

func (a *API) roleOperations() []wire.Operation {
	return append([]wire.Operation{
		wire.Op("CreateRole", a.createRole, wire.Targets(func(_ *wire.Call, in *CreateRoleInput) []wire.Target {
			return []wire.Target{a.newTarget("role", in.Path, in.RoleName, in.PermissionsBoundary, in.Tags)}
		})),
		wire.Op("GetRole", a.getRole, onNamed[Named](a, directory.Role)),
		wire.Op("DeleteRole", a.deleteNamed(directory.Role), onNamed[Named](a, directory.Role)),
		wire.Op("ListRoles", a.listRoles, wire.On(func(*wire.Call, *ListInput) string { return a.people.ARN("role", "/", "*") })),
		wire.Op("UpdateRole", a.updateRole, wire.Targets(func(_ *wire.Call, in *UpdateRoleInput) []wire.Target {
			return []wire.Target{a.target(directory.Role, in.RoleName)}
		})),
		wire.Op("UpdateRoleDescription", a.updateDescription, wire.Targets(func(_ *wire.Call, in *UpdateDescriptionInput) []wire.Target {
			return []wire.Target{a.target(directory.Role, in.RoleName)}
		})),
		wire.Op("UpdateAssumeRolePolicy", func(ctx context.Context, _ *wire.Call, in *UpdateTrustInput) (*nothing, error) {
			return &nothing{}, a.people.Change(ctx, directory.Role, in.RoleName, func(x *directory.Identity) error {
				x.Trust = in.PolicyDocument
				return nil
			})
		}, wire.Targets(func(_ *wire.Call, in *UpdateTrustInput) []wire.Target {
			return []wire.Target{a.target(directory.Role, in.RoleName)}
		})),
	}, a.boundaryAndTagOperations(directory.Role)...)
}

func (a *API) getRole(ctx context.Context, _ *wire.Call, in *Named) (*RoleOutput, error) {
	x, err := a.readNamed(ctx, directory.Role, *in)
	if err != nil {
		return nil, err
	}
	role, err := a.roleAnswer(ctx, x)
	role.RoleLastUsed = a.roleLastUsed(x)
	return &RoleOutput{Role: role}, err
}

func (a *API) updateDescription(ctx context.Context, c *wire.Call, in *UpdateDescriptionInput) (*RoleOutput, error) {
	if _, err := a.updateRole(ctx, c, &UpdateRoleInput{RoleName: in.RoleName, Description: in.Description}); err != nil {
		return nil, err
	}
	x, err := a.people.Read(ctx, directory.Role, in.RoleName)
	if err != nil {
		return nil, err
	}
	role, err := a.roleAnswer(ctx, x)
	return &RoleOutput{Role: role}, err
}

// deleteNamed is DeleteUser, DeleteRole or DeleteGroup.
func (a *API) deleteNamed(kind directory.Kind) func(context.Context, *wire.Call, *Named) (*nothing, error) {
	return func(ctx context.Context, _ *wire.Call, in *Named) (*nothing, error) {
		name, err := in.of(kind)
		if err == nil {
			err = a.people.Delete(ctx, kind, name)
		}
		return &nothing{}, err
	}
}

const hour = 3600 // seconds

func (a *API) createRole(ctx context.Context, _ *wire.Call, in *CreateRoleInput) (*RoleOutput, error) {
	tags, err := directory.TagMap(in.Tags)
	if err != nil {
		return nil, err
	}
	x := &directory.Identity{
		Kind: directory.Role, Name: in.RoleName, Path: in.Path, Trust: in.AssumeRolePolicyDocument,
		Description: in.Description, MaxSession: hour, Boundary: in.PermissionsBoundary, Tags: tags,
	}
	if err := setMaxSession(x, in.MaxSessionDuration); err != nil {
		return nil, err
	}
	if err := a.people.Create(ctx, x); err != nil {
		return nil, err
	}
	role, err := a.roleAnswer(ctx, x)
	return &RoleOutput{Role: role}, err
}

func setMaxSession(x *directory.Identity, seconds *int) error {
	if seconds == nil {
		return nil
	}
	if *seconds < hour || *seconds > 12*hour {
		return directory.Invalid("1 validation error detected: Value '%d' at 'maxSessionDuration' failed to satisfy constraint: Member must have value between 3600 and 43200", *seconds)
	}
	x.MaxSession = *seconds
	return nil
}

func (a *API) updateRole(ctx context.Context, _ *wire.Call, in *UpdateRoleInput) (*nothing, error) {
	return &nothing{}, a.people.Change(ctx, directory.Role, in.RoleName, func(x *directory.Identity) error {
		if in.Description != nil {
			x.Description = *in.Description
		}
		return setMaxSession(x, in.MaxSessionDuration)
	})
}

// ListInput asks for identities below a path.
type ListInput struct {
	paging.Page
	PathPrefix string
}

// listRoles leaves out what IAM leaves out of lists: tags and boundaries (IAM
// API Reference, ListRoles).
func (a *API) listRoles(ctx context.Context, _ *wire.Call, in *ListInput) (*ListRolesOutput, error) {
	all, err := a.people.List(ctx, directory.Role, in.PathPrefix)
	if err != nil {
		return nil, err
	}
	page, pages, err := paging.Cut(all, in.Page)
	out := &ListRolesOutput{Pages: pages}
	for _, x := range page {
		role, err := a.roleAnswer(ctx, x)
		if err != nil {
			return nil, err
		}
		role.Tags, role.PermissionsBoundary = nil, nil
		out.Roles = append(out.Roles, role)
	}
	return out, err
}
