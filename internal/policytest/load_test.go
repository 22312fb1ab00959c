package policytest_test

import (
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"github.com/egress-janitor/egress-janitor/internal/policytest"
	"github.com/egress-janitor/egress-janitor/metrics"
)

// loadErrors are the lines of what files are refused for.
func loadErrors(t *testing.T, fsys fstest.MapFS, paths ...string) []string {
	t.Helper()
	_, err := policytest.Load(fsys, paths)
	if err == nil {
		return nil
	}
	return strings.Split(err.Error(), "\n")
}

func TestMistakesOfATestAreToldWithTheirPlace(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ keys, want string }{
		"a decision that is none": {
			`group: web, rule: {to: 10.0.0.0/8, ports: 25}, expect: revoked`,
			`"revoked" is no decision; did you mean "revoke"? known are: none, skip: managed, skip: protected, skip: incomplete, ` +
				`hold: no-rule-id, hold: not-restorable, revoke, hold: exception-unknown, report: policy, report: invalid-expiry, ` +
				`hold: stale-set, hold: drop-rule, hold: collateral, report: no-effect, hold: effect-unknown, report: baseline, exempt: NAME [decision]`,
		},
		"a decision with no word near": {
			`group: web, rule: {to: 10.0.0.0/8, ports: 25}, expect: "?"`,
			`"?" is no decision; known are: none,`,
		},
		"a decision of a store": {
			`group: web, rule: {to: 10.0.0.0/8, ports: 25}, expect: "pending: grace"`,
			`"pending: grace" cannot come of a test: a test has no store and no config, so grace counts as over; say what is ` +
				`decided after that [decision]`,
		},
		"a decision as a mapping": {
			`group: web, rule: {to: 10.0.0.0/8, ports: 25}, expect: {hold: collateral}`,
			`expected a decision as reports print it, in quotes: "hold: collateral" [decision]`,
		},
		"an exception that is not there": {
			`group: web, rule: {to: 10.0.0.0/8, ports: 25}, expect: "exempt: relay"`,
			`the policies of this file have no exception "relay"; did you mean "relays"? [decision]`,
		},
		"a policy that is not there": {
			`group: web, rule: {to: 10.0.0.0/8, ports: 25}, expect: revoke, policies: {no-smpt: candidate}`,
			`this file tests no policy "no-smpt"; did you mean "no-smtp"? [unknown-policy]`,
		},
		"a policy that revokes alone": {
			`group: web, rule: {to: 10.0.0.0/8, ports: 25}, expect: revoke, policies: {no-smtp: revoke}`,
			`one policy alone revokes nothing; the verdict that may come to it is "candidate" [decision]`,
		},
		"a verdict that is that of a rule": {
			`group: web, rule: {to: 10.0.0.0/8, ports: 25}, expect: revoke, policies: {no-smtp: "skip: managed"}`,
			`"skip: managed" is no verdict of a policy;`,
		},
		"a group that is not there": {
			`group: wep, rule: {to: 10.0.0.0/8, ports: 25}, expect: revoke`,
			`this file has no group "wep"; did you mean "web"? [group]`,
		},
		"a key of a group": {
			`group: {nam: web}, rule: {to: 10.0.0.0/8, ports: 25}, expect: revoke`,
			`unknown key "nam"; did you mean "name"?`,
		},
		"a type of group": {
			`group: {type: basic}, rule: {to: 10.0.0.0/8, ports: 25}, expect: revoke`,
			`expected one of normal, enterprise, found "basic" [wrong-type]`,
		},
		"a key of a rule": {
			`group: web, rule: {to: 10.0.0.0/8, port: 25}, expect: revoke`,
			`unknown key "port"; did you mean "ports"?`,
		},
		"no ports": {
			`group: web, rule: {to: 10.0.0.0/8}, expect: revoke`,
			`the key "ports" is missing; write 1-65535 if all are meant [missing-key]`,
		},
		"ports where there are none": {
			`group: web, rule: {to: 10.0.0.0/8, protocol: all, ports: 25}, expect: revoke`,
			`a rule for all has no ports of its own in the cloud; leave them out [rule]`,
		},
		"ports that are none": {
			`group: web, rule: {to: 10.0.0.0/8, ports: 443-80}, expect: revoke`,
			`"443-80" is no port or range of ports, such as 443 or 8000-9000 [port]`,
		},
		"port 0": {
			`group: web, rule: {to: 10.0.0.0/8, ports: 0}, expect: revoke`,
			`"0" is no port or range of ports, such as 443 or 8000-9000 [port]`,
		},
		"source ports that are none": {
			`group: web, rule: {to: 10.0.0.0/8, ports: 25, source-ports: http}, expect: revoke`,
			`"http" is no port or range of ports, such as 443 or 8000-9000 [port]`,
		},
		"a destination that is none": {
			`group: web, rule: {to: 10.0.0.0/33, ports: 25}, expect: revoke`,
			`"10.0.0.0/33" is not an address block, the ID of a group (sg-…), or that of a prefix list (pl-…) [address]`,
		},
		"a source that is none": {
			`group: web, rule: {to: 10.0.0.0/8, ports: 25, source: sg-web}, expect: revoke`,
			`"sg-web" is not an address block [address]`,
		},
		"an owner of addresses": {
			`group: web, rule: {to: 10.0.0.0/8, ports: 25, owner: "12"}, expect: revoke`,
			`"owner" is the account of the group that the rule leads to; this one leads to none [rule]`,
		},
		"a protocol that is none": {
			`group: web, rule: {to: 10.0.0.0/8, ports: 25, protocol: tpc}, expect: revoke`,
			`"tpc" is no protocol: tcp, udp, icmp, icmpv6, gre, all or a number from 0 to 255 [rule]`,
		},
		"an action that is none": {
			`group: web, rule: {to: 10.0.0.0/8, ports: 25, action: deny}, expect: revoke`,
			`expected one of accept, drop, found "deny" [wrong-type]`,
		},
		"a priority that is none": {
			`group: web, rule: {to: 10.0.0.0/8, ports: 25, priority: 0}, expect: revoke`,
			`expected a whole number from 1 to 1000, found "0" [wrong-type]`,
		},
		"a NIC type that is none": {
			`group: web, rule: {to: 10.0.0.0/8, ports: 25, nic-type: vpc}, expect: revoke`,
			`expected one of intranet, internet, found "vpc" [wrong-type]`,
		},
		"a creation time that is none": {
			`group: web, rule: {to: 10.0.0.0/8, ports: 25, created: yesterday}, expect: revoke`,
			`"yesterday" is neither a time (2026-11-23T12:00:00Z) nor a date (2026-11-23) [time]`,
		},
		"a clock without a zone": {
			`now: 2026-11-23T12:00:00, group: web, rule: {to: 10.0.0.0/8, ports: 25}, expect: revoke`,
			`"2026-11-23T12:00:00" is no time with a zone, such as 2027-01-31T18:00:00+08:00 [time]`,
		},
		"a test without a decision": {
			`group: web, rule: {to: 10.0.0.0/8, ports: 25}`,
			`the key "expect" is missing [missing-key]`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			lines := loadErrors(t, memory(map[string]string{"a_test.yaml": head + "  - {name: the test, " + c.keys + "}\n"}), ".")
			if len(lines) != 1 {
				t.Fatalf("got %q, want one mistake", lines)
			}
			place, message, _ := strings.Cut(lines[0], ": ")
			if !strings.HasPrefix(place, "a_test.yaml:13:") {
				t.Errorf("got the place %s, want one in line 13", place)
			}
			if !strings.HasPrefix(message, c.want) {
				t.Errorf("message (-want +got):\n%s", cmp.Diff(c.want, message))
			}
		})
	}
}

