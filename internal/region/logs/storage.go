package logs

import (
	"context"
	"encoding/json"
	"fmt"
	"sort"
	"strings"
	"time"

	"github.com/seed-615d3599/roost/internal/region/store"
)

// The kinds of items in the store. Names of groups and streams contain no
// control characters, so \x00 separates them.
const (
	kindGroup  = "logs-group"  // key: name
	kindStream = "logs-stream" // key: group \x00 stream
	kindBatch  = "logs-batch"  // key: group \x00 stream \x00 sequence
)

type group struct {
	Name      string
	Created   int64             // Unix milliseconds
	Retention int               `json:",omitempty"` // days; 0: for ever
	Class     string            `json:",omitempty"`
	Tags      map[string]string `json:",omitempty"`
}

type stream struct {
	Group, Name  string
	Created      int64
	First, Last  int64 // times of events, Unix milliseconds; 0: none
	LastIngested int64
	Bytes        int64
}

// stored is a batch of events in the store.
type stored struct {
	First, Last int64
	Events      []record
}

func (k streamKey) key() string { return k.group + "\x00" + k.stream }

// append stores events of one stream. It holds flushing, directly or through
// the transaction.
func (l *Logs) append(tx *store.Tx, key streamKey, events []record) error {
	if len(events) == 0 {
		return nil
	}
	s := stream{Group: key.group, Name: key.stream, Created: events[0].Ingested}
	found, err := tx.Get(kindStream, key.key(), &s)
	if err != nil {
		return err
	}
	if !found {
		if err := l.ensureGroup(tx, key.group, s.Created); err != nil {
			return err
		}
	}
	b := stored{First: events[0].Time, Last: events[0].Time, Events: events}
	for _, r := range events {
		b.First, b.Last = min(b.First, r.Time), max(b.Last, r.Time)
		// CloudWatch counts 26 bytes beside each message.
		s.Bytes += int64(len(r.Message)) + 26
		s.LastIngested = max(s.LastIngested, r.Ingested)
	}
	if s.First == 0 || b.First < s.First {
		s.First = b.First
	}
	s.Last = max(s.Last, b.Last)
	// By the machine's own clock: it only has to grow, from one start to the next too.
	l.sequence = max(l.sequence+1, time.Now().UnixNano())
	if err := tx.Put(kindBatch, fmt.Sprintf("%s\x00%020d", key.key(), l.sequence), b); err != nil {
		return err
	}
	return tx.Put(kindStream, key.key(), s)
}

func (l *Logs) ensureGroup(tx *store.Tx, name string, created int64) error {
	found, err := tx.Get(kindGroup, name, &group{})
	if err != nil || found {
		return err
	}
	return tx.Put(kindGroup, name, group{Name: name, Created: created})
}

// found is one event that a reader gets.
type found struct {
	record
	stream string
	id     string // orders events of the same time
}

// events reads a stream's events in [from, to) in the order of their times.
func events(tx *store.Tx, key streamKey, from, to int64) ([]found, error) {
	items, err := tx.List(kindBatch, key.key()+"\x00")
	if err != nil {
		return nil, err
	}
	var all []found
	for _, item := range items {
		var b stored
		if err := json.Unmarshal(item.Value, &b); err != nil {
			return nil, err
		}
		if b.Last < from || b.First >= to {
			continue
		}
		sequence := item.Key[strings.LastIndexByte(item.Key, 0)+1:]
		for i, r := range b.Events {
			if r.Time >= from && r.Time < to {
				all = append(all, found{record: r, stream: key.stream, id: fmt.Sprintf("%014d%s%08d", r.Time, sequence, i)})
			}
		}
	}
	sort.SliceStable(all, func(i, j int) bool { return all[i].id < all[j].id })
	return all, nil
}

// deleteStream removes a stream and its events.
func deleteStream(tx *store.Tx, key streamKey) error {
	if err := tx.DeletePrefix(kindBatch, key.key()+"\x00"); err != nil {
		return err
	}
	return tx.Delete(kindStream, key.key())
}

// retain removes events that are older than their group keeps them, once an
// hour.
func (l *Logs) retain() {
	_ = l.config.DB.Update(context.Background(), func(_ context.Context, tx *store.Tx) error {
		groups, err := store.All[group](tx, kindGroup, "")
		if err != nil {
			return err
		}
		for _, g := range groups {
			if g.Retention > 0 {
				if err := l.expire(tx, g); err != nil {
					return err
				}
			}
		}
		return nil
	})
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.closed {
		l.retention = time.AfterFunc(time.Hour, l.retain)
	}
}

func (l *Logs) expire(tx *store.Tx, g group) error {
	before := l.config.Now().AddDate(0, 0, -g.Retention).UnixMilli()
	streams, err := store.All[stream](tx, kindStream, g.Name+"\x00")
	if err != nil {
		return err
	}
	for _, s := range streams {
		if s.First == 0 || s.First >= before {
			continue
		}
		items, err := tx.List(kindBatch, s.Group+"\x00"+s.Name+"\x00")
		if err != nil {
			return err
		}
		for _, item := range items {
			var b stored
			if err := json.Unmarshal(item.Value, &b); err != nil {
				return err
			}
			if b.Last < before {
				if err := tx.Delete(kindBatch, item.Key); err != nil {
					return err
				}
			}
		}
	}
	return nil
}
