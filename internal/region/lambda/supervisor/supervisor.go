// Package supervisor ends the processes of a region's functions when the region
// itself can't: a small process, one for a region, that knows every process
// group the region started and kills them all when the pipe between the two
// closes. That also happens when the region is killed with SIGKILL.
//
// In the main program, before anything else:
//
//	if len(os.Args) == 2 && os.Args[1] == supervisor.Argument {
//		os.Exit(supervisor.Main(os.Stdin))
//	}
//
// and in the region:
//
//	s, err := supervisor.Start([]string{executable, supervisor.Argument}, marker)
//	s.Add(pgid) // after a start, and s.Remove(pgid) after its end
//	s.Close()
//
// The marker is an environment variable's "NAME=value" that every function
// process of this region carries. Where the system shows the environment of
// processes (Linux), it finds those that left their group, and those that were
// started in the instant before the region died.
package supervisor

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
)

// Argument is the hidden command of the main program that runs Main.
const Argument = "supervise-environments"

// Main is the supervisor's own program: it reads "marker NAME=value", "sweep
// FOLDER", "+PGID" and "-PGID" lines until the end of its input, then kills what
// is left and removes the folder. It returns the exit status.
func Main(commands io.Reader) int {
	signal.Ignore(syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP)
	groups := map[int]bool{}
	marker, folder := "", ""
	lines := bufio.NewScanner(commands)
	for lines.Scan() {
		line := lines.Text()
		if value, ok := strings.CutPrefix(line, "marker "); ok {
			marker = value
			continue
		}
		if value, ok := strings.CutPrefix(line, "sweep "); ok {
			folder = value
			continue
		}
		pgid, err := strconv.Atoi(strings.TrimLeft(line, "+-"))
		if err != nil || pgid <= 1 {
			continue
		}
		if line[0] == '+' {
			groups[pgid] = true
		} else {
			delete(groups, pgid)
		}
	}
	for pgid := range groups {
		KillGroup(pgid)
	}
	KillMarked(marker)
	if folder != "" && os.RemoveAll(folder) != nil {
		return 1
	}
	return 0
}

// KillGroup kills a process group. A group that is gone is not an error.
func KillGroup(pgid int) {
	if pgid > 1 {
		_ = syscall.Kill(-pgid, syscall.SIGKILL)
	}
}

// Supervisor is the region's side of the pipe. Make it with Start or StartSoon.
type Supervisor struct {
	marker string
	cmd    *exec.Cmd
	run    func() error // starts the process, the first time that it is called
	soon   *time.Timer

	mu   sync.Mutex
	pipe *os.File
}

// lowPriority is the supervisor's nice value (setpriority(2)).
const lowPriority = 10

// Start starts the supervisor process with a command that runs Main.
func Start(command []string, marker string) (*Supervisor, error) {
	s, err := prepare(command, marker)
	if err != nil {
		return nil, err
	}
	if err := s.run(); err != nil {
		return nil, errors.Join(err, s.pipe.Close())
	}
	return s, nil
}

// StartSoon is Start for a region that begins, which must not wait for the start of
// another process, nor share the processor with it. What the supervisor is told
// until then is kept for it. If it can't be started, failed is called.
func StartSoon(command []string, marker string, failed func(error)) (*Supervisor, error) {
	s, err := prepare(command, marker)
	if err != nil {
		return nil, err
	}
	s.soon = time.AfterFunc(delay, func() {
		if err := s.run(); err != nil {
			failed(err)
		}
	})
	return s, nil
}

func prepare(command []string, marker string) (*Supervisor, error) {
	if len(command) == 0 {
		return nil, fmt.Errorf("start the supervisor: no command is configured")
	}
	stdin, pipe, err := os.Pipe()
	if err != nil {
		return nil, fmt.Errorf("start the supervisor: %w", err)
	}
	s := &Supervisor{marker: marker, pipe: pipe, cmd: exec.Command(command[0], command[1:]...)}
	// A group of its own: ctrl-C on the terminal is for the region.
	s.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	s.cmd.Env = []string{"GOMAXPROCS=1", "GOCOVERDIR=" + os.Getenv("GOCOVERDIR")}
	s.cmd.Stdin, s.cmd.Stderr = stdin, os.Stderr
	s.run = sync.OnceValue(func() error {
		defer stdin.Close()
		if err := s.cmd.Start(); err != nil {
			return fmt.Errorf("start the supervisor %s: %w", command[0], err)
		}
		// It has nothing to do before the region ends.
		_ = syscall.Setpriority(syscall.PRIO_PROCESS, s.cmd.Process.Pid, lowPriority)
		return nil
	})
	s.tell("marker " + marker + "\n")
	return s, nil
}

// Marker is the environment entry that function processes carry.
func (s *Supervisor) Marker() string { return s.marker }

// Sweep makes a folder, whose name has no line's end, go when all has ended.
func (s *Supervisor) Sweep(folder string) { s.tell("sweep " + folder + "\n") }

// Add makes the group die with the region.
func (s *Supervisor) Add(pgid int) { s.tell("+" + strconv.Itoa(pgid) + "\n") }

// Remove forgets a group that has ended, whose number may be used again.
func (s *Supervisor) Remove(pgid int) { s.tell("-" + strconv.Itoa(pgid) + "\n") }

// tell writes to the pipe. Where the supervisor is gone there is nobody to
// tell; the region still ends its groups when it closes in good order.
func (s *Supervisor) tell(line string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	_, _ = io.WriteString(s.pipe, line)
}

// Close ends the supervisor, which kills the groups that are still known.
func (s *Supervisor) Close() error {
	if s.soon != nil {
		s.soon.Stop()
	}
	err := s.run() // it may not have begun
	s.mu.Lock()
	s.pipe.Close()
	s.mu.Unlock()
	if err != nil {
		return err
	}
	if err := s.cmd.Wait(); err != nil {
		return fmt.Errorf("the supervisor ended badly: %w", err)
	}
	return nil
}
