package eval

import (
	"encoding/base64"
	"encoding/json"
	"strconv"
	"strings"

	"github.com/seed-615d3599/roost/cfn/tree"
)

// ref gives a parameter, a pseudo parameter or what the resource returns.
func (e *evaluator) ref(n *tree.Node, name string) (any, error) {
	if strings.HasPrefix(name, "AWS::") {
		return e.pseudo(n, name)
	}
	if p, ok := e.s.Parameters[name]; ok {
		if p.NoEcho {
			e.used++
		}
		if list, ok := p.Value.([]any); ok {
			return list, e.charge(n, len(list))
		}
		return p.Value, nil
	}
	switch {
	case !e.s.Resources[name]:
		return nil, e.fail(n, UnresolvedText, name, "Resources")
	case e.l.Ref == nil:
		return Unknown{}, nil
	}
	value, err := e.l.Ref(name)
	if err != nil {
		return nil, e.fail(n, "%v", err)
	}
	return value, nil
}

func (e *evaluator) pseudo(n *tree.Node, name string) (any, error) {
	p := e.s.Pseudo
	switch name {
	case "AWS::AccountId":
		return p.AccountID, nil
	case "AWS::Region":
		return p.Region, nil
	case "AWS::Partition":
		return orElse(p.Partition, "aws"), nil
	case "AWS::URLSuffix":
		return orElse(p.URLSuffix, "amazonaws.com"), nil
	case "AWS::StackId":
		return p.StackID, nil
	case "AWS::StackName":
		return p.StackName, nil
	case "AWS::NoValue":
		return noValue{}, nil
	case "AWS::NotificationARNs":
		list := make([]any, len(p.NotificationARNs))
		for i, arn := range p.NotificationARNs {
			list[i] = arn
		}
		return list, nil
	}
	return nil, e.fail(n, UnresolvedText, name, "Resources")
}

func orElse(s, other string) string {
	if s == "" {
		return other
	}
	return s
}

func (e *evaluator) getAtt(n, arg *tree.Node) (any, error) {
	id, name := getAttArguments(arg)
	attribute, known, err := e.text(name)
	if err != nil || !known {
		return Unknown{}, err
	}
	return e.attribute(n, id.Text, attribute)
}

func (e *evaluator) attribute(n *tree.Node, id, attribute string) (any, error) {
	switch {
	case !e.s.Resources[id]:
		return nil, e.fail(n, "Template error: instance of Fn::GetAtt references undefined resource %s", id)
	case e.l.GetAtt == nil:
		return Unknown{}, nil
	}
	value, err := e.l.GetAtt(id, attribute)
	if err != nil {
		return nil, e.fail(n, "%v", err)
	}
	if secret, ok := value.(Secret); ok {
		e.used++
		return secret.Value, nil
	}
	return value, nil
}

// text evaluates a node that must come to a string; known is false if it is Unknown.
func (e *evaluator) text(n *tree.Node) (text string, known bool, err error) {
	value, err := e.value(n)
	if err != nil {
		return "", false, err
	}
	if isUnknown(value) {
		return "", false, nil
	}
	text, ok := Text(value)
	if !ok {
		return "", false, e.fail(n, "Template error: a string is needed here, and this is %s", kindOf(value))
	}
	return text, true, nil
}

func kindOf(value any) string {
	switch value.(type) {
	case []any:
		return tree.List.String()
	case map[string]any:
		return tree.Map.String()
	case noValue:
		return "AWS::NoValue"
	}
	return tree.String.String()
}

// items evaluates a node that must come to a list, and says what is wanted
// where it does not; known is false if the whole list is Unknown.
func (e *evaluator) items(n *tree.Node, wanted string) (list []any, known bool, err error) {
	value, err := e.value(n)
	if err != nil {
		return nil, false, err
	}
	if isUnknown(value) {
		return nil, false, nil
	}
	list, ok := value.([]any)
	if !ok {
		return nil, false, e.fail(n, "%s", wanted)
	}
	return list, true, nil
}

func (e *evaluator) sub(n, arg *tree.Node) (any, error) {
	text, variables := subArguments(arg)
	parts, bad := parseSub(text.Text)
	if bad != "" {
		return nil, e.fail(n, BadSubName)
	}
	var b strings.Builder
	unknown := false
	for _, part := range parts {
		piece, known := part.text, true
		if part.name {
			var err error
			if piece, known, err = e.variable(n, part.text, variables); err != nil {
				return nil, err
			}
		}
		unknown = unknown || !known
		if err := e.charge(n, len(piece)); err != nil {
			return nil, err
		}
		b.WriteString(piece)
	}
	if unknown {
		return Unknown{}, nil
	}
	return b.String(), nil
}

// variable gives what "${name}" stands for: one of Sub's own variables, then
// what Ref gives, or with a dot what GetAtt gives.
func (e *evaluator) variable(n *tree.Node, name string, variables *tree.Node) (string, bool, error) {
	if own := variables.Get(name); own != nil {
		return e.text(own)
	}
	var value any
	var err error
	if id, attribute, dotted := strings.Cut(name, "."); dotted {
		value, err = e.attribute(n, id, attribute)
	} else {
		value, err = e.ref(n, name)
	}
	if err != nil || isUnknown(value) {
		return "", false, err
	}
	if list, ok := value.([]any); ok { // a list parameter reads as it was given
		return e.commaJoined(n, name, list)
	}
	text, ok := Text(value)
	if !ok {
		return "", false, e.fail(n, "Template error: ${%s} in Fn::Sub is %s and must be a string", name, kindOf(value))
	}
	return text, true, nil
}

