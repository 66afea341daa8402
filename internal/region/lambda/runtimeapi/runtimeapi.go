// Package runtimeapi serves the Lambda Runtime API (version 2018-06-01) to one
// execution environment: the HTTP interface through which a function's runtime
// asks for its next invocation and hands back the response or the error.
//
//	session, err := runtimeapi.Listen(events)
//	// start the runtime with AWS_LAMBDA_RUNTIME_API=session.Addr()
//	// events.Ready is called when the runtime asks for its next invocation, then
//	err = session.Dispatch(&runtimeapi.Invocation{…})
//	// and events.Done is called with the outcome.
//
// This is the hot path of every call, so it is written for it: requests are
// parsed in place, an invocation is written by the goroutine that brings it,
// straight to the connection on which the runtime waits, and nothing but the
// response's own bytes is allocated. It is also the door to foreign code:
// whatever a runtime sends, only its own environment suffers.
//
// States, status codes and error bodies are those of AWS's own Runtime API
// (AWS Lambda Developer Guide, "Using the Lambda runtime API").
package runtimeapi

import (
	"errors"
	"fmt"
	"net"
	"strconv"
	"sync"
	"time"
)

// MaxPayload is the largest response, in bytes, that a function may return when
// it is not streamed: 6 MiB and the 100 bytes of envelope that Lambda adds.
const MaxPayload = 6*1024*1024 + 100

// MaxStream is the largest streamed response in bytes (Lambda quotas: 200 MB).
const MaxStream = 200 * 1024 * 1024

// maxConnections bounds the connections that one environment may hold open.
const maxConnections = 64

// ErrNotReady is returned by Dispatch when the runtime is not waiting for an
// invocation, or has gone away.
var ErrNotReady = errors.New("the runtime is not waiting for an invocation")

// Invocation is one call of the function as the runtime sees it.
type Invocation struct {
	RequestID          string    // Lambda-Runtime-Aws-Request-Id, a UUID
	InvokedFunctionARN string    // with the qualifier that the caller used
	TraceID            string    // X-Ray trace header
	ClientContext      string    // JSON, or empty
	CognitoIdentity    string    // JSON, or empty
	Deadline           time.Time // when the invocation times out
	Payload            []byte

	// Stream, where set, receives the parts of a response that the runtime
	// sends in streaming mode as they arrive. The bytes are the callee's only
	// during the call. An error ends the transfer; the rest is discarded.
	Stream func(contentType string, part []byte) error
}

// Outcome is what a runtime handed back for an invocation, or for its
// initialization.
type Outcome struct {
	Payload     []byte // the response, or the error document
	ContentType string
	Failed      bool   // the function returned an error
	ErrorType   string // such as "Function.Unknown"; only where Failed
	Streamed    bool   // the parts went to Invocation.Stream; Payload is empty
}

// Events is told what the runtime does. The methods are called from the
// connection's goroutine and must not block for long.
type Events interface {
	// Ready says that the runtime waits for its next invocation.
	Ready()
	// InitError says that the runtime could not initialize the function.
	InitError(Outcome)
	// Done says that the runtime finished the invocation. The runtime gets its
	// acknowledgement after Done returns.
	Done(*Invocation, Outcome)
}

// state names are those of AWS's Runtime API, which its error bodies contain.
type state string

const (
	stateStarted      state = "Started"
	stateInitError    state = "InitError"
	stateReady        state = "Ready"
	stateRunning      state = "Running"
	stateResponse     state = "InvocationResponse"
	stateErrorReponse state = "InvocationErrorResponse"
	stateResponseSent state = "RuntimeResponseSentState"
)

// Session is the Runtime API of one execution environment.
type Session struct {
	listener net.Listener
	events   Events

	mu      sync.Mutex
	state   state
	current *Invocation
	waiting *conn // whose GET …/next has no answer yet
	conns   map[*conn]struct{}
	closed  bool
	done    sync.WaitGroup
}

// Listen opens the Runtime API on a free port of the loopback interface.
func Listen(events Events) (*Session, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("open the Runtime API: %w", err)
	}
	s := &Session{listener: listener, events: events, state: stateStarted, conns: map[*conn]struct{}{}}
	s.done.Add(1)
	go s.accept()
	return s, nil
}

