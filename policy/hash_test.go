package policy_test

import (
	"os"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/egress-janitor/egress-janitor/policy"
)

// The file that the tests of the hash change in one place at a time.
const hashed = `version: 1
timezone: Asia/Shanghai
sets:
  s: {cidrs: [198.51.100.0/24, 203.0.113.0/24]}
  f: {file: feed.txt}
policies:
  - name: p
    description: A policy.
    severity: low
    owner: owner@example.com
    ticket: NET-1
    groups: {accounts: [prod], regions: [cn-*, eu-*], ids: [sg-*], names: [web-*], vpcs: [vpc-*], types: [normal], resource-groups: [rg-1], tags: {env: prod, team: "*"}, without-tags: {exempt: "*"}, expired-tag: expires}
    match:
      destination: {overlaps: [$s, $f, 192.0.2.0/24]}
      protocol: {overlaps: [tcp, udp]}
      ports: {within: [22, 80-90]}
      source: {within: [10.0.0.0/8, 192.0.2.0/24]}
      source-ports: {within: [22, 80-90, 1024-65535]}
      priority: {within: [1, 5-9]}
      destination-group: [sg-*, "sh-*"]
      prefix-list: [pl-*]
      destination-kind: [cidr4, cidr6]
      wider-than: {ipv4: 24}
      older-than: 90d
      expired: {description: 'until=(\S+)'}
      description: {matches: temp}
      any: [{ports: [22]}, {not: {protocol: [udp]}}]
    action: report
    collateral: hold
    allow-opening: false
    only-if: any
    approval: none
    grace: 72h
    baseline: 2026-12-01
    limits: {per-sweep: 15, per-group: 5}
exceptions:
  - name: x
    policies: [p]
    groups: {ids: [sg-1]}
    match: {destination: {within: [203.0.113.0/24]}}
    reason: why
    owner: owner@example.com
    expires: 2027-01-31
`

const hashedFeed = "10.9.0.0/16\n10.8.0.0/16\n"

// from is the rest of a text from where something stands in it.
func from(text, start string) string {
	_, rest, _ := strings.Cut(text, start)
	return start + rest
}

func hashOf(t *testing.T, text, feed string) string {
	t.Helper()
	set := loadFiles(t, map[string]string{"p.yaml": text, "feed.txt": feed}, "p.yaml")
	return set.Policies[0].Hash
}

