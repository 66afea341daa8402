package stacks

import (
	"context"
	"net/http"
	"strings"

	"github.com/seed-615d3599/roost/internal/region/stacks/limits"
	"github.com/seed-615d3599/roost/internal/region/stacks/plan"
	"github.com/seed-615d3599/roost/internal/region/stacks/records"
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
	DeploymentConfig   DeploymentConfig
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

// whatever is the input of an operation that is refused whatever it is given.
type whatever struct{}

// UnmarshalText implements encoding.TextUnmarshaler, for the query protocol.
func (*whatever) UnmarshalText([]byte) error { return nil }

// UnmarshalJSON implements json.Unmarshaler, for calls within the process.
func (*whatever) UnmarshalJSON([]byte) error { return nil }

func refusedOperations() []wire.Operation {
	refused := map[string]string{
		"CancelUpdateStack":        "let the update end; it rolls back by itself if it fails",
		"RollbackStack":            "update the stack again, or delete it",
		"SetStackPolicy":           "stack policies are not enforced",
		"GetStackPolicy":           "stack policies are not enforced",
		"DetectStackDrift":         "nothing changes resources behind a stack's back here",
		"DetectStackResourceDrift": "nothing changes resources behind a stack's back here",
		"CreateStackSet":           "there is one account and one region",
		"CreateGeneratedTemplate":  "write the template instead",
		"EstimateTemplateCost":     "it costs nothing here",
		"RegisterType":             "the types are built in",
		"ActivateType":             "the types are built in",
		"CreateStackRefactor":      "let the stacks make their resources anew",
	}
	var operations []wire.Operation
	for _, name := range sortedKeys(refused) {
		operations = append(operations, wire.Op(name, func(context.Context, *wire.Call, *whatever) (*struct{}, error) {
			return nil, unsupported(name, refused[name])
		}))
	}
	return operations
}

func (s *Stacks) deleteStack(ctx context.Context, c *wire.Call, in *DeleteStackInput) (*nothing, error) {
	if err := limits.Enum("deletionMode", in.DeletionMode, "STANDARD", "FORCE_DELETE_STACK"); err != nil {
		return nil, err
	}
	if err := in.DeploymentConfig.refuse(); err != nil {
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
		if in.DeletionMode == "FORCE_DELETE_STACK" && st.Status != "DELETE_FAILED" {
			return plan.Invalid("Invalid operation on stack [%s]. FORCE_DELETE_STACK can only be specified for stacks in DELETE_FAILED state.", st.ID)
		}
		st.OwnerARN, st.Token, st.Retain = owner(c.Caller), in.ClientRequestToken, in.RetainResources
		st.Force, st.NewRetained, st.Held = in.DeletionMode == "FORCE_DELETE_STACK", false, false
		if in.RoleARN != "" {
			st.RoleARN = in.RoleARN
		}
		if err := dropChangeSets(tx, st.ID, ""); err != nil {
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
	for _, o := range st.Outputs {
		if o.Export == "" {
			continue
		}
		users, err := records.Importers(tx, o.Export)
		if err != nil {
			return err
		}
		if len(users) > 0 {
			return plan.Invalid("Export %s cannot be deleted as it is in use by %s", o.Export, strings.Join(users, ", "))
		}
	}
	return nil
}

func (s *Stacks) continueUpdateRollback(ctx context.Context, c *wire.Call, in *ContinueInput) (*nothing, error) {
	if err := limits.Token(in.ClientRequestToken); err != nil {
		return nil, err
	}
	st, err := s.engine.Update(ctx, in.StackName, func(tx *store.Tx, st *records.Stack) error {
		if st.Status != "UPDATE_ROLLBACK_FAILED" {
			return plan.Invalid("Stack:%s is in %s state and can not continue rollback.", st.ID, st.Status)
		}
		st.OwnerARN, st.Token = owner(c.Caller), in.ClientRequestToken
		if in.RoleARN != "" {
			st.RoleARN = in.RoleARN
		}
		for _, id := range in.ResourcesToSkip {
			if err := skipRollback(tx, st, id); err != nil {
				return err
			}
		}
		return s.engine.SetStatus(tx, st, "UPDATE_ROLLBACK_IN_PROGRESS", "User Initiated")
	})
	if err != nil {
		return nil, err
	}
	s.engine.Launch(st.ID, c.Caller, nil)
	return &nothing{}, nil
}

// skipRollback takes a resource as brought back although it could not be.
func skipRollback(tx *store.Tx, st *records.Stack, logicalID string) error {
	one := &records.Resource{}
	found, err := tx.Get(records.KindResource, st.ID+"/"+logicalID, one)
	if err != nil {
		return err
	}
	if !found || one.Status != "UPDATE_FAILED" {
		return plan.Invalid("ResourcesToSkip: %s does not belong to stack [%s] or is not in UPDATE_FAILED state", logicalID, st.ID)
	}
	one.Status, one.Reason, one.Restored = "UPDATE_COMPLETE", "", true
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
