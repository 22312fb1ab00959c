package policytest_test

import (
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/egress-janitor/egress-janitor/internal/policytest"
)

func TestARuleIsDecidedAboutAsTheProductDoes(t *testing.T) {
	t.Parallel()
	for name, keys := range map[string]string{
		"no policy objects":                  "group: web, rule: {to: 10.0.0.0/8, ports: 80}, expect: none",
		"one policy objects":                 "group: web, rule: {to: 10.0.0.0/8, ports: 25}, expect: revoke",
		"the rule permits more":              `group: web, rule: {to: 10.0.0.0/8, ports: 20-30}, expect: "hold: collateral"`,
		"all protocols have all ports":       `group: web, rule: {to: 10.0.0.0/8, protocol: all}, expect: "hold: collateral"`,
		"a protocol without ports":           "group: web, rule: {to: 10.0.0.0/8, protocol: icmp}, expect: none",
		"a protocol by its number":           "group: web, rule: {to: 10.0.0.0/8, protocol: 50}, expect: none",
		"a port list":                        "group: web, rule: {to: 10.0.0.0/8, ports: prl-mail}, expect: revoke",
		"a port list with more in it":        `group: web, rule: {to: 10.0.0.0/8, ports: prl-mixed}, expect: "hold: collateral"`,
		"a port list that is empty":          "group: web, rule: {to: 10.0.0.0/8, ports: prl-empty}, expect: none",
		"a port list that was not read":      "group: web, rule: {to: 10.0.0.0/8, ports: prl-other}, expect: none",
		"an exception":                       `group: mail, rule: {to: 10.0.0.0/8, ports: 25}, expect: "exempt: relays"`,
		"an exception that has ended":        "now: 2027-01-01T00:00:00Z, group: mail, rule: {to: 10.0.0.0/8, ports: 25}, expect: revoke",
		"an exception that is not known":     `group: suspect, rule: {to: pl-empty, ports: 1}, expect: "hold: exception-unknown"`,
		"an exception with a prefix list":    `group: suspect, rule: {to: pl-inside, ports: 1}, expect: "exempt: collector"`,
		"a policy that reports":              `group: prod, rule: {to: 10.0.0.0/8, ports: 80}, expect: "report: policy"`,
		"a description":                      "group: prod, rule: {to: 10.0.0.0/8, ports: 80, description: shop}, expect: none",
		"a tag without a value":              "group: suspect, rule: {to: 10.0.0.0/8, ports: 80}, expect: revoke",
		"a drop rule":                        `group: suspect, rule: {to: 10.0.0.0/8, ports: 80, action: drop}, expect: "hold: drop-rule"`,
		"a group of a cloud service":         `group: {managed: true}, rule: {to: 10.0.0.0/8, ports: 25}, expect: "skip: managed"`,
		"a protected group":                  `group: {tags: {egress-janitor: never}}, rule: {to: 10.0.0.0/8, ports: 25}, expect: "skip: protected"`,
		"a prefix list that was not read":    `group: web, rule: {to: pl-other, ports: 25}, expect: "skip: incomplete"`,
		"a rule without an ID":               `group: web, rule: {id: "", to: 10.0.0.0/8, ports: 25}, expect: "hold: no-rule-id"`,
		"a legacy priority":                  `group: web, rule: {to: 10.0.0.0/8, ports: 25, priority: 110}, expect: "hold: not-restorable"`,
		"a group as destination":             "group: web, rule: {to: sg-db, ports: 25}, expect: revoke",
		"its own group as destination":       `group: web, rule: {to: sg-web, ports: 25}, expect: "hold: not-restorable"`,
		"the same ID in another account":     `group: web, rule: {to: sg-web, owner: "12", ports: 25}, expect: revoke`,
		"an advanced group to another":       `group: {type: enterprise}, rule: {to: sg-db, ports: 25}, expect: "hold: not-restorable"`,
		"an expiry that is past":             `group: web, rule: {to: 10.0.0.0/8, ports: 80, created: 2026-06-01, description: expires=2026-11-22}, expect: revoke`,
		"an expiry that nobody understands":  `group: web, rule: {to: 10.0.0.0/8, ports: 80, description: expires=soon}, expect: "report: invalid-expiry"`,
		"an expiry of a rule that was there": `group: web, rule: {to: 10.0.0.0/8, ports: 80, created: "2026-05-31T23:59Z", description: expires=2026-11-22}, expect: "report: baseline"`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			result := runOne(t, keys)
			if !result.Passed() {
				t.Errorf("%v\ngot %+v", result.Mismatches, result.Got)
			}
		})
	}
}

