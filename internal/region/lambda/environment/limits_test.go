package environment_test

import (
	"context"
	"errors"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/seed-615d3599/roost/internal/region/lambda/environment"
)

// answer is what one call got.
type answer struct {
	result environment.Result
	err    error
}

// call makes a call that goes on beside the test.
func call(p *environment.Pool, payload string, answers chan<- answer) {
	go func() {
		result, err := p.Invoke(context.Background(), environment.Call{Payload: []byte(payload)})
		answers <- answer{result, err}
	}()
}

// busy makes a call that is under way until free is called.
func busy(t *testing.T, p *environment.Pool, answers chan<- answer) (free func()) {
	t.Helper()
	gate, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { gate.Close() })
	call(p, `{"do":"wait","for":"`+gate.Addr().String()+`"}`, answers)
	conn, err := gate.Accept()
	if err != nil {
		t.Fatal(err)
	}
	return func() { conn.Close() }
}

// throttled checks that a call was refused for a reason.
func throttled(t *testing.T, got answer, reason string) {
	t.Helper()
	var refused *environment.Throttled
	if !errors.As(got.err, &refused) || refused.Reason != reason {
		t.Errorf("got %s %v, want %s", got.result.Payload, got.err, reason)
	}
}

// Where the one environment is busy and the queue has one place, the second of
// two more calls is refused, and the first is answered in its turn.
func TestAFullQueueThrottles(t *testing.T) {
	m := manager(t, environment.Config{MaxEnvironments: 1, MaxWaiting: 1})
	p := m.Pool(spec("x"), m.NewConcurrency())
	first, others := make(chan answer, 1), make(chan answer, 2)
	free := busy(t, p, first)
	call(p, `{"a":1}`, others)
	call(p, `{"a":1}`, others)
	throttled(t, <-others, environment.ReasonAccount)
	free()
	if got := <-others; got.err != nil || string(got.result.Payload) != `{"a":1}` {
		t.Errorf("got %s %v", got.result.Payload, got.err)
	}
	if got := <-first; got.err != nil || got.result.FunctionError != "" {
		t.Errorf("got %s %v", got.result.Payload, got.err)
	}
}

// An account has 1,000 concurrent executions, calls that wait for an environment
// among them, less what functions reserve for themselves.
func TestTheAccountsLimit(t *testing.T) {
	const reserved, unreserved = 600, 400
	m := manager(t, environment.Config{MaxEnvironments: 2})
	own := m.NewConcurrency()
	m.Reserve(own, reserved)
	p, q := m.Pool(spec("x"), m.NewConcurrency()), m.Pool(spec("x"), own)
	first, others := make(chan answer, 2), make(chan answer, unreserved)
	// Both environments are busy: nothing is answered but what is refused.
	one, two := busy(t, p, first), busy(t, p, first)
	for range unreserved - 1 {
		call(p, `{}`, others)
	}
	throttled(t, <-others, environment.ReasonAccount)
	one()
	if result := invoke(t, q, `{"a":1}`); string(result.Payload) != `{"a":1}` {
		t.Errorf("of the function's own: got %s", result.Payload)
	}
	two()
	for range unreserved - 2 {
		if got := <-others; got.err != nil || string(got.result.Payload) != `{}` {
			t.Errorf("got %s %v", got.result.Payload, got.err)
		}
	}
}

// What starts before its first call counts too, and takes no place from others.
func TestWarmKeepsTheLimit(t *testing.T) {
	m := manager(t, environment.Config{MaxEnvironments: 1})
	p, q := m.Pool(spec("x"), m.NewConcurrency()), m.Pool(spec("x"), m.NewConcurrency())
	p.Warm()
	q.Warm()
	if !p.Runs() || q.Runs() {
		t.Errorf("there are environments of the first: %v, of the second: %v", p.Runs(), q.Runs())
	}
	if result := invoke(t, q, `{"a":1}`); string(result.Payload) != `{"a":1}` {
		t.Errorf("called, the second gets its place: got %s", result.Payload)
	}
}

// An initialization that never ends has its limit, and the call that it was for
// gets the error of a limit.
func TestTimeLimitOfTheInitialization(t *testing.T) {
	m := manager(t, environment.Config{InitTimeout: 50 * time.Millisecond})
	s := spec("x")
	s.Command, s.Timeout = []string{"/bin/sh", "-c", "exec sleep 1000"}, 50*time.Millisecond
	p := m.Pool(s, m.NewConcurrency())
	for range 2 {
		result := invoke(t, p, `{}`)
		got := strings.ReplaceAll(string(result.Payload), result.RequestID, "<id>")
		if want := `{"errorType":"Sandbox.Timedout","errorMessage":"RequestId: <id> Error: Task timed out after 0.05 seconds"}`; got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}
