package store_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"testing"
	"time"

	"github.com/egress-janitor/egress-janitor/internal/decision"
	"github.com/egress-janitor/egress-janitor/internal/store"
	"github.com/egress-janitor/egress-janitor/internal/sweep"
	"github.com/egress-janitor/egress-janitor/revoker"
)

func sumOf(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}

const feedURL = "https://user:secret@feeds.example.com/bad.txt?token=secret#part"

func feed(text string, at time.Time) store.FeedCopy {
	return store.FeedCopy{
		URL: feedURL, Data: []byte(text), ETag: `"e1"`, LastModified: "Mon, 23 Nov 2026 12:00:00 GMT", Fetched: at, Checked: at,
	}
}

func feedCopies(t *testing.T, s twin, c *clock) {
	t.Helper()
	if _, ok, err := s.FeedCopy(t.Context(), feedURL); ok || err != nil {
		t.Fatalf("a copy of what was never saved: %t, %v", ok, err)
	}
	text := strings.Repeat("198.51.100.0/24\n", 1000)
	must(t, s.SaveFeedCopy(t.Context(), feed(text, c.tick())))
	fetched := c.now()
	later := feed(text, fetched)
	later.Checked, later.SHA256 = c.tick(), sumOf(text)
	must(t, s.SaveFeedCopy(t.Context(), later)) // it has not changed
	check := func(text string, fetched, checked time.Time) {
		t.Helper()
		got, ok, err := s.FeedCopy(t.Context(), feedURL)
		must(t, err)
		want := feed(text, fetched)
		want.Checked, want.SHA256 = checked, sumOf(text)
		same(t, "copy", want, got)
		if !ok || got.Data == nil {
			t.Errorf("found is %t, with the data %v", ok, got.Data)
		}
	}
	check(text, fetched, c.now())
	must(t, s.SaveFeedCopy(t.Context(), feed("203.0.113.0/24\n", c.tick())))
	check("203.0.113.0/24\n", c.now(), c.now())
	must(t, s.SaveFeedCopy(t.Context(), feed("", c.tick())))
	check("", c.now(), c.now())
	if _, ok, err := s.FeedCopy(t.Context(), "https://feeds.example.com/bad.txt"); ok || err != nil {
		t.Errorf("another URL has the copy: %t, %v", ok, err)
	}
	if n := len(got[[]store.Entry](t)(s.Entries(t.Context(), 0, 0))); n != 2 {
		t.Errorf("%d entries in the audit log, want those of creation and resuming alone", n)
	}
}

func feedRefusals(t *testing.T, s twin, c *clock) {
	t.Helper()
	for name, test := range map[string]struct {
		apply func(*store.FeedCopy)
		want  string
	}{
		"no URL":       {func(f *store.FeedCopy) { f.URL = "" }, "without a URL"},
		"no time":      {func(f *store.FeedCopy) { f.Fetched = time.Time{} }, "or a time"},
		"another hash": {func(f *store.FeedCopy) { f.SHA256 = sumOf("x") }, "has the SHA-256 " + sumOf("a")},
		"too large": {
			func(f *store.FeedCopy) { f.Data = bytes.Repeat([]byte("1"), store.MaxContents+1) },
			"the copy of https://feeds.example.com/bad.txt?… has 33554433 bytes, and at most 33554432 are kept",
		},
	} {
		f := feed("a", c.tick())
		test.apply(&f)
		err := s.SaveFeedCopy(t.Context(), f)
		wantError(t, err, test.want)
		if err != nil && strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: the error holds a secret: %v", name, err)
		}
	}
}

func setUse(text string, elements int) store.SetUse {
	return store.SetUse{
		Key: "p.yaml bad", Name: "bad", Place: "https://feeds.example.com/bad.txt?…", SHA256: sumOf(text), Elements: elements,
		Addresses: [2]float64{256 * float64(elements), 1.2345e37}, Actor: "daemon",
	}
}

