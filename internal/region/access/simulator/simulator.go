// Package simulator is the IAM policy simulator: it decides actions on
// resources by given policies, and says by which statements.
//
//	results := simulator.Run(simulator.Scenario{
//		Policies: []simulator.Source{{ID: "PolicyInputList.1", Policy: policy}},
//		Actions:  []string{"s3:GetObject"},
//	})
//
// Its answers are those of SimulateCustomPolicy and SimulatePrincipalPolicy
// (IAM API Reference). The names of policies and of their types are those that
// IAM's answers carry in published traces, which differ from the enumeration in
// its service model.
package simulator

import (
	"slices"
	"strings"

	"github.com/seed-615d3599/roost/iam"
)

// Source is a policy and the id by which results speak of it.
type Source struct {
	ID     string // "PolicyInputList.1", "AdministratorAccess", "user_alice_inline"
	Policy *iam.Policy
}

// Scenario is what to simulate.
type Scenario struct {
	Policies  []Source // identity-based
	Boundary  *iam.Policy
	Resource  *iam.Policy // resource-based
	Principal iam.Principal
	// ResourceAccount owns the resources; "" means what their ARNs say.
	ResourceAccount string
	Actions         []string
	Resources       []string // none means "*"
	Context         iam.Context
}

// Types of policies, as results name them.
const (
	identityType = "IAM Policy"
	resourceType = "Resource Policy"
)

// resourceID is how results name the resource-based policy.
const resourceID = "ResourcePolicy"

// Statement is a statement that led to a decision.
type Statement struct {
	PolicyID   string
	PolicyType string
	Start, End iam.Position
}

// Result is the decision about one action on one resource.
type Result struct {
	Action   string
	Resource string
	Outcome  iam.Outcome
	Matched  []Statement
	Missing  []string // condition keys that the policies ask for and the scenario lacks
	// Details says, across accounts, what each type of policy alone comes to.
	Details map[string]string
	// InBoundary says whether the boundary, if there is one, allows the action.
	InBoundary *bool
}

// Run simulates every action on every resource.
func Run(s Scenario) []Result {
	resources := s.Resources
	if len(resources) == 0 {
		resources = []string{"*"}
	}
	missing := s.missing()
	var results []Result
	for _, action := range s.Actions {
		for _, resource := range resources {
			result := s.decide(action, resource)
			result.Missing = missing
			results = append(results, result)
		}
	}
	return results
}

func (s *Scenario) decide(action, resource string) Result {
	policies := iam.Policies{ResourceAccount: s.ResourceAccount, Boundary: iam.Attached{Policy: s.Boundary}}
	for _, p := range s.Policies {
		policies.Identity = append(policies.Identity, iam.Attached{Name: p.ID, Policy: p.Policy})
	}
	if s.Resource != nil {
		policies.Resource = iam.Attached{Name: resourceID, Policy: s.Resource}
	}
	trace := &iam.Trace{}
	decision := iam.Decide(iam.Request{Principal: s.Principal, Action: action, Resource: resource, Context: s.Context}, policies, trace)
	result := Result{Action: action, Resource: resource, Outcome: decision.Outcome, Details: map[string]string{}}
	for _, st := range trace.Matched() {
		if led(st, decision.Outcome) {
			result.Matched = append(result.Matched, Statement{
				PolicyID: st.Policy, PolicyType: typeName(st.Type), Start: st.Statement.SimulatorStart, End: st.End,
			})
		}
	}
	if s.Boundary != nil {
		inside := alone(trace, iam.PermissionsBoundary) == iam.Allowed
		result.InBoundary = &inside
	}
	if s.acrossAccounts(resource) {
		result.Details[identityType] = alone(trace, iam.IdentityPolicy).String()
		result.Details[resourceType] = alone(trace, iam.ResourcePolicy).String()
	}
	return result
}

// led reports whether a statement that matched is one that led to the outcome:
// where something is denied, only the statements that deny count.
func led(st iam.StatementTrace, outcome iam.Outcome) bool {
	if st.Type != iam.IdentityPolicy && st.Type != iam.ResourcePolicy {
		return false
	}
	return outcome == iam.Allowed && st.Effect == iam.Allow || outcome == iam.ExplicitDeny && st.Effect == iam.Deny
}

func typeName(t iam.PolicyType) string {
	if t == iam.ResourcePolicy {
		return resourceType
	}
	return identityType
}

// alone is what the policies of one type come to.
func alone(trace *iam.Trace, kind iam.PolicyType) iam.Outcome {
	outcome := iam.ImplicitDeny
	for _, st := range trace.Matched() {
		switch {
		case st.Type != kind:
		case st.Effect == iam.Deny:
			return iam.ExplicitDeny
		default:
			outcome = iam.Allowed
		}
	}
	return outcome
}

// acrossAccounts reports whether the resource belongs to another account than
// the principal.
func (s *Scenario) acrossAccounts(resource string) bool {
	owner := s.ResourceAccount
	if owner == "" {
		if parts := strings.SplitN(resource, ":", 6); len(parts) == 6 {
			owner = parts[4]
		}
	}
	return owner != "" && s.Principal.Account != "" && owner != s.Principal.Account
}

// missing returns the condition keys that the policies ask for and that the
// scenario does not have.
func (s *Scenario) missing() []string {
	var policies []*iam.Policy
	for _, p := range s.Policies {
		policies = append(policies, p.Policy)
	}
	for _, p := range []*iam.Policy{s.Boundary, s.Resource} {
		if p != nil {
			policies = append(policies, p)
		}
	}
	return slices.DeleteFunc(iam.ContextKeys(policies...), func(name string) bool { return s.Context.Lookup(name) != nil })
}
