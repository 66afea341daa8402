// Package decisions keeps what "roost explain" and "roost iam suggest" tell:
// a record of each refused request, and who was seen to do what.
//
//	d, err := decisions.New(decisions.Config{DB: db})
//	d.Refused(decisions.Refusal{RequestID: id, Reason: "…", Trace: trace})   // never blocks
//	d.Used(roleARN, "execute-api:Invoke", resource, true)                     // never blocks
//	services = append(services, d.Service())                                  // for the command line
//	defer d.Close()
//
// Both are bounded: the newest 10,000 refusals, and 10,000 uses. They are
// written to the state file in batches, at most a few times a second, so that
// what was told survives the end of the process but for the last instants.
// Nothing in a record is secret, and no client but the region's administrator
// sees one.
package decisions

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/seed-615d3599/roost/iam"
	"github.com/seed-615d3599/roost/internal/region/store"
)

// Config is what New needs. DB must be given.
type Config struct {
	DB  *store.DB
	Now func() time.Time // nil means time.Now
	// Pause is the least time between two writes; 0 means a quarter of a second.
	Pause time.Duration
	// MaxRefusals and MaxUses are how many are kept; 0 means 10,000 each.
	MaxRefusals, MaxUses int
}

// Refusal is the record of one request that was turned down, on an API or on
// the control plane.
type Refusal struct {
	Time      time.Time `json:"time"`
	RequestID string    `json:"requestId"`
	Status    int       `json:"status"`
	Code      string    `json:"code,omitempty"` // AWS's, of the control plane

	// Where: an operation of a service, or a route of an API.
	Service   string `json:"service,omitempty"`
	Operation string `json:"operation,omitempty"`
	API       string `json:"api,omitempty"`
	Stage     string `json:"stage,omitempty"`
	RouteKey  string `json:"routeKey,omitempty"`
	Method    string `json:"method,omitempty"`
	Path      string `json:"path,omitempty"`
	SourceIP  string `json:"sourceIp,omitempty"`

	// Who, as far as it is known.
	AccessKeyID string `json:"accessKeyId,omitempty"`
	Caller      string `json:"caller,omitempty"` // ARN
	RoleARN     string `json:"roleArn,omitempty"`

	// Why.
	Reason    string     `json:"reason"`
	Diagnosis *Diagnosis `json:"diagnosis,omitempty"`
	Action    string     `json:"action,omitempty"`
	Resource  string     `json:"resource,omitempty"`
	Trace     *iam.Trace `json:"trace,omitempty"`
}

// Diagnosis is what is wrong with a signature (sigv4.Diagnosis).
type Diagnosis struct {
	Sentence         string `json:"sentence"`
	CanonicalRequest string `json:"canonicalRequest,omitempty"`
	StringToSign     string `json:"stringToSign,omitempty"`
}

// Bounds.
const (
	defaultMost   = 10_000   // refusals, and uses
	maxWaiting    = 1024     // records that wait to be written
	maxText       = 16 << 10 // of a text in a record, in bytes
	maxStatements = 100      // of a trace in a record
)

const defaultPause = 250 * time.Millisecond

// The kinds under which things are stored.
const (
	kindRefusal = "refusal"    // by number
	kindNumber  = "refusal-id" // request id → number
	kindUse     = "use"
)

// Decisions is the keeper of records. Make it with New and end it with Close.
type Decisions struct {
	config Config

	mu      sync.Mutex
	waiting []Refusal
	dropped int // refusals that found no room since the last write

	uses uses

	loading sync.Mutex
	loaded  bool
	first   uint64 // number of the first refusal that is stored; Flush's, as next
	next    uint64

	wake    chan struct{} // there is a refusal to write
	used    chan struct{} // there is a use to write
	done    chan struct{}
	ended   sync.WaitGroup
	writing sync.Mutex
	closing sync.Once
}

