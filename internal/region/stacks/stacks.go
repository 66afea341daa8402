// Package stacks is CloudFormation of the embedded region: stacks, change sets,
// and the engine that brings resources to what a template says.
//
//	s, err := stacks.New(stacks.Config{Account: …, Region: …, DB: db, Types: types, Services: services})
//	s.Resume()            // go on with what a crash interrupted
//	edge.Serve(s.Service())
//	s.Close()
//
// The engine makes resources in parallel by their dependencies. Each step is
// one transaction together with its record and its events, so that a crash at
// any moment leaves a state from which the next start goes on: a resource is
// there with its record, or neither is. An update keeps what a resource was
// before, makes replacements first and removes what is no longer wanted only
// after everything else succeeded, so that it can be rolled back until then.
package stacks

import (
	"context"
	"crypto/rand"
	"io"
	"sync"
	"time"

	"github.com/seed-615d3599/roost/internal/region/resources"
	"github.com/seed-615d3599/roost/internal/region/store"
	"github.com/seed-615d3599/roost/internal/region/wire"
)

// Config is what New needs. Account, Region, DB and Types must be given.
type Config struct {
	Account  string // 12 digits
	Region   string
	DB       *store.DB
	Types    *resources.Registry
	Services map[string]*wire.Service // what resource types may call, by name
	Now      func() time.Time         // nil means time.Now
	Rand     io.Reader                // nil means crypto/rand

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
	config Config

	ctx    context.Context // ends with Close
	cancel context.CancelFunc
	work   sync.WaitGroup

	mu      sync.Mutex
	changed chan struct{} // closed and renewed when any stack's status changes
	last    time.Time     // of the newest event, so that events are ordered
}

// New returns the service. It starts nothing: see Resume.
func New(config Config) *Stacks {
	if config.Now == nil {
		config.Now = time.Now
	}
	if config.Rand == nil {
		config.Rand = rand.Reader
	}
	if config.MaxParallel == 0 {
		config.MaxParallel = 32
	}
	ctx, cancel := context.WithCancel(context.Background())
	return &Stacks{config: config, ctx: ctx, cancel: cancel, changed: make(chan struct{})}
}

// Close stops the engine where it is and waits until nothing runs any more.
// Resume of the next start goes on.
func (s *Stacks) Close() error {
	s.cancel()
	s.work.Wait()
	return nil
}

// start runs an operation on a stack in the background.
func (s *Stacks) start(run func(ctx context.Context)) {
	s.work.Go(func() { run(s.ctx) })
}

// signal wakes whoever waits for a stack.
func (s *Stacks) signal() {
	s.mu.Lock()
	close(s.changed)
	s.changed = make(chan struct{})
	s.mu.Unlock()
}

// Changed returns a channel that is closed at the next change of any stack.
func (s *Stacks) Changed() <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.changed
}

// now returns the time, later than it ever was, to the microsecond: events are
// ordered by it.
func (s *Stacks) now() time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.config.Now().UTC().Truncate(time.Microsecond)
	if !now.After(s.last) {
		now = s.last.Add(time.Microsecond)
	}
	s.last = now
	return now
}
