package term

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func printer() (*Printer, *strings.Builder, *strings.Builder) {
	var out, err strings.Builder
	return New(&out, &err, func(string) string { return "" }), &out, &err
}

func TestStack(t *testing.T) {
	p, out, _ := printer()
	p.Banner("Deploying app")
	p.Stack(Stack{Name: "dev-app-my-stack", Status: "deployed", Outputs: []Pair{{"ApiEndpoint", "http://127.0.0.1:4010"}, {"IdentityPoolId", "us-east-1:abc"}}})
	p.Stack(Stack{Name: "dev-app-other", Status: "failed", Error: "the role is not there", Exports: []Pair{{"x", "y"}}})
	want := `===============
 Deploying app
===============

Stack dev-app-my-stack
  Status: deployed
  Outputs:
    ApiEndpoint: http://127.0.0.1:4010
    IdentityPoolId: us-east-1:abc
Stack dev-app-other
  Status: failed
  Error: the role is not there
  Exports:
    x: y
`
	if diff := cmp.Diff(want, out.String()); diff != "" {
		t.Error(diff)
	}
}

func TestError(t *testing.T) {
	missing := WithHint(errors.New("no roost.json"), "make one")
	for _, test := range []struct {
		err  error
		want string
	}{
		{errors.New("x"), "error: x\n"},
		{missing, "error: no roost.json\n  → make one\n"},
		{fmt.Errorf("build: %w", missing), "error: build: no roost.json\n  → make one\n"},
		{WithHint(missing, "outer"), "error: no roost.json\n  → outer\n"},
		{errors.Join(missing, errors.New("y"), missing), "error: no roost.json\ny\nno roost.json\n  → make one\n"},
		{errors.New("a\x1b[31mred\r"), "error: a\uFFFD[31mred\uFFFD\n"},
		{errors.New("a\u202eb"), "error: a\uFFFDb\n"},
	} {
		p, _, out := printer()
		p.Error(test.err)
		if diff := cmp.Diff(test.want, out.String()); diff != "" {
			t.Error(diff)
		}
	}
}

func TestColors(t *testing.T) {
	p := &Printer{outColor: true}
	if got := p.Styled(Green, "x"); got != "\x1b[32mx\x1b[0m" {
		t.Errorf("got %q", got)
	}
	p.NoColor()
	if got := p.Styled(Green, "x"); got != "x" {
		t.Errorf("got %q", got)
	}
	file, err := os.Create(t.TempDir() + "/out")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	if IsTerminal(file) {
		t.Error("a file is taken for a terminal")
	}
}

func TestLinesDoNotMix(t *testing.T) {
	p, out, _ := printer()
	var wait sync.WaitGroup
	line := strings.Repeat("x", 100)
	for range 50 {
		wait.Go(func() { p.Print(line) })
	}
	wait.Wait()
	for got := range strings.Lines(out.String()) {
		if got != line+"\n" {
			t.Fatalf("a line is %q", got)
		}
	}
}

// Errors of the system for a file say what to do; those for a port do not speak of
// files.
func TestHintsOfFiles(t *testing.T) {
	for _, test := range []struct {
		err  error
		want string
	}{
		{&fs.PathError{Op: "write", Path: "f", Err: syscall.ENOSPC}, "free some space"},
		{fmt.Errorf("start the region: %w", &fs.PathError{Op: "mkdir", Path: "f", Err: syscall.EROFS}), "read and write there"},
		{&os.LinkError{Op: "rename", Old: "a", New: "b", Err: syscall.EACCES}, "read and write there"},
		{&fs.PathError{Op: "open", Path: "f", Err: syscall.EMFILE}, "ulimit"},
		{WithHint(&fs.PathError{Op: "open", Path: "f", Err: syscall.EACCES}, "better"), "better"},
		{&fs.PathError{Op: "open", Path: "f", Err: syscall.ENOENT}, ""},
		{&os.SyscallError{Syscall: "bind", Err: syscall.EACCES}, ""},
	} {
		got := strings.Join(Hints(test.err), "|")
		if !strings.Contains(got, test.want) || (got == "") != (test.want == "") {
			t.Errorf("%v: got %q, want %q", test.err, got, test.want)
		}
	}
}
