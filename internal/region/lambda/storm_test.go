package lambda_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	awslambda "github.com/aws/aws-lambda-go/lambda"

	"github.com/seed-615d3599/roost/internal/need"
	"github.com/seed-615d3599/roost/internal/region/lambda"
	"github.com/seed-615d3599/roost/internal/region/wire"
)

// The test binary is also a Go function, with AWS's own runtime client.
func TestMain(m *testing.M) {
	switch os.Getenv("_HANDLER") {
	case "":
	case providedHandler:
		serveRecorded()
		return
	default:
		awslambda.Start(func(_ context.Context, event map[string]any) (any, error) {
			switch event["do"] {
			case "crash":
				os.Exit(1)
			case "fail":
				return nil, errors.New("as asked")
			case "hang":
				select {}
			}
			return event["id"], nil
		})
		return
	}
	os.Exit(m.Run())
}

const stormPython = `import os, time
def handler(e, c):
    if e['do'] == 'crash': os._exit(1)
    if e['do'] == 'fail': raise Exception('as asked')
    if e['do'] == 'hang': time.sleep(1000)
    return e['id']
`

const stormNode = `exports.handler = async (e) => {
  if (e.do === 'crash') process.exit(1)
  if (e.do === 'fail') throw new Error('as asked')
  if (e.do === 'hang') await new Promise((r) => setTimeout(r, 1e6))
  return e.id
}
`

// stormGuest is a function in one of the three languages.
type stormGuest struct {
	runtime, handler string
	files            map[string]string
}

func stormGuests(t *testing.T) []stormGuest {
	need.Tool(t, "python3")
	need.Tool(t, "node")
	executable, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return []stormGuest{
		{"provided.al2023", "bootstrap", map[string]string{"bootstrap": "#!/bin/sh\nexec " + executable + "\n"}},
		{"python3.12", "handler.handler", map[string]string{"handler.py": stormPython}},
		{"nodejs22.x", "index.handler", map[string]string{"index.js": stormNode}},
	}
}

// TestStorm sends a thousand concurrent calls to twenty functions of three
// languages while they crash, fail, hang and are replaced. Every call must get
// one answer that is its own, and nothing may be left behind.
func TestStorm(t *testing.T) {
	const functions, calls = 20, 1000
	guests := stormGuests(t)
	goroutines, files := runtime.NumGoroutine(), openFiles(t)
	r := &region{t: t, dir: t.TempDir(), change: func(config *lambda.Config) { config.Ahead = true }}
	r.open()
	for i := range functions {
		g := guests[i%len(guests)]
		r.must("CreateFunction", object{"FunctionName": fmt.Sprintf("f%d", i), "Runtime": g.runtime, "Handler": g.handler, "Role": role,
			"Timeout": 5, "Code": object{"ZipFile": zipped(t, g.files)}}, nil)
	}
	var group sync.WaitGroup
	for i := range calls {
		group.Go(func() { r.stormCall(i, fmt.Sprintf("f%d", i%functions)) })
	}
	for i := range functions {
		group.Go(func() { // a reload while calls are under way
			g := guests[i%len(guests)]
			files := map[string]string{"version": fmt.Sprint(i)}
			for name, text := range g.files {
				files[name] = text
			}
			r.must("UpdateFunctionCode", object{"FunctionName": fmt.Sprintf("f%d", i), "ZipFile": zipped(t, files)}, nil)
		})
	}
	group.Wait()
	r.stop()
	if left, _ := os.ReadDir(filepath.Join(r.dir, "lambda", "tmp")); len(left) != 0 {
		t.Errorf("%d temporary folders are left", len(left))
	}
	waitFor(t, "the end of every goroutine and file", func() bool {
		return runtime.NumGoroutine() <= goroutines && openFiles(t) <= files
	})
}

