package policy_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/egress-janitor/egress-janitor/internal/sg"
	"github.com/egress-janitor/egress-janitor/policy"
)

func TestTheEvaluatorAgreesWithTheOracle(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		zone := rapid.SampledFrom([]string{"UTC", "Asia/Shanghai", "America/New_York"}).Draw(t, "zone")
		location, err := time.LoadLocation(zone)
		if err != nil {
			t.Fatal(err)
		}
		f := drawFile(t, location)
		text := renderFile(t, f, zone)
		set, err := policy.Load(memory(map[string]string{"p.yaml": text}), []string{"p.yaml"})
		if err != nil {
			t.Fatalf("loading: %v\n%s", err, text)
		}
		// Around the ends of the days in the files.
		now := time.Date(2027, time.January, 15, rapid.IntRange(0, 23).Draw(t, "hour"), 0, 0, 0, time.UTC)
		var rules []sg.Rule
		var oracleRules []oRule
		for range 24 {
			rule, meaning := drawRule(t)
			rules, oracleRules = append(rules, rule), append(oracleRules, meaning)
		}
		evaluator := set.Evaluator("ab", now)
		for range 2 { // one evaluator for two groups, and for the same prefix lists twice
			group, oracleGroup := drawGroup(t)
			oracleGroup.account = "ab"
			got := make([][]verdict, len(rules))
			for _, finding := range evaluator.Evaluate(&group, rules) {
				for i := range rules {
					if finding.Rule == &rules[i] {
						got[i] = verdictsOf(&finding)
					}
				}
			}
			for i := range rules {
				checkLogic(t, set.Logics(&rules[i], now))
				want := f.verdicts(&oracleGroup, &oracleRules[i], now)
				if diff := cmp.Diff(want, got[i]); diff != "" {
					t.Fatalf("rule %d %+v\ngroup %+v\nnow %s\n%s\n(-oracle +evaluator):\n%s", i, rules[i], group, now, text, diff)
				}
			}
		}
	})
}

// checkLogic holds what is evaluated, in which `not` is pushed down to the clauses, against what is written.
func checkLogic(t *rapid.T, logics []policy.Logic) {
	t.Helper()
	for _, l := range logics {
		if matches := l.Written == "true"; matches != l.Matches || l.Unread && l.Written != "unknown" {
			t.Fatalf("%s: the match is %s as written, and evaluated it matches %t, is unread %t", l.Name, l.Written, l.Matches, l.Unread)
		}
	}
}

func verdictsOf(f *policy.Finding) []verdict {
	var list []verdict
	for _, v := range f.Violations {
		one := verdict{Policy: v.Policy.Name, Collateral: v.Collateral, InvalidExpiry: v.InvalidExpiry}
		if v.Exempt != nil {
			one.Exempt = v.Exempt.Name
		}
		if v.Unsure != nil {
			one.Unsure = v.Unsure.Name
		}
		list = append(list, one)
	}
	return list
}

func drawFile(t *rapid.T, zone *time.Location) *oFile {
	f := &oFile{zone: zone}
	for i := range rapid.IntRange(1, 3).Draw(t, "policies") {
		p := oPolicy{name: fmt.Sprintf("p%d", i), groups: drawScope(t), match: drawMatch(t, 2, false)}
		p.match.action = rapid.SampledFrom([]string{"", "", "", "accept", "drop", "any"}).Draw(t, "rule-action")
		f.policies = append(f.policies, p)
	}
	for i := range rapid.IntRange(0, 2).Draw(t, "exceptions") {
		x := oException{name: fmt.Sprintf("x%d", i), groups: drawScope(t), match: drawMatch(t, 1, true), expires: drawDate(t)}
		x.match.action = rapid.SampledFrom([]string{"", "", "", "accept", "drop", "any"}).Draw(t, "rule-action")
		if rapid.Bool().Draw(t, "some policies") {
			x.policies = []string{fmt.Sprintf("p%d", rapid.IntRange(0, len(f.policies)-1).Draw(t, "policy"))}
		}
		f.exceptions = append(f.exceptions, x)
	}
	return f
}

// drawDate gives dates around the present of these tests; all of them can be understood.
func drawDate(t *rapid.T) string {
	return rapid.SampledFrom([]string{
		"2027-01-14", "2027-01-15", "2027-01-13", "2027-01-16", "2027-01-15T08:00:00Z", "2027-01-15T08:00:00+08:00",
		"2028-02-29", "2026-12-31",
	}).Draw(t, "date")
}

