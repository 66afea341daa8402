//go:build !linux

package cgroup

import "syscall"

// Join does nothing: Find finds no group on this system.
func (g *Group) Join(*syscall.SysProcAttr) {}
