package region_test

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/seed-615d3599/roost/internal/region"
)

// TestDamagedState starts a region on files that are not what it wrote: it says
// which one, and what to do, and changes none.
func TestDamagedState(t *testing.T) {
	for name, content := range map[string]string{"master.key": "", "region.db": strings.Repeat("rubbish ", 1000)} {
		dir := filepath.Join(t.TempDir(), "state")
		open(t, region.Config{Dir: dir}).Close()
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		r, err := region.Start(context.Background(), region.Config{Dir: dir})
		if err == nil {
			r.Close()
			t.Errorf("%s: it starts", name)
			continue
		}
		if !strings.Contains(err.Error(), path) || !strings.Contains(err.Error(), "to begin anew") {
			t.Errorf("%s: %v", name, err)
		}
		if got, err := os.ReadFile(path); err != nil || string(got) != content {
			t.Errorf("%s was changed: %v", name, err)
		}
	}
}

// TestLock tells a state that is in use from one whose lock can't be opened.
func TestLock(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "state")
	first := open(t, region.Config{Dir: dir})
	if _, err := region.Start(context.Background(), region.Config{Dir: dir}); err == nil || !strings.Contains(err.Error(), "in use by another region") {
		t.Errorf("a second one: %v", err)
	}
	first.Close()
	path := filepath.Join(dir, "lock")
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(path, 0o700); err != nil {
		t.Fatal(err)
	}
	if _, err := region.Start(context.Background(), region.Config{Dir: dir}); err == nil || !strings.Contains(err.Error(), path) || strings.Contains(err.Error(), "in use") {
		t.Errorf("a folder in place of the lock: %v", err)
	}
}

// TestMissingKey starts a region on a state without the key that it was written
// with: it makes no other in its place.
func TestMissingKey(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "state")
	open(t, region.Config{Dir: dir}).Close()
	path := filepath.Join(dir, "master.key")
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	r, err := region.Start(context.Background(), region.Config{Dir: dir})
	if err == nil {
		r.Close()
		t.Fatal("it starts")
	}
	if !strings.Contains(err.Error(), path+" is missing") {
		t.Error(err)
	}
	if _, err := os.Stat(path); err == nil {
		t.Error("another key was made")
	}
}
