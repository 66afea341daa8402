package jwt

import (
	"time"

	"github.com/seed-615d3599/roost/internal/region/oidc"
)

// Limits of AWS (API Gateway quotas, "HTTP API quotas") and of our own.
const (
	fetchTime  = 1500 * time.Millisecond
	fetchBytes = 150_000
	keptFor    = 2 * time.Hour    // how long keys are good without asking again, and as long again in an outage
	askAgain   = 10 * time.Second // not sooner, whatever kids the tokens name
)

func newKeys(c Config) *oidc.Keys {
	return oidc.New(oidc.Config{
		Issuer: c.Issuer, Transport: c.Transport, Now: c.Now, Timeout: fetchTime, MaxBytes: fetchBytes,
		Kept: keptFor, Rest: askAgain, Bridge: keptFor,
	})
}
