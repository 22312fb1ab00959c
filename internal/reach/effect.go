package reach

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/egress-janitor/egress-janitor/internal/sg"
)

// analysis is one question: what does removing some rules do where others were removed before?
type analysis struct {
	*List

	absent, gone []bool // by position
	allProtocols []sg.Protocol

	steps   int
	tooMany bool
	decides bool           // a removed rule decides about something, or may
	shadows map[int]bool   // positions of the rules that decide about removed ones' traffic before them
	doubts  map[int16]bool // the sets that decide about something
	choices [][]int16      // of groups that are closed or opened together

	closes, opens bundle
	stay          [2]map[int]*By // by position or theDefault: what permits, and what drops
	closed        Pairs
	rest          map[restKey][]stretch // what is closed of protocols beside the five
}

type restKey struct {
	nic nics
	six bool
}

func (l *List) effect(absent, removed []int) *Effect {
	if l.why != "" {
		return &Effect{Scope: ScopeGroup, Class: Unknown, Why: l.why, Default: l.fallback}
	}
	a := &analysis{
		List: l, absent: make([]bool, len(l.rules)), gone: make([]bool, len(l.rules)),
		shadows: map[int]bool{}, doubts: map[int16]bool{}, rest: map[restKey][]stretch{},
		stay: [2]map[int]*By{{}, {}},
	}
	for _, at := range absent {
		a.absent[at] = true
	}
	for _, at := range removed {
		a.gone[at] = !a.absent[at]
	}
	for _, p := range a.layers() {
		w := newWalk(a, &p)
		w.run()
		if a.over() {
			break
		}
		w.harvest()
	}
	return a.result()
}

// over tells whether the question is too complex.
func (a *analysis) over() bool {
	a.tooMany = a.tooMany || a.steps > MaxSteps
	return a.tooMany
}

// doubt notes that the answer depends on the contents of sets.
func (a *analysis) doubt(sets ...int16) {
	for _, s := range sets {
		a.doubts[s] = true
	}
}

// result puts the answer together.
func (a *analysis) result() *Effect {
	e := &Effect{Scope: ScopeGroup, Default: a.fallback}
	if a.tooMany {
		e.Class, e.Why = Unknown, "too complex: the rules overlap in more ways than are looked at"
		return e
	}
	e.Closes, e.Opens = a.closes.spaces(a.numbers()), a.opens.spaces(a.numbers())
	e.Closed = a.pairs()
	switch {
	case len(a.doubts) > 0:
		e.Class, e.Why = Unknown, a.why()
	case len(e.Closes) > 0 && len(e.Opens) > 0:
		e.Class = Mixed
	case len(e.Closes) > 0:
		e.Class = Closes
	case len(e.Opens) > 0:
		e.Class = Opens
	default:
		e.Class = None
	}
	if e.Class == None && !a.decides {
		for at := range a.shadows {
			e.ShadowedBy = append(e.ShadowedBy, a.by(at))
		}
		slices.SortFunc(e.ShadowedBy, compareBy)
		return e
	}
	e.StillPermittedBy, e.StillDroppedBy = sortedBy(a.stay[0]), sortedBy(a.stay[1])
	return e
}

func (a *analysis) numbers() []sg.Protocol {
	all := a.protocols()
	return all[ownPlanes : len(all)-1]
}

// ownPlanes is how many protocols have layers of their own in any case.
const ownPlanes = 5

func sortedBy(m map[int]*By) []By {
	var list []By
	for _, b := range m {
		list = append(list, *b)
	}
	slices.SortFunc(list, compareBy)
	return list
}

func compareBy(a, b By) int {
	return cmp.Or(cmp.Compare(b2i(a.Default), b2i(b.Default)), cmp.Compare(a.Priority, b.Priority),
		cmp.Compare(a.Rule, b.Rule), cmp.Compare(a.Group, b.Group))
}

// by names a rule, or the default.
func (a *analysis) by(at int) By {
	if at == theDefault {
		return By{Default: true, Action: a.fallback}
	}
	r := &a.rules[at]
	b := By{Rule: cmp.Or(r.id, r.text), Priority: int(r.priority), Action: r.action}
	if a.merged {
		b.Group = r.group
	}
	return b
}

// maxReasons bounds the sets that a reason names.
const maxReasons = 3

// why says what the answer depends on.
func (a *analysis) why() string {
	var reasons []string
	for s := range a.doubts {
		if s < 0 {
			continue
		}
		name := a.sets[s].name
		switch a.sets[s].kind {
		case peerGroup:
			reasons = append(reasons, fmt.Sprintf("it is not known which addresses are members of %s", name))
		case unreadList:
			reasons = append(reasons, fmt.Sprintf("the prefix list %s was not read", name))
		case unreadPorts:
			reasons = append(reasons, fmt.Sprintf("the port list %s was not read", name))
		case unreadableRule:
			reasons = append(reasons, fmt.Sprintf("the rule %s could not be understood", name))
		}
	}
	slices.Sort(reasons)
	if more := len(reasons) - maxReasons; more > 0 {
		reasons = append(reasons[:maxReasons], fmt.Sprintf("and %d more things are not known", more))
	}
	return strings.Join(reasons, "; ")
}

