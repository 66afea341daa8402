package main

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"github.com/evanw/esbuild/pkg/api"
	"github.com/seed-615d3599/roost/bench/figure"
)

// edits compares the time from an edit under "roost start" to the changed answer:
// in Go with the bare build of the same package and a start, in TypeScript with the
// bundler's own time.
func (b *bench) edits() error {
	roost := filepath.Join(b.dir, "roost")
	if output, err := exec.Command("go", "build", "-o", roost, "./cmd/roost").CombinedOutput(); err != nil {
		return fmt.Errorf("%w: %s", err, output)
	}
	var ours, bare []time.Duration
	err := b.editing(roost, "rest-api-auth-twitter", "src/public/main.go", func(a *liveApp) error {
		took, err := a.edit()
		if err != nil {
			return err
		}
		built, err := b.bareBuild(filepath.Join(a.dir, "src/public"))
		ours, bare = append(ours, took), append(bare, built)
		return err
	})
	if err != nil {
		return err
	}
	b.say(figure.Times("edit to answer, Go / the bare build and a start", ours[1:], bare[1:], editGo))
	ours, bare = nil, nil
	err = b.editing(roost, "rest-api-auth-twitter-typescript", "src/public.ts", func(a *liveApp) error {
		took, err := a.edit()
		bundled, failed := bundle(filepath.Join(a.dir, "src/public.ts"))
		ours, bare = append(ours, took), append(bare, bundled)
		return errors.Join(err, failed)
	})
	if err != nil {
		return err
	}
	over := float64(figure.Median(ours[1:])-figure.Median(bare[1:])) / float64(time.Millisecond)
	b.say(figure.Figure{Name: "edit to answer, TypeScript: ms over the bundler's own", Ours: figure.Median(ours[1:]).Round(time.Millisecond).String(),
		Baseline: figure.Median(bare[1:]).Round(time.Millisecond).String(), Ratio: over, AtMost: true, Bound: editTypeScript})
	return nil
}

// liveApp is a copy of an example under "roost start".
type liveApp struct {
	dir, file, url string
	client         *http.Client
	edits          int
}

// editing starts a copy of an example and has it edited once more than there are
// rounds, as the first edit only warms up.
func (b *bench) editing(roost, example, file string, once func(*liveApp) error) error {
	// The copy stands inside the module, whose go.mod it needs.
	dir, err := os.MkdirTemp("bench", "_app-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	if output, err := exec.Command("cp", "-r", "examples/"+example+"/.", dir).CombinedOutput(); err != nil {
		return fmt.Errorf("%w: %s", err, output)
	}
	if err := os.RemoveAll(filepath.Join(dir, ".roost")); err != nil {
		return err
	}
	cmd := exec.Command(roost, "start", "--port", "0", "--outputs-file", "outputs.json")
	cmd.Dir, cmd.Stdout = dir, io.Discard
	var stderr strings.Builder
	cmd.Stderr = &stderr
	if err := cmd.Start(); err != nil {
		return err
	}
	defer func() { cmd.Process.Signal(os.Interrupt); cmd.Wait() }()
	a := &liveApp{dir: dir, file: filepath.Join(dir, file), client: &http.Client{Timeout: 10 * time.Second}}
	if err := a.find(); err != nil {
		return fmt.Errorf("%w: %s", err, stderr.String())
	}
	for range b.rounds + 1 {
		if err := once(a); err != nil {
			return err
		}
	}
	return nil
}

const patience = time.Minute

var endpoint = regexp.MustCompile(`http://127\.0\.0\.1:\d+`)

// find waits until the app is deployed, and reads where it is.
func (a *liveApp) find() error {
	for begun := time.Now(); time.Since(begun) < patience; time.Sleep(20 * time.Millisecond) {
		outputs, err := os.ReadFile(filepath.Join(a.dir, "outputs.json"))
		if err != nil {
			continue
		}
		if found := endpoint.Find(outputs); found != nil {
			a.url = string(found) + "/public"
			return a.await("Hello stranger!")
		}
	}
	return errors.New("the app did not come up")
}

// edit changes what the function says and returns the time until it says so.
func (a *liveApp) edit() (time.Duration, error) {
	source, err := os.ReadFile(a.file)
	if err != nil {
		return 0, err
	}
	a.edits++
	said := regexp.MustCompile(`Hello \w+!`)
	wanted := fmt.Sprintf("Hello edit%d!", a.edits)
	source = said.ReplaceAll(source, []byte(wanted))
	begun := time.Now()
	if err := os.WriteFile(a.file, source, 0o600); err != nil {
		return 0, err
	}
	err = a.await(wanted)
	return time.Since(begun), err
}

// await asks until the answer is the wanted one.
func (a *liveApp) await(wanted string) error {
	for begun := time.Now(); time.Since(begun) < patience; time.Sleep(2 * time.Millisecond) {
		res, err := a.client.Get(a.url)
		if err != nil {
			return err
		}
		body, err := io.ReadAll(res.Body)
		res.Body.Close()
		if err == nil && string(body) == wanted {
			return nil
		}
	}
	return fmt.Errorf("%s never answered %q", a.url, wanted)
}

// bareBuild builds a package that was just edited, and starts it until it answers.
func (b *bench) bareBuild(dir string) (time.Duration, error) {
	// Another edit: the go command remembers the one that was built already.
	file := filepath.Join(dir, "main.go")
	before, err := os.ReadFile(file)
	if err != nil {
		return 0, err
	}
	bare := filepath.Join(filepath.Dir(filepath.Dir(dir)), "bare")
	if err := os.MkdirAll(bare, 0o700); err != nil {
		return 0, err
	}
	if err := os.WriteFile(filepath.Join(bare, "main.go"), []byte(strings.Replace(string(before), "Hello edit", "Hello bare", 1)), 0o600); err != nil {
		return 0, err
	}
	d, err := newDriver()
	if err != nil {
		return 0, err
	}
	defer d.server.Close()
	begun := time.Now()
	target := filepath.Join(b.dir, "bare")
	build := exec.Command("go", "build", "-trimpath", "-buildvcs=false", "-tags", "lambda.norpc", "-ldflags", "-s -w -buildid=", "-o", target, ".")
	build.Dir, build.Env = bare, append(os.Environ(), "CGO_ENABLED=0")
	if output, err := build.CombinedOutput(); err != nil {
		return 0, fmt.Errorf("%w: %s", err, output)
	}
	stop, err := d.start([]string{target}, b.dir)
	if err != nil {
		return 0, err
	}
	defer stop()
	d.invoke([]byte(`{}`))
	return time.Since(begun), nil
}

// bundle returns how long the bundler takes.
func bundle(file string) (time.Duration, error) {
	begun := time.Now()
	result := api.Build(api.BuildOptions{EntryPoints: []string{file}, Bundle: true, Platform: api.PlatformNode, Format: api.FormatESModule, Sourcemap: api.SourceMapLinked, Outdir: "out"})
	if len(result.Errors) > 0 {
		return 0, errors.New(result.Errors[0].Text)
	}
	return time.Since(begun), nil
}
