package policy

import (
	"encoding/json"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"github.com/egress-janitor/egress-janitor/internal/sg"
)

// celMoment is when the expressions of these tests are evaluated.
func celMoment() time.Time { return time.Date(2027, time.January, 15, 12, 0, 0, 0, time.UTC) }

// matching makes a file with one reporting policy for each match, in their order.
func matching(matches ...string) string {
	var b strings.Builder
	b.WriteString("version: 1\npolicies:\n")
	for i, match := range matches {
		fmt.Fprintf(&b, "  - {name: p%04d, description: d, severity: low, owner: o, groups: all, action: report, match: %s}\n",
			i, match)
	}
	return b.String()
}

// inExpression makes a match of an expression.
func inExpression(text string) string {
	quoted, err := json.Marshal(text)
	if err != nil {
		panic(err) // a text is always JSON
	}
	return "{expression: " + string(quoted) + ", rule-action: any}"
}

func loadMatches(tb testing.TB, matches ...string) *Set {
	tb.Helper()
	set, err := Load(fstest.MapFS{"p.yaml": {Data: []byte(matching(matches...))}}, []string{"p.yaml"})
	if err != nil {
		tb.Fatal(err)
	}
	return set
}

// probeOf looks a rule up in a set.
func probeOf(set *Set, group *sg.Group, rule *sg.Rule) *probe {
	p := newProbe(set.index, celMoment())
	p.account, p.group = "prod", group
	p.fill(rule)
	return p
}

// clauseValue is what the only clause of a policy says of a rule.
func clauseValue(set *Set, policy int, group *sg.Group, rule *sg.Rule) value {
	return set.Policies[policy].match.children[0].clause.eval(probeOf(set, group, rule))
}

// variedRules have every form of destination, source, ports and protocol together, and the gaps.
func variedRules() []sg.Rule {
	rules := oddRules()
	list := &sg.PrefixList{ID: "pl-3", Entries: []netip.Prefix{
		netip.MustParsePrefix("10.0.0.0/30"), netip.MustParsePrefix("192.0.2.0/24"),
	}}
	ports := &sg.PortList{ID: "prl-3", Ranges: []sg.PortRange{{Low: 22, High: 22}, {Low: 80, High: 90}}}
	for _, to := range []sg.Fields{
		{CIDR4: "10.0.0.0/30"},
		{CIDR4: "10.0.0.4/30"},
		{CIDR4: "10.0.0.0/29"},
		{CIDR4: "0.0.0.0/0"},
		{CIDR6: "2001:db8::/126"},
		{CIDR6: "::/0"},
		{CIDR4: "bad"},
		{GroupID: "sg-9"},
		{PrefixListID: "pl-3"},
		{PrefixListID: "pl-unread"},
	} {
		for _, protocol := range []string{"tcp", "all", "icmp", "47", "bogus"} {
			for i, source := range []string{"", "10.0.0.0/30", "10.0.0.0/29", "bad"} {
				f := to
				f.ID, f.Protocol, f.Policy, f.SourceCIDR4 = "r", protocol, "accept", source
				f.Priority = []string{"1", "50", "110", "none"}[i]
				f.SourcePorts = []string{"", "22/22", "1/65535", "odd"}[i]
				f.PortRange = "-1/-1"
				if protocol == "tcp" {
					f.PortRange = []string{"22/22", "20/100", "1/65535", "odd"}[i]
				}
				if i == 2 && protocol == "tcp" {
					f.PortListID = "prl-3"
				}
				rule := sg.NewRule(&f)
				if f.PrefixListID == "pl-3" {
					rule.Destination.List = list
				}
				if f.PortListID != "" {
					rule.PortList = ports
				}
				rules = append(rules, rule)
			}
		}
	}
	return rules
}

