package cloud

import (
	"cmp"
	"github.com/egress-janitor/egress-janitor/internal/ecsemu/wire"
	"net/netip"
	"slices"
	"strings"
	"time"
)

// flatFields are the parameters of the first form of a rule: one rule, its parts at the top level of the request.
// The second form has them once more under each Permissions.N, where PortRangeListId comes on top.
func flatFields() []string {
	return []string{
		"IpProtocol", "PortRange", "DestCidrIp", "Ipv6DestCidrIp", "DestGroupId", "DestPrefixListId", "SourceCidrIp",
		"Ipv6SourceCidrIp", "SourcePortRange", "Policy", "Priority", "NicType", "DestGroupOwnerId",
		"DestGroupOwnerAccount", "Description",
	}
}

// hasFlatRule tells whether a request holds any part of a rule in the first form.
func hasFlatRule(p wire.Params) bool {
	return slices.ContainsFunc(flatFields(), func(name string) bool { return p.Get(name) != "" })
}

// Limits of a request about rules.
const (
	maxPermissions     = 100
	maxRuleDescription = 512 // Characters.
)

// readPermissions gives the rules of a request, in either form but not in both.
func readPermissions(p wire.Params) ([]wire.Params, error) {
	listed := p.List("Permissions")
	if len(listed) == 0 {
		one := make(wire.Params, len(p))
		for _, name := range flatFields() {
			one[name] = p.Get(name)
		}
		return []wire.Params{one}, nil
	}
	if hasFlatRule(p) || listed[len(listed)-1].Index > maxPermissions {
		return nil, wire.Refuse(wire.CodePermissions)
	}
	all := make([]wire.Params, 0, len(listed))
	for _, e := range listed {
		all = append(all, e.Fields)
	}
	return all, nil
}

// permission reads one rule of a request about a group, with its defaults, and checks everything that does not
// depend on what else exists.
type permission struct {
	fields wire.Params
	group  *Group
	region string
	// account is whose request it is.
	account string
	rule    Rule
}

func (p *permission) read() (Rule, error) {
	p.rule = Rule{Policy: PolicyAccept, Priority: 1, Description: p.fields.Get("Description")}
	for _, step := range []func() error{
		p.readProtocol, p.readPorts, p.readSourcePorts, p.readPolicy, p.readPriority, p.readDestination, p.readSource,
		p.readNIC, p.checkFamilies,
	} {
		if err := step(); err != nil {
			return Rule{}, err
		}
	}
	if !isDescription(p.rule.Description, maxRuleDescription) {
		return Rule{}, wire.Refuse(wire.CodeDescription)
	}
	return p.rule, nil
}

// readProtocol takes the known names in any case. ICMPv6 is taken too: the documents name it for revoking only, but
// what can be revoked must have been authorized.
func (p *permission) readProtocol() error {
	text := p.fields.Get("IpProtocol")
	if text == "" {
		return wire.Missing("IpProtocol")
	}
	switch folded := strings.ToLower(text); folded {
	case "tcp", "udp", "icmp", "icmpv6", "gre", "all":
		p.rule.Protocol = folded
		return nil
	}
	if n, ok := wire.Decimal(text); ok && n <= 255 && takesProtocolNumbers(p.region) {
		p.rule.Protocol = text
		return nil
	}
	return wire.Refuse(wire.CodeProtocol)
}

