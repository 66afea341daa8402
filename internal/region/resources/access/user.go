package access

import (
	"context"
	"net/http"

	cf "github.com/seed-615d3599/roost/internal/region/resources"
	"github.com/seed-615d3599/roost/internal/region/wire"
)

func user() *cf.Type {
	k := kind("User")
	return &cf.Type{
		Name: "AWS::IAM::User",
		Properties: cf.Properties{
			"Groups":              cf.Strings(),
			"LoginProfile":        cf.Refuse("there is no console to log in to; leave it out, for example by a condition"),
			"ManagedPolicyArns":   cf.Strings(),
			"Path":                {Kind: cf.String, Replace: true}, // AWS renames in place; here a user's ARN never changes
			"PermissionsBoundary": {Kind: cf.String},
			"Policies":            policies(),
			"Tags":                cf.KeyValues(),
			"UserName":            {Kind: cf.String, Replace: true},
		},
		Attributes: []string{"Arn"},
		Create: func(ctx context.Context, e *cf.Env, want map[string]any) (cf.State, error) {
			in := cf.Pick(want, "Path", "PermissionsBoundary", "Tags")
			name := e.OrName(cf.Text(want, "UserName"), 64)
			in["UserName"] = name
			var out struct{ User struct{ Arn string } }
			if err := e.Call(ctx, "iam", "CreateUser", in, &out); err != nil {
				return cf.State{}, err
			}
			state := cf.State{ID: name, Attributes: map[string]any{"Arn": out.User.Arn}}
			if err := join(ctx, e, name, nil, want); err != nil {
				return state, err
			}
			return state, k.bring(ctx, e, name, nil, want)
		},
		Update: func(ctx context.Context, e *cf.Env, have cf.State, want map[string]any) (cf.State, error) {
			if err := k.rebound(ctx, e, have.ID, have.Properties, want); err != nil {
				return have, err
			}
			if err := k.retag(ctx, e, have.ID, have.Properties, want); err != nil {
				return have, err
			}
			if err := join(ctx, e, have.ID, have.Properties, want); err != nil {
				return have, err
			}
			return have, k.bring(ctx, e, have.ID, have.Properties, want)
		},
		Delete: func(ctx context.Context, e *cf.Env, have cf.State) error {
			if err := join(ctx, e, have.ID, have.Properties, nil); err != nil {
				return err
			}
			return k.remove(ctx, e, have)
		},
	}
}

// join brings a user into its groups, and out of those it is to leave.
func join(ctx context.Context, e *cf.Env, user string, have, want map[string]any) error {
	return changeList(have, want, "Groups",
		func(group string) error { return enter(ctx, e, user, group) },
		func(group string) error { return leave(ctx, e, user, group) })
}

func enter(ctx context.Context, e *cf.Env, user, group string) error {
	return e.Call(ctx, "iam", "AddUserToGroup", map[string]any{"UserName": user, "GroupName": group}, nil)
}

func leave(ctx context.Context, e *cf.Env, user, group string) error {
	return cf.Gone(e.Call(ctx, "iam", "RemoveUserFromGroup", map[string]any{"UserName": user, "GroupName": group}, nil))
}

func group() *cf.Type {
	k := kind("Group")
	return &cf.Type{
		Name: "AWS::IAM::Group",
		Properties: cf.Properties{
			"GroupName":         {Kind: cf.String, Replace: true},
			"ManagedPolicyArns": cf.Strings(),
			"Path":              {Kind: cf.String, Replace: true}, // as with a user
			"Policies":          policies(),
		},
		Attributes: []string{"Arn"},
		Create: func(ctx context.Context, e *cf.Env, want map[string]any) (cf.State, error) {
			in := cf.Pick(want, "Path")
			name := e.OrName(cf.Text(want, "GroupName"), 128)
			in["GroupName"] = name
			var out struct{ Group struct{ Arn string } }
			if err := e.Call(ctx, "iam", "CreateGroup", in, &out); err != nil {
				return cf.State{}, err
			}
			state := cf.State{ID: name, Attributes: map[string]any{"Arn": out.Group.Arn}}
			return state, k.bring(ctx, e, name, nil, want)
		},
		Update: func(ctx context.Context, e *cf.Env, have cf.State, want map[string]any) (cf.State, error) {
			return have, k.bring(ctx, e, have.ID, have.Properties, want)
		},
		Delete: k.remove,
	}
}

