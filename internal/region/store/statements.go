package store

import (
	"context"
	"database/sql"
	"sync"
)

// The statements. A savepoint hides an earlier one of its name (SQLite, "Savepoints").
const (
	get         = "SELECT value FROM item WHERE kind = ? AND key = ?"
	first       = "SELECT key, value FROM item WHERE kind = ? AND key >= ? AND key < ? ORDER BY key ASC LIMIT ?"
	last        = "SELECT key, value FROM item WHERE kind = ? AND key >= ? AND key < ? ORDER BY key DESC LIMIT ?"
	put         = "INSERT INTO item (kind, key, value) VALUES (?, ?, ?) ON CONFLICT (kind, key) DO UPDATE SET value = excluded.value"
	remove      = "DELETE FROM item WHERE kind = ? AND key = ?"
	removeRange = "DELETE FROM item WHERE kind = ? AND key >= ? AND key < ?"
	save        = "SAVEPOINT nested"
	undo        = "ROLLBACK TO nested"
	release     = "RELEASE nested"
)

// statements are those that the connections of a database have ready, so that SQLite
// reads the text of each once for a connection.
type statements struct {
	mu    sync.Mutex
	ready bool
	by    map[string]*sql.Stmt // by text
}

// prepare makes the statements of these texts, the first time that it is called.
func (s *statements) prepare(ctx context.Context, db *sql.DB, texts ...string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ready {
		return nil
	}
	if s.by == nil {
		s.by = map[string]*sql.Stmt{}
	}
	for _, text := range texts {
		if s.by[text] != nil { // a call before this failed at the next
			continue
		}
		statement, err := db.PrepareContext(ctx, text)
		if err != nil {
			return err
		}
		s.by[text] = statement
	}
	s.ready = true
	return nil
}
