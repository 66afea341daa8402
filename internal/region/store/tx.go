package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"runtime/debug"
)

// Tx is a transaction. It is valid only inside the function it was given to,
// and not safe for use by several goroutines.
type Tx struct {
	db       *DB
	sql      *sql.Tx
	prepared *statements
	writable bool
	done     bool
	broken   error // why SQLite has undone all of it, or nil
	onCommit []hook
	onUndo   []func()
}

// A hook is what to call after a commit. Of those with one key only the last is
// called; without a key each is.
type hook struct {
	key string
	f   func()
}

// Item is a stored value with its key. Value is JSON.
type Item struct {
	Key   string
	Value json.RawMessage
}

// Put stores v, as JSON, under kind and key, in place of what was there.
func (tx *Tx) Put(kind, key string, v any) error {
	data, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("%s %q: %w", kind, key, err)
	}
	return tx.exec(put, kind, key, data)
}

// exec writes, if there is still a transaction: outside of one it would stand at once.
func (tx *Tx) exec(statement string, values ...any) error {
	if tx.broken != nil {
		return tx.broken
	}
	_, err := tx.sql.Stmt(tx.prepared.by[statement]).Exec(values...)
	return err
}

// Get reads what is stored under kind and key into v, and reports whether
// there is anything.
func (tx *Tx) Get(kind, key string, v any) (bool, error) {
	var data []byte
	err := tx.sql.Stmt(tx.prepared.by[get]).QueryRow(kind, key).Scan(&data)
	if errors.Is(err, sql.ErrNoRows) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	if err := json.Unmarshal(data, v); err != nil {
		return false, fmt.Errorf("%s %q: %w", kind, key, err)
	}
	return true, nil
}

// Delete removes what is stored under kind and key. It is no error when there
// is nothing.
func (tx *Tx) Delete(kind, key string) error {
	return tx.exec(remove, kind, key)
}

// DeletePrefix removes all items of a kind whose keys begin with prefix.
func (tx *Tx) DeletePrefix(kind, prefix string) error {
	return tx.exec(removeRange, kind, prefix, end(prefix))
}

// List returns the items of a kind whose keys begin with prefix, in the order
// of their keys.
func (tx *Tx) List(kind, prefix string) ([]Item, error) {
	return tx.Range(kind, prefix, end(prefix), 0)
}

// Range returns the items of a kind with from <= key < to, in the order of
// their keys. A limit above 0 keeps the first so many, one below 0 the last so
// many, latest first.
func (tx *Tx) Range(kind, from, to string, limit int) ([]Item, error) {
	query, n := first, limit
	switch {
	case limit < 0:
		query, n = last, -limit
	case limit == 0:
		n = -1
	}
	rows, err := tx.sql.Stmt(tx.prepared.by[query]).Query(kind, from, to, n)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var items []Item
	for rows.Next() {
		var item Item
		var value []byte
		if err := rows.Scan(&item.Key, &value); err != nil {
			return nil, err
		}
		item.Value = value
		items = append(items, item)
	}
	return items, rows.Err()
}

// All decodes the items of a kind whose keys begin with prefix, in the order
// of their keys.
func All[T any](tx *Tx, kind, prefix string) ([]T, error) {
	items, err := tx.List(kind, prefix)
	if err != nil {
		return nil, err
	}
	all := make([]T, len(items))
	for i, item := range items {
		if err := json.Unmarshal(item.Value, &all[i]); err != nil {
			return nil, fmt.Errorf("%s %q: %w", kind, item.Key, err)
		}
	}
	return all, nil
}

// OnCommit has f called after the transaction is durable, in the order of the
// calls, before Update returns. It is not called for an update that failed.
func (tx *Tx) OnCommit(f func()) { tx.onCommit = append(tx.onCommit, hook{f: f}) }

// OnCommitLast is OnCommit for what a later change in the same commit makes stale:
// of all with one key, the last is called. Keys begin with the kind that they are of.
func (tx *Tx) OnCommitLast(key string, f func()) {
	tx.onCommit = append(tx.onCommit, hook{key: key, f: f})
}

// committed calls what is to be called when all is durable.
func (tx *Tx) committed() {
	last := map[string]int{}
	for i, h := range tx.onCommit {
		last[h.key] = i
	}
	for i, h := range tx.onCommit {
		if h.key == "" || last[h.key] == i {
			h.f()
		}
	}
}

// OnUndo has f called if what the current update wrote is undone, because it or
// one that it is part of fails: for what was made outside the state file meanwhile.
// Those of one update are called in the opposite order of the calls.
func (tx *Tx) OnUndo(f func()) { tx.onUndo = append(tx.onUndo, f) }

// undo calls what is to be called when all since the first so many is undone.
func (tx *Tx) undo(first int) {
	for i := len(tx.onUndo) - 1; i >= first; i-- {
		tx.onUndo[i]()
	}
	tx.onUndo = tx.onUndo[:first]
}

// nested runs f so that its writes are undone when it fails. Where they cannot be,
// SQLite has undone the whole transaction, as it may where the disk is full (SQLite,
// "Response To Errors Within A Transaction").
func (tx *Tx) nested(ctx context.Context, f func(context.Context, *Tx) error) error {
	if !tx.writable {
		return errors.New("update inside a view")
	}
	if err := tx.exec(save); err != nil {
		return err
	}
	hooks, undone := len(tx.onCommit), len(tx.onUndo)
	err := call(ctx, tx, f)
	if err != nil {
		tx.onCommit = tx.onCommit[:hooks]
		tx.undo(undone)
		if failed := tx.exec(undo); failed != nil && tx.broken == nil {
			tx.broken = errors.Join(err, failed)
		}
	}
	if failed := tx.exec(release); failed != nil && err == nil {
		tx.broken, err = failed, failed
	}
	return err
}

// call runs f and turns a panic into an error, because the caller may be
// leading a batch for others.
func call(ctx context.Context, tx *Tx, f func(context.Context, *Tx) error) (err error) {
	defer func() {
		if mistake := recover(); mistake != nil {
			err = fmt.Errorf("a mistake in roost: %v\n%s", mistake, debug.Stack())
		}
	}()
	return f(ctx, tx)
}

// end returns the first key after all keys that begin with prefix. Keys are
// valid UTF-8, in which the byte 0xff never stands.
func end(prefix string) string { return prefix + "\xff" }

// createPrivate makes sure that the file exists and only its owner reads it.
func createPrivate(path string) error {
	file, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return err
	}
	return file.Close()
}