func drawScope(t *rapid.T) oScope {
	var s oScope
	if rapid.IntRange(0, 2).Draw(t, "scope") > 0 {
		return s
	}
	globs := rapid.SampledFrom([]string{"*", "a*", "?b", "ab", "*b*", "x"})
	s.globs = map[string][]string{}
	for _, key := range []string{"accounts", "regions", "ids", "names", "vpcs", "resource-groups"} {
		if rapid.IntRange(0, 3).Draw(t, key) == 0 {
			s.globs[key] = rapid.SliceOfN(globs, 1, 2).Draw(t, key)
		}
	}
	if rapid.IntRange(0, 3).Draw(t, "types") == 0 {
		s.types = []string{rapid.SampledFrom([]string{"normal", "enterprise"}).Draw(t, "type")}
	}
	tags := rapid.MapOfN(rapid.SampledFrom([]string{"k", "K"}), rapid.SampledFrom([]string{"*", "", "v?", "a*"}), 1, 2)
	if rapid.IntRange(0, 3).Draw(t, "tags") == 0 {
		s.tags = tags.Draw(t, "tags")
	}
	if rapid.IntRange(0, 3).Draw(t, "without") == 0 {
		s.without = tags.Draw(t, "without")
	}
	if rapid.IntRange(0, 1).Draw(t, "expired-tag") == 0 {
		s.expiredTag = "expires"
	}
	return s
}

// drawMatch draws a `match`; depth is how deep it may still nest.
func drawMatch(t *rapid.T, depth int, exception bool) oMatch {
	m := oMatch{bare: !exception && rapid.Bool().Draw(t, "bare")}
	often := func(label string, oneIn int) bool { return rapid.IntRange(1, oneIn).Draw(t, label) == 1 }
	for _, key := range []struct {
		name  string
		oneIn int
	}{{"destination", 3}, {"source", 6}, {"protocol", 6}, {"ports", 5}, {"source-ports", 10}, {"priority", 12}} {
		if often(key.name, key.oneIn) {
			relations := []string{"overlaps", "within", "outside", "covers", "equals"}
			for range rapid.IntRange(1, 2).Draw(t, "relations") {
				i := rapid.IntRange(0, len(relations)-1).Draw(t, "relation")
				m.relations = append(m.relations, drawRelation(t, key.name, relations[i]))
				relations = append(relations[:i:i], relations[i+1:]...)
			}
		}
	}
	if often("kinds", 12) {
		m.kinds = rapid.SliceOfN(rapid.SampledFrom([]string{"cidr4", "cidr6", "group", "prefix-list"}), 1, 2).Draw(t, "kinds")
	}
	names := rapid.SliceOfN(rapid.SampledFrom([]string{"sg-*", "sg-1", "*", "?l-1", "pl-2"}), 1, 2)
	if often("groups", 16) {
		m.groups = names.Draw(t, "groups")
	}
	if often("lists", 16) {
		m.lists = names.Draw(t, "lists")
	}
	if often("wider", 12) {
		m.wider = rapid.SampledFrom([]map[string]int{
			{"ipv4": 30}, {"ipv6": 126}, {"ipv4": 1, "ipv6": 128}, {"ipv4": 32, "ipv6": 8},
		}).Draw(t, "wider")
	}
	if often("older", 12) {
		m.older = rapid.SampledFrom([]int{1, 30, 90}).Draw(t, "older")
	}
	m.expired = often("expired", 10)
	if often("description", 12) {
		m.desc = rapid.SampledFrom([]string{"empty", "until", `^a\w+`, "(?i)X"}).Draw(t, "description")
	}
	m.every = often("every", 16)
	if depth > 0 {
		if often("any", 4) {
			m.any = []oMatch{drawMatch(t, depth-1, exception), drawMatch(t, depth-1, exception)}
		}
		if often("all", 8) {
			m.all = []oMatch{drawMatch(t, depth-1, exception), drawMatch(t, depth-1, exception)}
		}
		if often("not", 4) {
			nested := drawMatch(t, depth-1, exception)
			m.not = &nested
		}
	}
	if m.relations == nil && m.kinds == nil && m.groups == nil && m.lists == nil && m.wider == nil && m.older == 0 && !m.expired && m.desc == "" &&
		m.any == nil && m.all == nil && m.not == nil {
		m.every = true
	}
	return m
}

func drawRelation(t *rapid.T, key, relation string) oRelation {
	r := oRelation{key: key, relation: relation}
	for range rapid.IntRange(1, 3).Draw(t, "elements") {
		switch key {
		case "destination", "source":
			text := drawElement(t)
			r.texts = append(r.texts, text)
			r.ranges = append(r.ranges, rangesOf(text)...)
		case "protocol":
			name := drawProtocol(t)
			r.texts = append(r.texts, name)
			r.numbers = append(r.numbers, protocolNumber(name))
		default:
			span := drawSpan(t, map[bool]int{true: 1000, false: 65535}[key == "priority"])
			r.texts = append(r.texts, fmt.Sprintf("%d-%d", span[0], span[1]))
			r.spans = append(r.spans, span)
		}
	}
	return r
}
