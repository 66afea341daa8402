package environment

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/seed-615d3599/roost/internal/region/lambda/process"
)

// aheadDelay is how long after a start the next process is started ahead:
// initialization and first call should not share the processors with it.
const aheadDelay = 400 * time.Millisecond

func newAhead(config *Config) *process.Ahead {
	c := process.Config{Delay: aheadDelay, Idle: config.IdleTimeout,
		Variables: []string{"PATH=" + os.Getenv("PATH"), "LANG=en_US.UTF-8", "TZ=:UTC"},
		Started:   func(int) {}, Ended: func(int) {}}
	if config.Groups != nil {
		c.Variables = append(c.Variables, config.Groups.Marker())
		c.Started, c.Ended = config.Groups.Add, config.Groups.Remove
	}
	return process.NewAhead(c)
}

// ahead says whether the environment's process may be one that was started before
// it was known for what: the runtime can learn it later, and the function brings no
// libraries, which LD_LIBRARY_PATH tells when a process starts.
func (e *Environment) ahead() bool {
	config := &e.pool.manager.config
	if !config.Ahead || !e.spec.Early || config.Isolate != nil || config.Memory != nil || e.spec.Debug != nil {
		return false
	}
	files, _ := os.ReadDir(e.spec.TaskRoot)
	library := func(file os.DirEntry) bool { return strings.Contains(file.Name(), ".so") }
	return !slices.ContainsFunc(files, library) && !exists(filepath.Join(e.spec.TaskRoot, "lib")) && (e.spec.OptDir == "" || !exists(filepath.Join(e.spec.OptDir, "lib")))
}

func exists(name string) bool {
	_, err := os.Stat(name)
	return err == nil
}

// adopt takes over a process that waits, and reports whether that went well.
func (e *Environment) adopt(w *process.Waiting, keys credentials) bool {
	m := e.pool.manager
	if e.arm() != nil || w.Tell(e.spec.TaskRoot, variables(e.spec, &m.config, keys, e.place)) != nil {
		m.ahead.Discard(w)
		return false
	}
	defer close(e.spawned)
	// A pipe that can't be read loses lines, and nothing else.
	_ = e.read(w.Lines, process.Lines(e.logLine), e.logLine)
	_ = e.read(w.Frames, process.Frames(e.logFrame), nil)
	e.has(w.Cmd)
	return true
}
