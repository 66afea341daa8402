package environment_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"net"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	awslambda "github.com/aws/aws-lambda-go/lambda"

	"github.com/seed-615d3599/roost/internal/region/lambda/environment"
)

// The test binary is its own guest: started with GUEST set, it is a function
// that uses AWS's own runtime client for Go.
func TestMain(m *testing.M) {
	if os.Getenv("GUEST") != "" {
		guest(os.Getenv("GUEST"))
		return
	}
	if os.Getenv("HOST") != "" {
		host(os.Getenv("HOST"))
		return
	}
	os.Exit(m.Run())
}

// host is a program that is killed while its function is busy: one that never
// looks whether the Runtime API is still there.
func host(dir string) {
	m := environment.NewManager(environment.Config{Dir: dir})
	s := spec("busy-in-init")
	s.Timeout, s.Variables["KILLED"] = time.Hour, dir
	_, _ = m.Pool(s, m.NewConcurrency()).Invoke(context.Background(), environment.Call{Payload: []byte(`{}`)})
}

func guest(name string) {
	switch name {
	case "exit-in-init":
		os.Exit(0)
	case "status-in-init":
		os.Exit(3)
	case "busy-in-init":
		for n := uint64(0); n < math.MaxUint64; n++ {
		}
	}
	awslambda.Start(func(ctx context.Context, event map[string]any) (any, error) {
		switch event["do"] {
		case "exit":
			os.Exit(int(event["status"].(float64)))
		case "fail":
			return nil, errors.New("Handler fails")
		case "hang":
			select {}
		case "large":
			return strings.Repeat("x", 6*1024*1024+200), nil
		case "print":
			fmt.Println("printed")
		case "lines":
			for _, line := range event["lines"].([]any) {
				fmt.Println(line)
			}
		case "eat":
			eaten := make([]byte, 400<<20)
			for i := 0; i < len(eaten); i += 4096 {
				eaten[i] = 1
			}
			<-ctx.Done()
			return eaten[0], nil
		case "orphan":
			cmd := exec.Command("setsid", "sleep", "1000")
			if err := cmd.Start(); err != nil {
				return nil, err
			}
			return cmd.Process.Pid, nil
		case "grandchild": // its parent is gone, and it has a group of its own
			out, err := exec.Command("sh", "-c", "setsid sleep 1000 >/dev/null 2>&1 & echo $!").Output()
			if err != nil {
				return nil, err
			}
			return strconv.Atoi(strings.TrimSpace(string(out)))
		case "wait": // until somebody is there
			conn, err := net.Dial("tcp", event["for"].(string))
			if err != nil {
				return nil, err
			}
			_, _ = conn.Read(make([]byte, 1))
		case "pid":
			return os.Getpid(), nil
		}
		return event, nil
	})
}

// logs collects what is logged.
type logs struct {
	mu    sync.Mutex
	lines []string
}

func (l *logs) Write(_, _ string, _ time.Time, message string) {
	l.mu.Lock()
	l.lines = append(l.lines, message)
	l.mu.Unlock()
}

func (l *logs) text() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Join(l.lines, "")
}

func spec(guest string) *environment.Spec {
	return &environment.Spec{
		FunctionName: "f", Version: "$LATEST", Region: "us-east-1", Runtime: "provided.al2023", Handler: "bootstrap",
		FunctionARN: "arn:aws:lambda:us-east-1:123456789012:function:f",
		Command:     []string{os.Args[0]}, TaskRoot: os.TempDir(), MemoryMB: 512, Timeout: 20 * time.Second,
		Variables: map[string]string{"GUEST": guest}, LogGroup: "/aws/lambda/f",
	}
}

func manager(t testing.TB, config environment.Config) *environment.Manager {
	t.Helper()
	config.Dir = t.TempDir()
	m := environment.NewManager(config)
	t.Cleanup(func() {
		m.Close()
		if n := m.Running(); n != 0 {
			t.Errorf("%d environments are left", n)
		}
		if left, _ := os.ReadDir(config.Dir); len(left) != 0 {
			t.Errorf("%d temporary folders are left", len(left))
		}
	})
	return m
}

func invoke(t testing.TB, p *environment.Pool, payload string) environment.Result {
	t.Helper()
	result, err := p.Invoke(context.Background(), environment.Call{Payload: []byte(payload), Tail: true})
	if err != nil {
		t.Fatal(err)
	}
	return result
}

