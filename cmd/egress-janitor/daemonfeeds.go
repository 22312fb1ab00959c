package main

import (
	"context"
	"time"

	"go.uber.org/zap"

	"github.com/egress-janitor/egress-janitor/internal/feeds"
	"github.com/egress-janitor/egress-janitor/policy"
)

// feedsEvery is the time between two looks at whether a URL of a set is due.
const feedsEvery = time.Minute

// keepFeeds fetches the URLs of the sets in force when they are due, until ctx ends. New answers are taken by a reload, as
// are new files: they must be looked at in the same way.
func (d *daemonRun) keepFeeds(ctx context.Context, reload func()) {
	told := map[string]string{} // what was last logged of each URL
	for wait(ctx, feedsEvery) == nil {
		if d.refreshFeeds(ctx, told) {
			reload()
		}
	}
}

// refreshFeeds fetches what is due, and tells whether there is anything to be taken.
func (d *daemonRun) refreshFeeds(ctx context.Context, told map[string]string) (fresh bool) {
	e := d.current.Load()
	if e == nil { // the first load is not over
		return false
	}
	due := d.feeds.Due(wanted(e.policies))
	if len(due) == 0 {
		return false
	}
	for url, state := range d.feeds.Refresh(ctx, due, storedCopies{d.store}) {
		fresh = fresh || state.New
		d.tellFeed(url, &state, told)
	}
	return fresh
}

// tellFeed logs what became of a URL, once as long as it stays the same.
func (d *daemonRun) tellFeed(url string, state *feeds.State, told map[string]string) {
	if state.Problem == told[url] {
		return
	}
	told[url] = state.Problem
	place := zap.String("url", policy.ShownURL(url))
	if state.Problem == "" {
		d.log.Info("a set's URL is fetched again", place)
		return
	}
	d.log.Warn("fetching a set's URL did not work, its last good copy stays in use", place, zap.String("reason", state.Problem),
		zap.Time("copy_of", state.Copy.Checked))
}
