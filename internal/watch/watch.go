// Package watch tells when files below some folders change.
//
//	w, err := watch.New(watch.Config{Roots: []string{appDir}})
//	defer w.Close()
//	for changed := range w.Changes() {
//		… // absolute names, sorted, each once
//	}
//
// The system's notifications are per folder and come in bursts: an editor that
// saves one file makes several. A Watcher follows folders that appear later,
// leaves out what never concerns an app, waits until a burst is over, and
// reports a file only if its content is not what it was. Changes that come in while
// the last ones are being worked on are kept and handed over together.
package watch

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/fsnotify/fsnotify"
)

// Config says what is watched. Roots is required.
type Config struct {
	// Roots are folders, each watched with all that is below it.
	Roots []string
	// Ignore reports whether a file or folder, given by its absolute name, is
	// left out. Nil means Ignored.
	Ignore func(name string) bool
	// Quiet is how long nothing must happen before changes are reported. 0
	// means 25 milliseconds, and 10 where one file has changed.
	Quiet time.Duration
}

// Watcher watches until it is closed.
type Watcher struct {
	cfg     Config
	notify  *fsnotify.Watcher
	changes chan []string
	done    chan struct{}
	wait    sync.WaitGroup
	known   map[string][sha256.Size]byte // contents as last seen; absent: never seen
	held    map[string]int               // how often an emptied file was waited for
}

// maxHashed bounds the size of files whose contents are compared. A larger one
// counts as changed whenever it is written.
const maxHashed = 4 << 20

// New begins to watch. What changes after it returns is reported.
func New(cfg Config) (*Watcher, error) {
	if cfg.Ignore == nil {
		cfg.Ignore = Ignored
	}
	notify, err := fsnotify.NewWatcher()
	if err != nil {
		return nil, limited(err)
	}
	w := &Watcher{cfg: cfg, notify: notify, changes: make(chan []string), done: make(chan struct{}), known: map[string][sha256.Size]byte{}, held: map[string]int{}}
	for _, root := range cfg.Roots {
		if _, err := w.add(root); err != nil {
			notify.Close()
			return nil, limited(err)
		}
	}
	w.wait.Go(w.run)
	return w, nil
}

// A limitError is that the system watches no more for this user.
type limitError struct {
	error
	setting string
}

func (e *limitError) Unwrap() error { return e.error }

// Hint says what to raise.
func (e *limitError) Hint() string {
	return "the system's limit for watching files is reached: raise " + e.setting + ", as by \"sudo sysctl " + e.setting + "=524288\""
}

// limited names the limit that stands behind an error of inotify, which says that
// the disk is full or that too many files are open (inotify_add_watch(2) and
// inotify_init(2), "ERRORS").
func limited(err error) error {
	switch {
	case runtime.GOOS != "linux":
		return err
	case errors.Is(err, syscall.ENOSPC):
		return &limitError{fmt.Errorf("watch the app's folder: %w", err), "fs.inotify.max_user_watches"}
	case errors.Is(err, syscall.EMFILE):
		return &limitError{fmt.Errorf("watch the app's folder: %w", err), "fs.inotify.max_user_instances"}
	}
	return err
}

// Changes hands over the names of changed, new and removed files. The channel
// is closed by Close.
func (w *Watcher) Changes() <-chan []string { return w.changes }

// Close ends the watching.
func (w *Watcher) Close() error {
	select {
	case <-w.done:
		return nil
	default:
	}
	close(w.done)
	err := w.notify.Close()
	w.wait.Wait()
	return err
}

// Ignored leaves out hidden files and folders except .env files, the folders
// that tools fill, and the scratch files of editors.
func Ignored(name string) bool {
	base := filepath.Base(name)
	switch base {
	case "node_modules", "__pycache__", "cdk.out", "venv", "4913":
		return true
	}
	if strings.HasPrefix(base, ".") {
		return base != ".env" && !strings.HasPrefix(base, ".env.")
	}
	return strings.HasSuffix(base, "~") || strings.HasSuffix(base, ".pyc") || strings.HasSuffix(base, ".swp")
}

// add watches a folder and all below it, and returns the files that it found.
func (w *Watcher) add(root string) ([]string, error) {
	real, err := filepath.EvalSymlinks(root)
	if err != nil {
		return nil, err
	}
	walk := &walk{w: w, real: real, linked: map[string]bool{real: true}}
	err = walk.folder(root)
	return walk.files, err
}

// A walk goes through a folder, and once through each other folder that a link in
// it leads to.
type walk struct {
	w      *Watcher
	real   string          // where the walk began, without links
	linked map[string]bool // real names of folders that links have led to
	files  []string
}

