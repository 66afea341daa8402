package lambda

import (
	"archive/zip"
	"bytes"
	"context"
	"errors"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/seed-615d3599/roost/internal/region/lambda/model"
	"github.com/seed-615d3599/roost/internal/region/store"
	"github.com/seed-615d3599/roost/internal/region/wire"
)

// ends are the payloads of events that are over.
type ends chan string

func (ends) Hopeless([]byte, string) bool { return false }

func (e ends) GivenUp(_ context.Context, payload []byte, _ int, _, _ string) error {
	e <- string(payload)
	return nil
}

// held is a service with functions that may not run, whose events are over as soon
// as they are attempted, and with a queue that attempts none.
type held struct {
	*testing.T
	*Lambda
	over ends
}

func hold(t *testing.T, functions ...string) *held {
	t.Helper()
	db, err := store.Open(filepath.Join(t.TempDir(), "region.db"))
	if err != nil {
		t.Fatal(err)
	}
	h := &held{T: t, over: make(ends, 100)}
	h.Lambda, err = New(Config{DB: db, Dir: t.TempDir(), Region: "us-east-1", Account: "123456789012", Waiters: h.over})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := errors.Join(h.Lambda.Close(), db.Close()); err != nil {
			t.Error(err)
		}
	})
	h.Service().Authorize = func(context.Context, *wire.Call, []wire.Target) error { return nil }
	var code bytes.Buffer
	archive := zip.NewWriter(&code)
	if _, err := archive.Create("bootstrap"); err != nil || archive.Close() != nil {
		t.Fatal(err)
	}
	for _, name := range functions {
		h.must("CreateFunction", map[string]any{"FunctionName": name, "Runtime": "provided.al2023", "Handler": "h", "Role": "arn:aws:iam::123456789012:role/r", "Code": map[string]any{"ZipFile": code.Bytes()}})
		h.must("PutFunctionConcurrency", map[string]any{"FunctionName": name, "ReservedConcurrentExecutions": 0})
	}
	h.queue.mu.Lock()
	defer h.queue.mu.Unlock()
	h.queue.running = eventsAtOnce
	return h
}

// free lets the queue attempt events.
func (h *held) free() {
	h.queue.mu.Lock()
	defer h.queue.mu.Unlock()
	h.queue.running = 1
	h.queue.done.Go(h.queue.run)
}

func (h *held) call(operation string, in map[string]any) error {
	return h.Service().Call(context.Background(), wire.Call{Region: "us-east-1", Account: "123456789012"}, operation, in, nil)
}

func (h *held) must(operation string, in map[string]any) {
	h.Helper()
	if err := h.call(operation, in); err != nil {
		h.Fatalf("%s: %v", operation, err)
	}
}

// event calls the function f asynchronously.
func (h *held) event(payload string) error {
	return h.call("Invoke", map[string]any{"FunctionName": "f", "InvocationType": "Event", "Payload": []byte(payload)})
}

// leave leaves so many places, and so many bytes, in the queue.
func (h *held) leave(events, bytes int) {
	h.queue.mu.Lock()
	defer h.queue.mu.Unlock()
	h.queue.waiting, h.queue.bytes = maxEvents-events, maxWaiting-bytes
}

// left is how many places, and bytes, there are.
func (h *held) left() (events, bytes int) {
	h.queue.mu.Lock()
	defer h.queue.mu.Unlock()
	return maxEvents - h.queue.waiting, maxWaiting - h.queue.bytes
}

// stored are the payloads of the events in the store.
func (h *held) stored() (payloads []string) {
	h.Helper()
	err := h.config.DB.View(context.Background(), func(tx *store.Tx) error {
		events, err := store.All[*event](tx, model.KindEvent, "")
		for _, ev := range events {
			payloads = append(payloads, string(ev.Payload))
		}
		return err
	})
	if err != nil {
		h.Error(err)
	}
	return payloads
}

// throttled checks that a call was refused as Lambda refuses one.
func (h *held) throttled(err error) {
	h.Helper()
	want := &wire.Error{Status: 429, Code: "TooManyRequestsException", Message: "Rate Exceeded.",
		Fields: map[string]any{"Type": "User", "Reason": "ConcurrentInvocationLimitExceeded"}}
	var got *wire.Error
	if !errors.As(err, &got) {
		h.Errorf("got %v", err)
	} else if diff := cmp.Diff(want, got); diff != "" {
		h.Error(diff)
	}
}

