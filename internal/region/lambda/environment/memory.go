package environment

import (
	"time"

	"github.com/seed-615d3599/roost/internal/region/lambda/process"
)

// sampleEvery is how often the memory of busy environments is looked at.
const sampleEvery = 250 * time.Millisecond

// sample arms the timer that looks at memory. The lock is held.
func (m *Manager) sample() {
	if m.sampler == nil && !m.closed {
		m.sampler = time.AfterFunc(sampleEvery, m.look)
	}
}

// look measures each environment once, and ends those over their limit that
// no memory cgroup limits.
func (m *Manager) look() {
	for _, e := range m.measured() {
		limit := int64(e.spec.MemoryMB) << 20
		if e.group != nil {
			e.seen(e.group.Used())
			continue
		}
		used := process.GroupMemory(e.cmd.Process.Pid, limit)
		e.seen(used)
		if limit > 0 && used > limit && e.spec.Debug == nil {
			m.mu.Lock()
			if e.call != nil || e.state == stateStarting {
				e.end(outOfMemory())
			} else {
				e.end(nil)
			}
			m.mu.Unlock()
		}
	}
	m.mu.Lock()
	m.sampler = nil
	if m.total > 0 {
		m.sample()
	}
	m.mu.Unlock()
}

func (e *Environment) seen(used int64) {
	if used > e.memory.Load() {
		e.memory.Store(used)
	}
}

// measured are the environments whose process runs and is not idle.
func (m *Manager) measured() []*Environment {
	m.mu.Lock()
	defer m.mu.Unlock()
	var list []*Environment
	for p := range m.pools {
		for e := range p.all {
			if e.started && (e.state != stateIdle && e.state != stateEnded) {
				list = append(list, e)
			}
		}
	}
	return list
}

// memoryUsedMB is what the report line says: the largest use that was seen, and
// for a process that was never sampled its use now.
func (e *Environment) memoryUsedMB() int64 {
	if e.group != nil {
		e.seen(e.group.Used())
	}
	used := e.memory.Load()
	if used == 0 && e.cmd != nil {
		used = process.Memory(e.cmd.Process.Pid)
		e.memory.Store(max(used, 1))
	}
	if used == 0 {
		return 0
	}
	return max(used>>20, 1)
}
