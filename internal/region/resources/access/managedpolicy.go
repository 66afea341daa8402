package access

import (
	"context"

	cf "github.com/seed-615d3599/roost/internal/region/resources"
)

// managedPolicyAttributes are those that GetAtt gives. The count of attachments
// and the like change with time; CloudFormation gives them too, and templates
// have no use for them.
func managedPolicyAttributes() []string {
	return []string{"PolicyArn", "PolicyId", "DefaultVersionId", "CreateDate", "UpdateDate", "IsAttachable"}
}

func managedPolicy() *cf.Type {
	return &cf.Type{
		Name: "AWS::IAM::ManagedPolicy",
		Properties: cf.Properties{
			"Description":       {Kind: cf.String, Replace: true},
			"Groups":            cf.Strings(),
			"ManagedPolicyName": {Kind: cf.String, Replace: true},
			"Path":              {Kind: cf.String, Replace: true},
			"PolicyDocument":    document(),
			"Roles":             cf.Strings(),
			"Users":             cf.Strings(),
		},
		Attributes: managedPolicyAttributes(),
		Create:     createManaged, Update: updateManaged, Delete: deleteManaged,
	}
}

func createManaged(ctx context.Context, e *cf.Env, want map[string]any) (cf.State, error) {
	text, err := cf.Document(want["PolicyDocument"])
	if err != nil {
		return cf.State{}, err
	}
	in := cf.Pick(want, "Path", "Description")
	in["PolicyName"], in["PolicyDocument"] = e.OrName(cf.Text(want, "ManagedPolicyName"), 128), text
	var out struct{ Policy map[string]any }
	if err := e.Call(ctx, "iam", "CreatePolicy", in, &out); err != nil {
		return cf.State{}, err
	}
	state := cf.State{ID: cf.Text(out.Policy, "Arn"), Attributes: cf.Pick(out.Policy, managedPolicyAttributes()...)}
	state.Attributes["PolicyArn"] = state.ID
	return state, attachManaged(ctx, e, state.ID, nil, want)
}

func attachManaged(ctx context.Context, e *cf.Env, arn string, have, want map[string]any) error {
	for _, h := range holders() {
		err := changeList(have, want, h.property,
			func(name string) error { return h.kind.attach(ctx, e, name, arn) },
			func(name string) error { return h.kind.detach(ctx, e, name, arn) })
		if err != nil {
			return err
		}
	}
	return nil
}

func updateManaged(ctx context.Context, e *cf.Env, have cf.State, want map[string]any) (cf.State, error) {
	if !cf.Same(have.Properties, want, "PolicyDocument") {
		text, err := cf.Document(want["PolicyDocument"])
		if err != nil {
			return have, err
		}
		// Of the five versions that IAM keeps, CloudFormation uses one.
		if err := dropVersions(ctx, e, have.ID); err != nil {
			return have, err
		}
		in := map[string]any{"PolicyArn": have.ID, "PolicyDocument": text, "SetAsDefault": true}
		if err := e.Call(ctx, "iam", "CreatePolicyVersion", in, nil); err != nil {
			return have, err
		}
	}
	return have, attachManaged(ctx, e, have.ID, have.Properties, want)
}

// dropVersions removes the versions of a policy that are not the default.
func dropVersions(ctx context.Context, e *cf.Env, arn string) error {
	var out struct {
		Versions []struct {
			VersionId        string
			IsDefaultVersion bool
		}
	}
	if err := e.Call(ctx, "iam", "ListPolicyVersions", map[string]any{"PolicyArn": arn}, &out); err != nil {
		return err
	}
	for _, v := range out.Versions {
		if v.IsDefaultVersion {
			continue
		}
		in := map[string]any{"PolicyArn": arn, "VersionId": v.VersionId}
		if err := cf.Gone(e.Call(ctx, "iam", "DeletePolicyVersion", in, nil)); err != nil {
			return err
		}
	}
	return nil
}

func deleteManaged(ctx context.Context, e *cf.Env, have cf.State) error {
	if err := attachManaged(ctx, e, have.ID, have.Properties, nil); err != nil {
		return err
	}
	if err := cf.Gone(dropVersions(ctx, e, have.ID)); err != nil {
		return err
	}
	return cf.Gone(e.Call(ctx, "iam", "DeletePolicy", map[string]any{"PolicyArn": have.ID}, nil))
}
