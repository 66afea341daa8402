package stacks

import (
	"context"
	"net/http"
	"strings"

	"github.com/seed-615d3599/roost/internal/region/stacks/changesets"
	"github.com/seed-615d3599/roost/internal/region/stacks/limits"
	"github.com/seed-615d3599/roost/internal/region/stacks/plan"
	"github.com/seed-615d3599/roost/internal/region/stacks/records"
	"github.com/seed-615d3599/roost/internal/region/stacks/rights"
	"github.com/seed-615d3599/roost/internal/region/store"
	"github.com/seed-615d3599/roost/internal/region/wire"
)

// DeleteStackInput is the input of DeleteStack.
type DeleteStackInput struct {
	StackName          string `required:"true"`
	RetainResources    []string
	RoleARN            string
	ClientRequestToken string
	DeletionMode       string
	DeploymentConfig   *records.DeploymentConfig
}

// ContinueInput is the input of ContinueUpdateRollback.
type ContinueInput struct {
	StackName          string `required:"true"`
	ResourcesToSkip    []string
	RoleARN            string
	ClientRequestToken string
}

// ProtectionInput is the input of UpdateTerminationProtection.
type ProtectionInput struct {
	StackName                   string `required:"true"`
	EnableTerminationProtection bool
}

// SignalInput is the input of SignalResource.
type SignalInput struct {
	StackName         string `required:"true"`
	LogicalResourceID string `json:"LogicalResourceId" required:"true"`
	UniqueID          string `json:"UniqueId" required:"true"`
	Status            string `required:"true"`
}

// forceDelete is the DeletionMode that leaves what cannot be deleted.
const forceDelete = "FORCE_DELETE_STACK"

type nothing struct{}

func (s *Stacks) deleteOperations() []wire.Operation {
	return []wire.Operation{
		wire.Op("DeleteStack", s.deleteStack, wire.Targets(func(_ *wire.Call, in *DeleteStackInput) []wire.Target {
			return s.targets(Definition{StackName: in.StackName, RoleARN: in.RoleARN})
		})),
		wire.Op("ContinueUpdateRollback", s.continueUpdateRollback, wire.Targets(func(_ *wire.Call, in *ContinueInput) []wire.Target {
			return s.targets(Definition{StackName: in.StackName, RoleARN: in.RoleARN})
		})),
		wire.Op("UpdateTerminationProtection", s.protect, wire.On(func(_ *wire.Call, in *ProtectionInput) string { return s.arnFor(in.StackName) })),
		wire.Op("SignalResource", s.signal, wire.On(func(_ *wire.Call, in *SignalInput) string { return s.arnFor(in.StackName) })),
	}
}

func (s *Stacks) deleteStack(ctx context.Context, c *wire.Call, in *DeleteStackInput) (*nothing, error) {
	if err := limits.Enum("deletionMode", in.DeletionMode, "STANDARD", forceDelete); err != nil {
		return nil, err
	}
	if err := limits.Deployment(in.DeploymentConfig); err != nil {
		return nil, err
	}
	if err := limits.Token(in.ClientRequestToken); err != nil {
		return nil, err
	}
	st, err := s.engine.Find(ctx, in.StackName)
	if err != nil {
		if strings.HasPrefix(in.StackName, "arn:") {
			return nil, err
		}
		return &nothing{}, nil // deleting what is not there succeeds
	}
	st, err = s.engine.Update(ctx, st.ID, func(tx *store.Tx, st *records.Stack) error {
		if st.Status == "DELETE_COMPLETE" || st.Status == "DELETE_IN_PROGRESS" {
			return nil
		}
		if err := deletable(tx, st); err != nil {
			return err
		}
		if len(in.RetainResources) > 0 && st.Status != "DELETE_FAILED" {
			return plan.Invalid("Invalid operation on stack [%s]. RetainResources can only be specified for stacks in DELETE_FAILED state.", st.ID)
		}
		if in.DeletionMode == forceDelete && st.Status != "DELETE_FAILED" {
			return plan.Invalid("Invalid operation on stack [%s]. FORCE_DELETE_STACK can only be specified for stacks in DELETE_FAILED state.", st.ID)
		}
		st.OwnerARN, st.Token, st.Retain = rights.Owner(c.Caller), in.ClientRequestToken, in.RetainResources
		st.Force, st.NewRetained, st.Held = in.DeletionMode == forceDelete, false, false
		if in.RoleARN != "" {
			st.RoleARN = in.RoleARN
		}
		if err := changesets.Executed(tx, st.ID, ""); err != nil {
			return err
		}
		return s.engine.SetStatus(tx, st, "DELETE_IN_PROGRESS", "User Initiated")
	})
	if err != nil {
		return nil, err
	}
	if st.Status == "DELETE_IN_PROGRESS" {
		s.engine.Launch(st.ID, c.Caller, nil)
	}
	return &nothing{}, nil
}

