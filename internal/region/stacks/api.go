package stacks

import (
	"context"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/seed-615d3599/roost/cfn"
	"github.com/seed-615d3599/roost/internal/region/store"
	"github.com/seed-615d3599/roost/internal/region/wire"
)

// Service returns the operations of CloudFormation.
func (s *Stacks) Service() *wire.Service {
	return &wire.Service{
		Name: "cloudformation", Version: "2010-05-15", Protocol: wire.Query,
		Namespace:  "http://cloudformation.amazonaws.com/doc/2010-05-15/",
		Operations: slices.Concat(s.stackOperations(), s.changeSetOperations(), s.readOperations(), refusedOperations()),
	}
}

func refusedOperations() []wire.Operation {
	refused := map[string]string{
		"CancelUpdateStack":        "let the update end; it rolls back by itself if it fails",
		"RollbackStack":            "update the stack again, or delete it",
		"SetStackPolicy":           "stack policies are not kept",
		"GetStackPolicy":           "stack policies are not kept",
		"DetectStackDrift":         "nothing changes resources behind a stack's back here",
		"DetectStackResourceDrift": "nothing changes resources behind a stack's back here",
		"CreateStackSet":           "there is one account and one region",
		"CreateGeneratedTemplate":  "write the template instead",
		"EstimateTemplateCost":     "it costs nothing here",
		"RegisterType":             "the types are built in",
		"ActivateType":             "the types are built in",
	}
	var operations []wire.Operation
	for _, name := range sortedKeys(refused) {
		operations = append(operations, wire.Op(name, func(context.Context, *wire.Call, *struct{}) (*struct{}, error) {
			return nil, wire.Errorf(http.StatusNotImplemented, "NotImplemented", "roost does not support %s: %s", name, refused[name])
		}))
	}
	return operations
}

// Parameter is a parameter's value as the API carries it.
type Parameter struct {
	ParameterKey     string
	ParameterValue   string `json:",omitempty"`
	UsePreviousValue bool   `json:",omitempty"`
	ResolvedValue    string `json:",omitempty"`
}

// Tag is a key and a value.
type Tag struct {
	Key   string
	Value string
}

// Definition is what CreateStack, UpdateStack and CreateChangeSet have alike.
type Definition struct {
	StackName           string `required:"true"`
	TemplateBody        string
	TemplateURL         string
	UsePreviousTemplate bool
	Parameters          []Parameter
	Capabilities        []string
	Tags                []Tag
	NotificationARNs    []string
	RoleARN             string
}

// CreateStackInput is the input of CreateStack.
type CreateStackInput struct {
	Definition
	ClientRequestToken          string
	OnFailure                   string
	DisableRollback             bool
	TimeoutInMinutes            *int
	EnableTerminationProtection bool
}

// UpdateStackInput is the input of UpdateStack.
type UpdateStackInput struct {
	Definition
	ClientRequestToken string
	DisableRollback    bool
}

// StackIDOutput is an output that names a stack.
type StackIDOutput struct {
	StackID string `json:"StackId"`
}

// StackNameInput is an input that names a stack.
type StackNameInput struct {
	StackName string
}

