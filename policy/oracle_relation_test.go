package policy_test

import (
	"net/netip"
	"regexp"
	"slices"
	"strings"
	"time"
)

// oRange is an element of an address list. It is asked about addresses of its family only.
type oRange struct{ low, high netip.Addr }

func (r oRange) holds(a netip.Addr) bool {
	return a.Compare(r.low) >= 0 && a.Compare(r.high) <= 0
}

// relation judges by looping over what is in the sets.
func (w *world) relation(r *oRelation) truth {
	switch r.key {
	case "destination":
		return w.destination(r)
	case "protocol":
		if w.rule.protocol == -2 {
			return w.gap()
		}
		return compare(r.relation, 256, w.protocol, len(r.numbers), func(element, point int) bool {
			return r.numbers[element] == -1 || r.numbers[element] == point
		})
	default:
		switch {
		case w.rule.protocol == -2:
			return w.gap()
		case !slices.Contains([]int{6, 17, -1}, w.rule.protocol):
			return isUnknown
		case !w.rule.hasPorts:
			return w.gap()
		}
		// The ports of these tests begin and end within 1 to 20 or at 65535, so the rest looks all like port 21.
		port := func(point int) int {
			if point == 22 {
				return 65535
			}
			return point
		}
		return compare(r.relation, 23, func(point int) bool {
			return w.rule.ports[0] <= port(point) && port(point) <= w.rule.ports[1]
		}, len(r.ports), func(element, point int) bool {
			return r.ports[element][0] <= port(point) && port(point) <= r.ports[element][1]
		})
	}
}

func (w *world) protocol(number int) bool { return w.rule.protocol == -1 || w.rule.protocol == number }

func (w *world) destination(r *oRelation) truth {
	switch {
	case w.rule.kind == "group":
		return isUnknown
	case w.rule.kind == "" || w.rule.kind == "prefix-list" && (!w.rule.resolved || len(w.rule.blocks) == 0):
		return w.gap()
	}
	var families []truth
	for _, v4 := range []bool{true, false} {
		if slices.ContainsFunc(w.rule.blocks, func(b netip.Prefix) bool { return b.Addr().Is4() == v4 }) {
			families = append(families, w.family(r, v4))
		}
	}
	if len(families) == 1 {
		return families[0]
	}
	switch r.relation {
	case "within":
		return and(families[0], families[1])
	case "equals": // no element is of both families, but of one of them the list may not speak
		if slices.Contains(families, isUnknown) {
			return isUnknown
		}
		return isFalse
	default:
		return or(families[0], families[1])
	}
}

// family judges the part of the destination that is of one family.
func (w *world) family(r *oRelation, v4 bool) truth {
	var ranges []oRange // of the family; of the other the list cannot speak
	for _, e := range r.ranges {
		if e.low.Is4() == v4 {
			ranges = append(ranges, e)
		}
	}
	if ranges == nil {
		return isUnknown
	}
	points := w.points(ranges, v4)
	return compare(r.relation, len(points), func(point int) bool {
		return slices.ContainsFunc(w.rule.blocks, func(b netip.Prefix) bool { return b.Contains(points[point]) })
	}, len(ranges), func(element, point int) bool {
		return ranges[element].holds(points[point])
	})
}

// points are enough addresses of a family to tell all sets apart that can be made of the blocks and ranges: those
// where something begins, and those after something ends. The small network of these tests is in it whole.
func (w *world) points(ranges []oRange, v4 bool) []netip.Addr {
	first, network := netip.IPv6Unspecified(), netip.MustParsePrefix("fd00::/124")
	if v4 {
		first, network = netip.IPv4Unspecified(), netip.MustParsePrefix("10.0.0.0/28")
	}
	points := []netip.Addr{first}
	for a := network.Addr(); network.Contains(a); a = a.Next() {
		points = append(points, a)
	}
	for _, b := range w.rule.blocks {
		if b.Addr().Is4() != v4 {
			continue
		}
		last := lastOf(b)
		points = append(points, b.Addr(), last, last.Next())
	}
	for _, e := range ranges {
		points = append(points, e.low, e.high, e.high.Next())
	}
	return slices.DeleteFunc(points, func(a netip.Addr) bool { return !a.IsValid() })
}

// lastOf sets the host bits of a block.
func lastOf(b netip.Prefix) netip.Addr {
	bytes := b.Addr().AsSlice()
	for i := b.Bits(); i < 8*len(bytes); i++ {
		bytes[i/8] |= 1 << (7 - i%8)
	}
	last, _ := netip.AddrFromSlice(bytes)
	return last
}

// compare judges a relation between a set D and the elements of a list, point by point.
func compare(relation string, points int, inD func(int) bool, elements int, inElement func(element, point int) bool) truth {
	meets, leaves := false, false
	coversOne, equalsOne := false, false
	held, equal := make([]bool, elements), make([]bool, elements)
	for e := range elements {
		held[e], equal[e] = true, true
	}
	for p := range points {
		d, s := inD(p), false
		for e := range elements {
			in := inElement(e, p)
			s = s || in
			held[e] = held[e] && (!in || d)
			equal[e] = equal[e] && in == d
		}
		meets = meets || d && s
		leaves = leaves || d && !s
	}
	for e := range elements {
		coversOne = coversOne || held[e]
		equalsOne = equalsOne || equal[e]
	}
	return map[string]truth{
		"overlaps": truthOf(meets),
		"within":   truthOf(!leaves),
		"outside":  truthOf(leaves),
		"covers":   truthOf(coversOne),
		"equals":   truthOf(equalsOne),
	}[relation]
}

func (w *world) wider(limits map[string]int) truth {
	switch {
	case w.rule.kind == "group":
		return isUnknown
	case w.rule.kind == "" || w.rule.kind == "prefix-list" && (!w.rule.resolved || len(w.rule.blocks) == 0):
		return w.gap()
	}
	result := isFalse
	for _, b := range w.rule.blocks {
		key := "ipv6"
		if b.Addr().Is4() {
			key = "ipv4"
		}
		wide := isUnknown
		if limit, given := limits[key]; given {
			wide = truthOf(b.Bits() < limit)
		}
		result = or(result, wide)
	}
	return result
}

func (w *world) older(days int) truth {
	if w.rule.created.IsZero() {
		return w.gap()
	}
	return truthOf(w.now.After(w.rule.created.Add(time.Duration(days) * 24 * time.Hour)))
}

func (w *world) description(pattern string) truth {
	if pattern == "empty" {
		return truthOf(strings.TrimSpace(w.rule.text) == "")
	}
	return truthOf(regexp.MustCompile(pattern).MatchString(w.rule.text))
}

func (w *world) expired() truth {
	all := regexp.MustCompile(expiryPattern).FindAllStringSubmatch(w.rule.text, -1)
	if len(all) == 0 {
		return w.gap()
	}
	result := isTrue // the latest has passed if all have
	for _, m := range all {
		switch passed(m[1], w.now, w.zone) {
		case isUnknown:
			if w.past {
				return isTrue
			}
			return w.gap()
		case isFalse:
			result = isFalse
		case isTrue:
		}
	}
	return result
}

// passed tells whether a date or time is over: a date is when the calendar of the zone shows a later day.
func passed(text string, now time.Time, zone *time.Location) truth {
	if t, err := time.Parse(time.RFC3339, text); err == nil {
		return truthOf(!now.Before(t))
	}
	if _, err := time.Parse("2006-01-02", text); err != nil {
		return isUnknown
	}
	return truthOf(now.In(zone).Format("2006-01-02") > text)
}
