package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"
)

// checkpoint is a head of the audit log that is kept beside the database. It is never ahead of what is on the disk: if
// the database does not lead up to it, the database is not the one that it was written for.
type checkpoint struct {
	Entries int64     `json:"entries"`
	Head    string    `json:"head"`
	Time    time.Time `json:"time"`
}

func (s *SQL) checkpointPath() string { return s.path + ".checkpoint" }

// acceptance is how a person goes on with a store that is not the one it should be.
const acceptance = "; find out what happened, put the right database back if there is one, and accept the loss with " +
	"`egress-janitor resume --reason ...` otherwise"

// behind says why the store is not the one that the checkpoint was written for, or nothing. A missing checkpoint is a
// reason too: every store gets one when it is created.
func (s *SQL) behind(ctx context.Context, t *tx) (string, error) {
	point, err := readCheckpoint(s.checkpointPath())
	if errors.Is(err, os.ErrNotExist) {
		return "the checkpoint file " + s.checkpointPath() + " is missing, so nothing says whether this is the whole history" +
			acceptance, nil
	}
	if err != nil {
		return fmt.Sprintf("the checkpoint file cannot be read: %v%s", err, acceptance), nil
	}
	return compare(ctx, t, point)
}

func compare(ctx context.Context, t *tx, point *checkpoint) (string, error) {
	if point.Entries == 0 {
		return "", nil
	}
	var hash string
	err := t.row(ctx, `SELECT hash FROM audit WHERE seq = ?`, point.Entries).Scan(&hash)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		head, err := t.head(ctx)
		if err != nil {
			return "", err
		}
		return fmt.Sprintf("the database has %d entries in its audit log, but the checkpoint of %s has %d: the database was "+
			"deleted or replaced by an older one%s", head.Seq, point.Time.Format(time.RFC3339), point.Entries, acceptance), nil
	case err != nil:
		return "", err
	case hash != point.Head:
		return fmt.Sprintf("entry %d of the audit log is not the one of the checkpoint of %s: the database was replaced by "+
			"another one%s", point.Entries, point.Time.Format(time.RFC3339), acceptance), nil
	}
	return "", nil
}

// saveCheckpoint moves the checkpoint to the head of the log. What was committed stays committed if it fails; an older
// checkpoint is a valid one. So failing here makes nothing fail, but holds revocations back until it has worked: see
// [SQL.Switches].
func (s *SQL) saveCheckpoint(ctx context.Context) {
	s.checkpointing.Lock()
	defer s.checkpointing.Unlock()
	s.unsaved = s.read(context.WithoutCancel(ctx), "saving the checkpoint", func(t *tx) error {
		// A store that is behind must not make itself look whole.
		if why, err := s.behind(ctx, t); err != nil || why != "" {
			return err
		}
		return s.replaceCheckpoint(ctx, t)
	})
}

func (s *SQL) replaceCheckpoint(ctx context.Context, t *tx) error {
	head, err := t.head(ctx)
	if err != nil {
		return err
	}
	return writeCheckpoint(s.checkpointPath(), &checkpoint{Entries: head.Seq, Head: head.Hash, Time: stored(s.now())})
}

// unwritten says that the checkpoint could not be written, having tried again.
func (s *SQL) unwritten(ctx context.Context) string {
	s.checkpointing.Lock()
	failed := s.unsaved
	s.checkpointing.Unlock()
	if failed == nil {
		return ""
	}
	s.saveCheckpoint(ctx)
	s.checkpointing.Lock()
	defer s.checkpointing.Unlock()
	if s.unsaved == nil {
		return ""
	}
	return fmt.Sprintf("the checkpoint file cannot be written: %v; make it writable, all else goes on by itself", s.unsaved)
}

func readCheckpoint(path string) (*checkpoint, error) {
	text, err := os.ReadFile(path) //nolint:gosec // beside the store, which the config names
	if err != nil {
		return nil, err
	}
	var c checkpoint
	if err := json.Unmarshal(text, &c); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	if c.Entries < 0 || c.Entries > 0 && c.Head == "" {
		return nil, fmt.Errorf("%s: %d entries with the head %q", path, c.Entries, c.Head)
	}
	return &c, nil
}

// writeCheckpoint replaces the file as a whole: a crash leaves the old one or the new one.
func writeCheckpoint(path string, c *checkpoint) (err error) {
	text, err := json.Marshal(c)
	if err != nil {
		return err
	}
	f, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".*")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.Remove(f.Name()))
		}
	}()
	_, err = f.Write(append(text, '\n'))
	err = errors.Join(err, f.Sync(), f.Close())
	if err != nil {
		return err
	}
	if err := os.Rename(f.Name(), path); err != nil {
		return err
	}
	return syncDirectory(filepath.Dir(path))
}

func syncDirectory(path string) error {
	d, err := os.Open(path) //nolint:gosec // the directory of the store, which the config names
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
