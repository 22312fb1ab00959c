package policy

import (
	"fmt"
	"math/bits"
	"math/rand/v2"
	"net/netip"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/egress-janitor/egress-janitor/internal/sg"
)

// benchPolicies is how many policies the benchmarks judge by; every one has a list of its own out of the prefixes.
const benchPolicies = 20

// benchSet makes twenty policies over that many prefixes in all: ten that forbid addresses, eight that forbid them for
// some ports, and two allow-lists, which most rules satisfy. Nested, they say the same of blocks in a roundabout way.
func benchSet(tb testing.TB, prefixes []netip.Prefix, nested bool) *Set {
	tb.Helper()
	files := fstest.MapFS{}
	var text strings.Builder
	text.WriteString("version: 1\nsets:\n")
	each := (len(prefixes) + benchPolicies - 1) / benchPolicies
	for i := range benchPolicies {
		lines := "192.0.2.1\n2001:db8::1\n"
		for _, p := range prefixes[min(i*each, len(prefixes)):min((i+1)*each, len(prefixes))] {
			lines += p.String() + "\n"
		}
		files[fmt.Sprintf("s%d.txt", i)] = &fstest.MapFile{Data: []byte(lines)}
		fmt.Fprintf(&text, "  s%d: {file: s%d.txt}\n", i, i)
	}
	text.WriteString("policies:\n")
	for i := range benchPolicies {
		match := fmt.Sprintf(benchMatch(i, nested), i)
		fmt.Fprintf(&text, "  - {name: p%02d, description: d, severity: low, owner: o, groups: all, match: %s, action: report}\n",
			i, match)
	}
	files["p.yaml"] = &fstest.MapFile{Data: []byte(text.String())}
	set, err := Load(files, []string{"p.yaml"})
	if err != nil {
		tb.Fatal(err)
	}
	return set
}

// benchMatch is the match of a policy; %d stands for its number.
func benchMatch(policy int, nested bool) string {
	switch {
	case policy >= 18 && nested:
		return `{not: {any: [{destination: {within: [$s%d, 0.0.0.0/1, 128.0.0.0/1, "::/0"]}}, {destination-kind: [group]}]}}`
	case policy >= 18:
		return `{destination: {outside: [$s%d, 0.0.0.0/1, 128.0.0.0/1, "::/0"]}}`
	case policy >= 10 && nested:
		return `{all: [{any: [{destination: [$s%d]}, {destination-kind: [prefix-list]}]}, ` +
			`{not: {all: [{protocol: {outside: [tcp]}}, {protocol: {within: [udp]}}]}}, ` +
			`{any: [{ports: [22]}, {ports: [3306, 8000-9000]}]}, {protocol: [tcp]}]}`
	case policy >= 10:
		return "{destination: [$s%d], protocol: [tcp], ports: [22, 3306, 8000-9000]}"
	case nested:
		return `{any: [{all: [{destination: [$s%d]}, {not: {protocol: {within: [gre]}}}]}, ` +
			`{not: {any: [{ports: [1-65535]}, {protocol: {outside: [gre]}}]}}]}`
	}
	return "{destination: [$s%d]}"
}

// benchRules are distinct rules of a realistic mix: most to few addresses within 10.0.0.0/8, some wider, some IPv6.
func benchRules(count int) []sg.Rule {
	random := rand.New(rand.NewPCG(3, 2027))
	rules := make([]sg.Rule, count)
	for i := range rules {
		f := sg.Fields{ID: fmt.Sprintf("sgr-%d", i), Protocol: "tcp", PortRange: "443/443", Policy: "accept", Priority: "1"}
		switch random.IntN(10) {
		case 0:
			f.Protocol, f.PortRange = "all", "-1/-1"
		case 1:
			f.Protocol, f.PortRange = "udp", "53/53"
		case 2:
			f.PortRange = "8000/9000"
		}
		switch kind := random.IntN(20); {
		case kind == 0:
			f.CIDR6 = fmt.Sprintf("2001:db8:%x::/48", random.IntN(1<<16))
		case kind < 4:
			f.CIDR4 = fmt.Sprintf("%d.%d.0.0/16", random.IntN(224), random.IntN(256))
		default:
			f.CIDR4 = fmt.Sprintf("%d.%d.%d.%d/%d", random.IntN(224), random.IntN(256), random.IntN(256), random.IntN(256),
				24+random.IntN(9))
		}
		rules[i] = sg.NewRule(&f)
	}
	return rules
}

// quiet keeps the rules that violate nothing: findings cost allocations, which are not what is measured.
func quiet(set *Set, rules []sg.Rule) []sg.Rule {
	found := map[*sg.Rule]bool{}
	for _, f := range set.Evaluator("prod", time.Time{}).Evaluate(&sg.Group{}, rules) {
		found[f.Rule] = true
	}
	var kept []sg.Rule
	for i := range rules {
		if !found[&rules[i]] {
			kept = append(kept, rules[i])
		}
	}
	return kept
}

// tight is the hand-written loop that the evaluator is held against: one search in one array of bounds, one mask of
// the lists met, and a switch for the ports. It knows single blocks of IPv4 and IPv6 and nothing else.
type tight struct {
	table *table
	ports uint64 // in bits of the lists with ports
	plain uint64 // in bits of the lists without
	out   uint64 // out bits of the allow-lists
}

