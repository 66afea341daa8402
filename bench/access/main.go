// Command access measures what stands between a request and its function:
// verifying a signature made with a session's credentials, beside
// aws-sdk-go-v2 that signs the same request; deciding by ten policies of ten
// statements, beside that verification; and a million live sessions.
// Decisions are measured with the policies of two roles: an ordinary one, whose
// statements are about many services, and the worst, whose every statement is
// about the service of the request and three in ten compare addresses.
//
//	go run ./bench/access
//	go run ./bench/access -sessions 100000
//
// The contestants take turns in many short rounds. The times are medians, and
// so are the ratios, each of two times of one round: what else the machine does
// then disturbs both. The program fails if something is over what is required.
package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"runtime"
	"time"

	"github.com/seed-615d3599/roost/bench/figure"
)

func main() {
	if err := run(os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// What is required.
const (
	verifyRatio   = 1.0  // of signing by the SDK
	bodyRatio     = 1.05 // of the body's SHA-256: nothing more, but for the noise of a busy machine
	decideRatio   = 1.0  // of verifying
	tenfoldRatio  = 10.0 // of a tenth of the statements
	verifyAllocs  = 12
	decideAllocs  = 0
	sessionGrowth = 8.0 // MB for all sessions, which is what the remembered thousand may take
)

// report prints the figures and remembers which are over their bound.
type report struct {
	out  io.Writer
	over []error
}

func (r *report) add(f figure.Figure) {
	fmt.Fprintln(r.out, f)
	if !f.OK() {
		r.over = append(r.over, fmt.Errorf("%s: %.2f is over %.2f", f.Name, f.Ratio, f.Bound))
	}
}

func (r *report) line(name, ours, baseline string, ratio, most float64) {
	r.add(figure.Figure{Name: name, Ours: ours, Baseline: baseline, Ratio: ratio, AtMost: true, Bound: most})
}

// compare prints how long ours took beside a baseline, in the same rounds.
func (r *report) compare(name string, ours, baseline []time.Duration, most float64) {
	r.add(figure.Times(name, ours, baseline, most))
}

func (r *report) count(name string, n, most float64) {
	r.line(name, fmt.Sprint(n), "-", n, most)
}

func run(args []string, out io.Writer) error {
	flags := flag.NewFlagSet("access", flag.ContinueOnError)
	rounds := flags.Int("rounds", 100, "rounds of each measurement")
	sessions := flags.Int("sessions", 1_000_000, "live sessions")
	if err := flags.Parse(args); err != nil {
		return err
	}
	w, err := newWorld()
	if err != nil {
		return err
	}
	defer w.close()
	r := &report{out: out}
	fmt.Fprintln(out, figure.Header())
	w.signatures(r, *rounds)
	for _, role := range w.roles {
		w.decisions(r, role, *rounds)
	}
	if err := w.live(r, *sessions); err != nil {
		return err
	}
	return errors.Join(r.over...)
}

func (w *world) signatures(r *report, rounds int) {
	times := measure(rounds, w.sign, w.verify, w.hashBody, w.verifyBody)
	r.compare("verify a GET with a session / the SDK signs it", times[1], times[0], verifyRatio)
	r.compare("verify 1 MiB / its SHA-256", times[3], times[2], bodyRatio)
	r.count("verify: allocations", allocations(w.verify), verifyAllocs)
}

func (w *world) decisions(r *report, role *role, rounds int) {
	inRegion, bare := func() { w.decide(role) }, func() { w.decideBare(role.request, role.ten) }
	times := measure(rounds, w.verify, inRegion, bare, func() { w.decideBare(role.request, role.hundred) })
	r.compare(role.name+": decide 10x10 / verify", times[2], times[0], decideRatio)
	r.compare(role.name+": decide 10x10 in the region / verify", times[1], times[0], decideRatio)
	r.compare(role.name+": decide 100x10 / decide 10x10", times[3], times[2], tenfoldRatio)
	r.count(role.name+": decide 10x10: allocations", allocations(bare), decideAllocs)
	r.count(role.name+": decide 10x10 in the region: allocations", allocations(inRegion), decideAllocs)
}

// perRound is how long one contestant runs in a round.
const perRound = 3 * time.Millisecond

// measure runs functions in turn, and returns for each the time of one call in
// each round.
func measure(rounds int, functions ...func()) [][]time.Duration {
	times := make([][]time.Duration, len(functions))
	for range rounds {
		for i, f := range functions {
			times[i] = append(times[i], once(f))
		}
	}
	return times
}

// once is the time of one call, over as many as fit into a round.
func once(f func()) time.Duration {
	f() // warm
	begin, calls := time.Now(), 0
	for time.Since(begin) < perRound {
		f()
		calls++
	}
	return time.Since(begin) / time.Duration(calls)
}

// allocations counts those of one call.
func allocations(f func()) float64 {
	const calls = 1000
	f()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for range calls {
		f()
	}
	runtime.ReadMemStats(&after)
	return float64((after.Mallocs - before.Mallocs) / calls)
}
