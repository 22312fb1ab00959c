package ecsemu

import (
	"cmp"
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
func hasFlatRule(p parameters) bool {
	return slices.ContainsFunc(flatFields(), func(name string) bool { return p.get(name) != "" })
}

// Limits of a request about rules.
const (
	maxPermissions     = 100
	maxRuleDescription = 512 // Characters.
)

// readPermissions gives the rules of a request, in either form but not in both.
func readPermissions(p parameters) ([]parameters, error) {
	listed := p.list("Permissions")
	if len(listed) == 0 {
		one := make(parameters, len(p))
		for _, name := range flatFields() {
			one[name] = p.get(name)
		}
		return []parameters{one}, nil
	}
	if hasFlatRule(p) || listed[len(listed)-1].index > maxPermissions {
		return nil, refuse(codePermissions)
	}
	all := make([]parameters, 0, len(listed))
	for _, e := range listed {
		all = append(all, e.fields)
	}
	return all, nil
}

// permission reads one rule of a request about a group, with its defaults, and checks everything that does not
// depend on what else exists.
type permission struct {
	fields parameters
	group  *Group
	region string
	// account is whose request it is.
	account string
	rule    Rule
}

func (p *permission) read() (Rule, error) {
	p.rule = Rule{Policy: policyAccept, Priority: 1, Description: p.fields.get("Description")}
	for _, step := range []func() error{
		p.readProtocol, p.readPorts, p.readSourcePorts, p.readPolicy, p.readPriority, p.readDestination, p.readSource,
		p.readNIC, p.checkFamilies,
	} {
		if err := step(); err != nil {
			return Rule{}, err
		}
	}
	if !isDescription(p.rule.Description, maxRuleDescription) {
		return Rule{}, refuse(codeDescription)
	}
	return p.rule, nil
}

// readProtocol takes the known names in any case. ICMPv6 is taken too: the documents name it for revoking only, but
// what can be revoked must have been authorized.
func (p *permission) readProtocol() error {
	text := p.fields.get("IpProtocol")
	if text == "" {
		return missing("IpProtocol")
	}
	switch folded := strings.ToLower(text); folded {
	case "tcp", "udp", "icmp", "icmpv6", "gre", "all":
		p.rule.Protocol = folded
		return nil
	}
	if n, ok := decimal(text); ok && n <= 255 && takesProtocolNumbers(p.region) {
		p.rule.Protocol = text
		return nil
	}
	return refuse(codeProtocol)
}

// readPorts takes the ports or, in their absence, a port list.
func (p *permission) readPorts() error {
	ports := p.fields.get("PortRange")
	if ports == "" {
		list := p.fields.get("PortRangeListId")
		switch {
		case list == "":
			return refuse(codePortsMissing)
		case !hasPorts(p.rule.Protocol):
			return refuse(codePortListProtocol)
		case p.group.VPC == "":
			return refuse(codeNetworkType)
		}
		p.rule.PortList = list
		return nil
	}
	if !isPortRange(ports) && ports != portsAll {
		return refuse(codePorts)
	}
	if hasPorts(p.rule.Protocol) && ports == portsAll {
		return refuse(codePorts)
	}
	if !hasPorts(p.rule.Protocol) && ports != portsAll {
		return refuse(codePortsMismatch)
	}
	p.rule.Ports = ports
	return nil
}

func (p *permission) readSourcePorts() error {
	ports := p.fields.get("SourcePortRange")
	if ports == "" {
		return nil
	}
	if hasPorts(p.rule.Protocol) != isPortRange(ports) || !hasPorts(p.rule.Protocol) && ports != portsAll {
		return refuse(codeSourcePorts)
	}
	p.rule.SourcePorts = ports
	return nil
}

// hasPorts tells whether rules of a protocol name ports; the others have -1/-1.
func hasPorts(protocol string) bool {
	return strings.EqualFold(protocol, "tcp") || strings.EqualFold(protocol, "udp")
}

func isPortRange(text string) bool {
	first, last, ok := strings.Cut(text, "/")
	low, okLow := decimal(first)
	high, okHigh := decimal(last)
	return ok && okLow && okHigh && low >= 1 && low <= high && high <= 65535
}

// readPolicy takes Allow as well: the samples in the documents send it.
func (p *permission) readPolicy() error {
	switch strings.ToLower(p.fields.get("Policy")) {
	case "", policyAccept, "allow":
	case policyDrop:
		p.rule.Policy = policyDrop
	default:
		return refuse(codePolicy)
	}
	return nil
}

func (p *permission) readPriority() error {
	text := p.fields.get("Priority")
	if text == "" {
		return nil
	}
	n, ok := decimal(text)
	if !ok {
		return refuse(codePriority)
	}
	if n < 1 || n > 100 {
		return refuse(codePriorityRange)
	}
	p.rule.Priority = n
	return nil
}

// readDestination picks one of several destinations as the cloud does, without a word about those that lose: an
// address wins over a group, and either over a prefix list. Of two addresses none wins.
func (p *permission) readDestination() error {
	v4, v6 := p.fields.get("DestCidrIp"), p.fields.get("Ipv6DestCidrIp")
	switch {
	case v4 != "" && v6 != "":
		return refuse(codeDestBoth)
	case v4 != "":
		p.rule.kind = toIPv4
		return p.readAddress(&p.rule.To, v4, false, codeDestCIDR)
	case v6 != "":
		p.rule.kind = toIPv6
		return p.readAddress(&p.rule.To, v6, true, codeDestCIDR6)
	}
	if group := p.fields.get("DestGroupId"); group != "" {
		p.rule.To, p.rule.kind = group, toGroup
		return p.readOwner()
	}
	if list := p.fields.get("DestPrefixListId"); list != "" {
		if p.group.VPC == "" {
			return refuse(codeClassicPrefixList)
		}
		p.rule.To, p.rule.kind = list, toPrefixList
		return nil
	}
	return refuse(codeDestMissing)
}

// readOwner takes the account of a group that is the destination. DestGroupOwnerId, which is a number, wins over
// DestGroupOwnerAccount, which may be a name as well. To name the own account is to name none.
func (p *permission) readOwner() error {
	id, account := p.fields.get("DestGroupOwnerId"), p.fields.get("DestGroupOwnerAccount")
	if id != "" && !isAccountID(id) {
		return refusef(codeParameter, "The parameter DestGroupOwnerId must be a number of at most 20 digits.")
	}
	owner := cmp.Or(id, account)
	if isDigits(owner) && !isAccountID(owner) {
		return refusef(codeParameter, "The parameter DestGroupOwnerAccount is not an account.")
	}
	if owner != p.account {
		p.rule.ToAccount = owner
	}
	return nil
}

func (p *permission) readSource() error {
	v4, v6 := p.fields.get("SourceCidrIp"), p.fields.get("Ipv6SourceCidrIp")
	switch {
	case v4 != "" && v6 != "":
		return refuse(codeSourceBoth)
	case v4 != "":
		return p.readAddress(&p.rule.Source, v4, false, codeSourceCIDR)
	case v6 != "":
		return p.readAddress(&p.rule.Source, v6, true, codeSourceCIDR6)
	}
	return nil
}

// readAddress keeps the text as it is: whether the cloud rewrites addresses of rules is not documented.
func (p *permission) readAddress(into *string, text string, v6 bool, malformed errorCode) error {
	if _, ok := parsePrefix(text, v6); !ok {
		return refuse(malformed)
	}
	if v6 && p.group.VPC == "" {
		return refuse(codeNetworkType)
	}
	*into = text
	return nil
}

func (p *permission) readNIC() error {
	nic := p.fields.get("NicType")
	switch nic {
	case "", nicInternet, nicIntranet:
	default:
		return refuse(codeNIC)
	}
	if p.group.VPC != "" {
		if nic == nicInternet {
			return refuse(codeNICMismatch)
		}
		nic = nicIntranet
	}
	if nic == "" {
		nic = nicInternet
	}
	if nic == nicInternet && p.rule.destination() == toGroup {
		return &refusal{
			code: codeDestGroupMismatch, status: 403, message: "The NicType must be intranet if the destination is a group.",
		}
	}
	p.rule.NIC = nic
	return nil
}

func (p *permission) checkFamilies() error {
	to := p.rule.destination()
	v6Source := strings.Contains(p.rule.Source, ":")
	switch {
	case to == toIPv6 && p.rule.Protocol == "icmp":
		return refuse(codeIPv4Protocol)
	case to == toIPv4 && p.rule.Protocol == "icmpv6":
		return refuse(codeIPv6Protocol)
	case to == toIPv4 && v6Source, to == toIPv6 && p.rule.Source != "" && !v6Source:
		return refuse(codeFamilies)
	}
	return nil
}

// content is what makes two rules of an account the same: everything but ID, description and time. Which parts the
// cloud compares is not documented. Addresses are compared by what they mean.
func (r *Rule) content(account string) Rule {
	c := *r
	c.kind = c.destination()
	if c.ToAccount == account {
		c.ToAccount = ""
	}
	c.ID, c.NoID, c.Description, c.Created = "", false, "", ""
	c.Protocol, c.Policy, c.NIC = strings.ToLower(c.Protocol), strings.ToLower(c.Policy), strings.ToLower(c.NIC)
	c.Source = meaning(c.Source)
	if c.kind == toIPv4 || c.kind == toIPv6 {
		c.To = meaning(c.To)
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
