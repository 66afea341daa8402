package records

import (
	"sync"
	"time"

	"github.com/seed-615d3599/roost/internal/region/store"
)

// Clock gives each event of a stack a moment of its own. Its zero value is
// ready.
type Clock struct {
	mu   sync.Mutex
	last map[string]time.Time // of each stack's newest event
}

// maxLast is of how many stacks the time of the newest event is kept in memory.
const maxLast = 1000

// Moment returns now in milliseconds, as clients see it, or the next one that
// is later than every event of the stack: tools order events by it.
func (c *Clock) Moment(tx *store.Tx, stackID string, now time.Time) (time.Time, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	last, known := c.last[stackID]
	if !known {
		newest, _, err := Events(tx, stackID, "", 1)
		if err != nil {
			return time.Time{}, err
		}
		if len(newest) > 0 {
			last = newest[0].Time
		}
		if c.last == nil || len(c.last) >= maxLast {
			c.last = map[string]time.Time{}
		}
	}
	now = now.UTC().Truncate(time.Millisecond)
	if !now.After(last) {
		now = last.Truncate(time.Millisecond).Add(time.Millisecond)
	}
	c.last[stackID] = now
	return now, nil
}
