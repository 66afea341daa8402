package logs

import (
	"context"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/seed-615d3599/roost/internal/region/store"
)

// TestPendingIsBounded holds that what waits is counted as it is, whether it is
// written, dropped or given back after the store has failed.
func TestPendingIsBounded(t *testing.T) {
	db, err := store.Open(filepath.Join(t.TempDir(), "region.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	const bound = 1000
	l, err := New(Config{DB: db, Region: "us-east-1", Account: "123456789012", FlushEvery: time.Hour, MaxPending: bound})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	check := func(when string) {
		t.Helper()
		waiting := 0
		for _, b := range l.pending {
			for _, r := range b.events {
				waiting += len(r.Message)
			}
		}
		if waiting != l.size || waiting > bound {
			t.Errorf("%s: %d bytes wait, counted are %d", when, waiting, l.size)
		}
	}
	message := strings.Repeat("x", 90)
	for range 50 {
		l.Write("/g", "s", time.Now(), message)
		check("after a write")
	}
	if l.dropped == 0 {
		t.Error("nothing was dropped")
	}
	waiting := len(l.pending[streamKey{"/g", "s"}].events)
	canceled, cancel := context.WithCancel(context.Background())
	cancel()
	if err := l.flush(canceled); err == nil {
		t.Fatal("a flush that was canceled succeeds")
	}
	if got := len(l.pending[streamKey{"/g", "s"}].events); got != waiting {
		t.Errorf("%d events wait after a failed flush, want %d", got, waiting)
	}
	check("after a failed flush")
	l.giveBack(map[streamKey]*batch{{"/g", "s"}: {events: []record{{Message: "older"}}}})
	check("after giving back beside what came since")
}
