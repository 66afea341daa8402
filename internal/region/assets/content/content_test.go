package content_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"
	"sync"
	"testing"

	"github.com/seed-615d3599/roost/internal/region/assets/content"
)

// records stand for the store: how many refer to a content.
type records struct {
	mu    sync.Mutex
	count map[string]int
}

func (r *records) referenced(hashes ...string) (used []string, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, hash := range hashes {
		if r.count[hash] > 0 {
			used = append(used, hash)
		}
	}
	return used, nil
}

func (r *records) add(hash string, n int) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.count[hash] += n
	return r.count[hash]
}

// Whoever has committed a reference can read the bytes, however many write and
// remove the same content at once; in the end nothing is left.
func TestSharedContentsStayWhileReferred(t *testing.T) {
	r := &records{count: map[string]int{}}
	files, err := content.Open(t.TempDir(), r.referenced)
	if err != nil {
		t.Fatal(err)
	}
	var work sync.WaitGroup
	for range 4 {
		work.Go(func() {
			for i := range 40 {
				if err := cycle(files, r, fmt.Sprintf("content %d", i%3)); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	work.Wait()
	for hash := range r.count {
		if _, err := files.Open(hash); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s is left over (%v)", hash, err)
		}
	}
}

// cycle writes a content, refers to it, reads it and lets it go.
func cycle(files *content.Files, r *records, text string) error {
	draft, err := files.Write(strings.NewReader(text), 100)
	if err != nil {
		return err
	}
	if err := draft.Keep(); err != nil {
		return err
	}
	r.add(draft.Hash, 1)
	if err := draft.Close(); err != nil {
		return err
	}
	file, err := files.Open(draft.Hash)
	if err != nil {
		return err
	}
	data, err := io.ReadAll(file)
	file.Close()
	if err != nil || string(data) != text {
		return fmt.Errorf("read %q (%w)", data, err)
	}
	if r.add(draft.Hash, -1) == 0 {
		return files.Remove(draft.Hash)
	}
	return nil
}

func TestLimit(t *testing.T) {
	dir := t.TempDir()
	files, err := content.Open(dir, func(...string) ([]string, error) { return nil, nil })
	if err != nil {
		t.Fatal(err)
	}
	if _, err := files.Write(bytes.NewReader(make([]byte, 101)), 100); !errors.Is(err, content.ErrTooLarge) {
		t.Errorf("101 bytes of 100: %v", err)
	}
	if _, err := files.Open("../etc/passwd"); err == nil || errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a path: %v", err)
	}
}
