package watch

import (
	"errors"
	"strings"
	"syscall"
	"testing"
)

// inotify says that the disk is full where it watches no more.
func TestTheSystemsLimits(t *testing.T) {
	for errno, want := range map[error]string{syscall.ENOSPC: "fs.inotify.max_user_watches=", syscall.EMFILE: "fs.inotify.max_user_instances="} {
		err := limited(errno)
		hinted, ok := err.(interface{ Hint() string })
		if !ok || !strings.Contains(hinted.Hint(), want) || !errors.Is(err, errno) {
			t.Errorf("%v: got %v", errno, err)
		}
	}
	if err := limited(syscall.ENOENT); err != error(syscall.ENOENT) {
		t.Errorf("got %v", err)
	}
}
