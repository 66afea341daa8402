package deploy

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
)

// maxTemplateBody is the size in bytes from which on a template has to come
// from S3.
// https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html
const maxTemplateBody = 51200

// deployStack brings one stack to where its template says.
func (d *Deployer) deployStack(ctx context.Context, p *plan, b bucket) Result {
	result := Result{Stack: p.Name, Status: Deployed}
	d.print("%s%s", p.Name, deploying)
	changed, err := d.applyStack(ctx, p, b)
	if err == nil && p.TerminationProtection {
		err = d.protect(ctx, p.Name)
	}
	if err != nil {
		result.Status, result.Err = Failed, err
		d.print("\n ❌  %s failed: %v\n", p.Name, err)
		return result
	}
	if !changed {
		result.Status = NoChanges
	}
	d.print("%s", finished(p.Name, changed))
	if err := d.describeOutputs(ctx, &result); err != nil {
		result.Status, result.Err = Failed, err
	}
	return result
}

// applyStack makes a change set and carries it out, unless it is empty.
func (d *Deployer) applyStack(ctx context.Context, p *plan, b bucket) (changed bool, err error) {
	stack, err := d.ready(ctx, p.Name)
	if err != nil {
		return false, err
	}
	made, empty, err := d.prepare(ctx, p, b, stack)
	if made == nil {
		return false, err
	}
	if err == nil && !empty {
		err = p.sent()
	}
	if err != nil || empty {
		return false, d.dropChangeSet(ctx, made, stack == nil, err)
	}
	p.changed = true
	follow, err := d.follow(ctx, p.Name, aws.ToString(made.StackId))
	if err != nil {
		return false, err
	}
	_, err = d.cfn.ExecuteChangeSet(ctx, &cloudformation.ExecuteChangeSetInput{ChangeSetName: made.Id})
	if err != nil {
		return false, describeError("carry out the change set", err)
	}
	return true, follow.untilDone(ctx)
}

// prepare makes the change set of a stack, or takes the one that guarded it where
// that still holds, and returns it even with an error once it is made. empty says
// that there is nothing to change.
func (d *Deployer) prepare(ctx context.Context, p *plan, b bucket, stack *types.Stack) (made *cloudformation.CreateChangeSetOutput, empty bool, err error) {
	// The note comes first, so that no other removal takes the assets away
	// between here and the end.
	if f := p.foreseen; f.holds(stack, p.after) {
		if err := d.writeNote(ctx, b, p.Name, f.noted); err != nil {
			return nil, false, err
		}
		p.foreseen = nil
		return f.made, f.empty, nil
	}
	d.dismiss(ctx, p)
	in, noted, err := d.changeSet(ctx, p, b, stack)
	if err != nil {
		return nil, false, err
	}
	if err := d.writeNote(ctx, b, p.Name, noted); err != nil {
		return nil, false, err
	}
	if made, err = d.cfn.CreateChangeSet(ctx, in); err != nil {
		return nil, false, describeError("make the change set", err)
	}
	empty, err = d.awaitChangeSet(ctx, made)
	if err == nil && !empty && stack != nil {
		err = d.guarded(ctx, p, made)
	}
	return made, empty, err
}

// ready waits until nothing is under way on a stack, and removes what is left
// of one whose creation has failed. It returns nil where there is no stack.
func (d *Deployer) ready(ctx context.Context, name string) (*types.Stack, error) {
	stack, err := d.describe(ctx, name)
	if err != nil || stack == nil {
		return nil, err
	}
	if strings.HasSuffix(string(stack.StackStatus), "_IN_PROGRESS") && stack.StackStatus != types.StackStatusReviewInProgress {
		d.print("%s: another operation is under way (%s), waiting for its end...", name, stack.StackStatus)
		follow, err := d.follow(ctx, name, aws.ToString(stack.StackId))
		if err != nil {
			return nil, err
		}
		if err := follow.untilDone(ctx); err != nil && ctx.Err() != nil {
			return nil, err
		}
		if stack, err = d.describe(ctx, name); err != nil || stack == nil {
			return nil, err
		}
	}
	switch stack.StackStatus {
	case types.StackStatusReviewInProgress:
		return nil, nil
	case types.StackStatusRollbackComplete, types.StackStatusRollbackFailed, types.StackStatusDeleteFailed:
		d.print("%s: removing what an earlier failure has left (%s)", name, stack.StackStatus)
		return nil, d.deleteStack(ctx, name, aws.ToString(stack.StackId))
	case types.StackStatusUpdateRollbackFailed:
		return nil, &Error{Text: fmt.Sprintf("stack %s could not be rolled back earlier", name),
			Remedy: "mend what its last event names, and run \"aws cloudformation continue-update-rollback --stack-name " + name + "\""}
	}
	return stack, nil
}

// describe returns a stack by name or id, or nil where there is none.
func (d *Deployer) describe(ctx context.Context, name string) (*types.Stack, error) {
	out, err := d.cfn.DescribeStacks(ctx, &cloudformation.DescribeStacksInput{StackName: &name})
	if notThere(err) {
		return nil, nil
	}
	if err != nil {
		return nil, describeError("look for the stack "+name, err)
	}
	if len(out.Stacks) == 0 || out.Stacks[0].StackStatus == types.StackStatusDeleteComplete {
		return nil, nil
	}
	return &out.Stacks[0], nil
}

