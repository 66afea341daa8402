package records

import (
	"slices"
	"strings"
	"sync"

	"github.com/seed-615d3599/roost/internal/region/store"
	"github.com/seed-615d3599/roost/internal/region/wire"
)

// SetExports brings the exports of a stack, whose outputs are still those that
// it had, to those that it is to have. It refuses to change what others use, and
// changes nothing then.
func (st *Stack) SetExports(tx *store.Tx, outputs []Output) error {
	want := map[string]string{}
	for _, o := range outputs {
		if o.Export != "" {
			want[o.Export] = o.Value
		}
	}
	had := slices.ContainsFunc(st.Outputs, func(o Output) bool { return o.Export != "" })
	if len(want) == 0 && !had {
		return nil
	}
	all, err := Exports(tx)
	if err != nil {
		return err
	}
	used := usersIn(tx)
	var gone []string
	for _, e := range all {
		value, kept := want[e.Name]
		switch {
		case e.StackID != st.ID && kept:
			return wire.Errorf(400, "ValidationError", "Export with name %s is already exported by stack %s", e.Name, NameIn(e.StackID))
		case e.StackID != st.ID:
		case kept && value == e.Value:
			delete(want, e.Name)
		default:
			if err := unused(used, e.Name, kept); err != nil {
				return err
			}
			gone = append(gone, e.Name)
		}
	}
	for _, name := range gone {
		if err := tx.Delete(KindExport, name); err != nil {
			return err
		}
	}
	for name, value := range want {
		if err := tx.Put(KindExport, name, Export{Name: name, Value: value, StackID: st.ID}); err != nil {
			return err
		}
	}
	return nil
}

// users returns who uses each export.
type users func() (map[string][]string, error)

// usersIn reads the stacks for it when they are first asked for, and once: there may
// be many exports.
func usersIn(tx *store.Tx) users {
	return sync.OnceValues(func() (map[string][]string, error) { return importers(tx) })
}

// unused refuses to remove or to change an export that is used.
func unused(by users, name string, kept bool) error {
	all, err := by()
	names := all[name]
	if err != nil || len(names) == 0 {
		return err
	}
	verb := "deleted"
	if kept {
		verb = "updated"
	}
	return wire.Errorf(400, "ValidationError", "Export %s cannot be %s as it is in use by %s", name, verb, strings.Join(names, ", "))
}

// ExportsUnused refuses to delete a stack whose exports are used.
func (st *Stack) ExportsUnused(tx *store.Tx) error {
	used := usersIn(tx)
	for _, o := range st.Outputs {
		if o.Export != "" {
			if err := unused(used, o.Export, false); err != nil {
				return err
			}
		}
	}
	return nil
}
