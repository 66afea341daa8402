package roost_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/seed-615d3599/roost"
)

// a handler that is there, for cases about something else.
func routes(key string) roost.Routes { return roost.Routes{key: {Handler: "src/private"}} }

func api(props roost.APIProps) func(*roost.App) {
	if props.Routes == nil {
		props.Routes = routes("GET /")
	}
	return func(app *roost.App) { app.Stack("s").API("Api", props) }
}

func function(props roost.FunctionProps) func(*roost.App) {
	if props.Handler == "" {
		props.Handler = "src/private"
	}
	return func(app *roost.App) { app.Stack("s").Function("F", props) }
}

func auth(props roost.AuthProps) func(*roost.App) {
	return func(app *roost.App) { app.Stack("s").Auth("Auth", props) }
}

// attach attaches permissions to the people of an identity pool.
func attach(permission roost.Permission) func(*roost.App) {
	return func(app *roost.App) {
		app.Stack("s").Auth("Auth", roost.AuthProps{}).AttachPermissionsForAuthUsers(permission)
	}
}

func with(do func(*roost.Stack)) func(*roost.App) {
	return func(app *roost.App) {
		s := app.Stack("s")
		s.Resource("There", roost.ResourceProps{Type: "AWS::SNS::Topic"})
		do(s)
	}
}

type mistake struct {
	name   string
	define func(*roost.App)
	want   string // construct: message
	remedy string // part of it
}

