package process

import (
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"
)

// FDVariable tells a runtime that was started ahead from which file descriptor it
// learns its function: a JSON document with "directory" and "variables" up to the
// end of the file. Folder and variables are then as if it had been started with them.
const FDVariable = "_ROOST_AHEAD_FD"

// aheadFD is that of FDVariable; 3 is that of framed logs.
const aheadFD = "4"

// Config says how processes are started ahead.
type Config struct {
	Delay     time.Duration // from Prepare to the start: whoever starts now needs the processors
	Idle      time.Duration // one that nobody took for so long ends
	Variables []string      // of the processes while they wait
	Started   func(pid int) // called for each, and Ended when it was not taken
	Ended     func(pid int)
}

// Ahead keeps one waiting process of each command that was prepared. It is safe
// for use by several goroutines.
type Ahead struct {
	config Config

	mu      sync.Mutex
	waiting map[string]*Waiting // by command
	timers  map[string]*time.Timer
	closed  bool
	starts  sync.WaitGroup // timers that will start a process
}

// NewAhead returns an Ahead without processes.
func NewAhead(config Config) *Ahead {
	return &Ahead{config: config, waiting: map[string]*Waiting{}, timers: map[string]*time.Timer{}}
}

// Waiting is a process that waits to learn its function. Lines and Frames are
// what it writes: to standard output and error, and as framed logs.
type Waiting struct {
	Cmd           *exec.Cmd
	Lines, Frames *os.File
	tell          *os.File
}

func key(command []string) string { return strings.Join(command, "\x00") }

// Prepare has a process of the command wait, in a while, in the folder dir. It does
// nothing where one waits already.
func (a *Ahead) Prepare(command []string, dir string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	k := key(command)
	if a.closed || a.waiting[k] != nil || a.timers[k] != nil {
		return
	}
	a.starts.Add(1)
	a.timers[k] = time.AfterFunc(a.config.Delay, func() {
		defer a.starts.Done()
		a.start(k, command, dir)
	})
}

// start starts a process and has it end when nobody takes it.
func (a *Ahead) start(k string, command []string, dir string) {
	w, err := a.spawn(command, dir) // without the lock: it takes a while
	a.mu.Lock()
	defer a.mu.Unlock()
	if err != nil { // the function's own start will tell
		delete(a.timers, k)
		return
	}
	a.config.Started(w.Cmd.Process.Pid)
	if a.closed {
		a.Discard(w)
		return
	}
	a.waiting[k] = w
	a.timers[k] = time.AfterFunc(a.config.Idle, func() { a.expire(k, w) })
}

func (a *Ahead) expire(k string, w *Waiting) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.waiting[k] == w {
		delete(a.waiting, k)
		delete(a.timers, k)
		a.Discard(w)
	}
}

func (a *Ahead) spawn(command []string, dir string) (*Waiting, error) {
	var ours, theirs []*os.File
	defer func() { closeAll(theirs) }()
	for range 3 {
		r, w, err := os.Pipe()
		if err != nil {
			closeAll(ours)
			return nil, err
		}
		ours, theirs = append(ours, r), append(theirs, w)
	}
	ours[2], theirs[2] = theirs[2], ours[2] // the last one leads to the process
	cmd := exec.Command(command[0], command[1:]...)
	cmd.Dir, cmd.Env = dir, append(slices.Clone(a.config.Variables), FDVariable+"="+aheadFD)
	cmd.Stdout, cmd.Stderr, cmd.ExtraFiles = theirs[0], theirs[0], theirs[1:]
	cmd.SysProcAttr = Attributes()
	if err := cmd.Start(); err != nil {
		closeAll(ours)
		return nil, err
	}
	return &Waiting{Cmd: cmd, Lines: ours[0], Frames: ours[1], tell: ours[2]}, nil
}

func closeAll(files []*os.File) {
	for _, file := range files {
		file.Close()
	}
}

// Take hands over the process that waits, or nil. Whoever takes one tells it its
// function and waits for its end, or discards it.
func (a *Ahead) Take(command []string) *Waiting {
	a.mu.Lock()
	defer a.mu.Unlock()
	k := key(command)
	w := a.waiting[k]
	if w != nil {
		a.timers[k].Stop()
		delete(a.waiting, k)
		delete(a.timers, k)
	}
	return w
}

// Tell makes the process a function's: its folder and all of its variables, as
// "NAME=value". The error says that the process has ended meanwhile.
func (w *Waiting) Tell(dir string, variables []string) error {
	told := struct {
		Directory string            `json:"directory"`
		Variables map[string]string `json:"variables"`
	}{dir, map[string]string{}}
	for _, variable := range variables {
		name, value, _ := strings.Cut(variable, "=")
		told.Variables[name] = value
	}
	document, err := json.Marshal(told)
	if err != nil {
		return err
	}
	_, err = w.tell.Write(document)
	return errors.Join(err, w.tell.Close())
}

// Discard ends a process that is not any function's and waits for its end.
func (a *Ahead) Discard(w *Waiting) {
	_ = syscall.Kill(-w.Cmd.Process.Pid, syscall.SIGKILL)
	_ = w.Cmd.Wait()
	a.config.Ended(w.Cmd.Process.Pid)
	closeAll([]*os.File{w.Lines, w.Frames, w.tell})
}

// Close ends what waits. Nothing waits any more after it.
func (a *Ahead) Close() {
	a.mu.Lock()
	a.closed = true
	for k, timer := range a.timers {
		w := a.waiting[k]
		if stopped := timer.Stop(); w != nil {
			delete(a.waiting, k)
			a.Discard(w)
		} else if stopped {
			a.starts.Done()
		}
	}
	a.mu.Unlock()
	a.starts.Wait()
}
