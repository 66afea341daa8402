package stacks

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/seed-615d3599/roost/internal/region/stacks/engine"
	"github.com/seed-615d3599/roost/internal/region/stacks/limits"
	"github.com/seed-615d3599/roost/internal/region/stacks/plan"
	"github.com/seed-615d3599/roost/internal/region/stacks/preview"
	"github.com/seed-615d3599/roost/internal/region/stacks/records"
	"github.com/seed-615d3599/roost/internal/region/store"
	"github.com/seed-615d3599/roost/internal/region/wire"
)

// changeSet is a change set as it is stored.
type changeSet struct {
	ID             string
	Name           string
	StackID        string
	StackName      string
	Description    string
	Status         string
	Reason         string
	Execution      string // execution status
	Created        time.Time
	Token          string
	Body           string
	Parameters     []records.Parameter
	Capabilities   []string
	Tags           map[string]string
	Topics         []string // notification ARNs
	RoleARN        string
	Changes        []preview.Change
	Touch          map[string]bool // see engine.Hint
	Imports        []string
	Tried          int // of the stack when it was made
	OnStackFailure string
	Nested         bool // IncludeNestedStacks
	Import         bool // ImportExistingResources
}

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
	DisableRollback       bool
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
	OnStackFailure          string `json:",omitempty"`
	NextToken               string `json:",omitempty"`
	ImportExistingResources bool
	IncludeNestedStacks     bool
	RollbackConfiguration   RollbackConfiguration
}

