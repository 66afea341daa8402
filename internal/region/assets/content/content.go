// Package content keeps bytes in files that bear their own SHA-256 as name, so
// that equal contents are kept once.
//
//	files, err := content.Open(dir, referenced)
//	draft, err := files.Write(body, limit)  // a temporary file, flushed to disk
//	defer draft.Close()
//	err = draft.Keep()                      // now it has its name
//	… commit a record that refers to draft.Hash …
//
// Who refers to a content is the caller's knowledge. Keep comes before the
// commit of the first reference and Remove after the commit that takes the last
// one, so that a crash in between leaves at most a file that nothing refers to,
// which the next Open removes.
package content

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
)

// ErrTooLarge is returned by Write for a body that is longer than its limit.
var ErrTooLarge = errors.New("the body is longer than the limit")

// temporary begins the names of files that are being written.
const temporary = "writing-"

// Files is a folder of contents. It is safe for use by several goroutines.
type Files struct {
	dir        string
	referenced func(hashes ...string) (used []string, err error)

	mu   sync.Mutex
	pins map[string]int // contents that drafts hold
}

// Open opens or creates the folder dir (mode 0700) and removes what a crash left
// there: unfinished files, and contents that referenced does not return. referenced
// must answer from what is committed.
func Open(dir string, referenced func(hashes ...string) (used []string, err error)) (*Files, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	f := &Files{dir: dir, referenced: referenced, pins: map[string]int{}}
	return f, f.sweep()
}

// sweep removes the files that nothing refers to. Names that are not ours stay.
func (f *Files) sweep() error {
	entries, err := os.ReadDir(f.dir)
	if err != nil {
		return err
	}
	var unused, hashes []string
	for _, entry := range entries {
		name := entry.Name()
		if strings.HasPrefix(name, temporary) {
			unused = append(unused, name)
		} else if raw, err := hex.DecodeString(name); err == nil && len(raw) == sha256.Size {
			hashes = append(hashes, name)
		}
	}
	used, err := f.referenced(hashes...)
	if err != nil {
		return err
	}
	slices.Sort(used)
	for _, hash := range hashes {
		if _, found := slices.BinarySearch(used, hash); !found {
			unused = append(unused, hash)
		}
	}
	for _, name := range unused {
		if err := os.Remove(filepath.Join(f.dir, name)); err != nil {
			return err
		}
	}
	return nil
}

// Draft is a content on its way in. Close must be called.
type Draft struct {
	Hash string // SHA-256 in hexadecimal
	Size int64  // in bytes

	files *Files
	path  string // of the temporary file; "" once kept
	held  bool
}

// Write reads body up to io.EOF into a temporary file and flushes it. On any
// error nothing is left of it.
func (f *Files) Write(body io.Reader, limit int64) (*Draft, error) {
	file, err := os.CreateTemp(f.dir, temporary+"*") // mode 0600
	if err != nil {
		return nil, err
	}
	d := &Draft{files: f, path: file.Name()}
	if err := d.fill(file, body, limit); err != nil {
		file.Close()
		d.Close()
		return nil, err
	}
	return d, nil
}

func (d *Draft) fill(file *os.File, body io.Reader, limit int64) error {
	sum := sha256.New()
	n, err := io.Copy(io.MultiWriter(file, sum), io.LimitReader(body, limit+1))
	if err != nil {
		return err
	}
	if n > limit {
		return ErrTooLarge
	}
	if err := file.Sync(); err != nil {
		return err
	}
	d.Hash, d.Size = hex.EncodeToString(sum.Sum(nil)), n
	return file.Close()
}

// Keep gives the content its name. Until Close it is safe from Remove.
func (d *Draft) Keep() error {
	f := d.files
	f.mu.Lock()
	defer f.mu.Unlock()
	f.pins[d.Hash]++
	d.held = true
	path := filepath.Join(f.dir, d.Hash)
	if _, err := os.Stat(path); err == nil {
		return nil // Close removes the second copy
	}
	if err := os.Rename(d.path, path); err != nil {
		return err
	}
	d.path = ""
	return syncDir(f.dir)
}

// Close lets go of the draft. A content that nothing refers to by then goes.
func (d *Draft) Close() error {
	var err error
	if d.path != "" {
		err = os.Remove(d.path)
		d.path = ""
	}
	if !d.held {
		return err
	}
	d.held = false
	return errors.Join(err, d.files.Unpin(d.Hash))
}

// Pin keeps a content that is there from being removed until Unpin is called.
// The error is fs.ErrNotExist for one that is not there.
func (f *Files) Pin(hash string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if _, err := os.Stat(filepath.Join(f.dir, hash)); err != nil {
		return err
	}
	f.pins[hash]++
	return nil
}

// Unpin lets go of a content. One that nothing refers to by then goes.
func (f *Files) Unpin(hash string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.pins[hash]--; f.pins[hash] > 0 {
		return nil
	}
	delete(f.pins, hash)
	return f.unlink(hash)
}

// Remove removes a content, unless something refers to it again or a draft with
// the same content is about to be committed.
func (f *Files) Remove(hash string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.pins[hash] > 0 {
		return nil // Unpin looks again
	}
	return f.unlink(hash)
}

// unlink removes a content that nothing refers to. The lock is held.
func (f *Files) unlink(hash string) error {
	used, err := f.referenced(hash)
	if err != nil || len(used) > 0 {
		return err
	}
	err = os.Remove(filepath.Join(f.dir, hash))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// Open opens a content for reading. The error is fs.ErrNotExist for one that was
// removed.
func (f *Files) Open(hash string) (*os.File, error) {
	if strings.ContainsAny(hash, `/\`) {
		return nil, fmt.Errorf("%q is not the name of a content", hash)
	}
	return os.Open(filepath.Join(f.dir, hash))
}

// syncDir makes the names in a folder durable.
func syncDir(dir string) error {
	file, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer file.Close()
	return file.Sync()
}
