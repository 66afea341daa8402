// Package stacks is CloudFormation's API in the embedded region: stacks, change
// sets, their events, resources and templates. Package engine does the work.
//
//	s := stacks.New(stacks.Config{Account: …, Region: …, DB: db, Types: types, Services: services})
//	err := s.Resume()                           // go on with what a crash interrupted
//	edge.Config{Services: …s.Service()…, Paths: s.Paths()}
//	s.Close()
package stacks

import (
	"context"
	"io"
	"net/http"
	"time"

	"github.com/seed-615d3599/roost/internal/region/resources"
	"github.com/seed-615d3599/roost/internal/region/stacks/answers"
	"github.com/seed-615d3599/roost/internal/region/stacks/engine"
	"github.com/seed-615d3599/roost/internal/region/stacks/rights"
	"github.com/seed-615d3599/roost/internal/region/store"
	"github.com/seed-615d3599/roost/internal/region/wire"
)

// Config is what New needs. Account, Region, DB and Types must be given.
type Config struct {
	Account  string // 12 digits
	Region   string
	DB       *store.DB
	Types    *resources.Registry      // all types but CloudFormation's own
	Services map[string]*wire.Service // what resource types may call, by name
	Now      func() time.Time         // nil means time.Now
	Rand     io.Reader                // nil means crypto/rand

	// Endpoint is the region's base URL, under which custom resources and wait
	// conditions are answered; nil refuses them.
	Endpoint func() string

	// Answers keeps what custom resources and wait conditions wait for; nil has New
	// make it.
	Answers *answers.Answers

	// Record says whether a type that the region does not know is to be kept
	// as a record instead of being refused. Nil means never.
	Record func(typeName string) bool

	// Object reads a template from S3 for TemplateURL.
	Object func(ctx context.Context, caller *wire.Caller, bucket, key string) ([]byte, error)

	// CallerFor makes the caller of the user or role of an ARN, with whose rights
	// a stack goes on after a restart.
	CallerFor func(arn string) (*wire.Caller, error)
	// RoleCaller makes the caller of a stack's RoleARN, if that role trusts
	// CloudFormation.
	RoleCaller func(roleARN string) (*wire.Caller, error)

	// MaxParallel is how many resources may be under way at once in one stack;
	// 0 means 32.
	MaxParallel int
}

// Stacks is the service. Make it with New.
type Stacks struct {
	config  Config
	engine  *engine.Engine
	answers *answers.Answers
}

// New returns the service. It starts nothing: see Resume.
func New(config Config) *Stacks {
	if config.Now == nil {
		config.Now = time.Now
	}
	s := &Stacks{config: config, answers: config.Answers}
	if s.answers == nil {
		s.answers = answers.New(answers.Config{DB: config.DB, Endpoint: config.Endpoint, Now: config.Now, Rand: config.Rand})
	}
	s.engine = engine.New(engine.Config{
		Account: config.Account, Region: config.Region, DB: config.DB, Types: config.Types, Own: s.answers.Types(),
		Services: config.Services, Now: config.Now, Rand: config.Rand, Record: config.Record, Object: config.Object,
		Rights: rights.Rights{CallerFor: config.CallerFor, RoleCaller: config.RoleCaller}, MaxParallel: config.MaxParallel,
	})
	return s
}

// Resume goes on with every operation that a stop of the region interrupted.
func (s *Stacks) Resume() error { return s.engine.Resume() }

// Close stops the engine where it is and waits until nothing runs any more.
// Resume of the next start goes on.
func (s *Stacks) Close() error {
	s.engine.Close()
	return nil
}

// Changed returns a channel that is closed at the next change of any stack.
func (s *Stacks) Changed() <-chan struct{} { return s.engine.Changed() }

// Paths are what the region is to serve without a signature: where functions
// answer for custom resources, and scripts for wait conditions.
func (s *Stacks) Paths() map[string]http.Handler {
	return map[string]http.Handler{answers.Path: s.answers}
}
