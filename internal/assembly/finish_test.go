package assembly_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/seed-615d3599/roost"
	"github.com/seed-615d3599/roost/internal/assembly"
)

// synth writes an app of two stacks, of which the second uses a value of the
// first.
func synth(t testing.TB, c roost.Config) string {
	t.Helper()
	c.Name, c.Dir, c.Output = "app", t.TempDir(), filepath.Join(t.TempDir(), "synth")
	for _, name := range []string{"one", "two"} {
		if err := os.WriteFile(filepath.Join(c.Dir, name+".js"), nil, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	err := roost.Synth(c, func(app *roost.App) {
		web, data := app.Stack("a-web"), app.Stack("data", roost.StackProps{TerminationProtection: true, Tags: map[string]string{"a": "b"}})
		topic := data.Resource("Topic", roost.ResourceProps{Type: "AWS::SNS::Topic"})
		web.Function("One", roost.FunctionProps{Handler: "one.main", Environment: map[string]roost.Value{
			"TOPIC": topic.Ref(), "KEY": roost.Secret("THE_KEY"),
		}})
		web.Function("Two", roost.FunctionProps{Handler: "two.main"})
		web.Function("Same", roost.FunctionProps{Handler: "one.main"})
	})
	if err != nil {
		t.Fatal(err)
	}
	return c.Output
}

// zips gives each build a file that says what it is of.
func zips(t testing.TB, synth, content string) map[string]assembly.Zip {
	t.Helper()
	builds, err := assembly.ReadBuilds(synth)
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]assembly.Zip{}
	for _, b := range builds.Builds {
		file := filepath.Join(t.TempDir(), "z.zip")
		if err := os.WriteFile(file, []byte(content+b.Entry), 0o644); err != nil {
			t.Fatal(err)
		}
		out[b.Placeholder] = assembly.Zip{Path: file, SHA256: fmt.Sprintf("%x", sha256.Sum256([]byte(content+b.Entry)))}
	}
	return out
}

func TestFinish(t *testing.T) {
	dir := synth(t, roost.Config{})
	out := filepath.Join(t.TempDir(), "assembly")
	a, err := assembly.Finish(dir, out, zips(t, dir, "a"))
	if err != nil {
		t.Fatal(err)
	}
	if len(a.Stacks) != 2 || a.Stacks[0].Name != "dev-app-data" || a.Stacks[1].Name != "dev-app-a-web" {
		t.Fatalf("stacks = %+v", a.Stacks)
	}
	data, web := a.Stacks[0], a.Stacks[1]
	if !data.TerminationProtection || data.Tags["a"] != "b" {
		t.Errorf("data = %+v", data)
	}
	if diff := cmp.Diff([]string{"dev-app-data"}, web.Dependencies); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]assembly.Secret{{Parameter: "SecretTheKey", Variable: "THE_KEY"}}, web.Secrets); diff != "" {
		t.Error(diff)
	}
	if len(web.Assets) != 2 {
		t.Fatalf("there are %d assets, want 2: two functions share one", len(web.Assets))
	}
	template, err := web.Template()
	if err != nil {
		t.Fatal(err)
	}
	for _, asset := range web.Assets {
		if hash, err := asset.SHA256(); err != nil || hash != asset.ID {
			t.Errorf("asset %s has the hash %s (%v)", asset.ID, hash, err)
		}
		if !strings.Contains(string(template), `"S3Key": "`+asset.Key+`"`) {
			t.Errorf("the template does not name %s", asset.Key)
		}
	}
	if strings.Contains(string(template), "roost-build:") {
		t.Error("a placeholder is left in the template")
	}
	if hash, err := web.TemplateAsset.SHA256(); err != nil || hash != web.TemplateAsset.ID {
		t.Errorf("the template's asset %s has the hash %s (%v)", web.TemplateAsset.ID, hash, err)
	}
	mine, err := web.TemplateFor("mine", "111122223333", "us-east-1")
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Contains(mine, []byte("hnb659fds")) || bytes.Count(mine, []byte(`"Fn::Sub": "mine"`)) != 3 {
		t.Errorf("the bucket was not replaced:\n%s", mine)
	}
}

