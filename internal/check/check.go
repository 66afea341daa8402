// Package check reads templates without a region and says what would become of
// them: which resources and properties work, which are only recorded and which
// are refused; who can reach each route; and what rests on behaviour of AWS
// that nobody has documented.
//
//	report, err := check.Template("template.yaml", data, check.Config{Types: types})
//	if report.Refused() { … }
//
// Nothing is created, so that ids and ARNs are not known. In their place stand
// names of the template in angle brackets: "<Api>" is the id that the resource
// Api will have. Policies are evaluated with these, by package iam.
//
// What a template says is all that a report knows. Policies of the account, of
// other stacks and of callers in other accounts can let further people in; a
// route that wants signatures is never open to people without credentials.
package check

import (
	"cmp"
	"slices"

	"github.com/seed-615d3599/roost/cfn"
	"github.com/seed-615d3599/roost/internal/region/resources"
)

// Config is what a check needs to know besides the template. Types is
// required.
type Config struct {
	// Types are the resource types of the embedded region.
	Types *resources.Registry
	// Record says whether a type that is not among them is to be kept as a
	// record, as roost.json has it. Nil means none is.
	Record func(typeName string) bool
	// Managed returns the document of an AWS managed policy by its ARN. Nil
	// means that none is known.
	Managed func(arn string) (document string, known bool)

	Account   string            // 12 digits; empty means 123456789012
	Region    string            // empty means us-east-1
	StackName string            // empty means "stack"
	Values    map[string]string // of parameters; those without a value and a default get a made-up one
}

func (c Config) withDefaults() Config {
	c.Account = cmp.Or(c.Account, "123456789012")
	c.Region = cmp.Or(c.Region, "us-east-1")
	c.StackName = cmp.Or(c.StackName, "stack")
	if c.Record == nil {
		c.Record = func(string) bool { return false }
	}
	if c.Managed == nil {
		c.Managed = func(string) (string, bool) { return "", false }
	}
	return c
}

// Verdict is what becomes of a resource or a property.
type Verdict string

// The verdicts, the worst last.
const (
	Works    Verdict = "works"
	Recorded Verdict = "recorded" // kept and shown, without effect
	Refused  Verdict = "refused"  // a deployment ends with an error that names it
)

// Report is what a check has found in one template.
type Report struct {
	Stack     string
	Resources []Resource // in the order in which they would be made
	Routes    []Route    // open ones first
	Inferred  []Inference
	// Parameters names those that the template has, in its order.
	Parameters []string
	// Assumed names the parameters whose values were made up.
	Assumed []string
}

// Refused reports whether a deployment would be refused.
func (r *Report) Refused() bool {
	return slices.ContainsFunc(r.Resources, func(one Resource) bool { return one.Verdict == Refused })
}

// Resource is what becomes of one resource.
type Resource struct {
	ID       string `json:"id"`       // its logical id
	Type     string `json:"resource"` // AWS::Lambda::Function
	Position string `json:"position"` // file:line:column
	// Verdict is Refused where any property is, and Recorded where the whole
	// type is.
	Verdict    Verdict    `json:"verdict"`
	Why        string     `json:"why,omitempty"` // of the type's verdict, if it does not work
	Properties []Property `json:"properties"`
}

// Property is what becomes of one property, or of a member of one.
type Property struct {
	Path    string  `json:"path"` // Cors.AllowOrigins[0]
	Verdict Verdict `json:"verdict"`
	Why     string  `json:"why,omitempty"`
	// Position is that of a refused one: file:line:column.
	Position string `json:"position,omitempty"`
}

// Template checks a template. The error is that of a template that
// CloudFormation would not take either.
func Template(name string, data []byte, config Config) (*Report, error) {
	config = config.withDefaults()
	settled, err := settle(name, data, config)
	if err != nil {
		return nil, err
	}
	report := &Report{Stack: config.StackName, Parameters: settled.parameters, Assumed: settled.assumed}
	for _, declared := range settled.plan.Resources {
		report.Resources = append(report.Resources, checkResource(settled.plan, declared, config))
	}
	model, err := newModel(settled.plan, config)
	if err != nil {
		return nil, err
	}
	for id, why := range model.broken {
		report.refuse(id, why)
	}
	for id, why := range model.recordedIssuers() {
		report.refuse(id, why)
	}
	report.Routes = model.routes()
	report.Inferred = model.inferences()
	return report, nil
}

// refuse adds to what is refused of a resource, such as a policy that cannot be
// read.
func (r *Report) refuse(id string, why Property) {
	for i := range r.Resources {
		if one := &r.Resources[i]; one.ID == id {
			one.Verdict, why.Position = Refused, one.Position
			one.Properties = append(one.Properties, why)
		}
	}
}

// settled is a template with everything known that can be.
type settled struct {
	plan       *cfn.Stack
	parameters []string // all of the template
	assumed    []string
}

func settle(name string, data []byte, config Config) (*settled, error) {
	template, err := cfn.Parse(name, data)
	if err != nil {
		return nil, err
	}
	var parameters []string
	for _, p := range template.Parameters {
		parameters = append(parameters, p.Name)
	}
	given, assumed := values(template, config.Values)
	known, err := template.Resolve(given)
	if err != nil {
		return nil, err
	}
	pseudo := cfn.Pseudo{AccountID: config.Account, Region: config.Region, StackName: config.StackName,
		StackID: "arn:aws:cloudformation:" + config.Region + ":" + config.Account + ":stack/" + config.StackName + "/<id>"}
	if template, err = template.Expand(known, pseudo); err != nil {
		return nil, err
	}
	plan, err := cfn.New(template, known, pseudo)
	return &settled{plan, parameters, assumed}, err
}
