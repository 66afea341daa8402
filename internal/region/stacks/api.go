package stacks

import (
	"context"
	"net/http"
	"slices"
	"time"

	"github.com/seed-615d3599/roost/internal/region/stacks/changesets"
	"github.com/seed-615d3599/roost/internal/region/stacks/engine"
	"github.com/seed-615d3599/roost/internal/region/stacks/limits"
	"github.com/seed-615d3599/roost/internal/region/stacks/plan"
	"github.com/seed-615d3599/roost/internal/region/stacks/preview"
	"github.com/seed-615d3599/roost/internal/region/stacks/records"
	"github.com/seed-615d3599/roost/internal/region/stacks/rights"
	"github.com/seed-615d3599/roost/internal/region/store"
	"github.com/seed-615d3599/roost/internal/region/wire"
)

// Service returns the operations of CloudFormation.
func (s *Stacks) Service() *wire.Service {
	return &wire.Service{
		Name: "cloudformation", Version: "2010-05-15", Protocol: wire.Query,
		Namespace:  "http://cloudformation.amazonaws.com/doc/2010-05-15/",
		Operations: slices.Concat(s.stackOperations(), s.changeSetOperations(), s.readOperations(), s.deleteOperations(), limits.Operations()),
	}
}

// CreateStackInput is the input of CreateStack.
type CreateStackInput struct {
	Definition
	limits.Policies
	ClientRequestToken          string
	OnFailure                   string
	DisableRollback             bool
	TimeoutInMinutes            *int
	EnableTerminationProtection bool
	RetainExceptOnCreate        bool
}

// UpdateStackInput is the input of UpdateStack.
type UpdateStackInput struct {
	Definition
	limits.Policies
	ClientRequestToken   string
	DisableRollback      bool
	RetainExceptOnCreate bool
}

// StackIDOutput is an output that names a stack.
type StackIDOutput struct {
	StackID string `json:"StackId"`
}

func (s *Stacks) stackOperations() []wire.Operation {
	return []wire.Operation{
		wire.Op("CreateStack", s.createStack, wire.Targets(func(_ *wire.Call, in *CreateStackInput) []wire.Target { return s.targets(in.Definition) })),
		wire.Op("UpdateStack", s.updateStack, wire.Targets(func(_ *wire.Call, in *UpdateStackInput) []wire.Target { return s.targets(in.Definition) })),
	}
}

func (s *Stacks) createStack(ctx context.Context, c *wire.Call, in *CreateStackInput) (*StackIDOutput, error) {
	if err := in.check(); err != nil {
		return nil, err
	}
	st, err := s.newStack(c, in.Definition)
	if err != nil {
		return nil, err
	}
	if old, err := s.engine.Find(ctx, st.Name); err == nil {
		return s.existing(old, in.ClientRequestToken)
	}
	p, err := s.prepare(ctx, c.Caller, in.Definition, st, false)
	if err != nil {
		return nil, err
	}
	st.OnFailure, st.Token, st.Protected, st.NewRetained = in.OnFailure, in.ClientRequestToken, in.EnableTerminationProtection, in.RetainExceptOnCreate
	if in.DisableRollback || in.DeploymentConfig.NoRollback() {
		st.OnFailure = "DO_NOTHING"
	}
	st.DisableRollback, st.Deployment = st.OnFailure == "DO_NOTHING", in.DeploymentConfig
	if in.TimeoutInMinutes != nil {
		st.TimeoutMinutes = *in.TimeoutInMinutes
	}
	var out *StackIDOutput
	err = s.config.DB.Update(ctx, func(_ context.Context, tx *store.Tx) (err error) {
		out = nil
		if old, err := records.Find(tx, st.Name); err == nil {
			out, err = s.existing(old, in.ClientRequestToken)
			return err
		}
		return s.engine.Begin(tx, st, p, "CREATE_IN_PROGRESS")
	})
	if err != nil || out != nil {
		return out, err
	}
	s.engine.Launch(st.ID, c.Caller, &engine.Hint{Prepared: p})
	return &StackIDOutput{StackID: st.ID}, nil
}

func (in *CreateStackInput) check() error {
	if in.OnFailure != "" && (in.DisableRollback || in.DeploymentConfig.NoRollback()) {
		return plan.Invalid("Either DisableRollback or OnFailure can be specified, not both.")
	}
	if in.TimeoutInMinutes != nil && *in.TimeoutInMinutes < 1 {
		return plan.Invalid("1 validation error detected: Value '%d' at 'timeoutInMinutes' failed to satisfy constraint: Member must have value greater than or equal to 1", *in.TimeoutInMinutes)
	}
	if err := limits.Enum("onFailure", in.OnFailure, "DELETE", "DO_NOTHING", "ROLLBACK"); err != nil {
		return err
	}
	if err := limits.Token(in.ClientRequestToken); err != nil {
		return err
	}
	return in.Policies.Refuse()
}

