package cfn

import (
	"slices"
	"strings"

	"github.com/seed-615d3599/roost/cfn/tree"
)

// Summary is what GetTemplateSummary and ValidateTemplate tell of a template
// besides its parameters, before anything in it is expanded.
type Summary struct {
	Version            string // "2010-09-09", or "" if the template does not say
	Transforms         []string
	ResourceTypes      []string // without doubles, in the template's order
	Capabilities       []string // what a caller must acknowledge
	CapabilitiesReason string   // "" where there are none
	Metadata           string   // the Metadata section as JSON, "" if there is none
}

// Capabilities that a caller acknowledges ("CreateStack", Capabilities).
const (
	CapabilityIAM        = "CAPABILITY_IAM"
	CapabilityNamedIAM   = "CAPABILITY_NAMED_IAM"
	CapabilityAutoExpand = "CAPABILITY_AUTO_EXPAND"
)

// Summary describes the template. Where a transform is declared, the
// capabilities are those of the template as written and CAPABILITY_AUTO_EXPAND.
func (t *Template) Summary() Summary {
	s := Summary{Transforms: t.Transforms}
	if v := t.Root.Get("AWSTemplateFormatVersion"); v != nil {
		s.Version = v.Text
	}
	if t.Metadata != nil {
		s.Metadata = string(t.Metadata.AppendJSON(nil))
	}
	var iam, named []string
	if resources := t.Root.Get("Resources"); resources != nil {
		for _, m := range resources.Members {
			kind := resourceType(m.Value)
			if kind == "" {
				continue
			}
			if !slices.Contains(s.ResourceTypes, kind) {
				s.ResourceTypes = append(s.ResourceTypes, kind)
			}
			switch name := iamName(kind); {
			case name == "":
			case m.Value.Get("Properties").Get(name) != nil:
				named = append(named, kind)
			default:
				iam = append(iam, kind)
			}
		}
	}
	s.Capabilities, s.CapabilitiesReason = capabilities(iam, named)
	if len(t.Transforms) > 0 {
		s.Capabilities = append(s.Capabilities, CapabilityAutoExpand)
	}
	return s
}

func resourceType(n *Node) string {
	if kind := n.Get("Type"); kind != nil && kind.Kind == tree.String {
		return kind.Text
	}
	return ""
}

// iamName is the property that gives an IAM resource a name of its own; "" for
// the types that need no capability, and for those without such a property a
// name that none has.
func iamName(kind string) string {
	switch kind {
	case "AWS::IAM::Role":
		return "RoleName"
	case "AWS::IAM::User":
		return "UserName"
	case "AWS::IAM::Group":
		return "GroupName"
	case "AWS::IAM::ManagedPolicy":
		return "ManagedPolicyName"
	case "AWS::IAM::InstanceProfile":
		return "InstanceProfileName"
	case "AWS::IAM::Policy", "AWS::IAM::AccessKey", "AWS::IAM::UserToGroupAddition":
		return "-"
	}
	return ""
}

func capabilities(iam, named []string) (list []string, reason string) {
	types := slices.Compact(slices.Sorted(slices.Values(slices.Concat(named, iam))))
	switch {
	case len(named) > 0:
		list = []string{CapabilityNamedIAM}
	case len(iam) > 0:
		list = []string{CapabilityIAM}
	default:
		return nil, ""
	}
	return list, "The following resource(s) require capabilities: [" + strings.Join(types, ", ") + "]"
}

// JSON returns the template as canonical JSON: the members in the order of the
// file, short forms in their long form, no spaces. After Expand it is what
// GetTemplate calls the processed template.
func (t *Template) JSON() []byte { return t.Root.AppendJSON(nil) }