func TestFinishForOneAccount(t *testing.T) {
	dir := synth(t, roost.Config{Account: "111122223333", Region: "eu-west-1"})
	a, err := assembly.Finish(dir, filepath.Join(t.TempDir(), "assembly"), zips(t, dir, "a"))
	if err != nil {
		t.Fatal(err)
	}
	bucket, _ := a.Stacks[1].Assets[0].Location("ignored", "ignored")
	if want := "cdk-hnb659fds-assets-111122223333-eu-west-1"; bucket != want {
		t.Errorf("bucket = %s, want %s", bucket, want)
	}
	mine, err := a.Stacks[1].TemplateFor("mine", "111122223333", "eu-west-1")
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Contains(mine, []byte("hnb659fds")) {
		t.Errorf("the bucket was not replaced:\n%s", mine)
	}
}

// files returns name, content and time of each file.
func files(t testing.TB, dir string) map[string]string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]string{}
	for _, e := range entries {
		data, err := os.ReadFile(filepath.Join(dir, e.Name()))
		if err != nil {
			t.Fatal(err)
		}
		info, err := e.Info()
		if err != nil {
			t.Fatal(err)
		}
		out[e.Name()] = info.ModTime().String() + "\n" + string(data)
	}
	return out
}

func TestFinishAgain(t *testing.T) {
	dir := synth(t, roost.Config{})
	out := filepath.Join(t.TempDir(), "[assembly]") // which no pattern may take for one
	finish := func(content string) map[string]string {
		if _, err := assembly.Finish(dir, out, zips(t, dir, content)); err != nil {
			t.Fatal(err)
		}
		return files(t, out)
	}
	first := finish("a")
	if diff := cmp.Diff(first, finish("a")); diff != "" {
		t.Errorf("an unchanged app was written again:\n%s", diff)
	}
	for _, name := range []string{"dev-app-gone.template.json", "dev-app-gone.assets.json", "notes.txt"} {
		if err := os.WriteFile(filepath.Join(out, name), nil, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	changed := finish("b")
	if len(changed) != len(first)+1 {
		t.Errorf("there are %d files, want the %d of before and notes.txt", len(changed), len(first))
	}
	if _, kept := changed["notes.txt"]; !kept {
		t.Error("a file that is no part of an assembly was removed")
	}
	for name := range first {
		if strings.HasPrefix(name, "asset.") && changed[name] != "" {
			t.Errorf("the old %s is still there", name)
		}
	}
}

func TestFinishErrors(t *testing.T) {
	for _, test := range []struct {
		name   string
		change func(t *testing.T, dir string, zips map[string]assembly.Zip)
		want   string
	}{
		{"not built", func(_ *testing.T, _ string, zips map[string]assembly.Zip) { clear(zips) }, "which was not built"},
		{"no zip", func(_ *testing.T, _ string, zips map[string]assembly.Zip) {
			for k := range zips {
				zips[k] = assembly.Zip{Path: "nope"}
			}
		}, "can't be read"},
		{"no template", func(t *testing.T, dir string, _ map[string]assembly.Zip) {
			if err := os.Remove(filepath.Join(dir, "dev-app-data.template.json")); err != nil {
				t.Fatal(err)
			}
		}, "artifact dev-app-data: its template is missing"},
		{"template elsewhere", rewrite(`"dev-app-data.template.json"`, `"../x"`), `it names "../x" as its template`},
		{"other artifact", rewrite(`"aws:cloudformation:stack"`, `"cdk:tree"`), "only stacks are expected there"},
		{"environment", rewrite(`aws://unknown-account`, `gcp://`), "is not of the form"},
	} {
		t.Run(test.name, func(t *testing.T) {
			dir := synth(t, roost.Config{})
			built := zips(t, dir, "")
			test.change(t, dir, built)
			_, err := assembly.Finish(dir, filepath.Join(t.TempDir(), "out"), built)
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("Finish = %v, want %s", err, test.want)
			}
		})
	}
}

func rewrite(from, to string) func(*testing.T, string, map[string]assembly.Zip) {
	return func(t *testing.T, dir string, _ map[string]assembly.Zip) {
		file := filepath.Join(dir, "manifest.json")
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, bytes.ReplaceAll(data, []byte(from), []byte(to)), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

func TestReadBuildsOfAnotherVersion(t *testing.T) {
	dir := t.TempDir()
	data, err := json.Marshal(roost.Builds{Version: 2})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "builds.json"), data, 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := assembly.ReadBuilds(dir); err == nil || !strings.Contains(err.Error(), "version 2") {
		t.Errorf("ReadBuilds = %v", err)
	}
}
