package synth

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"github.com/seed-615d3599/roost/internal/watch"
)

// A Marker is a Source that can tell, without making the assembly, that what it
// is made from is as it was. That holds for all files in the app's folder and
// those that functions were built from, for the environment and for the
// programs at work. What the app's program learns elsewhere, such as from a
// clock, no mark can hold: whoever relies on one makes the assembly later on.
type Marker interface {
	// Mark describes what the last Assemble has read. ok is false where that has
	// changed meanwhile.
	Mark() (m Mark, ok bool)
	// Unchanged reports whether all is as a mark has it.
	Unchanged(m Mark) bool
}

// Mark is what an assembly was made from.
type Mark struct {
	// Inputs is a hash of the names and contents of files, and of the rest.
	Inputs string `json:"inputs"`
	// Outside are files and folders outside the app's folder, absolute.
	Outside []string `json:"outside"`
}

var _ Marker = (*libApp)(nil)

// Mark describes what the last Assemble has read.
func (l *libApp) Mark() (Mark, bool) {
	now, err := l.inside()
	if err != nil || l.before == "" || now != l.before {
		return Mark{}, false
	}
	used, err := l.builder.Inputs()
	if err != nil {
		return Mark{}, false
	}
	m := Mark{Outside: slices.DeleteFunc(used, l.covered)}
	if m.Inputs, err = withOutside(now, m.Outside); err != nil {
		return Mark{}, false
	}
	// The builds are looked at last: what was edited before the hash was taken
	// shows here, what was edited after it does not equal the hash.
	return m, l.builder.Settled()
}

// Unchanged reports whether all is as a mark has it.
func (l *libApp) Unchanged(m Mark) bool {
	now, err := l.inside()
	if err == nil {
		now, err = withOutside(now, m.Outside)
	}
	return err == nil && now == m.Inputs
}

// covered reports whether inside takes a file in, or need not.
func (l *libApp) covered(name string) bool {
	rel, err := filepath.Rel(l.App.Dir, name)
	if err != nil || rel == ".." || strings.HasPrefix(rel, ".."+string(filepath.Separator)) {
		return false
	}
	if strings.HasPrefix(name, l.App.RoostDir()+string(filepath.Separator)) {
		return true // what this program writes
	}
	for part := range strings.SplitSeq(rel, string(filepath.Separator)) {
		if part != "." && watch.Ignored(part) {
			return false
		}
	}
	return true
}

// inside is a hash of what an edit in the app's folder could change, of the
// settings, the environment, this program and the Go command.
func (l *libApp) inside() (string, error) {
	h := sha256.New()
	settings, err := json.Marshal([]any{l.App, l.Debug, l.Live, environment(l.Environ)})
	if err != nil {
		return "", err
	}
	h.Write(settings)
	program, err := os.Executable()
	if err != nil {
		return "", err
	}
	compiler, err := exec.LookPath("go")
	if err != nil {
		return "", err
	}
	for _, name := range []string{program, compiler} {
		if err := stamp(h, name); err != nil {
			return "", err
		}
	}
	real, err := filepath.EvalSymlinks(l.App.Dir)
	if err != nil {
		return "", err
	}
	in := &tree{hash: h, app: real, written: l.Written, linked: map[string]bool{real: true}}
	err = in.folder(l.App.Dir)
	return hex.EncodeToString(h.Sum(nil)), err
}

// A tree is the files below an app's folder and once below each other folder that
// a link leads to, on their way into a hash.
type tree struct {
	hash    hash.Hash
	app     string          // the app's folder, without links
	written string          // a file that does not count
	linked  map[string]bool // folders that have been looked through, without links
}

func (t *tree) folder(dir string) error {
	return filepath.WalkDir(dir, func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case name == dir:
			return nil
		case watch.Ignored(name) && d.IsDir():
			return fs.SkipDir
		case watch.Ignored(name) || name == t.written:
			return nil
		case d.IsDir():
			fmt.Fprintf(t.hash, "%q folder\n", name)
			return nil
		case d.Type() == fs.ModeSymlink:
			return t.link(name)
		}
		return hashInput(t.hash, name)
	})
}

// link adds what a link leads to. One up the tree leads to more than an app's files.
func (t *tree) link(name string) error {
	if info, err := os.Stat(name); err != nil || !info.IsDir() {
		return hashInput(t.hash, name)
	}
	real, err := filepath.EvalSymlinks(name)
	if err != nil {
		return err
	}
	fmt.Fprintf(t.hash, "%q leads to %q\n", name, real)
	if t.linked[real] {
		return nil
	}
	if rel, err := filepath.Rel(real, t.app); err == nil && filepath.IsLocal(rel) {
		return fmt.Errorf("%s leads up to %s, which is not looked through", name, real)
	}
	t.linked[real] = true
	return t.folder(real)
}

// environment is what of an environment can matter: not what shells count.
func environment(environ []string) []string {
	kept := slices.DeleteFunc(slices.Clone(environ), func(v string) bool {
		name, _, _ := strings.Cut(v, "=")
		return name == "_" || name == "OLDPWD" || name == "SHLVL"
	})
	slices.Sort(kept)
	return kept
}

// withOutside adds files and folders to a hash.
func withOutside(inside string, outside []string) (string, error) {
	h := sha256.New()
	io.WriteString(h, inside)
	for _, name := range outside {
		if err := hashInput(h, name); err != nil {
			return "", err
		}
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

// maxContents is the size in bytes up to which a file's contents are read.
// Above, size and time tell, as they do for the go command.
const maxContents = 4 << 20

// hashInput adds a file's contents, or the names in a folder.
func hashInput(h hash.Hash, name string) error {
	info, err := os.Stat(name)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		fmt.Fprintf(h, "%q absent\n", name)
		return nil
	case err != nil:
		return err
	case info.IsDir():
		entries, err := os.ReadDir(name)
		for _, entry := range entries {
			fmt.Fprintf(h, "%q in %q\n", entry.Name(), name)
		}
		return err
	case info.Size() > maxContents || !info.Mode().IsRegular():
		return stamp(h, name)
	}
	data, err := os.ReadFile(name)
	fmt.Fprintf(h, "%q %x\n", name, sha256.Sum256(data))
	return err
}

// stamp adds what tells a file from another version of it without reading it.
func stamp(h hash.Hash, name string) error {
	info, err := os.Stat(name)
	if err != nil {
		return err
	}
	fmt.Fprintf(h, "%q %d %d %v\n", name, info.Size(), info.ModTime().UnixNano(), info.Mode())
	return nil
}
