// Package cgroup limits the memory of functions by control groups, version 2,
// of Linux, where this user may make some.
//
//	parent, err := cgroup.Find()     // says why there is none
//	group, err := parent.New(128 << 20)
//	group.Join(cmd.SysProcAttr)      // before the start of the process
//	group.OutOfMemory()              // after its end: was the limit the reason?
//	group.Remove()
//
// The files are those of the kernel's documentation,
// https://docs.kernel.org/admin-guide/cgroup-v2.html#memory-interface-files.
package cgroup

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// Parent is a control group in which groups with limits can be made.
type Parent struct {
	dir    string
	prefix string // of the names of what is made here
}

// Find finds the nearest group above this process's own that hands the memory
// controller down, and in which this user may make groups. The group of the
// process itself is none: one with processes has no groups with limits.
func Find() (*Parent, error) {
	own, err := os.ReadFile("/proc/self/cgroup")
	if err != nil {
		return nil, errors.New("this system has no control groups")
	}
	return find("/sys/fs/cgroup", string(own))
}

// find is Find with the folder where the groups are mounted, and what
// /proc/self/cgroup says.
func find(mount, own string) (*Parent, error) {
	path := ""
	for line := range strings.Lines(own) {
		if rest, ok := strings.CutPrefix(line, "0::"); ok {
			path = strings.TrimSpace(rest)
		}
	}
	if _, err := os.Stat(filepath.Join(mount, "cgroup.controllers")); err != nil || path == "" {
		return nil, errors.New("there are no control groups of version 2")
	}
	if path == "/" {
		return nil, errors.New("this process is in the root of its control groups")
	}
	for path != "/" {
		path = filepath.Dir(path)
		handed, err := os.ReadFile(filepath.Join(mount, path, "cgroup.subtree_control"))
		if err != nil || !slices.Contains(strings.Fields(string(handed)), "memory") {
			continue
		}
		return try(filepath.Join(mount, path))
	}
	return nil, errors.New("no control group above this process hands the memory controller down")
}

// try makes a group to see whether that is permitted.
func try(dir string) (*Parent, error) {
	p := &Parent{dir: dir, prefix: prefix + strconv.Itoa(os.Getpid()) + "-"}
	// Processes move only between groups whose common parent is the user's.
	procs, err := os.OpenFile(filepath.Join(dir, "cgroup.procs"), os.O_WRONLY, 0)
	if err != nil {
		return nil, refused(err)
	}
	procs.Close()
	group, err := p.New(1 << 30)
	if err != nil {
		return nil, refused(err)
	}
	group.Remove()
	p.tidy()
	return p, nil
}

// prefix begins the name of each group of Roost; the number of its process
// follows.
const prefix = "roost-"

// tidy removes what regions that were killed have left. A group with processes
// can't be removed.
func (p *Parent) tidy() {
	left, _ := filepath.Glob(filepath.Join(p.dir, prefix+"*"))
	for _, dir := range left {
		pid, _, _ := strings.Cut(strings.TrimPrefix(filepath.Base(dir), prefix), "-")
		if _, err := os.Stat("/proc/" + pid); err != nil {
			_ = os.Remove(dir)
		}
	}
}

func refused(err error) error { return fmt.Errorf("control groups can't be made: %w", err) }

// Group is a control group with a limit.
type Group struct {
	dir  string
	open *os.File
}

// New makes a group whose processes, together, get no more memory than limit
// bytes: at the limit the kernel kills all of them.
func (p *Parent) New(limit int64) (*Group, error) {
	dir, err := os.MkdirTemp(p.dir, p.prefix)
	if err != nil {
		return nil, err
	}
	g := &Group{dir: dir}
	for _, set := range []struct{ name, value string }{
		{"memory.max", strconv.FormatInt(limit, 10)}, {"memory.oom.group", "1"}, {"memory.swap.max", "0"},
	} {
		err := os.WriteFile(filepath.Join(dir, set.name), []byte(set.value), 0o600)
		if err != nil && set.name != "memory.swap.max" { // not there without swap
			g.Remove()
			return nil, err
		}
	}
	if g.open, err = os.Open(dir); err != nil {
		g.Remove()
		return nil, err
	}
	return g, nil
}

// OutOfMemory says whether the kernel has killed processes because of the limit.
func (g *Group) OutOfMemory() bool {
	events, err := os.ReadFile(filepath.Join(g.dir, "memory.events"))
	if err != nil {
		return false
	}
	for line := range strings.Lines(string(events)) {
		if name, count, _ := strings.Cut(strings.TrimSpace(line), " "); name == "oom_kill" && count != "0" {
			return true
		}
	}
	return false
}

// Used is the most memory in bytes that the group had, or where the kernel does
// not tell that, what it has now. 0 means unknown.
func (g *Group) Used() int64 {
	for _, name := range []string{"memory.peak", "memory.current"} {
		if text, err := os.ReadFile(filepath.Join(g.dir, name)); err == nil {
			used, _ := strconv.ParseInt(strings.TrimSpace(string(text)), 10, 64)
			return used
		}
	}
	return 0
}

// removeTries is how often Remove tries, a millisecond apart: a process that was
// killed is still a member for an instant.
const removeTries = 100

// Remove removes the group. Processes that are still in it are killed before.
func (g *Group) Remove() {
	if g.open != nil {
		g.open.Close()
	}
	_ = os.WriteFile(filepath.Join(g.dir, "cgroup.kill"), []byte("1"), 0o600) // since Linux 5.14
	for range removeTries {
		if err := os.Remove(g.dir); !errors.Is(err, syscall.EBUSY) {
			return
		}
		time.Sleep(time.Millisecond)
	}
}
