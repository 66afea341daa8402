package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/seed-615d3599/roost/internal/need"
)

// program is the roost that the tests run, built once.
var program string

func TestMain(m *testing.M) { os.Exit(run(m)) }

func run(m *testing.M) int {
	dir, err := os.MkdirTemp("", "roost-e2e")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	program = filepath.Join(dir, "roost")
	build := exec.Command("go", "build", buildFlags, "-o", program, "../../cmd/roost")
	build.Stderr = os.Stderr
	if err := build.Run(); err != nil {
		return 1
	}
	return m.Run()
}

// patience bounds every wait of these tests.
const patience = 4 * time.Minute

// person is somebody at a keyboard: a home folder and an app.
type person struct {
	t    *testing.T
	home string
	app  string // folder of the app
	env  []string
}

// newPerson makes somebody with an app from a template of "roost new".
func newPerson(t *testing.T, template string) *person {
	t.Helper()
	p := &person{t: t, home: t.TempDir()}
	p.app = filepath.Join(p.home, "app")
	p.env = append(slices.DeleteFunc(os.Environ(), func(entry string) bool {
		return strings.HasPrefix(entry, "AWS_") || strings.HasPrefix(entry, "HOME=") || strings.HasPrefix(entry, "TWITTER_")
	}), "HOME="+p.home, "GOPROXY=off", "GOFLAGS=-mod=mod", "GOCACHE="+goEnv(t, "GOCACHE"), "GOMODCACHE="+goEnv(t, "GOMODCACHE"), "GOTOOLCHAIN=local")
	if template != "" {
		p.roost("new", p.app, "--template", template)
	}
	return p
}

func goEnv(t *testing.T, name string) string {
	t.Helper()
	out, err := exec.Command("go", "env", name).Output()
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(out))
}

// try runs a program and returns what it printed and its exit status.
func (p *person) try(stdin, name string, args ...string) (out string, status int) {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	command := exec.CommandContext(ctx, name, args...)
	command.Dir, command.Env, command.Stdin = p.home, p.env, strings.NewReader(stdin)
	data, err := command.CombinedOutput()
	if command.ProcessState == nil {
		p.t.Fatal(err)
	}
	return string(data), command.ProcessState.ExitCode()
}

// roost runs a command that must succeed.
func (p *person) roost(args ...string) string {
	p.t.Helper()
	out, status := p.try("", program, args...)
	if status != 0 {
		p.t.Fatalf("roost %s: exit status %d\n%s", strings.Join(args, " "), status, out)
	}
	return out
}

// running is a roost in the background.
type running struct {
	p       *person
	command *exec.Cmd
	printed output
	outputs map[string]string
	done    chan struct{}
}

func (r *running) said() string { return r.printed.String() }

// output collects what a program prints.
type output struct {
	mu     sync.Mutex
	buffer bytes.Buffer
}

func (o *output) Write(data []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.buffer.Write(data)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.buffer.String()
}

// background starts a roost that ends with the test.
func (p *person) background(args ...string) *running {
	p.t.Helper()
	r := &running{p: p, done: make(chan struct{})}
	r.command = exec.Command(program, args...)
	r.command.Dir, r.command.Env, r.command.Stdout, r.command.Stderr = p.home, p.env, &r.printed, &r.printed
	if err := r.command.Start(); err != nil {
		p.t.Fatal(err)
	}
	go func() {
		r.command.Wait()
		close(r.done)
	}()
	p.t.Cleanup(func() {
		r.kill()
		if p.t.Failed() {
			p.t.Logf("roost %s printed:\n%s", args[0], r.said())
		}
	})
	return r
}

// start brings the app up and waits until the stage is ready.
func (p *person) start(args ...string) *running {
	p.t.Helper()
	file := filepath.Join(p.home, "outputs.json")
	os.Remove(file)
	r := p.background(append([]string{"start", p.app, "--port", "0", "--outputs-file", file}, args...)...)
	r.await("the outputs of the stage", func() bool {
		data, err := os.ReadFile(file)
		return err == nil && json.Unmarshal(data, &map[string]map[string]string{}) == nil
	})
	r.outputs = readOutputs(p.t, file)
	return r
}

