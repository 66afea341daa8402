package stacks_test

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/seed-615d3599/roost/internal/region/stacks"
	"github.com/seed-615d3599/roost/internal/region/store"
)

const (
	crashState = "STACKS_TEST_CRASH_STATE" // the state file that the child works on
	crashSeed  = "STACKS_TEST_CRASH_SEED"
	crashEnd   = "STACKS_TEST_CRASH_END" // how many operations the child does before it ends; "" means no end
)

// TestKilledAtAnyMoment kills a process that creates, updates, rolls back and
// deletes stacks, again and again, at random moments. Each process goes on with
// the state file of the one before, and finds every stack at rest in a state
// that CloudFormation knows, with exactly the things that it should have.
func TestKilledAtAnyMoment(t *testing.T) {
	kills, limit := 200, 50*time.Second
	if testing.Short() {
		kills = 20
	}
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	state := filepath.Join(t.TempDir(), "region.db")
	begun, done := time.Now(), 0
	for ; done < kills && time.Since(begun) < limit; done++ {
		child, output := crashChild(t, state, random.Uint64(), "")
		moment := time.Duration(random.IntN(100)) * time.Millisecond
		ended := make(chan error, 1)
		go func() { ended <- child.Wait() }()
		select {
		case err := <-ended:
			t.Fatalf("after %d kills a process ended by itself: %v\n%s", done, err, output)
		case <-time.After(moment + startup):
			_ = child.Process.Signal(syscall.SIGKILL)
			<-ended
		}
	}
	t.Logf("%d kills in %v", done, time.Since(begun).Round(time.Second))
	child, output := crashChild(t, state, random.Uint64(), "3")
	if err := child.Wait(); err != nil {
		t.Fatalf("%v\n%s", err, output)
	}
}

// startup is about how long a process needs before it does anything.
const startup = 30 * time.Millisecond

func crashChild(t *testing.T, state string, seed uint64, end string) (*exec.Cmd, *bytes.Buffer) {
	t.Helper()
	child := exec.Command(os.Args[0], "-test.run=^TestCrashChild$", "-test.timeout=60s")
	child.Env = append(os.Environ(), crashState+"="+state, crashSeed+"="+strconv.FormatUint(seed, 10), crashEnd+"="+end)
	output := &bytes.Buffer{}
	child.Stdout, child.Stderr = output, output
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	return child, output
}

// intent is what an operation was begun for, and what there was before.
type intent struct {
	Want, Before []string
}

// TestCrashChild is the process that TestKilledAtAnyMoment kills.
func TestCrashChild(t *testing.T) {
	path := os.Getenv(crashState)
	if path == "" {
		t.Skip("it runs as a child of TestKilledAtAnyMoment")
	}
	seed, _ := strconv.ParseUint(os.Getenv(crashSeed), 10, 64)
	end, _ := strconv.Atoi(os.Getenv(crashEnd))
	f := &fixture{t: t, path: path, world: newWorld()}
	f.open()
	defer f.close()
	if err := f.engine.Resume(); err != nil {
		t.Fatal(err)
	}
	random := rand.New(rand.NewPCG(seed, 1))
	for n := 1; ; n++ {
		f.checkAtRest()
		if n == end {
			return
		}
		f.beginSomething(random)
	}
}

// checkAtRest waits for the stack and compares what there is with what there
// should be.
func (f *fixture) checkAtRest() {
	f.t.Helper()
	var status string
	if err := f.call("DescribeStacks", map[string]any{"StackName": "s"}, nil); err == nil {
		status = f.restOrGone("s")
	}
	var i intent
	if status != "" && status != "DELETE_COMPLETE" {
		i = f.intent()
	}
	var want []string
	switch status {
	case "CREATE_COMPLETE", "UPDATE_COMPLETE":
		want = i.Want
	case "UPDATE_ROLLBACK_COMPLETE":
		want = i.Before
	case "", "DELETE_COMPLETE", "ROLLBACK_COMPLETE", "REVIEW_IN_PROGRESS":
	default:
		f.t.Fatalf("the stack is %s\n%s", status, strings.Join(f.events("s"), "\n"))
	}
	if diff := cmp.Diff(want, f.things(f.t)); diff != "" {
		events := ""
		if status != "" && status != "DELETE_COMPLETE" {
			events = strings.Join(f.events("s"), "\n")
		}
		f.t.Fatalf("%s: %s\n%s", status, diff, events)
	}
	f.checkStacks()
}

// restOrGone is rest for a stack that may be gone in the end.
func (f *fixture) restOrGone(name string) string {
	for {
		changed := f.engine.Changed()
		var out stacks.DescribeStacksOutput
		if f.call("DescribeStacks", map[string]any{"StackName": name}, &out) != nil {
			return "DELETE_COMPLETE"
		}
		if status := out.Stacks[0].StackStatus; !strings.HasSuffix(status, "_IN_PROGRESS") || status == "REVIEW_IN_PROGRESS" {
			return status
		}
		<-changed
	}
}

