package directory

import (
	"context"
	"path/filepath"
	"testing"

	"github.com/seed-615d3599/roost/internal/region/store"
	"github.com/seed-615d3599/roost/internal/region/wire"
)

// TestNamesOfAnEarlierVersion opens a state in which names are not stored: what it
// has is not made a second time.
func TestNamesOfAnEarlierVersion(t *testing.T) {
	db, err := store.Open(filepath.Join(t.TempDir(), "region.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	opened := func() *Directory {
		d, err := Open(Config{Account: "123456789012", DB: db})
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	d := opened()
	for _, kind := range []Kind{User, Group} {
		if err := d.Create(t.Context(), &Identity{Kind: kind, Name: "Alice"}); err != nil {
			t.Fatal(err)
		}
		err := db.Update(t.Context(), func(_ context.Context, tx *store.Tx) error { return tx.Delete(kind.storedNames(), "alice") })
		if err != nil {
			t.Fatal(err)
		}
	}
	d = opened()
	for _, kind := range []Kind{User, Group} {
		for _, name := range []string{"Alice", "alice"} {
			if err := d.Create(t.Context(), &Identity{Kind: kind, Name: name}); wire.Code(err) != "EntityAlreadyExists" {
				t.Errorf("another %s %s: %v", kind, name, err)
			}
		}
	}
	if err := d.Create(t.Context(), &Identity{Kind: User, Name: "bob"}); err != nil {
		t.Error(err)
	}
}
