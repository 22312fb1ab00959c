package policy_test

import (
	"net/netip"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/egress-janitor/egress-janitor/internal/sg"
	"github.com/egress-janitor/egress-janitor/policy"
)

// explainedRule is a rule that one of these tests changes.
func explainedRule() sg.Fields {
	return sg.Fields{
		ID: "sgr-1", Protocol: "TCP", PortRange: "443/8080", CIDR4: "10.0.0.0/8", Policy: "Accept", Priority: "1",
		NICType: "intranet", Created: "2026-01-01T00:00:00Z", Description: "expires=2026-10-01",
	}
}

// lastClause is the clause that stands last in a `match`.
func lastClause(n *policy.Node) *policy.Node {
	for len(n.Children) > 0 {
		n = &n.Children[len(n.Children)-1]
	}
	return n
}

func TestAClauseSaysWhatDecided(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name, match string
		apply       func(*sg.Fields)
		list        []string // entries of the rule's prefix list; nil leaves it unread
		want        policy.Node
	}{
		{
			name: "the element that a destination meets", match: `{destination: [192.0.2.0/24, 10.1.0.0/16, 10.2.3.4]}`,
			want: policy.Node{
				Key: "destination", Asks: "overlaps 192.0.2.0/24, 10.1.0.0/16, 10.2.3.4", Has: "10.0.0.0/8", Truth: policy.True,
				Why: "it meets 10.1.0.0/16, 10.2.3.4",
			},
		},
		{
			name: "what is not in an allow-list", match: `{destination: {outside: [10.0.0.0-10.127.255.255, "fd00::/8"]}}`,
			want: policy.Node{
				Key: "destination", Asks: "outside 10.0.0.0-10.127.255.255, fd00::/8", Has: "10.0.0.0/8", Truth: policy.True,
				Why: "not in the list: 10.128.0.0/9",
			},
		},
		{
			name: "gaps at both ends and in the middle", match: `{destination: {within: [10.0.0.1, 10.0.0.3-10.255.255.254]}}`,
			want: policy.Node{
				Key: "destination", Asks: "within 10.0.0.1, 10.0.0.3-10.255.255.254", Has: "10.0.0.0/8", Truth: policy.False,
				Why: "not in the list: 10.0.0.0, 10.0.0.2, 10.255.255.255",
			},
		},
		{
			name: "the element that is covered", match: `{destination: {covers: [9.0.0.0/8, 10.0.0.0/9]}}`,
			want: policy.Node{
				Key: "destination", Asks: "covers 9.0.0.0/8, 10.0.0.0/9", Has: "10.0.0.0/8", Truth: policy.True,
				Why: "it holds 10.0.0.0/9",
			},
		},
		{
			name: "host bits and mapped addresses are shown as they are written", match: `{destination: {equals: [10.0.0.0/8]}}`,
			apply: func(f *sg.Fields) { f.CIDR4 = "10.1.2.3/8" },
			want: policy.Node{
				Key: "destination", Asks: "equals 10.0.0.0/8", Has: "10.0.0.0/8 (written 10.1.2.3/8)", Truth: policy.True,
				Why: "it is an element of the list",
			},
		},
		{
			name: "a family that the list does not know", match: `{destination: {outside: [10.0.0.0/8]}}`,
			apply: func(f *sg.Fields) { f.CIDR4, f.CIDR6 = "", "2001:db8::/32" },
			want: policy.Node{
				Key: "destination", Asks: "outside 10.0.0.0/8", Has: "2001:db8::/32", Truth: policy.Unknown,
				Gap: policy.DoesNotSpeak, Why: "the list has no IPv6 address, so it says nothing of this rule",
			},
		},
		{
			name: "a destination group", match: `{destination: [10.0.0.0/8]}`,
			apply: func(f *sg.Fields) { f.CIDR4, f.GroupID = "", "sg-2" },
			want: policy.Node{
				Key: "destination", Asks: "overlaps 10.0.0.0/8", Has: "group sg-2", Truth: policy.Unknown, Gap: policy.DoesNotSpeak,
				Why: "a destination group has no addresses of its own",
			},
		},
		{
			name: "a list that was not read", match: `{destination: [10.0.0.0/8]}`,
			apply: func(f *sg.Fields) { f.CIDR4, f.PrefixListID = "", "pl-1" },
			want: policy.Node{
				Key: "destination", Asks: "overlaps 10.0.0.0/8", Has: "prefix list pl-1", Truth: policy.Unknown, Gap: policy.NotRead,
				Why: "prefix list pl-1 was not read",
			},
		},
		{
			name: "a list that is empty", match: `{destination: [10.0.0.0/8]}`, list: []string{},
			apply: func(f *sg.Fields) { f.CIDR4, f.PrefixListID = "", "pl-1" },
			want: policy.Node{
				Key: "destination", Asks: "overlaps 10.0.0.0/8", Has: "prefix list pl-1", Truth: policy.Unknown, Gap: policy.NotRead,
				Why: "prefix list pl-1 is empty: it permits nothing today, and anything tomorrow",
			},
		},
		{
			name: "the entry of a list that decides", match: `{destination: {within: [10.0.0.0/8]}}`, list: []string{"10.1.0.0/16", "192.0.2.0/24"},
			apply: func(f *sg.Fields) { f.CIDR4, f.PrefixListID = "", "pl-1" },
			want: policy.Node{
				Key: "destination", Asks: "within 10.0.0.0/8", Has: "prefix list pl-1", Truth: policy.False,
				Why: "not in the list: 192.0.2.0/24",
			},
		},
		{
			name: "ports of a protocol that has none", match: `{ports: [443]}`,
			apply: func(f *sg.Fields) { f.Protocol, f.PortRange = "ICMP", "-1/-1" },
			want: policy.Node{
				Key: "ports", Asks: "overlaps 443", Has: "none", Truth: policy.Unknown, Gap: policy.DoesNotSpeak,
				Why: "protocol icmp has no ports",
			},
		},
		{
			name: "ports that are not understood", match: `{ports: [443]}`,
			apply: func(f *sg.Fields) { f.PortRange = "65535/1" },
			want: policy.Node{
				Key: "ports", Asks: "overlaps 443", Has: "(not understood)", Truth: policy.Unknown, Gap: policy.NotRead,
				Why: `the port range "65535/1" could not be understood`,
			},
		},
		{
			name: "a port list that was not read", match: `{ports: [443]}`,
			apply: func(f *sg.Fields) { f.PortListID = "prl-1" },
			want: policy.Node{
				Key: "ports", Asks: "overlaps 443", Has: "unknown (port list prl-1)", Truth: policy.Unknown, Gap: policy.NotRead,
				Why: "port list prl-1 was not read",
			},
		},
		{
			name: "ports beyond an allow-list", match: `{ports: {outside: [443, 1000-2000]}}`,
			want: policy.Node{
				Key: "ports", Asks: "outside 443, 1000-2000", Has: "443-8080", Truth: policy.True,
				Why: "not in the list: 444-999, 2001-8080",
			},
		},
		{
			name: "a source that is not set, and an allow-list of sources", match: `{source: {outside: [10.0.0.0/8, "fd00::/8"]}}`,
			want: policy.Node{
				Key: "source", Asks: "outside 10.0.0.0/8, fd00::/8", Has: "(unset: any)", Truth: policy.Unknown,
				Gap: policy.DoesNotSpeak, Why: "the rule restricts no source, so an allow-list of sources says nothing of it",
			},
		},
		{
			name: "a protocol that is not known", match: `{protocol: {within: [tcp]}}`,
			apply: func(f *sg.Fields) { f.Protocol = "sctp?" },
			want: policy.Node{
				Key: "protocol", Asks: "within tcp", Has: "unknown", Truth: policy.Unknown, Gap: policy.NotRead,
				Why: `the protocol "sctp?" could not be understood`,
			},
		},
		{
			name: "a rule without a time", match: `{older-than: 90d}`, apply: func(f *sg.Fields) { f.Created = "" },
			want: policy.Node{
				Key: "older-than", Asks: "90d", Truth: policy.Unknown, Gap: policy.NotRead, Why: "the cloud gave no CreateTime",
			},
		},
		{
			name: "the age of a rule", match: `{older-than: 90d}`,
			want: policy.Node{
				Key: "older-than", Asks: "90d", Has: "2026-01-01T00:00:00Z", Truth: policy.True, Why: "the rule is 379 days old",
			},
		},
		{
			name: "a date that has passed", match: `{expired: {description: 'expires=(\S+)'}}`,
			want: policy.Node{
				Key: "expired", Asks: `description: expires=(\S+)`, Has: `"expires=2026-10-01"`, Truth: policy.True,
				Why: "2026-10-01 passed 2026-10-02T00:00:00Z",
			},
		},
		{
			name: "a date that is not understood", match: `{expired: {description: 'expires=(\S+)'}}`,
			apply: func(f *sg.Fields) { f.Description = "expires=2026-10-01 expires=soon" },
			want: policy.Node{
				Key: "expired", Asks: `description: expires=(\S+)`, Has: `"expires=2026-10-01 expires=soon"`, Truth: policy.Unknown,
				Gap: policy.InvalidExpiry, Why: `a date that the expression finds in the description cannot be understood: "soon"`,
			},
		},
		{
			name: "a family that wider-than does not name", match: `{wider-than: {ipv6: 32}}`,
			want: policy.Node{
				Key: "wider-than", Asks: "ipv6: 32", Has: "10.0.0.0/8", Truth: policy.Unknown, Gap: policy.DoesNotSpeak,
				Why: "it says nothing of the address family of this rule",
			},
		},
		{
			name: "what an expression looked at", match: `{expression: "rule.priority > 50 || rule.ports.overlaps(['8080'])"}`,
			want: policy.Node{
				Key: "expression", Asks: "rule.priority > 50 || rule.ports.overlaps(['8080'])", Has: "rule.priority = 1",
				Truth: policy.True, Why: "ports overlaps 8080 is true (it meets 8080)",
			},
		},
		{
			name: "what an expression could not look at", match: `{expression: "rule.cidr.prefixLength() < 8"}`,
			apply: func(f *sg.Fields) { f.CIDR4, f.GroupID = "", "sg-2" },
			want: policy.Node{
				Key: "expression", Asks: "rule.cidr.prefixLength() < 8", Truth: policy.Unknown, Gap: policy.DoesNotSpeak,
				Why: "rule.cidr does not speak of this rule",
			},
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			fields := explainedRule()
			if test.apply != nil {
				test.apply(&fields)
			}
			rule := sg.NewRule(&fields)
			if test.list != nil {
				rule.Destination.List = &sg.PrefixList{ID: "pl-1"}
				for _, entry := range test.list {
					rule.Destination.List.Entries = append(rule.Destination.List.Entries, netip.MustParsePrefix(entry))
				}
			}
			group := sg.Group{Region: "cn-hangzhou", ID: "sg-1"}
			explanation := load(t, policyWith(test.match)).Evaluator("prod", present()).Explain(&group, &rule)
			got := *lastClause(&explanation.Policies[0].Match)
			if got.Pos.Line != 8 || got.Pos.File != "policy.yaml" {
				t.Errorf("the place is %s", got.Pos)
			}
			got.Pos = test.want.Pos
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestCollateralIsExplainedByWhatIsPermittedBeyond(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name, match string
		want        []string
	}{
		{
			"destination and protocol", `{destination: [10.1.0.0/16], protocol: [tcp], ports: [443]}`,
			[]string{
				"destination 10.0.0.0/8 permits more than 10.1.0.0/16: also 10.0.0.0/16, 10.2.0.0-10.255.255.255",
				"ports 443-8080 permits more than 443: also 444-8080",
			},
		},
		{"of branches that all have some, the first one", `{any: [{ports: [443]}, {ports: [8080]}]}`, []string{
			"ports 443-8080 permits more than 443: also 444-8080",
		}},
		{"a branch that is false has no part in it", `{any: [{ports: [22]}, {ports: [8080]}]}`, []string{
			"ports 443-8080 permits more than 8080: also 443-8079",
		}},
		{"one branch without is enough", `{any: [{ports: [443]}, {ports: {covers: [8080]}}]}`, nil},
		{"a rule that does not violate has none", `{destination: [192.0.2.0/24], ports: [443]}`, nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			fields := explainedRule()
			rule := sg.NewRule(&fields)
			group := sg.Group{Region: "cn-hangzhou", ID: "sg-1"}
			explanation := load(t, policyWith(test.match)).Evaluator("prod", present()).Explain(&group, &rule)
			var got []string
			for _, x := range explanation.Policies[0].Excess {
				got = append(got, x.Text)
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestExplainingLeavesTheCountsOfExceptionsAlone(t *testing.T) {
	t.Parallel()
	set := load(t, policyWith("{every-rule: true}")+`exceptions:
  - {name: x, policies: ["*"], groups: all, match: {every-rule: true}, reason: r, owner: o, expires: 2027-01-31}
`)
	fields := explainedRule()
	rule := sg.NewRule(&fields)
	evaluator := set.Evaluator("prod", present())
	explanation := evaluator.Explain(&sg.Group{ID: "sg-1"}, &rule)
	if v := explanation.Policies[0].Violation; v == nil || v.Exempt == nil || explanation.Finding.Rule != &rule {
		t.Errorf("got %+v, want an exempted violation of the rule that was given", explanation.Finding)
	}
	if use := evaluator.Use(set.Exceptions[0]); use != (policy.Use{}) {
		t.Errorf("explaining counts as %+v", use)
	}
}
