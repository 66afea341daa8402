package check

import (
	"encoding/json"
	"fmt"
	"slices"

	"github.com/seed-615d3599/roost/cfn"
	"github.com/seed-615d3599/roost/iam"
	"github.com/seed-615d3599/roost/internal/region/resources"
)

// A model is a template as a question of access sees it: resources with
// symbolic properties, and who has which policies.
type model struct {
	config  Config
	made    []made
	holders []*holder
	// broken are policies that IAM would not take, by logical id.
	broken map[string]Property
}

// made is a resource with its symbolic properties.
type made struct {
	id, typeName string
	props        map[string]any
}

// A holder is a role, a user or a group with its policies.
type holder struct {
	made
	name     string // as policies name it
	arn      string
	policies []iam.Attached
	boundary iam.Attached
	trust    *iam.Policy // of a role
	// patterns are the resources that the policies speak of.
	patterns []string
	// unknown are managed policies whose documents are not known here.
	unknown []string
}

func newModel(plan *cfn.Stack, config Config) (*model, error) {
	m := &model{config: config, broken: map[string]Property{}}
	lookup := symbols(plan, config)
	for _, declared := range plan.Resources {
		result, err := plan.Properties(declared, lookup)
		if err != nil {
			continue // checkResource tells
		}
		props, _ := result.Value.(map[string]any)
		m.made = append(m.made, made{declared.LogicalID, declared.Type, props})
	}
	for _, one := range m.made {
		m.addHolder(one)
	}
	for _, h := range m.holders {
		m.ownPolicies(h)
	}
	for _, one := range m.made {
		m.attach(one)
	}
	m.joinGroups()
	return m, nil
}

// of returns the resources of a type.
func (m *model) of(typeName string) []made {
	var list []made
	for _, one := range m.made {
		if one.typeName == typeName {
			list = append(list, one)
		}
	}
	return list
}

// Types that hold policies, and their properties with their names.
func nameProperty(typeName string) string {
	switch typeName {
	case "AWS::IAM::Role":
		return "RoleName"
	case "AWS::IAM::User":
		return "UserName"
	case "AWS::IAM::Group":
		return "GroupName"
	}
	return ""
}

func (m *model) addHolder(one made) {
	property := nameProperty(one.typeName)
	if property == "" {
		return
	}
	h := &holder{made: one, name: symbol(one.id), arn: m.config.arn(one.typeName, one.id)}
	if one.typeName == "AWS::IAM::Role" {
		document := encode(one.props["AssumeRolePolicyDocument"])
		trust, err := iam.ParseTrust(document)
		if err != nil {
			m.broken[one.id] = Property{Path: "AssumeRolePolicyDocument", Verdict: Refused, Why: err.Error()}
		}
		h.trust = trust
	}
	m.holders = append(m.holders, h)
}

// ownPolicies reads the policies that a holder names itself.
func (m *model) ownPolicies(h *holder) {
	for i, inline := range resources.Children(h.props, "Policies") {
		path := fmt.Sprintf("Policies[%d].PolicyDocument", i)
		m.give(h, h.id, path, resources.Text(inline, "PolicyName"), inline["PolicyDocument"])
	}
	for _, arn := range resources.Texts(h.props, "ManagedPolicyArns") {
		m.giveManaged(h, arn)
	}
	if arn := resources.Text(h.props, "PermissionsBoundary"); arn != "" {
		h.boundary = m.boundary(h, arn)
	}
}

// attach reads a policy that is a resource of its own.
func (m *model) attach(one made) {
	targets := map[string][]string{}
	switch one.typeName {
	case "AWS::IAM::Policy", "AWS::IAM::ManagedPolicy":
		for property, kind := range map[string]string{"Roles": "AWS::IAM::Role", "Users": "AWS::IAM::User", "Groups": "AWS::IAM::Group"} {
			targets[kind] = resources.Texts(one.props, property)
		}
	case "AWS::IAM::RolePolicy":
		targets["AWS::IAM::Role"] = []string{resources.Text(one.props, "RoleName")}
	case "AWS::IAM::UserPolicy":
		targets["AWS::IAM::User"] = []string{resources.Text(one.props, "UserName")}
	case "AWS::IAM::GroupPolicy":
		targets["AWS::IAM::Group"] = []string{resources.Text(one.props, "GroupName")}
	default:
		return
	}
	for _, h := range m.holders {
		if slices.ContainsFunc(targets[h.typeName], h.called) {
			m.give(h, one.id, "PolicyDocument", one.id, one.props["PolicyDocument"])
		}
	}
}

