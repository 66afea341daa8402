package environment

import (
	"crypto/rand"
	"io"
	"os"
	"runtime"
	"sync"
	"time"

	"github.com/seed-615d3599/roost/internal/region/lambda/process"
)

// Manager keeps the environments of all function versions of a region and
// shares the machine between them. Its lock guards the state of every pool,
// environment and call; it is held for a few instructions at a time.
type Manager struct {
	config Config
	ids    identifiers

	mu       sync.Mutex
	pools    map[*Pool]struct{}
	total    int     // processes that run or are about to
	starved  []*Pool // wait for a process to end somewhere, oldest first
	waiting  int     // calls in queues
	running  int     // concurrent executions without reserved concurrency
	reserved int     // sum of all reserved concurrency
	closed   bool
	janitor  *time.Timer
	sampler  *time.Timer
	done     sync.WaitGroup // environments
	ahead    *process.Ahead
}

// NewManager returns a manager without environments.
func NewManager(config Config) *Manager {
	if config.Now == nil {
		config.Now = time.Now
	}
	if config.MaxEnvironments <= 0 {
		config.MaxEnvironments = defaultEnvironments()
	}
	if config.MaxWaiting <= 0 {
		config.MaxWaiting = 10_000
	}
	if config.AccountLimit <= 0 {
		config.AccountLimit = 1000
	}
	if config.IdleTimeout <= 0 {
		config.IdleTimeout = 5 * time.Minute
	}
	if config.InitTimeout <= 0 {
		config.InitTimeout = 10 * time.Second
	}
	m := &Manager{config: config, pools: map[*Pool]struct{}{}, ahead: newAhead(&config)}
	m.ids.rand = io.Reader(rand.Reader)
	return m
}

// defaultEnvironments is eight for each core, and no more than fit in half of
// the memory at 64 MB each.
func defaultEnvironments() int {
	limit := 8 * runtime.NumCPU()
	if mb := process.TotalMemoryMB(); mb > 0 {
		limit = min(limit, mb/128)
	}
	return max(limit, 2)
}

// Concurrency counts the executions of one function over all its versions.
type Concurrency struct {
	reserved int // -1: none
	running  int
}

// NewConcurrency returns the count of a function without reserved concurrency.
func (m *Manager) NewConcurrency() *Concurrency { return &Concurrency{reserved: -1} }

// Reserve sets a function's reserved concurrency; a negative one removes it.
func (m *Manager) Reserve(c *Concurrency, executions int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.reserved += max(executions, 0) - max(c.reserved, 0)
	if (c.reserved < 0) != (executions < 0) {
		if executions < 0 {
			m.running += c.running
		} else {
			m.running -= c.running
		}
	}
	c.reserved = max(executions, -1)
}

// admit counts one execution more, or says why it may not be.
func (m *Manager) admit(c *Concurrency) *Throttled {
	if c.reserved >= 0 {
		if c.running >= c.reserved {
			return &Throttled{Reason: ReasonReserved}
		}
	} else {
		if m.running >= m.config.AccountLimit-m.reserved {
			return &Throttled{Reason: ReasonAccount}
		}
		m.running++
	}
	c.running++
	return nil
}

// leave takes back what admit counted.
func (m *Manager) leave(c *Concurrency) {
	c.running--
	if c.reserved < 0 {
		m.running--
	}
}

// Pool makes the pool of one function version. It starts nothing yet.
func (m *Manager) Pool(spec *Spec, concurrency *Concurrency) *Pool {
	p := &Pool{manager: m, spec: spec, concurrency: concurrency, all: map[*Environment]struct{}{}}
	m.mu.Lock()
	m.pools[p] = struct{}{}
	m.mu.Unlock()
	return p
}

// Running returns how many processes run.
func (m *Manager) Running() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.total
}

// Close ends every environment and waits until all are gone. Calls in flight
// fail. It is the last thing done with the manager.
func (m *Manager) Close() {
	m.mu.Lock()
	m.closed = true
	var all []*Environment
	for p := range m.pools {
		p.retired = true
		for _, c := range p.takeQueue() {
			p.finish(c, stopped().result(c))
		}
		for e := range p.all {
			all = append(all, e)
		}
	}
	if m.janitor != nil {
		m.janitor.Stop()
	}
	if m.sampler != nil {
		m.sampler.Stop()
	}
	for _, e := range all {
		e.end(stopped())
	}
	m.mu.Unlock()
	m.done.Wait()
	m.ahead.Close()
}

func stopped() *failure {
	return &failure{kind: "Sandbox.Failure", text: "the region is stopping", status: "error"}
}

func (f *failure) result(c *call) Result {
	return Result{RequestID: c.inv.RequestID, Payload: f.document(c.inv.RequestID), ContentType: "application/json",
		FunctionError: "Unhandled", ErrorType: f.errorType(), Tail: c.logTail()}
}

// tend arms the timer that ends idle environments. The lock is held.
func (m *Manager) tend() {
	if m.janitor == nil {
		m.janitor = time.AfterFunc(m.config.IdleTimeout/2, m.sweep)
	}
}

// sweep ends the environments that were idle for too long.
func (m *Manager) sweep() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.janitor = nil
	if m.closed {
		return
	}
	idle := false
	for p := range m.pools {
		for len(p.idle) > 0 && p.spec.Debug == nil && time.Since(p.idle[0].idleSince) >= m.config.IdleTimeout {
			p.idle[0].end(nil)
		}
		idle = idle || len(p.idle) > 0
	}
	if idle {
		m.tend()
	}
}

// makeRoom ends the environment that has been idle for longest, in any pool
// but one. It returns whether there was one.
func (m *Manager) makeRoom(but *Pool) bool {
	var oldest *Environment
	for p := range m.pools {
		if p == but || len(p.idle) == 0 {
			continue
		}
		if e := p.idle[0]; oldest == nil || e.idleSince.Before(oldest.idleSince) {
			oldest = e
		}
	}
	if oldest == nil {
		return false
	}
	oldest.end(nil)
	return true
}

// relieve gives the place of a process that ended to whoever waits longest.
func (m *Manager) relieve() {
	for len(m.starved) > 0 && m.total < m.config.MaxEnvironments {
		p := m.starved[0]
		m.starved = m.starved[1:]
		p.starving = false
		p.grow()
	}
}

// now is the configured clock.
func (e *Environment) now() time.Time { return e.pool.manager.config.Now() }

// temporary makes the environment's TMPDIR.
func (m *Manager) temporary() (string, error) {
	if err := os.MkdirAll(m.config.Dir, 0o700); err != nil {
		return "", err
	}
	return os.MkdirTemp(m.config.Dir, "tmp-")
}