// changeSet is the request for a stack's change set. The note says which
// objects it rests on.
func (d *Deployer) changeSet(ctx context.Context, p *plan, b bucket, stack *types.Stack) (*cloudformation.CreateChangeSetInput, note, error) {
	text, err := d.template(p, b)
	if err != nil {
		return nil, note{}, fmt.Errorf("read the template of %s: %w", p.Name, err)
	}
	in := &cloudformation.CreateChangeSetInput{
		StackName:        &p.Name,
		ChangeSetName:    aws.String(fmt.Sprintf("roost-%d", d.cfg.Now().UnixNano())),
		ChangeSetType:    types.ChangeSetTypeCreate,
		Tags:             p.tags,
		NotificationARNs: p.NotificationARNs,
		Capabilities: []types.Capability{types.CapabilityCapabilityIam,
			types.CapabilityCapabilityNamedIam, types.CapabilityCapabilityAutoExpand},
	}
	var known []types.Parameter
	if stack != nil {
		in.ChangeSetType, known = types.ChangeSetTypeUpdate, stack.Parameters
	}
	if in.Parameters, err = parameters(d.withAssets(p, b), text, known); err != nil {
		return nil, note{}, err
	}
	noted := note{Owner: d.cfg.Owner}
	for _, other := range p.after {
		noted.Dependencies = append(noted.Dependencies, other.Name)
	}
	for _, a := range p.Assets {
		_, key := d.location(b, a)
		noted.Keys = append(noted.Keys, key)
	}
	if len(text) <= maxTemplateBody {
		in.TemplateBody = aws.String(string(text))
		return in, noted, nil
	}
	key, url, err := d.uploadTemplate(ctx, b, text)
	in.TemplateURL = &url
	noted.Keys = append(noted.Keys, key)
	return in, noted, err
}

// awaitChangeSet waits until a change set is worked out. empty says that there
// is nothing to change.
func (d *Deployer) awaitChangeSet(ctx context.Context, made *cloudformation.CreateChangeSetOutput) (empty bool, err error) {
	wait := d.backoff()
	for {
		set, err := d.cfn.DescribeChangeSet(ctx, &cloudformation.DescribeChangeSetInput{ChangeSetName: made.Id, StackName: made.StackId})
		if err != nil {
			return false, describeError("look at the change set", err)
		}
		switch set.Status {
		case types.ChangeSetStatusCreateComplete:
			return false, nil
		case types.ChangeSetStatusFailed:
			reason := aws.ToString(set.StatusReason)
			if isEmptyReason(reason) {
				return true, nil
			}
			return false, errors.New(cmp.Or(reason, "the change set failed without a reason"))
		}
		if err := wait(ctx); err != nil {
			return false, err
		}
	}
}

// isEmptyReason recognizes the two ways in which CloudFormation says that a
// change set is empty.
func isEmptyReason(reason string) bool {
	return strings.Contains(reason, "The submitted information didn't contain changes.") ||
		strings.Contains(reason, "No updates are to be performed")
}

// dropChangeSet removes a change set that is not carried out, and the empty
// stack that a change set for a new one leaves. It returns the cause.
func (d *Deployer) dropChangeSet(ctx context.Context, made *cloudformation.CreateChangeSetOutput, created bool, cause error) error {
	if ctx.Err() != nil {
		return cause
	}
	_, err := d.cfn.DeleteChangeSet(ctx, &cloudformation.DeleteChangeSetInput{ChangeSetName: made.Id, StackName: made.StackId})
	if created {
		_, err = d.cfn.DeleteStack(ctx, &cloudformation.DeleteStackInput{StackName: made.StackId})
		if cause == nil {
			cause = errors.New("the template has no resources")
		}
	}
	if cause == nil {
		return describeError("remove the empty change set", err)
	}
	return cause
}

// protect turns termination protection on.
func (d *Deployer) protect(ctx context.Context, name string) error {
	_, err := d.cfn.UpdateTerminationProtection(ctx, &cloudformation.UpdateTerminationProtectionInput{
		StackName: &name, EnableTerminationProtection: aws.Bool(true)})
	return describeError("protect the stack from deletion", err)
}

// describeOutputs fills in a result's outputs and exports.
func (d *Deployer) describeOutputs(ctx context.Context, r *Result) error {
	stack, err := d.describe(ctx, r.Stack)
	if err != nil || stack == nil {
		return err
	}
	for _, o := range stack.Outputs {
		r.Outputs = append(r.Outputs, Pair{aws.ToString(o.OutputKey), aws.ToString(o.OutputValue)})
		if name := aws.ToString(o.ExportName); name != "" {
			r.Exports = append(r.Exports, Pair{name, aws.ToString(o.OutputValue)})
		}
	}
	byName := func(a, b Pair) int { return cmp.Compare(a.Name, b.Name) }
	slices.SortFunc(r.Outputs, byName)
	slices.SortFunc(r.Exports, byName)
	return nil
}

// Physical returns the physical ids of a stack's resources of one type, such as
// AWS::ApiGatewayV2::Api.
func (d *Deployer) Physical(ctx context.Context, stack, resourceType string) ([]string, error) {
	var ids []string
	pages := cloudformation.NewListStackResourcesPaginator(d.cfn, &cloudformation.ListStackResourcesInput{StackName: &stack})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, describeError("list the resources of "+stack, err)
		}
		for _, r := range page.StackResourceSummaries {
			if aws.ToString(r.ResourceType) == resourceType && aws.ToString(r.PhysicalResourceId) != "" {
				ids = append(ids, aws.ToString(r.PhysicalResourceId))
			}
		}
	}
	return ids, nil
}
