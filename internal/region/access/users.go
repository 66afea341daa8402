package access

import (
	"context"
	"encoding/base64"
	"io"
	"slices"
	"strings"

	"github.com/seed-615d3599/roost/internal/region/store"
	"github.com/seed-615d3599/roost/internal/region/wire"
)

// User is a user as IAM's answers carry it.
type User struct {
	Path                string
	UserName            string
	UserID              string `json:"UserId"`
	Arn                 string
	CreateDate          wire.Time
	PermissionsBoundary *Boundary `json:",omitempty"`
	Tags                []Tag     `json:",omitempty"`
}

func userAnswer(x *identity) User {
	return User{Path: x.Path, UserName: x.Name, UserID: x.ID, Arn: x.ARN, CreateDate: x.Created, PermissionsBoundary: boundaryOf(x.Boundary), Tags: tagList(x.Tags)}
}

// CreateUserInput is the input of CreateUser.
type CreateUserInput struct {
	UserName            string `required:"true"`
	Path                string
	PermissionsBoundary string
	Tags                []Tag
}

// UserOutput is the output of CreateUser and GetUser.
type UserOutput struct{ User User }

// ListUsersOutput is the output of ListUsers.
type ListUsersOutput struct {
	Users       []User
	IsTruncated bool
	Marker      string `json:",omitempty"`
}

func (a *Access) userOperations() []wire.Operation {
	return append([]wire.Operation{
		wire.Op("CreateUser", func(ctx context.Context, _ *wire.Call, in *CreateUserInput) (*UserOutput, error) {
			x := &identity{Kind: "user", Name: in.UserName, Path: in.Path, Boundary: in.PermissionsBoundary, Tags: tagMap(in.Tags)}
			if err := a.create(ctx, x, "AIDA"); err != nil {
				return nil, err
			}
			return &UserOutput{User: userAnswer(x)}, nil
		}, wire.On(func(_ *wire.Call, in *CreateUserInput) string {
			path, _ := pathOr(in.Path)
			return a.arn("user", path, in.UserName)
		})),
		wire.Op("GetUser", a.getUser, wire.On(func(c *wire.Call, in *Named) string {
			if in.UserName == "" && c.Caller != nil {
				return c.Caller.ARN
			}
			return a.target("user", in.UserName)
		})),
		wire.Op("DeleteUser", func(ctx context.Context, _ *wire.Call, in *Named) (*nothing, error) {
			name, err := in.of("user")
			if err == nil {
				err = a.delete(ctx, "user", name)
			}
			return &nothing{}, err
		}, onNamed[Named](a, "user")),
		wire.Op("ListUsers", a.listUsers, wire.On(func(_ *wire.Call, in *ListInput) string { return a.arn("user", "/", "*") })),
		refused("UpdateUser", "make a user anew instead of renaming it"),
	}, a.boundaryAndTagOperations("user")...)
}

func (a *Access) getUser(ctx context.Context, c *wire.Call, in *Named) (*UserOutput, error) {
	if in.UserName == "" {
		if p, ok := detail(c.Caller); ok && p.identity.Kind == "user" {
			in.UserName = p.identity.Name
		}
	}
	x, err := a.readNamed(ctx, "user", *in)
	if err != nil {
		return nil, err
	}
	return &UserOutput{User: userAnswer(x)}, nil
}

func (a *Access) listUsers(ctx context.Context, _ *wire.Call, in *ListInput) (*ListUsersOutput, error) {
	all, err := a.list(ctx, "user", in.PathPrefix)
	if err != nil {
		return nil, err
	}
	page, truncated, marker := cut(all, in.Page)
	out := &ListUsersOutput{IsTruncated: truncated, Marker: marker}
	for _, x := range page {
		out.Users = append(out.Users, userAnswer(x))
	}
	return out, nil
}

// AccessKey is a new access key; the only answer that holds a secret.
type AccessKey struct {
	UserName        string
	AccessKeyID     string `json:"AccessKeyId"`
	Status          string
	SecretAccessKey string `json:",omitempty"`
	CreateDate      wire.Time
}

