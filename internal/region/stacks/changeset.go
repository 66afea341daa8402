package stacks

import (
	"context"
	"net/http"
	"slices"

	"github.com/seed-615d3599/roost/internal/region/stacks/changesets"
	"github.com/seed-615d3599/roost/internal/region/stacks/engine"
	"github.com/seed-615d3599/roost/internal/region/stacks/limits"
	"github.com/seed-615d3599/roost/internal/region/stacks/plan"
	"github.com/seed-615d3599/roost/internal/region/stacks/preview"
	"github.com/seed-615d3599/roost/internal/region/stacks/records"
	"github.com/seed-615d3599/roost/internal/region/store"
	"github.com/seed-615d3599/roost/internal/region/wire"
)

// CreateChangeSetInput is the input of CreateChangeSet.
type CreateChangeSetInput struct {
	Definition
	ChangeSetName       string `required:"true"`
	ChangeSetType       string
	Description         string
	ClientToken         string
	IncludeNestedStacks bool
	OnStackFailure      string
	// ImportExistingResources is taken because cdk bootstrap asks for it. Nothing
	// is imported: a resource that is there already makes the deployment fail.
	ImportExistingResources bool
	ResourcesToImport       []struct {
		ResourceType       string
		LogicalResourceID  string `json:"LogicalResourceId"`
		ResourceIdentifier map[string]string
	}
	DeploymentMode string
}

// CreateChangeSetOutput is the output of CreateChangeSet.
type CreateChangeSetOutput struct {
	ID      string `json:"Id"`
	StackID string `json:"StackId"`
}

// ChangeSetInput names a change set.
type ChangeSetInput struct {
	ChangeSetName         string `required:"true"`
	StackName             string
	NextToken             string
	IncludePropertyValues bool
	ClientRequestToken    string
	DisableRollback       *bool
	RetainExceptOnCreate  bool
}

// DescribeChangeSetOutput is the output of DescribeChangeSet.
type DescribeChangeSetOutput struct {
	ChangeSetName           string
	ChangeSetID             string `json:"ChangeSetId"`
	StackID                 string `json:"StackId"`
	StackName               string
	Description             string `json:",omitempty"`
	Parameters              []Parameter
	CreationTime            wire.Time
	ExecutionStatus         string
	Status                  string
	StatusReason            string `json:",omitempty"`
	Capabilities            []string
	Tags                    []Tag
	Changes                 []preview.Change
	NotificationARNs        []string
	OnStackFailure          string                    `json:",omitempty"`
	DeploymentConfig        *records.DeploymentConfig `json:",omitempty"`
	ParentChangeSetID       string                    `json:"ParentChangeSetId,omitempty"`
	RootChangeSetID         string                    `json:"RootChangeSetId,omitempty"`
	NextToken               string                    `json:",omitempty"`
	ImportExistingResources bool
	IncludeNestedStacks     bool
	RollbackConfiguration   limits.RollbackConfiguration
}

// ChangeSetSummary is an entry of ListChangeSets.
type ChangeSetSummary struct {
	StackID                 string `json:"StackId"`
	StackName               string
	ChangeSetID             string `json:"ChangeSetId"`
	ChangeSetName           string
	ExecutionStatus         string
	Status                  string
	StatusReason            string `json:",omitempty"`
	CreationTime            wire.Time
	Description             string `json:",omitempty"`
	IncludeNestedStacks     bool
	ImportExistingResources bool
	ParentChangeSetID       string `json:"ParentChangeSetId,omitempty"`
	RootChangeSetID         string `json:"RootChangeSetId,omitempty"`
}

// ListChangeSetsOutput is the output of ListChangeSets.
type ListChangeSetsOutput struct {
	Summaries []ChangeSetSummary
	NextToken string `json:",omitempty"`
}

// nothingToChange is what CloudFormation says of a change set without changes;
// tools look for its beginning.
const nothingToChange = "The submitted information didn't contain changes. Submit different information to create a change set."

func (s *Stacks) changeSetOperations() []wire.Operation {
	on := wire.Targets(func(_ *wire.Call, in *ChangeSetInput) []wire.Target {
		return []wire.Target{{Resource: s.changeSetStack(in), Context: map[string][]string{"cloudformation:ChangeSetName": {in.ChangeSetName}}}}
	})
	return []wire.Operation{
		wire.Op("CreateChangeSet", s.createChangeSet, wire.Targets(func(_ *wire.Call, in *CreateChangeSetInput) []wire.Target {
			targets := s.targets(in.Definition)
			targets[0].Context["cloudformation:ChangeSetName"] = []string{in.ChangeSetName}
			return targets
		})),
		wire.Op("DescribeChangeSet", s.describeChangeSet, on),
		wire.Op("ExecuteChangeSet", s.executeChangeSet, on),
		wire.Op("DeleteChangeSet", s.deleteChangeSet, on),
		wire.Op("ListChangeSets", s.listChangeSets, wire.On(func(_ *wire.Call, in *PagedInput) string { return s.arnFor(in.StackName) })),
	}
}

