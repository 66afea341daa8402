package build

import (
	"archive/zip"
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/seed-615d3599/roost/internal/need"
)

// app writes an app's files, old enough that no clock's step blurs them.
func app(t *testing.T, files map[string]string) string {
	t.Helper()
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range files {
		write(t, filepath.Join(dir, name), text)
	}
	return dir
}

// write writes a file whose time lies in the past, as if no build ran meanwhile.
func write(t *testing.T, name, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	past := time.Now().Add(-time.Minute)
	if err := os.Chtimes(name, past, past); err != nil {
		t.Fatal(err)
	}
}

// names returns what a zip holds.
func names(t *testing.T, file string) []string {
	t.Helper()
	z, err := zip.OpenReader(file)
	if err != nil {
		t.Fatal(err)
	}
	defer z.Close()
	var all []string
	for _, f := range z.File {
		all = append(all, f.Name)
	}
	return all
}

const goMod = "module example.com/app\n\ngo 1.26\n"

func goApp() map[string]string {
	return map[string]string{
		"go.mod":              goMod,
		"src/public/main.go":  "package main\n\nimport \"example.com/app/greet\"\n\nfunc main() { println(greet.Text) }\n",
		"src/private/main.go": "package main\n\nfunc main() { println(\"private\") }\n",
		"greet/greet.go":      "package greet\n\nconst Text = \"hello\"\n",
	}
}

var goFunctions = []Function{{ID: "Public", Handler: "src/public"}, {ID: "Private", Handler: "src/private"}}

func TestGo(t *testing.T) {
	need.Tool(t, "go")
	dir := app(t, goApp())
	b := New(Config{App: dir})
	first, err := b.Build(t.Context(), goFunctions)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"bootstrap"}, names(t, first[0].Path)); diff != "" {
		t.Error(diff)
	}
	z, err := zip.OpenReader(first[0].Path)
	if err != nil {
		t.Fatal(err)
	}
	defer z.Close()
	if mode := z.File[0].Mode(); mode != 0o755 {
		t.Errorf("bootstrap has mode %v", mode)
	}

	t.Run("nothing changed", func(t *testing.T) {
		// A new Builder stands for the next process.
		again, err := New(Config{App: dir}).Build(t.Context(), goFunctions)
		if err != nil {
			t.Fatal(err)
		}
		for i := range again {
			if !again[i].Cached || again[i].Hash != first[i].Hash {
				t.Errorf("%s was built again", again[i].ID)
			}
		}
	})
	t.Run("affected", func(t *testing.T) {
		for _, test := range []struct {
			changed string
			want    []string
		}{
			{"src/private/main.go", []string{"Private"}},
			{"src/private/new.go", []string{"Private"}},
			{"src/private/main_test.go", nil},
			{"greet/greet.go", []string{"Public"}},
			{"go.mod", []string{"Public", "Private"}},
			{"README.md", nil},
		} {
			var got []string
			for _, f := range b.Affected(goFunctions, []string{test.changed}) {
				got = append(got, f.ID)
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("%s: %s", test.changed, diff)
			}
		}
	})
	t.Run("an edit builds one", func(t *testing.T) {
		write(t, filepath.Join(dir, "greet/greet.go"), "package greet\n\nconst Text = \"hello again\"\n")
		again, err := b.Build(t.Context(), goFunctions)
		if err != nil {
			t.Fatal(err)
		}
		if again[0].Cached || again[0].Hash == first[0].Hash {
			t.Error("the edited function was not built")
		}
		if !again[1].Cached {
			t.Error("the other function was built too")
		}
	})
}

// A zip must not tell where or when it was made.
func TestReproducible(t *testing.T) {
	need.Tool(t, "go")
	files := goApp()
	files["src/js.ts"] = "export const main = async (): Promise<string> => 'hello';\n"
	functions := append(slices.Clone(goFunctions), Function{ID: "JS", Handler: "src/js.main"})
	for _, aws := range []bool{false, true} {
		var hashes [2][]string
		for i := range hashes {
			dir := app(t, files)
			results, err := New(Config{App: dir, AWS: aws}).Build(t.Context(), functions)
			if err != nil {
				t.Fatal(err)
			}
			for _, r := range results {
				hashes[i] = append(hashes[i], r.Hash)
			}
		}
		if diff := cmp.Diff(hashes[0], hashes[1]); diff != "" {
			t.Errorf("for AWS %v: %s", aws, diff)
		}
	}
}