// checkStacks makes sure that every nested stack has its parent.
func (f *fixture) checkStacks() {
	f.t.Helper()
	var out stacks.DescribeStacksOutput
	f.must("DescribeStacks", map[string]any{}, &out)
	for _, st := range out.Stacks {
		if !strings.HasSuffix(st.StackStatus, "_COMPLETE") && st.StackStatus != "REVIEW_IN_PROGRESS" {
			f.t.Fatalf("%s is %s", st.StackName, st.StackStatus)
		}
		if st.ParentID != "" && f.call("DescribeStacks", map[string]any{"StackName": "s"}, nil) != nil {
			f.t.Fatalf("the nested stack %s was lost by its parent", st.StackName)
		}
	}
}

// intent returns what the last operation was begun for, by its token: a process
// may have been killed after it wrote what it was about to begin.
func (f *fixture) intent() (i intent) {
	f.t.Helper()
	var out stacks.EventsOutput
	f.must("DescribeStackEvents", map[string]any{"StackName": "s"}, &out)
	err := f.db.View(f.t.Context(), func(tx *store.Tx) error {
		_, err := tx.Get("intent", out.StackEvents[0].ClientRequestToken, &i)
		return err
	})
	if err != nil {
		f.t.Fatal(err)
	}
	return i
}

// beginSomething begins an operation that fits the stack.
func (f *fixture) beginSomething(random *rand.Rand) {
	f.t.Helper()
	var out stacks.DescribeStacksOutput
	exists := f.call("DescribeStacks", map[string]any{"StackName": "s"}, &out) == nil
	if exists && (out.Stacks[0].StackStatus == "ROLLBACK_COMPLETE" || random.IntN(6) == 0) {
		f.must("DeleteStack", map[string]any{"StackName": "s"}, nil)
		return
	}
	body, want := f.someTemplate(random)
	i, token := intent{Want: want, Before: f.things(f.t)}, fmt.Sprintf("t%d", random.Uint64())
	err := f.db.Update(f.t.Context(), func(_ context.Context, tx *store.Tx) error { return tx.Put("intent", token, i) })
	if err != nil {
		f.t.Fatal(err)
	}
	in := map[string]any{"StackName": "s", "TemplateBody": body, "ClientRequestToken": token}
	if exists {
		err = f.call("UpdateStack", in, nil)
	} else {
		err = f.call("CreateStack", in, nil)
	}
	if err != nil && !strings.Contains(err.Error(), "No updates are to be performed.") {
		f.t.Fatal(err)
	}
}

// someTemplate makes a template of fast, slow and nested things, of which one
// may fail, and lists the things that it makes.
func (f *fixture) someTemplate(random *rand.Rand) (body string, things []string) {
	var parts []string
	previous := ""
	fails := random.IntN(24)
	for i := range 8 {
		if random.IntN(4) == 0 {
			continue
		}
		id := string(rune('A' + i))
		kind := "AWS::Test::Thing"
		if i%2 == 1 {
			kind = "AWS::Test::Slow"
		}
		name, size, other := fmt.Sprint("n", random.IntN(2)), random.IntN(3), "x"
		if i == fails {
			other = "fail"
		}
		after := ""
		if previous != "" && random.IntN(2) == 0 {
			after = fmt.Sprintf(`, "DependsOn": %q`, previous)
		}
		parts = append(parts, fmt.Sprintf(`%q: {"Type": %q, "Properties": {"Name": %q, "Size": %d, "Other": %q}%s}`, id, kind, name, size, other, after))
		things = append(things, fmt.Sprintf("%s:%s=%d", id, name, size))
		previous = id
	}
	if random.IntN(3) > 0 {
		key := fmt.Sprintf("n%d-%d", random.IntN(2), random.IntN(3))
		parts = append(parts, fmt.Sprintf(`"N": {"Type": "AWS::CloudFormation::Stack", "Properties": {"TemplateURL": "https://b.s3.amazonaws.com/%s"}}`, key))
		name, size, _ := strings.Cut(key, "-")
		things = append(things, "X:"+name+"="+size, "Y:"+name+"="+size)
	}
	if len(parts) == 0 {
		return f.someTemplate(random)
	}
	slices.Sort(things)
	return `{"Resources": {` + strings.Join(parts, ", ") + `}}`, things
}

// nestedByKey is the template that an object such as "n1-2" holds.
func nestedByKey(key string) string {
	name, size, _ := strings.Cut(key, "-")
	return fmt.Sprintf(`{"Resources": {"X": {"Type": "AWS::Test::Thing", "Properties": {"Name": %q, "Size": %s}}, "Y": {"Type": "AWS::Test::Slow", "DependsOn": "X", "Properties": {"Name": %q, "Size": %s}}}}`, name, size, name, size)
}
