package configs_test

import (
	"cmp"
	"maps"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/egress-janitor/egress-janitor/configs"
	"github.com/egress-janitor/egress-janitor/internal/config"
	"github.com/egress-janitor/egress-janitor/internal/decision"
	"github.com/egress-janitor/egress-janitor/internal/ecsemu"
	"github.com/egress-janitor/egress-janitor/internal/sg"
	"github.com/egress-janitor/egress-janitor/policy"
)

// judgement is what the sample policies make of the sample estate at a moment.
type judgement struct {
	decisions map[string]string   // by rule, see ruleKey
	policies  map[string][]string // what was violated, by rule
	uses      map[string]int      // how many violations each exception took out
	expired   []string            // exceptions that have ended
}

// ruleKey names a rule also if it has no ID.
func ruleKey(group *sg.Group, rule *sg.Rule) string {
	return group.ID + " " + cmp.Or(rule.ID, "without ID")
}

// samples are the embedded files, loaded.
type samples struct {
	policies *policy.Set
	settings *config.Config
	estate   *ecsemu.Estate
}

func load(t *testing.T) samples {
	t.Helper()
	return samples{policies: loadPolicies(t, configs.Policies), settings: loadConfig(t), estate: loadEstate(t)}
}

// judge does what a sweep does after a complete scan. It needs no emulator and no credentials, and can be done at any
// moment.
func (s samples) judge(t *testing.T, now time.Time) judgement {
	t.Helper()
	terms := &decision.Terms{
		Guards: decision.Guards{
			ProtectedGroups: s.settings.Protected.Groups,
			ProtectedNames:  s.settings.Protected.Names,
			ProtectedTags:   s.settings.Protected.Tags,
		},
		Limits: decision.DefaultLimits(),
	}
	evaluator := s.policies.Evaluator(s.settings.Accounts[0].Name, now)
	j := judgement{decisions: map[string]string{}, policies: map[string][]string{}, uses: map[string]int{}}
	var findings []decision.Finding
	read := 0
	for _, region := range s.estate.Regions {
		lists := prefixLists(t, region.PrefixLists)
		for i := range region.Groups {
			group, rules := domain(region.ID, &region.Groups[i], lists)
			read += len(rules)
			for _, f := range evaluator.Evaluate(group, rules) {
				key := ruleKey(group, f.Rule)
				findings = append(findings, decision.Finding{Group: group, Rule: f.Rule.Clone(), Violations: f.Violations})
				for _, v := range f.Violations {
					j.policies[key] = append(j.policies[key], v.Policy.Name)
				}
			}
		}
	}
	terms.Decide(&decision.Subject{Findings: findings, Rules: read, Complete: true, Now: now}, nil)
	for i := range findings {
		j.decisions[ruleKey(findings[i].Group, &findings[i].Rule)] = findings[i].Decision.String()
	}
	for _, x := range s.policies.Exceptions {
		j.uses[x.Name] = evaluator.Use(x).Exempted
		if x.Expired(now) {
			j.expired = append(j.expired, x.Name)
		}
	}
	return j
}

func prefixLists(t *testing.T, from []ecsemu.PrefixList) map[string]*sg.PrefixList {
	t.Helper()
	lists := map[string]*sg.PrefixList{}
	for _, l := range from {
		list := &sg.PrefixList{ID: l.ID, Name: l.Name}
		for _, e := range l.Entries {
			prefix, err := sg.ParseCloudCIDR(e.CIDR)
			if err != nil {
				t.Fatalf("prefix list %s: %v", l.ID, err)
			}
			list.Entries = append(list.Entries, prefix)
		}
		lists[l.ID] = list
	}
	return lists
}

// domain gives a group and its rules as a complete scan reads them.
func domain(region string, g *ecsemu.Group, lists map[string]*sg.PrefixList) (*sg.Group, []sg.Rule) {
	group := &sg.Group{
		Region: region, ID: g.ID, Name: g.Name, Type: sg.GroupType(g.Type), VPC: g.VPC, ServiceManaged: g.Managed,
	}
	for _, key := range slices.Sorted(maps.Keys(g.Tags)) {
		group.Tags = append(group.Tags, sg.Tag{Key: key, Value: g.Tags[key]})
	}
	rules := make([]sg.Rule, len(g.Egress))
	for i := range g.Egress {
		r := &g.Egress[i]
		fields := sg.Fields{
			ID: r.ID, Protocol: r.Protocol, PortRange: r.Ports, SourcePorts: r.SourcePorts, SourceCIDR4: r.Own,
			Policy: cmp.Or(r.Policy, "accept"), Priority: strconv.Itoa(cmp.Or(r.Priority, 1)), NICType: r.NIC,
			Description: r.Description, Created: r.Created, GroupOwner: r.PeerAccount,
		}
		switch {
		case isGroup(r.Peer):
			fields.GroupID = r.Peer
		case isList(r.Peer):
			fields.PrefixListID = r.Peer
		default:
			fields.CIDR4 = r.Peer // which family it is, is read from the text
		}
		rules[i] = sg.NewRule(&fields)
		rules[i].Destination.List = lists[fields.PrefixListID]
	}
	return group, rules
}

func isGroup(to string) bool { return strings.HasPrefix(to, "sg-") }
func isList(to string) bool  { return strings.HasPrefix(to, "pl-") }
