// Package plan settles templates for stacks: it reads a request, checks it as
// far as that is possible before anything is made, and answers what templates
// ask of the world outside them.
//
//	l := plan.New(plan.Config{Account: …, Region: …, DB: db, Types: types, Services: services})
//	p, err := l.Prepare(ctx, caller, st, plan.Request{Body: body, Values: values})
//	p.Plan.Resources // in the order in which they are made
package plan

import (
	"context"
	"io"

	"github.com/google/uuid"

	"github.com/seed-615d3599/roost/internal/region/resources"
	"github.com/seed-615d3599/roost/internal/region/store"
	"github.com/seed-615d3599/roost/internal/region/wire"
)

// Config is what New needs. All must be given but Record and Object.
type Config struct {
	Account  string // 12 digits
	Region   string
	DB       *store.DB
	Types    *resources.Registry
	Own      *resources.Registry      // CloudFormation's own types; they win
	Services map[string]*wire.Service // by name
	Rand     io.Reader

	// Record says whether a type that the region does not know is to be kept
	// as a record instead of being refused. Nil means never.
	Record func(typeName string) bool
	// Object reads a template from S3 for TemplateURL. Nil refuses it.
	Object func(ctx context.Context, caller *wire.Caller, bucket, key string) ([]byte, error)
}

// Planner settles templates. Make it with New.
type Planner struct{ config Config }

// New returns the planner. It keeps nothing.
func New(config Config) *Planner { return &Planner{config: config} }

// UUID returns a random UUID.
func (l *Planner) UUID() (string, error) {
	id, err := uuid.NewRandomFromReader(l.config.Rand)
	return id.String(), err
}

// Kind finds a resource type: one of CloudFormation's own, or of the registry.
func (l *Planner) Kind(name string) (*resources.Type, bool) {
	if kind, ok := l.config.Own.Lookup(name); ok {
		return kind, true
	}
	return l.config.Types.Lookup(name)
}

// StackARN is the ARN of a stack by its name and the UUID of its own.
func (l *Planner) StackARN(name, id string) string {
	return "arn:aws:cloudformation:" + l.config.Region + ":" + l.config.Account + ":stack/" + name + "/" + id
}
