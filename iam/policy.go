package iam

import (
	"fmt"
	"strings"
)

// Versions of the policy language (IAM User Guide, "IAM JSON policy elements:
// Version"). A document without one is of version 2008-10-17, in which
// ${...} is ordinary text.
const (
	Version2008 = "2008-10-17"
	Version2012 = "2012-10-17"
)

// PolicyType says what a policy is attached to, and so what it can do, by the
// names of the IAM User Guide, "Policies and permissions in IAM".
type PolicyType uint8

// The types of policies that [Decide] knows.
const (
	NoPolicy            PolicyType = iota // none, in a Decision: no policy was needed
	IdentityPolicy                        // attached to a user, a group or a role
	ResourcePolicy                        // attached to a resource, names principals
	TrustPolicy                           // the resource-based policy of a role
	PermissionsBoundary                   // the most that a user or a role may be allowed
	SessionPolicy                         // passed when the session was made
)

// String returns the name that AWS's access denied messages use, such as
// "identity-based policy".
func (t PolicyType) String() string {
	switch t {
	case IdentityPolicy:
		return "identity-based policy"
	case ResourcePolicy:
		return "resource-based policy"
	case TrustPolicy:
		return "role trust policy"
	case PermissionsBoundary:
		return "permissions boundary"
	case SessionPolicy:
		return "session policy"
	}
	return "no policy"
}

// MarshalText writes the type as String does.
func (t PolicyType) MarshalText() ([]byte, error) { return []byte(t.String()), nil }

// UnmarshalText reads what MarshalText wrote.
func (t *PolicyType) UnmarshalText(text []byte) error {
	for candidate := NoPolicy; candidate <= SessionPolicy; candidate++ {
		if candidate.String() == string(text) {
			*t = candidate
			return nil
		}
	}
	return fmt.Errorf("%q is not a type of policy", text)
}

// Effect is what a statement does to a request that it matches.
type Effect uint8

// The effects of a statement.
const (
	Deny Effect = iota
	Allow
)

// String returns "Allow" or "Deny".
func (e Effect) String() string {
	if e == Allow {
		return "Allow"
	}
	return "Deny"
}

// MarshalText writes the effect as String does.
func (e Effect) MarshalText() ([]byte, error) { return []byte(e.String()), nil }

// UnmarshalText reads "Allow" or "Deny".
func (e *Effect) UnmarshalText(text []byte) error {
	switch string(text) {
	case "Allow":
		*e = Allow
	case "Deny":
		*e = Deny
	default:
		return fmt.Errorf("%q is not an effect", text)
	}
	return nil
}

// Position is a place in a document. Lines and columns count from 1, columns
// in characters.
type Position struct {
	Line   int `json:"line"`
	Column int `json:"column"`
}

// Policy is a compiled policy document. It is not changed after parsing, and
// so can be used by many goroutines. Statements are for reading: [Decide] goes
// by what the parsing functions compiled of them.
type Policy struct {
	Type       PolicyType // IdentityPolicy, ResourcePolicy or TrustPolicy, by which function parsed it
	Version    string     // Version2008 or Version2012
	ID         string     // the Id element, or ""
	Statements []Statement

	index index
}

// Statement is one compiled statement of a policy.
type Statement struct {
	actions    patterns
	resources  patterns
	conditions []condition
	principals *principals // nil in an identity-based policy
	resourced  bool        // has Resource or NotResource; a trust policy's statement has not

	Effect Effect
	Index  int    // place in the document, from 0
	Sid    string // the Sid element, or ""

	// Start is where the statement's "{" stands, End the place after its "}".
	Start, End Position
	// SimulatorStart is the StartPosition that the IAM policy simulator gives
	// for the statement. In the recorded answers of the AWS CLI's own examples
	// it is the place after the "[" that opens the list, and after the "{" of a
	// statement that stands alone. For later statements of a list it is taken
	// to be the end of the one before (inferred from how such a position comes
	// about). EndPosition is End.
	SimulatorStart Position
}

// Error is what is wrong with a policy document.
type Error struct {
	Code    string // "MalformedPolicyDocument", IAM's error code
	Message string // the sentence of AWS for this kind of fault, such as "Syntax errors in policy."
	Detail  string // what exactly is wrong, and what to do
	Position
}

// Error returns message, position and detail in one line.
func (e *Error) Error() string {
	return fmt.Sprintf("%s: %s (line %d, column %d: %s)", e.Code, e.Message, e.Line, e.Column, e.Detail)
}

// ContextKeys returns the names of the condition keys that the policies refer
// to, in conditions and as policy variables, each once, in the order in which
// they appear. GetContextKeysForCustomPolicy answers with it.
func ContextKeys(policies ...*Policy) []string {
	var keys []string
	seen := map[string]bool{}
	add := func(key string) {
		if folded := strings.ToLower(key); !seen[folded] {
			seen[folded] = true
			keys = append(keys, key)
		}
	}
	for _, policy := range policies {
		for i := range policy.Statements {
			policy.Statements[i].eachKey(add)
		}
	}
	return keys
}

func (s *Statement) eachKey(add func(string)) {
	for i := range s.resources.list {
		s.resources.list[i].EachVariable(add)
	}
	for i := range s.conditions {
		add(s.conditions[i].key)
		for j := range s.conditions[i].values {
			s.conditions[i].values[j].Pattern.EachVariable(add)
		}
	}
}
