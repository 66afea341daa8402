package iam

import (
	"strings"
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
	*reader
	policy *Policy
}

func parse(document []byte, kind PolicyType) (*Policy, error) {
	r, root, err := readDocument(document)
	if err != nil {
		return nil, err
	}
	p := &parser{reader: r, policy: &Policy{Type: kind, Version: Version2008}}
	if err := p.document(&root); err != nil {
		return nil, err
	}
	return p.policy, nil
}

func (p *parser) document(root *node) error {
	if root.kind != objectNode {
		return p.errorAt(root.start, syntaxErrors, "a policy is a JSON object")
	}
	var statement *node
	for i := range root.members {
		m := &root.members[i]
		var err error
		switch m.name {
		case "Version":
			err = p.version(&m.value)
		case "Id":
			p.policy.ID, err = p.text("Id", &m.value)
		case "Statement":
			statement = &m.value
		default:
			err = p.unknown(m, "Version", "Id", "Statement")
		}
		if err != nil {
			return err
		}
	}
	if statement == nil {
		return p.errorAt(root.start, syntaxErrors, "the policy has no Statement")
	}
	return p.statements(statement)
}

func (p *parser) version(n *node) error {
	version, err := p.text("Version", n)
	if err != nil {
		return err
	}
	if version != Version2008 && version != Version2012 {
		return p.errorAt(n.start, "The policy must contain a valid version string", "Version is %q, and can be %q or %q", clip(version), Version2012, Version2008)
	}
	p.policy.Version = version
	return nil
}

func (p *parser) statements(n *node) error {
	simulatorStart := n.start + 1
	items := n.items
	switch {
	case n.kind == objectNode:
		items = []node{*n}
	case n.kind != listNode || len(n.items) == 0:
		return p.errorAt(n.start, syntaxErrors, "Statement is one statement or a list of at least one")
	}
	sids := map[string]bool{}
	for i := range items {
		s, err := p.statement(&items[i])
		if err != nil {
			return err
		}
		if s.Sid != "" && sids[s.Sid] {
			return p.errorAt(items[i].start, "Statement IDs (SID) in a single policy must be unique.", "another statement has the Sid %q too", clip(s.Sid))
		}
		sids[s.Sid] = true
		s.Index, s.Start, s.End = i, p.position(items[i].start), p.position(items[i].end)
		s.SimulatorStart = p.position(simulatorStart)
		simulatorStart = items[i].end
		p.policy.Statements = append(p.policy.Statements, s)
	}
	return nil
}

// statementNodes are the elements of a statement as the document has them.
type statementNodes struct {
	sid, effect, principal, action, resource, condition *member
}

func (p *parser) statement(n *node) (Statement, error) {
	var s Statement
	if n.kind != objectNode {
		return s, p.errorAt(n.start, syntaxErrors, "a statement is a JSON object")
	}
	elements, err := p.elements(n)
	if err != nil {
		return s, err
	}
	for _, step := range []func(*Statement, *statementNodes, *node) error{p.sid, p.effect, p.principal, p.actions, p.resources, p.conditions} {
		if err := step(&s, elements, n); err != nil {
			return s, err
		}
	}
	return s, nil
}

func (p *parser) elements(n *node) (*statementNodes, error) {
	var e statementNodes
	for i := range n.members {
		m := &n.members[i]
		var place **member
		switch m.name {
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
			return nil, p.errorAt(m.start, syntaxErrors, "a statement cannot have both %s and %s", (*place).name, m.name)
		}
		*place = m
	}
	return &e, nil
}

func (p *parser) sid(s *Statement, e *statementNodes, _ *node) (err error) {
	if e.sid == nil {
		return nil
	}
	n := &e.sid.value
	if s.Sid, err = p.text("Sid", n); err != nil || p.policy.Type == ResourcePolicy {
		return err
	}
	for _, c := range s.Sid {
		if (c < '0' || '9' < c) && (c < 'A' || 'Z' < c) && (c < 'a' || 'z' < c) {
			return p.errorAt(n.start, "Statement IDs (SID) must be alpha-numeric. Check that your input satisfies the regular expression [0-9A-Za-z]*", "the Sid %q holds another character", clip(s.Sid))
		}
	}
	return nil
}

func (p *parser) effect(s *Statement, e *statementNodes, n *node) error {
	if e.effect == nil {
		return p.errorAt(n.start, "Missing required field Effect", "a statement needs an Effect, which is Allow or Deny")
	}
	value := &e.effect.value
	text, err := p.text("Effect", value)
	if err != nil {
		return err
	}
	if s.Effect.UnmarshalText([]byte(text)) != nil {
		return p.errorAt(value.start, "Invalid effect: "+clip(text), "Effect is Allow or Deny, in these letters")
	}
	return nil
}

