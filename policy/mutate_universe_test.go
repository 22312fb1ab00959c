package policy_test

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"gopkg.in/yaml.v3"

	"github.com/egress-janitor/egress-janitor/internal/sg"
	"github.com/egress-janitor/egress-janitor/policy"
)

// universe is a small world of groups and rules around what a file speaks of: mostly its own names, addresses and
// numbers, so that its policies and exceptions find much to say.
type universe struct {
	random *rand.Rand
	texts  []string // all scalars of the file
	blocks []netip.Prefix
	ports  []string
	groups []sg.Group
	rules  []sg.Rule
}

const universeSeed = 5

func newUniverse(doc *yaml.Node) *universe {
	u := &universe{random: rand.New(rand.NewPCG(universeSeed, 0))}
	u.collect(doc)
	for _, text := range []string{"0.0.0.0/0", "::/0", "10.1.2.3/32", "192.0.2.1/32", "2001:db8::1/128", "::ffff:0:0/96"} {
		u.blocks = append(u.blocks, netip.MustParsePrefix(text))
	}
	u.ports = append(u.ports, "1/65535", "443/443", "22/22")
	u.texts = append(u.texts, "", "x")
	for range 20 {
		u.groups = append(u.groups, u.group())
	}
	for range 60 {
		u.rules = append(u.rules, u.rule())
	}
	return u
}

// collect finds what the file speaks of.
func (u *universe) collect(n *yaml.Node) {
	for _, child := range n.Content {
		u.collect(child)
	}
	if n.Kind != yaml.ScalarNode {
		return
	}
	u.texts = append(u.texts, n.Value)
	low, _, _ := strings.Cut(n.Value, "-")
	if block, err := netip.ParsePrefix(low); err == nil {
		u.blocks = append(u.blocks, block, netip.PrefixFrom(block.Addr(), block.Addr().BitLen()))
		if block.Bits() > 0 {
			u.blocks = append(u.blocks, netip.PrefixFrom(block.Addr(), block.Bits()-1).Masked())
		}
	} else if addr, err := netip.ParseAddr(low); err == nil {
		u.blocks = append(u.blocks, netip.PrefixFrom(addr, addr.BitLen()))
	}
	if port, err := strconv.Atoi(low); err == nil && port > 1 && port < 65535 {
		u.ports = append(u.ports, fmt.Sprintf("%d/%d", port, port), fmt.Sprintf("%d/%d", port-1, port+1))
	}
}

func pick[T any](u *universe, from ...T) T { return from[u.random.IntN(len(from))] }

// name is a text of the file, without its wildcards.
func (u *universe) name() string {
	return strings.NewReplacer("*", pick(u, "", "1"), "?", "1").Replace(pick(u, u.texts...))
}

func (u *universe) date() string {
	return pick(u, "2020-01-01", "2026-11-30", "2027-01-31", "2040-01-01", "2026-11-30T12:00:00+08:00", "soon", "")
}

func (u *universe) group() sg.Group {
	g := sg.Group{
		Region: pick(u, "cn-hangzhou", "eu-central-1", u.name()), ID: pick(u, "sg-1", u.name(), u.name()),
		Name: pick(u, "web-1", u.name(), u.name()), VPC: pick(u, "vpc-1", "", u.name()), ResourceGroup: pick(u, "rg-1", u.name()),
		Type: pick(u, sg.TypeNormal, sg.TypeEnterprise),
	}
	seen := map[string]bool{}
	for range u.random.IntN(6) {
		key := pick(u, "egress-expires", "egress-exempt", "env", u.name(), u.name())
		if key != "" && !seen[key] {
			seen[key] = true
			g.Tags = append(g.Tags, sg.Tag{Key: key, Value: pick(u, "", "prod", u.date(), u.date(), u.name())})
		}
	}
	return g
}

func (u *universe) rule() sg.Rule {
	f := sg.Fields{
		ID: "sgr-1", Policy: pick(u, "accept", "accept", "accept", "drop", ""), Priority: pick(u, "1", "1", "5", "50", "100"),
		Protocol: pick(u, "tcp", "tcp", "tcp", "udp", "all", "icmp", "gre", "47"), NICType: "intranet",
		Created:     pick(u, "2020-01-01T00:00Z", "2026-11-01T00:00Z", "2027-01-01T00:00Z", ""),
		Description: pick(u, "", "temp", u.name(), "expires="+u.date(), "until="+u.date()+" expires="+u.date()),
	}
	f.PortRange = "-1/-1"
	if f.Protocol == "tcp" || f.Protocol == "udp" {
		f.PortRange = pick(u, u.ports...)
		f.SourcePorts = pick(u, "", "", pick(u, u.ports...))
	}
	if u.random.IntN(3) == 0 {
		if source := pick(u, u.blocks...); source.Addr().Is4() {
			f.SourceCIDR4 = source.String()
		} else {
			f.SourceCIDR6 = source.String()
		}
	}
	switch u.random.IntN(12) {
	case 0:
		f.GroupID = pick(u, "sg-2", u.name())
	case 1, 2:
		f.PrefixListID = pick(u, "pl-1", u.name())
	default:
		if block := pick(u, u.blocks...); block.Addr().Is4() {
			f.CIDR4 = block.String()
		} else {
			f.CIDR6 = block.String()
		}
	}
	r := sg.NewRule(&f)
	if f.PrefixListID != "" && u.random.IntN(3) > 0 {
		r.Destination.List = &sg.PrefixList{ID: f.PrefixListID}
		for range u.random.IntN(3) {
			r.Destination.List.Entries = append(r.Destination.List.Entries, pick(u, u.blocks...))
		}
	}
	return r
}

