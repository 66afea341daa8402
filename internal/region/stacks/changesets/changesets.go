// Package changesets is how change sets lie in the state file, and with them
// those of the nested stacks.
//
//	set, err := changesets.Find(tx, "my-stack", "my-set")   // or the set's ARN
//	all, err := changesets.Of(tx, st.ID)
package changesets

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/seed-615d3599/roost/internal/region/stacks/plan"
	"github.com/seed-615d3599/roost/internal/region/stacks/preview"
	"github.com/seed-615d3599/roost/internal/region/stacks/records"
	"github.com/seed-615d3599/roost/internal/region/store"
	"github.com/seed-615d3599/roost/internal/region/wire"
)

// Set is a change set as it is stored.
type Set struct {
	ID             string // ARN
	Name           string
	StackID        string
	StackName      string
	Description    string
	Status         string
	Reason         string
	Execution      string // execution status
	Created        time.Time
	Token          string
	Body           string
	Parameters     []records.Parameter
	Capabilities   []string
	Tags           map[string]string
	Topics         []string // notification ARNs
	RoleARN        string
	Changes        []preview.Change
	Touch          map[string]bool // see engine.Hint
	Imports        []string
	Tried          int // of the stack when it was made
	OnStackFailure string
	Deployment     *records.DeploymentConfig
	Nested         bool   // IncludeNestedStacks
	Import         bool   // ImportExistingResources
	ParentID       string // of a nested stack's: the set of the stack that it is nested in
	RootID         string // of a nested stack's: the set that is executed
}

// Find returns the change set of a name in a stack, or of an ARN, for which no
// stack is needed. The error for one that is not there is CloudFormation's.
func Find(tx *store.Tx, stack, name string) (*Set, error) {
	set := &Set{}
	if strings.HasPrefix(name, "arn:") {
		found, err := tx.Get(records.KindChangeSet, name, set)
		if err != nil || found {
			return set, err
		}
	} else {
		if stack == "" {
			return nil, plan.Invalid("StackName must be specified if ChangeSetName is not specified as an ARN.")
		}
		st, err := records.Find(tx, stack)
		if err != nil {
			return nil, err
		}
		all, err := Of(tx, st.ID)
		if err != nil {
			return nil, err
		}
		for _, set := range all {
			if set.Name == name {
				return set, nil
			}
		}
	}
	return nil, wire.Errorf(http.StatusNotFound, "ChangeSetNotFound", "ChangeSet [%s] does not exist", name)
}

// Of returns the change sets of a stack, the oldest first.
func Of(tx *store.Tx, stackID string) ([]*Set, error) {
	return those(tx, func(p place) bool { return p.StackID == stackID })
}

// Below returns the change sets of nested stacks that are executed with one.
func Below(tx *store.Tx, rootID string) ([]*Set, error) {
	return those(tx, func(p place) bool { return p.RootID == rootID })
}

// place is what sets are looked for by. It is read before the rest of a set, whose
// template and changes may be large.
type place struct{ StackID, RootID string }

func those(tx *store.Tx, wanted func(place) bool) ([]*Set, error) {
	items, err := tx.List(records.KindChangeSet, "")
	if err != nil {
		return nil, err
	}
	var found []*Set
	for _, item := range items {
		var at place
		if err := json.Unmarshal(item.Value, &at); err != nil {
			return nil, err
		}
		if !wanted(at) {
			continue
		}
		set := &Set{}
		if err := json.Unmarshal(item.Value, set); err != nil {
			return nil, err
		}
		found = append(found, set)
	}
	slices.SortFunc(found, func(a, b *Set) int { return a.Created.Compare(b.Created) })
	return found, nil
}

// Put stores a change set.
func (set *Set) Put(tx *store.Tx) error { return tx.Put(records.KindChangeSet, set.ID, set) }

// Delete removes a change set, and those that would be executed with it.
func (set *Set) Delete(tx *store.Tx) error {
	below, err := Below(tx, set.ID)
	if err != nil {
		return err
	}
	for _, one := range append(below, set) {
		if err := tx.Delete(records.KindChangeSet, one.ID); err != nil {
			return err
		}
	}
	return nil
}

// Executed marks the change set that was executed, and those with it, and
// removes the stack's others, which do not fit the stack any more. With
// executed "" it removes all.
func Executed(tx *store.Tx, stackID, executed string) error {
	all, err := Of(tx, stackID)
	if err != nil || len(all) == 0 {
		return err
	}
	below, err := those(tx, func(p place) bool {
		return slices.ContainsFunc(all, func(set *Set) bool { return set.ID == p.RootID })
	})
	if err != nil {
		return err
	}
	for _, set := range append(all, below...) {
		if set.ID != executed && (set.RootID == "" || set.RootID != executed) {
			err = tx.Delete(records.KindChangeSet, set.ID)
		} else {
			set.Execution = "EXECUTE_COMPLETE"
			err = set.Put(tx)
		}
		if err != nil {
			return err
		}
	}
	return nil
}