func (k *walk) folder(dir string) error {
	if err := k.w.notify.Add(dir); err != nil {
		return err
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	for _, entry := range entries {
		name := filepath.Join(dir, entry.Name())
		if k.w.cfg.Ignore(name) {
			continue
		}
		if entry.IsDir() {
			if err := k.folder(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
				return err
			} // else it is gone again before we came
			continue
		}
		if entry.Type() == fs.ModeSymlink && k.link(name) {
			continue
		}
		k.files = append(k.files, name)
		if len(k.w.known) < maxKnown {
			k.w.changed(name)
		}
	}
	return nil
}

// link walks through the folder that a link leads to, and reports whether it leads
// to one. A link up the tree is not followed, and what can't be watched elsewhere
// is left out: the app's own folder is what was asked for.
func (k *walk) link(name string) bool {
	info, err := os.Stat(name)
	if err != nil || !info.IsDir() {
		return false
	}
	real, err := filepath.EvalSymlinks(name)
	if err != nil || k.linked[real] || within(k.real, real) {
		return true
	}
	k.linked[real] = true
	_ = k.folder(name)
	return true
}

// within reports whether a folder lies below another one.
func within(name, folder string) bool {
	rel, err := filepath.Rel(folder, name)
	return err == nil && filepath.IsLocal(rel)
}

// maxKnown bounds how many files' contents are remembered.
const maxKnown = 20000

// run collects events until a burst is over and hands the changes over. While
// nobody takes them, it goes on collecting.
func (w *Watcher) run() {
	defer close(w.changes)
	pending := map[string]bool{}
	var ready []string
	quiet := time.NewTimer(time.Hour)
	quiet.Stop()
	for {
		var out chan []string
		if len(ready) > 0 {
			out = w.changes
		}
		select {
		case <-w.done:
			return
		case out <- ready:
			ready = nil
		case event, open := <-w.notify.Events:
			if !open {
				return
			}
			if w.note(event, pending) {
				quiet.Reset(w.quiet(pending))
			}
		case _, open := <-w.notify.Errors:
			if !open {
				return
			}
			// Events were lost: report every root, which concerns everything.
			for _, root := range w.cfg.Roots {
				pending[root] = true
			}
			quiet.Reset(w.quiet(pending))
		case <-quiet.C:
			ready = w.merge(ready, pending)
			if len(pending) > 0 {
				quiet.Reset(w.quiet(pending))
			}
		}
	}
}

// quiet is how long a burst with these files must be over. For one file, which
// is what a person saves, it is as short as lets a build tell that the file was
// written before it began: file systems' clocks go in steps of up to 10
// milliseconds.
func (w *Watcher) quiet(pending map[string]bool) time.Duration {
	switch {
	case w.cfg.Quiet > 0:
		return w.cfg.Quiet
	case len(pending) == 1:
		return 10 * time.Millisecond
	}
	return 25 * time.Millisecond
}

// note takes an event into account and reports whether it may matter.
func (w *Watcher) note(event fsnotify.Event, pending map[string]bool) bool {
	if event.Op == fsnotify.Chmod || w.cfg.Ignore(event.Name) {
		return false
	}
	if info, err := os.Stat(event.Name); err == nil && info.IsDir() {
		if !event.Has(fsnotify.Create) {
			return false
		}
		files, err := w.addNew(event.Name)
		if err != nil {
			return false // gone again; its own event follows
		}
		for _, name := range files {
			pending[name] = true
		}
		return len(files) > 0
	}
	pending[event.Name] = true
	return true
}

// addNew watches a folder that has appeared. Its files count as new.
func (w *Watcher) addNew(dir string) ([]string, error) {
	files, err := w.add(dir)
	for _, name := range files {
		delete(w.known, name)
	}
	return files, err
}

// maxHeld is how many quiet times an emptied file is waited for.
const maxHeld = 20

// hold reports whether a file that had content is empty now: whoever saves it
// has emptied it first and is about to write.
func (w *Watcher) hold(name string) bool {
	info, err := os.Stat(name)
	last, was := w.known[name]
	if err != nil || info.Size() > 0 || !was || last == sha256.Sum256(nil) || w.held[name] >= maxHeld {
		delete(w.held, name)
		return false
	}
	w.held[name]++
	return true
}

// merge adds those of the pending files that differ to the ones not yet taken.
// Files to wait for stay pending.
func (w *Watcher) merge(ready []string, pending map[string]bool) []string {
	for name := range pending {
		if w.hold(name) {
			continue
		}
		delete(pending, name)
		if w.changed(name) {
			ready = append(ready, name)
		}
	}
	slices.Sort(ready)
	return slices.Compact(ready)
}

// changed reports whether a file's content differs from the last time that it
// was asked about, and remembers the new one.
func (w *Watcher) changed(name string) bool {
	info, err := os.Stat(name)
	if err != nil {
		_, was := w.known[name]
		delete(w.known, name)
		return was || !errors.Is(err, fs.ErrNotExist)
	}
	if !info.Mode().IsRegular() || info.Size() > maxHashed {
		return true
	}
	data, err := os.ReadFile(name)
	if err != nil {
		return true
	}
	sum := sha256.Sum256(data)
	last, was := w.known[name]
	w.known[name] = sum
	return !was || last != sum
}
