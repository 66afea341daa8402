package environment

import "time"

// Debug is a debugger under which a function runs. Its methods do not block: they
// are called with the manager's lock held.
type Debug interface {
	// Ready is told when the function waits for its first call, Ended when its
	// process is gone.
	Ready()
	Ended()
	// Holds says whether the function may stand at a breakpoint: then no time
	// limit ends it.
	Holds() bool
}

// The times of a function that is debugged.
const (
	// debugStart is how much longer it may take to start: under its debugger it
	// does so slowly, and for somebody who watches.
	debugStart = 5 * time.Minute
	// allDay is what is told to a function that a debugger holds as the time that
	// is left to it.
	allDay = 24 * time.Hour
)

// held says whether a debugger holds the function, so that its time stands still.
func (s *Spec) held() bool { return s.Debug != nil && s.Debug.Holds() }

// startTime is how long the function may take until it waits for its first call.
func (s *Spec) startTime(config *Config) time.Duration {
	if s.Debug != nil {
		return debugStart + s.Timeout
	}
	return config.InitTimeout + s.Timeout
}

// callTime is what is told to the function as the time for a call.
func (s *Spec) callTime() time.Duration {
	if s.held() {
		return allDay
	}
	return s.Timeout
}

// wait gives the environment its time once more, if a debugger holds it: the
// limit counts from when it does so no longer. The lock is held.
func (e *Environment) wait() bool {
	if e.state == stateStarting || !e.spec.held() {
		return false
	}
	e.deadline = time.Now().Add(e.spec.Timeout)
	e.timer.Reset(e.spec.Timeout)
	return true
}

// again starts a function that is debugged anew when it has ended, so that a
// debugger can attach before the next call. One that never got as far as waiting
// for a call would only fail again. The lock is held.
func (p *Pool) again(ended *Environment) {
	if p.spec.Debug == nil {
		return
	}
	p.spec.Debug.Ended()
	if !ended.ready.IsZero() {
		p.warm()
	}
}
