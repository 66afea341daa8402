// Package throttle limits how many requests a route or a stage serves in a second, by
// a token bucket (API Gateway Developer Guide, "Throttle requests to your HTTP
// APIs").
//
//	b := throttle.New(throttle.Limit{Rate: &rate, Burst: &burst}, time.Now)
//	if !b.Take() { … 429 … }
package throttle

import (
	"sync"
	"time"
)

// What an account has (API Gateway quotas), which is also what a throttle has that
// names only one of its two numbers.
const (
	defaultRate  = 10000
	defaultBurst = 5000
)

// Limit is a bucket's settings: Rate in requests a second, Burst in requests. A nil
// part is that of an account, and with both nil there is no limit.
type Limit struct {
	Rate  *float64
	Burst *int
}

// Bucket is a token bucket, for use by several goroutines. A nil Bucket lets
// everything through.
type Bucket struct {
	rate, burst float64
	now         func() time.Time

	mu     sync.Mutex
	tokens float64
	at     time.Time
}

// New returns a full bucket, or nil if there is no limit.
func New(t Limit, now func() time.Time) *Bucket {
	if t.Rate == nil && t.Burst == nil {
		return nil
	}
	return NewAccount(t, now)
}

// NewAccount returns a full bucket for all that an account serves, which is never
// without a limit.
func NewAccount(t Limit, now func() time.Time) *Bucket {
	b := &Bucket{rate: defaultRate, burst: defaultBurst, now: now}
	if t.Rate != nil {
		b.rate = *t.Rate
	}
	if t.Burst != nil {
		b.burst = float64(*t.Burst)
	}
	b.tokens, b.at = b.burst, b.now()
	return b
}

// Take takes a token, if there is one.
func (b *Bucket) Take() bool {
	if b == nil {
		return true
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	now := b.now()
	if passed := now.Sub(b.at); passed > 0 {
		b.tokens = min(b.burst, b.tokens+b.rate*passed.Seconds())
		b.at = now
	}
	if b.tokens < 1 {
		return false
	}
	b.tokens--
	return true
}
