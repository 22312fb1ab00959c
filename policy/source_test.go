package policy_test

import (
	"crypto/sha256"
	"encoding/hex"
	"math"
	"net/netip"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/egress-janitor/egress-janitor/internal/sg"
	"github.com/egress-janitor/egress-janitor/policy"
)

const (
	feedURL   = "https://feeds.example.com:8443/threats.txt?token=canary-of-the-feed"
	feedPlace = "https://feeds.example.com:8443/threats.txt?…"
	canary    = "canary-of-the-feed"
)

// fed has a policy and an exception that use the set s, of which SET is the body, and a policy that uses none.
const fed = `version: 1
sets:
  s: SET
policies:
  - name: by-set
    description: A policy.
    severity: low
    owner: owner@example.com
    groups: all
    match: {destination: {overlaps: [$s]}}
    action: report
  - name: exempted
    description: A policy.
    severity: low
    owner: owner@example.com
    groups: all
    match: {destination: {overlaps: [0.0.0.0/0]}}
    action: report
  - name: other
    description: A policy.
    severity: low
    owner: owner@example.com
    groups: all
    match: {destination: {overlaps: [0.0.0.0/0]}}
    action: report
exceptions:
  - name: by-set
    policies: [exempted]
    groups: {ids: [sg-1]}
    match: {destination: {within: [$s]}}
    reason: why
    owner: owner@example.com
    expires: 2027-01-31
`

// loadFed loads fed with a body of its set and a feed.
func loadFed(t *testing.T, body string, feed policy.Feed) *policy.Set {
	t.Helper()
	set, err := policy.LoadWith(memory(map[string]string{
		"p.yaml": strings.Replace(fed, "SET", body, 1), "feed.txt": string(feed.Data),
	}), []string{"p.yaml"}, policy.Options{Feed: func(url string) policy.Feed {
		if url != feedURL {
			t.Errorf("asked for %s", url)
		}
		return feed
	}})
	if err != nil {
		t.Fatal(err)
	}
	return set
}

func urlSet() string { return `{url: "` + feedURL + `"}` }

// goodFeed is a feed as it was an hour ago.
func goodFeed(lines string) policy.Feed {
	return policy.Feed{Data: []byte(lines), Fetched: present().Add(-time.Hour)}
}

// outcome is what one policy says of one rule, without its reasons.
type outcome struct {
	Policy, Exempt, Unsure, Stale string
}

// outcomes judges a rule to a block in a group.
func outcomes(set *policy.Set, group, to string) []outcome {
	prefix := netip.MustParsePrefix(to)
	rules := []sg.Rule{{
		ID: "sgr-1", Protocol: sg.AllProtocols, Action: sg.Accept,
		Destination: sg.Destination{Kind: sg.CIDR4, CIDR: prefix, Text: to},
	}}
	var list []outcome
	for _, f := range set.Evaluator("prod", present()).Evaluate(&sg.Group{ID: group, Region: "cn-hangzhou"}, rules) {
		for _, v := range f.Violations {
			o := outcome{Policy: v.Policy.Name, Stale: v.Stale}
			if v.Exempt != nil {
				o.Exempt = v.Exempt.Name
			}
			if v.Unsure != nil {
				o.Unsure = v.Unsure.Name
			}
			list = append(list, o)
		}
	}
	return list
}

func TestASetFromAURLIsReadLikeItsFile(t *testing.T) {
	t.Parallel()
	const lines = "# Threats.\n192.0.2.0/24\n\n198.51.100.7 # one\n192.0.2.0/25\n2001:db8::/126\n"
	feed := goodFeed(lines)
	byURL, byFile := loadFed(t, urlSet(), feed), loadFed(t, "{file: feed.txt, max-age: 7d}", feed)
	want := []outcome{{Policy: "by-set"}, {Policy: "exempted", Exempt: "by-set"}, {Policy: "other"}}
	for name, set := range map[string]*policy.Set{"URL": byURL, "file": byFile} {
		if diff := cmp.Diff(want, untold(outcomes(set, "sg-1", "192.0.2.0/24"))); diff != "" {
			t.Errorf("by %s (-want +got):\n%s", name, diff)
		}
	}
	if byURL.Hash() != byFile.Hash() {
		t.Error("the hash depends on where the same contents come from")
	}
	sum := sha256.Sum256([]byte(lines))
	got := *byURL.Sources()[0]
	wantSource := policy.Source{
		Set: "s", File: "p.yaml", Place: feedPlace, URL: feedURL, Fetched: feed.Fetched, MaxAge: policy.DefaultMaxAge,
		Elements: 4, Addresses: [2]float64{257, 4}, SHA256: hex.EncodeToString(sum[:]),
	}
	if diff := cmp.Diff(wantSource, got, cmp.FilterPath(unexported, cmp.Ignore())); diff != "" {
		t.Errorf("source (-want +got):\n%s", diff)
	}
}