func mistakes() []mistake {
	minus := -1
	existing := func(app *roost.App) {
		s := app.Stack("s")
		f := s.Function("F", roost.FunctionProps{Handler: "src/private"})
		s.API("Api", roost.APIProps{
			DefaultFunctionProps: roost.FunctionProps{Memory: 128},
			Routes:               roost.Routes{"GET /": {Function: f}},
		})
	}
	return append([]mistake{
		{"no stack", func(*roost.App) {}, `rest-api-auth-twitter: the app has no stack`, `app.Stack("my-stack")`},
		{"empty stack", func(app *roost.App) { app.Stack("s") }, `s: the stack has no resources, which CloudFormation refuses`, "add one"},
		{"no routes", func(app *roost.App) { app.Stack("s").API("Api", roost.APIProps{}) }, `s/Api: the API has no Routes`, "set Routes"},
		{"empty routes", api(roost.APIProps{Routes: roost.Routes{}}), `s/Api: at least one route is required`, "add one to Routes"},
		{"cors and id", api(roost.APIProps{HTTPAPI: "abc", CORS: &roost.CORS{}}), `s/Api: both CORS and HTTPAPI are set`, "leave out HTTPAPI"},
		{"no cors and id", api(roost.APIProps{HTTPAPI: "abc", DisableCORS: true}), `s/Api: both CORS and HTTPAPI are set`, "leave out HTTPAPI"},
		{"log and id", api(roost.APIProps{HTTPAPI: "abc", AccessLog: &roost.AccessLog{}}), `s/Api: both AccessLog and HTTPAPI are set`, "leave out HTTPAPI"},
		{"domain and id", api(roost.APIProps{HTTPAPI: "abc", CustomDomain: &roost.CustomDomain{}}), `s/Api: both CustomDomain and HTTPAPI are set`, "leave out HTTPAPI"},
		{"throttle and id", api(roost.APIProps{HTTPAPI: "abc", Throttle: &roost.Throttle{}}), `s/Api: both Throttle and HTTPAPI are set`, "leave out HTTPAPI"},
		{"description and id", api(roost.APIProps{HTTPAPI: "abc", Description: "x"}), `s/Api: both Description and HTTPAPI are set`, "leave out HTTPAPI"},
		{"two cors", api(roost.APIProps{CORS: &roost.CORS{AllowOrigins: []string{"*"}}, DisableCORS: true}), `s/Api: both CORS and DisableCORS are set`, "leave out"},
		{"cors without origin", api(roost.APIProps{CORS: &roost.CORS{}}), `s/Api: CORS allows no origin`, "AllowOrigins"},
		{"credentials to all", api(roost.APIProps{CORS: &roost.CORS{AllowOrigins: []string{"*"}, AllowCredentials: true}}), `s/Api: CORS allows credentials to the origin "*", which API Gateway refuses`, "name the origins"},
		{"cors age", api(roost.APIProps{CORS: &roost.CORS{AllowOrigins: []string{"*"}, MaxAge: 10}}), `s/Api: the MaxAge of CORS is 10ns`, "whole seconds"},
		{"two logs", api(roost.APIProps{AccessLog: &roost.AccessLog{}, DisableAccessLog: true}), `s/Api: both AccessLog and DisableAccessLog are set`, "leave out"},
		{"log retention", api(roost.APIProps{AccessLog: &roost.AccessLog{Retention: 31}}), `s/Api: logs can't be kept for 31 days`, "30"},
		{"log group and retention", api(roost.APIProps{AccessLog: &roost.AccessLog{Retention: 30, LogGroup: "arn:x"}}), `s/Api: both Retention and LogGroup of AccessLog are set`, "where the log group is made"},
		{"throttle", api(roost.APIProps{Throttle: &roost.Throttle{Rate: 1}}), `s/Api: Throttle needs a Rate and a Burst above 0`, "set both"},
		{"authorization", api(roost.APIProps{DefaultAuthorization: roost.AuthorizationType("JWT")}), `s/Api: the route "GET /" has the authorization "JWT", which does not exist`, "roost.AWSIAM"},
		{"scopes", api(roost.APIProps{Routes: roost.Routes{"GET /": {Handler: "src/private", Scopes: []string{"a"}}}}), `s/Api: the route "GET /" has Scopes without a JWT authorizer`, "JWTAuthorizer"},
		{"jwt", api(roost.APIProps{DefaultAuthorization: &roost.JWTAuthorizer{Name: "j"}}), `s/Api/Api/j: a JWT authorizer needs an Issuer and an Audience`, "set both"},
		{"authorizer name", api(roost.APIProps{DefaultAuthorization: &roost.JWTAuthorizer{Name: "a b", Issuer: "i", Audience: []roost.Value{"a"}}}), `s/Api/Api/a b: "a b" can't be the name of an authorizer`, "letters"},
		{"authorizer cache", api(roost.APIProps{DefaultAuthorization: &roost.LambdaAuthorizer{Name: "l", Handler: "src/public", CacheFor: 2 * time.Hour}}), `s/Api/Api/l: CacheFor is 2h0m0s`, "an hour"},
		{"domain", api(roost.APIProps{CustomDomain: &roost.CustomDomain{CertificateARN: "arn:x"}}), `s/Api: the DomainName of CustomDomain is missing`, "api.example.com"},
		{"domain path", api(roost.APIProps{CustomDomain: &roost.CustomDomain{DomainName: "a.b", CertificateARN: "arn:x", Path: "/v1/"}}), `s/Api: the Path of CustomDomain is "/v1/"`, "v1"},
		{"certificate", api(roost.APIProps{CustomDomain: &roost.CustomDomain{DomainName: "a.b"}}), `s/Api: CustomDomain has neither a CertificateARN nor a HostedZoneID`, "HostedZoneID"},
		{"existing function and defaults", existing, `s/Api: DefaultFunctionProps can't apply to the existing function of the route "GET /"`, "where the function is made"},
		{"two handlers", api(roost.APIProps{Routes: roost.Routes{"GET /": {Handler: "src/private", Props: roost.FunctionProps{Handler: "src/public"}}}}), `s/Api: the route "GET /" has two handlers`, "Props.Handler"},
		{"execute arn", with(func(s *roost.Stack) {
			s.API("Api", roost.APIProps{Routes: routes("GET /")}).ExecuteARN("*")
		}), `s/Api: "*" is not a path of ExecuteARN`, `"/*"`},
		{"unknown route", with(func(s *roost.Stack) {
			s.API("Api", roost.APIProps{Routes: routes("GET /")}).AttachPermissionsToRoute("GET /x", roost.AllowAll())
		}), `s/Api: there is no route "GET /x"`, "use one of GET /"},
		{"grant of $default", with(func(s *roost.Stack) {
			s.API("Api", roost.APIProps{Routes: routes("$default")}).GrantInvoke("$default")
		}), `s/Api: the route $default answers requests of every method and path, so that it can't be permitted alone`, `use "*"`},
		{"unknown function", with(func(s *roost.Stack) {
			s.API("Api", roost.APIProps{Routes: routes("GET /")}).Function("GET /x")
		}), `s/Api: there is no route "GET /x"`, "use one of GET /"},

		{"timeout", function(roost.FunctionProps{Timeout: 10}), `s/F: the timeout is 10ns`, "10 * time.Second"},
		{"long timeout", function(roost.FunctionProps{Timeout: time.Hour}), `s/F: the timeout is 1h0m0s`, "900"},
		{"memory", function(roost.FunctionProps{Memory: 64}), `s/F: the memory is 64 MB`, "128"},
		{"storage", function(roost.FunctionProps{EphemeralStorage: 1}), `s/F: the ephemeral storage is 1 MB`, "512"},
		{"architecture", function(roost.FunctionProps{Architecture: "riscv64"}), `s/F: Lambda has no architecture "riscv64"`, "roost.ARM64"},
		{"tracing", function(roost.FunctionProps{Tracing: "on"}), `s/F: Lambda has no tracing mode "on"`, "Active"},
		{"layers", function(roost.FunctionProps{Layers: make([]roost.Value, 6)}), `s/F: there are 6 layers`, "five"},
		{"concurrency", function(roost.FunctionProps{ReservedConcurrency: &minus}), `s/F: the reserved concurrency is negative`, "0"},
		{"name", function(roost.FunctionProps{Name: "a b"}), `s/F: "a b" can't be the name of a function`, "letters"},
		{"retention", function(roost.FunctionProps{LogRetention: 2}), `s/F: logs can't be kept for 2 days`, "1, 3, 5"},
		{"variable", function(roost.FunctionProps{Environment: map[string]roost.Value{"A-B": ""}}), `s/F: "A-B" can't be the name of a function's environment variable`, "underscores"},
		{"reserved variable", function(roost.FunctionProps{Environment: map[string]roost.Value{"AWS_REGION": ""}}), `s/F: Lambda sets the environment variable AWS_REGION itself`, "another"},
		{"added variable", with(func(s *roost.Stack) {
			s.Function("F", roost.FunctionProps{Handler: "src/private"}).AddEnvironment("_HANDLER", "x")
		}), `s/F: "_HANDLER" can't be the name of a function's environment variable`, "letter first"},
		{"variable added beside properties", with(func(s *roost.Stack) {
			own := map[string]any{"Environment": map[string]any{"Variables": map[string]string{"A1": "x"}}}
			s.Function("F", roost.FunctionProps{Handler: "src/private", Properties: own}).AddEnvironment("B1", "x")
		}), `s/F: Properties has the function's Environment itself`, "add B1 there"},
		{"role", function(roost.FunctionProps{Role: "arn:x", Permissions: []roost.Permission{roost.AllowAll()}}), `s/F: both Role and Permissions are set`, "leave out Role"},
		{"role later", with(func(s *roost.Stack) {
			s.Function("F", roost.FunctionProps{Handler: "src/private", Role: "arn:x"}).AttachPermissions(roost.AllowAll())
		}), `s/F: the function runs as a role that is not its own`, "where that role is made"},
		{"runtime", function(roost.FunctionProps{Runtime: "nodejs22.x"}), `s/F/Resource: the runtime "nodejs22.x" does not run src/private`, "provided.al2023"},
		{"missing handler", func(app *roost.App) { app.Stack("s").Function("F", roost.FunctionProps{}) }, `s/F: the function has no handler`, "src/private.main"},
		{"missing folder", function(roost.FunctionProps{Handler: "src/nope"}), `s/F: there is no folder src/nope`, `"src/nope.main"`},
		{"missing file", function(roost.FunctionProps{Handler: "src/nope.main"}), `s/F: cannot find a handler file at src/nope.ts, .js, .mjs or .py`, "create it"},
		{"empty folder", function(roost.FunctionProps{Handler: "src/empty"}), `s/F: the folder src/empty has no Go files`, "main package"},
		{"outside", function(roost.FunctionProps{Handler: "../x"}), `s/F: the handler "../x" is not below the app's folder`, "without .."},
		{"unbundled root", function(roost.FunctionProps{Handler: "src/private.main", Bundle: &roost.Bundle{Disabled: true}}), `s/F: bundling is disabled and SrcPath is the app's folder, so that everything in it would be zipped`, "SrcPath"},
		{"unbundled ts", function(roost.FunctionProps{Handler: "index.main", SrcPath: "lib/plain", Bundle: &roost.Bundle{Disabled: true}}), `s/F: bundling is disabled for lib/plain/index.ts, which Node.js can't run`, "bundle it"},
		{"unbundled how", function(roost.FunctionProps{Handler: "other.main", SrcPath: "lib/plain", Bundle: &roost.Bundle{Disabled: true, Minify: true}}), `s/F: bundling is disabled and told how to be done`, "leave out"},
		{"format", function(roost.FunctionProps{Handler: "src/private.main", Bundle: &roost.Bundle{Format: "iife"}}), `s/F: code can't be bundled in the format "iife"`, "esm"},
		{"loader", function(roost.FunctionProps{Handler: "src/private.main", Bundle: &roost.Bundle{Loader: map[string]string{".html": "html"}}}), `s/F: files ".html" can't be bundled by the loader "html"`, "text"},
		{"python bundle", function(roost.FunctionProps{Handler: "src/hello.main", Bundle: &roost.Bundle{}}), `s/F: Bundle is set for a Python function`, "remove it"},
	}, append(otherMistakes(), routeMistakes()...)...)
}

