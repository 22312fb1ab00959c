package store

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
)

// MaxContents bounds the contents of one feed or policy file, in bytes before compression.
const MaxContents = 32 << 20

// blob is contents as they are stored.
type blob struct {
	sum  string // SHA-256 of the contents, in hex
	size int    // of the contents
	data []byte // compressed
}

func sumOf(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}

// checkContents refuses contents that could not be read back, or are not what they are said to be. An empty sum says
// nothing.
func checkContents(what string, data []byte, sum string) error {
	if len(data) > MaxContents {
		return fmt.Errorf("%s has %d bytes, and at most %d are kept", what, len(data), MaxContents)
	}
	if is := sumOf(data); sum != "" && sum != is {
		return fmt.Errorf("%s has the SHA-256 %s, not %s", what, is, sum)
	}
	return nil
}

// compress makes a blob of contents. It takes its time, so it is to be done outside transactions.
func compress(data []byte) (*blob, error) {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	if _, err := w.Write(data); err != nil {
		return nil, fmt.Errorf("compressing contents: %w", err)
	}
	if err := w.Close(); err != nil {
		return nil, fmt.Errorf("compressing contents: %w", err)
	}
	return &blob{sum: sumOf(data), size: len(data), data: b.Bytes()}, nil
}

// contents gives back what was compressed, and nothing else: a damaged or forged blob is an error, and cannot fill the
// memory.
func (b *blob) contents() ([]byte, error) {
	if b.size < 0 || b.size > MaxContents {
		return nil, fmt.Errorf("contents %s: a size of %d bytes is none that is stored", b.sum, b.size)
	}
	r, err := gzip.NewReader(bytes.NewReader(b.data))
	if err != nil {
		return nil, fmt.Errorf("reading contents %s: %w", b.sum, err)
	}
	data, err := io.ReadAll(io.LimitReader(r, int64(b.size)+1))
	if err != nil {
		return nil, fmt.Errorf("reading contents %s: %w", b.sum, err)
	}
	if len(data) != b.size || sumOf(data) != b.sum {
		return nil, fmt.Errorf("contents %s are damaged: what is stored in their place is %s", b.sum, sumOf(data))
	}
	return data, nil
}

// hasBlob tells whether contents are stored undamaged, so that they need not be stored again.
func (t *tx) hasBlob(ctx context.Context, sum string) (bool, error) {
	b := blob{sum: sum}
	err := t.row(ctx, `SELECT size, data FROM blobs WHERE sha256 = ?`, sum).Scan(&b.size, &b.data)
	if errors.Is(err, sql.ErrNoRows) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	_, damaged := b.contents()
	return damaged == nil, nil
}

// keepBlob stores contents once, in the place of damaged ones if there are any.
func (t *tx) keepBlob(ctx context.Context, b *blob) error {
	return t.exec(ctx, `INSERT INTO blobs (sha256, size, data) VALUES (?, ?, ?) ON CONFLICT (sha256) DO UPDATE
		SET size = excluded.size, data = excluded.data`,
		b.sum, b.size, b.data)
}

// dropBlob deletes contents that nothing refers to any more.
func (t *tx) dropBlob(ctx context.Context, sum string) error {
	return t.exec(ctx, `DELETE FROM blobs WHERE sha256 = ? AND NOT EXISTS (SELECT 1 FROM feeds f WHERE f.sha256 = blobs.sha256)
		AND NOT EXISTS (SELECT 1 FROM policy_files p WHERE p.sha256 = blobs.sha256)`, sum)
}

// wrongBlob says which contents are not what they are stored as, or nothing.
func (t *tx) wrongBlob(ctx context.Context) (string, error) {
	var sums []string
	err := t.rows(ctx, func(rows *sql.Rows) error {
		var sum string
		err := rows.Scan(&sum)
		sums = append(sums, sum)
		return err
	}, `SELECT sha256 FROM blobs ORDER BY sha256`)
	if err != nil {
		return "", err
	}
	for _, sum := range sums { // one at a time, since they may be large
		b := blob{sum: sum}
		if err := t.row(ctx, `SELECT size, data FROM blobs WHERE sha256 = ?`, sum).Scan(&b.size, &b.data); err != nil {
			return "", err
		}
		if _, damage := b.contents(); damage != nil {
			return damage.Error(), nil //nolint:nilerr // that contents are damaged is what is asked for
		}
	}
	return "", nil
}
