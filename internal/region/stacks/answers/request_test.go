package answers

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"testing"
	"time"

	"github.com/seed-615d3599/roost/internal/region/resources"
	"github.com/seed-615d3599/roost/internal/region/store"
)

// env is what a custom resource is made in, by a function that is called with where
// it is to answer.
func env(call func(address string)) *resources.Env {
	e := &resources.Env{StackID: "s", LogicalID: "L", Token: "t"}
	e.SaveProgress = func(_ context.Context, progress map[string]any) error {
		e.Progress = progress
		return nil
	}
	e.Call = func(_ context.Context, _, _ string, in, _ any) error {
		var asked struct{ ResponseURL string }
		err := json.Unmarshal(in.(map[string]any)["Payload"].([]byte), &asked)
		call(asked.ResponseURL)
		return err
	}
	return e
}

const success = `{"Status":"SUCCESS","StackId":"s","RequestId":"t","LogicalResourceId":"L","PhysicalResourceId":"p"}`

func (a *Answers) questions(t *testing.T) (n int) {
	t.Helper()
	err := a.config.DB.View(t.Context(), func(tx *store.Tx) error {
		items, err := tx.List(kind, "")
		n = len(items)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// The question of a resource that is not waited for any more takes its answer, and
// goes with the first one that is asked a day after it has expired.
func TestCancelledRequestsAreForgotten(t *testing.T) {
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	a := open(t, &now)
	ctx, cancel := context.WithCancel(t.Context())
	var late string
	_, err := a.request(ctx, env(func(address string) { late = address; cancel() }), request{RequestType: "Create"})
	if !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	if code := put(a, late, success); code != http.StatusOK {
		t.Errorf("the late answer: %d", code)
	}
	again := func() {
		t.Helper()
		r, err := a.request(t.Context(), env(func(address string) { put(a, address, success) }), request{RequestType: "Create"})
		if err != nil || r.PhysicalResourceID != "p" {
			t.Fatalf("%+v, %v", r, err)
		}
	}
	now = now.Add(maxTimeout*time.Second + keptExpired)
	again()
	if n := a.questions(t); n != 1 {
		t.Errorf("%d questions within the day", n)
	}
	now = now.Add(time.Second)
	again()
	if n := a.questions(t); n != 0 {
		t.Errorf("%d questions after it", n)
	}
}

// After a crash between the answer and what is done with it the function is asked
// again, and can answer.
func TestARequestIsAskedAgain(t *testing.T) {
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	a := open(t, &now)
	calls := 0
	e := env(func(address string) {
		calls++
		if code := put(a, address, success); code != http.StatusOK {
			t.Errorf("the answer of call %d: %d", calls, code)
		}
	})
	for range 2 { // the second time with the progress that was saved
		if r, err := a.request(t.Context(), e, request{RequestType: "Create"}); err != nil || r.PhysicalResourceID != "p" {
			t.Fatalf("%+v, %v", r, err)
		}
	}
	if calls != 2 {
		t.Errorf("%d calls", calls)
	}
}