func newTight(set *Set) *tight {
	t := &tight{table: set.index.table}
	for _, p := range set.Policies {
		ports := false
		p.match.conjuncts(func(c clause) {
			if _, ok := c.(*portsClause); ok {
				ports = true
			}
		})
		p.match.conjuncts(func(c clause) {
			a, ok := c.(*addressClause)
			switch {
			case !ok:
			case a.relation == outside:
				t.out |= 1 << outBit(a.list.index)
			case ports:
				t.ports |= 1 << inBit(a.list.index)
			default:
				t.plain |= 1 << inBit(a.list.index)
			}
		})
	}
	return t
}

// conjuncts calls f for every clause that must be true for the matcher to be.
func (m *matcher) conjuncts(f func(clause)) {
	switch {
	case m.op == opLeaf && !m.negated:
		f(m.clause)
	case m.op == opAll || m.op == opAny && len(m.children) == 1:
		for i := range m.children {
			m.children[i].conjuncts(f)
		}
	}
}

func (t *tight) violates(r *sg.Rule) bool {
	if r.Action != sg.Accept {
		return false
	}
	f, s := familyOf(r.Destination.CIDR.Addr()), spanOf(r.Destination.CIDR)
	iv := &t.table.families[f]
	var mask uint64
	for i, to := iv.find(s.low), iv.find(s.high); i <= to; i++ {
		mask |= iv.masks[i]
	}
	if mask&(t.plain|t.out) != 0 {
		return true
	}
	if mask&t.ports == 0 || r.Protocol != sg.TCP && r.Protocol != sg.AllProtocols {
		return false
	}
	for _, p := range [...][2]uint16{{22, 22}, {3306, 3306}, {8000, 9000}} {
		if r.Ports.Low <= p[1] && p[0] <= r.Ports.High {
			return true
		}
	}
	return false
}

// BenchmarkEvaluate judges distinct rules, most without a finding, by twenty policies. Read the ratios: x/tight against
// the hand-written loop in the same run, and 100000 prefixes against 50. judged/rule is how many policies the filter
// leaves to judge.
func BenchmarkEvaluate(b *testing.B) {
	all := benchRules(200_000)
	group := &sg.Group{ID: "sg-1"}
	for _, c := range []struct {
		prefixes int
		nested   bool
	}{{50, false}, {50, true}, {100_000, false}, {100_000, true}} {
		b.Run(fmt.Sprintf("prefixes=%d/nested=%t", c.prefixes, c.nested), func(b *testing.B) {
			prefixes := feedOf(c.prefixes)
			set := benchSet(b, prefixes, c.nested)
			rules := quiet(set, all)
			if len(rules) < 100_000 {
				b.Fatalf("only %d rules are quiet", len(rules))
			}
			evaluator, reference := set.Evaluator("prod", time.Time{}), newTight(benchSet(b, prefixes, false))
			var ours, theirs time.Duration
			for b.Loop() {
				began := time.Now()
				if findings := evaluator.Evaluate(group, rules); findings != nil {
					b.Fatalf("%d findings", len(findings))
				}
				ours += time.Since(began)
				began = time.Now()
				for i := range rules {
					if reference.violates(&rules[i]) {
						b.Fatal("the reference finds something")
					}
				}
				theirs += time.Since(began)
			}
			per := float64(b.N) * float64(len(rules))
			b.ReportMetric(float64(ours)/per, "ns/rule")
			b.ReportMetric(float64(theirs)/per, "tight-ns/rule")
			b.ReportMetric(float64(ours)/float64(theirs), "x/tight")
			b.ReportMetric(judged(evaluator, rules), "judged/rule")
			b.ReportMetric(0, "ns/op")
		})
	}
}

// judged is how many policies are judged for a rule, on average. The evaluator must be in a group.
func judged(e *Evaluator, rules []sg.Rule) float64 {
	total := 0
	for i := range rules {
		if e.look(&rules[i]) {
			for _, w := range e.candidates {
				total += bits.OnesCount64(w)
			}
		}
	}
	return float64(total) / float64(len(rules))
}

func TestARuleWithoutAFindingAllocatesNothing(t *testing.T) {
	set := benchSet(t, feedOf(50), false)
	rules := quiet(set, benchRules(2_000))
	odd := oddRules()
	for i := range odd {
		odd[i].Action = sg.Drop // what these policies are not about
	}
	rules = append(rules, odd...)
	group := &sg.Group{ID: "sg-1", Tags: []sg.Tag{{Key: "expires", Value: "2027-01-01"}}}
	evaluator := set.Evaluator("prod", time.Time{})
	evaluator.Evaluate(group, rules) // reads the prefix lists once
	if got := testing.AllocsPerRun(20, func() { evaluator.Evaluate(group, rules) }); got != 0 {
		t.Errorf("%v allocations for %d rules without a finding, want none", got, len(rules))
	}
}

func TestTheReferenceOfTheBenchmarkAgrees(t *testing.T) {
	t.Parallel()
	reference := newTight(benchSet(t, feedOf(2_000), false))
	rules := benchRules(5_000)
	for _, nested := range []bool{false, true} {
		checkReference(t, reference, benchSet(t, feedOf(2_000), nested), rules)
	}
}

func checkReference(t *testing.T, reference *tight, set *Set, rules []sg.Rule) {
	t.Helper()
	found := map[*sg.Rule]bool{}
	for _, f := range set.Evaluator("prod", time.Time{}).Evaluate(&sg.Group{}, rules) {
		found[f.Rule] = true
	}
	if len(found) == 0 || len(found) == len(rules) {
		t.Fatalf("%d of %d rules have findings", len(found), len(rules))
	}
	for i := range rules {
		if got := reference.violates(&rules[i]); got != found[&rules[i]] {
			t.Errorf("%+v: the reference says %t, the evaluator %t", rules[i], got, !got)
		}
	}
}
