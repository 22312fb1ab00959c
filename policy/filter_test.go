package policy

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"pgregory.net/rapid"

	"github.com/egress-janitor/egress-janitor/internal/sg"
)

// matches writes random matches, as a policy file has them. Their values are few, so that rules are often what they
// ask for.
type matches struct{ random *rand.Rand }

func (m matches) pick(texts ...string) string { return texts[m.random.IntN(len(texts))] }

// list gives one or two of the texts.
func (m matches) list(texts ...string) string { return m.pick(texts...) + ", " + m.pick(texts...) }

func (m matches) relation(key string, texts ...string) string {
	relation := m.pick("overlaps", "within", "outside", "covers", "equals")
	return fmt.Sprintf("{%s: {%s: [%s]}}", key, relation, m.list(texts...))
}

func (m matches) addresses(key string) string {
	return m.relation(key, "10.0.0.0/8", "10.1.0.0/16", "10.1.2.0/24", "0.0.0.0/1", "10.1.2.3-10.1.2.9", `"2001:db8::/32"`,
		`"2001:db8:1::/48"`, `"::/0"`)
}

func (m matches) ports(key string) string {
	return m.relation(key, "22", "443", "1-1024", "1000-2000", "1-65535", "65535")
}

func (m matches) leaf() string {
	switch m.random.IntN(11) {
	case 0, 1, 2:
		return m.addresses("destination")
	case 3:
		return m.addresses("source")
	case 4, 5:
		return m.ports("ports")
	case 6:
		return m.ports("source-ports")
	case 7:
		return m.relation("protocol", "tcp", "udp", "icmp", "all", "0", "255")
	case 8:
		return fmt.Sprintf("{destination-kind: [%s]}", m.list("cidr4", "cidr6", "group", "prefix-list"))
	case 9:
		return m.pick("{destination-group: [sg-a*]}", "{prefix-list: [pl-a*]}", "{wider-than: {ipv4: 16}}",
			"{wider-than: {ipv6: 40}}")
	}
	return m.pick("{description: {empty: true}}", "{priority: [1]}", "{older-than: 1d}")
}

// top is what only a policy's whole match can have.
func (m matches) top() string {
	return m.pick("", "", "rule-action: drop, ", "rule-action: any, ", `expired: {description: "until=(\\S+)"}, `,
		"every-rule: true, ")
}

func (m matches) match(depth int) string {
	if depth == 0 {
		return m.leaf()
	}
	switch m.random.IntN(4) {
	case 0:
		return m.leaf()
	case 1:
		return fmt.Sprintf("{not: %s}", m.match(depth-1))
	}
	children := make([]string, 1+m.random.IntN(3))
	for i := range children {
		children[i] = m.match(depth - 1)
	}
	return fmt.Sprintf("{%s: [%s]}", m.pick("all", "any"), strings.Join(children, ", "))
}

// set makes a set of that many policies.
func (m matches) set(t *rapid.T, policies int) *Set {
	var text strings.Builder
	text.WriteString("version: 1\npolicies:\n")
	for i := range policies {
		fmt.Fprintf(&text, "  - {name: p%03d, description: d, severity: low, owner: o, groups: all, "+
			"match: {%sall: [%s]}, action: report}\n", i, m.top(), m.match(m.random.IntN(4)))
	}
	set, err := Load(fstest.MapFS{"p.yaml": {Data: []byte(text.String())}}, []string{"p.yaml"})
	if err != nil {
		t.Fatalf("%v\nin:\n%s", err, text.String())
	}
	return set
}