func TestRecordedErrors(t *testing.T) {
	short := func(s *environment.Spec) { s.Timeout = time.Second }
	tests := []struct {
		name, guest, payload string
		change               func(*environment.Spec)
		want                 string // <id> stands for the request's id
	}{
		{name: "exit in init", guest: "exit-in-init", payload: `{}`,
			want: `{"errorType":"Runtime.ExitError","errorMessage":"RequestId: <id> Error: Runtime exited without providing a reason"}`},
		{name: "status in init", guest: "status-in-init", payload: `{}`,
			want: `{"errorType":"Runtime.ExitError","errorMessage":"RequestId: <id> Error: Runtime exited with error: exit status 3"}`},
		{name: "exit in the handler", guest: "x", payload: `{"do":"exit","status":0}`,
			want: `{"errorType":"Runtime.ExitError","errorMessage":"RequestId: <id> Error: Runtime exited without providing a reason"}`},
		{name: "status in the handler", guest: "x", payload: `{"do":"exit","status":127}`,
			want: `{"errorType":"Runtime.ExitError","errorMessage":"RequestId: <id> Error: Runtime exited with error: exit status 127"}`},
		{name: "time limit", guest: "x", payload: `{"do":"hang"}`, change: short,
			want: `{"errorType":"Sandbox.Timedout","errorMessage":"RequestId: <id> Error: Task timed out after 1.00 seconds"}`},
		{name: "too large", guest: "x", payload: `{"do":"large"}`,
			want: `{"errorMessage":"Response payload size exceeded maximum allowed payload size (6291556 bytes).","errorType":"Function.ResponseSizeTooLarge"}`},
		{name: "error of the handler", guest: "x", payload: `{"do":"fail"}`,
			want: `{"errorMessage":"Handler fails","errorType":"errorString"}`},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			m := manager(t, environment.Config{})
			s := spec(test.guest)
			if test.change != nil {
				test.change(s)
			}
			p := m.Pool(s, m.NewConcurrency())
			for range 2 { // the next call meets a fresh environment
				result := invoke(t, p, test.payload)
				got := strings.ReplaceAll(string(result.Payload), result.RequestID, "<id>")
				if got != test.want || result.FunctionError != "Unhandled" {
					t.Errorf("got %s %s, want %s", result.FunctionError, got, test.want)
				}
			}
			if test.guest == "x" {
				if result := invoke(t, p, `{"a":1}`); string(result.Payload) != `{"a":1}` || result.FunctionError != "" {
					t.Errorf("afterwards: got %s %s", result.FunctionError, result.Payload)
				}
			}
		})
	}
}

func TestLogs(t *testing.T) {
	var l logs
	m := manager(t, environment.Config{Logs: &l})
	p := m.Pool(spec("x"), m.NewConcurrency())
	result := invoke(t, p, `{"do":"print"}`)
	want := "START RequestId: " + result.RequestID + " Version: $LATEST\nprinted\nEND RequestId: " + result.RequestID + "\nREPORT RequestId: " + result.RequestID + "\tDuration: "
	if !strings.HasPrefix(l.text(), want) || !strings.Contains(l.text(), " ms\tMemory Size: 512 MB\tMax Memory Used: ") || !strings.HasSuffix(l.text(), " ms\t\n") {
		t.Errorf("got %q", l.text())
	}
	if string(result.Tail) != l.text() {
		t.Errorf("the tail is %q", result.Tail)
	}
	if again := invoke(t, p, `{}`); strings.Contains(string(again.Tail), "Init Duration") {
		t.Error("the second call reports an init duration")
	}
}

func TestOneAtATimeAndWarmestFirst(t *testing.T) {
	m := manager(t, environment.Config{MaxEnvironments: 4})
	p := m.Pool(spec("x"), m.NewConcurrency())
	pids := map[string]bool{}
	var mu sync.Mutex
	var group sync.WaitGroup
	for range 40 {
		group.Go(func() {
			pid := string(invoke(t, p, `{"do":"pid"}`).Payload)
			mu.Lock()
			pids[pid] = true
			mu.Unlock()
		})
	}
	group.Wait()
	if len(pids) > 4 || m.Running() > 4 {
		t.Errorf("%d processes answered, %d run", len(pids), m.Running())
	}
	settled(t, m, p)
	last := string(invoke(t, p, `{"do":"pid"}`).Payload)
	for range 5 {
		settled(t, m, p)
		if pid := string(invoke(t, p, `{"do":"pid"}`).Payload); pid != last {
			t.Errorf("process %s answers, not the warmest %s", pid, last)
		}
	}
}

