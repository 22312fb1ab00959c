package reach

import (
	"cmp"
	"slices"
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

// union adds the spaces that are not there.
func union(list, more []Space) []Space {
	for _, s := range more {
		if !slices.ContainsFunc(list, func(o Space) bool { return o.Protocol == s.Protocol && sameSpace(o, s) }) {
			list = append(list, s)
		}
	}
	return list
}

func unionBy(list, more []By) []By {
	for _, b := range more {
		if !slices.ContainsFunc(list, func(o By) bool { return compareBy(o, b) == 0 }) {
			list = append(list, b)
		}
	}
	slices.SortStableFunc(list, compareBy)
	return list
}
