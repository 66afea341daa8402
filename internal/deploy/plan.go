package deploy

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
	"github.com/seed-615d3599/roost/internal/assembly"
	"go.yaml.in/yaml/v3"
)

// plan is all that a stack needs and that is known before anything is sent.
type plan struct {
	*assembly.Stack
	parameters map[string]string
	tags       []types.Tag
	after      []*plan      // of the stacks that it depends on
	foreseen   *foreseen    // nil where there is none
	changed    bool         // the deployment has changed the stack, or tried to
	sent       func() error // waits until the code of all stacks is in the bucket
}

// plan collects a stack's parameters. A secret without a value is an error.
func (d *Deployer) plan(s *assembly.Stack) (*plan, error) {
	p := &plan{Stack: s, parameters: maps.Clone(s.Parameters)}
	if p.parameters == nil {
		p.parameters = map[string]string{}
	}
	for _, secret := range s.Secrets {
		value, found := d.cfg.Secret(secret.Variable)
		if !found || value == "" {
			return nil, &Error{Text: fmt.Sprintf("the secret %s, which stack %s needs, has no value", secret.Variable, s.Name),
				Remedy: fmt.Sprintf("write %[1]s=… into .env in the app's folder, set it in the environment, or keep it for the stage with \"roost secret set %[1]s\"", secret.Variable)}
		}
		p.parameters[secret.Parameter] = value
	}
	for _, key := range slices.Sorted(maps.Keys(s.Tags)) {
		p.tags = append(p.tags, types.Tag{Key: aws.String(key), Value: aws.String(s.Tags[key])})
	}
	return p, nil
}

// retains reports whether the template marks a resource as one to keep.
func (p *plan) retains(id string) bool {
	text, err := p.Template()
	if err != nil {
		return false
	}
	var template struct {
		Resources map[string]struct {
			DeletionPolicy      string `yaml:"DeletionPolicy"`
			UpdateReplacePolicy string `yaml:"UpdateReplacePolicy"`
		} `yaml:"Resources"`
	}
	if yaml.Unmarshal(text, &template) != nil {
		return false
	}
	r := template.Resources[id]
	return strings.HasPrefix(r.DeletionPolicy, "Retain") || r.UpdateReplacePolicy == "Retain"
}

// template returns the template as it is sent: with the bucket that is used,
// and without what only guards CDK's own command.
func (d *Deployer) template(p *plan, b bucket) ([]byte, error) {
	if !b.own {
		return p.Template()
	}
	text, err := p.TemplateFor(b.name, d.cfg.Account, d.cfg.AWS.Region)
	if err != nil {
		return nil, err
	}
	return withoutBootstrapRule(text)
}

// withoutBootstrapRule takes out the parameter and the rule by which templates
// of CDK insist on a bootstrapped account. Here the account has no CDK
// bootstrapping, and what it is needed for, a bucket, is replaced.
func withoutBootstrapRule(text []byte) ([]byte, error) {
	if !bytes.Contains(text, []byte(`"CheckBootstrapVersion"`)) {
		return text, nil
	}
	var template map[string]json.RawMessage
	if err := json.Unmarshal(text, &template); err != nil {
		return nil, fmt.Errorf("read the template: %w", err)
	}
	for section, name := range map[string]string{"Rules": "CheckBootstrapVersion", "Parameters": "BootstrapVersion"} {
		if err := removeMember(template, section, name); err != nil {
			return nil, err
		}
	}
	return json.MarshalIndent(template, "", " ")
}

func removeMember(template map[string]json.RawMessage, section, name string) error {
	if template[section] == nil {
		return nil
	}
	var members map[string]json.RawMessage
	if err := json.Unmarshal(template[section], &members); err != nil {
		return fmt.Errorf("read the template's %s: %w", section, err)
	}
	delete(members, name)
	if len(members) == 0 {
		delete(template, section)
		return nil
	}
	text, err := json.Marshal(members)
	template[section] = text
	return err
}

// withAssets adds the parameters by which templates of CDK version 1 learn
// where their assets are.
func (d *Deployer) withAssets(p *plan, b bucket) map[string]string {
	all := maps.Clone(p.parameters)
	for _, a := range p.Assets {
		if a.Parameters != nil {
			name, key := d.location(b, a)
			maps.Copy(all, a.Parameters.Values(a, name, key))
		}
	}
	return all
}

// parameters lists values as CloudFormation takes them. A parameter that the
// stack has from earlier and that has no value here keeps the one that it has.
func parameters(values map[string]string, template []byte, known []types.Parameter) ([]types.Parameter, error) {
	var all []types.Parameter
	for _, name := range slices.Sorted(maps.Keys(values)) {
		all = append(all, types.Parameter{ParameterKey: aws.String(name), ParameterValue: aws.String(values[name])})
	}
	var declared struct {
		Parameters map[string]yaml.Node `yaml:"Parameters"`
	}
	if err := yaml.Unmarshal(template, &declared); err != nil {
		return nil, fmt.Errorf("read the template: %w", err)
	}
	for _, p := range known {
		name := aws.ToString(p.ParameterKey)
		_, given := values[name]
		if _, wanted := declared.Parameters[name]; wanted && !given {
			all = append(all, types.Parameter{ParameterKey: aws.String(name), UsePreviousValue: aws.Bool(true)})
		}
	}
	return all, nil
}
