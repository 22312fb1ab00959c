package estates

import (
	"cmp"
	"fmt"
	"strconv"
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
	RulesPerGroup int      // Egress rules in each group or, with Spread, on average.
	// Spread parts the rules as unevenly as accounts have them: most groups have fewer than the average, and a few several
	// times as many. It is less uneven the nearer the average comes to what a group may have.
	Spread       bool
	FindingShare float64   // Which share of the egress rules is open to the world, from 0 to 1.
	Now          time.Time // Everything was created within the two years before; 2026-01-01 if zero.
}

// generatedNow is the time a generated estate is of, unless the caller names another. It is fixed, so that an estate
// does not depend on when it is made.
func generatedNow() time.Time { return time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC) }

// Generate makes an estate that is the same for the same options, on any machine and at any time. Every rule is one that
// the API would accept, and no two of a group are the same; only more groups, or rules in one, than an account may have
// are made without a word. Rules of egress that are open to the world accept traffic to 0.0.0.0/0 or ::/0; all others
// allow or forbid a narrow destination: a network, a prefix list, or a group. Groups have some inbound rules as well, as
// long as they have room.
func Generate(options GenerateOptions) *cloud.Estate {
	if options.Now.IsZero() {
		options.Now = generatedNow()
	}
	regions := options.Regions
	if len(regions) == 0 {
		regions = []string{"cn-hangzhou"}
	}
	estate := &cloud.Estate{Account: cmp.Or(options.Account, cloud.DefaultAccount), Regions: make([]cloud.Region, len(regions))}
	g := &generator{GenerateOptions: options, draw: draw.From(options.Seed), services: servicesByWeight()}
	g.spread.even = !options.Spread
	places := make([]place, len(regions))
	for i, id := range regions {
		groups := options.Groups/len(regions) + 1
		places[i] = place{region: &estate.Regions[i], recent: make([][]string, min(maxVPCs, 1+groups/groupsPerVPC))}
		g.region(&places[i], id)
		estate.Regions[i].Groups = make([]cloud.Group, 0, groups)
	}
	for i := range options.Groups {
		at := &places[i%len(regions)]
		at.region.Groups = append(at.region.Groups, g.group(i, at))
	}
	return estate
}

type generator struct {
	GenerateOptions

	draw     draw.Stream
	services []*service
	spread   spread
}

// place is a region that is being filled.
type place struct {
	region *cloud.Region
	recent [][]string // By VPC: the last groups that rules of others may name.
}

const (
	maxVPCs        = 20
	groupsPerVPC   = 25
	recentGroups   = 6
	generatedLists = 3
)

// region makes what the groups of a region share.
func (g *generator) region(at *place, id string) {
	r := at.region
	r.ID = id
	for i := range at.recent {
		vpc := cloud.VPC{
			ID: g.draw.ResourceID("vpc"), Name: "vpc-" + strconv.Itoa(i+1), CIDR: fmt.Sprintf("10.%d.0.0/16", i),
			Created: g.created().Format(time.RFC3339), Default: i == 0,
		}
		for range 2 {
			vpc.VSwitches = append(vpc.VSwitches, g.draw.ResourceID("vsw"))
		}
		r.VPCs = append(r.VPCs, vpc)
	}
	for i := range generatedLists {
		r.PrefixLists = append(r.PrefixLists, cloud.PrefixList{
			ID: g.draw.ResourceID("pl"), Name: "partner-" + strconv.Itoa(i+1), Family: cloud.FamilyIPv4, MaxEntries: 2,
			Entries: []cloud.Entry{{CIDR: fmt.Sprintf("198.51.100.%d/32", i+1)}, {CIDR: fmt.Sprintf("203.0.113.%d/32", i+1)}},
			Created: g.created().Format(cloud.CreatedWithoutSecond),
		})
	}
}

func (g *generator) created() time.Time {
	const hours = 2 * 365 * 24
	return g.Now.UTC().Add(-time.Duration(1+g.draw.Below(hours)) * time.Hour)
}

// group makes the next group of a region.
func (g *generator) group(number int, at *place) cloud.Group {
	environment := [...]string{"prod", "prod", "staging", "dev"}[g.draw.Below(4)]
	team := [...]string{"web", "data", "payment", "platform", "search"}[g.draw.Below(5)]
	vpc := g.draw.Below(len(at.recent))
	group := cloud.Group{
		ID: g.draw.ResourceID("sg"), Name: fmt.Sprintf("%s-%s-%05d", team, environment, number+1), Type: cloud.TypeNormal,
		VPC: at.region.VPCs[vpc].ID, Created: g.created().Format(time.RFC3339),
		Tags: map[string]string{"env": environment, "team": team},
	}
	if g.draw.Below(4) == 0 {
		group.Type = cloud.TypeEnterprise
	}
	switch g.draw.Below(50) {
	case 0:
		group.Managed, group.Description = true, "Created by a service of the cloud"
	case 1:
		group.Tags["egress-expires"] = g.expiry()
	}
	filling := filling{generator: g, place: at, group: &group, vpc: vpc}
	filling.fill(g.spread.rules(&g.draw, g.RulesPerGroup))
	if group.Type == cloud.TypeNormal {
		at.recent[vpc] = append(at.recent[vpc], group.ID)
		at.recent[vpc] = at.recent[vpc][max(0, len(at.recent[vpc])-recentGroups):]
	}
	return group
}

// expiry is a day within half a year of now: mostly in the future, but often past.
func (g *generator) expiry() string {
	return g.Now.UTC().AddDate(0, 0, g.draw.Below(240)-60).Format(time.DateOnly)
}
