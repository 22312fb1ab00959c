package policy_test

import (
	"fmt"
	"net/netip"
	"testing"
	"testing/fstest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/egress-janitor/egress-janitor/internal/sg"
	"github.com/egress-janitor/egress-janitor/policy"
)

// objected is what a policy with a match objects to of a rule, and whether the rule permits more.
func objected(t *testing.T, match string, fields sg.Fields) (extents []sg.Extent, collateral bool) {
	t.Helper()
	text := fmt.Sprintf(`version: 1
policies:
  - {name: p, description: A policy., severity: low, owner: o@example.com, groups: all, match: %s, action: report}
`, match)
	set, err := policy.Load(fstest.MapFS{"p.yaml": {Data: []byte(text)}}, []string{"p.yaml"})
	if err != nil {
		t.Fatal(err)
	}
	if fields.Policy == "" {
		fields.Policy, fields.Priority = "accept", "1"
	}
	group := sg.Group{ID: "sg-1", Type: sg.TypeNormal, VPC: "vpc-1"}
	rule := sg.NewRule(&fields)
	findings := set.Evaluator("prod", time.Unix(0, 0)).Evaluate(&group, []sg.Rule{rule})
	if len(findings) != 1 {
		t.Fatalf("%s does not object to %+v", match, fields)
	}
	return findings[0].Violations[0].Objected, findings[0].Violations[0].Collateral
}

func blocks(texts ...string) []netip.Prefix {
	list := []netip.Prefix{}
	for _, text := range texts {
		list = append(list, netip.MustParsePrefix(text))
	}
	return list
}

func TestAPolicySaysWhichPartOfARuleItObjectsTo(t *testing.T) {
	t.Parallel()
	tcp := func(ports, to string) sg.Fields { return sg.Fields{Protocol: "tcp", PortRange: ports, CIDR4: to} }
	all := func(to string) sg.Fields { return sg.Fields{Protocol: "all", PortRange: "-1/-1", CIDR4: to} }
	mail := sg.PortRange{Low: 25, High: 25}
	for _, test := range []struct {
		name, match string
		rule        sg.Fields
		want        []sg.Extent // nil: all of it, or nobody can tell
	}{
		{"one address of many", "{destination: [10.0.0.7]}", tcp("443/443", "10.0.0.0/24"), []sg.Extent{{Destinations: blocks("10.0.0.7/32")}}},
		{"a rule within the list", "{destination: [10.0.0.0/8]}", tcp("443/443", "10.0.0.0/24"), nil},
		{"what an allow-list does not hold", "{destination: {outside: [10.0.0.0/25]}}", tcp("443/443", "10.0.0.0/24"), []sg.Extent{{Destinations: blocks("10.0.0.128/25")}}},
		{"a rule outside of an allow-list", "{destination: {outside: [10.0.0.0/25]}}", tcp("443/443", "192.168.0.0/24"), []sg.Extent{{Destinations: blocks("192.168.0.0/24")}}},
		{"one port of many", `{ports: ["25"]}`, tcp("1/1024", "10.0.0.0/8"), []sg.Extent{{Ports: []sg.PortRange{mail}}}},
		{"ports outside of a list", `{ports: {outside: ["80-90"]}}`, tcp("85/91", "10.0.0.0/8"), []sg.Extent{{Ports: []sg.PortRange{{Low: 91, High: 91}}}}},
		{"ports of a rule for all protocols", `{ports: ["25"]}`, all("10.0.0.0/8"), []sg.Extent{{Protocols: []sg.Protocol{sg.TCP, sg.UDP}, Ports: []sg.PortRange{mail}}}},
		{"a protocol of all", "{protocol: [udp], destination: [10.0.0.0/8]}", all("10.0.0.0/24"), []sg.Extent{{Protocols: []sg.Protocol{sg.UDP}}}},
		{"a product", `{protocol: [tcp], ports: ["25"], destination: [10.0.0.7]}`, all("10.0.0.0/24"), []sg.Extent{{
			Protocols: []sg.Protocol{sg.TCP}, Ports: []sg.PortRange{mail}, Destinations: blocks("10.0.0.7/32"),
		}}},
		{"a union of the true branches", `{any: [{destination: [10.0.0.7]}, {ports: ["25"]}, {destination: [192.168.0.0/16]}]}`, tcp("1/1024", "10.0.0.0/24"), []sg.Extent{
			{Destinations: blocks("10.0.0.7/32")}, {Ports: []sg.PortRange{mail}},
		}},
		{"a union with all of it", `{any: [{destination: [10.0.0.7]}, {ports: {covers: ["25"]}}]}`, tcp("1/1024", "10.0.0.0/24"), nil},
		{"what compares no sets", "{wider-than: {ipv4: 30}}", tcp("443/443", "10.0.0.0/24"), nil},
		{"an expression", `{expression: 'rule.destination.overlaps(["10.0.0.7"])'}`, tcp("443/443", "10.0.0.0/24"), nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			got, _ := objected(t, test.match, test.rule)
			if diff := cmp.Diff(test.want, got, cmpopts.EquateComparable(netip.Prefix{})); diff != "" {
				t.Errorf("extents (-want +got):\n%s", diff)
			}
		})
	}
}