// settled waits until every environment has asked for its next call.
func settled(t *testing.T, m *environment.Manager, p *environment.Pool) {
	t.Helper()
	until(t, "some environments are not idle", func() bool { return p.Idle() == m.Running() })
}

// A function whose own calls wait for a place keeps the environments that it has.
func TestAFunctionDoesNotMakeRoomForItself(t *testing.T) {
	m := manager(t, environment.Config{MaxEnvironments: 1})
	p := m.Pool(spec("x"), m.NewConcurrency())
	first := string(invoke(t, p, `{"do":"pid"}`).Payload)
	for range 5 {
		var group sync.WaitGroup
		for range 4 {
			group.Go(func() {
				if pid := string(invoke(t, p, `{"do":"pid"}`).Payload); pid != first {
					t.Errorf("process %s answers, not %s", pid, first)
				}
			})
		}
		group.Wait()
		settled(t, m, p)
	}
}

func TestOneCallerNeedsOneEnvironment(t *testing.T) {
	m := manager(t, environment.Config{MaxEnvironments: 16})
	p := m.Pool(spec("x"), m.NewConcurrency())
	for range 50 {
		invoke(t, p, `{}`)
	}
	// A machine that is busy elsewhere may make one call look for a second.
	if n := m.Running(); n > 2 {
		t.Errorf("%d environments run for one caller", n)
	}
}

func TestReservedConcurrency(t *testing.T) {
	m := manager(t, environment.Config{})
	c := m.NewConcurrency()
	p := m.Pool(spec("x"), c)
	m.Reserve(c, 0)
	_, err := p.Invoke(context.Background(), environment.Call{Payload: []byte(`{}`)})
	var throttled *environment.Throttled
	if !errors.As(err, &throttled) || throttled.Reason != environment.ReasonReserved || err.Error() != "Rate Exceeded." {
		t.Errorf("got %v", err)
	}
	m.Reserve(c, 1)
	if result := invoke(t, p, `{}`); string(result.Payload) != `{}` {
		t.Errorf("got %s", result.Payload)
	}
}

func TestPlacesAreShared(t *testing.T) {
	m := manager(t, environment.Config{MaxEnvironments: 1})
	a, b := m.Pool(spec("x"), m.NewConcurrency()), m.Pool(spec("x"), m.NewConcurrency())
	for range 3 {
		for _, p := range []*environment.Pool{a, b} {
			if result := invoke(t, p, `{}`); string(result.Payload) != `{}` {
				t.Errorf("got %s", result.Payload)
			}
		}
	}
}

func TestMemoryLimit(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("memory is measured on Linux only")
	}
	m := manager(t, environment.Config{})
	s := spec("x")
	s.MemoryMB = 128
	p := m.Pool(s, m.NewConcurrency())
	result := invoke(t, p, `{"do":"eat"}`)
	want := `{"errorType":"Runtime.OutOfMemory","errorMessage":"RequestId: ` + result.RequestID + ` Error: Runtime exited with error: signal: killed"}`
	if string(result.Payload) != want {
		t.Errorf("got %s", result.Payload)
	}
	if result = invoke(t, p, `{}`); string(result.Payload) != `{}` {
		t.Errorf("afterwards: got %s", result.Payload)
	}
}

func TestCredentialsAreRenewed(t *testing.T) {
	m := manager(t, environment.Config{Credentials: shortLived{}})
	p := m.Pool(spec("x"), m.NewConcurrency())
	first := string(invoke(t, p, `{"do":"pid"}`).Payload)
	if second := string(invoke(t, p, `{"do":"pid"}`).Payload); second == first {
		t.Error("an environment whose credentials are about to expire is used again")
	}
}

// shortLived hands out credentials that expire before the next call could end.
type shortLived struct{}

func (shortLived) Credentials(context.Context, string, string) (id, secret, token string, expires time.Time, err error) {
	return "AKID", "secret", "token", time.Now().Add(time.Minute), nil
}

func TestIdleEnvironmentsEnd(t *testing.T) {
	m := manager(t, environment.Config{IdleTimeout: 50 * time.Millisecond})
	invoke(t, m.Pool(spec("x"), m.NewConcurrency()), `{}`)
	until(t, "the environment does not end", func() bool { return m.Running() == 0 })
}

