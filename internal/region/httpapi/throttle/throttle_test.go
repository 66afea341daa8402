package throttle

import (
	"testing"
	"time"

	"pgregory.net/rapid"
)

// TestNeverMoreThanItMay takes tokens at any moments: within any time no more
// than the burst and what the rate gives may be had.
func TestNeverMoreThanItMay(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		rate := rapid.Float64Range(0, 1000).Draw(t, "rate")
		burst := rapid.IntRange(0, 50).Draw(t, "burst")
		now := time.Unix(0, 0)
		b := New(Limit{Rate: &rate, Burst: &burst}, func() time.Time { return now })
		taken := 0
		for range rapid.IntRange(1, 200).Draw(t, "requests") {
			now = now.Add(time.Duration(rapid.IntRange(-5, 50).Draw(t, "milliseconds")) * time.Millisecond)
			if b.Take() {
				taken++
			}
			most := float64(burst) + rate*10 // all steps together are at most ten seconds
			if float64(taken) > most {
				t.Fatalf("%d were let through, at most %v may be", taken, most)
			}
		}
	})
}

func TestRefillAndDefaults(t *testing.T) {
	now := time.Unix(0, 0)
	rate, burst := 10.0, 2
	b := New(Limit{Rate: &rate, Burst: &burst}, func() time.Time { return now })
	for i, want := range []bool{true, true, false} {
		if b.Take() != want {
			t.Errorf("request %d", i)
		}
	}
	now = now.Add(100 * time.Millisecond)
	if !b.Take() || b.Take() {
		t.Error("a tenth of a second gives one token")
	}
	now = now.Add(time.Hour)
	if first, second, third := b.Take(), b.Take(), b.Take(); !first || !second || third {
		t.Error("no more than the burst is kept")
	}
	if New(Limit{}, nil).Take() != true {
		t.Error("no limit lets everything through")
	}
	if New(Limit{Rate: &rate}, time.Now).burst != defaultBurst || New(Limit{Burst: &burst}, time.Now).rate != defaultRate {
		t.Error("what is not said is the account's")
	}
}
