package gateway

import (
	"context"
	"sync/atomic"
	"time"
)

// limit is a context that ends after a time. The client's leaving does not end it:
// AWS lets a function finish. Other than context.WithTimeout's it is used again by
// the next request, which saves each one a timer, a channel and three allocations.
type limit struct {
	context.Context // the background's: no values
	timer           *time.Timer
	done            chan struct{}
	at              time.Time
	over            atomic.Bool
	stopped         atomic.Bool // while it was ending
}

// within returns a context that ends after d. The caller calls stop once it is no
// longer in use by anybody. While a debugger holds the function that is waited
// for, the time stands still.
func (c *call) within(d time.Duration, functionARN string) *limit {
	if held := c.g.config.Held; held != nil {
		return heldLimit(d, func() bool { return held(functionARN) })
	}
	l := c.limit
	if l == nil {
		l = &limit{Context: context.Background(), done: make(chan struct{}), at: time.Now().Add(d)}
		l.timer = time.AfterFunc(d, l.end)
		c.limit = l
		return l
	}
	l.at = time.Now().Add(d)
	l.timer.Reset(d)
	return l
}

// heldLimit is a limit, used once, that begins anew as long as it is held.
func heldLimit(d time.Duration, held func() bool) *limit {
	l := &limit{Context: context.Background(), done: make(chan struct{}), at: time.Now().Add(d)}
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

func (l *limit) end() {
	l.over.Store(true)
	close(l.done)
}

// stop ends the use of a limit. One that has ended, or just ends, is not used again.
func (c *call) stop(l *limit) {
	if !l.timer.Stop() {
		c.limit = nil
		l.stopped.Store(true)
	}
}

// Deadline implements context.Context.
func (l *limit) Deadline() (time.Time, bool) { return l.at, true }

// Done implements context.Context.
func (l *limit) Done() <-chan struct{} { return l.done }

// Err implements context.Context.
func (l *limit) Err() error {
	if l.over.Load() {
		return context.DeadlineExceeded
	}
	return nil
}