func setUses(t *testing.T, s twin, c *clock) {
	t.Helper()
	same(t, "uses at first", map[string]store.SetUse{}, got[map[string]store.SetUse](t)(s.UsedSets(t.Context())))
	other := setUse("b", 1)
	other.Key, other.Name = "p.yaml other", "other"
	must(t, s.UseSets(t.Context(), []store.SetUse{setUse("a", 10), other}))
	c.tick()
	before := len(got[[]store.Entry](t)(s.Entries(t.Context(), 0, 0)))
	must(t, s.UseSets(t.Context(), []store.SetUse{setUse("a", 10)})) // as it was
	must(t, s.UseSets(t.Context(), nil))
	if n := len(got[[]store.Entry](t)(s.Entries(t.Context(), 0, 0))); n != before {
		t.Errorf("what did not change made %d entries in the audit log", n-before)
	}
	want := map[string]store.SetUse{"p.yaml bad": setUse("a", 10), "p.yaml other": other}
	for key, u := range want {
		u.At = start
		want[key] = u
	}
	same(t, "uses", want, got[map[string]store.SetUse](t)(s.UsedSets(t.Context())))
	must(t, s.UseSets(t.Context(), []store.SetUse{setUse("c", 12)}))
	changed := setUse("c", 12)
	changed.At = c.now()
	want["p.yaml bad"] = changed
	same(t, "uses after a change", want, got[map[string]store.SetUse](t)(s.UsedSets(t.Context())))
	wantError(t, s.UseSets(t.Context(), []store.SetUse{setUse("d", 13), {Key: "x", Name: "x"}}), "without its name or its contents")
	same(t, "uses after a refusal", want, got[map[string]store.SetUse](t)(s.UsedSets(t.Context())))
}

func acceptedSets(t *testing.T, s twin, c *clock) {
	t.Helper()
	must(t, s.UseSets(t.Context(), []store.SetUse{setUse("a", 10)}))
	c.tick()
	must(t, s.AcceptSets(t.Context(), []store.SetUse{setUse("b", 100)}, "ann", "the feed has grown up"))
	want := setUse("b", 100)
	want.At, want.Actor = c.now(), "ann"
	same(t, "uses", map[string]store.SetUse{"p.yaml bad": want}, got[map[string]store.SetUse](t)(s.UsedSets(t.Context())))
	entries := got[[]store.Entry](t)(s.Entries(t.Context(), 2, 0))
	if len(entries) != 2 || entries[0].Kind != store.KindSetUsed || entries[1].Kind != store.KindSetAccepted {
		t.Fatalf("got entries %+v", entries)
	}
	text := `{"key":"p.yaml bad","name":"bad","place":"https://feeds.example.com/bad.txt?…","sha256":"` + sumOf("b") +
		`","elements":100,"addresses":[25600,1.2345e+37],"before":{"sha256":"` + sumOf("a") +
		`","elements":10,"addresses":[2560,1.2345e+37]},"reason":"the feed has grown up"}`
	if got := string(entries[1].Data); got != text || entries[1].Actor != "ann" {
		t.Errorf("got %s by %s\nwant %s", got, entries[1].Actor, text)
	}
	wantError(t, s.AcceptSets(t.Context(), []store.SetUse{{}}, "ann", "why"), "without its name or its contents")
}

func policyFile(name, text string) store.PolicyFile {
	return store.PolicyFile{Name: name, Data: []byte(text)}
}

func policyFiles(t *testing.T, s twin, c *clock) {
	t.Helper()
	files := []store.PolicyFile{policyFile("b.yaml", "version: 1\n"), policyFile("a.yaml", "version: 1\n"), policyFile("c.yaml", "")}
	must(t, s.RecordPolicies(t.Context(), "h1", files))
	must(t, s.RecordPolicies(t.Context(), "h2", files[:1]))
	before := len(got[[]store.Entry](t)(s.Entries(t.Context(), 0, 0)))
	must(t, s.RecordPolicies(t.Context(), "h1", files))
	must(t, s.RecordPolicies(t.Context(), "h1", []store.PolicyFile{policyFile("b.yaml", "version: 1 # the same\n")}))
	if n := len(got[[]store.Entry](t)(s.Entries(t.Context(), 0, 0))); n != before {
		t.Errorf("a known hash made %d entries in the audit log", n-before)
	}
	for hash, want := range map[string][]store.PolicyFile{"h1": files, "h2": files[:1], "h3": nil} {
		list, ok, err := s.Policies(t.Context(), hash)
		must(t, err)
		same(t, "files of "+hash, want, list)
		if ok != (want != nil) {
			t.Errorf("%s: found is %t", hash, ok)
		}
	}
	c.tick()
	wantError(t, s.RecordPolicies(t.Context(), "", files), "without a hash")
	wantError(t, s.RecordPolicies(t.Context(), "h4", nil), "without files")
	wantError(t, s.RecordPolicies(t.Context(), "h4", []store.PolicyFile{files[0], files[0]}), `policy file "b.yaml"`)
	wantError(t, s.RecordPolicies(t.Context(), "h4", []store.PolicyFile{policyFile("", "x")}), `policy file "": no name`)
	wantError(t, s.RecordPolicies(t.Context(), "h4", []store.PolicyFile{
		policyFile("x.txt", strings.Repeat("x", store.MaxContents+1)),
	}), "policy file x.txt has 33554433 bytes")
}

