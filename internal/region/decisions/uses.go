package decisions

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/seed-615d3599/roost/internal/region/store"
)

// Use is something that a principal was seen to do, or to be refused.
type Use struct {
	Principal string    `json:"principal"` // ARN of a user or a role
	Action    string    `json:"action"`
	Resource  string    `json:"resource"`
	Allowed   bool      `json:"allowed"`
	First     time.Time `json:"first"`
	Last      time.Time `json:"last"`
}

// useKey tells uses apart.
type useKey struct {
	principal, action, resource string
	allowed                     bool
}

// stored is the key under which a use is stored.
func (k useKey) stored() string {
	sum := sha256.Sum256(fmt.Appendf(nil, "%q %q %q %t", k.principal, k.action, k.resource, k.allowed))
	return hex.EncodeToString(sum[:16])
}

// use is a use in memory. Times are seconds since 1970.
type use struct {
	first, last atomic.Int64
	written     int64 // what last was when it was written; only Flush touches it
}

// uses is the aggregate of uses. Noting one that is known takes a read lock
// and allocates nothing.
type uses struct {
	mu   sync.RWMutex
	seen map[useKey]*use
}

// useGrain is how exactly the time of the last use is kept, in seconds: a use
// that goes on is not written again and again.
const useGrain = 60

// Used notes that a principal did something or was refused it. It never blocks.
// What comes after the first MaxUses kinds of uses is not kept.
func (d *Decisions) Used(principalARN, action, resource string, allowed bool) {
	key := useKey{principalARN, action, resource, allowed}
	now := d.config.Now().Unix()
	d.uses.mu.RLock()
	u := d.uses.seen[key]
	d.uses.mu.RUnlock()
	if u != nil {
		if now-u.last.Load() >= useGrain {
			u.last.Store(now)
			poke(d.used)
		}
		return
	}
	if len(resource) <= maxText && d.uses.add(key, now, d.config.MaxUses) {
		poke(d.used)
	}
}

func (s *uses) add(key useKey, now int64, most int) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.seen == nil {
		s.seen = map[useKey]*use{}
	}
	if len(s.seen) >= most || s.seen[key] != nil {
		return false
	}
	key.principal, key.action, key.resource = strings.Clone(key.principal), strings.Clone(key.action), strings.Clone(key.resource)
	u := &use{}
	u.first.Store(now)
	u.last.Store(now)
	s.seen[key] = u
	return true
}

// changed returns the uses that are newer than what is written, and takes them
// for written.
func (s *uses) changed() []Use {
	s.mu.RLock()
	defer s.mu.RUnlock()
	var list []Use
	for key, u := range s.seen {
		if last := u.last.Load(); last > u.written {
			u.written = last
			list = append(list, key.use(u))
		}
	}
	return list
}

// putBack takes uses for changed that could not be written.
func (s *uses) putBack(list []Use) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	for _, one := range list {
		s.seen[useKey{one.Principal, one.Action, one.Resource, one.Allowed}].written = 0
	}
}

func (k useKey) use(u *use) Use {
	return Use{
		Principal: k.principal, Action: k.action, Resource: k.resource, Allowed: k.allowed,
		First: time.Unix(u.first.Load(), 0).UTC(), Last: time.Unix(u.last.Load(), 0).UTC(),
	}
}

func putUses(tx *store.Tx, list []Use) error {
	for _, u := range list {
		key := useKey{u.Principal, u.Action, u.Resource, u.Allowed}
		if err := tx.Put(kindUse, key.stored(), u); err != nil {
			return err
		}
	}
	return nil
}

// load adds what is stored to what was seen meanwhile.
func (s *uses) load(tx *store.Tx) error {
	list, err := store.All[Use](tx, kindUse, "")
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.seen == nil {
		s.seen = make(map[useKey]*use, len(list))
	}
	for _, one := range list {
		key := useKey{one.Principal, one.Action, one.Resource, one.Allowed}
		u := s.seen[key]
		if u == nil {
			u = &use{written: one.Last.Unix()}
			u.last.Store(one.Last.Unix())
			s.seen[key] = u
		}
		u.first.Store(one.First.Unix())
	}
	return nil
}

// Uses returns what a principal was seen to do since a moment, all principals
// for an empty ARN, ordered by principal, action and resource.
func (d *Decisions) Uses(ctx context.Context, principalARN string, since time.Time) ([]Use, error) {
	if err := d.load(ctx); err != nil {
		return nil, err
	}
	d.uses.mu.RLock()
	defer d.uses.mu.RUnlock()
	var list []Use
	for key, u := range d.uses.seen {
		if (principalARN == "" || key.principal == principalARN) && u.last.Load() >= since.Unix() {
			list = append(list, key.use(u))
		}
	}
	slices.SortFunc(list, func(a, b Use) int {
		return strings.Compare(a.Principal+"\x00"+a.Action+"\x00"+a.Resource, b.Principal+"\x00"+b.Action+"\x00"+b.Resource)
	})
	return list, nil
}

// LastUsed returns when a principal was last seen to ask for something, allowed
// or not, to the minute; the zero time if it was not.
func (d *Decisions) LastUsed(principalARN string) time.Time {
	if err := d.load(context.Background()); err != nil {
		slog.Error("uses cannot be read", "err", err)
	}
	d.uses.mu.RLock()
	defer d.uses.mu.RUnlock()
	var last int64
	for key, u := range d.uses.seen {
		if key.principal == principalARN {
			last = max(last, u.last.Load())
		}
	}
	if last == 0 {
		return time.Time{}
	}
	return time.Unix(last, 0).UTC()
}

func decodeAll[T any](items []store.Item) ([]T, error) {
	list := make([]T, len(items))
	for i, item := range items {
		if err := json.Unmarshal(item.Value, &list[i]); err != nil {
			return nil, fmt.Errorf("record %s: %w", item.Key, err)
		}
	}
	return list, nil
}
