package cli

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"testing"

	"github.com/seed-615d3599/roost/internal/cli/session"
	"golang.org/x/sys/unix"
)

// terminal opens a pseudo-terminal: keys is where a person types and sees.
func terminal(t *testing.T) (keys, program *os.File) {
	t.Helper()
	keys, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal("there are no pseudo-terminals: ", err)
	}
	t.Cleanup(func() { keys.Close() })
	fd := int(keys.Fd())
	number, err := unix.IoctlGetInt(fd, unix.TIOCGPTN)
	if err == nil {
		err = unix.IoctlSetPointerInt(fd, unix.TIOCSPTLCK, 0)
	}
	if err == nil {
		program, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", number), os.O_RDWR|unix.O_NOCTTY, 0)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { program.Close() })
	return keys, program
}

// prompt is an output that tells when something was asked.
type prompt struct {
	bytes.Buffer
	asked chan struct{}
}

func (p *prompt) Write(data []byte) (int, error) {
	if strings.Contains(string(data), "not shown") {
		close(p.asked)
	}
	return p.Buffer.Write(data)
}

func shows(t *testing.T, terminal *os.File) bool {
	t.Helper()
	settings, err := unix.IoctlGetTermios(int(terminal.Fd()), unix.TCGETS)
	if err != nil {
		t.Fatal(err)
	}
	return settings.Lflag&unix.ECHO != 0
}

// hidden waits until the terminal does not show what is typed.
func hidden(t *testing.T, p *prompt, terminal *os.File) {
	t.Helper()
	<-p.asked
	for shows(t, terminal) {
	}
}

func TestASecretIsNotShown(t *testing.T) {
	keys, program := terminal(t)
	out := &prompt{asked: make(chan struct{})}
	s := &session.Session{In: program, Out: out}
	values := make(chan string)
	go func() {
		value, err := readSecret(t.Context(), s, "KEY")
		if err != nil {
			value = err.Error()
		}
		values <- value
	}()
	hidden(t, out, program)
	if _, err := io.WriteString(keys, "hush\n"); err != nil {
		t.Fatal(err)
	}
	if got := <-values; got != "hush" {
		t.Errorf("it reads %q", got)
	}
	if !shows(t, program) {
		t.Error("the terminal stays silent")
	}
	// What the terminal has shown ends with this.
	if _, err := io.WriteString(keys, "end\n"); err != nil {
		t.Fatal(err)
	}
	seen := ""
	for !strings.Contains(seen, "end") {
		some := make([]byte, 100)
		n, err := keys.Read(some)
		if err != nil {
			t.Fatal(err)
		}
		seen += string(some[:n])
	}
	if strings.Contains(seen, "hush") {
		t.Errorf("the terminal shows %q", seen)
	}
}

// A ctrl-C at the prompt ends it, and the terminal shows again what is typed.
func TestASecretIsInterrupted(t *testing.T) {
	keys, program := terminal(t)
	out := &prompt{asked: make(chan struct{})}
	s := &session.Session{In: program, Out: out}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() {
		_, err := readSecret(ctx, s, "KEY")
		ended <- err
	}()
	hidden(t, out, program)
	cancel()
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	if !shows(t, program) {
		t.Error("the terminal stays silent")
	}
	if _, err := io.WriteString(keys, "\n"); err != nil { // for who still reads
		t.Fatal(err)
	}
}
