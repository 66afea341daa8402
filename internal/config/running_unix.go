//go:build unix

package config

import (
	"errors"
	"syscall"
)

// running reports whether a process of that number exists. One that belongs to
// somebody else does.
func running(pid int) bool {
	if pid <= 0 {
		return false
	}
	err := syscall.Kill(pid, 0)
	return err == nil || errors.Is(err, syscall.EPERM)
}
