package e2e

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/seed-615d3599/roost/internal/need"
)

// TestREADME types the commands of the README's transcript in one shell and
// compares what is printed. "..." stands for anything; what differs from run to
// run (ports, ids) is bound to its value at its first appearance, and commands
// use the value.
func TestREADME(t *testing.T) {
	need.Tool(t, "aws")
	need.Tool(t, "curl")
	data, err := os.ReadFile(filepath.Join(need.Root(t), "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	p := newPerson(t, "")
	p.env = append(p.env, "PATH="+filepath.Dir(program)+":"+filepath.Dir(need.Tool(t, "aws"))+":"+os.Getenv("PATH"), "PS1=", "NO_COLOR=1")
	// curl draws its progress where it does not print to a terminal.
	if err := os.WriteFile(filepath.Join(p.home, ".curlrc"), []byte("silent\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	replay := &replay{t: t, p: p, shell: newShell(t, p), bound: map[string]string{}}
	steps := transcript(string(data))
	if len(steps) < 15 {
		t.Fatalf("the README has only %d commands", len(steps))
	}
	for _, step := range steps {
		replay.take(step)
	}
}

// step is a command and what it prints.
type step struct {
	command string
	want    []string
}

// transcript takes the console blocks of a document apart.
func transcript(text string) (steps []step) {
	inside := false
	for line := range strings.Lines(text) {
		line = strings.TrimSuffix(line, "\n")
		switch {
		case line == "```console":
			inside = true
		case line == "```":
			inside = false
		case !inside:
		case strings.HasPrefix(line, "$ "):
			steps = append(steps, step{command: line[2:]})
		case strings.HasPrefix(line, "> "):
			steps[len(steps)-1].command += "\n" + line[2:]
		default:
			steps[len(steps)-1].want = append(steps[len(steps)-1].want, line)
		}
	}
	return steps
}

// volatile is what differs from run to run.
var volatile = regexp.MustCompile(`(?:http://)?127\.0\.0\.1:\d+|us-east-1:[0-9a-f]{8}-[0-9a-f-]{27}`)

type replay struct {
	t     *testing.T
	p     *person
	shell *shell
	stage *exec.Cmd
	bound map[string]string // as the README has it → as it is
}

func (r *replay) take(s step) {
	r.t.Helper()
	command := volatile.ReplaceAllStringFunc(s.command, func(shown string) string {
		if actual, ok := r.bound[shown]; ok {
			return actual
		}
		return shown
	})
	switch {
	case strings.HasPrefix(command, "roost start "):
		r.start(command, s.want)
	case strings.HasPrefix(command, "roost twitter authorize "):
		r.p.app = filepath.Join(r.p.home, "rest-api-auth-twitter")
		authorize(r.t, r.p, "fanjiewang")
	default:
		deadline := time.Now().Add(patience)
		for got := r.shell.run(command); !r.match(s.want, got); got = r.shell.run(command) {
			// An edit takes a moment to arrive.
			if !strings.HasPrefix(command, "roost curl") || time.Now().After(deadline) {
				r.t.Fatalf("$ %s\nprinted:\n%s\nthe README says:\n%s", command, got, strings.Join(s.want, "\n"))
			}
		}
	}
}

// start runs "roost start" in the background, on ports that are free.
func (r *replay) start(command string, want []string) {
	r.t.Helper()
	r.stage = exec.Command(program, append(strings.Fields(command)[1:], "--port", "0")...)
	r.stage.Dir, r.stage.Env = r.p.home, r.p.env
	out, err := r.stage.StdoutPipe()
	if err != nil {
		r.t.Fatal(err)
	}
	if err := r.stage.Start(); err != nil {
		r.t.Fatal(err)
	}
	r.t.Cleanup(func() {
		r.stage.Process.Signal(os.Interrupt)
		r.stage.Wait()
	})
	lines := bufio.NewScanner(out)
	got := ""
	for lines.Scan() {
		got += lines.Text() + "\n"
		if lines.Text() == want[len(want)-1] {
			break
		}
	}
	if !r.match(want, got) {
		r.t.Fatalf("$ %s\nprinted:\n%s\nthe README says:\n%s", command, got, strings.Join(want, "\n"))
	}
	go io.Copy(io.Discard, out)
}

// match compares output with the README's lines, and binds what is volatile.
func (r *replay) match(want []string, got string) bool {
	pattern, names := "", []string{}
	for i, line := range want {
		if line == "..." {
			pattern += `(?:.*\n)*?`
			continue
		}
		at := 0
		for _, found := range volatile.FindAllStringIndex(line, -1) {
			pattern += literal(line[at:found[0]])
			shown := line[found[0]:found[1]]
			if actual, ok := r.bound[shown]; ok {
				pattern += regexp.QuoteMeta(actual)
			} else {
				pattern += "(" + volatile.String() + ")"
				names = append(names, shown)
			}
			at = found[1]
		}
		pattern += literal(line[at:]) + `\n`
		if i == len(want)-1 {
			pattern = strings.TrimSuffix(pattern, `\n`) + `\n?`
		}
	}
	found := regexp.MustCompile(`^` + pattern + `$`).FindStringSubmatch(got)
	if found == nil {
		return false
	}
	for i, name := range names {
		r.bound[name] = found[i+1]
	}
	return true
}

// literal is a pattern for text in which "..." stands for anything.
func literal(text string) string {
	return strings.ReplaceAll(regexp.QuoteMeta(text), `\.\.\.`, `.*`)
}

// shell is one bash that runs command after command.
type shell struct {
	t   *testing.T
	in  io.Writer
	out *bufio.Reader
	n   int
}

func newShell(t *testing.T, p *person) *shell {
	t.Helper()
	command := exec.Command("bash", "--norc")
	command.Dir, command.Env = p.home, p.env
	in, err := command.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := command.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	command.Stderr = command.Stdout
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		command.Process.Kill()
		command.Wait()
	})
	return &shell{t: t, in: in, out: bufio.NewReader(out)}
}

// run runs one command and returns what it printed.
func (s *shell) run(command string) string {
	s.t.Helper()
	s.n++
	end := fmt.Sprintf("--- end %d ---", s.n)
	fmt.Fprintf(s.in, "%s\necho; echo '%s'\n", command, end)
	got := ""
	for {
		line, err := s.out.ReadString('\n')
		if err != nil {
			s.t.Fatalf("the shell ended: %v\n%s", err, got)
		}
		if strings.TrimSpace(line) == end {
			return strings.TrimSuffix(got, "\n")
		}
		got += line
	}
}
