package sg

import (
	"fmt"
	"strconv"
	"strings"
)

// Protocol is an IP protocol number, [AllProtocols], or [NoProtocol]. The zero value is NoProtocol, so that a rule
// whose protocol was not read never passes for one with protocol 0.
type Protocol int16

// Protocols with names. IANA numbers are stored plus one.
const (
	NoProtocol   Protocol = 0
	AllProtocols Protocol = -1
	ICMP         Protocol = 1 + 1
	TCP          Protocol = 6 + 1
	UDP          Protocol = 17 + 1
	GRE          Protocol = 47 + 1
	ICMPv6       Protocol = 58 + 1
)

// ParseProtocol reads a name, in any case, or an IANA number from 0 to 255.
func ParseProtocol(text string) (Protocol, error) {
	for _, named := range [...]Protocol{AllProtocols, TCP, UDP, ICMP, ICMPv6, GRE} {
		if strings.EqualFold(text, named.String()) {
			return named, nil
		}
	}
	if n, err := strconv.ParseUint(text, 10, 8); err == nil && (text == "0" || text[0] != '0') {
		return Protocol(n) + 1, nil
	}
	return NoProtocol, fmt.Errorf("%q is no protocol: tcp, udp, icmp, icmpv6, gre, all or a number from 0 to 255", text)
}

// Number is the IANA number of a single protocol.
func (p Protocol) Number() (uint8, bool) {
	if p <= NoProtocol {
		return 0, false
	}
	return uint8(p - 1), true //nolint:gosec // 1 to 256 by construction
}

// HasPorts tells whether traffic of the protocol can have ports at all.
func (p Protocol) HasPorts() bool { return p == TCP || p == UDP || p == AllProtocols }

func (p Protocol) String() string {
	switch p {
	case NoProtocol:
		return "unknown"
	case AllProtocols:
		return "all"
	case TCP:
		return "tcp"
	case UDP:
		return "udp"
	case ICMP:
		return "icmp"
	case ICMPv6:
		return "icmpv6"
	case GRE:
		return "gre"
	default:
		return strconv.Itoa(int(p) - 1)
	}
}