func (s *Stacks) changeSetStack(in *ChangeSetInput) string {
	cs, err := s.findChangeSet(context.Background(), in)
	if err != nil {
		return s.arnFor(in.StackName)
	}
	return cs.StackID
}

func (s *Stacks) findChangeSet(ctx context.Context, in *ChangeSetInput) (found *changesets.Set, err error) {
	err = s.config.DB.View(ctx, func(tx *store.Tx) error {
		found, err = changesets.Find(tx, in.StackName, in.ChangeSetName)
		return err
	})
	return found, err
}

func (in *CreateChangeSetInput) check() error {
	switch {
	case in.ChangeSetType == "IMPORT" || len(in.ResourcesToImport) > 0:
		return limits.Unsupported("importing resources into a stack", "let the stack create them")
	case in.DeploymentMode != "":
		return limits.Unsupported("DeploymentMode "+in.DeploymentMode, "nothing drifts here; leave it out")
	case len(in.Description) > maxDescription:
		return plan.Invalid("1 validation error detected: Value at 'description' failed to satisfy constraint: Member must have length less than or equal to %d", maxDescription)
	}
	if err := limits.Enum("changeSetType", in.ChangeSetType, "CREATE", "UPDATE", "IMPORT"); err != nil {
		return err
	}
	if err := limits.Enum("onStackFailure", in.OnStackFailure, "DELETE", "DO_NOTHING", "ROLLBACK"); err != nil {
		return err
	}
	if in.OnStackFailure == "DELETE" && in.ChangeSetType != "CREATE" {
		return plan.Invalid("OnStackFailure DELETE is only valid for change sets of type CREATE")
	}
	if err := limits.Token(in.ClientToken); err != nil {
		return err
	}
	return limits.Name("changeSetName", in.ChangeSetName)
}

// maxDescription is the length of a change set's description in bytes.
const maxDescription = 1024

func (s *Stacks) createChangeSet(ctx context.Context, c *wire.Call, in *CreateChangeSetInput) (*CreateChangeSetOutput, error) {
	if err := in.check(); err != nil {
		return nil, err
	}
	st, err := s.changeSetTarget(ctx, c, in)
	if err != nil {
		return nil, err
	}
	cs, err := s.newSet(in.ChangeSetName, st)
	if err != nil {
		return nil, err
	}
	cs.Description, cs.Token, cs.Capabilities, cs.RoleARN = in.Description, in.ClientToken, in.Capabilities, in.RoleARN
	cs.OnStackFailure, cs.Deployment, cs.Nested, cs.Import = in.OnStackFailure, in.DeploymentConfig, in.IncludeNestedStacks, in.ImportExistingResources
	below, err := s.fill(ctx, c, cs, in, st)
	if err != nil {
		return nil, err
	}
	out := &CreateChangeSetOutput{ID: cs.ID, StackID: st.ID}
	err = s.config.DB.Update(ctx, func(_ context.Context, tx *store.Tx) error {
		if err := s.keepChangeSet(tx, st, cs, out); err != nil || out.ID != cs.ID {
			return err
		}
		for _, one := range below {
			if err := one.Put(tx); err != nil {
				return err
			}
		}
		return nil
	})
	return out, err
}

// newSet makes the record of a change set that can be executed.
func (s *Stacks) newSet(name string, st *records.Stack) (*changesets.Set, error) {
	id, err := s.engine.UUID()
	return &changesets.Set{
		ID:   "arn:aws:cloudformation:" + s.config.Region + ":" + s.config.Account + ":changeSet/" + name + "/" + id,
		Name: name, StackID: st.ID, StackName: st.Name, Created: s.config.Now().UTC(), Tried: st.Tried,
		Status: "CREATE_COMPLETE", Execution: "AVAILABLE",
	}, err
}

// keepChangeSet stores a change set, and the stack that it is to create.
func (s *Stacks) keepChangeSet(tx *store.Tx, st *records.Stack, cs *changesets.Set, out *CreateChangeSetOutput) error {
	if st.Status == "" {
		if _, err := records.Find(tx, st.Name); err == nil {
			return plan.Invalid("Stack [%s] already exists and cannot be created again with the changeSet [%s].", st.Name, cs.Name)
		}
		st.OwnerARN = ""
		if err := s.engine.SetStatus(tx, st, "REVIEW_IN_PROGRESS", "User Initiated"); err != nil {
			return err
		}
		if err := st.Put(tx); err != nil {
			return err
		}
	}
	all, err := changesets.Of(tx, cs.StackID)
	if err != nil {
		return err
	}
	for _, other := range all {
		switch {
		case other.Name != cs.Name:
		case cs.Token != "" && other.Token == cs.Token:
			out.ID = other.ID
			return nil
		default:
			return wire.Errorf(http.StatusBadRequest, "AlreadyExistsException", "ChangeSet %s already exists", other.ID)
		}
	}
	return cs.Put(tx)
}

