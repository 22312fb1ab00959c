package sg

import (
	"fmt"
	"net/netip"
)

// ParseCloudCIDR reads an address block as the cloud may spell it: a bare address is a block of one, host bits are
// masked, and an IPv4-mapped IPv6 block is unmapped to the IPv4 one that it means.
func ParseCloudCIDR(text string) (netip.Prefix, error) {
	prefix, err := netip.ParsePrefix(text)
	if err != nil {
		addr, addrErr := netip.ParseAddr(text)
		if addrErr != nil || addr.Zone() != "" {
			return netip.Prefix{}, fmt.Errorf("%q is neither an address nor an address block", text)
		}
		prefix = netip.PrefixFrom(addr, addr.BitLen())
	}
	if addr := prefix.Addr(); addr.Is4In6() && prefix.Bits() >= 96 {
		prefix = netip.PrefixFrom(addr.Unmap(), prefix.Bits()-96)
	}
	return prefix.Masked(), nil
}

// KindOf is the kind of destination that an address block is.
func KindOf(prefix netip.Prefix) DestinationKind {
	if prefix.Addr().Is4() {
		return CIDR4
	}
	return CIDR6
}