// DeleteStackInput is the input of DeleteStack.
type DeleteStackInput struct {
	StackName          string `required:"true"`
	RetainResources    []string
	RoleARN            string
	ClientRequestToken string
	DeletionMode       string
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

type nothing struct{}

func (s *Stacks) stackOperations() []wire.Operation {
	return []wire.Operation{
		wire.Op("CreateStack", s.createStack, wire.Targets(func(_ *wire.Call, in *CreateStackInput) []wire.Target { return s.targets(in.Definition) })),
		wire.Op("UpdateStack", s.updateStack, wire.Targets(func(_ *wire.Call, in *UpdateStackInput) []wire.Target { return s.targets(in.Definition) })),
		wire.Op("DeleteStack", s.deleteStack, wire.Targets(func(_ *wire.Call, in *DeleteStackInput) []wire.Target {
			return s.targets(Definition{StackName: in.StackName, RoleARN: in.RoleARN})
		})),
		wire.Op("ContinueUpdateRollback", s.continueUpdateRollback, wire.Targets(func(_ *wire.Call, in *ContinueInput) []wire.Target {
			return s.targets(Definition{StackName: in.StackName, RoleARN: in.RoleARN})
		})),
		wire.Op("UpdateTerminationProtection", s.protect, wire.On(func(_ *wire.Call, in *ProtectionInput) string { return s.arnFor(in.StackName) })),
	}
}

// targets are what a deployment needs permission for: the stack, and to pass
// the role.
func (s *Stacks) targets(d Definition) []wire.Target {
	targets := []wire.Target{{Resource: s.arnFor(d.StackName), Context: map[string][]string{}}}
	if d.RoleARN != "" {
		targets[0].Context["cloudformation:RoleArn"] = []string{d.RoleARN}
		targets = append(targets, wire.Target{Action: "iam:PassRole", Resource: d.RoleARN,
			Context: map[string][]string{"iam:PassedToService": {"cloudformation.amazonaws.com"}}})
	}
	return targets
}

// arnFor is the ARN of a stack for authorization; the id's last part is not
// known before there is one.
func (s *Stacks) arnFor(name string) string {
	if strings.HasPrefix(name, "arn:") {
		return name
	}
	if st, err := s.find(s.ctx, name); err == nil {
		return st.ID
	}
	return "arn:aws:cloudformation:" + s.config.Region + ":" + s.config.Account + ":stack/" + name + "/*"
}

var stackNamePattern = regexp.MustCompile(`^[a-zA-Z][-a-zA-Z0-9]{0,127}$`)

// body returns the text of the template that a definition means.
func (s *Stacks) body(ctx context.Context, caller *wire.Caller, d Definition, st *stack) (string, error) {
	given := 0
	for _, present := range []bool{d.TemplateBody != "", d.TemplateURL != "", d.UsePreviousTemplate} {
		if present {
			given++
		}
	}
	switch {
	case given != 1:
		return "", invalid("Either Template URL or Template Body must be specified.")
	case len(d.TemplateBody) > cfn.MaxBodyBytes:
		return "", invalid("1 validation error detected: Value at 'templateBody' failed to satisfy constraint: Member must have length less than or equal to %d", cfn.MaxBodyBytes)
	case d.TemplateBody != "":
		return d.TemplateBody, nil
	case d.TemplateURL != "":
		return s.fetch(ctx, caller, d.TemplateURL)
	}
	if st == nil {
		return "", invalid("a stack that does not exist has no previous template")
	}
	return s.template(ctx, st.ID, st.Revision)
}

func (s *Stacks) template(ctx context.Context, stackID string, revision int) (body string, err error) {
	err = s.config.DB.View(ctx, func(tx *store.Tx) error {
		_, err := tx.Get(kindTemplate, templateKey(stackID, revision), &body)
		return err
	})
	return body, err
}

// prepared is a definition that was checked as far as that is possible before
// anything is made.
type prepared struct {
	body         string
	plan         *cfn.Stack
	parameters   []parameter
	capabilities []string
}

// prepare checks a definition for a stack. before is nil for a new one.
func (s *Stacks) prepare(ctx context.Context, call *wire.Call, d Definition, st, before *stack) (*prepared, error) {
	body, err := s.body(ctx, call.Caller, d, before)
	if err != nil {
		return nil, err
	}
	given := cfn.Given{Values: map[string]string{}, SSM: func(name string) (string, bool, error) {
		return s.parameterValue(ctx, call.Caller, name)
	}}
	for _, p := range d.Parameters {
		if p.UsePreviousValue {
			given.UsePrevious = append(given.UsePrevious, p.ParameterKey)
		} else {
			given.Values[p.ParameterKey] = p.ParameterValue
		}
	}
	if before != nil {
		given.Previous = map[string]string{}
		for _, p := range before.Parameters {
			given.Previous[p.Key] = p.Value
		}
	}
	plan, values, err := s.settle(st, body, given)
	if err != nil {
		return nil, validation(err)
	}
	if err := capable(plan.Template(), body, d.Capabilities); err != nil {
		return nil, err
	}
	p := &prepared{body: body, plan: plan, capabilities: d.Capabilities}
	for _, v := range values {
		kept := parameter{Key: v.Name, Value: v.Raw, NoEcho: v.NoEcho}
		if v.SSM {
			kept.Resolved = v.Text
		}
		p.parameters = append(p.parameters, kept)
	}
	return p, nil
}

// validation gives an error of the template the form of the API.
func validation(err error) error {
	if _, ok := err.(*wire.Error); ok {
		return err
	}
	return invalid("%v", err)
}

// capable asks for the acknowledgements that a template needs.
func capable(expanded *cfn.Template, body string, have []string) error {
	source, err := cfn.Parse("template", []byte(body))
	if err != nil {
		return validation(err)
	}
	var missing []string
	need := slices.Concat(source.Summary().Capabilities, expanded.Summary().Capabilities)
	for _, capability := range need {
		ok := slices.Contains(have, capability) || capability == "CAPABILITY_IAM" && slices.Contains(have, "CAPABILITY_NAMED_IAM")
		if !ok && !slices.Contains(missing, capability) {
			missing = append(missing, capability)
		}
	}
	if len(missing) > 0 {
		return wire.Errorf(http.StatusBadRequest, "InsufficientCapabilitiesException", "Requires capabilities : [%s]", strings.Join(missing, ", "))
	}
	return nil
}

func (s *Stacks) createStack(ctx context.Context, c *wire.Call, in *CreateStackInput) (*StackIDOutput, error) {
	if in.OnFailure != "" && in.DisableRollback {
		return nil, invalid("Either DisableRollback or OnFailure can be specified, not both.")
	}
	if !slices.Contains([]string{"", "DO_NOTHING", "ROLLBACK", "DELETE"}, in.OnFailure) {
		return nil, invalid("1 validation error detected: Value '%s' at 'onFailure' failed to satisfy constraint: Member must satisfy enum value set: [DELETE, DO_NOTHING, ROLLBACK]", in.OnFailure)
	}
	st, err := s.newStack(c, in.Definition)
	if err != nil {
		return nil, err
	}
	p, err := s.prepare(ctx, c, in.Definition, st, nil)
	if err != nil {
		return nil, err
	}
	st.OnFailure, st.Token, st.Protected = in.OnFailure, in.ClientRequestToken, in.EnableTerminationProtection
	if in.DisableRollback {
		st.OnFailure, st.DisableRollback = "DO_NOTHING", true
	}
	if in.TimeoutInMinutes != nil {
		st.TimeoutMinutes = *in.TimeoutInMinutes
	}
	err = s.config.DB.Update(ctx, func(_ context.Context, tx *store.Tx) error {
		old, err := find(tx, st.Name)
		if err == nil {
			if in.ClientRequestToken != "" && old.Token == in.ClientRequestToken {
				st = old
				return nil
			}
			return wire.Errorf(http.StatusBadRequest, "AlreadyExistsException", "Stack [%s] already exists", st.Name)
		}
		return s.begin(tx, st, p, "CREATE_IN_PROGRESS")
	})
	if err != nil {
		return nil, err
	}
	s.launch(st, c.Caller)
	return &StackIDOutput{StackID: st.ID}, nil
}

// newStack makes the record of a stack that is to be.
func (s *Stacks) newStack(c *wire.Call, d Definition) (*stack, error) {
	if !stackNamePattern.MatchString(d.StackName) {
		return nil, invalid("1 validation error detected: Value '%s' at 'stackName' failed to satisfy constraint: Member must satisfy regular expression pattern: [a-zA-Z][-a-zA-Z0-9]*", d.StackName)
	}
	id, err := s.uuid()
	if err != nil {
		return nil, err
	}
	arn := "arn:aws:cloudformation:" + s.config.Region + ":" + s.config.Account + ":stack/" + d.StackName + "/" + id
	return &stack{
		ID: arn, Name: d.StackName, Created: s.config.Now().UTC().Truncate(time.Millisecond),
		Tags: tagMap(d.Tags), NotificationARNs: d.NotificationARNs, RoleARN: d.RoleARN, OwnerARN: owner(c.Caller), RootID: "",
	}, nil
}

// owner is the ARN by which a caller's rights can be had again later.
func owner(caller *wire.Caller) string {
	if caller == nil {
		return ""
	}
	if caller.RoleARN != "" {
		return caller.RoleARN
	}
	return caller.ARN
}

func tagMap(tags []Tag) map[string]string {
	m := make(map[string]string, len(tags))
	for _, tag := range tags {
		m[tag.Key] = tag.Value
	}
	return m
}

// begin gives a stack its new template and status.
func (s *Stacks) begin(tx *store.Tx, st *stack, p *prepared, status string) error {
	st.Before = st.Revision
	st.Tried++
	st.Revision = st.Tried
	st.ParametersBefore, st.Parameters = st.Parameters, p.parameters
	st.Capabilities, st.Description = p.capabilities, p.plan.Template().Description
	st.Deadline = time.Time{}
	if st.TimeoutMinutes > 0 && status == "CREATE_IN_PROGRESS" {
		st.Deadline = s.config.Now().UTC().Add(time.Duration(st.TimeoutMinutes) * time.Minute)
	}
	if err := tx.Put(kindTemplate, templateKey(st.ID, st.Revision), p.body); err != nil {
		return err
	}
	if st.Before > 1 { // one older revision is enough to go back to
		if err := tx.Delete(kindTemplate, templateKey(st.ID, st.Before-1)); err != nil {
			return err
		}
	}
	if err := s.setStatus(tx, st, status, "User Initiated"); err != nil {
		return err
	}
	tx.OnCommit(s.signal)
	return tx.Put(kindStack, st.ID, st)
}

func (s *Stacks) updateStack(ctx context.Context, c *wire.Call, in *UpdateStackInput) (*StackIDOutput, error) {
	before, err := s.find(ctx, in.StackName)
	if err != nil {
		return nil, err
	}
	p, err := s.prepare(ctx, c, in.Definition, before, before)
	if err != nil {
		return nil, err
	}
	next := *before
	next.adopt(in.Definition)
	if same, err := s.nothingChanges(ctx, c.Caller, before, &next, p); err != nil {
		return nil, err
	} else if same {
		return nil, invalid("No updates are to be performed.")
	}
	st, err := s.update(ctx, before.ID, func(tx *store.Tx, st *stack) error {
		if err := updatable(st); err != nil {
			return err
		}
		st.OwnerARN, st.Token, st.DisableRollback = owner(c.Caller), in.ClientRequestToken, in.DisableRollback
		st.ChangeSetID = ""
		st.adopt(in.Definition)
		return s.begin(tx, st, p, "UPDATE_IN_PROGRESS")
	})
	if err != nil {
		return nil, err
	}
	s.launch(st, c.Caller)
	return &StackIDOutput{StackID: st.ID}, nil
}

// adopt takes from a definition what an update may set besides the template.
func (st *stack) adopt(d Definition) {
	st.TagsBefore = st.Tags
	if d.Tags != nil {
		st.Tags = tagMap(d.Tags)
	}
	if d.RoleARN != "" {
		st.RoleARN = d.RoleARN
	}
	if d.NotificationARNs != nil {
		st.NotificationARNs = d.NotificationARNs
	}
}

func updatable(st *stack) error {
	switch st.Status {
	case "CREATE_COMPLETE", "UPDATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE", "UPDATE_FAILED", "CREATE_FAILED":
		return nil
	}
	return invalid("Stack:%s is in %s state and can not be updated.", st.ID, st.Status)
}

// nothingChanges reports whether an update would do nothing.
func (s *Stacks) nothingChanges(ctx context.Context, caller *wire.Caller, before, next *stack, p *prepared) (bool, error) {
	old, err := s.template(ctx, before.ID, before.Revision)
	if err != nil || strings.HasSuffix(before.Status, "_FAILED") {
		return false, err
	}
	sameTags := maps.Equal(before.Tags, next.Tags)
	if sameTags && old == p.body && slices.Equal(before.Parameters, p.parameters) {
		return true, nil
	}
	changes, err := s.changes(ctx, caller, before, next, p)
	if err != nil {
		return false, validation(err)
	}
	return sameTags && len(changes) == 0 && sameOutputs(before, p), nil
}

// sameOutputs reports whether the outputs of a template have the names and
// descriptions that the stack has.
func sameOutputs(st *stack, p *prepared) bool {
	if len(st.Outputs) != len(p.plan.Outputs) {
		return false
	}
	for i, o := range p.plan.Outputs {
		if st.Outputs[i].Key != o.Name || st.Outputs[i].Description != o.Description || (st.Outputs[i].Export == "") != (o.ExportName == nil) {
			return false
		}
		result, export, err := p.plan.Output(o, cfn.Lookup{})
		text, known := textOf(result.Value)
		if err == nil && known && (text != st.Outputs[i].Value || export != st.Outputs[i].Export) {
			return false
		}
	}
	return true
}

func (s *Stacks) deleteStack(ctx context.Context, c *wire.Call, in *DeleteStackInput) (*nothing, error) {
	st, err := s.find(ctx, in.StackName)
	if err != nil {
		if strings.HasPrefix(in.StackName, "arn:") {
			return nil, err
		}
		return &nothing{}, nil // deleting what is not there succeeds
	}
	if st.Status == "DELETE_COMPLETE" || st.Status == "DELETE_IN_PROGRESS" {
		return &nothing{}, nil
	}
	st, err = s.update(ctx, st.ID, func(tx *store.Tx, st *stack) error {
		if err := s.deletable(tx, st); err != nil {
			return err
		}
		if len(in.RetainResources) > 0 && st.Status != "DELETE_FAILED" {
			return invalid("Invalid operation on stack [%s]. RetainResources can only be specified for stacks in DELETE_FAILED state.", st.ID)
		}
		st.OwnerARN, st.Token, st.Retain = owner(c.Caller), in.ClientRequestToken, in.RetainResources
		if in.RoleARN != "" {
			st.RoleARN = in.RoleARN
		}
		return s.setStatus(tx, st, "DELETE_IN_PROGRESS", "User Initiated")
	})
	if err != nil {
		return nil, err
	}
	s.launch(st, c.Caller)
	return &nothing{}, nil
}

// deletable refuses to delete a protected stack, or one whose exports are used.
func (s *Stacks) deletable(tx *store.Tx, st *stack) error {
	if st.Protected {
		return invalid("Stack [%s] cannot be deleted while TerminationProtection is enabled", st.Name)
	}
	if active(st.Status) {
		return wire.Errorf(http.StatusBadRequest, "OperationInProgressException", "Stack [%s] cannot be deleted while in status %s", st.Name, st.Status)
	}
	for _, o := range st.Outputs {
		if o.Export == "" {
			continue
		}
		users, err := importers(tx, o.Export)
		if err != nil {
			return err
		}
		if len(users) > 0 {
			return invalid("Export %s cannot be deleted as it is in use by %s", o.Export, strings.Join(users, ", "))
		}
	}
	return nil
}

func (s *Stacks) continueUpdateRollback(ctx context.Context, c *wire.Call, in *ContinueInput) (*nothing, error) {
	st, err := s.update(ctx, in.StackName, func(tx *store.Tx, st *stack) error {
		if st.Status != "UPDATE_ROLLBACK_FAILED" {
			return invalid("Stack:%s is in %s state and can not continue rollback.", st.ID, st.Status)
		}
		st.OwnerARN, st.Token = owner(c.Caller), in.ClientRequestToken
		for _, id := range in.ResourcesToSkip {
			if err := skipRollback(tx, st, id); err != nil {
				return err
			}
		}
		return s.setStatus(tx, st, "UPDATE_ROLLBACK_IN_PROGRESS", "User Initiated")
	})
	if err != nil {
		return nil, err
	}
	s.launch(st, c.Caller)
	return &nothing{}, nil
}

// skipRollback takes a resource as brought back although it could not be.
func skipRollback(tx *store.Tx, st *stack, logicalID string) error {
	one := &resource{}
	found, err := tx.Get(kindResource, st.ID+"/"+logicalID, one)
	if err != nil {
		return err
	}
	if !found || !strings.HasSuffix(one.Status, "_FAILED") {
		return invalid("The resource %s is not in a state to be skipped", logicalID)
	}
	one.Status, one.Reason = "UPDATE_COMPLETE", broughtBack
	return putResource(tx, one)
}

func (s *Stacks) protect(ctx context.Context, _ *wire.Call, in *ProtectionInput) (*StackIDOutput, error) {
	st, err := s.update(ctx, in.StackName, func(_ *store.Tx, st *stack) error {
		st.Protected = in.EnableTerminationProtection
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &StackIDOutput{StackID: st.ID}, nil
}
