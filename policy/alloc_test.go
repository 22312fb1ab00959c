package policy

import (
	"fmt"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/egress-janitor/egress-janitor/internal/sg"
)

// everyKindOfClause are matches that look at everything that a rule can have. None is true of the rules of the test.
func everyKindOfClause() []string {
	return []string{
		`{source: [203.0.113.7, "2001:db8:7::/48"]}`,
		`{source: {outside: [0.0.0.0/0, "::/0"]}}`,
		`{not: {source: {within: [0.0.0.0/0, "::/0"]}}}`,
		`{source: {covers: [203.0.113.0/24]}, source-ports: [7]}`,
		`{source-ports: {equals: [7]}}`,
		`{ports: {covers: [1-65535]}, priority: {within: [500-1000]}}`,
		`{every-rule: true, priority: {outside: [1-110]}}`,
		`{destination-group: [sg-none*, "*-none"]}`,
		`{prefix-list: [pl-none*]}`,
		`{any: [{destination-group: [sg-none]}, {not: {priority: {within: [1-1000]}}, every-rule: true}]}`,
		`{older-than: 36500d}`,
		`{description: {matches: "^none$"}}`,
	}
}

func TestNoKindOfClauseAllocatesForARuleWithoutAFinding(t *testing.T) {
	var text strings.Builder
	text.WriteString("version: 1\npolicies:\n")
	for i, match := range everyKindOfClause() {
		fmt.Fprintf(&text, "  - {name: p%d, description: d, severity: low, owner: o, groups: {resource-groups: [rg-*]}, match: %s, action: report}\n",
			i, strings.TrimSpace(match))
	}
	set, err := Load(fstest.MapFS{"p.yaml": {Data: []byte(text.String())}}, []string{"p.yaml"})
	if err != nil {
		t.Fatal(err)
	}
	rules := []sg.Rule{
		sg.NewRule(&sg.Fields{
			Protocol: "tcp", PortRange: "443/443", CIDR4: "192.0.2.0/24", Policy: "accept", Priority: "1",
			SourceCIDR4: "10.0.0.0/8", SourcePorts: "1024/65535", Description: "a rule",
		}),
		sg.NewRule(&sg.Fields{
			Protocol: "udp", PortListID: "prl-1", GroupID: "sg-bp1aaaaaaaaaaaaaaaaa", Policy: "accept",
			Priority: "110", SourceCIDR6: "fd00::/8", SourcePorts: "53/53",
		}),
		sg.NewRule(&sg.Fields{
			Protocol: "icmp", PortRange: "-1/-1", PrefixListID: "pl-bp1aaaaaaaaaaaaaaaaa", Policy: "accept",
			Priority: "100", SourceCIDR4: "bad", SourcePorts: "bad",
		}),
	}
	rules[1].PortList = &sg.PortList{ID: "prl-1", Ranges: []sg.PortRange{{Low: 443, High: 443}, {Low: 80, High: 80}}}
	group := &sg.Group{ID: "sg-1", ResourceGroup: "rg-1"}
	evaluator := set.Evaluator("prod", time.Date(2027, time.January, 15, 0, 0, 0, 0, time.UTC))
	if findings := evaluator.Evaluate(group, rules); findings != nil { // reads the lists once, too
		t.Fatalf("%s has a finding: %v", findings[0].Rule.Destination.Text, findings[0].Violations[0].Because)
	}
	if got := testing.AllocsPerRun(20, func() { evaluator.Evaluate(group, rules) }); got != 0 {
		t.Errorf("%v allocations for %d rules without a finding, want none", got, len(rules))
	}
}
