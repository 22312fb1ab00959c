package ecsemu_test

import (
	"fmt"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/egress-janitor/egress-janitor/internal/ecsemu"
)

// Parts are what a rule is for the cloud, in one spelling.
type Parts struct {
	Direction, Protocol, Ports, PortList, Peer, Own, SourcePorts, Policy, Priority string
}

// listedRule is a rule as the model knows it.
type listedRule struct {
	Parts

	ID, Description string
}

// spelling is a rule as a request gives it: by which parameter, and with which text.
type spelling struct {
	parts Parts
	pairs []string // With Dest and Source as in the requests for its direction.
}

// sidesOf gives the names of the peer's parameters and of the own side's.
func sidesOf(direction string) (peer, own string) {
	if direction == "ingress" {
		return "Source", "Dest"
	}
	return "Dest", "Source"
}

// drawSpelling draws a rule from few enough for many to be the same, in one of its many spellings.
func drawSpelling(t *rapid.T, direction string) spelling {
	pick := func(label string, texts ...string) string { return rapid.SampledFrom(texts).Draw(t, label) }
	peer, own := sidesOf(direction)
	protocol := pick("protocol", "tcp", "TCP", "udp", "Udp", "all", "ICMP")
	p := Parts{Direction: direction, Protocol: strings.ToUpper(protocol), Ports: "-1/-1", Policy: "Accept", Priority: "1"}
	pairs := []string{"IpProtocol", protocol, "Description", pick("description", "", "a", "b")}
	if p.Protocol == "TCP" || p.Protocol == "UDP" {
		p.Ports = pick("ports", "443/443", "1/65535")
		if p.SourcePorts = pick("source ports", "", "", "5/6"); p.SourcePorts != "" {
			pairs = append(pairs, "SourcePortRange", p.SourcePorts)
		}
	}
	pairs = append(pairs, "PortRange", p.Ports)
	switch pick("peer", "IPv4", "IPv4", "IPv6", "group", "list") {
	case "IPv4":
		text := pick("IPv4", "10.0.0.0/8", "10.1.2.3/8", "10.0.0.1", "10.0.0.1/32")
		p.Peer = normal(text)
		// Whatever loses against an address may be there as well.
		pairs = append(pairs, peer+"CidrIp", text, peer+"GroupId", pick("loser", "", "sg-none"), peer+"PrefixListId", pick("loser", "", "pl-none"))
		if text := pick("own", "", "", "10.9.0.0/16", "10.9.9.9/16"); text != "" {
			p.Own = normal(text)
			pairs = append(pairs, own+"CidrIp", text)
		}
	case "IPv6":
		if p.Protocol == "ICMP" {
			p.Protocol, pairs[1] = "ICMPv6", "ICMPv6"
		}
		text := pick("IPv6", "::/0", "0:0::/0", "2001:DB8::/32", "2001:db8::1/32")
		p.Peer = normal(text)
		pairs = append(pairs, "Ipv6"+peer+"CidrIp", text)
	case "group":
		p.Peer = "sg-db"
		pairs = append(pairs, peer+"GroupId", "sg-db", peer+"GroupOwnerId", pick("owner", "", ecsemu.DefaultAccount))
	case "list":
		p.Peer = "pl-v4"
		pairs = append(pairs, peer+"PrefixListId", "pl-v4")
	}
	if p.Peer != "sg-db" { // Few rules with groups, because of their limit.
		switch policy := pick("policy", "", "accept", "ACCEPT", "Allow", "drop", "Drop"); strings.ToLower(policy) {
		case "drop":
			p.Policy = "Drop"
			fallthrough
		default:
			pairs = append(pairs, "Policy", policy)
		}
		priority := pick("priority", "", "1", "2", "100")
		pairs = append(pairs, "Priority", priority)
		if priority != "" {
			p.Priority = priority
		}
	}
	return spelling{p, append(pairs, "NicType", pick("card", "", "intranet", "<nil>"))}
}

// normal gives the one spelling of an address.
func normal(text string) string {
	if prefix, err := netip.ParsePrefix(text); err == nil {
		return prefix.Masked().String()
	}
	if addr, err := netip.ParseAddr(text); err == nil {
		return netip.PrefixFrom(addr, addr.BitLen()).String()
	}
	return text
}

// request gives spellings in the first form or in the second, in an order and with numbers that do not matter.
func request(t *rapid.T, group string, rules []spelling) url.Values {
	base := params("RegionId", "cn-hangzhou", "SecurityGroupId", group)
	if len(rules) == 1 && rapid.Bool().Draw(t, "in the first form") {
		return with(base, rules[0].pairs...)
	}
	n := 0
	for _, rule := range rapid.Permutation(rules).Draw(t, "order") {
		n += rapid.IntRange(1, 9).Draw(t, "step")
		base = with(base, prefixed(n, rule.pairs...)...)
	}
	return base
}

