package model

import (
	"context"
	"slices"
	"sort"
	"strings"
	"time"

	"github.com/seed-615d3599/roost/internal/region/store"
	"github.com/seed-615d3599/roost/internal/region/wire"
)

// Documents reads and changes the documents of functions.
type Documents struct {
	Names
	DB  *store.DB
	Now func() time.Time
	// Publish is told of each change when it is durable; nil means that the
	// function is gone.
	Publish func(name string, f *Function)
}

// NowText is the time as LastModified shows it.
func (d *Documents) NowText() string {
	return d.Now().UTC().Format("2006-01-02T15:04:05.000-0700")
}

// Change runs a change of one function in a transaction and publishes it when
// it is durable. A function that does not exist is an error.
func (d *Documents) Change(ctx context.Context, name string, f func(*Function) error) error {
	return d.DB.Update(ctx, func(_ context.Context, tx *store.Tx) error {
		doc := &Function{}
		found, err := tx.Get(KindFunction, name, doc)
		if err != nil {
			return err
		}
		if !found {
			return d.NoFunction(name, "")
		}
		if err := f(doc); err != nil {
			return err
		}
		return d.Put(tx, doc)
	})
}

// Put stores a function within a transaction. Only its last state in one is
// published: configuration without its code is nothing to run.
func (d *Documents) Put(tx *store.Tx, doc *Function) error {
	if err := tx.Put(KindFunction, doc.Name, doc); err != nil {
		return err
	}
	tx.OnCommitLast(KindFunction+"/"+doc.Name, func() { d.Publish(doc.Name, doc) })
	return nil
}

// Read returns a function's document as the transaction of ctx sees it.
func (d *Documents) Read(ctx context.Context, name string) (*Function, error) {
	doc := &Function{}
	err := d.DB.View(ctx, func(tx *store.Tx) error {
		found, err := tx.Get(KindFunction, name, doc)
		if err == nil && !found {
			return d.NoFunction(name, "")
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	return doc, nil
}

// Lookup finds the version that an input means, and the qualifier by which it
// was asked for.
func (d *Documents) Lookup(ctx context.Context, in *Ref) (*Function, *Version, string, error) {
	name, qualifier, err := d.Resolve(in.FunctionName, in.Qualifier)
	if err != nil {
		return nil, nil, "", err
	}
	f, err := d.Read(ctx, name)
	if wire.Code(err) == "ResourceNotFoundException" {
		err = d.NoFunction(name, qualifier)
	}
	if err != nil {
		return nil, nil, "", err
	}
	v, ok := f.Find(qualifier)
	if !ok {
		return nil, nil, "", d.NoFunction(name, qualifier)
	}
	return f, v, qualifier, nil
}

// Paginate sorts a list by the key that names an item, and cuts it at Marker
// and MaxItems (50 where that is not given).
func Paginate[T any](items []T, p Page, key func(T) string) (part []T, next string) {
	sort.SliceStable(items, func(i, j int) bool { return key(items[i]) < key(items[j]) })
	if p.Marker != "" {
		at, _ := slices.BinarySearchFunc(items, p.Marker, func(item T, marker string) int { return strings.Compare(key(item), marker) })
		items = items[at:]
	}
	limit := p.MaxItems
	if limit <= 0 || limit > 10_000 {
		limit = 50
	}
	if len(items) <= limit {
		return append([]T{}, items...), ""
	}
	return items[:limit], key(items[limit])
}
