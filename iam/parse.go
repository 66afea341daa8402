package iam

import (
	"errors"
	"strings"

	"github.com/seed-615d3599/roost/iam/internal/document"
	"github.com/seed-615d3599/roost/iam/internal/glob"
)

// Parse compiles an identity-based policy, a permissions boundary or a session
// policy: its statements have no Principal, and need an action and a resource.
// The error is an [*Error].
func Parse(document []byte) (*Policy, error) { return parse(document, IdentityPolicy) }

// ParseResource compiles a resource-based policy, such as a function's: its
// statements need a Principal or, to deny, a NotPrincipal. The error is an
// [*Error].
func ParseResource(document []byte) (*Policy, error) { return parse(document, ResourcePolicy) }

// ParseTrust compiles the trust policy of a role: its statements need a
// Principal and actions of STS, and have no resource, which is the role. The
// error is an [*Error].
func ParseTrust(document []byte) (*Policy, error) { return parse(document, TrustPolicy) }

// parser compiles the nodes of one document. Element names, effects and the
// types of principals are case-sensitive; operators, actions and condition
// keys are not.
type parser struct {
	*document.Reader
	policy *Policy
}

func parse(text []byte, kind PolicyType) (*Policy, error) {
	r, root, err := document.Read(text)
	if err != nil {
		return nil, policyError(err)
	}
	p := &parser{Reader: r, policy: &Policy{Type: kind, Version: Version2008}}
	if err := p.document(&root); err != nil {
		return nil, policyError(err)
	}
	p.policy.index = indexOf(p.policy.Statements)
	return p.policy, nil
}

func policyError(err error) error {
	var f *document.Fault
	if !errors.As(err, &f) {
		return err
	}
	return &Error{Code: "MalformedPolicyDocument", Message: f.Message, Detail: f.Detail, Position: Position{f.Line, f.Column}}
}

func (p *parser) position(offset int) Position {
	line, column := p.Position(offset)
	return Position{line, column}
}

func (p *parser) document(root *document.Node) error {
	if root.Kind != document.Object {
		return p.ErrorAt(root.Start, document.SyntaxErrors, "a policy is a JSON object")
	}
	var statement *document.Node
	for i := range root.Members {
		m := &root.Members[i]
		var err error
		switch m.Name {
		case "Version":
			err = p.version(&m.Value)
		case "Id":
			p.policy.ID, err = p.text("Id", &m.Value)
		case "Statement":
			statement = &m.Value
		default:
			err = p.unknown(m, "Version", "Id", "Statement")
		}
		if err != nil {
			return err
		}
	}
	if statement == nil {
		return p.ErrorAt(root.Start, document.SyntaxErrors, "the policy has no Statement")
	}
	return p.statements(statement)
}

func (p *parser) version(n *document.Node) error {
	version, err := p.text("Version", n)
	if err != nil {
		return err
	}
	if version != Version2008 && version != Version2012 {
		return p.ErrorAt(n.Start, "The policy must contain a valid version string", "Version is %q, and can be %q or %q", document.Clip(version), Version2012, Version2008)
	}
	p.policy.Version = version
	return nil
}

func (p *parser) statements(n *document.Node) error {
	simulatorStart := n.Start + 1
	items := n.Items
	switch {
	case n.Kind == document.Object:
		items = []document.Node{*n}
	case n.Kind != document.List || len(n.Items) == 0:
		return p.ErrorAt(n.Start, document.SyntaxErrors, "Statement is one statement or a list of at least one")
	}
	sids := map[string]bool{}
	for i := range items {
		s, err := p.statement(&items[i])
		if err != nil {
			return err
		}
		if s.Sid != "" && sids[s.Sid] {
			return p.ErrorAt(items[i].Start, "Statement IDs (SID) in a single policy must be unique.", "another statement has the Sid %q too", document.Clip(s.Sid))
		}
		sids[s.Sid] = true
		s.Index, s.Start, s.End = i, p.position(items[i].Start), p.position(items[i].End)
		s.SimulatorStart = p.position(simulatorStart)
		simulatorStart = items[i].End
		p.policy.Statements = append(p.policy.Statements, s)
	}
	return nil
}

