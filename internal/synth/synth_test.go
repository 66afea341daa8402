package synth

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/seed-615d3599/roost/internal/config"
	"github.com/seed-615d3599/roost/internal/need"
	"github.com/seed-615d3599/roost/internal/scaffold"
)

// write writes a file whose time lies in the past, as if no build ran meanwhile.
func write(t *testing.T, name, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	past := time.Now().Add(-time.Minute)
	if err := os.Chtimes(name, past, past); err != nil {
		t.Fatal(err)
	}
}

// backdate makes all files of a new app look as old.
func backdate(t *testing.T, dir string) {
	t.Helper()
	past := time.Now().Add(-time.Minute)
	err := filepath.WalkDir(dir, func(name string, _ os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		return os.Chtimes(name, past, past)
	})
	if err != nil {
		t.Fatal(err)
	}
}

// Each edit asks for as much as it touches and no more.
func TestEdits(t *testing.T) {
	need.Tool(t, "go")
	real, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(real, "[apps]", "app") // which no pattern may take for one
	if err := scaffold.New(dir, "node"); err != nil {
		t.Fatal(err)
	}
	backdate(t, dir)
	in := func(name string) string { return filepath.Join(dir, name) }
	app, err := Load(dir, "", "")
	if err != nil {
		t.Fatal(err)
	}
	source := newLibApp(Config{App: app, Local: true, Live: true, Environ: os.Environ(), Print: func(string) {}, Warn: func(string) {}})
	made, err := source.Assemble(t.Context())
	if err != nil || len(made.Stacks) != 1 {
		t.Fatalf("%v, %v", made, err)
	}
	for _, test := range []struct {
		changed       string
		synth, builds bool
	}{
		{"README.md", false, false},
		{"src/private.js", false, true},
		{"src/private.ts", true, true}, // the handler may mean it now
		{"lib/main.go", true, true},
		{"lib/new.go", true, true},
		{".roost/sdk/api.go", true, true},
		{"roost.json", true, true},
		{".env", true, true},
		{".env.dev", true, true},
		{".env.prod", false, false},
	} {
		synth, builds := source.affected([]string{in(test.changed)})
		if synth != test.synth || builds != test.builds {
			t.Errorf("%s: synth %v, builds %v", test.changed, synth, builds)
		}
	}

	t.Run("what does not matter", func(t *testing.T) {
		if made, err := source.Edited(t.Context(), []string{in("README.md")}); made != nil || err != nil {
			t.Errorf("%v, %v", made, err)
		}
	})
	t.Run("a function", func(t *testing.T) {
		write(t, in("src/private.js"), "export const main = async () => 'edited';\n")
		again, err := source.Edited(t.Context(), []string{in("src/private.js")})
		if err != nil {
			t.Fatal(err)
		}
		before := map[string]bool{}
		for _, asset := range made.Stacks[0].Assets {
			before[asset.ID] = true
		}
		kept := 0
		for _, asset := range again.Stacks[0].Assets {
			if before[asset.ID] {
				kept++
			}
		}
		if len(before) != 2 || kept != 1 {
			t.Errorf("of %d assets %d are as before", len(before), kept)
		}
	})
	t.Run("a mistake and its correction", func(t *testing.T) {
		good, err := os.ReadFile(in("lib/main.go"))
		if err != nil {
			t.Fatal(err)
		}
		write(t, in("lib/main.go"), strings.Replace(string(good), "GET /private", "GET private", 1))
		if _, err := source.Edited(t.Context(), []string{in("lib/main.go")}); err == nil || !strings.Contains(err.Error(), "lib/main.go:") {
			t.Errorf("the error is %v", err)
		}
		write(t, in("lib/main.go"), string(good))
		if _, err := source.Edited(t.Context(), []string{in("lib/main.go")}); err != nil {
			t.Error(err)
		}
	})
	t.Run("after a removal of the stage", func(t *testing.T) {
		if err := os.RemoveAll(app.StageDir()); err != nil {
			t.Fatal(err)
		}
		if _, err := source.Edited(t.Context(), []string{in("src/private.js")}); err != nil {
			t.Error(err)
		}
	})
	t.Run("settings that are broken", func(t *testing.T) {
		write(t, in("roost.json"), "{")
		var e *config.Error
		if _, err := source.Edited(t.Context(), []string{in("roost.json")}); !errors.As(err, &e) {
			t.Errorf("the error is %v", err)
		}
	})
}

