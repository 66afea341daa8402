package environment

import (
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"

	"github.com/seed-615d3599/roost/internal/region/lambda/isolation"
	"github.com/seed-615d3599/roost/internal/region/lambda/process"
)

// command makes the command that starts the runtime, with its variables: with
// the paths of this machine, or isolated with those of Lambda.
func (e *Environment) command(keys credentials) (*exec.Cmd, error) {
	config := &e.pool.manager.config
	if config.Isolate == nil || e.spec.Debug != nil {
		cmd := exec.Command(e.spec.Command[0], e.spec.Command[1:]...)
		cmd.Dir, cmd.Env = e.spec.TaskRoot, variables(e.spec, config, keys, e.place)
		cmd.SysProcAttr = process.BoundAttributes()
		return cmd, nil
	}
	view := isolation.View{
		Root: filepath.Join(e.place.tmp, "root"), Tmp: filepath.Join(e.place.tmp, "tmp"),
		Task: e.spec.TaskRoot, Runtime: e.spec.RuntimeDir, Opt: e.spec.OptDir, SDK: e.place.sdk,
	}
	for _, dir := range []string{view.Root, view.Tmp} {
		if err := os.Mkdir(dir, 0o700); err != nil {
			return nil, err
		}
	}
	if err := startable(e.spec.Command[0]); err != nil {
		return nil, &fs.PathError{Op: "fork/exec", Path: view.Inside(e.spec.Command[0]), Err: err}
	}
	cmd, err := isolation.Command(config.Isolate, view, e.spec.Command)
	if err != nil {
		return nil, err
	}
	cmd.Env = isolatedVariables(e.spec, config, keys, e.place)
	return cmd, nil
}

// startable says why a program can't be started: the one that isolates it could
// only exit.
func startable(program string) error {
	info, err := os.Stat(program)
	if err != nil {
		return errors.Unwrap(err)
	}
	if info.IsDir() || info.Mode()&0o111 == 0 {
		return syscall.EACCES
	}
	return nil
}

// isolatedVariables are those of a function that sees Lambda's own paths.
func isolatedVariables(spec *Spec, config *Config, keys credentials, at place) []string {
	inside := *spec
	inside.TaskRoot, inside.RuntimeDir = isolation.TaskRoot, isolation.RuntimeDir
	if spec.OptDir != "" {
		inside.OptDir = isolation.OptDir
	}
	if at.sdk != "" {
		at.sdk = isolation.SDKDir
	}
	at.tmp = "" // /tmp needs no variable
	return variables(&inside, config, keys, at)
}

// confine puts the process into a memory cgroup with the function's limit,
// where there are such.
func (e *Environment) confine(cmd *exec.Cmd) error {
	parent := e.pool.manager.config.Memory
	if parent == nil || e.spec.MemoryMB <= 0 || e.spec.Debug != nil {
		return nil
	}
	group, err := parent.New(int64(e.spec.MemoryMB) << 20)
	if err != nil {
		return err
	}
	e.group = group
	group.Join(cmd.SysProcAttr)
	return nil
}
