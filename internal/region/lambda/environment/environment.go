package environment

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/seed-615d3599/roost/internal/region/lambda/cgroup"
	"github.com/seed-615d3599/roost/internal/region/lambda/process"
	"github.com/seed-615d3599/roost/internal/region/lambda/runtimeapi"
	"github.com/seed-615d3599/roost/internal/region/lambda/runtimes"
	"github.com/seed-615d3599/roost/internal/region/lambda/supervisor"
)

// renewBefore is how long before its credentials expire an environment is
// replaced, beside the time that its next invocation may take.
const renewBefore = 5 * time.Minute

// farewell is how long a runtime that told an initialization error may take to
// write its last lines and exit.
const farewell = 500 * time.Millisecond

// Environment is one process, or process group, that runs a function.
type Environment struct {
	pool    *Pool
	spec    *Spec
	place   place
	stream  string // the log stream
	session *runtimeapi.Session
	cmd     *exec.Cmd
	group   *cgroup.Group // limits the memory; nil: it is sampled
	outputs []*process.Output
	spawned chan struct{} // closed when the start has succeeded or failed
	timer   *time.Timer
	expires time.Time // of the credentials; zero: never
	began   time.Time
	logging atomic.Pointer[call] // to whose tail the function's lines belong
	memory  atomic.Int64         // largest use that was seen, in bytes

	// Guarded by the manager's lock.
	state        environmentState
	call         *call
	cause        *failure // why it ended; nil: it was not needed any more
	reported     *runtimeapi.Outcome
	deadline     time.Time // when timer is meant to fire
	ready        time.Time // when it first asked for a call
	idleSince    time.Time
	initDuration time.Duration
	calls        int
	started      bool // the process was started
}

// place is where the environment finds what is its own.
type place struct{ runtimeAPI, tmp, logStream, sdk string }

type environmentState int

const (
	stateStarting environmentState = iota
	stateIdle
	stateBusy
	stateEnding // answered, and has not asked for the next call
	stateEnded
)

// run starts the process, waits for its end and cleans up.
func (e *Environment) run() {
	m := e.pool.manager
	defer m.done.Done()
	runtime.LockOSThread() // the process ends with the thread that started it
	defer runtime.UnlockOSThread()
	err := e.start()
	if err == nil {
		err = e.cmd.Wait()
	}
	e.over(err)
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(e.pool.all, e)
	m.total--
	e.pool.again(e)
	m.relieve()
	e.pool.grow()
	e.pool.forget()
}

// start prepares the environment's place and starts its process.
func (e *Environment) start() error {
	m := e.pool.manager
	e.began = time.Now()
	id, _ := m.ids.next(e.began)
	e.stream = streamName(e.spec, e.now(), id)
	ctx, cancel := context.WithTimeout(context.Background(), m.config.InitTimeout)
	defer cancel()
	var keys credentials
	var err error
	if m.config.Credentials != nil {
		keys.accessKeyID, keys.secret, keys.token, e.expires, err = m.config.Credentials.Credentials(ctx, e.spec.RoleARN, e.spec.FunctionName)
		if err != nil {
			return fmt.Errorf("credentials of the role %s: %w", e.spec.RoleARN, err)
		}
	}
	if e.place.tmp, err = m.temporary(); err != nil {
		return fmt.Errorf("the temporary folder: %w", err)
	}
	if e.session, err = runtimeapi.Listen(e); err != nil {
		return err
	}
	e.place.runtimeAPI, e.place.logStream = e.session.Addr(), e.stream
	if e.spec.node() {
		e.place.sdk = runtimes.SDK(m.config.App)
	}
	e.logInitStart()
	if e.ahead() {
		w := m.ahead.Take(e.spec.Command)
		m.ahead.Prepare(e.spec.Command, e.spec.RuntimeDir)
		if w != nil && e.adopt(w, keys) {
			return nil
		}
	}
	cmd, err := e.command(keys)
	if err != nil {
		return err
	}
	return e.spawn(cmd)
}

// spawn starts the process in a group of its own, with its pipes.
func (e *Environment) spawn(cmd *exec.Cmd) error {
	m := e.pool.manager
	writers, err := e.connect(cmd)
	defer func() {
		for _, w := range writers {
			w.Close()
		}
	}()
	if err != nil {
		return err
	}
	if err := e.arm(); err != nil {
		return err
	}
	if err := e.confine(cmd); err != nil {
		return err
	}
	// The start takes a while, and nothing else waits for it: the lock is not
	// held, and Ready waits for spawned.
	defer close(e.spawned)
	if err := cmd.Start(); err != nil {
		return err
	}
	if m.config.Groups != nil {
		m.config.Groups.Add(cmd.Process.Pid)
	}
	e.has(cmd)
	return nil
}