func (p *parser) actions(s *Statement, e *statementNodes, n *node) error {
	if e.action == nil {
		return p.errorAt(n.start, "Policy statement must contain actions.", "add Action or NotAction")
	}
	s.actions.not = e.action.name == "NotAction"
	values, err := p.texts(e.action.name, &e.action.value)
	if err != nil {
		return err
	}
	if len(values) == 0 {
		return p.errorAt(e.action.value.start, "Policy statement must contain actions.", "%s is an empty list", e.action.name)
	}
	for i := range values {
		if err := p.checkAction(&values[i]); err != nil {
			return err
		}
		compiled, err := compileText(values[i].text, options{wildcards: true, fold: asciiFolding})
		if err != nil {
			return p.errorAt(values[i].start, syntaxErrors, "%s", err)
		}
		s.actions.list = append(s.actions.list, compiled)
	}
	return nil
}

func (p *parser) checkAction(n *node) error {
	service, name, found := strings.Cut(n.text, ":")
	switch {
	case p.policy.Type == TrustPolicy && !strings.EqualFold(service, "sts"):
		return p.errorAt(n.start, "AssumeRole policy may only specify STS AssumeRole actions.", "%q is not an action of STS", clip(n.text))
	case n.text == "*":
		return nil
	case !found || service == "" || name == "":
		return p.errorAt(n.start, "Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc.", "%q is not of the form service:Action", clip(n.text))
	case strings.Contains(name, ":"):
		return p.errorAt(n.start, "Actions/Conditions can contain only one colon.", "%q has more", clip(n.text))
	}
	if service == "*" {
		return nil
	}
	for _, c := range service {
		if (c < '0' || '9' < c) && (c < 'A' || 'Z' < c) && (c < 'a' || 'z' < c) && c != '-' && c != '.' {
			return p.errorAt(n.start, "Vendor "+clip(service)+" is not valid", "a service's prefix has letters, digits and hyphens")
		}
	}
	return nil
}

func (p *parser) resources(s *Statement, e *statementNodes, n *node) error {
	switch {
	case e.resource == nil && p.policy.Type == TrustPolicy:
		return nil
	case e.resource == nil:
		return p.errorAt(n.start, "Policy statement must contain resources.", "add Resource or NotResource")
	case p.policy.Type == TrustPolicy:
		return p.errorAt(e.resource.start, "Has prohibited field Resource", "the resource of a trust policy is its role")
	}
	s.resourced, s.resources.not = true, e.resource.name == "NotResource"
	values, err := p.texts(e.resource.name, &e.resource.value)
	if err != nil {
		return err
	}
	if len(values) == 0 {
		return p.errorAt(e.resource.value.start, "Policy statement must contain resources.", "%s is an empty list", e.resource.name)
	}
	for i := range values {
		compiled, err := compileARN(values[i].text, options{wildcards: true, variables: p.policy.Version == Version2012})
		if err != nil {
			return p.errorAt(values[i].start, syntaxErrors, "%s", err)
		}
		if !isARNPattern(&compiled) {
			return p.errorAt(values[i].start, "Resource "+clip(values[i].text)+" must be in ARN format or \"*\".", "an ARN has six parts between colons, the first of which is arn")
		}
		s.resources.list = append(s.resources.list, compiled)
	}
	return nil
}

// isARNPattern accepts "*", the six parts of an ARN, and fewer if the last
// one ends in *.
func isARNPattern(p *pattern) bool {
	if p.source == "*" {
		return true
	}
	return strings.HasPrefix(p.source, "arn:") && (len(p.parts) == 6 || strings.HasSuffix(p.source, "*"))
}

// text returns the string that an element must be.
func (p *parser) text(element string, n *node) (string, error) {
	if n.kind != stringNode {
		return "", p.errorAt(n.start, syntaxErrors, "%s is a string", element)
	}
	return n.text, nil
}

// texts returns the values of an element that is a string or a list of them.
func (p *parser) texts(element string, n *node) ([]node, error) {
	items := []node{*n}
	if n.kind == listNode {
		items = n.items
	}
	for i := range items {
		if _, err := p.text("a value of "+element, &items[i]); err != nil {
			return nil, err
		}
	}
	return items, nil
}

func (p *parser) unknown(m *member, known ...string) error {
	for _, name := range known {
		if strings.EqualFold(m.name, name) {
			return p.errorAt(m.start, syntaxErrors, "unknown element %q: the names of elements are case-sensitive, write %q", clip(m.name), name)
		}
	}
	return p.errorAt(m.start, syntaxErrors, "unknown element %q; there are %s", clip(m.name), strings.Join(known, ", "))
}
