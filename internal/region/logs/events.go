package logs

import (
	"context"
	"fmt"
	"math"
	"slices"
	"sort"
	"strings"
	"time"

	"github.com/seed-615d3599/roost/internal/region/logs/pattern"
	"github.com/seed-615d3599/roost/internal/region/store"
	"github.com/seed-615d3599/roost/internal/region/wire"
)

// sequenceToken is what PutLogEvents returns; since 2023 it means nothing.
const sequenceToken = "49039859578418277000000000000000000000000000000000000001"

// The quotas of PutLogEvents and of the reading operations.
const (
	maxBatch      = 10_000
	maxBatchBytes = 1_048_576
	maxEvent      = 1 << 20
	maxRead       = 10_000
	maxReadBytes  = 1 << 20
)

func (l *Logs) putEvents(ctx context.Context, _ *wire.Call, in *putEventsInput) (*putEventsOutput, error) {
	if len(in.LogEvents) == 0 || len(in.LogEvents) > maxBatch {
		return nil, invalid("logEvents must have between 1 and %d events, not %d", maxBatch, len(in.LogEvents))
	}
	records, out, err := l.accept(in.LogEvents)
	if err != nil {
		return nil, err
	}
	key := streamKey{in.LogGroupName, in.LogStreamName}
	err = l.config.DB.View(ctx, func(tx *store.Tx) error {
		there, err := tx.Get(kindGroup, key.group, &group{})
		if err == nil && !there {
			return notFound("group")
		}
		if err == nil {
			if there, err = tx.Get(kindStream, key.key(), &stream{}); err == nil && !there {
				return notFound("stream")
			}
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	for _, r := range records {
		l.Write(key.group, key.stream, time.UnixMilli(r.Time), r.Message)
	}
	return out, l.settle(ctx)
}

// accept sorts out the events of a batch that are too old or too new, and
// refuses a batch that breaks the rules.
func (l *Logs) accept(given []inputEvent) ([]record, *putEventsOutput, error) {
	now := l.config.Now()
	oldest, newest := now.AddDate(0, 0, -14).UnixMilli(), now.Add(2*time.Hour).UnixMilli()
	out := &putEventsOutput{NextSequenceToken: sequenceToken}
	var records []record
	var last int64
	size := 0
	for i, e := range given {
		if *e.Timestamp < last {
			return nil, nil, invalid("Log events in a single PutLogEvents request must be in chronological order.")
		}
		last = *e.Timestamp
		if size += len(*e.Message) + 26; size > maxBatchBytes {
			return nil, nil, invalid("Upload too large: %d bytes exceeds limit of %d", size, maxBatchBytes)
		}
		if *e.Message == "" || len(*e.Message) > maxEvent {
			return nil, nil, invalid("the message of log event %d is empty or longer than %d bytes", i, maxEvent)
		}
		switch {
		case last < oldest:
			end := i + 1
			out.reject().TooOld = &end
		case last > newest:
			if out.reject().TooNew == nil {
				start := i
				out.reject().TooNew = &start
			}
		default:
			records = append(records, record{Time: last, Message: *e.Message})
		}
	}
	return records, out, nil
}

func (out *putEventsOutput) reject() *rejected {
	if out.Rejected == nil {
		out.Rejected = &rejected{}
	}
	return out.Rejected
}

// window is a range of times in milliseconds; the end is not in it.
func window(start, end *int64) (from, to int64) {
	from, to = 0, math.MaxInt64
	if start != nil {
		from = *start
	}
	if end != nil {
		to = *end
	}
	return from, to
}

func (l *Logs) getEvents(ctx context.Context, _ *wire.Call, in *getEventsInput) (*getEventsOutput, error) {
	if err := l.settle(ctx); err != nil {
		return nil, err
	}
	key := streamKey{either(in.LogGroupName, in.Identifier), in.LogStreamName}
	from, to := window(in.StartTime, in.EndTime)
	var all []found
	err := l.config.DB.View(ctx, func(tx *store.Tx) (err error) {
		there, err := tx.Get(kindStream, key.key(), &stream{})
		if err == nil && !there {
			err = notFound("stream")
		}
		if err != nil {
			return err
		}
		all, err = events(tx, key, from, to)
		return err
	})
	if err != nil {
		return nil, err
	}
	page, first, last, err := turn(all, in)
	if err != nil {
		return nil, err
	}
	out := &getEventsOutput{Events: []outputEvent{}, NextForwardToken: "f/" + last + "/s", NextBackwardToken: "b/" + first + "/s"}
	for _, e := range page {
		out.Events = append(out.Events, outputEvent{Timestamp: e.Time, Message: e.Message, IngestionTime: e.Ingested})
	}
	return out, nil
}

// turn finds the page that a token asks for. A forward token names the last
// event that was read, a backward token the first; at an end the same token
// comes back.
func turn(all []found, in *getEventsInput) (page []found, first, last string, err error) {
	limit := in.Limit
	if limit <= 0 || limit > maxRead {
		limit = maxRead
	}
	forward := in.StartFromHead
	begin, end := 0, len(all)
	position := strings.Repeat("0", 42)
	if in.Token != "" {
		direction, rest, _ := strings.Cut(in.Token, "/")
		id, _, ok := strings.Cut(rest, "/")
		if !ok || direction != "f" && direction != "b" {
			return nil, "", "", invalid("The specified nextToken is invalid.")
		}
		forward, position = direction == "f", id
		at := sort.Search(len(all), func(i int) bool { return all[i].id >= id })
		if forward {
			if begin = at; at < len(all) && all[at].id == id {
				begin++
			}
		} else {
			end = at
		}
	}
	if forward {
		end = min(end, begin+limit)
		for end > begin && bytesOf(all[begin:end]) > maxReadBytes {
			end = begin + (end-begin+1)/2
		}
	} else {
		begin = max(begin, end-limit)
		for begin < end-1 && bytesOf(all[begin:end]) > maxReadBytes {
			begin = end - (end-begin+1)/2
		}
	}
	page = all[begin:end]
	if len(page) == 0 {
		return nil, position, position, nil
	}
	return page, page[0].id, page[len(page)-1].id, nil
}

func bytesOf(events []found) (total int) {
	if len(events) == 1 {
		return 0 // one event is always returned
	}
	for _, e := range events {
		total += len(e.Message)
	}
	return total
}

func (l *Logs) filterEvents(ctx context.Context, _ *wire.Call, in *filterInput) (*filterOutput, error) {
	name := either(in.LogGroupName, in.Identifier)
	matches, err := pattern.Parse(in.FilterPattern)
	if err != nil {
		return nil, invalid("Invalid filter pattern: %v", err)
	}
	if in.Prefix != "" && len(in.LogStreamNames) > 0 {
		return nil, invalid("logStreamNamePrefix and logStreamNames can't be given together")
	}
	if err := l.settle(ctx); err != nil {
		return nil, err
	}
	from, to := window(in.StartTime, in.EndTime)
	var all []found
	err = l.config.DB.View(ctx, func(tx *store.Tx) error {
		there, err := tx.Get(kindGroup, name, &group{})
		if err == nil && !there {
			err = notFound("group")
		}
		if err != nil {
			return err
		}
		streams, err := store.All[stream](tx, kindStream, name+"\x00"+in.Prefix)
		for _, s := range streams {
			if len(in.LogStreamNames) > 0 && !slices.Contains(in.LogStreamNames, s.Name) || s.Last < from || s.First >= to {
				continue
			}
			part, err := events(tx, streamKey{name, s.Name}, from, to)
			if err != nil {
				return err
			}
			all = append(all, slices.DeleteFunc(part, func(e found) bool { return !matches.Match(e.Message) })...)
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	return l.filtered(all, in), nil
}

// filtered sorts the events of all streams by time and cuts out a page.
func (l *Logs) filtered(all []found, in *filterInput) *filterOutput {
	key := func(e found) string { return e.id + e.stream }
	sort.SliceStable(all, func(i, j int) bool { return key(all[i]) < key(all[j]) })
	if in.Token != "" {
		all = all[sort.Search(len(all), func(i int) bool { return key(all[i]) >= in.Token }):]
	}
	limit := in.Limit
	if limit <= 0 || limit > maxRead {
		limit = maxRead
	}
	out := &filterOutput{Events: []filteredEvent{}, SearchedLogStreams: []struct{}{}}
	size := 0
	for i, e := range all {
		if size += len(e.Message); i > 0 && (i >= limit || size > maxReadBytes) {
			out.NextToken = key(e)
			break
		}
		out.Events = append(out.Events, filteredEvent{LogStreamName: e.stream, Timestamp: e.Time, Message: e.Message, IngestionTime: e.Ingested, EventID: fmt.Sprintf("%056s", e.id)})
	}
	return out
}
