package reach

import (
	"cmp"
	"net/netip"
	"slices"

	"github.com/egress-janitor/egress-janitor/internal/sg"
)

// Whole puts the effects on the interfaces of a group together: what closes on some of them, closes. It is unknown if one
// of them is, and nothing if there is none.
func Whole(parts []OnInterfaces) *Effect {
	whole := &Effect{Scope: ScopeInterface, Class: None, Interfaces: parts}
	classes := map[Class]bool{}
	for i := range parts {
		e := parts[i].Effect
		classes[e.Class] = true
		whole.Default = e.Default
		whole.Why = cmp.Or(whole.Why, e.Why)
		whole.Closes, whole.Opens = union(whole.Closes, e.Closes), union(whole.Opens, e.Opens)
		whole.MoreCloses, whole.MoreOpens = max(whole.MoreCloses, e.MoreCloses), max(whole.MoreOpens, e.MoreOpens)
		whole.closes, whole.opens = unionOfTracts(whole.closes, e.closes), unionOfTracts(whole.opens, e.opens)
		whole.StillPermittedBy = unionBy(whole.StillPermittedBy, e.StillPermittedBy)
		whole.StillDroppedBy = unionBy(whole.StillDroppedBy, e.StillDroppedBy)
		whole.ShadowedBy = unionBy(whole.ShadowedBy, e.ShadowedBy)
		whole.Closed.IPv4 = max(whole.Closed.IPv4, e.Closed.IPv4)
		whole.Closed.IPv6 = max(whole.Closed.IPv6, e.Closed.IPv6)
	}
	switch {
	case classes[Unknown]:
		whole.Class = Unknown
	case classes[Mixed], classes[Closes] && classes[Opens]:
		whole.Class = Mixed
	case classes[Closes]:
		whole.Class = Closes
	case classes[Opens]:
		whole.Class = Opens
	}
	return whole
}

// union adds the spaces that are in none that is there, and leaves out those that are in one of them.
func union(list, more []Space) []Space {
	for _, s := range more {
		if slices.ContainsFunc(list, func(o Space) bool { return o.holds(&s) }) {
			continue
		}
		list = append(slices.DeleteFunc(list, func(o Space) bool { return s.holds(&o) }), s)
	}
	return list
}

// holds tells whether all of another space is in this one, as far as one looks at them only.
func (s *Space) holds(o *Space) bool {
	if s.Protocol != o.Protocol || s.NIC != o.NIC || s.Group != o.Group || !slices.Equal(s.Except, o.Except) {
		return false
	}
	if s.Group == "" && (s.CIDR.Bits() > o.CIDR.Bits() || !s.CIDR.Overlaps(o.CIDR)) {
		return false
	}
	source := !s.Source.IsValid() ||
		o.Source.IsValid() && s.Source.Bits() <= o.Source.Bits() && s.Source.Overlaps(o.Source)
	return source && (s.Family == AnyFamily || s.Family == o.Family) && covers(s.Ports, o.Ports) &&
		(s.SourcePorts.IsZero() || !o.SourcePorts.IsZero() && covers(s.SourcePorts, o.SourcePorts))
}

func covers(p, o sg.PortRange) bool { return p.Low <= o.Low && o.High <= p.High }

func unionOfTracts(list, more []tract) []tract {
	for _, r := range more {
		if !slices.ContainsFunc(list, func(o tract) bool { return o.holds(&r.Space) && among(o.outside, r.outside) }) {
			list = append(list, r)
		}
	}
	return list
}

// among tells whether all of some blocks are among others.
func among(list, others []netip.Prefix) bool {
	return !slices.ContainsFunc(list, func(p netip.Prefix) bool { return !slices.Contains(others, p) })
}

// unionBy adds the deciders that are not there. The order is that of the first ones.
func unionBy(list, more []By) []By {
	for _, b := range more {
		if !slices.ContainsFunc(list, func(o By) bool { return compareBy(o, b) == 0 }) {
			list = append(list, b)
		}
	}
	return list
}