func TestTheHashStaysWhereTheMeaningStays(t *testing.T) {
	t.Parallel()
	want := hashOf(t, hashed, hashedFeed)
	for _, test := range []struct{ name, old, with string }{
		{"a comment", "policies:\n", "# A comment.\npolicies: # another\n"},
		{"quotes", "name: p\n", "name: \"p\"\n"},
		{"block style", "ids: [sg-1]", "\"ids\": [ 'sg-1' ]"},
		{"the order of a list of addresses", "[$s, $f, 192.0.2.0/24]", "[192.0.2.0/24, $f, $s]"},
		{"a set written out", "[$s, $f, 192.0.2.0/24]", "[$f, 198.51.100.0/24, 203.0.113.0/24, 192.0.2.0/24, $s]"},
		{"an address block as a range", "192.0.2.0/24", "192.0.2.0-192.0.2.255"},
		{"a bare list for overlaps", "protocol: {overlaps: [tcp, udp]}", "protocol: [tcp, udp]"},
		{"a protocol by its number, in another order", "[tcp, udp]", "[17, TCP]"},
		{"the order of ports", "[22, 80-90]", "[80-90, 22]"},
		{"a port as a range", "[22, 80-90]", "[22-22, 80-90]"},
		{"the order of globs", "[cn-*, eu-*]", "[eu-*, cn-*]"},
		{"the order of tags", "{env: prod, team: \"*\"}", "{team: \"*\", env: prod}"},
		{"the order of kinds", "[cidr4, cidr6]", "[cidr6, cidr4]"},
		{"a duration in hours", "90d", "2160h"},
		{
			"a default left out",
			"    collateral: hold\n    allow-opening: false\n    only-if: any\n    approval: none\n    grace: 72h\n", "",
		},
		{"a baseline as a time", "baseline: 2026-12-01", "baseline: 2026-11-30T16:00:00Z"},
		{"a baseline as a time of the zone", "baseline: 2026-12-01", "baseline: 2026-12-01T00:00:00+08:00"},
		{"the order of sources", "[10.0.0.0/8, 192.0.2.0/24]", "[192.0.2.0/24, 10.0.0.0/8]"},
		{"source ports that touch", "[22, 80-90, 1024-65535]", "[1024-65535, 22, 80-90]"},
		{"the order of priorities", "[1, 5-9]", "[5-9, 1-1]"},
		{"the order of groups", "[sg-*, \"sh-*\"]", "[sh-*, sg-*]"},
		{"a grace in days", "grace: 72h", "grace: 3d"},
		{"the order of limits", "{per-sweep: 15, per-group: 5}", "{per-group: 5, per-sweep: 15}"},
		{"the name of a set", "$s,", "$s ,"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			changed := strings.Replace(hashed, test.old, test.with, 1)
			if changed == hashed {
				t.Fatalf("%q is not in the file", test.old)
			}
			if got := hashOf(t, changed, hashedFeed); got != want {
				t.Errorf("%q for %q changes the hash", test.with, test.old)
			}
		})
	}
	if got := hashOf(t, hashed, "# A feed.\n10.8.0.0/16\n\n  10.9.0.0/16 # twice\n10.9.0.0/16\n"); got != want {
		t.Error("the spelling of a set's file changes the hash")
	}
}

