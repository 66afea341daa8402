// Package code keeps functions' and layers' code: each archive once, by its
// hash, unpacked and read-only, below one folder.
//
//	store := &code.Store{Dir: dir}
//	archive, err := store.Add(reader)   // unpacked; archive.SHA256 names it
//	root := store.Path(archive.SHA256)  // the folder
//	err = code.Runnable(root, "provided.al2023")
//
// Archives are foreign: nothing is written outside of the folder, whatever
// names and links they contain, and their size is bounded as in Lambda.
package code

import (
	"archive/zip"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"
)

// Lambda's quotas for deployment packages, in bytes and files.
const (
	MaxZipped   = 250 << 20
	MaxUnzipped = 262_144_000
	maxFiles    = 100_000
)

// Refusal is an error in Lambda's own words.
type Refusal string

// Error returns the words.
func (r Refusal) Error() string { return string(r) }

const (
	// ErrBadArchive is for what is no zip archive.
	ErrBadArchive = Refusal("Could not unzip uploaded file. Please check your file, then try to upload again.")
	// ErrTooLarge is for an archive over the quota.
	ErrTooLarge = Refusal("Unzipped size must be smaller than 262144000 bytes")
)

// Store is a folder of unpacked archives.
type Store struct {
	Dir string
	// Base has what Dir has not: that of the region that this one's is a fork of. Its
	// archives are read, and never removed, from here. Nil for none.
	Base *Store
}

// Archive is what is known of one archive.
type Archive struct {
	SHA256 string // hexadecimal; the archive's name in the store
	Size   int64  // of the zip in bytes
}

// Base64 is the hash as Lambda's CodeSha256.
func (a Archive) Base64() string {
	sum, err := hex.DecodeString(a.SHA256)
	if err != nil {
		return ""
	}
	return base64.StdEncoding.EncodeToString(sum)
}

// Path is the folder of an unpacked archive, which exists after Add.
func (s *Store) Path(sha256 string) string { return s.find(sha256) }

// find returns where a file or a folder of the store is, or will be.
func (s *Store) find(name string) string {
	own := filepath.Join(s.Dir, name)
	if s.Base == nil {
		return own
	}
	if exists(own) {
		return own
	}
	if based := s.Base.find(name); exists(based) {
		return based
	}
	return own
}

func exists(name string) bool {
	_, err := os.Stat(name)
	return err == nil
}

// Has says whether an archive is there.
func (s *Store) Has(sha256 string) bool { return exists(s.Path(sha256)) }

// Add unpacks a zip archive, unless it is there already. The error is
// ErrBadArchive, ErrTooLarge or one that names the entry that is refused.
func (s *Store) Add(r io.Reader) (Archive, error) {
	if err := os.MkdirAll(s.Dir, 0o700); err != nil {
		return Archive{}, err
	}
	file, err := os.CreateTemp(s.Dir, ".new-")
	if err != nil {
		return Archive{}, err
	}
	defer os.Remove(file.Name())
	defer file.Close()
	archive, err := receive(file, r)
	if err != nil {
		return archive, err
	}
	if s.Has(archive.SHA256) && s.hasArchive(archive.SHA256) {
		return archive, errors.Join(touch(s.Path(archive.SHA256)), touch(s.archivePath(archive.SHA256)))
	}
	temporary, err := os.MkdirTemp(s.Dir, ".new-")
	if err != nil {
		return Archive{}, err
	}
	defer removeAll(temporary)
	if err := unpack(file, archive.Size, temporary); err != nil {
		return Archive{}, err
	}
	if err := s.settle(temporary, s.Path(archive.SHA256)); err != nil {
		return Archive{}, err
	}
	return archive, os.Rename(file.Name(), s.archivePath(archive.SHA256))
}

// receive writes an archive to a file and hashes it on the way.
func receive(file io.Writer, r io.Reader) (Archive, error) {
	sum := sha256.New()
	n, err := io.CopyBuffer(io.MultiWriter(file, sum), io.LimitReader(r, MaxZipped+1), make([]byte, 256<<10))
	if err != nil {
		return Archive{}, err
	}
	if n > MaxZipped {
		return Archive{}, ErrTooLarge
	}
	return Archive{SHA256: hex.EncodeToString(sum.Sum(nil)), Size: n}, nil
}

