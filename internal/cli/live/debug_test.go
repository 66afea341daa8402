package live

import (
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/seed-615d3599/roost/internal/cli/session"
	"github.com/seed-615d3599/roost/internal/config"
	"github.com/seed-615d3599/roost/internal/region/lambda/debugger"
	"github.com/seed-615d3599/roost/internal/term"
)

func TestLaunch(t *testing.T) {
	const comment = "{} // mine"
	for before, want := range map[string][]string{
		"":                         {"Roost: f"},
		"null":                     {"Roost: f"},
		`{"configurations": null}`: {"Roost: f"},
		`{"configurations": [{"name": "Roost: g"}, {"name": "mine"}]}`: {"mine", "Roost: f"},
		comment: nil, // left as it is
	} {
		dir := t.TempDir()
		file := filepath.Join(dir, ".vscode", "launch.json")
		if before != "" {
			if err := config.WriteFile(file, []byte(before)); err != nil {
				t.Fatal(err)
			}
		}
		listening, err := debugger.Listen(debugger.Config{Function: "f", Dir: t.TempDir()})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { listening.Close() })
		d := &debugging{Debugger: listening, app: &config.App{Dir: dir}}
		s := &session.Session{Term: term.New(io.Discard, io.Discard, func(string) string { return "" })}
		if err := d.writeLaunch(s, debugged{FunctionName: "f"}, debugger.Go); (err == nil) != (want != nil) {
			t.Errorf("%q: %v", before, err)
		}
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		var launch struct{ Configurations []struct{ Name string } }
		if err := json.Unmarshal(data, &launch); err != nil && string(data) != comment {
			t.Errorf("%q became %s: %v", before, data, err)
		}
		for _, one := range launch.Configurations {
			got = append(got, one.Name)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%q: %s", before, diff)
		}
	}
}
