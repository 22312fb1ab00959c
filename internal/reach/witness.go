package reach

import (
	"cmp"
	"slices"
	"strings"
)

// witness is a rule, or the default, by which traffic of removed rules stays as it was.
type witness struct {
	weight float64
	areas  []witnessed
}

// witnessed is what a witness decides of one layer.
type witnessed struct {
	*walk

	area *area
	of   int16 // see [outcome]
}

// groupWeight is what a group counts for among witnesses, of which nobody knows how many members it has: as much as a
// network of 24 bits.
const groupWeight = 1.0 / (1 << 24)

// stays notes a witness.
func (w *walk) stays(q *question, o outcome, a *area) {
	m := q.stay[o.kind-permitted]
	if m[o.by] == nil {
		m[o.by] = &witness{}
	}
	weight := a.weight
	if o.by >= 0 && w.opaque != nil && len(w.opaque[o.by]) > 0 {
		weight *= groupWeight
	}
	m[o.by].weight += weight
	m[o.by].areas = append(m[o.by].areas, witnessed{w, a, o.of})
}

// witnessed gives the witnesses with the one first that decides most. Of some it says what exactly.
func (a *analysis) witnessed(m map[int32]*witness) []By {
	order := make([]int32, 0, len(m))
	for at := range m {
		order = append(order, at)
	}
	list := make(map[int32]By, len(m))
	for _, at := range order {
		list[at] = a.by(int(at))
	}
	slices.SortFunc(order, func(x, y int32) int {
		if c := cmp.Compare(m[y].weight, m[x].weight); c != 0 {
			return c
		}
		return compareBy(list[x], list[y])
	})
	var sorted []By
	for i, at := range order {
		by := list[at]
		if i < a.witnesses {
			by.tracts = m[at].tracts(a)
			if a.details {
				by.Space, _ = m[at].spaces(a)
			}
		}
		sorted = append(sorted, by)
	}
	return sorted
}

// maxWitnessed bounds the spaces of a witness.
const maxWitnessed = 16

func (x *witness) bundle(short bool) *bundle {
	var b bundle
	for _, one := range x.areas {
		p := portion{}
		switch {
		case one.of >= 0:
			for _, slab := range one.flat(one.area) {
				p.groups = append(p.groups, one.membersOf(one.of, slab.sides)...)
			}
			slices.SortFunc(p.groups, compareSpaces)
			p.groups = slices.CompactFunc(p.groups, sameSpace)
		case one.of == someSet:
			continue
		case short:
			p.tracts = one.tracts(one.flat(one.area), one.wide(one.area))
		default:
			p.patches = one.patches(one.flat(one.area), one.wide(one.area))
		}
		b.add(one.layer, p)
	}
	return &b
}

func (x *witness) spaces(a *analysis) ([]Space, int) {
	return spaces(x.bundle(false).titled(a.numbers()), maxWitnessed)
}

func (x *witness) tracts(a *analysis) []tract {
	return tractsOfAll(x.bundle(true).titled(a.numbers()))
}

func compareBy(a, b By) int {
	return cmp.Or(cmp.Compare(b2i(a.Default), b2i(b.Default)), cmp.Compare(a.Priority, b.Priority),
		strings.Compare(a.Rule, b.Rule), strings.Compare(a.Group, b.Group))
}

// by names a rule, or the default.
func (l *List) by(at int) By {
	if at == theDefault {
		return By{Default: true, Action: l.fallback}
	}
	r := &l.rules[at]
	b := By{Rule: cmp.Or(r.id, r.text), Priority: int(r.priority), Action: r.action}
	if l.merged {
		b.Group = r.group
	}
	return b
}