func latestPolicies(t *testing.T, s twin, c *clock) {
	t.Helper()
	expect := func(when, wantHash string, wantAt time.Time) {
		t.Helper()
		hash, files, at, ok, err := s.LatestPolicies(t.Context())
		must(t, err)
		if hash != wantHash || ok != (wantHash != "") || !at.Equal(wantAt) || ok != (len(files) == 1) {
			t.Errorf("%s: got %q (%t, %d files) at %s, want %q at %s", when, hash, ok, len(files), at, wantHash, wantAt)
		}
	}
	sweepBy := func(origin revoker.Origin, id, hash string) time.Time {
		r := run{id: id, account: "prod", hash: hash, origin: origin, at: c.tick()}
		r.do(t, s)
		return r.at
	}
	for _, hash := range []string{"h1", "h2", "h3"} {
		must(t, s.RecordPolicies(t.Context(), hash, []store.PolicyFile{policyFile(hash+".yaml", hash)}))
	}
	expect("before any sweep", "", time.Time{})
	at := sweepBy(revoker.ByCommand, "s1", "h1")
	expect("after a sweep by command", "h1", at)
	at = sweepBy(revoker.ByCommand, "s2", "h2")
	expect("after another sweep by command", "h2", at)
	at = sweepBy(revoker.BySchedule, "s3", "h3")
	expect("after a sweep by schedule", "h3", at)
	sweepBy(revoker.ByCommand, "s4", "h1")
	expect("a command says nothing about the daemon", "h3", at)
	sweepBy(revoker.BySchedule, "s5", "unrecorded")
	expect("a sweep whose policies are not recorded", "h3", at)
	at = sweepBy(revoker.BySchedule, "s6", "h2")
	expect("after another sweep by schedule", "h2", at)
}

func firstSightings(t *testing.T, s twin, c *clock) {
	t.Helper()
	content := func(group, key string) decision.ContentRef {
		return decision.ContentRef{Region: "cn-a", Group: group, Key: key}
	}
	sweepWith := func(id, account string, first map[decision.ContentRef]time.Time) map[decision.ContentRef]time.Time {
		r := run{id: id, account: account, accountID: "1", hash: "h", at: c.tick(), first: first}
		return r.do(t, s).FirstSeen
	}
	day := func(n int) time.Time { return start.AddDate(0, 0, n) }
	sweepWith("s1", "prod", map[decision.ContentRef]time.Time{content("sg-1", "a"): day(5), content("sg-2", "b"): day(5)})
	same(t, "after one sweep", map[decision.ContentRef]time.Time{content("sg-1", "a"): day(5), content("sg-2", "b"): day(5)},
		sweepWith("s2", "prod", map[decision.ContentRef]time.Time{content("sg-1", "a"): day(3), content("sg-2", "b"): day(7)}))
	want := map[decision.ContentRef]time.Time{content("sg-1", "a"): day(3), content("sg-2", "b"): day(5)}
	same(t, "earlier and later sightings", want, sweepWith("s3", "prod", nil))
	same(t, "under another name of the account", want, sweepWith("s4", "renamed", map[decision.ContentRef]time.Time{
		content("sg-1", "a"): day(4), content("sg-2", "b"): day(2),
	}))
	again, err := s.Recheck(t.Context(), ref("prod", "sg-2"), "h")
	must(t, err)
	same(t, "in a re-check of one group", map[decision.ContentRef]time.Time{content("sg-2", "b"): day(2)}, again.State.FirstSeen)
	r := run{id: "s5", account: "prod", accountID: "1", hash: "h", at: c.tick()}
	_, err = s.Start(t.Context(), r.start())
	must(t, err)
	err = s.Commit(t.Context(), r.result(), commitOf(map[decision.ContentRef]time.Time{content("sg-1", "a"): {}}))
	wantError(t, err, "first seen at no time")
}

func commitOf(first map[decision.ContentRef]time.Time) func(*decision.State) (*sweep.Commit, error) {
	return func(*decision.State) (*sweep.Commit, error) { return &sweep.Commit{FirstSeen: first}, nil }
}
