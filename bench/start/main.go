// Command start measures "roost start" with everything built, from the start of
// the process to the first 200 of an API, beside the bare start of a plain Go
// server that answers the same. It also prints where the time goes, by the
// moments at which roost's own lines appear. The first start, which is not
// counted, builds and deploys the app; the others find that nothing has changed.
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
	var moments []string
	for i := range rounds + 1 {
		// The outputs file of the round before must not be taken for this one's.
		if err := os.RemoveAll(filepath.Join(dir, "outputs.json")); err != nil {
			return err
		}
		lines, took, err := start(ctx, roost, filepath.Join(dir, "outputs.json"))
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
		ours, baseline, moments = append(ours, took), append(baseline, bare), lines
	}
	fmt.Println(figure.Header())
	fmt.Println(figure.Times("roost start, all built / a bare server, to a 200", ours, baseline, allowed))
	fmt.Println("\nwhen the last start said what (its first line comes when the process has begun, \"Preparing\" when the region runs):")
	fmt.Println(strings.Join(moments, "\n"))
	return nil
}

// start runs roost start until the API answers, and returns when each of its
// lines came.
func start(ctx context.Context, roost, outputs string) (lines []string, took time.Duration, err error) {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, roost, "start", "--port", "0", "--stage", "bench", "--outputs-file", outputs, app)
	began := time.Now()
	moment := func(what string) {
		lines = append(lines, fmt.Sprintf("%8.1f ms  %s", time.Since(began).Seconds()*1e3, what))
	}
	err = ended(cmd, func(out *bufio.Scanner) error {
		for out.Scan() {
			if strings.TrimSpace(out.Text()) != "" {
				moment(out.Text())
			}
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
			moment("the API has answered")
			took = time.Since(began)
		}
		for out.Scan() && !strings.HasPrefix(out.Text(), "Waiting for requests") {
			moment(out.Text()) // the start is over, and noted for the next
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
