package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"time"
)

// FeedCopy is the last good copy of what a URL holds.
type FeedCopy struct {
	URL          string // may hold a secret, and so is not in the store as it is
	Data         []byte // at most [MaxContents]
	SHA256       string // of Data, in hex; may be left empty when saving
	ETag         string // as the server gave it
	LastModified string // as the server gave it
	Fetched      time.Time
	Checked      time.Time // when the server last said that this is what it holds
}

// FeedCopy gives the copy of a URL; ok tells whether there is one. A copy that is damaged is an error.
func (s *SQL) FeedCopy(ctx context.Context, url string) (c FeedCopy, ok bool, err error) {
	var stored blob
	err = s.read(ctx, "reading the copy of "+redactURL(url), func(t *tx) error {
		var fetched, checked int64
		err := t.row(ctx, `SELECT f.sha256, f.etag, f.last_modified, f.fetched, f.checked, b.size, b.data
			FROM feeds f JOIN blobs b ON b.sha256 = f.sha256 WHERE f.url_hash = ?`, sumOf([]byte(url))).
			Scan(&stored.sum, &c.ETag, &c.LastModified, &fetched, &checked, &stored.size, &stored.data)
		if errors.Is(err, sql.ErrNoRows) {
			return nil
		}
		ok = err == nil
		c.Fetched, c.Checked = fromMicros(fetched), fromMicros(checked)
		return err
	})
	if err != nil || !ok {
		return FeedCopy{}, false, err
	}
	c.URL, c.SHA256 = url, stored.sum
	if c.Data, err = stored.contents(); err != nil {
		return FeedCopy{}, false, s.fault("reading the copy of "+redactURL(url), err)
	}
	return c, true, nil
}

// SaveFeedCopy keeps a copy in the place of the earlier one of its URL. It is no part of the audit log: what a set held
// when it was used is; see [SQL.UseSets].
func (s *SQL) SaveFeedCopy(ctx context.Context, c FeedCopy) error {
	doing := "keeping a copy of " + redactURL(c.URL)
	if err := checkFeedCopy(&c); err != nil {
		return s.fault(doing, err)
	}
	fresh, err := s.freshBlobs(ctx, doing, [][]byte{c.Data})
	if err != nil {
		return err
	}
	return s.write(ctx, doing, func(t *tx) error {
		key := sumOf([]byte(c.URL))
		var before string
		err := t.row(ctx, `SELECT sha256 FROM feeds WHERE url_hash = ?`, key).Scan(&before)
		if err != nil && !errors.Is(err, sql.ErrNoRows) {
			return err
		}
		for _, b := range fresh {
			if err := t.keepBlob(ctx, b); err != nil {
				return err
			}
		}
		err = t.exec(ctx, `INSERT INTO feeds (url_hash, place, sha256, etag, last_modified, fetched, checked)
			VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (url_hash) DO UPDATE SET place = excluded.place, sha256 = excluded.sha256,
			etag = excluded.etag, last_modified = excluded.last_modified, fetched = excluded.fetched, checked = excluded.checked`,
			key, redactURL(c.URL), sumOf(c.Data), c.ETag, c.LastModified, micros(c.Fetched), micros(c.Checked))
		if err != nil {
			return err
		}
		return t.dropBlob(ctx, before)
	})
}

// freshBlobs compresses those of several contents that are not in the store. Whoever stores them may find that another
// process did so meanwhile, which does no harm.
func (s *SQL) freshBlobs(ctx context.Context, doing string, contents [][]byte) ([]*blob, error) {
	missing := map[string][]byte{}
	err := s.read(ctx, doing, func(t *tx) error {
		for _, data := range contents {
			sum := sumOf(data)
			there, err := t.hasBlob(ctx, sum)
			if err != nil {
				return err
			}
			if !there {
				missing[sum] = data
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	fresh := make([]*blob, 0, len(missing))
	for _, data := range missing {
		b, err := compress(data)
		if err != nil {
			return nil, s.fault(doing, err)
		}
		fresh = append(fresh, b)
	}
	return fresh, nil
}

func checkFeedCopy(c *FeedCopy) error {
	if c.URL == "" || c.Fetched.IsZero() {
		return errors.New("copy without a URL or a time")
	}
	return checkContents("the copy of "+redactURL(c.URL), c.Data, c.SHA256)
}

// redactURL gives a URL for people: without user, query and fragment, any of which may hold a secret.
func redactURL(text string) string {
	u, err := url.Parse(text)
	if err != nil || u.Host == "" {
		return fmt.Sprintf("a URL of %d characters", len(text))
	}
	shown := url.URL{Scheme: u.Scheme, Host: u.Host, Path: u.Path}
	if u.RawQuery != "" {
		shown.RawQuery = "…"
	}
	return shown.String()
}
