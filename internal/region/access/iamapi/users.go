package iamapi

import (
	"context"

	"github.com/seed-615d3599/roost/internal/region/access/directory"
	"github.com/seed-615d3599/roost/internal/region/access/paging"
	"github.com/seed-615d3599/roost/internal/region/wire"
)

// User is a user as IAM's answers carry it.
type User struct {
	Path                string
	UserName            string
	UserID              string `json:"UserId"`
	Arn                 string
	CreateDate          wire.Time
	PermissionsBoundary *Boundary       `json:",omitempty"`
	Tags                []directory.Tag `json:",omitempty"`
}

func userAnswer(x *directory.Identity) User {
	return User{Path: x.Path, UserName: x.Name, UserID: x.ID, Arn: x.ARN, CreateDate: x.Created, PermissionsBoundary: boundaryOf(x.Boundary), Tags: directory.TagList(x.Tags)}
}

// CreateUserInput is the input of CreateUser.
type CreateUserInput struct {
	UserName            string `required:"true"`
	Path                string
	PermissionsBoundary string
	Tags                []directory.Tag
}

// UserOutput is the output of CreateUser and GetUser.
type UserOutput struct{ User User }

// ListUsersOutput is the output of ListUsers.
type ListUsersOutput struct {
	Users []User
	paging.Pages
}

func (a *API) userOperations() []wire.Operation {
	return append([]wire.Operation{
		wire.Op("CreateUser", a.createUser, wire.Targets(func(_ *wire.Call, in *CreateUserInput) []wire.Target {
			return []wire.Target{a.newTarget("user", in.Path, in.UserName, in.PermissionsBoundary, in.Tags)}
		})),
		wire.Op("GetUser", a.getUser, wire.Targets(func(c *wire.Call, in *Named) []wire.Target {
			return []wire.Target{a.target(directory.User, a.userName(c, in.UserName))}
		})),
		wire.Op("DeleteUser", a.deleteNamed(directory.User), onNamed[Named](a, directory.User)),
		wire.Op("ListUsers", a.listUsers, wire.On(func(*wire.Call, *ListInput) string { return a.people.ARN("user", "/", "*") })),
	}, a.boundaryAndTagOperations(directory.User)...)
}

// userName is which user is meant: the caller where no name is given.
func (a *API) userName(c *wire.Call, name string) string {
	if name != "" {
		return name
	}
	return a.user(c.Caller)
}

func (a *API) createUser(ctx context.Context, _ *wire.Call, in *CreateUserInput) (*UserOutput, error) {
	tags, err := directory.TagMap(in.Tags)
	if err != nil {
		return nil, err
	}
	x := &directory.Identity{Kind: directory.User, Name: in.UserName, Path: in.Path, Boundary: in.PermissionsBoundary, Tags: tags}
	if err := a.people.Create(ctx, x); err != nil {
		return nil, err
	}
	return &UserOutput{User: userAnswer(x)}, nil
}

func (a *API) getUser(ctx context.Context, c *wire.Call, in *Named) (*UserOutput, error) {
	name := a.userName(c, in.UserName)
	if name == "" {
		return nil, directory.Invalid("Must specify userName when calling with non-User credentials")
	}
	in.UserName = name
	x, err := a.readNamed(ctx, directory.User, *in)
	if err != nil {
		return nil, err
	}
	return &UserOutput{User: userAnswer(x)}, nil
}

func (a *API) listUsers(ctx context.Context, _ *wire.Call, in *ListInput) (*ListUsersOutput, error) {
	all, err := a.people.List(ctx, directory.User, in.PathPrefix)
	if err != nil {
		return nil, err
	}
	page, pages, err := paging.Cut(all, in.Page)
	out := &ListUsersOutput{Pages: pages}
	for _, x := range page {
		user := userAnswer(x)
		user.Tags, user.PermissionsBoundary = nil, nil
		out.Users = append(out.Users, user)
	}
	return out, err
}

// AccessKey is a new access key; the only answer that holds a secret.
type AccessKey struct {
	UserName        string
	AccessKeyID     string `json:"AccessKeyId"`
	Status          string
	SecretAccessKey string `json:",omitempty"`
	CreateDate      wire.Time
}

// UserKeyInput names a user, or none for the caller.
type UserKeyInput struct{ UserName string }

// AccessKeyInput names a key of a user, or of the caller.
type AccessKeyInput struct {
	UserName    string
	AccessKeyID string `json:"AccessKeyId" required:"true"`
}

// UpdateAccessKeyInput is the input of UpdateAccessKey.
type UpdateAccessKeyInput struct {
	AccessKeyInput
	Status string `required:"true"`
}