// has notes that the process runs.
func (e *Environment) has(cmd *exec.Cmd) {
	m := e.pool.manager
	m.mu.Lock()
	defer m.mu.Unlock()
	e.cmd, e.started = cmd, true
	if e.state == stateEnded {
		_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
	}
	m.sample()
}

// arm sets the time limit of the initialization.
func (e *Environment) arm() error {
	m := e.pool.manager
	m.mu.Lock()
	defer m.mu.Unlock()
	if e.state == stateEnded {
		return errors.New("the environment is not needed any more")
	}
	limit := e.spec.startTime(&m.config)
	e.deadline = time.Now().Add(limit)
	e.timer = time.AfterFunc(limit, e.expire)
	return nil
}

// connect makes the pipes for what the function writes. The caller closes the
// writers once the process has them.
func (e *Environment) connect(cmd *exec.Cmd) (writers []*os.File, err error) {
	w, err := e.pipe(process.Lines(e.logLine), e.logLine)
	if err != nil {
		return nil, err
	}
	cmd.Stdout, cmd.Stderr = w, w
	writers = append(writers, w)
	if e.spec.Managed {
		w, err := e.pipe(process.Frames(e.logFrame), nil)
		if err != nil {
			return writers, err
		}
		cmd.ExtraFiles = []*os.File{w} // file descriptor 3
		writers = append(writers, w)
	}
	return writers, nil
}

// pipe makes one output and returns the end for the process.
func (e *Environment) pipe(split func([]byte) []byte, rest func(string)) (*os.File, error) {
	r, w, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	if err := e.read(r, split, rest); err != nil {
		w.Close()
		return nil, err
	}
	return w, nil
}

// read begins to read an output.
func (e *Environment) read(r *os.File, split func([]byte) []byte, rest func(string)) error {
	o, err := process.NewOutput(r, split, rest)
	if err != nil {
		r.Close()
		return err
	}
	e.outputs = append(e.outputs, o)
	go o.Follow()
	return nil
}

// Ready implements runtimeapi.Events: the runtime waits for an invocation.
func (e *Environment) Ready() {
	m, p := e.pool.manager, e.pool
	<-e.spawned
	m.mu.Lock()
	switch e.state {
	case stateStarting:
		p.starting--
		e.ready = time.Now()
		e.initDuration = e.ready.Sub(e.began)
		if e.spec.Debug != nil {
			e.spec.Debug.Ready()
		}
	case stateEnding:
		p.ending--
	default:
		m.mu.Unlock()
		return
	}
	e.state = stateBusy
	if e.expired() || p.yield(e.ready) {
		e.end(nil)
		m.mu.Unlock()
		return
	}
	if c := p.pop(); c != nil {
		e.take(c)
		m.mu.Unlock()
		e.dispatch(c)
		return
	}
	if p.retired || m.closed {
		e.end(nil)
	} else {
		e.timer.Stop()
		e.state, e.idleSince = stateIdle, time.Now()
		p.idle = append(p.idle, e)
		m.tend()
	}
	m.mu.Unlock()
}

// expired says whether the credentials end before another call could. A fresh
// environment serves its first call whatever time it was given. The lock is held.
func (e *Environment) expired() bool {
	if e.expires.IsZero() || e.spec.held() || e.calls == 0 && e.idleSince.IsZero() {
		return false
	}
	return e.now().Add(renewBefore + e.spec.Timeout).After(e.expires)
}

// take makes a call the environment's own. The lock is held.
func (e *Environment) take(c *call) {
	c.state = callRunning
	c.first = e.calls == 0
	e.calls++
	e.state, e.call = stateBusy, c
	e.deadline = time.Now().Add(e.spec.Timeout)
	e.timer.Reset(e.spec.Timeout)
}

// dispatch hands the call to the runtime.
func (e *Environment) dispatch(c *call) {
	now := e.now()
	c.started = time.Now()
	c.inv.Deadline = now.Add(e.spec.callTime())
	e.logging.Store(c)
	e.logStart(c)
	if err := e.session.Dispatch(&c.inv); err != nil {
		e.giveBack(c)
	}
}

// giveBack returns a call that the runtime never saw, because it went away
// between two invocations, to the head of the queue.
func (e *Environment) giveBack(c *call) {
	m := e.pool.manager
	m.mu.Lock()
	defer m.mu.Unlock()
	if e.call == c {
		e.call = nil
		c.state = callQueued
		e.pool.queue = append([]*call{c}, e.pool.queue...)
		m.waiting++
		e.pool.bound(c)
		e.pool.grow()
	}
	e.end(nil)
}

