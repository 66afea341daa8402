package check

import (
	"cmp"
	"strings"

	"github.com/seed-615d3599/roost/cfn"
)

// values gives each parameter of a template a value: the given one, its
// default, or one that is made up.
func values(template *cfn.Template, given map[string]string) (all cfn.Given, assumed []string) {
	all = cfn.Given{Values: map[string]string{}, SSM: func(name string) (string, bool, error) { return name, true, nil }}
	for _, p := range template.Parameters {
		value, found := given[p.Name]
		switch {
		case found:
			all.Values[p.Name] = value
		case p.Default == nil:
			all.Values[p.Name] = madeUp(p)
			assumed = append(assumed, p.Name)
		}
	}
	return all, assumed
}

// madeUp returns a value that a parameter's constraints allow, its pattern
// aside.
func madeUp(p *cfn.Parameter) string {
	if len(p.AllowedValues) > 0 {
		return p.AllowedValues[0]
	}
	if strings.Contains(p.Type, "Number") {
		if p.MinValue != nil {
			return p.MinValue.RatString()
		}
		return "1"
	}
	text := cmp.Or(p.Name, "x")
	if strings.HasPrefix(p.Name, "AssetParameters") && strings.Contains(p.Name, "VersionKey") {
		return "assets||" + text // templates of CDK version 1 split the key of an asset there
	}
	if p.MinLength != nil && len(text) < *p.MinLength {
		text += strings.Repeat("x", *p.MinLength-len(text))
	}
	if p.MaxLength != nil && len(text) > *p.MaxLength {
		text = text[:*p.MaxLength]
	}
	return text
}

// unknowns answers an evaluation where nothing exists yet.
func unknowns() cfn.Lookup {
	unknown := func(string) (any, error) { return cfn.Unknown{}, nil }
	return cfn.Lookup{Ref: unknown, ImportValue: unknown, AvailabilityZones: zones,
		GetAtt:  func(string, string) (any, error) { return cfn.Unknown{}, nil },
		Dynamic: func(d cfn.DynamicReference) (string, error) { return d.Text, nil },
	}
}

// symbols answers an evaluation with names in the place of what a deployment
// would make.
func symbols(plan *cfn.Stack, config Config) cfn.Lookup {
	typeOf := func(id string) string {
		if r := plan.Resource(id); r != nil {
			return r.Type
		}
		return ""
	}
	return cfn.Lookup{
		Ref: func(id string) (any, error) {
			if typeOf(id) == "AWS::IAM::ManagedPolicy" {
				return "arn:aws:iam::" + config.Account + ":policy/" + symbol(id), nil
			}
			return symbol(id), nil
		},
		GetAtt: func(id, attribute string) (any, error) {
			if attribute == "Arn" {
				return config.arn(typeOf(id), id), nil
			}
			return symbol(id + "." + attribute), nil
		},
		ImportValue:       func(name string) (any, error) { return symbol(name), nil },
		AvailabilityZones: zones,
		Dynamic:           func(d cfn.DynamicReference) (string, error) { return symbol(d.Name), nil },
	}
}

// symbol is the name that stands for what is not known.
func symbol(name string) string { return "<" + name + ">" }

// arn is the symbolic ARN of a resource, in the form that AWS documents for its
// type where policies speak of it ("Service Authorization Reference").
func (c Config) arn(typeName, id string) string {
	switch typeName {
	case "AWS::IAM::Role":
		return "arn:aws:iam::" + c.Account + ":role/" + symbol(id)
	case "AWS::IAM::User":
		return "arn:aws:iam::" + c.Account + ":user/" + symbol(id)
	case "AWS::IAM::Group":
		return "arn:aws:iam::" + c.Account + ":group/" + symbol(id)
	case "AWS::Lambda::Function":
		return "arn:aws:lambda:" + c.Region + ":" + c.Account + ":function:" + symbol(id)
	case "AWS::Logs::LogGroup":
		return "arn:aws:logs:" + c.Region + ":" + c.Account + ":log-group:" + symbol(id) + ":*"
	}
	return symbol(id + ".Arn")
}

// zones answers Fn::GetAZs as CloudFormation does for most regions.
func zones(region string) ([]string, error) {
	return []string{region + "a", region + "b", region + "c"}, nil
}
