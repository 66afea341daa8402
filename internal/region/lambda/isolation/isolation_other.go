//go:build !linux

package isolation

import (
	"errors"
	"fmt"
	"io"
	"syscall"
)

func attributes() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }

func refusal(string) error {
	return errors.New("functions can be isolated on Linux only: start without --isolate")
}

// Main is not used on this system; Probe fails.
func Main(_ []string, stderr io.Writer) int {
	fmt.Fprintln(stderr, "isolate:", refusal(""))
	return 1
}
