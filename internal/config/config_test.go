package config

import (
	"errors"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func folder(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestLoad(t *testing.T) {
	full := `{"name": "my-app", "stage": "me", "region": "eu-west-1", "record": ["AWS::CloudWatch::Alarm"],
	  "stages": {"prod": {"to": "aws", "account": "111122223333", "region": "eu-central-1", "protected": true}}}`
	for _, test := range []struct {
		name, stage string
		files       map[string]string
		want        App
	}{
		{"defaults", "", map[string]string{"roost.json": `{"name": "my-app"}`},
			App{File: "roost.json", Name: "my-app", Stage: "dev", AWSRegion: "us-east-1", To: "local"}},
		{"the file's stage", "", map[string]string{"roost.json": full},
			App{File: "roost.json", Name: "my-app", Stage: "me", AWSRegion: "eu-west-1", To: "local", Record: []string{"AWS::CloudWatch::Alarm"}}},
		{"a stage of its own", "prod", map[string]string{"roost.json": full},
			App{File: "roost.json", Name: "my-app", Stage: "prod", AWSRegion: "eu-central-1", Account: "111122223333", LocalRegion: "eu-west-1", To: "aws", Protected: true,
				Record: []string{"AWS::CloudWatch::Alarm"}}},
		{"sst.json, with settings of SST's own", "", map[string]string{"sst.json": `{"name": "my-app", "type": "@serverless-stack/resources", "stage": "dev"}`},
			App{File: "sst.json", Name: "my-app", Stage: "dev", AWSRegion: "us-east-1", To: "local"}},
		{"roost.json before sst.json", "", map[string]string{"roost.json": `{"name": "new"}`, "sst.json": `{"name": "old"}`},
			App{File: "roost.json", Name: "new", Stage: "dev", AWSRegion: "us-east-1", To: "local"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			dir := folder(t, test.files)
			got, err := Load(dir, test.stage)
			if err != nil {
				t.Fatal(err)
			}
			test.want.Dir = dir
			test.want.LocalAccount = or(test.want.LocalAccount, "123456789012")
			test.want.LocalRegion = or(test.want.LocalRegion, test.want.AWSRegion)
			if diff := cmp.Diff(test.want, *got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestLoadErrors(t *testing.T) {
	for _, test := range []struct {
		name, stage, text string
		want, hint        string
	}{
		{"no name", "", `{}`, "roost.json: the app has no name", `{"name": "my-app"}`},
		{"name", "", `{"name": "my app"}`, `roost.json: "my app" can't be part of a stack's name`, "hyphens"},
		{"stage", "feature/x", `{"name": "a"}`, `"feature/x" can't be part of a stack's name`, "letter first"},
		{"region", "", `{"name": "a", "region": "mars"}`, `roost.json: "mars" is not the name of an AWS region`, "us-east-1"},
		{"region of the file", "x", `{"name": "a", "region": "mars", "stages": {"x": {"region": "us-east-1"}}}`, `roost.json: "mars" is not the name of an AWS region`, "us-east-1"},
		{"account of the file", "x", `{"name": "a", "account": "12", "stages": {"x": {"account": "111122223333"}}}`, `roost.json: "12" is not an AWS account`, "12 digits"},
		{"account", "", `{"name": "a", "account": "12"}`, `roost.json: "12" is not an AWS account`, "12 digits"},
		{"to", "x", `{"name": "a", "stages": {"x": {"to": "gcp"}}}`, `roost.json: the stage goes to "gcp"`, "local, aws or the URL"},
		{"syntax", "", "{\n  \"name\": \"a\"\n  \"stage\": \"b\"\n}", "roost.json:3: is not valid JSON: invalid character '\"' after object key:value pair", "correct the file"},
		{"type", "", "{\n  \"name\": 1\n}", `roost.json:2: "name" is a number and must be a string`, "correct the file"},
		{"array", "", "[]", "roost.json: it must hold one JSON object, and this is another value: array", "correct the file"},
		{"unknown", "", "{\"name\": \"a\",\n \"stges\": {}}", `roost.json:2: there is no setting "stges"`, "name, stage, region"},
		{"two", "", "{\"name\": \"a\"}\n{}", "roost.json:2: something follows the settings", "one JSON object"},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, err := Load(folder(t, map[string]string{"roost.json": test.text}), test.stage)
			var e *Error
			if !errors.As(err, &e) {
				t.Fatalf("the error is %v", err)
			}
			if e.Error() != test.want || !strings.Contains(e.Hint(), test.hint) {
				t.Errorf("got %q with hint %q", e.Error(), e.Hint())
			}
		})
	}
	t.Run("for the embedded region", func(t *testing.T) {
		app, err := Load(folder(t, map[string]string{"roost.json": `{"name": "a", "account": "210987654321", "stages": {"prod": {"account": "111122223333", "region": "eu-west-1"}}}`}), "prod")
		if err != nil {
			t.Fatal(err)
		}
		app.ForLocal()
		if app.AWSRegion != "us-east-1" || app.Account != "" || app.LocalAccount != "210987654321" {
			t.Errorf("the settings are %+v", app)
		}
	})
	t.Run("no app", func(t *testing.T) {
		for _, dir := range []string{t.TempDir(), filepath.Join(t.TempDir(), "nowhere")} {
			var e *Error
			if _, err := Load(dir, ""); !errors.As(err, &e) || !e.NotApp {
				t.Errorf("%s: the error is %v", dir, err)
			}
		}
	})
}

func TestEnviron(t *testing.T) {
	dir := folder(t, map[string]string{
		"roost.json": `{"name": "a"}`,
		".env":       "# keys\nA=file\nB=file\nexport C='single $x \\n'\nD=\"two\\nlines \\\"x\\\"\" # comment\nE=plain # comment\nF=\nG=1\nG=2\n",
		".env.dev":   "B=stage\n",
		".env.prod":  "B=prod\n",
	})
	app, err := Load(dir, "")
	if err != nil {
		t.Fatal(err)
	}
	got, err := app.Environ([]string{"A=outside", "PATH=/bin"})
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"A=outside", "PATH=/bin", "B=stage", `C=single $x \n`, "D=two\nlines \"x\"", "E=plain", "F=", "G=2"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// The messages name the place, never the value.
func TestDotenvErrors(t *testing.T) {
	for text, want := range map[string]string{
		"A=1\nsecret value":    ".env:2: this is not NAME=VALUE",
		"9=secret":             ".env:1: this is not NAME=VALUE",
		`A="secret`:            ".env:1: the value of A has quotes that do not close",
		`A='secret' secret`:    ".env:1: the value of A goes on after its quotes",
		"A B=secret":           ".env:1: this is not NAME=VALUE",
		"=secret":              ".env:1: this is not NAME=VALUE",
		"\n\n\nA=\"secret\\\"": ".env:4: the value of A has quotes that do not close",
	} {
		if _, err := parseDotenv(".env", text); err == nil || err.Error() != want {
			t.Errorf("%q: the error is %v", text, err)
		}
	}
}

func FuzzDotenv(f *testing.F) {
	f.Add("A=1\nexport B='2'\nC=\"3\\n\" # x\n")
	f.Add("A='\n=\nB")
	f.Fuzz(func(t *testing.T, text string) {
		values, err := parseDotenv(".env", text)
		if err != nil && values != nil {
			t.Error("values and an error")
		}
		for _, v := range values {
			if !variableName().MatchString(v.name) {
				t.Errorf("a variable is named %q", v.name)
			}
			// A value in single quotes is read as it stands.
			if strings.ContainsAny(v.value, "'\n") {
				continue
			}
			again, err := parseDotenv(".env", v.name+"='"+v.value+"'")
			if err != nil || len(again) != 1 || again[0] != v {
				t.Errorf("%q is read as %q: %v", v, again, err)
			}
		}
	})
}

func FuzzSettings(f *testing.F) {
	f.Add([]byte(`{"name": "a", "stages": {"b": {"to": "aws"}}}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		settings, err := parse("roost.json", data)
		if err != nil {
			return
		}
		if app, err := settings.app("/x", "roost.json", ""); err == nil && !stagePattern().MatchString(app.Stage) {
			t.Errorf("the stage is %q", app.Stage)
		}
	})
}

func TestRegion(t *testing.T) {
	server := httptest.NewServer(nil)
	defer server.Close()
	app := &App{Dir: t.TempDir()}
	if r, err := app.Region(); r != nil || err != nil {
		t.Fatalf("without a file: %v, %v", r, err)
	}
	want := Region{Endpoint: server.URL, PID: os.Getpid(), Account: "123456789012", Region: "us-east-1", AccessKeyID: "AKIA", SecretAccessKey: "s"}
	if err := WriteRegion(app.RegionFile(), &want); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(app.RegionFile()); err != nil || info.Mode() != 0o600 {
		t.Errorf("region.json: %v, %v", info.Mode(), err)
	}
	got, err := app.Region()
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(&want, got); diff != "" {
		t.Error(diff)
	}
	t.Run("nobody listens", func(t *testing.T) {
		server.Close()
		if r, err := app.Region(); r != nil || err != nil {
			t.Errorf("got %v, %v", r, err)
		}
	})
	t.Run("damaged", func(t *testing.T) {
		if err := os.WriteFile(app.RegionFile(), []byte("{"), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := app.Region(); err == nil {
			t.Error("a damaged file was read")
		}
	})
}

func TestOutputs(t *testing.T) {
	app := &App{Dir: t.TempDir(), Stage: "dev"}
	if out, err := app.Outputs(); out != nil || err != nil {
		t.Fatalf("before any deployment: %v, %v", out, err)
	}
	want := Outputs{"dev-app-my-stack": {"ApiEndpoint": "http://127.0.0.1:4010"}}
	if err := WriteOutputs(app.OutputsFile(), want); err != nil {
		t.Fatal(err)
	}
	got, err := app.Outputs()
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// Editors of Windows put a mark in front of a text, and end its lines in their way.
func TestTextsOfWindows(t *testing.T) {
	settings, err := parse("roost.json", []byte("\ufeff{\r\n\"name\": \"a\"\r\n}\r\n"))
	if err != nil || settings.Name != "a" {
		t.Errorf("got %+v, %v", settings, err)
	}
	values, err := parseDotenv(".env", "\ufeffA=1\r\nB='2'\r\n")
	if diff := cmp.Diff([]variable{{"A", "1"}, {"B", "2"}}, values, cmp.AllowUnexported(variable{})); err != nil || diff != "" {
		t.Errorf("%v %s", err, diff)
	}
}