// deletable refuses to delete a protected stack, or one whose exports are used.
func deletable(tx *store.Tx, st *records.Stack) error {
	protected := st
	if st.RootID != "" {
		root, err := records.Find(tx, st.RootID)
		if err == nil {
			protected = root
		}
	}
	if protected.Protected {
		return plan.Invalid("Stack [%s] cannot be deleted while TerminationProtection is enabled", st.Name)
	}
	if records.Active(st.Status) {
		return wire.Errorf(http.StatusBadRequest, "OperationInProgressException", "Stack [%s] cannot be deleted while in status %s", st.Name, st.Status)
	}
	return st.ExportsUnused(tx)
}

func (s *Stacks) continueUpdateRollback(ctx context.Context, c *wire.Call, in *ContinueInput) (*nothing, error) {
	if err := limits.Token(in.ClientRequestToken); err != nil {
		return nil, err
	}
	launch := false
	st, err := s.engine.Update(ctx, in.StackName, func(tx *store.Tx, st *records.Stack) error {
		if in.ClientRequestToken != "" && st.Token == in.ClientRequestToken {
			return nil // asked again
		}
		if st.Status != "UPDATE_ROLLBACK_FAILED" {
			return plan.Invalid("Stack:%s is in %s state and can not continue rollback.", st.ID, st.Status)
		}
		st.OwnerARN, st.Token = rights.Owner(c.Caller), in.ClientRequestToken
		if in.RoleARN != "" {
			st.RoleARN = in.RoleARN
		}
		for _, id := range in.ResourcesToSkip {
			if err := s.skipRollback(tx, st, id); err != nil {
				return err
			}
		}
		launch = true
		return s.engine.SetStatus(tx, st, "UPDATE_ROLLBACK_IN_PROGRESS", "User Initiated")
	})
	if err == nil && launch {
		s.engine.Launch(st.ID, c.Caller, nil)
	}
	return &nothing{}, err
}

// skipRollback takes a resource as brought back although it could not be. One of a
// nested stack is named behind that stack ("ContinueUpdateRollback",
// ResourcesToSkip: NestedStackName.ResourceLogicalID).
func (s *Stacks) skipRollback(tx *store.Tx, st *records.Stack, logicalID string) error {
	if name, inner, nested := strings.Cut(logicalID, "."); nested {
		child, err := records.Find(tx, name)
		if err != nil {
			return err
		}
		if child.RootID != st.ID && child.ParentID != st.ID {
			return plan.Invalid("ResourcesToSkip: stack [%s] is not nested in stack [%s]", child.Name, st.ID)
		}
		return s.skipRollback(tx, child, inner)
	}
	one := &records.Resource{}
	found, err := tx.Get(records.KindResource, st.ID+"/"+logicalID, one)
	if err != nil {
		return err
	}
	if !found || one.Status != "UPDATE_FAILED" {
		return plan.Invalid("ResourcesToSkip: %s does not belong to stack [%s] or is not in UPDATE_FAILED state", logicalID, st.ID)
	}
	one.Status, one.Reason, one.Restored = "UPDATE_COMPLETE", "Resource skipped during UpdateRollback", true
	if err := s.engine.Tell(tx, st, one); err != nil {
		return err
	}
	return one.Put(tx)
}

func (s *Stacks) protect(ctx context.Context, _ *wire.Call, in *ProtectionInput) (*StackIDOutput, error) {
	st, err := s.engine.Update(ctx, in.StackName, func(_ *store.Tx, st *records.Stack) error {
		if st.ParentID != "" {
			return plan.Invalid("Operation on nested stack [%s] is not allowed: its root stack has the termination protection", st.ID)
		}
		st.Protected = in.EnableTerminationProtection
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &StackIDOutput{StackID: st.ID}, nil
}

func (s *Stacks) signal(ctx context.Context, _ *wire.Call, in *SignalInput) (*nothing, error) {
	if err := limits.Enum("status", in.Status, "FAILURE", "SUCCESS"); err != nil {
		return nil, err
	}
	st, err := s.engine.Find(ctx, in.StackName)
	if err != nil {
		return nil, err
	}
	waits, err := s.answers.Signal(ctx, st.ID, in.LogicalResourceID, in.UniqueID, in.Status)
	if err != nil {
		return nil, err
	}
	if !waits {
		return nil, plan.Invalid("Resource %s of stack %s waits for no signal: it has no CreationPolicy, or is not being created", in.LogicalResourceID, st.Name)
	}
	return &nothing{}, nil
}