func TestAPolicyThatGoesByEffectsIsTestedAsIfTheGroupHadTheOneRule(t *testing.T) {
	t.Parallel()
	suite := load(t, map[string]string{
		"policy.yaml": strings.Replace(policies, "    match: {protocol: [tcp], ports: [25]}\n    action: revoke\n",
			"    match: {protocol: [tcp], ports: [25]}\n    action: revoke\n    only-if: closes\n", 1),
		"a_test.yaml": head + `  - {name: basic, group: web, rule: {to: 10.0.0.0/8, ports: 25}, expect: "report: no-effect"}
  - {name: advanced, group: {type: enterprise}, rule: {to: 10.0.0.0/8, ports: 25}, expect: revoke}
  - {name: unknown, group: {type: enterprise}, rule: {to: pl-other, ports: 25}, expect: "hold: effect-unknown"}
`,
	})
	for _, result := range suite.Run(nil).Results {
		if !result.Passed() {
			t.Errorf("%s: %v", result.Name, result.Mismatches)
		}
	}
}

func TestAResultSaysInWhichWaysItIsNotWhatWasWanted(t *testing.T) {
	t.Parallel()
	rule := "group: {name: web, tags: {env: prod}}, rule: {to: 10.0.0.0/8, ports: 25}, "
	for name, c := range map[string]struct {
		keys string
		want []string
	}{
		"nothing":            {rule + `expect: revoke, policies: {no-smtp: candidate, documented: "report: policy"}`, nil},
		"the decision":       {rule + "expect: none", []string{"want none, got revoke"}},
		"a policy unnamed":   {rule + "expect: revoke, policies: {no-smtp: candidate}", []string{"policy documented: want no objection, got report: policy"}},
		"a policy's verdict": {rule + `expect: revoke, policies: {no-smtp: "hold: collateral", documented: "report: policy"}`, []string{"policy no-smtp: want hold: collateral, got candidate"}},
		"a policy too many": {
			rule + `expect: revoke, policies: {no-smtp: candidate, documented: "report: policy", expired: candidate}`,
			[]string{"policy expired: want candidate, got no objection"},
		},
		"a reason":               {rule + `expect: revoke, because: [protocol tcp, "overlaps 25", description is empty]`, nil},
		"a reason that is not":   {rule + "expect: revoke, because: [source]", []string{`want a reason with "source", got none`}},
		"a reason over two":      {rule + `expect: revoke, because: ["tcp; ports"]`, []string{`want a reason with "tcp; ports", got none`}},
		"a reason of a guard":    {`group: {managed: true}, rule: {to: 10.0.0.0/8, ports: 25}, expect: "skip: managed", because: [belongs to a cloud service]`, nil},
		"a reason of no verdict": {"group: web, rule: {to: 10.0.0.0/8, ports: 80}, expect: none, because: [ports]", []string{`want a reason with "ports", got none`}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if diff := cmp.Diff(c.want, runOne(t, c.keys).Mismatches); diff != "" {
				t.Errorf("mismatches (-want +got):\n%s", diff)
			}
		})
	}
}

func TestContentsOfASetWithAURLAreThoseOfTheFile(t *testing.T) {
	t.Parallel()
	policy := `version: 1
sets:
  threats: {url: "https://feeds.example.com/threats.txt", max-age: 3d}
policies:
  - name: no-threats
    description: Nothing leads to threats.
    severity: high
    owner: soc@example.com
    groups: all
    match: {destination: [$threats]}
    action: revoke
`
	file := func(sets string) string {
		return `version: 1
policies: [feed.yaml]
now: 2026-11-23T12:00:00Z
` + sets + `tests:
  - {name: there, group: {name: web}, rule: {to: 198.51.100.7, ports: 443}, expect: revoke}
  - {name: not there, group: {name: web}, rule: {to: 203.0.113.7, ports: 443}, expect: none}
  - {name: too old, now: 2026-11-26T12:00:01Z, group: {name: web}, rule: {to: 198.51.100.7, ports: 443}, expect: "hold: stale-set"}
`
	}
	report := load(t, map[string]string{
		"feed.yaml": policy, "a_test.yaml": file("sets: {threats: [198.51.100.0/24, 192.0.2.1]}\n"),
		"unread_test.yaml": file(""),
	}).Run(nil)
	var got []string
	for _, r := range report.Results {
		got = append(got, r.Got.Decision)
	}
	want := []string{"revoke", "none", "hold: stale-set", "none", "none", "none"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("decisions with contents and without (-want +got):\n%s", diff)
	}
}

// TestAFileOfASetIsAsOldAsTheClockOfTheTests keeps results from depending on when somebody checked out the files.
func TestAFileOfASetIsAsOldAsTheClockOfTheTests(t *testing.T) {
	t.Parallel()
	policy := `version: 1
sets:
  threats: {file: threats.txt, max-age: 3d}
policies:
  - name: no-threats
    description: Nothing leads to threats.
    severity: high
    owner: soc@example.com
    groups: all
    match: {destination: [$threats]}
    action: revoke
`
	tests := `version: 1
policies: [feeds]
now: 2026-11-23T12:00:00Z
tests:
  - {name: young, group: {name: web}, rule: {to: 198.51.100.7, ports: 443}, expect: revoke}
`
	fsys := fstest.MapFS{
		"feeds/feed.yaml":   {Data: []byte(policy)},
		"feeds/threats.txt": {Data: []byte("198.51.100.0/24\n"), ModTime: time.Date(2020, time.January, 1, 0, 0, 0, 0, time.UTC)},
		"feed_test.yaml":    {Data: []byte(tests)},
	}
	suite, err := policytest.Load(fsys, []string{"feed_test.yaml"})
	if err != nil {
		t.Fatal(err)
	}
	if got := suite.Run(nil).Results[0].Got.Decision; got != "revoke" {
		t.Errorf("got %s, want revoke", got)
	}
}

