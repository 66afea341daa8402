package cfn

import (
	"errors"
	"math/big"
	"regexp"
	"regexp/syntax"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/seed-615d3599/roost/cfn/tree"
)

// Parameter is one entry of the Parameters section ("Parameters section").
// Bounds are nil where the template has none.
type Parameter struct {
	Name                  string
	Type                  string
	Default               *string
	NoEcho                bool
	AllowedValues         []string
	AllowedPattern        string // "" for none; matches the whole value
	ConstraintDescription string
	Description           string
	MinLength, MaxLength  *int
	MinValue, MaxValue    *big.Rat
	Node                  *Node

	pattern            *regexp.Regexp
	minValue, maxValue string // as the template writes them
}

const ssmValue = "AWS::SSM::Parameter::Value<"

// awsTypes are the types whose values AWS looks up in the account ("AWS-specific
// parameter types"). Nothing in this package can look them up, so their values
// are taken as they are.
func awsTypes() []string {
	return []string{
		"AWS::EC2::AvailabilityZone::Name", "AWS::EC2::Image::Id", "AWS::EC2::Instance::Id", "AWS::EC2::KeyPair::KeyName",
		"AWS::EC2::SecurityGroup::GroupName", "AWS::EC2::SecurityGroup::Id", "AWS::EC2::Subnet::Id", "AWS::EC2::Volume::Id",
		"AWS::EC2::VPC::Id", "AWS::Route53::HostedZone::Id",
	}
}

// knownType reports whether CloudFormation has a type of parameter.
func knownType(t string) bool {
	if inner, ok := strings.CutPrefix(t, ssmValue); ok {
		inner, closed := strings.CutSuffix(inner, ">")
		return closed && inner != "Number" && inner != "List<Number>" && (inner == "List<String>" || knownType(inner)) && !strings.HasPrefix(inner, ssmValue)
	}
	switch t {
	case "String", "Number", "List<Number>", "CommaDelimitedList", "AWS::SSM::Parameter::Name":
		return true
	}
	if inner, ok := strings.CutPrefix(t, "List<"); ok {
		inner, closed := strings.CutSuffix(inner, ">")
		return closed && inner != "AWS::EC2::KeyPair::KeyName" && slices.Contains(awsTypes(), inner)
	}
	return slices.Contains(awsTypes(), t)
}

// SSM returns the type inside AWS::SSM::Parameter::Value<…>, or "" if the
// parameter does not name an SSM parameter.
func (p *Parameter) SSM() string {
	inner, ok := strings.CutPrefix(p.Type, ssmValue)
	if !ok {
		return ""
	}
	return strings.TrimSuffix(inner, ">")
}

// IsList reports whether Ref gives a list.
func (p *Parameter) IsList() bool {
	t := p.Type
	if inner := p.SSM(); inner != "" {
		t = inner
	}
	return t == "CommaDelimitedList" || strings.HasPrefix(t, "List<")
}

// typeOf is Type, and "" for a parameter that the template does not have.
func (p *Parameter) typeOf() string {
	if p == nil {
		return ""
	}
	return p.Type
}

func (p *Parameter) isNumber() bool { return p.Type == "Number" || p.Type == "List<Number>" }

func (d *decoder) parameters(n *Node) {
	for _, m := range d.object("Parameters", n, MaxParameters) {
		if !alphanumeric().MatchString(m.Key) {
			d.Add(m.Value, "Template format error: Parameter names [%s] are non alphanumeric", m.Key)
			continue
		}
		if m.Value.Kind != tree.Map {
			d.Add(m.Value, "Template format error: Any Parameters member must be an object.")
			continue
		}
		d.t.Parameters = append(d.t.Parameters, d.parameter(m))
	}
}

func (d *decoder) parameter(m tree.Member) *Parameter {
	p := &Parameter{Name: m.Key, Node: m.Value}
	for _, a := range m.Value.Members {
		d.parameterAttribute(p, a)
	}
	switch {
	case m.Value.Get("Type") == nil:
		d.Add(m.Value, "Template format error: Every Parameters object must contain a Type member.")
	case !knownType(p.Type):
		d.Add(m.Value.Get("Type"), "Template format error: Unrecognized parameter type: %s", p.Type)
	default:
		d.constraints(p)
	}
	return p
}

