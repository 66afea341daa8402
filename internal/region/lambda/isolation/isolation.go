// Package isolation runs functions at the paths that they have in Lambda, on
// systems that can give a process its own view of the files: /var/task with the
// code, /var/runtime, /opt with the layers and a /tmp that nobody shares. As in
// Lambda, nothing but /tmp can be written, and no process of others is seen.
//
// The main program runs Main before anything else:
//
//	if len(os.Args) > 1 && os.Args[1] == isolation.Argument {
//		os.Exit(isolation.Main(os.Args[2:], os.Stderr))
//	}
//
// and the region, with the command that leads there:
//
//	err := isolation.Probe(ctx, []string{executable, isolation.Argument}, dir) // says why it is not possible
//	cmd, err := isolation.Command(helper, view, command)
//
// It is no jail for hostile code: a function has the user's rights to read, and
// the network.
package isolation

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// Argument is the hidden command of the main program that runs Main.
const Argument = "isolate-environment"

// Where a function finds things, as in Lambda.
const (
	TaskRoot   = "/var/task"
	RuntimeDir = "/var/runtime"
	OptDir     = "/opt"
	SDKDir     = "/var/runtime/sdk" // node_modules of View.SDK are below it
	TmpDir     = "/tmp"
)

// View is what a function sees, as folders of this machine. Opt and SDK may be
// empty; with SDK, Runtime has an empty folder sdk/node_modules.
type View struct {
	Root    string // empty; the function's file system is put together there
	Task    string
	Runtime string
	Opt     string
	Tmp     string
	SDK     string // its node_modules are seen below SDKDir
}

// Inside returns the path at which a function sees a file of its view; other
// paths stay.
func (v View) Inside(path string) string {
	for _, at := range []struct{ outside, inside string }{
		{v.Task, TaskRoot}, {v.Runtime, RuntimeDir}, {v.Opt, OptDir}, {v.Tmp, TmpDir},
	} {
		if at.outside == "" {
			continue
		}
		if rest, ok := strings.CutPrefix(path, at.outside); ok && (rest == "" || rest[0] == filepath.Separator) {
			return at.inside + rest
		}
	}
	return path
}

// Command returns the command, which is not started yet, that runs another one
// in a view. Paths of the view in it become those that the function sees.
// helper is the command that runs Main.
func Command(helper []string, view View, command []string) (*exec.Cmd, error) {
	args := append([]string{}, helper[1:]...)
	args = append(args, view.Root, view.Task, view.Runtime, view.Opt, view.Tmp, view.SDK)
	for i, arg := range command {
		inside := view.Inside(arg)
		if i == 0 && inside == arg && hidden(arg) {
			return nil, fmt.Errorf("%s can't be run with --isolate, which replaces %s, %s and %s: install it elsewhere", arg, OptDir, TmpDir, TaskRoot)
		}
		args = append(args, inside)
	}
	cmd := exec.Command(helper[0], args...)
	cmd.SysProcAttr = attributes()
	return cmd, nil
}

// hidden says whether a path of this machine is covered inside.
func hidden(path string) bool {
	for _, dir := range []string{OptDir, TmpDir, TaskRoot, RuntimeDir} {
		if strings.HasPrefix(path, dir+"/") {
			return true
		}
	}
	return false
}

// Probe tries it, with folders that it makes below dir and removes. The error
// says what this machine does not permit.
func Probe(ctx context.Context, helper []string, dir string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	temporary, err := os.MkdirTemp(dir, "probe-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(temporary)
	view := View{Root: filepath.Join(temporary, "root"), Task: temporary, Runtime: temporary, Tmp: filepath.Join(temporary, "tmp")}
	for _, dir := range []string{view.Root, view.Tmp} {
		if err := os.Mkdir(dir, 0o700); err != nil {
			return err
		}
	}
	cmd, err := Command(helper, view, nil)
	if err != nil {
		return err
	}
	said := &strings.Builder{}
	cmd.Stderr = said
	if err := cmd.Start(); err != nil {
		return refusal(err.Error())
	}
	defer context.AfterFunc(ctx, func() { _ = cmd.Process.Kill() })()
	if err := cmd.Wait(); err != nil {
		return refusal(errors.Join(errors.New(strings.TrimSpace(said.String())), err).Error())
	}
	return nil
}
