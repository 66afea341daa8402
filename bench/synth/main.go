// Command synth measures how long the tutorial's app takes to become a template:
// its Go program (examples/rest-api-auth-twitter, already built) beside node
// with the same app for aws-cdk-lib (app.js), each from the start of the process
// to its end, with the template written. Neither builds functions. The two
// templates have to hold the same resources.
//
//	go run ./bench/synth               # fifteen rounds
//	go run ./bench/synth -rounds 31
//
// Rounds alternate between the two, and the medians are compared. CDK's check of
// the template after synthesis is left out (CDK_VALIDATION=false). It needs what
// "make tools" installs.
package main

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/seed-615d3599/roost/bench/figure"
)

const (
	app     = "examples/rest-api-auth-twitter"
	allowed = 0.1 // of the baseline's time
)

func main() {
	if err := run(os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(args []string, out io.Writer) error {
	flags := flag.NewFlagSet("synth", flag.ContinueOnError)
	rounds := flags.Int("rounds", 15, "rounds of each")
	if err := flags.Parse(args); err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "roost-synth-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	roost, cdk, err := contestants(dir)
	if err != nil {
		return err
	}
	var ours, baseline []time.Duration
	for i := range *rounds + 1 {
		our, err := roost.synth()
		if err != nil {
			return err
		}
		their, err := cdk.synth()
		if err != nil {
			return err
		}
		if i > 0 { // the first only brings both into the file cache
			ours, baseline = append(ours, our), append(baseline, their)
		}
	}
	if err := same(roost, cdk); err != nil {
		return err
	}
	fmt.Fprintln(out, figure.Header())
	fmt.Fprintln(out, figure.Times("synth of the tutorial's app / with aws-cdk-lib", ours, baseline, allowed))
	return nil
}

// contestant is a program that writes a template into a folder.
type contestant struct {
	name    string
	command []string
	dir     string // where it runs
	env     []string
	out     string
}

// contestants builds the app's program, and finds node and aws-cdk-lib.
func contestants(dir string) (roost, cdk *contestant, err error) {
	root, err := os.Getwd()
	if err != nil {
		return nil, nil, err
	}
	modules := filepath.Join(root, ".tools", "node_modules")
	if _, err := os.Stat(filepath.Join(modules, "aws-cdk-lib")); err != nil {
		return nil, nil, fmt.Errorf("aws-cdk-lib is not installed: run make tools: %w", err)
	}
	program := filepath.Join(dir, "lib")
	if said, err := exec.Command("go", "build", "-o", program, "./"+app+"/lib").CombinedOutput(); err != nil {
		return nil, nil, fmt.Errorf("build %s: %w\n%s", app, err, said)
	}
	roost = &contestant{name: "roost", command: []string{program}, dir: filepath.Join(root, app), out: filepath.Join(dir, "roost")}
	roost.env = []string{"ROOST_NAME=app", "ROOST_STAGE=dev", "ROOST_REGION=us-east-1", "ROOST_DIR=" + roost.dir, "ROOST_OUTPUT=" + roost.out}
	cdk = &contestant{name: "aws-cdk-lib", command: []string{"node", filepath.Join(root, "bench", "synth", "app.js")}, dir: root, out: filepath.Join(dir, "cdk")}
	cdk.env = []string{"NODE_PATH=" + modules, "CDK_VALIDATION=false", "CDK_OUTDIR=" + cdk.out}
	return roost, cdk, nil
}

// synth runs the program once and returns how long that took.
func (c *contestant) synth() (time.Duration, error) {
	if err := os.RemoveAll(c.out); err != nil {
		return 0, err
	}
	cmd := exec.Command(c.command[0], c.command[1:]...)
	cmd.Dir, cmd.Env = c.dir, append(os.Environ(), c.env...)
	began := time.Now()
	said, err := cmd.CombinedOutput()
	took := time.Since(began)
	if err != nil {
		return 0, fmt.Errorf("%s: %w\n%s", c.name, err, said)
	}
	return took, nil
}

// same fails unless both templates hold as many resources of each type and the
// same outputs: else it is not the same app.
func same(roost, cdk *contestant) error {
	ours, err := roost.contents()
	if err != nil {
		return err
	}
	theirs, err := cdk.contents()
	if err != nil {
		return err
	}
	if diff := cmp.Diff(theirs, ours); diff != "" {
		return errors.New("the two templates differ, so the comparison is void (-aws-cdk-lib +roost):\n" + diff)
	}
	return nil
}

// contents counts the resources of each type and names the outputs of the one
// template that the program wrote.
func (c *contestant) contents() (map[string]int, error) {
	files, err := filepath.Glob(filepath.Join(c.out, "*.template.json"))
	if err != nil {
		return nil, err
	}
	if len(files) != 1 {
		return nil, fmt.Errorf("%s wrote %d templates instead of one: %v", c.name, len(files), files)
	}
	data, err := os.ReadFile(files[0])
	if err != nil {
		return nil, err
	}
	var template struct {
		Resources map[string]struct{ Type string }
		Outputs   map[string]any
	}
	if err := json.Unmarshal(data, &template); err != nil {
		return nil, fmt.Errorf("%s: %w", files[0], err)
	}
	counts := map[string]int{}
	for _, resource := range template.Resources {
		counts[resource.Type]++
	}
	for name := range template.Outputs {
		counts["output "+name]++
	}
	return counts, nil
}