func userToGroupAddition() *cf.Type {
	// move brings the users of want into their group, and those of have that
	// are not among them out of theirs.
	move := func(ctx context.Context, e *cf.Env, have, want map[string]any) error {
		if !cf.Same(have, want, "GroupName") {
			for _, user := range cf.Texts(have, "Users") {
				if err := leave(ctx, e, user, cf.Text(have, "GroupName")); err != nil {
					return err
				}
			}
			have = nil
		}
		return changeList(have, want, "Users",
			func(user string) error { return enter(ctx, e, user, cf.Text(want, "GroupName")) },
			func(user string) error { return leave(ctx, e, user, cf.Text(have, "GroupName")) })
	}
	return &cf.Type{
		Name: "AWS::IAM::UserToGroupAddition",
		Properties: cf.Properties{
			"GroupName": {Kind: cf.String, Required: true},
			"Users":     cf.Strings().Must(),
		},
		Attributes: []string{"Id"},
		Create: func(ctx context.Context, e *cf.Env, want map[string]any) (cf.State, error) {
			id := e.Name(128)
			return cf.State{ID: id, Attributes: map[string]any{"Id": id}}, move(ctx, e, nil, want)
		},
		Update: func(ctx context.Context, e *cf.Env, have cf.State, want map[string]any) (cf.State, error) {
			return have, move(ctx, e, have.Properties, want)
		},
		Delete: func(ctx context.Context, e *cf.Env, have cf.State) error {
			return move(ctx, e, have.Properties, nil)
		},
	}
}

func accessKey() *cf.Type {
	setStatus := func(ctx context.Context, e *cf.Env, id string, want map[string]any) error {
		status := cf.Text(want, "Status")
		if status == "" {
			status = "Active"
		}
		in := map[string]any{"UserName": cf.Text(want, "UserName"), "AccessKeyId": id, "Status": status}
		return e.Call(ctx, "iam", "UpdateAccessKey", in, nil)
	}
	return &cf.Type{
		Name: "AWS::IAM::AccessKey",
		Properties: cf.Properties{
			"Serial":   {Kind: cf.Integer, Replace: true},
			"Status":   {Kind: cf.String, Enum: []string{"Active", "Inactive"}},
			"UserName": {Kind: cf.String, Required: true, Replace: true},
		},
		Attributes: []string{"Id", "SecretAccessKey"},
		Create: func(ctx context.Context, e *cf.Env, want map[string]any) (cf.State, error) {
			var out struct {
				AccessKey struct{ AccessKeyId, SecretAccessKey string }
			}
			if err := e.Call(ctx, "iam", "CreateAccessKey", cf.Pick(want, "UserName"), &out); err != nil {
				return cf.State{}, err
			}
			key := out.AccessKey
			state := cf.State{ID: key.AccessKeyId, Attributes: map[string]any{"Id": key.AccessKeyId, "SecretAccessKey": key.SecretAccessKey}}
			if cf.Text(want, "Status") != "Inactive" {
				return state, nil
			}
			return state, setStatus(ctx, e, state.ID, want)
		},
		Update: func(ctx context.Context, e *cf.Env, have cf.State, want map[string]any) (cf.State, error) {
			return have, setStatus(ctx, e, have.ID, want)
		},
		Delete: func(ctx context.Context, e *cf.Env, have cf.State) error {
			in := map[string]any{"UserName": cf.Text(have.Properties, "UserName"), "AccessKeyId": have.ID}
			return cf.Gone(e.Call(ctx, "iam", "DeleteAccessKey", in, nil))
		},
	}
}

func invalid(message string) error {
	return &wire.Error{Status: http.StatusBadRequest, Code: "ValidationError", Message: message}
}
