package policy

import (
	"math/bits"

	"github.com/egress-janitor/egress-janitor/internal/sg"
)

// filter finds the policies that a rule may violate, before any is judged. It only ever dismisses: each of its steps
// is a condition without which a policy cannot match, whatever is unknown of the rule. Most rules violate nothing, and
// for most of them three steps over masks with a bit for each policy leave none to judge.
//
// The first step goes by the rule's situation: what protocol, action and kind of destination it has. These are few
// enough to try them all when policies are compiled, with every nested condition decided that depends on them alone.
// So nesting costs nothing here, and what is left of a policy in a situation tells what it needs of addresses and
// ports: see [bound].
type filter struct {
	words   int                   // of a mask of policies
	classes [protocolSlots]uint16 // protocols that no policy tells apart share one

	// masks of every situation, one after another: the policies that are possible in it, those of them that can match
	// at any address, and those that can with any ports.
	masks []uint64

	used   []uint64 // atoms of addresses that a policy needs
	byAtom []uint64 // policies by the atoms that they need
	ports  portMasks
}

// The parts of a situation's masks.
const (
	possible = iota
	anyAddress
	anyPort
	maskParts
)

// What a situation consists of beside the class of its protocol.
const (
	situationActions = 3
	situationKinds   = 5
	situationsEach   = situationActions * situationKinds
)

func actionSlot(a sg.Action) int {
	switch a {
	case sg.Accept:
		return 1
	case sg.Drop:
		return 2
	}
	return 0
}

func kindSlot(k sg.DestinationKind) int {
	switch k {
	case sg.CIDR4:
		return 1
	case sg.CIDR6:
		return 2
	case sg.FromList:
		return 3
	case sg.PeerGroup:
		return 4
	case sg.NoDestination:
	}
	return 0
}

// situation gives the masks of a rule's situation.
func (f *filter) situation(r *sg.Rule) []uint64 {
	class := int(f.classes[slotOf(r.Protocol)])
	i := (class*situationActions+actionSlot(r.Action))*situationKinds + kindSlot(r.Destination.Kind)
	return f.masks[i*f.words*maskParts:][:f.words*maskParts]
}

// start leaves the policies in scope that are possible in a situation, and tells whether there are any.
func (f *filter) start(candidates, scope, situation []uint64) bool {
	var some uint64
	for w := range candidates {
		candidates[w] = scope[w] & situation[possible*f.words+w]
		some |= candidates[w]
	}
	return some != 0
}

// byDestination dismisses the policies that need an atom which does not hold.
func (f *filter) byDestination(candidates, situation, atoms []uint64) bool {
	if f.words == 1 {
		candidates[0] &= situation[anyAddress] | f.needing(atoms, 0)
		return candidates[0] != 0
	}
	var some uint64
	for w := range candidates {
		if candidates[w] != 0 {
			candidates[w] &= situation[anyAddress*f.words+w] | f.needing(atoms, w)
		}
		some |= candidates[w]
	}
	return some != 0
}

// needing gives a word of the policies that need one of the atoms.
func (f *filter) needing(atoms []uint64, w int) uint64 {
	var mask uint64
	for i, have := range atoms {
		for have &= f.used[i]; have != 0; have &= have - 1 {
			mask |= f.byAtom[(i<<6+bits.TrailingZeros64(have))*f.words+w]
		}
	}
	return mask
}

// byPorts dismisses the policies that need other ports. Those of a port list are not looked at.
func (f *filter) byPorts(candidates, situation []uint64, r *sg.Rule) bool {
	if r.PortListID != "" {
		return true
	}
	var some uint64
	for w := range candidates {
		if keep := situation[anyPort*f.words+w]; candidates[w]&^keep != 0 {
			candidates[w] &= keep | f.ports.meeting(r.Ports, w)
		}
		some |= candidates[w]
	}
	return some != 0
}

// portMasks has the policies by the ports that they need. The bounds of the policies' ranges cut the ports into
// intervals, like addresses in the [table].
type portMasks struct {
	words  int
	starts []uint16 // where each interval begins; the first is 0
	masks  []uint64 // words per interval
	all    []uint64 // the OR of them
}

// fewPortIntervals is how many are put together for a rule; one that touches more gets the OR of all.
const fewPortIntervals = 16

// meeting gives a word of the policies that need some of the ports, or that need some outside of what they list.
func (m *portMasks) meeting(r sg.PortRange, w int) uint64 {
	if r.IsZero() { // not understood: no clause on ports is true
		return 0
	}
	from := m.find(r.Low)
	to := from
	if r.High != r.Low {
		to = m.find(r.High)
	}
	if to-from >= fewPortIntervals {
		return m.all[w]
	}
	var mask uint64
	for i := from; i <= to; i++ {
		mask |= m.masks[i*m.words+w]
	}
	return mask
}

func (m *portMasks) find(port uint16) int {
	low, high := 0, len(m.starts)
	for high-low > 1 {
		middle := int(uint(low+high) >> 1)
		if port < m.starts[middle] {
			high = middle
		} else {
			low = middle
		}
	}
	return low
}
