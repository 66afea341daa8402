package deploy

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
	"github.com/seed-615d3599/roost/internal/assembly"
)

// Action is what a deployment does to a resource.
type Action string

// The actions. MayReplace is what CloudFormation calls a conditional
// replacement: it depends on a value that only the deployment will tell.
const (
	Add        Action = "add"
	Modify     Action = "change"
	Replace    Action = "replace"
	MayReplace Action = "may replace"
	Delete     Action = "remove"
)

// Change is what a deployment does to one resource.
type Change struct {
	Action   Action `json:"action"`
	ID       string `json:"id"`       // its logical id
	Type     string `json:"resource"` // AWS::IAM::Role
	Physical string `json:"physical,omitempty"`
	// Kept says that the old resource stays in the account, outside the stack.
	Kept       bool             `json:"kept,omitempty"`
	Properties []PropertyChange `json:"properties,omitempty"`
}

// PropertyChange is one property that changes. Values of secrets are "****".
type PropertyChange struct {
	Path   string `json:"path"` // /Properties/Policies/0
	Before string `json:"before,omitempty"`
	After  string `json:"after,omitempty"`
	// Replaces says that the change replaces the resource.
	Replaces bool `json:"replaces,omitempty"`
}

// Difference is what a deployment would do to one stack.
type Difference struct {
	Stack   string
	New     bool // the stack is not there yet
	Changes []Change
	Err     error // why it could not be worked out
}

// Diff asks the region what deploying the stacks would change, by a change set
// for each that is dropped again. Assets are not sent. A stack that needs what
// another one has yet to export has an error.
func (d *Deployer) Diff(ctx context.Context, stacks []*assembly.Stack) ([]Difference, error) {
	if err := d.checkEnvironments(stacks); err != nil {
		return nil, err
	}
	b, there, err := d.lookForBucket(ctx, stacks)
	if err != nil {
		return nil, err
	}
	var all []Difference
	for _, s := range stacks {
		p, err := d.plan(s)
		if err != nil {
			return nil, err
		}
		if text, err := p.Template(); !there && err == nil && len(text) > maxTemplateBody {
			if err := d.makeBucket(ctx, b.name); err != nil {
				return nil, err
			}
			there = true
		}
		all = append(all, d.diffStack(ctx, p, b))
	}
	return all, nil
}

// diffStack makes the change set of one stack, reads it and drops it.
func (d *Deployer) diffStack(ctx context.Context, p *plan, b bucket) Difference {
	diff := Difference{Stack: p.Name}
	stack, err := d.describe(ctx, p.Name)
	if err != nil {
		diff.Err = err
		return diff
	}
	if stack != nil && stack.StackStatus == types.StackStatusReviewInProgress {
		stack = nil
	}
	diff.New = stack == nil
	in, _, err := d.changeSet(ctx, p, b, stack)
	if err != nil {
		diff.Err = err
		return diff
	}
	made, err := d.cfn.CreateChangeSet(ctx, in)
	if err != nil {
		diff.Err = describeError("make the change set", err)
		return diff
	}
	empty, err := d.awaitChangeSet(ctx, made)
	if err == nil && !empty {
		diff.Changes, err = d.changes(ctx, made)
	}
	diff.Err = errors.Join(err, d.forget(ctx, made, diff.New))
	return diff
}

// forget drops a change set that was made to be read only.
func (d *Deployer) forget(ctx context.Context, made *cloudformation.CreateChangeSetOutput, created bool) error {
	ctx = context.WithoutCancel(ctx)
	_, err := d.cfn.DeleteChangeSet(ctx, &cloudformation.DeleteChangeSetInput{ChangeSetName: made.Id, StackName: made.StackId})
	if created {
		_, err = d.cfn.DeleteStack(ctx, &cloudformation.DeleteStackInput{StackName: made.StackId})
	}
	return describeError("remove the change set", err)
}

// changes reads a change set that is worked out.
func (d *Deployer) changes(ctx context.Context, made *cloudformation.CreateChangeSetOutput) ([]Change, error) {
	var all []Change
	in := &cloudformation.DescribeChangeSetInput{ChangeSetName: made.Id, StackName: made.StackId, IncludePropertyValues: aws.Bool(true)}
	for {
		set, err := d.cfn.DescribeChangeSet(ctx, in)
		if err != nil {
			return nil, describeError("read the change set", err)
		}
		for _, change := range set.Changes {
			if change.ResourceChange != nil {
				all = append(all, changeOf(change.ResourceChange))
			}
		}
		if in.NextToken = set.NextToken; in.NextToken == nil || *in.NextToken == "" {
			return all, nil
		}
	}
}

func changeOf(r *types.ResourceChange) Change {
	c := Change{
		ID: aws.ToString(r.LogicalResourceId), Type: aws.ToString(r.ResourceType), Physical: aws.ToString(r.PhysicalResourceId),
		Kept: strings.Contains(string(r.PolicyAction), "Retain"),
	}
	switch {
	case r.Action == types.ChangeActionAdd:
		c.Action = Add
	case r.Action == types.ChangeActionRemove:
		c.Action = Delete
	case r.Replacement == types.ReplacementTrue:
		c.Action = Replace
	case r.Replacement == types.ReplacementConditional:
		c.Action = MayReplace
	default:
		c.Action = Modify
	}
	for _, detail := range r.Details {
		if t := detail.Target; t != nil {
			path := aws.ToString(t.Path)
			if path == "" {
				path = strings.TrimSuffix("/"+string(t.Attribute)+"/"+aws.ToString(t.Name), "/")
			}
			c.Properties = append(c.Properties, PropertyChange{Path: path, Before: aws.ToString(t.BeforeValue), After: aws.ToString(t.AfterValue),
				Replaces: t.RequiresRecreation == types.RequiresRecreationAlways})
		}
	}
	return c
}

// IsAccess reports whether a change concerns who may do what.
func (c Change) IsAccess() bool {
	return strings.HasPrefix(c.Type, "AWS::IAM::") || strings.HasSuffix(c.Type, "Permission") || strings.HasSuffix(c.Type, "Policy") ||
		slices.Contains([]string{"AWS::Cognito::IdentityPoolRoleAttachment", "AWS::ApiGatewayV2::Authorizer"}, c.Type) ||
		slices.ContainsFunc(c.Properties, func(p PropertyChange) bool { return strings.HasPrefix(p.Path, "/Properties/Authoriz") })
}