// AccessKeyInput names a key of a user.
type AccessKeyInput struct {
	UserName    string
	AccessKeyID string `json:"AccessKeyId"`
	Status      string
	Page
}

// AccessKeyOutput is the output of CreateAccessKey.
type AccessKeyOutput struct{ AccessKey AccessKey }

// ListAccessKeysOutput is the output of ListAccessKeys.
type ListAccessKeysOutput struct {
	AccessKeyMetadata []AccessKey
	IsTruncated       bool
	Marker            string `json:",omitempty"`
}

// maxKeys is the quota of access keys for one user.
const maxKeys = 2

func (a *Access) keyOperations() []wire.Operation {
	onUser := wire.On(func(c *wire.Call, in *AccessKeyInput) string { return a.target("user", keyUser(c, in)) })
	return []wire.Operation{
		wire.Op("CreateAccessKey", a.createAccessKey, onUser),
		wire.Op("DeleteAccessKey", func(ctx context.Context, c *wire.Call, in *AccessKeyInput) (*nothing, error) {
			return &nothing{}, a.changeKey(ctx, c, in, func(tx *store.Tx, k *accessKey) error {
				tx.OnCommit(func() { a.keys.remove(k.ID) })
				return tx.Delete(kindKey, k.ID)
			})
		}, onUser),
		wire.Op("UpdateAccessKey", func(ctx context.Context, c *wire.Call, in *AccessKeyInput) (*nothing, error) {
			if in.Status != "Active" && in.Status != "Inactive" {
				return nil, invalid("the member Status is neither Active nor Inactive")
			}
			return &nothing{}, a.changeKey(ctx, c, in, func(tx *store.Tx, k *accessKey) error {
				k.Status = in.Status
				return a.putKey(tx, k)
			})
		}, onUser),
		wire.Op("ListAccessKeys", a.listAccessKeys, onUser),
	}
}

// keyUser is whose keys are meant: the caller's own where no name is given.
func keyUser(c *wire.Call, in *AccessKeyInput) string {
	if in.UserName != "" {
		return in.UserName
	}
	if p, ok := detail(c.Caller); ok && p.identity.Kind == "user" {
		return p.identity.Name
	}
	return ""
}

func (a *Access) createAccessKey(ctx context.Context, c *wire.Call, in *AccessKeyInput) (*AccessKeyOutput, error) {
	user := keyUser(c, in)
	if _, err := a.read(ctx, "user", user); err != nil {
		return nil, err
	}
	id, err := a.uniqueID("AKIA")
	if err != nil {
		return nil, err
	}
	raw := make([]byte, 30)
	if _, err := io.ReadFull(a.config.Rand, raw); err != nil {
		return nil, err
	}
	k := &accessKey{ID: id[:20], Secret: base64.StdEncoding.EncodeToString(raw), UserName: user, Status: "Active", Created: a.now()}
	err = a.config.DB.Update(ctx, func(_ context.Context, tx *store.Tx) error {
		have, err := userKeys(tx, user)
		if err != nil {
			return err
		}
		if len(have) >= maxKeys {
			return limitExceeded("Cannot exceed quota for AccessKeysPerUser: %d", maxKeys)
		}
		return a.putKey(tx, k)
	})
	if err != nil {
		return nil, err
	}
	return &AccessKeyOutput{AccessKey: AccessKey{UserName: user, AccessKeyID: k.ID, Status: k.Status, SecretAccessKey: k.Secret, CreateDate: k.Created}}, nil
}

func (a *Access) putKey(tx *store.Tx, k *accessKey) error {
	tx.OnCommit(func() { a.keys.set(k.ID, k) })
	return tx.Put(kindKey, k.ID, k)
}

func (a *Access) changeKey(ctx context.Context, c *wire.Call, in *AccessKeyInput, f func(*store.Tx, *accessKey) error) error {
	return a.config.DB.Update(ctx, func(_ context.Context, tx *store.Tx) error {
		k := &accessKey{}
		found, err := tx.Get(kindKey, in.AccessKeyID, k)
		if err != nil {
			return err
		}
		if !found || k.UserName != keyUser(c, in) {
			return notFound("The Access Key with id %s cannot be found.", in.AccessKeyID)
		}
		return f(tx, k)
	})
}

