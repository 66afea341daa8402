package main

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path"
	"strings"
	"sync"
	"time"
)

// driver is the least that a Runtime API on net/http can do: it hands payloads to
// whoever asks and takes responses back, and keeps no time limits, no logs and no
// states.
type driver struct {
	addr   string
	server *http.Server
	calls  chan *bareCall
	mu     sync.Mutex
	open   map[string]*bareCall
	count  int
}

type bareCall struct {
	payload []byte
	done    chan []byte
}

func newDriver() (*driver, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	d := &driver{addr: listener.Addr().String(), calls: make(chan *bareCall), open: map[string]*bareCall{}}
	d.server = &http.Server{Handler: d}
	go d.server.Serve(listener)
	return d, nil
}

// start starts a function and returns what ends it.
func (d *driver) start(command []string, dir string, env ...string) (stop func(), err error) {
	cmd := exec.Command(command[0], command[1:]...)
	cmd.Dir = dir
	cmd.Env = append([]string{"PATH=" + os.Getenv("PATH"), "AWS_LAMBDA_RUNTIME_API=" + d.addr}, env...)
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	return func() { cmd.Process.Kill(); cmd.Wait() }, nil
}

func (d *driver) invoke(payload []byte) []byte {
	c := &bareCall{payload: payload, done: make(chan []byte, 1)}
	d.calls <- c
	return <-c.done
}

// ServeHTTP serves GET …/next and POST …/response.
func (d *driver) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if strings.HasSuffix(r.URL.Path, "/next") {
		select {
		case c := <-d.calls:
			d.mu.Lock()
			d.count++
			id := fmt.Sprintf("00000000-0000-4000-8000-%012d", d.count)
			d.open[id] = c
			d.mu.Unlock()
			w.Header().Set("Content-Type", "application/json")
			w.Header().Set("Lambda-Runtime-Aws-Request-Id", id)
			w.Header().Set("Lambda-Runtime-Deadline-Ms", fmt.Sprint(time.Now().Add(time.Minute).UnixMilli()))
			w.Header().Set("Lambda-Runtime-Invoked-Function-Arn", "arn:aws:lambda:us-east-1:123456789012:function:f")
			w.Write(c.payload)
		case <-r.Context().Done():
		}
		return
	}
	id := path.Base(path.Dir(r.URL.Path))
	body, _ := io.ReadAll(r.Body)
	d.mu.Lock()
	c := d.open[id]
	delete(d.open, id)
	d.mu.Unlock()
	w.WriteHeader(http.StatusAccepted)
	io.WriteString(w, `{"status":"OK"}`)
	if c != nil {
		c.done <- body
	}
}