func TestMistakesOfAFileAreToldWithTheirPlace(t *testing.T) {
	t.Parallel()
	const tests = "tests:\n  - {name: a, group: {name: web}, rule: {to: 10.0.0.0/8, ports: 25}, expect: revoke}\n"
	const now = "now: 2026-11-23T12:00:00Z\n"
	for name, c := range map[string]struct {
		text string
		want []string
	}{
		"nothing in it": {"version: 1\n", []string{
			`a_test.yaml:1:1: the key "now" is missing [missing-key]`,
			`a_test.yaml:1:1: the key "policies" is missing [missing-key]`,
			`a_test.yaml:1:1: the key "tests" is missing [missing-key]`,
		}},
		"another version": {"version: 2\npolicies: [policy.yaml]\n" + now + tests, []string{
			`a_test.yaml:1:10: version 2 is not known; this program reads version 1 [version]`,
		}},
		"a policy file that is not there": {"version: 1\npolicies: [policy.yml]\n" + now + tests, []string{
			`a_test.yaml:2:12: policy.yml cannot be read: file does not exist [file]`,
		}},
		"a policy file with a mistake": {"version: 1\npolicies: [wrong.yaml]\n" + now + tests, []string{
			`wrong.yaml:1:1: the file has neither "policies" nor "exceptions" [missing-key]`,
		}},
		"two tests with one name": {
			"version: 1\npolicies: [policy.yaml]\n" + now + tests +
				"  - {name: a, group: {name: web}, rule: {to: 10.0.0.0/8, ports: 25}, expect: revoke}\n",
			[]string{`a_test.yaml:6:12: there is a second test named "a"; the first is at a_test.yaml:5:12 [duplicate-name]`},
		},
		"lists that are none": {
			"version: 1\npolicies: [policy.yaml]\n" + now + "prefix-lists: {pl-1: [x], pl-2: {a: b}}\nport-lists: {prl-1: [x], prl-2: 80}\n" + tests,
			[]string{
				`a_test.yaml:4:23: "x" is neither an address nor an address block [address]`,
				`a_test.yaml:4:33: expected a list of address blocks, [] if it holds none, found a mapping [wrong-type]`,
				`a_test.yaml:5:22: "x" is no port or range of ports, such as 443 or 8000-9000 [port]`,
				`a_test.yaml:5:33: expected a list of ports and ranges, [] if it holds none, found "80" [wrong-type]`,
			},
		},
		"contents of a set that no policy has": {
			"version: 1\npolicies: [feed.yaml]\n" + now + "sets: {threat: [192.0.2.1]}\n" + tests,
			[]string{`a_test.yaml:4:8: the policies of this file have no set "threat" with a URL; did you mean "threats"? [set]`},
		},
		"contents of a set that are none": {
			"version: 1\npolicies: [feed.yaml]\n" + now + "sets: {threats: [192.0.2.1, '192.0.2.2 # x', nonsense]}\n" + tests,
			[]string{
				`a_test.yaml:4:8: the set "threats" cannot hold this: its contents cannot be used: line 3: "nonsense" is ` +
					`no address block, address or range a-b [set]`,
				`a_test.yaml:4:29: "192.0.2.2 # x" is no address, range or address block [address]`,
			},
		},
		"a decision without quotes": {
			"version: 1\npolicies: [policy.yaml]\n" + now + "tests:\n  - name: a\n    expect: hold: collateral # wide\n",
			[]string{`a_test.yaml:6:13: a decision with a colon needs quotes: write expect: "hold: collateral" [decision]`},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			fsys := memory(map[string]string{"a_test.yaml": c.text, "wrong.yaml": "version: 1\n", "feed.yaml": feed})
			got := loadErrors(t, fsys, "a_test.yaml")
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("mistakes (-want +got):\n%s", diff)
			}
		})
	}
}