func TestWhatNoTestTouchesIsNamed(t *testing.T) {
	t.Parallel()
	tests := head + `  - {name: mail, group: web, rule: {to: 10.0.0.0/8, ports: 25}, expect: revoke}
  - {name: relay, group: mail, rule: {to: 10.0.0.0/8, ports: 25}, expect: "exempt: relays"}
`
	more := head + `  - {name: undocumented, group: prod, rule: {to: 10.0.0.0/8, ports: 25}, expect: revoke}
`
	names := func(items []policytest.Item) []string {
		got := []string{}
		for _, item := range items {
			got = append(got, item.Pos.String()+" "+item.Kind+" "+item.Name)
		}
		return got
	}
	check := func(files map[string]string, wantUntouched, wantUnspared []string) {
		t.Helper()
		report := load(t, files).Run(nil)
		if diff := cmp.Diff(wantUntouched, names(report.Untouched)); diff != "" {
			t.Errorf("untouched (-want +got):\n%s", diff)
		}
		if diff := cmp.Diff(wantUnspared, names(report.Unspared)); diff != "" {
			t.Errorf("unspared (-want +got):\n%s", diff)
		}
	}
	check(map[string]string{"a_test.yaml": tests},
		[]string{
			"policy.yaml:10:5 policy documented", "policy.yaml:17:5 policy quarantine", "policy.yaml:24:5 policy expired",
			"policy.yaml:40:5 exception collector",
		},
		[]string{"policy.yaml:3:5 policy no-smtp"})
	// Two files of tests about one policy file count together.
	check(map[string]string{"a_test.yaml": tests, "b_test.yaml": more},
		[]string{
			"policy.yaml:17:5 policy quarantine", "policy.yaml:24:5 policy expired", "policy.yaml:40:5 exception collector",
		},
		[]string{"policy.yaml:3:5 policy no-smtp"})
}

func TestOnlyWantedTestsAreRunAndSayNothingOfWhatIsUntouched(t *testing.T) {
	t.Parallel()
	tests := head + `  - {name: mail, group: web, rule: {to: 10.0.0.0/8, ports: 25}, expect: revoke}
  - {name: relay, group: mail, rule: {to: 10.0.0.0/8, ports: 25}, expect: "exempt: relays"}
`
	report := load(t, map[string]string{"a_test.yaml": tests}).Run(func(name string) bool { return name == "relay" })
	if len(report.Results) != 1 || report.Results[0].Name != "relay" {
		t.Errorf("got %+v, want the result of relay alone", report.Results)
	}
	if report.Untouched != nil || report.Unspared != nil {
		t.Errorf("got untouched %v and unspared %v, want none", report.Untouched, report.Unspared)
	}
}

func TestAFailedTestSaysWhyWhatItWantedDidNotCome(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		keys string
		want []policytest.Silence
	}{
		"a clause that is false": {
			"group: web, rule: {to: 10.0.0.0/8, ports: 26}, expect: revoke, policies: {no-smtp: candidate}",
			[]policytest.Silence{{
				Name: "no-smtp", Why: "no objection, since ports overlaps 25 is false of the rule, which has 26: nothing of it is in the list (policy.yaml:8:37)",
			}},
		},
		"a group that is not in scope": {
			"group: web, rule: {to: 10.0.0.0/8, ports: 26}, expect: revoke, policies: {quarantine: candidate}",
			[]policytest.Silence{{
				Name: "quarantine", Why: `no objection, since tags quarantine: "*" is false of the group, which has no tag quarantine (policy.yaml:21:13)`,
			}},
		},
		"an exception that has ended": {
			`now: 2027-01-01T00:00:00Z, group: mail, rule: {to: 10.0.0.0/8, ports: 25}, expect: "exempt: relays"`,
			[]policytest.Silence{{Name: "relays", Why: "does not apply, since it has ended"}},
		},
		"an exception whose match is false": {
			`group: mail, rule: {to: 10.0.0.0/8, ports: 20-25}, expect: "exempt: relays"`,
			[]policytest.Silence{{
				Name: "relays", Why: "does not apply, since ports within 25 is false of the rule, which has 20-25: not in the list: 20-24 (policy.yaml:36:29)",
			}},
		},
		"what was not wanted is explained by its reasons": {
			"group: web, rule: {to: 10.0.0.0/8, ports: 25}, expect: none", nil,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if diff := cmp.Diff(c.want, runOne(t, c.keys).Silent); diff != "" {
				t.Errorf("silent (-want +got):\n%s", diff)
			}
		})
	}
}
