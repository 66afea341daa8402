//go:build !linux

package environment

import "syscall"

// processAttributes makes a process the leader of a group of its own, which is
// how it ends together with everything it started.
func processAttributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true}
}

// totalMemoryMB is the machine's memory, or 0 where it is not known.
func totalMemoryMB() int { return 0 }

// groupMemory and processMemory are not measured on this system: no limit is
// enforced, and reports say 0.
func groupMemory(int, int64) int64 { return 0 }

func processMemory(int) int64 { return 0 }