// ListAccessKeysInput is the input of ListAccessKeys.
type ListAccessKeysInput struct {
	UserName string
	paging.Page
}

// AccessKeyOutput is the output of CreateAccessKey.
type AccessKeyOutput struct{ AccessKey AccessKey }

// ListAccessKeysOutput is the output of ListAccessKeys.
type ListAccessKeysOutput struct {
	AccessKeyMetadata []AccessKey
	paging.Pages
}

// LastUsedInput is the input of GetAccessKeyLastUsed.
type LastUsedInput struct {
	AccessKeyID string `json:"AccessKeyId" required:"true"`
}

// LastUsedOutput is the output of GetAccessKeyLastUsed.
type LastUsedOutput struct {
	UserName          string
	AccessKeyLastUsed LastUsed
}

// LastUsed says when a key was used last.
type LastUsed struct {
	LastUsedDate *wire.Time `json:",omitempty"`
	ServiceName  string
	Region       string
}

func (a *API) keyOperations() []wire.Operation {
	on := func(c *wire.Call, name string) []wire.Target {
		return []wire.Target{a.target(directory.User, a.userName(c, name))}
	}
	return []wire.Operation{
		wire.Op("CreateAccessKey", func(ctx context.Context, c *wire.Call, in *UserKeyInput) (*AccessKeyOutput, error) {
			k, err := a.people.CreateKey(ctx, a.userName(c, in.UserName))
			if err != nil {
				return nil, err
			}
			return &AccessKeyOutput{AccessKey: AccessKey{UserName: k.UserName, AccessKeyID: k.ID, Status: k.Status, SecretAccessKey: k.Secret, CreateDate: k.Created}}, nil
		}, wire.Targets(func(c *wire.Call, in *UserKeyInput) []wire.Target { return on(c, in.UserName) })),
		wire.Op("DeleteAccessKey", func(ctx context.Context, c *wire.Call, in *AccessKeyInput) (*nothing, error) {
			return &nothing{}, a.people.DeleteKey(ctx, a.userName(c, in.UserName), in.AccessKeyID)
		}, wire.Targets(func(c *wire.Call, in *AccessKeyInput) []wire.Target { return on(c, in.UserName) })),
		wire.Op("UpdateAccessKey", func(ctx context.Context, c *wire.Call, in *UpdateAccessKeyInput) (*nothing, error) {
			return &nothing{}, a.people.SetKeyStatus(ctx, a.userName(c, in.UserName), in.AccessKeyID, in.Status)
		}, wire.Targets(func(c *wire.Call, in *UpdateAccessKeyInput) []wire.Target { return on(c, in.UserName) })),
		wire.Op("ListAccessKeys", a.listAccessKeys, wire.Targets(func(c *wire.Call, in *ListAccessKeysInput) []wire.Target { return on(c, in.UserName) })),
		wire.Op("GetAccessKeyLastUsed", a.getAccessKeyLastUsed, wire.Targets(func(_ *wire.Call, in *LastUsedInput) []wire.Target {
			if k, ok := a.people.Key(in.AccessKeyID); ok {
				return []wire.Target{a.target(directory.User, k.UserName)}
			}
			return []wire.Target{{Resource: a.people.ARN("user", "/", "*")}}
		})),
	}
}

func (a *API) listAccessKeys(ctx context.Context, c *wire.Call, in *ListAccessKeysInput) (*ListAccessKeysOutput, error) {
	keys, err := a.people.KeysOf(ctx, a.userName(c, in.UserName))
	if err != nil {
		return nil, err
	}
	page, pages, err := paging.Cut(keys, in.Page)
	out := &ListAccessKeysOutput{Pages: pages}
	for _, k := range page {
		out.AccessKeyMetadata = append(out.AccessKeyMetadata, AccessKey{UserName: k.UserName, AccessKeyID: k.ID, Status: k.Status, CreateDate: k.Created})
	}
	return out, err
}

// getAccessKeyLastUsed knows of uses since the region started only.
func (a *API) getAccessKeyLastUsed(_ context.Context, c *wire.Call, in *LastUsedInput) (*LastUsedOutput, error) {
	k, ok := a.people.Key(in.AccessKeyID)
	if !ok {
		return nil, directory.NotFound("The Access Key with id %s cannot be found.", in.AccessKeyID)
	}
	out := &LastUsedOutput{UserName: k.UserName, AccessKeyLastUsed: LastUsed{ServiceName: "N/A", Region: "N/A"}}
	if last, ok := a.people.LastUse(k.ID); ok {
		out.AccessKeyLastUsed = LastUsed{LastUsedDate: &wire.Time{Time: last.At}, ServiceName: last.Service, Region: c.Region}
	}
	return out, nil
}

