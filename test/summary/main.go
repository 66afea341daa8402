// Command summary runs "go test" and says at the end how many tests ran.
//
//	go run ./test/summary -race ./...
//
// It prints a line for each package, the output of what failed, and every skip
// with its reason. The last line counts: "812 passed, 0 failed, 3 skipped". Its
// exit status is that of go test; a run without any test fails.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
)

// event is a line of "go test -json" (see "go doc test2json").
type event struct {
	Action  string
	Package string
	Test    string
	Output  string
	Elapsed float64
}

func main() {
	os.Exit(run(os.Args[1:], os.Stdout))
}

func run(args []string, out io.Writer) int {
	command := exec.Command("go", append([]string{"test", "-json"}, args...)...)
	command.Stderr = os.Stderr
	lines, err := command.StdoutPipe()
	if err == nil {
		err = command.Start()
	}
	if err != nil {
		fmt.Fprintln(out, err)
		return 1
	}
	s := &summary{out: out, output: map[string][]string{}}
	s.read(lines)
	failed := command.Wait() != nil
	fmt.Fprintf(out, "%d passed, %d failed, %d skipped\n", s.passed, s.failed, s.skipped)
	if failed || s.failed > 0 || s.passed == 0 {
		return 1
	}
	return 0
}

// summary counts tests that have no subtests of their own worth telling: each
// test and subtest counts once.
type summary struct {
	out                     io.Writer
	output                  map[string][]string // by package and test, until it is known how it ended
	passed, failed, skipped int
}

func (s *summary) read(lines io.Reader) {
	scanner := bufio.NewScanner(lines)
	scanner.Buffer(nil, maxLine)
	for scanner.Scan() {
		var e event
		if json.Unmarshal(scanner.Bytes(), &e) != nil {
			fmt.Fprintln(s.out, scanner.Text()) // a build error, say
			continue
		}
		s.take(e)
	}
	if err := scanner.Err(); err != nil {
		fmt.Fprintln(s.out, "the rest of what go test says cannot be read:", err)
		s.failed++
		_, _ = io.Copy(io.Discard, lines) // else it would wait for us for ever
	}
}

// maxLine bounds a line of go test's, in bytes.
const maxLine = 16 << 20

func (s *summary) take(e event) {
	key := e.Package + " " + e.Test
	switch {
	case e.Action == "build-output":
		fmt.Fprint(s.out, e.Output)
	case e.Action == "output":
		s.output[key] = append(s.output[key], e.Output)
	case e.Action != "pass" && e.Action != "fail" && e.Action != "skip":
	case e.Test == "":
		s.endPackage(e, key)
	default:
		s.endTest(e, key)
	}
}

func (s *summary) endTest(e event, key string) {
	switch e.Action {
	case "pass":
		s.passed++
	case "skip":
		s.skipped++
		fmt.Fprintf(s.out, "skip %s: %s\n", key, reason(s.output[key]))
	case "fail":
		s.failed++
		fmt.Fprint(s.out, strings.Join(s.output[key], ""))
	}
	delete(s.output, key)
}

func (s *summary) endPackage(e event, key string) {
	if e.Action == "fail" {
		fmt.Fprint(s.out, strings.Join(s.output[key], "")) // what stands outside of tests: a panic, a race, a time-out
		for other, lines := range s.output {               // tests that never ended
			if other != key && strings.HasPrefix(other, e.Package+" ") {
				s.failed++
				fmt.Fprint(s.out, strings.Join(lines, ""))
				delete(s.output, other)
			}
		}
	}
	delete(s.output, key)
	if e.Action != "skip" { // a package without tests
		fmt.Fprintf(s.out, "%s %s %.1fs\n", map[string]string{"pass": "ok  ", "fail": "FAIL"}[e.Action], e.Package, e.Elapsed)
	}
}

// reason is what a skipped test said.
func reason(lines []string) string {
	var words []string
	for _, line := range lines {
		line = strings.TrimSpace(line)
		if line != "" && !strings.HasPrefix(line, "===") && !strings.HasPrefix(line, "---") {
			words = append(words, line)
		}
	}
	return strings.Join(words, " ")
}