// Addr is the host and port for AWS_LAMBDA_RUNTIME_API.
func (s *Session) Addr() string { return s.listener.Addr().String() }

// Dispatch hands an invocation to the waiting runtime. It fails with
// ErrNotReady where none waits. An invocation that was dispatched and whose
// runtime then dies gets no outcome: whoever watches the process says so.
func (s *Session) Dispatch(inv *Invocation) error {
	s.mu.Lock()
	c := s.waiting
	if c == nil || s.closed {
		s.mu.Unlock()
		return ErrNotReady
	}
	s.waiting, s.current, s.state = nil, inv, stateRunning
	s.mu.Unlock()
	c.writeInvocation(inv)
	return nil
}

// Close ends the listener and every connection and waits for their goroutines.
// It must not be called from within Events.
func (s *Session) Close() {
	s.mu.Lock()
	s.closed = true
	for c := range s.conns {
		c.net.Close()
	}
	s.mu.Unlock()
	s.listener.Close()
	s.done.Wait()
}

func (s *Session) accept() {
	defer s.done.Done()
	for {
		nc, err := s.listener.Accept()
		if err != nil {
			var temporary net.Error
			if errors.As(err, &temporary) && temporary.Timeout() {
				continue
			}
			return
		}
		s.serve(nc)
	}
}

func (s *Session) serve(nc net.Conn) {
	c := &conn{net: nc}
	s.mu.Lock()
	if s.closed || len(s.conns) >= maxConnections {
		s.mu.Unlock()
		nc.Close()
		return
	}
	s.conns[c] = struct{}{}
	s.done.Add(1)
	s.mu.Unlock()
	go func() {
		defer s.done.Done()
		c.loop(s.handle)
		s.forget(c)
	}()
}

func (s *Session) forget(c *conn) {
	c.net.Close()
	s.mu.Lock()
	delete(s.conns, c)
	if s.waiting == c {
		s.waiting = nil
	}
	s.mu.Unlock()
}

// next handles GET /runtime/invocation/next: the runtime becomes ready and the
// connection keeps waiting. A runtime that asks again while an invocation runs
// gets that invocation again.
func (s *Session) next(c *conn) {
	s.mu.Lock()
	switch s.state {
	case stateInitError:
		s.mu.Unlock()
		c.reply(403, transitionError(stateInitError, stateReady))
		return
	case stateRunning:
		inv := s.current
		s.mu.Unlock()
		c.writeInvocation(inv)
		return
	}
	again := s.state == stateReady && s.waiting != nil
	if again && s.waiting != c {
		s.waiting.net.Close()
	}
	s.waiting, s.current, s.state = c, nil, stateReady
	s.mu.Unlock()
	if !again {
		s.events.Ready()
	}
}

// begin checks that a runtime may answer the invocation now.
func (s *Session) begin(id []byte, to state) (*Invocation, int, string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.current == nil || string(id) != s.current.RequestID {
		return nil, 400, errorBody("Invalid request ID", "InvalidRequestID")
	}
	if s.state != stateRunning {
		return nil, 403, transitionError(s.state, to)
	}
	s.state = to
	return s.current, 0, ""
}

// finish ends the invocation that begin began.
func (s *Session) finish(inv *Invocation, out Outcome) {
	s.mu.Lock()
	s.state = stateResponseSent
	s.mu.Unlock()
	s.events.Done(inv, out)
}

// initError handles the transition of POST /runtime/init/error.
func (s *Session) initError(out Outcome) (int, string) {
	s.mu.Lock()
	from := s.state
	if from == stateStarted {
		s.state = stateInitError
	}
	s.mu.Unlock()
	if from != stateStarted {
		return 403, transitionError(from, stateInitError)
	}
	s.events.InitError(out)
	return 202, statusOK
}

const statusOK = `{"status":"OK"}` + "\n"

func transitionError(from, to state) string {
	return errorBody("State transition from "+string(from)+" to "+string(to)+
		" failed for runtime. Error: State transition is not allowed", "InvalidStateTransition")
}

func errorBody(message, kind string) string {
	return `{"errorMessage":` + strconv.Quote(message) + `,"errorType":` + strconv.Quote(kind) + "}\n"
}