// called reports whether a name in a template means the holder.
func (h *holder) called(name string) bool {
	return name == h.name || name != "" && name == resources.Text(h.props, nameProperty(h.typeName))
}

// give adds a policy to a holder. One that IAM would refuse is remembered under
// the resource that has it.
func (m *model) give(h *holder, id, path, name string, document any) {
	policy, err := iam.Parse(encode(document))
	if err != nil {
		m.broken[id] = Property{Path: path, Verdict: Refused, Why: err.Error()}
		return
	}
	h.policies = append(h.policies, iam.Attached{Name: name, Owner: h.arn, Policy: policy})
	h.patterns = append(h.patterns, spokenOf(document)...)
}

// giveManaged adds a managed policy: of the template, of AWS, or one that is
// not known.
func (m *model) giveManaged(h *holder, arn string) {
	for _, one := range m.of("AWS::IAM::ManagedPolicy") {
		if arn == m.managedARN(one) {
			m.give(h, one.id, "PolicyDocument", one.id, one.props["PolicyDocument"])
			return
		}
	}
	document, known := m.config.Managed(arn)
	if !known {
		h.unknown = append(h.unknown, arn)
		return
	}
	var decoded any
	if json.Unmarshal([]byte(document), &decoded) == nil {
		m.give(h, h.id, "ManagedPolicyArns", arn, decoded)
	}
}

func (m *model) managedARN(one made) string {
	return "arn:aws:iam::" + m.config.Account + ":policy/" + symbol(one.id)
}

// boundary reads a holder's permissions boundary. One that is not known allows
// nothing that can be promised.
func (m *model) boundary(h *holder, arn string) iam.Attached {
	limit := &holder{made: h.made}
	m.giveManaged(limit, arn)
	if len(limit.policies) == 0 {
		h.unknown = append(h.unknown, arn)
		return iam.Attached{}
	}
	return limit.policies[0]
}

// joinGroups gives users the policies of their groups.
func (m *model) joinGroups() {
	member := func(user, group string) {
		for _, u := range m.holders {
			for _, g := range m.holders {
				if u.typeName == "AWS::IAM::User" && g.typeName == "AWS::IAM::Group" && u.called(user) && g.called(group) {
					u.policies = append(u.policies, g.policies...)
					u.patterns = append(u.patterns, g.patterns...)
					u.unknown = append(u.unknown, g.unknown...)
				}
			}
		}
	}
	for _, u := range m.of("AWS::IAM::User") {
		for _, group := range resources.Texts(u.props, "Groups") {
			member(symbol(u.id), group)
		}
	}
	for _, addition := range m.of("AWS::IAM::UserToGroupAddition") {
		for _, user := range resources.Texts(addition.props, "Users") {
			member(user, resources.Text(addition.props, "GroupName"))
		}
	}
}

// spokenOf returns the resources of a policy document's statements.
func spokenOf(document any) []string {
	var patterns []string
	object, _ := document.(map[string]any)
	for _, statement := range list(object["Statement"]) {
		members, _ := statement.(map[string]any)
		for _, resource := range list(members["Resource"]) {
			if text, ok := resource.(string); ok {
				patterns = append(patterns, text)
			}
		}
	}
	return patterns
}

// list returns a list, or the one value that stands in the place of one.
func list(value any) []any {
	switch v := value.(type) {
	case nil:
		return nil
	case []any:
		return v
	}
	return []any{value}
}

// encode writes a document as JSON; what cannot be written reads as malformed.
func encode(document any) []byte {
	if text, ok := document.(string); ok {
		return []byte(text)
	}
	data, err := json.Marshal(document)
	if err != nil {
		return nil
	}
	return data
}