// feed is a policy file with a set from a URL.
const feed = `version: 1
sets:
  threats: {url: "https://feeds.example.com/threats.txt"}
policies:
  - name: no-threats
    description: Nothing leads to threats.
    severity: high
    owner: soc@example.com
    groups: all
    match: {destination: [$threats]}
    action: revoke
`

func TestDirectoriesAreWalkedForTests(t *testing.T) {
	t.Parallel()
	tests := func(policies string) string {
		return "version: 1\npolicies: [" + policies + "]\nnow: 2026-11-23T12:00:00Z\n" +
			"tests:\n  - {name: a, group: {name: web}, rule: {to: 10.0.0.0/8, ports: 25}, expect: revoke}\n"
	}
	fsys := memory(map[string]string{
		"a_test.yaml": tests("policy.yaml"), "deeper/b_test.yaml": tests("../policy.yaml"),
		".git/d_test.yaml": "no YAML: [", "deeper/.hidden_test.yaml": "no YAML: [", "notes_test.txt": "nothing",
	})
	suite, err := policytest.Load(fsys, []string{".", "a_test.yaml"})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, r := range suite.Run(nil).Results {
		got = append(got, r.Pos.File)
	}
	if diff := cmp.Diff([]string{"a_test.yaml", "deeper/b_test.yaml"}, got); diff != "" {
		t.Errorf("files (-want +got):\n%s", diff)
	}
}

