package stacks

import (
	"context"

	"github.com/seed-615d3599/roost/internal/region/stacks/changesets"
	"github.com/seed-615d3599/roost/internal/region/stacks/plan"
	"github.com/seed-615d3599/roost/internal/region/stacks/preview"
	"github.com/seed-615d3599/roost/internal/region/stacks/records"
	"github.com/seed-615d3599/roost/internal/region/wire"
)

// level is a stack as a change set would leave it.
type level struct {
	st      *records.Stack
	p       *plan.Prepared
	seen    *preview.Answer
	touched *int // resources of all stacks so far
}

// nestedSets makes the change sets of the nested stacks that a change set makes
// or updates, and of those within them (IncludeNestedStacks), and names them in
// its changes. A stack whose template or parameters depend on what is not there
// yet may have none.
func (s *Stacks) nestedSets(ctx context.Context, caller *wire.Caller, parent *changesets.Set, of level) ([]*changesets.Set, error) {
	var all []*changesets.Set
	for _, nested := range of.seen.Nested {
		change := &parent.Changes[nested.Index].ResourceChange
		set, below, err := s.nestedSet(ctx, caller, parent, of, nested)
		if err != nil {
			return nil, plan.Invalid("Nested stack %s: %s", change.LogicalResourceID, plan.Message(err))
		}
		if set != nil {
			change.ChangeSetID = set.ID
			all = append(append(all, set), below...)
		}
	}
	return all, nil
}

func (s *Stacks) nestedSet(ctx context.Context, caller *wire.Caller, parent *changesets.Set, of level, nested preview.Nested) (*changesets.Set, []*changesets.Set, error) {
	change := parent.Changes[nested.Index].ResourceChange
	child, err := s.nestedStack(ctx, of.st, change)
	if err != nil {
		return nil, nil, err
	}
	above := *of.st
	above.Capabilities = of.p.Capabilities
	if of.p.Tags != nil {
		above.Tags = of.p.Tags
	}
	props, known := preview.Settled(nested.Properties)
	p, err := s.engine.PrepareNested(ctx, caller, &above, child, props)
	if err != nil && !known {
		return nil, nil, nil
	}
	if err != nil {
		return nil, nil, err
	}
	*of.touched += len(p.Plan.Resources)
	if err := plan.MayTouch(*of.touched); err != nil {
		return nil, nil, err
	}
	seen, err := s.preview(ctx, caller, child, p)
	if err != nil || child.Revision > 0 && seen.Nothing(child, p) {
		return nil, nil, err
	}
	set, err := s.newSet(parent.Name+"-"+change.LogicalResourceID, child)
	if err != nil {
		return nil, nil, err
	}
	set.Body, set.Parameters, set.Tags, set.Topics, set.Capabilities = p.Body, p.Parameters, p.Tags, p.NotificationARNs, p.Capabilities
	set.Changes, set.Nested, set.ParentID, set.RootID = seen.Changes, true, parent.ID, parent.RootID
	if set.RootID == "" {
		set.RootID = parent.ID
	}
	below, err := s.nestedSets(ctx, caller, set, level{st: child, p: p, seen: seen, touched: of.touched})
	return set, below, err
}

// nestedStack is the nested stack that a change is about. One that is to be
// made gets another id then [?].
func (s *Stacks) nestedStack(ctx context.Context, parent *records.Stack, change preview.ResourceChange) (*records.Stack, error) {
	if change.Action == "Modify" && change.Replacement != "True" {
		return s.engine.Find(ctx, change.PhysicalResourceID)
	}
	id, err := s.engine.UUID()
	name := plan.PhysicalName(parent.Name, change.LogicalResourceID, id, 128)
	return &records.Stack{ID: s.engine.StackARN(name, id), Name: name, ParentID: parent.ID, Depth: parent.Depth + 1}, err
}
