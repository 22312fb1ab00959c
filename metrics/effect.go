package metrics

import "github.com/prometheus/client_golang/prometheus"

// families of addresses, as labels.
const (
	ipv4 = "ipv4"
	ipv6 = "ipv6"
)

func (s *state) effects() *family {
	f := newFamily(s.descs.effects, prometheus.GaugeValue)
	for _, count := range s.snapshot.Effects {
		if s.configured(count.Account) {
			effect := known(Effects(), count.Effect)
			f.add(natural(count.Count), s.account("effect", count.Account, effect), effect)
		}
	}
	var keys [][]string
	for _, account := range s.accounts {
		for _, effect := range Effects() {
			keys = append(keys, []string{account, effect})
		}
	}
	s.zero(f, "effect", keys, keys)
	return f
}

// closed adds up over the accounts that share a label, so that it is no counter of anything: see the help.
func (s *state) closed() *family {
	f := newFamily(s.descs.closed, prometheus.GaugeValue)
	for _, closed := range s.snapshot.Closed {
		if s.configured(closed.Account) {
			f.add(max(0, closed.IPv4), s.account("closed", closed.Account, ipv4), ipv4)
			f.add(max(0, closed.IPv6), s.account("closed", closed.Account, ipv6), ipv6)
		}
	}
	var keys [][]string
	for _, account := range s.accounts {
		keys = append(keys, []string{account, ipv4}, []string{account, ipv6})
	}
	s.zero(f, "closed", keys, keys)
	return f
}

func (s *state) removedEffects() *family {
	f := newFamily(s.descs.removedEffects, prometheus.CounterValue)
	for _, effect := range append(Effects(), Other) {
		f.add(0, effect)
	}
	for effect, count := range s.snapshot.RemovedEffects {
		f.add(natural(count), known(Effects(), effect))
	}
	return f
}