func otherMistakes() []mistake {
	topic := func(s *roost.Stack, id string) *roost.Resource {
		return s.Resource(id, roost.ResourceProps{Type: "AWS::SNS::Topic"})
	}
	return []mistake{
		{"consumer key", auth(roost.AuthProps{Twitter: &roost.Twitter{ConsumerSecret: "x"}}), `s/Auth: no Twitter ConsumerKey defined`, "roost.Twitter"},
		{"consumer secret", auth(roost.AuthProps{Twitter: &roost.Twitter{ConsumerKey: "x"}}), `s/Auth: no Twitter ConsumerSecret defined`, "roost.Twitter"},
		{"facebook", auth(roost.AuthProps{Facebook: &roost.Facebook{}}), `s/Auth: no Facebook AppID defined`, "roost.Facebook"},
		{"google", auth(roost.AuthProps{Google: &roost.Google{}}), `s/Auth: no Google ClientID defined`, "roost.Google"},
		{"amazon", auth(roost.AuthProps{Amazon: &roost.Amazon{}}), `s/Auth: no Amazon AppID defined`, "roost.Amazon"},
		{"apple", auth(roost.AuthProps{Apple: &roost.Apple{}}), `s/Auth: no Apple ServicesID defined`, "roost.Apple"},
		{"auth0 domain", auth(roost.AuthProps{Auth0: &roost.Auth0{ClientID: "x", Domain: "https://x.y"}}), `s/Auth: the Domain of Auth0 is "https://x.y"`, "without https://"},
		{"auth0 client", auth(roost.AuthProps{Auth0: &roost.Auth0{Domain: "x.y"}}), `s/Auth: no Auth0 ClientID defined`, "ClientID"},
		{"two pools", auth(roost.AuthProps{UserPool: "p", UserPoolClient: "c", Cognito: &roost.Cognito{SignInAliases: []string{"email"}}}), `s/Auth: both Cognito and UserPool are defined`, "leave out Cognito"},
		{"half a pool", auth(roost.AuthProps{UserPool: "p"}), `s/Auth: UserPool and UserPoolClient have to be defined together`, "set both"},
		{"aliases", auth(roost.AuthProps{Cognito: &roost.Cognito{}}), `s/Auth: no SignInAliases defined for Cognito`, "email"},
		{"unknown alias", auth(roost.AuthProps{Cognito: &roost.Cognito{SignInAliases: []string{"fax"}}}), `s/Auth: Cognito has no sign-in alias "fax"`, "username"},
		{"preferred alone", auth(roost.AuthProps{Cognito: &roost.Cognito{SignInAliases: []string{"preferredUsername"}}}), `s/Auth: the alias preferredUsername needs username too`, "username"},
		{"guests", func(app *roost.App) {
			app.Stack("s").Auth("Auth", roost.AuthProps{}).AttachPermissionsForUnauthUsers(roost.AllowAll())
		}, `s/Auth: permissions for guests are attached, but guests are not allowed`, "AllowGuests: true"},

		{"no action", attach(roost.Permission{Resources: []roost.Value{"*"}}), `s/Auth: a permission needs either Actions or NotActions`, "execute-api:Invoke"},
		{"no resource", attach(roost.Allow("s3:GetObject")), `s/Auth: a permission for s3:GetObject needs either Resources or NotResources`, "ARNs"},
		{"action", attach(roost.Allow("s3", "*")), `s/Auth: "s3" is not an action`, "s3:GetObject"},
		{"resource", attach(roost.Allow("s3:*", "my-bucket")), `s/Auth: "my-bucket" is not the ARN of a resource`, "arn:aws:s3"},
		{"effect", attach(roost.Permission{Effect: "allow", Actions: []string{"*"}, Resources: []roost.Value{"*"}}), `s/Auth: a permission has the effect "allow"`, "Deny"},
		{"grant", with(func(s *roost.Stack) {
			roost.AllowResource(s.Resource("R", roost.ResourceProps{Type: "AWS::ECS::Cluster"}))
		}), `s/R: AllowResource does not know what permits everything on an AWS::ECS::Cluster`, "roost.Allow"},

		{"construct twice", with(func(s *roost.Stack) { topic(s, "There") }), `s/There: there is a construct of that id already, at PLACE`, "another id"},
		{"no id", with(func(s *roost.Stack) { topic(s, "/") }), `s/--: "/" can't be the id of a construct`, "letter"},
		{"type", with(func(s *roost.Stack) { s.Resource("R", roost.ResourceProps{Type: "Table"}) }), `s/R: "Table" is not a resource type`, "AWS::DynamoDB::Table"},
		{"deletion policy", with(func(s *roost.Stack) {
			s.Resource("R", roost.ResourceProps{Type: "AWS::SNS::Topic", DeletionPolicy: "Keep"})
		}), `s/R: "Keep" is not a deletion policy`, "Retain"},
		{"output name", with(func(s *roost.Stack) { s.Output("a-b", "x") }), `s/a-b: "a-b" can't be the name of an output`, "letters"},
		{"output twice", with(func(s *roost.Stack) { s.Output("A", "x"); s.Output("A", "y") }), `s/A: there is an output of that name already, at PLACE`, "another name"},
		{"output value", with(func(s *roost.Stack) { s.Output("A", "") }), `s/A: the output has no value`, "not empty"},
		{"cut value", with(func(s *roost.Stack) { s.Output("A", s.Partition()[:12]) }), `s/A: "${roost:{\"re" holds a value that was cut or changed: unexpected EOF`, ""},
		{"secret name", with(func(s *roost.Stack) { s.Output("A", roost.Secret("key")) }), `s/A: "key" can't be the name of a secret: use capital letters, digits and underscores`, ""},
		{"secret twins", with(func(s *roost.Stack) { s.Output("A", roost.Secret("A_B")+roost.Secret("A__B")) }), `s/A: the secrets A_B and A__B get the same parameter name SecretAB: rename one of them`, ""},
		{"stack twice", func(app *roost.App) { topic(app.Stack("s"), "A"); topic(app.Stack("S"), "A") }, `S: there is a stack of that id already, at PLACE`, "another id"},
		{"stack name", func(app *roost.App) { topic(app.Stack("my_stack"), "A") }, `my_stack: "dev-rest-api-auth-twitter-my_stack" is not a stack name`, "hyphens"},
		{"self", with(func(s *roost.Stack) { s.DependsOn(s) }), `s: a stack can't depend on itself`, "another"},
		{"cycle", func(app *roost.App) {
			a, b := app.Stack("a"), app.Stack("b")
			topic(a, "A")
			topic(b, "B")
			a.DependsOn(b)
			b.DependsOn(a)
		}, `a: stacks depend on each other: a → b → a`, "a stack of its own"},
		{"too large", func(app *roost.App) {
			s := app.Stack("s")
			for i := range 501 {
				topic(s, fmt.Sprintf("T%d", i))
			}
		}, `s: the stack has 501 resources, and CloudFormation takes 500`, `"GET /a": {Function: f}`},
		{"other stack", func(app *roost.App) {
			a, b := app.Stack("a"), app.Stack("b")
			b.Resource("B", roost.ResourceProps{Type: "AWS::SNS::Topic", DependsOn: []*roost.Resource{topic(a, "A")}})
		}, `b/B: it depends on a/A, which is in another stack`, "Stack.DependsOn"},
		{"own", func(app *roost.App) { topic(app.Stack("s"), "A"); app.Fail("s/A", "too many", "have fewer") }, `s/A: too many`, "have fewer"},
	}
}

