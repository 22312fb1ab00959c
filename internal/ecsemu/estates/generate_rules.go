package estates

import (
	"strconv"
	"time"

	"github.com/egress-janitor/egress-janitor/internal/ecsemu/cloud"
)

// service is what rules are about.
type service struct {
	weight   int // Of 100.
	protocol string
	ports    string
	name     string
}

// servicesByWeight gives the services of rules as often as they are met, in a hundred.
func servicesByWeight() []*service {
	all := [...]service{
		{28, "tcp", "443/443", "HTTPS"},
		{12, "tcp", "80/80", "HTTP"},
		{9, "tcp", "3306/3306", "MySQL"},
		{7, "tcp", "6379/6379", "Redis"},
		{7, "udp", "53/53", "DNS"},
		{6, "tcp", "22/22", "SSH"},
		{5, "tcp", "8080/8080", "API"},
		{4, "tcp", "9092/9092", "Kafka"},
		{3, "tcp", "5432/5432", "PostgreSQL"},
		{3, "tcp", "8443/8443", "API"},
		{3, "udp", "123/123", "Time"},
		{2, "tcp", "27017/27017", "MongoDB"},
		{2, "tcp", "9200/9300", "Search"},
		{1, "tcp", "3389/3389", "Remote desktop"},
		{1, "tcp", "1433/1433", "SQL Server"},
		{1, "tcp", "25/25", "Mail"},
		{1, "udp", "514/514", "Logs"},
		{1, "tcp", "30000/32767", "Nodes"},
		{1, "tcp", "1/65535", "Everything"},
		{2, "icmp", "", "Path MTU"},
		{1, "all", "", ""},
	}
	var dealt []*service
	for i := range all {
		for range all[i].weight {
			dealt = append(dealt, &all[i])
		}
	}
	return dealt
}

// filling gives a group its rules.
type filling struct {
	*generator

	place   *place
	group   *cloud.Group
	vpc     int
	first   int  // Where in the private network the peers begin.
	ingress bool // The direction that is being filled.
	groups  int  // How many rules with groups there are, how many with prefix lists, and how many that are open to the
	lists   int  // world; all in this direction.
	open    int
}

// Limits of what one group has in one direction: groups because the API allows 20 in both together.
const (
	maxGroupPeers = 3
	maxInbound    = 40
)

// fill makes egress rules, and inbound ones as far as there is room.
func (f *filling) fill(rules int) {
	f.group.Egress = f.rules(rules)
	if inbound := min(1+rules/4, maxInbound, roomForRules-rules); inbound > 0 && rules > 0 {
		f.ingress, f.groups, f.lists, f.open = true, 0, 0, 0
		f.group.Ingress = f.rules(inbound)
	}
}

func (f *filling) rules(count int) []cloud.Rule {
	f.first = f.draw.Below(1 << 16)
	rules := make([]cloud.Rule, count)
	share := f.FindingShare
	if f.ingress {
		share = 0.1 // Services are open to the world.
	}
	for i := range rules {
		if f.draw.Chance() < share {
			f.openRule(i, &rules[i])
		} else {
			f.narrowRule(i, &rules[i])
		}
	}
	return rules
}

// begin makes what every rule has.
func (f *filling) begin(number int, r *cloud.Rule) {
	s := f.services[f.draw.Below(len(f.services))]
	*r = cloud.Rule{
		ID: f.draw.ResourceID("sgr"), Protocol: s.protocol, Ports: s.ports, Policy: cloud.PolicyAccept, Priority: 1,
		Created: f.created().Format(time.RFC3339),
	}
	if number >= 1<<16 {
		// The networks begin anew, so the ports must be others. No service has these.
		r.Protocol, r.Ports = "tcp", onePort(40000+number>>16)
	}
	if f.draw.Below(8) == 0 {
		r.Priority = [...]int{2, 5, 10, 50, 100}[f.draw.Below(5)]
	}
	switch f.draw.Below(40) {
	case 0:
		r.Description = "temporary, expires=" + f.expiry()
	case 1, 2:
		r.Description = "TICKET-" + strconv.Itoa(1000+f.draw.Below(9000))
	case 3, 4, 5, 6, 7, 8, 9, 10:
		r.Description = s.name
	}
}

func onePort(port int) string {
	text := strconv.Itoa(port)
	return text + "/" + text
}

// openRule is open to the world. Its ports are its own in the group, so that it is the same as no other.
func (f *filling) openRule(number int, r *cloud.Rule) {
	f.begin(number, r)
	r.Policy, r.Peer = cloud.PolicyAccept, "0.0.0.0/0"
	if f.draw.Below(8) == 0 {
		r.Peer = "::/0"
	}
	common := [...]string{"443/443", "80/80", "22/22", "1/65535", "53/53", "8443/8443", "25/25"}
	switch {
	case f.open == 0 && !f.ingress && f.draw.Below(4) == 0:
		r.Protocol, r.Ports = "all", ""
	case f.open < len(common):
		r.Protocol, r.Ports = "tcp", common[f.open]
	default:
		r.Protocol, r.Ports = "tcp", onePort(1024+f.open%32768)
		if f.open >= 32768 {
			r.Protocol = "udp"
		}
		if round := f.open >> 16; round > 0 {
			r.Priority = 1 + round%100
		}
	}
	f.open++
}

// narrowRule has a peer that is its own in the group and the direction, or that has it for its own lists.
func (f *filling) narrowRule(number int, r *cloud.Rule) {
	f.begin(number, r)
	if f.draw.Below(16) == 0 {
		r.Policy = cloud.PolicyDrop
	}
	// 16 bits, each of them once for 65,536 rules.
	at := (f.first + number*40503) & 0xffff
	kind := f.draw.Below(100)
	recent := f.place.recent[f.vpc]
	switch {
	case kind < 5 && f.group.Type == cloud.TypeNormal && f.groups < min(maxGroupPeers, len(recent)):
		r.Peer = recent[f.groups]
		f.groups++
		return
	case kind < 10 && f.lists < len(f.place.region.PrefixLists):
		r.Peer = f.place.region.PrefixLists[f.lists].ID
		f.lists++
		return
	case kind < 15:
		if r.Protocol == "icmp" {
			r.Protocol = "icmpv6"
		}
		r.Peer = "fd00:" + strconv.FormatInt(int64(f.vpc), 16) + ":" + strconv.FormatInt(int64(at), 16) + "::/64"
		return
	}
	r.Peer = f.network(at)
	if kind < 18 {
		r.Own = "10." + strconv.Itoa(f.vpc) + "." + strconv.Itoa(f.draw.Below(256)) + ".0/25"
		if cloud.HasPorts(r.Protocol) && f.draw.Below(2) == 0 {
			r.SourcePorts = "1024/65535"
		}
	}
}

// network gives a network or address that no other number has.
func (f *filling) network(at int) string {
	text := make([]byte, 0, len("10.255.255.255/32"))
	text = append(text, "10."...)
	text = strconv.AppendInt(text, int64(at>>8), 10)
	text = append(text, '.')
	text = strconv.AppendInt(text, int64(at&0xff), 10)
	text = append(text, '.')
	if f.draw.Below(3) == 0 {
		return string(append(text, "0/24"...))
	}
	text = strconv.AppendInt(text, int64(1+f.draw.Below(250)), 10)
	return string(append(text, "/32"...))
}
