// Package limit bounds how long an HTTP API waits for a function.
//
//	var limits limit.Again                    // one for each goroutine
//	ctx := limits.Within(30*time.Second, nil)
//	answer, err := functions.Invoke(ctx, …)
//	limits.Stop(ctx)                          // once nobody uses ctx any more
//
// Other than context.WithTimeout's a context is used again by the next request, which
// saves each one a timer, a channel and three allocations.
package limit

import (
	"context"
	"sync/atomic"
	"time"
)

// Limit is a context that ends after a time. The client's leaving does not end it:
// AWS lets a function finish.
type Limit struct {
	context.Context // the background's: no values
	timer           *time.Timer
	done            chan struct{}
	at              time.Time
	over            atomic.Bool
	stopped         atomic.Bool // while it was ending
}

// Again makes limits, one at a time, of one that it keeps. Its zero value is ready.
type Again struct{ kept *Limit }

// Within returns a context that ends after d. The caller calls Stop once it is no
// longer in use by anybody. While held, which may be nil, says so, the time stands
// still: a debugger holds the function that is waited for.
func (a *Again) Within(d time.Duration, held func() bool) *Limit {
	if held != nil {
		return heldLimit(d, held)
	}
	l := a.kept
	if l == nil {
		l = &Limit{Context: context.Background(), done: make(chan struct{}), at: time.Now().Add(d)}
		l.timer = time.AfterFunc(d, l.end)
		a.kept = l
		return l
	}
	l.at = time.Now().Add(d)
	l.timer.Reset(d)
	return l
}

// heldLimit is a limit, used once, that begins anew as long as it is held.
func heldLimit(d time.Duration, held func() bool) *Limit {
	l := &Limit{Context: context.Background(), done: make(chan struct{}), at: time.Now().Add(d)}
	ready := make(chan struct{})
	l.timer = time.AfterFunc(d, func() {
		<-ready
		if !l.stopped.Load() && held() {
			l.timer.Reset(d)
			return
		}
		l.end()
	})
	close(ready)
	return l
}

func (l *Limit) end() {
	l.over.Store(true)
	close(l.done)
}

// Stop ends the use of a limit. One that has ended, or just ends, is not used again.
func (a *Again) Stop(l *Limit) {
	if !l.timer.Stop() {
		a.kept = nil
		l.stopped.Store(true)
	}
}

// Deadline implements context.Context.
func (l *Limit) Deadline() (time.Time, bool) { return l.at, true }

// Done implements context.Context.
func (l *Limit) Done() <-chan struct{} { return l.done }

// Err implements context.Context.
func (l *Limit) Err() error {
	if l.over.Load() {
		return context.DeadlineExceeded
	}
	return nil
}
