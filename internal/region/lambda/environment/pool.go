package environment

import (
	"context"
	"slices"
	"sync/atomic"
	"time"

	"github.com/seed-615d3599/roost/internal/region/lambda/runtimeapi"
)

// slice is how long an environment serves a function that has calls waiting,
// before its place may go to another function that waits for one. A shorter one
// would spend the machine on starting processes.
const slice = time.Second

// Pool holds the environments of one function version.
type Pool struct {
	manager     *Manager
	spec        *Spec
	concurrency *Concurrency
	silent      atomic.Bool

	// Guarded by the manager's lock.
	all      map[*Environment]struct{}
	idle     []*Environment // the warmest last
	queue    []*call        // oldest first
	starting int
	ending   int // answered, and not yet asked for the next call
	growing  *time.Timer
	starving bool // stands in manager.starved
	retired  bool
}

// Spec returns what the pool's environments run.
func (p *Pool) Spec() *Spec { return p.spec }

// Invoke runs the function once and waits for its answer. The error is a
// *Throttled, or the context's: then the invocation goes on without its caller,
// as in Lambda, unless no environment has begun it yet.
func (p *Pool) Invoke(ctx context.Context, in Call) (Result, error) {
	m := p.manager
	c := p.prepare(in)
	m.mu.Lock()
	if throttled := m.admit(p.concurrency); throttled != nil {
		m.mu.Unlock()
		return Result{}, throttled
	}
	if m.closed {
		m.leave(p.concurrency)
		m.mu.Unlock()
		return stopped().result(c), nil
	}
	if n := len(p.idle); n > 0 && len(p.queue) == 0 {
		e := p.idle[n-1]
		p.idle = p.idle[:n-1]
		if !e.expired() {
			e.take(c)
			m.mu.Unlock()
			e.dispatch(c)
			return p.wait(ctx, c)
		}
		e.end(nil)
	}
	if m.waiting >= m.config.MaxWaiting {
		m.leave(p.concurrency)
		m.mu.Unlock()
		return Result{}, &Throttled{Reason: ReasonAccount}
	}
	p.queue = append(p.queue, c)
	m.waiting++
	p.bound(c)
	p.grow()
	m.mu.Unlock()
	return p.wait(ctx, c)
}

func (p *Pool) prepare(in Call) *call {
	c := &call{pool: p, tail: in.Tail, done: make(chan Result, 1), queued: time.Now()}
	c.inv = runtimeapi.Invocation{RequestID: in.RequestID, InvokedFunctionARN: in.InvokedFunctionARN, TraceID: in.TraceID,
		ClientContext: in.ClientContext, CognitoIdentity: in.CognitoIdentity, Payload: in.Payload, Stream: in.Stream}
	if in.RequestID == "" || in.TraceID == "" {
		id, trace := p.manager.ids.next(c.queued)
		if in.RequestID == "" {
			c.inv.RequestID = id
		}
		if in.TraceID == "" {
			c.inv.TraceID = trace
		}
	}
	if in.InvokedFunctionARN == "" {
		c.inv.InvokedFunctionARN = p.spec.FunctionARN
	}
	return c
}

// wait waits for the answer.
func (p *Pool) wait(ctx context.Context, c *call) (Result, error) {
	select {
	case result := <-c.done:
		if c.overdue {
			return Result{}, &Throttled{Reason: ReasonAccount}
		}
		return result, nil
	case <-ctx.Done():
		p.manager.mu.Lock()
		defer p.manager.mu.Unlock()
		p.withdraw(c)
		return Result{}, ctx.Err()
	}
}

// bound bounds the time of a call that has come into the queue. The lock is held.
func (p *Pool) bound(c *call) {
	var limit *time.Timer
	limit = time.AfterFunc(p.spec.startTime(&p.manager.config), func() {
		p.manager.mu.Lock()
		defer p.manager.mu.Unlock()
		switch {
		case c.limit != limit: // it has left the queue
		case p.spec.held() || p.awaits(c):
			limit.Reset(p.spec.Timeout)
		case p.withdraw(c):
			c.overdue = true
			c.done <- Result{}
		}
	})
	c.limit = limit
}

// unbound ends that, when the call leaves the queue. The lock is held.
func (c *call) unbound() {
	c.limit.Stop()
	c.limit = nil
}

// awaits reports whether one of the environments that start is for this call:
// its initialization has a limit of its own, whose error is the call's answer.
// The lock is held.
func (p *Pool) awaits(c *call) bool {
	fresh := 0
	for e := range p.all {
		if e.ready.IsZero() {
			fresh++
		}
	}
	return slices.Contains(p.queue[:min(fresh, len(p.queue))], c)
}