func (a *Access) listAccessKeys(ctx context.Context, c *wire.Call, in *AccessKeyInput) (*ListAccessKeysOutput, error) {
	user := keyUser(c, in)
	if _, err := a.read(ctx, "user", user); err != nil {
		return nil, err
	}
	out := &ListAccessKeysOutput{}
	err := a.config.DB.View(ctx, func(tx *store.Tx) error {
		keys, err := userKeys(tx, user)
		for _, k := range keys {
			out.AccessKeyMetadata = append(out.AccessKeyMetadata, AccessKey{UserName: user, AccessKeyID: k.ID, Status: k.Status, CreateDate: k.Created})
		}
		return err
	})
	return out, err
}

// Group is a group as IAM's answers carry it.
type Group struct {
	Path       string
	GroupName  string
	GroupID    string `json:"GroupId"`
	Arn        string
	CreateDate wire.Time
}

func groupAnswer(x *identity) Group {
	return Group{Path: x.Path, GroupName: x.Name, GroupID: x.ID, Arn: x.ARN, CreateDate: x.Created}
}

// CreateGroupInput is the input of CreateGroup.
type CreateGroupInput struct {
	GroupName string `required:"true"`
	Path      string
}

// GroupOutput is the output of CreateGroup and GetGroup.
type GroupOutput struct {
	Group       Group
	Users       []User `json:",omitempty"`
	IsTruncated bool
}

// MembershipInput names a user and a group.
type MembershipInput struct {
	GroupName string `required:"true"`
	UserName  string `required:"true"`
}

// GroupsOutput is a list of groups.
type GroupsOutput struct {
	Groups      []Group
	IsTruncated bool
	Marker      string `json:",omitempty"`
}

func (a *Access) groupOperations() []wire.Operation {
	onGroup := wire.On(func(_ *wire.Call, in *MembershipInput) string { return a.target("group", in.GroupName) })
	return []wire.Operation{
		wire.Op("CreateGroup", func(ctx context.Context, _ *wire.Call, in *CreateGroupInput) (*GroupOutput, error) {
			x := &identity{Kind: "group", Name: in.GroupName, Path: in.Path}
			if err := a.create(ctx, x, "AGPA"); err != nil {
				return nil, err
			}
			return &GroupOutput{Group: groupAnswer(x)}, nil
		}, wire.On(func(_ *wire.Call, in *CreateGroupInput) string {
			path, _ := pathOr(in.Path)
			return a.arn("group", path, in.GroupName)
		})),
		wire.Op("GetGroup", a.getGroup, onNamed[Named](a, "group")),
		wire.Op("DeleteGroup", func(ctx context.Context, _ *wire.Call, in *Named) (*nothing, error) {
			name, err := in.of("group")
			if err == nil {
				err = a.delete(ctx, "group", name)
			}
			return &nothing{}, err
		}, onNamed[Named](a, "group")),
		wire.Op("ListGroups", a.listGroups, wire.On(func(_ *wire.Call, in *ListInput) string { return a.arn("group", "/", "*") })),
		wire.Op("ListGroupsForUser", a.listGroupsForUser, onNamed[ListNamedInput](a, "user")),
		wire.Op("AddUserToGroup", func(ctx context.Context, _ *wire.Call, in *MembershipInput) (*nothing, error) {
			if _, err := a.read(ctx, "group", in.GroupName); err != nil {
				return nil, err
			}
			return &nothing{}, a.change(ctx, "user", in.UserName, func(x *identity) error {
				if !slices.Contains(x.Groups, in.GroupName) {
					x.Groups = append(x.Groups, in.GroupName)
				}
				return nil
			})
		}, onGroup),
		wire.Op("RemoveUserFromGroup", func(ctx context.Context, _ *wire.Call, in *MembershipInput) (*nothing, error) {
			return &nothing{}, a.change(ctx, "user", in.UserName, func(x *identity) error {
				x.Groups = slices.DeleteFunc(x.Groups, func(g string) bool { return g == in.GroupName })
				return nil
			})
		}, onGroup),
	}
}

