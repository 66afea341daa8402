// Command start measures "roost start" with everything built, from the start of
// the process to the first 200 of an API, beside the bare start of a plain Go
// server that answers the same. The first start, which is not counted, builds and
// deploys the app; the others find that nothing has changed, and the API keeps its
// port. A client that knows the address asks from the start of the process on, and
// again where nobody listens yet: of both alike. One more start, with --json, tells
// where each millisecond goes: docs/json.md, type timing.
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
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
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
	outputs := filepath.Join(dir, "outputs.json")
	if _, _, err := start(ctx, roost, "", "--outputs-file", outputs); err != nil { // it builds the app
		return err
	}
	page, err := publicPage(outputs)
	if err != nil {
		return err
	}
	var ours, baseline []time.Duration
	for range rounds {
		_, took, err := start(ctx, roost, page)
		if err != nil {
			return err
		}
		bare, err := bare(ctx, plain)
		if err != nil {
			return err
		}
		ours, baseline = append(ours, took), append(baseline, bare)
	}
	fmt.Println(figure.Header())
	fmt.Println(figure.Times("roost start, all built / a bare server, to a 200", ours, baseline, allowed))
	return breakdown(ctx, roost, page)
}

// breakdown prints what each step of a start takes.
func breakdown(ctx context.Context, roost, page string) error {
	began := time.Now()
	lines, took, err := start(ctx, roost, page, "--json")
	if err != nil {
		return err
	}
	fmt.Println("\nwhere the time of one start goes (the app's files are looked at while the region starts):")
	fmt.Printf("%10s %10s\n", "since", "takes")
	last, answered := time.Duration(0), false
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
		if event.Type != "timing" {
			continue
		}
		if since := event.At.Sub(began); !answered && since > took {
			row("the API has answered", took)
			answered = true
		}
		row(event.Step, event.At.Sub(began))
	}
	if !answered {
		row("the API has answered", took)
	}
	return nil
}

// publicPage returns the address of the app's public page.
func publicPage(outputs string) (string, error) {
	data, err := os.ReadFile(outputs)
	if err != nil {
		return "", err
	}
	var all config.Outputs
	if err := json.Unmarshal(data, &all); err != nil {
		return "", err
	}
	for _, stack := range all {
		return stack["ApiEndpoint"] + "/public", nil
	}
	return "", errors.New("the app has no outputs")
}

// start runs roost start until all is said and a page, "" for none, has answered,
// and returns what was said and how long the answer took.
func start(ctx context.Context, roost, page string, flags ...string) (lines []string, took time.Duration, err error) {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, roost, append([]string{"start", "--port", "0", "--stage", "bench", app}, flags...)...)
	err = ended(cmd, func(began time.Time, out *bufio.Scanner) error {
		answered := make(chan error, 1)
		go func() {
			defer close(answered)
			if page != "" {
				answered <- get(ctx, page)
				took = time.Since(began)
			}
		}()
		over := false
		for !over && out.Scan() {
			lines = append(lines, out.Text())
			over = strings.Contains(out.Text(), "Waiting for requests") || strings.Contains(out.Text(), `"type":"ready"`)
		}
		if !over {
			cancel()
			err = fmt.Errorf("roost start has ended: %s", strings.Join(lines, "\n"))
		}
		for late := range answered {
			err = errors.Join(err, late)
		}
		return err
	})
	return lines, took, err
}

// bare runs the plain server until it answers.
func bare(ctx context.Context, plain string) (took time.Duration, err error) {
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	address := free.Addr().String()
	if err := free.Close(); err != nil {
		return 0, err
	}
	err = ended(exec.CommandContext(ctx, plain, address), func(began time.Time, _ *bufio.Scanner) error {
		err := get(ctx, "http://"+address)
		took = time.Since(began)
		return err
	})
	return took, err
}

// ended runs a program, does something while it runs, and ends it.
func ended(cmd *exec.Cmd, do func(began time.Time, out *bufio.Scanner) error) error {
	out, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	began := time.Now()
	if err := cmd.Start(); err != nil {
		return err
	}
	err = do(began, bufio.NewScanner(out))
	if stopped := cmd.Process.Signal(os.Interrupt); stopped != nil {
		return errors.Join(err, stopped)
	}
	if _, drained := io.Copy(io.Discard, out); drained != nil {
		return errors.Join(err, drained)
	}
	_ = cmd.Wait() // the plain one ends by the signal
	return err
}

// get asks for a page, again and again while nobody listens there.
func get(ctx context.Context, url string) error {
	again := time.NewTicker(time.Millisecond / 2)
	defer again.Stop()
	for {
		err := getOnce(ctx, url)
		if !errors.Is(err, syscall.ECONNREFUSED) {
			return err
		}
		select {
		case <-again.C:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func getOnce(ctx context.Context, url string) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	req.Close = true // the next server is another process
	resp, err := http.DefaultClient.Do(req)
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
