package reach

import (
	"net/netip"

	"github.com/egress-janitor/egress-janitor/internal/sg"
)

// Warning is what must not be overlooked about an effect, in one line; empty if there is nothing: that it closes part of
// 100.64.0.0/10, where the cloud's own services answer (DNS, metadata, mirrors). It goes by Closes alone: what is not known
// to be closed is no reason to warn.
func (e *Effect) Warning() string {
	if e.said != nil {
		return e.said.warning
	}
	services := cloudServices()
	var touched []Space
	dns := false
	for _, s := range e.Closes {
		if !s.answersForCloud() {
			continue
		}
		if s.CIDR.Bits() < services.Bits() {
			s.CIDR = services
		}
		touched = append(touched, s)
		dns = dns || s.answersDNS()
	}
	if len(touched) == 0 {
		return ""
	}
	outcome := "instances may lose these"
	if dns {
		outcome = "instances may lose name resolution"
	}
	where := ""
	if touched[0].CIDR != services || len(placesOf(asTracts(touched))) > 1 {
		where = " in " + services.String()
	}
	return "WARNING: this closes " + sumUp(asTracts(touched), 0) + where + ", where the cloud's own services answer " +
		"(DNS, metadata, package mirrors, internal endpoints): " + outcome
}

// cloudServices is where the cloud's own services answer.
func cloudServices() netip.Prefix { return netip.PrefixFrom(netip.AddrFrom4([4]byte{100, 64}), 10) }

// answersForCloud tells whether a space has a part of [cloudServices].
func (s *Space) answersForCloud() bool { return s.CIDR.IsValid() && s.CIDR.Overlaps(cloudServices()) }

// answersDNS tells whether queries for names are among a space.
func (s *Space) answersDNS() bool {
	const port = 53
	return (s.Protocol == sg.UDP.String() || s.Protocol == sg.TCP.String()) && s.Ports.Low <= port && port <= s.Ports.High
}
