package debugger_test

import (
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/seed-615d3599/roost/internal/region/lambda/debugger"
	"github.com/seed-615d3599/roost/internal/region/lambda/environment"
)

const arn = "arn:aws:lambda:us-east-1:123456789012:function:dev-Api-GETprivate-1"

// listen returns a debugger of GETprivate, by which no program is started.
func listen(t *testing.T) *debugger.Debugger {
	t.Helper()
	d, err := debugger.Listen(debugger.Config{Function: "getPRIVATE", Dir: t.TempDir(),
		LookPath: func(name string) (string, error) { return "/bin/" + name, nil }})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.Close() })
	return d
}

// started is a Go function under the debugger, and where Delve is to listen.
func started(t *testing.T, d *debugger.Debugger) (environment.Debug, string) {
	t.Helper()
	spec := &environment.Spec{FunctionName: "dev-Api-GETprivate-1", Runtime: "provided.al2023", Command: []string{"/app/bootstrap"}}
	if err := d.Start(spec); err != nil {
		t.Fatal(err)
	}
	i := slices.IndexFunc(spec.Command, func(s string) bool { return strings.HasPrefix(s, "--listen=") })
	return spec.Debug, strings.TrimPrefix(spec.Command[i], "--listen=")
}

func dial(t *testing.T, addr string) net.Conn {
	t.Helper()
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return conn
}

// A debugger that comes before the function runs waits for it.
func TestEarlyDebuggersWait(t *testing.T) {
	d := listen(t)
	process, addr := started(t, d)
	language, err := net.Listen("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer language.Close()
	editor := dial(t, d.Addr())
	if _, err := editor.Write([]byte("attach")); err != nil {
		t.Fatal(err)
	}
	if !process.Holds() {
		t.Error("time runs while the function starts")
	}
	process.Ready()
	inside, err := language.Accept()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := inside.Write([]byte("stopped")); err != nil {
		t.Fatal(err)
	}
	for conn, want := range map[net.Conn]string{inside: "attach", editor: "stopped"} {
		got := make([]byte, len(want))
		if _, err := io.ReadFull(conn, got); err != nil || string(got) != want {
			t.Errorf("%q, %v", got, err)
		}
	}
	if !process.Holds() || !d.HoldsFunction(arn) || !d.HoldsFunction(arn+":7") || d.HoldsFunction(strings.Replace(arn, "private", "public", 1)) {
		t.Error("it does not know that a debugger is attached, or to what")
	}

	// When it leaves, the function's own debugger is told so.
	editor.Close()
	if _, err := inside.Read(make([]byte, 1)); err == nil {
		t.Error("the connection is still open")
	}
	inside.Close()
	again := dial(t, d.Addr())
	other, err := language.Accept()
	if err != nil {
		t.Fatal(err)
	}
	other.Close()
	if _, err := again.Read(make([]byte, 1)); !errors.Is(err, io.EOF) {
		t.Errorf("when the function's debugger ends: %v", err)
	}
}

// A new version of the function is the one that is reached next, while the old one
// may still stand at a breakpoint.
func TestTheNewestIsReached(t *testing.T) {
	d := listen(t)
	old, _ := started(t, d)
	old.Ready()
	process, addr := started(t, d)
	process.Ready()
	old.Ended()
	language, err := net.Listen("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer language.Close()
	dial(t, d.Addr())
	if _, err := language.Accept(); err != nil {
		t.Fatal(err)
	}
}

func TestClose(t *testing.T) {
	d := listen(t)
	waiting := dial(t, d.Addr())
	if err := d.Close(); err != nil {
		t.Error(err)
	}
	if _, err := waiting.Read(make([]byte, 1)); err == nil {
		t.Error("the connection is still open")
	}
	if _, err := debugger.Listen(debugger.Config{Port: -1}); err == nil {
		t.Error("there is a port -1")
	}
}

// What can't be debugged is said, and what is not meant is left alone.
func TestStart(t *testing.T) {
	code := t.TempDir()
	if err := os.WriteFile(filepath.Join(code, "main.py"), []byte("def main(): pass"), 0o600); err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		function, runtime string
		command           []string
		want              string // a part of the command line
		wrong             string
	}{
		{"GETprivate", "nodejs22.x", []string{"node", "--enable-source-maps", "client.mjs"}, "node --inspect=127.0.0.1:", ""},
		{"GETprivate", "nodejs22.x", []string{"/wrapper", "node"}, "", "AWS_LAMBDA_EXEC_WRAPPER"},
		{"GETprivate", "python3.13", []string{"python3", "-B", code + "/client.py"}, "-m debugpy --listen 127.0.0.1:", ""},
		{"GETprivate", "python3.13", []string{"/wrapper"}, "", "AWS_LAMBDA_EXEC_WRAPPER"},
		{"GETprivate", "java21", []string{"java"}, "java", ""},
		{"GETpublic", "nodejs22.x", []string{"node"}, "node", ""},
	}
	for _, c := range tests {
		spec := &environment.Spec{FunctionName: c.function, Runtime: c.runtime, Command: c.command, TaskRoot: code}
		err := listen(t).Start(spec)
		line := strings.Join(spec.Command, " ")
		switch {
		case c.wrong != "":
			if err == nil || !strings.Contains(err.Error(), c.wrong) {
				t.Errorf("%v: %v", c, err)
			}
		case err != nil || !strings.Contains(line, c.want):
			t.Errorf("%v: %s, %v", c, line, err)
		case (spec.Debug != nil) == slices.Equal(spec.Command, c.command):
			t.Errorf("%v: debugged: %v", c, spec.Debug != nil)
		}
	}

	d, err := debugger.Listen(debugger.Config{LookPath: func(string) (string, error) { return "", errors.New("none") }})
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	if err := d.Start(&environment.Spec{Runtime: "provided.al2023", Command: []string{"bootstrap"}}); err == nil || !strings.Contains(err.Error(), "go install") {
		t.Errorf("without Delve: %v", err)
	}
}
