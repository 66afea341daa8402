package lambda

import (
	"context"
	"encoding/json"
	"math/rand/v2"
	"sync"

	"github.com/seed-615d3599/roost/iam"
	"github.com/seed-615d3599/roost/internal/region/lambda/environment"
	"github.com/seed-615d3599/roost/internal/region/lambda/model"
)

// entry is one function in a snapshot.
type entry struct {
	function    *model.Function
	concurrency *environment.Concurrency
	targets     map[string]*target     // by version
	policies    map[string]*iam.Policy // by qualifier; compiled
}

// urlTarget is what a function URL leads to.
type urlTarget struct{ name, qualifier string }

// target is one version that can be invoked. Its pool is made by the first
// call, so that a function that nobody calls costs nothing.
type target struct {
	lambda      *Lambda
	name        string
	version     *model.Version
	concurrency *environment.Concurrency

	mu   sync.Mutex
	pool *environment.Pool

	gone, deleted bool // replaced or deleted; deleted with its function

	called sync.Once // notes the first call
}

// newEntry makes a function's entry and takes over what did not change.
func (l *Lambda) newEntry(f *model.Function, before *entry) *entry {
	e := &entry{function: f, targets: map[string]*target{}, policies: map[string]*iam.Policy{}}
	if before != nil {
		e.concurrency = before.concurrency
	} else {
		e.concurrency = l.manager.NewConcurrency()
	}
	reserved := -1
	if f.Reserved != nil {
		reserved = *f.Reserved
	}
	l.manager.Reserve(e.concurrency, reserved)
	for _, v := range append([]model.Version{f.Latest}, f.Versions...) {
		if before != nil {
			if old := before.targets[v.Version]; old != nil && model.SameRun(old.version, &v) {
				e.targets[v.Version] = old
				continue
			}
		}
		e.targets[v.Version] = &target{lambda: l, name: f.Name, version: &v, concurrency: e.concurrency}
	}
	for qualifier, p := range f.Policies {
		if document, err := json.Marshal(p.Document()); err == nil {
			if compiled, err := iam.ParseResource(document); err == nil {
				e.policies[qualifier] = compiled
			}
		}
	}
	return e
}

// warm starts an environment of each version that takes the place of one that
// has some. Errors are told by the first call.
func (e *entry) warm(before *entry) {
	for v, t := range e.targets {
		if old := before.targets[v]; old == nil || old == t || !old.runs() {
			continue
		}
		if pool, err := t.open(context.Background()); err == nil {
			pool.Warm()
		}
	}
}

// runs reports whether the target has environments.
func (t *target) runs() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.pool != nil && t.pool.Runs()
}

// retire ends the pools that the next entry of the function does not use.
func (e *entry) retire(next *entry) {
	for v, t := range e.targets {
		if next == nil || next.targets[v] != t {
			t.retire(next == nil)
		}
	}
}

// retire ends the target's pool. deleted says that the function is gone, and not
// only this version of its code.
func (t *target) retire(deleted bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.gone, t.deleted = true, deleted
	if t.pool != nil {
		t.end()
	}
}

// end retires the pool. The lock is held.
func (t *target) end() {
	if t.deleted {
		t.pool.Silence()
	}
	t.pool.Retire()
}

// open returns the pool, which it makes at the first call. A call that comes
// after the target was replaced, by an older snapshot, still gets its pool.
func (t *target) open(ctx context.Context) (*environment.Pool, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.pool != nil {
		return t.pool, nil
	}
	spec, err := t.lambda.spec(ctx, t.name, t.version)
	if err != nil {
		return nil, model.Invalid(err.Error())
	}
	t.pool = t.lambda.manager.Pool(spec, t.concurrency)
	if t.gone {
		t.end()
	}
	return t.pool, nil
}

// pick finds the version that a call goes to, by alias weights where there are
// any.
func (e *entry) pick(qualifier string) *target {
	if a, ok := e.function.Aliases[qualifier]; ok {
		qualifier = a.Version
		if len(a.Weights) > 0 {
			at := rand.Float64()
			for v, weight := range a.Weights {
				if at -= weight; at < 0 {
					qualifier = v
					break
				}
			}
		}
	}
	if qualifier == "" {
		qualifier = model.Latest
	}
	return e.targets[qualifier]
}
