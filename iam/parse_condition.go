package iam

import (
	"fmt"
	"strings"
	"unique"

	"github.com/seed-615d3599/roost/iam/internal/document"
	"github.com/seed-615d3599/roost/iam/internal/operator"
	"github.com/seed-615d3599/roost/iam/internal/scalar"
)

func (p *parser) principal(s *Statement, e *statementNodes, n *document.Node) error {
	switch {
	case e.principal == nil && p.policy.Type == IdentityPolicy:
		return nil
	case e.principal == nil:
		return p.ErrorAt(n.Start, "Missing required field Principal", "a statement of a %s says to whom it applies", p.policy.Type)
	case p.policy.Type == IdentityPolicy:
		return p.ErrorAt(e.principal.Start, "Policy document should not specify a principal.", "it applies to whom it is attached to")
	}
	ps := &principals{not: e.principal.Name == "NotPrincipal"}
	s.principals = ps
	switch {
	case ps.not && p.policy.Type == TrustPolicy:
		return p.ErrorAt(e.principal.Start, "Has prohibited field NotPrincipal", "a trust policy names whom it trusts")
	case ps.not && s.Effect == Allow:
		return p.ErrorAt(e.principal.Start, document.SyntaxErrors, "NotPrincipal with the effect Allow is not supported: it would let in everyone but a few")
	}
	value := &e.principal.Value
	if value.Kind == document.String && value.Text == "*" {
		ps.everyone, ps.source = true, []string{"*"}
		return nil
	}
	if value.Kind != document.Object || len(value.Members) == 0 {
		return p.ErrorAt(value.Start, "Invalid principal in policy", `%s is "*" or an object such as {"AWS": "123456789012"}`, e.principal.Name)
	}
	for i := range value.Members {
		if err := p.principalMember(ps, &value.Members[i]); err != nil {
			return err
		}
	}
	return nil
}

func (p *parser) principalMember(ps *principals, m *document.Member) error {
	switch m.Name {
	case "AWS", "Service", "Federated":
	case "CanonicalUser":
		return p.ErrorAt(m.Start, "Invalid principal in policy", "CanonicalUser is not supported: name the account instead")
	default:
		return p.unknown(m, "AWS", "Service", "Federated", "CanonicalUser")
	}
	values, err := p.texts(m.Name, &m.Value)
	if err != nil {
		return err
	}
	if len(values) == 0 {
		return p.ErrorAt(m.Value.Start, "Invalid principal in policy", "%s is an empty list", m.Name)
	}
	for i := range values {
		if !ps.add(m.Name, values[i].Text) {
			invalid := fmt.Sprintf("Invalid principal in policy: %q:%q", strings.ToUpper(m.Name), document.Clip(values[i].Text))
			return p.ErrorAt(values[i].Start, invalid, "not a principal of the type %s; a wildcard can only stand for everyone", m.Name)
		}
	}
	return nil
}

// add reports whether the text can be a principal of the type.
func (ps *principals) add(kind, text string) bool {
	ps.source = append(ps.source, text)
	wildcard := strings.ContainsAny(text, "*?")
	switch {
	case kind == "AWS" && text == "*":
		ps.everyone = true
		return true
	case text == "" || wildcard:
		return false
	case kind == "Service":
		ps.services = append(ps.services, text)
		return strings.Contains(text, ".")
	case kind == "Federated":
		ps.federated = append(ps.federated, text)
		return true
	}
	ps.aws = append(ps.aws, awsPrincipal{text: text, account: accountOf(text)})
	return accountOf(text) != "" || isPrincipalARN(text) || isUniqueID(text)
}

func isPrincipalARN(text string) bool {
	parts := strings.SplitN(text, ":", 6)
	if len(parts) != 6 || parts[0] != "arn" || parts[1] == "" || parts[3] != "" || parts[4] == "" {
		return false
	}
	kind, name, _ := strings.Cut(parts[5], "/")
	switch parts[2] {
	case "iam":
		return name != "" && (kind == "user" || kind == "role")
	case "sts":
		return name != "" && (kind == "assumed-role" && strings.Contains(name, "/") || kind == "federated-user")
	}
	return false
}

// isUniqueID recognises what IAM puts in place of an ARN: IAM User Guide, "IAM
// identifiers", section "Unique identifiers".
func isUniqueID(text string) bool {
	return (strings.HasPrefix(text, "AIDA") || strings.HasPrefix(text, "AROA")) && len(text) >= 16 &&
		strings.Trim(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789") == ""
}

func (p *parser) conditions(s *Statement, e *statementNodes, _ *document.Node) error {
	if e.condition == nil {
		return nil
	}
	n := &e.condition.Value
	if n.Kind != document.Object {
		return p.ErrorAt(n.Start, document.SyntaxErrors, "Condition is an object")
	}
	seen := map[string]bool{}
	for i := range n.Members {
		m := &n.Members[i]
		op, err := operator.Parse(m.Name)
		if err != nil {
			return p.ErrorAt(m.Start, document.SyntaxErrors, "%s", err)
		}
		if m.Value.Kind != document.Object {
			return p.ErrorAt(m.Value.Start, document.SyntaxErrors, "the value of %s is an object of condition keys", op.Name)
		}
		for j := range m.Value.Members {
			key := &m.Value.Members[j]
			if id := strings.ToLower(m.Name + " " + key.Name); seen[id] {
				return p.ErrorAt(key.Start, document.SyntaxErrors, "the key %q stands twice under %s", document.Clip(key.Name), op.Name)
			} else {
				seen[id] = true
			}
			c, err := p.condition(op, key)
			if err != nil {
				return err
			}
			s.conditions = append(s.conditions, c)
		}
	}
	return nil
}

func (p *parser) condition(op operator.Operator, m *document.Member) (condition, error) {
	c := condition{Operator: op, key: m.Name, folded: unique.Make(strings.Map(lowerASCII, m.Name))}
	if before, after, found := strings.Cut(m.Name, ":"); !found || before == "" || after == "" {
		return c, p.ErrorAt(m.Start, "Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc.", "%q is not of the form service:key", document.Clip(m.Name))
	}
	items := []document.Node{m.Value}
	if m.Value.Kind == document.List {
		items = m.Value.Items
	}
	for i := range items {
		n := &items[i]
		if n.Kind != document.String && n.Kind != document.Scalar {
			return c, p.ErrorAt(n.Start, document.SyntaxErrors, "a value of %s is a string, a number or a boolean", document.Clip(m.Name))
		}
		v, err := op.Compile(n.Text, p.policy.Version == Version2012)
		if err != nil {
			return c, p.ErrorAt(n.Start, document.SyntaxErrors, "under %s, %s", op.Name, err)
		}
		c.values = append(c.values, v)
		if op.Compare == operator.IP {
			network, _ := scalar.Network(n.Text) // Compile has looked
			c.networks = append(c.networks, network)
		}
	}
	return c, nil
}
