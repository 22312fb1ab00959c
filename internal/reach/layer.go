package reach

import (
	"slices"

	"github.com/egress-janitor/egress-janitor/internal/sg"
)

// layer is the traffic of one or more protocols, one family and one kind of interface, with the rules that speak of it.
// Protocols of which exactly the same rules speak share a layer.
type layer struct {
	protocols []sg.Protocol // beside sg's: theRest
	nic       nics
	six       bool
	ported    bool  // TCP and UDP
	speaking  []int // rules that speak of it, by position
}

// theRest stands for all protocols that are none of the five and that no rule names.
const theRest sg.Protocol = 1000

// layers cuts traffic into layers, and leaves out those of which no rule in question speaks.
func (a *analysis) layers() []layer {
	var list []layer
	for _, nic := range []nics{intranet, internet} {
		for _, six := range []bool{false, true} {
			list = append(list, a.protocolLayers(nic, six)...)
		}
	}
	return list
}

func (a *analysis) protocolLayers(nic nics, isSix bool) []layer {
	family := four
	if isSix {
		family = six
	}
	var list []layer
	general := -1 // the layer without ports of which only rules for all protocols speak
	for _, p := range a.protocols() {
		ly := layer{protocols: []sg.Protocol{p}, nic: nic, six: isSix, ported: p == sg.TCP || p == sg.UDP}
		named, asked := false, false
		for at := range a.rules {
			r := &a.rules[at]
			if a.absent[at] || r.nic&nic == 0 || r.families&family == 0 || r.protocol != p && !r.all() {
				continue
			}
			named = named || !r.all()
			asked = asked || a.asks(at)
			ly.speaking = append(ly.speaking, at)
		}
		switch {
		case !asked:
		case !ly.ported && !named && general >= 0:
			list[general].protocols = append(list[general].protocols, p)
		default:
			if !ly.ported && !named {
				general = len(list)
			}
			list = append(list, ly)
		}
	}
	return list
}

// protocols are those that rules tell apart, in the order of results.
func (a *analysis) protocols() []sg.Protocol {
	if a.allProtocols != nil {
		return a.allProtocols
	}
	list := []sg.Protocol{sg.TCP, sg.UDP, sg.ICMP, sg.ICMPv6, sg.GRE}
	var numbers []sg.Protocol
	for i := range a.rules {
		if p := a.rules[i].protocol; p != sg.AllProtocols && !slices.Contains(list, p) {
			numbers = append(numbers, p)
		}
	}
	slices.Sort(numbers)
	a.allProtocols = append(append(list, slices.Compact(numbers)...), theRest)
	return a.allProtocols
}

// nicName is the kind of interface of the layer, in the classic network.
func (w *walk) nicName() string {
	switch {
	case !w.classic:
		return ""
	case w.nic == internet:
		return sg.NICInternet
	}
	return sg.NICIntranet
}
