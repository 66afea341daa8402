package environment_test

import (
	"net"
	"strings"
	"testing"
	"time"

	"github.com/seed-615d3599/roost/internal/region/lambda/environment"
)

// hand is a debugger that holds a function until it is told otherwise.
type hand struct {
	ready, ended chan struct{}
	asked        chan struct{} // whether it holds the function
	free         chan struct{} // closed when it does so no longer
}

func (h *hand) Ready() { h.ready <- struct{}{} }
func (h *hand) Ended() { h.ended <- struct{}{} }

func (h *hand) Holds() bool {
	select {
	case h.asked <- struct{}{}:
	default:
	}
	select {
	case <-h.free:
		return false
	default:
		return true
	}
}

func TestTimeStandsStillUnderADebugger(t *testing.T) {
	h := &hand{ready: make(chan struct{}, 10), ended: make(chan struct{}, 10), asked: make(chan struct{}), free: make(chan struct{})}
	m := manager(t, environment.Config{})
	s := spec("run")
	s.Timeout, s.Debug = 50*time.Millisecond, h
	p := m.Pool(s, m.NewConcurrency())
	p.Warm()
	<-h.ready

	gate, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer gate.Close()
	results := make(chan environment.Result, 2)
	for range 2 { // one stands at a breakpoint, the other waits for it
		go func() { results <- invoke(t, p, `{"do":"wait","for":"`+gate.Addr().String()+`"}`) }()
	}
	for range 2 {
		for range 10 { // each time that a limit is over, and when a call begins
			<-h.asked
		}
		conn, err := gate.Accept()
		if err != nil {
			t.Fatal(err)
		}
		conn.Close()
		if got := <-results; got.FunctionError != "" {
			t.Fatalf("%s %s", got.ErrorType, got.Payload)
		}
	}

	close(h.free)
	if got := invoke(t, p, `{"do":"hang"}`); !strings.Contains(string(got.Payload), "timed out after 0.05 seconds") {
		t.Errorf("once nobody debugs it: %s", got.Payload)
	}
	<-h.ended
	<-h.ready // for the next call, a debugger can attach
}

// A function under its debugger is not isolated: the debugger knows this
// machine's paths. Here what would isolate it is no program.
func TestADebuggedFunctionIsNotIsolated(t *testing.T) {
	h := &hand{ready: make(chan struct{}, 10), ended: make(chan struct{}, 10), asked: make(chan struct{}), free: make(chan struct{})}
	m := manager(t, environment.Config{Isolate: []string{"/nowhere/isolate"}})
	s := spec("run")
	s.Debug = h
	if got := invoke(t, m.Pool(s, m.NewConcurrency()), `{"a":1}`); string(got.Payload) != `{"a":1}` {
		t.Errorf("got %s", got.Payload)
	}
	if got := invoke(t, m.Pool(spec("run"), m.NewConcurrency()), `{}`); got.ErrorType != "Runtime.InvalidEntrypoint" || !strings.Contains(string(got.Payload), "/nowhere/isolate") {
		t.Errorf("without a debugger: got %s", got.Payload)
	}
}
