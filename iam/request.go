package iam

import "github.com/seed-615d3599/roost/iam/internal/glob"

// PrincipalKind says what kind of principal makes a request.
type PrincipalKind uint8

// The kinds of principals. Anonymous, the zero value, has no rights of its own.
const (
	Anonymous   PrincipalKind = iota // an unsigned request
	User                             // an IAM user, or its session of GetSessionToken
	AssumedRole                      // a session of a role, whoever assumed it
	AccountRoot                      // the root user of an account
	Service                          // an AWS service, for itself
	Federated                        // who calls AssumeRoleWithWebIdentity or AssumeRoleWithSAML: known to a provider only
)

// Principal is who makes a request.
type Principal struct {
	Kind PrincipalKind
	// ARN is that of the user, the session or the root user, such as
	// "arn:aws:sts::123456789012:assumed-role/NAME/SESSION". Empty for services,
	// federated and anonymous principals.
	ARN string
	// Account is the 12-digit account that the principal belongs to.
	Account string
	// RoleARN is, for AssumedRole, the ARN of the role, with its path.
	RoleARN string
	// ID is the unique id of the user ("AIDA…") or role ("AROA…"), which
	// policies hold in place of an ARN once AWS has stored them.
	ID string
	// Name is, for Service, the service principal ("apigateway.amazonaws.com"),
	// and for Federated, the provider as policies name it
	// ("cognito-identity.amazonaws.com", or the ARN of an OIDC or SAML provider).
	Name string
}

// Key is one condition key of a request, with its value or values.
type Key struct {
	// Name, such as "aws:SourceIp". Upper and lower case are the same.
	Name string
	// Value of a single-valued key. Dates are ISO 8601 or seconds since 1970,
	// booleans "true" and "false", binary values standard base64.
	Value string
	// Values makes the key multi-valued, and Value is ignored: nil means
	// single-valued, an empty slice a multi-valued key without values.
	Values []string
}

// Context is the condition keys of a request. A key that it lacks is absent
// from the request. If a name appears twice, the first counts.
type Context []Key

// Lookup returns the key of that name, in whatever case, or nil.
func (c Context) Lookup(name string) *Key {
	if i := c.find(name); i >= 0 {
		return &c[i]
	}
	return nil
}

// find returns the place of the key of that name, or -1.
func (c Context) find(name string) int {
	for i := range c {
		if len(c[i].Name) == len(name) && glob.EqualFoldASCII(c[i].Name, name) {
			return i
		}
	}
	return -1
}

// Request is what is to be decided.
type Request struct {
	Principal Principal
	Action    string // "execute-api:Invoke"
	Resource  string // ARN of the resource, or "*" for an action that has none
	Context   Context
}

// Attached is a policy with the names by which a trace speaks of it.
type Attached struct {
	Name   string // name or ARN of the policy
	Owner  string // what it is attached to, such as the ARN of a role or a group; may be empty
	Policy *Policy
}

// Policies is every policy that has a say in a request.
type Policies struct {
	// Identity holds the identity-based policies of the principal: those of a
	// user and of its groups, or those of a session's role.
	Identity []Attached
	// Boundary is the permissions boundary of the user or role. Its Policy is
	// nil if there is none.
	Boundary Attached
	// Session holds the session policies. If there are any, one of them must
	// allow the request.
	Session []Attached
	// Resource is the resource-based policy: one that [ParseTrust] read when a
	// role is to be assumed. Its Policy is nil if there is none.
	Resource Attached
	// ResourceAccount is the account that owns the resource. If it is empty,
	// it is the account in the resource's ARN, or the principal's own if that
	// names none.
	ResourceAccount string
}

// Outcome is the answer to a request.
type Outcome uint8

// The outcomes of a decision, by the words of the policy simulator.
const (
	ImplicitDeny Outcome = iota // nothing allows it
	ExplicitDeny                // a statement denies it
	Allowed
)

// String returns the word that the policy simulator uses: "allowed",
// "explicitDeny" or "implicitDeny".
func (o Outcome) String() string {
	switch o {
	case Allowed:
		return "allowed"
	case ExplicitDeny:
		return "explicitDeny"
	}
	return "implicitDeny"
}

// MarshalText writes the outcome as String does.
func (o Outcome) MarshalText() ([]byte, error) { return []byte(o.String()), nil }

// UnmarshalText reads what MarshalText wrote; anything else is ImplicitDeny.
func (o *Outcome) UnmarshalText(text []byte) error {
	*o = ImplicitDeny
	for _, outcome := range []Outcome{Allowed, ExplicitDeny} {
		if outcome.String() == string(text) {
			*o = outcome
		}
	}
	return nil
}

// Decision is the answer to a request and the type of policy that gave it.
type Decision struct {
	Outcome Outcome `json:"outcome"`
	// By is the type of policy that allowed the request, that holds the
	// explicit deny, or that was missing an allow. It is NoPolicy where the root
	// user may do something just because it is the root user.
	By PolicyType `json:"by"`
}

// Reason returns the end of an access denied message as AWS writes it, such
// as "because no identity-based policy allows the execute-api:Invoke action"
// or "with an explicit deny in an identity-based policy". It is "" if the
// request is allowed. Source: IAM User Guide, "Access denied error message
// examples".
func (d Decision) Reason(action string) string {
	switch {
	case d.Outcome == ExplicitDeny && d.By == IdentityPolicy:
		return "with an explicit deny in an identity-based policy"
	case d.Outcome == ExplicitDeny && d.By == TrustPolicy:
		return "with an explicit deny in the role trust policy"
	case d.Outcome == ExplicitDeny:
		return "with an explicit deny in a " + d.By.String()
	case d.Outcome == ImplicitDeny:
		return "because no " + d.By.String() + " allows the " + action + " action"
	}
	return ""
}

// Message returns AWS's whole access denied message for a request that was
// denied: "User: ARN is not authorized to perform: ACTION on resource: ARN
// because …". It is "" if the request is allowed.
func (d Decision) Message(r Request) string {
	reason := d.Reason(r.Action)
	if reason == "" {
		return ""
	}
	who := r.Principal.ARN
	if who == "" {
		who = r.Principal.Name
	}
	if who == "" {
		who = "anonymous"
	}
	return "User: " + who + " is not authorized to perform: " + r.Action + " on resource: " + r.Resource + " " + reason
}
