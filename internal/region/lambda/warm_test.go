package lambda_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/seed-615d3599/roost/internal/region/lambda"
	"github.com/seed-615d3599/roost/internal/region/store"
	"github.com/seed-615d3599/roost/internal/region/wire"
)

// likely checks which function a fork would start.
func (r *region) likely(when, want string) {
	r.t.Helper()
	if got := r.Likely(); got != want {
		r.t.Errorf("%s: likely is %q, want %q", when, got, want)
	}
}

func TestLikely(t *testing.T) {
	r := start(t)
	r.likely("nothing is there", "")
	r.must("CreateFunction", shellFunction(t, "f"), nil)
	r.likely("there is one function", "f")
	r.must("CreateFunction", shellFunction(t, "g"), nil)
	r.likely("nobody has called any", "")
	for _, call := range []struct{ function, want string }{{"f", "f"}, {"g", "g"}, {"f", "g"}} {
		r.invoke(arn(call.function), `{}`)
		r.likely("after a call of "+call.function, call.want)
	}
	r.must("UpdateFunctionCode", object{"FunctionName": "f", "ZipFile": zipped(t, map[string]string{"bootstrap": "#!/bin/sh\nexit 1"})}, nil)
	r.likely("new code that nobody has called", "g")
	r.invoke(arn("f"), `{}`)
	r.likely("new code", "f")
	fork := startWith(t, func(config *lambda.Config) { config.Original = r.Lambda })
	for _, name := range []string{"f", "g"} {
		fork.must("CreateFunction", shellFunction(t, name), nil)
	}
	fork.likely("what the original called", "f")
	fork.invoke(arn("g"), `{}`)
	r.likely("a call in a fork", "g")
	if _, err := os.Stat(filepath.Join(fork.dir, "lambda", "ran")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a fork notes for its next start what it called: %v", err)
	}
	r.must("DeleteFunction", object{"FunctionName": "g"}, nil)
	r.likely("the other one is gone", "f")
}

// What starts ahead of its first call is not what was called last: the order of
// the calls outlives starts without any.
func TestWhatRanLastIsLikelyAfterARestart(t *testing.T) {
	r := start(t)
	for _, name := range []string{"a", "b", "c"} {
		r.must("CreateFunction", shellFunction(t, name), nil)
	}
	for age, name := range []string{"b", "a", "c"} {
		r.invoke(arn(name), `{}`)
		at := time.Now().Add(-time.Duration(age) * time.Hour)
		if err := os.Chtimes(filepath.Join(r.dir, "lambda", "ran", name), at, at); err != nil {
			t.Fatal(err)
		}
	}
	for range 2 {
		r.stop()
		r.open()
		r.WarmLast(t.Context(), 2, func(f func()) { f() })
		r.likely("after a restart", "b")
	}
	r.invoke(arn("c"), `{}`)
	r.stop()
	r.open()
	r.must("DeleteFunction", object{"FunctionName": "c"}, nil)
	r.WarmLast(t.Context(), 1, func(f func()) { f() })
	r.likely("the last one was deleted", "b")
}

// Nobody waits for a runtime's program to be looked for, and it is looked for once.
func TestWarmSoon(t *testing.T) {
	r := start(t)
	r.must("CreateFunction", shellFunction(t, "shell"), nil)
	r.python("python", "def handler(e, c):\n    return 1") // which looks for it, too
	r.stop()
	r.open()
	for _, test := range []struct {
		function string
		besides  int
	}{{"shell", 0}, {"python", 1}, {"python", 0}, {"none", 0}} {
		besides := 0
		r.WarmSoon(t.Context(), test.function, func(f func()) { besides++; f() })
		if besides != test.besides {
			t.Errorf("%s: %d beside, want %d", test.function, besides, test.besides)
		}
	}
}

// A template may change a function's handler with its code: no process begins that
// has only one of the two.
func TestConfigurationAndCodeThatChangeTogetherStartOnce(t *testing.T) {
	begun := make(started, 10)
	var db *store.DB
	r := startWith(t, func(config *lambda.Config) { config.Ahead, config.Groups, db = true, begun, config.DB })
	r.python("f", "def handler(e, c):\n    return 'old'")
	r.invoke(arn("f"), `{}`)
	<-begun
	err := db.Update(t.Context(), func(ctx context.Context, _ *store.Tx) error {
		code := zipped(t, map[string]string{"other.py": "import os\ndef main(e, c):\n    return os.getpid()"})
		caller := wire.Call{Region: "us-east-1", Account: "123456789012"}
		return errors.Join(
			r.Service().Call(ctx, caller, "UpdateFunctionConfiguration", object{"FunctionName": "f", "Handler": "other.main"}, nil),
			r.Service().Call(ctx, caller, "UpdateFunctionCode", object{"FunctionName": "f", "ZipFile": code}, nil))
	})
	if err != nil {
		t.Fatal(err)
	}
	want := fmt.Sprint(<-begun)
	if got, failed := r.invoke(arn("f"), `{}`); got != want || failed != "" {
		t.Errorf("%s %s answered, want process %s", got, failed, want)
	}
}