// untold is outcomes without why sets are stale.
func untold(list []outcome) []outcome {
	for i := range list {
		list[i].Stale = ""
	}
	return list
}

// unexported matches fields that only the package itself sees.
func unexported(p cmp.Path) bool {
	field, ok := p.Last().(cmp.StructField)
	return ok && strings.ToLower(field.Name()[:1]) == field.Name()[:1]
}

func TestWithoutContentsEveryClauseOfTheSetIsUnknown(t *testing.T) {
	t.Parallel()
	const why = "set s (" + feedPlace + "): there is no copy of it yet: the server answered 404 Not Found"
	set := loadFed(t, urlSet(), policy.Feed{Problem: "the server answered 404 Not Found"})
	want := []outcome{{Policy: "exempted", Unsure: "by-set", Stale: why}, {Policy: "other"}}
	if diff := cmp.Diff(want, outcomes(set, "sg-1", "192.0.2.0/24")); diff != "" {
		t.Errorf("outcomes (-want +got):\n%s", diff)
	}
	if known := loadFed(t, urlSet(), goodFeed("192.0.2.0/24\n")); known.Hash() == set.Hash() {
		t.Error("the hash is that of known contents")
	}
	if len(set.Warnings) != 1 || set.Warnings[0].Code != policy.CodeUnreadSet {
		t.Errorf("got the warnings %v, want one that the set is unread", set.Warnings)
	}
}

func TestAnUnreadSetIsUnknownUnderEveryRelation(t *testing.T) {
	t.Parallel()
	for _, relation := range []string{"overlaps", "within", "outside", "covers", "equals"} {
		for _, match := range []string{
			"{destination: {R: [$s]}}", "{destination: {R: [$s, 192.0.2.0/24]}}", "{not: {destination: {R: [$s]}}}",
			"{source: {R: [$s]}}", "{not: {source: {R: [$s, 0.0.0.0/0]}}}",
		} {
			text := strings.Replace(strings.Replace(fed, "SET", urlSet(), 1), "{destination: {overlaps: [$s]}}",
				strings.Replace(match, "R", relation, 1), 1)
			set, err := policy.Load(memory(map[string]string{"p.yaml": text}), []string{"p.yaml"})
			if err != nil {
				t.Fatal(err)
			}
			for _, o := range outcomes(set, "sg-2", "192.0.2.0/24") {
				if o.Policy == "by-set" {
					t.Errorf("%s of %s is true", match, relation)
				}
			}
		}
	}
}

func TestABadCopyIsNoContents(t *testing.T) {
	t.Parallel()
	pinned := `{url: "` + feedURL + `", sha256: ` + strings.Repeat("a", 64) + `}`
	for _, test := range []struct{ name, body, data, want string }{
		{"cut", urlSet(), "192.0.2.0/24\n198.51.100", "line 2: the file does not end with a newline"},
		{"no list", urlSet(), "<html>\n", `line 1: "<html>" is no address block`},
		{"host bits", urlSet(), "192.0.2.0/24\n192.0.2.1/24\n", "line 2: \"192.0.2.1/24\" has host bits set"},
		{"too wide", urlSet(), "0.0.0.0/0\n", "line 1: \"0.0.0.0/0\" is wider than /8"},
		{"only comments", urlSet(), "# Nothing.\n", "there is no element in them"},
		{"empty", urlSet(), "", "there is no element in them"},
		{"too large", urlSet(), strings.Repeat("\n", policy.MaxSetBytes+1), "they have 33554433 bytes, more than the 33554432"},
		{"other contents than pinned", pinned, "192.0.2.0/24\n", "not the one that the set asks for"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			set := loadFed(t, test.body, goodFeed(test.data))
			source := set.Sources()[0]
			if !strings.Contains(source.Problem, test.want) || source.SHA256 != "" || source.Elements != 0 {
				t.Errorf("got the problem %q, want one with %q and no contents", source.Problem, test.want)
			}
			if err := source.Check([]byte(test.data)); err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("the check gives %v, want an error with %q", err, test.want)
			}
			for _, o := range outcomes(set, "sg-1", "192.0.2.0/24") {
				if o.Policy == "by-set" {
					t.Error("the policy goes by the bad copy")
				}
			}
		})
	}
}

func TestContentsThatAreAskedForByTheirSumAreTaken(t *testing.T) {
	t.Parallel()
	sum := sha256.Sum256([]byte("192.0.2.0/24\n"))
	for _, form := range []string{`url: "` + feedURL + `"`, "file: feed.txt"} {
		body := "{" + form + ", sha256: " + hex.EncodeToString(sum[:]) + "}"
		if source := loadFed(t, body, goodFeed("192.0.2.0/24\n")).Sources()[0]; source.Problem != "" || source.Elements != 1 {
			t.Errorf("by %s: got %d elements and the problem %q", form, source.Elements, source.Problem)
		}
	}
}

