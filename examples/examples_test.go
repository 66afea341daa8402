package examples_test

import (
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/seed-615d3599/roost/examples"
	"github.com/seed-615d3599/roost/internal/assembly"
)

// TestExamples runs the program of each example and looks at what it asks to
// have built.
func TestExamples(t *testing.T) {
	want := map[string]map[string]string{
		"rest-api-auth-twitter":            {"src/private": "go", "src/public": "go"},
		"rest-api-auth-twitter-node":       {"src/private.js": "node", "src/public.js": "node"},
		"rest-api-auth-twitter-typescript": {"src/private.ts": "node", "src/public.ts": "node"},
	}
	for name, entries := range want {
		t.Run(name, func(t *testing.T) {
			out := t.TempDir()
			cmd := exec.Command("go", "run", "./lib")
			cmd.Dir = name
			cmd.Env = append(os.Environ(), "ROOST_OUTPUT="+out, "ROOST_STAGE=test")
			if said, err := cmd.CombinedOutput(); err != nil {
				t.Fatalf("%v\n%s", err, said)
			}
			builds, err := assembly.ReadBuilds(out)
			if err != nil {
				t.Fatal(err)
			}
			got := map[string]string{}
			for _, b := range builds.Builds {
				got[b.Entry] = b.Kind
				if _, err := os.Stat(filepath.Join(name, b.Entry)); err != nil {
					t.Error(err)
				}
			}
			if diff := cmp.Diff(entries, got); diff != "" {
				t.Error(diff)
			}
			if _, err := os.Stat(filepath.Join(out, "test-"+name+"-my-stack.template.json")); err != nil {
				t.Error(err)
			}
		})
	}
	folders, err := fs.ReadDir(examples.Files(), ".")
	if err != nil {
		t.Fatal(err)
	}
	for _, folder := range folders {
		if want[folder.Name()] == nil {
			t.Errorf("the example %s is not tested here", folder.Name())
		}
	}
}
