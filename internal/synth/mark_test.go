package synth

import (
	"os"
	"path/filepath"
	"testing"
)

// What a link in the app's folder leads to is read as what lies there is.
func TestMarksSeeThroughLinks(t *testing.T) {
	base := t.TempDir()
	in := func(name string) string { return filepath.Join(base, filepath.FromSlash(name)) }
	write(t, in("app/roost.json"), `{"name": "app"}`)
	write(t, in("app/src/a.js"), "1")
	write(t, in("shared/deep/b.js"), "1")
	write(t, in("more/c.js"), "1")
	link := func(target, name string) {
		t.Helper()
		if err := os.Symlink(target, in(name)); err != nil {
			t.Fatal(err)
		}
	}
	link(in("shared"), "app/shared")
	link(in("shared"), "app/again")
	link("..", "app/src/round")
	link(in("shared"), "shared/deep/round")
	link(in("more"), "shared/more")
	app, err := Load(in("app"), "", "")
	if err != nil {
		t.Fatal(err)
	}
	source := newLibApp(Config{App: app, Live: true})
	look := func() string {
		t.Helper()
		mark, err := source.inside()
		if err != nil {
			t.Fatal(err)
		}
		return mark
	}
	before := look()
	if look() != before {
		t.Error("two looks at the same files differ")
	}
	for _, name := range []string{"app/src/a.js", "shared/deep/b.js", "more/c.js", "shared/deep/new.js"} {
		write(t, in(name), "2")
		after := look()
		if after == before {
			t.Errorf("an edit of %s does not show", name)
		}
		before = after
	}
	link(base, "app/up")
	if _, err := source.inside(); err == nil {
		t.Error("a link up the tree was looked through")
	}
}
