package policy_test

import (
	"fmt"
	"net/netip"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/egress-janitor/egress-janitor/internal/sg"
	"github.com/egress-janitor/egress-janitor/policy"
)

// webRules are accepting rules for port 443, one for each destination.
func webRules(destinations ...string) []sg.Rule {
	var rules []sg.Rule
	for i, to := range destinations {
		rules = append(rules, sg.NewRule(&sg.Fields{
			ID: fmt.Sprintf("sgr-%d", i), Protocol: "tcp", PortRange: "443/443", CIDR4: to, Policy: "accept", Priority: "1",
		}))
	}
	return rules
}

const withException = `exceptions:
  - name: x
    policies: [p]
    groups: {ids: [sg-1]}
    match: {destination: {within: [203.0.113.0/24]}}
    reason: why
    owner: owner@example.com
    expires: 2027-01-31
`

func TestFindingsPointIntoTheRulesInTheirOrder(t *testing.T) {
	t.Parallel()
	set := load(t, policyWith("{destination: [203.0.113.0/24]}"))
	rules := webRules("203.0.113.1", "192.0.2.1", "203.0.113.2")
	var got []*sg.Rule
	for _, f := range set.Evaluator("prod", present()).Evaluate(&sg.Group{}, rules) {
		got = append(got, f.Rule)
	}
	if len(got) != 2 || got[0] != &rules[0] || got[1] != &rules[2] {
		t.Errorf("got %v, want the first and the third of %v", got, rules)
	}
}

func TestAnExceptionOfOneGroupIsNotCarriedToTheNext(t *testing.T) {
	t.Parallel()
	set := load(t, policyWith("{destination: [203.0.113.0/24]}")+withException)
	evaluator := set.Evaluator("prod", present())
	rules := webRules("203.0.113.1", "203.0.113.2")
	var got []string
	for _, id := range []string{"sg-1", "sg-2", "sg-1"} {
		for _, f := range evaluator.Evaluate(&sg.Group{ID: id}, rules) {
			got = append(got, id+" "+verdictsOf(&f)[0].Exempt)
		}
	}
	if diff := cmp.Diff([]string{"sg-1 x", "sg-1 x", "sg-2 ", "sg-2 ", "sg-1 x", "sg-1 x"}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if got := evaluator.Use(set.Exceptions[0]).Exempted; got != 4 {
		t.Errorf("the exception was used %d times, want 4", got)
	}
}

func TestOneSetServesSeveralEvaluatorsAtOnce(t *testing.T) {
	t.Parallel()
	set := load(t, policyWith("{destination: [203.0.113.0/24], any: [{ports: [443]}, {ports: [80]}]}")+withException)
	results := make([][]policy.Finding, 4)
	rules := webRules("203.0.113.1", "192.0.2.1", "203.0.113.2")
	var wg sync.WaitGroup
	for i := range results {
		wg.Go(func() {
			evaluator := set.Evaluator("prod", present())
			for range 100 {
				results[i] = evaluator.Evaluate(&sg.Group{ID: "sg-1"}, rules)
			}
		})
	}
	wg.Wait()
	for _, findings := range results {
		if len(findings) != 2 {
			t.Errorf("got %d findings, want 2", len(findings))
		}
	}
}

func TestEqualListsOfSeveralPoliciesAreJudgedAlike(t *testing.T) {
	t.Parallel()
	other := func(name, match string) string {
		return from(strings.Replace(policyWith(match), "name: p", "name: "+name, 1), "  - name")
	}
	set := load(t, policyWith("{destination: [192.0.2.0/24]}")+
		other("q", "{destination: [203.0.113.0/24]}")+
		other("r", "{destination: {outside: [203.0.113.0/25, 203.0.113.128/25]}}")+
		other("s", "{destination: {outside: [203.0.113.128/25, 203.0.113.0-203.0.113.127]}}")+
		other("t", "{destination: {covers: [203.0.113.0/24]}}"))
	var got []string
	for _, f := range set.Evaluator("prod", present()).Evaluate(&sg.Group{}, webRules("203.0.113.0/24", "192.0.2.1", "::1")) {
		for _, v := range f.Violations {
			got = append(got, f.Rule.ID+" "+v.Policy.Name)
		}
	}
	if diff := cmp.Diff([]string{"sgr-0 q", "sgr-0 t", "sgr-1 p", "sgr-1 r", "sgr-1 s"}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestAPrefixListOfBothFamiliesIsNotJudgedByHalf(t *testing.T) {
	t.Parallel()
	set := load(t, policyWith("{destination: {within: [203.0.113.0/24]}}"))
	rule := sg.NewRule(&sg.Fields{
		ID: "sgr-1", Protocol: "tcp", PortRange: "443/443", PrefixListID: "pl-1", Policy: "accept", Priority: "1",
	})
	rule.Destination.List = &sg.PrefixList{ID: "pl-1", Entries: []netip.Prefix{
		netip.MustParsePrefix("203.0.113.0/28"), netip.MustParsePrefix("2001:db8::/32"),
	}}
	if got := set.Evaluator("prod", present()).Evaluate(&sg.Group{}, []sg.Rule{rule}); len(got) > 0 {
		t.Errorf("got %d findings, want none: only its IPv4 half is within", len(got))
	}
}

func TestAMappedEntryOfAnIPv6ListIsSeen(t *testing.T) {
	t.Parallel()
	rule := sg.NewRule(&sg.Fields{
		ID: "sgr-1", Protocol: "tcp", PortRange: "443/443", PrefixListID: "pl-1", Policy: "accept", Priority: "1",
	})
	everything, err := sg.ParseCloudCIDR("::ffff:0.0.0.0/96")
	if err != nil {
		t.Fatal(err)
	}
	rule.Destination.List = &sg.PrefixList{
		ID: "pl-1", Entries: []netip.Prefix{netip.MustParsePrefix("2001:db8::/32"), everything},
	}
	for _, match := range []string{
		`{destination: {covers: [0.0.0.0/0, "::/0"]}}`,
		`{destination: {overlaps: [10.0.0.0/9, "2001:db8::/32"]}}`,
		`{destination: {outside: [10.0.0.0/8]}}`,
		`{wider-than: {ipv4: 16, ipv6: 48}}`,
	} {
		set := load(t, policyWith(match))
		if got := set.Evaluator("prod", present()).Evaluate(&sg.Group{}, []sg.Rule{rule}); len(got) != 1 {
			t.Errorf("%s does not see it", match)
		}
	}
}

func TestEveryExceptionThatMattersIsCounted(t *testing.T) {
	t.Parallel()
	exception := func(name, match string) string {
		return "  - {name: " + name + ", policies: [p], groups: all, match: " + match +
			", reason: why, owner: owner@example.com, expires: 2036-01-31}\n"
	}
	set := load(t, policyWith("{every-rule: true}")+"exceptions:\n"+
		exception("first", "{destination: {within: [203.0.113.0/24]}}")+
		exception("renewal", "{destination: {within: [203.0.113.0/25]}}")+
		exception("unsure", "{older-than: 90d}")+
		exception("useless", "{ports: {within: [22]}}"))
	evaluator := set.Evaluator("prod", present())
	evaluator.Evaluate(&sg.Group{}, webRules("203.0.113.1"))
	got := map[string]policy.Use{}
	for _, x := range set.Exceptions {
		got[x.Name] = evaluator.Use(x)
	}
	want := map[string]policy.Use{"first": {Exempted: 1}, "renewal": {Exempted: 1}, "unsure": {Unsure: 1}, "useless": {}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("uses (-want +got):\n%s", diff)
	}
}