func TestTheHashChangesWithTheMeaning(t *testing.T) {
	t.Parallel()
	seen := map[string]string{hashOf(t, hashed, hashedFeed): "the original", hashOf(t, hashed, hashedFeed+"10.7.0.0/16\n"): "the feed"}
	if len(seen) != 2 {
		t.Error("the contents of a set's file do not change the hash")
	}
	for _, test := range []struct{ name, old, with string }{
		{"name", "name: p\n", "name: q\n"},
		{"severity", "severity: low", "severity: high"},
		{"accounts", "accounts: [prod]", "accounts: [prod, test]"},
		{"regions", "regions: [cn-*, eu-*]", "regions: [cn-*]"},
		{"ids", "ids: [sg-*]", "ids: [\"sg-?*\"]"},
		{"names", "names: [web-*]", "names: [Web-*]"},
		{"globs under another key", "names: [web-*], vpcs: [vpc-*]", "names: [vpc-*], vpcs: [web-*]"},
		{"vpcs", "vpcs: [vpc-*], ", ""},
		{"types", "types: [normal]", "types: [normal, enterprise]"},
		{"a tag's value", "env: prod", "env: test"},
		{"a tag's key", "env: prod", "Env: prod"},
		{"without-tags", "without-tags: {exempt: \"*\"}, ", ""},
		{
			"tags and without-tags exchanged", "tags: {env: prod, team: \"*\"}, without-tags: {exempt: \"*\"}",
			"tags: {exempt: \"*\"}, without-tags: {env: prod, team: \"*\"}",
		},
		{"expired-tag", ", expired-tag: expires", ""},
		{"all groups", "groups: {accounts: [prod]", "groups: {accounts: [\"*\"]"},
		{"timezone", "Asia/Shanghai", "UTC"},
		{"an element of a set", "198.51.100.0/24", "198.51.100.0/25"},
		{"a relation of addresses", "{overlaps: [$s,", "{outside: [$s,"},
		{"an element of a list", "192.0.2.0/24", "192.0.2.0/25"},
		{"a relation of protocols", "{overlaps: [tcp", "{covers: [tcp"},
		{"a protocol", "[tcp, udp]", "[tcp, icmp]"},
		{"all protocols", "[tcp, udp]", "[tcp, udp, all]"},
		{"a relation of ports", "{within: [22, 80-90]}", "{equals: [22, 80-90]}"},
		{"ports", "80-90", "80-91"},
		{"destination-kind", "[cidr4, cidr6]", "[cidr4]"},
		{"wider-than", "{ipv4: 24}", "{ipv4: 25}"},
		{"wider-than of the other family", "{ipv4: 24}", "{ipv6: 24}"},
		{"older-than", "90d", "91d"},
		{"the expression of expired", "until=", "expires="},
		{"the expression of description", "matches: temp", "matches: '(?i)temp'"},
		{"description empty", "{matches: temp}", "{empty: true}"},
		{"any for all", "any: [", "all: ["},
		{"not", "{not: {protocol: [udp]}}", "{protocol: [udp]}"},
		{"every-rule", "      any:", "      every-rule: true\n      any:"},
		{"rule-action any", "      any:", "      rule-action: any\n      any:"},
		{"rule-action drop", "      any:", "      rule-action: drop\n      any:"},
		{"resource-groups", "resource-groups: [rg-1]", "resource-groups: [rg-2]"},
		{"resource-groups for vpcs", "vpcs: [vpc-*], types: [normal], resource-groups: [rg-1]", "vpcs: [rg-1], types: [normal], resource-groups: [vpc-*]"},
		{"a source", "10.0.0.0/8, 192.0.2.0/24", "10.0.0.0/9, 192.0.2.0/24"},
		{"a relation of sources", "source: {within", "source: {outside"},
		{
			"source and destination exchanged",
			"[$s, $f, 192.0.2.0/24]}\n      protocol: {overlaps: [tcp, udp]}\n      ports: {within: [22, 80-90]}\n      source: {within: [10.0.0.0/8, 192.0.2.0/24]}",
			"[10.0.0.0/8, 192.0.2.0/24]}\n      protocol: {overlaps: [tcp, udp]}\n      ports: {within: [22, 80-90]}\n      source: {within: [$s, $f, 192.0.2.0/24]}",
		},
		{"source ports", "1024-65535", "1025-65535"},
		{
			"ports and source ports exchanged",
			"ports: {within: [22, 80-90]}\n      source: {within: [10.0.0.0/8, 192.0.2.0/24]}\n      source-ports: {within: [22, 80-90, 1024-65535]}",
			"ports: {within: [22, 80-90, 1024-65535]}\n      source: {within: [10.0.0.0/8, 192.0.2.0/24]}\n      source-ports: {within: [22, 80-90]}",
		},
		{"a priority", "[1, 5-9]", "[1, 5-8]"},
		{"a relation of priorities", "priority: {within", "priority: {outside"},
		{"destination-group", "[sg-*, \"sh-*\"]", "[sg-*]"},
		{"prefix-list", "prefix-list: [pl-*]", "prefix-list: [pl-1]"},
		{"groups for prefix lists", "destination-group: [sg-*, \"sh-*\"]\n      prefix-list: [pl-*]", "destination-group: [pl-*]\n      prefix-list: [sg-*, \"sh-*\"]"},
		{"a baseline", "baseline: 2026-12-01", "baseline: 2026-12-02"},
		{"a baseline by less than a second", "baseline: 2026-12-01", "baseline: 2026-11-30T16:00:00.1Z"},
		{"no baseline", "    baseline: 2026-12-01\n", ""},
		{"action", "action: report", "action: revoke"},
		{"collateral", "collateral: hold", "collateral: revoke"},
		{"allow-opening", "allow-opening: false", "allow-opening: true"},
		{"grace", "grace: 72h", "grace: 73h"},
		{"no grace", "grace: 72h", "grace: 0s"},
		{"a limit", "per-sweep: 15", "per-sweep: 16"},
		{"the other limit", "per-group: 5", "per-group: 6"},
		{"a limit left out", "per-sweep: 15, ", ""},
		{"limits exchanged", "{per-sweep: 15, per-group: 5}", "{per-sweep: 5, per-group: 15}"},
		{"no limits", "    limits: {per-sweep: 15, per-group: 5}\n", ""},
		{"an exception's name", "name: x", "name: y"},
		{"an exception's policies", "policies: [p]", "policies: [\"*\"]"},
		{"an exception's groups", "ids: [sg-1]", "ids: [sg-2]"},
		{"an exception's match", "{within: [203.0.113.0/24]}", "{within: [203.0.113.0/25]}"},
		{"an exception's relation", "{within: [203.0.113.0/24]}", "{overlaps: [203.0.113.0/24]}"},
		{"an exception's reason", "reason: why", "reason: other"},
		{"an exception's end", "2027-01-31", "2027-02-01"},
		{"an exception's action", "{destination: {within", "{rule-action: accept, destination: {within"},
		{"no exception", from(hashed, "exceptions:"), ""},
	} {
		changed := strings.Replace(hashed, test.old, test.with, 1)
		if changed == hashed {
			t.Fatalf("%s: %q is not in the file", test.name, test.old)
		}
		if test.name == "name" {
			changed = strings.Replace(changed, "policies: [p]", "policies: [q]", 1)
		}
		hash := hashOf(t, changed, hashedFeed)
		if same, ok := seen[hash]; ok {
			t.Errorf("%s: the hash is that of %s", test.name, same)
		}
		seen[hash] = test.name
	}
}

