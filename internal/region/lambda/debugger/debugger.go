// Package debugger starts a function under its language's debugger: Go under
// Delve, Node.js with --inspect, Python with debugpy. The function runs on at
// once; a debugger attaches when it likes.
//
//	d, err := debugger.Listen(debugger.Config{Function: "GETprivate", Port: 2345, Dir: dir})
//	lambda.New(lambda.Config{Debug: d.Start, …})
//	gateway.New(gateway.Config{Held: d.HoldsFunction, …})
//	d.Close()
//
// A function that is debugged has one environment, whose memory is not limited,
// and whose time limits stand still while a debugger is attached. It sees this
// machine's own paths, because that is where a debugger looks for sources.
//
// The port that debuggers attach to is this package's own. Behind it the
// language's debugger has another port for each version of the function. So the
// port stays the same from edit to edit; a connection that comes too early waits
// until the function runs, instead of meeting it half started (Delve opens its
// port before it lets the function run, and a client that comes in between
// disturbs that); and it is known whether a debugger is attached.
package debugger

import (
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"github.com/seed-615d3599/roost/internal/region/lambda/environment"
)

// Config says which function is debugged and where.
type Config struct {
	// Function is a function's name, or a part of it in any case.
	Function string
	// Port is where debuggers attach on 127.0.0.1; 0 picks a free one.
	Port int
	// Dir is a folder for the code of Python functions, so that it lies in one
	// place whatever its version; debuggers know it by that.
	Dir string
	// LookPath finds a program; nil means exec.LookPath.
	LookPath func(name string) (string, error)
}

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

// Folder is where the code of a Python function lies.
func (d *Debugger) Folder(function string) string { return filepath.Join(d.config.Dir, function) }

// Start changes how a function's environments are started, if it is the one to
// debug.
func (d *Debugger) Start(spec *environment.Spec) error {
	if !d.means(spec.FunctionName) || KindOf(spec.Runtime) == "" {
		return nil
	}
	addr, err := freeAddr()
	if err != nil {
		return err
	}
	switch KindOf(spec.Runtime) {
	case Go:
		dlv, err := d.delve()
		if err != nil {
			return err
		}
		spec.Command = append([]string{dlv, "exec", spec.Command[0], "--headless", "--listen=" + addr, "--api-version=2",
			"--accept-multiclient", "--continue", "--check-go-version=false", "--log-dest=" + os.DevNull, "--"}, spec.Command[1:]...)
	case Node:
		i := slices.Index(spec.Command, "--enable-source-maps")
		if i < 0 {
			return fmt.Errorf("the function %s does not run on Node.js itself: take AWS_LAMBDA_EXEC_WRAPPER from it to debug it", spec.FunctionName)
		}
		spec.Command = slices.Insert(slices.Clone(spec.Command), i, "--inspect="+addr, "--inspect-publish-uid=http")
	case Python:
		if err := d.place(spec); err != nil {
			return err
		}
		i := slices.Index(spec.Command, "-B")
		if i < 0 {
			return fmt.Errorf("the function %s does not run on Python itself: take AWS_LAMBDA_EXEC_WRAPPER from it to debug it", spec.FunctionName)
		}
		spec.Command = slices.Insert(slices.Clone(spec.Command), i+1, "-Xfrozen_modules=off", "-m", "debugpy", "--listen", addr)
	}
	spec.Debug = &process{debugger: d, addr: addr}
	return nil
}

// means says whether a function is the one to debug.
func (d *Debugger) means(function string) bool {
	return strings.Contains(strings.ToLower(function), strings.ToLower(d.config.Function))
}

// freeAddr is an address for a language's own debugger.
func freeAddr() (string, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	return listener.Addr().String(), listener.Close()
}

// delve finds Delve, which "go install" puts into GOPATH/bin.
func (d *Debugger) delve() (string, error) {
	look := d.config.LookPath
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
