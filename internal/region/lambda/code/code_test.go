package code

import (
	"archive/zip"
	"bytes"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// entry is one entry of an archive that a test makes.
type entry struct {
	name, content string
	mode          fs.FileMode
}

func archive(t testing.TB, entries ...entry) []byte {
	t.Helper()
	var out bytes.Buffer
	w := zip.NewWriter(&out)
	for _, e := range entries {
		header := &zip.FileHeader{Name: e.name, Method: zip.Deflate}
		header.SetMode(e.mode)
		f, err := w.CreateHeader(header)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := f.Write([]byte(e.content)); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func TestAdd(t *testing.T) {
	s := &Store{Dir: filepath.Join(t.TempDir(), "code")}
	data := archive(t, entry{"bootstrap", "#!/bin/sh", 0o755}, entry{"lib/a.js", "1", 0o644}, entry{"link", "lib/a.js", fs.ModeSymlink | 0o777})
	got, err := s.Add(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	again, err := s.Add(bytes.NewReader(data))
	if err != nil || again != got {
		t.Errorf("the second time: %v %v", again, err)
	}
	content, err := os.ReadFile(filepath.Join(s.Path(got.SHA256), "link"))
	if err != nil || string(content) != "1" {
		t.Errorf("got %q %v", content, err)
	}
	info, err := os.Stat(filepath.Join(s.Path(got.SHA256), "bootstrap"))
	if err != nil || info.Mode().Perm() != 0o555 {
		t.Errorf("the mode of bootstrap is %v (%v)", info.Mode(), err)
	}
	if err := s.Keep(nil, 0); err != nil || s.Has(got.SHA256) {
		t.Errorf("it is still there (%v)", err)
	}
}

// A deployment that was begun has its code in the store before anything says that
// it is used.
// A store on another one reads what that has, and adds and removes only its own.
func TestBase(t *testing.T) {
	base := &Store{Dir: filepath.Join(t.TempDir(), "code")}
	s := &Store{Dir: filepath.Join(t.TempDir(), "code"), Base: base}
	add := func(to *Store, content string) string {
		t.Helper()
		added, err := to.Add(bytes.NewReader(archive(t, entry{"bootstrap", content, 0o755})))
		if err != nil {
			t.Fatal(err)
		}
		return added.SHA256
	}
	old := add(base, "old")
	if again := add(s, "old"); again != old || s.Path(old) != base.Path(old) || !s.hasArchive(old) {
		t.Errorf("what the base has is at %s", s.Path(again))
	}
	merged, err := s.Merge([]string{old})
	if err != nil || filepath.Dir(merged) != s.Dir {
		t.Errorf("merged into %s, %v", merged, err)
	}
	own := add(s, "new")
	if s.Path(own) != filepath.Join(s.Dir, own) || base.Has(own) {
		t.Errorf("what the base has not is at %s", s.Path(own))
	}
	if err := s.Keep(nil, 0); err != nil || s.Has(own) || !s.Has(old) || !base.Has(old) || !base.hasArchive(old) {
		t.Errorf("own: %v, the base's: %v, %v", s.Has(own), base.Has(old), err)
	}
}

func TestKeepSparesWhatIsYoung(t *testing.T) {
	s := &Store{Dir: filepath.Join(t.TempDir(), "code")}
	data := archive(t, entry{"a", "1", 0o644})
	got, err := s.Add(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	merged, err := s.Merge([]string{got.SHA256})
	if err != nil {
		t.Fatal(err)
	}
	keep := func(want bool, when string) {
		t.Helper()
		if err := s.Keep(nil, time.Hour); err != nil {
			t.Fatal(err)
		}
		_, err := os.Stat(merged)
		if s.Has(got.SHA256) != want || s.hasArchive(got.SHA256) != want || (err == nil) != want {
			t.Errorf("%s: is the code there: %v, the archive: %v, the merged layers: %v; want %v", when, s.Has(got.SHA256), s.hasArchive(got.SHA256), err == nil, want)
		}
	}
	age := func() {
		t.Helper()
		before := time.Now().Add(-2 * time.Hour)
		for _, file := range []string{s.Path(got.SHA256), s.archivePath(got.SHA256), merged} {
			if err := os.Chtimes(file, before, before); err != nil {
				t.Fatal(err)
			}
		}
	}
	keep(true, "new")
	age()
	if _, err := s.Add(bytes.NewReader(data)); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Merge([]string{got.SHA256}); err != nil {
		t.Fatal(err)
	}
	keep(true, "added again")
	age()
	keep(false, "old")
}

func TestRefusedArchives(t *testing.T) {
	tests := []struct {
		name string
		data []byte
		want string
	}{
		{"no archive", []byte("hello"), "Could not unzip uploaded file"},
		{"parent folder", archive(t, entry{"../evil", "x", 0o644}), `"../evil" leaves its folder`},
		{"a file as a folder", archive(t, entry{"a", "x", 0o644}, entry{"a/b", "x", 0o644}), `"a/b" can't be unpacked`},
		{"a folder as a file", archive(t, entry{"a/b", "x", 0o644}, entry{"a", "x", 0o644}), `"a" can't be unpacked`},
		{"a link over a file", archive(t, entry{"a", "x", 0o644}, entry{"a", "b", fs.ModeSymlink | 0o777}), `"a" can't be unpacked`},
		{"a long name", archive(t, entry{strings.Repeat("a", 300), "x", 0o644}), "can't be unpacked"},
		{"hidden parent", archive(t, entry{"a/../../evil", "x", 0o644}), "leaves its folder"},
		{"absolute", archive(t, entry{"/etc/evil", "x", 0o644}), "leaves its folder"},
		{"backslashes", archive(t, entry{`..\evil`, "x", 0o644}), "leaves its folder"},
		{"link out", archive(t, entry{"l", "../../etc", fs.ModeSymlink | 0o777}), "leads out of its folder"},
		{"absolute link", archive(t, entry{"l", "/etc", fs.ModeSymlink | 0o777}), "leads out of its folder"},
		{"device", archive(t, entry{"d", "", fs.ModeDevice | 0o666}), "neither a file"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			s := &Store{Dir: t.TempDir()}
			_, err := s.Add(bytes.NewReader(test.data))
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, want %s", err, test.want)
			}
			if left, _ := os.ReadDir(s.Dir); len(left) != 0 {
				t.Errorf("%d files are left", len(left))
			}
		})
	}
}

func TestMerge(t *testing.T) {
	s := &Store{Dir: t.TempDir()}
	var names []string
	for _, data := range [][]byte{
		archive(t, entry{"python/a.py", "1", 0o644}, entry{"python/b.py", "1", 0o644}),
		archive(t, entry{"python/b.py", "2", 0o644}),
	} {
		a, err := s.Add(bytes.NewReader(data))
		if err != nil {
			t.Fatal(err)
		}
		names = append(names, a.SHA256)
	}
	dir, err := s.Merge(names)
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{"python/a.py": "1", "python/b.py": "2"} {
		if got, err := os.ReadFile(filepath.Join(dir, name)); err != nil || string(got) != want {
			t.Errorf("%s is %q (%v)", name, got, err)
		}
	}
}

// TestMergeStaysInside merges a layer whose link leads out of its folder by way of
// another link, and one with a file behind it.
func TestMergeStaysInside(t *testing.T) {
	s := &Store{Dir: filepath.Join(t.TempDir(), "code")}
	outside := filepath.Join(s.Dir, "victim")
	var names []string
	for _, data := range [][]byte{
		archive(t, entry{"a/here", "..", fs.ModeSymlink | 0o777}, entry{"out", "a/here/..", fs.ModeSymlink | 0o777}),
		archive(t, entry{"out/victim", "overwritten", 0o644}),
	} {
		a, err := s.Add(bytes.NewReader(data))
		if err != nil {
			t.Fatal(err)
		}
		names = append(names, a.SHA256)
	}
	if err := os.WriteFile(outside, []byte("kept"), 0o600); err != nil {
		t.Fatal(err)
	}
	dir, err := s.Merge(names)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := os.ReadFile(outside); err != nil || string(got) != "kept" {
		t.Errorf("the file outside is %q (%v)", got, err)
	}
	if got, err := os.ReadFile(filepath.Join(dir, "out", "victim")); err != nil || string(got) != "overwritten" {
		t.Errorf("the file of the layer is %q (%v)", got, err)
	}
}

func TestRunnable(t *testing.T) {
	executable, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	if err := runnable(executable, "plan9", "mips"); err == nil || !strings.Contains(err.Error(), "this machine runs plan9/mips") {
		t.Errorf("got %v", err)
	}
	dir := t.TempDir()
	for content, want := range map[string]string{"#!/bin/sh\n": "", "rubbish": "neither a program nor a script"} {
		if err := os.WriteFile(filepath.Join(dir, "bootstrap"), []byte(content), 0o755); err != nil {
			t.Fatal(err)
		}
		err := Runnable(dir)
		if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%q: got %v", content, err)
		}
	}
	if err := Runnable(t.TempDir()); err != nil {
		t.Errorf("without a bootstrap: got %v", err)
	}
}

func FuzzAdd(f *testing.F) {
	f.Add(archive(f, entry{"a/b", "x", 0o644}, entry{"l", "a", fs.ModeSymlink | 0o777}, entry{"l/c", "y", 0o644}))
	f.Add([]byte("PK\x03\x04"))
	f.Fuzz(func(t *testing.T, data []byte) {
		parent := t.TempDir()
		s := &Store{Dir: filepath.Join(parent, "a", "code")}
		_, _ = s.Add(bytes.NewReader(data))
		entries, _ := os.ReadDir(parent)
		for _, e := range entries {
			if e.Name() != "a" {
				t.Errorf("%s was written outside of the folder", e.Name())
			}
		}
		removeAll(s.Dir)
	})
}
