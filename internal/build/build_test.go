package build

import (
	"archive/zip"
	"context"
	"errors"
	"os"
	"os/exec"
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

var goFunctions = []Function{goFunction("Public", "src/public"), goFunction("Private", "src/private")}

func goFunction(id, folder string) Function {
	return Function{ID: id, Kind: Go, Entry: folder, Handler: "bootstrap", Out: "bootstrap", Runtime: "provided.al2023"}
}

// node is the function main of a file, bundled.
func node(id, file string) Function {
	base := strings.TrimSuffix(filepath.Base(file), filepath.Ext(file))
	return Function{ID: id, Kind: Node, Entry: file, Handler: base + ".main", Out: base + ".js", Runtime: "nodejs22.x",
		Bundle: &Bundle{Format: "cjs", SourceMap: true}}
}

func python(id, file string) Function {
	base := strings.TrimSuffix(filepath.Base(file), ".py")
	return Function{ID: id, Kind: Python, Entry: file, Root: filepath.Dir(file), Handler: base + ".main", Out: base + ".py", Runtime: "python3.13"}
}

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
	functions := append(slices.Clone(goFunctions), node("JS", "src/js.ts"))
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
		"src/module.mjs":                  "import dep from 'dep';\nexport const main = await Promise.resolve(dep);\n",
		"src/common.cjs":                  "exports.main = () => 1;\n",
		"src/layer.js":                    "import x from 'layered';\nexport const main = x;\n",
		"node_modules/layered/index.js":   "module.exports = 'no';\n",
		"node_modules/unused/index.js":    "module.exports = 'no';\n",
		"node_modules/layered/readme.txt": "no\n",
	})
	functions := []Function{
		node("private", "src/private.js"), node("module", "src/module.mjs"),
		node("common", "src/common.cjs"), node("layer", "src/layer.js"),
	}
	functions[1].Out, functions[1].Bundle.Format = "module.mjs", "esm"
	functions[3].Bundle.External = []string{"layered"}
	b := New(Config{App: dir})
	results, err := b.Build(t.Context(), functions)
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range [][]string{
		{"private.js", "private.js.map"},
		{"module.mjs", "module.mjs.map"},
		{"common.js", "common.js.map"},
		{"layer.js", "layer.js.map"},
	} {
		if diff := cmp.Diff(want, names(t, results[i].Path)); diff != "" {
			t.Error(diff)
		}
	}
	if text := content(t, results[3].Path, "layer.js"); !strings.Contains(text, `require("layered")`) {
		t.Errorf("an external module was bundled: %s", text)
	}
	if text := content(t, results[0].Path, "private.js.map"); !strings.Contains(text, `"private.js"`) || strings.Contains(text, dir) {
		t.Errorf("the source map: %s", text)
	}
	for changed, want := range map[string][]string{
		"src/who.ts":                {"private"},
		"node_modules/dep/index.js": {"private", "module"},
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
		"src/private.py":              "import who\n\n\ndef main(event, context):\n    return who.name\n",
		"src/who.py":                  "name = 'x'\n",
		"src/.env":                    "SECRET=1\n",
		"src/__pycache__/who.pyc":     "no\n",
		"src/data/words.txt":          "a\n",
		"other/thing.py":              "def main(): pass\n",
		"requirements.txt":            "\n",
		"src/node_modules/x/index.js": "no\n",
	})
	functions := []Function{python("private", "src/private.py"), python("thing", "other/thing.py")}
	b := New(Config{App: dir})
	results, err := b.Build(t.Context(), functions)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"data/words.txt", "private.py", "who.py"}, names(t, results[0].Path)); diff != "" {
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
	f := []Function{python("private", "src/private.py")}
	results, err := New(Config{App: dir}).Build(t.Context(), f)
	if err != nil {
		t.Fatal(err)
	}
	got := names(t, results[0].Path)
	if !slices.Contains(got, "dep.py") || !slices.Contains(got, "private.py") {
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
			goFunction("f", "src/f"), Problem{"src/f/main.go", 3, 15, "undefined: x"}, "save"},
		{"go, no module", map[string]string{"src/f/main.go": "package main\n\nfunc main() {}\n"},
			goFunction("f", "src/f"), Problem{Text: "go.mod file not found in current directory or any parent directory; see 'go help modules'"}, "go mod init"},
		{"go, no package main", map[string]string{"go.mod": goMod, "src/f/f.go": "package f\n"},
			goFunction("f", "src/f"), Problem{File: "src/f", Text: "the folder has no main package"}, "package main"},
		{"typescript, syntax", map[string]string{"src/f.ts": "export const main = (;\n"},
			node("f", "src/f.ts"), Problem{"src/f.ts", 1, 22, `Unexpected ";"`}, "save"},
		{"javascript, import", map[string]string{"src/f.js": "import x from '@scope/dep/sub';\nexport const main = x;\n"},
			node("f", "src/f.js"), Problem{"src/f.js", 1, 15, `Could not resolve "@scope/dep/sub"`}, `npm install @scope/dep"`},
		{"javascript, export", map[string]string{"src/f.js": "export const handler = 1;\n"},
			node("f", "src/f.js"), Problem{File: "src/f.js", Text: "it exports no main, only handler"}, "export a function main"},
		{"python, syntax", map[string]string{"src/f.py": "def main(:\n"},
			python("f", "src/f.py"), Problem{"src/f.py", 1, 10, "invalid syntax"}, "save"},
		{"python, export", map[string]string{"src/f.py": "def handler(): pass\n"},
			python("f", "src/f.py"), Problem{File: "src/f.py", Text: "there is no function main"}, "save"},
		{"no file", nil, node("f", "src/f.js"), Problem{Text: "there is no such file"}, "correct the handler"},
		{"no folder", nil, goFunction("f", "src/f"), Problem{Text: "there is no such folder"}, "correct the handler"},
		{"outside", nil, node("f", "../f.js"), Problem{Text: "it lies outside the app's folder"}, "without .."},
		{"kind", nil, Function{Kind: "java", Entry: "src/f"}, Problem{Text: `functions of the kind "java" can't be built`}, "use Go"},
		{"loader", map[string]string{"src/f.js": ""}, Function{Kind: Node, Entry: "src/f.js", Bundle: &Bundle{Loader: map[string]string{".x": "y"}}},
			Problem{Text: `esbuild has no loader "y" for .x`}, "content-types"},
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

// What has no place in a file is told of the function that it is about, although
// one command compiles several.
func TestAnEmptyFolderBesideAnotherFunction(t *testing.T) {
	need.Tool(t, "go")
	dir := app(t, map[string]string{"go.mod": goMod, "src/f/main.go": "package main\n\nfunc main() {}\n", "src/g/readme.txt": "soon"})
	environ := append(os.Environ(), "GOWORK=off", "GOFLAGS=-mod=mod")
	_, err := New(Config{App: dir, Environ: environ}).Build(t.Context(), []Function{goFunction("f", "src/f"), goFunction("g", "src/g")})
	var e *Error
	if !errors.As(err, &e) || e.Entry != "src/g" || !strings.Contains(e.Error(), "no Go files in") || !strings.Contains(e.Hint(), "package main") {
		t.Errorf("the error is %v", err)
	}
}

func TestWithoutAHome(t *testing.T) {
	need.Tool(t, "go")
	dir := app(t, map[string]string{"go.mod": goMod, "src/f/main.go": "package main\n\nfunc main() {}\n"})
	environ := []string{"PATH=" + os.Getenv("PATH"), "GOWORK=off"}
	_, err := New(Config{App: dir, Environ: environ}).Build(t.Context(), []Function{goFunction("f", "src/f")})
	var e *Error
	if !errors.As(err, &e) || !strings.Contains(e.Hint(), "set HOME") {
		t.Errorf("the error is %v", err)
	}
}

// A failed build leaves nothing that a later one takes for its own.
func TestFailureThenCorrection(t *testing.T) {
	dir := app(t, map[string]string{"src/f.js": "export const main = 1;\n"})
	b := New(Config{App: dir})
	f := []Function{node("f", "src/f.js")}
	first, err := b.Build(t.Context(), f)
	if err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(dir, "src/f.js"), "export const main = ;\n")
	if _, err := b.Build(t.Context(), f); err == nil {
		t.Fatal("a syntax error was built")
	}
	if len(b.Affected(f, []string{"README.md"})) != 1 {
		t.Error("a function whose build failed is not tried again")
	}
	write(t, filepath.Join(dir, "src/f.js"), "export const main = 1;\n")
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
	f := []Function{node("f", "src/f.js")}
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
	f := []Function{node("f", "src/f.js")}
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

// Under "roost start" a stack trace leads to the user's file.
func TestAbsoluteSourceMap(t *testing.T) {
	node20 := need.Tool(t, "node")
	dir := app(t, map[string]string{"src/f.ts": "type T = string;\n\nexport const main = () => { throw new Error('x' as T); };\n"})
	results, err := New(Config{App: dir, Absolute: true}).Build(t.Context(), []Function{node("f", "src/f.ts")})
	if err != nil {
		t.Fatal(err)
	}
	out := t.TempDir()
	for _, name := range []string{"f.js", "f.js.map"} {
		write(t, filepath.Join(out, name), content(t, results[0].Path, name))
	}
	cmd := exec.CommandContext(t.Context(), node20, "--enable-source-maps", "-e", "require('./f.js').main()")
	cmd.Dir = out
	said, _ := cmd.CombinedOutput() // it ends with the error that is looked for
	if want := filepath.Join(dir, "src/f.ts") + ":3:35"; !strings.Contains(string(said), want) {
		t.Errorf("the trace does not name %s:\n%s", want, said)
	}
}

func TestUnbundled(t *testing.T) {
	dir := app(t, map[string]string{"src/f.js": "exports.main = 1;\n", "src/node_modules/x/index.js": "", "src/.env": "A=1"})
	f := Function{ID: "f", Kind: Node, Entry: "src/f.js", Root: "src", Handler: "f.main", Out: "f.js", Runtime: "nodejs22.x"}
	b := New(Config{App: dir})
	results, err := b.Build(t.Context(), []Function{f})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"f.js", "node_modules/x/index.js"}, names(t, results[0].Path)); diff != "" {
		t.Error(diff)
	}
	if len(b.Affected([]Function{f}, []string{"src/node_modules/x/new.js"})) != 1 {
		t.Error("a new file of a module does not count")
	}
}

func TestProgram(t *testing.T) {
	need.Tool(t, "go")
	files := goApp()
	files["lib/main.go"] = "package main\n\nimport \"example.com/app/greet\"\n\nfunc main() { print(greet.Text) }\n"
	dir := app(t, files)
	b := New(Config{App: dir, AWS: true}) // the program runs here all the same
	for _, cached := range []bool{false, true} {
		program, err := b.Program(t.Context(), "lib")
		if err != nil {
			t.Fatal(err)
		}
		if program.Cached != cached {
			t.Errorf("cached: %v", program.Cached)
		}
		said, err := exec.CommandContext(t.Context(), program.Path).CombinedOutput()
		if err != nil || string(said) != "hello" {
			t.Errorf("it says %q, %v", said, err)
		}
	}
	if len(b.Affected([]Function{ProgramFunction("lib")}, []string{"greet/greet.go"})) != 1 {
		t.Error("an edit does not count")
	}
	if _, err := b.Program(t.Context(), "nowhere"); err == nil {
		t.Error("a program that is not there was built")
	}
}
