package environment_test

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/seed-615d3599/roost/internal/region/lambda/environment"
	"github.com/seed-615d3599/roost/internal/region/lambda/supervisor"
)

// host is a program that is killed while its function is busy: one that never
// looks whether the Runtime API is still there.
func host(dir string) {
	m := environment.NewManager(environment.Config{Dir: dir})
	s := spec("busy-in-init")
	s.Timeout, s.Variables["KILLED"] = time.Hour, dir
	_, _ = m.Pool(s, m.NewConcurrency()).Invoke(context.Background(), environment.Call{Payload: []byte(`{}`)})
}

// TestABusyFunctionEndsWithAKilledProgram has no supervisor, as a test that uses
// package roosttest has none.
func TestABusyFunctionEndsWithAKilledProgram(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("elsewhere the supervisor alone ends functions")
	}
	dir := t.TempDir()
	t.Cleanup(func() { supervisor.KillMarked("KILLED=" + dir) })
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), "HOST="+dir)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	running := func() bool { return runs("KILLED=" + dir) }
	until(t, "the function has not started", running)
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait()
	until(t, "the function is still there", func() bool { return !running() })
}

// limit is for a machine that is very busy.
const limit = time.Minute

// until waits until something is so.
func until(t *testing.T, otherwise string, is func() bool) {
	t.Helper()
	for deadline := time.Now().Add(limit); !is(); runtime.Gosched() {
		if time.Now().After(deadline) {
			t.Fatal(otherwise)
		}
	}
}

// runs reports whether a process has an entry in its environment.
func runs(entry string) bool {
	files, _ := filepath.Glob("/proc/[0-9]*/environ")
	for _, file := range files {
		if environ, _ := os.ReadFile(file); strings.Contains(string(environ), entry+"\x00") {
			return true
		}
	}
	return false
}
