package environment

import (
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/seed-615d3599/roost/internal/region/lambda/runtimeapi"
)

// failure is why an environment could not answer. Its document depends on the
// request, whose id it names.
type failure struct {
	kind     string              // the errorType
	text     string              // the errorMessage behind "RequestId: … Error: "
	reported *runtimeapi.Outcome // what the runtime itself said; it wins
	status   string              // of the report line: "error" or "timeout"
}

// document is the JSON that a caller gets, with the members in the order in
// which Lambda sends them.
func (f *failure) document(requestID string) []byte {
	if f.reported != nil {
		return f.reported.Payload
	}
	return []byte(`{"errorType":` + strconv.Quote(f.kind) + `,"errorMessage":` +
		strconv.Quote("RequestId: "+requestID+" Error: "+f.text) + `}`)
}

func (f *failure) errorType() string {
	if f.reported != nil {
		return f.reported.ErrorType
	}
	return f.kind
}

// outOfMemory is what Lambda says when the memory limit ended the runtime.
// [?] AWS's own runtime code names the type Runtime.OutOfMemory; there is no
// recording of it.
func outOfMemory() *failure {
	return &failure{kind: "Runtime.OutOfMemory", text: "Runtime exited with error: signal: killed", status: "error"}
}

func timedOut(limit time.Duration) *failure {
	return &failure{kind: "Sandbox.Timedout", status: "timeout",
		text: "Task timed out after " + strconv.FormatFloat(limit.Seconds(), 'f', 2, 64) + " seconds"}
}

// exited says how a runtime ended that nobody asked to.
func exited(state *os.ProcessState) *failure {
	text := "Runtime exited without providing a reason"
	if status, ok := state.Sys().(syscall.WaitStatus); ok && status.Signaled() {
		text = "Runtime exited with error: signal: " + status.Signal().String()
	} else if state.ExitCode() != 0 {
		text = "Runtime exited with error: exit status " + strconv.Itoa(state.ExitCode())
	}
	return &failure{kind: "Runtime.ExitError", text: text, status: "error"}
}

// notStarted says why the runtime's program could not be started.
func notStarted(err error) *failure {
	var path *fs.PathError
	var lookup *exec.Error
	switch {
	case errors.As(err, &path):
		return &failure{kind: "Runtime.InvalidEntrypoint", text: "fork/exec " + path.Path + ": " + path.Err.Error(), status: "error"}
	case errors.As(err, &lookup):
		return &failure{kind: "Runtime.InvalidEntrypoint", text: strings.TrimPrefix(lookup.Error(), "exec: "), status: "error"}
	}
	return &failure{kind: "Sandbox.Failure", text: err.Error(), status: "error"}
}
