package policy

import (
	"github.com/egress-janitor/egress-janitor/internal/sg"
)

// bound is what must hold in a situation for a matcher to be true. It is true in fewer cases, never in more.
type bound struct {
	possible  bool // it can be true at all
	addresses guard
	ports     guard
}

// guard is a choice of atoms of which at least one holds where a matcher is true: that the rule meets a list, or that
// it leaves one. One choice per matcher is what survives putting intervals together: an atom of a range holds if it
// holds in one of its intervals, which is not so for two atoms at once.
type guard struct {
	anything bool // no atom is needed
	atoms    []int
	weight   float64 // the share of all addresses or ports that have one of the atoms: the less, the more is dismissed
}

// free is the bound of what can be true of any addresses and ports.
func free(possible bool) bound {
	return bound{possible: possible, addresses: guard{anything: true}, ports: guard{anything: true}}
}

// stricter gives the better of two guards that must both hold.
func (g *guard) stricter(o guard) guard {
	if g.anything || !o.anything && o.weight < g.weight {
		return o
	}
	return *g
}

// add makes the guard one of two matchers of which one is enough. Its atoms must not be shared with another guard.
func (g *guard) add(o guard) {
	if g.anything || o.anything {
		*g = guard{anything: true}
		return
	}
	g.atoms, g.weight = append(g.atoms, o.atoms...), g.weight+o.weight
}

// bounds finds the bounds of matchers in one situation.
type bounds struct {
	probe *probe // of a rule that has the situation and nothing else
	// weights of the atoms of address lists and of lists of ports, and the numbers of the latter.
	addresses []float64
	ports     []float64
	portLists map[*numberList]int
}

func (b *bounds) of(m *matcher) bound {
	switch m.op {
	case opAll:
		all := free(true)
		for i := range m.children {
			c := b.of(&m.children[i])
			if !c.possible {
				return c
			}
			all.addresses, all.ports = all.addresses.stricter(c.addresses), all.ports.stricter(c.ports)
		}
		return all
	case opAny:
		return b.ofAny(m.children)
	case opLeaf:
		return b.ofLeaf(m)
	case opNot:
	}
	return free(true)
}

func (b *bounds) ofAny(children []matcher) bound {
	var either bound
	for i := range children {
		if c := b.of(&children[i]); c.possible {
			either.possible = true
			either.addresses.add(c.addresses)
			either.ports.add(c.ports)
		}
	}
	return either
}

// ofLeaf decides clauses that depend on the situation alone. Of others it finds out whether they can be true and what
// they need then; one that it does not know can always be true.
func (b *bounds) ofLeaf(m *matcher) bound {
	rule := b.probe.rule
	kind := rule.Destination.Kind
	addressed := kind == sg.CIDR4 || kind == sg.CIDR6 || kind == sg.FromList
	switch c := m.clause.(type) {
	case *protocolClause, *actionClause, *kindClause, everyClause:
		return free(m.evalLeaf(b.probe, asRead) == yes)
	case *nameClause:
		return free(kind == c.kind || kind != sg.NoDestination && m.negated)
	case *widerClause:
		return free(addressed)
	case *addressClause:
		switch {
		case c.side == sourceSide:
			return free(!c.list.unread)
		case !addressed || c.list.unread:
			return free(false)
		}
		g := needs(c.relation, m.negated, c.list.index, b.addresses)
		return bound{possible: true, addresses: g, ports: guard{anything: true}}
	case *portsClause:
		switch {
		case !rule.Protocol.HasPorts():
			return free(false)
		case c.side == sourceSide:
			return free(true)
		}
		g := needs(c.relation, m.negated, b.portLists[c.list], b.ports)
		return bound{possible: true, addresses: guard{anything: true}, ports: g}
	}
	return free(true)
}

// needs is the guard of a relation with a list. To cover or to equal an element is to meet the list. Where neither is
// so the list must still speak of the family: the rule meets or leaves it.
func needs(r relation, negated bool, list int, weights []float64) guard {
	in, out := inBit(list), outBit(list)
	switch {
	case negated && (r == covers || r == equals):
		return guard{atoms: []int{in, out}, weight: weights[in] + weights[out]}
	case negated != (r == outside): // not overlapping, not within, or outside
		return guard{atoms: []int{out}, weight: weights[out]}
	}
	return guard{atoms: []int{in}, weight: weights[in]}
}