func TestRelationsInExpressionsMeanWhatTheyMeanAsKeys(t *testing.T) {
	t.Parallel()
	lists := map[string][]string{
		"destination":  {"'10.0.0.0/30'", "'10.0.0.0/30', '10.0.0.4/30'", "'2001:db8::/64'", "'0.0.0.0/0', '::/0'", "'10.0.0.0-10.0.0.7'"},
		"source":       {"'10.0.0.0/30'", "'10.0.0.0/29', '::/0'", "'2001:db8::1'"},
		"protocol":     {"'tcp'", "'all'", "'icmp', '47'"},
		"ports":        {"'22'", "'1-65535'", "'22', '80-90', '443'"},
		"source-ports": {"'22'", "'1-65535'"},
		"priority":     {"'1'", "'1-100'", "'110'"},
	}
	var matches, names []string
	for field, key := range expressionRelations() {
		for _, list := range lists[key] {
			for _, rel := range relationNames() {
				matches = append(matches, fmt.Sprintf("{%s: {%s: [%s]}, rule-action: any}", key, rel, list),
					inExpression(fmt.Sprintf("%s.%s([%s])", field, rel, list)))
				names = append(names, fmt.Sprintf("%s %s %s", key, rel, list))
			}
		}
	}
	set := loadMatches(t, matches...)
	rules, group := variedRules(), &sg.Group{ID: "sg-1"}
	seen := map[value]int{}
	for r := range rules {
		p := probeOf(set, group, &rules[r])
		for i, name := range names {
			asKey := set.Policies[2*i].match.children[0].clause.eval(p)
			inCEL := set.Policies[2*i+1].match.children[0].clause.eval(p)
			seen[asKey]++
			if asKey != inCEL {
				t.Fatalf("%s of %+v: the key says %d, the expression %d", name, rules[r], asKey, inCEL)
			}
		}
	}
	for _, v := range []value{silent, no, unread, yes} {
		if seen[v] < 100 {
			t.Errorf("value %d was seen %d times only", v, seen[v])
		}
	}
}

func TestLogicOfExpressionsIsKleenes(t *testing.T) {
	t.Parallel()
	operands := []struct {
		text string
		v    value
	}{
		{"rule.id == 'r'", yes},
		{"rule.id != 'r'", no},
		{"rule.created < now", unread},                  // it has no time
		{"rule.destination.within(['::/0'])", silent},   // it is of another family
		{"rule.source_cidr.prefixLength() > 8", silent}, // it has no source
		{"group.tags['x'] == 'x'", unread},              // an error
		{"1 / (rule.priority - 1) > 0", unread},         // an error
	}
	combine := func(decisive value, values ...value) value {
		if slices.Contains(values, decisive) {
			return decisive
		}
		if slices.Contains(values, unread) {
			return unread
		}
		if slices.Contains(values, silent) {
			return silent
		}
		return decisive.not()
	}
	var matches []string
	var wants []value
	add := func(want value, format string, args ...any) {
		matches, wants = append(matches, inExpression(fmt.Sprintf(format, args...))), append(wants, want)
	}
	for _, a := range operands {
		add(a.v, "%s", a.text)
		add(a.v.not(), "!(%s)", a.text)
		for _, b := range operands {
			add(combine(no, a.v, b.v), "(%s) && (%s)", a.text, b.text)
			add(combine(yes, a.v, b.v), "(%s) || (%s)", a.text, b.text)
			add(combine(no, a.v.not(), b.v), "!(%s) && (%s)", a.text, b.text)
			add(combine(yes, a.v, b.v.not(), a.v), "(%s) || !(%s) || (%s)", a.text, b.text, a.text)
		}
	}
	set := loadMatches(t, matches...)
	rule := sg.NewRule(&sg.Fields{ID: "r", Protocol: "tcp", PortRange: "1/1", CIDR4: "10.0.0.0/8", Policy: "accept", Priority: "1"})
	for i, want := range wants {
		if got := clauseValue(set, i, &sg.Group{}, &rule); got != want {
			t.Errorf("%s: got %d, want %d", matches[i], got, want)
		}
	}
}