// existing answers a CreateStack for a name that is taken: a repeated call
// with the same token gets the same answer.
func (s *Stacks) existing(old *records.Stack, token string) (*StackIDOutput, error) {
	if token != "" && old.Token == token {
		return &StackIDOutput{StackID: old.ID}, nil
	}
	return nil, wire.Errorf(http.StatusBadRequest, "AlreadyExistsException", "Stack [%s] already exists", old.Name)
}

// newStack makes the record of a stack that is to be.
func (s *Stacks) newStack(c *wire.Call, d Definition) (*records.Stack, error) {
	if err := limits.Name("stackName", d.StackName); err != nil {
		return nil, err
	}
	id, err := s.engine.UUID()
	if err != nil {
		return nil, err
	}
	return &records.Stack{
		ID: s.engine.StackARN(d.StackName, id), Name: d.StackName, Created: s.config.Now().UTC().Truncate(time.Millisecond),
		RoleARN: d.RoleARN, OwnerARN: rights.Owner(c.Caller),
	}, nil
}

func (s *Stacks) updateStack(ctx context.Context, c *wire.Call, in *UpdateStackInput) (*StackIDOutput, error) {
	if err := limits.Token(in.ClientRequestToken); err != nil {
		return nil, err
	}
	if err := in.Policies.Refuse(); err != nil {
		return nil, err
	}
	before, err := s.engine.Find(ctx, in.StackName)
	if err != nil {
		return nil, err
	}
	if in.ClientRequestToken != "" && before.Token == in.ClientRequestToken {
		return &StackIDOutput{StackID: before.ID}, nil
	}
	if err := updatable(before); err != nil {
		return nil, err
	}
	p, err := s.prepare(ctx, c.Caller, in.Definition, before, false)
	if err != nil {
		return nil, err
	}
	seen, err := s.preview(ctx, c.Caller, before, p)
	if err != nil {
		return nil, err
	}
	if seen.Nothing(before, p) {
		return nil, plan.Invalid("No updates are to be performed.")
	}
	o := operation{
		token: in.ClientRequestToken, roleARN: in.RoleARN, deployment: in.DeploymentConfig,
		disableRollback: in.DisableRollback || in.DeploymentConfig.NoRollback(), newRetained: in.RetainExceptOnCreate,
	}
	return s.update(ctx, c, before, seen.Hint, o)
}

// operation is what an update has besides its definition.
type operation struct {
	token, roleARN, changeSet, onFailure string
	deployment                           *records.DeploymentConfig
	disableRollback, newRetained         bool
}

// mark notes on a stack who does what to it.
func (o operation) mark(c *wire.Call, st *records.Stack) {
	st.OwnerARN, st.Token, st.ChangeSetID = rights.Owner(c.Caller), o.token, o.changeSet
	st.DisableRollback, st.NewRetained, st.Deployment = o.disableRollback, o.newRetained, o.deployment
	if o.roleARN != "" {
		st.RoleARN = o.roleARN
	}
}

// update begins an update, if the stack is still what was looked at.
func (s *Stacks) update(ctx context.Context, c *wire.Call, before *records.Stack, hint *engine.Hint, o operation) (*StackIDOutput, error) {
	st, err := s.engine.Update(ctx, before.ID, func(tx *store.Tx, st *records.Stack) error {
		if err := updatable(st); err != nil {
			return err
		}
		if st.Tried != before.Tried || st.Status != before.Status {
			return overtaken(st)
		}
		o.mark(c, st)
		if o.changeSet != "" {
			if err := changesets.Executed(tx, st.ID, o.changeSet); err != nil {
				return err
			}
		}
		return s.engine.Begin(tx, st, hint.Prepared, "UPDATE_IN_PROGRESS")
	})
	if err != nil {
		return nil, err
	}
	s.engine.Launch(st.ID, c.Caller, hint)
	return &StackIDOutput{StackID: st.ID}, nil
}

// overtaken refuses what was decided about a stack that is not the same any more.
func overtaken(st *records.Stack) error {
	return plan.Invalid("Stack:%s was updated by another request meanwhile.", st.ID)
}

func updatable(st *records.Stack) error {
	if st.Updatable() && !st.Held {
		return nil
	}
	return plan.Invalid("Stack:%s is in %s state and can not be updated.", st.ID, st.Status)
}

// preview tells what an update, or the creation of a stack, would do.
func (s *Stacks) preview(ctx context.Context, caller *wire.Caller, st *records.Stack, p *plan.Prepared) (*preview.Answer, error) {
	have, err := s.engine.ResourcesOf(ctx, st)
	if err != nil {
		return nil, err
	}
	if err := p.Retype(have); err != nil {
		return nil, err
	}
	seen, err := preview.Of(ctx, s.engine, preview.Question{Caller: caller, Stack: st, Have: have, Prepared: p})
	if err != nil {
		return nil, plan.Validation(err)
	}
	return seen, nil
}