// rule makes a rule with everything that the filter looks at, known and unknown.
func (m matches) rule() sg.Rule {
	f := sg.Fields{
		Protocol: m.pick("tcp", "udp", "all", "icmp", "255", "odd"), PortRange: "-1/-1", Priority: m.pick("1", "2"),
		Policy: m.pick("accept", "drop", "odd"), Description: m.pick("", "d", "until=2027-01-01", "until=soon"),
		Created:     m.pick("", "2026-01-01T00:00:00Z"),
		SourcePorts: m.pick("", "22/22", "1000/3000"), SourceCIDR4: m.pick("", "10.1.0.0/16", "odd"),
	}
	if f.Protocol == "tcp" || f.Protocol == "udp" {
		f.PortRange = m.pick("22/22", "443/443", "1/65535", "1024/1500", "2001/65534", "odd")
	}
	switch m.random.IntN(6) {
	case 0:
		f.GroupID = m.pick("sg-a1", "sg-b1")
	case 1:
		f.PrefixListID = m.pick("pl-a1", "pl-b1")
	case 2:
		f.CIDR6 = m.pick("::/0", "2001:db8::/32", "2001:db8:1::/48", "2001:db8:1::1/128", "fd00::/8")
	case 3:
		f.CIDR4 = "odd"
	default:
		f.CIDR4 = m.pick("0.0.0.0/0", "10.0.0.0/8", "10.1.0.0/16", "10.1.2.0/23", "10.1.2.4/32", "200.0.0.0/8")
	}
	if m.random.IntN(6) == 0 {
		f.PortListID = "prl-1"
	}
	r := sg.NewRule(&f)
	if f.PortListID != "" && m.random.IntN(3) > 0 {
		r.PortList = &sg.PortList{Ranges: []sg.PortRange{{Low: 443, High: 443}, {Low: 20, High: 22}}}
	}
	if f.PrefixListID != "" && m.random.IntN(3) > 0 {
		r.Destination.List = &sg.PrefixList{Entries: []netip.Prefix{
			netip.MustParsePrefix(m.pick("10.1.2.0/24", "2001:db8::/32")), netip.MustParsePrefix("10.0.0.0/8"),
		}}
	}
	return r
}

// violatedAndKept gives the policies that a rule violates, judged one by one without the filter, and those that the
// filter lets through.
func (e *Evaluator) violatedAndKept(rule *sg.Rule) (violated, kept []string) {
	passes := e.look(rule)
	e.probe.fill(rule)
	for i, p := range e.set.Policies {
		if _, is := e.judge(p, e.groups[i]); is {
			violated = append(violated, p.Name)
		}
		if passes && hasBit(e.candidates, i) {
			kept = append(kept, p.Name)
		}
	}
	return violated, kept
}

func TestTheFilterKeepsEveryPolicyThatIsViolated(t *testing.T) {
	t.Parallel()
	violations, candidates, pairs := 0, 0, 0
	rapid.Check(t, func(t *rapid.T) {
		m := matches{rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 0))}
		set := m.set(t, rapid.SampledFrom([]int{1, 5, 64, 70}).Draw(t, "policies"))
		evaluator := set.Evaluator("prod", time.Date(2027, time.January, 15, 0, 0, 0, 0, time.UTC))
		evaluator.enter(&sg.Group{})
		for range 40 {
			rule := m.rule()
			violated, kept := evaluator.violatedAndKept(&rule)
			for _, name := range violated {
				if !slices.Contains(kept, name) {
					t.Fatalf("%s is violated and was dismissed: %+v", name, rule)
				}
			}
			violations, candidates, pairs = violations+len(violated), candidates+len(kept), pairs+len(set.Policies)
		}
	})
	t.Logf("%d policies asked about rules: %d kept, %d violated", pairs, candidates, violations)
	if violations == 0 || candidates > pairs/2 {
		t.Errorf("of %d policies asked about rules %d were kept and %d violated: this shows nothing", pairs, candidates, violations)
	}
}

