package simulator

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/seed-615d3599/roost/iam"
	"github.com/seed-615d3599/roost/internal/region/access/directory"
	"github.com/seed-615d3599/roost/internal/region/access/paging"
	"github.com/seed-615d3599/roost/internal/region/wire"
)

// ContextEntry is a condition key for a simulation.
type ContextEntry struct {
	ContextKeyName   string
	ContextKeyValues []string
	ContextKeyType   string
}

// SimulateInput is the input of SimulateCustomPolicy and, with
// PolicySourceArn, of SimulatePrincipalPolicy.
type SimulateInput struct {
	PolicySourceArn                    string
	PolicyInputList                    []string
	PermissionsBoundaryPolicyInputList []string
	ActionNames                        []string `required:"true"`
	ResourceArns                       []string
	ResourcePolicy                     string
	ResourceOwner                      string
	CallerArn                          string
	ContextEntries                     []ContextEntry
	paging.Page
}

// SimulateOutput is the output of both simulations.
type SimulateOutput struct {
	EvaluationResults []EvaluationResult
	paging.Pages
}

// EvaluationResult is the decision about one action on one resource.
type EvaluationResult struct {
	EvalActionName                    string
	EvalResourceName                  string
	EvalDecision                      string
	MatchedStatements                 []MatchedStatement
	MissingContextValues              []string
	PermissionsBoundaryDecisionDetail *BoundaryDecision `json:",omitempty"`
	EvalDecisionDetails               map[string]string
	ResourceSpecificResults           []ResourceResult `json:",omitempty"`
}

// ResourceResult says the same of a resource that was named.
type ResourceResult struct {
	EvalResourceName                  string
	EvalResourceDecision              string
	MatchedStatements                 []MatchedStatement
	MissingContextValues              []string
	PermissionsBoundaryDecisionDetail *BoundaryDecision `json:",omitempty"`
	EvalDecisionDetails               map[string]string
}

// BoundaryDecision says whether the permissions boundary allows an action.
type BoundaryDecision struct{ AllowedByPermissionsBoundary bool }

// MatchedStatement is a statement that led to a decision.
type MatchedStatement struct {
	SourcePolicyID   string `json:"SourcePolicyId"`
	SourcePolicyType string
	StartPosition    Position
	EndPosition      Position
}

// Position is a place in a document, from 1.
type Position struct{ Line, Column int }

// ContextKeysInput is the input of GetContextKeysForCustomPolicy and, with
// PolicySourceArn, of GetContextKeysForPrincipalPolicy.
type ContextKeysInput struct {
	PolicySourceArn string
	PolicyInputList []string
}

// ContextKeysOutput is the output of both.
type ContextKeysOutput struct{ ContextKeyNames []string }

// api has IAM's operations of the simulator.
type api struct {
	people  *directory.Directory
	account string
}

// Operations returns IAM's operations of the simulator, over the principals of
// a directory.
func Operations(people *directory.Directory, account string) []wire.Operation {
	a := &api{people: people, account: account}
	onSource := wire.On(func(_ *wire.Call, in *SimulateInput) string { return in.PolicySourceArn })
	return []wire.Operation{
		wire.Op("SimulateCustomPolicy", func(ctx context.Context, c *wire.Call, in *SimulateInput) (*SimulateOutput, error) {
			if in.PolicySourceArn != "" || len(in.PolicyInputList) == 0 {
				return nil, directory.Invalid("1 validation error detected: Value null at 'policyInputList' failed to satisfy constraint: Member must not be null")
			}
			return a.simulate(ctx, in)
		}),
		wire.Op("SimulatePrincipalPolicy", func(ctx context.Context, c *wire.Call, in *SimulateInput) (*SimulateOutput, error) {
			if in.PolicySourceArn == "" {
				return nil, directory.Invalid("1 validation error detected: Value null at 'policySourceArn' failed to satisfy constraint: Member must not be null")
			}
			return a.simulate(ctx, in)
		}, onSource),
		wire.Op("GetContextKeysForCustomPolicy", a.contextKeys),
		wire.Op("GetContextKeysForPrincipalPolicy", a.contextKeys, wire.On(func(_ *wire.Call, in *ContextKeysInput) string { return in.PolicySourceArn })),
	}
}

func (a *api) contextKeys(ctx context.Context, _ *wire.Call, in *ContextKeysInput) (*ContextKeysOutput, error) {
	var sources []Source
	var err error
	if in.PolicySourceArn != "" {
		if sources, _, err = a.sourcesOf(ctx, in.PolicySourceArn); err != nil {
			return nil, err
		}
	}
	given, err := parseAll("PolicyInputList", in.PolicyInputList)
	if err != nil {
		return nil, err
	}
	var policies []*iam.Policy
	for _, s := range append(sources, given...) {
		policies = append(policies, s.Policy)
	}
	return &ContextKeysOutput{ContextKeyNames: iam.ContextKeys(policies...)}, nil
}

