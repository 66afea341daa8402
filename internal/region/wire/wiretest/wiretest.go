// Package wiretest calls the operations of one service from tests, with inputs
// and outputs as JSON, where everybody may do everything.
//
//	w := wiretest.New(t)
//	w.Service = ecr.New(ecr.Config{DB: w.DB, …}).Service()
//	w.Run([][3]string{
//		{"CreateRepository", `{"repositoryName":"assets"}`, `"repositoryName":"assets"`},
//		{"CreateRepository", `{"repositoryName":"assets"}`, `RepositoryAlreadyExistsException`},
//	})
package wiretest

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/seed-615d3599/roost/internal/region/store"
	"github.com/seed-615d3599/roost/internal/region/wire"
)

// World is a service and its state. Service must be set before the first call.
type World struct {
	DB      *store.DB // ends with the test
	Service *wire.Service
	Caller  *wire.Caller  // who calls; nil for nobody
	Asked   []wire.Target // all that permission was asked for
	// Meanwhile runs once, between the permission for the next call and its operation.
	Meanwhile func()

	t    testing.TB
	file string
}

// New returns a World with an empty state.
func New(t testing.TB) *World {
	t.Helper()
	w := &World{t: t, file: filepath.Join(t.TempDir(), "region.db")}
	var err error
	if w.DB, err = store.OpenVolatile(w.file); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := w.DB.Close(); err != nil {
			t.Error(err)
		}
	})
	return w
}

// Call calls an operation with its input as JSON, and returns its output so, or
// its error's code and message.
func (w *World) Call(operation, input string) string {
	w.t.Helper()
	w.Service.Authorize = func(_ context.Context, _ *wire.Call, targets []wire.Target) error {
		w.Asked = append(w.Asked, targets...)
		if meanwhile := w.Meanwhile; meanwhile != nil {
			w.Meanwhile = nil
			meanwhile()
		}
		return nil
	}
	var out json.RawMessage
	if err := w.Service.Call(w.t.Context(), wire.Call{Caller: w.Caller}, operation, json.RawMessage(input), &out); err != nil {
		return err.Error()
	}
	return string(out)
}

// Check calls an operation, and wants the answer to hold a text.
func (w *World) Check(operation, input, want string) {
	w.t.Helper()
	if got := w.Call(operation, input); !strings.Contains(got, want) {
		w.t.Errorf("%s %s\n  %s\nwant %s", operation, input, got, want)
	}
}

// Run checks calls one after the other, each an operation, its input and what
// the answer is to hold.
func (w *World) Run(steps [][3]string) {
	w.t.Helper()
	for _, step := range steps {
		w.Check(step[0], step[1], step[2])
	}
}

// Stored reports whether a text stands as it is in the files of the state.
func (w *World) Stored(text string) bool {
	w.t.Helper()
	for _, suffix := range []string{"", "-wal"} {
		data, err := os.ReadFile(w.file + suffix)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			w.t.Fatal(err)
		}
		if bytes.Contains(data, []byte(text)) {
			return true
		}
	}
	return false
}
