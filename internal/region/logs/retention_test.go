package logs

import (
	"context"
	"path/filepath"
	"testing"
	"time"

	"github.com/seed-615d3599/roost/internal/region/store"
	"github.com/seed-615d3599/roost/internal/region/wire"
)

// Events that are older than their group keeps them go, others stay; a group
// without retention keeps all.
func TestRetention(t *testing.T) {
	db, err := store.Open(filepath.Join(t.TempDir(), "region.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	now := time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)
	l, err := New(Config{DB: db, Region: "us-east-1", Account: "123456789012", Now: func() time.Time { return now }})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	l.Service().Authorize = func(context.Context, *wire.Call, []wire.Target) error { return nil }
	call := func(operation string, in map[string]any, out any) {
		t.Helper()
		if err := l.Service().Call(context.Background(), wire.Call{Region: "us-east-1", Account: "123456789012"}, operation, in, out); err != nil {
			t.Fatalf("%s: %v", operation, err)
		}
	}
	write := func(message string) {
		t.Helper()
		for _, group := range []string{"days", "forever"} {
			l.Write(group, "s", now, message)
		}
		if err := l.flush(context.Background()); err != nil {
			t.Fatal(err)
		}
	}
	write("old")
	call("PutRetentionPolicy", map[string]any{"logGroupName": "days", "retentionInDays": 3}, nil)
	now = now.AddDate(0, 0, 2)
	write("young")
	for _, step := range []struct {
		days          int
		days3, always int // how many events are left
	}{{0, 2, 2}, {2, 1, 2}, {2, 0, 2}} {
		now = now.AddDate(0, 0, step.days)
		l.retain()
		for group, want := range map[string]int{"days": step.days3, "forever": step.always} {
			var got struct{ Events []struct{ Message string } }
			call("FilterLogEvents", map[string]any{"logGroupName": group}, &got)
			if len(got.Events) != want {
				t.Errorf("%d days later %s has %v, want %d", step.days, group, got.Events, want)
			}
		}
	}
}
