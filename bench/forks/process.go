package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"github.com/seed-615d3599/roost/internal/config"
	"github.com/seed-615d3599/roost/internal/signin"
)

// The keys of the app at Twitter's stand-in.
const consumerKey, consumerSecret = "key-of-the-bench", "secret-of-the-bench"

// process runs "roost start --assembly" in a folder of its own, so that its
// state is new, until somebody who signs in there has a signed 200.
func (w *work) process(ctx context.Context) (took time.Duration, err error) {
	dir := w.state()
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return 0, err
	}
	outputs := filepath.Join(dir, "outputs.json")
	cmd := exec.CommandContext(ctx, w.roost, "start", "--assembly", w.made.Dir, "--port", "0", "--stage", "bench", "--outputs-file", outputs, dir)
	cmd.Env = append(os.Environ(), "TWITTER_CONSUMER_KEY="+consumerKey, "TWITTER_CONSUMER_SECRET="+consumerSecret)
	out, err := cmd.StdoutPipe()
	if err != nil {
		return 0, err
	}
	began := time.Now()
	if err := cmd.Start(); err != nil {
		return 0, err
	}
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		if _, err := os.Stat(outputs); err == nil {
			break // it appears when the stage is ready
		}
	}
	err = signedIn(ctx, dir, outputs)
	took = time.Since(began)
	stopped := cmd.Process.Signal(os.Interrupt)
	_, drained := io.Copy(io.Discard, out)
	return took, errors.Join(err, stopped, drained, cmd.Wait())
}

// signedIn signs in at the region that runs for a folder, and calls its API.
func signedIn(ctx context.Context, dir, outputs string) error {
	region, err := config.ReadRegion(filepath.Join(dir, ".roost", "region.json"))
	if err != nil || region == nil {
		return fmt.Errorf("the region of roost start is not found: %w", err)
	}
	data, err := os.ReadFile(outputs)
	if err != nil {
		return err
	}
	var stacks config.Outputs
	if err := json.Unmarshal(data, &stacks); err != nil {
		return err
	}
	for _, stack := range stacks {
		twitter := signin.Twitter{BaseURL: region.Twitter, ConsumerKey: consumerKey, ConsumerSecret: consumerSecret}
		profile, err := twitter.AuthorizeAs(ctx, "alice")
		if err != nil {
			return err
		}
		pool := signin.Pool{Endpoint: region.Endpoint, ID: stack["IdentityPoolId"]}
		alice, err := pool.SignIn(ctx, signin.TwitterProvider, profile.Username, profile.Login())
		if err != nil {
			return err
		}
		return private(stack["ApiEndpoint"], region.Region, alice)
	}
	return errors.New("roost start has no outputs")
}
