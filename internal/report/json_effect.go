package report

import (
	"fmt"
	"math"
	"net/netip"

	"github.com/egress-janitor/egress-janitor/internal/reach"
	"github.com/egress-janitor/egress-janitor/internal/sg"
)

// Bounds of an effect in JSON. What is beyond them is counted, and no class or sentence goes by them.
const (
	maxSpaces       = 100 // of what is closed, and of what is opened
	maxCombinations = 50  // of groups that interfaces have
)

type jsonEffect struct {
	Scope string `json:"scope"`
	jsonReach

	Sentence    string     `json:"sentence,omitempty"`
	Warning     string     `json:"warning,omitempty"`
	ClosedPairs *jsonPairs `json:"closedPairs,omitempty"`

	Interfaces     []jsonOnInterfaces `json:"interfaces,omitempty"`
	MoreInterfaces int                `json:"moreInterfaces,omitempty"` // combinations of groups that were left out
}

// jsonReach is what an effect and its part on some interfaces have in common. Rules are named by their IDs, those without
// one by what they say, and the default of the group type by `default`.
type jsonReach struct {
	Class            string      `json:"class"`
	Closes           []jsonSpace `json:"closes,omitempty"`
	MoreCloses       int         `json:"moreCloses,omitempty"`
	Opens            []jsonSpace `json:"opens,omitempty"`
	MoreOpens        int         `json:"moreOpens,omitempty"`
	StillPermittedBy []string    `json:"stillPermittedBy,omitempty"`
	StillDroppedBy   []string    `json:"stillDroppedBy,omitempty"`
	ShadowedBy       []string    `json:"shadowedBy,omitempty"`
	Why              string      `json:"why,omitempty"`
}

type jsonOnInterfaces struct {
	Groups     []string `json:"groups"`
	Interfaces int      `json:"interfaces"`
	Instances  int      `json:"instances"`
	jsonReach
}

// jsonPairs are logarithms to the base of 2. One that is absent is of nothing.
type jsonPairs struct {
	IPv4 *float64 `json:"ipv4,omitempty"`
	IPv6 *float64 `json:"ipv6,omitempty"`
}

type jsonSpace struct {
	Protocol    string `json:"protocol"`
	Except      []int  `json:"except,omitempty"`
	CIDR        string `json:"cidr,omitempty"`
	Group       string `json:"group,omitempty"`
	Family      string `json:"family,omitempty"`
	Ports       string `json:"ports,omitempty"`
	Source      string `json:"source,omitempty"`
	SourcePorts string `json:"sourcePorts,omitempty"`
	NICType     string `json:"nicType,omitempty"`
}

// EffectJSON gives an effect in the form that the JSON report has it in. Nil is an effect that nobody computed.
func EffectJSON(e *reach.Effect) any { return newJSONEffect(e) }

func newJSONEffect(e *reach.Effect) jsonEffect {
	if e == nil {
		return jsonEffect{Scope: string(reach.ScopeGroup), jsonReach: jsonReach{Class: string(reach.Unknown)}}
	}
	effect := jsonEffect{
		Scope: string(e.Scope), jsonReach: newJSONReach(e), Sentence: e.Sentence(), Warning: e.Warning(),
		ClosedPairs: newJSONPairs(e.Closed),
	}
	for i := range e.Interfaces {
		if i == maxCombinations {
			effect.MoreInterfaces = len(e.Interfaces) - i
			break
		}
		on := &e.Interfaces[i]
		effect.Interfaces = append(effect.Interfaces, jsonOnInterfaces{
			Groups: notNil(on.Groups), Interfaces: on.Interfaces, Instances: on.Instances, jsonReach: newJSONReach(on.Effect),
		})
	}
	return effect
}

func newJSONReach(e *reach.Effect) jsonReach {
	short := e.Limit(maxSpaces)
	return jsonReach{
		Class:            string(e.Class),
		Closes:           jsonSpaces(short.Closes),
		MoreCloses:       short.MoreCloses,
		Opens:            jsonSpaces(short.Opens),
		MoreOpens:        short.MoreOpens,
		StillPermittedBy: deciders(e.StillPermittedBy),
		StillDroppedBy:   deciders(e.StillDroppedBy),
		ShadowedBy:       deciders(e.ShadowedBy),
		Why:              e.Why,
	}
}

// byDefault stands for the default of the group type where rules are named.
const byDefault = "default"

func deciders(list []reach.By) []string {
	var names []string
	for i := range list {
		name := list[i].Rule
		if list[i].Default {
			name = byDefault
		}
		names = append(names, name)
	}
	return names
}

func jsonSpaces(spaces []reach.Space) []jsonSpace {
	var list []jsonSpace
	for i := range spaces {
		s := &spaces[i]
		space := jsonSpace{
			Protocol: s.Protocol, CIDR: prefixText(s.CIDR), Group: s.Group, Family: string(s.Family), Ports: portsText(s.Ports),
			Source: prefixText(s.Source), SourcePorts: portsText(s.SourcePorts), NICType: s.NIC,
		}
		for _, number := range s.Except {
			space.Except = append(space.Except, int(number))
		}
		list = append(list, space)
	}
	return list
}

// prefixText is empty for no prefix.
func prefixText(p netip.Prefix) string {
	if !p.IsValid() {
		return ""
	}
	return p.String()
}

// portsText is 443 or 8000-9000, and empty for no range.
func portsText(r sg.PortRange) string {
	switch {
	case r.IsZero():
		return ""
	case r.Low == r.High:
		return fmt.Sprint(r.Low)
	}
	return fmt.Sprintf("%d-%d", r.Low, r.High)
}

func newJSONPairs(p reach.Pairs) *jsonPairs {
	if p == (reach.Pairs{}) {
		return nil
	}
	return &jsonPairs{IPv4: logarithm(p.IPv4), IPv6: logarithm(p.IPv6)}
}

// logarithm is to the base of 2, with one decimal. Of nothing there is none.
func logarithm(pairs float64) *float64 {
	if pairs < 1 {
		return nil
	}
	rounded := math.Round(math.Log2(pairs)*10) / 10
	return &rounded
}

type jsonNarrowing struct {
	Sentence string             `json:"sentence"`
	Rules    []reach.Permission `json:"rules,omitempty"`
	Left     []jsonSpace        `json:"left,omitempty"`
	Needed   int                `json:"needed"`
	Free     int                `json:"free"`
}

func newJSONNarrowing(n *reach.Narrowing) *jsonNarrowing {
	if n == nil {
		return nil
	}
	return &jsonNarrowing{
		Sentence: n.Sentence, Rules: n.Rules, Left: jsonSpaces(n.Left), Needed: n.Needed, Free: n.Free,
	}
}

type jsonHygiene struct {
	Account string        `json:"account"`
	Region  string        `json:"region"`
	Group   jsonPastGroup `json:"group"`
	Rule    jsonRule      `json:"rule"`
	Anomaly string        `json:"anomaly"`
	Others  []string      `json:"others"`
	More    int           `json:"more,omitempty"`
	Why     string        `json:"why"`
}

func (s *Sweep) jsonHygiene(h *Hygiene) jsonHygiene {
	return jsonHygiene{
		Account: s.Account, Region: h.Group.Region, Group: jsonPastGroup{ID: h.Group.ID, Name: h.Group.Name},
		Rule: newJSONRule(&h.Rule), Anomaly: string(h.Anomaly.Kind), Others: notNil(deciders(h.Anomaly.Others)),
		More: h.Anomaly.More, Why: h.Anomaly.Why,
	}
}
