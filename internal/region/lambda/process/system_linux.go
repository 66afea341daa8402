package process

import (
	"os"
	"strconv"
	"strings"
	"syscall"
)

// Attributes makes a process the leader of a group of its own, which is
// how it ends together with everything it started.
func Attributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true}
}

// BoundAttributes has the kernel kill the process, too, when the thread that
// started it ends: with this program at the latest, however that ends. Whoever
// uses them starts the process and waits for it on one thread
// (runtime.LockOSThread), or it could end early.
func BoundAttributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}

// TotalMemoryMB is the machine's memory.
func TotalMemoryMB() int {
	var info syscall.Sysinfo_t
	if syscall.Sysinfo(&info) != nil {
		return 0
	}
	return int(uint64(info.Totalram) * uint64(info.Unit) >> 20)
}

// GroupMemory is the memory in bytes of a process and its descendants. The sum
// of resident pages is cheap and never too small; only where it exceeds limit
// are the pages that processes share counted by their proportion (PSS).
func GroupMemory(pid int, limit int64) int64 {
	pids := descendants(pid, nil)
	var resident int64
	for _, pid := range pids {
		resident += Memory(pid)
	}
	if resident <= limit {
		return resident
	}
	var proportional int64
	for _, pid := range pids {
		proportional += proportionalMemory(pid)
	}
	return proportional
}

// descendants lists a process and those below it, at most a thousand.
func descendants(pid int, list []int) []int {
	if len(list) >= 1000 {
		return list
	}
	list = append(list, pid)
	dir := "/proc/" + strconv.Itoa(pid) + "/task/"
	tasks, err := os.ReadDir(dir)
	if err != nil {
		return list
	}
	for _, task := range tasks {
		children, err := os.ReadFile(dir + task.Name() + "/children")
		if err != nil {
			continue
		}
		for field := range strings.FieldsSeq(string(children)) {
			if child, err := strconv.Atoi(field); err == nil {
				list = descendants(child, list)
			}
		}
	}
	return list
}

// Memory is a process's resident memory in bytes.
func Memory(pid int) int64 {
	data, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/statm")
	if err != nil {
		return 0
	}
	fields := strings.Fields(string(data))
	if len(fields) < 2 {
		return 0
	}
	pages, _ := strconv.ParseInt(fields[1], 10, 64)
	return pages * int64(os.Getpagesize())
}

// proportionalMemory is a process's PSS in bytes.
func proportionalMemory(pid int) int64 {
	data, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/smaps_rollup")
	if err != nil {
		return Memory(pid)
	}
	_, rest, _ := strings.Cut(string(data), "\nPss:")
	fields := strings.Fields(rest)
	if len(fields) == 0 {
		return 0
	}
	kb, _ := strconv.ParseInt(fields[0], 10, 64)
	return kb << 10
}
