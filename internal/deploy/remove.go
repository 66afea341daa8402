package deploy

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/seed-615d3599/roost/internal/assembly"
)

// Remove deletes the stacks, each before those that it depends on, and then
// from Roost's own bucket what nothing needs any more. Stacks that are not
// there get the status NotThere.
func (d *Deployer) Remove(ctx context.Context, stacks []*assembly.Stack) ([]Result, error) {
	work := graph{names: make([]string, len(stacks)), before: make([][]int, len(stacks))}
	for i, s := range stacks {
		work.names[i] = s.Name
		for k, other := range stacks {
			for _, id := range other.Dependencies {
				if id == s.ID {
					work.before[i] = append(work.before[i], k)
				}
			}
		}
	}
	results := work.run(NotRemoved, func(i int) Result { return d.removeStack(ctx, stacks[i].Name) })
	var gone []string
	removed := false
	for _, r := range results {
		if r.Status == Removed || r.Status == NotThere {
			gone = append(gone, r.Stack)
		}
		removed = removed || r.Status == Removed
	}
	if !removed {
		return results, nil
	}
	return results, d.tidyBucket(ctx, gone)
}

func (d *Deployer) removeStack(ctx context.Context, name string) Result {
	stack, err := d.describe(ctx, name)
	switch {
	case err != nil:
		return Result{Stack: name, Status: Failed, Err: err}
	case stack == nil:
		return Result{Stack: name, Status: NotThere}
	case aws.ToBool(stack.EnableTerminationProtection):
		return Result{Stack: name, Status: Failed, Err: &Error{Text: fmt.Sprintf("stack %s is protected from deletion", name),
			Remedy: "run \"aws cloudformation update-termination-protection --no-enable-termination-protection --stack-name " + name + "\""}}
	}
	d.print("%s: destroying...", name)
	if err := d.deleteStack(ctx, name, aws.ToString(stack.StackId)); err != nil {
		d.print("\n ❌  %s failed: %v\n", name, err)
		return Result{Stack: name, Status: Failed, Err: err}
	}
	d.print("\n ✅  %s\n", name)
	return Result{Stack: name, Status: Removed}
}

// deleteStack deletes a stack and follows its events to the end.
func (d *Deployer) deleteStack(ctx context.Context, name, id string) error {
	follow, err := d.follow(ctx, name, id)
	if err != nil {
		return err
	}
	if _, err := d.cfn.DeleteStack(ctx, &cloudformation.DeleteStackInput{StackName: &id}); err != nil {
		return describeError("delete the stack", err)
	}
	err = follow.untilDone(ctx)
	if err != nil && ctx.Err() == nil {
		return err
	}
	return errors.Join(err, ctx.Err())
}

// There returns those of the stacks that are in the region.
func (d *Deployer) There(ctx context.Context, stacks []*assembly.Stack) ([]*assembly.Stack, error) {
	var there []*assembly.Stack
	for _, s := range stacks {
		stack, err := d.describe(ctx, s.Name)
		if err != nil {
			return nil, err
		}
		if stack != nil {
			there = append(there, s)
		}
	}
	return there, nil
}

// Noted returns the stacks whose notes in Roost's own bucket name the Owner,
// with what they depend on. By it commands find a stage without an assembly, in
// a fresh clone say.
func (d *Deployer) Noted(ctx context.Context) ([]*assembly.Stack, error) {
	name := d.ownBucket()
	keys, err := d.listKeys(ctx, name)
	if absent(err) {
		return nil, nil
	}
	if err != nil {
		return nil, describeError("look into the bucket "+name, err)
	}
	noted, _ := splitKeys(keys)
	notes, err := d.notes(ctx, name, noted)
	if err != nil {
		return nil, err
	}
	var stacks []*assembly.Stack
	for _, stack := range slices.Sorted(maps.Keys(notes)) {
		if n := notes[stack]; n.Owner == d.cfg.Owner {
			stacks = append(stacks, &assembly.Stack{ID: stack, Name: stack, Dependencies: n.Dependencies})
		}
	}
	return stacks, nil
}
