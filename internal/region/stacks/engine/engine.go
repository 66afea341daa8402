// Package engine brings the resources of stacks to what their templates say.
//
//	e := engine.New(engine.Config{Account: …, Region: …, DB: db, Types: types, Services: services})
//	err := e.Resume()                                       // go on with what a crash interrupted
//	p, err := e.Prepare(ctx, caller, st, plan.Request{…})   // check a template before anything is made
//	… e.Begin(tx, st, p, "CREATE_IN_PROGRESS"), and when that is durable: e.Launch(st.ID, caller, nil)
//	e.Close()
//
// Resources are made in parallel by their dependencies. Each step is one
// transaction together with its record and its events, so that a crash at any
// moment leaves a state from which the next start goes on: a resource is there
// with its record, or neither is. A slow type (one that waits for something
// outside the state file) has a transaction before and one after, and is asked
// again under the same token. An update keeps what a resource was before, makes
// replacements first and removes what is no longer wanted only after everything
// else succeeded, so that it can be rolled back until then.
package engine

import (
	"context"
	"crypto/rand"
	"io"
	"log/slog"
	"sync"
	"time"

	"github.com/seed-615d3599/roost/internal/region/resources"
	"github.com/seed-615d3599/roost/internal/region/stacks/plan"
	"github.com/seed-615d3599/roost/internal/region/stacks/records"
	"github.com/seed-615d3599/roost/internal/region/stacks/rights"
	"github.com/seed-615d3599/roost/internal/region/store"
	"github.com/seed-615d3599/roost/internal/region/wire"
)

// Config is what New needs. Account, Region, DB and Types must be given.
type Config struct {
	Account  string // 12 digits
	Region   string
	DB       *store.DB
	Types    *resources.Registry
	Own      []*resources.Type        // CloudFormation's own types, but for nested stacks
	Services map[string]*wire.Service // what resource types may call, by name
	Now      func() time.Time         // nil means time.Now
	Rand     io.Reader                // nil means crypto/rand

	// Record says whether a type that the region does not know is to be kept
	// as a record instead of being refused. Nil means never.
	Record func(typeName string) bool

	// Object reads a template from S3 for TemplateURL.
	Object func(ctx context.Context, caller *wire.Caller, bucket, key string) ([]byte, error)

	Rights rights.Rights // with which stacks are made

	// MaxParallel is how many resources may be under way at once in one stack;
	// 0 means 32.
	MaxParallel int
}

// Engine makes, changes and removes the resources of stacks. Make it with New.
type Engine struct {
	*plan.Planner // what templates say, and ask

	config  Config
	clock   records.Clock
	rest    records.Rest
	ctx     context.Context // ends with Close
	cancel  context.CancelFunc
	work    sync.WaitGroup
	mu      sync.Mutex
	running map[string]*launch            // by stack id
	stops   map[string]context.CancelFunc // of what makes resources, by stack id
	halted  map[string]bool               // nested stacks for which their parents do not wait any more
	changed chan struct{}                 // closed and renewed when any stack's status changes
}

// launch is what a run of a stack is to know, and whether to look again after
// the run that is under way.
type launch struct {
	again  bool
	caller *wire.Caller
	hint   *Hint
}

// Hint spares a run work that was done when its operation was checked. It
// changes nothing about what the run does.
type Hint struct {
	Prepared *plan.Prepared
	// Touch has the resources that may change, all others being as they should
	// be; nil means that it is not known.
	Touch map[string]bool
	Have  []*records.Resource // the stack's resources; nil means that they are to be read
	// Imports are the exports that the resources use; given with Touch.
	Imports []string
}

// New returns the engine. It starts nothing: see Resume.
func New(config Config) *Engine {
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
	e := &Engine{config: config, ctx: ctx, cancel: cancel, running: map[string]*launch{}, stops: map[string]context.CancelFunc{}, halted: map[string]bool{}, changed: make(chan struct{})}
	e.Planner = plan.New(plan.Config{
		Account: config.Account, Region: config.Region, DB: config.DB, Types: config.Types, Own: resources.New(append(config.Own, e.nestedType())...),
		Services: config.Services, Rand: config.Rand, Record: config.Record, Object: config.Object,
	})
	return e
}

// Close stops the engine where it is and waits until nothing runs any more.
// Resume of the next start goes on.
func (e *Engine) Close() {
	e.cancel()
	e.work.Wait()
}

// Resume goes on with every operation that a stop of the region interrupted,
// and forgets the stacks that were deleted long ago.
func (e *Engine) Resume() error {
	err := e.config.DB.Update(e.ctx, func(_ context.Context, tx *store.Tx) error {
		return records.Purge(tx, e.config.Now())
	})
	if err != nil {
		return err
	}
	var all []*records.Stack
	err = e.config.DB.View(e.ctx, func(tx *store.Tx) (err error) {
		all, err = records.All(tx)
		return err
	})
	for _, st := range all {
		if records.Active(st.Status) && !st.Parked() {
			e.Launch(st.ID, nil, nil)
		}
	}
	return err
}

// Launch runs in the background what a stack's status says is under way.
// Without a caller the rights are those of the one who began it. A stack never
// has two runs: a run under way takes up what comes.
func (e *Engine) Launch(id string, caller *wire.Caller, hint *Hint) {
	e.mu.Lock()
	defer e.mu.Unlock()
	next := &launch{again: true, caller: caller, hint: hint}
	if _, runs := e.running[id]; runs {
		e.running[id] = next
		return
	}
	e.running[id] = next
	e.work.Go(func() {
		for next := e.next(id); next != nil; next = e.next(id) {
			r := &run{e: e, id: id, hint: next.hint}
			if err := r.all(e.ctx, next.caller); err != nil && e.ctx.Err() == nil {
				slog.Error("a stack operation stopped", "stack", records.NameIn(id), "err", err)
			}
		}
	})
}