func TestPathsWithoutTestsAreMistakes(t *testing.T) {
	t.Parallel()
	fsys := memory(map[string]string{"none/policy.yaml": policies, "yml/a_test.yml": "version: 1\n"})
	for path, want := range map[string]string{
		"none":        "none:1:1: there is no policy test (*_test.yaml) [no-test]",
		"absent":      "absent:1:1: cannot be read: file does not exist [file]",
		"policy.yaml": "policy.yaml:1:1: is not named like a policy test: their names end in _test.yaml [file]",
		"yml":         "yml/a_test.yml:1:1: only *_test.yaml is read of a directory; rename it, or move it away [file]",
	} {
		if diff := cmp.Diff([]string{want}, loadErrors(t, fsys, path)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", path, diff)
		}
	}
}

// TestEveryWordOfReportsIsKnown holds the words that tests may expect against those that reports have: each can be
// expected, or it is said why not.
func TestEveryWordOfReportsIsKnown(t *testing.T) {
	t.Parallel()
	for _, action := range metrics.States() {
		for _, reason := range metrics.Reasons(action) {
			word := action + ": " + strings.Replace(reason, "limit-", "limit ", 1)
			switch action {
			case "exempt":
				word = "exempt: relays"
			case "revoke":
				word = action
			}
			text := head + "  - {name: a, group: web, rule: {to: 10.0.0.0/8, ports: 25}, expect: \"" + word + "\"}\n"
			for _, line := range loadErrors(t, memory(map[string]string{"a_test.yaml": text}), ".") {
				if !strings.Contains(line, "cannot come of a test") {
					t.Errorf("%s: %s", word, line)
				}
			}
		}
	}
}

func FuzzLoad(f *testing.F) {
	f.Add([]byte(head + "  - {name: a, group: web, rule: {to: 10.0.0.0/8, ports: 25}, expect: revoke}\n"))
	f.Add([]byte(head + "  - {name: a, group: {tags: {quarantine: x}}, rule: {to: sg-a, protocol: 50, action: drop}, expect: none}\n"))
	f.Add([]byte("version: 1\npolicies: [feed.yaml]\nnow: 2026-11-23T12:00:00Z\nsets: {threats: [192.0.2.1]}\ntests: [{}]\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		fsys := memory(map[string]string{"a_test.yaml": string(data), "feed.yaml": feed})
		suite, err := policytest.Load(fsys, []string{"a_test.yaml"})
		if err != nil {
			return
		}
		for _, r := range suite.Run(nil).Results {
			if r.Name == "" || r.Want.Decision == "" || r.Got.Decision == "" {
				t.Errorf("a test without a name or a decision was run: %+v", r)
			}
		}
	})
}
