package e2e

import (
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/seed-615d3599/roost/internal/need"
)

// TestTesting tries what docs/testing.md says, word for word: its commands, and
// its Go code as tests of an app.
func TestTesting(t *testing.T) {
	need.Tool(t, "curl")
	need.Tool(t, "node")
	need.Tool(t, "python3")
	text := document(t, "testing.md")
	t.Run("commands", func(t *testing.T) { tryDocument(t, text) })
	t.Run("code", func(t *testing.T) {
		code := strings.Join(blocks(text, "go"), "\n")
		if !strings.Contains(code, "func Test") {
			t.Fatal("the document has no test in Go")
		}
		tryCode(t, code)
	})
}

// TestDebugging tries what docs/debugging.md says, with Delve.
func TestDebugging(t *testing.T) {
	need.Tool(t, "curl")
	tryDocument(t, document(t, "debugging.md"), filepath.Dir(need.Tool(t, "dlv")))
}

func document(t *testing.T, name string) string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(need.Root(t), "docs", name))
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// blocks are the fenced blocks of a document that are in a language.
func blocks(text, language string) (all []string) {
	for {
		_, rest, found := strings.Cut(text, "```"+language+"\n")
		if !found {
			return all
		}
		block, after, _ := strings.Cut(rest, "```\n")
		all, text = append(all, block), after
	}
}

// tryCode runs tests in a module that has the example app and requires Roost's.
func tryCode(t *testing.T, code string) {
	root, dir := need.Root(t), t.TempDir()
	if err := os.CopyFS(dir, os.DirFS(filepath.Join(root, "examples", "rest-api-auth-twitter"))); err != nil {
		t.Fatal(err)
	}
	sums, err := os.ReadFile(filepath.Join(root, "go.sum"))
	if err != nil {
		t.Fatal(err)
	}
	module := "module app\n\ngo 1.26\n\nrequire github.com/seed-615d3599/roost v0.0.0\n\nreplace github.com/seed-615d3599/roost => " + root + "\n"
	for name, content := range map[string]string{"app_test.go": code, "go.mod": module, "go.sum": string(sums)} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	test := exec.Command("go", "test", "-count=1", ".")
	test.Dir, test.Env = dir, append(os.Environ(), "GOFLAGS=-mod=mod", "GOPROXY=off")
	if out, err := test.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}

// A desk is where somebody follows a document, with several terminals.
type desk struct {
	*replay
	dir     string
	running map[string]*typed // what has not ended, by its prompt
	asked   *typed            // a command whose answer comes later
}

// typed is a program that somebody talks with.
type typed struct {
	command *exec.Cmd
	in      io.Writer
	printed output
	read    int // how much of it was compared
	done    chan struct{}
}

