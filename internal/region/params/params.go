// Package params is the Parameter Store of AWS Systems Manager: parameters with
// their versions, labels and tags.
//
//	p, err := params.New(params.Config{Account: "123456789012", Region: "us-east-1", DB: db, MasterKey: key})
//	service := p.Service() // for the edge and for CloudFormation
//
// The value of a SecureString is encrypted at rest with a key derived from the
// region's master key, and only told to those who ask for decryption. Other
// operations of Systems Manager, policies of parameters and shared parameters
// are refused by name.
package params

import (
	"context"
	"net/http"

	"github.com/seed-615d3599/roost/internal/region/sealed"
	"github.com/seed-615d3599/roost/internal/region/store"
	"github.com/seed-615d3599/roost/internal/region/wire"
)

// Config is what New needs. Account, Region, DB and MasterKey must be given.
type Config = sealed.Config

// Params is the service. Make it with New.
type Params struct {
	config  Config
	box     *sealed.Box
	service *wire.Service
}

// New returns the service.
func New(config Config) (*Params, error) {
	config, box, err := config.Open("ssm parameters")
	if err != nil {
		return nil, err
	}
	p := &Params{config: config, box: box}
	p.service = p.describe()
	return p, nil
}

// Close ends the service. Nothing of it runs in the background.
func (p *Params) Close() error { return nil }

// Service returns the operations.
func (p *Params) Service() *wire.Service { return p.service }

func (p *Params) describe() *wire.Service {
	return &wire.Service{
		Name: "ssm", Protocol: wire.JSON, Target: "AmazonSSM",
		Operations: []wire.Operation{
			wire.Op("PutParameter", p.put, wire.Targets(p.putTargets)),
			wire.Op("GetParameter", p.get, wire.Targets(p.getTargets)),
			wire.Op("GetParameters", p.getSeveral, wire.Targets(p.severalTargets)),
			wire.Op("GetParametersByPath", p.getByPath, wire.Targets(p.pathTargets)),
			wire.Op("GetParameterHistory", p.history, wire.Targets(p.historyTargets)),
			wire.Op("DescribeParameters", p.describeAll),
			wire.Op("DeleteParameter", p.delete, wire.On(func(_ *wire.Call, in *NameInput) string { return p.target(in.Name) })),
			wire.Op("DeleteParameters", p.deleteSeveral, wire.Targets(func(_ *wire.Call, in *NamesInput) []wire.Target { return p.each(in.Names) })),
			wire.Op("LabelParameterVersion", p.label, wire.On(func(_ *wire.Call, in *LabelInput) string { return p.target(in.Name) })),
			wire.Op("UnlabelParameterVersion", p.unlabel, wire.On(func(_ *wire.Call, in *LabelInput) string { return p.target(in.Name) })),
			wire.Op("AddTagsToResource", p.addTags, wire.On(func(_ *wire.Call, in *AddTagsInput) string { return p.target(in.ResourceID) })),
			wire.Op("RemoveTagsFromResource", p.removeTags, wire.On(func(_ *wire.Call, in *RemoveTagsInput) string { return p.target(in.ResourceID) })),
			wire.Op("ListTagsForResource", p.listTags, wire.On(func(_ *wire.Call, in *ResourceInput) string { return p.target(in.ResourceID) })),
		},
	}
}

// arn returns the ARN of a parameter's name or a path: with a slash in front or
// without, the same.
func (p *Params) arn(name string) string {
	if len(name) == 0 || name[0] != '/' {
		name = "/" + name
	}
	return "arn:aws:ssm:" + p.config.Region + ":" + p.config.Account + ":parameter" + name
}

// target is the ARN of what a client calls a parameter.
func (p *Params) target(reference string) string {
	name, _ := p.parse(reference)
	return p.arn(name)
}

func (p *Params) each(references []string) []wire.Target {
	targets := make([]wire.Target, len(references))
	for i, reference := range references {
		targets[i].Resource = p.target(reference)
	}
	return targets
}

// keys are those of AWS KMS that SecureStrings can be encrypted with.
func (p *Params) keys() sealed.Keys {
	return p.config.Keys("ssm")
}

// keyTarget is the permission that a key needs, if it is not the default one
// (Systems Manager User Guide, "AWS KMS encryption for Parameter Store
// SecureString parameters").
func (p *Params) keyTarget(action, key, parameter string) []wire.Target {
	targets := p.keys().Use(action, key)
	for _, target := range targets {
		target.Context["kms:EncryptionContext:PARAMETER_ARN"] = []string{p.arn(parameter)}
	}
	return targets
}

