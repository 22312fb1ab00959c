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
	case "source":
		return w.source(r)
	case "protocol":
		if w.rule.protocol == -2 {
			return w.gap()
		}
		return compare(r.relation, 256, w.protocol, len(r.numbers), func(element, point int) bool {
			return r.numbers[element] == -1 || r.numbers[element] == point
		})
	case "priority":
		if w.rule.priority == 0 {
			return w.gap()
		}
		return compareSpans(r, [][2]int{{w.rule.priority, w.rule.priority}})
	default:
		return w.ports(r)
	}
}

func (w *world) ports(r *oRelation) truth {
	ports, unset := w.rule.ports, false
	if r.key == "source-ports" {
		ports, unset = w.rule.sourcePorts, w.rule.portsUnset
	}
	switch {
	case w.rule.protocol == -2:
		return w.gap()
	case !slices.Contains([]int{6, 17, -1}, w.rule.protocol):
		return isUnknown
	case unset && r.relation == "outside":
		return isUnknown
	case unset:
		ports = [][2]int{{1, 65535}}
	case len(ports) == 0:
		return w.gap()
	}
	return compareSpans(r, ports)
}

// compareSpans judges a relation between ranges of numbers. Those of these tests begin and end within 1 to 20 or at one
// of the points listed, so what is between them looks all like the number before.
func compareSpans(r *oRelation, set [][2]int) truth {
	points := []int{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 100, 101, 110, 111, 1000, 65535}
	holds := func(span [2]int, point int) bool { return span[0] <= points[point] && points[point] <= span[1] }
	return compare(r.relation, len(points), func(point int) bool {
		return slices.ContainsFunc(set, func(span [2]int) bool { return holds(span, point) })
	}, len(r.spans), func(element, point int) bool { return holds(r.spans[element], point) })
}

func (w *world) protocol(number int) bool { return w.rule.protocol == -1 || w.rule.protocol == number }

// hasBlocks tells whether the destination is made of address blocks that are known.
func (w *world) hasBlocks() bool { return len(w.rule.blocks) > 0 }

func (w *world) destination(r *oRelation) truth {
	switch {
	case w.rule.kind == "group":
		return isUnknown
	case !w.hasBlocks():
		return w.gap()
	}
	return w.addresses(r, w.rule.blocks)
}

func (w *world) source(r *oRelation) truth {
	everything := map[bool]netip.Prefix{true: netip.MustParsePrefix("0.0.0.0/0"), false: netip.MustParsePrefix("::/0")}
	switch {
	case !w.rule.sourceUnset && len(w.rule.source) == 0:
		return w.gap()
	case !w.rule.sourceUnset:
		return w.addresses(r, w.rule.source)
	case r.relation == "outside":
		return isUnknown
	case w.rule.kind == "group":
		return w.addresses(r, []netip.Prefix{everything[true], everything[false]})
	case !w.hasBlocks():
		return w.gap()
	}
	var source []netip.Prefix
	for _, b := range w.rule.blocks {
		source = append(source, everything[b.Addr().Is4()])
	}
	return w.addresses(r, source)
}

// addresses judges a relation between blocks and the elements of a list.
func (w *world) addresses(r *oRelation, blocks []netip.Prefix) truth {
	var families []truth
	for _, v4 := range []bool{true, false} {
		if slices.ContainsFunc(blocks, func(b netip.Prefix) bool { return b.Addr().Is4() == v4 }) {
			families = append(families, ofFamily(r, blocks, v4))
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

// ofFamily judges the part of the addresses that is of one family.
func ofFamily(r *oRelation, blocks []netip.Prefix, v4 bool) truth {
	var ranges []oRange // of the family; of the other the list cannot speak
	for _, e := range r.ranges {
		if e.low.Is4() == v4 {
			ranges = append(ranges, e)
		}
	}
	if ranges == nil {
		return isUnknown
	}
	points := pointsOf(blocks, ranges, v4)
	return compare(r.relation, len(points), func(point int) bool {
		return slices.ContainsFunc(blocks, func(b netip.Prefix) bool { return b.Contains(points[point]) })
	}, len(ranges), func(element, point int) bool {
		return ranges[element].holds(points[point])
	})
}

// pointsOf are enough addresses of a family to tell all sets apart that can be made of the blocks and ranges: those
// where something begins, and those after something ends. The small network of these tests is in it whole.
func pointsOf(blocks []netip.Prefix, ranges []oRange, v4 bool) []netip.Addr {
	first, network := netip.IPv6Unspecified(), netip.MustParsePrefix("fd00::/124")
	if v4 {
		first, network = netip.IPv4Unspecified(), netip.MustParsePrefix("10.0.0.0/28")
	}
	points := []netip.Addr{first}
	for a := network.Addr(); network.Contains(a); a = a.Next() {
		points = append(points, a)
	}
	for _, b := range blocks {
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
	case !w.hasBlocks():
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

// named tells whether the destination is of a kind and its ID fits.
func (w *world) named(kind string, globs []string) truth {
	if w.rule.kind == "" {
		return w.gap()
	}
	return truthOf(w.rule.kind == kind && slices.ContainsFunc(globs, func(glob string) bool {
		return globMatches(glob, w.rule.id)
	}))
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
