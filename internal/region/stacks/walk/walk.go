// Package walk goes over the nodes of a graph in parallel, each after those that
// it waits for.
//
//	errs, left := walk.All(ctx, map[string][]string{"b": {"a"}, "a": nil}, 8, do)
package walk

import (
	"context"
	"slices"
	"sort"
	"sync"
)

// All calls do for each node after all nodes that it waits for, at most limit
// at once. After the first failure it begins nothing new, cancels the context
// of what runs and waits for it. It returns the errors of the nodes whose do
// failed, and the nodes never begun, sorted.
func All(ctx context.Context, waits map[string][]string, limit int, do func(ctx context.Context, node string) error) (failed map[string]error, left []string) {
	inner, cancel := context.WithCancel(ctx)
	defer cancel()
	w := &walker{do: do, cancel: cancel, pending: map[string]int{}, dependents: map[string][]string{}, started: map[string]bool{}, failed: map[string]error{}}
	for node, on := range waits {
		for _, other := range on {
			if _, ok := waits[other]; ok && other != node {
				w.pending[node]++
				w.dependents[other] = append(w.dependents[other], node)
			}
		}
	}
	for node := range waits {
		if w.pending[node] == 0 {
			w.ready = append(w.ready, node)
		}
	}
	sort.Strings(w.ready)
	w.wake = sync.NewCond(&w.mu)
	stop := context.AfterFunc(ctx, func() {
		w.mu.Lock()
		w.stopped = true
		w.mu.Unlock()
		w.wake.Broadcast()
	})
	defer stop()

	var group sync.WaitGroup
	for range min(limit, len(waits)) {
		group.Go(func() { w.work(inner) })
	}
	group.Wait()
	for node := range waits {
		if !w.started[node] {
			left = append(left, node)
		}
	}
	sort.Strings(left)
	return w.failed, left
}

// Blocked returns the nodes that failed and those that wait for one of them.
func Blocked(waits map[string][]string, failed map[string]error) map[string]bool {
	blocked := map[string]bool{}
	for node := range failed {
		blocked[node] = true
	}
	for grew := true; grew; {
		grew = false
		for node, on := range waits {
			if !blocked[node] && slices.ContainsFunc(on, func(other string) bool { return blocked[other] }) {
				blocked[node], grew = true, true
			}
		}
	}
	return blocked
}

type walker struct {
	do         func(context.Context, string) error
	cancel     context.CancelFunc
	mu         sync.Mutex
	wake       *sync.Cond
	pending    map[string]int // how many a node still waits for
	dependents map[string][]string
	ready      []string
	running    int
	started    map[string]bool
	failed     map[string]error
	stopped    bool
}

// work takes ready nodes until none is left to come.
func (w *walker) work(ctx context.Context) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for {
		for len(w.ready) == 0 && w.running > 0 && !w.stopped {
			w.wake.Wait()
		}
		if len(w.ready) == 0 || w.stopped {
			w.wake.Broadcast()
			return
		}
		node := w.ready[0]
		w.ready = w.ready[1:]
		w.started[node] = true
		w.running++
		w.mu.Unlock()
		err := w.do(ctx, node)
		w.mu.Lock()
		w.running--
		w.finish(node, err)
		w.wake.Broadcast()
	}
}

func (w *walker) finish(node string, err error) {
	if err != nil {
		w.failed[node] = err
		w.stopped = true
		w.cancel()
		return
	}
	for _, next := range w.dependents[node] {
		if w.pending[next]--; w.pending[next] == 0 {
			w.ready = append(w.ready, next)
		}
	}
}
