package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"maps"

	"github.com/egress-janitor/egress-janitor/internal/feeds"
	"github.com/egress-janitor/egress-janitor/internal/store"
	"github.com/egress-janitor/egress-janitor/policy"
)

// feedReader reads config and policies with what the URLs of sets hold. Each URL is asked for once in the life of a reader,
// so that two readings differ by the files alone.
type feedReader struct {
	system

	fetcher *feeds.Fetcher // nil: no server is asked, and the copies are what they are
	copies  feeds.Copies
	states  map[string]feeds.State // by URL
}

// newFetcher makes what asks the servers of URLs: eagerly for a command, and when they are due for the daemon.
func (s system) newFetcher(eager bool) *feeds.Fetcher {
	return feeds.New(feeds.Options{
		Now: s.now, Wait: wait, UserAgent: "egress-janitor/" + buildInfo().Version, Eager: eager,
	})
}

func (s system) newFeedReader(fetcher *feeds.Fetcher, copies feeds.Copies) *feedReader {
	return &feedReader{system: s, fetcher: fetcher, copies: copies, states: map[string]feeds.State{}}
}

// read reads config and policies. Which URLs are wanted is known only once they are read, and while they are changed more
// may turn up.
func (f *feedReader) read(ctx context.Context, file string) (*reading, error) {
	const rounds = 3
	for range rounds {
		now, err := f.readKnown(file)
		if err != nil {
			return nil, err
		}
		var missing []feeds.Wanted
		for _, w := range wanted(now.policies) {
			if _, known := f.states[w.URL]; !known {
				missing = append(missing, w)
			}
		}
		if len(missing) == 0 {
			return now, nil
		}
		if err := f.learn(ctx, missing); err != nil {
			return nil, err
		}
	}
	return nil, errors.New("policies are being changed all the time: each reading has URLs that the one before had not")
}

// learn finds out about URLs.
func (f *feedReader) learn(ctx context.Context, missing []feeds.Wanted) error {
	if f.fetcher != nil {
		maps.Copy(f.states, f.fetcher.Refresh(ctx, missing, f.copies))
		return ctx.Err()
	}
	for _, w := range missing {
		known, _, err := f.copies.Get(ctx, w.URL)
		if err != nil {
			return err
		}
		f.states[w.URL] = feeds.State{Copy: known}
	}
	return nil
}

// readKnown reads config and policies with what is known of the URLs, and asks nobody.
func (f *feedReader) readKnown(file string) (*reading, error) { return f.readWith(file, f.options()) }

// options have policies read with what is known of the URLs.
func (f *feedReader) options() policy.Options {
	return policy.Options{Feed: func(url string) policy.Feed {
		state := f.states[url]
		return policy.Feed{Data: state.Copy.Data, Fetched: state.Copy.Checked, Problem: state.Problem}
	}}
}

// wanted are the URLs of a set of policies.
func wanted(policies *policy.Set) []feeds.Wanted {
	var list []feeds.Wanted
	for _, source := range policies.Sources() {
		if source.URL != "" {
			list = append(list, feeds.Wanted{URL: source.URL, MaxAge: source.MaxAge, Check: source.Check})
		}
	}
	return list
}

// storedCopies are copies in the store.
type storedCopies struct{ store *store.SQL }

// Get implements [feeds.Copies].
func (c storedCopies) Get(ctx context.Context, url string) (feeds.Copy, bool, error) {
	kept, ok, err := c.store.FeedCopy(ctx, url)
	return feeds.Copy{
		URL: url, Data: kept.Data, ETag: kept.ETag, LastModified: kept.LastModified, Fetched: kept.Fetched, Checked: kept.Checked,
	}, ok, err
}

// Put implements [feeds.Copies].
func (c storedCopies) Put(ctx context.Context, fresh feeds.Copy) error {
	return c.store.SaveFeedCopy(ctx, store.FeedCopy{
		URL: fresh.URL, Data: fresh.Data, ETag: fresh.ETag, LastModified: fresh.LastModified,
		Fetched: fresh.Fetched, Checked: fresh.Checked,
	})
}

// feedFile is the name under which the contents of a URL are kept with the policies that use them. It tells URLs apart and
// holds no secret of theirs.
func feedFile(source *policy.Source) string {
	sum := sha256.Sum256([]byte(source.URL))
	return source.Place + "#" + hex.EncodeToString(sum[:6])
}