func readOutputs(t *testing.T, file string) map[string]string {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var byStack map[string]map[string]string
	if err := json.Unmarshal(data, &byStack); err != nil {
		t.Fatal(err)
	}
	all := map[string]string{}
	for _, outputs := range byStack {
		maps.Copy(all, outputs)
	}
	return all
}

// await asks again and again until something is so, in another process.
func await(t *testing.T, what string, so func() bool) {
	t.Helper()
	deadline := time.Now().Add(patience)
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for !so() {
		if time.Now().After(deadline) {
			t.Fatalf("waited in vain for %s", what)
		}
		<-tick.C
	}
}

// await waits until something is so that the program brings about.
func (r *running) await(what string, so func() bool) {
	r.p.t.Helper()
	await(r.p.t, what, func() bool {
		select {
		case <-r.done:
			r.p.t.Fatalf("roost ended:\n%s", r.said())
		default:
		}
		return so()
	})
}

// kill ends the region as the system would when it runs out of memory.
func (r *running) kill() {
	r.command.Process.Signal(syscall.SIGKILL)
	<-r.done
}

// interrupt is ctrl-C. It returns the exit status.
func (r *running) interrupt() int {
	r.command.Process.Signal(os.Interrupt)
	select {
	case <-r.done:
	case <-time.After(patience):
		r.p.t.Fatalf("roost start does not end\n%s", r.said())
	}
	return r.command.ProcessState.ExitCode()
}

// api is the endpoint on this machine of the stage's API.
func (r *running) api() string {
	if strings.HasPrefix(r.outputs["ApiEndpoint"], "http://127.0.0.1:") {
		return r.outputs["ApiEndpoint"]
	}
	found := regexp.MustCompile(`http://127\.0\.0\.1:\d+`).FindString(r.said())
	return found
}

// regionFile is what .roost/region.json says.
type regionFile struct {
	Endpoint, Twitter, Account, Region, CABundle string
	AccessKeyID                                  string `json:"accessKeyId"`
	SecretAccessKey                              string
	PID                                          int
}

func (p *person) region() regionFile {
	p.t.Helper()
	data, err := os.ReadFile(filepath.Join(p.app, ".roost", "region.json"))
	if err != nil {
		p.t.Fatal(err)
	}
	var r regionFile
	if err := json.Unmarshal(data, &r); err != nil {
		p.t.Fatal(err)
	}
	return r
}

// get sends an unsigned request.
func (p *person) get(url string) (status int, body string) {
	p.t.Helper()
	response, err := http.Get(url)
	if err != nil {
		p.t.Fatal(err)
	}
	defer response.Body.Close()
	data, err := io.ReadAll(response.Body)
	if err != nil {
		p.t.Fatal(err)
	}
	return response.StatusCode, string(data)
}

// aws runs the AWS CLI against the region and decodes its answer.
func (p *person) aws(into any, args ...string) (out string, status int) {
	p.t.Helper()
	args = append(args, "--endpoint-url", p.region().Endpoint, "--region", p.region().Region, "--output", "json")
	out, status = p.try("", need.Tool(p.t, "aws"), args...)
	if status == 0 && into != nil {
		if err := json.Unmarshal([]byte(out), into); err != nil {
			p.t.Fatalf("aws %s: %v\n%s", strings.Join(args, " "), err, out)
		}
	}
	return out, status
}

// write replaces a file of the app.
func (p *person) write(name, text string) {
	p.t.Helper()
	if err := os.WriteFile(filepath.Join(p.app, name), []byte(text), 0o644); err != nil {
		p.t.Fatal(err)
	}
}

// read returns a file of the app.
func (p *person) read(name string) string {
	p.t.Helper()
	data, err := os.ReadFile(filepath.Join(p.app, name))
	if err != nil {
		p.t.Fatal(err)
	}
	return string(data)
}
