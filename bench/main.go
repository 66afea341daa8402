// Command bench measures Roost beside named baselines: it runs the programs in the
// folders next to it one after the other, and then prints what they found in one
// table.
//
//	go run ./bench                     # all of them
//	go run ./bench gateway functions   # some
//	go run ./bench -list
//
// It fails if a program fails or a figure is out of its bound. What else the machine does
// shows in the figures, so give it nothing else to do.
package main

import (
	"bufio"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"github.com/seed-615d3599/roost/bench/figure"
)

func main() {
	if err := run(os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(args []string, out io.Writer) error {
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	list := flags.Bool("list", false, "print the names of the programs and stop")
	if err := flags.Parse(args); err != nil {
		return err
	}
	names, err := programs()
	if err != nil {
		return err
	}
	if *list {
		fmt.Fprintln(out, strings.Join(names, "\n"))
		return nil
	}
	for _, chosen := range flags.Args() {
		if !slices.Contains(names, chosen) {
			return fmt.Errorf("there is no program bench/%s: choose of %s", chosen, strings.Join(names, ", "))
		}
	}
	if flags.NArg() > 0 {
		names = flags.Args()
	}
	return measure(names, out)
}

// programs lists the folders that hold one.
func programs() ([]string, error) {
	files, err := filepath.Glob("bench/*/main.go")
	if err == nil && len(files) == 0 {
		err = errors.New("there is nothing under bench/: run this where the module is")
	}
	var names []string
	for _, file := range files {
		names = append(names, filepath.Base(filepath.Dir(file)))
	}
	return names, err
}

// measure runs the programs and prints their table.
func measure(names []string, out io.Writer) error {
	var failed []error
	table := map[string][]figure.Figure{}
	for _, name := range names {
		fmt.Fprintf(out, "== %s\n", name)
		figures, err := program(name, out)
		table[name] = figures
		missed := slices.ContainsFunc(figures, func(f figure.Figure) bool { return !f.OK() })
		if err != nil && !missed { // a program may fail only because it missed a bound
			failed = append(failed, fmt.Errorf("bench/%s: %w", name, err))
		}
	}
	fmt.Fprintf(out, "\n%s\n", figure.Header())
	missed := 0
	for _, name := range names {
		for _, f := range table[name] {
			f.Name = name + ": " + f.Name
			fmt.Fprintln(out, f)
			if !f.OK() {
				missed++
			}
		}
	}
	if missed > 0 {
		failed = append(failed, fmt.Errorf("%d figures are MISSED", missed))
	}
	return errors.Join(failed...)
}

// program runs one and returns its figures. What it prints is passed on.
func program(name string, out io.Writer) ([]figure.Figure, error) {
	cmd := exec.Command("go", "run", "./bench/"+name)
	cmd.Stderr = os.Stderr
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	var figures []figure.Figure
	for in := bufio.NewScanner(stdout); in.Scan(); {
		fmt.Fprintln(out, in.Text())
		if f, ok := figure.Parse(in.Text()); ok {
			figures = append(figures, f)
		}
	}
	if err := cmd.Wait(); err != nil {
		return figures, err
	}
	if len(figures) == 0 {
		return nil, errors.New("it printed no figures")
	}
	return figures, nil
}
