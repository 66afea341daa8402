package roost_test

import (
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/seed-615d3599/roost"
)

// TestMain only declares the flag: package variables of tests are kept out of
// the package that users compile.
func TestMain(m *testing.M) {
	flag.Bool("update", false, "write golden files")
	flag.Parse()
	os.Exit(m.Run())
}

func update() bool { return flag.Lookup("update").Value.String() == "true" }

// appDir makes an app's folder with handlers of all kinds.
func appDir(t testing.TB) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "[app]") // which no pattern may take for one
	for _, file := range []string{
		"src/private/main.go", "src/public/main.go", "src/private.js", "src/public.ts", "src/public.js",
		"src/module.mjs", "src/hello.py", "src/v1.2/main.go", "lib/plain/index.js", "lib/plain/index.ts", "lib/plain/other.js",
	} {
		path := filepath.Join(dir, file)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, nil, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.MkdirAll(filepath.Join(dir, "src", "empty"), 0o755); err != nil {
		t.Fatal(err)
	}
	return dir
}

func config(t testing.TB) roost.Config {
	dir := appDir(t)
	return roost.Config{Name: "rest-api-auth-twitter", Dir: dir, Output: filepath.Join(dir, "out")}
}

// synth returns the folder that an app was written to.
func synth(t testing.TB, define func(*roost.App)) string {
	t.Helper()
	c := config(t)
	if err := roost.Synth(c, define); err != nil {
		t.Fatal(err)
	}
	return c.Output
}

type template struct {
	Description string
	Parameters  map[string]map[string]any
	Resources   map[string]resource
	Outputs     map[string]map[string]any
}

type resource struct {
	Type           string
	Properties     map[string]any
	DependsOn      []string
	DeletionPolicy string
	Metadata       map[string]any
}

func readJSON(t testing.TB, v any, path ...string) {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(path...))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(data, v); err != nil {
		t.Fatal(err)
	}
}

func readTemplate(t testing.TB, dir, id string) template {
	t.Helper()
	var out template
	readJSON(t, &out, dir, "dev-rest-api-auth-twitter-"+id+".template.json")
	return out
}

// one returns the only resource of a type.
func (t template) one(tb testing.TB, kind string) resource {
	tb.Helper()
	var found []resource
	for _, r := range t.Resources {
		if r.Type == kind {
			found = append(found, r)
		}
	}
	if len(found) != 1 {
		tb.Fatalf("there are %d resources of type %s, want 1", len(found), kind)
	}
	return found[0]
}

// tutorial is the app that the package's issue and examples show.
func tutorial(app *roost.App) {
	stack := app.Stack("my-stack")
	api := stack.API("Api", roost.APIProps{
		DefaultAuthorization: roost.AWSIAM,
		Routes: roost.Routes{
			"GET /private": {Handler: "src/private"},
			"GET /public":  {Handler: "src/public", Authorization: roost.None},
		},
	})
	auth := stack.Auth("Auth", roost.AuthProps{Twitter: &roost.Twitter{
		ConsumerKey:    roost.Secret("TWITTER_CONSUMER_KEY"),
		ConsumerSecret: roost.Secret("TWITTER_CONSUMER_SECRET"),
	}})
	auth.AttachPermissionsForAuthUsers(roost.Allow("execute-api:Invoke", api.ExecuteARN("/*")))
	stack.Output("ApiEndpoint", api.Endpoint())
	stack.Output("IdentityPoolId", auth.IdentityPoolID())
}

// everything uses each construct and most properties once.
func everything(app *roost.App) {
	data := app.Stack("data", roost.StackProps{Description: "What is kept", TerminationProtection: true, Tags: map[string]string{"team": "a"}})
	table := data.Resource("Table", roost.ResourceProps{
		Type: "AWS::DynamoDB::Table", DeletionPolicy: "RetainExceptOnCreate",
		Properties: map[string]any{"BillingMode": "PAY_PER_REQUEST", "TableName": app.LogicalPrefixedName("t")},
	})
	web := app.Stack("web")
	worker := web.Function("Worker", roost.FunctionProps{
		Handler: "src/hello.main", Environment: map[string]roost.Value{"TABLE": table.Ref()}, LogRetention: 7,
		Permissions: []roost.Permission{roost.AllowResource(table)}, Layers: []roost.Value{web.ARN("lambda", "layer:x:1")},
	})
	tokens := &roost.JWTAuthorizer{Name: "tokens", Issuer: "https://accounts.google.com", Audience: []roost.Value{"me"}}
	own := &roost.LambdaAuthorizer{Name: "own", Handler: "src/v1.2"}
	api := web.API("Api", roost.APIProps{
		DefaultAuthorization:       tokens,
		DefaultAuthorizationScopes: []string{"notes"},
		DefaultFunctionProps:       roost.FunctionProps{Memory: 256, Environment: map[string]roost.Value{"ONE": "1", "TWO": "1"}},
		CORS:                       &roost.CORS{AllowOrigins: []string{"https://example.com"}, AllowCredentials: true},
		Throttle:                   &roost.Throttle{Rate: 10, Burst: 20},
		CustomDomain:               &roost.CustomDomain{DomainName: "api.example.com", HostedZoneID: "Z1", Path: "v1"},
		Routes: roost.Routes{
			"GET   /notes/{id}": {Props: roost.FunctionProps{Handler: "src/public.main", Environment: map[string]roost.Value{"TWO": "2"}}},
			"ANY /{proxy+}":     {Handler: "src/module.main", Authorization: own},
			"$default":          {Handler: "src/private.main", Authorization: roost.None},
		},
	})
	api.AttachPermissions(worker.GrantInvoke())
	web.Output("Notes", api.Endpoint()+"/notes", roost.OutputProps{Description: "Where they are", ExportName: "notes"})
	web.Auth("Auth", roost.AuthProps{
		AllowGuests: true, AllowClassicFlow: true,
		Google: &roost.Google{ClientID: "g"}, Facebook: &roost.Facebook{AppID: "f"}, Amazon: &roost.Amazon{AppID: "a"},
		Apple: &roost.Apple{ServicesID: "s"}, Auth0: &roost.Auth0{Domain: "my.eu.auth0.com", ClientID: "c"},
		Cognito: &roost.Cognito{SignInAliases: []string{"email", "phone"}},
	}).AttachPermissionsForUnauthUsers(api.GrantInvoke("GET /notes/{id}"))
}

