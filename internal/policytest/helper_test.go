package policytest_test

import (
	"bytes"
	"testing"
	"testing/fstest"

	"github.com/egress-janitor/egress-janitor/internal/policytest"
)

// policies are what most tests are about: a file with three policies and two exceptions.
const policies = `version: 1
policies:
  - name: no-smtp
    description: Mail leaves through the relays.
    severity: high
    owner: mail@example.com
    groups: all
    match: {protocol: [tcp], ports: [25]}
    action: revoke
  - name: documented
    description: Rules say what they are for.
    severity: low
    owner: platform@example.com
    groups: {tags: {env: prod}}
    match: {description: {empty: true}}
    action: report
  - name: quarantine
    description: No way out.
    severity: critical
    owner: soc@example.com
    groups: {tags: {quarantine: "*"}, accounts: [prod]}
    match: {every-rule: true, rule-action: any}
    action: revoke
  - name: expired
    description: A rule ends when it says so.
    severity: low
    owner: platform@example.com
    groups: all
    match: {expired: {description: 'expires=(\S+)'}}
    action: revoke
    baseline: 2026-06-01
exceptions:
  - name: relays
    policies: [no-smtp]
    groups: {names: [mail-*]}
    match: {ports: {within: [25]}}
    reason: They are the relays.
    owner: mail@example.com
    expires: 2026-12-31
  - name: collector
    policies: [quarantine]
    groups: all
    match: {destination: {within: [10.250.0.0/28]}}
    reason: For the investigators.
    owner: soc@example.com
    expires: 2026-12-31
`

// head begins a file of tests about policies.
const head = `version: 1
policies: [policy.yaml]
now: 2026-11-23T12:00:00Z
account: prod
prefix-lists: {pl-empty: [], pl-inside: [10.250.0.0/29, "::ffff:10.250.0.8/125"]}
port-lists: {prl-mail: [25], prl-mixed: [25, 80-90], prl-empty: []}
groups:
  web: {id: sg-web, name: web}
  mail: {name: mail-1}
  prod: {name: shop, tags: {env: prod}}
  suspect: {name: shop, tags: {quarantine: ""}}
tests:
`

// load loads files of tests, by their names, beside policy.yaml.
func load(tb testing.TB, files map[string]string) *policytest.Suite {
	tb.Helper()
	suite, err := policytest.Load(memory(files), []string{"."})
	if err != nil {
		tb.Fatalf("loading:\n%v", err)
	}
	return suite
}

func memory(files map[string]string) fstest.MapFS {
	fsys := fstest.MapFS{"policy.yaml": {Data: []byte(policies)}}
	for name, text := range files {
		fsys[name] = &fstest.MapFile{Data: []byte(text)}
	}
	return fsys
}

// runOne runs one test that has the given keys after its name, in flow style.
func runOne(t *testing.T, keys string) *policytest.Result {
	t.Helper()
	text := head + "  - {name: the test, " + keys + "}\n"
	report := load(t, map[string]string{"a_test.yaml": text}).Run(nil)
	if len(report.Results) != 1 {
		t.Fatalf("%d results, want 1", len(report.Results))
	}
	return &report.Results[0]
}

func written(t *testing.T, write func(*bytes.Buffer) error) string {
	t.Helper()
	var out bytes.Buffer
	if err := write(&out); err != nil {
		t.Fatal(err)
	}
	return out.String()
}
