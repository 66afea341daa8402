package access

import (
	"context"
	"slices"
	"strings"

	cf "github.com/seed-615d3599/roost/internal/region/resources"
)

// holder is a list of those who get a policy, and their kind.
type holder struct {
	property string
	kind     kind
}

func holders() []holder { return []holder{{"Groups", "Group"}, {"Roles", "Role"}, {"Users", "User"}} }

// policy is an inline policy that several identities get.
func policy() *cf.Type {
	return &cf.Type{
		Name: "AWS::IAM::Policy",
		Properties: cf.Properties{
			"Groups":         cf.Strings(),
			"PolicyDocument": document(),
			"PolicyName":     {Kind: cf.String, Required: true},
			"Roles":          cf.Strings(),
			"Users":          cf.Strings(),
		},
		Attributes: []string{"Id"},
		Create: func(ctx context.Context, e *cf.Env, want map[string]any) (cf.State, error) {
			id := e.Name(128)
			state := cf.State{ID: id, Attributes: map[string]any{"Id": id}}
			return state, givePolicy(ctx, e, nil, want)
		},
		Update: func(ctx context.Context, e *cf.Env, have cf.State, want map[string]any) (cf.State, error) {
			return have, givePolicy(ctx, e, have.Properties, want)
		},
		Delete: func(ctx context.Context, e *cf.Env, have cf.State) error {
			return givePolicy(ctx, e, have.Properties, nil)
		},
	}
}

// free refuses a policy for whom it is new and who have one of its name from
// elsewhere already.
func free(ctx context.Context, e *cf.Env, have, want map[string]any) error {
	renamed := !cf.Same(have, want, "PolicyName")
	for _, h := range holders() {
		has := cf.Texts(have, h.property)
		for _, name := range cf.Texts(want, h.property) {
			if !renamed && slices.Contains(has, name) {
				continue
			}
			if err := h.kind.lacks(ctx, e, name, cf.Text(want, "PolicyName")); err != nil {
				return err
			}
		}
	}
	return nil
}

// givePolicy takes the policy from those who are to have it no more, and gives
// it to those who lack it or have it in another form.
func givePolicy(ctx context.Context, e *cf.Env, have, want map[string]any) error {
	before, after := cf.Text(have, "PolicyName"), cf.Text(want, "PolicyName")
	if want != nil && !holds(want) {
		return invalid("At least one of [Groups,Roles,Users] must be non-empty.")
	}
	if err := free(ctx, e, have, want); err != nil {
		return err
	}
	kept := cf.Same(have, want, "PolicyName", "PolicyDocument")
	for _, h := range holders() {
		has, gets := cf.Texts(have, h.property), cf.Texts(want, h.property)
		for _, name := range has {
			if before != after || !slices.Contains(gets, name) {
				if err := h.kind.deleteInline(ctx, e, name, before); err != nil {
					return err
				}
			}
		}
		for _, name := range gets {
			if kept && slices.Contains(has, name) {
				continue
			}
			if err := h.kind.putInline(ctx, e, name, after, want["PolicyDocument"]); err != nil {
				return err
			}
		}
	}
	return nil
}

func holds(props map[string]any) bool {
	for _, h := range holders() {
		if len(cf.Texts(props, h.property)) > 0 {
			return true
		}
	}
	return false
}

// inlinePolicy is a policy of one identity: AWS::IAM::RolePolicy and its like.
func inlinePolicy(k kind) *cf.Type {
	name := string(k) + "Name"
	put := func(ctx context.Context, e *cf.Env, want map[string]any) (cf.State, error) {
		state := cf.State{ID: cf.Text(want, "PolicyName") + "|" + cf.Text(want, name)}
		return state, k.putInline(ctx, e, cf.Text(want, name), cf.Text(want, "PolicyName"), want["PolicyDocument"])
	}
	return &cf.Type{
		Name: "AWS::IAM::" + string(k) + "Policy",
		Properties: cf.Properties{
			name:             {Kind: cf.String, Required: true, Replace: true},
			"PolicyDocument": document(),
			"PolicyName":     {Kind: cf.String, Required: true, Replace: true},
		},
		Create: func(ctx context.Context, e *cf.Env, want map[string]any) (cf.State, error) {
			if err := k.lacks(ctx, e, cf.Text(want, name), cf.Text(want, "PolicyName")); err != nil {
				return cf.State{}, err
			}
			return put(ctx, e, want)
		},
		Update: func(ctx context.Context, e *cf.Env, _ cf.State, want map[string]any) (cf.State, error) {
			return put(ctx, e, want)
		},
		Delete: func(ctx context.Context, e *cf.Env, have cf.State) error {
			policy, identity, _ := strings.Cut(have.ID, "|")
			return k.deleteInline(ctx, e, identity, policy)
		},
	}
}
