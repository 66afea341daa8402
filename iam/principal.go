package iam

import (
	"slices"
	"strings"

	"github.com/seed-615d3599/roost/iam/internal/scalar"
)

// grant is how an allow in a resource-based policy reaches a principal, and so
// which other policies still limit it (IAM User Guide, "Policy evaluation
// logic", table "Resource-based policies and implicit denies in other policy
// types").
type grant uint8

const (
	noGrant      grant = iota
	accountGrant       // to the account, which must pass it on by an identity-based policy
	roleGrant          // to the role: its boundary and the session policies still limit it
	directGrant        // to the user or session itself, to a service, or to everyone
)

// principals is the Principal or NotPrincipal element.
type principals struct {
	not       bool
	everyone  bool // "*" or {"AWS": "*"}
	aws       []awsPrincipal
	federated []string
	services  []string
	source    []string // all of them as written, for traces
}

type awsPrincipal struct {
	text    string // ARN or unique id, compared as a whole
	account string // for a principal that is an account: its number
}

// covers reports how the element of a statement with the given effect reaches
// a principal. NotPrincipal reaches those whom it does not name. A wildcard
// that denies reaches everyone, even those whom it would not let in.
func (ps *principals) covers(p *Principal, effect Effect, hasBoundary bool) grant {
	if !ps.not {
		if ps.everyone && effect == Deny {
			return directGrant
		}
		return ps.names(p)
	}
	if ps.excepts(p, hasBoundary) {
		return noGrant
	}
	return directGrant
}

// names reports how the principal is named. Who is known to an identity
// provider only is never among "everyone": that a wildcard in a trust policy
// does not let in every token of every provider is inferred from "Federated"
// being the one way that the documentation gives to name them.
func (ps *principals) names(p *Principal) grant {
	switch p.Kind {
	case Federated:
		return directIf(slices.Contains(ps.federated, p.Name))
	case Service:
		return directIf(ps.everyone || slices.Contains(ps.services, p.Name))
	}
	if ps.everyone {
		return directGrant
	}
	best := noGrant
	for i := range ps.aws {
		best = max(best, ps.aws[i].names(p))
	}
	return best
}

func (a *awsPrincipal) names(p *Principal) grant {
	if p.Kind == Anonymous {
		return noGrant
	}
	if a.account != "" {
		if a.account != p.Account {
			return noGrant
		}
		if p.Kind == AccountRoot {
			return directGrant
		}
		return accountGrant
	}
	switch {
	case a.text == "":
		return noGrant
	case a.text == p.ARN:
		return directGrant
	case p.Kind == AssumedRole && (a.text == p.RoleARN || a.text == p.ID):
		return roleGrant
	case p.Kind == User && a.text == p.ID:
		return directGrant
	}
	return noGrant
}

// excepts reports whether a NotPrincipal element leaves a principal alone. By
// the page on NotPrincipal AWS may validate the account first, then the role
// and then the session, so that each of them must be listed; and a principal
// with a permissions boundary is never left alone, "regardless of the values".
func (ps *principals) excepts(p *Principal, hasBoundary bool) bool {
	switch {
	case hasBoundary && (p.Kind == User || p.Kind == AssumedRole):
		return false
	case ps.everyone:
		return true
	case p.Kind == Service || p.Kind == Federated:
		return ps.names(p) != noGrant
	}
	var account, role, itself bool
	for i := range ps.aws {
		switch a := &ps.aws[i]; a.names(p) {
		case accountGrant:
			account = true
		case roleGrant:
			role = true
		case directGrant:
			itself = true
		}
	}
	switch p.Kind {
	case AccountRoot:
		return itself
	case AssumedRole:
		return account && role && itself
	}
	return account && itself
}

func directIf(condition bool) grant {
	if condition {
		return directGrant
	}
	return noGrant
}

// accountOf returns the account that a value of a Principal element stands
// for: 123456789012 or arn:aws:iam::123456789012:root. It is "" for any other.
func accountOf(text string) string {
	if isAccount(text) {
		return text
	}
	parts := strings.Split(text, ":")
	if len(parts) == 6 && parts[0] == "arn" && parts[2] == "iam" && parts[3] == "" && parts[5] == "root" && isAccount(parts[4]) {
		return parts[4]
	}
	return ""
}

func isAccount(s string) bool {
	return len(s) == 12 && scalar.OnlyDigits(s)
}
