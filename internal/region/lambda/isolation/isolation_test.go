package isolation_test

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/seed-615d3599/roost/internal/region/lambda/isolation"
)

// The test binary is also what puts the view together.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == isolation.Argument {
		os.Exit(isolation.Main(os.Args[2:], os.Stderr))
	}
	os.Exit(m.Run())
}

// helper is the command that runs Main. Without permission of the kernel there
// is nothing to test, also where no program may be missing.
func helper(t *testing.T) []string {
	t.Helper()
	executable, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	command := []string{executable, isolation.Argument}
	if err := isolation.Probe(context.Background(), command, t.TempDir()); err != nil {
		t.Skip(err)
	}
	return command
}

// view makes the folders of a view, with a file "code" in one and "layer" in
// another.
func view(t *testing.T) isolation.View {
	t.Helper()
	dir := t.TempDir()
	at := func(name string) string { return filepath.Join(dir, name) }
	for _, name := range []string{"root", "task", "runtime", "opt", "tmp"} {
		if err := os.Mkdir(at(name), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	for name, text := range map[string]string{"task/code": "mine", "opt/layer": "shared"} {
		if err := os.WriteFile(at(name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return isolation.View{Root: at("root"), Task: at("task"), Runtime: at("runtime"), Opt: at("opt"), Tmp: at("tmp")}
}

func TestAFunctionSeesLambdasPaths(t *testing.T) {
	helper := helper(t)
	tests := []struct{ name, script, want string }{
		{"code and layers", "pwd; cat code /var/task/code /opt/layer", "/var/task\nmineminesharedX"},
		{"the first process", "echo $$", "1\n"},
		{"no other processes", "ls /proc >/tmp/list; grep -c '^[0-9]' /tmp/list", "2\n"},
		{"read-only code", "echo x 2>/dev/null >/var/task/code || echo no", "no\n"},
		{"read-only root", "for d in / /etc /opt /var /dev/shm; do echo x 2>/dev/null >$d/roost-test && echo $d; done; echo end", "end\n"},
		{"its own tmp", "ls -A /tmp; echo x >/tmp/a && cat /tmp/a", "x\n"},
		{"devices", "echo x >/dev/null && echo yes", "yes\n"},
		{"no rights", "grep -E 'Cap(Eff|Prm|Bnd|Amb)' /proc/self/status | tr -d '0\\n\\t'; grep NoNewPrivs /proc/self/status", "CapPrm:CapEff:CapBnd:CapAmb:NoNewPrivs:\t1\n"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			v := view(t)
			out, err := run(helper, v, test.script)
			if want := strings.TrimSuffix(test.want, "X"); err != nil || out != want {
				t.Errorf("got %q %v, want %q", out, err, want)
			}
			if left, _ := os.ReadDir(v.Root); len(left) != 0 {
				t.Errorf("%d files are left in the root", len(left))
			}
		})
	}
}

func run(helper []string, v isolation.View, script string) (string, error) {
	cmd, err := isolation.Command(helper, v, []string{"/bin/sh", "-c", script})
	if err != nil {
		return "", err
	}
	cmd.Env = []string{"PATH=" + os.Getenv("PATH")}
	out, err := cmd.CombinedOutput()
	return string(out), err
}

func TestAMissingProgramIsNamed(t *testing.T) {
	cmd, err := isolation.Command(helper(t), view(t), []string{"/nowhere/program"})
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.CombinedOutput()
	if err == nil || !strings.Contains(string(out), "fork/exec /nowhere/program: no such file or directory") {
		t.Errorf("got %s %v", out, err)
	}
}

func TestPathsInside(t *testing.T) {
	v := isolation.View{Task: "/state/code/a", Runtime: "/state/node", Tmp: "/state/tmp"}
	for path, want := range map[string]string{
		"/state/code/a": "/var/task", "/state/code/a/bootstrap": "/var/task/bootstrap", "/state/code/ab": "/state/code/ab",
		"/state/node/x.mjs": "/var/runtime/x.mjs", "/usr/bin/node": "/usr/bin/node", "": "", "--flag": "--flag",
	} {
		if got := v.Inside(path); got != want {
			t.Errorf("%s: got %s, want %s", path, got, want)
		}
	}
	if _, err := isolation.Command([]string{"helper"}, v, []string{"/opt/node/bin/node"}); err == nil || !strings.Contains(err.Error(), "/opt/node/bin/node can't be run with --isolate") {
		t.Errorf("an interpreter below /opt: got %v", err)
	}
}

func TestProbeSaysWhyNot(t *testing.T) {
	err := isolation.Probe(context.Background(), []string{"/nowhere", isolation.Argument}, t.TempDir())
	want := "Start without --isolate"
	if runtime.GOOS != "linux" {
		want = "start without --isolate"
	}
	if err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("got %v", err)
	}
	no, err := exec.LookPath("false")
	if err != nil {
		t.Skip("the program false is not on PATH")
	}
	if err := isolation.Probe(context.Background(), []string{no}, t.TempDir()); err == nil {
		t.Error("a helper that fails is taken for one that works")
	}
}
