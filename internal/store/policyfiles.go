package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/egress-janitor/egress-janitor/revoker"
)

// PolicyFile is a file that policies were loaded from.
type PolicyFile struct {
	Name string // its path in the directory of policies
	Data []byte // at most [MaxContents]
}

// RecordPolicies keeps the files of a set of policies by its hash. Of one hash the files that came first stay: others
// with the same hash mean the same. A known hash costs one read.
func (s *SQL) RecordPolicies(ctx context.Context, hash string, files []PolicyFile) error {
	doing := "keeping the files of policies " + hash
	if err := checkPolicyFiles(hash, files); err != nil {
		return s.fault(doing, err)
	}
	var known bool
	find := func(t *tx) (err error) {
		known, err = t.knowsPolicies(ctx, hash)
		return err
	}
	if err := s.read(ctx, doing, find); err != nil || known {
		return err
	}
	contents := make([][]byte, len(files))
	for i := range files {
		contents[i] = files[i].Data
	}
	fresh, err := s.freshBlobs(ctx, doing, contents)
	if err != nil {
		return err
	}
	return s.write(ctx, doing, func(t *tx) error {
		if err := find(t); err != nil || known {
			return err
		}
		for _, b := range fresh {
			if err := t.keepBlob(ctx, b); err != nil {
				return err
			}
		}
		err := t.each(ctx, `INSERT INTO policy_files (hash, position, name, sha256) VALUES (?, ?, ?, ?)`, len(files),
			func(i int) ([]any, error) { return []any{hash, i, files[i].Name, sumOf(files[i].Data)}, nil })
		if err != nil {
			return err
		}
		return t.append(ctx, s.now(), policiesEvent(hash, files))
	})
}

func (t *tx) knowsPolicies(ctx context.Context, hash string) (bool, error) {
	var n int
	err := t.row(ctx, `SELECT COUNT(*) FROM policy_files WHERE hash = ? AND position = 0`, hash).Scan(&n)
	return n > 0, err
}

func checkPolicyFiles(hash string, files []PolicyFile) error {
	if hash == "" || len(files) == 0 {
		return errors.New("policies without a hash or without files")
	}
	for i := range files {
		name := files[i].Name
		if name == "" || slices.ContainsFunc(files[:i], func(f PolicyFile) bool { return f.Name == name }) {
			return fmt.Errorf("policy file %q: no name, or one that another file has", name)
		}
		if err := checkContents("policy file "+name, files[i].Data, ""); err != nil {
			return err
		}
	}
	return nil
}

// Policies gives the files of a set of policies in the order in which they were recorded; ok tells whether they were.
func (s *SQL) Policies(ctx context.Context, hash string) (files []PolicyFile, ok bool, err error) {
	err = s.read(ctx, "reading policies "+hash, func(t *tx) (err error) {
		files, err = t.policyFiles(ctx, hash)
		return err
	})
	return files, len(files) > 0, err
}

func (t *tx) policyFiles(ctx context.Context, hash string) ([]PolicyFile, error) {
	var files []PolicyFile
	err := t.rows(ctx, func(rows *sql.Rows) error {
		var name string
		var b blob
		err := rows.Scan(&name, &b.sum, &b.size, &b.data)
		if err != nil {
			return err
		}
		data, err := b.contents()
		files = append(files, PolicyFile{Name: name, Data: data})
		return err
	}, `SELECT p.name, p.sha256, b.size, b.data FROM policy_files p JOIN blobs b ON b.sha256 = p.sha256
		WHERE p.hash = ? ORDER BY p.position`, hash)
	return files, err
}

// LatestPolicies gives the policies of the last sweep by schedule whose policies are recorded, and when it began. If no
// sweep by schedule has any, those of the last sweep by command are given. ok tells whether there are any at all.
func (s *SQL) LatestPolicies(ctx context.Context) (hash string, files []PolicyFile, at time.Time, ok bool, err error) {
	err = s.read(ctx, "reading the latest policies", func(t *tx) error {
		var started int64
		err := t.row(ctx, `SELECT s.policy_hash, s.started FROM sweeps s
			WHERE EXISTS (SELECT 1 FROM policy_files p WHERE p.hash = s.policy_hash)
			ORDER BY CASE WHEN s.origin = ? THEN 0 ELSE 1 END, s.seq DESC LIMIT 1`, string(revoker.BySchedule)).
			Scan(&hash, &started)
		if errors.Is(err, sql.ErrNoRows) {
			return nil
		}
		if err != nil {
			return err
		}
		at, ok = fromMicros(started), true
		files, err = t.policyFiles(ctx, hash)
		return err
	})
	return hash, files, at, ok, err
}
