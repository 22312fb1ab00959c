package policy_test

import (
	stdcmp "cmp"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/egress-janitor/egress-janitor/internal/sg"
	"github.com/egress-janitor/egress-janitor/policy"
)

// keepFile has two policies; what stands after exceptions is what a test adds.
const keepFile = `version: 1
sets: {partners: {file: partners.txt}}
policies:
  - name: one
    description: The first.
    severity: high
    owner: netsec@example.com
    groups: all
    match: {destination: {covers: [0.0.0.0/0]}}
    action: revoke
  - name: two
    description: The second.
    severity: high
    owner: netsec@example.com
    groups: all
    match: {destination: {outside: [$partners]}}
    action: revoke
`

// keepException is an exception of the policy one in the groups web, with all that a test may change.
const keepException = `exceptions:
  - name: mail
    policies: [one]
    groups: {names: [web]}
    match: {ports: {within: [25]}}
    reason: The relay.
    owner: mail@example.com
    expires: 2026-12-31
`

func keepSet(t *testing.T, exceptions, partners string) *policy.Set {
	t.Helper()
	set, err := policy.Load(fstest.MapFS{
		"p.yaml": {Data: []byte(keepFile + exceptions)}, "partners.txt": {Data: []byte(partners)},
	}, []string{"p.yaml"})
	if err != nil {
		t.Fatal(err)
	}
	return set
}

func TestAKeeperSpeaksForWhatTheLostExceptionMayHaveExempted(t *testing.T) {
	t.Parallel()
	byAge := strings.Replace(keepException, "{ports: {within: [25]}}", "{older-than: 30d}", 1)
	rule := sg.Fields{ID: "sgr-1", Protocol: "tcp", PortRange: "25/25", CIDR4: "0.0.0.0/0", Policy: "Accept", Priority: "1"}
	otherPorts, list := rule, rule
	otherPorts.PortRange = "26/26"
	list.PortRange, list.PortListID = "", "prl-unread"
	for _, c := range []struct {
		name   string
		before string
		policy int
		group  string
		rule   sg.Fields
		want   bool
	}{
		{"the rule that it exempted", keepException, 0, "web", rule, true},
		{"a rule whose ports could not be read", keepException, 0, "web", list, true},
		{"a policy that it was no exception of", keepException, 1, "web", rule, false},
		{"a group that it did not speak of", keepException, 0, "db", rule, false},
		{"a rule that it did not exempt", keepException, 0, "web", otherPorts, false},
		{"a rule whose age is not known", byAge, 0, "web", rule, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			before, after := keepSet(t, c.before, "203.0.113.0/24\n"), keepSet(t, "", "203.0.113.0/24\n")
			r := sg.NewRule(&c.rule)
			group := &sg.Group{Region: "cn-a", ID: "sg-1", Name: c.group}
			x := before.Keeper(after, "prod", changeTime()).Exempting(after.Policies[c.policy], group, &r)
			if (x != nil) != c.want {
				t.Errorf("got %v, want one: %t", x, c.want)
			}
		})
	}
}

func TestWhatCountsAsTheSameException(t *testing.T) {
	t.Parallel()
	sets := strings.Replace(keepException, "{ports: {within: [25]}}", "{destination: {within: [$partners]}}", 1)
	for _, c := range []struct {
		name, before, after string
		partners            string // afterwards
		vanished, changed   int
	}{
		{name: "it is as it was", before: keepException, after: keepException},
		{
			name: "it is of another policy", before: keepException,
			after: strings.Replace(keepException, "[one]", "[two]", 1), changed: 1,
		},
		{
			name: "it is of one more", before: keepException,
			after: strings.Replace(keepException, "[one]", "[one, two]", 1), changed: 1,
		},
		{
			name: "it is of other groups", before: keepException,
			after: strings.Replace(keepException, "[web]", "[db]", 1), changed: 1,
		},
		{name: "it is gone", before: keepException, vanished: 1},
		{name: "a set that it names holds less now", before: sets, after: sets, partners: "203.0.113.1/32\n"},
		{
			name: "it names no set any more", before: sets, changed: 1,
			after: strings.Replace(sets, "$partners", "203.0.113.0/24", 1),
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			before := keepSet(t, c.before, "203.0.113.0/24\n")
			after := keepSet(t, c.after, stdcmp.Or(c.partners, "203.0.113.0/24\n"))
			missed := before.Missed(after, changeTime())
			if diff := cmp.Diff([2]int{c.vanished, c.changed}, [2]int{len(missed.Vanished), len(missed.Changed)}); diff != "" {
				t.Errorf("vanished and changed (-want +got):\n%s", diff)
			}
		})
	}
}

func TestAKeeperOfNothingExemptsNothing(t *testing.T) {
	t.Parallel()
	set := keepSet(t, keepException, "203.0.113.0/24\n")
	rule := sg.NewRule(&sg.Fields{ID: "sgr-1", Protocol: "tcp", PortRange: "25/25", CIDR4: "0.0.0.0/0", Policy: "Accept"})
	group := &sg.Group{Region: "cn-a", ID: "sg-1", Name: "web"}
	after := keepSet(t, "", "203.0.113.0/24\n")
	if x := set.Keeper(after, "prod", time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC)).Exempting(after.Policies[0], group, &rule); x != nil {
		t.Errorf("after its end %s still counts", x.Name)
	}
}
