package estates_test

import (
	"bytes"
	"errors"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/egress-janitor/egress-janitor/internal/ecsemu/cloud"
	"github.com/egress-janitor/egress-janitor/internal/ecsemu/estates"
)

func export(t interface {
	Helper()
	Fatalf(format string, args ...any)
}, estate *cloud.Estate,
) string {
	t.Helper()
	var b bytes.Buffer
	if err := estates.Export(&b, estate); err != nil {
		t.Fatalf("exporting: %v", err)
	}
	return b.String()
}

// TestAnExportReadsBackToTheSame goes through estates with every kind of text in every place.
func TestAnExportReadsBackToTheSame(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := estateGen().Draw(t, "estate")
		text := export(t, want)
		got, err := estates.Load("export", []byte(text))
		if err != nil {
			t.Fatalf("%v\nof:\n%s", err, text)
		}
		if diff := cmp.Diff(want, got, comparedRules); diff != "" {
			t.Fatalf("(-want +got):\n%s\nof:\n%s", diff, text)
		}
	})
}

// TestFilesReadBackToTheSame does so with the files that people wrote.
func TestFilesReadBackToTheSame(t *testing.T) {
	files := []string{"../../../../configs/estate.yaml"}
	for _, file := range corpus(t, "good") {
		files = append(files, "good/"+file)
	}
	for _, file := range files {
		t.Run(file, func(t *testing.T) {
			want, err := load(t, file)
			if err != nil {
				t.Fatal(err)
			}
			got, err := estates.Load("export", []byte(export(t, want)))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, got, comparedRules); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// TestAnExportIsAsAPersonWouldWriteIt shows the layout: what is in quotes, what is on one line, what is left out.
func TestAnExportIsAsAPersonWouldWriteIt(t *testing.T) {
	estate, err := load(t, "good/accounts.yaml")
	if err != nil {
		t.Fatal(err)
	}
	page(t, "testdata/accounts.export", export(t, estate))
}

type brokenPipe struct{}

func (brokenPipe) Write([]byte) (int, error) { return 0, errors.New("broken pipe") }

func TestExportTellsThatTheWriterFailed(t *testing.T) {
	err := estates.Export(brokenPipe{}, &cloud.Estate{Account: "42"})
	if err == nil || err.Error() != "writing the estate: broken pipe" {
		t.Errorf("got error %v", err)
	}
}

// TestACloudExportsWhatItWasMadeOf starts a cloud with an export of a cloud, which must then export the same.
func TestACloudExportsWhatItWasMadeOf(t *testing.T) {
	for _, file := range corpus(t, "good") {
		t.Run(file, func(t *testing.T) {
			estate, err := load(t, "good/"+file)
			if err != nil {
				t.Fatal(err)
			}
			first := restart(t, estate).Estate(true)
			read, err := estates.Load("export", []byte(export(t, first)))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(export(t, first), export(t, restart(t, read).Estate(true))); diff != "" {
				t.Errorf("(-first +second):\n%s", diff)
			}
			if file == "accounts.yaml" {
				page(t, "testdata/accounts.state", export(t, first))
			}
		})
	}
}

func restart(t *testing.T, estate *cloud.Estate) *cloud.Cloud {
	t.Helper()
	c, err := cloud.New(cloud.Options{Estate: estate, Clock: time.Now, Seed: 1})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestAnExportHasKeysOnlyIfAsked(t *testing.T) {
	estate, err := load(t, "good/accounts.yaml")
	if err != nil {
		t.Fatal(err)
	}
	c := restart(t, estate)
	without, with := export(t, c.Estate(false)), export(t, c.Estate(true))
	for _, secret := range []string{"shop-root-secret", "shop-janitor-secret", "shop-old-secret", "auditor-secret", "LTAI5tShopRoot"} {
		if strings.Contains(without, secret) || !strings.Contains(with, secret) {
			t.Errorf("%s: got %t without and %t with secrets", secret, strings.Contains(without, secret), strings.Contains(with, secret))
		}
	}
}

func FuzzLoad(f *testing.F) {
	for _, dir := range []string{"good", "bad"} {
		files, err := os.ReadDir("testdata/" + dir)
		if err != nil {
			f.Fatal(err)
		}
		for _, file := range files {
			data, err := os.ReadFile("testdata/" + dir + "/" + file.Name())
			if err != nil {
				f.Fatal(err)
			}
			f.Add(data)
		}
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		want, err := estates.Load("f", data)
		if err != nil {
			return
		}
		text := export(t, want)
		got, err := estates.Load("export", []byte(text))
		if err != nil {
			t.Fatalf("%v\nof:\n%s", err, text)
		}
		if diff := cmp.Diff(want, got, comparedRules); diff != "" {
			t.Fatalf("(-want +got):\n%s\nof:\n%s", diff, text)
		}
	})
}

// awkward are texts that YAML takes for something else if they are not in quotes, or cannot take as they are.
func awkward() []string {
	return []string{
		"", " ", " a", "a ", "a b", "null", "~", "true", "No", "y", "1", "010", "0x1F", "1e3", "1_000", "-1/-1", "-", "- a", "?", ": ",
		"a: b", "a:b", "::/0", "fd00::", "#", "a #b", "a#b", "{a}", "[a]", "a, b", "a,b", "*a", "&a", "!a", "|", ">", "%a", "@a", "`a",
		`"a"`, "'a'", `a"b`, "it's", `a\b`, "a\nb", "a\n", "\n", "\n\n a\n", "a\tb", "\t", "a\n\n\nb\n", "a\r\nb", "2025-01-01",
		"2025-01-02T03:04:05Z", "2021-02-20T07:11Z", "1.5", ".inf", ".nan", "10.0.0.0/8", "10.0.0.1", "443/443", "1/65535", "…",
		"临时全放通，上线后删除", "é", "e\u0301", "\u0085", "\u2028", "\ufeff", "\u00a0", "\x00", "\x7f", "\U0001f600", "<<", "=",
		"---", "...", "a\\", "+1", "0o17", "190:20:30", strings.Repeat("long ", 60),
	}
}

func textGen() *rapid.Generator[string] {
	return rapid.OneOf(rapid.SampledFrom(awkward()), rapid.StringMatching(`[ -~]{0,12}`), rapid.String())
}

// someGen gives at most few elements, and nil for none.
func someGen[E any](of *rapid.Generator[E], few int) *rapid.Generator[[]E] {
	return rapid.Custom(func(t *rapid.T) []E {
		if list := rapid.SliceOfN(of, 0, few).Draw(t, "list"); len(list) > 0 {
			return list
		}
		return nil
	})
}

func idGen() *rapid.Generator[string] {
	return textGen().Filter(func(s string) bool { return strings.TrimSpace(s) != "" })
}

// different keeps the first of those with the same key.
func different[E any](list []E, key func(E) string) []E {
	seen := map[string]bool{}
	return slices.DeleteFunc(list, func(e E) bool {
		twice := seen[key(e)]
		seen[key(e)] = key(e) != ""
		return twice
	})
}

func tagsGen() *rapid.Generator[map[string]string] {
	return rapid.Custom(func(t *rapid.T) map[string]string {
		if tags := rapid.MapOfN(textGen(), textGen(), 0, 3).Draw(t, "tags"); len(tags) > 0 {
			return tags
		}
		return nil
	})
}

// TestWhatACloudLeavesOutOfItsEstate has what it would fill in by itself, and what only looks so.
func TestWhatACloudLeavesOutOfItsEstate(t *testing.T) {
	entries := []cloud.Entry{{CIDR: "10.0.0.0/8"}}
	ports := []cloud.PortEntry{{Ports: "1/1"}}
	given := &cloud.Estate{
		Account: "5", Keys: []cloud.AccessKey{{ID: "k", Secret: "s"}},
		Regions: []cloud.Region{{
			ID: "r", GroupQuota: 7, VPCs: []cloud.VPC{{ID: "vpc-1"}},
			PrefixLists: []cloud.PrefixList{
				{ID: "pl-full", Family: "IPv4", Entries: entries}, {ID: "pl-room", Family: "IPv4", MaxEntries: 2, Entries: entries},
			},
			PortLists: []cloud.PortList{{ID: "prl-full", Entries: ports}, {ID: "prl-room", MaxEntries: 2, Entries: ports}},
			Groups: []cloud.Group{{ID: "sg-1", Type: "normal", VPC: "vpc-1", Egress: []cloud.Rule{
				{ID: "sgr-1", Protocol: "tcp", Ports: "-1/-1", Peer: "10.0.0.0/8", Policy: "accept", Priority: 1},
				{ID: "sgr-2", Protocol: "all", Peer: "10.0.0.0/8", Policy: "accept", Priority: 1},
				{ID: "sgr-3", Protocol: "all", Ports: "1/1", Peer: "10.0.0.0/8", Policy: "accept", Priority: 1},
			}}},
		}},
		Others: []cloud.Estate{{Account: "1"}, {Account: "3"}, {Account: "9"}},
	}
	got := restart(t, given).Estate(true)
	for i := range given.Others {
		given.Others[i].Regions = got.Others[i].Regions
	}
	if diff := cmp.Diff(given, got, comparedRules); diff != "" {
		t.Errorf("estate (-given +exported):\n%s", diff)
	}
}

// TestPoliciesThatAreNoBlocks has texts of several lines that would not be the same as a block.
func TestPoliciesThatAreNoBlocks(t *testing.T) {
	for _, trust := range []string{"\n", "a\n", "a\n\n", " a\n", "\na\n", "a\x01\n", "a", "a\nb"} {
		text := export(t, &cloud.Estate{Account: "1", Roles: []cloud.Role{{Name: "r", Trust: trust}}})
		if got, want := strings.Contains(text, "|\n"), trust == "a\n"; got != want {
			t.Errorf("%q: got a block %t, want %t:\n%s", trust, got, want, text)
		}
	}
}