func TestFieldsAreOfTheirTypes(t *testing.T) {
	t.Parallel()
	fields, group, rules := expressionFields(), &sg.Group{Tags: []sg.Tag{{Key: "a", Value: "b"}}}, variedRules()
	created := sg.NewRule(&sg.Fields{Created: "2020-01-01T00:00Z"})
	rules = append(rules, created)
	var matches []string
	for i := range fields {
		matches = append(matches, inExpression(fields[i].name+" == "+fields[i].name))
	}
	set := loadMatches(t, matches...)
	for i := range fields {
		f := &fields[i]
		t.Run(f.name, func(t *testing.T) {
			t.Parallel()
			known, unknown := 0, 0
			for r := range rules {
				v, state := f.get(probeOf(set, group, &rules[r]))
				if got := clauseValue(set, i, group, &rules[r]); got != state {
					t.Fatalf("of %+v: `%s` is %d, want %d", rules[r], matches[i], got, state)
				}
				if state != yes {
					unknown++
					continue
				}
				known++
				if got := v.Type().TypeName(); got != f.typ.TypeName() {
					t.Errorf("a value is of type %s, and declared %s", got, f.typ.TypeName())
				}
			}
			if known == 0 || (unknown > 0) != (f.unknown != "") {
				t.Errorf("known %d and unknown %d times, and described as unknown %q", known, unknown, f.unknown)
			}
			if f.doc == "" || strings.HasSuffix(f.doc, ".") || f.typeName() == "" {
				t.Errorf("described as %q, of type %q", f.doc, f.typeName())
			}
		})
	}
}

func TestAnExpressionCannotCostMoreThanItsLimit(t *testing.T) {
	t.Parallel()
	set := loadMatches(t, inExpression("rule.entries.all(a, rule.entries.exists(b, a == b))"))
	for _, test := range []struct {
		entries int
		want    value
	}{{10, yes}, {2000, unread}} {
		list := &sg.PrefixList{ID: "pl-1"}
		for i := range test.entries {
			list.Entries = append(list.Entries, netip.PrefixFrom(netip.AddrFrom4([4]byte{10, 0, byte(i >> 8), byte(i)}), 32))
		}
		rule := sg.NewRule(&sg.Fields{PrefixListID: "pl-1", Policy: "accept"})
		rule.Destination.List = list
		if got := clauseValue(set, 0, &sg.Group{}, &rule); got != test.want {
			t.Errorf("of %d entries: got %d, want %d", test.entries, got, test.want)
		}
	}
}

func TestAnExpressionIsEvaluatedAfterTheOtherClauses(t *testing.T) {
	t.Parallel()
	set := loadMatches(t, `{all: [{expression: "rule.id == 'r'"}, {any: [{expression: "rule.id == 'q'"}, {protocol: [tcp]}]}], ports: [22]}`)
	match := &set.Policies[0].match
	var kinds []string
	for i := range match.children {
		c := &match.children[i]
		for c.op != opLeaf {
			c = &c.children[len(c.children)-1]
		}
		kinds = append(kinds, strings.Fields(c.clause.canonical())[0])
	}
	if got, want := strings.Join(kinds, " "), "rule-action ports expression"; got != want {
		t.Errorf("the last clauses of the children are %q, want %q", got, want)
	}
}

