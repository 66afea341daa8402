package build

import (
	"archive/zip"
	"bytes"
	"compress/flate"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// An entry is one file of a zip.
type entry struct {
	name string // with forward slashes
	exec bool
	data []byte
}

// zipTime is the time of every entry: the earliest that the format knows.
var zipTime = time.Date(1980, 1, 1, 0, 0, 0, 0, time.UTC)

// packZip writes a zip in which nothing but names, contents and the executable
// bit counts. Without compress entries are stored, which is what a region on
// the same machine wants: deflating a Go binary takes as long as linking it.
func packZip(entries []entry, compress bool) ([]byte, error) {
	slices.SortFunc(entries, func(a, b entry) int { return strings.Compare(a.name, b.name) })
	size := 1024
	for _, e := range entries {
		size += len(e.data) + 2*len(e.name) + 256
	}
	buf := bytes.NewBuffer(make([]byte, 0, size))
	w := zip.NewWriter(buf)
	w.RegisterCompressor(zip.Deflate, func(out io.Writer) (io.WriteCloser, error) {
		return flate.NewWriter(out, flate.DefaultCompression)
	})
	for i, e := range entries {
		if i > 0 && entries[i-1].name == e.name {
			return nil, fmt.Errorf("two files want to be %s in the zip", e.name)
		}
		if err := addEntry(w, e, compress); err != nil {
			return nil, fmt.Errorf("zip %s: %w", e.name, err)
		}
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	return buf.Bytes(), nil
}

func addEntry(w *zip.Writer, e entry, compress bool) error {
	header := &zip.FileHeader{Name: e.name, Method: zip.Store, Modified: zipTime}
	if compress {
		header.Method = zip.Deflate
	}
	header.SetMode(0o644)
	if e.exec {
		header.SetMode(0o755)
	}
	out, err := w.CreateHeader(header)
	if err != nil {
		return err
	}
	_, err = out.Write(e.data)
	return err
}

// writeZip packs the entries into the cache under the name of their hash.
func (b *Builder) writeZip(entries []entry) (hash string, err error) {
	data, err := packZip(entries, b.cfg.AWS)
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(data)
	hash = hex.EncodeToString(sum[:])
	return hash, writeFile(b.zipPath(hash), data, 0o644)
}

func (b *Builder) zipPath(hash string) string {
	return filepath.Join(b.cfg.Cache, hash+".zip")
}

// writeFile replaces a file in one step, so that neither a reader nor a crash
// sees half of it.
func writeFile(name string, data []byte, mode fs.FileMode) error {
	tmp, err := os.CreateTemp(filepath.Dir(name), ".tmp-*")
	if err != nil {
		return err
	}
	defer os.Remove(tmp.Name())
	if _, err := tmp.Write(data); err != nil {
		tmp.Close()
		return err
	}
	if err := tmp.Close(); err != nil {
		return err
	}
	if err := os.Chmod(tmp.Name(), mode); err != nil {
		return err
	}
	return os.Rename(tmp.Name(), name)
}

// readTree returns the files below a folder that skip does not leave out.
func readTree(root string, skip func(name string) bool) ([]entry, error) {
	var entries []entry
	err := walk(root, skip, func(name string) error {
		info, err := os.Stat(name) // a link stands for what it points to
		if err != nil {
			return err
		}
		if info.IsDir() {
			return fmt.Errorf("%s is a link to a folder, which a zip cannot hold: copy the folder", name)
		}
		if !info.Mode().IsRegular() {
			return nil
		}
		data, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(root, name)
		if err != nil {
			return err
		}
		entries = append(entries, entry{name: filepath.ToSlash(rel), exec: info.Mode()&0o111 != 0, data: data})
		return nil
	})
	return entries, err
}

// ignored reports whether a file or folder of that name never belongs to a
// Python function. Hidden ones do not: .env holds secrets.
func ignored(name string) bool {
	return name == "venv" || name == "node_modules" || hidden(name) || compiled(name)
}

// hidden is ignored for code that is not bundled and so needs node_modules.
func hidden(name string) bool { return strings.HasPrefix(name, ".") }

// compiled is what Python writes beside its files.
func compiled(name string) bool { return name == "__pycache__" || strings.HasSuffix(name, ".pyc") }

// walk calls f for each file below root, without those that skip leaves out.
func walk(root string, skip func(name string) bool, f func(name string) error) error {
	return filepath.WalkDir(root, func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case name == root:
			return nil
		case skip(d.Name()) && d.IsDir():
			return fs.SkipDir
		case skip(d.Name()) || d.IsDir():
			return nil
		}
		return f(name)
	})
}
