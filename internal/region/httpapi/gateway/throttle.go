package gateway

import (
	"sync"
	"time"
)

// Defaults of an account (API Gateway quotas), for a throttle that names only
// one of its two numbers.
const (
	defaultRate  = 10000
	defaultBurst = 5000
)

// bucket is a token bucket. A nil bucket lets everything through.
type bucket struct {
	rate, burst float64
	now         func() time.Time

	mu     sync.Mutex
	tokens float64
	at     time.Time
}

func (g *Gateway) newBucket(t Throttle) *bucket {
	if t.Rate == nil && t.Burst == nil {
		return nil
	}
	b := &bucket{rate: defaultRate, burst: defaultBurst, now: g.config.Now}
	if t.Rate != nil {
		b.rate = *t.Rate
	}
	if t.Burst != nil {
		b.burst = float64(*t.Burst)
	}
	b.tokens, b.at = b.burst, b.now()
	return b
}

// take takes a token, if there is one.
func (b *bucket) take() bool {
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
