package store_test

import (
	"bytes"
	"os"
	"strings"
	"testing"

	"github.com/egress-janitor/egress-janitor/internal/store"
)

// blobs gives how many contents are stored.
func blobs(t *testing.T, s *store.SQL) int {
	t.Helper()
	var n int
	must(t, s.DB().QueryRowContext(t.Context(), `SELECT COUNT(*) FROM blobs`).Scan(&n))
	return n
}

func TestContentsAreStoredOnceAndOnlyWhileSomethingRefersToThem(t *testing.T) {
	c := newClock()
	s := openAt(t, storePath(t), c)
	other := func(text string) store.FeedCopy {
		f := feed(text, c.tick())
		f.URL = "https://other.example.com/"
		return f
	}
	for _, step := range []struct {
		name string
		do   func() error
		want int
	}{
		{"one", func() error { return s.SaveFeedCopy(t.Context(), feed("a", c.tick())) }, 1},
		{"the same", func() error { return s.SaveFeedCopy(t.Context(), feed("a", c.tick())) }, 1},
		{"the same of another URL", func() error { return s.SaveFeedCopy(t.Context(), other("a")) }, 1},
		{"something else of that URL", func() error { return s.SaveFeedCopy(t.Context(), other("b")) }, 2},
		{"something else, which nothing has any more", func() error { return s.SaveFeedCopy(t.Context(), other("c")) }, 2},
		{"the same as a policy file", func() error {
			return s.RecordPolicies(t.Context(), "h", []store.PolicyFile{policyFile("x", "c"), policyFile("y", "c")})
		}, 2},
		{"something else, which a policy file has", func() error { return s.SaveFeedCopy(t.Context(), other("d")) }, 3},
	} {
		must(t, step.do())
		if n := blobs(t, s); n != step.want {
			t.Errorf("%s: %d contents are stored, want %d", step.name, n, step.want)
		}
	}
}

func TestSecretsOfURLsAreNotInTheStore(t *testing.T) {
	path, c := storePath(t), newClock()
	s, err := store.Open(t.Context(), store.Options{Path: path, Now: c.now})
	must(t, err)
	must(t, s.SaveFeedCopy(t.Context(), feed("x", c.now())))
	odd := feed("x", c.now())
	odd.URL = "secret%zz"
	must(t, s.SaveFeedCopy(t.Context(), odd))
	must(t, s.Close())
	text, err := os.ReadFile(path)
	must(t, err)
	if bytes.Contains(text, []byte("secret")) {
		t.Error("the database holds a secret of a URL")
	}
	if !bytes.Contains(text, []byte("https://feeds.example.com/bad.txt?")) {
		t.Error("nobody can tell which copy it is")
	}
}

func TestADamagedCopyIsAnErrorAndNotAnEmptySet(t *testing.T) {
	for name, damage := range map[string]string{
		"other contents": `UPDATE blobs SET data = (SELECT data FROM blobs WHERE size = 1), size = 1 WHERE size > 1`,
		"a part of it":   `UPDATE blobs SET data = substr(data, 1, length(data) - 9) WHERE size > 1`,
		"nothing":        `UPDATE blobs SET data = x'' WHERE size > 1`,
		"another size":   `UPDATE blobs SET size = size - 1 WHERE size > 1`,
		"a huge size":    `UPDATE blobs SET size = 99999999999 WHERE size > 1`,
	} {
		t.Run(name, func(t *testing.T) {
			path, c := storePath(t), newClock()
			s := openAt(t, path, c)
			must(t, s.SaveFeedCopy(t.Context(), feed("198.51.100.0/24\n", c.tick())))
			must(t, s.RecordPolicies(t.Context(), "h", []store.PolicyFile{policyFile("x", "x")}))
			forge(t, path, damage)
			if f, ok, err := s.FeedCopy(t.Context(), feedURL); err == nil || ok || f.Data != nil {
				t.Errorf("got %q (%t), %v, want an error", f.Data, ok, err)
			} else if strings.Contains(err.Error(), "secret") {
				t.Errorf("the error holds a secret: %v", err)
			}
			v := got[*store.Verification](t)(s.Verify(t.Context()))
			if !strings.Contains(v.Broken, "the audit log is intact, but ") || !strings.Contains(v.Broken, "contents "+sumOf("198.51.100.0/24\n")) {
				t.Errorf("verified: %q", v.Broken)
			}
			must(t, s.SaveFeedCopy(t.Context(), feed("198.51.100.0/24\n", c.tick())))
			if f, ok, err := s.FeedCopy(t.Context(), feedURL); err != nil || !ok || string(f.Data) != "198.51.100.0/24\n" {
				t.Errorf("after it was saved again: got %q (%t), %v", f.Data, ok, err)
			}
		})
	}
}

func TestVerifyComparesSetsAndPolicyFilesWithTheLog(t *testing.T) {
	for name, test := range map[string]struct {
		forge string
		seq   int64
		want  string
	}{
		"nothing":          {``, 0, ""},
		"a set's contents": {`UPDATE set_uses SET sha256 = 'x'`, 3, `the record of set p.yaml bad says sha256 "x"`},
		"a set's size":     {`UPDATE set_uses SET elements = 1000`, 3, `says elements "1000" where the log (entry 3) says "100"`},
		"its addresses":    {`UPDATE set_uses SET addresses = '[1,2]'`, 3, `says addresses "[1,2]"`},
		"a set forgotten":  {`DELETE FROM set_uses`, 3, `the record of set p.yaml bad is missing`},
		"a set made up": {
			`INSERT INTO set_uses SELECT 'x', name, place, sha256, elements, addresses, at, actor FROM set_uses`, 0,
			`there is a record of set x, which no entry announces`,
		},
		"a policy file": {`UPDATE policy_files SET sha256 = (SELECT sha256 FROM feeds)`, 4, `policy file h/0 says sha256`},
		"no policy file": {
			`DELETE FROM policy_files WHERE position = 0`, 4, `the record of policy file h/0 is missing`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			path, c := storePath(t), newClock()
			s := openAt(t, path, c)
			must(t, s.UseSets(t.Context(), []store.SetUse{setUse("a", 10)}))
			must(t, s.AcceptSets(t.Context(), []store.SetUse{setUse("b", 100)}, "ann", "why <&>"))
			must(t, s.RecordPolicies(t.Context(), "h", []store.PolicyFile{policyFile("a.yaml", "a"), policyFile("b.yaml", "b")}))
			must(t, s.SaveFeedCopy(t.Context(), feed("x", c.tick())))
			forge(t, path, test.forge)
			v := got[*store.Verification](t)(s.Verify(t.Context()))
			if v.BrokenSeq != test.seq || !strings.Contains(v.Broken, test.want) || (v.Broken == "") != (test.want == "") {
				t.Errorf("got entry %d: %s\nwant entry %d: %s", v.BrokenSeq, v.Broken, test.seq, test.want)
			}
		})
	}
}

func TestLargeContentsComeBack(t *testing.T) {
	c := newClock()
	s := openAt(t, storePath(t), c)
	text := strings.Repeat("198.51.100.0/24\n", store.MaxContents/16)
	must(t, s.SaveFeedCopy(t.Context(), feed(text, c.tick())))
	f, ok, err := s.FeedCopy(t.Context(), feedURL)
	if err != nil || !ok || string(f.Data) != text {
		t.Errorf("got %d bytes (%t), %v, want %d", len(f.Data), ok, err, len(text))
	}
}
