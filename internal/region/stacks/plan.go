package stacks

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"github.com/google/uuid"

	"github.com/seed-615d3599/roost/cfn"
	"github.com/seed-615d3599/roost/internal/region/resources"
	"github.com/seed-615d3599/roost/internal/region/store"
	"github.com/seed-615d3599/roost/internal/region/wire"
)

func (s *Stacks) uuid() (string, error) {
	id, err := uuid.NewRandomFromReader(s.config.Rand)
	return id.String(), err
}

func (s *Stacks) pseudo(st *stack) cfn.Pseudo {
	return cfn.Pseudo{
		AccountID: s.config.Account, Region: s.config.Region,
		StackID: st.ID, StackName: st.Name, NotificationARNs: st.NotificationARNs,
	}
}

// planOf settles a template that a stack has stored.
func (s *Stacks) planOf(ctx context.Context, st *stack, revision int, parameters []parameter, caller *wire.Caller) (*cfn.Stack, error) {
	var body string
	err := s.config.DB.View(ctx, func(tx *store.Tx) error {
		found, err := tx.Get(kindTemplate, templateKey(st.ID, revision), &body)
		if err == nil && !found {
			return fmt.Errorf("the template of stack %s is missing", st.Name)
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	given := cfn.Given{Values: map[string]string{}, SSM: func(name string) (string, bool, error) {
		for _, p := range parameters {
			if p.Value == name && p.Resolved != "" {
				return p.Resolved, true, nil
			}
		}
		return s.parameterValue(ctx, caller, name)
	}}
	for _, p := range parameters {
		given.Values[p.Key] = p.Value
	}
	plan, _, err := s.settle(st, body, given)
	return plan, err
}

// settle parses and settles a template.
func (s *Stacks) settle(st *stack, body string, given cfn.Given) (*cfn.Stack, cfn.Values, error) {
	template, err := cfn.Parse("template", []byte(body))
	if err != nil {
		return nil, nil, err
	}
	values, err := template.Resolve(given)
	if err != nil {
		return nil, nil, err
	}
	if template, err = template.Expand(values, s.pseudo(st)); err != nil {
		return nil, values, err
	}
	plan, err := cfn.New(template, values, s.pseudo(st))
	if err != nil {
		return nil, values, err
	}
	return plan, values, s.supported(plan)
}

// supported refuses a template that has what the region does not: every type
// and property at once.
func (s *Stacks) supported(plan *cfn.Stack) error {
	var problems []string
	for _, declared := range plan.Resources {
		kind, ok := s.config.Types.Lookup(declared.Type)
		if !ok {
			if s.config.Record == nil || !s.config.Record(declared.Type) {
				problems = append(problems, fmt.Sprintf("%s: %s: roost does not support the type %s", declared.Node.Pos, declared.LogicalID, declared.Type))
			}
			continue
		}
		for _, problem := range s.check(plan, kind, declared) {
			problems = append(problems, fmt.Sprintf("%s: %s (%s): %s", declared.Node.Pos, declared.LogicalID, declared.Type, problem))
		}
	}
	if len(problems) == 0 {
		return nil
	}
	return invalid("Template format error: roost cannot deploy this template:\n  %s\nA type that neither routes, authorizes nor runs code can be kept as a record: name it under \"record\" in roost.json.", strings.Join(problems, "\n  "))
}

// check compares what is known of a resource's properties with its type.
func (s *Stacks) check(plan *cfn.Stack, kind *resources.Type, declared *cfn.Resource) []resources.Problem {
	unknown := func(string) (any, error) { return cfn.Unknown{}, nil }
	result, err := plan.Properties(declared, cfn.Lookup{
		ImportValue: unknown, AvailabilityZones: availabilityZones,
		Dynamic: func(d cfn.DynamicReference) (string, error) { return d.Text, nil },
	})
	if err != nil {
		return []resources.Problem{{Text: message(err)}}
	}
	props, _ := result.Value.(map[string]any)
	return kind.Check(props)
}

func invalid(format string, args ...any) *wire.Error {
	return wire.Errorf(http.StatusBadRequest, "ValidationError", format, args...)
}

func (s *Stacks) importValue(ctx context.Context, name string) (any, error) {
	var e export
	err := s.config.DB.View(ctx, func(tx *store.Tx) error {
		found, err := tx.Get(kindExport, name, &e)
		if err == nil && !found {
			return fmt.Errorf("No export named %s found.", name)
		}
		return err
	})
	return e.Value, err
}

// parameterValue reads an SSM parameter with the caller's rights.
func (s *Stacks) parameterValue(ctx context.Context, caller *wire.Caller, name string) (value string, ok bool, err error) {
	var out struct{ Parameter struct{ Value string } }
	err = s.call(ctx, caller, "ssm", "GetParameter", map[string]any{"Name": name}, &out)
	if wire.Code(err) == "ParameterNotFound" {
		return "", false, nil
	}
	return out.Parameter.Value, err == nil, err
}

// dynamic answers a dynamic reference with the caller's rights.
func (s *Stacks) dynamic(ctx context.Context, caller *wire.Caller, d cfn.DynamicReference) (string, error) {
	if d.Service == "secretsmanager" {
		return s.secretValue(ctx, caller, d)
	}
	name := d.Name
	if d.Version > 0 {
		name += ":" + strconv.FormatInt(d.Version, 10)
	}
	var out struct{ Parameter struct{ Value, Type string } }
	err := s.call(ctx, caller, "ssm", "GetParameter", map[string]any{"Name": name, "WithDecryption": d.Service == "ssm-secure"}, &out)
	if err != nil {
		return "", fmt.Errorf("dynamic reference %s: %s", d.Text, message(err))
	}
	if secure := out.Parameter.Type == "SecureString"; secure != (d.Service == "ssm-secure") {
		return "", fmt.Errorf("dynamic reference %s: the parameter is of type %s", d.Text, out.Parameter.Type)
	}
	return out.Parameter.Value, nil
}

func (s *Stacks) secretValue(ctx context.Context, caller *wire.Caller, d cfn.DynamicReference) (string, error) {
	in := map[string]any{"SecretId": d.Name}
	if d.VersionStage != "" {
		in["VersionStage"] = d.VersionStage
	}
	if d.VersionID != "" {
		in["VersionId"] = d.VersionID
	}
	var out struct{ SecretString string }
	if err := s.call(ctx, caller, "secretsmanager", "GetSecretValue", in, &out); err != nil {
		return "", fmt.Errorf("dynamic reference %s: %s", d.Text, message(err))
	}
	if d.JSONKey == "" {
		return out.SecretString, nil
	}
	var members map[string]any
	if err := json.Unmarshal([]byte(out.SecretString), &members); err != nil {
		return "", fmt.Errorf("dynamic reference %s: the secret is no JSON object", d.Text)
	}
	text, ok := textOf(members[d.JSONKey])
	if !ok {
		return "", fmt.Errorf("dynamic reference %s: the secret has no key %s", d.Text, d.JSONKey)
	}
	return text, nil
}

// textOf is how a value reads as a string.
func textOf(value any) (string, bool) {
	switch v := value.(type) {
	case string:
		return v, true
	case json.Number:
		return v.String(), true
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64), true
	case bool:
		return strconv.FormatBool(v), true
	}
	return "", false
}