func TestTheHashOfAnExpressionIsOfItsMeaning(t *testing.T) {
	t.Parallel()
	hash := func(set, match string) string {
		text := strings.Replace(matching(match), "version: 1\n", "version: 1\nsets:\n  s: {cidrs: ["+set+"]}\n", 1)
		loaded, err := Load(fstest.MapFS{"p.yaml": {Data: []byte(text)}}, []string{"p.yaml"})
		if err != nil {
			t.Fatal(err)
		}
		return loaded.Policies[0].Hash
	}
	const set = "10.0.0.0/9, 192.0.2.0/24"
	want := hash(set, inExpression("rule.priority > 5 && rule.destination.within(['$s'])"))
	for _, same := range []struct{ set, match string }{
		{set, inExpression("  rule.priority>5\n  && // a comment\n ((rule.destination.within([ \"$s\" ])))")},
		{"192.0.2.0/24, 10.0.0.0/9, 10.0.0.0/9", inExpression("rule.priority > 5 && rule.destination.within(['$s'])")},
	} {
		if hash(same.set, same.match) != want {
			t.Errorf("another hash for %s with the set %s", same.match, same.set)
		}
	}
	for _, other := range []struct{ set, match string }{
		{set + ", 192.0.3.0/24", inExpression("rule.priority > 5 && rule.destination.within(['$s'])")},
		{set, inExpression("rule.priority > 6 && rule.destination.within(['$s'])")},
		{set, inExpression("rule.priority > 5 && rule.destination.within(['$s', '192.0.3.0/24'])")},
		{set, inExpression("rule.priority > 5 && rule.destination.outside(['$s'])")},
		{set, inExpression("rule.priority > 5 || rule.destination.within(['$s'])")},
	} {
		if hash(other.set, other.match) == want {
			t.Errorf("the same hash for %s with the set %s", other.match, other.set)
		}
	}
}

func TestASetOfExpressionsIsSafeForConcurrentUse(t *testing.T) {
	t.Parallel()
	set := loadMatches(t,
		inExpression("rule.destination.overlaps(['10.0.0.0/8']) && rule.ports.within(['1-1024'])"),
		inExpression("group.tags['a'] == 'b' || rule.created < now || rule.entries.exists(e, e.prefixLength() == 0)"),
		inExpression("rule.description.matches('until=[0-9]+') || !rule.source.within(['::/0'])"))
	rules := variedRules()
	group := &sg.Group{ID: "sg-1", Tags: []sg.Tag{{Key: "a", Value: "c"}}}
	want := len(set.Evaluator("prod", celMoment()).Evaluate(group, rules))
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			if got := len(set.Evaluator("prod", celMoment()).Evaluate(group, rules)); got != want || got == 0 {
				t.Errorf("%d findings, want %d and some", got, want)
			}
		})
	}
	wg.Wait()
}

func FuzzExpression(f *testing.F) {
	for _, text := range []string{
		"rule.priority > 50 && rule.protocol == 'tcp'", "rule.destination.outside(['10.0.0.0/8', '::/0'])",
		"'env' in group.tags && group.tags['env'] == 'prod'", "rule.entries.all(e, cidr('10.0.0.0/8').containsCIDR(e))",
		"now - rule.created > duration('36h')", "rule.description.matches('(?i)temp')", "rule.port_low / 0 == 1",
		"[1, 2].map(n, n * rule.priority).exists(n, n > 3)", "rule.ports.covers(['22'])", "((((", "rule.x", "'", "",
		"rule.created.getHours('Asia/Shanghai') > 8", "group.tags.map(k, k + group.tags[k]).size() > 0", "has(group.tags.a)",
		"rule.source.equals(['10.0.0.0/8'])", "rule.id.size() > 9223372036854775807", "b'a' == bytes(rule.id)",
	} {
		f.Add(text)
	}
	rules := variedRules()
	group := &sg.Group{ID: "sg-1", Tags: []sg.Tag{{Key: "env", Value: "prod"}}}
	f.Fuzz(func(t *testing.T, text string) {
		set, err := Load(fstest.MapFS{"p.yaml": {Data: []byte(matching(inExpression(text)))}}, []string{"p.yaml"})
		if err != nil {
			return
		}
		evaluator := set.Evaluator("prod", celMoment())
		for _, finding := range evaluator.Evaluate(group, rules) {
			if because := finding.Violations[0].Because; len(because) != 1 || len(because[0]) > 1000 {
				t.Errorf("%s: because %q", text, because)
			}
		}
	})
}