// changeSetTarget finds the stack that a change set is for. One that is to be
// created has no status yet, or REVIEW_IN_PROGRESS.
func (s *Stacks) changeSetTarget(ctx context.Context, c *wire.Call, in *CreateChangeSetInput) (*records.Stack, error) {
	st, err := s.engine.Find(ctx, in.StackName)
	switch {
	case err != nil && in.ChangeSetType != "CREATE":
		return nil, err
	case err != nil:
		return s.newStack(c, in.Definition)
	case st.Status == "REVIEW_IN_PROGRESS":
		return st, nil
	case in.ChangeSetType == "CREATE":
		return nil, plan.Invalid("Stack [%s] already exists and cannot be created again with the changeSet [%s].", st.Name, in.ChangeSetName)
	}
	return st, updatable(st)
}

// fill checks what the change set asks for and lists the changes, and returns
// the change sets of nested stacks. A template without changes makes a failed
// change set, as on AWS; one at fault is an error of the call, since nothing is
// gained by hiding it in a change set.
func (s *Stacks) fill(ctx context.Context, c *wire.Call, cs *changesets.Set, in *CreateChangeSetInput, st *records.Stack) ([]*changesets.Set, error) {
	p, err := s.prepare(ctx, c.Caller, in.Definition, st, true)
	if err != nil {
		return nil, err
	}
	cs.Body, cs.Parameters, cs.Tags, cs.Topics = p.Body, p.Parameters, p.Tags, p.NotificationARNs
	seen, err := s.preview(ctx, c.Caller, st, p)
	if err != nil {
		return nil, err
	}
	cs.Changes, cs.Touch, cs.Imports = seen.Changes, seen.Hint.Touch, seen.Hint.Imports
	if st.Revision > 0 && seen.Nothing(st, p) {
		cs.Status, cs.Execution, cs.Reason = "FAILED", "UNAVAILABLE", nothingToChange
	}
	if !in.IncludeNestedStacks {
		return nil, nil
	}
	touched := len(p.Plan.Resources)
	return s.nestedSets(ctx, c.Caller, cs, level{st: st, p: p, seen: seen, touched: &touched})
}

func (s *Stacks) describeChangeSet(ctx context.Context, _ *wire.Call, in *ChangeSetInput) (*DescribeChangeSetOutput, error) {
	cs, err := s.findChangeSet(ctx, in)
	if err != nil {
		return nil, err
	}
	out := &DescribeChangeSetOutput{
		ChangeSetName: cs.Name, ChangeSetID: cs.ID, StackID: cs.StackID, StackName: cs.StackName, Description: cs.Description,
		CreationTime: wire.Time{Time: cs.Created}, ExecutionStatus: cs.Execution, Status: cs.Status, StatusReason: cs.Reason,
		Capabilities: cs.Capabilities, Tags: tagList(cs.Tags), Parameters: shownParameters(cs.Parameters),
		OnStackFailure: cs.OnStackFailure, DeploymentConfig: cs.Deployment, ParentChangeSetID: cs.ParentID, RootChangeSetID: cs.RootID,
		NotificationARNs: cs.Topics, IncludeNestedStacks: cs.Nested, ImportExistingResources: cs.Import,
	}
	if out.Changes, out.NextToken, err = page(slices.Clone(cs.Changes), in.NextToken); err != nil || in.IncludePropertyValues {
		return out, err
	}
	for i := range out.Changes {
		change := &out.Changes[i].ResourceChange
		change.BeforeContext, change.AfterContext = "", ""
		change.Details = slices.Clone(change.Details)
		for j := range change.Details {
			change.Details[j].Target.BeforeValue, change.Details[j].Target.AfterValue = "", ""
		}
	}
	return out, nil
}