func TestGolden(t *testing.T) {
	for name, define := range map[string]func(*roost.App){"tutorial": tutorial, "everything": everything} {
		t.Run(name, func(t *testing.T) {
			out := synth(t, define)
			files, err := os.ReadDir(out)
			if err != nil || len(files) == 0 {
				t.Fatal(files, err)
			}
			for _, file := range files {
				got, err := os.ReadFile(filepath.Join(out, file.Name()))
				if err != nil {
					t.Fatal(err)
				}
				golden := filepath.Join("testdata", "golden", name, file.Name())
				if update() {
					if err := os.MkdirAll(filepath.Dir(golden), 0o755); err != nil {
						t.Fatal(err)
					}
					if err := os.WriteFile(golden, withoutLines(got), 0o644); err != nil {
						t.Fatal(err)
					}
				}
				want, err := os.ReadFile(golden)
				if err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(string(want), string(withoutLines(got))); diff != "" {
					t.Errorf("%s differs (go test -run Golden . -update writes it):\n%s", golden, diff)
				}
			}
		})
	}
}

// withoutLines keeps golden files the same when this file is edited.
func withoutLines(text []byte) []byte {
	lines := strings.Split(string(text), "\n")
	for i, line := range lines {
		if strings.Contains(line, `"declared": `) {
			lines[i] = `   "declared": "…",`
		}
	}
	return []byte(strings.Join(lines, "\n"))
}

func TestUnchangedAppUnchangedFiles(t *testing.T) {
	c := config(t)
	snapshot := func() map[string]string {
		if err := roost.Synth(c, everything); err != nil {
			t.Fatal(err)
		}
		files := map[string]string{}
		entries, err := os.ReadDir(c.Output)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range entries {
			data, err := os.ReadFile(filepath.Join(c.Output, e.Name()))
			if err != nil {
				t.Fatal(err)
			}
			info, err := e.Info()
			if err != nil {
				t.Fatal(err)
			}
			files[e.Name()] = info.ModTime().String() + string(data)
		}
		return files
	}
	first := snapshot()
	for range 20 {
		if diff := cmp.Diff(first, snapshot()); diff != "" {
			t.Fatal(diff)
		}
	}
	if err := roost.Synth(c, tutorial); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(c.Output, "dev-rest-api-auth-twitter-data.template.json")); !os.IsNotExist(err) {
		t.Errorf("the template of a stack that is gone is still there (%v)", err)
	}
}

func TestSecretsAreNowhere(t *testing.T) {
	t.Setenv("TWITTER_CONSUMER_SECRET", "the-value-itself")
	out := synth(t, tutorial)
	tpl := readTemplate(t, out, "my-stack")
	if got := tpl.Parameters["SecretTwitterConsumerSecret"]["NoEcho"]; got != true {
		t.Errorf("NoEcho = %v", got)
	}
	files, err := os.ReadDir(out)
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	for _, file := range files {
		data, err := os.ReadFile(filepath.Join(out, file.Name()))
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(data), "the-value-itself") {
			t.Errorf("%s holds the secret", file.Name())
		}
	}
}

func TestKnownAccount(t *testing.T) {
	c := config(t)
	c.Account, c.Region, c.Stage = "111122223333", "eu-west-1", "prod"
	if err := roost.Synth(c, tutorial); err != nil {
		t.Fatal(err)
	}
	var tpl template
	readJSON(t, &tpl, c.Output, "prod-rest-api-auth-twitter-my-stack.template.json")
	code := tpl.Resources["ApiLambdaGETprivate01176F88"].Properties["Code"].(map[string]any)
	if got, want := code["S3Bucket"], "cdk-hnb659fds-assets-111122223333-eu-west-1"; got != want {
		t.Errorf("bucket = %v, want %s", got, want)
	}
	var m struct {
		Artifacts map[string]struct{ Environment string }
	}
	readJSON(t, &m, c.Output, "manifest.json")
	if got, want := m.Artifacts["prod-rest-api-auth-twitter-my-stack"].Environment, "aws://111122223333/eu-west-1"; got != want {
		t.Errorf("environment = %s, want %s", got, want)
	}
}
