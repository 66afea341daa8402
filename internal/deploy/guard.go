package deploy

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
)

// holdsIdentities are the types whose resources people's identities live in:
// with them everybody's data loses its owner.
func holdsIdentities(typeName string) bool {
	return typeName == "AWS::Cognito::IdentityPool" || typeName == "AWS::Cognito::UserPool"
}

// loss is a resource that a deployment would lose and that cannot be made again.
type loss struct {
	Change
	why string
	of  string // " of " and its stack, where several are deployed
}

// losses are those of a stack's changes, without what is allowed by name.
func (d *Deployer) losses(p *plan, changes []Change) []loss {
	var all []loss
	for _, c := range changes {
		switch {
		case c.Action == Add || c.Action == Modify || slices.Contains(d.cfg.AllowReplace, c.ID):
		case holdsIdentities(c.Type):
			all = append(all, loss{Change: c, why: "and with it everybody's identity"})
		case c.Kept || p.retains(c.ID):
			all = append(all, loss{Change: c, why: "which is marked Retain"})
		}
	}
	return all
}

// refuse is the error for losses, which are said together; nil if there are none.
func refuse(all []loss) error {
	if len(all) == 0 {
		return nil
	}
	var lost, names []string
	for _, l := range all {
		lost = append(lost, fmt.Sprintf("%s %s (%s)%s, %s", l.Action, l.ID, l.Type, l.of, l.why))
		if name := "--allow-replace " + l.ID; !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return &Error{Text: "the deployment was stopped before anything changed: it would " + strings.Join(lost, "; "),
		Remedy: "undo the edit that asks for it (\"roost diff\" tells which property), or say that you mean it: " + strings.Join(names, " ")}
}

// guarded reads a change set and refuses it if it would lose too much.
func (d *Deployer) guarded(ctx context.Context, p *plan, made *cloudformation.CreateChangeSetOutput) error {
	changes, err := d.changes(ctx, made)
	if err != nil {
		return err
	}
	return refuse(d.losses(p, changes))
}

// foreseen is a change set that was made to guard a deployment, and that serves to
// carry it out where nothing has changed since.
type foreseen struct {
	made  *cloudformation.CreateChangeSetOutput
	noted note
	stack *types.Stack // as it was
	empty bool
}

// foresee makes the change set of a stack that is there, and returns what it would
// change. One that cannot be worked out yet is none.
func (d *Deployer) foresee(ctx context.Context, p *plan, b bucket, stack *types.Stack) []Change {
	in, noted, err := d.changeSet(ctx, p, b, stack)
	if err != nil {
		return nil
	}
	made, err := d.cfn.CreateChangeSet(ctx, in)
	if err != nil {
		return nil
	}
	p.foreseen = &foreseen{made: made, noted: noted, stack: stack}
	var changes []Change
	if p.foreseen.empty, err = d.awaitChangeSet(ctx, made); err == nil && !p.foreseen.empty {
		changes, err = d.changes(ctx, made)
	}
	if err != nil {
		d.dismiss(ctx, p)
	}
	return changes
}

// dismiss drops the change set that guarded a stack, if it has not served.
func (d *Deployer) dismiss(ctx context.Context, p *plan) {
	if p.foreseen != nil {
		_ = d.forget(ctx, p.foreseen.made, false) // it does no harm where it stays
		p.foreseen = nil
	}
}

// holds reports whether a change set still is what a deployment would make: the
// stack is as it was, and so are those whose exports it may use.
func (f *foreseen) holds(stack *types.Stack, before []*plan) bool {
	return f != nil && stack != nil && aws.ToString(stack.StackId) == aws.ToString(f.stack.StackId) &&
		stack.StackStatus == f.stack.StackStatus && aws.ToTime(stack.LastUpdatedTime).Equal(aws.ToTime(f.stack.LastUpdatedTime)) &&
		!slices.ContainsFunc(before, func(p *plan) bool { return p.changed })
}

// guardAll refuses a deployment of several stacks before the first of them
// changes, and names what would be lost in all of them. A stack alone is guarded
// by the change set that it is deployed by; so is one whose changes cannot be
// worked out yet, because it needs what another one has yet to export.
func (d *Deployer) guardAll(ctx context.Context, plans []*plan, b bucket) error {
	if len(plans) < 2 {
		return nil
	}
	found := make([][]loss, len(plans))
	var asking sync.WaitGroup
	for i, p := range plans {
		asking.Go(func() {
			if stack, err := d.describe(ctx, p.Name); err == nil && stack != nil && stack.StackStatus != types.StackStatusReviewInProgress {
				found[i] = d.losses(p, d.foresee(ctx, p, b, stack))
			}
		})
	}
	asking.Wait()
	var all []loss
	for i, losses := range found {
		for _, l := range losses {
			l.of = " of " + plans[i].Name
			all = append(all, l)
		}
	}
	return refuse(all)
}