// parseAll compiles policies of a request, named by the parameter and their
// number in it.
func parseAll(parameter string, documents []string) ([]Source, error) {
	var sources []Source
	for i, document := range documents {
		policy, err := iam.Parse([]byte(document))
		if err != nil {
			return nil, invalidInput("%s.%d: %v", parameter, i+1, err)
		}
		sources = append(sources, Source{ID: fmt.Sprintf("%s.%d", parameter, i+1), Policy: policy})
	}
	return sources, nil
}

func invalidInput(format string, args ...any) error {
	return wire.Errorf(http.StatusBadRequest, "InvalidInput", format, args...)
}

// sourcesOf gathers the policies of a user, group or role under the names that
// the simulator gives them: managed policies their own, inline ones
// "user_alice_policy".
func (a *api) sourcesOf(ctx context.Context, arn string) ([]Source, *directory.Identity, error) {
	x, err := a.people.ByARN(ctx, arn)
	if err != nil {
		return nil, nil, err
	}
	holders := []*directory.Identity{x}
	if x.Kind == directory.User {
		groups, err := a.people.GroupsOf(ctx, x.Name)
		if err != nil {
			return nil, nil, err
		}
		holders = append(holders, groups...)
	}
	var sources []Source
	for _, holder := range holders {
		of, err := a.sources(ctx, holder)
		if err != nil {
			return nil, nil, err
		}
		sources = append(sources, of...)
	}
	return sources, x, nil
}

func (a *api) sources(ctx context.Context, x *directory.Identity) ([]Source, error) {
	var sources []Source
	for _, name := range directory.SortedKeys(x.Inline) {
		policy, err := iam.Parse([]byte(x.Inline[name]))
		if err != nil {
			return nil, err
		}
		sources = append(sources, Source{ID: string(x.Kind) + "_" + x.Name + "_" + name, Policy: policy})
	}
	for _, arn := range x.Attached {
		p, err := a.policyOf(ctx, arn)
		if err != nil {
			return nil, err
		}
		sources = append(sources, Source{ID: arn[strings.LastIndexByte(arn, '/')+1:], Policy: p})
	}
	return sources, nil
}

// policyOf reads and compiles a managed policy within ctx.
func (a *api) policyOf(ctx context.Context, arn string) (*iam.Policy, error) {
	p, err := a.people.ReadPolicy(ctx, arn)
	if err != nil {
		return nil, err
	}
	return iam.Parse([]byte(p.Document()))
}

// simulate is both simulations.
func (a *api) simulate(ctx context.Context, in *SimulateInput) (*SimulateOutput, error) {
	scenario, err := a.scenario(ctx, in)
	if err != nil {
		return nil, err
	}
	var results []EvaluationResult
	for _, r := range Run(scenario) {
		results = append(results, evaluationResult(r, len(in.ResourceArns) > 0))
	}
	out := &SimulateOutput{}
	out.EvaluationResults, out.Pages, err = paging.Cut(results, in.Page)
	return out, err
}

func (a *api) scenario(ctx context.Context, in *SimulateInput) (Scenario, error) {
	s := Scenario{Actions: in.ActionNames, Resources: in.ResourceArns, Principal: iam.Principal{Kind: iam.User, Account: a.account}}
	for _, action := range in.ActionNames {
		if service, name, ok := strings.Cut(action, ":"); !ok || service == "" || name == "" || len(action) > 128 {
			return s, invalidInput("Invalid action: %.150s: an action is a service and an operation, such as s3:GetObject", action)
		}
	}
	source, err := a.addSource(ctx, &s, in.PolicySourceArn)
	if err != nil {
		return s, err
	}
	given, err := parseAll("PolicyInputList", in.PolicyInputList)
	if err != nil {
		return s, err
	}
	s.Policies = append(s.Policies, given...)
	if err := setBoundary(&s, in.PermissionsBoundaryPolicyInputList); err != nil {
		return s, err
	}
	if err := a.setResource(ctx, &s, in, source); err != nil {
		return s, err
	}
	s.Context, err = contextOf(in.ContextEntries)
	return s, err
}

// addSource adds what the principal of a simulation has.
func (a *api) addSource(ctx context.Context, s *Scenario, arn string) (*directory.Identity, error) {
	if arn == "" {
		return nil, nil
	}
	policies, x, err := a.sourcesOf(ctx, arn)
	if err != nil {
		return nil, err
	}
	s.Policies = policies
	s.Principal.ARN, s.Principal.ID = x.ARN, x.ID
	if x.Kind == directory.Role {
		s.Principal.Kind, s.Principal.RoleARN = iam.AssumedRole, x.ARN
	}
	if x.Boundary != "" {
		s.Boundary, err = a.policyOf(ctx, x.Boundary)
	}
	return x, err
}

