package runtimes_test

import (
	"encoding/json"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/seed-615d3599/roost/internal/need"
	"github.com/seed-615d3599/roost/internal/region/lambda/environment"
	"github.com/seed-615d3599/roost/internal/region/lambda/runtimes"
)

// groups hands over the process groups that begin.
type groups chan int

func (g groups) Add(pgid int)   { g <- pgid }
func (g groups) Remove(int)     {}
func (g groups) Marker() string { return "MARKER=1" }

// seen is what a function sees of its process.
type seen struct {
	PID       int
	Folder    string
	Variables map[string]string
	Layer     string
	Options   []string
}

// A function in a process that was started before it was known for which function
// sees what it would see in one of its own.
func TestStartedAhead(t *testing.T) {
	need.Tool(t, "node")
	installed, err := runtimes.Install(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	runtime, err := installed.Find(t.Context(), "nodejs22.x")
	if err != nil {
		t.Fatal(err)
	}
	begun := make(groups, 10)
	m := environment.NewManager(environment.Config{Dir: t.TempDir(), Ahead: true, Groups: begun})
	defer m.Close()
	call := func(variables map[string]string, more ...string) seen {
		g := guest{files: map[string]string{
			"[app]/opt/nodejs/node_modules/layer/index.js": `module.exports = 'of the layer'`,
			"[app]/task/index.js": `const layer = require('layer')
exports.handler = async () => ({PID: process.pid, Folder: process.cwd(), Variables: process.env, Layer: layer, Options: process.execArgv})`}}
		for _, name := range more {
			g.files["[app]/task/"+name] = ""
		}
		root := filepath.Join(g.write(t), "[app]")
		pool := m.Pool(&environment.Spec{
			FunctionName: "f", Version: "$LATEST", Region: "us-east-1", Runtime: "nodejs22.x", Handler: "index.handler", Managed: true,
			Early: runtime.Early(variables), Command: runtime.Start(filepath.Join(root, "task"), "", ""), RuntimeDir: runtime.Dir,
			TaskRoot: filepath.Join(root, "task"), OptDir: filepath.Join(root, "opt"),
			MemoryMB: 512, Timeout: 20 * time.Second, Variables: variables,
		}, m.NewConcurrency())
		result, _ := invoke(t, pool, environment.Call{Payload: []byte(`{}`)})
		var s seen
		if err := json.Unmarshal(result.Payload, &s); err != nil || result.FunctionError != "" {
			t.Fatalf("%s: %v", result.Payload, err)
		}
		if want, err := filepath.EvalSymlinks(filepath.Join(root, "task")); err != nil || s.Folder != want {
			t.Errorf("the function is in %s, want %s", s.Folder, want)
		}
		for _, name := range []string{"AWS_LAMBDA_RUNTIME_API", "AWS_LAMBDA_LOG_STREAM_NAME", "TMPDIR", "LAMBDA_TASK_ROOT", "LD_LIBRARY_PATH", "NODE_PATH", "PATH", "PWD", "_X_AMZN_TRACE_ID"} {
			if s.Variables[name] == "" {
				t.Errorf("no %s", name)
			}
			delete(s.Variables, name) // another one in each environment
		}
		return s
	}
	first := call(map[string]string{"OWN": "1", "NODE_OPTIONS": "--enable-source-maps"})
	if pid := <-begun; pid != first.PID {
		t.Errorf("the first call ran in process %d, want %d", first.PID, pid)
	}
	ahead := <-begun
	second := call(map[string]string{"OWN": "1", "NODE_OPTIONS": "--enable-source-maps"})
	if second.PID != ahead {
		t.Errorf("the second call ran in process %d, want %d, which waited", second.PID, ahead)
	}
	first.PID, first.Folder, second.PID, second.Folder = 0, "", 0, ""
	if diff := cmp.Diff(first, second); diff != "" {
		t.Errorf("started ahead (+) the function sees something else (-):\n%s", diff)
	}
	ahead = <-begun
	// An option that Node.js takes only at its start.
	third := call(map[string]string{"NODE_OPTIONS": "--no-deprecation"})
	if third.PID == ahead || third.Variables["OWN"] != "" || !slices.Equal(third.Options, first.Options) {
		t.Errorf("with options of its own the function saw %+v", third)
	}
	// A library that the loader finds by a variable of the process's start.
	if fourth := call(nil, "libown.so.1"); fourth.PID == ahead {
		t.Error("with a library of its own the function ran in the process that waited")
	}
}
