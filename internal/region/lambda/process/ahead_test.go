package process

import (
	"encoding/json"
	"io"
	"os"
	"strings"
	"testing"
	"time"
)

// watched is an Ahead that tells when processes begin and end.
func watched(t *testing.T, idle time.Duration) (a *Ahead, started, ended chan int) {
	t.Helper()
	started, ended = make(chan int, 10), make(chan int, 10)
	a = NewAhead(Config{Idle: idle, Variables: []string{"PATH=" + os.Getenv("PATH")},
		Started: func(pid int) { started <- pid }, Ended: func(pid int) { ended <- pid }})
	t.Cleanup(a.Close)
	return a, started, ended
}

// echo writes what it is told, a line of its own first.
func echo() []string { return []string{"/bin/sh", "-c", `echo here; cat <&$` + FDVariable} }

func TestAheadIsToldItsFunction(t *testing.T) {
	a, started, ended := watched(t, time.Hour)
	if a.Take(echo()) != nil {
		t.Fatal("one waits that nobody asked for")
	}
	a.Prepare(echo(), t.TempDir())
	pid := <-started
	a.Prepare(echo(), t.TempDir()) // one is enough
	w := a.Take(echo())
	if w == nil || w.Cmd.Process.Pid != pid {
		t.Fatalf("got %+v, want process %d", w, pid)
	}
	if a.Take(echo()) != nil {
		t.Error("there are two")
	}
	said := make(chan []byte)
	go func() {
		all, _ := io.ReadAll(w.Lines)
		said <- all
	}()
	long := strings.Repeat("x", 200_000) // more than a pipe holds
	if err := w.Tell("/folder", []string{"A=1=2", "B=" + long}); err != nil {
		t.Fatal(err)
	}
	all := <-said
	var got struct {
		Directory string
		Variables map[string]string
	}
	document, first := strings.CutPrefix(string(all), "here\n")
	if err := json.Unmarshal([]byte(document), &got); err != nil || !first || got.Directory != "/folder" || got.Variables["A"] != "1=2" || got.Variables["B"] != long {
		t.Errorf("it was told %.200q (%v)", all, err)
	}
	a.Discard(w)
	if got := <-ended; got != pid {
		t.Errorf("ended is %d, want %d", got, pid)
	}
}

func TestAheadEndsWhatNobodyTakes(t *testing.T) {
	a, started, ended := watched(t, time.Nanosecond)
	a.Prepare(echo(), t.TempDir())
	if pid := <-started; pid != <-ended {
		t.Error("another one ended")
	}
	if a.Take(echo()) != nil {
		t.Error("it still waits")
	}

	b, started, ended := watched(t, time.Hour)
	b.Prepare(echo(), t.TempDir())
	pid := <-started
	b.Prepare([]string{"/nowhere/program"}, t.TempDir())
	b.Close()
	if got := <-ended; got != pid {
		t.Errorf("closed, %d ended, want %d", got, pid)
	}
	b.Prepare(echo(), t.TempDir())
	if b.Take(echo()) != nil || len(started) != 0 {
		t.Error("one was started after the end")
	}
}

// A process that does not listen any more, as one that has ended, is found out when
// it is told.
func TestAheadThatDoesNotListen(t *testing.T) {
	a, started, ended := watched(t, time.Hour)
	deaf := []string{"/bin/sh", "-c", "exec " + aheadFD + "<&-; echo closed; exec sleep 1000"}
	a.Prepare(deaf, t.TempDir())
	<-started
	w := a.Take(deaf)
	if w == nil {
		t.Fatal("nothing waits")
	}
	if _, err := io.ReadFull(w.Lines, make([]byte, len("closed\n"))); err != nil {
		t.Fatal(err)
	}
	if err := w.Tell("/folder", nil); err == nil {
		t.Error("it was told its function")
	}
	a.Discard(w)
	<-ended
}
