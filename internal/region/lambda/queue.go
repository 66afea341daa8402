package lambda

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/seed-615d3599/roost/internal/region/lambda/environment"
	"github.com/seed-615d3599/roost/internal/region/lambda/model"
	"github.com/seed-615d3599/roost/internal/region/store"
	"github.com/seed-615d3599/roost/internal/region/wire"
)

// Lambda's rules for asynchronous calls (Lambda Developer Guide, "Retaining
// records of asynchronous invocations").
const (
	defaultRetries = 2
	defaultMaxAge  = 6 * time.Hour
	maxThrottle    = 5 * time.Minute
)

// The bounds of the queue: events that wait, their bytes, and calls at once.
const (
	maxEvents     = 100_000
	maxWaiting    = 512 << 20 // bytes of the payloads of events that wait
	eventsAtOnce  = 200
	destinationUp = "Success"
)

// event is one asynchronous call, as it is in the store.
type event struct {
	ID        string
	ARN       string // with the caller's qualifier
	Payload   json.RawMessage
	Queued    time.Time
	NotBefore time.Time
	Calls     int    // attempts that reached the function
	Throttled int    // attempts in a row that did not
	ErrorType string // of the last attempt that failed, and its message
	Error     string

	over func() // not nil: it has been attempted for good, and removes it
}

// queue runs asynchronous calls. Each is in the store before its caller gets
// an answer, and leaves it when it has succeeded or is given up, so that a
// restart goes on with those that are left: a call may run twice, as in Lambda.
type queue struct {
	l      *Lambda
	ctx    context.Context
	cancel context.CancelFunc

	mu      sync.Mutex
	timers  map[string]*time.Timer // of events whose time has not come
	due     []*event               // whose time has come; oldest first
	running int                    // goroutines that attempt those, eventsAtOnce at most
	waiting int                    // events with a timer and those that are due
	bytes   int                    // of their payloads
	closed  bool
	done    sync.WaitGroup // goroutines
}

func newQueue(l *Lambda) *queue {
	q := &queue{l: l, timers: map[string]*time.Timer{}}
	q.ctx, q.cancel = context.WithCancel(context.Background())
	return q
}

// load takes up what an earlier region left.
func (q *queue) load() error {
	return q.l.config.DB.View(context.Background(), func(tx *store.Tx) error {
		events, err := store.All[*event](tx, model.KindEvent, "")
		for _, ev := range events {
			q.count(ev, 1)
			q.schedule(ev)
		}
		return err
	})
}

// add accepts an event, unless the queue is full. It is durable when add returns.
func (q *queue) add(ctx context.Context, arn, id string, payload []byte) error {
	return q.l.config.DB.Update(ctx, func(_ context.Context, tx *store.Tx) error {
		if q.full(len(payload)) {
			return tooMany(&environment.Throttled{Reason: environment.ReasonAccount})
		}
		return q.put(tx, arn, id, payload)
	})
}

// full reports whether there is no place for an event with so many bytes.
func (q *queue) full(size int) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.waiting >= maxEvents || q.bytes+size > maxWaiting
}

// put is add within a transaction and without the bounds. An event has its place
// from then on: the transaction may take a while to be durable.
func (q *queue) put(tx *store.Tx, arn, id string, payload []byte) error {
	if id == "" {
		id = model.NewID()
	}
	now := q.l.config.Now()
	ev := &event{ID: id, ARN: arn, Payload: payload, Queued: now, NotBefore: now}
	q.count(ev, 1)
	tx.OnUndo(func() { q.count(ev, -1) })
	tx.OnCommit(func() { q.schedule(ev) })
	return tx.Put(model.KindEvent, ev.ID, ev)
}

// count notes that an event waits (1), or does so no longer (-1).
func (q *queue) count(ev *event, change int) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.waiting += change
	q.bytes += change * len(ev.Payload)
}

// schedule has an event that is counted attempted when it is time.
func (q *queue) schedule(ev *event) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.closed {
		return
	}
	q.timers[ev.ID] = time.AfterFunc(max(0, ev.NotBefore.Sub(q.l.config.Now())), func() { q.begin(ev) })
}