// Done implements runtimeapi.Events: the runtime answered.
func (e *Environment) Done(inv *runtimeapi.Invocation, out runtimeapi.Outcome) {
	m := e.pool.manager
	m.mu.Lock()
	c := e.call
	if c == nil || &c.inv != inv {
		m.mu.Unlock()
		return
	}
	// The timer goes on: until the runtime asks for the next invocation it may
	// still work, as in Lambda, but not for longer than the time limit.
	e.call = nil
	if e.state == stateBusy {
		e.state = stateEnding
		e.pool.ending++
	}
	m.mu.Unlock()

	e.drain()
	e.logEnd(c, nil)
	e.logging.Store(nil)
	result := Result{RequestID: inv.RequestID, Payload: out.Payload, ContentType: out.ContentType, Streamed: out.Streamed, Tail: c.logTail()}
	if out.Failed {
		result.FunctionError, result.ErrorType = "Unhandled", out.ErrorType
	}
	m.mu.Lock()
	e.pool.finish(c, result)
	m.mu.Unlock()
}

// InitError implements runtimeapi.Events: the function could not be loaded.
func (e *Environment) InitError(out runtimeapi.Outcome) {
	m := e.pool.manager
	m.mu.Lock()
	defer m.mu.Unlock()
	e.reported = &out
	e.deadline = time.Now().Add(farewell)
	e.timer.Reset(farewell)
}

// expire is called when the timer fires: initialization or an invocation took
// too long. A timer that was set anew meanwhile is not meant.
func (e *Environment) expire() {
	m := e.pool.manager
	m.mu.Lock()
	defer m.mu.Unlock()
	if time.Now().Before(e.deadline) || e.state == stateEnded || e.state == stateIdle || e.wait() {
		return
	}
	if e.state == stateEnding {
		e.end(nil)
		return
	}
	e.end(timedOut(e.spec.Timeout))
}

// end kills the environment; run does the rest. The lock is held.
func (e *Environment) end(cause *failure) {
	if e.state == stateEnded {
		return
	}
	switch e.state {
	case stateStarting:
		e.pool.starting--
	case stateEnding:
		e.pool.ending--
	case stateIdle:
		for i, other := range e.pool.idle {
			if other == e {
				e.pool.idle = append(e.pool.idle[:i], e.pool.idle[i+1:]...)
				break
			}
		}
	}
	e.state, e.cause = stateEnded, cause
	if e.started {
		_ = syscall.Kill(-e.cmd.Process.Pid, syscall.SIGKILL)
	}
}

// over cleans up after the process and answers the call that it left behind.
// For an environment that never became ready that is the oldest waiting call:
// it is the one for which the environment was started.
func (e *Environment) over(err error) {
	m, p := e.pool.manager, e.pool
	m.mu.Lock()
	e.started = false
	initializing := e.calls == 0 && (e.state == stateStarting || e.cause != nil)
	if e.state != stateEnded {
		e.end(e.ownEnd(err))
	}
	if e.reported != nil {
		e.cause = &failure{reported: e.reported, status: "error"}
	}
	c := e.call
	if c == nil && initializing {
		if c = p.pop(); c != nil {
			c.started, c.first = e.began, true
			e.initDuration = time.Since(e.began)
		}
	}
	e.call = nil
	cause := e.cause
	m.mu.Unlock()

	e.release()
	if c == nil {
		return
	}
	if cause == nil {
		cause = stopped()
	}
	if e.logging.Load() == nil {
		e.logStart(c)
	}
	e.logEnd(c, cause)
	m.mu.Lock()
	p.finish(c, cause.result(c))
	m.mu.Unlock()
}

// ownEnd says why a process ended that nobody killed here.
func (e *Environment) ownEnd(err error) *failure {
	if e.cmd == nil || e.cmd.ProcessState == nil {
		return notStarted(err)
	}
	if e.group != nil && e.group.OutOfMemory() {
		return outOfMemory()
	}
	return exited(e.cmd.ProcessState)
}

// release frees what the environment held: orphans of its group, the Runtime
// API's port, its last lines and its temporary folder.
func (e *Environment) release() {
	m := e.pool.manager
	if e.timer != nil {
		e.timer.Stop()
	}
	if e.cmd != nil {
		_ = syscall.Kill(-e.cmd.Process.Pid, syscall.SIGKILL)
		if m.config.Groups != nil {
			m.config.Groups.Remove(e.cmd.Process.Pid)
		}
	}
	e.drain()
	for _, o := range e.outputs {
		o.Close()
	}
	if e.session != nil {
		// Processes that left the group still carry this environment's address.
		supervisor.KillMarked("AWS_LAMBDA_RUNTIME_API=" + e.session.Addr())
		e.session.Close()
	}
	if e.group != nil {
		e.group.Remove()
	}
	if e.place.tmp != "" {
		os.RemoveAll(e.place.tmp)
	}
}

func (e *Environment) drain() {
	for _, o := range e.outputs {
		o.Drain()
	}
}

// compact is a UUID without its hyphens, as log streams end.
func compact(uuid string) string {
	return uuid[0:8] + uuid[9:13] + uuid[14:18] + uuid[19:23] + uuid[24:36]
}
