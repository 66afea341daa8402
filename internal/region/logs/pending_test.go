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

// TestDeletedGroupStaysDeleted holds that what waits to be stored while its group
// is deleted does not make the group anew.
func TestDeletedGroupStaysDeleted(t *testing.T) {
	db, err := store.Open(filepath.Join(t.TempDir(), "region.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	l, err := New(Config{DB: db, Region: "us-east-1", Account: "123456789012", FlushEvery: time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	l.Write("/g", "s", time.Now(), "early")
	if err := l.flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	flushed := make(chan error, 1)
	err = db.Update(t.Context(), func(ctx context.Context, _ *store.Tx) error {
		l.Write("/g", "s", time.Now(), "late")
		go func() { flushed <- l.flush(context.Background()) }() // which waits for this transaction, or comes after it
		_, err := l.deleteGroup(ctx, nil, &groupInput{LogGroupName: "/g"})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := <-flushed; err != nil {
		t.Fatal(err)
	}
	err = db.View(t.Context(), func(tx *store.Tx) error {
		if there, err := tx.Get(kindGroup, "/g", &group{}); err != nil || there {
			t.Errorf("the group is there: %v, %v", there, err)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}
