package directory

import (
	"fmt"
	"slices"
	"strings"

	"github.com/seed-615d3599/roost/iam"
	"github.com/seed-615d3599/roost/internal/region/store"
	"github.com/seed-615d3599/roost/internal/region/wire"
)

// Kind is a kind of identity.
type Kind string

// The kinds of identities.
const (
	User  Kind = "user"
	Role  Kind = "role"
	Group Kind = "group"
)

// Title returns the kind as it stands in names of operations and members:
// "User", "Role", "Group".
func (k Kind) Title() string {
	return map[Kind]string{User: "User", Role: "Role", Group: "Group"}[k]
}

func (k Kind) stored() string { return "iam-" + string(k) }

// storedNames is the kind under which names are stored in lower case, so that a
// new one need not be compared with all.
func (k Kind) storedNames() string { return "iam-name-" + string(k) }

// putName takes the identity's name, in whatever case.
func (x *Identity) putName(tx *store.Tx) error {
	return tx.Put(x.Kind.storedNames(), strings.ToLower(x.Name), x.Name)
}

// Identity is a user, a role or a group, as it is stored.
type Identity struct {
	Kind        Kind
	Name        string
	Path        string // begins and ends with "/"
	ID          string // AIDA…, AROA…, AGPA…
	ARN         string
	Created     wire.Time
	Tags        map[string]string `json:",omitempty"`
	Inline      map[string]string `json:",omitempty"` // policy name → document
	Attached    []string          `json:",omitempty"` // ARNs of managed policies, in order of attachment
	Boundary    string            `json:",omitempty"` // ARN
	Trust       string            `json:",omitempty"` // of a role; principals as unique ids, see principals.go
	Description string            `json:",omitempty"`
	MaxSession  int               `json:",omitempty"` // of a role, seconds
	Groups      []string          `json:",omitempty"` // of a user, names

	inline []iam.Attached // compiled, in order of names
	trust  *iam.Policy
}

// TrustPolicy is a role's trust policy, compiled.
func (x *Identity) TrustPolicy() iam.Attached {
	return iam.Attached{Name: "trust policy", Owner: x.ARN, Policy: x.trust}
}

// compile parses the documents, so that deciding need not.
func (x *Identity) compile() error {
	x.inline = nil
	for _, name := range SortedKeys(x.Inline) {
		policy, err := iam.Parse([]byte(x.Inline[name]))
		if err != nil {
			return malformed(err)
		}
		x.inline = append(x.inline, iam.Attached{Name: name, Owner: x.ARN, Policy: policy})
	}
	if x.Trust == "" {
		return nil
	}
	trust, err := iam.ParseTrust([]byte(x.Trust))
	if err != nil {
		return malformed(err)
	}
	x.trust = trust
	return nil
}

// check holds an identity to the quotas.
func (x *Identity) check() error {
	if err := CheckTags(x.Kind.Title(), x.Tags); err != nil {
		return err
	}
	total := 0
	for _, document := range x.Inline {
		if err := checkDocument("policyDocument", document); err != nil {
			return err
		}
		total += policySize(document)
	}
	if limit := inlineSizes[x.Kind]; total > limit {
		return exceeded("Maximum policy size of %d bytes exceeded for %s %s", limit, x.Kind, x.Name)
	}
	if err := checkDocument("assumeRolePolicyDocument", x.Trust); err != nil {
		return err
	}
	if policySize(x.Trust) > maxTrustSize {
		return exceeded("Cannot exceed quota for ACLSizePerRole: %d", maxTrustSize)
	}
	if len(x.Description) > maxDescription {
		return Invalid("1 validation error detected: Value at 'description' failed to satisfy constraint: Member must have length less than or equal to %d", maxDescription)
	}
	return nil
}

// Find returns an identity as the request path sees it.
func (d *Directory) Find(kind Kind, name string) (*Identity, bool) {
	return d.identities[kind].get(name)
}

// Target is the ARN of an identity for authorization: its own if it exists,
// else what it would be with the path "/".
func (d *Directory) Target(kind Kind, name string) string {
	if x, ok := d.Find(kind, name); ok {
		return x.ARN
	}
	return d.ARN(string(kind), "/", name)
}

// Grants returns the identity-based policies of an identity, those of a user's
// groups included. An attached policy that is missing grants nothing, but
// might have denied: so it is an error.
func (d *Directory) Grants(x *Identity) ([]iam.Attached, error) {
	policies := slices.Clone(x.inline)
	for _, arn := range x.Attached {
		managed, err := d.Managed(arn)
		if err != nil {
			return nil, err
		}
		policies = append(policies, iam.Attached{Name: arn, Owner: x.ARN, Policy: managed.policy})
	}
	for _, name := range x.Groups {
		group, ok := d.Find(Group, name)
		if !ok {
			return nil, NoSuch(Group, name)
		}
		of, err := d.Grants(group)
		if err != nil {
			return nil, err
		}
		policies = append(policies, of...)
	}
	return policies, nil
}

// BoundaryOf returns the permissions boundary of an identity; its Policy is nil
// if there is none.
func (d *Directory) BoundaryOf(x *Identity) (iam.Attached, error) {
	if x.Boundary == "" {
		return iam.Attached{}, nil
	}
	managed, err := d.Managed(x.Boundary)
	if err != nil {
		return iam.Attached{}, fmt.Errorf("permissions boundary of %s: %w", x.ARN, err)
	}
	return iam.Attached{Name: x.Boundary, Owner: x.ARN, Policy: managed.policy}, nil
}
