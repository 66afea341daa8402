package store

import (
	"context"
	"errors"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// TestAFullDisk fails an update for which there is no room, says so, and goes on
// once there is.
func TestAFullDisk(t *testing.T) {
	db, err := Open(filepath.Join(t.TempDir(), "region.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	room := func(pages string) {
		t.Helper()
		if _, err := db.write.Exec("PRAGMA max_page_count = " + pages); err != nil {
			t.Fatal(err)
		}
	}
	put := func(ctx context.Context, tx *Tx) error {
		return tx.Put("kind", "key", strings.Repeat("x", 1<<20))
	}
	room("20")
	if err := db.Update(t.Context(), put); !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("got %v", err)
	}
	room("100000")
	if err := db.Update(t.Context(), put); err != nil {
		t.Error(err)
	}
}

// TestWhatSQLiteUndoes keeps nothing of a batch that SQLite has undone as a whole, as
// it may where the disk is full, and that of an update that comes after it in the
// batch least of all: it would stand there although it has failed.
func TestWhatSQLiteUndoes(t *testing.T) {
	db, err := Open(filepath.Join(t.TempDir(), "region.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	put := func(key string) func(context.Context, *Tx) error {
		return func(_ context.Context, tx *Tx) error { return tx.Put("kind", key, key) }
	}
	batch := []*update{
		{ctx: t.Context(), run: put("before")},
		{ctx: t.Context(), run: func(_ context.Context, tx *Tx) error {
			_, err := tx.sql.Exec("ROLLBACK")
			return errors.Join(errors.New("no room"), err)
		}},
		{ctx: t.Context(), run: put("after")},
	}
	db.commit(batch)
	for i, u := range batch {
		if u.err == nil {
			t.Errorf("update %d of the batch did not fail", i)
		}
	}
	if err := db.Update(t.Context(), put("later")); err != nil {
		t.Fatal(err)
	}
	err = db.View(t.Context(), func(tx *Tx) error {
		items, err := tx.List("kind", "")
		if err == nil && (len(items) != 1 || items[0].Key != "later") {
			t.Errorf("the state has %v", items)
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
}
