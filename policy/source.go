package policy

import (
	"cmp"
	"fmt"
	"slices"
	"time"
)

// Options are what loading depends on beside the files. The zero value is for files alone: sets with a URL are then
// unread.
type Options struct {
	// Feed gives what is known of the contents of a URL. The package fetches nothing.
	Feed func(url string) Feed
}

// Feed is the last good copy of what a URL holds.
type Feed struct {
	Data    []byte    // one element a line; nil if there is no copy
	Fetched time.Time // when the URL last answered that these are its contents
	Problem string    // why the last attempt failed; empty if it did not
}

// DefaultMaxAge is for how long contents of a URL are trusted where the set says nothing of it.
const DefaultMaxAge = 7 * 24 * time.Hour

// Source is a set whose contents come from a file or URL.
type Source struct {
	Set  string // its name
	File string // the policy file that it stands in
	// Place is the path of the file, or the URL without its query, which may hold a token: it is for people.
	Place string
	URL   string // with its query; empty for a file
	// Fetched is when the contents were current: when the URL gave them, or the file was last written.
	Fetched time.Time
	MaxAge  time.Duration // 0: they do not grow old
	// Elements and Addresses say how large the set is; addresses by family, IPv4 first, each counted once.
	Elements  int
	Addresses [2]float64
	SHA256    string // of the contents, in hex; empty if there are none
	// Problem says why there are no contents: every clause that uses the set is then unknown. Empty if there are.
	Problem string
	// Attempt says why the last attempt to get newer contents failed; empty if it did not. The contents are trusted for
	// as long as MaxAge allows all the same.
	Attempt string

	allowWide bool
	pinned    string // the SHA-256 that the contents must have; empty if they may have any
}

// String names the set and its place, for people.
func (s *Source) String() string { return fmt.Sprintf("set %s (%s)", s.Set, s.Place) }

// Stale says why the contents of a set are not to be trusted at a moment, as far as the set alone tells; empty if they
// are.
func (s *Source) Stale(now time.Time) string {
	switch {
	case s.Problem != "":
		return s.Problem
	case s.MaxAge <= 0 || now.Sub(s.Fetched) <= s.MaxAge:
		return ""
	}
	why := fmt.Sprintf("its contents are of %s, older than max-age (%s) allows", s.Fetched.UTC().Format(time.RFC3339), s.MaxAge)
	if s.Attempt != "" {
		why += "; the last attempt to get newer ones failed: " + s.Attempt
	}
	return why
}

// Sources are the sets of all files whose contents come from a file or URL, sorted by name and file. They must not be
// changed.
func (s *Set) Sources() []*Source { return s.sources }

// Doubting gives the same set, in which contents are not trusted of which doubt gives a reason. It is asked about every
// source with contents, at once. Policies, exceptions and hashes are those of s.
//
// Doubt is kept out of loading, since it ends when a person accepts the contents: nothing of the files changes by that.
func (s *Set) Doubting(doubt func(*Source) string) *Set {
	doubting := *s
	doubting.doubts = map[*Source]string{}
	for _, source := range s.sources {
		if source.Problem != "" {
			continue
		}
		if why := doubt(source); why != "" {
			doubting.doubts[source] = why
		}
	}
	return &doubting
}

// Stale says why the contents of one of the set's sources are not to be trusted at a moment; empty if they are.
func (s *Set) Stale(source *Source, now time.Time) string {
	return cmp.Or(source.Stale(now), s.doubts[source])
}

// sortedSources sorts sources by name and file, and drops repetitions.
func sortedSources(list []*Source) []*Source {
	slices.SortFunc(list, func(a, b *Source) int { return cmp.Or(cmp.Compare(a.Set, b.Set), cmp.Compare(a.File, b.File)) })
	return slices.Compact(list)
}

// maxAges is how long the contents of each source are trusted, for the policy hash: allowing more is a change that must
// be reported before it is acted on.
func maxAges(sources []*Source) string {
	var text []byte
	for _, s := range sources {
		if s.MaxAge > 0 {
			text = fmt.Appendf(text, " %s", s.MaxAge)
		}
	}
	return string(text)
}
