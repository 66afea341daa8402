//go:build !linux

package process

import "syscall"

// Attributes makes a process the leader of a group of its own, which is
// how it ends together with everything it started.
func Attributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true}
}

// BoundAttributes are Attributes: this system ends no process with a thread.
func BoundAttributes() *syscall.SysProcAttr { return Attributes() }

// TotalMemoryMB is the machine's memory, or 0 where it is not known.
func TotalMemoryMB() int { return 0 }

// GroupMemory and Memory are not measured on this system: no limit is
// enforced, and reports say 0.
func GroupMemory(int, int64) int64 { return 0 }

func Memory(int) int64 { return 0 }