// archivePath is where an archive is kept as it came, for those who ask for it.
func (s *Store) archivePath(sha256 string) string { return s.find(sha256 + archiveSuffix) }

const archiveSuffix = ".zip"

func (s *Store) hasArchive(sha256 string) bool { return exists(s.archivePath(sha256)) }

// settle makes a finished folder read-only and gives it its name. Where
// another call was faster its folder, which is the same, stays.
func (s *Store) settle(temporary, target string) error {
	if err := readOnly(temporary); err != nil {
		return err
	}
	if err := os.Rename(temporary, target); err != nil {
		if _, there := os.Stat(target); there == nil {
			return nil
		}
		return err
	}
	return nil
}

// Merge unpacks archives that are in the store over each other, in order, as
// Lambda does with layers in /opt, and returns the folder.
func (s *Store) Merge(archives []string) (string, error) {
	sum := sha256.Sum256([]byte(strings.Join(archives, "\n")))
	target := s.Path("opt-" + hex.EncodeToString(sum[:]))
	if exists(target) {
		return target, touch(target)
	}
	if err := os.MkdirAll(s.Dir, 0o700); err != nil {
		return "", err
	}
	temporary, err := os.MkdirTemp(s.Dir, ".new-")
	if err != nil {
		return "", err
	}
	defer removeAll(temporary)
	for _, archive := range archives {
		if err := copyTree(s.Path(archive), temporary); err != nil {
			return "", err
		}
	}
	return target, s.settle(temporary, target)
}

// touch makes Keep take what was there before for as young as what is new.
func touch(file string) error {
	now := time.Now()
	return os.Chtimes(file, now, now)
}

