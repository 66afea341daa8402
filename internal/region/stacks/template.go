package stacks

import (
	"context"

	"github.com/seed-615d3599/roost/cfn"
	"github.com/seed-615d3599/roost/internal/region/stacks/limits"
	"github.com/seed-615d3599/roost/internal/region/stacks/plan"
	"github.com/seed-615d3599/roost/internal/region/stacks/records"
	"github.com/seed-615d3599/roost/internal/region/wire"
)

func (s *Stacks) getTemplate(ctx context.Context, c *wire.Call, in *TemplateInput) (*TemplateOutput, error) {
	if err := limits.Enum("templateStage", in.TemplateStage, "Original", "Processed"); err != nil {
		return nil, err
	}
	st, body, parameters, err := s.templateOf(ctx, in)
	if err != nil {
		return nil, err
	}
	out := &TemplateOutput{TemplateBody: body, StagesAvailable: []string{"Original", "Processed"}}
	if in.TemplateStage != "Processed" {
		return out, nil
	}
	source, err := cfn.Parse("template", []byte(body))
	if err != nil || len(source.Transforms) == 0 {
		return out, err
	}
	settled, err := s.engine.Again(ctx, c.Caller, st, body, parameters)
	if err != nil {
		return nil, plan.Validation(err)
	}
	out.TemplateBody = string(settled.Template().JSON())
	return out, nil
}

// templateOf finds the template of a stack or of a change set.
func (s *Stacks) templateOf(ctx context.Context, in *TemplateInput) (*records.Stack, string, []records.Parameter, error) {
	if in.ChangeSetName == "" {
		st, err := s.engine.Find(ctx, in.StackName)
		if err != nil {
			return nil, "", nil, err
		}
		body, err := s.engine.Template(ctx, st)
		return st, body, st.Parameters, err
	}
	cs, err := s.findChangeSet(ctx, &ChangeSetInput{ChangeSetName: in.ChangeSetName, StackName: in.StackName})
	if err != nil {
		return nil, "", nil, err
	}
	st, err := s.engine.Find(ctx, cs.StackID)
	return st, cs.Body, cs.Parameters, err
}

// parsed reads the template that an input means.
func (s *Stacks) parsed(ctx context.Context, c *wire.Call, in *SummaryInput) (*cfn.Template, error) {
	body, err := s.summarized(ctx, c, in)
	if err != nil {
		return nil, err
	}
	template, err := cfn.Parse("template", []byte(body))
	if err != nil {
		return nil, plan.Validation(err)
	}
	return template, nil
}

// summarized returns the text of the template that an input means: of a stack or
// given with it, but not both ("GetTemplateSummary": only one of StackName,
// TemplateBody and TemplateURL). How AWS words the refusal is not known [?].
func (s *Stacks) summarized(ctx context.Context, c *wire.Call, in *SummaryInput) (string, error) {
	switch given := in.TemplateBody != "" || in.TemplateURL != ""; {
	case in.StackName == "":
		return s.body(ctx, c.Caller, Definition{TemplateBody: in.TemplateBody, TemplateURL: in.TemplateURL}, nil)
	case given:
		return "", plan.Invalid("You must specify only one of the following parameters: StackName, TemplateBody, TemplateURL.")
	}
	st, err := s.engine.Find(ctx, in.StackName)
	if err != nil {
		return "", err
	}
	return s.engine.Template(ctx, st)
}

func declarations(template *cfn.Template) []ParameterDeclaration {
	list := []ParameterDeclaration{}
	for _, p := range template.Parameters {
		list = append(list, ParameterDeclaration{
			ParameterKey: p.Name, DefaultValue: p.Default, ParameterType: p.Type, NoEcho: p.NoEcho, Description: p.Description,
			ParameterConstraints: ParameterConstraints{AllowedValues: p.AllowedValues},
		})
	}
	return list
}

func (s *Stacks) getTemplateSummary(ctx context.Context, c *wire.Call, in *SummaryInput) (*SummaryOutput, error) {
	template, err := s.parsed(ctx, c, in)
	if err != nil {
		return nil, err
	}
	summary := template.Summary()
	out := &SummaryOutput{
		Parameters: declarations(template), Description: template.Description, Version: "2010-09-09",
		Capabilities: summary.Capabilities, CapabilitiesReason: summary.CapabilitiesReason,
		ResourceTypes: summary.ResourceTypes, DeclaredTransforms: summary.Transforms,
	}
	if template.Metadata != nil {
		out.Metadata = string(template.Metadata.AppendJSON(nil))
	}
	return out, nil
}

func (s *Stacks) validateTemplate(ctx context.Context, c *wire.Call, in *ValidateInput) (*ValidateOutput, error) {
	template, err := s.parsed(ctx, c, &SummaryInput{TemplateBody: in.TemplateBody, TemplateURL: in.TemplateURL})
	if err != nil {
		return nil, err
	}
	summary := template.Summary()
	return &ValidateOutput{
		Parameters: declarations(template), Description: template.Description, Capabilities: summary.Capabilities,
		CapabilitiesReason: summary.CapabilitiesReason, DeclaredTransforms: summary.Transforms,
	}, nil
}