// Group is a group as IAM's answers carry it.
type Group struct {
	Path       string
	GroupName  string
	GroupID    string `json:"GroupId"`
	Arn        string
	CreateDate wire.Time
}

func groupAnswer(x *directory.Identity) Group {
	return Group{Path: x.Path, GroupName: x.Name, GroupID: x.ID, Arn: x.ARN, CreateDate: x.Created}
}

// CreateGroupInput is the input of CreateGroup.
type CreateGroupInput struct {
	GroupName string `required:"true"`
	Path      string
}

// GroupOutput is the output of CreateGroup.
type GroupOutput struct{ Group Group }

// GetGroupOutput is the output of GetGroup.
type GetGroupOutput struct {
	Group Group
	Users []User
	paging.Pages
}

// MembershipInput names a user and a group.
type MembershipInput struct {
	GroupName string `required:"true"`
	UserName  string `required:"true"`
}

// GroupsOutput is a list of groups.
type GroupsOutput struct {
	Groups []Group
	paging.Pages
}

func (a *API) groupOperations() []wire.Operation {
	onGroup := wire.Targets(func(_ *wire.Call, in *MembershipInput) []wire.Target {
		return []wire.Target{a.target(directory.Group, in.GroupName)}
	})
	return []wire.Operation{
		wire.Op("CreateGroup", func(ctx context.Context, _ *wire.Call, in *CreateGroupInput) (*GroupOutput, error) {
			x := &directory.Identity{Kind: directory.Group, Name: in.GroupName, Path: in.Path}
			if err := a.people.Create(ctx, x); err != nil {
				return nil, err
			}
			return &GroupOutput{Group: groupAnswer(x)}, nil
		}, wire.Targets(func(_ *wire.Call, in *CreateGroupInput) []wire.Target {
			return []wire.Target{a.newTarget("group", in.Path, in.GroupName, "", nil)}
		})),
		wire.Op("GetGroup", a.getGroup, onNamed[ListNamedInput](a, directory.Group)),
		wire.Op("DeleteGroup", a.deleteNamed(directory.Group), onNamed[Named](a, directory.Group)),
		wire.Op("ListGroups", func(ctx context.Context, _ *wire.Call, in *ListInput) (*GroupsOutput, error) {
			all, err := a.people.List(ctx, directory.Group, in.PathPrefix)
			if err != nil {
				return nil, err
			}
			return groupsOutput(all, in.Page)
		}, wire.On(func(*wire.Call, *ListInput) string { return a.people.ARN("group", "/", "*") })),
		wire.Op("ListGroupsForUser", a.listGroupsForUser, onNamed[ListNamedInput](a, directory.User)),
		wire.Op("AddUserToGroup", func(ctx context.Context, _ *wire.Call, in *MembershipInput) (*nothing, error) {
			return &nothing{}, a.people.Join(ctx, in.UserName, in.GroupName)
		}, onGroup),
		wire.Op("RemoveUserFromGroup", func(ctx context.Context, _ *wire.Call, in *MembershipInput) (*nothing, error) {
			return &nothing{}, a.people.Leave(ctx, in.UserName, in.GroupName)
		}, onGroup),
	}
}

func groupsOutput(all []*directory.Identity, page paging.Page) (*GroupsOutput, error) {
	part, pages, err := paging.Cut(all, page)
	out := &GroupsOutput{Pages: pages}
	for _, x := range part {
		out.Groups = append(out.Groups, groupAnswer(x))
	}
	return out, err
}

func (a *API) getGroup(ctx context.Context, _ *wire.Call, in *ListNamedInput) (*GetGroupOutput, error) {
	x, err := a.readNamed(ctx, directory.Group, in.Named)
	if err != nil {
		return nil, err
	}
	members, err := a.people.Members(ctx, x.Name)
	if err != nil {
		return nil, err
	}
	page, pages, err := paging.Cut(members, in.Page)
	out := &GetGroupOutput{Group: groupAnswer(x), Pages: pages}
	for _, member := range page {
		user := userAnswer(member)
		user.Tags, user.PermissionsBoundary = nil, nil
		out.Users = append(out.Users, user)
	}
	return out, err
}

func (a *API) listGroupsForUser(ctx context.Context, _ *wire.Call, in *ListNamedInput) (*GroupsOutput, error) {
	groups, err := a.people.GroupsOf(ctx, in.UserName)
	if err != nil {
		return nil, err
	}
	return groupsOutput(groups, in.Page)
}