// tryDocument follows the console blocks of a document. A block begins with a
// command, or with what a program that still runs prints meanwhile.
func tryDocument(t *testing.T, text string, path ...string) {
	p := newPerson(t, "")
	p.env = append(p.env, "PATH="+strings.Join(append(path, filepath.Dir(program), os.Getenv("PATH")), ":"), "NO_COLOR=1", "TERM=dumb")
	if err := os.WriteFile(filepath.Join(p.home, ".curlrc"), []byte("silent\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	d := &desk{replay: &replay{t: t, p: p, bound: map[string]string{}}, dir: p.home, running: map[string]*typed{}}
	console := blocks(text, "console")
	if len(console) < 5 {
		t.Fatalf("the document has only %d blocks", len(console))
	}
	for _, block := range console {
		d.follow(block)
	}
}

// debuggerPrompt begins the lines that are typed into Delve.
const debuggerPrompt = "(dlv) "

// follow goes through one block.
func (d *desk) follow(block string) {
	d.t.Helper()
	steps := []step{{}}
	for line := range strings.Lines(block) {
		line = strings.TrimSuffix(line, "\n")
		last := &steps[len(steps)-1]
		switch {
		case strings.HasPrefix(line, "$ "), strings.HasPrefix(line, debuggerPrompt):
			steps = append(steps, step{command: line})
		case len(last.want) == 0 && strings.HasPrefix(last.command, "$ ") && (line == ">" || strings.HasPrefix(line, "> ")):
			last.command += "\n" + strings.TrimPrefix(strings.TrimPrefix(line, ">"), " ")
		default:
			last.want = append(last.want, line)
		}
	}
	if len(steps[0].want) > 0 {
		waiting := d.asked
		if dlv := d.running[debuggerPrompt]; dlv != nil {
			waiting = dlv
		}
		if waiting == nil {
			d.t.Fatalf("nothing runs that could print\n%s", block)
		}
		d.wait(waiting, steps[0].want, "")
	}
	for _, s := range steps[1:] {
		d.enter(s)
	}
}

// enter types one line.
func (d *desk) enter(s step) {
	d.t.Helper()
	command := d.actual(s.command)
	dlv := d.running[debuggerPrompt]
	switch {
	case strings.HasPrefix(command, debuggerPrompt):
		if _, err := io.WriteString(dlv.in, strings.TrimPrefix(command, debuggerPrompt)+"\n"); err != nil {
			d.t.Fatal(err)
		}
		if command == debuggerPrompt+"exit -c" {
			<-dlv.done
			delete(d.running, debuggerPrompt)
			return
		}
		d.wait(dlv, s.want, command)
	case strings.HasPrefix(command, "$ cd "):
		d.dir = filepath.Join(d.dir, strings.TrimPrefix(command, "$ cd "))
	case strings.HasPrefix(command, "$ roost start "):
		d.wait(d.run(command+" --port 0"), s.want, command)
	case strings.HasPrefix(command, "$ dlv connect "):
		d.running[debuggerPrompt] = d.run(command)
		d.wait(d.running[debuggerPrompt], s.want, command)
	case dlv != nil:
		d.asked = d.run(command)
	default:
		ran := d.run(command)
		select {
		case <-ran.done:
		case <-time.After(patience):
			d.t.Fatalf("%s\nstill runs, and printed\n%s", command, ran.printed.String())
		}
		d.wait(ran, s.want, command)
	}
}

// actual is a command with what stands in this run for what the document has.
func (d *desk) actual(command string) string {
	return volatile.ReplaceAllStringFunc(command, func(shown string) string {
		if actual, ok := d.bound[shown]; ok {
			return actual
		}
		return shown
	})
}

// run starts a command in a shell, which the test ends.
func (d *desk) run(command string) *typed {
	d.t.Helper()
	r := &typed{command: exec.Command("bash", "-c", "exec 2>&1; "+strings.TrimPrefix(command, "$ ")), done: make(chan struct{})}
	r.command.Dir, r.command.Env, r.command.Stdout = d.dir, d.p.env, &r.printed
	r.command.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	in, err := r.command.StdinPipe()
	if err == nil {
		r.in = in
		err = r.command.Start()
	}
	if err != nil {
		d.t.Fatal(err)
	}
	go func() {
		r.command.Wait()
		close(r.done)
	}()
	d.t.Cleanup(func() {
		in.Close()
		syscall.Kill(-r.command.Process.Pid, syscall.SIGINT)
		select {
		case <-r.done:
		case <-time.After(patience):
			syscall.Kill(-r.command.Process.Pid, syscall.SIGKILL)
		}
	})
	return r
}

// wait waits until a program has printed what the document says.
func (d *desk) wait(r *typed, want []string, command string) {
	d.t.Helper()
	deadline := time.Now().Add(patience)
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		all := r.printed.String()
		got := strings.TrimRight(strings.ReplaceAll(all[r.read:], debuggerPrompt, ""), "\n")
		if got != "" {
			got += "\n"
		}
		if d.match(want, got) {
			r.read = len(all)
			return
		}
		if time.Now().After(deadline) || ended(r) && r.printed.String() == all {
			d.t.Fatalf("%s\nprinted:\n%s\nthe document says:\n%s", command, got, strings.Join(want, "\n"))
		}
		<-tick.C
	}
}

func ended(r *typed) bool {
	select {
	case <-r.done:
		return true
	default:
		return false
	}
}
