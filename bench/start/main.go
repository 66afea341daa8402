// Command start measures "roost start" with everything built, from the start of
// the process to the first 200 of an API, beside the bare start of a plain Go
// server that answers the same. The first start, which is not counted, builds and
// deploys the app; the others find that nothing has changed. One more, with
// --json, tells where each millisecond goes: docs/json.md, type timing.
//
//	go run ./bench/start
//
// Rounds alternate between the two, and the medians are compared.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/seed-615d3599/roost/bench/figure"
	"github.com/seed-615d3599/roost/internal/config"
)

func main() {
	if err := run(context.Background()); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

const (
	rounds  = 9
	allowed = 5 // times the baseline
	app     = "examples/rest-api-auth-twitter"
)

func run(ctx context.Context) error {
	dir, err := os.MkdirTemp("", "roost-start-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	roost, plain := filepath.Join(dir, "roost"), filepath.Join(dir, "plain")
	for program, source := range map[string]string{roost: "./cmd/roost", plain: "./bench/start/plain"} {
		if said, err := exec.CommandContext(ctx, "go", "build", "-o", program, source).CombinedOutput(); err != nil {
			return fmt.Errorf("build %s: %w\n%s", source, err, said)
		}
	}
	var ours, baseline []time.Duration
	for i := range rounds + 1 {
		// The outputs file of the round before must not be taken for this one's.
		if err := os.RemoveAll(filepath.Join(dir, "outputs.json")); err != nil {
			return err
		}
		_, took, err := start(ctx, roost, filepath.Join(dir, "outputs.json"))
		if err != nil {
			return err
		}
		bare, err := bare(ctx, plain)
		if err != nil {
			return err
		}
		if i == 0 {
			continue // it built the app
		}
		ours, baseline = append(ours, took), append(baseline, bare)
	}
	fmt.Println(figure.Header())
	fmt.Println(figure.Times("roost start, all built / a bare server, to a 200", ours, baseline, allowed))
	return breakdown(ctx, roost, filepath.Join(dir, "outputs.json"))
}

// breakdown prints what each step of a start takes.
func breakdown(ctx context.Context, roost, outputs string) error {
	if err := os.Remove(outputs); err != nil {
		return err
	}
	began := time.Now()
	lines, took, err := start(ctx, roost, outputs, "--json")
	if err != nil {
		return err
	}
	fmt.Println("\nwhere the time of one start goes (the app's files are looked at while the region starts):")
	fmt.Printf("%10s %10s\n", "since", "takes")
	last := time.Duration(0)
	row := func(step string, since time.Duration) {
		fmt.Printf("%7.2f ms %7.2f ms  %s\n", since.Seconds()*1e3, (since-last).Seconds()*1e3, step)
		last = since
	}
	for _, line := range lines {
		var event struct {
			Type, Step string
			At         time.Time
		}
		if err := json.Unmarshal([]byte(line), &event); err != nil {
			return fmt.Errorf("roost start --json: %w: %s", err, line)
		}
		if event.Type == "timing" {
			row(event.Step, event.At.Sub(began))
		}
	}
	row("the API answers", took)
	return nil
}

// start runs roost start until the API answers, and returns what it said.
func start(ctx context.Context, roost, outputs string, flags ...string) (lines []string, took time.Duration, err error) {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, roost, append([]string{"start", "--port", "0", "--stage", "bench", "--outputs-file", outputs, app}, flags...)...)
	began := time.Now()
	err = ended(cmd, func(out *bufio.Scanner) error {
		for out.Scan() {
			lines = append(lines, out.Text())
			if _, err := os.Stat(outputs); err == nil {
				break // it appears when the stage is ready
			}
		}
		data, err := os.ReadFile(outputs)
		if err != nil {
			return fmt.Errorf("roost start has ended: %w", err)
		}
		var all config.Outputs
		if err := json.Unmarshal(data, &all); err != nil {
			return err
		}
		for _, stack := range all {
			err = get(stack["ApiEndpoint"] + "/public")
			took = time.Since(began)
		}
		for out.Scan() && !strings.Contains(out.Text(), "Waiting for requests") {
			// until the start is over, and noted for the next
		}
		return err
	})
	return lines, took, err
}

// bare runs the plain server until it answers.
func bare(ctx context.Context, plain string) (time.Duration, error) {
	began := time.Now()
	var took time.Duration
	err := ended(exec.CommandContext(ctx, plain), func(out *bufio.Scanner) error {
		if !out.Scan() {
			return errors.New("the plain server says nothing")
		}
		err := get(out.Text())
		took = time.Since(began)
		return err
	})
	return took, err
}

// ended runs a program, does something while it runs, and ends it.
func ended(cmd *exec.Cmd, do func(out *bufio.Scanner) error) error {
	out, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	err = do(bufio.NewScanner(out))
	if stopped := cmd.Process.Signal(os.Interrupt); stopped != nil {
		return errors.Join(err, stopped)
	}
	if _, drained := io.Copy(io.Discard, out); drained != nil {
		return errors.Join(err, drained)
	}
	_ = cmd.Wait() // the plain one ends by the signal
	return err
}

// get asks for a page.
func get(url string) error {
	resp, err := http.Get(url)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err == nil && resp.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s answers %s: %s", url, resp.Status, body)
	}
	return err
}
