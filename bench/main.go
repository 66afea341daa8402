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
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/seed-615d3599/roost/bench/figure"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, out io.Writer) error {
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
	return measure(ctx, names, out)
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
func measure(ctx context.Context, names []string, out io.Writer) error {
	dir, err := os.MkdirTemp("", "roost-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	var failed []error
	table := map[string][]figure.Figure{}
	for _, name := range names {
		if ctx.Err() != nil {
			break
		}
		fmt.Fprintf(out, "== %s\n", name)
		figures, err := program(ctx, dir, name, out)
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

// limit is how long one program may take: one that hangs is ended by it.
const limit = 30 * time.Minute

// program builds and runs one, and returns its figures. What it prints is passed on.
func program(ctx context.Context, dir, name string, out io.Writer) ([]figure.Figure, error) {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	binary := filepath.Join(dir, name)
	if said, err := exec.CommandContext(ctx, "go", "build", "-o", binary, "./bench/"+name).CombinedOutput(); err != nil {
		return nil, fmt.Errorf("%w: %s", err, said)
	}
	cmd := exec.CommandContext(ctx, binary)
	cmd.Stderr = os.Stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // so that all that it has started ends with it
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
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
	err = cmd.Wait()
	if errors.Is(ctx.Err(), context.DeadlineExceeded) {
		err = fmt.Errorf("it was not done after %v", limit)
	}
	if err != nil {
		return figures, err
	}
	if len(figures) == 0 {
		return nil, errors.New("it printed no figures")
	}
	return figures, nil
}