func TestContentsGrowOld(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name, body string
		age        time.Duration
		stale      bool
	}{
		{"a URL at seven days", urlSet(), 7 * 24 * time.Hour, false},
		{"a URL a second later", urlSet(), 7*24*time.Hour + time.Second, true},
		{"a URL with an age of its own", `{url: "` + feedURL + `", max-age: 1h}`, 61 * time.Minute, true},
		{"a URL of which the clock was ahead", urlSet(), -time.Hour, false},
		{"a file", "{file: feed.txt}", 1000 * 24 * time.Hour, false},
		{"a file with an age, in time", "{file: feed.txt, max-age: 30d}", 30 * 24 * time.Hour, false},
		{"a file with an age, too late", "{file: feed.txt, max-age: 30d}", 30*24*time.Hour + time.Second, true},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			written := present().Add(-test.age)
			data := []byte("192.0.2.0/24\n")
			fsys := fstest.MapFS{
				"p.yaml":   {Data: []byte(strings.Replace(fed, "SET", test.body, 1))},
				"feed.txt": {Data: data, ModTime: written},
			}
			set, err := policy.LoadWith(fsys, []string{"p.yaml"}, policy.Options{Feed: func(string) policy.Feed {
				return policy.Feed{Data: data, Fetched: written, Problem: "no answer"}
			}})
			if err != nil {
				t.Fatal(err)
			}
			got := outcomes(set, "sg-2", "192.0.2.0/24")
			if len(got) != 3 || (got[0].Stale != "") != test.stale {
				t.Errorf("got %+v, want stale %t", got, test.stale)
			}
			isURL := strings.Contains(test.body, "url")
			if test.stale && (!strings.Contains(got[0].Stale, "older than max-age") || strings.Contains(got[0].Stale, "no answer") != isURL) {
				t.Errorf("it says %q", got[0].Stale)
			}
		})
	}
}

func TestOnlyWhatTheVerdictDependsOnMakesItStale(t *testing.T) {
	t.Parallel()
	set := loadFed(t, urlSet(), goodFeed("192.0.2.0/24\n")).Doubting(func(*policy.Source) string { return "doubt" })
	const why = "set s (" + feedPlace + "): doubt"
	for _, test := range []struct {
		name, group, to string
		want            []outcome
	}{
		{
			"the exception applies", "sg-1", "192.0.2.0/24",
			[]outcome{{Policy: "by-set", Stale: why}, {Policy: "exempted", Exempt: "by-set"}, {Policy: "other"}},
		},
		{"the exception might apply", "sg-1", "203.0.113.0/24", []outcome{{Policy: "exempted", Stale: why}, {Policy: "other"}}},
		{"the exception is of another group", "sg-2", "203.0.113.0/24", []outcome{{Policy: "exempted"}, {Policy: "other"}}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			if diff := cmp.Diff(test.want, outcomes(set, test.group, test.to)); diff != "" {
				t.Errorf("outcomes (-want +got):\n%s", diff)
			}
		})
	}
}

func TestDoubtChangesNothingElse(t *testing.T) {
	t.Parallel()
	set := loadFed(t, urlSet(), goodFeed("192.0.2.0/24\n"))
	doubting := set.Doubting(func(*policy.Source) string { return "doubt" })
	if doubting.Hash() != set.Hash() {
		t.Error("the hash changes")
	}
	if got := set.Stale(set.Sources()[0], present()); got != "" {
		t.Errorf("the set itself is in doubt: %s", got)
	}
	if got := doubting.Doubting(func(*policy.Source) string { return "" }); got.Stale(set.Sources()[0], present()) != "" {
		t.Error("the doubt does not end")
	}
	loadFed(t, urlSet(), policy.Feed{}).Doubting(func(*policy.Source) string {
		t.Error("asked about a set without contents")
		return ""
	})
}

func TestTheQueryOfAURLIsNeverShown(t *testing.T) {
	t.Parallel()
	for _, feed := range []policy.Feed{{}, {Problem: "404"}, goodFeed("cut"), goodFeed("192.0.2.0/24\n")} {
		set := loadFed(t, urlSet(), feed).Doubting(func(*policy.Source) string { return "doubt" })
		source := set.Sources()[0]
		shown := []string{source.String(), source.Problem, source.Stale(present().Add(1000 * time.Hour)), source.Place}
		for _, w := range set.Warnings {
			shown = append(shown, w.String())
		}
		for _, o := range outcomes(set, "sg-1", "192.0.2.0/24") {
			shown = append(shown, o.Stale)
		}
		if text := strings.Join(shown, "\n"); strings.Contains(text, canary) || !strings.Contains(text, feedPlace) {
			t.Errorf("got\n%s\nwant the place without its query", text)
		}
	}
	if got := policy.ShownURL(feedURL); got != feedPlace {
		t.Errorf("shown as %s, want %s", got, feedPlace)
	}
}