// withdraw takes a call out of the queue, if it is still there. The lock is held.
func (p *Pool) withdraw(c *call) bool {
	if c.state != callQueued {
		return false
	}
	for i, other := range p.queue {
		if other == c {
			p.queue = append(p.queue[:i], p.queue[i+1:]...)
			p.manager.waiting--
			c.unbound()
			c.state = callOver
			p.manager.leave(p.concurrency)
			return true
		}
	}
	return false
}

// takeQueue empties the queue. The lock is held.
func (p *Pool) takeQueue() []*call {
	queue := p.queue
	p.manager.waiting -= len(queue)
	p.queue = nil
	for _, c := range queue {
		c.unbound()
	}
	return queue
}

// pop takes the oldest waiting call, or nil. The lock is held.
func (p *Pool) pop() *call {
	if len(p.queue) == 0 {
		return nil
	}
	c := p.queue[0]
	p.queue[0] = nil
	p.queue = p.queue[1:]
	p.manager.waiting--
	c.unbound()
	return c
}

// finish ends a call that left the queue and hands over its result. The lock
// is held.
func (p *Pool) finish(c *call, result Result) {
	if c.state == callOver {
		return
	}
	c.state = callOver
	p.manager.leave(p.concurrency)
	c.done <- result
}

// settle is how long a call waits for an environment that has just answered
// another one, before a new environment is started for it.
const settle = 50 * time.Millisecond

// grow starts environments for calls that wait, as far as the limits allow.
// Environments that have answered will be free in an instant; only when that
// instant has passed are they not counted on. The lock is held.
func (p *Pool) grow() {
	if p.ending > 0 && p.growing == nil && p.starting < len(p.queue) {
		p.growing = time.AfterFunc(settle, func() {
			p.manager.mu.Lock()
			defer p.manager.mu.Unlock()
			p.growing = nil
			p.start(0)
		})
	}
	p.start(p.ending)
}

// start starts an environment for each waiting call but those that others will
// take. The lock is held.
func (p *Pool) start(others int) {
	m := p.manager
	for p.starting+others < len(p.queue) && !m.closed {
		if m.total >= m.config.MaxEnvironments {
			if !p.starving {
				p.starving = true
				m.starved = append(m.starved, p)
				// The place is free once that process has ended.
				m.makeRoom(p)
			}
			return
		}
		if p.spec.Debug != nil && len(p.all) > 0 {
			return
		}
		p.launch()
	}
}

// launch starts an environment. The lock is held.
func (p *Pool) launch() {
	e := &Environment{pool: p, spec: p.spec, spawned: make(chan struct{})}
	p.all[e] = struct{}{}
	p.starting++
	p.manager.total++
	p.manager.done.Add(1)
	go e.run()
}

// Warm starts an environment before the first call, where there is none and the
// limit leaves room for one: nobody waits for it.
func (p *Pool) Warm() {
	m := p.manager
	m.mu.Lock()
	defer m.mu.Unlock()
	p.warm()
}

// warm is Warm with the lock held.
func (p *Pool) warm() {
	m := p.manager
	if len(p.all) == 0 && m.total < m.config.MaxEnvironments && !p.retired && !m.closed {
		p.launch()
	}
}

// Runs reports whether there are environments.
func (p *Pool) Runs() bool {
	p.manager.mu.Lock()
	defer p.manager.mu.Unlock()
	return len(p.all) > 0
}

// Idle returns how many environments wait for a call.
func (p *Pool) Idle() int {
	p.manager.mu.Lock()
	defer p.manager.mu.Unlock()
	return len(p.idle)
}

// Retire makes the pool's environments end: idle ones now, busy ones when
// their call is over. Calls that wait are still answered by this pool.
func (p *Pool) Retire() {
	m := p.manager
	m.mu.Lock()
	defer m.mu.Unlock()
	p.retired = true
	for len(p.idle) > 0 {
		p.idle[len(p.idle)-1].end(nil)
	}
	p.forget()
}

// Silence ends what the pool's environments log, because their function is gone:
// a line that came late would make the log group anew, after its deletion.
func (p *Pool) Silence() { p.silent.Store(true) }

// forget drops a retired pool that is empty from the manager. The lock is held.
func (p *Pool) forget() {
	if p.retired && len(p.all) == 0 && len(p.queue) == 0 {
		delete(p.manager.pools, p)
	}
}

// yield decides whether an environment of this pool that has become free ends
// in favour of another function that waits for a place; ready is since when it
// serves. The lock is held.
func (p *Pool) yield(ready time.Time) bool {
	for _, other := range p.manager.starved {
		if other == p || len(other.queue) == 0 {
			continue // this pool's own calls are no reason to end what serves them
		}
		if len(p.queue) == 0 {
			return true
		}
		if time.Since(ready) >= slice && other.queue[0].queued.Before(p.queue[0].queued) {
			return true
		}
	}
	return false
}
