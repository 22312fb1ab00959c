package reach

import (
	"net/netip"
	"slices"
	"strconv"
	"unicode/utf8"

	"github.com/egress-janitor/egress-janitor/internal/sg"
)

// A remainder is a rule without what is objected to.
type remainder struct {
	rule     *sg.Rule
	nic      string // the type of network interface that the rule is about
	classic  bool   // there are two of these
	objected []sg.Extent
	byList   bool // the prefix list or group stays the destination: nothing of it is objected to in particular
	portList bool // likewise for the port list
	planes   []*plane
}

// plane is a remainder for one family of destinations, or for all of a destination that stays as it is.
type plane struct {
	family Family
	axes   [dimensions]*axis
	rule   [dimensions]set   // what the rule permits
	extent [][dimensions]set // what is objected to, by extent
}

// newRemainder is nil if there is none that could be told, or if it is all of the rule.
func newRemainder(group *sg.Group, rule *sg.Rule, objected []sg.Extent) *remainder {
	r := &remainder{rule: rule, nic: nicType(group, rule), classic: group.Classic()}
	destinations, ports := false, false
	for i := range objected {
		e := &objected[i]
		if holdsNothing(e) {
			continue
		}
		r.objected = append(r.objected, *e)
		destinations = destinations || e.Destinations != nil
		ports = ports || e.Ports != nil
	}
	to := &rule.Destination
	r.byList = to.Kind == sg.PeerGroup || to.Kind == sg.FromList && !destinations
	r.portList = rule.PortListID != "" && !ports
	if !r.understood(destinations) {
		return nil
	}
	for _, family := range r.families() {
		r.planes = append(r.planes, r.plane(family))
	}
	if !slices.ContainsFunc(r.planes, r.touched) {
		return nil
	}
	return r
}

// holdsNothing tells whether an extent is about no traffic at all, such as ports of protocols that have none.
func holdsNothing(e *sg.Extent) bool {
	if (e.Ports != nil || e.SourcePorts != nil) && e.Protocols != nil &&
		!slices.ContainsFunc(e.Protocols, sg.Protocol.HasPorts) {
		return true
	}
	return isEmpty(e.Protocols) || isEmpty(e.Destinations) || isEmpty(e.Ports) || isEmpty(e.Sources) || isEmpty(e.SourcePorts)
}

func isEmpty[T any](field []T) bool { return field != nil && len(field) == 0 }

// understood tells whether all that matters is known.
func (r *remainder) understood(destinations bool) bool {
	rule := r.rule
	to, single := &rule.Destination, rule.Protocol == sg.TCP || rule.Protocol == sg.UDP
	switch {
	case rule.Unreadable != "", rule.Action != sg.Accept, len(r.objected) == 0:
		return false
	case rule.Protocol == sg.NoProtocol, to.Kind == sg.NoDestination:
		return false
	case to.Kind == sg.PeerGroup && destinations:
		return false
	case to.Kind == sg.FromList && (to.List == nil || len(to.List.Entries) == 0):
		return false
	case rule.PortListID != "" && (!single || !r.portList && rule.PortList == nil):
		return false
	case rule.PortList != nil && len(rule.PortList.Ranges) == 0:
		return false
	case !rule.SourcePorts.IsZero() && !single: // may or may not be about the protocols without ports
		return false
	case single && rule.Ports.IsZero() && rule.PortListID == "":
		return false
	}
	return true
}

// families are those of the destinations: each is narrowed on its own, since no rule is about both. Of a group they are
// not known.
func (r *remainder) families() []Family {
	to := &r.rule.Destination
	switch to.Kind {
	case sg.CIDR4:
		return []Family{IPv4}
	case sg.CIDR6:
		return []Family{IPv6}
	case sg.FromList:
		four := slices.ContainsFunc(to.List.Entries, func(p netip.Prefix) bool { return p.Addr().Is4() })
		six := slices.ContainsFunc(to.List.Entries, func(p netip.Prefix) bool { return !p.Addr().Is4() })
		switch {
		case four && six && r.byList:
			return []Family{AnyFamily}
		case four && six:
			return []Family{IPv4, IPv6}
		case four:
			return []Family{IPv4}
		default:
			return []Family{IPv6}
		}
	case sg.PeerGroup, sg.NoDestination:
	}
	return []Family{AnyFamily}
}

// plane cuts the traffic of a family by the rule, which is the first of the lists, and the extents.
func (r *remainder) plane(family Family) *plane {
	destinations, ports := [][]netip.Prefix{nil}, [][]sg.PortRange{nil}
	sources, sourcePorts := [][]netip.Prefix{nil}, [][]sg.PortRange{nil}
	for i := range r.objected {
		e := &r.objected[i]
		destinations, ports = append(destinations, e.Destinations), append(ports, e.Ports)
		sources, sourcePorts = append(sources, e.Sources), append(sourcePorts, e.SourcePorts)
	}
	p := &plane{family: family}
	var sets [dimensions][]set
	switch to := &r.rule.Destination; {
	case r.byList:
		p.axes[alongDestination], sets[alongDestination] = onePoint(), make([]set, len(destinations))
	case to.Kind == sg.FromList:
		destinations[0] = to.List.Entries
		p.axes[alongDestination], sets[alongDestination] = addressAxis(whole(family), false, destinations)
	default:
		p.axes[alongDestination], sets[alongDestination] = addressAxis([]netip.Prefix{to.CIDR}, false, destinations)
	}
	if r.rule.Source.CIDR.IsValid() {
		sources[0] = []netip.Prefix{r.rule.Source.CIDR}
		p.axes[alongSource], sets[alongSource] = addressAxis(sources[0], false, sources)
		if family != AnyFamily && family != familyOf(r.rule.Source.CIDR) {
			sets[alongSource][0] = make(set, p.axes[alongSource].cells) // a rule that is about nothing
		}
	} else {
		p.axes[alongSource], sets[alongSource] = addressAxis(whole(family), true, sources)
	}
	ports[0], sourcePorts[0] = r.ports(), nil
	if !r.rule.SourcePorts.IsZero() {
		sourcePorts[0] = []sg.PortRange{r.rule.SourcePorts}
	}
	p.axes[alongPort], sets[alongPort] = portAxis(ports)
	p.axes[alongSourcePort], sets[alongSourcePort] = portAxis(sourcePorts)
	p.extent = make([][dimensions]set, len(r.objected))
	for d := range dimensions {
		p.rule[d] = sets[d][0]
		for i := range r.objected {
			p.extent[i][d] = sets[d][i+1]
		}
	}
	return p
}

