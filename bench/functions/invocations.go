package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/seed-615d3599/roost/bench/figure"
	"github.com/seed-615d3599/roost/internal/region/lambda/environment"
)

// callers is how many call at once.
const callers = 16

// round is what one round of one contestant measured.
type round struct {
	calls     int
	took, cpu time.Duration
	times     []time.Duration
}

func (r round) perSecond() float64 { return float64(r.calls) / r.took.Seconds() }

// invocations compares processor time for each invocation, and throughput.
func (b *bench) invocations() error {
	for _, environments := range []int{1, 2, 4} {
		if err := b.invocationsOf(environments); err != nil {
			return err
		}
	}
	return nil
}

func (b *bench) invocationsOf(environments int) error {
	m := b.newManager(environments)
	defer m.Close()
	pool := m.Pool(b.goSpec("warm"), m.NewConcurrency())
	d, err := newDriver()
	if err != nil {
		return err
	}
	defer d.server.Close()
	for range environments {
		stop, err := d.start(pool.Spec().Command, b.dir)
		if err != nil {
			return err
		}
		defer stop()
	}
	payload := []byte(`{"n":1}`)
	var cpu, bareCPU []time.Duration
	var rate, bareRate, ratios []float64
	for i := -1; i < b.rounds; i++ { // the first only warms up
		ours, err := b.call(func() error { return invoke(pool, payload) })
		if err != nil {
			return err
		}
		bare, err := b.call(func() error { d.invoke(payload); return nil })
		if err != nil {
			return err
		}
		if i < 0 {
			continue
		}
		cpu, bareCPU = append(cpu, ours.cpu/time.Duration(ours.calls)), append(bareCPU, bare.cpu/time.Duration(bare.calls))
		rate, bareRate = append(rate, ours.perSecond()), append(bareRate, bare.perSecond())
		ratios = append(ratios, ours.perSecond()/bare.perSecond())
	}
	beside := fmt.Sprintf("%d at once, of a bare driver's: ", environments)
	b.say(figure.Times(beside+"own processor time", cpu, bareCPU, ownTime))
	b.say(figure.Figure{Name: beside + "throughput", Ours: fmt.Sprintf("%.0f/s", figure.Median(rate)),
		Baseline: fmt.Sprintf("%.0f/s", figure.Median(bareRate)), Ratio: figure.Median(ratios), Bound: throughput})
	return nil
}

func invoke(pool *environment.Pool, payload []byte) error {
	result, err := pool.Invoke(context.Background(), environment.Call{Payload: payload})
	if err == nil && result.FunctionError != "" {
		err = fmt.Errorf("the function failed: %s", result.Payload)
	}
	return err
}

// call runs an operation by all callers for the length of a round.
func (b *bench) call(operation func() error) (round, error) {
	var r round
	var mu sync.Mutex
	var failed error
	var group sync.WaitGroup
	before, begun := processorTime(), time.Now()
	for range callers {
		group.Go(func() {
			var times []time.Duration
			var err error
			for start := begun; err == nil && start.Sub(begun) < b.length; {
				err = operation()
				now := time.Now()
				times = append(times, now.Sub(start))
				start = now
			}
			mu.Lock()
			defer mu.Unlock()
			r.times, failed = append(r.times, times...), errors.Join(failed, err)
		})
	}
	group.Wait()
	r.took, r.cpu, r.calls = time.Since(begun), processorTime()-before, len(r.times)
	return r, failed
}

// processorTime is this process's own, without that of the functions.
func processorTime() time.Duration {
	var usage syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &usage) != nil {
		return 0
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

// crashes compares a function's slowest calls (p99) while another one crashes at
// every call with those while the other one answers.
func (b *bench) crashes() error {
	m := b.newManager(4)
	defer m.Close()
	good, other := m.Pool(b.goSpec("good"), m.NewConcurrency()), m.Pool(b.goSpec("other"), m.NewConcurrency())
	var beside, quiet []time.Duration
	for i := -1; i < b.rounds; i++ { // the first only warms up
		for _, kind := range []struct {
			payload string
			p99     *[]time.Duration
		}{{`{"crash":true}`, &beside}, {`{"n":1}`, &quiet}} {
			p99, err := b.besides(good, other, []byte(kind.payload))
			if err != nil {
				return err
			}
			if i >= 0 {
				*kind.p99 = append(*kind.p99, p99)
			}
		}
	}
	b.say(figure.Times("p99 beside a crash loop / beside a good function", beside, quiet, besideCrash))
	return nil
}

// pause is between two calls of the function beside which is measured: a crash
// loop restarts a process this often.
const pause = 50 * time.Millisecond

// besides measures the p99 of one caller of a function, while another function is
// called over and over with a payload.
func (b *bench) besides(good, other *environment.Pool, payload []byte) (time.Duration, error) {
	var stop atomic.Bool
	var group sync.WaitGroup
	group.Go(func() {
		for !stop.Load() {
			other.Invoke(context.Background(), environment.Call{Payload: payload}) // it may well fail
			time.Sleep(pause)
		}
	})
	defer group.Wait()
	defer stop.Store(true)
	if err := invoke(good, []byte(`{"n":1}`)); err != nil { // it has an environment now
		return 0, err
	}
	var times []time.Duration
	for begun := time.Now(); time.Since(begun) < b.length; {
		start := time.Now()
		if err := invoke(good, []byte(`{"n":1}`)); err != nil {
			return 0, err
		}
		times = append(times, time.Since(start))
	}
	slices.Sort(times)
	return times[len(times)*99/100], nil
}
