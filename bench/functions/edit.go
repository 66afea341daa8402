package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/evanw/esbuild/pkg/api"
	"github.com/seed-615d3599/roost/bench/figure"
)

// edits compares the time from an edit under "roost start" to the changed answer:
// in Go with "go build" of the same package, as a person calls it, and a start; in
// TypeScript with the bundler's own time.
func (b *bench) edits() error {
	roost := filepath.Join(b.dir, "roost")
	if output, err := exec.Command("go", "build", "-o", roost, "./cmd/roost").CombinedOutput(); err != nil {
		return fmt.Errorf("%w: %s", err, output)
	}
	var ours, bare, same []time.Duration
	steps, err := b.editing(roost, "rest-api-auth-twitter", "src/public/main.go", func(a *liveApp) error {
		took, err := a.edit()
		if err != nil {
			return err
		}
		plain, err := b.bareBuild(filepath.Join(a.dir, "src/public"))
		if err != nil {
			return err
		}
		alike, err := b.bareBuild(filepath.Join(a.dir, "src/public"), "-trimpath", "-buildvcs=false", "-tags", "lambda.norpc", "-ldflags", "-s -w -buildid=")
		ours, bare, same = append(ours, took), append(bare, plain), append(same, alike)
		return err
	})
	if err != nil {
		return err
	}
	b.say(figure.Times("edit to answer, Go / go build and a start", ours[1:], bare[1:], editGo))
	fmt.Fprintf(b.out, "# go build with Roost's flags (no symbols, no cgo) and a start: %s\n", figure.Median(same[1:]).Round(time.Millisecond))
	fmt.Fprintln(b.out, steps)
	ours, bare = nil, nil
	steps, err = b.editing(roost, "rest-api-auth-twitter-typescript", "src/public.ts", func(a *liveApp) error {
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
	fmt.Fprintln(b.out, steps)
	return nil
}

// bareBuild builds a package that was just edited with these flags, and starts it
// until it answers.
func (b *bench) bareBuild(dir string, flags ...string) (time.Duration, error) {
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
	if err := os.WriteFile(filepath.Join(bare, "main.go"), []byte(strings.Replace(string(before), "Hello edit", fmt.Sprintf("Hello bare%d", len(flags)), 1)), 0o600); err != nil {
		return 0, err
	}
	d, err := newDriver()
	if err != nil {
		return 0, err
	}
	defer d.server.Close()
	begun := time.Now()
	target := filepath.Join(b.dir, "bare")
	build := exec.Command("go", append(append([]string{"build"}, flags...), "-o", target, ".")...)
	build.Dir = bare
	if len(flags) > 0 {
		build.Env = append(os.Environ(), "CGO_ENABLED=0")
	}
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