// stormCall makes one call and checks its answer. A call that waited for too
// long may be throttled; then it is made again.
func (r *region) stormCall(i int, name string) {
	do := "ok"
	switch n := rand.IntN(100); {
	case n < 4:
		do = "crash"
	case n < 8:
		do = "fail"
	case n < 9:
		do = "hang"
	}
	payload, _ := json.Marshal(object{"id": i, "do": do})
	var response []byte
	var functionError string
	for {
		var err error
		response, functionError, err = r.Invoke(context.Background(), arn(name), payload)
		if wire.Code(err) == "TooManyRequestsException" {
			continue
		}
		if err != nil {
			r.t.Errorf("call %d: %v", i, err)
			return
		}
		break
	}
	want := map[string]string{"ok": fmt.Sprint(i), "crash": "Runtime exited with error: exit status 1", "fail": "as asked", "hang": "Task timed out after 5.00 seconds"}[do]
	got := string(response)
	if (functionError != "") != (do != "ok") || do == "ok" && got != want || !strings.Contains(got, want) {
		r.t.Errorf("call %d (%s): got %q %s", i, do, functionError, got)
	}
}

// openFiles counts this process's open files, where the system shows them.
func openFiles(t *testing.T) int {
	t.Helper()
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		return 0
	}
	return len(entries)
}

// A yardstick is a program that does next to nothing but answer: how long it is
// held up, the machine is, whatever the region does.
type yardstick struct {
	to, from *os.File
}

func newYardstick(t *testing.T) *yardstick {
	t.Helper()
	cat := exec.Command(need.Tool(t, "cat"))
	theirs, to, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	from, answers, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	cat.Stdin, cat.Stdout = theirs, answers
	if err := cat.Start(); err != nil {
		t.Fatal(err)
	}
	theirs.Close()
	answers.Close()
	t.Cleanup(func() {
		to.Close()
		from.Close()
		if err := cat.Wait(); err != nil {
			t.Error(err)
		}
	})
	return &yardstick{to, from}
}

// during does something and returns how long that took without the time for which
// the machine was held up: on one with nothing else to do, that is no time.
func (y *yardstick) during(t *testing.T, do func()) time.Duration {
	t.Helper()
	over, held := make(chan struct{}), make(chan time.Duration, 1)
	go func() {
		var sum time.Duration
		defer func() { held <- sum }()
		for {
			begin := time.Now()
			_, err := y.to.Write([]byte{0})
			if err == nil {
				_, err = y.from.Read(make([]byte, 1))
			}
			if err != nil {
				t.Errorf("the yardstick broke: %v", err)
				return
			}
			if answer := time.Since(begin); answer > 50*time.Millisecond {
				sum += answer
			}
			select {
			case <-over:
				return
			default:
			}
		}
	}()
	begin := time.Now()
	func() {
		defer close(over)
		do()
	}()
	took := time.Since(begin)
	return took - <-held
}

func TestACrashLoopDisturbsNobody(t *testing.T) {
	r, y := start(t), newYardstick(t)
	g := stormGuests(t)[0]
	for _, name := range []string{"calm", "wild"} {
		r.must("CreateFunction", object{"FunctionName": name, "Runtime": g.runtime, "Handler": g.handler, "Role": role, "Timeout": 5, "Code": object{"ZipFile": zipped(t, g.files)}}, nil)
	}
	ctx, cancel := context.WithCancel(context.Background())
	var group sync.WaitGroup
	group.Go(func() {
		for ctx.Err() == nil {
			_, _, _ = r.Invoke(ctx, arn("wild"), []byte(`{"do":"crash"}`))
		}
	})
	r.invoke(arn("calm"), `{"id":0}`)
	for i := range 200 {
		var got, failed string
		took := y.during(t, func() { got, failed = r.invoke(arn("calm"), fmt.Sprintf(`{"id":%d}`, i)) })
		if failed != "" || got != fmt.Sprint(i) {
			t.Errorf("got %s", got)
		}
		if took > 2*time.Second {
			t.Errorf("a call took %v", took)
		}
	}
	cancel()
	group.Wait()
}
