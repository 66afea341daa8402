// Package store keeps the embedded region's state in one SQLite file. It is
// the only room that knows SQL: the others see kinds of items under keys, each
// item a JSON value.
//
//	db, err := store.Open(filepath.Join(dir, "region.db"))
//	err = db.Update(ctx, func(ctx context.Context, tx *store.Tx) error {
//		tx.OnCommit(func() { snapshot.Store(next) })
//		return tx.Put("role", name, role)
//	})
//
// An Update is durable when it returns (WAL, synchronous=FULL). Updates that
// arrive while another is being committed share the next commit, so that many
// writers cost few flushes; each is undone alone when its function fails. Where
// the disk is full, the error of an Update is syscall.ENOSPC. A
// call to Update or View with the context that an Update handed out joins that
// transaction, which is how one act of several services is all or nothing.
//
// A function given to Update must not wait for another goroutine or do input
// and output: everybody else's writes wait for it.
package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"sync"
	"syscall"

	_ "modernc.org/sqlite" // the driver
)

// schemaVersion is written to the file; a file with a newer one is refused.
const schemaVersion = 2

// readers is how many reads may run beside the writer.
const readers = 4

// DB is an open state file. It is safe for use by several goroutines.
type DB struct {
	write *sql.DB
	read  *sql.DB

	writing, reading statements
	opening          sync.WaitGroup

	mu     sync.Mutex
	queue  []*update
	active bool
	closed bool
}

// update is one waiting call of Update.
type update struct {
	ctx  context.Context
	run  func(context.Context, *Tx) error
	err  error
	wake chan bool // true: lead the next batch; false: done
}

// ErrClosed is returned by Update after Close.
var ErrClosed = errors.New("the state file is closed")

// Open opens or creates the file at path with mode 0600. It fails for a file
// that a newer version of Roost wrote.
func Open(path string) (*DB, error) { return open(path, "FULL") }

// OpenVolatile is Open for a state that nobody needs after the machine has
// crashed, such as a test's: commits do not wait for the disk.
func OpenVolatile(path string) (*DB, error) { return open(path, "OFF") }

func open(path, synchronous string) (*DB, error) {
	if err := createPrivate(path); err != nil {
		return nil, err
	}
	write, err := sql.Open("sqlite", dsn(path, "synchronous("+synchronous+")", "journal_mode(WAL)"))
	if err != nil {
		return nil, err
	}
	write.SetMaxOpenConns(1)
	if err := prepare(write); err != nil {
		write.Close()
		if damaged(err) {
			return nil, fmt.Errorf("state file %s: %w: put a copy of it back, or remove its folder to begin anew", path, err)
		}
		return nil, fmt.Errorf("state file %s: %w", path, err)
	}
	read, err := sql.Open("sqlite", dsn(path))
	if err != nil {
		write.Close()
		return nil, err
	}
	read.SetMaxOpenConns(readers)
	read.SetMaxIdleConns(readers)
	db := &DB{write: write, read: read}
	db.opening.Go(func() { _ = db.prepareReading(context.Background()) }) // View tries again
	return db, nil
}

// damaged reports whether a file is not, or no longer, a database: SQLITE_CORRUPT
// or SQLITE_NOTADB (SQLite, "Result and Error Codes").
func damaged(err error) bool {
	var e interface{ Code() int }
	return errors.As(err, &e) && (e.Code()&0xff == 11 || e.Code()&0xff == 26)
}

// full tells whether the disk had no room for an update (SQLITE_FULL).
func full(err error) bool {
	var e interface{ Code() int }
	return errors.As(err, &e) && e.Code()&0xff == 13
}

// dsn names the file to the driver. That it is in WAL mode stands in the file: only
// the writer, who comes first, says so.
func dsn(path string, pragmas ...string) string {
	query := url.Values{
		// synchronous comes first: to begin with WAL is a write.
		"_pragma": append(pragmas, "busy_timeout(5000)"),
		"_txlock": {"deferred"},
	}
	return (&url.URL{Scheme: "file", Path: path, RawQuery: query.Encode()}).String()
}

func prepare(db *sql.DB) error {
	var version int
	if err := db.QueryRow("PRAGMA user_version").Scan(&version); err != nil {
		return err
	}
	if version > schemaVersion {
		return fmt.Errorf("it was written by a newer version of roost (schema %d, this one knows %d): use that version, or remove the file to begin anew", version, schemaVersion)
	}
	if version == schemaVersion {
		return nil
	}
	if version == 1 {
		return rebuild(db)
	}
	_, err := db.Exec(fmt.Sprintf(createItems+"PRAGMA user_version = %d;", "item", schemaVersion))
	return err
}