func (e *evaluator) commaJoined(n *tree.Node, name string, list []any) (string, bool, error) {
	texts := make([]string, len(list))
	for i, item := range list {
		text, ok := Text(item)
		if !ok {
			return "", false, e.fail(n, "Template error: ${%s} in Fn::Sub must be a string", name)
		}
		texts[i] = text
	}
	return strings.Join(texts, ","), true, nil
}

func (e *evaluator) join(n, arg *tree.Node) (any, error) {
	list, known, err := e.items(arg.Items[1], badJoin)
	if err != nil || !known {
		return Unknown{}, err
	}
	texts := make([]string, 0, len(list))
	for _, item := range list {
		if isUnknown(item) {
			return Unknown{}, nil
		}
		text, ok := Text(item)
		if !ok {
			return nil, e.fail(n, badJoin)
		}
		if err := e.charge(n, len(text)+len(arg.Items[0].Text)); err != nil {
			return nil, err
		}
		texts = append(texts, text)
	}
	return strings.Join(texts, arg.Items[0].Text), nil
}

func (e *evaluator) split(n, arg *tree.Node) (any, error) {
	text, known, err := e.text(arg.Items[1])
	if err != nil || !known {
		return Unknown{}, err
	}
	if arg.Items[0].Text == "" {
		return nil, e.fail(n, "Template error: the delimiter of Fn::Split must not be empty")
	}
	parts := strings.Split(text, arg.Items[0].Text)
	list := make([]any, len(parts))
	for i, part := range parts {
		list[i] = part
	}
	return list, e.charge(n, len(text)+len(list))
}

func (e *evaluator) selectOne(n, arg *tree.Node) (any, error) {
	text, known, err := e.text(arg.Items[0])
	if err != nil {
		return nil, err
	}
	list, whole, err := e.items(arg.Items[1], badSelect)
	if err != nil || !known || !whole {
		return Unknown{}, err
	}
	index, err := strconv.Atoi(text)
	if err != nil {
		return nil, e.fail(n, badSelect)
	}
	if index < 0 || index >= len(list) {
		return nil, e.fail(n, "Template error: Fn::Select  cannot select nonexistent value at index %d", index)
	}
	return list[index], nil
}

func (e *evaluator) findInMap(n, arg *tree.Node) (any, error) {
	var keys [3]string
	for i := range keys {
		text, known, err := e.text(arg.Items[i])
		if err != nil || !known {
			return Unknown{}, err
		}
		keys[i] = text
	}
	found := e.s.Mappings[keys[0]].Get(keys[1]).Get(keys[2])
	switch {
	case found != nil:
		return found.Value(), e.charge(n, found.Size()+len(found.Text))
	case len(arg.Items) == 4:
		return e.value(arg.Items[3].Get("DefaultValue"))
	}
	return nil, e.fail(n, "Template error: Unable to get mapping for %s", strings.Join(keys[:], "::"))
}

func (e *evaluator) base64(n, arg *tree.Node) (any, error) {
	text, known, err := e.text(arg)
	if err != nil || !known {
		return Unknown{}, err
	}
	return base64.StdEncoding.EncodeToString([]byte(text)), e.charge(n, 2*len(text))
}

// getAZs lists the zones of a region; "" is the stack's own.
func (e *evaluator) getAZs(n, arg *tree.Node) (any, error) {
	region, known, err := e.text(arg)
	if err != nil || !known {
		return Unknown{}, err
	}
	if e.rehearsal {
		return Unknown{}, nil
	}
	if e.l.AvailabilityZones == nil {
		return nil, e.fail(n, "Template error: Fn::GetAZs cannot be used here: the availability zones are not known")
	}
	zones, err := e.l.AvailabilityZones(orElse(region, e.s.Pseudo.Region))
	if err != nil {
		return nil, e.fail(n, "%v", err)
	}
	list := make([]any, len(zones))
	for i, zone := range zones {
		list[i] = zone
	}
	return list, nil
}

func (e *evaluator) importValue(n, arg *tree.Node) (any, error) {
	var dependent bool
	References(arg, e.s.Conditions, func(r Reference) { dependent = dependent || e.s.Resources[r.ID] })
	if dependent {
		return nil, e.fail(n, "Template error: the attribute in Fn::ImportValue must not depend on any resources, imported values, or Fn::GetAZs")
	}
	name, known, err := e.text(arg)
	if err != nil || !known {
		return Unknown{}, err
	}
	if e.l.ImportValue == nil {
		return nil, e.fail(n, "No export named %s found.", name)
	}
	value, err := e.l.ImportValue(name)
	if err != nil {
		return nil, e.fail(n, "%v", err)
	}
	return value, nil
}

func (e *evaluator) length(n, arg *tree.Node) (any, error) {
	list, known, err := e.items(arg, badLength)
	if err != nil || !known {
		return Unknown{}, err
	}
	return json.Number(strconv.Itoa(len(list))), e.charge(n, 1)
}

func (e *evaluator) toJSON(n, arg *tree.Node) (any, error) {
	value, err := e.value(arg)
	if err != nil {
		return nil, err
	}
	if containsUnknown(value) {
		return Unknown{}, nil
	}
	if _, gone := value.(noValue); gone {
		return nil, e.fail(n, badToJSON)
	}
	var b strings.Builder
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(value); err != nil {
		return nil, e.fail(n, "Template error: Fn::ToJsonString: %v", err)
	}
	return strings.TrimSuffix(b.String(), "\n"), e.charge(n, b.Len())
}

func containsUnknown(value any) bool {
	switch v := value.(type) {
	case Unknown:
		return true
	case []any:
		for _, item := range v {
			if containsUnknown(item) {
				return true
			}
		}
	case map[string]any:
		for _, item := range v {
			if containsUnknown(item) {
				return true
			}
		}
	}
	return false
}
