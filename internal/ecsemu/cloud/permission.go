package cloud

import (
	"cmp"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/egress-janitor/egress-janitor/internal/ecsemu/wire"
)

// Limits of a request about rules.
const (
	maxPermissions     = 100
	maxRuleDescription = 512 // Characters.
)

// hasFlatRule tells whether a request holds any part of a rule in the first form.
func (d direction) hasFlatRule(p wire.Params) bool {
	return slices.ContainsFunc(d.flatFields(), func(name string) bool { return p.Get(name) != "" })
}

// listed gives the members of a list that say anything. Parameters without a value are as good as absent.
func listed(p wire.Params, name string) []wire.Element {
	return slices.DeleteFunc(p.List(name), func(e wire.Element) bool {
		for _, value := range e.Fields {
			if value != "" {
				return false
			}
		}
		return true
	})
}

// readPermissions gives the rules of a request, in either form but not in both.
func (c *call) readPermissions(d direction, op operation, g *Group) ([]permission, error) {
	elements := listed(c.params, "Permissions")
	if len(elements) == 0 {
		return []permission{{fields: c.params, direction: d, operation: op, group: g, call: c}}, nil
	}
	if d.hasFlatRule(c.params) {
		return nil, wire.Refuse(wire.CodePermissions)
	}
	if elements[len(elements)-1].Index > maxPermissions {
		return nil, wire.Refusef(wire.CodePermissions, "The specified parameter Permissions has more than 100 members.")
	}
	all := make([]permission, 0, len(elements))
	for _, e := range elements {
		all = append(all, permission{
			fields: e.Fields, name: "Permissions." + strconv.Itoa(e.Index) + ".", direction: d, operation: op, group: g, call: c,
		})
	}
	return all, nil
}

// readRules reads the rules that a request holds, with their defaults, if they make sense and are all different. With an
// error, it gives those before the bad one.
func (c *call) readRules(d direction, op operation, g *Group) ([]permission, error) {
	asked, err := c.readPermissions(d, op, g)
	if err != nil {
		return nil, err
	}
	seen := make(map[Rule]bool, len(asked))
	for i := range asked {
		if err := asked[i].read(); err != nil {
			return asked[:i], err
		}
		content := c.content(&asked[i].rule)
		if seen[content] {
			return asked[:i], wire.Refuse(wire.CodePermissionTwice)
		}
		seen[content] = true
	}
	return asked, nil
}

// permission reads one rule of a request about a group.
type permission struct {
	fields    wire.Params
	name      string // What the names of its parameters begin with: Permissions.2. or, in the first form, nothing.
	direction direction
	operation operation
	group     *Group
	call      *call
	rule      Rule // What was read.
}

// read reads the rule with its defaults, and checks everything that does not depend on what else exists.
func (p *permission) read() error {
	p.rule = Rule{Policy: PolicyAccept, Priority: 1, Description: p.fields.Get("Description")}
	for _, step := range []func() error{
		p.readProtocol, p.readPorts, p.readSourcePorts, p.readPolicy, p.readPriority, p.checkOwnGroup, p.readPeer,
		p.readOwn, p.readNIC, p.checkFamilies, p.checkAddresses,
	} {
		if err := step(); err != nil {
			return err
		}
	}
	if !isDescription(p.rule.Description, maxRuleDescription) {
		return wire.Refuse(wire.CodeDescription)
	}
	return nil
}

// readProtocol takes the known names in any case. ICMPv6 is taken too: the documents name it for revoking only, but
// what can be revoked must have been authorized. The documents give the code of a refusal two messages, without a word
// about when; here, one is for numbers.
func (p *permission) readProtocol() error {
	text := p.fields.Get("IpProtocol")
	if text == "" {
		return wire.Refuse(wire.CodeProtocol)
	}
	switch folded := strings.ToLower(text); folded {
	case "tcp", "udp", "icmp", "icmpv6", "gre", "all":
		p.rule.Protocol = folded
		return nil
	}
	if n, ok := wire.Decimal(text); ok && n <= 255 && takesProtocolNumbers(p.call.region.id) {
		p.rule.Protocol = p.call.era.protocol(text)
		return nil
	}
	if wire.IsDigits(text) {
		return wire.Refusef(wire.CodeProtocol, "The specified IpProtocol does not exist.")
	}
	return wire.Refuse(wire.CodeProtocol)
}