// createItems makes the table of that name. It has row ids: values may be large, and
// without them SQLite reads those that a search only passes (SQLite, "Clustered
// Indexes and the WITHOUT ROWID Optimization").
const createItems = `
	CREATE TABLE IF NOT EXISTS %s (
		kind  TEXT NOT NULL,
		key   TEXT NOT NULL,
		value BLOB NOT NULL,
		PRIMARY KEY (kind, key)
	);`

// rebuild copies the table of version 1, which was WITHOUT ROWID.
func rebuild(db *sql.DB) error {
	_, err := db.Exec(fmt.Sprintf("BEGIN IMMEDIATE;"+createItems+`
		INSERT INTO copied SELECT kind, key, value FROM item;
		DROP TABLE item;
		ALTER TABLE copied RENAME TO item;
		PRAGMA user_version = %d;
		COMMIT;`, "copied", schemaVersion))
	return err
}

// Update runs f in a transaction and returns when it is durable, or with f's
// error and nothing written. With a context that an Update handed out, f joins
// that transaction and becomes durable with it.
func (db *DB) Update(ctx context.Context, f func(context.Context, *Tx) error) error {
	if tx := db.joined(ctx); tx != nil {
		return tx.nested(ctx, f)
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	u := &update{ctx: ctx, run: f, wake: make(chan bool, 1)}
	db.mu.Lock()
	if db.closed {
		db.mu.Unlock()
		return ErrClosed
	}
	db.queue = append(db.queue, u)
	lead := !db.active
	db.active = true
	db.mu.Unlock()

	if lead || <-u.wake {
		db.lead()
	}
	if full(u.err) {
		return fmt.Errorf("%w: %w", syscall.ENOSPC, u.err)
	}
	return u.err
}

// lead commits all updates that are waiting, the caller's among them, and
// hands the lead to the first that arrived meanwhile.
func (db *DB) lead() {
	db.mu.Lock()
	batch := db.queue
	db.queue = nil
	db.mu.Unlock()

	db.commit(batch)

	db.mu.Lock()
	if len(db.queue) > 0 {
		db.queue[0].wake <- true
	} else {
		db.active = false
	}
	db.mu.Unlock()
	for _, u := range batch[1:] {
		u.wake <- false
	}
}

// commit runs a batch in one transaction and sets each update's error.
func (db *DB) commit(batch []*update) {
	fail := func(err error) {
		for _, u := range batch {
			if u.err == nil {
				u.err = err
			}
		}
	}
	err := db.writing.prepare(context.Background(), db.write, get, first, last, put, remove, removeRange, save, undo, release)
	if err != nil {
		fail(err)
		return
	}
	sqlTx, err := db.write.Begin()
	if err != nil {
		fail(err)
		return
	}
	tx := &Tx{db: db, sql: sqlTx, prepared: &db.writing, writable: true}
	for _, u := range batch {
		u.err = tx.nested(context.WithValue(u.ctx, txKey{db}, tx), u.run)
	}
	tx.done = true
	if err = tx.broken; err == nil {
		err = sqlTx.Commit()
	}
	if err != nil {
		_ = sqlTx.Rollback()
		tx.undo(0)
		fail(fmt.Errorf("state file: %w", err))
		return
	}
	tx.committed()
}

// View runs f on a consistent view of what is committed, or, with a context
// that an Update handed out, within that transaction.
func (db *DB) View(ctx context.Context, f func(*Tx) error) error {
	if tx := db.joined(ctx); tx != nil {
		return f(tx)
	}
	if err := db.prepareReading(ctx); err != nil {
		return err
	}
	sqlTx, err := db.read.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer sqlTx.Rollback()
	return f(&Tx{db: db, sql: sqlTx, prepared: &db.reading})
}

// prepareReading opens a connection for View and prepares what it needs.
func (db *DB) prepareReading(ctx context.Context) error {
	return db.reading.prepare(ctx, db.read, get, first, last)
}

// CopyTo writes a consistent copy of the state to a new file at path, which a crash
// of the machine may lose.
func (db *DB) CopyTo(ctx context.Context, path string) error {
	conn, err := db.read.Conn(ctx)
	if err != nil {
		return err
	}
	defer conn.Close()
	var state []byte
	err = conn.Raw(func(driver any) (err error) {
		state, err = driver.(interface{ Serialize() ([]byte, error) }).Serialize()
		return err
	})
	if err != nil {
		return err
	}
	return os.WriteFile(path, state, 0o600)
}

// Close waits for the updates under way and closes the file. It may be called
// again.
func (db *DB) Close() error {
	db.mu.Lock()
	db.closed = true
	db.mu.Unlock()
	db.opening.Wait()
	return errors.Join(db.read.Close(), db.write.Close())
}

type txKey struct{ db *DB }

// joined returns the transaction that ctx runs in, if any.
func (db *DB) joined(ctx context.Context) *Tx {
	tx, _ := ctx.Value(txKey{db}).(*Tx)
	if tx == nil || tx.done {
		return nil
	}
	return tx
}
