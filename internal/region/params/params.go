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
	"crypto/rand"
	"io"
	"net/http"
	"time"

	"github.com/seed-615d3599/roost/internal/region/sealed"
	"github.com/seed-615d3599/roost/internal/region/store"
	"github.com/seed-615d3599/roost/internal/region/wire"
)

// Config is what New needs. Account, Region, DB and MasterKey must be given.
type Config struct {
	Account   string // 12 digits
	Region    string
	DB        *store.DB
	MasterKey []byte           // secret; SecureStrings can be read only with the same one
	Now       func() time.Time // nil means time.Now
	Rand      io.Reader        // nil means crypto/rand
}

// Params is the service. Make it with New.
type Params struct {
	config  Config
	box     *sealed.Box
	service *wire.Service
}

// New returns the service.
func New(config Config) (*Params, error) {
	if config.Now == nil {
		config.Now = time.Now
	}
	if config.Rand == nil {
		config.Rand = rand.Reader
	}
	box, err := sealed.New(config.MasterKey, "ssm parameters")
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
			wire.Op("GetParametersByPath", p.getByPath, wire.On(func(_ *wire.Call, in *GetByPathInput) string { return p.arn(in.Path) })),
			wire.Op("GetParameterHistory", p.history, wire.On(func(_ *wire.Call, in *HistoryInput) string { return p.target(in.Name) })),
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

// defaultKey is the key of those who name none, which everybody in the account
// may use by way of Systems Manager.
const defaultKey = "alias/aws/ssm"

// keyTarget is the permission that a key of the account needs, if it is not the
// default one (Systems Manager User Guide, "AWS KMS encryption for Parameter
// Store SecureString parameters").
func (p *Params) keyTarget(action, key, parameter string) []wire.Target {
	if key == "" || key == defaultKey || key == p.keyARN(defaultKey) {
		return nil
	}
	return []wire.Target{{Action: action, Resource: p.keyARN(key), Context: map[string][]string{
		"kms:EncryptionContext:PARAMETER_ARN": {p.arn(parameter)},
		"kms:ViaService":                      {"ssm." + p.config.Region + ".amazonaws.com"},
	}}}
}

func (p *Params) keyARN(key string) string {
	prefix := "arn:aws:kms:" + p.config.Region + ":" + p.config.Account + ":"
	switch {
	case len(key) > 4 && key[:4] == "arn:":
		return key
	case len(key) > 6 && key[:6] == "alias/":
		return prefix + key
	}
	return prefix + "key/" + key
}

func (p *Params) putTargets(_ *wire.Call, in *PutInput) []wire.Target {
	targets := []wire.Target{{Resource: p.target(in.Name), Context: map[string][]string{}}}
	for _, tag := range in.Tags {
		targets[0].Context["aws:RequestTag/"+tag.Key] = []string{tag.Value}
	}
	if len(in.Tags) > 0 {
		targets = append(targets, wire.Target{Action: "ssm:AddTagsToResource", Resource: p.target(in.Name)})
	}
	if in.Type == typeSecure {
		targets = append(targets, p.keyTarget("kms:Encrypt", in.KeyID, in.Name)...)
	}
	return targets
}

func (p *Params) getTargets(_ *wire.Call, in *GetInput) []wire.Target {
	return p.readTargets([]string{in.Name}, in.WithDecryption)
}

func (p *Params) severalTargets(_ *wire.Call, in *GetSeveralInput) []wire.Target {
	return p.readTargets(in.Names, in.WithDecryption)
}

// readTargets is what reading parameters needs: with decryption, their keys too.
func (p *Params) readTargets(references []string, decrypt bool) []wire.Target {
	targets := p.each(references)
	if !decrypt {
		return targets
	}
	_ = p.config.DB.View(context.Background(), func(tx *store.Tx) error {
		for _, reference := range references {
			name, _ := p.parse(reference)
			if x, err := p.find(tx, name); err == nil && x != nil && x.Type == typeSecure {
				targets = append(targets, p.keyTarget("kms:Decrypt", x.KeyID, x.Name)...)
			}
		}
		return nil
	})
	return targets
}

func (p *Params) now() wire.Time {
	return wire.Time{Time: p.config.Now().UTC().Truncate(time.Millisecond)}
}

func invalid(format string, args ...any) error {
	return wire.Errorf(http.StatusBadRequest, "ValidationException", format, args...)
}

func notFound(reference string) error {
	return wire.Errorf(http.StatusBadRequest, "ParameterNotFound", "Parameter %s not found.", reference)
}
