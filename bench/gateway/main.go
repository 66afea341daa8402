// Command gateway measures the embedded region's gateway beside two others, all
// in one run on one machine: a naive gateway (net/http on both sides,
// encoding/json) in front of the same Go function, and httputil.ReverseProxy in front of
// a plain server.
//
//	go run ./bench/gateway              # fifteen rounds of 0.6 seconds, then a million requests
//	go run ./bench/gateway -rounds 9 -seconds 5
//	go run ./bench/gateway -requests 0  # without the million
//
// Each contestant is a process of its own, so that its processor time can be told
// apart from the functions' and the client's. Many short rounds alternate between
// the contestants, and the medians of their ratios count: a machine that is busy
// with something else for a while disturbs them least.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"runtime/pprof"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/seed-615d3599/roost/bench/figure"
	"github.com/seed-615d3599/roost/bench/figure/guest"
)

const environments = 4

func main() {
	if err := run(os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(args []string, out io.Writer) error {
	if len(args) == 4 && args[0] == "serve" {
		return serve(args[1], args[2], args[3], out)
	}
	flags := flag.NewFlagSet("gateway", flag.ContinueOnError)
	rounds := flags.Int("rounds", 15, "rounds of each measurement")
	seconds := flags.Float64("seconds", 0.6, "length of a round")
	requests := flags.Int("requests", 1_000_000, "requests over which goroutines and memory are watched; 0 for none")
	only := flags.String("only", "", "measure only the lines whose name this regular expression matches, and compare nothing")
	profile := flags.String("profile", "", "have the region write its processor profile to this file")
	if err := flags.Parse(args); err != nil {
		return err
	}
	b, err := newBench(*rounds, time.Duration(*seconds*float64(time.Second)), *profile, out)
	if err != nil {
		return err
	}
	defer b.close()
	if err := b.compare(*only); err != nil || *only != "" || *requests == 0 {
		return err
	}
	return b.growth(*requests)
}

// serve is the process of one contestant: it says where it listens, and then
// answers each line on its input with its processor time, memory and goroutines.
func serve(kind, function, profile string, out io.Writer) error {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	started := func() error { return nil }
	if profile != "" {
		file, err := os.Create(profile)
		if err != nil {
			return err
		}
		defer file.Close()
		defer pprof.StopCPUProfile() // it begins when the first usage is asked for
		started = func() error { return pprof.StartCPUProfile(file) }
	}
	var d deployment
	var err error
	switch kind {
	case "roost":
		var stop func()
		if d, stop, err = startRoost(ctx, function, environments); err == nil {
			defer stop()
		}
	case "naive":
		d.Few, err = startNaive(ctx, function, environments)
	case "proxy":
		d.Few, err = startProxy()
	}
	if err != nil {
		return err
	}
	encoder := json.NewEncoder(out)
	if err := encoder.Encode(d); err != nil {
		return err
	}
	for in := bufio.NewScanner(os.Stdin); in.Scan(); started = func() error { return nil } {
		if err := started(); err != nil {
			return err
		}
		if err := encoder.Encode(measure()); err != nil {
			return err
		}
	}
	return nil
}

// usage is what a contestant has used so far.
type usage struct {
	CPU        time.Duration
	Resident   int // bytes
	Goroutines int
}

func measure() usage {
	var r syscall.Rusage
	syscall.Getrusage(syscall.RUSAGE_SELF, &r)
	u := usage{CPU: time.Duration(r.Utime.Nano() + r.Stime.Nano()), Goroutines: runtime.NumGoroutine()}
	statm, _ := os.ReadFile("/proc/self/statm")
	if fields := strings.Fields(string(statm)); len(fields) > 1 {
		pages, _ := strconv.Atoi(fields[1])
		u.Resident = pages * os.Getpagesize()
	}
	return u
}

// contestant is a running process of serve.
type contestant struct {
	deployment
	cmd *exec.Cmd
	in  io.WriteCloser
	out *json.Decoder
}

func start(kind, function, profile string) (*contestant, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	c := &contestant{cmd: exec.Command(self, "serve", kind, function, profile)}
	c.cmd.Stderr = os.Stderr
	if c.in, err = c.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	stdout, err := c.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := c.cmd.Start(); err != nil {
		return nil, err
	}
	c.out = json.NewDecoder(stdout)
	if err := c.out.Decode(&c.deployment); err != nil {
		return nil, fmt.Errorf("%s did not start: %w", kind, err)
	}
	return c, nil
}

func (c *contestant) usage() (u usage, err error) {
	if _, err = io.WriteString(c.in, "\n"); err == nil {
		err = c.out.Decode(&u)
	}
	return u, err
}

func (c *contestant) stop() {
	c.in.Close()
	c.cmd.Wait()
}

// bench holds the contestants.
type bench struct {
	rounds              int
	length              time.Duration
	out                 io.Writer
	dir                 string
	roost, naive, proxy *contestant
}

func newBench(rounds int, length time.Duration, profile string, out io.Writer) (*bench, error) {
	dir, err := os.MkdirTemp("", "roost-bench-")
	if err != nil {
		return nil, err
	}
	b := &bench{rounds: rounds, length: length, out: out, dir: dir}
	function := filepath.Join(dir, "bootstrap")
	if err := guest.Build("github.com/seed-615d3599/roost/bench/gateway/function", function); err != nil {
		return nil, err
	}
	for kind, c := range map[string]**contestant{"roost": &b.roost, "naive": &b.naive, "proxy": &b.proxy} {
		file := profile
		if kind != "roost" {
			file = ""
		}
		if *c, err = start(kind, function, file); err != nil {
			b.close()
			return nil, err
		}
	}
	return b, nil
}

func (b *bench) close() {
	for _, c := range []*contestant{b.roost, b.naive, b.proxy} {
		if c != nil {
			c.stop()
		}
	}
	os.RemoveAll(b.dir)
}

// line is one thing that is measured.
type line struct {
	name        string
	contestant  *contestant
	base, path  string
	connections int
	signed      bool
	results     []result
	cpu         []time.Duration // for each request
}

func (b *bench) compare(only string) error {
	idle, err := b.roost.usage()
	if err != nil {
		return err
	}
	public := "/r7/42"
	lines := []*line{ // those that are compared stand side by side
		{name: "roost, private", contestant: b.roost, base: b.roost.Few, path: b.roost.Private, connections: 16, signed: true},
		{name: "roost, public", contestant: b.roost, base: b.roost.Few, path: public, connections: 16},
		{name: "naive gateway", contestant: b.naive, base: b.naive.Few, path: public, connections: 16},
		{name: "roost, 300 routes", contestant: b.roost, base: b.roost.Many, path: "/r250/42", connections: 16},
		{name: "ReverseProxy", contestant: b.proxy, base: b.proxy.Few, path: public, connections: 16},
		{name: "roost, 1 connection", contestant: b.roost, base: b.roost.Few, path: public, connections: 1},
		{name: "naive, 1 connection", contestant: b.naive, base: b.naive.Few, path: public, connections: 1},
	}
	if only != "" {
		wanted, err := regexp.Compile(only)
		if err != nil {
			return err
		}
		lines = slices.DeleteFunc(lines, func(l *line) bool { return !wanted.MatchString(l.name) })
	}
	for round := -1; round < b.rounds; round++ { // the first only warms up
		for _, l := range lines {
			if err := b.measure(l, round >= 0); err != nil {
				return fmt.Errorf("%s: %w", l.name, err)
			}
		}
	}
	fmt.Fprintf(b.out, "%-22s %12s %12s %12s %14s\n", "", "requests/s", "median", "p99", "cpu/request")
	for _, l := range lines {
		fmt.Fprintf(b.out, "%-22s %12.0f %12v %12v %14v\n", l.name, l.rate(), l.latency(), l.p99(), l.cost())
	}
	if only == "" {
		b.verdicts(lines, idle)
	}
	return nil
}

// measure runs one round of a line.
func (b *bench) measure(l *line, counts bool) error {
	u, err := url.Parse(l.base)
	if err != nil {
		return err
	}
	request := fmt.Appendf(nil, "GET %s HTTP/1.1\r\nHost: %s\r\nUser-Agent: bench\r\nAccept: */*\r\n\r\n", l.path, u.Host)
	if l.signed {
		if request, err = l.contestant.signed(l.base, l.path); err != nil {
			return err
		}
	}
	before, err := l.contestant.usage()
	if err != nil {
		return err
	}
	r, err := load(u.Host, l.connections, b.length, func() []byte { return request })
	if err != nil {
		return err
	}
	after, err := l.contestant.usage()
	if err != nil {
		return err
	}
	if counts {
		l.results = append(l.results, r)
		l.cpu = append(l.cpu, (after.CPU-before.CPU)/time.Duration(r.requests))
	}
	return nil
}

func median[T any, N int | float64 | time.Duration](list []T, of func(T) N) N {
	values := make([]N, len(list))
	for i, v := range list {
		values[i] = of(v)
	}
	return figure.Median(values)
}

func (l *line) rate() float64 { return median(l.results, result.perSecond) }

func (l *line) latency() time.Duration {
	return median(l.results, func(r result) time.Duration { return r.median })
}

func (l *line) p99() time.Duration {
	return median(l.results, func(r result) time.Duration { return r.p99 })
}

func (l *line) cost() time.Duration {
	return median(l.cpu, func(d time.Duration) time.Duration { return d })
}

// What is required.
const (
	ownTime     = 0.7
	throughput  = 1.15
	latency     = 1
	privateRate = 0.85
	manyRoutes  = 1.2
	idleMB      = 40
	grownBy     = 1.1
	mostTime    = 15 * time.Minute // for the requests over which growth is watched
)

// verdicts compares with what is required, round by round.
func (b *bench) verdicts(lines []*line, idle usage) {
	private, roost, naive, many, one, naiveOne := lines[0], lines[1], lines[2], lines[3], lines[5], lines[6]
	fmt.Fprintf(b.out, "\n%s\n", figure.Header())
	say := func(f figure.Figure) { fmt.Fprintln(b.out, f) }
	rates := func(name string, ours, baseline *line, bound float64) figure.Figure {
		ratios := make([]float64, len(ours.results))
		for i := range ratios {
			ratios[i] = ours.results[i].perSecond() / baseline.results[i].perSecond()
		}
		return figure.Figure{Name: name, Ours: fmt.Sprintf("%.0f/s", ours.rate()), Baseline: fmt.Sprintf("%.0f/s", baseline.rate()),
			Ratio: figure.Median(ratios), Bound: bound}
	}
	medians := func(l *line) (times []time.Duration) {
		for _, r := range l.results {
			times = append(times, r.median)
		}
		return times
	}
	say(figure.Times("own processor time a request / the naive gateway's", roost.cpu, naive.cpu, ownTime))
	say(rates("throughput / the naive gateway's", roost, naive, throughput))
	say(figure.Times("median at one connection / the naive gateway's", medians(one), medians(naiveOne), latency))
	say(rates("private route's throughput / the public one's", private, roost, privateRate))
	slower := rates("time with 300 routes / with 10", many, roost, manyRoutes)
	slower.Ratio, slower.AtMost = 1/slower.Ratio, true
	say(slower)
	resident := float64(idle.Resident) / 1e6
	say(figure.Figure{Name: "resident memory when idle, MB", Ours: fmt.Sprintf("%.1fMB", resident), Baseline: "-", Ratio: resident, AtMost: true, Bound: idleMB})
}

// growth sends that many requests in parts, and compares what is left behind at
// their end with what was after the first fifth, when everything is warm.
func (b *bench) growth(requests int) error {
	u, err := url.Parse(b.roost.Few)
	if err != nil {
		return err
	}
	request := fmt.Appendf(nil, "GET /r7/42 HTTP/1.1\r\nHost: %s\r\n\r\n", u.Host)
	var warm, now usage
	begun := time.Now()
	for sent := 0; sent < requests; {
		if time.Since(begun) > mostTime {
			return fmt.Errorf("%d requests took longer than %v: this machine is too busy", sent, mostTime)
		}
		r, err := load(u.Host, 16, 5*time.Second, func() []byte { return request })
		if err != nil {
			return err
		}
		sent += r.requests
		if now, err = b.roost.usage(); err != nil {
			return err
		}
		if warm.Goroutines == 0 && sent >= requests/5 {
			warm = now
		}
	}
	megabytes := func(bytes int) string { return fmt.Sprintf("%.1fMB", float64(bytes)/1e6) }
	fmt.Fprintln(b.out, figure.Figure{Name: fmt.Sprintf("goroutines after %d requests / after a fifth", requests), Ours: strconv.Itoa(now.Goroutines),
		Baseline: strconv.Itoa(warm.Goroutines), Ratio: float64(now.Goroutines) / float64(warm.Goroutines), AtMost: true, Bound: grownBy})
	fmt.Fprintln(b.out, figure.Figure{Name: fmt.Sprintf("resident memory after %d requests / after a fifth", requests), Ours: megabytes(now.Resident),
		Baseline: megabytes(warm.Resident), Ratio: float64(now.Resident) / float64(warm.Resident), AtMost: true, Bound: grownBy})
	return nil
}