// subject is one policy about one rule of one group at one moment, in an account.
type subject struct {
	moment, account, group, rule int
	policy                       string
}

// verdicts are what a set says of the universe.
type verdicts map[subject]policy.Violation

func moments() []time.Time {
	return []time.Time{
		time.Date(2026, time.December, 1, 12, 0, 0, 0, time.UTC), time.Date(2035, time.January, 1, 0, 0, 0, 0, time.UTC),
	}
}

func (u *universe) judge(set *policy.Set) verdicts {
	v := verdicts{}
	for m, now := range moments() {
		for a, account := range []string{"prod", "other"} {
			evaluator := set.Evaluator(account, now)
			for g := range u.groups {
				for _, finding := range evaluator.Evaluate(&u.groups[g], u.rules) {
					for _, violation := range finding.Violations {
						v[subject{m, a, g, indexOf(u.rules, finding.Rule), violation.Policy.Name}] = violation
					}
				}
			}
		}
	}
	return v
}

func indexOf(rules []sg.Rule, r *sg.Rule) int {
	for i := range rules {
		if &rules[i] == r {
			return i
		}
	}
	return -1
}

// widerThan says, once for each way, how verdicts reach further than those of before.
func (v verdicts) widerThan(before verdicts, was, now *policy.Set) []string {
	ways := map[string]bool{}
	oldName := renamed(was, now)
	for s, after := range v {
		name := s.policy
		if old, ok := oldName[name]; ok {
			s.policy = old
		}
		first, violated := before[s]
		for way, wider := range map[string]bool{
			"a rule violates it that did not":           !violated,
			"a date that cannot be understood has past": violated && first.InvalidExpiry && !after.InvalidExpiry,
			"an exemption is lost":                      violated && first.Exempt != nil && after.Exempt == nil,
			"a possible exemption is lost":              violated && first.Unsure != nil && after.Exempt == nil && after.Unsure == nil,
			"collateral is not held": violated && first.Collateral && first.Policy.KeepCollateral &&
				(!after.Collateral || !after.Policy.KeepCollateral),
			"a stale set is trusted": violated && first.Stale != "" && after.Stale == "",
		} {
			if wider {
				ways["policy "+name+": "+way] = true
			}
		}
	}
	for _, p := range now.Policies {
		for _, old := range was.Policies {
			if old.Name == p.Name || old.Name == oldName[p.Name] {
				looser(p, old, ways)
			}
		}
	}
	list := make([]string, 0, len(ways))
	for way := range ways {
		list = append(list, way)
	}
	return list
}

func looser(p, old *policy.Policy, ways map[string]bool) {
	for way, wider := range map[string]bool{
		"it revokes":               p.Action == policy.Revoke && old.Action != policy.Revoke,
		"drop rules are not held":  p.AllowOpening && !old.AllowOpening,
		"its grace is shorter":     p.Grace < old.Grace,
		"its baseline is earlier":  p.Baseline.Before(old.Baseline),
		"it has no sweep limit":    exceeds(p.Limits.PerSweep, old.Limits.PerSweep),
		"it has no group limit":    exceeds(p.Limits.PerGroup, old.Limits.PerGroup),
		"collateral is not a hold": !p.KeepCollateral && old.KeepCollateral,
	} {
		if wider {
			ways["policy "+p.Name+": "+way] = true
		}
	}
}

// exceeds compares limits, of which 0 is none.
func exceeds(limit, old int) bool { return old != 0 && (limit == 0 || limit > old) }

// renamed gives the old name of the one policy that has a new one.
func renamed(was, now *policy.Set) map[string]string {
	names := map[string]bool{}
	for _, p := range was.Policies {
		names[p.Name] = true
	}
	fresh := ""
	for _, p := range now.Policies {
		if !names[p.Name] {
			fresh = p.Name
		}
		delete(names, p.Name)
	}
	for old := range names {
		return map[string]string{fresh: old}
	}
	return nil
}