func TestACallerThatLeavesDisturbsNobody(t *testing.T) {
	m := manager(t, environment.Config{MaxEnvironments: 1})
	s := spec("x")
	s.Timeout = time.Second
	p := m.Pool(s, m.NewConcurrency())
	ctx, cancel := context.WithTimeout(context.Background(), 100*time.Millisecond)
	defer cancel()
	if _, err := p.Invoke(ctx, environment.Call{Payload: []byte(`{"do":"hang"}`)}); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v", err)
	}
	if result := invoke(t, p, `{"a":1}`); string(result.Payload) != `{"a":1}` {
		t.Errorf("got %s", result.Payload)
	}
}

func TestOrphansEndWithTheirEnvironment(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("processes that leave their group are found on Linux only")
	}
	for _, how := range []string{"orphan", "grandchild"} {
		t.Run(how, func(t *testing.T) {
			m := manager(t, environment.Config{})
			p := m.Pool(spec("x"), m.NewConcurrency())
			result := invoke(t, p, `{"do":"`+how+`"}`)
			if result.FunctionError != "" {
				t.Fatalf("got %s", result.Payload)
			}
			pid := string(result.Payload)
			p.Retire()
			until(t, "process "+pid+" is still there", func() bool {
				stat, err := os.ReadFile("/proc/" + pid + "/stat")
				return err != nil || strings.Contains(string(stat), ") Z ")
			})
		})
	}
}

func TestRetire(t *testing.T) {
	m := manager(t, environment.Config{})
	p := m.Pool(spec("x"), m.NewConcurrency())
	first := string(invoke(t, p, `{"do":"pid"}`).Payload)
	p.Retire()
	q := m.Pool(spec("x"), m.NewConcurrency())
	if second := string(invoke(t, q, `{"do":"pid"}`).Payload); second == first {
		t.Error("the old process answers")
	}
}

// TestSilence holds that the call that runs while its function is deleted logs
// nothing more, and is answered.
func TestSilence(t *testing.T) {
	var l logs
	m := manager(t, environment.Config{Logs: &l})
	p := m.Pool(spec("x"), m.NewConcurrency())
	invoke(t, p, `{}`)
	before := l.text()
	if !strings.Contains(before, "END RequestId") {
		t.Fatalf("a call logs %q", before)
	}
	p.Silence()
	if result := invoke(t, p, `{"a":1}`); string(result.Payload) != `{"a":1}` {
		t.Errorf("got %s", result.Payload)
	}
	p.Retire()
	if got := l.text(); got != before {
		t.Errorf("it logs %q", strings.TrimPrefix(got, before))
	}
}

func TestVariables(t *testing.T) {
	t.Setenv("HOST_SECRET", "x")
	var l logs
	m := manager(t, environment.Config{EndpointURL: "http://127.0.0.1:4000", Logs: &l})
	s := spec("x")
	s.Command = []string{"/bin/sh", "-c", `env >&2; exit 1`}
	p := m.Pool(s, m.NewConcurrency())
	invoke(t, p, `{}`)
	seen := l.text()
	for _, want := range []string{"AWS_LAMBDA_FUNCTION_NAME=f\n", "AWS_REGION=us-east-1\n", "LAMBDA_TASK_ROOT=", "_HANDLER=bootstrap\n", "TZ=:UTC\n", "AWS_ENDPOINT_URL=http://127.0.0.1:4000\n", "AWS_DISABLE_HOST_PREFIX_INJECTION=true\n", "AWS_LAMBDA_LOG_STREAM_NAME=20"} {
		if !strings.Contains(seen, want) {
			t.Errorf("%q is missing in %s", want, seen)
		}
	}
	if strings.Contains(seen, "HOST_SECRET") {
		t.Error("the host's own variable is seen")
	}
}

func TestJSONLogs(t *testing.T) {
	var l logs
	m := manager(t, environment.Config{Logs: &l})
	s := spec("x")
	s.LogFormat = "JSON"
	p := m.Pool(s, m.NewConcurrency())
	invoke(t, p, `{"do":"print"}`)
	var kinds []string
	for line := range strings.Lines(l.text()) {
		var record struct{ Type string }
		if json.Unmarshal([]byte(line), &record) != nil {
			record.Type = strings.TrimSpace(line)
		}
		kinds = append(kinds, record.Type)
	}
	if got := strings.Join(kinds, " "); got != "platform.start printed platform.report" {
		t.Errorf("got %s", got)
	}
}

// limit is for a machine that is very busy.
const limit = time.Minute

// until waits until something is so.
func until(t *testing.T, otherwise string, is func() bool) {
	t.Helper()
	for deadline := time.Now().Add(limit); !is(); runtime.Gosched() {
		if time.Now().After(deadline) {
			t.Fatal(otherwise)
		}
	}
}
