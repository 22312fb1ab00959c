package estates

import (
	"cmp"
	"fmt"
	"time"

	"github.com/egress-janitor/egress-janitor/internal/ecsemu/cloud"
	"github.com/egress-janitor/egress-janitor/internal/ecsemu/draw"
)

// GenerateOptions say what [Generate] makes.
type GenerateOptions struct {
	Seed          uint64
	Account       string   // cloud.DefaultAccount if empty.
	Regions       []string // cn-hangzhou if empty. Groups are dealt out to them in turn.
	Groups        int      // In all regions together.
	RulesPerGroup int
	FindingShare  float64   // Which share of the rules is open to the world, from 0 to 1.
	Now           time.Time // Everything was created within the two years before; 2026-01-01 if zero.
}

// generatedNow is the time a generated estate is of, unless the caller names another. It is fixed, so that an estate
// does not depend on when it is made.
func generatedNow() time.Time { return time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC) }

// Generate makes an estate that is the same for the same options, on any machine and at any time. Every rule is
// well-formed, and one the API would accept (although a list may serve more groups than it would allow); no two in a
// group are the same. Rules that are open to the world accept traffic to 0.0.0.0/0
// or ::/0; all others allow or forbid a narrow destination: a private network or a prefix list.
func Generate(options GenerateOptions) *cloud.Estate {
	if options.Now.IsZero() {
		options.Now = generatedNow()
	}
	regions := options.Regions
	if len(regions) == 0 {
		regions = []string{"cn-hangzhou"}
	}
	estate := &cloud.Estate{Account: cmp.Or(options.Account, cloud.DefaultAccount), Regions: make([]cloud.Region, len(regions))}
	g := &generator{GenerateOptions: options, draw: draw.From(options.Seed)}
	for i, id := range regions {
		estate.Regions[i] = cloud.Region{
			ID: id, PrefixLists: g.prefixLists(),
			Groups: make([]cloud.Group, 0, options.Groups/len(regions)+1),
		}
	}
	for i := range options.Groups {
		region := &estate.Regions[i%len(regions)]
		region.Groups = append(region.Groups, g.group(i, region))
	}
	return estate
}

type generator struct {
	GenerateOptions

	draw draw.Stream
}

// generatedLists is how many prefix lists a region gets.
const generatedLists = 3

func (g *generator) prefixLists() []cloud.PrefixList {
	lists := make([]cloud.PrefixList, generatedLists)
	for i := range lists {
		lists[i] = cloud.PrefixList{
			ID: g.draw.ResourceID("pl"), Name: fmt.Sprintf("partner-%d", i+1), Family: cloud.FamilyIPv4, MaxEntries: 2,
			Entries: []cloud.Entry{{CIDR: fmt.Sprintf("198.51.100.%d/32", i+1)}, {CIDR: fmt.Sprintf("203.0.113.%d/32", i+1)}},
			Created: g.created().Format(cloud.CreatedWithoutSecond),
		}
	}
	return lists
}

func (g *generator) created() time.Time {
	const hours = 2 * 365 * 24
	return g.Now.UTC().Add(-time.Duration(1+g.draw.Below(hours)) * time.Hour)
}

func (g *generator) group(number int, region *cloud.Region) cloud.Group {
	environments := [...]string{"prod", "staging", "dev"}
	environment := environments[g.draw.Below(len(environments))]
	group := cloud.Group{
		ID: g.draw.ResourceID("sg"), Name: fmt.Sprintf("%s-%05d", environment, number+1), Type: cloud.TypeNormal,
		VPC: fmt.Sprintf("vpc-bp1%s%02d", region.ID, 1+g.draw.Below(20)), InnerAccess: "Accept",
		Created: g.created().Format(time.RFC3339), Tags: map[string]string{"env": environment},
		Egress: make([]cloud.Rule, g.RulesPerGroup),
	}
	if g.draw.Below(4) == 0 {
		group.Type, group.InnerAccess = cloud.TypeEnterprise, "Drop"
	}
	for i := range group.Egress {
		if g.draw.Chance() < g.FindingShare {
			g.open(i, &group.Egress[i])
		} else {
			g.narrow(i, &group.Egress[i], region)
		}
	}
	return group
}

// rule begins a rule. Its ports are its own in the group, so that it is the same as no other.
func (g *generator) rule(number int) cloud.Rule {
	protocol := "tcp"
	if g.draw.Below(5) == 0 {
		protocol = "udp"
	}
	port := 1 + number%65535
	return cloud.Rule{
		ID: g.draw.ResourceID("sgr"), Protocol: protocol, Ports: fmt.Sprintf("%d/%d", port, port), Policy: cloud.PolicyAccept,
		Priority: 1 + g.draw.Below(100), NIC: cloud.NicIntranet, Created: g.created().Format(time.RFC3339),
	}
}

func (g *generator) open(number int, rule *cloud.Rule) {
	*rule = g.rule(number)
	rule.Peer = "0.0.0.0/0"
	if g.draw.Below(8) == 0 {
		rule.Peer = "::/0"
	}
}

func (g *generator) narrow(number int, rule *cloud.Rule, region *cloud.Region) {
	*rule = g.rule(number)
	if g.draw.Below(10) == 0 {
		rule.Policy = cloud.PolicyDrop
	}
	if g.draw.Below(10) == 0 {
		rule.Description = "made by the generator"
	}
	// One list a group at most, as it counts for several rules.
	if number == 0 && g.draw.Below(2) == 0 {
		rule.Peer = region.PrefixLists[g.draw.Below(len(region.PrefixLists))].ID
		return
	}
	rule.Peer = fmt.Sprintf("10.%d.%d.0/24", g.draw.Below(256), g.draw.Below(256))
}
