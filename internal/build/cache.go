package build

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"
)

// A record is what is known about a finished build. It lies beside its zip, so
// that the next process need not build again.
type record struct {
	Hash        string
	Inputs      inputs
	Fingerprint string // of the inputs, as they were when the build began
	Warnings    []Problem
	Headers     string // Go: fingerprint of imports and embeds; see goInputs
}

// inputs are what a build was made from. Paths are absolute.
type inputs struct {
	// Files were read, or were looked for in vain.
	Files []string
	// Folders were read for the files with the given extensions.
	Folders []folder
}

type folder struct {
	Path string
	// Ext are the extensions that count, with their dot, in this folder only.
	// None means all files that readTree would take, in the folder and below.
	Ext []string
	// Modules takes node_modules in.
	Modules bool
}

// touchedBy reports whether one of the changed files, all absolute, is among
// the inputs. A changed folder counts when inputs lie in it.
func (in inputs) touchedBy(changed []string) bool {
	if len(in.Files)+len(in.Folders) == 0 {
		return true // nothing is known of this build
	}
	for _, name := range changed {
		for _, file := range in.Files {
			if file == name || strings.HasPrefix(file, name+string(filepath.Separator)) {
				return true
			}
		}
		for _, f := range in.Folders {
			if f.holds(name) || f.Path == name || strings.HasPrefix(f.Path, name+string(filepath.Separator)) {
				return true
			}
		}
	}
	return false
}

func (f folder) holds(name string) bool {
	rel, err := filepath.Rel(f.Path, name)
	if err != nil || rel == ".." || strings.HasPrefix(rel, ".."+string(filepath.Separator)) {
		return false
	}
	if len(f.Ext) == 0 {
		for part := range strings.SplitSeq(filepath.ToSlash(rel), "/") {
			if f.skip(part) {
				return false
			}
		}
		return true
	}
	return !strings.ContainsRune(rel, filepath.Separator) && f.takes(rel)
}

func (f folder) skip(name string) bool {
	if f.Modules {
		return hidden(name)
	}
	return ignored(name)
}

func (f folder) takes(name string) bool {
	return slices.Contains(f.Ext, filepath.Ext(name)) && !strings.HasSuffix(name, "_test.go")
}

// names returns every file that the inputs hold, sorted.
func (in inputs) names() ([]string, error) {
	names := slices.Clone(in.Files)
	for _, f := range in.Folders {
		if len(f.Ext) == 0 {
			err := walk(f.Path, f.skip, func(name string) error {
				names = append(names, name)
				return nil
			})
			if err != nil {
				return nil, err
			}
			continue
		}
		dir, err := os.ReadDir(f.Path)
		if err != nil {
			return nil, err
		}
		for _, d := range dir {
			if !d.IsDir() && f.takes(d.Name()) {
				names = append(names, filepath.Join(f.Path, d.Name()))
			}
		}
	}
	slices.Sort(names)
	return slices.Compact(names), nil
}