func (a *Access) getGroup(ctx context.Context, _ *wire.Call, in *Named) (*GroupOutput, error) {
	x, err := a.readNamed(ctx, "group", *in)
	if err != nil {
		return nil, err
	}
	out := &GroupOutput{Group: groupAnswer(x)}
	err = a.config.DB.View(ctx, func(tx *store.Tx) error {
		members, err := groupMembers(tx, x.Name)
		for _, member := range members {
			out.Users = append(out.Users, userAnswer(member))
		}
		return err
	})
	return out, err
}

func (a *Access) listGroups(ctx context.Context, _ *wire.Call, in *ListInput) (*GroupsOutput, error) {
	all, err := a.list(ctx, "group", in.PathPrefix)
	page, truncated, marker := cut(all, in.Page)
	out := &GroupsOutput{IsTruncated: truncated, Marker: marker}
	for _, x := range page {
		out.Groups = append(out.Groups, groupAnswer(x))
	}
	return out, err
}

func (a *Access) listGroupsForUser(ctx context.Context, _ *wire.Call, in *ListNamedInput) (*GroupsOutput, error) {
	user, err := a.readNamed(ctx, "user", in.Named)
	if err != nil {
		return nil, err
	}
	out := &GroupsOutput{}
	for _, name := range user.Groups {
		group, err := a.read(ctx, "group", name)
		if err != nil {
			return nil, err
		}
		out.Groups = append(out.Groups, groupAnswer(group))
	}
	return out, nil
}

// EnsureUser makes a user with AdministratorAccess and an access key if it is
// not there, and returns its key. The region calls it for the user "roost",
// who administers it.
func (a *Access) EnsureUser(ctx context.Context, name string) (accessKeyID, secret string, err error) {
	if _, err := a.read(ctx, "user", name); err != nil {
		if wire.Code(err) != "NoSuchEntity" {
			return "", "", err
		}
		if err := a.create(ctx, &identity{Kind: "user", Name: name}, "AIDA"); err != nil {
			return "", "", err
		}
	}
	if err := a.attach(ctx, "user", name, awsARN+"AdministratorAccess"); err != nil {
		return "", "", err
	}
	for _, k := range a.keys.all() {
		if k.UserName == name && k.Status == "Active" {
			return k.ID, k.Secret, nil
		}
	}
	out, err := a.createAccessKey(ctx, &wire.Call{}, &AccessKeyInput{UserName: name})
	if err != nil {
		return "", "", err
	}
	return out.AccessKey.AccessKeyID, out.AccessKey.SecretAccessKey, nil
}

// CallerFor returns the user or role of an ARN as the caller of operations
// within the process: a role as a session without a session policy.
func (a *Access) CallerFor(arn string) (*wire.Caller, error) {
	name := arn[strings.LastIndexByte(arn, '/')+1:]
	if user, ok := a.users.get(name); ok && user.ARN == arn {
		return &wire.Caller{Account: a.config.Account, ARN: user.ARN, UserID: user.ID, Detail: &principal{identity: user}}, nil
	}
	role, ok := a.roles.get(name)
	if !ok || role.ARN != arn {
		return nil, notFound("there is no user or role %s any more", arn)
	}
	s := &session{RoleName: role.Name, PrincipalID: role.ID, Name: "AWSCloudFormation", Issued: a.config.Now().Unix()}
	return a.sessionCaller(s, role), nil
}

// RoleCaller is CallerFor for a role that an AWS service is to act as: the role
// must trust the service.
func (a *Access) RoleCaller(service, roleARN string) (*wire.Caller, error) {
	if _, err := a.ServiceCredentials(service, roleARN, "AWSCloudFormation"); err != nil {
		return nil, wire.Errorf(400, "ValidationError", "Role %s is invalid or cannot be assumed", roleARN)
	}
	return a.CallerFor(roleARN)
}
