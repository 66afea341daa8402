package environment_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/seed-615d3599/roost/internal/region/lambda/supervisor"
)

// TestABusyFunctionEndsWithAKilledProgram has no supervisor, as a test that uses
// package roosttest has none. On other systems than Linux the supervisor alone ends
// functions.
func TestABusyFunctionEndsWithAKilledProgram(t *testing.T) {
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