// readPorts takes the ports or, in their absence, a port list, which authorizing and revoking have under Permissions
// only.
func (p *permission) readPorts() error {
	ports := p.fields.Get("PortRange")
	if ports == "" {
		list := p.fields.Get("PortRangeListId")
		switch {
		case list == "", p.name == "" && (p.operation == authorizing || p.operation == revoking):
			return wire.Refuse(wire.CodePortsMissing)
		case !HasPorts(p.rule.Protocol):
			return wire.Refuse(wire.CodePortListProtocol)
		case p.group.VPC == "":
			return wire.Refuse(wire.CodeNetworkType)
		}
		p.rule.PortList = list
		return nil
	}
	if !isPortRange(ports) && ports != PortsAll {
		return p.malformedPorts()
	}
	if HasPorts(p.rule.Protocol) == (ports == PortsAll) {
		return p.mismatchedPorts()
	}
	p.rule.Ports = ports
	return nil
}

func (p *permission) readSourcePorts() error {
	ports := p.fields.Get("SourcePortRange")
	if ports == "" {
		return nil
	}
	if HasPorts(p.rule.Protocol) != isPortRange(ports) || !HasPorts(p.rule.Protocol) && ports != PortsAll {
		return wire.Refuse(wire.CodeSourcePorts)
	}
	p.rule.SourcePorts = ports
	return nil
}

// HasPorts tells whether rules of a protocol name ports; the others have -1/-1.
func HasPorts(protocol string) bool {
	return strings.EqualFold(protocol, "tcp") || strings.EqualFold(protocol, "udp")
}

func isPortRange(text string) bool {
	first, last, ok := strings.Cut(text, "/")
	low, okLow := wire.Decimal(first)
	high, okHigh := wire.Decimal(last)
	return ok && okLow && okHigh && low >= 1 && low <= high && high <= 65535
}

// readPolicy takes Allow as well: the samples in the documents send it.
func (p *permission) readPolicy() error {
	switch strings.ToLower(p.fields.Get("Policy")) {
	case "", PolicyAccept, "allow":
	case PolicyDrop:
		p.rule.Policy = PolicyDrop
	default:
		return wire.Refuse(wire.CodePolicy)
	}
	return nil
}

func (p *permission) readPriority() error {
	text := p.fields.Get("Priority")
	if text == "" {
		return nil
	}
	n, ok := wire.Decimal(text)
	if !ok {
		return wire.Refuse(wire.CodePriority)
	}
	if n < 1 || n > 100 {
		return wire.Refuse(wire.CodePriorityRange)
	}
	p.rule.Priority = n
	return nil
}

// readPeer picks one of several peers as the cloud does, without a word about those that lose: an address wins over a
// group, and either over a prefix list. Of two addresses none wins.
func (p *permission) readPeer() error {
	peer := p.direction.peer()
	v4, v6 := p.fields.Get(peer.cidr()), p.fields.Get(peer.cidr6())
	switch {
	case v4 != "" && v6 != "":
		return p.bothFamilies(peer)
	case v4 != "":
		p.rule.kind = toIPv4
		return p.readCIDR(&p.rule.Peer, v4, peer)
	case v6 != "":
		p.rule.kind = toIPv6
		return p.readCIDR6(&p.rule.Peer, v6, peer)
	}
	if group := p.fields.Get(peer.group()); group != "" {
		p.rule.Peer, p.rule.kind = group, toGroup
		return p.readOwner()
	}
	if list := p.fields.Get(peer.list()); list != "" {
		if p.group.VPC == "" {
			return wire.Refuse(wire.CodeClassicPrefixList)
		}
		p.rule.Peer, p.rule.kind = list, toPrefixList
		return nil
	}
	return p.noPeer()
}

// readOwner takes the account of a group that is the peer. Its ID wins over the other parameter, which may be a name as
// well. To name the own account is to name none, and a name that is known is kept as the ID, as answers tell IDs.
func (p *permission) readOwner() error {
	peer := p.direction.peer()
	id, account := p.fields.Get(peer.ownerID()), p.fields.Get(peer.ownerAccount())
	if id != "" && !IsAccountID(id) {
		return wire.Refusef(wire.CodeParameter, "The parameter "+peer.ownerID()+" must be a number of at most 20 digits.")
	}
	p.rule.PeerAccount = cmp.Or(id, account)
	if wire.IsDigits(p.rule.PeerAccount) && !IsAccountID(p.rule.PeerAccount) {
		return wire.Refusef(wire.CodeParameter, "The parameter "+peer.ownerAccount()+" is not an account.")
	}
	p.rule.PeerAccount = p.call.peerAccount(&p.rule)
	return nil
}