// next takes up what is to be run of a stack; nil means that nothing is.
func (e *Engine) next(id string) *launch {
	e.mu.Lock()
	defer e.mu.Unlock()
	l := e.running[id]
	if !l.again || e.ctx.Err() != nil {
		delete(e.running, id)
		return nil
	}
	e.running[id] = &launch{}
	return l
}

// Changed returns a channel that is closed at the next change of any stack.
func (e *Engine) Changed() <-chan struct{} {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.changed
}

// signal wakes whoever waits for a stack.
func (e *Engine) signal() {
	e.mu.Lock()
	close(e.changed)
	e.changed = make(chan struct{})
	e.mu.Unlock()
}

// Update changes a stack's record; f may refuse.
func (e *Engine) Update(ctx context.Context, id string, f func(*store.Tx, *records.Stack) error) (*records.Stack, error) {
	var st *records.Stack
	err := e.config.DB.Update(ctx, func(_ context.Context, tx *store.Tx) (err error) {
		if st, err = records.Find(tx, id); err != nil {
			return err
		}
		if err := f(tx, st); err != nil {
			return err
		}
		return st.Put(tx)
	})
	return st, err
}

// SetStatus gives a stack a status and writes the event. The stack is to be
// stored afterwards.
func (e *Engine) SetStatus(tx *store.Tx, st *records.Stack, status, reason string) error {
	st.Status, st.Reason = status, reason
	tx.OnCommit(e.signal)
	id, err := e.UUID()
	if err != nil {
		return err
	}
	at, err := e.clock.Moment(tx, st.ID, e.config.Now())
	if err != nil {
		return err
	}
	return st.PutEvent(tx, records.Event{
		ID: id, LogicalID: st.Name, PhysicalID: st.ID, Type: records.StackType, Status: status, Reason: reason, Time: at,
	})
}

// Tell writes an event of a resource's status.
func (e *Engine) Tell(tx *store.Tx, st *records.Stack, one *records.Resource) error {
	return e.putEvent(tx, st, records.Event{LogicalID: one.LogicalID, PhysicalID: one.State.ID, Type: one.Type, Status: one.Status, Reason: one.Reason})
}

// putEvent writes what became of a resource.
func (e *Engine) putEvent(tx *store.Tx, st *records.Stack, event records.Event) (err error) {
	if event.Time, err = e.clock.Moment(tx, st.ID, e.config.Now()); err != nil {
		return err
	}
	event.ID = event.LogicalID + "-" + event.Status + "-" + event.Time.Format("2006-01-02T15:04:05.000Z")
	return st.PutEvent(tx, event)
}

// Begin gives a stack its new template and status, in the transaction in which
// it was found fit for that.
func (e *Engine) Begin(tx *store.Tx, st *records.Stack, p *plan.Prepared, status string) error {
	goesOn := st.Status == "UPDATE_FAILED" || st.Parked()
	st.Tried++
	if !goesOn {
		st.Before, st.First, st.Earlier = st.Revision, st.Tried, st.Kept
	}
	st.Revision, p.Revision = st.Tried, st.Tried
	st.Touched = len(p.Plan.Resources)
	st.Parameters, st.Capabilities, st.Description = p.Parameters, p.Capabilities, p.Plan.Template().Description
	if p.Tags != nil {
		st.Tags = p.Tags
	}
	if p.NotificationARNs != nil {
		st.NotificationARNs = p.NotificationARNs
	}
	st.Deadline = time.Time{}
	if st.TimeoutMinutes > 0 && status == "CREATE_IN_PROGRESS" {
		st.Deadline = e.config.Now().UTC().Add(time.Duration(st.TimeoutMinutes) * time.Minute)
	}
	if err := st.PutTemplate(tx, p.Body); err != nil {
		return err
	}
	if status == "UPDATE_IN_PROGRESS" {
		st.Updated = e.config.Now().UTC()
	}
	if err := e.SetStatus(tx, st, status, "User Initiated"); err != nil {
		return err
	}
	return st.Put(tx)
}

// Wait returns when a stack is at rest, or waits for its parent.
func (e *Engine) Wait(ctx context.Context, id string) (*records.Stack, error) {
	for {
		changed := e.Changed()
		st, err := e.Find(ctx, id)
		if err != nil || !records.Active(st.Status) || st.Parked() {
			return st, err
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return st, ctx.Err()
		}
	}
}

// Find returns a stack by name or id.
func (e *Engine) Find(ctx context.Context, nameOrID string) (st *records.Stack, err error) {
	err = e.config.DB.View(ctx, func(tx *store.Tx) error {
		st, err = records.Find(tx, nameOrID)
		return err
	})
	return st, err
}

// Resources returns the resources of a stack.
func (e *Engine) Resources(ctx context.Context, stackID string) (all []*records.Resource, err error) {
	err = e.config.DB.View(ctx, func(tx *store.Tx) error {
		all, err = records.ResourcesOf(tx, stackID)
		return err
	})
	return all, err
}

// ResourcesOf returns the resources of a stack that is at rest. They must not
// be changed.
func (e *Engine) ResourcesOf(ctx context.Context, st *records.Stack) ([]*records.Resource, error) {
	if all, ok := e.rest.Resources(st); ok {
		return all, nil
	}
	return e.Resources(ctx, st.ID)
}

// Template returns the template that a stack has, or goes to.
func (e *Engine) Template(ctx context.Context, st *records.Stack) (body string, err error) {
	err = e.config.DB.View(ctx, func(tx *store.Tx) error {
		body, err = records.Template(tx, st.ID, st.Revision)
		return err
	})
	return body, err
}