// harvest takes over what a walk found.
func (w *walk) harvest() {
	nic := ""
	if w.classic {
		nic = sg.NICIntranet
		if w.nic == internet {
			nic = sg.NICInternet
		}
	}
	kept := 0
	for _, o := range w.order() {
		a := w.results[o]
		switch o.kind {
		case closing:
			w.closes.add(w.layer, nic, w.spaces(a))
			w.count(a)
		case opening:
			w.opens.add(w.layer, nic, w.spaces(a))
		case closingGroups:
			w.members(&w.closes, nic, o, w.results[outcome{kind: closing}])
		case openingGroups:
			w.members(&w.opens, nic, o, w.results[outcome{kind: opening}])
		case permitted, dropped:
			w.stays(o, a, nic, kept < maxWitnesses)
			kept++
		}
	}
}

// maxWitnesses bounds the rules of which it is said what exactly they decide.
const maxWitnesses = 16

// order gives the outcomes in a fixed order.
func (w *walk) order() []outcome {
	list := make([]outcome, 0, len(w.results))
	for o := range w.results {
		list = append(list, o)
	}
	slices.SortFunc(list, func(a, b outcome) int { return cmp.Or(cmp.Compare(a.kind, b.kind), cmp.Compare(a.by, b.by)) })
	return list
}

// stays notes what a rule, or the default, decides of the removed rules' traffic.
func (w *walk) stays(o outcome, a *area, nic string, exactly bool) {
	at := w.at(int(o.by))
	m := w.stay[o.kind-permitted]
	if m[at] == nil {
		b := w.by(at)
		m[at] = &b
	}
	if !exactly || len(m[at].Space) > maxWitnesses {
		return
	}
	var found bundle
	found.add(w.layer, nic, w.spaces(a))
	m[at].Space = append(m[at].Space, found.spaces(nil)...)
}

// count adds up what an area closes.
func (w *walk) count(a *area) {
	total := 0.0
	var blocks []int
	for i := range a.parts {
		total += w.addresses(a.parts[i].blocks) * float64(w.portCount(a.parts[i].columns))
		blocks = append(blocks, a.parts[i].blocks...)
	}
	for _, p := range w.layer.protocols {
		if !slices.Contains(w.analysis.protocols()[:ownPlanes], p) {
			key := restKey{w.nic, w.six}
			w.rest[key] = append(w.rest[key], w.stretches(blocks)...)
			continue
		}
		w.closed.add(total, w.six)
	}
}

func (p *Pairs) add(n float64, isSix bool) {
	if isSix {
		p.IPv6 += n
	} else {
		p.IPv4 += n
	}
}

func (w *walk) addresses(blocks []int) float64 {
	n := 0.0
	for _, s := range w.stretches(blocks) {
		n += s.size()
	}
	return n
}

// portCount is how many ports some columns are about.
func (w *walk) portCount(columns []int32) int {
	each := int32(len(w.from.blocks) * len(w.sources.ranges)) //nolint:gosec // bounded by the rules of a group
	n, last := 0, int32(-1)
	for _, c := range columns {
		if p := c / each; p != last {
			last = p
			n += int(w.ports.ranges[p].High) - int(w.ports.ranges[p].Low) + 1
		}
	}
	return n
}

// pairs is what is closed in all.
func (a *analysis) pairs() Pairs {
	for key, list := range a.rest {
		slices.SortFunc(list, func(a, b stretch) int { return a.low.compare(b.low) })
		for _, s := range joined(list) {
			a.closed.add(s.size(), key.six)
		}
	}
	return a.closed
}

// members notes that the members of groups are closed or opened, if that is so for all addresses of the family.
func (w *walk) members(into *bundle, nic string, o outcome, certain *area) {
	a := w.results[o]
	var columns []int32
	for i := range a.parts {
		columns = append(columns, a.parts[i].columns...)
	}
	slices.Sort(columns)
	columns = slices.Compact(columns)
	groups := w.choices[o.by]
	columns = slices.DeleteFunc(columns, func(c int32) bool {
		all := w.stretches(append(a.with(c), certain.with(c)...))
		some := len(all) != 1 || all[0].low != (address{}) || all[0].high != w.to.blocks[0].high
		if some {
			w.doubt(groups...)
		}
		return some
	})
	family := IPv4
	if w.six {
		family = IPv6
	}
	var list []Space
	for _, g := range groups {
		for _, s := range w.sides(columns) {
			s.Group, s.Family = w.sets[g].name, family
			list = append(list, s)
		}
	}
	into.add(w.layer, nic, list)
}