// whole is all addresses.
func whole(family Family) []netip.Prefix {
	four, six := netip.PrefixFrom(netip.IPv4Unspecified(), 0), netip.PrefixFrom(netip.IPv6Unspecified(), 0)
	switch family {
	case IPv4:
		return []netip.Prefix{four}
	case IPv6:
		return []netip.Prefix{six}
	case AnyFamily:
	}
	return []netip.Prefix{four, six}
}

func familyOf(p netip.Prefix) Family {
	if p.Addr().Is4() {
		return IPv4
	}
	return IPv6
}

// ports are those that the rule is about; nil is all of them. A list that stays as it is counts as all.
func (r *remainder) ports() []sg.PortRange {
	switch {
	case r.portList || !r.rule.Protocol.HasPorts():
		return nil
	case r.rule.PortList != nil:
		return r.rule.PortList.Ranges
	default:
		return []sg.PortRange{r.rule.Ports}
	}
}

// speaksOf tells whether an extent is about a protocol; one with ports is not about the protocols that have none.
func speaksOf(e *sg.Extent, protocol sg.Protocol) bool {
	if (e.Ports != nil || e.SourcePorts != nil) && protocol != sg.TCP && protocol != sg.UDP {
		return false
	}
	return e.Protocols == nil || slices.Contains(e.Protocols, sg.AllProtocols) || slices.Contains(e.Protocols, protocol)
}

// touched tells whether anything of the rule is objected to.
func (r *remainder) touched(p *plane) bool {
	for i := range r.objected {
		e := &r.objected[i]
		touches := false
		for _, protocol := range r.protocolsOf(e) {
			touches = touches || speaksOf(e, protocol)
		}
		for d := range dimensions {
			both := false
			for cell := range p.axes[d].cells {
				both = both || p.rule[d].has(cell) && p.extent[i][d].has(cell)
			}
			touches = touches && both
		}
		if touches {
			return true
		}
	}
	return false
}

// protocolsOf are protocols of the rule such that an extent is about one of them if it is about any.
func (r *remainder) protocolsOf(e *sg.Extent) []sg.Protocol {
	if r.rule.Protocol != sg.AllProtocols {
		return []sg.Protocol{r.rule.Protocol}
	}
	return append(slices.DeleteFunc(slices.Clone(e.Protocols), func(p sg.Protocol) bool { return p <= sg.NoProtocol }), sg.TCP)
}

// permission is a rule as it is to be added.
func (r *remainder) permission(k kept) Permission {
	rule := r.rule
	p := Permission{
		IPProtocol: k.protocol.String(), PortRange: k.ports.String(), Policy: string(sg.Accept),
		Priority: strconv.Itoa(rule.Priority), NicType: r.nic, Description: description(rule),
	}
	switch to := &rule.Destination; {
	case !r.byList && k.destination.Addr().Is4():
		p.DestCidrIP = k.destination.String()
	case !r.byList:
		p.Ipv6DestCidrIP = k.destination.String()
	case to.Kind == sg.PeerGroup:
		p.DestGroupID, p.DestGroupOwnerID = to.Text, to.Owner
	default:
		p.DestPrefixListID = to.Text
	}
	switch {
	case !k.source.IsValid():
	case k.source.Addr().Is4():
		p.SourceCidrIP = k.source.String()
	default:
		p.Ipv6SourceCidrIP = k.source.String()
	}
	if !k.sourcePorts.IsZero() {
		p.SourcePortRange = k.sourcePorts.String()
	}
	if k.ports.IsZero() && r.portList {
		p.PortRange, p.PortRangeListID = "", rule.PortListID
	}
	return p
}

// nicType is the rule's own. The cloud lists one for every rule; where it does not, only one is possible in a VPC, and
// internet is the default elsewhere.
func nicType(group *sg.Group, rule *sg.Rule) string {
	switch {
	case rule.NICType != "":
		return rule.NICType
	case group.Classic() && rule.Destination.Kind != sg.PeerGroup:
		return sg.NICInternet
	default:
		return sg.NICIntranet
	}
}

// maxDescription is how many characters the description of a rule can have.
// Source: AuthorizeSecurityGroupEgress, parameter Description.
const maxDescription = 512

// description keeps what the rule says, since owners and expiry dates are found there, and adds where it came from.
func description(rule *sg.Rule) string {
	text := "narrowed"
	if rule.ID != "" {
		text = "narrowed from " + rule.ID
	}
	switch {
	case rule.Description == "":
		return text
	case utf8.RuneCountInString(rule.Description)+utf8.RuneCountInString(text)+3 > maxDescription:
		return rule.Description
	default:
		return rule.Description + " (" + text + ")"
	}
}
