package isolation

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"syscall"

	"golang.org/x/sys/unix"
)

// attributes make a process the first of user, mount and PID namespaces, with
// the same user and group as outside and the right to mount.
func attributes() *syscall.SysProcAttr {
	same := func(id int) []syscall.SysProcIDMap {
		return []syscall.SysProcIDMap{{ContainerID: id, HostID: id, Size: 1}}
	}
	return &syscall.SysProcAttr{
		Setpgid:     true,
		Cloneflags:  syscall.CLONE_NEWUSER | syscall.CLONE_NEWNS | syscall.CLONE_NEWPID,
		UidMappings: same(os.Getuid()), GidMappings: same(os.Getgid()),
		AmbientCaps: []uintptr{unix.CAP_SYS_ADMIN, unix.CAP_SETPCAP},
	}
}

func refusal(why string) error {
	return fmt.Errorf("functions can't be isolated here, because this machine does not permit user, mount and PID namespaces: %s. "+
		"Start without --isolate, or permit them (sysctl user.max_user_namespaces, kernel.apparmor_restrict_unprivileged_userns, the container's security options)", why)
}

// Main is the first process of the namespaces: it puts the file system together,
// gives up its rights and becomes the function's runtime. args are the folders
// of a View in their order, and the command; without a command it ends. It
// returns the exit status where that fails.
func Main(args []string, stderr io.Writer) int {
	if len(args) < 6 {
		fmt.Fprintln(stderr, "isolate: it is started by the region only")
		return 2
	}
	runtime.LockOSThread() // rights are those of a thread
	view, command := View{args[0], args[1], args[2], args[3], args[4], args[5]}, args[6:]
	if err := assemble(view); err != nil {
		fmt.Fprintln(stderr, "isolate:", err)
		return 1
	}
	if len(command) == 0 {
		return 0
	}
	err := renounce()
	if err == nil {
		err = syscall.Exec(command[0], command, os.Environ())
	}
	fmt.Fprintf(stderr, "isolate: fork/exec %s: %v\n", command[0], err)
	return 1
}

// assemble makes the root of the view out of what this machine has, and enters
// it.
func assemble(v View) error {
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
		return fmt.Errorf("make mounts private: %w", err)
	}
	if err := unix.Mount("roost", v.Root, "tmpfs", 0, "mode=755,size=1m"); err != nil {
		return fmt.Errorf("mount %s: %w", v.Root, err)
	}
	if err := share("/", v.Root, "var", "opt", "proc", "tmp"); err != nil {
		return err
	}
	if err := share("/var", filepath.Join(v.Root, "var"), "task", "runtime"); err != nil {
		return err
	}
	for _, dir := range []string{TaskRoot, RuntimeDir, OptDir, TmpDir, "/proc"} {
		if err := os.Mkdir(v.Root+dir, 0o755); err != nil {
			return err
		}
	}
	for inside, outside := range map[string]string{TaskRoot: v.Task, RuntimeDir: v.Runtime, OptDir: v.Opt} {
		if outside == "" {
			continue
		}
		if err := bind(outside, v.Root+inside); err != nil {
			return err
		}
	}
	if v.SDK != "" {
		const modules = "/node_modules"
		if err := bind(v.SDK+modules, v.Root+SDKDir+modules); err != nil {
			return err
		}
	}
	readOnly := &unix.MountAttr{Attr_set: unix.MOUNT_ATTR_RDONLY}
	if err := unix.MountSetattr(-1, v.Root, unix.AT_RECURSIVE, readOnly); err != nil {
		return fmt.Errorf("make %s read-only: %w", v.Root, err)
	}
	if err := bind(v.Tmp, v.Root+TmpDir); err != nil {
		return err
	}
	if err := unix.Mount("proc", v.Root+"/proc", "proc", unix.MS_NOSUID|unix.MS_NODEV|unix.MS_NOEXEC, ""); err != nil {
		return fmt.Errorf("mount /proc: %w", err)
	}
	return enter(v.Root)
}

// share makes everything in a folder but some names visible in another one.
func share(from, to string, except ...string) error {
	if err := os.MkdirAll(to, 0o755); err != nil {
		return err
	}
	entries, err := os.ReadDir(from)
	if err != nil {
		return err
	}
	for _, entry := range entries {
		if slices.Contains(except, entry.Name()) {
			continue
		}
		if err := shareOne(filepath.Join(from, entry.Name()), filepath.Join(to, entry.Name()), entry.Type()); err != nil {
			return err
		}
	}
	return nil
}

func shareOne(from, to string, kind os.FileMode) error {
	switch {
	case kind&os.ModeSymlink != 0:
		target, err := os.Readlink(from)
		if err != nil {
			return err
		}
		return os.Symlink(target, to)
	case kind.IsDir():
		if err := os.Mkdir(to, 0o755); err != nil {
			return err
		}
		return bind(from, to)
	}
	return nil // no function needs files that lie in / or /var themselves
}

// bind makes a folder, with all that is mounted in it, visible at another path.
func bind(from, to string) error {
	if err := unix.Mount(from, to, "", unix.MS_BIND|unix.MS_REC, ""); err != nil {
		return fmt.Errorf("bind %s: %w", from, err)
	}
	return nil
}

// enter makes a mounted folder the root, and lets go of the old one
// (pivot_root(2), "pivot_root(".", ".")").
func enter(root string) error {
	if err := unix.Chdir(root); err != nil {
		return err
	}
	if err := unix.PivotRoot(".", "."); err != nil {
		return fmt.Errorf("pivot_root: %w", err)
	}
	if err := unix.Unmount(".", unix.MNT_DETACH); err != nil {
		return fmt.Errorf("unmount the old root: %w", err)
	}
	return unix.Chdir(TaskRoot)
}

// renounce gives up the rights in the namespaces for good, also those that the
// user with the number 0 would get back.
func renounce() error {
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		return err
	}
	for right := range uintptr(64) {
		if err := unix.Prctl(unix.PR_CAPBSET_DROP, right, 0, 0, 0); err == unix.EINVAL {
			break // there is none of that number, nor above
		} else if err != nil {
			return err
		}
	}
	header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var none [2]unix.CapUserData
	return unix.Capset(&header, &none[0])
}
