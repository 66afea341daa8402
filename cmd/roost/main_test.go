package main

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
	"github.com/seed-615d3599/roost/internal/config"
	"github.com/seed-615d3599/roost/internal/need"
)

// The scripts run this test's own program as roost.
func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"roost": main})
}

func TestScripts(t *testing.T) { runScripts(t, "testdata/script", nil) }

// TestFixture runs the tutorial's original app, as its own tools have
// synthesized it.
func TestFixture(t *testing.T) {
	runScripts(t, "testdata/fixture", map[string]string{"FIXTURE": need.Shared(t, "fixtures", "tutorial-sst-0.9.7")})
}

// TestCDK runs an app that is described with CDK's own library.
func TestCDK(t *testing.T) {
	library := need.NodeModule(t, "aws-cdk-lib")
	runScripts(t, "testdata/cdk", map[string]string{"NODE_MODULES": filepath.Dir(library), "CDK_VALIDATION": "false"})
}

// TestAWS runs the AWS CLI against a region.
func TestAWS(t *testing.T) {
	runScripts(t, "testdata/aws", map[string]string{"AWS": need.Tool(t, "aws")})
}

func runScripts(t *testing.T, dir string, variables map[string]string) {
	t.Helper()
	if os.Getenv("ROOST_TEST_ALL") != "" {
		for _, name := range []string{"go", "node", "curl"} { // a script without it would be skipped
			need.Tool(t, name)
		}
	}
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	testscript.Run(t, testscript.Params{
		Dir:                 dir,
		RequireExplicitExec: true,
		Cmds:                map[string]func(*testscript.TestScript, bool, []string){"exits": exits, "until": until, "get": get, "stops": stops, "documented": documented},
		Setup: func(env *testscript.Env) error {
			env.Setenv("ROOT", root)
			for name, value := range variables {
				env.Setenv(name, value)
			}
			env.Setenv("HOME", env.WorkDir)
			// What has been compiled for other tests is compiled for these.
			for _, name := range []string{"GOCACHE", "GOMODCACHE", "GOFLAGS", "GOPROXY", "LOCALAPPDATA"} {
				env.Setenv(name, os.Getenv(name))
			}
			cache, err := os.UserCacheDir()
			if err == nil && os.Getenv("GOCACHE") == "" {
				env.Setenv("GOCACHE", filepath.Join(cache, "go-build"))
			}
			return err
		},
	})
}

// exits runs a command that has to end with a status: exits 2 roost bogus.
func exits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits STATUS COMMAND…")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	err = ts.Exec(args[1], args[2:]...)
	got := 0
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		got = exit.ExitCode()
	} else {
		ts.Check(err)
	}
	if got != want {
		ts.Fatalf("the status is %d, not %d", got, want)
	}
}

// untilTime is how long until waits at most.
const untilTime = 4 * time.Minute

// until runs a command again and again until it succeeds and its standard
// output matches: until 'Hello' roost curl /private. What it waits for happens
// in another process.
func until(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: until PATTERN COMMAND…")
	}
	pattern, err := regexp.Compile(args[0])
	ts.Check(err)
	deadline := time.Now().Add(untilTime)
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		err := ts.Exec(args[1], args[2:]...)
		out := ts.ReadFile("stdout")
		if err == nil && pattern.MatchString(out) {
			return
		}
		if time.Now().After(deadline) {
			ts.Fatalf("after %v it is still %v:\n%s%s", untilTime, err, out, ts.ReadFile("stderr"))
		}
		<-tick.C
	}
}

// get asks for a path of the first API in an outputs file, unsigned, wants a
// status, and prints the body: get 403 outputs.json /private.
func get(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 3 {
		ts.Fatalf("usage: get STATUS OUTPUTS PATH")
	}
	var outputs config.Outputs
	ts.Check(json.Unmarshal([]byte(ts.ReadFile(args[1])), &outputs))
	for _, stack := range outputs {
		resp, err := http.Get(stack["ApiEndpoint"] + args[2])
		ts.Check(err)
		defer resp.Body.Close()
		if got := strconv.Itoa(resp.StatusCode); got != args[0] {
			ts.Fatalf("the status is %s, not %s", got, args[0])
		}
		_, err = io.Copy(ts.Stdout(), resp.Body)
		ts.Check(err)
		return
	}
	ts.Fatalf("%s has no API", args[1])
}

// documented holds the objects of the last standard output to docs/json.md: each
// is of a type that is listed there, with members that are.
func documented(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 0 {
		ts.Fatalf("usage: documented")
	}
	text, err := os.ReadFile(filepath.Join(ts.Getenv("ROOT"), "docs", "json.md"))
	ts.Check(err)
	rows := map[string]string{}
	for _, row := range regexp.MustCompile("(?m)^\\| `([a-z]+)` \\|(.*)$").FindAllStringSubmatch(string(text), -1) {
		rows[row[1]] = row[2]
	}
	last := ""
	for line := range strings.Lines(ts.ReadFile("stdout")) {
		var object map[string]json.RawMessage
		ts.Check(json.Unmarshal([]byte(line), &object))
		ts.Check(json.Unmarshal(object["type"], &last))
		row, listed := rows[last]
		if !listed || string(object["v"]) != "1" {
			ts.Fatalf("docs/json.md has nothing of %s", line)
		}
		for member := range object {
			if member != "type" && member != "v" && !strings.Contains(row, "`"+member+"`") {
				ts.Fatalf("docs/json.md says nothing of %s in %s", member, line)
			}
		}
	}
	if last != "end" {
		ts.Fatalf("it ends with %q", last)
	}
}
