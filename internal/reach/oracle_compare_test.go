package reach_test

import (
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strconv"

	"github.com/egress-janitor/egress-janitor/internal/reach"
	"github.com/egress-janitor/egress-janitor/internal/sg"
)

// has tells whether a space speaks of a point.
func has(s *reach.Space, p *point) bool {
	if !hasColumn(s, p) || s.Group != "" {
		return false
	}
	return touches(s.CIDR, p.to, netip.MustParsePrefix("10.0.0.0/29"), netip.MustParsePrefix("2001:db8::/126"))
}

// touches tells whether a block has an address, or, if that stands for all that are outside of some blocks, one of these.
// That it has all of them is left to the count of what is closed.
func touches(block netip.Prefix, a netip.Addr, inner ...netip.Prefix) bool {
	if slices.ContainsFunc(inner, func(i netip.Prefix) bool { return i.Contains(a) }) {
		return block.Contains(a)
	}
	return block.Addr().Is4() == a.Is4() &&
		!slices.ContainsFunc(inner, func(i netip.Prefix) bool { return i.Bits() <= block.Bits() && i.Contains(block.Addr()) })
}

func hasColumn(s *reach.Space, p *point) bool {
	switch n, err := strconv.Atoi(p.protocol); {
	case s.Protocol == p.protocol:
	case err != nil || s.Protocol != reach.ProtocolOther || slices.Contains(s.Except, uint8(n)):
		return false
	}
	if p.port > 0 && (p.port < int(s.Ports.Low) || p.port > int(s.Ports.High)) {
		return false
	}
	if s.Source.IsValid() &&
		!touches(s.Source, p.from, netip.MustParsePrefix("172.16.0.0/31"), netip.MustParsePrefix("2001:db8:5::/127")) {
		return false
	}
	inside := s.SourcePorts == sg.PortRange{Low: 1000, High: 2000} // 500 stands for all others
	if !s.SourcePorts.IsZero() && inside != (p.fromPort == 1500) {
		return false
	}
	return s.NIC == p.nic
}

// compare says in which ways an effect is not the truth.
func (w *world) compare(t *truth, e *reach.Effect) []string {
	var wrong []string
	if e.Class != t.class {
		wrong = append(wrong, fmt.Sprintf("class %s (%s), want %s", e.Class, e.Why, t.class))
	}
	wrong = append(wrong, w.compareSpaces("closes", e.Closes, t.closes, t.groupsClosed)...)
	wrong = append(wrong, w.compareSpaces("opens", e.Opens, t.opens, t.groupsOpened)...)
	if t.class != reach.Unknown {
		for _, pair := range [][2]float64{{e.Closed.IPv4, t.closed.IPv4}, {e.Closed.IPv6, t.closed.IPv6}} {
			if d := pair[0] - pair[1]; d > 1e-9*pair[1] || -d > 1e-9*pair[1] {
				wrong = append(wrong, fmt.Sprintf("closed %v, want %v", e.Closed, t.closed))
			}
		}
	}
	if t.witnessed {
		for _, list := range []struct {
			what string
			got  []reach.By
			want map[string]bool
		}{
			{"shadowed by", e.ShadowedBy, t.shadowedBy},
			{"still permitted by", e.StillPermittedBy, t.permittedBy},
			{"still dropped by", e.StillDroppedBy, t.droppedBy},
		} {
			got := map[string]bool{}
			for _, b := range list.got {
				name := b.Rule
				if b.Default {
					name = "default"
				}
				got[name] = true
			}
			if !maps.Equal(got, list.want) {
				wrong = append(wrong, fmt.Sprintf("%s %v, want %v", list.what, got, list.want))
			}
		}
	}
	return wrong
}

func (w *world) compareSpaces(what string, got []reach.Space, want map[point]bool, members map[member]bool) []string {
	used := make([]bool, len(got))
	for _, six := range []bool{false, true} {
		family := reach.IPv4
		if six {
			family = reach.IPv6
		}
		for _, column := range w.columns(six) {
			for _, to := range addresses() {
				p := column
				if p.to = to; to.Is6() != six {
					continue
				}
				n := 0
				for i := range got {
					if has(&got[i], &p) {
						used[i] = true
						n++
					}
				}
				whole := to != outside4() && to != outside6() && p.from.String() != "9.9.9.9" && p.from.String() != "::9" && p.fromPort != 500
				if (n > 0) != want[p] || n > 1 && whole {
					return []string{fmt.Sprintf("%s %+v: in %d spaces, want %t", what, p, n, want[p])}
				}
			}
			for _, g := range []string{"sg-a", "sg-b"} {
				there := false
				for i := range got {
					if s := &got[i]; s.Group == g && hasColumn(s, &column) && (s.Family == reach.AnyFamily || s.Family == family) {
						there, used[i] = true, true
					}
				}
				if there != members[member{column: column, group: g, six: six}] {
					return []string{fmt.Sprintf("%s members of %s at %+v (%s): %t", what, g, column, family, there)}
				}
			}
		}
	}
	if i := slices.Index(used, false); i >= 0 {
		return []string{fmt.Sprintf("%s %+v, which is about nothing", what, got[i])}
	}
	return nil
}