// statementNodes are the elements of a statement as the document has them.
type statementNodes struct {
	sid, effect, principal, action, resource, condition *document.Member
}

func (p *parser) statement(n *document.Node) (Statement, error) {
	var s Statement
	if n.Kind != document.Object {
		return s, p.ErrorAt(n.Start, document.SyntaxErrors, "a statement is a JSON object")
	}
	elements, err := p.elements(n)
	if err != nil {
		return s, err
	}
	for _, step := range []func(*Statement, *statementNodes, *document.Node) error{p.sid, p.effect, p.principal, p.actions, p.resources, p.conditions} {
		if err := step(&s, elements, n); err != nil {
			return s, err
		}
	}
	return s, nil
}

func (p *parser) elements(n *document.Node) (*statementNodes, error) {
	var e statementNodes
	for i := range n.Members {
		m := &n.Members[i]
		var place **document.Member
		switch m.Name {
		case "Sid":
			place = &e.sid
		case "Effect":
			place = &e.effect
		case "Principal", "NotPrincipal":
			place = &e.principal
		case "Action", "NotAction":
			place = &e.action
		case "Resource", "NotResource":
			place = &e.resource
		case "Condition":
			place = &e.condition
		default:
			return nil, p.unknown(m, "Sid", "Effect", "Principal", "NotPrincipal", "Action", "NotAction", "Resource", "NotResource", "Condition")
		}
		if *place != nil {
			return nil, p.ErrorAt(m.Start, document.SyntaxErrors, "a statement cannot have both %s and %s", (*place).Name, m.Name)
		}
		*place = m
	}
	return &e, nil
}

func (p *parser) sid(s *Statement, e *statementNodes, _ *document.Node) (err error) {
	if e.sid == nil {
		return nil
	}
	n := &e.sid.Value
	if s.Sid, err = p.text("Sid", n); err != nil || p.policy.Type == ResourcePolicy {
		return err
	}
	for _, c := range s.Sid {
		if (c < '0' || '9' < c) && (c < 'A' || 'Z' < c) && (c < 'a' || 'z' < c) {
			return p.ErrorAt(n.Start, "Statement IDs (SID) must be alpha-numeric. Check that your input satisfies the regular expression [0-9A-Za-z]*", "the Sid %q holds another character", document.Clip(s.Sid))
		}
	}
	return nil
}

func (p *parser) effect(s *Statement, e *statementNodes, n *document.Node) error {
	if e.effect == nil {
		return p.ErrorAt(n.Start, "Missing required field Effect", "a statement needs an Effect, which is Allow or Deny")
	}
	value := &e.effect.Value
	text, err := p.text("Effect", value)
	if err != nil {
		return err
	}
	if s.Effect.UnmarshalText([]byte(text)) != nil {
		return p.ErrorAt(value.Start, "Invalid effect: "+document.Clip(text), "Effect is Allow or Deny, in these letters")
	}
	return nil
}

func (p *parser) actions(s *Statement, e *statementNodes, n *document.Node) error {
	if e.action == nil {
		return p.ErrorAt(n.Start, "Policy statement must contain actions.", "add Action or NotAction")
	}
	s.actions.not = e.action.Name == "NotAction"
	values, err := p.texts(e.action.Name, &e.action.Value)
	if err != nil {
		return err
	}
	if len(values) == 0 {
		return p.ErrorAt(e.action.Value.Start, "Policy statement must contain actions.", "%s is an empty list", e.action.Name)
	}
	for i := range values {
		if err := p.checkAction(&values[i]); err != nil {
			return err
		}
		compiled, err := glob.Text(values[i].Text, glob.Options{Wildcards: true, Fold: glob.ASCIIFolding})
		if err != nil {
			return p.ErrorAt(values[i].Start, document.SyntaxErrors, "%s", err)
		}
		s.actions.list = append(s.actions.list, compiled)
	}
	return nil
}