func TestTheHashOfASetDoesNotDependOnTheOrderOfItsFiles(t *testing.T) {
	t.Parallel()
	other := strings.Replace(policyWith("{ports: [22]}"), "name: p", "name: q", 1)
	files := map[string]string{"p.yaml": hashed, "feed.txt": hashedFeed, "q.yaml": other}
	forth := loadFiles(t, files, "p.yaml", "q.yaml")
	back := loadFiles(t, files, "q.yaml", "p.yaml")
	joined := load(t, strings.Replace(strings.Replace(hashed, "{file: feed.txt}", "{cidrs: [10.8.0.0/16, 10.9.0.0/16]}", 1),
		"exceptions:\n", from(other, "  - name")+"exceptions:\n", 1))
	for name, set := range map[string]*policy.Set{"the other order": back, "one file": joined} {
		if set.Hash() != forth.Hash() {
			t.Errorf("%s has another hash", name)
		}
	}
	if alone := loadFiles(t, files, "p.yaml"); alone.Hash() == forth.Hash() {
		t.Error("a further policy does not change the hash of the set")
	} else if alone.Policies[0].Hash != forth.Policies[0].Hash {
		t.Error("a further policy changes the hash of another one")
	}
}

func TestTheExampleOfTheDesignLoads(t *testing.T) {
	t.Parallel()
	set, err := policy.Load(os.DirFS("testdata/ok"), []string{"design-example.yaml"})
	if err != nil {
		t.Fatal(err)
	}
	if len(set.Policies) != 2 || len(set.Exceptions) != 1 {
		t.Fatalf("got %d policies and %d exceptions, want 2 and 1", len(set.Policies), len(set.Exceptions))
	}
	if got, want := set.Policies[1].Baseline, time.Date(2026, time.November, 30, 16, 0, 0, 0, time.UTC); !got.Equal(want) {
		t.Errorf("the baseline is %s, want %s", got, want)
	}
	data, err := os.ReadFile("testdata/ok/design-example.yaml")
	if err != nil {
		t.Fatal(err)
	}
	for _, later := range []struct{ now, line string }{
		{"approval: none", "approval: required"},
	} {
		changed := strings.Replace(string(data), later.now, later.line, 1)
		if changed == string(data) {
			t.Fatalf("%q is not in the file", later.now)
		}
		_, err := policy.Load(fstest.MapFS{"p.yaml": {Data: []byte(changed)}}, []string{"p.yaml"})
		if err == nil || !strings.HasSuffix(err.Error(), "[not-supported-yet]") || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: got %v, want one line that ends in [not-supported-yet]", later.line, err)
		}
	}
}