// begin makes an event due. Goroutines are bounded, not one for each event.
func (q *queue) begin(ev *event) {
	q.mu.Lock()
	defer q.mu.Unlock()
	delete(q.timers, ev.ID)
	if q.closed {
		return
	}
	q.due = append(q.due, ev)
	if q.running < eventsAtOnce {
		q.running++
		q.done.Go(q.run)
	}
}

// run attempts events until none is due.
func (q *queue) run() {
	for ev := q.next(); ev != nil; ev = q.next() {
		q.attempt(ev)
	}
}

// next takes the oldest event that is due. Nil ends the goroutine that asks.
func (q *queue) next() *event {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.closed || len(q.due) == 0 {
		q.running--
		return nil
	}
	ev := q.due[0]
	q.due[0] = nil
	q.due = q.due[1:]
	q.waiting--
	q.bytes -= len(ev.Payload)
	return ev
}

// close stops the queue; what is not done stays in the store.
func (q *queue) close() {
	q.mu.Lock()
	q.closed = true
	for _, timer := range q.timers {
		timer.Stop()
	}
	q.mu.Unlock()
	q.cancel()
	q.done.Wait()
}

// attempt calls the function once and decides what becomes of the event.
func (q *queue) attempt(ev *event) {
	if ev.over != nil {
		ev.over()
		return
	}
	config, reserved := q.l.eventSettings(ev.ARN)
	if reserved != nil && *reserved == 0 {
		q.giveUp(ev, config.OnFailure, q.record(ev, "ZeroReservedConcurrency", nil, ""))
		return
	}
	if q.l.config.Now().Sub(ev.Queued) > maxAge(config) { // it waited while nothing ran
		q.giveUp(ev, config.OnFailure, q.record(ev, "EventAgeExceeded", nil, ""))
		return
	}
	result, version, err := q.l.run(q.ctx, ev.ARN, environment.Call{RequestID: ev.ID, Payload: ev.Payload})
	switch {
	case q.ctx.Err() != nil:
		return // the region stops: the next one goes on
	case err != nil && isNotFound(err):
		ev.ErrorType, ev.Error = wire.Code(err), err.Error()
		q.giveUp(ev, "", nil)
	case err != nil && q.hopeless(ev, wire.Code(err), err.Error()):
		q.giveUp(ev, config.OnFailure, q.record(ev, "RetriesExhausted", nil, ""))
	case err != nil:
		ev.Throttled++
		q.again(ev, config, min(time.Second<<min(ev.Throttled, 10), maxThrottle), nil, "")
	case result.FunctionError == "":
		ev.Calls++
		q.finish(ev, config.OnSuccess, q.record(ev, destinationUp, &result, version))
	default:
		ev.Calls, ev.Throttled = ev.Calls+1, 0
		retries := defaultRetries
		if config.Retries != nil {
			retries = *config.Retries
		}
		if hopeless := q.hopeless(ev, result.ErrorType, errorMessage(result.Payload)); hopeless || ev.Calls > retries {
			q.giveUp(ev, config.OnFailure, q.record(ev, "RetriesExhausted", &result, version))
			return
		}
		q.again(ev, config, q.l.retryDelay(ev.Calls), &result, version)
	}
}

// retryDelay is how long Lambda waits after a failed attempt: one minute after
// the first, two after the second.
func (l *Lambda) retryDelay(attempt int) time.Duration {
	if l.config.RetryDelay != nil {
		return l.config.RetryDelay(attempt)
	}
	return time.Duration(attempt) * time.Minute
}

func maxAge(config model.EventConfig) time.Duration {
	if config.MaxAge != nil {
		return time.Duration(*config.MaxAge) * time.Second
	}
	return defaultMaxAge
}

// again plans another attempt, unless the event would be too old by then.
func (q *queue) again(ev *event, config model.EventConfig, delay time.Duration, result *environment.Result, version string) {
	ev.NotBefore = q.l.config.Now().Add(delay)
	if ev.NotBefore.Sub(ev.Queued) > maxAge(config) {
		q.giveUp(ev, config.OnFailure, q.record(ev, "EventAgeExceeded", result, version))
		return
	}
	// Where that can't be stored, the store still has the event as it was before.
	_ = q.l.config.DB.Update(q.ctx, func(_ context.Context, tx *store.Tx) error { return tx.Put(model.KindEvent, ev.ID, ev) })
	q.count(ev, 1)
	q.schedule(ev)
}

