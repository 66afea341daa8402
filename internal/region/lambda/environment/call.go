package environment

import (
	"encoding/hex"
	"io"
	"strconv"
	"sync"
	"time"

	"github.com/seed-615d3599/roost/internal/region/lambda/runtimeapi"
)

// Call is one invocation as its caller asks for it.
type Call struct {
	RequestID          string // a UUID; empty: one is made
	InvokedFunctionARN string // with the caller's qualifier; empty: the function's ARN
	TraceID            string // X-Ray trace header; empty: one is made
	ClientContext      string // JSON
	CognitoIdentity    string // JSON
	Payload            []byte // JSON
	Tail               bool   // return the end of the log

	// Stream receives the parts of a streamed response as they arrive. Nil: the
	// whole response is in Result.Payload.
	Stream func(contentType string, part []byte) error
}

// Result is what became of an invocation that reached the function, or whose
// environment could not be started.
type Result struct {
	RequestID     string
	Payload       []byte // the response, or the error document
	ContentType   string
	FunctionError string // "" or "Unhandled", the value of X-Amz-Function-Error
	ErrorType     string // such as "Runtime.ExitError"; only with FunctionError
	Streamed      bool   // the parts went to Call.Stream
	Tail          []byte // the last 4 KiB of the log, where asked for
}

// Throttled is the error of a call that no environment may take.
type Throttled struct {
	Reason string // Lambda's ThrottleReason, such as "ConcurrentInvocationLimitExceeded"
}

// Error is Lambda's message.
func (t *Throttled) Error() string { return "Rate Exceeded." }

// The throttle reasons that occur here.
const (
	ReasonReserved = "ReservedFunctionConcurrentInvocationLimitExceeded"
	ReasonAccount  = "ConcurrentInvocationLimitExceeded"
)

// tailSize is how much of the log X-Amz-Log-Result holds, in bytes.
const tailSize = 4096

// call is a Call on its way. The manager's lock guards state and limit.
type call struct {
	inv    runtimeapi.Invocation
	pool   *Pool
	tail   bool
	done   chan Result // buffered: delivering never waits
	state  callState
	queued time.Time
	limit  *time.Timer // of its time in the queue
	// overdue says, once done, that it was over: no environment took the call.
	overdue bool

	// Written by the environment that runs the call.
	started time.Time
	first   bool // the environment's first: its report tells the init duration
	log     []byte
}

type callState int

const (
	callQueued callState = iota
	callRunning
	callOver
)

// logged keeps the end of the log for X-Amz-Log-Result.
func (c *call) logged(message string) {
	if !c.tail {
		return
	}
	c.log = append(c.log, message...)
	if len(c.log) > 2*tailSize {
		c.log = append(c.log[:0], c.log[len(c.log)-tailSize:]...)
	}
}

func (c *call) logTail() []byte {
	if len(c.log) > tailSize {
		return c.log[len(c.log)-tailSize:]
	}
	return c.log
}

// identifiers makes request and trace ids. Reading randomness in large pieces
// saves a system call for each.
type identifiers struct {
	mu   sync.Mutex
	rand io.Reader
	pool [4096]byte
	left int
}

// next returns a random UUID (RFC 9562 version 4) and an X-Ray trace header.
func (ids *identifiers) next(now time.Time) (requestID, traceID string) {
	var b [36]byte
	ids.take(b[:])
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	var u [36]byte
	for i, at := range [5][3]int{{0, 4, 0}, {4, 6, 9}, {6, 8, 14}, {8, 10, 19}, {10, 16, 24}} {
		hex.Encode(u[at[2]:], b[at[0]:at[1]])
		if i > 0 {
			u[at[2]-1] = '-'
		}
	}
	t := make([]byte, 0, 80)
	t = append(t, "Root=1-"...)
	t = strconv.AppendInt(t, now.Unix(), 16)
	t = append(t, '-')
	t = hex.AppendEncode(t, b[16:28])
	t = append(t, ";Parent="...)
	t = hex.AppendEncode(t, b[28:36])
	t = append(t, ";Sampled=0"...)
	return string(u[:]), string(t)
}

func (ids *identifiers) take(b []byte) {
	ids.mu.Lock()
	defer ids.mu.Unlock()
	if ids.left < len(b) {
		if _, err := io.ReadFull(ids.rand, ids.pool[:]); err != nil {
			// The system's source does not fail; an injected one that does
			// yields ids that repeat, which only its own test sees.
			clear(ids.pool[:])
		}
		ids.left = len(ids.pool)
	}
	ids.left -= copy(b, ids.pool[ids.left-len(b):ids.left])
}