func (p *permission) readOwn() error {
	own := p.direction.own()
	v4, v6 := p.fields.Get(own.cidr()), p.fields.Get(own.cidr6())
	switch {
	case v4 != "" && v6 != "":
		return p.bothFamilies(own)
	case v4 != "":
		return p.readCIDR(&p.rule.Own, v4, own)
	case v6 != "":
		return p.readCIDR6(&p.rule.Own, v6, own)
	}
	return nil
}

// readCIDR keeps the text as it is: whether the cloud rewrites IPv4 addresses of rules is not documented, and clients
// compare what they are told with what they sent. See [Era.MaskedCIDRs].
func (p *permission) readCIDR(into *string, text string, s side) error {
	if _, ok := parsePrefix(text, false); !ok {
		return p.malformedCIDR(s, onlyLength(text, false))
	}
	*into = text
	return nil
}

// readCIDR6 keeps an address in its short form. That the cloud does so, and leaves the bits beyond the length alone, is
// what a widespread infrastructure client is tested against.
func (p *permission) readCIDR6(into *string, text string, s side) error {
	prefix, ok := parsePrefix(text, true)
	if !ok {
		return p.malformedCIDR6(s, onlyLength(text, true))
	}
	if p.group.VPC == "" {
		return wire.Refuse(wire.CodeNetworkType)
	}
	*into = prefix.Addr().String()
	if strings.Contains(text, "/") {
		*into = prefix.String()
	}
	return nil
}

// onlyLength tells whether a text that is no CIDR of a family would be one but for the length of its prefix.
func onlyLength(text string, v6 bool) bool {
	address, _, hasLength := strings.Cut(text, "/")
	addr, err := netip.ParseAddr(address)
	return hasLength && err == nil && addr.Is4() != v6 && addr.Zone() == ""
}

// readNIC takes the network card of the rule.
func (p *permission) readNIC() error {
	nic, ok := readNIC(p.fields)
	if !ok {
		return wire.Refuse(wire.CodeNIC)
	}
	if p.group.VPC != "" {
		if nic == NicInternet {
			return p.otherCard()
		}
		nic = NicIntranet
	}
	p.rule.NIC = cmp.Or(nic, NicInternet)
	if p.rule.NIC == NicInternet && p.rule.destination() == toGroup {
		return p.groupOnInternet()
	}
	return nil
}

// nilNIC is what a widespread infrastructure client sends if it was not told a card. It is known to work with the cloud,
// so this is taken as if it were absent.
const nilNIC = "<nil>"

// readNIC gives the network card of a request, empty if it names none, and whether it can be one.
func readNIC(fields wire.Params) (nic string, ok bool) {
	switch nic = fields.Get("NicType"); nic {
	case "", NicInternet, NicIntranet:
		return nic, true
	case nilNIC:
		return "", true
	}
	return "", false
}

func (p *permission) checkFamilies() error {
	to := p.rule.destination()
	v6Own := strings.Contains(p.rule.Own, ":")
	switch {
	case to == toIPv6 && p.rule.Protocol == "icmp":
		return p.wrongFamily(wire.CodeIPv4Protocol)
	case to == toIPv4 && p.rule.Protocol == "icmpv6":
		return p.wrongFamily(wire.CodeIPv6Protocol)
	case to == toIPv4 && v6Own, to == toIPv6 && p.rule.Own != "" && !v6Own:
		return wire.Refuse(wire.CodeFamilies)
	}
	return nil
}

// checkAddresses refuses a rule with the same address on both sides. Revoking has no code for it.
func (p *permission) checkAddresses() error {
	if p.rule.Own == "" || p.operation == revoking || meaning(p.rule.Own) != meaning(p.rule.Peer) {
		return nil
	}
	return &wire.Refusal{
		Code: wire.CodeGroupConflict, Status: 400,
		Message: "The specified SourceCidrIp should be different from the DestCidrIp.",
	}
}

// checkOwnGroup refuses a rule of egress with the group as SourceGroupId. That egress looks at that at all, which is no
// parameter of it, is what its tables of errors tell.
func (p *permission) checkOwnGroup() error {
	if p.direction == egress && p.fields.Get(source.group()) == p.group.ID {
		return wire.Refuse(wire.CodeGroupConflict)
	}
	return nil
}