// with gives the blocks of the parts that have a column.
func (a *area) with(column int32) []int {
	if a == nil {
		return nil
	}
	var blocks []int
	for i := range a.parts {
		if _, has := slices.BinarySearch(a.parts[i].columns, column); has {
			blocks = append(blocks, a.parts[i].blocks...)
		}
	}
	return blocks
}

// bundle is spaces by protocol, in the order in which they were found.
type bundle struct {
	protocols []sg.Protocol
	lists     [][]Space
}

func (b *bundle) add(p *layer, nic string, list []Space) {
	for i := range list {
		list[i].NIC = nic
	}
	for _, protocol := range p.protocols {
		i := slices.Index(b.protocols, protocol)
		if i < 0 {
			i = len(b.protocols)
			b.protocols, b.lists = append(b.protocols, protocol), append(b.lists, nil)
		}
		b.lists[i] = append(b.lists[i], list...)
	}
}

func (b *bundle) of(p sg.Protocol) []Space {
	if i := slices.Index(b.protocols, p); i >= 0 {
		return b.lists[i]
	}
	return nil
}

// spaces gives all of them with their protocols. Of the numbers that rules name, those about which the same is said as of
// the rest are part of it.
func (b *bundle) spaces(numbers []sg.Protocol) []Space {
	for i := range b.lists {
		b.lists[i] = bothFamiliesOf(b.lists[i])
		slices.SortFunc(b.lists[i], compareSpaces)
	}
	rest := b.of(theRest)
	var all []Space
	for _, p := range []sg.Protocol{sg.TCP, sg.UDP, sg.ICMP, sg.ICMPv6, sg.GRE} {
		all = appendAs(all, b.of(p), p.String(), nil)
	}
	var except []uint8
	for _, p := range numbers {
		list := b.of(p)
		n, _ := p.Number()
		if len(rest) > 0 && slices.EqualFunc(list, rest, sameSpace) {
			continue
		}
		except = append(except, n)
		all = appendAs(all, list, strconv.Itoa(int(n)), nil)
	}
	return appendAs(all, rest, ProtocolOther, except)
}

func appendAs(all, list []Space, protocol string, except []uint8) []Space {
	for _, s := range list {
		s.Protocol, s.Except = protocol, except
		all = append(all, s)
	}
	return all
}

func sameSpace(a, b Space) bool { return compareSpaces(a, b) == 0 }

// bothFamiliesOf puts together what is said of the members of a group in both families.
func bothFamiliesOf(list []Space) []Space {
	var merged []Space
	for _, s := range list {
		if s.Group == "" {
			merged = append(merged, s)
			continue
		}
		other := slices.IndexFunc(merged, func(o Space) bool {
			if o.Group == "" || o.Family == s.Family || o.Family == AnyFamily {
				return false
			}
			o.Family = s.Family
			return sameSpace(o, s)
		})
		if other < 0 {
			merged = append(merged, s)
			continue
		}
		merged[other].Family = AnyFamily
	}
	return merged
}

// Limit gives the effect with at most n spaces each in Closes and Opens, the widest ones, in their order. The spaces of
// each By are bounded likewise. What [Effect.Warning] is about goes before everything wider: a warning must not get lost.
func (e *Effect) Limit(n int) *Effect {
	c := *e
	c.Closes, c.MoreCloses = widest(e.Closes, n)
	c.Opens, c.MoreOpens = widest(e.Opens, n)
	c.MoreCloses, c.MoreOpens = c.MoreCloses+e.MoreCloses, c.MoreOpens+e.MoreOpens
	for _, list := range []*[]By{&c.ShadowedBy, &c.StillPermittedBy, &c.StillDroppedBy} {
		*list = slices.Clone(*list)
		for i := range *list {
			(*list)[i].Space, _ = widest((*list)[i].Space, n)
		}
	}
	c.Interfaces = slices.Clone(e.Interfaces)
	for i := range c.Interfaces {
		c.Interfaces[i].Effect = c.Interfaces[i].Effect.Limit(n)
	}
	return &c
}

func widest(list []Space, n int) (kept []Space, left int) {
	if len(list) <= n {
		return list, 0
	}
	order := make([]int, len(list))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int {
		switch {
		case list[a].answersForCloud() == list[b].answersForCloud():
			return cmp.Compare(list[b].width(), list[a].width())
		case list[a].answersForCloud():
			return -1
		}
		return 1
	})
	order = order[:n]
	slices.Sort(order)
	for _, i := range order {
		kept = append(kept, list[i])
	}
	return kept, len(list) - n
}

// width is about how much traffic a space is, on a log scale. Groups come first: nobody knows how wide they are.
func (s *Space) width() float64 {
	ports := 0.0
	if !s.Ports.IsZero() {
		ports = math.Log2(float64(s.Ports.High) - float64(s.Ports.Low) + 1)
	}
	if s.Group != "" {
		return math.MaxFloat64
	}
	return float64(s.CIDR.Addr().BitLen()-s.CIDR.Bits()) + ports
}
