package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"time"
)

// head gives the last entry of the log, the zero entry if there is none.
func (t *tx) head(ctx context.Context) (*Entry, error) {
	var e Entry
	err := t.row(ctx, `SELECT seq, hash FROM audit ORDER BY seq DESC LIMIT 1`).Scan(&e.Seq, &e.Hash)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return nil, err
	}
	return &e, nil
}

// append puts events at the end of the log. Every change of state goes with it in one transaction.
func (t *tx) append(ctx context.Context, now time.Time, events ...event) error {
	last, err := t.head(ctx)
	if err != nil {
		return err
	}
	t.appended = t.appended || len(events) > 0
	return t.each(ctx, `INSERT INTO audit (seq, at, kind, actor, account, data, previous, hash)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?)`, len(events), func(i int) ([]any, error) {
		e, err := chain(last, now, &events[i])
		if err != nil {
			return nil, err
		}
		last = &e
		return []any{e.Seq, micros(e.Time), e.Kind, e.Actor, e.Account, string(e.Data), e.Previous, e.Hash}, nil
	})
}

// Entries gives the entries of the audit log behind a sequence number, oldest first; a limit of 0 is none.
func (s *SQL) Entries(ctx context.Context, after int64, limit int) ([]Entry, error) {
	var entries []Entry
	err := s.read(ctx, "reading the audit log", func(t *tx) (err error) {
		entries, err = t.entries(ctx, after, limit)
		return err
	})
	return entries, err
}

func (t *tx) entries(ctx context.Context, after int64, limit int) ([]Entry, error) {
	var entries []Entry
	err := t.rows(ctx, func(rows *sql.Rows) error {
		var e Entry
		var at int64
		var data string
		if err := rows.Scan(&e.Seq, &at, &e.Kind, &e.Actor, &e.Account, &data, &e.Previous, &e.Hash); err != nil {
			return err
		}
		e.Time, e.Data = fromMicros(at), json.RawMessage(data)
		entries = append(entries, e)
		return nil
	}, `SELECT seq, at, kind, actor, account, data, previous, hash FROM audit WHERE seq > ? ORDER BY seq LIMIT ?`,
		after, bound(limit))
	return entries, err
}

// verifyPage is how many entries are in memory at once.
const verifyPage = 500

// Verify recomputes the audit log from its first entry and compares it with the checkpoint, then the records in the tables
// with an intact log. What it finds wrong is in the result; the error is for what cannot be read.
func (s *SQL) Verify(ctx context.Context) (*Verification, error) {
	// The checkpoint first: the log may grow behind it in the meantime, but never the other way round.
	point, err := readCheckpoint(s.checkpointPath())
	missing := errors.Is(err, os.ErrNotExist)
	if err != nil && !missing {
		return nil, s.fault("verifying the audit log", err)
	}
	v := &Verification{}
	var last Entry
	for {
		page, err := s.Entries(ctx, last.Seq, verifyPage)
		if err != nil {
			return nil, err
		}
		for i := range page {
			e := &page[i]
			v.Entries++
			if wrong := e.wrong(&last, point); wrong != "" {
				v.Broken, v.BrokenSeq = wrong, last.Seq+1
				return v, nil
			}
			last, v.Head = *e, e.Hash
		}
		if len(page) < verifyPage {
			break
		}
	}
	switch {
	case missing:
		v.Broken = "the checkpoint file " + s.checkpointPath() + " is missing: entries may be missing at the end"
		v.BrokenSeq = last.Seq + 1
	case point.Entries > last.Seq:
		v.Broken = fmt.Sprintf("the checkpoint of %s has %d entries, the audit log ends at %d: the rest is missing",
			point.Time.Format(time.RFC3339), point.Entries, last.Seq)
		v.BrokenSeq = last.Seq + 1
	}
	if v.Broken != "" {
		return v, nil
	}
	if err := s.verifyTables(ctx, v); err != nil {
		return nil, err
	}
	return v, nil
}

// wrong says what is wrong with an entry behind another, or nothing.
func (e *Entry) wrong(last *Entry, point *checkpoint) string {
	if wrong := e.follows(last); wrong != "" {
		return wrong
	}
	if point != nil && e.Seq == point.Entries && e.Hash != point.Head {
		return fmt.Sprintf("entry %d is not the one of the checkpoint of %s: this log, or a part of it, was written anew",
			e.Seq, point.Time.Format(time.RFC3339))
	}
	return ""
}

// bound is a limit for a query: none is a negative one to SQLite, but not to other databases, so it is a large one.
func bound(limit int) int64 {
	if limit <= 0 {
		return 1 << 62
	}
	return int64(limit)
}
