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