// Keep removes everything from the store but the archives, and the merged
// layers, that are named by their folder's base name, and what was added within
// the last while: whoever added it may not have said yet that it is used.
func (s *Store) Keep(names map[string]bool, young time.Duration) error {
	entries, err := os.ReadDir(s.Dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	for _, entry := range entries {
		if names[strings.TrimSuffix(entry.Name(), archiveSuffix)] {
			continue
		}
		if info, err := entry.Info(); err != nil || young > 0 && time.Since(info.ModTime()) < young {
			continue // it went away meanwhile, or is young
		}
		removeAll(filepath.Join(s.Dir, entry.Name()))
	}
	return nil
}

// unpack writes an archive's files below dir.
func unpack(data io.ReaderAt, size int64, dir string) error {
	archive, err := zip.NewReader(data, size)
	if err != nil {
		return ErrBadArchive
	}
	if len(archive.File) > maxFiles {
		return fmt.Errorf("the archive has %d files, more than %d", len(archive.File), maxFiles)
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return err
	}
	defer root.Close()
	left := int64(MaxUnzipped)
	for _, file := range archive.File {
		n, err := unpackFile(root, file, left)
		if err != nil {
			return theArchives(file.Name, err)
		}
		left -= n
	}
	return nil
}

// theArchives makes a refusal of an error that the archive's names cause, such as a
// file where another entry needs a folder. What the disk lacks stays the system's
// error.
func theArchives(name string, err error) error {
	var file *fs.PathError
	var link *os.LinkError
	var errno syscall.Errno
	switch {
	case !errors.As(err, &file) && !errors.As(err, &link):
		return err
	case errors.As(err, &errno) && !slices.Contains([]error{syscall.EEXIST, syscall.ENOTDIR, syscall.EISDIR,
		syscall.ENAMETOOLONG, syscall.ELOOP, syscall.EINVAL, syscall.ENOENT}, error(errno)):
		return err
	}
	return fmt.Errorf("the archive's entry %q can't be unpacked beside the others: %v", name, err)
}

// unpackFile writes one entry and returns its size.
func unpackFile(root *os.Root, file *zip.File, left int64) (int64, error) {
	name := path.Clean(strings.ReplaceAll(file.Name, `\`, "/"))
	if !filepath.IsLocal(filepath.FromSlash(name)) {
		return 0, fmt.Errorf("the archive's entry %q leaves its folder", file.Name)
	}
	if name == "." {
		return 0, nil
	}
	mode := file.Mode()
	if mode.IsDir() || strings.HasSuffix(file.Name, "/") {
		return 0, root.MkdirAll(name, 0o755)
	}
	if dir := path.Dir(name); dir != "." {
		if err := root.MkdirAll(dir, 0o755); err != nil {
			return 0, fmt.Errorf("the archive's entry %q: %w", file.Name, err)
		}
	}
	content, err := file.Open()
	if err != nil {
		return 0, ErrBadArchive
	}
	defer content.Close()
	switch {
	case mode.IsRegular():
		return writeFile(root, name, mode, io.LimitReader(content, left+1), left)
	case mode&fs.ModeSymlink != 0:
		return 0, link(root, name, content)
	}
	return 0, fmt.Errorf("the archive's entry %q is neither a file, a folder nor a link", file.Name)
}

func writeFile(root *os.Root, name string, mode fs.FileMode, content io.Reader, left int64) (int64, error) {
	permission := fs.FileMode(0o644)
	if mode&0o111 != 0 || mode.Perm() == 0 {
		permission = 0o755
	}
	out, err := root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, permission)
	if err != nil {
		return 0, fmt.Errorf("the archive's entry %q: %w", name, err)
	}
	n, err := io.Copy(out, content)
	if closing := out.Close(); err == nil && closing != nil {
		return n, closing
	}
	if err != nil {
		return n, ErrBadArchive
	}
	if n > left {
		return n, ErrTooLarge
	}
	return n, nil
}

// link makes a symbolic link that stays within the archive.
func link(root *os.Root, name string, content io.Reader) error {
	target, err := io.ReadAll(io.LimitReader(content, 4096))
	if err != nil {
		return ErrBadArchive
	}
	if path.IsAbs(string(target)) || !filepath.IsLocal(filepath.FromSlash(path.Join(path.Dir(name), string(target)))) {
		return fmt.Errorf("the archive's link %q leads out of its folder, to %q", name, target)
	}
	return root.Symlink(string(target), name)
}

// copyTree copies a read-only tree over another; later files replace earlier.
// A link where the tree has a folder gives way to it: through it, files would be
// replaced that are not below to.
func copyTree(from, to string) error {
	return filepath.WalkDir(from, func(file string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		relative, err := filepath.Rel(from, file)
		if err != nil {
			return err
		}
		target := filepath.Join(to, relative)
		if there, err := os.Lstat(target); entry.IsDir() && err == nil && there.IsDir() {
			return nil
		}
		if err := os.RemoveAll(target); err != nil {
			return err
		}
		if entry.IsDir() {
			return os.Mkdir(target, 0o755)
		}
		if entry.Type()&fs.ModeSymlink != 0 {
			destination, err := os.Readlink(file)
			if err != nil {
				return err
			}
			return os.Symlink(destination, target)
		}
		return os.Link(file, target)
	})
}

// readOnly takes the right to write from a tree.
func readOnly(dir string) error {
	var dirs []string
	err := filepath.WalkDir(dir, func(file string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() {
			dirs = append(dirs, file)
			return nil
		}
		if entry.Type()&fs.ModeSymlink != 0 {
			return nil
		}
		info, err := entry.Info()
		if err != nil {
			return err
		}
		return os.Chmod(file, info.Mode().Perm()&^0o222)
	})
	for _, d := range dirs {
		if err == nil && d != dir {
			err = os.Chmod(d, 0o555)
		}
	}
	return err
}

// removeAll removes a tree that may be read-only.
func removeAll(dir string) {
	_ = filepath.WalkDir(dir, func(file string, entry fs.DirEntry, err error) error {
		if err == nil && entry.IsDir() {
			return os.Chmod(file, 0o755)
		}
		return nil
	})
	_ = os.RemoveAll(dir)
}