// listedRules reads a group's rules back as the model has them.
func listedRules(t *rapid.T, r *ecsemu.Running, group string) []listedRule {
	rules := []listedRule{}
	for _, rule := range rulesOf(t, r, group) {
		text := func(name string) string { return fmt.Sprint(rule[name]) }
		m := listedRule{ID: text("SecurityGroupRuleId"), Description: text("Description")}
		m.Direction, m.Protocol, m.Ports, m.PortList = text("Direction"), text("IpProtocol"), text("PortRange"), text("PortRangeListId")
		m.SourcePorts, m.Policy, m.Priority = text("SourcePortRange"), text("Policy"), text("Priority")
		peer, own := sidesOf(m.Direction)
		m.Peer = normal(text(peer+"CidrIp") + text("Ipv6"+peer+"CidrIp") + text(peer+"GroupId") + text(peer+"PrefixListId"))
		m.Own = normal(text(own+"CidrIp") + text("Ipv6"+own+"CidrIp"))
		rules = append(rules, m)
	}
	return rules
}

// groupModel is what the rules of a group should be, each direction in order.
type groupModel struct {
	server *ecsemu.Running
	group  string
	rules  []listedRule
}

func (m *groupModel) find(p Parts) int {
	return slices.IndexFunc(m.rules, func(rule listedRule) bool { return rule.Parts == p })
}

// expect makes a call that ends with a code, empty if it succeeds.
func (m *groupModel) expect(t *rapid.T, action, code string, business url.Values) {
	if got := call(t, m.server, action, business); got.code() != code || (got.status == 200) != (code == "") {
		t.Fatalf("%s %v: got %d %q, want code %q", action, business, got.status, got.code(), code)
	}
}

// check compares the model with what is listed. Rules that the model knows no ID of have one by then.
func (m *groupModel) check(t *rapid.T) {
	got := listedRules(t, m.server, m.group)
	slices.SortStableFunc(m.rules, func(a, b listedRule) int { return strings.Compare(a.Direction, b.Direction) })
	for i := range m.rules {
		if m.rules[i].ID == "" && i < len(got) {
			m.rules[i].ID = got[i].ID
		}
	}
	if diff := cmp.Diff(m.rules, got); diff != "" {
		t.Fatalf("rules (-model +listed):\n%s", diff)
	}
	ids := map[string]bool{}
	for _, rule := range got {
		if ids[rule.ID] || !strings.HasPrefix(rule.ID, "sgr-") {
			t.Fatalf("the ID %q is there twice, or is none", rule.ID)
		}
		ids[rule.ID] = true
	}
}

// drawRules draws what one request asks for, and the code for asking for the same twice.
func (m *groupModel) drawRules(t *rapid.T, direction string) (rules []spelling, code string) {
	rules = rapid.SliceOfN(rapid.Custom(func(t *rapid.T) spelling { return drawSpelling(t, direction) }), 1, 4).Draw(t, "rules")
	for i, rule := range rules {
		if slices.ContainsFunc(rules[:i], func(other spelling) bool { return other.parts == rule.parts }) {
			code = "InvalidParam.DuplicatePermissions"
		}
	}
	return rules, code
}

func drawDirection(t *rapid.T) (direction, authorizing, revoking, modifying string) {
	if rapid.Bool().Draw(t, "ingress") {
		return "ingress", authorizeIn, revokeIn, modifyIn
	}
	return "egress", authorize, revoke, modify
}

// authorize adds rules in the order of the request, so only their set is random there.
func (m *groupModel) authorize(t *rapid.T) {
	direction, action, _, _ := drawDirection(t)
	rules, code := m.drawRules(t, direction)
	business := params("RegionId", "cn-hangzhou", "SecurityGroupId", m.group)
	for i, rule := range rules {
		business = with(business, prefixed(i+1, rule.pairs...)...)
	}
	if len(rules) == 1 {
		business = request(t, m.group, rules)
	}
	m.expect(t, action, code, business)
	for _, rule := range rules {
		if code == "" && m.find(rule.parts) < 0 {
			m.rules = append(m.rules, listedRule{Parts: rule.parts, Description: rule.pairs[3]})
		}
	}
}

func (m *groupModel) revokeByParts(t *rapid.T) {
	direction, _, action, _ := drawDirection(t)
	rules, code := m.drawRules(t, direction)
	m.expect(t, action, code, request(t, m.group, rules))
	for _, rule := range rules {
		if at := m.find(rule.parts); code == "" && at >= 0 {
			m.rules = slices.Delete(m.rules, at, at+1)
		}
	}
}

