package scaffold_test

import (
	"bytes"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/seed-615d3599/roost"
	"github.com/seed-615d3599/roost/internal/need"
	"github.com/seed-615d3599/roost/internal/scaffold"
)

// files returns the content of files below a folder by path.
func files(t testing.TB, dir string) map[string]string {
	t.Helper()
	out := map[string]string{}
	err := fs.WalkDir(os.DirFS(dir), ".", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		data, err := os.ReadFile(filepath.Join(dir, path))
		out[path] = string(data)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestNew(t *testing.T) {
	common := []string{".env", ".gitignore", "README.md", "go.mod", "lib/main.go", "roost.json"}
	for name, own := range map[string][]string{
		"go":         {"go.sum", "src/private/main.go", "src/public/main.go"},
		"node":       {"src/private.js", "src/public.js"},
		"typescript": {"src/http.ts", "src/private.ts", "src/public.ts", "tsconfig.json"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "my-app")
			if err := scaffold.New(dir, name); err != nil {
				t.Fatal(err)
			}
			var got []string
			for path := range files(t, dir) {
				if !strings.HasPrefix(path, ".roost/sdk/") {
					got = append(got, path)
				}
			}
			slices.Sort(got)
			want := slices.Sorted(slices.Values(append(own, common...)))
			if diff := cmp.Diff(want, got); diff != "" {
				t.Error(diff)
			}
			info, err := os.Stat(filepath.Join(dir, ".env"))
			if err != nil || info.Mode().Perm() != 0o600 {
				t.Errorf(".env has the mode %v (%v), want 0600", info.Mode(), err)
			}
			synthesize(t, dir)
		})
	}
}

// synthesize builds the app's program and its functions with what the module
// cache has, and runs the program, as a person without a network would.
func synthesize(t *testing.T, dir string) {
	t.Helper()
	env := append(os.Environ(), "GOPROXY=off", "GOFLAGS=-mod=readonly", "GOWORK=off")
	for _, args := range [][]string{{"build", "-o", filepath.Join(t.TempDir(), "all") + "/", "./..."}, {"run", "./lib"}} {
		cmd := exec.Command("go", args...)
		cmd.Dir, cmd.Env = dir, env
		if args[0] == "build" {
			if err := os.MkdirAll(args[2], 0o755); err != nil {
				t.Fatal(err)
			}
		}
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("go %s: %v\n%s", strings.Join(args, " "), err, out)
		}
	}
	if _, err := os.Stat(filepath.Join(dir, ".roost", "stages", "dev", "synth", "dev-my-app-my-stack.template.json")); err != nil {
		t.Error(err)
	}
}

func TestNewErrors(t *testing.T) {
	full := t.TempDir()
	if err := os.WriteFile(filepath.Join(full, "a"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct{ name, dir, template, want string }{
		{"not empty", full, "go", "is not empty (it has a): name a folder that is new or empty"},
		{"template", filepath.Join(full, "x"), "rust", `there is no template "rust": use go, node, typescript`},
		{"name", filepath.Join(full, "my_app"), "", `"my_app" can't be the name of an app`},
	} {
		t.Run(test.name, func(t *testing.T) {
			err := scaffold.New(test.dir, test.template)
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("New = %v, want %s", err, test.want)
			}
		})
	}
	if got := files(t, full); len(got) != 1 {
		t.Errorf("something was written: %v", got)
	}
}

func TestNewInEmptyFolder(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "empty")
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := scaffold.New(dir, ""); err != nil {
		t.Fatal(err)
	}
}

