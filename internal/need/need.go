// Package need is how tests ask for what is not in the module: the shared
// folder of vectors and fixtures, and other people's programs.
//
// Under a bare "go test ./..." a test that lacks something is skipped and says
// why. Under "make test", which sets ROOST_TEST_ALL=1 and installs what is
// missing into .tools, the lack of a program is a failure instead.
package need

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// Shared returns the path of a file or folder below the shared folder, which
// ROOST_SHARED names (by default the folder "shared" beside the module). The
// test is skipped where it is missing.
func Shared(t testing.TB, elem ...string) string {
	t.Helper()
	base := os.Getenv("ROOST_SHARED")
	if base == "" {
		base = filepath.Join(Root(t), "..", "shared")
	}
	path := filepath.Join(append([]string{base}, elem...)...)
	if _, err := os.Stat(path); err != nil {
		t.Skipf("%s is not here: set ROOST_SHARED to the folder that holds it", filepath.Join(elem...))
	}
	return path
}

// Tool returns the path of a program, looked for in .tools (where "make test"
// installs) and then on PATH. Without it the test is skipped, or under
// "make test" failed.
func Tool(t testing.TB, name string) string {
	t.Helper()
	tools := Tools(t)
	for _, dir := range []string{
		filepath.Join(tools, "venv", "bin"),
		filepath.Join(tools, "node_modules", ".bin"),
		filepath.Join(tools, "bin"),
	} {
		path := filepath.Join(dir, name)
		if info, err := os.Stat(path); err == nil && !info.IsDir() && info.Mode()&0o111 != 0 {
			return path
		}
	}
	path, err := exec.LookPath(name)
	if err != nil {
		Missing(t, name+" is not installed: run make tools")
	}
	return path
}

// NodeModule returns the folder of an npm package that "make tools" installs.
func NodeModule(t testing.TB, name string) string {
	t.Helper()
	path := filepath.Join(Tools(t), "node_modules", filepath.FromSlash(name))
	if _, err := os.Stat(path); err != nil {
		Missing(t, "the npm package "+name+" is not installed: run make tools")
	}
	return path
}

// Installed returns what "make tools" installs below .tools, by its path there.
func Installed(t testing.TB, elem ...string) string {
	t.Helper()
	path := filepath.Join(append([]string{Tools(t)}, elem...)...)
	if _, err := os.Stat(path); err != nil {
		Missing(t, filepath.Join(elem...)+" is not installed: run make tools")
	}
	return path
}

// Tools returns the folder into which "make tools" installs.
func Tools(t testing.TB) string {
	t.Helper()
	return filepath.Join(Root(t), ".tools")
}

// Root returns the module's root folder.
func Root(t testing.TB) string {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for {
		if data, err := os.ReadFile(filepath.Join(dir, "go.mod")); err == nil && bytes.HasPrefix(data, []byte("module github.com/seed-615d3599/roost\n")) {
			return dir
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			t.Fatal("the test does not run inside the module")
		}
		dir = parent
	}
}

// Missing ends a test for want of something that "make tools" installs: it fails
// under "make test" and is skipped, saying why, otherwise.
func Missing(t testing.TB, why string) {
	t.Helper()
	if os.Getenv("ROOST_TEST_ALL") != "" {
		t.Fatal(why)
	}
	t.Skip(why)
}