func TestGoForAWS(t *testing.T) {
	need.Tool(t, "go")
	dir := app(t, goApp())
	f := goFunctions[1]
	machine := map[string]byte{"arm64": 0xb7, "x86_64": 0x3e} // ELF's e_machine
	for arch, want := range machine {
		f.Architecture = arch
		results, err := New(Config{App: dir, AWS: true}).Build(t.Context(), []Function{f})
		if err != nil {
			t.Fatal(err)
		}
		z, err := zip.OpenReader(results[0].Path)
		if err != nil {
			t.Fatal(err)
		}
		defer z.Close()
		r, err := z.File[0].Open()
		if err != nil {
			t.Fatal(err)
		}
		header := make([]byte, 20)
		if _, err := r.Read(header); err != nil {
			t.Fatal(err)
		}
		if string(header[:4]) != "\x7fELF" || header[18] != want {
			t.Errorf("%s: the program begins with % x", arch, header)
		}
	}
}

func TestJavaScript(t *testing.T) {
	dir := app(t, map[string]string{
		"src/private.js":                  "import {who} from './who';\nexport async function main() { return who; }\n",
		"src/who.ts":                      "import dep from 'dep';\nexport const who: string = dep;\n",
		"node_modules/dep/package.json":   `{"name":"dep","main":"index.js"}`,
		"node_modules/dep/index.js":       "module.exports = 'dep';\n",
		"src/both.ts":                     "export const main = 'typescript';\n",
		"src/both.js":                     "export const main = 'javascript';\n",
		"src/module.mjs":                  "import dep from 'dep';\nexport const main = await Promise.resolve(dep);\n",
		"src/common.cjs":                  "exports.main = () => 1;\n",
		"src/layer.js":                    "import x from 'layered';\nexport const main = x;\n",
		"node_modules/layered/index.js":   "module.exports = 'no';\n",
		"node_modules/unused/index.js":    "module.exports = 'no';\n",
		"node_modules/layered/readme.txt": "no\n",
	})
	functions := []Function{
		{ID: "private", Handler: "src/private.main"},
		{ID: "both", Handler: "src/both.main"},
		{ID: "module", Handler: "src/module.main"},
		{ID: "common", Handler: "src/common.main"},
		{ID: "layer", Handler: "src/layer.main", External: []string{"layered"}},
	}
	b := New(Config{App: dir})
	results, err := b.Build(t.Context(), functions)
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range [][]string{
		{"src/private.js", "src/private.js.map"},
		{"src/both.js", "src/both.js.map"},
		{"src/module.mjs", "src/module.mjs.map"},
		{"src/common.js", "src/common.js.map"},
		{"src/layer.js", "src/layer.js.map"},
	} {
		if diff := cmp.Diff(want, names(t, results[i].Path)); diff != "" {
			t.Error(diff)
		}
	}
	if text := content(t, results[1].Path, "src/both.js"); !strings.Contains(text, "typescript") {
		t.Errorf("JavaScript was taken before TypeScript: %s", text)
	}
	if text := content(t, results[4].Path, "src/layer.js"); !strings.Contains(text, `require("layered")`) {
		t.Errorf("an external module was bundled: %s", text)
	}
	if text := content(t, results[0].Path, "src/private.js.map"); !strings.Contains(text, `"private.js"`) || strings.Contains(text, dir) {
		t.Errorf("the source map: %s", text)
	}
	for changed, want := range map[string][]string{
		"src/who.ts":                {"private"},
		"node_modules/dep/index.js": {"private", "module"},
		"src/private.ts":            {"private"}, // not there yet: it would be taken instead
		"src/other.ts":              nil,
	} {
		var got []string
		for _, f := range b.Affected(functions, []string{changed}) {
			got = append(got, f.ID)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: %s", changed, diff)
		}
	}
}

func content(t *testing.T, file, name string) string {
	t.Helper()
	z, err := zip.OpenReader(file)
	if err != nil {
		t.Fatal(err)
	}
	defer z.Close()
	f, err := z.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var s strings.Builder
	buf := make([]byte, 4096)
	for {
		n, err := f.Read(buf)
		s.Write(buf[:n])
		if err != nil {
			return s.String()
		}
	}
}

