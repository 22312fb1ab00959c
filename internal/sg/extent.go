package sg

import "net/netip"

// Extent is a product of sets of traffic: what lies in one element of every field. A nil field is no restriction; one that
// is empty and not nil holds nothing.
type Extent struct {
	Protocols    []Protocol
	Destinations []netip.Prefix
	Ports        []PortRange
	Sources      []netip.Prefix
	SourcePorts  []PortRange
}
