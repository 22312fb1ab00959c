package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"
)

// SQL is the store in a database. See the package comment for what its methods promise.
type SQL struct {
	db    *sql.DB
	now   func() time.Time
	path  string // absolute
	file  os.FileInfo
	locks locks
	ro    bool
	// numbered tells that the placeholders of the database are $1, $2 instead of question marks.
	numbered bool

	checkpointing sync.Mutex
	unsaved       error // why the last checkpoint could not be written; nil if it was
}

// DB gives the one connection that the store works on, for River. Never call the store from within a transaction on it:
// that waits for itself.
func (s *SQL) DB() *sql.DB { return s.db }

// Close closes the database. Locks that are held stay held until they are released.
func (s *SQL) Close() error {
	if err := s.db.Close(); err != nil {
		return s.fault("closing", err)
	}
	return nil
}

// tx is a transaction whose queries are written with question marks.
type tx struct {
	*sql.Tx

	numbered bool
	appended bool // to the audit log
}

// rebind numbers the placeholders of a query for databases that want it so. Our queries have no question mark elsewhere.
func rebind(query string, numbered bool) string {
	if !numbered {
		return query
	}
	var b strings.Builder
	n := 0
	for part := range strings.SplitSeq(query, "?") {
		if n > 0 {
			b.WriteString("$" + strconv.Itoa(n))
		}
		b.WriteString(part)
		n++
	}
	return b.String()
}

func (t *tx) exec(ctx context.Context, query string, args ...any) error {
	_, err := t.ExecContext(ctx, rebind(query, t.numbered), args...)
	return err
}

// changed runs a statement that must change exactly one row.
func (t *tx) changed(ctx context.Context, query string, args ...any) error {
	result, err := t.ExecContext(ctx, rebind(query, t.numbered), args...)
	if err != nil {
		return err
	}
	if n, err := result.RowsAffected(); err != nil || n != 1 {
		return errors.Join(fmt.Errorf("%d rows changed, expected 1", n), err)
	}
	return nil
}

// each runs a statement for many rows, prepared once.
func (t *tx) each(ctx context.Context, query string, rows int, args func(i int) ([]any, error)) (err error) {
	if rows == 0 {
		return nil
	}
	statement, err := t.PrepareContext(ctx, rebind(query, t.numbered))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, statement.Close()) }()
	for i := range rows {
		values, err := args(i)
		if err != nil {
			return err
		}
		if _, err := statement.ExecContext(ctx, values...); err != nil {
			return err
		}
	}
	return nil
}

// row reads one row. There being none is [sql.ErrNoRows].
func (t *tx) row(ctx context.Context, query string, args ...any) *sql.Row {
	return t.QueryRowContext(ctx, rebind(query, t.numbered), args...)
}

// rows reads all rows of a query, giving each to scan.
func (t *tx) rows(ctx context.Context, scan func(*sql.Rows) error, query string, args ...any) (err error) {
	rows, err := t.QueryContext(ctx, rebind(query, t.numbered), args...)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		if err := scan(rows); err != nil {
			return err
		}
	}
	return rows.Err()
}

// write runs a transaction that changes the store. Nothing of it is kept if do fails; all of it is on the disk when
// write returns nil.
func (s *SQL) write(ctx context.Context, doing string, do func(*tx) error) error {
	if s.ro {
		return s.fault(doing, errReadOnly)
	}
	if err := s.present(); err != nil {
		return s.fault(doing, err)
	}
	appended, err := s.transact(ctx, &sql.TxOptions{}, do)
	if err != nil {
		return s.fault(doing, err)
	}
	// Whoever deleted the file while this was written has deleted what was written, too.
	if err := s.present(); err != nil {
		return s.fault(doing, err)
	}
	if appended {
		s.saveCheckpoint(ctx)
	}
	return nil
}

// read runs a transaction that sees the store at one moment. A file that was deleted or replaced could still be read, but
// what it says is past: whoever watches the store must learn that it is lost.
func (s *SQL) read(ctx context.Context, doing string, do func(*tx) error) error {
	if err := s.present(); err != nil {
		return s.fault(doing, err)
	}
	if _, err := s.transact(ctx, &sql.TxOptions{ReadOnly: true}, do); err != nil {
		return s.fault(doing, err)
	}
	return nil
}

func (s *SQL) transact(ctx context.Context, o *sql.TxOptions, do func(*tx) error) (appended bool, err error) {
	begun, err := s.db.BeginTx(ctx, o)
	if err != nil {
		return false, err
	}
	t := &tx{Tx: begun, numbered: s.numbered}
	defer func() {
		if err != nil {
			if undo := begun.Rollback(); !errors.Is(undo, sql.ErrTxDone) {
				err = errors.Join(err, undo)
			}
		}
	}()
	if err := do(t); err != nil {
		return false, err
	}
	return t.appended, begun.Commit()
}
