// Command stacks measures the embedded region's CloudFormation: creating stacks
// of 10, 100 and 400 resources (SSM parameters and roles) beside rows that are
// committed one by one to the same SQLite file, and updating one resource in a
// large stack beside the same in a small one, the parsing of the template left
// out on both sides.
//
//	go run ./bench/stacks              # five rounds
//	go run ./bench/stacks -rounds 9
//
// Rounds alternate between the contestants, and the medians are compared.
package main

import (
	"flag"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/seed-615d3599/roost/bench/figure"
)

func main() {
	if err := run(os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// sizes are the numbers of resources.
var sizes = [...]int{10, 100, 400}

// What is required: a resource costs at most so many committed rows, and a
// change in the largest stack at most so many times that in the smallest.
const (
	rowsPerResource = 5.0
	updateRatio     = 3.0
)

func run(args []string, out io.Writer) error {
	flags := flag.NewFlagSet("stacks", flag.ContinueOnError)
	rounds := flags.Int("rounds", 5, "rounds of each measurement")
	if err := flags.Parse(args); err != nil {
		return err
	}
	var row []time.Duration
	create, update := map[int][]time.Duration{}, map[int][]time.Duration{}
	for range *rounds {
		for _, n := range sizes {
			m, err := measure(n)
			if err != nil {
				return err
			}
			row = append(row, m.row)
			create[n] = append(create[n], m.create/time.Duration(n))
			update[n] = append(update[n], m.update)
		}
	}
	report(out, figure.Median(row), create, update)
	return nil
}

func report(out io.Writer, row time.Duration, create, update map[int][]time.Duration) {
	line := func(name string, ours, baseline time.Duration, required float64) {
		fmt.Fprintln(out, figure.Figure{Name: name, Ours: ours.Round(time.Microsecond).String(), Baseline: baseline.Round(time.Microsecond).String(),
			Ratio: float64(ours) / float64(baseline), AtMost: true, Bound: required})
	}
	fmt.Fprintln(out, figure.Header())
	for _, n := range sizes {
		line(fmt.Sprintf("create %d: a resource / a committed row", n), figure.Median(create[n]), row, rowsPerResource)
	}
	small, large := sizes[0], sizes[len(sizes)-1]
	line(fmt.Sprintf("create: a resource of %d / of %d", large, small), figure.Median(create[large]), figure.Median(create[small]), 1)
	line(fmt.Sprintf("update one of %d / one of %d", large, small), figure.Median(update[large]), figure.Median(update[small]), updateRatio)
}
