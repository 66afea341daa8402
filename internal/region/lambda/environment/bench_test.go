package environment_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/seed-615d3599/roost/internal/region/lambda/environment"
)

// processorTime is this process's own, without that of the functions.
func processorTime() time.Duration {
	var usage syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &usage) != nil {
		return 0
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

// measure runs an operation by 16 callers and reports processor time.
func measure(b *testing.B, operation func()) {
	const callers = 16
	operation()
	b.ResetTimer()
	before := processorTime()
	work := make(chan struct{}, callers)
	var group sync.WaitGroup
	for range callers {
		group.Go(func() {
			for range work {
				operation()
			}
		})
	}
	for range b.N {
		work <- struct{}{}
	}
	close(work)
	group.Wait()
	b.ReportMetric(float64(processorTime()-before)/float64(b.N), "cpu-ns/op")
}

// BenchmarkInvoke is to be held against BenchmarkBareDriver: same function, same
// callers, same number of environments.
func BenchmarkInvoke(b *testing.B) {
	for _, environments := range []int{1, 2, 4} {
		b.Run(fmt.Sprint(environments), func(b *testing.B) {
			m := manager(b, environment.Config{MaxEnvironments: environments, Logs: discard{}})
			p := m.Pool(spec("x"), m.NewConcurrency())
			payload := []byte(`{"a":1}`)
			measure(b, func() {
				if _, err := p.Invoke(context.Background(), environment.Call{Payload: payload}); err != nil {
					b.Error(err)
				}
			})
		})
	}
}

type discard struct{}

func (discard) Write(string, string, time.Time, string) {}

// bareDriver is the least that a Runtime API on net/http can do: it hands
// payloads to whoever asks and responses back, and keeps no time limits, no
// logs and no states.
type bareDriver struct {
	calls chan *bareCall
	mu    sync.Mutex
	open  map[string]*bareCall
	count int
}

type bareCall struct {
	payload []byte
	done    chan []byte
}

func (d *bareDriver) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if strings.HasSuffix(r.URL.Path, "/next") {
		select {
		case c := <-d.calls:
			d.mu.Lock()
			d.count++
			id := fmt.Sprint(d.count)
			d.open[id] = c
			d.mu.Unlock()
			w.Header().Set("Lambda-Runtime-Aws-Request-Id", id)
			w.Header().Set("Lambda-Runtime-Deadline-Ms", fmt.Sprint(time.Now().Add(time.Minute).UnixMilli()))
			w.Header().Set("Lambda-Runtime-Invoked-Function-Arn", "arn:aws:lambda:us-east-1:123456789012:function:f")
			w.Write(c.payload)
		case <-r.Context().Done():
		}
		return
	}
	id := strings.Split(r.URL.Path, "/")[4]
	body, _ := io.ReadAll(r.Body)
	d.mu.Lock()
	c := d.open[id]
	delete(d.open, id)
	d.mu.Unlock()
	w.WriteHeader(http.StatusAccepted)
	io.WriteString(w, `{"status":"OK"}`)
	c.done <- body
}

func BenchmarkBareDriver(b *testing.B) {
	for _, environments := range []int{1, 2, 4} {
		b.Run(fmt.Sprint(environments), func(b *testing.B) {
			d := &bareDriver{calls: make(chan *bareCall), open: map[string]*bareCall{}}
			server := httptest.NewServer(d)
			defer server.Close()
			for range environments {
				cmd := exec.Command(os.Args[0])
				cmd.Env = []string{"GUEST=x", "AWS_LAMBDA_RUNTIME_API=" + strings.TrimPrefix(server.URL, "http://")}
				if err := cmd.Start(); err != nil {
					b.Fatal(err)
				}
				defer cmd.Wait()
				defer cmd.Process.Kill()
			}
			payload := []byte(`{"a":1}`)
			measure(b, func() {
				c := &bareCall{payload: payload, done: make(chan []byte, 1)}
				d.calls <- c
				if got := <-c.done; !bytes.Equal(got, payload) {
					b.Errorf("got %s", got)
				}
			})
		})
	}
}
