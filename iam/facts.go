package iam

import (
	"unique"

	"github.com/seed-615d3599/roost/iam/internal/operator"
)

// facts is what conditions have asked about a request. A key is looked up and
// its value read once for a decision, in however many statements it stands.
type facts struct {
	context Context
	known   [8]fact // of which the last gives way when there are more
	count   int
}

// fact is a key of a request, as one kind of operator reads it. It refers to
// the key by its place: a pointer would move every request to the heap.
type fact struct {
	name    unique.Handle[string]
	compare operator.Comparison
	place   int              // in the context; -1 if the request has no value for the key
	reading operator.Reading // of a single-valued key
}

// about returns what the request says about the key of a condition.
func (f *facts) about(c *condition) *fact {
	for i := range f.known[:f.count] {
		if known := &f.known[i]; known.name == c.folded && known.compare == c.Compare {
			return known
		}
	}
	if f.count < len(f.known) {
		f.count++
	}
	asked := &f.known[f.count-1]
	asked.name, asked.compare, asked.place = c.folded, c.Compare, f.context.find(c.key)
	if asked.place < 0 {
		return asked
	}
	switch key := &f.context[asked.place]; {
	case key.Values == nil:
		asked.reading = c.Compare.Read(key.Value)
	case len(key.Values) == 0:
		asked.place = -1
	}
	return asked
}
