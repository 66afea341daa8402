package watch

import (
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func put(t *testing.T, name, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// await reads changes until all that is wanted has come, and fails on others.
func await(t *testing.T, w *Watcher, want ...string) {
	t.Helper()
	slices.Sort(want)
	var got []string
	timeout := time.After(10 * time.Second)
	for !slices.Equal(got, want) {
		select {
		case changed := <-w.Changes():
			got = append(got, changed...)
			slices.Sort(got)
			got = slices.Compact(got)
			for _, name := range changed {
				if !slices.Contains(want, name) {
					t.Fatalf("%s was reported, wanted %v", name, want)
				}
			}
		case <-timeout:
			t.Fatal(cmp.Diff(want, got))
		}
	}
}

func TestWatch(t *testing.T) {
	root := t.TempDir()
	in := func(name string) string { return filepath.Join(root, name) }
	put(t, in("src/private.js"), "1")
	put(t, in("node_modules/dep/index.js"), "1")
	w, err := New(Config{Roots: []string{root}})
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()

	put(t, in("src/private.js"), "2")
	await(t, w, in("src/private.js"))

	// What is left out makes no report: only the last line's file comes.
	put(t, in("node_modules/dep/index.js"), "2")
	put(t, in(".git/index"), "2")
	put(t, in("src/private.js~"), "2")
	put(t, in("src/private.js"), "2") // written with the content it had
	put(t, in("src/public.js"), "1")
	await(t, w, in("src/public.js"))

	// Folders that appear later are followed, however deep.
	put(t, in("src/deep/er/file.ts"), "1")
	await(t, w, in("src/deep/er/file.ts"))
	put(t, in("src/deep/er/file.ts"), "2")
	await(t, w, in("src/deep/er/file.ts"))

	if err := os.Remove(in("src/public.js")); err != nil {
		t.Fatal(err)
	}
	await(t, w, in("src/public.js"))

	// Editors write a new file and put it in the place of the old one.
	put(t, in("src/.private.js.tmp"), "3")
	if err := os.Rename(in("src/.private.js.tmp"), in("src/private.js")); err != nil {
		t.Fatal(err)
	}
	await(t, w, in("src/private.js"))

	put(t, in(".env.prod"), "A=1")
	await(t, w, in(".env.prod"))
}

// A file that is being saved is empty for a moment, which nobody wants to see.
// One that stays empty is told all the same.
func TestEmptied(t *testing.T) {
	root := t.TempDir()
	name := filepath.Join(root, "a")
	put(t, name, "1")
	w, err := New(Config{Roots: []string{root}, Quiet: time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	put(t, name, "")
	await(t, w, name)
	if data, err := os.ReadFile(name); err != nil || len(data) > 0 {
		t.Errorf("the file holds %q, %v", data, err)
	}

	held := &Watcher{cfg: Config{Quiet: time.Millisecond}, known: map[string][32]byte{}, held: map[string]int{}}
	put(t, name, "1")
	held.changed(name)
	put(t, name, "")
	pending := map[string]bool{name: true}
	if ready := held.merge(nil, pending); len(ready) > 0 || !pending[name] {
		t.Error("the emptied file is told at once")
	}
	put(t, name, "2")
	if ready := held.merge(nil, pending); len(ready) != 1 || pending[name] {
		t.Error("the written file is not told")
	}
}

// Changes that nobody takes yet are kept and come together.
func TestSlowReader(t *testing.T) {
	root := t.TempDir()
	w, err := New(Config{Roots: []string{root}, Quiet: time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	var want []string
	for _, name := range []string{"a", "b", "c"} {
		put(t, filepath.Join(root, name), name)
		want = append(want, filepath.Join(root, name))
	}
	await(t, w, want...)
}

func TestClose(t *testing.T) {
	w, err := New(Config{Roots: []string{t.TempDir()}})
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if _, open := <-w.Changes(); open {
		t.Error("the channel is open after Close")
	}
	if _, err := New(Config{Roots: []string{filepath.Join(t.TempDir(), "nowhere")}}); err == nil {
		t.Error("a folder that is not there is watched")
	}
}

// An app's folder, and folders in it, may be links.
func TestLinks(t *testing.T) {
	base := t.TempDir()
	in := func(name string) string { return filepath.Join(base, name) }
	put(t, in("app/src/f.js"), "1")
	put(t, in("shared/lib/g.js"), "1")
	link := func(target, name string) {
		t.Helper()
		if err := os.Symlink(target, in(name)); err != nil {
			t.Fatal(err)
		}
	}
	link(in("app"), "root")
	link("../../shared", "app/src/shared")
	link("../..", "app/src/up") // would watch all that is beside the app
	link("../shared", "shared/lib/round")
	w, err := New(Config{Roots: []string{in("root")}})
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	put(t, in("beside.js"), "1")
	put(t, in("app/src/f.js"), "2")
	await(t, w, in("root/src/f.js"))
	put(t, in("shared/lib/g.js"), "2")
	await(t, w, in("root/src/shared/lib/g.js"))
	put(t, in("more/h.js"), "1")
	link("../../more", "app/src/more")
	await(t, w, in("root/src/more/h.js"))
}
