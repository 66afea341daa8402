package supervisor

import (
	"bytes"
	"os"
	"strconv"
	"syscall"
	"time"
)

// delay is how long StartSoon waits: until then the kernel ends the processes that
// the region itself has started, with the region (PR_SET_PDEATHSIG).
const delay = 100 * time.Millisecond

// KillMarked kills every process of this user whose environment contains the
// entry "NAME=value". It looks again until it finds none, for those that fork
// meanwhile, and gives up after a few rounds.
func KillMarked(marker string) {
	if marker == "" {
		return
	}
	for range 5 {
		if !killMarkedOnce([]byte(marker)) {
			return
		}
	}
}

func killMarkedOnce(marker []byte) (found bool) {
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return false
	}
	for _, entry := range entries {
		pid, err := strconv.Atoi(entry.Name())
		if err != nil || pid == os.Getpid() {
			continue
		}
		environ, err := os.ReadFile("/proc/" + entry.Name() + "/environ")
		if err != nil {
			continue
		}
		for line := range bytes.SplitSeq(environ, []byte{0}) {
			if bytes.Equal(line, marker) {
				found = syscall.Kill(pid, syscall.SIGKILL) == nil || found
			}
		}
	}
	return found
}
