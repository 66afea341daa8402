// Command access measures what stands between a request and its function:
// verifying a signature made with a session's credentials, beside
// aws-sdk-go-v2 that signs the same request; deciding by ten policies of ten
// statements, beside that verification; and a million live sessions.
//
//	go run ./bench/access
//	go run ./bench/access -sessions 100000
//
// Many short rounds alternate between the contestants, and the fastest of each
// are compared: what else the machine does slows a round down and never speeds
// one up. The program fails if something is over what is required.
package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"runtime"
	"time"
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

// report prints one line for each figure and remembers what is over its bound.
type report struct {
	out  io.Writer
	over []error
}

func (r *report) line(name string, ours, baseline any, ratio, most float64) {
	fmt.Fprintf(r.out, "%-50s %14v %14v %8.2f   at most %.2f\n", name, ours, baseline, ratio, most)
	if ratio > most {
		r.over = append(r.over, fmt.Errorf("%s: %.2f is over %.2f", name, ratio, most))
	}
}

func (r *report) compare(name string, ours, baseline time.Duration, most float64) {
	r.line(name, ours, baseline, float64(ours)/float64(baseline), most)
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
	fmt.Fprintf(out, "%-50s %14s %14s %8s   %s\n", "name", "ours", "baseline", "ratio", "required")
	times := fastest(*rounds, w.sign, w.verify, w.hashBody, w.verifyBody, w.decide, w.decideBare, w.decideTenfold)
	sign, verify, hash, body, decide, bare, tenfold := times[0], times[1], times[2], times[3], times[4], times[5], times[6]
	r.compare("verify a GET with a session / the SDK signs it", verify, sign, verifyRatio)
	r.compare("verify 1 MiB / its SHA-256", body, hash, bodyRatio)
	r.compare("decide 10x10 in the region / verify", decide, verify, decideRatio)
	r.compare("decide 100x10 / decide 10x10", tenfold, bare, tenfoldRatio)
	r.count("verify: allocations", allocations(w.verify), verifyAllocs)
	r.count("decide 10x10: allocations", allocations(w.decideBare), decideAllocs)
	r.count("decide 10x10 in the region: allocations", allocations(w.decide), decideAllocs)
	if err := w.live(r, *sessions); err != nil {
		return err
	}
	return errors.Join(r.over...)
}

func (r *report) count(name string, n float64, most float64) {
	r.line(name, n, "-", n, most)
}

// perRound is how long one contestant runs in a round.
const perRound = 3 * time.Millisecond

// fastest runs functions in turn, and returns the time of one call of each in
// its fastest round.
func fastest(rounds int, functions ...func()) []time.Duration {
	best := make([]time.Duration, len(functions))
	for range rounds {
		for i, f := range functions {
			if took := once(f); best[i] == 0 || took < best[i] {
				best[i] = took
			}
		}
	}
	return best
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