// fingerprint is a hash of the names and contents of the inputs.
func (in inputs) fingerprint() (string, error) {
	names, err := in.names()
	if err != nil {
		return "", err
	}
	h := sha256.New()
	for _, name := range names {
		if err := hashFile(h, name); err != nil {
			return "", err
		}
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

// fingerprintSince is the fingerprint after a build that began at the given
// time. If an input was written since then, it is not known which version was
// built, and the answer equals no fingerprint: the next build runs.
func (in inputs) fingerprintSince(began time.Time) string {
	names, err := in.names()
	if err != nil {
		return "unreadable"
	}
	for _, name := range names {
		if info, err := os.Stat(name); err == nil && info.ModTime().After(began.Add(-clockStep)) {
			return unsettled
		}
	}
	print, err := in.fingerprint()
	if err != nil {
		return "unreadable"
	}
	return print
}

// unsettled stands for the fingerprint of inputs that were written during the
// build. No fingerprint equals it.
const unsettled = "written during the build"

// clockStep is how far a file system's clock may lie behind the system's.
const clockStep = 10 * time.Millisecond

func hashFile(h hash.Hash, name string) error {
	fmt.Fprintf(h, "%q ", name)
	file, err := os.Open(name)
	if errors.Is(err, fs.ErrNotExist) || err == nil && isFolder(file) {
		fmt.Fprintln(h, "absent")
		return nil
	}
	if err != nil {
		return err
	}
	defer file.Close()
	sum := sha256.New()
	if _, err := io.Copy(sum, file); err != nil {
		return err
	}
	fmt.Fprintf(h, "%x\n", sum.Sum(nil))
	return nil
}

func isFolder(file *os.File) bool {
	info, err := file.Stat()
	if err != nil || info.IsDir() {
		file.Close()
		return true
	}
	return false
}

// cacheVersion changes when the same inputs come to give another zip.
const cacheVersion = 1

// key names a build: the function's settings, the target and the compiler.
// Two functions with the same key share one build.
func (b *Builder) key(f Function) string {
	f.ID = ""
	target := runtime.GOOS + "/" + runtime.GOARCH
	if b.cfg.AWS {
		target = "aws"
	}
	k, err := json.Marshal([]any{cacheVersion, b.cfg.App, b.cfg.Absolute && f.Kind == Node, b.cfg.Debug, f, target, goArch(f.Architecture), b.toolchain()})
	if err != nil {
		return f.Entry // cannot happen: a Function holds strings only
	}
	sum := sha256.Sum256(k)
	return hex.EncodeToString(sum[:16])
}

// upToDate returns the record of an earlier build whose inputs are still the
// same and whose zip is still there.
func (b *Builder) upToDate(j *job) *record {
	b.mu.Lock()
	rec := b.built[j.key]
	b.mu.Unlock()
	if rec == nil {
		rec = new(record)
		data, err := os.ReadFile(b.recordPath(j.key))
		if err != nil || json.Unmarshal(data, rec) != nil {
			return nil
		}
	}
	if rec.Hash == "" || filepath.Base(rec.Hash) != rec.Hash {
		return nil
	}
	if now, err := rec.Inputs.fingerprint(); err != nil || now != rec.Fingerprint {
		return nil
	}
	product := b.zipPath(rec.Hash)
	if j.isProgram() {
		product = b.programPath(rec.Hash)
	}
	if info, err := os.Stat(product); err != nil || info.Size() == 0 {
		return nil
	}
	return rec
}

// keep writes down a finished build.
func (b *Builder) keep(j *job, rec *record) error {
	j.rec = rec
	b.remember(j.key, rec)
	data, err := json.Marshal(rec)
	if err != nil {
		return err
	}
	return writeFile(b.recordPath(j.key), data, 0o644)
}

func (b *Builder) remember(key string, rec *record) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.built[key] = rec
}

func (b *Builder) forget(key string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.built, key)
}

func (b *Builder) recordPath(key string) string {
	return filepath.Join(b.cfg.Cache, key+".json")
}

// records are those of what this Builder has built or found up to date.
func (b *Builder) records() []*record {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Collect(maps.Values(b.built))
}

// Inputs returns what the builds of this Builder were made from, absolute,
// sorted and each once: files, those that were looked for in vain among them,
// and the folders in which more of them might appear.
func (b *Builder) Inputs() ([]string, error) {
	var all []string
	for _, rec := range b.records() {
		names, err := rec.Inputs.names()
		if err != nil {
			return nil, err
		}
		all = append(all, names...)
		for _, f := range rec.Inputs.Folders {
			all = append(all, f.Path)
		}
	}
	slices.Sort(all)
	return slices.Compact(all), nil
}

// Settled reports whether the inputs of every build of this Builder are now what
// was built.
func (b *Builder) Settled() bool {
	for _, rec := range b.records() {
		if now, err := rec.Inputs.fingerprint(); err != nil || now != rec.Fingerprint {
			return false
		}
	}
	return true
}

// Prune removes from the cache what this Builder has neither built nor used
// and what is older than the given time.
func (b *Builder) Prune(before time.Time) error {
	b.mu.Lock()
	used := map[string]bool{}
	for key, rec := range b.built {
		used[key+".json"], used[rec.Hash+".zip"], used[rec.Hash+".program"] = true, true, true
	}
	b.mu.Unlock()
	dir, err := os.ReadDir(b.cfg.Cache)
	if err != nil {
		return err
	}
	var problems []error
	for _, d := range dir {
		info, err := d.Info()
		if err != nil || used[d.Name()] || !info.ModTime().Before(before) {
			continue
		}
		problems = append(problems, os.RemoveAll(filepath.Join(b.cfg.Cache, d.Name())))
	}
	return errors.Join(problems...)
}
