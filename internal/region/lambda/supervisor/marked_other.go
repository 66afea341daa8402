//go:build !linux

package supervisor

// KillMarked does nothing where a process's environment can't be read: there
// only the process groups are ended.
func KillMarked(string) {}
