package records

import (
	"maps"
	"slices"
	"sync"
)

// Rest is what stacks had when they came to rest, so that the next update need
// not read it all again. Its zero value is ready.
type Rest struct {
	mu sync.Mutex
	of map[string]atRest // by stack id
}

type atRest struct {
	tried  int
	status string
	all    []*Resource
}

// maxAtRest is of how many stacks the resources are kept in memory.
const maxAtRest = 16

// Keep remembers the resources of a stack that has come to rest, by logical id.
func (r *Rest) Keep(st *Stack, have map[string]*Resource) {
	all := make([]*Resource, 0, len(have))
	for _, id := range slices.Sorted(maps.Keys(have)) {
		if one := have[id]; one.Exists {
			all = append(all, one)
		}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.of == nil || len(r.of) >= maxAtRest {
		r.of = map[string]atRest{}
	}
	r.of[st.ID] = atRest{tried: st.Tried, status: st.Status, all: all}
}

// Resources returns the resources of a stack if it still rests as it was kept.
// They must not be changed.
func (r *Rest) Resources(st *Stack) ([]*Resource, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	kept, ok := r.of[st.ID]
	return kept.all, ok && kept.tried == st.Tried && kept.status == st.Status
}
