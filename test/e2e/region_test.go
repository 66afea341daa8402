package e2e

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// withRegion makes somebody who works in a copy of a folder of testdata, beside
// a region of their own, in a shell that has what "roost env" prints.
func withRegion(t *testing.T, folder string) *person {
	t.Helper()
	p := newPerson(t, "")
	p.app = p.home
	if err := os.CopyFS(p.home, os.DirFS(filepath.Join("testdata", folder))); err != nil {
		t.Fatal(err)
	}
	r := p.background("serve", "--port", "0")
	r.await("the region", func() bool {
		_, err := os.Stat(filepath.Join(p.home, ".roost", "region.json"))
		return err == nil
	})
	for _, export := range regexp.MustCompile(`(?m)^export (\w+)='(.*)'$`).FindAllStringSubmatch(p.roost("env"), -1) {
		p.env = append(p.env, export[1]+"="+export[2])
	}
	return p
}

// run runs a program that must succeed, and returns what it printed.
func (p *person) run(name string, args ...string) string {
	p.t.Helper()
	out, status := p.try("", name, args...)
	if status != 0 {
		p.t.Fatalf("%s %s: exit status %d\n%s", filepath.Base(name), strings.Join(args, " "), status, out)
	}
	return out
}

// says fails the test unless a program printed something.
func (p *person) says(out string, want ...string) {
	p.t.Helper()
	for _, text := range want {
		if !strings.Contains(out, text) {
			p.t.Errorf("nothing says %q:\n%s", text, out)
		}
	}
}