func TestPython(t *testing.T) {
	need.Tool(t, "python3")
	dir := app(t, map[string]string{
		"src/private.py":              "from src import who\n\n\ndef main(event, context):\n    return who.name\n",
		"src/who.py":                  "name = 'x'\n",
		"src/.env":                    "SECRET=1\n",
		"src/__pycache__/who.pyc":     "no\n",
		"src/data/words.txt":          "a\n",
		"other/thing.py":              "def main(): pass\n",
		"requirements.txt":            "\n",
		"src/node_modules/x/index.js": "no\n",
	})
	functions := []Function{{ID: "private", Handler: "src/private.main"}, {ID: "thing", Handler: "other/thing.main"}}
	b := New(Config{App: dir})
	results, err := b.Build(t.Context(), functions)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"src/data/words.txt", "src/private.py", "src/who.py"}, names(t, results[0].Path)); diff != "" {
		t.Error(diff)
	}
	for changed, want := range map[string][]string{
		"src/new.py":          {"private"},
		"src/data/words.txt":  {"private"},
		"src/__pycache__/x":   nil,
		"requirements.txt":    {"private", "thing"},
		"src/.private.py.swp": nil,
	} {
		var got []string
		for _, f := range b.Affected(functions, []string{changed}) {
			got = append(got, f.ID)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: %s", changed, diff)
		}
	}
}

// Packages come from a folder, so that the test needs no index.
func TestPythonPackages(t *testing.T) {
	need.Tool(t, "python3")
	dir := app(t, map[string]string{
		"src/private.py":   "import dep\n\n\ndef main(event, context):\n    return dep.name\n",
		"requirements.txt": "--no-index\n./dep-1.0-py3-none-any.whl\n",
	})
	wheel, err := packZip([]entry{
		{name: "dep.py", data: []byte("name = 'dep'\n")},
		{name: "dep-1.0.dist-info/METADATA", data: []byte("Metadata-Version: 2.1\nName: dep\nVersion: 1.0\n")},
		{name: "dep-1.0.dist-info/WHEEL", data: []byte("Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n")},
		{name: "dep-1.0.dist-info/RECORD", data: []byte("dep.py,,\n")},
	}, true)
	if err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(dir, "dep-1.0-py3-none-any.whl"), string(wheel))
	f := []Function{{ID: "private", Handler: "src/private.main"}}
	results, err := New(Config{App: dir}).Build(t.Context(), f)
	if err != nil {
		t.Fatal(err)
	}
	got := names(t, results[0].Path)
	if !slices.Contains(got, "dep.py") || !slices.Contains(got, "src/private.py") {
		t.Errorf("the zip holds %v", got)
	}
}

func TestErrors(t *testing.T) {
	need.Tool(t, "go")
	need.Tool(t, "python3")
	for _, test := range []struct {
		name     string
		files    map[string]string
		function Function
		want     Problem
		remedy   string
	}{
		{"go, type", map[string]string{"go.mod": goMod, "src/f/main.go": "package main\n\nfunc main() { x }\n"},
			Function{Handler: "src/f"}, Problem{"src/f/main.go", 3, 15, "undefined: x"}, "save"},
		{"go, no module", map[string]string{"src/f/main.go": "package main\n\nfunc main() {}\n"},
			Function{Handler: "src/f"}, Problem{Text: "go.mod file not found in current directory or any parent directory; see 'go help modules'"}, "go mod init"},
		{"go, no package main", map[string]string{"go.mod": goMod, "src/f/f.go": "package f\n"},
			Function{Handler: "src/f"}, Problem{File: "src/f", Text: "the folder has no main package"}, "package main"},
		{"typescript, syntax", map[string]string{"src/f.ts": "export const main = (;\n"},
			Function{Handler: "src/f.main"}, Problem{"src/f.ts", 1, 22, `Unexpected ";"`}, "save"},
		{"javascript, import", map[string]string{"src/f.js": "import x from '@scope/dep/sub';\nexport const main = x;\n"},
			Function{Handler: "src/f.main"}, Problem{"src/f.js", 1, 15, `Could not resolve "@scope/dep/sub"`}, `npm install @scope/dep"`},
		{"javascript, export", map[string]string{"src/f.js": "export const handler = 1;\n"},
			Function{Handler: "src/f.main"}, Problem{Text: "src/f.js exports no main: it exports handler"}, "export a function main"},
		{"python, syntax", map[string]string{"src/f.py": "def main(:\n"},
			Function{Handler: "src/f.main"}, Problem{"src/f.py", 1, 10, "invalid syntax"}, "save"},
		{"python, export", map[string]string{"src/f.py": "def handler(): pass\n"},
			Function{Handler: "src/f.main"}, Problem{File: "src/f.py", Text: "there is no function main"}, "save"},
		{"no file", nil, Function{Handler: "src/f.main"},
			Problem{Text: "there is no file src/f with one of .ts .tsx .mts .cts .js .jsx .mjs .cjs .py"}, "correct the handler"},
		{"no file of the runtime", map[string]string{"src/f.js": ""}, Function{Handler: "src/f.main", Runtime: "python3.13"},
			Problem{Text: "there is no file src/f with one of .py"}, "correct the handler"},
		{"no folder", nil, Function{Handler: "src/f"}, Problem{Text: "there is no folder src/f, and the name has no export"}, `"src/f.main"`},
		{"outside", nil, Function{Handler: "../f.main"}, Problem{Text: "a handler lies inside the app's folder"}, "src/private"},
		{"runtime", nil, Function{Handler: "src/f.main", Runtime: "java21"},
			Problem{Text: "the runtime java21 cannot be built: use provided.al2023 (Go), nodejs22.x or python3.13"}, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			dir := app(t, test.files)
			environ := append(os.Environ(), "GOWORK=off", "GOFLAGS=-mod=mod")
			_, err := New(Config{App: dir, Environ: environ}).Build(t.Context(), []Function{test.function})
			var e *Error
			if !errors.As(err, &e) {
				t.Fatalf("the error is %v", err)
			}
			if diff := cmp.Diff(test.want, e.Problems[0]); diff != "" {
				t.Error(diff)
			}
			if !strings.Contains(e.Hint(), test.remedy) {
				t.Errorf("the hint is %q", e.Hint())
			}
		})
	}
}

