// Package logs is the embedded region's CloudWatch Logs: groups, streams and
// events, with retention, filter patterns and following.
//
//	l, err := logs.New(logs.Config{DB: db, Region: "us-east-1", Account: "123456789012"})
//	service := l.Service()                    // the operations
//	l.Write(group, stream, time.Now(), "hello\n") // what the region's own services log
//	events, stop := l.Follow(func(e logs.Event) bool { return e.Group == group })
//	err = l.Close()
//
// Write appends to memory and returns. What was written is put into the store
// a moment later, many events in one item, so that logging costs a call next to
// nothing; a kill of the region loses that moment. Operations that read see
// everything.
package logs

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/seed-615d3599/roost/internal/region/store"
	"github.com/seed-615d3599/roost/internal/region/wire"
)

// Config is what the region hands to its logs. The zero value of each field
// but DB, Region and Account works.
type Config struct {
	DB      *store.DB
	Region  string
	Account string
	Now     func() time.Time // nil: time.Now

	FlushEvery time.Duration // 0: one second
	MaxPending int           // bytes of messages not yet stored; beyond them the oldest are dropped; 0: 32 MiB
}

// Logs is the service. It is safe for use by several goroutines.
type Logs struct {
	config  Config
	service *wire.Service

	mu        sync.Mutex // guards what follows
	pending   map[streamKey]*batch
	size      int
	dropped   int
	timer     *time.Timer
	retention *time.Timer
	followers map[*follower]struct{}
	closed    bool

	flushing sync.Mutex // one flush at a time
	sequence int64      // of the last stored batch; guarded by flushing
}

type streamKey struct{ group, stream string }

// batch is what one stream received since the last flush.
type batch struct {
	events []record
}

// record is one event as it is stored.
type record struct {
	Time     int64  `json:"t"` // Unix milliseconds
	Ingested int64  `json:"i"`
	Message  string `json:"m"`
}

// New opens the service on what the store holds.
func New(config Config) (*Logs, error) {
	if config.Now == nil {
		config.Now = time.Now
	}
	if config.FlushEvery <= 0 {
		config.FlushEvery = time.Second
	}
	if config.MaxPending <= 0 {
		config.MaxPending = 32 << 20
	}
	l := &Logs{config: config, pending: map[streamKey]*batch{}, followers: map[*follower]struct{}{}}
	l.service = l.operations()
	l.retention = time.AfterFunc(time.Minute, l.retain)
	return l, nil
}

// Service returns the operations.
func (l *Logs) Service() *wire.Service { return l.service }

// Write appends one event. The group and the stream come into being with it.
// It never waits for the disk; where the store can't keep up the oldest events
// that wait are dropped and their number is logged.
func (l *Logs) Write(group, stream string, at time.Time, message string) {
	r := record{Time: at.UnixMilli(), Ingested: l.config.Now().UnixMilli(), Message: message}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return
	}
	key := streamKey{group, stream}
	b := l.pending[key]
	if b == nil {
		b = &batch{}
		l.pending[key] = b
	}
	if l.size += len(message); l.size > l.config.MaxPending {
		l.drop(b)
	}
	b.events = append(b.events, r)
	if l.timer == nil {
		l.timer = time.AfterFunc(l.config.FlushEvery, l.tick)
	}
	for f := range l.followers {
		f.offer(Event{Group: group, Stream: stream, Time: at, Message: message})
	}
}

// drop forgets what a stream has pending. The lock is held.
func (l *Logs) drop(b *batch) {
	for _, r := range b.events {
		l.size -= len(r.Message)
	}
	l.dropped += len(b.events)
	b.events = b.events[:0]
}

// discard forgets what some streams have pending.
func (l *Logs) discard(of func(streamKey) bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for key, b := range l.pending {
		if of(key) {
			for _, r := range b.events {
				l.size -= len(r.Message)
			}
			delete(l.pending, key)
		}
	}
}

// waits reports whether events of a group wait to be stored: then it exists,
// even if the store does not know it yet.
func (l *Logs) waits(group string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	for key := range l.pending {
		if key.group == group {
			return true
		}
	}
	return false
}

func (l *Logs) tick() {
	l.mu.Lock()
	l.timer = nil
	dropped := l.dropped
	l.dropped = 0
	l.mu.Unlock()
	if dropped > 0 {
		slog.Warn("log events were dropped: they came faster than they could be stored", "events", dropped)
	}
	_ = l.flush(context.Background()) // what could not be stored waits for the next flush
}

// flush stores what is pending.
func (l *Logs) flush(ctx context.Context) error {
	l.flushing.Lock()
	defer l.flushing.Unlock()
	l.mu.Lock()
	nothing := len(l.pending) == 0
	l.mu.Unlock()
	if nothing {
		return nil
	}
	var pending map[streamKey]*batch
	err := l.config.DB.Update(ctx, func(_ context.Context, tx *store.Tx) error {
		pending = l.take()
		for key, b := range pending {
			if err := l.append(tx, key, b.events); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		l.giveBack(pending)
	}
	return err
}

// take returns what is pending, for a transaction that has begun: what waits for
// one can still be discarded by the deletion of its group.
func (l *Logs) take() map[streamKey]*batch {
	l.mu.Lock()
	defer l.mu.Unlock()
	pending := l.pending
	l.pending, l.size = map[streamKey]*batch{}, 0
	return pending
}

// giveBack puts what could not be stored before what came since.
func (l *Logs) giveBack(pending map[streamKey]*batch) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for key, b := range pending {
		for _, r := range b.events {
			l.size += len(r.Message)
		}
		if newer := l.pending[key]; newer != nil { // which size counts already
			b.events = append(b.events, newer.events...)
		}
		l.pending[key] = b
		if l.size > l.config.MaxPending {
			l.drop(b)
		}
	}
}

// Close stores what is pending and ends every follower.
func (l *Logs) Close() error {
	l.mu.Lock()
	l.closed = true
	if l.timer != nil {
		l.timer.Stop()
	}
	l.retention.Stop()
	followers := l.followers
	l.followers = map[*follower]struct{}{}
	l.mu.Unlock()
	for f := range followers {
		close(f.events)
	}
	err := l.flush(context.Background())
	if errors.Is(err, store.ErrClosed) {
		return nil
	}
	return err
}

// Event is one event as followers see it.
type Event struct {
	Group, Stream string
	Time          time.Time
	Message       string // with its line break, where the function wrote one
}

// followerBuffer is how many events wait for a slow follower.
const followerBuffer = 1024

// follower is one reader of new events.
type follower struct {
	want   func(Event) bool
	events chan Event
}

func (f *follower) offer(e Event) {
	if f.want != nil && !f.want(e) {
		return
	}
	select {
	case f.events <- e:
	default: // a follower that is too slow misses events
	}
}

// Follow returns a channel of the events that are written from now on and for
// which want is true (nil means all). want must be quick. The channel is closed
// by stop, which may be called more than once, and by Close.
func (l *Logs) Follow(want func(Event) bool) (events <-chan Event, stop func()) {
	f := &follower{want: want, events: make(chan Event, followerBuffer)}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		close(f.events)
		return f.events, func() {}
	}
	l.followers[f] = struct{}{}
	return f.events, func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		if _, there := l.followers[f]; there {
			delete(l.followers, f)
			close(f.events)
		}
	}
}