// New starts to write. What is stored is read when it is first needed.
func New(config Config) *Decisions {
	if config.Now == nil {
		config.Now = time.Now
	}
	if config.Pause == 0 {
		config.Pause = defaultPause
	}
	if config.MaxRefusals == 0 {
		config.MaxRefusals = defaultMost
	}
	if config.MaxUses == 0 {
		config.MaxUses = defaultMost
	}
	d := &Decisions{config: config, wake: make(chan struct{}, 1), used: make(chan struct{}, 1), done: make(chan struct{})}
	d.ended.Go(d.write)
	return d
}

// Close writes what waits and ends.
func (d *Decisions) Close() error {
	d.closing.Do(func() { close(d.done) })
	d.ended.Wait()
	return d.Flush(context.Background())
}

func number(n uint64) string { return fmt.Sprintf("%016x", n) }

// afterNumbers comes after all numbers.
const afterNumbers = "g"

// load reads what is stored, the first time that it is called: there may be much,
// and no start waits for it.
func (d *Decisions) load(ctx context.Context) error {
	d.loading.Lock()
	defer d.loading.Unlock()
	if d.loaded {
		return nil
	}
	err := d.config.DB.View(ctx, func(tx *store.Tx) (err error) {
		if d.first, err = refusalNumber(tx, 1); err != nil {
			return err
		}
		if d.next, err = refusalNumber(tx, -1); err != nil {
			return err
		}
		return d.uses.load(tx)
	})
	d.loaded = err == nil
	return err
}

// refusalNumber is the number of the first stored refusal, for a limit of 1, or the
// one after the last, for -1; 0 where there is none.
func refusalNumber(tx *store.Tx, limit int) (uint64, error) {
	items, err := tx.Range(kindRefusal, "", afterNumbers, limit)
	if err != nil || len(items) == 0 {
		return 0, err
	}
	n, err := strconv.ParseUint(items[0].Key, 16, 64)
	if err != nil {
		return 0, fmt.Errorf("refusal %s: %w", items[0].Key, err)
	}
	if limit < 0 {
		n++
	}
	return n, nil
}

// Refused takes the record of a refusal. It never blocks: under a storm of
// refusals some are counted only.
func (d *Decisions) Refused(r Refusal) {
	r.trim()
	d.mu.Lock()
	if len(d.waiting) >= maxWaiting {
		d.dropped++
	} else {
		d.waiting = append(d.waiting, r)
	}
	d.mu.Unlock()
	poke(d.wake)
}

// trim keeps a record small, and tokens out of it.
func (r *Refusal) trim() {
	for _, text := range []*string{&r.Reason, &r.Path, &r.Resource, &r.RouteKey, &r.AccessKeyID} {
		*text = short(*text)
	}
	if r.Diagnosis != nil {
		copied := *r.Diagnosis
		copied.CanonicalRequest, copied.StringToSign = short(copied.CanonicalRequest), short(copied.StringToSign)
		r.Diagnosis = &copied
	}
	if r.Trace == nil || len(r.Trace.Statements) <= maxStatements {
		return
	}
	kept := *r.Trace // those that matched first: they decided
	kept.Statements = r.Trace.Matched()
	for _, s := range r.Trace.Statements {
		if !s.Matched && len(kept.Statements) < maxStatements {
			kept.Statements = append(kept.Statements, s)
		}
	}
	kept.Statements = kept.Statements[:min(len(kept.Statements), maxStatements)]
	kept.Dropped += len(r.Trace.Statements) - len(kept.Statements)
	r.Trace = &kept
}

func short(text string) string {
	if len(text) <= maxText {
		return text
	}
	return strings.ToValidUTF8(text[:maxText], "") + "…"
}