// ChangeSetSummary is an entry of ListChangeSets.
type ChangeSetSummary struct {
	StackID         string `json:"StackId"`
	StackName       string
	ChangeSetID     string `json:"ChangeSetId"`
	ChangeSetName   string
	ExecutionStatus string
	Status          string
	StatusReason    string `json:",omitempty"`
	CreationTime    wire.Time
	Description     string `json:",omitempty"`
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

func findChangeSet(tx *store.Tx, in *ChangeSetInput) (*changeSet, error) {
	cs := &changeSet{}
	if strings.HasPrefix(in.ChangeSetName, "arn:") {
		found, err := tx.Get(records.KindChangeSet, in.ChangeSetName, cs)
		if err != nil || found {
			return cs, err
		}
	} else {
		if in.StackName == "" {
			return nil, plan.Invalid("StackName must be specified if ChangeSetName is not specified as an ARN.")
		}
		st, err := records.Find(tx, in.StackName)
		if err != nil {
			return nil, err
		}
		all, err := changeSetsOf(tx, st.ID)
		if err != nil {
			return nil, err
		}
		for _, cs := range all {
			if cs.Name == in.ChangeSetName {
				return cs, nil
			}
		}
	}
	return nil, wire.Errorf(http.StatusNotFound, "ChangeSetNotFound", "ChangeSet [%s] does not exist", in.ChangeSetName)
}

func (s *Stacks) findChangeSet(ctx context.Context, in *ChangeSetInput) (found *changeSet, err error) {
	err = s.config.DB.View(ctx, func(tx *store.Tx) error {
		found, err = findChangeSet(tx, in)
		return err
	})
	return found, err
}

// changeSetsOf returns the change sets of a stack, the oldest first.
func changeSetsOf(tx *store.Tx, stackID string) ([]*changeSet, error) {
	all, err := store.All[*changeSet](tx, records.KindChangeSet, "")
	all = slices.DeleteFunc(all, func(cs *changeSet) bool { return cs.StackID != stackID })
	slices.SortFunc(all, func(a, b *changeSet) int { return a.Created.Compare(b.Created) })
	return all, err
}

func (in *CreateChangeSetInput) check() error {
	switch {
	case in.ChangeSetType == "IMPORT" || len(in.ResourcesToImport) > 0:
		return unsupported("importing resources into a stack", "let the stack create them")
	case in.DeploymentMode != "":
		return unsupported("DeploymentMode "+in.DeploymentMode, "nothing drifts here; leave it out")
	case len(in.Description) > maxDescription:
		return plan.Invalid("1 validation error detected: Value at 'description' failed to satisfy constraint: Member must have length less than or equal to %d", maxDescription)
	}
	if err := limits.Enum("changeSetType", in.ChangeSetType, "CREATE", "UPDATE", "IMPORT"); err != nil {
		return err
	}
	if err := limits.Enum("onStackFailure", in.OnStackFailure, "DELETE", "DO_NOTHING", "ROLLBACK"); err != nil {
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
	id, err := s.engine.UUID()
	if err != nil {
		return nil, err
	}
	cs := &changeSet{
		ID:   "arn:aws:cloudformation:" + s.config.Region + ":" + s.config.Account + ":changeSet/" + in.ChangeSetName + "/" + id,
		Name: in.ChangeSetName, StackID: st.ID, StackName: st.Name, Description: in.Description, Token: in.ClientToken,
		Created: s.config.Now().UTC(), Capabilities: in.Capabilities, RoleARN: in.RoleARN, Tried: st.Tried,
		OnStackFailure: in.OnStackFailure, Nested: in.IncludeNestedStacks, Import: in.ImportExistingResources, Status: "CREATE_COMPLETE", Execution: "AVAILABLE",
	}
	if err := s.fill(ctx, c, cs, in, st); err != nil {
		return nil, err
	}
	out := &CreateChangeSetOutput{ID: cs.ID, StackID: st.ID}
	err = s.config.DB.Update(ctx, func(_ context.Context, tx *store.Tx) error { return s.keepChangeSet(tx, st, cs, out) })
	return out, err
}

// keepChangeSet stores a change set, and the stack that it is to create.
func (s *Stacks) keepChangeSet(tx *store.Tx, st *records.Stack, cs *changeSet, out *CreateChangeSetOutput) error {
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
	all, err := changeSetsOf(tx, cs.StackID)
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
	return tx.Put(records.KindChangeSet, cs.ID, cs)
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

// fill checks what the change set asks for and lists the changes. A template
// without changes makes a failed change set, as on AWS; one at fault is an
// error of the call, since nothing is gained by hiding it in a change set.
func (s *Stacks) fill(ctx context.Context, c *wire.Call, cs *changeSet, in *CreateChangeSetInput, st *records.Stack) error {
	p, err := s.prepare(ctx, c.Caller, in.Definition, st, true)
	if err != nil {
		return err
	}
	cs.Body, cs.Parameters, cs.Tags, cs.Topics = p.Body, p.Parameters, p.Tags, p.NotificationARNs
	seen, err := s.preview(ctx, c.Caller, st, p)
	if err != nil {
		return err
	}
	cs.Changes, cs.Touch, cs.Imports = seen.Changes, seen.Hint.Touch, seen.Hint.Imports
	if st.Revision == 0 {
		return nil
	}
	if seen.Nothing(st, p) {
		cs.Status, cs.Execution, cs.Reason = "FAILED", "UNAVAILABLE", nothingToChange
	}
	return nil
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
		OnStackFailure:   cs.OnStackFailure,
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
	if cs.Execution != "AVAILABLE" {
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
		disableRollback: in.DisableRollback, newRetained: in.RetainExceptOnCreate,
	}
	if st.Status == "REVIEW_IN_PROGRESS" {
		return &nothing{}, s.createReviewed(ctx, c, st, p, o)
	}
	o.disableRollback = o.disableRollback || o.onFailure == "DO_NOTHING"
	_, err = s.update(ctx, c, st, &engine.Hint{Prepared: p, Touch: cs.Touch, Imports: cs.Imports}, o)
	return &nothing{}, err
}

// createReviewed creates the stack of an executed change set.
func (s *Stacks) createReviewed(ctx context.Context, c *wire.Call, st *records.Stack, p *plan.Prepared, o operation) error {
	_, err := s.engine.Update(ctx, st.ID, func(tx *store.Tx, st *records.Stack) error {
		if st.Status != "REVIEW_IN_PROGRESS" {
			return updatable(st)
		}
		st.OwnerARN, st.Token, st.ChangeSetID, st.OnFailure = owner(c.Caller), o.token, o.changeSet, o.onFailure
		st.DisableRollback, st.NewRetained = o.disableRollback, o.newRetained
		if o.roleARN != "" {
			st.RoleARN = o.roleARN
		}
		if o.disableRollback {
			st.OnFailure = "DO_NOTHING"
		}
		if err := dropChangeSets(tx, st.ID, o.changeSet); err != nil {
			return err
		}
		return s.engine.Begin(tx, st, p, "CREATE_IN_PROGRESS")
	})
	if err == nil {
		s.engine.Launch(st.ID, c.Caller, &engine.Hint{Prepared: p})
	}
	return err
}

// dropChangeSets marks the executed change set and removes the others, which
// do not fit the stack any more.
func dropChangeSets(tx *store.Tx, stackID, executed string) error {
	all, err := changeSetsOf(tx, stackID)
	if err != nil {
		return err
	}
	for _, cs := range all {
		if cs.ID != executed {
			if err := tx.Delete(records.KindChangeSet, cs.ID); err != nil {
				return err
			}
			continue
		}
		cs.Execution = "EXECUTE_COMPLETE"
		if err := tx.Put(records.KindChangeSet, cs.ID, cs); err != nil {
			return err
		}
	}
	return nil
}

func (s *Stacks) deleteChangeSet(ctx context.Context, _ *wire.Call, in *ChangeSetInput) (*nothing, error) {
	return &nothing{}, s.config.DB.Update(ctx, func(_ context.Context, tx *store.Tx) error {
		cs, err := findChangeSet(tx, in)
		if code := wire.Code(err); code == "ChangeSetNotFound" || code == "ValidationError" {
			return nil // deleting what is not there succeeds
		}
		if err != nil {
			return err
		}
		return tx.Delete(records.KindChangeSet, cs.ID)
	})
}

func (s *Stacks) listChangeSets(ctx context.Context, _ *wire.Call, in *PagedInput) (*ListChangeSetsOutput, error) {
	st, err := s.engine.Find(ctx, in.StackName)
	if err != nil {
		return nil, err
	}
	var all []*changeSet
	err = s.config.DB.View(ctx, func(tx *store.Tx) error {
		all, err = changeSetsOf(tx, st.ID)
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
			CreationTime: wire.Time{Time: cs.Created}, Description: cs.Description,
		})
	}
	return out, err
}
