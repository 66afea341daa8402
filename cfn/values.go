package cfn

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/seed-615d3599/roost/cfn/tree"
)

// Given is what a caller says about parameters.
type Given struct {
	// Values are those passed, by name.
	Values map[string]string
	// UsePrevious names those that keep what the stack has now.
	UsePrevious []string
	// Previous is what the stack has now, by name, nil for a new stack.
	Previous map[string]string
	// SSM returns the value of an SSM parameter for the types
	// AWS::SSM::Parameter::Value<…>; ok is false if there is none. The value of
	// a StringList is its members joined by commas. Nil refuses the types.
	SSM func(name string) (value string, ok bool, err error)
}

// Value is what one parameter comes to.
type Value struct {
	Name   string
	Raw    string // as given: of an SSM type the name of the SSM parameter
	Text   string // what Ref gives, before a list is split
	List   []string
	IsList bool
	NoEcho bool
	SSM    bool // Text was read from SSM
}

// Masked returns Raw, or "****" for a NoEcho parameter, as CloudFormation's API shows it.
func (v Value) Masked() string {
	if v.NoEcho {
		return "****"
	}
	return v.Raw
}

// Values is what the parameters of a template come to, in the template's order.
type Values []Value

// Get returns the value of a parameter.
func (v Values) Get(name string) (Value, bool) {
	for _, one := range v {
		if one.Name == name {
			return one, true
		}
	}
	return Value{}, false
}

// Resolve gives each parameter its value: the one given, the previous one
// where that is asked for, or its default. The error is an Errors, with the
// texts of CloudFormation.
func (t *Template) Resolve(g Given) (Values, error) {
	r := &resolver{t: t, g: g, Problems: tree.Problems{Root: t.Root}}
	r.strangers()
	var values Values
	var missing []string
	for _, p := range t.Parameters {
		raw, ok := r.raw(p)
		if !ok {
			missing = append(missing, p.Name)
			continue
		}
		values = append(values, r.value(p, raw))
	}
	if len(missing) > 0 {
		r.Add(t.Root.Get("Parameters"), "Parameters: [%s] must have values", strings.Join(missing, ", "))
	}
	if err := r.Err(); err != nil {
		return nil, err
	}
	return values, nil
}

type resolver struct {
	t *Template
	g Given
	tree.Problems
}

func (r *resolver) strangers() {
	var list []string
	for name := range r.g.Values {
		if r.t.Parameter(name) == nil {
			list = append(list, name)
		}
	}
	for _, name := range r.g.UsePrevious {
		if r.t.Parameter(name) == nil {
			list = append(list, name)
		}
	}
	if len(list) > 0 {
		slices.Sort(list)
		r.Add(r.t.Root.Get("Parameters"), "Parameters: [%s] do not exist in the template", strings.Join(slices.Compact(list), ", "))
	}
}

func (r *resolver) raw(p *Parameter) (string, bool) {
	if slices.Contains(r.g.UsePrevious, p.Name) {
		raw, ok := r.g.Previous[p.Name]
		if !ok {
			r.Add(p.Node, "Invalid input for parameter key %s. Cannot specify usePreviousValue as true for a parameter key not in the previous template", p.Name)
		}
		return raw, true
	}
	if raw, ok := r.g.Values[p.Name]; ok {
		return raw, true
	}
	if p.Default != nil {
		return *p.Default, true
	}
	return "", false
}

func (r *resolver) value(p *Parameter, raw string) Value {
	v := Value{Name: p.Name, Raw: raw, Text: raw, NoEcho: p.NoEcho, IsList: p.IsList()}
	if p.SSM() != "" {
		v.SSM = true
		v.Text = r.ssm(p, raw)
	}
	if text := p.check(raw); text != "" {
		r.Add(p.Node, "%s", text)
	}
	if v.IsList {
		v.List = splitList(v.Text)
	}
	return v
}

func (r *resolver) ssm(p *Parameter, name string) string {
	if r.g.SSM == nil {
		r.Add(p.Node, "Parameter '%s' is of type %s, and no parameter store can be read here", p.Name, p.Type)
		return ""
	}
	value, ok, err := r.g.SSM(name)
	switch {
	case err != nil:
		r.Add(p.Node, "%v", err)
	case !ok:
		r.Add(p.Node, "Unable to fetch parameters [%s] from parameter store for this account.", name)
	}
	return value
}

// splitList reads a CommaDelimitedList: members are trimmed, and "" is a list
// of one empty string, as CloudFormation has it.
func splitList(s string) []string {
	list := strings.Split(s, ",")
	for i := range list {
		list[i] = strings.TrimSpace(list[i])
	}
	return list
}

// check returns what is wrong with a value, "" for nothing. A
// ConstraintDescription replaces the reason.
func (p *Parameter) check(raw string) string {
	if len(raw) > MaxValueBytes {
		return fmt.Sprintf("Parameter '%s' must contain at most %d characters", p.Name, MaxValueBytes)
	}
	members := []string{raw}
	if p.IsList() && p.SSM() == "" {
		members = splitList(raw)
	}
	for _, member := range members {
		reason := p.violates(member)
		switch {
		case reason == "":
		case p.ConstraintDescription != "":
			return fmt.Sprintf("Parameter '%s' failed to satisfy constraint: %s", p.Name, p.ConstraintDescription)
		default:
			return fmt.Sprintf("Parameter '%s' %s", p.Name, reason)
		}
	}
	return ""
}

// violates names the first constraint that one value does not meet.
func (p *Parameter) violates(value string) string {
	length := utf8.RuneCountInString(value)
	switch {
	case p.isNumber():
		if reason := p.outside(value); reason != "" {
			return reason
		}
	case p.MinLength != nil && length < *p.MinLength:
		return fmt.Sprintf("must contain at least %d characters", *p.MinLength)
	case p.MaxLength != nil && length > *p.MaxLength:
		return fmt.Sprintf("must contain at most %d characters", *p.MaxLength)
	}
	switch {
	case p.pattern != nil && !p.pattern.MatchString(value):
		return "must match pattern " + p.AllowedPattern
	case len(p.AllowedValues) > 0 && !slices.Contains(p.AllowedValues, value):
		return "must be one of AllowedValues"
	}
	return ""
}

func (p *Parameter) outside(value string) string {
	n, ok := number(strings.TrimSpace(value))
	switch {
	case !ok:
		return "must be a number"
	case p.MinValue != nil && n.Cmp(p.MinValue) < 0:
		return "must be a number not less than " + p.minValue
	case p.MaxValue != nil && n.Cmp(p.MaxValue) > 0:
		return "must be a number not greater than " + p.maxValue
	}
	return ""
}
