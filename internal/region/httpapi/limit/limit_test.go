package limit

import (
	"context"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// A limit is used again as long as it has not ended, each time with all of its time.
func TestLimitsAreUsedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var limits Again
		first := limits.Within(time.Minute, nil)
		time.Sleep(50 * time.Second) // the fake clock's
		limits.Stop(first)
		again := limits.Within(time.Hour, nil)
		if again != first {
			t.Error("it is not used again")
		}
		time.Sleep(time.Hour - time.Second)
		if at, ok := again.Deadline(); again.Err() != nil || !ok || time.Until(at) != time.Second {
			t.Errorf("a second before its end: %v, until %v", again.Err(), at)
		}
		<-again.Done()
		if again.Err() != context.DeadlineExceeded {
			t.Errorf("after its end: %v", again.Err())
		}
		limits.Stop(again)
		next := limits.Within(time.Minute, nil)
		if next == again || next.Err() != nil {
			t.Error("one that has ended is used again")
		}
		limits.Stop(next)
	})
}

// While it is held a limit does not end, and has all of its time anew.
func TestHeldLimits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var limits Again
		var held atomic.Bool
		held.Store(true)
		ctx := limits.Within(time.Minute, held.Load)
		time.Sleep(3*time.Minute + time.Second)
		if ctx.Err() != nil {
			t.Errorf("it ended while it was held: %v", ctx.Err())
		}
		held.Store(false)
		begun := time.Now()
		<-ctx.Done()
		if took := time.Since(begun); took != 59*time.Second || ctx.Err() != context.DeadlineExceeded {
			t.Errorf("it ended after %v: %v", took, ctx.Err())
		}
		limits.Stop(ctx)
	})
}
