package cgroup

import (
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
)

// tree makes files with their text below a folder.
func tree(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		file := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestFind(t *testing.T) {
	const v1 = "4:memory:/a\n0::/\n"
	delegated := map[string]string{
		"cgroup.controllers": "cpu memory", "cgroup.subtree_control": "cpu memory", "cgroup.procs": "",
		"user/cgroup.subtree_control": "memory pids", "user/cgroup.procs": "",
		"user/app/cgroup.subtree_control": "pids", "user/app/cgroup.procs": "",
	}
	tests := []struct {
		name  string
		files map[string]string
		own   string
		want  string // the group below the root, or the error
	}{
		{"version 1", nil, v1, "there are no control groups of version 2"},
		{"the root", delegated, "0::/\n", "this process is in the root of its control groups"},
		{"the nearest that hands memory down", delegated, "0::/user/app/shell.scope\n", "user"},
		{"the root hands it down", delegated, "0::/shell.scope\n", ""},
		{"nobody does", map[string]string{"cgroup.controllers": "memory"}, "0::/a/b\n", "no control group above this process hands the memory controller down"},
		{"not permitted", map[string]string{"cgroup.controllers": "memory", "a/cgroup.subtree_control": "memory"}, "0::/a/b\n", "control groups can't be made"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			dir := tree(t, test.files)
			p, err := find(dir, test.own)
			if err != nil {
				if test.want == "" || !strings.HasPrefix(err.Error(), test.want) {
					t.Errorf("got %v, want %s", err, test.want)
				}
				return
			}
			if p.dir != filepath.Join(dir, test.want) {
				t.Errorf("got %s, want %s", p.dir, test.want)
			}
		})
	}
}

func TestGroup(t *testing.T) {
	p := &Parent{dir: t.TempDir(), prefix: prefix + "0-"}
	g, err := p.New(128 << 20)
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{"memory.max": "134217728", "memory.oom.group": "1", "memory.swap.max": "0"} {
		if got, err := os.ReadFile(filepath.Join(g.dir, name)); err != nil || string(got) != want {
			t.Errorf("%s is %s (%v), want %s", name, got, err, want)
		}
	}
	set := func(name, text string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(g.dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if g.OutOfMemory() || g.Used() != 0 {
		t.Error("nothing has happened yet")
	}
	set("memory.current", "4096\n")
	if g.Used() != 4096 {
		t.Errorf("got %d", g.Used())
	}
	set("memory.peak", "8192\n")
	set("memory.events", "low 0\nmax 12\noom 1\noom_kill 0\n")
	if g.Used() != 8192 || g.OutOfMemory() {
		t.Errorf("got %d %t", g.Used(), g.OutOfMemory())
	}
	set("memory.events", "low 0\nmax 12\noom 1\noom_kill 3\n")
	if !g.OutOfMemory() {
		t.Error("a kill is not seen")
	}
}

func TestTidyKeepsGroupsOfTheLiving(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("only Linux shows who lives in /proc")
	}
	p := &Parent{dir: t.TempDir()}
	for _, name := range []string{"roost-999999999-1", "roost-1-1", "other"} {
		if err := os.Mkdir(filepath.Join(p.dir, name), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	p.tidy()
	left, err := filepath.Glob(filepath.Join(p.dir, "*"))
	if err != nil || len(left) != 2 {
		t.Errorf("left are %v (%v)", left, err)
	}
}

// TestTheKernelKillsAtTheLimit needs a kernel that lets this user make groups;
// without there is nothing to test, also where no program may be missing.
func TestTheKernelKillsAtTheLimit(t *testing.T) {
	p, err := Find()
	if err != nil {
		t.Skip(err)
	}
	g, err := p.New(32 << 20)
	if err != nil {
		t.Fatal(err)
	}
	defer g.Remove()
	cmd := exec.Command("/bin/sh", "-c", "x=xxxxxxxxxxxxxxxx; while :; do x=$x$x; done")
	cmd.SysProcAttr = &syscall.SysProcAttr{}
	g.Join(cmd.SysProcAttr)
	if err := cmd.Run(); err == nil || !g.OutOfMemory() {
		t.Errorf("it ended with %v, out of memory: %t", err, g.OutOfMemory())
	}
}
