package logs

import (
	"context"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/seed-615d3599/roost/internal/region/store"
)

// BenchmarkStore is one event on its way into the store, where a region under
// load has filled some streams already.
func BenchmarkStore(b *testing.B) {
	db, err := store.Open(filepath.Join(b.TempDir(), "region.db"))
	if err != nil {
		b.Fatal(err)
	}
	defer db.Close()
	l, err := New(Config{DB: db, Region: "us-east-1", Account: "123456789012", FlushEvery: time.Hour})
	if err != nil {
		b.Fatal(err)
	}
	defer l.Close()
	write := func(n int) {
		for i := range n {
			l.Write("/aws/lambda/bench", "stream"+strconv.Itoa(i%5), time.Now(), "REPORT RequestId: 2b1b8ef3-1c47-4a3a-a6bb-93c2d5f3b6cf\tDuration: 1.03 ms\tBilled Duration: 2 ms\tMemory Size: 128 MB\tMax Memory Used: 36 MB\t\n")
		}
		if err := l.flush(context.Background()); err != nil {
			b.Fatal(err)
		}
	}
	for range 100 {
		write(5000)
	}
	b.ReportAllocs()
	b.ResetTimer()
	for left := b.N; left > 0; left -= 10000 {
		write(min(left, 10000))
	}
}