// Waiters are told of asynchronous calls that fail, because somebody waits for
// what they do: CloudFormation for the answer of a custom resource.
type Waiters interface {
	// Hopeless reports whether a call whose attempt failed is not to be tried again.
	Hopeless(payload []byte, errorType string) bool
	// GivenUp tells that a call will not be tried again, within the transaction
	// that forgets it, with the error of the last of its attempts.
	GivenUp(ctx context.Context, payload []byte, attempts int, errorType, message string) error
}

// hopeless notes the error of an attempt, and asks whether to try again.
func (q *queue) hopeless(ev *event, errorType, message string) bool {
	ev.ErrorType, ev.Error = errorType, message
	return q.l.config.Waiters != nil && q.l.config.Waiters.Hopeless(ev.Payload, errorType)
}

// errorMessage is what a function's error document says, with the function's own
// name of the error.
func errorMessage(document []byte) string {
	var said struct{ ErrorType, ErrorMessage string }
	if json.Unmarshal(document, &said) != nil {
		return string(document)
	}
	return said.ErrorType + ": " + said.ErrorMessage
}

// finish removes an event that has succeeded.
func (q *queue) finish(ev *event, destination string, record []byte) {
	q.remove(ev, destination, record, func(context.Context) error { return nil })
}

// giveUp removes an event that has not succeeded, and tells who waits for it.
func (q *queue) giveUp(ev *event, destination string, record []byte) {
	q.remove(ev, destination, record, func(ctx context.Context) error {
		if q.l.config.Waiters == nil {
			return nil
		}
		return q.l.config.Waiters.GivenUp(ctx, ev.Payload, ev.Calls, ev.ErrorType, cmp.Or(ev.Error, "its calls were not let through"))
	})
}

// remove deletes the event and, in the same transaction, queues the record for
// its destination and tells. The record takes the event's place, however full the
// queue is: nobody is there who could be told to come again. Where the store
// refuses, it is asked again: a call that stayed would run again after a restart,
// and who waits for it would never hear.
func (q *queue) remove(ev *event, destination string, record []byte, tell func(context.Context) error) {
	err := q.l.config.DB.Update(q.ctx, func(ctx context.Context, tx *store.Tx) error {
		err := errors.Join(tx.Delete(model.KindEvent, ev.ID), tell(ctx))
		if err != nil || destination == "" || record == nil {
			return err
		}
		return q.put(tx, destination, "", record)
	})
	if err == nil || q.ctx.Err() != nil {
		return
	}
	if ev.over == nil { // said once
		slog.Error("an asynchronous call is over and could not be taken out of the store: that is tried again, and until then a start runs the call again", "function", ev.ARN, "requestId", ev.ID, "err", err)
		ev.over = func() { q.remove(ev, destination, record, tell) }
	}
	ev.NotBefore = q.l.config.Now().Add(q.l.retryDelay(1))
	q.count(ev, 1)
	q.schedule(ev)
}

func (q *queue) record(ev *event, condition string, result *environment.Result, version string) []byte {
	record := destinationRecord{Version: "1.0", Timestamp: q.l.config.Now().UTC().Format("2006-01-02T15:04:05.000Z"),
		RequestContext: destinationRequest{RequestID: ev.ID, FunctionARN: qualified(ev.ARN), Condition: condition, InvokeCount: ev.Calls},
		RequestPayload: ev.Payload}
	if result != nil {
		record.ResponseContext = &destinationContext{StatusCode: 200, ExecutedVersion: version, FunctionError: result.FunctionError}
		record.ResponsePayload = json.RawMessage(result.Payload)
		if !json.Valid(result.Payload) {
			record.ResponsePayload = string(result.Payload)
		}
	}
	document, err := json.Marshal(record)
	if err != nil {
		return nil
	}
	return document
}

func isNotFound(err error) bool { return wire.Code(err) == "ResourceNotFoundException" }