const cdkManifest = `{"version": "36.0.0", "artifacts": {"S": {"type": "aws:cloudformation:stack",
 "environment": "aws://unknown-account/unknown-region", "properties": {"templateFile": "S.template.json"}}}}`

// An app of CDK's is run as its own command runs it.
func TestCDK(t *testing.T) {
	dir := t.TempDir()
	in := func(name string) string { return filepath.Join(dir, name) }
	write(t, in("cdk.json"), `{"app": "sh synth.sh", "build": "echo built > built", "context": {"from": "cdk.json", "kept": 1}}`)
	write(t, in("cdk.context.json"), `{"from": "cdk.context.json"}`)
	write(t, in("manifest.json"), cdkManifest)
	write(t, in("synth.sh"), `cp manifest.json "$CDK_OUTDIR" && echo '{"Resources": {}}' > "$CDK_OUTDIR/S.template.json"
printf '%s %s %s' "$CDK_DEFAULT_ACCOUNT" "$CDK_DEFAULT_REGION" "$CDK_CONTEXT_JSON" > told
`)
	app, err := Load(dir, "", "")
	if err != nil {
		t.Fatal(err)
	}
	var lines []string
	source := New(Config{App: app, Local: true, Environ: os.Environ(), Print: func(line string) { lines = append(lines, line) }})
	made, err := source.Assemble(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if len(made.Stacks) != 1 || made.Stacks[0].Name != "S" {
		t.Errorf("the stacks are %v", made.Stacks)
	}
	if diff := cmp.Diff([]string{"Running echo built > built", "Running sh synth.sh"}, lines); diff != "" {
		t.Error(diff)
	}
	told, err := os.ReadFile(in("told"))
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"123456789012 us-east-1 {", `"from":"cdk.context.json"`, `"kept":1`, `"aws:cdk:enable-path-metadata":true`} {
		if !strings.Contains(string(told), want) {
			t.Errorf("%s is missing in %s", want, told)
		}
	}
	write(t, in("synth.sh"), "echo 'bin/app.ts:3: no such construct' >&2; exit 1\n")
	var e *Error
	if _, err := source.Edited(t.Context(), []string{in("synth.sh")}); !errors.As(err, &e) || !strings.Contains(err.Error(), "bin/app.ts:3: no such construct") {
		t.Errorf("the error is %v", err)
	}
	write(t, in("cdk.json"), `{}`)
	if _, err := source.Assemble(t.Context()); err == nil || err.Error() != `cdk.json has no "app"` {
		t.Errorf("the error is %v", err)
	}
}

func TestReadyAssembly(t *testing.T) {
	dir := t.TempDir()
	if _, err := Load(dir, "", ""); err == nil {
		t.Error("an empty folder is an app")
	}
	app, err := Load(dir, "", dir)
	if err != nil {
		t.Fatal(err)
	}
	source := New(Config{App: app, Assembly: dir})
	if _, err := source.Assemble(t.Context()); err == nil {
		t.Error("an empty folder is an assembly")
	}
	write(t, filepath.Join(dir, "manifest.json"), cdkManifest)
	write(t, filepath.Join(dir, "S.template.json"), `{"Resources": {}}`)
	for range 2 {
		made, err := source.Edited(t.Context(), []string{"x"})
		if err != nil || len(made.Stacks) != 1 {
			t.Errorf("%v, %v", made, err)
		}
	}
	if diff := cmp.Diff([]string{dir}, source.Roots()); diff != "" {
		t.Error(diff)
	}
}
