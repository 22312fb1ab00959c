package store

import (
	"errors"
	"fmt"
	"os"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

// ErrLost says that the file of the store was deleted or replaced while it was open. What was written since is lost, and
// nothing more is written.
var ErrLost = errors.New("the file of the store was deleted or replaced while it was open; " +
	"stop everything that uses it and put the file back from a copy, or start again with a new store, " +
	"which revokes nothing before `egress-janitor resume`")

var errReadOnly = errors.New("the store was opened for reading only")

// present tells whether the file that is open is still the one that the path names.
func (s *SQL) present() error {
	info, err := os.Stat(s.path)
	if err != nil {
		if errors.Is(err, os.ErrNotExist) {
			return ErrLost
		}
		return err
	}
	if !os.SameFile(info, s.file) {
		return ErrLost
	}
	return nil
}

// fault says what was done to which store when an error came up and, if the database is the one that fails, what to do.
func (s *SQL) fault(doing string, err error) error {
	return fault(doing, s.path, err)
}

func fault(doing, path string, err error) error {
	if advice := advise(err); advice != "" {
		return fmt.Errorf("%s: store %s: %w: %s", doing, path, err, advice)
	}
	if _, ok := errors.AsType[*sqlite.Error](err); ok || errors.Is(err, ErrLost) || errors.Is(err, errReadOnly) {
		return fmt.Errorf("%s: store %s: %w", doing, path, err)
	}
	return fmt.Errorf("%s: %w", doing, err)
}

// advise says what to do about an error of SQLite. The primary code is the low byte.
// Source: sqlite.org, Result and Error Codes.
func advise(err error) string {
	failed, ok := errors.AsType[*sqlite.Error](err)
	if !ok {
		return ""
	}
	switch failed.Code() & 0xff {
	case sqlite3.SQLITE_FULL:
		return "the disk is full: nothing was recorded and nothing was sent; free some space, all else goes on by itself"
	case sqlite3.SQLITE_READONLY:
		return "the file or its directory cannot be written: give this user the right to write both"
	case sqlite3.SQLITE_CANTOPEN:
		return "the file, or one beside it, cannot be opened: check that the directory exists and that this user may write it"
	case sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB:
		return "the file is damaged or no database: put it back from a copy, or move it away and start with a new store, " +
			"which revokes nothing before `egress-janitor resume`"
	case sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED:
		return "another process has kept the database for too long: try again, and look for a hanging process"
	case sqlite3.SQLITE_IOERR:
		return "the disk fails, a quota is used up, or the file system does not lock files: check these; a store cannot be on a " +
			"network share"
	}
	return ""
}
