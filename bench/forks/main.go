// Command forks measures what tests pay for a region: a fork of a deployed,
// signed-in region to its first signed 200, beside "roost start --assembly" of the
// built assembly with a new state to the same (deployment and sign-in included),
// and the memory of 200 forks at once. That a start finds its state deployed
// already, and is quick, is what bench/start measures; here every start deploys.
// For comparison it prints what a test pays without forks: the same deployment
// within its own process.
//
//	go run ./bench/forks
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/seed-615d3599/roost/bench/figure"
	"github.com/seed-615d3599/roost/internal/assembly"
	"github.com/seed-615d3599/roost/internal/config"
	"github.com/seed-615d3599/roost/internal/signin"
	"github.com/seed-615d3599/roost/internal/synth"
	"github.com/seed-615d3599/roost/internal/trial"
	"github.com/seed-615d3599/roost/sigv4"
)

func main() {
	if err := run(context.Background()); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

const (
	rounds = 7   // of each measurement
	crowd  = 200 // forks at once
)

// work is what all measurements share.
type work struct {
	dir   string // for states
	roost string // the command
	app   *config.App
	made  *assembly.Assembly
	n     int
}

func run(ctx context.Context) error {
	dir, err := os.MkdirTemp("", "roost-forks-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	app, err := synth.Load("examples/rest-api-auth-twitter", "bench", "")
	if err != nil {
		return err
	}
	app.ForLocal()
	source := synth.New(synth.Config{App: app, Local: true, Environ: os.Environ()})
	w := &work{dir: dir, app: app, roost: filepath.Join(dir, "roost")}
	if said, err := exec.CommandContext(ctx, "go", "build", "-o", w.roost, "./cmd/roost").CombinedOutput(); err != nil {
		return fmt.Errorf("build roost: %w\n%s", err, said)
	}
	if w.made, err = source.Assemble(ctx); err != nil {
		return err
	}
	return w.measure(ctx)
}

func (w *work) measure(ctx context.Context) error {
	original, err := w.start(ctx)
	if err != nil {
		return err
	}
	defer original.Close()
	alice, err := original.SignIn(ctx, "alice")
	if err != nil {
		return err
	}
	var started, fresh, forked []time.Duration
	for range rounds {
		took, err := w.process(ctx)
		if err != nil {
			return err
		}
		started = append(started, took)
		began := time.Now()
		inside, err := w.fresh(ctx)
		if err != nil {
			return err
		}
		fresh = append(fresh, time.Since(began))
		began = time.Now()
		fork, err := w.fork(ctx, original, alice)
		if err != nil {
			return err
		}
		forked = append(forked, time.Since(began))
		if err := errors.Join(inside.Close(), fork.Close()); err != nil {
			return err
		}
	}
	fmt.Println(figure.Header())
	ours, baseline := figure.Median(forked), figure.Median(started)
	fmt.Printf("(a deployment within the process to a signed 200: %v)\n", figure.Median(fresh).Round(time.Microsecond))
	fmt.Println(figure.Figure{Name: "start --assembly, new state / fork, to a signed 200", Ours: ours.Round(time.Microsecond).String(),
		Baseline: baseline.Round(time.Microsecond).String(), Ratio: float64(baseline) / float64(ours), Bound: 20})
	return w.crowd(ctx, original, alice)
}

func (w *work) state() string {
	w.n++
	return filepath.Join(w.dir, strconv.Itoa(w.n))
}

// start brings a region up from the assembly.
func (w *work) start(ctx context.Context) (*trial.Trial, error) {
	return trial.Start(ctx, trial.Config{App: w.app, State: w.state(), Environ: os.Environ(),
		Source: func(context.Context) (*assembly.Assembly, error) { return w.made, nil }})
}

// fresh goes from the assembly to the first signed 200.
func (w *work) fresh(ctx context.Context) (*trial.Trial, error) {
	t, err := w.start(ctx)
	if err != nil {
		return nil, err
	}
	alice, err := t.SignIn(ctx, "alice")
	if err != nil {
		return nil, err
	}
	return t, get(t, alice)
}

// fork goes from a running region to the first signed 200 of its fork.
func (w *work) fork(ctx context.Context, original *trial.Trial, alice signin.Session) (*trial.Trial, error) {
	fork, err := original.Fork(ctx, w.state(), nil, nil)
	if err != nil {
		return nil, err
	}
	return fork, get(fork, alice)
}

// get asks for the private page of a trial.
func get(t *trial.Trial, who signin.Session) error {
	id, err := t.Find("AWS::ApiGatewayV2::Api", "Api")
	if err != nil {
		return err
	}
	return private(t.Region.APIs()[id], t.Region.Name, who)
}

// private asks for the private page of an API.
func private(api, region string, who signin.Session) error {
	r, err := http.NewRequest(http.MethodGet, api+"/private", nil)
	if err != nil {
		return err
	}
	signer := sigv4.Signer{Service: "execute-api", Region: region, Credentials: sigv4.Credentials{
		AccessKeyID: who.AccessKeyID, SecretAccessKey: who.SecretAccessKey, SessionToken: who.SessionToken}}
	if err := signer.Sign(r, ""); err != nil {
		return err
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err == nil && resp.StatusCode != http.StatusOK {
		err = fmt.Errorf("it answers %s: %s", resp.Status, body)
	}
	return err
}

// crowd brings up many forks, each of which has answered, and looks at the
// memory of this process and of all functions.
func (w *work) crowd(ctx context.Context, original *trial.Trial, alice signin.Session) error {
	forks := make([]*trial.Trial, crowd)
	errs := make([]error, crowd)
	var waiting sync.WaitGroup
	places := make(chan struct{}, 8)
	for i := range forks {
		state := w.state()
		waiting.Go(func() {
			places <- struct{}{}
			defer func() { <-places }()
			if forks[i], errs[i] = original.Fork(ctx, state, nil, nil); errs[i] == nil {
				errs[i] = get(forks[i], alice)
			}
		})
	}
	waiting.Wait()
	memory, err := tree()
	for i, fork := range forks {
		if errs[i] != nil {
			return errs[i]
		}
		if err := fork.Close(); err != nil {
			return err
		}
	}
	if err != nil {
		return err
	}
	const limit = 1 << 30
	fmt.Println(figure.Figure{Name: "200 forks at once, with their functions (PSS)", Ours: fmt.Sprintf("%dMiB", memory>>20), Baseline: "1024MiB",
		Ratio: float64(memory) / limit, AtMost: true, Bound: 1})
	return nil
}

// tree is the proportional memory of this process and of those below it, in
// bytes.
func tree() (int64, error) {
	out, err := exec.Command("pgrep", "-P", strconv.Itoa(os.Getpid())).Output()
	if err != nil {
		return 0, fmt.Errorf("list the functions' processes: %w", err)
	}
	total := int64(0)
	for _, pid := range append(strings.Fields(string(out)), strconv.Itoa(os.Getpid())) {
		text, err := os.ReadFile("/proc/" + pid + "/smaps_rollup")
		if err != nil {
			continue // pgrep itself
		}
		_, rest, _ := strings.Cut(string(text), "\nPss:")
		fields := strings.Fields(rest)
		if len(fields) == 0 {
			continue
		}
		kb, err := strconv.ParseInt(fields[0], 10, 64)
		if err != nil {
			return 0, err
		}
		total += kb << 10
	}
	return total, nil
}