func TestMaxAgeIsPartOfTheHash(t *testing.T) {
	t.Parallel()
	feed := goodFeed("192.0.2.0/24\n")
	hashes := map[string]string{}
	for _, body := range []string{"{file: feed.txt}", "{file: feed.txt, max-age: 7d}", "{file: feed.txt, max-age: 8d}"} {
		set := loadFed(t, body, feed)
		for i, p := range set.Policies {
			if other, seen := hashes[p.Hash]; seen {
				t.Errorf("policy %d: %s has the hash of %s", i, body, other)
			}
			hashes[p.Hash] = body
		}
		policies, _, _ := strings.Cut(strings.Replace(fed, "SET", body, 1), "exceptions:")
		alone := loadFiles(t, map[string]string{"p.yaml": policies, "feed.txt": string(feed.Data)}, "p.yaml").Policies[0].Hash
		if other, seen := hashes[alone]; seen {
			t.Errorf("without exceptions: %s has the hash of %s", body, other)
		}
		hashes[alone] = body
	}
}

func TestAListThatIsNotKnownWholeIsNotItsKnownPart(t *testing.T) {
	t.Parallel()
	mixed := strings.Replace(strings.Replace(fed, "SET", urlSet(), 1), "[$s]", "[$s, 192.0.2.0/24]", 2)
	hash := func(feed policy.Feed) string {
		set, err := policy.LoadWith(memory(map[string]string{"p.yaml": mixed}), []string{"p.yaml"}, policy.Options{
			Feed: func(string) policy.Feed { return feed },
		})
		if err != nil {
			t.Fatal(err)
		}
		return set.Policies[0].Hash
	}
	if hash(goodFeed("192.0.2.0/24\n")) == hash(policy.Feed{}) {
		t.Error("the hash is that of a set which holds nothing more")
	}
}

func TestGrownOrShrunkIsByMoreThanHalf(t *testing.T) {
	t.Parallel()
	size := func(elements int, ipv4, ipv6 float64) policy.Size {
		return policy.Size{Elements: elements, Addresses: [2]float64{ipv4, ipv6}}
	}
	all6 := math.Pow(2, 128)
	for _, test := range []struct {
		name     string
		was, now policy.Size
		want     string
	}{
		{"the same", size(10, 10, 10), size(10, 10, 10), ""},
		{"grown by half", size(10, 10, 10), size(15, 15, 15), ""},
		{"one element more", size(10, 10, 10), size(16, 10, 10), "it has grown from 10 to 16 elements since it was last used"},
		{"shrunk by half", size(10, 10, 10), size(5, 5, 5), ""},
		{"one element less", size(10, 10, 10), size(4, 10, 10), "it has shrunk from 10 to 4 elements since it was last used"},
		{"wider elements", size(10, 10, 0), size(10, 16, 0), "it has grown from 10 to 16 IPv4 addresses since it was last used"},
		{"narrower elements", size(9, 0, 8), size(9, 0, 3), "it has shrunk from 8 to 3 IPv6 addresses since it was last used"},
		{"a family more", size(10, 10, 0), size(11, 10, 1), "it has grown from 0 to 1 IPv6 addresses since it was last used"},
		{"a family less", size(10, 10, 1), size(9, 10, 0), "it has shrunk from 1 to 0 IPv6 addresses since it was last used"},
		{
			"everything", size(1, 0, all6/4), size(1, 0, all6),
			"it has grown from 8.50706e+37 to 3.40282e+38 IPv6 addresses since it was last used",
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			if got := test.was.Change(test.now); got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}

func TestAddressesAreCountedOnce(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		lines string
		want  policy.Size
	}{
		{"10.0.0.0/24\n10.0.0.0/25\n10.0.0.7\n", policy.Size{Elements: 3, Addresses: [2]float64{256, 0}}},
		{"10.0.0.1-10.0.1.0\n", policy.Size{Elements: 1, Addresses: [2]float64{256, 0}}},
		{"2001:db8::/63\n", policy.Size{Elements: 1, Addresses: [2]float64{0, math.Pow(2, 65)}}},
		{"::/0\n0.0.0.0/0\n", policy.Size{Elements: 2, Addresses: [2]float64{math.Pow(2, 32), math.Pow(2, 128)}}},
	} {
		set := loadFed(t, `{url: "`+feedURL+`", allow-wide: true}`, goodFeed(test.lines))
		if diff := cmp.Diff(test.want, set.Sources()[0].Size()); diff != "" {
			t.Errorf("%q (-want +got):\n%s", test.lines, diff)
		}
	}
}