func routeMistakes() []mistake {
	var out []mistake
	for key, want := range map[string]string{
		"GET private":        `invalid path defined for "GET private"`,
		"GET":                `invalid route "GET"`,
		"":                   `invalid route ""`,
		"GET /a /b":          `invalid route "GET /a /b"`,
		"get /":              `invalid method defined for "get /"`,
		"TRACE /":            `invalid method defined for "TRACE /"`,
		"GET /{a":            `invalid path defined for "GET /{a": "{a" is not a path parameter`,
		"GET /x{a}":          `invalid path defined for "GET /x{a}": "x{a}" is not a path parameter`,
		"GET /{a+}/b":        `invalid path defined for "GET /{a+}/b": "{a+}" is not the last segment`,
		"GET /{a}/{a}":       `invalid path defined for "GET /{a}/{a}": the parameter "{a}" is there twice`,
		"$default something": `invalid method defined for "$default something"`,
	} {
		out = append(out, mistake{"route " + key, api(roost.APIProps{Routes: routes(key)}), "s/Api: " + want, ""})
	}
	twice := roost.Routes{"GET /": {Handler: "src/private"}, "GET  /": {Handler: "src/private"}}
	return append(out, mistake{"route twice", api(roost.APIProps{Routes: twice}), `s/Api: the routes "GET  /" and "GET /" are the same`, "remove"})
}

