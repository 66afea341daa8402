package store_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/seed-615d3599/roost/internal/region/store"
)

func open(t *testing.T) *store.DB {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "odd ?#% name")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	db, err := store.Open(filepath.Join(dir, "region.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

func keys(t *testing.T, db *store.DB, kind, prefix string) []string {
	t.Helper()
	var keys []string
	err := db.View(t.Context(), func(tx *store.Tx) error {
		items, err := tx.List(kind, prefix)
		for _, item := range items {
			keys = append(keys, item.Key)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return keys
}

func TestUpdateIsUndoneAlone(t *testing.T) {
	db := open(t)
	refused := errors.New("refused")
	hooks := 0
	err := db.Update(t.Context(), func(ctx context.Context, tx *store.Tx) error {
		if err := tx.Put("role", "outer", 1); err != nil {
			return err
		}
		tx.OnCommit(func() { hooks++ })
		inner := db.Update(ctx, func(_ context.Context, tx *store.Tx) error {
			tx.OnCommit(func() { hooks += 100 })
			return errors.Join(tx.Put("role", "inner", 1), refused)
		})
		if !errors.Is(inner, refused) {
			t.Errorf("inner update: %v", inner)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"outer"}, keys(t, db, "role", "")); diff != "" {
		t.Error(diff)
	}
	if hooks != 1 {
		t.Errorf("hooks counted to %d, want 1", hooks)
	}
}

// Nobody is to act on a state that was never durable by itself.
func TestOnCommitLast(t *testing.T) {
	db := open(t)
	refused := errors.New("refused")
	var told []string
	note := func(tx *store.Tx, key, what string) {
		tx.OnCommitLast(key, func() { told = append(told, what) })
	}
	err := db.Update(t.Context(), func(ctx context.Context, tx *store.Tx) error {
		note(tx, "f", "stale")
		note(tx, "g", "of another key")
		tx.OnCommit(func() { told = append(told, "without a key") })
		note(tx, "f", "last")
		tx.OnCommit(func() { told = append(told, "without a key either") })
		inner := db.Update(ctx, func(_ context.Context, tx *store.Tx) error {
			note(tx, "f", "undone")
			return refused
		})
		if !errors.Is(inner, refused) {
			t.Errorf("inner update: %v", inner)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"of another key", "without a key", "last", "without a key either"}, told); diff != "" {
		t.Error(diff)
	}
}

func TestOnUndo(t *testing.T) {
	db := open(t)
	refused := errors.New("refused")
	var undone []string
	note := func(tx *store.Tx, name string) { tx.OnUndo(func() { undone = append(undone, name) }) }
	update := func(ctx context.Context, err error, then func(context.Context, *store.Tx)) error {
		return db.Update(ctx, func(ctx context.Context, tx *store.Tx) error {
			then(ctx, tx)
			return err
		})
	}
	if err := update(t.Context(), nil, func(ctx context.Context, tx *store.Tx) {
		note(tx, "kept")
		if err := update(ctx, refused, func(_ context.Context, tx *store.Tx) { note(tx, "inner") }); err == nil {
			t.Error("the inner update did not fail")
		}
	}); err != nil {
		t.Fatal(err)
	}
	if err := update(t.Context(), refused, func(ctx context.Context, tx *store.Tx) {
		note(tx, "first")
		if err := update(ctx, nil, func(_ context.Context, tx *store.Tx) { note(tx, "part") }); err != nil {
			t.Error(err)
		}
	}); !errors.Is(err, refused) {
		t.Error(err)
	}
	if diff := cmp.Diff([]string{"inner", "part", "first"}, undone); diff != "" {
		t.Error(diff)
	}
}

func TestConcurrentUpdatesEachCommitOrFail(t *testing.T) {
	db := open(t)
	var group sync.WaitGroup
	for i := range 200 {
		group.Go(func() {
			err := db.Update(t.Context(), func(_ context.Context, tx *store.Tx) error {
				if err := tx.Put("n", fmt.Sprintf("%03d", i), i); err != nil {
					return err
				}
				if i%2 == 1 {
					return errors.New("odd")
				}
				return nil
			})
			if (err != nil) != (i%2 == 1) {
				t.Errorf("update %d: %v", i, err)
			}
		})
	}
	group.Wait()
	if got := len(keys(t, db, "n", "")); got != 100 {
		t.Errorf("%d items, want 100", got)
	}
}

func TestPanicFailsOnlyItsUpdate(t *testing.T) {
	db := open(t)
	err := db.Update(t.Context(), func(context.Context, *store.Tx) error { panic("a mistake") })
	if err == nil {
		t.Error("an update that panics succeeded")
	}
	err = db.Update(t.Context(), func(_ context.Context, tx *store.Tx) error { return tx.Put("k", "after", 1) })
	if err != nil {
		t.Error(err)
	}
}

func TestRange(t *testing.T) {
	db := open(t)
	err := db.Update(t.Context(), func(_ context.Context, tx *store.Tx) error {
		for _, key := range []string{"a/1", "a/2", "a/é", "b/1", "a"} {
			if err := tx.Put("k", key, key); err != nil {
				return err
			}
		}
		return tx.Put("other", "a/9", "x")
	})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"a/1", "a/2", "a/é"}, keys(t, db, "k", "a/")); diff != "" {
		t.Error(diff)
	}
	var last []string
	err = db.View(t.Context(), func(tx *store.Tx) error {
		items, err := tx.Range("k", "a/", "b", -2)
		for _, item := range items {
			last = append(last, item.Key)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"a/é", "a/2"}, last); diff != "" {
		t.Error(diff)
	}
}

func TestReopenKeepsAndCopies(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "region.db")
	db, err := store.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	err = db.Update(t.Context(), func(_ context.Context, tx *store.Tx) error { return tx.Put("k", "one", 1) })
	if err != nil {
		t.Fatal(err)
	}
	if err := db.CopyTo(t.Context(), filepath.Join(dir, "copy.db")); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	if err := db.Update(t.Context(), func(context.Context, *store.Tx) error { return nil }); !errors.Is(err, store.ErrClosed) {
		t.Errorf("update after close: %v", err)
	}
	for _, name := range []string{"region.db", "copy.db"} {
		again, err := store.Open(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff([]string{"one"}, keys(t, again, "k", "")); diff != "" {
			t.Error(name, diff)
		}
		again.Close()
	}
}

// A file of the first version, whose table had no row ids, goes on as it was.
func TestFirstVersionIsRebuilt(t *testing.T) {
	path := filepath.Join(t.TempDir(), "region.db")
	old, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	_, err = old.Exec(`CREATE TABLE item (kind TEXT NOT NULL, key TEXT NOT NULL, value BLOB NOT NULL, PRIMARY KEY (kind, key)) WITHOUT ROWID;
		INSERT INTO item VALUES ('role', 'b', '2'), ('role', 'a', '1');
		PRAGMA user_version = 1;`)
	if err := errors.Join(err, old.Close()); err != nil {
		t.Fatal(err)
	}
	for range 2 { // rebuilt, and then as it is
		db, err := store.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff([]string{"a", "b"}, keys(t, db, "role", "")); diff != "" {
			t.Error(diff)
		}
		err = db.Update(t.Context(), func(_ context.Context, tx *store.Tx) error { return tx.Put("role", "a", 3) })
		if err := errors.Join(err, db.Close()); err != nil {
			t.Fatal(err)
		}
	}
}