func (p *Params) putTargets(_ *wire.Call, in *PutInput) []wire.Target {
	targets := []wire.Target{{Resource: p.target(in.Name), Context: map[string][]string{}}}
	for _, tag := range in.Tags {
		targets[0].Context["aws:RequestTag/"+tag.Key] = []string{tag.Value}
	}
	if len(in.Tags) > 0 {
		targets = append(targets, wire.Target{Action: "ssm:AddTagsToResource", Resource: p.target(in.Name)})
	}
	if !in.Overwrite && in.Type != typeSecure {
		return targets
	}
	in.keys = decided{}
	return p.using("kms:Encrypt", in.keys, targets, func(tx *store.Tx) ([]named, error) {
		name, _ := p.parse(in.Name)
		x, err := p.find(tx, name)
		if err == nil {
			x, err = in.next(x) // what is left out is that of the version before
		}
		if err != nil {
			return nil, err
		}
		return []named{{name, x.version}}, nil
	})
}

func (p *Params) getTargets(_ *wire.Call, in *GetInput) []wire.Target {
	several := &GetSeveralInput{Names: []string{in.Name}, WithDecryption: in.WithDecryption}
	targets := p.severalTargets(nil, several)
	in.keys = several.keys
	return targets
}

func (p *Params) severalTargets(_ *wire.Call, in *GetSeveralInput) []wire.Target {
	targets := p.each(in.Names)
	if !in.WithDecryption || len(in.Names) > maxNames { // which the operation refuses
		return targets
	}
	in.keys = decided{}
	return p.using("kms:Decrypt", in.keys, targets, func(tx *store.Tx) (all []named, err error) {
		for _, reference := range in.Names {
			x, v, err := p.read(tx, reference)
			if err == nil {
				all = append(all, named{x.Name, v})
			} else if wire.Code(err) == "" {
				return nil, err
			}
		}
		return all, nil
	})
}

func (p *Params) pathTargets(_ *wire.Call, in *GetByPathInput) []wire.Target {
	targets := []wire.Target{{Resource: p.arn(in.Path)}}
	if !in.WithDecryption {
		return targets
	}
	in.keys = decided{}
	return p.using("kms:Decrypt", in.keys, targets, func(tx *store.Tx) ([]named, error) {
		page, _, err := p.page(tx, in)
		return page, err
	})
}

func (p *Params) historyTargets(_ *wire.Call, in *HistoryInput) []wire.Target {
	targets := []wire.Target{{Resource: p.target(in.Name)}}
	if !in.WithDecryption {
		return targets
	}
	in.keys = decided{}
	return p.using("kms:Decrypt", in.keys, targets, func(tx *store.Tx) (all []named, err error) {
		x, _, err := p.resolve(tx, in.Name)
		if err != nil {
			return nil, err
		}
		past, err := versions(tx, x)
		for _, v := range past {
			all = append(all, named{x.Name, v})
		}
		return all, err
	})
}

// named is a version with the name of its parameter.
type named struct {
	name string
	version
}

// decided are the keys, each for a parameter, whose use a call's permission was
// asked for. What an operation meets may have changed meanwhile.
type decided map[[2]string]bool

// mayUse refuses to use the key of a version where nobody decided about it.
func (p *Params) mayUse(keys decided, name string, v version) error {
	if keys[[2]string{name, v.KeyID}] || len(p.keyTarget("", v.KeyID, name)) == 0 {
		return nil
	}
	return wire.Errorf(http.StatusInternalServerError, "InternalServerError", "The parameter %s got another key while it was decided whether you may use that. Try again.", name)
}

// using adds to targets the permission for an action with each key that versions
// are encrypted with, and notes these keys in keys. Where the versions cannot be
// read nothing is permitted.
func (p *Params) using(action string, keys decided, targets []wire.Target, find func(*store.Tx) ([]named, error)) []wire.Target {
	err := p.config.DB.View(context.Background(), func(tx *store.Tx) error {
		all, err := find(tx)
		for _, v := range all {
			if v.Type == typeSecure {
				keys[[2]string{v.name, v.KeyID}] = true
				targets = append(targets, p.keyTarget(action, v.KeyID, v.name)...)
			}
		}
		return err
	})
	if err != nil && wire.Code(err) == "" { // those with a code are the operation's own answer
		targets[0].Policy = wire.Unreadable
	}
	return targets
}

func (p *Params) now() wire.Time { return wire.Moment(p.config.Now()) }

func invalid(format string, args ...any) error {
	return wire.Errorf(http.StatusBadRequest, "ValidationException", format, args...)
}

func notFound(reference string) error {
	return wire.Errorf(http.StatusBadRequest, "ParameterNotFound", "Parameter %s not found.", reference)
}
