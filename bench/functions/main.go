// Command functions measures how the embedded region runs functions, beside the
// least that does the same: a Runtime API on net/http without any checks, and the
// same programs started bare.
//
//	go run ./bench/functions
//	go run ./bench/functions -rounds 5 -seconds 1
//	go run ./bench/functions -only edits
//
// Measured are cold starts of Go and Node.js, invocations by 16 callers with 1, 2
// and 4 environments (own processor time and throughput), the latency of a function
// while another one crashes at every call, 500 functions that nobody calls, and edits
// under "roost start". Rounds alternate between the contestants, and the medians of
// each round's ratios count.
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/seed-615d3599/roost/bench/figure"
	"github.com/seed-615d3599/roost/bench/figure/guest"
	"github.com/seed-615d3599/roost/internal/region/lambda/environment"
)

// What is required.
const (
	coldGo         = 1.5
	coldNode       = 1.15
	ownTime        = 0.75
	throughput     = 1.05
	besideCrash    = 1.5
	idleMB         = 60
	editGo         = 1.15
	editTypeScript = 100 // ms
)

func main() {
	if err := run(os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// bench is what the measurements share.
type bench struct {
	dir    string // of the built function
	rounds int
	length time.Duration // of a round of invocations
	out    io.Writer
}

func run(args []string, out io.Writer) error {
	if len(args) == 2 && args[0] == idleArgument {
		use, err := runIdle(args[1])
		if err != nil {
			return err
		}
		return json.NewEncoder(out).Encode(use)
	}
	flags := flag.NewFlagSet("functions", flag.ContinueOnError)
	rounds := flags.Int("rounds", 9, "rounds of each measurement")
	only := flags.String("only", "", "what to measure of idle, cold, invocations, crashes and edits; by default all")
	seconds := flags.Float64("seconds", 1, "length of a round of invocations")
	if err := flags.Parse(args); err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "roost-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	b := &bench{dir: dir, rounds: *rounds, length: time.Duration(*seconds * float64(time.Second)), out: out}
	if err := guest.Build("github.com/seed-615d3599/roost/bench/functions/guest", filepath.Join(dir, "bootstrap")); err != nil {
		return err
	}
	fmt.Fprintln(out, figure.Header())
	for _, part := range []struct {
		name    string
		measure func() error
	}{{"idle", b.idle}, {"cold", b.coldGo}, {"cold", b.coldNode}, {"invocations", b.invocations}, {"crashes", b.crashes}, {"edits", b.edits}} {
		if *only != "" && *only != part.name {
			continue
		}
		if err := part.measure(); err != nil {
			return err
		}
	}
	return nil
}

func (b *bench) say(f figure.Figure) { fmt.Fprintln(b.out, f) }

// newManager returns a manager of that many environments.
func (b *bench) newManager(environments int) *environment.Manager {
	return environment.NewManager(environment.Config{
		Dir: filepath.Join(b.dir, "environments"), MaxEnvironments: environments, Logs: dropped{},
	})
}

// dropped takes logs as the region would, but for storing them.
type dropped struct{}

func (dropped) Write(string, string, time.Time, string) {}

// goSpec is the built function.
func (b *bench) goSpec(name string) *environment.Spec {
	return &environment.Spec{
		FunctionName: name, Version: "$LATEST", FunctionARN: "arn:aws:lambda:us-east-1:123456789012:function:" + name,
		Region: "us-east-1", Runtime: "provided.al2023", Handler: "bootstrap",
		Command: []string{filepath.Join(b.dir, "bootstrap")}, TaskRoot: b.dir, RuntimeDir: b.dir,
		MemoryMB: 512, Timeout: 30 * time.Second, LogGroup: "/aws/lambda/" + name,
	}
}