func (s *Stacks) executeChangeSet(ctx context.Context, c *wire.Call, in *ChangeSetInput) (*nothing, error) {
	if err := limits.Token(in.ClientRequestToken); err != nil {
		return nil, err
	}
	cs, err := s.findChangeSet(ctx, in)
	if err != nil {
		return nil, err
	}
	switch {
	case cs.RootID != "":
		return nil, wire.Errorf(http.StatusBadRequest, "InvalidChangeSetStatus", "ChangeSet [%s] cannot be executed by itself: it is executed with [%s]", cs.ID, cs.RootID)
	case in.DisableRollback != nil && cs.OnStackFailure != "":
		return nil, plan.Invalid("DisableRollback must not be specified: the change set was made with OnStackFailure")
	case cs.Execution != "AVAILABLE":
		if again, err := s.executed(ctx, cs, in.ClientRequestToken); again || err != nil {
			return &nothing{}, err
		}
		return nil, wire.Errorf(http.StatusBadRequest, "InvalidChangeSetStatus", "ChangeSet [%s] cannot be executed in its current status of [%s]", cs.ID, cs.Status)
	}
	st, err := s.engine.Find(ctx, cs.StackID)
	if err != nil {
		return nil, err
	}
	if st.Tried != cs.Tried {
		return nil, wire.Errorf(http.StatusBadRequest, "InvalidChangeSetStatus", "ChangeSet [%s] cannot be executed: the stack was updated after it was made", cs.ID)
	}
	settled, err := s.engine.Again(ctx, c.Caller, st, cs.Body, cs.Parameters)
	if err != nil {
		return nil, plan.Validation(err)
	}
	p := &plan.Prepared{Body: cs.Body, Plan: settled, Parameters: cs.Parameters, Capabilities: cs.Capabilities, Tags: cs.Tags, NotificationARNs: cs.Topics}
	o := operation{
		token: in.ClientRequestToken, roleARN: cs.RoleARN, changeSet: cs.ID, onFailure: cs.OnStackFailure,
		deployment: cs.Deployment, newRetained: in.RetainExceptOnCreate,
		disableRollback: in.DisableRollback != nil && *in.DisableRollback || cs.Deployment.NoRollback() || cs.OnStackFailure == "DO_NOTHING",
	}
	if st.Status == "REVIEW_IN_PROGRESS" {
		return &nothing{}, s.createReviewed(ctx, c, st, p, o)
	}
	_, err = s.update(ctx, c, st, &engine.Hint{Prepared: p, Touch: cs.Touch, Imports: cs.Imports}, o)
	return &nothing{}, err
}

// executed reports whether a change set was executed by the same request.
func (s *Stacks) executed(ctx context.Context, cs *changesets.Set, token string) (bool, error) {
	if token == "" || cs.Execution != "EXECUTE_COMPLETE" {
		return false, nil
	}
	st, err := s.engine.Find(ctx, cs.StackID)
	return err == nil && st.ChangeSetID == cs.ID && st.Token == token, err
}

// createReviewed creates the stack of an executed change set.
func (s *Stacks) createReviewed(ctx context.Context, c *wire.Call, st *records.Stack, p *plan.Prepared, o operation) error {
	_, err := s.engine.Update(ctx, st.ID, func(tx *store.Tx, st *records.Stack) error {
		if st.Status != "REVIEW_IN_PROGRESS" {
			return overtaken(st)
		}
		o.mark(c, st)
		st.OnFailure = o.onFailure
		if o.disableRollback {
			st.OnFailure = "DO_NOTHING"
		}
		if err := changesets.Executed(tx, st.ID, o.changeSet); err != nil {
			return err
		}
		return s.engine.Begin(tx, st, p, "CREATE_IN_PROGRESS")
	})
	if err == nil {
		s.engine.Launch(st.ID, c.Caller, &engine.Hint{Prepared: p})
	}
	return err
}

func (s *Stacks) deleteChangeSet(ctx context.Context, _ *wire.Call, in *ChangeSetInput) (*nothing, error) {
	return &nothing{}, s.config.DB.Update(ctx, func(_ context.Context, tx *store.Tx) error {
		cs, err := changesets.Find(tx, in.StackName, in.ChangeSetName)
		if code := wire.Code(err); code == "ChangeSetNotFound" || code == "ValidationError" {
			return nil // deleting what is not there succeeds
		}
		if err != nil {
			return err
		}
		return cs.Delete(tx)
	})
}

func (s *Stacks) listChangeSets(ctx context.Context, _ *wire.Call, in *PagedInput) (*ListChangeSetsOutput, error) {
	st, err := s.engine.Find(ctx, in.StackName)
	if err != nil {
		return nil, err
	}
	var all []*changesets.Set
	err = s.config.DB.View(ctx, func(tx *store.Tx) error {
		all, err = changesets.Of(tx, st.ID)
		return err
	})
	if err != nil {
		return nil, err
	}
	out := &ListChangeSetsOutput{}
	all, out.NextToken, err = page(all, in.NextToken)
	for _, cs := range all {
		out.Summaries = append(out.Summaries, ChangeSetSummary{
			StackID: cs.StackID, StackName: cs.StackName, ChangeSetID: cs.ID, ChangeSetName: cs.Name,
			ExecutionStatus: cs.Execution, Status: cs.Status, StatusReason: cs.Reason,
			CreationTime: wire.Time{Time: cs.Created}, Description: cs.Description, IncludeNestedStacks: cs.Nested,
			ImportExistingResources: cs.Import, ParentChangeSetID: cs.ParentID, RootChangeSetID: cs.RootID,
		})
	}
	return out, err
}
