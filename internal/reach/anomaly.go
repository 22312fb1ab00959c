package reach

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/egress-janitor/egress-janitor/internal/sg"
)

// Kind is a kind of anomaly, in the terms of Al-Shaer and Hamed, "Firewall Policy Advisor for Anomaly Discovery and Rule
// Editing" (2003), for lists in which rules of one priority have no order but that drop wins.
type Kind string

// The kinds of anomalies.
const (
	// Shadowed: the rule never decides, as rules before it, at least one of which does the opposite, cover it.
	Shadowed Kind = "shadowed"
	// Redundant: without the rule nothing changes, as rules that do the same cover what it decides. A rule that is redundant
	// through the default of the group alone is none: that is so of every accept rule of most basic groups.
	Redundant Kind = "redundant"
	// Generalised: the rule is wider than an earlier one that does the opposite, which is so an exception to it.
	Generalised Kind = "generalised"
	// Conflicting: a rule of the same priority does the opposite with some of the traffic, so that drop wins.
	Conflicting Kind = "conflicting"
)

// Anomaly is something odd about a rule.
type Anomaly struct {
	Kind   Kind
	Rule   int // in the list
	Others []By
	More   int    // others that were left out
	Why    string // a sentence for people
}

// maxOthers bounds the rules that an anomaly names.
const maxOthers = 10

// Anomalies finds what is odd about the rules of the list, sorted by rule and kind. A list that is incomplete has none, and
// what depends on unknown contents is left out. The work is bounded as that of [List.Effects].
func (l *List) Anomalies() []Anomaly {
	if l.why != "" {
		return nil
	}
	asked := make([]int, len(l.position))
	for i := range asked {
		asked[i] = i
	}
	_, effects := l.Effects(nil, asked, 0)
	var found []Anomaly
	for i, at := range l.position {
		if at < 0 || l.rules[at].ownSet >= 0 {
			continue
		}
		a, without := l.ineffective(i, effects[i])
		if without {
			found = append(found, a)
		}
		for _, kind := range []Kind{Generalised, Conflicting} {
			if others := l.opposites(kind, at); len(others) > 0 && (!without || a.Kind != Shadowed) {
				found = append(found, newAnomaly(kind, i, others))
			}
		}
	}
	return found
}

// dependent tells whether it depends on unknown contents what a rule is about.
func (l *List) dependent(at int) bool {
	r := &l.rules[at]
	return r.wild() || r.toSet >= 0 || r.portSet >= 0 || r.ownSet >= 0 || r.bareSet >= 0
}

// ineffective tells whether nothing would change without a rule, by its effect, and why.
func (l *List) ineffective(i int, e *Effect) (Anomaly, bool) {
	if e.Class != None {
		return Anomaly{}, false
	}
	kind, others := Redundant, append(slices.Clone(e.StillPermittedBy), e.StillDroppedBy...)
	if len(e.ShadowedBy) > 0 {
		others = e.ShadowedBy
		own := l.rules[l.position[i]].action
		if slices.ContainsFunc(others, func(b By) bool { return b.Action != own }) {
			kind = Shadowed
		}
	}
	if !slices.ContainsFunc(others, func(b By) bool { return !b.Default }) {
		return Anomaly{}, false
	}
	return newAnomaly(kind, i, others), true
}

// opposites are the rules that do the opposite and stand to a rule as a kind of anomaly says. The effect of a rule is known
// for whatever a group or list holds, but not whether two rules have traffic in common then.
func (l *List) opposites(kind Kind, at int) []By {
	r := &l.rules[at]
	var others []By
	if l.dependent(at) {
		return nil
	}
	for k := range l.rules {
		o := &l.rules[k]
		if o.action == r.action || l.dependent(k) || !l.meet(o, r) || !sourcePortsMeet(o, r) {
			continue
		}
		odd := o.priority == r.priority
		if kind == Generalised {
			odd = o.priority < r.priority && l.holds(r, o) && !l.holds(o, r)
		}
		if odd {
			others = append(others, l.by(k))
		}
	}
	slices.SortFunc(others, compareBy)
	return others
}

func sourcePortsMeet(a, b *rule) bool {
	anyPort := sg.PortRange{}
	return a.source == anyPort || b.source == anyPort || portsMeet([]sg.PortRange{a.source}, []sg.PortRange{b.source})
}

// holds tells whether a rule speaks of all that another one speaks of, block by block.
func (l *List) holds(r, o *rule) bool {
	within := func(inner, outer []block) bool {
		return !slices.ContainsFunc(inner, func(i block) bool {
			return !slices.ContainsFunc(outer, func(o block) bool { return o.contains(&i) })
		})
	}
	inRanges := func(inner, outer []sg.PortRange) bool {
		return !slices.ContainsFunc(inner, func(i sg.PortRange) bool {
			return !slices.ContainsFunc(outer, func(o sg.PortRange) bool { return o.Low <= i.Low && i.High <= o.High })
		})
	}
	ports := !o.protocol.HasPorts() || inRanges(l.portsOf(o), l.portsOf(r))
	source := r.source == sg.PortRange{} ||
		o.source != sg.PortRange{} && inRanges([]sg.PortRange{o.source}, []sg.PortRange{r.source})
	return o.nic&^r.nic == 0 && (r.all() || r.protocol == o.protocol) && within(l.to(o), l.to(r)) &&
		(r.from.empty() || !o.from.empty() && within(l.from(o), l.from(r))) && ports && source
}

func newAnomaly(kind Kind, rule int, others []By) Anomaly {
	a := Anomaly{Kind: kind, Rule: rule, Others: slices.Clone(others)}
	for i := range a.Others {
		a.Others[i].Space, a.Others[i].tracts = nil, nil
	}
	if more := len(a.Others) - maxOthers; more > 0 {
		a.Others, a.More = a.Others[:maxOthers], more
	}
	a.Why = a.why()
	return a
}

// maxTold bounds the rules that a sentence names.
const maxTold = 3

func (a *Anomaly) why() string {
	var names []string
	for _, o := range a.Others[:min(len(a.Others), maxTold)] {
		if o.Default {
			names = append(names, "the default of the group")
			continue
		}
		names = append(names, fmt.Sprintf("%s (%s, priority %d)", o.Rule, cmp.Or(string(o.Action), "?"), o.Priority))
	}
	who := strings.Join(names, ", ")
	if more := len(a.Others) + a.More - len(names); more > 0 {
		who += fmt.Sprintf(" and %d more", more)
	}
	switch a.Kind {
	case Shadowed:
		return "it never decides anything: all of it is decided before by " + who
	case Redundant:
		return "nothing would change without it: the same is done by " + who
	case Generalised:
		return "it is the wider rule to which these are exceptions: " + who
	case Conflicting:
	}
	return "at the same priority the opposite is said of some of its traffic, and drop wins, by " + who
}