// A failed build leaves nothing that a later one takes for its own.
func TestFailureThenCorrection(t *testing.T) {
	dir := app(t, map[string]string{"src/f.ts": "export const main = 1;\n"})
	b := New(Config{App: dir})
	f := []Function{{ID: "f", Handler: "src/f.main"}}
	first, err := b.Build(t.Context(), f)
	if err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(dir, "src/f.ts"), "export const main = ;\n")
	if _, err := b.Build(t.Context(), f); err == nil {
		t.Fatal("a syntax error was built")
	}
	if len(b.Affected(f, []string{"README.md"})) != 1 {
		t.Error("a function whose build failed is not tried again")
	}
	write(t, filepath.Join(dir, "src/f.ts"), "export const main = 1;\n")
	again, err := b.Build(t.Context(), f)
	if err != nil || again[0].Hash != first[0].Hash {
		t.Errorf("after the correction: %v, %v", again, err)
	}
}

// A file written while the build ran leaves it open which version was built.
func TestWrittenDuringBuild(t *testing.T) {
	dir := app(t, map[string]string{"src/f.js": "export const main = 1;\n"})
	name := filepath.Join(dir, "src/f.js")
	future := time.Now().Add(time.Minute)
	if err := os.Chtimes(name, future, future); err != nil {
		t.Fatal(err)
	}
	f := []Function{{ID: "f", Handler: "src/f.main"}}
	b := New(Config{App: dir})
	for range 2 {
		results, err := b.Build(t.Context(), f)
		if err != nil {
			t.Fatal(err)
		}
		if results[0].Cached {
			t.Error("a build of unknown inputs was taken for up to date")
		}
	}
}

func TestPrune(t *testing.T) {
	dir := app(t, map[string]string{"src/f.js": "export const main = 1;\n"})
	b := New(Config{App: dir})
	f := []Function{{ID: "f", Handler: "src/f.main"}}
	results, err := b.Build(t.Context(), f)
	if err != nil {
		t.Fatal(err)
	}
	old := filepath.Join(dir, ".roost/cache/old.zip")
	write(t, old, "x")
	if err := b.Prune(time.Now().Add(-time.Second)); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(old); err == nil {
		t.Error("the old zip is still there")
	}
	if _, err := os.Stat(results[0].Path); err != nil {
		t.Error("the zip in use is gone")
	}
}

func TestCancelled(t *testing.T) {
	need.Tool(t, "go")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := New(Config{App: app(t, goApp())}).Build(ctx, goFunctions)
	if !errors.Is(err, context.Canceled) {
		t.Errorf("the error is %v", err)
	}
}