func setBoundary(s *Scenario, documents []string) error {
	if len(documents) > 1 {
		return invalidInput("PermissionsBoundaryPolicyInputList: there can be only one permissions boundary")
	}
	boundary, err := parseAll("PermissionsBoundaryPolicyInputList", documents)
	if len(boundary) > 0 {
		s.Boundary = boundary[0].Policy
	}
	return err
}

// setResource adds the resource-based policy, its owner, and who calls.
func (a *api) setResource(ctx context.Context, s *Scenario, in *SimulateInput, source *directory.Identity) error {
	if in.ResourceOwner != "" {
		parts := strings.SplitN(in.ResourceOwner, ":", 6)
		if len(parts) != 6 || parts[2] != "iam" || len(parts[4]) != 12 {
			return invalidInput("ResourceOwner %.200s is not the ARN of an account, such as arn:aws:iam::%s:root", in.ResourceOwner, a.account)
		}
		s.ResourceAccount = parts[4]
	}
	if in.CallerArn != "" {
		if !strings.Contains(in.CallerArn, ":user/") {
			return invalidInput("CallerArn must be the ARN of an IAM user")
		}
		s.Principal = iam.Principal{Kind: iam.User, ARN: in.CallerArn, Account: strings.SplitN(in.CallerArn+":::::", ":", 6)[4]}
		if x, err := a.people.ByARN(ctx, in.CallerArn); err == nil {
			s.Principal.ID = x.ID
		}
	}
	if in.ResourcePolicy == "" {
		return nil
	}
	if in.CallerArn == "" && (source == nil || source.Kind != directory.User) {
		return invalidInput("CallerArn is required with ResourcePolicy unless PolicySourceArn is that of an IAM user")
	}
	policy, err := iam.ParseResource([]byte(in.ResourcePolicy))
	if err != nil {
		return invalidInput("ResourcePolicy: %v", err)
	}
	s.Resource = policy
	return nil
}

// contextTypes are the types of condition keys (IAM API Reference,
// ContextEntry).
var contextTypes = []string{"string", "numeric", "boolean", "ip", "binary", "date"}

func contextOf(entries []ContextEntry) (iam.Context, error) {
	keys := iam.Context{}
	for _, entry := range entries {
		kind, list := strings.CutSuffix(entry.ContextKeyType, "List")
		switch {
		case !slices.Contains(contextTypes, kind):
			return nil, invalidInput("Invalid Context Entry %.200s: its type %.50q is unknown", entry.ContextKeyName, entry.ContextKeyType)
		case entry.ContextKeyName == "":
			return nil, invalidInput("Invalid Context Entry: it has no name")
		case list:
			keys = append(keys, iam.Key{Name: entry.ContextKeyName, Values: append([]string{}, entry.ContextKeyValues...)})
		case len(entry.ContextKeyValues) != 1:
			return nil, invalidInput("Invalid Context Entry %.200s: one value belongs to the type %s", entry.ContextKeyName, entry.ContextKeyType)
		default:
			keys = append(keys, iam.Key{Name: entry.ContextKeyName, Value: entry.ContextKeyValues[0]})
		}
	}
	return keys, nil
}

// evaluationResult is a result as IAM writes it: what is missing stands with
// the resource, if one was named.
func evaluationResult(r Result, named bool) EvaluationResult {
	out := EvaluationResult{
		EvalActionName: r.Action, EvalResourceName: r.Resource, EvalDecision: r.Outcome.String(),
		MatchedStatements: []MatchedStatement{}, MissingContextValues: r.Missing, EvalDecisionDetails: r.Details,
	}
	for _, m := range r.Matched {
		out.MatchedStatements = append(out.MatchedStatements, MatchedStatement{
			SourcePolicyID: m.PolicyID, SourcePolicyType: m.PolicyType, StartPosition: Position(m.Start), EndPosition: Position(m.End),
		})
	}
	if r.InBoundary != nil {
		out.PermissionsBoundaryDecisionDetail = &BoundaryDecision{*r.InBoundary}
	}
	if !named {
		return out
	}
	out.ResourceSpecificResults = []ResourceResult{{
		EvalResourceName: r.Resource, EvalResourceDecision: out.EvalDecision, MatchedStatements: out.MatchedStatements,
		MissingContextValues: r.Missing, PermissionsBoundaryDecisionDetail: out.PermissionsBoundaryDecisionDetail, EvalDecisionDetails: r.Details,
	}}
	out.MissingContextValues = nil
	return out
}
