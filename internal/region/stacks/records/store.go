package records

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/seed-615d3599/roost/internal/region/store"
	"github.com/seed-615d3599/roost/internal/region/wire"
)

// The kinds under which things are stored.
const (
	KindStack     = "cfn-stack"     // by stack id
	KindName      = "cfn-name"      // by the name of a stack that is there; the value is its id
	KindTemplate  = "cfn-template"  // by stack id, "/" and revision
	KindResource  = "cfn-resource"  // by stack id, "/" and logical id
	KindEvent     = "cfn-event"     // by stack id, "/" and time
	KindChangeSet = "cfn-changeset" // by change set id
	KindExport    = "cfn-export"    // by name
)

// Find returns a stack by name or id. Deleted stacks are found by id only. The
// error for one that is not there is CloudFormation's.
func Find(tx *store.Tx, nameOrID string) (*Stack, error) {
	id := nameOrID
	if !strings.HasPrefix(nameOrID, "arn:") {
		found, err := tx.Get(KindName, nameOrID, &id)
		if err != nil || !found {
			return nil, notThere(nameOrID, err)
		}
	}
	st := &Stack{}
	found, err := tx.Get(KindStack, id, st)
	if err != nil || !found {
		return nil, notThere(nameOrID, err)
	}
	return st, nil
}

func notThere(name string, err error) error {
	if err != nil {
		return err
	}
	return wire.Errorf(400, "ValidationError", "Stack with id %s does not exist", name)
}

// Put stores a stack. A new one takes its name; one that is deleted gives it
// up.
func (st *Stack) Put(tx *store.Tx) error {
	if st.Status == "DELETE_COMPLETE" {
		var holder string
		if _, err := tx.Get(KindName, st.Name, &holder); err != nil {
			return err
		}
		if holder == st.ID {
			if err := tx.Delete(KindName, st.Name); err != nil {
				return err
			}
		}
	} else if err := tx.Put(KindName, st.Name, st.ID); err != nil {
		return err
	}
	return tx.Put(KindStack, st.ID, st)
}

// All returns every stack, deleted ones too.
func All(tx *store.Tx) ([]*Stack, error) { return store.All[*Stack](tx, KindStack, "") }

// ResourcesOf returns the resources of a stack by their logical ids' order.
func ResourcesOf(tx *store.Tx, stackID string) ([]*Resource, error) {
	return store.All[*Resource](tx, KindResource, stackID+"/")
}

// Put stores a resource.
func (r *Resource) Put(tx *store.Tx) error {
	return tx.Put(KindResource, r.StackID+"/"+r.LogicalID, r)
}

// Delete removes a resource's record.
func (r *Resource) Delete(tx *store.Tx) error {
	return tx.Delete(KindResource, r.StackID+"/"+r.LogicalID)
}

func templateKey(stackID string, revision int) string {
	return fmt.Sprintf("%s/%06d", stackID, revision)
}

// Template returns the template of one revision of a stack, "" if there is
// none.
func Template(tx *store.Tx, stackID string, revision int) (body string, err error) {
	_, err = tx.Get(KindTemplate, templateKey(stackID, revision), &body)
	return body, err
}

// PutTemplate stores the template of the stack's revision and drops those that
// it can neither have nor go back to.
func (st *Stack) PutTemplate(tx *store.Tx, body string) error {
	items, err := tx.List(KindTemplate, st.ID+"/")
	if err != nil {
		return err
	}
	for _, item := range items {
		if item.Key != templateKey(st.ID, st.Before) {
			if err := tx.Delete(KindTemplate, item.Key); err != nil {
				return err
			}
		}
	}
	return tx.Put(KindTemplate, templateKey(st.ID, st.Revision), body)
}

// PutEvent adds an entry to a stack's history; its time must be later than
// that of every other.
func (st *Stack) PutEvent(tx *store.Tx, e Event) error {
	e.StackID, e.StackName, e.Token = st.ID, st.Name, st.Token
	return tx.Put(KindEvent, st.ID+"/"+e.Time.Format("20060102150405.000"), e)
}

// Events returns up to limit events of a stack, the newest first, that are
// older than the one that after names; "" begins with the newest. next names
// the last of them if there may be more.
func Events(tx *store.Tx, stackID, after string, limit int) (events []Event, next string, err error) {
	prefix := stackID + "/"
	before := prefix + "~"
	if after != "" {
		before = prefix + after
	}
	items, err := tx.Range(KindEvent, prefix, before, -limit)
	if err != nil {
		return nil, "", err
	}
	events = make([]Event, len(items))
	for i, item := range items {
		if err := json.Unmarshal(item.Value, &events[i]); err != nil {
			return nil, "", err
		}
	}
	if len(items) == limit {
		next = strings.TrimPrefix(items[limit-1].Key, prefix)
	}
	return events, next, nil
}

// Importers returns the names of the stacks that use an export.
func Importers(tx *store.Tx, name string) ([]string, error) {
	all, err := importers(tx)
	return all[name], err
}

// importers returns the names of the stacks that use exports, by the exports' names.
func importers(tx *store.Tx) (map[string][]string, error) {
	all, err := All(tx)
	names := map[string][]string{}
	for _, st := range all {
		if st.Status == "DELETE_COMPLETE" {
			continue
		}
		for _, name := range st.Imports {
			names[name] = append(names[name], st.Name)
		}
	}
	return names, err
}

// Exports returns all exports by name.
func Exports(tx *store.Tx) ([]Export, error) { return store.All[Export](tx, KindExport, "") }

// Gone forgets the exports of a stack that is deleted. All else stays for those
// who ask by its id.
func (st *Stack) Gone(tx *store.Tx) error {
	exports, err := Exports(tx)
	if err != nil {
		return err
	}
	for _, e := range exports {
		if e.StackID == st.ID {
			if err := tx.Delete(KindExport, e.Name); err != nil {
				return err
			}
		}
	}
	return nil
}

// keptDeleted is how long CloudFormation shows deleted stacks ("ListStacks").
const keptDeleted = 90 * 24 * time.Hour

// Purge forgets the stacks that were deleted long ago.
func Purge(tx *store.Tx, now time.Time) error {
	all, err := All(tx)
	if err != nil {
		return err
	}
	for _, st := range all {
		if st.Status != "DELETE_COMPLETE" || now.Sub(st.Deleted) < keptDeleted {
			continue
		}
		for _, kind := range []string{KindTemplate, KindEvent, KindResource} {
			if err := tx.DeletePrefix(kind, st.ID+"/"); err != nil {
				return err
			}
		}
		if err := tx.Delete(KindStack, st.ID); err != nil {
			return err
		}
	}
	return nil
}

// Top returns the uppermost stack above a nested one of which an operation is under
// way: the one with which all of it was begun.
func (st *Stack) Top(tx *store.Tx) (*Stack, error) {
	top, err := Find(tx, st.ParentID)
	if err != nil {
		return nil, err
	}
	for top.ParentID != "" {
		above, err := Find(tx, top.ParentID)
		if err != nil || !Active(above.Status) {
			break // deleted long ago, or not what was begun
		}
		top = above
	}
	return top, nil
}
