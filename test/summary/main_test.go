package main

import (
	"strings"
	"testing"
)

func TestRead(t *testing.T) {
	const events = `
{"Action":"run","Package":"p","Test":"TestGood"}
{"Action":"output","Package":"p","Test":"TestGood","Output":"=== RUN   TestGood\n"}
{"Action":"pass","Package":"p","Test":"TestGood"}
{"Action":"output","Package":"p","Test":"TestSkipped","Output":"=== RUN   TestSkipped\n"}
{"Action":"output","Package":"p","Test":"TestSkipped","Output":"    p_test.go:7: no browser\n"}
{"Action":"skip","Package":"p","Test":"TestSkipped"}
{"Action":"output","Package":"p","Test":"TestBad","Output":"    p_test.go:9: wrong\n"}
{"Action":"fail","Package":"p","Test":"TestBad"}
{"Action":"output","Package":"p","Test":"TestEndless","Output":"it hangs\n"}
{"Action":"output","Package":"p","Output":"panic: test timed out\n"}
{"Action":"fail","Package":"p","Elapsed":1.5}
{"Action":"build-output","ImportPath":"q","Output":"q.go:1: syntax error\n"}
not JSON
{"Action":"skip","Package":"empty"}
`
	var out strings.Builder
	s := &summary{out: &out, output: map[string][]string{}}
	s.read(strings.NewReader(strings.TrimPrefix(events, "\n")))
	if s.passed != 1 || s.failed != 2 || s.skipped != 1 {
		t.Errorf("%d passed, %d failed, %d skipped", s.passed, s.failed, s.skipped)
	}
	const want = `skip p TestSkipped: p_test.go:7: no browser
    p_test.go:9: wrong
panic: test timed out
it hangs
FAIL p 1.5s
q.go:1: syntax error
not JSON
`
	if out.String() != want {
		t.Errorf("it prints\n%s", &out)
	}
}

// TestReadToTheEnd holds that a line without an end is a failure, and that what
// comes behind it is taken all the same: go test would else wait for ever.
func TestReadToTheEnd(t *testing.T) {
	lines := strings.NewReader(strings.Repeat("x", maxLine+1) + "\nmore\n")
	var out strings.Builder
	s := &summary{out: &out, output: map[string][]string{}}
	s.read(lines)
	if s.failed != 1 || lines.Len() != 0 || !strings.Contains(out.String(), "too long") {
		t.Errorf("%d failed, %d bytes left: %s", s.failed, lines.Len(), &out)
	}
}