// TestRequirements holds that new apps require what this module does, so that
// a cache that built this module has all of it.
func TestRequirements(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "app")
	if err := scaffold.New(dir, "go"); err != nil {
		t.Fatal(err)
	}
	app := files(t, dir)
	module, err := os.ReadFile(filepath.Join(need.Root(t), "go.mod"))
	if err != nil {
		t.Fatal(err)
	}
	sums, err := os.ReadFile(filepath.Join(need.Root(t), "go.sum"))
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range strings.Split(strings.TrimSpace(app["go.sum"]), "\n") {
		if !strings.Contains(string(sums), line+"\n") {
			t.Errorf("go.sum of a new app has a line that this module's has not: %s", line)
		}
		if fields := strings.Fields(line); !strings.Contains(string(module), fields[0]+" "+strings.TrimSuffix(fields[1], "/go.mod")) {
			t.Errorf("this module does not require %s %s", fields[0], fields[1])
		}
	}
	for _, file := range []string{"go.mod", ".roost/sdk/go.mod"} {
		if want := goLine(t, string(module)); goLine(t, app[file]) != want {
			t.Errorf("%s says %q, and this module %q", file, goLine(t, app[file]), want)
		}
	}
}

func goLine(t testing.TB, module string) string {
	t.Helper()
	for line := range strings.Lines(module) {
		if strings.HasPrefix(line, "go ") {
			return line
		}
	}
	t.Fatalf("no go line in %s", module)
	return ""
}

func TestSDK(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "app")
	if err := scaffold.New(dir, "node"); err != nil {
		t.Fatal(err)
	}
	sdk := filepath.Join(dir, ".roost", "sdk")
	first := files(t, sdk)
	source, err := roost.Source()
	if err != nil {
		t.Fatal(err)
	}
	if len(first) != len(source)+1 {
		t.Errorf("the folder has %d files, want %d and go.mod", len(first), len(source))
	}
	for name, text := range source {
		if !bytes.Equal([]byte(first[name]), text) {
			t.Errorf("%s is not the one that this program has", name)
		}
	}
	if changed, err := scaffold.SDK(dir); err != nil || changed {
		t.Errorf("an unchanged folder was written: %v, %v", changed, err)
	}
	for _, name := range []string{"roost.go", "old.go"} {
		if err := os.WriteFile(filepath.Join(sdk, name), []byte("package old"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if changed, err := scaffold.SDK(dir); err != nil || !changed {
		t.Errorf("a changed folder was not written: %v, %v", changed, err)
	}
	if diff := cmp.Diff(first, files(t, sdk)); diff != "" {
		t.Error(diff)
	}
}

func TestSDKLeavesOthersAlone(t *testing.T) {
	for name, module := range map[string]string{
		"no module":     "",
		"no directive":  "module x\n",
		"its own place": "module x\nreplace github.com/seed-615d3599/roost => ../roost\n",
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			if module != "" {
				if err := os.WriteFile(filepath.Join(dir, "go.mod"), []byte(module), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			if changed, err := scaffold.SDK(dir); err != nil || changed {
				t.Errorf("SDK = %v, %v", changed, err)
			}
			if _, err := os.Stat(filepath.Join(dir, ".roost")); !os.IsNotExist(err) {
				t.Errorf(".roost was made (%v)", err)
			}
		})
	}
	dir := t.TempDir()
	block := "module x\nreplace (\n\tgithub.com/seed-615d3599/roost => ./.roost/sdk // kept by roost\n)\n"
	if err := os.WriteFile(filepath.Join(dir, "go.mod"), []byte(block), 0o644); err != nil {
		t.Fatal(err)
	}
	if changed, err := scaffold.SDK(dir); err != nil || !changed {
		t.Errorf("a directive in a block was not seen: %v, %v", changed, err)
	}
}

// TestTutorialLetterForLetter compares the Node example with the tutorial's text.
func TestTutorialLetterForLetter(t *testing.T) {
	tutorial, err := os.ReadFile(need.Shared(t, "tutorial.md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"private", "public"} {
		_, after, found := strings.Cut(string(tutorial), "Add a `src/"+name+".js`.\n\n``` js\n")
		code, _, closed := strings.Cut(after, "```")
		if !found || !closed {
			t.Fatalf("the tutorial has no src/%s.js", name)
		}
		got, err := os.ReadFile(filepath.Join(need.Root(t), "examples", "rest-api-auth-twitter-node", "src", name+".js"))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(code, string(got)); diff != "" {
			t.Errorf("src/%s.js differs:\n%s", name, diff)
		}
	}
}
