package lambda

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/seed-615d3599/roost/internal/region/store"
)

// The code that a fork may use outlives its function in the original, as long as
// the fork is open.
func TestForksKeepTheOriginalsCode(t *testing.T) {
	original := hold(t, "f")
	db, err := store.Open(filepath.Join(t.TempDir(), "region.db"))
	if err != nil {
		t.Fatal(err)
	}
	fork, err := New(Config{DB: db, Dir: t.TempDir(), Region: "us-east-1", Account: "123456789012", Original: original.Lambda})
	if err != nil {
		t.Fatal(err)
	}
	original.must("DeleteFunction", map[string]any{"FunctionName": "f"})
	old := time.Now().Add(-time.Hour)
	left := func() (n int) {
		t.Helper()
		entries, err := os.ReadDir(original.code.Dir)
		for _, entry := range entries {
			err = errors.Join(err, os.Chtimes(filepath.Join(original.code.Dir, entry.Name()), old, old))
		}
		if err != nil {
			t.Fatal(err)
		}
		return len(entries)
	}
	had := left()
	original.sweepNow()
	if n := left(); n == 0 || n != had {
		t.Errorf("of %d entries %d are left while the fork is open", had, n)
	}
	if original.sweep == nil {
		t.Error("nobody looks again")
	}
	if err := errors.Join(fork.Close(), fork.Close(), db.Close()); err != nil {
		t.Error(err)
	}
	original.sweepNow()
	if n := left(); n != 0 {
		t.Errorf("%d entries are left after the fork", n)
	}
}