func TestMistakes(t *testing.T) {
	place := regexp.MustCompile(`[^ ]*errors_test\.go:\d+`)
	for _, m := range mistakes() {
		t.Run(m.name, func(t *testing.T) {
			c := config(t)
			err := roost.Synth(c, m.define)
			var e *roost.Error
			if !errors.As(err, &e) {
				t.Fatalf("Synth = %v, want an error", err)
			}
			if e.Place != "" && !place.MatchString(e.Place) {
				t.Errorf("place = %q, want a line of errors_test.go", e.Place)
			}
			if e.Place == "" && m.name != "no stack" {
				t.Error("the error has no place")
			}
			if got := place.ReplaceAllString(e.Construct+": "+e.Message, "PLACE"); got != m.want {
				t.Errorf("error  %s\nwant   %s", got, m.want)
			}
			if !strings.Contains(e.Remedy, m.remedy) {
				t.Errorf("remedy %q lacks %q", e.Remedy, m.remedy)
			}
			if _, err := os.Stat(c.Output); !os.IsNotExist(err) {
				t.Errorf("something was written in spite of the error (%v)", err)
			}
		})
	}
}

// TestProgram runs an app's program as "roost build" does, and sees that all
// mistakes are printed with the program's own file and lines.
func TestProgram(t *testing.T) {
	dir := appDir(t)
	for file, text := range map[string]string{
		"go.mod":     "module app\n\ngo 1.26.0\n\nrequire github.com/seed-615d3599/roost v0.0.0\n\nreplace github.com/seed-615d3599/roost => ./sdk\n",
		"sdk/go.mod": "module github.com/seed-615d3599/roost\n\ngo 1.26.0\n",
		"roost.json": `{"name": "app", "region": "eu-west-1"}`,
		"lib/main.go": `package main

import "github.com/seed-615d3599/roost"

func main() {
	roost.Main(func(app *roost.App) {
		stack := app.Stack("s")
		api := stack.API("Api", roost.APIProps{Routes: roost.Routes{
			"GET private": {Handler: "src/private"},
		}})
		api.Function("GET /x")
		stack.Function("F", roost.FunctionProps{Handler: "src/nope.main"})
	})
}
`,
	} {
		path := filepath.Join(dir, file)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	source, err := roost.Source()
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range source {
		if err := os.WriteFile(filepath.Join(dir, "sdk", name), text, 0o644); err != nil {
			t.Fatal(err)
		}
		if strings.HasSuffix(name, "_test.go") {
			t.Errorf("the source has %s", name)
		}
	}
	for _, flags := range [][]string{nil, {"-trimpath"}} {
		checkProgram(t, dir, flags)
	}
}

func checkProgram(t *testing.T, dir string, flags []string) {
	t.Helper()
	program := filepath.Join(dir, "program")
	build := exec.Command("go", append(append([]string{"build", "-o", program}, flags...), "./lib")...)
	build.Dir = dir
	build.Env = append(os.Environ(), "GOFLAGS=-mod=mod", "GOPROXY=off")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	run := exec.Command(program)
	run.Dir = dir
	var stderr bytes.Buffer
	run.Stderr = &stderr
	err := run.Run()
	var exit *exec.ExitError
	if !errors.As(err, &exit) || exit.ExitCode() != 1 {
		t.Errorf("the program ended with %v, want status 1", err)
	}
	want := `lib/main.go:8: s/Api: invalid path defined for "GET private"
  begin it with a slash: "GET /private"
lib/main.go:11: s/Api: there is no route "GET /x"
  the API has none
lib/main.go:12: s/F: cannot find a handler file at src/nope.ts, .js, .mjs or .py
  create it, or correct Handler
`
	if diff := cmp.Diff(want, stderr.String()); diff != "" {
		t.Error(diff)
	}
}

func TestConfig(t *testing.T) {
	for _, test := range []struct {
		name, file string
		env        map[string]string
		want       string // the error, or name/stage/region
	}{
		{"file", `{"name":"a","stage":"s","region":"eu-west-1"}`, nil, "a/s/eu-west-1"},
		{"environment wins", `{"name":"a","stage":"s","region":"eu-west-1"}`, map[string]string{"ROOST_STAGE": "prod"}, "a/prod/eu-west-1"},
		{"defaults", `{"name":"a"}`, nil, "a/dev/us-east-1"},
		{"no file", "", map[string]string{"ROOST_NAME": "b"}, "b/dev/us-east-1"},
		{"no name", "", nil, `the app has no name: give it one in roost.json, as in {"name": "my-app"}`},
		{"bad file", "{", nil, "roost.json is not valid JSON: unexpected end of JSON input"},
		{"bad name", `{"name":"a b"}`, nil, `the app's name "a b" can't be part of a stack name`},
		{"bad stage", `{"name":"a","stage":"feature/x"}`, nil, `the stage "feature/x" can't be part of a stack name`},
		{"bad region", `{"name":"a","region":"moon"}`, nil, `"moon" is not the name of an AWS region`},
		{"bad account", `{"name":"a"}`, map[string]string{"ROOST_ACCOUNT": "1"}, `"1" is not an AWS account`},
	} {
		t.Run(test.name, func(t *testing.T) {
			dir := t.TempDir()
			if test.file != "" {
				if err := os.WriteFile(filepath.Join(dir, "roost.json"), []byte(test.file), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			c, err := roost.ConfigFromEnvironment(func(name string) string {
				if name == "ROOST_DIR" {
					return dir
				}
				return test.env[name]
			})
			got := ""
			if err == nil {
				err = roost.Synth(c, func(app *roost.App) {
					got = app.Name() + "/" + app.Stage() + "/" + app.Region()
					app.Stack("s").Resource("T", roost.ResourceProps{Type: "AWS::SNS::Topic"})
				})
			}
			if err != nil {
				got = err.Error()
			}
			if !strings.Contains(got, test.want) {
				t.Errorf("got %s, want %s", got, test.want)
			}
		})
	}
}
