//go:build !linux

package supervisor

// delay is how long StartSoon waits: until then nothing would end the processes.
const delay = 0

// KillMarked does nothing where a process's environment can't be read: there
// only the process groups are ended.
func KillMarked(string) {}