func TestTheFilterDismissesByAddressPortAndSituation(t *testing.T) {
	t.Parallel()
	nested := `{any: [{all: [{destination: [203.0.113.0/24]}, {not: {ports: {outside: [1-1023]}}}]}, ` +
		`{not: {any: [{protocol: {outside: [gre]}}, {destination-kind: [group]}]}}]}`
	set := filterSet(t, nested)
	for _, c := range []struct {
		name   string
		fields sg.Fields
		want   bool
	}{
		{"an address of the list", sg.Fields{Protocol: "tcp", PortRange: "22/22", CIDR4: "203.0.113.7/32"}, true},
		{"another address", sg.Fields{Protocol: "tcp", PortRange: "22/22", CIDR4: "192.0.2.7/32"}, false},
		{"other ports", sg.Fields{Protocol: "tcp", PortRange: "8000/9000", CIDR4: "203.0.113.7/32"}, false},
		{"another address with the protocol", sg.Fields{Protocol: "gre", PortRange: "-1/-1", CIDR4: "192.0.2.7/32"}, true},
		{"a group with the protocol", sg.Fields{Protocol: "gre", PortRange: "-1/-1", GroupID: "sg-1"}, false},
		{"a group", sg.Fields{Protocol: "tcp", PortRange: "22/22", GroupID: "sg-1"}, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			c.fields.Policy, c.fields.Priority = "accept", "1"
			rule := sg.NewRule(&c.fields)
			evaluator := set.Evaluator("prod", time.Time{})
			evaluator.enter(&sg.Group{})
			if got := evaluator.look(&rule); got != c.want {
				t.Errorf("kept: got %t, want %t", got, c.want)
			}
			rule.Action = sg.Drop
			if evaluator.look(&rule) {
				t.Error("a drop rule is kept by a policy on rules that accept")
			}
		})
	}
}

func TestARuleWithManyPortsMeetsAllThatPoliciesName(t *testing.T) {
	t.Parallel()
	var odd []string
	for port := 1; port < 100; port += 2 {
		odd = append(odd, strconv.Itoa(port))
	}
	set := filterSet(t, fmt.Sprintf("{any: [{ports: {equals: [%s]}}, {ports: {covers: [40000]}}]}", strings.Join(odd, ", ")))
	evaluator := set.Evaluator("prod", time.Time{})
	evaluator.enter(&sg.Group{})
	for ports, want := range map[string]bool{
		"1/65535": true, "2/40000": true, "99/99": true, "100/39999": false, "50/50": false, "40001/65535": false,
	} {
		rule := sg.NewRule(&sg.Fields{
			Protocol: "tcp", PortRange: ports, CIDR4: "192.0.2.0/24", Policy: "accept", Priority: "1",
		})
		if got := evaluator.look(&rule); got != want {
			t.Errorf("ports %s are kept: got %t, want %t", ports, got, want)
		}
	}
}

func filterSet(t *testing.T, match string) *Set {
	t.Helper()
	text := "version: 1\npolicies:\n  - {name: p, description: d, severity: low, owner: o, groups: all, match: " + match +
		", action: report}\n"
	set, err := Load(fstest.MapFS{"p.yaml": {Data: []byte(text)}}, []string{"p.yaml"})
	if err != nil {
		t.Fatal(err)
	}
	return set
}

// What an `any` costs to load grows with its branches, not with their square: a file may have tens of thousands.
func TestALongAnyIsLoadedInProportion(t *testing.T) {
	loaded := func(branches int) uint64 {
		text := "version: 1\npolicies:\n  - {name: p, description: d, severity: low, owner: o, groups: all, action: report, " +
			"match: {any: [" + strings.Repeat("{ports: [1]}, ", branches) + "{ports: [2]}]}}\n"
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		if _, err := Load(fstest.MapFS{"p.yaml": {Data: []byte(text)}}, []string{"p.yaml"}); err != nil {
			t.Fatal(err)
		}
		runtime.ReadMemStats(&after)
		return after.TotalAlloc - before.TotalAlloc
	}
	few, many := loaded(1_000), loaded(8_000)
	if many > 16*few {
		t.Errorf("8,000 branches took %d bytes and 1,000 took %d: more than in proportion", many, few)
	}
}
