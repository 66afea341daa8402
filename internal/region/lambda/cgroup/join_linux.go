package cgroup

import "syscall"

// Join makes a process that is about to be started a member from its first
// instruction on.
func (g *Group) Join(attributes *syscall.SysProcAttr) {
	attributes.UseCgroupFD, attributes.CgroupFD = true, int(g.open.Fd())
}
