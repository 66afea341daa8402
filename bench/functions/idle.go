package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime/debug"
	"strconv"
	"strings"

	"github.com/seed-615d3599/roost/bench/figure"
	"github.com/seed-615d3599/roost/bench/figure/guest"
	"github.com/seed-615d3599/roost/internal/region"
)

// deployed is how many functions nobody calls.
const deployed = 500

// idleArgument makes this program the process in which they are deployed.
const idleArgument = "idle"

// idleUse is what a region with them needs.
type idleUse struct {
	ResidentMB float64
	Processes  int // children of the region
}

// idle deploys the functions in a process of their own, whose memory is that of
// the region alone.
func (b *bench) idle() error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	cmd := exec.Command(self, idleArgument, b.dir)
	cmd.Stderr = os.Stderr
	output, err := cmd.Output()
	if err != nil {
		return err
	}
	var use idleUse
	if err := json.Unmarshal(output, &use); err != nil {
		return err
	}
	b.say(figure.Figure{Name: fmt.Sprintf("%d idle functions: processes", deployed), Ours: strconv.Itoa(use.Processes), Baseline: "-",
		Ratio: float64(use.Processes), AtMost: true})
	b.say(figure.Figure{Name: fmt.Sprintf("%d idle functions: resident MB", deployed), Ours: fmt.Sprintf("%.1fMB", use.ResidentMB), Baseline: "-",
		Ratio: use.ResidentMB, AtMost: true, Bound: idleMB})
	return nil
}

// runIdle deploys the functions and tells what the region needs then.
func runIdle(dir string) (use idleUse, err error) {
	ctx := context.Background()
	r, err := region.Start(ctx, region.Config{Dir: filepath.Join(dir, "region")})
	if err != nil {
		return use, err
	}
	defer r.Close()
	if err := deploy(ctx, r, filepath.Join(dir, "bootstrap")); err != nil {
		return use, err
	}
	debug.FreeOSMemory() // what deploying took; idle for a while, the runtime gives it back by itself
	statm, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		return use, err
	}
	fields := strings.Fields(string(statm))
	pages, err := strconv.Atoi(fields[1])
	use.ResidentMB = float64(pages*os.Getpagesize()) / 1e6
	tasks, _ := filepath.Glob("/proc/self/task/*/children")
	for _, task := range tasks {
		children, _ := os.ReadFile(task)
		use.Processes += len(strings.Fields(string(children)))
	}
	return use, err
}

func deploy(ctx context.Context, r *region.Region, binary string) error {
	const trust = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"lambda.amazonaws.com"},"Action":"sts:AssumeRole"}]}`
	if err := r.Call(ctx, "iam", "CreateRole", map[string]any{"RoleName": "bench", "AssumeRolePolicyDocument": trust}, nil); err != nil {
		return err
	}
	code, err := guest.Zipped(binary)
	if err != nil {
		return err
	}
	for i := range deployed {
		err := r.Call(ctx, "lambda", "CreateFunction", map[string]any{
			"FunctionName": fmt.Sprintf("idle-%03d", i), "Role": "arn:aws:iam::" + r.Account + ":role/bench",
			"Runtime": "provided.al2023", "Handler": "bootstrap", "Code": map[string]any{"ZipFile": code},
		}, nil)
		if err != nil {
			return err
		}
	}
	return nil
}
