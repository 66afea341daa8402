// Package access holds CloudFormation's resource types of IAM.
//
// A user, a role or a group owns its inline policies and its attachments only
// as far as its own resource says so: what other resources of the stack gave it
// (AWS::IAM::Policy, AWS::IAM::ManagedPolicy) stays untouched by its updates.
package access

import (
	"context"
	"fmt"
	"maps"
	"slices"

	cf "github.com/seed-615d3599/roost/internal/region/resources"
)

// Types returns the types of AWS::IAM.
func Types() []*cf.Type {
	return []*cf.Type{
		role(), user(), group(), policy(), managedPolicy(), accessKey(), userToGroupAddition(),
		inlinePolicy("User"), inlinePolicy("Role"), inlinePolicy("Group"), oidcProvider(),
		cf.RefusedType("AWS::IAM::InstanceProfile", "there are no EC2 instances here; give the role to a function instead"),
		cf.RefusedType("AWS::IAM::ServiceLinkedRole", "no service of the embedded region needs one; leave it out, for example by a condition"),
		cf.RefusedType("AWS::IAM::SAMLProvider", "sign-in with SAML is not verified here; use an OpenID Connect provider"),
		cf.RefusedType("AWS::IAM::ServerCertificate", "the embedded region has certificates of its own; leave it out, for example by a condition"),
		cf.RefusedType("AWS::IAM::VirtualMFADevice", "there are no MFA devices here; leave it out, for example by a condition"),
	}
}

// A kind is "User", "Role" or "Group": IAM's operations have it in their names.
type kind string

// call calls the operation that a pattern names, such as "Put%sPolicy".
func (k kind) call(ctx context.Context, e *cf.Env, pattern, name string, members map[string]any) error {
	in := map[string]any{string(k) + "Name": name}
	maps.Copy(in, members)
	return e.Call(ctx, "iam", fmt.Sprintf(pattern, k), in, nil)
}

// document is a policy document, or another JSON document of IAM.
func document() cf.Property { return cf.Property{Kind: cf.JSON, Required: true} }

// policies is the property that holds inline policies.
func policies() cf.Property {
	return cf.Objects(cf.Properties{"PolicyName": {Kind: cf.String, Required: true}, "PolicyDocument": document()})
}

// putInline sets an inline policy.
func (k kind) putInline(ctx context.Context, e *cf.Env, name, policy string, doc any) error {
	text, err := cf.Document(doc)
	if err != nil {
		return err
	}
	return k.call(ctx, e, "Put%sPolicy", name, map[string]any{"PolicyName": policy, "PolicyDocument": text})
}

// lacks refuses an inline policy of a name that the identity has already.
func (k kind) lacks(ctx context.Context, e *cf.Env, name, policy string) error {
	read := k.call(ctx, e, "Get%sPolicy", name, map[string]any{"PolicyName": policy})
	return e.Free(policy+"|"+name, read)
}

func (k kind) deleteInline(ctx context.Context, e *cf.Env, name, policy string) error {
	return cf.Gone(k.call(ctx, e, "Delete%sPolicy", name, map[string]any{"PolicyName": policy}))
}

func (k kind) attach(ctx context.Context, e *cf.Env, name, arn string) error {
	return k.call(ctx, e, "Attach%sPolicy", name, map[string]any{"PolicyArn": arn})
}

func (k kind) detach(ctx context.Context, e *cf.Env, name, arn string) error {
	return cf.Gone(k.call(ctx, e, "Detach%sPolicy", name, map[string]any{"PolicyArn": arn}))
}

// bring gives an identity the inline and managed policies that want has in
// place of those of have.
func (k kind) bring(ctx context.Context, e *cf.Env, name string, have, want map[string]any) error {
	before, after := inlineOf(have), inlineOf(want)
	for _, policy := range cf.Children(have, "Policies") {
		if _, ok := after[cf.Text(policy, "PolicyName")]; !ok {
			if err := k.deleteInline(ctx, e, name, cf.Text(policy, "PolicyName")); err != nil {
				return err
			}
		}
	}
	for _, policy := range cf.Children(want, "Policies") {
		if cf.Same(before, after, cf.Text(policy, "PolicyName")) {
			continue
		}
		if err := k.putInline(ctx, e, name, cf.Text(policy, "PolicyName"), policy["PolicyDocument"]); err != nil {
			return err
		}
	}
	return changeList(have, want, "ManagedPolicyArns",
		func(arn string) error { return k.attach(ctx, e, name, arn) },
		func(arn string) error { return k.detach(ctx, e, name, arn) })
}

// inlineOf returns the inline policies of a resource by name.
func inlineOf(props map[string]any) map[string]any {
	documents := map[string]any{}
	for _, policy := range cf.Children(props, "Policies") {
		documents[cf.Text(policy, "PolicyName")] = policy["PolicyDocument"]
	}
	return documents
}

// changeList takes away what a list does not have any more, and then adds what
// is new in it.
func changeList(have, want map[string]any, property string, add, remove func(string) error) error {
	before, after := cf.Texts(have, property), cf.Texts(want, property)
	for _, item := range before {
		if !slices.Contains(after, item) {
			if err := remove(item); err != nil {
				return err
			}
		}
	}
	for _, item := range after {
		if !slices.Contains(before, item) {
			if err := add(item); err != nil {
				return err
			}
		}
	}
	return nil
}

// retag brings the tags of a user or a role up to date.
func (k kind) retag(ctx context.Context, e *cf.Env, name string, have, want map[string]any) error {
	set, unset := cf.TagChanges(have["Tags"], want["Tags"])
	if len(set) > 0 {
		if err := k.call(ctx, e, "Tag%s", name, map[string]any{"Tags": cf.TagList(set)}); err != nil {
			return err
		}
	}
	if len(unset) > 0 {
		return k.call(ctx, e, "Untag%s", name, map[string]any{"TagKeys": unset})
	}
	return nil
}

// rebound brings the permissions boundary of a user or a role up to date.
func (k kind) rebound(ctx context.Context, e *cf.Env, name string, have, want map[string]any) error {
	if cf.Same(have, want, "PermissionsBoundary") {
		return nil
	}
	if arn := cf.Text(want, "PermissionsBoundary"); arn != "" {
		return k.call(ctx, e, "Put%sPermissionsBoundary", name, map[string]any{"PermissionsBoundary": arn})
	}
	return k.call(ctx, e, "Delete%sPermissionsBoundary", name, nil)
}

// remove deletes an identity with all that its resource gave it.
func (k kind) remove(ctx context.Context, e *cf.Env, have cf.State) error {
	if err := k.bring(ctx, e, have.ID, have.Properties, nil); err != nil {
		return err
	}
	return cf.Gone(k.call(ctx, e, "Delete%s", have.ID, nil))
}