// readPorts takes the ports or, in their absence, a port list.
func (p *permission) readPorts() error {
	ports := p.fields.Get("PortRange")
	if ports == "" {
		list := p.fields.Get("PortRangeListId")
		switch {
		case list == "":
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
		return wire.Refuse(wire.CodePorts)
	}
	if HasPorts(p.rule.Protocol) && ports == PortsAll {
		return wire.Refuse(wire.CodePorts)
	}
	if !HasPorts(p.rule.Protocol) && ports != PortsAll {
		return wire.Refuse(wire.CodePortsMismatch)
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

// readDestination picks one of several destinations as the cloud does, without a word about those that lose: an
// address wins over a group, and either over a prefix list. Of two addresses none wins.
func (p *permission) readDestination() error {
	v4, v6 := p.fields.Get("DestCidrIp"), p.fields.Get("Ipv6DestCidrIp")
	switch {
	case v4 != "" && v6 != "":
		return wire.Refuse(wire.CodeDestBoth)
	case v4 != "":
		p.rule.kind = toIPv4
		return p.readAddress(&p.rule.Peer, v4, false, wire.CodeDestCIDR)
	case v6 != "":
		p.rule.kind = toIPv6
		return p.readAddress(&p.rule.Peer, v6, true, wire.CodeDestCIDR6)
	}
	if group := p.fields.Get("DestGroupId"); group != "" {
		p.rule.Peer, p.rule.kind = group, toGroup
		return p.readOwner()
	}
	if list := p.fields.Get("DestPrefixListId"); list != "" {
		if p.group.VPC == "" {
			return wire.Refuse(wire.CodeClassicPrefixList)
		}
		p.rule.Peer, p.rule.kind = list, toPrefixList
		return nil
	}
	return wire.Refuse(wire.CodeDestMissing)
}

// readOwner takes the account of a group that is the destination. DestGroupOwnerId, which is a number, wins over
// DestGroupOwnerAccount, which may be a name as well. To name the own account is to name none.
func (p *permission) readOwner() error {
	id, account := p.fields.Get("DestGroupOwnerId"), p.fields.Get("DestGroupOwnerAccount")
	if id != "" && !IsAccountID(id) {
		return wire.Refusef(wire.CodeParameter, "The parameter DestGroupOwnerId must be a number of at most 20 digits.")
	}
	owner := cmp.Or(id, account)
	if wire.IsDigits(owner) && !IsAccountID(owner) {
		return wire.Refusef(wire.CodeParameter, "The parameter DestGroupOwnerAccount is not an account.")
	}
	if owner != p.account {
		p.rule.PeerAccount = owner
	}
	return nil
}

func (p *permission) readSource() error {
	v4, v6 := p.fields.Get("SourceCidrIp"), p.fields.Get("Ipv6SourceCidrIp")
	switch {
	case v4 != "" && v6 != "":
		return wire.Refuse(wire.CodeSourceBoth)
	case v4 != "":
		return p.readAddress(&p.rule.Own, v4, false, wire.CodeSourceCIDR)
	case v6 != "":
		return p.readAddress(&p.rule.Own, v6, true, wire.CodeSourceCIDR6)
	}
	return nil
}

// readAddress keeps the text as it is: whether the cloud rewrites addresses of rules is not documented.
func (p *permission) readAddress(into *string, text string, v6 bool, malformed wire.Code) error {
	if _, ok := parsePrefix(text, v6); !ok {
		return wire.Refuse(malformed)
	}
	if v6 && p.group.VPC == "" {
		return wire.Refuse(wire.CodeNetworkType)
	}
	*into = text
	return nil
}

func (p *permission) readNIC() error {
	nic := p.fields.Get("NicType")
	switch nic {
	case "", NicInternet, NicIntranet:
	default:
		return wire.Refuse(wire.CodeNIC)
	}
	if p.group.VPC != "" {
		if nic == NicInternet {
			return wire.Refuse(wire.CodeNICMismatch)
		}
		nic = NicIntranet
	}
	if nic == "" {
		nic = NicInternet
	}
	if nic == NicInternet && p.rule.destination() == toGroup {
		return &wire.Refusal{
			Code: wire.CodeDestGroupMismatch, Status: 403, Message: "The NicType must be intranet if the destination is a group.",
		}
	}
	p.rule.NIC = nic
	return nil
}

func (p *permission) checkFamilies() error {
	to := p.rule.destination()
	v6Source := strings.Contains(p.rule.Own, ":")
	switch {
	case to == toIPv6 && p.rule.Protocol == "icmp":
		return wire.Refuse(wire.CodeIPv4Protocol)
	case to == toIPv4 && p.rule.Protocol == "icmpv6":
		return wire.Refuse(wire.CodeIPv6Protocol)
	case to == toIPv4 && v6Source, to == toIPv6 && p.rule.Own != "" && !v6Source:
		return wire.Refuse(wire.CodeFamilies)
	}
	return nil
}

// content is what makes two rules of an account the same: everything but ID, description and time. Which parts the
// cloud compares is not documented. Addresses are compared by what they mean.
func (r *Rule) content(account string) Rule {
	c := *r
	c.kind = c.destination()
	if c.PeerAccount == account {
		c.PeerAccount = ""
	}
	c.ID, c.NoID, c.Description, c.Created = "", false, "", ""
	c.Protocol, c.Policy, c.NIC = strings.ToLower(c.Protocol), strings.ToLower(c.Policy), strings.ToLower(c.NIC)
	c.Own = meaning(c.Own)
	if c.kind == toIPv4 || c.kind == toIPv6 {
		c.Peer = meaning(c.Peer)
	}
	return c
}

func meaning(text string) string {
	if prefix, err := netip.ParsePrefix(text); err == nil {
		return prefix.Masked().String()
	}
	if addr, err := netip.ParseAddr(text); err == nil {
		return netip.PrefixFrom(addr, addr.BitLen()).String()
	}
	return text
}

func ruleTime(now time.Time) string { return now.Format(time.RFC3339) }
