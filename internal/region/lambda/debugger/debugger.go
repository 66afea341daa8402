// Package debugger starts a function under its language's debugger: Go under
// Delve, Node.js with --inspect, Python with debugpy. The function runs on at
// once; a debugger attaches when it likes.
//
//	d := debugger.Debugger{Function: "GETprivate", Port: 2345, Dir: dir}
//	lambda.New(lambda.Config{Debug: d.Start, …})
//
// A function that is debugged has one environment, without limits of time and
// memory: whoever stands at a breakpoint has all day. It sees this machine's
// own paths, because that is where a debugger looks for sources.
package debugger

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/seed-615d3599/roost/internal/region/lambda/environment"
)

// Debugger says which function is debugged and where.
type Debugger struct {
	// Function is a function's name, or a part of it.
	Function string
	// Port is where the debugger listens on 127.0.0.1.
	Port int
	// Dir is a folder for the code of Python functions, so that it lies in one
	// place whatever its version; debuggers know it by that.
	Dir string
	// LookPath finds a program; nil means exec.LookPath.
	LookPath func(name string) (string, error)
}

// Patience is how long an invocation may take that is debugged.
const Patience = 24 * time.Hour

// Kind is a language as debuggers know it.
type Kind string

// The kinds; empty for a runtime without a debugger.
const (
	Go     Kind = "go"
	Node   Kind = "node"
	Python Kind = "python"
)

// KindOf returns the kind of a runtime, such as nodejs22.x. What an OS-only
// runtime runs is taken to be Go.
func KindOf(runtime string) Kind {
	switch {
	case strings.HasPrefix(runtime, "provided"):
		return Go
	case strings.HasPrefix(runtime, "nodejs"):
		return Node
	case strings.HasPrefix(runtime, "python"):
		return Python
	}
	return ""
}

// Addr is where the debugger listens.
func (d *Debugger) Addr() string { return "127.0.0.1:" + strconv.Itoa(d.Port) }

// Folder is where the code of a Python function lies.
func (d *Debugger) Folder(function string) string { return filepath.Join(d.Dir, function) }

// Start changes how a function's environments are started, if it is the one to
// debug.
func (d *Debugger) Start(spec *environment.Spec) error {
	if !strings.Contains(strings.ToLower(spec.FunctionName), strings.ToLower(d.Function)) {
		return nil
	}
	switch KindOf(spec.Runtime) {
	case Go:
		dlv, err := d.delve()
		if err != nil {
			return err
		}
		spec.Command = append([]string{dlv, "exec", spec.Command[0], "--headless", "--listen=" + d.Addr(), "--api-version=2",
			"--accept-multiclient", "--continue", "--check-go-version=false", "--"}, spec.Command[1:]...)
	case Node:
		i := slices.Index(spec.Command, "--enable-source-maps")
		if i < 0 {
			return fmt.Errorf("the function %s does not run on Node.js itself: take AWS_LAMBDA_EXEC_WRAPPER from it to debug it", spec.FunctionName)
		}
		spec.Command = slices.Insert(slices.Clone(spec.Command), i, "--inspect="+d.Addr())
	case Python:
		if err := d.place(spec); err != nil {
			return err
		}
		i := slices.Index(spec.Command, "-B")
		if i < 0 {
			return fmt.Errorf("the function %s does not run on Python itself: take AWS_LAMBDA_EXEC_WRAPPER from it to debug it", spec.FunctionName)
		}
		spec.Command = slices.Insert(slices.Clone(spec.Command), i+1, "-Xfrozen_modules=off", "-m", "debugpy", "--listen", d.Addr())
	default:
		return nil
	}
	spec.Debugged, spec.Timeout = true, Patience
	return nil
}

// delve finds Delve, which "go install" puts into GOPATH/bin.
func (d *Debugger) delve() (string, error) {
	look := d.LookPath
	if look == nil {
		look = exec.LookPath
	}
	path, err := look("dlv")
	if err != nil {
		return "", errors.New("dlv, by which Go functions are debugged, is not on PATH: install it with \"go install github.com/go-delve/delve/cmd/dlv@latest\"")
	}
	return path, nil
}

// place copies a function's code to where debuggers look for it.
func (d *Debugger) place(spec *environment.Spec) error {
	folder := d.Folder(spec.FunctionName)
	if err := os.RemoveAll(folder); err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(folder), 0o755); err != nil {
		return err
	}
	if err := os.CopyFS(folder, os.DirFS(spec.TaskRoot)); err != nil {
		return fmt.Errorf("copy the code of %s: %w", spec.FunctionName, err)
	}
	for i, argument := range spec.Command {
		spec.Command[i] = strings.Replace(argument, spec.TaskRoot, folder, 1)
	}
	spec.TaskRoot = folder
	return nil
}
