package deploy

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
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
			if stack, err := d.describe(ctx, p.Name); err == nil && stack != nil {
				found[i] = d.losses(p, d.diffStack(ctx, p, b).Changes)
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
