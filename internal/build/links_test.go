package build

import (
	"os"
	"path/filepath"
	"testing"
)

// Editors and watchers name files by the links that lead to them, compilers by
// where they are.
func TestAffectedOverLinks(t *testing.T) {
	base := t.TempDir()
	write(t, filepath.Join(base, "app/src/f.js"), "import { x } from './shared/x.js';\nexport const main = () => x;\n")
	write(t, filepath.Join(base, "shared/x.js"), "export const x = 1;\n")
	for name, target := range map[string]string{"link": "app", "app/src/shared": "../../shared"} {
		if err := os.Symlink(target, filepath.Join(base, name)); err != nil {
			t.Fatal(err)
		}
	}
	app := filepath.Join(base, "link")
	b := New(Config{App: app})
	f := []Function{node("f", "src/f.js")}
	if _, err := b.Build(t.Context(), f); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]int{"src/f.js": 1, "src/shared/x.js": 1, "src/g.js": 0} {
		if got := len(b.Affected(f, []string{filepath.Join(app, name)})); got != want {
			t.Errorf("%s: %d are affected, want %d", name, got, want)
		}
	}
}
