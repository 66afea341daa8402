package main

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"time"

	"github.com/seed-615d3599/roost/bench/figure"
)

// liveApp is a copy of an example under "roost start".
type liveApp struct {
	dir, file, url string
	client         *http.Client
	edits          int
	seen           progress
}

// editing starts a copy of an example and has it edited once more than there are
// rounds, as the first edit only warms up. It returns where the time went.
func (b *bench) editing(roost, example, file string, once func(*liveApp) error) (string, error) {
	// The copy stands inside the module, whose go.mod it needs.
	dir, err := os.MkdirTemp("bench", "_app-")
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(dir)
	if output, err := exec.Command("cp", "-r", "examples/"+example+"/.", dir).CombinedOutput(); err != nil {
		return "", fmt.Errorf("%w: %s", err, output)
	}
	if err := os.RemoveAll(filepath.Join(dir, ".roost")); err != nil {
		return "", err
	}
	a := &liveApp{dir: dir, file: filepath.Join(dir, file), client: &http.Client{Timeout: 10 * time.Second}}
	cmd := exec.Command(roost, "start", "--port", "0", "--outputs-file", "outputs.json")
	cmd.Dir, cmd.Stdout = dir, &a.seen
	var stderr strings.Builder
	cmd.Stderr = &stderr
	if err := cmd.Start(); err != nil {
		return "", err
	}
	defer func() { cmd.Process.Signal(os.Interrupt); cmd.Wait() }()
	if err := a.find(); err != nil {
		return "", fmt.Errorf("%w: %s", err, stderr.String())
	}
	for range b.rounds + 1 {
		if err := once(a); err != nil {
			return "", err
		}
	}
	return a.seen.String(), nil
}

const patience = time.Minute

var endpoint = regexp.MustCompile(`http://127\.0\.0\.1:\d+`)

// find waits until the app is deployed, and reads where it is.
func (a *liveApp) find() error {
	for begun := time.Now(); time.Since(begun) < patience; time.Sleep(20 * time.Millisecond) {
		outputs, err := os.ReadFile(filepath.Join(a.dir, "outputs.json"))
		if err != nil {
			continue
		}
		if found := endpoint.Find(outputs); found != nil {
			a.url = string(found) + "/public"
			return a.await("Hello stranger!")
		}
	}
	return errors.New("the app did not come up")
}

// edit changes what the function says and returns the time until it says so. It
// comes back when the deployment is over, which may be later.
func (a *liveApp) edit() (time.Duration, error) {
	source, err := os.ReadFile(a.file)
	if err != nil {
		return 0, err
	}
	time.Sleep(time.Second) // a person's edits do not follow faster
	a.edits++
	said := regexp.MustCompile(`Hello \w+!`)
	wanted := fmt.Sprintf("Hello edit%d!", a.edits)
	source = said.ReplaceAll(source, []byte(wanted))
	a.seen.begin()
	begun := time.Now()
	if err := os.WriteFile(a.file, source, 0o600); err != nil {
		return 0, err
	}
	// Requests during the build would only take its processor time.
	if err := a.seen.await("stack begun"); err != nil {
		return 0, err
	}
	if err := a.await(wanted); err != nil {
		return 0, err
	}
	took := time.Since(begun)
	return took, a.seen.end(took)
}

// await asks until the answer is the wanted one.
func (a *liveApp) await(wanted string) error {
	for begun := time.Now(); time.Since(begun) < patience; time.Sleep(2 * time.Millisecond) {
		res, err := a.client.Get(a.url)
		if err != nil {
			return err
		}
		body, err := io.ReadAll(res.Body)
		res.Body.Close()
		if err == nil && string(body) == wanted {
			return nil
		}
	}
	return fmt.Errorf("%s never answered %q", a.url, wanted)
}

// progress takes what "roost start" prints and notes when each step of an edit is
// over.
type progress struct {
	mu      sync.Mutex
	printed strings.Builder // since the edit
	begun   time.Time
	marks   map[string]time.Duration   // of this edit, since its beginning
	times   map[string][]time.Duration // of all edits
}

// answered is the step that ends with the answer.
const answered = "answered"

// steps are the parts of the way from an edit, each with what is printed when it
// is over.
func steps() [][2]string {
	return [][2]string{{"noticed", "Edited "}, {"built", "Deploying "}, {"stack begun", "deploying..."},
		{"change set", "UPDATE_IN_PROGRESS"}, {answered, ""}, {"deployed", "✅"}}
}

func (p *progress) begin() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.printed.Reset()
	p.begun, p.marks = time.Now(), map[string]time.Duration{}
}

// Write implements io.Writer.
func (p *progress) Write(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.printed.Write(b)
	for _, step := range steps() {
		if p.marks != nil && p.marks[step[0]] == 0 && step[1] != "" && strings.Contains(p.printed.String(), step[1]) {
			p.marks[step[0]] = time.Since(p.begun)
		}
	}
	return len(b), nil
}

// await waits until a step is over.
func (p *progress) await(step string) error {
	for begun := time.Now(); time.Since(begun) < patience; time.Sleep(2 * time.Millisecond) {
		p.mu.Lock()
		over := p.marks[step] != 0
		p.mu.Unlock()
		if over {
			return nil
		}
	}
	return fmt.Errorf("an edit was never %s", step)
}

// end waits until the edit is deployed.
func (p *progress) end(took time.Duration) error {
	if err := p.await("deployed"); err != nil {
		return err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.marks[answered] = took
	if p.times == nil {
		p.times = map[string][]time.Duration{}
	}
	for name, at := range p.marks {
		p.times[name] = append(p.times[name], at)
	}
	return nil
}

// String tells when each step was over after the edit, without the first edit.
func (p *progress) String() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	var said []string
	for _, step := range steps() {
		if times := p.times[step[0]]; len(times) > 1 {
			said = append(said, fmt.Sprintf("%s %s", step[0], figure.Median(times[1:]).Round(time.Millisecond)))
		}
	}
	return "# after the edit: " + strings.Join(said, ", ")
}
