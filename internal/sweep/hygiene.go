package sweep

import (
	"github.com/egress-janitor/egress-janitor/internal/reach"
	"github.com/egress-janitor/egress-janitor/internal/sg"
	"github.com/egress-janitor/egress-janitor/scanner"
)

// Hygiene is the anomalies of one group's rules.
type Hygiene struct {
	Group     *sg.Group
	Anomalies []Anomaly
}

// Anomaly is something odd about a rule; see [reach.Anomaly].
type Anomaly struct {
	reach.Anomaly

	Rule sg.Rule
}

// inspect notes what is odd about the rules of a group, if that was asked for.
func (s *sweep) inspect(g *scanner.Group) {
	if !s.Hygiene || g.Incomplete != "" {
		return
	}
	anomalies := reach.Compile(&g.Group, g.Rules, reach.Options{}).Anomalies()
	if len(anomalies) == 0 {
		return
	}
	odd := Hygiene{Group: g.Clone()}
	for _, a := range anomalies {
		odd.Anomalies = append(odd.Anomalies, Anomaly{Anomaly: a, Rule: g.Rules[a.Rule].Clone()})
	}
	s.result.Hygiene = append(s.result.Hygiene, odd)
}