func (p *parser) checkAction(n *document.Node) error {
	service, name, found := strings.Cut(n.Text, ":")
	switch {
	case p.policy.Type == TrustPolicy && !strings.EqualFold(service, "sts"):
		return p.ErrorAt(n.Start, "AssumeRole policy may only specify STS AssumeRole actions.", "%q is not an action of STS", document.Clip(n.Text))
	case n.Text == "*":
		return nil
	case !found || service == "" || name == "":
		return p.ErrorAt(n.Start, "Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc.", "%q is not of the form service:Action", document.Clip(n.Text))
	case strings.Contains(name, ":"):
		return p.ErrorAt(n.Start, "Actions/Conditions can contain only one colon.", "%q has more", document.Clip(n.Text))
	}
	if service == "*" {
		return nil
	}
	for _, c := range service {
		if (c < '0' || '9' < c) && (c < 'A' || 'Z' < c) && (c < 'a' || 'z' < c) && c != '-' && c != '.' {
			return p.ErrorAt(n.Start, "Vendor "+document.Clip(service)+" is not valid", "a service's prefix has letters, digits and hyphens")
		}
	}
	return nil
}

func (p *parser) resources(s *Statement, e *statementNodes, n *document.Node) error {
	switch {
	case e.resource == nil && p.policy.Type == TrustPolicy:
		return nil
	case e.resource == nil:
		return p.ErrorAt(n.Start, "Policy statement must contain resources.", "add Resource or NotResource")
	case p.policy.Type == TrustPolicy:
		return p.ErrorAt(e.resource.Start, "Has prohibited field Resource", "the resource of a trust policy is its role")
	}
	s.resourced, s.resources.not = true, e.resource.Name == "NotResource"
	values, err := p.texts(e.resource.Name, &e.resource.Value)
	if err != nil {
		return err
	}
	if len(values) == 0 {
		return p.ErrorAt(e.resource.Value.Start, "Policy statement must contain resources.", "%s is an empty list", e.resource.Name)
	}
	for i := range values {
		compiled, err := glob.ARN(values[i].Text, glob.Options{Wildcards: true, Variables: p.policy.Version == Version2012})
		if err != nil {
			return p.ErrorAt(values[i].Start, document.SyntaxErrors, "%s", err)
		}
		if !compiled.IsARN() {
			return p.ErrorAt(values[i].Start, "Resource "+document.Clip(values[i].Text)+" must be in ARN format or \"*\".", "an ARN has six parts between colons, the first of which is arn")
		}
		s.resources.list = append(s.resources.list, compiled)
	}
	return nil
}

// text returns the string that an element must be.
func (p *parser) text(element string, n *document.Node) (string, error) {
	if n.Kind != document.String {
		return "", p.ErrorAt(n.Start, document.SyntaxErrors, "%s is a string", element)
	}
	return n.Text, nil
}

// texts returns the values of an element that is a string or a list of them.
func (p *parser) texts(element string, n *document.Node) ([]document.Node, error) {
	items := []document.Node{*n}
	if n.Kind == document.List {
		items = n.Items
	}
	for i := range items {
		if _, err := p.text("a value of "+element, &items[i]); err != nil {
			return nil, err
		}
	}
	return items, nil
}

func (p *parser) unknown(m *document.Member, known ...string) error {
	for _, name := range known {
		if strings.EqualFold(m.Name, name) {
			return p.ErrorAt(m.Start, document.SyntaxErrors, "unknown element %q: the names of elements are case-sensitive, write %q", document.Clip(m.Name), name)
		}
	}
	return p.ErrorAt(m.Start, document.SyntaxErrors, "unknown element %q; there are %s", document.Clip(m.Name), strings.Join(known, ", "))
}
