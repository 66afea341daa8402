package environment_test

import (
	"context"
	"fmt"
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

// BenchmarkInvoke is for profiles; bench/functions holds the same against a bare
// driver.
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