// poke has the writer look.
func poke(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// write writes a refusal at once, uses after a while, and then pauses.
func (d *Decisions) write() {
	pause := time.NewTimer(0)
	defer pause.Stop()
	for {
		select {
		case <-d.done:
			return
		case <-d.wake:
		case <-d.used: // who does things does more of them
			pause.Reset(d.config.Pause)
			select {
			case <-d.done:
				return
			case <-d.wake:
			case <-pause.C:
			}
		}
		if err := d.Flush(context.Background()); err != nil && !errors.Is(err, store.ErrClosed) {
			slog.Error("refusals cannot be written", "err", err)
		}
		pause.Reset(d.config.Pause)
		select {
		case <-d.done:
			return
		case <-pause.C:
		}
	}
}

// Flush writes what waits and returns when it is on disk.
func (d *Decisions) Flush(ctx context.Context) error {
	d.writing.Lock()
	defer d.writing.Unlock()
	if err := d.load(ctx); err != nil {
		return err
	}
	d.mu.Lock()
	batch, dropped := d.waiting, d.dropped
	d.waiting, d.dropped = nil, 0
	d.mu.Unlock()
	uses := d.uses.changed()
	if len(batch) == 0 && len(uses) == 0 {
		return nil
	}
	if dropped > 0 {
		slog.Warn("too many refusals at once: some have no record", "number", dropped)
	}
	first, next := d.first, d.next
	err := d.config.DB.Update(ctx, func(_ context.Context, tx *store.Tx) error {
		first, next = d.first, d.next
		for i := range batch {
			if err := put(tx, next, &batch[i]); err != nil {
				return err
			}
			next++
		}
		for ; next-first > uint64(d.config.MaxRefusals); first++ {
			if err := drop(tx, first); err != nil {
				return err
			}
		}
		return putUses(tx, uses)
	})
	if err != nil {
		d.putBack(batch, uses)
		return err
	}
	d.first, d.next = first, next
	return nil
}

// putBack has what could not be written wait again.
func (d *Decisions) putBack(batch []Refusal, uses []Use) {
	d.mu.Lock()
	defer d.mu.Unlock()
	room := max(0, maxWaiting-len(d.waiting))
	d.waiting = append(batch[:min(len(batch), room):min(len(batch), room)], d.waiting...)
	d.uses.putBack(uses)
}

func put(tx *store.Tx, n uint64, r *Refusal) error {
	if err := tx.Put(kindRefusal, number(n), r); err != nil {
		return err
	}
	return tx.Put(kindNumber, r.RequestID, number(n))
}

func drop(tx *store.Tx, n uint64) error {
	var old struct {
		RequestID string `json:"requestId"`
	}
	found, err := tx.Get(kindRefusal, number(n), &old)
	if err != nil || !found {
		return err
	}
	return errors.Join(tx.Delete(kindRefusal, number(n)), tx.Delete(kindNumber, old.RequestID))
}

// ErrUnknown is returned for a request id without a record.
var ErrUnknown = errors.New("no record")

// Find returns the record of a request, or with an empty id the last one.
func (d *Decisions) Find(ctx context.Context, requestID string) (*Refusal, error) {
	if requestID == "" {
		list, err := d.List(ctx, 1)
		if err == nil && len(list) == 0 {
			err = ErrUnknown
		}
		if err != nil {
			return nil, err
		}
		return &list[0], nil
	}
	ctx = context.WithoutCancel(ctx) // others wait for what is written, too
	if err := d.Flush(ctx); err != nil {
		return nil, err
	}
	r := &Refusal{}
	err := d.config.DB.View(ctx, func(tx *store.Tx) error {
		var n string
		found, err := tx.Get(kindNumber, requestID, &n)
		if err == nil && found {
			found, err = tx.Get(kindRefusal, n, r)
		}
		if err == nil && !found {
			err = ErrUnknown
		}
		return err
	})
	return r, err
}

// List returns the newest records, latest first.
func (d *Decisions) List(ctx context.Context, limit int) (list []Refusal, err error) {
	ctx = context.WithoutCancel(ctx)
	if err := d.Flush(ctx); err != nil {
		return nil, err
	}
	err = d.config.DB.View(ctx, func(tx *store.Tx) error {
		items, err := tx.Range(kindRefusal, "", afterNumbers, -limit)
		if err != nil {
			return err
		}
		list, err = decodeAll[Refusal](items)
		return err
	})
	return list, err
}
