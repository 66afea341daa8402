package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"github.com/seed-615d3599/roost/bench/figure"
	"github.com/seed-615d3599/roost/internal/region/lambda/environment"
	"github.com/seed-615d3599/roost/internal/region/lambda/runtimes"
)

// starts is how many cold starts make a round.
const starts = 3

func (b *bench) coldGo() error {
	return b.cold("cold start, Go / the program started bare", coldGo, b.goSpec("cold"), nil)
}

// coldNode measures Node.js with Roost's runtime client on both sides.
func (b *bench) coldNode() error {
	if _, err := exec.LookPath("node"); err != nil {
		fmt.Fprintln(b.out, "# cold start, Node.js: left out, because there is no node here")
		return nil
	}
	installed, err := runtimes.Install(filepath.Join(b.dir, "runtimes"))
	if err != nil {
		return err
	}
	runtime, err := installed.Find(context.Background(), "nodejs22.x")
	if err != nil {
		return err
	}
	root := filepath.Join(b.dir, "node")
	if err := os.MkdirAll(root, 0o700); err != nil {
		return err
	}
	const handler = "export const handler = async (event) => event\n"
	if err := os.WriteFile(filepath.Join(root, "index.mjs"), []byte(handler), 0o600); err != nil {
		return err
	}
	spec := b.goSpec("node")
	spec.Runtime, spec.Handler, spec.Managed = runtime.Name, "index.handler", true
	spec.TaskRoot, spec.RuntimeDir, spec.Command = root, runtime.Dir, runtime.Start(root, "", "")
	return b.cold("cold start, Node.js / the program started bare", coldNode, spec,
		[]string{"_HANDLER=index.handler", "LAMBDA_TASK_ROOT=" + root, "LAMBDA_RUNTIME_DIR=" + runtime.Dir})
}

// cold compares the time from no process to an answer.
func (b *bench) cold(name string, bound float64, spec *environment.Spec, env []string) error {
	m := b.newManager(4)
	defer m.Close()
	d, err := newDriver()
	if err != nil {
		return err
	}
	defer d.server.Close()
	var ours, bare []time.Duration
	for round := -1; round < b.rounds; round++ { // the first only warms up
		var mine, its time.Duration
		for range starts {
			took, err := coldStart(m, spec)
			if err != nil {
				return err
			}
			mine += took
			if took, err = bareStart(d, spec, env); err != nil {
				return err
			}
			its += took
		}
		if round >= 0 {
			ours, bare = append(ours, mine/starts), append(bare, its/starts)
		}
	}
	b.say(figure.Times(name, ours, bare, bound))
	return nil
}

// coldStart invokes a function that has no environment, and ends that which it got.
func coldStart(m *environment.Manager, spec *environment.Spec) (time.Duration, error) {
	pool := m.Pool(spec, m.NewConcurrency())
	defer pool.Retire()
	begun := time.Now()
	result, err := pool.Invoke(context.Background(), environment.Call{Payload: []byte(`{"n":1}`)})
	took := time.Since(begun)
	if err == nil && string(result.Payload) != `{"n":1}` {
		err = fmt.Errorf("%s answered %s", spec.FunctionName, result.Payload)
	}
	return took, err
}

// bareStart starts the same program, lets it connect, and ends it.
func bareStart(d *driver, spec *environment.Spec, env []string) (time.Duration, error) {
	begun := time.Now()
	stop, err := d.start(spec.Command, spec.TaskRoot, env...)
	if err != nil {
		return 0, err
	}
	defer stop()
	answer := d.invoke([]byte(`{"n":1}`))
	took := time.Since(begun)
	if string(answer) != `{"n":1}` {
		return 0, fmt.Errorf("the bare program answered %s", answer)
	}
	return took, nil
}