// Of calls that come at once, as many are accepted as there are places. The others
// are refused, and leave nothing behind. What was accepted is attempted, and then
// there are places again.
func TestAFullQueueRefusesEvents(t *testing.T) {
	const places, calls = 3, 20
	h := hold(t, "f")
	h.leave(places, maxWaiting)
	var group sync.WaitGroup
	answers := make(chan error, calls)
	for range calls {
		group.Go(func() { answers <- h.event(`"accepted"`) })
	}
	group.Wait()
	close(answers)
	accepted := 0
	for err := range answers {
		if err == nil {
			accepted++
			continue
		}
		h.throttled(err)
	}
	if stored := h.stored(); accepted != places || len(stored) != places {
		t.Errorf("accepted are %d, stored %q, want %d", accepted, stored, places)
	}
	h.free()
	for range accepted {
		<-h.over
	}
	if events, bytes := h.left(); events != places || bytes != maxWaiting {
		t.Errorf("left are %d places and %d bytes", events, bytes)
	}
	if err := h.event(`{}`); err != nil {
		t.Errorf("when there are places again: %v", err)
	}
	<-h.over
	if err := h.Lambda.Close(); err != nil { // what has been told of is committed
		t.Error(err)
	}
	if stored := h.stored(); len(stored) != 0 {
		t.Errorf("stored are %q", stored)
	}
}

func TestTheQueuesBytesAreBounded(t *testing.T) {
	h := hold(t, "f")
	h.leave(maxEvents, 10)
	for payload, refused := range map[string]bool{`"123456789"`: true, `"12345678"`: false} {
		if err := h.event(payload); refused {
			h.throttled(err)
		} else if err != nil {
			t.Errorf("%s: %v", payload, err)
		}
	}
	h.throttled(h.event(`1`))
	if _, bytes := h.left(); bytes != 0 {
		t.Errorf("%d bytes are left", bytes)
	}
}

// The record for an event's destination takes the event's place, although the
// queue is full meanwhile: there is nobody who could be refused.
func TestARecordFindsAPlaceInAFullQueue(t *testing.T) {
	h := hold(t, "f", "dest")
	h.must("PutFunctionEventInvokeConfig", map[string]any{"FunctionName": "f",
		"DestinationConfig": map[string]any{"OnFailure": map[string]any{"Destination": h.ARN("dest", "")}}})
	if err := h.event(`"first"`); err != nil {
		t.Fatal(err)
	}
	h.leave(-5, -5)
	h.free()
	if got := <-h.over; got != `"first"` {
		t.Errorf("got %s", got)
	}
	if got := <-h.over; !bytes.Contains([]byte(got), []byte(`"requestPayload":"first"`)) {
		t.Errorf("the record is %s", got)
	}
	h.throttled(h.event(`"second"`))
}

// An event of an update that is undone was never there.
func TestAnUndoneEventLeavesItsPlace(t *testing.T) {
	h := hold(t)
	h.leave(1, 10)
	undone := errors.New("undone")
	err := h.config.DB.Update(t.Context(), func(ctx context.Context, _ *store.Tx) error {
		if err := h.queue.add(ctx, h.ARN("f", ""), "", []byte(`{}`)); err != nil {
			t.Error(err)
		}
		h.throttled(h.queue.add(ctx, h.ARN("f", ""), "", []byte(`{}`)))
		return undone
	})
	if err != undone {
		t.Error(err)
	}
	if events, bytes := h.left(); events != 1 || bytes != 10 {
		t.Errorf("left are %d places and %d bytes", events, bytes)
	}
}

// Events that were accepted are attempted by the next region.
func TestTheQueueOutlivesTheRegion(t *testing.T) {
	h := hold(t, "f")
	for _, payload := range []string{`"a"`, `"b"`} {
		if err := h.event(payload); err != nil {
			t.Fatal(err)
		}
	}
	config := h.config
	if err := h.Lambda.Close(); err != nil {
		t.Fatal(err)
	}
	next, err := New(config)
	if err != nil {
		t.Fatal(err)
	}
	defer next.Close()
	got := []string{<-h.over, <-h.over}
	slices.Sort(got)
	if want := []string{`"a"`, `"b"`}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

// refuser refuses, as a full disk does, before it hears.
type refuser struct {
	ends
	refusals int
}

func (r *refuser) GivenUp(ctx context.Context, payload []byte, attempts int, errorType, message string) error {
	if r.refusals > 0 {
		r.refusals--
		return errors.New("the disk is full")
	}
	return r.ends.GivenUp(ctx, payload, attempts, errorType, message)
}

// An event that is over leaves the store as soon as that lets it, and is not
// attempted meanwhile.
func TestWhatIsOverLeavesTheStoreLater(t *testing.T) {
	h := hold(t, "f")
	told := &refuser{ends: h.over, refusals: 3}
	h.config.Waiters, h.config.RetryDelay = told, func(int) time.Duration { return time.Millisecond }
	if err := h.event(`"a"`); err != nil {
		t.Fatal(err)
	}
	h.free()
	if got := <-h.over; got != `"a"` || told.refusals != 0 {
		t.Errorf("got %s before %d refusals", got, told.refusals)
	}
	if err := h.Lambda.Close(); err != nil { // what has been told of is committed
		t.Error(err)
	}
	if stored := h.stored(); len(stored) != 0 {
		t.Errorf("stored are %q", stored)
	}
	if events, bytes := h.left(); events != maxEvents || bytes != maxWaiting {
		t.Errorf("%d events with %d bytes are still counted", maxEvents-events, maxWaiting-bytes)
	}
}