func (d *decoder) parameterAttribute(p *Parameter, a tree.Member) {
	v := a.Value
	switch a.Key {
	case "Type":
		p.Type = d.text(a)
	case "Description":
		p.Description = d.text(a)
	case "ConstraintDescription":
		p.ConstraintDescription = d.text(a)
	case "AllowedPattern":
		p.AllowedPattern = d.text(a)
		var err error
		if p.pattern, err = d.compile(p.AllowedPattern); err != nil {
			d.Add(v, "Template format error: AllowedPattern of parameter %s: %v", p.Name, err)
		}
	case "Default":
		p.Default = d.defaultValue(v)
	case "NoEcho":
		p.NoEcho = v.Scalar() && strings.EqualFold(v.Text, "true")
		if !v.Scalar() {
			d.Add(v, "Template format error: Every NoEcho member must be a boolean.")
		}
	case "AllowedValues":
		p.AllowedValues = d.allowedValues(v)
	case "MinLength":
		p.MinLength = d.length(a)
	case "MaxLength":
		p.MaxLength = d.length(a)
	case "MinValue":
		p.MinValue, p.minValue = d.bound(a)
	case "MaxValue":
		p.MaxValue, p.maxValue = d.bound(a)
	default:
		d.Add(v, "Invalid template parameter property '%s'", a.Key)
	}
}

// maxPatterns bounds the size of all patterns of a template, in instructions of
// Go's regexp: what matching costs is that times the length of the value.
const maxPatterns = 10_000

// compile anchors a pattern, which CloudFormation matches against the whole
// value. Java's lookaheads and back-references are refused by Go's regexp,
// which in turn never takes exponential time.
func (d *decoder) compile(pattern string) (*regexp.Regexp, error) {
	whole := `\A(?:` + pattern + `)\z`
	parsed, err := syntax.Parse(whole, syntax.Perl)
	if err != nil {
		return nil, err
	}
	program, err := syntax.Compile(parsed.Simplify())
	if err != nil {
		return nil, err
	}
	if d.patterns += len(program.Inst); d.patterns > maxPatterns {
		return nil, errors.New("the patterns of the template are too large to be matched")
	}
	return regexp.Compile(whole)
}

func (d *decoder) defaultValue(v *Node) *string {
	if !v.Scalar() {
		d.Add(v, "Template format error: Every Default member must be a string.")
		return nil
	}
	return &v.Text
}

func (d *decoder) allowedValues(v *Node) []string {
	if v.Kind != tree.List || len(v.Items) == 0 {
		d.Add(v, "Template format error: Every AllowedValues member must be a list.")
		return nil
	}
	var list []string
	for _, item := range v.Items {
		if !item.Scalar() {
			d.Add(item, "Template format error: Every AllowedValues value must be a string.")
			continue
		}
		list = append(list, item.Text)
	}
	return list
}

func (d *decoder) length(a tree.Member) *int {
	n, err := strconv.Atoi(a.Value.Text)
	if err != nil || n < 0 || !a.Value.Scalar() {
		d.Add(a.Value, "Template format error: Every %s member must be a number.", a.Key)
		return nil
	}
	return &n
}

func (d *decoder) bound(a tree.Member) (*big.Rat, string) {
	n, ok := number(a.Value.Text)
	if !ok || !a.Value.Scalar() {
		d.Add(a.Value, "Template format error: Every %s member must be a number.", a.Key)
		return nil, ""
	}
	return n, a.Value.Text
}

var decimal = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`^[+-]?([0-9]{1,40}(\.[0-9]{0,40})?|\.[0-9]{1,40})([eE][+-]?[0-9]{1,2})?$`)
})

// number reads a decimal exactly; the bound on its digits and exponent keeps
// "1e999999999" from filling memory.
func number(s string) (*big.Rat, bool) {
	if !decimal().MatchString(s) {
		return nil, false
	}
	return new(big.Rat).SetString(s)
}

// constraints refuses those that do not go with the type, and a default
// against them.
func (d *decoder) constraints(p *Parameter) {
	if p.isNumber() && (p.MinLength != nil || p.MaxLength != nil) {
		d.Add(p.Node, "Template format error: Parameter '%s' is of type %s, which MinLength and MaxLength do not go with", p.Name, p.Type)
	}
	if !p.isNumber() && (p.MinValue != nil || p.MaxValue != nil) {
		d.Add(p.Node, "Template format error: Parameter '%s' is of type %s, which MinValue and MaxValue do not go with", p.Name, p.Type)
	}
	if p.Default == nil || p.SSM() != "" {
		return
	}
	if text := p.check(*p.Default); text != "" {
		d.Add(p.Node.Get("Default"), "Template format error: Invalid default: %s", text)
	}
}
