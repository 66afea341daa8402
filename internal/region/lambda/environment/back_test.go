package environment

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/seed-615d3599/roost/internal/region/lambda/runtimeapi"
)

// A call that goes to an environment at once, and comes back because that is gone,
// waits no longer than one that had to wait from the start.
func TestACallThatIsGivenBackDoesNotWaitForEver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := NewManager(Config{Dir: t.TempDir(), MaxEnvironments: 1})
		defer m.Close()
		p := m.Pool(&Spec{FunctionName: "f", Version: "$LATEST", Timeout: 3 * time.Second}, m.NewConcurrency())
		gone := &Environment{pool: p, spec: p.spec, session: &runtimeapi.Session{}, state: stateIdle, ready: time.Now(), timer: time.NewTimer(time.Hour)}
		m.mu.Lock()
		p.all[gone], p.idle, m.total = struct{}{}, []*Environment{gone}, 1 // it never ends: there is no room for another
		m.mu.Unlock()
		began := time.Now()
		_, err := p.Invoke(t.Context(), Call{Payload: []byte("{}")})
		var throttled *Throttled
		if !errors.As(err, &throttled) || throttled.Reason != ReasonAccount {
			t.Errorf("got %v", err)
		}
		if waited := time.Since(began); waited != p.spec.startTime(&m.config) {
			t.Errorf("it waited for %v", waited)
		}
		if len(p.queue) != 0 || m.waiting != 0 {
			t.Errorf("%d calls wait in the queue, %d in all", len(p.queue), m.waiting)
		}
	})
}