func (m *groupModel) revokeByID(t *rapid.T) {
	direction, _, action, _ := drawDirection(t)
	left, ids, code := []listedRule{}, []string{}, ""
	for _, rule := range m.rules {
		if rapid.Bool().Draw(t, "revoke "+rule.ID) {
			ids = append(ids, rule.ID)
			if rule.Direction != direction {
				code = "InvalidSecurityGroupRule.RuleNotExist"
			}
			continue
		}
		left = append(left, rule)
	}
	if len(ids) == 0 {
		return
	}
	ids = rapid.Permutation(ids).Draw(t, "order")
	m.expect(t, action, code, with(params("RegionId", "cn-hangzhou", "SecurityGroupId", m.group), numberedIDs(ids...)...))
	if code == "" {
		m.rules = left
	}
}

func (m *groupModel) modifyByID(t *rapid.T) {
	if len(m.rules) == 0 {
		return
	}
	direction, _, _, action := drawDirection(t)
	at := rapid.IntRange(0, len(m.rules)-1).Draw(t, "rule")
	rule := m.rules[at]
	priority := strconv.Itoa(rapid.IntRange(1, 3).Draw(t, "new priority"))
	description := rapid.SampledFrom([]string{"", "new"}).Draw(t, "new description")
	changed := rule
	changed.Priority = priority
	if description != "" {
		changed.Description = description
	}
	code := ""
	switch other := m.find(changed.Parts); {
	case rule.Direction != direction:
		code = "InvalidSecurityGroupRuleId.NotFound"
	case other >= 0 && other != at:
		code = "InvalidOperation.RuleDuplicate"
	}
	m.expect(t, action, code, params("RegionId", "cn-hangzhou", "SecurityGroupId", m.group, "SecurityGroupRuleId", rule.ID,
		"Priority", priority, "Description", description))
	if code == "" {
		m.rules[at] = changed
	}
}

func (m *groupModel) describeByParts(t *rapid.T) {
	direction, _, _, action := drawDirection(t)
	rule := drawSpelling(t, direction)
	at, code := m.find(rule.parts), ""
	if at < 0 {
		code = "SecurityGroupRule.NotFound"
	}
	m.expect(t, action, code, with(params("RegionId", "cn-hangzhou", "SecurityGroupId", m.group), rule.pairs...))
	if description := rule.pairs[3]; code == "" && description != "" {
		m.rules[at].Description = description
	}
}

// TestRulesAgreeWithAModel runs random requests in all forms and spellings against a list of rules by their parts.
func TestRulesAgreeWithAModel(t *testing.T) {
	r := startBothWays(t)
	rapid.Check(t, func(t *rapid.T) {
		m := &groupModel{server: r, rules: []listedRule{}}
		m.group = must(t, r, "CreateSecurityGroup", params("RegionId", "cn-hangzhou", "VpcId", "vpc-1")).text("SecurityGroupId")
		defer call(t, r, "DeleteSecurityGroup", params("RegionId", "cn-hangzhou", "SecurityGroupId", m.group))
		t.Repeat(map[string]func(*rapid.T){
			"authorize": m.authorize, "revoke by parts": m.revokeByParts, "revoke by ID": m.revokeByID,
			"modify by ID": m.modifyByID, "describe by parts": m.describeByParts, "": m.check,
		})
	})
}

// TestRevokingTakesBackAuthorizing revokes with the very parameters that authorized.
func TestRevokingTakesBackAuthorizing(t *testing.T) {
	r := startBothWays(t)
	rapid.Check(t, func(t *rapid.T) {
		group := must(t, r, "CreateSecurityGroup", params("RegionId", "cn-hangzhou", "VpcId", "vpc-1")).text("SecurityGroupId")
		defer call(t, r, "DeleteSecurityGroup", params("RegionId", "cn-hangzhou", "SecurityGroupId", group))
		m := &groupModel{server: r, group: group}
		direction, authorizing, revoking, _ := drawDirection(t)
		rules, code := m.drawRules(t, direction)
		other := drawSpelling(t, direction)
		if code != "" || slices.ContainsFunc(rules, func(rule spelling) bool { return rule.parts == other.parts }) {
			return
		}
		must(t, r, authorizing, request(t, group, []spelling{other}))
		before := listedRules(t, r, group)
		asked := request(t, group, rules)
		must(t, r, authorizing, asked)
		if got := len(listedRules(t, r, group)); got != len(before)+len(rules) {
			t.Fatalf("got %d rules after authorizing %d beside %d", got, len(rules), len(before))
		}
		must(t, r, revoking, asked)
		if diff := cmp.Diff(before, listedRules(t, r, group)); diff != "" {
			t.Fatalf("rules after revoking what was authorized (-before +after):\n%s", diff)
		}
	})
}
